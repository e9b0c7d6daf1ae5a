"""Pictures of the analyses of a sweep: one figure an analysis, in the style of `plots`.

What is shown and what nobody can tell look different in shape, not in colour alone. Shares are drawn in
points or percent. The same analysis gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.plots import (
    COLOURS,
    GREY,
    LINES,
    MARKERS,
    PALE,
    WIDTH,
    Figure,
    _colour,
    _figure,
    _hide_rest,
    _in_words,
    _plain,
    _spread,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mobsim.analysis.best_map import BestMap
    from mobsim.analysis.convergence import Convergence
    from mobsim.analysis.discovery import Discovery
    from mobsim.analysis.sensitivity import Sensitivity
    from mobsim.analysis.surface import ResponseSurface
    from mobsim.analysis.tornado import Tornado

MOST_PANELS = 6
"""So many arms and differences are drawn; the table has all of them."""

MOST_LINES = 60
"""So many points are drawn as lines; the table has all of them."""


def surface_figure(surface: ResponseSurface) -> Figure:
    """Draw a response surface: curves with bands over one factor, a map with contour lines over two.

    Points that the surface misses are crosses; where a difference cannot be told from 0 the map is hatched.

    Parameters
    ----------
    surface : from `mobsim.analysis.surface.surface`.
    """
    numeric = [name for name in surface.factors if _is_numeric(surface.grid[name])]
    with _figure(WIDTH, 4.2) as figure:
        axes = figure.subplots()
        if len(numeric) == 2:
            _draw_map(figure, axes, surface)
        elif numeric:
            _draw_curves(axes, surface, numeric[0])
        else:
            _draw_means(axes, surface)
    return figure


def best_figure(best: BestMap) -> Figure:
    """Draw which arm is shown best where: filled by arm; hollow where nobody can tell.

    Parameters
    ----------
    best : from `mobsim.analysis.best_map.best_map`.
    """
    with _figure(WIDTH, 4.4 if len(best.factors) == 2 else 2.8) as figure:
        axes = figure.subplots()
        places = [_places(axes, best.table[name], axis) for name, axis in _named_axes(best.factors)]
        x = places[0]
        y = places[1] if len(places) == 2 else _spread(x)
        size = 62 if len(best.table) <= 100 else 26
        for number, arm in enumerate(best.arms):
            rows = (best.table["best"] == arm).to_numpy()
            if rows.any():
                axes.scatter(
                    x[rows], y[rows], s=size, marker=MARKERS[number % len(MARKERS)],
                    color=_colour(arm, best.arms), label=f"{_in_words(arm)} is best", linewidths=0,
                )  # fmt: skip
        for kind, marker, edge in (
            ("no difference that matters", "s", GREY),
            ("cannot tell yet", "o", "black"),
            ("no interval", "x", GREY),
        ):
            rows = (best.table["kind"] == kind).to_numpy()
            if rows.any():
                face: Any = {"color": edge} if marker == "x" else {"facecolor": "white", "edgecolor": edge}
                axes.scatter(x[rows], y[rows], s=size, marker=marker, label=kind, linewidths=1.0, **face)
        if len(places) == 1:
            axes.set_yticks([])
            axes.set_ylim(-1, 1)
        _legend(axes, columns=3)
    return figure


def tornado_figure(tornado: Tornado) -> Figure:
    """Draw how far each factor moves the lead over each rival, from the value with the least to the most.

    The closest rival comes first.

    Parameters
    ----------
    tornado : from `mobsim.analysis.tornado.tornado`.
    """
    rivals = list(dict.fromkeys([tornado.rival, *tornado.table["rival"]]))[:MOST_PANELS]
    n = max(1, len(tornado.factors))
    with _figure(WIDTH, 0.9 + len(rivals) * (0.6 + 0.36 * n)) as figure:
        panels = figure.subplots(max(1, len(rivals)), 1, sharex=True, squeeze=False).ravel()
        for axes, rival in zip(panels, rivals, strict=False):
            part = tornado.table[tornado.table["rival"] == rival]
            swings = tornado.swings[tornado.swings["rival"] == rival].set_index("factor")
            axes.axvline(0, color=GREY, linewidth=1)
            for row, name in enumerate(tornado.factors):
                swing, values = swings.loc[name], part[part["factor"] == name]
                axes.plot(
                    [100 * swing["least"], 100 * swing["most"]], [row, row], color=COLOURS[5], linewidth=9,
                    solid_capstyle="butt", zorder=1,
                )  # fmt: skip
                for ranking, face in (
                    ("still best", "black"), ("another is best", COLOURS[1]), ("within what matters", GREY),
                ):  # fmt: skip
                    _dots(axes, values[values["ranking"] == ranking], row, face, "black")
                _dots(
                    axes, values[values["ranking"].isin(("cannot tell", "no interval"))], row, "white", GREY
                )
                for end, side in (("least", "right"), ("most", "left")):
                    axes.annotate(
                        str(swing[f"{end}_at"]), (100 * swing[end], row),
                        xytext=(-9 if side == "right" else 9, 8), textcoords="offset points", ha=side,
                        va="center", fontsize=7.5, color=GREY,
                    )  # fmt: skip
            axes.set_yticks(range(len(tornado.factors)), [_plain(name) for name in tornado.factors])
            axes.set_ylim(n - 0.4, -0.7)
            axes.margins(x=0.18)
            axes.grid(axis="y", visible=False)
            axes.set_title(f"{_in_words(tornado.leading)} over {_in_words(rival)}")
        panels[-1].set_xlabel(
            f"lead in points. Black: {_in_words(tornado.leading)} is shown best; orange: shown not to be;\n"
            "grey: at most what matters behind; white: cannot tell"
        )
    return figure


def sensitivity_figure(sensitivity: Sensitivity) -> Figure:
    """Draw how much each factor matters, one panel a level or difference.

    Parameters
    ----------
    sensitivity : from `mobsim.analysis.sensitivity.sensitivity`.
    """
    contrasts = list(dict.fromkeys(zip(sensitivity.table["arm"], sensitivity.table["against"], strict=True)))
    shown = [pair for pair in contrasts if pair[1]] or contrasts
    shown = shown[:MOST_PANELS]
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    factors = list(dict.fromkeys(sensitivity.table["factor"]))
    with _figure(WIDTH, 0.9 + rows * (0.7 + 0.3 * len(factors))) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (arm, against) in zip(panels, shown, strict=False):
            part = sensitivity.table[
                (sensitivity.table["arm"] == arm) & (sensitivity.table["against"] == against)
            ].set_index("factor")
            draw = _draw_sobol if sensitivity.method == "sobol" else _draw_morris
            draw(axes, part.loc[factors], sensitivity.outcome)
            axes.set_yticks(range(len(factors)), [_plain(name) for name in factors])
            axes.set_ylim(len(factors) - 0.5, -0.5)
            axes.grid(axis="y", visible=False)
            title = _in_words(arm) if not against else f"{_in_words(arm)} − {_in_words(against)}"
            noise = sensitivity.variance[
                (sensitivity.variance["arm"] == arm) & (sensitivity.variance["against"] == against)
            ]["noise_share"].item()
            axes.set_title(title if math.isnan(noise) else f"{title} (noise {100 * noise:.0f} %)")
        _hide_rest(panels, len(shown))
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def discovery_figure(discovery: Discovery) -> Figure:
    """Draw failures over the two factors that the first box limits first, that box, and how peeling went.

    Parameters
    ----------
    discovery : from `mobsim.analysis.discovery.discover`.
    """
    known = ("point", "fails", "cannot_tell", "box")
    others = [name for name in discovery.cases.columns if name not in known]
    limits = discovery.box[discovery.box["box"] == 1]
    names = tuple(dict.fromkeys([*limits["factor"], *others]))[:2]
    with _figure(WIDTH, 3.5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
        places = [_places(left, discovery.cases[name], axis) for name, axis in _named_axes(names)]
        x, y = places if len(places) == 2 else (places[0], _spread(places[0]))
        cases = discovery.cases
        for label, rows, style in (
            ("fails", cases["fails"], {"color": COLOURS[1], "marker": "o"}),
            ("cannot tell", cases["cannot_tell"], {"facecolor": "white", "edgecolor": GREY, "marker": "D"}),
            ("does not fail", ~cases["fails"] & ~cases["cannot_tell"], {"color": COLOURS[5], "marker": "."}),
        ):
            chosen = rows.to_numpy(dtype=bool)
            left.scatter(x[chosen], y[chosen], s=22, label=label, zorder=3, **style)
        _draw_box(left, limits, names)
        _legend(left, columns=3)
        of_boxes = discovery.trajectory.groupby("box")
        for (number, steps), colour in zip(of_boxes, (COLOURS[1], GREY, PALE), strict=False):
            right.plot(100 * steps["coverage"], 100 * steps["density"], color=GREY, marker="o", markersize=3,
                       linewidth=1)  # fmt: skip
            chosen = steps["chosen"].to_numpy(dtype=bool)
            right.scatter(100 * steps["coverage"][chosen], 100 * steps["density"][chosen], s=60, zorder=3,
                          color=colour, label=f"box {number}")  # fmt: skip
        if len(of_boxes) > 1:
            _legend(right, columns=1, inside=True)
            left.set_xlabel(f"{left.get_xlabel()} (shaded: outside box 1)")
        right.set_xlim(0, 105)
        right.set_ylim(0, 105)
        right.set_xlabel("coverage (% of all failures)")
        right.set_ylabel("density (% that fail)")
        right.set_title("peeling" if len(of_boxes) else "no box")
    return figure


def convergence_figure(convergence: Convergence) -> Figure:
    """Draw how the interval narrows with communities at each point, and what each point needs.

    Parameters
    ----------
    convergence : from `mobsim.analysis.convergence.convergence`.
    """
    scale = _scale(convergence.outcome)
    with _figure(WIDTH, 3.3) as figure:
        left, right = figure.subplots(1, 2)
        numbers = list(dict.fromkeys(convergence.curve["point"]))
        drawn = _evenly(numbers, MOST_LINES)
        if convergence.worst is not None and convergence.worst not in drawn:
            drawn.append(convergence.worst)
        for number in drawn:
            part = convergence.curve[convergence.curve["point"] == number]
            worst = number == convergence.worst
            left.plot(
                part["communities"], scale * part["expected"], linewidth=1.8 if worst else 0.7,
                color=COLOURS[1] if worst else "#9A9A9A", zorder=3 if worst else 1,
                label=f"point {number}, which needs most" if worst else None,
            )  # fmt: skip
        left.axhline(scale * convergence.until, color="black", linewidth=1, linestyle="--", label="wanted")
        expected = scale * convergence.curve["expected"].to_numpy(dtype=np.float64)
        _log_ticks(left, "y", np.append(expected[expected > 0], scale * convergence.until))
        _log_ticks(left, "x", convergence.curve["communities"].to_numpy(dtype=np.float64))
        left.set_xlabel("communities")
        left.set_ylabel(f"half-width ({_unit(convergence.outcome)})")
        left.set_title("expected interval at each point")
        _legend(left, columns=1, inside=True)
        needed = np.sort(convergence.table["needed"].dropna().to_numpy(dtype=np.float64))
        if len(needed):
            share = 100 * np.arange(1, len(needed) + 1) / len(needed)
            right.step(needed, share, where="post", color=COLOURS[0], linewidth=1.6)
            right.scatter(needed, share, s=12, color=COLOURS[0], zorder=3)
            right.axvline(
                convergence.table["communities"].max(), color=GREY, linestyle=":", label="there are"
            )
            _log_ticks(right, "x", np.append(needed, convergence.table["communities"].max()))
            _legend(right, columns=1, inside=True)
        right.set_ylim(0, 105)
        right.set_xlabel("communities needed for what is wanted")
        right.set_ylabel("% of points")
        right.set_title("how many are enough")
    return figure


# Parts of figures


def _scale(outcome: str) -> float:
    from mobsim.analysis.swept import is_share

    return 100.0 if is_share(outcome) else 1.0


def _unit(outcome: str) -> str:
    return "points" if _scale(outcome) == 100 else _plain(outcome)


def _named_axes(names: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(names, "xy", strict=False))


def _is_numeric(column: pd.Series[Any]) -> bool:
    return column.dtype.kind in "iuf"


def _places(axes: Any, column: pd.Series[Any], which: str) -> NDArray[np.float64]:
    """Return where the values of a factor stand on an axis, and name the axis; words stand in a row."""
    getattr(axes, f"set_{which}label")(_plain(str(column.name)))
    if _is_numeric(column):
        return column.to_numpy(dtype=np.float64)
    words = [str(value) for value in column]
    levels = list(dict.fromkeys(words))
    getattr(axes, f"set_{which}ticks")(range(len(levels)), [_plain(level) for level in levels])
    places = np.array([levels.index(word) for word in words], dtype=np.float64)
    getattr(axes, f"set_{which}lim")(-0.5, len(levels) - 0.5)
    counts = np.bincount(places.astype(int))
    return places + (_spread(places) if counts.max() > 1 else 0.0)


def _legend(axes: Any, *, columns: int, inside: bool = False) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    if inside:
        axes.legend(handles, labels, fontsize=8, loc="best")
    else:
        axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=8,
                    borderaxespad=0.2, columnspacing=1.2, handletextpad=0.3)  # fmt: skip


def _log_ticks(axes: Any, which: str, values: NDArray[np.float64]) -> None:
    """Scale an axis by logarithms, with ticks at 1, 2, 5, 10, 20, ... written as plain numbers."""
    if not len(values):
        return
    low, high = 0.9 * float(values.min()), 1.1 * float(values.max())
    steps = [
        digit * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digit in ((1, 2, 5) if high / low < 300 else (1,))
    ]
    inside = [step for step in steps if low <= step <= high]
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}ticks")(inside, [f"{step:g}" for step in inside])
    getattr(axes, f"set_{which}ticks")([], minor=True)
    getattr(axes, f"set_{which}lim")(low, high)


def _title(surface: ResponseSurface) -> str:
    arm = _in_words(surface.arm)
    return arm if surface.against is None else f"{arm} − {_in_words(surface.against)}"


def _draw_map(figure: Any, axes: Any, surface: ResponseSurface) -> None:
    """Draw a surface over two factors with numbers."""
    first, second = surface.factors
    scale = _scale(surface.outcome)
    x, y = np.unique(surface.grid[first]), np.unique(surface.grid[second])

    def shaped(column: str) -> NDArray[np.float64]:
        return surface.grid[column].to_numpy(dtype=np.float64).reshape(len(x), len(y)).T

    outside = shaped("inside") < 0.5
    levels = np.ma.masked_array(scale * shaped("estimate"), outside)
    if levels.count():
        filled = axes.contourf(x, y, levels, levels=9, cmap="Blues" if surface.against is None else "PuOr_r")
        figure.colorbar(filled, ax=axes, label=f"{_title(surface)} ({_unit(surface.outcome)})")
        if surface.against is not None:
            unclear = (shaped("low") <= 0) & (shaped("high") >= 0)
            axes.contourf(
                x, y, np.ma.masked_array(unclear.astype(float), outside), levels=[0.5, 1.5], colors="none",
                hatches=["////"],
            )  # fmt: skip
    missed = surface.table["misfit"].to_numpy(dtype=bool)
    there = surface.table["estimate"].notna().to_numpy()
    for rows, marker, label in (
        (there & ~missed, "o", "point of the design"),
        (missed, "x", "point that the surface misses"),
    ):
        if rows.any():
            part = surface.table[rows]
            axes.scatter(part[first], part[second], s=16, color="black", marker=marker, linewidths=0.9,
                         label=label)  # fmt: skip
    axes.grid(visible=False)
    axes.set_xlabel(_plain(first))
    axes.set_ylabel(_plain(second))
    _legend(axes, columns=2)
    if surface.against is not None and levels.count():
        axes.set_title("hatched: cannot tell from 0", fontsize=8, y=-0.2)


def _draw_curves(axes: Any, surface: ResponseSurface, numeric: str) -> None:
    """Draw a curve with its band over a factor with numbers, one for each word of the other."""
    scale = _scale(surface.outcome)
    others = [name for name in surface.factors if name != numeric]
    words = list(dict.fromkeys(surface.grid[others[0]])) if others else [None]
    for number, word in enumerate(words):
        grid, table = surface.grid, surface.table
        if word is not None:
            grid = grid[grid[others[0]] == word]
            table = table[table[others[0]].astype(str).str.lower() == str(word).lower()]
        grid = grid[grid["inside"]]
        colour = COLOURS[number % len(COLOURS)]
        axes.fill_between(
            grid[numeric], scale * grid["low"], scale * grid["high"], color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(
            grid[numeric], scale * grid["estimate"], color=colour, linestyle=LINES[number % len(LINES)],
            linewidth=1.8, label=None if word is None else _plain(str(word)),
        )  # fmt: skip
        axes.vlines(table[numeric], scale * table["low"], scale * table["high"], color=colour, linewidth=0.8)
        for missed, marker in ((False, "o"), (True, "x")):
            part = table[table["misfit"] == missed]
            axes.scatter(part[numeric], scale * part["estimate"], s=16, color=colour, marker=marker, zorder=3)
    if surface.against is not None:
        axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xlabel(f"{_plain(numeric)} (crosses: points that the curve misses)")
    axes.set_ylabel(f"{_title(surface)} ({_unit(surface.outcome)})")
    _legend(axes, columns=4)


def _draw_means(axes: Any, surface: ResponseSurface) -> None:
    """Draw means with intervals for words."""
    scale = _scale(surface.outcome)
    grid = surface.grid
    names = [" · ".join(_plain(str(grid[name][row])) for name in surface.factors) for row in grid.index]
    axes.hlines(range(len(grid)), scale * grid["low"], scale * grid["high"], color=COLOURS[0], linewidth=1.6)
    axes.scatter(scale * grid["estimate"], range(len(grid)), s=26, color=COLOURS[0], zorder=3)
    if surface.against is not None:
        axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(grid)), names)
    axes.set_ylim(len(grid) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"{_title(surface)} ({_unit(surface.outcome)})")


def _dots(axes: Any, values: pd.DataFrame, row: int, face: str, edge: str) -> None:
    """Draw the leads at the values of one factor, with their intervals."""
    axes.hlines([row] * len(values), 100 * values["low"], 100 * values["high"], color=edge, linewidth=1.2)
    axes.scatter(100 * values["lead"], [row] * len(values), s=24, facecolor=face, edgecolor=edge,
                 linewidths=1.0, zorder=3)  # fmt: skip


def _draw_sobol(axes: Any, part: pd.DataFrame, outcome: str) -> None:
    """Draw first and total indices without noise, with their intervals."""
    rows = np.arange(len(part))
    for shift, name, colour, marker, label in (
        (-0.14, "total", COLOURS[0], "o", "total"),
        (0.14, "first", COLOURS[1], "s", "first order"),
    ):
        axes.hlines(rows + shift, part[f"{name}_low"], part[f"{name}_high"], color=colour, linewidth=1.5)
        clean = part[f"{name}_without_noise"].fillna(part[name])
        axes.scatter(clean, rows + shift, s=24, color=colour, marker=marker, zorder=3, label=label)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_xlabel("share of the variance")


def _draw_morris(axes: Any, part: pd.DataFrame, outcome: str) -> None:
    """Draw mean sizes of elementary effects, and what noise alone would show."""
    rows, scale = np.arange(len(part)), _scale(outcome)
    axes.hlines(rows, scale * part["mu_star_low"], scale * part["mu_star_high"], color=COLOURS[0],
                linewidth=1.5)  # fmt: skip
    axes.scatter(
        scale * part["mu_star"], rows, s=24, color=COLOURS[0], zorder=3, label="mean size of effects"
    )
    axes.scatter(scale * part["sigma"], rows, s=22, color=COLOURS[1], marker="s", zorder=3,
                 label="their deviation")  # fmt: skip
    axes.scatter(scale * part["mu_star_of_noise"], rows, s=60, color=GREY, marker="|", zorder=3,
                 label="noise alone")  # fmt: skip
    axes.set_xlabel(f"effect over the whole range ({_unit(outcome)})")


def _draw_box(axes: Any, box: pd.DataFrame, names: Sequence[str]) -> None:
    """Draw the limits of the box as lines across the picture, and shade what they leave out."""
    limits = box.set_index("factor")
    for name, which in _named_axes(names):
        if name not in limits.index:
            continue
        ends = getattr(axes, f"get_{which}lim")()
        shade = axes.axvspan if which == "x" else axes.axhspan
        low, high = (float(limits[end].astype(float)[name]) for end in ("low", "high"))
        if not math.isnan(low):
            shade(ends[0], low, color=PALE, alpha=0.5, linewidth=0, zorder=0)
        if not math.isnan(high):
            shade(high, ends[1], color=PALE, alpha=0.5, linewidth=0, zorder=0)
        getattr(axes, f"set_{which}lim")(*ends)


def _evenly(numbers: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the numbers, evenly chosen."""
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[i] for i in np.linspace(0, len(numbers) - 1, most).round().astype(int)]
