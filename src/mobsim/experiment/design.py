"""The design of a sweep: one YAML file that says what varies, how it is varied, and what is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError

from mobsim.experiment.design_words import faults_of
from mobsim.experiment.factors import parts_of, same
from mobsim.scenario.document import Document, read_document
from mobsim.scenario.faults import Fault, InvalidScenario, Path, shown, text_of
from mobsim.scenario.scenario import Name
from mobsim.spec import Spec

SCHEMA_VERSION = 1

MOST_POINTS = 1_000_000

RESERVED = ("point", "arm", "community", "luck", "week", "run")
"""Columns of the tables of a sweep, which no factor can be called."""

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
PlaceText = Annotated[str, Field(min_length=1, max_length=200)]
Points = Annotated[int, Field(ge=1, le=1_000_000)]


class InvalidDesign(InvalidScenario):
    """A design with faults; its text is the first one's sentence.

    Parameters
    ----------
    file : name of the file as the user gave it, empty for a design that comes from no file.
    faults : at least one.
    """

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        super().__init__(file, faults)
        self.faults = tuple(faults)


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
    trajectories: int = Field(..., ge=2, le=100_000, description="number of trajectories")
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
    file = FilePath(path)
    if not file.is_file():
        found = "a folder" if file.is_dir() else "not there"
        raise InvalidDesign("", [Fault(0, f"{path} is {found}; allowed: a design file, such as design.yaml")])
    document = read_document(path)
    if "schema_version" not in document.data:
        missing = document.fault((), f"schema_version is missing; allowed: {SCHEMA_VERSION}")
        raise InvalidDesign(document.file, [missing])
    return design_of(document)


def design_of(document: Document) -> Design:
    """Return the design that a document describes.

    Parameters
    ----------
    document : what the file says, or a document made of plain data.

    Raises
    ------
    InvalidDesign
        with one sentence: file, line, what was found, what is allowed, the nearest match.
    """
    data = {**document.data, "factors": _with_empty(document.data.get("factors", {}))}
    try:
        design = Design.model_validate(_tuples(data), strict=True)
    except ValidationError as error:
        raise InvalidDesign(document.file, faults_of(error, Design, data, document)) from None
    if faults := [document.fault(path, sentence) for path, sentence in _complaints(design)]:
        raise InvalidDesign(document.file, faults)
    design._document = document
    return design


def _with_empty(factors: Any) -> Any:
    """A factor whose values stand in a file of points may have nothing behind its place."""
    if not isinstance(factors, dict):
        return factors
    return {place: {} if factor is None else factor for place, factor in factors.items()}


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(inner) for inner in value)
    return value


Complaint = tuple[Path, str]
"""A place in the design, and the sentence about it."""


def _complaints(design: Design) -> Iterator[Complaint]:
    """What does not fit together in a design."""
    from_file = isinstance(design.design, PointsFile)
    if not design.factors and not from_file:
        yield ("factors",), "factors is missing; allowed: at least one place with a range or values"
    for key, factor in design.factors.items():
        where: Path = ("factors", key)
        yield from _ends_complaints(where, factor, from_file)
        yield from _values_complaints(where, factor)
        yield from _level_complaints(where, factor, design)
        if factor.places is not None and factor.name is not None:
            yield (
                (*where, "name"),
                f"{text_of(where)}: name is set, but a factor with places is named by its key",
            )
    yield from _name_complaints(design)
    yield from _place_complaints(design)
    yield from _size_complaints(design)


def _ends_complaints(where: Path, factor: FactorSpec, from_file: bool) -> Iterator[Complaint]:
    text = text_of(where)
    low, high = factor.low, factor.high
    if low is None and high is None:
        if factor.values is None and not from_file:
            yield where, f"{text} says neither a range nor values; allowed: low and high, or values"
        for key in ("scale", "whole", "levels"):
            if key in factor.model_fields_set:
                yield (*where, key), f"{text}: {key} belongs to a range; allowed: together with low and high"
        return
    if factor.values is not None:
        yield (*where, "values"), f"{text} has a range and values; allowed: one of them"
    if low is None or high is None:
        missing = "low" if low is None else "high"
        yield where, f"{text}.{missing} is missing; allowed: a number; a range has low and high"
        return
    if not low < high:
        yield (*where, "high"), f"{text}.high is {_plain(high)}; allowed: a number above low, {_plain(low)}"
    if factor.scale == "log" and low <= 0:
        yield (*where, "low"), f"{text}.low is {_plain(low)}; allowed: a number above 0, since scale is log"
    if factor.whole:
        for key, end in (("low", low), ("high", high)):
            if end != int(end):
                yield (*where, key), f"{text}.{key} is {end}; allowed: a whole number, since whole is true"


def _values_complaints(where: Path, factor: FactorSpec) -> Iterator[Complaint]:
    text = text_of(where)
    if factor.labels is not None:
        n_values = len(factor.values or ())
        if len(factor.labels) != n_values:
            yield (
                (*where, "labels"),
                f"{text}.labels is a list of {len(factor.labels)}; allowed: one label for each of the "
                f"{n_values} values",
            )
        for place, label in enumerate(factor.labels):
            if label in factor.labels[:place]:
                yield (*where, "labels", place), f"{text}.labels: {shown(label)} stands twice; allowed: once"
    for place, value in enumerate(factor.values or ()):
        if any(same(value, before) for before in (factor.values or ())[:place]):
            yield (*where, "values", place), f"{text}.values: {shown(value)} stands twice; allowed: once"


def _level_complaints(where: Path, factor: FactorSpec, design: Design) -> Iterator[Complaint]:
    if factor.low is None or factor.high is None:
        return
    text = text_of(where)
    if isinstance(design.design, Grid) and factor.levels is None:
        yield (
            where,
            f"{text}.levels is missing; allowed: a whole number of at least 2; a grid needs values or levels",
        )
    if factor.whole and factor.levels is not None and factor.levels > factor.high - factor.low + 1:
        fit = int(factor.high - factor.low + 1)
        yield (
            (*where, "levels"),
            f"{text}.levels is {factor.levels}; allowed: at most {fit}, the whole numbers from low to high",
        )


def _name_complaints(design: Design) -> Iterator[Complaint]:
    seen: dict[str, str] = {}
    for key, factor in design.factors.items():
        name = key if factor.places is not None else factor.name
        if name is None:
            continue
        where: Path = ("factors", key) if factor.places is not None else ("factors", key, "name")
        if name in RESERVED:
            yield where, f"{text_of(where)}: {shown(name)} is a column of every table; allowed: another name"
        if name in seen:
            yield where, f"{text_of(where)}: {shown(name)} names {seen[name]} too; allowed: another name"
        seen.setdefault(name, text_of(("factors", key)))


def _place_complaints(design: Design) -> Iterator[Complaint]:
    seen: dict[Path, str] = {}
    for key, factor in design.factors.items():
        for number, place in enumerate(factor.places or (key,)):
            where: Path = ("factors", key) if factor.places is None else ("factors", key, "places", number)
            parts = parts_of(place)
            if "" in parts or not isinstance(parts[0], str):
                yield (
                    where,
                    f"{text_of(where)}: {shown(place)} is not a place; allowed: keys with dots between them, "
                    "and positions in brackets, such as arms.outreach.activities[0].share",
                )
            elif parts in seen:
                yield (
                    where,
                    f"{text_of(where)}: {place} is set by {seen[parts]} too; allowed: one factor for a place",
                )
            seen.setdefault(parts, text_of(("factors", key)))


def _size_complaints(design: Design) -> Iterator[Complaint]:
    spec = design.design
    if isinstance(spec, Sobol | Saltelli) and spec.points & (spec.points - 1):
        below = 1 << (spec.points.bit_length() - 1)
        yield (
            ("design", "points"),
            f"design.points is {spec.points:,}; allowed: a power of two, such as {below:,} or {2 * below:,}, "
            "since only these fill the space evenly",
        )
    n_points = number_of_points(design)
    if n_points is not None and n_points > MOST_POINTS:
        yield ("design",), f"design makes {n_points:,} points; allowed: at most {MOST_POINTS:,}"


def number_of_points(design: Design) -> int | None:
    """Return how many points a design makes; None if a file says so.

    Parameters
    ----------
    design : a design.

    Examples
    --------
    >>> factors = {"behaviour.noise": {"low": 0, "high": 0.2, "levels": 3}, "seed": {"values": [1, 2]}}
    >>> number_of_points(design_of(Document({
    ...     "name": "example", "scenario": "harm_demo", "factors": factors, "design": {"kind": "grid"}})))
    6
    """
    spec = design.design
    if isinstance(spec, PointsFile):
        return None
    n_factors = len(design.factors)
    if isinstance(spec, Grid | OneAtATime):
        sizes = [
            len(factor.values) if factor.values else factor.levels or 2 for factor in design.factors.values()
        ]
        return prod(sizes) if isinstance(spec, Grid) else 1 + sum(sizes)
    if isinstance(spec, Saltelli):
        return spec.points * ((2 * n_factors if spec.second_order else n_factors) + 2)
    if isinstance(spec, Morris):
        return spec.trajectories * (n_factors + 1)
    return spec.points


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:,}"
