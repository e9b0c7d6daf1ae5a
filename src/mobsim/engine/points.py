"""Points in the space of a scenario's parameters: the scenario with some values of its behaviour changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from mobsim.community.behaviour import BehaviourSpec
from mobsim.errors import UsageError, nearest
from mobsim.scenario.scenario import Scenario

SECTION = "behaviour."
DRAWN_WITH = ("thresholds", "capability_sd", "trust_sd")
"""Values of behaviour that decide what people are drawn with; all others leave a community as it is."""


def at_points(scenario: Scenario, points: Sequence[Mapping[str, Any]] | None) -> tuple[Scenario, ...]:
    """Return the scenario at every point.

    Parameters
    ----------
    scenario : the resolved scenario.
    points : for each point the values that differ, by name such as `behaviour.noise`; None: only the
        scenario itself.

    Raises
    ------
    UsageError
        if there is no point, or a point names what it cannot change or gives a value that is not allowed.
    """
    if points is None:
        return (scenario,)
    if not points:
        raise UsageError("points: found an empty list; allowed is at least one point, or none at all")
    as_it_is = scenario.behaviour.model_dump()
    return tuple(_at(scenario, as_it_is, number, point) for number, point in enumerate(points))


def _at(scenario: Scenario, as_it_is: dict[str, Any], number: int, point: Mapping[str, Any]) -> Scenario:
    allowed = {f"{SECTION}{name}" for name in BehaviourSpec.model_fields}
    for name in point:
        if name not in allowed:
            raise UsageError(
                f"points: point {number} changes {name!r}; allowed are the values of behaviour, such as "
                f"behaviour.social_weight{nearest(str(name), sorted(allowed))}"
            )
    changed = {name.removeprefix(SECTION): value for name, value in point.items()}
    try:
        behaviour = BehaviourSpec.model_validate(as_it_is | changed)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"points: point {number}, {SECTION}{where}: found {first['input']!r}; {first['msg']}"
        ) from error
    world = scenario.model_copy(update={"behaviour": behaviour})
    world._folder = scenario.folder
    return world


def shared_world(worlds: Sequence[Scenario]) -> tuple[int, ...]:
    """Return for each point the first point that has the same communities.

    Parameters
    ----------
    worlds : the scenario at every point.
    """
    first: dict[tuple[Any, ...], int] = {}
    return tuple(
        first.setdefault(tuple(getattr(world.behaviour, name) for name in DRAWN_WITH), point)
        for point, world in enumerate(worlds)
    )
