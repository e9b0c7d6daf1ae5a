"""Estimates from surveys: by hand, and against many simulated surveys; survey weeks by hand."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest

from mobsim.campaign.calendar import CalendarSpec, Period
from mobsim.campaign.monitoring import Estimate, estimate, estimates_of, survey_weeks

pytestmark = pytest.mark.quick


def test_estimate_by_hand():
    found = estimate(38, 100, 1000, 0.2)
    # p̂ = .38: (.38 − .2)/.6 = .3; (1 − .1)·.38·.62/100 = .00212040; .2·.8/1000 = .00016
    assert found.value == pytest.approx(0.3, abs=1e-15)
    assert found.standard_error == pytest.approx(sqrt(0.0021204 + 0.00016) / 0.6, rel=1e-14)


def test_the_order_of_operations_is_that_of_the_page():
    yes, n, N, e = 37, 90, 731, 0.15000000000000002
    p = yes / n
    error = sqrt((((1.0 - n / N) * p) * (1.0 - p)) / n + (e * (1.0 - e)) / N) / (1.0 - 2.0 * e)
    assert estimate(yes, n, N, e) == ((p - e) / (1.0 - 2.0 * e), error)


@pytest.mark.parametrize("yes", range(0, 41, 5))
def test_perfect_twin_knows_the_truth(yes):
    assert estimate(yes, 40, 40, 0.0) == Estimate(yes / 40, 0.0)


def test_nobody_asked_gives_no_estimate():
    found = estimate(0, 0, 50, 0.2)
    assert isnan(found.value)
    assert isnan(found.standard_error)


@pytest.mark.parametrize(("yes", "value"), [(0, 0.0), (10, 0.0), (95, 1.0), (100, 1.0)])
def test_estimates_are_clipped_to_shares(yes, value):
    assert estimate(yes, 100, 1000, 0.2).value == value


@pytest.mark.parametrize(("share", "asked", "misreport"), [(0.3, 100, 0.2), (0.5, 50, 0.15), (0.4, 600, 0.2)])
def test_unbiased_and_covered_in_many_surveys(share, asked, misreport):
    N, surveys = 1000, 10_000
    rng = np.random.default_rng(5)
    true_yes = round(share * N)
    # A sample without replacement, then independent false answers: what the kernel does, by its distribution.
    sampled = rng.hypergeometric(true_yes, N - true_yes, asked, surveys)
    yes = rng.binomial(sampled, 1.0 - misreport) + rng.binomial(asked - sampled, misreport)
    unclipped = (yes / asked - misreport) / (1.0 - 2.0 * misreport)
    found = np.array([estimate(int(y), asked, N, misreport) for y in yes])
    error = found[:, 1].mean()
    # Five standard errors of a mean of 10,000 surveys.
    assert abs(unclipped.mean() - share) < 5 * error / sqrt(surveys)
    # The stated error is the spread of the estimates: within 2 % of bias (n for n − 1) and 5 % of chance.
    assert unclipped.std() == pytest.approx(error, rel=0.05)
    covered = np.abs(unclipped - share) < 1.96 * found[:, 1]
    assert 0.93 < covered.mean() < 0.97


def test_estimates_for_all_and_by_group():
    found = estimates_of(26, 0.1, (80, 20), (8, 0), (6, 0), (2, 0), (1, 2, 3, 0))
    assert (found.week, found.respondents, found.misreport, found.causes) == (26, 8, 0.1, (1, 2, 3, 0))
    assert found.aware == estimate(6, 8, 100, 0.1)
    assert found.participating == estimate(2, 8, 100, 0.1)
    assert found.aware_by_group[0] == estimate(6, 8, 80, 0.1)
    assert found.participating_by_group[0] == estimate(2, 8, 80, 0.1)
    assert isnan(found.participating_by_group[1].value)


def test_survey_weeks_of_the_default_calendar():
    assert survey_weeks(CalendarSpec(), 78, 130) == (0, 13, 26, 39, 52, 65)


def calendar(assess, monitor):
    return CalendarSpec(assess=Period(**assess), monitor=Period(**monitor))


@pytest.mark.parametrize(
    ("assess", "monitor", "ends", "horizon", "weeks"),
    [
        ({"first": 2, "until": 9}, {"first": 4, "until": 7}, 78, 130, (2, 4, 5, 6)),
        ({"first": 5}, {"first": 3, "every": 4}, 12, 130, (3, 5, 7, 11)),
        ({"first": 5}, {"first": 3, "every": 4}, 78, 8, (3, 5, 7)),
        ({"first": 3}, {"first": 3, "every": 4}, 7, 9, (3,)),  # both at once are one survey
        ({"first": 20}, {"first": 30}, 12, 12, ()),
    ],
)
def test_survey_weeks_by_hand(assess, monitor, ends, horizon, weeks):
    assert survey_weeks(calendar(assess, monitor), ends, horizon) == weeks
