"""Simulate several worlds, such as the points of a sweep, on communities that they share where they can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mobsim.community.community import Community
from mobsim.engine.points import DRAWN_WITH, SECTION
from mobsim.engine.records import Records
from mobsim.engine.run import build, simulate
from mobsim.scenario.scenario import Scenario

Built = tuple[tuple[Community, ...], ...]
"""For each world its communities; worlds that share a community hold the same object."""


def build_each(worlds: Sequence[Scenario], communities: Sequence[int]) -> Built:
    """Build the communities of several worlds, each different one once.

    Parameters
    ----------
    worlds : resolved scenarios.
    communities : numbers of the communities.

    Raises
    ------
    ScenarioError : if a community cannot be built.
    """
    homes = same_communities(worlds)
    of_home = {
        home: tuple(build(worlds[home], number) for number in communities) for home in dict.fromkeys(homes)
    }
    return tuple(of_home[home] for home in homes)


def same_communities(worlds: Sequence[Scenario]) -> tuple[int, ...]:
    """Return for each world the first world that has the same communities.

    Parameters
    ----------
    worlds : resolved scenarios.
    """
    return _first_alike([_of_community(world) for world in worlds])


def simulate_each(
    worlds: Sequence[Scenario], *, arms: Sequence[str], communities: Built, luck: Sequence[int]
) -> tuple[tuple[tuple[int, ...], Records], ...]:
    """Run all arms and luck of several worlds on communities that were built, in this thread.

    Parameters
    ----------
    worlds : resolved scenarios.
    arms : names of arms, which every world has.
    communities : those of each world, from `build_each`.
    luck : numbers of the streams of luck.

    Returns
    -------
    tuple
        of (numbers of worlds, their records). Worlds that differ in behaviour only and share their
        communities are the points of one `Records`, in this order; the others have one each.

    Raises
    ------
    UsageError : if an arm does not exist.
    """
    homes = _first_alike(
        [(_of_community(world), world.model_dump_json(exclude={"behaviour"})) for world in worlds]
    )
    alike: dict[int, list[int]] = {}
    for number, home in enumerate(homes):
        alike.setdefault(home, []).append(number)
    return tuple(
        (
            tuple(members),
            simulate(
                worlds[home],
                arms=arms,
                communities=communities[home],
                luck=luck,
                points=[_changes(worlds[home], worlds[k]) for k in members] if len(members) > 1 else None,
                threads=1,
            ),
        )
        for home, members in alike.items()
    )


def _changes(base: Scenario, world: Scenario) -> Mapping[str, Any]:
    """Return the values of behaviour in which a world differs from another."""
    before, after = base.behaviour.model_dump(), world.behaviour.model_dump()
    return {f"{SECTION}{name}": value for name, value in after.items() if value != before[name]}


def _of_community(world: Scenario) -> tuple[object, ...]:
    """Return all that decides what a world's communities are, as it can be looked up."""
    drawn = world.behaviour.model_dump_json(include=set(DRAWN_WITH))
    return world.seed, world.folder, world.community.model_dump_json(), drawn


def _first_alike(keys: Sequence[object]) -> tuple[int, ...]:
    """Return for each key the number of the first that is equal to it."""
    first: dict[object, int] = {}
    return tuple(first.setdefault(key, number) for number, key in enumerate(keys))
