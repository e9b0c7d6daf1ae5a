"""Figures of the cases: one panel, with the published or analytic curve beside ours."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def panel(x: str, y: str) -> tuple[Figure, Axes]:
    """Return a figure with one panel and the names of its axes.

    Parameters
    ----------
    x, y : what the axes show.
    """
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y)
    return figure, axes


def with_legend(axes: Axes) -> None:
    """Explain the marks, where they are in nobody's way."""
    axes.legend(frameon=False, fontsize="small")
