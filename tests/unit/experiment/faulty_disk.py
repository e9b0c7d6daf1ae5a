"""A disk that fails where it is told to: SQLite's own calls to the system are replaced, as its tests do.

Source: sqlite3_vfs.xSetSystemCall, https://www.sqlite.org/c3ref/vfs.html. Run as a program: each test is a
function below, named by the first argument; it works in the folder named by the second, in forks of its own.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import errno
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.unit.experiment.ledgers import N_TASKS, RECORD, all_of, go_on, make, result_of

from mobsim.errors import ResultsError
from mobsim.experiment.ledger import DamagedLedger, Ledger
from mobsim.experiment.ledger_file import journal_of
from mobsim.experiment.salvage import salvage

WRITE = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, use_errno=True
)
CUT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int64, use_errno=True)
DELETE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, use_errno=True)
HOW = ("full", "full after half", "broken", "killed", "killed after half")


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_name", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        *((f"call_{number}", ctypes.c_void_p) for number in range(13)),
        ("set_system_call", ctypes.c_void_p),
        ("get_system_call", ctypes.c_void_p),
        ("next_system_call", ctypes.c_void_p),
    ]


class FaultyDisk:
    """Counts what SQLite writes, and fails at one place.

    at : number of the write (or cut, or deletion) that fails, from 1; all later ones fail as well.
    how : one of HOW.
    """

    def __init__(self) -> None:
        self.count, self.at, self.how = 0, 0, ""
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_find.restype = ctypes.c_void_p
        where = library.sqlite3_vfs_find(None)
        vfs = _Vfs.from_address(where)
        assert vfs.version >= 3
        set_call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
            vfs.set_system_call
        )
        self._calls = [WRITE(self.write), CUT(self.cut), DELETE(self.delete)]
        names = ((b"pwrite64", b"pwrite"), (b"ftruncate",), (b"unlink",))
        for call, possible in zip(self._calls, names, strict=True):
            pointer = ctypes.cast(call, ctypes.c_void_p)
            assert any(set_call(where, name, pointer) == 0 for name in possible)

    def fail(self, at: int, how: str) -> None:
        self.count, self.at, self.how = 0, at, how

    def write(self, descriptor: int, data: int, length: int, offset: int) -> int:
        def do(most: int) -> int:
            return os.pwrite(descriptor, ctypes.string_at(data, most), offset)

        if self._fails():
            if "half" in self.how and self.count == self.at:
                do(length // 2)
            return self._failed()
        return do(length)

    def cut(self, descriptor: int, length: int) -> int:
        if self._fails() and "full" not in self.how:  # a full disk can be made smaller
            return self._failed()
        os.ftruncate(descriptor, length)
        return 0

    def delete(self, name: bytes) -> int:
        if self._fails() and "full" not in self.how:
            return self._failed()
        try:
            os.unlink(name)
        except FileNotFoundError:
            ctypes.set_errno(errno.ENOENT)
            return -1
        return 0

    def _fails(self) -> bool:
        self.count += 1
        return 0 < self.at <= self.count

    def _failed(self) -> int:
        if "killed" in self.how:
            os.kill(os.getpid(), signal.SIGKILL)
        ctypes.set_errno(errno.ENOSPC if "full" in self.how else errno.EIO)
        return -1


def in_a_fork(do: Callable[[], None]) -> int:
    """Do something in a process of its own; return how it ended (0, or minus the signal)."""
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def write_in_turn(folder: Path) -> None:
    """Fail at every write in turn, in every way, while a ledger is made and filled; then go on."""
    disk = FaultyDisk()
    whole = all_of(make(folder / "whole.sqlite"))
    writes = disk.count
    seen = dict.fromkeys(HOW, 0)
    for how in HOW:
        for at in range(1, writes + 1):
            path = folder / f"{how}-{at}.sqlite".replace(" ", "-")
            ended = in_a_fork(lambda how=how, at=at, path=path: _fill_until_it_fails(disk, at, how, path))
            assert ended == (-signal.SIGKILL if "killed" in how else 0), (how, at, ended)
            _holds_only_whole_tasks(path, whole, path.with_suffix(".kept"))
            go_on(path)
            assert all_of(path) == whole, (how, at)
            seen[how] += 1
            for file in folder.glob(f"{path.stem}.*"):
                file.unlink()
    sys.stdout.write(f"{writes} writes, each failed in {len(seen)} ways" + "\n")


def _fill_until_it_fails(disk: FaultyDisk, at: int, how: str, path: Path) -> None:
    disk.fail(at, how)
    kept = 0
    try:
        with Ledger.create(path, RECORD, N_TASKS) as ledger:
            for number in ledger.missing_tasks():
                ledger.keep(result_of(number))
                kept += 1
                path.with_suffix(".kept").write_text(str(kept))
    except ResultsError as error:
        reason = "disk is full" if "full" in how else "disk i/o error"
        told = str(error)
        assert "\n" not in told
        if path.exists():
            assert f"{kept} of {N_TASKS} tasks are kept" in told, told
        assert reason in told or "unable to open" in told, told
        disk.fail(0, "")


def _holds_only_whole_tasks(path: Path, whole: dict[object, object], kept: Path) -> None:
    """Look that every task that was said to be kept is there, and nothing else than whole tasks."""
    said = int(kept.read_text()) if kept.exists() else 0
    if not path.exists():
        assert said == 0
        return
    found = all_of(path)
    numbers = [number for number in found if isinstance(number, int)]
    assert numbers in (list(range(said)), list(range(said + 1))), (numbers, said)
    assert all(found[key] == whole[key] for key in found)


def size_in_turn(folder: Path) -> None:
    """Let no file grow beyond a size, for all sizes; then go on without that limit."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    whole_path = make(folder / "whole.sqlite")
    whole = all_of(whole_path)
    refused = 0
    largest = whole_path.stat().st_size
    for size in (*range(0, 8192, 1024), *range(8192, largest + 4096, 3072)):
        path = folder / f"{size}.sqlite"

        def fill(size: int = size, path: Path = path) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            try:
                go_on(path)
            except ResultsError as error:
                os._exit(1 if "\n" in str(error) else 3)

        ended = in_a_fork(fill)
        assert ended in (0, 3), (size, ended)
        assert (ended == 0) == (size >= largest), (size, ended)
        refused += ended == 3
        if path.exists():
            found = all_of(path)
            assert all(found[key] == whole[key] for key in found)
        go_on(path)
        assert all_of(path) == whole, size
    sys.stdout.write(f"{refused} sizes too small" + "\n")


def kill_at_random(folder: Path) -> None:
    """Kill a writing process at 50 random times, each time starting again; then let it end."""
    chance = random.Random(5)
    whole = all_of(make(folder / "whole.sqlite"))
    began = time.perf_counter()
    go_on(folder / "timed.sqlite")
    usual = time.perf_counter() - began
    killed_alive, inside, ledgers = 0, 0, 0
    while killed_alive < 50:
        path = folder / f"killed-{ledgers}.sqlite"
        ledgers += 1
        finished = False
        while not finished and killed_alive < 50:
            child = os.fork()
            if child == 0:
                go_on(path)
                os._exit(0)
            time.sleep(chance.random() * usual)
            os.kill(child, signal.SIGKILL)
            finished = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            killed_alive += not finished
            inside += journal_of(path).exists()
        go_on(path)
        assert all_of(path) == whole
    sys.stdout.write(
        f"{killed_alive} kills of a process at work, {inside} inside a transaction, {ledgers} ledgers" + "\n"
    )


def torn_journal(folder: Path) -> None:
    """Kill in the middle of a transaction, then cut the journal: detected, or everything as it was."""
    chance = random.Random(6)
    disk = FaultyDisk()
    whole = all_of(make(folder / "whole.sqlite"))
    writes = disk.count
    fine, detected, saved = 0, 0, 0
    for at in range(1, writes + 1):
        path = folder / f"torn-{at}.sqlite"
        in_a_fork(lambda at=at, path=path: _fill_until_it_fails(disk, at, "killed after half", path))
        journal = journal_of(path)
        if not journal.exists():
            continue
        kept = int(path.with_suffix(".kept").read_text()) if path.with_suffix(".kept").exists() else 0
        ledger_bytes, journal_bytes = path.read_bytes(), journal.read_bytes()
        for _ in range(3):
            path.write_bytes(ledger_bytes)
            journal.write_bytes(journal_bytes[: chance.randrange(len(journal_bytes) + 1)])
            new = folder / "saved.sqlite"
            tasks = _saved(path, new)
            found = all_of(new) if tasks else {}
            assert all(found[key] == whole[key] for key in found)
            assert tasks <= kept + 1
            assert path.read_bytes() == ledger_bytes  # read, not changed
            new.unlink(missing_ok=True)
            try:
                found = all_of(path, writing=True)
                assert all(found[key] == whole[key] for key in found)
                assert len([key for key in found if isinstance(key, int)]) in (kept, kept + 1)
                go_on(path)
                assert all_of(path) == whole
                fine += 1
            except DamagedLedger:
                detected += 1
                saved += tasks
    sys.stdout.write(f"{fine} undone, {detected} detected, of which {saved} tasks were saved" + "\n")


def _saved(path: Path, new: Path) -> int:
    try:
        return salvage(path, new).saved
    except ResultsError as error:
        if "nothing in it can be saved" not in str(error):
            raise
        return 0


if __name__ == "__main__":
    tests: dict[str, Callable[[Path], None]] = {
        "write_in_turn": write_in_turn,
        "size_in_turn": size_in_turn,
        "kill_at_random": kill_at_random,
        "torn_journal": torn_journal,
    }
    tests[sys.argv[1]](Path(sys.argv[2]))
