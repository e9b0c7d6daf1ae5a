"""What every allocation policy keeps: shares that can be paid, by the evidence alone, and no lost cent."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from mobsim.campaign.activity import POLICIES
from mobsim.campaign.own import POLICY, PolicyFunction, registered
from mobsim.campaign.policies import Evidence, Policy, Shares, policy_of
from mobsim.errors import MobsimError
from mobsim.testing.worlds import check_money, check_repeatable, small_world

ON_TRIAL = "on_trial"
KINDS = ("visit", "skills", "lobby")
ANSWERS = (
    (Fraction(3, 5), Fraction(0), Fraction(0), Fraction(0)),
    (Fraction(0), Fraction(7, 10), Fraction(0), Fraction(0)),
    (Fraction(0), Fraction(0), Fraction(7, 10), Fraction(0)),
)
CAUSES = ((0, 0, 0, 0), (50, 0, 0, 0), (10, 20, 30, 5), (0, 1, 0, 0))
NAMED = ((0, 0, 0), (12, 3, 0), (0, 0, 7))
SPENT = ((0, 0, 0), (100_000, 50_000, 1), (0, 70_000, 0))
SHARES: tuple[Shares, ...] = (
    (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)),
    (Fraction(1), Fraction(0), Fraction(0)),
)


def check_policy(policy: str | PolicyFunction) -> None:
    """Check that an allocation policy keeps what mobsim promises its readers.

    1. Whatever a survey finds, it answers with one share a line, 0 or more and not all 0, or with None.
    2. The same evidence gets the same answer, whatever it was asked before.
    3. An arm that uses it runs, loses no cent, and changes no bit with other lanes or threads.

    Parameters
    ----------
    policy : the name of one that is installed or registered, or ships with mobsim; or its function.

    Raises
    ------
    AssertionError : with a sentence that says what does not hold.

    Examples
    --------
    >>> check_policy(lambda evidence: [1] * len(evidence.shares))
    """
    if isinstance(policy, str):
        _check(policy)
    else:
        with registered(POLICY, ON_TRIAL, policy):
            _check(ON_TRIAL)


def _check(name: str) -> None:
    what = f"policy {name}"
    try:
        function = policy_of(name)
    except MobsimError as error:
        raise AssertionError(str(error)) from error
    evidence = _evidence()
    answers = [_answer(function, one) for one in evidence]
    again = [_answer(function, one) for one in reversed(evidence)]
    assert answers == again[::-1], (
        f"{what}: the same evidence got another answer when it was asked in another order; keep nothing "
        "between calls"
    )
    arm: dict[str, Any] = {
        "policy": name,
        "activities": [{"kind": kind, "share": 1} for kind in KINDS],
        "survey": {"respondents": 40},
    }
    if name == POLICIES[0]:
        del arm["survey"]
    check_money(check_repeatable(small_world({"with": arm}), what), what)


def _answer(function: Policy, evidence: Evidence) -> Shares | None:
    try:
        return function(evidence)
    except MobsimError as error:
        raise AssertionError(str(error)) from error


def _evidence() -> list[Evidence]:
    """Return what surveys may find: nobody named a cause, nothing was spent, one line has all the money."""
    return [
        Evidence(
            week=13 * (occasion + 1),
            occasion=occasion,
            shares=shares,
            kinds=KINDS,
            answers=ANSWERS,
            causes=causes,
            named=named,
            cents=cents,
        )
        for occasion, shares, causes, named, cents in product((0, 1, 5), SHARES, CAUSES, NAMED, SPENT)
    ]
