"""What must hold of money, surveys, policies, leaders and organizations, whatever the scenario.

Exact, bit for bit. `test_acceptance.py` holds what must be true of any run; the edges of what is allowed are
compared here with the plain reference in worlds in which every rule is at work (`rich_scenario`).

Not reached by a test: the 64-bit sums of an unweighted row of more than 100,000 ties, which need a community
of that size. Weighted rows use the same sums, so equal weights stand for them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.builders import TINY_CALENDAR, mixed_community, random_ties, star_ties, tiny_scenario
from tests.properties.test_acceptance import (
    STATES,
    arm,
    assert_block_is_reference,
    assert_same_arms,
    assert_same_records,
    rows,
)
from tests.strategies import World, worlds

from mobsim import load_scenario, simulate
from mobsim.campaign.budget import budget_cents
from mobsim.community.organizations import default_organizations
from mobsim.engine.block import Block
from mobsim.engine.records import OPPOSED, ORGANIZING, PARTICIPATING, Records
from mobsim.kernels import arrays as a
from mobsim.scenario.scenario import NONE, Scenario

ASKS = {"respondents": 12}
RICH_ARMS: dict[str, Any] = {
    "learning": arm("visit", "meeting", "skills", "lobby", policy="reasons", survey=ASKS),
    "twin": arm("visit", "meeting", "skills", "lobby", policy="reasons", survey={**ASKS, "perfect": True}),
    "once": arm("visit", "meeting", "skills", "lobby", policy="assessed", survey=ASKS),
    "greedy": arm("visit", "meeting", "media", "stipend", policy="marginal", survey=ASKS),
    "fair": arm("visit", {"kind": "meeting", "target": "non_participants"}, policy="equity", survey=ASKS),
    "own_voice": arm("meeting", "skills", "lobby", policy="reasons", community_decides=True),
    "allies": arm("coalition", "org", "demonstration", "lobby", "stipend"),
    "allied_leaders": arm({"kind": "coalition", "target": "leaders"}, "leader", "meeting"),
    "mapped": arm(
        {"kind": "visit", "target": {"rule": "degree", "mapping_cost_per_person": 0.2}},
        {"kind": "visit", "target": {"rule": "bridging", "centrality": "betweenness", "refresh_weeks": 4}},
        {"kind": "visit", "target": {"rule": "clustered", "fraction": 0.3, "refresh_weeks": 3}},
        {"kind": "visit", "target": "cycle"},
    ),
}
"""Every policy, delivery and kind of kept order."""


def rich_scenario(arms: dict[str, Any] | None = None, **overrides: Any) -> Scenario:
    """Build a small world in which organizers, leaders, organizations, wins and surveys all move.

    Parameters
    ----------
    arms : strategies; none: all of `RICH_ARMS`.
    overrides : as of `tiny_scenario`; mappings are merged into what is set here.
    """
    given: dict[str, dict[str, Any]] = {
        "community": {
            "residents": 80,
            "membership": 0.4,
            "network": {"kind": "households", "villages": 4},
            "leaders": {"share": 0.2, "influence": 4.0, "supportive": 0.3, "opposed": 0.2},
        },
        "behaviour": {
            "thresholds": {"kind": "uniform", "low": -0.1, "high": 0.9},
            "lapse": 0.05,
            "turnover": 0.01,
            "organizer_capability": 0.2,
            "organizer_ownership": 0.04,
            "organizer_start": 0.3,
            "organizer_contacts": 2,
            "leader_threshold": 0.1,
            "organization_threshold": 0.6,
            "lobby_success": 1.5,
            "win_reversal": 0.05,
        },
        "campaign": {
            "budget_per_resident": 60.0,
            "decision_interval_weeks": 2,
            "contribution": 0.05,
            "public_money": 0.2,
            "calendar": {**TINY_CALENDAR, "stakeholders": {"first": 2}, "monitor": {"first": 4, "every": 3}},
        },
        "activities": {
            kind: {"cost": cost, "cost_scales": False}
            for kind, cost in {"lobby": 30.0, "media": 20.0, "coalition": 25.0, "org": 40.0}.items()
        }
        | {"demonstration": {"cost": 15.0, "cost_scales": False}, "survey": {"cost": 0.5}},
    }
    for name, values in given.items():
        overrides[name] = {**values, **overrides.get(name, {})}
    goals = [
        {"indicator": "participation", "at_least": 0.6, "by_week": 29},
        {"indicator": "participation", "group": "minority", "at_least": 0.5, "by_week": 29},
    ]
    return tiny_scenario(arms=RICH_ARMS if arms is None else arms, **{"goals": goals, **overrides})


@pytest.mark.quick
def test_the_rich_world_is_rich() -> None:
    """All that the tests below are about does happen in it."""
    records = rich_records()
    assert records.contacts.sum() > 0
    assert records.counts[..., ORGANIZING].max() > 2
    assert len(np.unique(records.stances[..., OPPOSED])) > 2
    assert len(np.unique(records.coalition)) > 3
    assert records.wins.max() > 1
    assert np.any(np.diff(records.wins, axis=1) < 0)
    assert records.local.sum() > 0
    for name, spec in RICH_ARMS.items():
        units = records.units[rows(records, name)]
        assert np.all(units[..., : len(spec["activities"])].sum(axis=(0, 1)) > 0), name
    surveys = records.surveys()
    assert set(surveys.arm) == {
        name for name, spec in RICH_ARMS.items() if spec.get("policy", "fixed") != "fixed"
    }
    moved = [s.shares for row, s in records.surveys_asked]
    assert len(set(moved)) > 10
    assert {s.group_chosen for row, s in records.surveys_asked} > {None}


def rich_records() -> Records:
    return simulate(rich_scenario(), threads=1)


# Money


@pytest.mark.quick
@pytest.mark.parametrize("name", ["vaccination_district", "four_villages_c_barrier"])
def test_money_is_conserved_in_scenarios_that_ship(name: str) -> None:
    """External money = spent, maps and surveys included, + unspent; local income = spent + left."""
    records = simulate(load_scenario(name, overrides={"community.residents": 300}), communities=1, luck=1)
    assert_money_is_conserved(records)
    assert records.income.sum() > 0


@pytest.mark.quick
def test_money_is_conserved_in_the_rich_world() -> None:
    records = rich_records()
    assert_money_is_conserved(records)
    surveys = records.surveys().groupby("arm").price.sum()
    for name, price in surveys.items():
        if not RICH_ARMS[name].get("community_decides"):
            assert (
                round(100 * price)
                == records.cents[rows(records, name)][..., records.lines(name).index("survey")].sum()
            )


def assert_money_is_conserved(records: Records) -> None:
    scenario = records.scenario
    for row, run in enumerate(records.runs_index):
        budget = 0
        if run.arm != NONE and scenario.arms[run.arm].activities:
            n = int(records.group_sizes[row].sum())
            budget = budget_cents(
                scenario.campaign.budget_per_resident, scenario.arms[run.arm].budget_share, n
            )
        assert records.cents[row].sum() + records.unspent_cents[row] == budget
        assert records.local[row].sum() + records.local_left_cents[row] == records.income[row].sum()
        assert records.unspent_cents[row] >= 0
        assert records.local_left_cents[row] >= 0


@pytest.mark.quick
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(40))
def test_without_money_every_strategy_is_none_in_any_world(world: World) -> None:
    """Whatever an arm would do, survey or contribute: state by state, and what is recorded."""
    campaign = world.scenario.campaign.model_copy(update={"budget_per_resident": 0.0})
    scenario = world.scenario.model_copy(update={"campaign": campaign})
    arms = [NONE, *scenario.arms]
    block = Block(scenario, world.community, arms, [world.luck, world.luck + 1])
    block.advance(block.horizon)
    for lane in range(block.n_lanes):
        assert_same_lanes(block, lane, block, lane - lane % len(arms))
    assert not block.surveys.results()
    assert not block.tally.cents.any()
    assert not block.tally.local.any()
    assert not block.tally.income.any()
    assert not block.tally.units.any()


@pytest.mark.quick
@pytest.mark.parametrize("poor", ["budget", "share"])
def test_without_money_every_policy_is_none_in_the_rich_world(poor: str) -> None:
    arms = (
        RICH_ARMS
        if poor == "budget"
        else {name: {**spec, "budget_share": 0.0} for name, spec in RICH_ARMS.items()}
    )
    records = simulate(
        rich_scenario(arms, campaign={"budget_per_resident": 0.0 if poor == "budget" else 60.0})
    )
    for name in arms:
        assert_same_arms(records, NONE, name)
    assert len(records.surveys()) == 0
    assert not records.income.any()


LANE_STATE = ("flags", "roles", "told_week", "results", "wins", "reals")
LANE_TALLY = ("counts", "results", "wins", "coalition", "stances", "contacts")


def assert_same_lanes(one: Block, lane: int, other: Block, other_lane: int) -> None:
    """Compare state and records of two lanes; the last axis of states is that of lanes."""
    for name in LANE_STATE:
        np.testing.assert_array_equal(
            getattr(one.state, name)[..., lane], getattr(other.state, name)[..., other_lane], err_msg=name
        )
    for name in LANE_TALLY:
        np.testing.assert_array_equal(
            getattr(one.tally, name)[:, lane], getattr(other.tally, name)[:, other_lane], err_msg=name
        )
    for bundle, names in (
        ("leaders", ("stance", "engaged")),
        (
            "organizations",
            ("member", "interest", "capacity", "engaged", "resources", "coalition", "coalition_start"),
        ),
    ):
        for name in names:
            mine, theirs = (getattr(getattr(block, bundle), name) for block in (one, other))
            np.testing.assert_array_equal(mine[..., lane], theirs[..., other_lane], err_msg=name)


# Surveys, and arms that differ late


@pytest.mark.quick
def test_surveys_cost_money_only() -> None:
    """A strategy that buys nothing but surveys, whatever its policy, is the arm without a campaign."""
    idle = {"kind": "skills", "cost": 1e6, "absolute": True}
    policies = ("fixed", "assessed", "reasons", "marginal", "equity")
    arms = {name: arm(idle, idle, policy=name, survey=ASKS) for name in policies}
    records = simulate(rich_scenario(arms, campaign={"contribution": 0.0, "public_money": 0.0}))
    for name in policies:
        assert np.all(records.cents[rows(records, name)].sum(axis=(1, 2)) > 0)
        assert_same_arms(records, NONE, name)


@pytest.mark.quick
def test_rich_arms_agree_until_the_first_week_in_which_they_act_differently() -> None:
    """All pairs of arms in which lines of a kind are for the same people; surveys are no difference.

    The policies learn from what people say: until a survey moves money, arms of the same lines agree.
    """
    alike = {
        name: spec for name, spec in RICH_ARMS.items() if name not in ("mapped", "fair", "allied_leaders")
    }
    late = [{"kind": "skills", "share": 1.0}, {"kind": "skills", "share": 0.0, "cost": 2.0}]
    records = simulate(
        rich_scenario(
            alike
            | {
                "plain": arm("visit", "meeting", "skills", "lobby"),
                "asked": arm("visit", "meeting", "skills", "lobby", survey={"respondents": 1}),
                "late": arm(*late),
            },
            campaign={"decision_interval_weeks": 1, "contribution": 0.0, "public_money": 0.0},
        )
    )
    names = [NONE, *records.scenario.arms]
    compared = 0
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            for row, other_row in zip(rows(records, one), rows(records, other), strict=True):
                buys = bought(records, row), bought(records, other_row)
                differ = np.flatnonzero([x != y for x, y in zip(*buys, strict=True)])
                until = int(differ[0]) if differ.size else records.counts.shape[1]
                compared += until
                for name in (
                    "counts",
                    "results",
                    "wins",
                    "coalition",
                    "stances",
                    "contacts",
                    "sums",
                    "member",
                ):
                    array = getattr(records, name)
                    np.testing.assert_array_equal(array[row, :until], array[other_row, :until], err_msg=name)
    assert compared > 0
    assert len({records.counts[row].tobytes() for row in range(len(records.runs_index))}) > 20


def bought(records: Records, row: int) -> list[list[tuple[str, int]]]:
    """Return for each week what was bought, in the order of delivery; surveys left out."""
    uses = records.uses(records.runs_index[row].arm)
    return [
        [(use.kind, int(units[b])) for b, use in enumerate(uses) if units[b]] for units in records.units[row]
    ]


@pytest.mark.quick
def test_shares_after_a_survey_sum_to_one_or_are_unchanged() -> None:
    records = rich_records()
    before: dict[int, tuple[float, ...]] = {}
    for row, survey in records.surveys_asked:
        assert math.fsum(survey.shares) == pytest.approx(1.0, abs=1e-12)
        assert min(survey.shares) >= 0
        policy = records.scenario.arms[records.runs_index[row].arm].policy
        if policy == "equity" or (policy == "assessed" and row in before):
            assert survey.shares == before.get(row, (0.5, 0.5))
        before[row] = survey.shares


@pytest.mark.quick
def test_the_perfect_twin_knows_the_truth() -> None:
    """It estimates what is recorded of the week before, without an error, for the price of a survey."""
    table = rich_records().surveys()
    twin, survey = table[table.arm == "twin"], table[table.arm == "learning"]
    assert len(twin) > 10
    later = twin[twin.week > 0]
    for what in ("participation", "aware"):
        for ending in ("", "__majority", "__minority"):
            np.testing.assert_array_equal(later[f"{what}_estimate{ending}"], later[f"{what}_truth{ending}"])
            assert not twin[f"{what}_error{ending}"].any()
            assert np.any(survey[f"{what}_error{ending}"] > 0)
    assert set(twin.respondents) == {80}
    assert set(twin.price) == set(survey.price) == {0.5 * 12}


@pytest.mark.quick
def test_asking_everybody_without_false_answers_is_perfect() -> None:
    """Standard errors of 0, and the twin's every record; with false answers an error is left."""
    arms = {
        "asked": arm("visit", "meeting", "lobby", policy="reasons", survey={"respondents": 1000}),
        "twin": arm(
            "visit", "meeting", "lobby", policy="reasons", survey={"respondents": 1000, "perfect": True}
        ),
    }
    prices = {"misreport": 0.0, "cost": 0.1}
    records = simulate(rich_scenario(arms, activities={"survey": prices}))
    assert_same_arms(records, "asked", "twin")
    table = records.surveys()
    assert len(table) > 0
    assert not table.filter(regex="_error").to_numpy().any()
    false = simulate(rich_scenario(arms, activities={"survey": {"cost": 0.1}}), arms=["asked"]).surveys()
    error = false.misreport
    assert np.all(error > 0)
    left = np.sqrt(error * (1 - error) / 80) / (1 - 2 * error)
    np.testing.assert_allclose(false.participation_error, left, rtol=1e-12)


# What must not matter


@pytest.mark.quick
@pytest.mark.parametrize("lanes", [1, 7, 10, 33])
def test_the_width_of_blocks_does_not_matter_to_the_rich_world(lanes: int) -> None:
    """With arms that are cut into several blocks, too."""
    assert_same_records(rich_records(), simulate(rich_scenario(), lanes=lanes, threads=1))


@pytest.mark.quick
def test_threads_do_not_matter_to_the_rich_world() -> None:
    assert_same_records(rich_records(), simulate(rich_scenario(), lanes=10, threads=4))


@pytest.mark.quick
def test_the_set_and_order_of_arms_and_luck_do_not_matter() -> None:
    """Each arm alone, in a block of its own, and among others in another order: the same surveys too."""
    whole = rich_records()
    where = {(run.arm, run.community, run.luck): row for row, run in enumerate(whole.runs_index)}
    table = whole.surveys()
    for names in ([name] for name in RICH_ARMS):
        few = simulate(rich_scenario(), arms=[*names, "own_voice"], communities=[1], luck=[1, 0])
        assert_part_of(few, whole, where)
        mine = few.surveys()
        for name in names:
            theirs = table[(table.arm == name) & (table.community == 1)].dropna(axis="columns", how="all")
            of_name = mine[mine.arm == name].dropna(axis="columns", how="all")
            assert theirs.reset_index(drop=True).equals(of_name.reset_index(drop=True)[list(theirs.columns)])
    backwards = simulate(rich_scenario(), arms=[*reversed(RICH_ARMS)], communities=[1, 0], luck=[1, 0])
    assert_part_of(backwards, whole, where)


def assert_part_of(few: Records, whole: Records, where: dict[tuple[str, int, int], int]) -> None:
    for row, run in enumerate(few.runs_index):
        there = where[run.arm, run.community, run.luck]
        n = len(few.lines(run.arm))
        for name in STATES:
            np.testing.assert_array_equal(getattr(few, name)[row], getattr(whole, name)[there], err_msg=name)
        for name in ("units", "cents", "local", "reached"):
            mine, theirs = getattr(few, name)[row, :, :n], getattr(whole, name)[there, :, :n]
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
        assert few.local_left_cents[row] == whole.local_left_cents[there]


@pytest.mark.quick
@pytest.mark.parametrize("burn_in", [0, 1, 9])
def test_burn_in_is_fanned_out_to_all_arms(burn_in: int) -> None:
    """At week 0 all arms of a luck stand where one stands that ran alone, organizations and leaders too."""
    scenario = rich_scenario(campaign={"burn_in_weeks": burn_in})
    community = mixed_community(scenario, random_ties(80, 6.0, seed=1), seed=1, places=4)
    arms, lucks = [NONE, *scenario.arms], [4, 0]
    block = Block(scenario, community, arms, lucks)
    block.advance(0)
    alone = [Block(scenario, community, [NONE], [luck]) for luck in lucks]
    for one in alone:
        one.advance(0)
    for lane in range(block.n_lanes):
        assert_same_lanes(block, lane, alone[lane // len(arms)], 0)
    assert block.n_lanes == len(arms) * len(lucks)
    np.testing.assert_array_equal(block.organizations.coalition, block.organizations.coalition_start)
    if burn_in > 1:
        assert np.any(alone[0].state.flags != alone[1].state.flags), "lucks differ"


@pytest.mark.quick
@pytest.mark.parametrize("share_exponent", [1.0, 0.5, 0.0])
def test_equal_weights_change_nothing(share_exponent: float) -> None:
    """Ties of weight 1 take the wide sums, of residents and of leaders, and give every bit of the narrow."""
    scenario = rich_scenario(behaviour={"share_exponent": share_exponent, "leader_reconsider": 0.8})
    ties = random_ties(80, 8.0, seed=6)
    arms = [NONE, *scenario.arms]
    blocks = []
    for weights in (None, [1.0] * len(ties)):
        block = Block(scenario, mixed_community(scenario, ties, seed=6, weights=weights), arms, [0, 1])
        block.advance(block.horizon)
        blocks.append(block)
    assert blocks[0].community.tie_weight.size != blocks[1].community.tie_weight.size
    for lane in range(blocks[0].n_lanes):
        assert_same_lanes(blocks[0], lane, blocks[1], lane)
    assert np.ptp(blocks[0].tally.stances[..., OPPOSED]) > 0


# What is always true of a state


@pytest.mark.quick
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(60))
def test_states_stay_where_they_belong(world: World) -> None:
    """In every week and lane: who takes part is aware and no opposed leader, the lead is in C, and bounds."""
    scenario, community = world.scenario, world.community
    block = Block(scenario, community, [NONE, *scenario.arms], [world.luck])
    v_max, n_r = scenario.behaviour.max_wins, scenario.behaviour.organizer_contacts
    organizers = None
    while block.week < block.horizon:
        block.advance(block.week + 1)
        state, leaders, organizations = block.state, block.leaders, block.organizations
        participates = (state.flags & a.PARTICIPATING) > 0
        assert np.all((state.flags & a.AWARE)[participates] > 0)
        assert np.all(np.isin(leaders.stance, (-1, 0, 1)))
        assert not participates[leaders.ids][leaders.stance == -1].any()
        for row in (a.CAPABILITY, a.START_CAPABILITY, a.OWNERSHIP, a.TRUST):
            assert np.all((state.reals[row] >= 0) & (state.reals[row] <= 1))
        assert np.all(state.reals[a.APPEAL] >= 0)
        assert np.all((state.results >= 0) & (state.results <= 1))
        assert np.all((state.wins >= 0) & (state.wins <= v_max))
        assert np.all((organizations.interest >= -1) & (organizations.interest <= 1))
        assert np.all((organizations.capacity >= 0) & (organizations.capacity <= 1))
        assert np.all(organizations.resources >= 0)
        assert np.all(organizations.resources <= organizations.start_resources[:, None])
        assert np.all(np.isin(organizations.member, (0, 1)))
        if organizations.lead >= 0:
            assert np.all(organizations.member[organizations.lead] == 1)
        assert np.all((organizations.coalition >= 0) & (organizations.coalition <= 1))
        now = ((state.roles & a.ORGANIZER) > 0).sum(axis=0)
        if block.week > 1 and organizers is not None:
            assert np.all(block.tally.contacts[block.week - 1] <= 2 * n_r * organizers)
        organizers = now
    total = community.org_influence.sum()
    if community.lead >= 0 and total > 0:
        assert np.all(block.tally.coalition >= community.org_influence[community.lead] / total - 1e-12)


@pytest.mark.quick
def test_leaders_who_are_all_opposed_never_participate() -> None:
    """Where nothing moves them, nor anybody who replaces them, no leader is ever among the participants."""
    scenario = rich_scenario(
        community={"leaders": {"share": 0.3, "opposed": 1.0, "supportive": 0.0}},
        behaviour={"leader_reconsider": 0.0, "turnover": 0.1},
    )
    community = mixed_community(scenario, random_ties(80, 6.0, seed=2), seed=2, places=4)
    arms = [NONE, *scenario.arms]
    block = Block(scenario, community, arms, [0, 1])
    while block.week < block.horizon:
        block.advance(block.week + 1)
        assert not (block.state.flags[community.is_leader] & a.PARTICIPATING).any()
        assert not (block.state.roles[community.is_leader] & a.ORGANIZER).any()
    assert np.all(block.tally.stances[..., OPPOSED] == community.is_leader.sum())
    assert block.tally.counts[..., PARTICIPATING].max() > 0
    assert_block_is_reference(scenario, community, [NONE, "allied_leaders"], [0])


# The edges of what is allowed


LEAD_ALONE = [spec for spec in default_organizations() if spec.lead]
EDGES: dict[str, dict[str, Any]] = {
    "one resident": {"community": {"residents": 1}},
    "no leaders": {"community": {"leaders": {"share": 0.0}}},
    "all lead": {"community": {"leaders": {"share": 1.0, "opposed": 0.4, "supportive": 0.6}}},
    "all leaders opposed": {"community": {"leaders": {"share": 0.3, "opposed": 1.0, "supportive": 0.0}}},
    "only the lead": {"community": {"organizations": LEAD_ALONE}},
    "everybody a member": {"community": {"membership": 1.0}},
    "no influence": {
        "community": {
            "organizations": [o.model_copy(update={"influence": 0.0}) for o in default_organizations()]
        }
    },
    "empty group": {
        "community": {
            "groups": {"majority": {"share": 1.0}, "minority": {"share": 0.0, "marginalized": True}}
        }
    },
    "sharp residents": {"behaviour": {"noise": 0.0}},
    "sharp leaders": {"behaviour": {"leader_noise": 0.0, "leader_reconsider": 1.0}},
    "sharp organizations": {"behaviour": {"organization_noise": 0.0, "organization_reconsider": 1.0}},
    "all sharp": {"behaviour": {"noise": 0.0, "leader_noise": 0.0, "organization_noise": 0.0}},
    "no wins": {"behaviour": {"max_wins": 0}},
    "short engagement": {"behaviour": {"engagement_weeks": 1}},
    "decisions every week": {"campaign": {"decision_interval_weeks": 1}},
    "no decision after week 0": {"campaign": {"decision_interval_weeks": 500}},
    "no contacts": {"behaviour": {"organizer_contacts": 0}},
    "many contacts": {"behaviour": {"organizer_contacts": 20, "organizer_start": 1.0}},
    "everything given": {"campaign": {"contribution": 1.0, "refill": 1.0, "public_money": 1.0}},
    "funded one week": {"campaign": {"funding_starts_week": 6, "funding_ends_week": 7}},
    "every survey week": {"campaign": {"calendar": {**TINY_CALENDAR, "monitor": {"first": 0}}}},
}


@pytest.mark.parametrize("well_mixed", [False, True], ids=["ties", "well mixed"])
@pytest.mark.parametrize("edge", EDGES, ids=[name.replace(" ", "_") for name in EDGES])
def test_the_edges_equal_the_reference(edge: str, well_mixed: bool) -> None:
    """Every arm of the rich world, at one edge of what is allowed."""
    changes = {name: dict(values) for name, values in EDGES[edge].items()}
    N = changes.get("community", {}).get("residents", 30)
    network = {"kind": "well_mixed"} if well_mixed else {"kind": "erdos_renyi", "degree": 5.0}
    community = {"residents": N, "network": network, **changes.pop("community", {})}
    scenario = rich_scenario(community=community, **changes)
    ties = [] if well_mixed else random_ties(N, 5.0, seed=9)
    built = mixed_community(scenario, ties, seed=9, places=4, well_mixed=well_mixed)
    assert_block_is_reference(scenario, built, [NONE, *scenario.arms], [3])


@pytest.mark.quick
def test_without_organizations_there_is_no_coalition() -> None:
    """Nobody delivers, so no arm has lines; leaders and organizers go on."""
    scenario = rich_scenario({"empty": {"activities": []}}, community={"organizations": []})
    records = simulate(scenario)
    assert not records.coalition.any()
    assert_same_arms(records, NONE, "empty")
    assert records.contacts.sum() > 0
    assert np.ptp(records.stances[..., OPPOSED]) > 0
    community = mixed_community(scenario, random_ties(80, 6.0, seed=2), seed=2)
    assert_block_is_reference(scenario, community, [NONE, "empty"], [0])


@pytest.mark.quick
def test_a_hub_that_leads_and_is_organized_equals_the_reference() -> None:
    """More than 1,023 ties at an opposed or supportive leader; organizers on the rim and at the hub."""
    N = 1100
    scenario = rich_scenario(
        {"all": arm("visit", "coalition", "stipend", {"kind": "coalition", "target": "leaders"})},
        community={"residents": N},
        behaviour={"organizer_ownership": 0.0, "organizer_capability": 0.0, "leader_reconsider": 1.0},
        campaign={
            "horizon_weeks": 12,
            "funding_ends_week": 10,
            "burn_in_weeks": 2,
            "calendar": short_calendar(),
        },
        goals=[],
    )
    leading = np.arange(N) % 5 == 0
    leaning = np.where(leading, np.arange(N) // 5 % 3 - 1, 0)
    community = mixed_community(scenario, star_ties(N), seed=3, is_leader=leading, leaning=leaning)
    block = assert_block_is_reference(scenario, community, [NONE, "all"], [0])
    assert np.all(block.tally.contacts[-1] > 0)
    assert np.ptp(block.tally.stances[..., OPPOSED]) > 0
    assert np.all(block.tally.units[:, 1].sum(axis=0) > 0)


@pytest.mark.quick
@pytest.mark.parametrize("share_exponent", [1.0, 0.5, 0.0])
def test_large_sums_in_the_exposure_of_leaders_equal_the_reference(share_exponent: float) -> None:
    """Nearly all lead, with influence 16 and some 60 ties: far beyond 4,095 eighths; stances move."""
    scenario = rich_scenario(
        {"all": arm("visit", "coalition", "leader")},
        community={
            "residents": 110,
            "leaders": {"share": 0.8, "influence": 16.0, "supportive": 0.6, "opposed": 0.1},
        },
        behaviour={"share_exponent": share_exponent, "visibility": 0.3, "leader_reconsider": 0.7},
    )
    community = mixed_community(scenario, random_ties(110, 60.0, seed=8), seed=8)
    block = assert_block_is_reference(scenario, community, [NONE, "all"], [0])
    assert np.ptp(block.tally.stances[..., OPPOSED]) > 0


def short_calendar() -> dict[str, Any]:
    return {name: {"first": 1} for name in ("mobilize", "train", "advocate", "implement", "stakeholders")} | {
        "sustain": {"first": 10}
    }
