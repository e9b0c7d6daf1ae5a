"""What a worker does: one task, from its order to its tables, with the runs that fail kept apart.

All runs of a task are simulated together. If that fails, they are halved again and again until single runs
fail; these become rows of failures, and all others give what they would have given anyway.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from mobsim.experiment.failure import Failure
from mobsim.experiment.table import Table
from mobsim.experiment.tasks import RunKey
from mobsim.experiment.worlds import Worlds
from mobsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.engine.records import Records
    from mobsim.experiment.plan import SweepPlan

RUNS, WEEKS = "runs", "weeks"
KEYS = ("point", "arm", "community", "luck")
DECISIONS, NO_WEEKS = "decisions", "none"

LONGEST = 2000
"""Letters of an error's sentence that are kept."""

Frames = dict[str, list["pd.DataFrame"]]
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
    frames: Frames = {}
    left = replace(order, points={point: order.points[point] for point in worlds})
    if worlds:
        _run_or_halve(left, worlds, frames, failures)
    return TaskResult(
        number=order.number,
        tables=tables_of(frames, order.arms),
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
    frames: Frames = {}
    for part in parts:
        for name, table in part.tables.items():
            frames.setdefault(name, []).append(table.to_frame())
    return TaskResult(
        number=order.number,
        tables=tables_of(frames, order.arms),
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


def tables_of(frames: Mapping[str, Sequence[pd.DataFrame]], arms: Sequence[str]) -> dict[str, Table]:
    """Put the pieces of each table together, rows by point, arm, community, luck and week.

    A column that only some pieces have is empty in the others; columns stand in the order in which the rows
    first have them.

    Parameters
    ----------
    frames : name of a table -> its pieces; each row stands in one of them.
    arms : the arms in their order.
    """
    import numpy as np
    import pandas as pd

    code = {arm: place for place, arm in enumerate(arms)}
    tables = {}
    for name, pieces in frames.items():
        by_point = sorted(pieces, key=lambda piece: int(piece["point"].min()))
        whole = pd.concat(by_point, ignore_index=True)
        keys = [whole["point"], whole["arm"].map(code), whole["community"], whole["luck"]]
        keys += [whole["week"]] if name == WEEKS else []
        tables[name] = Table.from_frame(whole.iloc[np.lexsort(keys[::-1])])
    return tables


def _run_or_halve(
    order: TaskOrder, worlds: Mapping[int, Scenario], frames: Frames, failures: list[Failure]
) -> None:
    """Run all runs of an order together, or else those of its halves, down to single runs."""
    attempt = _Attempt()
    try:
        found = attempt.run(order, worlds)
    except (Exception, SystemExit) as error:
        if order.n_runs == 1:
            failures += [_failure(run, attempt.stage, error) for run in order.runs()]
            return
    else:
        for name, pieces in found.items():
            frames.setdefault(name, []).extend(pieces)
        return
    for half in order.halves():
        _run_or_halve(half, worlds, frames, failures)


class _Attempt:
    """One attempt to run all runs of an order together, which knows how far it came."""

    stage = "community"

    def run(self, order: TaskOrder, worlds: Mapping[int, Scenario]) -> Frames:
        """Build, simulate and make the tables."""
        from mobsim.engine.each import build_each, simulate_each

        points = tuple(order.points)
        at_points = [worlds[point] for point in points]
        communities = build_each(at_points, order.communities)
        self.stage = "simulation"
        simulated = simulate_each(at_points, arms=order.arms, communities=communities, luck=order.luck)
        self.stage = "tables"
        frames: Frames = {RUNS: []} if order.record == NO_WEEKS else {RUNS: [], WEEKS: []}
        for members, records in simulated:
            numbers = [points[k] for k in members]
            frames[RUNS].append(_with_points(records.runs(), numbers))
            if order.record != NO_WEEKS:
                frames[WEEKS].append(_with_points(_weeks(records, order.record), numbers))
        return frames


def _weeks(records: Records, which: str) -> pd.DataFrame:
    weeks = records.weeks()
    return weeks[weeks["week"].isin(records.mean_weeks)] if which == DECISIONS else weeks


def _with_points(table: pd.DataFrame, points: Sequence[int]) -> pd.DataFrame:
    """Give each row the number of its point in the sweep, and put the keys first."""
    import numpy as np

    place = table.pop("point").to_numpy() if "point" in table else np.zeros(len(table), np.int64)
    table.insert(0, "point", np.asarray(points, np.int64)[place])
    return table[[*KEYS, *(name for name in table if name not in KEYS)]]


def _failure(run: RunKey, stage: str, error: BaseException) -> Failure:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return Failure(str(run), stage, said[:LONGEST], "".join(traceback.format_exception(error)))


def _in_order(order: TaskOrder, failures: Sequence[Failure]) -> tuple[Failure, ...]:
    place = {str(run): k for k, run in enumerate(order.runs())} if failures else {}
    return tuple(sorted(failures, key=lambda failure: place[failure.run]))
