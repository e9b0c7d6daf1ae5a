"""From runs to tasks: blocks of runs that are computed whole and kept whole, the same on every machine."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mobsim.errors import UsageError

WORK = 240_000_000
"""Most resident-weeks that a task holds: about one to three seconds. Neither it nor the next two decide what
runs give, only which are kept together.
"""

LEAST_WORK = 80_000_000
"""What a task of a small sweep holds: about half a second, so that handing it out costs little beside it."""

SHARES = 32
"""A sweep is divided into about so many tasks at least, where they are not smaller than LEAST_WORK."""

MOST_RUNS = 2_048
"""Most runs of a task: what they give has to fit into one message and one transaction."""

MOST = 4
"""How many times the work of a task a replicate of all luck may hold before its luck is divided."""

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
    *,
    n_arms: int = 1,
    most: int | None = None,
) -> tuple[Task, ...]:
    """Divide all runs of a plan into tasks.

    Parameters
    ----------
    weights : for each point the resident-weeks of one replicate, all arms of one luck on one community.
    worlds : for each point the first point that builds the same communities.
    communities, luck : numbers of the replicates.
    n_arms : runs of a replicate; no task holds more than MOST_RUNS.
    most : resident-weeks of a task; none: `task_work` of all of them.

    Returns
    -------
    tuple of Task
        Every run stands in exactly one. Points that build the same communities stand together: all of them on
        several communities where `most` allows it, else as many as it allows on one. Points that build
        communities of their own are put together until they fill a task. Nothing but the arguments decides.

    Examples
    --------
    >>> [task.points for task in divide([10] * 6, [0] * 6, [0], [0], most=40)]
    [(0, 1, 2), (3, 4, 5)]
    """
    alike: dict[int, list[int]] = {}
    for point, world in enumerate(worlds):
        alike.setdefault(world, []).append(point)
    everything = len(communities) * len(luck)
    if most is None:
        most = task_work(sum(weights) * everything)
    weights = [max(weight, most * n_arms // MOST_RUNS) for weight in weights]
    blocks: list[_Block] = []
    open_points: list[int] = []
    open_work = 0
    for members in alike.values():
        work = sum(weights[point] for point in members) * everything
        if open_points and open_work + work > most:
            blocks.append((open_points, communities, luck))
            open_points, open_work = [], 0
        if work <= most:
            open_points = [*open_points, *members]
            open_work += work
        else:
            blocks += _blocks_of(members, weights, communities, luck, most)
    if open_points:
        blocks.append((open_points, communities, luck))
    return tuple(
        Task(number, tuple(sorted(points)), tuple(sorted(numbers)), tuple(sorted(streams)))
        for number, (points, numbers, streams) in enumerate(blocks)
    )


def task_work(total: int) -> int:
    """Return the resident-weeks of a task of a sweep.

    Parameters
    ----------
    total : resident-weeks of the whole sweep.

    Examples
    --------
    >>> task_work(10**9), task_work(10**11)
    (80000000, 240000000)
    """
    return min(WORK, max(LEAST_WORK, total // SHARES))


_Block = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Points, communities, luck."""


def _blocks_of(
    members: Sequence[int],
    weights: Sequence[int],
    communities: Sequence[int],
    luck: Sequence[int],
    most: int,
) -> list[_Block]:
    """Divide points that build the same communities and are too much for one task."""
    work = sum(weights[point] for point in members) * len(luck)  # on one community
    if work <= most:
        parts = _even_parts(communities, most // max(1, work))
        return [(members, part, luck) for part in parts]
    groups = _groups_of(members, weights, len(luck), most)
    return [
        (group, (community,), part)
        for community in communities
        for group in groups
        for part in _parts_of_luck(group, weights, luck, most)
    ]


def _groups_of(members: Sequence[int], weights: Sequence[int], n_luck: int, most: int) -> list[list[int]]:
    """Cut points into groups of about the same work, none above `most` but those of a single point."""
    total = sum(weights[point] for point in members) * n_luck
    share = total / -(-total // most)
    groups: list[list[int]] = []
    held = 0
    for point in members:
        work = weights[point] * n_luck
        if groups and held + work <= most and held + work // 2 <= share:
            groups[-1].append(point)
            held += work
        else:
            groups.append([point])
            held = work
    return groups


def _parts_of_luck(
    group: Sequence[int], weights: Sequence[int], luck: Sequence[int], most: int
) -> list[Sequence[int]]:
    """Cut the luck of a single point that is far too much for a task."""
    weight = weights[group[0]]
    if len(group) > 1 or weight * len(luck) <= MOST * most:
        return [luck]
    return _even_parts(luck, max(1, most // weight))


def _even_parts(numbers: Sequence[int], most: int) -> list[Sequence[int]]:
    """Cut numbers into parts of about the same length, none longer than `most`."""
    n_parts = -(-len(numbers) // most)
    cuts = [len(numbers) * part // n_parts for part in range(n_parts + 1)]
    return [numbers[start:end] for start, end in itertools.pairwise(cuts)]
