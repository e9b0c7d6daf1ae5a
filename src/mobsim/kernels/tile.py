"""A tile: up to 64 slots of residents x lanes, and the scratch in which their week is prepared.

A slot is one resident in one lane; a tile is as many residents as fit into 64 slots. What a slot needs
besides its state stands in three scratch arrays, `f` (float32), `u` (uint32) and `d` (float64), row by row,
one place a slot; the rules (`diffusion.py`) read it strip by strip. This file says which quantity stands
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
from mobsim.kernels.strip import STRIP

SLOTS = TILE
MARGIN = STRIP
"""Unused places before the first row: the last strip of a small tile begins before it."""
N_UNIFORM = 5
"""Uniform numbers of a slot: becoming aware, taking part, lapsing, leaving, beginning to organize."""
MOST_STRIPS = 8
"""At most so many strips make up a tile."""
WIDE_ROW = SLOTS + STRIP

# Places in the float32 scratch: uniform numbers by draw and by slot, counts and exposure, what belongs to the
# group, parameters; then two rows for each group.
DRAWN = MARGIN
SPREAD = DRAWN + N_UNIFORM * 64
N_P = SPREAD + N_UNIFORM * WIDE_ROW
N_N, QUOTIENT, CHOICE = N_P + 64, N_P + 2 * 64, N_P + 3 * 64
LOG_MEDIA, K_GROUP, LAMBDA_F = N_P + 4 * 64, N_P + 5 * 64, N_P + 6 * 64
CHANCE = N_P + 7 * 64
PARAMETERS = N_P + 8 * 64
OF_GROUP = PARAMETERS + N_SINGLES * 64

# Places in the uint32 scratch: sums of state words, what belongs to the place, packed counts by group.
SUMS, UNITS, GROUP, OFFSET = MARGIN, MARGIN + 64, MARGIN + 2 * 64, MARGIN + 3 * 64
COUNTS = MARGIN + 4 * 64

# Places in the float64 scratch.
FACTOR = MARGIN

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
        for lane in range(n_lanes):
            aware = participating = contacted = alone = np.uint32(0)
            for slot in range(lane, SLOTS, n_lanes):
                packed = u[COUNTS + group * 64 + slot]
                u[COUNTS + group * 64 + slot] = NO
                aware += packed & BYTE
                participating += (packed >> np.uint32(8)) & BYTE
                contacted += (packed >> np.uint32(16)) & BYTE
                alone += packed >> np.uint32(24)
            counts[lane, group, 0] += np.int64(aware)
            counts[lane, group, 1] += np.int64(participating)
            counts[lane, group, 2] += np.int64(contacted)
            counts[lane, group, 3] += np.int64(alone)
