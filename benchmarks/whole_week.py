"""What the bench runs for W5, the whole week: sizes, inputs for other programs, and how results are compared.

1,000 residents in households, 130 weeks of awareness, exposure, participation, lapse, turnover, forgetting,
learning and counts, without a campaign. mobsim is timed with every rule on: leaders, organizations and
organizers move as well, which the other programs leave out. What is compared is the week that all of them
run: mobsim once more, outside the clock, with these three at rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from benchmarks.works import OURS, Finding, Result, Work, _compared, _pairs

RESIDENTS = 1000
WEEKS = 130
COMPARED_WEEKS = (26, 78, 130)
AT_REST = {"organizer_start": 0.0, "leader_reconsider": 0.0, "organization_reconsider": 0.0}
"""What mobsim leaves out where its results are compared."""


@dataclass(frozen=True)
class Width:
    """How many runs one call of mobsim makes: arms x luck, on so many threads."""

    arms: int
    luck: int
    threads: int


WIDTHS = {
    "W5-L1": Width(1, 1, 1),
    "W5-L16": Width(1, 16, 1),
    "W5-L64": Width(1, 64, 1),
    "W5-8x8": Width(8, 8, 1),
    "W5-L128": Width(1, 128, 2),
}

WORKS = {
    "W5-L1": Work(RESIDENTS, WEEKS, "resident-weeks", "the whole week, one run at a time"),
    "W5-L16": Work(RESIDENTS, WEEKS, "resident-weeks", "the whole week, 16 runs at a time"),
    "W5-L64": Work(RESIDENTS, WEEKS, "resident-weeks", "the whole week, 64 runs at a time"),
    "W5-8x8": Work(RESIDENTS, WEEKS, "resident-weeks", "the whole week, 8 arms x 8 lucks at a time"),
    "W5-L128": Work(
        RESIDENTS, WEEKS, "resident-weeks", "the whole week, 128 runs at a time, mobsim on two threads"
    ),
}


@dataclass(frozen=True, eq=False)
class Inputs:
    """W5 as plain arrays and numbers.

    work : name, as in `WORKS`; n : residents; weeks : how long.
    row_start : (n + 1,) int64; neighbours : (ties,) uint32. Row i lists who influences i, ascending.
    group : (n,) uint8, index into parameters["groups"]. influence : (n,) float64 weight in others' exposure.
    is_leader : (n,) bool; leaning : (n,) int8: 1 a supportive leader, -1 an opposed one, 0 everybody else.
    aware, participating : (n,) bool at the start. threshold, capability, trust : (n,) float32 at the start.
    parameters : "groups": one mapping a group; "behaviour": numbers of the rules by name.
    """

    work: str
    n: int
    weeks: int
    row_start: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.uint32]
    group: npt.NDArray[np.uint8]
    influence: npt.NDArray[np.float64]
    is_leader: npt.NDArray[np.bool_]
    leaning: npt.NDArray[np.int8]
    aware: npt.NDArray[np.bool_]
    participating: npt.NDArray[np.bool_]
    threshold: npt.NDArray[np.float32]
    capability: npt.NDArray[np.float32]
    trust: npt.NDArray[np.float32]
    parameters: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write everything into one .npz file."""
        about = json.dumps(
            {"work": self.work, "n": self.n, "weeks": self.weeks, "parameters": self.parameters}
        )
        np.savez(path, about=np.array(about), **{name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path) -> Inputs:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            return cls(**about, **{name: stored[name] for name in _ARRAYS})


_ARRAYS = (
    "row_start",
    "neighbours",
    "group",
    "influence",
    "is_leader",
    "leaning",
    "aware",
    "participating",
    "threshold",
    "capability",
    "trust",
)
_OF_GROUPS = ("barrier", "background_media", "capability", "trust", "aware")
_OF_BEHAVIOUR = (
    "social_weight",
    "noise",
    "reconsider",
    "visibility",
    "habit",
    "appeal_weight",
    "capability_weight",
    "results_weight",
    "capability_sd",
    "trust_sd",
    "tell_participant",
    "tell_other",
    "awareness_half_life",
    "appeal_half_life",
    "capability_half_life",
    "ownership_half_life",
    "learning",
    "ownership_growth",
    "lapse",
    "turnover",
    "results_rate",
    "results_half",
)


def scenario_data(work: str, residents: int | None = None, *, at_rest: bool = False) -> dict[str, Any]:
    """Return the work as a mobsim scenario (the person's form): the default scenario without burn-in.

    Parameters
    ----------
    work : one of `WORKS`.
    residents : another number of residents, for tests.
    at_rest : leaders, organizations and organizers stay as they are.
    """
    width = WIDTHS[work]
    data: dict[str, Any] = {
        "schema_version": 2,
        "title": work,
        "description": WORKS[work].what,
        "community": {"residents": residents or RESIDENTS},
        "campaign": {"burn_in_weeks": 0, "horizon_weeks": WEEKS},
        "arms": {f"idle_{k}": {"activities": []} for k in range(1, width.arms)},
    }
    if at_rest:
        data["behaviour"] = AT_REST
    return data


def inputs(work: str, residents: int | None = None) -> Inputs:
    """Build the inputs of a work with mobsim's community builder (community 0 of `scenario_data`).

    Parameters
    ----------
    work : one of `WORKS`.
    residents : another number of residents, for tests.
    """
    from mobsim.engine.run import build
    from mobsim.scenario.resolve import resolve

    scenario = resolve(scenario_data(work, residents))
    community = build(scenario, 0)
    behaviour = {name: float(getattr(scenario.behaviour, name)) for name in _OF_BEHAVIOUR}
    thresholds = scenario.behaviour.thresholds
    behaviour |= {"threshold_mean": float(thresholds.mean), "threshold_sd": float(thresholds.sd)}
    groups = [
        {name: float(getattr(group, name)) for name in _OF_GROUPS}
        for group in scenario.community.groups.values()
    ]
    arrays = {name: np.array(getattr(community, name)) for name in _ARRAYS}
    arrays["influence"] = community.influence / 8
    return Inputs(
        work=work,
        n=community.n_residents,
        weeks=WEEKS,
        parameters={"groups": groups, "behaviour": behaviour},
        **arrays,
    )


def week_result(aware: npt.NDArray[Any], participating: npt.NDArray[Any]) -> Result:
    """What a program tells of W5: who is aware and who takes part at the end of weeks 26, 78 and 130.

    Parameters
    ----------
    aware, participating : (runs, 130) residents at the end of each week.
    """
    weeks = np.array(COMPARED_WEEKS) - 1
    return {
        "aware": np.asarray(aware)[:, weeks].astype(int).tolist(),
        "participating": np.asarray(participating)[:, weeks].astype(int).tolist(),
    }


def check(work: str, results: Mapping[str, Sequence[Result]], ours: str = OURS) -> list[Finding]:
    """Compare the means of all programs with ours: as in works.check, within 4 standard errors.

    Parameters
    ----------
    work : one of `WORKS`.
    results : what `Outcome.result()` told, one for each call, by program.
    ours : whom the others are compared with; if it has no results, the first program that has some.
    """
    del work
    told = {name: several for name, several in results.items() if several}
    found = []
    for key in ("aware", "participating"):
        runs = {name: np.concatenate([result[key] for result in several]) for name, several in told.items()}
        for name, reference in _pairs(runs, ours):
            for k, week in enumerate(COMPARED_WEEKS):
                column = {who: counts[:, k] for who, counts in runs.items()}
                samples = list(column.values())
                what = f"mean {key} in week {week}"
                found.append(_compared(name, reference, what, column[name], column[reference], samples, 4.0))
    return found
