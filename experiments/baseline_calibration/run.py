"""Measure the baseline and what the defaults rest on.

Run: python experiments/baseline_calibration/run.py [--quick]

Reads design.yaml; writes tables, figures and result.md into this folder; with `--quick` (a few communities,
not for reading) into results/baseline_calibration_quick. The same numbers come out every time. Takes a few
minutes in one thread.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from ruamel.yaml import YAML

from mobsim.analysis.statistics import Interval, paired_interval
from mobsim.engine.run import simulate, warm_up
from mobsim.plots import as_svg
from mobsim.scenario.dump import digest
from mobsim.scenario.file import load_scenario
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
ARMS = ("outreach", "training", "advocacy", "mixed", "media")
DEFAULTS: dict[str, Any] = {
    "schema_version": 2,
    "title": "Defaults",
    "description": "A village in which every number is a default.",
    "community": {"groups": {"majority": {"share": 0.8}, "marginalized": {"share": 0.2}}},
}


def scenario_with(changes: Mapping[str, Any], **top: Any) -> Scenario:
    """The defaults with some numbers changed, named by their places such as behaviour.noise."""
    data = deepcopy(DEFAULTS) | top
    for place, value in changes.items():
        inner = data
        *way, last = place.split(".")
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = value
        if last in ("mean", "sd"):
            inner["kind"] = "truncated_normal"
    return resolve(data)


def by_community(
    scenario: Scenario, communities: int, luck: int, arms: Iterable[str] | None = None
) -> pd.DataFrame:
    """Outcomes of every arm and community, mean over luck, in points; the index is (arm, community)."""
    chosen = None if arms is None else list(arms)
    runs = simulate(scenario, arms=chosen, communities=communities, luck=luck, threads=1).runs()
    shares = runs.groupby(["arm", "community"]).mean(numeric_only=True).drop(columns="luck")
    scaled = [name for name in shares if name.startswith(("participation", "aware", "gap"))]
    shares[scaled] *= 100
    return shares


def interval(values: pd.Series[float]) -> Interval:
    return paired_interval(values.to_numpy())


def rest_of(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """What the community does without a campaign, by community."""
    none = table.loc["none"]
    return {
        "participation_week0": none["participation_week0"],
        "participation_majority": none["participation_week0__majority"],
        "participation_marginalized": none["participation_week0__marginalized"],
        "drift": none["participation_end"] - none["participation_week0"],
        "aware_majority": none["aware_week0__majority"],
        "aware_marginalized": none["aware_week0__marginalized"],
        "aware_drift": none["aware_end"] - none["aware_week0"],
    }


def gain_of(table: pd.DataFrame, arm: str, outcome: str = "participation_fe") -> pd.Series[float]:
    """Paired difference from no campaign, by community."""
    return table.loc[arm, outcome] - table.loc["none", outcome]


def kept_of(table: pd.DataFrame, arm: str) -> float:
    """Effect in the last week in % of that at funding end."""
    end, fe = gain_of(table, arm, "participation_end"), gain_of(table, arm)
    return float(100 * end.mean() / fe.mean()) if fe.mean() > 0 else math.nan


def kept_difference(table: pd.DataFrame) -> Interval:
    """Effect kept by training minus that kept by outreach, with a jackknife interval over communities."""

    def difference(part: pd.DataFrame) -> float:
        return kept_of(part, "training") - kept_of(part, "outreach")

    numbers = table.index.get_level_values("community")
    whole = difference(table)
    left_out = pd.Series([difference(table[numbers != number]) for number in numbers.unique()])
    n = len(left_out)
    pseudo = n * whole - (n - 1) * left_out
    return interval(pseudo)


def confirm(design: dict[str, Any]) -> tuple[pd.DataFrame, dict[int, pd.DataFrame]]:
    """All targets at all sizes, on communities that no choice was made with."""
    tables, rows = {}, []
    for size in design["sizes"]:
        n, communities, luck = size["residents"], size["communities"], size["luck"]
        seed = design["seeds"]["confirmed"]
        changes = {"community.residents": n}
        table = by_community(scenario_with(changes, seed=seed), communities, luck)
        tables[n] = table
        starts = {
            weeks: by_community(
                scenario_with(changes | {"campaign.burn_in_weeks": weeks}, seed=seed),
                communities,
                luck,
                ["none"],
            ).loc["none"]
            for weeks in (104, 156)
        }
        found: dict[str, Interval] = {name: interval(values) for name, values in rest_of(table).items()}
        for name, column in (("burn_in", "participation_week0"), ("burn_in_aware", "aware_week0")):
            found[name] = interval(starts[156][column] - starts[104][column])
        found |= {f"gain_{arm}": interval(gain_of(table, arm)) for arm in ARMS}
        found["kept_training_more"] = kept_difference(table)
        found |= {f"gap_{arm}": interval(gain_of(table, arm, "gap_fe")) for arm in ("outreach", "advocacy")}
        for name, band in design["targets"].items():
            rows.append(
                {"residents": n, "measure": name, "words": band["words"], **numbers(found[name], band)}
            )
    base = design["sizes"][0]["residents"]
    first = tables[base]
    for n, table in list(tables.items())[1:]:
        for arm in ARMS:
            both = [gain_of(part, arm) for part in (table, first)]
            limit = design["size_difference"]
            band = {"above": -limit, "below": limit}
            words = f"gain of {arm}, minus that at {base:,} residents"
            rows.append(
                {"residents": n, "measure": f"size_{arm}", "words": words, **numbers(unpaired(*both), band)}
            )
    return pd.DataFrame(rows), tables


def unpaired(values: pd.Series[float], others: pd.Series[float]) -> Interval:
    """Difference of two means over different communities; they share luck: the interval is rather wide."""
    estimate = float(values.mean() - others.mean())
    half = 1.96 * math.sqrt(values.var() / len(values) + others.var() / len(others))
    return Interval(estimate, estimate - half, estimate + half)


def numbers(found: Interval, band: Mapping[str, Any]) -> dict[str, Any]:
    """An estimate with its interval and whether it lies in its band."""
    return {
        "estimate": round(found.estimate, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "met": inside(found.estimate, band),
        "surely": inside(found.low, band) and inside(found.high, band),
    }


def inside(value: float, band: Mapping[str, Any]) -> bool:
    return (
        value >= band.get("at_least", -math.inf)
        and value <= band.get("at_most", math.inf)
        and value > band.get("above", -math.inf)
        and value < band.get("below", math.inf)
    )


def burn_ins(design: dict[str, Any]) -> pd.DataFrame:
    """How the resting point depends on the weeks before the campaign."""
    size = design["sizes"][0]
    rows = []
    for weeks in design["burn_in_weeks"]:
        changes = {"community.residents": size["residents"], "campaign.burn_in_weeks": weeks}
        scenario = scenario_with(changes, seed=design["seeds"]["confirmed"])
        table = by_community(scenario, size["communities"], size["luck"], ["none"])
        rows.append({"burn_in_weeks": weeks, **with_errors(rest_of(table))})
    return pd.DataFrame(rows)


def with_errors(values: Mapping[str, pd.Series[float]]) -> dict[str, float]:
    """Means and standard errors over communities."""
    row: dict[str, float] = {}
    for name, each in values.items():
        row[name] = round(float(each.mean()), 4)
        row[f"{name}_error"] = round(float(each.std() / math.sqrt(len(each))), 4)
    return row


def advocacy_split(design: dict[str, Any]) -> pd.DataFrame:
    """Gain of advocacy by the share of its money that goes to lobbying rather than to media."""
    part = design["advocacy_split"]
    arms = {}
    for lobby in part["lobby"]:
        shares = {"lobby": lobby, "media": round(1 - lobby, 3)}
        uses = [{"kind": kind, "share": share} for kind, share in shares.items() if share > 0]
        arms[f"lobby_{round(100 * lobby)}"] = {"activities": uses}
    rows = []
    for n in part["residents"]:
        scenario = scenario_with({"community.residents": n}, seed=design["seeds"]["searched"], arms=arms)
        table = by_community(scenario, part["communities"], part["luck"])
        for lobby, arm in zip(part["lobby"], arms, strict=True):
            gap = gain_of(table, arm, "gap_fe")
            measures = {"gain": gain_of(table, arm), "gap": gap, "wins": table.loc[arm, "wins_fe"]}
            rows.append(
                {
                    "residents": n,
                    "lobby": lobby,
                    **with_errors(measures),
                    "kept": round(kept_of(table, arm), 1),
                }
            )
    return pd.DataFrame(rows)


def single_activities(design: dict[str, Any]) -> pd.DataFrame:
    """What each activity alone does with the whole budget, for a person reached and for a dollar."""
    part = design["single_activities"]
    arms = {name: {"activities": [{**use, "share": 1}]} for name, use in part["activities"].items()}
    rows = []
    for budget in part["budgets"]:
        changes = {"campaign.budget_per_resident": budget}
        scenario = scenario_with(changes, seed=design["seeds"]["confirmed"], arms=arms)
        records = simulate(scenario, communities=part["communities"], luck=part["luck"], threads=1)
        runs = records.runs().groupby(["arm", "community"]).mean(numeric_only=True)
        reached = records.activities().groupby("arm")["reached"].sum()
        for kind in arms:
            gain, aware = gain_of(runs, kind), gain_of(runs, kind, "aware_fe")
            row = {
                "budget": budget,
                "activity": kind,
                **with_errors({"gain": 100 * gain, "aware": 100 * aware}),
            }
            row["reached"] = round(float(reached[kind]), 1)
            for name, base in (("reached", reached[kind]), ("dollars", runs.loc[kind, "cost"].mean())):
                for measure, effect in (("gain", gain), ("aware", aware)):
                    each = (
                        1000 * scenario.community.residents * effect / base if base > 0 else effect * math.nan
                    )
                    row |= with_errors({f"{measure}_per_1000_{name}": each})
            rows.append(row)
    return pd.DataFrame(rows)


def sensitivity(design: dict[str, Any]) -> pd.DataFrame:
    """One value at a time: what each target hinges on."""
    part = design["sensitivity"]
    rows = []
    for change in part["changes"]:
        scenario = scenario_with(change["set"], seed=design["seeds"]["searched"])
        table = by_community(scenario, part["communities"], part["luck"])
        measures = rest_of(table)
        measures |= {f"gain_{arm}": gain_of(table, arm) for arm in ARMS}
        measures |= {f"gap_{arm}": gain_of(table, arm, "gap_fe") for arm in ("outreach", "advocacy")}
        kept = {f"kept_{arm}": round(kept_of(table, arm), 1) for arm in ("outreach", "training", "advocacy")}
        missed = [
            name
            for name, band in design["targets"].items()
            if name in measures and name != "gap_advocacy" and not inside(float(measures[name].mean()), band)
        ]
        if not kept["kept_training"] > kept["kept_outreach"]:
            missed.append("kept_training_more")
        row = {"change": change["name"], **with_errors(measures), **kept, "missed": " ".join(missed)}
        rows.append(row)
    return pd.DataFrame(rows)


def vaccination(design: dict[str, Any]) -> pd.DataFrame:
    """Where the vaccination scenario rests, and what that hinges on."""
    part = design["vaccination"]
    rows = []
    for change in part["changes"]:
        scenario = load_scenario(TOP / "scenarios" / "vaccination_district.yaml", overrides=change["set"])
        table = by_community(scenario, part["communities"], part["luck"], ["none"])
        measures = rest_of(table) | {"participation_fe": table.loc["none", "participation_fe"]}
        rows.append({"change": change["name"], **with_errors(measures)})
    return pd.DataFrame(rows)


def small(design: dict[str, Any]) -> dict[str, Any]:
    """A design of a few communities: shows that everything runs."""
    for size in design["sizes"]:
        size["residents"] = min(size["residents"], 2000)
    for part in (
        *design["sizes"],
        *(design[name] for name in ("advocacy_split", "single_activities", "sensitivity", "vaccination")),
    ):
        part["communities"], part["luck"] = 4, 1
    for name in ("sensitivity", "vaccination"):
        design[name]["changes"] = design[name]["changes"][:3]
    return design


# Words and pictures


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(header)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told(row: Any, name: str) -> str:
    """A mean with its standard error: 6.28±0.04; a dash where there is none."""
    if math.isnan(row[name]):
        return "–"
    return f"{row[name]:.2f}±{row[name + '_error']:.2f}"


def target_lines(targets: pd.DataFrame) -> str:
    rows = []
    for measure in targets["measure"].unique():
        of = targets[targets["measure"] == measure].set_index("residents")
        cells = []
        for n in targets["residents"].unique():
            if n not in of.index:
                cells.append("")
                continue
            row = of.loc[n]
            word = "" if row["surely"] else " (interval over the edge)" if row["met"] else " **missed**"
            cells.append(f"{row['estimate']:.2f} ({row['low']:.2f} to {row['high']:.2f}){word}")
        rows.append((of["words"].iloc[0], *cells))
    return markdown(("target", *(f"N = {n:,}" for n in targets["residents"].unique())), rows)


def table_lines(table: pd.DataFrame, first: str, columns: Mapping[str, str]) -> str:
    """A table of means with standard errors where it has them."""
    rows = []
    for _, row in table.iterrows():
        cells = [
            told(row, name)
            if f"{name}_error" in table
            else f"{row[name]:g}"
            if not isinstance(row[name], str)
            else row[name]
            for name in columns
        ]
        rows.append((row[first] if isinstance(row[first], str) else f"{row[first]:g}", *cells))
    return markdown((first.replace("_", " "), *columns.values()), rows)


REST = {
    "participation_week0": "participation, week 0",
    "drift": "to week 129",
    "aware_majority": "aware majority",
    "aware_marginalized": "aware marginalized",
    "aware_drift": "aware, to week 129",
}


def result(design: dict[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words, for README.md to be read against."""
    sizes = "; ".join(
        f"N = {s['residents']:,}: {s['communities']} communities x {s['luck']} luck" for s in design["sizes"]
    )
    seed = design["seeds"]["confirmed"]
    single = tables["single_activities"]
    parts = [
        "# Result",
        "Written by `python experiments/baseline_calibration/run.py`; in points unless it says so.",
        f"Digest of the defaults: {digest(scenario_with({}))}",
        f"## Targets\n\n{sizes}; seed {seed}; 95 % intervals.",
        target_lines(tables["targets"]),
        "## Weeks before the campaign\n\n" + table_lines(tables["burn_in"], "burn_in_weeks", REST),
        "## Money of advocacy: share of lobbying, the rest media",
        *(
            f"N = {n:,}\n\n"
            + table_lines(
                part,
                "lobby",
                {"gain": "gain", "kept": "kept, %", "gap": "gap", "wins": "wins at funding end"},
            )
            for n, part in tables["advocacy_split"].groupby("residents", sort=False)
        ),
        "## Each activity alone\n\nPer 1,000: additional participants, or people aware, at funding end.",
        *(
            f"Budget {budget} a resident\n\n"
            + table_lines(
                part,
                "activity",
                {
                    "gain": "gain",
                    "aware": "gain in awareness",
                    "reached": "people reached",
                    "gain_per_1000_reached": "participants per 1,000 reached",
                    "aware_per_1000_dollars": "aware per 1,000 dollars",
                },
            )
            for budget, part in single.groupby("budget", sort=False)
        ),
        "## One value at a time\n\n"
        + table_lines(
            tables["sensitivity"],
            "change",
            {"participation_week0": "participation", "drift": "drift", "aware_drift": "aware drift"}
            | {f"gain_{arm}": arm for arm in ARMS}
            | {"kept_outreach": "outreach kept, %", "kept_training": "training kept, %", "missed": "misses"},
        ),
        "## The vaccination scenario without a campaign\n\n"
        + table_lines(tables["vaccination"], "change", REST | {"participation_fe": "participation, week 77"}),
    ]
    return "\n\n".join(parts) + "\n"


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written."""
    table = pd.read_csv(path)
    return table.fillna({"missed": ""}) if "missed" in table else table


def sensitivity_picture(table: pd.DataFrame) -> Figure:
    """Gains of the arms for every changed value."""
    figure = Figure(figsize=(6.6, 0.19 * len(table) + 0.9), layout="constrained")
    axes = figure.subplots()
    places = range(len(table))
    for arm, colour, marker in zip(ARMS[:3], ("#0072B2", "#D55E00", "#009E73"), "os^", strict=True):
        axes.plot(table[f"gain_{arm}"], places, marker, color=colour, label=arm, markersize=4)
        axes.axvline(table[f"gain_{arm}"].iloc[0], color=colour, linewidth=0.6)
    axes.plot(table["drift"], places, "x", color="black", label="drift without a campaign", markersize=4)
    axes.set_yticks(places, list(table["change"]), fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("points of participation; lines: the defaults")
    axes.legend(frameon=False, fontsize=7, loc="lower right")
    return figure


def rest_picture(design: dict[str, Any]) -> Figure:
    """Participation and awareness without a campaign, by the weeks before it."""
    figure = Figure(figsize=(6.6, 2.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for weeks, colour in zip(
        design["burn_in_weeks"], ("#E69F00", "#0072B2", "#009E73", "#CC79A7"), strict=True
    ):
        scenario = scenario_with({"campaign.burn_in_weeks": weeks}, seed=design["seeds"]["confirmed"])
        table = simulate(
            scenario, arms=["none"], communities=min(64, design["sizes"][0]["communities"]), luck=1, threads=1
        ).weeks()
        mean = 100 * table.groupby("week")[["participation", "aware"]].mean()
        for place, name in enumerate(mean):
            axes[place].plot(mean.index, mean[name], color=colour, label=f"burn-in {weeks}")
            axes[place].set_title(f"{name}, % of residents", fontsize=9, loc="left")
            axes[place].set_ylim(0, None)
            axes[place].set_xlabel("week")
    axes[0].legend(frameon=False, fontsize=7)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few communities, to see that it runs")
    quick = parser.parse_args().quick
    design = YAML(typ="safe").load(HERE / "design.yaml")
    folder = HERE
    if quick:
        design, folder = small(design), TOP / "results" / "baseline_calibration_quick"
        folder.mkdir(parents=True, exist_ok=True)
    warm_up()
    tables: dict[str, pd.DataFrame] = {}
    tables["targets"], _ = confirm(design)
    for name, measure in {
        "burn_in": burn_ins,
        "advocacy_split": advocacy_split,
        "single_activities": single_activities,
        "sensitivity": sensitivity,
        "vaccination": vaccination,
    }.items():
        print(f"measuring {name} ...", flush=True)
        tables[name] = measure(design)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    tables = {name: read_table(folder / f"{name}.csv") for name in tables}
    (folder / "sensitivity.svg").write_bytes(as_svg(sensitivity_picture(tables["sensitivity"])))
    (folder / "rest.svg").write_bytes(as_svg(rest_picture(design)))
    text = result(design, tables)
    (folder / "result.md").write_text(text, encoding="utf-8", newline="\n")
    print(text)


if __name__ == "__main__":
    main()
