"""Any run of a sweep once more, alone, and its rows held against those that the ledger keeps, bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.failure import Failure
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.ordered import KEYS
from mobsim.experiment.provenance import other_version
from mobsim.experiment.results import SweepResults, load_results
from mobsim.experiment.tasks import RunKey
from mobsim.experiment.work import order_of, run_task

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("runs", "weeks")
SHOWN = 5
"""Differences that a sentence names; the others are counted."""


@dataclass(frozen=True)
class Difference:
    """A value that is not the same again.

    Attributes
    ----------
    table, column : where it stands.
    week : the week of the row; None in the table of runs.
    kept : what the ledger holds. again : what the run gave now; None where there is no such row or column.
    """

    table: str
    column: str
    week: int | None
    kept: Any
    again: Any

    def __str__(self) -> str:
        week = "" if self.week is None else f" in week {self.week}"
        return f"{self.column}{week} was {self.kept} and is {self.again}"


@dataclass(frozen=True, eq=False)
class Rerun:
    """One run of a sweep, run once more alone.

    Attributes
    ----------
    key : which run.
    runs, weeks : its rows as they are now; without rows if it fails.
    kept : whether the ledger holds rows of it.
    compared : how many values were held against the ledger's.
    differences : those that are not the same, bit for bit.
    failure : how it fails now; None if it does not.
    failure_before : how it failed in the sweep; None if it did not.
    version : a sentence if another mobsim made the ledger, else empty.
    """

    key: RunKey
    runs: pd.DataFrame
    weeks: pd.DataFrame
    kept: bool
    compared: int
    differences: tuple[Difference, ...]
    failure: Failure | None
    failure_before: Failure | None
    version: str

    @property
    def same(self) -> bool:
        """Whether everything that the ledger holds of this run is the same again."""
        if self.failure is None or self.failure_before is None:
            return not self.differences and (self.failure is None) == (self.failure_before is None)
        now, before = self.failure, self.failure_before
        return (now.stage, now.error) == (before.stage, before.error)

    @property
    def sentence(self) -> str:
        """What came of it, in words."""
        return f"{self.key}: {self._found()}"

    def _found(self) -> str:
        now, before = self.failure, self.failure_before
        if now is not None:
            fails = f"fails at the stage {now.stage}: {now.error}"
            if before is None:
                return f"{fails}; the sweep has its rows" if self.kept else fails
            return f"{fails}; as in the sweep" if self.same else f"{fails}; the sweep says: {before.error}"
        if before is not None:
            return (
                f"runs now, and failed in the sweep ({before.error}); try again: mobsim sweep --retry-failed"
            )
        if not self.kept:
            return "runs; the ledger does not hold it yet"
        if not self.differences:
            return f"all {self.compared:,} values are the same, bit for bit"
        named = "; ".join(map(str, self.differences[:SHOWN]))
        more = len(self.differences) - SHOWN
        others = f"; and {more:,} more" if more > 0 else ""
        return f"{len(self.differences):,} of {self.compared:,} values differ: {named}{others}"


@dataclass(frozen=True, eq=False)
class Verification:
    """What came of running a random sample of a sweep once more.

    Attributes
    ----------
    reruns : the sample, in the order of the table of runs.
    of : how many runs it was drawn from.
    seed : of the draw.
    version : a sentence if another mobsim made the ledger, else empty.
    """

    reruns: tuple[Rerun, ...]
    of: int
    seed: int
    version: str

    @property
    def differing(self) -> tuple[Rerun, ...]:
        """The runs that are not the same again."""
        return tuple(rerun for rerun in self.reruns if not rerun.same)

    @property
    def same(self) -> bool:
        """Whether all of the sample is the same again."""
        return not self.differing

    @property
    def sentences(self) -> tuple[str, ...]:
        """What came of it, in words: a summary, then every run that differs."""
        n, bad = len(self.reruns), len(self.differing)
        drawn = f"{n:,} of {self.of:,} runs" + (
            "" if n == self.of else f", drawn at random (seed {self.seed})"
        )
        values = sum(rerun.compared for rerun in self.reruns)
        if not bad:
            summary = f"{drawn}, were run once more: all {values:,} values are the same, bit for bit"
        else:
            summary = f"{drawn}, were run once more: {bad:,} {'differs' if bad == 1 else 'differ'}"
        version = (self.version,) if self.version else ()
        return (summary, *version, *(rerun.sentence for rerun in self.differing))


def rerun(path: str | Path | SweepResults, run: str | RunKey) -> Rerun:
    """Run one run of a sweep once more, alone, and hold it against the ledger.

    Parameters
    ----------
    path : the ledger, the folder of the sweep, or its results.
    run : its id, such as p12-c3-l0-outreach.

    Raises
    ------
    UsageError : if there is no such run.
    """
    results = path if isinstance(path, SweepResults) else load_results(path)
    key = run if isinstance(run, RunKey) else RunKey.parse(run)
    whole = order_of(results.plan, results.plan.task_of(key))
    order = replace(
        whole,
        points={key.point: whole.points[key.point]},
        arms=(key.arm,),
        communities=(key.community,),
        luck=(key.luck,),
    )
    found = run_task(order)
    now = {name: found.tables[name].to_frame() for name in TABLES if name in found.tables}
    before = {name: results.rows_of(name, key) for name in TABLES}
    compared, differences = _compared(before, now)
    empty = before["runs"].iloc[:0]
    return Rerun(
        key=key,
        runs=now.get("runs", empty),
        weeks=now.get("weeks", empty),
        kept=len(before["runs"]) > 0,
        compared=compared,
        differences=differences,
        failure=found.failures[0] if found.failures else None,
        failure_before=results.failure(key),
        version=other_version(results.manifest),
    )


def verify(
    path: str | Path | SweepResults,
    sample: int = 20,
    *,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Check a ledger, run a random sample of its runs once more, each alone, and compare them bit for bit.

    Parameters
    ----------
    path : the ledger, the folder of the sweep, or its results.
    sample : how many runs; all if there are fewer.
    seed : of the draw; another seed draws other runs.
    progress : called with (runs done, all of the sample) after every run.

    Raises
    ------
    ResultsError : if the ledger is damaged or holds no runs.
    UsageError : if the sample is empty.
    """
    if sample < 1:
        raise UsageError(f"sample: found {sample}; allowed are whole numbers from 1 on")
    results = path if isinstance(path, SweepResults) else load_results(path)
    with Ledger.open(results.path) as ledger:
        ledger.check()
    keys = results.run_keys()
    if not keys:
        raise ResultsError(f"{results.path} holds no finished run; there is nothing to verify")
    drawn = sorted(random.Random(seed).sample(range(len(keys)), min(sample, len(keys))))
    reruns = []
    for place in drawn:
        reruns.append(rerun(results, keys[place]))
        if progress is not None:
            progress(len(reruns), len(drawn))
    return Verification(tuple(reruns), len(keys), seed, other_version(results.manifest))


def _compared(
    before: dict[str, pd.DataFrame], now: dict[str, pd.DataFrame]
) -> tuple[int, tuple[Difference, ...]]:
    """Hold tables of one run against each other; return how many values, and those that differ."""
    compared = 0
    differences: list[Difference] = []
    for name in TABLES:
        kept, again = before[name], now.get(name)
        if again is None or not len(kept):
            continue
        weeks = kept["week"].tolist() if name == "weeks" else [None]
        if len(kept) != len(again):
            compared += 1
            differences.append(Difference(name, "number of rows", None, len(kept), len(again)))
            continue
        for column in dict.fromkeys((*kept.columns, *again.columns)):
            if column in KEYS:
                continue
            old, new = _column(kept, column), _column(again, column)
            compared += len(old)
            differences += [
                Difference(name, column, weeks[row], old[row], new[row])
                for row in range(len(old))
                if not _same(old[row], new[row])
            ]
    return compared, tuple(differences)


def _column(table: pd.DataFrame, name: str) -> list[Any]:
    """Return a column; one that is not there is empty, as in tables of points that have it."""
    return table[name].tolist() if name in table.columns else [float("nan")] * len(table)


def _same(one: Any, other: Any) -> bool:
    """Say whether two values have the same bits; whole numbers may stand as numbers where cells are empty."""
    if isinstance(one, str) or isinstance(other, str) or one is None or other is None:
        return bool(one == other)
    first, second = np.float64(one), np.float64(other)
    if np.isnan(first) or np.isnan(second):
        return bool(np.isnan(first) and np.isnan(second))
    return first.tobytes() == second.tobytes()
