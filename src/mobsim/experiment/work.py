"""What a worker does: one task, from its order to its tables, with the runs that fail kept apart.

All runs of a task are simulated together. If that fails, they are halved again and again until single runs
fail; these become rows of failures, and all others give what they would have given anyway.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mobsim.experiment.failure import Failure, traceback_of
from mobsim.experiment.table import NOTHING, Column, Table, Words, words_below_each_other
from mobsim.experiment.tasks import RunKey
from mobsim.experiment.worlds import Worlds
from mobsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from mobsim.engine.records import Records
    from mobsim.experiment.plan import SweepPlan

RUNS, WEEKS = "runs", "weeks"
ARM, WEEK = "arm", "week"
KEYS = ("point", ARM, "community", "luck")
DECISIONS, NO_WEEKS = "decisions", "none"

LONGEST = 2000
"""Letters of an error's sentence that are kept."""

Piece = Mapping[str, Column]
"""Rows of a table, in any order, by column; the arm as its place among the arms of the order."""
Pieces = dict[str, list[Piece]]
"""Name of a table -> its pieces."""


@dataclass(frozen=True, eq=False)
class TaskOrder:
    """Everything a worker needs for a task, or for a part of one; it can be pickled.

    number : of the task.
    worlds : makes the scenario at a point.
    points : number of a point -> the values that it sets, by place of the scenario.
    arms, communities, luck : the runs at each point.
    record : which weeks are kept: all, decisions or none.
    """

    number: int
    worlds: Worlds
    points: Mapping[int, Mapping[str, Any]]
    arms: tuple[str, ...]
    communities: tuple[int, ...]
    luck: tuple[int, ...]
    record: str = DECISIONS

    @property
    def n_runs(self) -> int:
        """How many runs it asks for."""
        return len(self.points) * len(self.arms) * len(self.communities) * len(self.luck)

    def runs(self) -> Iterator[RunKey]:
        """Yield every run by point, arm, community and luck."""
        for point, arm, community, luck in product(self.points, self.arms, self.communities, self.luck):
            yield RunKey(point, arm, community, luck)

    def halves(self) -> tuple[TaskOrder, TaskOrder]:
        """Return two orders that hold half of the runs each: of the points, or of what there is several of.

        Raises
        ------
        ValueError : if it is a single run.
        """
        for name in ("points", "communities", "luck", "arms"):
            all_of_it = tuple(getattr(self, name))
            if len(all_of_it) > 1:
                middle = len(all_of_it) // 2
                parts: list[Any] = [all_of_it[:middle], all_of_it[middle:]]
                if name == "points":
                    parts = [{point: self.points[point] for point in part} for part in parts]
                first, second = (replace(self, **{name: part}) for part in parts)
                return first, second
        raise ValueError("a single run has no halves")

    def parts(self, most: int) -> list[TaskOrder]:
        """Return at most so many orders that hold all runs between them.

        Parameters
        ----------
        most : how many, 1 or more.
        """
        parts = [self]
        while len(parts) < most and any(part.n_runs > 1 for part in parts):
            largest = max(range(len(parts)), key=lambda k: parts[k].n_runs)
            parts[largest : largest + 1] = parts[largest].halves()
        return parts


@dataclass(frozen=True, eq=False)
class TaskResult:
    """What a task gave.

    number : of the task.
    tables : name (runs, weeks) -> rows of the runs that went well, ordered by point, arm (as in the order),
        community, luck and week.
    failures : the runs that failed, in the order of runs.
    seconds : processor time it took.
    n_runs : runs of the task, failed ones included.
    """

    number: int
    tables: Mapping[str, Table]
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    n_runs: int = 0


def order_of(plan: SweepPlan, number: int) -> TaskOrder:
    """Return the order for a task of a plan.

    Parameters
    ----------
    plan : the plan of the sweep.
    number : of the task.
    """
    task = plan.tasks[number]
    return TaskOrder(
        number=number,
        worlds=plan.worlds,
        points={point: plan.overrides(point) for point in task.points},
        arms=plan.arms,
        communities=task.communities,
        luck=task.luck,
        record=plan.design.record.weeks,
    )


def run_task(order: TaskOrder) -> TaskResult:
    """Run a task; the same order gives the same tables everywhere, and nothing that a run does raises here.

    Parameters
    ----------
    order : what to run.
    """
    started = time.thread_time()
    failures: list[Failure] = []
    worlds: dict[int, Scenario] = {}
    for point, overrides in order.points.items():
        try:
            worlds[point] = order.worlds.at(overrides)
        except (Exception, SystemExit) as error:
            of_point = replace(order, points={point: overrides})
            failures += [_failure(run, "scenario", error) for run in of_point.runs()]
    pieces: Pieces = {}
    left = replace(order, points={point: order.points[point] for point in worlds})
    if worlds:
        _run_or_halve(left, worlds, order.arms, pieces, failures)
    return TaskResult(
        number=order.number,
        tables=tables_of(pieces, order.arms),
        failures=_in_order(order, failures),
        n_runs=order.n_runs,
        seconds=time.thread_time() - started,
    )


def joined_result(order: TaskOrder, parts: Sequence[TaskResult]) -> TaskResult:
    """Return the result of a task whose parts were run one by one: the same as if it had been run whole.

    Parameters
    ----------
    order : for the whole task.
    parts : results of orders that hold all of its runs between them.
    """
    pieces: Pieces = {}
    for part in parts:
        for name, table in part.tables.items():
            pieces.setdefault(name, []).append(_with_places_of_arms(table, order.arms))
    return TaskResult(
        number=order.number,
        tables=tables_of(pieces, order.arms),
        failures=_in_order(order, [failure for part in parts for failure in part.failures]),
        n_runs=order.n_runs,
        seconds=sum(part.seconds for part in parts),
    )


def dead_run(order: TaskOrder, reason: str, attempt: int) -> TaskResult:
    """Return the result of a single run that ends every process that runs it.

    Parameters
    ----------
    order : for that run.
    reason : how the process ended.
    attempt : how many times it was tried.
    """
    failures = tuple(Failure(str(run), "worker", reason, attempt=attempt) for run in order.runs())
    return TaskResult(number=order.number, tables={}, failures=failures, n_runs=order.n_runs)


def tables_of(pieces: Mapping[str, Sequence[Piece]], arms: Sequence[str]) -> dict[str, Table]:
    """Put the pieces of each table together, rows by point, arm, community, luck and week.

    A column that only some pieces have is empty in the others; columns stand in the order in which the rows
    first have them.

    Parameters
    ----------
    pieces : name of a table -> its pieces; each row stands in one of them.
    arms : the arms in their order.
    """
    tables = {}
    for name, parts in pieces.items():
        by_point = sorted(parts, key=lambda piece: int(_array(piece["point"]).min()))
        columns = {column: _whole(column, by_point) for column in _names(by_point)}
        keys = [_array(columns[key]) for key in (*KEYS, WEEK) if key in columns]
        order = _places_in_order(keys)
        in_order = {
            column: Words(values.codes[order], values.words) if isinstance(values, Words) else values[order]
            for column, values in columns.items()
        }
        tables[name] = Table(in_order | {ARM: Words(_array(in_order[ARM]).astype(np.int32), tuple(arms))})
    return tables


def _names(pieces: Sequence[Piece]) -> list[str]:
    return list(dict.fromkeys(name for piece in pieces for name in piece))


def _whole(name: str, pieces: Sequence[Piece]) -> Column:
    """Put one column of all pieces below each other; NaN, or no word, where a piece does not have it."""
    parts = [piece.get(name) for piece in pieces]
    if any(isinstance(part, Words) for part in parts):
        empty = [Words(np.full(_rows(piece), NOTHING, np.int32), ()) for piece in pieces]
        words = [part if isinstance(part, Words) else none for part, none in zip(parts, empty, strict=True)]
        return words_below_each_other(words)
    return np.concatenate(
        [
            np.full(_rows(piece), np.nan) if part is None else _array(part)
            for part, piece in zip(parts, pieces, strict=True)
        ]
    )


def _rows(piece: Piece) -> int:
    return len(piece["point"])


def _array(column: Column) -> NDArray[Any]:
    assert not isinstance(column, Words)
    return column


def _places_in_order(keys: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the places of rows ordered by several whole numbers, the first before the second and so on."""
    whole = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        span = int(key.max()) + 1
        if span * (int(whole.max()) + 1) >= 2**63:
            return np.lexsort(keys[::-1])
        whole = whole * span + key
    return np.argsort(whole, kind="stable")


def _with_places_of_arms(table: Table, arms: Sequence[str]) -> Piece:
    """Return the columns of a table that `tables_of` made, as a piece for another one."""
    arm = table[ARM]
    assert isinstance(arm, Words)
    place = {name: k for k, name in enumerate(arms)}
    places = np.array([place[word] for word in arm.words], np.int64)
    return {**table.columns, ARM: places[arm.codes]}


def _run_or_halve(
    order: TaskOrder,
    worlds: Mapping[int, Scenario],
    arms: Sequence[str],
    pieces: Pieces,
    failures: list[Failure],
) -> None:
    """Run all runs of an order together, or else those of its halves, down to single runs.

    Rows say which of `arms` they are, those of the whole task, whatever the arms of a half.
    """
    attempt = _Attempt()
    try:
        found = attempt.run(order, worlds, arms)
    except (Exception, SystemExit) as error:
        if order.n_runs == 1:
            failures += [_failure(run, attempt.stage, error) for run in order.runs()]
            return
    else:
        for name, parts in found.items():
            pieces.setdefault(name, []).extend(parts)
        return
    for half in order.halves():
        _run_or_halve(half, worlds, arms, pieces, failures)


class _Attempt:
    """One attempt to run all runs of an order together, which knows how far it came."""

    stage = "community"

    def run(self, order: TaskOrder, worlds: Mapping[int, Scenario], arms: Sequence[str]) -> Pieces:
        """Build, simulate and make the tables."""
        from mobsim.engine.each import build_each, simulate_each

        points = tuple(order.points)
        at_points = [worlds[point] for point in points]
        communities = build_each(at_points, order.communities)
        self.stage = "simulation"
        simulated = simulate_each(at_points, arms=order.arms, communities=communities, luck=order.luck)
        self.stage = "tables"
        pieces: Pieces = {RUNS: []} if order.record == NO_WEEKS else {RUNS: [], WEEKS: []}
        for records in simulated:
            keys = _keys(records, points, arms)
            pieces[RUNS].append(keys | records.run_columns())
            if order.record != NO_WEEKS:
                weeks = records.mean_weeks if order.record == DECISIONS else range(records.end + 1)
                repeated = {name: np.repeat(key, len(weeks)) for name, key in keys.items()}
                pieces[WEEKS].append(repeated | records.week_columns(weeks))
        return pieces


def _keys(records: Records, points: Sequence[int], arms: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return (runs,) the numbers of the point in the sweep, arm, community and luck of each run."""
    place = {arm: k for k, arm in enumerate(arms)}
    runs = [(points[run.point], place[run.arm], run.community, run.luck) for run in records.runs_index]
    return dict(zip(KEYS, np.array(runs, np.int64).T, strict=True))


def _failure(run: RunKey, stage: str, error: BaseException) -> Failure:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return Failure(str(run), stage, said[:LONGEST], traceback_of(error))


def _in_order(order: TaskOrder, failures: Sequence[Failure]) -> tuple[Failure, ...]:
    place = {str(run): k for k, run in enumerate(order.runs())} if failures else {}
    return tuple(sorted(failures, key=lambda failure: place[failure.run]))
