"""Pictures of results: a table in, a Figure out; nothing is simulated here and nothing global is touched.

Colours are those of Okabe and Ito, which people with any colour vision can tell apart; strategies also
differ in line style or marker and carry their name. The same table gives the same bytes (`as_svg`,
`as_png`).

Source: Okabe, M. & Ito, K. (2008). Color Universal Design.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection, PolyCollection
from matplotlib.figure import Figure as Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mobsim.analysis.excerpt import Excerpt

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY, PALE = "#5A5A5A", "#D9D9D9"
NONE = "none"
WIDTH = 6.6

_End = tuple[float, str, str]
"""Where a line ends: value, arm, colour."""

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "mobsim",
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "text.parse_math": False,  # names are words, also with a dollar sign in them
}

_PNG_DPI = 140


def as_svg(figure: Figure) -> bytes:
    """Return a figure as SVG; its words stay words, and no date is written."""
    with rc_context(_STYLE):
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG, 140 dots an inch."""
    with rc_context(_STYLE):
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=_PNG_DPI, metadata={"Software": None})
    return stream.getvalue()


def warm_up() -> None:
    """Load fonts and everything else that the first picture waits for, by drawing a small one."""
    with _figure(1.0, 1.0) as figure:
        figure.subplots().legend([], [], title="-0.5")
    as_svg(figure)
    as_png(figure)


def adoption_curves(
    weeks: pd.DataFrame,
    arms: Sequence[str],
    *,
    column: str = "participation",
    funded: tuple[int, int] | None = (6, 78),
) -> Figure:
    """Draw a weekly share by strategy: means over runs, and the middle 80 % of runs as a band.

    Parameters
    ----------
    weeks : one row a run and week, with arm, community, luck, week and the column.
    arms : in the order of colours; none first.
    column : a share, such as participation or aware.
    funded : first funded week and the week before which funding ends, or None.
    """
    with _figure(WIDTH, 3.7) as figure:
        axes = figure.subplots()
        _mark_funding(axes, funded)
        ends = _draw_curves(axes, weeks, arms, column, band=True)
        _set_scale(axes)
        _label_ends(axes, ends)
        axes.set_ylabel(f"{_plain(column)} (% of residents)")
        axes.set_xlabel("week")
    return figure


def adoption_by_group(
    weeks: pd.DataFrame,
    arms: Sequence[str],
    groups: Sequence[str],
    *,
    funded: tuple[int, int] | None = (6, 78),
) -> Figure:
    """Draw weekly participation by strategy, one panel a group, on one scale.

    Parameters
    ----------
    weeks : with columns participation__GROUP.
    arms : in the order of colours; none first.
    groups : names; the majority first.
    funded : first funded week and the week before which funding ends, or None.
    """
    columns = min(2, len(groups))
    rows = math.ceil(len(groups) / columns)
    with _figure(WIDTH, 3.3 * rows) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        ends = []
        for axes, group in zip(panels, groups, strict=False):
            _mark_funding(axes, funded)
            ends.append(_draw_curves(axes, weeks, arms, f"participation__{group}", band=False))
            axes.set_title(_plain(group))
            axes.set_xlabel("week")
        _set_scale(panels[0])
        for axes, ends_here in zip(panels, ends, strict=False):
            _label_ends(axes, ends_here)
        _hide_rest(panels, len(groups))
        panels[0].set_ylabel("participation (% of the group)")
    return figure


def funnel(runs: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Draw how many are aware, take part at funding end, and of these still take part in the last week.

    Parameters
    ----------
    runs : one row a run, with aware_fe, participation_fe, kept_participants.
    arms : from top to bottom.
    """
    kept = (runs["kept_participants"].fillna(0) * runs["participation_fe"]).groupby(runs["arm"]).mean()
    means = runs.groupby("arm")[["aware_fe", "participation_fe"]].mean()
    stages = (
        ("aware at funding end", means["aware_fe"], 0.72, "#BFD9EA"),
        ("take part at funding end", means["participation_fe"], 0.46, "#0072B2"),
        ("of these, also in the last week", kept, 0.18, "#00263B"),
    )
    with _figure(WIDTH, 1.1 + 0.55 * len(arms)) as figure:
        axes = figure.subplots()
        for label, values, height, colour in stages:
            axes.barh(range(len(arms)), 100 * values[list(arms)], height=height, color=colour, label=label)
        for place, arm in enumerate(arms):
            words = " / ".join(f"{100 * values[arm]:.1f}" for _, values, _, _ in stages)
            axes.annotate(
                words,
                (100 * means["aware_fe"][arm], place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        _name_rows(axes, arms)
        axes.margins(x=0.2)
        axes.set_xlabel("% of residents")
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8, borderaxespad=0.2,
                    columnspacing=1.2, handlelength=1.2)  # fmt: skip
    return figure


def spending(activities: pd.DataFrame, arms: Sequence[str], *, currency: str, every: int = 4) -> Figure:
    """Draw what was spent on each activity, one panel a strategy, in periods of a few weeks.

    Parameters
    ----------
    activities : one row an arm, activity and week, with spent.
    arms : those that spend; a panel each.
    currency : name of the unit.
    every : weeks a bar stands for.
    """
    shown = [arm for arm in arms if (activities["arm"] == arm).any()] or list(arms[:1])
    kinds = list(dict.fromkeys(activities["activity"]))
    last = int(activities["week"][activities["spent"] > 0].max()) if activities["spent"].any() else 0
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    with _figure(WIDTH, 0.5 + 2.0 * rows) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        handles: dict[str, Any] = {}
        for axes, arm in zip(panels, shown, strict=False):
            part = activities[activities["arm"] == arm]
            floor: NDArray[np.float64] = np.zeros(0)
            for number, kind in enumerate(kinds):
                spent = _by_period(part[part["activity"] == kind], every)[: last // every + 1]
                if not spent.any():
                    continue
                floor = floor if floor.size else np.zeros_like(spent)
                handles[kind] = _bars(
                    axes, every * np.arange(len(spent)), floor, spent, width=every * 0.9,
                    facecolor=COLOURS[number % len(COLOURS)],
                    hatch=("", "//", "..")[number // len(COLOURS) % 3],
                )  # fmt: skip
                floor = floor + spent
            axes.set_title(_plain(arm))
        for axes in panels[max(0, len(shown) - columns) : len(shown)]:
            axes.set_xlabel("week")
            axes.xaxis.set_tick_params(labelbottom=True)
        _hide_rest(panels, len(shown))
        for axes in panels[::columns]:
            axes.set_ylabel(f"{currency} in {every} weeks")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        if handles:
            figure.legend(
                list(handles.values()), list(handles), loc="outside upper center", ncols=min(6, len(handles)),
                fontsize=8,
            )  # fmt: skip
    return figure


def effects(comparison: pd.DataFrame, arms: Sequence[str], groups: Sequence[str]) -> Figure:
    """Draw how many points each strategy adds to no campaign at funding end, for all and for each group.

    Parameters
    ----------
    comparison : the comparison table, with participation_fe against none.
    arms : from top to bottom; none is left out.
    groups : names; the majority first.
    """
    shown = [arm for arm in arms if arm != NONE]
    parts = ["all", *groups]
    table = comparison[comparison["outcome"] == "participation_fe"].set_index(["arm", "group"])
    with _figure(WIDTH, 1.2 + 0.26 * len(shown) * (len(parts) + 0.6)) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=GREY, linewidth=1)
        for part, group in enumerate(parts):
            rows = [row for row, arm in enumerate(shown) if (arm, group) in table.index]
            found = table.loc[[(shown[row], group) for row in rows]]
            middle, low, high = (100 * found[f"against_none{end}"] for end in ("", "_low", "_high"))
            places = [row + 0.24 * (part - (len(parts) - 1) / 2) for row in rows]
            _intervals(
                axes, places, middle, low, high,
                colour="#000000" if part == 0 else COLOURS[(part - 1) % len(COLOURS)],
                marker=MARKERS[part % len(MARKERS)], label="all residents" if part == 0 else _plain(group),
            )  # fmt: skip
        _name_rows(axes, shown)
        axes.set_xlabel("points of participation added to no campaign at funding end")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(parts), fontsize=8, borderaxespad=0.2)
    return figure


def verdict_forest(contrasts: pd.DataFrame, *, matters: float) -> Figure:
    """Draw the difference of every judged pair with its simultaneous interval.

    Parameters
    ----------
    contrasts : one row a pair: arm, rival, verdict, estimate, low, high.
    matters : smallest difference that matters, drawn as a grey band.
    """
    kinds = (
        ("better", COLOURS[0], "o"),
        ("practically equal", COLOURS[2], "s"),
        ("cannot tell yet", COLOURS[1], "D"),
    )
    pairs = zip(contrasts["arm"], contrasts["rival"], strict=True)
    names = [f"{_in_words(arm)} − {_in_words(rival)}" for arm, rival in pairs]
    with _figure(WIDTH, 1.2 + 0.32 * max(2, len(names))) as figure:
        axes = figure.subplots()
        axes.axvspan(-100 * matters, 100 * matters, color="#EFEFEF", zorder=0)
        axes.axvline(0, color=GREY, linewidth=1)
        for kind, colour, marker in kinds:
            rows = np.flatnonzero((contrasts["verdict"] == kind).to_numpy())
            if len(rows):
                part = contrasts.iloc[rows]
                _intervals(
                    axes, rows.tolist(), 100 * part["estimate"], 100 * part["low"], 100 * part["high"],
                    colour=colour, marker=marker, label=kind,
                )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(0.5, len(names) - 0.5), -0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"points of participation; grey: within {100 * matters:g}, too little to matter")
        if len(names):
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8, borderaxespad=0.2)
    return figure


def distribution(
    runs: pd.DataFrame, arms: Sequence[str], *, column: str = "participation_fe", unit: str = "community"
) -> Figure:
    """Draw an outcome of every community (mean over luck) as a dot, and the mean of all as a line.

    Parameters
    ----------
    runs : one row a run.
    arms : from top to bottom.
    column : a share.
    unit : community, or luck for an imported community.
    """
    with _figure(WIDTH, 1.0 + 0.5 * len(arms)) as figure:
        axes = figure.subplots()
        for row, arm in enumerate(arms):
            values = 100 * runs[runs["arm"] == arm].groupby(unit)[column].mean().to_numpy()
            colour = _colour(arm, arms)
            axes.scatter(values, row + _spread(values), s=16, color=colour, alpha=0.65, linewidths=0)
            axes.vlines(values.mean(), row - 0.36, row + 0.36, color="black", linewidth=1.6)
            axes.annotate(
                f"{values.mean():.1f}",
                (float(values.mean()), row - 0.37),
                ha="center",
                va="bottom",
                fontsize=8,
            )
        _name_rows(axes, arms)
        axes.set_xlabel(f"participation at funding end (%); one dot is one {unit}, the line their mean")
    return figure


def power_interest(organizations: pd.DataFrame, arms: Sequence[str], *, funding_end: int) -> Figure:
    """Draw where organizations stand on power and interest: hollow in week 0, filled at funding end.

    The most powerful stand on top; the horizontal line parts those with power from those without. One panel
    a strategy that moves an organization; one of no campaign where none does.

    Parameters
    ----------
    organizations : one row an arm, organization and decision week, with influence, interest, in_coalition.
    arms : in the order of panels.
    funding_end : the last funded week.
    """
    wanted = organizations[organizations["week"].isin((0, funding_end))]
    spread = wanted.groupby(["arm", "organization"])["interest"].agg(
        lambda values: values.max() - values.min()
    )
    moved = spread[spread > 0.005].index.get_level_values("arm")
    shown = [arm for arm in arms if arm in moved] or list(arms[:1])
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    influence = wanted.groupby("organization", sort=False)["influence"].first()
    order = influence.sort_values(ascending=False, kind="stable").index.tolist()
    with _figure(WIDTH, 0.9 + rows * (1.1 + 0.24 * len(order))) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, arm in zip(panels, shown, strict=False):
            _draw_standing(axes, wanted[wanted["arm"] == arm], order, funding_end)
            axes.set_title(_in_words(arm))
            axes.set_xlabel("interest")
            axes.xaxis.set_tick_params(labelbottom=True)
        for axes in panels[::columns]:
            axes.set_ylabel("by power (influence)")
        _hide_rest(panels, len(shown))
        colours = figure.colorbar(
            panels[0].collections[-1], ax=list(panels), location="bottom", fraction=0.04, pad=0.02, aspect=40
        )
        colours.set_label("% of runs in which it is in the coalition at funding end")
    return figure


def policy_shares(
    surveys: pd.DataFrame,
    starts: Mapping[str, Mapping[str, float]],
    *,
    kinds: Sequence[str],
    runs: int,
    weeks: int,
) -> Figure:
    """Draw how a policy moves the money of a strategy between its activities: mean shares over runs.

    Parameters
    ----------
    surveys : one row a run and survey, with share__ACTIVITY from then on.
    starts : strategy -> activity -> share of its money before the first survey; a panel each.
    kinds : all activities, in the order of colours, as in `spending`.
    runs : runs of each strategy.
    weeks : funded weeks are those before this one.
    """
    columns = min(2, len(starts))
    rows = math.ceil(len(starts) / columns)
    with _figure(WIDTH, 0.6 + 2.1 * rows) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        handles: dict[str, Any] = {}
        for axes, (arm, start) in zip(panels, starts.items(), strict=False):
            shares = _mean_shares(surveys[surveys["arm"] == arm], start, runs, weeks)
            floor = np.zeros(weeks + 1)
            for kind, share in zip(start, shares, strict=True):
                number = kinds.index(kind)
                handles[kind] = axes.fill_between(
                    np.arange(weeks + 1), 100 * floor, 100 * (floor + share), step="post",
                    facecolor=COLOURS[number % len(COLOURS)], edgecolor="white", linewidth=0.4,
                    hatch=("", "//", "..")[number // len(COLOURS) % 3],
                )  # fmt: skip
                floor = floor + share
            axes.set_title(_plain(arm))
            axes.set_xlim(0, weeks)
            axes.set_ylim(0, 100)
            axes.grid(visible=False)
        for axes in panels[max(0, len(starts) - columns) : len(starts)]:
            axes.set_xlabel("week")
            axes.xaxis.set_tick_params(labelbottom=True)
        for axes in panels[::columns]:
            axes.set_ylabel("% of its money")
        _hide_rest(panels, len(starts))
        figure.legend(
            list(handles.values()), [_plain(kind) for kind in handles], loc="outside upper center",
            ncols=min(6, max(1, len(handles))), fontsize=8,
        )  # fmt: skip
    return figure


def network_picture(part: Excerpt) -> Figure:
    """Draw some residents of a community with the ties among them.

    Parameters
    ----------
    part : from `mobsim.analysis.excerpt.excerpt_of`.
    """
    places = _places(len(part.group), part.ties)
    when = " at the start" if part.at_start else ""
    with _figure(WIDTH, 5.4) as figure:
        axes = figure.subplots()
        _draw_ties(axes, places, part.ties)
        for number, name in enumerate(part.group_names):
            for filled, face in ((False, "white"), (True, None)):
                chosen = (part.group == number) & (part.takes_part == filled)
                colour = COLOURS[number % len(COLOURS)]
                axes.scatter(
                    x=places[chosen, 0],
                    y=places[chosen, 1], s=np.where(part.is_leader[chosen], 46, 17),
                    marker=MARKERS[number % len(MARKERS)], facecolor=face or colour, edgecolor=colour,
                    linewidth=0.9, zorder=2 + filled,
                    label=_plain(name) if not filled else None,
                )  # fmt: skip
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=8, borderaxespad=0.2)
        axes.set_title(
            f"{len(part.group):,} of {part.n_residents:,} residents; filled: takes part{when}; large: leader",
            fontsize=8, loc="left", y=-0.06,
        )  # fmt: skip
    return figure


@contextmanager
def _figure(width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure in our style, in inches."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        # Places are found once here, without drawing; with no engine left, saving draws once a format.
        engine = figure.get_layout_engine()
        assert engine is not None
        engine.execute(figure)
        figure.set_layout_engine(None)


def _colour(arm: str, arms: Sequence[str]) -> str:
    """No campaign is grey; the others take the palette in their order."""
    if arm == NONE:
        return GREY
    return COLOURS[[name for name in arms if name != NONE].index(arm) % len(COLOURS)]


def _line(arm: str, arms: Sequence[str]) -> Any:
    if arm == NONE:
        return (0, (2, 1.5))
    return LINES[[name for name in arms if name != NONE].index(arm) % len(LINES)]


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _in_words(arm: str) -> str:
    return "no campaign" if arm == NONE else _plain(arm)


def _draw_curves(
    axes: Axes, weeks: pd.DataFrame, arms: Sequence[str], column: str, *, band: bool
) -> list[_End]:
    """Draw one line a strategy over the middle 80 % of runs, and return where the lines end."""
    ends = []
    for arm in arms:
        part = weeks[weeks["arm"] == arm].sort_values(["community", "luck", "week"])
        week = np.unique(part["week"].to_numpy())
        values = 100 * part[column].to_numpy(dtype=float).reshape(-1, len(week))
        colour = _colour(arm, arms)
        if band and len(values) > 1:
            low, high = np.quantile(values, [0.1, 0.9], axis=0)
            axes.fill_between(week, low, high, color=colour, alpha=0.12, linewidth=0)
        mean = values.mean(axis=0)
        axes.plot(week, mean, color=colour, linestyle=_line(arm, arms), linewidth=1.8)
        ends.append((float(mean[-1]), arm, colour))
    axes.set_xlim(left=float(week[0]), right=float(week[-1]))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    return ends


def _set_scale(axes: Axes) -> None:
    """Start at 0, unless all lines run so high that nothing could be told apart."""
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom=0 if bottom < 0.5 * top else bottom)


def _label_ends(axes: Axes, ends: list[_End]) -> None:
    """Write names at the ends of lines, moved apart where they would touch."""
    last = axes.get_xlim()[1]
    bottom, top = axes.get_ylim()
    height = axes.get_position().height * axes.figure.get_figheight()  # type: ignore[union-attr]
    apart = (top - bottom) * 0.165 / max(0.5, height)
    ordered = sorted(ends)
    places = _apart([value for value, _, _ in ordered], apart, bottom, top)
    for (value, arm, colour), place in zip(ordered, places, strict=True):
        axes.annotate(
            _in_words(arm),
            (last, value),
            xytext=(last + 0.02 * last, place),
            textcoords="data",
            va="center",
            fontsize=8.5,
            color=_darker(colour),
            annotation_clip=False,
        )


def _apart(values: Sequence[float], apart: float, bottom: float, top: float) -> list[float]:
    """Places for labels at ascending values, at least `apart` from each other and as near as that allows."""
    clusters: list[tuple[float, int]] = []  # the mean of value - rank * apart, and how many share it
    for rank, value in enumerate(values):
        mean, size = value - rank * apart, 1
        while clusters and clusters[-1][0] >= mean:
            before, more = clusters.pop()
            mean, size = (before * more + mean * size) / (more + size), more + size
        clusters.append((mean, size))
    level = [mean for mean, size in clusters for _ in range(size)]
    places = [mean + rank * apart for rank, mean in enumerate(level)]
    down = max(0.0, places[-1] - top)
    up = max(0.0, bottom - (places[0] - down))
    return [place - down + up for place in places]


def _darker(colour: str) -> str:
    """Return a colour dark enough for words on white."""
    parts = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(0.65 * part):02X}" for part in parts)


def _mark_funding(axes: Axes, funded: tuple[int, int] | None) -> None:
    if funded is None:
        return
    axes.axvspan(*funded, color="#F5F1E6", zorder=0)
    axes.annotate(
        "funded", (funded[0], 1), xycoords=("data", "axes fraction"), xytext=(3, -3),
        textcoords="offset points", va="top", fontsize=8, color=GREY,
    )  # fmt: skip


def _intervals(
    axes: Axes, places: Any, middle: Any, low: Any, high: Any, *, colour: str, marker: str, label: str
) -> None:
    """Dots with intervals; where none is possible, the dot alone."""
    axes.hlines(places, low, high, color=colour, linewidth=1.6)
    axes.scatter(middle, places, s=26, color=colour, marker=marker, zorder=3, label=label)


def _draw_standing(axes: Axes, part: pd.DataFrame, order: Sequence[str], funding_end: int) -> None:
    """Draw the organizations of one strategy in rows: from week 0 to funding end, coloured by membership."""
    start, end = (
        part[part["week"] == week].set_index("organization").loc[list(order)] for week in (0, funding_end)
    )
    rows = np.arange(len(order))
    axes.hlines(rows, start["interest"], end["interest"], color=GREY, linewidth=1.2)
    axes.scatter(start["interest"], rows, s=34, facecolor="white", edgecolor=GREY, zorder=3)
    axes.scatter(
        end["interest"], rows, s=34, c=100 * end["in_coalition"], cmap="Blues", vmin=0, vmax=100,
        edgecolor="#00263B", linewidth=0.9, zorder=4,
    )  # fmt: skip
    powerful = int((start["influence"] >= start["influence"].mean() - 1e-12).sum())
    axes.axhline(powerful - 0.5, color=GREY, linewidth=0.8)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.set_ylim(len(order) + 0.1, -1.1)
    axes.set_yticks(rows, [f"{_plain(str(name))} ({power:g})" for name, power in start["influence"].items()])
    axes.grid(axis="x", visible=False)
    for words, x, y in (
        ("keep satisfied", -1.02, -0.75), ("manage closely", 1.02, -0.75),
        ("monitor", -1.02, len(order) - 0.25), ("keep informed", 1.02, len(order) - 0.25),
    ):  # fmt: skip
        axes.annotate(
            words,
            (x, y),
            ha="left" if x < 0 else "right",
            va="center",
            fontsize=8,
            color=GREY,
            style="italic",
        )


def _mean_shares(
    surveys: pd.DataFrame, start: Mapping[str, float], runs: int, weeks: int
) -> NDArray[np.float64]:
    """(activities, weeks + 1) mean share of the money over runs; who never asks keeps the first shares."""
    first = np.array(list(start.values()))
    sums = np.repeat((runs * first)[:, None], weeks + 1, axis=1)
    for _, asked in surveys.groupby(["community", "luck"]):
        before = first
        for row in asked.sort_values("week").to_dict("records"):
            after = np.array([row[f"share__{kind}"] for kind in start])
            sums[:, int(row["week"]) :] += (after - before)[:, None]
            before = after
    means: NDArray[np.float64] = sums / runs
    return means


def _name_rows(axes: Axes, arms: Sequence[str]) -> None:
    axes.set_yticks(range(len(arms)), [_in_words(arm) for arm in arms])
    axes.set_ylim(max(0.5, len(arms) - 0.5), -0.5)
    axes.grid(axis="y", visible=False)


def _hide_rest(panels: Any, used: int) -> None:
    for axes in panels[used:]:
        axes.set_visible(False)


def _bars(
    axes: Axes,
    starts: NDArray[Any],
    bottom: NDArray[np.float64],
    height: NDArray[np.float64],
    *,
    width: float,
    **colours: Any,
) -> Collection:
    """Draw bars of one colour that stand on others, as one object: a hundred times faster than one a bar."""
    x, top = starts.astype(np.float64), bottom + height
    corners = [(x, bottom), (x, top), (x + width, top), (x + width, bottom)]
    outlines = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
    bars = PolyCollection(list(outlines[height > 0]), edgecolor="white", linewidth=0, **colours)
    bars.sticky_edges.y.append(0.0)
    axes.add_collection(bars)
    axes.update_datalim([(x[0], 0.0), (x[-1] + width, 0.0)])
    axes.autoscale_view()
    return bars


def _by_period(part: pd.DataFrame, every: int) -> NDArray[np.float64]:
    """Sum what was spent over periods of weeks."""
    spent: NDArray[Any] = np.bincount(
        part["week"].to_numpy() // every,
        weights=part["spent"].to_numpy(dtype=float),
    )
    return spent.astype(np.float64)


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move dots off their row by a fixed pattern in their order, so that equal ones stay visible."""
    steps = np.array([0.0, 0.16, -0.16, 0.08, -0.08, 0.24, -0.24])
    moved = np.empty(len(values))
    moved[np.argsort(values, kind="stable")] = np.resize(steps, len(values))
    return moved


def _places(n_shown: int, ties: NDArray[np.int64]) -> NDArray[np.float64]:
    """Places from springs along ties, the same every time, starting from a ring in the residents' order."""
    angle = np.arange(n_shown) * 2 * math.pi / n_shown
    start: NDArray[np.float64] = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if not len(ties):
        return start
    joined = _largest_part(n_shown, ties)
    within = np.searchsorted(joined, ties[np.isin(ties[:, 0], joined)])
    places = _sprung(start[joined], within, 2.2 / math.sqrt(n_shown))
    # Springs push residents without a tie to the rest out of the picture: they stand on a ring around it.
    start *= 1.1 * np.hypot(places[:, 0], places[:, 1]).max()
    start[joined] = places
    return start


def _largest_part(n_shown: int, ties: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the residents of the largest connected part, ascending; of equal ones the first."""
    part = np.arange(n_shown)
    before = np.full(n_shown, -1)
    while (part != before).any():  # the lowest number of a part spreads along its ties
        before = part.copy()
        np.minimum.at(part, ties[:, 0], before[ties[:, 1]])
        np.minimum.at(part, ties[:, 1], before[ties[:, 0]])
        part = part[part]
    return np.flatnonzero(part == np.bincount(part).argmax()).astype(np.int64)


def _sprung(
    places: NDArray[np.float64], ties: NDArray[np.int64], apart: float, rounds: int = 60
) -> NDArray[np.float64]:
    """Move places as if ties pulled and all pushed each other, ever less far; scaled to reach 1.

    Source: Fruchterman, T. M. J. & Reingold, E. M. (1991). Graph drawing by force-directed placement.
    Software: Practice and Experience 21, 1129-1164.
    """
    x, y = places.T.copy()
    one, other = np.concatenate([ties, ties[:, ::-1]]).T
    furthest = 0.1 * max(np.ptp(x), np.ptp(y))
    for step in range(rounds):
        across, along = x[:, None] - x, y[:, None] - y
        squared = np.maximum(across * across + along * along, 1e-4)
        push = apart * apart / squared
        pull = np.sqrt(squared[one, other]) / apart
        moves = [
            np.einsum("ij,ij->i", way, push) - np.bincount(one, way[one, other] * pull, len(x))
            for way in (across, along)
        ]
        heat = furthest * (1 - step / (rounds + 1)) / np.maximum(np.hypot(*moves), 0.01)
        x, y = x + heat * moves[0], y + heat * moves[1]
    moved = np.stack([x - x.mean(), y - y.mean()], axis=1)
    scaled: NDArray[np.float64] = moved / np.abs(moved).max()
    return scaled


def _draw_ties(axes: Axes, places: NDArray[np.float64], ties: NDArray[np.int64]) -> None:
    """Draw all ties as one path: as many objects would take most of the time and of the file."""
    steps = np.tile(np.array([Path.MOVETO, Path.LINETO], dtype=Path.code_type), len(ties))
    lines = Path(places[ties].reshape(-1, 2), steps)
    axes.add_patch(PathPatch(lines, fill=False, edgecolor="#9A9A9A", linewidth=0.4, alpha=0.7, zorder=1))
