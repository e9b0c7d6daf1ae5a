"""A ledger of made-up numbers in the shape of a large sweep: 100 runs a point, 34 weeks a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from tests.unit.experiment.swept import village_plan

from mobsim.experiment.ledger import Ledger
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.provenance import record_of
from mobsim.experiment.table import Table
from mobsim.experiment.work import TaskResult, order_of, run_task

WEEKS = 34
ARMS = 5
VISITS = {"kind": "visit", "share": 1.0}


def make_large_ledger(folder: Path, points: int) -> Path:
    """Keep made-up results of a sweep of 5 arms, 10 communities and 2 lucks, with every week recorded."""
    plan = village_plan(
        folder,
        work=400_000,
        factors={"behaviour.noise": {"low": 0.0, "high": 0.1}},
        design={"kind": "latin_hypercube", "points": points},
        set={
            "campaign.horizon_weeks": WEEKS,
            "arms": {f"arm{k}": {"activities": [VISITS]} for k in range(ARMS - 1)},
        },
        replicates={"communities": 10, "luck": 2},
        record={"weeks": "all"},
    )
    assert plan.n_runs == points * ARMS * 20
    path = folder / "ledger.sqlite"
    example = run_task(order_of(plan, 0))
    random = np.random.default_rng(1)
    with Ledger.create(path, record_of(plan), len(plan.tasks)) as ledger:
        for task in plan.tasks:
            ledger.keep(_made_up(plan, task.number, example, random))
    return path


def _made_up(plan: SweepPlan, number: int, example: TaskResult, random: np.random.Generator) -> TaskResult:
    task = plan.tasks[number]
    runs = list(task.runs(plan.arms))
    keys: dict[str, Any] = {
        "point": np.array([run.point for run in runs]),
        "arm": np.array([run.arm for run in runs]),
        "community": np.array([run.community for run in runs]),
        "luck": np.array([run.luck for run in runs]),
    }
    tables = {}
    for name, repeats in (("runs", 1), ("weeks", WEEKS)):
        columns = {key: np.repeat(values, repeats) for key, values in keys.items()}
        for column in example.tables[name].names[4:]:
            rows = len(runs) * repeats
            columns[column] = random.integers(0, 4001, rows) / 4000.0  # shares of 4,000 residents
        if name == "weeks":
            columns["week"] = np.tile(np.arange(WEEKS), len(runs))
        tables[name] = Table(columns)
    return TaskResult(number=number, tables=tables, failures=(), n_runs=len(runs))


if __name__ == "__main__":
    print(make_large_ledger(Path(sys.argv[1]), int(sys.argv[2])))  # noqa: T201
