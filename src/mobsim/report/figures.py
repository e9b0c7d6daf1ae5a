"""The figures of a study: which there are, what each shows, and the words for those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mobsim.analysis.excerpt import excerpt_of
from mobsim.analysis.study import Study, single_community
from mobsim.analysis.verdict import in_points, in_words
from mobsim.campaign.activity import ArmSpec, activity_names
from mobsim.scenario.scenario import NONE

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.community.community import Community

STEADY = ("fixed", "equity")
"""Policies that never move money between activities."""

KEYS = ["arm", "community", "luck"]
"""Columns that tell runs apart."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One figure: file name without ending, title, caption, the text that stands for it, and its bytes."""

    name: str
    title: str
    caption: str
    alternative: str
    svg: bytes
    png: bytes


@dataclass(frozen=True, eq=False)
class Sketch:
    """A figure not drawn yet: its words, the function of `mobsim.plots` that draws it, and its data."""

    name: str
    title: str
    caption: str
    alternative: str
    function: str
    data: tuple[Any, ...]
    options: dict[str, Any]

    def picture(self, drawn: tuple[bytes, bytes]) -> Picture:
        """Return the figure with its bytes.

        Parameters
        ----------
        drawn : as SVG and as PNG.
        """
        return Picture(self.name, self.title, self.caption, self.alternative, *drawn)


def sketches_of(study: Study, community: Community | None = None) -> tuple[Sketch, ...]:
    """Return all figures of a study, to be drawn.

    Parameters
    ----------
    study : the study.
    community : one of its communities for the picture of the network; none: no such picture.
    """
    arms, groups, campaign = study.arms, study.groups, study.scenario.campaign
    funded = (campaign.funding_starts_week, min(campaign.funding_ends_week, campaign.horizon_weeks))
    several, single = len(arms) > 1, single_community(study.scenario)
    levels = "; ".join(f"{in_words(arm)} {in_points(_level(study, arm))} %" for arm in arms)
    sketches = [
        _sketch(
            "adoption", "Participation over time",
            "Mean of all runs; the band holds the middle 80 % of runs. Bands that overlap say little about "
            "differences, because strategies share communities and luck: see the differences.",
            f"Curves of participation by week. At funding end: {levels}.",
            "adoption_curves", _by_week(study, "participation"), arms, funded=funded if several else None,
        ),
        _sketch(
            "by_group", "Participation by group",
            "Mean of all runs, % of each group, one scale.",
            "Curves of participation by week, a panel a group. " + _group_levels(study),
            "adoption_by_group", _by_week(study, *(f"participation__{group}" for group in groups)), arms,
            groups, funded=funded if several else None,
        ),
        _sketch(
            "distribution", "Luck differs" if single else "Communities differ",
            "Each dot is one stream of luck." if single else
            "Each dot is one community, mean over luck. Two clumps mean that some communities tip.",
            "Dots of participation at funding end in a row a strategy.",
            "distribution", study.runs[[*KEYS, "participation_fe"]], arms,
            unit="luck" if single else "community",
        ),
        _sketch(
            "funnel", "From knowing to taking part to staying",
            "Mean of all runs, % of residents.",
            "Bars a strategy: aware, taking part at funding end, and of these in the last week.",
            "funnel", study.runs[["arm", "aware_fe", "participation_fe", "kept_participants"]], arms,
        ),
    ]  # fmt: skip
    if several:
        sketches[2:2] = _pictures_of_differences(study)
    if len(study.activities):
        sketches.append(
            _sketch(
                "spending", "What the money bought, and when",
                "Money spent on each activity, mean over runs.",
                "Stacked bars of money by activity in periods of four weeks, a panel a strategy.",
                "spending", study.activities[["arm", "activity", "week", "spent"]],
                [arm for arm in arms if arm != NONE], currency=campaign.currency,
            )
        )  # fmt: skip
    sketches += [*_picture_of_policies(study), *_picture_of_stakeholders(study)]
    if community is not None:
        sketches.append(
            _sketch(
                "network", "Some residents of one community",
                "A part of community 0 at the start. Lines are ties; near means tied, not near on a map.",
                "Residents as markers, by group, with the ties among them.",
                "network_picture", excerpt_of(community),
            )
        )  # fmt: skip
    return tuple(sketches)


def _picture_of_policies(study: Study) -> list[Sketch]:
    """Draw how policies move money, if some strategy has one that moved any."""
    starts = {}
    for arm in study.arms:
        asked = study.surveys[study.surveys["arm"] == arm]
        if arm != NONE and study.scenario.arms[arm].policy not in STEADY and len(asked):
            starts[arm] = starting_shares(study.scenario.arms[arm])
    if not starts:
        return []
    funded = min(study.scenario.campaign.funding_ends_week, study.scenario.campaign.horizon_weeks)
    return [
        _sketch(
            "policies", "How policies move the money",
            "Share of the strategy's money by activity until funding ends, mean over runs.",
            "Areas of shares of money by activity and week, a panel a strategy with a policy.",
            "policy_shares", study.surveys, starts,
            kinds=list(dict.fromkeys(study.activities["activity"])), runs=len(study.runs) // len(study.arms),
            weeks=funded,
        )
    ]  # fmt: skip


def starting_shares(arm: ArmSpec) -> dict[str, float]:
    """Return the share of each line of an arm before the first survey.

    Parameters
    ----------
    arm : the strategy.
    """
    total = sum(use.share for use in arm.activities) or 1.0
    names = activity_names(arm.activities)
    return {name: use.share / total for name, use in zip(names, arm.activities, strict=True)}


def _picture_of_stakeholders(study: Study) -> list[Sketch]:
    """Draw the map of stakeholders, if there are organizations."""
    if study.organizations.empty:
        return []
    return [
        _sketch(
            "stakeholders", "Stakeholders by power and interest",
            "Hollow: week 0; filled: funding end, mean over runs; the darker, the more often in the "
            "coalition. Organizations from most to least influence; the line parts those with power from "
            "those without. Strategies that move nobody are left out.",
            "Organizations by influence and interest in week 0 and at funding end; numbers: see the table.",
            "power_interest", study.organizations, study.arms, funding_end=study.funding_end,
        )
    ]  # fmt: skip


def _pictures_of_differences(study: Study) -> list[Sketch]:
    """Draw what needs two strategies."""
    sentences = "; ".join(pair.sentence for pair in study.verdict.pairs)
    return [
        _sketch(
            "differences",
            "Differences between strategies",
            "Paired differences in participation at funding end; intervals hold for all pairs at once.",
            f"Differences with intervals: {sentences}.",
            "verdict_forest",
            study.comparison.contrasts,
            matters=study.scenario.matters,
        ),
        _sketch(
            "effects",
            "Gain over no campaign, by group",
            "Black: all residents, intervals hold for all pairs at once. Groups: pointwise 95 % intervals.",
            "Gains in points over no campaign for all residents and each group; the tables hold the numbers.",
            "effects",
            study.comparison.table,
            study.arms,
            study.groups,
        ),
    ]


def _sketch(
    name: str, title: str, caption: str, alternative: str, function: str, *data: Any, **options: Any
) -> Sketch:
    return Sketch(name, title, caption, alternative, function, data, options)


def _by_week(study: Study, *columns: str) -> pd.DataFrame:
    """Return only what is drawn of the largest table, since it may travel to another process."""
    return study.weeks[[*KEYS, "week", *columns]]


def _level(study: Study, arm: str, group: str = "all") -> float:
    row = study.row(arm, "participation_fe", group)
    return float("nan") if row is None else float(row["estimate"])


def _group_levels(study: Study) -> str:
    parts = []
    for group in study.groups:
        levels = "; ".join(f"{in_words(arm)} {in_points(_level(study, arm, group))} %" for arm in study.arms)
        parts.append(f"{group} at funding end: {levels}.")
    return " ".join(parts)
