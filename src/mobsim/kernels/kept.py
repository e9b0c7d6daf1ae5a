"""Where compiled kernels are kept, so that they are compiled once.

They lie in a folder of the user's, or in `NUMBA_CACHE_DIR`, in a subfolder named after a digest of all kernel
sources: numba itself looks at one file at a time and would keep using a kernel whose callee in another file
has changed. Where nothing can be written, nothing is kept, and nothing fails. Files appear whole or not at
all; a file that cannot be read is compiled anew.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

SECONDS = 15
"""About how long compiling takes."""
_PATIENCE = 300.0
"""Seconds to wait for another process that compiles the same kernel."""
_told: list[str] = []


@cache
def cache_folder() -> str | None:
    """Return the folder for compiled kernels, or none where nothing can be written (then nothing is kept)."""
    if counts_work():
        return None
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    name = f"{digest.hexdigest()[:16]}-numba{version('numba')}-py{sys.version_info[0]}{sys.version_info[1]}"
    folder = _wanted_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return None
    return str(folder)


def _wanted_folder() -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "mobsim"
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "mobsim"
    return Path.home() / ".cache" / "mobsim"


def counts_work() -> bool:
    """Say whether this process counts what compiled code does (`counting.py`): it keeps nothing."""
    return os.environ.get("MOBSIM_COUNT_WORK", "") not in ("", "0")


def is_likely_complete() -> bool:
    """Say whether kernels were compiled here before, perhaps on another kind of processor; loads nothing."""
    folder = cache_folder()
    return folder is not None and any(Path(folder).glob("complete-*"))


def _mark() -> Path | None:
    """Return the file that says that everything was compiled on this kind of processor."""
    import llvmlite.binding as llvm

    folder = cache_folder()
    return Path(folder) / f"complete-{llvm.get_host_cpu_name()}" if folder else None


def is_complete() -> bool:
    """Say whether all kernels that a simulation needs lie ready on disk."""
    mark = _mark()
    return mark is not None and mark.exists()


def mark_complete() -> None:
    """Note that all kernels that a simulation needs lie ready on disk."""
    mark = _mark()
    if mark is not None:
        with contextlib.suppress(OSError):
            mark.touch()


def what_happens() -> str:
    """Return one line that says what the user waits for."""
    if is_complete():
        return "loading the compiled model"
    if cache_folder() is None:
        return (
            f"compiling the model: takes about {SECONDS} s, and again in every new process, because "
            f"{_wanted_folder()} cannot be written to (set NUMBA_CACHE_DIR to a folder that can)"
        )
    return f"compiling the model for this machine: takes about {SECONDS} s, once"


def tell(say: Callable[[str], None]) -> None:
    """Tell what the user waits for.

    Parameters
    ----------
    say : who tells.
    """
    words = what_happens()
    say(words)
    _told.append(words)


def tell_once() -> None:
    """Tell it on stderr where kernels are compiled that every simulation needs, unless it was told."""
    if not _told and not is_complete():
        tell(lambda words: print(f"mobsim: {words} ...", file=sys.stderr, flush=True))  # noqa: T201


def keep_safely(compiled: Any) -> None:
    """Let a kernel be compiled anew where its files are unreadable, and go unkept where writing fails.

    Parameters
    ----------
    compiled : a function compiled by numba with `cache=True`.
    """
    kept = compiled._cache
    load, save = kept.load_overload, kept.save_overload

    def load_overload(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception:  # whatever stands in the file, it is none of ours
            with contextlib.suppress(OSError):
                kept.flush()
            return None

    def save_overload(*arguments: Any) -> None:
        with contextlib.suppress(OSError):
            save(*arguments)

    kept.load_overload, kept.save_overload = load_overload, save_overload


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Let no other process compile the same kernel meanwhile; whoever comes later finds it on disk.

    Parameters
    ----------
    name : of the kernel.
    """
    folder = cache_folder()
    with contextlib.ExitStack() as stack:
        if folder is not None:
            with contextlib.suppress(OSError):
                _lock(stack.enter_context((Path(folder) / f"{name}.lock").open("a")).fileno())
        yield


def _lock(file: int) -> None:
    """Wait until nobody else has locked a file, and lock it; it is unlocked when it is closed."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
