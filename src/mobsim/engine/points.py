"""Points in the space of a scenario's parameters: the scenario with some values of its behaviour changed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from mobsim.community.behaviour import BehaviourSpec
from mobsim.engine.rules import decides_in_whole_numbers
from mobsim.errors import UsageError, nearest
from mobsim.scenario.scenario import Scenario
from mobsim.spec import Spec

SECTION = "behaviour."
DRAWN_WITH = ("thresholds", "capability_sd", "trust_sd")
"""Values of behaviour that decide what people are drawn with; all others leave a community as it is."""
OF_LANES = ("barrier", "background_media", "reached")
"""Values of a group that lanes carry: they leave a community as it is."""
OF_ARMS = {"budget_per_resident", "public_money", "currency"}
"""Values of the campaign that plans hold arm by arm."""
OF_BLOCKS = (
    "engagement_weeks", "exposure_window", "irreversible", "max_wins", "organizer_contacts", "share_exponent",
)  # fmt: skip
"""Values of behaviour that a block has once, not lane by lane."""


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


class Alike:
    """Says what scenarios have in common: which may share communities, and which a block of lanes.

    Parameters
    ----------
    worlds : the scenarios; they are kept, so that what was written down of a part holds.
    """

    def __init__(self, worlds: Sequence[Scenario]) -> None:
        self.worlds = tuple(worlds)
        self._texts: dict[int, str] = {}

    @property
    def homes(self) -> tuple[int, ...]:
        """For each scenario the number of the first that has the same communities."""
        first: dict[Hashable, int] = {}
        return tuple(first.setdefault(self.builds(world), k) for k, world in enumerate(self.worlds))

    def builds(self, world: Scenario) -> Hashable:
        """Return all that decides the communities of a scenario, number by number.

        Parameters
        ----------
        world : one of the scenarios.
        """
        without = {"groups": {"__all__": set(OF_LANES)}}
        drawn_with = tuple(getattr(world.behaviour, name) for name in DRAWN_WITH)
        return world.seed, world.folder, drawn_with, self._text(world.community, without)

    def shares(self, world: Scenario) -> Hashable:
        """Return what must be equal in all lanes of a block; all else may differ from point to point.

        Parameters
        ----------
        world : one of the scenarios.
        """
        b = world.behaviour
        whole = decides_in_whole_numbers(b, world.community)
        return (
            self.builds(world),
            tuple(getattr(b, name) for name in OF_BLOCKS),
            b.organizer_start > 0,
            (b.social_weight, b.visibility) if whole else b.noise > 0,
            self._text(world.campaign, OF_ARMS),
        )

    def weeks(self, world: Scenario) -> Hashable:
        """Return what decides the weeks of a scenario in which nobody campaigns, beside its behaviour.

        Parameters
        ----------
        world : one of the scenarios.
        """
        return self.builds(world), self._text(world.community, None), self._text(world.campaign, OF_ARMS)

    def _text(self, part: Spec, without: Any) -> str:
        """Write a part down, once."""
        key = id(part) if without is not None else -id(part)
        if key not in self._texts:
            self._texts[key] = part.model_dump_json(exclude=without)
        return self._texts[key]
