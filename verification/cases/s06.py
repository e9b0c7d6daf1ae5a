"""S06: Bass's curve as the limit of a well-mixed community."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend

LUCK = 16


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run 100,000 residents with ever smaller steps, and compare with the closed form."""
    reference = case["reference"]
    p, q, peak = reference["p"], reference["q"], reference["t_peak"]
    times = {int(t): share for t, share in reference["F(t)"].items()}
    figure, axes = panel("years", "share of adopters")
    fine = np.linspace(0, 20, 400)
    axes.plot(fine, published.bass_curve(fine, p, q), "k", linewidth=0.8, label="closed form")
    within = published.stated(case, "dt=0.01: |F-ref|<0.004", 0.004)
    farthest = {}
    for dt in (1.0, 0.1, 0.01):
        runs = measure.bass_shares(p, q, dt, years=20, residents=100_000, luck=LUCK)
        shares = runs.mean(axis=0)
        axes.plot(np.arange(shares.size) * dt, shares, label=f"mobsim, dt = {dt:g}")
        farthest[dt] = max(abs(shares[round(t / dt)] - share) for t, share in times.items())
    lines = []
    for t, share in times.items():
        found = measure.mean_of(runs[:, round(t / 0.01)])
        lines.append(near(f"F({t}), dt = 0.01", share, found.value, within, error=found.error))
    found = measure.time_of_peak(shares, 0.01, peak)
    error = measure.mean_of([measure.time_of_peak(one, 0.01, peak) for one in runs]).error
    within = published.stated(case, "peak time within 0.05", 0.05)
    lines.append(near("time of the peak", peak, found, within, error=error))
    text = ", ".join(f"{value:.4f} (dt = {dt:g})" for dt, value in farthest.items())
    falls = farthest[1.0] > 2 * farthest[0.1] > 2 * farthest[0.01]
    lines.append(Line("largest distance", "falls with dt", text, "", "falls", falls))
    with_legend(axes)
    return Outcome(
        setup=f"{LUCK} runs of 100,000 well-mixed residents for 20 years, in steps of 1, .1 and .01 years.",
        lines=lines,
        figures={"curve": figure},
        scenarios=["limits/bass"],
    )
