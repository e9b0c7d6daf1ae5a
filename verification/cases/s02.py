"""S02: normal thresholds, below and above the jump."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend

CROWDS = 8
"""Crowds of each spread, for the standard error."""


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Solve the equation, and run crowds of 100,000 at every spread outside 12.0 to 12.5."""
    lines = [*_solved(case)]
    within = published.stated(case, "r_e within 0.005 of the fixed point for sigma<=11.5 and >=13", 0.005)
    found = {}
    for sd in sorted({*map(float, case["reference"]["computed"]["r_e(sigma)"]), 11.5}):
        if 11.5 < sd < 13:
            continue
        share = measure.mean_of(measure.normal_crowd(sd / 100, 100_000, communities=CROWDS))
        found[sd] = share.value
        expected = published.normal_fixed_point(sd / 100)
        lines.append(near(f"spread {sd:g}", expected, share.value, within, error=share.error))
    lines += _small_crowds(case)
    fine = np.linspace(5, 40, 400)
    figure, axes = panel("standard deviation of thresholds (mean 25)", "final share of participants")
    axes.plot(fine, [published.normal_fixed_point(sd / 100) for sd in fine], label="lowest fixed point")
    inside = [sd for sd in found if 5 <= sd <= 40]
    axes.plot(inside, [found[sd] for sd in inside], "o", label="mobsim, 100,000 residents")
    with_legend(axes)
    return Outcome(
        setup=f"{CROWDS} crowds of 100,000 residents who all see each other, at each "
        f"spread; the equation r = F(r) "
        "beside them.",
        lines=lines,
        figures={"spread": figure},
        notes=[
            "A crowd of 100 does not jump at 12.2: its own draw of thresholds decides. " + case["caveats"]
        ],
        scenarios=["limits/granovetter_normal", "limits/granovetter_domino"],
    )


def _solved(case: dict[str, Any]) -> list[Line]:
    spread, where = published.critical_spread()
    computed = case["reference"]["computed"]
    return [
        near(
            "critical spread, by solver",
            computed["sigma_c_continuous"],
            spread,
            published.stated(case, "sigma_c within 0.01 of 12.2221", 0.01),
        ),
        near(
            "participants there, by solver",
            computed["x_at_tangency"],
            where,
            published.stated(case, "x* within 0.01 of 6.2003", 0.01),
        ),
    ]


def _small_crowds(case: dict[str, Any]) -> list[Line]:
    """Run the crowd of 100 whose thresholds are the quantiles of the normal distribution: exact."""
    from scipy.stats import norm

    lines = []
    for text, expected in case["reference"]["computed"]["quantile_crowd_N100"].items():
        thresholds = norm.ppf((np.arange(100) + 0.5) / 100, 25, float(text))
        needed = [max(0, int(np.ceil(value))) for value in thresholds]
        curve = measure.participants(
            "granovetter_domino", {"behaviour.thresholds": {"kind": "count", "values": needed}}
        )
        lines.append(near(f"quantile crowd of 100, spread {text}", expected, curve[0, -1], 0, digits=0))
    return lines
