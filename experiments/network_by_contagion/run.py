"""Run the study of networks and contagions again: ledgers, tables, figures, result.md.

Run: python experiments/network_by_contagion/run.py [--workers 1] [--results results]

The designs lie in designs/ and can as well be run one by one with `mobsim sweep`. The same numbers come out
every time. Takes about a minute of processor time.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from swept_study import limits_of, markdown, parse, run_designs, with_limits, write  # noqa: E402

from mobsim.analysis.swept import read_outcome  # noqa: E402
from mobsim.experiment.results import SweepResults  # noqa: E402
from mobsim.plots import as_svg  # noqa: E402

DESIGNS = tuple(
    HERE / "designs" / f"{name}.yaml"
    for name in (
        "networks_simple",
        "networks_cascade",
        "networks_complex",
        "networks_noisy",
        "rewiring_by_noise",
    )
)
TABLES = tuple(path.stem for path in DESIGNS)
MEASURES = {
    "joined": ("participation_end", 100.0),
    "to_half": ("time_to_goal__half", 1.0),
    "to_ninety": ("time_to_goal__ninety", 1.0),
    "ninety": ("goal_met__ninety", 100.0),
}
"""Columns of the tables: outcome and scale. Weeks to a goal count 1000 where it is not reached."""
HEADER = ("joined, %", "weeks to half", "weeks to nine in ten", "runs that reach nine in ten, %")


def measure(results: SweepResults) -> pd.DataFrame:
    """How far and how fast, at every point: means over communities with 95 % limits."""
    table = results.points.drop(columns="point")
    for name, (outcome, scale) in MEASURES.items():
        values = read_outcome(results, outcome).contrast("none")
        rows = pd.DataFrame([limits_of(values[p], scale=scale) for p in range(len(values))])
        table = pd.concat([table, rows.add_prefix(f"{name}_")], axis=1)
    return table


def lines(table: pd.DataFrame) -> str:
    """A table in words."""
    factors = [name for name in table.columns if not name.startswith(tuple(MEASURES))]
    rows = [
        (
            *(row[name] for name in factors),
            *(with_limits(row, f"{name}_") for name in ("joined", "to_half", "to_ninety")),
            f"{row['ninety_estimate']:.2f}",
        )
        for _, row in table.iterrows()
    ]
    return markdown((*factors, *HEADER), rows)


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words."""
    parts = [
        "# Result",
        "Written by `python experiments/network_by_contagion/run.py`. 64 communities, 2 streams of luck "
        "(complex without noise: 1); 95 % intervals over communities, pointwise. Where a share is not "
        "reached within 1000 weeks, 1000 stands for the weeks.",
        *(f"## {name}\n\n{lines(tables[name])}" for name in TABLES),
    ]
    return "\n\n".join(parts) + "\n"


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written."""
    return pd.read_csv(path)


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#5A5A5A")


def rewiring_picture(table: pd.DataFrame) -> Figure:
    """Weeks to half over the share of rewired ties, a line for each level of noise, a panel a threshold."""
    thresholds = list(dict.fromkeys(table["threshold"]))
    words = [f"{share:g}" for share in dict.fromkeys(table["rewired"])]
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    panels = figure.subplots(1, len(thresholds), sharey=True)
    for axes, threshold in zip(panels, thresholds, strict=True):
        part = table[table["threshold"] == threshold]
        for place, (noise, of) in enumerate(part.groupby("noise", sort=False)):
            axes.plot(
                range(len(words)), of["to_half_estimate"], "osD^v"[place] + "-", color=COLOURS[place],
                markersize=4, linewidth=1, label=f"noise {noise:g}",
                fillstyle="none" if noise == 0 else "full",
            )  # fmt: skip
        axes.set_yscale("log")
        axes.set_xticks(range(len(words)), words, fontsize=7)
        axes.tick_params(labelsize=7)
        axes.set_title(f"{threshold + 0.5:g} of 8 contacts needed", fontsize=9, loc="left")
    panels[0].set_ylabel("weeks to half (1000: never)", fontsize=8)
    figure.supxlabel("share of the ring's ties that are rewired", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=7, ncols=5, loc="outside upper right"
    )
    return figure


def networks_picture(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Share that joined in each network, contagion and start."""
    chosen = [
        ("told again and again", tables["networks_simple"], {}),
        ("one try, chance .2", tables["networks_cascade"], {"tell_participant": 0.2}),
        ("2 contacts, no noise", tables["networks_complex"], {"contacts_needed": 2}),
        ("3 contacts, no noise", tables["networks_complex"], {"contacts_needed": 3}),
        ("3 contacts, noise .12", tables["networks_noisy"], {"threshold": 2.5, "noise": 0.12}),
    ]
    networks = list(dict.fromkeys(tables["networks_simple"]["network"]))
    starts = list(dict.fromkeys(tables["networks_simple"]["start"]))
    figure = Figure(figsize=(9.0, 2.6), layout="constrained")
    panels = figure.subplots(1, len(chosen), sharey=True, sharex=True)
    for axes, (title, table, where) in zip(panels, chosen, strict=True):
        for name, value in where.items():
            table = table[table[name] == value]
        for place, start in enumerate(starts):
            of = table[table["start"] == start].set_index("network").loc[networks]
            axes.plot(
                of["joined_estimate"], range(len(networks)), "os^"[place], color=COLOURS[place], markersize=5,
                fillstyle="none" if place else "full", label=start,
            )  # fmt: skip
        axes.set_title(title, fontsize=8, loc="left")
        axes.set_xlim(-5, 105)
        axes.tick_params(labelsize=7)
    panels[0].set_yticks(range(len(networks)), networks, fontsize=8)
    panels[0].invert_yaxis()
    figure.supxlabel("joined within 1000 weeks, %", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=7, ncols=3, loc="outside upper right"
    )
    return figure


def main() -> None:
    found = run_designs(DESIGNS, HERE, parse(__doc__))
    for name, results in found.items():
        write(measure(results), HERE / f"{name}.csv")
    tables = {name: read_table(HERE / f"{name}.csv") for name in TABLES}
    (HERE / "rewiring.svg").write_bytes(as_svg(rewiring_picture(tables["rewiring_by_noise"])))
    (HERE / "networks.svg").write_bytes(as_svg(networks_picture(tables)))
    (HERE / "result.md").write_text(result(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
