"""The plain reference against sums done by hand, and against what must hold in every run."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from tests.builders import (
    bare_scenario,
    hand_community,
    mixed_community,
    random_ties,
    ring_ties,
    star_ties,
    tiny_scenario,
)
from tests.reference import ReferenceRun, run_reference
from tests.strategies import World, worlds

from mobsim.kernels.keyed import philox
from mobsim.kernels.streams import WEEK
from mobsim.scenario.scenario import NONE, Scenario

pytestmark = pytest.mark.quick


def assert_same(one: ReferenceRun, other: ReferenceRun, *, leave_out: tuple[str, ...] = ()) -> None:
    """Every record and every state equal, bit for bit."""
    for named in fields(ReferenceRun):
        if named.name not in leave_out:
            a, b = getattr(one, named.name), getattr(other, named.name)
            if named.name == "means":
                assert a.keys() == b.keys()
                assert all(np.array_equal(a[week], b[week]) for week in a)
            else:
                assert np.array_equal(a, b), named.name


MONEY = ("units", "spent_cents", "reached", "budget_cents", "unspent_cents")


def with_visits(target: dict[str, Any], residents: int = 10, **visit: Any) -> Scenario:
    """Everybody is reached by visits of one dollar, three dollars a week in weeks 0 to 9."""
    return tiny_scenario(
        community={"residents": residents, "groups": {"all": {"share": 1.0, "reached": 1.0}}},
        campaign={
            "burn_in_weeks": 0,
            "horizon_weeks": 12,
            "budget_per_resident": 30 / residents,
            "funding_starts_week": 0,
            "funding_ends_week": 10,
            "calendar": {"mobilize": {"first": 0}},
        },
        activities={"visit": visit},
        arms={"visits": {"activities": [{"kind": "visit", "share": 1.0, "target": target}]}},
    )


# ---------------------------------------------------------------------------------------------------------
# What must hold in every run


@given(worlds(max_residents=60))
@hypothesis_settings(max_examples=60)
def test_in_every_world(world: World) -> None:
    run = run_reference(world.scenario, world.community, world.arm, world.luck)
    assert_same(run, run_reference(world.scenario, world.community, world.arm, world.luck))
    assert run.budget_cents == run.spent_cents.sum() + run.unspent_cents
    assert run.unspent_cents >= 0
    assert (run.participating <= run.aware).all()
    assert (run.participating_uncontacted <= run.participating).all()
    assert run.participants_fe_never_left <= run.participants_fe_at_end <= run.participants_fe
    assert np.array_equal(run.aware[-1].sum(), run.final_aware.sum())
    assert not run.final_participating[world.community.leaning == -1].any()
    for values in (run.final_capability, run.final_ownership, run.final_appeal, run.final_trust):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert (values >= 0).all()


def test_some_worlds_buy_and_change() -> None:
    scenario = tiny_scenario()
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    none = run_reference(scenario, community, NONE, 0)
    for arm in scenario.arms:
        run = run_reference(scenario, community, arm, 0)
        assert run.units.sum() > 0
        assert run.participating.sum() != none.participating.sum()
        assert run.spent_cents.sum() + run.unspent_cents == run.budget_cents == 40_000
        assert not run.units[:2].any()
        assert not run.units[20:].any()


def test_zero_budget_is_no_campaign() -> None:
    scenario = tiny_scenario(campaign={"budget_per_resident": 0.0})
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    none = run_reference(scenario, community, NONE, 1)
    for arm in scenario.arms:
        assert_same(run_reference(scenario, community, arm, 1), none, leave_out=MONEY)


def test_arms_are_the_same_until_they_act_differently() -> None:
    scenario = tiny_scenario()
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    none, outreach = (run_reference(scenario, community, arm, 1) for arm in (NONE, "outreach"))
    assert np.array_equal(none.participating[:2], outreach.participating[:2])
    assert not np.array_equal(none.aware[2], outreach.aware[2])


def test_without_social_weight_ties_do_not_matter_once_all_are_aware() -> None:
    scenario = tiny_scenario(
        community={"initial": {"aware": "everyone"}},
        behaviour={"social_weight": 0.0, "awareness_half_life": None, "turnover": 0.0},
    )
    people = {"seed": 3}
    first = mixed_community(scenario, random_ties(40, 5.0, seed=1), **people)
    second = mixed_community(scenario, star_ties(40), **people)
    for arm in [NONE, *scenario.arms]:
        one, other = (run_reference(scenario, community, arm, 0) for community in (first, second))
        assert_same(one, other)


# ---------------------------------------------------------------------------------------------------------
# By hand


@pytest.mark.parametrize("luck", range(12))
def test_two_residents_by_hand(luck: int) -> None:
    """Resident 0 takes part, resident 1 has never heard of it; both are visited in the only week."""
    scenario = tiny_scenario(
        community={"residents": 2, "groups": {"all": {"share": 1.0, "reached": 1.0}}},
        behaviour={"lapse": 0.0, "turnover": 0.0, "thresholds": {"kind": "constant", "value": 0.2}},
        campaign={
            "burn_in_weeks": 0,
            "horizon_weeks": 1,
            "budget_per_resident": 1.0,
            "funding_starts_week": 0,
            "funding_ends_week": 1,
            "calendar": {"mobilize": {"first": 0}},
        },
        arms={"visits": {"activities": [{"kind": "visit", "share": 1.0}]}},
    )
    community = hand_community(scenario, [(0, 1)], aware=[True, False], participating=[True, False])
    run = run_reference(scenario, community, "visits", luck)

    # The lead has capacity .7 and credibility .7: D = .49, A = .0098, B = .02 * .3.
    appeal, trust, capability = 0.49, 0.5 + 0.0098 * 0.5 - 0.006 * 0.5, 0.25
    support = 0.12 * trust * appeal + 0.25 * capability - 0.10 - 0.2
    # Resident 0 sees an idle neighbour, resident 1 a participating one; half of the community takes part.
    readiness = [0.5 * (0.9 * 0 + 0.1 * 0.5) + support, 0.5 * (0.9 * 1 + 0.1 * 0.5) + support]
    willing = [1 / (1 + math.exp(-value / 0.1)) for value in readiness]
    chance = [0.75 + 0.25 * willing[0], 0.25 * willing[1]]
    draws = [(int(philox(i, 0, luck, WEEK, 7, 0)[1]) >> 8) / 2**24 for i in range(2)]
    takes_part = np.array([u < p for u, p in zip(draws, chance, strict=True)])

    assert run.final_aware.all()
    assert run.final_participating.tolist() == takes_part.tolist()
    assert run.final_appeal == pytest.approx([appeal * 2**-0.25] * 2, rel=1e-6)
    assert run.final_trust == pytest.approx([trust] * 2, rel=1e-6)
    learned = np.where(takes_part, capability + 0.0005 * (1 - capability), capability)
    assert run.final_capability == pytest.approx(learned, rel=1e-6)
    assert run.final_ownership == pytest.approx(np.where(takes_part, 0.04, 0.0), rel=1e-6)
    share = takes_part.mean()
    assert run.results[0] == pytest.approx(0.02 * share**2 / (share**2 + 0.3**2), rel=1e-12)
    assert run.units.tolist() == [[2]]
    assert run.spent_cents.tolist() == [[200]]
    assert (run.budget_cents, run.unspent_cents) == (200, 0)
    assert run.participating_uncontacted.sum() == 0
    assert run.means[0].shape == (6, 1)
    assert run.means[0][0, 0] == 2 * round(float(run.final_appeal[0]) * 2**32)


def test_granovetter() -> None:
    """Thresholds 0, 1, ..., 99 bring in everybody, one a week; without a threshold of 1 nobody follows."""
    for second, expected in ((1, 100), (2, 1)):
        counts = [0, second, *range(2, 100)]
        scenario = bare_scenario(
            100,
            behaviour={"visibility": 1.0, "thresholds": {"kind": "count", "values": counts}},
            campaign={"horizon_weeks": 100},
        )
        run = run_reference(scenario, hand_community(scenario, well_mixed=True), NONE, 0)
        assert run.participating[-1].tolist() == [expected]
        assert run.participating[:, 0].tolist() == [min(week + 1, expected) for week in range(100)]


def test_all_of_the_contacts_reach_threshold_one() -> None:
    """k of k contacts always reach a threshold of 1, whatever the social weight's decimals."""
    for social_weight in (0.1, 0.3, 1.0):
        scenario = bare_scenario(
            8,
            behaviour={
                "social_weight": social_weight,
                "thresholds": {"kind": "constant", "value": social_weight},
            },
        )
        started = [i != 7 for i in range(8)]
        community = hand_community(scenario, star_ties(8, centre=7), participating=started)
        assert run_reference(scenario, community, NONE, 0).final_participating.all()


def test_one_without_ties_joins_only_without_a_threshold() -> None:
    for value, joins in ((0.18, False), (0.0, True), (-0.5, True)):
        scenario = bare_scenario(3, behaviour={"thresholds": {"kind": "constant", "value": value}})
        run = run_reference(scenario, hand_community(scenario, [(0, 1)]), NONE, 0)
        assert run.final_participating.tolist() == [joins] * 3


@pytest.mark.parametrize(("window", "aware"), [(1, [4, 6, 8, 10, 12]), (None, [4, 6, 8, 10, 12])])
def test_a_certain_rumour_walks_around_a_ring(window: int | None, aware: list[int]) -> None:
    scenario = bare_scenario(
        20,
        community={"initial": {"aware": "participants"}},
        behaviour={
            "tell_participant": 1.0,
            "exposure_window": window,
            "thresholds": {"kind": "constant", "value": -1.0},
        },
        campaign={"horizon_weeks": 5},
    )
    started = np.arange(20) < 2
    community = hand_community(scenario, ring_ties(20), aware=started, participating=started)
    run = run_reference(scenario, community, NONE, 0)
    assert run.aware[:, 0].tolist() == aware
    assert np.array_equal(run.aware, run.participating)


def test_a_tie_without_transmission_never_tells() -> None:
    scenario = bare_scenario(4, behaviour={"tell_participant": 0.5})
    community = hand_community(
        scenario,
        [(1, 0), (2, 0), (3, 2)],
        transmission=[1.0, 0.0, 1.0],
        aware=[True, False, False, False],
        participating=[True, False, False, False],
    )
    assert run_reference(scenario, community, NONE, 0).final_aware.tolist() == [True, True, False, False]


# ---------------------------------------------------------------------------------------------------------
# Targets and money


def test_a_cycle_reaches_everybody_once_before_anybody_twice() -> None:
    scenario = with_visits({"rule": "cycle"})
    run = run_reference(scenario, hand_community(scenario), "visits", 0)
    # Where a cycle ends, money for two visits (later one) waits a week.
    assert run.units[:, 0].tolist() == [3, 3, 3, 1, 5, 3, 2, 4, 3, 3, 0, 0]
    assert run.contacted[:4, 0].tolist() == [3, 6, 9, 10]
    assert run.unspent_cents == 0


def test_degree_takes_the_hub_and_pays_for_the_map() -> None:
    target = {"rule": "degree", "fraction": 0.1, "mapping_cost_per_person": 0.5}
    scenario = with_visits(target)
    community = hand_community(scenario, star_ties(10, centre=4))
    run = run_reference(scenario, community, "visits", 0)
    assert np.flatnonzero(run.final_contacted).tolist() == [4]
    assert run.units[:10, 0].tolist() == [1] * 10
    assert run.spent_cents[:2, 0].tolist() == [500 + 100, 100]
    assert run.spent_cents.sum() + run.unspent_cents == 3000


def test_nominees_of_a_star_are_its_hub_and_one_leaf() -> None:
    scenario = with_visits({"rule": "nominated"})
    community = hand_community(scenario, star_ties(10, centre=4))
    run = run_reference(scenario, community, "visits", 0)
    assert run.units[:10, 0].tolist() == [3] * 10
    assert run.reached[:10, 0, 0].tolist() == [2] * 10
    assert run.final_contacted[4]


def test_only_the_group_is_visited() -> None:
    scenario = tiny_scenario(
        arms={"visits": {"activities": [{"kind": "visit", "share": 1, "target": "affected"}]}}
    )
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    run = run_reference(scenario, community, "visits", 0)
    assert run.contacted[-1, 0] == 0
    assert run.contacted[-1, 1] > 0


def test_broadcasts_share_one_cap() -> None:
    media = {"kind": "media", "cost": 0.01, "absolute": True}
    scenario = tiny_scenario(
        arms={"media": {"activities": [{**media, "share": 0.001}, {**media, "share": 1.0}]}}
    )
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    run = run_reference(scenario, community, "media", 0)
    # The first gets 2 cents a week; the second could pay for thousands of units.
    assert run.units[2:20].tolist() == [[2, 1]] * 18
    assert not run.contacted.any()


def test_seats_are_filled_in_order_until_they_are_full() -> None:
    scenario = tiny_scenario(arms={"seats": {"activities": [{"kind": "skills", "share": 1.0, "cost": 2.0}]}})
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    run = run_reference(scenario, community, "seats", 0)
    came = run.reached.sum(axis=2)[:, 0]
    assert (came <= run.units[:, 0]).all()
    assert (came[run.units[:, 0] > 0] > 0).all()


def test_wins_are_won_by_certain_efforts_and_lost_again() -> None:
    lobby = {"activities": [{"kind": "lobby", "share": 1.0, "cost": 1.0, "absolute": True}]}
    certain = {"lobby_success": 100.0, "win_reversal": 0.0, "max_wins": 2}
    scenario = tiny_scenario(arms={"lobby": lobby}, behaviour=certain)
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    run = run_reference(scenario, community, "lobby", 0)
    assert run.wins[:4].tolist() == [0, 0, 0, 0]
    assert run.wins[4:].tolist() == [2] * 26
    assert run.units[4, 0] > 2
    assert not run.units[5:].any()

    scenario = tiny_scenario(arms={"lobby": lobby}, behaviour={**certain, "win_reversal": 1.0})
    assert not run_reference(scenario, community, "lobby", 0).wins.any()


def test_shares_are_exact_millionths() -> None:
    """A third each of 1 cent a week: nobody gets a cent, but for the last, who gets what rounding leaves."""
    visit = {"kind": "visit", "share": 0.1}
    scenario = with_visits({"rule": "random"})
    data = scenario.model_dump() | {"arms": {"thirds": {"activities": [visit] * 3}}}
    data["campaign"]["budget_per_resident"] = 0.01
    run = run_reference(Scenario.model_validate(data), hand_community(scenario), "thirds", 0)
    assert run.budget_cents == run.unspent_cents == 10


def test_hubs_and_isolates() -> None:
    scenario = tiny_scenario(community={"residents": 1100}, campaign={"horizon_weeks": 8})
    community = mixed_community(scenario, star_ties(1090), seed=2)
    assert community.degree.max() == 1089
    assert (community.degree[1090:] == 0).all()
    run = run_reference(scenario, community, "mixed", 0)
    assert run.spent_cents.sum() + run.unspent_cents == run.budget_cents
