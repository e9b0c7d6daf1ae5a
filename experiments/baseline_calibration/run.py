"""Measure the baseline and what the defaults rest on.

Run: python experiments/baseline_calibration/run.py [--quick] [--only PART]

Reads design.yaml; writes tables, figures and result.md into this folder; with `--quick` (a few communities,
not for reading) into results/baseline_calibration_quick. The same numbers come out every time. Takes about
eight minutes in one thread.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from ruamel.yaml import YAML

from mobsim.analysis.statistics import Interval, paired_interval, t_quantile
from mobsim.engine.first_use import warm_up
from mobsim.engine.run import simulate
from mobsim.plots import as_svg
from mobsim.scenario.complete import DEFAULT_ARMS
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


SHARES = ("participation", "aware", "gap", "supportive", "opposed", "coalition", "leadership", "wins_are")


def runs_of(
    scenario: Scenario, communities: int, luck: int, arms: Iterable[str] | None = None
) -> pd.DataFrame:
    """One row a run: its outcomes, shares in points, and week 0 and counts of organizers beside them."""
    chosen = None if arms is None else list(arms)
    records = simulate(scenario, arms=chosen, communities=communities, luck=luck, threads=1)
    runs = records.runs()
    leaders = np.where(records.leaders > 0, records.leaders, np.nan)
    runs["supportive_week0"], runs["opposed_week0"] = (records.stances[:, 0] / leaders[:, None]).T
    runs["coalition_week0"] = records.coalition[:, 0]
    runs["organized_fe"], runs["organized_to_end"] = records.organizers_at_funding_end.T
    for wins in range(scenario.behaviour.max_wins + 1):
        runs[f"wins_are_{wins}"] = (runs["wins_fe"] == wins).astype(float)
    scaled = [name for name in runs if name.startswith(SHARES)]
    runs[scaled] *= 100
    return runs


def mean_over_luck(runs: pd.DataFrame) -> pd.DataFrame:
    """Outcomes of every arm and community; the index is (arm, community)."""
    return runs.groupby(["arm", "community"]).mean(numeric_only=True).drop(columns="luck")


def by_community(
    scenario: Scenario, communities: int, luck: int, arms: Iterable[str] | None = None
) -> pd.DataFrame:
    """Outcomes of every arm and community, mean over luck, in points; the index is (arm, community)."""
    return mean_over_luck(runs_of(scenario, communities, luck, arms))


def interval(values: pd.Series[float] | NDArray[np.float64]) -> Interval:
    """An interval over communities; empty where some community has no value."""
    found = np.asarray(values, np.float64)
    return paired_interval(found) if np.isfinite(found).all() else Interval(math.nan, math.nan, math.nan)


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
        "supportive_end": none["supportive_end"],
        "opposed_end": none["opposed_end"],
        "coalition_end": none["coalition_end"],
        "coalition_drift": none["coalition_end"] - none["coalition_week0"],
    }


def gain_of(table: pd.DataFrame, arm: str, outcome: str = "participation_fe") -> pd.Series[float]:
    """Paired difference from no campaign, by community."""
    return table.loc[arm, outcome] - table.loc["none", outcome]


def without_each(values: pd.Series[float]) -> NDArray[np.float64]:
    """The sum, and the sums that leave one community out."""
    numbers: NDArray[np.float64] = values.to_numpy(np.float64)
    return np.append(numbers.sum(), numbers.sum() - numbers)


def jackknife(found: NDArray[np.float64]) -> Interval:
    """An interval over communities from a statistic of all, then without each."""
    n = len(found) - 1
    return interval(n * found[0] - (n - 1) * found[1:])


def kept_of(table: pd.DataFrame, arm: str) -> NDArray[np.float64]:
    """Effect in the last week in % of that at funding end: a ratio of means, then without each community."""
    end, fe = (without_each(gain_of(table, arm, f"participation_{when}")) for when in ("end", "fe"))
    return 100 * end / np.where(fe > 0, fe, np.nan)


def retained_of(table: pd.DataFrame, arms: Iterable[str]) -> NDArray[np.float64]:
    """Organizers at funding end who organize in every week to the end, in %.

    Pooled over arms and communities; replaced persons count as lost. The whole first, then without each
    community.
    """
    pooled = table.loc[list(arms)].groupby("community")[["organized_fe", "organized_to_end"]].sum()
    before, after = (without_each(pooled[name]) for name in ("organized_fe", "organized_to_end"))
    return 100 * after / np.where(before > 0, before, np.nan)


def targets_of(table: pd.DataFrame) -> dict[str, Interval]:
    """Everything that a target is stated for and that one simulation shows."""
    found = {name: interval(values) for name, values in rest_of(table).items()}
    found |= {f"gain_{arm}": interval(gain_of(table, arm)) for arm in ARMS}
    kept = {arm: kept_of(table, arm) for arm in ARMS}
    found |= {f"kept_{arm}": jackknife(values) for arm, values in kept.items()}
    for arm in ("training", "advocacy"):
        found[f"kept_{arm}_more"] = jackknife(kept[arm] - kept["outreach"])
    found["retention"] = jackknife(retained_of(table, ("none", *ARMS)))
    found["wins"] = interval(table.loc["advocacy", "wins_fe"])
    found["wins_are_4"] = interval(table.loc["advocacy", "wins_are_4"])
    return found | {f"gap_{arm}": interval(gain_of(table, arm, "gap_fe")) for arm in ("outreach", "advocacy")}


def confirm(design: dict[str, Any]) -> tuple[pd.DataFrame, dict[int, pd.DataFrame]]:
    """All targets at all sizes, on communities that no choice was made with; and the runs of each size."""
    runs, tables, rows = {}, {}, []
    seed = design["seeds"]["confirmed"]
    for size in design["sizes"]:
        n, communities, luck = size["residents"], size["communities"], size["luck"]
        changes = {"community.residents": n}
        runs[n] = runs_of(scenario_with(changes, seed=seed), communities, luck)
        tables[n] = table = mean_over_luck(runs[n])
        found = targets_of(table)
        found |= longer_burn_in(
            scenario_with(changes | {"campaign.burn_in_weeks": 156}, seed=seed), size, table
        )
        for name, band in design["targets"].items():
            rows.append(
                {"residents": n, "measure": name, "words": band["words"], **numbers(found[name], band)}
            )
    base = design["sizes"][0]["residents"]
    for n, table in list(tables.items())[1:]:
        for arm in ARMS:
            both = [gain_of(part, arm) for part in (table, tables[base])]
            limit = design["size_difference"]
            band = {"above": -limit, "below": limit}
            words = f"gain of {arm}, minus that at {base:,} residents"
            rows.append(
                {"residents": n, "measure": f"size_{arm}", "words": words, **numbers(unpaired(*both), band)}
            )
    return pd.DataFrame(rows), runs


def longer_burn_in(scenario: Scenario, size: Mapping[str, int], table: pd.DataFrame) -> dict[str, Interval]:
    """How far a longer burn-in moves week 0, in the same communities with the same luck."""
    longer = by_community(scenario, size["communities"], size["luck"], ["none"]).loc["none"]
    columns = {"burn_in": "participation_week0", "burn_in_aware": "aware_week0"}
    return {name: interval(longer[of] - table.loc["none", of]) for name, of in columns.items()}


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


def arms_table(runs: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """What every default arm does to everybody's state: effects, groups, organizers, stakeholders, laws."""
    rows = []
    for n, table in ((n, mean_over_luck(each)) for n, each in runs.items()):
        for arm in ("none", *ARMS):
            here = table.loc[arm]
            gain, gap = gain_of(table, arm), gain_of(table, arm, "gap_fe")
            measures = {"gain": gain, "gap": gap, "parity": 100 * here["parity_fe"]}
            names = ("supportive_fe", "supportive_end", "opposed_fe", "opposed_end", "coalition_fe")
            measures |= {name: here[name] for name in (*names, "coalition_end", "wins_fe")}
            measures |= {name: here[name] for name in here if name.startswith("wins_are")}
            measures |= {
                "aware_fe": here["aware_fe"],
                "participation_fe": here["participation_fe"],
                "organizers_fe": here["leadership_fe"],
            }
            row = {"residents": n, "arm": arm, **with_errors(measures)}
            for name, found in (
                ("kept", kept_of(table, arm) if arm != "none" else None),
                ("retained", retained_of(table, [arm])),
            ):
                row |= with_half_width(name, found)
            rows.append(row)
    return pd.DataFrame(rows)


def with_half_width(name: str, found: NDArray[np.float64] | None) -> dict[str, float]:
    """A statistic with its standard error by the jackknife."""
    if found is None or not np.isfinite(found).all():
        return {name: math.nan, f"{name}_error": math.nan}
    n = len(found) - 1
    error = math.sqrt((n - 1) * found[1:].var())
    return {name: round(float(found[0]), 4), f"{name}_error": round(error, 4)}


def spread(design: dict[str, Any], runs: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """How unequal effects are: over futures at the defaults, and over the social weight that nobody knows."""
    part = design["spread"]
    base = runs[design["sizes"][0]["residents"]]
    weights = []
    for weight in part["social_weights"]:
        scenario = scenario_with({"behaviour.social_weight": weight}, seed=design["seeds"]["sensitivity"])
        each = runs_of(scenario, part["communities"], part["luck"])
        weights.append(each.assign(community=each["community"] + 1000 * len(weights)))
    rows = []
    for over, table in (("futures at the defaults", base), ("social weight 0 to 1", pd.concat(weights))):
        keyed = table.set_index(["arm", "community", "luck"])["participation_fe"]
        for arm in ARMS:
            gain = keyed[arm] - keyed["none"]
            low, middle, high = (float(gain.quantile(share)) for share in (0.05, 0.5, 0.95))
            row = {
                "over": over,
                "arm": arm,
                "mean": float(gain.mean()),
                "p5": low,
                "median": middle,
                "p95": high,
            }
            row["upper_to_lower_tail"] = (high - middle) / (middle - low)
            rows.append({name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()})
    return pd.DataFrame(rows)


def arm_of(shares: Mapping[str, float]) -> dict[str, Any]:
    """An arm that splits its money like this."""
    return {"activities": [{"kind": kind, "share": share} for kind, share in shares.items() if share > 0]}


def advocacy_split(design: dict[str, Any]) -> pd.DataFrame:
    """What advocacy does by how its money is split."""
    part = design["advocacy_split"]
    kinds = ("lobby", "coalition", "media")
    splits = {"_".join(f"{round(100 * share)}" for share in split): split for split in part["splits"]}
    arms = {f"split_{name}": arm_of(dict(zip(kinds, split, strict=True))) for name, split in splits.items()}
    rows = []
    for n in part["residents"]:
        scenario = scenario_with({"community.residents": n}, seed=design["seeds"]["sensitivity"], arms=arms)
        table = by_community(scenario, part["communities"], part["luck"])
        for name, split in splits.items():
            arm = f"split_{name}"
            measures = {"gain": gain_of(table, arm), "gap": gain_of(table, arm, "gap_fe")}
            measures |= {name: table.loc[arm, name] for name in ("wins_fe", "wins_are_4", "coalition_fe")}
            shares = dict(zip(kinds, (f"{share:g}" for share in split), strict=True))
            row = {"residents": n, "shares": " ".join(f"{k} {v}" for k, v in shares.items())}
            rows.append(row | with_errors(measures) | with_half_width("kept", kept_of(table, arm)))
    return pd.DataFrame(rows)


def single_activities(design: dict[str, Any]) -> pd.DataFrame:
    """What each activity alone does with the whole budget, for a person reached and for a dollar."""
    part = design["single_activities"]
    rows = [
        {"budget": budget, **row}
        for budget in part["budgets"]
        for row in one_activity_each(
            part["activities"], {"campaign.budget_per_resident": budget}, part, design
        )
    ]
    return pd.DataFrame(rows)


def contact_or_media(design: dict[str, Any]) -> pd.DataFrame:
    """What decides whether a contact or media do more for a person reached, and for the money."""
    part = design["contact_or_media"]
    rows = [
        {"change": change["name"], **row}
        for change in part["changes"]
        for row in one_activity_each(
            part["activities"] | change.get("activities", {}), change["set"], part, design
        )
    ]
    return pd.DataFrame(rows)


def one_activity_each(
    activities: Mapping[str, Any], changes: Mapping[str, Any], size: Mapping[str, int], design: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Arms of one activity each, with the whole budget."""
    arms = {name: {"activities": [{**use, "share": 1}]} for name, use in activities.items()}
    scenario = scenario_with(changes, seed=design["seeds"]["confirmed"], arms=arms)
    records = simulate(scenario, communities=size["communities"], luck=size["luck"], threads=1)
    runs = records.runs().groupby(["arm", "community"]).mean(numeric_only=True)
    reached = records.activities().groupby("arm")["reached"].sum()
    for name in arms:
        gain, aware = gain_of(runs, name), gain_of(runs, name, "aware_fe")
        row = {"activity": name, **with_errors({"gain": 100 * gain, "aware": 100 * aware})}
        row["reached"] = round(float(reached[name]), 1)
        for words, base in (("reached", reached[name]), ("dollars", runs.loc[name, "cost"].mean())):
            for measure, effect in (("gain", gain), ("aware", aware)):
                each = 1000 * scenario.community.residents * effect / base if base > 0 else effect * math.nan
                row |= with_errors({f"{measure}_per_1000_{words}": each})
        yield row


def mixtures(design: dict[str, Any]) -> pd.DataFrame:
    """What an activity adds to a default arm when it takes some of its money, and other splits."""
    part = design["mixtures"]
    arms = {arm: arm_of(shares) for arm, (_, shares) in DEFAULT_ARMS.items()}
    for name, mixture in part["arms"].items():
        own = mixture["shares"]
        shares = dict(DEFAULT_ARMS[mixture["of"]][1]) if mixture.get("added") else {}
        rest = (1 - sum(own.values())) / sum(shares.values()) if shares else 0
        arms[name] = arm_of({kind: round(rest * share, 6) for kind, share in shares.items()} | own)
    scenario = scenario_with({}, seed=design["seeds"]["confirmed"], arms=arms)
    table = by_community(scenario, part["communities"], part["luck"])
    rows = []
    for name, mixture in part["arms"].items():
        gain = gain_of(table, name)
        measures = {
            "gain": gain,
            "more": gain - gain_of(table, mixture["of"]),
            "more_end": table.loc[name, "participation_end"] - table.loc[mixture["of"], "participation_end"],
            "gap": gain_of(table, name, "gap_fe"),
        }
        row = {"arm": name, "compared_with": mixture["of"], **with_errors(measures)}
        row |= with_half_width("kept", kept_of(table, name))
        rows.append(row | with_half_width("retained", retained_of(table, [name])))
    return pd.DataFrame(rows)


def worlds(design: dict[str, Any]) -> pd.DataFrame:
    """Who wins in the four worlds of four_villages, as shipped and with a changed default."""
    part = design["worlds"]
    rows = []
    for change in part["changes"]:
        for name in part["names"]:
            file = TOP / "scenarios" / f"four_villages_{name}.yaml"
            scenario = load_scenario(file, overrides={"seed": design["seeds"]["confirmed"], **change["set"]})
            table = by_community(scenario, part["communities"], part["luck"])
            drift = table.loc["none", "participation_end"] - table.loc["none", "participation_week0"]
            gains = {arm: gain_of(table, arm) for arm in ("outreach", "training", "advocacy", "mixed")}
            best, second, *_ = sorted(
                ("outreach", "training", "advocacy"), key=lambda arm: -gains[arm].mean()
            )
            ahead = gains[best] - gains[second]
            row = {"change": change["name"], "world": name, "best": best}
            rows.append(row | with_errors({**gains, "ahead": ahead, "drift": drift}))
    return pd.DataFrame(rows)


def sensitivity(design: dict[str, Any]) -> pd.DataFrame:
    """One value at a time: what each target hinges on."""
    part = design["sensitivity"]
    rows = []
    for change in part["changes"]:
        scenario = scenario_with(change["set"], seed=design["seeds"]["sensitivity"])
        table = by_community(scenario, part["communities"], part["luck"])
        found = targets_of(table)
        row: dict[str, Any] = {"change": change["name"]}
        for name, each in found.items():
            row[name] = round(each.estimate, 4)
            row[f"{name}_error"] = round(
                (each.high - each.estimate) / t_quantile(0.975, part["communities"] - 1), 4
            )
        missed = [
            name
            for name, band in design["targets"].items()
            if name in found
            and not band.get("wished")
            and not inside(found[name].estimate, band)
            and not math.isnan(found[name].estimate)
        ]
        rows.append(row | {"missed": " ".join(missed)})
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
    for part in (*design["sizes"], *(design[name] for name in ("spread", *PARTS))):
        part["communities"], part["luck"] = 4, 1
    for name in ("sensitivity", "vaccination"):
        design[name]["changes"] = design[name]["changes"][:3]
    design["spread"]["social_weights"] = design["spread"]["social_weights"][:3]
    return design


# Words and pictures


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(header)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell_of(row: Any, name: str) -> str:
    """A mean with its error, a bare number, or words."""
    if isinstance(row[name], str):
        return str(row[name])
    return told(row, name) if f"{name}_error" in row.index else f"{row[name]:.2f}"


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
    """A table of means, with standard errors where it has them."""
    rows = []
    for _, row in table.iterrows():
        cells = [cell_of(row, name) for name in columns]
        rows.append((row[first] if isinstance(row[first], str) else f"{row[first]:g}", *cells))
    return markdown((first.replace("_", " "), *columns.values()), rows)


REST = {
    "participation_week0": "participation, week 0",
    "drift": "to week 129",
    "aware_majority": "aware majority",
    "aware_marginalized": "aware marginalized",
    "aware_drift": "aware, to week 129",
}


EFFECTS = {
    "gain": "gain",
    "kept": "kept, %",
    "participation_fe": "participation",
    "aware_fe": "aware",
    "organizers_fe": "organizers",
    "retained": "organizers retained, %",
    "gap": "change of the gap",
    "parity": "parity, %",
}
STAKEHOLDERS = {
    "supportive_fe": "supportive leaders, %",
    "supportive_end": "week 129",
    "opposed_fe": "opposed, %",
    "opposed_end": "week 129",
    "coalition_fe": "C, %",
    "coalition_end": "week 129",
}
LAWS = {"wins_fe": "wins"} | {f"wins_are_{wins}": f"{wins} wins, % of runs" for wins in range(5)}
FOR_EACH = {
    "gain": "gain",
    "aware": "gain in awareness",
    "reached": "people reached",
    "gain_per_1000_reached": "participants per 1,000 reached",
    "aware_per_1000_dollars": "aware per 1,000 dollars",
}
WORLD = {arm: arm for arm in ("outreach", "training", "advocacy", "mixed", "best", "ahead", "drift")}
QUANTILES = {
    "mean": "mean",
    "p5": "5th percentile",
    "median": "median",
    "p95": "95th percentile",
    "upper_to_lower_tail": "upper to lower tail",
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
        "## What each default arm does\n\nOrganizers retained: of those at funding end, the share that "
        "organizes in every week to the end, pooled over communities; the targets pool all six arms.",
        *(
            f"N = {n:,}\n\n" + table_lines(part, "arm", columns)
            for n, part in tables["arms"].groupby("residents", sort=False)
            for columns in (EFFECTS, STAKEHOLDERS, LAWS)
        ),
        "## How unequal gains are\n\nTails: 95th percentile minus median, by median minus 5th percentile.",
        *(
            f"Over {over}\n\n" + table_lines(part, "arm", QUANTILES)
            for over, part in tables["spread"].groupby("over", sort=False)
        ),
        "## Money of advocacy: how it is split",
        *(
            f"N = {n:,}\n\n"
            + table_lines(
                part,
                "shares",
                {"gain": "gain", "kept": "kept, %", "gap": "gap"}
                | {"wins_fe": "wins at funding end", "wins_are_4": "all four won, %", "coalition_fe": "C, %"},
            )
            for n, part in tables["advocacy_split"].groupby("residents", sort=False)
        ),
        "## Each activity alone\n\nPer 1,000: additional participants, or people aware, at funding end.",
        *(
            f"Budget {budget} a resident\n\n" + table_lines(part, "activity", FOR_EACH)
            for budget, part in single.groupby("budget", sort=False)
        ),
        "## A contact or media\n\nBudget 10. A visit at a price of 2 reaches about as many as media.",
        *(
            f"{change}\n\n" + table_lines(part, "activity", FOR_EACH)
            for change, part in tables["contact_or_media"].groupby("change", sort=False)
        ),
        "## Other mixtures\n\nAdded: a tenth of the arm's money goes to it, the rest as before.\n\n"
        + table_lines(
            tables["mixtures"],
            "arm",
            {
                "gain": "gain",
                "compared_with": "beside",
                "more": "minus its gain",
                "more_end": "the same, week 129",
            }
            | {"gap": "gap", "kept": "kept, %", "retained": "organizers retained, %"},
        ),
        "## Four worlds\n\nAhead: of the second of outreach, training and advocacy.",
        *(
            f"{change}\n\n" + table_lines(part, "world", WORLD)
            for change, part in tables["worlds"].groupby("change", sort=False)
        ),
        "## One value at a time\n\n"
        + table_lines(
            tables["sensitivity"],
            "change",
            {"participation_week0": "participation", "drift": "drift", "aware_drift": "aware drift"}
            | {f"gain_{arm}": arm for arm in ARMS},
        )
        + "\n\n"
        + table_lines(
            tables["sensitivity"],
            "change",
            {f"kept_{arm}": f"{arm} kept, %" for arm in ("outreach", "training", "advocacy")}
            | {
                "retention": "organizers retained, %",
                "supportive_end": "supportive",
                "opposed_end": "opposed",
            }
            | {"coalition_end": "C", "wins": "wins", "wins_are_4": "all four, %", "missed": "misses"},
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
    """Gains of the arms, and the drift, for every changed value."""
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


PARTS: dict[str, Callable[[dict[str, Any]], pd.DataFrame]] = {
    "advocacy_split": advocacy_split,
    "single_activities": single_activities,
    "contact_or_media": contact_or_media,
    "mixtures": mixtures,
    "worlds": worlds,
    "sensitivity": sensitivity,
    "vaccination": vaccination,
}
TABLES = ("targets", "arms", "spread", "burn_in", *PARTS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few communities, to see that it runs")
    parser.add_argument("--only", choices=PARTS, help="measure one part again, take the rest from its files")
    given = parser.parse_args()
    design = YAML(typ="safe").load(HERE / "design.yaml")
    folder = HERE
    if given.quick:
        design, folder = small(design), TOP / "results" / "baseline_calibration_quick"
        folder.mkdir(parents=True, exist_ok=True)
    warm_up()
    tables: dict[str, pd.DataFrame] = {}
    if given.only is None:
        print("measuring targets ...", flush=True)
        tables["targets"], runs = confirm(design)
        tables["arms"], tables["spread"] = arms_table(runs), spread(design, runs)
        tables["burn_in"] = burn_ins(design)
    for name, measure in PARTS.items():
        if given.only in (None, name):
            print(f"measuring {name} ...", flush=True)
            tables[name] = measure(design)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    tables = {name: read_table(folder / f"{name}.csv") for name in TABLES}
    (folder / "sensitivity.svg").write_bytes(as_svg(sensitivity_picture(tables["sensitivity"])))
    (folder / "rest.svg").write_bytes(as_svg(rest_picture(design)))
    text = result(design, tables)
    (folder / "result.md").write_text(text, encoding="utf-8", newline="\n")
    print(text)


if __name__ == "__main__":
    main()
