"""The plain reference against sums done by hand, and against what must hold in every run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
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
from tests.reference import NEVER, Estimate, ReferenceRun, _Lane, estimate, run_reference
from tests.strategies import World, worlds

from mobsim.community.community import Community
from mobsim.kernels import streams
from mobsim.kernels.keyed import philox
from mobsim.kernels.streams import WEEK
from mobsim.scenario.scenario import NONE, Scenario

pytestmark = pytest.mark.quick


def assert_same(one: ReferenceRun, other: ReferenceRun, *, leave_out: tuple[str, ...] = ()) -> None:
    """Every record and every state equal, bit for bit."""
    for named in fields(ReferenceRun):
        if named.name not in leave_out:
            assert same(getattr(one, named.name), getattr(other, named.name)), named.name


def same(one: Any, other: Any) -> bool:
    """Equal, also inside dictionaries and lists of arrays."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


MONEY = ("units", "spent_cents", "local_cents", "reached", "budget_cents", "unspent_cents")

FROZEN: dict[str, Any] = {
    "reconsider": 0.0, "lapse": 0.0, "turnover": 0.0, "learning": 0.0, "ownership_growth": 0.0,
    "tell_participant": 0.0, "tell_other": 0.0, "awareness_half_life": None, "appeal_half_life": None,
    "capability_half_life": None, "ownership_half_life": None, "organizer_start": 0.0,
    "leader_reconsider": 0.0, "organization_reconsider": 0.0, "win_reversal": 0.0,
}  # fmt: skip
"""Nothing changes by itself: a test says which rule it wants."""

EVERY_WEEK: dict[str, Any] = {
    step: {"first": 0} for step in ("stakeholders", "mobilize", "train", "advocate", "implement", "sustain")
} | {"assess": {"first": 90}, "monitor": {"first": 90}}
"""Every step runs from week 0, but nobody is asked."""


def small(residents: int, lines: Sequence[Mapping[str, Any]] = (), **overrides: Any) -> Scenario:
    """A frozen scenario of one group with an arm `a` of these lines, 8 weeks, funded in all of them.

    `arm` gives other fields of the arm; the rest as for `tiny_scenario`. Prices are absolute.
    """
    arm = dict(overrides.pop("arm", {}))
    group = {"share": 1.0, "barrier": 0.0, "reached": 1.0, "background_media": 0.0}
    community = {"residents": residents, "groups": {"all": group}} | overrides.pop("community", {})
    campaign = {
        "burn_in_weeks": 0,
        "horizon_weeks": 8,
        "funding_starts_week": 0,
        "funding_ends_week": 8,
        "contribution": 0.0,
        "public_money": 0.0,
        "decision_interval_weeks": 1,
    } | overrides.pop("campaign", {})
    campaign["calendar"] = EVERY_WEEK | campaign.get("calendar", {})
    arm["activities"] = [{"share": 1.0, "absolute": True} | dict(line) for line in lines]
    return tiny_scenario(
        community=community,
        campaign=campaign,
        behaviour=FROZEN | overrides.pop("behaviour", {}),
        arms={"a": arm},
        **overrides,
    )


def organization(name: str, **given: Any) -> dict[str, Any]:
    """An organization of a test, a cbo without resources where nothing else is said."""
    return {"name": name, "type": "cbo", "resources_per_1000": 0.0, "credibility": [1.0]} | given


LEAD = organization("lead_ngo", type="ngo", lead=True, influence=0.2, interest=0.8, capacity=0.5)


def words_of(community: Community, entity: int, week: int, luck: int, stream: int) -> list[int]:
    """The four random words of one entity."""
    drawn = philox(entity, week, luck, stream, community.seed, community.number)
    return [int(word) for word in drawn]


def u(word: int) -> float:
    """The uniform of a random word."""
    return (word >> 8) / 2**24


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
            "contribution": 0.0,
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
    assert run.income.sum() == run.local_cents.sum() + run.local_remainder_cents
    assert run.local_remainder_cents >= 0
    assert (run.organizers.sum(axis=1) <= world.community.n_residents).all()
    assert run.organizers_fe_always <= run.organizers_fe
    assert ((run.coalition >= 0) & (run.coalition <= 1)).all()
    for held in run.organizations.values():
        assert (held[:2] <= 1).all()
        assert np.isin(held[2], (0, 1)).all()
        assert (held[3] >= 0).all()
    for survey in run.surveys:
        assert sum(survey.shares) == 1
        assert survey.causes.sum() + survey.participating_yes.sum() == survey.asked.sum()
    leads = world.community.is_leader
    assert np.array_equal(run.stances[-1], [(run.final_stance[leads] == s).sum() for s in (1, -1)])
    assert not run.final_stance[~leads].any()
    assert (run.participating <= run.aware).all()
    assert (run.participating_uncontacted <= run.participating).all()
    assert run.participants_fe_never_left <= run.participants_fe_at_end <= run.participants_fe
    assert np.array_equal(run.aware[-1].sum(), run.final_aware.sum())
    assert not run.final_participating[run.final_stance == -1].any()
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
        assert not run.spent_cents[20:].any()


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
        behaviour={
            "social_weight": 0.0,
            "awareness_half_life": None,
            "turnover": 0.0,
            "organizer_contacts": 0,
        },
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
        campaign={"contribution": 0.0},
        arms={"media": {"activities": [{**media, "share": 0.001}, {**media, "share": 1.0}]}},
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


# ---------------------------------------------------------------------------------------------------------
# Organizers


@pytest.mark.parametrize("luck", range(4))
@pytest.mark.parametrize("well_mixed", [False, True])
def test_an_organizer_speaks_with_a_random_tie(luck: int, well_mixed: bool) -> None:
    behaviour = {"organizer_start": 1.0, "organizer_capability": 0.0, "organizer_ownership": 0.0}
    scenario = small(
        4, behaviour={**behaviour, "organizer_contacts": 5, "peer_appeal": 0.5}, campaign={"horizon_weeks": 2}
    )
    started = [False, True, False, False]
    ties = [] if well_mixed else [(0, 1), (1, 2), (1, 3)]
    community = hand_community(scenario, ties, well_mixed=well_mixed, aware=started, participating=started)
    run = run_reference(scenario, community, NONE, luck)

    # In phase 6 of week 0 resident 1 becomes an organizer, who speaks in week 1.
    appeal = [0.0] * 4
    for c in range(5):
        word = words_of(community, 1, 1, luck, streams.PEER + c // 4)[c % 4]
        appeal[[0, 2, 3][word * 3 >> 32]] += 0.5
    assert run.contacts.tolist() == [0, 5]
    assert run.organizers.tolist() == [[1], [1]]
    assert run.final_appeal.tolist() == appeal
    assert run.final_aware.tolist() == [m > 0 or i == 1 for i, m in enumerate(appeal)]
    assert not run.final_contacted.any()


def test_the_low_bytes_decide_who_becomes_an_organizer() -> None:
    behaviour = {"organizer_start": 0.1, "organizer_capability": 0.3, "organizer_ownership": 0.0}
    scenario = small(60, behaviour=behaviour, campaign={"horizon_weeks": 1})
    leads = np.arange(60) < 30
    capability = np.where(np.arange(60) % 5 == 0, 0.29, 0.31)
    community = hand_community(scenario, is_leader=leads, capability=capability, participating=True)
    run = run_reference(scenario, community, NONE, 3)
    expected = []
    for i in range(60):
        w0, w1, w2, _ = words_of(community, i, 0, 3, WEEK)
        fifth = (65536 * (w0 % 256) + 256 * (w1 % 256) + w2 % 256) / 2**24
        expected.append(capability[i] > 0.3 and fifth < float(np.float32(0.5 if leads[i] else 0.1)))
    assert run.final_organizer.tolist() == expected
    assert 5 < sum(expected) < 25


def test_an_organizer_stops_after_four_weeks_without_taking_part() -> None:
    """Two leaders pull each other: the organizer of week 0 turns opposed, the opposed one neutral."""
    scenario = small(
        2,
        behaviour={
            "organizer_start": 1.0, "organizer_capability": 0.0, "organizer_ownership": 0.0,
            "organizer_contacts": 2, "leader_reconsider": 1.0, "leader_noise": 0.0, "visibility": 0.0,
        },
        campaign={"decision_interval_weeks": 50},
    )  # fmt: skip
    community = hand_community(
        scenario, [(0, 1)], is_leader=True, leaning=[0, -1], participating=[True, False]
    )
    run = run_reference(scenario, community, NONE, 0)
    # Leader 0: A = .5 * (-1), down for sure; leader 1 at once: A = .5 * 1, up for sure.
    assert run.stances.tolist() == [[0, 1]] * 8
    assert run.final_stance.tolist() == [-1, 0]
    assert not run.participating.any()
    assert run.organizers[:, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert run.contacts.tolist() == [0, 2, 2, 2, 2, 0, 0, 0]
    assert run.final_idle.tolist() == [0, 0]


def test_a_stipend_doubles_the_contacts_and_halves_the_lapse() -> None:
    behaviour = {"organizer_start": 1.0, "organizer_capability": 0.0, "organizer_ownership": 0.0}
    line = {"kind": "stipend", "cost": 1.0}
    # One unit a week; the first, saved in week 0, is paid in week 1, when two are free.
    scenario = small(
        20,
        [line],
        behaviour={**behaviour, "organizer_contacts": 3, "lapse": 0.4},
        campaign={"horizon_weeks": 2, "funding_ends_week": 2, "budget_per_resident": 2.0 / 20},
    )
    started = np.arange(20) < 2
    for luck in range(30):
        community = hand_community(scenario, ring_ties(20), participating=started)
        run = run_reference(scenario, community, "a", luck)
        lapses = [u(words_of(community, i, 0, luck, WEEK)[2]) < float(np.float32(0.4)) for i in range(2)]
        organizers = [i for i in range(2) if not lapses[i]]  # from week 0 on, whatever they do next
        paid = min(2, len(organizers))
        assert run.units[:, 0].tolist() == [0, paid]
        assert run.reached[:, 0, 0].tolist() == [0, paid]
        assert run.contacts[1] == 3 * len(organizers) + 3 * paid
        assert not run.final_contacted.any()
        assert (run.final_last == -1).all()
        half = float(np.float32(0.4) * np.float32(0.5))
        stay = [i for i in organizers if not u(words_of(community, i, 1, luck, WEEK)[2]) < half]
        assert np.flatnonzero(run.final_participating).tolist() == stay


# ---------------------------------------------------------------------------------------------------------
# Leaders and organizations


def test_a_trained_leader_turns_supportive_and_back() -> None:
    scenario = small(
        3,
        [{"kind": "leader", "cost": 3.0}],
        behaviour={
            "leader_reconsider": 1.0, "leader_noise": 0.0, "social_weight": 0.0, "engagement_weeks": 5,
            "leader_engagement_weight": 0.35, "leader_threshold": 0.35,
        },
        campaign={
            "horizon_weeks": 13, "funding_ends_week": 1, "budget_per_resident": 1.0,
            "decision_interval_weeks": 4,
        },
    )  # fmt: skip
    community = hand_community(scenario, is_leader=[False, True, False])
    run = run_reference(scenario, community, "a", 0)
    assert run.units.sum() == 1
    assert run.final_engaged.tolist() == [NEVER, 0, NEVER]
    assert run.final_trained.tolist() == [False, True, False]
    assert run.final_last.tolist() == [-1, 0, -1]
    # Weeks 0 and 4: A = .35 >= .35. Week 8: not engaged, A = .4 * (0 - 1), down. Week 12: A = 0, nothing.
    assert run.stances[:, 0].tolist() == [1] * 8 + [0] * 5
    assert not run.stances[:, 1].any()


def test_newcomers_start_at_their_leaning() -> None:
    scenario = small(
        2,
        [{"kind": "leader", "cost": 1.0}],
        behaviour={"turnover": 1.0, "leader_reconsider": 1.0, "leader_noise": 0.0, "leader_threshold": 0.0},
        campaign={"decision_interval_weeks": 3, "horizon_weeks": 5, "funding_ends_week": 5},
    )
    community = hand_community(scenario, is_leader=True, leaning=[0, 1])
    run = run_reference(scenario, community, "a", 0)
    assert run.final_stance.tolist() == [0, 1]
    assert (run.final_engaged == NEVER).all()
    assert (run.final_last == -1).all()
    assert not run.contacted.any()


def test_organizations_join_for_sure_or_never_and_add_up() -> None:
    """G = i + .5 C - .8 without noise: C = .2 at first, 1/2 from week 1 on, then the second can join."""
    organizations = [
        organization("eager", influence=0.3, interest=0.75),
        LEAD,
        organization("second", influence=0.1, interest=0.56),
        organization("never", influence=0.4, interest=0.0),
    ]
    scenario = small(
        2,
        community={"organizations": organizations},
        behaviour={"organization_reconsider": 1.0, "organization_noise": 0.0},
        campaign={"horizon_weeks": 3},
    )
    run = run_reference(scenario, hand_community(scenario), NONE, 0)
    assert run.coalition == pytest.approx([0.5, 0.6, 0.6])
    assert run.organizations[0][2].tolist() == [1, 1, 0, 0]
    assert run.organizations[2][2].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(("interest", "joins"), [(0.5, True), (0.4999, False)])
def test_without_noise_zero_is_enough_to_join(interest: float, joins: bool) -> None:
    scenario = small(
        2,
        community={"organizations": [LEAD, organization("other", interest=interest)]},
        behaviour={
            "organization_reconsider": 1.0, "organization_noise": 0.0, "coalition_weight": 0.0,
            "organization_threshold": 0.5,
        },
    )  # fmt: skip
    run = run_reference(scenario, hand_community(scenario), NONE, 0)
    assert run.organizations[0][2].tolist() == [1, int(joins)]


def test_coalition_units_go_to_the_most_influential_then_to_leaders() -> None:
    organizations = [
        organization("small", influence=0.3, interest=0.0),
        LEAD,
        organization("big", influence=0.5, interest=0.5),
        organization("as_big", influence=0.5, interest=-1.0),
    ]
    scenario = small(
        5,
        [{"kind": "coalition", "cost": 5.0}],
        community={"organizations": organizations},
        campaign={"budget_per_resident": 8.0},
        activities={"coalition": {"trust": 0.4, "interest": 0.2}},
    )
    community = hand_community(
        scenario, is_leader=[True, False, True, False, False], member_of=[-1, 2, -1, 0, 1], trust=0.5
    )
    run = run_reference(scenario, community, "a", 2)
    assert run.units[:, 0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    assert [run.organizations[w][0].tolist() for w in range(4)] == [
        [0.0, 0.8, 0.6, -1.0],
        [0.0, 0.8, 0.6, -0.6],
        [0.2, 0.8, 0.6, -0.6],
        [0.2, 0.8, 0.6, -0.6],
    ]
    # Leaders: by the order word of their week.
    stream = streams.TARGET + 7
    first = min((0, 2), key=lambda i: (words_of(community, i, 3, 2, stream)[0], i))
    assert run.final_engaged[first] == 3
    assert run.final_engaged[2 - first] == 4
    assert run.reached[:, 0, 0].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert run.final_contacted.tolist() == [True, False, True, False, False]
    # A = .4 * .5 * 1, B = .02 * .5: members of the engaged, and the engaged leaders.
    dosed = 0.5 + 0.2 * 0.5 - 0.01 * 0.5
    assert run.final_trust == pytest.approx([dosed, dosed, dosed, dosed, 0.5])


def test_a_coalition_for_leaders_engages_no_organization() -> None:
    scenario = small(3, [{"kind": "coalition", "cost": 1.0, "target": {"rule": "leaders"}}])
    community = hand_community(scenario, is_leader=[False, True, False])
    run = run_reference(scenario, community, "a", 0)
    assert run.units.sum() == 1
    assert run.final_engaged.tolist() == [NEVER, 0, NEVER]


def test_training_of_organizations_goes_round_and_raises_the_next_dose() -> None:
    organizations = [organization("cbo", capacity=0.5), LEAD, organization("idle", capacity=0.1)]
    lines = [{"kind": "org", "cost": 1.0}, {"kind": "skills", "cost": 1.0, "by": "cbo"}]
    scenario = small(
        1,
        lines,
        community={"organizations": organizations},
        campaign={"budget_per_resident": 24.0, "horizon_weeks": 3, "funding_ends_week": 8},
        activities={"org": {"capacity": 0.2}, "skills": {"appeal": 1.0}},
    )
    run = run_reference(scenario, hand_community(scenario), "a", 0)
    # 1.50 a week for each line: 1, 2, 1 units; the cap is two, the organizations that deliver.
    assert run.units.tolist() == [[1, 1], [2, 1], [1, 1]]
    assert run.organizations[0][1] == pytest.approx([0.6, 0.5, 0.1])
    assert run.organizations[1][1] == pytest.approx([0.68, 0.6, 0.1])
    assert run.organizations[2][1] == pytest.approx([0.68, 0.68, 0.1])
    assert run.final_appeal == pytest.approx([0.6 + 0.68 + 0.68])


def test_a_demonstration_doubles_what_is_visible_for_a_week() -> None:
    scenario = small(
        2,
        [{"kind": "demonstration", "cost": 1.0}, {"kind": "demonstration", "cost": 1.0}],
        behaviour={
            "reconsider": 1.0, "noise": 0.0, "social_weight": 1.0, "visibility": 0.3,
            "capability_weight": 0.0, "thresholds": {"kind": "values", "values": [-1.0, 0.2]},
        },
        campaign={
            "budget_per_resident": 16.0, "calendar": {"advocate": {"first": 2}, "sustain": {"first": 7}},
        },
    )  # fmt: skip
    community = hand_community(scenario, participating=[True, False])
    none, run = (run_reference(scenario, community, arm, 0) for arm in (NONE, "a"))
    # lambda F = .3 * .5 without, .6 * .5 with; then .3 * 1.
    assert none.participating[:, 0].tolist() == [1] * 8
    assert run.participating[:, 0].tolist() == [1, 1] + [2] * 6
    assert run.units.tolist() == [[0, 0]] * 2 + [[1, 0]] * 6


@pytest.mark.parametrize("luck", range(8))
def test_lobbying_counts_participation_twice_in_a_week_with_a_demonstration(luck: int) -> None:
    lines = [{"kind": "lobby", "cost": 1.0}, {"kind": "demonstration", "cost": 1.0}]
    scenario = small(
        4,
        lines,
        community={"organizations": [LEAD]},
        behaviour={"lobby_success": 0.5},
        campaign={"budget_per_resident": 4.0, "horizon_weeks": 1},
    )
    community = hand_community(scenario, participating=[True, False, False, False])
    run = run_reference(scenario, community, "a", luck)
    won = u(words_of(community, 0, 0, luck, streams.LOBBY)[0]) < 1 - math.exp(-0.5 * (1.0 + 0.5))
    assert run.units[0].tolist() == [1, 1]
    assert run.wins.tolist() == [int(won)]


# ---------------------------------------------------------------------------------------------------------
# Local money


def test_contributions_come_to_the_cent_and_are_spent_the_week_after() -> None:
    """Ten dollars of resources give 5 cents at the first decision, then 4 every two weeks."""
    rich = organization("rich", interest=1.0, resources_per_1000=1000.0)
    scenario = small(
        10,
        [{"kind": "visit", "cost": 0.05}, {"kind": "lobby", "cost": 0.04}],
        community={"organizations": [LEAD, rich]},
        behaviour={"organization_reconsider": 1.0, "organization_noise": 0.0},
        campaign={
            "burn_in_weeks": 4, "budget_per_resident": 0.02, "funding_ends_week": 1, "contribution": 0.005,
            "refill": 0.001, "decision_interval_weeks": 2,
        },
    )  # fmt: skip
    run = run_reference(scenario, hand_community(scenario), "a", 0)
    assert run.income.tolist() == [5, 0, 4, 0, 4, 0, 4, 0]
    # A cent comes back a week: 997 in week 2, of which .005 is 4.985; 995 in week 4, 993 in week 6.
    assert [run.organizations[w][3].tolist() for w in (0, 2)] == [[0, 995], [0, 993]]
    assert run.spent_cents.sum(axis=0).tolist() == [10, 8]
    assert run.local_cents[:, 0].tolist() == [0, 5, 0, 0, 0, 5, 0, 5]
    assert run.units[:, 0].tolist() == [2, 1, 0, 0, 0, 1, 0, 1]
    assert not run.local_cents[:, 1].any()
    assert run.local_remainder_cents == 17 - 15
    assert run.unspent_cents == 2


def test_public_money_follows_the_wins_and_skips_lobbying() -> None:
    lines = [{"kind": "lobby", "cost": 0.7}, {"kind": "visit", "cost": 900.0}]
    for shares, purse in (((0.5, 0.5), True), ((1.0, 0.0), False)):
        scenario = small(
            10,
            [{**line, "share": share} for line, share in zip(lines, shares, strict=True)],
            behaviour={"lobby_success": 100.0, "max_wins": 4},
            campaign={"funding_ends_week": 7, "public_money": 0.05, "budget_per_resident": 1.0},
        )
        run = run_reference(scenario, hand_community(scenario), "a", 0)
        won = run.wins.tolist()
        # floor(.05 * v / 4 * 1000 / 7), v at the start of the week.
        assert run.income.tolist() == [0, *(math.floor(12.5 * v / 7) for v in won[:-1])]
        assert won[-1] >= 1
        assert run.local_remainder_cents == run.income.sum() > 0
        assert not run.local_cents.any()
        lane = _Lane(scenario, hand_community(scenario), "a", 0)
        lane.pot = 7
        lane.add_local_money(0)
        assert [line.local_purse for line in lane.lines] == [0, 7 if purse else 0]
        assert lane.local_unsplit == (0 if purse else 7)


def test_without_wins_to_win_there_is_no_public_money() -> None:
    scenario = small(4, [{"kind": "visit"}], behaviour={"max_wins": 0}, campaign={"public_money": 1.0})
    assert not run_reference(scenario, hand_community(scenario), "a", 0).income.any()


# ---------------------------------------------------------------------------------------------------------
# Surveys and policies

ASKING = {"assess": {"first": 0}, "monitor": {"first": 2, "every": 3}}  # weeks 0, 2, 5


def test_an_estimate_by_hand() -> None:
    """30 of 100 say yes, of 1,000 residents, with a fifth of false answers."""
    seen = estimate(30, 100, 1000, 0.2)
    assert seen is not None
    assert seen.share == pytest.approx((0.3 - 0.2) / 0.6)
    assert seen.error == pytest.approx(math.sqrt(0.9 * 0.3 * 0.7 / 100 + 0.16 / 1000) / 0.6)
    assert estimate(0, 0, 5, 0.2) is None
    assert estimate(1, 100, 1000, 0.2) == Estimate(0.0, estimate(1, 100, 1000, 0.2).error)
    assert estimate(3, 5, 5, 0.0) == Estimate(0.6, 0.0)


@pytest.mark.parametrize("engaged", [False, True])
def test_a_survey_by_hand(engaged: bool) -> None:
    group = {"share": 0.5, "barrier": 0.1, "reached": 1.0, "background_media": 0.0}
    scenario = small(
        30,
        [{"kind": "visit", "cost": 999.0}],
        community={"groups": {"one": group, "two": group}},
        behaviour={"capability_weight": 0.2, "appeal_weight": 0.3, "win_relief": 0.5},
        campaign={"calendar": ASKING, "horizon_weeks": 1},
        activities={"survey": {"cost": 1.0, "misreport": 0.3, "insight": 0.5}},
        arm={"survey": {"respondents": 12}},
    )
    rng = np.random.default_rng(4)
    community = hand_community(
        scenario, group=np.arange(30) % 2, capability=rng.random(30), trust=rng.random(30),
        aware=rng.random(30) < 0.8, participating=rng.random(30) < 0.3, is_leader=np.arange(30) == 3,
    )  # fmt: skip
    lane = _Lane(scenario, community, "a", 5)
    lane.v = 1
    lane.engaged_week[3] = -1 if engaged else NEVER
    lane.last[::2] = 0
    lane.survey_and_adapt(0)
    (survey,) = lane.kept.surveys

    epsilon = float(np.float32(0.15 if engaged else 0.3))
    words = [words_of(community, i, 0, 5, streams.SURVEY) for i in range(30)]
    asked = sorted(range(30), key=lambda i: (words[i][0], i))[:12]
    aware_yes, part_yes, causes, named = [0, 0], [0, 0], [0, 0, 0, 0], 0
    for i in asked:
        false = [u(word) < epsilon for word in words[i]]
        aware_yes[i % 2] += bool(community.aware[i]) != false[1]
        says_part = bool(community.participating[i]) != false[2]
        part_yes[i % 2] += says_part
        if says_part:
            named += i % 2 == 0
        elif false[3]:
            causes[words[i][3] % 4] += 1
        elif not community.aware[i]:
            causes[0] += 1
        else:
            costs = [0.2 * (1 - community.capability[i]), 0.5 * 0.1, 0.3 * (1 - community.trust[i])]
            causes[1 + int(np.argmax(costs))] += 1
    assert survey.asked.tolist() == [sum(i % 2 == 0 for i in asked), sum(i % 2 for i in asked)]
    assert survey.aware_yes.tolist() == aware_yes
    assert survey.participating_yes.tolist() == part_yes
    assert survey.causes.tolist() == causes
    assert survey.named.tolist() == [named]
    assert survey.shares == (1,)
    (awareness, participation) = lane.kept.estimates[0]
    assert awareness[0] == estimate(sum(aware_yes), 12, 30, 0.15 if engaged else 0.3)
    assert participation[2] == estimate(part_yes[1], int(survey.asked[1]), 15, 0.15 if engaged else 0.3)
    assert (lane.units[-1], lane.spent[-1], lane.left) == (12, 1200, 30_000 - 1200)


def test_surveys_are_paid_first_and_only_if_the_money_is_there() -> None:
    scenario = small(
        10,
        [{"kind": "visit", "cost": 1.0}],
        campaign={"calendar": ASKING, "budget_per_resident": 1.4},
        activities={"survey": {"cost": 2.0}},
        arm={"survey": {"respondents": 3}},
    )
    run = run_reference(scenario, hand_community(scenario), "a", 0)
    # 14.00: six for the first survey; of 8.00 two weeks take 1.00 each, the second survey leaves nothing.
    assert run.units[:, 1].tolist() == [3, 0, 3, 0, 0, 0, 0, 0]
    assert run.spent_cents[:, 0].tolist() == [100, 100, 0, 0, 0, 0, 0, 0]
    assert run.spent_cents[:, 1].sum() + run.spent_cents[:, 0].sum() == run.budget_cents == 1400
    assert [survey.week for survey in run.surveys] == [0, 2]
    assert not run.reached[:, 1].any()


def test_the_perfect_twin_hears_the_truth_for_the_price_of_the_survey() -> None:
    scenario = small(
        10,
        [{"kind": "visit", "cost": 999.0}],
        campaign={"calendar": ASKING},
        activities={"survey": {"cost": 1.0, "misreport": 0.4}},
        arm={"survey": {"respondents": 3, "perfect": True}},
    )
    community = hand_community(scenario, aware=np.arange(10) < 6, participating=np.arange(10) < 2)
    run = run_reference(scenario, community, "a", 0)
    assert run.spent_cents[:, 1].tolist() == [300, 0, 300, 0, 0, 300, 0, 0]
    assert [survey.aware_yes.tolist() for survey in run.surveys] == [[6]] * 3
    # Unaware: information. Aware: .25 * (1 - .25) against .12 * (1 - .5).
    assert [survey.causes.tolist() for survey in run.surveys] == [[4, 4, 0, 0]] * 3
    assert run.estimates[0] == ([Estimate(0.6, 0.0)] * 2, [Estimate(0.2, 0.0)] * 2)


def lane_of(*kinds: str, shares: Sequence[float] | None = None, **overrides: Any) -> _Lane:
    """A lane whose policy is tried by hand."""
    given = shares or [1.0] * len(kinds)
    lines = [{"kind": kind, "share": share} for kind, share in zip(kinds, given, strict=True)]
    group = overrides.pop("group", None)
    scenario = small(10, lines, **overrides)
    return _Lane(scenario, hand_community(scenario, group=group), "a", 0)


def test_shares_that_answer_causes_by_hand() -> None:
    lane = lane_of("visit", "media", "skills", "leader", "lobby")
    lane.answer_causes(np.array([60, 20, 10, 10]))
    # Beyond a tenth: information 50, capability 10, of 60; .6 and .4 of the one, .7 and .3 of the other.
    assert lane.shares == [Fraction(n, 60) for n in (30, 20, 7, 3, 0)]

    # The leader answers trust too; nobody but the leader and the meeting does here.
    lane = lane_of("leader", "meeting")
    lane.answer_causes(np.array([70, 0, 0, 30]))
    assert lane.shares == [Fraction(2, 5), Fraction(3, 5)]

    # Causes that no line answers are left out; without any there is no change.
    lane = lane_of("skills", "leader", shares=[3.0, 1.0])
    lane.answer_causes(np.array([90, 0, 10, 0]))
    assert lane.shares == [Fraction(3, 4), Fraction(1, 4)]
    lane.answer_causes(np.array([80, 20, 0, 0]))
    assert lane.shares == [Fraction(7, 10), Fraction(3, 10)]


def test_two_lines_of_a_kind_share_what_the_kind_answers() -> None:
    lane = lane_of("visit", "visit", "skills")
    lane.answer_causes(np.array([1, 1, 0, 0]))
    assert lane.shares == [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)]


def test_money_moves_to_the_line_that_gains_most() -> None:
    lane = lane_of("visit", "skills", "leader", shares=[0.5, 0.3, 0.2])
    lane.cents_since_survey = [100, 200, 0]
    for expected in ([6, 2, 2], [7, 1, 2], [7, 1, 2]):  # a floor of a tenth
        lane.move_to_the_best(np.array([5, 9, 30]))
        assert lane.shares == [Fraction(n, 10) for n in expected]
    lane.move_to_the_best(np.array([5, 10, 0]))  # as much for the money
    assert lane.shares[0] == Fraction(7, 10)
    lane.cents_since_survey = [0, 200, 0]
    lane.move_to_the_best(np.array([0, 10, 0]))  # nothing to compare with
    assert lane.shares[0] == Fraction(7, 10)
    lane = lane_of("visit", "skills", shares=[0.85, 0.15])
    lane.cents_since_survey = [100, 100]
    lane.move_to_the_best(np.array([1, 0]))  # no more than what is above a tenth
    assert lane.shares == [Fraction(9, 10), Fraction(1, 10)]


def test_equity_chooses_the_group_furthest_below_its_goal() -> None:
    group = {"share": 0.5, "reached": 1.0}
    goals = [
        {"indicator": "awareness", "at_least": 0.9, "by_week": 7},
        {"at_least": 0.4, "by_week": 7},
        {"group": "two", "at_least": 0.2, "by_week": 7},
        {"group": "two", "at_least": 0.9, "by_week": 7},
    ]
    lane = lane_of(
        "visit", "media", "meeting",
        community={"groups": {"one": group, "two": group}}, goals=goals, group=np.arange(10) % 2,
    )  # fmt: skip
    lanes = [(0.3, 0.0, 1), (0.1, 0.0, 0), (0.3, 0.15, 0), (0.5, 0.3, -1)]
    for one, two, chosen in lanes:
        assert lane.furthest_below_goal([Estimate(one, 0.1), Estimate(two, 0.1)]) == chosen
    assert lane.furthest_below_goal([None, Estimate(0.1, 0.1)]) == 1
    lane.equity_group = 1
    visited, heard, came = (lane.targets(line, 0) for line in lane.lines)
    assert sorted(visited) == sorted(came) == [1, 3, 5, 7, 9]
    assert heard.size == 10


def test_who_comes_to_the_meeting_decides() -> None:
    """Six who had not heard of it come in week 0 and say so in week 1; then nobody meets any more."""
    lines = [
        {"kind": "meeting", "cost": 1.0},
        {"kind": "visit", "cost": 1.0},
        {"kind": "skills", "cost": 1.0},
    ]
    scenario = small(
        6,
        lines,
        campaign={"calendar": {**ASKING, "monitor": {"first": 1, "every": 3}}, "budget_per_resident": 4.08},
        arm={"policy": "reasons", "community_decides": True},
    )
    community = hand_community(scenario, aware=False)
    run = run_reference(scenario, community, "a", 0)
    assert run.units[:2].tolist() == [[1, 1, 1], [0, 3, 0]]
    week, causes, shares = run.voices[0]
    assert (week, causes.tolist(), shares) == (1, [6, 0, 0, 0], (0, 1, 0))
    assert len(run.voices) == 1
    assert not run.surveys
    assert run.units.shape == (8, 3)


def test_money_with_everything_on_is_conserved() -> None:
    kinds = ["visit", "meeting", "media", "skills", "leader", "lobby", "org", "coalition", "demonstration"]
    scenario = tiny_scenario(
        community={"leaders": {"share": 0.3}},
        campaign={"contribution": 0.3, "public_money": 0.5, "calendar": {**EVERY_WEEK, **ASKING}},
        behaviour={
            "organizer_start": 1.0, "organizer_capability": 0.0, "organizer_ownership": 0.0,
            "lobby_success": 5.0, "organization_noise": 1.0,
        },
        arms={
            policy: {
                "policy": policy,
                "survey": {"respondents": 5},
                "activities": [
                    {"kind": kind, "share": 1.0, "cost": 1.23, "absolute": True}
                    for kind in (kinds[:4] if policy == "marginal" else [*kinds, "stipend"])
                ],
            }
            for policy in ("fixed", "assessed", "reasons", "marginal", "equity")
        },
        goals=[{"at_least": 0.9, "by_week": 29}],
    )  # fmt: skip
    community = mixed_community(scenario, random_ties(40, 5.0, seed=1), seed=3)
    changed = {}
    for arm in scenario.arms:
        run = run_reference(scenario, community, arm, 0)
        assert run.spent_cents.sum() + run.unspent_cents == run.budget_cents
        assert run.local_cents.sum() + run.local_remainder_cents == run.income.sum()
        assert (run.units.sum(axis=0) > 0).all() or arm in ("assessed", "reasons")
        assert run.local_cents[20:].any()
        assert run.organizers[-1].any()
        changed[arm] = len({survey.shares for survey in run.surveys})
        assert len(run.surveys) > 4
    assert changed["fixed"] == changed["assessed"] == changed["equity"] == 1
    assert min(changed["reasons"], changed["marginal"]) > 1


# ---------------------------------------------------------------------------------------------------------
# Targets by places


def test_bridging_takes_who_has_ties_to_most_neighbourhoods() -> None:
    target = {"rule": "bridging", "fraction": 0.1, "mapping_cost_per_person": 0.5}
    scenario = with_visits(target)
    # Resident 4 knows three from three places, resident 0 four from one.
    ties = [(4, 1), (4, 2), (4, 3), (0, 6), (0, 7), (0, 8), (0, 9)]
    places = [0, 1, 2, 3, 0, 0, 5, 5, 5, 5]
    community = hand_community(scenario, ties, neighbourhood=places)
    run = run_reference(scenario, community, "visits", 0)
    assert np.flatnonzero(run.final_contacted).tolist() == [4]
    assert run.spent_cents[:2, 0].tolist() == [500 + 100, 100]

    scenario = with_visits({**target, "centrality": "betweenness"})
    run = run_reference(scenario, hand_community(scenario, ties, neighbourhood=places), "visits", 0)
    assert np.flatnonzero(run.final_contacted).tolist() == [0]


def test_clusters_are_whole_neighbourhoods() -> None:
    scenario = with_visits({"rule": "clustered", "fraction": 0.35, "refresh_weeks": 5})
    places = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    community = hand_community(scenario, neighbourhood=places)
    lane = _Lane(scenario, community, "visits", 0)
    for week in (0, 4, 5):
        order = [words_of(community, place, week // 5, 0, streams.POOL)[0] for place in range(3)]
        chosen: list[int] = []
        for place in np.argsort(order):
            chosen += [i for i in range(10) if places[i] == place] if len(chosen) < 4 else []
        assert sorted(lane.targets(lane.lines[0], week)) == sorted(chosen)
    assert not run_reference(scenario, community, "visits", 0).spent_cents[10:].any()
