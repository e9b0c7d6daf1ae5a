"""A study: all strategies of a scenario simulated, compared, and held against published facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from mobsim.analysis.facts import CheckResult, check_fact
from mobsim.errors import UsageError
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.analysis.compare import Comparison
    from mobsim.analysis.verdict import Verdict

PRIMARY = "participation_fe"
"""The outcome on which the verdict stands: participation in the last funded week."""

FIRST_STAGE = 32
"""Least number of communities before a second stage."""

MOST_COMMUNITIES = 100_000
"""A second stage beyond this is refused."""

DRIFT_OF_PARTICIPATION, DRIFT_OF_AWARENESS = 0.02, 0.05
"""A community at rest changes by less than this without a campaign (docs/odd.md)."""

Progress = Callable[[int, int], None]


class Tables(Protocol):
    """What a simulation hands over: tidy tables (docs/outcomes.md)."""

    def runs(self) -> pd.DataFrame:
        """One row a run."""

    def weeks(self) -> pd.DataFrame:
        """One row a run and week."""

    def activities(self) -> pd.DataFrame:
        """One row an arm, activity and week."""

    def organizations(self) -> pd.DataFrame:
        """One row an arm, organization and decision week."""

    def domains(self) -> pd.DataFrame:
        """One row an arm and decision week."""

    def surveys(self) -> pd.DataFrame:
        """One row a run and survey; no rows if nobody asks."""


@dataclass(frozen=True)
class Drift:
    """How far the community moves by itself: no campaign, last week minus week 0, as shares."""

    participation: float
    awareness: float

    @property
    def at_rest(self) -> bool:
        """Whether participation moves by less than 2 points and awareness by less than 5."""
        return abs(self.participation) < DRIFT_OF_PARTICIPATION and abs(self.awareness) < DRIFT_OF_AWARENESS

    @property
    def sentence(self) -> str:
        """What that means, in words."""
        moves = (
            f"without a campaign participation moves by {_signed_points(self.participation)} points and "
            f"awareness by {_signed_points(self.awareness)} between week 0 and the last week"
        )
        if self.at_rest:
            return f"{moves}: the community is at rest"
        return (
            f"{moves}: this is no community at rest (less than 2 and 5 points); every level holds this "
            "drift, differences between strategies do not"
        )


@dataclass(frozen=True, eq=False)
class Study:
    """A scenario with its runs, their comparison, and the facts it was held against.

    Attributes
    ----------
    scenario : the resolved scenario.
    comparison : estimates, intervals and the verdict.
    runs, weeks, activities, organizations, domains, surveys : the tables of docs/outcomes.md.
    checks : published facts, in the order of the scenario.
    drift : movement without a campaign; None where there is no state of rest (preset bare).
    until : half-width that a second stage was run for, or None.
    first_stage : communities of the first stage, or None.
    model_class : name of the model class that was run instead of the engine, or None.
    """

    scenario: Scenario
    comparison: Comparison
    runs: pd.DataFrame
    weeks: pd.DataFrame
    activities: pd.DataFrame
    organizations: pd.DataFrame
    domains: pd.DataFrame
    surveys: pd.DataFrame
    checks: tuple[CheckResult, ...]
    drift: Drift | None
    until: float | None = None
    first_stage: int | None = None
    model_class: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict; `print(study.verdict.text)` shows it."""
        return self.comparison.verdict

    @property
    def arms(self) -> tuple[str, ...]:
        """No campaign first, then the strategies in the order of the scenario."""
        return (NONE, *(arm for arm in self.scenario.arms if arm != NONE))

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups; the first is the majority."""
        return tuple(self.scenario.community.groups)

    @property
    def funding_end(self) -> int:
        """The last funded week, or the last week if that comes first."""
        campaign = self.scenario.campaign
        return min(campaign.funding_ends_week, campaign.horizon_weeks) - 1

    def row(self, arm: str, outcome: str, group: str = "all") -> dict[str, Any] | None:
        """Return one row of the comparison table, or None where the runs have no such outcome.

        Parameters
        ----------
        arm : a strategy, or none.
        outcome : such as participation_fe.
        group : a group's name, or all.
        """
        return self._rows.get((arm, outcome, group))

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """The rows of the comparison by arm, outcome and group, made once: a page asks for hundreds."""
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for row in self.comparison.table.to_dict("records"):
            rows.setdefault((row["arm"], row["outcome"], row["group"]), {str(key): row[key] for key in row})
        return rows

    @property
    def widening(self) -> tuple[str, ...]:
        """Strategies under which the gap at funding end is shown to be wider than without a campaign."""
        wide = []
        for arm in self.arms:
            gap = self.row(arm, "gap_fe")
            if arm != NONE and gap is not None and gap["against_none_low"] > 0:
                wide.append(arm)
        return tuple(wide)


def compare(
    scenario: Scenario,
    *,
    communities: int | None = None,
    luck: int | None = None,
    threads: int | None = None,
    until: float | None = None,
    model_class: type[Any] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Simulate all strategies of a scenario and no campaign, and compare them.

    Parameters
    ----------
    scenario : from `load_scenario`.
    communities, luck : how many; none: as the scenario says. An imported community is always one.
    threads : none: as many as the machine has.
    until : wanted half-width of every difference with the best, as a share; Stein's two stages: the first
        tells how many communities a second one needs, which is then run once.
    model_class : a subclass of `MobilizationModel` whose agents decide in their own way; slower.
    progress : called as `progress(done_runs, all_runs)`.

    Returns
    -------
    Study

    Raises
    ------
    UsageError : for numbers out of range, or a second stage of an imported community.

    Examples
    --------
    >>> from mobsim.scenario.file import load_scenario  # doctest: +SKIP
    >>> study = compare(load_scenario("my_scenario.yaml"), communities=8)  # doctest: +SKIP
    >>> print(study.verdict.text)  # doctest: +SKIP
    """
    n_communities = scenario.replicates.communities if communities is None else communities
    n_luck = scenario.replicates.luck if luck is None else luck
    _check_design(scenario, communities, n_communities, n_luck, until)
    if single_community(scenario):
        n_communities = 1

    def simulated(first: int, end: int) -> Tables:
        told = None if progress is None else _after(progress, first * n_luck * n_arms)
        return _simulate(scenario, range(first, end), n_luck, threads, model_class, told)

    n_arms = len({NONE, *scenario.arms})
    name = None if model_class is None else model_class.__name__
    if until is None:
        return study_of(scenario, simulated(0, n_communities), model_class=name)
    first_stage = max(FIRST_STAGE, n_communities)
    tables = simulated(0, first_stage)
    needed = communities_needed(scenario, tables, until)
    if needed > first_stage:
        tables = TwoStages(tables, simulated(first_stage, needed))
    return study_of(scenario, tables, until=until, first_stage=first_stage, model_class=name)


def _after(progress: Progress, before: int) -> Progress:
    """Count the runs of a first stage in."""
    return lambda done, of: progress(before + done, before + of)


@dataclass(frozen=True, eq=False)
class TwoStages:
    """The tables of two simulations of different communities as one."""

    first: Tables
    second: Tables

    def runs(self) -> pd.DataFrame:
        """One row a run, arm by arm."""
        return self._joined(self.first.runs(), self.second.runs())

    def weeks(self) -> pd.DataFrame:
        """One row a run and week, arm by arm."""
        return self._joined(self.first.weeks(), self.second.weeks())

    def activities(self) -> pd.DataFrame:
        """One row an arm, activity and week, mean over the runs of both stages."""
        return self._weighted(self.first.activities(), self.second.activities())

    def organizations(self) -> pd.DataFrame:
        """One row an arm, organization and decision week, mean over the runs of both stages."""
        from mobsim.engine.organization_table import with_quadrants

        return with_quadrants(self._weighted(self.first.organizations(), self.second.organizations()))

    def domains(self) -> pd.DataFrame:
        """One row an arm and decision week, mean over the runs of both stages."""
        return self._weighted(self.first.domains(), self.second.domains())

    def surveys(self) -> pd.DataFrame:
        """One row a run and survey, arm by arm."""
        return self._joined(self.first.surveys(), self.second.surveys())

    def _weighted(self, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
        """Average two tables of means, row by row, by the runs behind them."""
        sizes = len(self.first.runs()), len(self.second.runs())
        means = first.copy()
        for name in first.select_dtypes("number").columns.drop("week"):
            means[name] = (first[name] * sizes[0] + second[name] * sizes[1]) / sum(sizes)
        return means

    def _joined(self, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        filled = [table for table in (first, second) if len(table)]
        if not filled:
            return first
        whole = pd.concat(filled, ignore_index=True)
        arms = {arm: place for place, arm in enumerate(dict.fromkeys(whole["arm"]))}
        place = whole["arm"].map(arms)
        return whole.iloc[place.argsort(kind="stable")].reset_index(drop=True)


def study_of(
    scenario: Scenario,
    tables: Tables,
    *,
    until: float | None = None,
    first_stage: int | None = None,
    model_class: str | None = None,
) -> Study:
    """Compare the tables of a simulation that has been run.

    Parameters
    ----------
    scenario : the scenario they come from.
    tables : with every arm, none included.
    until, first_stage, model_class : recorded in the study; see `Study`.
    """
    from mobsim.analysis.compare import compare_outcomes

    runs = tables.runs()
    comparison = compare_outcomes(
        comparable(runs),
        residents=scenario.community.residents,
        matters=scenario.matters,
        outcome=PRIMARY,
        single_community=single_community(scenario),
        horizon=scenario.campaign.horizon_weeks,
        first_stage=first_stage,
    )
    return Study(
        scenario=scenario,
        comparison=comparison,
        runs=runs,
        weeks=tables.weeks(),
        activities=tables.activities(),
        organizations=tables.organizations(),
        domains=tables.domains(),
        surveys=tables.surveys(),
        checks=tuple(
            check_fact(check, runs, scenario, single_community(scenario)) for check in scenario.check
        ),
        drift=None if scenario.preset == "bare" else drift_of(runs),
        until=until,
        first_stage=first_stage,
        model_class=model_class,
    )


def single_community(scenario: Scenario) -> bool:
    """Say whether people and ties were imported: that is one community, and luck is the unit."""
    return scenario.community.network.kind == "files"


def comparable(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that can be compared: those that exist in some run of some arm.

    Without a marginalized group there is no gap; where nobody asks no goal is scored on estimates.
    """
    absent = [
        name
        for name in runs.columns
        if not name.startswith("time_to_goal__") and not runs[name].notna().any()
    ]
    return runs.drop(columns=absent)


def communities_needed(scenario: Scenario, tables: Tables, until: float) -> int:
    """Return how many communities in all make every difference with the best known to within `until`.

    Parameters
    ----------
    scenario : the scenario.
    tables : of the first stage.
    until : half-width, as a share.

    Raises
    ------
    UsageError : if that would be more than 100,000.
    """
    from mobsim.analysis.best import communities_until, pairwise_differences

    needed = communities_until(pairwise_differences(_values(tables.runs(), scenario)), until)
    if needed > MOST_COMMUNITIES:
        raise UsageError(
            f"until: {until:g} would need {needed:,} communities; allowed are {MOST_COMMUNITIES:,}; "
            "ask for a wider interval"
        )
    return needed


def drift_of(runs: pd.DataFrame) -> Drift:
    """Return how far participation and awareness move without a campaign, mean over all its runs."""
    rest = runs[runs["arm"] == NONE]
    return Drift(
        participation=float((rest["participation_end"] - rest["participation_week0"]).mean()),
        awareness=float((rest["aware_end"] - rest["aware_week0"]).mean()),
    )


def _signed_points(share: float) -> str:
    """0.0141 is +1.4, and zero has no minus."""
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def _check_design(
    scenario: Scenario, asked: int | None, communities: int, luck: int, until: float | None
) -> None:
    """Refuse numbers of replicates that make no sense."""
    for name, number in (("communities", communities), ("luck", luck)):
        if not 1 <= number <= MOST_COMMUNITIES:
            raise UsageError(
                f"{name}: found {number}; allowed are whole numbers from 1 to {MOST_COMMUNITIES:,}"
            )
    if until is not None and not 0 < until < 1:
        raise UsageError(
            f"until: found {until:g}; allowed is a share between 0 and 1, such as 0.01 for one point"
        )
    if single_community(scenario) and (until is not None or asked not in (None, 1)):
        raise UsageError(
            f"{scenario.name}: its people and ties are imported, which is one community; "
            "ask for more luck instead of more communities or until"
        )


def _simulate(
    scenario: Scenario,
    communities: range,
    luck: int,
    threads: int | None,
    model_class: type[Any] | None,
    progress: Progress | None,
) -> Tables:
    """Run all arms with the engine, or with a model class of one's own."""
    if model_class is None:
        from mobsim.engine.run import simulate

        return simulate(scenario, communities=communities, luck=luck, threads=threads, progress=progress)
    if not hasattr(model_class, "simulate"):
        raise UsageError(
            f"model_class: found {model_class.__name__}; allowed are subclasses of MobilizationModel"
        )
    tables: Tables = model_class.simulate(scenario, communities=communities, luck=luck, progress=progress)
    return tables


def _values(runs: pd.DataFrame, scenario: Scenario) -> Any:
    """(n_arms, n_communities, n_lucks) the primary outcome, no campaign first, then in alphabetical order."""
    ordered = runs.assign(none=runs["arm"] != NONE).sort_values(["none", "arm", "community", "luck"])
    shape = (runs["arm"].nunique(), runs["community"].nunique(), runs["luck"].nunique())
    return ordered[PRIMARY].to_numpy(dtype=float).reshape(shape)
