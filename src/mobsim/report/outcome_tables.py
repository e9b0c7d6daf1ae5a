"""The tables of outcomes that the command and the page show."""

from __future__ import annotations

import math
from typing import Any

from mobsim.analysis.study import Study
from mobsim.analysis.verdict import in_words
from mobsim.engine.scoring import goal_names
from mobsim.report.cells import (
    PlainTable,
    estimate_of,
    limits,
    percent,
    percent_of,
    ratio,
    units_of,
    whole,
    whole_of,
    with_interval,
)
from mobsim.scenario.scenario import NONE


def tables_of(study: Study) -> tuple[PlainTable, ...]:
    """Return the tables of outcomes: participation with groups, fairness, money, what stays, goals, voice,
    domains.
    """
    several = (goals_table(study), voice_table(study))
    return (
        participation_table(study),
        fairness_table(study),
        money_table(study),
        lasting_table(study),
        *(table for table in several if table is not None),
        domains_table(study),
    )


def glance_table(study: Study) -> PlainTable:
    """What a planner asks first, a line a strategy."""
    currency = study.scenario.campaign.currency
    header = ("strategy", "points added", "gap, points added", f"{currency} per additional participant",
              "unpaid hours", "effect kept, %")  # fmt: skip
    rows = tuple(
        (
            in_words(arm),
            with_interval(study.row(arm, "participation_fe"), "against_none"),
            with_interval(study.row(arm, "gap_fe"), "against_none"),
            additional(study, arm),
            whole_of(study, arm, "volunteer_hours"),
            ratio(study.row(arm, "effect_kept"), 100),
        )
        for arm in study.arms
        if arm != NONE
    )
    last = study.scenario.campaign.horizon_weeks - 1
    return PlainTable(
        "At a glance",
        f"against no campaign at funding end; effect kept: in week {last}; intervals (95 %) in brackets",
        header,
        rows,
    )


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
            "" if arm == NONE else times(study.row(arm, "relative_participation")),
        )
        for arm in study.arms
    )
    return PlainTable(
        "Participation",
        f"% of residents or of the group, with 95 % intervals over {units_of(study)}; times: participation "
        "at funding end divided by that of no campaign",
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
            *(percent_of(study, arm, "reach", group) for group in groups),
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
    """External and local money apart, unpaid hours beside them, and the community's share of the effort."""
    currency = study.scenario.campaign.currency
    header = (
        "strategy",
        f"spent up to funding end, {currency}",
        "external money",
        "local money, whole run",
        "external, unspent",
        "per additional participant",
        "unpaid hours",
        "self-reliance while funded, %",
        "after funding, %",
    )
    rows = tuple(
        (
            in_words(arm),
            whole_of(study, arm, "cost"),
            whole_of(study, arm, "cost_external"),
            whole_of(study, arm, "cost_local"),
            whole_of(study, arm, "unspent"),
            additional(study, arm),
            whole_of(study, arm, "volunteer_hours"),
            percent_of(study, arm, "self_reliance_funded"),
            percent_of(study, arm, "self_reliance_sustained"),
        )
        for arm in study.arms
    )
    return PlainTable(
        "Money and unpaid time",
        "an additional participant is one more than without a campaign at funding end; local money: what "
        "coalition members give and public money; self-reliance: local effort in % of all effort in money, "
        "an organizer's contact counting as a visit",
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
        "organizers at funding end, %",
        "organizers kept, %",
    )
    rows = tuple(
        (
            in_words(arm),
            "" if arm == NONE else ratio(study.row(arm, "effect_kept"), 100),
            percent_of(study, arm, "kept_participants"),
            percent_of(study, arm, "never_left"),
            ratio(study.row(arm, "persistence_ratio"), 1),
            percent_of(study, arm, "leadership_fe"),
            ratio(study.row(arm, "organizers_kept"), 100),
        )
        for arm in study.arms
    )
    return PlainTable(
        "What stays after funding",
        "effect: participation above no campaign; kept: who took part at funding end and in the last week; "
        "organizers kept: who organized from funding end to the last week without a break, pooled",
        header,
        rows,
    )


def goals_table(study: Study) -> PlainTable | None:
    """Goals on the truth and on what surveys tell, side by side; None without goals."""
    goals = goal_names(study.scenario)
    if not goals:
        return None
    asked = {name: study.row(NONE, f"goal_estimate_met__{name}") is not None for name in goals}
    header = ["strategy"]
    for name, goal in goals.items():
        header.append(f"{name}: met in week {goal.by_week}, %")
        header += ["by the surveys, %"] if asked[name] else []
        header.append("reached")
    rows = []
    for arm in study.arms:
        row = [in_words(arm)]
        for name in goals:
            row.append(_share_of_runs(study.row(arm, f"goal_met__{name}")))
            row += [_share_of_runs(study.row(arm, f"goal_estimate_met__{name}"))] if asked[name] else []
            row.append(_time_to_goal(study, arm, name))
        rows.append(tuple(row))
    return PlainTable(
        "Goals, in truth and by the surveys",
        "% of runs; met: what is true in its week; by the surveys: what the campaign itself believes after "
        "its last survey up to then, if it asks; reached: runs in which it is met for 4 weeks running, and "
        "the mean week (runs that never do count with the last week)",
        tuple(header),
        tuple(rows),
    )


def voice_table(study: Study) -> PlainTable | None:
    """Who sits in the meetings beside who lives there; None where nobody meets."""
    groups = study.scenario.community.groups
    arms = [
        arm
        for arm in study.arms
        if any(not math.isnan(estimate_of(study.row(arm, "voice_share", group))) for group in groups)
    ]
    if not arms:
        return None
    header = (
        "strategy",
        *(f"seats of {name}, who are {100 * group.share:g} % of residents" for name, group in groups.items()),
    )
    rows = tuple(
        (in_words(arm), *(percent_of(study, arm, "voice_share", group) for group in groups)) for arm in arms
    )
    return PlainTable("Voice", "% of the seats taken at meetings, by group", header, rows)


def domains_table(study: Study) -> PlainTable:
    """Lippman's six domains of community mobilization at funding end."""
    at_fe = study.domains[study.domains["week"] == study.funding_end].set_index("arm").to_dict("index")
    shares = ("consciousness", "organizations", "leadership", "collective_action", "cohesion")
    rows = tuple(
        (
            in_words(arm),
            f"{at_fe[arm]['shared_concern']:.3f}",
            *(percent(at_fe[arm][domain]) for domain in shares),
        )
        for arm in study.arms
    )
    return PlainTable(
        "Six domains of mobilization",
        "at funding end, means over runs: shared concern (mean appeal, 0 for the unaware), critical "
        "consciousness (% aware), organizations (% of influence in the coalition), leadership (% who "
        "organize), collective action (% who take part), cohesion (mean trust in the "
        "campaign, %); after Lippman et al. (2013)",
        (
            "strategy",
            "shared concern",
            "consciousness",
            "organizations",
            "leadership",
            "collective action",
            "cohesion",
        ),
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


def additional(study: Study, arm: str) -> str:
    """Write the cost per additional participant with Fieller's interval, or why there is none.

    Parameters
    ----------
    study : the study.
    arm : the strategy.
    """
    if arm == NONE:
        return ""
    row = study.row(arm, "cost_per_additional_participant")
    if row is None:
        return "–"
    if math.isnan(row["estimate"]):
        return str(row["note"]).split(":")[0]
    low, high = limits(row)
    digits = 2 if row["estimate"] < 100 else 0
    return f"{row['estimate']:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def times(row: dict[str, Any] | None) -> str:
    """Write how many times as many take part as without a campaign.

    Parameters
    ----------
    row : of the comparison table, or None.
    """
    return "–" if row is None or math.isnan(row["estimate"]) else f"{row['estimate']:.2f}"


def _share_of_runs(row: dict[str, Any] | None) -> str:
    return whole(100 * estimate_of(row))


def _time_to_goal(study: Study, arm: str, goal: str) -> str:
    reached = study.row(arm, f"goal_reached__{goal}")
    week = study.row(arm, f"time_to_goal__{goal}")
    if reached is None or week is None:
        return "–"
    if reached["estimate"] == 0:
        return "never"
    return f"{100 * reached['estimate']:.0f} % of runs, week {week['estimate']:.0f}"
