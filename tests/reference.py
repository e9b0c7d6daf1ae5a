"""The model in plain NumPy, for one lane: one arm, one community, one luck.

Written from docs/odd.md alone, in its order, so that it can be read beside it; the section numbers in the
comments are the sections there. It shares with the engine only the generator (`kernels/keyed.py`) and the
elementary functions (`kernels/elementary.py`). It is meant to be obviously right, not fast.

float32 is kept by hand: parameters are `np.float32`, arrays are float32, and every operation rounds once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from mobsim.campaign.activity import ActivitySpec, ActivityUse
from mobsim.campaign.calendar import CalendarSpec
from mobsim.campaign.targeting import TargetSpec
from mobsim.community.behaviour import (
    ConstantThresholds,
    CountThresholds,
    ListedThresholds,
    NormalThresholds,
    TruncatedNormalThresholds,
    UniformThresholds,
)
from mobsim.community.community import Community
from mobsim.kernels import streams
from mobsim.kernels.elementary import (
    LOG2_E,
    exp2_32,
    exp2_64,
    log2_1m_64,
    logistic_32,
    normal_quantile_64,
    pow_64,
    truncated_normal_64,
)
from mobsim.kernels.keyed import centred, philox_words
from mobsim.scenario.scenario import NONE, Scenario

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
WHOLE_TIE = 2**20  # the weight 1, in the integers of tie weights
WHOLE_CONTACT = 2**23  # one tie of weight 1 to somebody of influence 1 (eight eighths)


@dataclass(frozen=True, eq=False)
class ReferenceRun:
    """What one lane recorded; arrays by week hold weeks 0 ... horizon - 1.

    aware, participating, contacted, participating_uncontacted : (weeks, groups) numbers of residents.
    results : (weeks,) float64; wins : (weeks,) standing policy wins.
    units, spent_cents : (weeks, activities); reached : (weeks, activities, groups) reached, come or heard.
    means : week -> (6, groups) sums of round(value * 2**32): appeal, capability, ownership, trust, s*o, m*a.
    final_* : state after the last week; told_week is meant for aware residents only.
    participants_fe, participants_fe_at_end, participants_fe_never_left : numbers of residents.
    budget_cents, unspent_cents : money.
    """

    aware: Integers
    participating: Integers
    contacted: Integers
    participating_uncontacted: Integers
    results: npt.NDArray[np.float64]
    wins: Integers
    units: Integers
    spent_cents: Integers
    reached: Integers
    means: dict[int, Integers]
    final_aware: Bools
    final_participating: Bools
    final_contacted: Bools
    final_threshold: Floats
    final_start_capability: Floats
    final_capability: Floats
    final_ownership: Floats
    final_trust: Floats
    final_appeal: Floats
    final_told_week: Integers
    participants_fe: int
    participants_fe_at_end: int
    participants_fe_never_left: int
    budget_cents: int
    unspent_cents: int


def run_reference(scenario: Scenario, community: Community, arm: str, luck: int) -> ReferenceRun:
    """Run one arm on one community with one luck.

    Parameters
    ----------
    scenario : the resolved scenario.
    community : people and ties; its number and seed key the draws.
    arm : name of an arm of the scenario, or `none`.
    luck : number of the luck.
    """
    lane = _Lane(scenario, community, arm, luck)
    for week in range(-scenario.campaign.burn_in_weeks, 0):
        lane.live(week)
    for week in range(scenario.campaign.horizon_weeks):
        lane.add_money(week)
        lane.buy_and_deliver(week)
        lane.live(week)
        lane.record(week)
    return lane.finished()


# ---------------------------------------------------------------------------------------------------------
# Section 6: randomness and exactness


def exact(number: float) -> Fraction:
    """The exact rational of a number's decimal text: 0.1 is one tenth."""
    return Fraction(str(number))


def half_up(number: Fraction) -> int:
    return math.floor(number + Fraction(1, 2))


def uniform_of(words: npt.NDArray[np.uint32]) -> Floats:
    """u(w) = (w >> 8) * 2**-24, exact in float32."""
    return (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def each(function: Callable[[np.float32], np.float32], values: Floats) -> Floats:
    """Apply a float32 function of one number to every element."""
    return np.array([function(value) for value in values], np.float32)


def remaining(half_life: float | None) -> float:
    """2**(-1/H): what one week leaves; a half-life of none leaves everything."""
    return 1.0 if half_life is None else float(exp2_64(-1.0 / half_life))


# ---------------------------------------------------------------------------------------------------------
# Section 5: the formulas of residents' starting state, used here for newcomers


def drawn_threshold(thresholds: object, word: np.uint32) -> float | None:
    """A threshold from one random word in float64, or none where thresholds stay with the place."""
    if isinstance(thresholds, TruncatedNormalThresholds):
        if thresholds.sd == 0.0:
            return thresholds.mean
        return float(
            truncated_normal_64(
                centred(word), thresholds.mean, thresholds.sd, thresholds.low, thresholds.high
            )
        )
    if isinstance(thresholds, NormalThresholds):
        if thresholds.sd == 0.0:
            return thresholds.mean
        return thresholds.mean + thresholds.sd * float(normal_quantile_64(centred(word)))
    if isinstance(thresholds, UniformThresholds):
        u = float(int(word) >> 8) * 2.0**-24
        return thresholds.low + (thresholds.high - thresholds.low) * u
    assert isinstance(thresholds, ConstantThresholds | ListedThresholds | CountThresholds)
    return None


def drawn_level(mean: float, sd: float, word: np.uint32) -> np.float32:
    """A starting capability or trust: normal, clipped to [0, 1], float64 rounded to float32 once."""
    value = mean + sd * float(normal_quantile_64(centred(word)))
    return np.float32(min(max(value, 0.0), 1.0))


# ---------------------------------------------------------------------------------------------------------
# Sections 7.1 and 7.3: an activity of the arm, with its price and its doses


@dataclass
class _Line:
    """One line of the arm: an activity, its place among the draws, its money."""

    spec: ActivitySpec
    target: TargetSpec
    code: int  # which TARGET and POOL streams are its own
    cost_cents: int
    appeal: Floats  # D_g, by group
    capability: np.float32  # S_e
    ownership: np.float32  # O
    trust: Floats  # A_g, by group
    trust_loss: np.float32  # B
    purse: int = 0
    cycle: int = 0
    place: int = 0  # how far the cycle has come


def _line(scenario: Scenario, community: Community, uses: tuple[ActivityUse, ...], at: int) -> _Line:
    use = uses[at]
    spec = scenario.activities[use.kind]
    earlier = sum(other.kind == use.kind for other in uses[:at])

    cost = exact(spec.cost if use.cost is None else use.cost)
    if spec.cost_scales and not use.absolute:
        cost *= Fraction(community.n_residents, 1000)

    by = spec.by if use.by is None else use.by
    if by == "lead":
        k = community.lead
    elif by == "largest_cbo":
        k = community.largest_cbo
    else:
        k = community.organization_names.index(by)
    # Without organizations only lobbying can be delivered, and it gives no dose.
    assert k >= 0 or spec.delivery == "lobby"
    n_groups = len(community.group_names)
    e = float(community.capacity[k]) if k >= 0 else 0.0
    credibility = community.credibility[k] if k >= 0 else np.zeros(n_groups)

    return _Line(
        spec=spec,
        target=spec.target if use.target is None else use.target,
        code=spec.number + 64 * earlier,
        cost_cents=max(1, half_up(cost * 100)),
        appeal=np.array([spec.appeal * e * float(c) for c in credibility], np.float32),
        capability=np.float32(spec.capability * e),
        ownership=np.float32(spec.ownership),
        trust=np.array([spec.trust * e * float(c) for c in credibility], np.float32),
        trust_loss=np.float32(scenario.behaviour.trust_loss * (1.0 - e) if spec.trust > 0 else 0.0),
    )


def cumulated_shares(uses: tuple[ActivityUse, ...]) -> list[int]:
    """c_0 = 0, c_1, ..., in millionths of the inflow; the last is all of it."""
    shares = [exact(use.share) for use in uses]
    total = sum(shares, Fraction(0))
    cumulated = [math.floor(10**6 * sum(shares[: b + 1], Fraction(0)) / total) for b in range(len(shares))]
    return [0, *cumulated[:-1], 10**6]


def is_running(calendar: CalendarSpec, spec: ActivitySpec, week: int) -> bool:
    """Whether any step that permits the activity runs this week."""
    for step in spec.steps:
        period = getattr(calendar, step)
        started = week >= period.first
        ended = period.until is not None and week >= period.until
        occasion = period.every is None or (week - period.first) % period.every == 0
        if started and not ended and occasion:
            return True
    return False


# ---------------------------------------------------------------------------------------------------------
# Section 7.6: whole numbers at tau = 0


def least_numbers(scenario: Scenario, community: Community, den: Integers) -> list[int] | None:
    """The least num with which each resident joins, or none where V is to be computed in float32."""
    behaviour = scenario.behaviour
    N = community.n_residents
    counting_all = community.well_mixed or behaviour.visibility == 1.0
    plain = (
        behaviour.noise == 0.0
        and behaviour.appeal_weight == 0.0
        and behaviour.capability_weight == 0.0
        and behaviour.results_weight == 0.0
        and behaviour.habit == 0.0
        and all(group.barrier == 0.0 for group in scenario.community.groups.values())
        and behaviour.turnover == 0.0
        and (counting_all or behaviour.visibility == 0.0)
    )
    thresholds = behaviour.thresholds
    if isinstance(thresholds, CountThresholds):
        assert plain, "thresholds of kind count need the conditions of docs/odd.md, 7.6"
        assert counting_all or behaviour.share_exponent == 0.0, "and a count of contacts or of everybody"
        return [int(n) if counting_all else int(n) * WHOLE_CONTACT for n in community.least_count]
    if not plain or not behaviour.social_weight > 0.0:
        return None
    if not counting_all and behaviour.share_exponent not in (0.0, 1.0):
        return None

    if community.listed_threshold.size > 0:
        theta = [exact(value) for value in community.listed_threshold]
    elif isinstance(thresholds, ConstantThresholds):
        theta = [exact(thresholds.value)] * N
    elif isinstance(thresholds, ListedThresholds):
        theta = [exact(value) for value in thresholds.values]
    else:
        theta = [Fraction(float(value)) for value in community.threshold]
    J = exact(behaviour.social_weight)
    if counting_all:
        return [math.ceil(value / J * N) for value in theta]
    if behaviour.share_exponent == 0.0:
        return [math.ceil(value / J * WHOLE_CONTACT) for value in theta]
    # One without ties has num = 0 and V = -theta: joins if theta <= 0, never otherwise.
    return [
        math.ceil(value / J * int(d)) if d > 0 else int(value > 0)
        for value, d in zip(theta, den, strict=True)
    ]


# ---------------------------------------------------------------------------------------------------------


@dataclass
class _Kept:
    """Records, one entry a campaign week."""

    aware: list[Integers] = field(default_factory=list)
    participating: list[Integers] = field(default_factory=list)
    contacted: list[Integers] = field(default_factory=list)
    participating_uncontacted: list[Integers] = field(default_factory=list)
    results: list[float] = field(default_factory=list)
    wins: list[int] = field(default_factory=list)
    units: list[list[int]] = field(default_factory=list)
    spent: list[list[int]] = field(default_factory=list)
    reached: list[Integers] = field(default_factory=list)
    means: dict[int, Integers] = field(default_factory=dict)


class _Lane:
    """The state of one lane and the phases that change it."""

    def __init__(self, scenario: Scenario, community: Community, arm: str, luck: int) -> None:
        self.scenario = scenario
        self.community = community
        self.luck = luck
        self.N = community.n_residents
        self.everyone = np.arange(self.N)
        self.groups = list(scenario.community.groups.values())
        self.end = scenario.campaign.horizon_weeks - 1
        self.fe = min(scenario.campaign.funding_ends_week - 1, self.end)

        # Section 2: state.
        self.a = community.aware.astype(bool)
        self.x = community.participating.astype(bool)
        self.theta = community.threshold.astype(np.float32)
        self.s0 = community.capability.astype(np.float32)
        self.s = community.capability.astype(np.float32)
        self.T = community.trust.astype(np.float32)
        self.o = np.zeros(self.N, np.float32)
        self.m = np.zeros(self.N, np.float32)
        self.told_week = np.full(self.N, -scenario.campaign.burn_in_weeks - 1, np.int64)
        self.contacted = np.zeros(self.N, bool)
        self.trained = np.zeros(self.N, bool)
        self.z = 0.0
        self.v = 0
        self.dosed = np.zeros(self.N, bool)  # this week
        self.efforts = 0  # lobby units of this week

        # Row i lists those who influence i; here as one entry a tie.
        self.influenced = np.repeat(self.everyone, community.degree)
        self.influencer = community.neighbours.astype(np.int64)
        weight = community.tie_weight if community.tie_weight.size else np.full(community.n_ties, WHOLE_TIE)
        self.pull = weight.astype(np.int64) * community.influence.astype(np.int64)[self.influencer]
        self.den = self.sum_of_ties(self.pull)
        self.is_opposed = community.leaning == -1
        self.is_supportive = community.leaning == 1
        self.least = least_numbers(scenario, community, self.den)

        # Section 7.1: the arm and its money. The arm none has no activities and no money.
        uses = scenario.arms[arm].activities if arm != NONE else ()
        self.lines = [_line(scenario, community, uses, at) for at in range(len(uses))]
        self.cumulated = cumulated_shares(uses) if uses else [0]
        self.budget = 0
        if uses:
            per_resident = exact(scenario.campaign.budget_per_resident) * exact(
                scenario.arms[arm].budget_share
            )
            self.budget = half_up(per_resident * 100 * self.N)
        self.left = self.budget
        self.map_cents = 0
        self.map_line = -1
        mapped = [b for b, line in enumerate(self.lines) if line.target.rule == "degree"]
        if mapped and self.budget > 0:
            prices = [exact(self.lines[b].target.mapping_cost_per_person) for b in mapped]
            self.map_cents = half_up(max(prices) * 100 * self.N)
            self.map_line = mapped[0]
            if self.map_cents > self.budget:
                raise ValueError("the network map costs more than the budget")
            self.left -= self.map_cents

        # The week's purchases, and what is kept.
        self.units = [0] * len(self.lines)
        self.spent = [0] * len(self.lines)
        self.reached = np.zeros((len(self.lines), len(self.groups)), np.int64)
        self.kept = _Kept()
        self.took_part_at_fe = np.zeros(self.N, bool)
        self.participants_fe = 0
        self.never_left = np.zeros(self.N, bool)

    # Section 6 -------------------------------------------------------------------------------------------

    def words(
        self, stream: int, week: int, entities: npt.NDArray[np.integer] | None = None
    ) -> npt.NDArray[np.uint32]:
        """The four words of every resident (or listed entity): shape (4, n). Weeks in two's complement."""
        chosen = (self.everyone if entities is None else entities).astype(np.uint32)
        out = np.empty((4, chosen.size), np.uint32)
        philox_words(chosen, week % 2**32, self.luck, stream, self.community.seed, self.community.number, out)
        return out

    def by_order_word(self, residents: Integers, order: npt.NDArray[np.uint32]) -> Integers:
        """Residents in ascending (order word, id)."""
        return residents[np.lexsort((residents, order[residents]))]

    def sum_of_ties(self, values: Integers) -> Integers:
        """Sum a value of each tie over the row of each resident."""
        sums = np.zeros(self.N, np.int64)
        np.add.at(sums, self.influenced, values)
        return sums

    def by_group(self, chosen: Bools) -> Integers:
        return np.bincount(self.community.group[chosen], minlength=len(self.groups)).astype(np.int64)

    def of_group(self, values: list[float]) -> Floats:
        """One float32 parameter of each resident's group."""
        return np.array(values, np.float32)[self.community.group]

    # Section 7.1: money and buying (phase 2) ---------------------------------------------------------------

    def is_funded(self, week: int) -> bool:
        campaign = self.scenario.campaign
        return campaign.funding_starts_week <= week < campaign.funding_ends_week

    def add_money(self, week: int) -> None:
        """Split the week's inflow among the purses; pay the network map in the first funded week."""
        self.units = [0] * len(self.lines)
        self.spent = [0] * len(self.lines)
        self.reached = np.zeros((len(self.lines), len(self.groups)), np.int64)
        self.dosed = np.zeros(self.N, bool)
        self.efforts = 0
        if not self.is_funded(week) or not self.lines:
            return
        if week == self.scenario.campaign.funding_starts_week and self.map_line >= 0:
            self.spent[self.map_line] += self.map_cents
        inflow = self.left // (self.scenario.campaign.funding_ends_week - week)
        self.left -= inflow
        for b, line in enumerate(self.lines):
            line.purse += inflow * self.cumulated[b + 1] // 10**6 - inflow * self.cumulated[b] // 10**6

    def buy_and_deliver(self, week: int) -> None:
        """Let each activity in turn buy units, choose targets and give doses."""
        if not self.is_funded(week):
            return
        broadcast_units = 0
        for b, line in enumerate(self.lines):
            if not is_running(self.scenario.campaign.calendar, line.spec, week):
                continue
            delivery = line.spec.delivery
            if delivery == "lobby":
                affordable = line.purse // line.cost_cents
                units = affordable if self.v < self.scenario.behaviour.max_wins else 0
                self.efforts += units
                reached: list[int] = []
            else:
                targets = self.targets(line, week)
                cap = self.cap(line, targets, broadcast_units)
                units = min(line.purse // line.cost_cents, cap)
                reached = self.reach(line, week, units, targets) if units > 0 else []
                broadcast_units += units if delivery == "broadcast" else 0
            line.purse -= units * line.cost_cents
            self.units[b] = units
            self.spent[b] += units * line.cost_cents
            self.give_doses(b, np.array(reached, np.int64))

    def cap(self, line: _Line, targets: Integers, broadcast_units: int) -> int:
        """The most units that can be used this week."""
        if line.spec.delivery == "broadcast":
            return max(0, line.spec.max_units - broadcast_units)
        candidates = self.N if line.target.rule == "nominated" else targets.size
        if line.spec.delivery == "seats":
            return -(-candidates // line.spec.per_unit)
        return candidates // line.spec.per_unit

    # Section 7.2: targets (phase 2) ------------------------------------------------------------------------

    def targets(self, line: _Line, week: int) -> Integers:
        """Everybody who can be targeted this week, in the order in which they are."""
        rule = line.target.rule
        order, _, nominee, _ = self.words(streams.TARGET + line.code, week)
        if rule == "nominated":
            return self.nominees(line, order, nominee)

        candidates = self.everyone[self.is_allowed(line)]
        if rule == "cycle":
            if line.place >= candidates.size:
                line.cycle, line.place = line.cycle + 1, 0
            turn = self.words(streams.POOL + line.code, line.cycle)[0]
            return self.by_order_word(candidates, turn)[line.place :]
        if rule == "degree":
            candidates = self.best_connected(line, week, candidates)
        return self.by_order_word(candidates, order)

    def is_allowed(self, line: _Line) -> Bools:
        """Whom the rule and its restrictions allow."""
        community, target = self.community, line.target
        allowed = np.ones(self.N, bool)
        if line.spec.leaders_only or target.rule == "leaders":
            allowed &= community.is_leader
        if target.group is not None:
            allowed &= community.group == community.group_names.index(target.group)
        elif target.rule == "affected":
            allowed &= community.marginalized[community.group]
        if target.rule == "non_participants":
            allowed &= ~self.x
        return allowed

    def best_connected(self, line: _Line, week: int, candidates: Integers) -> Integers:
        """The fraction with most ties; among equals those with the smallest (POOL order word, id)."""
        refresh = 0
        if line.target.refresh_weeks is not None:
            refresh = (week - self.scenario.campaign.funding_starts_week) // line.target.refresh_weeks
        tie_break = self.words(streams.POOL + line.code, refresh)[0]
        degree = np.zeros(self.N, np.int64) if self.community.well_mixed else self.community.degree
        ranked = candidates[np.lexsort((candidates, tie_break[candidates], -degree[candidates]))]
        return ranked[: math.ceil(exact(line.target.fraction) * candidates.size)]

    def nominees(
        self, line: _Line, order: npt.NDArray[np.uint32], nominee: npt.NDArray[np.uint32]
    ) -> Integers:
        """Who is named, each once, in the order in which nominators are asked."""
        community = self.community
        named: list[int] = []
        already = set()
        for nominator in self.by_order_word(self.everyone, order):
            row = community.neighbours[community.row_start[nominator] : community.row_start[nominator + 1]]
            choices = self.N - 1 if community.well_mixed else row.size
            if choices == 0:
                continue
            place = (int(nominee[nominator]) * choices) >> 32
            other = place + 1 if place >= nominator else place  # everybody but the nominator
            person = other if community.well_mixed else int(row[place])
            if person in already or (line.spec.leaders_only and not community.is_leader[person]):
                continue
            already.add(person)
            named.append(person)
        return np.array(named, np.int64)

    def reach(self, line: _Line, week: int, units: int, targets: Integers) -> list[int]:
        """Who of the targets is reached, comes or hears; a cycle moves on by those who were asked."""
        u = uniform_of(self.words(streams.TARGET + line.code, week)[1])
        comes = u < self.of_group([group.reached for group in self.groups])
        places = units * line.spec.per_unit
        asked = 0
        reached: list[int] = []
        if line.spec.delivery == "broadcast":
            reached = [int(i) for i in targets if u[i] < np.float32(min(1.0, line.spec.reach * units))]
        elif line.spec.delivery == "attempts":
            asked = min(places, targets.size)
            reached = [int(i) for i in targets[:asked] if comes[i]]
        elif line.spec.delivery == "all_come":
            asked = min(places, targets.size)
            reached = [int(i) for i in targets[:asked]]
        elif line.spec.delivery == "seats":
            for i in targets:
                if len(reached) == places:
                    break
                asked += 1
                if comes[i]:
                    reached.append(int(i))
        if line.target.rule == "cycle":
            line.place += asked
        return reached

    # Section 7.3: doses (phase 2, rule 5) ------------------------------------------------------------------

    def give_doses(self, b: int, reached: Integers) -> None:
        line = self.lines[b]
        group = self.community.group[reached]
        m, s, o, T = self.m[reached], self.s[reached], self.o[reached], self.T[reached]
        self.m[reached] = m + line.appeal[group]
        self.s[reached] = s + line.capability * (ONE - s)
        self.o[reached] = o + line.ownership * (ONE - o)
        self.T[reached] = (T + line.trust[group] * (ONE - T)) - line.trust_loss * T
        self.dosed[reached] = True
        if line.spec.contact:
            self.contacted[reached] = True
        if line.spec.trains_leaders:
            self.trained[reached] |= self.community.is_leader[reached]
        np.add.at(self.reached[b], group, 1)

    # Phases 4 to 6 and 8 -----------------------------------------------------------------------------------

    def live(self, week: int) -> None:
        """What happens in every week, with and without a campaign."""
        self.diffuse(week)
        self.leave(week)
        self.learn()
        self.results_and_policy(week)

    def diffuse(self, week: int) -> None:
        """Phase 4: counts and exposure, awareness, participation; a and x are written at once."""
        words = self.words(streams.WEEK, week)
        share, num = self.exposure()
        told = self.is_told(week, uniform_of(words[0]))
        aware = self.a | told
        participating = self.takes_part(aware, share, num, uniform_of(words[1]))
        self.told_week[told] = week
        self.a = aware
        self.x = participating

    # Section 7.4: exposure (4a, rules 1 and 2)

    def exposure(self) -> tuple[Floats, Integers]:
        """E of every resident, and the whole number that is compared at tau = 0."""
        behaviour = self.scenario.behaviour
        total = int(self.x.sum())
        F = float(total) / float(self.N)
        if self.community.well_mixed:
            return np.full(self.N, np.float32(F)), np.full(self.N, total, np.int64)

        y = self.x.astype(np.int64)
        y[self.is_supportive] = 1
        y[self.is_opposed] = -1
        num = self.sum_of_ties(self.pull * y[self.influencer])
        q = np.zeros(self.N, np.float32)
        for i in self.everyone[self.den > 0]:
            if behaviour.share_exponent == 1.0:
                q[i] = np.float32(float(num[i]) / float(self.den[i]))
            else:
                below = float(pow_64(float(self.den[i]) * 2.0**-23, behaviour.share_exponent))
                q[i] = np.float32((float(num[i]) * 2.0**-23) / below)
        lam = behaviour.visibility
        E = np.float32(1.0 - lam) * q + np.float32(lam * F)
        if lam == 1.0:
            return E, np.full(self.N, total, np.int64)
        return E, num

    # Section 7.5: awareness (4b, rule 1)

    def is_told(self, week: int, u: Floats) -> Bools:
        """Who becomes aware this week."""
        behaviour, community = self.scenario.behaviour, self.community
        tells = self.a.copy()
        if behaviour.exposure_window is not None:
            tells &= week - self.told_week <= behaviour.exposure_window
        as_participant = tells & (self.x | self.is_supportive) & ~self.is_opposed
        as_other = tells & ~as_participant

        told_by_tie = np.zeros(self.N, bool)
        n_P = np.zeros(self.N, np.int64)
        n_N = np.zeros(self.N, np.int64)
        if community.well_mixed:
            n_P += as_participant.sum() - as_participant
            n_N += as_other.sum() - as_other
        elif community.transmission.size:
            told_by_tie = self.told_by_tie(week, as_participant, as_other)
        else:
            n_P = self.sum_of_ties(as_participant[self.influencer].astype(np.int64))
            n_N = self.sum_of_ties(as_other[self.influencer].astype(np.int64))

        l_media = self.of_group([float(log2_1m_64(group.background_media)) for group in self.groups])
        l_P = np.float32(log2_1m_64(behaviour.tell_participant))
        l_N = np.float32(log2_1m_64(behaviour.tell_other))
        e = (l_media + n_P.astype(np.float32) * l_P) + n_N.astype(np.float32) * l_N
        p = ONE - each(exp2_32, e)
        return ~self.a & (self.dosed | told_by_tie | (u < p))

    def told_by_tie(self, week: int, as_participant: Bools, as_other: Bools) -> Bools:
        """Who is told along a tie that carries its own weekly chance: one draw a tie to a teller."""
        behaviour, chance = self.scenario.behaviour, self.community.transmission
        u = uniform_of(self.words(streams.TELLING, week, np.arange(chance.size))[0])
        c_P, c_N = behaviour.tell_participant, behaviour.tell_other
        other_chance = chance * c_N / c_P if c_P > 0 else np.zeros(chance.size)
        tells = as_participant[self.influencer] & (u < chance.astype(np.float32))
        tells |= as_other[self.influencer] & (u < other_chance.astype(np.float32))
        told = np.zeros(self.N, bool)
        told[self.influenced[tells]] = True
        return told

    # Section 7.6: participation (4c, rules 3 and 4)

    def takes_part(self, aware: Bools, E: Floats, num: Integers, u: Floats) -> Bools:
        behaviour = self.scenario.behaviour
        rho = np.float32(behaviour.reconsider)
        x = self.x.astype(np.float32)
        chance = np.float32(1.0 - behaviour.reconsider) * x + rho * self.willing(E, num)
        joins: Bools = aware & ~self.is_opposed & (u < chance)
        if behaviour.irreversible:
            joins |= self.x
        return joins

    def willing(self, E: Floats, num: Integers) -> Floats:
        """Lambda(V/tau)."""
        behaviour = self.scenario.behaviour
        if self.least is not None:
            return np.array([int(n) >= least for n, least in zip(num, self.least, strict=True)], np.float32)
        r = 1.0
        for _ in range(self.v):
            r = r * (1.0 - behaviour.win_relief)
        K = self.of_group([behaviour.results_weight * self.z - r * group.barrier for group in self.groups])
        V = np.float32(behaviour.social_weight) * E
        V = V + (np.float32(behaviour.appeal_weight) * self.T) * self.m
        V = V + np.float32(behaviour.capability_weight) * self.s
        V = V + K
        V = V - self.theta
        V = V + (np.float32(behaviour.habit) * self.o) * self.x.astype(np.float32)
        if behaviour.noise == 0.0:
            return (V >= ZERO).astype(np.float32)
        return each(logistic_32, V * np.float32(LOG2_E / behaviour.noise))

    # Section 7.7: leaving and learning (5 and 6, rule 6)

    def leave(self, week: int) -> None:
        """Phase 5: lapse, turnover, forgetting."""
        behaviour = self.scenario.behaviour
        words = self.words(streams.WEEK, week)
        lapses = self.x & (uniform_of(words[2]) < np.float32(behaviour.lapse))
        self.x = self.x & ~lapses
        self.o[lapses] = self.o[lapses] * HALF

        u = uniform_of(words[3])
        mu = behaviour.turnover
        replaced = u < np.float32(mu)
        forgetting = np.float32(mu + (1.0 - mu) * (1.0 - remaining(behaviour.awareness_half_life)))
        forgets = ~replaced & self.a & ~self.x & ~self.dosed & (u < forgetting)
        self.a = self.a & ~forgets
        for i in self.everyone[replaced]:
            self.newcomer(i, week)

    def newcomer(self, i: int, week: int) -> None:
        """Somebody new takes the place of resident i."""
        scenario, behaviour = self.scenario, self.scenario.behaviour
        w = self.words(streams.NEWCOMER, week, np.array([i]))[:, 0]
        group = self.groups[self.community.group[i]]
        theta = drawn_threshold(behaviour.thresholds, w[0])
        if theta is not None and self.community.listed_threshold.size == 0:
            self.theta[i] = np.float32(theta)
        self.s0[i] = self.s[i] = drawn_level(group.capability, behaviour.capability_sd, w[1])
        self.T[i] = drawn_level(group.trust, behaviour.trust_sd, w[2])
        start = scenario.community.initial.aware
        if start == "by_group":
            is_leader = bool(self.community.is_leader[i])
            self.a[i] = is_leader or uniform_of(w)[3] < np.float32(group.aware)
        else:
            self.a[i] = start == "everyone"
        self.took_part_at_fe[i] = False  # whoever is replaced is lost
        self.x[i] = False
        self.o[i] = self.m[i] = ZERO
        self.contacted[i] = self.trained[i] = False
        self.told_week[i] = week

    def learn(self) -> None:
        """Phase 6: decay and learning of m, s, o."""
        behaviour = self.scenario.behaviour
        self.m = self.m * np.float32(remaining(behaviour.appeal_half_life))
        self.m[self.m < np.float32(1e-6)] = ZERO

        s, o, s0 = self.s, self.o, self.s0
        learned = s + np.float32(behaviour.learning) * (ONE - s)
        relaxed = s0 + (s - s0) * np.float32(remaining(behaviour.capability_half_life))
        self.s = np.where(self.x, learned, relaxed)
        grown = o + np.float32(behaviour.ownership_growth) * (ONE - o)
        faded = o * np.float32(remaining(behaviour.ownership_half_life))
        self.o = np.where(self.x, grown, faded)

    # Section 7.8: results and policy (8, rules 8 and 10), float64

    def results_and_policy(self, week: int) -> None:
        behaviour, community = self.scenario.behaviour, self.community
        F = float(self.x.sum()) / float(self.N)
        reached = float(pow_64(F, behaviour.results_exponent))
        phi = reached / (reached + float(pow_64(behaviour.results_half, behaviour.results_exponent)))
        self.z = self.z + behaviour.results_rate * (phi - self.z)

        n_leaders = int(community.is_leader.sum())
        trained = float(self.trained.sum()) / float(n_leaders) if n_leaders else 0.0
        total = 0.0
        for influence in community.org_influence:
            total += float(influence)
        C = float(community.org_influence[community.lead]) / total if total > 0 else 0.0
        hazard = behaviour.lobby_success * (C + F) * (1.0 + 0.5 * trained)
        chance = 1.0 - float(exp2_64(-hazard * LOG2_E))
        for effort in range(self.efforts):
            if self.v < behaviour.max_wins and self.draw_one(streams.LOBBY, week, effort) < chance:
                self.v += 1
        reversed_wins = [
            self.draw_one(streams.REVERSAL, week, win) < behaviour.win_reversal for win in range(self.v)
        ]
        self.v -= sum(reversed_wins)

    def draw_one(self, stream: int, week: int, entity: int) -> float:
        return float(uniform_of(self.words(stream, week, np.array([entity])))[0, 0])

    # Section 7.9: records (9) ------------------------------------------------------------------------------

    def record(self, week: int) -> None:
        kept = self.kept
        kept.aware.append(self.by_group(self.a))
        kept.participating.append(self.by_group(self.x))
        kept.contacted.append(self.by_group(self.contacted))
        kept.participating_uncontacted.append(self.by_group(self.x & ~self.contacted))
        kept.results.append(self.z)
        kept.wins.append(self.v)
        kept.units.append(self.units)
        kept.spent.append(self.spent)
        kept.reached.append(self.reached)
        if week % self.scenario.campaign.decision_interval_weeks == 0 or week in (self.fe, self.end):
            kept.means[week] = self.sums_for_means()
        if week == self.fe:
            self.took_part_at_fe = self.x.copy()
            self.participants_fe = int(self.x.sum())
            self.never_left = self.x.copy()
        self.never_left &= self.x

    def sums_for_means(self) -> Integers:
        """(6, groups) sums of round(value * 2**32), ties to even."""
        measures = (self.m, self.s, self.o, self.T, self.s * self.o, self.m * self.a.astype(np.float32))
        sums = np.zeros((6, len(self.groups)), np.int64)
        for row, values in zip(sums, measures, strict=True):
            whole = np.rint(values.astype(np.float64) * 2.0**32).astype(np.int64)
            np.add.at(row, self.community.group, whole)
        return sums

    def finished(self) -> ReferenceRun:
        kept = self.kept
        weeks, activities = len(kept.wins), len(self.lines)
        return ReferenceRun(
            aware=np.array(kept.aware),
            participating=np.array(kept.participating),
            contacted=np.array(kept.contacted),
            participating_uncontacted=np.array(kept.participating_uncontacted),
            results=np.array(kept.results, np.float64),
            wins=np.array(kept.wins, np.int64),
            units=np.array(kept.units, np.int64).reshape(weeks, activities),
            spent_cents=np.array(kept.spent, np.int64).reshape(weeks, activities),
            reached=np.array(kept.reached, np.int64),
            means=kept.means,
            final_aware=self.a,
            final_participating=self.x,
            final_contacted=self.contacted,
            final_threshold=self.theta,
            final_start_capability=self.s0,
            final_capability=self.s,
            final_ownership=self.o,
            final_trust=self.T,
            final_appeal=self.m,
            final_told_week=self.told_week,
            participants_fe=self.participants_fe,
            participants_fe_at_end=int((self.took_part_at_fe & self.x).sum()),
            participants_fe_never_left=int(self.never_left.sum()),
            budget_cents=self.budget,
            unspent_cents=self.left + sum(line.purse for line in self.lines),
        )
