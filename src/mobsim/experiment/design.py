"""The design of a sweep: one YAML file that says what varies, how it is varied, and what is recorded."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from mobsim.scenario.document import Document
from mobsim.scenario.faults import InvalidScenario
from mobsim.scenario.scenario import Name
from mobsim.spec import Spec

SCHEMA_VERSION = 1

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
PlaceText = Annotated[str, Field(min_length=1, max_length=200)]
Points = Annotated[int, Field(ge=1, le=1_000_000)]


class InvalidDesign(InvalidScenario):
    """A design with faults; its text is the first one's sentence."""


class FactorSpec(Spec):
    """What varies: a range or listed values, at the place that is the key, or at several places."""

    low: float | None = Field(None, description="low end of a range")
    high: float | None = Field(None, description="high end of a range")
    scale: Literal["linear", "log"] = Field("linear", description="how the range is divided")
    whole: bool = Field(False, description="whole numbers only")
    levels: int | None = Field(
        None, ge=2, le=10_000, description="values of the range in a grid or one at a time"
    )
    values: tuple[Any, ...] | None = Field(None, min_length=1, description="listed values")
    labels: tuple[str, ...] | None = Field(None, min_length=1, description="words for the listed values")
    name: str | None = Field(None, min_length=1, max_length=80, description="label and column of tables")
    places: tuple[PlaceText, ...] | None = Field(
        None, min_length=1, description="several places that are set alike"
    )


class Grid(Spec):
    """Every combination of all values and levels."""

    kind: Literal["grid"]


class LatinHypercube(Spec):
    """Each factor's range divided into as many parts as there are points, each part used once."""

    kind: Literal["latin_hypercube"]
    points: Points = Field(..., description="number of points")
    seed: Seed = Field(1, description="seed of the points")


class Sobol(Spec):
    """A scrambled Sobol sequence, which fills the space evenly."""

    kind: Literal["sobol"]
    points: Points = Field(..., description="number of points, a power of two")
    seed: Seed = Field(1, description="seed of the points")


class Halton(Spec):
    """A scrambled Halton sequence, evenly filled at any number of points."""

    kind: Literal["halton"]
    points: Points = Field(..., description="number of points")
    seed: Seed = Field(1, description="seed of the points")


class Saltelli(Spec):
    """The points that Sobol indices are estimated from."""

    kind: Literal["saltelli"]
    points: Points = Field(..., description="number of base points, a power of two")
    seed: Seed = Field(1, description="seed of the points")
    second_order: bool = Field(False, description="whether indices of pairs are wanted too")


class Morris(Spec):
    """Trajectories that change one factor at a time, for elementary effects."""

    kind: Literal["morris"]
    trajectories: int = Field(..., ge=1, le=100_000, description="number of trajectories")
    levels: int = Field(4, ge=2, le=100, multiple_of=2, description="levels of each factor, an even number")
    seed: Seed = Field(1, description="seed of the points")


class OneAtATime(Spec):
    """The base, and from there each factor alone over its values or levels."""

    kind: Literal["one_at_a_time"]
    base: Literal["scenario"] = Field("scenario", description="where the others stay")


class PointsFile(Spec):
    """Points from a CSV file: a column for each factor, a row for each point."""

    kind: Literal["points"]
    file: str = Field(..., min_length=1, description="CSV file, looked for beside the design")


DesignSpec = Annotated[
    Grid | LatinHypercube | Sobol | Halton | Saltelli | Morris | OneAtATime | PointsFile,
    Field(discriminator="kind"),
]


class ReplicateCounts(Spec):
    """How many communities, and how many streams of luck on each."""

    communities: int | None = Field(None, ge=1, le=100_000, description="communities")
    luck: int | None = Field(None, ge=1, le=100_000, description="streams of luck on each community")


class RecordSpec(Spec):
    """What is kept of a run beside its outcomes."""

    weeks: Literal["all", "decisions", "none"] = Field("decisions", description="which weeks are kept")


class Design(Spec):
    """What a sweep asks: the design file, checked by itself; `plan_sweep` holds it against the scenario."""

    schema_version: Literal[1] = Field(1, description="version of this file format")
    name: Name = Field(..., description="short name: the folder of its results")
    title: str = Field("", max_length=200, description="title")
    question: str = Field("", description="what is asked")
    scenario: str = Field(..., min_length=1, description="scenario file, or a name that comes with mobsim")
    set: dict[PlaceText, Any] = Field(default_factory=dict, description="values that all points share")
    arms: tuple[str, ...] | None = Field(None, min_length=1, description="arms to run; none: all")
    replicates: ReplicateCounts = Field(default_factory=ReplicateCounts, description="communities and luck")
    seed: Seed | None = Field(None, description="seed of the scenario; none: the scenario's own")
    factors: dict[PlaceText, FactorSpec] = Field(default_factory=dict, description="what varies")
    design: DesignSpec = Field(..., description="which points are run")
    record: RecordSpec = Field(default_factory=RecordSpec, description="what is kept of a run")
    outcome: str = Field("participation_fe", min_length=1, description="what is looked at first")

    _document: Document | None = PrivateAttr(default=None)

    @property
    def document(self) -> Document:
        """The file it was read from, which knows the lines; an empty one if it comes from no file."""
        return self._document or Document({})

    @property
    def folder(self) -> FilePath | None:
        """Folder of the design file, where files that it names are looked for."""
        return self.document.folder

    @classmethod
    def load(cls, path: str | FilePath) -> Design:
        """Read a design; see `load_design`."""
        return load_design(path)


def load_design(path: str | FilePath) -> Design:
    """Read and check a design file.

    Parameters
    ----------
    path : the file.

    Raises
    ------
    MobsimError
        with one sentence: file, line, what was found, what is allowed, the nearest match.
    """
    raise NotImplementedError
