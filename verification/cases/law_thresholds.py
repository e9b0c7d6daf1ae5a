"""Linear thresholds on complete graphs and on random small networks: courses, sets, weeks of arrival."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_settings, laws_sets
from verification.case import Outcome
from verification.drawing import panel, with_legend
from verification.law_lines import judged_together, must_be_rejected

WHAT = "Linear thresholds: every course on complete graphs, every set and week of arrival on small networks"
SOURCE = "Daniels 1945; Consul 1974; Kempe, Kleinberg and Tardos 2003; computed (tests/theory/laws_sets.py)"

TIES = 200_000
"""Of all copies side by side, so that reading them takes seconds."""
COMPLETE = [
    (5, 1, Fraction(1)),
    (5, 2, Fraction(4, 5)),
    (7, 1, Fraction(1)),
    (7, 3, Fraction(1, 2)),
    (10, 2, Fraction(9, 10)),
]
NETWORKS = [(1, 5, 8), (4, 5, 9), (5, 5, 10), (6, 6, 11)]


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Hold whole courses, final sizes, sets and weeks of arrival."""
    p_values: dict[str, float] = {}
    figure, axes = panel("participants in the end", "chance")
    with tempfile.TemporaryDirectory() as name_of:
        files = Path(name_of)
        for place, (n, starters, total) in enumerate(COMPLETE):
            copies = TIES // (n * (n - 1))
            some, final = law_settings.complete_thresholds(files, n, starters, total, copies)
            p_values |= some
            law = laws_sets.complete_final(n, starters, float(total / (n - 1)))[starters:]
            colour, name = f"C{place}", f"{n} people, {starters} start, weights add up to {float(total):g}"
            axes.plot(range(starters, n + 1), law, "-", color=colour, linewidth=0.9, label=name)
            share = np.bincount(final, minlength=n + 1)[starters:] / copies
            axes.plot(range(starters, n + 1), share, "o", color=colour, fillstyle="none", markersize=4)
        for key, n, edges in NETWORKS:
            p_values |= law_settings.threshold_sets(files, key, n, edges, TIES // edges)
        wrong, _ = law_settings.complete_thresholds(files, 5, 2, Fraction(1), 10_000, factor=1.05)
    with_legend(axes)
    return Outcome(
        setup="Copies of complete graphs of 5 to 10 people and of random directed networks of 5 and 6, "
        f"{TIES:,} ties in all for each, so 2,200 to 25,000 copies, every one a run of its own with its own "
        "thresholds.",
        lines=[
            *judged_together(p_values, "2,200 to 25,000 runs"),
            must_be_rejected("thresholds 5 % higher, 5 people", wrong),
        ],
        figures={"final": figure},
        notes=[
            "A threshold is a multiple of 2^-24 that can be 0: somebody joins without reason with the chance "
            "6e-8, and all chances are met to about that. Weights of ties are whole 64ths, exact in the "
            "engine's 2^-20; shares of contacts are compared as whole numbers.",
            "Lines are the law, circles mobsim.",
        ],
        scenarios=["verification/scenarios/law_thresholds.yaml"],
    )
