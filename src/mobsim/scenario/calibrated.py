"""The calibration that a scenario names: its values are written into it, and what they are worth is kept.

`mobsim calibrate` writes the file; `calibration: FILE` in a scenario names it. The resolved form holds the
values in their places, and under `calibration` what the values were fitted to and how well they did on what
was held out, so that a report can say it without the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from mobsim.errors import ScenarioError
from mobsim.scenario.document import Document, read_document
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import MISSING, InvalidScenario, Path, inside, shown, text_of
from mobsim.scenario.scenario import CalibratedBy, Scenario

KEY = "calibration"
FILE_VERSION = 1
FILE_KIND = "calibration of a mobsim scenario"

WORLD = ("unit", "preset", "community", "behaviour")
"""Sections of a scenario that a calibration was made for; arms, money and texts may differ."""

COMPLETED_BY_KEY = ("community", "behaviour", "campaign", "activities")
"""Sections in which what a person leaves out is completed key by key."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a calibration file with its own sha256 at the end, by which changes are seen.

    Parameters
    ----------
    content : plain data.
    """
    whole = {key: value for key, value in content.items() if key != "sha256"}
    return {**whole, "sha256": _digest(whole)}


def world_digest(scenario: Scenario, places: Mapping[str, Any]) -> str:
    """Return the sha256 of the world and behaviour of a scenario, whatever stands at some places.

    Parameters
    ----------
    scenario : the resolved scenario.
    places : places that a calibration sets.
    """
    whole = plain(scenario)
    world = {section: whole[section] for section in WORLD}
    for place in places:
        path = _path_of(place)
        outer = _at(world, path[:-1])
        if inside(outer, path[-1]) is not MISSING:
            outer[path[-1]] = None
    return _digest(world)


def doubts(scenario: Scenario) -> tuple[str, ...]:
    """Return why the calibration that a scenario names does not hold for it; empty if it does, or names none.

    Parameters
    ----------
    scenario : the resolved scenario.

    Returns
    -------
    tuple of str
        ends of sentences that start with the calibration.
    """
    named = scenario.calibration
    if named is None:
        return ()
    found = []
    whole = plain(scenario)
    other = [place for place, value in named.values.items() if _at(whole, _path_of(place)) != _listed(value)]
    if other:
        found.append(f"{other[0]} has another value here than it was given there")
    elif world_digest(scenario, named.values) != named.made_for:
        found.append("was made for another world: community or behaviour differ here")
    if not named.out_of_sample:
        found.append("held nothing out, so that nothing is known of how well it forecasts")
    elif not named.better:
        found.append(f"is not better than simple forecasts: {named.out_of_sample}")
    return tuple(found)


def apply_calibration(document: Document, name: str) -> dict[str, str]:
    """Write the values of the calibration that a document names into it.

    Parameters
    ----------
    document : the scenario file; it is changed if it names a calibration file, else it stays as it is.
    name : the scenario's name if the file gives none.

    Returns
    -------
    dict
        provenance tag of each value, by place.

    Raises
    ------
    ScenarioError
        if the file cannot be used, or the scenario itself says otherwise.
    """
    file = document.data.get(KEY)
    if not isinstance(file, str):
        return {}
    named = _read(document, file)
    without = {key: value for key, value in document.data.items() if key != KEY}
    resolved = plain(_resolved(replace(document, data=without), name))
    line = document.line((KEY,))
    data: Any = without
    for place, value in named.values.items():
        path = _path_of(place)
        _check_conflict(document, path, place, value, file)
        data = _set(data, path, value, resolved)
        document.lines.setdefault(path, line)
    document.data = {**data, KEY: named.model_dump(mode="json")}
    return dict.fromkeys(named.values, f"[C] {named.name}, {file}")


def _resolved(document: Document, name: str) -> Scenario:
    from mobsim.scenario.resolve import resolve_document

    return resolve_document(document, name)


def _read(document: Document, file: str) -> CalibratedBy:
    """Read a calibration file that a scenario names."""
    try:
        content = read_document((document.folder or FilePath()) / file).data
    except ScenarioError as error:
        raise _refused(document, f"calibration is {shown(file)}: {error}") from None
    if content.get("kind") != FILE_KIND or content.get("schema_version") != FILE_VERSION:
        raise _refused(
            document,
            f"calibration is {shown(file)}, which is not a calibration file; allowed: one that mobsim "
            f"calibrate wrote",
        )
    if sealed(content) != content:
        raise _refused(
            document,
            f"calibration is {shown(file)}, which was changed after mobsim calibrate wrote it; allowed: "
            f"the file as "
            "it was written; other values belong into the scenario itself",
        )
    return CalibratedBy(
        file=file,
        sha256=content["sha256"],
        name=content["name"],
        made_for=content["made_for"]["world_sha256"],
        values={place: found["value"] for found in content["fitted"] for place in found["places"]},
        fitted_to=content["fitted_to"],
        out_of_sample=content["out_of_sample"]["in_words"],
        better=content["out_of_sample"]["better_than_simple_forecasts"],
        warnings=tuple(content["identification"]["warnings"]),
    )


def _refused(document: Document, sentence: str, path: Path = (KEY,)) -> InvalidScenario:
    return InvalidScenario(document.file, [document.fault(path, sentence)])


def _check_conflict(document: Document, path: Path, place: str, value: Any, file: str) -> None:
    """Refuse a scenario that says itself what the calibration says otherwise."""
    found: Any = document.data
    for length, part in enumerate(path, 1):
        found = inside(found, part)
        if found is MISSING:
            return
        last = length == len(path)
        if (last and found != _listed(value)) or (not last and not isinstance(found, dict | list)):
            where = text_of(path[:length])
            told = shown(value) if last else f"{place}: {shown(value)}"
            raise _refused(
                document,
                f"{where} is {shown(found)}, but the calibration {shown(file)} says {told}; allowed: to "
                f"leave it out "
                "here, or the same",
                path[:length],
            )


def _set(data: Any, path: Path, value: Any, resolved: Any, *, top: bool = True) -> Any:
    """Return a copy of plain data with a value at a place; blocks left out come from the resolved form.

    Some sections are completed key by key anyway.
    """
    part, rest = path[0], path[1:]
    copy: Any = list(data) if isinstance(data, list) else dict(data)
    if not rest:
        copy[part] = deepcopy(_listed(value))
        return copy
    own, known = inside(copy, part), inside(resolved, part)
    if own is MISSING:
        by_key = top and part in COMPLETED_BY_KEY
        own = {} if by_key or not isinstance(known, dict | list) else deepcopy(known)
    copy[part] = _set(own, rest, value, known, top=False)
    return copy


def _listed(value: Any) -> Any:
    """Return a value as plain data hold it: with lists."""
    if isinstance(value, list | tuple):
        return [_listed(inner) for inner in value]
    if isinstance(value, Mapping):
        return {key: _listed(inner) for key, inner in value.items()}
    return value


def _path_of(place: str) -> Path:
    words = place.replace("[", ".").replace("]", "").split(".")
    return tuple(int(word) if word.isdigit() else word for word in words)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = inside(value, part)
    return value


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
