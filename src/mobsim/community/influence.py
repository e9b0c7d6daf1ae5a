"""People who together reach most: influence maximization with a guarantee, or by simulated cascades.

`maximize_influence` chooses by reverse-reachable sets as many as the guarantee asks for (IMM: Tang, Shi and
Xiao 2015, SIGMOD), with fresh sets for the final choice (Chen 2018, "An issue in the martingale analysis of
the influence maximization algorithm IMM": sets that were drawn until a bound was found are not independent of
how many they are), or by lazy greedy on simulated cascades (CELF: Leskovec et al. 2007, KDD). Written out in
docs/odd.md, 7.16.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from mobsim.community.cascade import USUAL_PROBABILITY, CascadeOptions
from mobsim.community.community import Community
from mobsim.errors import ScenarioError
from mobsim.kernels.elementary import exp2_array, log2_1m_64, log2_64, log_64
from mobsim.kernels.influence import cover_most, draw_live_ties, draw_reverse_sets, lazy_greedy

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WHOLE_TIE = 2**20
"""The weight 1, in the integers of tie weights."""

ONE_LESS_1_E = 0.6321205588285577
"""1 - 1/e."""

MOST_MEMBERS = 2**27
"""Most places in reverse-reachable sets: about 1 GiB with the index of who is in which set."""

MOST_MARKS = 2**29
"""Most marks of live ties and of people reached, a byte each, by all simulated cascades."""

FOR_THE_BOUND, FOR_THE_CHOICE = 0, 1
"""Purposes of reverse-reachable sets: sets for the one are not used for the other."""


@dataclass(frozen=True, eq=False)
class Choice:
    """People chosen for their common influence.

    people : (K,) ids in the order of choice.
    reached : about how many residents they reach together, themselves included; estimated from the same sets
        or cascades by which they were chosen, so a little too high.
    n_drawn : reverse-reachable sets of the final choice, or simulated cascades.
    """

    people: Integers
    reached: float
    n_drawn: int


@dataclass(frozen=True, eq=False)
class LiveTies:
    """How the ties of a community become live.

    row_start, neighbours : rows of those who influence each resident.
    limit : (n_ties,) uint64; a tie is live if its word is below.
    total : (n_ties,) int64 sums of weights along each row.
    threshold : at most one tie of each row is live, by `total`; else each by `limit`.
    seed, number : key of the community.
    """

    row_start: Integers
    neighbours: npt.NDArray[np.uint32]
    limit: npt.NDArray[np.uint64]
    total: Integers
    threshold: bool
    seed: int
    number: int

    @property
    def n_residents(self) -> int:
        """Number of residents."""
        return self.row_start.size - 1


def maximize_influence(
    community: Community,
    options: CascadeOptions,
    may: npt.NDArray[np.bool_],
    wanted: int,
    *,
    ell: float = 1.0,
) -> Choice:
    """Choose people whose common influence is as large as can be guaranteed.

    Parameters
    ----------
    community : people and ties.
    options : the cascade, and the method.
    may : (n_residents,) who may be chosen.
    wanted : how many, at least 1 and at most as many as may be chosen.
    ell : the guarantee of method imm holds with a chance of at least 1 - n**-ell.

    Raises
    ------
    ScenarioError
        If sets or cascades would take too much memory.

    Examples
    --------
    >>> from mobsim.scenario.resolve import resolve
    >>> from mobsim.community.build import build_community
    >>> scenario = resolve({"schema_version": 2, "title": "A village", "description": "Only an example."})
    >>> village = build_community(scenario.community, scenario.behaviour, seed=1, number=0)
    >>> options = CascadeOptions(cascade="weighted", epsilon=0.3)
    >>> choice = maximize_influence(village, options, village.leaning >= 0, 5)
    >>> choice.people.size, choice.reached > 5
    (5, True)
    """
    ties = live_ties(community, options)
    if options.method == "celf":
        return _by_cascades(ties, options.simulations, may, wanted)
    return _by_reverse_sets(ties, options.epsilon, ell, may, wanted)


def live_ties(community: Community, options: CascadeOptions) -> LiveTies:
    """Say how the ties of a community become live under a cascade.

    Parameters
    ----------
    community : people and ties.
    options : the cascade, and its probability.
    """
    row_start = np.array(community.row_start, np.int64)
    none_live, no_total = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    threshold = options.cascade == "linear_threshold"
    limit = none_live if threshold else np.ceil(_chances(community, options) * 2.0**32).astype(np.uint64)
    total = no_total
    if threshold:
        weights = tie_weights(community) * community.influence.astype(np.int64)[community.neighbours]
        total = _sums_along_rows(row_start, weights)
    return LiveTies(
        row_start=row_start,
        neighbours=np.array(community.neighbours, np.uint32),
        limit=limit,
        total=total,
        threshold=threshold,
        seed=community.seed,
        number=community.number,
    )


def tie_weights(community: Community) -> Integers:
    """Return (n_ties,) weights of ties in 2**-20."""
    if community.tie_weight.size:
        return np.array(community.tie_weight, np.int64)
    return np.full(community.n_ties, WHOLE_TIE, np.int64)


def rows_outward(
    row_start: Integers, neighbours: npt.NDArray[np.uint32]
) -> tuple[Integers, npt.NDArray[np.uint32], Integers]:
    """Return rows of those whom each resident influences, and where these ties stand in the given rows.

    Parameters
    ----------
    row_start, neighbours : rows of those who influence each resident.

    Returns
    -------
    out_start : (n_residents + 1,) int64
    out_ends : (n_ties,) uint32
    out_tie : (n_ties,) int64
    """
    n = row_start.size - 1
    influencer = neighbours.astype(np.int64)
    out_tie = np.argsort(influencer, kind="stable").astype(np.int64)
    influenced = np.repeat(np.arange(n, dtype=np.uint32), np.diff(row_start))
    out_start = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(influencer, minlength=n))])
    return out_start.astype(np.int64), influenced[out_tie], out_tie


def _chances(community: Community, options: CascadeOptions) -> Floats:
    """Return (n_ties,) chances that ties are live."""
    if options.cascade == "weighted":
        row_start = np.asarray(community.row_start).astype(np.int64)
        weights = tie_weights(community)
        of_row = np.repeat(_sums_of_rows(row_start, weights), community.degree)
        return np.asarray(weights / np.maximum(of_row, 1))
    if options.probability is None and community.transmission.size:
        return np.array(community.transmission, np.float64)
    probability = USUAL_PROBABILITY if options.probability is None else options.probability
    weights = tie_weights(community)
    exponents = np.asarray(weights * 2.0**-20 * float(log2_1m_64(probability)), np.float64)
    none_live = exp2_array(exponents)
    return np.where(weights == WHOLE_TIE, probability, 1.0 - none_live)


def _sums_of_rows(row_start: Integers, values: Integers) -> Integers:
    """Return (n_residents,) sums of whole numbers in rows; int64 differences are right even if it wraps."""
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    return np.asarray(before[row_start[1:]] - before[row_start[:-1]])


def _sums_along_rows(row_start: Integers, values: Integers) -> Integers:
    """Return (n_ties,) for each tie the sum of its row's whole numbers up to and with it."""
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    return np.asarray(before[1:] - np.repeat(before[row_start[:-1]], np.diff(row_start)))


# Reverse-reachable sets


class _ReverseSets:
    """Sets of one purpose, drawn when they are asked for, numbered from 0."""

    def __init__(self, ties: LiveTies, purpose: int) -> None:
        self.ties = ties
        self.purpose = purpose
        self.drawn = 0
        self.start = np.zeros(1, np.int64)
        self.members = np.empty(4 * ties.n_residents + 2**12, np.uint32)

    def draw(self, wanted: int) -> None:
        """Draw until there are as many sets as wanted."""
        ties = self.ties
        if wanted > MOST_MEMBERS:  # a set holds one resident at least
            raise MemoryError
        if wanted + 1 > self.start.size:
            longer = np.zeros(wanted + 1, np.int64)
            longer[: self.drawn + 1] = self.start[: self.drawn + 1]
            self.start = longer
        while self.drawn < wanted:
            self.drawn = draw_reverse_sets(
                ties.row_start,
                ties.neighbours,
                ties.limit,
                ties.total,
                ties.threshold,
                self.drawn,
                wanted,
                self.purpose,
                ties.seed,
                ties.number,
                self.start,
                self.members,
            )
            if self.drawn < wanted:
                self._make_room()

    def _make_room(self) -> None:
        if self.members.size >= MOST_MEMBERS:
            raise MemoryError
        filled = self.start[self.drawn]
        wider = np.empty(
            max(min(2 * self.members.size, MOST_MEMBERS), filled + self.ties.n_residents), np.uint32
        )
        wider[:filled] = self.members[:filled]
        self.members = wider

    def cover(self, may: npt.NDArray[np.uint8], wanted: int) -> tuple[Integers, int]:
        """Return who covers most sets in the order of choice, and how many sets they cover."""
        chosen = np.empty(wanted, np.int64)
        covered = cover_most(self.start[: self.drawn + 1], self.members, may, wanted, chosen)
        return chosen, int(covered)


def _by_reverse_sets(
    ties: LiveTies, epsilon: float, ell: float, may: npt.NDArray[np.bool_], wanted: int
) -> Choice:
    allowed = may.astype(np.uint8)
    n, choices = ties.n_residents, int(np.count_nonzero(may))
    counts = number_of_sets(n, choices, wanted, epsilon, ell)
    try:
        bound = _lower_bound(ties, counts, allowed, wanted)
        sets = _ReverseSets(ties, FOR_THE_CHOICE)
        sets.draw(max(1, ceil(counts.for_the_choice / bound)))
    except MemoryError as error:
        raise ScenarioError(
            f"rule influence: with epsilon {epsilon:g}, {wanted:,} of {n:,} residents would need more than "
            f"{MOST_MEMBERS:,} places in reverse-reachable sets; allowed: a larger epsilon, or fewer "
            "residents to choose"
        ) from error
    people, covered = sets.cover(allowed, wanted)
    return Choice(people, n * covered / sets.drawn, sets.drawn)


@dataclass(frozen=True)
class SetCounts:
    """How many reverse-reachable sets the guarantee asks for, each to be divided by a number of people.

    for_a_test : to tell whether that number of people can be reached.
    for_the_choice : to choose if at least that number can be reached.
    slack : by how much an estimate may be too high (epsilon').
    """

    for_a_test: float
    for_the_choice: float
    slack: float


def number_of_sets(n: int, choices: int, wanted: int, epsilon: float, ell: float) -> SetCounts:
    """Work out how many reverse-reachable sets IMM asks for (Tang, Shi and Xiao 2015, section 3).

    Parameters
    ----------
    n : number of residents.
    choices : how many of them may be chosen.
    wanted : how many are chosen.
    epsilon : what may be missing to 1 - 1/e of the best.
    ell : it holds with a chance of at least 1 - n**-ell.
    """
    ln_2 = float(log_64(2.0))
    ways = 0.0  # ln of the number of ways to choose
    for i in range(1, wanted + 1):
        ways += float(log_64(float(choices - wanted + i))) - float(log_64(float(i)))
    sure = ell * (float(log_64(float(n))) + ln_2)
    slack = sqrt(2.0) * epsilon
    rounds = float(log_64(max(float(log2_64(float(n))), 1.0)))
    test = ((2.0 + (slack * 2.0) / 3.0) * ((ways + sure) + rounds)) * n / (slack * slack)
    alpha = sqrt(sure + ln_2)
    beta = sqrt(ONE_LESS_1_E * ((ways + sure) + ln_2))
    both = ONE_LESS_1_E * alpha + beta
    return SetCounts(test, ((2.0 * n) * (both * both)) / (epsilon * epsilon), slack)


def _lower_bound(ties: LiveTies, counts: SetCounts, may: npt.NDArray[np.uint8], wanted: int) -> float:
    """Return a number of residents that the best choice reaches for sure, or as good as."""
    n = ties.n_residents
    sets = _ReverseSets(ties, FOR_THE_BOUND)
    people = n / 2.0
    while people >= 2.0:  # for 2, there are as many rounds as the whole part of log2 n, less one
        if people < wanted:
            break  # whoever is chosen is reached
        sets.draw(ceil(counts.for_a_test / people))
        _, covered = sets.cover(may, wanted)
        reached = n * float(covered) / float(sets.drawn)
        if reached >= (1.0 + counts.slack) * people:
            return max(reached / (1.0 + counts.slack), float(wanted))
        people /= 2.0
    return float(wanted)


# Simulated cascades


def _by_cascades(ties: LiveTies, simulations: int, may: npt.NDArray[np.bool_], wanted: int) -> Choice:
    n, n_ties = ties.n_residents, ties.neighbours.size
    marks = simulations * (n + n_ties)
    if marks > MOST_MARKS:
        raise ScenarioError(
            f"rule influence: {simulations:,} simulated cascades among {n:,} residents with {n_ties:,} tie "
            f"ends would need {marks:,} marks; allowed: at most {MOST_MARKS:,}, or method imm"
        )
    live = np.zeros((simulations, n_ties), np.uint8)
    draw_live_ties(ties.row_start, ties.limit, ties.total, ties.threshold, ties.seed, ties.number, live)
    outward = rows_outward(ties.row_start, ties.neighbours)
    chosen = np.empty(wanted, np.int64)
    in_all = lazy_greedy(*outward, live, may.astype(np.uint8), wanted, chosen)
    return Choice(chosen, float(in_all) / simulations, simulations)
