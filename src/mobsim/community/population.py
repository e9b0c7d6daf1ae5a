"""Who lives here: groups, leaders and the state in which everybody starts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mobsim.community.behaviour import Share
from mobsim.community.cascade import CascadeOptions
from mobsim.spec import Spec, declared


class GroupSpec(Spec):
    """A group of residents: the majority, or a marginalized group with its own barrier, trust and access."""

    share: Share = declared(..., "share of residents", source="scenario")
    marginalized: bool = Field(False, description="counts as marginalized in gap and parity")
    barrier: float = declared(
        0.10, "structural barrier, in threshold points", source="[A]", symbol="c_g", ge=0, le=10
    )
    capability: Share = declared(0.25, "mean starting capability", source="[A]", symbol="s_g")
    trust: Share = declared(0.50, "mean starting trust in the campaign", source="[A]", symbol="T_g")
    aware: Share = declared(0.30, "share aware at the start of burn-in", source="[A]", symbol="a_g")
    background_media: Share = declared(
        0.0125, "weekly chance of hearing from outside", source="[P] calibrated", symbol="μ₀", unit="per week"
    )
    reached: Share = declared(
        0.60,
        "chance of being reached, or of coming, when targeted",
        source="[A], direction [V]",
        symbol="κ_g",
        usual=(0.2, 0.95),
    )


MARGINALIZED_DEFAULTS: dict[str, object] = {
    "marginalized": True,
    "barrier": 0.20,
    "capability": 0.15,
    "trust": 0.35,
    "aware": 0.15,
    "background_media": 0.006,
    "reached": 0.40,
}
"""Defaults of every group after the first, which is the majority ([A], model.md 7)."""

BARE_GROUP: dict[str, object] = {
    "barrier": 0.0,
    "capability": 0.0,
    "trust": 0.0,
    "aware": 1.0,
    "background_media": 0.0,
    "reached": 1.0,
}
"""What `preset: bare` sets for a group."""


class LeadersSpec(Spec):
    """Residents with a role: extra ties, more influence, a stance."""

    share: Share = declared(
        0.05, "share of residents who are leaders", source="[V] 2.6-12 %", usual=(0.02, 0.12)
    )
    influence: float = declared(
        2.0,
        "weight of a leader in others' exposure, in eighths",
        source="[A]",
        symbol="ω_L",
        usual=(1, 5),
        ge=0.125,
        le=16,
    )
    tie_factor: float = declared(
        2.0, "ties of a leader relative to the mean degree", source="[A]", usual=(1, 4), ge=1, le=100
    )
    opposed: Share = declared(0.10, "share of leaders who start opposed", source="[A]", usual=(0, 0.4))
    supportive: Share = declared(
        0.20, "share of leaders who start supportive", source="[A]", usual=(0.01, 0.35)
    )

    @model_validator(mode="after")
    def _shares(self) -> LeadersSpec:
        if self.opposed + self.supportive > 1:
            raise ValueError("opposed and supportive together must not exceed 1")
        return self


class ExactCount(Spec):
    """Exactly this many residents, chosen at random."""

    count: int = declared(..., "number of residents", source="scenario", ge=0)


class ExactShare(Spec):
    """Exactly this share of all residents (rounded to whole residents), chosen at random."""

    share: Share = declared(..., "share of residents", source="scenario")


class ListedResidents(Spec):
    """These residents, by position (0 is the first)."""

    residents: tuple[Annotated[int, Field(ge=0)], ...] = declared(
        ..., "positions of residents", source="scenario"
    )


class RuleOfChoice(Spec):
    """A targeting rule that looks at ties, and how many residents it chooses."""

    number: int = declared(..., "number of residents", source="scenario", ge=0)
    rule: Literal["degree", "bridging", "distance", "single_discount", "degree_discount", "influence"] = (
        Field(..., description="how they are chosen: rules of targeting that look at ties")
    )
    centrality: Literal["neighbourhoods", "betweenness"] = Field(
        "neighbourhoods",
        description="how the rule bridging measures; betweenness is exact and for up to 5,000 residents",
    )


class ChosenByRule(CascadeOptions, RuleOfChoice):
    """Residents whom a targeting rule puts first, in the order of its choice; among equals by position."""


class InitialSpec(Spec):
    """The state at the start of burn-in (docs/odd.md, 2b)."""

    aware: Literal["by_group", "everyone", "participants"] = Field(
        "by_group",
        description="by_group: each with the group's chance, leaders always; everyone; participants: only "
        "those who take part",
    )
    participating: Share | ExactCount | ExactShare | ListedResidents | ChosenByRule = declared(
        0.03, "chance of participating if aware, or who participates", source="[A]"
    )
