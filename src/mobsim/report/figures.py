"""The figures of a study: which there are, what each shows, and the words for those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobsim.analysis.study import Study, single_community
from mobsim.analysis.verdict import in_points, in_words
from mobsim.campaign.activity import ArmSpec, activity_names
from mobsim.scenario.scenario import NONE

if TYPE_CHECKING:
    from mobsim.community.community import Community
    from mobsim.plots import Figure


STEADY = ("fixed", "equity")
"""Policies that never move money between activities."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One figure: file name without ending, title, caption, the text that stands for it, and its bytes."""

    name: str
    title: str
    caption: str
    alternative: str
    svg: bytes
    png: bytes


def pictures_of(study: Study, community: Community | None = None) -> tuple[Picture, ...]:
    """Draw all figures of a study.

    Parameters
    ----------
    study : the study.
    community : one of its communities for the picture of the network; none: no such picture.
    """
    from mobsim import plots

    arms, groups, campaign = study.arms, study.groups, study.scenario.campaign
    funded = (campaign.funding_starts_week, min(campaign.funding_ends_week, campaign.horizon_weeks))
    several, single = len(arms) > 1, single_community(study.scenario)
    levels = "; ".join(f"{in_words(arm)} {in_points(_level(study, arm))} %" for arm in arms)
    pictures = [
        _picture(
            "adoption", "Participation over time",
            "Mean of all runs; the band holds the middle 80 % of runs. Bands that overlap say little about "
            "differences, because strategies share communities and luck: see the differences.",
            f"Curves of participation by week. At funding end: {levels}.",
            plots.adoption_curves(study.weeks, arms, funded=funded if several else None),
        ),
        _picture(
            "by_group", "Participation by group",
            "Mean of all runs, % of each group, one scale.",
            "Curves of participation by week, a panel a group. " + _group_levels(study),
            plots.adoption_by_group(study.weeks, arms, groups, funded=funded if several else None),
        ),
        _picture(
            "distribution", "Luck differs" if single else "Communities differ",
            "Each dot is one stream of luck." if single else
            "Each dot is one community, mean over luck. Two clumps mean that some communities tip.",
            "Dots of participation at funding end in a row a strategy.",
            plots.distribution(
                study.runs, arms, unit="luck" if single else "community"
            ),
        ),
        _picture(
            "funnel", "From knowing to taking part to staying",
            "Mean of all runs, % of residents.",
            "Bars a strategy: aware, taking part at funding end, and of these in the last week.",
            plots.funnel(study.runs, arms),
        ),
    ]  # fmt: skip
    if several:
        pictures[2:2] = _pictures_of_differences(study)
    if len(study.activities):
        pictures.append(
            _picture(
                "spending", "What the money bought, and when",
                "Money spent on each activity, mean over runs.",
                "Stacked bars of money by activity in periods of four weeks, a panel a strategy.",
                plots.spending(
                    study.activities, [arm for arm in arms if arm != NONE], currency=campaign.currency
                ),
            )
        )  # fmt: skip
    pictures += [*_picture_of_policies(study), *_picture_of_stakeholders(study)]
    if community is not None:
        pictures.append(
            _picture(
                "network", "Some residents of one community",
                "A part of community 0 at the start. Lines are ties; near means tied, not near on a map.",
                "Residents as markers, by group, with the ties among them.",
                plots.network_picture(community),
            )
        )  # fmt: skip
    return tuple(pictures)


def _picture_of_policies(study: Study) -> list[Picture]:
    """Draw how policies move money, if some strategy has one that moved any."""
    from mobsim import plots

    starts = {}
    for arm in study.arms:
        asked = study.surveys[study.surveys["arm"] == arm]
        if arm != NONE and study.scenario.arms[arm].policy not in STEADY and len(asked):
            starts[arm] = starting_shares(study.scenario.arms[arm])
    if not starts:
        return []
    funded = min(study.scenario.campaign.funding_ends_week, study.scenario.campaign.horizon_weeks)
    figure = plots.policy_shares(
        study.surveys,
        starts,
        kinds=list(dict.fromkeys(study.activities["activity"])),
        runs=len(study.runs) // len(study.arms),
        weeks=funded,
    )
    return [
        _picture(
            "policies", "How policies move the money",
            "Share of the strategy's money by activity until funding ends, mean over runs.",
            "Areas of shares of money by activity and week, a panel a strategy with a policy.",
            figure,
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


def _picture_of_stakeholders(study: Study) -> list[Picture]:
    """Draw the map of stakeholders, if there are organizations."""
    from mobsim import plots

    if study.organizations.empty:
        return []
    return [
        _picture(
            "stakeholders", "Stakeholders by power and interest",
            "Hollow: week 0; filled: funding end, mean over runs; the darker, the more often in the "
            "coalition. Organizations from most to least influence; the line parts those with power from "
            "those without. Strategies that move nobody are left out.",
            "Organizations by influence and interest in week 0 and at funding end; numbers: see the table.",
            plots.power_interest(study.organizations, study.arms, funding_end=study.funding_end),
        )
    ]  # fmt: skip


def _pictures_of_differences(study: Study) -> list[Picture]:
    """Draw what needs two strategies."""
    from mobsim import plots

    sentences = "; ".join(pair.sentence for pair in study.verdict.pairs)
    return [
        _picture(
            "differences",
            "Differences between strategies",
            "Paired differences in participation at funding end; intervals hold for all pairs at once.",
            f"Differences with intervals: {sentences}.",
            plots.verdict_forest(study.comparison.contrasts, matters=study.scenario.matters),
        ),
        _picture(
            "effects",
            "Gain over no campaign, by group",
            "Black: all residents, intervals hold for all pairs at once. Groups: pointwise 95 % intervals.",
            "Gains in points over no campaign for all residents and each group; the tables hold the numbers.",
            plots.effects(study.comparison.table, study.arms, study.groups),
        ),
    ]


def _picture(name: str, title: str, caption: str, alternative: str, figure: Figure) -> Picture:
    from mobsim.plots import as_png, as_svg

    return Picture(name, title, caption, alternative, as_svg(figure), as_png(figure))


def _level(study: Study, arm: str, group: str = "all") -> float:
    row = study.row(arm, "participation_fe", group)
    return float("nan") if row is None else float(row["estimate"])


def _group_levels(study: Study) -> str:
    parts = []
    for group in study.groups:
        levels = "; ".join(f"{in_words(arm)} {in_points(_level(study, arm, group))} %" for arm in study.arms)
        parts.append(f"{group} at funding end: {levels}.")
    return " ".join(parts)
