"""Weeks of scenarios whose rules reduce to less: pushing along the ties, or deciding and nothing else.

Where nobody forgets, leaves for good, learns or organizes, a week is one of four simpler things, and the
kernels here carry it with the same random numbers, whole numbers and float32 operations as the week kernel
(`diffusion.py`), so that the same bits come out (docs/odd.md, 7.15):

* `join_by_counts`: sharp thresholds without return. Who joins is subtracted from what the neighbours still
  need; only who joined last week is looked at.
* `hear_in_turn`: everybody who is told takes part at once, for good. Who was told last week is looked at.
* `decide_one`: everybody is aware and decides every week; one lane, 64 residents at a time. The counts of the
  neighbours follow those who changed.
* `decide_many`: the same for 64 lanes, one resident at a time. The counts are added up from the neighbours.

`reach_start`, `reached` list whom a resident influences: the rows of the network turned round.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobsim.kernels.arrays import (
    LOGIT,
    WHOLE,
    Float32,
    Float64,
    Int8,
    Int32,
    Int64,
    UInt8,
    UInt32,
)
from mobsim.kernels.compile import inlined, internal, kernel
from mobsim.kernels.counting import NEEDED, TIES, count
from mobsim.kernels.elementary import exp2_32, logistic_32, logistic_strip
from mobsim.kernels.keyed import (
    Whole,
    entity_rounds,
    luck_rounds,
    philox_second,
    philox_strips,
    uniform,
)
from mobsim.kernels.streams import TELLING, WEEK
from mobsim.kernels.strip import (
    STRIP,
    as_double,
    as_single,
    load,
    lowest_bit,
    pick,
    rounded,
    slots_of,
    spread,
    store,
)
from mobsim.kernels.tile import BYTE, NO, ONE, SLOTS, ZERO, at

STARTED = -(2**30)
"""What one still needs who takes part from the start."""
EIGHT = np.uint32(8)
LISTED = 4096
"""Ties are listed until there are so many, then worked on."""
DRAWN = 512
"""So many random words are drawn before they are used."""
TOLD = -1
"""Marks those who have been told, where nobody counts tellers."""
YES_16 = np.uint16(1)
YES_8 = np.uint8(1)
YES_32 = np.uint32(1)
UNIT = np.float32(2.0**-24)
"""A random number on [0, 1) is a whole number of so many (`uniform`)."""

# Rows of the parameters by lane that `decide_one` and `decide_many` read
NOT_VISIBLE, SOCIAL, STEEP, KEEPS, RECONSIDERS = range(5)
N_PARAMETERS = 5
# Further rows of the float scratch of `decide_many`: λF; from K_ROWS on, K_g
LAMBDA, K_ROWS = 5, 6
MOST_IN_A_BYTE = np.uint64(255)
"""So many neighbours can be counted in a byte."""


@kernel
def turn_round(
    row_start: UInt32, neighbours: UInt32, reach_start: Int64, reached: UInt32, ties: UInt32
) -> None:
    """List whom everybody influences, in ascending order.

    Parameters
    ----------
    row_start, neighbours : the network: row i lists those who influence i.
    reach_start : (N + 1,) receives where the list of a resident begins.
    reached : (ties,) receives whom a resident influences.
    ties : (ties,) receives the number of that tie in `neighbours`; or empty.
    """
    n = reach_start.size - 1
    for tie in range(neighbours.size):
        reach_start[at(neighbours[tie], 1, 0)] += 1
    for i in range(n):
        reach_start[i + 1] += reach_start[i]
    place = reach_start[:n].copy()
    for i in range(n):
        for tie in range(row_start[i], row_start[i + 1]):
            j = np.uint64(neighbours[tie])
            reached[place[j]] = np.uint32(i)
            if ties.size > 0:
                ties[place[j]] = np.uint32(tie)
            place[j] += 1


@internal
def room_for_ties(reach_start: Int64) -> UInt32:
    """Return a list in which `list_reached` can write.

    Parameters
    ----------
    reach_start : (N + 1,) where the list of a resident begins.
    """
    longest = np.int64(0)
    for i in range(reach_start.size - 1):
        longest = max(longest, reach_start[i + 1] - reach_start[i])
    return np.empty(LISTED + longest + STRIP, np.uint32)


@internal
def list_reached(
    reach_start: Int64, reached: UInt32, who: UInt32, first: Whole, last: Whole, listed: UInt32
) -> tuple[np.uint64, np.uint64]:
    """List whom some residents influence, one behind the other: going through that list needs no foresight.

    A loop of its own for every resident ends at places that the processor cannot foresee, and going wrong
    costs more than the ties.

    Parameters
    ----------
    reach_start, reached : whom everybody influences.
    who : ids of residents.
    first, last : those from place `first` to before `last` are asked for.
    listed : from `room_for_ties`.

    Returns
    -------
    tuple of two uint64
        The first place that was not reached because the list is full, else `last`; and how many are listed.
    """
    size = np.uint64(reached.size)
    strip = np.uint64(STRIP)
    place, ends = np.uint64(first), np.uint64(0)
    while place < np.uint64(last) and ends < np.uint64(LISTED):
        j = np.uint64(who[place])
        begin, end = np.uint64(reach_start[j]), np.uint64(reach_start[j + np.uint64(1)])
        if end + strip <= size:
            # What a strip has too much is written over by the next one.
            for tie in range(begin, end, strip):
                store(listed, ends + (tie - begin), load(reached, tie))
        else:
            for tie in range(begin, end):
                listed[ends + (tie - begin)] = reached[tie]
        ends += end - begin
        place += np.uint64(1)
    count(TIES, ends)
    return place, ends


@kernel
def join_by_counts(
    reach_start: Int64,
    reached: UInt32,
    pull: Int32,
    needed: Int32,
    at_once: UInt32,
    group: UInt8,
    seeds: UInt32,
    seed_start: Int64,
    n_weeks: int,
    counts: Int64,
    joined: UInt32,
    joined_start: Int64,
) -> None:
    """Run sharp thresholds without return for several sets of first participants.

    Parameters
    ----------
    reach_start, reached : whom everybody influences.
    pull : (ties,) what one participant adds to the numerator at the other end, or one number for all.
    needed : (N,) least numerators.
    at_once : ids of those whose least numerator is 0 or less.
    group : (N,) group of every resident.
    seeds, seed_start : the first participants of set s are seeds[seed_start[s] : seed_start[s + 1]].
    n_weeks : weeks to run.
    counts : (sets, n_weeks, G), zeros; receives the participants at the end of each week.
    joined : (sets * N,) receives everybody who takes part at the end, in the order of joining.
    joined_start : (sets + 1,) receives where each set's list begins.
    """
    n_groups = counts.shape[2]
    n = needed.size
    left = np.empty(n, np.int32)
    order = np.empty(n + 1, np.uint32)
    taking_part = np.zeros(n_groups, np.int64)
    same = pull.size == 1
    step = pull[0] if pull.size > 0 else np.int32(0)
    listed = room_for_ties(reach_start)
    written = np.int64(0)
    for which in range(seed_start.size - 1):
        left[:] = needed
        taking_part[:] = 0
        length = np.uint64(0)
        for place in range(seed_start[which], seed_start[which + 1]):
            i = np.uint64(seeds[place])
            if left[i] != STARTED:
                left[i] = STARTED
                order[length] = np.uint32(i)
                length += np.uint64(1)
                taking_part[group[i]] += 1
        first = np.uint64(0)
        for week in range(n_weeks):
            last = length
            if week == 0:
                for place in range(at_once.size):
                    i = np.uint64(at_once[place])
                    order[length] = np.uint32(i)
                    length += np.uint64(left[i] != STARTED)
            if same:
                done = first
                while done < last:
                    done, ends = list_reached(reach_start, reached, order, done, last, listed)
                    for entry in range(ends):
                        i = np.uint64(listed[entry])
                        before = left[i]
                        after = np.int32(before - step)
                        left[i] = after
                        order[length] = np.uint32(i)
                        length += np.uint64((before > 0) & (after <= 0))
            else:
                for place in range(first, last):
                    j = np.uint64(order[place])
                    begin, end = np.uint64(reach_start[j]), np.uint64(reach_start[j + np.uint64(1)])
                    count(TIES, end - begin)
                    for tie in range(begin, end):
                        i = np.uint64(reached[tie])
                        before = left[i]
                        after = np.int32(before - pull[tie])
                        left[i] = after
                        order[length] = np.uint32(i)
                        length += np.uint64((before > 0) & (after <= 0))
            first = last
            if n_groups == 1:
                taking_part[0] += np.int64(length - last)
            else:
                for place in range(last, length):
                    taking_part[group[order[place]]] += 1
            for g in range(n_groups):
                counts[which, week, g] = taking_part[g]
            if length == last:  # at rest
                for later in range(week + 1, n_weeks):
                    for g in range(n_groups):
                        counts[which, later, g] = taking_part[g]
                break
        for place in range(length):
            joined[np.uint64(written) + place] = order[place]
        written += np.int64(length)
        joined_start[which + 1] = written


@internal
def _draw_first(
    entities: UInt32,
    start: Whole,
    number: Whole,
    week: Whole,
    luck: Whole,
    stream: Whole,
    seed: Whole,
    community: Whole,
    out: UInt32,
) -> None:
    """Draw the first random word of entities that stand side by side, all with one luck.

    Parameters
    ----------
    entities : (n,); 32 are drawn for at a time, so that up to 31 more must stand behind the last.
    start, number : where the entities begin, and how many they are.
    week, luck, stream, seed, community : as for `philox`.
    out : receives the words; with room for a multiple of 32.
    """
    count(NEEDED, number)
    strip, two_strips = np.uint64(STRIP), np.uint64(2 * STRIP)
    stream_word = np.uint64(np.uint32(stream))
    k0, k1 = np.uint64(np.uint32(seed)), np.uint64(np.uint32(community))
    of_luck = luck_rounds(spread(np.uint32(luck)), np.uint64(np.uint32(week)), k0, k1)
    for place in range(np.uint64(0), np.uint64(number), two_strips):
        here = np.uint64(start) + place
        first = entity_rounds(load(entities, here), stream_word, k1)
        second = entity_rounds(load(entities, here + strip), stream_word, k1)
        words, more = philox_strips(of_luck, first, of_luck, second, k0, k1)
        store(out, place, words[0])
        store(out, place + strip, more[0])


@kernel
def limits_of(log_tell: np.float32, log_media: np.float32, limits: UInt32) -> None:
    """Say for each number of tellers below which whole number a draw tells: u < p as whole numbers.

    A uniform number is k / 2**24, so u < p holds for k below the least whole number that is not below
    p x 2**24, which is exact.

    Parameters
    ----------
    log_tell : log2(1 - c_P).
    log_media : log2(1 - background media).
    limits : (most tellers + 1,) receives the whole numbers.
    """
    for n in range(limits.size):
        chance = ONE - exp2_32(log_media + np.float32(n) * log_tell)
        limits[n] = np.uint32(np.ceil(np.float64(max(chance, ZERO)) * 16777216.0))


@inlined
def _begin_lane(
    seeds: UInt32,
    first: Whole,
    last: Whole,
    mark: Whole,
    marks: Int32 | Int8,
    group: UInt8,
    order: UInt32,
    taking_part: Int64,
) -> np.uint64:
    """Mark the first participants, list and count them; return how many they are."""
    taking_part[:] = 0
    length = np.uint64(0)
    for place in range(first, last):
        i = np.uint64(seeds[place])
        if marks[i] >= 0:
            marks[i] = mark
            order[length] = np.uint32(i)
            length += np.uint64(1)
            taking_part[group[i]] += 1
    return length


@inlined
def _record_week(
    lane: Whole,
    week: Whole,
    at_rest: bool,
    order: UInt32,
    here: np.uint64,
    length: np.uint64,
    group: UInt8,
    taking_part: Int64,
    counts: Int64,
) -> None:
    """Count those who joined this week; at rest, write down all later weeks as well."""
    n_groups = taking_part.size
    if n_groups == 1:
        taking_part[0] = np.int64(length)
    else:
        for place in range(here, length):
            taking_part[group[order[place]]] += 1
    until = counts.shape[1] if at_rest else week + 1
    for later in range(week, until):
        for g in range(n_groups):
            counts[lane, later, g] = taking_part[g]


@inlined
def _end_lane(
    order: UInt32, length: np.uint64, marks: Int32 | Int8, written: np.uint64, joined: UInt32
) -> np.uint64:
    """Write down who takes part at the end and take their marks away; return how many are written."""
    for place in range(length):
        marks[np.uint64(order[place])] = 0
        joined[written + place] = order[place]
    return written + length


@kernel
def hear_in_turn(
    reach_start: Int64,
    reached: UInt32,
    log_tell: Float32,
    log_media: np.float32,
    window: int,
    most_tellers: int,
    told: int,
    tellers: Int32,
    group: UInt8,
    seeds: UInt32,
    seed_start: Int64,
    lucks: UInt32,
    sets: Int64,
    seed: int,
    community: int,
    first_week: int,
    n_weeks: int,
    counts: Int64,
    joined: UInt32,
    joined_start: Int64,
) -> int:
    """Run cascades in which everybody who is told takes part at once, for good.

    Parameters
    ----------
    reach_start, reached : whom everybody influences.
    log_tell : (lanes,) log2(1 - c_P).
    log_media : log2(1 - background media), that is 0.
    window : weeks after being told in which one still tells.
    most_tellers : most residents who influence one.
    told : a number so far below 0 that `most_tellers` more leave it there; marks those who have been told.
    tellers : (N,) scratch, zeros; narrow where degrees allow it.
    group : (N,) group of every resident.
    seeds, seed_start : the first participants of set s are seeds[seed_start[s] : seed_start[s + 1]].
    lucks, sets : (lanes,) the luck and the set of first participants of each lane.
    seed, community : the key of the random numbers.
    first_week, n_weeks : the first week, and how many are run.
    counts : (lanes, n_weeks, G), zeros; receives the participants at the end of each week.
    joined : receives everybody who takes part at the end, lane after lane, in the order of joining.
    joined_start : (lanes + 1,) receives where each lane's list begins.

    Returns
    -------
    int
        Lanes that were run: fewer than asked if `joined` could have been too small for the next one.
    """
    n = reach_start.size - 1
    order = np.empty(n + 1, np.uint32)
    candidates = np.zeros(n + SLOTS, np.uint32)
    week_start = np.zeros(n_weeks + 2, np.uint64)
    taking_part = np.zeros(counts.shape[2], np.int64)
    words = np.zeros(DRAWN, np.uint32)
    limits = np.zeros(most_tellers + 1, np.uint32)
    listed = room_for_ties(reach_start)
    one_try = window == 1
    written = np.uint64(0)
    for lane in range(lucks.size):
        if np.int64(written) + n > joined.size:
            return lane
        if lane == 0 or log_tell[lane] != log_tell[lane - 1]:
            limits_of(log_tell[lane], log_media, limits)
        luck = np.int64(lucks[lane])
        which = sets[lane]
        length = _begin_lane(
            seeds, seed_start[which], seed_start[which + 1], told, tellers, group, order, taking_part
        )
        week_start[0] = 0
        week_start[1] = length
        waiting = np.uint64(0)
        for step in range(n_weeks):
            # Those told in week t stand in order[week_start[t + 1] : week_start[t + 2]]; the first at t = -1.
            done, here = week_start[step], week_start[step + 1]
            while done < here:
                done, ends = list_reached(reach_start, reached, order, done, here, listed)
                for entry in range(ends):
                    i = np.uint64(listed[entry])
                    before = tellers[i]
                    tellers[i] = before + 1
                    candidates[waiting] = np.uint32(i)
                    waiting += np.uint64(before == 0)
            if step >= window and not one_try:
                # Who was told `window` + 1 weeks ago tells no more.
                for place in range(week_start[step - window], week_start[step - window + 1]):
                    j = np.uint64(order[place])
                    for tie in range(np.uint64(reach_start[j]), np.uint64(reach_start[j + np.uint64(1)])):
                        tellers[np.uint64(reached[tie])] -= 1
            at_rest = waiting == np.uint64(0)
            kept = np.uint64(0)
            for start in range(np.uint64(0), waiting, np.uint64(DRAWN)):
                drawn = min(np.uint64(DRAWN), waiting - start)
                _draw_first(candidates, start, drawn, first_week + step, luck, WEEK, seed, community, words)
                if one_try:
                    for slot in range(drawn):
                        i = np.uint64(candidates[start + slot])
                        hears = words[slot] >> EIGHT < limits[np.uint64(tellers[i])]
                        tellers[i] = told if hears else 0
                        order[length] = np.uint32(i)
                        length += np.uint64(hears)
                else:
                    for slot in range(drawn):
                        i = np.uint64(candidates[start + slot])
                        by = tellers[i]
                        hears = words[slot] >> EIGHT < limits[np.uint64(by)]
                        tellers[i] = told if hears else by
                        order[length] = np.uint32(i)
                        length += np.uint64(hears)
                        candidates[kept] = np.uint32(i)
                        kept += np.uint64(by > 0 and not hears)
            waiting = kept
            week_start[step + 2] = length
            _record_week(lane, step, at_rest, order, here, length, group, taking_part, counts)
            if at_rest:
                break
        for place in range(waiting):
            tellers[np.uint64(candidates[place])] = 0
        written = _end_lane(order, length, tellers, written, joined)
        joined_start[lane + 1] = np.int64(written)
    return lucks.size


@kernel
def hear_by_ties(
    reach_start: Int64,
    reached: UInt32,
    ties: UInt32,
    transmission: Float64,
    window: int,
    group: UInt8,
    seeds: UInt32,
    seed_start: Int64,
    lucks: UInt32,
    sets: Int64,
    seed: int,
    community: int,
    first_week: int,
    n_weeks: int,
    counts: Int64,
    joined: UInt32,
    joined_start: Int64,
) -> int:
    """Run cascades along ties that each carry their own chance: a teller makes one draw a tie and week.

    Parameters
    ----------
    reach_start, reached, ties : whom everybody influences, by which tie.
    transmission : (ties,) weekly chance that a tie tells, in the order of the network.
    window, group, seeds, seed_start, lucks, sets, seed, community, first_week, n_weeks, counts, joined,
    joined_start : as for `hear_in_turn`.

    Returns
    -------
    int
        Lanes that were run, as `hear_in_turn`.
    """
    n = reach_start.size - 1
    told = np.zeros(n, np.int8)
    order = np.empty(n + 1, np.uint32)
    week_start = np.zeros(n_weeks + 2, np.uint64)
    taking_part = np.zeros(counts.shape[2], np.int64)
    tried = np.zeros(SLOTS, np.uint32)
    ends = np.zeros(SLOTS, np.uint32)
    words = np.zeros(SLOTS, np.uint32)
    written = np.uint64(0)
    for lane in range(lucks.size):
        if np.int64(written) + n > joined.size:
            return lane
        luck = np.int64(lucks[lane])
        which = sets[lane]
        length = _begin_lane(
            seeds, seed_start[which], seed_start[which + 1], TOLD, told, group, order, taking_part
        )
        week_start[0] = 0
        week_start[1] = length
        for step in range(n_weeks):
            oldest, here = week_start[max(0, step + 1 - window)], week_start[step + 1]
            filled = np.uint64(0)
            place, tie, end = oldest, np.uint64(0), np.uint64(0)
            while place < here or tie < end or filled > np.uint64(0):
                # Fill 64 ties to people who have not been told, as far as there are any; then draw for them.
                while filled < np.uint64(SLOTS) and (place < here or tie < end):
                    if tie == end:
                        j = np.uint64(order[place])
                        tie, end = np.uint64(reach_start[j]), np.uint64(reach_start[j + np.uint64(1)])
                        place += np.uint64(1)
                    else:
                        tried[filled] = ties[tie]
                        ends[filled] = reached[tie]
                        filled += np.uint64(told[np.uint64(reached[tie])] == 0)
                        tie += np.uint64(1)
                _draw_first(
                    tried, np.uint64(0), filled, first_week + step, luck, TELLING, seed, community, words
                )
                for slot in range(filled):
                    i = np.uint64(ends[slot])
                    if (
                        uniform(words[slot]) < np.float32(transmission[np.uint64(tried[slot])])
                        and not told[i]
                    ):
                        told[i] = TOLD
                        order[length] = np.uint32(i)
                        length += np.uint64(1)
                filled = np.uint64(0)
            week_start[step + 2] = length
            at_rest = oldest == here
            _record_week(lane, step, at_rest, order, here, length, group, taking_part, counts)
            if at_rest:
                break
        written = _end_lane(order, length, told, written, joined)
        joined_start[lane + 1] = np.int64(written)
    return lucks.size


@kernel
def decide_one(
    reach_start: Int64,
    reached: UInt32,
    factor: Float64,
    divide: UInt8,
    scale: float,
    least: Int32,
    threshold: Float32,
    readiness: Float32,
    group: UInt8,
    parameters: Float32,
    visibility: float,
    decision: int,
    irreversible: int,
    luck: int,
    seed: int,
    community: int,
    first_week: int,
    n_weeks: int,
    funding_end: int,
    taking_part: UInt8,
    marked: UInt8,
    counts: Int64,
) -> None:
    """Run weeks in which everybody is aware and decides, for one lane.

    Parameters
    ----------
    reach_start, reached : whom everybody influences.
    factor : (N,) reciprocals of the denominators of exposure; denominators where `divide` is set.
    divide : (N,) 1 where the numerator times `scale` is divided.
    scale : value of one unit of the numerator.
    least : (N,) least numerators for decisions in whole numbers, else empty.
    threshold : (N,) thresholds.
    readiness : (N,) what the group adds, K_g.
    group : (N,) group of every resident.
    parameters : (5,) 1 - visibility, social weight, log2(e) / noise, 1 - reconsider, reconsider.
    visibility : weight of community-wide participation.
    decision, irreversible : modes of `Rules`.
    luck, seed, community : the key of the random numbers.
    first_week, n_weeks : the first week, negative in burn-in, and how many are run.
    funding_end : the last funded week.
    taking_part : (N + 63,) 1 for those who take part; changed in place.
    marked : (2, N) receives who took part at funding end, and who did in every week since.
    counts : (weeks from week 0 on, G), zeros; receives the participants at the end of each week.
    """
    n = threshold.size
    n_groups = counts.shape[1]
    numerators = np.zeros(n + SLOTS, np.uint16)  # nobody has more ties (`fits` in engine/shortcuts.py)
    changed = np.empty(n + SLOTS, np.uint32)
    began = np.empty(n + 1, np.uint32)
    ended = np.empty(n + 1, np.uint32)
    listed = room_for_ties(reach_start)
    now = np.zeros(n_groups, np.int64)
    words = np.zeros(SLOTS, np.uint32)
    chosen = np.zeros(SLOTS, np.float32)
    at_end, never_left = marked[0], marked[1]
    keeps, reconsiders = parameters[KEEPS], parameters[RECONSIDERS]
    not_visible, social, steep = parameters[NOT_VISIBLE], parameters[SOCIAL], parameters[STEEP]
    draws = decision == LOGIT or keeps > ZERO
    divided = False
    for i in range(n):
        divided |= divide[i] != 0
    n_began = n_ended = np.uint64(0)
    total = np.int64(0)
    for i in range(n):
        if taking_part[i]:
            began[n_began] = np.uint32(i)
            n_began += np.uint64(1)
            now[group[i]] += 1
            total += 1
    for step in range(n_weeks):
        week = first_week + step
        # Neighbours hear of those who changed last week.
        done = np.uint64(0)
        while done < n_began:
            done, ends = list_reached(reach_start, reached, began, done, n_began, listed)
            for entry in range(ends):
                numerators[np.uint64(listed[entry])] += YES_16
        done = np.uint64(0)
        while done < n_ended:
            done, ends = list_reached(reach_start, reached, ended, done, n_ended, listed)
            for entry in range(ends):
                numerators[np.uint64(listed[entry])] -= YES_16
        if n_began + n_ended == np.uint64(0) and step > 0 and week > 0 and not draws:  # at rest
            for later in range(week, counts.shape[0]):
                counts[later] = now
            if week <= funding_end < counts.shape[0]:
                at_end[:] = taking_part[:n]
                never_left[:] = taking_part[:n]
            break
        lambda_f = np.float32(visibility * (np.float64(total) / np.float64(n)))
        n_changed = np.uint64(0)
        for base in range(0, n, SLOTS):
            in_tile = min(SLOTS, n - base)
            if draws:
                count(NEEDED, in_tile)
                philox_second(base, week, luck, WEEK, seed, community, words)
            if decision == WHOLE:
                for slot in range(in_tile):
                    chosen[slot] = ONE if numerators[at(base, slot, 0)] >= least[at(base, slot, 0)] else ZERO
            else:
                if divided:
                    for slot in range(in_tile):
                        numerator = np.float64(numerators[at(base, slot, 0)])
                        by = factor[at(base, slot, 0)]
                        if divide[at(base, slot, 0)]:
                            chosen[slot] = np.float32((numerator * scale) / by) if by > 0.0 else ZERO
                        else:
                            chosen[slot] = np.float32(numerator * by)
                else:
                    for slot in range(in_tile):
                        chosen[slot] = np.float32(
                            np.float64(numerators[at(base, slot, 0)]) * factor[at(base, slot, 0)]
                        )
                for slot in range(in_tile):
                    exposure = not_visible * chosen[slot] + lambda_f
                    v = social * exposure
                    v = v + readiness[at(base, slot, 0)]
                    chosen[slot] = v - threshold[at(base, slot, 0)]
                if decision == LOGIT:
                    for slot in range(SLOTS):
                        chosen[slot] = logistic_32(chosen[slot] * steep)
                else:
                    for slot in range(SLOTS):
                        chosen[slot] = ONE if chosen[slot] >= ZERO else ZERO
            bits = np.uint64(0)
            for first in range(0, SLOTS, STRIP):
                before = load(taking_part, base + first) == YES_32
                joins = pick(before, keeps, ZERO) + load(chosen, first) * reconsiders
                differs = (as_single(load(words, first) >> EIGHT) * UNIT < joins) ^ before
                if irreversible:
                    differs = differs & ~before
                bits |= slots_of(differs) << np.uint64(first)
            if in_tile < SLOTS:
                bits &= (np.uint64(1) << np.uint64(in_tile)) - np.uint64(1)
            while bits != np.uint64(0):
                changed[n_changed] = np.uint32(base + lowest_bit(bits))
                n_changed += np.uint64(1)
                bits &= bits - np.uint64(1)
        n_began = n_ended = np.uint64(0)
        for place in range(n_changed):
            j = np.uint64(changed[place])
            was = taking_part[j]
            taking_part[j] = was ^ YES_8
            began[n_began] = np.uint32(j)
            n_began += np.uint64(was == 0)
            ended[n_ended] = np.uint32(j)
            n_ended += np.uint64(was != 0)
            now[group[j]] += np.int64(1) - np.int64(2) * np.int64(was)
        total += np.int64(n_began) - np.int64(n_ended)
        if week >= 0:
            counts[week] = now
        if week > funding_end:
            for place in range(n_changed):
                never_left[np.uint64(changed[place])] = 0
        elif week == funding_end:
            at_end[:] = taking_part[:n]
            never_left[:] = taking_part[:n]


@inlined
def _bits_before(first: Whole) -> np.uint32:
    """Where in a word the byte of the strip of lanes from `first` on begins."""
    return np.uint32(np.uint64(first) >> np.uint64(1))


@inlined
def _draw_decisions(
    entities: UInt32, lucks: UInt32, week: Whole, seed: Whole, community: Whole, out: UInt32
) -> None:
    """Draw the random words by which 64 pairs of a resident and a luck decide."""
    two_strips = np.uint64(2 * STRIP)
    stream, of_week = np.uint64(WEEK), np.uint64(np.uint32(week))
    k0, k1 = np.uint64(np.uint32(seed)), np.uint64(np.uint32(community))
    for first in range(np.uint64(0), np.uint64(SLOTS), two_strips):
        second = first + np.uint64(STRIP)
        one, two = philox_strips(
            luck_rounds(load(lucks, first), of_week, k0, k1),
            entity_rounds(load(entities, first), stream, k1),
            luck_rounds(load(lucks, second), of_week, k0, k1),
            entity_rounds(load(entities, second), stream, k1),
            k0,
            k1,
        )
        store(out, first, one[1])
        store(out, second, two[1])


@inlined
def _add_neighbours(neighbours: UInt32, tie: np.uint64, end: np.uint64, x: UInt32, start: np.uint64) -> Any:
    """Add up four counts a word, over neighbours whose words begin at `start`; at most 255 of them."""
    packed = spread(NO)
    for place in range(tie, end):
        packed = packed + load(x, start + np.uint64(neighbours[place]) * np.uint64(STRIP))
    return packed


@kernel
def decide_many(
    row_start: UInt32,
    neighbours: UInt32,
    factor: Float64,
    divide: UInt8,
    scale: float,
    least: Int32,
    threshold: Float32,
    readiness: Float32,
    group: UInt8,
    parameters: Float32,
    visibility: Float64,
    decision: int,
    irreversible: int,
    lucks: UInt32,
    luck_of: Int64,
    seed: int,
    community: int,
    first_week: int,
    n_weeks: int,
    funding_end: int,
    taking_part: UInt32,
    stayed: Int64,
    counts: Int64,
) -> None:
    """Run weeks in which everybody is aware and decides, for 64 lanes.

    The 64 lanes of a resident are 16 words of four bytes, 1 for those who take part: byte b of word k is lane
    16 b + k. The neighbours of a resident in all lanes are so counted by adding 16 words.

    Parameters
    ----------
    row_start, neighbours : the network: row i lists those who influence i.
    factor, divide, scale, least, threshold, group : as for `decide_one`.
    readiness : (G, 64) what the group adds, K_g.
    parameters : (5, 64) as for `decide_one`, by lane.
    visibility : (64,) weight of community-wide participation.
    decision, irreversible : modes of `Rules`.
    lucks : (K,) the lucks of the block; K divides 64.
    luck_of : (64,) which of them a lane has.
    seed, community : the key of the random numbers.
    first_week, n_weeks : the first week, negative in burn-in, and how many are run.
    funding_end : the last funded week.
    taking_part : (2, N * 16) words of the residents; the first row is the start, the last week's row is
        `n_weeks` % 2.
    stayed : (64, 3) receives the participants at funding end, of these at the end, of these never left.
    counts : (weeks from week 0 on, 64, G), zeros; receives the participants at the end of each week.
    """
    n = threshold.size
    n_groups = counts.shape[2]
    n_lucks = lucks.size
    per_chunk = SLOTS // n_lucks
    entities = np.zeros(SLOTS, np.uint32)
    draw_lucks = np.zeros(SLOTS, np.uint32)
    of_luck = np.zeros(SLOTS, np.uint64)
    for slot in range(SLOTS):
        draw_lucks[slot] = lucks[slot % n_lucks]
        of_luck[slot] = np.uint64(luck_of[slot])
    words = np.zeros(SLOTS, np.uint32)
    by_lane = np.zeros(SLOTS, np.uint32)
    deciding = np.zeros(SLOTS + 1, np.uint64)
    # Scratch with constant offsets, 64 numbers each, as in `tile.py`.
    f = np.zeros((K_ROWS + n_groups) * SLOTS, np.float32)
    sums = np.zeros(SLOTS, np.uint32)
    now = np.zeros(n_groups * SLOTS, np.uint32)
    for row in range(N_PARAMETERS):
        for s in range(SLOTS):
            f[row * SLOTS + s] = parameters[row, s]
    for g in range(n_groups):
        for s in range(SLOTS):
            f[(K_ROWS + g) * SLOTS + s] = readiness[g, s]
    draws = decision == LOGIT
    most_reconsider, least_kept = ZERO, ONE
    for s in range(SLOTS):
        draws |= f[KEEPS * SLOTS + s] > ZERO
        most_reconsider = max(most_reconsider, f[RECONSIDERS * SLOTS + s])
        least_kept = min(least_kept, f[KEEPS * SLOTS + s])
    size = np.uint64(n * STRIP)
    x = taking_part.reshape(2 * n * STRIP)
    at_end, never_left = np.zeros(n * STRIP, np.uint32), np.zeros(n * STRIP, np.uint32)
    for i in range(n):
        of_group = np.uint64(group[i]) * np.uint64(SLOTS)
        mine = np.uint64(i) * np.uint64(STRIP)
        for first in range(0, SLOTS, STRIP):
            took_part = (load(x, mine) >> _bits_before(first)) & YES_32
            counted = of_group + np.uint64(first)
            store(now, counted, load(now, counted) + took_part)
    for step in range(n_weeks):
        week = first_week + step
        before = size if step % 2 else np.uint64(0)
        after = size - before
        for s in range(SLOTS):
            total = np.int64(0)
            for g in range(n_groups):
                total += np.int64(now[g * SLOTS + s])
            f[LAMBDA * SLOTS + s] = np.float32(visibility[s] * (np.float64(total) / np.float64(n)))
        # Who does not reconsider stays as they are.
        x[after : after + size] = x[before : before + size]
        for chunk in range(0, n, per_chunk):
            in_chunk = min(per_chunk, n - chunk)
            if draws:
                count(NEEDED, in_chunk * n_lucks)
                for slot in range(SLOTS):
                    entities[slot] = np.uint32(chunk) + np.uint32(slot // n_lucks)
                _draw_decisions(entities, draw_lucks, week, seed, community, words)
            n_deciding = np.uint64(0)
            for slot in range(in_chunk):
                deciding[n_deciding] = np.uint64(slot)
                u = uniform(words[slot])
                n_deciding += np.uint64(n_lucks > 1 or u < most_reconsider or u >= least_kept)
            for place in range(n_deciding):
                slot = deciding[place]
                i = np.uint64(chunk) + slot
                mine = i * np.uint64(STRIP)
                if n_lucks > 1:
                    for s in range(SLOTS):
                        by_lane[s] = words[slot * np.uint64(n_lucks) + of_luck[s]]
                same = spread(words[slot])
                tie, end = np.uint64(row_start[i]), np.uint64(row_start[i + np.uint64(1)])
                count(TIES, end - tie)
                many = end - tie > MOST_IN_A_BYTE
                while end - tie > MOST_IN_A_BYTE:
                    packed = _add_neighbours(neighbours, tie, tie + MOST_IN_A_BYTE, x, before)
                    for first in range(0, SLOTS, STRIP):
                        store(sums, first, load(sums, first) + ((packed >> _bits_before(first)) & BYTE))
                    tie += MOST_IN_A_BYTE
                packed = _add_neighbours(neighbours, tie, end, x, before)
                enough = np.uint32(max(least[i], np.int32(0))) if decision == WHOLE else NO
                by, divides, theta = factor[i], divide[i], threshold[i]
                of_group = np.uint64(group[i]) * np.uint64(SLOTS)
                was, does = load(x, before + mine), spread(NO)
                for strip in range(0, SLOTS, STRIP):
                    lane = np.uint64(strip)
                    numerators = (packed >> _bits_before(lane)) & BYTE
                    if many:
                        numerators = numerators + load(sums, lane)
                    if decision == WHOLE:
                        chosen = pick(numerators >= enough, ONE, ZERO)
                    else:
                        if not divides:
                            share = rounded(as_double(numerators) * by)
                        elif by > 0.0:
                            share = rounded((as_double(numerators) * scale) / by)
                        else:
                            share = spread(ZERO)
                        exposure = load(f, at(NOT_VISIBLE * SLOTS, lane, 0)) * share
                        exposure = exposure + load(f, at(LAMBDA * SLOTS, lane, 0))
                        v = load(f, at(SOCIAL * SLOTS, lane, 0)) * exposure
                        v = v + load(f, at(K_ROWS * SLOTS, of_group, lane))
                        v = v - theta
                        if decision == LOGIT:
                            chosen = logistic_strip(v * load(f, at(STEEP * SLOTS, lane, 0)))
                        else:
                            chosen = pick(v >= ZERO, ONE, ZERO)
                    took_part = (was >> _bits_before(lane)) & YES_32
                    stays = pick(took_part == YES_32, load(f, at(KEEPS * SLOTS, lane, 0)), ZERO)
                    joins = stays + load(f, at(RECONSIDERS * SLOTS, lane, 0)) * chosen
                    word = load(by_lane, lane) if n_lucks > 1 else same
                    decides = as_single(word >> EIGHT) * UNIT < joins
                    takes_part = pick(decides, YES_32, NO)
                    if irreversible:
                        takes_part = takes_part | took_part
                    does = does | (takes_part << _bits_before(lane))
                    counted = of_group + lane
                    store(now, counted, load(now, counted) + takes_part - took_part)
                store(x, after + mine, does)
                if many:
                    sums[:] = 0
                if week > funding_end:
                    store(never_left, mine, load(never_left, mine) & does)
        if week >= 0:
            for s in range(SLOTS):
                for g in range(n_groups):
                    counts[week, s, g] = np.int64(now[g * SLOTS + s])
        if week == funding_end:
            at_end[:] = x[after : after + size]
            never_left[:] = at_end
    last = size if n_weeks % 2 else np.uint64(0)
    for first in range(0, SLOTS, STRIP):
        a = b = c = spread(NO)
        for i in range(n):
            mine = np.uint64(i) * np.uint64(STRIP)
            then = load(at_end, mine) >> _bits_before(first)
            a = a + (then & YES_32)
            b = b + (then & (load(x, last + mine) >> _bits_before(first)) & YES_32)
            c = c + ((load(never_left, mine) >> _bits_before(first)) & YES_32)
        for column, total_by_lane in enumerate((a, b, c)):
            store(sums, np.uint64(0), total_by_lane)
            for s in range(STRIP):
                stayed[first + s, column] = np.int64(sums[s])
