"""S05: an independent cascade is percolation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend

WEEKS = {"0.2": 20, "0.5": 40, "0.8": 90, "1.1": 320, "1.25": 180, "1.5": 110, "2.0": 65, "3.0": 45}
"""Long enough for every cascade of this strength to end; the measurement checks that it did."""
NETWORKS = 60


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run cascades on networks of 100,000 residents with five contacts."""
    reference = case["reference"]
    lines: list[Line] = []
    errors = published.stated(case, "subcritical mean within 3 s.e.", 3)
    small, giant, often = {}, {}, {}
    for strength, expected in reference["mean_small(zT)=1/(1-zT)"].items():
        sizes = measure.outbreaks(float(strength), 100_000, NETWORKS, luck=8, weeks=WEEKS[strength])
        mean = measure.mean_of(sizes.mean(axis=1))
        small[float(strength)] = mean.value
        lines.append(
            near(f"zT = {strength}, mean size", expected, mean.value, errors * mean.error, error=mean.error)
        )
    within = published.stated(case, "mean size within 0.005", 0.005)
    errors = published.stated(case, "P(large) within 3 s.e.", 3)
    for strength, expected in reference["giant_S(z*T)"].items():
        weeks = WEEKS[strength]
        sizes = measure.outbreaks(float(strength), 100_000, NETWORKS, luck=4, weeks=weeks) / 100_000
        large = sizes > expected / 4
        size, chance = measure.mean_of(sizes[large]), measure.mean_of(large.mean(axis=1))
        giant[float(strength)], often[float(strength)] = size.value, chance.value
        name = f"zT = {strength}"
        lines.append(near(f"{name}, size of large", expected, size.value, within, error=size.error))
        lines.append(
            near(
                f"{name}, chance of large", expected, chance.value, errors * chance.error, error=chance.error
            )
        )
    figure, axes = panel("strength zT", "share of residents")
    fine = np.linspace(1.02, 3.2, 200)
    axes.plot(fine, [published.giant_share(s) for s in fine], "k", linewidth=0.8, label="S = 1 − exp(−zT·S)")
    axes.plot(giant.keys(), giant.values(), "o", label="mobsim, size of large cascades")
    axes.plot(often.keys(), often.values(), "x", label="mobsim, how often they are large")
    with_legend(axes)
    return Outcome(
        setup=f"{NETWORKS} Poisson networks of 100,000 residents with five contacts "
        f"in the mean, one random starter, "
        "four (above the threshold) or eight (below) streams of luck.",
        lines=lines,
        figures={"percolation": figure},
        notes=[case["caveats"]],
        scenarios=["limits/percolation"],
    )
