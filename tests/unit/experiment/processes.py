"""Looking at processes from outside, and ending them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are looked at through /proc"
)


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started and that have not ended, helpers of Python left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, its_parent = (folder / "stat").read_text().rsplit(") ", 1)[1].split()[:2]
                command = (folder / "cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            if int(its_parent) == parent and state != "Z" and b"spawn_main" in command:
                found.append(int(folder.name))
    return found


def is_running(process: int) -> bool:
    """Say whether a process is there and not only waiting to be buried."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill(process: int) -> bool:
    """End a process that the test has started; say whether it was there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)
