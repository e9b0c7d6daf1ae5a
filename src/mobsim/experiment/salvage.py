"""Save what is whole of a damaged ledger into a new one.

The damaged file is only read, page by page, past what SQLite needs to find its way. If a journal lies beside
it, what a process that died had begun is also undone, in a copy. A task is saved if its row, its tables and
its failures all have the digests that were written with them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from mobsim.errors import ResultsError
from mobsim.experiment.failure import Failure
from mobsim.experiment.ledger_file import (
    PAGE,
    Header,
    TaskRow,
    WholeTask,
    bytes_digest,
    failure_digest,
    failure_of,
    header_of,
    journal_of,
    reason_of,
    write_ledger,
)
from mobsim.experiment.lock import WriterLock, lock_file
from mobsim.experiment.pages import Cell, Pages, Value

HEADER_COLUMNS, TASK_COLUMNS, TABLE_COLUMNS, FAILURE_COLUMNS = 3, 9, 2, 6
SECONDS = 5
"""Place of the seconds among the columns of a task."""


class Salvaged(NamedTuple):
    """What was saved.

    Attributes
    ----------
    path : the new ledger.
    saved : how many tasks it holds.
    of : how many tasks belong to it.
    missing : the numbers of those that are not in it.
    old : where the damaged file is now, if the new one took its place.
    """

    path: Path
    saved: int
    of: int
    missing: tuple[int, ...]
    old: Path | None = None


def salvage(path: Path | str, out: Path | str) -> Salvaged:
    """Write a new ledger with every whole task of a damaged one; the sweep can go on with it.

    Parameters
    ----------
    path : the damaged ledger, which stays as it is.
    out : the new ledger; nothing is there yet.

    Raises
    ------
    ResultsError : if nothing can be saved, or the new ledger cannot be written.
    """
    path, out = Path(os.path.abspath(path)), Path(os.path.abspath(out))
    with _remains_of(path) as remains:
        if remains.header is None:
            raise ResultsError(f"{path}: nothing in it can be saved; start the sweep anew")
        lock = WriterLock(out)
        try:
            if out.exists():
                raise ResultsError(f"{out}: a file is there already; name a new one to save into")
            saved: list[int] = []
            write_ledger(out, remains.header, remains.whole_tasks(saved))
        finally:
            lock.release()
        tasks = remains.header.tasks
    there = set(saved)
    return Salvaged(out, len(saved), len(tasks), tuple(n for n in tasks if n not in there))


def repair(path: Path | str) -> Salvaged:
    """Put a ledger of what is whole in the place of a damaged one, which is kept under another name.

    Parameters
    ----------
    path : the damaged ledger. The old file stays beside it, with `damaged` and a number before its name.

    Returns
    -------
    Salvaged : what the ledger holds now.

    Raises
    ------
    ResultsError : if another process is writing it, nothing can be saved, or nothing can be written.
    """
    path = Path(os.path.abspath(path))
    lock = WriterLock(path)
    try:
        old = next(
            name
            for number in count(1)
            if not (name := path.with_name(f"damaged-{number}-{path.name}")).exists()
        )
        saved = path.with_name(f"{path.name}.saved")
        with _explained(path):
            saved.unlink(missing_ok=True)
        found = salvage(path, saved)
        with _explained(path):
            shutil.copyfile(path, old)
            if journal_of(path).exists():
                shutil.copyfile(journal_of(path), journal_of(old))
                journal_of(path).unlink()  # else it would be played back into the new file
            os.replace(saved, path)
            lock_file(saved).unlink(missing_ok=True)
        return found._replace(path=path, old=old)
    finally:
        lock.release()


def count_whole(path: Path) -> tuple[int, int]:
    """Return how many tasks of a ledger are whole, and how many belong to it; (0, 0) if nothing can be read.

    Parameters
    ----------
    path : the ledger.
    """
    try:
        with _remains_of(path) as remains:
            if remains.header is None:
                return 0, 0
            return sum(1 for _ in remains.whole_tasks([])), len(remains.header.tasks)
    except ResultsError:
        return 0, 0


class _Remains:
    """What can be found in the files: the header, rows of tasks, and where tables and failures stand."""

    def __init__(self, files: list[Pages]) -> None:
        self.header: Header | None = None
        self._rows: defaultdict[int, list[TaskRow]] = defaultdict(list)
        self._tables: defaultdict[int, list[tuple[Pages, Cell]]] = defaultdict(list)
        self._failures: defaultdict[int, list[tuple[Pages, Cell]]] = defaultdict(list)
        rows: list[tuple[Value, ...]] = []
        for pages in files:
            for cell in pages.cells():
                self._sort_in(pages, cell, rows)
        header = self.header
        if header is None:
            return
        for columns in rows:
            row = TaskRow.read(columns, header.digest)
            if row is not None and row.number in header.tasks:
                self._rows[row.number].append(row)

    def _sort_in(self, pages: Pages, cell: Cell, rows: list[tuple[Value, ...]]) -> None:
        """Tell by the number of columns what a row is of."""
        columns = pages.width(cell)
        if columns == TABLE_COLUMNS:
            self._tables[cell.rowid].append((pages, cell))
        elif columns == FAILURE_COLUMNS:
            self._failures[cell.rowid].append((pages, cell))
        elif columns == HEADER_COLUMNS and self.header is None:
            values = pages.values(cell)
            self.header = header_of(values[1], values[2]) if values else None
        elif columns == TASK_COLUMNS:
            values = pages.values(cell)
            if values is not None:
                rows.append(_task_columns(cell.rowid, values))

    def whole_tasks(self, saved: list[int]) -> Iterator[WholeTask]:
        """Yield every whole task by number, the last version of each; note its number in `saved`."""
        for number in sorted(self._rows):
            for row in sorted(self._rows[number], key=lambda row: (row.version, row.again), reverse=True):
                task = self._whole(row)
                if task is not None:
                    saved.append(number)
                    yield task
                    break

    def _whole(self, row: TaskRow) -> WholeTask | None:
        packed = [
            self._packed(row.table_id(place), digest)
            for place, digest in enumerate(row.packed_digests.values())
        ]
        failures = [
            self._failure(place, digest)
            for place, digest in zip(row.failure_ids, row.failure_digests, strict=True)
        ]
        if None in packed or None in failures:
            return None
        return WholeTask(
            row, tuple(b for b in packed if b is not None), tuple(f for f in failures if f is not None)
        )

    def _packed(self, rowid: int, digest: str) -> bytes | None:
        for pages, cell in self._tables[rowid]:
            values = pages.values(cell)
            if values is not None and isinstance(values[1], bytes) and bytes_digest(values[1]) == digest:
                return values[1]
        return None

    def _failure(self, rowid: int, digest: str) -> Failure | None:
        for pages, cell in self._failures[rowid]:
            values = pages.values(cell)
            failure = failure_of(values[1:]) if values is not None else None
            if failure is not None and failure_digest(failure) == digest:
                return failure
        return None


def _task_columns(number: int, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the columns of a task as SQLite would: the number stands outside, and 2.0 is written as 2."""
    seconds = values[SECONDS]
    return (
        number, *values[1:SECONDS], float(seconds) if isinstance(seconds, int) else seconds,
        *values[SECONDS + 1 :],
    )  # fmt: skip


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultsError(f"{path}: could not be put right ({reason_of(error)})") from error


@contextmanager
def _remains_of(path: Path) -> Iterator[_Remains]:
    """Read the file, and a copy of it in which SQLite undid what its journal says was only begun."""
    with ExitStack() as stack:
        try:
            files = [stack.enter_context(path.open("rb"))]
            if journal_of(path).exists():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                files.append(stack.enter_context(_undone(path, folder).open("rb")))
        except OSError as error:
            raise ResultsError(f"{path}: cannot be read ({reason_of(error)})") from error
        yield _Remains([Pages(file, PAGE) for file in files])


def _undone(path: Path, folder: Path) -> Path:
    copy = folder / path.name
    shutil.copyfile(path, copy)
    shutil.copyfile(journal_of(path), journal_of(copy))
    with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    return copy
