"""What a worker does: one task, from its order to its tables, with the runs that fail kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from mobsim.experiment.failure import Failure
    from mobsim.experiment.plan import SweepPlan
    from mobsim.experiment.table import Table


@dataclass(frozen=True, eq=False)
class TaskOrder:
    """Everything a worker needs for a task, or for a part of one; it can be pickled.

    number : of the task.
    document : the scenario file as plain data; folder : where files that it names are looked for.
    name : the scenario's name if the document gives none.
    points : number of a point -> values by place of the scenario file, those that all points share included.
    arms, communities, luck : the runs at each point.
    record : which weeks are kept: all, decisions or none.
    attempt : 1, and more where failed runs are tried again.
    """

    number: int
    document: Mapping[str, Any]
    folder: Path | None
    name: str
    points: Mapping[int, Mapping[str, Any]]
    arms: tuple[str, ...]
    communities: tuple[int, ...]
    luck: tuple[int, ...]
    record: str = "decisions"
    attempt: int = 1

    @property
    def n_runs(self) -> int:
        """How many runs it asks for."""
        return len(self.points) * len(self.arms) * len(self.communities) * len(self.luck)


@dataclass(frozen=True, eq=False)
class TaskResult:
    """What a task gave.

    number : of the task.
    tables : runs and weeks; rows ordered by point, arm (as in the order), community, luck (and week).
    failures : the runs that failed, in the same order.
    n_runs : runs asked for, failed ones included.
    seconds : processor time, which is no part of what the ledger's digests cover.
    """

    number: int
    tables: Mapping[str, Table]
    failures: tuple[Failure, ...]
    n_runs: int
    seconds: float = field(default=0.0, compare=False)


def order_of(plan: SweepPlan, number: int, *, attempt: int = 1) -> TaskOrder:
    """Return the order for a task of a plan.

    Parameters
    ----------
    plan : the plan of the sweep.
    number : of the task.
    attempt : 1, and more where failed runs are tried again.
    """
    raise NotImplementedError


def run_task(order: TaskOrder) -> TaskResult:
    """Run a task; the same order gives the same bytes everywhere, and nothing that a run does raises here.

    Parameters
    ----------
    order : what to run.
    """
    raise NotImplementedError
