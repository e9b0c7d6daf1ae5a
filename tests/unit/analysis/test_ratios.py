"""Known answers for ratios of paired means."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mobsim.analysis.ratios import (
    bootstrap_interval,
    bootstrap_ratio,
    fieller_from_moments,
    fieller_interval,
)
from mobsim.errors import ResultsError, UsageError

pytestmark = pytest.mark.quick


def test_bounded_by_hand() -> None:
    # (25 - 4/4) r^2 - 100 r + (100 - 4) = 0 has the roots (50 -+ 14) / 24.
    interval = fieller_from_moments(10, 5, 1, 0.25, 0, 2)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx((2, 1.5, 64 / 24))
    assert interval.shape == "bounded"
    assert interval.words == "1.5 to 2.667"


def test_covariance_by_hand() -> None:
    # 24 r^2 - 2 (50 - 4 * .25) r + 96 = 0: roots (49 -+ sqrt(49^2 - 2304)) / 24.
    interval = fieller_from_moments(10, 5, 1, 0.25, 0.25, 2)
    root = math.sqrt(49**2 - 24 * 96)
    assert (interval.low, interval.high) == pytest.approx(((49 - root) / 24, (49 + root) / 24))


def test_two_rays_by_hand() -> None:
    # .75 r^2 + r - .6 >= 0
    interval = fieller_from_moments(1, 0.5, 0.1, 0.25, 0, 2)
    assert interval.shape == "two rays"
    assert (interval.low, interval.high) == pytest.approx((-1.78221, 0.448880), abs=1e-5)
    assert interval.words == "unbounded: <= -1.782 or >= 0.4489, because the denominator may be 0"


def test_everything() -> None:
    interval = fieller_from_moments(1, 0.5, 1, 0.25, 0, 2)
    assert (interval.shape, interval.low, interval.high) == ("everything", -math.inf, math.inf)
    assert "any ratio is possible" in interval.words


def test_half_lines() -> None:
    above = fieller_from_moments(2, 1, 0.25, 0.25, 0, 2)  # -4 r + 3 <= 0
    assert (above.shape, above.low, above.high) == ("half line", 0.75, math.inf)
    below = fieller_from_moments(-2, 1, 0.25, 0.25, 0, 2)
    assert (below.shape, below.low, below.high) == ("half line", -math.inf, -0.75)
    assert below.words == "unbounded: at most -0.75, because the denominator may be 0"


def test_nothing_over_nothing_is_undefined_or_everything() -> None:
    assert fieller_from_moments(1, 0, 0, 0, 0, 2).shape == "undefined"
    assert fieller_from_moments(0, 0, 0, 0, 0, 2).shape == "everything"
    assert math.isnan(fieller_from_moments(1, 0, 0, 0, 0, 2).estimate)


def test_a_constant_denominator_gives_the_t_interval_divided() -> None:
    interval = fieller_interval([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    half_width = 4.302653 / math.sqrt(3) / 2
    assert (interval.low, interval.high) == pytest.approx((1 - half_width, 1 + half_width), rel=1e-6)


def test_inside_the_set_the_t_test_does_not_reject() -> None:
    generator = np.random.Generator(np.random.Philox(key=2))
    bottom = generator.normal(3, 1, 12)
    top = 2 * bottom + generator.normal(0, 2, 12)
    interval = fieller_interval(top, bottom)
    for limit in (interval.low, interval.high):
        left = top - limit * bottom
        assert abs(left.mean()) == pytest.approx(2.200985 * left.std(ddof=1) / math.sqrt(12), rel=1e-6)


def test_units_of_money_do_not_matter() -> None:
    small = fieller_interval([1.0, 2.0, 4.0], [10.0, 15.0, 25.0])
    large = fieller_interval([1e180, 2e180, 4e180], [1e-100, 1.5e-100, 2.5e-100])
    assert (large.low, large.high) == pytest.approx((small.low * 1e281, small.high * 1e281))


def test_one_community_has_no_ratio_interval() -> None:
    interval = fieller_interval([4.0], [2.0])
    assert (interval.estimate, interval.shape) == (2.0, "undefined")
    assert math.isnan(interval.low)


def test_bootstrap_repeats_and_follows_its_seed() -> None:
    generator = np.random.Generator(np.random.Philox(key=7))
    top, bottom = generator.normal(2, 1, 40), generator.normal(3, 1, 40)
    first = bootstrap_ratio(top, bottom, seed=3)
    assert first == bootstrap_ratio(top, bottom, seed=3)
    assert first != bootstrap_ratio(top, bottom, seed=4)
    assert first.low < first.estimate == top.mean() / bottom.mean() < first.high


def test_bootstrap_of_a_mean_is_close_to_the_t_interval() -> None:
    values = np.random.Generator(np.random.Philox(key=8)).normal(0, 1, 200)
    interval = bootstrap_interval(values[None, :], lambda means: means[0], resamples=4000)
    half_width = 1.96 * values.std(ddof=1) / math.sqrt(200)
    # Percentiles of 4,000 resamples have a standard error of about .04 standard deviations of the mean.
    assert interval.high - interval.estimate == pytest.approx(half_width, rel=0.1)


def test_bootstrap_without_a_denominator_shows_no_limits() -> None:
    assert math.isnan(bootstrap_ratio([1.0, 1.0, 1.0], [0.0, 0.0, 1.0]).high)
    assert math.isnan(bootstrap_ratio([1.0], [1.0]).high)


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="found 2 numerators and 1 denominators"):
        fieller_interval([1.0, 2.0], [1.0])
    with pytest.raises(UsageError, match="found 2 numerators and 1 denominators"):
        bootstrap_ratio([1.0, 2.0], [1.0])
    with pytest.raises(UsageError, match="at least 100"):
        bootstrap_ratio([1.0, 2.0], [1.0, 2.0], resamples=10)
    with pytest.raises(ResultsError, match="NaN"):
        fieller_interval([1.0, math.nan], [1.0, 2.0])
