"""What was observed: curves from CSV files and single numbers, one row for each value."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobsim.analysis.calibration.spec import (
    CalibrationSpec,
    CurveSpec,
    names_of_curves,
    names_of_statistics,
)
from mobsim.engine.outcomes import column_of
from mobsim.errors import nearest
from mobsim.experiment.design import InvalidDesign
from mobsim.scenario.faults import Fault, shown
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

COLUMNS = ("week", "value", "of", "standard_error", "community", "group")
MOST_ROWS = 100_000

NO_COMMUNITIES = "nothing, since no file has a column community"

SOMEWHERE = ""
"""The community of a curve whose file names none: one place, as any other."""


@dataclass(frozen=True)
class Target:
    """One thing that was observed: a curve, over communities and groups if its file has them, or a number.

    name : in tables.
    is_curve : whether it is a curve.
    outcome : participation or aware, or a column of the table of runs.
    arm, against : whose outcome it is, and what it is compared with.
    weight : in the score.
    scale : what an error is divided by, so that errors of different targets can be added.
    says : what is compared, in words.
    """

    name: str
    is_curve: bool
    outcome: str
    arm: str
    against: str | None
    weight: float
    scale: float
    says: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that was observed, one row a value.

    Attributes
    ----------
    targets : what was observed.
    table : target (its number), community (name), group (name or empty), week (-1 for single numbers), value,
        error (standard error, 0 if none is known), held_out.
    files : name -> sha256 of every file of data.
    """

    targets: tuple[Target, ...]
    table: pd.DataFrame
    files: dict[str, str]

    @property
    def values(self) -> Floats:
        """(rows,) what was observed."""
        return np.asarray(self.table["value"], np.float64)

    @property
    def errors(self) -> Floats:
        """(rows,) standard errors."""
        return np.asarray(self.table["error"], np.float64)

    @property
    def held_out(self) -> npt.NDArray[np.bool_]:
        """(rows,) whether the fit does not see a value."""
        return np.asarray(self.table["held_out"], np.bool_)

    @property
    def of_curve(self) -> npt.NDArray[np.bool_]:
        """(rows,) whether a value belongs to a curve."""
        curve = np.array([target.is_curve for target in self.targets])
        return curve[self.target]

    @property
    def target(self) -> npt.NDArray[np.int64]:
        """(rows,) number of the target."""
        return np.asarray(self.table["target"], np.int64)

    @property
    def communities(self) -> tuple[str, ...]:
        """Names of observed communities, in the order of the files; curves of unnamed places are one."""
        return tuple(dict.fromkeys(self.table["community"][self.of_curve]))

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that were carried out somewhere, or that something is compared with."""
        named = [arm for target in self.targets for arm in (target.arm, target.against) if arm is not None]
        return tuple(dict.fromkeys(named))

    def weights(self, part: npt.NDArray[np.bool_]) -> Floats:
        """Return what each row's error counts in a score; rows of one target share its weight.

        Parameters
        ----------
        part : (rows,) which rows are scored.

        Returns
        -------
        (rows,) 0 where a row is not scored. The weights of all targets add up to 1 before scaling.
        """
        counts = np.bincount(self.target[part], minlength=len(self.targets))
        of_target = np.array([target.weight / target.scale for target in self.targets])
        total = sum(t.weight for t, count in zip(self.targets, counts, strict=True) if count)
        share = np.divide(of_target, counts * total, out=np.zeros(len(counts)), where=counts > 0)
        return np.where(part, share[self.target], 0.0)


def read_evidence(spec: CalibrationSpec, base: Scenario) -> Evidence:
    """Read what was observed and hold it against the scenario.

    Parameters
    ----------
    spec : the calibration.
    base : the scenario, with what all trials share.

    Raises
    ------
    InvalidDesign
        with one sentence: file, line, what was found, what is allowed.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    names = (*names_of_curves(spec), *names_of_statistics(spec))
    for place, curve in enumerate(spec.observed.curves):
        _check_curve(spec, place, base)
        found, digest = _read_curve(spec, place, curve, base)
        files[curve.file] = digest
        rows += [{"target": place, **row} for row in found]
    for place, statistic in enumerate(spec.observed.statistics):
        _check_statistic(spec, place, base)
        rows.append(
            {"target": len(spec.observed.curves) + place, "community": SOMEWHERE, "group": "", "week": -1}
            | {"value": statistic.value, "error": statistic.standard_error}
        )
    table = pd.DataFrame(rows)
    table["held_out"] = _held_out(spec, table, names)
    return Evidence(_targets(spec, table, base, names), table, files)


def _check_curve(spec: CalibrationSpec, place: int, base: Scenario) -> None:
    curve = spec.observed.curves[place]
    where = ("observed", "curves", place)
    _check_arm(spec, (*where, "arm"), curve.arm, base)
    behaviour = base.behaviour
    if curve.outcome == "adopted" and not (
        behaviour.irreversible and behaviour.lapse == 0 and behaviour.turnover == 0
    ):
        raise spec.refused(
            (*where, "outcome"),
            f"observed.curves[{place}].outcome is 'adopted', the share who ever took part, which is not "
            f"recorded "
            "where people can leave; allowed: participation or aware; or adopted, if "
            "behaviour.irreversible is "
            "true and lapse and turnover are 0, since then whoever took part still does",
        )


def _check_statistic(spec: CalibrationSpec, place: int, base: Scenario) -> None:
    statistic = spec.observed.statistics[place]
    where = ("observed", "statistics", place)
    _check_arm(spec, (*where, "arm"), statistic.arm, base)
    if statistic.against is not None:
        _check_arm(spec, (*where, "against"), statistic.against, base)
    names = outcome_names(base)
    if statistic.outcome not in names:
        raise spec.refused(
            (*where, "outcome"),
            f"observed.statistics[{place}].outcome is {shown(statistic.outcome)}; allowed: a column of "
            f"the table "
            f"of runs, such as participation_fe{nearest(statistic.outcome, names)}",
        )


def outcome_names(base: Scenario) -> tuple[str, ...]:
    """Return the outcomes that the table of runs will have.

    Parameters
    ----------
    base : the scenario.
    """
    from mobsim.engine.outcomes import COLUMNS as DECLARED
    from mobsim.experiment.design import RESERVED

    standing_for = {"GROUP": list(base.community.groups), "GOAL": [str(goal.name) for goal in base.goals]}
    names = [
        "__".join((*stem, word))
        for column in DECLARED
        if column.table == "runs" and column.name not in RESERVED
        for *stem, end in (column.name.split("__"),)
        for word in standing_for.get(end, [end])
    ]
    return tuple(name for name in names if column_of("runs", name) is not None)


def _check_arm(spec: CalibrationSpec, where: tuple[str | int, ...], arm: str, base: Scenario) -> None:
    if arm not in base.arms:
        from mobsim.scenario.faults import text_of

        known = tuple(base.arms)
        raise spec.refused(
            where, f"{text_of(where)} is {shown(arm)}; allowed: {', '.join(known)}{nearest(arm, known)}"
        )


def _read_curve(
    spec: CalibrationSpec, place: int, curve: CurveSpec, base: Scenario
) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of a curve and the sha256 of its file."""
    path = (spec.folder or Path()) / curve.file
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise spec.refused(
            ("observed", "curves", place, "file"),
            f"observed.curves[{place}].file is {shown(curve.file)}, which cannot be read ({reason}); "
            f"allowed: a "
            "CSV file",
        ) from None
    header, lines = _csv_lines(path, content)
    rows = []
    seen: dict[tuple[Any, ...], int] = {}
    for line, cells in lines:
        row = _row(path, line, dict(zip(header, cells, strict=True)), curve, base)
        key = (row["community"], row["group"], row["week"])
        if key in seen:
            raise _wrong(path, line, f"week {row['week']} stands on line {seen[key]} too; allowed: once")
        seen[key] = line
        rows.append(row)
    rows.sort(key=lambda row: row["week"])
    order = {name: number for number, name in enumerate(dict.fromkeys(key[0] for key in seen))}
    rows.sort(key=lambda row: order[row["community"]])
    return rows, sha256(content).hexdigest()


def _csv_lines(path: Path, content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a file of observations, and its rows with their lines."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _wrong(path, line, "a byte is not UTF-8; allowed: text in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [
            (reader.line_num, [cell.strip() for cell in row])
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise _wrong(path, reader.line_num, f"this is not CSV: {error}") from None
    if len(rows) < 2:
        found = "has no row" if rows else "is empty"
        raise _wrong(path, 1, f"the file {found}; allowed: a header, and a row for each observation")
    if len(rows) - 1 > MOST_ROWS:
        raise _wrong(path, 0, f"the file holds more than {MOST_ROWS:,} rows; allowed: at most that")
    header = rows[0][1]
    for number, name in enumerate(header):
        if name not in COLUMNS:
            raise _wrong(
                path,
                1,
                f"column {shown(name)} is unknown; allowed: {', '.join(COLUMNS)}{nearest(name, COLUMNS)}",
            )
        if name in header[:number]:
            raise _wrong(path, 1, f"column {shown(name)} stands twice; allowed: once")
    for name in ("week", "value"):
        if name not in header:
            raise _wrong(
                path,
                1,
                f"column {shown(name)} is missing; allowed: week and value, and {', '.join(COLUMNS[2:])}",
            )
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            raise _wrong(
                path, line, f"the line has {len(cells)} cells; allowed: {len(header)}, as in the header"
            )
    return header, rows[1:]


def _row(path: Path, line: int, cells: dict[str, str], curve: CurveSpec, base: Scenario) -> dict[str, Any]:
    last = base.campaign.horizon_weeks - 1
    week = _number(cells["week"])
    if week is None or week != int(week) or not 0 <= week <= last:
        raise _wrong(
            path,
            line,
            f"week is {shown(cells['week'])}; allowed: whole numbers from 0 to {last}, the last week",
        )
    of = _number(cells["of"]) if "of" in cells else curve.of
    if "of" in cells and (of is None or of <= 0):
        raise _wrong(
            path, line, f"of is {shown(cells['of'])}; allowed: a number above 0, the residents observed"
        )
    value = _number(cells["value"])
    if value is None or value < 0 or (value > 1 and of is None) or (of is not None and value > of):
        allowed = "a share from 0 to 1; for counts say of" if of is None else f"a count from 0 to {of:g}"
        raise _wrong(path, line, f"value is {shown(cells['value'])}; allowed: {allowed}")
    error = curve.standard_error or 0.0
    if "standard_error" in cells:
        found = _number(cells["standard_error"])
        if found is None or found < 0:
            raise _wrong(
                path,
                line,
                f"standard_error is {shown(cells['standard_error'])}; allowed: a number from 0, in the "
                f"unit of value",
            )
        error = found / of if of else found
    group = cells.get("group", "")
    groups = tuple(base.community.groups)
    if group and group not in groups:
        raise _wrong(
            path,
            line,
            f"group is {shown(group)}; allowed: {', '.join(groups)}, or empty{nearest(group, groups)}",
        )
    return {
        "community": cells.get("community", SOMEWHERE),
        "group": group,
        "week": int(week),
        "value": value / of if of else value,
        "error": error,
    }


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _wrong(path: Path, line: int, sentence: str) -> InvalidDesign:
    return InvalidDesign(str(path), [Fault(line, sentence)])


def _held_out(spec: CalibrationSpec, table: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which rows the fit does not see."""
    held = np.zeros(len(table), np.bool_)
    holdout = spec.holdout
    if isinstance(holdout, str):
        return held
    is_curve = np.asarray(table["target"]) < len(spec.observed.curves)
    if holdout.communities is not None:
        known = tuple(dict.fromkeys(name for name in table["community"][is_curve] if name))
        for place, name in enumerate(holdout.communities):
            if name not in known:
                raise spec.refused(
                    ("holdout", "communities", place),
                    f"holdout.communities[{place}] is {shown(name)}; allowed: "
                    f"{', '.join(known) or NO_COMMUNITIES}{nearest(name, known)}",
                )
        held |= is_curve & np.asarray(table["community"].isin(holdout.communities))
    if holdout.last_weeks is not None:
        last = table.groupby("target")["week"].transform("max")
        held |= is_curve & np.asarray(table["week"] > last - holdout.last_weeks)
    for name in holdout.statistics or ():
        held |= np.asarray(table["target"]) == names.index(name)
    if held.all():
        raise spec.refused(
            ("holdout",), "holdout keeps all that was observed; allowed: less, since nothing is fitted"
        )
    for target in np.unique(np.asarray(table["target"])[is_curve]):
        if held[table["target"] == target].all():
            raise spec.refused(
                ("holdout",),
                f"holdout keeps the whole curve {shown(names[target])}; allowed: less of it, since simple "
                f"forecasts "
                "are fitted to the rest",
            )
    if not held.any():
        raise spec.refused(
            ("holdout",), "holdout keeps nothing; allowed: what some observation belongs to, or none"
        )
    return held


def _in_words(arm: str) -> str:
    return "no campaign" if arm == NONE else arm


def _targets(
    spec: CalibrationSpec, table: pd.DataFrame, base: Scenario, names: Sequence[str]
) -> tuple[Target, ...]:
    targets = []
    for place, curve in enumerate(spec.observed.curves):
        seen = table[(table["target"] == place) & ~table["held_out"]]
        spread = float(np.std(seen["value"]))
        scale = max(spread, float(np.mean(seen["error"])), base.matters)
        outcome = "participation" if curve.outcome == "adopted" else curve.outcome
        words = {
            "participation": "the share who take part",
            "aware": "the share who are aware",
            "adopted": "the share who ever took part (all of whom still do)",
        }
        says = f"{words[curve.outcome]}, week by week, with {_in_words(curve.arm)}"
        targets.append(Target(names[place], True, outcome, curve.arm, None, curve.weight, scale, says))
    for place, found in enumerate(spec.observed.statistics, len(spec.observed.curves)):
        compared = f" minus that with {_in_words(found.against)}" if found.against else ""
        says = f"the mean of {found.outcome} with {_in_words(found.arm)}{compared}"
        targets.append(
            Target(
                names[place], False, found.outcome, found.arm, found.against, found.weight,
                found.standard_error, says,
            )
        )  # fmt: skip
    return tuple(targets)
