"""Independent cascades on complete graphs and on random small networks: courses, sets, weeks of arrival."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_engine, law_settings, laws_sets
from verification.case import Outcome
from verification.drawing import panel, with_legend
from verification.law_lines import judged_together, must_be_rejected

WHAT = (
    "Independent cascades: every course on complete graphs, every set and week of arrival on small networks"
)
SOURCE = "Abbey 1952; Ball 1986; Kempe, Kleinberg and Tardos 2003; computed (tests/theory/laws_sets.py)"

RUNS = 500_000
COMPLETE = [(5, 1, 0.25), (5, 2, 0.4), (8, 1, 0.2), (8, 3, 0.125), (12, 1, 0.1), (12, 4, 0.06)]
NETWORKS = [(1, 5, 9), (2, 5, 9), (3, 5, 10), (7, 6, 11), (8, 6, 12)]


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Hold whole courses, sets and weeks of arrival."""
    p_values: dict[str, float] = {}
    figure, axes = panel("participants in the end", "chance")
    courses, course_axes = panel("week", "mean new participants")
    for place, (n, starters, chance) in enumerate(COMPLETE):
        some, final = law_settings.chain_courses(n, starters, chance, RUNS)
        p_values |= some
        colour, name = f"C{place}", f"{n} people, {starters} start, chance {chance:g}"
        law = laws_sets.chain_final(n, starters, chance)
        axes.plot(range(starters, n + 1), law[starters:], "-", color=colour, linewidth=0.9, label=name)
        share = np.bincount(final, minlength=n + 1)[starters:] / RUNS
        axes.plot(range(starters, n + 1), share, "o", color=colour, fillstyle="none", markersize=4)
        means = np.zeros(6)
        for path, p in laws_sets.chain_paths(n, starters, chance).items():
            for week, new in enumerate(path[:6]):
                means[week] += p * new
        found = law_engine.chain(n, starters, chance, 50_000)
        ours = np.diff(found, axis=1, prepend=starters).mean(axis=0)[:6]
        weeks = range(1, ours.size + 1)
        course_axes.plot(weeks, means[: ours.size], "-", color=colour, linewidth=0.9, label=name)
        course_axes.plot(weeks, ours, "o", color=colour, fillstyle="none", markersize=4)
    with_legend(axes)
    with_legend(course_axes)
    with tempfile.TemporaryDirectory() as files:
        for key, n, edges in NETWORKS:
            p_values |= law_settings.cascade_sets(Path(files), key, n, edges, 1_000, RUNS // 1_000)
        wrong = law_settings.cascade_sets(
            Path(files), 1, 5, 9, 1_000, RUNS // 1_000, factor=Fraction(101, 100)
        )
    return Outcome(
        setup=f"{RUNS:,} runs of each: complete graphs of 5 to 12 people, and random directed networks of 5 "
        "and 6 people with a chance for every tie, whose outcomes are listed over all live ties.",
        lines=[
            *judged_together(p_values, f"{RUNS:,} runs"),
            must_be_rejected("all chances 1 % larger, network 1", wrong),
        ],
        figures={"final": figure, "courses": courses},
        notes=[
            "Chances of ties are whole 64ths and uniforms have 24 bits, so on small networks the engine's "
            "law is the reference exactly. On complete graphs the chance of hearing from several is computed "
            "in single precision: it is met to about 1e-7.",
            "Lines are the law, circles mobsim.",
        ],
        scenarios=["verification/scenarios/law_chain.yaml", "verification/scenarios/law_cascade.yaml"],
    )
