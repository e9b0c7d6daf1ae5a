"""Run the study of family planning in Korean villages again: tables, figures, result.md.

Run: python experiments/korean_family_planning/run.py [--data FOLDER] [--workers 1] [--results results]

The survey is read from --data, or from the folder that MOBSIM_VALIDATION_DATA names; nothing of it is kept
but tables of aggregates. Needs pip install "mobsim[calibration,diffusion]". The same numbers come out every
time. Takes about five minutes of processor time, most of them for calibrations.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from korean_models import (  # noqa: E402
    BASELINES,
    FOLDS,
    MODELS,
    OWN_START,
    Fitted,
    against,
    factors_of,
    fit,
    scores_of,
    write_worlds,
)
from korean_survey import (  # noqa: E402
    BACKGROUND,
    CATEGORIES,
    CHANNELS,
    NEVER,
    YEAR_BEFORE,
    Survey,
    agreeing_pairs,
    contacts_before,
    first_methods,
    folder_of_data,
    read_survey,
    shuffled,
    turned,
)
from swept_study import TOP, bullets, markdown, number, write  # noqa: E402

from mobsim.analysis.calibration.outcome import verdict_of  # noqa: E402
from mobsim.analysis.diffusion.adopters import (  # noqa: E402
    adoption_by_period,
    categories_table,
    curves_by_community,
    saturation_by_community,
)
from mobsim.analysis.diffusion.data import ObservedDiffusion  # noqa: E402
from mobsim.analysis.diffusion.exposure import exposure, thresholds  # noqa: E402
from mobsim.analysis.diffusion.hazard import exposure_effects  # noqa: E402
from mobsim.analysis.diffusion.moran import moran_by_period  # noqa: E402
from mobsim.plots import as_svg  # noqa: E402

TABLES = (
    "facts", "classification", "years", "programme", "contacts", "effects", "scores", "factors", "sentences"
)  # fmt: skip
PERMUTATIONS = 99
NAMED_BY = "named_by"
MORE_IDS = {"right": "right ids", "published": "published ids"}


# What is in the survey


def facts_of(survey: Survey, folder: Path) -> pd.DataFrame:
    """Single numbers of the survey and its two ways of joining times to ties."""
    data, women = survey.diffusion, survey.women
    villages = saturation_by_community(data)
    first = first_methods(survey)
    begun = women.set_index("woman")["toa"].reindex(first.index)
    adopters = begun < NEVER
    facts: dict[str, float] = {
        "women": data.n_people,
        "villages": len(data.communities),
        "ties": data.n_ties,
        "nominations": data.value.sum(),
        "adopted": data.adopted.sum(),
        "highest_saturation": villages["saturation"].max(),
        "lowest_saturation": villages["saturation"].min(),
        "second_lowest_saturation": villages["saturation"].nsmallest(2).iloc[1],
        "mean_period_of_half": villages["periods_to_share"].mean(),
        "villages_with_half": villages["periods_to_share"].notna().sum(),
        "pairs_by_right_id": agreeing_pairs(survey, folder, "woman"),
        "pairs_by_published_id": agreeing_pairs(survey, folder, "id"),
        "rows_in_another_village": (women["id"] // 1000 != women["village"]).sum(),
        "adopters_with_method_spells": adopters.sum(),
        "method_in_year_of_time": (begun[adopters] + YEAR_BEFORE == first[adopters]).sum(),
        "method_in_year_of_label": (begun[adopters] + 1962 == first[adopters]).sum(),
        "had_heard": (women["planning"] == 2).sum(),
        "women_with_history": survey.spells["woman"].nunique(),
    }
    return pd.DataFrame({"fact": list(facts), "value": [round(float(v), 4) for v in facts.values()]})


def as_printed(survey: Survey, ids: str) -> ObservedDiffusion:
    """Return the data as the published table has them: who had not adopted adopts in an 11th period."""
    from dataclasses import replace

    data = {"right": survey.diffusion, "published": survey.published}[ids]
    n = data.n_people
    time = np.where(data.time == 0, NEVER, data.time)
    return replace(data, time=time, last_seen=np.full(n, NEVER), n_periods=NEVER)


def classification_of(survey: Survey) -> pd.DataFrame:
    """The published table of adopters by thresholds, in percent of women, by both ids."""
    parts = []
    for ids in MORE_IDS:
        data = as_printed(survey, ids)
        table = categories_table(data, thresholds(data)).round(2).reset_index()
        table.insert(0, "ids", ids)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def years_of(survey: Survey) -> pd.DataFrame:
    """One row a year: adopters, hazard, and whether women who are tied are alike in having adopted."""
    table = adoption_by_period(survey.diffusion)[
        ["period", "adopters", "cumulative", "at_risk", "hazard", "low", "high"]
    ]
    table.insert(0, "year", table["period"] + YEAR_BEFORE)
    for ids, data in (("right", survey.diffusion), ("published", survey.published)):
        found = moran_by_period(data, steps=1, within="community", permutations=PERMUTATIONS)
        table[f"moran_{ids}"], table[f"moran_p_{ids}"] = found["moran"], found["permuted_p"]
        table[f"moran_mean_{ids}"] = found["permuted_mean"]
    return table.round(4)


def programme_of(survey: Survey) -> pd.DataFrame:
    """One row a channel and category: who ever heard of family planning there, and who monthly or more."""
    women = survey.women
    heard = {name: (women[column], 1, 3) for column, name in CHANNELS.items()}
    member = (women["club2"] == 1).astype(float).where(women["club2"].notna())
    heard["member of a mothers' or women's club"] = (member, 1, 1)
    rows = []
    for name, (answers, ever, often) in heard.items():
        for place, category in enumerate(CATEGORIES):
            given = answers[survey.category == place].dropna()
            rows.append(
                {
                    "channel": name,
                    "category": category,
                    "women": len(given),
                    "ever_percent": round(100 * float((given >= ever).mean()), 1),
                    "often_percent": round(100 * float((given >= often).mean()), 1),
                }
            )
    return pd.DataFrame(rows)


def contacts_of(survey: Survey) -> pd.DataFrame:
    """Contacts with the service by category, in spells that ended before adoption and those afterwards."""
    year = survey.women.set_index("woman")["toa"].where(lambda toa: toa < NEVER) + YEAR_BEFORE
    category = pd.Series(survey.category, index=survey.women["woman"])
    spells = survey.spells.dropna(subset=["contact"])
    adopted = spells["woman"].map(year)
    when = np.where(
        adopted.isna() | (spells["end"] < adopted),
        "before",
        np.where(spells["year"] > adopted, "after", "around"),
    )
    spells = spells.assign(when=when, category=spells["woman"].map(category))
    rows = []
    for place, name in enumerate(CATEGORIES):
        for moment in ("before", "around", "after"):
            part = spells[(spells["category"] == place) & (spells["when"] == moment)]
            if len(part):
                rows.append(
                    {
                        "category": name,
                        "spells": len(part),
                        "women": part["woman"].nunique(),
                        "when": moment,
                        "worker_came_percent": round(100 * float(part["contact"].isin((2, 3)).mean()), 1),
                        "she_went_percent": round(100 * float(part["contact"].isin((1, 3)).mean()), 1),
                    }
                )
    return pd.DataFrame(rows)


# Exposure


def asked_effects(survey: Survey) -> Iterator[tuple[str, ObservedDiffusion, dict[str, Any]]]:
    """Yield what is estimated: name, data, options."""
    data = survey.diffusion
    background = {"covariates": [*BACKGROUND, "age_squared"]}
    own = {"community_effects": True}
    namers = exposure(turned(data), lag=1)
    namers[:, 0] = 0.0
    yield "exposure alone", data, {}
    yield "with background", data, background
    yield "with a level for each village", data, own
    yield "with background and villages", data, {**background, **own}
    yield "with contacts with the service before", data, {
        **background, **own, "over_time": contacts_before(survey)
    }  # fmt: skip
    yield "with women who name her unreturned", data, {**background, **own, "over_time": {NAMED_BY: namers}}
    yield "ties by their value", data, {**background, **own, "valued": True}
    yield "two years before", data, {**background, **own, "lag": 2}
    yield "in the same year", data, {**background, **own, "lag": 0}
    yield "published ids", survey.published, {}


def effects_of(survey: Survey) -> tuple[pd.DataFrame, list[str]]:
    """One row a model and what it says of exposure, contacts and namers; what readers have to know."""
    shown = ("exposure", NAMED_BY, "field_worker_came", "she_went")
    rows, said = [], []
    for name, data, options in asked_effects(survey):
        found = exposure_effects(data, **options)
        for row in found.table[found.table["name"].isin(shown)].to_dict("records"):
            rows.append(
                {
                    "model": name,
                    "of": row["name"],
                    "estimate": row["odds_ratio"],
                    "low": row["odds_low"],
                    "high": row["odds_high"],
                    "p": row["p"],
                    "coefficient": row["coefficient"],
                    "marginal": row["marginal"],
                    "marginal_error": row["marginal_error"],
                    "rows": found.n_rows,
                    "events": found.n_events,
                    "people": found.n_people,
                }
            )
        said += [
            f"{name}: {note}." for note in found.notes if name == "exposure alone" or "separation" in note
        ]
    return pd.DataFrame(rows).round(4), said


def shuffles_of(survey: Survey) -> dict[str, float]:
    """Return the log odds of exposure in villages whose women were put in another order, keyed."""
    found = [
        exposure_effects(shuffled(survey.diffusion, k), clusters=None).exposure["coefficient"]
        for k in range(PERMUTATIONS)
    ]
    own = exposure_effects(survey.diffusion, clusters=None).exposure["coefficient"]
    return {
        "shuffles": PERMUTATIONS,
        "shuffled_mean": float(np.mean(found)),
        "shuffled_sd": float(np.std(found, ddof=1)),
        "shuffled_highest": float(np.max(found)),
        "shuffled_p": (1 + sum(value >= own for value in found)) / (1 + PERMUTATIONS),
        "coefficient": own,
    }


# Villages held out


def starts_of(survey: Survey) -> dict[str, float]:
    """Return the share that had adopted in the first year, by the name of the village's files."""
    curves = curves_by_community(survey.diffusion)
    first = curves[curves["period"] == 1]
    return {
        f"village_{label:0>2}": float(share)
        for label, share in zip(first["community"], first["share"], strict=True)
    }


def sentences_of(fitted: Fitted) -> list[dict[str, object]]:
    """Return the verdict and the warnings of a calibration."""
    said = [verdict_of(fitted.found), *(f"{warning}." for warning in fitted.found.identification.warnings)]
    return [{"about": f"{fitted.model} {fitted.fold}", "sentence": sentence} for sentence in said]


def measure(
    survey: Survey, folder: Path, options: argparse.Namespace
) -> tuple[dict[str, pd.DataFrame], Fitted]:
    """All tables, and the declared fit."""
    effects, said = effects_of(survey)
    more = pd.DataFrame(
        [{"fact": key, "value": round(value, 4)} for key, value in shuffles_of(survey).items()]
    )
    print("calibrations ...", flush=True)
    results = options.results / HERE.name
    villages = write_worlds(survey.diffusion, results / "villages")
    starts = starts_of(survey)
    fits = [fit(model, fold, villages, results, options.workers) for fold in FOLDS for model in MODELS]
    sentences = [{"about": "effects", "sentence": sentence} for sentence in said]
    for fitted in fits:
        sentences += sentences_of(fitted)
    tables = {
        "facts": pd.concat([facts_of(survey, folder), more], ignore_index=True),
        "classification": classification_of(survey),
        "years": years_of(survey),
        "programme": programme_of(survey),
        "contacts": contacts_of(survey),
        "effects": effects,
        "scores": pd.concat([scores_of(fitted, starts) for fitted in fits], ignore_index=True).round(3),
        "factors": pd.concat([factors_of(fitted) for fitted in fits], ignore_index=True).round(4),
        "sentences": pd.DataFrame(sentences),
    }
    return tables, fits[0]


# Words


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written."""
    return pd.read_csv(path)


def value_of(tables: Mapping[str, pd.DataFrame], fact: str) -> float:
    """One of the single numbers."""
    facts = tables["facts"].set_index("fact")["value"]
    return float(facts[fact])


def survey_words(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """What is in the survey, and which id is right."""

    def count(fact: str) -> str:
        return f"{value_of(tables, fact):,.0f}"

    half = number(value_of(tables, "mean_period_of_half"))
    return [
        f"{count('women')} women in {count('villages')} villages, {count('ties')} ties from "
        f"{count('nominations')} nominations; {count('adopted')} adopted by 1973, {count('had_heard')} had "
        "heard of family planning.",
        f"Saturation is highest with {number(value_of(tables, 'highest_saturation'), 3)}, lowest with "
        f"{number(value_of(tables, 'lowest_saturation'), 3)} and then "
        f"{number(value_of(tables, 'second_lowest_saturation'), 3)} (published: .83 and .44).",
        f"{count('villages_with_half')} villages reached a half, on average in year {half} (published: 7).",
        f"Ids: by village·1000 + respondent {count('pairs_by_right_id')} of {count('ties')} published ties "
        "are, with their values, the nominations in the women's own rows; with the column `id`, "
        f"{count('pairs_by_published_id')} are. By that column {count('rows_in_another_village')} of "
        f"{count('women')} women would live in another village than their row says.",
        f"Of {count('adopters_with_method_spells')} adopters whose history has a spell with a method, "
        f"{count('method_in_year_of_time')} began the first in the year 1963 + time of adoption, "
        f"{count('method_in_year_of_label')} in 1962 + time, as the label says.",
        f"{count('women_with_history')} women have a history of spells before the present one.",
    ]


def classification_lines(tables: Mapping[str, pd.DataFrame], ids: str) -> str:
    """Adopters by thresholds, in percent of women."""
    table = tables["classification"]
    part = table[table["ids"] == ids].drop(columns="ids")
    rows = [(row[0], *(f"{cell:.2f}" for cell in row[1:])) for row in part.itertuples(index=False)]
    return markdown(part.columns, rows)


def year_lines(tables: Mapping[str, pd.DataFrame]) -> str:
    """Years."""
    rows = [
        (
            int(row["year"]),
            int(row["adopters"]),
            int(row["at_risk"]),
            f"{row['hazard']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            *(
                f"{row[f'moran_{ids}']:.3f} (by chance {row[f'moran_mean_{ids}']:.3f}; "
                f"p {row[f'moran_p_{ids}']:.3f})"
                for ids in MORE_IDS
            ),
        )
        for _, row in tables["years"].iterrows()
    ]
    header = (
        "year",
        "adopters",
        "could still",
        "hazard (95 %)",
        *(f"Moran's I, {word}" for word in MORE_IDS.values()),
    )
    return markdown(header, rows)


def programme_lines(tables: Mapping[str, pd.DataFrame]) -> str:
    """Channels by category."""
    table = tables["programme"]
    rows = []
    for channel in table["channel"].unique():
        part = table[table["channel"] == channel]
        rows.append(
            (
                channel,
                *(f"{row['ever_percent']:.1f} / {row['often_percent']:.1f}" for _, row in part.iterrows()),
            )
        )
    return markdown(("ever / monthly or more, %", *CATEGORIES), rows)


def contact_lines(tables: Mapping[str, pd.DataFrame]) -> str:
    """Contacts by category and moment."""
    rows = [
        (
            row["category"], row["when"], f"{row['spells']:,}", f"{row['worker_came_percent']:.1f}",
            f"{row['she_went_percent']:.1f}",
        )
        for _, row in tables["contacts"].iterrows()
    ]  # fmt: skip
    return markdown(("category", "spells that ended before, lay around, began after adoption", "spells",
                     "a worker came, %", "she went, %"), rows)  # fmt: skip


def effect_lines(tables: Mapping[str, pd.DataFrame]) -> str:
    """Effects."""
    rows = [
        (
            row["model"],
            row["of"].replace("_", " "),
            f"{row['estimate']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
            f"{row['p']:.3f}" if row["p"] >= 0.0005 else "below .001",
            f"{row['marginal']:.3f} ({row['marginal_error']:.3f})",
            f"{row['events']:,.0f} of {row['rows']:,.0f}",
        )
        for _, row in tables["effects"].iterrows()
    ]
    header = ("model", "of", "odds ratio (95 %)", "p", "average marginal effect (error)", "adoptions of rows")
    return markdown(header, rows)


def held_out(tables: Mapping[str, pd.DataFrame], folds: tuple[int, ...]) -> pd.DataFrame:
    """Scores of villages that the fit did not see."""
    scores = tables["scores"]
    return scores[(scores["part"] == "held out") & scores["fold"].isin(folds)]


def score_lines(tables: Mapping[str, pd.DataFrame]) -> str:
    """Scores of all forecasters."""
    scores = tables["scores"]
    declared, turned_round = held_out(tables, FOLDS[:1]), held_out(tables, FOLDS)
    seen = scores[(scores["part"] == "fitted") & (scores["fold"] == FOLDS[0])]
    rows = []
    for name in (*MODELS, *BASELINES, OWN_START):
        cells = [part[part["forecaster"] == name] for part in (seen, declared, turned_round)]
        rows.append(
            (
                f"model: {name}" if name in MODELS else name,
                *(number(part["crps"].mean()) for part in cells),
                number(cells[2]["inside"].mean(), 1),
            )
        )
    header = (
        "forecaster",
        "CRPS, fitted villages",
        "held out",
        "held out, all in turn",
        "inside 80 %, all in turn",
    )
    return markdown(header, rows)


def comparisons(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Differences of scores between forecasters, over villages."""
    pairs = [("ties", other) for other in ("nobody", "mixing", *BASELINES, OWN_START)]
    pairs += [("mixing", "nobody"), ("mixing", OWN_START)]
    said = []
    for one, other in pairs:
        parts = []
        for folds, words in ((FOLDS[:1], "declared villages"), (FOLDS, "all in turn")):
            found = against(held_out(tables, folds), one, other)
            limits = " to ".join(number(found[end]) for end in ("low", "high"))
            parts.append(f"{words} {number(found['estimate'])} ({limits})")
        said.append(f"{one} minus {other}: {'; '.join(parts)}.")
    return said


def factor_lines(tables: Mapping[str, pd.DataFrame]) -> str:
    """Fitted values."""
    rows = [
        (
            row["model"], FOLDS.index(int(row["fold"])) + 1, row["factor"], f"{row['estimate']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}", "yes" if row["identified"] else "no",
        )
        for _, row in tables["factors"].iterrows()
    ]  # fmt: skip
    return markdown(("model", "split", "factor", "best", "fit as well", "identified"), rows)


def result(tables: Mapping[str, pd.DataFrame]) -> str:
    """All tables in words."""
    said = tables["sentences"]
    shuffles = [value_of(tables, f"shuffled_{name}") for name in ("mean", "sd", "highest")]
    parts = [
        "# Result",
        "Written by `python experiments/korean_family_planning/run.py`.",
        "## The survey",
        bullets(survey_words(tables)),
        "## Adopters by thresholds, percent of women, who had not adopted counted in an 11th year",
        "By the column `id`, as published:",
        classification_lines(tables, "published"),
        "By the right ids:",
        classification_lines(tables, "right"),
        "## Years",
        year_lines(tables),
        "## The programme, as recalled in 1973",
        programme_lines(tables),
        contact_lines(tables),
        "## Exposure and adoption in the next year",
        effect_lines(tables),
        bullets(
            [
                *said[said["about"] == "effects"]["sentence"],
                f"Log odds of exposure: {number(value_of(tables, 'coefficient'))}. In {PERMUTATIONS} "
                f"shuffles of women within their villages: mean {number(shuffles[0])}, standard deviation "
                f"{number(shuffles[1])}, highest {number(shuffles[2])}; p "
                f"{number(value_of(tables, 'shuffled_p'), 3)}.",
            ]
        ),
        "## Villages held out",
        "Points of CRPS (100 times a share), means over villages; less is better.",
        score_lines(tables),
        bullets(comparisons(tables)),
        factor_lines(tables),
        bullets(
            f"{about.split()[0]}, split {FOLDS.index(int(about.split()[1])) + 1}: {sentence}"
            for about, sentence in said[said["about"] != "effects"].itertuples(index=False)
        ),
    ]
    return "\n\n".join(parts) + "\n"


# Figures


def curves_picture(fitted: Fitted) -> Figure:
    """The villages that were held out: what was observed, what is predicted, and the mean of the others."""
    table = fitted.found.fit
    table = table[table["held_out"]]
    names = table["community"].unique()
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    panels = figure.subplots(2, (len(names) + 1) // 2, sharex=True, sharey=True).ravel()
    for axes, name in zip(panels, names, strict=False):
        part = table[table["community"] == name]
        year = part["week"] + YEAR_BEFORE + 2
        axes.fill_between(
            year, part["low"], part["high"], color="#0072B2", alpha=0.25, linewidth=0, label="model, 80 %"
        )
        axes.plot(year, part["predicted"], color="#0072B2", label="model, mean")
        axes.plot(year, part["mean"], color="#D55E00", linestyle="--", label="mean of fitted villages")
        axes.plot(year, part["value"], "o", color="#222222", markersize=3, label="observed")
        axes.set_title(name.replace("_", " "), fontsize=8, loc="left")
        axes.tick_params(labelsize=7)
        axes.set_ylim(0, 1)
    figure.supylabel("share that has adopted", fontsize=8)
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, frameon=False, fontsize=7, ncols=4, loc="outside upper right")
    return figure


def effects_picture(effects: pd.DataFrame) -> Figure:
    """Odds ratios of exposure in all models."""
    part = effects[effects["of"].isin(("exposure", NAMED_BY))].iloc[::-1]
    figure = Figure(figsize=(7.0, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color="#5A5A5A", linewidth=0.8)
    for place, (_, row) in enumerate(part.iterrows()):
        colour = {"exposure": "#0072B2"}.get(row["of"], "#D55E00")
        axes.plot([row["low"], row["high"]], [place, place], color=colour)
        axes.plot(row["estimate"], place, "o", color=colour, markersize=4)
    words = [row["model"] + (": her namers" if row["of"] == NAMED_BY else "") for _, row in part.iterrows()]
    axes.set_yticks(range(len(part)), words)
    axes.set_xscale("log")
    axes.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    axes.minorticks_off()
    axes.tick_params(labelsize=7)
    axes.set_xlabel("odds ratio of adopting in a year, all named women against none (95 %)", fontsize=8)
    return figure


def programme_picture(programme: pd.DataFrame) -> Figure:
    """Who recalled hearing of family planning where, by category."""
    figure = Figure(figsize=(7.0, 3.8), layout="constrained")
    axes = figure.subplots()
    channels = list(programme["channel"].unique())[::-1]
    styles = dict(
        zip(CATEGORIES, (("#0072B2", "o"), ("#009E73", "s"), ("#E69F00", "^"), ("#D55E00", "x")), strict=True)
    )
    for category, (colour, marker) in styles.items():
        part = programme[programme["category"] == category].set_index("channel").loc[channels]
        axes.plot(
            part["ever_percent"], range(len(channels)), marker, color=colour, markersize=4, label=category
        )
    axes.set_yticks(range(len(channels)), channels)
    axes.tick_params(labelsize=7)
    axes.set_xlim(0, 100)
    axes.set_xlabel(
        "percent who recalled ever hearing of it there (clubs: members)",
        fontsize=8,
    )
    figure.legend(frameon=False, fontsize=7, ncols=4, loc="outside upper right")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the survey; default: MOBSIM_VALIDATION_DATA")
    parser.add_argument("--workers", type=int, help="threads; default: one a processor")
    parser.add_argument(
        "--results", default=TOP / "results", type=Path, help="folder of searches and villages"
    )
    options = parser.parse_args()
    folder = folder_of_data(options.data)
    found, declared = measure(read_survey(folder), folder, options)
    for name, table in found.items():
        write(table, HERE / f"{name}.csv")
    tables = {name: read_table(HERE / f"{name}.csv") for name in TABLES}
    (HERE / "curves.svg").write_bytes(as_svg(curves_picture(declared)))
    (HERE / "effects.svg").write_bytes(as_svg(effects_picture(tables["effects"])))
    (HERE / "programme.svg").write_bytes(as_svg(programme_picture(tables["programme"])))
    (HERE / "result.md").write_text(result(tables), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
