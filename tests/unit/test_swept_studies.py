"""The studies that are sweeps: their pages say what their commands wrote, for the designs as they are."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from ruamel.yaml import YAML

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
STUDIES = {
    "robustness": EXPERIMENTS / "robustness",
    "targeting_by_budget": EXPERIMENTS / "targeting_by_budget",
    "network_by_contagion": EXPERIMENTS / "network_by_contagion",
    "adaptive_or_fixed": EXPERIMENTS / "adaptive_policies" / "sweep",
}
HEADINGS = ["Expectation", "Method", "Result", "Reading", "What this does not show"]

pytestmark = pytest.mark.quick

each_study = pytest.mark.parametrize("study", STUDIES)


@cache
def script(study: str) -> ModuleType:
    """Load a study's run.py without running it."""
    spec = importlib.util.spec_from_file_location(f"run_{study}", STUDIES[study] / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def shared() -> ModuleType:
    """What the studies share."""
    script("network_by_contagion")
    return sys.modules["swept_study"]


def page(study: str) -> str:
    return (STUDIES[study] / "README.md").read_text("utf-8")


def decimals(text: str) -> set[str]:
    """Numbers with a digit on both sides of the point; parameters are written .6 and do not count."""
    return set(re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text.replace(",", "")))


@each_study
def test_the_result_is_that_of_the_tables(study: str) -> None:
    run = script(study)
    tables = {name: run.read_table(STUDIES[study] / f"{name}.csv") for name in run.TABLES}
    told = (STUDIES[study] / "result.md").read_text("utf-8")
    assert run.result(tables) == told, f"run {run.__file__} again"


@each_study
def test_every_number_of_the_page_was_printed(study: str) -> None:
    printed = decimals((STUDIES[study] / "result.md").read_text("utf-8"))
    written = printed | {f"{float(number):.1f}" for number in printed}
    assert decimals(page(study)) - written == set()


@each_study
def test_the_page_says_what_was_expected_before_what_was_found(study: str) -> None:
    assert re.findall(r"^## (.+)$", page(study), flags=re.MULTILINE) == HEADINGS


@each_study
def test_the_manifests_are_of_the_designs_as_they_are(study: str) -> None:
    designs = script(study).DESIGNS
    kept = sorted(path.stem for path in (STUDIES[study] / "manifests").iterdir())
    assert kept == sorted(design.stem for design in designs)
    for design in designs:
        manifest = json.loads((STUDIES[study] / "manifests" / f"{design.stem}.json").read_text("utf-8"))
        assert shared().asked(manifest) == shared().asked_now(design), (
            f"{design.name} or its scenario changed"
        )


@each_study
def test_a_few_runs_come_out_the_same_again(study: str) -> None:
    kept = pd.read_csv(STUDIES[study] / "sample.csv")
    for design in script(study).DESIGNS:
        before = kept[kept["design"] == design.stem].reset_index(drop=True)
        again = shared().sample_again(design)[list(before.columns)]
        pd.testing.assert_frame_equal(again, before, rtol=1e-9, obj=design.stem)


def test_both_designs_of_a_scenario_vary_the_same_numbers_over_the_same_ranges() -> None:
    for name in script("robustness").SCENARIOS:
        one, ranges = (
            YAML(typ="safe").load(EXPERIMENTS / "robustness" / "designs" / f"{name}_{kind}.yaml")
            for kind in ("one_at_a_time", "over_ranges")
        )
        for factor in one["factors"].values():
            factor.pop("levels", None)
        same = ("scenario", "set", "replicates", "seed", "factors", "outcome")
        assert {key: one[key] for key in same} == {key: ranges[key] for key in same}


def test_what_a_policy_brings_is_its_price_and_its_use() -> None:
    points = script("adaptive_or_fixed").read_table(STUDIES["adaptive_or_fixed"] / "points.csv")
    for policy in ("assessed", "reasons"):
        parts = points["price_estimate"] + points[f"use_of_{policy}_estimate"]
        assert (points[f"{policy}_estimate"] - parts).abs().max() < 0.02
