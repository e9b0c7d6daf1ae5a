"""What was measured: arrays by run and week, and the tidy tables made from them.

A run is one replicate (community, luck) of one arm. The columns of the tables are declared in `outcomes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mobsim.campaign.activity import ActivityUse
from mobsim.campaign.goals import GoalSpec
from mobsim.engine.plan import activity_names
from mobsim.kernels.arrays import Float64, Int64
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

AWARE, PARTICIPATING, CONTACTED, UNCONTACTED = range(4)
EMPOWERMENT = 4
WEEKS_RUNNING = 4
"""A goal is reached in the first week in which it has been met for this many weeks running."""
HOURS_A_WEEK = 1.0
"""Unpaid hours of a participant in a week [A]."""
UNIT = 2.0**32


@dataclass(frozen=True, eq=False)
class Run:
    """Which run a row of the arrays is: arm, community, luck."""

    arm: str
    community: int
    luck: int


@dataclass(frozen=True, eq=False)
class Records:
    """Records of all runs of a simulation, ordered by arm, community, luck.

    scenario : the resolved scenario. funding_end : the last funded week.
    runs_index : which run each row is.
    group_sizes : (runs, G) residents by group.
    counts : (runs, W, G, 4) aware, participating, contacted, participating but never contacted.
    results, wins : (runs, W). units, cents : (runs, W, B). reached : (runs, W, B, G).
    mean_weeks : weeks with means; sums : (runs, mean_weeks, G, 6) in 2**-32.
    at_funding_end : (runs, 3) participants at funding end, of these at end, of these never left.
    unspent_cents : (runs,).
    """

    scenario: Scenario
    funding_end: int
    runs_index: tuple[Run, ...]
    group_sizes: Int64
    counts: Int64
    results: Float64
    wins: Int64
    units: Int64
    cents: Int64
    reached: Int64
    mean_weeks: tuple[int, ...]
    sums: Int64
    at_funding_end: Int64
    unspent_cents: Int64

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups; the first is the majority."""
        return tuple(self.scenario.community.groups)

    def runs(self) -> pd.DataFrame:
        """Return one row a run: arm, community, luck and all outcomes."""
        import pandas as pd

        table = self._keys()
        n = self.group_sizes.sum(axis=1)
        end = self.counts.shape[1] - 1
        weeks = {"week0": 0, "fe": self.funding_end, "end": end}
        for moment, week in weeks.items():
            for name, which in (("participation", PARTICIPATING), ("aware", AWARE)):
                table |= self._shares(f"{name}_{moment}", self.counts[:, week, :, which])
            gap, parity = self._gap_and_parity(self.counts[:, week, :, PARTICIPATING])
            table[f"gap_{moment}"] = gap
            if moment != "week0":
                table[f"parity_{moment}"] = parity
        table |= self._shares("reach", self.counts[:, end, :, CONTACTED])
        at_fe = self.counts[:, self.funding_end, :, PARTICIPATING].sum(axis=1)
        alone = self.counts[:, self.funding_end, :, UNCONTACTED].sum(axis=1)
        table["spillover_share"] = _ratio(alone, at_fe)
        table["cost"] = self.cents.sum(axis=(1, 2)) / 100.0
        table["unspent"] = self.unspent_cents / 100.0
        at_end = self.counts[:, end, :, PARTICIPATING].sum(axis=1)
        table["persistence_ratio"] = _ratio(at_end, at_fe)
        table["kept_participants"] = _ratio(self.at_funding_end[:, 1], self.at_funding_end[:, 0])
        table["never_left"] = _ratio(self.at_funding_end[:, 2], self.at_funding_end[:, 0])
        for name, goal in goal_names(self.scenario).items():
            met = self._goal_met(goal)
            table[f"time_to_goal__{name}"] = _first_run_of(met, WEEKS_RUNNING)
            table[f"goal_met__{name}"] = met[:, min(goal.by_week, end)].astype(np.int64)
        table["volunteer_hours"] = HOURS_A_WEEK * self.counts[..., PARTICIPATING].sum(axis=(1, 2))
        for moment in ("fe", "end"):
            sums = self.sums[:, self.mean_weeks.index(weeks[moment]), :, EMPOWERMENT]
            table[f"empowerment_{moment}"] = sums.sum(axis=1) / UNIT / n
            for g, group in enumerate(self.groups):
                table[f"empowerment_{moment}__{group}"] = _ratio(sums[:, g] / UNIT, self.group_sizes[:, g])
        table["results_end"] = self.results[:, end]
        table["wins_fe"] = self.wins[:, self.funding_end]
        seats = self._seats()
        for g, group in enumerate(self.groups):
            table[f"voice_share__{group}"] = _ratio(seats[:, g], seats.sum(axis=1))
        return pd.DataFrame(table)

    def weeks(self) -> pd.DataFrame:
        """Return one row a run and week."""
        import pandas as pd

        n_runs, n_weeks = self.counts.shape[:2]
        keys = self._keys()
        table: dict[str, object] = {
            name: np.repeat(np.asarray(value), n_weeks) for name, value in keys.items()
        }
        table["week"] = np.tile(np.arange(n_weeks), n_runs)
        sizes = self.group_sizes[:, None, :]
        for name, which in (("aware", AWARE), ("participation", PARTICIPATING), ("contacted", CONTACTED)):
            count = self.counts[..., which]
            table[name] = (count.sum(axis=2) / sizes.sum(axis=2)).ravel()
            for g, group in enumerate(self.groups):
                table[f"{name}__{group}"] = _ratio(
                    count[..., g], np.broadcast_to(sizes[..., g], count.shape[:2])
                ).ravel()
        table["results"] = self.results.ravel()
        table["wins"] = self.wins.ravel()
        table["spent"] = (self.cents.sum(axis=2) / 100.0).ravel()
        return pd.DataFrame(table)

    def activities(self) -> pd.DataFrame:
        """Return one row an arm, activity and week, the mean over runs."""
        import pandas as pd

        rows = []
        arms = np.array([run.arm for run in self.runs_index])
        n_weeks = self.counts.shape[1]
        for arm in dict.fromkeys(arms):
            uses = self._uses(arm)
            rows_of_arm = np.flatnonzero(arms == arm)
            for b, label in enumerate(activity_names(uses)):
                reached = self.reached[rows_of_arm, :, b].mean(axis=0)
                block = {
                    "arm": arm,
                    "activity": label,
                    "family": self.scenario.activities[uses[b].kind].family,
                    "week": np.arange(n_weeks),
                    "units": self.units[rows_of_arm, :, b].mean(axis=0),
                    "spent": self.cents[rows_of_arm, :, b].mean(axis=0) / 100.0,
                    "reached": reached.sum(axis=1),
                }
                block |= {f"reached__{group}": reached[:, g] for g, group in enumerate(self.groups)}
                rows.append(pd.DataFrame(block))
        columns = ["arm", "activity", "family", "week", "units", "spent", "reached"]
        columns += [f"reached__{group}" for group in self.groups]
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)

    def _keys(self) -> dict[str, object]:
        return {
            "arm": [run.arm for run in self.runs_index],
            "community": [run.community for run in self.runs_index],
            "luck": [run.luck for run in self.runs_index],
        }

    def _uses(self, arm: str) -> tuple[ActivityUse, ...]:
        return () if arm == NONE else self.scenario.arms[arm].activities

    def _shares(self, name: str, counts: Int64) -> dict[str, object]:
        """Share of all residents and of each group."""
        table: dict[str, object] = {name: counts.sum(axis=1) / self.group_sizes.sum(axis=1)}
        for g, group in enumerate(self.groups):
            table[f"{name}__{group}"] = _ratio(counts[:, g], self.group_sizes[:, g])
        return table

    def _gap_and_parity(self, counts: Int64) -> tuple[Float64, Float64]:
        """Majority minus, and marginalized over, the two shares of participants."""
        marginalized = np.array([group.marginalized for group in self.scenario.community.groups.values()])
        few = _ratio(counts[:, marginalized].sum(axis=1), self.group_sizes[:, marginalized].sum(axis=1))
        many = _ratio(counts[:, ~marginalized].sum(axis=1), self.group_sizes[:, ~marginalized].sum(axis=1))
        return many - few, _ratio(few, many)

    def _goal_met(self, goal: GoalSpec) -> npt.NDArray[np.bool_]:
        """(runs, W) whether the goal's target is met at the end of each week."""
        n_runs, n_weeks = self.counts.shape[:2]
        if goal.indicator == "gap":
            gaps = [
                self._gap_and_parity(self.counts[:, week, :, PARTICIPATING])[0] for week in range(n_weeks)
            ]
            met = np.stack(gaps, axis=1) <= (goal.at_most if goal.at_most is not None else 0.0)
            return np.asarray(met)
        which = PARTICIPATING if goal.indicator == "participation" else AWARE
        members = slice(None) if goal.group == "all" else [self.groups.index(goal.group)]
        count = self.counts[:, :, members, which].sum(axis=2)
        size = self.group_sizes[:, members].sum(axis=1)[:, None]
        target = goal.at_least if goal.at_least is not None else 1.0
        return np.asarray(_ratio(count, np.broadcast_to(size, (n_runs, n_weeks))) >= target)

    def _seats(self) -> Int64:
        """(runs, G) seats taken at meetings: activities that give ownership to those who come."""
        seats = np.zeros(self.group_sizes.shape, np.int64)
        for row, run in enumerate(self.runs_index):
            for b, use in enumerate(self._uses(run.arm)):
                activity = self.scenario.activities[use.kind]
                if activity.delivery == "seats" and activity.ownership > 0:
                    seats[row] += self.reached[row, :, b].sum(axis=0)
        return seats


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


def _ratio(numerator: object, denominator: object) -> Float64:
    """Quotient, NaN where the denominator is 0."""
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    result: Float64 = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return result


def _first_run_of(met: npt.NDArray[np.bool_], length: int) -> Float64:
    """(runs,) first week that ends `length` weeks running with True, NaN if there is none."""
    running = met.copy()
    for back in range(1, length):
        shifted = np.zeros_like(met)
        shifted[:, back:] = met[:, :-back]
        running &= shifted
    first: Float64 = np.argmax(running, axis=1).astype(np.float64)
    first[~running.any(axis=1)] = np.nan
    return first
