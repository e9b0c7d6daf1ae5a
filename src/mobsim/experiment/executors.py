"""Who runs the tasks: what every executor promises."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mobsim.experiment.work import TaskOrder, TaskResult


@dataclass(frozen=True)
class TaskDied:
    """No result, because the process that ran an order ended or had to be ended.

    reason : in words, such as `the worker was ended by SIGKILL`.
    """

    reason: str


class Patience:
    """After how long a task is overdue.

    Parameters
    ----------
    least : seconds that every task has.
    given : seconds that the user gives; none: `least`, or 30 times what tasks usually take if that is longer.
    """

    TIMES_USUAL = 30.0

    def __init__(self, least: float, given: float | None = None) -> None:
        self._least, self._given = least, given
        self._took: deque[float] = deque(maxlen=200)

    @property
    def usual(self) -> float | None:
        """The median of the seconds that the last tasks took, if there are any."""
        return statistics.median(self._took) if self._took else None

    def learn(self, seconds: float) -> None:
        """Remember how long a task took."""
        self._took.append(seconds)

    def limit(self) -> float:
        """Return after how many seconds a task is overdue."""
        if self._given is not None:
            return self._given
        return max(self._least, self.TIMES_USUAL * (self.usual or 0.0))


Outcome = tuple[TaskOrder, TaskResult | TaskDied]


class Executor(Protocol):
    """Runs orders somewhere, never more than a few at once, and gives what comes of them as it comes."""

    workers: int
    """How many orders run at the same time, as far as known."""

    def run(self, orders: Iterable[TaskOrder], *, alone: bool = False) -> Iterator[Outcome]:
        """Run all orders.

        Parameters
        ----------
        orders : taken one by one, when there is somebody to run the next.
        alone : one at a time, so that what happens is the fault of that order.
        """

    def close(self) -> None:
        """End all workers, whatever they do."""
