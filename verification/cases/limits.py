"""Every limiting scenario as it ships, against the facts that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.theory import measure
from verification.case import Line, Outcome

from mobsim.scenario.catalogue import shipped_scenarios

WHAT = "The limiting scenarios as they ship, against the facts that they name"
STATUS = "each fact names its own source in the scenario file"


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run every file of scenarios/limits/ as it ships."""
    lines, names = [], []
    for full in shipped_scenarios():
        place, _, name = full.rpartition("/")
        if place != "limits":
            continue
        names.append(full)
        for result in measure.bands(name):
            low = "" if result.at_least is None else f"≥ {result.at_least:g}"
            high = "" if result.at_most is None else f"≤ {result.at_most:g}"
            band = ", ".join(filter(None, (low, high)))
            interval = f"95 %: {result.low:.4f} to {result.high:.4f}" if result.low < result.high else ""
            lines.append(
                Line(f"{name}: {result.fact}", band, f"{result.estimate:.4f}", interval, "band", result.met)
            )
    return Outcome(
        setup=f"{len(names)} scenarios with their own sizes and replicates.", lines=lines, scenarios=names
    )
