"""What trials predict for every value that was observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobsim.analysis.calibration.observed import Evidence, Floats, Target
from mobsim.engine.points import OF_LANES
from mobsim.engine.records import AWARE, PARTICIPATING, Records
from mobsim.engine.run import join_records, run_blocks, threads_to_use
from mobsim.errors import ScenarioError
from mobsim.experiment.worlds import Worlds
from mobsim.scenario.memory import blocks_that_fit
from mobsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

COUNTED = {"participation": PARTICIPATING, "aware": AWARE}

OF_POINTS: Any = {"behaviour": True, "community": {"groups": {"__all__": set(OF_LANES)}}}
"""In what scenarios may differ that run as points of one simulation."""

Told = Callable[[int, int], None]
"""Is told runs done and all runs of a batch."""


@dataclass(frozen=True, eq=False)
class Simulator:
    """Simulates trials.

    Attributes
    ----------
    evidence : what was observed.
    worlds : for each observed community the scenario there; one for all of them if they do not differ.
    world_of : (rows,) number of the world that each observed value belongs to.
    arms : the arms that are run.
    communities, luck : numbers of the replicates.
    threads : threads to use; none: one for each processor.
    """

    evidence: Evidence
    worlds: tuple[Worlds, ...]
    world_of: tuple[int, ...]
    arms: tuple[str, ...]
    communities: tuple[int, ...]
    luck: tuple[int, ...]
    threads: int | None = None

    @property
    def n_replicates(self) -> int:
        """Replicates of a trial."""
        return len(self.communities) * len(self.luck)

    @property
    def units(self) -> tuple[int, ...]:
        """(replicates,) which community each is on; in an imported community, which luck it has."""
        if len(self.communities) == 1:
            return tuple(range(len(self.luck)))
        return tuple(c for c in range(len(self.communities)) for _ in self.luck)

    def predict(self, trials: Sequence[Mapping[str, Any]], progress: Told | None = None) -> Floats:
        """Simulate trials; those that differ only in what lanes of a block may differ in run together.

        Parameters
        ----------
        trials : for each the values that it sets, by place of the scenario.
        progress : called after every block.

        Returns
        -------
        (trials, replicates, rows)
            replicates ordered by community and luck; NaN for a trial whose values the scenario refuses, or
            that has no value for something that was observed.
        """
        found = np.full((len(trials), self.n_replicates, len(self.world_of)), np.nan)
        families = self._families(trials)
        runs_each = self.n_replicates * len(self.arms)
        of = sum(len(members) for members, _ in families) * runs_each
        before = 0
        for members, scenarios in families:
            records = self._run(scenarios, None if progress is None else _shifted(progress, before, of))
            before += len(members) * runs_each
            for world in dict.fromkeys(world for _, world in members):
                rows = self._rows_of(world)
                read = self._read(records, rows)
                for point, (trial, own) in enumerate(members):
                    if own == world:
                        found[trial][:, rows] = read[point]
        return _without_gaps(found)

    def _run(self, scenarios: Sequence[Scenario], progress: Told | None) -> Records:
        """Run scenarios that can be lanes of the same blocks, as points of one record."""
        from mobsim.engine.first_use import prepare

        prepare()
        blocks = run_blocks(
            scenarios,
            self.arms,
            self.communities,
            self.luck,
            built={},
            workers=min(threads_to_use(self.threads), blocks_that_fit(scenarios[0])),
            progress=progress,
        )
        return join_records(scenarios[0], blocks, self.arms, [{} for _ in scenarios])

    def _rows_of(self, world: int) -> npt.NDArray[np.int64]:
        return np.flatnonzero(np.asarray(self.world_of) == world)

    def _families(
        self, trials: Sequence[Mapping[str, Any]]
    ) -> list[tuple[list[tuple[int, int]], list[Scenario]]]:
        """Put (trial, world) together that can share blocks; leave out trials that are refused."""
        resolved: dict[tuple[int, int], Scenario] = {}
        for trial, overrides in enumerate(trials):
            try:
                own = {(trial, world): worlds.at(overrides) for world, worlds in enumerate(self.worlds)}
            except ScenarioError:
                continue
            resolved |= own
        families: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for key, scenario in resolved.items():
            alike = (scenario.model_dump_json(exclude=OF_POINTS), str(scenario.folder))
            families.setdefault(alike, []).append(key)
        return [(members, [resolved[key] for key in members]) for members in families.values()]

    def _read(self, records: Records, rows: npt.NDArray[np.int64]) -> Floats:
        """Return (points, replicates, rows) of what was simulated."""
        evidence = self.evidence
        shape = (len(records.points or (None,)), self.n_replicates)
        by_arm = {arm: where.reshape(shape) for arm, where in records.rows_by_arm().items()}
        runs = records.runs() if not evidence.of_curve[rows].all() else None
        found = np.empty((*shape, len(rows)))
        table = evidence.table.iloc[rows].reset_index(drop=True)
        for (number, group), part in table.groupby(["target", "group"], sort=False):
            target = evidence.targets[int(str(number))]
            if target.is_curve:
                value = _curve(records, target, str(group), by_arm[target.arm], part["week"].to_numpy())
            else:
                assert runs is not None
                value = _number(runs, target, by_arm)[..., None]
            found[..., part.index] = value
        return found


def _curve(records: Records, target: Target, group: str, where: Any, weeks: Any) -> Floats:
    """Return (points, replicates, weeks) shares of residents, or of the members of a group."""
    counts = records.counts[where[..., None], weeks, :, COUNTED[target.outcome]]
    sizes = records.group_sizes[where][..., None, :]
    if group:
        place = records.groups.index(group)
        counts, sizes = counts[..., place : place + 1], sizes[..., place : place + 1]
    return np.asarray(counts.sum(axis=-1) / sizes.sum(axis=-1), np.float64)


def _number(runs: pd.DataFrame, target: Target, by_arm: Mapping[str, Any]) -> Floats:
    """Return (points, replicates) outcomes of runs, or their differences between two arms."""
    outcome = np.asarray(runs[target.outcome], np.float64)
    found: Floats = outcome[by_arm[target.arm]]
    return found if target.against is None else found - outcome[by_arm[target.against]]


def _without_gaps(found: Floats) -> Floats:
    """What some replicates do not have is the mean of the others; if none has it, the trial is out."""
    missing = np.isnan(found)
    there = np.maximum(1, (~missing).sum(axis=1, keepdims=True))
    filled = np.where(missing, np.where(missing, 0.0, found).sum(axis=1, keepdims=True) / there, found)
    filled[np.any(missing.all(axis=1), axis=1)] = np.nan
    return filled


def _shifted(progress: Told, before: int, of: int) -> Told:
    return lambda done, _all: progress(before + done, of)
