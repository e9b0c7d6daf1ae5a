"""What each arm does, as arrays: activities, prices, doses, candidates and when they may run."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from mobsim.campaign.activity import EQUITY, ArmSpec, buys_surveys, line_names
from mobsim.campaign.budget import (
    budget_cents,
    cumulative_fractions,
    local_fractions,
    map_cents,
    millionths,
    normalized_shares,
    public_cents,
    unit_cents,
)
from mobsim.campaign.own import OwnActivity, own_activity, own_targeting_rule
from mobsim.campaign.targeting import TargetSpec
from mobsim.community.cascade import ONE_AFTER_ANOTHER
from mobsim.community.community import Community
from mobsim.community.exact import as_written
from mobsim.community.scores import RANKED, network_scores
from mobsim.errors import ScenarioError
from mobsim.kernels import arrays as a
from mobsim.kernels import delivery as d
from mobsim.scenario.known import needs_map
from mobsim.scenario.scenario import NONE, Scenario

NO_CAMPAIGN = ArmSpec(description="no campaign", activities=())
DELIVERIES = {
    "attempts": d.ATTEMPTS,
    "seats": d.SEATS,
    "all_come": d.ALL_COME,
    "broadcast": d.BROADCAST,
    "lobby": d.LOBBY,
    "coalition": d.COALITION,
    "organization": d.ORGANIZATION,
    "demonstration": d.DEMONSTRATION,
    "stipend": d.STIPENDS,
    "python": d.PYTHON,
}
RULES = {
    "random": d.IN_ORDER,
    "leaders": d.IN_ORDER,
    "affected": d.IN_ORDER,
    "non_participants": d.NON_PARTICIPANTS,
    "nominated": d.NOMINATED,
    "cycle": d.CYCLE,
    "clustered": d.CLUSTERED,
}
"""How the kernel tells the rules apart; all others rank residents by a score."""
STEERED_RULES = ("random", "non_participants")
"""Rules of lines that the policy equity may turn to one group."""
STEERED_DELIVERIES = ("attempts", "seats", "all_come")
"""Deliveries that the policy equity may turn to one group: those that go from one resident to the next."""
GIVEN_IN_ORDER = (*STEERED_DELIVERIES, "broadcast")
"""Deliveries that draw the residents of their pools every week."""


@dataclass(frozen=True)
class ArmPlans:
    """The compiled plan of all arms with what Python needs beside it.

    kernel : arrays for the kernels.
    budgets, maps : (A,) cents. map_line : (A,) the activity that pays for the map, or -1.
    names : for each arm, the labels of its lines; the last is `survey` if it buys surveys.
    shares, local_shares : (A, B + 1) cumulated shares at the start, in millionths.
    group_pools : (arm, line) -> (pool, slot) for each group, for lines that may be turned to one.
    own : (arm, line) -> the object that delivers a line written in Python.
    own_sizes : sizes of the orders that lanes keep for themselves.
    n_order_slots, order_size : how many orders of targets a week can need, and their longest.
    remembers : whether somebody will ask which activity came last.
    """

    kernel: a.Plan
    budgets: a.Int64
    maps: a.Int64
    map_line: a.Int64
    names: tuple[tuple[str, ...], ...]
    shares: a.Int64
    local_shares: a.Int64
    group_pools: dict[tuple[int, int], tuple[tuple[int, int], ...]]
    own: dict[tuple[int, int], OwnActivity]
    own_sizes: tuple[int, ...]
    n_order_slots: int
    order_size: int
    remembers: bool


class _Pools:
    """Distinct lists of candidates, each stored once."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.lists: list[a.Int32] = []
        self.numbers: dict[tuple[bool, tuple[int, ...]], int] = {}

    def number(self, target: TargetSpec, leaders_only: bool, only_group: int | None = None) -> int:
        """Return the number of the list of residents that a target's fixed restrictions leave."""
        c = self.community
        groups: tuple[int, ...]
        if only_group is not None:
            groups = (only_group,)
        elif target.group is not None:
            groups = (c.group_names.index(target.group),)
        elif target.rule == "affected":
            groups = tuple(int(g) for g in np.flatnonzero(c.marginalized))
        else:
            groups = tuple(range(len(c.group_names)))
        only_leaders = leaders_only or target.rule == "leaders"
        if target.rule == "nominated":
            groups, only_leaders = tuple(range(len(c.group_names))), False
        key = (only_leaders, groups)
        if key not in self.numbers:
            members = np.isin(c.group, groups)
            if only_leaders:
                members &= c.is_leader
            self.numbers[key] = len(self.lists)
            self.lists.append(np.flatnonzero(members).astype(np.int32))
        return self.numbers[key]

    def size(self, number: int) -> int:
        """Return how many residents a list holds."""
        return int(self.lists[number].size)


class _Scores:
    """Distinct rankings of residents, each worked out once."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.rows: list[a.Int64] = []
        self.numbers: dict[Hashable, int] = {}

    def number(self, target: TargetSpec, pool: a.Int32, wanted: int) -> int:
        """Return the number of the ranking by which a rule puts some of a list of residents first."""
        key: Hashable = target.ranking()
        if target.rule in ONE_AFTER_ANOTHER:
            key = (key, pool.tobytes(), wanted)
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append(self._ranked(target, pool, wanted))
        return self.numbers[key]

    def _ranked(self, target: TargetSpec, pool: a.Int32, wanted: int) -> a.Int64:
        if target.rule in RANKED:
            return network_scores(self.community, target.rule, target.centrality)
        if target.rule in ONE_AFTER_ANOTHER:
            from mobsim.community.seeding import choice_scores  # few scenarios need it, and its kernels

            may = np.zeros(self.community.n_residents, np.bool_)
            may[pool] = True
            return choice_scores(self.community, target.rule, target, may, wanted)
        own = own_targeting_rule(target.rule)
        if own is None:
            return network_scores(self.community, target.rule)  # says which rules there are
        return own.scores(self.community)

    def array(self) -> a.Int64:
        """Return the rankings, (rankings, N)."""
        if not self.rows:
            return np.zeros((1, 0), np.int64)
        return np.ascontiguousarray(np.stack(self.rows).astype(np.int64))


class _Slots:
    """Distinct orders of targets: lines of the same code and candidates share one.

    One arm alone takes its lines one after the other: one slot is enough for all of them.
    """

    def __init__(self, pools: _Pools, *, alone: bool) -> None:
        self.pools = pools
        self.alone = alone
        self.numbers: dict[tuple[int, int, bool] | None, int] = {}
        self.size = 0

    def number(self, code: int, pool: int, own_pool: bool) -> int:
        """Return the number of the order of a line's candidates."""
        self.size = max(self.size, self.pools.size(pool))
        key = None if self.alone else (code, pool, own_pool)
        return self.numbers.setdefault(key, len(self.numbers))


def build_plans(worlds: Sequence[Scenario], community: Community, arms: Sequence[str]) -> ArmPlans:
    """Compile arms for one community.

    Parameters
    ----------
    worlds : the resolved scenario that each arm is taken from; they agree in all that a block has once.
    community : the built community.
    arms : names of the arms, in the order of lanes.
    """
    campaign = worlds[0].campaign
    n = community.n_residents
    n_arms = len(arms)
    specs = [
        NO_CAMPAIGN if name == NONE else world.arms[name] for world, name in zip(worlds, arms, strict=True)
    ]
    most = max(1, max((len(line_names(spec)) for spec in specs), default=1))
    n_activities = np.zeros(n_arms, np.int64)
    whole = np.zeros((n_arms, most, d.N_WHOLE), np.int64)
    whole[:, :, d.COST_CENTS] = 1
    shares, local_shares = np.zeros((n_arms, most + 1), np.int64), np.zeros((n_arms, most + 1), np.int64)
    reach = np.zeros((n_arms, most))
    effect = np.zeros((n_arms, most, a.N_EFFECTS))
    deliverer = np.full((n_arms, most), -1, np.int64)
    running = np.zeros((campaign.horizon_weeks, n_arms, most), np.uint8)
    own_slot = np.full((n_arms, most), -1, np.int64)
    fraction_size = np.zeros((n_arms, most), np.int64)
    budgets, maps = np.zeros(n_arms, np.int64), np.zeros(n_arms, np.int64)
    map_line = np.full(n_arms, -1, np.int64)
    public = np.zeros((n_arms, worlds[0].behaviour.max_wins + 1), np.int64)
    pools, scores = _Pools(community), _Scores(community)
    order_slots = _Slots(pools, alone=n_arms == 1)
    group_pools: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
    own: dict[tuple[int, int], OwnActivity] = {}
    own_sizes: list[int] = []
    deliverers: list[list[int]] = []
    steps_by_week = [set(campaign.calendar.running(week)) for week in range(campaign.horizon_weeks)]
    weeks_of: dict[tuple[str, ...], list[bool]] = {}

    for arm, (world, arm_name, spec) in enumerate(zip(worlds, arms, specs, strict=True)):
        n_activities[arm] = len(spec.activities)
        budgets[arm] = (
            budget_cents(world.campaign.budget_per_resident, spec.budget_share, n) if spec.activities else 0
        )
        public[arm] = public_cents(
            world.campaign.public_money,
            world.behaviour.max_wins,
            int(budgets[arm]),
            campaign.funding_starts_week,
            campaign.funding_ends_week,
        )
        fractions = normalized_shares([use.share for use in spec.activities])
        is_lobby = [world.activities[use.kind].delivery == "lobby" for use in spec.activities]
        shares[arm, : len(fractions) + 1] = cumulative_fractions(fractions)
        local_shares[arm, : len(fractions) + 1] = cumulative_fractions(local_fractions(fractions, is_lobby))
        seen: dict[str, int] = {}
        arm_own = 0
        for b, use in enumerate(spec.activities):
            activity = world.activities[use.kind]
            target = use.target if use.target is not None else activity.target
            occurrence = seen.get(use.kind, 0)
            seen[use.kind] = occurrence + 1
            code = activity.number + 64 * occurrence
            pool = pools.number(target, activity.leaders_only)
            rule = RULES.get(target.rule, d.SCORED)
            own_pool = rule in (d.SCORED, d.CLUSTERED)
            if activity.delivery == "coalition" and target.rule == "leaders":
                rule = d.ONLY_LEADERS
            ordered = activity.delivery in GIVEN_IN_ORDER and rule != d.CYCLE
            slot = order_slots.number(code, pool, own_pool) if ordered else -1
            if (
                spec.policy == EQUITY
                and target.group is None
                and target.rule in STEERED_RULES
                and activity.delivery in STEERED_DELIVERIES
            ):
                by_group = [
                    pools.number(target, activity.leaders_only, g) for g in range(len(community.group_names))
                ]
                group_pools[arm, b] = tuple((p, order_slots.number(code, p, False)) for p in by_group)
            cost = use.cost if use.cost is not None else activity.cost
            row = whole[arm, b]
            row[d.DELIVERY] = DELIVERIES[activity.delivery]
            row[d.RULE] = rule
            row[d.COST_CENTS] = unit_cents(cost, activity.cost_scales and not use.absolute, n)
            row[d.PER_UNIT] = activity.per_unit
            row[d.CODE] = code
            row[d.CONTACT] = activity.contact
            row[d.TRAINS] = activity.trains_leaders
            row[d.MAX_UNITS] = activity.max_units
            row[d.POOL_NUMBER] = pool
            row[d.REFRESH] = target.refresh_weeks or 0
            row[d.LEADERS_ONLY] = activity.leaders_only
            row[d.ORDER_SLOT] = slot
            row[d.VOICE] = spec.community_decides and activity.delivery == "seats" and activity.ownership > 0
            reach[arm, b] = activity.reach
            effect[arm, b] = (
                activity.appeal,
                activity.capability,
                activity.ownership,
                activity.trust,
                activity.interest,
                activity.capacity,
            )
            deliverer[arm, b] = _deliverer(use.by or activity.by, community)
            if activity.delivery == "python":
                own[arm, b] = _own_object(use.kind)
            if activity.steps not in weeks_of:
                weeks_of[activity.steps] = [not steps.isdisjoint(activity.steps) for steps in steps_by_week]
            running[:, arm, b] = weeks_of[activity.steps]
            if own_pool or rule == d.CYCLE:
                own_slot[arm, b] = arm_own
                size = pools.size(pool)
                if arm_own == len(own_sizes):
                    own_sizes.append(0)
                own_sizes[arm_own] = max(own_sizes[arm_own], size)
                arm_own += 1
                fraction_size[arm, b] = ceil(as_written(target.fraction) * size)
            if rule == d.SCORED:
                row[d.SCORE] = scores.number(target, pools.lists[pool], int(fraction_size[arm, b]))
            if needs_map(target.rule):
                price = map_cents(target.mapping_cost_per_person, n)
                if map_line[arm] < 0:
                    map_line[arm] = b
                maps[arm] = max(maps[arm], price)
        deliverers.append(sorted({int(k) for k in deliverer[arm, : n_activities[arm]] if k >= 0}))
        if budgets[arm] == 0:
            maps[arm] = 0
        if maps[arm] > budgets[arm]:
            raise ScenarioError(
                f"arm {arm_name}: the network map costs {maps[arm] / 100:,.2f}, "
                f"more than the budget of {budgets[arm] / 100:,.2f}; use another rule or lower "
                "mapping_cost_per_person"
            )

    starts = np.concatenate([[0], np.cumsum([members.size for members in pools.lists])]).astype(np.int64)
    ids = np.concatenate(pools.lists) if pools.lists else np.empty(0, np.int32)
    kernel = a.Plan(
        n_activities=n_activities,
        whole=whole,
        reach=reach,
        effect=effect,
        deliverer=deliverer,
        running=running,
        pool_start=starts,
        pool_ids=ids.astype(np.int32),
        own_slot=own_slot,
        fraction_size=fraction_size,
        scores=scores.array(),
        neighbourhood=community.neighbourhood.astype(np.int32, copy=False),
        deliverer_start=np.cumsum([0, *(len(found) for found in deliverers)]).astype(np.int64),
        deliverer_ids=np.array([k for found in deliverers for k in found], np.int64),
        public_cents=public,
        has_budget=(budgets > 0).astype(np.int64),
        contribution=millionths(campaign.contribution),
        refill=millionths(campaign.refill),
        funding_starts=campaign.funding_starts_week,
        funding_ends=campaign.funding_ends_week,
    )
    return ArmPlans(
        kernel=kernel,
        budgets=budgets,
        maps=maps,
        map_line=map_line,
        names=tuple(line_names(spec) for spec in specs),
        shares=shares,
        local_shares=local_shares,
        group_pools=group_pools,
        own=own,
        own_sizes=tuple(own_sizes),
        n_order_slots=len(order_slots.numbers),
        order_size=order_slots.size,
        remembers=any(buys_surveys(spec) for spec in specs),
    )


def _own_object(kind: str) -> OwnActivity:
    """Return the object that delivers an activity written in Python."""
    found = own_activity(kind)
    if found is None:
        raise ScenarioError(
            f"activity {kind}: nobody has registered it; allowed: an installed or registered activity"
        )
    return found()


def _deliverer(by: str, community: Community) -> int:
    """Index of the organization that delivers."""
    if not community.organization_names:
        return -1
    if by == "lead":
        return community.lead
    if by == "largest_cbo":
        return community.largest_cbo
    return community.organization_names.index(by)
