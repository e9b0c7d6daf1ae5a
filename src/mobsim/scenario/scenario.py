"""A scenario: a world, the strategies (arms) compared in it, and the goals. It only composes other specs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr

from mobsim.campaign.activity import ActivitySpec, ArmSpec
from mobsim.campaign.calendar import CalendarSpec
from mobsim.campaign.goals import GoalSpec
from mobsim.community.behaviour import BehaviourSpec, Share
from mobsim.community.community import CommunitySpec
from mobsim.spec import Spec, declared

NONE = "none"
"""The name of the arm without a campaign; every comparison holds it."""


class CampaignSpec(Spec):
    """Money and time."""

    currency: str = Field("USD", min_length=1, max_length=12, description="currency of all prices")
    budget_per_resident: float = declared(
        10.0, "external budget a resident", source="[V] 14-82", unit="currency", usual=(1, 50), ge=0, le=1e6
    )
    funding_starts_week: int = declared(6, "first funded week", source="[A]", unit="weeks", ge=0, le=100_000)
    funding_ends_week: int = declared(
        78, "week before which funding ends", source="[A]", unit="weeks", ge=1, le=100_000
    )
    horizon_weeks: int = declared(
        130, "simulated campaign weeks", source="[A]", unit="weeks", ge=1, le=100_000
    )
    burn_in_weeks: int = declared(
        104, "weeks before week 0 without campaign", source="[A]", unit="weeks", ge=0, le=100_000
    )
    decision_interval_weeks: int = declared(
        4,
        "weeks between decisions of leaders and organizations, and between records of means",
        source="[A]",
        unit="weeks",
        ge=1,
        le=1000,
    )
    public_money: Share = declared(
        0.05,
        "public money when all wins stand, as a share of the budget, spread over the funded weeks",
        source="[A]",
        symbol="φ_pub",
    )
    contribution: Share = declared(
        0.005, "share of its resources that a coalition member gives at a decision", source="[A]"
    )
    refill: Share = declared(
        0.01, "share of its resources that an organization wins back in a week", source="[A]", unit="per week"
    )
    calendar: CalendarSpec = Field(
        default_factory=CalendarSpec, description="when each of the nine steps runs"
    )


class ReplicateSpec(Spec):
    """How many communities, and how many streams of luck on each."""

    communities: int = declared(32, "communities", source="[A]", ge=1, le=100_000)
    luck: int = declared(4, "streams of luck on each community", source="[A]", ge=1, le=100_000)


class CheckSpec(Spec):
    """A published fact that the scenario should show: a contrast inside a band; missed bands are shown."""

    fact: str = Field(..., min_length=1, description="the fact in words")
    outcome: str = Field("participation_fe", description="outcome column, such as participation_fe or gap_fe")
    arm: str = Field(..., description="the arm that is measured")
    against: str | None = Field(
        None, description="the arm it is compared with; none: the value itself is measured"
    )
    at_least: float | None = declared(None, "lower end of the band", source="scenario")
    at_most: float | None = declared(None, "upper end of the band", source="scenario")
    source: str = Field(..., min_length=1, description="where the fact was read, with its tag")


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]


class CalibratedBy(Spec):
    """The calibration that gave a scenario some of its values; a person writes its file's name instead."""

    file: str = Field(..., min_length=1, description="the file, as the scenario names it")
    sha256: str = Field(..., min_length=64, max_length=64, description="sha256 that stands in the file")
    name: str = Field(..., min_length=1, description="name of the calibration")
    made_for: str = Field(
        ..., min_length=64, max_length=64, description="sha256 of the world and behaviour it was made for"
    )
    values: dict[str, Any] = Field(..., description="the values that it sets, by place")
    fitted_to: str = Field(..., description="what it was fitted to, in words")
    out_of_sample: str = Field(
        ..., description="how well it did on what was held out, in words; empty if nothing was"
    )
    better: bool = Field(..., description="whether it did better there than simple forecasts")
    warnings: tuple[str, ...] = Field((), description="what the observations do not identify")


class Scenario(Spec):
    """World + arms + goals with every default written in: the resolved form, the only one that is run."""

    schema_version: Literal[2] = Field(2, description="version of this file format")
    name: Name = Field(..., description="short name: the folder of its results")
    title: str = Field(..., min_length=1, max_length=200, description="title")
    description: str = Field(..., min_length=1, description="what is asked, for whom")
    issue: str = Field(
        "", max_length=200, description="the common issue in a few words; empty: the title stands for it"
    )
    sources: tuple[str, ...] = Field((), description="where the numbers come from")
    cautions: tuple[str, ...] = Field((), description="shown beside every result")
    unit: Literal["person", "household"] = Field("person", description="what a resident stands for")
    preset: Literal["default", "bare"] = Field(
        "default", description="bare: a threshold model and nothing else"
    )
    seed: int = declared(1, "seed of all random numbers", source="[A]", ge=0, le=2**32 - 1)
    community: CommunitySpec = Field(..., description="the world")
    behaviour: BehaviourSpec = Field(default_factory=BehaviourSpec, description="parameters of the rules")
    campaign: CampaignSpec = Field(default_factory=CampaignSpec, description="money and time")
    activities: dict[Name, ActivitySpec] = Field(
        ..., description="every activity that the arms use, complete"
    )
    arms: dict[Name, ArmSpec] = Field(..., description="strategies; `none` is always added, first")
    goals: tuple[GoalSpec, ...] = Field((), description="goals")
    replicates: ReplicateSpec = Field(default_factory=ReplicateSpec, description="communities and luck")
    matters: float = declared(0.01, "smallest difference that matters, as a share", source="[A]", gt=0, le=1)
    check: tuple[CheckSpec, ...] = Field((), description="published facts with their bands")
    tags: dict[str, str] = Field(
        default_factory=dict, description="provenance tag of each number the file set, by path"
    )
    calibration: CalibratedBy | None = Field(
        None, description="the calibration that gave some of the values; in a file, the name of its file"
    )

    _folder: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path | None:
        """Folder of the scenario file, where files it names are looked for; not part of the resolved form."""
        return self._folder
