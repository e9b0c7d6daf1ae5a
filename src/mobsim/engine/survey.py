"""Phase 1 of a campaign week: arms pay for surveys, ask, and let their policies act (docs/odd.md, 7.12)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING
from weakref import proxy

import numpy as np
import numpy.typing as npt

from mobsim.campaign.activity import CAUSES, EQUITY, SURVEY, ArmSpec
from mobsim.campaign.budget import cumulative_fractions, local_fractions, normalized_shares, unit_cents
from mobsim.campaign.monitoring import Estimates, estimates_of, survey_weeks
from mobsim.campaign.policies import Evidence, Policy, Shares, choose_group, policy_of
from mobsim.community.exact import as_written
from mobsim.kernels import arrays as a
from mobsim.kernels.delivery import ORDER_SLOT, POOL_NUMBER
from mobsim.kernels.monitoring import N_CAUSES, ask, survey_order

if TYPE_CHECKING:
    from mobsim.engine.block import Block
    from mobsim.scenario.scenario import Scenario


@dataclass(frozen=True, eq=False)
class SurveyResult:
    """One survey of one lane, or one look at the causes that were named at meetings.

    lane, week : where and when.
    respondents : number of residents asked; 0 where the causes were named at meetings.
    misreport : chance that an answer was false.
    price_cents : what it cost.
    asked, aware_yes, participating_yes : (G,) respondents, and how many said that they are aware, that they
        take part.
    causes : number who named information, capability, barrier, trust.
    named : by line, number who named it as the last that reached them.
    shares : by line, share of the arm's money from now on.
    group_chosen : group that the policy equity turns to, or None.
    """

    lane: int
    week: int
    respondents: int
    misreport: float
    price_cents: int
    asked: a.Int64
    aware_yes: a.Int64
    participating_yes: a.Int64
    causes: tuple[int, int, int, int]
    named: tuple[int, ...]
    shares: tuple[float, ...]
    group_chosen: int | None


@dataclass(frozen=True)
class _Asking:
    """What an arm that asks needs to know; the same in all its lanes.

    price_cents : of one survey. respondents : how many are asked. misreport : ε without insight.
    """

    policy_name: str
    policy: Policy
    at_meetings: bool
    price_cents: int
    respondents: int
    misreport: float
    insight: float
    shares: Shares
    kinds: tuple[str, ...]
    answers: tuple[tuple[Fraction, ...], ...]
    is_lobby: tuple[bool, ...]


@dataclass
class _Memory:
    """What a lane remembers from one survey to the next."""

    shares: Shares
    occasions: int = 0
    last_week: int = 0


@dataclass(frozen=True, eq=False)
class _Answers:
    """What respondents of one lane said: by_group (3, groups), causes (4,), named (lines,)."""

    by_group: a.Int64
    causes: a.Int64
    named: a.Int64


class Surveys:
    """The surveys of a block.

    Parameters
    ----------
    block : the block whose residents are asked; read anew each time, as its arrays change at week 0.

    Attributes
    ----------
    weeks : weeks in which some arm of the block asks.
    """

    def __init__(self, block: Block) -> None:
        self._block: Block = proxy(block)  # a cycle would keep all that the block holds in memory
        self._arms = [
            _asking(world, world.arms[name], block.community.n_residents) if budget > 0 else None
            for world, name, budget in zip(block.worlds, block.arms, block.plans.budgets, strict=True)
        ]
        campaign = block.scenario.campaign
        calendar = survey_weeks(campaign.calendar, campaign.funding_ends_week, campaign.horizon_weeks)
        self.weeks = frozenset(calendar if any(self._arms) else ())
        self._memory = [_Memory(arm.shares if arm else ()) for _ in block.luck for arm in self._arms]
        self._most = max((arm.respondents for arm in self._arms if arm and not arm.at_meetings), default=0)
        groups = len(block.community.group_names)
        self._sizes = [int(size) for size in np.bincount(block.community.group, minlength=groups)]
        self._has_insight = np.zeros(0, np.bool_)
        self._results: list[SurveyResult] = []

    def results(self) -> list[SurveyResult]:
        """Return all surveys so far, by week, then lane."""
        return list(self._results)

    def act(self, week: int) -> None:
        """Let every lane whose arm asks in this week pay, ask, estimate and move its money.

        Parameters
        ----------
        week : the campaign week that begins.
        """
        if week not in self.weeks:
            return
        self._has_insight = self._look_for_insight(week)
        for luck_index, luck in enumerate(self._block.luck):
            order = self._order(week, luck)
            for arm, asking in enumerate(self._arms):
                lane = luck_index * len(self._arms) + arm
                if asking is None:
                    continue
                if asking.at_meetings:
                    self._hear(week, lane, asking)
                elif asking.price_cents <= self._block.purse.left[lane]:
                    self._survey(week, lane, asking, order)

    def _order(self, week: int, luck: int) -> a.Int64:
        """Residents in the order in which all lanes of a luck ask them, as many as any arm asks."""
        chosen = np.empty(self._most, np.int64)
        if self._most:
            sorting = np.empty(self._block.community.n_residents, np.uint64)
            survey_order(week, luck, self._block.keys, sorting, chosen)
        return chosen

    def _survey(self, week: int, lane: int, asking: _Asking, order: a.Int64) -> None:
        """Pay for a survey, carry it out and act on it."""
        self._pay(week, lane, asking)
        misreport = asking.misreport
        if self._has_insight[lane]:
            misreport = misreport * asking.insight
        answers = self._ask(week, lane, order[: asking.respondents], misreport, len(asking.kinds))
        asked, aware_yes, participating_yes = (_whole(row) for row in answers.by_group)
        causes = _four(answers.causes)
        estimates = estimates_of(week, misreport, self._sizes, asked, aware_yes, participating_yes, causes)
        self._move_money(week, lane, asking, answers, estimates)
        group = self._choose_group(lane, estimates) if asking.policy_name == EQUITY else None
        self._keep(week, lane, answers, misreport, asking.price_cents, group)

    def _hear(self, week: int, lane: int, asking: _Asking) -> None:
        """Act on the causes that people have named at meetings, if any did."""
        block = self._block
        voice = block.purse.voice[lane].copy()
        block.purse.voice[lane] = 0
        if voice.sum() == 0:
            return
        nobody = np.zeros((3, len(self._sizes)), np.int64)
        answers = _Answers(nobody, voice, np.zeros(len(asking.kinds), np.int64))
        self._move_money(week, lane, asking, answers, None)
        self._keep(week, lane, answers, 0.0, 0, None)

    def _pay(self, week: int, lane: int, asking: _Asking) -> None:
        block = self._block
        line = int(block.plans.kernel.n_activities[lane % len(self._arms)])
        block.purse.left[lane] -= asking.price_cents
        block.tally.units[week, lane, line] += asking.respondents
        block.tally.cents[week, lane, line] += asking.price_cents

    def _look_for_insight(self, week: int) -> npt.NDArray[np.bool_]:
        """Say, lane by lane, whether a leader or a community organization is engaged."""
        leaders, organizations = self._block.leaders, self._block.organizations
        latest = np.maximum(
            leaders.engaged.max(axis=0, initial=a.NEVER_ENGAGED),
            organizations.engaged[organizations.is_cbo > 0].max(axis=0, initial=a.NEVER_ENGAGED),
        )
        engaged: npt.NDArray[np.bool_] = week - latest.astype(np.int64) < self._block.rules.engagement_weeks
        return engaged

    def _ask(self, week: int, lane: int, respondents: a.Int64, misreport: float, n_lines: int) -> _Answers:
        block = self._block
        answers = _Answers(
            by_group=np.zeros((3, len(self._sizes)), np.int64),
            causes=np.zeros(N_CAUSES, np.int64),
            named=np.zeros(n_lines, np.int64),
        )
        ask(
            week,
            lane,
            respondents,
            misreport,
            block.residents,
            block.rules,
            block.keys,
            block.state,
            answers.by_group,
            answers.causes,
            answers.named,
        )
        return answers

    def _move_money(
        self, week: int, lane: int, asking: _Asking, answers: _Answers, estimates: Estimates | None
    ) -> None:
        """Ask the policy for new shares and write them into the purse."""
        memory = self._memory[lane]
        shares = asking.policy(
            Evidence(
                week=week,
                occasion=memory.occasions,
                shares=memory.shares,
                kinds=asking.kinds,
                answers=asking.answers,
                causes=_four(answers.causes),
                named=_whole(answers.named),
                cents=self._spent(memory.last_week, week, lane, len(asking.kinds)),
                estimates=estimates,
            )
        )
        memory.occasions += 1
        memory.last_week = week
        if shares is not None:
            memory.shares = shares
            purse = self._block.purse
            purse.shares[lane, : len(shares) + 1] = cumulative_fractions(shares)
            local = local_fractions(shares, asking.is_lobby)
            purse.local_shares[lane, : len(shares) + 1] = cumulative_fractions(local)

    def _spent(self, since: int, week: int, lane: int, n_lines: int) -> tuple[int, ...]:
        """Cents spent on each line, external and local, since the last survey."""
        tally = self._block.tally
        span = slice(since, week), lane, slice(n_lines)
        return _whole((tally.cents[span] + tally.local[span]).sum(axis=0))

    def _choose_group(self, lane: int, estimates: Estimates) -> int | None:
        """Turn the lines that the policy equity may restrict to the group furthest below its goal."""
        block = self._block
        participation = [found.value for found in estimates.participating_by_group]
        arm = lane % len(self._arms)
        chosen = choose_group(participation, block.worlds[arm].goals, block.community.group_names)
        for b in range(int(block.plans.kernel.n_activities[arm])):
            if (arm, b) not in block.plans.group_pools:
                continue
            whole = block.plans.kernel.whole[arm, b]
            pool, slot = whole[POOL_NUMBER], whole[ORDER_SLOT]
            if chosen is not None:
                pool, slot = block.plans.group_pools[arm, b][chosen]
            block.purse.pool[lane, b], block.purse.slot[lane, b] = pool, slot
        return chosen

    def _keep(
        self, week: int, lane: int, answers: _Answers, misreport: float, cents: int, group: int | None
    ) -> None:
        asked, aware_yes, participating_yes = answers.by_group
        self._results.append(
            SurveyResult(
                lane=lane,
                week=week,
                respondents=int(asked.sum()),
                misreport=misreport,
                price_cents=cents,
                asked=asked,
                aware_yes=aware_yes,
                participating_yes=participating_yes,
                causes=_four(answers.causes),
                named=_whole(answers.named),
                shares=tuple(float(share) for share in self._memory[lane].shares),
                group_chosen=group,
            )
        )


def _whole(counts: a.Int64) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)


def _four(counts: a.Int64) -> tuple[int, int, int, int]:
    information, capability, barrier, trust = (int(count) for count in counts)
    return information, capability, barrier, trust


def _asking(scenario: Scenario, arm: ArmSpec, n_residents: int) -> _Asking | None:
    """What an arm needs to know to ask, or None if it never does."""
    if arm.survey is None and not arm.community_decides:
        return None
    lines = [scenario.activities[use.kind] for use in arm.activities]
    price = respondents = 0
    misreport, insight = 0.0, 1.0
    if arm.survey is not None and not arm.community_decides:
        survey = scenario.activities[SURVEY]
        sample = min(arm.survey.respondents, n_residents)
        price = sample * unit_cents(survey.cost, survey.cost_scales, n_residents)
        respondents = n_residents if arm.survey.perfect else sample
        misreport = 0.0 if arm.survey.perfect else survey.misreport
        insight = survey.insight
    return _Asking(
        policy_name=arm.policy,
        policy=policy_of(arm.policy),
        at_meetings=arm.community_decides,
        price_cents=price,
        respondents=respondents,
        misreport=misreport,
        insight=insight,
        shares=normalized_shares([use.share for use in arm.activities]),
        kinds=tuple(use.kind for use in arm.activities),
        answers=tuple(tuple(as_written(line.answers.get(cause, 0.0)) for cause in CAUSES) for line in lines),
        is_lobby=tuple(line.delivery == "lobby" for line in lines),
    )
