"""W7 through Mesa's batch runner on two processes, as its tutorial does it; the table goes to a CSV file."""

from __future__ import annotations

import atexit
import inspect
import itertools
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.programs.whole_week_mesa import Community
from benchmarks.sweeps import PROCESSES, RECORDED_EVERY
from benchmarks.whole_week import Inputs
from benchmarks.works import Outcome, Task, sweep_result
from mesa.batchrunner import batch_run

NAME = "Mesa"
PACKAGE = "mesa"

VALUES, REPLICATES = 4, 4
"""So many values of each factor are run, and so many replicates at each point."""


class SweptCommunity(Community):
    """Takes parameters one by one, as `batch_run` gives them."""

    def __init__(self, given: str, social_weight: float, noise: float, rng: int | None = None) -> None:
        loaded = _loaded(given)
        behaviour = loaded.parameters["behaviour"] | {"social_weight": social_weight, "noise": noise}
        super().__init__(replace(loaded, parameters=loaded.parameters | {"behaviour": behaviour}), rng)
        self.datacollector = self.collector
        self.left = loaded.weeks

    def step(self) -> None:
        """One week."""
        super().step()
        self.left -= 1
        self.running = self.left > 0


@cache
def _loaded(path: str) -> Inputs:
    """Inputs, read once in each process."""
    return Inputs.load(Path(path))


def sweep(given: Inputs) -> Task:
    """Each call runs some of the points with seeds of its own, pool and file included."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "inputs.npz"
    given.save(path)
    points: list[Mapping[str, float]] = given.parameters["points"]
    chosen = {name: _some([point[name] for point in points]) for name in points[0]}
    number = {tuple(point.values()): k for k, point in enumerate(points)}
    newer = "rng" in inspect.signature(batch_run).parameters
    repeated: dict[str, Any] = {"rng": [None] * REPLICATES} if newer else {"iterations": REPLICATES}
    calls = itertools.count()

    def run() -> Outcome:
        rows = batch_run(
            SweptCommunity,
            {"given": str(path), **chosen},
            number_processes=PROCESSES,
            max_steps=given.weeks + 1,  # the model stops by itself; Mesa's versions count differently
            data_collection_period=RECORDED_EVERY,
            display_progress=False,
            **repeated,
        )
        table = pd.DataFrame(rows)
        table.to_csv(folder / f"{next(calls)}.csv", index=False)
        return Outcome(float(table["RunId"].nunique()), lambda: told(table))

    def told(table: pd.DataFrame) -> dict[str, Any]:
        last = table[table["Step"] == table["Step"].max()]
        final: dict[int, list[int]] = {}
        for _, row in last.iterrows():
            point = number[tuple(row[name] for name in points[0])]
            final.setdefault(point, []).append(row["participating"])
        return sweep_result(sorted(final), np.array([final[point] for point in sorted(final)]))

    return run


def _some(values: list[float]) -> list[float]:
    """At most `VALUES` different values, evenly."""
    different = list(dict.fromkeys(values))
    return different[:: max(1, -(-len(different) // VALUES))]


WORKS = {"W7": sweep}
