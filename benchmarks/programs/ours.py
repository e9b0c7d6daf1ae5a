"""mobsim, through its public functions alone: `simulate` and `spread`, records included.

The community is built before the clock starts, as the ties of the other programs are made before it starts.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import sweeps, whole_week, works
from benchmarks.works import Inputs, Outcome, Task

import mobsim
from mobsim.scenario.resolve import resolve

NAME = "mobsim"
PACKAGE = "mobsim"

AWARE, PARTICIPATING = 0, 1
"""Places on the last axis of `Records.counts`."""


def counted(records: Any, what: int) -> np.ndarray:
    """(runs, weeks) residents of all groups."""
    return records.counts[:, :, :, what].sum(axis=2)


def spread_to_rest(given: Inputs) -> Task:
    """W1-fixpoint: all seed sets in one call."""
    scenario = resolve(works.scenario_data(given.work, given.n))
    community = mobsim.build(scenario, 0)
    seed_sets = [chosen.tolist() for chosen in given.seed_sets]

    def run() -> Outcome:
        spread = mobsim.spread(scenario, seed_sets, community=community, threads=1)

        def tell() -> works.Result:
            curves = np.asarray(spread.participating)[:, 0]
            first = [[len(chosen)] for chosen in seed_sets]
            joined = np.diff(np.concatenate([first, curves], axis=1), axis=1) > 0
            weeks = [int(np.flatnonzero(row)[-1]) + 1 if row.any() else 0 for row in joined]
            return works.fixpoint_result([members(spread, k, given.n) for k in range(len(seed_sets))], weeks)

        return Outcome(float(len(seed_sets)), tell)

    return run


def members(spread: Any, k: int, n: int) -> np.ndarray:
    """(n,) who takes part at the end of the first luck of seed set k."""
    final = np.zeros(n, np.bool_)
    final[np.asarray(spread.members(k, 0), np.int64)] = True
    return final


def spread_densely(given: Inputs) -> Task:
    """W1-dense: one seed set, 50 weeks; W1-dense-64: all seed sets in one call."""
    data = works.scenario_data(given.work, given.n)
    scenario = resolve(data)
    community = mobsim.build(scenario, 0)
    other = resolve(data | {"behaviour": data["behaviour"] | {"irreversible": True}})
    sets = given.seed_sets if given.work == "W1-dense-64" else given.seed_sets[:1]
    seed_sets = [chosen.tolist() for chosen in sets]

    def run() -> Outcome:
        spread = mobsim.spread(scenario, seed_sets, community=community, threads=1)

        def tell() -> works.Result:
            never_left = mobsim.spread(other, seed_sets, community=community, threads=1)
            forms = {"reversible": spread, "irreversible": never_left}
            return works.dense_result(
                **{form: np.asarray(one.participating)[:, 0].tolist() for form, one in forms.items()}
            )

        return Outcome(float(given.n * given.weeks * len(seed_sets)), tell)

    return run


def spread_by_chance(given: Inputs) -> Task:
    """W2: 1,000 cascades in one call, the next ones in the next."""
    scenario = resolve(works.scenario_data(given.work, given.n))
    community = mobsim.build(scenario, 0)
    seeds = [given.seed_sets[0].tolist()]
    cascades = given.parameters["cascades"]
    calls = itertools.count()

    def run() -> Outcome:
        first = cascades * next(calls)
        luck = list(range(first, first + cascades))
        spread = mobsim.spread(scenario, seeds, luck=luck, community=community, threads=1)
        return Outcome(
            float(cascades), lambda: works.cascade_result(np.asarray(spread.aware)[0, :, -1].tolist())
        )

    return run


def one_curve(given: Inputs) -> Task:
    """W3: one run with its curve."""
    scenario = resolve(works.scenario_data(given.work, given.n))
    community = mobsim.build(scenario, 0)
    calls = itertools.count()

    def run() -> Outcome:
        records = mobsim.simulate(
            scenario, arms=["none"], communities=[community], luck=[next(calls)], threads=1
        )
        return Outcome(
            float(given.n * given.weeks), lambda: works.curve_result(counted(records, PARTICIPATING).tolist())
        )

    return run


def sweep(given: Inputs) -> Task:
    """W4: all points and replicates in one call."""
    scenario = resolve(works.scenario_data(given.work, given.n))
    community = mobsim.build(scenario, 0)
    listed = given.parameters["points"]
    replicates = given.parameters["replicates"]
    points = [{f"behaviour.{name}": value for name, value in point.items()} for point in listed]
    calls = itertools.count()

    def run() -> Outcome:
        first = replicates * next(calls)
        records = mobsim.simulate(
            scenario,
            arms=["none"],
            communities=[community],
            luck=list(range(first, first + replicates)),
            points=points,
            threads=2,
        )

        def tell() -> works.Result:
            final = counted(records, PARTICIPATING)[:, -1].reshape(len(points), replicates)
            return works.sweep_result(range(len(points)), final)

        return Outcome(float(given.n * given.weeks * replicates * len(points)), tell)

    return run


def whole_weeks(given: whole_week.Inputs) -> Task:
    """W5: as many runs at a time as the work says; compared is a call of 64 runs of the common rules."""
    width = whole_week.WIDTHS[given.work]
    data = whole_week.scenario_data(given.work, given.n)
    scenario = resolve(data)
    community = mobsim.build(scenario, 0)
    at_rest = resolve(whole_week.scenario_data(given.work, given.n, at_rest=True))
    arms = ["none", *data["arms"]]
    calls, comparisons = itertools.count(), itertools.count()

    def run() -> Outcome:
        first = width.luck * next(calls)
        luck = list(range(first, first + width.luck))
        mobsim.simulate(scenario, arms=arms, communities=[community], luck=luck, threads=width.threads)

        def tell() -> works.Result:
            start = 64 * next(comparisons)
            records = mobsim.simulate(
                at_rest, arms=["none"], communities=1, luck=list(range(start, start + 64)), threads=1
            )
            return whole_week.week_result(counted(records, AWARE), counted(records, PARTICIPATING))

        return Outcome(float(given.n * given.weeks * width.luck * width.arms), tell)

    return run


def swept(given: whole_week.Inputs) -> Task:
    """W7: each call is a sweep of its own from the design to the ledger, processes and planning included.

    All calls give the same numbers, so that only the first ones are told.
    """
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    design = sweeps.design_of(given, folder)
    n_points, replicates = len(given.parameters["points"]), given.parameters["replicates"]
    calls = itertools.count()

    def run() -> Outcome:
        call = next(calls)
        outcome = mobsim.sweep(design, results=folder / str(call), workers=sweeps.PROCESSES)
        return Outcome(float(outcome.runs), lambda: told(outcome.results(), call))

    def told(results: Any, call: int) -> works.Result:
        runs = results.runs(["participation_end"])
        final = np.rint(runs["participation_end"].to_numpy() * given.n).reshape(n_points, replicates)
        shutil.rmtree(folder / str(call))
        return works.sweep_result(range(n_points), final if call == 0 else final[:, :0])

    return run


WORKS = {
    "W7": swept,
    "W1-fixpoint": spread_to_rest,
    "W1-dense": spread_densely,
    "W1-dense-64": spread_densely,
    "W2": spread_by_chance,
    "W3-10k": one_curve,
    "W3-100k": one_curve,
    "W4": sweep,
    **dict.fromkeys(whole_week.WIDTHS, whole_weeks),
}
