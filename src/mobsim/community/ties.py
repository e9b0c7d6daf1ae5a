"""Who influences whom: one thin function for each kind of network, which draws ties or takes them as written.

Each returns `Ties`; what the kinds mean, and which random words they use, stands in docs/communities.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt

import numpy as np
import numpy.typing as npt

from mobsim.community.exact import as_written, round_half_up
from mobsim.community.network import (
    Complete,
    EdgeList,
    ErdosRenyi,
    Lattice,
    NetworkSpec,
    RandomRegular,
    Ring,
    ScaleFree,
    SmallWorld,
    StochasticBlock,
)
from mobsim.errors import ScenarioError
from mobsim.kernels import graph

MOST_COMPLETE = 16_384
"""Most residents of a complete network: its ties fill 1 GiB."""

WEIGHT_UNIT = 2**20
"""Tie weights are whole numbers of 2**-20."""

MOST_WEIGHT = 1_000_000
"""Largest weight of a tie."""


def _no_integers() -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64)


def _no_floats() -> npt.NDArray[np.float64]:
    return np.empty(0, np.float64)


@dataclass(frozen=True, eq=False)
class Ties:
    """Rows of ties, as in `Community`: row_start, neighbours, tie_weight, transmission."""

    row_start: npt.NDArray[np.uint32]
    neighbours: npt.NDArray[np.uint32]
    tie_weight: npt.NDArray[np.int64] = field(default_factory=_no_integers)
    transmission: npt.NDArray[np.float64] = field(default_factory=_no_floats)


def ties_of_pairs(first: graph.Ids, second: graph.Ids, n_residents: int) -> Ties:
    """Turn undirected pairs into ties of weight 1.

    Parameters
    ----------
    first, second : (n_pairs,) uint32, the two residents of each pair.
    n_residents : number of residents.
    """
    return Ties(*graph.rows_of_pairs(first, second, n_residents))


def no_ties(n_residents: int) -> Ties:
    """Return rows without ties."""
    return Ties(np.zeros(n_residents + 1, np.uint32), np.empty(0, np.uint32))


def draw_ties(network: NetworkSpec, group: npt.NDArray[np.uint8], *, seed: int, number: int) -> Ties:
    """Make the ties of a network whose residents have no places: every kind but households and files.

    Parameters
    ----------
    network : which kind, with its parameters.
    group : (n_residents,) index of each resident's group.
    seed, number : key of the community.

    Raises
    ------
    ScenarioError
        If the kind does not fit the number of residents or groups.
    """
    n = group.size
    key = (seed, number)
    if isinstance(network, Ring):
        return _ring(network, n)
    if isinstance(network, Lattice):
        return _lattice(network, n)
    if isinstance(network, SmallWorld):
        return _small_world(network, n, key)
    if isinstance(network, RandomRegular):
        return _random_regular(network, n, key)
    if isinstance(network, ErdosRenyi):
        return _erdos_renyi(network, n, key)
    if isinstance(network, ScaleFree):
        return _scale_free(network, n, key)
    if isinstance(network, StochasticBlock):
        return _stochastic_block(network, group, key)
    if isinstance(network, Complete):
        return _complete(n)
    if isinstance(network, EdgeList):
        return _listed(network, n)
    return no_ties(n)


def check_degree(degree: float, n_residents: int) -> None:
    """Refuse more ties a resident than there are other residents.

    Parameters
    ----------
    degree : wanted ties a resident.
    n_residents : number of residents.
    """
    if degree > n_residents - 1:
        raise ScenarioError(
            f"community.network.degree: {degree:g} ties a resident are wanted, but each of the {n_residents} "
            f"residents has {n_residents - 1} others; at most {n_residents - 1} is allowed"
        )


def _ring(network: Ring, n: int) -> Ties:
    check_degree(network.degree, n)
    pairs = graph.rewired_ring_pairs(n, network.degree // 2, 0.0, 0, 0)
    return ties_of_pairs(*pairs, n)


def _lattice(network: Lattice, n: int) -> Ties:
    """Tie a torus: place p stands in column p mod width, row p div width."""
    width = network.width or next(n // h for h in range(isqrt(n), 0, -1) if n % h == 0)
    height, rest = divmod(n, width)
    reach = network.radius
    if rest:
        raise ScenarioError(
            f"community.network: a lattice of width {width} needs a multiple of {width} residents, "
            f"found {n}; the nearest are {n - rest} and {n - rest + width}"
        )
    if min(width, height) < 2 * reach + 1:
        raise ScenarioError(
            f"community.network: {n} residents make a lattice of {width} by {height}, but radius {reach} "
            f"needs at least {2 * reach + 1} both ways; choose another number of residents, width or radius"
        )
    place = np.arange(n, dtype=np.int64)
    firsts, seconds = [], []
    for down in range(reach + 1):
        for right in range(-reach, reach + 1):
            if (down, right) <= (0, 0):
                continue  # each tie once: only the half plane below and to the right
            if network.neighbourhood == "von_neumann" and down + abs(right) > reach:
                continue
            column = (place % width + right) % width
            row = (place // width + down) % height
            firsts.append(place)
            seconds.append(row * width + column)
    return ties_of_pairs(
        np.concatenate(firsts).astype(np.uint32), np.concatenate(seconds).astype(np.uint32), n
    )


def _small_world(network: SmallWorld, n: int, key: tuple[int, int]) -> Ties:
    check_degree(network.degree, n)
    pairs = graph.rewired_ring_pairs(n, network.degree // 2, network.rewired, *key)
    return ties_of_pairs(*pairs, n)


def _random_regular(network: RandomRegular, n: int, key: tuple[int, int]) -> Ties:
    """Draw a regular network; a dense one as what is left out of a sparse one."""
    degree = network.degree
    check_degree(degree, n)
    if n * degree % 2:
        raise ScenarioError(
            f"community.network: {n} residents with {degree} ties each cannot be paired: {n}·{degree} "
            "is odd; residents or degree must be even"
        )
    left_out = n - 1 - degree
    drawn = min(degree, left_out)
    if drawn == 0:
        return no_ties(n) if degree == 0 else _complete(n)
    for restart in range(100):
        first, second = graph.regular_pairs(n, drawn, restart, *key)
        if first.size:
            sparse = ties_of_pairs(first, second, n)
            return sparse if drawn == degree else _complement(sparse)
    raise ScenarioError(
        f"community.network: no regular network of {n} residents with {degree} ties was found; "
        "choose another degree"
    )


def _complement(ties: Ties) -> Ties:
    """Tie everybody who is not tied, and the other way round."""
    n = ties.row_start.size - 1
    _refuse_large(n)
    tied = np.eye(n, dtype=np.bool_)
    tied[np.repeat(np.arange(n), np.diff(ties.row_start)), ties.neighbours] = True
    rows, neighbours = np.nonzero(~tied)
    row_start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return Ties(row_start.astype(np.uint32), neighbours.astype(np.uint32))


def _erdos_renyi(network: ErdosRenyi, n: int, key: tuple[int, int]) -> Ties:
    check_degree(network.degree, n)
    if n == 1:
        return no_ties(n)
    members = np.arange(n, dtype=np.uint32)
    chance = np.array([[network.degree / (n - 1)]])
    return ties_of_pairs(*graph.block_pairs(members, np.array([0, n]), chance, *key), n)


def _stochastic_block(network: StochasticBlock, group: npt.NDArray[np.uint8], key: tuple[int, int]) -> Ties:
    """Draw ties with one chance within and one between groups; one group alone has only ties within."""
    n = group.size
    check_degree(network.degree, n)
    sizes = np.bincount(group)
    within = int((sizes * (sizes - 1) // 2).sum())
    between = n * (n - 1) // 2 - within
    homophily = network.homophily if between else 1.0
    wanted = network.degree * n / 2
    chances = []
    for name, share, pairs in (("within", homophily, within), ("between", 1.0 - homophily, between)):
        if share * wanted > pairs:
            raise ScenarioError(
                f"community.network: {share * wanted:.0f} ties {name} groups are wanted, but there are "
                f"{pairs} pairs; lower degree or change homophily"
            )
        chances.append(share * wanted / pairs if pairs else 0.0)
    chance = np.full((sizes.size, sizes.size), chances[1])
    np.fill_diagonal(chance, chances[0])
    chance[sizes == 0, :] = chance[:, sizes == 0] = 0.0
    members = np.argsort(group, kind="stable").astype(np.uint32)
    block_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return ties_of_pairs(*graph.block_pairs(members, block_start, chance, *key), n)


def _scale_free(network: ScaleFree, n: int, key: tuple[int, int]) -> Ties:
    if n <= network.ties_each:
        raise ScenarioError(
            f"community.network.ties_each: a newcomer makes {network.ties_each} ties, but there are only {n} "
            f"residents; at most {n - 1} is allowed"
        )
    return ties_of_pairs(*graph.attached_pairs(n, network.ties_each, *key), n)


def _refuse_large(n: int) -> None:
    if n > MOST_COMPLETE:
        raise ScenarioError(
            f"community.network: ties among all {n} residents would take {n * (n - 1) * 4 / 2**30:.0f} GiB; "
            f"at most {MOST_COMPLETE} residents are allowed, and `kind: well_mixed` has no limit"
        )


def _complete(n: int) -> Ties:
    _refuse_large(n)
    others = np.empty((n, n - 1), np.uint32)
    others[:] = np.arange(n - 1, dtype=np.uint32)
    for i in range(n):
        others[i, i:] += np.uint32(1)
    return Ties(np.arange(n + 1, dtype=np.uint32) * np.uint32(max(n - 1, 0)), others.reshape(-1))


def whole_weight(weight: float) -> int:
    """Turn a weight into whole units of 2**-20, halves up.

    Examples
    --------
    >>> whole_weight(0.5)
    524288
    """
    return round_half_up(as_written(weight) * WEIGHT_UNIT)


def written_ties(
    influenced: npt.NDArray[np.int64],
    influencer: npt.NDArray[np.int64],
    weight: npt.NDArray[np.int64] | None,
    transmission: npt.NDArray[np.float64] | None,
    *,
    directed: bool,
    n_residents: int,
) -> Ties:
    """Turn ties as somebody wrote them into rows.

    Parameters
    ----------
    influenced, influencer : (n,) positions of the residents of each tie.
    weight : (n,) units of 2**-20, or None.
    transmission : (n,) weekly chances, or None.
    directed : the second influences the first only; else both ways.
    n_residents : number of residents.
    """
    if not directed:
        influenced, influencer = (
            np.concatenate([influenced, influencer]),
            np.concatenate([influencer, influenced]),
        )
        weight = None if weight is None else np.tile(weight, 2)
        transmission = None if transmission is None else np.tile(transmission, 2)
    order = np.lexsort((influencer, influenced))
    row_start = np.concatenate([[0], np.cumsum(np.bincount(influenced, minlength=n_residents))])
    all_one = weight is None or bool((weight == WEIGHT_UNIT).all())
    weight = _no_integers() if weight is None or all_one else weight[order]
    transmission = _no_floats() if transmission is None else transmission[order]
    return Ties(row_start.astype(np.uint32), influencer[order].astype(np.uint32), weight, transmission)


def _listed(network: EdgeList, n: int) -> Ties:
    """Check the pairs of the scenario and turn them into rows."""
    where = "community.network.ties"
    seen: set[tuple[int, int]] = set()
    for k, (a, b) in enumerate(network.ties):
        for end in (a, b):
            if not 0 <= end < n:
                raise ScenarioError(f"{where}[{k}]: resident {end} is not there; allowed are 0 to {n - 1}")
        if a == b:
            raise ScenarioError(f"{where}[{k}]: resident {a} is tied to itself")
        pair = (a, b) if network.directed else (min(a, b), max(a, b))
        if pair in seen:
            raise ScenarioError(f"{where}[{k}]: the tie [{a}, {b}] stands twice")
        seen.add(pair)
    for name, values, most in (
        ("weights", network.weights, float(MOST_WEIGHT)),
        ("transmission", network.transmission, 1.0),
    ):
        if values is None:
            continue
        if len(values) != len(network.ties):
            raise ScenarioError(
                f"community.network.{name}: {len(values)} values for {len(network.ties)} ties; "
                "give one for each tie"
            )
        for k, value in enumerate(values):
            if not 0 <= value <= most:
                raise ScenarioError(
                    f"community.network.{name}[{k}]: {value:g} is outside what is allowed, 0 to {most:g}"
                )
    pairs = np.array(network.ties, np.int64).reshape(-1, 2)
    weights, chances = network.weights, network.transmission
    return written_ties(
        pairs[:, 0],
        pairs[:, 1],
        None if weights is None else np.array([whole_weight(w) for w in weights], np.int64),
        None if chances is None else np.array(chances, np.float64),
        directed=network.directed,
        n_residents=n,
    )


def with_leaders(
    ties: Ties, leaders: npt.NDArray[np.bool_], tie_factor: float, *, seed: int, number: int
) -> Ties:
    """Give leaders (tie_factor − 1)·(mean number of ties) more ties each, to residents drawn uniformly.

    Parameters
    ----------
    ties : drawn ties, undirected and unweighted.
    leaders : (n_residents,) bool.
    tie_factor : at least 1.
    seed, number : key of the community.
    """
    n = leaders.size
    extra = round_half_up((as_written(tie_factor) - 1) * ties.neighbours.size / n)
    added = graph.leader_pairs(
        ties.row_start, ties.neighbours, np.flatnonzero(leaders).astype(np.uint32), extra, seed, number
    )
    if not added[0].size:
        return ties
    first, second = graph.pairs_of_rows(ties.row_start, ties.neighbours)
    del ties
    first, second = np.concatenate([first, added[0]]), np.concatenate([second, added[1]])
    return ties_of_pairs(first, second, n)
