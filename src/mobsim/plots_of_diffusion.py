"""Pictures of an observed diffusion: curves, hazard, thresholds, categories, Moran's I, Bass's curve.

In the manner of `plots`: tables in, a Figure out; no number of interest is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.analysis.diffusion.bass import BassFit, bass_curve
from mobsim.analysis.diffusion.describe import DiffusionSummary
from mobsim.plots import COLOURS, GREY, MARKERS, PALE, WIDTH, Figure, _figure

if TYPE_CHECKING:
    import pandas as pd

CAPTIONS = {
    "curves": "Share that had adopted, by community (thin lines) and of everybody (thick line).",
    "hazard": "Share of those at risk who adopted in each period, with 95 % intervals.",
    "thresholds": "Left: exposure of adopters when they adopted, and of others when last seen. Right: how "
    "exposure at adoption went with the time of adoption; a dot is a person, moved a little to be seen.",
    "categories": "Percentage of all people by time of adoption and by threshold.",
    "moran": "Moran's I of having adopted; band: the middle of what chance gives within communities.",
    "bass": "Bass's curve fitted to the share that had adopted; dashed: what would come.",
}
"""What each picture shows, for pages."""


def figures_of(summary: DiffusionSummary) -> dict[str, Figure]:
    """Return all pictures of a summary by name; what the data do not allow is left out.

    Parameters
    ----------
    summary : what `describe_diffusion` returned.
    """
    figures = {
        "curves": curves(summary.curves, summary.periods),
        "hazard": hazard(summary.periods),
    }
    if summary.people["threshold"].notna().any():
        figures["thresholds"] = thresholds(summary.people)
        figures["categories"] = categories(summary.categories)
    if summary.periods["moran"].notna().any():
        figures["moran"] = moran(summary.periods)
    if summary.bass is not None:
        figures["bass"] = bass(summary.periods, summary.bass)
    return figures


def curves(by_community: pd.DataFrame, periods: pd.DataFrame) -> Figure:
    """Draw cumulative shares of every community and of everybody.

    Parameters
    ----------
    by_community : one row a community and period, with community, period and share.
    periods : one row a period, with period and adopted_by.
    """
    with _figure(WIDTH, 3.6) as figure:
        axes = figure.subplots()
        communities = list(by_community.groupby("community", sort=False))
        for name, part in communities if len(communities) > 1 else []:
            axes.plot(part["period"], 100 * part["share"], color=PALE, linewidth=0.9, label=f"_{name}")
        axes.plot(
            periods["period"], 100 * periods["adopted_by"], color=COLOURS[0], linewidth=2.2, label="everybody"
        )
        axes.set_ylabel("adopted (% of people)")
        axes.set_ylim(0, 100)
        _whole_periods(axes, periods)
        if len(communities) > 1:
            axes.plot([], [], color=PALE, label=f"each of {len(communities)} communities")
            axes.legend(fontsize=7.5)
    return figure


def hazard(periods: pd.DataFrame) -> Figure:
    """Draw the share of those at risk who adopted in each period.

    Parameters
    ----------
    periods : one row a period, with period, hazard, low and high.
    """
    with _figure(WIDTH, 2.9) as figure:
        axes = figure.subplots()
        value = 100 * periods["hazard"].to_numpy()
        below, above = value - 100 * periods["low"].to_numpy(), 100 * periods["high"].to_numpy() - value
        bars = np.maximum(np.vstack([below, above]), 0.0)
        axes.errorbar(
            periods["period"], value, bars, color=COLOURS[0], marker=MARKERS[0], markersize=4, capsize=2,
            linewidth=1.0,
        )  # fmt: skip
        axes.set_ylabel("hazard (% of those at risk)")
        axes.set_ylim(bottom=0)
        _whole_periods(axes, periods)
    return figure


def thresholds(people: pd.DataFrame) -> Figure:
    """Draw exposure at adoption, and of those who did not adopt; and exposure against time of adoption.

    Parameters
    ----------
    people : one row a person, with time, threshold and withstood.
    """
    bins = np.linspace(0, 1, 11)
    with _figure(WIDTH, 3.0) as figure:
        left, right = figure.subplots(1, 2)
        adopters, others = people["threshold"].dropna(), people["withstood"].dropna()
        left.hist(
            [adopters, others], bins=bins, color=[COLOURS[0], PALE],
            label=[f"adopters ({len(adopters):,})", f"others, when last seen ({len(others):,})"],
        )  # fmt: skip
        left.set_xlabel("exposure")
        left.set_ylabel("people")
        left.legend(fontsize=7.0)
        moved = np.random.Generator(np.random.Philox(key=1)).uniform(-0.3, 0.3, len(people))
        right.plot(
            people["time"] + moved, people["threshold"], ".", color=COLOURS[0], markersize=2.5, alpha=0.5
        )
        right.set_xlabel("period of adoption")
        right.set_ylabel("exposure at adoption")
        right.set_ylim(-0.03, 1.03)
    return figure


def categories(table: pd.DataFrame) -> Figure:
    """Draw the table of categories as shades, with its numbers.

    Parameters
    ----------
    table : percentages; rows are categories of time, columns of threshold.
    """
    values = table.to_numpy()
    with _figure(WIDTH, 0.8 + 0.42 * len(table)) as figure:
        axes = figure.subplots()
        highest = max(1.0, float(values.max()))
        axes.imshow(values, cmap="Blues", vmin=0, vmax=1.4 * highest, aspect="auto")
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                axes.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=8.0)
        axes.set_xticks(range(table.shape[1]), [str(name) for name in table.columns])
        axes.set_yticks(range(table.shape[0]), [str(name) for name in table.index])
        axes.set_xlabel("threshold")
        axes.grid(False)
        axes.tick_params(length=0)
    return figure


def moran(periods: pd.DataFrame) -> Figure:
    """Draw Moran's I by period beside what chance within communities gives.

    Parameters
    ----------
    periods : one row a period, with period, moran, and within_mean and within_z if there are communities.
    """
    with _figure(WIDTH, 2.9) as figure:
        axes = figure.subplots()
        x, value = periods["period"], periods["moran"].to_numpy()
        if "within_z" in periods and periods["within_z"].notna().any():
            middle = periods["within_mean"].to_numpy()
            z = periods["within_z"].to_numpy()
            sd = np.divide(value - middle, z, out=np.full(len(z), np.nan), where=np.abs(z) > 1e-9)
            axes.fill_between(
                x, middle - 1.96 * sd, middle + 1.96 * sd, color=PALE, alpha=0.6, linewidth=0,
                label="95 % of chance within communities",
            )  # fmt: skip
            axes.plot(x, middle, color=GREY, linewidth=0.9, linestyle="--")
        axes.axhline(0, color=GREY, linewidth=0.7)
        axes.plot(x, value, color=COLOURS[0], marker=MARKERS[0], markersize=4, label="Moran's I")
        axes.set_ylabel("Moran's I")
        axes.legend(fontsize=7.5)
        _whole_periods(axes, periods)
    return figure


def bass(periods: pd.DataFrame, fit: BassFit) -> Figure:
    """Draw Bass's curve beside what was observed, and half as long again.

    Parameters
    ----------
    periods : one row a period, with period and adopted_by.
    fit : the fitted curve.
    """
    n = len(periods)
    start = float(periods["period"].iloc[0]) - 1
    seen, later = np.linspace(0, n, 100), np.linspace(n, 1.5 * n, 50)
    with _figure(WIDTH, 3.2) as figure:
        axes = figure.subplots()
        label = f"p {fit.p:.3f}, q {fit.q:.3f}, m {fit.m:.2f}"
        axes.plot(start + seen, 100 * bass_curve(seen, fit.p, fit.q, fit.m), color=COLOURS[0], label=label)
        axes.plot(start + later, 100 * bass_curve(later, fit.p, fit.q, fit.m), "--", color=COLOURS[0])
        axes.plot(
            periods["period"], 100 * periods["adopted_by"], MARKERS[0], color="black", markersize=3.5,
            label="observed",
        )  # fmt: skip
        axes.set_ylabel("adopted (% of people)")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=7.5)
        _whole_periods(axes, periods)
    return figure


def _whole_periods(axes: Any, periods: pd.DataFrame) -> None:
    axes.set_xlabel("period")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(left=float(periods["period"].iloc[0]) - 0.5)
