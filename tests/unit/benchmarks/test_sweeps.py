"""W7 and the overhead of sweeps: all programs run the same, and what is reported is what was measured."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sweeps = pytest.importorskip("benchmarks.sweeps")

from benchmarks import report, works  # noqa: E402

from mobsim.engine.run import simulate  # noqa: E402
from mobsim.experiment.plan import plan_sweep  # noqa: E402
from mobsim.scenario.resolve import resolve  # noqa: E402

RESIDENTS = 150


def program(name: str) -> Any:
    try:
        return importlib.import_module(f"benchmarks.programs.{name}")
    except ImportError as problem:
        pytest.skip(str(problem))


def by_simulate(given: Any, replicates: int) -> works.Result:
    points = [{f"behaviour.{name}": v for name, v in point.items()} for point in given.parameters["points"]]
    scenario = resolve(sweeps.scenario_data(given.n))
    records = simulate(scenario, arms=["none"], communities=1, luck=replicates, points=points, threads=1)
    final = records.counts[:, -1, :, 1].sum(axis=1).reshape(len(points), replicates)
    return works.sweep_result(range(len(points)), final)


def assert_agrees(name: str, found: works.Result, wanted: works.Result, points: int) -> None:
    [finding] = sweeps.check("W7", {"mobsim": [wanted], name: [found]})
    assert finding.agrees, finding.found
    assert finding.found == f"{points} points agree"


def test_numpy_runs_the_same_weeks() -> None:
    given = sweeps.inputs("W7", RESIDENTS)
    points = given.parameters["points"]
    weeks = program("sweep_numpy").Weeks(given)
    final = np.array([weeks.run([point] * 24, (1, k))[1, -1] for k, point in enumerate(points)])
    found = works.sweep_result(range(len(points)), final)
    assert_agrees("NumPy + SciPy", found, by_simulate(given, 24), len(points))


def test_mesa_runs_the_same_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = program("sweep_mesa")
    for name, value in (("VALUES", 2), ("REPLICATES", 5), ("PROCESSES", 1)):
        monkeypatch.setattr(module, name, value)
    given = sweeps.inputs("W7", RESIDENTS)
    outcome = module.WORKS["W7"](given)()
    assert outcome.units == 20
    assert_agrees("Mesa", outcome.result(), by_simulate(given, 24), 4)


def test_w7_as_a_design_has_the_points_of_the_inputs_in_their_order(tmp_path: Path) -> None:
    given = sweeps.inputs("W7", RESIDENTS)
    plan = plan_sweep(sweeps.design_of(given, tmp_path))
    points = [dict(point) for point in plan.points]
    assert points == given.parameters["points"]
    assert plan.n_runs == len(points) * given.parameters["replicates"]
    assert plan.base.community.residents == RESIDENTS
    assert plan.base.behaviour.leader_reconsider == 0.0


def test_weeks_and_points_that_are_written() -> None:
    assert sweeps.recorded_weeks(10) == [1, 5, 9, 10]
    given = sweeps.inputs("W7", RESIDENTS)
    assert sweeps.some_points(given, 4) == [0, 5, 10, 15]
    assert sweeps.some_points(given, 100) == list(range(16))


def test_designs_of_the_overhead_can_be_planned(tmp_path: Path) -> None:
    plans = {name: plan_sweep(design) for name, design in sweeps.designs(tmp_path, quick=True).items()}
    assert {len(plan.arms) for plan in plans.values()} == {4, 13, 1}


def test_overhead_is_measured_of_a_sweep_that_runs(tmp_path: Path) -> None:
    design = {
        "name": "small",
        "scenario": "harm_demo",
        "set": {"community.residents": 60},
        "replicates": {"communities": 1, "luck": 1},
        "factors": {"behaviour.noise": {"values": [0.05, 0.1]}},
        "design": {"kind": "grid"},
    }
    found = sweeps.overhead(design, tmp_path, 1, sweeps.LOCAL, 1)
    assert (found["tasks"], found["runs"]) == (1, 8)
    assert found["task_s"][0] > 0
    assert found["start_s"][0] > 0
    assert found["overhead"][0] > -1


def a_row(where: str, processes: int, *overhead: float) -> dict[str, Any]:
    each = {"overhead": list(overhead), "processor": [0.1], "task_s": [0.5], "start_s": [2.0]}
    about = {"scenario": f"s{processes}", "where": where, "processes": processes, "record": "none"}
    return about | {"tasks": 3, "runs": 30, "plan_s": 0.1} | each


def test_the_page_shows_the_largest_overhead_and_its_limit() -> None:
    rows = [a_row("local", 1, 0.05, 0.06, 0.2), a_row("local", 2, 0.1, 0.16, 0.17), a_row("Dask", 2, 0.2)]
    found = {"missing": "", "rows": rows}
    local, dask = report.LINES["sweep-overhead"]("sweep-overhead", found)
    assert "(s2; 2 processes)" in local.what
    assert (local.measured, local.asked, local.reached) == ("16.0% (10.0% to 17.0%)", "below 15%", False)
    assert (dask.asked, dask.reached) == ("below 25%", True)
    table = report._sweeps({"missing": "distributed is not installed", "rows": rows})
    assert "| s1 | local | 1 | none | 30 in 3 |" in table
    assert table.endswith("Dask was not measured: distributed is not installed.")
