"""S01: Granovetter's riot, and one person changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run the riot and its perturbation; nothing is left to chance."""
    filled = measure.participants("granovetter_domino")[0]
    changed = measure.participants("granovetter_domino_changed")[0]
    rounds = int(np.flatnonzero(filled == 100)[0]) + 1
    reference = case["reference"]
    asked = reference["synchronous rounds to fill (0..99)"]
    figure, axes = panel("round", "participants")
    axes.plot([1, asked], [1, reference["0..99"]], "k", linewidth=0.8, label="published: one a round to 100")
    axes.plot(np.arange(1, filled.size + 1), filled, ".", label="thresholds 0 … 99")
    axes.plot(np.arange(1, changed.size + 1), changed, ".", label="one threshold 1 → 2")
    with_legend(axes)
    lines: list[Line] = [
        near("thresholds 0 … 99", reference["0..99"], filled[-1], 0, digits=0),
        near("one threshold 1 → 2", reference["1->2"], changed[-1], 0, digits=0),
        near("rounds to fill", asked, rounds, 0, digits=0),
    ]
    return Outcome(
        setup="100 residents who all see each other, thresholds 0 to 99 participants; one run each.",
        lines=lines,
        figures={"riot": figure},
        scenarios=["limits/granovetter_domino", "limits/granovetter_domino_changed"],
    )
