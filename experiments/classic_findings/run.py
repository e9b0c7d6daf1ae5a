"""Run the study of classic findings again: tables, figures, result.md.

Run: python experiments/classic_findings/run.py

Every table is one function of this file, with what it varies as its parameters. The same numbers come out
every time. Takes less than eight minutes of processor time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm, poisson

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from swept_study import limits_of, markdown, number, with_limits, write  # noqa: E402

from mobsim import build, choose_seeds, load_scenario, simulate, spread  # noqa: E402
from mobsim.community.community import Community  # noqa: E402
from mobsim.community.scores import network_scores  # noqa: E402
from mobsim.engine.first_use import warm_up  # noqa: E402
from mobsim.engine.records import PARTICIPATING  # noqa: E402
from mobsim.plots import as_svg  # noqa: E402

Floats = NDArray[np.float64]
Row = dict[str, Any]
SCENARIOS = HERE / "scenarios"
SEED = 21
"""Of what is drawn here and not in mobsim: who is named, and the order of equals."""


def row(values: Any, what: str = "", *, scale: float = 1.0) -> Row:
    """A mean over communities with 95 % limits, as columns."""
    start = f"{what}_" if what else ""
    found = limits_of(np.asarray(values, np.float64), scale=scale)
    return {f"{start}{end}": value for end, value in found.items()}


def by_community(values: NDArray[Any], communities: int) -> Floats:
    """(runs, ...) ordered by community and luck to a mean over luck, (communities, ...)."""
    return values.reshape(communities, -1, *values.shape[1:]).mean(axis=1)


def curves(name: str, overrides: Mapping[str, Any], communities: int, luck: int = 1) -> Floats:
    """(communities, luck, weeks) share of participants without campaign."""
    scenario = load_scenario(name, overrides=dict(overrides))
    records = simulate(scenario, arms=["none"], communities=communities, luck=luck)
    counts = records.counts[..., PARTICIPATING].sum(axis=2) / scenario.community.residents
    return counts.reshape(communities, luck, -1)


# 1 Granovetter


def domino(changed: Sequence[int] = (0, 1, 10, 50, 90)) -> pd.DataFrame:
    """Thresholds 0 to 99; then the person with threshold k has k + 1. Nothing is drawn."""
    rows = []
    for k in changed:
        thresholds = [t + (t == k) for t in range(100)]
        overrides = {"behaviour.thresholds": {"kind": "count", "values": thresholds}}
        course = curves("limits/granovetter_domino", overrides, 1)[0, 0]
        rows.append({"changed": k, "join": round(100 * course[-1])})
    usual = curves("limits/granovetter_domino", {}, 1)[0, 0]
    return pd.DataFrame([{"changed": -1, "join": round(100 * usual[-1])}, *rows])


CROWDS = {100: 400, 1_000: 100, 100_000: 4}
SPREADS = (0.05, 0.08, 0.1, 0.11, 0.115, 0.12, 0.125, 0.13, 0.14, 0.16, 0.2, 0.3)


def fixed_point(sd: float, mean: float = 0.25) -> float:
    """The lowest r = F(r) of normal thresholds, from below."""
    share = 0.0
    for _ in range(100_000):
        following = float(norm.cdf((share - mean) / sd))
        if abs(following - share) < 1e-12:
            break
        share = following
    return share


def thresholds(crowds: Mapping[int, int] = CROWDS, spreads: Sequence[float] = SPREADS) -> pd.DataFrame:
    """Where crowds with normal thresholds end, by the spread of thresholds and the size of the crowd."""
    rows = []
    for size, communities in crowds.items():
        for sd in spreads:
            overrides = {
                "community.residents": size,
                "behaviour.thresholds.sd": sd,
                "campaign.horizon_weeks": 200,
            }
            final = curves("limits/granovetter_normal", overrides, communities)[:, 0, -1]
            rows.append(
                {"residents": size, "sd": sd, "crowds": communities}
                | row(final, "joined", scale=100)
                | row(final > 0.5, "most", scale=100)
                | {"large_crowd": round(100 * fixed_point(sd), 2)}
            )
    return pd.DataFrame(rows)


# 2 Watts

NETWORKS = {1_000: 100, 10_000: 60, 100_000: 10}
STARTERS = 25
CONTACTS = (0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 5.5, 5.76, 6.0, 6.25, 6.5, 7.0, 8.0)


def window(networks: Mapping[int, int] = NETWORKS, contacts: Sequence[float] = CONTACTS) -> pd.DataFrame:
    """How often one person among n starts a cascade of more than a tenth, and how far those go."""
    rows = []
    for size, communities in networks.items():
        for z in contacts:
            overrides = {
                "community.residents": size,
                "community.network.degree": z,
                "campaign.horizon_weeks": 300,
            }
            scenario = load_scenario("limits/watts_window", overrides=overrides)
            final = np.empty((communities, STARTERS))
            for c in range(communities):
                people = np.random.default_rng((SEED, size, c)).choice(size, STARTERS, replace=False)
                final[c] = spread(scenario, people[:, None], community=c).participating[:, 0, -1] / size
            large = final > 0.1
            rows.append(
                {"residents": size, "contacts": z, "networks": communities}
                | row(large.mean(axis=1), "large", scale=100)
                | {"size_of_large": round(100 * float(final[large].mean()), 1) if large.any() else np.nan}
                | {"networks_with_one": round(100 * float(large.any(axis=1).mean()), 1)}
            )
    return pd.DataFrame(rows)


# 3 Centola and Macy, and noise

REWIRED = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
CONTAGIONS = {
    "one contact": {"behaviour.thresholds.value": 0.5, "behaviour.noise": 0},
    "two contacts": {"behaviour.noise": 0},
    "two, noise .08": {"behaviour.noise": 0.08},
    "two, noise .12": {},
    "two, noise .2": {"behaviour.noise": 0.2},
}
LAST = 1000


def rewiring(
    contagions: Sequence[str] = tuple(CONTAGIONS), rewired: Sequence[float] = REWIRED, communities: int = 32
) -> pd.DataFrame:
    """Weeks to half on a ring of four contacts each, by rewired ties, contagion and noise."""
    rows = []
    for name in contagions:
        for share in rewired:
            network = {"kind": "small_world", "degree": 4, "rewired": share}
            overrides = {"community.network": network, "campaign.horizon_weeks": LAST} | CONTAGIONS[name]
            course = curves("limits/noisy_threshold_ring", overrides, communities)[:, 0]
            there = course >= 0.5
            weeks = np.where(there.any(axis=1), there.argmax(axis=1) + 1, LAST)
            rows.append(
                {"contagion": name, "rewired": share, "networks": communities}
                | row(weeks, "to_half")
                | row(course[:, -1], "joined", scale=100)
                | {"never_half": round(100 * float((~there[:, -1]).mean()), 1)}
            )
    return pd.DataFrame(rows)


# 4 Kempe et al. and 6 Kim et al.: who starts

Sets = list[NDArray[np.int64]]
DRAWS = 4
"""Sets that are drawn a community by the rules that draw."""
EPSILON = 0.2
"""Of the rule influence: it reaches at least 1 - 1/e - .2 of the best; chosen for time."""
DISCOUNT = 0.1
"""Chance for the rule degree_discount where the world has none."""


def at_random(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """People at random."""
    return [rng.choice(village.n_residents, k, replace=False) for _ in range(DRAWS)]


def nominated(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """Whom random people name: a random tie of a random person, until there are k different ones."""
    sets = []
    for _ in range(DRAWS):
        named: dict[int, None] = {}
        while len(named) < k:
            asked = int(rng.integers(village.n_residents))
            ties = village.neighbours[village.row_start[asked] : village.row_start[asked + 1]]
            if ties.size:
                named[int(rng.choice(ties))] = None
        sets.append(np.array(list(named)))
    return sets


def first_by(score: NDArray[np.int64], k: int, rng: np.random.Generator) -> Sets:
    """The k largest; equals in random order, because neighbours have neighbouring numbers."""
    return [np.lexsort((rng.random(score.size), -score))[:k]]


def degree(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """Who has most ties."""
    return first_by(network_scores(village, "degree"), k, rng)


def bridging(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """Who lies between most others."""
    return first_by(network_scores(village, "bridging", "betweenness"), k, rng)


def distance(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """Who is nearest to everybody."""
    return first_by(network_scores(village, "distance"), k, rng)


def degree_discount(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """One after another who has most ties, those that lead to the chosen counting less."""
    chance = imagined.get("probability", DISCOUNT)
    return [choose_seeds(world, k, rule="degree_discount", community=village, probability=chance)]


def influence(world: Any, village: Community, k: int, imagined: Row, rng: np.random.Generator) -> Sets:
    """Who together reach most in the cascade that is imagined."""
    return [choose_seeds(world, k, rule="influence", community=village, epsilon=EPSILON, **imagined)]


Rule = Callable[[Any, Community, int, Row, np.random.Generator], Sets]
RULES: dict[str, Rule] = {
    "random": at_random,
    "nominated": nominated,
    "degree": degree,
    "bridging": bridging,
    "distance": distance,
    "degree_discount": degree_discount,
    "influence": influence,
}


def reached(
    scenario: Any, communities: int, k: int, imagined: Row, rules: Sequence[str], luck: int
) -> dict[str, Floats]:
    """(communities,) share that takes part in the end, by the rule that chose the k first."""
    found = {rule: np.empty(communities) for rule in rules}
    for c in range(communities):
        village = build(scenario, c)
        sets: dict[str, Sets] = {}
        for place, rule in enumerate(rules):
            rng = np.random.default_rng((SEED, c, place))
            sets[rule] = RULES[rule](scenario, village, k, imagined, rng)
        ran = spread(scenario, [one for of in sets.values() for one in of], luck=luck, community=village)
        final = ran.participating[:, :, -1].mean(axis=1) / village.n_residents
        start = 0
        for rule, of in sets.items():
            found[rule][c] = final[start : start + len(of)].mean()
            start += len(of)
    return found


def against_random(found: Mapping[str, Floats], what: Row) -> list[Row]:
    """One row a rule: what it reached, how much more than people at random, and than those with most ties."""
    rows = []
    for rule, values in found.items():
        more = values - found["random"]
        rows.append(
            what
            | {"rule": rule}
            | row(values, "joined", scale=100)
            | row(more, "more", scale=100)
            | {"more_percent": round(100 * float(more.mean() / found["random"].mean()), 1)}
            | row(values - found["degree"], "more_than_degree", scale=100)
        )
    return rows


WORLDS: dict[str, tuple[str, Row, Row, int]] = {
    "cascade .03": ("cascade.yaml", {"behaviour.tell_participant": 0.03}, {"probability": 0.03}, 16),
    "cascade .1": ("cascade.yaml", {"behaviour.tell_participant": 0.1}, {"probability": 0.1}, 16),
    "cascade .2": ("cascade.yaml", {"behaviour.tell_participant": 0.2}, {"probability": 0.2}, 16),
    "cascade .05, scale-free": (
        "cascade.yaml",
        {"community.network": {"kind": "scale_free", "ties_each": 5}, "behaviour.tell_participant": 0.05},
        {"probability": 0.05},
        16,
    ),
    "linear thresholds": ("threshold.yaml", {}, {"cascade": "linear_threshold"}, 1),
}
"""File, what is changed in it, the cascade that the rule influence imagines (that of the world), and luck."""


def seeds(
    worlds: Sequence[str] = tuple(WORLDS),
    rules: Sequence[str] = tuple(RULES),
    communities: int = 64,
    k: int = 20,
) -> pd.DataFrame:
    """Twenty of a thousand start, chosen by seven rules: how many take part in the end."""
    rows = []
    for name in worlds:
        file, overrides, imagined, luck = WORLDS[name]
        scenario = load_scenario(SCENARIOS / file, overrides=overrides)
        found = reached(scenario, communities, k, imagined, rules, luck)
        rows += against_random(found, {"world": name, "networks": communities})
    return pd.DataFrame(rows)


MAP_PRICE = 2.0
"""A resident, by default: a smaller budget buys no map."""


def paid_map() -> Row:
    """The arm `influence` of visits.yaml, with the default price of the map."""
    use = load_scenario(SCENARIOS / "visits.yaml").arms["influence"].activities[0]
    target = use.target.model_dump() | {"mapping_cost_per_person": MAP_PRICE}
    return {
        "description": "who together reach most, the map paid from the budget",
        "activities": [{"kind": use.kind, "share": 1, "target": target}],
    }


def visits(
    weights: Sequence[float] = (0.0, 0.5, 0.8),
    budgets: Sequence[float] = (0.1, 0.5, 2.0, 10.0),
    communities: int = 64,
    luck: int = 2,
) -> pd.DataFrame:
    """The whole model: what few visits gain by the end of funding, by whom they are for."""
    rows = []
    for weight in weights:
        for budget in budgets:
            overrides: Row = {"behaviour.social_weight": weight, "campaign.budget_per_resident": budget}
            if budget >= MAP_PRICE:
                overrides["arms.influence_paid"] = paid_map()
            scenario = load_scenario(SCENARIOS / "visits.yaml", overrides=overrides)
            gain = gains(scenario, "participation_fe", communities, luck)
            for rule, values in gain.items():
                rows.append(
                    {"social_weight": weight, "budget": budget, "rule": rule, "communities": communities}
                    | row(values, "gain", scale=100)
                    | row(values - gain["random"], "more", scale=100)
                )
    return pd.DataFrame(rows)


def gains(scenario: Any, outcome: str, communities: int, luck: int) -> dict[str, Floats]:
    """(communities,) outcome of every arm minus that without campaign, by arm."""
    runs = simulate(scenario, communities=communities, luck=luck).runs()
    of = {
        str(arm): table.sort_values(["community", "luck"])[outcome]
        .to_numpy(np.float64)
        .reshape(communities, luck)
        .mean(axis=1)
        for arm, table in runs.groupby("arm")
    }
    return {arm: of[arm] - of["none"] for arm in scenario.arms if arm != "none"}


HONDURAS = 180
"""Residents of a village: 5,773 in 32."""
PLACES = {
    "households": {"kind": "households", "degree": 10},
    "scale-free": {"kind": "scale_free", "ties_each": 5},
}


def honduras(
    places: Sequence[str] = tuple(PLACES),
    chances: Sequence[float] = (0.02, 0.05, 0.1, 0.2, 0.3),
    communities: int = 128,
) -> pd.DataFrame:
    """A twentieth of a village starts: named friends, people at random, or those with most ties."""
    rows = []
    for place in places:
        for chance in chances:
            overrides = {
                "community.residents": HONDURAS,
                "community.network": PLACES[place],
                "behaviour.tell_participant": chance,
            }
            scenario = load_scenario(SCENARIOS / "cascade.yaml", overrides=overrides)
            rules = ("random", "nominated", "degree")
            found = reached(scenario, communities, HONDURAS // 20, {}, rules, 16)
            rows += against_random(found, {"network": place, "chance": chance, "villages": communities})
    return pd.DataFrame(rows)


# 5 Banerjee et al.

ENDORSED = 0.5
"""J of the world with endorsement."""
SD = 0.32
"""Of thresholds, as by default."""
MEANS = (0.34, 0.36, 0.38)
TELLING = (0.005, 0.01)
APPEALS = (0.12, 0.2, 0.3, 0.4)


def banerjee_curves(overrides: Mapping[str, Any], communities: int, luck: int) -> Floats:
    """(communities, arms, weeks) share of participants without a campaign and with outreach."""
    scenario = load_scenario("limits/banerjee_information", overrides=dict(overrides))
    records = simulate(scenario, arms=["none", "outreach"], communities=communities, luck=luck)
    counts = records.counts[..., PARTICIPATING].sum(axis=2) / scenario.community.residents
    arms = [run.arm for run in records.runs_index]
    return np.stack(
        [
            by_community(counts[[k for k, arm in enumerate(arms) if arm == which]], communities)
            for which in ("none", "outreach")
        ],
        axis=1,
    )


def endorsement(
    means: Sequence[float] = MEANS,
    telling: Sequence[float] = TELLING,
    appeals: Sequence[float] = APPEALS,
    communities: int = 32,
    luck: int = 2,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Worlds without endorsement beside one with it: how far apart their curves are."""
    true = banerjee_curves({"behaviour.social_weight": ENDORSED}, communities, luck)
    rows, kept = [], {}
    for mean, tell, appeal in product(means, telling, appeals):
        overrides = {
            "behaviour.social_weight": 0,
            "behaviour.thresholds": {"kind": "truncated_normal", "mean": mean, "sd": SD},
            "behaviour.tell_participant": tell,
            "behaviour.appeal_weight": appeal,
        }
        kept[mean, tell, appeal] = banerjee_curves(overrides, communities, luck)
        apart = 100 * (kept[mean, tell, appeal].mean(axis=0) - true.mean(axis=0))
        rows.append(
            {"mean_threshold": mean, "tell_participant": tell, "appeal_weight": appeal}
            | {"communities": communities}
            | {"apart": round(float(np.sqrt((apart**2).mean())), 2)}
            | {"apart_most": round(float(np.abs(apart).max()), 2)}
        )
    table = pd.DataFrame(rows)
    best = table.loc[table["apart"].idxmin()]
    near = kept[tuple(float(best[of]) for of in ("mean_threshold", "tell_participant", "appeal_weight"))]
    between = 100 * true.std(axis=0, ddof=1).mean(axis=1)
    courses = pd.DataFrame(
        [
            {"world": world, "arm": arm, "week": week, "participate": round(100 * float(share), 3)}
            for world, of in (("J = .5", true), ("nearest with J = 0", near))
            for place, arm in enumerate(("none", "outreach"))
            for week, share in enumerate(of.mean(axis=0)[place])
        ]
    )
    table["villages_differ"] = round(float(between.mean()), 2)
    return table, courses


def company(
    weights: Sequence[float] = (0.0, 0.25, 0.5, 0.8), communities: int = 64, luck: int = 4
) -> pd.DataFrame:
    """Do participants have more participants among their contacts, within their group? Without a campaign."""
    rows = []
    for weight in weights:
        scenario = load_scenario("limits/banerjee_information", overrides={"behaviour.social_weight": weight})
        more, share = np.empty(communities), np.empty(communities)
        for c in range(communities):
            village = build(scenario, c)
            nobody = np.array([], np.int64)
            final = spread(scenario, [nobody], luck=luck, community=village).final[0].astype(np.float64)
            owner = np.repeat(np.arange(village.n_residents), np.diff(village.row_start))
            contacts = np.maximum(np.diff(village.row_start).astype(np.int64), 1)
            found = []
            for takes_part in final:
                around = np.bincount(owner, takes_part[village.neighbours], village.n_residents) / contacts
                parts = [
                    (
                        around[there & (takes_part == 1)].mean() - around[there & (takes_part == 0)].mean(),
                        takes_part[there].sum(),
                    )
                    for g in np.unique(village.group)
                    if 0 < takes_part[there := village.group == g].sum() < there.sum()
                ]
                found.append(np.average([p[0] for p in parts], weights=[p[1] for p in parts]))
            more[c], share[c] = np.mean(found), final.mean()
        rows.append(
            {"social_weight": weight, "communities": communities}
            | row(more, "more_company", scale=100)
            | row(share, "participate", scale=100)
        )
    return pd.DataFrame(rows)


# 7 Olson, Marwell and Oliver

RESULTS = {
    "free riding": ("limits/olson_free_riding", {}),
    "no weight": ("limits/olson_free_riding", {"behaviour.results_weight": 0}),
    "assurance": ("limits/marwell_oliver_assurance", {}),
}
BUDGETS = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
SIZES = {250: 64, 1_000: 32, 4_000: 8}


def results(
    kinds: Sequence[str] = tuple(RESULTS),
    budgets: Sequence[float] = BUDGETS,
    sizes: Mapping[int, int] = SIZES,
    luck: int = 2,
) -> pd.DataFrame:
    """What outreach gains where results brake, do nothing, or pull; by money, and at one budget by size."""
    rows = []
    settings = [(1_000, budget) for budget in budgets] + [(n, 20.0) for n in sizes if n != 1_000]
    for kind in kinds:
        name, overrides = RESULTS[kind]
        for n, budget in settings:
            scenario = load_scenario(
                name,
                overrides={"community.residents": n, "campaign.budget_per_resident": budget} | overrides,
            )
            communities = sizes[n]
            gain = gains(scenario, "participation_fe", communities, luck)["outreach"]
            later = gains(scenario, "participation_end", communities, luck)["outreach"]
            rows.append(
                {"results": kind, "residents": n, "budget": budget, "communities": communities}
                | row(gain, "gain", scale=100)
                | row(gain / budget, "gain_per_unit", scale=100)
                | row(later, "gain_at_the_end", scale=100)
            )
    return pd.DataFrame(rows)


# Together

TABLES = (
    "domino", "thresholds", "window", "rewiring", "seeds", "visits", "endorsement", "endorsement_curves",
    "company", "honduras", "results",
)  # fmt: skip


def measure() -> dict[str, pd.DataFrame]:
    """All tables."""
    warm_up()
    tables: dict[str, pd.DataFrame] = {}
    for name in TABLES:
        if name == "endorsement_curves":
            continue
        before = process_time()
        made = globals()[name]()
        if name == "endorsement":
            tables[name], tables["endorsement_curves"] = made
        else:
            tables[name] = made
        print(f"{name}: {process_time() - before:.0f} s", flush=True)
    return tables


TITLES = {
    "domino": "One person changed (changed: whose threshold of 0 … 99 is one higher; -1: nobody's)",
    "thresholds": "The spread of thresholds (large crowd: the lowest fixed point)",
    "window": "One person starts: cascades of more than a tenth, by contacts and residents",
    "rewiring": "Weeks until half take part, by rewired ties (1000: not within 1000)",
    "seeds": "Twenty of a thousand start: take part in the end, %, and more than at random, points",
    "visits": "The whole model: gain of a few visits at funding end, points, by J, budget and rule",
    "endorsement": "Worlds with J = 0 beside one with J = .5: distance of the mean curves, points",
    "endorsement_curves": "",
    "company": "Share of participating contacts: participants minus others of their group, points",
    "honduras": "A twentieth of a village of 180 starts, one try a tie",
    "results": "Gain of outreach at funding end, points, by what results do",
}


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words."""
    parts = [
        "# Result",
        "Written by `python experiments/classic_findings/run.py`. Means over communities (networks, crowds, "
        "villages: so many as the column says), 95 % intervals over them, pointwise.",
    ]
    for name, title in TITLES.items():
        if title:
            parts.append(f"## {title}\n\n{lines(tables[name])}")
    return "\n\n".join(parts) + "\n"


def lines(table: pd.DataFrame) -> str:
    """A table in words: an estimate and its limits are one column."""
    shown = [name for name in table.columns if not name.endswith(("_low", "_high"))]
    rows = [
        [
            with_limits(of, name.removesuffix("estimate")) if name.endswith("_estimate") else word(of[name])
            for name in shown
        ]
        for _, of in table.iterrows()
    ]
    return markdown([name.removesuffix("_estimate").replace("_", " ") for name in shown], rows)


def word(value: Any) -> str:
    """A cell in words."""
    if isinstance(value, float):
        return number(value, 2) if np.isnan(value) else f"{value:g}"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written."""
    return pd.read_csv(path)


# Pictures

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#5A5A5A", "#E69F00")
MARKERS = "os^Dvx"


def panels(count: int, width: float = 9.0, height: float = 3.0, **how: Any) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    found = np.atleast_1d(figure.subplots(1, count, **how)).tolist()
    for axes in found:
        axes.tick_params(labelsize=7)
    return figure, found


def course(axes: Axes, of: pd.DataFrame, x: str, y: str, place: int, label: str, **how: Any) -> None:
    """A line with 95 % limits."""
    middle = of[f"{y}_estimate"]
    off = [middle - of[f"{y}_low"], of[f"{y}_high"] - middle]
    axes.errorbar(
        of[x], middle, yerr=off, color=COLOURS[place], marker=MARKERS[place], markersize=4, linewidth=1,
        elinewidth=0.8, label=label, **how,
    )  # fmt: skip


def legend(figure: Figure, axes: Axes, columns: int) -> None:
    """One legend for all panels, above them."""
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=7, ncols=columns, loc="outside upper right"
    )


def titled(axes: Axes, title: str, x: str, y: str = "") -> None:
    axes.set_title(title, fontsize=8, loc="left")
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)


def thresholds_picture(table: pd.DataFrame) -> Figure:
    """Where crowds end, and how many tip, over the spread of thresholds."""
    figure, (left, right) = panels(2)
    fine = np.linspace(0.05, 0.3, 200)
    left.plot(fine, [100 * fixed_point(sd) for sd in fine], color="black", linewidth=0.8, label="large crowd")
    for place, (size, of) in enumerate(table.groupby("residents")):
        course(left, of, "sd", "joined", place, f"{size:,} people")
        course(right, of, "sd", "most", place, f"{size:,} people")
    titled(left, "mean of all crowds", "standard deviation of thresholds (mean .25)", "join, %")
    titled(right, "crowds in which more than half join", "standard deviation of thresholds", "%")
    legend(figure, left, 4)
    return figure


def edges_of_window(most: int = 5) -> list[float]:
    """Where one person can start a cascade on a large random network, with one of five contacts enough."""
    k = np.arange(2, most + 1)

    def excess(z: float) -> float:
        return float(np.sum(k * (k - 1) * poisson.pmf(k, z)) - z)

    return [float(brentq(excess, 0.9, 2.0)), float(brentq(excess, 4.0, 8.0))]


def window_picture(table: pd.DataFrame) -> Figure:
    """How often cascades are large, over the number of contacts."""
    figure, (left, right) = panels(2)
    for place, (size, of) in enumerate(table.groupby("residents")):
        course(left, of, "contacts", "large", place, f"{size:,} residents")
        right.plot(
            of["contacts"], of["networks_with_one"], color=COLOURS[place], marker=MARKERS[place],
            markersize=4, linewidth=1,
        )  # fmt: skip
    for axes in (left, right):
        for edge in edges_of_window():
            axes.axvline(edge, color="black", linewidth=0.8, linestyle=":")
        axes.set_ylim(-3, 103)
    titled(left, "starters with a cascade of more than a tenth", "mean number of contacts", "%")
    titled(right, "networks with such a starter among 25", "mean number of contacts")
    legend(figure, left, 3)
    return figure


def rewiring_picture(table: pd.DataFrame) -> Figure:
    """Weeks to half, and who joins, over the share of rewired ties."""
    figure, (left, right) = panels(2)
    words = [f"{share:g}" for share in dict.fromkeys(table["rewired"])]
    for place, (name, of) in enumerate(table.groupby("contagion", sort=False)):
        of = of.assign(place=range(len(of)))
        course(left, of, "place", "to_half", place, str(name))
        course(right, of, "place", "joined", place, str(name))
    left.set_yscale("log")
    left.set_yticks([10, 100, 1000], ["10", "100", "1000"])
    for axes in (left, right):
        axes.set_xticks(range(len(words)), words)
    titled(left, "weeks to half (1000: not within 1000)", "share of ties rewired", "weeks")
    titled(right, "joined within 1000 weeks", "share of ties rewired", "%")
    legend(figure, left, 5)
    return figure


def seeds_picture(table: pd.DataFrame, visited: pd.DataFrame) -> Figure:
    """Each rule minus people at random: in cascades, and in the whole model."""
    worlds, weights = list(dict.fromkeys(table["world"])), list(dict.fromkeys(visited["social_weight"]))
    figure, axes = panels(len(worlds) + len(weights), width=11.0, height=2.8)
    for place, world in enumerate(worlds):
        of = table[(table["world"] == world) & (table["rule"] != "random")]
        rule_bars(axes[place], of)
        titled(axes[place], world.replace(", ", ",\n"), "points")
    budget = 0.5
    for place, weight in enumerate(weights, len(worlds)):
        of = visited[(visited["social_weight"] == weight) & (visited["budget"] == budget)]
        rule_bars(axes[place], of[of["rule"] != "random"])
        titled(axes[place], f"whole model,\nJ {weight:g}, {budget:g} a resident", "points")
    for other in axes[1:]:
        other.set_yticklabels([])
    return figure


def rule_bars(axes: Axes, of: pd.DataFrame) -> None:
    """Rules under each other, their difference from random with limits."""
    order = [rule for rule in RULES if rule != "random"]
    for place, rule in enumerate(order):
        one = of[of["rule"] == rule]
        if len(one):
            middle = one["more_estimate"]
            axes.errorbar(
                middle, [place], xerr=[middle - one["more_low"], one["more_high"] - middle], marker="o",
                color=COLOURS[place], markersize=5,
            )  # fmt: skip
    axes.axvline(0, color="#5A5A5A", linewidth=0.8)
    axes.set_yticks(range(len(order)), order, fontsize=8)
    axes.set_ylim(len(order) - 0.5, -0.5)


def endorsement_picture(curve: pd.DataFrame, together: pd.DataFrame) -> Figure:
    """Two worlds with nearly the same curves, and what tells them apart."""
    figure, (left, right) = panels(2)
    for place, (world, of) in enumerate(curve.groupby("world", sort=False)):
        for arm, part in of.groupby("arm"):
            left.plot(
                part["week"], part["participate"], color=COLOURS[place], linewidth=1.2,
                linestyle="-" if arm == "outreach" else "--", label=f"{world}, {arm}",
            )  # fmt: skip
    left.set_ylim(0, None)
    left.legend(frameon=False, fontsize=7)
    titled(left, "the curve", "week", "take part, %")
    course(right, together, "social_weight", "more_company", 4, "without a campaign")
    right.set_ylim(0, None)
    titled(right, "participating contacts: participants minus others", "J, the weight of contacts", "points")
    return figure


TRIAL = {"nominated": (12.2, 6.9, 17.9), "degree": (-7.9, None, None)}
"""Percent more tickets redeemed than with random villagers: published; 61.0 against 66.2."""


def honduras_picture(table: pd.DataFrame) -> Figure:
    """Percent more than with people at random, over the chance that a tie tells; the trial beside it."""
    figure, axes = panels(2, sharey=True)
    for axis, (place, of) in zip(axes, table.groupby("network", sort=False), strict=True):
        for mark, (rule, (value, low, high)) in enumerate(TRIAL.items()):
            part = of[of["rule"] == rule]
            axis.plot(
                part["chance"], part["more_percent"], color=COLOURS[mark], marker=MARKERS[mark], markersize=4,
                linewidth=1, label=f"mobsim, {rule}",
            )  # fmt: skip
            axis.axhline(value, color=COLOURS[mark], linewidth=0.8, linestyle="--", label=f"trial, {rule}")
            if low is not None and high is not None:
                axis.axhspan(low, high, color=COLOURS[mark], alpha=0.12, linewidth=0)
        axis.axhline(0, color="#5A5A5A", linewidth=0.8)
        titled(axis, str(place), "chance that a tie tells")
    axes[0].set_ylabel("more than with people at random, %", fontsize=8)
    legend(figure, axes[0], 4)
    return figure


def results_picture(table: pd.DataFrame) -> Figure:
    """Gain and gain per unit of money over the budget, by what results do."""
    figure, (left, right) = panels(2)
    for place, (kind, of) in enumerate(table[table["residents"] == 1_000].groupby("results", sort=False)):
        course(left, of, "budget", "gain", place, str(kind))
        course(right, of, "budget", "gain_per_unit", place, str(kind))
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(list(BUDGETS), [f"{budget:g}" for budget in BUDGETS])
        axes.minorticks_off()
        axes.set_ylim(0, None)
    titled(left, "gain of outreach at funding end", "budget a resident", "points")
    titled(right, "the same for each unit a resident", "budget a resident")
    legend(figure, left, 3)
    return figure


def main() -> None:
    for name, table in measure().items():
        write(table, HERE / f"{name}.csv")
    tell()


def tell() -> None:
    """Write the figures and result.md from the tables as they lie here."""
    tables = {name: read_table(HERE / f"{name}.csv") for name in TABLES}
    pictures = {
        "thresholds": thresholds_picture(tables["thresholds"]),
        "window": window_picture(tables["window"]),
        "rewiring": rewiring_picture(tables["rewiring"]),
        "seeds": seeds_picture(tables["seeds"], tables["visits"]),
        "endorsement": endorsement_picture(tables["endorsement_curves"], tables["company"]),
        "honduras": honduras_picture(tables["honduras"]),
        "results": results_picture(tables["results"]),
    }
    for name, figure in pictures.items():
        (HERE / f"{name}.svg").write_bytes(as_svg(figure))
    (HERE / "result.md").write_text(result(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
