"""From what a person writes to the resolved form: every default is written in, nothing is checked yet.

A part that has the wrong shape is left as it stands; the check that follows finds it.
"""

from __future__ import annotations

import re
from typing import Any

from mobsim.campaign.activity import ActivitySpec, SurveySpec, shipped_activities
from mobsim.community.behaviour import BARE_BEHAVIOUR
from mobsim.community.organizations import default_organizations
from mobsim.community.population import BARE_GROUP, MARGINALIZED_DEFAULTS
from mobsim.scenario.scenario import NONE

FIRST_OWN_NUMBER = 32
"""Activities that a scenario defines are numbered from here in the order of the file."""

DEFAULT_GROUPS: dict[str, dict[str, Any]] = {"majority": {"share": 0.8}, "marginalized": {"share": 0.2}}
BARE_GROUPS: dict[str, dict[str, Any]] = {"everybody": {"share": 1.0}}

BARE_LEADERS: dict[str, Any] = {"share": 0.0}
BARE_INITIAL: dict[str, Any] = {"aware": "everyone", "participating": 0.0}
BARE_CAMPAIGN: dict[str, Any] = {"budget_per_resident": 0.0, "burn_in_weeks": 0}

OUTREACH = {"visit": 0.6, "meeting": 0.4}
TRAINING = {"skills": 0.7, "leader": 0.3}
ADVOCACY = {"lobby": 0.5, "coalition": 0.2, "media": 0.3}
DEFAULT_ARMS: dict[str, tuple[str, dict[str, float]]] = {
    "outreach": ("visits and meetings", OUTREACH),
    "training": ("skills workshops and trained leaders", TRAINING),
    "advocacy": ("lobbying with a coalition, made known by local media", ADVOCACY),
    "mixed": ("a third of the money for each family", {**OUTREACH, **TRAINING, **ADVOCACY}),
    "media": ("local media alone, as a reference", {"media": 1.0}),
}
"""The arms of a scenario that names none, with the shares of their money: [A], but advocacy [C], confirmed
by the calibration study (experiments/baseline_calibration)."""


def complete(data: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the resolved form of what a person wrote.

    Parameters
    ----------
    data : the person's form as plain data; it is not changed.
    name : the scenario's name if the data give none.
    """
    bare = data.get("preset") == "bare"
    whole = dict(data)
    whole.setdefault("name", name_from(name))
    whole["community"] = _community(data.get("community", {}), bare)
    _over(whole, "behaviour", BARE_BEHAVIOUR if bare else {})
    if isinstance(thresholds := whole["behaviour"], dict):
        whole["behaviour"] = _short_thresholds(thresholds)
    _over(whole, "campaign", BARE_CAMPAIGN if bare else {})
    if bare and isinstance(campaign := whole["campaign"], dict) and "horizon_weeks" in campaign:
        campaign.setdefault("funding_ends_week", campaign["horizon_weeks"])  # nothing ends before the end
    whole["arms"] = _arms(data["arms"] if "arms" in data else {} if bare else _default_arms())
    whole["activities"] = _activities(data.get("activities", {}), whole["arms"])
    if isinstance(goals := data.get("goals"), list):
        whole["goals"] = [_named(goal, place) for place, goal in enumerate(goals, 1)]
    if _imported(whole["community"]):
        _over(whole, "replicates", {"communities": 1})
    return whole


def name_from(text: str) -> str:
    """Make a scenario's name of a file's name.

    Parameters
    ----------
    text : any text.

    Examples
    --------
    >>> name_from("my village-2"), name_from("3 villages")
    ('my_village_2', 'scenario_3_villages')
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:40]
    return name if re.match("[A-Za-z]", name) else f"scenario_{name}".rstrip("_")


def _over(whole: dict[str, Any], key: str, defaults: dict[str, Any]) -> None:
    """Put a section's own values over defaults."""
    given = whole.get(key, {})
    whole[key] = {**defaults, **given} if isinstance(given, dict) else given


def _community(given: Any, bare: bool) -> Any:
    if not isinstance(given, dict):
        return given
    community = dict(given)
    groups = given.get("groups", BARE_GROUPS if bare else DEFAULT_GROUPS)
    community["groups"] = _groups(groups, bare)
    if "organizations" not in given:
        community["organizations"] = [] if bare else [o.model_dump() for o in default_organizations()]
    if bare:
        _over(community, "leaders", BARE_LEADERS)
        _over(community, "initial", BARE_INITIAL)
        community.setdefault("membership", 0.0)
    return community


def _groups(given: Any, bare: bool) -> Any:
    if not isinstance(given, dict):
        return given
    groups = {}
    for place, (name, group) in enumerate(given.items()):
        defaults: dict[str, Any] = dict(MARGINALIZED_DEFAULTS) if place else {}
        if bare:
            defaults |= BARE_GROUP
        if len(given) == 1:
            defaults["share"] = 1.0
        groups[name] = {**defaults, **group} if isinstance(group, dict) else group
    return groups


def _short_thresholds(behaviour: dict[str, Any]) -> dict[str, Any]:
    """`thresholds: 0.18` stands for the same threshold for everybody."""
    value = behaviour.get("thresholds")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {**behaviour, "thresholds": {"kind": "constant", "value": value}}
    return behaviour


def _default_arms() -> dict[str, Any]:
    arms: dict[str, Any] = {}
    for name, (description, shares) in DEFAULT_ARMS.items():
        uses = [{"kind": kind, "share": share} for kind, share in shares.items()]
        arms[name] = {"description": description, "activities": uses}
    return arms


def _arms(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    none = given.get(NONE, {"description": "no campaign", "activities": []})
    arms = {NONE: none, **{name: arm for name, arm in given.items() if name != NONE}}
    return {name: _with_survey(_short_targets(arm)) for name, arm in arms.items()}


def _short_targets(arm: Any) -> Any:
    """`target: nominated` stands for `target: {rule: nominated}`."""
    if not isinstance(arm, dict) or not isinstance(arm.get("activities"), list):
        return arm
    uses = [_short_target(use) if isinstance(use, dict) else use for use in arm["activities"]]
    return {**arm, "activities": uses}


def _with_survey(arm: Any) -> Any:
    """`survey: 150` stands for 150 respondents; a policy that learns from surveys has one."""
    if not isinstance(arm, dict):
        return arm
    survey = arm.get("survey")
    if isinstance(survey, int | float) and not isinstance(survey, bool):
        return {**arm, "survey": {"respondents": survey}}
    learns = arm.get("policy", "fixed") != "fixed" and arm.get("community_decides", False) is not True
    return {**arm, "survey": SurveySpec().model_dump()} if learns and survey is None else arm


def _activities(given: Any, arms: Any) -> Any:
    """Complete the activities that the arms use or the file defines, shipped ones first."""
    if not isinstance(given, dict):
        return given
    shipped = shipped_activities()
    used = _kinds(arms)
    defined = {**given, **{name: {} for name in used if name not in shipped and name not in given}}
    entries: dict[str, Any] = {}
    number = FIRST_OWN_NUMBER
    for name, entry in defined.items():
        if not isinstance(entry, dict):
            entries[name] = entry
            continue
        entry = _with_its_start(name, entry)
        if not entry and name not in given:  # nobody has defined it: the check of the whole says so
            continue
        if name not in shipped:
            if entry.get("number") is None:
                entry["number"] = number
            number += 1
        entries[name] = entry
    whole = {
        name: entries.get(name, activity.model_dump())
        for name, activity in shipped.items()
        if name in used or name in entries
    }
    return {**whole, **{name: entry for name, entry in entries.items() if name not in whole}}


def _with_its_start(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Put an activity's own numbers over those it starts from: a shipped activity, or a registered class."""
    shipped = shipped_activities()
    like = entry.get("like", name)
    own = _short_target({key: value for key, value in entry.items() if key != "like"})
    if isinstance(like, str) and like in shipped:
        return {**shipped[like].model_dump(), **({} if name in shipped else {"number": None}), **own}
    if "like" in entry or entry.get("delivery", "python") != "python":
        return own
    return {**_registered(name), **own}


def _registered(name: str) -> dict[str, Any]:
    """Return the numbers of an activity that is a registered Python class, or none if there is no such class.

    Asked for unknown names only, because it looks through the installed packages.
    """
    from mobsim.campaign.own import own_activity, spec_of

    found = own_activity(name)
    return {} if found is None else spec_of(name, found).model_dump()


def _short_target(entry: dict[str, Any]) -> dict[str, Any]:
    if isinstance(entry.get("target"), str):
        return {**entry, "target": {"rule": entry["target"]}}
    return entry


def _kinds(arms: Any) -> tuple[str, ...]:
    """Return the activities that the arms use, in their order, as far as the arms have the right shape."""
    kinds: dict[str, None] = {}
    for arm in arms.values() if isinstance(arms, dict) else ():
        if not isinstance(arm, dict):
            continue
        uses = arm.get("activities")
        for use in uses if isinstance(uses, list) else ():
            if isinstance(use, dict) and isinstance(use.get("kind"), str):
                kinds[use["kind"]] = None
        if isinstance(arm.get("survey"), dict):
            kinds["survey"] = None
    return tuple(kinds)


def _imported(community: Any) -> bool:
    network = community.get("network") if isinstance(community, dict) else None
    return isinstance(network, dict) and network.get("kind") == "files"


def _named(goal: Any, place: int) -> Any:
    """Give a goal without a name its number as a name: its columns need one."""
    return {**goal, "name": f"goal_{place}"} if isinstance(goal, dict) and goal.get("name") is None else goal


def own_activity_fields() -> tuple[str, ...]:
    """Return the keys an activity may have in the person's form."""
    return ("like", *ActivitySpec.model_fields)
