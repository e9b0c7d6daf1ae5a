"""The week of the residents: phases 4 to 6 of docs/odd.md for all lanes of a block.

Residents are taken tile by tile (`tile.py`): their state is copied into scratch, the neighbours' state
words (`words.py`) are added up, the rules work on the scratch, and the result is copied back, with the
words for next week in the other buffer. Rows where a field of the packed sum could overflow, and rows with
weighted ties, take a plain path. The rules stand in one function: as separate functions they ran at half
the speed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    APPEAL_FACTOR,
    APPEAL_WEIGHT,
    BARRIER,
    CAPABILITY,
    CAPABILITY_FACTOR,
    CAPABILITY_WEIGHT,
    FORGET,
    HABIT,
    IDLE,
    IDLE_SHIFT,
    KEEP,
    LAPSE,
    LEADER_START,
    LEARNING,
    LOG_BACKGROUND,
    LOG_TELL_OTHER,
    LOG_TELL_PARTICIPANT,
    LOGIT,
    N_SINGLES,
    NEVER_ENGAGED,
    NEVER_STOPPED,
    NOT_VISIBILITY,
    ORGANIZER,
    ORGANIZER_CAPABILITY,
    ORGANIZER_OWNERSHIP,
    ORGANIZER_START,
    OWNERSHIP,
    OWNERSHIP_FACTOR,
    OWNERSHIP_GROWTH,
    RECONSIDER,
    RESULTS_WEIGHT,
    SOCIAL_WEIGHT,
    START_CAPABILITY,
    STEEPNESS,
    STIPEND,
    TELL_OTHER,
    TELL_PARTICIPANT,
    THRESHOLD,
    TRUST,
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
from mobsim.kernels.elementary import exp2_32, logistic_32
from mobsim.kernels.keyed import Whole, philox, philox_slots, uniform
from mobsim.kernels.monitoring import relief_of
from mobsim.kernels.newcomers import seat_newcomers
from mobsim.kernels.streams import TELLING, WEEK
from mobsim.kernels.tile import (
    ALWAYS,
    BUSY,
    BYTE,
    CHOICE,
    COUNTS,
    FIELD,
    FLAGS,
    GROUP,
    HALF,
    IS_AWARE,
    JUST_TOLD,
    K_GROUP,
    LAMBDA_F,
    LOG_MEDIA,
    M_NOW,
    N_FLOATS,
    N_N,
    N_P,
    NEVER,
    NO,
    O_NOW,
    OFFSET,
    ONE,
    PARAMETERS,
    QUOTIENT,
    REPLACED,
    ROLES,
    S_NOW,
    S_START,
    SLOTS,
    SUMS,
    T_NOW,
    TAKES_PART,
    TELLS,
    THETA,
    TINY,
    TOLD_BY_TIE,
    U0,
    U1,
    U2,
    U3,
    UNITS,
    WORD,
    YES,
    ZERO,
    at,
    flush_counts,
)
from mobsim.kernels.words import NO_WINDOW, add_teller, stance_word

NARROW = 16
"""Blocks with fewer lanes than this are gathered by resident, wider ones by lane."""
TILES_A_FLUSH = 255


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
def organizes(busy: Any, takes_part: Any, draw: Any, chance: Any) -> Any:
    """Return the roles of a resident after the week: organizers stay or end, others may begin.

    Parameters
    ----------
    busy : bits of `State.roles`, and bit 8 for those who are able to begin this week.
    takes_part : 0 or 1, after this week's decisions.
    draw, chance : the uniform number and the chance to begin.
    """
    after = np.uint32(busy) & np.uint32(255 - STIPEND)
    if after & np.uint32(ORGANIZER):
        idle = (after & np.uint32(IDLE)) >> np.uint32(IDLE_SHIFT)
        after = after & np.uint32(255 - IDLE)
        if not takes_part:
            if idle == 3:
                after = after & np.uint32(255 - ORGANIZER - NEVER_STOPPED)
            else:
                after = after | ((idle + YES) << np.uint32(IDLE_SHIFT))
    elif (busy >> np.uint32(8)) and draw < chance:
        after = after | np.uint32(ORGANIZER)
    return after


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
    per_tile = max(1, SLOTS // n_lanes)
    per_chunk = max(1, (SLOTS // n_draws) // per_tile) * per_tile
    window = rules.exposure_window
    well_mixed = ties.well_mixed != 0
    transmission = ties.transmission.size > 0
    decide_by_agents = forced.size > 0
    remembers = state.last.size > 0
    organizing = state.organizing
    may_organize = np.uint32(rules.organizers)
    last_flat = state.last.reshape(state.last.size)

    now = state.now[0]
    words = state.words[now]
    next_words = state.words[1 - now]
    flags_flat = state.flags.reshape(n_residents * n_lanes)
    roles_flat = state.roles.reshape(n_residents * n_lanes)
    told_flat = state.told_week.reshape(n_residents * n_lanes)
    reals = state.reals.reshape(6, n_residents * n_lanes)
    theta_flat, s0_flat, s_flat = reals[THRESHOLD], reals[START_CAPABILITY], reals[CAPABILITY]
    o_flat, t_flat, m_flat = reals[OWNERSHIP], reals[TRUST], reals[APPEAL]

    # Arrays are taken out of their bundles once: each time costs two atomic counts of references.
    leader_ids, leader_stance = leaders.ids, leaders.stance
    leader_leaning, leader_engaged = leaders.leaning, leaders.engaged
    leader_place, least_of = residents.leader_place, residents.least
    singles, doubles = rules.singles, rules.doubles
    denominator_of = ties.denominator
    f = np.zeros(N_FLOATS, np.float32)
    u = np.zeros(COUNTS + SLOTS * n_groups, np.uint32)
    factors = np.zeros(SLOTS, np.float64)
    numerators = np.zeros(SLOTS, np.int64)
    least = np.zeros(SLOTS, np.int64)
    entities = np.zeros(SLOTS, np.uint32)
    draw_lucks = np.zeros(SLOTS, np.uint32)
    entity_steps = np.zeros(SLOTS, np.uint32)
    place_of = np.zeros(SLOTS, np.uint64)
    lane_of = np.zeros(SLOTS, np.uint64)
    drawn = np.zeros((4, SLOTS), np.uint32)
    words_drawn = drawn.reshape(4 * SLOTS)

    terms = np.empty((n_groups, n_lanes), np.float32)
    lambda_f = np.empty((3, n_lanes), np.float32)
    week_terms(rules, state, n_residents, terms, lambda_f)
    log_background = np.empty((n_groups, n_lanes), np.float32)
    for group in range(n_groups):
        for lane in range(n_lanes):
            log_background[group, lane] = np.float32(rules.by_group[LOG_BACKGROUND, group, lane])
    row_start, neighbours, general = ties.row_start, ties.neighbours, ties.general
    group_of, units_of, kind_of, offset_of = residents.group, ties.units, ties.kind, ties.offset
    factor_of = denominator_of if ties.divide else ties.reciprocal
    background = log_background.reshape(n_groups * n_lanes)
    terms_flat = terms.reshape(n_groups * n_lanes)
    for slot in range(SLOTS):
        lane = slot % n_lanes
        for row in range(N_SINGLES):
            f[PARAMETERS + row * 64 + slot] = singles[row, lane]
        f[PARAMETERS + NOT_VISIBILITY * 64 + slot] = lambda_f[2, lane]
        f[LAMBDA_F + slot] = lambda_f[0, lane]
        # Slots that are never filled must not look like newcomers or like people who were told.
        f[U0 + slot] = f[U1 + slot] = f[U2 + slot] = f[U3 + slot] = NEVER
        entity_steps[slot] = np.uint32(slot // n_draws)
        place_of[slot] = slot // n_lanes
        lane_of[slot] = lane
        if slot < per_chunk * n_draws:
            draw_lucks[slot] = np.uint32(keys.luck[slot % n_draws])
    if well_mixed:
        for slot in range(SLOTS):
            f[QUOTIENT + slot] = lambda_f[1, slot % n_lanes]
            f[N_P + slot] = np.float32(state.aware_tellers[slot % n_lanes, 1])
            f[N_N + slot] = np.float32(
                state.aware_tellers[slot % n_lanes, 0] - state.aware_tellers[slot % n_lanes, 1]
            )

    counts[:] = 0
    state.aware_tellers[:] = 0
    next_leader = 0
    tiles_counted = 0

    for chunk in range(0, n_residents, per_chunk):
        for slot in range(SLOTS):
            entities[slot] = np.uint32(chunk) + entity_steps[slot]
        philox_slots(entities, week, draw_lucks, WEEK, keys.seed, keys.community, drawn)
        for first in range(chunk, min(chunk + per_chunk, n_residents), per_tile):
            in_tile = min(per_tile, n_residents - first)
            n_slots = in_tile * n_lanes
            base = first * n_lanes

            # Copy in: draws, state, what belongs to the place.
            pair = (first - chunk) * n_draws
            if n_arms == 1:
                for slot in range(n_slots):
                    f[U0 + slot] = uniform(words_drawn[at(0 * 64, pair, slot)])
                    f[U1 + slot] = uniform(words_drawn[at(1 * 64, pair, slot)])
                    f[U2 + slot] = uniform(words_drawn[at(2 * 64, pair, slot)])
                    f[U3 + slot] = uniform(words_drawn[at(3 * 64, pair, slot)])
            else:
                for p in range(in_tile * n_draws):
                    u0 = uniform(words_drawn[at(0 * 64, pair, p)])
                    u1 = uniform(words_drawn[at(1 * 64, pair, p)])
                    u2 = uniform(words_drawn[at(2 * 64, pair, p)])
                    u3 = uniform(words_drawn[at(3 * 64, pair, p)])
                    lead = p * n_arms
                    for arm in range(n_arms):
                        f[at(U0, lead, arm)] = u0
                        f[at(U1, lead, arm)] = u1
                        f[at(U2, lead, arm)] = u2
                        f[at(U3, lead, arm)] = u3
            for k in range(n_slots):
                f[at(THETA, k, 0)] = theta_flat[at(base, k, 0)]
            for k in range(n_slots):
                f[at(S_START, k, 0)] = s0_flat[at(base, k, 0)]
            for k in range(n_slots):
                f[at(S_NOW, k, 0)] = s_flat[at(base, k, 0)]
            for k in range(n_slots):
                f[at(O_NOW, k, 0)] = o_flat[at(base, k, 0)]
            for k in range(n_slots):
                f[at(T_NOW, k, 0)] = t_flat[at(base, k, 0)]
            for k in range(n_slots):
                f[at(M_NOW, k, 0)] = m_flat[at(base, k, 0)]
            for k in range(n_slots):
                u[at(FLAGS, k, 0)] = flags_flat[at(base, k, 0)]
            for k in range(n_slots):
                u[at(ROLES, k, 0)] = roles_flat[at(base, k, 0)]
            if n_lanes < NARROW:
                for slot in range(n_slots):
                    place = at(first, place_of[slot], 0)
                    home = np.uint64(group_of[place])
                    u[UNITS + slot] = np.uint32(units_of[place])
                    u[GROUP + slot] = np.uint32(home)
                    kind = np.uint64(kind_of[place])
                    u[OFFSET + slot] = np.uint32(offset_of[kind])
                    factors[slot] = factor_of[kind]
                    f[LOG_MEDIA + slot] = background[at(home * np.uint64(n_lanes), lane_of[slot], 0)]
                    f[K_GROUP + slot] = terms_flat[at(home * np.uint64(n_lanes), lane_of[slot], 0)]
            else:
                for r in range(in_tile):
                    home = np.uint64(group_of[at(first, r, 0)])
                    units = np.uint32(units_of[at(first, r, 0)])
                    kind = np.uint64(kind_of[at(first, r, 0)])
                    offset = np.uint32(offset_of[kind])
                    factor = factor_of[kind]
                    start = np.uint64(r * n_lanes)
                    group_row = home * np.uint64(n_lanes)
                    for lane in range(n_lanes):
                        u[at(UNITS, start, lane)] = units
                        u[at(GROUP, start, lane)] = np.uint32(home)
                        u[at(OFFSET, start, lane)] = offset
                    for lane in range(n_lanes):
                        factors[at(0, start, lane)] = factor
                    for k in range(n_lanes):
                        f[at(at(LOG_MEDIA, start, 0), k, 0)] = background[at(group_row, k, 0)]
                    for k in range(n_lanes):
                        f[at(at(K_GROUP, start, 0), k, 0)] = terms_flat[at(group_row, k, 0)]

            # 4a: counts and exposure.
            if not well_mixed:
                for slot in range(SLOTS):
                    u[SUMS + slot] = np.uint32(0)
                if n_lanes < NARROW:
                    for r in range(in_tile):
                        if not general[at(first, r, 0)]:
                            gather_narrow(first + r, r * n_lanes, n_lanes, row_start, neighbours, words, u)
                else:
                    for r in range(in_tile):
                        if not general[at(first, r, 0)]:
                            for tie in range(
                                np.uint64(row_start[at(first, r, 0)]), np.uint64(row_start[at(first, r, 1)])
                            ):
                                source = np.uint64(neighbours[tie]) * np.uint64(n_lanes)
                                for lane in range(n_lanes):
                                    u[at(SUMS, r * n_lanes, lane)] += words[at(source, lane, 0)]
                for slot in range(SLOTS):
                    total = u[SUMS + slot]
                    n_participants = (total >> np.uint32(10)) & FIELD
                    f[N_P + slot] = np.float32(np.int32(n_participants))
                    f[N_N + slot] = np.float32(np.int32((total & FIELD) - n_participants))
                if ties.divide:
                    for slot in range(n_slots):
                        pull = np.int32(u[SUMS + slot] >> np.uint32(20)) - np.int32(u[OFFSET + slot])
                        numerators[slot] = pull
                        f[QUOTIENT + slot] = (
                            np.float32((np.float64(pull) * ties.scale) / factors[slot])
                            if factors[slot] > 0.0
                            else ZERO
                        )
                else:
                    for slot in range(SLOTS):
                        pull = np.int32(u[SUMS + slot] >> np.uint32(20)) - np.int32(u[OFFSET + slot])
                        f[QUOTIENT + slot] = np.float32(np.float64(pull) * factors[slot])
                    if rules.decision == WHOLE:
                        for slot in range(SLOTS):
                            numerators[slot] = np.int64(
                                np.int32(u[SUMS + slot] >> np.uint32(20)) - np.int32(u[OFFSET + slot])
                            )
                for r in range(in_tile):
                    if general[first + r]:
                        for lane in range(n_lanes):
                            slot = r * n_lanes + lane
                            n_p, n_n, numerator = _plain_row(first + r, lane, n_lanes, ties, words)
                            numerators[slot] = numerator
                            denominator = denominator_of[kind_of[first + r]]
                            f[N_P + slot] = np.float32(n_p)
                            f[N_N + slot] = np.float32(n_n)
                            f[QUOTIENT + slot] = (
                                np.float32((np.float64(numerator) * ties.scale) / denominator)
                                if denominator > 0.0
                                else ZERO
                            )
            if transmission:
                for slot in range(n_slots):
                    f[N_P + slot] = ZERO
                    f[N_N + slot] = ZERO
                    lane = slot % n_lanes
                    u[TOLD_BY_TIE + slot] = np.uint32(0)
                    if not u[FLAGS + slot] & YES:
                        told = _told_by_a_tie(
                            first + slot // n_lanes,
                            lane,
                            n_lanes,
                            week,
                            keys.luck[lane // n_arms],
                            ties,
                            keys,
                            rules,
                            words,
                        )
                        u[TOLD_BY_TIE + slot] = np.uint32(told)

            # Agents that decided for themselves, and opposed leaders who cannot join: their draw is put
            # within or out of reach.
            if decide_by_agents:
                for slot in range(n_slots):
                    decision = forced[first + slot // n_lanes, slot % n_lanes]
                    if decision >= 0:
                        f[U1 + slot] = ALWAYS if decision else NEVER
            first_leader = next_leader
            while next_leader < leader_ids.size and leader_ids[next_leader] < first + in_tile:
                start = (leader_ids[next_leader] - first) * n_lanes
                for lane in range(n_lanes):
                    opposed = leader_stance[next_leader, lane] < 0
                    f[at(U1, start, lane)] = NEVER if opposed else f[at(U1, start, lane)]
                next_leader += 1

            # 4c first part: the logit or the sharp threshold.
            if rules.decision == WHOLE:
                for slot in range(n_slots):
                    least[slot] = least_of[first + slot // n_lanes]
                    if rules.whole_from_share:
                        numerators[slot] = state.participating[slot % n_lanes]
                    f[CHOICE + slot] = ONE if numerators[slot] >= least[slot] else ZERO
            else:
                for slot in range(SLOTS):
                    if well_mixed:
                        exposure = f[QUOTIENT + slot]
                    else:
                        exposure = (
                            f[PARAMETERS + NOT_VISIBILITY * 64 + slot] * f[QUOTIENT + slot]
                            + f[LAMBDA_F + slot]
                        )
                    participating = np.float32(np.int32((u[FLAGS + slot] >> YES) & YES))
                    v = f[PARAMETERS + SOCIAL_WEIGHT * 64 + slot] * exposure
                    v = v + (f[PARAMETERS + APPEAL_WEIGHT * 64 + slot] * f[T_NOW + slot]) * f[M_NOW + slot]
                    v = v + f[PARAMETERS + CAPABILITY_WEIGHT * 64 + slot] * f[S_NOW + slot]
                    v = v + f[K_GROUP + slot]
                    v = v - f[THETA + slot]
                    v = v + (f[PARAMETERS + HABIT * 64 + slot] * f[O_NOW + slot]) * participating
                    f[CHOICE + slot] = v
                if rules.decision == LOGIT:
                    for slot in range(SLOTS):
                        f[CHOICE + slot] = logistic_32(
                            f[CHOICE + slot] * f[PARAMETERS + STEEPNESS * 64 + slot]
                        )
                else:
                    for slot in range(SLOTS):
                        f[CHOICE + slot] = ONE if f[CHOICE + slot] >= ZERO else ZERO

            # 4b, 4c, 4d, 5, 6 at once: every line reads the state at the start of the phase.
            for slot in range(SLOTS):
                flags = u[FLAGS + slot]
                exponent = (
                    f[LOG_MEDIA + slot] + f[N_P + slot] * f[PARAMETERS + LOG_TELL_PARTICIPANT * 64 + slot]
                ) + f[N_N + slot] * f[PARAMETERS + LOG_TELL_OTHER * 64 + slot]
                chance = ONE - exp2_32(exponent)
                hears = YES if f[U0 + slot] < chance else NO
                u[IS_AWARE + slot] = (flags | (flags >> np.uint32(3)) | hears | u[TOLD_BY_TIE + slot]) & YES
            # 4c: participation. 5: lapse.
            for slot in range(SLOTS):
                took_part = (u[FLAGS + slot] & np.uint32(2)) != 0
                stays = f[PARAMETERS + KEEP * 64 + slot] if took_part else ZERO
                joins = stays + f[PARAMETERS + RECONSIDER * 64 + slot] * f[CHOICE + slot]
                u[TAKES_PART + slot] = u[IS_AWARE + slot] if f[U1 + slot] < joins else NO
            if rules.irreversible:
                for slot in range(SLOTS):
                    u[TAKES_PART + slot] |= (u[FLAGS + slot] >> YES) & YES
            for slot in range(SLOTS):
                held_back = HALF if (u[ROLES + slot] & np.uint32(STIPEND)) != 0 else ONE
                lapses = f[U2 + slot] < f[PARAMETERS + LAPSE * 64 + slot] * held_back
                halved = (HALF if lapses else ONE) if u[TAKES_PART + slot] != 0 else ONE
                f[O_NOW + slot] = f[O_NOW + slot] * halved
                u[TAKES_PART + slot] = NO if lapses else u[TAKES_PART + slot]
            # 5: turnover or forgetting, and what is to be written at once (4d).
            for slot in range(SLOTS):
                flags = u[FLAGS + slot]
                takes_part = u[TAKES_PART + slot]
                held = takes_part | ((flags >> np.uint32(3)) & YES)
                forgets = (YES - held) if f[U3 + slot] < f[PARAMETERS + FORGET * 64 + slot] else NO
                u[REPLACED + slot] = YES if f[U3 + slot] < f[PARAMETERS + TURNOVER * 64 + slot] else NO
                u[JUST_TOLD + slot] = u[IS_AWARE + slot] & (YES - (flags & YES))
                u[FLAGS + slot] = (
                    (flags & (np.uint32(4 + 16 + 32) | (takes_part << np.uint32(6))))
                    | (u[IS_AWARE + slot] & (YES - forgets))
                    | (takes_part << YES)
                )
            # 6: decay and learning.
            for slot in range(SLOTS):
                takes_part_now = u[TAKES_PART + slot] != 0
                appeal = f[M_NOW + slot] * f[PARAMETERS + APPEAL_FACTOR * 64 + slot]
                f[M_NOW + slot] = ZERO if appeal < TINY else appeal
                s = f[S_NOW + slot]
                rises = s + f[PARAMETERS + LEARNING * 64 + slot] * (ONE - s)
                relaxes = (
                    f[S_START + slot]
                    + (s - f[S_START + slot]) * f[PARAMETERS + CAPABILITY_FACTOR * 64 + slot]
                )
                f[S_NOW + slot] = rises if takes_part_now else relaxes
                own = f[O_NOW + slot]
                grows = own + f[PARAMETERS + OWNERSHIP_GROWTH * 64 + slot] * (ONE - own)
                fades = own * f[PARAMETERS + OWNERSHIP_FACTOR * 64 + slot]
                f[O_NOW + slot] = grows if takes_part_now else fades
            newcomers = np.uint32(0)
            just_told = np.uint32(0)
            for slot in range(SLOTS):
                newcomers |= u[REPLACED + slot]
                just_told |= u[JUST_TOLD + slot]
            # 6: who organizes, or could.
            for slot in range(SLOTS):
                able = f[S_NOW + slot] >= f[PARAMETERS + ORGANIZER_CAPABILITY * 64 + slot]
                owns = f[O_NOW + slot] >= f[PARAMETERS + ORGANIZER_OWNERSHIP * 64 + slot]
                could = u[TAKES_PART + slot] if able else NO
                could = could if owns else NO
                u[BUSY + slot] = ((could & may_organize) << np.uint32(8)) | u[ROLES + slot]
            busy = np.uint32(0)
            for slot in range(SLOTS):
                busy |= u[BUSY + slot]
            if just_told:
                for slot in range(n_slots):
                    if u[JUST_TOLD + slot]:
                        told_flat[at(base, slot, 0)] = week
            if newcomers:
                seat_newcomers(week, first, in_tile * n_draws, n_lanes, residents, rules, keys, f, u)
                for slot in range(n_slots):
                    if u[REPLACED + slot]:
                        theta_flat[base + slot] = f[THETA + slot]
                        s0_flat[base + slot] = f[S_START + slot]
                        t_flat[base + slot] = f[T_NOW + slot]
                        told_flat[base + slot] = week
                        u[ROLES + slot] = NO
                        u[BUSY + slot] = NO
                        roles_flat[base + slot] = 0
                        if remembers:
                            last_flat[base + slot] = 0
                for s in range(first_leader, next_leader):
                    start = (leader_ids[s] - first) * n_lanes
                    for lane in range(n_lanes):
                        if u[at(REPLACED, start, lane)]:
                            leader_stance[s, lane] = leader_leaning[s]
                            leader_engaged[s, lane] = NEVER_ENGAGED
            for r in range(in_tile):
                organizing[at(first, r, 0)] = 0
            if busy:
                for slot in range(n_slots):
                    if u[BUSY + slot]:
                        pair_of_slot = pair + slot // n_arms
                        lane = slot % n_lanes
                        i = first + slot // n_lanes
                        roles = organizes(
                            u[BUSY + slot],
                            u[TAKES_PART + slot],
                            uniform(
                                ((words_drawn[at(0 * 64, pair_of_slot, 0)] & BYTE) << np.uint32(24))
                                | ((words_drawn[at(1 * 64, pair_of_slot, 0)] & BYTE) << np.uint32(16))
                                | ((words_drawn[at(2 * 64, pair_of_slot, 0)] & BYTE) << np.uint32(8))
                            ),
                            np.float32(doubles[LEADER_START, lane])
                            if leader_place[i] >= 0
                            else singles[ORGANIZER_START, lane],
                        )
                        roles_flat[base + slot] = np.uint8(roles)
                        organizing[i] |= np.uint8(roles & YES)
                        counts[lane, group_of[i], 4] += np.int64(roles & YES)

            # Words for next week, counts, copy out.
            next_week = np.int32(week + 1)
            if window == NO_WINDOW:
                for slot in range(SLOTS):
                    u[TELLS + slot] = u[FLAGS + slot] & YES
            else:
                for slot in range(n_slots):
                    within = np.uint32(next_week - told_flat[base + slot] <= window)
                    u[TELLS + slot] = u[FLAGS + slot] & within
            for slot in range(SLOTS):
                tells = u[TELLS + slot]
                participating = (u[FLAGS + slot] >> YES) & YES
                u[WORD + slot] = (
                    tells
                    | ((tells & participating) << np.uint32(10))
                    | ((u[UNITS + slot] * (YES + participating)) << np.uint32(20))
                )
            for s in range(first_leader, next_leader):
                i = np.int64(leader_ids[s])
                units = np.uint32(units_of[i])
                start = (i - first) * n_lanes
                for lane in range(n_lanes):
                    stance = leader_stance[s, lane]
                    tells = u[at(TELLS, start, lane)]
                    shown = tells if stance < 0 else stance_word(1, tells, units)
                    u[at(WORD, start, lane)] = shown if stance != 0 else u[at(WORD, start, lane)]
            for group in range(n_groups):
                for slot in range(SLOTS):
                    flags = u[FLAGS + slot]
                    contacted = (flags >> np.uint32(2)) & YES
                    participating = (flags >> YES) & YES
                    packed = (
                        (flags & YES)
                        | (participating << np.uint32(8))
                        | (contacted << np.uint32(16))
                        | ((participating & (YES - contacted)) << np.uint32(24))
                    )
                    here = np.uint32(u[GROUP + slot] == np.uint32(group)) & np.uint32(slot < n_slots)
                    u[COUNTS + group * 64 + slot] += packed * here
            tiles_counted += 1
            if tiles_counted == TILES_A_FLUSH:
                flush_counts(u, counts)
                tiles_counted = 0
            if well_mixed:
                for slot in range(n_slots):
                    add_teller(state.aware_tellers, slot % n_lanes, u[WORD + slot])
            for k in range(n_slots):
                s_flat[at(base, k, 0)] = f[at(S_NOW, k, 0)]
            for k in range(n_slots):
                o_flat[at(base, k, 0)] = f[at(O_NOW, k, 0)]
            for k in range(n_slots):
                m_flat[at(base, k, 0)] = f[at(M_NOW, k, 0)]
            for k in range(n_slots):
                next_words[at(base, k, 0)] = u[at(WORD, k, 0)]
            for k in range(n_slots):
                flags_flat[at(base, k, 0)] = u[at(FLAGS, k, 0)]
    flush_counts(u, counts)
    for lane in range(n_lanes):
        state.participating[lane] = 0
        for group in range(n_groups):
            state.participating[lane] += counts[lane, group, 1]
    state.now[0] = 1 - now
