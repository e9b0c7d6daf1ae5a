"""What a worker hands back for a task: tables of the runs that went well, and the runs that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mobsim.experiment.table import Table


@dataclass(frozen=True)
class Failure:
    """One run that failed.

    Parameters
    ----------
    run : the run's key as text, such as p12-c3-l0-outreach.
    stage : scenario, community, simulation, tables or worker.
    error : one line: the class of the error and its sentence.
    traceback : where it was raised; empty if the worker died.
    attempt : how many times the run was tried, this time included. The ledger adds the tries of earlier
        sweeps that it kept.
    """

    run: str
    stage: str
    error: str
    traceback: str = ""
    attempt: int = 1


@dataclass(frozen=True, eq=False)
class TaskResult:
    """The result of a task.

    Parameters
    ----------
    number : the task's number in the plan.
    tables : name (runs, weeks) -> rows of the runs that went well.
    failures : the runs that failed.
    seconds : processor time it took.
    n_runs : runs of the task, failed ones included.
    """

    number: int
    tables: Mapping[str, Table]
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    n_runs: int = 0
