"""S08: one threshold cascade on the Korean villages, in mobsim and in the programs that ran it before."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tests.theory import korean_villages as korean
from verification.case import Line, Outcome

WHAT = "A threshold cascade on the Korean villages, woman by woman, beside netdiffuseR, NDlib and cynetdiff"

PROGRAMS = {"rdiffnet_toa": "netdiffuseR", "ndlib_toa": "NDlib", "cynetdiff_toa": "cynetdiff"}


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Run the cascade three ways and compare every woman's step with every program's."""
    assert case["tolerance"] == "exact, all 1,047 nodes"
    villages = korean.read(folder)
    found = {
        name: _steps(villages, **how)
        for name, how in {"plain": {}, "valued": {"valued": True}, "turned": {"turned": True}}.items()
    }
    reference = case["reference"]
    valued = reference["valued ties (value column as weights)"]
    lines = [
        *(
            _agreement(f"as {program}", villages.steps_of(column), found["plain"])
            for column, program in PROGRAMS.items()
        ),
        _agreement("as netdiffuseR, valued ties", villages.steps_of("rdiffnet_toa_valued"), found["valued"]),
        _exact("adopters in the end", reference["final adopters (unweighted)"], _final(found["plain"])),
        _exact("last step", reference["last step"], int(found["plain"].max())),
        _exact(
            "new adopters by step",
            list(reference["new adopters by step"].values()),
            korean.by_step(found["plain"]),
        ),
        _exact("valued ties: adopters in the end", valued["final"], _final(found["valued"])),
        _exact("valued ties: last step", valued["last step"], int(found["valued"].max())),
        _exact("valued ties: new adopters by step", valued["by step"], korean.by_step(found["valued"])),
        _other(villages.steps_of("rdiffnet_toa"), found["turned"]),
    ]
    return Outcome(
        setup=(
            f"{len(villages.peers):,} women, {len(villages.ties):,} directed ties (she follows whom she "
            "names), the thresholds and the 69 first adopters that the other programs were given. No luck: "
            "one run each."
        ),
        lines=lines,
        figures={"cumulative": _figure(villages, found)},
        notes=[
            "NDlib and cynetdiff were run with plain ties only; valued ties are compared with netdiffuseR.",
            "Step 1 of the other programs is the start; what joins in week 0 of mobsim is their step 2.",
            "Thresholds are decimals of six places, held against shares of contacts; mobsim decides in whole "
            "numbers, cynetdiff in single precision. None lies so near a share that it matters.",
        ],
        scenarios=["verification/scenarios/korean_thresholds.yaml"],
    )


def _steps(villages: korean.Villages, **how: bool) -> korean.Steps:
    with tempfile.TemporaryDirectory() as folder:
        return korean.steps(villages, Path(folder), **how)


def _final(found: korean.Steps) -> int:
    return int(np.count_nonzero(found))


def _agreement(setting: str, theirs: korean.Steps, ours: korean.Steps) -> Line:
    """How many women adopt in the same step."""
    same = int(np.count_nonzero(theirs == ours))
    return Line(
        f"women with the same step, {setting}", f"{theirs.size:,}", f"{same:,}", met=same == theirs.size
    )


def _exact(setting: str, reference: object, found: object) -> Line:
    return Line(setting, _written(reference), _written(found), met=reference == found)


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _other(theirs: korean.Steps, turned: korean.Steps) -> Line:
    """Ties the wrong way round must give another answer."""
    differ = int(np.count_nonzero(theirs != turned))
    return Line(
        "ties the wrong way round: women with another step",
        "more than 0",
        f"{differ:,} ({_final(turned):,} adopters in the end)",
        tolerance="another answer",
        met=differ > 0,
    )


def _figure(villages: korean.Villages, found: dict[str, korean.Steps]) -> Figure:
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.subplots()
    theirs = {
        "netdiffuseR, NDlib and cynetdiff": ("rdiffnet_toa", "o", "#5A5A5A"),
        "netdiffuseR, valued ties": ("rdiffnet_toa_valued", "s", "#999999"),
    }
    for label, (column, marker, colour) in theirs.items():
        curve = np.cumsum(korean.by_step(villages.steps_of(column)))
        axes.plot(
            np.arange(1, curve.size + 1),
            curve,
            marker,
            color=colour,
            fillstyle="none",
            markersize=9,
            label=label,
        )
    ours = {
        "plain": ("mobsim", "#0072B2", "-"),
        "valued": ("mobsim, valued ties", "#009E73", "-"),
        "turned": ("mobsim, ties the wrong way round", "#D55E00", "--"),
    }
    for name, (label, colour, line) in ours.items():
        curve = np.cumsum(korean.by_step(found[name]))
        axes.plot(
            np.arange(1, curve.size + 1), curve, line, color=colour, marker=".", linewidth=1, label=label
        )
    axes.set_xlabel("step (1: the start)")
    axes.set_ylabel("women who have adopted")
    axes.set_ylim(0, None)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure
