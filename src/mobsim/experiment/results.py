"""What a sweep gave: tables read from its ledger in one order, whole or piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.errors import ResultsError, UsageError, nearest, needs_extra
from mobsim.experiment.failure import Failure
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.ordered import KEYS, Order, order_of_rows, window_rows, windows
from mobsim.experiment.provenance import plan_of
from mobsim.experiment.shard import LEDGER, shards_in
from mobsim.experiment.table import Column, Words
from mobsim.experiment.tasks import RunKey

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mobsim.experiment.design import Design
    from mobsim.experiment.factors import Factor
    from mobsim.experiment.plan import SweepPlan
    from mobsim.scenario.scenario import Scenario

CHUNK = 50_000
"""Rows that are handed out at a time."""

FAILURE_COLUMNS = (*KEYS, "stage", "error", "traceback", "attempt")


def load_results(path: str | Path) -> SweepResults:
    """Open the results of a sweep, finished or not.

    Parameters
    ----------
    path : the ledger, or the folder it lies in.

    Raises
    ------
    ResultsError : if there is no ledger, or it is damaged.
    """
    return SweepResults(find_ledger(path))


def find_ledger(path: str | Path) -> Path:
    """Return the ledger that a path means.

    Parameters
    ----------
    path : a ledger, the folder of a sweep, or the folder of a design of which there is one sweep.

    Raises
    ------
    ResultsError : if there is none, or more than one.
    """
    place = Path(path)
    if place.is_file():
        return place
    if not place.is_dir():
        raise ResultsError(f"{path} is not there; allowed: a ledger, or the folder of a sweep's results")
    if (place / LEDGER).is_file():
        return place / LEDGER
    shards = shards_in(place)
    sweeps = sorted(place.glob(f"*/{LEDGER}"))
    for found in (shards, sweeps):
        if len(found) == 1:
            return found[0]
    if shards:
        names = ", ".join(shard.name for shard in shards)
        raise ResultsError(
            f"{path} holds {len(shards)} shards of a sweep ({names}); put them together with: "
            f"mobsim merge {place} {place / 'ledger-*.sqlite'}"
        )
    if sweeps:
        names = ", ".join(sweep.parent.name for sweep in sweeps)
        raise ResultsError(f"{path} holds {len(sweeps)} sweeps; allowed is one of its folders: {names}")
    raise ResultsError(f"{path} holds no ledger; allowed: a ledger, or the folder of a sweep's results")


class SweepResults:
    """The results of a sweep, as far as its ledger holds them when they are opened.

    Parameters
    ----------
    path : the ledger.

    Attributes
    ----------
    path : the ledger.
    plan : what was to be run.
    manifest : versions, resolved design and scenario, seed, platform.
    tasks_done : how many tasks are done, of how many in the whole sweep.
    shard : which share of the sweep the ledger holds, (1, 3) for the first of three; None: all of it.
    """

    path: Path
    plan: SweepPlan
    manifest: Mapping[str, Any]
    tasks_done: tuple[int, int]
    shard: tuple[int, int] | None

    def __init__(self, path: Path) -> None:
        self.path = path
        with Ledger.open(path) as ledger:
            header = ledger.header()
            done = len(set(ledger.kept_tasks()) - set(ledger.missing_tasks()))
            self._failures = tuple(ledger.failures())
        self.plan = plan_of(header)
        self.manifest = header["manifest"]
        self.tasks_done = (done, len(self.plan.tasks))
        shard = header.get("shard")
        self.shard = None if shard is None else (shard[0], shard[1])
        self._orders: dict[str, Order] = {}

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

    @cached_property
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
    def complete(self) -> bool:
        """Whether every task is done; runs that failed are rows of `failures`."""
        done, of = self.tasks_done
        return done == of

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Measured columns of the table of runs, in their order."""
        return tuple(name for name in self._order("runs").kinds if name not in KEYS)

    @property
    def n_runs(self) -> int:
        """How many runs there are; those that failed are not among them."""
        return self._order("runs").n_rows

    @property
    def n_weeks(self) -> int:
        """How many rows the table of weeks has; 0 if the design records none."""
        return self._order("weeks").n_rows

    @property
    def n_failures(self) -> int:
        """How many runs failed."""
        return len(self._failures)

    def columns(self, table: str) -> tuple[str, ...]:
        """Return all columns of a table, in their order.

        Parameters
        ----------
        table : runs or weeks.
        """
        return tuple(self._order(table).kinds)

    def run_keys(self) -> list[RunKey]:
        """Return which runs there are, in the order of the table of runs."""
        keys = self._order("runs").keys.tolist()
        return [RunKey(point, self.arms[arm], community, luck) for point, arm, community, luck in keys]

    def runs(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row a run: point, arm, community, luck and outcomes, ordered by these four.

        Parameters
        ----------
        columns : outcomes to read beside the four; none: all.

        Raises
        ------
        UsageError : if a column does not exist.
        """
        return next(self._frames("runs", KEYS, columns, None))

    def weeks(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row a run and recorded week: the four keys, week, and what was measured.

        The arm is a pandas category here, since there are many rows.

        Parameters
        ----------
        columns : measured columns to read beside the keys and week; none: all.

        Raises
        ------
        UsageError : if a column does not exist.
        """
        return next(self._frames("weeks", (*KEYS, "week"), columns, None))

    def iter_runs(self, chunk: int = CHUNK, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows of `runs` in the same order, so many at a time; at least one piece, maybe empty.

        Parameters
        ----------
        chunk : most rows of a piece.
        columns : outcomes to read beside the keys; none: all.
        """
        return self._frames("runs", KEYS, columns, chunk)

    def iter_weeks(self, chunk: int = CHUNK, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows of `weeks` in the same order, so many at a time; at least one piece, maybe empty.

        Parameters
        ----------
        chunk : most rows of a piece.
        columns : measured columns to read beside the keys and week; none: all.
        """
        return self._frames("weeks", (*KEYS, "week"), columns, chunk)

    def failures(self) -> pd.DataFrame:
        """Return one row a failed run: the four keys, stage, error, traceback, attempt."""
        import pandas as pd

        found = [(RunKey.parse(failure.run), failure) for failure in self._failures]
        found.sort(key=lambda pair: (pair[0].point, self.arms.index(pair[0].arm), pair[0].community,
                                     pair[0].luck))  # fmt: skip
        rows = [
            (key.point, key.arm, key.community, key.luck, f.stage, f.error, f.traceback, f.attempt)
            for key, f in found
        ]
        table = pd.DataFrame(rows, columns=list(FAILURE_COLUMNS))
        return table.astype(dict.fromkeys(("point", "community", "luck", "attempt"), np.int64))

    def failure(self, key: RunKey) -> Failure | None:
        """Return why a run failed, or None if it did not.

        Parameters
        ----------
        key : the run.
        """
        return next((failure for failure in self._failures if failure.run == str(key)), None)

    def rows_of(self, table: str, key: RunKey) -> pd.DataFrame:
        """Return the rows of one run.

        Parameters
        ----------
        table : runs or weeks.
        key : the run.
        """
        order = self._order(table)
        wanted = (key.point, self.arms.index(key.arm), key.community, key.luck)
        alone = np.flatnonzero((order.keys == np.array(wanted)).all(axis=1))
        one = Order(
            table, order.keys[alone], order.task[alone], order.first[alone], order.rows[alone],
            order.lengths, order.kinds,
        )  # fmt: skip
        with Ledger.open(self.path) as ledger:
            return _frame(next(windows(ledger, one, tuple(order.kinds), self.arms)), 0, None)

    def means(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row a point and arm: the mean of each outcome over luck, then over communities.

        What does not exist in a run (an empty cell) is left out of the mean.

        Parameters
        ----------
        columns : outcomes; none: all that are numbers.
        """
        import pandas as pd

        numbers = [name for name in self.outcomes if self._order("runs").kinds[name] != "words"]
        names = numbers if columns is None else list(columns)
        by = ["point", "arm"]
        means: list[pd.DataFrame] = []
        begun: list[pd.DataFrame] = []  # rows of a point that goes on in the next piece
        for piece in self.iter_runs(columns=names):
            rows = pd.concat([*begun, piece], ignore_index=True)
            whole = rows["point"] != rows["point"].max()
            means += [_mean_over(rows[whole], by)] if whole.any() else []
            begun = [rows[~whole]]
        means.append(_mean_over(begun[0], by))
        return pd.concat(means, ignore_index=True)[[*by, *names]]

    def to_xarray(self, outcomes: Sequence[str] | None = None, *, unstack: bool = False) -> xr.Dataset:
        """Return outcomes over the dimensions point, arm, community and luck; needs the extra `xarray`.

        The factors are coordinates of the points. What was not run, or failed, is NaN.

        Parameters
        ----------
        outcomes : columns of `runs`; none: all.
        unstack : for a grid: one dimension for each factor in the place of point.

        Raises
        ------
        UsageError : if the extra is not installed, or points that are no grid are to be unstacked.
        """
        try:
            import xarray as xr
        except ImportError as error:
            raise needs_extra("xarray", "a view of results with named dimensions") from error
        if unstack and self.design.design.kind != "grid":
            raise UsageError(
                f"unstack: found the design {self.design.design.kind}; allowed is grid, whose points are all "
                "combinations of the factors"
            )
        runs = self.runs(outcomes)
        axes: dict[str, Sequence[Any]] = {
            "point": range(len(self.plan.points)),
            "arm": self.arms,
            "community": self.communities,
            "luck": self.luck,
        }
        shape = tuple(len(axis) for axis in axes.values())
        place = tuple(
            np.array([{value: at for at, value in enumerate(axis)}[value] for value in runs[name].tolist()],
                     np.int64)
            for name, axis in axes.items()
        )  # fmt: skip
        data = {}
        for name in runs.columns[len(KEYS) :]:
            filled = np.full(shape, np.nan)
            filled[place] = runs[name].to_numpy(np.float64)
            data[name] = (list(axes), filled)
        factors = {factor.name: ("point", self.points[factor.name].to_numpy()) for factor in self.factors}
        coordinates = {name: list(axis) for name, axis in axes.items()}
        dataset = xr.Dataset(data, coords=coordinates | factors, attrs={"sweep": self.name})
        if not unstack:
            return dataset
        levels = {name: list(dict.fromkeys(self.points[name])) for name in factors}
        grid = dataset.drop_vars("point").set_index(point=list(factors)).unstack("point")
        return grid.reindex(levels)  # unstacking sorts them

    def _order(self, table: str) -> Order:
        if table not in self._orders:
            with Ledger.open(self.path) as ledger:
                self._orders[table] = order_of_rows(ledger, table, self.arms)
        return self._orders[table]

    def _frames(
        self, table: str, keys: Sequence[str], columns: Sequence[str] | None, chunk: int | None
    ) -> Iterator[pd.DataFrame]:
        """Yield a table as data frames; all at once if no size of pieces is given."""
        order = self._order(table)
        measured = [name for name in order.kinds if name not in keys]
        names = [name for name in keys if name in order.kinds] + self._chosen(table, columns, measured)
        if not order.kinds:
            yield _frame({name: np.zeros(0, np.int64) for name in keys}, 0, None)
            return
        most = None if chunk is None else max(chunk, window_rows(order, names))
        with Ledger.open(self.path) as ledger:
            for window in windows(ledger, order, names, self.arms, most):
                length = len(window["point"])
                step = max(1, length if chunk is None else chunk)
                for start in range(0, max(length, 1), step):
                    yield _frame(window, start, start + step, compact=table == "weeks")

    def _chosen(self, table: str, columns: Sequence[str] | None, measured: Sequence[str]) -> list[str]:
        if columns is None:
            return list(measured)
        for name in columns:
            if name not in measured:
                raise UsageError(
                    f"{name!r} is no measured column of the table of {table}; docs/outcomes.md lists them"
                    f"{nearest(str(name), measured)}"
                )
        return list(dict.fromkeys(columns))


def _frame(
    columns: Mapping[str, Column], start: int, stop: int | None, *, compact: bool = False
) -> pd.DataFrame:
    """Return rows as a data frame that shares memory with the columns; compact: words as a category."""
    import pandas as pd

    data: dict[str, Any] = {}
    for name, column in columns.items():
        if not isinstance(column, Words):
            data[name] = column[start:stop]
        elif compact:
            kind = pd.CategoricalDtype(list(column.words))
            data[name] = pd.Categorical.from_codes(column.codes[start:stop], dtype=kind)
        else:
            data[name] = np.array([*column.words, None], object)[column.codes[start:stop]]
    return pd.DataFrame(data, copy=False)


def _mean_over(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return the mean over luck, then over communities; arms stay in the order of their rows."""
    of_communities = runs.drop(columns="luck").groupby([*by, "community"], sort=False).mean()
    return of_communities.groupby(level=by, sort=False).mean().reset_index()
