"""Patterns (a)-(g) of the model's description (docs/odd.md, 1) at the documented defaults.

A pattern is a prediction: what the equations do not give is an expected failure with its numbers, and
docs/decisions/0008_defaults_with_every_rule.md says what would turn it. (a), the classical limits, is tested
in test_limits.py (all of scenarios/limits) and test_validation_cases.py (the published cases).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from tests.theory.defaults import (
    FRESH,
    STRATEGIES,
    assert_within,
    by_community,
    default_records,
    defaults,
    effect,
    simulated,
)

from mobsim.engine.records import Records
from mobsim.engine.run import simulate
from mobsim.scenario.file import load_scenario

FAR_MORE = 3
"""What >> is read as: at least three times."""


# (b) A funnel: aware >> participating >> organizing


@pytest.mark.quick
@pytest.mark.parametrize("arm", ["none", *STRATEGIES])
def test_b_far_more_know_than_take_part_and_far_more_take_part_than_organize(arm: str) -> None:
    found = defaults().loc[arm]
    assert_within(found["aware_fe"] - FAR_MORE * found["participation_fe"], 0, 1)
    assert_within(found["participation_fe"] - FAR_MORE * found["leadership_fe"], 0, 1)
    assert found["leadership_fe"].mean() > 0


# (c) Modest average effects with a thick upper tail


@pytest.mark.quick
@pytest.mark.parametrize("arm", ["outreach", "training", "advocacy", "mixed"])
def test_c_average_effects_are_modest(arm: str) -> None:
    assert_within(effect(defaults(), arm), 0.04, 0.16)


THICK = 2
"""A thick upper tail: the 95th percentile is more than twice as far above the median as the 5th is below."""


def assert_thick_upper_tail(gains: pd.DataFrame) -> None:
    """Fail unless the tail is thick for sure: in 99.5 % of 400 resamplings of communities.

    gains : one row a community, with all its futures on the row.
    """
    chance = np.random.default_rng(FRESH)
    values = gains.to_numpy()
    drawn = values[chance.integers(len(values), size=(400, len(values)))].reshape(400, -1)
    low, middle, high = np.quantile(drawn, (0.05, 0.5, 0.95), axis=1)
    thicker = (high - middle) - THICK * (middle - low)
    assert np.quantile(thicker, 0.005) > 0, (
        f"upper {(high - middle).mean():.4f}, lower {(middle - low).mean():.4f}"
    )


def gains_by_future(found: Records, arm: str) -> pd.DataFrame:
    """Gains by community (rows) and luck (columns)."""
    shares = found.runs().set_index(["arm", "community", "luck"])["participation_fe"]
    return (shares[arm] - shares["none"]).unstack("luck")


@cache
def by_social_weight() -> dict[int, Records]:
    """Over the whole range of the least knowable number: J from 0 to 1 in tenths."""
    return {
        tenths: simulated(
            communities=12,
            chosen=["none", "outreach", "training", "advocacy", "mixed"],
            behaviour={"social_weight": tenths / 10},
        )
        for tenths in range(11)
    }


@pytest.mark.parametrize("arm", ["outreach", "training", "advocacy", "mixed"])
def test_c_effects_have_a_thick_upper_tail_over_what_is_not_known_about_influence(arm: str) -> None:
    gains = pd.concat([gains_by_future(found, arm) for found in by_social_weight().values()], axis=1)
    assert_thick_upper_tail(gains)
    assert_within(gains.mean(axis=1), 0.04, 0.16)


@pytest.mark.xfail(
    reason="with every number at its default gains are nearly symmetric over futures: outreach 8.8 points, "
    "5th percentile 2.1 below the median, 95th 2.0 above; no community tips"
)
@pytest.mark.parametrize("arm", ["outreach", "training", "advocacy", "mixed"])
def test_c_effects_have_a_thick_upper_tail_over_futures(arm: str) -> None:
    assert_thick_upper_tail(gains_by_future(default_records(1000), arm))


# (d) Contact beats media for each person reached, media beat contact for the money that awareness costs


@cache
def alone() -> tuple[pd.DataFrame, pd.Series[float]]:
    """One activity alone with the default budget, and how many people each reached.

    A visit at twice the price reaches about as many people as media do.
    """
    activities = {"dear_visit": {"like": "visit", "cost": 2}}
    kinds = ("visit", "dear_visit", "meeting", "media")
    arms = {kind: {"activities": [{"kind": kind, "share": 1}]} for kind in kinds}
    found = simulated(arms=arms, activities=activities)
    return by_community(found), found.activities().groupby("arm")["reached"].sum()


def more_for_each_person_reached(contact: str) -> pd.Series[float]:
    """Participants gained by a contact minus those by media, for each person reached; by community."""
    table, reached = alone()
    residents = 1000
    return residents * (effect(table, contact) / reached[contact] - effect(table, "media") / reached["media"])


def test_d_a_visit_mobilizes_more_than_media_where_both_reach_as_many() -> None:
    _, reached = alone()
    assert 0.9 < reached["dear_visit"] / reached["media"] < 1.1
    assert_within(more_for_each_person_reached("dear_visit"), 0, 1)


@pytest.mark.xfail(
    reason="with the same money visits reach twice as many, often the same people again: for 1,000 reached "
    "they bring about 15 participants, media 18"
)
def test_d_a_visit_mobilizes_more_than_media_for_each_person_reached_with_the_same_money() -> None:
    assert_within(more_for_each_person_reached("visit"), 0, 1)


@pytest.mark.xfail(reason="aware per 1,000 dollars: media about 30, visits 43: media are too dear by default")
def test_d_media_make_more_people_aware_for_the_money() -> None:
    table, _ = alone()
    for_a_dollar = {
        kind: effect(table, kind, "aware_fe") / table.loc[kind, "cost"].mean() for kind in ("media", "visit")
    }
    assert_within(for_a_dollar["media"] - for_a_dollar["visit"], 0, 1)


# (e) Effects relapse in part after funding


def assert_relapse_in_part(arm: str) -> None:
    end = effect(defaults(), arm, "participation_end")
    assert_within(end, 0, 1)
    assert_within(effect(defaults(), arm) - end, 0, 1)


@pytest.mark.quick
@pytest.mark.parametrize("arm", ["outreach", "training", "mixed", "media"])
def test_e_effects_relapse_in_part(arm: str) -> None:
    assert_relapse_in_part(arm)


@pytest.mark.quick
@pytest.mark.xfail(
    reason="advocacy keeps about 108 % of its effect: laws stay, and members of the coalition go on paying"
)
def test_e_the_effect_of_advocacy_relapses_in_part() -> None:
    assert_relapse_in_part("advocacy")


# (f) Untargeted outreach widens the gap in points


@pytest.mark.quick
def test_f_untargeted_outreach_widens_the_gap_in_points_while_parity_rises() -> None:
    assert_within(effect(defaults(), "outreach", "gap_fe"), 0, 1)
    # Reported beside it: the ratio of the groups' means says the opposite.
    found = {
        arm: defaults().loc[arm][["participation_fe__marginalized", "participation_fe__majority"]].sum()
        for arm in ("none", "outreach")
    }
    parity = {arm: sums.iloc[0] / sums.iloc[1] for arm, sums in found.items()}
    assert parity["none"] < parity["outreach"] < 1


# (g) The winner depends on the cause


@cache
def world(name: str) -> pd.DataFrame:
    scenario = load_scenario(f"four_villages_{name}", overrides={"seed": FRESH})
    arms = ["none", "outreach", "training", "advocacy"]
    return by_community(simulate(scenario, arms=arms, communities=48, luck=2, threads=1))


WINNERS = {"a_information": "outreach", "b_capability": "training", "c_barrier": "advocacy"}


@pytest.mark.parametrize(("name", "winner"), WINNERS.items())
def test_g_the_winner_depends_on_the_cause(name: str, winner: str) -> None:
    for rival in {"outreach", "training", "advocacy"} - {winner}:
        assert_within(
            world(name).loc[winner, "participation_fe"] - world(name).loc[rival, "participation_fe"], 0, 1
        )


def test_g_where_trust_is_missing_nobody_wins_clearly() -> None:
    # As it falls: outreach 1.5, training 2.4, advocacy 2.6 points; trust has no lever of its own.
    for arm in ("outreach", "training", "advocacy"):
        assert_within(effect(world("d_trust"), arm), 0, 0.04)
    assert_within(effect(world("d_trust"), "advocacy") - effect(world("d_trust"), "training"), -0.01, 0.01)


@pytest.mark.parametrize("name", [*WINNERS, "d_trust"])
def test_g_the_worlds_rest(name: str) -> None:
    none = world(name).loc["none"]
    assert_within(none["participation_end"] - none["participation_week0"], -0.02, 0.02)
    assert_within(none["aware_end"] - none["aware_week0"], -0.05, 0.05)
