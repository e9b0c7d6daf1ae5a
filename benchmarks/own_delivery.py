"""What an activity written in Python costs: an arm with two visits, the second compiled or its Python copy.

`python benchmarks/own_delivery.py` prints the table of docs/decisions/0007_extension_points.md.
"""

from __future__ import annotations

from time import process_time
from typing import Any, ClassVar

import numpy as np

from mobsim.campaign.own import ACTIVITIES, OwnActivity, registered
from mobsim.engine.run import simulate
from mobsim.scenario.resolve import resolve

VISIT: dict[str, Any] = {
    "number": 48,
    "family": "outreach",
    "description": "a visit",
    "steps": ["mobilize", "implement", "sustain"],
    "cost": 2.0,
    "appeal": 0.9,
    "trust": 0.1,
    "max_units": 1000,
}
SIZES = ((1000, 64), (4000, 64), (10_000, 16))
TIMES = 3


class PythonVisit(OwnActivity):
    """Does in Python what the delivery `attempts` does."""

    spec: ClassVar[dict[str, Any]] = VISIT

    def deliver(self, view: Any) -> None:
        visited = np.argsort(view.uniform(0), kind="stable")[: view.units]
        at_home = view.uniform(1) < 0.8
        view.reach(visited[at_home[visited]])


def measured(residents: int, lanes: int, delivery: str) -> tuple[float, int]:
    """Return the best processor time in seconds, and how often the second line delivered."""
    lines = [{"kind": "visit", "share": 1}, {"kind": "home_visit", "share": 1}]
    scenario = resolve(
        {
            "schema_version": 2,
            "title": "Two visits",
            "description": "The cost of a delivery in Python.",
            "community": {"residents": residents},
            "campaign": {"burn_in_weeks": 4, "funding_ends_week": 78, "horizon_weeks": 104},
            "activities": {"home_visit": {**VISIT, "delivery": delivery}},
            "arms": {"visits": {"activities": lines}},
        }
    )
    times = []
    for _ in range(TIMES):
        began = process_time()
        records = simulate(scenario, arms=["visits"], communities=1, luck=lanes, threads=1)
        times.append(process_time() - began)
    return min(times), int((records.units[:, :, 1] > 0).sum())


def main() -> None:
    """Print the table."""
    print("| residents × lanes | both compiled | one in Python | deliveries | each |\n|---|---|---|---|---|")
    with registered(ACTIVITIES, "home_visit", PythonVisit):
        for residents, lanes in SIZES:
            compiled, _ = measured(residents, lanes, "attempts")
            python, deliveries = measured(residents, lanes, "python")
            each = 1000 * (python - compiled) / deliveries
            print(
                f"| {residents:,} × {lanes} | {compiled:.2f} s | {python:.2f} s "
                f"| {deliveries:,} | {each:.2f} ms |",
                flush=True,
            )


if __name__ == "__main__":
    main()
