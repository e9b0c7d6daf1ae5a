"""How kernels are compiled: one decorator, so that the flags that protect exactness stand in one place.

`error_model="numpy"` is needed for speed; `fastmath` stays off and LLVM may not contract a*b+c into
one rounding, so the same bits come out on every machine. `nogil` lets whole blocks of lanes run on threads.

Compiled kernels are kept on disk in a folder named after a digest of all kernel sources (`kept.py`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba
from numba.core import event

from mobsim.kernels.kept import cache_folder, keep_safely, tell_once
from mobsim.kernels.quicker import compile_quicker

Function = TypeVar("Function", bound=Callable[..., object])


class _Compiling(event.Listener):
    """Say once that kernels are compiled, and suspend Python's garbage collection meanwhile.

    Collecting would take a sixth of the time. Numba tells of the beginning and the end of compiling one
    function, of functions that it calls in between, and holds its lock meanwhile.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.was_on = False

    def on_start(self, _event: object) -> None:
        if self.depth == 0:
            self.was_on = gc.isenabled()
            gc.disable()
            tell_once()
        self.depth += 1

    def on_end(self, _event: object) -> None:
        self.depth -= 1
        if self.depth == 0 and self.was_on:
            gc.enable()


event.register("numba:compile", _Compiling())
compile_quicker()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Suspend Python's garbage collection while many kernels are compiled."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
    if settings_of["cache"] and not settings.DISABLE_JIT:
        keep_safely(compiled)
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
