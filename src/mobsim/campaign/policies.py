"""Allocation policies: how an arm moves its money between its lines by what it learns (docs/odd.md, 7.12).

A policy is a function of the evidence of one survey. It returns the new shares of the arm's lines, or nothing
to leave them as they are. Shares are exact fractions, so that every computer moves the same cent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational, Real
from typing import TypeAlias

from mobsim.campaign.activity import CAUSES, EQUITY
from mobsim.campaign.goals import GoalSpec
from mobsim.campaign.monitoring import Estimates
from mobsim.community.exact import as_written
from mobsim.errors import MobsimError, UsageError, nearest

Shares: TypeAlias = tuple[Fraction, ...]

STEP = Fraction(1, 10)
"""What `marginal` moves at most, and the share below which it takes nothing from a line [A]."""

EVERYBODY = "all"


@dataclass(frozen=True)
class Evidence:
    """What a policy knows after a survey.

    week : the week of the survey.
    occasion : how many surveys the arm had before this one; 0 at the first.
    shares : current shares of the arm's lines; they add up to 1.
    kinds : names of the lines' activities.
    answers : by line, its weight for each root cause (information, capability, barrier, trust).
    causes : number of respondents who name each cause, in the same order.
    named : by line, number of respondents who take part and name it as the last that reached them.
    cents : by line, external and local money spent since the last survey, or since week 0.
    estimates : shares of aware and participating residents, or None where no survey was bought
        (`community_decides`).
    """

    week: int
    occasion: int
    shares: Shares
    kinds: tuple[str, ...]
    answers: tuple[tuple[Fraction, ...], ...]
    causes: tuple[int, int, int, int]
    named: tuple[int, ...]
    cents: tuple[int, ...]
    estimates: Estimates | None = None


Policy: TypeAlias = Callable[[Evidence], Shares | None]


def unchanged(_evidence: Evidence) -> Shares | None:
    """Leave the shares as they are: the policy `fixed`, and `equity`, which moves groups instead of money.

    Parameters
    ----------
    _evidence : what the survey found.
    """
    return None


def reasons(evidence: Evidence) -> Shares | None:
    """Give money to the lines that answer the causes people name, at every survey.

    Among those who name a cause, a cause counts by how far its share exceeds one tenth.

    Parameters
    ----------
    evidence : what the survey found.

    Returns
    -------
    New shares, or None if no cause that a line answers exceeds one tenth.

    Examples
    --------
    >>> half, none = Fraction(1, 2), Fraction(0)
    >>> found = Evidence(
    ...     week=13,
    ...     occasion=1,
    ...     shares=(half, half),
    ...     kinds=("visit", "skills"),
    ...     answers=((Fraction(3, 5), none, none, none), (none, Fraction(7, 10), none, none)),
    ...     causes=(60, 40, 0, 0),
    ...     named=(0, 0),
    ...     cents=(0, 0),
    ... )
    >>> reasons(found)
    (Fraction(5, 8), Fraction(3, 8))
    """
    total = sum(evidence.causes)
    parts = [Fraction(0)] * len(evidence.shares)
    for cause in range(len(CAUSES)):
        offered = sum((line[cause] for line in evidence.answers), Fraction(0))
        weight = max(0, 10 * evidence.causes[cause] - total)
        if offered > 0:
            for b, line in enumerate(evidence.answers):
                parts[b] += weight * line[cause] / offered
    return normalized(parts)


def assessed(evidence: Evidence) -> Shares | None:
    """Do as `reasons`, at the first survey only.

    Parameters
    ----------
    evidence : what the survey found.
    """
    return reasons(evidence) if evidence.occasion == 0 else None


def marginal(evidence: Evidence) -> Shares | None:
    """Move money from the line with the smallest return to the one with the largest, from the second survey.

    The return of a line is the number of participants who name it, for each cent spent on it since the last
    survey; only lines with spending are compared, and only those with more than a tenth of the money can
    lose some.

    Parameters
    ----------
    evidence : what the survey found.

    Returns
    -------
    New shares, or None if no line can lose money or none returns more than the one that could.
    """
    spent = [b for b, cents in enumerate(evidence.cents) if cents > 0]
    can_lose = [b for b in spent if evidence.shares[b] > STEP]
    if evidence.occasion == 0 or not can_lose:
        return None
    gain = {b: Fraction(evidence.named[b], evidence.cents[b]) for b in spent}
    best = max(spent, key=lambda b: gain[b])
    worst = min(can_lose, key=lambda b: gain[b])
    if gain[best] == gain[worst]:
        return None
    moved = min(STEP, evidence.shares[worst] - STEP)
    shares = list(evidence.shares)
    shares[worst] -= moved
    shares[best] += moved
    return tuple(shares)


def choose_group(
    participation: Sequence[float], goals: Sequence[GoalSpec], group_names: Sequence[str]
) -> int | None:
    """Return the group that is furthest below its goal, for the policy `equity`.

    A group's goal is its own first participation goal, or the first one for all.

    Parameters
    ----------
    participation : estimated participating share of each group; NaN where nobody of it was asked.
    goals : goals of the scenario.
    group_names : names of the groups.

    Returns
    -------
    Index of the group (the first of equals), or None if no group is below its goal.

    Examples
    --------
    >>> goal = GoalSpec(at_least=0.3, by_week=78)
    >>> choose_group([0.2, 0.1], [goal], ["majority", "minority"])
    1
    """
    targets = participation_targets(goals)
    chosen, largest = None, 0.0
    for group, name in enumerate(group_names):
        target = targets.get(name, targets.get(EVERYBODY))
        if target is not None and target - participation[group] > largest:
            chosen, largest = group, target - participation[group]
    return chosen


def participation_targets(goals: Sequence[GoalSpec]) -> dict[str, float]:
    """Return the target of the first participation goal of every group that has one, and of `all`.

    Parameters
    ----------
    goals : goals of the scenario.
    """
    targets: dict[str, float] = {}
    for goal in goals:
        if goal.indicator == "participation" and goal.at_least is not None:
            targets.setdefault(goal.group, goal.at_least)
    return targets


def normalized(parts: Sequence[Fraction]) -> Shares | None:
    """Return the parts divided by their sum, or None if all are 0.

    Parameters
    ----------
    parts : not negative.
    """
    total = sum(parts, Fraction(0))
    return tuple(part / total for part in parts) if total > 0 else None


SHIPPED: dict[str, Policy] = {
    "fixed": unchanged,
    "assessed": assessed,
    "reasons": reasons,
    "marginal": marginal,
    EQUITY: unchanged,
}


def policy_of(name: str) -> Policy:
    """Return the policy of a name: one that ships, or one of a user's own.

    Parameters
    ----------
    name : name of the policy.

    Raises
    ------
    MobsimError
        if there is no such policy; and later, when the policy is asked, if it returns something that is not
        one share for each line.
    """
    if name in SHIPPED:
        return SHIPPED[name]
    from mobsim.campaign.own import own_policy, own_policy_names

    function = own_policy(name)
    if function is None:
        allowed = (*SHIPPED, *own_policy_names())
        raise UsageError(
            f"policy {name!r} is not known; allowed: {', '.join(allowed)}{nearest(name, allowed)}"
        )

    def checked(evidence: Evidence) -> Shares | None:
        try:
            answer = function(evidence)
        except MobsimError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise UsageError(f"policy {name} in week {evidence.week}: its function failed: {said}") from error
        return None if answer is None else own_shares(name, answer, evidence)

    return checked


def own_shares(name: str, answer: Iterable[object], evidence: Evidence) -> Shares:
    """Check and normalize what a policy of a user's own returned.

    Parameters
    ----------
    name : name of the policy.
    answer : what it returned.
    evidence : what it was asked about.

    Raises
    ------
    UsageError
        if these are not shares of the arm's lines.
    """
    where = f"policy {name} in week {evidence.week}"
    lines = len(evidence.shares)
    if not isinstance(answer, Iterable) or isinstance(answer, (str, bytes, dict)):
        raise UsageError(
            f"{where}: returned {answer!r}; allowed: {lines} numbers, one for each line of the arm, or None"
        )
    values = list(answer)
    if len(values) != lines:
        raise UsageError(
            f"{where}: returned {len(values)} shares; allowed: {lines}, one for each line of the arm"
        )
    shares = normalized([_own_share(where, b, value) for b, value in enumerate(values)])
    if shares is None:
        raise UsageError(f"{where}: returned shares that are all 0; allowed: at least one above 0")
    return shares


def _own_share(where: str, line: int, value: object) -> Fraction:
    if not isinstance(value, Real) or not math.isfinite(value) or value < 0:
        raise UsageError(f"{where}: share {line} is {value!r}; allowed: a finite number, 0 or more")
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    return as_written(float(value))
