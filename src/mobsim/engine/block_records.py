"""What one block recorded, before the records of all blocks are put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mobsim.engine.records import Run
from mobsim.engine.survey import SurveyResult
from mobsim.kernels import arrays as a
from mobsim.scenario.scenario import Scenario

BY_ACTIVITY = ("units", "cents", "local", "reached")
WEEKLY = ("counts", "results", "wins", "coalition", "stances", "contacts", "income", *BY_ACTIVITY)
"""Arrays that the kernels fill week by week."""
ORGANIZATION_STATES = ("interest", "capacity", "member", "resources")
JOINED = (
    *WEEKLY,
    *ORGANIZATION_STATES,
    "group_sizes",
    "leaders",
    "sums",
    "at_funding_end",
    "organizers_at_funding_end",
    "unspent_cents",
    "local_left_cents",
)
"""Arrays of `BlockRecords` that are joined run by run."""
_ZERO = bytes(8)
"""Where the zeros of `nothing` are read."""


@dataclass(frozen=True, eq=False)
class BlockRecords:
    """What one block recorded, lane by lane; the fields are those of `Records`."""

    lanes: tuple[Run, ...]
    group_sizes: a.Int64
    leaders: a.Int64
    counts: a.Int64
    results: a.Float64
    wins: a.Int64
    coalition: a.Float64
    stances: a.Int64
    contacts: a.Int64
    income: a.Int64
    units: a.Int64
    cents: a.Int64
    local: a.Int64
    reached: a.Int64
    sums: a.Int64
    interest: a.Float64
    capacity: a.Float64
    member: a.Float64
    resources: a.Float64
    at_funding_end: a.Int64
    organizers_at_funding_end: a.Int64
    unspent_cents: a.Int64
    local_left_cents: a.Int64
    surveys_asked: tuple[SurveyResult, ...]


def nothing(shape: tuple[int, ...], kind: type = np.int64) -> npt.NDArray[Any]:
    """Return zeros that take no memory, to be read only.

    Parameters
    ----------
    shape, kind : as of other arrays.
    """
    return np.ndarray(shape, kind, buffer=_ZERO, strides=(0,) * len(shape))


def is_nothing(array: npt.NDArray[Any]) -> bool:
    """Say whether an array holds one number, 0, in all its places.

    Parameters
    ----------
    array : of any shape.
    """
    return array.size == 0 or (not any(array.strides) and not array.flat[0])


def mean_weeks(scenario: Scenario) -> tuple[int, ...]:
    """Return the weeks after which means of states are recorded.

    Parameters
    ----------
    scenario : the resolved scenario.
    """
    campaign = scenario.campaign
    end = campaign.horizon_weeks - 1
    regular = range(0, campaign.horizon_weeks, campaign.decision_interval_weeks)
    return tuple(sorted({*regular, min(campaign.funding_ends_week - 1, end), end}))
