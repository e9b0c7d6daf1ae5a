"""A run that failed: a row that says which run it was, at which stage it failed, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One run that failed.

    Parameters
    ----------
    run : the run's key as text, such as p12-c3-l0-outreach.
    stage : scenario, community, simulation, tables or worker.
    error : one line: the class of the error and its sentence.
    traceback : where it was raised; empty if the worker died.
    attempt : how many times its task was tried, this time included.
    """

    run: str
    stage: str
    error: str
    traceback: str = ""
    attempt: int = 1
