"""Ratios of paired means: Fieller's limits where they exist, and the bootstrap over communities.

Sources
-------
[1] Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B
    16, 175-185.
[2] Efron, B. & Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman & Hall. (percentile
    interval)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mobsim.analysis.statistics import Floats, Interval, check_confidence, finite_array, t_quantile
from mobsim.errors import UsageError

RatioShape = Literal["bounded", "half line", "two rays", "everything", "undefined"]


@dataclass(frozen=True)
class RatioInterval:
    """A ratio of two means and the set of ratios that the data do not contradict.

    Attributes
    ----------
    estimate : numerator's mean / denominator's mean; NaN when the latter is 0.
    low, high : limits of the set. For "two rays" the set is everything up to `low` and everything from
        `high` on; a limit of a "half line" may be infinite; for "everything" both are; for "undefined" both
        are NaN.
    shape : "bounded" exactly when the denominator's own interval leaves out 0.
    """

    estimate: float
    low: float
    high: float
    shape: RatioShape

    @property
    def words(self) -> str:
        """The set in words, for readers who expect two numbers and cannot always have them."""
        if self.shape == "bounded":
            return f"{self.low:.4g} to {self.high:.4g}"
        if self.shape == "two rays":
            return f"unbounded: <= {self.low:.4g} or >= {self.high:.4g}, because the denominator may be 0"
        if self.shape == "half line":
            limit = f"at least {self.low:.4g}" if math.isfinite(self.low) else f"at most {self.high:.4g}"
            return f"unbounded: {limit}, because the denominator may be 0"
        if self.shape == "everything":
            return "unbounded: any ratio is possible, because the denominator may be 0"
        return "no interval is possible"


def fieller_from_moments(
    numerator: float,
    denominator: float,
    numerator_variance: float,
    denominator_variance: float,
    covariance: float,
    quantile: float,
) -> RatioInterval:
    """Fieller's set for a ratio of two correlated means [1].

    It holds every r with (A - rB)^2 <= t^2 (V_A - 2 r V_AB + r^2 V_B): the r that a t test does not reject.

    Parameters
    ----------
    numerator, denominator : the means A and B.
    numerator_variance, denominator_variance, covariance : V_A, V_B, V_AB of these means (not of single
        values).
    quantile : t, the two-sided quantile of Student's t.

    Examples
    --------
    >>> interval = fieller_from_moments(10, 5, 1, 0.25, 0, 2)
    >>> round(interval.low, 4), round(interval.high, 4), interval.shape
    (1.5, 2.6667, 'bounded')
    """
    estimate = numerator / denominator if denominator != 0 else math.nan
    squared = quantile * quantile
    square = denominator * denominator - squared * denominator_variance
    middle = numerator * denominator - squared * covariance
    constant = numerator * numerator - squared * numerator_variance
    if square == 0:
        return _half_line(estimate, middle, constant)
    discriminant = middle * middle - square * constant
    if discriminant < 0 and square < 0:
        return RatioInterval(estimate, -math.inf, math.inf, "everything")
    root = math.sqrt(max(0.0, discriminant))
    limits = sorted(((middle - root) / square, (middle + root) / square))
    return RatioInterval(estimate, limits[0], limits[1], "bounded" if square > 0 else "two rays")


def _half_line(estimate: float, middle: float, constant: float) -> RatioInterval:
    """Solve -2 middle r + constant <= 0, what is left when the denominator's interval just touches 0."""
    if middle == 0:
        if constant <= 0:
            return RatioInterval(estimate, -math.inf, math.inf, "everything")
        return RatioInterval(estimate, math.nan, math.nan, "undefined")
    limit = constant / (2 * middle)
    if middle > 0:
        return RatioInterval(estimate, limit, math.inf, "half line")
    return RatioInterval(estimate, -math.inf, limit, "half line")


def fieller_interval(numerator: Any, denominator: Any, *, confidence: float = 0.95) -> RatioInterval:
    """Fieller's interval for mean(numerator) / mean(denominator), paired by community, with C - 1 degrees
    [1].

    Parameters
    ----------
    numerator, denominator : (n_communities,) one value per community, averaged over luck; the same row is the
        same community.
    confidence : in (0.5, 1).

    Returns
    -------
    RatioInterval : "undefined" limits when there is one community only.
    """
    check_confidence(confidence)
    top = finite_array(numerator, 1, "numerator per community")
    bottom = finite_array(denominator, 1, "denominator per community")
    if top.shape != bottom.shape:
        raise UsageError(
            f"ratio: found {len(top)} numerators and {len(bottom)} denominators; they must be as many"
        )
    n = len(top)
    # Unit scales keep squares of large sums of money away from rounding and overflow.
    top_scale, bottom_scale = (float(np.abs(values).max()) or 1.0 for values in (top, bottom))
    top, bottom = top / top_scale, bottom / bottom_scale
    if n < 2:
        ratio = float(top[0] / bottom[0]) if bottom[0] != 0 else math.nan
        return RatioInterval(ratio * top_scale / bottom_scale, math.nan, math.nan, "undefined")
    covariances = np.cov(top, bottom) / n
    scaled = fieller_from_moments(
        float(top.mean()),
        float(bottom.mean()),
        float(covariances[0, 0]),
        float(covariances[1, 1]),
        float(covariances[0, 1]),
        t_quantile(1 - (1 - confidence) / 2, n - 1),
    )
    scale = top_scale / bottom_scale
    return RatioInterval(scaled.estimate * scale, scaled.low * scale, scaled.high * scale, scaled.shape)


def bootstrap_interval(
    values: Any,
    statistic: Callable[[Floats], Floats],
    *,
    confidence: float = 0.95,
    seed: int = 1,
    resamples: int = 2000,
) -> Interval:
    """Percentile interval of a statistic of community means, from resampled communities [2].

    The same table and seed give the same limits: random numbers come from a counter-based generator keyed by
    `seed`.

    Parameters
    ----------
    values : (n_measures, n_communities) values per community, averaged over luck.
    statistic : takes means (n_measures, m) and returns (m,) values of the statistic.
    confidence : in (0.5, 1).
    seed : key of the generator, >= 0.
    resamples : number of resampled sets of communities, >= 100.

    Returns
    -------
    Interval : NaN limits with one community, or when the statistic is not finite in some resample.
    """
    check_confidence(confidence)
    if resamples < 100 or seed < 0:
        raise UsageError(
            f"bootstrap: found {resamples} resamples, seed {seed}; allowed are at least 100, and seed >= 0"
        )
    array = finite_array(values, 2, "values per community")
    n = array.shape[1]
    estimate = float(statistic(array.mean(axis=1, keepdims=True))[0])
    if n < 2:
        return Interval(estimate, math.nan, math.nan)
    generator = np.random.Generator(np.random.Philox(key=seed))
    chosen = generator.integers(0, n, size=(resamples, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = statistic(array[:, chosen].mean(axis=2))
    if not np.isfinite(drawn).all():
        return Interval(estimate, math.nan, math.nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def bootstrap_ratio(
    numerator: Any, denominator: Any, *, confidence: float = 0.95, seed: int = 1, resamples: int = 2000
) -> Interval:
    """Percentile bootstrap interval of mean(numerator) / mean(denominator) over communities [2].

    Parameters
    ----------
    numerator, denominator : (n_communities,) one value per community, paired.
    confidence, seed, resamples : as in `bootstrap_interval`.
    """
    top = finite_array(numerator, 1, "numerator per community")
    bottom = finite_array(denominator, 1, "denominator per community")
    if top.shape != bottom.shape:
        raise UsageError(
            f"ratio: found {len(top)} numerators and {len(bottom)} denominators; they must be as many"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        return bootstrap_interval(
            np.stack([top, bottom]),
            lambda means: means[0] / means[1],
            confidence=confidence,
            seed=seed,
            resamples=resamples,
        )
