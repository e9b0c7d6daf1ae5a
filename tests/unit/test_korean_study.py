"""The study of Korean villages: its page says what its tables say, and they come out of the survey again."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "korean_family_planning"
HEADINGS = ["Expectation", "Method", "Result", "Reading", "What this does not show"]

pytest.importorskip("optuna")
pytest.importorskip("statsmodels")

SURVEY = (
    Path(os.environ.get("MOBSIM_VALIDATION_DATA", "nowhere")) / "data/netdiffuseR/kfamily_nodes_full.csv.gz"
)

has_survey = pytest.mark.skipif(
    not SURVEY.exists(), reason="MOBSIM_VALIDATION_DATA names no folder with the survey"
)


@cache
def study() -> ModuleType:
    """Load run.py without running it."""
    spec = importlib.util.spec_from_file_location("run_korean_family_planning", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def survey() -> Any:
    return study().read_survey(study().folder_of_data())


@cache
def tables() -> dict[str, pd.DataFrame]:
    return {name: study().read_table(FOLDER / f"{name}.csv") for name in study().TABLES}


def decimals(text: str) -> set[str]:
    """Numbers with a digit on both sides of the point; parameters are written .6 and do not count."""
    return set(re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text.replace(",", "")))


def test_the_result_is_that_of_the_tables() -> None:
    assert study().result(tables()) == (FOLDER / "result.md").read_text("utf-8"), "run run.py again"


def test_every_number_of_the_page_was_printed() -> None:
    printed = decimals((FOLDER / "result.md").read_text("utf-8"))
    assert decimals((FOLDER / "README.md").read_text("utf-8")) - printed == set()


def test_the_page_says_what_was_expected_before_what_was_found() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    assert re.findall(r"^## (.+)$", page, flags=re.MULTILINE) == HEADINGS


def test_the_page_says_plainly_whether_the_model_with_ties_beats_simple_forecasts() -> None:
    said = tables()["sentences"]
    verdict = said[(said["about"] == "ties 0")]["sentence"].iloc[0]
    assert verdict.startswith("Out of sample it is not better than simple forecasts")
    assert "does not beat the simple forecasts" in (FOLDER / "README.md").read_text("utf-8")


def test_every_third_village_is_held_out() -> None:
    asked = YAML(typ="safe").load(FOLDER / "calibration.yaml")
    assert list(asked["communities"]) == [f"village_{number:02}" for number in range(1, 26)]
    assert asked["holdout"]["communities"] == [f"village_{number:02}" for number in range(3, 26, 3)]


def test_only_aggregates_are_kept() -> None:
    kept = {path.suffix for path in FOLDER.iterdir() if path.is_file()}
    assert kept == {".py", ".md", ".yaml", ".csv", ".svg"}
    for name, table in tables().items():
        assert len(table) < 1047, name
        assert not {"id", "woman", "person", "ego", "alter"} & set(table.columns), name
    assert sorted(path.stem for path in FOLDER.glob("*.csv")) == sorted(study().TABLES)


def test_without_the_survey_it_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MOBSIM_VALIDATION_DATA", raising=False)
    with pytest.raises(SystemExit) as missing:
        study().folder_of_data()
    assert "set MOBSIM_VALIDATION_DATA=FOLDER" in str(missing.value)
    with pytest.raises(SystemExit, match="does not hold it"):
        study().folder_of_data(tmp_path)


@has_survey
@pytest.mark.parametrize("name", ["classification", "programme", "contacts"])
def test_tables_come_out_again(name: str) -> None:
    again = getattr(study(), f"{name}_of")(survey())
    pd.testing.assert_frame_equal(again, tables()[name], check_dtype=False, check_names=False)


@has_survey
def test_facts_come_out_again_and_are_those_that_were_published() -> None:
    folder = study().folder_of_data()
    again = study().facts_of(survey(), folder).set_index("fact")["value"]
    assert again.to_dict() == tables()["facts"].set_index("fact")["value"].loc[again.index].to_dict()
    cases = folder.parents[1] / "cases"
    published = json.loads((cases / "S13_dataset_facts.json").read_text("utf-8"))["reference"][
        "found in data"
    ]
    assert (again["women"], again["villages"], again["ties"], again["nominations"]) == tuple(
        published[key] for key in ("n", "villages", "edges", "nominations (sum of values)")
    )
    printed = json.loads((cases / "S07_kfamily_published_table.json").read_text("utf-8"))["reference"]
    found = tables()["classification"].set_index(["ids", "adopters"]).loc["published"]
    for category, row in printed["README ftable (percent of 1,047)"].items():
        if category != "columns":
            assert found.loc[category.lower()].tolist() == pytest.approx(row, abs=0.005)


@has_survey
def test_the_first_effects_come_out_again() -> None:
    kept = tables()["effects"].set_index(["model", "of"])
    for name, data, options in study().asked_effects(survey()):
        if name in ("exposure alone", "with background and villages", "published ids"):
            row = study().exposure_effects(data, **options).exposure
            assert kept.loc[(name, "exposure"), "estimate"] == pytest.approx(row["odds_ratio"], abs=2e-4)
            assert kept.loc[(name, "exposure"), "high"] == pytest.approx(row["odds_high"], abs=2e-4)


@has_survey
def test_the_villages_are_those_of_the_calibration_file(tmp_path: Path) -> None:
    villages = study().write_worlds(survey().diffusion, tmp_path)
    asked = YAML(typ="safe").load(FOLDER / "calibration.yaml")
    assert {name: dict(places) for name, places in villages.communities.items()} == asked["communities"]
    assert (villages.ties_between, villages.shortened, villages.horizon_weeks) == (0, {}, 9)
    from mobsim.analysis.calibration.plan import plan_calibration

    plan = plan_calibration(tmp_path / "calibration.yaml")
    assert plan.evidence.held_out.sum() == 8 * 9
    assert len(plan.simulator.worlds) == 25
