"""A study in words and small tables: the command and the page show the same ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mobsim.analysis.facts import CheckResult
from mobsim.analysis.study import Study, single_community
from mobsim.analysis.verdict import in_points, in_words
from mobsim.scenario.scenario import NONE

COMPARATIVE = (
    "Comparative, uncalibrated: the numbers rank strategies under the assumptions of the scenario; "
    "they forecast no place."
)

NOT_SHOWN = (
    "Participation is not impact: no health, welfare or violence outcomes are simulated.",
    "Taking part is read as free. Pressure to take part, and what people are told before they consent, "
    "are not simulated; a strategy that presses people may look good here and do harm.",
    "Unpaid hours stand beside the cost because they are a cost to the residents; they are not in the money.",
    "Organizers, leaders and organizations that change their minds, and surveys, are not simulated yet.",
)


@dataclass(frozen=True)
class PlainTable:
    """A table to be read: a title, what it shows, a header and rows of text; the first cell names the row."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal, or a dash where there is none.

    Examples
    --------
    >>> percent(0.1234), percent(float("nan"))
    ('12.3', '–')
    """
    return "–" if math.isnan(share) else in_points(share)


def with_interval(row: dict[str, Any] | None, key: str = "estimate") -> str:
    """Write an estimate in percent or points with its interval.

    Parameters
    ----------
    row : of the comparison table, or None.
    key : estimate, or against_none.
    """
    if row is None or math.isnan(row[key]):
        return "–"
    low, high = _limits(row, key)
    if math.isnan(low):
        return percent(row[key])
    return f"{percent(row[key])} ({percent(low)} to {percent(high)})"


def tables_of(study: Study) -> tuple[PlainTable, ...]:
    """Return the tables of a study: participation with groups, fairness, money and time, what stays."""
    return (participation_table(study), fairness_table(study), money_table(study), lasting_table(study))


def participation_table(study: Study) -> PlainTable:
    """Participation at funding end and in the last week; the average never without the groups."""
    groups = study.groups
    last = study.scenario.campaign.horizon_weeks - 1
    header = (
        "strategy",
        "at funding end",
        *(f"of {group}" for group in groups),
        f"in week {last}",
        *(f"of {group} in week {last}" for group in groups),
        "times no campaign",
    )
    rows = tuple(
        (
            in_words(arm),
            with_interval(study.row(arm, "participation_fe")),
            *(with_interval(study.row(arm, "participation_fe", group)) for group in groups),
            with_interval(study.row(arm, "participation_end")),
            *(with_interval(study.row(arm, "participation_end", group)) for group in groups),
            "" if arm == NONE else _times(study.row(arm, "relative_participation")),
        )
        for arm in study.arms
    )
    return PlainTable(
        "Participation",
        f"% of residents or of the group, with 95 % intervals over {_units(study)}; times: participation at "
        "funding end divided by that of no campaign",
        header,
        rows,
    )


def fairness_table(study: Study) -> PlainTable:
    """Gap and reach by group; a strategy that widens the gap is marked."""
    groups = study.groups
    header = (
        "strategy",
        "gap, points",
        "against no campaign",
        *(f"contacted, {group}" for group in groups),
        "",
    )
    rows = tuple(
        (
            in_words(arm),
            with_interval(study.row(arm, "gap_fe")),
            "" if arm == NONE else with_interval(study.row(arm, "gap_fe"), "against_none"),
            *(percent(_estimate(study.row(arm, "reach", group))) for group in groups),
            "WIDENS THE GAP" if arm in study.widening else "",
        )
        for arm in study.arms
    )
    return PlainTable(
        "Fairness and reach",
        "gap: participation of the majority minus that of marginalized residents at funding end; "
        "contacted: % of the group met in person since week 0",
        header,
        rows,
    )


def money_table(study: Study) -> PlainTable:
    """Money, unpaid hours beside it, what an additional participant costs, and the time to each goal."""
    goals = [
        name.removeprefix("time_to_goal__")
        for name in study.runs.columns
        if name.startswith("time_to_goal__")
    ]
    currency = study.scenario.campaign.currency
    header = ("strategy", f"spent, {currency}", "per additional participant", "unpaid hours",
              *(f"goal {goal}" for goal in goals))  # fmt: skip
    rows = tuple(
        (
            in_words(arm),
            _whole(_estimate(study.row(arm, "cost"))),
            _additional(study, arm),
            _whole(_estimate(study.row(arm, "volunteer_hours"))),
            *(_time_to_goal(study, arm, goal) for goal in goals),
        )
        for arm in study.arms
    )
    return PlainTable(
        "Money and time",
        "an additional participant is one more than without a campaign at funding end; "
        "goal: runs that reach it, and the mean week (runs that never do count with the last week)",
        header,
        rows,
    )


def lasting_table(study: Study) -> PlainTable:
    """What is left in the last week of what there was at funding end."""
    header = (
        "strategy",
        "effect kept, %",
        "participants kept, %",
        "never left, %",
        "last week / funding end",
    )
    rows = tuple(
        (
            in_words(arm),
            "" if arm == NONE else _ratio(study.row(arm, "effect_kept"), 100),
            percent(_estimate(study.row(arm, "kept_participants"))),
            percent(_estimate(study.row(arm, "never_left"))),
            _ratio(study.row(arm, "persistence_ratio"), 1),
        )
        for arm in study.arms
    )
    return PlainTable(
        "What stays after funding",
        "effect: participation above no campaign; kept: who took part at funding end and in the last week",
        header,
        rows,
    )


def chances_table(study: Study) -> PlainTable:
    """How often each strategy is best, how far behind the best it stays, and whether it can still be best."""
    chances = study.comparison.chances.set_index("arm").to_dict("index")
    possible = study.verdict.possible
    rows = tuple(
        (
            in_words(arm),
            f"{100 * chances[arm]['chance_best']:.0f}",
            percent(chances[arm]["regret"]),
            "yes" if arm in possible else "no",
        )
        for arm in study.arms
    )
    return PlainTable(
        "Who is best",
        "share of paired futures in which it is best (ties shared); mean distance to the best of each future",
        ("strategy", "best in % of futures", "regret, points", "can be best"),
        rows,
    )


def strategies_table(study: Study) -> PlainTable:
    """What each strategy buys."""
    rows = []
    for arm in study.arms:
        if arm == NONE:
            continue
        spec = study.scenario.arms[arm]
        total = sum(use.share for use in spec.activities) or 1.0
        bought = [
            f"{use.kind} {100 * use.share / total:.0f} %" + (f" ({use.target.rule})" if use.target else "")
            for use in spec.activities
        ]
        rows.append((in_words(arm), spec.description, ", ".join(bought)))
    return PlainTable(
        "The strategies",
        f"each spends up to {study.scenario.campaign.budget_per_resident:g} "
        f"{study.scenario.campaign.currency} a resident unless it says less",
        ("strategy", "in words", "shares of the money"),
        tuple(rows),
    )


def checks_table(study: Study) -> PlainTable | None:
    """Published facts and whether the runs show them; None if the scenario names none."""
    if not study.checks:
        return None
    rows = tuple(
        (check.fact, "met" if check.met else "NOT MET", _measured(check), _band(check), check.source)
        for check in study.checks
    )
    return PlainTable(
        "Checks against published facts",
        "a fact is met when the estimate lies inside its band; missed ones are shown as missed",
        ("fact", "", "found (95 % interval)", "band", "source"),
        rows,
    )


def cautions_of(study: Study) -> list[str]:
    """Return what a reader must know before using the result: gap, drift, checks, and the scenario's own."""
    cautions = []
    for arm in study.widening:
        gap = study.row(arm, "gap_fe")
        cautions.append(
            f"{in_words(arm)} widens the gap between groups by {with_interval(gap, 'against_none')} points"
        )
    if study.drift is not None and not study.drift.at_rest:
        cautions.append(study.drift.sentence)
    missed = sum(not check.met for check in study.checks)
    if missed:
        cautions.append(f"{missed} of {len(study.checks)} published facts are not met; see the checks")
    if study.model_class is not None:
        cautions.append(f"run with the model class {study.model_class}, not with the engine: slower")
    return [*cautions, *study.scenario.cautions]


def size_of(study: Study) -> str:
    """Say how many communities and lucks stand behind the numbers."""
    communities, luck = study.comparison.communities, study.comparison.luck
    words = (
        f"{_counted(communities, 'community', 'communities')}, "
        f"{_counted(luck, 'stream', 'streams')} of luck on each, {len(study.runs):,} runs, "
        f"seed {study.scenario.seed}"
    )
    if study.first_stage is not None:
        words += (
            f"; two stages: {study.first_stage} communities told how many are needed for every difference "
            f"with the best to be within {in_points(study.until or 0)} points"
        )
    return words


def _units(study: Study) -> str:
    return "luck, for this community" if single_community(study.scenario) else "communities"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _estimate(row: dict[str, Any] | None) -> float:
    return math.nan if row is None else float(row["estimate"])


def _limits(row: dict[str, Any], key: str) -> tuple[float, float]:
    names = ("low", "high") if key == "estimate" else (f"{key}_low", f"{key}_high")
    return float(row[names[0]]), float(row[names[1]])


def _whole(number: float) -> str:
    return "–" if math.isnan(number) else f"{number:,.0f}"


def _ratio(row: dict[str, Any] | None, factor: int) -> str:
    if row is None:
        return "–"
    if math.isnan(row["estimate"]):
        return str(row["note"]) or "–"
    digits = 0 if factor == 100 else 2
    low, high = _limits(row, "estimate")
    shown = f"{factor * row['estimate']:.{digits}f}"
    return shown if math.isnan(low) else f"{shown} ({factor * low:.{digits}f} to {factor * high:.{digits}f})"


def _times(row: dict[str, Any] | None) -> str:
    return "–" if row is None or math.isnan(row["estimate"]) else f"{row['estimate']:.2f}"


def _additional(study: Study, arm: str) -> str:
    """Cost per additional participant with Fieller's interval, or why there is none."""
    if arm == NONE:
        return ""
    row = study.row(arm, "cost_per_additional_participant")
    if row is None:
        return "–"
    if math.isnan(row["estimate"]):
        return str(row["note"]).split(":")[0]
    low, high = _limits(row, "estimate")
    digits = 2 if row["estimate"] < 100 else 0
    return f"{row['estimate']:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _time_to_goal(study: Study, arm: str, goal: str) -> str:
    reached = study.row(arm, f"goal_reached__{goal}")
    week = study.row(arm, f"time_to_goal__{goal}")
    if reached is None or week is None:
        return "–"
    if reached["estimate"] == 0:
        return "never"
    return f"{100 * reached['estimate']:.0f} % of runs, week {week['estimate']:.0f}"


def _measured(check: CheckResult) -> str:
    if math.isnan(check.estimate):
        return "undefined"
    if math.isnan(check.low):
        return f"{check.estimate:.3f}"
    return f"{check.estimate:.3f} ({check.low:.3f} to {check.high:.3f})"


def _band(check: CheckResult) -> str:
    of = check.outcome if check.against is None else f"{check.outcome}, {check.arm} − {check.against}"
    if check.at_least is not None and check.at_most is not None:
        return f"{check.at_least:g} to {check.at_most:g} ({of})"
    if check.at_least is not None:
        return f"at least {check.at_least:g} ({of})"
    return f"at most {check.at_most:g} ({of})"
