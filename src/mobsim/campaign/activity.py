"""Activities as data: unit, price, doses, delivery, and where they belong among the nine steps.

The families ship as `activities.yaml`; a scenario can change their numbers or add activities of its own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field, model_validator

from mobsim.campaign.targeting import TargetSpec
from mobsim.community.behaviour import Share
from mobsim.spec import Spec, declared

Step = Literal[
    "assess", "goals", "stakeholders", "mobilize", "train", "advocate", "implement", "monitor", "sustain"
]
Delivery = Literal[
    "attempts",
    "seats",
    "all_come",
    "broadcast",
    "lobby",
    "coalition",
    "organization",
    "demonstration",
    "stipend",
    "survey",
    "python",
]
Cause = Literal["information", "capability", "barrier", "trust"]
CAUSES: tuple[Cause, ...] = ("information", "capability", "barrier", "trust")
"""Root causes of not taking part, in the order of docs/odd.md, 7.12."""


class ActivitySpec(Spec):
    """One kind of activity.

    delivery `attempts`: each target is reached with the group's chance. `seats`: residents are invited in
    target order, each comes with the group's chance, until the seats are filled. `all_come`: every target
    comes. `broadcast`: everybody is reached with `reach` a unit, at most `max_units` units a week over all
    broadcasts of the arm. `lobby`: no resident; an effort may win a standing policy (rule 10). `coalition`:
    engages an organization or a leader (rules 9, 11). `organization`: raises the capacity of an organization.
    `demonstration`: makes participation visible for a week. `stipend`: frees an organizer for a week.
    `survey`: asks residents; an arm buys it by its `survey`, not by a line. `python`: a class gives doses.
    """

    number: int = Field(..., ge=0, le=63, description="number that keys its random draws; never reused")
    family: Literal["outreach", "training", "advocacy", "support"] = Field(
        ..., description="family of levers"
    )
    description: str = Field(..., description="what a unit is")
    steps: tuple[Step, ...] = Field(..., min_length=1, description="steps of the calendar that permit it")
    delivery: Delivery = Field(..., description="how units turn into contacts")
    by: Literal["lead", "largest_cbo"] | str = Field(
        "lead", description="organization that delivers: lead, largest_cbo or a name"
    )
    cost: float = declared(..., "price of a unit", source="[A]", unit="currency", gt=0, le=1e12)
    cost_scales: bool = Field(
        False, description="the price is for 1,000 residents and grows with the community"
    )
    per_unit: int = declared(1, "targets or seats a unit", source="[A]", ge=1, le=1_000_000)
    leaders_only: bool = Field(False, description="only leaders can be targeted")
    trains_leaders: bool = Field(False, description="counts as leader training in rule (10)")
    contact: bool = Field(True, description="counts as a contact in the outcomes")
    reach: Share = declared(0.0, "share reached a unit (broadcast)", source="[A]")
    max_units: int = declared(
        3, "most units a week over all broadcasts of an arm", source="[A]", ge=1, le=1000
    )
    appeal: float = declared(0.0, "dose of appeal", source="[A]", symbol="D", ge=0, le=100)
    capability: Share = declared(0.0, "dose of capability", source="[A]", symbol="S")
    ownership: Share = declared(0.0, "dose of ownership", source="[A]", symbol="O")
    trust: Share = declared(0.0, "dose of trust", source="[A]", symbol="A")
    interest: Share = declared(
        0.0, "by how much an engaged organization's interest rises towards 1", source="[A]"
    )
    capacity: Share = declared(
        0.0, "by how much a trained organization's capacity rises towards 1", source="[A]"
    )
    misreport: float = declared(
        0.0,
        "chance that an answer in a survey is false",
        source="[A]",
        symbol="ε_s",
        ge=0,
        lt=0.5,
    )
    insight: Share = declared(
        1.0, "factor on it when a leader or cbo is engaged before the survey", source="[A]"
    )
    answers: dict[Cause, Share] = Field(
        default_factory=dict,
        description="root causes that it answers, with its weight among the activities that do (policies)",
        json_schema_extra={
            "propertyNames": {"enum": list(CAUSES)}
        },  # older versions of pydantic leave it out
    )
    target: TargetSpec = Field(default_factory=TargetSpec, description="default targets")


class ActivityUse(Spec):
    """One line of an arm: which activity, which share of the money, for whom, and what differs from the
    shipped numbers.
    """

    kind: str = Field(..., description="name of the activity")
    share: float = declared(
        ..., "share of the arm's money (normalized over the arm)", source="scenario", ge=0, le=1e6
    )
    target: TargetSpec | None = Field(None, description="targets; none: the activity's own")
    by: str | None = Field(None, description="organization that delivers; none: the activity's own")
    cost: float | None = declared(None, "price of a unit", source="scenario", unit="currency", gt=0, le=1e12)
    absolute: bool = Field(False, description="the price does not grow with the community")

    @model_validator(mode="before")
    @classmethod
    def _word_for_target(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("target"), str):
            data = {**data, "target": {"rule": data["target"]}}
        return data


class SurveySpec(Spec):
    """Surveys of an arm: in the first week of the step assess and in every occasion of the step monitor."""

    respondents: int = declared(
        100, "residents asked (all, if there are fewer)", source="[A]", ge=1, le=10_000_000
    )
    perfect: bool = Field(
        False,
        description="perfect-information twin: everybody is asked and answers truly, at this survey's price",
    )


EQUITY = "equity"
POLICIES = ("fixed", "assessed", "reasons", "marginal", EQUITY)
"""Policies that ship (docs/odd.md, 7.12); others come by `register_policy` or installed."""


class ArmSpec(Spec):
    """One strategy: activities, their shares of the money, and how the shares change with what is learned."""

    description: str = Field("", description="one sentence for planners")
    policy: str = Field("fixed", description="how shares change over time: a policy's name")
    community_decides: bool = Field(
        False,
        description="the causes named at meetings stand for the survey (policies assessed and reasons)",
    )
    survey: SurveySpec | None = Field(None, description="surveys; none: nobody is asked")
    budget_share: float = declared(
        1.0, "share of the scenario's budget that this arm spends", source="scenario", ge=0, le=1
    )
    activities: tuple[ActivityUse, ...] = Field(..., description="what is bought, in the order of delivery")


SURVEY = "survey"
"""Name of the activity that a survey is, and of its line in the records."""


def activity_names(uses: tuple[ActivityUse, ...]) -> tuple[str, ...]:
    """Return a label for each line of an arm: the kind, numbered from the second of its kind.

    Parameters
    ----------
    uses : the lines of an arm.
    """
    seen: dict[str, int] = {}
    labels = []
    for use in uses:
        seen[use.kind] = seen.get(use.kind, 0) + 1
        labels.append(use.kind if seen[use.kind] == 1 else f"{use.kind}_{seen[use.kind]}")
    return tuple(labels)


def line_names(spec: ArmSpec) -> tuple[str, ...]:
    """Return the labels of all lines of an arm in the records: its activities, then the surveys it buys.

    Parameters
    ----------
    spec : the arm.
    """
    names = activity_names(spec.activities)
    return (*names, SURVEY) if buys_surveys(spec) else names


def buys_surveys(spec: ArmSpec) -> bool:
    """Say whether an arm pays for surveys.

    Parameters
    ----------
    spec : the arm.
    """
    return spec.survey is not None and not spec.community_decides and bool(spec.activities)


@cache
def shipped_activities() -> dict[str, ActivitySpec]:
    """Return the activities of the families file, by name."""
    from ruamel.yaml import YAML

    text = (files("mobsim.campaign") / "activities.yaml").read_text(encoding="utf-8")
    data = YAML(typ="safe", pure=True).load(text)
    return {name: ActivitySpec.model_validate(_tuples(entry)) for name, entry in data["activities"].items()}


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
