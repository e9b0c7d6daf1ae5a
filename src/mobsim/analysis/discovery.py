"""Where a strategy fails: boxes of factor values in which most points are failures, found by PRIM.

A point is a case when the intervals over communities *show* that the arm fails there: that it is not the
best, that its effect is below what is asked for, or that it misses a goal too often. Points at which nobody
can tell are no cases, and are counted beside. PRIM (the extra `discovery`, EMA workbench) peels the space
of factors step by step until most of what is left are cases; then it is done again with the points outside
the box, so that failures of several kinds are found. Density is the share of cases among the points
of the box, coverage the share of all cases that lie in it; a point counts for the first box it lies in. A
box below the threshold of density, or of very few cases, is not shown. A limit that chance explains (quasi-p
above 0.05: a binomial test against the box without that limit) is taken back. How often random halves of the
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
from dataclasses import dataclass, replace
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
"""With fewer cases, or fewer points that are none, no box is looked for; one of fewer is not shown."""

FEW_CASES = 20
"""With fewer of either a box is shown with a warning."""

CHANCE = 0.05
"""A limit with a larger quasi-p value is taken back."""

THRESHOLD = 0.5
"""Least density of a box unless told: with less, most points of the box are no failures."""

ANY_CASE = 1e-9
"""The library's threshold: what is more is a case, and no box is thrown away, as ours is applied later."""

HALVES = 10
"""Random halves of the points that are looked at."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """Where an arm fails.

    Attributes
    ----------
    outcome, arm : what was judged.
    question : what counts as a failure, in words.
    cases : one row a point: factors, fails, cannot_tell, box (number of the first box it lies in; 0: none).
    boxes : one row a box: box (its number, from 1), points, cases, density and coverage with limits from
        resampled communities, dense_enough (whether it has the density that was asked for). Empty if no box
        is shown. Points of earlier boxes do not count.
    box : one row a box and factor that it limits: its limits (NaN where it has none) or the words that are
        left, quasi_p of each end, halves (share of random halves that limit it too).
    trajectory : one row a box and step of its peeling: points, cases, coverage (of all cases), density,
        limited factors, chosen.
    sentences : what it says, in words.
    """

    outcome: str
    arm: str
    question: str
    cases: pd.DataFrame
    boxes: pd.DataFrame
    box: pd.DataFrame
    trajectory: pd.DataFrame
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
    """One box: limits of numbers, words that are left, points in it, and those among which it was found."""

    limits: dict[str, tuple[float, float]]
    words: dict[str, tuple[str, ...]]
    quasi_p: dict[str, tuple[float, float]]
    inside: Bools
    among: Bools
    trajectory: pd.DataFrame
    dropped: tuple[str, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the limited factors."""
        return tuple(self.quasi_p)


BOXES_COLUMNS = [
    "box", "points", "cases", "density", "density_low", "density_high", "coverage", "coverage_low",
    "coverage_high", "dense_enough",
]  # fmt: skip
BOX_COLUMNS = ["box", "factor", "low", "high", "words", "quasi_p_low", "quasi_p_high", "halves"]
TRAJECTORY_COLUMNS = ["box", "step", "points", "cases", "coverage", "density", "limited", "chosen"]


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
    threshold: float | None = None,
    boxes: int = 3,
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
    density : least density wanted, in (0, 1); of boxes that have it the one with most coverage is taken, and
        if none has it the densest.
    threshold : a box of less density is not shown, in [0, density]; none: 0.5, or `density` if that is less.
    boxes : how many are looked for at most, each among the points outside those before it, >= 1.
    confidence : of the one-sided statements at each point, in (0.5, 1).
    resamples : sets of communities drawn for the limits of density and coverage.

    Raises
    ------
    UsageError : for names or settings that do not fit, or if the extra is missing.
    """
    check_confidence(confidence)
    if not 0 < density < 1:
        raise UsageError(f"density: found {density!r}; allowed is a share between 0 and 1")
    least = min(THRESHOLD, density) if threshold is None else threshold
    if not 0 <= least <= density:
        raise UsageError(
            f"threshold: found {least!r}; allowed is a share between 0 and the density wanted, {density:g}"
        )
    if boxes < 1:
        raise UsageError(f"boxes: found {boxes!r}; allowed is 1 or more")
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
    shown, refused = _find_boxes(axes, known, failing, density, least, boxes)
    number = np.zeros(len(known), dtype=np.int64)
    for i, box in enumerate(shown, start=1):
        number[box.inside] = i
    table = _boxes_table(shown, test, failing, known, density, confidence, resamples)
    trajectories = [box.trajectory.assign(box=i) for i, box in enumerate(shown, start=1)]
    found = Discovery(
        outcome=swept.outcome,
        arm=chosen,
        question=question,
        cases=swept.points.assign(fails=failing, cannot_tell=known & ~failing & ~holding, box=number),
        boxes=table,
        box=_limits_table(shown, axes, failing, density),
        trajectory=pd.concat(trajectories)[TRAJECTORY_COLUMNS].reset_index(drop=True)
        if shown
        else pd.DataFrame(columns=TRAJECTORY_COLUMNS),
        sentences=(),
    )
    told = _sentences(swept, found, shown, refused, known, holding, density, least, confidence)
    return replace(found, sentences=told)


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


def _find_boxes(
    axes: tuple[Axis, ...], known: Bools, failing: Bools, density: float, threshold: float, most: int
) -> tuple[list[_Box], _Box | None]:
    """Return boxes that pass, each found among the points outside the earlier ones; and one that does not.

    A box passes with the threshold of density and enough cases; the first that does not ends the search.
    """
    found: list[_Box] = []
    rest = known.copy()
    while len(found) < most:
        there = tuple(axis for axis in axes if len(np.unique(axis.unit[rest])) > 1)
        n_cases = int((failing & rest).sum())
        if min(n_cases, int(rest.sum()) - n_cases) < FEWEST_CASES or not there:
            break
        box = _find_box(there, rest, failing, density)
        if not box.factors:
            break
        cases = int((failing & box.inside).sum())
        if cases < FEWEST_CASES or cases < threshold * int(box.inside.sum()):
            return found, box
        found.append(box)
        rest &= ~box.inside
    return found, None


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
            pd.DataFrame(columns), failing[rows].astype(np.float64), threshold=ANY_CASE,
            peel_alpha=0.05, mass_min=max(0.02, 3 / len(rows)),
        )  # fmt: skip
        found = prim.find_box()
        chosen = _choose(found.peeling_trajectory, density) if like is None else _nearest_step(
            found.peeling_trajectory, *like
        )  # fmt: skip
        found.select(chosen)
        dropped = _take_back(found, density)
        return _read_box(found, axes, rows, usable, failing, dropped)


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


def _read_box(
    found: Any, axes: tuple[Axis, ...], rows: Any, usable: Bools, failing: Bools, dropped: tuple[str, ...]
) -> _Box:
    """Return what the library found in our words; coverage is made one of all cases."""
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
    inside = np.zeros(len(usable), dtype=np.bool_)
    inside[rows[found.yi]] = True
    peeled = found.peeling_trajectory
    trajectory = pd.DataFrame(
        {
            "step": np.arange(len(peeled)),
            "points": peeled["n"].to_numpy(dtype=np.int64),
            "cases": peeled["k"].to_numpy(dtype=np.int64),
            "coverage": peeled["k"].to_numpy(dtype=np.float64) / max(1, int(failing.sum())),
            "density": peeled["density"].to_numpy(dtype=np.float64),
            "limited": peeled["res_dim"].to_numpy(dtype=np.int64),
            "chosen": np.arange(len(peeled)) == found._cur_box,
        }
    )
    return _Box(limits, words, quasi_p, inside, usable.copy(), trajectory, dropped)


def _least(ends: tuple[float, float]) -> float:
    return min(value for value in ends if not math.isnan(value))


def _p_or_nan(value: float) -> float:
    return math.nan if value < 0 else float(value)


def _boxes_table(
    boxes: list[_Box],
    test: _Test,
    failing: Bools,
    known: Bools,
    density: float,
    confidence: float,
    resamples: int,
) -> pd.DataFrame:
    """One row a box: density and coverage, each with its limits from resampled communities."""
    if not boxes:
        return pd.DataFrame(columns=BOXES_COLUMNS)
    counts = resampled_units(test.values.shape[2], resamples)
    drawn = _least_limit(test, 1, counts) < 0
    drawn &= known
    total = np.maximum(drawn.sum(axis=1), 1)
    rows = []
    for number, box in enumerate(boxes, start=1):
        n_inside, cases = int(box.inside.sum()), int((failing & box.inside).sum())
        hit = (drawn & box.inside).sum(axis=1)
        density_low, density_high = percentiles(hit / n_inside, confidence)
        coverage_low, coverage_high = percentiles(hit / total, confidence)
        rows.append(
            {
                "box": number,
                "points": n_inside,
                "cases": cases,
                "density": cases / n_inside,
                "density_low": float(density_low),
                "density_high": float(density_high),
                "coverage": cases / int(failing.sum()),
                "coverage_low": float(coverage_low),
                "coverage_high": float(coverage_high),
                "dense_enough": cases / n_inside >= density,
            }
        )
    return pd.DataFrame(rows, columns=BOXES_COLUMNS)


def _limits_table(boxes: list[_Box], axes: tuple[Axis, ...], failing: Bools, density: float) -> pd.DataFrame:
    """One row a box and factor that it limits."""
    rows = []
    for number, box in enumerate(boxes, start=1):
        again = _limited_in_halves(box, axes, failing, density)
        for name, (low_p, high_p) in box.quasi_p.items():
            low, high = box.limits.get(name, (math.nan, math.nan))
            rows.append(
                {
                    "box": number,
                    "factor": name,
                    "low": low,
                    "high": high,
                    "words": ", ".join(box.words.get(name, ())),
                    "quasi_p_low": low_p,
                    "quasi_p_high": high_p,
                    "halves": again[name],
                }
            )
    return pd.DataFrame(rows, columns=BOX_COLUMNS)


def _limited_in_halves(box: _Box, axes: tuple[Axis, ...], failing: Bools, density: float) -> dict[str, float]:
    """Share of random halves of the points whose box of like density and coverage limits each factor [2].

    Halves of the points among which the box was found; they are the same halves every time.
    """
    cases = int((failing & box.inside).sum())
    like = cases / int(box.inside.sum()), cases / int((failing & box.among).sum())
    generator = np.random.Generator(np.random.Philox(key=1))
    rows = np.flatnonzero(box.among)
    counts = dict.fromkeys((axis.name for axis in axes), 0.0)
    for _ in range(HALVES):
        half = np.zeros(len(box.among), dtype=np.bool_)
        half[generator.permutation(rows)[: len(rows) // 2]] = True
        there = [axis for axis in axes if len(np.unique(axis.unit[half])) > 1]
        if failing[half].any() and not failing[half].all():
            for name in _find_box(tuple(there), half, failing, density, like).factors:
                counts[name] += 1 / HALVES
    return counts


# In words


def _sentences(
    swept: Swept,
    shown: Discovery,
    boxes: list[_Box],
    refused: _Box | None,
    known: Bools,
    holding: Bools,
    density: float,
    threshold: float,
    confidence: float,
) -> tuple[str, ...]:
    n, n_cases = int(known.sum()), int(shown.cases["fails"].sum())
    unclear = int(shown.cases["cannot_tell"].sum())
    sentences = [
        f"{shown.question} at {n_cases:,} of {n:,} points; the contrary is shown at {int(holding.sum()):,}, "
        f"and nobody can tell at {unclear:,}, which are not counted as failures"
    ]
    for number, box in enumerate(boxes, start=1):
        told = _box_in_words(swept, shown, box, number, density, confidence)
        sentences += told if len(boxes) == 1 else [f"box {number}: {sentence}" for sentence in told]
    if not boxes and refused is None:
        sentences.append(_why_no_box(n_cases, n))
    if refused is not None:
        sentences.append(_refused_in_words(shown, refused, bool(boxes), threshold))
    outside = n_cases - int(shown.boxes["cases"].sum())
    if boxes and outside > 0.2 * n_cases:
        these = "this box does" if len(boxes) == 1 else "these boxes do"
        sentences.append(f"{outside:,} failures lie elsewhere: {these} not describe them")
    if boxes and min(n_cases, n - n_cases) < FEW_CASES:
        sentences.append(f"{min(n_cases, n - n_cases)} points of the rarer kind are few: run more points")
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


def _refused_in_words(shown: Discovery, box: _Box, others: bool, threshold: float) -> str:
    """Say that no box, or no further one, passes, and what the one looks like that comes nearest."""
    points, cases = int(box.inside.sum()), int((shown.cases["fails"].to_numpy() & box.inside).sum())
    asked = (
        f"fewer than the {FEWEST_CASES} that are asked for" if cases < FEWEST_CASES
        else f"below the threshold of {100 * threshold:g} %: a lower threshold shows it"
    )  # fmt: skip
    return (
        f"no {'further ' if others else ''}box passes: that {_where(box)} has {cases:,} failures at "
        f"{points:,} points (density {100 * cases / points:.0f} %), {asked}"
    )


def _box_in_words(
    swept: Swept, shown: Discovery, box: _Box, number: int, density: float, confidence: float
) -> list[str]:
    row = shown.boxes.set_index("box").loc[[number]].to_dict("records")[0]
    there = "there that lie in no earlier box" if number > 1 else "there"
    sentences = [
        f"{shown.question} {_where(box)}: at {row['cases']:,} of {row['points']:,} points {there} "
        f"(density {100 * row['density']:.0f} %), which are {100 * row['coverage']:.0f} % of all failures "
        "(coverage)",
        f"when {swept.unit_words.many} are drawn again, density lies between {in_points(row['density_low'])} "
        f"and {in_points(row['density_high'])} % and coverage between {in_points(row['coverage_low'])} and "
        f"{in_points(row['coverage_high'])} % ({100 * confidence:g} %)",
    ]
    limits = shown.box[shown.box["box"] == number]
    halves = dict(zip(limits["factor"].tolist(), limits["halves"].tolist(), strict=True))
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
    if not row["dense_enough"]:
        sentences.append(
            f"no box has the density of {100 * density:g} % that was asked for; this one comes nearest"
        )
    return sentences


def _where(box: _Box) -> str:
    return f"when {' and '.join(_condition(box, name) for name in box.factors)}"


def _condition(box: _Box, name: str) -> str:
    if name in box.words:
        return f"{name} is {' or '.join(box.words[name])}"
    low, high = box.limits[name]
    if math.isnan(high):
        return f"{name} >= {word_of(low)}"
    if math.isnan(low):
        return f"{name} <= {word_of(high)}"
    return f"{word_of(low)} <= {name} <= {word_of(high)}"
