"""A part of a community that fits into a picture: whole neighbourhoods, and the ties among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mobsim.community.community import Community


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Some residents of a community.

    Attributes
    ----------
    n_residents : residents of the whole community.
    group_names : names of the groups; the majority first.
    group : (shown,) number of the group.
    is_leader, takes_part : (shown,) booleans.
    ties : (n, 2) pairs of places in the arrays above, each tie once.
    at_start : whether `takes_part` is that of the start.
    """

    n_residents: int
    group_names: tuple[str, ...]
    group: NDArray[np.int64]
    is_leader: NDArray[np.bool_]
    takes_part: NDArray[np.bool_]
    ties: NDArray[np.int64]
    at_start: bool


def excerpt_of(
    community: Community, *, at_most: int = 400, participating: NDArray[np.bool_] | None = None
) -> Excerpt:
    """Take whole neighbourhoods of a community as far as they fit.

    Parameters
    ----------
    community : people and ties.
    at_most : residents shown, 2 or more.
    participating : (n_residents,) who takes part; none: who takes part at the start.
    """
    shown = _some_residents(community, at_most)
    takes_part = community.participating if participating is None else participating
    return Excerpt(
        n_residents=community.n_residents,
        group_names=tuple(community.group_names),
        group=community.group[shown].astype(np.int64),
        is_leader=community.is_leader[shown].astype(np.bool_),
        takes_part=np.asarray(takes_part[shown], dtype=np.bool_),
        ties=_ties_among(community, shown),
        at_start=participating is None,
    )


def _some_residents(community: Community, at_most: int) -> NDArray[np.int64]:
    """Choose whole neighbourhoods in order while they fit, else the first residents of the first one."""
    order = np.lexsort((np.arange(community.n_residents), community.neighbourhood))
    if len(order) <= at_most:
        return np.sort(order)
    _, sizes = np.unique(community.neighbourhood, return_counts=True)
    fitting = np.cumsum(sizes)
    n_shown = int(fitting[fitting <= at_most][-1]) if fitting[0] <= at_most else at_most
    return np.sort(order[:n_shown])


def _ties_among(community: Community, shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 2) pairs of places in `shown`, each undirected tie once."""
    place = np.full(community.n_residents, -1)
    place[shown] = np.arange(len(shown))
    one = np.repeat(np.arange(community.n_residents), np.diff(community.row_start))
    pairs = np.stack([place[one], place[community.neighbours.astype(np.int64)]], axis=1)
    pairs = np.sort(pairs[(pairs >= 0).all(axis=1)], axis=1)
    return np.unique(pairs, axis=0)
