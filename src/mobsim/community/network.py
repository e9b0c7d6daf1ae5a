"""Contact networks: which kinds there are and how each is declared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mobsim.community.behaviour import Share
from mobsim.spec import Spec, declared


class Households(Spec):
    """Household cliques and sociable people: the default network of a village or district."""

    kind: Literal["households"] = "households"
    degree: float = declared(
        10.0, "mean number of ties", source="[V] 7-16", symbol="k̄", usual=(4, 16), gt=0, le=500
    )
    household_size: float = declared(4.7, "mean household size", source="[V]", gt=1, le=50)
    sociability_sd: float = declared(0.8, "standard deviation of log sociability", source="[P]", ge=0, le=3)
    near_share: Share = declared(0.90, "share of other ties within the near distance", source="[P]")
    near_places: int = declared(12, "how many places count as near", source="[P]", ge=1, le=100_000)
    homophily: Share = declared(
        0.80,
        "wanted share of same-group ties; reported as achieved",
        source="[V] .79-.83",
        usual=(0.65, 0.95),
    )
    villages: int = declared(1, "separate neighbourhoods of equal size", source="[A]", ge=1, le=100_000)


class Ring(Spec):
    """Residents on a ring, tied to the nearest on both sides."""

    kind: Literal["ring"]
    degree: int = declared(
        4, "ties of each resident, an even number", source="[A]", ge=2, le=10_000, multiple_of=2
    )


class Lattice(Spec):
    """A torus with Moore or von Neumann neighbourhoods; residents must be a product of width and height."""

    kind: Literal["lattice"]
    width: int | None = declared(None, "residents in a row; none: as square as possible", source="[A]", ge=3)
    radius: int = declared(1, "reach of the neighbourhood", source="[A]", ge=1, le=50)
    neighbourhood: Literal["moore", "von_neumann"] = Field("moore", description="shape of the neighbourhood")


class SmallWorld(Spec):
    """Watts-Strogatz: a ring whose ties are rewired with a probability."""

    kind: Literal["small_world"]
    degree: int = declared(
        10, "ties of each resident on the ring, an even number", source="[A]", ge=2, le=10_000, multiple_of=2
    )
    rewired: Share = declared(0.1, "share of rewired ties", source="[A]")


class RandomRegular(Spec):
    """Everybody has the same number of random ties."""

    kind: Literal["random_regular"]
    degree: int = declared(4, "ties of each resident", source="[A]", ge=0, le=10_000)


class ErdosRenyi(Spec):
    """Every pair is tied with the same chance (Poisson degrees)."""

    kind: Literal["erdos_renyi"]
    degree: float = declared(10.0, "mean number of ties", source="[A]", ge=0, le=10_000)


class ScaleFree(Spec):
    """Preferential attachment: newcomers tie to the well connected (Barabasi & Albert 1999)."""

    kind: Literal["scale_free"]
    ties_each: int = declared(5, "ties a newcomer makes", source="[A]", ge=1, le=1000)


class StochasticBlock(Spec):
    """Groups as blocks: ties are denser within a group than between groups."""

    kind: Literal["stochastic_block"]
    degree: float = declared(10.0, "mean number of ties", source="[A]", gt=0, le=10_000)
    homophily: Share = declared(0.80, "expected share of same-group ties", source="[V] .79-.83")


class Complete(Spec):
    """Everybody is tied to everybody (stored as ties; see well_mixed for large communities)."""

    kind: Literal["complete"]


class WellMixed(Spec):
    """Everybody meets everybody, stored as counts and never as ties."""

    kind: Literal["well_mixed"]


class EdgeList(Spec):
    """Ties written in the scenario: pairs of resident positions, for small examples."""

    kind: Literal["ties"]
    ties: tuple[tuple[int, int], ...] = Field(
        ..., description="pairs [influenced, influencer] (undirected unless directed)"
    )
    weights: tuple[float, ...] | None = declared(None, "weight of each tie", source="scenario")
    transmission: tuple[float, ...] | None = declared(
        None, "weekly chance that this tie tells", source="scenario"
    )
    directed: bool = Field(False, description="each pair is one direction: the second influences the first")


class FromFiles(Spec):
    """People and ties from CSV files, read relative to the scenario file."""

    kind: Literal["files"]
    people: str = Field(
        ...,
        description="CSV with a column id and optionally group, leader, leaning, threshold, neighbourhood, "
        "participating",
    )
    ties: str = Field(
        ..., description="CSV with columns from, to (to influences from) and optionally weight, transmission"
    )
    directed: bool = Field(False, description="a row is one direction only: from is influenced by to")
    people_sha256: str | None = Field(
        None, description="sha256 of the people file, written when the scenario is resolved"
    )
    ties_sha256: str | None = Field(
        None, description="sha256 of the ties file, written when the scenario is resolved"
    )


NetworkSpec = Annotated[
    Households
    | Ring
    | Lattice
    | SmallWorld
    | RandomRegular
    | ErdosRenyi
    | ScaleFree
    | StochasticBlock
    | Complete
    | WellMixed
    | EdgeList
    | FromFiles,
    Field(discriminator="kind"),
]
