"""Leaders and organizations decide: phase 7 of docs/odd.md, rules 9 and 11, and members' contributions.

All proposals of a week are made from the state at the start of the phase and written at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobsim.kernels.arrays import (
    COALITION_WEIGHT,
    CONTACTED,
    LEADER_COALITION,
    LEADER_ENGAGEMENT,
    LEADER_LEANING,
    LEADER_NOISE,
    LEADER_RECONSIDER,
    LEADER_SOCIAL,
    LEADER_THRESHOLD,
    NEVER_LEFT,
    ORGANIZATION_ENGAGEMENT,
    ORGANIZATION_NOISE,
    ORGANIZATION_RECONSIDER,
    ORGANIZATION_THRESHOLD,
    PARTICIPATING,
    Float32,
    Float64,
    Int8,
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
    UInt32,
)
from mobsim.kernels.compile import inlined, internal, kernel
from mobsim.kernels.elementary import logistic_64
from mobsim.kernels.keyed import TILE, Whole, philox, philox_slots, uniform
from mobsim.kernels.money import part_of
from mobsim.kernels.streams import LEADER_DECIDES, ORGANIZATION_DECIDES
from mobsim.kernels.tile import at
from mobsim.kernels.words import stance_word, teller_word

UNDECIDED = -128
"""In the proposals of agents that decide for themselves: the rule decides."""


@kernel
def decides(week: int, rules: Rules) -> bool:
    """Whether leaders and organizations decide in a week.

    Parameters
    ----------
    week : the week, negative in burn-in.
    rules : the bundle of `arrays.py`.
    """
    return week % rules.decision_interval == 0


@kernel
def measure_coalition(organizations: Organizations) -> None:
    """Bring C, the influence-weighted share of members, in line with who is a member.

    Parameters
    ----------
    organizations : the bundle of `arrays.py`.
    """
    for lane in range(organizations.coalition.size):
        total = 0.0
        inside = 0.0
        for k in range(organizations.influence.size):
            total += organizations.influence[k]
            inside += organizations.influence[k] * np.float64(organizations.member[k, lane])
        organizations.coalition[lane] = inside / total if total > 0.0 else 0.0


@internal
def chance_of(argument: float, noise: float) -> float:
    """The logit choice of leaders and organizations; sharp without noise.

    Parameters
    ----------
    argument : what speaks for it, less the threshold.
    noise : spread, 0 or more.
    """
    if noise > 0.0:
        return float(logistic_64(argument / noise))
    return 1.0 if argument >= 0.0 else 0.0


MOST_TIES_NARROW = 100_000
"""Rows with at most so many ties are added up in 32 bits."""


@internal
def _exposures(
    i: Whole, ties: Ties, state: State, lambda_f: Float32, totals: UInt32, exposures: Float32
) -> None:
    """Find the exposure of one leader in all lanes (docs/odd.md, 7.4), after phase 6."""
    n_lanes = exposures.size
    if ties.well_mixed:
        for lane in range(n_lanes):
            exposures[lane] = lambda_f[1, lane]
        return
    words = state.words[state.now[0]]
    first, last = ties.row_start[i], ties.row_start[i + 1]
    denominator = ties.denominator[ties.kind[i]]
    wide = np.uint64(n_lanes)
    if ties.weight.size == 0 and last - first <= MOST_TIES_NARROW:
        totals[:] = 0
        units = np.int64(0)
        neighbours, units_of = ties.neighbours, ties.units
        for tie in range(np.uint64(first), np.uint64(last)):
            units += np.int64(units_of[neighbours[tie]])
            source = np.uint64(neighbours[tie]) * wide
            for lane in range(n_lanes):
                totals[at(0, 0, lane)] += words[at(source, lane, 0)] >> np.uint32(20)
        for lane in range(n_lanes):
            quotient = np.float32(0.0)
            if denominator > 0.0:
                numerator = np.float64(np.int64(totals[lane]) - units)
                quotient = np.float32((numerator * ties.scale) / denominator)
            exposures[lane] = lambda_f[2, lane] * quotient + lambda_f[0, lane]
        return
    for lane in range(n_lanes):
        sum_of_pulls = np.int64(0)
        for tie in range(first, last):
            j = np.int64(ties.neighbours[tie])
            pull = np.int64(words[j * n_lanes + lane] >> np.uint32(20)) - np.int64(ties.units[j])
            sum_of_pulls += ties.weight[tie] * pull if ties.weight.size > 0 else pull
        quotient = np.float32(0.0)
        if denominator > 0.0:
            quotient = np.float32((np.float64(sum_of_pulls) * ties.scale) / denominator)
        exposures[lane] = lambda_f[2, lane] * quotient + lambda_f[0, lane]


@inlined
def _favour(
    leaning: Any,
    stance: Any,
    exposure: Any,
    is_engaged: Any,
    growth: Any,
    doubles: Any,
    lane: Any,
) -> Any:
    """What speaks to a leader for moving up: A of rule (11)."""
    favour = doubles[LEADER_LEANING, lane] * (np.float64(leaning) - np.float64(stance))
    favour = favour + doubles[LEADER_SOCIAL, lane] * np.float64(exposure)
    favour = favour + doubles[LEADER_ENGAGEMENT, lane] * np.float64(is_engaged)
    return favour + doubles[LEADER_COALITION, lane] * growth


@inlined
def _move(favour: Any, doubles: Any, lane: Any) -> Any:
    """The chance of a move that `favour` speaks for."""
    chance = chance_of(favour - doubles[LEADER_THRESHOLD, lane], doubles[LEADER_NOISE, lane])
    return doubles[LEADER_RECONSIDER, lane] * chance


@internal
def propose_stances(
    week: int,
    ties: Ties,
    rules: Rules,
    keys: Keys,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    lambda_f: Float32,
    proposals: Int8,
) -> None:
    """Find what the rule proposes for every leader; nothing is written to the state.

    A chance is worked out only where the draw leaves it open: neither can be larger than the chance of
    reconsidering.

    Parameters
    ----------
    week : the week.
    ties, rules, keys, leaders, organizations, state : the bundles of `arrays.py`, after phase 6.
    lambda_f : (3, L) the week's float32(λ·F), float32(F) and float32(1 − λ) with F after phase 6.
    proposals : (S, L) receives the stance proposed.
    """
    n_leaders, n_lanes = leaders.stance.shape
    n_draws = keys.luck.size
    n_arms = n_lanes // n_draws
    ids, leaning, stances, engaged = leaders.ids, leaders.leaning, leaders.stance, leaders.engaged
    doubles, length = rules.doubles, rules.engagement_weeks
    growth = organizations.coalition - organizations.coalition_start
    totals = np.empty(n_lanes, np.uint32)
    exposures = np.empty(n_lanes, np.float32)
    entities = np.zeros(TILE, np.uint32)
    lucks = np.zeros(TILE, np.uint32)
    drawn = np.zeros((4, TILE), np.uint32)
    for draw in range(n_draws):
        lucks[draw] = np.uint32(keys.luck[draw])
    for s in range(n_leaders):
        i = np.int64(ids[s])
        if n_draws == 1:
            w0, _, _, _ = philox(i, week, lucks[0], LEADER_DECIDES, keys.seed, keys.community)
            drawn[0, 0] = w0
        else:
            entities[:] = np.uint32(i)
            philox_slots(entities, week, lucks, LEADER_DECIDES, keys.seed, keys.community, drawn)
        known = False
        for draw in range(n_draws):
            u = np.float64(uniform(drawn[0, draw]))
            for lane in range(draw * n_arms, (draw + 1) * n_arms):
                stance = stances[s, lane]
                proposals[s, lane] = stance
                reconsiders = doubles[LEADER_RECONSIDER, lane]
                if u >= reconsiders and u < 1.0 - reconsiders:
                    continue
                if not known:
                    _exposures(i, ties, state, lambda_f, totals, exposures)
                    known = True
                favour = _favour(
                    leaning[s],
                    stance,
                    exposures[lane],
                    week - engaged[s, lane] < length,
                    growth[lane],
                    doubles,
                    lane,
                )
                if u < reconsiders and u < _move(favour, doubles, lane):
                    proposals[s, lane] = min(stance + 1, 1)
                elif u >= 1.0 - reconsiders and u >= 1.0 - _move(-favour, doubles, lane):
                    proposals[s, lane] = max(stance - 1, -1)


@kernel
def preview_leaders(
    week: int,
    ties: Ties,
    rules: Rules,
    keys: Keys,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    lambda_f: Float32,
    proposals: Int8,
    chances: Float64,
) -> None:
    """Find what the rule proposes for every leader, and with which chances, for agents that want to know.

    Parameters
    ----------
    week : the week.
    ties, rules, keys, leaders, organizations, state : the bundles of `arrays.py`, after phase 6.
    lambda_f : (3, L) the week's float32(λ·F), float32(F) and float32(1 − λ) with F after phase 6.
    proposals : (S, L) receives the stance proposed.
    chances : (S, L, 3) receives exposure, chance of moving up, chance of moving down.
    """
    n_leaders, n_lanes = leaders.stance.shape
    totals = np.empty(n_lanes, np.uint32)
    exposures = np.empty(n_lanes, np.float32)
    for s in range(n_leaders):
        _exposures(np.int64(leaders.ids[s]), ties, state, lambda_f, totals, exposures)
        for lane in range(n_lanes):
            favour = _favour(
                leaders.leaning[s],
                leaders.stance[s, lane],
                exposures[lane],
                week - leaders.engaged[s, lane] < rules.engagement_weeks,
                organizations.coalition[lane] - organizations.coalition_start[lane],
                rules.doubles,
                lane,
            )
            chances[s, lane, 0] = exposures[lane]
            chances[s, lane, 1] = _move(favour, rules.doubles, lane)
            chances[s, lane, 2] = _move(-favour, rules.doubles, lane)
    propose_stances(week, ties, rules, keys, leaders, organizations, state, lambda_f, proposals)


@kernel
def preview_organizations(
    week: int,
    rules: Rules,
    keys: Keys,
    organizations: Organizations,
    proposals: Int8,
    chances: Float64,
) -> None:
    """Find what the rule proposes for every organization; nothing is written to the state.

    Parameters
    ----------
    week : the week.
    rules, keys, organizations : the bundles of `arrays.py`.
    proposals : (K, L) receives 1 to be a member, 0 not to be.
    chances : (K, L) receives the chance of being a member after this decision.
    """
    n_organizations, n_lanes = organizations.member.shape
    n_arms = n_lanes // keys.luck.size
    for k in range(n_organizations):
        for lane in range(n_lanes):
            if k == organizations.lead:
                chances[k, lane] = 1.0
                proposals[k, lane] = 1
                continue
            engaged = 1.0 if week - organizations.engaged[k, lane] < rules.engagement_weeks else 0.0
            gain = organizations.interest[k, lane] + rules.doubles[ORGANIZATION_ENGAGEMENT, lane] * engaged
            gain = gain + rules.doubles[COALITION_WEIGHT, lane] * organizations.coalition[lane]
            gain = gain - rules.doubles[ORGANIZATION_THRESHOLD, lane]
            reconsiders = rules.doubles[ORGANIZATION_RECONSIDER, lane]
            stays = (1.0 - reconsiders) * np.float64(organizations.member[k, lane])
            chance = stays + reconsiders * chance_of(gain, rules.doubles[ORGANIZATION_NOISE, lane])
            w0, _, _, _ = philox(
                k, week, keys.luck[lane // n_arms], ORGANIZATION_DECIDES, keys.seed, keys.community
            )
            chances[k, lane] = chance
            proposals[k, lane] = 1 if np.float64(uniform(w0)) < chance else 0


@internal
def take_stances(
    ties: Ties,
    residents: Residents,
    leaders: Leaders,
    state: State,
    proposals: Int8,
    counts: Int64,
) -> None:
    """Write new stances, and what follows: who becomes opposed stops participating.

    Parameters
    ----------
    ties, residents, leaders, state : the bundles of `arrays.py`.
    proposals : (S, L) the new stances.
    counts : (L, G, 5) counts of the week, brought in line.
    """
    n_leaders, n_lanes = leaders.stance.shape
    words = state.words[state.now[0]]
    for s in range(n_leaders):
        i = np.int64(leaders.ids[s])
        group = residents.group[i]
        for lane in range(n_lanes):
            stance = proposals[s, lane]
            if stance == leaders.stance[s, lane]:
                continue
            leaders.stance[s, lane] = stance
            flags = state.flags[i, lane]
            if stance < 0 and flags & PARTICIPATING:
                counts[lane, group, 1] -= 1
                if not flags & CONTACTED:
                    counts[lane, group, 3] -= 1
                state.participating[lane] -= 1
                flags = np.uint8(flags & ~np.uint8(PARTICIPATING | NEVER_LEFT))
                state.flags[i, lane] = flags
            before = words[i * n_lanes + lane]
            tells = before & np.uint32(1)
            if stance != 0:
                word = stance_word(stance, tells, ties.units[i])
            else:
                word = teller_word(tells, (flags >> 1) & 1, ties.units[i])
            words[i * n_lanes + lane] = word
            state.aware_tellers[lane, 0] += np.int64(word & np.uint32(1)) - np.int64(before & np.uint32(1))
            state.aware_tellers[lane, 1] += np.int64((word >> np.uint32(10)) & np.uint32(1)) - np.int64(
                (before >> np.uint32(10)) & np.uint32(1)
            )


@internal
def join_coalition(organizations: Organizations, proposals: Int8) -> None:
    """Write who is in the coalition, and C.

    Parameters
    ----------
    organizations : the bundle of `arrays.py`.
    proposals : (K, L) 1 to be a member.
    """
    # Number by number: assigning one array to another compiles the message for those of unlike shape.
    for k in range(organizations.member.shape[0]):
        for lane in range(organizations.member.shape[1]):
            organizations.member[k, lane] = proposals[k, lane]
    measure_coalition(organizations)


@internal
def refill(plan: Plan, organizations: Organizations) -> None:
    """Let organizations win back a part of their resources.

    Parameters
    ----------
    plan, organizations : the bundles of `arrays.py`.
    """
    for k in range(organizations.influence.size):
        most = organizations.start_resources[k]
        gain = part_of(most, plan.refill)
        for lane in range(organizations.coalition.size):
            organizations.resources[k, lane] = min(most, organizations.resources[k, lane] + gain)


@internal
def contribute(plan: Plan, purse: Purse, organizations: Organizations, income: Int64) -> None:
    """Let coalition members give to the pot, in arms with a budget.

    Parameters
    ----------
    plan, purse, organizations : the bundles of `arrays.py`.
    income : (L,) local money that came in this week, in cents.
    """
    n_arms = plan.n_activities.size
    for lane in range(purse.pot.size):
        if not plan.has_budget[lane % n_arms]:
            continue
        for k in range(organizations.influence.size):
            if organizations.member[k, lane]:
                gift = part_of(organizations.resources[k, lane], plan.contribution)
                organizations.resources[k, lane] -= gift
                purse.pot[lane] += gift
                income[lane] += gift


@internal
def _anybody(chances: Float64) -> bool:
    """Whether a chance is above 0 in some lane."""
    found = False
    for lane in range(chances.size):
        found = found or chances[lane] > 0.0
    return found


@internal
def deliberate(
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
    lambda_f: Float32,
    forced_stance: Int8,
    forced_member: Int8,
    counts: Int64,
    tally: Tally,
) -> None:
    """Carry phase 7 of one week for all lanes.

    Parameters
    ----------
    week : the week, negative in burn-in.
    ties, residents, rules, keys, plan, purse, leaders, organizations, state : the bundles of `arrays.py`.
    lambda_f : (3, L) the week's visibility terms, with F after phase 6.
    forced_stance, forced_member : (S, L), (K, L) or (0, 0): proposals of agents that decide for themselves;
        UNDECIDED leaves it to the rule.
    counts : (L, G, 5) counts of the week, brought in line.
    tally : receives the local money that came in this week.
    """
    if week >= 0:
        refill(plan, organizations)
    if not decides(week, rules):
        return
    n_leaders, n_lanes = leaders.stance.shape
    n_organizations = organizations.influence.size
    stances = leaders.stance.copy()
    members = organizations.member.copy()
    if _anybody(rules.doubles[LEADER_RECONSIDER]) and n_leaders > 0:
        propose_stances(week, ties, rules, keys, leaders, organizations, state, lambda_f, stances)
    if _anybody(rules.doubles[ORGANIZATION_RECONSIDER]) and n_organizations > 0:
        joining = np.empty((n_organizations, n_lanes), np.float64)
        preview_organizations(week, rules, keys, organizations, members, joining)
    if forced_stance.size > 0:
        for s in range(n_leaders):
            for lane in range(n_lanes):
                if forced_stance[s, lane] != UNDECIDED:
                    stances[s, lane] = forced_stance[s, lane]
    if forced_member.size > 0:
        for k in range(n_organizations):
            for lane in range(n_lanes):
                if forced_member[k, lane] != UNDECIDED and k != organizations.lead:
                    members[k, lane] = forced_member[k, lane]
    take_stances(ties, residents, leaders, state, stances, counts)
    join_coalition(organizations, members)
    if week >= plan.funding_starts:
        contribute(plan, purse, organizations, tally.income[week])


@internal
def count_stances(leaders: Leaders, stances: Int64) -> None:
    """Count supportive and opposed leaders.

    Parameters
    ----------
    leaders : the bundle of `arrays.py`.
    stances : (L, 2) receives supportive, opposed.
    """
    n_leaders, n_lanes = leaders.stance.shape
    supportive = np.zeros(n_lanes, np.int32)
    opposed = np.zeros(n_lanes, np.int32)
    for s in range(n_leaders):
        for lane in range(n_lanes):
            supportive[lane] += np.int32(leaders.stance[s, lane] > 0)
            opposed[lane] += np.int32(leaders.stance[s, lane] < 0)
    for lane in range(n_lanes):
        stances[lane, 0] = supportive[lane]
        stances[lane, 1] = opposed[lane]
