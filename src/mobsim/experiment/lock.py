"""The writer's lock: only one process writes a ledger, and its lock dies with it, however it ends.

The system holds the lock on a small file beside the ledger. The file stays; what it says is who locked it
last, so that a second writer can be told.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
from pathlib import Path

from mobsim.errors import ResultsError

FAR = 1 << 20
"""The byte that is locked on Windows, behind what the file says: there a locked byte cannot be read."""

TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class WriterLock:
    """The lock of a ledger, held from here until `release` or the end of the process.

    Parameters
    ----------
    ledger : the ledger's file, there or not; its folder must be there.

    Raises
    ------
    ResultsError
        if another process holds the lock, or the place cannot be locked.
    """

    def __init__(self, ledger: Path) -> None:
        file = lock_file(ledger)
        try:
            self._descriptor: int | None = os.open(
                file, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ResultsError(f"{file}: cannot be made or opened ({reason})") from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            holder = _holder(self._descriptor)
            self.release()
            if error.errno in TAKEN:
                raise ResultsError(
                    f"{ledger}: {holder} is writing it; wait until it is done, or end it"
                ) from error
            raise ResultsError(
                f"{ledger}: this disk cannot lock files, and two sweeps could spoil each other's results; "
                "choose a folder on another disk"
            ) from error
        _sign(self._descriptor)

    def release(self) -> None:
        """Let go of the lock; may be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def lock_file(ledger: Path) -> Path:
    """Return the file that is locked in the place of a ledger.

    Parameters
    ----------
    ledger : the ledger's file.
    """
    return ledger.with_name(f"{ledger.name}.lock")


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sign(descriptor: int) -> None:
    """Write down who holds the lock; a full disk is no reason to go without it."""
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"process {os.getpid()} on {platform.node() or 'this machine'}\n".encode())
    except OSError:
        return


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, 300).decode(errors="replace").strip() or "another process"
    except OSError:
        return "another process"
