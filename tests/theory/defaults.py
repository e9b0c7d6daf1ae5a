"""Simulations at the documented defaults, and how sure a statement about them must be.

Standard errors are over communities, of means over luck; strategies are paired with no campaign. "Less than
x" holds when the estimate lies on the right side of x by more than SURE standard errors.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from mobsim.engine.records import Records
from mobsim.engine.run import simulate
from mobsim.scenario.resolve import resolve

SURE = 2.6
"""Standard errors: an error of about 1 in 200 if the truth were at the limit."""

COMMUNITIES = {500: 64, 1000: 64, 8000: 10}
LUCK = 2
FRESH = 7
"""Seed: no default was chosen on these communities."""

STRATEGIES = ("outreach", "training", "advocacy", "mixed", "media")


def simulated(
    residents: int = 1000,
    chosen: list[str] | None = None,
    communities: int | None = None,
    **sections: Any,
) -> Records:
    """Records of the default arms, or of others, with every other number a default."""
    data: dict[str, Any] = {"schema_version": 2, "title": "t", "description": "d", "seed": FRESH}
    scenario = resolve(data | {"community": {"residents": residents}} | sections)
    many = COMMUNITIES[residents] if communities is None else communities
    return simulate(scenario, arms=chosen, communities=many, luck=LUCK, threads=1)


def by_community(found: Records) -> pd.DataFrame:
    """Outcomes by (arm, community), mean over luck."""
    return found.runs().groupby(["arm", "community"]).mean(numeric_only=True)


@cache
def default_records(residents: int) -> Records:
    """All default arms; simulated once."""
    return simulated(residents)


@cache
def defaults(residents: int = 1000) -> pd.DataFrame:
    """Outcomes of all default arms by (arm, community)."""
    return by_community(default_records(residents))


def effect(table: pd.DataFrame, arm: str, outcome: str = "participation_fe") -> pd.Series[float]:
    """Paired difference from no campaign, by community."""
    difference: pd.Series[float] = table.loc[arm, outcome] - table.loc["none", outcome]
    return difference


def error(values: pd.Series[float]) -> float:
    """Standard error of a mean over communities."""
    return float(values.std() / math.sqrt(len(values)))


def jackknife(found: np.ndarray[Any, np.dtype[np.float64]]) -> pd.Series[float]:
    """Pseudo-values of a statistic of all communities (first), then without each: their mean estimates it."""
    n = len(found) - 1
    return pd.Series(n * found[0] - (n - 1) * found[1:])


def sums_without_each(values: pd.Series[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The sum over communities, and the sums that leave one out."""
    numbers = values.to_numpy(np.float64)
    return np.append(numbers.sum(), numbers.sum() - numbers)


def assert_within(values: pd.Series[float], low: float, high: float) -> None:
    """Fail unless the mean lies between the limits for sure."""
    mean, margin = float(values.mean()), SURE * error(values)
    assert low < mean - margin, f"{mean:.4f}, standard error {error(values):.4f}, not surely above {low}"
    assert mean + margin < high, f"{mean:.4f}, standard error {error(values):.4f}, not surely below {high}"
