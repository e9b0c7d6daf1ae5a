"""What would change the ranking: how far each factor moves the best arm's lead over its rivals.

The lead is a paired difference: the arm with the highest mean at the base, minus a rival. Sentences speak of
its closest rival there, tables and the figure of all. In a design that
changes one factor at a time it is read at each value of that factor, all others at the base. In any other
design it is the mean over all points at which the factor has that value (or lies in that third of its
range), while the others vary as in the design. At every value the constrained intervals of `best` say
whether the arm is still shown best, another one is, or nobody can tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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

Ranking = Literal["still best", "another is best", "within what matters", "cannot tell", "no interval"]
"""What a value of a factor says of the arm that leads at the base: shown best; shown not to be; neither, but
shown to be at most what matters behind the best; none of these; or too few units for any interval."""


TOLD: dict[Ranking, str] = {
    "another is best": "{arm} is no longer the best at {at}",
    "within what matters": (
        "{arm} is not shown best at {at}, but shown to be at most the {matters} that matters behind the best"
    ),
    "cannot tell": "cannot tell whether {arm} is best at {at}",
}


@dataclass(frozen=True, eq=False)
class Tornado:
    """How far each factor moves the lead of the best arm.

    Attributes
    ----------
    outcome : of which more is better.
    leading : the arm with the highest mean at the base.
    rival : its closest rival there, of which the sentences speak.
    base : "base" if the points change one factor at a time, else "mean of the design".
    factors : names, the one that moves the lead over the closest rival furthest first.
    table : one row a factor, value and rival: points behind it, lead, low, high (simultaneous over the
        rivals, pointwise over values), change from the base with its limits, ranking, best (the arm shown
        best there, or empty), behind_at_most (how far the leading arm is behind the best there at most, by
        the constrained intervals).
    swings : one row a factor and rival: the values at which the lead is least and greatest, swing (greatest
        minus least lead) with limits that hold for all pairs of values and rivals of the factor at once,
        changes_ranking (values at which the leading arm is shown not to be the best), within_what_matters
        (values at which it is not shown best, but at most what matters behind), unclear (values at which
        nobody can tell).
    sentences : what it says, in words.
    """

    outcome: str
    leading: str
    rival: str
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
    assert base.rival is not None  # there are two arms or more
    rival = swept.arms[base.rival]
    found = {
        axis.name: _values(swept, axis, rows, means, base_row, confidence)
        for axis in swept.axes
        if len(axis.distinct) > 1
    }
    table = _table(swept, found, at_base, base, confidence)
    swings = _swings(swept, found, base, confidence)
    order = _order(swings, rival)
    place = {name: i for i, name in enumerate(order)}
    table = table.iloc[table["factor"].map(place).argsort(kind="stable")].reset_index(drop=True)
    swings = swings.iloc[swings["factor"].map(place).argsort(kind="stable")].reset_index(drop=True)
    where = "mean of the design" if base_row is None else "base"
    closest = swings[swings["rival"] == rival].set_index("factor")
    sentences = _sentences(swept, base, order, table, closest, where, confidence)
    lost = len(swept.points) - len(rows), swept.means.shape[2] - len(units)
    if any(lost):
        sentences.append(
            f"{lost[0]} points and {lost[1]} {swept.unit_words.many} with missing runs are left out"
        )
    return Tornado(
        swept.outcome, swept.arms[base.leading], rival, where, order, table, swings,
        (*sentences, *swept.notes),
    )  # fmt: skip


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
                        "ranking": _ranking(value.verdict, base.leading, swept.matters),
                        "best": "" if value.verdict.best is None else swept.arms[value.verdict.best],
                        "behind_at_most": _behind_at_most(value.verdict, base.leading),
                    }
                )
    columns = [
        "factor", "value", "rival", "points", "lead", "low", "high", "change", "change_low", "change_high",
        "ranking", "best", "behind_at_most",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _ranking(verdict: PointVerdict, leading: int, matters: float) -> Ranking:
    if verdict.kind == "no interval":
        return "no interval"
    if verdict.best == leading:
        return "still best"
    if leading not in verdict.possible:
        return "another is best"
    near = verdict.kind == "no difference that matters" or _behind_at_most(verdict, leading) <= matters
    return "within what matters" if near else "cannot tell"


def _behind_at_most(verdict: PointVerdict, leading: int) -> float:
    """Return the limit of how far an arm is behind the best of the others; NaN without intervals."""
    return math.nan if verdict.constrained is None else 0.0 - float(verdict.constrained.low[leading])


def _swings(
    swept: Swept, found: dict[str, list[_Value]], base: PointVerdict, confidence: float
) -> pd.DataFrame:
    """One row a factor and rival."""
    rows: list[dict[str, Any]] = []
    rivals = [i for i in range(len(swept.arms)) if i != base.leading]
    for name, values in found.items():
        pairs = len(values) * (len(values) - 1) // 2
        rankings = [_ranking(value.verdict, base.leading, swept.matters) for value in values]

        words = {
            wanted: ", ".join(
                value.word for value, ranking in zip(values, rankings, strict=True) if ranking == wanted
            )
            for wanted in TOLD
        }
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
                    "changes_ranking": words["another is best"],
                    "within_what_matters": words["within what matters"],
                    "unclear": words["cannot tell"],
                }
            )
    columns = [
        "factor", "rival", "least_at", "least", "most_at", "most", "swing", "swing_low", "swing_high",
        "changes_ranking", "within_what_matters", "unclear",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _order(swings: pd.DataFrame, rival: str) -> tuple[str, ...]:
    """Names of factors by the swing of the lead over one rival; of equal ones the alphabet."""
    of = swings[swings["rival"] == rival].set_index("factor")["swing"]
    return tuple(sorted(of.index, key=lambda name: (-float(of[name]), name)))


# In words


def _sentences(
    swept: Swept,
    base: PointVerdict,
    order: tuple[str, ...],
    table: pd.DataFrame,
    closest: pd.DataFrame,
    where: str,
    confidence: float,
) -> list[str]:
    leading = in_words(swept.arms[base.leading])
    at = "at the base" if where == "base" else "over the points of the design"
    sentences = [f"{leading} {_base_in_words(swept, base, at)}"]
    for row in closest.loc[list(order)].reset_index().to_dict("records"):
        rows = table[table["factor"] == row["factor"]]
        sentences.append(_factor_in_words(swept, row, rows, leading))
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


def _base_in_words(swept: Swept, base: PointVerdict, at: str) -> str:
    """Say what is known of the leading arm at the base, and which rival is the closest."""
    assert base.rival is not None
    rival = in_words(swept.arms[base.rival])
    little = f" by less than the {swept.matters_in_words} that matters" if base.best_by_little else ""
    told = {
        "best": f"is shown best {at}{little}",
        "no difference that matters": (
            f"has the highest mean {at}, with no difference that matters from the others that can be best"
        ),
        "cannot tell yet": f"has the highest mean {at}, and nobody can tell yet whether it is best",
        "no interval": f"has the highest mean {at}, and no interval is possible",
    }[base.kind]
    return f"{told}; its closest rival there is {rival}, {swept.measured(base.margin)} behind"


def _factor_in_words(swept: Swept, row: Mapping[Any, Any], rows: pd.DataFrame, leading: str) -> str:
    limits = ""
    if math.isfinite(row["swing_low"]):
        limits = f" ({swept.amount(row['swing_low'])} to {swept.amount(row['swing_high'])})"
    words = (
        f"{row['factor']} moves the lead over {in_words(row['rival'])} by "
        f"{swept.measured(row['swing'])}{limits}, from {swept.amount(row['least'])} at {row['least_at']} to "
        f"{swept.amount(row['most'])} at {row['most_at']}"
    )
    values = rows.drop_duplicates("value")
    parts = []
    for ranking, told in TOLD.items():
        here = values.loc[values["ranking"] == ranking, "value"].tolist()
        if here:
            parts.append(told.format(arm=leading, at=listed(here), matters=swept.matters_in_words))
    lost = values["ranking"] == "another is best"
    little = values.loc[lost & (values["behind_at_most"] <= swept.matters), "value"].tolist()
    if little:
        parts.append(f"at most the {swept.matters_in_words} that matters behind at {listed(little)}")
    winners = sorted({in_words(best) for best in values["best"] if best and in_words(best) != leading})
    if winners:
        parts.append(f"shown best there: {listed(winners)}")
    if not parts and (values["ranking"] == "still best").all():
        parts.append("the ranking stays")
    return "; ".join([words, *parts])
