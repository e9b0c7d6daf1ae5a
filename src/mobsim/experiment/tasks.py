"""From runs to tasks: blocks of runs that are computed whole and kept whole, the same on every machine."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mobsim.errors import UsageError

WORK = 60_000_000
"""Resident-weeks that a task holds: about half a second to one and a half. It decides which runs are kept
together, never what they give.
"""

MOST = 4
"""How many times WORK a replicate of all luck may hold before its luck is divided."""

_RUN = re.compile(r"p(\d+)-c(\d+)-l(\d+)-([A-Za-z][A-Za-z0-9_]*)")


@dataclass(frozen=True)
class RunKey:
    """Which run: the point, the arm, the community and the stream of luck.

    Examples
    --------
    >>> str(RunKey(point=12, arm="outreach", community=3, luck=0))
    'p12-c3-l0-outreach'
    """

    point: int
    arm: str
    community: int
    luck: int

    def __str__(self) -> str:
        return f"p{self.point}-c{self.community}-l{self.luck}-{self.arm}"

    @classmethod
    def parse(cls, text: str) -> RunKey:
        """Return the run that a text names.

        Parameters
        ----------
        text : such as p12-c3-l0-outreach.

        Raises
        ------
        UsageError : if the text names no run.

        Examples
        --------
        >>> RunKey.parse("p12-c3-l0-outreach")
        RunKey(point=12, arm='outreach', community=3, luck=0)
        """
        found = _RUN.fullmatch(text.strip())
        if found is None:
            raise UsageError(
                f"run {text!r} is not the name of a run; allowed: point, community, luck and arm, such as "
                "p12-c3-l0-outreach"
            )
        point, community, luck, arm = found.groups()
        return cls(int(point), arm, int(community), int(luck))


@dataclass(frozen=True)
class Task:
    """A block of runs: all arms at these points, on these communities, with these streams of luck.

    Attributes
    ----------
    number : from 0, in the order in which tasks are handed out.
    points, communities, luck : what the runs are the product of, with all arms; each in rising order.
    """

    number: int
    points: tuple[int, ...]
    communities: tuple[int, ...]
    luck: tuple[int, ...]

    @property
    def replicates(self) -> int:
        """How many runs of each arm it holds."""
        return len(self.points) * len(self.communities) * len(self.luck)

    def runs(self, arms: Sequence[str]) -> Iterator[RunKey]:
        """Yield every run of the task by point, arm, community and luck.

        Parameters
        ----------
        arms : the arms of the plan.
        """
        for point in self.points:
            for arm in arms:
                for community in self.communities:
                    for luck in self.luck:
                        yield RunKey(point, arm, community, luck)


def divide(
    weights: Sequence[int],
    worlds: Sequence[int],
    communities: Sequence[int],
    luck: Sequence[int],
) -> tuple[Task, ...]:
    """Divide all runs of a plan into tasks.

    Parameters
    ----------
    weights : for each point the resident-weeks of one replicate, all arms of one luck on one community.
    worlds : for each point the first point that builds the same communities.
    communities, luck : numbers of the replicates.

    Returns
    -------
    tuple of Task
        Every run stands in exactly one. Points that build the same communities stand together: all of them on
        several communities where WORK allows it, else as many as WORK allows on one. Points that build
        communities of their own are put together until they fill a task. Nothing but the arguments decides.

    Examples
    --------
    >>> [task.points for task in divide([WORK // 4] * 6, [0] * 6, [0], [0])]
    [(0, 1, 2), (3, 4, 5)]
    """
    alike: dict[int, list[int]] = {}
    for point, world in enumerate(worlds):
        alike.setdefault(world, []).append(point)
    everything = len(communities) * len(luck)
    blocks: list[_Block] = []
    open_points: list[int] = []
    open_work = 0
    for members in alike.values():
        work = sum(weights[point] for point in members) * everything
        if open_points and open_work + work > WORK:
            blocks.append((open_points, communities, luck))
            open_points, open_work = [], 0
        if work <= WORK:
            open_points = [*open_points, *members]
            open_work += work
        else:
            blocks += _blocks_of(members, weights, communities, luck)
    if open_points:
        blocks.append((open_points, communities, luck))
    return tuple(
        Task(number, tuple(sorted(points)), tuple(sorted(numbers)), tuple(sorted(streams)))
        for number, (points, numbers, streams) in enumerate(blocks)
    )


_Block = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Points, communities, luck."""


def _blocks_of(
    members: Sequence[int], weights: Sequence[int], communities: Sequence[int], luck: Sequence[int]
) -> list[_Block]:
    """Divide points that build the same communities and are too much for one task."""
    work = sum(weights[point] for point in members) * len(luck)  # on one community
    if work <= WORK:
        parts = _even_parts(communities, WORK // max(1, work))
        return [(members, part, luck) for part in parts]
    groups = _groups_of(members, weights, len(luck), -(-work // WORK))
    return [
        (group, (community,), part)
        for community in communities
        for group in groups
        for part in _parts_of_luck(group, weights, luck)
    ]


def _groups_of(members: Sequence[int], weights: Sequence[int], n_luck: int, n_groups: int) -> list[list[int]]:
    """Cut points into groups of about the same work, none above WORK but those of a single point."""
    share = sum(weights[point] for point in members) * n_luck / n_groups
    groups: list[list[int]] = []
    held = 0
    for point in members:
        work = weights[point] * n_luck
        if groups and held + work <= WORK and held + work // 2 <= share:
            groups[-1].append(point)
            held += work
        else:
            groups.append([point])
            held = work
    return groups


def _parts_of_luck(group: Sequence[int], weights: Sequence[int], luck: Sequence[int]) -> list[Sequence[int]]:
    """Cut the luck of a single point that is far too much for a task."""
    weight = weights[group[0]]
    if len(group) > 1 or weight * len(luck) <= MOST * WORK:
        return [luck]
    return _even_parts(luck, max(1, WORK // weight))


def _even_parts(numbers: Sequence[int], most: int) -> list[Sequence[int]]:
    """Cut numbers into parts of about the same length, none longer than `most`."""
    n_parts = -(-len(numbers) // most)
    cuts = [len(numbers) * part // n_parts for part in range(n_parts + 1)]
    return [numbers[start:end] for start, end in itertools.pairwise(cuts)]
