"""Which group everybody belongs to, who leads, and which way leaders lean: exact numbers, in keyed order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mobsim.community.exact import (
    as_written,
    draw_words,
    first_in_order,
    in_order,
    largest_remainder,
    round_half_up,
    share_of,
)
from mobsim.community.population import GroupSpec, LeadersSpec
from mobsim.errors import ScenarioError
from mobsim.kernels import streams


def group_sizes(groups: Mapping[str, GroupSpec], n_residents: int) -> npt.NDArray[np.int64]:
    """Return how many residents each group has, by largest remainder.

    Parameters
    ----------
    groups : the declared groups; their shares add up to 1.
    n_residents : number of residents.

    Raises
    ------
    ScenarioError
        If the shares do not add up to 1, or there are more than 255 groups.
    """
    total = sum(as_written(group.share) for group in groups.values())
    if abs(float(total) - 1.0) > 1e-6:
        raise ScenarioError(f"community.groups: the shares add up to {float(total):g}; they must add up to 1")
    if len(groups) > 255:
        raise ScenarioError(f"community.groups: {len(groups)} groups were found; at most 255 are allowed")
    return largest_remainder([group.share for group in groups.values()], n_residents)


def draw_groups(sizes: npt.NDArray[np.int64], *, seed: int, number: int) -> npt.NDArray[np.uint8]:
    """Give each resident a group, for networks without places.

    Parameters
    ----------
    sizes : (n_groups,) residents of each group.
    seed, number : key of the community.

    Returns
    -------
    (n_residents,) uint8
    """
    n = int(sizes.sum())
    group = np.zeros(n, np.uint8)
    if sizes.size > 1:
        order = in_order(draw_words(streams.GROUP, n, seed=seed, number=number)[0])
        group[order] = np.repeat(np.arange(sizes.size, dtype=np.uint8), sizes)
    return group


def draw_leaders(share: float, n_residents: int, *, seed: int, number: int) -> npt.NDArray[np.bool_]:
    """Choose exactly floor(share·N + 1/2) leaders.

    Parameters
    ----------
    share : share of leaders.
    n_residents : number of residents.
    seed, number : key of the community.

    Returns
    -------
    (n_residents,) bool
    """
    leaders = np.zeros(n_residents, np.bool_)
    wanted = share_of(share, n_residents)
    if wanted:
        words = draw_words(streams.LEADER, n_residents, seed=seed, number=number)
        leaders[first_in_order(words[0], wanted)] = True
    return leaders


def draw_leanings(
    spec: LeadersSpec, leaders: npt.NDArray[np.bool_], *, seed: int, number: int
) -> npt.NDArray[np.int8]:
    """Choose exactly floor(opposed·L + 1/2) opposed and floor(supportive·L + 1/2) supportive leaders.

    If rounding makes them more than all, fewer are supportive.

    Parameters
    ----------
    spec : the declared leaders.
    leaders : (n_residents,) bool.
    seed, number : key of the community.

    Returns
    -------
    (n_residents,) int8: −1, 0 or +1; 0 for those who are not leaders.
    """
    n = leaders.size
    leaning = np.zeros(n, np.int8)
    ids = np.flatnonzero(leaders)
    if ids.size:
        words = draw_words(streams.LEADER, n, seed=seed, number=number)
        ids = ids[in_order(words[1][ids])]
        opposed = share_of(spec.opposed, ids.size)
        leaning[ids[:opposed]] = -1
        leaning[ids[opposed : opposed + share_of(spec.supportive, ids.size)]] = 1
    return leaning


def influence_of(leaders: npt.NDArray[np.bool_], leader_influence: float) -> npt.NDArray[np.uint8]:
    """Return everybody's influence in eighths: 8, and floor(8·leader_influence + 1/2) for leaders.

    Parameters
    ----------
    leaders : (n_residents,) bool.
    leader_influence : weight of a leader.
    """
    influence = np.full(leaders.size, 8, np.uint8)
    influence[leaders] = round_half_up(8 * as_written(leader_influence))
    return influence
