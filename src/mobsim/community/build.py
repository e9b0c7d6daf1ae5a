"""Build a community: people first, then ties, then the state in which everybody starts."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

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
from mobsim.community.residents import draw_groups, draw_leaders, draw_leanings, group_sizes, influence_of
from mobsim.community.start import draw_start
from mobsim.community.ties import draw_ties, with_leaders


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
    n = spec.residents
    network = spec.network
    groups = tuple(spec.groups.values())
    sizes = group_sizes(spec.groups, n)
    leaders = draw_leaders(spec.leaders.share, n, seed=seed, number=number)
    neighbourhood = np.zeros(n, np.int32)
    if isinstance(network, Households):
        check_households(network, n)
        homes = draw_homes(network, sizes, seed=seed, number=number)
        neighbourhood = homes.village
        group = mix_groups(homes, network, number_of_ties(network, n), seed=seed, number=number)
        ties = household_ties(
            network, homes, group, leaders, spec.leaders.tie_factor, seed=seed, number=number
        )
    else:
        group = draw_groups(sizes, seed=seed, number=number)
        ties = draw_ties(network, group, seed=seed, number=number)
        if not isinstance(network, Complete | WellMixed | EdgeList | FromFiles):
            ties = with_leaders(ties, leaders, spec.leaders.tie_factor, seed=seed, number=number)
    leaning = draw_leanings(spec.leaders, leaders, seed=seed, number=number)
    start = draw_start(
        spec.initial, behaviour, groups, group, leaders, leaning, participants=None, seed=seed, number=number
    )
    member_of = draw_members(spec.organizations, spec.membership, n, seed=seed, number=number)
    community = Community(
        number=number,
        seed=seed,
        group_names=tuple(spec.groups),
        marginalized=np.array([g.marginalized for g in groups], np.bool_),
        group=group,
        neighbourhood=neighbourhood,
        row_start=ties.row_start,
        neighbours=ties.neighbours,
        tie_weight=ties.tie_weight,
        transmission=ties.transmission,
        influence=influence_of(leaders, spec.leaders.influence),
        is_leader=leaders,
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
    )
    return _sealed(community)


def _sealed(community: Community) -> Community:
    """Make every array read-only."""
    for field in fields(community):
        value = getattr(community, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return community
