"""What would change the ranking: how far each factor moves the best arm's lead over its rivals.

The lead is a paired difference: the arm with the highest mean at the base, minus a rival. In a design that
changes one factor at a time it is read at each value of that factor, all others at the base. In any other
design it is the mean over all points at which the factor has that value (or lies in that third of its
range), while the others vary as in the design. At every value the constrained intervals of `best` say
whether the arm is still shown best, another one is, or nobody can tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mobsim.analysis.best_map import PointVerdict, judge_means
from mobsim.analysis.statistics import Floats, check_confidence
from mobsim.analysis.swept import (
    FEW_LEVELS,
    Axis,
    Rows,
    Swept,
    SweptResults,
    check_more_is_better,
    interval_of,
    read_outcome,
    whole_block,
    word_of,
)
from mobsim.analysis.verdict import in_words, listed
from mobsim.errors import ResultsError, UsageError

Ranking = Literal["still best", "another is best", "cannot tell", "no interval"]


@dataclass(frozen=True, eq=False)
class Tornado:
    """How far each factor moves the lead of the best arm.

    Attributes
    ----------
    outcome : of which more is better.
    leading : the arm with the highest mean at the base.
    base : "base" if the points change one factor at a time, else "mean of the design".
    factors : names, the one that moves a lead furthest first.
    table : one row a factor, value and rival: points behind it, lead, low, high (simultaneous over the
        rivals, pointwise over values), change from the base with its limits, ranking, best (the arm shown
        best there, or empty).
    swings : one row a factor and rival: the values at which the lead is least and greatest, swing (greatest
        minus least lead) with limits that hold for all pairs of values and rivals of the factor at once,
        changes_ranking (values at which another arm is shown best), unclear (values at which the leading arm
        is no longer shown best).
    sentences : what it says, in words.
    """

    outcome: str
    leading: str
    base: str
    factors: tuple[str, ...]
    table: pd.DataFrame
    swings: pd.DataFrame
    sentences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Value:
    """One value of a factor: its word, the points behind it, and (arms, units) means over them."""

    word: str
    points: Rows
    means: Floats
    verdict: PointVerdict


def tornado(results: SweptResults, outcome: str | None = None, *, confidence: float = 0.95) -> Tornado:
    """Say which factors move the best arm's lead, how far, and which would change the ranking.

    Parameters
    ----------
    results : of a sweep with at least two arms.
    outcome : a share of which more is better; none: that of the design.
    confidence : joint over the rivals, in (0.5, 1).

    Raises
    ------
    UsageError : for an outcome that cannot be ranked, or a sweep of one arm.
    ResultsError : if too little was run.
    """
    check_confidence(confidence)
    swept = read_outcome(results, outcome)
    check_more_is_better(swept.outcome)
    if len(swept.arms) < 2:
        raise UsageError("tornado: found one arm; at least 2 are needed for a ranking")
    missing: Any = np.isnan(swept.means).any(axis=1)
    rows, units = whole_block(missing)
    if not len(rows) or not len(units):
        raise ResultsError(f"tornado of {swept.outcome}: found no community that was run at several points")
    means = swept.means[rows][:, :, units]
    base_row = base_point(swept.axes, rows)
    at_base = means.mean(axis=0) if base_row is None else means[int(np.flatnonzero(rows == base_row)[0])]
    base = judge_means(at_base, swept.arms, swept.matters, confidence=confidence)
    found = {
        axis.name: _values(swept, axis, rows, means, base_row, confidence)
        for axis in swept.axes
        if len(axis.distinct) > 1
    }
    table = _table(swept, found, at_base, base, confidence)
    swings = _swings(swept, found, base, confidence)
    order = _order(swings)
    place = {name: i for i, name in enumerate(order)}
    table = table.iloc[table["factor"].map(place).argsort(kind="stable")].reset_index(drop=True)
    swings = swings.iloc[swings["factor"].map(place).argsort(kind="stable")].reset_index(drop=True)
    where = "mean of the design" if base_row is None else "base"
    sentences = _sentences(swept, base, order, table, swings, where, confidence)
    lost = len(swept.points) - len(rows), swept.means.shape[2] - len(units)
    if any(lost):
        sentences.append(
            f"{lost[0]} points and {lost[1]} {swept.unit_words.many} with missing runs are left out"
        )
    return Tornado(
        swept.outcome, swept.arms[base.leading], where, order, table, swings, (*sentences, *swept.notes)
    )


def base_point(axes: tuple[Axis, ...], rows: Rows) -> int | None:
    """Return the point from which every other differs in one factor at most; None if there is none.

    Of several it is the first with all of the scenario's own values.

    Parameters
    ----------
    axes : the factors.
    rows : points that may be it.
    """
    if len(rows) < 2:
        return None
    units = np.stack([axis.unit for axis in axes], axis=1)
    candidates = []
    for row in rows.tolist():
        if ((units != units[row]).sum(axis=1) <= 1).all():
            own = sum(axis.words[row] == axis.base for axis in axes)
            candidates.append((-own, row))
    if len(candidates) > 1 and min(candidates)[0] > -len(axes):
        return None  # one factor, or two points: nothing tells which of them is the base
    return min(candidates)[1] if candidates else None


def _values(
    swept: Swept, axis: Axis, rows: Rows, means: Floats, base_row: int | None, confidence: float
) -> list[_Value]:
    """Return the values of a factor, with the arms' means over the points behind each."""
    if base_row is None:
        usable = np.arange(len(rows))
    else:
        others = [other for other in swept.axes if other is not axis]
        usable = np.array(
            [i for i, row in enumerate(rows) if all(o.unit[row] == o.unit[base_row] for o in others)]
        )
    groups = _groups(axis, rows[usable], base_row is None)
    values = []
    for word, members in groups:
        at = means[usable[members]].mean(axis=0)
        verdict = judge_means(at, swept.arms, swept.matters, confidence=confidence)
        values.append(_Value(word, rows[usable[members]], at, verdict))
    return values


def _groups(axis: Axis, rows: Rows, in_thirds: bool) -> list[tuple[str, Rows]]:
    """Return values of a factor and which of the points have them; many numbers become three thirds."""
    words = np.array([axis.words[row] for row in rows], dtype=object)
    present = [word for word in axis.distinct if (words == word).any()]
    if not axis.numeric or not in_thirds or len(present) <= FEW_LEVELS:
        return [(word, np.flatnonzero(words == word)) for word in present]
    third = np.minimum((axis.unit[rows] * 3).astype(np.int64), 2)
    ends = [word_of(float(end)) for end in axis.at(np.arange(4) / 3)]
    return [
        (f"{ends[i]} to {ends[i + 1]}", np.flatnonzero(third == i)) for i in range(3) if (third == i).any()
    ]


def _table(
    swept: Swept, found: dict[str, list[_Value]], at_base: Floats, base: PointVerdict, confidence: float
) -> pd.DataFrame:
    """One row a factor, value and rival."""
    rows: list[dict[str, Any]] = []
    rivals = [i for i in range(len(swept.arms)) if i != base.leading]
    leads_at_base = at_base[base.leading] - at_base
    for name, values in found.items():
        for value in values:
            leads = value.means[base.leading] - value.means
            for rival in rivals:
                lead = interval_of(leads[rival], confidence=confidence, comparisons=len(rivals))
                change = interval_of(
                    leads[rival] - leads_at_base[rival], confidence=confidence, comparisons=len(rivals)
                )
                rows.append(
                    {
                        "factor": name,
                        "value": value.word,
                        "rival": swept.arms[rival],
                        "points": len(value.points),
                        "lead": lead.estimate,
                        "low": lead.low,
                        "high": lead.high,
                        "change": change.estimate,
                        "change_low": change.low,
                        "change_high": change.high,
                        "ranking": _ranking(value.verdict, base.leading),
                        "best": "" if value.verdict.best is None else swept.arms[value.verdict.best],
                    }
                )
    columns = [
        "factor", "value", "rival", "points", "lead", "low", "high", "change", "change_low", "change_high",
        "ranking", "best",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _ranking(verdict: PointVerdict, leading: int) -> Ranking:
    if verdict.kind == "no interval":
        return "no interval"
    if verdict.best == leading:
        return "still best"
    return "another is best" if leading not in verdict.possible else "cannot tell"


def _swings(
    swept: Swept, found: dict[str, list[_Value]], base: PointVerdict, confidence: float
) -> pd.DataFrame:
    """One row a factor and rival."""
    rows: list[dict[str, Any]] = []
    rivals = [i for i in range(len(swept.arms)) if i != base.leading]
    for name, values in found.items():
        pairs = len(values) * (len(values) - 1) // 2
        rankings = [_ranking(value.verdict, base.leading) for value in values]
        for rival in rivals:
            leads = [value.means[base.leading] - value.means[rival] for value in values]
            levels = [float(lead.mean()) for lead in leads]
            least, most = int(np.argmin(levels)), int(np.argmax(levels))
            swing = interval_of(
                leads[most] - leads[least], confidence=confidence, comparisons=max(1, pairs * len(rivals))
            )
            rows.append(
                {
                    "factor": name,
                    "rival": swept.arms[rival],
                    "least_at": values[least].word,
                    "least": levels[least],
                    "most_at": values[most].word,
                    "most": levels[most],
                    "swing": swing.estimate,
                    "swing_low": max(0.0, swing.low) if math.isfinite(swing.low) else swing.low,
                    "swing_high": swing.high,
                    "changes_ranking": ", ".join(
                        value.word
                        for value, ranking in zip(values, rankings, strict=True)
                        if ranking == "another is best"
                    ),
                    "unclear": ", ".join(
                        value.word
                        for value, ranking in zip(values, rankings, strict=True)
                        if ranking == "cannot tell"
                    ),
                }
            )
    columns = [
        "factor", "rival", "least_at", "least", "most_at", "most", "swing", "swing_low", "swing_high",
        "changes_ranking", "unclear",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _order(swings: pd.DataFrame) -> tuple[str, ...]:
    """Names of factors by their largest swing over rivals; of equal ones the alphabet."""
    largest = swings.groupby("factor")["swing"].max()
    return tuple(sorted(largest.index, key=lambda name: (-float(largest[name]), name)))


# In words


def _sentences(
    swept: Swept,
    base: PointVerdict,
    order: tuple[str, ...],
    table: pd.DataFrame,
    swings: pd.DataFrame,
    where: str,
    confidence: float,
) -> list[str]:
    leading = in_words(swept.arms[base.leading])
    at = "at the base" if where == "base" else "over the points of the design"
    shown = {
        "best": f"{leading} is shown best {at}",
        "no interval": f"{leading} has the highest mean {at}, and no interval is possible",
    }.get(base.kind, f"{leading} has the highest mean {at}, and is not shown best")
    sentences = [shown]
    for name in order:
        row = swings[swings["factor"] == name].sort_values("swing", ascending=False, kind="stable").iloc[0]
        sentences.append(_factor_in_words(swept, name, row, table[table["factor"] == name], leading))
    if not order:
        sentences.append("no factor varies")
    level = f"{100 * confidence:g} %"
    how = (
        "all other factors stay at the base" if where == "base"
        else "the other factors vary as in the design, whose points a value or third of a range has by chance"
    )  # fmt: skip
    sentences.append(
        f"intervals hold for all rivals at once at {level}, pointwise at each value; {how}"
        f"{swept.unit_words.scope}"
    )
    return sentences


def _factor_in_words(swept: Swept, name: str, row: pd.Series[Any], rows: pd.DataFrame, leading: str) -> str:
    limits = ""
    if math.isfinite(row["swing_low"]):
        limits = f" ({swept.amount(row['swing_low'])} to {swept.amount(row['swing_high'])})"
    words = (
        f"{name} moves the lead over {in_words(row['rival'])} by {swept.measured(row['swing'])}{limits}, "
        f"from {swept.amount(row['least'])} at {row['least_at']} "
        f"to {swept.amount(row['most'])} at {row['most_at']}"
    )
    values = rows.drop_duplicates("value")
    parts = []
    for ranking, told in (("another is best", "{} is no longer the best at {}"), ("cannot tell", "cannot "
                          "tell whether {} is best at {}")):  # fmt: skip
        at = values.loc[values["ranking"] == ranking, "value"].tolist()
        if at:
            parts.append(told.format(leading, listed(at)))
    winners = sorted({in_words(best) for best in values["best"] if best and in_words(best) != leading})
    if winners:
        parts.append(f"shown best there: {listed(winners)}")
    if not parts and (values["ranking"] == "still best").all():
        parts.append("the ranking stays")
    return "; ".join([words, *parts])
