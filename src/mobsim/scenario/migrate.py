"""Files of earlier schema versions: they run as they did, without the rules that came later.

A migration turns what a file of one version says into what a file of the next version has to say for the
same result (docs/decisions/0006_schema_version_2.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WITHOUT = (
    "residents do not become organizers, leaders and organizations do not change their minds, there is no "
    "local money; write schema_version: 2 to use them"
)
FROM_1 = f"written for schema 1: {WITHOUT}"
"""The caution in the resolved form of a file of version 1; `mobsim check` warns with the same words."""

OFF: dict[str, dict[str, float]] = {
    "behaviour": {"organizer_start": 0.0, "leader_reconsider": 0.0, "organization_reconsider": 0.0},
    "campaign": {"public_money": 0.0, "contribution": 0.0},
}
"""What switches off the rules that version 1 did not have."""

ARMS_OF_1: dict[str, tuple[str, dict[str, float]]] = {
    "outreach": ("visits and meetings", {"visit": 0.6, "meeting": 0.4}),
    "training": ("skills workshops and trained leaders", {"skills": 0.7, "leader": 0.3}),
    "advocacy": ("lobbying, made known by local media", {"lobby": 0.6, "media": 0.4}),
    "mixed": (
        "a third of the money for each family",
        {"visit": 0.6, "meeting": 0.4, "skills": 0.7, "leader": 0.3, "lobby": 0.6, "media": 0.4},
    ),
    "media": ("local media alone, as a reference", {"media": 1.0}),
}
"""The arms that a file of version 1 had if it named none, with the shares of their money."""

SHIPPED_SINCE_2 = ("org", "coalition", "demonstration", "stipend", "survey")
"""Names of activities that were free in version 1."""

ADDED_IN_2 = frozenset(
    {
        *("issue", *OFF["behaviour"], *OFF["campaign"], "refill"),
        *("organizer_capability", "organizer_ownership", "organizer_contacts", "peer_appeal"),
        *("engagement_weeks", "leader_leaning_weight", "leader_engagement_weight", "leader_coalition_weight"),
        *("leader_threshold", "leader_noise", "organization_engagement_weight", "coalition_weight"),
        *("organization_threshold", "organization_noise"),
        *("interest", "capacity", "misreport", "insight", "answers"),
        *("centrality", "community_decides", "survey"),
    }
)
"""Keys that the resolved form did not have in version 1, somewhere."""


def from_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return what a file of version 2 has to say to run as this file of version 1 did.

    Parameters
    ----------
    data : the person's form or the resolved form of version 1; it is not changed.

    Examples
    --------
    >>> from_1({"schema_version": 1, "preset": "bare"})["campaign"]
    {'public_money': 0.0, 'contribution': 0.0}
    """
    changed = {**data, "schema_version": 2}
    for section, values in OFF.items():
        given = data.get(section, {})
        changed[section] = {**values, **given} if isinstance(given, dict) else given
    if "arms" not in data and data.get("preset") != "bare":
        changed["arms"] = {name: _arm(*rest) for name, rest in ARMS_OF_1.items()}
    cautions = data.get("cautions", [])
    if isinstance(cautions, list):
        changed["cautions"] = [*cautions, FROM_1]
    return _renamed(changed)


def _arm(description: str, shares: dict[str, float]) -> dict[str, Any]:
    uses = [{"kind": kind, "share": share} for kind, share in shares.items()]
    return {"description": description, "activities": uses}


def _renamed(data: dict[str, Any]) -> dict[str, Any]:
    """Give activities of one's own whose names ship since version 2 other names."""
    activities = data.get("activities")
    if not isinstance(activities, dict):
        return data
    names = {name: f"own_{name}" for name in SHIPPED_SINCE_2 if name in activities}
    changed = {**data, "activities": {names.get(name, name): entry for name, entry in activities.items()}}
    if isinstance(arms := data.get("arms"), dict):
        changed["arms"] = {name: _with_names(arm, names) for name, arm in arms.items()}
    return changed


def _with_names(arm: Any, names: dict[str, str]) -> Any:
    if not isinstance(arm, dict) or not isinstance(arm.get("activities"), list):
        return arm
    return {**arm, "activities": [_with_name(use, names) for use in arm["activities"]]}


def _with_name(use: Any, names: dict[str, str]) -> Any:
    kind = use.get("kind") if isinstance(use, dict) else None
    return {**use, "kind": names[kind]} if isinstance(kind, str) and kind in names else use


def without_added(value: Any, old: Any) -> Any:
    """Return a resolved form without the keys that version 1 did not have and that an old form lacks.

    Parameters
    ----------
    value : a resolved form of today, or a part of it.
    old : the same place of the migrated old form.
    """
    if isinstance(value, dict) and isinstance(old, dict):
        return {
            key: without_added(inner, old.get(key))
            for key, inner in value.items()
            if key in old or key not in ADDED_IN_2
        }
    if isinstance(value, list) and isinstance(old, list) and len(value) == len(old):
        return [without_added(inner, before) for inner, before in zip(value, old, strict=True)]
    return value


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: from_1}
"""Version -> function that turns data of this version into data of the next one."""
