"""How kernels are compiled: one decorator, so that the flags that protect exactness stand in one place.

`error_model="numpy"` is needed for speed; `fastmath` stays off and LLVM may not contract a*b+c into
one rounding, so the same bits come out on every machine. `nogil` lets whole blocks of lanes run on threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile a function of arrays and numbers; cached on disk where the user can write."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """Compile a small function that kernels call in their inner loops."""
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)
    return cast(Function, compiled)
