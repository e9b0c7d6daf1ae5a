"""Simulate several worlds, such as the points of a sweep: lanes of the same blocks where they can be."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from mobsim.community.community import Community
from mobsim.engine.block_records import JOINED, BlockRecords, mean_weeks
from mobsim.engine.first_use import prepare
from mobsim.engine.points import Alike
from mobsim.engine.records import Records
from mobsim.engine.run import build, chosen_arms, joined_array, run_blocks
from mobsim.engine.run_table import read_by_tables
from mobsim.scenario.scenario import Scenario

Built = dict[tuple[int, int], Community]
"""Communities by the first world that has them and their number."""

LEAST_RUNS = 32
"""Smaller blocks are put together until they hold so many runs: tables of a few runs cost as much."""


def build_each(worlds: Sequence[Scenario], communities: Sequence[int]) -> Built:
    """Build the communities of several worlds, each different one once.

    Parameters
    ----------
    worlds : resolved scenarios.
    communities : numbers of the communities.

    Raises
    ------
    ScenarioError : if a community cannot be built.
    """
    homes = dict.fromkeys(Alike(worlds).homes)
    return {(home, number): build(worlds[home], number) for home in homes for number in communities}


def simulate_each(
    worlds: Sequence[Scenario], *, arms: Sequence[str], communities: Built, luck: Sequence[int]
) -> tuple[Records, ...]:
    """Run all arms and luck of several worlds on communities that were built, in this thread.

    Parameters
    ----------
    worlds : resolved scenarios.
    arms : names of arms, which every world has.
    communities : from `build_each`.
    luck : numbers of the streams of luck.

    Returns
    -------
    tuple of Records
        Every run stands in one of them, in no order; its point is the place of its world in `worlds`. The
        scenario of a `Records` is that of one of its points: the others agree with it in all that tables
        read (`run_table.read_by_tables`).

    Raises
    ------
    UsageError : if an arm does not exist.
    """
    prepare()
    chosen = chosen_arms(worlds[0], arms)
    numbers = tuple(dict.fromkeys(number for _, number in communities))
    blocks = run_blocks(worlds, chosen, numbers, tuple(luck), built=communities)
    first: dict[Hashable, int] = {}
    family = [first.setdefault(read_by_tables(world), k) for k, world in enumerate(worlds)]
    of_families: dict[int, list[BlockRecords]] = {}
    for block in blocks:
        lanes: dict[int, list[int]] = {}
        for lane, run in enumerate(block.lanes):
            lanes.setdefault(family[run.point], []).append(lane)
        for number, some in lanes.items():
            of_families.setdefault(number, []).append(_some_lanes(block, some))
    return tuple(
        _below_each_other(worlds, some) for those in of_families.values() for some in _put_together(those)
    )


def _some_lanes(block: BlockRecords, lanes: Sequence[int]) -> BlockRecords:
    """Return what a block recorded in some of its lanes."""
    if len(lanes) == len(block.lanes):
        return block
    place = {lane: k for k, lane in enumerate(lanes)}
    arrays = {name: getattr(block, name)[np.array(lanes)] for name in JOINED}
    return replace(
        block,
        lanes=tuple(block.lanes[lane] for lane in lanes),
        surveys_asked=tuple(
            replace(asked, lane=place[asked.lane]) for asked in block.surveys_asked if asked.lane in place
        ),
        **arrays,
    )


def _put_together(blocks: Iterable[BlockRecords]) -> Iterator[list[BlockRecords]]:
    """Yield blocks that hold `LEAST_RUNS` runs between them, and then the last ones."""
    some: list[BlockRecords] = []
    for block in blocks:
        some.append(block)
        if sum(len(part.lanes) for part in some) >= LEAST_RUNS:
            yield some
            some = []
    if some:
        yield some


def _below_each_other(worlds: Sequence[Scenario], blocks: Sequence[BlockRecords]) -> Records:
    """Return the records of some blocks, lane after lane; those of a single block are not copied."""
    scenario = worlds[blocks[0].lanes[0].point]
    ends = np.cumsum([len(block.lanes) for block in blocks]).tolist()
    starts = [0, *ends[:-1]]
    rows = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    surveys = [
        (start + asked.lane, asked)
        for start, block in zip(starts, blocks, strict=True)
        for asked in block.surveys_asked
    ]
    last = scenario.campaign.horizon_weeks - 1
    return Records(
        scenario=scenario,
        funding_end=min(scenario.campaign.funding_ends_week - 1, last),
        runs_index=tuple(run for block in blocks for run in block.lanes),
        mean_weeks=mean_weeks(scenario),
        surveys_asked=tuple(sorted(surveys, key=lambda found: (found[0], found[1].week))),
        points=({},) * len(worlds),
        **{
            name: getattr(blocks[0], name) if len(blocks) == 1 else joined_array(name, blocks, rows)
            for name in JOINED
        },
    )
