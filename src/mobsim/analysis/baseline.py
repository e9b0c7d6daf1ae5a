"""Is a scenario's community at rest? The arm without a campaign, measured over a few communities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobsim.analysis.study import DRIFT_OF_AWARENESS, DRIFT_OF_PARTICIPATION, Drift, single_community
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.analysis.statistics import Interval

COMMUNITIES, LUCK = 8, 2
"""How many communities, and streams of luck on each, a look at the baseline takes."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Level:
    """Shares that take part and are aware in one group (or all), in week 0 and in the last week."""

    group: str
    participation_week0: float
    participation_end: float
    aware_week0: float
    aware_end: float


@dataclass(frozen=True)
class Baseline:
    """What a community does without a campaign.

    Attributes
    ----------
    communities, luck : replicates behind the numbers; an imported community is one, with more luck.
    last_week : the last simulated week.
    levels : all residents first, then each group; means over luck and communities.
    participation, awareness : drift from week 0 to the last week with its 95 % interval, as shares.
    """

    communities: int
    luck: int
    last_week: int
    levels: tuple[Level, ...]
    participation: Interval
    awareness: Interval

    @property
    def drift(self) -> Drift:
        """The drift as `compare` prints it."""
        return Drift(self.participation.estimate, self.awareness.estimate)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each quantity that moves too far, or may by its interval."""
        found = (
            ("participation", self.participation, DRIFT_OF_PARTICIPATION),
            ("awareness", self.awareness, DRIFT_OF_AWARENESS),
        )
        return tuple(sentence for words, drift, limit in found for sentence in _warning(words, drift, limit))


def measure_baseline(
    scenario: Scenario,
    *,
    communities: int = COMMUNITIES,
    luck: int = LUCK,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Baseline:
    """Simulate the arm without a campaign and measure how far it moves.

    Parameters
    ----------
    scenario : the resolved scenario.
    communities, luck : how many; an imported community is one, and all replicates are luck.
    threads : none: as many as the machine has.
    progress : called as `progress(done_runs, all_runs)`.

    Examples
    --------
    >>> from mobsim.scenario.file import load_scenario  # doctest: +SKIP
    >>> measure_baseline(load_scenario("my_village.yaml")).drift.at_rest  # doctest: +SKIP
    True
    """
    from mobsim.engine.run import simulate

    unit = "community"
    if single_community(scenario):
        communities, luck, unit = 1, communities * luck, "luck"
    records = simulate(
        scenario, arms=[NONE], communities=communities, luck=luck, threads=threads, progress=progress
    )
    runs = records.runs()
    groups = (("all", ""), *((group, f"__{group}") for group in scenario.community.groups))
    return Baseline(
        communities=communities,
        luck=luck,
        last_week=scenario.campaign.horizon_weeks - 1,
        levels=tuple(_level(runs, group, ending) for group, ending in groups),
        participation=_drift(runs, "participation", unit),
        awareness=_drift(runs, "aware", unit),
    )


def _level(runs: pd.DataFrame, group: str, ending: str) -> Level:
    columns = ("participation_week0", "participation_end", "aware_week0", "aware_end")
    return Level(group, *(float(runs[f"{column}{ending}"].mean()) for column in columns))


def _drift(runs: pd.DataFrame, outcome: str, unit: str) -> Interval:
    """Change from week 0 to the last week with its interval over communities, or over luck."""
    from mobsim.analysis.statistics import paired_interval

    change = runs[f"{outcome}_end"] - runs[f"{outcome}_week0"]
    return paired_interval(change.groupby(runs[unit]).mean().to_numpy(dtype=float))


def _warning(words: str, drift: Interval, limit: float) -> tuple[str, ...]:
    points = f"{100 * limit:g}"
    if abs(drift.estimate) >= limit:
        return (
            f"{words} moves by {100 * drift.estimate:+.1f} points without a campaign; "
            f"allowed: less than {points}; "
            "try a longer burn_in_weeks, or other thresholds, telling or background_media",
        )
    if drift.low <= -limit or drift.high >= limit:
        return (f"{words}: the interval of its drift reaches {points} points; more communities would tell",)
    return ()
