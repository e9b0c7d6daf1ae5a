"""How many replicates a sweep needs: how the interval of a difference narrows, and when it decides.

At each point a paired difference has a variance between communities and one between lucks within them. From
these follow the half-width for any number of both, the luck count that is cheapest, and how many
communities measure the difference to within what matters, as in a verdict. The number that Stein's second
stage asks for is a promise from 32 communities on; from fewer it is a rough guess and is called so. The
curve of half-widths is what was seen with the first so many communities: looking at it while adding runs
until it is short enough would spoil the intervals.

Sources: as in `statistics` (Stein 1945; variance components of a balanced one-way layout).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mobsim.analysis.statistics import (
    LEAST_FIRST_STAGE,
    Floats,
    VarianceComponents,
    bonferroni_t,
    cheapest_luck_count,
    check_confidence,
    deviation,
    t_quantile,
    variance_components,
)
from mobsim.analysis.swept import (
    Swept,
    SweptResults,
    contrast_name,
    interval_of,
    is_share,
    points_in_words,
    read_outcome,
    whole_block,
)
from mobsim.analysis.verdict import MOST_FURTHER_COMMUNITIES, NO_CAMPAIGN, Units
from mobsim.errors import UsageError

Decision = Literal["differs", "practically equal", "cannot tell yet", "no interval"]


@dataclass(frozen=True, eq=False)
class Convergence:
    """How the interval of one contrast narrows, and how many replicates it needs.

    Attributes
    ----------
    outcome, arm, against : the contrast; against is None for the level of an arm.
    until : half-width that is asked for, in the unit of the outcome.
    table : one row a point: estimate, low, high, half_width, decision, communities, luck,
        variance_between_communities, variance_between_lucks (NaN with one luck), cheapest_luck,
        needed (communities in all for the half-width, with the luck there is), needed_with_cheapest_luck,
        further (communities to add).
    curve : one row a point and number of communities: half_width seen with the first so many, and expected
        from the variances of all of them.
    worst : number of the point that needs most; None where no point has an interval.
    promised : whether there are the 32 communities at every point from which the numbers are a promise.
    sentences : what it says, in words.
    """

    outcome: str
    arm: str
    against: str | None
    until: float
    table: pd.DataFrame
    curve: pd.DataFrame
    worst: int | None
    promised: bool
    sentences: tuple[str, ...]


def convergence(
    results: SweptResults,
    outcome: str | None = None,
    *,
    arm: str | None = None,
    against: str | None = NO_CAMPAIGN,
    until: float | None = None,
    confidence: float = 0.95,
    over_points: bool = False,
    community_cost: float = 1.0,
) -> Convergence:
    """Say how many replicates a paired difference needs at each point of a sweep.

    Parameters
    ----------
    results : of a sweep.
    outcome : a column of the table of runs; none: that of the design.
    arm : none: the first strategy.
    against : the arm it is compared with; None for the level of the arm.
    until : wanted half-width, in the unit of the outcome; none: the smallest difference that matters, which
        is a share. For other outcomes it also is what counts as practically equal.
    confidence : in (0.5, 1).
    over_points : let the intervals hold at all points at once (Bonferroni).
    community_cost : time to build a community, in units of one more luck on it, > 0.

    Raises
    ------
    UsageError : for names or settings that do not fit.
    """
    check_confidence(confidence)
    chosen = arm if arm is not None else next(
        (name for name in results.arms if name != against), results.arms[0]
    )  # fmt: skip
    if chosen == against:
        raise UsageError(f"convergence: found {chosen} against itself; name two arms")
    swept = read_outcome(results, outcome, arms=[chosen] if against is None else [chosen, against])
    if until is None and not is_share(swept.outcome):
        raise UsageError(f"until: {swept.outcome} is no share; say how well it is to be known, in its unit")
    width = swept.matters if until is None else until
    matters = swept.matters if is_share(swept.outcome) else width
    if not (width > 0 and math.isfinite(width)):
        raise UsageError(f"until: found {width!r}; allowed is a finite number above 0")
    comparisons = len(swept.points) if over_points else 1
    rows, curve = [], []
    for point in range(len(swept.points)):
        means = swept.contrast(chosen, against)[point]
        means = means[np.isfinite(means)]
        parts = _components(swept, point, chosen, against)
        rows.append(_row(means, parts, width, matters, confidence, comparisons, community_cost))
        curve += [{"point": swept.numbers[point], **row} for row in _curve(means, confidence, comparisons)]
    table = pd.concat([swept.points, pd.DataFrame(rows)], axis=1)
    whole = ["cheapest_luck", "needed", "needed_with_cheapest_luck", "further"]
    table = table.astype(dict.fromkeys(whole, "Int64"))
    worst = _worst(table)
    promised = bool((table["communities"] >= LEAST_FIRST_STAGE).all())
    columns = ["point", "communities", "half_width", "expected"]
    shown = Convergence(
        swept.outcome, chosen, against, width, table, pd.DataFrame(curve, columns=columns), worst, promised,
        (),
    )  # fmt: skip
    sentences = _sentences(swept, shown, confidence, over_points)
    return Convergence(
        shown.outcome, chosen, against, width, table, shown.curve, worst, promised,
        (*sentences, *swept.notes),
    )  # fmt: skip


def _worst(table: pd.DataFrame) -> int | None:
    """Return the number of the point that needs most communities; of equal ones the widest now."""
    there = table[table["needed"].notna()].sort_values(
        ["needed", "half_width"], ascending=False, kind="stable"
    )
    return int(there["point"].to_numpy()[0]) if len(there) else None


def _components(swept: Swept, point: int, arm: str, against: str | None) -> VarianceComponents:
    """Variances of the contrast at a point, from the balanced part of its replicates."""
    values = swept.values[point, swept.row(arm)]
    if against is not None:
        values = values - swept.values[point, swept.row(against)]
    units, repeats = whole_block(np.isnan(values))
    if not len(units) or not len(repeats):
        return VarianceComponents(math.nan, math.nan, 0, 0)
    return variance_components(values[np.ix_(units, repeats)])


def _row(
    means: Floats,
    parts: VarianceComponents,
    width: float,
    matters: float,
    confidence: float,
    comparisons: int,
    community_cost: float,
) -> dict[str, Any]:
    """One point: its interval, its variances, and what it needs."""
    interval = interval_of(means, confidence=confidence, comparisons=comparisons)
    n = len(means)
    row: dict[str, Any] = {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "half_width": math.nan,
        "decision": "no interval",
        "communities": n,
        "luck": parts.n_lucks,
        "variance_between_communities": parts.community,
        "variance_between_lucks": parts.luck,
        "cheapest_luck": None,
        "needed": None,
        "needed_with_cheapest_luck": None,
        "further": None,
    }
    if n < 2:
        return row
    quantile = bonferroni_t(confidence, comparisons, n - 1)
    needed = _needed(quantile, deviation(means) ** 2, width)
    cheapest = cheapest_luck_count(parts, community_cost=community_cost)
    with_cheapest = None
    if cheapest is not None:
        with_cheapest = _needed(quantile, parts.community + parts.luck / cheapest, width)
    row |= {
        "half_width": interval.high - interval.estimate,
        "decision": _decision(means, interval.low, interval.high, matters, confidence, comparisons),
        "cheapest_luck": cheapest,
        "needed": needed,
        "needed_with_cheapest_luck": with_cheapest,
        "further": max(0, needed - n),
    }
    return row


def _needed(quantile: float, variance: float, width: float) -> int:
    """Communities in all for a half-width, at least 2."""
    return max(2, math.ceil(quantile**2 * variance / width**2))


def _decision(
    means: Floats, low: float, high: float, matters: float, confidence: float, comparisons: int
) -> Decision:
    """Say what a contrast shows, in the order of a verdict: 0 is left out; else two one-sided tests."""
    if low > 0 or high < 0:
        return "differs"
    tail = (1 - confidence) / comparisons
    narrow = t_quantile(1 - tail, len(means) - 1) * deviation(means) / math.sqrt(len(means))
    return "practically equal" if abs(float(means.mean())) + narrow < matters else "cannot tell yet"


def _curve(means: Floats, confidence: float, comparisons: int) -> list[dict[str, float]]:
    """Half-widths with the first 2, 3, ... communities, seen and expected."""
    spread = deviation(means)
    rows = []
    for n in range(2, len(means) + 1):
        quantile = bonferroni_t(confidence, comparisons, n - 1)
        rows.append(
            {
                "communities": n,
                "half_width": quantile * deviation(means[:n]) / math.sqrt(n),
                "expected": quantile * spread / math.sqrt(n),
            }
        )
    return rows


# In words


def _sentences(swept: Swept, shown: Convergence, confidence: float, over_points: bool) -> list[str]:
    name = contrast_name(shown.arm, shown.against)
    units = swept.unit_words
    table = shown.table
    n = len(table)
    there = table[table["decision"] != "no interval"]
    if shown.worst is None:
        return [f"{name}: no point has an interval; at least 2 {units.many} are needed and 32 are advised"]
    sentences = []
    if shown.against is not None:
        counts = there["decision"].value_counts()
        sentences.append(
            f"{name}: at {counts.get('differs', 0)} of {n:,} points it is shown to differ from 0, at "
            f"{counts.get('practically equal', 0)} it is within the {_that_matters(swept, shown)}, at "
            f"{counts.get('cannot tell yet', 0)} nobody can tell yet"
        )
    wide = there[there["half_width"] > shown.until]
    target = swept.measured(shown.until)
    widest = there.iloc[int(there["half_width"].to_numpy(dtype=np.float64).argmax())]
    sentences.append(
        f"{name} is known to within {target} at {len(there) - len(wide):,} of {n:,} points; worst is point "
        f"{int(widest['point'])}, to within {swept.measured(float(widest['half_width']))}"
    )
    if len(wide):
        further = int(there["further"].max())
        middle = int(np.median(wide["further"].to_numpy(dtype=np.int64)))
        rough = "" if shown.promised else (
            f"; a rough guess, since fewer than {LEAST_FIRST_STAGE} {units.many} stand behind it"
        )  # fmt: skip
        sentences.append(
            f"to know it to within {target} everywhere takes {_more(units, further)} at the worst point "
            f"({shown.worst}), and {_more(units, middle)} at the median of the points that are too wide"
            f"{rough}"
        )
    sentences += _luck_in_words(swept, there)
    unknown = table.loc[table["decision"] == "no interval", "point"].astype(int).tolist()
    if unknown:
        sentences.append(f"no interval at {points_in_words(unknown)}")
    where = "at all points at once (Bonferroni)" if over_points else "pointwise at each point"
    sentences.append(f"intervals: {100 * confidence:g} %, {where}{units.scope}")
    return sentences


def _that_matters(swept: Swept, shown: Convergence) -> str:
    if is_share(swept.outcome):
        return f"{swept.matters_in_words} that matters"
    return f"{swept.measured(shown.until)} that is asked for"


def _more(units: Units, further: int) -> str:
    if further > MOST_FURTHER_COMMUNITIES:
        return f"more than {units.more(MOST_FURTHER_COMMUNITIES)}"
    return f"about {units.more(further)}"


def _luck_in_words(swept: Swept, there: pd.DataFrame) -> list[str]:
    if swept.unit_words.scope:
        return []
    known = there["cheapest_luck"].dropna()
    luck = len(swept.repeats)
    if known.empty:
        return [
            f"with {luck} luck on each community nobody can tell what luck and communities each "
            "contribute; run 2 or more"
        ]
    cheapest = int(np.median(known.to_numpy(dtype=np.int64)))
    if cheapest == luck:
        return [f"{luck} luck on each community is also the cheapest count at the median point"]
    return [
        f"the cheapest luck count is {cheapest} at the median point, and {luck} was run: "
        f"{'more luck' if cheapest > luck else 'fewer luck and more communities'} would give shorter "
        "intervals for the same time"
    ]
