"""Paired differences: their intervals, where their variance comes from, and how many communities they need.

A replicate is a pair (community, luck), luck nested in community. Arms of one replicate share people, ties
and luck, so their difference is paired; the communities are the independent units. What is averaged over
luck first and over communities second is therefore one number a community, and only the number of
communities counts as sample size. Treating every run as independent gives intervals that are far too short.

Sources
-------
[1] Stein, C. (1945). A two-sample test for a linear hypothesis whose power is independent of the variance.
    Annals of Mathematical Statistics 16, 243-258.
[2] Searle, S. R., Casella, G. & McCulloch, C. E. (1992). Variance Components. Wiley. (balanced one-way
    layout)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from mobsim.errors import ResultsError, UsageError

Floats = NDArray[np.float64]

LEAST_FIRST_STAGE = 32
"""Least number of communities in the first of Stein's two stages."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence limits, in the unit of the outcome; NaN where none is possible."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of a paired difference: between communities, and between lucks within one community.

    Attributes
    ----------
    community, luck : variances, in the squared unit, >= 0; luck is NaN with one luck a community,
        and `community` then holds the sum of both.
    n_communities, n_lucks : the size of the balanced layout they were estimated from.
    """

    community: float
    luck: float
    n_communities: int
    n_lucks: int


@dataclass(frozen=True)
class Tipping:
    """Two clusters of outcomes: their means and the share of runs in the upper one."""

    lower_mean: float
    upper_mean: float
    upper_share: float


def finite_array(values: Any, dimensions: int, what: str) -> Floats:
    """Return `values` as a float64 array, refusing NaN, infinities, emptiness and a wrong number of
    dimensions.

    Parameters
    ----------
    values : anything NumPy can make an array of numbers of.
    dimensions : the number of axes it must have.
    what : how the error names it.

    Raises
    ------
    ResultsError : if it is empty, has other dimensions, or holds NaN or an infinity.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise ResultsError(
            f"{what}: found shape {array.shape}; expected {dimensions} axes, none of them empty"
        )
    if not np.isfinite(array).all():
        n_bad = int(np.count_nonzero(~np.isfinite(array)))
        raise ResultsError(
            f"{what}: found {n_bad} values that are NaN or infinite; only finite numbers are allowed"
        )
    return array


def check_confidence(confidence: float) -> None:
    """Refuse a confidence level outside (0.5, 1)."""
    if not 0.5 < confidence < 1:
        raise UsageError(
            f"confidence: found {confidence!r}; allowed is a number between 0.5 and 1, such as 0.95"
        )


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t distribution.

    Parameters
    ----------
    probability : in (0, 1).
    degrees : degrees of freedom, >= 1.

    Examples
    --------
    >>> round(t_quantile(0.975, 10), 3)
    2.228
    """
    return float(stdtrit(degrees, probability))


def bonferroni_t(confidence: float, comparisons: int, degrees: int) -> float:
    """Two-sided t quantile that holds for `comparisons` intervals at once, by Bonferroni's inequality.

    Parameters
    ----------
    confidence : joint confidence, for example 0.95.
    comparisons : number of intervals, >= 1.
    degrees : degrees of freedom of each, >= 1.

    Examples
    --------
    >>> round(bonferroni_t(0.95, 3, 20), 3)
    2.613
    """
    return t_quantile(1 - (1 - confidence) / (2 * comparisons), degrees)


def paired_differences(arm: Any, rival: Any) -> Floats:
    """Return the difference between two arms in each community, averaged over luck.

    Parameters
    ----------
    arm, rival : (n_communities, n_lucks) outcome of each run; the same cell is the same community and luck.

    Returns
    -------
    (n_communities,) mean over luck of arm - rival, in the unit of the outcome.

    Raises
    ------
    ResultsError : if the shapes differ or a value is not finite.

    Examples
    --------
    >>> paired_differences([[0.3, 0.5], [0.2, 0.2]], [[0.1, 0.1], [0.2, 0.0]]).round(6).tolist()
    [0.3, 0.1]
    """
    first = finite_array(arm, 2, "outcomes of the arm")
    second = finite_array(rival, 2, "outcomes of the rival")
    if first.shape != second.shape:
        raise ResultsError(
            f"paired outcomes: found shapes {first.shape} and {second.shape}; they must be equal"
        )
    differences: Floats = (first - second).mean(axis=1)
    return differences


def deviation(differences: Floats) -> float:
    """Standard deviation over communities (divisor C - 1); NaN for one, 0 if all values are the same."""
    if len(differences) < 2:
        return math.nan
    if (differences == differences[0]).all():
        return 0.0
    return float(differences.std(ddof=1))


def paired_interval(differences: Any, *, confidence: float = 0.95, comparisons: int = 1) -> Interval:
    """Return the t interval of the mean of one value per community, with C - 1 degrees of freedom.

    Parameters
    ----------
    differences : (n_communities,) one value per community, already averaged over luck.
    confidence : joint confidence in (0.5, 1).
    comparisons : number of intervals that shall hold at once (Bonferroni); 1 gives the pointwise interval.

    Returns
    -------
    Interval : NaN limits when there is only one community, because nothing then tells how communities differ.

    Examples
    --------
    >>> interval = paired_interval([1.0, 2.0, 3.0])
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.484, 4.484)
    """
    check_confidence(confidence)
    values = finite_array(differences, 1, "differences per community")
    estimate = float(values.mean())
    if len(values) < 2:
        return Interval(estimate, math.nan, math.nan)
    half_width = (
        bonferroni_t(confidence, comparisons, len(values) - 1) * deviation(values) / math.sqrt(len(values))
    )
    return Interval(estimate, estimate - half_width, estimate + half_width)


def variance_components(differences: Any) -> VarianceComponents:
    """Split the variance of a paired difference by one-way random-effects analysis of variance [2].

    With mean squares MSB between communities and MSW between lucks within them, the estimates are MSW for
    luck and (MSB - MSW) / n_lucks, not below 0, for communities.

    Parameters
    ----------
    differences : (n_communities, n_lucks) paired difference of each replicate, balanced.

    Examples
    --------
    >>> parts = variance_components([[1.0, 3.0], [5.0, 7.0]])
    >>> round(parts.luck, 6), round(parts.community, 6)
    (2.0, 7.0)
    """
    values = finite_array(differences, 2, "differences per community and luck")
    n_communities, n_lucks = values.shape
    means = values.mean(axis=1)
    between = n_lucks * deviation(means) ** 2
    if n_lucks < 2:
        return VarianceComponents(between, math.nan, n_communities, n_lucks)
    within = float(np.square(values - means[:, None]).sum()) / (n_communities * (n_lucks - 1))
    community = (between - within) / n_lucks
    return VarianceComponents(
        community if math.isnan(community) else max(0.0, community), within, n_communities, n_lucks
    )


def cheapest_luck_count(
    components: VarianceComponents, *, community_cost: float = 1.0, at_most: int = 32
) -> int | None:
    """Number of lucks a community that gives the shortest interval for the same computing time.

    C communities with L lucks cost C (community_cost + L) and give a variance of
    (v_community + v_luck / L) / C. The product of the two does not depend on C; it is least at
    L = sqrt(community_cost v_luck / v_community), of whose two whole neighbours the better is taken.

    Parameters
    ----------
    components : from `variance_components`.
    community_cost : time to build one more community, in units of the time of one more luck on it, > 0.
    at_most : the answer is never larger; it is the answer when communities do not differ at all.

    Returns
    -------
    int or None : None when the components could not be separated (one luck or one community).

    Examples
    --------
    >>> cheapest_luck_count(VarianceComponents(1.0, 4.0, 32, 4), community_cost=4.0)
    4
    """
    if not community_cost > 0 or not math.isfinite(community_cost):
        raise UsageError(f"community_cost: found {community_cost!r}; allowed is a finite number above 0")
    if math.isnan(components.luck) or math.isnan(components.community):
        return None
    if components.luck == 0:
        return 1
    if components.community == 0:
        return at_most
    root = math.sqrt(community_cost * components.luck / components.community)
    if root >= at_most:
        return at_most

    def price(n_lucks: int) -> float:
        return (community_cost + n_lucks) * (components.community + components.luck / n_lucks)

    lower = max(1, math.floor(root))
    return lower if price(lower) <= price(lower + 1) else min(at_most, lower + 1)


def stein_communities(
    first_differences: Any, half_width: float, *, confidence: float = 0.95, comparisons: int = 1
) -> int:
    """Total number of communities that Stein's second stage must bring the sample to [1].

    N = max(C0, ceil((t s0 / w)^2)), where s0 and the t quantile (C0 - 1 degrees of freedom) come from the
    first stage alone. There is one second stage; looking again and adding more would spoil the coverage.

    Parameters
    ----------
    first_differences : (C0,) differences per community of the first stage, C0 >= 32.
    half_width : w, the wanted half-width of the interval, in the unit of the outcome, > 0.
    confidence, comparisons : as in `paired_interval`.

    Raises
    ------
    UsageError : if C0 < 32 or the half-width is not above 0.
    """
    values = finite_array(first_differences, 1, "differences of the first stage")
    check_confidence(confidence)
    check_first_stage(len(values))
    return stein_total(
        deviation(values), len(values), half_width, bonferroni_t(confidence, comparisons, len(values) - 1)
    )


def check_first_stage(n_communities: int) -> None:
    """Refuse a first stage of fewer than 32 communities."""
    if n_communities < LEAST_FIRST_STAGE:
        raise UsageError(
            f"two stages: found {n_communities} communities in the first; "
            f"at least {LEAST_FIRST_STAGE} are needed"
        )


def stein_total(first_deviation: float, first_stage: int, half_width: float, quantile: float) -> int:
    """Total communities for one difference, from what the first stage showed [1].

    Parameters
    ----------
    first_deviation : standard deviation of the difference over the communities of the first stage, >= 0.
    first_stage : C0, their number.
    half_width : w, in the unit of the outcome, > 0.
    quantile : t, at C0 - 1 degrees of freedom.
    """
    if not half_width > 0 or not math.isfinite(half_width):
        raise UsageError(f"half-width: found {half_width!r}; allowed is a finite number above 0")
    return max(first_stage, math.ceil((quantile * first_deviation / half_width) ** 2))


def stein_interval(
    differences: Any, first_stage: int, *, confidence: float = 0.95, comparisons: int = 1
) -> Interval:
    """Interval after the second stage: the mean of all communities with the first stage's deviation [1].

    Parameters
    ----------
    differences : (N,) differences per community of both stages, the first stage first.
    first_stage : C0, how many of them belong to the first stage, 32 <= C0 <= N.
    confidence, comparisons : as given to `stein_communities`.
    """
    values = finite_array(differences, 1, "differences of both stages")
    check_confidence(confidence)
    check_first_stage(min(first_stage, len(values)))
    quantile = bonferroni_t(confidence, comparisons, first_stage - 1)
    half_width = quantile * deviation(values[:first_stage]) / math.sqrt(len(values))
    estimate = float(values.mean())
    return Interval(estimate, estimate - half_width, estimate + half_width)


def restricted_weeks(weeks: Any, horizon: int) -> Floats:
    """Return weeks to a goal with the horizon in place of runs that never reached it.

    Every run is watched for the same time, so the mean of these is the restricted mean time to goal: the mean
    number of weeks spent below the goal within the horizon.

    Parameters
    ----------
    weeks : any shape, first week of success in [0, horizon]; NaN if it was not reached.
    horizon : number of simulated weeks.

    Raises
    ------
    ResultsError : if a week lies outside [0, horizon].

    Examples
    --------
    >>> restricted_weeks([10.0, float("nan")], 130).mean()
    np.float64(70.0)
    """
    array = np.asarray(weeks, dtype=np.float64)
    outside = (array < 0) | (array > horizon)
    if outside.any():
        raise ResultsError(
            f"time to goal: found week {array[outside][0]:g}; allowed are 0 to {horizon}, or NaN"
        )
    restricted: Floats = np.where(np.isnan(array), float(horizon), array)
    return restricted


def ahead_and_equal(arm: Any, rival: Any) -> tuple[int, int]:
    """Count the paired futures in which the arm is ahead of its rival, and those in which both are exactly
    equal.

    Parameters
    ----------
    arm, rival : (n_communities, n_lucks) outcome of each run.
    """
    differences = finite_array(arm, 2, "outcomes of the arm") - finite_array(
        rival, 2, "outcomes of the rival"
    )
    return int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences == 0))


def best_shares(values: Any) -> Floats:
    """Return who was best in each community: the share of its lucks won by each arm, ties shared equally.

    Parameters
    ----------
    values : (n_arms, n_communities, n_lucks) outcome of each run; more is better.

    Returns
    -------
    (n_arms, n_communities) shares in [0, 1] that sum to 1 over arms; their mean over communities is P(best).
    """
    array = finite_array(values, 3, "outcomes")
    winners = array == array.max(axis=0)
    shares: Floats = (winners / winners.sum(axis=0)).mean(axis=2)
    return shares


def regrets(values: Any) -> Floats:
    """Return the regret of each arm in each community: how far it stays behind the best arm of the same
    future.

    Parameters
    ----------
    values : (n_arms, n_communities, n_lucks) outcome of each run; more is better.

    Returns
    -------
    (n_arms, n_communities) mean over luck, in the unit of the outcome, >= 0.
    """
    array = finite_array(values, 3, "outcomes")
    behind: Floats = (array.max(axis=0) - array).mean(axis=2)
    return behind


def dominant_community(differences: Any) -> tuple[int, float]:
    """Return which community carries most of the variance of a difference, and what share of it.

    Parameters
    ----------
    differences : (n_communities,) one value per community.

    Returns
    -------
    (row, share) : share of the sum of squared deviations in [0, 1]; 0 when nothing varies.
    """
    values = finite_array(differences, 1, "differences per community")
    if len(values) < 2 or deviation(values) == 0:
        return 0, 0.0
    squares = np.square(values - values.mean())
    row = int(squares.argmax())
    return row, float(squares[row] / squares.sum())


def tipping(values: Any, *, least_distance: float = 0.10, least_share: float = 0.02) -> Tipping | None:
    """Say whether outcomes fall into two separate clusters, as they do when some communities tip.

    The sorted values are cut where the two parts explain most of the variance. They count as two clusters
    when the cut explains at least 80 % of it (a normal sample gives 64 %, a uniform one 75 %), the means are
    at least `least_distance` apart, a quarter of that distance is empty, and each part holds at least
    `least_share` of the runs and three of them. Rarer tipping shows as a community that dominates.

    Parameters
    ----------
    values : any shape, outcome of each run of one arm.
    least_distance : in the unit of the outcome; 0.10 is ten points of a share.
    least_share : in (0, 0.5).
    """
    ordered = np.sort(finite_array(np.ravel(values), 1, "outcomes"))
    n = len(ordered)
    least = max(3, math.ceil(least_share * n))
    total = float(np.square(ordered - ordered.mean()).sum())
    cuts = np.arange(least, n - least + 1)
    if len(cuts) == 0 or total == 0:
        return None
    sums = np.cumsum(ordered)
    lower = sums[cuts - 1] / cuts
    upper = (sums[-1] - sums[cuts - 1]) / (n - cuts)
    explained = cuts * (n - cuts) / n * np.square(upper - lower) / total
    best = int(explained.argmax())
    distance = float(upper[best] - lower[best])
    gap = float(ordered[cuts[best]] - ordered[cuts[best] - 1])
    if explained[best] < 0.8 or distance < least_distance or gap < 0.25 * distance:
        return None
    return Tipping(float(lower[best]), float(upper[best]), float((n - cuts[best]) / n))
