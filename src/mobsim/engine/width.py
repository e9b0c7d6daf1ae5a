"""How many lanes a block gets: as wide as pays for the caches, and so many blocks that all threads are busy.

Lanes change speed only, never results. The figures are measured (docs/performance.md).
"""

from __future__ import annotations

from math import ceil, inf

STRIP = 16
"""Lanes that are computed at once."""
STRIPS_OF_FEW = 2
"""What a block of fewer lanes than a strip takes, in strips: its lanes are computed one by one."""

TIME_OF_A_STRIP = (
    (4_500, {64: 1.0, 32: 1.07, 16: 1.27}),
    (14_000, {64: 1.0, 32: 0.85, 16: 0.84}),
    (27_000, {64: 1.0, 32: 1.0, 16: 0.88}),
    (inf, {64: 1.0, 32: 1.05, 16: 1.1}),
)
"""Time of a resident-week and strip by width of the block, beside that of 64 lanes, up to so many residents.

Few residents: the state of 64 lanes lies in the caches, and wide blocks share more. More: only the state of
32 or 16 lanes does. Many: nothing does.
"""


def lanes_of_a_block(n_residents: int, n_communities: int, n_arms: int, n_luck: int, workers: int) -> int:
    """Return the most lanes of a block with which all runs are done soonest.

    Parameters
    ----------
    n_residents : residents of a community.
    n_communities, n_arms, n_luck : how many of each are run.
    workers : number of threads.

    Examples
    --------
    >>> lanes_of_a_block(1_000, n_communities=8, n_arms=8, n_luck=8, workers=2)
    64
    >>> lanes_of_a_block(1_000, n_communities=1, n_arms=8, n_luck=8, workers=2)
    32
    >>> lanes_of_a_block(10_000, n_communities=8, n_arms=8, n_luck=8, workers=2)
    16
    """
    times = next(times for most, times in TIME_OF_A_STRIP if n_residents <= most)

    def time_of(width: int) -> float:
        """Time until the last thread is done."""
        n_parts = ceil(n_luck / (width // n_arms))
        lanes = n_arms * ceil(n_luck / n_parts)
        strips = ceil(lanes / STRIP) if lanes >= STRIP else STRIPS_OF_FEW
        return ceil(n_communities * n_parts / workers) * strips * times[width]

    return min((width for width in times if width >= n_arms), key=time_of, default=max(times))
