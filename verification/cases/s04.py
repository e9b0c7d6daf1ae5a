"""S04: the size of cascades for a share of starters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published
from verification.case import Outcome, near
from verification.drawing import panel, with_legend


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run cascades on ten networks of 100,000 in each setting."""
    found: dict[float, list[tuple[float, float]]] = {}
    lines = []
    for name, expected in case["reference"]["phi=0.18"].items():
        z, started = (float(part.split("=")[1]) for part in name.split(","))
        size = measure.mean_of(measure.sizes_of_cascades(z, started, 100_000, graphs=10, weeks=250))
        found.setdefault(started, []).append((z, size.value))
        within = published.cascade_tolerance(case, z, started)
        lines.append(near(name, expected, size.value, within, error=size.error))
    figure, axes = panel("mean number of contacts", "final share of participants")
    fine = np.linspace(1.2, 8, 120)
    for started, of in found.items():
        (line,) = axes.plot(fine, [published.cascade_size(z, started) for z in fine], linewidth=0.8)
        axes.plot(*zip(*of, strict=True), "o", color=line.get_color(), label=f"{started:.1%} start")
    with_legend(axes)
    return Outcome(
        setup="Threshold .18 of one's contacts, ten Poisson networks of 100,000 "
        "residents in each setting; lines: the "
        "published equations.",
        lines=lines,
        figures={"sizes": figure},
        scenarios=["limits/gleeson_cahalane"],
    )
