"""Goals held against what is true, and against what the campaign believes by its surveys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mobsim.campaign.goals import GoalSpec
from mobsim.campaign.monitoring import Estimate, estimate
from mobsim.engine.records import AWARE, PARTICIPATING, Records, ratio
from mobsim.engine.survey import SurveyResult
from mobsim.kernels.arrays import Float64, Int64
from mobsim.scenario.scenario import Scenario


def goal_names(scenario: Scenario) -> dict[str, GoalSpec]:
    """Return the goals by the name under which tables show them.

    Parameters
    ----------
    scenario : the resolved scenario.
    """
    names: dict[str, GoalSpec] = {}
    for number, goal in enumerate(scenario.goals, start=1):
        plain = f"{goal.indicator}_{goal.group}" if goal.indicator != "gap" else "gap"
        name = goal.name or (plain if plain not in names else f"{plain}_{number}")
        names[name] = goal
    return names


def goal_met(records: Records, goal: GoalSpec) -> npt.NDArray[np.bool_]:
    """Return (runs, W) whether the goal's target is met at the end of each week.

    Parameters
    ----------
    records : what was measured.
    goal : the goal.
    """
    if goal.indicator == "gap":
        return np.asarray(gap_and_parity(records, slice(None))[0] <= _at_most(goal))
    which = PARTICIPATING if goal.indicator == "participation" else AWARE
    members = _members(records, goal.group)
    count = records.counts[:, :, members, which].sum(axis=2)
    size = records.group_sizes[:, members].sum(axis=1)[:, None]
    return np.asarray(ratio(count, np.broadcast_to(size, count.shape)) >= _at_least(goal))


def goal_met_on_estimates(records: Records, goal: GoalSpec) -> Float64:
    """Return (runs,) 1 where the last survey up to the goal's week finds it met, else 0.

    NaN where nobody was asked.

    Parameters
    ----------
    records : what was measured.
    goal : the goal.
    """
    met = np.full(len(records.runs_index), np.nan)
    last = {row: survey for row, survey in records.surveys_asked if survey.week <= goal.by_week}
    if last:
        met[list(last)] = _met_by(list(last.values()), goal, records)
    return met


def gap_and_parity(records: Records, week: int | slice) -> tuple[Float64, Float64]:
    """Return (runs,) participation of the majority minus, and under, that of marginalized residents.

    Parameters
    ----------
    records : what was measured.
    week : at the end of which week; a slice of weeks gives (runs, weeks).
    """
    marginalized = marginalized_groups(records)
    counts = records.counts[:, week, :, PARTICIPATING]

    def share(members: npt.NDArray[np.bool_]) -> Float64:
        size = records.group_sizes[:, members].sum(axis=1)
        taking_part = counts @ members.astype(np.int64)
        return ratio(
            taking_part, np.broadcast_to(size if taking_part.ndim == 1 else size[:, None], taking_part.shape)
        )

    few, many = share(marginalized), share(~marginalized)
    return many - few, ratio(few, many)


def marginalized_groups(records: Records) -> npt.NDArray[np.bool_]:
    """Return (G,) which groups are marginalized.

    Parameters
    ----------
    records : for the names of groups.
    """
    return np.array([group.marginalized for group in records.scenario.community.groups.values()])


def estimated_share(yes: Int64, survey: SurveyResult, sizes: Int64, members: slice | list[int]) -> Estimate:
    """Return the estimated share of some groups together with its standard error; NaN without respondents.

    Parameters
    ----------
    yes : (G,) who answered yes.
    survey : the survey.
    sizes : (G,) residents by group.
    members : which groups.
    """
    said, asked, size = (int(counts[members].sum()) for counts in (yes, survey.asked, sizes))
    return estimate(said, asked, size, survey.misreport)


def _met_by(surveys: Sequence[SurveyResult], goal: GoalSpec, records: Records) -> Float64:
    """Score a goal on each of some surveys: 1, 0, or NaN where the group was not asked."""
    if goal.indicator == "gap":
        marginalized = marginalized_groups(records)
        few, many = (_believed(surveys, PARTICIPATING, members) for members in (marginalized, ~marginalized))
        found = many - few
        met = found <= _at_most(goal)
    else:
        which = PARTICIPATING if goal.indicator == "participation" else AWARE
        found = _believed(surveys, which, _members(records, goal.group))
        met = found >= _at_least(goal)
    return np.where(np.isnan(found), np.nan, met)


def _believed(
    surveys: Sequence[SurveyResult], which: int, members: slice | list[int] | npt.NDArray[np.bool_]
) -> Float64:
    """Return (surveys,) the value of `campaign.monitoring.estimate` for the share of some groups."""
    yes = np.array([s.participating_yes if which == PARTICIPATING else s.aware_yes for s in surveys])
    asked = np.array([s.asked for s in surveys])
    misreport = np.array([s.misreport for s in surveys])
    said = ratio(yes[:, members].sum(axis=1), asked[:, members].sum(axis=1))
    believed: Float64 = np.clip((said - misreport) / (1.0 - 2.0 * misreport), 0.0, 1.0)
    return believed


def _members(records: Records, group: str) -> slice | list[int]:
    return slice(None) if group == "all" else [records.groups.index(group)]


def _at_least(goal: GoalSpec) -> float:
    return goal.at_least if goal.at_least is not None else 1.0


def _at_most(goal: GoalSpec) -> float:
    return goal.at_most if goal.at_most is not None else 0.0
