"""What was measured: arrays by run and week, and the tidy tables made from them.

A run is one replicate (community, luck) of one arm. The columns of the tables are declared in `outcomes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mobsim.campaign.activity import ActivityUse, line_names
from mobsim.engine.survey import SurveyResult
from mobsim.kernels.arrays import Float64, Int64
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

AWARE, PARTICIPATING, CONTACTED, UNCONTACTED, ORGANIZING = range(5)
"""What the last axis of `Records.counts` counts."""
APPEAL, CAPABILITY, OWNERSHIP, TRUST, EMPOWERMENT, CONCERN = range(6)
"""Whose sums stand on the last axis of `Records.sums`."""
SUPPORTIVE, OPPOSED = range(2)
"""Which leaders the last axis of `Records.stances` counts."""
UNIT = 2.0**32


@dataclass(frozen=True, eq=False)
class Run:
    """Which run a row of the arrays is: arm, community, luck, and the point of its parameters."""

    arm: str
    community: int
    luck: int
    point: int = 0


@dataclass(frozen=True, eq=False)
class Records:
    """Records of all runs of a simulation, ordered by arm, point, community, luck.

    scenario : the resolved scenario. funding_end : the last funded week.
    runs_index : which run each row is.
    group_sizes : (runs, G) residents by group. leaders : (runs,) leaders.
    counts : (runs, W, G, 5) aware, participating, contacted, participating but never contacted, organizers.
    results, wins, coalition : (runs, W). stances : (runs, W, 2) leaders supportive and opposed.
    contacts : (runs, W) made by organizers. income : (runs, W) local cents that came in.
    units, cents, local : (runs, W, B) units bought, external and local cents spent.
    reached : (runs, W, B, G) who was reached, came or heard.
    mean_weeks : weeks with means; sums : (runs, mean_weeks, G, 6) in 2**-32.
    interest, capacity, member, resources : (runs, mean_weeks, K) of organizations; resources in cents.
    at_funding_end : (runs, 3) participants at funding end, of these at end, of these never left.
    organizers_at_funding_end : (runs, 2) organizers at funding end, of these in every week to the end.
    unspent_cents, local_left_cents : (runs,) external and local money left at the end.
    surveys_asked : the row of a run, and a survey of it; ordered by row and week.
    points : the values that each point changes, if runs were asked for at several points.
    """

    scenario: Scenario
    funding_end: int
    runs_index: tuple[Run, ...]
    group_sizes: Int64
    leaders: Int64
    counts: Int64
    results: Float64
    wins: Int64
    coalition: Float64
    stances: Int64
    contacts: Int64
    income: Int64
    units: Int64
    cents: Int64
    local: Int64
    reached: Int64
    mean_weeks: tuple[int, ...]
    sums: Int64
    interest: Float64
    capacity: Float64
    member: Float64
    resources: Float64
    at_funding_end: Int64
    organizers_at_funding_end: Int64
    unspent_cents: Int64
    local_left_cents: Int64
    surveys_asked: tuple[tuple[int, SurveyResult], ...]
    points: tuple[Mapping[str, Any], ...] | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups; the first is the majority."""
        return tuple(self.scenario.community.groups)

    @property
    def end(self) -> int:
        """The last simulated week."""
        return int(self.counts.shape[1]) - 1

    def runs(self) -> pd.DataFrame:
        """Return one row a run: arm, community, luck and all outcomes."""
        from mobsim.engine.run_table import table_of_runs

        return table_of_runs(self)

    def weeks(self) -> pd.DataFrame:
        """Return one row a run and week."""
        from mobsim.engine.week_tables import table_of_weeks

        return table_of_weeks(self)

    def run_columns(self) -> dict[str, NDArray[Any]]:
        """Return the outcomes of `runs` as arrays (runs,)."""
        from mobsim.engine.run_table import columns_of_runs

        return columns_of_runs(self)

    def week_columns(self, weeks: Sequence[int] | None = None) -> dict[str, NDArray[Any]]:
        """Return the weeks and what `weeks` says of them as arrays (runs x weeks,), run after run.

        Parameters
        ----------
        weeks : which weeks, in rising order; none: all.
        """
        from mobsim.engine.week_tables import columns_of_weeks

        return columns_of_weeks(self, weeks)

    def activities(self) -> pd.DataFrame:
        """Return one row an arm, activity and week, the mean over runs."""
        from mobsim.engine.week_tables import table_of_activities

        return table_of_activities(self)

    def organizations(self) -> pd.DataFrame:
        """Return one row an arm, organization and decision week, the mean over runs."""
        from mobsim.engine.organization_table import table_of_organizations

        return table_of_organizations(self)

    def domains(self) -> pd.DataFrame:
        """Return one row an arm and decision week: Lippman's six domains, the mean over runs."""
        from mobsim.engine.week_tables import table_of_domains

        return table_of_domains(self)

    def surveys(self) -> pd.DataFrame:
        """Return one row a run and survey: estimates, the truth beside them, causes, shares after."""
        from mobsim.engine.survey_table import table_of_surveys

        return table_of_surveys(self)

    def keys(self) -> dict[str, object]:
        """Return the columns that say which run a row is."""
        points = {} if self.points is None else {"point": [run.point for run in self.runs_index]}
        return {
            "arm": [run.arm for run in self.runs_index],
            **points,
            "community": [run.community for run in self.runs_index],
            "luck": [run.luck for run in self.runs_index],
        }

    def rows_by_arm(self) -> dict[str, Int64]:
        """Return the rows of each arm, in the order of the arms."""
        arms = np.array([run.arm for run in self.runs_index])
        return {arm: np.flatnonzero(arms == arm) for arm in dict.fromkeys(arms.tolist())}

    def uses(self, arm: str) -> tuple[ActivityUse, ...]:
        """Return the lines of an arm.

        Parameters
        ----------
        arm : its name.
        """
        return () if arm == NONE else self.scenario.arms[arm].activities

    def lines(self, arm: str) -> tuple[str, ...]:
        """Return the labels of the lines that money is spent on; an arm that buys surveys has one more.

        Parameters
        ----------
        arm : its name.
        """
        return () if arm == NONE else line_names(self.scenario.arms[arm])


def ratio(numerator: object, denominator: object) -> Float64:
    """Return a quotient, NaN where the denominator is 0.

    Parameters
    ----------
    numerator, denominator : arrays of one shape.
    """
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    result: Float64 = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return result
