"""A study in sentences: what a planner reads first, cautions, limits, and what stands behind the numbers."""

from __future__ import annotations

import math

from mobsim.analysis.study import Study
from mobsim.analysis.verdict import in_points, in_words, listed
from mobsim.engine.scoring import goal_names
from mobsim.report.cells import estimate_of, limits, percent, ratio, whole, with_interval
from mobsim.report.outcome_tables import additional
from mobsim.scenario.calibrated import doubts
from mobsim.scenario.scenario import NONE, Scenario

COMPARATIVE = (
    "Comparative, uncalibrated: the numbers rank strategies under the assumptions of the scenario; "
    "they forecast no place."
)

CALIBRATED = (
    "Calibrated to {fitted_to} ({name}). Out of sample it did better than simple forecasts: "
    "{out_of_sample}. That "
    "holds for what was observed; other strategies, places and times are compared under the assumptions "
    "of the "
    "scenario."
)

NOT_SHOWN = (
    "Participation is not impact: no health, welfare or violence outcomes are simulated.",
    "Taking part is read as free. Pressure to take part, and what people are told before they consent, "
    "are not simulated; a strategy that presses people may look good here and do harm.",
    "Unpaid hours stand beside the cost because they are a cost to the residents; they are not in the money.",
    "What is said, ideology, national politics, repression, competing issues, and ties that form or break "
    "are not simulated.",
)


def comparative(scenario: Scenario) -> str:
    """Say how far the numbers of a scenario can be read as a forecast.

    Without a calibration that was made for this world, and that forecast what was held out better than simple
    forecasts do, they cannot.

    Parameters
    ----------
    scenario : the resolved scenario.
    """
    named = scenario.calibration
    if named is None:
        return COMPARATIVE
    why = doubts(scenario)
    if not why:
        return CALIBRATED.format(**named.model_dump())
    return f"{COMPARATIVE} It names the calibration {named.name}, which {'; and '.join(why)}."


def summary_of(study: Study) -> list[str]:
    """Return what a planner reads first: who gains most, what it costs, for whom, and what stays."""
    sentences = [_most(study), _cheapest(study), _fairness(study), _stays(study), *_goals(study)]
    return [sentence for sentence in sentences if sentence]


def _most(study: Study) -> str:
    arm = study.verdict.leading
    levels = {name: percent(estimate_of(study.row(name, "participation_fe"))) for name in (arm, NONE)}
    if arm == NONE:
        return f"No strategy has more participants at funding end than no campaign ({levels[NONE]} %)."
    shown = "" if study.verdict.best == arm else ", so far the highest number"
    added = with_interval(study.row(arm, "participation_fe"), "against_none")
    return (
        f"With {arm} {levels[arm]} % take part at funding end, without a campaign {levels[NONE]} %: "
        f"{added} points more{shown}."
    )


def _cheapest(study: Study) -> str:
    prices = {
        arm: estimate_of(study.row(arm, "cost_per_additional_participant"))
        for arm in study.arms
        if arm != NONE
    }
    known = {arm: price for arm, price in prices.items() if not math.isnan(price)}
    if not known:
        return ""
    arm = min(known, key=lambda name: known[name])
    hours = whole(estimate_of(study.row(arm, "volunteer_hours")))
    return (
        f"An additional participant costs least with {arm}: {additional(study, arm)} "
        f"{study.scenario.campaign.currency}, beside {hours} unpaid hours in all."
    )


def _fairness(study: Study) -> str:
    narrowing = []
    for arm in study.arms:
        gap = study.row(arm, "gap_fe")
        if arm != NONE and gap is not None and limits(gap, "against_none")[1] < 0:
            narrowing.append(arm)
    parts = [
        f"{listed(arms)} {verb}{'s' if len(arms) == 1 else ''} the gap between groups"
        for verb, arms in (("widen", study.widening), ("narrow", narrowing))
        if arms
    ]
    return f"Fairness: {'; '.join(parts)}." if parts else ""


def _stays(study: Study) -> str:
    arm = study.verdict.leading
    kept = study.row(arm, "effect_kept")
    if arm == NONE or kept is None or math.isnan(kept["estimate"]):
        return ""
    last = study.scenario.campaign.horizon_weeks - 1
    words = f"In week {last}, after funding, {arm} still has {ratio(kept, 100)} % of its effect"
    organizers = study.row(arm, "organizers_kept")
    if organizers is not None and not math.isnan(organizers["estimate"]):
        words += f", and {ratio(organizers, 100)} % of its organizers"
    return f"{words}."


def _goals(study: Study) -> list[str]:
    """One sentence a goal: how often it is met in truth, and how often surveys say so."""
    sentences = []
    arm = study.verdict.leading
    for name, goal in goal_names(study.scenario).items():
        met = estimate_of(study.row(arm, f"goal_met__{name}"))
        believed = estimate_of(study.row(arm, f"goal_estimate_met__{name}"))
        words = f"Goal {name} is met in week {goal.by_week} in {100 * met:.0f} % of runs with {in_words(arm)}"
        if not math.isnan(believed):
            words += f"; by the surveys it would be in {100 * believed:.0f} %"
        sentences.append(f"{words}.")
    return sentences


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
    if study.scenario.calibration is not None:
        cautions += [f"calibration: {sentence}" for sentence in study.scenario.calibration.warnings]
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


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
