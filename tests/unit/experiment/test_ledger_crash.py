"""Whatever happens while a ledger is written, what was kept is there, and going on gives the same bytes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.experiment.ledgers import N_TASKS, RECORD, all_of, folder_in_memory, go_on, make, result_of

from mobsim.errors import ResultsError
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.ledger_file import NEW, journal_of

TOP = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and limits as on Unix")


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    with folder_in_memory(tmp_path) as folder:
        yield folder


def program(*arguments: str | Path) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(TOP / "src"), str(TOP)])
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(test: str, folder: Path) -> str:
    with program(TOP / "tests/unit/experiment/faulty_disk.py", test, folder) as process:
        said = process.communicate()[0]
    assert process.returncode == 0, said
    return said


def keep_all(ledger: Ledger) -> None:
    for number in ledger.missing_tasks():
        ledger.keep(result_of(number))


def can_replace_calls() -> bool:
    import _sqlite3

    return sys.platform == "linux" and hasattr(_sqlite3, "__file__")


@pytest.mark.slow
@pytest.mark.skipif(not can_replace_calls(), reason="SQLite's calls to the system cannot be replaced here")
def test_every_write_in_turn_fails_or_is_the_last_of_a_killed_process(quick_folder: Path) -> None:
    said = run("write_in_turn", quick_folder)
    assert said.endswith("writes, each failed in 5 ways\n")
    assert int(said.split()[0]) > 10 * N_TASKS


@pytest.mark.slow
@pytest.mark.skipif(not can_replace_calls(), reason="SQLite's calls to the system cannot be replaced here")
def test_a_cut_journal_is_undone_or_detected(quick_folder: Path) -> None:
    said = run("torn_journal", quick_folder)
    undone, detected = int(said.split()[0]), int(said.split()[2])
    assert undone > 0
    assert detected > 0


def test_no_file_may_grow_beyond_a_size(quick_folder: Path) -> None:
    assert int(run("size_in_turn", quick_folder).split()[0]) > 20


@pytest.mark.slow
def test_killed_at_fifty_random_times(tmp_path: Path) -> None:
    assert run("kill_at_random", tmp_path).startswith("50 kills of a process at work")


@pytest.mark.parametrize("room", range(9))
def test_full_disk_is_one_sentence_and_the_rest_is_kept(tmp_path: Path, room: int) -> None:
    path = make(tmp_path / "ledger.sqlite", range(3))
    whole = all_of(make(tmp_path / "whole.sqlite"))
    with Ledger.open(path, writing=True) as ledger:
        connection = ledger._connection
        assert connection is not None
        ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
        connection.execute(f"PRAGMA max_page_count = {pages + room}")
        with pytest.raises(ResultsError) as raised:
            keep_all(ledger)
        kept = ledger.progress().done
        assert str(raised.value) == (
            f"{path}: the disk is full; {kept} of 8 tasks are kept; free some space and start the same "
            "command again"
        )
        with pytest.raises(ResultsError, match="the ledger is closed"):
            ledger.keep(result_of(7))
    assert len(all_of(path)) == 2 * kept + 1
    go_on(path)
    assert all_of(path) == whole


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    path = make(tmp_path / "ledger.sqlite", [0])
    holds = (
        "import sys, time\n"
        "from mobsim.experiment.ledger import Ledger\n"
        "ledger = Ledger.open(sys.argv[1], writing=True)\n"
        "print('open', flush=True)\n"
        "time.sleep(60)\n"
    )
    with program("-c", holds, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(ResultsError, match=rf"process {process.pid} on .* is writing it; wait until"):
            Ledger.open(path, writing=True)
        assert len(all_of(path)) == 3  # reading goes on
        process.send_signal(signal.SIGKILL)
        process.wait()
    go_on(path)
    assert len(all_of(path)) == 2 * N_TASKS + 1


def test_a_reader_and_the_writer_wait_for_each_other(tmp_path: Path) -> None:
    path = make(tmp_path / "ledger.sqlite", [0])
    reads = (
        "import sys\n"
        "from tests.unit.experiment.ledgers import all_of\n"
        "print('ready', flush=True)\n"
        "for _ in range(60): all_of(sys.argv[1])\n"
    )
    with program("-c", reads, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        go_on(path)
        said = process.communicate()[0]
    assert process.returncode == 0, said


@pytest.mark.parametrize("length", [0, 1, 100, 5000])
def test_a_half_made_ledger_is_made_anew(tmp_path: Path, length: int) -> None:
    whole = make(tmp_path / "whole.sqlite", [])
    path = tmp_path / "ledger.sqlite"
    path.with_name(path.name + NEW).write_bytes(whole.read_bytes()[:length])
    go_on(path)
    assert len(all_of(path)) == 2 * N_TASKS + 1
    assert sorted(file.name for file in tmp_path.glob("ledger*")) == ["ledger.sqlite", "ledger.sqlite.lock"]


def test_a_journal_of_a_ledger_that_is_gone_is_not_played_back(tmp_path: Path) -> None:
    other = make(tmp_path / "other.sqlite", range(3))
    connection = sqlite3.connect(other, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN")
    connection.execute("DELETE FROM tables")
    connection.execute("UPDATE tasks SET version = 9")
    path = tmp_path / "ledger.sqlite"
    journal_of(path).write_bytes(journal_of(other).read_bytes())
    assert journal_of(path).stat().st_size > 1000
    connection.rollback()
    connection.close()
    go_on(path)
    assert len(all_of(path)) == 2 * N_TASKS + 1


def test_an_interrupt_inside_a_transaction_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with Ledger.create(path, RECORD, N_TASKS) as ledger:
        ledger.keep(result_of(0))
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "_write_state", interrupt)
            with pytest.raises(KeyboardInterrupt):
                ledger.keep(result_of(1))
        assert ledger.progress().done == 1
    go_on(path)
    assert len(all_of(path)) == 2 * N_TASKS + 1
