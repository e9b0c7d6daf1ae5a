"""S03: Watts's cascade window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.theory import measure, published
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend

RUNS = 400
SETTINGS = [(z, 0.18) for z in (0.8, 1.5, 2.5, 3.5, 4.5, 5.5, 6.0, 6.3, 7.0)] + [
    (z, 0.2) for z in (0.8, 3.5, 5.5, 7.0)
]
SOLVER = 1e-6


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Solve the window's edges, and run 400 networks of 10,000 at each mean degree."""
    within = published.stated(case, "solver: 1e-6", SOLVER)
    lines = []
    for threshold, edges in case["reference"]["z boundaries by phi"].items():
        ours = published.cascade_window(threshold)
        for side, expected, found in zip(("lower", "upper"), edges["z_boundaries"], ours, strict=True):
            lines.append(near(f"{side} edge, φ = {threshold}", expected, found, within, digits=7))
    more = published.stated(case, "> 0.3 for z in {1.5..5.5}", 0.3)
    less = published.stated(case, "<0.05 at z=0.8 and z=7", 0.05)
    points: dict[float, list[tuple[float, float]]] = {0.18: [], 0.2: []}
    for z, threshold in SETTINGS:
        frequency = measure.window_frequency(z, RUNS, threshold)
        points[threshold].append((z, frequency.value))
        found, error = f"{frequency.value:.4f}", f"{frequency.error:.2g}"
        setting = f"frequency of global cascades, z = {z}, φ = {threshold}"
        if 5.5 < z < 7:
            lines.append(Line(setting, "leaks past the edge", found, error, "none declared", None))
        elif z in (0.8, 7.0):
            lines.append(Line(setting, f"< {less}", found, error, f"{RUNS} runs", frequency.value < less))
        else:
            lines.append(Line(setting, f"> {more}", found, error, f"{RUNS} runs", frequency.value > more))
    figure, axes = panel("mean number of contacts", "frequency of global cascades")
    for threshold, of in points.items():
        axes.plot(*zip(*of, strict=True), "o-", label=f"mobsim, threshold {threshold}")
    for edge in published.cascade_window("0.18"):
        axes.axvline(edge, linestyle=":", color="gray", label="edges of the window" if edge < 2 else None)
    with_legend(axes)
    return Outcome(
        setup=f"{RUNS} Poisson networks of 10,000 residents at each mean degree, one "
        f"random starter on each; a "
        "cascade is global above a tenth of all.",
        lines=lines,
        figures={"window": figure},
        notes=[case["caveats"]],
        scenarios=["limits/watts_window"],
    )
