"""Goals: an indicator, a group, a target and a week."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mobsim.spec import Spec, declared


class GoalSpec(Spec):
    """One goal; negative goals (less participation) do not exist here."""

    name: str | None = Field(
        None, min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_\-]+$", description="name in tables"
    )
    indicator: Literal["participation", "awareness", "gap"] = Field(
        "participation", description="what is measured"
    )
    group: str = Field("all", description="a group's name, or all")
    at_least: float | None = declared(
        None, "target share (participation, awareness)", source="scenario", ge=0, le=1
    )
    at_most: float | None = declared(
        None, "target gap in participation, majority minus marginalized", source="scenario", ge=0, le=1
    )
    by_week: int = declared(
        ..., "week by which the goal is to be met", source="scenario", unit="weeks", ge=0, le=100_000
    )

    @model_validator(mode="after")
    def _one_target(self) -> GoalSpec:
        if self.indicator == "gap":
            if self.at_most is None or self.at_least is not None:
                raise ValueError("a gap goal needs at_most, and only that")
        elif self.at_least is None or self.at_most is not None:
            raise ValueError("a goal on participation or awareness needs at_least, and only that")
        return self
