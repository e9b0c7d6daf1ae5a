"""Tables to be read, and their cells: numbers as the command and the page write them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mobsim.analysis.study import Study, single_community
from mobsim.analysis.verdict import in_points


@dataclass(frozen=True)
class PlainTable:
    """A table to be read: a title, what it shows, a header and rows of text; the first cell names the row."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal, or a dash where there is none.

    Examples
    --------
    >>> percent(0.1234), percent(float("nan"))
    ('12.3', '–')
    """
    return "–" if math.isnan(share) else in_points(share)


def with_interval(row: dict[str, Any] | None, key: str = "estimate") -> str:
    """Write an estimate in percent or points with its interval.

    Parameters
    ----------
    row : of the comparison table, or None.
    key : estimate, or against_none.
    """
    if row is None or math.isnan(row[key]):
        return "–"
    low, high = limits(row, key)
    if math.isnan(low):
        return percent(row[key])
    return f"{percent(row[key])} ({percent(low)} to {percent(high)})"


def estimate_of(row: dict[str, Any] | None) -> float:
    """Return the estimate of a row of the comparison table, NaN without one.

    Parameters
    ----------
    row : of the comparison table, or None.
    """
    return math.nan if row is None else float(row["estimate"])


def limits(row: dict[str, Any], key: str = "estimate") -> tuple[float, float]:
    """Return the limits of an estimate, or of its difference from no campaign.

    Parameters
    ----------
    row : of the comparison table.
    key : estimate, or against_none.
    """
    names = ("low", "high") if key == "estimate" else (f"{key}_low", f"{key}_high")
    return float(row[names[0]]), float(row[names[1]])


def whole(number: float) -> str:
    """Write a number without decimals, or a dash where there is none.

    Examples
    --------
    >>> whole(12345.6), whole(float("nan"))
    ('12,346', '–')
    """
    return "–" if math.isnan(number) else f"{number:,.0f}"


def percent_of(study: Study, arm: str, outcome: str, group: str = "all") -> str:
    """Write an outcome of a strategy as a percentage.

    Parameters
    ----------
    study : the study.
    arm, outcome, group : which row of the comparison table.
    """
    return percent(estimate_of(study.row(arm, outcome, group)))


def whole_of(study: Study, arm: str, outcome: str) -> str:
    """Write an outcome of a strategy without decimals.

    Parameters
    ----------
    study : the study.
    arm, outcome : which row of the comparison table.
    """
    return whole(estimate_of(study.row(arm, outcome)))


def ratio(row: dict[str, Any] | None, factor: int) -> str:
    """Write a ratio with its limits: in percent (factor 100) or as it is (factor 1); or why there is none.

    Parameters
    ----------
    row : of the comparison table, or None.
    factor : 100 or 1.
    """
    if row is None:
        return "–"
    if math.isnan(row["estimate"]):
        return str(row["note"]) or "–"
    digits = 0 if factor == 100 else 2
    low, high = limits(row)
    shown = f"{factor * row['estimate']:.{digits}f}"
    return shown if math.isnan(low) else f"{shown} ({factor * low:.{digits}f} to {factor * high:.{digits}f})"


def units_of(study: Study) -> str:
    """Say over what intervals are taken."""
    return "luck, for this community" if single_community(study.scenario) else "communities"
