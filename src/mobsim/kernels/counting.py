"""Counting the work of compiled code: random draws made, draws that were needed, and ties read.

Seconds depend on the machine and on who else uses it; numbers of draws and ties do not. Counting is off, and
costs nothing, unless MOBSIM_COUNT_WORK is set when a process starts; then kernels are compiled for this
process alone. `benchmarks/count_work.py` prints the numbers and a test compares them with a baseline.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from mobsim.kernels.kept import counts_work

COUNTED = counts_work()
"""Whether this process counts."""
DRAWS, TIES, NEEDED = 0, 1, 2
work = np.zeros(3, np.int64)
"""Draws, ties and needed draws since the process began; read by Python, written by kernels.

Draws are made for whole registers; needed are those that somebody looks at. Only the kernels of `spread.py`
count these.
"""


@intrinsic
def _count(_typing: Any, what: Any, number: Any) -> Any:
    kinds = [types.unliteral(kind) for kind in (what, number)]  # type: ignore[no-untyped-call]

    def add(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        if COUNTED:
            which, many = (
                context.cast(builder, value, kind, types.int64)
                for value, kind in zip(values, kinds, strict=True)
            )
            long = ir.IntType(64)
            first = long(work.ctypes.data)
            place = builder.add(first, builder.mul(which, long(work.itemsize)))
            builder.atomic_rmw("add", builder.inttoptr(place, long.as_pointer()), many, "monotonic")
        return context.get_dummy_value()

    return types.none(*kinds), add


count: Any = _count
"""Add to what has been counted: DRAWS, TIES or NEEDED, and how many."""
