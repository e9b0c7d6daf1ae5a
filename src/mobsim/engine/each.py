"""Simulate several worlds, such as the points of a sweep: lanes of the same blocks where they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mobsim.community.community import Community
from mobsim.engine.block_records import JOINED, BlockRecords
from mobsim.engine.first_use import prepare
from mobsim.engine.points import Alike
from mobsim.engine.records import Records, Run
from mobsim.engine.run import build, chosen_arms, join_records, run_blocks
from mobsim.scenario.scenario import Scenario

Built = dict[tuple[int, int], Community]
"""Communities by the first world that has them and their number."""


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
) -> tuple[tuple[tuple[int, ...], Records], ...]:
    """Run all arms and luck of several worlds on communities that were built, in this thread.

    Parameters
    ----------
    worlds : resolved scenarios.
    arms : names of arms, which every world has.
    communities : from `build_each`.
    luck : numbers of the streams of luck.

    Returns
    -------
    tuple
        of (numbers of worlds, their records). Worlds that differ in behaviour only are the points of one
        `Records`, in this order; the others have one each.

    Raises
    ------
    UsageError : if an arm does not exist.
    """
    prepare()
    chosen = chosen_arms(worlds[0], arms)
    numbers = tuple(dict.fromkeys(number for _, number in communities))
    blocks = run_blocks(worlds, chosen, numbers, tuple(luck), built=communities)
    alike: dict[str, list[int]] = {}
    for point, world in enumerate(worlds):
        alike.setdefault(world.model_dump_json(exclude={"behaviour"}), []).append(point)
    return tuple(
        (
            tuple(members),
            join_records(
                worlds[members[0]],
                [part for block in blocks for part in _of_points(block, members)],
                chosen,
                points=[{}] * len(members) if len(members) > 1 else None,
            ),
        )
        for members in alike.values()
    )


def _of_points(block: BlockRecords, members: Sequence[int]) -> list[BlockRecords]:
    """Return what a block recorded at some points, which are numbered from 0; nothing if it ran none."""
    place = {point: k for k, point in enumerate(members)}
    lanes = [lane for lane, run in enumerate(block.lanes) if run.point in place]
    if not lanes:
        return []
    runs = [block.lanes[lane] for lane in lanes]
    lane_of = {lane: k for k, lane in enumerate(lanes)}
    arrays = {name: getattr(block, name)[np.array(lanes)] for name in JOINED}
    return [
        replace(
            block,
            lanes=tuple(Run(run.arm, run.community, run.luck, place[run.point]) for run in runs),
            surveys_asked=tuple(
                replace(asked, lane=lane_of[asked.lane])
                for asked in block.surveys_asked
                if asked.lane in lane_of
            ),
            **arrays,
        )
    ]
