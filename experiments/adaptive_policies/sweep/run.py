"""Run the sweep over mixtures of causes again: ledger, tables, figures, result.md.

Run: python experiments/adaptive_policies/sweep/run.py [--workers 1] [--results results]

The design can as well be run with `mobsim sweep experiments/adaptive_policies/sweep/design.yaml`. The same
numbers come out every time. Takes about three minutes of processor time.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

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

from mobsim.analysis.best_map import best_map  # noqa: E402
from mobsim.analysis.discovery import discover  # noqa: E402
from mobsim.analysis.statistics import paired_interval  # noqa: E402
from mobsim.analysis.surface import surface  # noqa: E402
from mobsim.analysis.swept import Swept, read_outcome  # noqa: E402
from mobsim.experiment.results import SweepResults  # noqa: E402
from mobsim.plots import as_svg  # noqa: E402
from mobsim.plots_of_sweeps import surface_figure  # noqa: E402

DESIGNS = (HERE / "design.yaml",)
TABLES = ("points", "counts", "thirds", "corners", "shares", "sentences")
CONTRASTS = {
    "assessed": ("assessed", "fixed"),
    "reasons": ("reasons", "fixed"),
    "meetings": ("meetings", "fixed"),
    "price": ("fixed_paid", "fixed"),
    "use_of_assessed": ("assessed", "fixed_paid"),
    "use_of_reasons": ("reasons", "fixed_paid"),
    "reasons_or_assessed": ("reasons", "assessed"),
    "meetings_or_reasons": ("meetings", "reasons"),
}
"""Name of a difference: the arm, and the one it is measured against."""
FACTORS = ("budget", "respondents", "misreport", "background_media", "capability", "barrier", "trust")
KINDS = ("better", "worse", "no difference that matters", "cannot tell yet")


def kind_of(values: NDArray[np.float64], matters: float) -> str:
    """What one point shows of one difference: 95 % for better and worse, 90 % for no difference."""
    found, narrow = paired_interval(values), paired_interval(values, confidence=0.9)
    if -matters <= narrow.low and narrow.high <= matters:
        return "no difference that matters"
    if found.low > 0:
        return "better"
    return "worse" if found.high < 0 else "cannot tell yet"


def points_of(results: SweepResults, swept: Swept) -> pd.DataFrame:
    """One row a point: factors, what is there without a campaign, every difference and its kind."""
    table = results.points.copy()
    means = results.means(["participation_week0", "aware_week0", "participation_fe"])
    none = means[means["arm"] == "none"].set_index("point").loc[swept.numbers]
    for name in ("aware_week0", "participation_week0", "participation_fe"):
        table[f"none_{name}"] = (100 * none[name].to_numpy(float)).round(2)
    for name, (arm, against) in CONTRASTS.items():
        paired = swept.contrast(arm, against)
        rows = pd.DataFrame([limits_of(of, scale=100) for of in paired]).add_prefix(f"{name}_")
        rows[f"{name}_kind"] = [kind_of(of, swept.matters) for of in paired]
        table = pd.concat([table, rows], axis=1)
    return table


def counts_of(points: pd.DataFrame, swept: Swept) -> pd.DataFrame:
    """One row a difference: its mean over the points, and at how many it is shown what."""
    rows = []
    for name, (arm, against) in CONTRASTS.items():
        mean = limits_of(swept.contrast(arm, against).mean(axis=0), scale=100)
        kinds = points[f"{name}_kind"].value_counts()
        spread = points[f"{name}_estimate"]
        rows.append(
            {"difference": f"{arm} minus {against}", **mean, "least": spread.min(), "most": spread.max()}
            | {kind: int(kinds.get(kind, 0)) for kind in KINDS}
        )
    return pd.DataFrame(rows)


def thirds_of(results: SweepResults, swept: Swept) -> pd.DataFrame:
    """One row a difference, factor and third of its range: mean over the points in it, over communities."""
    rows: list[dict[str, Any]] = []
    for name, (arm, against) in CONTRASTS.items():
        paired = swept.contrast(arm, against)
        for factor in results.factors:
            values = results.points[factor.name].to_numpy(float)
            order = np.argsort(values, kind="stable")
            for third, chosen in zip(("low", "middle", "high"), np.array_split(order, 3), strict=True):
                ends = {"from": f"{values[chosen].min():.3g}", "to": f"{values[chosen].max():.3g}"}
                mean = limits_of(paired[chosen].mean(axis=0), scale=100)
                rows.append({"difference": name, "factor": factor.name, "third": third, **ends, **mean})
    return pd.DataFrame(rows)


def corners_of(results: SweepResults, swept: Swept) -> pd.DataFrame:
    """One row a difference, third of the budget and third of the barrier: mean over the points in both."""
    thirds = {
        name: np.array_split(np.argsort(results.points[name].to_numpy(float), kind="stable"), 3)
        for name in ("budget", "barrier")
    }
    rows: list[dict[str, Any]] = []
    for name, (arm, against) in CONTRASTS.items():
        paired = swept.contrast(arm, against)
        for budget, rich in zip(("low", "middle", "high"), thirds["budget"], strict=True):
            for barrier, barred in zip(("low", "middle", "high"), thirds["barrier"], strict=True):
                chosen = np.intersect1d(rich, barred)
                mean = limits_of(paired[chosen].mean(axis=0), scale=100)
                rows.append(
                    {"difference": name, "budget": budget, "barrier": barrier, "points": len(chosen), **mean}
                )
    return pd.DataFrame(rows)


def said(results: SweepResults) -> pd.DataFrame:
    """Sentences of the analyses."""
    found = {"best": best_map(results).sentences}
    for arm in ("assessed", "reasons", "meetings"):
        found[f"where {arm} is shown worse than fixed"] = discover(
            results, arm, fails="effect", below=0, against="fixed"
        ).sentences
        found[f"where fixed is shown worse than {arm}"] = discover(
            results, "fixed", fails="effect", below=0, against=arm
        ).sentences
        found[f"surface of {arm} minus fixed"] = surface_of(results, arm).sentences
    return pd.DataFrame(
        [{"about": about, "sentence": one} for about, sentences in found.items() for one in sentences]
    )


def surface_of(results: SweepResults, arm: str) -> Any:
    """Arm minus fixed over barrier and awareness."""
    return surface(results, arm=arm, against="fixed", factors=("background_media", "barrier"))


def measure(results: SweepResults) -> dict[str, pd.DataFrame]:
    """All tables."""
    swept = read_outcome(results)
    points = points_of(results, swept)
    shares = best_map(results).shares.round(4)
    return {
        "points": points,
        "counts": counts_of(points, swept),
        "thirds": thirds_of(results, swept),
        "corners": corners_of(results, swept),
        "shares": shares,
        "sentences": said(results),
    }


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words; that of the points stays a file."""
    counts, thirds, shares = tables["counts"], tables["thirds"], tables["shares"]
    parts = [
        "# Result",
        "Written by `python experiments/adaptive_policies/sweep/run.py`. 256 points, 32 communities, "
        "1 stream of luck; points of participation at funding end, 95 % intervals over communities, "
        "pointwise.",
        "## Differences over all points\n\n"
        + markdown(
            ("difference", "mean over points", "least", "most", *KINDS),
            [
                (row["difference"], with_limits(row), f"{row['least']:.2f}", f"{row['most']:.2f}",
                 *(row[kind] for kind in KINDS))
                for _, row in counts.iterrows()
            ],
        ),
        "## Which strategy is shown best\n\n"
        + markdown(
            ("arm", "shown best at", "can be best at", "share of paired futures in which it is best, %"),
            [
                (row["arm"], row["shown_best"], row["can_be_best"], f"{100 * row['mean_chance_best']:.1f}")
                for _, row in shares.iterrows()
            ],
        ),
    ]  # fmt: skip
    for name, of in thirds.groupby("difference", sort=False):
        arm, against = CONTRASTS[str(name)]
        rows = [
            (factor, *(f"{row['from']} to {row['to']}: {with_limits(row)}" for _, row in part.iterrows()))
            for factor, part in of.groupby("factor", sort=False)
        ]
        parts.append(
            f"## {arm} minus {against}, by thirds of each factor\n\n"
            + markdown(("factor", "low third", "middle", "high"), rows)
        )
    parts.append("## Budget and barrier together, by thirds\n\n" + corners_lines(tables["corners"]))
    parts.append(
        "## Where an adaptive policy is shown better than fixed\n\n" + better_lines(tables["points"])
    )
    for about, part in tables["sentences"].groupby("about", sort=False):
        parts.append(f"## In words: {about}\n\n" + bullets(part["sentence"]))
    return "\n\n".join(parts) + "\n"


def corners_lines(corners: pd.DataFrame) -> str:
    """Differences from fixed, a row for each pair of thirds."""
    shown = ("assessed", "reasons", "meetings", "price")
    rows = [
        (
            budget,
            barrier,
            of["points"].iloc[0],
            *(with_limits(of.set_index("difference").loc[name]) for name in shown),
        )
        for (budget, barrier), of in corners.groupby(["budget", "barrier"], sort=False)
    ]
    return markdown(("budget", "barrier", "points", *shown), rows)


def better_lines(points: pd.DataFrame) -> str:
    """Range of every factor, and of awareness, over the points at which a policy is shown better."""
    named = [
        *(name for name in points.columns if name in FACTORS),
        "none_aware_week0",
        "none_participation_week0",
    ]
    rows = []
    for policy in ("assessed", "reasons", "meetings"):
        of = points[points[f"{policy}_kind"] == "better"]
        rows.append((policy, len(of), *(f"{of[name].min():.3g} to {of[name].max():.3g}" for name in named)))
    rows.append(
        (
            "all points",
            len(points),
            *(f"{points[name].min():.3g} to {points[name].max():.3g}" for name in named),
        )
    )
    words = [name.replace("none_", "").replace("_week0", " in week 0, %") for name in named]
    return markdown(("policy", "points", *words), rows)


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#5A5A5A")


def thirds_picture(thirds: pd.DataFrame) -> Figure:
    """Adaptive minus fixed by thirds of every factor."""
    factors = list(dict.fromkeys(thirds["factor"]))
    figure = Figure(figsize=(9.0, 2.8), layout="constrained")
    panels = figure.subplots(1, len(factors), sharey=True)
    for axes, factor in zip(panels, factors, strict=True):
        axes.axhline(0, color="#5A5A5A", linewidth=0.8)
        for place, name in enumerate(("assessed", "reasons", "meetings", "price")):
            of = thirds[(thirds["factor"] == factor) & (thirds["difference"] == name)]
            middle = of["estimate"]
            axes.errorbar(
                np.arange(3) + 0.08 * place, middle, yerr=[middle - of["low"], of["high"] - middle],
                fmt="osD^"[place] + "-", color=COLOURS[place], markersize=4, linewidth=1, label=name,
            )  # fmt: skip
        axes.set_xticks(range(3), ["low", "middle", "high"], fontsize=7)
        axes.tick_params(labelsize=7)
        axes.set_title(factor.replace("_", " "), fontsize=8, loc="left")
    panels[0].set_ylabel("points more than fixed", fontsize=8)
    figure.supxlabel("thirds of the points by each factor; mean over points, 95 %", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=7, ncols=4, loc="outside upper right"
    )
    return figure


def kinds_picture(points: pd.DataFrame) -> Figure:
    """Where each adaptive policy is shown better or worse than fixed, over awareness and barrier."""
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    styles = {
        "better": {"color": "#0072B2", "marker": "o"},
        "worse": {"color": "#D55E00", "marker": "X"},
        "no difference that matters": {"color": "#BBBBBB", "marker": "."},
        "cannot tell yet": {"facecolor": "white", "edgecolor": "black", "marker": "D"},
    }
    for axes, name in zip(panels, ("assessed", "reasons", "meetings"), strict=True):
        for kind, style in styles.items():
            of = points[points[f"{name}_kind"] == kind]
            axes.scatter(of["background_media"], of["barrier"], s=18, label=kind, linewidths=0.7, **style)
        axes.set_xscale("log")
        axes.tick_params(labelsize=7)
        axes.set_title(f"{name} minus fixed", fontsize=8, loc="left")
    figure.supxlabel("background media (weekly chance of hearing)", fontsize=8)
    figure.supylabel("barrier", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=7, ncols=4, loc="outside upper right"
    )
    return figure


def main() -> None:
    results = run_designs(DESIGNS, HERE, parse(__doc__))["design"]
    for name, table in measure(results).items():
        write(table, HERE / f"{name}.csv")
    tables = {name: read_table(HERE / f"{name}.csv") for name in TABLES}
    (HERE / "thirds.svg").write_bytes(as_svg(thirds_picture(tables["thirds"])))
    (HERE / "where.svg").write_bytes(as_svg(kinds_picture(tables["points"])))
    (HERE / "surface.svg").write_bytes(as_svg(surface_figure(surface_of(results, "assessed"))))
    (HERE / "result.md").write_text(result(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
