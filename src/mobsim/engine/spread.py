"""Spread from many sets of first participants on one community: who takes part, and how many when."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mobsim.community.community import Community
from mobsim.engine.block import MOST_LANES, Block
from mobsim.engine.run import build, replicate_numbers, threads_to_use
from mobsim.engine.shortcuts import (
    MOST_SHORT_LANES,
    Course,
    Lanes,
    Network,
    Shortcut,
    fits,
    join_courses,
    network_of,
    run_lanes,
    seeds_of,
    shortcut_of,
)
from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.scenario.memory import blocks_that_fit
from mobsim.scenario.scenario import NONE, Scenario

Ids = npt.NDArray[np.uint32]
MOST_LANES_ALONE = 1024
"""Most lanes of one call on one thread, where no other thread waits for its share."""


@dataclass(frozen=True, eq=False)
class Spread:
    """What came of each set of first participants (S) with each luck (K).

    participating, aware : (S, K, W) residents at the end of each week.
    luck : numbers of the streams of luck.
    n_residents : number of residents.
    """

    participating: a.Int64
    aware: a.Int64
    luck: tuple[int, ...]
    n_residents: int
    _ids: Ids
    _start: a.Int64

    def members(self, which: int, luck: int = 0) -> Ids:
        """Return who takes part at the end, ids in ascending order.

        Parameters
        ----------
        which : place of the set of first participants, from 0.
        luck : place of the luck, from 0.

        Raises
        ------
        UsageError
            if there is no such set or luck.
        """
        n_sets, n_luck = self.participating.shape[:2]
        if not (0 <= which < n_sets and 0 <= luck < n_luck):
            raise UsageError(
                f"members: found set {which} and luck {luck}; allowed are sets 0 to {n_sets - 1} and lucks 0 "
                f"to {n_luck - 1}"
            )
        lane = which * n_luck + luck
        return np.sort(self._ids[self._start[lane] : self._start[lane + 1]])

    @property
    def final(self) -> npt.NDArray[np.bool_]:
        """(S, K, N) who takes part at the end."""
        n_sets, n_luck = self.participating.shape[:2]
        whole = np.zeros((n_sets * n_luck, self.n_residents), np.bool_)
        whole[np.repeat(np.arange(n_sets * n_luck), np.diff(self._start)), self._ids] = True
        return whole.reshape(n_sets, n_luck, self.n_residents)


def spread(
    scenario: Scenario,
    seed_sets: Sequence[Sequence[int] | npt.NDArray[np.integer]],
    *,
    luck: int | Sequence[int] | None = 1,
    community: int | Community = 0,
    threads: int | None = None,
    shortcuts: bool = True,
) -> Spread:
    """Run a scenario without campaign from several sets of first participants, on one community.

    Every run equals that of `simulate` for the same scenario whose `initial` lists the set, bit for bit.

    Parameters
    ----------
    scenario : the resolved scenario.
    seed_sets : for each run the ids of those who take part first; they replace `initial.participating`.
    luck : how many streams of luck, or their numbers; none: as the scenario says.
    community : number of the community, from 0, or a community that was built of this scenario.
    threads : threads to use; none: one for each processor. Fewer are used where memory would not do.
    shortcuts : whether scenarios whose rules reduce to less may take a shorter way; changes speed only.

    Returns
    -------
    Spread

    Raises
    ------
    UsageError
        if an id is not that of a resident, there is no set, or a number is out of range.

    Examples
    --------
    >>> from mobsim.scenario.resolve import resolve
    >>> ring = {"residents": 12, "network": {"kind": "ring", "degree": 2}}
    >>> scenario = resolve(
    ...     {
    ...         "schema_version": 2,
    ...         "title": "A ring",
    ...         "description": "One contact is enough.",
    ...         "preset": "bare",
    ...         "community": ring,
    ...         "behaviour": {"thresholds": {"kind": "count", "value": 1}, "share_exponent": 0},
    ...         "campaign": {"horizon_weeks": 3},
    ...     }
    ... )
    >>> spread(scenario, [[0], [0, 6]]).participating[:, 0]
    array([[ 3,  5,  7],
           [ 6, 10, 12]])
    """
    from mobsim.engine.first_use import prepare

    prepare()
    built = community if isinstance(community, Community) else build(scenario, community)
    lucks = replicate_numbers("luck", luck, scenario.replicates.luck)
    sets = _checked(seed_sets, built.n_residents)
    workers = min(threads_to_use(threads), blocks_that_fit(scenario, 1, len(lucks)))
    kind = shortcut_of(scenario, (NONE,)) if shortcuts else Shortcut.LANES
    if kind is not Shortcut.LANES:
        network = network_of(scenario.behaviour, scenario.community, built)
        started = _started(scenario, built, sets[0])
        if fits(kind, started, network):
            return _short(kind, scenario, started, network, sets, lucks, workers)
    return _whole(scenario, built, sets, lucks, workers)


def _checked(seed_sets: Sequence[Sequence[int] | npt.NDArray[np.integer]], n: int) -> list[a.Int64]:
    """Return sets of ids as arrays; every id must be that of a resident."""
    sets = []
    for which, given in enumerate(seed_sets):
        ids = np.asarray(given)
        if ids.size == 0:
            ids = ids.astype(np.int64)
        if ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise UsageError(
                f"seed_sets: set {which} is not a list of whole numbers; allowed are ids of residents"
            )
        wrong = ids[(ids < 0) | (ids >= n)]
        if wrong.size:
            raise UsageError(
                f"seed_sets: set {which} names resident {int(wrong[0])}; allowed are ids from 0 to {n - 1}"
            )
        sets.append(ids.astype(np.int64))
    if not sets:
        raise UsageError("seed_sets: found no set; allowed is at least one list of ids")
    return sets


def _started(scenario: Scenario, community: Community, ids: a.Int64) -> Community:
    """The community with these first participants; opposed leaders never take part."""
    takes_part = np.zeros(community.n_residents, np.bool_)
    takes_part[ids] = True
    takes_part &= community.leaning >= 0
    only_participants = scenario.community.initial.aware == "participants"
    aware = takes_part if only_participants else community.aware | takes_part
    return replace(community, participating=takes_part, aware=aware)


def _short(
    kind: Shortcut,
    scenario: Scenario,
    community: Community,
    network: Network,
    sets: Sequence[a.Int64],
    lucks: tuple[int, ...],
    workers: int,
) -> Spread:
    """Run all sets by a shortcut, in parts on threads."""
    some = lucks[:1] if kind is Shortcut.FRONTIER else lucks  # luck decides nothing there
    lanes = Lanes(
        behaviours=(scenario.behaviour,),
        which=np.zeros(len(sets) * len(some), np.int64),
        luck=np.tile(np.array(some, np.uint32), len(sets)),
        seeds=np.repeat(np.arange(len(sets)), len(some)),
    )
    most = MOST_LANES_ALONE if workers == 1 else MOST_SHORT_LANES
    size = min(most, -(-len(lanes) // workers))
    parts = [lanes.part(slice(k, k + size)) for k in range(0, len(lanes), size)]

    def run(part: Lanes) -> Course:
        used, local = np.unique(part.seeds, return_inverse=True)
        seeds = seeds_of([sets[s] for s in used])
        return run_lanes(kind, scenario, community, network, seeds, replace(part, seeds=local))

    if workers == 1 or len(parts) == 1:
        course = join_courses([run(part) for part in parts])
    else:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            course = join_courses(list(pool.map(run, parts)))
    by_group = course.participating
    participating = by_group[:, :, 0] if by_group.shape[2] == 1 else by_group.sum(axis=2)
    ids, start = course.ids, course.start
    if kind is Shortcut.FRONTIER and len(lucks) > 1:
        sizes = np.repeat(np.diff(start), len(lucks))
        ids = np.concatenate([np.tile(ids[b:e], len(lucks)) for b, e in pairwise(start)])
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        participating = np.repeat(participating, len(lucks), axis=0)
    participating = participating.reshape(len(sets), len(lucks), -1)
    aware = participating
    if kind is not Shortcut.CASCADE:
        aware = np.full_like(participating, community.n_residents)
    return Spread(participating, aware, lucks, community.n_residents, ids, start)


def _whole(
    scenario: Scenario, community: Community, sets: Sequence[a.Int64], lucks: tuple[int, ...], workers: int
) -> Spread:
    """Run every set by the whole week kernel."""
    pieces = [
        (which, lucks[k : k + MOST_LANES])
        for which in range(len(sets))
        for k in range(0, len(lucks), MOST_LANES)
    ]

    def run(piece: tuple[int, tuple[int, ...]]) -> tuple[a.Int64, npt.NDArray[np.bool_]]:
        which, some = piece
        block = Block(scenario, _started(scenario, community, sets[which]), (NONE,), some)
        block.advance(block.horizon)
        counts = block.tally.counts.sum(axis=2)
        return np.moveaxis(counts, 1, 0), ((block.state.flags & a.PARTICIPATING) > 0).T

    with ThreadPoolExecutor(max_workers=workers) as pool:
        done = list(pool.map(run, pieces))
    counts = np.concatenate([c for c, _ in done])
    final = np.concatenate([x for _, x in done])
    shape = (len(sets), len(lucks), -1)
    lane, ids = np.nonzero(final)
    start = np.searchsorted(lane, np.arange(len(final) + 1)).astype(np.int64)
    return Spread(
        counts[:, :, 1].reshape(shape),
        counts[:, :, 0].reshape(shape),
        lucks,
        community.n_residents,
        ids.astype(np.uint32),
        start,
    )
