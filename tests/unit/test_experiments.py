"""The studies in experiments/: what their pages say is what their commands wrote, for the model as it is."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from mobsim.scenario.complete import DEFAULT_ARMS
from mobsim.scenario.dump import digest
from mobsim.scenario.file import load_scenario

TOP = Path(__file__).resolve().parents[2]
CALIBRATION = TOP / "experiments" / "baseline_calibration"
COMPARISON = TOP / "experiments" / "first_comparison"
DECISIONS = TOP / "docs" / "decisions"

pytestmark = pytest.mark.quick


def script(folder: Path) -> ModuleType:
    """Load a study's run.py without running it."""
    spec = importlib.util.spec_from_file_location(f"run_{folder.name}", folder / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def decimals(text: str) -> set[str]:
    """Numbers with a digit on both sides of the point; parameters are written .6 and do not count."""
    return set(re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text.replace(",", "")))


def rounded(numbers: set[str]) -> set[str]:
    """The numbers, and all of them with one decimal."""
    return numbers | {f"{float(number):.1f}" for number in numbers}


def test_the_tables_of_the_calibration_are_those_of_its_files() -> None:
    run = script(CALIBRATION)
    design = run.YAML(typ="safe").load(CALIBRATION / "design.yaml")
    tables = {name: run.read_table(CALIBRATION / f"{name}.csv") for name in run.TABLES}
    told = (CALIBRATION / "result.md").read_text("utf-8")
    assert run.result(design, tables) == told, "run experiments/baseline_calibration/run.py again"
    assert digest(run.scenario_with({})) in told, "the defaults have changed since the study ran"


@pytest.mark.parametrize(
    "page",
    [CALIBRATION / "README.md", DECISIONS / "0008_defaults_with_every_rule.md"],
    ids=lambda page: page.name,
)
def test_every_number_of_the_calibration_was_printed(page: Path) -> None:
    text = page.read_text("utf-8").replace("0.1.0", "")
    written = rounded(decimals((CALIBRATION / "result.md").read_text("utf-8")))
    assert decimals(text) - written == set()


def test_every_required_target_is_met() -> None:
    run = script(CALIBRATION)
    design = run.YAML(typ="safe").load(CALIBRATION / "design.yaml")
    wished = {name for name, band in design["targets"].items() if band.get("wished")}
    targets = pd.read_csv(CALIBRATION / "targets.csv")
    missed = set(targets[~targets["met"]]["measure"])
    assert missed == wished, "a miss, and a wish that came true, must be told in the study's README"


def test_the_calibration_judges_the_arms_that_a_scenario_gets() -> None:
    split = DEFAULT_ARMS["advocacy"][1]
    first = pd.read_csv(CALIBRATION / "advocacy_split.csv")["shares"].iloc[0]
    assert first == " ".join(f"{kind} {share:g}" for kind, share in split.items())


def test_the_page_of_the_first_comparison_says_what_the_command_wrote() -> None:
    run = script(COMPARISON)
    readme = (COMPARISON / "README.md").read_text("utf-8")
    result = pd.read_csv(COMPARISON / "result.csv")
    words = (COMPARISON / "verdict.txt").read_text("utf-8")
    assert run.with_table(readme, run.table_of(result)) == readme
    columns = result[["estimate", "low", "high"]].abs().to_numpy().ravel()
    written = decimals(words) | {f"{value:.1f}" for value in columns}
    assert decimals(readme.split("## Result")[1]) - written == set()


def test_the_first_comparison_is_of_the_scenario_as_it_is() -> None:
    words = (COMPARISON / "verdict.txt").read_text("utf-8")
    now = digest(load_scenario("vaccination_district"))
    assert now in words, "the scenario has changed: run experiments/first_comparison/run.py again"
