"""Phase 1: what surveys cost, whom they ask, and what policies do to the purse of each lane.

Most tests have a block made by hand, with residents that never change; the last one runs the engine against
the reference.
"""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from tests.builders import TINY_CALENDAR, mixed_community, random_ties, tiny_scenario
from tests.reference import run_reference
from tests.unit.kernels.test_monitoring import bundle, plain_order, plain_survey

from mobsim.campaign.budget import cumulative_shares
from mobsim.engine.block import Block
from mobsim.engine.survey import Surveys
from mobsim.kernels import arrays as a
from mobsim.kernels.delivery import N_WHOLE, ORDER_SLOT, POOL_NUMBER

N, WEEKS, LUCKS = 40, 30, (3, 8)
MIXED = [{"kind": kind, "share": 1.0} for kind in ("visit", "skills", "lobby")]
VISITS = [{"kind": "visit", "share": 0.6}, {"kind": "skills", "share": 0.4}]
CALENDAR = {"assess": {"first": 1}, "monitor": {"first": 4, "every": 5}}
WEEKS_ASKED = (1, 4, 9, 14, 19)


def arm(lines=MIXED, policy="fixed", respondents=12, perfect=False, **other):
    """An arm that asks."""
    survey = {"respondents": respondents, "perfect": perfect}
    return {"policy": policy, "survey": survey, "activities": lines} | other


class FakeBlock(SimpleNamespace):
    """What surveys use of a block."""


def make_block(arms, *, goals=(), left=1_000_000, budget=1_000_000, misreport=0.2, seed=1):
    """A block whose residents stand still, one lane for each luck and arm."""
    scenario = tiny_scenario(
        arms=arms,
        goals=goals,
        campaign={"calendar": CALENDAR},
        activities={"survey": {"misreport": misreport, "insight": 0.75, "cost": 2.0}},
    )
    community = mixed_community(scenario, [], seed=seed)
    rng = np.random.default_rng(seed)
    n_arms, lanes, groups = len(arms), len(LUCKS) * len(arms), len(community.group_names)
    lines = [len(spec.activities) for spec in scenario.arms.values()]
    most, columns = max(lines), max(lines) + 1
    reals = np.zeros((6, N, lanes), np.float32)
    reals[a.CAPABILITY], reals[a.TRUST] = rng.random((N, 1)), rng.random((N, 1))
    doubles = np.zeros((a.N_DOUBLES, lanes))
    doubles[a.CAPABILITY_CAUSE], doubles[a.APPEAL_CAUSE], doubles[a.WIN_RELIEF] = 1.2, 1.0, 0.3
    by_group = np.zeros((a.N_BY_GROUP, groups, lanes))
    by_group[a.BARRIER] = np.array([0.3, 0.8])[:, None]
    flags = (community.aware * a.AWARE + community.participating * a.PARTICIPATING).astype(np.uint8)
    whole = np.zeros((n_arms, most, N_WHOLE), np.int64)
    whole[:, :, POOL_NUMBER], whole[:, :, ORDER_SLOT] = 50, 60
    shares = np.zeros((lanes, columns), np.int64)
    for lane in range(lanes):
        uses = list(scenario.arms.values())[lane % n_arms].activities
        shares[lane, : len(uses) + 1] = cumulative_shares([use.share for use in uses])
    n_leaders, n_organizations = 3, len(community.organization_names)
    return FakeBlock(
        scenario=scenario,
        worlds=(scenario,) * len(arms),
        community=community,
        arms=tuple(scenario.arms),
        luck=LUCKS,
        keys=a.Keys(scenario.seed, community.number, np.array(LUCKS, np.int64)),
        residents=bundle(a.Residents, group=community.group),
        state=bundle(
            a.State,
            flags=np.repeat(flags[:, None], lanes, axis=1),
            last=np.repeat(rng.integers(0, min(lines) + 1, (N, 1)), lanes, axis=1).astype(np.uint8),
            reals=reals,
            wins=np.zeros(lanes, np.int64),
        ),
        rules=bundle(a.Rules, doubles=doubles, by_group=by_group, engagement_weeks=13),
        leaders=bundle(a.Leaders, engaged=np.full((n_leaders, lanes), a.NEVER_ENGAGED, np.int32)),
        organizations=bundle(
            a.Organizations,
            is_cbo=(np.arange(n_organizations) == 1).astype(np.uint8),
            engaged=np.full((n_organizations, lanes), a.NEVER_ENGAGED, np.int32),
        ),
        plans=SimpleNamespace(
            budgets=np.full(n_arms, budget, np.int64),
            names=tuple(scenario.arms),
            kernel=SimpleNamespace(n_activities=np.array(lines, np.int64), whole=whole),
            group_pools={},
        ),
        purse=bundle(
            a.Purse,
            left=np.full(lanes, left, np.int64),
            shares=shares,
            local_shares=shares.copy(),
            pool=np.full((lanes, most), 50, np.int64),
            slot=np.full((lanes, most), 60, np.int64),
            voice=np.zeros((lanes, 4), np.int64),
        ),
        tally=bundle(
            a.Tally,
            **{name: np.zeros((WEEKS, lanes, columns), np.int64) for name in ("units", "cents", "local")},
        ),
    )


def by_hand(block, week, lane, n, misreport):
    """The answers of a survey by the plain loop, as (asked, aware, participating, causes, named)."""
    luck = block.luck[lane // len(block.arms)]
    key = (block.keys.seed, block.keys.community)
    order = plain_order(week, luck, N, key)[:n]
    lines = int(block.plans.kernel.n_activities[lane % len(block.arms)])
    found = plain_survey(
        week, lane, luck, order, misreport, block.residents, block.rules, block.state, 2, lines, key
    )
    return [list(map(int, part)) for part in found]


def answers_of(result):
    return [
        *(list(part) for part in (result.asked, result.aware_yes, result.participating_yes)),
        list(result.causes),
        list(result.named),
    ]


def run_all(block):
    surveys = Surveys(block)
    for week in range(WEEKS):
        surveys.act(week)
    return surveys


# --- asking and paying


def test_every_lane_asks_the_right_people_in_every_survey_week():
    block = make_block({"one": arm(), "two": arm(VISITS, respondents=25), "silent": {"activities": MIXED}})
    surveys = run_all(block)
    assert surveys.weeks == frozenset(WEEKS_ASKED)
    results = surveys.results()
    assert [(r.week, r.lane) for r in results] == [
        (week, lane) for week in WEEKS_ASKED for lane in (0, 1, 3, 4)
    ]
    for r in results:
        n = 12 if r.lane % 3 == 0 else 25
        assert (r.respondents, r.misreport, r.price_cents) == (n, 0.2, n * 200)
        assert answers_of(r) == by_hand(block, r.week, r.lane, n, 0.2)


def test_surveys_are_paid_from_what_is_left_and_stand_on_their_own_line():
    block = make_block({"one": arm(), "two": arm(VISITS, respondents=25)}, left=20_000)
    run_all(block)
    # 12 · 2.00 five times; 25 · 2.00 four times, then the money is gone.
    assert list(block.purse.left) == [20_000 - 5 * 2400, 0, 20_000 - 5 * 2400, 0]
    assert list(block.tally.units[:, 0, 3].nonzero()[0]) == list(WEEKS_ASKED)
    assert list(block.tally.cents[list(WEEKS_ASKED), 1, 2]) == [5000, 5000, 5000, 5000, 0]
    assert list(block.tally.units[list(WEEKS_ASKED), 1, 2]) == [25, 25, 25, 25, 0]
    assert block.tally.cents.sum() == 2 * (5 * 2400 + 20_000)


def test_more_than_what_is_left_buys_no_survey_and_the_next_is_still_the_first():
    block = make_block({"one": arm(policy="assessed")}, left=2399)
    surveys = Surveys(block)
    surveys.act(1)
    assert surveys.results() == []
    assert list(block.purse.left) == [2399, 2399]
    block.purse.left[:] = 2400
    surveys.act(4)
    assert [r.week for r in surveys.results()] == [4, 4]
    assert surveys.results()[0].shares != (1 / 3, 1 / 3, 1 / 3)


def test_without_a_budget_nobody_is_asked():
    block = make_block({"one": arm()}, budget=0)
    assert run_all(block).weeks == frozenset()
    assert not block.tally.units.any()


def test_no_more_people_are_asked_than_there_are():
    block = make_block({"one": arm(respondents=1000)})
    surveys = Surveys(block)
    surveys.act(1)
    assert [(r.respondents, r.price_cents) for r in surveys.results()] == [(40, 8000)] * 2


def test_arms_of_one_luck_ask_the_same_people():
    block = make_block({"one": arm(), "two": arm()})
    surveys = Surveys(block)
    surveys.act(9)
    first, second, third, _ = (answers_of(r) for r in surveys.results())
    assert first == second
    assert first != third


def test_perfect_twin_asks_everybody_truly_for_the_price_of_the_survey():
    block = make_block({"one": arm(perfect=True)})
    surveys = Surveys(block)
    surveys.act(4)
    result = surveys.results()[0]
    assert (result.respondents, result.misreport, result.price_cents) == (40, 0.0, 2400)
    for g in range(2):
        here = block.community.group == g
        assert result.asked[g] == here.sum()
        assert result.participating_yes[g] == block.community.participating[here].sum()
        assert result.aware_yes[g] == block.community.aware[here].sum()


@pytest.mark.parametrize(
    ("who", "last_engaged", "factor"),
    [("leader", -8, 0.75), ("leader", -9, 1.0), ("cbo", 3, 0.75), ("cbo", -9, 1.0), ("ngo", 3, 1.0)],
)
def test_an_engaged_leader_or_cbo_gives_insight(who, last_engaged, factor):
    # The survey is in week 4; engaged is who was engaged less than 13 weeks before.
    block = make_block({"one": arm()})
    if who == "leader":
        block.leaders.engaged[2, 1] = last_engaged
    else:
        block.organizations.engaged[1 if who == "cbo" else 0, 1] = last_engaged
    surveys = Surveys(block)
    surveys.act(4)
    without, with_insight = surveys.results()
    assert without.misreport == 0.2
    assert with_insight.misreport == 0.2 * factor
    assert answers_of(with_insight) == by_hand(block, 4, 1, 12, 0.2 * factor)


# --- policies in the purse


def shares_by_reasons(causes):
    """Shares of visit, skills and lobby, each the only line that answers its cause."""
    weights = [max(0, 10 * causes[c] - sum(causes)) for c in (0, 1, 2)]
    return [Fraction(w, sum(weights)) for w in weights] if any(weights) else None


def test_reasons_moves_the_shares_of_each_lane_by_its_own_survey():
    block = make_block({"one": arm(policy="reasons")})
    surveys = Surveys(block)
    kept = {0: [Fraction(1, 3)] * 3, 1: [Fraction(1, 3)] * 3}
    for week in WEEKS_ASKED:
        surveys.act(week)
        for r in surveys.results()[-2:]:
            kept[r.lane] = shares_by_reasons(r.causes) or kept[r.lane]
            visit, skills, lobby = kept[r.lane]
            assert r.shares == (float(visit), float(skills), float(lobby))
            assert list(block.purse.shares[r.lane]) == [
                0,
                int(1_000_000 * visit),
                int(1_000_000 * (visit + skills)),
                1_000_000,
            ]
            local = [0, int(1_000_000 * visit / (visit + skills)), 1_000_000, 1_000_000]
            assert list(block.purse.local_shares[r.lane]) == local


def test_money_for_lobbies_alone_leaves_no_local_shares():
    block = make_block({"one": arm(policy="reasons", perfect=True)}, misreport=0.0)
    block.state.flags[:] = a.AWARE
    block.rules.by_group[a.BARRIER] = 9.0
    Surveys(block).act(1)
    assert list(block.purse.shares[0]) == [0, 0, 0, 1_000_000]
    assert list(block.purse.local_shares[0]) == [0, 0, 0, 0]


def test_assessed_acts_once():
    block = make_block({"one": arm(policy="assessed")})
    surveys = Surveys(block)
    surveys.act(1)
    after_first = block.purse.shares.copy()
    assert list(after_first[0]) != [0, 333_333, 666_666, 1_000_000]
    block.state.flags[:] = 0
    surveys.act(4)
    assert np.array_equal(block.purse.shares, after_first)


def test_fixed_learns_but_changes_nothing():
    block = make_block({"one": arm()})
    assert len(run_all(block).results()) == 10
    assert list(block.purse.shares[0]) == [0, 333_333, 666_666, 1_000_000]


def test_marginal_counts_external_and_local_money_since_the_last_survey():
    block = make_block({"one": arm(policy="marginal", perfect=True)})
    block.state.flags[:] = a.AWARE | a.PARTICIPATING
    block.state.last[:] = 1
    block.state.last[:10] = 2
    block.state.last[10:16] = 3
    # Before the first survey and from the second one's week on: not to be counted.
    block.tally.cents[0, :, 0] = block.tally.cents[4, :, 0] = 10**6
    block.tally.cents[1, :, :3] = [1000, 100, 0]
    block.tally.local[3, :, :3] = [1000, 100, 60]
    surveys = Surveys(block)
    surveys.act(1)
    assert list(block.purse.shares[0]) == [0, 333_333, 666_666, 1_000_000]
    surveys.act(4)
    # Gains 24/2000, 10/200, 6/60: a tenth goes from visit to lobby.
    assert list(block.purse.shares[0]) == [0, 233_333, 566_666, 1_000_000]


def test_equity_turns_lines_to_the_group_furthest_below_its_goal_and_back():
    goals = ({"at_least": 0.5, "by_week": 20},)
    block = make_block({"plain": arm(), "fair": arm(policy="equity", perfect=True)}, goals=goals)
    block.plans.group_pools[1, 0] = ((7, 8), (9, 10))
    minority = block.community.group == 1
    block.state.flags[:] = a.AWARE | a.PARTICIPATING
    block.state.flags[minority] = a.AWARE
    surveys = Surveys(block)
    surveys.act(1)
    assert [r.group_chosen for r in surveys.results()] == [None, 1, None, 1]
    assert block.purse.pool.tolist() == [[50, 50, 50], [9, 50, 50]] * 2
    assert block.purse.slot.tolist() == [[60, 60, 60], [10, 60, 60]] * 2
    block.state.flags[:, 1] = np.where(minority, a.AWARE | a.PARTICIPATING, a.AWARE)
    block.state.flags[:, 3] = a.AWARE | a.PARTICIPATING
    surveys.act(4)
    assert [r.group_chosen for r in surveys.results()[4:]] == [None, 0, None, None]
    assert block.purse.pool.tolist() == [[50, 50, 50], [7, 50, 50], [50, 50, 50], [50, 50, 50]]
    assert block.purse.slot.tolist() == [[60, 60, 60], [8, 60, 60], [60, 60, 60], [60, 60, 60]]
    assert list(block.purse.shares[1]) == [0, 333_333, 666_666, 1_000_000]


# --- causes named at meetings


def test_what_people_say_at_meetings_stands_for_a_survey():
    block = make_block({"one": {"policy": "assessed", "community_decides": True, "activities": MIXED}})
    surveys = Surveys(block)
    assert surveys.weeks == frozenset(WEEKS_ASKED)
    surveys.act(1)
    assert surveys.results() == []  # nobody has said anything: a first survey is still to come
    block.purse.voice[0] = [6, 4, 0, 0]
    surveys.act(2)
    assert block.purse.voice[0].sum() == 10
    surveys.act(4)
    (result,) = surveys.results()
    assert (result.lane, result.week, result.respondents, result.price_cents) == (0, 4, 0, 0)
    assert result.causes == (6, 4, 0, 0)
    assert result.shares == (5 / 8, 3 / 8, 0.0)
    assert not block.purse.voice.any()
    assert list(block.purse.shares[0]) == [0, 625_000, 1_000_000, 1_000_000]
    assert not block.tally.cents.any()
    assert list(block.purse.left) == [1_000_000, 1_000_000]
    block.purse.voice[0] = [0, 9, 0, 0]
    surveys.act(9)  # the second: assessed does not act again, but the voice is heard
    assert list(block.purse.shares[0]) == [0, 625_000, 1_000_000, 1_000_000]
    assert not block.purse.voice.any()


# --- in the engine

POLICY_ARMS = {
    name: arm(
        [
            {"kind": kind, "share": 1.0}
            for kind in ("visit", "meeting", "skills", "leader", "lobby", "coalition")
        ],
        policy=name,
        respondents=15,
        perfect=perfect,
    )
    for name, perfect in [
        ("fixed", False),
        ("assessed", False),
        ("reasons", False),
        ("marginal", True),
        ("equity", False),
    ]
} | {
    "voice": {
        "policy": "reasons",
        "community_decides": True,
        "activities": [{"kind": "visit", "share": 1.0}, {"kind": "meeting", "share": 2.0}],
    }
}


def test_surveys_in_the_engine_equal_those_of_the_reference():
    scenario = tiny_scenario(
        arms=POLICY_ARMS,
        goals=({"at_least": 0.6, "by_week": 25}, {"at_least": 0.5, "by_week": 25, "group": "minority"}),
        campaign={"budget_per_resident": 60.0, "calendar": TINY_CALENDAR | CALENDAR},
    )
    community = mixed_community(scenario, random_ties(N, 5.0, seed=2), seed=2)
    names = list(POLICY_ARMS)
    block = Block(scenario, community, names, LUCKS)
    block.advance(block.horizon)
    results = block.surveys.results()
    for lane in range(len(LUCKS) * len(names)):
        reference = run_reference(scenario, community, names[lane % len(names)], LUCKS[lane // len(names)])
        mine = [r for r in results if r.lane == lane and r.respondents > 0]
        assert len(mine) == len(reference.surveys)
        for r, theirs in zip(mine, reference.surveys, strict=True):
            assert r.week == theirs.week
            assert answers_of(r) == [list(part) for part in theirs[1:6]]
            assert r.shares == tuple(map(float, theirs.shares))
            assert (-1 if r.group_chosen is None else r.group_chosen) == theirs.group
        heard = [(r.week, list(r.causes), r.shares) for r in results if r.lane == lane and r.respondents == 0]
        assert heard == [
            (week, list(causes), tuple(map(float, shares))) for week, causes, shares in reference.voices
        ]
        lines = reference.units.shape[1]
        assert np.array_equal(block.tally.units[:, lane, :lines], reference.units)
        assert np.array_equal(block.tally.cents[:, lane, :lines], reference.spent_cents)
    moved = {names[r.lane % len(names)] for r in results if len(set(r.shares)) > 1}
    assert {"assessed", "reasons", "marginal", "voice"} <= moved
    assert any(r.group_chosen is not None for r in results)
