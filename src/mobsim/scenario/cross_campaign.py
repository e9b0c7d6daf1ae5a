"""What must fit together in the campaign: time, goals, facts to check, replicates (arms: cross_arms.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from mobsim.campaign.calendar import STEPS, CalendarSpec
from mobsim.community.network import FromFiles
from mobsim.errors import nearest
from mobsim.scenario.cross_arms import arm_complaints
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.faults import Path, shown
from mobsim.scenario.scenario import Scenario

OUTCOMES = (
    *(
        f"{name}_{moment}{group}"
        for name in ("participation", "aware")
        for moment in ("week0", "fe", "end")
        for group in ("", "__GROUP")
    ),
    *("gap_week0", "gap_fe", "gap_end", "parity_fe", "parity_end"),
    *("reach", "reach__GROUP", "spillover_share"),
    *("cost", "cost_external", "cost_local", "local_income", "unspent"),
    *(
        "persistence_ratio",
        "kept_participants",
        "never_left",
        "self_reliance_funded",
        "self_reliance_sustained",
    ),
    *("time_to_goal__GOAL", "goal_met__GOAL", "goal_estimate_met__GOAL"),
    *("volunteer_hours", "contacts_by_organizers", "organizers_kept"),
    *(
        f"{name}_{moment}{group}"
        for name in ("empowerment", "leadership", "trust")
        for moment in ("fe", "end")
        for group in ("", "__GROUP")
        if (name, group) != ("trust", "")
    ),
    *(
        f"{name}_{moment}"
        for name in ("concern", "cohesion", "coalition", "supportive", "opposed")
        for moment in ("fe", "end")
    ),
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
    yield from arm_complaints(scenario)
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
    as_usual = CalendarSpec()  # a default may lie beyond a short horizon
    for step in STEPS:
        for end, last in (("first", horizon - 1), ("until", horizon)):
            path: Path = ("campaign", "calendar", step, end)
            week = getattr(getattr(campaign.calendar, step), end)
            usual = getattr(getattr(as_usual, step), end)
            if week is not None and week > last and week != usual:
                yield path, f" is {week}; allowed: at most {last}, because horizon_weeks is {horizon}"


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
        words = _outcomes(tuple(scenario.community.groups), tuple(goal.name for goal in scenario.goals))
        if check.outcome not in words:
            yield (
                (*where, "outcome"),
                f" is {shown(check.outcome)}; allowed: a column of the table of "
                f"runs{nearest(check.outcome, words)}",
            )


@lru_cache(maxsize=16)
def _outcomes(groups: tuple[str, ...], goals: tuple[str | None, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for outcome in OUTCOMES:
        if outcome.endswith("__GROUP"):
            names += (outcome.removesuffix("GROUP") + group for group in groups)
        elif outcome.endswith("__GOAL"):
            names += (outcome.removesuffix("GOAL") + str(goal) for goal in goals)
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
