"""Pictures of a calibration: what was observed against what is predicted, and which values fit as well.

In the manner of `plots`: a table in, a Figure out; nothing is simulated here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.plots import COLOURS, GREY, MARKERS, PALE, WIDTH, Figure, _figure

if TYPE_CHECKING:
    import pandas as pd

MOST_PANELS = 12
"""More curves than this are not drawn; the table holds them all."""

SIMPLE = (("mean", "mean", ":"), ("last_value", "last value", "-."), ("bass_curve", "Bass curve", "--"))
"""Columns of the table with simple forecasts, their names, and how their lines look."""


def fit_of_curves(fit: pd.DataFrame) -> Figure:
    """Draw observed curves, what is predicted, and simple forecasts; what was held out is grey.

    Parameters
    ----------
    fit : one row an observed value (`Calibration.fit`); rows of week -1 are single numbers and are left out.
    """
    curves = fit[fit["week"] >= 0]
    # Most observations held out first: these are what a reader wants to see.
    series = sorted(
        curves.groupby(["target", "community", "group"], sort=False),
        key=lambda found: -int(found[1]["held_out"].sum()),
    )[:MOST_PANELS]
    columns = min(2 if len(series) < 5 else 3, len(series))
    rows = math.ceil(len(series) / columns)
    with _figure(WIDTH, 0.4 + 2.3 * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (names, part) in zip(panels, series, strict=False):
            _draw_fit(axes, part.sort_values("week"))
            axes.set_title(", ".join(name for name in map(str, names) if name), fontsize=8.0)
            axes.set_xlabel("week")
        for axes in panels[len(series) :]:
            axes.set_axis_off()
        panels[0].set_ylabel("%")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7.5)
    return figure


def _draw_fit(axes: Any, part: pd.DataFrame) -> None:
    week = part["week"].to_numpy()
    held = part["held_out"].to_numpy(bool)
    if held.any():
        axes.axvspan(week[held].min() - 0.5, week[held].max() + 0.5, color=PALE, alpha=0.45, linewidth=0)
    axes.fill_between(
        week,
        100 * part["low"],
        100 * part["high"],
        color=COLOURS[0],
        alpha=0.2,
        linewidth=0,
        label="middle 80 %",
    )
    axes.plot(week, 100 * part["predicted"], color=COLOURS[0], label="calibrated")
    if "as_it_was" in part:
        axes.plot(week, 100 * part["as_it_was"], color=COLOURS[4], linewidth=1.0, label="as it was")
    for column, name, line in SIMPLE:
        if column in part and not part[column].isna().any():
            axes.plot(week, 100 * part[column], color=GREY, linestyle=line, linewidth=0.9, label=name)
    axes.plot(week, 100 * part["value"], "o", color="black", markersize=2.6, label="observed")


def profiles(trials: pd.DataFrame, factors: list[str], logarithmic: list[bool]) -> Figure:
    """Draw the score of every trial against each factor: a factor is identified if only a narrow part is low.

    Parameters
    ----------
    trials : one row a trial, with a column for each factor, score, fits_as_well and chosen.
    factors : names of factors with a range, or of numbers.
    logarithmic : for each, whether its range is divided evenly in the logarithm.
    """
    columns = min(3, len(factors))
    rows = math.ceil(len(factors) / columns)
    with _figure(WIDTH, 2.5 * rows) as figure:
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, name, in_logarithm in zip(panels, factors, logarithmic, strict=False):
            _draw_trials(axes, trials, name, "score")
            axes.set_xlabel(name)
            if in_logarithm:
                _in_logarithm(axes, "x")
        for axes in panels[len(factors) :]:
            axes.set_axis_off()
        panels[0].set_ylabel("score (lower is better)")
        panels[0].legend(fontsize=7.5)
        scores = trials["score"].to_numpy(float)
        if np.isfinite(scores).any():
            best, middle = np.nanmin(scores), np.nanmedian(scores)
            panels[0].set_ylim(best - 0.1 * (middle - best) - 1e-9, middle + 1e-9)
    return figure


def pairs(trials: pd.DataFrame, factors: list[str], logarithmic: list[bool]) -> Figure:
    """Draw which values of each two factors fit as well together: a ridge shows as a line.

    Parameters
    ----------
    trials : one row a trial, with a column for each factor, fits_as_well and chosen.
    factors : names of two or more factors with a range.
    logarithmic : for each, whether its range is divided evenly in the logarithm.
    """
    n = len(factors) - 1
    with _figure(WIDTH, max(2.6, WIDTH / max(2, n) * n)) as figure:
        grid = figure.subplots(n, n, squeeze=False)
        for i in range(n):
            for j in range(n):
                axes = grid[i][j]
                if j > i:
                    axes.set_axis_off()
                    continue
                _draw_trials(axes, trials, factors[j], factors[i + 1])
                if logarithmic[j]:
                    _in_logarithm(axes, "x")
                if logarithmic[i + 1]:
                    _in_logarithm(axes, "y")
                if i == n - 1:
                    axes.set_xlabel(factors[j])
                if j == 0:
                    axes.set_ylabel(factors[i + 1])
        grid[0][0].legend(fontsize=7.5)
    return figure


def _draw_trials(axes: Any, trials: pd.DataFrame, x: str, y: str) -> None:
    fits = trials["fits_as_well"].to_numpy(bool)
    chosen = trials["chosen"].to_numpy(bool)
    across, up = trials[x].to_numpy(), trials[y].to_numpy()
    axes.plot(across[~fits], up[~fits], MARKERS[0], color="#B5B5B5", markersize=2.2, label="fits worse")
    axes.plot(across[fits], up[fits], MARKERS[0], color=COLOURS[0], markersize=3.2, label="fits as well")
    axes.plot(across[chosen], up[chosen], MARKERS[3], color=COLOURS[1], markersize=5.5, label="chosen")


def _in_logarithm(axes: Any, which: str) -> None:
    """Divide an axis evenly in the logarithm, with plain numbers."""
    if which == "x":
        axes.set_xscale("log")
    else:
        axes.set_yscale("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _place: f"{value:g}")
    axis.set_minor_formatter(lambda _value, _place: "")
