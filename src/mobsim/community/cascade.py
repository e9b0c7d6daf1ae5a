"""How the rules that choose people one after the other imagine that one person brings along others."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mobsim.spec import Spec, declared

ONE_AFTER_ANOTHER = ("single_discount", "degree_discount", "influence")
"""Rules that choose residents one after the other, each with regard to those chosen before."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "degree_discount": ("probability",),
    "influence": ("cascade", "probability", "method", "epsilon", "simulations"),
}
"""Which of the options below a rule uses; other rules use none."""

USUAL_PROBABILITY = 0.1
"""Chance of a tie where neither the rule nor the tie says one: [A]."""


class CascadeOptions(Spec):
    """Options of the rules `degree_discount` and `influence`; other rules do not write them."""

    cascade: Literal["independent", "weighted", "linear_threshold"] = Field(
        "independent",
        description="how one person brings along another (rule influence): each tie with its own chance; "
        "with 1 / the ties of whom it leads to; or by a share of contacts that reaches a drawn threshold",
    )
    probability: float | None = declared(
        None,
        "chance that a tie brings somebody along (degree_discount, and influence with independent cascades); "
        f"none: for influence the transmission of ties that carry one, else {USUAL_PROBABILITY}",
        source="[A]",
        gt=0,
        le=1,
    )
    method: Literal["imm", "celf"] = Field(
        "imm",
        description="rule influence: imm, reverse-reachable sets with a guarantee; celf, lazy greedy on "
        "simulated cascades, for small communities",
    )
    epsilon: float = declared(
        0.1,
        "method imm: the people chosen reach at least 1 - 1/e - epsilon of what the best would",
        source="[V] Tang et al. 2015",
        usual=(0.05, 0.5),
        ge=0.01,
        lt=0.63,
    )
    simulations: int = declared(
        1000, "method celf: number of simulated cascades", source="[A]", ge=1, le=100_000
    )

    @model_serializer(mode="wrap")
    def _only_what_the_rule_uses(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out options that the rule does not use, so that they do not stand in resolved forms."""
        whole: dict[str, Any] = handler(self)
        used = OPTIONS.get(getattr(self, "rule", "influence"), ())
        others = {key: value for key, value in whole.items() if key not in CascadeOptions.model_fields}
        return others | {key: whole[key] for key in used}
