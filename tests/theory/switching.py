"""Settings of a resolved scenario by their paths, such as `arms.mixed.activities[visit].share`, and small
runs with some of them changed.

A path is read in the resolved form, where everything is written in: a place that does not exist is an error,
so a switch cannot miss what it should switch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mobsim.engine.records import Records
from mobsim.engine.run import simulate
from mobsim.scenario.dump import plain
from mobsim.scenario.file import load_scenario
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import NONE

RESIDENTS = 400
"""Enough for every organization, group and leader, and few enough for a run of a twentieth of a second."""


def places(data: Any, path: str) -> list[tuple[Any, Any]]:
    """Return (mapping or list, key) of every place that a path means; `*` stands for every entry.

    Raises
    ------
    LookupError : if there is no such place.
    """
    parts = [part for part in re.split(r"\.|\[|\]", path) if part]
    found = [(data, parts[0])]
    for part in parts[1:]:
        found = [(inner, part) for holder, key in found for inner in _inside(holder, key)]
    kept = [(holder, key) for holder, name in found for key in _keys(holder, name)]
    if not kept:
        raise LookupError(f"{path} is no place of the scenario")
    return kept


def _inside(holder: Any, name: Any) -> Iterator[Any]:
    for key in _keys(holder, name):
        yield holder[key]


def _keys(holder: Any, name: Any) -> list[Any]:
    """Keys of a mapping, or positions of the entries of a list with this name or kind."""
    if isinstance(holder, dict):
        return list(holder) if name == "*" else [name] if name in holder else []
    if isinstance(holder, list):
        return [
            k
            for k, entry in enumerate(holder)
            if name == "*" or (isinstance(entry, dict) and name in (entry.get("name"), entry.get("kind")))
        ]
    return []


@cache
def resolved(scenario: str) -> str:
    """Return the resolved form of a shipped scenario as JSON: text cannot be changed by accident."""
    return json.dumps(plain(load_scenario(scenario)))


def settings(scenario: str, off: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resolved form of a shipped scenario with other values in some places.

    Raises
    ------
    LookupError : if a place does not exist.
    AssertionError : if a place holds that value already.
    """
    data: dict[str, Any] = json.loads(resolved(scenario))
    for path, value in off.items():
        where = places(data, path)
        assert any(holder[key] != value for holder, key in where), f"{path} is {value} already"
        for holder, key in where:
            holder[key] = value
    return data


def small_run(scenario: str, arm: str, off: Mapping[str, Any]) -> Records:
    """Run one arm of a shipped scenario on two small communities, with other values in some places."""
    return _small_run(scenario, arm, json.dumps(off, sort_keys=True))


@cache
def _small_run(scenario: str, arm: str, off: str) -> Records:
    data = settings(scenario, json.loads(off))
    data["community"]["residents"] = min(RESIDENTS, data["community"]["residents"])
    data["arms"] = {name: spec for name, spec in data["arms"].items() if name in (NONE, arm)}
    data["check"] = []  # checks and other arms may need what is switched off
    return simulate(resolve(data), arms=[arm], communities=2, luck=1, threads=1)
