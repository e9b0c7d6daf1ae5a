"""The ledger of a sweep: one SQLite file that keeps every finished task, whatever happens.

One process writes; it holds the writer's lock. A finished task is one transaction, flushed to the disk
(journal_mode DELETE, synchronous FULL): after a kill, a power cut or a full disk it is there whole or not at
all. Any number of processes may read meanwhile; each reading is short, and the writer waits for it.

Nothing that is damaged is used: every row is covered by a digest, and so is how many rows there are.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from mobsim.errors import ResultsError
from mobsim.experiment.failure import Failure
from mobsim.experiment.ledger_file import (
    APPLICATION_AT,
    CONSTANT,
    FILE_BEGIN,
    FORMAT,
    PAGE,
    SCHEMA,
    SQLITE,
    VERSION_AT,
    Header,
    TaskRow,
    WholeTask,
    add_digests,
    bytes_digest,
    failure_digest,
    failure_of,
    header_of,
    insert_task,
    journal_of,
    reason_of,
    state_columns,
    whole_task,
    write_ledger,
)
from mobsim.experiment.lock import WriterLock
from mobsim.experiment.salvage import count_whole
from mobsim.experiment.table import Table

if TYPE_CHECKING:
    from mobsim.experiment.work import TaskResult

PATIENCE = 60.0
"""Seconds that a reader waits for the writer, and the writer for readers."""

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
SHUT = (sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH)


class DamagedLedger(ResultsError):
    """A ledger is not as it was written."""


class Progress(NamedTuple):
    """How far a ledger is.

    Attributes
    ----------
    done : tasks that need no more work.
    failed : runs that failed, in all tasks that are there.
    of : tasks that belong to the ledger.
    runs : runs of the tasks done, failed ones included.
    """

    done: int
    failed: int
    of: int
    runs: int


class Ledger:
    """A ledger that is open; a context manager that closes it. Made by `create` and `open`.

    Attributes
    ----------
    path : its file.
    writing : whether tasks can be kept.
    """

    def __init__(self, path: Path, lock: WriterLock | None) -> None:
        self.path = path
        self.writing = lock is not None
        self._lock = lock
        self._rows: dict[int, TaskRow] = {}
        self._digests = 0
        self._connection: sqlite3.Connection | None = None
        try:
            _check_file(path, self.writing)
            with self._reading():
                self._connection = _connect(path, self.writing)
                with self._moment() as connection:
                    self._check_schema(connection)
                    self._header = self._read_header(connection)
                    self._read_rows(connection)
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        path: Path | str,
        plan_record: Mapping[str, Any],
        n_tasks: int,
        shard: tuple[int, int] | None = None,
    ) -> Ledger:
        """Make a ledger and open it for writing.

        The file appears complete or not at all: what a killed process began is made anew.

        Parameters
        ----------
        path : its file; folders are made.
        plan_record : what is written about the plan, as JSON can hold it; the key `digest` names the plan.
        n_tasks : tasks of the whole plan.
        shard : (i, n) if this ledger is for every n-th task only, i counted from 1.

        Raises
        ------
        ResultsError : if it is there already, another process makes it, or it cannot be written.
        """
        path = Path(os.path.abspath(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsError(f"{path.parent}: this folder cannot be made ({reason_of(error)})") from error
        lock = WriterLock(path)
        try:
            if path.exists():
                raise ResultsError(f"{path}: a ledger is there already; it can be opened, not made again")
            write_ledger(path, Header(plan_record, n_tasks, shard))
            return cls(path, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path | str, *, writing: bool = False, digest: str | None = None) -> Ledger:
        """Open a ledger.

        Parameters
        ----------
        path : its file.
        writing : whether tasks will be kept: takes the writer's lock, and checks every byte that matters.
            A reader checks the list of tasks now, and each task when it is read.
        digest : of the plan that it must be about; none: any.

        Raises
        ------
        ResultsError
            if it is no ledger, another process is writing it, or it belongs to another plan.
        DamagedLedger
            if it is not as it was written.
        """
        path = Path(os.path.abspath(path))
        _check_file(path, writing)
        ledger = cls(path, WriterLock(path) if writing else None)
        try:
            if digest is not None and ledger.digest != digest:
                raise ResultsError(
                    f"{path}: the ledger is of another plan (digest {ledger.digest[:12]}; this one is "
                    f"{digest[:12]}); choose another folder for results"
                )
            if writing:
                ledger.check()
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """Close it and let go of the lock; may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def digest(self) -> str:
        """The digest of the plan."""
        return self._header.digest

    @property
    def n_tasks(self) -> int:
        """Tasks of the whole plan."""
        return self._header.n_tasks

    @property
    def shard(self) -> tuple[int, int] | None:
        """(i, n) if the ledger is for every n-th task only, i counted from 1."""
        return self._header.shard

    @property
    def tasks(self) -> range:
        """Numbers of the tasks that belong here."""
        return self._header.tasks

    @property
    def plan_record(self) -> Mapping[str, Any]:
        """The plan's record as it was given."""
        return self._header.record

    def header(self) -> dict[str, Any]:
        """Return the plan's record as it was given, and `n_tasks` and `shard` ([i, n] or None)."""
        shard = self.shard
        return {**self._header.record, "n_tasks": self.n_tasks, "shard": list(shard) if shard else None}

    def kept_tasks(self) -> list[int]:
        """Return the numbers of the tasks that are there, in order; also those that are to be tried again."""
        return sorted(self._rows)

    def missing_tasks(self) -> list[int]:
        """Return the numbers of the tasks that are to be computed, in order."""
        return [number for number in self.tasks if number not in self._rows or self._rows[number].again]

    def progress(self) -> Progress:
        """Return how far it is; a reader's ledger says how far it was when it was opened."""
        done = [row for row in self._rows.values() if not row.again]
        failed = sum(row.n_failed for row in self._rows.values())
        return Progress(len(done), failed, len(self.tasks), sum(row.n_runs for row in done))

    def contents(self, number: int) -> dict[str, str]:
        """Return for each table of a kept task the digest of its content, without reading the table.

        Parameters
        ----------
        number : of the task.
        """
        return self._rows[number].contents

    def n_failed(self, number: int) -> int:
        """Return how many runs of a kept task failed.

        Parameters
        ----------
        number : of the task.
        """
        return self._rows[number].n_failed

    def keep(self, result: TaskResult) -> None:
        """Commit a finished task with its failures, in one transaction.

        Parameters
        ----------
        result : of a task that is missing. The same result a second time changes nothing.

        Raises
        ------
        ResultsError
            if it cannot be written: what was there before is still there, and the ledger is closed; or if
            the task is there with other numbers.
        """
        number = result.number
        assert number in self.tasks, f"task {number} does not belong here"
        before = self._rows.get(number)
        task = whole_task(
            number=number,
            tables=result.tables,
            failures=result.failures,
            n_runs=result.n_runs,
            seconds=result.seconds,
            version=before.version + 1 if before else 1,
        )
        if before is not None and not before.again:
            if (task.row.contents, task.row.n_failed) != (before.contents, before.n_failed):
                raise ResultsError(
                    f"{self.path}: task {number} gave other numbers the second time; the first ones are kept"
                )
            return
        with self._writing() as connection:
            if before is not None:
                _delete_task(connection, before)
            insert_task(connection, task, self.digest)
            digests = self._sum_with([task.row])
            self._write_state(connection, len(self._rows) + (before is None), digests)
        self._rows[number], self._digests = task.row, digests

    def failures(self) -> list[Failure]:
        """Return every failed run, by task, and within a task as it gave them.

        Raises
        ------
        DamagedLedger : if they are not as they were written.
        """
        return [failure for number in self.kept_tasks() for failure in self.task_failures(number)]

    def task_failures(self, number: int) -> tuple[Failure, ...]:
        """Return the failed runs of a kept task.

        Parameters
        ----------
        number : of the task.

        Raises
        ------
        DamagedLedger : if they are not as they were written.
        """
        if not self._rows[number].n_failed:
            return ()
        with self._reading(), self._moment() as connection:
            return self._read_failures(connection, self._read_row(connection, number))

    def retry_failed(self) -> list[int]:
        """Put the tasks with failures back to missing; what they gave stays until the new result is kept.

        Returns
        -------
        list of int : numbers of these tasks.

        Raises
        ------
        ResultsError : if it cannot be written.
        """
        failed = [row for _, row in sorted(self._rows.items()) if row.n_failed and not row.again]
        changed = [replace(row, again=True) for row in failed]
        if not changed:
            return []
        with self._writing() as connection:
            for row in changed:
                connection.execute(
                    "UPDATE tasks SET again = 1, digest = ? WHERE number = ?",
                    (row.digest(self.digest), row.number),
                )
            digests = self._sum_with(changed)
            self._write_state(connection, len(self._rows), digests)
        self._digests = digests
        self._rows |= {row.number: row for row in changed}
        return [row.number for row in changed]

    def task_tables(self, number: int, names: Sequence[str] | None = None) -> dict[str, Table]:
        """Return tables of a kept task, each checked against its digest.

        Parameters
        ----------
        number : of the task.
        names : of the tables; those the task does not have are left out. None: all.

        Raises
        ------
        DamagedLedger : if a table is not as it was written.
        """
        return {name: Table.from_bytes(packed) for name, packed in self._packed(number, names).items()}

    def tables(self, name: str) -> Iterator[Table]:
        """Yield one table of every kept task that has it, by task; one is held at a time.

        Parameters
        ----------
        name : of the table.

        Raises
        ------
        DamagedLedger : if a table is not as it was written.
        """
        for number in self.kept_tasks():
            yield from self.task_tables(number, [name]).values()

    def whole(self, number: int) -> WholeTask:
        """Return all that is written about a kept task, checked.

        Parameters
        ----------
        number : of the task.

        Raises
        ------
        DamagedLedger : if it is not as it was written.
        """
        with self._reading(), self._moment() as connection:
            row = self._read_row(connection, number)
            packed = self._read_packed(connection, row, None)
            return WholeTask(row, tuple(packed.values()), self._read_failures(connection, row))

    def check(self) -> None:
        """Read everything and hold it against its digest.

        Raises
        ------
        DamagedLedger : naming what is not as it was written, and how much is whole.
        """
        for number in self.kept_tasks():
            self.whole(number)
        with self._reading(), self._moment() as connection:
            ((found,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                self._refuse(f"SQLite finds: {str(found).splitlines()[-1]}")
            self._read_rows(connection)
            self._check_count(connection, "tables", sum(len(row.contents) for row in self._rows.values()))
            self._check_count(connection, "failures", sum(row.n_failed for row in self._rows.values()))

    # Reading

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        if sorted(found) != sorted(("table", name, name, sql) for name, sql in SCHEMA.items()):
            self._refuse("its tables are not declared as those of a ledger")
        ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
        if self.path.stat().st_size < pages * PAGE:
            self._refuse("its end is missing")

    def _read_header(self, connection: sqlite3.Connection) -> Header:
        one, other = (
            connection.execute(f"SELECT one, content, digest FROM {table}").fetchall()
            for table in ("header", "header_again")
        )
        header = header_of(*one[0][1:]) if one == other and len(one) == 1 else None
        if header is None:
            self._refuse("what it says about its plan does not have its digest")
        return header

    def _read_rows(self, connection: sqlite3.Connection) -> None:
        """Read the list of tasks, and hold it against the number and sum that were written last."""
        rows = {}
        digests = 0
        for columns in connection.execute("SELECT * FROM tasks ORDER BY number"):
            row = TaskRow.read(columns, self.digest)
            if row is None or row.number not in self.tasks:
                self._refuse("the row of a task does not have its digest")
            rows[row.number] = row
            digests = add_digests(digests, self._number_of(row))
        state = connection.execute("SELECT tasks, digests, seal FROM state").fetchall()
        if state != [state_columns(self.digest, len(rows), digests)]:
            self._refuse("tasks that were kept are not there")
        self._rows, self._digests = rows, digests

    def _check_count(self, connection: sqlite3.Connection, table: str, rows: int) -> None:
        ((found,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        if found != rows:
            self._refuse(f"{found} {table} are there, and {rows} were written")

    def _read_row(self, connection: sqlite3.Connection, number: int) -> TaskRow:
        """Return the row of a task as it is now: the writer may have kept the task again since opening."""
        assert number in self._rows, f"task {number} is not there"
        found = connection.execute("SELECT * FROM tasks WHERE number = ?", (number,)).fetchall()
        row = TaskRow.read(found[0], self.digest) if len(found) == 1 else None
        if row is None or row.version < self._rows[number].version:
            self._refuse(f"the row of task {number} does not have its digest")
        return row

    def _packed(self, number: int, names: Sequence[str] | None) -> dict[str, bytes]:
        with self._reading(), self._moment() as connection:
            return self._read_packed(connection, self._read_row(connection, number), names)

    def _read_packed(
        self, connection: sqlite3.Connection, row: TaskRow, names: Sequence[str] | None
    ) -> dict[str, bytes]:
        packed = {}
        for place, (name, digest) in enumerate(row.packed_digests.items()):
            if names is not None and name not in names:
                continue
            found = connection.execute("SELECT packed FROM tables WHERE id = ?", (row.table_id(place),))
            values = [value for (value,) in found]
            if len(values) != 1 or not isinstance(values[0], bytes) or bytes_digest(values[0]) != digest:
                self._refuse(f"task {row.number}: its table {name} does not have its digest")
            packed[name] = values[0]
        return packed

    def _read_failures(self, connection: sqlite3.Connection, row: TaskRow) -> tuple[Failure, ...]:
        ids = row.failure_ids
        found = connection.execute(
            "SELECT run, stage, error, traceback, attempt FROM failures WHERE id >= ? AND id < ? ORDER BY id",
            (ids.start, ids.stop),
        )
        failures = [failure for failure in map(failure_of, found) if failure is not None]
        if [failure_digest(failure) for failure in failures] != row.failure_digests:
            self._refuse(f"task {row.number}: its failures do not have their digests")
        return tuple(failures)

    def _number_of(self, row: TaskRow) -> int:
        return int.from_bytes(row.digest(self.digest), "big")

    # Writing

    def _sum_with(self, rows: Sequence[TaskRow]) -> int:
        """Return the sum of all digests with these rows in the place of what was there of their tasks."""
        old = [self._rows[row.number] for row in rows if row.number in self._rows]
        return add_digests(
            self._digests, *(self._number_of(row) for row in rows), *(-self._number_of(row) for row in old)
        )

    def _write_state(self, connection: sqlite3.Connection, tasks: int, digests: int) -> None:
        state = state_columns(self.digest, tasks, digests)
        connection.execute("UPDATE state SET tasks = ?, digests = ?, seal = ?", state)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that ends committed, or with the ledger closed and everything as it was."""
        assert self.writing, "opened for reading"
        connection = self._open_connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            state = connection.execute("SELECT tasks, digests, seal FROM state").fetchall()
            if state != [state_columns(self.digest, len(self._rows), self._digests)]:
                raise ResultsError(f"{self.path}: another process has written it meanwhile; start again")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(connection)
            raise ResultsError(self._what_happened(error)) from error
        except BaseException:
            self._give_up(connection)
            raise

    def _give_up(self, connection: sqlite3.Connection) -> None:
        """Undo what was begun, and close: what cannot be undone now is undone by whoever opens it next."""
        with suppress(sqlite3.Error):
            connection.rollback()
        self.close()

    def _what_happened(self, error: sqlite3.Error) -> str:
        code = _code(error)
        kept = f"{len(self._rows)} of {len(self.tasks)} tasks are kept"
        if code == sqlite3.SQLITE_FULL:
            return f"{self.path}: the disk is full; {kept}; free some space and start the same command again"
        if code in BUSY:
            return (
                f"{self.path}: another program has been reading it for more than {PATIENCE:.0f} seconds; "
                f"{kept}; end that program and start the same command again"
            )
        return (
            f"{self.path}: a task could not be written ({reason_of(error)}); {kept}; when the disk can be "
            "written again, start the same command again"
        )

    # Errors

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ResultsError(f"{self.path}: the ledger is closed")
        return self._connection

    @contextmanager
    def _moment(self) -> Iterator[sqlite3.Connection]:
        """Read several things as they are at one moment; the writer waits until the end."""
        connection = self._open_connection()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            with suppress(sqlite3.Error):
                connection.rollback()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what SQLite says into one sentence; what cannot be read for no other reason is damaged."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            code = _code(error)
            if code in BUSY:
                raise ResultsError(f"{self.path}: another program keeps it busy; try again") from error
            if code in SHUT:
                raise ResultsError(f"{self.path}: {self._why_shut(error)}") from error
            self._refuse(f"SQLite says: {error}", error)

    def _why_shut(self, error: Exception) -> str:
        if journal_of(self.path).exists():
            return (
                "a process died while it wrote, and what it began can be undone only where this file and its "
                "folder can be written; copy both files, the ledger and its journal, to such a folder"
            )
        return f"cannot be opened ({error}); look at the permissions of the file and its folder"

    def _refuse(self, what: str, cause: Exception | None = None) -> NoReturn:
        raise damaged(self.path, what) from cause


def damaged(path: Path, what: str) -> DamagedLedger:
    """Return the error for a ledger that is not as it was written: what is wrong, and how much is whole.

    Parameters
    ----------
    path : the ledger's file.
    what : is wrong.
    """
    whole, of = count_whole(path)
    if not whole:
        return DamagedLedger(f"{path}: the ledger is damaged ({what}); no task in it is whole: start it anew")
    return DamagedLedger(
        f"{path}: the ledger is damaged ({what}); {whole} of {of} tasks are whole: `mobsim export {path} "
        "--salvage` saves them into a new ledger and leaves this one as it is; `mobsim sweep DESIGN "
        "--repair` goes on with them"
    )


def _check_file(path: Path, writing: bool) -> None:
    """Look at the beginning of the file before SQLite does, which would explain less."""
    if path.is_dir():
        raise ResultsError(f"{path}: this is a folder; name the ledger in it")
    try:
        with path.open("r+b" if writing else "rb") as file:
            begin = file.read(len(FILE_BEGIN))
    except FileNotFoundError as error:
        raise ResultsError(f"{path}: there is no ledger") from error
    except OSError as error:
        raise ResultsError(f"{path}: cannot be opened ({reason_of(error)})") from error
    if writing and not os.access(path.parent, os.W_OK):
        raise ResultsError(
            f"{path}: cannot be written: nothing can be made in its folder (permission denied)"
        )
    if not begin:
        raise damaged(path, "the file is empty")
    if len(begin) < len(FILE_BEGIN) or not begin.startswith(SQLITE):
        raise damaged(path, "it does not begin as ledgers do")
    if begin[APPLICATION_AT] != FILE_BEGIN[APPLICATION_AT]:
        raise ResultsError(f"{path}: this is an SQLite file, but no ledger of a sweep")
    version = int.from_bytes(begin[VERSION_AT], "big")
    if version > FORMAT:
        raise ResultsError(
            f"{path}: a newer mobsim wrote this ledger (format {version}; this one reads {FORMAT}); "
            "update mobsim"
        )
    if any(begin[part] != FILE_BEGIN[part] for part in CONSTANT):
        raise damaged(path, "its beginning is not that of a ledger")


def _connect(path: Path, writing: bool) -> sqlite3.Connection:
    """Open the file; what a process that died left half-written is undone here."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None)
    settings = ["cell_size_check = ON", "trusted_schema = OFF"]
    settings += ["journal_mode = DELETE", "synchronous = FULL"] if writing else ["query_only = ON"]
    try:
        for setting in settings:
            connection.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _delete_task(connection: sqlite3.Connection, row: TaskRow) -> None:
    connection.execute("DELETE FROM tasks WHERE number = ?", (row.number,))
    for place in range(len(row.contents)):
        connection.execute("DELETE FROM tables WHERE id = ?", (row.table_id(place),))
    ids = row.failure_ids
    connection.execute("DELETE FROM failures WHERE id >= ? AND id < ?", (ids.start, ids.stop))


def _code(error: Exception) -> int | None:
    """Return the primary code of an error of SQLite; none if it has none."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
