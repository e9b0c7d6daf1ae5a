"""S13: the published facts of the Korean survey, and the one that is not what the data say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.theory import korean_diffusion as korean
from tests.theory.published import read_case

from mobsim.analysis.diffusion.adopters import saturation_by_community

FOLDER = Path(os.environ.get("MOBSIM_VALIDATION_DATA", ""))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "cases").is_dir(), reason="MOBSIM_VALIDATION_DATA does not name the folder of the data"
)


@pytest.fixture(scope="module")
def case() -> dict[str, Any]:
    return read_case(FOLDER / "cases", "S13")


@pytest.mark.parametrize("ids", ["published", "surveyed"])
def test_facts(case: dict[str, Any], ids: str) -> None:
    """Who names whom does not matter here, so that either column of ids gives the same."""
    assert case["tolerance"] == "exact"
    data = korean.as_surveyed(FOLDER) if ids == "surveyed" else korean.as_published(FOLDER, never=True)
    found, published = case["reference"]["found in data"], case["reference"]["published"]["kfamily"]
    table = saturation_by_community(data).set_index("community")["saturation"].sort_values()
    assert data.n_people == found["n"] == published["n"]
    assert len(table) == found["villages"] == published["villages"]
    assert data.n_ties == found["edges"]
    assert data.value.sum() == found["nominations (sum of values)"]
    assert found["highest"] == f"{table.iloc[-1]:.3f} (village {table.index[-1]})"
    assert found["lowest"] == (
        f"{table.iloc[0]:.3f} (village {table.index[0]}); village {table.index[1]} is {table.iloc[1]:.3f}"
    )
    assert round(float(table.iloc[-1]), 2) == published["highest saturation"]


def test_the_published_lowest_saturation_is_the_second_lowest_of_the_data(case: dict[str, Any]) -> None:
    table = saturation_by_community(korean.as_surveyed(FOLDER))["saturation"].sort_values()
    published = case["reference"]["published"]["kfamily"]["lowest"]
    assert round(float(table.iloc[0]), 2) == 0.42 != published
    assert round(float(table.iloc[1]), 2) == published


def test_half_of_the_women_after_seven_periods(case: dict[str, Any]) -> None:
    """The mean over the 21 villages that came so far, rounded to whole periods; 4 never did by then."""
    table = saturation_by_community(korean.as_surveyed(FOLDER))["periods_to_share"]
    assert table.notna().sum() == 21
    assert round(float(table.mean())) == case["reference"]["published"]["kfamily"]["avg time to 50%"]
