"""Telling for ever among people who all meet: the simple epidemic and Bass, as chains of counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_engine, law_settings, laws_counts, published
from verification.case import Outcome
from verification.drawing import panel, with_legend
from verification.law_lines import judged_together, must_be_rejected

WHAT = "The simple epidemic and Bass among few people: the number of participants in every week"
SOURCE = "Bailey 1975; Bass 1969; the laws are Markov chains and their limits (tests/theory/laws_counts.py)"

LUCK = 100_000
SETTINGS = [(12, 0, 0.03, 0.03), (12, 1, 0.0, 0.05), (30, 2, 0.01, 0.01), (100, 1, 0.0, 0.005)]
WEEKS = (1, 3, 10, 25)
YEARS, PEOPLE, P, Q = (1, 3, 6, 10), 20, 0.03, 0.38


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Hold whole distributions by week; let weeks grow shorter."""
    p_values: dict[str, float] = {}
    for n, start, media, chance in SETTINGS:
        p_values |= law_settings.telling_counts(n, start, media, chance, WEEKS, LUCK)
    p_values |= law_settings.telling_counts(9, 3, 0.01, 0.04, WEEKS, LUCK, kind="complete")
    figure, axes = panel("adopters of 20", "chance")
    colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]
    for dt in (1.0, 0.1, 0.02):
        weeks = round(max(YEARS) / dt)
        luck = LUCK if dt == 1.0 else 20_000
        found = law_engine.telling(PEOPLE, 0, P * dt, Q * dt / PEOPLE, weeks, luck)
        law = laws_counts.by_week(laws_counts.telling_step(PEOPLE, P * dt, Q * dt / PEOPLE), 0, weeks)
        at = [round(year / dt) for year in YEARS]
        p_values |= law_settings.held_by_week(f"Bass, {PEOPLE} people, dt = {dt:g}", found, law, at)
        if dt == 0.02:
            for year, week, colour in zip(YEARS, at, colours, strict=True):
                births = laws_counts.bass_births(PEOPLE, P, Q, year)
                axes.plot(
                    births, "-", color=colour, linewidth=0.9, label=f"births in continuous time, year {year}"
                )
                share = np.bincount(found[:, week - 1], minlength=PEOPLE + 1) / luck
                axes.plot(share, "o", color=colour, fillstyle="none", markersize=4)
            means = found.mean(axis=0) / PEOPLE
    with_legend(axes)
    curve, curve_axes = panel("year", "share of adopters")
    years = np.arange(1, means.size + 1) * 0.02
    curve_axes.plot(
        years, published.bass_curve(years, P, Q), "-", color="gray", label="Bass 1969, many people"
    )
    exact = [laws_counts.bass_births(PEOPLE, P, Q, t) @ np.arange(PEOPLE + 1) / PEOPLE for t in range(1, 11)]
    curve_axes.plot(range(1, 11), exact, "-", color="#D55E00", label="births in continuous time, 20 people")
    curve_axes.plot(years[::25], means[::25], "o", fillstyle="none", label="mobsim, 20 people, dt = .02")
    with_legend(curve_axes)
    wrong = law_settings.telling_counts(12, 0, 0.03, 0.03, (10,), LUCK, factor=1.05)
    return Outcome(
        setup=f"Well-mixed communities and complete graphs of 9 to 100 people, {LUCK:,} runs each; Bass "
        f"among {PEOPLE} people with weeks of 1, .1 and .02 years, 20,000 runs where weeks are short.",
        lines=[
            *judged_together(p_values, f"{LUCK:,} runs or 20,000"),
            must_be_rejected("chances 5 % larger, 12 people", wrong),
        ],
        figures={"short_weeks": figure, "curve": curve},
        notes=[
            "Chances are computed in single precision and compared with 24 random bits: they are met to "
            "about 1e-7, which these runs cannot see.",
            "Circles: mobsim. With 20 people the mean lags behind Bass's curve, which is that of very "
            "many people.",
        ],
        scenarios=["verification/scenarios/law_telling.yaml"],
    )
