"""What must hold of every run of the engine, whatever the scenario: the acceptance list of the model.

Statements about single runs are exact, bit for bit; only the one on relabelled residents is statistical.
Money, surveys, policies, leaders and organizations: `test_whole_model.py`. That a world without what came
with version 2 is bit for bit that of version 1: `tests/unit/scenario/test_old.py` and `tests/cases/old`, the
records of the engine of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from tests.builders import mixed_community, random_ties, star_ties, tiny_scenario
from tests.properties.test_engine_equals_reference import assert_same, run_block
from tests.reference import run_reference
from tests.strategies import World, worlds

from mobsim import load_scenario, simulate
from mobsim.campaign.budget import budget_cents
from mobsim.campaign.targeting import RULES
from mobsim.engine.block import Block
from mobsim.engine.records import AWARE, CONTACTED, ORGANIZING, PARTICIPATING, SUPPORTIVE, Records
from mobsim.kernels.delivery import COST_CENTS
from mobsim.scenario.scenario import NONE, Scenario

STATES = (
    "counts",
    "results",
    "wins",
    "coalition",
    "stances",
    "contacts",
    "sums",
    "interest",
    "capacity",
    "member",
    "resources",
    "at_funding_end",
    "organizers_at_funding_end",
)
"""What happens in the community, without what the campaign bought."""


def rows(records: Records, arm: str) -> list[int]:
    return [k for k, run in enumerate(records.runs_index) if run.arm == arm]


def assert_same_records(first: Records, second: Records) -> None:
    assert [(r.arm, r.community, r.luck) for r in first.runs_index] == [
        (r.arm, r.community, r.luck) for r in second.runs_index
    ]
    for field in fields(Records):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, err_msg=field.name)
    pd.testing.assert_frame_equal(first.surveys(), second.surveys(), check_exact=True)


def assert_same_arms(records: Records, arm: str, other: str) -> None:
    for name in STATES:
        array = getattr(records, name)
        np.testing.assert_array_equal(array[rows(records, arm)], array[rows(records, other)], err_msg=name)


def arm(*uses: Any, **more: Any) -> dict[str, Any]:
    """An arm of activities, each a kind or a line."""
    lines = [{"kind": use, "share": 1.0} if isinstance(use, str) else {"share": 1.0, **use} for use in uses]
    return {"activities": lines, **more}


# The network and the decision


@pytest.mark.quick
def test_without_social_weight_the_network_does_not_matter_given_awareness() -> None:
    """J = 0: the same people, all aware for ever, on four networks: the same participants in every week.

    Nobody organizes: organizers' contacts go along ties and carry appeal, whatever the social weight.
    """
    kinds = [
        {"kind": "ring", "degree": 4},
        {"kind": "erdos_renyi", "degree": 12.0},
        {"kind": "complete"},
        {"kind": "well_mixed"},
    ]
    found = []
    for kind in kinds:
        scenario = tiny_scenario(
            community={"network": kind, "initial": {"aware": "everyone", "participating": 0.1}},
            behaviour={
                "social_weight": 0.0,
                "awareness_half_life": None,
                "turnover": 0.0,
                "organizer_start": 0.0,
            },
        )
        found.append(simulate(scenario))
    for records in found[1:]:
        assert_same_records(found[0], records)
    assert np.ptp(found[0].counts[..., PARTICIPATING].sum(axis=2)) > 0, "something happens"


@pytest.mark.quick
def test_without_social_weight_and_telling_no_record_depends_on_the_network() -> None:
    """Awareness then comes from outside and from the campaign alone; nobody organizes (as above)."""
    found = [
        simulate(
            tiny_scenario(
                community={"network": kind},
                behaviour={
                    "social_weight": 0.0,
                    "tell_participant": 0.0,
                    "tell_other": 0.0,
                    "organizer_start": 0.0,
                },
            )
        )
        for kind in ({"kind": "ring", "degree": 2}, {"kind": "erdos_renyi", "degree": 10.0})
    ]
    assert_same_records(*found)


@pytest.mark.quick
def test_contacts_of_organizers_need_the_network_even_without_social_weight() -> None:
    """The same people, all aware and J = 0: where organizers have nobody to go to, other people take part."""
    found = []
    for degree in (0.0, 12.0):
        scenario = tiny_scenario(
            community={
                "network": {"kind": "erdos_renyi", "degree": degree},
                "initial": {"aware": "everyone", "participating": 0.3},
            },
            behaviour={
                "social_weight": 0.0,
                "awareness_half_life": None,
                "organizer_start": 1.0,
                "organizer_capability": 0.0,
                "organizer_ownership": 0.0,
            },
        )
        found.append(simulate(scenario, arms=[NONE]))
    assert found[0].contacts.sum() == 0
    assert found[1].contacts.sum() > 0
    assert np.any(found[0].counts[..., PARTICIPATING] != found[1].counts[..., PARTICIPATING])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(80), relief=st.sampled_from([0.0, 0.05, 0.1, 0.5]))
def test_a_lower_barrier_never_loses_a_participant(world: World, relief: float) -> None:
    """Under common luck, in every week, where rules only ever add: `only_adding` names the conditions."""
    scenario = only_adding(world.scenario)
    assume(all(use.target is None or use.target.rule != "non_participants" for use in uses_of(scenario)))
    assume(all(use.kind != "stipend" for use in uses_of(scenario)))
    assume(scenario.behaviour.tell_other <= scenario.behaviour.tell_participant)
    groups = {
        name: group.model_copy(update={"barrier": group.barrier + 0.5})
        for name, group in scenario.community.groups.items()
    }
    counts = scenario.behaviour.thresholds.kind == "count"
    assume(not counts)
    low = with_groups(
        scenario, {n: g.model_copy(update={"barrier": g.barrier - relief}) for n, g in groups.items()}
    )
    high = with_groups(scenario, groups)
    shares = [final_participants(s, world, world.arm) for s in (high, low)]
    assert np.all(shares[0] <= shares[1])


def test_a_lower_barrier_never_loses_a_participant_at_the_defaults() -> None:
    """All arms of a district with lapse and habit: every run and week, participation and awareness."""
    records = []
    for barrier in (0.10, 0.20):
        overrides = {
            "community.residents": 1000,
            "community.groups": {
                "majority": {"share": 0.8, "barrier": barrier},
                "hill_people": {"share": 0.2, "barrier": barrier + 0.1},
            },
        }
        scenario = load_scenario("limits/banerjee_endorsement", overrides=overrides)
        records.append(simulate(scenario, communities=4, luck=2))
    low, high = (r.counts[..., PARTICIPATING].sum(axis=2) for r in records)
    assert np.all(low >= high)
    assert low.mean() > high.mean()


VISIT_AND_MORE = ({"kind": "visit"}, {"kind": "skills"}, {"kind": "lobby"})
ORGANIZING_EARLY = {
    "organizer_capability": 0.0,
    "organizer_ownership": 0.0,
    "organizer_start": 0.5,
    "organizer_contacts": 3,
}
SWINGING = {"leader_leaning_weight": 1.0, "leader_noise": 0.0, "leader_threshold": 0.1}
TELLING = {"tell_participant": 0.3, "tell_other": 0.3, "turnover": 0.0}
OFTEN = {"lobby_success": 1.0, "win_reversal": 0.1, "visibility": 0.3}
LOBBY_FIRST = (
    {"kind": "lobby", "share": 0.8, "cost": 20.0, "absolute": True},
    {"kind": "visit", "cost": 9.0},
)
LOSING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "leaders": (
        {"behaviour": {**SWINGING, "leader_reconsider": 0.5}},
        {"behaviour": {**SWINGING, "leader_reconsider": 1.0}},
    ),
    "stipends": (
        {"behaviour": ORGANIZING_EARLY, "uses": [{"kind": "visit", "cost": 20.0, "absolute": True}]},
        {"behaviour": ORGANIZING_EARLY, "uses": [{"kind": "stipend", "cost": 20.0, "absolute": True}]},
    ),
    "surveys": (
        {"uses": VISIT_AND_MORE},
        {"uses": VISIT_AND_MORE, "policy": "reasons", "survey": {"respondents": 10}},
    ),
    "targets": (
        {"uses": [{"kind": "visit", "target": "random"}]},
        {"uses": [{"kind": "visit", "target": "non_participants"}]},
    ),
    "window": ({"behaviour": TELLING}, {"behaviour": {**TELLING, "exposure_window": 2}}),
    "public_money": (
        {"uses": LOBBY_FIRST, "behaviour": OFTEN},
        {"uses": LOBBY_FIRST, "behaviour": OFTEN, "public_money": 1.0},
    ),
}
"""For a condition of `only_adding`: a world that meets it, and the same world without it."""


@pytest.mark.parametrize("condition", LOSING)
def test_a_lower_barrier_can_lose_participants_without_a_condition(condition: str) -> None:
    """Sixty streams of luck: none loses a participant in any week where the condition holds, some do without.

    Losing by lapse is too rare to be searched for here (2 in 2,400 runs with a strong habit).
    """
    kept, dropped = LOSING[condition]
    assert count_lost(**kept) == 0
    assert count_lost(**dropped) > 0


def count_lost(
    uses: Sequence[dict[str, Any]] = (),
    behaviour: dict[str, Any] | None = None,
    public_money: float = 0.0,
    **policy: Any,
) -> int:
    """Return how many weeks of 60 runs have fewer participants at barriers that are lower by .02."""
    scenario = tiny_scenario(
        community={"leaders": {"share": 0.2, "influence": 4.0, "supportive": 0.0, "opposed": 0.0}},
        behaviour={"lapse": 0.0, "leader_reconsider": 0.5, "social_weight": 1.0, **(behaviour or {})},
        campaign={
            "decision_interval_weeks": 1,
            "public_money": public_money,
            "contribution": 0.0,
            "budget_per_resident": 60.0 if public_money else 10.0,
        },
        arms={"arm": arm(*uses, **policy)},
    )
    community = mixed_community(scenario, random_ties(40, 5.0, seed=5), seed=5)
    participants = []
    for change in (0.1, 0.08):
        groups = {
            name: group.model_copy(update={"barrier": group.barrier + change})
            for name, group in scenario.community.groups.items()
        }
        block = Block(with_groups(scenario, groups), community, ["arm"], range(60))
        block.advance(block.horizon)
        participants.append(block.tally.counts[..., PARTICIPATING].sum(axis=2))
    return int(np.sum(participants[1] < participants[0]))


def only_adding(scenario: Scenario) -> Scenario:
    """Leave out what can turn more participants today into fewer tomorrow.

    A nonnegative weight of results. No lapse, which halves ownership: who took part and lapsed can have less
    of it than somebody who never joined. No window of telling: who was told earlier stops telling earlier.
    Leaders who decide at most every second time: the pull back to where they lean is stronger on those who
    have moved up, and with more than one half the same draw may move one up and the other down past him. No
    surveys and no voices at meetings, which move money by what they find, and no public money, which comes
    with wins: money at another time buys in other weeks. Beside it no targets by state (`non_participants`),
    no stipends (they go to the first organizers, so one more takes them from another), participants who tell
    at least as much as others, no thresholds in whole numbers (they know no barrier).
    The coalition is no condition: organizations do not see residents. `LOSING` shows what happens without.
    """
    quiet = {"policy": "fixed", "survey": None, "community_decides": False}
    return with_behaviour(
        scenario,
        results_weight=abs(scenario.behaviour.results_weight),
        lapse=0.0,
        exposure_window=None,
        leader_reconsider=min(0.5, scenario.behaviour.leader_reconsider),
    ).model_copy(
        update={
            "campaign": scenario.campaign.model_copy(update={"public_money": 0.0}),
            "arms": {name: spec.model_copy(update=quiet) for name, spec in scenario.arms.items()},
        }
    )


def with_behaviour(scenario: Scenario, **changes: Any) -> Scenario:
    return scenario.model_copy(update={"behaviour": scenario.behaviour.model_copy(update=changes)})


def with_groups(scenario: Scenario, groups: dict[str, Any]) -> Scenario:
    return scenario.model_copy(update={"community": scenario.community.model_copy(update={"groups": groups})})


def uses_of(scenario: Scenario) -> list[Any]:
    return [use for spec in scenario.arms.values() for use in spec.activities]


def final_participants(scenario: Scenario, world: World, name: str) -> np.ndarray:
    """Return (weeks,) participants of one run on the world's community."""
    block = Block(scenario, world.community, [name], [world.luck])
    block.advance(block.horizon)
    return np.asarray(block.tally.counts[:, 0, :, PARTICIPATING].sum(axis=1))


# Money


@pytest.mark.quick
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(60))
def test_money_is_conserved_to_the_cent(world: World) -> None:
    """External: spent, maps and surveys included, + unspent = budget. Local: spent + what is left = income.

    Every unit has its price; no external money is spent outside funded weeks but for surveys, no local money
    before; a purse never goes below 0.
    """
    scenario = world.scenario
    block = Block(scenario, world.community, list(scenario.arms), [world.luck])
    block.advance(block.horizon)
    first, after = scenario.campaign.funding_starts_week, scenario.campaign.funding_ends_week
    for lane, spec in enumerate(scenario.arms.values()):
        budget = (
            budget_cents(
                scenario.campaign.budget_per_resident, spec.budget_share, world.community.n_residents
            )
            if spec.activities
            else 0
        )
        assert block.plans.budgets[lane] == budget
        cents, local = block.tally.cents[:, lane], block.tally.local[:, lane]
        left = block.purse.left[lane] + block.purse.purse[lane].sum()
        assert cents.sum() + block.plans.maps[lane] + left == budget
        local_left = block.purse.pot[lane] + block.purse.local[lane].sum() + block.purse.remainder[lane]
        assert local.sum() + local_left == block.tally.income[:, lane].sum()
        for purse in (block.purse.purse[lane], block.purse.local[lane]):
            assert np.all(purse >= 0)
        assert min(block.purse.left[lane], block.purse.pot[lane], block.purse.remainder[lane]) >= 0
        n = len(spec.activities)
        prices = block.plans.kernel.whole[lane, :n, COST_CENTS]
        np.testing.assert_array_equal(block.tally.units[:, lane, :n] * prices, (cents + local)[:, :n])
        outside = np.ones(block.horizon, bool)
        outside[first:after] = False
        assert not cents[outside, :n].any()
        assert not cents[after:].any()
        assert not local[:first].any()
        assert not local[:, n:].any(), "surveys are paid from the budget"


@pytest.mark.quick
def test_without_money_every_arm_is_the_arm_without_a_campaign() -> None:
    poor = simulate(tiny_scenario(campaign={"budget_per_resident": 0.0}))
    for name in poor.scenario.arms:
        assert_same_arms(poor, NONE, name)
        assert not poor.cents[rows(poor, name)].any()
    share = simulate(
        tiny_scenario(arms={"idle": arm("visit", "meeting", "media", "lobby", budget_share=0.0)})
    )
    assert_same_arms(share, NONE, "idle")


# Activities that do nothing, and arms that differ late


@pytest.mark.quick
def test_an_activity_without_effect_changes_nothing() -> None:
    """Money is spent and surveys are asked, and every state is that of no campaign.

    Without effect: nobody is ever reached, efforts never win, demonstrations show nobody, the engaged do not
    care, organizations learn nothing, stipends buy no contacts. Members contribute nothing: they do so only
    where there is a campaign, and their resources are a state. Engagements are so dear that none is left for
    a leader, who would hear of the campaign by it.
    """
    nothing = {
        "appeal": 0.0,
        "capability": 0.0,
        "ownership": 0.0,
        "trust": 0.0,
        "interest": 0.0,
        "capacity": 0.0,
        "reach": 0.0,
        "contact": False,
    }
    kinds = ("visit", "meeting", "skills", "media", "lobby", "org", "coalition", "demonstration", "stipend")
    dear = {"coalition": {"cost": 650.0, "absolute": True}}
    scenario = tiny_scenario(
        community={
            "groups": {
                "majority": {"share": 0.8, "reached": 0.0},
                "minority": {"share": 0.2, "reached": 0.0},
            },
            "membership": 0.5,
        },
        behaviour={
            "lobby_success": 0.0,
            "visibility": 0.0,
            "lapse": 0.0,
            "leader_engagement_weight": 0.0,
            "organization_engagement_weight": 0.0,
            "organizer_start": 0.5,
            "organizer_capability": 0.0,
            "organizer_ownership": 0.0,
            "organizer_contacts": 0,
        },
        activities=dict.fromkeys(kinds, nothing),
        arms={name: arm({"kind": name, **dear.get(name, {})}, survey={"respondents": 5}) for name in kinds},
        campaign={"budget_per_resident": 100.0, "contribution": 0.0, "public_money": 0.0},
    )
    records = simulate(scenario)
    for name in scenario.arms:
        assert records.units[rows(records, name), :, 0].sum() > 0, name
        if name not in ("stipend", "coalition"):
            assert not records.reached[rows(records, name)].any(), name
        assert_same_arms(records, NONE, name)
    assert len(records.surveys()) > 0
    assert records.contacts.sum() == 0


@pytest.mark.quick
def test_arms_agree_until_the_first_week_in_which_they_buy_differently() -> None:
    """All pairs of arms; means of states too. After that week some differ."""
    scenario = tiny_scenario(
        community={"residents": 120},
        arms={
            "early": arm("visit", "media"),
            "late": arm("skills"),
            "latest": arm("lobby"),
            "some": arm("visit", "lobby"),
            "dear": arm({"kind": "visit", "cost": 60.0}),
        },
        campaign={"decision_interval_weeks": 1},
    )
    records = simulate(scenario)
    names = [NONE, *scenario.arms]
    compared = 0
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            for a, b in zip(rows(records, one), rows(records, other), strict=True):
                buys = bought(records, a), bought(records, b)
                differ = np.flatnonzero([x != y for x, y in zip(*buys, strict=True)])
                until = int(differ[0]) if differ.size else records.counts.shape[1]
                compared += until
                for array in (records.counts, records.results, records.wins, records.sums):
                    np.testing.assert_array_equal(array[a, :until], array[b, :until])
    assert compared > 0
    assert len({records.counts[row].tobytes() for row in range(len(records.runs_index))}) > 8


def bought(records: Records, row: int) -> list[dict[str, int]]:
    """Return for each week what was bought, by kind."""
    name = records.runs_index[row].arm
    uses = () if name == NONE else records.scenario.arms[name].activities
    return [
        {use.kind: int(units[b]) for b, use in enumerate(uses) if units[b]} for units in records.units[row]
    ]


# What must not matter


@pytest.mark.quick
@pytest.mark.parametrize("lanes", [1, 3, 8, 20])
def test_the_width_of_blocks_does_not_matter(lanes: int) -> None:
    scenario = tiny_scenario(community={"residents": 90})
    assert_same_records(wide_records(), simulate(scenario, communities=2, luck=11, lanes=lanes))


@pytest.mark.quick
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_matter(threads: int) -> None:
    scenario = tiny_scenario(community={"residents": 90})
    assert_same_records(wide_records(), simulate(scenario, communities=2, luck=11, threads=threads, lanes=12))


@cache
def wide_records() -> Records:
    return simulate(tiny_scenario(community={"residents": 90}), communities=2, luck=11, lanes=64, threads=1)


@pytest.mark.quick
def test_the_order_and_choice_of_runs_do_not_matter() -> None:
    scenario = tiny_scenario()
    everything = simulate(scenario, communities=3, luck=4)
    shuffled = simulate(scenario, communities=[2, 0, 1], luck=[3, 1, 0, 2])
    assert_same_records(everything, shuffled)
    few = simulate(scenario, arms=["mixed", NONE], communities=[2], luck=[3])
    for row, run in enumerate(few.runs_index):
        whole = [(r.arm, r.community, r.luck) for r in everything.runs_index].index((run.arm, 2, 3))
        for name in STATES:
            np.testing.assert_array_equal(
                getattr(few, name)[row], getattr(everything, name)[whole], err_msg=name
            )


def test_relabelled_residents_have_the_same_distribution(tmp_path: Path) -> None:
    """The same village in another order: 300 communities each, Kolmogorov-Smirnov at 1 in 10,000.

    With leaders who lean and move, organizers, a coalition and surveys.
    """
    random = np.random.default_rng(11)
    n = 60
    ties = random_ties(n, 6.0, seed=5)
    group = random.choice(["majority", "minority"], n, p=[0.7, 0.3])
    leader = random.random(n) < 0.2
    leaning = np.where(leader, random.choice([-1, 0, 1], n), 0)
    threshold = random.uniform(-0.2, 0.7, n).round(3)
    starts = (random.random(n) < 0.1) & (leaning >= 0)
    finals = []
    for label, order in {"first": np.arange(n), "second": random.permutation(n)}.items():
        people = [
            f"{i},{group[i]},{int(leader[i])},{leaning[i]},{threshold[i]},{int(starts[i])}" for i in order
        ]
        (tmp_path / f"{label}_people.csv").write_text(
            "\n".join(["id,group,leader,leaning,threshold,participating", *people]) + "\n", "utf-8"
        )
        pairs = random.permutation(np.array(ties))
        (tmp_path / f"{label}_ties.csv").write_text(
            "\n".join(["from,to", *(f"{a},{b}" for a, b in pairs)]) + "\n", "utf-8"
        )
        overrides = {
            "community.residents": n,
            "community.groups": {"majority": {"share": 0.7}, "minority": {"share": 0.3}},
            "community.network": {
                "kind": "files",
                "people": str(tmp_path / f"{label}_people.csv"),
                "ties": str(tmp_path / f"{label}_ties.csv"),
            },
            "replicates.communities": 1,
            "campaign.burn_in_weeks": 0,
            "campaign.budget_per_resident": 50.0,
            "behaviour.organizer_capability": 0.3,
            "behaviour.organizer_ownership": 0.02,
            "behaviour.organizer_start": 0.3,
            "arms.outreach.policy": "reasons",
            "arms.outreach.survey": {"respondents": 20},
            "arms.outreach.activities": [
                {"kind": "visit", "share": 1.0},
                {"kind": "meeting", "share": 1.0},
                {"kind": "coalition", "share": 1.0, "target": {"rule": "leaders"}},
            ],
        }
        scenario = load_scenario("limits/banerjee_endorsement", overrides=overrides)
        records = simulate(scenario, arms=["outreach"], communities=300, luck=1)
        week = records.funding_end
        counted = [
            records.counts[:, week, :, which].sum(axis=1)
            for which in (PARTICIPATING, AWARE, CONTACTED, ORGANIZING)
        ]
        finals.append([*counted, records.stances[:, week, SUPPORTIVE], records.units[:, :, 0].sum(axis=1)])
    for first, second in zip(*finals, strict=True):
        assert first.std() > 0
        assert ks_2samp(first, second).pvalue > 1e-4
        error = np.hypot(first.std(), second.std()) / np.sqrt(300)
        assert abs(first.mean() - second.mean()) <= 4 * error


# The edges of what is allowed


def assert_block_is_reference(
    scenario: Scenario, community: Any, names: Sequence[str], luck: Sequence[int]
) -> Block:
    """Run one block of arms and lucks, compare every lane with its reference run, and return the block."""
    world = World(scenario=scenario, community=community, arm=names[0], luck=luck[0])
    block, measured = run_block(world, list(names), list(luck))
    for lane in range(block.n_lanes):
        name, k = names[lane % len(names)], luck[lane // len(names)]
        assert_same(run_reference(scenario, community, name, k), block, lane, measured)
    return block


@pytest.mark.quick
@pytest.mark.parametrize("residents", [1024, 1025, 1500])
def test_hubs_beyond_the_packed_counts_equal_the_reference(residents: int) -> None:
    """Everybody is tied to one hub: 1,023 ties fit into the packed counts, 1,024 and more do not."""
    scenario = tiny_scenario(community={"residents": residents}, behaviour={"tell_participant": 0.3})
    community = mixed_community(scenario, star_ties(residents), seed=3)
    assert_block_is_reference(scenario, community, [NONE, "mixed"], [0])


@pytest.mark.quick
@pytest.mark.parametrize("share_exponent", [1.0, 0.5, 0.0])
def test_large_sums_of_influence_equal_the_reference(share_exponent: float) -> None:
    """Leaders of influence 16 with some 60 ties: sums of weighted stances far beyond 4,095 eighths."""
    scenario = tiny_scenario(
        community={
            "residents": 150,
            "leaders": {"share": 0.8, "influence": 16.0, "supportive": 0.6, "opposed": 0.1},
        },
        behaviour={"share_exponent": share_exponent, "visibility": 0.3},
    )
    community = mixed_community(scenario, random_ties(150, 60.0, seed=8), seed=8)
    assert_block_is_reference(scenario, community, [NONE, "outreach"], [0, 1])


@pytest.mark.quick
@pytest.mark.parametrize("network", [{"kind": "well_mixed"}, {"kind": "erdos_renyi", "degree": 0.0}])
def test_one_resident(network: dict[str, Any]) -> None:
    scenario = tiny_scenario(
        community={"residents": 1, "network": network}, campaign={"budget_per_resident": 1000.0}
    )
    records = simulate(scenario, lanes=5)
    assert set(np.unique(records.counts[..., PARTICIPATING])) <= {0, 1}
    community = mixed_community(scenario, [], seed=1, well_mixed=network["kind"] == "well_mixed")
    assert_block_is_reference(scenario, community, [NONE, *scenario.arms], [0, 1])


@pytest.mark.quick
def test_an_empty_group() -> None:
    groups = {"majority": {"share": 1.0}, "minority": {"share": 0.0, "marginalized": True}}
    scenario = tiny_scenario(community={"groups": groups})
    records = simulate(scenario)
    assert not records.counts[:, :, 1].any()
    table = records.runs()
    assert table["participation_fe__minority"].isna().all()
    assert table["gap_fe"].isna().all()
    community = mixed_community(scenario, random_ties(40, 5.0, seed=2), seed=2)
    assert_block_is_reference(scenario, community, [NONE, *scenario.arms], [0])


@pytest.mark.quick
def test_every_rule_of_targeting_buys_and_reaches_its_people() -> None:
    arms = {
        rule: arm({"kind": "visit", "target": {"rule": rule, "mapping_cost_per_person": 0.5}})
        for rule in RULES
    }
    villages = {"kind": "households", "villages": 8}
    scenario = tiny_scenario(community={"residents": 200, "network": villages}, arms=arms)
    records = simulate(scenario)
    budget = budget_cents(scenario.campaign.budget_per_resident, 1.0, 200)
    for row, run in enumerate(records.runs_index):
        assert records.cents[row].sum() + records.unspent_cents[row] == (0 if run.arm == NONE else budget)
    leaders = int(records.group_sizes[0].sum() * scenario.community.leaders.share)
    for rule in RULES:
        of_rule = rows(records, rule)
        assert np.all(records.units[of_rule].sum(axis=(1, 2)) > 0), rule
        assert np.all(records.reached[of_rule].sum(axis=(1, 2, 3)) > 0), rule
    contacted = records.counts[:, -1, :, CONTACTED]
    assert not contacted[rows(records, "affected"), 0].any(), "the majority is not affected"
    assert np.all(contacted[rows(records, "leaders")].sum(axis=1) <= leaders + 1)
    assert np.all(contacted[rows(records, "degree")].sum(axis=1) <= 20), "a tenth of the residents"
    assert np.all(contacted[rows(records, "clustered")].sum(axis=1) <= 25), "one village, of 25"
    assert len({records.counts[rows(records, rule)].tobytes() for rule in RULES}) == len(RULES)
