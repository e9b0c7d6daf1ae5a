"""Ties as pairs and as rows: inner loops that make networks, and loops that measure them.

A generator makes a list of undirected pairs; `rows_of_pairs` turns it into rows: row i of `neighbours`, from
`row_start[i]` to `row_start[i + 1]`, lists those who influence i in ascending order, and an undirected tie
stands in both rows. All draws are keyed by an attempt or by a thing (docs/communities.md), in one fixed
order, so that a community has the same bits everywhere. Kernels check nothing: their callers do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mobsim.kernels import streams
from mobsim.kernels.compile import inlined, internal, kernel
from mobsim.kernels.elementary import log2_1m_64, log2_64
from mobsim.kernels.keyed import SETUP_LUCK, Whole, below, centred, philox, philox_words

Ids = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.int64]
PairSet = npt.NDArray[np.uint64]
Pairs = tuple[Ids, Ids]

SOCIABILITY_CAP = 4.0
"""A near resident's sociability counts up to this many times the median when others choose him."""

HOUSEHOLD_SPREAD = 6
"""Shape of the negative binomial of household sizes: sizes of mean 4.7 get a standard deviation of 2.4."""

_HOUSEHOLD = streams.HOUSEHOLD
_TIE = streams.TIE
_TIE_END = streams.TIE_END
_LEADER_TIE = streams.LEADER_TIE
_SKIP = streams.SKIP
_REWIRE = streams.REWIRE
_REWIRED_END = streams.REWIRED_END
_PAIRING = streams.PAIRING
_SWAP = streams.SWAP
_ATTACH = streams.ATTACH

# Odd 32-bit constants: products of 32 x 32 bits never overflow, so the set works the same without compiling.
_MIX_LOW = np.uint64(0x9E3779B1)
_MIX_HIGH = np.uint64(0x85EBCA77)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)
_WORD = 2.0**-32
_BATCH = 512


# A set of pairs: open addressing in an array of uint64; 0 is an empty slot.


@inlined
def set_size(n_pairs: int) -> int:
    """Return how many slots give a set room for n_pairs pairs, at most two thirds full.

    Parameters
    ----------
    n_pairs : most pairs that will be added.
    """
    return n_pairs + n_pairs // 2 + 16


@inlined
def _key(a: int, b: int, n: int) -> np.uint64:
    """Number an unordered pair; never 0."""
    low = min(a, b)
    high = max(a, b)
    return np.uint64(low) * np.uint64(n) + np.uint64(high) + _ONE


@inlined
def _first_slot(pairs: PairSet, key: np.uint64) -> np.uint64:
    """Return the slot where the search for a pair begins."""
    mixed = ((key & _LOW) * _MIX_LOW) ^ ((key >> _HALF) * _MIX_HIGH)
    return (((mixed ^ (mixed >> _HALF)) & _LOW) * np.uint64(pairs.size)) >> _HALF


@internal
def _slot(pairs: PairSet, key: np.uint64) -> int:
    """Find where a pair stands in a set, or the empty slot where it would stand."""
    size = np.uint64(pairs.size)
    at = _first_slot(pairs, key)
    while pairs[at] != 0 and pairs[at] != key:
        at = at + _ONE
        if at == size:
            at = np.uint64(0)
    return np.int64(at)  # type: ignore[return-value]


@internal
def _add(pairs: PairSet, key: np.uint64) -> bool:
    """Add a pair to a set; False if it was there."""
    at = _slot(pairs, key)
    if pairs[at] == key:
        return False
    pairs[at] = key
    return True


@internal
def _open_rows(size: Ids) -> Ids:
    """Turn sizes of rows, of which size[i + 1] belongs to row i, into the first place of every row."""
    for i in range(size.size - 1):
        size[i + 1] += size[i]
    return size


@internal
def _close_rows(row_start: Ids) -> None:
    """Undo that every row's start has moved to its end while the row was filled."""
    for i in range(row_start.size - 1, 0, -1):
        row_start[i] = row_start[i - 1]
    row_start[0] = 0


@kernel
def rows_of_pairs(first: Ids, second: Ids, n_residents: int) -> tuple[Ids, Ids]:
    """Turn undirected pairs into rows, each tie in both rows.

    Parameters
    ----------
    first, second : (n_pairs,) uint32
        The two residents of each pair; no resident with himself, no pair twice; fewer than 2**31 pairs.
    n_residents : int
        Number of residents.

    Returns
    -------
    row_start : (n_residents + 1,) uint32
    neighbours : (2 n_pairs,) uint32, ascending within a row
    """
    n = n_residents
    row_start = np.zeros(n + 1, np.uint32)
    for e in range(first.size):
        row_start[first[e] + 1] += 1
        row_start[second[e] + 1] += 1
    _open_rows(row_start)
    jumbled = np.empty(2 * first.size, np.uint32)
    for e in range(first.size):
        a = first[e]
        b = second[e]
        jumbled[row_start[a]] = b
        row_start[a] += 1
        jumbled[row_start[b]] = a
        row_start[b] += 1
    _close_rows(row_start)
    # Read row by row and written to the other resident's row, the ends arrive in ascending order.
    filled = np.empty(n, np.uint32)
    for i in range(n):
        filled[i] = row_start[i]
    neighbours = np.empty(2 * first.size, np.uint32)
    for i in range(n):
        for e in range(row_start[i], row_start[i + 1]):
            j = jumbled[e]
            neighbours[filled[j]] = i
            filled[j] += 1
    return row_start, neighbours


@kernel
def rows_of_homes(
    household_start: Counts, first: Ids, second: Ids, third: Ids, fourth: Ids
) -> tuple[Ids, Ids]:
    """Make the rows of a community of households: all members of a household, and pairs beyond it.

    The ties within households are never listed, and rows are ordered where they stand: what is taken beside
    the rows is nothing.

    Parameters
    ----------
    household_start : (n_households + 1,) int64
        First resident of each household.
    first, second, third, fourth : uint32
        Two lists of pairs of residents of different households: first with second, third with fourth.

    Returns
    -------
    row_start : (n_residents + 1,) uint32
    neighbours : (n_ties,) uint32, ascending within a row
    """
    n_households = household_start.size - 1
    n = household_start[n_households]
    row_start = np.zeros(n + 1, np.uint32)
    for a, b in ((first, second), (third, fourth)):
        for e in range(a.size):
            row_start[a[e] + 1] += 1
            row_start[b[e] + 1] += 1
    for h in range(n_households):
        others = household_start[h + 1] - household_start[h] - 1
        for i in range(household_start[h], household_start[h + 1]):
            row_start[i + 1] += others
    _open_rows(row_start)
    neighbours = np.empty(row_start[n], np.uint32)
    # The ends beyond the household, in any order; then members of the household.
    for a, b in ((first, second), (third, fourth)):
        for e in range(a.size):
            i = a[e]
            j = b[e]
            neighbours[row_start[i]] = j
            row_start[i] += 1
            neighbours[row_start[j]] = i
            row_start[j] += 1
    begin = np.int64(0)
    for h in range(n_households):
        others = household_start[h + 1] - household_start[h] - 1
        for i in range(household_start[h], household_start[h + 1]):
            beyond = np.int64(row_start[i])
            _order(neighbours, begin, beyond)
            # Those with higher numbers move to the end of the row, and the household stands between.
            place = beyond
            while place > begin and neighbours[place - 1] > i:
                place -= 1
                neighbours[place + others] = neighbours[place]
            for member in range(household_start[h], household_start[h + 1]):
                if member != i:
                    neighbours[place] = member
                    place += 1
            begin = beyond + others
            row_start[i] = begin
    _close_rows(row_start)
    return row_start, neighbours


@internal
def _order(ids: Ids, begin: Whole, end: Whole) -> None:
    """Put ids[begin:end], mostly a few, into ascending order."""
    gap = 1
    while gap < (end - begin) // 16:  # long rows of hubs: first by large steps (Shell 1959)
        gap = 3 * gap + 1
    while gap > 0:
        for place in range(begin + gap, end):
            moved = ids[place]
            at = place
            while at >= begin + gap and ids[at - gap] > moved:
                ids[at] = ids[at - gap]
                at -= gap
            ids[at] = moved
        gap //= 3


@kernel
def sums_of_rows(
    row_start: Ids, neighbours: Ids, values: npt.NDArray[np.integer[Any]], weight: Counts
) -> Counts:
    """Add up, over each row, the values of those who stand in it, times the weights of their ties.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows.
    values : (n_residents,) whole numbers
        Of which the sums are wanted.
    weight : (n_ties,) int64, or empty
        Weights; empty where all are 1.

    Returns
    -------
    (n_residents,) int64
    """
    n = row_start.size - 1
    sums = np.empty(n, np.int64)
    for i in range(n):
        total = np.int64(0)
        if weight.size:
            for e in range(np.uint64(row_start[i]), np.uint64(row_start[i + 1])):
                total += weight[e] * np.int64(values[neighbours[e]])
        else:
            for e in range(np.uint64(row_start[i]), np.uint64(row_start[i + 1])):
                total += np.int64(values[neighbours[e]])
        sums[i] = total
    return sums


@kernel
def count_alike(row_start: Ids, neighbours: Ids, group: npt.NDArray[np.uint8]) -> np.int64:
    """Count the tie ends between residents of one group.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows.
    group : (n_residents,) uint8
    """
    alike = np.int64(0)
    for i in range(row_start.size - 1):
        for e in range(np.uint64(row_start[i]), np.uint64(row_start[i + 1])):
            alike += np.int64(group[neighbours[e]] == group[i])
    return alike


@kernel
def pairs_of_rows(row_start: Ids, neighbours: Ids) -> Pairs:
    """Turn rows of undirected ties back into pairs, the smaller resident first.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows as `rows_of_pairs` gives them.
    """
    first = np.empty(neighbours.size // 2, np.uint32)
    second = np.empty(neighbours.size // 2, np.uint32)
    n_pairs = 0
    for i in range(row_start.size - 1):
        for e in range(row_start[i], row_start[i + 1]):
            if neighbours[e] > i:
                first[n_pairs] = i
                second[n_pairs] = neighbours[e]
                n_pairs += 1
    return first, second


@kernel
def draw_households(
    group_sizes: Counts, mean_size: float, seed: int, number: int
) -> tuple[Counts, npt.NDArray[np.uint8], Ids]:
    """Draw households of one group each until every group is housed.

    Sizes are 1 + a negative binomial by inversion; the last household of a group takes who is left.

    Parameters
    ----------
    group_sizes : (n_groups,) int64
        Residents of each group.
    mean_size : float
        Mean size, above 1.
    seed, number : int
        Key of the community.

    Returns
    -------
    size : (n_households,) int64
    group : (n_households,) uint8
    order : (n_households,) uint32, random words by which households find their place
    """
    total = 0
    for g in range(group_sizes.size):
        total += group_sizes[g]
    size = np.empty(total, np.int64)
    group = np.empty(total, np.uint8)
    order = np.empty(total, np.uint32)
    others = mean_size - 1.0
    fewer = others / (HOUSEHOLD_SPREAD + others)
    nobody_else = 1.0
    for _ in range(HOUSEHOLD_SPREAD):
        nobody_else *= 1.0 - fewer
    n_households = 0
    for g in range(group_sizes.size):
        left = group_sizes[g]
        while left > 0:
            w0, w1, _, _ = philox(n_households, 0, SETUP_LUCK, _HOUSEHOLD, seed, number)
            u = centred(w0)
            k = 0
            chance = nobody_else
            so_far = chance
            while so_far < u and k < 1000:
                chance = chance * fewer * (k + HOUSEHOLD_SPREAD) / (k + 1)
                so_far += chance
                k += 1
            size[n_households] = min(k + 1, left)
            group[n_households] = g
            order[n_households] = w1
            left -= size[n_households]
            n_households += 1
    return size[:n_households].copy(), group[:n_households].copy(), order[:n_households].copy()


@kernel
def household_pairs(household_start: Counts) -> Pairs:
    """Tie all members of each household; household h starts at resident household_start[h]."""
    total = 0
    for h in range(household_start.size - 1):
        size = household_start[h + 1] - household_start[h]
        total += size * (size - 1) // 2
    first = np.empty(total, np.uint32)
    second = np.empty(total, np.uint32)
    n_pairs = 0
    for h in range(household_start.size - 1):
        for i in range(household_start[h], household_start[h + 1]):
            for j in range(i + 1, household_start[h + 1]):
                first[n_pairs] = i
                second[n_pairs] = j
                n_pairs += 1
    return first, second


@kernel
def alias_table(weight: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], Ids]:
    """Prepare drawing in proportion to weights with one index and one coin (Walker 1977, Vose 1991).

    Parameters
    ----------
    weight : (n,) float64
        Positive weights.

    Returns
    -------
    keep : (n,) float64, the chance that a drawn index stands
    other : (n,) uint32, the index that takes its place if not
    """
    n = weight.size
    total = 0.0
    for i in range(n):
        total += weight[i]
    keep = np.empty(n, np.float64)
    other = np.empty(n, np.uint32)
    waiting = np.empty(n, np.uint32)  # the light ones from the front, the heavy ones from the back
    n_light = 0
    n_heavy = 0
    for i in range(n):
        keep[i] = weight[i] * n / total
        other[i] = i
        if keep[i] < 1.0:
            waiting[n_light] = i
            n_light += 1
        else:
            n_heavy += 1
            waiting[n - n_heavy] = i
    while n_light > 0 and n_heavy > 0:
        n_light -= 1
        light = waiting[n_light]
        heavy = waiting[n - n_heavy]
        other[light] = heavy
        keep[heavy] -= 1.0 - keep[light]
        if keep[heavy] < 1.0:
            n_heavy -= 1
            waiting[n_light] = heavy
            n_light += 1
    for k in range(n_light):
        keep[waiting[k]] = 1.0
    for k in range(n_heavy):
        keep[waiting[n - 1 - k]] = 1.0
    return keep, other


@kernel
def neighbourly_pairs(
    sociability: npt.NDArray[np.float64],
    household: npt.NDArray[np.int32],
    group: npt.NDArray[np.uint8],
    village: npt.NDArray[np.int32],
    village_start: Counts,
    near_share: float,
    near_places: int,
    wanted: int,
    crossing: int,
    tied_first: Ids,
    tied_second: Ids,
    tied: PairSet,
    seed: int,
    number: int,
) -> Pairs:
    """Tie residents outside their households, by sociability, mostly to those who live near.

    Each attempt draws a resident by sociability and another: near, at a uniform place of the same village
    (which closes to a ring) who agrees with chance min(1, sociability / SOCIABILITY_CAP), or anywhere, by
    sociability. Members of one household, pairs already tied and, once `crossing` ties cross groups,
    further crossing ties are refused.

    Parameters
    ----------
    sociability : (n_residents,) float64
        Positive, median 1.
    household, village : (n_residents,) int32
        Where each lives; members of a household, and villages, are contiguous.
    group : (n_residents,) uint8
        Group of each.
    village_start : (n_villages + 1,) int64
        First resident of each village.
    near_share : float
        Chance that an attempt is near.
    near_places : int
        How far near reaches on both sides.
    wanted : int
        How many ties to make.
    crossing : int
        How many of them may cross groups.
    tied_first, tied_second : uint32
        Pairs outside households that are tied already.
    tied : (set_size(pairs tied already + wanted),) uint64
        Zeros: room for the set of all pairs.
    seed, number : int
        Key of the community.

    Returns
    -------
    first, second : uint32
        The pairs made: fewer than wanted if 1,000 + 200·wanted attempts were not enough.
    """
    n = sociability.size
    keep, other = alias_table(sociability)
    for e in range(tied_first.size):
        _add(tied, _key(tied_first[e], tied_second[e], n))
    first = np.empty(wanted, np.uint32)
    second = np.empty(wanted, np.uint32)
    # Attempts are prepared by the batch, step by step: reads from all over the memory then overlap.
    numbers = np.empty(_BATCH, np.uint32)
    drawn = np.empty((4, _BATCH), np.uint32)
    drawn_end = np.empty((4, _BATCH), np.uint32)
    one = np.empty(_BATCH, np.int64)
    two = np.empty(_BATCH, np.int64)
    crosses = np.empty(_BATCH, np.bool_)
    glance = np.empty(_BATCH, np.uint64)
    made = 0
    most = 1000 + 200 * wanted
    for begin in range(0, most, _BATCH):
        if made == wanted:
            break
        count = min(_BATCH, most - begin)
        for k in range(_BATCH):
            numbers[k] = begin + k
        philox_words(numbers, 0, SETUP_LUCK, _TIE, seed, number, drawn)
        philox_words(numbers, 0, SETUP_LUCK, _TIE_END, seed, number, drawn_end)
        for k in range(count):
            i = below(drawn[0, k], n)
            instead = np.int64(other[i])
            one[k] = i if drawn[1, k] * _WORD < keep[i] else instead
        agreed = 0
        for k in range(count):
            i = one[k]
            if centred(drawn[2, k]) < near_share:
                low = village_start[village[i]]
                size = village_start[village[i] + 1] - low
                step = below(drawn_end[0, k], 2 * near_places) - near_places
                step += step >= 0
                j = low + (i - low + step) % size
                agrees = drawn_end[1, k] * _WORD * SOCIABILITY_CAP < sociability[j]
            else:
                j = below(drawn_end[0, k], n)
                instead = np.int64(other[j])
                j = j if drawn_end[1, k] * _WORD < keep[j] else instead
                agrees = True
            one[agreed] = i
            two[agreed] = j
            crosses[agreed] = group[i] != group[j]
            agreed += agrees and household[i] != household[j]
        for k in range(agreed):
            glance[k] = tied[_first_slot(tied, _key(one[k], two[k], n))]
        for k in range(agreed):
            if made == wanted:
                break
            if (crosses[k] and crossing == 0) or not _add(tied, _key(one[k], two[k], n)):
                continue
            first[made] = min(one[k], two[k])
            second[made] = max(one[k], two[k])
            made += 1
            crossing -= crosses[k]
    return first[:made], second[:made]


@internal
def _stands_in(neighbours: Ids, begin: Whole, end: Whole, j: int) -> bool:
    """Whether resident j stands in the ascending row from `begin` to `end`."""
    low, high = np.int64(begin), np.int64(end)
    while low < high:
        middle = (low + high) // 2
        if neighbours[middle] < j:
            low = middle + 1
        else:
            high = middle
    return bool(low < np.int64(end) and neighbours[low] == j)


@kernel
def leader_pairs(row_start: Ids, neighbours: Ids, leaders: Ids, extra: int, seed: int, number: int) -> Pairs:
    """Tie each leader to `extra` more residents, drawn uniformly from those not tied to the leader.

    Parameters
    ----------
    row_start, neighbours : arrays
        Ties that exist, as rows.
    leaders : (n_leaders,) uint32
        Leaders in ascending order, which is the order in which they choose.
    extra : int
        Ties that each leader adds; all residents, if fewer are left.
    seed, number : int
        Key of the community.

    Returns
    -------
    first, second : uint32
        The added pairs.
    """
    n = row_start.size - 1
    added = np.zeros(set_size(leaders.size * extra), np.uint64)
    first = np.empty(leaders.size * extra, np.uint32)
    second = np.empty(leaders.size * extra, np.uint32)
    degree = np.empty(n, np.int32)
    for resident in range(n):
        degree[resident] = row_start[resident + 1] - row_start[resident]
    made = 0
    attempt = 0
    for k in range(leaders.size):
        i = np.int64(leaders[k])
        wanted = min(extra, n - 1 - degree[i])
        while wanted > 0:
            w0, _, _, _ = philox(attempt, 0, SETUP_LUCK, _LEADER_TIE, seed, number)
            attempt += 1
            j = below(w0, n)
            if j == i or _stands_in(neighbours, row_start[i], row_start[i + 1], j):
                continue
            if not _add(added, _key(int(i), j, n)):
                continue
            first[made] = min(int(i), j)
            second[made] = max(int(i), j)
            made += 1
            wanted -= 1
            degree[i] += 1
            degree[j] += 1
    return first[:made].copy(), second[:made].copy()


@internal
def _grown(ids: Ids) -> Ids:
    """Copy an array into one of twice the size."""
    larger = np.empty(2 * ids.size + 16, np.uint32)
    for e in range(ids.size):
        larger[e] = ids[e]
    return larger


@kernel
def block_pairs(
    members: Ids, block_start: Counts, chance: npt.NDArray[np.float64], seed: int, number: int
) -> Pairs:
    """Tie each pair of residents with the chance of their two blocks, skipping geometrically from tie to tie.

    The work is proportional to the ties made (Batagelj & Brandes 2005). With one block it is the random
    graph of Erdos and Renyi.

    Parameters
    ----------
    members : (n_residents,) uint32
        Residents, block by block.
    block_start : (n_blocks + 1,) int64
        First member of each block.
    chance : (n_blocks, n_blocks) float64
        Chance of a tie, by block; read for row <= column.
    seed, number : int
        Key of the community.

    Returns
    -------
    first, second : uint32
        The pairs.
    """
    expected = 0.0
    n_blocks = block_start.size - 1
    for g in range(n_blocks):
        n_g = block_start[g + 1] - block_start[g]
        expected += chance[g, g] * n_g * (n_g - 1) / 2
        for h in range(g + 1, n_blocks):
            expected += chance[g, h] * n_g * (block_start[h + 1] - block_start[h])
    first = np.empty(int(expected * 1.1) + 64, np.uint32)
    second = np.empty(int(expected * 1.1) + 64, np.uint32)
    made = 0
    draw = 0
    halves = False
    w2 = np.uint32(0)
    w3 = np.uint32(0)
    for g in range(n_blocks):
        for h in range(g, n_blocks):
            if chance[g, h] <= 0.0:
                continue
            per_pair = log2_1m_64(chance[g, h])
            rows = block_start[h + 1] - block_start[h]
            columns = block_start[g + 1] - block_start[g]
            row = 0
            column = -1
            width = 0 if g == h else columns  # the triangle's rows grow: row r holds the pairs (r, 0 … r − 1)
            while True:
                if halves:
                    a, b = w2, w3
                else:
                    a, b, w2, w3 = philox(draw, 0, SETUP_LUCK, _SKIP, seed, number)
                    draw += 1
                halves = not halves
                # Two words make 52 bits, so that even skips of a sparse network of millions are fine-grained.
                u = (np.float64((np.int64(a) << 20) + (np.int64(b) >> 12)) + 0.5) * 2.0**-52
                skip = log2_64(u) / per_pair
                if skip > 2.0**60:
                    break
                column += 1 + int(skip)
                if g == h:
                    while column >= width and row < rows:
                        column -= width
                        row += 1
                        width = row
                else:
                    row += column // width
                    column %= width
                if row >= rows:
                    break
                if made == first.size:
                    first = _grown(first)
                    second = _grown(second)
                i = members[block_start[h] + row]
                j = members[block_start[g] + column]
                first[made] = min(i, j)
                second[made] = max(i, j)
                made += 1
    return first[:made].copy(), second[:made].copy()


@kernel
def rewired_ring_pairs(n_residents: int, half_degree: int, rewired: float, seed: int, number: int) -> Pairs:
    """Tie a ring and rewire the far end of each tie with a chance (Watts & Strogatz 1998).

    Ties are visited in the order of their distance, then of their resident. A tie of a resident who is tied
    to everybody stays.

    Parameters
    ----------
    n_residents : int
        Residents of the ring.
    half_degree : int
        Ties to each side, below n_residents / 2.
    rewired : float
        Chance of rewiring.
    seed, number : int
        Key of the community.

    Returns
    -------
    first, second : uint32
        n_residents · half_degree pairs.
    """
    n = n_residents
    n_pairs = n * half_degree
    first = np.empty(n_pairs, np.uint32)
    second = np.empty(n_pairs, np.uint32)
    tied = np.zeros(set_size(2 * n_pairs), np.uint64)
    stands = np.zeros(tied.size, np.bool_)
    degree = np.full(n, 2 * half_degree, np.int64)
    for d in range(half_degree):
        for i in range(n):
            e = d * n + i
            first[e] = i
            second[e] = (i + d + 1) % n
            key = _key(i, (i + d + 1) % n, n)
            _add(tied, key)
            stands[_slot(tied, key)] = True
    attempt = 0
    for e in range(n_pairs):
        w0, _, _, _ = philox(e, 0, SETUP_LUCK, _REWIRE, seed, number)
        i = e % n
        if centred(w0) >= rewired or degree[i] >= n - 1:
            continue
        while True:
            w0, _, _, _ = philox(attempt, 0, SETUP_LUCK, _REWIRED_END, seed, number)
            attempt += 1
            j = below(w0, n)
            key = _key(i, j, n)
            at = _slot(tied, key)
            if j != i and not (tied[at] == key and stands[at]):
                break
        tied[at] = key
        stands[at] = True
        old = np.int64(second[e])
        stands[_slot(tied, _key(i, old, n))] = False  # type: ignore[arg-type]
        degree[old] -= 1
        degree[j] += 1
        second[e] = j
    return first, second


@kernel
def regular_pairs(n_residents: int, degree: int, restart: int, seed: int, number: int) -> Pairs:
    """Give everybody the same number of random ties: stubs paired at random, faulty pairs swapped away.

    A pair of a resident with himself, or one that stands twice, exchanges ends with another pair drawn at
    random whenever that leaves two proper pairs.

    Parameters
    ----------
    n_residents : int
        Number of residents.
    degree : int
        Ties of each, at most (n_residents − 1) / 2; n_residents · degree is even.
    restart : int
        How often it has failed before; part of the key.
    seed, number : int
        Key of the community.

    Returns
    -------
    first, second : uint32
        The pairs; empty if the swaps did not succeed (try the next restart).
    """
    n = n_residents
    n_stubs = n * degree
    stub = np.empty(n_stubs, np.uint32)
    for s in range(n_stubs):
        w0, _, _, _ = philox(s, restart, SETUP_LUCK, _PAIRING, seed, number)
        other = below(w0, s + 1)  # shuffled while it is filled
        stub[s] = stub[other]
        stub[other] = s // degree
    n_pairs = n_stubs // 2
    first = stub[0::2].copy()
    second = stub[1::2].copy()
    room = 8  # as many pairs as may stand in the set before a restart; part of what the bits depend on
    while room < n_pairs + degree * degree + 1000:
        room *= 2
    tied = np.zeros(set_size(room), np.uint64)
    times = np.zeros(tied.size, np.int32)
    faulty = 0
    for e in range(n_pairs):
        key = _key(first[e], second[e], n)
        at = _slot(tied, key)
        tied[at] = key
        times[at] += 1
        faulty += first[e] == second[e] or times[at] > 1
    attempt = 0
    most = 1000 * faulty + 1000
    for e in range(n_pairs):
        while first[e] == second[e] or times[_slot(tied, _key(first[e], second[e], n))] > 1:
            if attempt == most or n_pairs + 2 * faulty > room:
                return first[:0].copy(), second[:0].copy()
            w0, w1, _, _ = philox(attempt, restart, SETUP_LUCK, _SWAP, seed, number)
            attempt += 1
            f = below(w0, n_pairs)
            a, b = first[e], second[e]
            c, d = first[f], second[f]
            if w1 & np.uint32(1):
                c, d = d, c
            ad = _key(a, d, n)
            cb = _key(c, b, n)
            if e == f or a == d or c == b or ad == cb:
                continue
            if times[_slot(tied, ad)] > 0 or times[_slot(tied, cb)] > 0:
                continue
            times[_slot(tied, _key(a, b, n))] -= 1
            times[_slot(tied, _key(c, d, n))] -= 1
            for key in (ad, cb):
                at = _slot(tied, key)
                tied[at] = key
                times[at] = 1
            second[e] = d
            first[f] = c
            second[f] = b
    return first, second


@kernel
def attached_pairs(n_residents: int, ties_each: int, seed: int, number: int) -> Pairs:
    """Tie newcomers to residents drawn in proportion to their ties (Barabasi & Albert 1999).

    The first ties_each + 1 residents are all tied to each other.

    Parameters
    ----------
    n_residents : int
        Number of residents, above ties_each.
    ties_each : int
        Ties that each newcomer makes, to different residents.
    seed, number : int
        Key of the community.

    Returns
    -------
    first, second : uint32
        The pairs.
    """
    start = ties_each + 1
    n_pairs = start * ties_each // 2 + (n_residents - start) * ties_each
    first = np.empty(n_pairs, np.uint32)
    second = np.empty(n_pairs, np.uint32)
    made = 0
    for i in range(start):
        for j in range(i):
            first[made] = j
            second[made] = i
            made += 1
    attempt = 0
    for i in range(start, n_residents):
        known = made
        while made < known + ties_each:
            w0, w1, _, _ = philox(attempt, 0, SETUP_LUCK, _ATTACH, seed, number)
            attempt += 1
            e = below(w0, known)
            j = second[e] if w1 & np.uint32(1) else first[e]
            twice = False
            for f in range(known, made):
                twice = twice or first[f] == j
            if not twice:
                first[made] = j
                second[made] = i
                made += 1
    return first, second


@kernel
def triads(row_start: Ids, neighbours: Ids, most_work: int) -> tuple[int, int]:
    """Count pairs of a resident's ties, and those that are tied themselves, over every n-th resident.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows.
    most_work : int
        Look at so few residents, evenly spread, that about this many tie ends are read.

    Returns
    -------
    closed, all : int
        Their quotient is the transitivity.
    """
    n = row_start.size - 1
    work = np.int64(0)
    for e in range(neighbours.size):
        work += np.int64(row_start[neighbours[e] + 1]) - np.int64(row_start[neighbours[e]])
    every = max(1, int(-(-work // most_work)))
    mark = np.zeros(n, np.bool_)
    closed = 0
    all_pairs = 0
    for i in range(0, n, every):
        row = neighbours[row_start[i] : row_start[i + 1]]
        for j in row:
            mark[j] = True
        for j in row:
            for e in range(row_start[j], row_start[j + 1]):
                if mark[neighbours[e]]:
                    closed += 1
        for j in row:
            mark[j] = False
        all_pairs += row.size * (row.size - 1)
    return closed, all_pairs


@kernel
def distinct_neighbourhoods(row_start: Ids, neighbours: Ids, neighbourhood: npt.NDArray[np.int32]) -> Counts:
    """Count how many different neighbourhoods each resident's ties live in.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows.
    neighbourhood : (n_residents,) int32
        Number of each resident's neighbourhood, from 0.
    """
    n = row_start.size - 1
    counts = np.zeros(n, np.int64)
    seen_by = np.full(np.int64(neighbourhood.max()) + 1 if n else 0, -1, np.int64)
    for i in range(n):
        for e in range(row_start[i], row_start[i + 1]):
            k = neighbourhood[neighbours[e]]
            if seen_by[k] != i:
                seen_by[k] = i
                counts[i] += 1
    return counts


@kernel
def betweenness(row_start: Ids, neighbours: Ids) -> npt.NDArray[np.float64]:
    """Count the pairs between whom each resident lies on a shortest path (Brandes 2001, unweighted).

    A pair with several shortest paths counts by the share of them that pass. Ordered pairs are counted and
    halved. Everything is added in the order of the rows, so that the bits are the same everywhere.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows; a path leads from a resident to one in his row. Reversing every tie changes no count.
    """
    n = row_start.size - 1
    between = np.zeros(n)
    distance = np.empty(n, np.int64)
    paths = np.empty(n)
    depends = np.empty(n)
    reached = np.empty(n, np.int64)  # in the order of distance
    for source in range(n):
        distance[:] = -1
        distance[source] = 0
        paths[:] = 0.0
        paths[source] = 1.0
        reached[0] = source
        n_reached = 1
        place = 0
        while place < n_reached:
            i = reached[place]
            place += 1
            for e in range(row_start[i], row_start[i + 1]):
                j = neighbours[e]
                if distance[j] < 0:
                    distance[j] = distance[i] + 1
                    reached[n_reached] = j
                    n_reached += 1
                if distance[j] == distance[i] + 1:
                    paths[j] += paths[i]
        depends[:] = 0.0
        for place in range(n_reached - 1, 0, -1):
            i = reached[place]
            for e in range(row_start[i], row_start[i + 1]):
                j = neighbours[e]
                if distance[j] == distance[i] + 1:
                    depends[i] += paths[i] / paths[j] * (1.0 + depends[j])
            between[i] += depends[i]
    return between / 2.0
