"""What must fit together in the campaign: time, activities, arms, goals, facts to check, replicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from mobsim.campaign.activity import ActivitySpec, ActivityUse, ArmSpec, shipped_activities
from mobsim.campaign.calendar import STEPS, CalendarSpec
from mobsim.campaign.targeting import TargetSpec
from mobsim.community.network import FromFiles
from mobsim.errors import nearest
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.faults import Path, shown
from mobsim.scenario.scenario import NONE, Scenario

MOST_ARMS = 200
MOST_LINES = 50
BROADCAST_RULES = ("random", "affected")

OUTCOMES = (
    *(
        f"{name}_{moment}{group}"
        for name in ("participation", "aware")
        for moment in ("week0", "fe", "end")
        for group in ("", "__GROUP")
    ),
    *(
        "gap_week0",
        "gap_fe",
        "gap_end",
        "parity_fe",
        "parity_end",
        "reach",
        "reach__GROUP",
        "spillover_share",
        "cost",
        "unspent",
    ),
    *(
        "persistence_ratio",
        "kept_participants",
        "never_left",
        "time_to_goal__GOAL",
        "goal_met__GOAL",
        "volunteer_hours",
    ),
    *("empowerment_fe", "empowerment_fe__GROUP", "empowerment_end", "empowerment_end__GROUP"),
    *("results_end", "wins_fe", "voice_share__GROUP"),
)
"""Outcomes that a check may measure; those of a group or goal carry its name instead of GROUP or GOAL."""


def campaign_complaints(scenario: Scenario) -> Iterator[Complaint]:
    """Return what does not fit together in the campaign.

    Parameters
    ----------
    scenario : the resolved form.
    """
    yield from _time(scenario)
    yield from _activities(scenario)
    yield from _arms(scenario)
    yield from _goals(scenario)
    yield from _checks(scenario)
    yield from _replicates(scenario)


def _time(scenario: Scenario) -> Iterator[Complaint]:
    campaign = scenario.campaign
    starts, ends, horizon = campaign.funding_starts_week, campaign.funding_ends_week, campaign.horizon_weeks
    if campaign.budget_per_resident > 0:
        if starts >= ends:
            yield (
                ("campaign", "funding_ends_week"),
                f" is {ends}; allowed: after funding_starts_week, which is {starts}",
            )
        elif ends > horizon:
            yield (
                ("campaign", "funding_ends_week"),
                f" is {ends}; allowed: at most horizon_weeks, which is {horizon}",
            )
    for step in STEPS:
        for end, last in (("first", horizon - 1), ("until", horizon)):
            path: Path = ("campaign", "calendar", step, end)
            week = getattr(getattr(campaign.calendar, step), end)
            usual = getattr(getattr(CalendarSpec(), step), end)  # a default may lie beyond a short horizon
            if week is not None and week > last and week != usual:
                yield path, f" is {week}; allowed: at most {last}, because horizon_weeks is {horizon}"


def _activities(scenario: Scenario) -> Iterator[Complaint]:
    shipped = {activity.number: name for name, activity in shipped_activities().items()}
    numbers: dict[int, str] = {}
    for name, activity in scenario.activities.items():
        where: Path = ("activities", name)
        if shipped.get(activity.number, name) != name:
            yield (
                (*where, "number"),
                f" is {activity.number}, the number of {shipped[activity.number]}; allowed: a free "
                "number from 32 to 63",
            )
        elif name in shipped.values() and shipped.get(activity.number) != name:
            own = shipped_activities()[name].number
            yield (
                (*where, "number"),
                f" is {activity.number}; allowed: {own}, which keys the random draws of {name}",
            )
        elif activity.number in numbers:
            yield (
                (*where, "number"),
                f" is {activity.number}, as in {numbers[activity.number]}; allowed: a number of its own",
            )
        numbers.setdefault(activity.number, name)
        yield from _by(scenario, activity.by, (*where, "by"))
        yield from _target(scenario, activity, activity.target, (*where, "target"))


def _by(scenario: Scenario, by: str, path: Path) -> Iterator[Complaint]:
    names = [organization.name for organization in scenario.community.organizations]
    if names and by not in ("lead", "largest_cbo", *names):
        words = ("lead", "largest_cbo", *names)
        yield path, f" is {shown(by)}; allowed: {', '.join(words)}{nearest(by, words)}"


def _target(
    scenario: Scenario, activity: ActivitySpec, target: TargetSpec, path: Path
) -> Iterator[Complaint]:
    groups = scenario.community.groups
    if activity.delivery == "broadcast" and target.rule not in BROADCAST_RULES:
        yield (
            (*path, "rule"),
            f" is {shown(target.rule)}; allowed: random or affected, because a broadcast reaches "
            "whoever listens",
        )
    if activity.delivery == "lobby" and target != TargetSpec():
        yield (
            path,
            f" is set to rule {shown(target.rule)}; allowed: nothing, because lobbying is aimed at no "
            "resident",
        )
    if target.group is not None and target.group not in groups:
        yield (
            (*path, "group"),
            f" is {shown(target.group)}; allowed: {', '.join(groups)}{nearest(target.group, groups)}",
        )
    elif (
        target.rule == "affected"
        and target.group is None
        and not any(group.marginalized for group in groups.values())
    ):
        yield (
            (*path, "rule"),
            " is 'affected', but no group is marginalized; allowed: affected with a group, or a group "
            "with marginalized: true",
        )


def _arms(scenario: Scenario) -> Iterator[Complaint]:
    if len(scenario.arms) > MOST_ARMS:
        yield ("arms",), f" has {len(scenario.arms)} arms; allowed: at most {MOST_ARMS}"
    if scenario.arms[NONE].activities:
        yield (
            ("arms", NONE, "activities"),
            " is not empty; allowed: an empty list, because none is the arm without a campaign",
        )
    for name, arm in scenario.arms.items():
        where: Path = ("arms", name, "activities")
        if len(arm.activities) > MOST_LINES:
            yield where, f" has {len(arm.activities)} lines; allowed: at most {MOST_LINES}"
        if arm.activities and not sum(use.share for use in arm.activities) > 0:
            yield where, ": all shares are 0; allowed: at least one share above 0"
        if arm.activities and not scenario.community.organizations:
            yield (
                where,
                " needs somebody who delivers, but there are no organizations; allowed: an empty list, "
                "or organizations with a lead",
            )
        for place, use in enumerate(arm.activities):
            yield from _use(scenario, use, (*where, place))
        for label, times in Counter(_labels(arm)).items():
            if times > 1:
                yield (
                    where,
                    f": {label} would stand twice in the tables; allowed: another name for the activity "
                    f"{label}",
                )
        if all(use.kind in scenario.activities for use in arm.activities):
            yield from _map(scenario, arm, where)


def _labels(arm: ArmSpec) -> list[str]:
    """Names of an arm's lines in the tables: a second visit is visit_2."""
    seen: Counter[str] = Counter()
    labels = []
    for use in arm.activities:
        seen[use.kind] += 1
        labels.append(use.kind if seen[use.kind] == 1 else f"{use.kind}_{seen[use.kind]}")
    return labels


def _use(scenario: Scenario, use: ActivityUse, path: Path) -> Iterator[Complaint]:
    activity = scenario.activities.get(use.kind)
    if activity is None:
        words = tuple(dict.fromkeys((*shipped_activities(), *scenario.activities)))
        yield (*path, "kind"), f" is {shown(use.kind)}; allowed: {', '.join(words)}{nearest(use.kind, words)}"
        return
    if use.by is not None:
        yield from _by(scenario, use.by, (*path, "by"))
    if use.target is not None:
        yield from _target(scenario, activity, use.target, (*path, "target"))


def _map(scenario: Scenario, arm: ArmSpec, path: Path) -> Iterator[Complaint]:
    """The rule `degree` needs a map of the network, which the arm's money must pay for."""
    targets = [use.target or scenario.activities[use.kind].target for use in arm.activities]
    prices = [target.mapping_cost_per_person for target in targets if target.rule == "degree"]
    budget = _exact(scenario.campaign.budget_per_resident) * _exact(arm.budget_share)
    if prices and budget > 0 and _exact(max(prices)) > budget:
        yield (
            path,
            f": the network map for the rule degree costs {max(prices):g} a resident; allowed: at most "
            f"the arm's budget of {float(budget):g}",
        )


def _exact(number: float) -> Fraction:
    return Fraction(repr(float(number)))


def _goals(scenario: Scenario) -> Iterator[Complaint]:
    groups, horizon = scenario.community.groups, scenario.campaign.horizon_weeks
    for name, times in Counter(goal.name for goal in scenario.goals).items():
        if times > 1:
            yield ("goals",), f": the name {shown(name)} stands {times} times; allowed: once"
    for place, goal in enumerate(scenario.goals):
        where: Path = ("goals", place)
        if goal.group != "all" and goal.group not in groups:
            words = ("all", *groups)
            yield (
                (*where, "group"),
                f" is {shown(goal.group)}; allowed: {', '.join(words)}{nearest(goal.group, words)}",
            )
        elif goal.indicator == "gap" and not any(group.marginalized for group in groups.values()):
            yield (
                (*where, "indicator"),
                " is 'gap', but no group is marginalized; allowed: participation or awareness",
            )
        elif goal.indicator == "gap" and goal.group != "all" and not groups[goal.group].marginalized:
            yield (
                (*where, "group"),
                f" is {shown(goal.group)}; allowed: all, or a marginalized group, because the gap is "
                "measured from the majority",
            )
        if goal.by_week >= horizon:
            yield (*where, "by_week"), f" is {goal.by_week}; allowed: at most {horizon - 1}, the last week"


def _checks(scenario: Scenario) -> Iterator[Complaint]:
    arms = tuple(scenario.arms)
    for place, check in enumerate(scenario.check):
        where: Path = ("check", place)
        for key, arm in (("arm", check.arm), ("against", check.against)):
            if arm is not None and arm not in arms:
                yield (*where, key), f" is {shown(arm)}; allowed: {', '.join(arms)}{nearest(arm, arms)}"
        if check.against == check.arm:
            yield (*where, "against"), f" is {shown(check.arm)}, the arm itself; allowed: another arm"
        if check.at_least is None and check.at_most is None:
            yield where, " has no band; allowed: at_least, at_most or both"
        elif check.at_least is not None and check.at_most is not None and check.at_least > check.at_most:
            yield (
                (*where, "at_most"),
                f" is {check.at_most:g}; allowed: not below at_least, which is {check.at_least:g}",
            )
        words = _outcomes(scenario)
        if check.outcome not in words:
            yield (
                (*where, "outcome"),
                f" is {shown(check.outcome)}; allowed: a column of the table of "
                f"runs{nearest(check.outcome, words)}",
            )


def _outcomes(scenario: Scenario) -> tuple[str, ...]:
    names: list[str] = []
    for outcome in OUTCOMES:
        if outcome.endswith("__GROUP"):
            names += (re.sub("GROUP$", group, outcome) for group in scenario.community.groups)
        elif outcome.endswith("__GOAL"):
            names += (re.sub("GOAL$", str(goal.name), outcome) for goal in scenario.goals)
        else:
            names.append(outcome)
    return tuple(names)


def _replicates(scenario: Scenario) -> Iterator[Complaint]:
    communities = scenario.replicates.communities
    if isinstance(scenario.community.network, FromFiles) and communities > 1:
        yield (
            ("replicates", "communities"),
            f" is {communities}; allowed: 1, because an imported network is one community; use more luck",
        )
