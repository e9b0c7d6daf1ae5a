"""Who runs the tasks: what every executor promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mobsim.experiment.work import TaskOrder, TaskResult


@dataclass(frozen=True)
class TaskDied:
    """A task that gave no result, because the process that ran it ended or was ended.

    number : of the task.
    reason : in words, such as `the worker was killed (SIGKILL)`.
    """

    number: int
    reason: str


class Executor(Protocol):
    """Runs orders somewhere, never more than a few at once, and gives results as they come."""

    def run(self, orders: Iterator[TaskOrder]) -> Iterator[tuple[TaskOrder, TaskResult | TaskDied]]:
        """Run all orders.

        Parameters
        ----------
        orders : taken one by one, when there is somebody to run the next.
        """

    def close(self) -> None:
        """End all workers, whatever they do."""
