"""The person's form becomes the resolved form: completed, checked value by value, then checked as a whole."""

from __future__ import annotations

from typing import Any

from mobsim.errors import nearest
from mobsim.scenario.allowed import allowed_words, in_words, schema_at
from mobsim.scenario.calibrated import apply_calibration
from mobsim.scenario.complete import complete, own_activity_fields
from mobsim.scenario.crosscheck import cross_faults
from mobsim.scenario.document import Document
from mobsim.scenario.faults import MISSING, Fault, InvalidScenario, Path, inside, shown, text_of
from mobsim.scenario.imports import with_files
from mobsim.scenario.migrate import MIGRATIONS, without_added
from mobsim.scenario.provenance import collect_tags
from mobsim.scenario.scenario import Scenario

SUPPORTED_VERSIONS = (2,)


def resolve(data: dict[str, Any], *, name: str = "scenario") -> Scenario:
    """Return the resolved form of a scenario given as plain data.

    Numbers need no provenance tags here; only files are asked for them.

    Parameters
    ----------
    data : the person's form, as a file would hold it.
    name : the scenario's name if the data give none.

    Raises
    ------
    ScenarioError
        if something is missing, unknown, out of range or does not fit together.

    Examples
    --------
    >>> scenario = resolve({"schema_version": 2, "title": "A village", "description": "Only an example."})
    >>> scenario.community.residents, list(scenario.arms)
    (1000, ['none', 'outreach', 'training', 'advocacy', 'mixed', 'media'])
    """
    return resolve_document(Document(data), name)


def resolve_document(document: Document, name: str, *, tagged: bool = False) -> Scenario:
    """Return the resolved form of a document that was read.

    Parameters
    ----------
    document : what the file says.
    name : the scenario's name if the file gives none.
    tagged : every number that the file sets needs a provenance tag.
    """
    faults = [fault for fault in (_version_fault(document),) if fault]
    if faults:
        raise InvalidScenario(document.file, faults)
    tags, faults = collect_tags(document) if tagged and "tags" not in document.data else ({}, [])
    calibrated = apply_calibration(document, name)
    data = _migrated(document.data)
    tags = data.get("tags", {**tags, **calibrated})
    whole, missing = with_files(complete(data, name), document)
    faults += missing
    faults += (unlike := _like_faults(document))
    scenario, found = _validated({**whole, "tags": tags}, document)
    faults += found if not unlike else []
    if scenario is not None and not missing:
        faults += cross_faults(scenario, document)
        if tagged and "tags" in data:
            faults += _hand_written_tags(scenario, document, data)
    if faults or scenario is None:
        raise InvalidScenario(document.file, faults)
    scenario._folder = document.folder
    return scenario


def _version_fault(document: Document) -> Fault | None:
    allowed = " or ".join(map(str, SUPPORTED_VERSIONS))
    if "schema_version" not in document.data:
        return document.fault((), f"schema_version is missing; allowed: {allowed}")
    version = document.data["schema_version"]
    if isinstance(version, bool) or version not in (*SUPPORTED_VERSIONS, *MIGRATIONS):
        newer = (
            isinstance(version, int) and not isinstance(version, bool) and version > max(SUPPORTED_VERSIONS)
        )
        advice = "; a newer mobsim may read it" if newer else ""
        return document.fault(
            ("schema_version",), f"schema_version is {shown(version)}; allowed: {allowed}{advice}"
        )
    return None


def _migrated(data: dict[str, Any]) -> dict[str, Any]:
    while data["schema_version"] in MIGRATIONS:
        data = MIGRATIONS[data["schema_version"]](data)
    return data


def _like_faults(document: Document) -> list[Fault]:
    """Check `like`, the one key of an activity that the resolved form does not have."""
    from mobsim.campaign.activity import shipped_activities

    given = document.data.get("activities")
    faults = []
    for name, entry in given.items() if isinstance(given, dict) else ():
        like = entry.get("like") if isinstance(entry, dict) else None
        if like is not None and (not isinstance(like, str) or like not in shipped_activities()):
            path = ("activities", name, "like")
            words = ", ".join(shipped_activities())
            guess = nearest(str(like), shipped_activities())
            faults.append(document.fault(path, f"{text_of(path)} is {shown(like)}; allowed: {words}{guess}"))
    return faults


def _hand_written_tags(scenario: Scenario, document: Document, data: dict[str, Any]) -> list[Fault]:
    """A section `tags` belongs to the resolved form, which leaves nothing out but what came later."""
    from mobsim.scenario.dump import plain

    whole = plain(scenario)
    if data == (whole if data is document.data else without_added(whole, data)):
        return []
    sentence = (
        "tags is a section of complete resolved files only; allowed: tags as comments, such as '# [A] why'"
    )
    return [document.fault(("tags",), sentence)]


def _validated(whole: dict[str, Any], document: Document) -> tuple[Scenario | None, list[Fault]]:
    from pydantic import ValidationError

    try:
        return Scenario.model_validate(_tuples(whole), strict=True), []
    except ValidationError as error:
        places: dict[Path, Any] = {}
        for message in error.errors(include_url=False):
            place = _place_of(message, whole)
            if place is not None:
                places.setdefault(place, message)
        for place in list(places):
            if any(inner[: len(place)] == place and inner != place for inner in places):
                del places[place]  # what is wrong inside is the cause
        return None, [_fault(path, message, whole, document) for path, message in places.items()]


def _tuples(value: Any) -> Any:
    """Lists become tuples, which cannot be changed."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(inner) for inner in value)
    return value


def _place_of(message: Any, whole: Any) -> Path | None:
    """Return the place in the data that a message belongs to, or nothing if another message says it better.

    A message's location also names the alternatives that were tried, which are no places.
    """
    path: list[str | int] = []
    value = whole
    location = message["loc"]
    passed: list[str | int] | None = None
    for place, part in enumerate(location):
        schema = schema_at(tuple(path), whole) or {}
        options = [option for option in schema.get("options", []) if option.get("type") != "null"]
        if len(options) > 1 and "kinds" not in schema and passed != path:  # the part names an alternative
            if isinstance(value, dict) and schema.get("chosen"):
                if schema["chosen"] != part:
                    return None
                passed = list(path)
                continue
            return tuple(path)
        if place and part == "[key]":
            break
        if (
            "kinds" in schema
            and isinstance(value, dict)
            and value.get("kind") == part
            and location[place - 1] == path[-1]
        ):
            continue
        within = inside(value, part)
        if within is not MISSING:
            value = within
        elif message["type"] != "missing" or place < len(location) - 1:
            break
        path.append(part)
    return tuple(path)


def _fault(path: Path, found: Any, whole: Any, document: Document) -> Fault:
    """Put one of pydantic's messages into our words."""
    kind = found["type"]
    text = text_of(path)
    if kind == "extra_forbidden":
        return document.fault(path, _unknown_key(path, whole))
    if kind == "value_error":
        reason = str(found["ctx"]["error"])
        return document.fault(path, f"{text}: {reason}" if path else reason)
    if kind == "union_tag_not_found" and isinstance(_at(whole, path), dict):
        path, kind = (*path, "kind"), "missing"
    if kind == "union_tag_invalid":
        path = (*path, "kind")
    schema = schema_at(path, whole) or {}
    allowed = in_words(schema)
    if kind == "missing":
        return document.fault(path, f"{text_of(path)} is missing; allowed: {allowed}")
    if found["loc"][-1] == "[key]":
        words = allowed_words((schema_at(path[:-1], whole) or {}).get("propertyNames", {}))
        allowed = ", ".join(words) or "up to 40 letters, digits and _, first a letter"
        guess = nearest(str(path[-1]), words)
        what = "one of its keys" if words else "a name"
        return document.fault(
            path, f"{text_of(path[:-1])}: {shown(path[-1])} is not {what}; allowed: {allowed}{guess}"
        )
    value = _at(whole, path)
    guess = nearest(value, allowed_words(schema)) if isinstance(value, str) else ""
    return document.fault(path, f"{text_of(path)} is {_found(value)}; allowed: {allowed}{guess}")


def _found(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if value == {}:
        return "an empty mapping"
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, list(value)[:5]))}"
    return shown(value)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _unknown_key(path: Path, whole: Any) -> str:
    outer = path[:-1]
    if len(outer) == 2 and outer[0] == "activities":
        keys: tuple[str, ...] = own_activity_fields()
    else:
        keys = tuple((schema_at(outer, whole) or {}).get("properties", {}))
    where = f"{text_of(outer)}: " if outer else ""
    guess = nearest(str(path[-1]), keys)
    return f"{where}unknown key {shown(path[-1])}; allowed: {', '.join(keys)}{guess}"
