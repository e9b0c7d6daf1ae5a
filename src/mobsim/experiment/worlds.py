"""The scenario at a point: other values at some places of a scenario file, resolved again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from mobsim.community.behaviour import BehaviourSpec
from mobsim.errors import ScenarioError
from mobsim.experiment.factors import as_in_a_file, parts_of
from mobsim.scenario.crosscheck import behaviour_fits
from mobsim.scenario.document import Document
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import MISSING, Path, inside
from mobsim.scenario.migrate import MIGRATIONS
from mobsim.scenario.resolve import resolve_document
from mobsim.scenario.scenario import Scenario

BEHAVIOUR = "behaviour"


@dataclass(frozen=True, eq=False)
class Worlds:
    """Makes the scenario at any point; it can be pickled, so that workers make the same.

    Attributes
    ----------
    document : the scenario file, with what all points share.
    name : the scenario's name if the file gives none.
    tags : provenance tags of the file.
    """

    document: Document
    name: str
    tags: Mapping[str, str]

    @cached_property
    def base(self) -> Scenario:
        """The resolved scenario without other values."""
        return self._resolved(self.document)

    def at(self, overrides: Mapping[str, Any]) -> Scenario:
        """Return the resolved scenario with other values at some places.

        Parameters
        ----------
        overrides : place -> value. Of places that hold each other the outer one is set first.

        Raises
        ------
        ScenarioError : if the values do not fit together.
        """
        if not overrides:
            return self.base
        changes = {parts_of(place): value for place, value in overrides.items()}
        if all(path[0] == BEHAVIOUR and len(path) > 1 for path in changes):
            quick = self._with_behaviour(changes)
            if quick is not None:
                return quick
        return self._resolved(self.with_values(changes))

    def with_values(self, changes: Mapping[Path, Any]) -> Document:
        """Return the document with other values at some places.

        Parameters
        ----------
        changes : path -> value. A block that the file leaves out, or writes in short, is completed from the
            resolved form, so that what stands beside the value stays as it was.
        """
        data = self.document.data
        for path in sorted(changes, key=len):
            data = _set(data, path, changes[path], self._plain_base)
        return replace(self.document, data=data)

    def shared(self, overrides: Mapping[str, Any]) -> Worlds:
        """Return worlds whose every point has other values at some places.

        Parameters
        ----------
        overrides : place -> value.
        """
        return replace(self, document=self.with_values({parts_of(p): v for p, v in overrides.items()}))

    def with_arms(self, arms: Sequence[str]) -> Worlds:
        """Return worlds with these arms alone, in this order, and without the facts that others should show.

        Parameters
        ----------
        arms : names of arms that the scenario has.
        """
        if tuple(arms) == tuple(self.base.arms):
            return self
        data = dict(self.document.data)
        given = data.get("arms", self._plain_base["arms"])
        data["arms"] = {name: given[name] for name in arms if name in given}
        if isinstance(data.get("check"), list):
            named = ({check["arm"], check.get("against") or check["arm"]} for check in data["check"])
            data["check"] = [
                check for check, names in zip(data["check"], named, strict=True) if names <= set(arms)
            ]
        gone = tuple(f"arms.{name}." for name in self.base.arms if name not in arms)
        tags = {place: tag for place, tag in self.tags.items() if not place.startswith(gone or "\0")}
        return replace(self, document=replace(self.document, data=data), tags=tags)

    @cached_property
    def _plain_base(self) -> dict[str, Any]:
        return plain(self.base)

    def _resolved(self, document: Document) -> Scenario:
        scenario = resolve_document(document, self.name).model_copy(update={"tags": dict(self.tags)})
        scenario._folder = document.folder
        return scenario

    def _with_behaviour(self, changes: Mapping[Path, Any]) -> Scenario | None:
        """Change nothing but values of behaviour, without resolving all the rest; None if that needs more."""
        data: Any = {BEHAVIOUR: self._plain_base[BEHAVIOUR]}
        try:
            for path in sorted(changes, key=len):
                data = _set(data, path, changes[path], self._plain_base)
            behaviour = BehaviourSpec.model_validate(_tuples(data[BEHAVIOUR]), strict=True)
        except (ScenarioError, ValidationError):
            return None  # resolving the whole says what is wrong
        world = self.base.model_copy(update={BEHAVIOUR: behaviour})
        world._folder = self.base.folder
        return world if behaviour_fits(world) else None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be worked out again."""
        return {name: self.__dict__[name] for name in ("document", "name", "tags")}


def worlds_of(document: Document, scenario: Scenario) -> Worlds:
    """Return the worlds of a scenario file that was read.

    Parameters
    ----------
    document : the file.
    scenario : its resolved form.
    """
    data = document.data
    while data["schema_version"] in MIGRATIONS:
        data = MIGRATIONS[data["schema_version"]](data)
    # Without file and lines, so that what a point is refused for reads alike wherever the file lies.
    return Worlds(Document(data, folder=document.folder), scenario.name, scenario.tags)


def _set(data: Any, path: Path, value: Any, resolved: Any) -> Any:
    """Return a copy of plain data with a value at a place; what is not on the way is not copied."""
    part, rest = path[0], path[1:]
    if isinstance(data, list) and isinstance(part, int):
        if not 0 <= part < len(data):
            raise _no_place(path)
        copy: Any = list(data)
    elif isinstance(data, dict) and isinstance(part, str):
        copy = dict(data)
    else:
        raise _no_place(path)
    if not rest:
        copy[part] = as_in_a_file(value)
        return copy
    inner, known = inside(data, part), inside(resolved, part)
    if not isinstance(inner, dict | list):
        inner = known if isinstance(known, dict | list) and not _filled_by_key(path, inner) else {}
    copy[part] = _set(inner, rest, value, known)
    return copy


def _filled_by_key(path: Path, inner: Any) -> bool:
    """Say whether a section that a file leaves out takes its defaults key by key, some from other keys."""
    return inner is MISSING and path[0] == "campaign" and len(path) == 2


def _no_place(path: Path) -> ScenarioError:
    return ScenarioError(f"{path[0]} is not a place in the scenario")


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(inner) for inner in value)
    return value
