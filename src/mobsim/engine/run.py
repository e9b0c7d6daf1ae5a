"""Simulate a scenario: all arms over communities and luck, block by block, on threads.

Every run is keyed by (seed, community, luck, arm): the number of threads and the width of blocks change
nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from mobsim.community.build import build_community
from mobsim.community.community import Community
from mobsim.engine.block import MOST_LANES, Block
from mobsim.engine.block_records import (
    BY_ACTIVITY,
    JOINED,
    ORGANIZATION_STATES,
    WEEKLY,
    BlockRecords,
    is_nothing,
    mean_weeks,
)
from mobsim.engine.points import Alike, at_points
from mobsim.engine.quiet_records import quiet_records
from mobsim.engine.records import Records, Run
from mobsim.engine.shortcuts import MOST_SHORT_LANES, Shortcut, fits, key_of, network_of, shortcut_of
from mobsim.engine.width import lanes_of_a_block
from mobsim.errors import UsageError, nearest
from mobsim.kernels import arrays as a
from mobsim.scenario.memory import blocks_that_fit
from mobsim.scenario.scenario import NONE, Scenario

Progress = Callable[[int, int], None]


def simulate(
    scenario: Scenario,
    *,
    arms: Sequence[str] | None = None,
    communities: int | Sequence[int] | Sequence[Community] | None = None,
    luck: int | Sequence[int] | None = None,
    points: Sequence[Mapping[str, Any]] | None = None,
    threads: int | None = None,
    lanes: int | None = None,
    shortcuts: bool = True,
    progress: Progress | None = None,
) -> Records:
    """Run arms of a scenario over communities and luck, and over points in the space of its parameters.

    Parameters
    ----------
    scenario : the resolved scenario.
    arms : names of arms; none: all arms and the no-campaign arm.
    communities, luck : numbers of replicates to run, or how many; none: as the scenario says. Communities
        that were built before (`mobsim.build`) can stand for their numbers.
    points : for each point the values of `behaviour` that differ from the scenario, such as
        ``{"behaviour.social_weight": 0.3}``; all points share communities and luck. None: the scenario alone.
    threads : threads to use; none: one for each processor. Fewer are used where memory would not do.
    lanes : most lanes in a block of the whole week kernel, 1 to 64; changes speed only. None: as many as are
        fastest for communities of this size and so many threads.
    shortcuts : whether scenarios whose rules reduce to less may take a shorter way; changes speed only.
    progress : called with (runs done, all runs) after every block.

    Returns
    -------
    Records
        ordered by arm, point, community, luck.

    Raises
    ------
    UsageError
        if an arm does not exist, a number is out of range or a point names what it cannot change.

    Examples
    --------
    >>> from mobsim.scenario.resolve import resolve
    >>> scenario = resolve({"schema_version": 2, "title": "A village", "description": "Only an example."})
    >>> records = simulate(scenario, arms=["none"], communities=1, luck=2)
    >>> len(records.runs())
    2
    """
    from mobsim.engine.first_use import prepare

    prepare()
    chosen = chosen_arms(scenario, arms)
    community_numbers, built = _communities(communities, scenario)
    luck_numbers = replicate_numbers("luck", luck, scenario.replicates.luck)
    if lanes is not None and not 1 <= lanes <= MOST_LANES:
        raise UsageError(f"lanes: found {lanes}; allowed are whole numbers from 1 to {MOST_LANES}")
    worlds = at_points(scenario, points)
    if built and any(Alike(worlds).homes):
        raise UsageError("points: found points that build other communities; give numbers of communities")
    fitting = blocks_that_fit(scenario, len(chosen), len(luck_numbers) * len(worlds))
    workers = min(threads_to_use(threads), fitting)
    blocks = run_blocks(
        worlds,
        chosen,
        community_numbers,
        luck_numbers,
        built={(0, number): community for number, community in built.items()},
        workers=workers,
        lanes=lanes,
        shortcuts=shortcuts,
        progress=progress,
    )
    return join_records(scenario, blocks, chosen, points, workers)


def run_blocks(
    worlds: Sequence[Scenario],
    arms: tuple[str, ...],
    communities: tuple[int, ...],
    luck: tuple[int, ...],
    *,
    built: Mapping[tuple[int, int], Community] | None = None,
    workers: int = 1,
    lanes: int | None = None,
    shortcuts: bool = True,
    progress: Progress | None = None,
) -> list[BlockRecords]:
    """Run arms of several scenarios over the same communities and luck, as lanes of few blocks.

    Parameters
    ----------
    worlds : the resolved scenario at every point; each has all the arms.
    arms : names of arms.
    communities, luck : numbers of replicates.
    built : communities that were built before, by the first point that has them and their number.
    workers, lanes, shortcuts, progress : as for `simulate`.

    Returns
    -------
    list of BlockRecords
        in the order in which the blocks were done; the point of a run is its place in `worlds`.
    """
    if lanes is None:
        residents = max(world.community.residents for world in worlds)
        lanes = lanes_of_a_block(residents, len(communities), len(arms), len(luck) * len(worlds), workers)
    alike = Alike(worlds)
    blocks = _plan_blocks(alike, arms, communities, luck, lanes, workers, shortcuts)
    source = _Communities(alike, blocks, built or {})
    done: list[BlockRecords] = []
    all_runs = len(worlds) * len(arms) * len(communities) * len(luck)
    finished = 0

    def run(block: _BlockPlan) -> list[BlockRecords]:
        return _run_block(alike, source, block, lanes)

    def keep(records: list[BlockRecords]) -> None:
        nonlocal finished
        done.extend(records)
        finished += sum(len(part.lanes) for part in records)
        if progress is not None:
            progress(finished, all_runs)

    if workers == 1:
        for block in blocks:
            keep(run(block))
    else:
        _on_threads(workers, run, blocks, keep)
    return done


def threads_to_use(threads: int | None) -> int:
    """Return how many threads to use: as many as asked for, or one for each processor.

    Parameters
    ----------
    threads : the number asked for, or none.

    Raises
    ------
    UsageError : if the number is out of range.
    """
    if threads is not None and not 1 <= threads <= 1024:
        raise UsageError(f"threads: found {threads}; allowed are whole numbers from 1 to 1,024")
    return threads or os.cpu_count() or 1


def _on_threads(
    workers: int,
    run: Callable[[_BlockPlan], list[BlockRecords]],
    blocks: Sequence[_BlockPlan],
    keep: Callable[[list[BlockRecords]], None],
) -> None:
    """Run all blocks on threads; what is done is kept as it comes."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        pending: set[Future[list[BlockRecords]]] = set()
        try:
            pending = {pool.submit(run, block) for block in blocks}
            while pending:
                ready, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in ready:
                    keep(future.result())
        except BaseException:
            for future in pending:
                future.cancel()
            raise


@dataclass(frozen=True)
class _BlockPlan:
    """Which lanes a block holds: all arms at all points with all lucks, on one community."""

    community: int
    points: tuple[int, ...]
    arms: tuple[str, ...]
    luck: tuple[int, ...]
    shortcut: Shortcut = Shortcut.LANES


def chosen_arms(scenario: Scenario, arms: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the arms to run, the no-campaign arm first when all are asked for.

    Parameters
    ----------
    scenario : the resolved scenario.
    arms : names, or none for all.

    Raises
    ------
    UsageError : if an arm does not exist.
    """
    known = (NONE, *(name for name in scenario.arms if name != NONE))
    if arms is None:
        return known
    for name in arms:
        if name not in known:
            raise UsageError(
                f"arm {name!r} does not exist; the arms are {', '.join(known)}{nearest(name, known)}"
            )
    return tuple(dict.fromkeys(arms))


def _communities(
    given: int | Sequence[int] | Sequence[Community] | None, scenario: Scenario
) -> tuple[tuple[int, ...], dict[int, Community]]:
    """Return the numbers of the communities to run, and those that were built before."""
    built = {c.number: c for c in given if isinstance(c, Community)} if isinstance(given, Sequence) else {}
    for community in built.values():
        if community.seed != scenario.seed or community.n_residents != scenario.community.residents:
            raise UsageError(
                f"communities: found one of {community.n_residents:,} residents built with seed "
                f"{community.seed}; allowed are communities of this scenario, "
                f"{scenario.community.residents:,} residents and seed {scenario.seed}"
            )
    numbers = (
        [c.number if isinstance(c, Community) else c for c in given] if isinstance(given, Sequence) else given
    )
    return replicate_numbers("communities", numbers, scenario.replicates.communities), built


def replicate_numbers(what: str, given: int | Sequence[int] | None, default: int) -> tuple[int, ...]:
    """Return the numbers of communities or luck to run.

    Parameters
    ----------
    what : communities or luck, for the error.
    given : how many, or a list of numbers, or none.
    default : how many if none are given.

    Raises
    ------
    UsageError : if a number is out of range.
    """
    numbers = (
        tuple(range(default if given is None else given)) if not isinstance(given, Sequence) else tuple(given)
    )
    if not numbers or any(not 0 <= number < 2**32 - 1 for number in numbers):
        raise UsageError(
            f"{what}: found {given}; allowed are whole numbers from 1 on, or a list of numbers from 0 on"
        )
    return tuple(dict.fromkeys(numbers))


def _plan_blocks(
    alike: Alike,
    arms: tuple[str, ...],
    communities: tuple[int, ...],
    luck: tuple[int, ...],
    lanes: int,
    workers: int,
    shortcuts: bool,
) -> list[_BlockPlan]:
    """Divide all runs into blocks; blocks that build on the same community stand together."""
    families: dict[Hashable, list[int]] = {}
    for point, world in enumerate(alike.worlds):
        kind = shortcut_of(world, arms) if shortcuts else Shortcut.LANES
        if kind is Shortcut.LANES:
            key: Hashable = (kind, alike.shares(world))
        else:
            key = (kind, key_of(kind, world.behaviour), alike.weeks(world))
        families.setdefault(key, []).append(point)
    blocks = []
    for community in communities:
        for (kind, *_), members in families.items():  # type: ignore[misc]
            if kind is Shortcut.LANES:
                blocks += _blocks_of_lanes(community, tuple(members), arms, luck, lanes)
            else:
                share = -(-len(members) * len(luck) // max(1, workers // len(communities)))
                blocks += _short_blocks(kind, community, members, arms, luck, min(share, MOST_SHORT_LANES))
    return blocks


def _blocks_of_lanes(
    community: int, points: tuple[int, ...], arms: tuple[str, ...], luck: tuple[int, ...], lanes: int
) -> list[_BlockPlan]:
    """Blocks of at most `lanes` lanes: all arms of a point and luck together where they fit, then points.

    Points of one luck share its random numbers.
    """
    blocks = []
    for part in _parts(arms, lanes):
        for some in _parts(points, lanes // len(part)):
            blocks += [
                _BlockPlan(community, some, part, few)
                for few in _parts(luck, lanes // (len(part) * len(some)))
            ]
    return blocks


def _parts(whole: tuple[Any, ...], most: int) -> list[tuple[Any, ...]]:
    """Divide into as few parts as can be, of about one length, none longer than `most` (at least 1)."""
    n_parts = -(-len(whole) // max(1, most))
    size = -(-len(whole) // n_parts)
    return [whole[k : k + size] for k in range(0, len(whole), size)]


def _short_blocks(
    kind: Shortcut,
    community: int,
    points: list[int],
    arms: tuple[str, ...],
    luck: tuple[int, ...],
    most: int,
) -> list[_BlockPlan]:
    """Blocks of a shortcut, 64 points of one luck together where there are so many."""
    most = max(MOST_LANES, most)
    width = min(len(points), most)
    n_luck = most // width
    return [
        _BlockPlan(community, tuple(points[p : p + width]), arms, luck[k : k + n_luck], kind)
        for k in range(0, len(luck), n_luck)
        for p in range(0, len(points), width)
    ]


class _Communities:
    """Builds each community once and forgets it after its last block."""

    def __init__(
        self, alike: Alike, blocks: Sequence[_BlockPlan], built: Mapping[tuple[int, int], Community]
    ) -> None:
        self._worlds = alike.worlds
        self._home = alike.homes
        self._left: dict[tuple[int, int], int] = {}
        for block in blocks:
            key = self._key(block)
            self._left[key] = self._left.get(key, 0) + 1
        self._locks = {key: Lock() for key in self._left}
        self._built = dict(built)

    def _key(self, block: _BlockPlan) -> tuple[int, int]:
        return self._home[block.points[0]], block.community

    def take(self, block: _BlockPlan) -> Community:
        """Return the community of a block."""
        key = self._key(block)
        with self._locks[key]:
            if key not in self._built:
                self._built[key] = build(self._worlds[key[0]], key[1])
            community = self._built[key]
            self._left[key] -= 1
            if self._left[key] == 0:
                del self._built[key]
            return community


def build(scenario: Scenario, number: int) -> Community:
    """Build one community of a scenario.

    Parameters
    ----------
    scenario : the resolved scenario.
    number : which community, from 0.
    """
    return build_community(
        scenario.community,
        scenario.behaviour,
        seed=scenario.seed,
        number=number,
        folder=scenario.folder,
    )


def _run_block(alike: Alike, source: _Communities, plan: _BlockPlan, lanes: int) -> list[BlockRecords]:
    """Run all weeks of one block; what does not fit its shortcut takes the whole week kernel."""
    worlds, community = alike.worlds, source.take(plan)
    if plan.shortcut is Shortcut.LANES:
        return [_run_lanes(worlds, community, plan)]
    first = worlds[plan.points[0]]
    network = network_of(first.behaviour, first.community, community)
    if fits(plan.shortcut, community, network):
        behaviours = {point: worlds[point].behaviour for point in plan.points}
        return [quiet_records(plan.shortcut, first, community, network, behaviours, plan.arms, plan.luck)]
    families: dict[Hashable, list[int]] = {}
    for point in plan.points:
        families.setdefault(alike.shares(worlds[point]), []).append(point)
    return [
        _run_lanes(worlds, community, block)
        for members in families.values()
        for block in _blocks_of_lanes(plan.community, tuple(members), plan.arms, plan.luck, lanes)
    ]


def _run_lanes(worlds: Sequence[Scenario], community: Community, plan: _BlockPlan) -> BlockRecords:
    """Run all weeks of one block of the week kernel."""
    points = [worlds[point] for point in plan.points]
    block = Block(points[0], community, plan.arms, plan.luck, points)
    recorder = Recorder(block, plan.points)
    for week in recorder.mean_weeks:
        block.advance(week + 1)
        recorder.observe()
    return recorder.records()


class Recorder:
    """Keeps what must be measured while a block runs: means in some weeks, and who stays after funding ends.

    Parameters
    ----------
    block : a block that has not left burn-in.
    points : numbers of the points that the block runs at.

    Attributes
    ----------
    mean_weeks : the weeks after which `observe` has something to measure.
    """

    def __init__(self, block: Block, points: Sequence[int] = (0,)) -> None:
        self.block = block
        self.points = tuple(points)
        self.mean_weeks = mean_weeks(block.scenario)
        self._sums: list[a.Int64] = []
        self._organizations: dict[str, list[a.Float64]] = {name: [] for name in ORGANIZATION_STATES}
        n_lanes = len(block.luck) * len(block.arms)
        self._at_funding_end = np.zeros((n_lanes, 3), np.int64)
        self._organizers = np.zeros((n_lanes, 2), np.int64)

    def observe(self) -> None:
        """Measure the block after the week it has just run; call it after every week of `mean_weeks`."""
        block, week = self.block, self.block.week - 1
        if week not in self.mean_weeks:
            return
        self._sums.append(block.measure_means())
        for name, seen in self._organizations.items():
            seen.append(getattr(block.organizations, name).T.astype(np.float64))
        if week == block.funding_end:
            block.mark_funding_end()
            self._at_funding_end[:, 0] = block.count_marked(a.AT_FUNDING_END)
            self._organizers[:, 0] = block.count_roles(a.ORGANIZER_AT_END)

    def records(self) -> BlockRecords:
        """Return the records of a block that has run to its horizon, lanes first."""
        block, tally = self.block, self.block.tally
        n_arms = len(block.arms) // len(self.points)
        self._at_funding_end[:, 1] = block.count_marked(a.AT_FUNDING_END)
        self._at_funding_end[:, 2] = block.count_marked(a.NEVER_LEFT)
        self._organizers[:, 1] = block.count_roles(a.NEVER_STOPPED)
        measured: dict[str, Any] = {name: np.moveaxis(getattr(tally, name), 1, 0) for name in WEEKLY}
        measured["cents"] = _with_maps(block, measured["cents"])
        measured |= {name: np.stack(seen, axis=1) for name, seen in self._organizations.items()}
        return BlockRecords(
            **measured,
            lanes=tuple(
                Run(arm, block.community.number, k, self.points[place // n_arms])
                for k in block.luck
                for place, arm in enumerate(block.arms)
            ),
            group_sizes=_each_lane(block, _sizes_of_groups(block.community)),
            leaders=_each_lane(block, block.community.is_leader.sum()),
            sums=np.stack(self._sums, axis=1),
            at_funding_end=self._at_funding_end,
            organizers_at_funding_end=self._organizers,
            unspent_cents=block.purse.left + block.purse.purse.sum(axis=1),
            local_left_cents=block.purse.local.sum(axis=1) + block.purse.pot + block.purse.remainder,
            surveys_asked=tuple(block.surveys.results()),
        )


def _sizes_of_groups(community: Community) -> a.Int64:
    return np.bincount(community.group, minlength=len(community.group_names)).astype(np.int64)


def _each_lane(block: Block, value: a.Int64) -> a.Int64:
    """Repeat what is the same in all lanes of a block."""
    return np.repeat(np.asarray(value, np.int64)[None], block.n_lanes, axis=0)


def _with_maps(block: Block, cents: a.Int64) -> a.Int64:
    """Add what network maps cost to what was spent in the first funded week."""
    whole = cents.copy()
    starts = block.scenario.campaign.funding_starts_week
    for lane in range(block.n_lanes):
        arm = lane % len(block.arms)
        if block.plans.maps[arm]:
            whole[lane, starts, block.plans.map_line[arm]] += block.plans.maps[arm]
    return whole


def join_records(
    scenario: Scenario,
    blocks: Sequence[BlockRecords],
    arms: Sequence[str],
    points: Sequence[Mapping[str, Any]] | None = None,
    workers: int = 1,
) -> Records:
    """Put the records of all blocks into one, in the order of arm, point, community, luck.

    Parameters
    ----------
    scenario : the resolved scenario that all blocks ran.
    blocks : what each block recorded.
    arms : names of arms, in the order of the result.
    points : the values that each point changes, if there are points.
    workers : number of threads: with fresh memory this takes some hundredths of a simulation.
    """
    runs = [run for block in blocks for run in block.lanes]
    position = {name: index for index, name in enumerate(arms)}
    keys = [(position[run.arm], run.point, run.community, run.luck) for run in runs]
    order = sorted(range(len(runs)), key=keys.__getitem__)
    row_of = np.empty(len(runs), np.int64)
    row_of[order] = np.arange(len(runs))
    rows = np.split(row_of, np.cumsum([len(block.lanes) for block in blocks])[:-1])
    surveys = [
        (int(where[survey.lane]), survey)
        for block, where in zip(blocks, rows, strict=True)
        for survey in block.surveys_asked
    ]
    end = scenario.campaign.horizon_weeks - 1
    if workers == 1:
        joined = {name: joined_array(name, blocks, rows) for name in JOINED}
    else:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            parts = pool.map(lambda name: joined_array(name, blocks, rows), JOINED)
            joined = dict(zip(JOINED, parts, strict=True))
    return Records(
        scenario=scenario,
        funding_end=min(scenario.campaign.funding_ends_week - 1, end),
        runs_index=tuple(runs[k] for k in order),
        mean_weeks=mean_weeks(scenario),
        surveys_asked=tuple(sorted(surveys, key=lambda found: (found[0], found[1].week))),
        points=None if points is None else tuple(points),
        **joined,
    )


def joined_array(name: str, blocks: Sequence[BlockRecords], rows: Sequence[a.Int64 | slice]) -> np.ndarray:
    """Put an array of all blocks into its rows; arms with fewer activities have zeros behind them.

    Parameters
    ----------
    name : of the array.
    blocks : what each block recorded.
    rows : for each block the rows of its lanes.
    """
    parts = [getattr(block, name) for block in blocks]
    shape = [sum(part.shape[0] for part in parts), *parts[0].shape[1:]]
    if name in BY_ACTIVITY:
        shape[2] = max(part.shape[2] for part in parts)
    whole = np.zeros(shape, parts[0].dtype)
    for part, where in zip(parts, rows, strict=True):
        if is_nothing(part):
            continue  # memory that nobody has written to costs nothing
        if name in BY_ACTIVITY:
            whole[where, :, : part.shape[2]] = part
        else:
            whole[where] = part
    return whole
