"""A block: the lanes that are computed together, on one community, and the weeks they have run.

Lanes are ordered luck by luck, within a luck point by point, and within a point arm by arm. Burn-in runs once
a luck and point and is then fanned out to the arms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobsim.community.community import Community
from mobsim.engine.least_counts import least_counts
from mobsim.engine.own_delivery import deliver_own
from mobsim.engine.plan import ArmPlans, build_plans
from mobsim.engine.rules import build_rules, rules_of_points
from mobsim.engine.state import (
    build_residents,
    build_ties,
    fan_out,
    fan_out_leaders,
    fan_out_organizations,
    start_leaders,
    start_organizations,
    start_state,
)
from mobsim.engine.survey import Surveys
from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.delivery import (
    CLUSTERED,
    NOMINATED,
    ORDER_SLOT,
    POOL_NUMBER,
    RULE,
    SCORED,
    Orders,
    set_doses,
)
from mobsim.kernels.dynamics import N_MEASURES, measure
from mobsim.kernels.tile import SLOTS
from mobsim.kernels.weeks import CLOSE, LIVE, SPEND, TALK, WHOLE_WEEK, run_weeks
from mobsim.kernels.words import write_words
from mobsim.scenario.scenario import Scenario

MOST_LANES = SLOTS
"""Most lanes of a block: a tile of the week kernel has so many slots."""
Bundles = tuple[
    a.Ties,
    a.Residents,
    a.Rules,
    a.Keys,
    a.Plan,
    a.Purse,
    a.Leaders,
    a.Organizations,
    a.State,
    Orders,
    a.Tally,
]
NOBODY_FORCED = np.zeros((0, 0), np.int8)


class Block:
    """Lanes of one community, from the start of burn-in.

    Parameters
    ----------
    scenario : the resolved scenario.
    community : the built community.
    arms : names of arms, in the order of lanes.
    luck : numbers of the streams of luck.
    points : the scenario at every point that the block runs, equal in what a block has once
        (`what_a_block_shares`); none: the scenario alone.

    Attributes
    ----------
    arms, worlds : name of the arm, and scenario, of each lane of a luck.
    week : the next week to be run; negative during burn-in.
    state : structure of arrays [entity, lane].
    tally : records of the campaign weeks run so far.
    """

    def __init__(
        self,
        scenario: Scenario,
        community: Community,
        arms: Sequence[str],
        luck: Sequence[int],
        points: Sequence[Scenario] = (),
    ) -> None:
        points = points or (scenario,)
        if not 1 <= len(arms) * len(luck) * len(points) <= MOST_LANES:
            raise UsageError(
                f"a block of {len(arms)} arms, {len(luck)} lucks and {len(points)} points: allowed are 1 to "
                f"{MOST_LANES} lanes (arms x lucks x points); simulate divides any number of runs into blocks"
            )
        self.scenario = points[0]
        self.community = community
        self.points = tuple(points)
        self.arms = tuple(arms) * len(points)
        self.worlds = tuple(world for world in points for _ in arms)
        self.luck = tuple(luck)
        self.ties = build_ties(community, scenario.behaviour.share_exponent)
        self.least = least_counts(scenario.behaviour, scenario.community, community, self.ties)
        self.residents = build_residents(community, self.least)
        self.plans: ArmPlans = build_plans(self.worlds, community, self.arms)
        self.keys = a.Keys(scenario.seed, community.number, np.array(self.luck, np.int64))
        self.week = -scenario.campaign.burn_in_weeks
        lanes = len(self.luck) * len(self.points)
        self._widen(
            start_state(community, self.week, lanes, remembers=self.plans.remembers),
            start_leaders(community, lanes),
            start_organizations(community, scenario.community, lanes),
        )
        self.surveys = Surveys(self)
        self.rewrite_words()
        if self.week >= 0:
            self._fan_out()

    @property
    def n_lanes(self) -> int:
        """Number of lanes: lucks x points during burn-in, lucks x points x arms afterwards."""
        return int(self.state.flags.shape[1])

    @property
    def horizon(self) -> int:
        """Number of campaign weeks."""
        return self.scenario.campaign.horizon_weeks

    @property
    def funding_end(self) -> int:
        """The last funded week, or the last week if that comes first."""
        return min(self.scenario.campaign.funding_ends_week - 1, self.horizon - 1)

    def advance(self, until: int) -> None:
        """Run all weeks before `until`; burn-in is left by the way, at week 0.

        Parameters
        ----------
        until : the first week that is not run.
        """
        while self.week < until:
            if self._needs_python(self.week):
                self.open_week()
                self.live_week()
                self.close_week()
                continue
            stop = self.week + 1
            last = min(until, 0) if self.week < 0 else until
            while stop < last and not self._needs_python(stop):
                stop += 1
            self._run(stop, WHOLE_WEEK)
            self._reach(stop)

    def _needs_python(self, week: int) -> bool:
        """Say whether a week holds a survey, or activities written in Python."""
        if week < 0:
            return False
        return week in self.surveys.weeks or (
            bool(self.plans.own) and week >= self.scenario.campaign.funding_starts_week
        )

    def open_week(self) -> None:
        """Carry phases 1 to 3 of the next week: what comes before residents decide."""
        if self.week >= 0:
            self.surveys.act(self.week)
        self._run(self.week + 1, SPEND)
        if self.plans.own and self.week >= 0:
            deliver_own(self, self.week)
        self._run(self.week + 1, TALK)

    def live_week(self, forced: a.Int8 = NOBODY_FORCED) -> None:
        """Carry phases 4 to 6 of the week that `open_week` began.

        Parameters
        ----------
        forced : (N, L) decisions of residents that decide for themselves; -1 leaves it to the rules.
        """
        self._run(self.week + 1, LIVE, forced=forced)

    def close_week(
        self, forced_stance: a.Int8 = NOBODY_FORCED, forced_member: a.Int8 = NOBODY_FORCED
    ) -> None:
        """Carry phases 7 to 9 of the week that `open_week` began.

        Parameters
        ----------
        forced_stance, forced_member : (S, L), (K, L) proposals of leaders and organizations that decide for
            themselves; UNDECIDED leaves it to the rules.
        """
        self._run(self.week + 1, CLOSE, forced_stance=forced_stance, forced_member=forced_member)
        self._reach(self.week + 1)

    def _run(
        self,
        until: int,
        phases: int,
        forced: a.Int8 = NOBODY_FORCED,
        forced_stance: a.Int8 = NOBODY_FORCED,
        forced_member: a.Int8 = NOBODY_FORCED,
    ) -> None:
        """Run weeks, or some phases of the next week, in compiled code."""
        run_weeks(
            self.week,
            until,
            phases,
            *self.bundles(),
            forced,
            forced_stance,
            forced_member,
            self.efforts,
            self.counts,
        )

    def bundles(self) -> Bundles:
        """Return the bundles of the week in the order in which `run_weeks` takes them."""
        return (
            self.ties,
            self.residents,
            self.rules,
            self.keys,
            self.plans.kernel,
            self.purse,
            self.leaders,
            self.organizations,
            self.state,
            self.orders,
            self.tally,
        )

    def _reach(self, week: int) -> None:
        """Stand at the start of a week; leave burn-in at week 0."""
        leaves_burn_in = self.week < 0 and week == 0
        self.week = week
        if leaves_burn_in:
            self._fan_out()

    def rewrite_words(self) -> None:
        """Bring the state words in line with flags that were set by hand."""
        write_words(self.week, self.ties, self.residents, self.leaders, self.rules, self.state, self.counts)

    def measure_means(self) -> a.Int64:
        """Return the sums of m, s, o, T, s x o and m x a by lane and group, in 2**-32."""
        sums = np.zeros((self.n_lanes, len(self.community.group_names), N_MEASURES), np.int64)
        measure(self.residents, self.state, sums)
        return sums

    def mark_funding_end(self) -> None:
        """Mark who participates, and who organizes, at the end of funding."""
        participates = (self.state.flags & a.PARTICIPATING) > 0
        self.state.flags[participates] |= np.uint8(a.AT_FUNDING_END | a.NEVER_LEFT)
        organizes = (self.state.roles & a.ORGANIZER) > 0
        self.state.roles[organizes] |= np.uint8(a.ORGANIZER_AT_END | a.NEVER_STOPPED)

    def count_marked(self, mark: int) -> a.Int64:
        """Count, by lane, who participates and carries a mark.

        Parameters
        ----------
        mark : a bit of the flags.
        """
        wanted = np.uint8(mark | a.PARTICIPATING)
        counted: a.Int64 = np.sum((self.state.flags & wanted) == wanted, axis=0, dtype=np.int64)
        return counted

    def count_roles(self, mark: int) -> a.Int64:
        """Count, by lane, who organizes and carries a mark.

        Parameters
        ----------
        mark : a bit of the roles.
        """
        wanted = np.uint8(mark | a.ORGANIZER)
        counted: a.Int64 = np.sum((self.state.roles & wanted) == wanted, axis=0, dtype=np.int64)
        return counted

    def _fan_out(self) -> None:
        """Give every arm of a luck and point its own copy of the state after burn-in."""
        arms = len(self.arms) // len(self.points)
        counts = np.repeat(self.counts, arms, axis=0)
        self._widen(
            fan_out(self.state, arms),
            fan_out_leaders(self.leaders, arms),
            fan_out_organizations(self.organizations, arms),
        )
        self.organizations.coalition_start[:] = self.organizations.coalition
        self.counts[:] = counts

    def _widen(self, state: a.State, leaders: a.Leaders, organizations: a.Organizations) -> None:
        """Take over a state and make the arrays that go with its number of lanes."""
        self.state, self.leaders, self.organizations = state, leaders, organizations
        lanes = state.flags.shape[1]
        groups = len(self.community.group_names)
        n = self.community.n_residents
        rules = [
            build_rules(
                world.behaviour,
                world.community,
                1,
                decision_interval=world.campaign.decision_interval_weeks,
                listed_thresholds=self.community.listed_threshold.size > 0,
            )
            for world in self.points
        ]
        of_a_luck = lanes // len(self.luck)
        self.rules = rules_of_points(rules, len(self.luck), of_a_luck // len(self.points))
        self.efforts = np.zeros(lanes, np.int64)
        self.counts = np.zeros((lanes, groups, a.N_COUNTS), np.int64)
        in_campaign = lanes == len(self.luck) * len(self.arms)
        self.purse = _open_purse(self.plans, groups, lanes if in_campaign else 0, len(self.luck))
        for lane in range(lanes if in_campaign else 0):
            arm = lane % len(self.arms)
            if self.plans.kernel.n_activities[arm]:
                set_doses(lane, arm, self.rules, self.plans.kernel, self.purse, self.organizations)
        self.orders = _orders(self.plans, n if in_campaign else 0)
        self.tally = _tally(self.horizon if in_campaign else 0, lanes, self.plans, groups)


def _open_purse(plans: ArmPlans, n_groups: int, n_lanes: int, n_luck: int) -> a.Purse:
    """Money at the start: the budget less the network map."""
    copies = n_luck if n_lanes else 0
    most = plans.kernel.reach.shape[1]
    rule = plans.kernel.whole[:, :, RULE]
    size = max(plans.own_sizes, default=0)
    return a.Purse(
        left=np.tile(plans.budgets - plans.maps, copies).astype(np.int64),
        purse=np.zeros((n_lanes, most), np.int64),
        local=np.zeros((n_lanes, most), np.int64),
        pot=np.zeros(n_lanes, np.int64),
        remainder=np.zeros(n_lanes, np.int64),
        cycle=np.tile(np.where((rule == SCORED) | (rule == CLUSTERED), -1, 0), (copies, 1)).astype(np.int64),
        place=np.zeros((n_lanes, most), np.int64),
        own=np.zeros((n_lanes, len(plans.own_sizes), size), np.int32),
        shares=np.tile(plans.shares, (copies, 1)),
        local_shares=np.tile(plans.local_shares, (copies, 1)),
        pool=np.tile(plans.kernel.whole[:, :, POOL_NUMBER], (copies, 1)),
        slot=np.tile(plans.kernel.whole[:, :, ORDER_SLOT], (copies, 1)),
        dose=np.zeros((n_lanes, most, n_groups, 5), np.float32),
        voice=np.zeros((n_lanes, 4), np.int64),
    )


def _orders(plans: ArmPlans, n_residents: int) -> Orders:
    """Scratch for the orders of targets of a week; little where nobody is targeted."""
    slots = plans.n_order_slots if n_residents else 0
    targets = bool(plans.kernel.pool_ids.size)
    named = bool(np.any(plans.kernel.whole[:, :, RULE] == NOMINATED))
    return Orders(
        length=np.zeros(slots, np.int64),
        bound=np.zeros(slots, np.int64),
        drawn=np.zeros(slots, np.int64),
        order=np.zeros((slots, plans.order_size), np.int32),
        keys=np.zeros((slots, -(-plans.order_size // SLOTS) * SLOTS), np.uint32),
        comes=np.zeros((slots, plans.order_size), np.uint32),
        names=np.zeros((slots, plans.order_size if named else 0), np.uint32),
        chosen=np.zeros(n_residents + 1 if targets else 0, np.int32),
    )


def _tally(n_weeks: int, n_lanes: int, plans: ArmPlans, n_groups: int) -> a.Tally:
    """Empty records of the campaign weeks."""
    most = plans.kernel.reach.shape[1]
    return a.Tally(
        counts=np.zeros((n_weeks, n_lanes, n_groups, a.N_COUNTS), np.int64),
        results=np.zeros((n_weeks, n_lanes)),
        wins=np.zeros((n_weeks, n_lanes), np.int64),
        coalition=np.zeros((n_weeks, n_lanes)),
        stances=np.zeros((n_weeks, n_lanes, 2), np.int64),
        contacts=np.zeros((n_weeks, n_lanes), np.int64),
        income=np.zeros((n_weeks, n_lanes), np.int64),
        units=np.zeros((n_weeks, n_lanes, most), np.int64),
        cents=np.zeros((n_weeks, n_lanes, most), np.int64),
        local=np.zeros((n_weeks, n_lanes, most), np.int64),
        reached=np.zeros((n_weeks, n_lanes, most, n_groups), np.int64),
    )
