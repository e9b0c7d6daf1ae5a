"""S08: a threshold cascade on the Korean villages, woman by woman as four programs have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.theory import korean_villages as korean
from tests.theory import published

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def s08(validation_cases: Path) -> dict[str, Any]:
    case = published.read_case(validation_cases, "S08")
    assert case["tolerance"] == "exact, all 1,047 nodes"
    return case


@pytest.fixture(scope="module")
def villages(validation_cases: Path) -> korean.Villages:
    return korean.read(validation_cases.parent)


def test_every_woman_adopts_when_three_programs_say(
    s08: dict[str, Any], villages: korean.Villages, tmp_path: Path
) -> None:
    found = korean.steps(villages, tmp_path)
    for program in ("rdiffnet_toa", "ndlib_toa", "cynetdiff_toa"):
        np.testing.assert_array_equal(found, villages.steps_of(program), err_msg=program)
    reference = s08["reference"]
    assert korean.by_step(found) == list(reference["new adopters by step"].values())
    assert np.count_nonzero(found) == reference["final adopters (unweighted)"]
    assert found.max() == reference["last step"]


def test_every_woman_adopts_when_netdiffuser_says_with_valued_ties(
    s08: dict[str, Any], villages: korean.Villages, tmp_path: Path
) -> None:
    found = korean.steps(villages, tmp_path, valued=True)
    np.testing.assert_array_equal(found, villages.steps_of("rdiffnet_toa_valued"))
    reference = s08["reference"]["valued ties (value column as weights)"]
    assert korean.by_step(found) == reference["by step"]
    assert np.count_nonzero(found) == reference["final"]
    assert found.max() == reference["last step"]


def test_ties_the_wrong_way_round_give_another_answer(
    s08: dict[str, Any], villages: korean.Villages, tmp_path: Path
) -> None:
    """So the agreement above says who influences whom: she follows those whom she names."""
    assert "Wrong tie direction gives a different answer" in s08["caveats"]
    turned = korean.steps(villages, tmp_path, turned=True)
    assert korean.by_step(turned) != list(s08["reference"]["new adopters by step"].values())
    assert np.count_nonzero(turned != villages.steps_of("rdiffnet_toa")) > 100
