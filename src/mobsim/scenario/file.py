"""Loading a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path as FilePath
from typing import Any

from mobsim.errors import ScenarioError
from mobsim.scenario.catalogue import find_scenario
from mobsim.scenario.document import Document, read_document
from mobsim.scenario.resolve import resolve_document
from mobsim.scenario.scenario import Scenario


def load_scenario(path: str | FilePath, *, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Read, check and resolve a scenario file.

    Parameters
    ----------
    path : the file, or the name of a scenario that comes with mobsim.
    overrides : other values for places of the file, such as ``{"community.residents": 500}``, without tags.

    Raises
    ------
    ScenarioError
        with one sentence: where, what was found, what is allowed.

    Examples
    --------
    >>> load_scenario("vaccination_district").community.residents
    4000
    """
    scenario, document = read_scenario(path)
    if not overrides:
        return scenario
    document.data = deepcopy(document.data)
    for place, value in overrides.items():
        _set(document.data, place, value)
    changed = resolve_document(document, scenario.name)
    return changed.model_copy(update={"tags": scenario.tags})


def read_scenario(path: str | FilePath) -> tuple[Scenario, Document]:
    """Return a scenario and the document it was written in, which knows the lines.

    Parameters
    ----------
    path : the file, or the name of a scenario that comes with mobsim.
    """
    found = find_scenario(path)
    document = read_document(found)
    return resolve_document(document, found.stem, tagged=True), document


def _set(data: dict[str, Any], place: str, value: Any) -> None:
    """Set one value of the person's form."""
    parts: list[str | int] = []
    for word in place.replace("[", ".").replace("]", "").split("."):
        parts.append(int(word) if word.isdigit() else word)
    inner: Any = data
    try:
        for part in parts[:-1]:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else inner[part]
        inner[parts[-1]] = value
    except (AttributeError, IndexError, KeyError, TypeError):
        raise ScenarioError(f"overrides: {place} is not a place in the scenario") from None
