from __future__ import annotations

import os
import random
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.ledgers import N_TASKS, RECORD, all_of, folder_in_memory, go_on, make, result_of

from mobsim.errors import ResultsError
from mobsim.experiment.ledger import DamagedLedger, Ledger, Progress
from mobsim.experiment.ledger_file import PAGE, journal_of
from mobsim.experiment.salvage import repair, salvage
from mobsim.experiment.table import Table


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    with folder_in_memory(tmp_path) as folder:
        yield folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The place of a ledger."""
    return tmp_path / "ledger.sqlite"


@contextmanager
def outside(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a ledger as another program would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


# Keeping


def test_what_is_kept_is_read(path: Path) -> None:
    make(path, [4, 0])
    with Ledger.open(path) as ledger:
        assert ledger.header() == {**RECORD, "n_tasks": N_TASKS, "shard": None}
        assert (ledger.digest, ledger.n_tasks, ledger.shard) == (RECORD["digest"], N_TASKS, None)
        assert ledger.kept_tasks() == [0, 4]
        assert ledger.missing_tasks() == [1, 2, 3, 5, 6, 7]
        assert ledger.progress() == Progress(done=2, failed=0, of=N_TASKS, runs=48)
        assert ledger.task_tables(4) == result_of(4).tables
        assert list(ledger.task_tables(4, ["weeks", "unknown"])) == ["weeks"]
        assert list(ledger.tables("runs")) == [result_of(0).tables["runs"], result_of(4).tables["runs"]]
        assert ledger.contents(4) == {name: table.digest for name, table in result_of(4).tables.items()}
        assert ledger.failures() == []
        ledger.check()


def test_a_shard_is_every_nth_task(path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS, (2, 3)) as ledger:
        assert ledger.missing_tasks() == [1, 4, 7]
        ledger.keep(result_of(4))
    with Ledger.open(path) as ledger:
        assert ledger.header()["shard"] == [2, 3]
        assert ledger.shard == (2, 3)
        assert ledger.progress() == Progress(1, 0, 3, 24)


def test_the_same_result_twice_changes_nothing(path: Path) -> None:
    before = all_of(make(path, [0]))
    with Ledger.open(path, writing=True) as ledger:
        ledger.keep(replace(result_of(0), seconds=1234.5))
        with pytest.raises(
            ResultsError, match="task 0 gave other numbers the second time; the first ones are"
        ):
            ledger.keep(replace(result_of(1), number=0))
    assert all_of(path) == before


def test_failures_are_rows_until_a_retry_replaces_them(path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(result_of(3, n_failed=2))
        ledger.keep(result_of(1, n_failed=1))
        ledger.keep(result_of(2))
    with Ledger.open(path, writing=True) as ledger:
        assert [failure.run for failure in ledger.failures()] == [
            "p1-c0-l0-outreach",
            "p3-c0-l0-outreach",
            "p3-c0-l1-outreach",
        ]
        assert ledger.failures()[0] == result_of(1, n_failed=1).failures[0]
        assert ledger.retry_failed() == [1, 3]
        assert ledger.retry_failed() == []
        assert ledger.missing_tasks() == [0, 1, 3, 4, 5, 6, 7]
        assert ledger.progress() == Progress(done=1, failed=3, of=N_TASKS, runs=24)
    with Ledger.open(path, writing=True) as ledger:  # what was there is there until it is replaced
        assert ledger.kept_tasks() == [1, 2, 3]
        assert len(ledger.failures()) == 3
        assert ledger.task_tables(3) == result_of(3).tables
        again = result_of(3, n_failed=1)
        ledger.keep(replace(again, failures=tuple(replace(f, attempt=2) for f in again.failures)))
        ledger.keep(result_of(1))
        assert [(f.run, f.attempt) for f in ledger.failures()] == [("p3-c0-l0-outreach", 2)]
        assert ledger.missing_tasks() == [0, 4, 5, 6, 7]
    with Ledger.open(path, writing=True) as ledger:
        assert ledger.progress() == Progress(done=3, failed=1, of=N_TASKS, runs=72)
        assert ledger.task_failures(2) == ()


def test_a_task_of_which_every_run_failed(path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(replace(result_of(0, n_failed=3), tables={}))
        assert ledger.task_tables(0) == {}
    assert len(all_of(path, writing=True)["failures", 0]) == 3


def test_a_failure_may_say_anything(path: Path) -> None:
    odd = replace(result_of(0, 2, 1).failures[0], traceback="line\x00 \ud800 ü\n")
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(replace(result_of(0), failures=(odd,)))
    with Ledger.open(path, writing=True) as ledger:
        assert ledger.failures()[0].traceback == "line\x00 \\ud800 ü\n"


def test_a_retry_that_is_killed_loses_nothing(path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(result_of(3, n_failed=1))
        before = all_of(path)
        ledger.retry_failed()
        connection = ledger._connection
        assert connection is not None
        connection.execute("PRAGMA max_page_count = 1")  # the disk is full
        with pytest.raises(ResultsError, match="the disk is full"):
            ledger.keep(result_of(3, rows=60))
    assert all_of(path, writing=True) == before


def test_a_reader_sees_a_task_that_was_kept_again_meanwhile(path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(result_of(3, n_failed=1))
        with Ledger.open(path) as reader:
            ledger.retry_failed()
            ledger.keep(result_of(3, rows=30))
            assert len(reader.task_tables(3)["runs"]) == 30


# Two writers


def test_a_second_writer_is_refused(path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS):
        for another in (
            lambda: Ledger.open(path, writing=True),
            lambda: Ledger.create(path, RECORD, N_TASKS),
        ):
            with pytest.raises(
                ResultsError, match=rf"ledger.sqlite: process {os.getpid()} on .* is writing it"
            ):
                another()
        assert list(all_of(path)) == ["header"]
    with Ledger.open(path, writing=True) as ledger, pytest.raises(ResultsError, match="is writing it"):
        salvage_in_place(ledger.path)


def salvage_in_place(path: Path) -> None:
    repair(path)


def test_a_writer_that_came_past_the_lock_is_noticed(path: Path) -> None:
    make(path, [0, 1])
    with Ledger.open(path, writing=True) as ledger:
        path.with_name(path.name + ".lock").unlink()
        with Ledger.open(path, writing=True) as other:
            other.keep(result_of(2))
        with pytest.raises(ResultsError, match="another process has written it meanwhile"):
            ledger.keep(result_of(3))
    with Ledger.open(path, writing=True) as ledger:
        assert ledger.kept_tasks() == [0, 1, 2]


def test_what_is_there_is_not_made_again(path: Path) -> None:
    before = all_of(make(path))
    with pytest.raises(ResultsError, match="a ledger is there already"):
        Ledger.create(path, RECORD, N_TASKS)
    assert all_of(path) == before


# What is no ledger


def test_what_cannot_be_opened_is_one_sentence(path: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    with outside(foreign) as connection:
        connection.execute("CREATE TABLE bookmarks (address TEXT)")
    newer = make(tmp_path / "newer.sqlite")
    with outside(newer) as connection:
        connection.execute("PRAGMA user_version = 2")
    (tmp_path / "empty.sqlite").touch()
    (tmp_path / "text.sqlite").write_text("Dear reader, " * 50)
    for name, said in (
        ("nothing.sqlite", "there is no ledger"),
        ("", "this is a folder; name the ledger in it"),
        ("foreign.sqlite", "this is an SQLite file, but no ledger of a sweep"),
        ("newer.sqlite", "a newer mobsim wrote this ledger (format 2; this one reads 1); update mobsim"),
        ("empty.sqlite", "the ledger is damaged (the file is empty); no task in it is whole"),
        ("text.sqlite", "the ledger is damaged (it does not begin as ledgers do); no task in it is whole"),
    ):
        for writing in (False, True):
            with pytest.raises(ResultsError) as raised:
                Ledger.open(tmp_path / name, writing=writing)
            assert str(raised.value).startswith(f"{str(tmp_path / name).rstrip('/')}: {said}"), raised.value
            assert "\n" not in str(raised.value)
    make(path)
    with pytest.raises(
        ResultsError, match=r"is of another plan \(digest abababababab; this one is cdcdcdcdcdcd\)"
    ):
        Ledger.open(path, digest="cd" * 32)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may do everything")
def test_no_permission(path: Path, tmp_path: Path) -> None:
    make(path)
    path.chmod(0)
    with pytest.raises(ResultsError, match="permission denied"):
        Ledger.open(path)
    path.chmod(stat.S_IRUSR)
    assert len(all_of(path)) == 2 * N_TASKS + 1
    with pytest.raises(ResultsError, match="permission denied"):
        Ledger.open(path, writing=True)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:  # in the middle of writing
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("DELETE FROM tables")
        died = tmp_path / "died.sqlite"
        died.write_bytes(path.read_bytes())
        journal_of(died).write_bytes(journal_of(path).read_bytes())
    died.chmod(stat.S_IRUSR)
    with pytest.raises(ResultsError, match="a process died while it wrote, and what it began can be undone"):
        Ledger.open(died)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(ResultsError, match="permission denied"):
        Ledger.create(tmp_path / "new" / "ledger.sqlite", RECORD, N_TASKS)
    tmp_path.chmod(stat.S_IRWXU)


# Damage


def test_flipped_bytes_are_detected_or_change_nothing(path: Path, tmp_path: Path) -> None:
    make(path, range(5))
    with Ledger.open(path, writing=True) as ledger:  # with pages that are free, and rows that were replaced
        ledger.keep(result_of(5, n_failed=2))
        ledger.retry_failed()
        ledger.keep(result_of(5, n_failed=1))
    whole, after = all_of(path), None
    content = path.read_bytes()
    flipped = tmp_path / "flipped.sqlite"
    chance = random.Random(3)
    first_pages = range(0, 2 * PAGE, 17)
    places = {*range(100), *first_pages, *(chance.randrange(len(content)) for _ in range(300))}
    detected = 0
    for place in sorted(places):
        changed = bytearray(content)
        changed[place] ^= chance.choice((1, 4, 128, 255))
        flipped.write_bytes(changed)
        readable, writable = (yields_the_same(flipped, writing, whole) for writing in (False, True))
        assert readable or not writable
        if writable:
            go_on(flipped)
            after = after or all_of(flipped)
            assert all_of(flipped, writing=True) == after, place
        detected += not writable
    assert detected > 200


def yields_the_same(path: Path, writing: bool, whole: dict[Any, Any]) -> bool:
    """Return whether a ledger can be read, and then look that it yields what it did."""
    try:
        found = all_of(path, writing=writing)
    except ResultsError as error:
        if "\n" in str(error):
            raise
        return False
    assert found == whole
    return True


def test_a_ledger_cut_at_any_length_is_detected_and_saved(path: Path, tmp_path: Path) -> None:
    whole = all_of(make(path))
    content = path.read_bytes()
    cut = tmp_path / "cut.sqlite"
    saved = []
    for length in range(0, len(content), 3001):
        cut.write_bytes(content[:length])
        for writing in (False, True):
            with pytest.raises(DamagedLedger):
                Ledger.open(cut, writing=writing)
        new = tmp_path / f"{length}.sqlite"
        saved.append(saved_of(cut, new, whole))
        assert cut.read_bytes() == content[:length]
    assert saved[0] == 0
    assert saved == sorted(saved)
    assert saved[-1] == N_TASKS - 1


def saved_of(damaged: Path, new: Path, whole: dict[Any, Any]) -> int:
    """Save what can be saved, look that it is as it was and that a sweep could go on with it; count tasks."""
    try:
        found = salvage(damaged, new)
    except ResultsError as error:
        if "nothing in it can be saved" not in str(error):
            raise
        return 0
    there = all_of(new, writing=True)
    assert all(there[key] == whole[key] for key in there)
    assert found.saved == sum(isinstance(key, int) for key in there)
    assert len(found.missing) == N_TASKS - found.saved
    go_on(new)
    assert all_of(new) == whole
    return found.saved


def test_any_page_may_be_lost(path: Path, tmp_path: Path) -> None:
    """All but one: the rows of so few tasks stand on one page, and without their digests nothing is whole."""
    whole = all_of(make(path))
    content = path.read_bytes()
    saved = []
    for begin in range(0, len(content), PAGE):
        path.write_bytes(content[:begin] + bytes(PAGE) + content[begin + PAGE :])
        with pytest.raises(DamagedLedger):
            Ledger.open(path, writing=True)
        saved.append(saved_of(path, tmp_path / f"{begin}.sqlite", whole))
    assert sorted(saved)[0] == 0
    assert sorted(saved)[1] >= N_TASKS - 2
    assert saved[0] == N_TASKS  # also without the page by which SQLite finds all others


def test_a_table_swapped_between_tasks_is_detected(path: Path) -> None:
    make(path)
    with outside(path) as connection:
        rows = dict(connection.execute("SELECT id, packed FROM tables"))
        first, second = sorted(rows)[0], sorted(rows)[2]
        connection.execute("UPDATE tables SET packed = ? WHERE id = ?", (rows[first], second))
        connection.execute("UPDATE tables SET packed = ? WHERE id = ?", (rows[second], first))
    with Ledger.open(path) as ledger:
        assert ledger.task_tables(5) == result_of(5).tables
        with pytest.raises(DamagedLedger, match="task 1: its table runs does not have its"):
            ledger.task_tables(1)
    with pytest.raises(DamagedLedger) as raised:
        Ledger.open(path, writing=True)
    assert str(raised.value) == (
        f"{path}: the ledger is damaged (task 0: its table runs does not have its digest); 6 of 8 tasks are "
        f"whole: `mobsim export {path} --salvage` saves them into a new ledger and leaves this one as it is; "
        "`mobsim sweep DESIGN --repair` goes on with them"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM tasks WHERE number = 3", "tasks that were kept are not there"),
        ("UPDATE tasks SET number = 100 WHERE number = 3", "the row of a task does not have its digest"),
        ("UPDATE tasks SET again = 1 WHERE number = 3", "the row of a task does not have its digest"),
        ("UPDATE tasks SET seconds = 3 WHERE number = 3", "the row of a task does not have its digest"),
        ("UPDATE tasks SET tables = x'ff' WHERE number = 3", "the row of a task does not have its digest"),
        ("DELETE FROM failures", "task 2: its failures do not have their digests"),
        ("UPDATE failures SET attempt = 'x'", "task 2: its failures do not have their digests"),
        ("INSERT INTO failures VALUES (-1, '', '', '', '', 1)", "2 failures are there, and 1 were written"),
        ("INSERT INTO tables VALUES (-1, x'')", "17 tables are there, and 16 were written"),
        ("DELETE FROM tables WHERE id = 64", "task 1: its table runs does not have its digest"),
        ("UPDATE tables SET packed = 5 WHERE id = 64", "task 1: its table runs does not have its digest"),
        ("DELETE FROM state", "tasks that were kept are not there"),
        ("UPDATE state SET tasks = 7", "tasks that were kept are not there"),
        ("UPDATE header SET content = x'00'", "what it says about its plan does not have its digest"),
        ("DELETE FROM header_again", "what it says about its plan does not have its digest"),
        ("DROP TABLE failures", "its tables are not declared as those of a ledger"),
        ("CREATE INDEX extra ON tasks (seconds)", "its tables are not declared as those of a ledger"),
    ],
)
def test_rows_changed_by_another_program_are_detected(path: Path, change: str, said: str) -> None:
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        for number in ledger.missing_tasks():
            ledger.keep(result_of(number, n_failed=number == 2))
    with outside(path) as connection:
        connection.execute(change)
    with pytest.raises(DamagedLedger) as raised:
        Ledger.open(path, writing=True)
    assert f"the ledger is damaged ({said})" in str(raised.value)


def test_the_file_of_another_task_list_is_detected(path: Path, tmp_path: Path) -> None:
    """A row that is whole, but of a ledger of another plan."""
    make(path, [0, 1])
    other = tmp_path / "other.sqlite"
    with Ledger.create(other, {"digest": "cd" * 32}, N_TASKS) as ledger:
        ledger.keep(result_of(1))
    with outside(other) as connection:
        row = connection.execute("SELECT * FROM tasks").fetchone()
    with outside(path) as connection:
        connection.execute(f"REPLACE INTO tasks VALUES ({', '.join('?' * len(row))})", row)
    with pytest.raises(DamagedLedger, match="the row of a task does not have its digest"):
        Ledger.open(path)


# Salvage


def test_salvage_keeps_what_is_to_be_tried_again_and_the_last_version(path: Path, tmp_path: Path) -> None:
    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(result_of(1, n_failed=1))
        ledger.keep(result_of(2, n_failed=2))
        ledger.retry_failed()
        ledger.keep(result_of(1, rows=30))
    with Ledger.open(path) as ledger:
        before = [ledger.whole(number) for number in ledger.kept_tasks()]
    saved = salvage(path, tmp_path / "saved.sqlite")
    assert saved.saved == 2
    assert saved.missing == (0, 3, 4, 5, 6, 7)
    with Ledger.open(saved.path, writing=True) as ledger:
        assert [ledger.whole(number) for number in ledger.kept_tasks()] == before
        assert ledger.missing_tasks() == [0, 2, 3, 4, 5, 6, 7]
    with pytest.raises(ResultsError, match="a file is there already"):
        salvage(path, saved.path)


def test_repair_puts_a_whole_ledger_in_its_place(path: Path) -> None:
    whole = all_of(make(path))
    cut = path.read_bytes()[:-2000]
    for number in (1, 2):
        path.write_bytes(cut)
        saved = repair(path)
        assert saved.path == path
        assert saved.old == path.with_name(f"damaged-{number}-ledger.sqlite")
        assert saved.saved == N_TASKS - 1
        assert path.with_name(f"damaged-{number}-ledger.sqlite").read_bytes() == cut
        go_on(path)
        assert all_of(path, writing=True) == whole


def test_reading_many_tasks_holds_one_at_a_time(path: Path) -> None:
    import tracemalloc

    n_tasks = 60
    with Ledger.create(path, RECORD, n_tasks) as ledger:
        for number in range(n_tasks):
            ledger.keep(replace(result_of(number), tables={"weeks": Table({"x": [float(number)] * 100_000})}))
    with Ledger.open(path) as ledger:
        tracemalloc.start()
        rows = sum(len(table) for table in ledger.tables("weeks"))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert rows == n_tasks * 100_000
    assert most < 5_000_000
