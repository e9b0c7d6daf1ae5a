"""What each arm does, as arrays: activities, prices, doses, candidates and when they may run."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from mobsim.campaign.activity import ActivitySpec, ActivityUse, ArmSpec
from mobsim.campaign.budget import budget_cents, cumulative_shares, map_cents, unit_cents
from mobsim.campaign.targeting import TargetSpec
from mobsim.community.community import Community
from mobsim.community.exact import as_written
from mobsim.errors import ScenarioError
from mobsim.kernels import arrays as a
from mobsim.kernels import delivery as d
from mobsim.scenario.scenario import NONE, Scenario

NO_CAMPAIGN = ArmSpec(description="no campaign", activities=())
DELIVERIES = {
    "attempts": d.ATTEMPTS,
    "seats": d.SEATS,
    "all_come": d.ALL_COME,
    "broadcast": d.BROADCAST,
    "lobby": d.LOBBY,
}
RULES = {
    "random": d.IN_ORDER,
    "leaders": d.IN_ORDER,
    "affected": d.IN_ORDER,
    "non_participants": d.NON_PARTICIPANTS,
    "nominated": d.NOMINATED,
    "cycle": d.CYCLE,
    "degree": d.DEGREE,
}


@dataclass(frozen=True)
class ArmPlans:
    """The compiled plan of all arms with what Python needs beside it.

    kernel : arrays for the kernels.
    budgets, maps : (A,) cents. map_line : (A,) the activity that pays for the map, or -1.
    names : for each arm, the labels of its activities.
    own_sizes : sizes of the orders that lanes keep for themselves.
    n_order_slots : how many orders of targets a week can need.
    """

    kernel: a.Plan
    budgets: a.Int64
    maps: a.Int64
    map_line: a.Int64
    names: tuple[tuple[str, ...], ...]
    own_sizes: tuple[int, ...]
    n_order_slots: int


def activity_names(uses: tuple[ActivityUse, ...]) -> tuple[str, ...]:
    """Return a label for each line of an arm: the kind, numbered from the second of its kind.

    Parameters
    ----------
    uses : the lines of an arm.
    """
    seen: dict[str, int] = {}
    labels = []
    for use in uses:
        seen[use.kind] = seen.get(use.kind, 0) + 1
        labels.append(use.kind if seen[use.kind] == 1 else f"{use.kind}_{seen[use.kind]}")
    return tuple(labels)


class _Pools:
    """Distinct lists of candidates, each stored once."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.lists: list[a.Int32] = []
        self.numbers: dict[tuple[bool, tuple[int, ...]], int] = {}

    def number(self, target: TargetSpec, leaders_only: bool) -> int:
        """Return the number of the list of residents that a target's fixed restrictions leave."""
        c = self.community
        groups: tuple[int, ...]
        if target.group is not None:
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


def build_plans(scenario: Scenario, community: Community, arms: tuple[str, ...]) -> ArmPlans:
    """Compile the arms of a scenario for one community.

    Parameters
    ----------
    scenario : the resolved scenario.
    community : the built community.
    arms : names of the arms, in the order of lanes.
    """
    campaign = scenario.campaign
    n = community.n_residents
    n_groups = len(community.group_names)
    n_arms = len(arms)
    specs = [NO_CAMPAIGN if name == NONE else scenario.arms[name] for name in arms]
    most = max(1, max((len(spec.activities) for spec in specs), default=1))
    n_activities = np.zeros(n_arms, np.int64)
    whole = np.zeros((n_arms, most, d.N_WHOLE), np.int64)
    whole[:, :, d.COST_CENTS] = 1
    shares = np.zeros((n_arms, most + 1), np.int64)
    reach = np.zeros((n_arms, most))
    dose = np.zeros((n_arms, most, n_groups, 5), np.float32)
    running = np.zeros((campaign.horizon_weeks, n_arms, most), np.uint8)
    own_slot = np.full((n_arms, most), -1, np.int64)
    fraction_size = np.zeros((n_arms, most), np.int64)
    budgets, maps = np.zeros(n_arms, np.int64), np.zeros(n_arms, np.int64)
    map_line = np.full(n_arms, -1, np.int64)
    pools = _Pools(community)
    order_slots: dict[tuple[int, int, bool], int] = {}
    own_sizes: list[int] = []
    names = []
    steps_by_week = [set(campaign.calendar.running(week)) for week in range(campaign.horizon_weeks)]

    for arm, (arm_name, spec) in enumerate(zip(arms, specs, strict=True)):
        names.append(activity_names(spec.activities))
        n_activities[arm] = len(spec.activities)
        budgets[arm] = (
            budget_cents(campaign.budget_per_resident, spec.budget_share, n) if spec.activities else 0
        )
        cumulative = cumulative_shares([use.share for use in spec.activities])
        shares[arm, : len(cumulative)] = cumulative
        seen: dict[str, int] = {}
        arm_own = 0
        for b, use in enumerate(spec.activities):
            activity = scenario.activities[use.kind]
            target = use.target if use.target is not None else activity.target
            occurrence = seen.get(use.kind, 0)
            seen[use.kind] = occurrence + 1
            code = activity.number + 64 * occurrence
            pool = pools.number(target, activity.leaders_only)
            slot = order_slots.setdefault((code, pool, target.rule == "degree"), len(order_slots))
            cost = use.cost if use.cost is not None else activity.cost
            row = whole[arm, b]
            row[d.DELIVERY] = DELIVERIES[activity.delivery]
            row[d.RULE] = RULES[target.rule]
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
            reach[arm, b] = activity.reach
            dose[arm, b] = _doses(activity, use, scenario, community)
            for week, steps in enumerate(steps_by_week):
                running[week, arm, b] = not steps.isdisjoint(activity.steps)
            if target.rule in ("degree", "cycle"):
                own_slot[arm, b] = arm_own
                size = pools.lists[pool].size
                if arm_own == len(own_sizes):
                    own_sizes.append(0)
                own_sizes[arm_own] = max(own_sizes[arm_own], size)
                arm_own += 1
                fraction_size[arm, b] = ceil(as_written(target.fraction) * size)
            if target.rule == "degree":
                price = map_cents(target.mapping_cost_per_person, n)
                if map_line[arm] < 0:
                    map_line[arm] = b
                maps[arm] = max(maps[arm], price)
        if budgets[arm] == 0:
            maps[arm] = 0
        if maps[arm] > budgets[arm]:
            raise ScenarioError(
                f"arm {arm_name}: the network map for the rule degree costs {maps[arm] / 100:,.2f}, "
                f"more than the budget of {budgets[arm] / 100:,.2f}; use another rule or lower "
                "mapping_cost_per_person"
            )

    starts = np.concatenate([[0], np.cumsum([members.size for members in pools.lists])]).astype(np.int64)
    ids = np.concatenate(pools.lists) if pools.lists else np.empty(0, np.int32)
    kernel = a.Plan(
        n_activities=n_activities,
        whole=whole,
        shares=shares,
        reach=reach,
        dose=dose,
        running=running,
        pool_start=starts,
        pool_ids=ids.astype(np.int32),
        own_slot=own_slot,
        fraction_size=fraction_size,
        funding_starts=campaign.funding_starts_week,
        funding_ends=campaign.funding_ends_week,
        coalition=coalition_share(community),
    )
    return ArmPlans(kernel, budgets, maps, map_line, tuple(names), tuple(own_sizes), len(order_slots))


def coalition_share(community: Community) -> float:
    """Return C, the influence-weighted share of organizations in the coalition: here the lead alone.

    Parameters
    ----------
    community : the built community.
    """
    total = 0.0
    for influence in community.org_influence:
        total += float(influence)
    return float(community.org_influence[community.lead]) / total if total > 0 else 0.0


def _doses(activity: ActivitySpec, use: ActivityUse, scenario: Scenario, community: Community) -> a.Float32:
    """Doses of one activity by group, multiplied in float64 from left to right and rounded once."""
    k = _deliverer(use.by or activity.by, community)
    capacity = float(community.capacity[k])
    rows = []
    for group in range(len(community.group_names)):
        credibility = float(community.credibility[k, group])
        rows.append(
            (
                activity.appeal * capacity * credibility,
                activity.capability * capacity,
                activity.ownership,
                activity.trust * capacity * credibility,
                scenario.behaviour.trust_loss * (1.0 - capacity) if activity.trust > 0 else 0.0,
            )
        )
    return np.array(rows, np.float64).astype(np.float32)


def _deliverer(by: str, community: Community) -> int:
    """Index of the organization that delivers."""
    if by == "lead":
        return community.lead
    if by == "largest_cbo":
        return community.largest_cbo
    return community.organization_names.index(by)
