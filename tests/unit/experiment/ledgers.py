"""Made-up results of tasks, and ledgers of them, for tests of what keeps results."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mobsim.experiment.failure import Failure
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.table import Table
from mobsim.experiment.work import TaskResult

MEMORY_DISK = Path("/dev/shm")
N_TASKS = 8
RECORD: dict[str, Any] = {"digest": "ab" * 32, "design": {"question": "Wer nimmt teil? " * 400}}


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """Give a folder in memory where there is one: thousands of flushes to a disk take minutes."""
    if not os.access(MEMORY_DISK, os.W_OK):
        yield otherwise
        return
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        yield Path(folder)


def result_of(number: int, rows: int = 24, n_failed: int = 0) -> TaskResult:
    """Return the result of a task: the same numbers each time, more than fits on a page."""
    random = np.random.default_rng(number)
    arms = ["none", "outreach"] * (rows // 2)
    runs = {"point": [number] * rows, "arm": arms, "participation_fe": random.random(rows)}
    weeks = {
        "point": np.repeat(number, 30 * rows),
        "week": np.tile(np.arange(30), rows),
        "aware": random.random(30 * rows),
    }
    failures = tuple(
        Failure(f"p{number}-c0-l{luck}-outreach", "simulation", "ValueError: no", 'File "x", line 1', 1)
        for luck in range(n_failed)
    )
    return TaskResult(number, {"runs": Table(runs), "weeks": Table(weeks)}, failures, 0.5 * number, rows)


def make(path: Path, numbers: Iterable[int] = range(N_TASKS), shard: tuple[int, int] | None = None) -> Path:
    """Make a ledger with these tasks and close it."""
    with Ledger.create(path, RECORD, N_TASKS, shard) as ledger:
        for number in numbers:
            ledger.keep(result_of(number))
    return path


def go_on(path: Path) -> None:
    """Do as a sweep does: open the ledger or make it, and keep every task that is missing."""
    with Ledger.open(path, writing=True) if path.exists() else Ledger.create(path, RECORD, N_TASKS) as ledger:
        for number in ledger.missing_tasks():
            ledger.keep(result_of(number))


def all_of(path: Path, *, writing: bool = False) -> dict[Any, Any]:
    """Read everything that a ledger yields."""
    with Ledger.open(path, writing=writing) as ledger:
        everything: dict[Any, Any] = {"header": ledger.header()}
        for number in ledger.kept_tasks():
            tables = ledger.task_tables(number)
            everything[number] = {name: table.to_bytes() for name, table in tables.items()}
            everything["failures", number] = ledger.task_failures(number)
        return everything
