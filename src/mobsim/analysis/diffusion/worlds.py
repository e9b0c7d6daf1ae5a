"""Make communities of mobsim from an observed diffusion: people, ties and curves for each of its places.

Each community becomes a people file and a ties file (docs/communities.md) and a block of values by which a
scenario differs there, as `communities:` of a calibration file wants it (docs/calibration_files.md). What was
adopted becomes participating, once and for all: the scenario needs `behaviour.irreversible: true`, no lapse
and no turnover.

Time: the model starts after period `start`; who had adopted by then takes part at the start. Each later
period lasts `weeks_per_period` weeks of the model, so that what was observed at the end of period p stands at
the end of week (p − start)·weeks_per_period − 1. With one week a period, the default, a week of the model is
a period of the data (a year, say), chances a week are chances a period, and people see what their contacts
did in the period before. With 52 weeks a year, chances are chances a week, and news can run through several
people in a year.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobsim.errors import ResultsError, UsageError, nearest

if TYPE_CHECKING:
    from mobsim.analysis.diffusion.data import ObservedDiffusion

CURVES = "adoption.csv"


@dataclass(frozen=True)
class Villages:
    """The files of all communities of an observed diffusion.

    Attributes
    ----------
    folder : where they lie.
    communities : name -> values of the scenario that differ there, by place; `communities:` of a calibration
        file.
    labels : name -> the label of the community in the data.
    curves : the file of adoption curves in the folder: week, value (a count), community, of (residents).
    horizon_weeks : weeks that a scenario needs, `campaign.horizon_weeks`.
    ties_between : ties between communities, which no file holds.
    shortened : name -> last week of the curve, where people were lost from sight before the end.
    """

    folder: Path
    communities: Mapping[str, Mapping[str, Any]]
    labels: Mapping[str, str]
    curves: str
    horizon_weeks: int
    ties_between: int
    shortened: Mapping[str, int]


def week_of_period(period: int, *, start: int = 1, weeks_per_period: int = 1) -> int:
    """Return the week of the model at whose end what was observed at the end of a period stands.

    Parameters
    ----------
    period : a period after the start.
    start : the period after which the model starts.
    weeks_per_period : weeks of the model a period.

    Examples
    --------
    >>> week_of_period(2), week_of_period(10), week_of_period(2, weeks_per_period=52)
    (0, 8, 51)
    """
    return (period - start) * weeks_per_period - 1


def write_villages(
    data: ObservedDiffusion,
    folder: str | Path,
    *,
    start: int = 1,
    weeks_per_period: int = 1,
    valued: bool = False,
    group: str | None = None,
    prefix: str = "village",
) -> Villages:
    """Write people, ties and adoption curves of every community.

    Parameters
    ----------
    data : people with times of adoption, and ties.
    folder : where to write; made if it is not there. Use a folder that is not shared: the files hold rows of
        the data.
    start : the period after which the model starts, from 1.
    weeks_per_period : weeks of the model a period, from 1.
    valued : whether ties keep their values as weights.
    group : a covariate whose values are the groups of the scenario, of everybody; none: no column.
    prefix : communities are named <prefix>_<label>; whole numbers get zeros in front.

    Returns
    -------
    Villages

    Raises
    ------
    UsageError : if something does not fit.
    ResultsError : if a file cannot be written.

    Notes
    -----
    A tie runs from ego, who is influenced, to alter. A curve ends where somebody of the community who had not
    adopted was lost from sight, since what became of the whole is not known from then on.
    """
    _check(data, start, weeks_per_period, group)
    names = _names(data, prefix)
    where = Path(folder)
    of_person = np.asarray(data.community, object)
    same = of_person[data.ego] == of_person[data.alter]
    communities: dict[str, dict[str, Any]] = {}
    shortened: dict[str, int] = {}
    curves: list[list[object]] = []
    for name, label in names.items():
        members = np.flatnonzero(of_person == label)
        people, ties = f"{name}.people.csv", f"{name}.ties.csv"
        _write(where / people, *_people(data, members, start, group))
        _write(where / ties, *_ties(data, same & (of_person[data.ego] == label), valued))
        communities[name] = {
            "community.residents": len(members),
            "community.network": {"kind": "files", "people": people, "ties": ties, "directed": True},
        }
        lost = data.last_seen[members][data.time[members] == 0]
        last = min(data.n_periods, int(lost.min()) if len(lost) else data.n_periods)
        if last < data.n_periods:
            shortened[name] = week_of_period(last, start=start, weeks_per_period=weeks_per_period)
        time = data.time[members]
        for period in range(start + 1, last + 1):
            week = week_of_period(period, start=start, weeks_per_period=weeks_per_period)
            curves.append([week, int(((time > 0) & (time <= period)).sum()), name, len(members)])
    _write(where / CURVES, ["week", "value", "community", "of"], curves)
    return Villages(
        folder=where,
        communities=communities,
        labels=names,
        curves=CURVES,
        horizon_weeks=(data.n_periods - start) * weeks_per_period,
        ties_between=int((~same).sum()),
        shortened=shortened,
    )


def _check(data: ObservedDiffusion, start: int, weeks_per_period: int, group: str | None) -> None:
    if not 1 <= start < data.n_periods:
        raise UsageError(
            f"start: found {start}; allowed are whole numbers from 1 to {data.n_periods - 1}, the period "
            "before the last"
        )
    if not 1 <= weeks_per_period <= 1000:
        raise UsageError(
            f"weeks_per_period: found {weeks_per_period}; allowed are whole numbers from 1 to 1,000"
        )
    if group is None:
        return
    known = tuple(str(name) for name in data.covariates.columns)
    if group not in known:
        raise UsageError(
            f"group: found {group!r}; allowed are {', '.join(known) or 'none, the data have none'}"
            f"{nearest(group, known)}"
        )
    missing = int(data.covariates[group].isna().sum())
    if missing:
        raise UsageError(
            f"group: {group!r} is missing for {missing:,} people; allowed is a value for everybody"
        )


def _names(data: ObservedDiffusion, prefix: str) -> dict[str, str]:
    """Return the name of each community's files and the label it stands for, in the order of the data."""
    labels = list(dict.fromkeys(np.asarray(data.community, object).tolist()))
    wide = max((len(label) for label in labels if label.isdecimal()), default=0)
    names: dict[str, str] = {}
    for label in sorted(labels, key=lambda text: text.zfill(wide) if text.isdecimal() else text):
        text = label.zfill(wide) if label.isdecimal() else re.sub(r"[^A-Za-z0-9-]+", "_", label).strip("_")
        name = "_".join(filter(None, (prefix, text))) or "community"
        if name in names:
            raise UsageError(
                f"community: {names[name]!r} and {label!r} would both be named {name}; allowed are labels "
                "that differ in letters and digits"
            )
        names[name] = label
    return names


def _people(
    data: ObservedDiffusion, members: npt.NDArray[np.int64], start: int, group: str | None
) -> tuple[list[str], list[list[object]]]:
    """Return header and rows of a people file."""
    header = ["id", "participating", *(["group"] if group else [])]
    rows: list[list[object]] = []
    for person in members.tolist():
        row: list[object] = [data.ids[person], int(0 < data.time[person] <= start)]
        if group:
            row.append(_word(data.covariates[group].iloc[person]))
        rows.append(row)
    return header, rows


def _word(value: object) -> str:
    """Write a group; whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _ties(
    data: ObservedDiffusion, chosen: npt.NDArray[np.bool_], valued: bool
) -> tuple[list[str], list[list[object]]]:
    """Return header and rows of a ties file."""
    header = ["from", "to", *(["weight"] if valued else [])]
    rows: list[list[object]] = []
    for ego, alter, value in zip(data.ego[chosen], data.alter[chosen], data.value[chosen], strict=True):
        row: list[object] = [data.ids[ego], data.ids[alter]]
        rows.append([*row, f"{value:g}"] if valued else row)
    return header, rows


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ResultsError(f"{path}: this could not be written ({reason})") from error
