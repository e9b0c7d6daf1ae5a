"""A dry run: how much a sweep will cost, from a few runs that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobsim.experiment.plan import SweepPlan


@dataclass(frozen=True)
class Forecast:
    """What a sweep will cost.

    Attributes
    ----------
    points, runs, tasks : how many.
    workers : processes that the wall time is for.
    cpu_seconds : processor time of the whole sweep, with its low and high end.
    wall_seconds : time on the clock, with its low and high end.
    memory_bytes : memory of one process at its peak, about.
    ledger_bytes, table_bytes : size of the ledger, and of the exported CSV tables.
    failing : points that do not resolve, with the reason; the first few.
    n_failing : how many of the tried points do not resolve.
    n_tried : how many points were tried.
    text : all this in words.
    """

    points: int
    runs: int
    tasks: int
    workers: int
    cpu_seconds: tuple[float, float, float]
    wall_seconds: tuple[float, float, float]
    memory_bytes: int
    ledger_bytes: int
    table_bytes: int
    failing: tuple[tuple[int, str], ...]
    n_failing: int
    n_tried: int
    text: str


def dry_run(plan: SweepPlan, workers: int | None = None) -> Forecast:
    """Say what a sweep will cost, from a few runs that are measured.

    Parameters
    ----------
    plan : the plan.
    workers : processes to forecast for; None: one for each processor.
    """
    raise NotImplementedError
