"""Noisy choice: resting points, hysteresis, the course of large communities, and whole laws of small ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_engine, law_settings, laws_counts
from verification.case import Line, Outcome, near
from verification.drawing import panel, with_legend
from verification.law_lines import judged_together, must_be_rejected

WHAT = "Noisy choice: all resting points, hysteresis, courses and whole distributions"
SOURCE = "Blume 1993; Brock and Durlauf 2001; chains and maps computed (tests/theory/laws_counts.py)"

LUCK = 100_000
MANY = 200_000
WEEKS = 300
SWEEP = (0.10, 0.15, 0.20, 0.23, 0.27, 0.30, 0.40)
TILTED = (0.36, 0.42, 0.46, 0.50, 0.54, 0.58, 0.64)
ERRORS = 5


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Hold chains, maps and resting points."""
    low, odd = law_settings.LOW, law_settings.ODD
    p_values: dict[str, float] = {}
    for behaviour, start in ((low, 2), (odd, 6), (low | {"weight": 3.0, "threshold": 0.9}, 3)):
        p_values |= law_settings.logit_counts(12, start, (1, 2, 5, 20), LUCK, **behaviour)
    p_values |= law_settings.logit_counts(15, 5, (1, 3, 8), LUCK, stay=True, **odd)
    p_values |= law_settings.logit_counts(60, 20, (1, 5, 30), LUCK, **(low | {"noise": 0.22}))
    p_values |= law_settings.logit_steps(10, 60, LUCK, 1, **odd)
    with tempfile.TemporaryDirectory() as files:
        for key in (5, 6):
            p_values |= law_settings.logit_on_network(Path(files), key, 4, 7, LUCK // 2)
    for start in (0.1, 0.45, 0.55, 0.9):
        p_values |= law_settings.logit_large(MANY, start, (1, 5, 20, 60), 4, **low)
    lines = judged_together(p_values, f"{LUCK:,} runs, or 4 of {MANY:,} people")
    wrong = law_settings.logit_counts(12, 2, (20,), LUCK, factor=1.05, **low)
    lines.append(must_be_rejected("5 % more noise, 12 people", wrong))
    hysteresis, resting = _hysteresis()
    courses = _courses(low)
    return Outcome(
        setup=f"Communities of 10 to 60 people with {LUCK:,} runs a setting against Markov chains; any "
        f"network of 4 people against the chain of its 16 sets; communities of {MANY:,}, four runs, "
        "against the map and its resting points.",
        lines=lines + resting,
        figures={
            "hysteresis": hysteresis,
            "courses": courses,
            "distribution": _distribution(low | {"noise": 0.22}),
        },
        notes=[
            "Runs that share their luck come together, so p-values of two starts may be the same number; "
            "Holm allows it.",
            "All decide at once by the state of the week before; each decides anew with the chance "
            "`reconsider`, and keeps to what it did otherwise (docs/odd.md, 7.6). The stationary law is "
            "that of this chain, not Gibbs's, which holds where one decides at a time.",
            f"Resting points are met if the mean of four runs of {MANY:,} is within {ERRORS} standard "
            "errors, which the map's slope and binomial noise give.",
            "Chances are computed in single precision and compared with 24 random bits: they are met to "
            "about 1e-7.",
        ],
        scenarios=["verification/scenarios/law_logit.yaml", "verification/scenarios/law_logit_network.yaml"],
    )


def _settles(first: float, behaviour: dict[str, float]) -> tuple[float, float, float]:
    """Return where the map ends, where large communities do, and the standard error of their mean."""
    shares, spreads = laws_counts.logit_course(MANY, first, WEEKS, **behaviour)
    found = law_engine.logit(MANY, round(MANY * first), WEEKS, 4, **behaviour)[:, -1] / MANY
    return float(shares[-1]), float(found.mean()), float(spreads[-1] / 2)


def _hysteresis() -> tuple[Any, list[Line]]:
    """Start low and high over a range of noise, and of thresholds."""
    figure, (left, right) = _two_panels("noise", "threshold")
    lines: list[Line] = []
    for axes, name, values in ((left, "noise", SWEEP), (right, "threshold", TILTED)):
        fine = np.linspace(values[0], values[-1], 200)
        for stable, colour in ((True, "black"), (False, "silver")):
            points = [
                (value, share)
                for value in fine
                for share, rests in laws_counts.fixed_points(
                    **_without_again({**law_settings.LOW, name: value})
                )
                if rests == stable
            ]
            axes.plot(*zip(*points, strict=True), ".", markersize=1.5, color=colour)
        for value in values:
            behaviour = law_settings.LOW | {name: value}
            points = laws_counts.fixed_points(**_without_again(behaviour))
            resting = [share for share, rests in points if rests]
            for first, marker in ((0.02, "^"), (0.98, "v")):
                law, ours, error = _settles(first, behaviour)
                nearest = min(resting, key=lambda share, law=law: abs(share - law))
                setting = (
                    f"{name} {value:g}, of {len(points)} resting points {len(resting)} stable, from {first:g}"
                )
                lines.append(near(setting, nearest, ours, ERRORS * error, error=error, digits=5))
                axes.plot(value, ours, marker, color="#D55E00", fillstyle="none")
    return figure, lines


def _without_again(behaviour: dict[str, float]) -> dict[str, float]:
    return {name: number for name, number in behaviour.items() if name != "again"}


def _two_panels(first: str, second: str) -> Any:
    figure, axes = panel(first, "share of participants at rest")
    axes.remove()
    both = figure.subplots(1, 2, sharey=True)
    both[0].set(xlabel=first, ylabel="share of participants at rest")
    both[1].set(xlabel=f"{second} (noise .15)", title="▲ started low, ▼ high", ylim=(-0.03, 1.03))
    return figure, both


def _courses(behaviour: dict[str, float]) -> Any:
    figure, axes = panel("week", "share of participants")
    for start in (0.1, 0.3, 0.45, 0.55, 0.7, 0.9):
        law, _ = laws_counts.logit_course(MANY, start, 60, **behaviour)
        found = law_engine.logit(MANY, round(MANY * start), 60, 1, **behaviour)[0] / MANY
        axes.plot(range(1, 61), law, "-", color="gray", label="the map" if start == 0.1 else None)
        axes.plot(
            range(1, 61, 3),
            found[::3],
            "o",
            fillstyle="none",
            markersize=4,
            label="mobsim" if start == 0.1 else None,
        )
    with_legend(axes)
    return figure


def _distribution(behaviour: dict[str, float]) -> Any:
    figure, axes = panel("participants of 60", "chance")
    law = laws_counts.by_week(laws_counts.logit_step(60, stay=False, **behaviour), 20, 30)
    found = law_engine.logit(60, 20, 30, LUCK, **behaviour)
    for week, colour in ((1, "#0072B2"), (5, "#D55E00"), (30, "#009E73")):
        axes.plot(law[week - 1], "-", color=colour, linewidth=0.9, label=f"the chain, week {week}")
        axes.plot(
            np.bincount(found[:, week - 1], minlength=61) / LUCK,
            "o",
            color=colour,
            fillstyle="none",
            markersize=3,
        )
    with_legend(axes)
    return figure
