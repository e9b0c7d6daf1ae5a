"""All statistics of an observed diffusion in a few tables, with what has to be known beside them in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mobsim.analysis.diffusion import moran as closeness_of
from mobsim.analysis.diffusion.adopters import (
    adopter_categories,
    adoption_by_period,
    categories_table,
    curves_by_community,
    saturation_by_community,
    threshold_categories,
)
from mobsim.analysis.diffusion.bass import BassFit, fit_bass
from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import Direction, exposure, thresholds, withstood
from mobsim.analysis.diffusion.position import infection, susceptibility

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

LEAST_PERIODS = 5
"""Fewer periods than this are too few for Bass's curve."""


@dataclass(frozen=True, eq=False)
class DiffusionSummary:
    """What an observed diffusion shows.

    Attributes
    ----------
    people : one row a person: id, community, adopted, time (label of the period; NaN: not adopted),
        last_seen, names (how many people), named_by, threshold, withstood (the exposure at which a person
        had still not adopted), infection, susceptibility, category, rogers, threshold_category.
    periods : one row a period, see `adoption_by_period`; then exposure (mean of those at risk), and of
        Moran's I: moran, moran_p (normal approximation), and by permutation among everybody (permuted_p)
        and, with two communities or more, within communities (within_mean, within_z, within_p).
    communities : one row a community, see `saturation_by_community`.
    curves : one row a community and period, see `curves_by_community`.
    categories : percentages of all people by category of time (rows) and of threshold (columns).
    bass : Bass's curve for everybody together; None with fewer than five periods, or if nobody adopts.
    n_people, n_adopters, n_ties : counts.
    notes : what a reader has to know, in sentences.
    """

    people: pd.DataFrame
    periods: pd.DataFrame
    communities: pd.DataFrame
    curves: pd.DataFrame
    categories: pd.DataFrame
    bass: BassFit | None
    n_people: int
    n_adopters: int
    n_ties: int
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """How many people, communities, periods and ties there are, and how many adopted."""
        first, last = self.periods["period"].iloc[[0, -1]]
        places = len(self.communities)
        return (
            f"{self.n_people:,} people in {places:,} {'community' if places == 1 else 'communities'}, "
            f"{self.n_ties:,} ties, periods {first} to {last}: {self.n_adopters:,} adopted "
            f"({100 * self.n_adopters / self.n_people:.1f} %)"
        )

    def __str__(self) -> str:
        """Say in a few lines what the data show."""
        return "\n".join([self.title, *(f"* {note}" for note in self.notes)])


def describe_diffusion(
    data: ObservedDiffusion,
    *,
    lag: int = 0,
    valued: bool = False,
    direction: Direction = "out",
    steps: int = closeness_of.STEPS,
    permutations: int = 999,
    seed: int = 1,
) -> DiffusionSummary:
    """Describe an observed diffusion: curves, thresholds, categories, Moran's I, Bass's curve.

    Parameters
    ----------
    data : people with times of adoption, and ties (`read_diffusion`).
    lag, valued, direction : of exposure, see `exposure`.
    steps : how far apart people may be to count as close for Moran's I, see `closeness`.
    permutations : of Moran's I; 0: no permutation test.
    seed : of the permutations.

    Returns
    -------
    DiffusionSummary

    Raises
    ------
    UsageError : with one sentence, if an option is not allowed.

    Examples
    --------
    >>> import pandas
    >>> from mobsim.analysis.diffusion.data import read_diffusion
    >>> people = pandas.DataFrame({"id": ["a", "b", "c"], "time": [1, 2, None]})
    >>> ties = pandas.DataFrame({"ego": ["b", "c"], "alter": ["a", "b"]})
    >>> summary = describe_diffusion(read_diffusion(people, ties), permutations=0)
    >>> print(summary.title)
    3 people in 1 community, 2 ties, periods 1 to 2: 2 adopted (66.7 %)
    """
    level = thresholds(data, lag=lag, valued=valued, direction=direction)
    people = _people(data, level, lag, valued, direction)
    periods = adoption_by_period(data)
    periods["exposure"] = _exposure_at_risk(data, exposure(data, lag=lag, valued=valued, direction=direction))
    periods = periods.join(_moran(data, steps, direction, permutations, seed))
    communities = saturation_by_community(data, valued=valued, direction=direction)
    bass = None
    if data.n_periods >= LEAST_PERIODS and data.adopted.any():
        bass = fit_bass(periods["adopted_by"])
    return DiffusionSummary(
        people=people,
        periods=periods,
        communities=communities,
        curves=curves_by_community(data),
        categories=categories_table(data, level),
        bass=bass,
        n_people=data.n_people,
        n_adopters=int(data.adopted.sum()),
        n_ties=data.n_ties,
        notes=tuple(_notes(data, people, periods, communities, bass, lag, permutations)),
    )


def _people(
    data: ObservedDiffusion, level: Floats, lag: int, valued: bool, direction: Direction
) -> pd.DataFrame:
    import pandas as pd

    n = data.n_people
    return pd.DataFrame(
        {
            "id": list(data.ids),
            "community": list(data.community),
            "adopted": data.adopted,
            "time": np.where(data.adopted, data.time + data.first_period - 1.0, math.nan),
            "last_seen": data.last_seen + data.first_period - 1,
            "names": np.bincount(data.ego, minlength=n),
            "named_by": np.bincount(data.alter, minlength=n),
            "threshold": level,
            "withstood": withstood(data, lag=lag, valued=valued, direction=direction),
            "infection": infection(data, valued=valued),
            "susceptibility": susceptibility(data, valued=valued),
            "category": adopter_categories(data),
            "rogers": adopter_categories(data, rule="rogers"),
            "threshold_category": threshold_categories(level),
        }
    )


def _exposure_at_risk(data: ObservedDiffusion, seen: Floats) -> Floats:
    """Return (periods,) the mean exposure of those who could still adopt; NaN where it is not known."""
    period = np.arange(1, data.n_periods + 1)
    time = data.time[:, None]
    counts = ((time == 0) | (time >= period)) & (data.last_seen[:, None] >= period) & ~np.isnan(seen)
    n = counts.sum(axis=0)
    total = np.where(counts, seen, 0.0).sum(axis=0)
    found: Floats = np.full(len(n), math.nan)
    np.divide(total, n, out=found, where=n > 0)
    return found


def _moran(
    data: ObservedDiffusion, steps: int, direction: Direction, permutations: int, seed: int
) -> pd.DataFrame:
    among = closeness_of.moran_by_period(
        data, steps=steps, direction=direction, permutations=permutations, seed=seed
    )
    found = among[["moran", "p", "permuted_p"]].rename(columns={"p": "moran_p"})
    if len(data.communities) > 1:
        within = closeness_of.moran_by_period(
            data, steps=steps, direction=direction, permutations=permutations, within="community", seed=seed
        )
        for name in ("mean", "z", "p"):
            found[f"within_{name}"] = within[f"permuted_{name}"]
    return found


# In words


def _notes(
    data: ObservedDiffusion,
    people: pd.DataFrame,
    periods: pd.DataFrame,
    communities: pd.DataFrame,
    bass: BassFit | None,
    lag: int,
    permutations: int,
) -> list[str]:
    said = [*_notes_on_people(data, people)]
    place = np.asarray(data.place_of_community)
    between = int((place[data.ego] != place[data.alter]).sum())
    if data.left_out:
        said.append(
            f"{data.left_out:,} rows of ties name somebody who is not in the data, or themselves; left out"
        )
    if between:
        said.append(f"{between:,} ties run between communities; they count in exposure")
    said += _notes_on_communities(communities)
    if lag:
        said.append(
            f"exposure is that of {lag} period{'s' if lag != 1 else ''} before; it is not known in the first "
            f"{lag}"
        )
    said += _notes_on_moran(periods, permutations)
    if bass is not None:
        said.append(_bass_in_words(bass))
        said += [f"Bass's curve: {warning}" for warning in bass.warnings]
    said.append(
        "that people adopt after those they name is not yet influence: who is alike names each other, and "
        "what reaches one reaches the other"
    )
    return said


def _notes_on_people(data: ObservedDiffusion, people: pd.DataFrame) -> list[str]:
    said = []
    until_the_end = int((~data.adopted & (data.last_seen == data.n_periods)).sum())
    lost = int((~data.adopted & (data.last_seen < data.n_periods)).sum())
    first = int((data.time == 1).sum())
    if until_the_end:
        said.append(
            f"{_people_of(until_the_end)} had not adopted by {data.periods[-1]}; times and thresholds are "
            "open there (right-censored)"
        )
    if lost:
        said.append(f"lost from sight before the end: {_people_of(lost)}; what became of them is not known")
    if first:
        said.append(
            f"{_people_of(first)} adopted in the first period, or before anybody looked; thresholds are then "
            "too high (left-censored)"
        )
    alone = int((people["names"] == 0).sum())
    if alone:
        said.append(
            f"{_people_of(alone)} {'names' if alone == 1 else 'name'} nobody; exposure is set to 0 there"
        )
    resisted = people["withstood"].dropna()
    if len(resisted):
        said.append(
            f"those who had not adopted when last seen had a mean exposure of {resisted.mean():.2f}; "
            f"adopters adopted at {people['threshold'].mean():.2f} on average"
        )
    return said


def _people_of(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _notes_on_communities(communities: pd.DataFrame) -> list[str]:
    if len(communities) < 2:
        return []
    ordered = communities.sort_values("saturation", kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    reached = communities["periods_to_share"].dropna()
    said = [
        f"communities differ: from {100 * low['saturation']:.1f} % ({low['community']}) to "
        f"{100 * high['saturation']:.1f} % ({high['community']})"
    ]
    if len(reached):
        said.append(
            f"half of the people had adopted after {reached.mean():.1f} periods on average, in the "
            f"{len(reached):,} of {len(communities):,} communities that came so far"
        )
    return said


def _notes_on_moran(periods: pd.DataFrame, permutations: int) -> list[str]:
    known = periods[periods["moran"].notna()]
    if not permutations or not len(known):
        return []
    least = known.iloc[int(np.nanargmin(known["permuted_p"]))]
    said = (
        f"people who are close in the network resemble each other most clearly by {least['period']:.0f}: "
        f"Moran's I {least['moran']:.3f}, p {least['permuted_p']:.3f} by permutation among everybody (the "
        f"smallest of {len(known)} periods)"
    )
    if "within_p" not in periods or periods["within_p"].isna().all():
        return [said]
    best = periods.iloc[int(np.nanargmin(periods["within_p"]))]
    side = "more" if best["within_z"] > 0 else "less"
    return [
        said,
        f"within communities the clearest is {best['period']:.0f}, p {best['within_p']:.3f}, where they are "
        f"{side} alike than chance would have it; what differs between communities is no evidence there",
    ]


def _bass_in_words(bass: BassFit) -> str:
    def number(value: float, error: float) -> str:
        return f"{value:.3f}" + ("" if math.isnan(error) else f" (standard error {error:.3f})")

    return (
        f"Bass's curve fits best with p {number(bass.p, bass.p_error)}, q {number(bass.q, bass.q_error)}, "
        f"and {number(bass.m, bass.m_error)} of the people adopting in the end"
    )
