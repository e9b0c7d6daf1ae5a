"""A run that failed: a row that says which run it was, at which stage it failed, and why."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from traceback import TracebackException


@dataclass(frozen=True)
class Failure:
    """One run that failed.

    Parameters
    ----------
    run : the run's key as text, such as p12-c3-l0-outreach.
    stage : scenario, community, simulation, tables or worker.
    error : one line: the class of the error and its sentence.
    traceback : where it was raised, see `traceback_of`; empty if the worker died.
    attempt : how many times its task was tried, this time included.
    """

    run: str
    stage: str
    error: str
    traceback: str = ""
    attempt: int = 1


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error, the same on every machine: files are named as they are imported.

    Parameters
    ----------
    error : as it was caught.

    Examples
    --------
    >>> from mobsim.experiment.shard import parse_shard
    >>> try:
    ...     parse_shard("5/2")
    ... except Exception as error:
    ...     [line] = [line for line in traceback_of(error).splitlines() if "in parse_shard" in line]
    >>> line.split(",")[0].strip()
    'File "mobsim/experiment/shard.py"'
    """
    told = TracebackException.from_exception(error)
    waiting, seen = [told], {id(told)}
    while waiting:
        part = waiting.pop()
        for frame in part.stack:
            frame.filename = _as_imported(frame.filename)
        inner = (part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ()))
        waiting += [one for one in inner if one is not None and id(one) not in seen]
        seen |= {id(one) for one in inner}
    return "".join(told.format())


def _as_imported(file: str) -> str:
    """Return a file's path below the folder it was imported from, or its name if it was not imported."""
    path = Path(file)
    if not path.is_absolute():
        return file
    above = [Path(place) for place in sys.path if place and path.is_relative_to(place)]
    if not above:
        return path.name
    return path.relative_to(max(above, key=lambda place: len(place.parts))).as_posix()
