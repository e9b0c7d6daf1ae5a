"""Where a strategy fails: a box of factor values in which most points are failures, found by PRIM.

A point is a case when the intervals over communities *show* that the arm fails there: that it is not the
best, that its effect is below what is asked for, or that it misses a goal too often. Points at which nobody
can tell are no cases, and are counted beside. PRIM (the extra `discovery`, EMA workbench) peels the space
of factors step by step until most of what is left are cases. Density is the share of cases among the points
of the box, coverage the share of all cases that lie in it. A limit that chance explains (quasi-p above
0.05: a binomial test against the box without that limit) is taken back. How often random halves of the
points give a limit to the same factor, and how density and coverage change when communities are drawn again,
stands beside the box.

Sources
-------
[1] Friedman, J. H. & Fisher, N. I. (1999). Bump hunting in high-dimensional data. Statistics and Computing 9,
    123-143.
[2] Bryant, B. P. & Lempert, R. J. (2010). Thinking inside the box: a participatory, computer-assisted
    approach to scenario discovery. Technological Forecasting and Social Change 77, 34-49.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mobsim.analysis.statistics import Floats, check_confidence, t_quantile
from mobsim.analysis.swept import (
    Axis,
    Bools,
    Swept,
    SweptResults,
    check_more_is_better,
    percentiles,
    points_in_words,
    read_outcome,
    resampled_units,
    word_of,
)
from mobsim.analysis.verdict import NO_CAMPAIGN, in_points, in_words, listed
from mobsim.errors import UsageError, nearest, needs_extra

Failure = Literal["not best", "effect", "goal"]

FEWEST_CASES = 5
"""With fewer cases, or fewer points that are none, no box is looked for."""

FEW_CASES = 20
"""With fewer of either a box is shown with a warning."""

CHANCE = 0.05
"""A limit with a larger quasi-p value is taken back."""

HALVES = 10
"""Random halves of the points that are looked at."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """Where an arm fails.

    Attributes
    ----------
    outcome, arm : what was judged.
    question : what counts as a failure, in words.
    cases : one row a point: factors, fails, cannot_tell, in_box.
    box : one row a limited factor: its limits (NaN where it has none) or the words that are left, quasi_p of
        each end, halves (share of random halves that limit it too). Empty if there is no box.
    trajectory : one row a step of the peeling: points, cases, coverage, density, limited factors, chosen.
    density, coverage : of the box, with limits from resampled communities; NaN without a box.
    density_low, density_high, coverage_low, coverage_high : those limits.
    sentences : what it says, in words.
    """

    outcome: str
    arm: str
    question: str
    cases: pd.DataFrame
    box: pd.DataFrame
    trajectory: pd.DataFrame
    density: float
    density_low: float
    density_high: float
    coverage: float
    coverage_low: float
    coverage_high: float
    sentences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Test:
    """What is tested at every point: the arm fails if the upper limit of some column is below 0.

    Attributes
    ----------
    values : (P, columns, units) what is compared, minus what is asked for; NaN where a unit is missing.
    tail : one-sided error of each limit.
    binary : whether each run gives 0 or 1, so that units that are all alike do not mean certainty.
    """

    values: Floats
    tail: float
    binary: bool = False


@dataclass(frozen=True, eq=False)
class _Box:
    """One box: limits of numbers, words that are left, and which points lie in it."""

    limits: dict[str, tuple[float, float]]
    words: dict[str, tuple[str, ...]]
    quasi_p: dict[str, tuple[float, float]]
    inside: Bools
    trajectory: pd.DataFrame
    dropped: tuple[str, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the limited factors."""
        return tuple(self.quasi_p)


BOX_COLUMNS = ["factor", "low", "high", "words", "quasi_p_low", "quasi_p_high", "halves"]
TRAJECTORY_COLUMNS = ["step", "points", "cases", "coverage", "density", "limited", "chosen"]


def discover(
    results: SweptResults,
    arm: str | None = None,
    *,
    fails: Failure = "not best",
    below: float | None = None,
    against: str = NO_CAMPAIGN,
    goal: str | None = None,
    outcome: str | None = None,
    density: float = 0.8,
    confidence: float = 0.95,
    resamples: int = 500,
) -> Discovery:
    """Find where an arm fails: "outreach fails when budget <= 3 and trust <= 0.4".

    Parameters
    ----------
    results : of a sweep, best one whose points fill the space.
    arm : none: the first strategy.
    fails : "not best": the arm is shown not to be the best; "effect": its difference from `against` is shown
        to be below `below`; "goal": the share of runs that meet `goal` is shown to be below `below`.
    below : for "effect" 0 and for "goal" 0.5 unless told.
    against : the arm an effect is measured against.
    goal : name of the goal, as in the columns goal_met__NAME.
    outcome : of which more is better; none: that of the design. Not used for goals.
    density : least density wanted, in (0, 1); of boxes that have it the one with most coverage is taken.
    confidence : of the one-sided statements at each point, in (0.5, 1).
    resamples : sets of communities drawn for the limits of density and coverage.

    Raises
    ------
    UsageError : for names or settings that do not fit, or if the extra is missing.
    """
    check_confidence(confidence)
    if not 0 < density < 1:
        raise UsageError(f"density: found {density!r}; allowed is a share between 0 and 1")
    if fails not in ("not best", "effect", "goal"):
        raise UsageError(f"fails: found {fails!r}; allowed are not best, effect, goal")
    strategies = [name for name in results.arms if name != NO_CAMPAIGN]
    chosen = arm if arm is not None else (strategies or list(results.arms))[0]
    swept, test, question = _question(results, chosen, fails, below, against, goal, outcome, confidence)
    upper, lower = (_least_limit(test, sign) for sign in (1, -1))
    known = np.isfinite(test.values).all(axis=1).sum(axis=1) >= 2
    failing = known & (upper < 0)
    holding = known & (lower > 0)
    axes = tuple(axis for axis in swept.axes if len(np.unique(axis.unit[known])) > 1)
    n_cases, n_others = int(failing[known].sum()), int((known & ~failing).sum())
    box = None
    if min(n_cases, n_others) >= FEWEST_CASES and axes:
        box = _find_box(axes, known, failing, density)
        if not box.factors:
            box = None
    inside = np.zeros(len(known), dtype=np.bool_) if box is None else box.inside
    cases = swept.points.assign(fails=failing, cannot_tell=known & ~failing & ~holding, in_box=inside)
    found = _numbers(box, test, failing, known, confidence, resamples)
    table = _box_table(box, axes, known, failing, density, (found[0], found[3]))
    trajectory = pd.DataFrame(columns=TRAJECTORY_COLUMNS) if box is None else box.trajectory
    shown = Discovery(
        swept.outcome, chosen, question, cases, table, trajectory, *found, ()
    )  # fmt: skip
    sentences = _sentences(swept, shown, box, known, holding, density, confidence)
    return Discovery(swept.outcome, chosen, question, cases, table, trajectory, *found, sentences)


# What counts as a failure


def _question(
    results: SweptResults,
    arm: str,
    fails: Failure,
    below: float | None,
    against: str,
    goal: str | None,
    outcome: str | None,
    confidence: float,
) -> tuple[Swept, _Test, str]:
    """Return the outcome, what is tested at each point, and the question in words."""
    name = in_words(arm)
    if fails == "goal":
        column = _goal_column(results, goal)
        least = 0.5 if below is None else below
        swept = read_outcome(results, column, arms=[arm])
        words = f"{name} is shown to meet the goal {goal} in fewer than {100 * least:g} % of runs"
        return swept, _Test((swept.contrast(arm) - least)[:, None], 1 - confidence, True), words
    if fails == "effect":
        if against == arm:
            raise UsageError(f"against: found {arm!r} against itself; name another arm")
        least = 0.0 if below is None else below
        swept = read_outcome(results, outcome, arms=[arm, against])
        words = f"{name} is shown to add less than {swept.measured(least)} to {in_words(against)}"
        return swept, _Test((swept.contrast(arm, against) - least)[:, None], 1 - confidence), words
    swept = read_outcome(results, outcome)
    check_more_is_better(swept.outcome)
    row = swept.row(arm)
    if len(swept.arms) < 2:
        raise UsageError("not best: found one arm; at least 2 are needed")
    rivals = [i for i in range(len(swept.arms)) if i != row]
    differences = swept.means[:, [row]] - swept.means[:, rivals]
    return swept, _Test(differences, (1 - confidence) / len(rivals)), f"{name} is shown not to be the best"


def _goal_column(results: SweptResults, goal: str | None) -> str:
    columns = results.runs().columns if not hasattr(results, "outcomes") else results.outcomes
    known = [name.removeprefix("goal_met__") for name in columns if name.startswith("goal_met__")]
    if goal not in known:
        allowed = ", ".join(known) if known else "none, because the scenario has no goals"
        raise UsageError(f"goal: found {goal!r}; allowed are {allowed}{nearest(goal or '', known)}")
    return f"goal_met__{goal}"


def _least_limit(test: _Test, sign: int, counts: Floats | None = None) -> Floats:
    """Least upper (sign 1) or lower (sign -1) one-sided limit over the columns, at each point.

    Returns (P,), or (resamples, P) if units are resampled. For "not best" the upper limit is that of Hsu's
    constrained intervals before it is cut at 0.
    """
    values = test.values
    there: Any = np.isfinite(values).all(axis=1)
    filled = np.where(there[:, None], values, 0.0)
    weights = np.ones((1, values.shape[2])) if counts is None else counts
    limits = np.full((len(weights), len(values)), np.nan)
    for p in range(len(values)):
        w = weights * there[p]
        n = w.sum(axis=1)
        usable = n >= 2
        if not usable.any():
            continue
        w, m = w[usable], n[usable][:, None]
        means = w @ filled[p].T / m
        centred = filled[p][None] - means[:, :, None]
        spread = np.sqrt((w[:, None] * np.square(centred)).sum(axis=2) / (m - 1))
        quantile = np.array([t_quantile(1 - test.tail, int(k) - 1) for k in m[:, 0]])[:, None]
        widths = quantile * spread / np.sqrt(m)
        if test.binary:  # n of n units alike: the exact limit of a share of units
            widths = np.where(spread == 0, 1 - test.tail ** (1 / m), widths)
        limits[usable, p] = (means + sign * widths).min(axis=1)
    return limits[0] if counts is None else limits


# PRIM


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings and log lines of the library to itself."""
    logger = logging.getLogger("EMA")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _find_box(
    axes: tuple[Axis, ...],
    usable: Bools,
    failing: Bools,
    density: float,
    like: tuple[float, float] | None = None,
) -> _Box:
    """Peel, choose the box with most coverage among those dense enough, and take back chance limits.

    With `like`, a density and a coverage, the step that comes nearest to these is chosen instead.
    """
    with _quiet():
        try:
            from ema_workbench.analysis.prim import Prim
        except ImportError:
            raise needs_extra("discovery", "scenario discovery") from None
        rows = np.flatnonzero(usable)
        # Words go in as numbers: sets of words have another order in every process.
        columns: dict[str, Any] = {
            axis.name: np.asarray(axis.at(axis.unit[rows]))
            if axis.numeric
            else pd.Categorical(np.rint(axis.unit[rows] * (len(axis.levels) - 1)).astype(int))
            for axis in axes
        }
        prim = Prim(
            pd.DataFrame(columns), failing[rows].astype(np.float64), threshold=0.5,
            peel_alpha=0.05, mass_min=max(0.02, 3 / len(rows)),
        )  # fmt: skip
        found = prim.find_box()
        chosen = _choose(found.peeling_trajectory, density) if like is None else _nearest_step(
            found.peeling_trajectory, *like
        )  # fmt: skip
        found.select(chosen)
        dropped = _take_back(found, density)
        return _read_box(found, axes, rows, len(usable), dropped)


def _take_back(found: Any, density: float) -> tuple[str, ...]:
    """Take limits back that chance explains, the weakest first; a dense box stays dense enough."""
    dropped: list[str] = []
    kept: set[str] = set()
    while True:
        here = found._cur_box
        weak = {
            name: min(value for value in ends if value >= 0)
            for name, ends in found.qp[here].items()
            if name not in kept
        }
        weakest = max(weak, key=lambda name: weak[name], default=None)
        if weakest is None or weak[weakest] <= CHANCE:
            return tuple(dropped)
        was_dense = found.density >= density
        found.drop_restriction(weakest, here)
        if was_dense and found.density < density:
            found.select(here)
            kept.add(weakest)
        else:
            dropped.append(weakest)


def _choose(trajectory: pd.DataFrame, density: float) -> int:
    """Step with most coverage among those dense enough; else the densest. Of equal ones the least limited."""
    dense = trajectory[trajectory["density"] >= density]
    if len(dense):
        order = dense.sort_values(["coverage", "density", "res_dim"], ascending=[False, False, True])
    else:
        order = trajectory.sort_values(["density", "coverage", "res_dim"], ascending=[False, False, True])
    return int(order.index[0])


def _nearest_step(trajectory: pd.DataFrame, density: float, coverage: float) -> int:
    """Step whose density and coverage come nearest to those of a box found elsewhere."""
    apart = (trajectory["density"] - density).abs() + (trajectory["coverage"] - coverage).abs()
    return int(apart.to_numpy(dtype=np.float64).argmin())


def _read_box(found: Any, axes: tuple[Axis, ...], rows: Any, n_points: int, dropped: tuple[str, ...]) -> _Box:
    """Return what the library found in our words."""
    lims, first = found.box_lims[found._cur_box], found.box_lims[0]
    quasi_p = {
        name: (_p_or_nan(ends[0]), _p_or_nan(ends[1])) for name, ends in found.qp[found._cur_box].items()
    }
    limits, words = {}, {}
    for axis in axes:
        if axis.name not in quasi_p:
            continue
        if axis.numeric:
            low, high = (
                float(lims.loc[end, axis.name]) if lims.loc[end, axis.name] != first.loc[end, axis.name]
                else math.nan
                for end in (0, 1)
            )  # fmt: skip
            limits[axis.name] = (low, high)
        else:
            words[axis.name] = tuple(axis.levels[code] for code in sorted(lims.loc[0, axis.name]))
    inside = np.zeros(n_points, dtype=np.bool_)
    inside[rows[found.yi]] = True
    peeled = found.peeling_trajectory
    trajectory = pd.DataFrame(
        {
            "step": np.arange(len(peeled)),
            "points": peeled["n"].to_numpy(dtype=np.int64),
            "cases": peeled["k"].to_numpy(dtype=np.int64),
            "coverage": peeled["coverage"].to_numpy(dtype=np.float64),
            "density": peeled["density"].to_numpy(dtype=np.float64),
            "limited": peeled["res_dim"].to_numpy(dtype=np.int64),
            "chosen": np.arange(len(peeled)) == found._cur_box,
        }
    )
    return _Box(limits, words, quasi_p, inside, trajectory, dropped)


def _least(ends: tuple[float, float]) -> float:
    return min(value for value in ends if not math.isnan(value))


def _p_or_nan(value: float) -> float:
    return math.nan if value < 0 else float(value)


def _box_table(
    box: _Box | None,
    axes: tuple[Axis, ...],
    usable: Bools,
    failing: Bools,
    density: float,
    found: tuple[float, float],
) -> pd.DataFrame:
    """One row a limited factor."""
    if box is None:
        return pd.DataFrame(columns=BOX_COLUMNS)
    again = _limited_in_halves(axes, usable, failing, density, found)
    rows = []
    for name, (low_p, high_p) in box.quasi_p.items():
        low, high = box.limits.get(name, (math.nan, math.nan))
        rows.append(
            {
                "factor": name,
                "low": low,
                "high": high,
                "words": ", ".join(box.words.get(name, ())),
                "quasi_p_low": low_p,
                "quasi_p_high": high_p,
                "halves": again.get(name, 0.0),
            }
        )
    return pd.DataFrame(rows, columns=BOX_COLUMNS)


def _limited_in_halves(
    axes: tuple[Axis, ...], usable: Bools, failing: Bools, density: float, like: tuple[float, float]
) -> dict[str, float]:
    """Share of random halves of the points whose box of like density and coverage limits each factor [2].

    They are the same halves every time.
    """
    generator = np.random.Generator(np.random.Philox(key=1))
    rows = np.flatnonzero(usable)
    counts = dict.fromkeys((axis.name for axis in axes), 0.0)
    for _ in range(HALVES):
        half = np.zeros(len(usable), dtype=np.bool_)
        half[generator.permutation(rows)[: len(rows) // 2]] = True
        there = [axis for axis in axes if len(np.unique(axis.unit[half])) > 1]
        if failing[half].any() and not failing[half].all():
            for name in _find_box(tuple(there), half, failing, density, like).factors:
                counts[name] += 1 / HALVES
    return counts


def _numbers(
    box: _Box | None, test: _Test, failing: Bools, known: Bools, confidence: float, resamples: int
) -> tuple[float, float, float, float, float, float]:
    """Density and coverage of the box, each with its limits from resampled communities."""
    if box is None:
        return (math.nan,) * 6
    n_inside, cases = int(box.inside.sum()), int((failing & box.inside).sum())
    counts = resampled_units(test.values.shape[2], resamples)
    drawn = _least_limit(test, 1, counts) < 0
    drawn &= known
    hit = (drawn & box.inside).sum(axis=1)
    density_low, density_high = percentiles(hit / n_inside, confidence)
    total = np.maximum(drawn.sum(axis=1), 1)
    coverage_low, coverage_high = percentiles(hit / total, confidence)
    return (
        cases / n_inside, float(density_low), float(density_high), cases / int((failing & known).sum()),
        float(coverage_low), float(coverage_high),
    )  # fmt: skip


# In words


def _sentences(
    swept: Swept,
    shown: Discovery,
    box: _Box | None,
    known: Bools,
    holding: Bools,
    density: float,
    confidence: float,
) -> tuple[str, ...]:
    n, n_cases = int(known.sum()), int(shown.cases["fails"].sum())
    unclear = int(shown.cases["cannot_tell"].sum())
    counted = (
        f"{shown.question} at {n_cases:,} of {n:,} points; the contrary is shown at {int(holding.sum()):,}, "
        f"and nobody can tell at {unclear:,}, which are not counted as failures"
    )
    sentences = [counted]
    if box is None:
        sentences.append(_why_no_box(n_cases, n))
    else:
        sentences += _box_in_words(swept, shown, box, n, n_cases, density, confidence)
    lost = [number for number, there in zip(swept.numbers, known, strict=True) if not there]
    if lost:
        sentences.append(f"{points_in_words(lost)} cannot be judged and {'is' if len(lost) == 1 else 'are'} "
                         "left out")  # fmt: skip
    sentences.append(
        f"each point is judged by itself at {100 * confidence:g} %, so that some may be wrong; shares are of "
        f"the points of this design{swept.unit_words.scope}"
    )
    return (*sentences, *swept.notes)


def _why_no_box(n_cases: int, n: int) -> str:
    if n_cases == 0:
        return "there is no failure to describe"
    if n_cases == n:
        return "it fails at every point: no factor of this design makes the difference"
    if min(n_cases, n - n_cases) < FEWEST_CASES:
        return (
            f"too few cases to describe where: {n_cases} of {n} points; at least {FEWEST_CASES} of either "
            "kind are needed; run more points"
        )
    return (
        "PRIM finds no box whose limits chance does not explain; that does not show that there is none: look "
        "at the points"
    )


def _box_in_words(
    swept: Swept, shown: Discovery, box: _Box, n: int, n_cases: int, density: float, confidence: float
) -> list[str]:
    conditions = " and ".join(_condition(swept, box, name) for name in box.factors)
    cases = int((shown.cases["fails"] & shown.cases["in_box"]).sum())
    sentences = [
        f"{shown.question} when {conditions}: at {cases:,} of {int(box.inside.sum()):,} points there "
        f"(density {100 * shown.density:.0f} %), which are {100 * shown.coverage:.0f} % of all failures "
        "(coverage)",
        f"when {swept.unit_words.many} are drawn again, density lies between {in_points(shown.density_low)} "
        f"and {in_points(shown.density_high)} % and coverage between {in_points(shown.coverage_low)} and "
        f"{in_points(shown.coverage_high)} % ({100 * confidence:g} %)",
    ]
    halves = dict(zip(shown.box["factor"].tolist(), shown.box["halves"].tolist(), strict=True))
    again = listed([f"{name} in {100 * share:.0f} %" for name, share in halves.items()])
    sentences.append(f"random halves of the points limit {again} of them")
    shaky = [name for name, share in halves.items() if share < 0.5]
    if shaky:
        sentences.append(f"the limit of {listed(shaky)} is not to be relied on: most halves do without it")
    weak = [name for name, ends in box.quasi_p.items() if _least(ends) > CHANCE]
    if weak:
        sentences.append(f"chance may explain the limit of {listed(weak)} (quasi-p above {CHANCE:g})")
    if box.dropped:
        sentences.append(f"limits of {listed(list(box.dropped))} were taken back: chance explains them")
    outside = n_cases - cases
    if outside > 0.2 * n_cases:
        sentences.append(f"{outside:,} failures lie elsewhere: this box does not describe them")
    if shown.density < density:
        sentences.append(
            f"no box has the density of {100 * density:g} % that was asked for; this one comes nearest"
        )
    if min(n_cases, n - n_cases) < FEW_CASES:
        sentences.append(f"{min(n_cases, n - n_cases)} points of the rarer kind are few: run more points")
    return sentences


def _condition(swept: Swept, box: _Box, name: str) -> str:
    if name in box.words:
        return f"{name} is {' or '.join(box.words[name])}"
    low, high = box.limits[name]
    if math.isnan(high):
        return f"{name} >= {word_of(low)}"
    if math.isnan(low):
        return f"{name} <= {word_of(high)}"
    return f"{word_of(low)} <= {name} <= {word_of(high)}"
