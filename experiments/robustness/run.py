"""Run the study of robust rankings again: ledgers, tables, figures, result.md.

Run: python experiments/robustness/run.py [--workers 1] [--results results]

The designs lie in designs/, two for each scenario, and can as well be run one by one with `mobsim sweep`. The
same numbers come out every time. Takes about eight minutes of processor time.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from swept_study import (  # noqa: E402
    bullets,
    limits_of,
    markdown,
    parse,
    read_table,
    run_designs,
    with_limits,
    write,
)

from mobsim.analysis.best_map import BestMap, PointVerdict, best_map, judge_point  # noqa: E402
from mobsim.analysis.discovery import discover  # noqa: E402
from mobsim.analysis.swept import Swept, read_outcome  # noqa: E402
from mobsim.analysis.tornado import tornado  # noqa: E402
from mobsim.experiment.results import SweepResults  # noqa: E402
from mobsim.plots import as_svg  # noqa: E402

SCENARIOS = (
    "vaccination_district",
    "sanitation_clts",
    "girls_enrolment",
    "maternal_groups",
    "polio_trust",
    "recycling_blocks",
    "voter_registration",
    "community_norms",
)
DESIGNS = tuple(
    HERE / "designs" / f"{name}_{kind}.yaml"
    for name in SCENARIOS
    for kind in ("one_at_a_time", "over_ranges")
)
TABLES = ("base", "values", "swings", "points", "counts", "shares", "boxes", "sentences")
KINDS = ("shown best", "within what matters", "cannot tell", "shown not best")
LEVERS = (
    "J", "spread of thresholds", "weight of appeal", "weight of capability", "weight of results",
    "barrier of the majority", "barrier of the marginalized",
)  # fmt: skip
REST = 0.02
"""A community is at rest if participation without a campaign changes by less than this."""


def kind_of(found: PointVerdict, arm: int, matters: float) -> str:
    """What one point says of the arm that is best at the base.

    It is shown best; or it is not, but shown at most what matters worse than the best; or shown not to be the
    best; or nobody can tell.
    """
    if found.best == arm:
        return "shown best"
    if found.constrained is not None and float(found.constrained.low[arm]) >= -matters:
        return "within what matters"
    return "cannot tell" if arm in found.possible else "shown not best"


def base_of(scenario: str, swept: Swept) -> dict[str, Any]:
    """The ranking at the scenario's own numbers: the first point of the design of one at a time."""
    found = judge_point(swept, 0)
    arms = swept.arms
    assert found.rival is not None
    gain = limits_of(swept.contrast(arms[found.leading], "none")[0], scale=100)
    return {
        "scenario": scenario,
        "outcome": swept.outcome,
        "leading": arms[found.leading],
        "kind": found.kind,
        "can_be_best": ", ".join(arms[i] for i in found.possible),
        "rival": arms[found.rival],
        "margin_estimate": round(100 * found.margin, 2),
        "margin_low": round(100 * found.margin_low, 2),
        "margin_high": round(100 * found.margin_high, 2),
        **{f"gain_{end}": value for end, value in gain.items()},
    }


def values_of(scenario: str, swept: Swept) -> pd.DataFrame:
    """One row a value of one factor: the base's best against the best of the others."""
    base = judge_point(swept, 0)
    here = swept.points.iloc[0]
    rows = []
    for place in range(len(swept.points)):
        changed = [
            axis.name
            for axis in swept.axes
            if not np.isclose(float(swept.points[axis.name].iloc[place]), float(here[axis.name]))
        ]
        found = judge_point(swept, place)
        means = swept.means[place]
        others = [i for i in range(len(swept.arms)) if i != base.leading]
        rival = others[int(np.argmax(means[others].mean(axis=1)))]
        lead = limits_of(means[base.leading] - means[rival], scale=100, comparisons=len(others))
        rows.append(
            {
                "scenario": scenario,
                "factor": changed[0] if changed else "base",
                "value": float(swept.points[changed[0]].iloc[place]) if changed else float("nan"),
                "best_of_others": swept.arms[rival],
                **lead,
                "kind": kind_of(found, base.leading, swept.matters),
                "shown_best": "" if found.best is None else swept.arms[found.best],
                "none": round(100 * float(swept.contrast("none")[place].mean()), 2),
            }
        )
    return pd.DataFrame(rows)


def points_of(scenario: str, swept: Swept, leading: str, results: SweepResults) -> pd.DataFrame:
    """One row a point of the ranges: what it says of the base's best, and whether it is at rest."""
    arm = swept.row(leading)
    verdicts = [judge_point(swept, p) for p in range(len(swept.points))]
    means = swept.means.mean(axis=2)
    rest = results.means(["participation_week0", "participation_end"])
    rest = rest[rest["arm"] == "none"].set_index("point").loc[swept.numbers]
    drift = (rest["participation_end"] - rest["participation_week0"]).to_numpy(float)
    points = swept.points.drop(columns="point").round(4)
    points.columns = [
        name if not name.startswith("barrier_") else ("barrier_of_majority", "barrier_of_marginalized")[i]
        for name, i in zip(points.columns, _places(points.columns), strict=True)
    ]
    return pd.concat(
        [
            pd.DataFrame({"scenario": scenario, "point": swept.numbers}),
            points,
            pd.DataFrame(
                {
                    "kind": [kind_of(found, arm, swept.matters) for found in verdicts],
                    "shown_best": [
                        "" if found.best is None else swept.arms[found.best] for found in verdicts
                    ],
                    "leading": [swept.arms[found.leading] for found in verdicts],
                    "behind": np.round(100 * (means.max(axis=1) - means[:, arm]), 2) + 0.0,
                    "none": np.round(100 * means[:, swept.row("none")], 2),
                    "spread": np.round(100 * (means.max(axis=1) - means.min(axis=1)), 2),
                    "rests": np.abs(drift) < REST,
                }
            ),
        ],
        axis=1,
    )


def _places(columns: Any) -> list[int]:
    """Number the barriers: 0 for the first group's, 1 for the second's."""
    barriers = [name for name in columns if name.startswith("barrier_")]
    return [barriers.index(name) if name in barriers else 0 for name in columns]


def counts_of(points: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """One row a scenario: at how many points the base's best is what; the same among points at rest."""
    rows = []
    for scenario, of in points.groupby("scenario", sort=False):
        kinds, rests = of["kind"].value_counts(), of[of["rests"]]["kind"].value_counts()
        others = of[of["kind"] == "shown not best"]["shown_best"].replace("", np.nan).dropna().value_counts()
        none = of["spread"] < 1
        rows.append(
            {
                "scenario": scenario,
                "base_best": base.set_index("scenario").loc[str(scenario), "leading"],
                "points": len(of),
                **{kind: int(kinds.get(kind, 0)) for kind in KINDS},
                "at_rest": int(of["rests"].sum()),
                **{f"{kind}, at rest": int(rests.get(kind, 0)) for kind in KINDS},
                "mean_behind": round(float(of["behind"].mean()), 2),
                "most_behind": round(float(of["behind"].max()), 2),
                "nothing_to_rank": int(none.sum()),
                "shown_best_instead": ", ".join(f"{name} {count}" for name, count in others.items()),
            }
        )
    return pd.DataFrame(rows)


def measure_one(scenario: str, one: SweepResults, ranges: SweepResults) -> dict[str, pd.DataFrame]:
    """All tables of one scenario."""
    alone, swept = read_outcome(one), read_outcome(ranges)
    base = base_of(scenario, alone)
    changes = tornado(one)
    swings = changes.swings[changes.swings["rival"] == base["rival"]].copy()
    for column in ("least", "most", "swing", "swing_low", "swing_high"):
        swings[column] = (100 * swings[column]).round(2) + 0.0
    swings.insert(0, "scenario", scenario)
    best: BestMap = best_map(ranges)
    shares = best.shares.round(4)
    shares.insert(0, "scenario", scenario)
    box = discover(ranges, base["leading"])
    boxes = box.box.copy()
    boxes.insert(0, "scenario", scenario)
    said = {
        "one at a time": changes.sentences,
        "over the ranges": best.sentences,
        "where it fails": box.sentences,
    }
    return {
        "base": pd.DataFrame([base]),
        "values": values_of(scenario, alone),
        "swings": swings,
        "points": points_of(scenario, swept, base["leading"], ranges),
        "shares": shares,
        "boxes": boxes.round(4),
        "sentences": pd.DataFrame(
            [
                {"scenario": scenario, "about": about, "sentence": sentence}
                for about, sentences in said.items()
                for sentence in sentences
            ]
        ),
    }


def measure(found: Mapping[str, SweepResults]) -> dict[str, pd.DataFrame]:
    """All tables of all scenarios."""
    parts = [
        measure_one(name, found[f"{name}_one_at_a_time"], found[f"{name}_over_ranges"]) for name in SCENARIOS
    ]
    tables = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    return tables | {"counts": counts_of(tables["points"], tables["base"])}


def base_lines(base: pd.DataFrame) -> str:
    rows = [
        (
            row["scenario"],
            row["leading"],
            with_limits(row, "gain_"),
            f"{row['rival']}: {with_limits(row, 'margin_')}",
            row["kind"] if row["kind"] != "best" else "shown best",
            row["can_be_best"],
        )
        for _, row in base.iterrows()
    ]
    header = ("scenario", "leading", "gain over no campaign", "margin to the closest rival", "verdict")
    return markdown((*header, "can be best"), rows)


def counts_lines(counts: pd.DataFrame) -> str:
    rows = [
        (
            row["scenario"],
            row["base_best"],
            *(f"{row[kind]} ({row[f'{kind}, at rest']})" for kind in KINDS),
            f"{row['points']} ({row['at_rest']})",
            f"{row['mean_behind']:.2f}; {row['most_behind']:.2f}",
            row["nothing_to_rank"],
            row["shown_best_instead"] or "–",
        )
        for _, row in counts.iterrows()
    ]
    whole = [f"{counts[kind].sum()} ({counts[f'{kind}, at rest'].sum()})" for kind in KINDS]
    mean = f"{(counts['mean_behind'] * counts['points']).sum() / counts['points'].sum():.2f}"
    of = f"{counts['points'].sum()} ({counts['at_rest'].sum()})"
    worst = f"{mean}; {counts['most_behind'].max():.2f}"
    rows.append(("all eight", "–", *whole, of, worst, counts["nothing_to_rank"].sum(), "–"))
    header = ("points (at rest)", "behind the best: mean; most", "points where all are within a point")
    return markdown(("scenario", "base's best", *KINDS, *header, "shown best instead"), rows)


def levers_lines(values: pd.DataFrame) -> str:
    """How far each kind of number moves the lead over the best of the others."""
    rows = []
    for scenario, of in values.groupby("scenario", sort=False):
        base = float(of[of["factor"] == "base"]["estimate"].iloc[0])
        cells = []
        for _, part in of[of["factor"] != "base"].groupby("factor", sort=False):
            ends = [*part["estimate"], base]
            star = "*" if (part["kind"] == "shown not best").any() else ""
            cells.append(f"{min(ends):.2f} to {max(ends):.2f}{star}")
        rows.append((scenario, f"{base:.2f}", *cells))
    return markdown(("scenario", "base", *LEVERS), rows)


def values_lines(of: pd.DataFrame) -> str:
    rows = [
        (
            row["factor"],
            "–" if pd.isna(row["value"]) else f"{row['value']:g}",
            f"{row['estimate']:.2f} ({row['low']:.2f} to {row['high']:.2f}) over {row['best_of_others']}",
            row["kind"],
            row["shown_best"] or "–",
            f"{row['none']:.2f}",
        )
        for _, row in of.iterrows()
    ]
    return markdown(
        (
            "factor",
            "value",
            "base's best minus best of the others",
            "the base's best is",
            "shown best",
            "none, %",
        ),
        rows,
    )


def shares_lines(of: pd.DataFrame) -> str:
    rows = [
        (row["arm"], row["shown_best"], row["can_be_best"], f"{100 * row['mean_chance_best']:.1f}")
        for _, row in of.iterrows()
    ]
    return markdown(
        ("arm", "shown best at", "can be best at", "chance of being best, mean over points, %"), rows
    )


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words; that of the points stays a file."""
    parts = [
        "# Result",
        "Written by `python experiments/robustness/run.py`. 32 communities, 1 stream of luck; 64 points over "
        "the ranges of each scenario, and one factor at a time. Points of participation at funding end (in "
        "girls_enrolment and polio_trust of the group that the goals name). Intervals hold for all arms "
        "at once at 95 %, pointwise over points.",
        "## At the scenarios' own numbers\n\n" + base_lines(tables["base"]),
        "## Over the ranges: what is the base's best?\n\n" + counts_lines(tables["counts"]),
        "## One number at a time: lead of the base's best over the best of the others\n\n"
        "From the least to the greatest lead when one number runs over its range; a star: somewhere it is "
        "shown not to be the best.\n\n" + levers_lines(tables["values"]),
    ]
    for name in SCENARIOS:
        of = {key: table[table["scenario"] == name] for key, table in tables.items()}
        parts += [f"## {name}", values_lines(of["values"]), shares_lines(of["shares"])]
        for about, part in of["sentences"].groupby("about", sort=False):
            parts.append(f"*{about}*\n\n" + bullets(part["sentence"]))
    return "\n\n".join(parts) + "\n"


STYLES = {
    "shown best": ("#0072B2", "o"),
    "within what matters": ("#56B4E9", "s"),
    "cannot tell": ("#BBBBBB", "D"),
    "shown not best": ("#D55E00", "X"),
}


def counts_picture(counts: pd.DataFrame) -> Figure:
    """What the points over the ranges say of the strategy that leads at the base."""
    figure = Figure(figsize=(8.0, 2.8), layout="constrained")
    axes = figure.subplots()
    start = np.zeros(len(counts))
    for kind, (colour, _) in STYLES.items():
        share = 100 * counts[kind].to_numpy(float) / counts["points"].to_numpy(float)
        axes.barh(range(len(counts)), share, left=start, color=colour, label=kind, height=0.7)
        start += share
    words = [
        f"{row['scenario'].replace('_', ' ')}: {row['base_best'].replace('_', ' ')}"
        for _, row in counts.iterrows()
    ]
    axes.set_yticks(range(len(counts)), words, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.tick_params(labelsize=8)
    axes.set_xlabel("% of the points over the ranges at which the base's best is", fontsize=8)
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=8, ncols=4, loc="outside upper right"
    )
    return figure


def tornado_picture(values: pd.DataFrame) -> Figure:
    """Lead of the base's best over the best of the others, one factor at a time."""
    figure = Figure(figsize=(9.0, 5.2), layout="constrained")
    panels = figure.subplots(2, 4)
    for axes, name in zip(panels.ravel(), SCENARIOS, strict=True):
        of = values[values["scenario"] == name]
        base = float(of[of["factor"] == "base"]["estimate"].iloc[0])
        factors = [factor for factor in dict.fromkeys(of["factor"]) if factor != "base"]
        axes.axvline(0, color="#5A5A5A", linewidth=0.8)
        axes.axvline(base, color="#5A5A5A", linewidth=0.8, linestyle=":")
        for row, factor in enumerate(factors):
            part = of[of["factor"] == factor]
            ends = [*part["estimate"], base]
            axes.plot([min(ends), max(ends)], [row, row], color="#CCCCCC", linewidth=7, solid_capstyle="butt")
            for kind, (colour, marker) in STYLES.items():
                chosen = part[part["kind"] == kind]
                axes.plot(chosen["estimate"], [row] * len(chosen), marker, color=colour, markersize=5)
        labels = [
            word.replace("_", " ").replace(" weight", "").replace("young or immigrant", "young")
            for word in factors
        ]
        axes.set_yticks(range(len(factors)), labels, fontsize=6)
        axes.invert_yaxis()
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(name.replace("_", " "), fontsize=8, loc="left")
    handles = [
        panels[0, 0].plot([], [], marker, color=colour, label=kind, linestyle="none")[0]
        for kind, (colour, marker) in STYLES.items()
    ]
    figure.legend(handles=handles, frameon=False, fontsize=7, ncols=4, loc="outside upper right")
    figure.supxlabel(
        "points by which the base's best is ahead of the best of the others; dotted: at the base", fontsize=8
    )
    return figure


def main() -> None:
    found = run_designs(DESIGNS, HERE, parse(__doc__))
    for name, table in measure(found).items():
        write(table, HERE / f"{name}.csv")
    tables = {name: read_table(HERE / f"{name}.csv") for name in TABLES}
    (HERE / "ranges.svg").write_bytes(as_svg(counts_picture(tables["counts"])))
    (HERE / "tornado.svg").write_bytes(as_svg(tornado_picture(tables["values"])))
    (HERE / "result.md").write_text(result(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
