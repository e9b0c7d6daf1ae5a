"""Run the study of targeting and money again: ledgers, tables, figures, result.md.

Run: python experiments/targeting_by_budget/run.py [--workers 1] [--results results]

The designs lie in designs/ and can as well be run one by one with `mobsim sweep`. The same numbers come out
every time. Takes about two minutes of processor time.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

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

from mobsim.analysis.best_map import BestMap, best_map  # noqa: E402
from mobsim.analysis.swept import read_outcome  # noqa: E402
from mobsim.experiment.results import SweepResults  # noqa: E402
from mobsim.plots import as_svg  # noqa: E402

DESIGNS = tuple(
    HERE / "designs" / f"{place}_map_{price}.yaml"
    for place in ("village", "district")
    for price in ("free", "paid")
)
TABLES = ("gains", "best", "sentences")
OUTCOMES = {
    "gain": ("participation_fe", 100.0),
    "gap": ("gap_fe", 100.0),
    "later": ("participation_end", 100.0),
}
RANDOM = "random"


def gains_of(name: str, results: SweepResults) -> pd.DataFrame:
    """One row a point and rule: against no campaign and against random, by outcome; money that was left."""
    swept = {key: (read_outcome(results, outcome), scale) for key, (outcome, scale) in OUTCOMES.items()}
    money = results.means(["unspent", "cost", "reach"]).set_index(["point", "arm"])
    factors = [factor.name for factor in results.factors]
    rows = []
    for place, point in enumerate(results.points.to_dict("records")):
        for arm in results.arms:
            if arm == "none":
                continue
            row = {"design": name, **{factor: point[factor] for factor in factors}, "rule": arm}
            for key, (outcome, scale) in swept.items():
                against_none = outcome.contrast(arm, "none")[place]
                row |= {f"{key}_{end}": value for end, value in limits_of(against_none, scale=scale).items()}
            more = swept["gain"][0].contrast(arm, RANDOM)[place]
            row |= {f"more_{end}": value for end, value in limits_of(more, scale=100.0).items()}
            of = money.loc[(point["point"], arm)]
            row["unspent_percent"] = round(100 * float(of["unspent"] / (of["unspent"] + of["cost"])), 1)
            row["reached_percent"] = round(100 * float(of["reach"]), 1)
            rows.append(row)
    return pd.DataFrame(rows)


def best_of(name: str, found: BestMap) -> pd.DataFrame:
    """One row a point: which rule is shown best, which can be, by how much the leading one is ahead."""
    table = found.table.drop(columns="point").copy()
    for column in ("margin", "margin_low", "margin_high"):
        table[column] = (100 * table[column]).round(2) + 0.0
    table.insert(0, "design", name)
    return table


def measure(found: Mapping[str, SweepResults]) -> dict[str, pd.DataFrame]:
    """All tables."""
    maps = {name: best_map(results) for name, results in found.items()}
    return {
        "gains": pd.concat([gains_of(name, results) for name, results in found.items()], ignore_index=True),
        "best": pd.concat([best_of(name, of) for name, of in maps.items()], ignore_index=True),
        "sentences": pd.DataFrame(
            [{"design": name, "sentence": said} for name, of in maps.items() for said in of.sentences]
        ),
    }


def factors_of(table: pd.DataFrame) -> list[str]:
    return [
        name for name in ("social_weight", "pool", "budget") if name in table and table[name].notna().all()
    ]


def best_lines(table: pd.DataFrame) -> str:
    """What is shown at every point."""
    factors = factors_of(table)
    rows = [
        (
            *(f"{row[name]:g}" for name in factors),
            row["best"] if isinstance(row["best"], str) and row["best"] else f"– ({row['kind']})",
            row["possible"],
            f"{row['leading']} over {row['rival']}: {row['margin']:.2f} "
            f"({row['margin_low']:.2f} to {row['margin_high']:.2f})",
        )
        for _, row in table.sort_values(factors, kind="stable").iterrows()
    ]
    return markdown((*factors, "shown best", "can be best", "margin, simultaneous 95 %"), rows)


def gain_lines(table: pd.DataFrame) -> str:
    """Gains of every rule at every point."""
    factors = factors_of(table)
    rows = [
        (
            *(f"{row[name]:g}" for name in factors),
            row["rule"],
            with_limits(row, "gain_"),
            "–" if row["rule"] == RANDOM else with_limits(row, "more_"),
            with_limits(row, "gap_"),
            with_limits(row, "later_"),
            f"{row['unspent_percent']:.1f}",
            f"{row['reached_percent']:.1f}",
        )
        for _, row in table.sort_values(factors, kind="stable").iterrows()
    ]
    header = (
        "rule",
        "gain",
        "minus random",
        "change of the gap",
        "gain at the end",
        "unspent, %",
        "reached, %",
    )
    return markdown((*factors, *header), rows)


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words."""
    parts = [
        "# Result",
        "Written by `python experiments/targeting_by_budget/run.py`. 64 communities, 2 streams of luck. "
        "Points of participation at funding end against no campaign, 95 % intervals over communities, "
        "pointwise; margins simultaneous over all rules at a point.",
    ]
    for path in DESIGNS:
        name = path.stem
        best, gains, said = (
            tables[key][tables[key]["design"] == name] for key in ("best", "gains", "sentences")
        )
        parts += [f"## {name}", bullets(said["sentence"]), best_lines(best), gain_lines(gains)]
    return "\n\n".join(parts) + "\n"


STYLES = {
    "random": ("#5A5A5A", "o"),
    "cycle": ("#999999", "x"),
    "non_participants": ("#0072B2", "s"),
    "affected": ("#CC79A7", "P"),
    "nominated": ("#009E73", "D"),
    "degree": ("#D55E00", "^"),
    "bridging": ("#E69F00", "v"),
    "clustered": ("#56B4E9", "*"),
}


def gains_picture(gains: pd.DataFrame, best: pd.DataFrame) -> Figure:
    """Each rule minus random over the budget; above, the rule shown best where one is."""
    panels_of = [
        ("village, J 0, map free", "village_map_free", 0.0, 0.1),
        ("village, J .5, map free", "village_map_free", 0.5, 0.1),
        ("village, J .8, map free", "village_map_free", 0.8, 0.1),
        ("village, J .5, pool .3", "village_map_free", 0.5, 0.3),
        ("village, J .5, map paid", "village_map_paid", 0.5, 0.1),
        ("district, map free", "district_map_free", None, 0.1),
        ("district, pool .3", "district_map_free", None, 0.3),
        ("district, map paid", "district_map_paid", None, 0.1),
    ]
    figure = Figure(figsize=(9.0, 5.0), layout="constrained")
    panels = figure.subplots(2, 4, sharex=True)
    for axes, (title, design, weight, pool) in zip(panels.ravel(), panels_of, strict=True):
        axes.axhline(0, color="#5A5A5A", linewidth=0.8)
        part = gains[(gains["design"] == design) & (gains["pool"] == pool)]
        if weight is not None:
            part = part[part["social_weight"] == weight]
        for rule, (colour, marker) in STYLES.items():
            of = part[part["rule"] == rule].sort_values("budget")
            if rule != RANDOM:
                axes.plot(
                    of["budget"], of["more_estimate"], marker=marker, color=colour, linewidth=1, markersize=4,
                    label=rule.replace("_", " "),
                )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        axes.minorticks_off()
        axes.tick_params(labelsize=7)
        axes.set_title(title, fontsize=8, loc="left")
    figure.supxlabel("budget a resident", fontsize=8)
    figure.supylabel("points of participation more than with visits at random", fontsize=8)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), frameon=False, fontsize=7, ncols=7,
        loc="outside upper right",
    )  # fmt: skip
    return figure


def frontier_picture(gains: pd.DataFrame) -> Figure:
    """Gain against the change of the gap at a budget of 10, map free: efficiency and equity."""
    figure = Figure(figsize=(7.0, 3.0), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, (title, design, weight) in zip(
        panels,
        (("village, J .5", "village_map_free", 0.5), ("district", "district_map_free", None)),
        strict=True,
    ):
        part = gains[(gains["design"] == design) & (gains["pool"] == 0.3)]
        if weight is not None:
            part = part[part["social_weight"] == weight]
        axes.axhline(0, color="#5A5A5A", linewidth=0.8)
        for rule, (colour, marker) in STYLES.items():
            of = part[(part["rule"] == rule) & part["budget"].isin([5, 10, 20])].sort_values("budget")
            axes.plot(
                of["gain_estimate"], of["gap_estimate"], marker=marker, color=colour, linewidth=1,
                markersize=4, label=rule.replace("_", " "),
            )  # fmt: skip
        axes.set_title(title, fontsize=8, loc="left")
        axes.tick_params(labelsize=7)
    figure.supxlabel("gain in points, budgets of 5, 10 and 20 a resident, pool .3, map free", fontsize=8)
    figure.supylabel("change of the gap, points", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=7, loc="outside right center"
    )
    return figure


def main() -> None:
    found = run_designs(DESIGNS, HERE, parse(__doc__))
    for name, table in measure(found).items():
        write(table, HERE / f"{name}.csv")
    tables = {name: read_table(HERE / f"{name}.csv") for name in TABLES}
    (HERE / "rules.svg").write_bytes(as_svg(gains_picture(tables["gains"], tables["best"])))
    (HERE / "gap.svg").write_bytes(as_svg(frontier_picture(tables["gains"])))
    (HERE / "result.md").write_text(result(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
