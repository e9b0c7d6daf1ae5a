"""Which arm wins where: at every point the constrained intervals of `best`, and what they leave open.

At one point three things can be found, as in a verdict: one arm is shown best, perhaps by less than what
matters; of the arms that can still be best none differs from the leading one by what matters; or nobody can
tell yet. The interval at a point holds
for all arms at once. Over points it is pointwise by default: of a hundred points about five may say
something wrong at 95 %. With `over_points` it holds at all points at once (Bonferroni), and shows less.

Two chances stand beside it and never instead of it: in how many paired futures an arm is best, ties shared;
and in how many resampled sets of communities its mean is highest. The second is about the sample, the first
about the world of the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mobsim.analysis.best import WithBest, constrained_intervals, pairwise_differences
from mobsim.analysis.statistics import Floats, best_shares, check_confidence, t_quantile
from mobsim.analysis.swept import (
    Swept,
    SweptResults,
    check_more_is_better,
    percentiles,
    read_outcome,
    resampled_means,
    resampled_units,
    word_of,
)
from mobsim.analysis.verdict import MOST_FURTHER_COMMUNITIES, NO_CAMPAIGN, in_words, listed
from mobsim.errors import UsageError

PointKind = Literal["best", "no difference that matters", "cannot tell yet", "no interval"]


@dataclass(frozen=True, eq=False)
class PointVerdict:
    """What the constrained intervals say at one point.

    Attributes
    ----------
    kind : what can be said.
    leading : row of the arm with the highest mean; no finding.
    best : row of the arm shown best, or None.
    possible : rows of the arms that can be best.
    alike : rows of the other arms that are shown to differ from the leading one by less than what matters.
    constrained : the intervals; None where fewer than two units are there.
    n_units : how many stand behind them.
    rival : row of the closest rival of the leading arm; None with one arm.
    margin, margin_low, margin_high : leading arm minus that rival, with the two-sided limits that hold for
        all pairs at once.
    further : units still needed to measure that difference to within what matters; None where not asked.
    """

    kind: PointKind
    leading: int
    best: int | None
    possible: tuple[int, ...]
    alike: tuple[int, ...]
    constrained: WithBest | None
    n_units: int
    rival: int | None
    margin: float
    margin_low: float
    margin_high: float
    further: int | None

    @property
    def best_by_little(self) -> bool:
        """Whether an arm is shown best, but some other is shown to differ by less than what matters."""
        return self.best is not None and bool(self.alike)


@dataclass(frozen=True, eq=False)
class BestMap:
    """Which arm is shown best at which point.

    Attributes
    ----------
    outcome : of which more is better.
    factors : one or two factors over which the map is drawn.
    arms : names; `none` first.
    table : one row a point: its factors, kind, best (empty if none is shown), leading, possible, alike (arms
        shown to differ from the leading one by less than what matters), communities, the closest rival with
        the margin to it and its limits, further.
    by_arm : one row a point and arm: estimate, low and high of its difference from the best of the others,
        can_be_best, chance_best with limits (share of paired futures), highest_mean (share of resamples).
    shares : one row an arm: at which share of the points it is shown best and can be best, at how many it is
        shown best by less than what matters, and the mean of chance_best over the points.
    over_points : whether the intervals hold at all points at once.
    sentences : what it says, in words.
    """

    outcome: str
    factors: tuple[str, ...]
    arms: tuple[str, ...]
    table: pd.DataFrame
    by_arm: pd.DataFrame
    shares: pd.DataFrame
    over_points: bool
    sentences: tuple[str, ...]


def best_map(
    results: SweptResults,
    outcome: str | None = None,
    *,
    factors: tuple[str, ...] | None = None,
    confidence: float = 0.95,
    over_points: bool = False,
    resamples: int = 2000,
) -> BestMap:
    """Say at every point of a sweep which arm is best, and where nobody can tell.

    Parameters
    ----------
    results : of a sweep with at least two arms.
    outcome : a share of which more is better; none: that of the design.
    factors : the one or two that a map shows; none: the first two.
    confidence : joint over arms, in (0.5, 1).
    over_points : let the intervals hold at all points at once.
    resamples : sets of communities drawn for the chances.

    Raises
    ------
    UsageError : for an outcome or factor that does not fit, or a sweep of one arm.
    """
    check_confidence(confidence)
    swept = read_outcome(results, outcome)
    check_more_is_better(swept.outcome)
    if len(swept.arms) < 2:
        raise UsageError("map of the best: found one arm; at least 2 are needed")
    names = factors_of_map(swept, factors)
    at_points = 1 - (1 - confidence) / len(swept.points) if over_points else confidence
    verdicts = [judge_point(swept, p, confidence=at_points) for p in range(len(swept.points))]
    by_arm = _by_arm(swept, verdicts, confidence, resamples)
    table = _table(swept, verdicts)
    shares = _shares(swept, verdicts, by_arm)
    sentences = _sentences(swept, verdicts, shares, confidence, over_points)
    return BestMap(swept.outcome, names, swept.arms, table, by_arm, shares, over_points, sentences)


def factors_of_map(swept: Swept, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the one or two factors of a map, or raise UsageError.

    Parameters
    ----------
    swept : with the factors.
    wanted : names, or None for the first two that vary.
    """
    if wanted is None:
        varying = [axis.name for axis in swept.axes if len(axis.distinct) > 1]
        return tuple((varying or [axis.name for axis in swept.axes])[:2])
    if len(wanted) not in (1, 2) or len(set(wanted)) != len(wanted):
        raise UsageError(f"factors: found {list(wanted)}; allowed are one or two different factors")
    return tuple(swept.axis(name).name for name in wanted)


def judge_point(swept: Swept, point: int, *, confidence: float = 0.95) -> PointVerdict:
    """Judge the arms at one point by the constrained intervals.

    Parameters
    ----------
    swept : the outcome.
    point : row of the point.
    confidence : joint over arms.
    """
    means = swept.means[point]
    means = means[:, np.isfinite(means).all(axis=0)]
    return judge_means(means, swept.arms, swept.matters, confidence=confidence)


def judge_means(
    means: Floats, arms: tuple[str, ...], matters: float, *, confidence: float = 0.95
) -> PointVerdict:
    """Judge arms whose outcome is one number a unit, as the verdict of `compare` does.

    Parameters
    ----------
    means : (arms, units), finite.
    arms : names.
    matters : smallest difference that matters.
    confidence : joint over arms.
    """
    nothing = math.nan
    if not means.shape[1]:
        return PointVerdict("no interval", 0, None, (), (), None, 0, None, nothing, nothing, nothing, None)
    levels = means.mean(axis=1)
    leading = min(range(len(arms)), key=lambda i: (-levels[i], arms[i] != NO_CAMPAIGN, arms[i]))
    everyone = tuple(range(len(arms)))
    if means.shape[1] < 2 or len(arms) < 2:
        others = [j for j in everyone if j != leading]
        rival = max(others, key=lambda j: levels[j]) if others else None
        margin = nothing if rival is None else float(levels[leading] - levels[rival])
        return PointVerdict(
            "no interval", leading, None, everyone, (), None, means.shape[1], rival, margin, nothing,
            nothing, None,
        )  # fmt: skip
    pairs = pairwise_differences(means[:, :, None])
    found = constrained_intervals(pairs, confidence=confidence)
    possible = tuple(int(i) for i in np.flatnonzero(found.possible))
    reach = pairs.estimate[leading] - found.half_width[leading]
    candidates = [j for j in possible if j != leading] or [j for j in everyone if j != leading]
    rival = min(candidates, key=lambda j: (float(reach[j]), arms[j]))
    margin = float(pairs.estimate[leading, rival])
    width = float(pairs.half_widths(pairs.all_pairs_quantile(confidence))[leading, rival])
    best = possible[0] if len(possible) == 1 else None
    narrow = pairs.half_widths(t_quantile(confidence, pairs.degrees))[leading]
    alike = tuple(
        j for j in everyone
        if j != leading and abs(float(pairs.estimate[leading, j])) + float(narrow[j]) < matters
    )  # fmt: skip
    further = None
    if best is not None:
        kind: PointKind = "best"
    else:
        near = set(possible) <= {leading, *alike}
        kind = "no difference that matters" if near else "cannot tell yet"
    if kind == "cannot tell yet":
        total = math.ceil((found.quantile * float(pairs.deviation[leading, rival]) / matters) ** 2)
        further = max(0, total - pairs.n_communities)
    low = margin - width
    return PointVerdict(
        kind, leading, best, possible, alike, found, means.shape[1], rival, margin,
        max(0.0, low) if best == leading else low, margin + width, further,
    )  # fmt: skip


def _table(swept: Swept, verdicts: list[PointVerdict]) -> pd.DataFrame:
    """One row a point."""
    names = swept.arms
    rows = [
        {
            "kind": found.kind,
            "best": "" if found.best is None else names[found.best],
            "leading": names[found.leading] if found.n_units else "",
            "possible": ", ".join(names[i] for i in found.possible),
            "alike": ", ".join(names[i] for i in found.alike),
            "communities": found.n_units,
            "rival": "" if found.rival is None else names[found.rival],
            "margin": found.margin,
            "margin_low": found.margin_low,
            "margin_high": found.margin_high,
            "further": found.further,
        }
        for found in verdicts
    ]
    return pd.concat([swept.points, pd.DataFrame(rows)], axis=1).astype({"further": "Int64"})


def _by_arm(swept: Swept, verdicts: list[PointVerdict], confidence: float, resamples: int) -> pd.DataFrame:
    """One row a point and arm."""
    counts = resampled_units(len(swept.units), resamples)
    nothing = np.full(len(swept.arms), np.nan)
    rows: list[dict[str, Any]] = []
    for point, found in enumerate(verdicts):
        best = best_by_unit(swept.values[point])
        chance, low, high, highest = nothing, nothing, nothing, nothing
        if found.n_units:
            chance = np.nanmean(best, axis=1)
        if found.n_units > 1:
            drawn = resampled_means(best, counts)
            whole = np.isfinite(drawn).all(axis=1)  # a resample may hold no unit of this point
            low, high = percentiles(drawn[whole], confidence)
            means = resampled_means(swept.means[point], counts)[whole]
            top = means == means.max(axis=1, keepdims=True)
            highest = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
        interval = found.constrained
        for i, arm in enumerate(swept.arms):
            rows.append(
                {
                    "point": swept.numbers[point],
                    "arm": arm,
                    "estimate": _mean(swept.means[point, i]),
                    "low": math.nan if interval is None else float(interval.low[i]),
                    "high": math.nan if interval is None else float(interval.high[i]),
                    "can_be_best": i in found.possible,
                    "chance_best": float(chance[i]),
                    "chance_best_low": float(low[i]),
                    "chance_best_high": float(high[i]),
                    "highest_mean": float(highest[i]),
                }
            )
    return pd.DataFrame(rows)


def best_by_unit(values: Floats) -> Floats:
    """Return (arms, units) the share of a unit's futures in which each arm is best, ties shared.

    Parameters
    ----------
    values : (arms, units, repeats) at one point; NaN in all arms where a replicate is left out.
    """
    there: Any = np.isfinite(values).all(axis=0)
    shares = np.full(values.shape[:2], np.nan)
    for unit in np.flatnonzero(there.any(axis=1)).tolist():
        shares[:, unit] = best_shares(values[:, unit, there[unit]][:, None, :])[:, 0]
    return shares


def _mean(values: Floats) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else math.nan


def _shares(swept: Swept, verdicts: list[PointVerdict], by_arm: pd.DataFrame) -> pd.DataFrame:
    """One row an arm."""
    judged = [found for found in verdicts if found.n_units]
    chances = by_arm.groupby("arm", sort=False)["chance_best"].mean()
    rows = []
    for i, arm in enumerate(swept.arms):
        shown = sum(found.best == i for found in judged)
        possible = sum(i in found.possible for found in judged)
        rows.append(
            {
                "arm": arm,
                "points": len(judged),
                "shown_best": shown,
                "share_shown_best": shown / len(judged),
                "best_by_little": sum(found.best == i and found.best_by_little for found in judged),
                "can_be_best": possible,
                "share_can_be_best": possible / len(judged),
                "mean_chance_best": float(chances[arm]),
            }
        )
    return pd.DataFrame(rows)


# In words


def _sentences(
    swept: Swept, verdicts: list[PointVerdict], shares: pd.DataFrame, confidence: float, over_points: bool
) -> tuple[str, ...]:
    n = len(verdicts)
    level = f"{100 * confidence:g} %"
    sentences = []
    for row in shares.to_dict("records"):
        if row["shown_best"]:
            little = ""
            if row["best_by_little"]:
                little = (
                    f", at {row['best_by_little']:,} by less than the {swept.matters_in_words} that matters"
                )
            sentences.append(
                f"{in_words(str(row['arm']))} is shown best at {row['shown_best']:,} of {n:,} points{little}"
            )
    if not sentences:
        sentences.append(f"no arm is shown best at any of {n:,} points")
    same, unknown, without = (
        [found for found in verdicts if found.kind == kind]
        for kind in ("no difference that matters", "cannot tell yet", "no interval")
    )
    if same:
        sentences.append(
            f"at {len(same):,} of {n:,} points no arm that can be best differs from the leading one by more "
            f"than the {swept.matters_in_words} that matters"
        )
    sentences.append(_unknown_in_words(swept, unknown, n))
    if without:
        sentences.append(
            f"at {len(without):,} of {n:,} points there are fewer than 2 {swept.unit_words.many}, "
            "which gives no interval"
        )
    never = [in_words(str(row["arm"])) for row in shares.to_dict("records") if row["share_can_be_best"] == 0]
    if never:
        sentences.append(f"{listed(never)} can be ruled out as best at every point")
    sentences += _changes(swept, verdicts)
    where = "at all points at once (Bonferroni)" if over_points else (
        f"pointwise at each point: of {n:,} points about {(1 - confidence) * n:.0f} may be wrong"
    )  # fmt: skip
    sentences.append(f"intervals hold for all arms at once at {level}, {where}{swept.unit_words.scope}")
    sentences.append("shares are of the points of this design, not of the world")
    return (*sentences, *swept.notes)


def _unknown_in_words(swept: Swept, unknown: list[PointVerdict], n: int) -> str:
    if not unknown:
        return f"there is no point of {n:,} at which nobody can tell"
    needed = [found.further for found in unknown if found.further]
    words = f"cannot tell yet at {len(unknown):,} of {n:,} points"
    if not needed:
        return f"{words}: the differences lie at the edge of what matters"
    middle, most = sorted(needed)[len(needed) // 2], max(needed)
    if most > MOST_FURTHER_COMMUNITIES:
        many = f"more than {swept.unit_words.more(MOST_FURTHER_COMMUNITIES)} at the worst"
    else:
        many = f"about {swept.unit_words.more(most)} at the worst"
    if middle <= MOST_FURTHER_COMMUNITIES:
        many = f"about {swept.unit_words.more(middle)} at the median of them, {many}"
    return f"{words}: {many}"


def _changes(swept: Swept, verdicts: list[PointVerdict]) -> list[str]:
    """Say along which values of a factor each arm is shown best, where more than one is."""
    winners = sorted({found.best for found in verdicts if found.best is not None})
    if len(winners) < 2:
        return []
    sentences = []
    for axis in swept.axes:
        parts = []
        for winner in winners:
            rows = [p for p, found in enumerate(verdicts) if found.best == winner]
            if axis.numeric:
                at = axis.unit[rows]
                low, high = (word_of(float(axis.at(end))) for end in (at.min(), at.max()))
                parts.append(f"{in_words(swept.arms[winner])} from {low} to {high}")
            else:
                words = [level for level in axis.levels if level in {axis.words[p] for p in rows}]
                parts.append(f"{in_words(swept.arms[winner])} with {listed(words)}")
        if len(axis.distinct) > 1:
            sentences.append(f"along {axis.name}, shown best: {'; '.join(parts)}")
    return sentences
