"""What a sweep gave: tables read from its ledger in one order, whole or piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mobsim.experiment.design import Design
    from mobsim.experiment.factors import Factor
    from mobsim.experiment.ledger import Ledger
    from mobsim.experiment.plan import SweepPlan
    from mobsim.scenario.scenario import Scenario

KEYS = ("point", "arm", "community", "luck")
"""The columns that say which run a row is; rows are ordered by them, arms as in the plan."""

CHUNK = 50_000
"""Rows that are handed out at a time."""


def load_results(path: str | Path) -> SweepResults:
    """Open the results of a sweep, finished or not.

    Parameters
    ----------
    path : the ledger, or the folder it lies in.

    Raises
    ------
    ResultsError : if there is no ledger, or it is damaged.
    """
    raise NotImplementedError


class SweepResults:
    """The results of a sweep.

    Parameters
    ----------
    ledger : the ledger, open for reading.

    Attributes
    ----------
    path : the ledger's file.
    plan : what was to be run.
    manifest : versions, resolved design and scenario, seed, platform.
    """

    path: Path
    plan: SweepPlan
    manifest: Mapping[str, Any]

    def __init__(self, ledger: Ledger) -> None:
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Name of the design."""
        return self.plan.design.name

    @property
    def design(self) -> Design:
        """The design."""
        return self.plan.design

    @property
    def digest(self) -> str:
        """The digest of all that decides the numbers."""
        return self.plan.digest

    @property
    def scenario(self) -> Scenario:
        """The scenario that the points change."""
        return self.plan.base

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What varies."""
        return self.plan.factors

    @property
    def points(self) -> pd.DataFrame:
        """One row a point: its number, and a column for each factor, with labels where values have them."""
        return self.plan.points_table()

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, `none` first."""
        return self.plan.arms

    @property
    def communities(self) -> tuple[int, ...]:
        """Numbers of the communities."""
        return self.plan.communities

    @property
    def luck(self) -> tuple[int, ...]:
        """Numbers of the streams of luck on each community."""
        return self.plan.luck

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Columns of the table of runs that are measured, in their order."""
        raise NotImplementedError

    @property
    def tasks_done(self) -> tuple[int, int]:
        """How many tasks are done, of how many."""
        raise NotImplementedError

    @property
    def complete(self) -> bool:
        """Whether every task is done; runs that failed are rows of `failures`."""
        done, of = self.tasks_done
        return done == of

    @property
    def n_runs(self) -> int:
        """How many runs there are."""
        raise NotImplementedError

    def runs(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row a run: point, arm, community, luck and outcomes, ordered by these four.

        Parameters
        ----------
        columns : outcomes to read beside the four; none: all.
        """
        raise NotImplementedError

    def weeks(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row a run and recorded week: the four keys, week, and what was measured.

        Parameters
        ----------
        columns : measured columns to read beside the keys and week; none: all.
        """
        raise NotImplementedError

    def failures(self) -> pd.DataFrame:
        """Return one row a failed run: the four keys, stage, error, traceback, attempt."""
        raise NotImplementedError

    def iter_runs(self, chunk: int = CHUNK, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows of `runs` in the same order, so many at a time.

        Parameters
        ----------
        chunk : most rows of a piece.
        columns : outcomes to read beside the keys; none: all.
        """
        raise NotImplementedError

    def iter_weeks(self, chunk: int = CHUNK, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows of `weeks` in the same order, so many at a time.

        Parameters
        ----------
        chunk : most rows of a piece.
        columns : measured columns to read beside the keys and week; none: all.
        """
        raise NotImplementedError

    def means(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row a point and arm: the mean of each outcome over luck, then over communities.

        Parameters
        ----------
        columns : outcomes; none: all.
        """
        raise NotImplementedError

    def to_xarray(self, outcomes: Sequence[str] | None = None, *, unstack: bool = False) -> xr.Dataset:
        """Return outcomes over the dimensions point, arm, community and luck; needs the extra `xarray`.

        Parameters
        ----------
        outcomes : columns of `runs`; none: all.
        unstack : for a grid: one dimension for each factor in the place of point.
        """
        raise NotImplementedError
