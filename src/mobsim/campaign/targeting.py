"""Whom an activity is for: rules that rank or restrict residents, declared as data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mobsim.community.cascade import CascadeOptions
from mobsim.spec import declared

RULES = (
    "random",
    "degree",
    "bridging",
    "distance",
    "single_discount",
    "degree_discount",
    "influence",
    "clustered",
    "leaders",
    "nominated",
    "affected",
    "non_participants",
    "cycle",
)
"""The rules that ship; `register_targeting` and the entry points `mobsim.targeting` add others."""


MAPPED = ("degree", "bridging", "distance", "single_discount", "degree_discount", "influence")
"""Rules that look at who is tied to whom, so that the arm pays for a map of the network."""


class TargetSpec(CascadeOptions):
    """A targeting rule with its options; a bare word such as `nominated` stands for the rule alone.

    random : everybody, in random order, without replacement within the week.
    degree : the `fraction` of residents with most ties, in random order.
    bridging : the `fraction` of residents whose ties reach most neighbourhoods (or, with `centrality:
        betweenness`, lie between most others), in random order.
    distance : the `fraction` of residents who are nearest to everybody, by the mean length of shortest
        ways along influence, in random order.
    single_discount, degree_discount : the `fraction` with most ties, chosen one after another, where ties
        with those chosen already count less (Chen, Wang and Yang 2009), in random order.
    influence : the `fraction` who together reach most in an imagined cascade (Kempe, Kleinberg and Tardos
        2003), in random order.
    clustered : whole neighbourhoods, until they hold the `fraction` of residents, in random order.
    leaders : residents who are leaders, in random order.
    nominated : a random tie of a random resident (both drawn; the nominee is targeted).
    affected : members of the marginalized groups (or of `group`), in random order.
    non_participants : residents who do not take part at the start of the week's delivery.
    cycle : everybody once, in random order, then again.
    """

    rule: str = declared("random", "whom to choose", source="[A]")
    centrality: Literal["neighbourhoods", "betweenness"] = Field(
        "neighbourhoods",
        description="how the rule bridging measures; betweenness is exact and for up to 5,000 residents",
    )
    group: str | None = declared(None, "only this group", source="scenario")
    fraction: float = declared(
        0.10,
        "share of residents in the pool of clustered and of the rules that rank residents by their ties",
        source="[A]",
        gt=0,
        le=1,
    )
    refresh_weeks: int | None = declared(
        None,
        "weeks after which that pool is drawn again (degree, bridging: among equals only); none: never",
        source="[A]",
        unit="weeks",
        ge=1,
    )
    mapping_cost_per_person: float = declared(
        2.0,
        "price of the network map that the rules which rank residents by their ties need, once an arm",
        source="[A]",
        unit="currency",
        ge=0,
        le=1e6,
    )

    @model_validator(mode="after")
    def _group_where_it_makes_sense(self) -> TargetSpec:
        if self.group is not None and self.rule == "nominated":
            raise ValueError("rule nominated takes no group: nominees are whoever is named")
        return self

    def ranking(self) -> tuple[object, ...]:
        """Return all that decides how the rule ranks residents."""
        return (self.rule, self.centrality, *(getattr(self, name) for name in CascadeOptions.model_fields))
