"""A calibration held against its scenario and its data: what is varied, simulated and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mobsim.analysis.calibration.observed import NO_COMMUNITIES, Evidence, read_evidence
from mobsim.analysis.calibration.score import LEAST_UNITS
from mobsim.analysis.calibration.simulated import Simulator
from mobsim.analysis.calibration.spec import CalibrationSpec, calibration_of, load_calibration
from mobsim.errors import ScenarioError
from mobsim.experiment.design import design_of
from mobsim.experiment.factors import Factor
from mobsim.experiment.plan import SweepPlan, plan_sweep
from mobsim.experiment.worlds import Worlds
from mobsim.scenario.document import Document
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import InvalidScenario, shown
from mobsim.scenario.scenario import Scenario

FORMAT = 1
"""Version of what a digest covers and of what is kept of a search."""

COMMUNITIES, LUCK = 16, 1
"""Replicates of a trial, if the file does not say: noise falls with communities rather than with luck."""

FRESH_COMMUNITIES = 16
"""Finalists are run on at least so many fresh communities (or luck, of an imported one)."""

SHARED = ("schema_version", "name", "title", "question", "scenario", "set", "replicates", "seed", "factors")
"""Sections that mean the same in a calibration and in the design of a sweep."""


@dataclass(frozen=True, eq=False)
class CalibrationPlan:
    """The plan of a calibration.

    Attributes
    ----------
    spec : what is asked.
    factors : what is fitted.
    base : the scenario with what all trials share.
    evidence : what was observed.
    simulator : simulates trials for the search.
    fresh : simulates the finalists, on replicates that the search did not see.
    digest : sha256 of all that decides the numbers but the number of trials, 64 hexadecimal digits.
    """

    spec: CalibrationSpec
    factors: tuple[Factor, ...]
    base: Scenario
    evidence: Evidence
    simulator: Simulator
    fresh: Simulator
    digest: str

    def overrides(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a trial sets, by place of the scenario.

        Parameters
        ----------
        values : by the factor's name.
        """
        return {place: values[factor.name] for factor in self.factors for place in factor.places}


def plan_calibration(spec: CalibrationSpec | str | Path | Mapping[str, Any]) -> CalibrationPlan:
    """Hold a calibration against its scenario and its data.

    Parameters
    ----------
    spec : a calibration, its file, or what such a file says as plain data.

    Raises
    ------
    MobsimError
        with one sentence: file, line, what was found, what is allowed.
    """
    if isinstance(spec, Mapping):
        spec = calibration_of(Document(dict(spec)))
    elif not isinstance(spec, CalibrationSpec):
        spec = load_calibration(spec)
    whole = _as_sweep(spec, None)
    evidence = read_evidence(spec, whole.base)
    sweep = _as_sweep(spec, evidence.arms)
    named = _worlds_of_communities(spec, evidence, sweep.worlds)
    world_of = tuple(
        list(named).index(name) + 1 if name in named else 0 for name in evidence.table["community"]
    )
    used = sorted(set(world_of))
    all_worlds = (sweep.worlds, *named.values())
    simulator = Simulator(
        evidence=evidence,
        worlds=tuple(all_worlds[number] for number in used),
        world_of=tuple(used.index(number) for number in world_of),
        arms=evidence.arms,
        communities=_numbers(spec, sweep.base, "communities"),
        luck=_numbers(spec, sweep.base, "luck"),
    )
    _check_replicates(spec, simulator)
    digest = _digest(spec, sweep, simulator)
    return CalibrationPlan(
        spec, sweep.factors, sweep.base, evidence, simulator, _with_fresh_replicates(simulator), digest
    )


def _as_sweep(spec: CalibrationSpec, arms: tuple[str, ...] | None) -> SweepPlan:
    """Plan a sweep over the same factors: it checks every place and value, and knows their lines."""
    document = spec.document
    data = document.data or spec.model_dump(mode="json", exclude_unset=True)
    shared = {key: value for key, value in data.items() if key in SHARED}
    points = {"kind": "latin_hypercube", "points": 1}
    if arms is None:
        asked = {**shared, "design": points}
    else:
        named = [arm for arm in arms if arm != "none"]
        asked = {**shared, "design": points, "arms": named or ["none"]}
    known = design_of(Document(asked, document.file, document.folder, document.lines))
    return plan_sweep(known)


def _worlds_of_communities(spec: CalibrationSpec, evidence: Evidence, worlds: Worlds) -> dict[str, Worlds]:
    """Return the scenario of each observed community that differs from the others."""
    found: dict[str, Worlds] = {}
    for name, places in spec.communities.items():
        if name not in evidence.communities:
            raise spec.refused(
                ("communities", name),
                f"communities: {shown(name)} was not observed; allowed: "
                f"{', '.join(filter(None, evidence.communities)) or NO_COMMUNITIES}",
            )
        own = worlds.shared(places)
        try:
            _ = own.base
        except ScenarioError as error:
            reason = error.sentences[0] if isinstance(error, InvalidScenario) else str(error)
            raise spec.refused(
                ("communities", name), f"communities.{name}: the scenario refuses this: {reason}"
            ) from None
        found[name] = own
    return found


def _numbers(spec: CalibrationSpec, base: Scenario, what: str) -> tuple[int, ...]:
    said = getattr(spec.replicates, what)
    if said is None:
        imported = base.community.network.kind == "files"
        said = {
            "communities": 1 if imported else COMMUNITIES,
            "luck": COMMUNITIES * LUCK if imported else LUCK,
        }[what]
    return tuple(range(said))


def _check_replicates(spec: CalibrationSpec, simulator: Simulator) -> None:
    imported = any(worlds.base.community.network.kind == "files" for worlds in simulator.worlds)
    if imported and len(simulator.communities) > 1:
        raise spec.refused(
            ("replicates", "communities"),
            f"replicates.communities is {len(simulator.communities)}; allowed: 1, since a community from "
            f"files is one",
        )
    if max(simulator.units) + 1 < LEAST_UNITS:
        what = "luck" if len(simulator.communities) == 1 else "communities"
        raise spec.refused(
            ("replicates", what),
            f"replicates.{what} is {max(simulator.units) + 1}; allowed: at least {LEAST_UNITS}, so that "
            f"noise can be "
            "told from differences",
        )


def _with_fresh_replicates(simulator: Simulator) -> Simulator:
    """Return the same simulator on replicates that have other numbers."""
    if len(simulator.communities) == 1:
        n = max(len(simulator.luck), FRESH_COMMUNITIES)
        return replace(simulator, luck=tuple(range(len(simulator.luck), len(simulator.luck) + n)))
    first = len(simulator.communities)
    return replace(simulator, communities=tuple(range(first, first + max(first, FRESH_COMMUNITIES))))


def _digest(spec: CalibrationSpec, sweep: SweepPlan, simulator: Simulator) -> str:
    """Return the sha256 of all that decides the numbers; more trials go on with the same search."""
    evidence = simulator.evidence
    table = evidence.table
    decides = {
        "format": FORMAT,
        "mobsim": version("mobsim"),
        "scenarios": [plain(worlds.base) for worlds in simulator.worlds],
        "factors": [[f.name, f.places, f.low, f.high, f.values, f.scale, f.whole] for f in sweep.factors],
        "targets": [
            [t.name, t.is_curve, t.outcome, t.arm, t.against, t.weight, t.scale] for t in evidence.targets
        ],
        "rows": [
            [value if isinstance(value, str) else float(value) for value in row]
            for row in table.to_numpy().tolist()
        ],
        "world_of": simulator.world_of,
        "communities": simulator.communities,
        "luck": simulator.luck,
        "search": spec.search.model_dump(exclude={"trials", "finalists"}),
    }
    text = json.dumps(decides, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
