"""The results folder: it appears complete or not at all, and what was there before stays until then.

All files of a folder are made in memory first, or come piece by piece. They are written into a hidden folder
beside the final one, flushed to the disk, and put in place by renaming. Whatever fails on the way (a full
disk, an interrupt, a power cut) leaves either the old folder or the new one, never half of one:

1. take the lock of the scenario's folder; whatever hidden folders lie there now belong to runs that died:
   put an old folder back if its place is empty, and delete the rest;
2. write and flush every file into `.new-<digest>`;
3. rename an existing `<digest>` to `.old-<digest>`, then `.new-<digest>` to `<digest>`; if the second
   fails, rename back;
4. delete `.old-<digest>`.

This is the only module that writes results.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from mobsim.errors import ResultsError

NEW, OLD, LOCK = ".new-", ".old-", ".lock"

Content = bytes | Iterable[bytes]
"""What a file holds: all of it, or piece by piece for what should not be in memory whole."""


def prepare_folder(parent: Path) -> None:
    """Make the folder for results, clean up after runs that died, and try whether it can be written.

    Called before a long simulation, so that an unwritable place is found out first.

    Parameters
    ----------
    parent : results/<scenario>.

    Raises
    ------
    ResultsError : if the place cannot be used.
    """
    with _explained(parent), _locked(parent):
        _clean_up(parent)
        trial = parent / f"{NEW}trial"
        os.mkdir(trial)
        os.rmdir(trial)


def write_folder(folder: Path, files: Mapping[str, Content]) -> None:
    """Write files into a folder that appears complete or not at all.

    Parameters
    ----------
    folder : results/<scenario>/<digest>; an existing folder of that name is replaced.
    files : path inside the folder, with forward slashes -> content. Pieces are asked for when the file is
        written, in the order of the files.

    Raises
    ------
    ResultsError : if anything cannot be written; the old folder is then as it was.
    """
    parent, new, old = folder.parent, folder.parent / (NEW + folder.name), folder.parent / (OLD + folder.name)
    with _explained(folder), _locked(parent):
        _clean_up(parent)
        try:
            _write_all(new, files)
            _swap(new, folder, old)
        finally:
            _delete(new)
            if folder.exists():  # else the old folder could not go back yet; the next start does it
                _delete(old)


def append_line(file: Path, line: str) -> None:
    """Add one line to a log that belongs to no results folder.

    Parameters
    ----------
    file : such as results/<scenario>/log.txt.
    line : without a line end.

    Raises
    ------
    ResultsError : if it cannot be written.
    """
    with _explained(file):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            _write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


def _write_all(new: Path, files: Mapping[str, Content]) -> None:
    folders = {new, *((new / name).parent for name in files)}
    for folder in sorted(folders):
        os.makedirs(folder, exist_ok=True)
    for name, content in files.items():
        descriptor = os.open(
            new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
        )
        try:
            for piece in (content,) if isinstance(content, bytes) else content:
                _write(descriptor, piece)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for folder in sorted(folders):
        _flush_folder(folder)


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it: the system may take less at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Put the new folder in the place of the old one; an interrupt waits until that is done or undone."""
    with _interrupts_wait():
        replaced = folder.exists()
        if replaced:
            os.rename(folder, old)
        try:
            os.rename(new, folder)
        except BaseException:
            if replaced:
                os.rename(old, folder)
            raise
    with suppress(OSError):  # the new folder stands and is complete, whatever the disk says now
        _flush_folder(folder.parent)


def _clean_up(parent: Path) -> None:
    """Finish what a dead run left: its old folder goes back if the place is empty, its new one goes away."""
    for left in sorted(parent.glob(f"{OLD}*")):
        place = parent / left.name.removeprefix(OLD)
        if place.exists():
            _delete(left)
        else:
            os.rename(left, place)
    for left in parent.glob(f"{NEW}*"):
        _delete(left)


def _delete(folder: Path) -> None:
    """Delete a hidden folder; one that resists is left for the next start."""
    shutil.rmtree(folder, ignore_errors=True)


def _flush_folder(folder: Path) -> None:
    """Make renames and new names last through a power cut; only POSIX can flush a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    """Turn the system's error into one sentence."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ResultsError(
            f"{place}: results could not be written ({reason}); earlier results are as they were"
        ) from error


@contextmanager
def _locked(parent: Path) -> Iterator[None]:
    """Hold the lock of a folder; the system lets go of it when the process ends, however it ends."""
    os.makedirs(parent, exist_ok=True)
    descriptor = os.open(parent / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Wait for the lock; disks without locks go without, and two runs must then not share a folder."""
    if sys.platform == "win32":
        import msvcrt

        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
                break
            except OSError:  # it gives up after ten seconds
                continue
    else:
        import fcntl

        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
    for waiting in came:
        signal.raise_signal(waiting)
