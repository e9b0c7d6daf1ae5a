"""The ledger of a sweep: one SQLite file that keeps every finished task, whatever happens (in the making)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mobsim.errors import ResultsError
from mobsim.experiment.table import Table
from mobsim.experiment.task_result import Failure, TaskResult

__all__ = [
    "DamagedLedger",
    "Failure",
    "Ledger",
    "Progress",
    "Salvaged",
    "TaskResult",
    "salvage",
    "tasks_of_shard",
]


class DamagedLedger(ResultsError):
    """A ledger is not as it was written."""


class Progress(NamedTuple):
    """How far a ledger is: tasks done, runs that failed, tasks in all, runs in the tasks done."""

    done: int
    failed: int
    of: int
    runs: int


class Salvaged(NamedTuple):
    """What could be saved of a damaged ledger: how many tasks, of how many, and which are lost."""

    saved: int
    of: int
    lost: tuple[int, ...]


def tasks_of_shard(n_tasks: int, shard: tuple[int, int] | None) -> range:
    """Return the numbers of a shard's tasks: every n-th; (i, n) counts i from 1. None: all tasks."""
    return range(n_tasks) if shard is None else range(shard[0] - 1, n_tasks, shard[1])


def salvage(path: Path, out: Path) -> Salvaged:
    """Write a new ledger `out` with every whole task of a damaged one, which stays as it is."""
    raise NotImplementedError


class Ledger:
    """A ledger; a context manager that closes it."""

    path: Path
    digest: str
    n_tasks: int
    shard: tuple[int, int] | None
    tasks: range

    @classmethod
    def create(
        cls, path: Path, plan_record: Mapping[str, Any], n_tasks: int, shard: tuple[int, int] | None = None
    ) -> Ledger:
        """Make a ledger and open it for writing; plan_record: plain JSON data with the key `digest`."""
        raise NotImplementedError

    @classmethod
    def open(cls, path: Path, *, writing: bool = False) -> Ledger:
        """Open a ledger. Writing: takes the lock and checks every task."""
        raise NotImplementedError

    def close(self) -> None:
        """Close it and let go of the lock; may be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def header(self) -> dict[str, Any]:
        """The plan record as it was given, with n_tasks and shard ([i, n] or None)."""
        raise NotImplementedError

    def kept_tasks(self) -> list[int]:
        """Numbers of the tasks that are there, in order (also those that are to be tried again)."""
        raise NotImplementedError

    def missing_tasks(self) -> list[int]:
        """Numbers of this ledger's tasks that are to be computed, in order."""
        raise NotImplementedError

    def keep(self, result: TaskResult) -> None:
        """Commit a finished task, with its failures, in one transaction; the same result twice is fine."""
        raise NotImplementedError

    def failures(self) -> list[Failure]:
        """Every failed run, ordered by task, then as the task gave them."""
        raise NotImplementedError

    def retry_failed(self) -> list[int]:
        """Put the tasks with failures back to missing; what they gave stays until the new result is kept."""
        raise NotImplementedError

    def task_tables(self, number: int, names: Sequence[str] | None = None) -> dict[str, Table]:
        """Return the tables of a kept task, checked; names: only these (less is read)."""
        raise NotImplementedError

    def tables(self, name: str) -> Iterator[Table]:
        """Yield a table of every kept task that has it, in the order of tasks, one at a time."""
        raise NotImplementedError

    def progress(self) -> Progress:
        """How far it is."""
        raise NotImplementedError

    def check(self) -> None:
        """Read everything; raise DamagedLedger if anything is not as it was written."""
        raise NotImplementedError
