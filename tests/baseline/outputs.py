"""What every shipped scenario puts out on its first community and luck: numbers to read, and a digest of
all bits.

The engine promises the same bits on every machine, so the digests must agree everywhere. `rewrite_outputs.py`
writes `outputs.json`; nothing else may. A change of this file needs a line under "Regression" in
CHANGELOG.md.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from mobsim.engine.run import simulate
from mobsim.scenario.file import load_scenario

FILE = Path(__file__).with_name("outputs.json")
SCENARIOS = Path(__file__).parents[2] / "scenarios"
READABLE = ("aware_fe", "participation_fe", "participation_end", "reach", "cost", "wins_fe")


def scenario_files() -> list[Path]:
    """Return all shipped scenario files."""
    return sorted(SCENARIOS.rglob("*.yaml"))


def measure(path: Path) -> dict[str, Any]:
    """Run a scenario on community 0 with luck 0 and return its outcomes by arm with the digest of its
    records."""
    records = simulate(load_scenario(path), communities=1, luck=1, threads=1)
    digest = hashlib.sha256()
    for array in (records.counts, records.units, records.cents, records.reached, records.wins, records.sums):
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    for array in (records.stances, records.contacts, records.income, records.local):
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    for real in (records.results, records.coalition, records.interest, records.capacity, records.resources):
        digest.update(np.ascontiguousarray(real, np.float64).tobytes())
    runs = records.runs().set_index("arm")
    arms = {arm: {name: round(float(runs.loc[arm, name]), 6) for name in READABLE} for arm in runs.index}
    return {"sha256": digest.hexdigest(), "arms": arms}


def name_of(path: Path) -> str:
    """Return the scenario's place under scenarios/, without the ending."""
    return path.relative_to(SCENARIOS).with_suffix("").as_posix()


def written() -> dict[str, Any]:
    """Return what outputs.json holds."""
    held: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return held
