"""The study of classic findings: its page says what its command wrote, and the numbers still come out."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

STUDY = Path(__file__).resolve().parents[2] / "experiments" / "classic_findings"
HEADINGS = [
    "Expectation", "Method", "1. Granovetter", "2. Watts", "3. Centola and Macy, and noise",
    "4. Kempe, Kleinberg and Tardos", "5. Banerjee, Chandrasekhar, Duflo and Jackson",
    "6. Kim et al.: an open discrepancy", "7. Olson, and Marwell and Oliver", "Reading",
    "What this does not show",
]  # fmt: skip
PUBLISHED = {"66.2", "74.3", "61.0", "12.2", "6.9", "17.9", "7.9", "8.1", "1810.03579"}
"""Of Kim et al., and an arXiv number: the page quotes them, no command of this repository writes them."""
SOME_RULES = ("random", "nominated", "degree", "degree_discount", "influence")
"""Those that need no shortest ways between all."""

pytestmark = pytest.mark.quick


@cache
def study() -> ModuleType:
    """Load the study's run.py without running it."""
    spec = importlib.util.spec_from_file_location("run_classic_findings", STUDY / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def kept(name: str) -> pd.DataFrame:
    table: pd.DataFrame = study().read_table(STUDY / f"{name}.csv")
    return table


def page() -> str:
    return (STUDY / "README.md").read_text("utf-8")


def decimals(text: str) -> set[str]:
    """Numbers with a digit on both sides of the point; parameters are written .6 and do not count."""
    return set(re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text.replace(",", "")))


def test_the_result_is_that_of_the_tables() -> None:
    tables = {name: kept(name) for name in study().TABLES}
    told = (STUDY / "result.md").read_text("utf-8")
    assert study().result(tables) == told, "run experiments/classic_findings/run.py again"


def test_every_number_of_the_page_was_printed_or_published() -> None:
    printed = decimals((STUDY / "result.md").read_text("utf-8"))
    written = printed | {f"{float(number):.1f}" for number in printed}
    assert decimals(page()) - written - PUBLISHED == set()


def test_the_page_says_of_each_finding_the_claim_and_where_it_was_read() -> None:
    assert re.findall(r"^## (.+)$", page(), flags=re.MULTILINE) == HEADINGS
    for part in re.split(r"^## ", page(), flags=re.MULTILINE)[3:10]:
        for needed in ("**Claim**", "**Found**", "**Reading.**", "**What does not transfer.**"):
            assert needed in part, part.splitlines()[0]
        assert re.search(r"verified|recalled", part), part.splitlines()[0]
        assert re.search(r"`(limits|scenarios)/\w+", part), part.splitlines()[0]


@pytest.mark.parametrize("picture", re.findall(r"\]\((\w+\.svg)\)", page()))
def test_the_pictures_are_there(picture: str) -> None:
    assert (STUDY / picture).is_file()


@pytest.mark.parametrize(
    ("name", "part", "where"),
    [
        ("domino", {"changed": (0, 50)}, {"changed": [-1, 0, 50]}),
        ("thresholds", {"crowds": {1_000: 100}, "spreads": (0.12,)}, {"residents": [1_000], "sd": [0.12]}),
        ("window", {"networks": {1_000: 100}, "contacts": (6.0,)}, {"residents": [1_000], "contacts": [6.0]}),
        (
            "rewiring",
            {"contagions": ("two contacts",), "rewired": (0.03,)},
            {"contagion": ["two contacts"], "rewired": [0.03]},
        ),
        (
            "seeds",
            {"worlds": ("linear thresholds",), "rules": SOME_RULES},
            {"world": ["linear thresholds"], "rule": SOME_RULES},
        ),
        (
            "honduras",
            {"places": ("households",), "chances": (0.05,)},
            {"network": ["households"], "chance": [0.05]},
        ),
    ],
)
def test_some_rows_come_out_the_same_again(name: str, part: dict[str, Any], where: dict[str, Any]) -> None:
    before = kept(name)
    for column, values in where.items():
        before = before[before[column].isin(values)]
    again = getattr(study(), name)(**part)
    pd.testing.assert_frame_equal(
        again.reset_index(drop=True), before.reset_index(drop=True), check_dtype=False, rtol=1e-9, obj=name
    )


def test_the_scenarios_are_right() -> None:
    from mobsim import load_scenario

    for file in sorted(study().SCENARIOS.glob("*.yaml")):
        load_scenario(file)
