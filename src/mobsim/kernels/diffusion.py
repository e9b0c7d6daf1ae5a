"""The week of the residents: phases 4 to 6 of docs/odd.md for all lanes of a block.

Residents are taken tile by tile (`tile.py`): what their neighbours tell and show is added up from the state
words (`words.py`), exceptions are dealt with slot by slot, then the rules are applied to strips of 16 slots
(`strip.py`), from the state and back into it, with the words for next week in the other buffer. What happens
to few, newcomers, organizers and leaders, follows slot by slot. Rows where a field of the packed sum could
overflow, and rows with weighted ties, take a plain path.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    APPEAL_FACTOR,
    APPEAL_WEIGHT,
    AT_FUNDING_END,
    AWARE,
    AWARE_SHARE,
    BARRIER,
    BY_GROUP,
    CAPABILITY,
    CAPABILITY_FACTOR,
    CAPABILITY_SD,
    CAPABILITY_WEIGHT,
    CONTACTED,
    DOSED,
    EVERYONE,
    FORGET,
    HABIT,
    IDLE,
    IDLE_SHIFT,
    KEEP,
    KEEPS_THRESHOLD,
    LAPSE,
    LEADER_START,
    LEARNING,
    LOG_BACKGROUND,
    LOG_TELL_OTHER,
    LOG_TELL_PARTICIPANT,
    LOGIT,
    N_SINGLES,
    NEVER_ENGAGED,
    NEVER_LEFT,
    NEVER_STOPPED,
    NOT_VISIBILITY,
    ORGANIZER,
    ORGANIZER_CAPABILITY,
    ORGANIZER_OWNERSHIP,
    ORGANIZER_START,
    OWNERSHIP,
    OWNERSHIP_FACTOR,
    OWNERSHIP_GROWTH,
    PARTICIPATING,
    RECONSIDER,
    RESULTS_WEIGHT,
    SOCIAL_WEIGHT,
    START_CAPABILITY,
    START_CAPABILITY_MEAN,
    STEEPNESS,
    STIPEND,
    TELL_OTHER,
    TELL_PARTICIPANT,
    THRESHOLD,
    THRESHOLD_HIGH,
    THRESHOLD_LOW,
    THRESHOLD_MEAN,
    THRESHOLD_SD,
    TRAINED,
    TRUST,
    TRUST_MEAN,
    TRUST_SD,
    TURNOVER,
    VISIBILITY,
    WHOLE,
    WIN_RELIEF,
    Float32,
    Int8,
    Int64,
    Keys,
    Leaders,
    Residents,
    Rules,
    State,
    Ties,
    UInt32,
)
from mobsim.kernels.compile import inlined, internal, kernel, phase
from mobsim.kernels.counting import TIES, count
from mobsim.kernels.elementary import exp2_strip, logistic_strip
from mobsim.kernels.keyed import Whole, entity_rounds, luck_rounds, philox, philox_strips, uniform
from mobsim.kernels.monitoring import relief_of
from mobsim.kernels.newcomers import draw_person, draw_threshold
from mobsim.kernels.streams import TELLING, WEEK
from mobsim.kernels.strip import (
    STRIP,
    as_double,
    as_single,
    from_slot,
    load,
    lowest_bit,
    pick,
    prefetch,
    rounded,
    slots_of,
    spread,
    store,
)
from mobsim.kernels.tile import (
    ALWAYS,
    CHANCE,
    CHOICE,
    COUNTS,
    DRAWN,
    FACTOR,
    FIELD,
    GROUP,
    HALF,
    K_GROUP,
    LAMBDA_F,
    LOG_MEDIA,
    MOST_STRIPS,
    N_N,
    N_P,
    NEVER,
    NO,
    OF_GROUP,
    OFFSET,
    ONE,
    PARAMETERS,
    QUOTIENT,
    SLOTS,
    SPREAD,
    SUMS,
    TINY,
    UNITS,
    WIDE_ROW,
    YES,
    ZERO,
    at,
    flush_counts,
)
from mobsim.kernels.words import NO_WINDOW, add_teller, stance_word, teller_word

TILES_A_FLUSH = 255
AHEAD = 8 * SLOTS
"""How far ahead the state of residents is asked for, in slots."""
MOST_TIES_RUN = 4096
"""Tiles of one lane with fewer ties than this are added up in one run."""
_UNIT = np.float32(2.0**-24)
HALF_WORD = np.uint64(2**32 - 1)
ACTING = np.uint32(ORGANIZER | STIPEND | IDLE)
KEPT = np.uint32(CONTACTED | TRAINED | AT_FUNDING_END)
KEPT_BY_ACTIVE = np.uint32(CONTACTED | TRAINED | AT_FUNDING_END | NEVER_LEFT)


@kernel
def visibility_terms(rules: Rules, state: State, n_residents: int, lambda_f: Float32) -> None:
    """Find what visibility of the whole community does this week; a demonstration doubles it.

    Parameters
    ----------
    rules, state : the bundles of `arrays.py`.
    n_residents : number of residents.
    lambda_f : (3, L) receives float32(visibility x F), float32(F) and float32(1 - visibility).
    """
    for lane in range(lambda_f.shape[1]):
        visibility = rules.doubles[VISIBILITY, lane]
        if state.demonstrated[lane]:
            visibility = min(1.0, 2.0 * visibility)
        share = np.float64(state.participating[lane]) / np.float64(n_residents)
        lambda_f[0, lane] = np.float32(visibility * share)
        lambda_f[1, lane] = np.float32(share)
        lambda_f[2, lane] = np.float32(1.0 - visibility)


@internal
def week_terms(rules: Rules, state: State, n_residents: int, terms: Float32, lambda_f: Float32) -> None:
    """Fill K_g and lambda x F of the week from the state at the start of phase 4.

    Parameters
    ----------
    rules, state : the bundles of `arrays.py`.
    n_residents : number of residents.
    terms : (G, L) receives K_g.
    lambda_f : (3, L) receives the visibility terms.
    """
    n_groups, n_lanes = terms.shape
    visibility_terms(rules, state, n_residents, lambda_f)
    for lane in range(n_lanes):
        left = relief_of(state.wins[lane], rules.doubles[WIN_RELIEF, lane])
        results = rules.doubles[RESULTS_WEIGHT, lane] * state.results[lane]
        for group in range(n_groups):
            terms[group, lane] = np.float32(results - left * rules.by_group[BARRIER, group, lane])


@inlined
def gather_narrow(
    i: Any, slot: Any, n_lanes: Any, row_start: Any, neighbours: Any, words: Any, u: Any
) -> None:
    """Add up the words of one row for a few lanes, four at a time, in registers.

    Parameters
    ----------
    i : the resident.
    slot : its first slot in the tile.
    n_lanes : number of lanes.
    row_start, neighbours : the network.
    words : (N*L,) state words at the start of the phase.
    u : the tile's scratch, which receives the sums.
    """
    begin, end = np.uint64(row_start[at(i, 0, 0)]), np.uint64(row_start[at(i, 1, 0)])
    wide = np.uint64(n_lanes)
    lane = np.int64(0)
    while lane + 4 <= n_lanes:
        t0 = t1 = t2 = t3 = np.uint32(0)
        for tie in range(begin, end):
            source = at(np.uint64(neighbours[tie]) * wide, lane, 0)
            t0 += words[source]
            t1 += words[source + np.uint64(1)]
            t2 += words[source + np.uint64(2)]
            t3 += words[source + np.uint64(3)]
        u[at(SUMS, slot, lane)] = t0
        u[at(SUMS, slot, lane + 1)] = t1
        u[at(SUMS, slot, lane + 2)] = t2
        u[at(SUMS, slot, lane + 3)] = t3
        lane += 4
    while lane < n_lanes:
        total = np.uint32(0)
        for tie in range(begin, end):
            total += words[at(np.uint64(neighbours[tie]) * wide, lane, 0)]
        u[at(SUMS, slot, lane)] = total
        lane += 1


@internal
def _plain_row(i: int, lane: int, n_lanes: int, ties: Ties, words: UInt32) -> tuple[Whole, Whole, Whole]:
    """n_P, n_N and the numerator of one row by plain addition: hubs and weighted ties."""
    n_participants = np.int64(0)
    n_aware = np.int64(0)
    numerator = np.int64(0)
    weighted = ties.weight.size > 0
    for tie in range(ties.row_start[i], ties.row_start[i + 1]):
        j = np.int64(ties.neighbours[tie])
        word = words[j * n_lanes + lane]
        n_aware += np.int64(word & YES)
        n_participants += np.int64((word >> np.uint32(10)) & YES)
        pull = np.int64(word >> np.uint32(20)) - np.int64(ties.units[j])
        numerator += ties.weight[tie] * pull if weighted else pull
    return n_participants, n_aware - n_participants, numerator


@internal
def _told_by_a_tie(
    i: int, lane: int, n_lanes: int, week: int, luck: int, ties: Ties, keys: Keys, rules: Rules, words: UInt32
) -> bool:
    """Whether one of the ties that carry `transmission` tells resident i this week."""
    for tie in range(ties.row_start[i], ties.row_start[i + 1]):
        word = words[np.int64(ties.neighbours[tie]) * n_lanes + lane]
        if word & YES:
            chance = ties.transmission[tie]
            if not (word >> np.uint32(10)) & YES:
                told_by = rules.doubles[TELL_PARTICIPANT, lane]
                chance = chance * rules.doubles[TELL_OTHER, lane] / told_by if told_by > 0.0 else 0.0
            w0, _, _, _ = philox(tie, week, luck, TELLING, keys.seed, keys.community)
            if uniform(w0) < np.float32(chance):
                return True
    return False


@inlined
def organizes(role: Any, able: Any, takes_part: Any, draw: Any, chance: Any) -> Any:
    """Return the roles of a resident after the week: organizers stay or end, others may begin.

    Parameters
    ----------
    role : bits of `State.roles`.
    able : not 0 for those who could begin this week.
    takes_part : not 0 for those who take part after this week's decisions.
    draw, chance : the uniform number and the chance to begin.
    """
    after = np.uint32(role) & np.uint32(255 - STIPEND)
    if after & np.uint32(ORGANIZER):
        idle = (after & np.uint32(IDLE)) >> np.uint32(IDLE_SHIFT)
        after = after & np.uint32(255 - IDLE)
        if not takes_part:
            if idle == 3:
                after = after & np.uint32(255 - ORGANIZER - NEVER_STOPPED)
            else:
                after = after | ((idle + YES) << np.uint32(IDLE_SHIFT))
    elif able and draw < chance:
        after = after | np.uint32(ORGANIZER)
    return after


@inlined
def _from_place(bits: Any, k: Any) -> Any:
    """Bits of a strip, moved to where it stands in the tile; what lies before the tile is dropped."""
    return bits << np.uint64(k) if k >= 0 else bits >> np.uint64(-k)


@inlined
def gather_single(
    first: Any, in_tile: Any, row_start: Any, neighbours: Any, words: Any, u: Any, run: Any
) -> None:
    """Add up the words of several rows for one lane.

    One running total goes through all ties of the tile; a row's sum is what it grows by, also where the total
    passes 2**32. Rows differ in length, and where one ends would otherwise be guessed wrong each time.

    Parameters
    ----------
    first, in_tile : the first resident and the number of residents.
    row_start, neighbours : the network.
    words : (N,) state words at the start of the phase.
    u : the tile's scratch, which receives the sums.
    run : scratch for the totals, one more than there are ties.
    """
    begin = np.uint64(row_start[at(first, 0, 0)])
    n_ties = np.uint64(row_start[at(first, in_tile, 0)]) - begin
    total = np.uint32(0)
    run[0] = total
    for tie in range(n_ties):
        total = np.uint32(total + words[neighbours[at(begin, tie, 0)]])
        run[at(tie, 1, 0)] = total
    for r in range(in_tile):
        start = np.uint64(row_start[at(first, r, 0)]) - begin
        end = np.uint64(row_start[at(first, r, 1)]) - begin
        u[at(SUMS, r, 0)] = run[end] - run[start]


@inlined
def gather_wide(i: Any, slot: Any, n_lanes: Any, row_start: Any, neighbours: Any, words: Any, u: Any) -> None:
    """Add up the words of one row for 16 lanes and more, strip by strip, in registers.

    Where the lanes do not divide into strips, the last one begins earlier and some sums are found twice.

    Parameters
    ----------
    i : the resident.
    slot : its first slot in the tile.
    n_lanes : number of lanes, 16 to 64.
    row_start, neighbours : the network.
    words : (N*L,) state words at the start of the phase.
    u : the tile's scratch, which receives the sums.
    """
    begin, end = np.uint64(row_start[at(i, 0, 0)]), np.uint64(row_start[at(i, 1, 0)])
    last = n_lanes - STRIP
    place = SUMS + slot
    t0 = spread(NO)
    t1, t2, t3 = t0, t0, t0
    if n_lanes > 2 * STRIP:
        third = min(2 * STRIP, last)
        for tie in range(begin, end):
            source = np.int64(neighbours[tie]) * n_lanes
            t0 = t0 + load(words, source)
            t1 = t1 + load(words, source + STRIP)
            t2 = t2 + load(words, source + third)
            t3 = t3 + load(words, source + last)
        store(u, place + STRIP, t1)
        store(u, place + third, t2)
        store(u, place + last, t3)
    elif n_lanes > STRIP:
        for tie in range(begin, end):
            source = np.int64(neighbours[tie]) * n_lanes
            t0 = t0 + load(words, source)
            t1 = t1 + load(words, source + last)
        store(u, place + last, t1)
    else:
        for tie in range(begin, end):
            t0 = t0 + load(words, np.int64(neighbours[tie]) * n_lanes)
    store(u, place, t0)


@inlined
def _store_uniforms(f: Any, k: Any, words: Any) -> None:
    """Turn the words drawn for a strip into its uniform numbers; the last is made of bits no other reads."""
    byte = np.uint32(255)
    low = (words[0] & byte) << np.uint32(16) | (words[1] & byte) << np.uint32(8) | (words[2] & byte)
    store(f, DRAWN + k, as_single(words[0] >> np.uint32(8)) * _UNIT)
    store(f, DRAWN + 64 + k, as_single(words[1] >> np.uint32(8)) * _UNIT)
    store(f, DRAWN + 128 + k, as_single(words[2] >> np.uint32(8)) * _UNIT)
    store(f, DRAWN + 192 + k, as_single(words[3] >> np.uint32(8)) * _UNIT)
    store(f, DRAWN + 256 + k, as_single(low) * _UNIT)


@inlined
def scratch(n: Any, kind: Any) -> Any:
    """Zeros that begin at a multiple of 64 bytes, so that no strip lies across two lines of the cache.

    Parameters
    ----------
    n : how many.
    kind : data type.
    """
    room = np.zeros(n + 64, kind)
    first = (64 - np.int64(room.ctypes.data) % 64) % 64 // room.itemsize
    return room[first : first + n]


@internal
def _in_room(array: Any) -> Any:
    """The array itself, or a copy of at least 16 elements, so that a strip fits."""
    if array.size >= STRIP:
        return array
    copy = np.zeros(STRIP, array.dtype)
    copy[: array.size] = array
    return copy


@phase
def diffuse_week(
    week: int,
    ties: Ties,
    residents: Residents,
    leaders: Leaders,
    rules: Rules,
    keys: Keys,
    state: State,
    forced: Int8,
    counts: Int64,
) -> None:
    """Carry phases 4 to 6 of one week for all lanes.

    Parameters
    ----------
    week : the week, negative in burn-in.
    ties, residents, leaders, rules, keys, state : the bundles of `arrays.py`.
    counts : (L, G, 5) receives the counts at the end of phase 6.
    forced : (N, L) int8, or (0, 0): decisions of agents that decide for themselves (-1: the rule decides).
    """
    n_residents, n_lanes = state.flags.shape
    n_groups = rules.by_group.shape[1]
    n_draws = keys.luck.size
    n_arms = n_lanes // n_draws
    wide = n_lanes >= STRIP
    per_tile = SLOTS // n_lanes
    per_chunk = max(1, (SLOTS // n_draws) // per_tile) * per_tile
    window = rules.exposure_window
    well_mixed = ties.well_mixed != 0
    divide = ties.divide != 0
    transmission = ties.transmission.size > 0
    decide_by_agents = forced.size > 0
    remembers = state.last.size > 0
    decision = rules.decision

    # Arrays are taken out of their bundles once: each time costs two atomic counts of references.
    n_places = n_residents * n_lanes
    now = state.now[0]
    words = state.words[now]
    next_words = _in_room(state.words[1 - now])
    flags_flat = _in_room(state.flags.reshape(n_places))
    roles_flat = _in_room(state.roles.reshape(n_places))
    told_flat = _in_room(state.told_week.reshape(n_places))
    last_flat = state.last.reshape(state.last.size)
    reals = state.reals.reshape(6, n_places)
    theta_flat, s0_flat = _in_room(reals[THRESHOLD]), _in_room(reals[START_CAPABILITY])
    s_flat, o_flat = _in_room(reals[CAPABILITY]), _in_room(reals[OWNERSHIP])
    t_flat, m_flat = _in_room(reals[TRUST]), _in_room(reals[APPEAL])
    organizing = state.organizing
    aware_tellers = state.aware_tellers
    leader_ids, leader_stance = leaders.ids, leaders.stance
    leader_leaning, leader_engaged = leaders.leaning, leaders.engaged
    leader_place, least_of = residents.leader_place, residents.least
    singles, doubles, by_group = rules.singles, rules.doubles, rules.by_group
    row_start, neighbours, general = ties.row_start, ties.neighbours, ties.general
    group_of, units_of, kind_of, offset_of = residents.group, ties.units, ties.kind, ties.offset
    denominator_of = ties.denominator
    factor_of = denominator_of if divide else ties.reciprocal
    luck = keys.luck

    f = scratch(OF_GROUP + 128 * n_groups, np.float32)
    u = scratch(COUNTS + SLOTS * n_groups, np.uint32)
    d = scratch(FACTOR + SLOTS, np.float64)
    run = np.empty(MOST_TIES_RUN if n_lanes == 1 else 1, np.uint32)
    numerators = np.zeros(SLOTS, np.int64)
    of_lucks = scratch(3 * SLOTS, np.uint32)
    draw_lucks = scratch(SLOTS, np.uint32)
    entity_steps = scratch(SLOTS, np.uint32)
    place_of = np.zeros(SLOTS, np.uint64)
    begins_at = np.zeros(MOST_STRIPS, np.int64)
    fresh_from = np.zeros(MOST_STRIPS, np.uint32)
    homes = np.zeros(MOST_STRIPS, np.int64)

    # What is the same all week.
    terms = np.empty((n_groups, n_lanes), np.float32)
    lambda_f = np.empty((3, n_lanes), np.float32)
    week_terms(rules, state, n_residents, terms, lambda_f)
    draw = 0
    step = 0
    lane = 0
    place = 0
    for slot in range(SLOTS):
        place_of[slot] = place
        entity_steps[slot] = step
        draw_lucks[slot] = np.uint32(luck[draw])
        draw = draw + 1
        if draw == n_draws:
            draw = 0
            step = step + 1
        lane = lane + 1
        if lane == n_lanes:
            lane = 0
            place = place + 1
    for lane in range(n_lanes):
        for row in range(N_SINGLES):
            f[PARAMETERS + row * 64 + lane] = singles[row, lane]
        f[PARAMETERS + NOT_VISIBILITY * 64 + lane] = ONE if well_mixed else lambda_f[2, lane]
        f[LAMBDA_F + lane] = ZERO if well_mixed else lambda_f[0, lane]
        for group in range(n_groups):
            f[OF_GROUP + group * 128 + lane] = np.float32(by_group[LOG_BACKGROUND, group, lane])
            f[OF_GROUP + group * 128 + 64 + lane] = terms[group, lane]
        if well_mixed:
            tellers, participants = aware_tellers[lane, 0], aware_tellers[lane, 1]
            f[QUOTIENT + lane] = lambda_f[1, lane]
            f[N_P + lane] = np.float32(participants)
            f[N_N + lane] = np.float32(tellers - participants)
    for row in range(N_P, f.size, 64):
        if n_lanes == 1:
            for k in range(0, SLOTS, STRIP):
                store(f, row + k, spread(f[row]))
        else:
            for slot in range(row + n_lanes, row + SLOTS):
                f[slot] = f[slot - n_lanes]
    always_stays = spread(rules.irreversible != 0)
    may_organize = spread(rules.organizers != 0)
    yes, no = spread(YES), spread(NO)
    this_week, next_week = np.uint32(np.int32(week)), np.uint32(np.int32(week + 1))

    seed_key, community_key = np.uint64(keys.seed) & HALF_WORD, np.uint64(keys.community) & HALF_WORD
    week_key, stream_key = np.uint64(week) & HALF_WORD, np.uint64(WEEK)
    for k in range(0, SLOTS, STRIP):
        part0, part1, part2 = luck_rounds(load(draw_lucks, k), week_key, seed_key, community_key)
        store(of_lucks, k, part0)
        store(of_lucks, SLOTS + k, part1)
        store(of_lucks, 2 * SLOTS + k, part2)

    counts[:] = 0
    aware_tellers[:] = 0
    organizing[:] = 0
    next_leader = 0
    tiles_counted = 0
    laid_out_for = 0
    n_strips = 0

    for chunk in range(0, n_residents, per_chunk):
        # An entity's share of the random words is found once where a chunk is one resident.
        entity1 = entity_rounds(spread(np.uint32(chunk)), stream_key, community_key)
        entity2 = entity1
        for k in range(0, SLOTS, 2 * STRIP):
            next_k = k + STRIP
            if per_chunk > 1:
                numbers1 = load(entity_steps, k) + np.uint32(chunk)
                numbers2 = load(entity_steps, next_k) + np.uint32(chunk)
                entity1 = entity_rounds(numbers1, stream_key, community_key)
                entity2 = entity_rounds(numbers2, stream_key, community_key)
            luck1 = load(of_lucks, k), load(of_lucks, SLOTS + k), load(of_lucks, 2 * SLOTS + k)
            luck2 = load(of_lucks, next_k), load(of_lucks, SLOTS + next_k), load(of_lucks, 2 * SLOTS + next_k)
            words1, words2 = philox_strips(luck1, entity1, luck2, entity2, seed_key, community_key)
            _store_uniforms(f, k, words1)
            _store_uniforms(f, next_k, words2)
        for first in range(chunk, min(chunk + per_chunk, n_residents), per_tile):
            in_tile = min(per_tile, n_residents - first)
            n_slots = in_tile * n_lanes
            base = first * n_lanes

            # What comes a few tiles later lies in many places of memory: more than the processor foresees.
            if wide:
                ahead = base + AHEAD
                prefetch(flags_flat, ahead)
                prefetch(roles_flat, ahead)
                for k in range(0, SLOTS, STRIP):
                    prefetch(theta_flat, ahead + k)
                    prefetch(s0_flat, ahead + k)
                    prefetch(s_flat, ahead + k)
                    prefetch(o_flat, ahead + k)
                    prefetch(t_flat, ahead + k)
                    prefetch(m_flat, ahead + k)
                    prefetch(next_words, ahead + k)
                    prefetch(told_flat, ahead + k)

            # Uniform numbers of the slots: arms share those of their draw group.
            pair = (first - chunk) * n_draws
            if n_arms == 1:
                uniforms = DRAWN + pair
                between = 64
            else:
                uniforms = SPREAD
                between = WIDE_ROW
                for p in range(in_tile * n_draws):
                    shared0, shared1 = spread(f[at(DRAWN, pair, p)]), spread(f[at(DRAWN + 64, pair, p)])
                    shared2, shared3 = (
                        spread(f[at(DRAWN + 128, pair, p)]),
                        spread(f[at(DRAWN + 192, pair, p)]),
                    )
                    shared4 = spread(f[at(DRAWN + 256, pair, p)])
                    for k in range(p * n_arms, (p + 1) * n_arms, STRIP):
                        store(f, SPREAD + k, shared0)
                        store(f, SPREAD + WIDE_ROW + k, shared1)
                        store(f, SPREAD + 2 * WIDE_ROW + k, shared2)
                        store(f, SPREAD + 3 * WIDE_ROW + k, shared3)
                        store(f, SPREAD + 4 * WIDE_ROW + k, shared4)
            u0, u1, u2 = uniforms, uniforms + between, uniforms + 2 * between
            u3, u4 = uniforms + 3 * between, uniforms + 4 * between

            # Where the strips of the tile begin, and from which of its slots on each is not done yet.
            if in_tile != laid_out_for:
                laid_out_for = in_tile
                n_strips = 0
                width = n_lanes if wide else n_slots
                for start in range(0, n_slots, width):
                    for begin in range(0, width, STRIP):
                        begins_at[n_strips] = start + min(begin, width - STRIP)
                        fresh_from[n_strips] = begin - min(begin, width - STRIP)
                        n_strips += 1

            # What belongs to the place and its group.
            if wide:
                for j in range(n_strips):
                    k = begins_at[at(j, 0, 0)]
                    there = at(first, place_of[at(k, 0, 0)], 0)
                    home = np.int64(group_of[there])
                    homes[at(j, 0, 0)] = COUNTS + home * 64
                    store(f, LOG_MEDIA + k, load(f, OF_GROUP + home * 128 + k))
                    store(f, K_GROUP + k, load(f, OF_GROUP + home * 128 + 64 + k))
                    store(u, UNITS + k, spread(np.uint32(units_of[there])))
                    kind = np.uint64(kind_of[there])
                    store(u, OFFSET + k, spread(np.uint32(offset_of[kind])))
                    store(d, FACTOR + k, spread(factor_of[kind]))
            else:
                if n_lanes == 1 and in_tile == SLOTS:
                    for k in range(0, SLOTS, STRIP):
                        store(u, UNITS + k, load(units_of, first + k))
                        store(u, GROUP + k, load(group_of, first + k))
                    for slot in range(SLOTS):
                        kind = np.uint64(kind_of[at(first, slot, 0)])
                        u[OFFSET + slot] = np.uint32(offset_of[kind])
                        d[FACTOR + slot] = factor_of[kind]
                for slot in range(0 if n_lanes > 1 or in_tile < SLOTS else n_slots, n_slots):
                    there = at(first, place_of[slot], 0)
                    u[UNITS + slot] = np.uint32(units_of[there])
                    kind = np.uint64(kind_of[there])
                    u[OFFSET + slot] = np.uint32(offset_of[kind])
                    u[GROUP + slot] = np.uint32(group_of[there])
                    d[FACTOR + slot] = factor_of[kind]
                for k in range(0, SLOTS, STRIP):
                    groups = load(u, GROUP + k)
                    media, term = spread(ZERO), spread(ZERO)
                    for group in range(n_groups):
                        here = groups == np.uint32(group)
                        media = pick(here, load(f, OF_GROUP + group * 128 + k), media)
                        term = pick(here, load(f, OF_GROUP + group * 128 + 64 + k), term)
                    store(f, LOG_MEDIA + k, media)
                    store(f, K_GROUP + k, term)

            # 4a: counts and exposure.
            if not well_mixed:
                count(TIES, np.int64(row_start[first + in_tile]) - np.int64(row_start[first]))
                if wide:
                    for r in range(in_tile):
                        if not general[at(first, r, 0)]:
                            gather_wide(first + r, r * n_lanes, n_lanes, row_start, neighbours, words, u)
                elif n_lanes == 1 and row_start[first + in_tile] - row_start[first] < run.size:
                    gather_single(first, in_tile, row_start, neighbours, words, u, run)
                else:
                    for r in range(in_tile):
                        if not general[at(first, r, 0)]:
                            gather_narrow(first + r, r * n_lanes, n_lanes, row_start, neighbours, words, u)
                for j in range(n_strips):
                    k = begins_at[at(j, 0, 0)]
                    total = load(u, SUMS + k)
                    participants = (total >> np.uint32(10)) & FIELD
                    pull = (total >> np.uint32(20)) - load(u, OFFSET + k)
                    store(f, N_P + k, as_single(participants))
                    store(f, N_N + k, as_single((total & FIELD) - participants))
                    if not divide:
                        store(f, QUOTIENT + k, rounded(as_double(pull) * load(d, FACTOR + k)))
                if divide or decision == WHOLE:
                    for slot in range(n_slots):
                        pull_here = np.int32(u[SUMS + slot] >> np.uint32(20)) - np.int32(u[OFFSET + slot])
                        numerators[slot] = pull_here
                        if divide:
                            f[QUOTIENT + slot] = (
                                np.float32((np.float64(pull_here) * ties.scale) / d[FACTOR + slot])
                                if d[FACTOR + slot] > 0.0
                                else ZERO
                            )
                for r in range(in_tile):
                    if general[at(first, r, 0)]:
                        denominator = denominator_of[kind_of[first + r]]
                        for lane in range(n_lanes):
                            slot = r * n_lanes + lane
                            n_p, n_n, numerator = _plain_row(first + r, lane, n_lanes, ties, words)
                            numerators[slot] = numerator
                            f[N_P + slot] = np.float32(n_p)
                            f[N_N + slot] = np.float32(n_n)
                            f[QUOTIENT + slot] = (
                                np.float32((np.float64(numerator) * ties.scale) / denominator)
                                if denominator > 0.0
                                else ZERO
                            )

            # Exceptions put a draw within or out of reach: who was told by one of the ties that say how
            # likely that is, agents that decided for themselves, and opposed leaders, who cannot join.
            if transmission:
                for slot in range(n_slots):
                    f[N_P + slot] = ZERO
                    f[N_N + slot] = ZERO
                    lane = slot % n_lanes
                    if not flags_flat[base + slot] & AWARE and _told_by_a_tie(
                        first + slot // n_lanes,
                        lane,
                        n_lanes,
                        week,
                        luck[lane // n_arms],
                        ties,
                        keys,
                        rules,
                        words,
                    ):
                        f[u0 + slot] = ALWAYS
            if decide_by_agents:
                for slot in range(n_slots):
                    proposal = forced[first + slot // n_lanes, slot % n_lanes]
                    if proposal >= 0:
                        f[u1 + slot] = ALWAYS if proposal else NEVER
            first_leader = next_leader
            while next_leader < leader_ids.size and leader_ids[next_leader] < first + in_tile:
                start = (leader_ids[next_leader] - first) * n_lanes
                for lane in range(n_lanes):
                    if leader_stance[next_leader, lane] < 0:
                        f[u1 + start + lane] = NEVER
                next_leader += 1
            holds_leader = spread(next_leader > first_leader)
            if decision == WHOLE:
                for slot in range(n_slots):
                    if rules.whole_from_share:
                        numerators[slot] = state.participating[slot % n_lanes]
                    f[CHOICE + slot] = ONE if numerators[slot] >= least_of[first + slot // n_lanes] else ZERO

            # 4b, 4c: the chances to become aware and to choose to take part. They take long chains of
            # operations, which several strips in a row can go through side by side.
            for j in range(n_strips):
                k = begins_at[at(j, 0, 0)]
                at_place = base + k
                p = PARAMETERS + k
                exponent = (
                    load(f, LOG_MEDIA + k) + load(f, N_P + k) * load(f, p + LOG_TELL_PARTICIPANT * 64)
                ) + load(f, N_N + k) * load(f, p + LOG_TELL_OTHER * 64)
                store(f, CHANCE + k, ONE - exp2_strip(exponent))
                if decision != WHOLE:
                    exposure = load(f, p + NOT_VISIBILITY * 64) * load(f, QUOTIENT + k) + load(
                        f, LAMBDA_F + k
                    )
                    took_part = (load(flags_flat, at_place) & np.uint32(PARTICIPATING)) > NO
                    v = load(f, p + SOCIAL_WEIGHT * 64) * exposure
                    v = v + (load(f, p + APPEAL_WEIGHT * 64) * load(t_flat, at_place)) * load(
                        m_flat, at_place
                    )
                    v = v + load(f, p + CAPABILITY_WEIGHT * 64) * load(s_flat, at_place)
                    v = v + load(f, K_GROUP + k)
                    v = v - load(theta_flat, at_place)
                    v = v + pick(took_part, load(f, p + HABIT * 64) * load(o_flat, at_place), ZERO)
                    if decision == LOGIT:
                        choice = logistic_strip(v * load(f, p + STEEPNESS * 64))
                    else:
                        choice = pick(v >= ZERO, ONE, spread(ZERO))
                    store(f, CHOICE + k, choice)

            # The rules; every line reads the state at the start of the phase. A strip may begin within the
            # one before: what was done there is left as it is.
            replaced_slots = np.uint64(0)
            busy_slots = np.uint64(0)
            able_slots = np.uint64(0)
            for j in range(n_strips):
                k = begins_at[at(j, 0, 0)]
                at_place = base + k
                fresh = from_slot(fresh_from[at(j, 0, 0)])
                p = PARAMETERS + k
                flags = load(flags_flat, at_place)
                roles = load(roles_flat, at_place)
                took_part = (flags & np.uint32(PARTICIPATING)) > NO
                was_aware = (flags & np.uint32(AWARE)) > NO
                dosed = (flags & np.uint32(DOSED)) > NO
                s0, s = load(s0_flat, at_place), load(s_flat, at_place)
                o, m = load(o_flat, at_place), load(m_flat, at_place)

                # 4b: awareness. 4c: participation.
                aware = was_aware | dosed | (load(f, u0 + k) < load(f, CHANCE + k))
                stays = pick(took_part, load(f, p + KEEP * 64), ZERO)
                joins = stays + load(f, p + RECONSIDER * 64) * load(f, CHOICE + k)
                takes_part = (aware & (load(f, u1 + k) < joins)) | (took_part & always_stays)

                # 5: lapse; turnover or forgetting.
                held_back = pick((roles & np.uint32(STIPEND)) > NO, HALF, spread(ONE))
                lapses = takes_part & (load(f, u2 + k) < load(f, p + LAPSE * 64) * held_back)
                own = pick(lapses, o * HALF, o)
                takes_part = takes_part & ~lapses
                leaving = load(f, u3 + k)
                forgets = (leaving < load(f, p + FORGET * 64)) & ~(takes_part | dosed)
                replaced = (leaving < load(f, p + TURNOVER * 64)) & fresh
                stays_aware = aware & ~forgets
                just_told = aware & ~was_aware & fresh

                # 6: decay and learning.
                appeal = m * load(f, p + APPEAL_FACTOR * 64)
                appeal = pick(appeal < TINY, ZERO, appeal)
                rises = s + load(f, p + LEARNING * 64) * (ONE - s)
                relaxes = s0 + (s - s0) * load(f, p + CAPABILITY_FACTOR * 64)
                capable = pick(takes_part, rises, relaxes)
                grows = own + load(f, p + OWNERSHIP_GROWTH * 64) * (ONE - own)
                fades = own * load(f, p + OWNERSHIP_FACTOR * 64)
                own = pick(takes_part, grows, fades)

                # 6: who organizes, or begins to.
                able = (
                    takes_part
                    & (capable >= load(f, p + ORGANIZER_CAPABILITY * 64))
                    & (own >= load(f, p + ORGANIZER_OWNERSHIP * 64))
                    & may_organize
                )
                begins = able & (holds_leader | (load(f, u4 + k) < load(f, p + ORGANIZER_START * 64)))
                busy = (((roles & ACTING) > NO) | begins) & fresh

                # Write back.
                after = pick(takes_part, (flags & KEPT_BY_ACTIVE) | np.uint32(PARTICIPATING), flags & KEPT)
                after = pick(stays_aware, after | YES, after)
                store(s_flat, at_place, pick(fresh, capable, s))
                store(o_flat, at_place, pick(fresh, own, o))
                store(m_flat, at_place, pick(fresh, appeal, m))
                store(flags_flat, at_place, pick(fresh, after, flags))
                tells = stays_aware
                if window != NO_WINDOW:
                    told = pick(just_told, this_week, load(told_flat, at_place))
                    store(told_flat, at_place, told)
                    tells = tells & (next_week - told <= np.uint32(window))
                elif slots_of(just_told):
                    store(told_flat, at_place, pick(just_told, this_week, load(told_flat, at_place)))
                participating = pick(takes_part, yes, no)
                word = pick(tells, (participating << np.uint32(10)) | YES, no)
                word = word | ((load(u, UNITS + k) * (participating + YES)) << np.uint32(20))
                store(next_words, at_place, pick(fresh, word, load(next_words, at_place)))

                # Counts; newcomers are added later.
                contacted = (after >> np.uint32(2)) & YES
                packed = (
                    (after & YES)
                    | (participating << np.uint32(8))
                    | (contacted << np.uint32(16))
                    | ((participating & (contacted ^ YES)) << np.uint32(24))
                )
                packed = pick(fresh & ~replaced, packed, no)
                if wide:
                    counted = homes[at(j, 0, 0)] + k
                    store(u, counted, load(u, counted) + packed)
                else:
                    groups = load(u, GROUP + k)
                    for group in range(n_groups):
                        counted = COUNTS + group * 64 + k
                        store(u, counted, load(u, counted) + pick(groups == np.uint32(group), packed, no))
                replaced_slots = replaced_slots | _from_place(slots_of(replaced), k)
                busy_slots = busy_slots | _from_place(slots_of(busy & ~replaced), k)
                able_slots = able_slots | _from_place(slots_of(able), k)

            # Newcomers: the same one in all arms of a draw group.
            if replaced_slots:
                seated = np.int64(-1)
                remaining = replaced_slots
                while remaining:
                    slot = lowest_bit(remaining)
                    remaining = remaining & (remaining - np.uint64(1))
                    r = slot // n_lanes
                    draw = (slot - r * n_lanes) // n_arms
                    lane = draw * n_arms
                    i = first + r
                    group = int(group_of[i])
                    if r * n_draws + draw != seated:
                        seated = r * n_draws + draw
                        word0, capability, trust, fortune = draw_person(
                            i,
                            week,
                            luck[draw],
                            keys.seed,
                            keys.community,
                            (by_group[START_CAPABILITY_MEAN, group, lane], doubles[CAPABILITY_SD, lane]),
                            (by_group[TRUST_MEAN, group, lane], doubles[TRUST_SD, lane]),
                        )
                        if rules.newcomer_aware == BY_GROUP:
                            share = np.float32(by_group[AWARE_SHARE, group, lane])
                            knows = leader_place[i] >= 0 or fortune < share
                        else:
                            knows = rules.newcomer_aware == EVERYONE
                        if rules.threshold_kind != KEEPS_THRESHOLD:
                            threshold = draw_threshold(
                                word0,
                                rules.threshold_kind,
                                doubles[THRESHOLD_MEAN, lane],
                                doubles[THRESHOLD_SD, lane],
                                doubles[THRESHOLD_LOW, lane],
                                doubles[THRESHOLD_HIGH, lane],
                            )
                        else:
                            threshold = theta_flat[base + slot]
                    there = base + slot
                    if rules.threshold_kind != KEEPS_THRESHOLD:
                        theta_flat[there] = threshold
                    s0_flat[there] = s_flat[there] = capability
                    t_flat[there] = trust
                    o_flat[there] = m_flat[there] = ZERO
                    told_flat[there] = week
                    roles_flat[there] = 0
                    flags_flat[there] = np.uint8(knows)
                    if remembers:
                        last_flat[there] = 0
                    counts[slot - r * n_lanes, group, 0] += np.int64(knows)
                    tells_now = np.uint32(knows and window >= 1)
                    next_words[there] = teller_word(tells_now, NO, units_of[i])
                for s_leader in range(first_leader, next_leader):
                    start = (leader_ids[s_leader] - first) * n_lanes
                    for lane in range(n_lanes):
                        if (replaced_slots >> np.uint64(start + lane)) & np.uint64(1):
                            leader_stance[s_leader, lane] = leader_leaning[s_leader]
                            leader_engaged[s_leader, lane] = NEVER_ENGAGED

            # Organizers, and who may begin.
            while busy_slots:
                slot = lowest_bit(busy_slots)
                busy_slots = busy_slots & (busy_slots - np.uint64(1))
                r = slot // n_lanes
                lane = slot - r * n_lanes
                i = first + r
                there = base + slot
                role = organizes(
                    roles_flat[there],
                    (able_slots >> np.uint64(slot)) & np.uint64(1),
                    flags_flat[there] & np.uint8(PARTICIPATING),
                    f[u4 + slot],
                    np.float32(doubles[LEADER_START, lane])
                    if leader_place[i] >= 0
                    else singles[ORGANIZER_START, lane],
                )
                roles_flat[there] = np.uint8(role)
                organizing[i] |= np.uint8(role & YES)
                counts[lane, group_of[i], 4] += np.int64(role & YES)

            # What leaders show, and who tells in a well-mixed community.
            for s_leader in range(first_leader, next_leader):
                i = np.int64(leader_ids[s_leader])
                for lane in range(n_lanes):
                    stance = leader_stance[s_leader, lane]
                    if stance != 0:
                        there = i * n_lanes + lane
                        next_words[there] = stance_word(
                            stance, next_words[there] & YES, np.uint32(units_of[i])
                        )
            if well_mixed:
                for slot in range(n_slots):
                    add_teller(aware_tellers, slot % n_lanes, next_words[base + slot])
            tiles_counted += 1
            if tiles_counted == TILES_A_FLUSH:
                flush_counts(u, counts)
                tiles_counted = 0
    flush_counts(u, counts)
    if n_places < STRIP:
        state.words[1 - now] = next_words[:n_places]
        state.flags.reshape(n_places)[:] = flags_flat[:n_places]
        state.roles.reshape(n_places)[:] = roles_flat[:n_places]
        state.told_week.reshape(n_places)[:] = told_flat[:n_places]
        reals[THRESHOLD] = theta_flat[:n_places]
        reals[START_CAPABILITY] = s0_flat[:n_places]
        reals[CAPABILITY] = s_flat[:n_places]
        reals[OWNERSHIP] = o_flat[:n_places]
        reals[TRUST] = t_flat[:n_places]
        reals[APPEAL] = m_flat[:n_places]
    for lane in range(n_lanes):
        state.participating[lane] = 0
        for group in range(n_groups):
            state.participating[lane] += counts[lane, group, 1]
    state.now[0] = 1 - now
