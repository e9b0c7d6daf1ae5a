"""The whole description: its tables agree with the statistics, its sentences say what has to be known."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.analysis.diffusion.observed import chain, drawn

import mobsim
from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import exposure, thresholds, withstood
from mobsim.analysis.diffusion.moran import moran_by_period
from mobsim.plots import as_svg
from mobsim.plots_of_diffusion import CAPTIONS, figures_of


def test_tables_hold_the_statistics() -> None:
    data = drawn(3, n=60)
    summary = mobsim.describe_diffusion(data, lag=1, permutations=49)
    assert np.allclose(summary.people["threshold"], thresholds(data, lag=1), equal_nan=True)
    assert np.allclose(summary.people["withstood"], withstood(data, lag=1), equal_nan=True)
    within = moran_by_period(data, permutations=49, within="community")
    assert np.allclose(summary.periods["within_p"], within["permuted_p"], equal_nan=True)
    seen = exposure(data, lag=1)
    at_risk = (data.time == 0) | (data.time >= 3)
    assert summary.periods["exposure"].iloc[2] == pytest.approx(seen[at_risk, 2].mean())
    assert np.isnan(summary.periods["exposure"].iloc[0])
    assert summary.people["names"].sum() == data.n_ties == summary.people["named_by"].sum()
    assert summary.n_adopters == data.adopted.sum()


def test_sentences_say_what_has_to_be_known() -> None:
    data = drawn(3, n=60, lost=True, ties=0.02)
    told = str(mobsim.describe_diffusion(data, lag=1, permutations=19))
    for words in (
        "right-censored", "lost from sight", "left-censored", "nobody; exposure is set to 0",
        "ties run between communities",
        "communities differ", "exposure is that of 1 period before", "Moran's I", "within communities",
        "Bass's curve fits best", "not yet influence",
    ):  # fmt: skip
        assert words in told, words


@pytest.mark.parametrize(
    ("data", "figures"),
    [
        (drawn(3, n=60), set(CAPTIONS)),
        (chain([1, 2, 0], 2), {"curves", "hazard", "thresholds", "categories", "moran"}),
        (chain([0, 0], 2), {"curves", "hazard"}),
        (chain([1], 1), {"curves", "hazard", "thresholds", "categories"}),
        (drawn(2, n=1, ties=0, communities=1), None),
    ],
)
def test_whatever_the_data_hold_is_drawn(data: ObservedDiffusion, figures: set[str] | None) -> None:
    summary = mobsim.describe_diffusion(data, permutations=9)
    drawn_figures = figures_of(summary)
    assert figures is None or set(drawn_figures) == figures
    for name, figure in drawn_figures.items():
        picture = as_svg(figure)
        assert picture.startswith(b"<?xml")
        assert name in CAPTIONS
    assert summary.title.startswith(f"{data.n_people:,} people")
