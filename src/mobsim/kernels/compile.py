"""How kernels are compiled: one decorator, so that the flags that protect exactness stand in one place.

`error_model="numpy"` is needed for speed; `fastmath` stays off and LLVM may not contract a*b+c into
one rounding, so the same bits come out on every machine. `nogil` lets whole blocks of lanes run on threads.

Compiled kernels are kept on disk in a folder named after a digest of all kernel sources: numba itself looks
at one file at a time and would keep using a kernel whose callee in another file has changed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import event

from mobsim.kernels.parts import use_parts

Function = TypeVar("Function", bound=Callable[..., object])


class _WithoutCollecting(event.Listener):  # type: ignore[misc]
    """Suspend Python's garbage collection while a kernel is compiled: it would take a sixth of the time.

    Numba tells of the beginning and the end of compiling one function, of functions that it calls in
    between, and holds its lock meanwhile.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.was_on = False

    def on_start(self, _event: object) -> None:
        if self.depth == 0:
            self.was_on = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, _event: object) -> None:
        self.depth -= 1
        if self.depth == 0 and self.was_on:
            gc.enable()


event.register("numba:compile", _WithoutCollecting())
use_parts()


@cache
def cache_folder() -> str | None:
    """Return the folder for compiled kernels, or none where nothing can be written (then nothing is kept)."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return chosen
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    name = f"{digest.hexdigest()[:16]}-numba{numba.__version__}-py{sys.version_info[0]}{sys.version_info[1]}"
    folder = _user_cache() / "mobsim" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"])
    return Path.home() / ".cache"


def _compile(function: Function, **options: object) -> Function:
    folder = cache_folder()
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = folder or ""
    try:
        njit: Any = numba.njit
        settings_of = {"cache": folder is not None, "no_cfunc_wrapper": True} | options
        compiled = njit(nogil=True, error_model="numpy", **settings_of)(function)
    finally:
        settings.CACHE_DIR = before
    return cast(Function, compiled)


def kernel(function: Function) -> Function:
    """Compile a function of arrays and numbers; cached on disk where the user can write."""
    return _compile(function)


def inlined(function: Function) -> Function:
    """Compile a small function that kernels call in their inner loops."""
    return _compile(function, inline="always")


def internal(function: Function) -> Function:
    """Compile a function that only other kernels call, without what a call from Python would need.

    Calling it from Python crashes; `tests/unit/test_house.py` sees to it that nobody does.
    """
    return _compile(function, cache=False, no_cpython_wrapper=True)


def phase(function: Function) -> Function:
    """Compile a function that kernels call by its address (`phases.py`), without a way in from Python."""
    return _compile(function, no_cpython_wrapper=True)
