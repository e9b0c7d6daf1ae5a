"""What the campaign does in a week: phases 1 and 2 of docs/odd.md, money, targets and doses.

Residents are targeted in ascending order of a keyed draw. All arms of a draw group share these draws, so
the order is found once for each activity (`Orders`) and only as far as somebody walks along it.
"""

from __future__ import annotations

from typing import NamedTuple

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
    i: int, lane: int, arm: int, activity: int, group: int, plan: Plan, state: State, reached: Int64
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
    n_residents, n_lanes = state.flags.shape
    n_arms = n_lanes // keys.luck.size
    named = np.empty(0, np.uint8)
    efforts[:] = 0
    if week < plan.funding_starts or week >= plan.funding_ends:
        return
    for draw_group in range(keys.luck.size):
        luck = keys.luck[draw_group]
        orders.drawn[:] = 0
        orders.length[:] = 0
        for arm in range(n_arms):
            lane = draw_group * n_arms + arm
            n_activities = plan.n_activities[arm]
            if n_activities == 0:
                continue
            inflow = purse.left[lane] // (plan.funding_ends - week)
            purse.left[lane] -= inflow
            for b in range(n_activities):
                purse.purse[lane, b] += (
                    inflow * plan.shares[arm, b + 1] // 1_000_000 - inflow * plan.shares[arm, b] // 1_000_000
                )
            broadcast = 0
            snapshot = state.flags[:, lane]
            for b in range(n_activities):
                if not plan.running[week, arm, b]:
                    continue
                whole = plan.whole[arm, b]
                affordable = purse.purse[lane, b] // whole[COST_CENTS]
                if affordable == 0:
                    continue
                delivery = whole[DELIVERY]
                rule = whole[RULE]
                code = whole[CODE]
                pool_number = whole[POOL_NUMBER]
                pool = plan.pool_ids[plan.pool_start[pool_number] : plan.pool_start[pool_number + 1]]
                own_slot = plan.own_slot[arm, b]
                if rule == CYCLE:
                    if purse.place[lane, b] >= pool.size:
                        purse.cycle[lane, b] += 1
                        purse.place[lane, b] = 0
                    if purse.place[lane, b] == 0:
                        _cycle_order(
                            pool,
                            purse.cycle[lane, b],
                            luck,
                            code,
                            keys,
                            orders.sorting,
                            purse.own[lane, own_slot],
                        )
                elif rule == DEGREE:
                    size = plan.fraction_size[arm, b]
                    refresh = (week - plan.funding_starts) // whole[REFRESH] if whole[REFRESH] else 0
                    if pool.size > 0 and purse.cycle[lane, b] != refresh:
                        _degree_pool(
                            pool,
                            size,
                            refresh,
                            luck,
                            code,
                            ties,
                            keys,
                            orders.sorting,
                            purse.own[lane, own_slot],
                        )
                        purse.cycle[lane, b] = refresh
                    pool = purse.own[lane, own_slot, :size]

                candidates = pool.size
                if rule == CYCLE:
                    candidates = pool.size - purse.place[lane, b]
                elif rule == NON_PARTICIPANTS:
                    candidates = 0
                    for position in range(pool.size):
                        candidates += 1 - ((snapshot[pool[position]] >> 1) & 1)
                if delivery == LOBBY:
                    cap = affordable if state.wins[lane] < np.int64(rules.doubles[MAX_WINS, lane]) else 0
                elif delivery == BROADCAST:
                    cap = whole[MAX_UNITS] - broadcast
                elif delivery == SEATS:
                    cap = (candidates + whole[PER_UNIT] - 1) // whole[PER_UNIT]
                else:
                    cap = candidates // whole[PER_UNIT]
                bought = min(affordable, max(cap, 0))
                if bought == 0:
                    continue
                purse.purse[lane, b] -= bought * whole[COST_CENTS]
                units[lane, b] = bought
                cents[lane, b] = bought * whole[COST_CENTS]
                if delivery == LOBBY:
                    efforts[lane] += bought
                    continue

                slot = whole[ORDER_SLOT]
                if delivery == BROADCAST:
                    broadcast += bought
                    heard = np.float32(min(1.0, plan.reach[arm, b] * np.float64(bought)))
                    _draw(orders, slot, pool, week, luck, code, keys)
                    for position in range(pool.size):
                        i = pool[position]
                        if uniform(orders.comes[slot, i]) < heard:
                            _give(i, lane, arm, b, residents.group[i], plan, state, reached)
                    continue

                wanted = bought * whole[PER_UNIT]
                filled = 0
                if rule == CYCLE:
                    place = purse.place[lane, b]
                    while filled < wanted and place < pool.size:
                        i = purse.own[lane, own_slot, place]
                        place += 1
                        group = residents.group[i]
                        _, w1, _, _ = philox(i, week, luck, TARGET + code, keys.seed, keys.community)
                        chance = np.float32(rules.by_group[REACHED, group, lane])
                        comes = delivery == ALL_COME or uniform(w1) < chance
                        if comes:
                            _give(i, lane, arm, b, group, plan, state, reached)
                        if comes or delivery != SEATS:
                            filled += 1
                    purse.place[lane, b] = place
                    continue

                nominating = rule == NOMINATED
                if nominating:
                    named = np.zeros(n_residents, np.uint8)
                if rule == DEGREE:
                    orders.drawn[slot] = 0
                _draw(orders, slot, pool, week, luck, code, keys)
                place = 0
                while filled < wanted and place < pool.size:
                    if place >= orders.length[slot]:
                        _extend(
                            orders, slot, pool, max(place + 1, min(2 * (wanted - filled) + place, pool.size))
                        )
                    i = np.int64(orders.order[slot, place])
                    place += 1
                    if rule == NON_PARTICIPANTS and (snapshot[i] >> 1) & 1:
                        continue
                    comes_word = orders.comes[slot, i]
                    if nominating:
                        _, _, w2, _ = philox(i, week, luck, TARGET + code, keys.seed, keys.community)
                        i = _nominee(i, w2, ties, n_residents)
                        if i < 0 or named[i] or (whole[LEADERS_ONLY] and not residents.is_leader[i]):
                            continue
                        named[i] = 1
                        comes_word = orders.comes[slot, i]
                    group = residents.group[i]
                    comes = delivery == ALL_COME or uniform(comes_word) < np.float32(
                        rules.by_group[REACHED, group, lane]
                    )
                    if comes:
                        _give(i, lane, arm, b, group, plan, state, reached)
                    if comes or delivery != SEATS:
                        filled += 1
