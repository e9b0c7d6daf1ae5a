"""A tile: 64 slots of residents x lanes in scratch arrays with constant offsets.

The rules of the week kernel (`diffusion.py`) are loops of constant length over two scratch arrays, `f`
(float32) and `u` (uint32), with constant offsets: that is what the compiler turns into vector code. Slots
beyond the last resident hold leftovers and are never written back. This file says which quantity stands
where.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from mobsim.kernels.arrays import N_SINGLES, Int64, UInt32
from mobsim.kernels.compile import internal
from mobsim.kernels.keyed import TILE

SLOTS = TILE

# Places in the float32 scratch, 64 slots each: draws, counts, terms by group, states, Λ, parameters.
U0, U1, U2, U3 = 0 * 64, 1 * 64, 2 * 64, 3 * 64
N_P, N_N, QUOTIENT = 4 * 64, 5 * 64, 6 * 64
LOG_MEDIA, K_GROUP, LAMBDA_F = 7 * 64, 8 * 64, 9 * 64
THETA, S_START, S_NOW, O_NOW, T_NOW, M_NOW = 10 * 64, 11 * 64, 12 * 64, 13 * 64, 14 * 64, 15 * 64
CHOICE = 16 * 64
PARAMETERS = 17 * 64
N_FLOATS = (17 + N_SINGLES) * 64

# Places in the uint32 scratch: sums, flags, what belongs to the place, what was decided, counts by group.
SUMS, FLAGS, UNITS, GROUP, OFFSET = 0 * 64, 1 * 64, 2 * 64, 3 * 64, 4 * 64
TELLS, WORD, TOLD_BY_TIE = 5 * 64, 6 * 64, 7 * 64
IS_AWARE, TAKES_PART, REPLACED, JUST_TOLD = 8 * 64, 9 * 64, 10 * 64, 11 * 64
ROLES, BUSY = 12 * 64, 13 * 64
COUNTS = 14 * 64

ONE, ZERO, HALF = np.float32(1.0), np.float32(0.0), np.float32(0.5)
NEVER, ALWAYS = np.float32(2.0), np.float32(-1.0)
TINY = np.float32(1e-6)
YES, NO = np.uint32(1), np.uint32(0)
FIELD = np.uint32(1023)
BYTE = np.uint32(255)


@intrinsic
def _at(_typing: Any, offset: Any, first: Any, second: Any) -> Any:
    kinds = [types.unliteral(kind) for kind in (offset, first, second)]  # type: ignore[no-untyped-call]

    def add(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        a, b, c = (
            context.cast(builder, value, kind, types.uint64)
            for value, kind in zip(values, kinds, strict=True)
        )
        return builder.add(builder.add(a, b), c)

    return types.uint64(*kinds), add


at: Any = _at
"""Sum of an offset and two parts of an index, whole numbers from 0 on, unsigned.

Numba then leaves out the handling of negative indices, which would keep the compiler from using vector code.
"""


@internal
def flush_counts(u: UInt32, counts: Int64) -> None:
    """Move the packed counts into the counts by lane and group.

    Parameters
    ----------
    u : the tile's scratch.
    counts : (L, G, 5); receives aware, participating, contacted, participating and never contacted.
    """
    n_lanes, n_groups = counts.shape[0], counts.shape[1]
    for group in range(n_groups):
        for slot in range(SLOTS):
            packed = u[COUNTS + group * 64 + slot]
            u[COUNTS + group * 64 + slot] = NO
            lane = slot % n_lanes
            counts[lane, group, 0] += np.int64(packed & BYTE)
            counts[lane, group, 1] += np.int64((packed >> np.uint32(8)) & BYTE)
            counts[lane, group, 2] += np.int64((packed >> np.uint32(16)) & BYTE)
            counts[lane, group, 3] += np.int64(packed >> np.uint32(24))
