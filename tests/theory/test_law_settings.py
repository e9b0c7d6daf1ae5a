"""Whole distributions and courses against exact laws, all p-values one family; wrong laws are noticed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from tests.theory import law_settings
from tests.theory.law_settings import FAMILY_SIZE, GROUPS
from tests.theory.laws_fit import FAMILY


@pytest.mark.parametrize("name", GROUPS)
def test_runs_follow_their_law(name: str, tmp_path: Path) -> None:
    """Holm's procedure rejects something only if the smallest of all is at most the level divided by all."""
    number, group = GROUPS[name]
    p_values = group(tmp_path)
    assert len(p_values) == number
    assert min(p_values.values()) > FAMILY / FAMILY_SIZE, p_values


# Five percent off is noticed, so the tests above can fail

OFF = Fraction(105, 100)


def test_cascades_with_chances_five_percent_larger_are_noticed(tmp_path: Path) -> None:
    p_values = law_settings.cascade_sets(tmp_path, 1, 5, 9, 400, 100, factor=OFF)
    assert max(p_values.values()) < FAMILY / FAMILY_SIZE
    p_values, _ = law_settings.chain_courses(8, 3, 0.125, 50_000, factor=float(OFF))
    assert max(p_values.values()) < FAMILY / FAMILY_SIZE


def test_thresholds_five_percent_higher_are_noticed(tmp_path: Path) -> None:
    p_values, _ = law_settings.complete_thresholds(tmp_path, 5, 2, Fraction(1), 4_000, factor=float(OFF))
    assert min(p_values.values()) < FAMILY / FAMILY_SIZE


def test_telling_five_percent_more_is_noticed() -> None:
    p_values = law_settings.telling_counts(12, 0, 0.03, 0.03, (5, 10), 20_000, factor=1.05)
    assert max(p_values.values()) < FAMILY / FAMILY_SIZE


def test_five_percent_more_noise_is_noticed() -> None:
    p_values = law_settings.logit_counts(12, 2, (20,), 40_000, factor=1.05, **law_settings.LOW)
    assert max(p_values.values()) < FAMILY / FAMILY_SIZE


def test_a_tenth_more_telling_on_random_networks_is_noticed(tmp_path: Path) -> None:
    overrides = law_settings.heavy_tailed(tmp_path, 20_000)
    p_values, _, _ = law_settings.degrees_law("wrong", overrides, 0.2, 6_000, factor=1.1)
    assert min(p_values.values()) < FAMILY / FAMILY_SIZE
