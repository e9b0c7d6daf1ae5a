"""The plan of a sweep: the design, held against its scenario, with every point, run and task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobsim.experiment.design import Design
from mobsim.experiment.factors import Factor
from mobsim.experiment.tasks import Task
from mobsim.scenario.document import Document
from mobsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Worlds:
    """Makes the scenario at a point; small and picklable, so that workers can do the same.

    Attributes
    ----------
    document : the scenario file, with what the whole sweep sets.
    name : the scenario's name if the file gives none.
    tags : provenance tags of the file.
    """

    document: Document
    name: str
    tags: Mapping[str, str]

    def at(self, overrides: Mapping[str, Any]) -> Scenario:
        """Return the resolved scenario with other values at some places.

        Parameters
        ----------
        overrides : place -> value.

        Raises
        ------
        ScenarioError : if the values do not fit together.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """The plan of a sweep.

    Attributes
    ----------
    design : what is asked.
    factors : what varies.
    points : for each point the value of every factor, by the factor's name.
    base : the scenario with what the design sets for all points.
    worlds : makes the scenario at a point.
    arms : the arms, `none` first.
    communities, luck : numbers of the replicates.
    tasks : blocks of runs; together they hold every run once.
    digest : sha256 of all that decides the numbers, 64 hexadecimal digits.
    """

    design: Design
    factors: tuple[Factor, ...]
    points: tuple[Mapping[str, Any], ...]
    base: Scenario
    worlds: Worlds
    arms: tuple[str, ...]
    communities: tuple[int, ...]
    luck: tuple[int, ...]
    tasks: tuple[Task, ...]
    digest: str

    @property
    def n_runs(self) -> int:
        """How many runs the sweep holds."""
        return len(self.points) * len(self.arms) * len(self.communities) * len(self.luck)

    @property
    def document(self) -> Document:
        """The scenario file, with what the whole sweep sets."""
        return self.worlds.document

    def overrides(self, point: int) -> dict[str, Any]:
        """Return what a point sets, by place of the scenario.

        Parameters
        ----------
        point : its number.
        """
        values = self.points[point]
        return {place: values[factor.name] for factor in self.factors for place in factor.places}

    def world(self, point: int) -> Scenario:
        """Return the resolved scenario at a point.

        Parameters
        ----------
        point : its number.

        Raises
        ------
        ScenarioError : if the point's values do not fit together.
        """
        return self.worlds.at(self.overrides(point))

    def points_table(self) -> pd.DataFrame:
        """Return one row a point: its number, and a column for each factor, with labels where it has them."""
        raise NotImplementedError


def plan_sweep(design: Design | str | Path | Mapping[str, Any], **changes: Any) -> SweepPlan:
    """Plan a sweep: hold a design against its scenario, and work out points, runs and tasks.

    Parameters
    ----------
    design : a design, its file, or what such a file says as plain data.
    **changes : other values for sections of the design, such as ``seed=3``.

    Raises
    ------
    MobsimError
        with one sentence: file, line, what was found, what is allowed.
    """
    raise NotImplementedError


def plan_record(plan: SweepPlan) -> dict[str, Any]:
    """Return a plan as plain data that JSON can hold; `plan_from` makes the plan of it again.

    Parameters
    ----------
    plan : the plan.
    """
    raise NotImplementedError


def plan_from(record: Mapping[str, Any]) -> SweepPlan:
    """Return the plan that `plan_record` described; no file is read but those that the scenario imports.

    Parameters
    ----------
    record : plain data.
    """
    raise NotImplementedError
