"""Whom to ask first: sets of whom one reaches, greedy choices, discounts, distances.

Row i of `neighbours`, from `row_start[i]` to `row_start[i + 1]`, lists those who influence i. A cascade is
drawn as live ties: with independent cascades each tie is live by a chance of its own, with linear thresholds
at most one tie of each row is (Kempe, Kleinberg and Tardos 2003). Whoever a person reaches along live ties
joins with that person. Kernels check nothing: their callers do.

Sources: Chen, Wang and Yang (2009), KDD (discounts); Borgs et al. (2014), SODA, and Tang, Shi and Xiao
(2015), SIGMOD (reverse-reachable sets); Leskovec et al. (2007), KDD (lazy greedy).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mobsim.kernels import streams
from mobsim.kernels.compile import internal, kernel
from mobsim.kernels.keyed import SETUP_LUCK, Whole, below, philox

Ids = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Limits = npt.NDArray[np.uint64]
Marks = npt.NDArray[np.uint8]

_REVERSE_ROOT = streams.REVERSE_ROOT
_REVERSE_TIE = streams.REVERSE_TIE
_CASCADE_TIE = streams.CASCADE_TIE
_TIE_WEIGHT = 2.0**-20
_WORD = 2.0**-32
_NOBODY = -1


# A knockout tree: slot 1 holds the place of the largest value, the first of equals


@internal
def _plant(values: Reals, tree: Counts) -> None:
    """Fill a tree of 2 * values.size slots; the number of values is a power of two."""
    size = values.size
    for i in range(size):
        tree[size + i] = i
    for slot in range(size - 1, 0, -1):
        left, right = tree[2 * slot], tree[2 * slot + 1]
        tree[slot] = right if values[right] > values[left] else left


@internal
def _raise_or_lower(values: Reals, tree: Counts, i: Whole, value: float) -> None:
    """Give place i another value."""
    values[i] = value
    slot = np.int64(values.size + i) >> 1
    while slot >= 1:
        left, right = tree[2 * slot], tree[2 * slot + 1]
        tree[slot] = right if values[right] > values[left] else left
        slot >>= 1


@internal
def _power_of_two_from(n: int) -> int:
    size = 1
    while size < n:
        size *= 2
    return size


# Live ties


@internal
def _kept_tie(
    row_start: Counts,
    total: Counts,
    i: Whole,
    week: Whole,
    luck: Whole,
    stream: Whole,
    seed: Whole,
    number: Whole,
) -> int:
    """Return the one tie of a row that is kept, or -1: linear thresholds.

    `total` holds at each tie the sum of the weights of its row up to and with it.
    """
    begin, end = row_start[i], row_start[i + 1]
    if end == begin or total[end - 1] <= 0:
        return _NOBODY
    word, _, _, _ = philox(i, week, luck, stream, seed, number)
    drawn = (np.float64(word) * _WORD) * np.float64(total[end - 1])
    for e in range(begin, end):
        if np.float64(total[e]) > drawn:
            return e
    return int(end - 1)


@kernel
def draw_reverse_sets(
    row_start: Counts,
    neighbours: Ids,
    limit: Limits,
    total: Counts,
    threshold: bool,
    first: int,
    last: int,
    week: int,
    seed: int,
    number: int,
    start: Counts,
    members: Ids,
) -> int:
    """Draw sets of those from whom a random resident would be reached, as long as there is room.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows.
    limit : (n_ties,) uint64
        A tie is live if its word is below; used without `threshold`.
    total : (n_ties,) int64
        Sums of weights along each row; used with `threshold`.
    threshold : bool
        Whether at most one tie of a row is live.
    first, last : int
        Numbers of the sets: from `first` to `last - 1`.
    week : int
        0 for sets that find a bound, 1 for those that choose.
    seed, number : int
        Key of the community.
    start : (last + 1,) int64
        Receives where each set begins in `members`; `start[first]` is given.
    members : uint32 array
        Receives residents; a set is drawn only if there is room for everybody.

    Returns
    -------
    int
        Number of the first set that was not drawn.
    """
    n = row_start.size - 1
    seen = np.full(n, -1, np.int64)
    filled = start[first]
    room = members.size
    for s in range(first, last):
        if filled + n > room:
            return s
        root_word, _, _, _ = philox(s, week, SETUP_LUCK, _REVERSE_ROOT, seed, number)
        root = below(root_word, n)
        seen[root] = s
        members[filled] = root
        place = filled
        filled += 1
        while place < filled:
            i = np.int64(members[place])
            place += 1
            if threshold:
                e = _kept_tie(row_start, total, i, week, s, _REVERSE_TIE, seed, number)
                if e >= 0:
                    j = np.int64(neighbours[e])
                    if seen[j] != s:
                        seen[j] = s
                        members[filled] = j
                        filled += 1
                continue
            begin, end = row_start[i], row_start[i + 1]
            for four in range(begin >> 2, (end + 3) >> 2):
                w0, w1, w2, w3 = philox(four, week, s, _REVERSE_TIE, seed, number)
                for e in range(max(begin, 4 * four), min(end, 4 * four + 4)):
                    k = e & 3
                    word = w0 if k == 0 else w1 if k == 1 else w2 if k == 2 else w3
                    if np.uint64(word) < limit[e]:
                        j = np.int64(neighbours[e])
                        if seen[j] != s:
                            seen[j] = s
                            members[filled] = j
                            filled += 1
        start[s + 1] = filled
    return last


@kernel
def cover_most(start: Counts, members: Ids, may: Marks, wanted: int, chosen: Counts) -> int:
    """Choose residents one after the other, each who is in most sets that hold nobody chosen yet.

    Values are looked at lazily: they only fall, so whoever leads with an up-to-date value leads.

    Parameters
    ----------
    start : (sets + 1,) int64
        Where each set begins in `members`.
    members : uint32 array
        Residents of all sets.
    may : (n_residents,) uint8
        Who may be chosen.
    wanted : int
        How many to choose; as many may be chosen.
    chosen : (wanted,) int64
        Receives them in the order of choice; among equals the first by number.

    Returns
    -------
    int
        How many sets hold somebody chosen.
    """
    n = may.size
    n_sets = start.size - 1
    left = np.zeros(n, np.int64)
    for place in range(start[n_sets]):
        left[members[place]] += 1
    set_start = np.zeros(n + 1, np.int64)
    for i in range(n):
        set_start[i + 1] = set_start[i] + left[i]
    following = set_start[:n].copy()
    sets = np.empty(start[n_sets], np.uint32)
    for s in range(n_sets):
        for place in range(start[s], start[s + 1]):
            i = members[place]
            sets[following[i]] = s
            following[i] += 1
    size = _power_of_two_from(n)
    values = np.full(size, -1.0)
    for i in range(n):
        if may[i]:
            values[i] = np.float64(left[i])
    tree = np.empty(2 * size, np.int64)
    _plant(values, tree)
    covered = np.zeros(n_sets, np.uint8)
    n_covered = 0
    k = 0
    while k < wanted:
        i = tree[1]
        if values[i] != np.float64(left[i]):
            _raise_or_lower(values, tree, i, np.float64(left[i]))
            continue
        chosen[k] = i
        k += 1
        _raise_or_lower(values, tree, i, -1.0)
        for at in range(set_start[i], set_start[i + 1]):
            one = np.int64(sets[at])
            if covered[one] == 0:
                covered[one] = 1
                n_covered += 1
                for place in range(start[one], start[one + 1]):
                    left[members[place]] -= 1
    return n_covered


@kernel
def draw_live_ties(
    row_start: Counts, limit: Limits, total: Counts, threshold: bool, seed: int, number: int, live: Marks
) -> None:
    """Draw which ties are live in each of several cascades.

    Parameters
    ----------
    row_start, limit, total, threshold, seed, number : as for `draw_reverse_sets`.
    live : (cascades, n_ties) uint8
        Receives 1 for live ties; given as 0.
    """
    n = row_start.size - 1
    n_ties = row_start[n]
    for r in range(live.shape[0]):
        row = live[r]
        if threshold:
            for i in range(n):
                e = _kept_tie(row_start, total, i, 0, r, _CASCADE_TIE, seed, number)
                if e >= 0:
                    row[e] = 1
            continue
        for four in range((n_ties + 3) >> 2):
            w0, w1, w2, w3 = philox(four, 0, r, _CASCADE_TIE, seed, number)
            for e in range(4 * four, min(n_ties, 4 * four + 4)):
                k = e & 3
                word = w0 if k == 0 else w1 if k == 1 else w2 if k == 2 else w3
                row[e] = np.uint64(word) < limit[e]


@internal
def _reached(
    i: int, out_start: Counts, out_ends: Ids, out_tie: Counts, live: Marks, covered: Marks, queue: Counts
) -> int:
    """Mark whom i reaches in one cascade beside those marked already; return how many they are.

    They stand at the beginning of `queue`.
    """
    if covered[i]:
        return 0
    covered[i] = 1
    queue[0] = i
    n_reached, place = 1, 0
    while place < n_reached:
        j = queue[place]
        place += 1
        for at in range(out_start[j], out_start[j + 1]):
            k = out_ends[at]
            if live[out_tie[at]] and covered[k] == 0:
                covered[k] = 1
                queue[n_reached] = k
                n_reached += 1
    return n_reached


@internal
def _gain(
    i: int, out_start: Counts, out_ends: Ids, out_tie: Counts, live: Marks, covered: Marks, queue: Counts
) -> int:
    """Return how many more residents i would reach, over all cascades."""
    gain = 0
    for r in range(live.shape[0]):
        n_reached = _reached(i, out_start, out_ends, out_tie, live[r], covered[r], queue)
        for place in range(n_reached):
            covered[r, queue[place]] = 0
        gain += n_reached
    return gain


@kernel
def lazy_greedy(
    out_start: Counts,
    out_ends: Ids,
    out_tie: Counts,
    live: Marks,
    may: Marks,
    wanted: int,
    chosen: Counts,
) -> int:
    """Choose residents one after the other, each who reaches most others not reached yet, over all cascades.

    A gain can only fall, so whoever leads with a gain of this round is the best of all.

    Parameters
    ----------
    out_start, out_ends : arrays
        Rows of those whom each resident influences.
    out_tie : int64 array
        Place of each of these ties in the rows of those who influence.
    live : (cascades, n_ties) uint8
        Which ties are live.
    may : (n_residents,) uint8
        Who may be chosen.
    wanted : int
        How many to choose; as many may be chosen.
    chosen : (wanted,) int64
        Receives them in the order of choice; among equals the first by number.

    Returns
    -------
    int
        How many residents all of them reach, summed over the cascades.
    """
    n = may.size
    covered = np.zeros((live.shape[0], n), np.uint8)
    queue = np.empty(n + 1, np.int64)
    size = _power_of_two_from(n)
    values = np.full(size, -1.0)
    of_round = np.zeros(n, np.int64)
    for i in range(n):
        if may[i]:
            values[i] = np.float64(_gain(i, out_start, out_ends, out_tie, live, covered, queue))
    tree = np.empty(2 * size, np.int64)
    _plant(values, tree)
    in_all = 0
    k = 0
    while k < wanted:
        i = tree[1]
        if of_round[i] != k:
            of_round[i] = k
            gain = _gain(i, out_start, out_ends, out_tie, live, covered, queue)
            _raise_or_lower(values, tree, i, np.float64(gain))
            continue
        chosen[k] = i
        k += 1
        _raise_or_lower(values, tree, i, -1.0)
        for r in range(live.shape[0]):
            in_all += _reached(i, out_start, out_ends, out_tie, live[r], covered[r], queue)
    return in_all


# Without cascades: discounts and distances


@kernel
def discounted(
    row_start: Counts,
    neighbours: Ids,
    weight: Counts,
    out_start: Counts,
    out_ends: Ids,
    out_tie: Counts,
    chance: float,
    may: Marks,
    wanted: int,
    chosen: Counts,
) -> None:
    """Choose residents one after the other by ties, with a discount for ties with those chosen.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows of those who influence each resident.
    weight : (n_ties,) int64
        Weights of these ties, in 2**-20.
    out_start, out_ends, out_tie : arrays
        Rows of those whom each resident influences, and where these ties stand in the first rows.
    chance : float
        Chance that a tie brings somebody along; below 0 for the single discount.
    may : (n_residents,) uint8
        Who may be chosen.
    wanted : int
        How many to choose; as many may be chosen.
    chosen : (wanted,) int64
        Receives them in the order of choice; among equals the first by number.
    """
    n = may.size
    left = np.zeros(n, np.int64)  # d - o: weight of ties to those who are not chosen
    of_chosen = np.zeros(n, np.int64)  # t: weight of ties from those who are
    taken = np.zeros(n, np.uint8)
    size = _power_of_two_from(n)
    values = np.full(size, -np.inf)
    for i in range(n):
        for at in range(out_start[i], out_start[i + 1]):
            left[i] += weight[out_tie[at]]
        if may[i]:
            values[i] = np.float64(left[i]) * _TIE_WEIGHT
    tree = np.empty(2 * size, np.int64)
    _plant(values, tree)
    for k in range(wanted):
        i = tree[1]
        chosen[k] = i
        taken[i] = 1
        _raise_or_lower(values, tree, i, -np.inf)
        for e in range(row_start[i], row_start[i + 1]):
            left[neighbours[e]] -= weight[e]
        for at in range(out_start[i], out_start[i + 1]):
            of_chosen[out_ends[at]] += weight[out_tie[at]]
        for e in range(row_start[i], row_start[i + 1]):
            _rate(np.int64(neighbours[e]), left, of_chosen, chance, may, taken, values, tree)
        for at in range(out_start[i], out_start[i + 1]):
            _rate(np.int64(out_ends[at]), left, of_chosen, chance, may, taken, values, tree)


@internal
def _rate(
    i: Whole,
    left: Counts,
    of_chosen: Counts,
    chance: float,
    may: Marks,
    taken: Marks,
    values: Reals,
    tree: Counts,
) -> None:
    """Work out a resident's value anew."""
    if may[i] == 0 or taken[i]:
        return
    others = np.float64(left[i]) * _TIE_WEIGHT
    if chance < 0.0:
        _raise_or_lower(values, tree, i, others)
    else:
        t = np.float64(of_chosen[i]) * _TIE_WEIGHT
        _raise_or_lower(values, tree, i, (others - t) - (others * t) * chance)


@kernel
def sums_of_distances(row_start: Counts, neighbours: Ids) -> Counts:
    """Add up how far everybody is from each resident along influence; whoever is not reached is n away.

    Sixty-four residents are followed at a time, one bit each.

    Parameters
    ----------
    row_start, neighbours : arrays
        Rows.
    """
    n = row_start.size - 1
    sums = np.empty(n, np.int64)
    seen = np.empty(n, np.uint64)
    front = np.empty(n, np.uint64)
    following = np.empty(n, np.uint64)
    one, none = np.uint64(1), np.uint64(0)
    n_reached = np.empty(64, np.int64)
    for first in range(0, n, 64):
        width = min(64, n - first)
        everybody = ~none if width == 64 else (one << np.uint64(width)) - one
        seen[:] = none
        front[:] = none
        n_reached[:] = 1
        for k in range(width):
            seen[first + k] = one << np.uint64(k)
            front[first + k] = one << np.uint64(k)
            sums[first + k] = 0
        distance = 0
        goes_on = True
        while goes_on:
            goes_on = False
            distance += 1
            for i in range(n):
                new = none
                if seen[i] != everybody:
                    for e in range(row_start[i], row_start[i + 1]):
                        new |= front[neighbours[e]]
                    new &= ~seen[i]
                following[i] = new
                if new != none:
                    goes_on = True
                    seen[i] |= new
                    for k in range(width):
                        if (new >> np.uint64(k)) & one:
                            sums[first + k] += distance
                            n_reached[k] += 1
            front, following = following, front
        for k in range(width):
            sums[first + k] += n * (n - n_reached[k])
    return sums
