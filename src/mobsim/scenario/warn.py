"""What is allowed but should be looked at: unusual numbers, goals out of reach, arms that buy nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mobsim.campaign.activity import ActivitySpec, ActivityUse
from mobsim.scenario.allowed import schema_at
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.document import Document
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import Path, inside, sentence_of, text_of
from mobsim.scenario.scenario import NONE, Scenario


def warnings_of(scenario: Scenario, document: Document) -> tuple[str, ...]:
    """Return sentences about what is allowed but unusual, by line.

    Parameters
    ----------
    scenario : the resolved form.
    document : the file it comes from.
    """
    complaints = [*_unusual(scenario), *_arms(scenario), *_goals(scenario)]
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
            if activity.leaders_only and scenario.community.leaders.share == 0:
                yield ("arms", name, "activities", place), f": {use.kind} is for leaders, and there are none"


def _goals(scenario: Scenario) -> Iterator[Complaint]:
    """A goal is out of the money's own reach if no arm can contact as many residents as it asks for."""
    reach = {name: contacts_bought(scenario, name) for name in scenario.arms if name != NONE}
    if not reach or scenario.campaign.budget_per_resident == 0:
        return
    best = max(reach, key=lambda name: reach[name])
    for place, goal in enumerate(scenario.goals):
        if goal.indicator == "gap" or goal.at_least is None:
            continue
        share = 1.0 if goal.group == "all" else scenario.community.groups[goal.group].share
        wanted = goal.at_least * share * scenario.community.residents
        if wanted > reach[best]:
            yield (
                ("goals", place),
                f" asks for {wanted:,.0f} residents, but the money of no arm contacts more than "
                f"{reach[best]:,.0f} ({best}): "
                "the rest would have to come by themselves",
            )


def contacts_bought(scenario: Scenario, arm: str) -> float:
    """Return the most contacts that an arm's money can buy, if all come.

    Parameters
    ----------
    scenario : the resolved form.
    arm : name of an arm.
    """
    uses = scenario.arms[arm].activities
    budget = (
        scenario.campaign.budget_per_resident * scenario.arms[arm].budget_share * scenario.community.residents
    )
    shares = sum(use.share for use in uses)
    return sum(_contacts(scenario, use, budget * use.share / shares) for use in uses)


def _contacts(scenario: Scenario, use: ActivityUse, money: float) -> float:
    activity: ActivitySpec = scenario.activities[use.kind]
    residents, campaign = scenario.community.residents, scenario.campaign
    price = use.cost if use.cost is not None else activity.cost
    price *= residents / 1000 if activity.cost_scales and not use.absolute else 1
    units = money / price
    if activity.delivery == "lobby":
        return 0.0
    if activity.delivery == "broadcast":
        weeks = max(0, campaign.funding_ends_week - campaign.funding_starts_week)
        return min(units, activity.max_units * weeks) * activity.reach * residents
    return units * activity.per_unit
