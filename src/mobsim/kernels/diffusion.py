"""The week of the residents: phases 4 to 6 of docs/odd.md for all lanes of a block.

State words. One uint32 a resident and lane carries what the neighbours need: bit 0 tells as an aware person, bit 10 tells as a
participant, bits 20-31 influence x (y + 1). Adding up the words of the neighbours then gives three counts at once, as
whole numbers: exact, in any order. Rows where a field could overflow, and rows with weighted ties, take a plain path.

Tiles. The elementwise rules work on 64 slots (64 // L residents x L lanes) held in scratch arrays with constant offsets: that is
what the compiler turns into vector code. The same code serves any number of lanes up to 64.
"""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    APPEAL_FACTOR,
    APPEAL_WEIGHT,
    AWARE_SHARE,
    BARRIER,
    BY_GROUP,
    CAPABILITY,
    CAPABILITY_FACTOR,
    CAPABILITY_SD,
    CAPABILITY_WEIGHT,
    EVERYONE,
    FORGET,
    HABIT,
    KEEP,
    KEEPS_THRESHOLD,
    LAPSE,
    LEARNING,
    LOG_BACKGROUND,
    LOG_TELL_OTHER,
    LOG_TELL_PARTICIPANT,
    LOGIT,
    N_SINGLES,
    NORMAL,
    NOT_VISIBILITY,
    OWNERSHIP,
    OWNERSHIP_FACTOR,
    OWNERSHIP_GROWTH,
    RECONSIDER,
    RESULTS_WEIGHT,
    SHARP,
    SOCIAL_WEIGHT,
    START_CAPABILITY,
    START_CAPABILITY_MEAN,
    STEEPNESS,
    TELL_OTHER,
    TELL_PARTICIPANT,
    THRESHOLD,
    THRESHOLD_HIGH,
    THRESHOLD_LOW,
    THRESHOLD_MEAN,
    THRESHOLD_SD,
    TRUNCATED,
    TRUST,
    TRUST_MEAN,
    TRUST_SD,
    TURNOVER,
    VISIBILITY,
    WIN_RELIEF,
    Float32,
    Int64,
    Keys,
    Residents,
    Rules,
    State,
    Ties,
    UInt32,
)
from mobsim.kernels.compile import inlined, kernel
from mobsim.kernels.elementary import exp2_32, logistic_32, normal_quantile_64, truncated_normal_64
from mobsim.kernels.keyed import centred, philox, philox_slots, uniform
from mobsim.kernels.streams import NEWCOMER, TELLING, WEEK

SLOTS = 64
NARROW = 16
"""Blocks with fewer lanes than this are gathered by resident, wider ones by lane."""
NO_WINDOW = 2**30
"""The exposure window that never closes."""

# Offsets of the float32 scratch: 64 slots each.
_U0, _U1, _U2, _U3 = 0 * 64, 1 * 64, 2 * 64, 3 * 64
_NP, _NN, _Q = 4 * 64, 5 * 64, 6 * 64
_LMU, _KG, _LF = 7 * 64, 8 * 64, 9 * 64
_THETA, _S0, _S, _O, _T, _M = 10 * 64, 11 * 64, 12 * 64, 13 * 64, 14 * 64, 15 * 64
_LAMBDA = 16 * 64
_PAR = 17 * 64
_FLOATS = (17 + N_SINGLES) * 64

# Offsets of the uint32 scratch.
_ACC, _FLAGS, _OMEGA, _GROUP, _OFF, _WORD, _TELLS = 0 * 64, 1 * 64, 2 * 64, 3 * 64, 4 * 64, 5 * 64, 6 * 64
_TIE, _IS_AWARE, _TAKES_PART, _REPLACED, _TOLD_NOW = 7 * 64, 8 * 64, 9 * 64, 10 * 64, 11 * 64
_COUNT = 12 * 64

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_NEVER = np.float32(2.0)
_ALWAYS = np.float32(-1.0)
_TINY = np.float32(1e-6)
_FIELD = np.uint32(1023)
_YES = np.uint32(1)
_NO = np.uint32(0)


@inlined
def at(offset, first, second):  # type: ignore[no-untyped-def]
    """Sum of two parts of an index and an offset, unsigned: numba then leaves out the handling of negative indices,
    which would keep the compiler from using vector code.
    """
    return np.uint64(offset) + np.uint64(first) + np.uint64(second)


@inlined
def copy(target, to, source, start, count):  # type: ignore[no-untyped-def]
    """Copy `count` values; one pair of arrays a loop, so that the compiler's check for overlap stays small."""
    for slot in range(count):
        target[at(to, slot, 0)] = source[at(start, slot, 0)]


@kernel
def week_terms(rules: Rules, state: State, n_residents: int, terms: Float32, lambda_f: Float32) -> None:
    """Fill K_g (G, L) and lambda*F (2, L) of the week from the state at the start of phase 4.

    Row 0 of `lambda_f` is float32(visibility x F), row 1 float32(F).
    """
    n_groups, n_lanes = terms.shape
    for lane in range(n_lanes):
        relief = 1.0
        for _ in range(state.wins[lane]):
            relief = relief * (1.0 - rules.doubles[WIN_RELIEF, lane])
        results = rules.doubles[RESULTS_WEIGHT, lane] * state.results[lane]
        for group in range(n_groups):
            terms[group, lane] = np.float32(results - relief * rules.by_group[BARRIER, group, lane])
        share = np.float64(state.participating[lane]) / np.float64(n_residents)
        lambda_f[0, lane] = np.float32(rules.doubles[VISIBILITY, lane] * share)
        lambda_f[1, lane] = np.float32(share)


@inlined
def teller_word(aware, participating, told_week, week, window, units):  # type: ignore[no-untyped-def]
    """State word of an ordinary resident for a week (leaders with a stance are set by `stance_word`)."""
    tells = np.uint32(aware) & np.uint32(week - told_week <= window)
    return (
        tells
        | ((tells & np.uint32(participating)) << np.uint32(10))
        | (np.uint32(units) * (_YES + np.uint32(participating)) << np.uint32(20))
    )


@inlined
def stance_word(stance, aware, told_week, week, window, units):  # type: ignore[no-untyped-def]
    """State word of a supportive (+1) or opposed (-1) leader."""
    tells = np.uint32(aware) & np.uint32(week - told_week <= window)
    if stance > 0:
        return tells | (tells << np.uint32(10)) | (np.uint32(2 * units) << np.uint32(20))
    return tells


@kernel
def write_words(week: int, ties: Ties, residents: Residents, rules: Rules, state: State, counts: Int64) -> None:
    """Write the state words for a week, and count (L, G, 4), from flags: at the start and after state was set by hand."""
    n_residents, n_lanes = state.flags.shape
    words = state.words[state.now[0]]
    counts[:] = 0
    state.participating[:] = 0
    state.aware_tellers[:] = 0
    special = 0
    for i in range(n_residents):
        is_special = special < residents.special.size and residents.special[special] == i
        group = residents.group[i]
        for lane in range(n_lanes):
            flags = state.flags[i, lane]
            aware = flags & 1
            participating = (flags >> 1) & 1
            contacted = (flags >> 2) & 1
            stance = residents.stance[special, lane] if is_special else 0
            if stance != 0:
                word = stance_word(
                    stance, aware, state.told_week[i, lane], week, rules.exposure_window, ties.units[i]
                )
            else:
                word = teller_word(
                    aware, participating, state.told_week[i, lane], week, rules.exposure_window, ties.units[i]
                )
            words[i * n_lanes + lane] = word
            counts[lane, group, 0] += aware
            counts[lane, group, 1] += participating
            counts[lane, group, 2] += contacted
            counts[lane, group, 3] += participating & (1 - contacted)
            state.participating[lane] += participating
            _add_teller(state.aware_tellers, lane, word)
        if is_special:
            special += 1


@inlined
def _add_teller(tellers, lane, word):  # type: ignore[no-untyped-def]
    """Count those who tell, all and as participants, for a well-mixed community."""
    tellers[lane, 0] += np.int64(word & _YES)
    tellers[lane, 1] += np.int64((word >> np.uint32(10)) & _YES)


@inlined
def gather_narrow(i, slot, n_lanes, row_start, neighbours, words, u):  # type: ignore[no-untyped-def]
    """Add up the words of one row for a few lanes, four at a time, in registers."""
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
        u[at(_ACC, slot, lane)] = t0
        u[at(_ACC, slot, lane + 1)] = t1
        u[at(_ACC, slot, lane + 2)] = t2
        u[at(_ACC, slot, lane + 3)] = t3
        lane += 4
    while lane < n_lanes:
        total = np.uint32(0)
        for tie in range(begin, end):
            total += words[at(np.uint64(neighbours[tie]) * wide, lane, 0)]
        u[at(_ACC, slot, lane)] = total
        lane += 1


@kernel
def _plain_row(
    i: int, lane: int, n_lanes: int, ties: Ties, words: UInt32
) -> tuple[int, int, int]:
    """n_P, n_N and the numerator of one row by plain addition: hubs and weighted ties."""
    n_participants = np.int64(0)
    n_aware = np.int64(0)
    numerator = np.int64(0)
    weighted = ties.weight.size > 0
    for tie in range(ties.row_start[i], ties.row_start[i + 1]):
        j = np.int64(ties.neighbours[tie])
        word = words[j * n_lanes + lane]
        n_aware += np.int64(word & _YES)
        n_participants += np.int64((word >> np.uint32(10)) & _YES)
        pull = np.int64(word >> np.uint32(20)) - np.int64(ties.units[j])
        numerator += ties.weight[tie] * pull if weighted else pull
    return n_participants, n_aware - n_participants, numerator


@kernel
def _told_by_a_tie(
    i: int, lane: int, n_lanes: int, week: int, luck: int, ties: Ties, keys: Keys, rules: Rules, words: UInt32
) -> bool:
    """Whether one of the ties that carry `transmission` tells resident i this week."""
    for tie in range(ties.row_start[i], ties.row_start[i + 1]):
        word = words[np.int64(ties.neighbours[tie]) * n_lanes + lane]
        if word & _YES:
            chance = ties.transmission[tie]
            if not (word >> np.uint32(10)) & _YES:
                told_by = rules.doubles[TELL_PARTICIPANT, lane]
                chance = chance * rules.doubles[TELL_OTHER, lane] / told_by if told_by > 0.0 else 0.0
            w0, _, _, _ = philox(tie, week, luck, TELLING, keys.seed, keys.community)
            if uniform(w0) < np.float32(chance):
                return True
    return False


@kernel
def draw_threshold(word: int, kind: int, doubles: Float32, lane: int) -> np.float32:
    """Threshold of a newcomer from one random word (docs/odd.md, 5)."""
    mean = doubles[THRESHOLD_MEAN, lane]
    sd = doubles[THRESHOLD_SD, lane]
    low = doubles[THRESHOLD_LOW, lane]
    high = doubles[THRESHOLD_HIGH, lane]
    if kind == NORMAL:
        return np.float32(mean + sd * normal_quantile_64(centred(word)))
    if kind == TRUNCATED:
        return np.float32(truncated_normal_64(centred(word), mean, sd, low, high))
    return np.float32(low + (high - low) * np.float64(uniform(word)))


@kernel
def draw_share(word: int, mean: float, sd: float) -> np.float32:
    """Capability or trust of a newcomer: normal, clipped to [0, 1] (docs/odd.md, 5)."""
    value = mean + sd * normal_quantile_64(centred(word))
    return np.float32(min(max(value, 0.0), 1.0))


@kernel
def diffuse_week(
    week: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    state: State,
    forced: np.ndarray,  # type: ignore[type-arg]
    counts: Int64,
) -> None:
    """Carry phases 4 to 6 of one week for all lanes; `counts` (L, G, 4) receives the state at the end.

    Parameters
    ----------
    week : the week, negative in burn-in.
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
    keeps_threshold = rules.threshold_kind == KEEPS_THRESHOLD

    now = state.now[0]
    words = state.words[now]
    next_words = state.words[1 - now]
    flags_flat = state.flags.reshape(n_residents * n_lanes)
    told_flat = state.told_week.reshape(n_residents * n_lanes)
    reals = state.reals.reshape(6, n_residents * n_lanes)
    theta_flat, s0_flat, s_flat = reals[THRESHOLD], reals[START_CAPABILITY], reals[CAPABILITY]
    o_flat, t_flat, m_flat = reals[OWNERSHIP], reals[TRUST], reals[APPEAL]

    f = np.zeros(_FLOATS, np.float32)
    u = np.zeros(_COUNT + SLOTS * n_groups, np.uint32)
    g = np.zeros(2 * SLOTS, np.float64)  # 0: reciprocal or denominator, 64: -
    numerators = np.zeros(SLOTS, np.int64)
    least = np.zeros(SLOTS, np.int64)
    entities = np.zeros(SLOTS, np.uint32)
    draw_lucks = np.zeros(SLOTS, np.uint32)
    places = np.zeros(SLOTS, np.uint32)
    place_of = np.zeros(SLOTS, np.uint64)
    lane_of = np.zeros(SLOTS, np.uint64)
    drawn = np.zeros((4, SLOTS), np.uint32)
    words_drawn = drawn.reshape(4 * SLOTS)

    terms = np.empty((n_groups, n_lanes), np.float32)
    lambda_f = np.empty((2, n_lanes), np.float32)
    week_terms(rules, state, n_residents, terms, lambda_f)
    log_background = np.empty((n_groups, n_lanes), np.float32)
    for group in range(n_groups):
        for lane in range(n_lanes):
            log_background[group, lane] = np.float32(rules.by_group[LOG_BACKGROUND, group, lane])
    row_start, neighbours, general = ties.row_start, ties.neighbours, ties.general
    group_of, units_of, offset_of = residents.group, ties.units, ties.offset
    factor_of = ties.denominator if ties.divide else ties.reciprocal
    background = log_background.reshape(n_groups * n_lanes)
    terms_flat = terms.reshape(n_groups * n_lanes)
    for slot in range(SLOTS):
        lane = slot % n_lanes
        for row in range(N_SINGLES):
            f[_PAR + row * 64 + slot] = rules.singles[row, lane]
        f[_LF + slot] = lambda_f[0, lane]
        places[slot] = np.uint32(slot // n_draws)
        place_of[slot] = slot // n_lanes
        lane_of[slot] = lane
        if slot < per_chunk * n_draws:
            draw_lucks[slot] = np.uint32(keys.luck[slot % n_draws])
    if well_mixed:
        for slot in range(SLOTS):
            f[_Q + slot] = lambda_f[1, slot % n_lanes]
            f[_NP + slot] = np.float32(state.aware_tellers[slot % n_lanes, 1])
            f[_NN + slot] = np.float32(
                state.aware_tellers[slot % n_lanes, 0] - state.aware_tellers[slot % n_lanes, 1]
            )

    counts[:] = 0
    state.aware_tellers[:] = 0
    special = 0
    tiles_counted = 0

    for chunk in range(0, n_residents, per_chunk):
        for slot in range(SLOTS):
            entities[slot] = np.uint32(chunk) + places[slot]
        philox_slots(entities, week, draw_lucks, WEEK, keys.seed, keys.community, drawn)
        for first in range(chunk, min(chunk + per_chunk, n_residents), per_tile):
            in_tile = min(per_tile, n_residents - first)
            n_slots = in_tile * n_lanes
            base = first * n_lanes

            # Copy in: draws, state, what belongs to the place.
            pair = (first - chunk) * n_draws
            if n_arms == 1:
                for slot in range(n_slots):
                    f[_U0 + slot] = uniform(words_drawn[at(0 * 64, pair, slot)])
                    f[_U1 + slot] = uniform(words_drawn[at(1 * 64, pair, slot)])
                    f[_U2 + slot] = uniform(words_drawn[at(2 * 64, pair, slot)])
                    f[_U3 + slot] = uniform(words_drawn[at(3 * 64, pair, slot)])
            else:
                for p in range(in_tile * n_draws):
                    u0 = uniform(words_drawn[at(0 * 64, pair, p)])
                    u1 = uniform(words_drawn[at(1 * 64, pair, p)])
                    u2 = uniform(words_drawn[at(2 * 64, pair, p)])
                    u3 = uniform(words_drawn[at(3 * 64, pair, p)])
                    lead = p * n_arms
                    for arm in range(n_arms):
                        f[at(_U0, lead, arm)] = u0
                        f[at(_U1, lead, arm)] = u1
                        f[at(_U2, lead, arm)] = u2
                        f[at(_U3, lead, arm)] = u3
            copy(f, _THETA, theta_flat, base, n_slots)
            copy(f, _S0, s0_flat, base, n_slots)
            copy(f, _S, s_flat, base, n_slots)
            copy(f, _O, o_flat, base, n_slots)
            copy(f, _T, t_flat, base, n_slots)
            copy(f, _M, m_flat, base, n_slots)
            copy(u, _FLAGS, flags_flat, base, n_slots)
            if n_lanes < NARROW:
                for slot in range(n_slots):
                    i = at(first, place_of[slot], 0)
                    group = np.uint64(group_of[i])
                    u[_OMEGA + slot] = np.uint32(units_of[i])
                    u[_GROUP + slot] = np.uint32(group)
                    u[_OFF + slot] = np.uint32(offset_of[i])
                    g[slot] = factor_of[i]
                    f[_LMU + slot] = background[at(group * np.uint64(n_lanes), lane_of[slot], 0)]
                    f[_KG + slot] = terms_flat[at(group * np.uint64(n_lanes), lane_of[slot], 0)]
            else:
                for r in range(in_tile):
                    group = np.uint64(group_of[at(first, r, 0)])
                    units = np.uint32(units_of[at(first, r, 0)])
                    offset = np.uint32(offset_of[at(first, r, 0)])
                    factor = factor_of[at(first, r, 0)]
                    row = np.uint64(r * n_lanes)
                    group_row = group * np.uint64(n_lanes)
                    for lane in range(n_lanes):
                        u[at(_OMEGA, row, lane)] = units
                        u[at(_GROUP, row, lane)] = np.uint32(group)
                        u[at(_OFF, row, lane)] = offset
                    for lane in range(n_lanes):
                        g[at(0, row, lane)] = factor
                    copy(f, at(_LMU, row, 0), background, group_row, n_lanes)
                    copy(f, at(_KG, row, 0), terms_flat, group_row, n_lanes)

            # 4a: counts and exposure.
            if not well_mixed:
                for slot in range(SLOTS):
                    u[_ACC + slot] = np.uint32(0)
                if n_lanes < NARROW:
                    for r in range(in_tile):
                        if not general[at(first, r, 0)]:
                            gather_narrow(first + r, r * n_lanes, n_lanes, row_start, neighbours, words, u)
                else:
                    for r in range(in_tile):
                        if not general[at(first, r, 0)]:
                            for tie in range(np.uint64(row_start[at(first, r, 0)]), np.uint64(row_start[at(first, r, 1)])):
                                source = np.uint64(neighbours[tie]) * np.uint64(n_lanes)
                                for lane in range(n_lanes):
                                    u[at(_ACC, r * n_lanes, lane)] += words[at(source, lane, 0)]
                for slot in range(SLOTS):
                    total = u[_ACC + slot]
                    n_participants = (total >> np.uint32(10)) & _FIELD
                    f[_NP + slot] = np.float32(np.int32(n_participants))
                    f[_NN + slot] = np.float32(np.int32((total & _FIELD) - n_participants))
                if ties.divide:
                    for slot in range(n_slots):
                        pull = np.int32(u[_ACC + slot] >> np.uint32(20)) - np.int32(u[_OFF + slot])
                        numerators[slot] = pull
                        f[_Q + slot] = (
                            np.float32((np.float64(pull) * ties.scale) / g[slot]) if g[slot] > 0.0 else _ZERO
                        )
                else:
                    for slot in range(SLOTS):
                        pull = np.int32(u[_ACC + slot] >> np.uint32(20)) - np.int32(u[_OFF + slot])
                        f[_Q + slot] = np.float32(np.float64(pull) * g[slot])
                    if rules.decision == 2:
                        for slot in range(SLOTS):
                            numerators[slot] = np.int64(
                                np.int32(u[_ACC + slot] >> np.uint32(20)) - np.int32(u[_OFF + slot])
                            )
                for r in range(in_tile):
                    if ties.general[first + r]:
                        for lane in range(n_lanes):
                            slot = r * n_lanes + lane
                            n_p, n_n, numerator = _plain_row(first + r, lane, n_lanes, ties, words)
                            numerators[slot] = numerator
                            denominator = ties.denominator[first + r]
                            f[_NP + slot] = np.float32(n_p)
                            f[_NN + slot] = np.float32(n_n)
                            f[_Q + slot] = (
                                np.float32((np.float64(numerator) * ties.scale) / denominator)
                                if denominator > 0.0
                                else _ZERO
                            )
            if transmission:
                for slot in range(n_slots):
                    f[_NP + slot] = _ZERO
                    f[_NN + slot] = _ZERO
                    lane = slot % n_lanes
                    u[_TIE + slot] = np.uint32(0)
                    if not u[_FLAGS + slot] & _YES:
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
                        u[_TIE + slot] = np.uint32(told)

            # Agents that decided for themselves, and opposed leaders who cannot join: their draw is put within or out of reach.
            if decide_by_agents:
                for slot in range(n_slots):
                    decision = forced[first + slot // n_lanes, slot % n_lanes]
                    if decision >= 0:
                        f[_U1 + slot] = _ALWAYS if decision else _NEVER
            first_special = special
            while special < residents.special.size and residents.special[special] < first + in_tile:
                r = residents.special[special] - first
                for lane in range(n_lanes):
                    if residents.stance[special, lane] < 0:
                        f[_U1 + r * n_lanes + lane] = _NEVER
                special += 1

            # 4c first part: the logit or the sharp threshold.
            if rules.decision == 2:
                for slot in range(n_slots):
                    least[slot] = residents.least[first + slot // n_lanes]
                    if rules.whole_from_share:
                        numerators[slot] = state.participating[slot % n_lanes]
                    f[_LAMBDA + slot] = _ONE if numerators[slot] >= least[slot] else _ZERO
            else:
                for slot in range(SLOTS):
                    if well_mixed:
                        exposure = f[_Q + slot]
                    else:
                        exposure = f[_PAR + NOT_VISIBILITY * 64 + slot] * f[_Q + slot] + f[_LF + slot]
                    participating = np.float32(np.int32((u[_FLAGS + slot] >> _YES) & _YES))
                    v = f[_PAR + SOCIAL_WEIGHT * 64 + slot] * exposure
                    v = v + (f[_PAR + APPEAL_WEIGHT * 64 + slot] * f[_T + slot]) * f[_M + slot]
                    v = v + f[_PAR + CAPABILITY_WEIGHT * 64 + slot] * f[_S + slot]
                    v = v + f[_KG + slot]
                    v = v - f[_THETA + slot]
                    v = v + (f[_PAR + HABIT * 64 + slot] * f[_O + slot]) * participating
                    f[_LAMBDA + slot] = v
                if rules.decision == 0:
                    for slot in range(SLOTS):
                        f[_LAMBDA + slot] = logistic_32(
                            f[_LAMBDA + slot] * f[_PAR + STEEPNESS * 64 + slot]
                        )
                else:
                    for slot in range(SLOTS):
                        f[_LAMBDA + slot] = _ONE if f[_LAMBDA + slot] >= _ZERO else _ZERO

            # 4b, 4c, 4d, 5, 6 at once: every line reads the state at the start of the phase.
            for slot in range(SLOTS):
                flags = u[_FLAGS + slot]
                exponent = (
                    f[_LMU + slot] + f[_NP + slot] * f[_PAR + LOG_TELL_PARTICIPANT * 64 + slot]
                ) + f[_NN + slot] * f[_PAR + LOG_TELL_OTHER * 64 + slot]
                chance = _ONE - exp2_32(exponent)
                told = _YES if f[_U0 + slot] < chance else _NO
                u[_IS_AWARE + slot] = (flags | (flags >> np.uint32(3)) | told | u[_TIE + slot]) & _YES
            # 4c: participation. 5: lapse.
            for slot in range(SLOTS):
                took_part = (u[_FLAGS + slot] & np.uint32(2)) != 0
                stays = f[_PAR + KEEP * 64 + slot] if took_part else _ZERO
                joins = stays + f[_PAR + RECONSIDER * 64 + slot] * f[_LAMBDA + slot]
                u[_TAKES_PART + slot] = u[_IS_AWARE + slot] if f[_U1 + slot] < joins else _NO
            if rules.irreversible:
                for slot in range(SLOTS):
                    u[_TAKES_PART + slot] |= (u[_FLAGS + slot] >> _YES) & _YES
            for slot in range(SLOTS):
                lapses = f[_U2 + slot] < f[_PAR + LAPSE * 64 + slot]
                halved = (_HALF if lapses else _ONE) if u[_TAKES_PART + slot] != 0 else _ONE
                f[_O + slot] = f[_O + slot] * halved
                u[_TAKES_PART + slot] = _NO if lapses else u[_TAKES_PART + slot]
            # 5: turnover or forgetting, and what is to be written at once (4d).
            for slot in range(SLOTS):
                flags = u[_FLAGS + slot]
                takes_part = u[_TAKES_PART + slot]
                held = takes_part | ((flags >> np.uint32(3)) & _YES)
                forgets = (_YES - held) if f[_U3 + slot] < f[_PAR + FORGET * 64 + slot] else _NO
                u[_REPLACED + slot] = _YES if f[_U3 + slot] < f[_PAR + TURNOVER * 64 + slot] else _NO
                u[_TOLD_NOW + slot] = u[_IS_AWARE + slot] & (_YES - (flags & _YES))
                u[_FLAGS + slot] = (
                    (flags & (np.uint32(4 + 16 + 32) | (takes_part << np.uint32(6))))
                    | (u[_IS_AWARE + slot] & (_YES - forgets))
                    | (takes_part << _YES)
                )
            # 6: decay and learning.
            for slot in range(SLOTS):
                takes_part_now = u[_TAKES_PART + slot] != 0
                appeal = f[_M + slot] * f[_PAR + APPEAL_FACTOR * 64 + slot]
                f[_M + slot] = _ZERO if appeal < _TINY else appeal
                s = f[_S + slot]
                rises = s + f[_PAR + LEARNING * 64 + slot] * (_ONE - s)
                relaxes = f[_S0 + slot] + (s - f[_S0 + slot]) * f[_PAR + CAPABILITY_FACTOR * 64 + slot]
                f[_S + slot] = rises if takes_part_now else relaxes
                own = f[_O + slot]
                grows = own + f[_PAR + OWNERSHIP_GROWTH * 64 + slot] * (_ONE - own)
                fades = own * f[_PAR + OWNERSHIP_FACTOR * 64 + slot]
                f[_O + slot] = grows if takes_part_now else fades
            newcomers = np.uint32(0)
            just_told = np.uint32(0)
            for slot in range(SLOTS):
                newcomers |= u[_REPLACED + slot]
                just_told |= u[_TOLD_NOW + slot]
            if just_told:
                for slot in range(n_slots):
                    if u[_TOLD_NOW + slot]:
                        told_flat[at(base, slot, 0)] = week
            if newcomers:
                for pair_in_tile in range(in_tile * n_draws):
                    if u[_REPLACED + pair_in_tile * n_arms]:
                        r = pair_in_tile // n_draws
                        i = first + r
                        lead_lane = (pair_in_tile % n_draws) * n_arms
                        group = np.int64(residents.group[i])
                        luck = keys.luck[pair_in_tile % n_draws]
                        w0, w1, w2, w3 = philox(i, week, luck, NEWCOMER, keys.seed, keys.community)
                        capability = draw_share(
                            w1,
                            rules.by_group[START_CAPABILITY_MEAN, group, lead_lane],
                            rules.doubles[CAPABILITY_SD, lead_lane],
                        )
                        trust = draw_share(
                            w2, rules.by_group[TRUST_MEAN, group, lead_lane], rules.doubles[TRUST_SD, lead_lane]
                        )
                        aware_share = np.float32(rules.by_group[AWARE_SHARE, group, lead_lane])
                        is_aware = np.uint32(residents.is_leader[i] != 0 or uniform(w3) < aware_share)
                        if rules.newcomer_aware != BY_GROUP:
                            is_aware = np.uint32(rules.newcomer_aware == EVERYONE)
                        for slot in range(pair_in_tile * n_arms, (pair_in_tile + 1) * n_arms):
                            if not keeps_threshold:
                                f[_THETA + slot] = draw_threshold(
                                    w0, rules.threshold_kind, rules.doubles, lead_lane
                                )
                            f[_S0 + slot] = capability
                            f[_S + slot] = capability
                            f[_T + slot] = trust
                            f[_O + slot] = _ZERO
                            f[_M + slot] = _ZERO
                            u[_FLAGS + slot] = is_aware
                            told_flat[base + slot] = week
                            theta_flat[base + slot] = f[_THETA + slot]
                            s0_flat[base + slot] = f[_S0 + slot]
                            t_flat[base + slot] = f[_T + slot]

            # Words for next week, counts, copy out.
            next_week = np.int32(week + 1)
            if window == NO_WINDOW:
                for slot in range(SLOTS):
                    u[_TELLS + slot] = u[_FLAGS + slot] & _YES
            else:
                for slot in range(n_slots):
                    within = np.uint32(next_week - told_flat[base + slot] <= window)
                    u[_TELLS + slot] = u[_FLAGS + slot] & within
            for slot in range(SLOTS):
                tells = u[_TELLS + slot]
                participating = (u[_FLAGS + slot] >> _YES) & _YES
                u[_WORD + slot] = (
                    tells
                    | ((tells & participating) << np.uint32(10))
                    | ((u[_OMEGA + slot] * (_YES + participating)) << np.uint32(20))
                )
            for s in range(first_special, special):
                i = np.int64(residents.special[s])
                for lane in range(n_lanes):
                    slot = (i - first) * n_lanes + lane
                    if residents.stance[s, lane] != 0:
                        u[_WORD + slot] = stance_word(
                            residents.stance[s, lane],
                            u[_FLAGS + slot] & _YES,
                            told_flat[base + slot],
                            next_week,
                            window,
                            ties.units[i],
                        )
            for group in range(n_groups):
                for slot in range(SLOTS):
                    flags = u[_FLAGS + slot]
                    contacted = (flags >> np.uint32(2)) & _YES
                    participating = (flags >> _YES) & _YES
                    packed = (
                        (flags & _YES)
                        | (participating << np.uint32(8))
                        | (contacted << np.uint32(16))
                        | ((participating & (_YES - contacted)) << np.uint32(24))
                    )
                    here = np.uint32(u[_GROUP + slot] == np.uint32(group)) & np.uint32(slot < n_slots)
                    u[_COUNT + group * 64 + slot] += packed * here
            tiles_counted += 1
            if tiles_counted == 255:
                _flush(u, counts, n_lanes, n_groups)
                tiles_counted = 0
            if well_mixed:
                for slot in range(n_slots):
                    _add_teller(state.aware_tellers, slot % n_lanes, u[_WORD + slot])
            copy(s_flat, base, f, _S, n_slots)
            copy(o_flat, base, f, _O, n_slots)
            copy(m_flat, base, f, _M, n_slots)
            copy(next_words, base, u, _WORD, n_slots)
            copy(flags_flat, base, u, _FLAGS, n_slots)
    _flush(u, counts, n_lanes, n_groups)
    for lane in range(n_lanes):
        state.participating[lane] = 0
        for group in range(n_groups):
            state.participating[lane] += counts[lane, group, 1]
    state.now[0] = 1 - now


@kernel
def _flush(u: UInt32, counts: Int64, n_lanes: int, n_groups: int) -> None:
    """Move the packed counts of up to 255 tiles into the counts by lane and group."""
    for group in range(n_groups):
        for slot in range(SLOTS):
            packed = u[_COUNT + group * 64 + slot]
            u[_COUNT + group * 64 + slot] = np.uint32(0)
            lane = slot % n_lanes
            counts[lane, group, 0] += np.int64(packed & np.uint32(255))
            counts[lane, group, 1] += np.int64((packed >> np.uint32(8)) & np.uint32(255))
            counts[lane, group, 2] += np.int64((packed >> np.uint32(16)) & np.uint32(255))
            counts[lane, group, 3] += np.int64(packed >> np.uint32(24))
