"""What a calibration asks: one YAML file that says what varies, what was observed, and what is held out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError

from mobsim.errors import nearest
from mobsim.experiment.design import FactorSpec, InvalidDesign, PlaceText, ReplicateCounts, Seed
from mobsim.experiment.design_words import faults_of
from mobsim.scenario.document import Document, read_document
from mobsim.scenario.faults import Path, shown, text_of
from mobsim.scenario.scenario import NONE, Name
from mobsim.spec import Spec

SCHEMA_VERSION = 1


class CurveSpec(Spec):
    """A share that was observed week by week, in a CSV file."""

    file: str = Field(..., min_length=1, description="CSV file, looked for beside the calibration file")
    outcome: Literal["participation", "aware", "adopted"] = Field(
        "participation", description="what was observed: who takes part, who is aware, who ever took part"
    )
    arm: str = Field(NONE, min_length=1, description="the arm that was carried out where it was observed")
    of: float | None = Field(None, gt=0, description="residents observed, if values are counts")
    standard_error: float | None = Field(
        None, ge=0, le=1, description="standard error of every value, as a share, if the file has none"
    )
    weight: float = Field(1.0, gt=0, le=1000, description="weight in the score")
    name: str | None = Field(
        None, min_length=1, max_length=80, description="name in tables; none: the file's"
    )


class StatisticSpec(Spec):
    """A number that was observed, such as participation when funding ended."""

    outcome: str = Field("participation_fe", min_length=1, description="column of the table of runs")
    arm: str = Field(..., min_length=1, description="the arm that was carried out where it was observed")
    against: str | None = Field(None, min_length=1, description="the arm it is compared with; none: no other")
    value: float = Field(..., description="what was observed")
    standard_error: float = Field(..., gt=0, description="its standard error")
    weight: float = Field(1.0, gt=0, le=1000, description="weight in the score")
    name: str | None = Field(None, min_length=1, max_length=80, description="name in tables")
    source: str = Field("", description="where it was read")


class ObservedSpec(Spec):
    """What was observed."""

    curves: tuple[CurveSpec, ...] = Field((), description="shares week by week")
    statistics: tuple[StatisticSpec, ...] = Field((), description="single numbers")


class HoldoutSpec(Spec):
    """What is kept away from the fit, to score it on."""

    last_weeks: int | None = Field(None, ge=1, description="so many weeks before the last of each curve")
    communities: tuple[str, ...] | None = Field(
        None, min_length=1, description="names in the column community"
    )
    statistics: tuple[str, ...] | None = Field(None, min_length=1, description="names of statistics")


class SearchSpec(Spec):
    """How values are searched for."""

    trials: int = Field(128, ge=4, le=100_000, description="sets of values that are tried in all")
    batch: int = Field(16, ge=1, le=1024, description="trials that are simulated together")
    seed: Seed = Field(1, description="seed of the search")
    finalists: int = Field(4, ge=1, le=64, description="best trials that are run again with fresh replicates")


class CalibrationSpec(Spec):
    """The calibration file, checked by itself; `plan_calibration` holds it against scenario and data."""

    schema_version: Literal[1] = Field(1, description="version of this file format")
    name: Name = Field(..., description="short name: the folder of its results")
    title: str = Field("", max_length=200, description="title")
    question: str = Field("", description="what is asked")
    scenario: str = Field(..., min_length=1, description="scenario file, or a name that comes with mobsim")
    set: dict[PlaceText, Any] = Field(default_factory=dict, description="values that all trials share")
    replicates: ReplicateCounts = Field(
        default_factory=ReplicateCounts, description="communities and luck a trial; 16 and 1 if not said"
    )
    seed: Seed | None = Field(None, description="seed of the scenario; none: the scenario's own")
    factors: dict[PlaceText, FactorSpec] = Field(..., min_length=1, description="what is fitted")
    observed: ObservedSpec = Field(..., description="what was observed")
    communities: dict[str, dict[PlaceText, Any]] = Field(
        default_factory=dict, description="for observed communities, values of the scenario that differ there"
    )
    holdout: HoldoutSpec | Literal["none"] = Field(..., description="what the fit does not see; or none")
    search: SearchSpec = Field(default_factory=SearchSpec, description="how values are searched for")

    _document: Document | None = PrivateAttr(default=None)

    @property
    def document(self) -> Document:
        """The file it was read from, which knows the lines; an empty one if it comes from no file."""
        return self._document or Document({})

    @property
    def folder(self) -> FilePath | None:
        """Folder of the calibration file, where files that it names are looked for."""
        return self.document.folder

    def refused(self, path: Path, sentence: str) -> InvalidDesign:
        """Return the error for a place of the file.

        Parameters
        ----------
        path : the place.
        sentence : what to say about it.
        """
        return InvalidDesign(self.document.file, [self.document.fault(path, sentence)])


def load_calibration(path: str | FilePath) -> CalibrationSpec:
    """Read and check a calibration file.

    Parameters
    ----------
    path : the file.

    Raises
    ------
    MobsimError
        with one sentence: file, line, what was found, what is allowed, the nearest match.
    """
    document = read_document(path)
    if "schema_version" not in document.data:
        missing = document.fault((), f"schema_version is missing; allowed: {SCHEMA_VERSION}")
        raise InvalidDesign(document.file, [missing])
    return calibration_of(document)


def calibration_of(document: Document) -> CalibrationSpec:
    """Return the calibration that a document describes.

    Parameters
    ----------
    document : what the file says, or a document made of plain data.

    Raises
    ------
    InvalidDesign
        with one sentence: file, line, what was found, what is allowed, the nearest match.
    """
    if "holdout" in document.data and not _is_holdout(document.data["holdout"]):
        sentence = (
            f"holdout is {shown(document.data['holdout'])}; allowed: none, or last_weeks, communities, "
            "statistics"
        )
        raise InvalidDesign(document.file, [document.fault(("holdout",), sentence)])
    try:
        spec = CalibrationSpec.model_validate(_tuples(document.data), strict=True)
    except ValidationError as error:
        raise InvalidDesign(
            document.file, faults_of(error, CalibrationSpec, document.data, document)
        ) from None
    if faults := [document.fault(path, sentence) for path, sentence in _complaints(spec)]:
        raise InvalidDesign(document.file, faults)
    spec._document = document
    return spec


def names_of_curves(spec: CalibrationSpec) -> tuple[str, ...]:
    """Return the names of the curves: what was said, else the file's name with what it holds.

    Parameters
    ----------
    spec : the calibration.
    """
    return tuple(
        curve.name or f"{FilePath(curve.file).stem}, {curve.outcome}, {curve.arm}"
        for curve in spec.observed.curves
    )


def names_of_statistics(spec: CalibrationSpec) -> tuple[str, ...]:
    """Return the names of the statistics: what was said, else outcome and arms.

    Parameters
    ----------
    spec : the calibration.
    """
    return tuple(
        found.name or f"{found.outcome}, {found.arm}" + (f" against {found.against}" if found.against else "")
        for found in spec.observed.statistics
    )


def _is_holdout(value: Any) -> bool:
    return value == "none" or isinstance(value, dict)


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(inner) for inner in value)
    return value


def _complaints(spec: CalibrationSpec) -> Iterator[tuple[Path, str]]:
    """What does not fit together in a calibration file."""
    observed = spec.observed
    if not observed.curves and not observed.statistics:
        yield ("observed",), "observed holds nothing; allowed: curves, statistics, or both"
    named = (("curves", names_of_curves(spec)), ("statistics", names_of_statistics(spec)))
    seen: dict[str, str] = {}
    for part, names in named:
        for place, name in enumerate(names):
            where: Path = ("observed", part, place)
            if name in seen:
                yield (
                    where,
                    f"{text_of(where)}: {shown(name)} names {seen[name]} too; allowed: another name, "
                    "under name",
                )
            seen.setdefault(name, text_of(where))
    yield from _holdout_complaints(spec)


def _holdout_complaints(spec: CalibrationSpec) -> Iterator[tuple[Path, str]]:
    holdout = spec.holdout
    if holdout == "none":
        return
    if holdout.last_weeks is None and holdout.communities is None and holdout.statistics is None:
        yield ("holdout",), "holdout holds nothing; allowed: none, or last_weeks, communities, statistics"
    known = names_of_statistics(spec)
    for place, name in enumerate(holdout.statistics or ()):
        if name not in known:
            yield (
                ("holdout", "statistics", place),
                f"holdout.statistics[{place}] is {shown(name)}; allowed: {', '.join(known) or 'none of them'}"
                f"{nearest(name, known)}",
            )
    for key in ("last_weeks", "communities"):
        if getattr(holdout, key) is not None and not spec.observed.curves:
            yield ("holdout", key), f"holdout.{key} belongs to curves; allowed: together with observed.curves"
