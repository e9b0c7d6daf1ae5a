"""Watts: how often one random starter is enough, and how far it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_settings, laws_trees
from tests.theory.laws_fit import p_of_mean
from tests.theory.published import cascade_size, cascade_window, most_contacts
from verification.case import Line, Outcome
from verification.drawing import panel, with_legend
from verification.law_lines import judged_together, must_be_rejected

WHAT = "How often one random starter causes a global cascade (the giant vulnerable cluster), and its size"
SOURCE = "Watts 2002, PNAS 99:5766; Gleeson and Cahalane 2007; computed (tests/theory/laws_trees.py)"

PEOPLE = 100_000
GRAPHS = 12
STARTERS = 400
INSIDE = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
EDGES = (0.9, 1.1, 5.4, 5.6, 6.0)
MOST = most_contacts("0.18")
WRONG_AT = 3.0


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Start at many residents of each network, one at a time."""
    p_values: dict[str, float] = {}
    shown: list[Line] = []
    points: list[tuple[float, float, float, float]] = []
    wrong: dict[str, float] = {}
    for z in sorted((*INSIDE, *EDGES)):
        often, size = law_settings.watts(z, PEOPLE, GRAPHS, STARTERS)
        trigger, reach = laws_trees.trigger_share(z, MOST), cascade_size(z, 1e-9)
        error = float(often.std(ddof=1) / np.sqrt(GRAPHS))
        points.append((z, float(often.mean()), error, float(size.mean())))
        if z in INSIDE:
            setting = f"z = {z:g}: one starter is enough, law {trigger:.4f}, found {often.mean():.4f}"
            p_values[setting] = p_of_mean(often, trigger)
            p_values[f"z = {z:g}: size, law {reach:.5f}, found {size.mean():.5f}"] = p_of_mean(size, reach)
        else:
            setting = f"z = {z:g}, near an edge or outside: one starter is enough"
            found = f"{often.mean():.4f}"
            shown.append(Line(setting, f"{trigger:.4f}", found, f"{error:.2g}", "none declared", None))
        if z == WRONG_AT:
            wrong = {"": p_of_mean(often, laws_trees.trigger_share(z, MOST - 1))}
    figure, axes = panel("mean number of contacts z", "frequency, or share of all")
    low, high = cascade_window("0.18")
    fine = np.linspace(0.8, 6.2, 400)
    axes.plot(
        fine, [laws_trees.trigger_share(z, MOST) for z in fine], "-", color="#0072B2", label="law: frequency"
    )
    inside = fine[(fine > low) & (fine < high)]
    inside = np.append(inside[::8], inside[-1])
    axes.plot(inside, [cascade_size(z, 1e-9) for z in inside], "-", color="#D55E00", label="law: size")
    z, often, error, size = np.array(points).T
    axes.errorbar(z, often, 2 * error, fmt="o", color="#0072B2", fillstyle="none", label="mobsim: frequency")
    axes.plot(z, size, "s", color="#D55E00", fillstyle="none", label="mobsim: size")
    with_legend(axes)
    return Outcome(
        setup=f"{GRAPHS} Poisson networks of {PEOPLE:,} residents at each mean degree, threshold .18, "
        f"{STARTERS} starters on each, one at a time; a cascade is global above a tenth of all.",
        lines=[
            *judged_together(p_values, f"{GRAPHS} networks of {STARTERS} starters"),
            must_be_rejected(f"only contacts up to {MOST - 1} are vulnerable, z = {WRONG_AT:g}", wrong),
            *shown,
        ],
        figures={"starters": figure},
        notes=[
            "The starter itself needs not be vulnerable: it is enough that one contact belongs to the "
            "giant vulnerable cluster. Errors are those between networks.",
            "Near the edges of the window the giant vulnerable cluster is small or the cascade slow, and "
            "finite networks smear it: shown, not judged.",
        ],
        scenarios=["limits/watts_window"],
    )
