"""How far predictions are from what was observed, and what simple forecasts say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from mobsim.analysis.calibration.baselines import BASS, LAST, MEAN, bass, fit_bass, forecasts
from mobsim.analysis.calibration.observed import Evidence, Target
from mobsim.analysis.calibration.score import Scorer, crps_normal, distance, jackknife_error

CURVE = Target("curve", True, "participation", "none", None, 1.0, 0.1, "a curve")
NUMBER = Target("number", False, "participation_fe", "none", None, 1.0, 0.05, "a number")


def evidence_of(rows: list[dict[str, Any]], *targets: Target) -> Evidence:
    plain = {"target": 0, "community": "", "group": "", "week": 0, "value": 0.0, "error": 0.0}
    return Evidence(
        targets or (CURVE,), pd.DataFrame([plain | {"held_out": False} | row for row in rows]), {}
    )


def crps_by_integration(observed: float, distribution: Any) -> float:
    below = quad(lambda x: distribution(x) ** 2, -12, observed)[0]
    return float(below + quad(lambda x: (1 - distribution(x)) ** 2, observed, 12)[0])


@pytest.mark.parametrize(("observed", "mean", "sd"), [(0.3, 0.0, 1.0), (2.0, 0.5, 0.3), (-1.0, 0.0, 2.0)])
def test_the_score_of_a_normal_distribution_is_the_area_between(
    observed: float, mean: float, sd: float
) -> None:
    told = crps_normal(np.array(observed), np.array(mean), np.array(sd))
    area = crps_by_integration(observed, lambda x: norm.cdf(x, mean, sd))
    assert float(told) == pytest.approx(area, abs=1e-6)


def test_without_spread_the_score_is_the_distance() -> None:
    assert crps_normal(np.array([1.0]), np.array([0.25]), np.array([0.0])).tolist() == [0.75]
    assert distance(np.array([-3.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx([3.0, np.sqrt(2 / np.pi)])


@pytest.mark.parametrize("error", [0.0, 0.4])
def test_a_curve_is_scored_against_its_replicates_one_from_each_community(error: float) -> None:
    evidence = evidence_of([{"value": 0.3, "error": error}])
    scorer = Scorer(evidence)
    simulated = np.array([[0.1], [0.5], [0.2], [0.9]])
    near = np.mean([distance(np.array(0.3 - x), error) for x in simulated[:, 0]])
    apart = [
        distance(np.array(x - y), np.sqrt(2) * error)
        for i, x in enumerate(simulated[:, 0])
        for j, y in enumerate(simulated[:, 0])
        if i // 2 != j // 2
    ]
    told = scorer.terms(scorer.ensemble(simulated, (0, 0, 1, 1)))
    assert told == pytest.approx([near - 0.5 * np.mean(apart)])


def test_the_expected_score_does_not_depend_on_how_many_replicates_there_are() -> None:
    random = np.random.default_rng(1)
    scorer = Scorer(evidence_of([{"value": 0.7}] * 4000))
    means = []
    for n in (3, 6, 24):
        terms = scorer.terms(scorer.ensemble(random.normal(0, 1, (n, 4000)), range(n)))
        means.append(terms.mean())
        assert terms.mean() == pytest.approx(crps_normal(np.array(0.7), np.array(0), np.array(1)), abs=0.03)


def test_a_number_is_scored_against_the_mean_with_the_noise_of_the_simulation() -> None:
    evidence = evidence_of([{"value": 0.5, "error": 0.03, "week": -1}], NUMBER)
    scorer = Scorer(evidence)
    simulated = np.array([[0.4], [0.6], [0.3], [0.5]])
    sd = np.hypot(0.03, np.std([0.4, 0.6, 0.3, 0.5], ddof=1) / 2)
    told = scorer.terms(scorer.ensemble(simulated, range(4)))
    assert told == pytest.approx(crps_normal(np.array(0.5), np.array(0.45), sd))


def test_leaving_out_a_community_is_the_same_as_never_having_had_it() -> None:
    random = np.random.default_rng(2)
    evidence = evidence_of([{"value": 0.1}, {"target": 1, "value": 0.2, "error": 0.1}], CURVE, NUMBER)
    scorer = Scorer(evidence)
    simulated = random.normal(0, 1, (10, 2))
    units = np.repeat(range(5), 2)
    without = scorer.jackknife(scorer.ensemble(simulated, units))
    others = scorer.ensemble(simulated[2:], units[2:] - 1)
    assert without[0] == pytest.approx(scorer.terms(others))
    assert jackknife_error(without[:, 0]) > 0


def test_the_jackknife_knows_the_noise_of_the_score() -> None:
    random = np.random.default_rng(3)
    scorer = Scorer(evidence_of([{"value": 0.4}]))
    scores, errors = [], []
    for _ in range(400):
        ensemble = scorer.ensemble(random.normal(0, 1, (16, 1)), range(16))
        scores.append(float(scorer.terms(ensemble)[0]))
        errors.append(jackknife_error(scorer.jackknife(ensemble)[:, 0]))
    assert np.mean(np.square(errors)) == pytest.approx(np.var(scores), rel=0.25)


def test_a_trial_scores_itself_without_the_community_that_was_observed() -> None:
    random = np.random.default_rng(4)
    rows = [{"week": week} for week in range(3)]
    scorer = Scorer(evidence_of(rows))
    simulated, units = random.normal(0, 1, (8, 3)), np.repeat(range(4), 2)
    ensemble = scorer.ensemble(simulated, units)
    told = scorer.as_observed(ensemble, ensemble, np.zeros((8, 3)))
    third = Scorer(evidence_of([row | {"value": simulated[5, k]} for k, row in enumerate(rows)]))
    kept = units != 2
    others = third.ensemble(simulated[kept], np.repeat(range(3), 2))
    assert told[5] == pytest.approx(third.terms(others))


# Simple forecasts


def test_a_bass_curve_is_found_again() -> None:
    weeks = np.arange(0.0, 60.0, 3.0)
    truth = (0.7, 0.01, 0.15, 6.0)
    found = fit_bass(weeks, bass(weeks, *truth))
    assert found is not None
    assert bass(np.arange(100.0), *found) == pytest.approx(bass(np.arange(100.0), *truth), abs=0.002)
    assert fit_bass(weeks[:4], weeks[:4]) is None


def test_weeks_are_forecast_from_the_communitys_own_past() -> None:
    rows = [{"week": week, "value": week / 100, "held_out": week >= 6} for week in range(10)]
    told = forecasts(evidence_of(rows))
    assert told[MEAN].mean[8] == pytest.approx(0.025)
    assert told[LAST].mean[8] == pytest.approx(0.05)
    assert told[LAST].sd[9] > told[LAST].sd[6]
    assert told[LAST].mean[3] == pytest.approx(0.02)
    assert told[BASS].mean[9] == pytest.approx(0.09, abs=0.02)


def test_a_community_that_was_not_seen_is_forecast_from_the_others() -> None:
    rows = [
        {"community": name, "week": week, "value": level + week / 100, "held_out": name == "c"}
        for name, level in (("a", 0.1), ("b", 0.3), ("c", 0.9))
        for week in range(6)
    ]
    told = forecasts(evidence_of(rows))
    assert told[MEAN].mean[12:] == pytest.approx([0.2 + week / 100 for week in range(6)])
    assert told[MEAN].sd[12] == pytest.approx(np.std([0.1, 0.3], ddof=1))
    assert told[LAST].mean[14] == pytest.approx(0.21)
    assert told[BASS].mean[12:] == pytest.approx([0.2 + week / 100 for week in range(6)], abs=0.01)


def test_single_numbers_have_no_simple_forecast_and_short_curves_no_bass_curve() -> None:
    rows = [{"week": 0, "value": 0.1}, {"week": 1, "value": 0.2}, {"target": 1, "week": -1, "value": 3.0}]
    told = forecasts(evidence_of(rows, CURVE, NUMBER))
    assert np.isnan(told[MEAN].mean).tolist() == [False, False, True]
    assert np.isnan(told[BASS].mean).all()
