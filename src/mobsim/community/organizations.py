"""Organizations: who delivers, with which capacity and credibility."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mobsim.community.behaviour import Share
from mobsim.spec import Spec, declared


class OrganizationSpec(Spec):
    """One organization of the community."""

    name: str = Field(..., min_length=1, description="name, unique in the scenario")
    type: Literal["cbo", "ngo", "government", "private", "donor"] = Field(
        ..., description="kind of organization"
    )
    lead: bool = Field(False, description="leads the campaign; always in the coalition")
    influence: float = declared(0.15, "weight in the coalition", source="[A]", symbol="f_k", ge=0, le=1)
    interest: float = declared(0.4, "interest in the campaign", source="[A]", symbol="i_k", ge=-1, le=1)
    capacity: Share = declared(0.5, "delivery capacity", source="[A]", symbol="e_k")
    resources_per_1000: float = declared(
        500.0, "own resources for 1,000 residents", source="[A]", symbol="R_k", unit="currency", ge=0, le=1e9
    )
    credibility: tuple[Annotated[float, Field(ge=0, le=1)], ...] = declared(
        (0.9, 0.8),
        "credibility in each group, in the order of the groups; the last stands for further groups",
        source="[A]",
        symbol="γ_kg",
        min_length=1,
    )


def default_organizations() -> tuple[OrganizationSpec, ...]:
    """Return the seven organizations of docs/odd.md, 2b (all [A])."""
    rows: list[tuple[str, str, bool, float, float, float, float, tuple[float, float]]] = [
        ("cbo_1", "cbo", False, 0.15, 0.4, 0.5, 500, (0.9, 0.8)),
        ("cbo_2", "cbo", False, 0.15, 0.4, 0.5, 500, (0.9, 0.8)),
        ("cbo_3", "cbo", False, 0.15, 0.4, 0.5, 500, (0.9, 0.8)),
        ("lead_ngo", "ngo", True, 0.2, 0.8, 0.7, 0, (0.7, 0.5)),
        ("government", "government", False, 0.5, 0.0, 0.5, 5000, (0.6, 0.3)),
        ("private", "private", False, 0.3, -0.1, 0.6, 3000, (0.5, 0.4)),
        ("donor", "donor", False, 0.3, 0.5, 0.7, 0, (0.4, 0.4)),
    ]
    names = ("name", "type", "lead", "influence", "interest", "capacity", "resources_per_1000", "credibility")
    return tuple(OrganizationSpec.model_validate(dict(zip(names, row, strict=True))) for row in rows)
