"""The survey: its files, the women's ids put right, and what is recalled of media, meetings and contacts."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mobsim.analysis.diffusion.data import ObservedDiffusion, read_diffusion

DATA = "data/netdiffuseR"
FULL, EDGES = "kfamily_nodes_full.csv.gz", "kfamily_edges.csv"

NEVER = 11
"""The time of adoption of women who had not adopted when they were asked."""

YEAR_BEFORE = 1963
"""Period 1 is 1964: the year in which women of time 1 began with a method by their own histories."""

BACKGROUND = ("age", "married_at", "wife_schooling", "husband_schooling")
"""What was there before, and cannot follow from adoption; age also squared."""

CATEGORIES = ("adopted 1964 to 1966", "adopted 1967 to 1970", "adopted 1971 to 1973", "not by 1973")

CHANNELS = {
    "media6": "radio",
    "media7": "television",
    "media8": "daily paper",
    "media9": "the journal Happy Home",
    "media10": "other magazine",
    "media11": "film or slides",
    "media12": "poster",
    "media13": "pamphlet",
    "media14": "meeting",
    "media15": "public lecture",
    "media16": "mobile van",
    "media17": "neighbours",
    "media18": "visit of a field worker",
    "media19": "husband",
}
"""How often family planning was heard of there, as recalled in 1973: 0 never to 4 weekly."""

METHODS = (3, 4, 5, 6, 14, 15, 16, 17, 18, 19, 20, 21)
"""Codes of spells in which a method was used."""


class NoData(SystemExit):
    """The survey is not there."""


@dataclass(frozen=True, eq=False)
class Survey:
    """The survey.

    women : one row a woman, in the order of the files, with the right id in the column `woman`.
    diffusion : times of adoption and ties by right ids.
    published : the same with the column `id` of the table, as published packages have it.
    spells : one row for each spell of a woman's history: woman, number, year, months, status, contact (0
        none, 1 she went, 2 a field worker came, 3 both), end (the year in which the next one began).
    """

    women: pd.DataFrame
    diffusion: ObservedDiffusion
    published: ObservedDiffusion
    spells: pd.DataFrame

    @property
    def category(self) -> npt.NDArray[np.int64]:
        """(women,) place in CATEGORIES."""
        return np.searchsorted([3, 7, 10], self.women["toa"].to_numpy(np.int64), side="left")


def folder_of_data(given: Path | None = None) -> Path:
    """Return the folder of the survey, or say in one sentence that it is not there."""
    said = given or (
        Path(os.environ["MOBSIM_VALIDATION_DATA"]) if "MOBSIM_VALIDATION_DATA" in os.environ else None
    )
    if said is None or not all((said / DATA / name).exists() for name in (FULL, EDGES)):
        where = f"{said} does not hold it" if said else "MOBSIM_VALIDATION_DATA names no folder"
        raise NoData(
            f"the survey is not here: {where}; put {FULL} and {EDGES} into FOLDER/{DATA} and set "
            "MOBSIM_VALIDATION_DATA=FOLDER"
        )
    return said / DATA


def read_survey(folder: Path) -> Survey:
    """Read the survey.

    The column `id` of the tables is sorted as text, while their rows are sorted by the number of village and
    respondent; it belongs to other rows. The right id of a row is village·1000 + respondent (`id1`): with it
    the nominations in the rows are the published ties, pair by pair (`ties_of_nominations`).
    """
    women = pd.read_csv(folder / FULL)
    women = pd.concat([women, (women["village"] * 1000 + women["id1"]).rename("woman")], axis=1)
    ties = pd.read_csv(folder / EDGES)
    background = pd.DataFrame(
        {
            "age": women["age"].where(women["age"] > 0),
            "married_at": women["agemar"].where(women["agemar"] > 0),
            "wife_schooling": women["wifeed"].where(women["wifeed"] > 0),
            "husband_schooling": women["hubed"].where(women["hubed"] > 0),
        }
    )
    background["age_squared"] = ((background["age"] - 34) / 10) ** 2
    people = pd.concat([women[["woman", "id", "toa", "village"]], background], axis=1)
    asked = {"time": "toa", "never": NEVER, "first": 1, "last": NEVER - 1, "value": "value"}
    right = read_diffusion(people.drop(columns="id"), ties, id="woman", community="village", **asked)
    by_id = people.assign(village=people["id"] // 1000).drop(columns="woman")
    published = read_diffusion(by_id, ties, id="id", community="village", **asked)
    return Survey(women, right, published, _spells(women))


def _spells(women: pd.DataFrame) -> pd.DataFrame:
    """Return all spells; years are last digits, and go up: a 3 in front of all others is 1963."""
    parts = []
    for number in range(1, 13):
        part = women[["woman", f"byrt{number}", f"lngtht{number}", f"fpt{number}", f"awe1t{number}"]]
        part.columns = pd.Index(["woman", "digit", "months", "status", "contact"])
        parts.append(part.assign(number=number))
    spells = pd.concat(parts).dropna(subset=["digit"]).sort_values(["woman", "number"], ignore_index=True)
    early = (spells["digit"] >= 4) | ((spells["digit"] == 3) & (spells["number"] == 1))
    spells["year"] = np.where(early, 1960, 1970) + spells["digit"].astype(int)
    following = spells.groupby("woman")["year"].shift(-1)
    last = spells["year"] + np.ceil(spells["months"].fillna(0) / 12).astype(int)
    spells["end"] = np.maximum(following.fillna(last), spells["year"]).astype(int)
    spells["contact"] = spells["contact"].where(spells["contact"] <= 3)
    return spells


def ties_of_nominations(women: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return ego, alter and value as the rows' own nominations say them, with a column as the ids of rows."""
    asked = [column for column in women.columns if column.startswith("net")]
    named = pd.concat([pd.DataFrame({"ego": women[key], "alter": women[column]}) for column in asked])
    named = named.dropna().astype(int)
    named = named[named["alter"].isin(set(women[key])) & (named["ego"] != named["alter"])]
    return named.groupby(["ego", "alter"]).size().rename("value").reset_index()


def agreeing_pairs(survey: Survey, folder: Path, key: str) -> int:
    """Return how many published ties the rows' nominations say too, with the same value."""
    ties = pd.read_csv(folder / EDGES)
    return len(ties_of_nominations(survey.women, key).merge(ties, on=["ego", "alter", "value"]))


def first_methods(survey: Survey) -> pd.Series:
    """Return the year in which each woman's first spell with a method began."""
    used = survey.spells[survey.spells["status"].isin(METHODS)]
    return used.groupby("woman")["year"].min()


def contacts_before(survey: Survey) -> dict[str, npt.NDArray[np.float64]]:
    """Return (women, periods) whether a spell with a contact had ended before the year, and who has none."""
    spells, women = survey.spells, survey.women["woman"].to_numpy()
    periods = survey.diffusion.n_periods
    known = np.isin(women, spells["woman"].unique())
    found = {}
    for name, codes in {"field_worker_came": (2, 3), "she_went": (1, 3)}.items():
        ended = spells[spells["contact"].isin(codes)].groupby("woman")["end"].min()
        year = pd.Series(women).map(ended).to_numpy(np.float64)
        later = np.arange(1, periods + 1) + YEAR_BEFORE
        before = np.where(np.isnan(year)[:, None], 0.0, (year[:, None] < later[None, :]).astype(np.float64))
        found[name] = before
    return {**found, "no_history": np.repeat(~known[:, None], periods, axis=1).astype(np.float64)}


def shuffled(data: ObservedDiffusion, number: int) -> ObservedDiffusion:
    """Return the data with the women of each village in another order: who they are is apart from ties."""
    random = np.random.default_rng([1973, number])
    order = np.arange(data.n_people)
    for community in data.communities:
        members = np.flatnonzero(np.asarray(data.community, object) == community)
        order[members] = random.permutation(members)
    covariates = data.covariates.iloc[order].reset_index(drop=True)
    return replace(data, time=data.time[order], last_seen=data.last_seen[order], covariates=covariates)


def turned(data: ObservedDiffusion) -> ObservedDiffusion:
    """Return the data with the ties that are not mutual turned round, and no others."""
    pairs = set(zip(data.ego.tolist(), data.alter.tolist(), strict=True))
    alone = np.array(
        [(b, a) not in pairs for a, b in zip(data.ego.tolist(), data.alter.tolist(), strict=True)]
    )
    return replace(data, ego=data.alter[alone], alter=data.ego[alone], value=data.value[alone])
