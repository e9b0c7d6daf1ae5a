"""How much each factor matters: Sobol indices and Morris's elementary effects, with noise told apart.

Indices are of the replicate means of an outcome, or of a paired difference between two arms; all points
share communities and luck. SALib computes them. Three things are added, because the model is noisy:

* the share of the variance between points that is noise: what would remain if no factor did anything;
* the indices without noise. A product of means over the same communities holds their noise twice; the mean
  of products over *different* communities does not [4]. No assumption on how noise goes together at
  different points is needed, which common luck would spoil;
* percentile intervals from resampled communities (at all points together) and resampled points of the base
  sample. In a resample noise stands twice, once in the sample and once in the resampling; what is taken off
  is adapted so that the resamples scatter around the index without noise.

Sources
-------
[1] Saltelli, A. et al. (2010). Variance based sensitivity analysis of model output. Computer Physics
    Communications 181, 259-270.
[2] Morris, M. D. (1991). Factorial sampling plans for preliminary computational experiments. Technometrics
    33, 161-174.
[3] Campolongo, F., Cariboni, J. & Saltelli, A. (2007). An effective screening design for sensitivity
    analysis of large models. Environmental Modelling & Software 22, 1509-1518.
[4] Products of independent replicates, as in the unbiased estimate of a squared mean: the square minus the
    variance of the mean.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mobsim.analysis.statistics import Floats, check_confidence
from mobsim.analysis.swept import (
    Swept,
    SweptResults,
    contrast_name,
    default_contrasts,
    percentiles,
    read_outcome,
    resampled_units,
    whole_block,
)
from mobsim.analysis.verdict import listed
from mobsim.errors import ResultsError, UsageError, needs_extra

MUCH_NOISE = 0.25
"""A share of noise above this is warned of."""

WIDE = 0.2
"""Half-width of a total index above which the design is called too small."""

FEW_TRAJECTORIES = 10
"""Fewer trajectories give no mean effect that can be read."""

MOST_NUMBERS = 4_000_000
"""Numbers that are held at a time while resampling."""

Contrast = tuple[str, str | None]


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How much each factor matters for an outcome and for differences between arms.

    Attributes
    ----------
    outcome : the outcome.
    method : "sobol" or "morris".
    table : one row an arm, rival (empty for the level) and factor. Sobol: first, total (of replicate means,
        as SALib gives them), first_without_noise and total_without_noise with their limits. Morris: mu,
        mu_star, sigma (of replicate means, in the unit of the outcome over the whole range of the factor),
        mu_star_low and mu_star_high, and mu_star_of_noise: what a factor without effect would show.
    pairs : Sobol of second order: one row an arm, rival and pair of factors; empty otherwise.
    variance : one row an arm and rival: variance between points, share of noise in it, share that
        communities shift at all points alike (which changes no index), numbers of base points or
        trajectories, and of communities.
    sentences : what it says, in words.
    """

    outcome: str
    method: str
    table: pd.DataFrame
    pairs: pd.DataFrame
    variance: pd.DataFrame
    sentences: tuple[str, ...]


def sensitivity(
    results: SweptResults,
    outcome: str | None = None,
    *,
    contrasts: Sequence[Contrast] | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> Sensitivity:
    """Return Sobol indices or elementary effects, whichever the points of the sweep were made for.

    Parameters
    ----------
    results : of a sweep with a saltelli or morris design.
    outcome : a column of the table of runs; none: that of the design.
    contrasts : pairs of an arm and the arm it is compared with, or None for its level; none: every arm's
        level and every strategy against no campaign.
    confidence : of the pointwise intervals, in (0.5, 1).
    resamples : how often communities and base points are drawn again.

    Raises
    ------
    UsageError : if the points are of another design, or the extra is missing.
    ResultsError : if too little was run.
    """
    check_confidence(confidence)
    if contrasts is not None and not contrasts:
        raise UsageError("contrasts: found none; name at least one arm")
    named = None if contrasts is None else [arm for pair in contrasts for arm in pair if arm is not None]
    swept = read_outcome(results, outcome, arms=named)
    asked = default_contrasts(swept) if contrasts is None else list(contrasts)
    units = np.stack([axis.unit for axis in swept.axes], axis=1)
    kind = getattr(getattr(getattr(results, "design", None), "design", None), "kind", None)
    plan = None if kind == "morris" else saltelli_plan(units)
    if plan is not None:
        return _sobol(swept, asked, plan, confidence, resamples)
    steps = None if kind == "saltelli" else morris_steps(units)
    if steps is not None:
        return _morris(swept, asked, steps, _delta(results, units), confidence, resamples)
    raise UsageError(
        "sensitivity: the points of this sweep are neither those of a saltelli nor of a morris design; "
        "indices can be estimated from these only"
    )


# Reading a design from its points


@dataclass(frozen=True, eq=False)
class SaltelliPlan:
    """Which points stand where.

    Attributes
    ----------
    a, b : (N,) points of the two base samples.
    ab : (N, k) as a, with factor j from b.
    ba : (N, k) as b, with factor j from a; no columns without second order.
    """

    a: Any
    b: Any
    ab: Any
    ba: Any

    @property
    def second_order(self) -> bool:
        """Whether pairs of factors can be estimated."""
        return bool(self.ba.shape[1])


def saltelli_plan(units: Floats) -> SaltelliPlan | None:
    """Return the parts of a saltelli design, or None if the points are none.

    Parameters
    ----------
    units : (P, k) the points, each factor on a scale of its own.
    """
    n_points, k = units.shape
    for step in (k + 2, 2 * k + 2):
        if n_points % step:
            continue
        rows = np.arange(n_points).reshape(-1, step)
        plan = SaltelliPlan(rows[:, 0], rows[:, -1], rows[:, 1 : k + 1], rows[:, k + 1 : -1])
        if _is_saltelli(units, plan):
            return plan
    return None


def _is_saltelli(units: Floats, plan: SaltelliPlan) -> bool:
    for j in range(units.shape[1]):
        for mixed, one, other in ((plan.ab, plan.a, plan.b), (plan.ba, plan.b, plan.a)):
            if mixed.shape[1]:
                wanted = units[one].copy()
                wanted[:, j] = units[other, j]
                if (units[mixed[:, j]] != wanted).any():
                    return False
    return True


@dataclass(frozen=True, eq=False)
class MorrisSteps:
    """The steps of trajectories.

    Attributes
    ----------
    before, after : (k, R) points before and after the step in which a factor changes.
    sign : (k, R) 1 where it rises, -1 where it falls, 0 where its value stays.
    """

    before: Any
    after: Any
    sign: Floats


def morris_steps(units: Floats) -> MorrisSteps | None:
    """Return the steps of a morris design, or None if the points are none.

    A step that leaves all values as they are (a list shorter than the levels) belongs to a factor that does
    not change elsewhere in its trajectory; its effect is 0.

    Parameters
    ----------
    units : (P, k) the points, each factor on a scale of its own.
    """
    n_points, k = units.shape
    if n_points % (k + 1):
        return None
    n = n_points // (k + 1)
    moved = np.diff(units.reshape(n, k + 1, k), axis=1)
    if ((moved != 0).sum(axis=2) > 1).any() or ((moved != 0).sum(axis=1) > 1).any():
        return None
    before = np.zeros((k, n), dtype=np.int64)
    sign = np.zeros((k, n))
    for r in range(n):
        changed = np.where((moved[r] != 0).any(axis=1), np.abs(moved[r]).argmax(axis=1), -1)
        left = iter([j for j in range(k) if j not in changed])
        for step in range(k):
            j = int(changed[step]) if changed[step] >= 0 else next(left)
            before[j, r] = r * (k + 1) + step
            sign[j, r] = np.sign(moved[r, step, j])
    if not sign.any():
        return None
    return MorrisSteps(before, before + 1, sign)


def _delta(results: SweptResults, units: Floats) -> float:
    """Return the step of the design on the unit scale; without a design: the step that is seen."""
    levels = getattr(getattr(getattr(results, "design", None), "design", None), "levels", None)
    if isinstance(levels, int):
        return levels / (2 * (levels - 1))
    moved = np.abs(np.diff(units, axis=0))
    return float(np.median(moved[moved > 0]))


# Sobol


def _sobol(
    swept: Swept, contrasts: list[Contrast], plan: SaltelliPlan, confidence: float, resamples: int
) -> Sensitivity:
    """Sobol indices of every contrast."""
    rows: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    sentences: list[str] = []
    for arm, against in contrasts:
        values = swept.contrast(arm, against)
        blocks, units = whole_block(_missing_by_block(values, plan))
        if len(blocks) < 4:
            raise ResultsError(
                f"sensitivity of {contrast_name(arm, against)}: found {len(blocks)} base points without "
                "missing runs; at least 4 are needed"
            )
        kept = SaltelliPlan(plan.a[blocks], plan.b[blocks], plan.ab[blocks], plan.ba[blocks])
        y = values[:, units]
        lost = len(plan.a) - len(blocks)
        key = {"arm": arm, "against": against or ""}
        variance = _variance_row(key, y, np.concatenate([kept.a, kept.b]), len(blocks))
        shares.append(variance)
        found = _sobol_rows(swept, y, kept, confidence, resamples)
        rows += [{**key, **row} for row in found]
        pairs += [{**key, **row} for row in _pair_rows(swept, y, kept)]
        sentences += _sobol_sentences(swept, (arm, against), found, variance, lost)
    level = f"{100 * confidence:g} %"
    sentences.append(
        f"intervals: pointwise {level}, from resampled {swept.unit_words.many} (at all points together) and "
        "resampled base points; indices without noise beside those of the means"
    )
    return Sensitivity(
        swept.outcome, "sobol", pd.DataFrame(rows), pd.DataFrame(pairs, columns=PAIR_COLUMNS),
        pd.DataFrame(shares), (*sentences, *swept.notes),
    )  # fmt: skip


PAIR_COLUMNS = ["arm", "against", "factor", "other", "second"]


def _missing_by_block(values: Floats, plan: SaltelliPlan) -> Any:
    """(N, units) whether a base point lacks a unit at any of its points."""
    members = np.concatenate([plan.a[:, None], plan.ab, plan.ba, plan.b[:, None]], axis=1)
    return np.isnan(values[members]).any(axis=1)


def _variance_row(key: dict[str, Any], y: Floats, rows: Any, n: int) -> dict[str, Any]:
    """Variance between points of replicate means, and what of it is noise."""
    total, noise, common = variance_shares(y[rows])
    return {
        **key,
        "variance": total,
        "noise_share": noise,
        "common_share": common,
        "base_points": n,
        "communities": y.shape[1],
    }


def variance_shares(values: Floats) -> tuple[float, float, float]:
    """Return the variance of point means, the share of noise in it, and what units shift everywhere.

    In the layout points x units the mean square of what neither explains, divided by the number of units, is
    the variance that noise adds to the mean of a point. What a unit adds to all points alike moves no point
    against another; it is the third number, as a ratio to the first, and not part of it.

    Parameters
    ----------
    values : (points, units), finite.

    Examples
    --------
    >>> variance_shares(np.array([[1.0, 2.0], [3.0, 4.0]]))
    (1.0, 0.0, 0.25)
    """
    n_points, n_units = values.shape
    means = values.mean(axis=1)
    total = float(np.square(means - means.mean()).mean())
    if n_units < 2 or n_points < 2:
        return total, math.nan, math.nan
    shift = values.mean(axis=0) - values.mean()
    rest = values - means[:, None] - shift
    noise = float(np.square(rest).sum()) / ((n_points - 1) * (n_units - 1)) / n_units
    noise_in_it = noise * (n_points - 1) / n_points
    common = max(0.0, float(shift.var(ddof=1)) / n_units - noise / n_points)
    if total == 0:
        return total, math.nan, math.nan
    return total, min(1.0, noise_in_it / total), common / total


def _sobol_rows(
    swept: Swept, y: Floats, plan: SaltelliPlan, confidence: float, resamples: int
) -> list[dict[str, Any]]:
    """One row a factor."""
    first, total = _by_salib(swept, y, plan)
    ones = np.ones((1, y.shape[1]))
    weights = np.ones((1, len(plan.a)))
    nothing = np.full(len(swept.axes), np.nan)
    clean_first, clean_total = nothing, nothing
    limits: list[tuple[Floats, Floats]] = [(nothing, nothing), (nothing, nothing)]
    constant = not np.isfinite(first).all()
    if y.shape[1] > 1 and not constant:
        centre = y[np.concatenate([plan.a, plan.b])].mean()
        clean_first, clean_total = (
            found[0] for found in _indices(y - centre, plan, ones, weights, noise_times=1.0)
        )
        drawn = _resampled_indices(y - centre, plan, resamples)
        limits = [_limits(found, confidence) for found in drawn]
    return [
        {
            "factor": axis.name,
            "first": float(first[j]),
            "total": float(total[j]),
            "first_without_noise": float(clean_first[j]),
            "first_low": float(limits[0][0][j]),
            "first_high": float(limits[0][1][j]),
            "total_without_noise": float(clean_total[j]),
            "total_low": float(limits[1][0][j]),
            "total_high": float(limits[1][1][j]),
        }
        for j, axis in enumerate(swept.axes)
    ]


def _limits(drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Percentile limits of indices; NaN where noise leaves no variance in one resample of twenty or more."""
    left = np.isfinite(drawn).all(axis=1)
    if left.mean() < 0.95:
        nothing = np.full(drawn.shape[1], np.nan)
        return nothing, nothing
    return percentiles(drawn[left], confidence)


def _by_salib(swept: Swept, y: Floats, plan: SaltelliPlan) -> tuple[Floats, Floats]:
    """First and total indices of the replicate means by SALib [1]; NaN where nothing varies."""
    found = _salib_of(swept, y, plan)
    if found is None:
        nothing = np.full(len(swept.axes), np.nan)
        return nothing, nothing
    return np.asarray(found["S1"], dtype=np.float64), np.asarray(found["ST"], dtype=np.float64)


def _salib_of(swept: Swept, y: Floats, plan: SaltelliPlan) -> Any:
    """SALib's indices of the replicate means, or None where these are the same at all points."""
    try:
        from SALib.analyze import sobol
    except ImportError:
        raise needs_extra("sensitivity", "sensitivity indices") from None
    order = np.concatenate([plan.a[:, None], plan.ab, plan.ba, plan.b[:, None]], axis=1).ravel()
    means = y.mean(axis=1)[order]
    if np.ptp(means) <= 1e-12 * max(1.0, float(np.abs(means).max())):
        return None
    problem = {
        "num_vars": len(swept.axes),
        "names": [axis.name for axis in swept.axes],
        "bounds": [[0.0, 1.0]] * len(swept.axes),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sobol.analyze(
            problem, means, calc_second_order=plan.second_order, num_resamples=2, seed=1,
            print_to_console=False,
        )  # fmt: skip


def _pair_rows(swept: Swept, y: Floats, plan: SaltelliPlan) -> list[dict[str, Any]]:
    """One row a pair of factors: its second-order index, of replicate means."""
    if not plan.second_order:
        return []
    found = _salib_of(swept, y, plan)
    names = [axis.name for axis in swept.axes]
    return [
        {
            "factor": names[i],
            "other": names[j],
            "second": math.nan if found is None else float(found["S2"][i, j]),
        }
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]


def _indices(
    y: Floats, plan: SaltelliPlan, counts: Floats, weights: Floats, *, noise_times: float
) -> tuple[Floats, Floats]:
    """(resamples, k) first and total indices [1] with `noise_times` the noise of each product taken off [4].

    Parameters
    ----------
    y : (P, units) values with their grand mean taken off.
    counts : (resamples, units) how often each unit counts.
    weights : (resamples, N) how often each base point counts.
    noise_times : 1 for the sample itself; more in resamples.
    """
    n_units = counts.sum(axis=1)[:, None]
    w = counts / n_units
    share = weights / weights.sum(axis=1)[:, None]
    per_mean = noise_times / (n_units - 1)

    def moments(one: Floats, other: Floats) -> tuple[Floats, Floats]:
        """Means over base points of products of means, and of the covariances of these means."""
        left, right = w @ one.T, w @ other.T
        products = w @ (one * other).T
        return (share * left * right).sum(axis=1), (share * (products - left * right)).sum(axis=1)

    a, b = y[plan.a], y[plan.b]
    both, twice = np.concatenate([a, b]), np.concatenate([weights, weights], axis=1)
    twice = twice / twice.sum(axis=1)[:, None]
    # The grand mean of each unit is taken off, in each resample of base points its own.
    square = twice * np.square(w @ both.T)
    mean_by_unit = twice @ both
    grand = (w * mean_by_unit).sum(axis=1)
    spread = (
        (twice * (w @ np.square(both).T)).sum(axis=1)
        - square.sum(axis=1)
        - ((w * np.square(mean_by_unit)).sum(axis=1) - grand**2)
    )
    variance = square.sum(axis=1) - grand**2 - per_mean[:, 0] * spread
    k = plan.ab.shape[1]
    first, total = np.empty((len(counts), k)), np.empty((len(counts), k))
    for j in range(k):
        change = y[plan.ab[:, j]] - a
        product, covariance = moments(b, change)
        mean_change = (share * (w @ change.T)).sum(axis=1)
        first[:, j] = product - grand * mean_change - per_mean[:, 0] * covariance
        square_change, noise = moments(change, change)
        total[:, j] = 0.5 * (square_change - per_mean[:, 0] * noise)
    left = np.where(variance > 0, variance, np.nan)[:, None]  # noise may leave nothing to share out
    return first / left, total / left


def _resampled_indices(y: Floats, plan: SaltelliPlan, resamples: int) -> tuple[Floats, Floats]:
    """Indices without noise in resampled communities and base points.

    Resampling adds once more the noise that the sample holds, and what is measured of it in a resample is
    smaller by (C - 1) / C. Taking off (2 C - 1) / (C - 1) times what is taken off in the sample puts the
    resamples around the sample's index without noise.
    """
    n_units, n = y.shape[1], len(plan.a)
    counts = resampled_units(n_units, resamples)
    weights = resampled_units(n, resamples, seed=2)
    at_a_time = max(1, MOST_NUMBERS // (2 * n))
    parts = [
        _indices(
            y, plan, counts[i : i + at_a_time], weights[i : i + at_a_time],
            noise_times=(2 * n_units - 1) / (n_units - 1),
        )
        for i in range(0, resamples, at_a_time)
    ]  # fmt: skip
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _sobol_sentences(
    swept: Swept, contrast: Contrast, rows: list[dict[str, Any]], variance: dict[str, Any], lost: int
) -> list[str]:
    name = contrast_name(*contrast)
    if not any(math.isfinite(row["total"]) for row in rows):
        return [f"{name}: {swept.outcome} is the same at all points; there is nothing to share out"]
    sentences = [_ranking(name, rows, "total")]
    sentences += _noise_in_words(swept, name, variance)
    if lost:
        sentences.append(f"{name}: {lost:,} base points are left out because some of their runs are missing")
    widest = max(
        (row for row in rows if math.isfinite(row["total_high"])),
        key=lambda row: row["total_high"] - row["total_low"],
        default=None,
    )
    if widest is not None and widest["total_high"] - widest["total_low"] > 2 * WIDE:
        sentences.append(
            f"{name}: {variance['base_points']:,} base points and {variance['communities']} "
            f"{swept.unit_words.many} are too few for these indices: that of {widest['factor']} is only "
            f"known to lie between {widest['total_low']:.2f} and {widest['total_high']:.2f}; "
            f"{_what_to_add(variance)}"
        )
    return sentences


def _ranking(name: str, rows: list[dict[str, Any]], which: str) -> str:
    """Say which factors matter most, and which of them cannot be told from none."""
    known = [row for row in rows if math.isfinite(row[f"{which}_low"])]
    if not known:
        shown = sorted(rows, key=lambda row: -row[which])
        most = ", ".join(f"{row['factor']} {row[which]:.2f}" for row in shown)
        return f"{name}: {which} indices {most}; no interval is possible"
    ordered = sorted(known, key=lambda row: -row[f"{which}_without_noise"])
    parts = [
        f"{row['factor']} {row[f'{which}_without_noise']:.2f} "
        f"({row[f'{which}_low']:.2f} to {row[f'{which}_high']:.2f})"
        for row in ordered
    ]
    none = [row["factor"] for row in ordered if row[f"{which}_low"] <= 0.01]
    words = f"{name}: {which} indices without noise: {', '.join(parts)}"
    return words + (f"; not told from no effect: {listed(none)}" if none else "")


def _noise_in_words(swept: Swept, name: str, variance: dict[str, Any]) -> list[str]:
    share = variance["noise_share"]
    if math.isnan(share):
        return [
            f"{name}: with {swept.unit_words.count(1)} the share of noise is not known, and no interval is "
            "possible"
        ]
    words = f"{name}: noise is {100 * share:.0f} % of the variance between points"
    if share > 0.5:
        words += f": it dominates, and indices of the means are not to be read; add {swept.unit_words.many}"
    elif share > MUCH_NOISE:
        words += f": read the indices without noise, or add {swept.unit_words.many}"
    return [words]


def _what_to_add(variance: dict[str, Any]) -> str:
    if variance["noise_share"] > MUCH_NOISE:
        return "add communities first"
    return "add base points"


# Morris


def _morris(
    swept: Swept,
    contrasts: list[Contrast],
    steps: MorrisSteps,
    delta: float,
    confidence: float,
    resamples: int,
) -> Sensitivity:
    """Elementary effects of every contrast."""
    rows: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    sentences: list[str] = []
    k = len(swept.axes)
    for arm, against in contrasts:
        values = swept.contrast(arm, against)
        missing: Any = np.isnan(values).reshape(-1, k + 1, values.shape[1]).any(axis=1)
        kept, units = whole_block(missing)
        if len(kept) < 2:
            raise ResultsError(
                f"sensitivity of {contrast_name(arm, against)}: found {len(kept)} trajectories without "
                "missing runs; at least 2 are needed"
            )
        part = MorrisSteps(steps.before[:, kept], steps.after[:, kept], steps.sign[:, kept])
        y = values[:, units]
        members = (kept[:, None] * (k + 1) + np.arange(k + 1)).ravel()
        key = {"arm": arm, "against": against or ""}
        variance = _variance_row(key, y, members, len(kept))
        shares.append(variance)
        found = _morris_rows(swept, y, part, delta, confidence, resamples)
        rows += [{**key, **row} for row in found]
        lost = missing.shape[0] - len(kept)
        sentences += _morris_sentences(swept, (arm, against), found, variance, lost)
    level = f"{100 * confidence:g} %"
    sentences.append(
        f"intervals: pointwise {level}, from resampled {swept.unit_words.many} (at all points together) and "
        "resampled trajectories; an effect is the change over the whole range of a factor"
    )
    empty = pd.DataFrame(columns=PAIR_COLUMNS)
    return Sensitivity(
        swept.outcome, "morris", pd.DataFrame(rows), empty, pd.DataFrame(shares), (*sentences, *swept.notes)
    )


def elementary_effects(values: Floats, steps: MorrisSteps, delta: float) -> Floats:
    """Return (k, R, ...) elementary effects: the change of a step over the step's length [2].

    Parameters
    ----------
    values : (P, ...) outcomes at the points.
    steps : which points are the ends of each step.
    delta : length of a step on the unit scale.
    """
    change = values[steps.after] - values[steps.before]
    sign = steps.sign.reshape(steps.sign.shape + (1,) * (values.ndim - 1))
    effects: Floats = change * sign / delta
    return effects


def _morris_rows(
    swept: Swept, y: Floats, steps: MorrisSteps, delta: float, confidence: float, resamples: int
) -> list[dict[str, Any]]:
    """One row a factor."""
    by_unit = elementary_effects(y, steps, delta)
    k, n, n_units = by_unit.shape
    mu, mu_star, sigma = _morris_by_salib(swept, y, steps, delta)
    noise = np.full((k, n), np.nan)
    limits = (np.full(k, np.nan), np.full(k, np.nan))
    if n_units > 1:
        noise = by_unit.std(axis=2, ddof=1) / math.sqrt(n_units)
        counts = resampled_units(n_units, resamples)
        weights = resampled_units(n, resamples, seed=2)
        drawn = np.empty((resamples, k))
        for j in range(k):
            absolute = np.abs(counts @ by_unit[j].T) / n_units
            drawn[:, j] = (weights * absolute).sum(axis=1) / n
        limits = percentiles(drawn, confidence)
    of_noise = math.sqrt(2 / math.pi) * noise.mean(axis=1)
    return [
        {
            "factor": axis.name,
            "mu": float(mu[j]),
            "mu_star": float(mu_star[j]),
            "sigma": float(sigma[j]),
            "mu_star_low": float(limits[0][j]),
            "mu_star_high": float(limits[1][j]),
            "mu_star_of_noise": float(of_noise[j]),
        }
        for j, axis in enumerate(swept.axes)
    ]


def _morris_by_salib(
    swept: Swept, y: Floats, steps: MorrisSteps, delta: float
) -> tuple[Floats, Floats, Floats]:
    """mu, mu* and sigma of the replicate means by SALib [2, 3].

    SALib reads from a matrix of points which factor a step changes; it is given one in which every step
    does change its factor, also where its value stayed and the effect is 0.
    """
    try:
        from SALib.analyze import morris
    except ImportError:
        raise needs_extra("sensitivity", "elementary effects") from None
    k, n = steps.before.shape
    start = steps.before.min(axis=0)
    points = np.zeros((n, k + 1, k))
    means = np.empty((n, k + 1))
    for r in range(n):
        means[r] = y[start[r] : start[r] + k + 1].mean(axis=1)
        for j in range(k):
            step = int(steps.before[j, r] - start[r])
            points[r, step + 1 :, j] = steps.sign[j, r] or 1.0
    problem = {
        "num_vars": k,
        "names": [axis.name for axis in swept.axes],
        "bounds": [[0.0, 1.0]] * k,
        "groups": None,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = morris.analyze(
            problem, points.reshape(-1, k), means.ravel(), num_levels=2, num_resamples=2, seed=1,
            print_to_console=False,
        )  # fmt: skip
    scale = 1.0 / delta  # with two levels SALib takes steps for 1 long
    mu, mu_star, sigma = (
        scale * np.asarray(found[name], dtype=np.float64) for name in ("mu", "mu_star", "sigma")
    )
    return mu, mu_star, sigma


def _morris_sentences(
    swept: Swept, contrast: Contrast, rows: list[dict[str, Any]], variance: dict[str, Any], lost: int
) -> list[str]:
    name = contrast_name(*contrast)
    if variance["variance"] == 0:
        return [f"{name}: {swept.outcome} is the same at all points; no factor has an effect"]
    ordered = sorted(rows, key=lambda row: -row["mu_star"])
    parts = []
    for row in ordered:
        limits = ""
        if math.isfinite(row["mu_star_low"]):
            limits = f" ({swept.amount(row['mu_star_low'])} to {swept.amount(row['mu_star_high'])})"
        parts.append(f"{row['factor']} {swept.amount(row['mu_star'])}{limits}")
    unit = "points" if swept.measured(0.0).endswith("points") else swept.outcome
    sentences = [f"{name}: mean size of elementary effects in {unit}: {', '.join(parts)}"]
    hidden = [row["factor"] for row in ordered if row["mu_star"] < 2 * row["mu_star_of_noise"]]
    if hidden:
        sentences.append(
            f"{name}: noise alone gives effects of half this size or more for {listed(hidden)}; they cannot "
            "be told from factors without effect"
        )
    bent = [row["factor"] for row in ordered if row["sigma"] > row["mu_star"] and row["factor"] not in hidden]
    if bent:
        sentences.append(
            f"{name}: the effect of {listed(bent)} differs much from place to place: it is bent or depends "
            "on other factors"
        )
    sentences += _noise_in_words(swept, name, variance)
    if variance["base_points"] < FEW_TRAJECTORIES:
        sentences.append(
            f"{name}: {variance['base_points']} trajectories are few; take at least {FEW_TRAJECTORIES}"
        )
    if lost:
        sentences.append(f"{name}: {lost:,} trajectories are left out because some of their runs are missing")
    return sentences
