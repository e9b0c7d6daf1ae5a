"""The tables of what happened on the way: strategies, stakeholders, surveys, and checks against facts."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from mobsim.analysis.facts import CheckResult
from mobsim.analysis.study import Study
from mobsim.analysis.verdict import in_words
from mobsim.campaign.activity import CAUSES
from mobsim.report.cells import PlainTable, percent, whole
from mobsim.scenario.scenario import NONE

if TYPE_CHECKING:
    import pandas as pd


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
        rows.append((in_words(arm), spec.description, ", ".join(bought), policy_in_words(study, arm)))
    return PlainTable(
        "The strategies",
        f"each spends up to {study.scenario.campaign.budget_per_resident:g} "
        f"{study.scenario.campaign.currency} a resident unless it says less",
        ("strategy", "in words", "shares of the money", "how they change"),
        tuple(rows),
    )


def policy_in_words(study: Study, arm: str) -> str:
    """Say how a strategy changes its shares, and what it asks.

    Parameters
    ----------
    study : the study.
    arm : a strategy of the scenario.
    """
    spec = study.scenario.arms[arm]
    parts = [] if spec.policy == "fixed" else [f"policy {spec.policy}"]
    if spec.community_decides:
        parts.append("by what people say at meetings")
    elif spec.survey is not None:
        respondents = min(spec.survey.respondents, study.scenario.community.residents)
        everybody = ", perfect information" if spec.survey.perfect else ""
        parts.append(f"surveys of {respondents:,}{everybody}")
    return "; ".join(parts) or "fixed"


def stakeholders_table(study: Study) -> PlainTable | None:
    """Where each organization stands at funding end; None without organizations."""
    at_fe = study.organizations[study.organizations["week"] == study.funding_end]
    if at_fe.empty:
        return None
    found = at_fe.set_index(["organization", "arm"]).to_dict("index")
    specs = study.scenario.community.organizations
    rows = tuple(
        (
            spec.name,
            spec.type,
            f"{spec.influence:g}",
            f"{spec.interest:+.2f}",
            *(_standing(found[spec.name, arm]) for arm in study.arms),
        )
        for spec in specs
    )
    return PlainTable(
        "Stakeholders at funding end",
        "by strategy: the quadrant of power and interest, mean interest (−1 to 1), and % of runs in which "
        "the organization is in the coalition; power: influence at least the mean of all; interest: above 0",
        ("organization", "type", "influence", "interest at the start", *map(in_words, study.arms)),
        rows,
    )


def _standing(state: Mapping[Hashable, Any]) -> str:
    """Quadrant; interest; % of runs in the coalition."""
    return f"{state['quadrant']}; {state['interest']:+.2f}; {whole(100 * state['in_coalition'])} %"


def surveys_table(study: Study) -> PlainTable | None:
    """What the surveys found and what the strategies made of it; None if nobody asks."""
    arms = [arm for arm in study.arms if (study.surveys["arm"] == arm).any()]
    if not arms:
        return None
    return PlainTable(
        "What the surveys found",
        "takes part: mean of the last survey, after correcting for false answers, beside the truth of the "
        "week before; error: mean distance between the two over all surveys; means over runs",
        (
            "strategy",
            "how it learns",
            "surveys a run",
            f"cost of each, {study.scenario.campaign.currency}",
            "takes part by the last survey, % (truth)",
            "error, points",
            "reason named most",
            "what it led to",
        ),
        tuple(_survey_row(study, arm) for arm in arms),
    )


def _survey_row(study: Study, arm: str) -> tuple[str, ...]:
    asked = study.surveys[study.surveys["arm"] == arm]
    last = asked.groupby(["community", "luck"]).tail(1)
    n_runs = int((study.runs["arm"] == arm).sum())
    error = (asked["participation_estimate"] - asked["participation_truth"]).abs().mean()
    found, truth = last["participation_estimate"].mean(), last["participation_truth"].mean()
    named = {cause: asked[f"cause__{cause}"].sum() for cause in CAUSES}
    most = max(named, key=lambda cause: named[cause])
    told = f"{most}, {100 * named[most] / sum(named.values()):.0f} %" if sum(named.values()) else "–"
    return (
        in_words(arm),
        policy_in_words(study, arm),
        f"{len(asked) / n_runs:.1f}",
        whole(asked["price"].mean()),
        "–" if math.isnan(found) else f"{percent(found)} ({percent(truth)})",
        percent(error),
        told,
        _led_to(last, asked),
    )


def _led_to(last: pd.DataFrame, asked: pd.DataFrame) -> str:
    """Say the mean shares after the last survey, and which group was turned to."""
    shares = last.filter(regex="^share__").dropna(axis=1, how="all").mean()
    words = [
        ", ".join(
            f"{str(name).removeprefix('share__')} {100 * share:.0f} %"
            for name, share in shares.items()
            if share >= 0.005
        )
    ]
    chosen = asked["group_chosen"].dropna()
    words += [
        f"turned to {group} in {100 * number / len(asked):.0f} % of surveys"
        for group, number in chosen.value_counts().sort_index().items()
    ]
    return "; ".join(words)


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
