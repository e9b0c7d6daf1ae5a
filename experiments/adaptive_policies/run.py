"""Measure what surveys and adaptive policies are worth.

Run: python experiments/adaptive_policies/run.py [--quick]

Reads design.yaml; writes tables, figures and result.md into this folder; with `--quick` (a few communities,
not for reading) into results/adaptive_policies_quick. The same numbers come out every time. Takes about seven
minutes of processor time in one thread.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from ruamel.yaml import YAML

from mobsim.analysis.best import PairwiseDifferences, pairwise_differences
from mobsim.analysis.statistics import Interval, paired_interval, t_quantile
from mobsim.analysis.verdict import judge
from mobsim.campaign.activity import CAUSES
from mobsim.engine.first_use import warm_up
from mobsim.engine.run import simulate
from mobsim.plots import as_svg
from mobsim.scenario.dump import digest
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
FAMILIES = ("outreach", "training", "advocacy")
SURVEYED = ("assessed", "reasons", "marginal", "equity")
AT_MEETINGS = ("meetings_assessed", "meetings_reasons")
POLICIES = (*SURVEYED, *AT_MEETINGS)
CHOOSABLE = ("none", "fixed", *POLICIES)
"""What a planner can choose; the others are yardsticks."""
TABLES = ("levels", "parts", "unknown_world", "surveys", "variations", "verdicts")


# Scenarios


def written(file: str | None) -> dict[str, Any]:
    """What a world sets, without its words; nothing for the defaults."""
    if file is None:
        return {}
    data = YAML(typ="safe", pure=True).load((TOP / "scenarios" / f"{file}.yaml").read_text("utf-8"))
    return {
        key: data[key] for key in ("community", "behaviour", "campaign", "activities", "goals") if key in data
    }


def lines_of(shares: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"kind": kind, "share": share} for kind, share in shares.items()]


def families_of(file: str | None) -> dict[str, list[dict[str, Any]]]:
    """The lines of the three families and of their mixture, as the world's file or the defaults have them."""
    if file is None:
        scenario = resolve({"schema_version": 2, "title": "Defaults", "description": "For its arms."})
        arms = {name: arm.activities for name, arm in scenario.arms.items()}
        return {name: lines_of({use.kind: use.share for use in arms[name]}) for name in (*FAMILIES, "mixed")}
    data = YAML(typ="safe", pure=True).load((TOP / "scenarios" / f"{file}.yaml").read_text("utf-8"))
    return {name: data["arms"][name]["activities"] for name in (*FAMILIES, "mixed")}


def answers_to(cause: str, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines that the rule would buy if everybody named the cause."""
    shipped = resolve(
        {
            "schema_version": 2,
            "title": "Answers",
            "description": "For the answers of its activities.",
            "arms": {"mixed": {"activities": list(lines)}},
        }
    ).activities
    weights = {line["kind"]: dict(shipped[line["kind"]].answers).get(cause, 0.0) for line in lines}
    return lines_of({kind: weight for kind, weight in weights.items() if weight > 0})


def arms_of(world: Mapping[str, Any], respondents: int) -> dict[str, Any]:
    """All strategies; those that learn start from the mixture."""
    families = families_of(world["file"])
    mixed = families["mixed"]
    survey = {"respondents": respondents}
    arms: dict[str, Any] = {name: {"activities": families[name]} for name in FAMILIES}
    arms["told"] = {"activities": answers_to(world["cause"], mixed)}
    arms["fixed"] = {"activities": mixed}
    arms["fixed_paid"] = {"activities": mixed, "survey": survey}
    for policy in SURVEYED:
        arms[policy] = {"activities": mixed, "policy": policy, "survey": survey}
        arms[f"{policy}_twin"] = {
            "activities": mixed,
            "policy": policy,
            "survey": survey | {"perfect": True},
        }
    for policy in ("assessed", "reasons"):
        arms[f"meetings_{policy}"] = {"activities": mixed, "policy": policy, "community_decides": True}
        arms[f"meetings_{policy}_twin"] = {  # everybody is heard, at the price of one respondent
            "activities": mixed,
            "policy": policy,
            "survey": {"respondents": 1, "perfect": True},
        }
    return arms


def scenario_of(design: Mapping[str, Any], name: str, change: Mapping[str, Any] | None = None) -> Scenario:
    """A world with all strategies, and one thing changed."""
    world, change = design["worlds"][name], change or {}
    data = {
        "schema_version": 2,
        "title": f"World {name}",
        "description": "A world of the study of adaptive policies.",
        "seed": design["seed"],
        "goals": [design["goal"]],
        **written(world["file"]),
    }
    data["arms"] = arms_of(world, change.get("respondents", design["respondents"]))
    campaign = dict(data.get("campaign", {}))
    if "budget" in change:
        campaign["budget_per_resident"] = change["budget"]
    if change.get("first_only"):
        campaign["calendar"] = {**campaign.get("calendar", {}), "monitor": {"first": 129}}  # after the money
    data["campaign"] = campaign
    if "misreport" in change:
        activities = dict(data.get("activities", {}))
        activities["survey"] = {**activities.get("survey", {}), "misreport": change["misreport"]}
        data["activities"] = activities
    return resolve(data)


# Judging


def cube(runs: pd.DataFrame, column: str, arms: Sequence[str]) -> NDArray[np.float64]:
    """(arms, communities, lucks) of an outcome."""
    parts = [
        runs[runs["arm"] == arm].pivot(index="community", columns="luck", values=column).to_numpy(float)
        for arm in arms
    ]
    return np.stack(parts)


@dataclass(frozen=True, eq=False)
class Judge:
    """The project's rule for a pair: the interval holds for all pairs of these arms at once."""

    arms: tuple[str, ...]
    pairs: PairwiseDifferences
    matters: float

    def __call__(self, arm: str, rival: str) -> dict[str, Any]:
        """Arm minus rival in points, its simultaneous limits, and what can be said."""
        i, j = self.arms.index(arm), self.arms.index(rival)
        estimate = float(self.pairs.estimate[i, j])
        quantile = self.pairs.all_pairs_quantile(0.95)
        width = float(self.pairs.half_widths(quantile)[i, j])
        narrow = float(self.pairs.half_widths(t_quantile(0.95, self.pairs.degrees))[i, j])
        equal = abs(estimate) + narrow < self.matters
        further: int | None = None
        if abs(estimate) > width:
            words = "better" if estimate > 0 else "worse"
            words += ", but less than matters" if equal else ""
        elif equal:
            words = "practically equal"
        else:
            words = "cannot tell yet"
            wanted = math.ceil((quantile * float(self.pairs.deviation[i, j]) / self.matters) ** 2)
            further = max(0, wanted - self.pairs.n_communities)
        limits = {"estimate": estimate, "low": estimate - width, "high": estimate + width}
        return {**in_points(limits), "verdict": words, "further": further}


def judge_of(runs: pd.DataFrame, arms: Sequence[str], matters: float) -> Judge:
    return Judge(tuple(arms), pairwise_differences(cube(runs, "participation_fe", arms)), matters)


def in_points(values: Mapping[str, float]) -> dict[str, float]:
    """Shares in hundredths with two decimals, and never -0.0."""
    return {name: round(100 * value, 2) + 0.0 for name, value in values.items()}


def limits(found: Interval) -> dict[str, float]:
    return in_points({"estimate": found.estimate, "low": found.low, "high": found.high})


def parts_of(name: str, arms: Iterable[str], oracle: str | None) -> list[tuple[str, str, str]]:
    """Which pairs make up what a policy brings: (part, arm, rival)."""
    paid = name in SURVEYED
    pairs = [("whole", name, "fixed")]
    if paid:
        pairs += [("price", "fixed_paid", "fixed"), ("use", name, "fixed_paid")]
    if f"{name}_twin" in arms:
        pairs += [("better information", f"{name}_twin", name), ("twin", f"{name}_twin", "fixed")]
    if oracle is not None:
        pairs += [("against the oracle", name, oracle)]
    return [*pairs, ("against no campaign", name, "none")]


# Measuring


def measure_main(design: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """All strategies in all worlds as they are."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    gains = {}
    size = design["main"]
    for world, about in design["worlds"].items():
        print(f"world {world} ...", flush=True)
        scenario = scenario_of(design, world)
        records = simulate(scenario, communities=size["communities"], luck=size["luck"], threads=1)
        runs, asked = records.runs(), records.surveys()
        arms = list(dict.fromkeys(runs["arm"]))
        judged = judge_of(runs, arms, design["matters"])
        rows["levels"] += [level(world, arm, runs, asked) for arm in arms]
        for policy in POLICIES:
            for part, arm, rival in parts_of(policy, arms, about["oracle"]):
                rows["parts"].append({"world": world, "policy": policy, "part": part, **judged(arm, rival)})
        for part, arm in (("told", "told"), ("oracle", about["oracle"])):
            rows["parts"].append({"world": world, "policy": "fixed", "part": part, **judged(arm, "fixed")})
        rows["surveys"] += heard(world, asked, runs)
        verdict = judge(cube(runs, "participation_fe", CHOOSABLE), CHOOSABLE, matters=design["matters"])
        rows["verdicts"] += [{"world": world, "sentence": sentence} for sentence in verdict.sentences]
        gains[world] = {arm: gain_of(runs, arm) for arm in arms}
    known = [world for world in ("A", "B", "C", "D") if world in gains]
    for arm in gains[known[0]]:
        if arm == "none":
            continue
        mean = sum(gains[world][arm] for world in known) / len(known)
        fixed = sum(gains[world]["fixed"] for world in known) / len(known)
        row = {world: in_points({"gain": float(gains[world][arm].mean())})["gain"] for world in gains}
        more = limits(paired_interval(mean - fixed)) if arm != "fixed" else {}
        rows["unknown_world"].append(
            {
                "arm": arm,
                **row,
                "mean_A_to_D": in_points({"mean": float(mean.mean())})["mean"],
                **{f"against_fixed_{key}": value for key, value in more.items()},
            }
        )
    return {name: pd.DataFrame(table) for name, table in rows.items() if table}


def by_community(runs: pd.DataFrame, arm: str, column: str) -> NDArray[np.float64]:
    return cube(runs, column, [arm])[0].mean(axis=1)


def gain_of(runs: pd.DataFrame, arm: str) -> NDArray[np.float64]:
    """Participation at funding end against no campaign, by community."""
    return by_community(runs, arm, "participation_fe") - by_community(runs, "none", "participation_fe")


def level(world: str, arm: str, runs: pd.DataFrame, asked: pd.DataFrame) -> dict[str, Any]:
    """Participation, gap and money of a strategy; intervals pointwise, of the differences paired."""
    row: dict[str, Any] = {"world": world, "arm": arm}
    for name in ("participation_fe", "gap_fe", "participation_end"):
        of_arm = by_community(runs, arm, name)
        row |= {f"{name}_{key}": value for key, value in limits(paired_interval(of_arm)).items()}
        if arm not in ("none", "fixed"):
            more = paired_interval(of_arm - by_community(runs, "fixed", name))
            row |= {f"{name}_more_{key}": value for key, value in limits(more).items()}
    of = runs[runs["arm"] == arm]
    for name in ("cost", "cost_external", "cost_local", "unspent"):
        row[name] = round(float(of[name].mean()), 2)
    row["surveys"] = round(float(asked.loc[asked["arm"] == arm, "price"].sum() / len(of)), 2)
    row["aware_fe"] = round(100 * float(of["aware_fe"].mean()), 2)
    row["wins_fe"] = round(float(of["wins_fe"].mean()), 2)
    return row


def heard(world: str, asked: pd.DataFrame, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """What the surveys said and where the money went from then on: means over runs, in %."""
    shares = [name for name in asked.columns if name.startswith("share__")]
    named = [f"cause__{cause}" for cause in CAUSES]
    rows = []
    for (arm, week), part in asked.groupby(["arm", "week"], sort=False):
        total = part[named].sum(axis=1)
        row = {
            "world": world,
            "arm": arm,
            "week": week,
            "runs": round(100 * len(part) / int((runs["arm"] == arm).sum()), 1),
        }
        for cause, column in zip(CAUSES, named, strict=True):
            row[cause] = round(100 * float((part[column] / total.where(total > 0)).mean()), 1)
        row |= {name.removeprefix("share__"): round(100 * float(part[name].mean()), 1) for name in shares}
        chosen = part["group_chosen"]
        row["group_marginalized"] = round(100 * float((chosen == "marginalized").mean()), 1)
        rows.append(row)
    return rows


def measure_variations(design: dict[str, Any]) -> pd.DataFrame:
    """One thing changed at a time."""
    plan = design["variations"]
    arms = ["none", "fixed", "fixed_paid", *SURVEYED, "assessed_twin", "reasons_twin"]
    rows = []
    for change in plan["changes"]:
        print(f"{change['name']} ...", flush=True)
        for world in design["worlds"]:
            scenario = scenario_of(design, world, change)
            runs = simulate(
                scenario, arms=arms, communities=plan["communities"], luck=plan["luck"], threads=1
            ).runs()
            judged = judge_of(runs, arms, design["matters"])
            where = {"change": change["name"], "world": world}
            gain = judged("fixed", "none")
            rows.append({**where, "policy": "fixed", "part": "against no campaign", **gain})
            for policy in SURVEYED:
                for part, arm, rival in parts_of(policy, arms, None):
                    rows.append({**where, "policy": policy, "part": part, **judged(arm, rival)})
    return pd.DataFrame(rows)


def small(design: dict[str, Any]) -> dict[str, Any]:
    """A design of a few communities: shows that everything runs."""
    for part in (design["main"], design["variations"]):
        part["communities"], part["luck"] = 3, 1
    design["variations"]["changes"] = [design["variations"]["changes"][k] for k in (0, -1)]
    return design


# Words and pictures


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(header)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told_interval(row: Any, start: str = "") -> str:
    """An estimate with its limits: 1.23 (0.45 to 2.01); a dash where there is none."""
    if math.isnan(row[f"{start}estimate"]):
        return "–"
    return f"{row[f'{start}estimate']:.2f} ({row[f'{start}low']:.2f} to {row[f'{start}high']:.2f})"


def told_part(row: Any) -> str:
    """A judged difference in a cell."""
    more = "" if math.isnan(row["further"]) else f" ({row['further']:.0f} more communities)"
    return f"{told_interval(row)}: {row['verdict']}{more}"


def levels_lines(table: pd.DataFrame) -> str:
    header = ("strategy", "participation, %", "minus fixed", "gap", "gap minus fixed", "end minus fixed")
    money = ("spent", "on surveys", "local", "wins")
    rows = [
        (
            row["arm"],
            told_interval(row, "participation_fe_"),
            told_interval(row, "participation_fe_more_"),
            told_interval(row, "gap_fe_"),
            told_interval(row, "gap_fe_more_"),
            told_interval(row, "participation_end_more_"),
            *(f"{row[name]:.0f}" for name in ("cost", "surveys", "cost_local")),
            f"{row['wins_fe']:.2f}",
        )
        for _, row in table.iterrows()
    ]
    return markdown((*header, *money), rows)


def parts_lines(table: pd.DataFrame) -> str:
    rows = [(row["policy"], row["part"], told_part(row)) for _, row in table.iterrows()]
    return markdown(("policy", "part", "points"), rows)


def unknown_lines(table: pd.DataFrame) -> str:
    worlds = [name for name in table.columns if name in ("A", "B", "C", "D", "default")]
    rows = [
        (
            row["arm"],
            *(f"{row[world]:.2f}" for world in worlds),
            f"{row['mean_A_to_D']:.2f}",
            told_interval(row, "against_fixed_"),
        )
        for _, row in table.sort_values("mean_A_to_D", ascending=False, kind="stable").iterrows()
    ]
    return markdown(("strategy", *worlds, "mean of A to D", "that minus fixed"), rows)


def surveys_lines(table: pd.DataFrame) -> str:
    lines = ("visit", "meeting", "media", "skills", "leader", "lobby", "coalition")
    rows = [
        (
            row["world"],
            row["arm"],
            str(row["week"]),
            *(f"{row[cause]:.1f}" for cause in CAUSES),
            *(f"{row[line]:.1f}" for line in lines),
        )
        for _, row in table.iterrows()
    ]
    return markdown(("world", "policy", "week", *CAUSES, *(f"→ {line}" for line in lines)), rows)


def variations_lines(table: pd.DataFrame, part: str) -> str:
    """One part: a row a change and policy, a column a world; a star: the interval leaves out 0."""
    chosen = table[table["part"] == part]
    worlds = list(dict.fromkeys(chosen["world"]))
    rows = []
    for (change, policy), of in chosen.groupby(["change", "policy"], sort=False):
        cells = of.set_index("world")
        marks = [
            f"{cells.loc[world, 'estimate']:.2f}"
            + ("*" if cells.loc[world, "low"] > 0 or cells.loc[world, "high"] < 0 else "")
            for world in worlds
        ]
        rows.append((change, policy, *marks))
    return markdown(("change", "policy", *worlds), rows)


def price_lines(table: pd.DataFrame) -> str:
    """The price is the same for all policies: one row a change."""
    price = table[(table["part"] == "price") & (table["policy"] == "assessed")].assign(policy="all")
    return variations_lines(price, "price")


def result(design: dict[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words, for README.md to be read against."""
    main, plan = design["main"], design["variations"]
    parts = [
        "# Result",
        "Written by `python experiments/adaptive_policies/run.py`; in points unless it says so.",
        f"{main['communities']} communities x {main['luck']} luck, seed {design['seed']}; variations "
        f"{plan['communities']} x {plan['luck']}. Levels and their differences: 95 % intervals, pointwise. "
        "Parts: simultaneous 95 % over all pairs of strategies of a world, with the verdict.",
        "\n".join(f"Digest of {world}: {digest(scenario_of(design, world))}" for world in design["worlds"]),
        "## When the world is not known: gains over no campaign\n\n" + unknown_lines(tables["unknown_world"]),
    ]
    for world in design["worlds"]:
        of = {name: tables[name][tables[name]["world"] == world] for name in ("levels", "parts", "verdicts")}
        parts += [
            f"## World {world}\n\n" + levels_lines(of["levels"]),
            parts_lines(of["parts"]),
            "\n".join(f"* {sentence}" for sentence in of["verdicts"]["sentence"]),
        ]
    said = tables["surveys"]
    chosen = said["arm"].isin(["assessed_twin", "reasons", "marginal", *AT_MEETINGS])
    first_and_last = said["week"].isin([0, 13, 39, 65])
    parts += [
        "## What was heard, and where the money went (%)\n\n" + surveys_lines(said[chosen & first_and_last]),
        "## One thing changed: policy minus fixed (* the simultaneous interval leaves out 0)\n\n"
        + variations_lines(tables["variations"], "whole"),
        "## One thing changed: the price\n\n" + price_lines(tables["variations"]),
        "## One thing changed: gains over no campaign\n\n"
        + variations_lines(tables["variations"], "against no campaign"),
        "## One thing changed: twin minus real\n\n"
        + variations_lines(tables["variations"], "better information"),
    ]
    return "\n\n".join(parts) + "\n"


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written."""
    return pd.read_csv(path)


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def parts_picture(parts: pd.DataFrame) -> Figure:
    """Each policy against the fixed mixture, world by world, with its twin and the price of asking."""
    worlds = list(dict.fromkeys(parts["world"]))
    figure = Figure(figsize=(9.0, 2.9), layout="constrained")
    panels = figure.subplots(1, len(worlds), sharey=True, sharex=True)
    for axes, world in zip(panels, worlds, strict=True):
        of = parts[parts["world"] == world]
        axes.axvline(0, color="#5A5A5A", linewidth=0.8)
        for place, policy in enumerate(POLICIES):
            found = of[of["policy"] == policy].set_index("part")
            whole = found.loc["whole"]
            errors = [[whole["estimate"] - whole["low"]], [whole["high"] - whole["estimate"]]]
            axes.errorbar([whole["estimate"]], [place], xerr=errors, fmt="o", color=COLOURS[0], markersize=4)
            axes.plot(found.loc["twin", "estimate"], place, "D", color=COLOURS[1], fillstyle="none", ms=5)
        price = of.loc[of["part"] == "price", "estimate"].iloc[0]
        oracle = of.loc[of["part"] == "oracle", "estimate"].iloc[0]
        axes.axvline(price, color=COLOURS[1], linewidth=0.8, linestyle=":")
        axes.axvline(oracle, color=COLOURS[2], linewidth=0.8, linestyle="--")
        axes.set_title(world, fontsize=9, loc="left")
        axes.tick_params(labelsize=7)
    panels[0].set_yticks(range(len(POLICIES)), [name.replace("_", ": ") for name in POLICIES], fontsize=7)
    panels[0].invert_yaxis()
    figure.supxlabel(
        "points of participation above the fixed mixture, simultaneous 95 %; diamond: perfect information at "
        "that price; dotted: price alone; dashed: the family that answers the cause",
        fontsize=7,
    )
    return figure


def variations_picture(table: pd.DataFrame) -> Figure:
    """What each policy brings against the fixed mixture when one thing is changed."""
    worlds, changes = list(dict.fromkeys(table["world"])), list(dict.fromkeys(table["change"]))
    figure = Figure(figsize=(9.0, 3.3), layout="constrained")
    panels = figure.subplots(1, len(worlds), sharey=True, sharex=True)
    whole = table[table["part"] == "whole"]
    for axes, world in zip(panels, worlds, strict=True):
        axes.axvline(0, color="#5A5A5A", linewidth=0.8)
        for policy, colour, marker in zip(SURVEYED, COLOURS, "os^D", strict=True):
            of = whole[(whole["world"] == world) & (whole["policy"] == policy)].set_index("change")
            axes.plot(
                of.loc[changes, "estimate"], range(len(changes)), marker, color=colour, ms=4, label=policy
            )
        axes.set_title(world, fontsize=9, loc="left")
        axes.tick_params(labelsize=7)
    panels[0].set_yticks(range(len(changes)), changes, fontsize=7)
    panels[0].invert_yaxis()
    figure.supxlabel("points of participation above the fixed mixture", fontsize=7)
    entries = panels[0].get_legend_handles_labels()
    figure.legend(*entries, frameon=False, fontsize=7, ncols=4, loc="outside upper right")
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
        design, folder = small(design), TOP / "results" / "adaptive_policies_quick"
        folder.mkdir(parents=True, exist_ok=True)
    warm_up()
    tables = measure_main(design)
    tables["variations"] = measure_variations(design)
    for name in TABLES:
        tables[name].to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    tables = {name: read_table(folder / f"{name}.csv") for name in TABLES}
    (folder / "parts.svg").write_bytes(as_svg(parts_picture(tables["parts"])))
    (folder / "variations.svg").write_bytes(as_svg(variations_picture(tables["variations"])))
    text = result(design, tables)
    (folder / "result.md").write_text(text, encoding="utf-8", newline="\n")
    print(text)


if __name__ == "__main__":
    main()
