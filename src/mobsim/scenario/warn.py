"""What is allowed but should be looked at: unusual numbers, goals out of reach, arms that buy nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mobsim.campaign.activity import ActivitySpec, ActivityUse
from mobsim.community.population import ChosenByRule, ExactCount, ExactShare, ListedResidents
from mobsim.scenario.allowed import schema_at
from mobsim.scenario.calibrated import doubts
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.document import Document
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import Path, inside, sentence_of, text_of
from mobsim.scenario.migrate import WITHOUT
from mobsim.scenario.scenario import NONE, Scenario

AIMED_BY_EQUITY = ("random", "non_participants")
REACHES_RESIDENTS = ("attempts", "seats", "all_come", "python")
"""Deliveries of which every unit reaches up to `per_unit` residents."""


def warnings_of(scenario: Scenario, document: Document) -> tuple[str, ...]:
    """Return sentences about what is allowed but unusual, by line.

    Parameters
    ----------
    scenario : the resolved form.
    document : the file it comes from.
    """
    complaints = [
        *_version(document),
        *_unusual(scenario),
        *_organizers(scenario),
        *_arms(scenario),
        *_goals(scenario),
        *_calibration(scenario),
    ]
    faults = sorted(document.fault(path, f"{text_of(path)}{sentence}") for path, sentence in complaints)
    return tuple(sentence_of(document.file, fault) for fault in faults)


def _unusual(scenario: Scenario) -> Iterator[Complaint]:
    """Numbers that the file sets outside their documented range; a bare model has ranges of its own."""
    if scenario.preset == "bare":
        return
    data = plain(scenario)
    for text in scenario.tags:
        path = _path_of(text)
        usual = (schema_at(path, data) or {}).get("usual")
        value = _at(data, path)
        if usual and isinstance(value, int | float) and not usual[0] <= value <= usual[1]:
            yield path, f" is {value:g}, outside the usual {usual[0]:g} to {usual[1]:g}"


def _path_of(text: str) -> Path:
    return tuple(int(word) if word.isdigit() else word for word in re.findall(r"[^.\[\]]+", text))


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = inside(value, part)
    return value


def _arms(scenario: Scenario) -> Iterator[Complaint]:
    for name, arm in scenario.arms.items():
        if name != NONE and not arm.activities:
            yield ("arms", name), " buys nothing, so it equals none"
        for place, use in enumerate(arm.activities):
            activity = scenario.activities[use.kind]
            line: Path = ("arms", name, "activities", place)
            if activity.leaders_only and scenario.community.leaders.share == 0:
                yield line, f": {use.kind} is for leaders, and there are none"
            if activity.delivery == "stipend" and scenario.behaviour.organizer_start == 0:
                yield line, f": {use.kind} is for organizers, and nobody becomes one (organizer_start is 0)"
        yield from _survey(scenario, name)


def _survey(scenario: Scenario, name: str) -> Iterator[Complaint]:
    """A survey that the arm cannot pay is not held; equity needs a line that it can aim."""
    arm, campaign = scenario.arms[name], scenario.campaign
    if arm.survey is not None:
        residents = scenario.community.residents
        budget = campaign.budget_per_resident * arm.budget_share * residents
        price = min(arm.survey.respondents, residents) * scenario.activities["survey"].cost
        if price > budget:
            yield (
                ("arms", name, "survey"),
                f" costs {price:,.0f}, more than the arm's budget of {budget:,.0f}: nobody is asked",
            )
    targets = [use.target or scenario.activities[use.kind].target for use in arm.activities]
    if arm.policy == "equity" and not any(
        target.rule in AIMED_BY_EQUITY and target.group is None for target in targets
    ):
        yield (
            ("arms", name, "policy"),
            " is 'equity', but no line has rule random or non_participants without a group: it changes "
            "nothing",
        )


def _goals(scenario: Scenario) -> Iterator[Complaint]:
    """A goal is out of the money's own reach if the money of no arm reaches as many people as are missing.

    Missing are at_least x (members of the group) less those who take part (or are aware) at the start of
    burn-in. See `people_reached` for the most that an arm's money reaches. Goals can still be met: people
    tell and follow each other, and results and won policies draw in people whom nobody visited.
    """
    reach = {name: people_reached(scenario, name) for name in scenario.arms if name != NONE}
    if not reach or scenario.campaign.budget_per_resident == 0:
        return
    best = max(reach, key=lambda name: reach[name])
    for place, goal in enumerate(scenario.goals):
        if goal.indicator == "gap" or goal.at_least is None:
            continue
        groups = scenario.community.groups
        members = [name for name in groups if goal.group in ("all", name)]
        size = sum(groups[name].share for name in members) * scenario.community.residents
        missing = goal.at_least * size - sum(
            _at_the_start(scenario, name, goal.indicator) for name in members
        )
        if missing > reach[best]:
            what = "take part" if goal.indicator == "participation" else "are aware"
            yield (
                ("goals", place),
                f" asks for {missing:,.0f} more residents than {what} at the start, but the money of no arm "
                f"reaches more than {reach[best]:,.0f} ({best}): the rest would have to come by themselves",
            )


def _at_the_start(scenario: Scenario, group: str, indicator: str) -> float:
    """Return about how many members of a group are aware, or take part, at the start of burn-in."""
    community, start = scenario.community, scenario.community.initial
    share = community.groups[group].share
    aware = {"by_group": community.groups[group].aware, "everyone": 1.0, "participants": 0.0}[start.aware]
    taking_part = start.participating
    if isinstance(taking_part, ExactCount):
        part = taking_part.count * share
    elif isinstance(taking_part, ChosenByRule):
        part = taking_part.number * share
    elif isinstance(taking_part, ListedResidents):
        part = len(taking_part.residents) * share
    elif isinstance(taking_part, ExactShare):
        part = taking_part.share * share * community.residents
    else:
        chance = taking_part if start.aware == "participants" else taking_part * aware
        part = chance * share * community.residents
    return part if indicator == "participation" else max(part, aware * share * community.residents)


def people_reached(scenario: Scenario, arm: str) -> float:
    """Return the most people that an arm's money can reach: budget / least price of a person reached.

    As if the whole budget went to the line that reaches a person for least, and every unit reached somebody
    new. The price of a person is the price of a unit / targets or seats a unit; of media, the price of a
    unit / (reach x residents). Lines that reach no residents do not count.

    Parameters
    ----------
    scenario : the resolved form.
    arm : name of an arm.
    """
    residents, share = scenario.community.residents, scenario.arms[arm].budget_share
    budget = scenario.campaign.budget_per_resident * share * residents
    prices = [price for use in scenario.arms[arm].activities if (price := _price_of_a_person(scenario, use))]
    return budget / min(prices) if prices else 0.0


def _price_of_a_person(scenario: Scenario, use: ActivityUse) -> float:
    """Return what a line pays for each person reached, 0 if it reaches none."""
    activity: ActivitySpec = scenario.activities[use.kind]
    residents = scenario.community.residents
    price = use.cost if use.cost is not None else activity.cost
    price *= residents / 1000 if activity.cost_scales and not use.absolute else 1
    if activity.delivery == "broadcast":
        return price / (activity.reach * residents) if activity.reach else 0.0
    if activity.delivery in REACHES_RESIDENTS:
        return price / activity.per_unit
    return 0.0


def _organizers(scenario: Scenario) -> Iterator[Complaint]:
    """A group that starts as capable as an organizer has to be has no ladder to climb."""
    behaviour = scenario.behaviour
    if behaviour.organizer_start == 0:
        return
    for name, group in scenario.community.groups.items():
        if group.capability >= behaviour.organizer_capability:
            yield (
                ("community", "groups", name, "capability"),
                f" is {group.capability:g}, not below behaviour.organizer_capability, which is "
                f"{behaviour.organizer_capability:g}: everybody who stays becomes an organizer",
            )


def _calibration(scenario: Scenario) -> Iterator[Complaint]:
    """A calibration that does not hold here leaves the scenario uncalibrated."""
    for why in doubts(scenario):
        yield ("calibration",), f": {why}; results stay uncalibrated"
    for sentence in scenario.calibration.warnings if scenario.calibration else ():
        yield ("calibration",), f": {sentence}"


def _version(document: Document) -> Iterator[Complaint]:
    if document.data["schema_version"] == 1:
        yield ("schema_version",), f" is 1: {WITHOUT}"
