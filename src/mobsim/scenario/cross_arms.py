"""What must fit together in the arms: activities, who delivers them, whom they are for, what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from mobsim.campaign.activity import ActivitySpec, ActivityUse, ArmSpec, activity_names, shipped_activities
from mobsim.campaign.targeting import TargetSpec
from mobsim.community.network import FromFiles
from mobsim.errors import nearest
from mobsim.scenario.cross_community import Complaint, option_complaints, size_complaints
from mobsim.scenario.cross_policy import policy_complaints
from mobsim.scenario.faults import Path, shown
from mobsim.scenario.known import has_class, line_words, needs_map, rule_words
from mobsim.scenario.scenario import NONE, Scenario

MOST_ARMS = 200
MOST_LINES = 50

BROADCAST_RULES = ("random", "affected")
COALITION_RULES = ("random", "leaders")
WITHOUT_TARGET = {
    "lobby": "lobbying is aimed at no resident",
    "demonstration": "a demonstration is seen by everybody",
    "organization": "organizations are trained in turn",
    "stipend": "stipends go to organizers",
    "survey": "respondents are drawn at random",
}
"""Deliveries that choose no residents, and why."""


def arm_complaints(scenario: Scenario) -> Iterator[Complaint]:
    """Return what does not fit together in the activities and arms.

    Parameters
    ----------
    scenario : the resolved form.
    """
    yield from _activities(scenario)
    yield from _arms(scenario)


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
        yield from _delivery(name, activity, (*where, "delivery"))
        yield from _by(scenario, activity.by, (*where, "by"))
        yield from _target(scenario, activity, activity.target, (*where, "target"))


def _delivery(name: str, activity: ActivitySpec, path: Path) -> Iterator[Complaint]:
    if (name == "survey") != (activity.delivery == "survey"):
        allowed = "survey" if name == "survey" else "any other, because the activity survey is the only one"
        yield path, f" is {shown(activity.delivery)}; allowed: {allowed}"
    elif activity.delivery == "python" and not has_class(name):
        yield (
            path,
            f" is 'python', but no Python class is registered for {name}; allowed: another delivery, or a "
            "registered class of this name (docs/tutorials/extending.md)",
        )


def _by(scenario: Scenario, by: str, path: Path) -> Iterator[Complaint]:
    names = [organization.name for organization in scenario.community.organizations]
    if names and by not in ("lead", "largest_cbo", *names):
        words = ("lead", "largest_cbo", *names)
        yield path, f" is {shown(by)}; allowed: {', '.join(words)}{nearest(by, words)}"


def _target(
    scenario: Scenario, activity: ActivitySpec, target: TargetSpec, path: Path
) -> Iterator[Complaint]:
    groups = scenario.community.groups
    words = rule_words(target.rule)
    if target.rule not in words:
        yield (
            (*path, "rule"),
            f" is {shown(target.rule)}; allowed: {', '.join(words)}{nearest(target.rule, words)}",
        )
        return
    yield from _rule(activity, target, path)
    yield from size_complaints(scenario, target.rule, target.centrality, path)
    yield from option_complaints(target, target.rule, path)
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


def _rule(activity: ActivitySpec, target: TargetSpec, path: Path) -> Iterator[Complaint]:
    """Some deliveries choose residents by few rules, some choose none."""
    if activity.delivery == "broadcast" and target.rule not in BROADCAST_RULES:
        yield (
            (*path, "rule"),
            f" is {shown(target.rule)}; allowed: random or affected, because a broadcast reaches "
            "whoever listens",
        )
    elif activity.delivery in WITHOUT_TARGET and target != TargetSpec():
        yield (
            path,
            f" is set to rule {shown(target.rule)}; allowed: nothing, because "
            f"{WITHOUT_TARGET[activity.delivery]}",
        )
    elif activity.delivery == "coalition" and target.rule not in COALITION_RULES:
        yield (
            (*path, "rule"),
            f" is {shown(target.rule)}; allowed: random (organizations first, then leaders) or leaders, "
            "because a coalition engages nobody else",
        )
    elif activity.delivery == "coalition" and target.group is not None:
        yield (
            (*path, "group"),
            f" is {shown(target.group)}; allowed: none, because a coalition engages no residents but leaders",
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
        for label, times in Counter(activity_names(arm.activities)).items():
            if times > 1:
                yield (
                    where,
                    f": {label} would stand twice in the tables; allowed: another name for the activity "
                    f"{label}",
                )
        if all(use.kind in scenario.activities for use in arm.activities):
            yield from _map(scenario, arm, where)
            yield from policy_complaints(scenario, name)


def _use(scenario: Scenario, use: ActivityUse, path: Path) -> Iterator[Complaint]:
    activity = scenario.activities.get(use.kind)
    if activity is None:
        words = line_words(scenario)
        yield (*path, "kind"), f" is {shown(use.kind)}; allowed: {', '.join(words)}{nearest(use.kind, words)}"
        return
    if activity.delivery == "survey":
        yield (
            (*path, "kind"),
            f" is {shown(use.kind)}; allowed: {', '.join(line_words(scenario))}; an arm asks people by "
            "its own key, such as survey: 100",
        )
        return
    yield from _engaged(scenario, use, activity, path)
    if use.by is not None:
        yield from _by(scenario, use.by, (*path, "by"))
    if use.target is not None:
        yield from _target(scenario, activity, use.target, (*path, "target"))


def _engaged(scenario: Scenario, use: ActivityUse, activity: ActivitySpec, path: Path) -> Iterator[Complaint]:
    """A coalition engages organizations besides the lead, and leaders."""
    community = scenario.community
    listed = isinstance(community.network, FromFiles)  # the people's file says who leads
    alone = len(community.organizations) == 1 and community.leaders.share == 0 and not listed
    if activity.delivery == "coalition" and alone:
        yield (
            path,
            f": {use.kind} has nobody to engage; allowed: with leaders, or with an organization "
            "besides the lead",
        )


def _map(scenario: Scenario, arm: ArmSpec, path: Path) -> Iterator[Complaint]:
    """Some rules need a map of the network, which the arm's money must pay for."""
    targets = [use.target or scenario.activities[use.kind].target for use in arm.activities]
    if not all(target.rule in rule_words(target.rule) for target in targets):
        return
    mapped = [target for target in targets if needs_map(target.rule)]
    if not mapped:
        return
    dearest = max(mapped, key=lambda target: target.mapping_cost_per_person)
    budget = _exact(scenario.campaign.budget_per_resident) * _exact(arm.budget_share)
    if budget > 0 and _exact(dearest.mapping_cost_per_person) > budget:
        yield (
            path,
            f": the network map for the rule {dearest.rule} costs {dearest.mapping_cost_per_person:g} a "
            f"resident; allowed: at most the arm's budget of {float(budget):g}",
        )


def _exact(number: float) -> Fraction:
    return Fraction(repr(float(number)))
