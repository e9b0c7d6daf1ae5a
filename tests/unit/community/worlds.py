"""Small worlds that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mobsim.community.behaviour import BehaviourSpec
from mobsim.community.build import build_community
from mobsim.community.community import Community, CommunitySpec
from mobsim.community.network import (
    Complete,
    EdgeList,
    ErdosRenyi,
    Households,
    Lattice,
    NetworkSpec,
    RandomRegular,
    Ring,
    ScaleFree,
    SmallWorld,
    StochasticBlock,
    WellMixed,
)
from mobsim.community.organizations import default_organizations
from mobsim.community.population import MARGINALIZED_DEFAULTS, GroupSpec, LeadersSpec

GROUPS = {
    "majority": GroupSpec(share=0.8),
    "minority": GroupSpec.model_validate({"share": 0.2, **MARGINALIZED_DEFAULTS}),
}
NOBODY_LEADS = LeadersSpec(share=0.0)

KINDS: dict[str, NetworkSpec] = {
    "households": Households(),
    "villages": Households(villages=4),
    "ring": Ring(kind="ring", degree=6),
    "moore": Lattice(kind="lattice", radius=2),
    "von_neumann": Lattice(kind="lattice", radius=2, neighbourhood="von_neumann", width=20),
    "small_world": SmallWorld(kind="small_world", degree=6, rewired=0.3),
    "random_regular": RandomRegular(kind="random_regular", degree=7),
    "erdos_renyi": ErdosRenyi(kind="erdos_renyi", degree=8.0),
    "scale_free": ScaleFree(kind="scale_free", ties_each=3),
    "stochastic_block": StochasticBlock(kind="stochastic_block", degree=8.0),
    "complete": Complete(kind="complete"),
    "well_mixed": WellMixed(kind="well_mixed"),
    "ties": EdgeList(kind="ties", ties=((0, 1), (399, 2), (2, 0))),
}


def world(network: NetworkSpec, residents: int = 400, **more: object) -> CommunitySpec:
    """Declare a world with two groups and the default organizations."""
    given = {"organizations": default_organizations(), "groups": GROUPS, **more}
    return CommunitySpec(residents=residents, network=network, **given)


def build(
    network: NetworkSpec,
    residents: int = 400,
    *,
    number: int = 0,
    seed: int = 1,
    folder: Path | None = None,
    behaviour: BehaviourSpec | None = None,
    **more: object,
) -> Community:
    """Build one community of such a world."""
    spec = world(network, residents, **more)
    return build_community(spec, behaviour or BehaviourSpec(), seed=seed, number=number, folder=folder)


def rows_of(community: Community) -> np.ndarray:
    """Return the row of each tie end."""
    return np.repeat(np.arange(community.n_residents), community.degree)


def assert_proper(community: Community, *, symmetric: bool = True) -> None:
    """Rows ascend without repetition, nobody is tied to himself, undirected ties stand in both rows."""
    n = community.n_residents
    rows, neighbours = rows_of(community), community.neighbours.astype(np.int64)
    keys = rows * n + neighbours
    assert community.row_start[0] == 0
    assert community.row_start[-1] == neighbours.size
    assert (np.diff(keys) > 0).all()
    assert (rows != neighbours).all()
    assert neighbours.size == 0 or neighbours.max() < n
    if symmetric:
        assert np.array_equal(np.sort(neighbours * n + rows), keys)
