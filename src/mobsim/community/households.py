"""The default network: households of one group in villages, sociable people, and leaders with more ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobsim.community.exact import as_written, draw_words, first_in_order, in_order, in_parts, round_half_up
from mobsim.community.network import Households
from mobsim.community.ties import Ties, check_degree
from mobsim.errors import ScenarioError
from mobsim.kernels import graph, streams
from mobsim.kernels.elementary import LOG2_E, exp2_array, normal_quantile_array


@dataclass(frozen=True, eq=False)
class Homes:
    """Where everybody lives; residents are numbered by place.

    household_start : (n_households + 1,) int64, first resident of each household.
    village_start : (n_villages + 1,) int64, first resident of each village.
    group : (n_residents,) uint8.
    """

    household_start: npt.NDArray[np.int64]
    village_start: npt.NDArray[np.int64]
    group: npt.NDArray[np.uint8]

    @property
    def household(self) -> npt.NDArray[np.int32]:
        """(n_residents,) number of each resident's household."""
        return _number_of_each(self.household_start)

    @property
    def village(self) -> npt.NDArray[np.int32]:
        """(n_residents,) number of each resident's village."""
        return _number_of_each(self.village_start)

    @property
    def n_household_ties(self) -> int:
        """Ties within households."""
        size = np.diff(self.household_start)
        return int((size * (size - 1) // 2).sum())


def _number_of_each(start: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    return np.repeat(np.arange(start.size - 1, dtype=np.int32), np.diff(start))


def household_degree(household_size: float) -> float:
    """Return the expected number of ties within the household: E[size·(size − 1)] / E[size].

    Parameters
    ----------
    household_size : mean size; sizes are 1 + a negative binomial.
    """
    others = household_size - 1.0
    variance = others + others * others / graph.HOUSEHOLD_SPREAD
    return (variance + others * household_size) / household_size


def check_households(network: Households, n_residents: int) -> None:
    """Refuse households that cannot give the wanted number of ties.

    Parameters
    ----------
    network : the declared network.
    n_residents : number of residents.
    """
    check_degree(network.degree, n_residents)
    at_home = household_degree(network.household_size)
    if network.degree < at_home:
        raise ScenarioError(
            f"community.network.degree: {network.degree:g} ties a resident are wanted, but households of "
            f"{network.household_size:g} alone give {at_home:.1f}; raise degree or lower household_size"
        )
    if network.villages > n_residents:
        raise ScenarioError(
            f"community.network.villages: {network.villages} villages for {n_residents} residents; "
            f"at most {n_residents} is allowed"
        )


def draw_homes(network: Households, group_sizes: npt.NDArray[np.int64], *, seed: int, number: int) -> Homes:
    """House every group, mix the households in random order and cut the row of places into villages.

    A household that a village border cuts becomes two.

    Parameters
    ----------
    network : the declared network.
    group_sizes : (n_groups,) residents of each group.
    seed, number : key of the community.
    """
    n = int(group_sizes.sum())
    size, group, words = graph.draw_households(group_sizes, network.household_size, seed, number)
    order = in_order(words)
    village_start = np.arange(network.villages + 1, dtype=np.int64) * n // network.villages
    household_end = np.cumsum(size[order])
    household_start = np.unique(np.concatenate([household_end, village_start])).astype(np.int64)
    return Homes(household_start, village_start, np.repeat(group[order], size[order]))


def mix_groups(
    homes: Homes, network: Households, n_ties: int, *, seed: int, number: int
) -> npt.NDArray[np.uint8]:
    """Let some residents exchange places if households of one group give more same-group ties than wanted.

    Two random residents are of one group with chance c. If a share φ of residents exchange places,
    household ties stay within the group with chance c + (1 − c)(1 − φ)², and other ties with chance c; φ
    solves for the wanted share.

    Parameters
    ----------
    homes : households of one group each.
    network : the declared network, with the wanted share.
    n_ties : number of all ties of the network.
    seed, number : key of the community.

    Returns
    -------
    (n_residents,) uint8, the group of each resident, in the same numbers.
    """
    n = homes.group.size
    sizes = np.bincount(homes.group).astype(np.float64)
    by_chance = float((sizes * sizes).sum()) / (n * n)
    at_home = homes.n_household_ties
    if by_chance == 1.0 or at_home == 0:
        return homes.group
    wanted_at_home = (network.homophily * n_ties - (n_ties - at_home) * by_chance) / at_home
    kept = min(max((wanted_at_home - by_chance) / (1.0 - by_chance), 0.0), 1.0)
    n_exchanged = int(np.floor((1.0 - np.sqrt(kept)) * n + 0.5))
    words = draw_words(streams.MIXING, n, seed=seed, number=number)
    leaving = first_in_order(words[0], n_exchanged)
    leaving = leaving[in_order(words[0][leaving])]
    arriving = leaving[in_order(words[1][leaving])]
    group = homes.group.copy()
    group[arriving] = homes.group[leaving]
    return group


def draw_sociability(sd: float, n_residents: int, *, seed: int, number: int) -> npt.NDArray[np.float64]:
    """Draw lognormal sociability with median 1.

    Parameters
    ----------
    sd : standard deviation of its logarithm.
    n_residents : number of residents.
    seed, number : key of the community.
    """
    words = draw_words(streams.SOCIABILITY, n_residents, seed=seed, number=number)
    sociability = np.empty(n_residents, np.float64)
    for part in in_parts(n_residents):
        sociability[part] = exp2_array(sd * LOG2_E * normal_quantile_array(centred_array(words[0][part])))
    return sociability


def centred_array(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """`mobsim.kernels.keyed.centred` of every word: float64 strictly inside (0, 1)."""
    return ((words >> np.uint32(8)).astype(np.float64) + 0.5) * 2.0**-24


def household_ties(
    network: Households,
    homes: Homes,
    group: npt.NDArray[np.uint8],
    leaders: npt.NDArray[np.bool_],
    tie_factor: float,
    *,
    seed: int,
    number: int,
) -> Ties:
    """Make the ties: households, then leaders' extra ties, then others until the mean degree is reached.

    Parameters
    ----------
    network : the declared network.
    homes : where everybody lives.
    group : (n_residents,) uint8.
    leaders : (n_residents,) bool.
    tie_factor : leaders get (tie_factor − 1)·degree extra ties.
    seed, number : key of the community.
    """
    n = group.size
    extra = round_half_up((as_written(tie_factor) - 1) * as_written(network.degree))
    first, second = graph.household_pairs(homes.household_start)
    n_ties = number_of_ties(network, n)
    wanted = n_ties - first.size
    crossing = int(np.floor((1.0 - network.homophily) * n_ties + 0.5))
    crossing -= _n_crossing(group, first, second)
    at_home = graph.rows_of_pairs(first, second, n)
    del first, second
    of_leaders = graph.leader_pairs(*at_home, np.flatnonzero(leaders).astype(np.uint32), extra, seed, number)
    del at_home
    wanted = max(0, wanted - of_leaders[0].size)
    crossing -= _n_crossing(group, *of_leaders)
    others = graph.neighbourly_pairs(
        draw_sociability(network.sociability_sd, n, seed=seed, number=number),
        homes.household,
        group,
        homes.village,
        homes.village_start,
        network.near_share,
        network.near_places,
        wanted,
        max(0, crossing),
        *of_leaders,
        np.zeros(graph.set_size(of_leaders[0].size + wanted), np.uint64),
        seed,
        number,
    )
    if others[0].size < wanted:
        raise ScenarioError(
            f"community.network: only {n_ties - wanted + others[0].size} of {n_ties} ties found two "
            "residents who may be tied; lower degree or homophily, or raise near_places"
        )
    return Ties(*graph.rows_of_homes(homes.household_start, *of_leaders, *others))


def _n_crossing(group: npt.NDArray[np.uint8], first: graph.Ids, second: graph.Ids) -> int:
    """Count pairs of residents of different groups."""
    return int(np.count_nonzero(group[first] != group[second]))


def number_of_ties(network: Households, n_residents: int) -> int:
    """Return how many ties give the wanted mean degree: floor(residents · degree / 2 + 1/2).

    Parameters
    ----------
    network : the declared network.
    n_residents : number of residents.
    """
    return round_half_up(n_residents * as_written(network.degree) / 2)
