"""Build a community: people first, then ties, then the state in which everybody starts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mobsim.community.behaviour import BehaviourSpec
from mobsim.community.community import Community, CommunitySpec
from mobsim.community.households import (
    check_households,
    draw_homes,
    household_ties,
    mix_groups,
    number_of_ties,
)
from mobsim.community.members import credibility_by_group, draw_members, find_lead, largest_cbo
from mobsim.community.network import Complete, EdgeList, FromFiles, Households, WellMixed
from mobsim.community.people_file import People, read_people, read_ties
from mobsim.community.residents import draw_groups, draw_leaders, draw_leanings, group_sizes, influence_of
from mobsim.community.start import choose_participants, draw_start
from mobsim.community.ties import Ties, draw_ties, with_leaders
from mobsim.errors import ScenarioError


def build_community(
    spec: CommunitySpec, behaviour: BehaviourSpec, *, seed: int, number: int, folder: Path | None = None
) -> Community:
    """Draw one community: the same bits for the same arguments, everywhere.

    Parameters
    ----------
    spec : the world.
    behaviour : thresholds and the spread of capability and trust.
    seed : seed of the scenario.
    number : which community of the scenario.
    folder : where the files of `kind: files` are; None: the current folder.

    Returns
    -------
    Community
        All arrays read-only.

    Raises
    ------
    ScenarioError
        If the network does not fit the residents, or a file cannot be used.

    Examples
    --------
    >>> from mobsim.community.network import Ring
    >>> from mobsim.community.population import GroupSpec
    >>> spec = CommunitySpec(
    ...     residents=8, groups={"all": GroupSpec(share=1.0)}, network=Ring(kind="ring"), organizations=()
    ... )
    >>> community = build_community(spec, BehaviourSpec(), seed=1, number=0)
    >>> community.neighbours[:4]
    array([1, 2, 6, 7], dtype=uint32)
    """
    network = spec.network
    groups = tuple(spec.groups.values())
    people = _people(spec, folder)
    world = _world(spec, people, folder, seed=seed, number=number)
    leaning = people.leaning if people is not None else None
    if leaning is None:
        leaning = draw_leanings(spec.leaders, world.leaders, seed=seed, number=number)
    start = draw_start(
        spec.initial,
        behaviour,
        groups,
        world.group,
        world.leaders,
        leaning,
        people,
        seed=seed,
        number=number,
    )
    n = spec.residents
    member_of = draw_members(spec.organizations, spec.membership, n, seed=seed, number=number)
    community = Community(
        number=number,
        seed=seed,
        group_names=tuple(spec.groups),
        marginalized=np.array([g.marginalized for g in groups], np.bool_),
        group=world.group,
        neighbourhood=world.neighbourhood,
        row_start=world.ties.row_start,
        neighbours=world.ties.neighbours,
        tie_weight=world.ties.tie_weight,
        transmission=world.ties.transmission,
        influence=influence_of(world.leaders, spec.leaders.influence),
        is_leader=world.leaders,
        leaning=leaning,
        member_of=member_of,
        threshold=start.threshold,
        capability=start.capability,
        trust=start.trust,
        least_count=start.least_count,
        aware=start.aware,
        participating=start.participating,
        well_mixed=isinstance(network, WellMixed),
        organization_names=tuple(o.name for o in spec.organizations),
        credibility=credibility_by_group(spec.organizations, len(groups)),
        capacity=np.array([o.capacity for o in spec.organizations], np.float64),
        org_influence=np.array([o.influence for o in spec.organizations], np.float64),
        interest=np.array([o.interest for o in spec.organizations], np.float64),
        lead=find_lead(spec.organizations),
        largest_cbo=largest_cbo(spec.organizations, member_of),
        resident_ids=() if people is None else people.ids,
        listed_threshold=np.empty(0) if people is None or people.threshold is None else people.threshold,
    )
    listed = people is not None and people.participating is not None
    return _sealed(community if listed else choose_participants(community, spec.initial))


@dataclass(frozen=True, eq=False)
class _World:
    """People and ties, before anybody has a state."""

    group: npt.NDArray[np.uint8]
    neighbourhood: npt.NDArray[np.int32]
    leaders: npt.NDArray[np.bool_]
    ties: Ties


def _people(spec: CommunitySpec, folder: Path | None) -> People | None:
    """Read the people file of a network of kind files; None for other kinds."""
    if not isinstance(spec.network, FromFiles):
        return None
    people = read_people(spec.network, tuple(spec.groups), folder)
    if len(people.ids) != spec.residents:
        raise ScenarioError(
            f"community.residents: {spec.residents} residents, but {spec.network.people} lists "
            f"{len(people.ids)} people; write `residents: {len(people.ids)}`"
        )
    return people


def _world(
    spec: CommunitySpec, people: People | None, folder: Path | None, *, seed: int, number: int
) -> _World:
    """Draw groups, places, leaders and ties, or take them from files."""
    n = spec.residents
    network = spec.network
    factor = spec.leaders.tie_factor
    sizes = group_sizes(spec.groups, n)
    leaders = draw_leaders(spec.leaders.share, n, seed=seed, number=number)
    if isinstance(network, Households):
        check_households(network, n)
        homes = draw_homes(network, sizes, seed=seed, number=number)
        group = mix_groups(homes, network, number_of_ties(network, n), seed=seed, number=number)
        ties = household_ties(network, homes, group, leaders, factor, seed=seed, number=number)
        return _World(group, homes.village, leaders, ties)
    group = draw_groups(sizes, seed=seed, number=number)
    neighbourhood = np.zeros(n, np.int32)
    if isinstance(network, FromFiles):
        assert people is not None
        return _World(
            group if people.group is None else people.group,
            neighbourhood if people.neighbourhood is None else people.neighbourhood,
            leaders if people.leader is None else people.leader,
            read_ties(network, people.ids, folder),
        )
    ties = draw_ties(network, group, seed=seed, number=number)
    if not isinstance(network, Complete | WellMixed | EdgeList):
        ties = with_leaders(ties, leaders, factor, seed=seed, number=number)
    return _World(group, neighbourhood, leaders, ties)


def _sealed(community: Community) -> Community:
    """Make every array read-only."""
    for field in fields(community):
        value = getattr(community, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return community
