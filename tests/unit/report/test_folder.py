"""Results appear complete or not at all: every call to the system fails once, interrupts come at any time."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobsim.errors import ResultsError
from mobsim.report import folder as module
from mobsim.report.folder import append_line, prepare_folder, write_folder

OLD = {"runs.csv": b"old\n" * 50, "figures/a.svg": b"<svg/>", "gone.csv": b"only in the old one"}
NEW = {"runs.csv": b"new\n" * 60, "figures/a.svg": b"<svg>new</svg>", "figures/b.png": b"\x89PNG"}


def bytes_of(place: Path) -> dict[str, bytes]:
    return {f.relative_to(place).as_posix(): f.read_bytes() for f in sorted(place.rglob("*")) if f.is_file()}


class FailingSystem:
    """`os` with one call, the n-th of those that touch the disk, that fails."""

    TOUCHING = ("open", "write", "fsync", "rename", "mkdir", "makedirs", "close", "rmdir")

    def __init__(self, nth: int, error: Callable[[], BaseException], *, half: bool = False) -> None:
        self.nth, self.error, self.half, self.calls = nth, error, half, 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.TOUCHING:
            return real

        def counted(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls != self.nth:
                return real(*args, **options)
            if name == "close":
                real(*args)
            if self.half and name == "write":
                return real(args[0], args[1][: len(args[1]) // 2])
            raise self.error()

        return counted


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def number_of_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    counting = FailingSystem(0, full_disk)
    write_folder(tmp_path / "count" / "digest", OLD)
    with monkeypatch.context() as patched:
        patched.setattr(module, "os", counting)
        write_folder(tmp_path / "count" / "digest", NEW)
    return counting.calls


@pytest.mark.quick
@pytest.mark.parametrize("error", [full_disk, KeyboardInterrupt], ids=["full disk", "interrupt"])
@pytest.mark.parametrize("existing", [True, False], ids=["over old results", "first results"])
def test_whatever_fails_there_is_the_old_or_the_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any, existing: bool
) -> None:
    calls = number_of_calls(tmp_path, monkeypatch)
    assert calls > 20
    outcomes = set()
    for nth in range(1, calls + 1):
        place = tmp_path / str(nth) / "digest"
        if existing:
            write_folder(place, OLD)
        before = OLD if existing else {}
        with monkeypatch.context() as patched:
            patched.setattr(module, "os", FailingSystem(nth, error))
            try:
                write_folder(place, NEW)
                failed = False
            except (ResultsError, KeyboardInterrupt):
                failed = True
        found = bytes_of(place) if place.exists() else {}
        assert found in (before, NEW), f"call {nth} of {calls}"
        if not failed:
            assert found == NEW
        outcomes.add(found == NEW)
        assert [p.name for p in place.parent.glob(".*-digest")] == []
        write_folder(place, NEW)
        assert bytes_of(place) == NEW
    assert False in outcomes


@pytest.mark.quick
def test_a_disk_that_takes_half_a_write_is_asked_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nth in range(1, number_of_calls(tmp_path, monkeypatch) + 1):
        place = tmp_path / str(nth) / "digest"
        with monkeypatch.context() as patched:
            patched.setattr(module, "os", FailingSystem(nth, full_disk, half=True))
            try:
                write_folder(place, NEW)
            except ResultsError:
                continue
        assert bytes_of(place) == NEW


@pytest.mark.quick
def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "os", FailingSystem(5, full_disk))
    with pytest.raises(
        ResultsError, match=r"could not be written .no space left on device.; earlier"
    ) as caught:
        write_folder(tmp_path / "digest", NEW)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.quick
def test_a_power_cut_between_the_two_renames_is_repaired(tmp_path: Path) -> None:
    write_folder(tmp_path / "digest", OLD)
    write_folder(tmp_path / ".new-digest-half", {"runs.csv": b"half"})
    (tmp_path / "digest").rename(tmp_path / ".old-digest")
    prepare_folder(tmp_path)
    assert bytes_of(tmp_path / "digest") == OLD
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "digest"]


@pytest.mark.quick
def test_a_file_in_the_way_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("mine")
    with pytest.raises(ResultsError, match="could not be written"):
        prepare_folder(tmp_path / "results")
    assert (tmp_path / "results").read_text() == "mine"


@pytest.mark.quick
def test_the_log_grows_by_lines(tmp_path: Path) -> None:
    append_line(tmp_path / "log.txt", "one")
    append_line(tmp_path / "log.txt", "two")
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\n"


WRITER = """
import sys
from pathlib import Path
from mobsim.report.folder import write_folder
place = Path(sys.argv[1])
print("ready", flush=True)
for version in range(1, 10_000):
    write_folder(place, {f"figures/{i}.svg": b"%d" % version * 200 for i in range(12)})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_interrupts_at_twenty_times_leave_a_whole_folder(tmp_path: Path) -> None:
    chance = random.Random(20)
    place = tmp_path / "digest"
    for _ in range(20):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.random() * 0.05)
        writer.send_signal(signal.SIGINT)
        writer.wait()
        writer.stdout.close()
        if place.exists():
            found = bytes_of(place)
            assert len(found) == 12
            assert len(set(found.values())) == 1
    prepare_folder(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} <= {".lock", "digest"}
