"""Allocation policies against shares worked out by hand from docs/odd.md, 7.12."""

from __future__ import annotations

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from mobsim.campaign import own
from mobsim.campaign.activity import CAUSES, POLICIES, shipped_activities
from mobsim.campaign.budget import cumulative_fractions, cumulative_shares, local_fractions
from mobsim.campaign.goals import GoalSpec
from mobsim.campaign.policies import SHIPPED, Evidence, assessed, choose_group, marginal, policy_of, reasons
from mobsim.community.exact import as_written
from mobsim.errors import MobsimError, UsageError

pytestmark = pytest.mark.quick

F = Fraction

SIX = ("visit", "media", "skills", "leader", "lobby", "meeting")


def evidence(kinds=SIX, causes=(0, 0, 0, 0), occasion=0, shares=None, named=None, cents=None):
    """What a survey found, with the shipped `answers` of each kind."""
    shipped = shipped_activities()
    n = len(kinds)
    return Evidence(
        week=13,
        occasion=occasion,
        shares=tuple(shares) if shares else (F(1, n),) * n,
        kinds=tuple(kinds),
        answers=tuple(
            tuple(as_written(shipped[kind].answers.get(cause, 0.0)) for cause in CAUSES) for kind in kinds
        ),
        causes=causes,
        named=tuple(named) if named else (0,) * n,
        cents=tuple(cents) if cents else (0,) * n,
    )


# --- reasons and assessed


def test_reasons_by_hand():
    # W = (400, 200, 100, 0), sum 700. Information: visit .6, media .4 of 1. Capability: skills .7,
    # leader .3 of 1. Barrier: only lobby (.7 of .7).
    new = reasons(evidence(causes=(50, 30, 20, 0)))
    assert new == (F(240, 700), F(160, 700), F(140, 700), F(60, 700), F(100, 700), F(0))


def test_weights_are_divided_by_what_the_arms_lines_offer():
    # Without media, visit answers information alone: .6 of .6.
    assert reasons(evidence(("visit", "skills"), causes=(20, 20, 60, 0))) == (F(1, 2), F(1, 2))


def test_a_line_may_answer_two_causes():
    # W = (0, 400, 0, 400): leader gets .3 of the first and .4 of the second, meeting .6 of the second.
    new = reasons(evidence(("skills", "leader", "meeting"), causes=(0, 50, 0, 50)))
    assert new == (F(7, 20), F(7, 20), F(6, 20))


def test_two_lines_of_one_kind_share_what_it_answers():
    assert reasons(evidence(("visit", "visit", "skills"), causes=(50, 50, 0, 0))) == (
        F(1, 4),
        F(1, 4),
        F(1, 2),
    )


def test_a_tenth_counts_nothing_and_a_cause_that_no_line_answers_is_left_out():
    # Information 10 of 100 is exactly a tenth; nobody offers an answer to barrier.
    new = reasons(evidence(("visit", "skills", "meeting"), causes=(10, 30, 40, 20)))
    assert new == (F(0), F(200, 300), F(100, 300))


@pytest.mark.parametrize("causes", [(0, 0, 0, 0), (0, 0, 90, 0), (10, 0, 90, 0)])
def test_no_cause_that_counts_changes_nothing(causes):
    assert reasons(evidence(("visit", "skills"), causes=causes)) is None


def test_a_line_that_answers_nothing_loses_its_share():
    assert reasons(evidence(("org", "visit"), causes=(9, 0, 0, 0))) == (F(0), F(1))


def test_assessed_acts_at_the_first_survey_only():
    found = {occasion: assessed(evidence(causes=(50, 30, 20, 0), occasion=occasion)) for occasion in range(3)}
    assert found[0] == reasons(evidence(causes=(50, 30, 20, 0)))
    assert found[1] is None
    assert found[2] is None


# --- marginal

THREE = ("visit", "media", "skills")


def test_marginal_moves_a_tenth_from_worst_to_best():
    # Gains 4/100, 2/100, 9/300: skills lies between.
    new = marginal(evidence(THREE, occasion=1, named=(4, 2, 9), cents=(100, 100, 300)))
    assert new == (F(1, 3) + F(1, 10), F(1, 3) - F(1, 10), F(1, 3))


def test_marginal_leaves_a_tenth():
    shares = (F(6, 10), F(3, 20), F(1, 4))
    new = marginal(evidence(THREE, occasion=1, shares=shares, named=(4, 2, 9), cents=(100, 100, 300)))
    assert new == (F(13, 20), F(2, 20), F(1, 4))


@pytest.mark.parametrize("floored", [F(1, 10), F(1, 20), F(0)])
def test_marginal_takes_nothing_from_a_line_with_a_tenth_or_less(floored):
    # media return least, but the visits are the worst of those that can lose money.
    shares = (F(1, 2), floored, F(1, 2) - floored)
    new = marginal(evidence(THREE, occasion=1, shares=shares, named=(4, 2, 9), cents=(100,) * 3))
    assert new == (F(2, 5), floored, F(3, 5) - floored)


def test_marginal_stays_when_nobody_can_lose_money():
    shares = (F(1, 10), F(1, 10), F(1, 10))
    assert marginal(evidence(THREE, occasion=1, shares=shares, named=(4, 2, 9), cents=(100,) * 3)) is None


def test_marginal_waits_for_the_second_survey():
    assert marginal(evidence(THREE, occasion=0, named=(4, 2, 9), cents=(100,) * 3)) is None


def test_marginal_compares_lines_with_spending_only():
    # media is named most but spent nothing; visit and skills are compared.
    new = marginal(evidence(THREE, occasion=1, named=(1, 50, 9), cents=(100, 0, 100)))
    assert new == (F(1, 3) - F(1, 10), F(1, 3), F(1, 3) + F(1, 10))
    assert marginal(evidence(THREE, occasion=1, named=(1, 50, 9), cents=(100, 0, 0))) is None


def test_marginal_takes_the_first_of_equals():
    new = marginal(evidence(SIX[:4], occasion=2, named=(1, 2, 1, 2), cents=(10, 10, 10, 10)))
    assert new == (F(3, 20), F(7, 20), F(1, 4), F(1, 4))
    assert marginal(evidence(THREE, occasion=2, named=(1, 2, 3), cents=(10, 20, 30))) is None


# --- equity

NAMES = ("majority", "minority", "newcomers")


def goal(target, group="all", **other):
    return GoalSpec(**{"at_least": target, "group": group, "by_week": 78} | other)


def test_equity_turns_to_the_largest_shortfall():
    assert choose_group([0.25, 0.1, 0.2], [goal(0.3)], NAMES) == 1


def test_a_groups_own_goal_comes_before_the_one_for_all_and_its_first_before_later_ones():
    goals = [goal(0.3), goal(0.12, "minority"), goal(0.9, "minority"), goal(0.8)]
    assert choose_group([0.25, 0.1, 0.1], goals, NAMES) == 2
    assert choose_group([0.25, 0.0, 0.2], goals, NAMES) == 1


def test_first_of_equals_is_chosen():
    assert choose_group([0.25, 0.125, 0.125], [goal(0.5)], NAMES) == 1


def test_nobody_below_a_goal_means_everybody():
    assert choose_group([0.3, 0.4, 0.5], [goal(0.3)], NAMES) is None
    assert choose_group([0.0, 0.0, 0.0], [], NAMES) is None


def test_other_goals_do_not_count():
    goals = [
        goal(0.9, indicator="awareness"),
        GoalSpec(indicator="gap", at_most=0.1, by_week=78),
        goal(0.2, "newcomers"),
    ]
    assert choose_group([0.0, 0.0, 0.1], goals, NAMES) == 2


def test_a_group_that_nobody_was_asked_of_is_passed_over():
    assert choose_group([0.2, nan, nan], [goal(0.3)], NAMES) == 0
    assert choose_group([nan, nan, nan], [goal(0.3)], NAMES) is None


# --- names


def test_every_policy_of_the_scenario_file_is_there():
    assert tuple(SHIPPED) == POLICIES


@pytest.mark.parametrize("name", ["fixed", "equity"])
def test_fixed_and_equity_move_no_money(name):
    assert policy_of(name)(evidence(causes=(50, 30, 20, 0), occasion=1, named=(5, 1, 1, 1, 1, 1))) is None


def test_unknown_policy_is_refused_with_the_nearest_match():
    with pytest.raises(MobsimError, match="did you mean 'reasons'"):
        policy_of("reason")


# --- policies of one's own


@pytest.fixture
def registered(monkeypatch):
    """Register a policy for one test."""
    monkeypatch.setattr(own, "_policies", {})

    def register(function):
        own.register_policy("mine", function)
        return policy_of("mine")

    return register


TWO = ("visit", "skills")


@pytest.mark.parametrize(
    "answer", [[1, 3], (0.1, 0.3), [F(1, 8), F(3, 8)], np.array([1.0, 3.0]), np.array([1, 3]), iter([1, 3])]
)
def test_own_shares_are_normalized_exactly(registered, answer):
    assert registered(lambda _: answer)(evidence(TWO)) == (F(1, 4), F(3, 4))


def test_own_policy_sees_the_evidence_and_may_change_nothing(registered):
    policy = registered(lambda found: None if found.occasion else found.causes[:2])
    assert policy(evidence(TWO, causes=(30, 10, 0, 0))) == (F(3, 4), F(1, 4))
    assert policy(evidence(TWO, causes=(30, 10, 0, 0), occasion=1)) is None


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([1.0], "returned 1 shares; allowed: 2"),
        ([1.0, -0.5], "share 1 is -0.5; allowed: a finite number, 0 or more"),
        ([nan, 1.0], "share 0 is nan"),
        ([1.0, inf], "share 1 is inf"),
        (["a", "b"], "share 0 is 'a'"),
        ([None, 1], "share 0 is None"),
        ([0, 0.0], "all 0; allowed: at least one above 0"),
        (0.5, "returned 0.5; allowed: 2 numbers"),
        ({"visit": 1, "skills": 1}, "allowed: 2 numbers"),
    ],
)
def test_wrong_own_shares_are_refused_in_a_sentence(registered, answer, sentence):
    with pytest.raises(UsageError, match=sentence) as caught:
        registered(lambda _: answer)(evidence(TWO))
    assert str(caught.value).startswith("policy mine in week 13: ")


def test_a_failing_own_policy_is_named(registered):
    with pytest.raises(UsageError, match="policy mine in week 13: its function failed: ZeroDivisionError"):
        registered(lambda found: [1 / found.occasion, 1])(evidence(TWO))


# --- shares as money


def test_millionths_of_exact_shares():
    assert cumulative_fractions([F(1, 3), F(1, 3), F(1, 3)]) == [0, 333_333, 666_666, 1_000_000]
    assert cumulative_fractions([F(0), F(0)]) == [0, 0, 0]
    assert cumulative_shares([0.1, 0.2, 0.0]) == cumulative_fractions([F(1, 10), F(2, 10), F(0)])


def test_local_money_leaves_out_lobbies():
    assert local_fractions([F(1, 2), F(1, 3), F(1, 6)], [True, False, False]) == (F(0), F(2, 3), F(1, 3))
    assert local_fractions([F(1), F(0)], [True, False]) == (F(0), F(0))
