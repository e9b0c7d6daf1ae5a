"""Cascades on random networks with given numbers of contacts: sizes, weeks and large cascades."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_settings, laws_trees
from verification.case import Outcome, near
from verification.drawing import panel, with_legend
from verification.law_lines import judged_together, must_be_rejected

WHAT = "Cascades on random regular and heavy-tailed networks: small sizes, first weeks, large cascades"
SOURCE = (
    "Newman 2002, Physical Review E 66:016128; generating functions, computed (tests/theory/laws_trees.py)"
)

PEOPLE = 100_000
RUNS = 6_000
WITHIN = 0.005
"""Of the share that large cascades reach, as S05 asks of Poisson networks."""


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run cascades from one random starter below and above the chance at which large ones appear."""
    p_values: dict[str, float] = {}
    lines = []
    sizes, sizes_axes = panel("participants in the end", "chance")
    weeks, weeks_axes = panel("week", "mean new participants")
    with tempfile.TemporaryDirectory() as files:
        tail = law_settings.heavy_tailed(Path(files), PEOPLE)
        equal = {"community.residents": PEOPLE}
        regular = {f"{d} contacts each": equal | {"community.network.degree": d} for d in (3, 4)}
        settings = [
            ("4 contacts each", regular["4 contacts each"], 0.25, "#0072B2"),
            ("4 contacts each", regular["4 contacts each"], 0.45, "#56B4E9"),
            ("3 contacts each", regular["3 contacts each"], 0.7, "#009E73"),
            ("heavy tail", tail, 0.1, "#D55E00"),
            ("heavy tail", tail, 0.25, "#CC79A7"),
        ]
        for kind, overrides, chance, colour in settings:
            name = f"{kind}, chance {chance:g}"
            some, found, degrees = law_settings.degrees_law(name, overrides, chance, RUNS)
            p_values |= some
            final = found[:, -1]
            law = laws_trees.small_sizes(degrees, chance, 30)
            sizes_axes.semilogy(range(1, 31), law[1:], "-", color=colour, linewidth=0.9, label=name)
            share = np.bincount(final[final <= 30], minlength=31)[1:] / RUNS
            sizes_axes.semilogy(
                np.flatnonzero(share) + 1, share[share > 0], "o", color=colour, fillstyle="none", markersize=4
            )
            new = np.diff(found, axis=1, prepend=1)[:, :6]
            means = laws_trees.mean_new(degrees, chance, 6)
            weeks_axes.semilogy(range(1, 7), means, "-", color=colour, linewidth=0.9, label=name)
            weeks_axes.errorbar(
                range(1, 7),
                new.mean(axis=0),
                2 * new.std(axis=0) / np.sqrt(RUNS),
                fmt="o",
                color=colour,
                fillstyle="none",
                markersize=4,
            )
            large = final[final > law_settings.LARGE * PEOPLE] / PEOPLE
            expected = laws_trees.large_share(degrees, chance)
            if expected:
                setting = f"{name}: share that large cascades reach"
                lines.append(near(setting, expected, float(large.mean()), WITHIN, error=float(large.std())))
            else:
                lines.append(near(f"{name}: large cascades", 0, large.size, 0, digits=0))
        wrong, _, _ = law_settings.degrees_law("wrong", tail, 0.25, RUNS, factor=1.05)
    with_legend(sizes_axes)
    with_legend(weeks_axes)
    return Outcome(
        setup=f"Networks of {PEOPLE:,} residents, with 3 or 4 contacts each, or with 2 to 40 in "
        f"proportion to k^-2.5 and paired at random; {RUNS:,} cascades from one random starter on each.",
        lines=[
            *judged_together(p_values, f"{RUNS:,} runs"),
            *lines,
            must_be_rejected("the chance 5 % larger, heavy tail", wrong),
        ],
        figures={"sizes": sizes, "weeks": weeks},
        notes=[
            "The laws are those of trees, with the network's own numbers of contacts; a cascade of s "
            "meets itself with a chance of order s²/N, so whole distributions are compared up to 12 "
            f"participants and the third week (N = {PEOPLE:,}).",
            "Ten starters share a luck: on a network of this size their small cascades share no draws, "
            "nearly always. Large cascades share the network, so their size has a declared distance, and "
            "the error shown is the deviation of single runs.",
            "Lines are the law, circles mobsim; in the second figure with two standard errors.",
        ],
        scenarios=["verification/scenarios/law_degrees.yaml"],
    )
