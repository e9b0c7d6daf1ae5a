"""What the campaign does in a week: phases 1 and 2 of docs/odd.md, money, targets and doses.

Residents are targeted in ascending order of a keyed draw. All arms of a draw group share these draws, so
the order is found once for each activity (`Orders`) and only as far as somebody walks along it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    CAPABILITY,
    CONTACTED,
    DOSED,
    MAX_WINS,
    OWNERSHIP,
    REACHED,
    TRAINED,
    TRUST,
    Int32,
    Int64,
    Keys,
    Plan,
    Purse,
    Residents,
    Rules,
    State,
    Ties,
    UInt32,
    UInt64,
)
from mobsim.kernels.compile import kernel
from mobsim.kernels.keyed import Whole, below, philox, uniform
from mobsim.kernels.streams import POOL, TARGET

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
N_WHOLE = 12

# Kinds of delivery
ATTEMPTS = 0
SEATS = 1
ALL_COME = 2
BROADCAST = 3
LOBBY = 4

# Rules of targeting, as far as the kernel must tell them apart
IN_ORDER = 0
NON_PARTICIPANTS = 1
NOMINATED = 2
CYCLE = 3
DEGREE = 4

# Columns of Plan.dose (A, B, G, 5)
DOSE_APPEAL = 0
DOSE_CAPABILITY = 1
DOSE_OWNERSHIP = 2
DOSE_TRUST = 3
DOSE_TRUST_LOSS = 4

_ONE = np.float32(1.0)
MILLION = 1_000_000
UNLIMITED = 2**62


class Orders(NamedTuple):
    """The order of targets this week, by draw slot: how much of it is known, who, and their words.

    length (slots,); drawn (slots,): 1 where the words of this week are there; order (slots, N) ids; keys
    (slots, N) order words of pool members; comes (slots, N) word 1 by resident; sorting (N,) scratch.
    """

    length: Int64
    drawn: Int64
    order: Int32
    keys: UInt32
    comes: UInt32
    sorting: UInt64


@kernel
def _sort_prefix(sorting: UInt64, count: int) -> None:
    """Sort the first `count` (order word, id) pairs, packed into one number each."""
    part = sorting[:count]
    part.sort()


@kernel
def _extend(orders: Orders, slot: int, pool: Int32, wanted: int) -> None:
    """Make at least `wanted` places of the order known (all of them if the pool is smaller)."""
    n = pool.size
    wanted = min(wanted, n)
    while orders.length[slot] < wanted:
        margin = wanted + 4.0 * np.sqrt(np.float64(wanted)) + 8.0
        bound = np.uint64(4294967296) if margin >= n else np.uint64(margin / n * 4294967296.0)
        count = 0
        for position in range(n):
            key = np.uint64(orders.keys[slot, position])
            if key < bound:
                orders.sorting[count] = (key << np.uint64(32)) | np.uint64(pool[position])
                count += 1
        _sort_prefix(orders.sorting, count)
        for position in range(count):
            orders.order[slot, position] = np.int32(orders.sorting[position] & np.uint64(0xFFFFFFFF))
        orders.length[slot] = count
        wanted = wanted if count >= wanted else min(n, 2 * wanted)


@kernel
def _draw(orders: Orders, slot: int, pool: Int32, week: int, luck: int, code: int, keys: Keys) -> None:
    """Draw the words of everybody in the pool for this activity and week."""
    if orders.drawn[slot]:
        return
    for position in range(pool.size):
        i = pool[position]
        w0, w1, _, _ = philox(i, week, luck, TARGET + code, keys.seed, keys.community)
        orders.keys[slot, position] = w0
        orders.comes[slot, i] = w1
    orders.drawn[slot] = 1
    orders.length[slot] = 0


@kernel
def _give(
    i: Whole, lane: int, arm: int, activity: int, group: Whole, plan: Plan, state: State, reached: Int64
) -> None:
    """Give the doses of one activity to one resident (rule 5)."""
    dose = plan.dose[arm, activity, group]
    reals = state.reals
    reals[APPEAL, i, lane] = reals[APPEAL, i, lane] + dose[DOSE_APPEAL]
    s = reals[CAPABILITY, i, lane]
    reals[CAPABILITY, i, lane] = s + dose[DOSE_CAPABILITY] * (_ONE - s)
    o = reals[OWNERSHIP, i, lane]
    reals[OWNERSHIP, i, lane] = o + dose[DOSE_OWNERSHIP] * (_ONE - o)
    t = reals[TRUST, i, lane]
    reals[TRUST, i, lane] = (t + dose[DOSE_TRUST] * (_ONE - t)) - dose[DOSE_TRUST_LOSS] * t
    whole = plan.whole[arm, activity]
    marks = DOSED
    if whole[CONTACT]:
        marks |= CONTACTED
    if whole[TRAINS]:
        marks |= TRAINED
    state.flags[i, lane] = np.uint8(state.flags[i, lane] | marks)
    reached[lane, activity, group] += 1


@kernel
def _cycle_order(
    pool: Int32,
    cycle: int,
    luck: int,
    code: int,
    keys: Keys,
    sorting: UInt64,
    out: Int32,
) -> None:
    """Put the pool into the random order of one cycle."""
    for position in range(pool.size):
        w0, _, _, _ = philox(pool[position], cycle, luck, POOL + code, keys.seed, keys.community)
        sorting[position] = (np.uint64(w0) << np.uint64(32)) | np.uint64(pool[position])
    _sort_prefix(sorting, pool.size)
    for position in range(pool.size):
        out[position] = np.int32(sorting[position] & np.uint64(0xFFFFFFFF))


@kernel
def _degree_pool(
    pool: Int32,
    size: int,
    refresh: int,
    luck: int,
    code: int,
    ties: Ties,
    keys: Keys,
    sorting: UInt64,
    out: Int32,
) -> None:
    """Find the `size` members of the pool with most ties; equal ones by keyed draw, then id."""
    n = pool.size
    degrees = np.empty(n, np.int64)
    for position in range(n):
        i = pool[position]
        degrees[position] = 0 if ties.well_mixed else ties.row_start[i + 1] - ties.row_start[i]
    cut = np.sort(degrees)[n - size]
    taken = 0
    equal = 0
    for position in range(n):
        if degrees[position] > cut:
            out[taken] = pool[position]
            taken += 1
        elif degrees[position] == cut:
            w0, _, _, _ = philox(pool[position], refresh, luck, POOL + code, keys.seed, keys.community)
            sorting[equal] = (np.uint64(w0) << np.uint64(32)) | np.uint64(pool[position])
            equal += 1
    _sort_prefix(sorting, equal)
    for position in range(size - taken):
        out[taken + position] = np.int32(sorting[position] & np.uint64(0xFFFFFFFF))
    out[:size].sort()


@kernel
def _nominee(i: Whole, word: Whole, ties: Ties, n_residents: int) -> Whole:
    """Whom resident i names, or -1."""
    if ties.well_mixed:
        if n_residents < 2:
            return -1
        j = below(word, n_residents - 1)
        return j + 1 if j >= i else j
    degree = ties.row_start[i + 1] - ties.row_start[i]
    if degree == 0:
        return -1
    return np.int64(ties.neighbours[ties.row_start[i] + below(word, degree)])


@kernel
def _fill_purses(week: int, lane: int, arm: int, plan: Plan, purse: Purse) -> None:
    """Move the week's part of what is left into the purses of the activities, by their shares."""
    inflow = purse.left[lane] // (plan.funding_ends - week)
    purse.left[lane] -= inflow
    for b in range(plan.n_activities[arm]):
        until, before = plan.shares[arm, b + 1], plan.shares[arm, b]
        purse.purse[lane, b] += inflow * until // MILLION - inflow * before // MILLION


@kernel
def _find_pool(
    week: int,
    lane: int,
    arm: int,
    b: int,
    luck: int,
    ties: Ties,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    orders: Orders,
) -> Any:
    """Whom an activity may choose from; orders that a lane keeps for itself are brought up to date."""
    whole = plan.whole[arm, b]
    number = whole[POOL_NUMBER]
    pool = plan.pool_ids[plan.pool_start[number] : plan.pool_start[number + 1]]
    if whole[RULE] == CYCLE:
        own = purse.own[lane, plan.own_slot[arm, b]]
        if purse.place[lane, b] >= pool.size:
            purse.cycle[lane, b] += 1
            purse.place[lane, b] = 0
        if purse.place[lane, b] == 0:
            _cycle_order(pool, purse.cycle[lane, b], luck, whole[CODE], keys, orders.sorting, own)
        return own[: pool.size]
    if whole[RULE] == DEGREE:
        own = purse.own[lane, plan.own_slot[arm, b]]
        size = plan.fraction_size[arm, b]
        refresh = (week - plan.funding_starts) // whole[REFRESH] if whole[REFRESH] else 0
        if pool.size > 0 and purse.cycle[lane, b] != refresh:
            _degree_pool(pool, size, refresh, luck, whole[CODE], ties, keys, orders.sorting, own)
            purse.cycle[lane, b] = refresh
        return own[:size]
    return pool


@kernel
def _most_units(
    lane: int,
    arm: int,
    b: int,
    pool: Int32,
    broadcast: int,
    rules: Rules,
    plan: Plan,
    purse: Purse,
    state: State,
) -> Any:
    """How many units can be used this week: capped by candidates, by the week's media, by standing wins."""
    whole = plan.whole[arm, b]
    if whole[DELIVERY] == LOBBY:
        return UNLIMITED if state.wins[lane] < np.int64(rules.doubles[MAX_WINS, lane]) else 0
    if whole[DELIVERY] == BROADCAST:
        return max(whole[MAX_UNITS] - broadcast, 0)
    candidates = pool.size
    if whole[RULE] == CYCLE:
        candidates = pool.size - purse.place[lane, b]
    elif whole[RULE] == NON_PARTICIPANTS:
        candidates = 0
        for position in range(pool.size):
            candidates += 1 - ((state.flags[pool[position], lane] >> 1) & 1)
    if whole[DELIVERY] == SEATS:
        return (candidates + whole[PER_UNIT] - 1) // whole[PER_UNIT]
    return candidates // whole[PER_UNIT]


@kernel
def _comes(word: Whole, delivery: int, group: int, lane: int, rules: Rules) -> Any:
    """Whether a target is reached or comes."""
    chance = np.float32(rules.by_group[REACHED, group, lane])
    return delivery == ALL_COME or uniform(word) < chance


@kernel
def _broadcast(
    week: int,
    lane: int,
    arm: int,
    b: int,
    units: int,
    luck: int,
    pool: Int32,
    residents: Residents,
    keys: Keys,
    plan: Plan,
    state: State,
    orders: Orders,
    reached: Int64,
) -> None:
    """Let everybody in the pool hear with `reach` a unit."""
    whole = plan.whole[arm, b]
    slot = whole[ORDER_SLOT]
    heard = np.float32(min(1.0, plan.reach[arm, b] * np.float64(units)))
    _draw(orders, slot, pool, week, luck, whole[CODE], keys)
    for position in range(pool.size):
        i = pool[position]
        if uniform(orders.comes[slot, i]) < heard:
            _give(i, lane, arm, b, residents.group[i], plan, state, reached)


@kernel
def _walk_cycle(
    week: int,
    lane: int,
    arm: int,
    b: int,
    wanted: int,
    luck: int,
    pool: Int32,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    state: State,
    reached: Int64,
) -> None:
    """Ask the next residents of a cycle until `wanted` places are filled or the cycle ends."""
    whole = plan.whole[arm, b]
    filled = 0
    while filled < wanted and purse.place[lane, b] < pool.size:
        i = pool[purse.place[lane, b]]
        purse.place[lane, b] += 1
        group = residents.group[i]
        _, word, _, _ = philox(i, week, luck, TARGET + whole[CODE], keys.seed, keys.community)
        comes = _comes(word, whole[DELIVERY], group, lane, rules)
        if comes:
            _give(i, lane, arm, b, group, plan, state, reached)
        if comes or whole[DELIVERY] != SEATS:
            filled += 1


@kernel
def _walk_order(
    week: int,
    lane: int,
    arm: int,
    b: int,
    wanted: int,
    luck: int,
    pool: Int32,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    state: State,
    orders: Orders,
    reached: Int64,
) -> None:
    """Ask residents in the order of this week's draws until `wanted` places are filled or nobody is left."""
    whole = plan.whole[arm, b]
    delivery, rule, slot = whole[DELIVERY], whole[RULE], whole[ORDER_SLOT]
    n_residents = state.flags.shape[0]
    named = np.zeros(n_residents if rule == NOMINATED else 0, np.uint8)
    if rule == DEGREE:
        orders.drawn[slot] = 0  # the pool is the lane's own
    _draw(orders, slot, pool, week, luck, whole[CODE], keys)
    filled = 0
    place = 0
    while filled < wanted and place < pool.size:
        if place >= orders.length[slot]:
            _extend(orders, slot, pool, max(place + 1, min(2 * (wanted - filled) + place, pool.size)))
        i = np.int64(orders.order[slot, place])
        place += 1
        if rule == NON_PARTICIPANTS and (state.flags[i, lane] >> 1) & 1:
            continue
        if rule == NOMINATED:
            _, _, word, _ = philox(i, week, luck, TARGET + whole[CODE], keys.seed, keys.community)
            i = np.int64(_nominee(i, word, ties, n_residents))
            if i < 0 or named[i] or (whole[LEADERS_ONLY] and not residents.is_leader[i]):
                continue
            named[i] = 1
        group = residents.group[i]
        comes = _comes(orders.comes[slot, i], delivery, group, lane, rules)
        if comes:
            _give(i, lane, arm, b, group, plan, state, reached)
        if comes or delivery != SEATS:
            filled += 1


@kernel
def deliver_week(
    week: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    state: State,
    orders: Orders,
    units: Int64,
    cents: Int64,
    reached: Int64,
    efforts: Int64,
) -> None:
    """Add money, buy, choose targets and give doses in one funded week, for all lanes.

    Parameters
    ----------
    week : the week.
    ties, residents, rules, keys, plan, purse, state : the bundles of `arrays.py`.
    orders : scratch for the orders of targets.
    units, cents : (L, B) receive what is bought this week.
    reached : (L, B, G) receives how many were reached, came or heard.
    efforts : (L,) receives the lobby efforts of the week.
    """
    n_arms = state.flags.shape[1] // keys.luck.size
    efforts[:] = 0
    if week < plan.funding_starts or week >= plan.funding_ends:
        return
    for draw_group in range(keys.luck.size):
        luck = keys.luck[draw_group]
        orders.drawn[:] = 0
        orders.length[:] = 0
        for arm in range(n_arms):
            lane = draw_group * n_arms + arm
            if plan.n_activities[arm] == 0:
                continue
            _fill_purses(week, lane, arm, plan, purse)
            broadcast = 0
            for b in range(plan.n_activities[arm]):
                whole = plan.whole[arm, b]
                affordable = purse.purse[lane, b] // whole[COST_CENTS]
                if affordable == 0 or not plan.running[week, arm, b]:
                    continue
                pool = _find_pool(week, lane, arm, b, luck, ties, keys, plan, purse, orders)
                most = _most_units(lane, arm, b, pool, broadcast, rules, plan, purse, state)
                bought = min(affordable, most)
                if bought == 0:
                    continue
                purse.purse[lane, b] -= bought * whole[COST_CENTS]
                units[lane, b] = bought
                cents[lane, b] = bought * whole[COST_CENTS]
                wanted = bought * whole[PER_UNIT]
                if whole[DELIVERY] == LOBBY:
                    efforts[lane] += bought
                elif whole[DELIVERY] == BROADCAST:
                    broadcast += bought
                    _broadcast(
                        week, lane, arm, b, bought, luck, pool, residents, keys, plan, state, orders, reached
                    )
                elif whole[RULE] == CYCLE:
                    _walk_cycle(
                        week,
                        lane,
                        arm,
                        b,
                        wanted,
                        luck,
                        pool,
                        residents,
                        rules,
                        keys,
                        plan,
                        purse,
                        state,
                        reached,
                    )
                else:
                    _walk_order(
                        week,
                        lane,
                        arm,
                        b,
                        wanted,
                        luck,
                        pool,
                        ties,
                        residents,
                        rules,
                        keys,
                        plan,
                        state,
                        orders,
                        reached,
                    )
