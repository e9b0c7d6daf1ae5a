"""A tiny sweep for tests: its plan, its tasks run in this process, and a ledger of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mobsim.experiment import tasks as partition
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.plan import SweepPlan, plan_sweep
from mobsim.experiment.provenance import record_of
from mobsim.experiment.work import TaskResult, order_of, run_task

SCENARIO = """
schema_version: 2
title: A small village
description: Two strategies under one budget.
community: {residents: 60}      # [A]
campaign: {burn_in_weeks: 4, funding_starts_week: 2, funding_ends_week: 8, horizon_weeks: 12}  # [A]
arms:
  outreach: {activities: [{kind: visit, share: 1.0}]}  # [A]
  training: {activities: [{kind: skills, share: 1.0}]} # [A]
goals: [{name: tenth, at_least: 0.1, by_week: 7}]  # [A]
replicates: {communities: 2, luck: 2} # [A]
"""

DESIGN: dict[str, Any] = {
    "schema_version": 1,
    "name": "village_sweep",
    "factors": {
        "behaviour.social_weight": {"values": [0.2, 0.8]},
        "community.residents": {"values": [60, 80, 100], "labels": ["few", "some", "many"]},
    },
    "design": {"kind": "grid"},
}


def village_design(folder: Path, **changes: Any) -> dict[str, Any]:
    """Write the scenario into a folder and return a design of it."""
    scenario = folder / "village.yaml"
    scenario.write_text(SCENARIO)
    return {**DESIGN, "scenario": str(scenario), **changes}


def village_plan(folder: Path, work: int = 30_000, **changes: Any) -> SweepPlan:
    """Plan the sweep; work: resident-weeks of a task, so little that there are several."""
    usual, partition.WORK = partition.WORK, work
    try:
        return plan_sweep(village_design(folder, **changes))
    finally:
        partition.WORK = usual


def results_of(plan: SweepPlan) -> list[TaskResult]:
    """Run every task of a plan."""
    return [run_task(order_of(plan, task.number)) for task in plan.tasks]


def keep(
    plan: SweepPlan,
    path: Path,
    results: Iterable[TaskResult],
    *,
    shard: tuple[int, int] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Make a ledger that holds these results, in this order; changes: of its record."""
    record = record_of(plan) | dict(changes or {})
    with Ledger.create(path, record, len(plan.tasks), shard) as ledger:
        for result in results:
            ledger.keep(result)
    return path
