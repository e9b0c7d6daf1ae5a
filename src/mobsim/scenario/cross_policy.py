"""What must fit together where an arm learns: its policy, its surveys, and what people say at meetings."""

from __future__ import annotations

from collections.abc import Iterator

from mobsim.campaign.activity import ActivitySpec, shipped_activities
from mobsim.campaign.monitoring import survey_weeks
from mobsim.errors import nearest
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.faults import Path, shown
from mobsim.scenario.known import policy_words
from mobsim.scenario.scenario import Scenario

BY_CAUSE = ("assessed", "reasons")
"""Policies that move money to what answers the causes that people name."""


def policy_complaints(scenario: Scenario, name: str) -> Iterator[Complaint]:
    """Return what does not fit together in how an arm learns.

    Parameters
    ----------
    scenario : the resolved form.
    name : name of an arm whose activities are known.
    """
    arm = scenario.arms[name]
    where: Path = ("arms", name)
    words = policy_words(arm.policy)
    if arm.policy not in words:
        yield (
            (*where, "policy"),
            f" is {shown(arm.policy)}; allowed: {', '.join(words)}{nearest(arm.policy, words)}",
        )
        return
    if not arm.activities and (arm.policy != "fixed" or arm.survey is not None or arm.community_decides):
        yield from _without_money(scenario, name)
        return
    lines = [scenario.activities[use.kind] for use in arm.activities]
    if arm.policy in BY_CAUSE and not any(_answers(line) for line in lines):
        known = ", ".join(kind for kind, spec in shipped_activities().items() if _answers(spec))
        yield (
            (*where, "policy"),
            f" is {shown(arm.policy)}, but no line of the arm answers a cause; allowed: fixed, marginal or "
            f"equity, or a line of an activity with answers, such as {known}",
        )
    if arm.policy == "equity" and not any(goal.indicator == "participation" for goal in scenario.goals):
        yield (
            (*where, "policy"),
            " is 'equity', but no goal asks for participation; allowed: another policy, or a goal with "
            "indicator: participation and at_least",
        )
    if arm.community_decides:
        yield from _community_decides(scenario, name, lines)
    elif arm.survey is not None:
        yield from _survey_weeks(scenario, (*where, "survey"))


def _answers(activity: ActivitySpec) -> bool:
    return any(weight > 0 for weight in activity.answers.values())


def _without_money(scenario: Scenario, name: str) -> Iterator[Complaint]:
    arm = scenario.arms[name]
    where: Path = ("arms", name)
    if arm.policy != "fixed":
        yield (
            (*where, "policy"),
            f" is {shown(arm.policy)}, but the arm has no activities whose shares it could change; allowed: "
            "fixed, or an arm with activities",
        )
    else:
        key = "survey" if arm.survey is not None else "community_decides"
        yield (
            (*where, key),
            " is set, but the arm has no activities and so no money; allowed: only in an arm with activities",
        )


def _community_decides(scenario: Scenario, name: str, lines: list[ActivitySpec]) -> Iterator[Complaint]:
    arm = scenario.arms[name]
    where: Path = ("arms", name, "community_decides")
    if arm.policy not in BY_CAUSE:
        yield where, f" is true with policy {shown(arm.policy)}; allowed: only with assessed or reasons"
    elif arm.survey is not None:
        yield (
            ("arms", name, "survey"),
            " stands beside community_decides: true; allowed: one of the two, because what people say at "
            "meetings stands for the survey",
        )
    elif not any(line.delivery == "seats" and line.ownership > 0 for line in lines):
        yield (
            where,
            " is true, but no line of the arm has seats at which people speak; allowed: with a line of an "
            "activity with delivery: seats and ownership above 0, such as meeting",
        )
    else:
        yield from _survey_weeks(scenario, where)


def _survey_weeks(scenario: Scenario, path: Path) -> Iterator[Complaint]:
    campaign = scenario.campaign
    ends, horizon = campaign.funding_ends_week, campaign.horizon_weeks
    if campaign.budget_per_resident > 0 and not survey_weeks(campaign.calendar, ends, horizon):
        assess, monitor = campaign.calendar.assess, campaign.calendar.monitor
        yield (
            path,
            f" finds no week: assess runs from week {assess.first} and monitor from week {monitor.first}; "
            f"allowed: one of them before week {min(ends, horizon)}, when funding ends",
        )
