"""From runs to tasks: blocks of runs that are computed whole and kept whole, the same on every machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mobsim.errors import UsageError

WORK = 60_000_000
"""Resident-weeks that a task holds, about: half a second to one and a half. Part of the results' identity."""

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
    weights : for each point the resident-weeks of one replicate of all arms.
    worlds : for each point the first point that builds the same communities.
    communities, luck : numbers of the replicates.

    Returns
    -------
    tuple of Task
        Every run stands in exactly one. Points that build the same communities stand together. Nothing but
        the arguments decides.
    """
    raise NotImplementedError
