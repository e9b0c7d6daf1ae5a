"""The study of adaptive policies: its page says what its command wrote, for the scenarios as they are."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mobsim.scenario.dump import digest

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "adaptive_policies"

pytestmark = pytest.mark.quick


@cache
def script() -> ModuleType:
    """Load the study's run.py without running it."""
    spec = importlib.util.spec_from_file_location("run_adaptive_policies", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def design() -> dict[str, Any]:
    found: dict[str, Any] = script().YAML(typ="safe").load(FOLDER / "design.yaml")
    return found


def decimals(text: str) -> set[str]:
    """Numbers with a digit on both sides of the point; parameters are written .6 and do not count."""
    return set(re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text.replace(",", "")))


def test_the_study_is_of_the_scenarios_as_they_are() -> None:
    told = (FOLDER / "result.md").read_text("utf-8")
    changed = [
        world
        for world in design()["worlds"]
        if f"Digest of {world}: {digest(script().scenario_of(design(), world))}\n" not in told
    ]
    assert changed == [], "these worlds have changed: run experiments/adaptive_policies/run.py again"


def test_the_tables_are_those_of_the_files() -> None:
    run = script()
    tables = {name: run.read_table(FOLDER / f"{name}.csv") for name in run.TABLES}
    told = (FOLDER / "result.md").read_text("utf-8")
    assert run.result(design(), tables) == told, "run experiments/adaptive_policies/run.py again"


def test_every_number_of_the_page_was_printed() -> None:
    printed = decimals((FOLDER / "result.md").read_text("utf-8"))
    written = printed | {f"{float(number):.1f}" for number in printed}
    assert decimals((FOLDER / "README.md").read_text("utf-8")) - written == set()


def test_the_page_says_what_was_expected_before_what_was_found() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", page, flags=re.MULTILINE)
    assert headings == ["Expectation", "Method", "Result", "Reading", "What this does not show"]


def test_what_a_policy_brings_is_its_price_and_its_use() -> None:
    parts = script().read_table(FOLDER / "parts.csv")
    for _, of in parts.groupby(["world", "policy"]):
        found = dict(zip(of["part"], of["estimate"], strict=True))
        if "price" in found:
            assert found["whole"] == pytest.approx(found["price"] + found["use"], abs=0.02)
        if "twin" in found:
            assert found["twin"] == pytest.approx(found["whole"] + found["better information"], abs=0.02)
