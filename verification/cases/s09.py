"""S09: six people whose every outcome is known."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published, six
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend

RUNS = 1_000_000


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run a million times each rule and start."""
    errors = published.stated(case, "every node probability within 4 s.e.", 4)
    lines: list[Line] = []
    figure, axes = panel("exact chance", "ours − exact, standard errors")
    for rule, starters in six.STARTS:
        reached = _reached(case, rule, starters)
        key = six.key_of(rule, starters)
        chances = six.expected_of(case, rule, starters)
        error = np.sqrt(chances * (1 - chances) / RUNS)
        for node, chance in enumerate(chances):
            lines.append(
                near(
                    f"{key}, node {node}",
                    chance,
                    reached[node] / RUNS,
                    errors * error[node],
                    error=error[node],
                    digits=5,
                )
            )
        free = error > 0
        axes.plot(chances[free], (reached[free] / RUNS - chances[free]) / error[free], "o", label=key)
        statistic, limit = six.chi_square(case, rule, starters, reached, RUNS)
        met = statistic <= limit
        lines.append(Line(f"{key}, chi-square", f"≤ {limit:.1f}", f"{statistic:.1f}", "", "1 in 10,000", met))
    for side in (-errors, errors):
        axes.axhline(side, linestyle=":", color="gray")
    with_legend(axes)
    return Outcome(
        setup="A million runs of each rule and start. A run is one copy of the six "
        "people: copies stand side by side "
        "without ties between them, so that their draws are independent.",
        lines=lines,
        figures={"nodes": figure},
        notes=["The chi-square over nodes uses their exact covariance, from the same enumeration."],
        scenarios=["limits/independent_cascade", "limits/linear_threshold"],
    )


def _reached(case: dict[str, Any], rule: str, starters: tuple[int, ...]) -> Any:
    """Return (nodes,) in how many of the runs each node was reached."""
    if rule == "IC":
        copies, runs = 1_000, {"luck": 1_000}
    else:
        copies, runs = 20_000, {"luck": 1, "communities": 50}  # thresholds belong to a community
    with tempfile.TemporaryDirectory() as folder:
        numbers = six.overrides_of(case, rule, starters, copies, Path(folder))
        return measure.reached_nodes(six.SCENARIOS[rule], numbers, **runs)
