"""What the campaign does in a week: phases 2 and 3 of docs/odd.md, money, targets, doses, peers' contacts.

A call counts the references of every array it is given, two atomic operations each: what is called for each
lane and activity gets single arrays, not bundles.

Residents are targeted in ascending order of a keyed draw. All arms of a draw group share these draws, so
the order is found once for each activity (`Orders`) and only as far as somebody walks along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    APPEAL_CAUSE,
    AWARE,
    BARRIER,
    CAPABILITY,
    CAPABILITY_CAUSE,
    CONTACTED,
    DOSED,
    EFFECT_APPEAL,
    EFFECT_CAPABILITY,
    EFFECT_CAPACITY,
    EFFECT_INTEREST,
    EFFECT_OWNERSHIP,
    EFFECT_TRUST,
    MAX_WINS,
    ORGANIZER,
    OWNERSHIP,
    PEER_DOSE,
    REACHED,
    STIPEND,
    TRAINED,
    TRUST,
    TRUST_LOSS,
    WIN_RELIEF,
    Float32,
    Int32,
    Int64,
    Keys,
    Leaders,
    Organizations,
    Plan,
    Purse,
    Residents,
    Rules,
    State,
    Tally,
    Ties,
    UInt8,
    UInt32,
)
from mobsim.kernels.bundles import Bundle
from mobsim.kernels.compile import internal, kernel, phase
from mobsim.kernels.keyed import Whole, below, entity_rounds, luck_rounds, philox, philox_strips, uniform
from mobsim.kernels.money import part_of
from mobsim.kernels.monitoring import cause_of, relief_of
from mobsim.kernels.sorting import draws_between, sort_draws, sort_words
from mobsim.kernels.streams import PEER, POOL, TARGET
from mobsim.kernels.strip import STRIP, load, lowest_bit, spread, store

# Columns of Plan.whole (A, B, columns)
DELIVERY = 0
RULE = 1
COST_CENTS = 2
PER_UNIT = 3
CODE = 4
CONTACT = 5
TRAINS = 6
MAX_UNITS = 7
POOL_NUMBER = 8
REFRESH = 9
LEADERS_ONLY = 10
ORDER_SLOT = 11
VOICE = 12
SCORE = 13
N_WHOLE = 14

# Kinds of delivery
ATTEMPTS = 0
SEATS = 1
ALL_COME = 2
BROADCAST = 3
LOBBY = 4
COALITION = 5
ORGANIZATION = 6
DEMONSTRATION = 7
STIPENDS = 8
PYTHON = 9

# Rules of targeting, as far as the kernel must tell them apart
IN_ORDER = 0
NON_PARTICIPANTS = 1
NOMINATED = 2
CYCLE = 3
SCORED = 4
CLUSTERED = 5
ONLY_LEADERS = 6

# Columns of Purse.dose (L, B, G, 5)
DOSE_APPEAL = 0
DOSE_CAPABILITY = 1
DOSE_OWNERSHIP = 2
DOSE_TRUST = 3
DOSE_TRUST_LOSS = 4

_ONE = np.float32(1.0)
_SIGN = np.uint64(2**63)
_LOW = np.uint64(2**32 - 1)
UNLIMITED = 2**62


@dataclass(frozen=True, eq=False)
class Orders(Bundle):
    """The order of targets this week, by draw slot: how much of it is known, who, and their words.

    length (slots,); bound (slots,) all words below it are in the known part; drawn (slots,): 1 + the code of
    the line whose words of this week are there, or 0; order (slots, largest pool) places in the pool; keys,
    comes (slots, largest pool) words 0 and 1 of its members, `keys` rounded up to a multiple of 64; names
    (slots, largest pool) word 2, or (slots, 0) if nobody is asked for a name; chosen (N,) scratch.
    """

    length: Int64
    bound: Int64
    drawn: Int64
    order: Int32
    keys: UInt32
    comes: UInt32
    names: UInt32
    chosen: Int32


@internal
def _extend(orders: Orders, slot: int, size: int, wanted: Whole) -> None:
    """Make at least `wanted` places of the order known (all of them if the pool, of `size`, is smaller)."""
    words, order = orders.keys[slot], orders.order[slot]
    known, lower = orders.length[slot], orders.bound[slot]
    wanted = min(wanted, size)
    while known < wanted:
        missing = np.float64(wanted - known)
        share = (missing + 4.0 * np.sqrt(missing) + 8.0) / size
        upper = min(lower + np.int64(min(share, 1.0) * 4294967296.0), np.int64(4294967296))
        found = draws_between(words, size, lower, upper)
        for place in range(found.size):
            order[known + place] = np.int32(found[place] & np.uint64(0xFFFFFFFF))
        known += found.size
        lower = upper
    orders.length[slot], orders.bound[slot] = known, lower


@internal
def _draw(orders: Orders, slot: int, pool: Int32, week: int, luck: int, code: int, keys: Keys) -> None:
    """Draw the words of everybody in the pool for this activity and week, two strips at a time."""
    words, comes, names = orders.keys[slot], orders.comes[slot], orders.names[slot]
    seed, community = np.uint64(keys.seed) & _LOW, np.uint64(keys.community) & _LOW
    stream = np.uint64(TARGET + code)
    of_luck = luck_rounds(spread(np.uint32(luck)), np.uint64(week), seed, community)
    last = pool.size - 2 * STRIP
    for begin in range(0, pool.size if last >= 0 else 0, 2 * STRIP):
        first = min(begin, last)  # the last two strips may begin among those drawn before
        second = first + STRIP
        entities_1 = entity_rounds(load(pool, first), stream, community)
        entities_2 = entity_rounds(load(pool, second), stream, community)
        words_1, words_2 = philox_strips(of_luck, entities_1, of_luck, entities_2, seed, community)
        store(words, first, words_1[0])
        store(words, second, words_2[0])
        store(comes, first, words_1[1])
        store(comes, second, words_2[1])
        if names.size > 0:
            store(names, first, words_1[2])
            store(names, second, words_2[2])
    for position in range(0 if last < 0 else pool.size, pool.size):
        w0, w1, w2, _ = philox(pool[position], week, luck, TARGET + code, keys.seed, keys.community)
        words[position], comes[position] = w0, w1
        if names.size > 0:
            names[position] = w2
    orders.drawn[slot] = 1 + code
    orders.length[slot] = 0
    orders.bound[slot] = 0


@internal
def _give(
    chosen: Int32,
    count: int,
    lane: int,
    b: int,
    marks: int,
    dose: Float32,
    group_of: UInt8,
    reals: Float32,
    flags: UInt8,
    last: UInt8,
    reached: Int64,
) -> None:
    """Give the doses of line b to the first `count` of the residents chosen (rule 5).

    A dose of 0 changes nothing: what no group gets is left out.
    """
    doses = dose[lane, b]
    raises_appeal = raises_capability = raises_ownership = changes_trust = False
    for row in range(doses.shape[0]):
        raises_appeal |= doses[row, DOSE_APPEAL] != 0
        raises_capability |= doses[row, DOSE_CAPABILITY] != 0
        raises_ownership |= doses[row, DOSE_OWNERSHIP] != 0
        changes_trust |= doses[row, DOSE_TRUST] != 0 or doses[row, DOSE_TRUST_LOSS] != 0
    remembers = last.size > 0
    for position in range(count):
        i = np.uint64(chosen[position])
        group = np.uint64(group_of[i])
        if raises_appeal:
            reals[APPEAL, i, lane] = reals[APPEAL, i, lane] + doses[group, DOSE_APPEAL]
        if raises_capability:
            s = reals[CAPABILITY, i, lane]
            reals[CAPABILITY, i, lane] = s + doses[group, DOSE_CAPABILITY] * (_ONE - s)
        if raises_ownership:
            o = reals[OWNERSHIP, i, lane]
            reals[OWNERSHIP, i, lane] = o + doses[group, DOSE_OWNERSHIP] * (_ONE - o)
        if changes_trust:
            t = reals[TRUST, i, lane]
            gained = t + doses[group, DOSE_TRUST] * (_ONE - t)
            reals[TRUST, i, lane] = gained - doses[group, DOSE_TRUST_LOSS] * t
        flags[i, lane] = np.uint8(flags[i, lane] | marks)
        reached[lane, b, group] += 1
        if remembers:
            last[i, lane] = np.uint8(b + 1)


@internal
def _train_leaders(
    chosen: Int32, count: int, week: int, lane: int, leader_place: Int32, engaged: Int32, flags: UInt8
) -> None:
    """Mark the leaders among those reached as trained, and as engaged this week."""
    for position in range(count):
        i = chosen[position]
        place = leader_place[i]
        if place >= 0:
            flags[i, lane] = np.uint8(flags[i, lane] | TRAINED)
            engaged[place, lane] = week


@internal
def _listen(
    chosen: Int32, count: int, lane: int, residents: Residents, rules: Rules, purse: Purse, state: State
) -> None:
    """Note the causes that people name at a meeting, before its dose (docs/odd.md, 7.12)."""
    left = relief_of(state.wins[lane], rules.doubles[WIN_RELIEF, lane])
    for position in range(count):
        i = chosen[position]
        cause = cause_of(
            state.flags[i, lane] & AWARE,
            state.reals[CAPABILITY, i, lane],
            state.reals[TRUST, i, lane],
            left * rules.by_group[BARRIER, residents.group[i], lane],
            rules.doubles[CAPABILITY_CAUSE, lane],
            rules.doubles[APPEAL_CAUSE, lane],
        )
        purse.voice[lane, cause] += 1


@kernel
def set_doses(
    lane: int, arm: int, rules: Rules, plan: Plan, purse: Purse, organizations: Organizations
) -> None:
    """Work out the doses of an arm's activities from the capacities of the moment (docs/odd.md, 7.3).

    Parameters
    ----------
    lane, arm : which.
    rules, plan, purse, organizations : the bundles of `arrays.py`.
    """
    n_groups = purse.dose.shape[2]
    for b in range(plan.n_activities[arm]):
        k = plan.deliverer[arm, b]
        if k < 0:
            continue
        capacity = organizations.capacity[k, lane]
        effect = plan.effect[arm, b]
        loss = rules.doubles[TRUST_LOSS, lane] * (1.0 - capacity) if effect[EFFECT_TRUST] > 0.0 else 0.0
        for group in range(n_groups):
            credibility = organizations.credibility[k, group]
            dose = purse.dose[lane, b, group]
            dose[DOSE_APPEAL] = np.float32(effect[EFFECT_APPEAL] * capacity * credibility)
            dose[DOSE_CAPABILITY] = np.float32(effect[EFFECT_CAPABILITY] * capacity)
            dose[DOSE_OWNERSHIP] = np.float32(effect[EFFECT_OWNERSHIP])
            dose[DOSE_TRUST] = np.float32(effect[EFFECT_TRUST] * capacity * credibility)
            dose[DOSE_TRUST_LOSS] = np.float32(loss)


@internal
def _cycle_order(
    pool: Int32,
    cycle: int,
    luck: int,
    code: int,
    keys: Keys,
    out: Int32,
) -> None:
    """Put the pool into the random order of one cycle."""
    sorting = np.empty(pool.size, np.uint64)
    for position in range(pool.size):
        w0, _, _, _ = philox(pool[position], cycle, luck, POOL + code, keys.seed, keys.community)
        sorting[position] = (np.uint64(w0) << np.uint64(32)) | np.uint64(pool[position])
    ordered = sort_draws(sorting, pool.size, 0, 4294967296)
    for position in range(pool.size):
        out[position] = np.int32(ordered[position] & np.uint64(0xFFFFFFFF))


@internal
def _scored_pool(
    pool: Int32,
    size: int,
    refresh: int,
    luck: int,
    code: int,
    score: Int64,
    keys: Keys,
    out: Int32,
) -> None:
    """Find the `size` members of the pool with the highest score; equal ones by keyed draw, then id."""
    n = pool.size
    sorting = np.empty(n, np.uint64)
    for position in range(n):
        sorting[position] = np.uint64(score[pool[position]]) ^ _SIGN  # so that negative scores come first
    sort_words(sorting, n)
    cut = np.int64(sorting[n - size] ^ _SIGN)
    taken = 0
    equal = 0
    for position in range(n):
        if score[pool[position]] > cut:
            out[taken] = pool[position]
            taken += 1
        elif score[pool[position]] == cut:
            w0, _, _, _ = philox(pool[position], refresh, luck, POOL + code, keys.seed, keys.community)
            sorting[equal] = (np.uint64(w0) << np.uint64(32)) | np.uint64(pool[position])
            equal += 1
    sort_words(sorting, np.int64(equal))
    for position in range(size - taken):
        out[taken + position] = np.int32(sorting[position] & np.uint64(0xFFFFFFFF))
    for position in range(size):
        sorting[position] = np.uint64(out[position])
    sort_words(sorting, size)
    for position in range(size):
        out[position] = np.int32(sorting[position])


@internal
def _clustered_pool(
    pool: Int32,
    wanted: int,
    refresh: int,
    luck: int,
    code: int,
    neighbourhood: Int32,
    keys: Keys,
    out: Int32,
) -> Any:
    """Find the members of whole neighbourhoods, in keyed order, until they are `wanted`; return how many."""
    highest = 0
    for position in range(pool.size):
        highest = max(highest, neighbourhood[pool[position]])
    members = np.zeros(highest + 1, np.int64)
    for position in range(pool.size):
        members[neighbourhood[pool[position]]] += 1
    sorting = np.empty(highest + 1, np.uint64)
    count = 0
    for number in range(highest + 1):
        if members[number] > 0:
            w0, _, _, _ = philox(number, refresh, luck, POOL + code, keys.seed, keys.community)
            sorting[count] = (np.uint64(w0) << np.uint64(32)) | np.uint64(number)
            count += 1
    sort_words(sorting, np.int64(count))
    held = 0
    for place in range(count):
        chosen = np.int64(sorting[place] & np.uint64(0xFFFFFFFF))
        if held < wanted:
            held += members[chosen]
            members[chosen] = -1
    size = 0
    for position in range(pool.size):
        if members[neighbourhood[pool[position]]] < 0:
            out[size] = pool[position]
            size += 1
    return size


@internal
def _nominee(
    i: Whole, word: Whole, row_start: UInt32, neighbours: UInt32, well_mixed: int, n_residents: int
) -> Whole:
    """Whom resident i names, or -1."""
    if well_mixed:
        if n_residents < 2:
            return -1
        j = below(word, n_residents - 1)
        return j + 1 if j >= i else j
    degree = row_start[i + 1] - row_start[i]
    if degree == 0:
        return -1
    return np.int64(neighbours[row_start[i] + below(word, degree)])


@internal
def _fill_purses(week: int, plan: Plan, purse: Purse, state: State, income: Int64) -> None:
    """Move the week's part of what is left, and local money, into the purses of the activities."""
    left, pot, remainder, external, local = purse.left, purse.pot, purse.remainder, purse.purse, purse.local
    shares, local_shares, wins = purse.shares, purse.local_shares, state.wins
    n_activities, has_budget, public_cents = plan.n_activities, plan.has_budget, plan.public_cents
    weeks_left = plan.funding_ends - week
    for lane in range(left.size):
        arm = lane % n_activities.size
        lines = n_activities[arm]
        if weeks_left > 0 and left[lane] > 0:
            inflow = left[lane] // weeks_left
            left[lane] -= inflow
            before = np.int64(0)
            for b in range(lines):
                until = part_of(inflow, shares[lane, b + 1])
                external[lane, b] += until - before
                before = until
        if lines and has_budget[arm]:
            public = public_cents[arm, wins[lane]]
            income[lane] += public
            came_in = pot[lane] + public
            pot[lane] = 0
            if local_shares[lane, lines] == 0:
                remainder[lane] += came_in
            elif came_in > 0:
                before = np.int64(0)
                for b in range(lines):
                    until = part_of(came_in, local_shares[lane, b + 1])
                    local[lane, b] += until - before
                    before = until


@internal
def _own_pool(
    week: int,
    lane: int,
    arm: int,
    b: int,
    luck: int,
    pool: Int32,
    keys: Keys,
    plan: Plan,
    purse: Purse,
) -> Any:
    """Whom an activity may choose from where each lane keeps an order of its own, brought up to date."""
    whole = plan.whole[arm, b]
    own = purse.own[lane, plan.own_slot[arm, b]]
    if whole[RULE] == CYCLE:
        if purse.place[lane, b] >= pool.size:
            purse.cycle[lane, b] += 1
            purse.place[lane, b] = 0
        if purse.place[lane, b] == 0:
            _cycle_order(pool, purse.cycle[lane, b], luck, whole[CODE], keys, own)
        return own[: pool.size]
    refresh = (week - plan.funding_starts) // whole[REFRESH] if whole[REFRESH] else 0
    if pool.size > 0 and purse.cycle[lane, b] != refresh:
        size = plan.fraction_size[arm, b]
        if whole[RULE] == SCORED:
            score = plan.scores[whole[SCORE]]
            _scored_pool(pool, size, refresh, luck, whole[CODE], score, keys, own)
        else:
            size = _clustered_pool(pool, size, refresh, luck, whole[CODE], plan.neighbourhood, keys, own)
        purse.place[lane, b] = size
        purse.cycle[lane, b] = refresh
    return own[: purse.place[lane, b]]


@internal
def _free(week: int, engaged: Whole, rules: Rules) -> bool:
    """Whether somebody engaged in a week is free to be engaged again."""
    return week - engaged >= rules.engagement_weeks


@internal
def _most_units(
    week: int,
    lane: int,
    arm: int,
    b: int,
    pool: Int32,
    rules: Rules,
    plan: Plan,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
) -> Any:
    """How many units can be used this week, where that depends on the state (docs/odd.md, 7.1)."""
    whole = plan.whole[arm, b]
    delivery = whole[DELIVERY]
    if delivery == DEMONSTRATION:
        return 1 - state.demonstrated[lane]
    if delivery == ORGANIZATION:
        return plan.deliverer_start[arm + 1] - plan.deliverer_start[arm]
    if delivery == PYTHON:
        return whole[MAX_UNITS]
    candidates = 0
    if delivery == STIPENDS:
        for i in range(state.roles.shape[0]):
            candidates += (state.roles[i, lane] & (ORGANIZER | STIPEND)) == ORGANIZER
        return candidates
    if delivery == COALITION:
        if whole[RULE] != ONLY_LEADERS:
            for k in range(organizations.influence.size):
                if k != organizations.lead and _free(week, organizations.engaged[k, lane], rules):
                    candidates += 1
        for s in range(leaders.ids.size):
            candidates += _free(week, leaders.engaged[s, lane], rules)
        return candidates
    flags = state.flags
    for position in range(pool.size):
        candidates += 1 - ((flags[pool[position], lane] >> 1) & 1)
    return _in_units(np.int64(candidates), delivery, whole[PER_UNIT])


@internal
def _in_units(candidates: Whole, delivery: int, per_unit: int) -> Any:
    """How many units so many candidates make: seats may stay empty, attempts may not."""
    if delivery == SEATS:
        return (candidates + per_unit - 1) // per_unit
    return candidates // per_unit


@internal
def _hear(heard: np.float32, pool: Int32, comes: UInt32, chosen: Int32) -> Any:
    """Choose who hears a broadcast; return how many do."""
    count = np.uint64(0)
    for position in range(np.uint64(pool.size)):
        chosen[count] = pool[position]
        count += np.uint64(uniform(comes[position]) < heard)
    return np.int64(count)


@internal
def _ask_in_cycle(
    week: int,
    lane: int,
    b: int,
    wanted: int,
    luck: int,
    code: int,
    delivery: int,
    pool: Int32,
    place_of: Int64,
    group_of: UInt8,
    chances: Float32,
    keys: Keys,
    chosen: Int32,
) -> Any:
    """Ask the next residents of a cycle until `wanted` places are filled or the cycle ends; return how many
    come.
    """
    place = place_of[lane, b]
    filled = 0
    count = 0
    while filled < wanted and place < pool.size:
        i = pool[place]
        place += 1
        _, word, _, _ = philox(i, week, luck, TARGET + code, keys.seed, keys.community)
        comes = delivery == ALL_COME or uniform(word) < chances[lane, group_of[i]]
        if comes:
            chosen[count] = i
            count += 1
        if comes or delivery != SEATS:
            filled += 1
    place_of[lane, b] = place
    return count


@internal
def _ask_in_order(
    lane: int,
    wanted: int,
    delivery: int,
    slot: int,
    pool: Int32,
    group_of: UInt8,
    chances: Float32,
    orders: Orders,
) -> Any:
    """Ask residents in the order of this week's draws until `wanted` places are filled or nobody is left;
    return how many come.
    """
    order, comes_of, chosen, length = orders.order[slot], orders.comes[slot], orders.chosen, orders.length
    of_group = chances[lane]
    most, place = np.int64(pool.size), np.int64(0)
    count = np.uint64(0)
    while place < most:
        missing = wanted - (np.int64(count) if delivery == SEATS else place)
        if missing <= 0:
            break
        # However many of them come, so many more have to be asked at least.
        until = min(place + missing, most)
        if until > length[slot]:
            _extend(orders, slot, pool.size, until + missing if delivery == SEATS else until)
        for asked in range(np.uint64(place), np.uint64(until)):
            position = np.uint64(order[asked])
            i = pool[position]
            chosen[count] = i
            chance = of_group[np.uint64(group_of[np.uint64(i)])]
            count += np.uint64(delivery == ALL_COME or uniform(comes_of[position]) < chance)
        place = until
    return np.int64(count)


@internal
def _ask_some(
    lane: int,
    wanted: int,
    delivery: int,
    rule: int,
    slot: int,
    leaders_only: int,
    pool: Int32,
    row_start: UInt32,
    neighbours: UInt32,
    well_mixed: int,
    group_of: UInt8,
    leader_place: Int32,
    chances: Float32,
    flags: UInt8,
    orders: Orders,
) -> Any:
    """As `_ask_in_order`, where some are passed over, or name others in their place."""
    n_residents = flags.shape[0]
    named = np.zeros(n_residents if rule == NOMINATED else 0, np.uint8)
    order, comes_of, chosen, length = orders.order[slot], orders.comes[slot], orders.chosen, orders.length
    names = orders.names[slot]
    filled = 0
    place = 0
    count = 0
    while filled < wanted and place < pool.size:
        if place >= length[slot]:
            missing = wanted - filled
            _extend(orders, slot, pool.size, place + missing + missing // 2)
        position = np.int64(order[place])
        place += 1
        i = np.int64(pool[position])
        if rule == NON_PARTICIPANTS and (flags[i, lane] >> 1) & 1:
            continue
        if rule == NOMINATED:  # everybody is in the pool, each at the place of his number
            i = np.int64(_nominee(i, names[position], row_start, neighbours, well_mixed, n_residents))
            if i < 0 or named[i] or (leaders_only and leader_place[i] < 0):
                continue
            named[i] = 1
            position = i
        comes = delivery == ALL_COME or uniform(comes_of[position]) < chances[lane, group_of[i]]
        if comes:
            chosen[count] = np.int32(i)
            count += 1
        if comes or delivery != SEATS:
            filled += 1
    return count


@internal
def _engage(
    week: int,
    lane: int,
    arm: int,
    b: int,
    units: int,
    luck: int,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    orders: Orders,
    reached: Int64,
) -> None:
    """Engage organizations, the most influential first, then leaders (docs/odd.md, 7.3)."""
    effect = plan.effect[arm, b]
    left = units
    while left > 0 and plan.whole[arm, b, RULE] != ONLY_LEADERS:
        chosen = -1
        for k in range(organizations.influence.size):
            if k == organizations.lead or not _free(week, organizations.engaged[k, lane], rules):
                continue
            if chosen < 0 or organizations.influence[k] > organizations.influence[chosen]:
                chosen = k
        if chosen < 0:
            break
        left -= 1
        organizations.engaged[chosen, lane] = week
        interest = organizations.interest[chosen, lane]
        organizations.interest[chosen, lane] = interest + effect[EFFECT_INTEREST] * (1.0 - interest)
        if effect[EFFECT_TRUST] > 0.0:
            for m in range(organizations.member_start[chosen], organizations.member_start[chosen + 1]):
                i = organizations.member_ids[m]
                dose = purse.dose[lane, b, residents.group[i]]
                t = state.reals[TRUST, i, lane]
                state.reals[TRUST, i, lane] = (t + dose[DOSE_TRUST] * (_ONE - t)) - dose[DOSE_TRUST_LOSS] * t
    if left > 0:
        sorting = np.empty(leaders.ids.size, np.uint64)
        count = 0
        for s in range(leaders.ids.size):
            if _free(week, leaders.engaged[s, lane], rules):
                w0, _, _, _ = philox(
                    leaders.ids[s], week, luck, TARGET + plan.whole[arm, b, CODE], keys.seed, keys.community
                )
                sorting[count] = (np.uint64(w0) << np.uint64(32)) | np.uint64(s)
                count += 1
        sort_words(sorting, np.int64(count))
        count = min(left, count)
        for place in range(count):
            leader = np.int64(sorting[place] & np.uint64(0xFFFFFFFF))
            leaders.engaged[leader, lane] = week
            orders.chosen[place] = leaders.ids[leader]
        marks = DOSED | CONTACTED if plan.whole[arm, b, CONTACT] else DOSED
        _give(
            orders.chosen,
            count,
            lane,
            b,
            marks,
            purse.dose,
            residents.group,
            state.reals,
            state.flags,
            state.last,
            reached,
        )


@internal
def _train_organizations(
    lane: int,
    arm: int,
    b: int,
    units: int,
    rules: Rules,
    plan: Plan,
    purse: Purse,
    organizations: Organizations,
) -> None:
    """Raise the capacity of the next organizations in the cycle of those that deliver."""
    first = plan.deliverer_start[arm]
    number = plan.deliverer_start[arm + 1] - first
    for _ in range(units):
        k = plan.deliverer_ids[first + purse.place[lane, b]]
        purse.place[lane, b] = (purse.place[lane, b] + 1) % number
        capacity = organizations.capacity[k, lane]
        organizations.capacity[k, lane] = capacity + plan.effect[arm, b, EFFECT_CAPACITY] * (1.0 - capacity)
    set_doses(lane, arm, rules, plan, purse, organizations)


@internal
def _pay_stipends(lane: int, b: int, units: int, residents: Residents, state: State, reached: Int64) -> None:
    """Give stipends to organizers by id."""
    left = units
    for i in range(state.roles.shape[0]):
        if left > 0 and (state.roles[i, lane] & (ORGANIZER | STIPEND)) == ORGANIZER:
            state.roles[i, lane] |= np.uint8(STIPEND)
            reached[lane, b, residents.group[i]] += 1
            left -= 1


@phase
def deliver_week(
    week: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    orders: Orders,
    tally: Tally,
    efforts: Int64,
) -> None:
    """Add money, buy, choose targets and give doses in one week, for all lanes.

    Parameters
    ----------
    week : the week, 0 or later.
    ties, residents, rules, keys, plan, purse, leaders, organizations, state : the bundles of `arrays.py`.
    orders : scratch for the orders of targets.
    tally : receives what is bought this week, what it cost, who was reached, and the local money that came
        in.
    efforts : (L,) receives the lobby efforts of the week.
    """
    if week < plan.funding_starts:
        return
    n_lanes = state.flags.shape[1]
    n_arms = n_lanes // keys.luck.size
    units, cents, local_cents = tally.units[week], tally.cents[week], tally.local[week]
    reached = tally.reached[week]
    external_purse, local_purse, all_whole, running = purse.purse, purse.local, plan.whole, plan.running[week]
    n_activities, pool_of, slot_of, place_of = plan.n_activities, purse.pool, purse.slot, purse.place
    pool_start, pool_ids, dose, reach = plan.pool_start, plan.pool_ids, purse.dose, plan.reach
    row_start, neighbours, group_of = ties.row_start, ties.neighbours, residents.group
    leader_place, engaged = residents.leader_place, leaders.engaged
    flags, reals, last, wins = state.flags, state.reals, state.last, state.wins
    drawn, comes_of, chosen = orders.drawn, orders.comes, orders.chosen
    chances = np.empty((n_lanes, rules.by_group.shape[1]), np.float32)
    for lane in range(n_lanes):
        for group in range(chances.shape[1]):
            chances[lane, group] = np.float32(rules.by_group[REACHED, group, lane])
    _fill_purses(week, plan, purse, state, tally.income[week])
    for draw_group in range(keys.luck.size):
        luck = keys.luck[draw_group]
        drawn[:] = 0
        for arm in range(n_arms):
            lane = draw_group * n_arms + arm
            broadcast = 0
            for b in range(n_activities[arm]):
                if not running[arm, b]:
                    continue
                cost = all_whole[arm, b, COST_CENTS]
                external = external_purse[lane, b] // cost if week < plan.funding_ends else 0
                local = local_purse[lane, b] // cost
                if external + local == 0:
                    continue
                delivery, rule = all_whole[arm, b, DELIVERY], all_whole[arm, b, RULE]
                code, per_unit = all_whole[arm, b, CODE], all_whole[arm, b, PER_UNIT]
                pool = pool_ids[pool_start[pool_of[lane, b]] : pool_start[pool_of[lane, b] + 1]]
                if rule in (CYCLE, SCORED, CLUSTERED):
                    pool = _own_pool(week, lane, arm, b, luck, pool, keys, plan, purse)
                if delivery == LOBBY:
                    most = UNLIMITED if wins[lane] < np.int64(rules.doubles[MAX_WINS, lane]) else 0
                elif delivery == BROADCAST:
                    most = max(all_whole[arm, b, MAX_UNITS] - broadcast, 0)
                elif delivery > BROADCAST or rule == NON_PARTICIPANTS:
                    most = _most_units(week, lane, arm, b, pool, rules, plan, leaders, organizations, state)
                else:
                    candidates = pool.size - place_of[lane, b] if rule == CYCLE else pool.size
                    most = _in_units(np.int64(candidates), delivery, per_unit)
                external = min(external, most)
                local = min(local, most - external)
                bought = external + local
                if bought == 0:
                    continue
                external_purse[lane, b] -= external * cost
                local_purse[lane, b] -= local * cost
                units[lane, b] = bought
                cents[lane, b] = external * cost
                local_cents[lane, b] = local * cost
                if delivery == LOBBY:
                    efforts[lane] += bought
                elif delivery == DEMONSTRATION:
                    state.demonstrated[lane] = 1
                elif delivery == STIPENDS:
                    _pay_stipends(lane, b, bought, residents, state, reached)
                elif delivery == ORGANIZATION:
                    _train_organizations(lane, arm, b, bought, rules, plan, purse, organizations)
                elif delivery == COALITION:
                    _engage(
                        week,
                        lane,
                        arm,
                        b,
                        bought,
                        luck,
                        residents,
                        rules,
                        keys,
                        plan,
                        purse,
                        leaders,
                        organizations,
                        state,
                        orders,
                        reached,
                    )
                elif delivery != PYTHON:
                    slot = slot_of[lane, b]
                    if rule in (SCORED, CLUSTERED):
                        drawn[slot] = 0  # the pool is the lane's own
                    if rule != CYCLE and drawn[slot] != 1 + code:
                        _draw(orders, slot, pool, week, luck, code, keys)
                    if delivery == BROADCAST:
                        broadcast += bought
                        heard = np.float32(min(1.0, reach[arm, b] * np.float64(bought)))
                        count = _hear(heard, pool, comes_of[slot], chosen)
                    elif rule == CYCLE:
                        count = _ask_in_cycle(
                            week,
                            lane,
                            b,
                            bought * per_unit,
                            luck,
                            code,
                            delivery,
                            pool,
                            place_of,
                            group_of,
                            chances,
                            keys,
                            chosen,
                        )
                    elif rule in (NON_PARTICIPANTS, NOMINATED):
                        count = _ask_some(
                            lane,
                            bought * per_unit,
                            delivery,
                            rule,
                            slot,
                            all_whole[arm, b, LEADERS_ONLY],
                            pool,
                            row_start,
                            neighbours,
                            ties.well_mixed,
                            group_of,
                            leader_place,
                            chances,
                            flags,
                            orders,
                        )
                    else:
                        count = _ask_in_order(
                            lane, bought * per_unit, delivery, slot, pool, group_of, chances, orders
                        )
                    if all_whole[arm, b, VOICE]:
                        _listen(chosen, count, lane, residents, rules, purse, state)
                    marks = DOSED | CONTACTED if all_whole[arm, b, CONTACT] else DOSED
                    _give(chosen, count, lane, b, marks, dose, group_of, reals, flags, last, reached)
                    if all_whole[arm, b, TRAINS]:
                        _train_leaders(chosen, count, week, lane, leader_place, engaged, flags)


@phase
def meet_week(week: int, ties: Ties, rules: Rules, keys: Keys, state: State, tally: Tally) -> None:
    """Carry phase 3: organizers' contacts with the people they know (rule 7).

    Parameters
    ----------
    week : the week, negative in burn-in.
    ties, rules, keys, state : the bundles of `arrays.py`.
    tally : receives how many contacts were made, from week 0 on.
    """
    if not rules.organizers:
        return
    n_residents, n_lanes = state.roles.shape
    n_arms = n_lanes // keys.luck.size
    organizing, roles, flags, appeal = state.organizing, state.roles, state.flags, state.reals[APPEAL]
    row_start, neighbours, contacts = ties.row_start, ties.neighbours, tally.contacts
    whom = np.empty(2 * rules.organizer_contacts + 3, np.int64)
    for i in range(n_residents):
        if not organizing[i]:
            continue
        lanes = np.uint64(0)  # a bit for each lane in which i organizes
        for lane in range(n_lanes):
            lanes |= np.uint64(roles[i, lane] & ORGANIZER > 0) << np.uint64(lane)
        draw = known = 0
        while lanes:
            lane = lowest_bit(lanes)
            lanes &= lanes - np.uint64(1)
            if lane // n_arms != draw:
                draw, known = lane // n_arms, 0
            number = rules.organizer_contacts
            if roles[i, lane] & STIPEND:
                number = 2 * number
            while known < number:  # whom this luck lets i meet is the same in all arms
                words = philox(i, week, keys.luck[draw], PEER + known // 4, keys.seed, keys.community)
                for c in range(4):
                    whom[known] = _nominee(i, words[c], row_start, neighbours, ties.well_mixed, n_residents)
                    known += 1
            dose = np.float32(rules.doubles[PEER_DOSE, lane])
            for c in range(number):
                j = whom[c]
                if j < 0:
                    continue
                appeal[j, lane] = appeal[j, lane] + dose
                flags[j, lane] = np.uint8(flags[j, lane] | DOSED)
                if week >= 0:
                    contacts[week, lane] += 1
