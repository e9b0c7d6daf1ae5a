"""Response surfaces: known shapes, intervals that hold, and what is said of a wrong shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc
from tests.unit.analysis.sweeps import a_range, sweep_of, without, words

from mobsim.analysis.surface import surface
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick

FACTORS = [a_range("budget", 1, 10), a_range("trust")]


def places(n: int = 32, seed: int = 1) -> dict[str, Any]:
    u = qmc.Sobol(2, seed=seed).random(n)
    return {"budget": 1 + 9 * u[:, 0], "trust": u[:, 1]}


def bowl(t: Any) -> Any:
    return 0.3 - 0.004 * (t.budget - 5) ** 2 + 0.1 * t.trust * t.budget / 10


def step(t: Any) -> Any:
    return 0.1 + 0.4 * (t.trust > 0.5)


ARMS = {"none": lambda t: 0.1, "visits": bowl}


def test_a_polynomial_of_second_degree_is_found_exactly() -> None:
    found = surface(sweep_of(places(), FACTORS, ARMS, between=0.02), fit="polynomial")
    grid = found.grid
    wanted = bowl(grid) - 0  # communities shift all places alike
    assert np.ptp(grid["estimate"] - wanted) == pytest.approx(0, abs=1e-9)
    assert found.fits["terms"].item() == 6
    assert found.leave_one_out == pytest.approx(0, abs=1e-9)
    assert not found.table["misfit"].any()
    assert (grid["high"] - grid["low"]).to_numpy() == pytest.approx(grid["high"][0] - grid["low"][0])


def test_intervals_hold_everywhere_as_often_as_they_say() -> None:
    points = places(16)
    held = []
    for seed in range(100):
        sweep = sweep_of(points, FACTORS, ARMS, communities=6, between=0.03, own=0.02, noise=0.02, seed=seed)
        grid = surface(sweep, fit="polynomial", places=3).grid
        held.append((grid["low"] <= bowl(grid)) & (bowl(grid) <= grid["high"]))
    coverage = np.mean(held, axis=0)
    assert (coverage > 0.87).all()
    assert coverage.mean() == pytest.approx(0.95, abs=0.03)


def test_differences_lose_what_arms_share() -> None:
    sweep = sweep_of(places(), FACTORS, ARMS, between=0.2, noise=0.1)
    level = surface(sweep, fit="polynomial").grid
    difference = surface(sweep, arm="visits", against="none", fit="polynomial")
    assert (level["high"] - level["low"]).min() > 0.01
    assert (difference.grid["high"] - difference.grid["low"]).max() < 1e-9
    assert any("above 0 at" in sentence for sentence in difference.sentences)


def test_a_step_is_missed_and_said_so() -> None:
    sweep = sweep_of(places(64), FACTORS, {"none": step}, own=0.02)
    found = surface(sweep, fit="polynomial")
    assert found.table["misfit"].sum() > 10
    assert found.lack_of_fit > 0.05
    assert found.leave_one_out > 0.05
    assert any("read these points, not the surface" in sentence for sentence in found.sentences)


def test_the_better_surface_is_taken() -> None:
    wavy = sweep_of(places(64), FACTORS, {"none": lambda t: np.sin(6 * t.trust)}, own=0.02)
    fits = surface(wavy).fits.set_index("fit")
    assert fits.loc["spline", "chosen"]
    assert fits.loc["spline", "leave_one_out"] < fits.loc["polynomial", "leave_one_out"]
    plane = sweep_of(places(64), FACTORS, {"none": lambda t: t.trust}, own=0.02)
    assert surface(plane).leave_one_out < 0.03


def test_leave_one_out_is_what_leaving_one_out_gives() -> None:
    points = places(8)
    sweep = sweep_of(points, FACTORS, {"none": bowl}, own=0.05)
    table = surface(sweep, fit="polynomial").table
    errors = []
    for p in range(8):
        rest = surface(without(sweep, point=p), fit="polynomial", places=200)
        near = ((rest.grid["budget"] - points["budget"][p]) / 9) ** 2 + (
            rest.grid["trust"] - points["trust"][p]
        ) ** 2
        errors.append(table["estimate"][p] - rest.grid["estimate"][near.idxmin()])
    assert surface(sweep, fit="polynomial").leave_one_out == pytest.approx(
        np.sqrt(np.square(errors).mean()), rel=0.1
    )


def test_one_factor_words_and_few_points() -> None:
    three = sweep_of({"trust": [0.0, 0.5, 1.0]}, [a_range("trust")], {"none": lambda t: t.trust**2}, own=0.01)
    found = surface(three)
    assert found.fits["terms"].item() == 2  # a third term would leave nothing to judge the surface by
    assert found.factors == ("trust",)
    policies = sweep_of(
        {"policy": ["fixed", "assessed"]},
        [words("policy", "fixed", "assessed")],
        {"none": lambda t: t.policy == "fixed"},
    )
    grid = surface(policies).grid
    assert grid["policy"].tolist() == ["fixed", "assessed"]
    assert grid["estimate"].tolist() == [1, 0]


def test_words_and_numbers_give_a_curve_for_each_word() -> None:
    points = {**places(), "policy": np.where(np.arange(32) % 2, "fixed", "assessed")}
    factors = [*FACTORS, words("policy", "fixed", "assessed")]
    sweep = sweep_of(points, factors, {"none": lambda t: t.trust * (t.policy == "fixed")})
    grid = surface(sweep, factors=("policy", "trust"), places=5).grid
    assert len(grid) == 10
    slopes = grid.groupby("policy")["estimate"].agg(np.ptp)
    assert slopes.tolist() == pytest.approx([0, 1], abs=0.01)
    assert any("budget varies too" in s for s in surface(sweep, factors=("policy", "trust")).sentences)


def test_failures_and_one_community_are_no_crash() -> None:
    sweep = sweep_of(places(), FACTORS, ARMS, own=0.01)
    found = surface(without(without(sweep, point=3), point=5, community=1))
    assert any("leaves out" in sentence for sentence in found.sentences)
    assert np.isnan(found.table["estimate"][3])
    alone = surface(sweep_of(places(), FACTORS, ARMS, communities=1))
    assert alone.grid["low"].isna().all()
    assert any("without an interval" in sentence for sentence in alone.sentences)


def test_places_beyond_the_points_are_marked() -> None:
    points = {"budget": [2.0, 4.0, 6.0, 8.0, 5.0], "trust": [0.5, 0.2, 0.2, 0.5, 0.8]}
    grid = surface(sweep_of(points, FACTORS, ARMS, own=0.01), places=11).grid
    assert 0 < grid["inside"].mean() < 0.6


def test_wrong_settings_are_refused() -> None:
    sweep = sweep_of(places(), FACTORS, ARMS)
    with pytest.raises(UsageError, match="one or two different factors"):
        surface(sweep, factors=("trust", "trust"))
    with pytest.raises(UsageError, match="2 to 200 places"):
        surface(sweep, places=1)


def test_the_same_results_give_the_same_bytes() -> None:
    sweep = sweep_of(places(), FACTORS, ARMS, own=0.02)
    first, second = surface(sweep), surface(sweep)
    assert first.grid.equals(second.grid)
    assert first.sentences == second.sentences
