"""What a ledger's file holds, row by row, and how a new file appears: whole, or not at all.

- `header` and `header_again`: the same twice: the plan's record, as JSON, and its digest.
- `tasks`: one row a finished task. Its digest covers the plan's digest, the row, its tables and failures.
- `tables`: the packed tables of the tasks. `failures`: one row a failed run.
- `state`: how many tasks there are, and the sum of their digests, so that a row that went missing is missed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobsim.errors import ResultsError
from mobsim.experiment.failure import Failure
from mobsim.experiment.table import Table

APPLICATION = 0x6D6F6273
"""What the SQLite file says it belongs to: `mobs`."""

FORMAT = 1
"""The version of all this."""

PAGE = 4096
"""Bytes in a page of the file."""

SCHEMA = {
    "header": "CREATE TABLE header (one INTEGER PRIMARY KEY, content BLOB, digest BLOB)",
    "header_again": "CREATE TABLE header_again (one INTEGER PRIMARY KEY, content BLOB, digest BLOB)",
    "state": "CREATE TABLE state (one INTEGER PRIMARY KEY, tasks INTEGER, digests BLOB, seal BLOB)",
    "tasks": (
        "CREATE TABLE tasks (number INTEGER PRIMARY KEY, version INTEGER, again INTEGER, n_runs INTEGER, "
        "n_failed INTEGER, seconds REAL, tables TEXT, failures TEXT, digest BLOB)"
    ),
    "tables": "CREATE TABLE tables (id INTEGER PRIMARY KEY, packed BLOB)",
    "failures": (
        "CREATE TABLE failures (id INTEGER PRIMARY KEY, run TEXT, stage TEXT, error TEXT, traceback TEXT, "
        "attempt INTEGER)"
    ),
}

MOST_TABLES = 64
"""Tables of a task: table k of task t has the id 64 t + k."""

MOST_FAILURES = 1 << 24
"""Failures of a task: failure k of task t has the id 2^24 t + k."""

SQLITE = b"SQLite format 3\0"
FILE_BEGIN = b"".join(
    (
        SQLITE,
        PAGE.to_bytes(2, "big"),
        bytes((1, 1, 0, 64, 32, 32)),  # written and read with a rollback journal; nothing kept free; fixed
        bytes(20),
        (4).to_bytes(4, "big"),  # the form of the schema
        bytes(8),
        (1).to_bytes(4, "big"),  # words are UTF-8
        FORMAT.to_bytes(4, "big"),
        bytes(4),
        APPLICATION.to_bytes(4, "big"),
    )
)
"""How a ledger's file begins (The SQLite database file format, 1.3), with zeros for what changes."""

CONSTANT = (slice(0, 24), slice(44, 48), slice(56, 64), slice(68, 72))
VERSION_AT, APPLICATION_AT = slice(60, 64), slice(68, 72)

NEW = ".new"
"""Ending of a ledger that is being made."""


@dataclass(frozen=True)
class Header:
    """What a ledger is about.

    Parameters
    ----------
    record : the plan's record; its `digest` names the plan.
    n_tasks : tasks of the whole plan.
    shard : (i, n) if this ledger is for every n-th task only, i counted from 1.
    """

    record: Mapping[str, Any]
    n_tasks: int
    shard: tuple[int, int] | None

    @property
    def digest(self) -> str:
        """The digest of the plan."""
        return str(self.record["digest"])

    @property
    def tasks(self) -> range:
        """Numbers of the tasks that belong here."""
        return tasks_of_shard(self.n_tasks, self.shard)

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return _json({"record": dict(self.record), "n_tasks": self.n_tasks, "shard": self.shard})

    @classmethod
    def from_bytes(cls, content: bytes) -> Header:
        """Return what `to_bytes` wrote."""
        data = json.loads(content)
        return cls(data["record"], data["n_tasks"], tuple(data["shard"]) if data["shard"] else None)


def header_of(content: Any, digest: Any) -> Header | None:
    """Return the header that two columns hold, or None if it does not have its digest.

    Parameters
    ----------
    content, digest : as they were read.
    """
    if not isinstance(content, bytes) or hashlib.sha256(content).digest() != digest:
        return None
    return Header.from_bytes(content)


@dataclass(frozen=True)
class TaskRow:
    """One row of `tasks`: everything about a finished task, its tables and failures by their digests.

    Parameters
    ----------
    number : of the task.
    version : 1, and one more each time the task is kept again.
    again : whether the task is to be tried again.
    n_runs, n_failed : runs of the task, and how many of them failed.
    seconds : processor time it took.
    tables : JSON: for each table its name, the digest of its bytes here, and the digest of its content.
    failures : JSON: the digest of each of its failures.
    """

    number: int
    version: int
    again: bool
    n_runs: int
    n_failed: int
    seconds: float
    tables: str
    failures: str

    def digest(self, plan: str) -> bytes:
        """Return the digest of the row in a ledger of a plan.

        Parameters
        ----------
        plan : the digest of the plan.
        """
        return hashlib.sha256(_json([plan, *self._values()])).digest()

    def columns(self, plan: str) -> tuple[Any, ...]:
        """Return the values of the row's columns in the order of the schema."""
        return *self._values(), self.digest(plan)

    def _values(self) -> tuple[Any, ...]:
        return (
            self.number, self.version, int(self.again), self.n_runs, self.n_failed,
            self.seconds, self.tables, self.failures,
        )  # fmt: skip

    @classmethod
    def read(cls, columns: Sequence[Any], plan: str) -> TaskRow | None:
        """Return the row that some columns hold, or None if they do not have their digest.

        Parameters
        ----------
        columns : as they were read.
        plan : the digest of the plan.
        """
        try:
            number, version, again, n_runs, n_failed, seconds, tables, failures, digest = columns
            row = cls(number, version, bool(again), n_runs, n_failed, seconds, tables, failures)
            return row if row.columns(plan) == (*columns[:-1], digest) else None
        except (TypeError, ValueError):
            return None

    @property
    def packed_digests(self) -> dict[str, str]:
        """Name of each table -> digest of its bytes in this ledger, in the order of their ids."""
        return {name: packed for name, packed, _ in json.loads(self.tables)}

    @property
    def contents(self) -> dict[str, str]:
        """Name of each table -> digest of its content: equal for equal results."""
        return {name: content for name, _, content in json.loads(self.tables)}

    @property
    def failure_digests(self) -> list[str]:
        """The digests of its failures, in the order of their ids."""
        digests: list[str] = json.loads(self.failures)
        return digests

    def table_id(self, place: int) -> int:
        """Return the id of one of its tables.

        Parameters
        ----------
        place : of the table among the task's.
        """
        return self.number * MOST_TABLES + place

    @property
    def failure_ids(self) -> range:
        """The ids of its failures."""
        return range(self.number * MOST_FAILURES, self.number * MOST_FAILURES + self.n_failed)


@dataclass(frozen=True)
class WholeTask:
    """A task with all it needs to be written into a ledger.

    Parameters
    ----------
    row : its row.
    packed : the bytes of its tables, in order.
    failures : its failures, in order.
    """

    row: TaskRow
    packed: tuple[bytes, ...]
    failures: tuple[Failure, ...]


def whole_task(
    number: int,
    tables: Mapping[str, Table],
    failures: Sequence[Failure],
    n_runs: int,
    seconds: float,
    version: int,
) -> WholeTask:
    """Return a task's result as it is written.

    Parameters
    ----------
    number, tables, failures, n_runs, seconds : as in the result of a task.
    version : 1, and one more each time the task is kept again.
    """
    assert len(tables) <= MOST_TABLES
    assert len(failures) <= MOST_FAILURES
    packed = {name: table.to_bytes() for name, table in tables.items()}
    listed = [[name, bytes_digest(b), tables[name].digest] for name, b in packed.items()]
    written = tuple(_writable(failure) for failure in failures)
    row = TaskRow(
        number=int(number),
        version=version,
        again=False,
        n_runs=int(n_runs),
        n_failed=len(written),
        seconds=float(seconds),
        tables=_json(listed).decode(),
        failures=_json([failure_digest(failure) for failure in written]).decode(),
    )
    return WholeTask(row, tuple(packed.values()), written)


def tasks_of_shard(n_tasks: int, shard: tuple[int, int] | None) -> range:
    """Return the numbers of a shard's tasks: every n-th.

    Parameters
    ----------
    n_tasks : tasks of the plan.
    shard : (i, n), i counted from 1; None: all tasks.

    Examples
    --------
    >>> list(tasks_of_shard(7, (2, 3)))
    [1, 4]
    """
    return range(n_tasks) if shard is None else range(shard[0] - 1, n_tasks, shard[1])


def bytes_digest(packed: bytes) -> str:
    """Return the digest of bytes as they stand in the file."""
    return hashlib.sha256(packed).hexdigest()


def failure_digest(failure: Failure) -> str:
    """Return the digest of a failed run."""
    return hashlib.sha256(_json(failure_columns(failure))).hexdigest()


def failure_of(columns: Sequence[Any]) -> Failure | None:
    """Return the failure that some columns hold, or None if they hold something else.

    Parameters
    ----------
    columns : as they were read, without the id.
    """
    kinds = (str, str, str, str, int)
    if len(columns) != len(kinds) or not all(map(isinstance, columns, kinds)):
        return None
    return Failure(*columns)


def failure_columns(failure: Failure) -> tuple[str, str, str, str, int]:
    """Return the values of a failure's columns, after the id."""
    return failure.run, failure.stage, failure.error, failure.traceback, failure.attempt


def state_columns(plan: str, tasks: int, digests: int) -> tuple[int, bytes, bytes]:
    """Return the values of the row of `state`, after the first.

    Parameters
    ----------
    plan : the digest of the plan.
    tasks : how many tasks there are.
    digests : the sum of their digests as whole numbers, below 2^256.
    """
    total = digests.to_bytes(32, "big")
    return tasks, total, hashlib.sha256(b"state" + _json([plan, tasks]) + total).digest()


def add_digests(digests: int, *more: int) -> int:
    """Return a sum of digests, below 2^256; take away by adding a negative one."""
    return (digests + sum(more)) % (1 << 256)


def insert_task(connection: sqlite3.Connection, task: WholeTask, plan: str) -> None:
    """Write the rows of a task, inside a transaction.

    Parameters
    ----------
    connection : to the ledger.
    task : the task; nothing of it is there.
    plan : the digest of the plan.
    """
    row = task.row
    connection.execute(f"INSERT INTO tasks VALUES ({_marks(9)})", row.columns(plan))
    for place, packed in enumerate(task.packed):
        connection.execute("INSERT INTO tables VALUES (?, ?)", (row.table_id(place), packed))
    for rowid, failure in zip(row.failure_ids, task.failures, strict=True):
        connection.execute(f"INSERT INTO failures VALUES ({_marks(6)})", (rowid, *failure_columns(failure)))


def write_ledger(path: Path, header: Header, tasks: Iterable[WholeTask] = ()) -> None:
    """Write a new ledger: under another name first, then, complete and flushed, in its place.

    Parameters
    ----------
    path : where it will be; nothing is there, and the caller holds its lock.
    header : what it is about.
    tasks : what it holds from the start.

    Raises
    ------
    ResultsError : if it cannot be written; nothing is then there.
    """
    new = path.with_name(path.name + NEW)
    with _explained(path):
        try:
            _delete(new)
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                _fill(connection, header, tasks)
            _flush(new)
            journal_of(path).unlink(missing_ok=True)  # left of a ledger that is gone: it would be played back
            os.rename(new, path)
            _flush_folder(path.parent)
        finally:
            with suppress(OSError):
                _delete(new)


def _fill(connection: sqlite3.Connection, header: Header, tasks: Iterable[WholeTask]) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for create in SCHEMA.values():
        connection.execute(create)
    content = header.to_bytes()
    for table in ("header", "header_again"):
        row = (1, content, hashlib.sha256(content).digest())
        connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", row)
    number, digests = 0, 0
    for task in tasks:
        insert_task(connection, task, header.digest)
        number += 1
        digests = add_digests(digests, int.from_bytes(task.row.digest(header.digest), "big"))
    state = state_columns(header.digest, number, digests)
    connection.execute("INSERT INTO state VALUES (1, ?, ?, ?)", state)
    connection.execute("COMMIT")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = reason_of(error)
        raise ResultsError(f"{path}: the ledger could not be made ({reason}); nothing was written") from error


def reason_of(error: OSError | sqlite3.Error) -> str:
    """Return why the system refused, in its own words."""
    return str(getattr(error, "strerror", None) or error).lower()


def _delete(path: Path) -> None:
    """Delete a file that was never finished, and its journal."""
    for file in (path, journal_of(path)):
        file.unlink(missing_ok=True)


def journal_of(path: Path) -> Path:
    """Return where SQLite keeps the journal of a file while it writes."""
    return path.with_name(f"{path.name}-journal")


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make a new name last through a power cut; only POSIX can flush a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _writable(failure: Failure) -> Failure:
    """Return the failure in letters that UTF-8 can hold: what was raised may hold anything."""
    run, stage, error, traceback = (
        text.encode("utf-8", "backslashreplace").decode() for text in failure_columns(failure)[:4]
    )
    return Failure(run, stage, error, traceback, int(failure.attempt))


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _marks(number: int) -> str:
    return ", ".join("?" * number)
