"""The model in plain NumPy, for one lane: one arm, one community, one luck.

Written from docs/odd.md alone, in its order, so that it can be read beside it; the section numbers in the
comments are the sections there. It shares with the engine only the generator (`kernels/keyed.py`), the
elementary functions (`kernels/elementary.py`) and exact betweenness (`community/scores.py`). Rules that
choose people one after another are in `tests/choosing.py`. It is meant to be obviously right, not fast. Rules
of one's own (targeting, policies, activities in Python) are not in it.

float32 is kept by hand: parameters are `np.float32`, arrays are float32, and every operation rounds once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tests import choosing

from mobsim.campaign.activity import CAUSES, ActivitySpec, ActivityUse, ArmSpec
from mobsim.campaign.calendar import CalendarSpec, Period
from mobsim.campaign.targeting import TargetSpec
from mobsim.community.behaviour import (
    ConstantThresholds,
    CountThresholds,
    ListedThresholds,
    NormalThresholds,
    TruncatedNormalThresholds,
    UniformThresholds,
)
from mobsim.community.cascade import ONE_AFTER_ANOTHER
from mobsim.community.community import Community
from mobsim.kernels import streams
from mobsim.kernels.elementary import (
    LOG2_E,
    exp2_32,
    exp2_64,
    log2_1m_64,
    logistic_32,
    logistic_64,
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
NEVER = -(2**30)  # the week of the last engagement of who was never engaged
NO_CAP = 2**62  # more units than any purse can pay
RANKING = ("degree", "bridging", "distance", *ONE_AFTER_ANOTHER)  # rules that need the network map
INFORMATION, CAPABILITY, BARRIER, TRUST = range(len(CAUSES))
IDLE_WEEKS = 4  # an organizer who has not taken part for so long stops


class SurveyRecord(NamedTuple):
    """One survey that was bought, and what the policy made of it.

    asked, aware_yes, participating_yes : (groups,) respondents and those who answered yes.
    causes : (4,) how many named each cause; named : (lines,) how many named each line as the last.
    shares : of the arm's lines after the survey, normalized; group : chosen by the policy equity, or -1.
    """

    week: int
    asked: Integers
    aware_yes: Integers
    participating_yes: Integers
    causes: Integers
    named: Integers
    shares: tuple[Fraction, ...]
    group: int


class Estimate(NamedTuple):
    """What a survey says about a share: corrected for false answers, with its standard error."""

    share: float
    error: float


@dataclass(frozen=True, eq=False)
class ReferenceRun:
    """What one lane recorded; arrays by week hold weeks 0 ... horizon - 1.

    Lines are the arm's activities and, where the arm buys surveys, one more at the end: the survey.

    aware, participating, contacted, participating_uncontacted, organizers : (weeks, groups) residents.
    results, coalition : (weeks,) float64; wins : (weeks,) standing policy wins.
    stances : (weeks, 2) supportive and opposed leaders; contacts : (weeks,) made by organizers.
    units, spent_cents, local_cents : (weeks, lines); spent_cents is external money, with the network map.
    income : (weeks,) local cents: public money of the week's phase 2, contributions of its phase 7.
    reached : (weeks, lines, groups) reached, come or heard.
    means : week -> (6, groups) sums of round(value * 2**32): appeal, capability, ownership, trust, s*o, m*a.
    organizations : week -> (4, organizations) float64: interest, capacity, in coalition, resources in cents.
    surveys : those bought; estimates : for each, (awareness, participation), each a list of one `Estimate`
        (or none) for all and for every group; voices : with `community_decides`, (week, causes, shares).
    final_* : state after the last week; told_week is meant for aware residents only, engaged (the week of the
        last engagement, or NEVER) for leaders only; last is the line whose dose came last, or -1.
    participants_fe, participants_fe_at_end, participants_fe_never_left : numbers of residents.
    organizers_fe, organizers_fe_always : organizers at fe, and those of them in every record to the end.
    budget_cents, unspent_cents : external money; local_remainder_cents : local money that was not spent.
    """

    aware: Integers
    participating: Integers
    contacted: Integers
    participating_uncontacted: Integers
    organizers: Integers
    results: npt.NDArray[np.float64]
    wins: Integers
    coalition: npt.NDArray[np.float64]
    stances: Integers
    contacts: Integers
    units: Integers
    spent_cents: Integers
    local_cents: Integers
    income: Integers
    reached: Integers
    means: dict[int, Integers]
    organizations: dict[int, npt.NDArray[np.float64]]
    surveys: list[SurveyRecord]
    estimates: list[tuple[list[Estimate | None], list[Estimate | None]]]
    voices: list[tuple[int, Integers, tuple[Fraction, ...]]]
    final_aware: Bools
    final_participating: Bools
    final_contacted: Bools
    final_trained: Bools
    final_organizer: Bools
    final_idle: Integers
    final_stance: Integers
    final_engaged: Integers
    final_last: Integers
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
    organizers_fe: int
    organizers_fe_always: int
    budget_cents: int
    unspent_cents: int
    local_remainder_cents: int


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
        lane.start_week(week)
        lane.live(week)
    for week in range(scenario.campaign.horizon_weeks):
        lane.start_week(week)
        lane.survey_and_adapt(week)
        lane.add_money(week)
        lane.add_local_money(week)
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


def millionths(share: float) -> int:
    return half_up(exact(share) * 10**6)


def uniform_of(words: npt.NDArray[np.uint32]) -> Floats:
    """u(w) = (w >> 8) * 2**-24, exact in float32."""
    return (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def each(function: Callable[[np.float32], np.float32], values: Floats) -> Floats:
    """Apply a float32 function of one number to every element."""
    return np.array([function(value) for value in values], np.float32)


def chance_64(numerator: float, noise: float) -> float:
    """Lambda(numerator / noise) in float64; without noise a sharp threshold at 0."""
    if noise == 0.0:
        return 1.0 if numerator >= 0.0 else 0.0
    return float(logistic_64(numerator / noise))


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
# Section 7.1: an activity of the arm, with its price and its money


@dataclass
class _Line:
    """One line of the arm: an activity, its place among the draws, its money."""

    spec: ActivitySpec
    target: TargetSpec
    code: int  # which TARGET and POOL streams are its own
    cost_cents: int
    by: int  # the organization that delivers, or -1
    answers: list[Fraction]  # its weight for each cause
    purse: int = 0
    local_purse: int = 0
    cycle: int = 0
    place: int = 0  # how far the cycle has come
    next_organization: int = 0  # where training of organizations goes on


def unit_price(spec: ActivitySpec, cost: float | None, absolute: bool, N: int) -> int:
    """Cents a unit."""
    price = exact(spec.cost if cost is None else cost)
    if spec.cost_scales and not absolute:
        price *= Fraction(N, 1000)
    return max(1, half_up(price * 100))


def _line(scenario: Scenario, community: Community, uses: tuple[ActivityUse, ...], at: int) -> _Line:
    use = uses[at]
    spec = scenario.activities[use.kind]
    assert spec.delivery not in ("python", "survey"), "not a line of the reference"
    earlier = sum(other.kind == use.kind for other in uses[:at])
    by = spec.by if use.by is None else use.by
    if by == "lead":
        k = community.lead
    elif by == "largest_cbo":
        k = community.largest_cbo
    else:
        k = community.organization_names.index(by)
    # Without organizations only lobbying can be delivered, and it gives no dose.
    assert k >= 0 or spec.delivery == "lobby"
    return _Line(
        spec=spec,
        target=spec.target if use.target is None else use.target,
        code=spec.number + 64 * earlier,
        cost_cents=unit_price(spec, use.cost, use.absolute, community.n_residents),
        by=k,
        answers=[exact(spec.answers.get(cause, 0.0)) for cause in CAUSES],
    )


def normalized(shares: list[Fraction]) -> list[Fraction]:
    total = sum(shares, Fraction(0))
    return [share / total for share in shares]


def split(cents: int, shares: list[Fraction]) -> list[int]:
    """Divide money by normalized shares, cumulated and cut to whole millionths."""
    cumulated = [math.floor(10**6 * sum(shares[:b], Fraction(0))) for b in range(len(shares) + 1)]
    return [cents * cumulated[b + 1] // 10**6 - cents * cumulated[b] // 10**6 for b in range(len(shares))]


def runs(period: Period, week: int) -> bool:
    """Whether a step of the calendar runs this week."""
    started = week >= period.first
    ended = period.until is not None and week >= period.until
    occasion = period.every is None or (week - period.first) % period.every == 0
    return started and not ended and occasion


def is_running(calendar: CalendarSpec, spec: ActivitySpec, week: int) -> bool:
    """Whether any step that permits the activity runs this week."""
    return any(runs(getattr(calendar, step), week) for step in spec.steps)


# ---------------------------------------------------------------------------------------------------------
# Section 7.12: what a survey says


def estimate(yes: int, asked: int, residents: int, epsilon: float) -> Estimate | None:
    """A share corrected for false answers, with its standard error; none where nobody was asked."""
    if asked == 0:
        return None
    p = float(yes) / float(asked)
    sampling = (1.0 - float(asked) / float(residents)) * p * (1.0 - p) / float(asked)
    answering = epsilon * (1.0 - epsilon) / float(residents)
    share = (p - epsilon) / (1.0 - 2.0 * epsilon)
    return Estimate(
        share=min(max(share, 0.0), 1.0),
        error=math.sqrt(sampling + answering) / (1.0 - 2.0 * epsilon),
    )


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
    organizers: list[Integers] = field(default_factory=list)
    results: list[float] = field(default_factory=list)
    wins: list[int] = field(default_factory=list)
    coalition: list[float] = field(default_factory=list)
    stances: list[tuple[int, int]] = field(default_factory=list)
    contacts: list[int] = field(default_factory=list)
    units: list[list[int]] = field(default_factory=list)
    spent: list[list[int]] = field(default_factory=list)
    local: list[list[int]] = field(default_factory=list)
    income: list[int] = field(default_factory=list)
    reached: list[Integers] = field(default_factory=list)
    means: dict[int, Integers] = field(default_factory=dict)
    organizations: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    surveys: list[SurveyRecord] = field(default_factory=list)
    estimates: list[tuple[list[Estimate | None], list[Estimate | None]]] = field(default_factory=list)
    voices: list[tuple[int, Integers, tuple[Fraction, ...]]] = field(default_factory=list)


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
        self.r = np.zeros(self.N, bool)  # organizers
        self.idle = np.zeros(self.N, np.int64)
        self.last = np.full(self.N, -1, np.int64)  # the line whose dose came last
        self.y = community.leaning.astype(np.int64)  # stances; 0 for those who are not leaders
        self.engaged_week = np.full(self.N, NEVER, np.int64)  # of leaders
        self.z = 0.0
        self.v = 0

        # Organizations; resources are whole cents.
        self.K = len(community.organization_names)
        specs = scenario.community.organizations
        self.is_cbo = np.array([spec.type == "cbo" for spec in specs], bool)
        self.interest = [float(value) for value in community.interest]
        self.capacity = [float(value) for value in community.capacity]
        self.start_resources = [
            half_up(exact(spec.resources_per_1000) * 100 * self.N / 1000) for spec in specs
        ]
        self.resources = list(self.start_resources)
        self.joined = [k == community.lead for k in range(self.K)]
        self.organization_engaged_week = np.full(self.K, NEVER, np.int64)
        self.C0 = self.coalition()

        # Row i lists those who influence i; here as one entry a tie.
        self.influenced = np.repeat(self.everyone, community.degree)
        self.influencer = community.neighbours.astype(np.int64)
        weight = community.tie_weight if community.tie_weight.size else np.full(community.n_ties, WHOLE_TIE)
        self.pull = weight.astype(np.int64) * community.influence.astype(np.int64)[self.influencer]
        self.den = self.sum_of_ties(self.pull)
        self.least = least_numbers(scenario, community, self.den)

        # Section 7.1: the arm and its money. The arm none has no activities and no money.
        self.chosen: dict[object, Integers] = {}  # scores of rules that choose one after another
        self.arm = scenario.arms[arm] if arm != NONE else ArmSpec(activities=())
        uses = self.arm.activities
        self.lines = [_line(scenario, community, uses, at) for at in range(len(uses))]
        self.shares = normalized([exact(use.share) for use in uses]) if uses else []
        self.budget = 0
        if uses:
            per_resident = exact(scenario.campaign.budget_per_resident) * exact(self.arm.budget_share)
            self.budget = half_up(per_resident * 100 * self.N)
        self.left = self.budget
        self.map_cents = 0
        self.map_line = -1
        mapped = [b for b, line in enumerate(self.lines) if line.target.rule in RANKING]
        if mapped and self.budget > 0:
            prices = [exact(self.lines[b].target.mapping_cost_per_person) for b in mapped]
            self.map_cents = half_up(max(prices) * 100 * self.N)
            self.map_line = mapped[0]
            if self.map_cents > self.budget:
                raise ValueError("the network map costs more than the budget")
            self.left -= self.map_cents
        self.pot = 0  # contributions that are not in the purses yet
        self.local_unsplit = 0  # local money that no line may spend

        # Section 7.12: surveys and the policy.
        self.buys_surveys = self.arm.survey is not None and not self.arm.community_decides
        self.n_lines = len(self.lines) + self.buys_surveys
        self.n_surveys = 0
        self.cents_since_survey = [0] * len(self.lines)
        self.voiced = np.zeros(len(CAUSES), np.int64)  # causes named at meetings since the last survey week
        self.equity_group = -1

        # What happened this week, and what is kept.
        self.start_week(-scenario.campaign.burn_in_weeks)
        self.kept = _Kept()
        self.took_part_at_fe = np.zeros(self.N, bool)
        self.participants_fe = 0
        self.never_left = np.zeros(self.N, bool)
        self.organizers_fe = 0
        self.always_organizer = np.zeros(self.N, bool)

    def start_week(self, week: int) -> None:
        """Forget what belonged to the week before."""
        if week == 0:
            self.C0 = self.coalition()
        self.units = [0] * self.n_lines
        self.spent = [0] * self.n_lines
        self.local = [0] * self.n_lines
        self.reached = np.zeros((self.n_lines, len(self.groups)), np.int64)
        self.income = 0
        self.dosed = np.zeros(self.N, bool)
        self.stipend = np.zeros(self.N, bool)
        self.broadcasts = self.demonstrations = self.efforts = self.contacts = 0

    # Section 2 -------------------------------------------------------------------------------------------

    def coalition(self) -> float:
        """C: the share of influence that stands in the coalition."""
        joined, total = 0.0, 0.0
        for f, member in zip(self.community.org_influence, self.joined, strict=True):
            joined += float(f) * member
            total += float(f)
        return joined / total if total > 0 else 0.0

    def engaged(self, since: Integers, week: int) -> Bools:
        """Whose last engagement still holds."""
        return week - since < self.scenario.behaviour.engagement_weeks

    def visibility(self) -> float:
        """Lambda of this week (7.4): doubled by a demonstration."""
        lam = self.scenario.behaviour.visibility
        return min(1.0, 2.0 * lam) if self.demonstrations else lam

    def barrier_left(self) -> float:
        """r = 1 - q (7.6): what the standing wins leave of the barriers."""
        r = 1.0
        for _ in range(self.v):
            r = r * (1.0 - self.scenario.behaviour.win_relief)
        return r

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

    # Section 7.12: surveys and policies (phase 1) ----------------------------------------------------------

    def survey_and_adapt(self, week: int) -> None:
        """In a survey week: pay, ask, estimate, let the policy act."""
        campaign = self.scenario.campaign
        first = week == campaign.calendar.assess.first
        if not (first or runs(campaign.calendar.monitor, week)) or week >= campaign.funding_ends_week:
            return
        if self.arm.community_decides:
            self.hear_voices(week)
        elif self.arm.survey is not None:
            self.survey(week)

    def hear_voices(self, week: int) -> None:
        """The causes that people named at meetings stand for the survey's."""
        causes, self.voiced = self.voiced, np.zeros(len(CAUSES), np.int64)
        if causes.sum() == 0:
            return
        if self.arm.policy == "reasons" or (self.arm.policy == "assessed" and self.n_surveys == 0):
            self.answer_causes(causes)
        self.n_surveys += 1
        self.kept.voices.append((week, causes, tuple(self.shares)))

    def survey(self, week: int) -> None:
        survey = self.arm.survey
        assert survey is not None
        spec = self.scenario.activities["survey"]
        n = min(survey.respondents, self.N)
        price = n * unit_price(spec, None, False, self.N)
        if self.budget == 0 or price > self.left:
            return
        self.left -= price
        words = self.words(streams.SURVEY, week)
        asked = self.by_order_word(self.everyone, words[0])[:n]
        epsilon = spec.misreport
        told_truly = self.community.is_leader & self.engaged(self.engaged_week, week)
        cbo = self.is_cbo & self.engaged(self.organization_engaged_week, week)
        if told_truly.any() or cbo.any():
            epsilon = epsilon * spec.insight
        if survey.perfect:
            asked, epsilon = self.everyone, 0.0
        self.spent[-1] = price
        self.units[-1] = asked.size

        u = uniform_of(words.reshape(-1)).reshape(words.shape)
        is_false = u < np.float32(epsilon)
        says_aware = self.a ^ is_false[1]
        says_part = self.x ^ is_false[2]
        cause = np.where(is_false[3], (words[3] % 4).astype(np.int64), self.true_causes(self.everyone))
        idle, taking_part = asked[~says_part[asked]], asked[says_part[asked]]
        last = self.last[taking_part]
        causes = np.bincount(cause[idle], minlength=len(CAUSES)).astype(np.int64)
        named = np.bincount(last[last >= 0], minlength=len(self.lines)).astype(np.int64)

        chosen = np.zeros(self.N, bool)
        chosen[asked] = True
        n_asked, aware_yes, part_yes = (
            self.by_group(answered) for answered in (chosen, chosen & says_aware, chosen & says_part)
        )
        everybody = self.by_group(np.ones(self.N, bool))
        awareness, participation = (
            [estimate(int(yes.sum()), int(n_asked.sum()), self.N, epsilon)]
            + [
                estimate(int(yes[g]), int(n_asked[g]), int(everybody[g]), epsilon)
                for g in range(len(self.groups))
            ]
            for yes in (aware_yes, part_yes)
        )

        policy = self.arm.policy
        if policy == "reasons" or (policy == "assessed" and self.n_surveys == 0):
            self.answer_causes(causes)
        elif policy == "marginal" and self.n_surveys > 0:
            self.move_to_the_best(named)
        elif policy == "equity":
            self.equity_group = self.furthest_below_goal(participation[1:])
        self.n_surveys += 1
        self.cents_since_survey = [0] * len(self.lines)
        self.kept.estimates.append((awareness, participation))
        self.kept.surveys.append(
            SurveyRecord(
                week, n_asked, aware_yes, part_yes, causes, named, tuple(self.shares), self.equity_group
            )
        )

    def true_causes(self, residents: Integers) -> Integers:
        """What keeps each from taking part, whether or not they do."""
        behaviour = self.scenario.behaviour
        r = self.barrier_left()
        causes = []
        for i in residents:
            weights = {
                CAPABILITY: behaviour.capability_weight * (1.0 - float(self.s[i])),
                BARRIER: r * self.groups[self.community.group[i]].barrier,
                TRUST: behaviour.appeal_weight * (1.0 - float(self.T[i])),
            }
            causes.append(max(weights, key=weights.__getitem__) if self.a[i] else INFORMATION)
        return np.array(causes, np.int64)

    def answer_causes(self, named: Integers) -> None:
        """Policies assessed and reasons: shares follow the causes, beyond a tenth of all that were named."""
        total = int(named.sum())
        shares = [Fraction(0)] * len(self.lines)
        for c, times in enumerate(named):
            answered = sum((line.answers[c] for line in self.lines), Fraction(0))
            weight = max(0, 10 * int(times) - total)
            if answered > 0:
                for b, line in enumerate(self.lines):
                    shares[b] += weight * line.answers[c] / answered
        if any(shares):
            self.shares = normalized(shares)

    def move_to_the_best(self, named: Integers) -> None:
        """Policy marginal: up to a tenth goes from the line that gained least for its money to the best."""
        gains = {
            b: Fraction(int(named[b]), cents) for b, cents in enumerate(self.cents_since_survey) if cents > 0
        }
        above_the_floor = [b for b in gains if self.shares[b] > Fraction(1, 10)]
        if not above_the_floor:
            return
        best = max(gains, key=gains.__getitem__)
        worst = min(above_the_floor, key=gains.__getitem__)
        moved = min(Fraction(1, 10), self.shares[worst] - Fraction(1, 10))
        if gains[best] > gains[worst]:
            self.shares = list(self.shares)
            self.shares[worst] -= moved
            self.shares[best] += moved

    def furthest_below_goal(self, participation: list[Estimate | None]) -> int:
        """Policy equity: the group with the largest estimated shortfall, or -1."""
        goals = [goal for goal in self.scenario.goals if goal.indicator == "participation"]
        chosen, largest = -1, 0.0
        for g, (name, seen) in enumerate(zip(self.community.group_names, participation, strict=True)):
            own = [goal for goal in goals if goal.group == name] or [
                goal for goal in goals if goal.group == "all"
            ]
            if not own or seen is None:
                continue
            assert own[0].at_least is not None
            shortfall = own[0].at_least - seen.share
            if shortfall > largest:
                chosen, largest = g, shortfall
        return chosen

    # Section 7.1: money and buying (phase 2) ---------------------------------------------------------------

    def is_funded(self, week: int) -> bool:
        campaign = self.scenario.campaign
        return campaign.funding_starts_week <= week < campaign.funding_ends_week

    def has_local_money(self, week: int) -> bool:
        """Local money comes only to arms with an external budget, from the first funded week on (7.14)."""
        return self.budget > 0 and week >= self.scenario.campaign.funding_starts_week

    def add_money(self, week: int) -> None:
        """Split the week's inflow among the purses; pay the network map in the first funded week."""
        if not self.is_funded(week) or not self.lines:
            return
        if week == self.scenario.campaign.funding_starts_week and self.map_line >= 0:
            self.spent[self.map_line] += self.map_cents
        inflow = self.left // (self.scenario.campaign.funding_ends_week - week)
        self.left -= inflow
        for line, cents in zip(self.lines, split(inflow, self.shares), strict=True):
            line.purse += cents

    # Section 7.14: local money (phase 2)

    def add_local_money(self, week: int) -> None:
        """Split the pot and public money among the local purses."""
        if not self.has_local_money(week):
            return
        public = self.public_money()
        self.income += public
        money, self.pot = self.pot + public, 0
        shares = [
            share if line.spec.delivery != "lobby" else Fraction(0)
            for line, share in zip(self.lines, self.shares, strict=True)
        ]
        if not any(shares):
            self.local_unsplit += money
            return
        for line, cents in zip(self.lines, split(money, normalized(shares)), strict=True):
            line.local_purse += cents

    def public_money(self) -> int:
        """Cents a week that standing wins bring."""
        campaign, most = self.scenario.campaign, self.scenario.behaviour.max_wins
        if most == 0:
            return 0
        funded_weeks = campaign.funding_ends_week - campaign.funding_starts_week
        return math.floor(exact(campaign.public_money) * Fraction(self.v, most) * self.budget / funded_weeks)

    # Section 7.1 again: buying

    def buy_and_deliver(self, week: int) -> None:
        """Let each activity in turn buy units, choose targets and give doses."""
        if week < self.scenario.campaign.funding_starts_week:
            return
        for b, line in enumerate(self.lines):
            if not is_running(self.scenario.campaign.calendar, line.spec, week):
                continue
            targets = self.targets(line, week)
            cap = self.cap(line, week, targets)
            external = min(line.purse // line.cost_cents, cap) if self.is_funded(week) else 0
            local = min(line.local_purse // line.cost_cents, cap - external)
            line.purse -= external * line.cost_cents
            line.local_purse -= local * line.cost_cents
            self.units[b] = external + local
            self.spent[b] += external * line.cost_cents
            self.local[b] = local * line.cost_cents
            self.cents_since_survey[b] += (external + local) * line.cost_cents
            self.deliver(b, week, external + local, targets)

    def cap(self, line: _Line, week: int, targets: Integers) -> int:
        """The most units that can be used this week."""
        delivery, per_unit = line.spec.delivery, line.spec.per_unit
        if delivery == "broadcast":
            return max(0, line.spec.max_units - self.broadcasts)
        if delivery == "lobby":
            return NO_CAP if self.v < self.scenario.behaviour.max_wins else 0
        if delivery == "demonstration":
            return 1 - self.demonstrations
        if delivery == "organization":
            return len(self.delivering())
        if delivery == "coalition":
            return len(self.organizations_to_engage(line, week)) + targets.size
        if delivery == "stipend":
            return int(targets.size)
        candidates = self.N if line.target.rule == "nominated" else targets.size
        return -(-candidates // per_unit) if delivery == "seats" else candidates // per_unit

    def deliver(self, b: int, week: int, units: int, targets: Integers) -> None:
        """Section 7.3: what the units of a line do."""
        line = self.lines[b]
        delivery = line.spec.delivery
        if units == 0:
            return
        if delivery == "lobby":
            self.efforts += units
        elif delivery == "demonstration":
            self.demonstrations += units
        elif delivery == "organization":
            self.train_organizations(line, units)
        elif delivery == "coalition":
            self.engage(b, week, units, targets)
        elif delivery == "stipend":
            self.stipend[targets[:units]] = True
            np.add.at(self.reached[b], self.community.group[targets[:units]], 1)
        else:
            self.broadcasts += units if delivery == "broadcast" else 0
            reached = np.array(self.reach(line, week, units, targets), np.int64)
            if delivery == "seats" and line.spec.ownership > 0:
                np.add.at(self.voiced, self.true_causes(reached), 1)
            self.give_doses(b, week, reached)

    def delivering(self) -> list[int]:
        """The organizations that deliver a line of the arm."""
        return sorted({line.by for line in self.lines if line.by >= 0})

    def train_organizations(self, line: _Line, units: int) -> None:
        """Raise the capacity of one organization a unit, in turn."""
        delivering = self.delivering()
        for _ in range(units):
            k = delivering[line.next_organization]
            self.capacity[k] = self.capacity[k] + line.spec.capacity * (1.0 - self.capacity[k])
            line.next_organization = (line.next_organization + 1) % len(delivering)

    def organizations_to_engage(self, line: _Line, week: int) -> list[int]:
        """Those not engaged, without the lead, largest influence first."""
        if line.target.rule == "leaders":
            return []
        engaged = self.engaged(self.organization_engaged_week, week)
        free = [k for k in range(self.K) if k != self.community.lead and not engaged[k]]
        return sorted(free, key=lambda k: (-float(self.community.org_influence[k]), k))

    def engage(self, b: int, week: int, units: int, leaders: Integers) -> None:
        """Give each unit to an organization, or when none is left to a leader."""
        line = self.lines[b]
        organizations = self.organizations_to_engage(line, week)[:units]
        for k in organizations:
            self.organization_engaged_week[k] = week
            self.interest[k] = self.interest[k] + line.spec.interest * (1.0 - self.interest[k])
            if line.spec.trust > 0:
                self.give_trust(line, self.everyone[self.community.member_of == k])
        chosen = leaders[: units - len(organizations)]
        self.engaged_week[chosen] = week
        self.give_doses(b, week, chosen)

    # Section 7.2: targets (phase 2) ------------------------------------------------------------------------

    def targets(self, line: _Line, week: int) -> Integers:
        """Everybody who can be targeted this week, in the order in which they are."""
        rule, delivery = line.target.rule, line.spec.delivery
        order, _, nominee, _ = self.words(streams.TARGET + line.code, week)
        if delivery in ("lobby", "demonstration", "organization"):
            return np.empty(0, np.int64)
        if delivery == "stipend":
            return self.everyone[self.r & ~self.stipend]
        if delivery == "coalition":
            free = self.community.is_leader & ~self.engaged(self.engaged_week, week)
            return self.by_order_word(self.everyone[free], order)
        if rule == "nominated":
            return self.nominees(line, order, nominee)

        candidates = self.everyone[self.is_allowed(line)]
        if rule == "cycle":
            if line.place >= candidates.size:
                line.cycle, line.place = line.cycle + 1, 0
            turn = self.words(streams.POOL + line.code, line.cycle)[0]
            return self.by_order_word(candidates, turn)[line.place :]
        if rule in RANKING:
            candidates = self.first_by_score(line, week, candidates)
        elif rule == "clustered":
            candidates = self.in_whole_neighbourhoods(line, week, candidates)
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
        free_rule = target.rule in ("random", "non_participants") and target.group is None
        if self.equity_group >= 0 and free_rule and line.spec.delivery != "broadcast":
            allowed &= community.group == self.equity_group
        return allowed

    def refresh(self, line: _Line, week: int) -> int:
        """How often the pool of a line has been drawn anew."""
        if line.target.refresh_weeks is None:
            return 0
        return (week - self.scenario.campaign.funding_starts_week) // line.target.refresh_weeks

    def first_by_score(self, line: _Line, week: int, candidates: Integers) -> Integers:
        """The fraction with the largest scores; among equals the smallest (POOL order word, id)."""
        tie_break = self.words(streams.POOL + line.code, self.refresh(line, week))[0]
        wanted = math.ceil(exact(line.target.fraction) * candidates.size)
        score = self.scores(line.target, candidates, wanted)
        ranked = candidates[np.lexsort((candidates, tie_break[candidates], -score[candidates]))]
        return ranked[:wanted]

    def scores(self, target: TargetSpec, candidates: Integers, wanted: int) -> Integers:
        """The number of ties, how much somebody lies between others or near them, or the order of choice."""
        community = self.community
        if community.well_mixed:
            return np.zeros(self.N, np.int64)
        if target.rule == "degree":
            return community.degree
        if target.rule == "distance":
            return np.array(choosing.distance_scores(community), np.int64)
        if target.rule in ONE_AFTER_ANOTHER:
            key = (target.ranking(), candidates.tobytes(), wanted)
            if key not in self.chosen:
                may = np.isin(self.everyone, candidates)
                self.chosen[key] = choosing.choice_scores(community, target.rule, target, may, wanted)
            return self.chosen[key]
        if target.centrality == "betweenness":
            from mobsim.community.scores import network_scores

            return network_scores(community, "bridging", "betweenness")
        places = [set() for _ in self.everyone]
        for i, j in zip(self.influenced, self.influencer, strict=True):
            places[i].add(int(community.neighbourhood[j]))
        return np.array([len(of_i) for of_i in places], np.int64)

    def in_whole_neighbourhoods(self, line: _Line, week: int, candidates: Integers) -> Integers:
        """Whole neighbourhoods in random order, until they hold the fraction of the candidates."""
        place = self.community.neighbourhood.astype(np.int64)
        places = np.unique(place)
        order = self.words(streams.POOL + line.code, self.refresh(line, week), places)[0]
        enough = math.ceil(exact(line.target.fraction) * candidates.size)
        chosen: list[Integers] = []
        for number in places[np.lexsort((places, order))]:
            if sum(part.size for part in chosen) >= enough:
                break
            chosen.append(candidates[place[candidates] == number])
        return np.concatenate([np.empty(0, np.int64), *chosen])

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

    def give_doses(self, b: int, week: int, reached: Integers) -> None:
        """Dose everybody reached by a line, once each, with its organization's capacity of the moment."""
        line = self.lines[b]
        spec, group = line.spec, self.community.group[reached]
        e = self.capacity[line.by]
        appeal = np.array(
            [spec.appeal * e * float(c) for c in self.community.credibility[line.by]], np.float32
        )
        m, s, o = self.m[reached], self.s[reached], self.o[reached]
        self.m[reached] = m + appeal[group]
        self.s[reached] = s + np.float32(spec.capability * e) * (ONE - s)
        self.o[reached] = o + np.float32(spec.ownership) * (ONE - o)
        self.give_trust(line, reached)
        self.dosed[reached] = True
        self.last[reached] = b
        if spec.contact:
            self.contacted[reached] = True
        if spec.trains_leaders:
            leaders = reached[self.community.is_leader[reached]]
            self.trained[leaders] = True
            self.engaged_week[leaders] = week
        np.add.at(self.reached[b], group, 1)

    def give_trust(self, line: _Line, reached: Integers) -> None:
        spec, e = line.spec, self.capacity[line.by]
        trust = np.array([spec.trust * e * float(c) for c in self.community.credibility[line.by]], np.float32)
        loss = np.float32(self.scenario.behaviour.trust_loss * (1.0 - e) if spec.trust > 0 else 0.0)
        A, T = trust[self.community.group[reached]], self.T[reached]
        self.T[reached] = (T + A * (ONE - T)) - loss * T

    # Section 7.11: organizers' contacts (phase 3, rule 7) --------------------------------------------------

    def contact_peers(self, week: int) -> None:
        """Let every organizer speak with some of those around."""
        behaviour, community = self.scenario.behaviour, self.community
        for organizer in self.everyone[self.r]:
            row = community.neighbours[community.row_start[organizer] : community.row_start[organizer + 1]]
            choices = self.N - 1 if community.well_mixed else row.size
            if choices == 0:
                continue
            contacts = behaviour.organizer_contacts * (2 if self.stipend[organizer] else 1)
            for c in range(contacts):
                word = self.words(streams.PEER + c // 4, week, np.array([organizer]))[c % 4, 0]
                place = (int(word) * choices) >> 32
                other = place + 1 if place >= organizer else place
                person = other if community.well_mixed else int(row[place])
                self.m[person] = self.m[person] + np.float32(behaviour.peer_appeal)
                self.dosed[person] = True
                self.contacts += 1

    # Phases 3 to 8 -----------------------------------------------------------------------------------

    def live(self, week: int) -> None:
        """What happens in every week, with and without a campaign."""
        self.contact_peers(week)
        self.diffuse(week)
        self.leave(week)
        self.learn()
        self.organize(week)
        self.decide(week)
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
        y[self.y == 1] = 1
        y[self.y == -1] = -1
        num = self.sum_of_ties(self.pull * y[self.influencer])
        q = np.zeros(self.N, np.float32)
        for i in self.everyone[self.den > 0]:
            if behaviour.share_exponent == 1.0:
                q[i] = np.float32(float(num[i]) / float(self.den[i]))
            else:
                below = float(pow_64(float(self.den[i]) * 2.0**-23, behaviour.share_exponent))
                q[i] = np.float32((float(num[i]) * 2.0**-23) / below)
        lam = self.visibility()
        E = np.float32(1.0 - lam) * q + np.float32(lam * F)
        if behaviour.visibility == 1.0:
            return E, np.full(self.N, total, np.int64)
        return E, num

    # Section 7.5: awareness (4b, rule 1)

    def is_told(self, week: int, u: Floats) -> Bools:
        """Who becomes aware this week."""
        behaviour, community = self.scenario.behaviour, self.community
        tells = self.a.copy()
        if behaviour.exposure_window is not None:
            tells &= week - self.told_week <= behaviour.exposure_window
        as_participant = tells & (self.x | (self.y == 1)) & (self.y != -1)
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
        joins: Bools = aware & (self.y != -1) & (u < chance)
        if behaviour.irreversible:
            joins |= self.x
        return joins

    def willing(self, E: Floats, num: Integers) -> Floats:
        """Lambda(V/tau)."""
        behaviour = self.scenario.behaviour
        if self.least is not None:
            return np.array([int(n) >= least for n, least in zip(num, self.least, strict=True)], np.float32)
        r = self.barrier_left()
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
        chance = np.full(self.N, np.float32(behaviour.lapse))
        chance[self.stipend] = chance[self.stipend] * HALF
        lapses = self.x & (uniform_of(words[2]) < chance)
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
        self.took_part_at_fe[i] = self.always_organizer[i] = False  # whoever is replaced is lost
        self.x[i] = False
        self.o[i] = self.m[i] = ZERO
        self.contacted[i] = self.trained[i] = self.r[i] = False
        self.idle[i] = 0
        self.last[i] = -1
        self.engaged_week[i] = NEVER
        self.y[i] = self.community.leaning[i]
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

    # Section 7.11 again: who becomes an organizer, and who stops (phase 6, rule 7)

    def organize(self, week: int) -> None:
        behaviour = self.scenario.behaviour
        low = self.words(streams.WEEK, week)[:3] % np.uint32(256)
        u = (2**16 * low[0] + 2**8 * low[1] + low[2]).astype(np.float32) * np.float32(2.0**-24)
        chance = np.full(self.N, np.float32(behaviour.organizer_start))
        chance[self.community.is_leader] = np.float32(min(1.0, 5.0 * behaviour.organizer_start))
        able = self.s >= np.float32(behaviour.organizer_capability)
        able &= self.o >= np.float32(behaviour.organizer_ownership)
        # A newcomer does not take part, so whoever is replaced this week is not among them.
        starts = ~self.r & self.x & able & (u < chance)
        self.idle = np.where(self.r & ~self.x, self.idle + 1, 0)
        stops = self.r & (self.idle == IDLE_WEEKS)
        self.idle[stops] = 0
        self.r = (self.r & ~stops) | starts

    # Section 7.13: leaders and organizations decide (7, rules 9 and 11), float64

    def decide(self, week: int) -> None:
        """Phase 7: refill; at a decision, stances and memberships at once, then contributions."""
        campaign = self.scenario.campaign
        if week >= 0:
            for k, start in enumerate(self.start_resources):
                refilled = self.resources[k] + start * millionths(campaign.refill) // 10**6
                self.resources[k] = min(start, refilled)
        if week % campaign.decision_interval_weeks != 0:
            return
        stances, joined = self.new_stances(week), self.new_members(week)
        self.x = self.x & ~((stances == -1) & (self.y != -1))
        self.y, self.joined = stances, joined
        if week >= 0 and self.has_local_money(week):
            self.contribute()

    def new_stances(self, week: int) -> Integers:
        behaviour = self.scenario.behaviour
        E, _ = self.exposure()
        C = self.coalition()
        engaged = self.engaged(self.engaged_week, week)
        u = uniform_of(self.words(streams.LEADER_DECIDES, week)[0])
        stances = self.y.copy()
        for i in self.everyone[self.community.is_leader]:
            y = int(self.y[i])
            A = behaviour.leader_leaning_weight * float(int(self.community.leaning[i]) - y)
            A = A + behaviour.social_weight * float(E[i])
            A = A + behaviour.leader_engagement_weight * float(engaged[i])
            A = A + behaviour.leader_coalition_weight * (C - self.C0)
            rho, threshold, noise = (
                behaviour.leader_reconsider, behaviour.leader_threshold, behaviour.leader_noise
            )  # fmt: skip
            up = rho * chance_64(A - threshold, noise)
            down = rho * chance_64((-A) - threshold, noise)
            if float(u[i]) < up:
                stances[i] = min(y + 1, 1)
            elif float(u[i]) >= 1.0 - down:
                stances[i] = max(y - 1, -1)
        return stances

    def new_members(self, week: int) -> list[bool]:
        behaviour = self.scenario.behaviour
        C = self.coalition()
        engaged = self.engaged(self.organization_engaged_week, week)
        rho = behaviour.organization_reconsider
        joined = list(self.joined)
        for k in range(self.K):
            if k == self.community.lead:
                continue
            G = self.interest[k] + behaviour.organization_engagement_weight * float(engaged[k])
            G = G + behaviour.coalition_weight * C
            G = G - behaviour.organization_threshold
            willing = chance_64(G, behaviour.organization_noise)
            chance = (1.0 - rho) * float(self.joined[k]) + rho * willing
            joined[k] = self.draw_one(streams.ORGANIZATION_DECIDES, week, k) < chance
        return joined

    def contribute(self) -> None:
        """Section 7.14: every member of the coalition gives to the pot."""
        share = millionths(self.scenario.campaign.contribution)
        for k in range(self.K):
            if self.joined[k]:
                given = self.resources[k] * share // 10**6
                self.resources[k] -= given
                self.pot += given
                self.income += given

    # Section 7.8: results and policy (8, rules 8 and 10), float64

    def results_and_policy(self, week: int) -> None:
        behaviour, community = self.scenario.behaviour, self.community
        F = float(self.x.sum()) / float(self.N)
        reached = float(pow_64(F, behaviour.results_exponent))
        phi = reached / (reached + float(pow_64(behaviour.results_half, behaviour.results_exponent)))
        self.z = self.z + behaviour.results_rate * (phi - self.z)

        n_leaders = int(community.is_leader.sum())
        trained = float(self.trained.sum()) / float(n_leaders) if n_leaders else 0.0
        C = self.coalition()
        shown = min(1.0, 2.0 * F) if self.demonstrations else F
        hazard = behaviour.lobby_success * (C + shown) * (1.0 + 0.5 * trained)
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
        kept.organizers.append(self.by_group(self.r))
        kept.results.append(self.z)
        kept.wins.append(self.v)
        kept.coalition.append(self.coalition())
        kept.stances.append((int((self.y == 1).sum()), int((self.y == -1).sum())))
        kept.contacts.append(self.contacts)
        kept.units.append(self.units)
        kept.spent.append(self.spent)
        kept.local.append(self.local)
        kept.income.append(self.income)
        kept.reached.append(self.reached)
        if week % self.scenario.campaign.decision_interval_weeks == 0 or week in (self.fe, self.end):
            kept.means[week] = self.sums_for_means()
            kept.organizations[week] = np.array(
                [self.interest, self.capacity, self.joined, self.resources], np.float64
            ).reshape(4, self.K)
        if week == self.fe:
            self.took_part_at_fe = self.x.copy()
            self.participants_fe = int(self.x.sum())
            self.never_left = self.x.copy()
            self.organizers_fe = int(self.r.sum())
            self.always_organizer = self.r.copy()
        self.never_left &= self.x
        self.always_organizer &= self.r

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
        weeks, activities = len(kept.wins), self.n_lines
        return ReferenceRun(
            aware=np.array(kept.aware),
            participating=np.array(kept.participating),
            contacted=np.array(kept.contacted),
            participating_uncontacted=np.array(kept.participating_uncontacted),
            organizers=np.array(kept.organizers),
            results=np.array(kept.results, np.float64),
            wins=np.array(kept.wins, np.int64),
            coalition=np.array(kept.coalition, np.float64),
            stances=np.array(kept.stances, np.int64),
            contacts=np.array(kept.contacts, np.int64),
            units=np.array(kept.units, np.int64).reshape(weeks, activities),
            spent_cents=np.array(kept.spent, np.int64).reshape(weeks, activities),
            local_cents=np.array(kept.local, np.int64).reshape(weeks, activities),
            income=np.array(kept.income, np.int64),
            reached=np.array(kept.reached, np.int64),
            means=kept.means,
            organizations=kept.organizations,
            surveys=kept.surveys,
            estimates=kept.estimates,
            voices=kept.voices,
            final_aware=self.a,
            final_participating=self.x,
            final_contacted=self.contacted,
            final_trained=self.trained,
            final_organizer=self.r,
            final_idle=self.idle,
            final_stance=self.y,
            final_engaged=self.engaged_week,
            final_last=self.last,
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
            organizers_fe=self.organizers_fe,
            organizers_fe_always=int(self.always_organizer.sum()),
            budget_cents=self.budget,
            unspent_cents=self.left + sum(line.purse for line in self.lines),
            local_remainder_cents=self.pot
            + self.local_unsplit
            + sum(line.local_purse for line in self.lines),
        )
