"""Published facts that a scenario names, held against its runs; missed ones are shown as missed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.errors import UsageError, nearest
from mobsim.scenario.scenario import NONE, CheckSpec, Scenario

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mobsim.analysis.statistics import Interval

RATIOS = {
    "cost_per_additional": ("cost", "participation_fe"),
    "cost_per_additional_participant": ("cost", "participation_fe"),
    "effect_kept": ("participation_end", "participation_fe"),
}
"""Outcomes that are a ratio of two means, both against no campaign: numerator and denominator."""


POOLED = {"organizers_kept": "leadership_fe"}
"""Shares of a few people that are pooled over communities, and the outcome that says how many they are."""


@dataclass(frozen=True)
class CheckResult:
    """A published fact, what the runs give for it, and whether that lies inside the band.

    Attributes
    ----------
    fact, outcome, arm, against, at_least, at_most, source : as the scenario says.
    estimate, low, high : mean over luck, then communities, with its 95 % interval; NaN if it is undefined.
    met : whether the estimate lies inside the band.
    """

    fact: str
    outcome: str
    arm: str
    against: str | None
    at_least: float | None
    at_most: float | None
    source: str
    estimate: float
    low: float
    high: float
    met: bool


def check_fact(check: CheckSpec, runs: pd.DataFrame, scenario: Scenario, single: bool) -> CheckResult:
    """Measure one published fact in the runs.

    Parameters
    ----------
    check : the fact with its band. Its outcome is a column of the runs, or one of `RATIOS`.
    runs : the table of runs.
    scenario : the scenario, for the number of residents.
    single : the community was imported: luck is the unit.

    Raises
    ------
    UsageError : for an arm or outcome that the runs do not have.
    """
    arms = [check.arm] if check.against is None else [check.arm, check.against]
    _must_be_there(check, arms, runs)
    if check.outcome in RATIOS:
        interval = _ratio(check.outcome, arms, runs, scenario.community.residents, single)
    elif POOLED.get(check.outcome) in runs.columns:
        interval = _pooled(check.outcome, arms, runs, single)
    else:
        interval = _mean(check.outcome, arms, runs, single)
    inside = (check.at_least is None or interval.estimate >= check.at_least) and (
        check.at_most is None or interval.estimate <= check.at_most
    )
    return CheckResult(
        fact=check.fact,
        outcome=check.outcome,
        arm=check.arm,
        against=check.against,
        at_least=check.at_least,
        at_most=check.at_most,
        source=check.source,
        estimate=interval.estimate,
        low=interval.low,
        high=interval.high,
        met=inside and not math.isnan(interval.estimate),
    )


def _must_be_there(check: CheckSpec, arms: list[str], runs: pd.DataFrame) -> None:
    known = runs["arm"].unique().tolist()
    outcomes = [*(name for name in runs.columns if name not in ("arm", "community", "luck")), *RATIOS]
    for word, allowed in (*((arm, known) for arm in arms), (check.outcome, outcomes)):
        if word not in allowed:
            raise UsageError(
                f"check ({check.fact}): found {word!r}, which the runs do not have{nearest(word, allowed)}"
            )


def _by_unit(runs: pd.DataFrame, arm: str, outcome: str, single: bool) -> NDArray[np.float64]:
    """Return (n_units,) an outcome by community (by luck in an imported one), mean over the other."""
    rows = runs[runs["arm"] == arm]
    means = rows.groupby("luck" if single else "community", sort=True)[outcome].mean()
    values: NDArray[np.float64] = means.to_numpy(dtype=np.float64)
    return values


def _mean(outcome: str, arms: list[str], runs: pd.DataFrame, single: bool) -> Interval:
    """Mean of an outcome, or of its paired difference between two arms; units without it are left out."""
    from mobsim.analysis.statistics import Interval, paired_interval

    values = _by_unit(runs, arms[0], outcome, single)
    if len(arms) == 2:
        values = values - _by_unit(runs, arms[1], outcome, single)
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(math.nan, math.nan, math.nan)
    return paired_interval(values)


def _pooled(outcome: str, arms: list[str], runs: pd.DataFrame, single: bool) -> Interval:
    """Pooled share of few people, or its difference between two arms, with bootstrap limits."""
    from mobsim.analysis.ratios import bootstrap_interval
    from mobsim.analysis.statistics import Interval

    counted = runs.assign(pooled=(runs[outcome] * runs[POOLED[outcome]]).fillna(0.0))
    measures = [
        _by_unit(counted, arm, column, single) for arm in arms for column in ("pooled", POOLED[outcome])
    ]
    if not all(whole.any() for whole in measures[1::2]):
        return Interval(math.nan, math.nan, math.nan)
    return bootstrap_interval(np.stack(measures), _ratio_or_difference)


def _ratio_or_difference(means: NDArray[np.float64]) -> Any:
    """Return the ratio of two means, or of four the difference of the two ratios."""
    ratio = means[0] / means[1]
    return ratio if len(means) == 2 else ratio - means[2] / means[3]


def _ratio(outcome: str, arms: list[str], runs: pd.DataFrame, residents: int, single: bool) -> Interval:
    """Ratio of two means against no campaign, or its difference between two arms, with bootstrap limits.

    Undefined where a denominator's own interval holds 0.
    """
    from mobsim.analysis.ratios import bootstrap_interval
    from mobsim.analysis.statistics import Interval, paired_interval

    top, bottom = RATIOS[outcome]
    scale = residents if top == "cost" else 1
    measures = []
    for arm in arms:
        numerator, denominator = (
            _by_unit(runs, arm, column, single) - _by_unit(runs, NONE, column, single)
            for column in (top, bottom)
        )
        if not paired_interval(denominator).low > 0:
            return Interval(math.nan, math.nan, math.nan)
        measures += [numerator, scale * denominator]
    return bootstrap_interval(np.stack(measures), _ratio_or_difference)
