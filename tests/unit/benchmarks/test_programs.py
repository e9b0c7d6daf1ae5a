"""The programs of the bench do the same work: tiny instances of it against plain loops over residents.

A program that is not installed is skipped.
"""

from __future__ import annotations

import importlib
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

works = pytest.importorskip("benchmarks.works")

RESIDENTS = 200
LOOP = "plain loop"
PROGRAMS = (
    "numpy_scipy",
    "mesa_agents",
    "ndlib_models",
    "cynetdiff_models",
    "starsim_module",
    "graph_tool_models",
)
CALLS = 6
"""Calls of a program whose single call is one run."""


def program(name: str) -> Any:
    """The module of a program, or skip the test."""
    try:
        return importlib.import_module(f"benchmarks.programs.{name}")
    except ImportError as problem:
        pytest.skip(str(problem))


def prepared(module: Any, work: str, given: Any) -> Any:
    """The program's task, or skip the test if it does not do this work."""
    if work not in module.WORKS:
        pytest.skip(f"{module.NAME} does not do {work}")
    return module.WORKS[work](given)


def rows(given: Any) -> list[list[int]]:
    """Who influences each resident."""
    return [part.tolist() for part in np.split(given.neighbours, given.row_start[1:-1])]


def threshold_weeks(given: Any, seed_set: int, lasting: bool, weeks: int) -> list[list[bool]]:
    """W1 by a loop: who takes part at the end of every week."""
    contacts, threshold = rows(given), given.threshold.tolist()
    now = given.first(seed_set).tolist()
    states = []
    for _ in range(weeks):
        shares = [sum(now[j] for j in contacts[i]) / len(contacts[i]) for i in range(given.n)]
        now = [(lasting and now[i]) or shares[i] >= threshold[i] for i in range(given.n)]
        states.append(now)
    return states


def cascade(given: Any, contacts: list[list[int]], rng: random.Random) -> int:
    """W2 by a loop: how many were ever active."""
    active = set(given.seed_sets[0].tolist())
    newly = list(active)
    while newly:
        told = [j for i in newly for j in contacts[i] if rng.random() < given.parameters["chance"]]
        newly = [j for j in dict.fromkeys(told) if j not in active]
        active.update(newly)
    return len(active)


def noisy_curve(
    given: Any, contacts: list[list[int]], social_weight: float, noise: float, rng: random.Random
) -> list[int]:
    """W3 by a loop: participants at the end of every week."""
    threshold, reconsider = given.threshold.tolist(), given.parameters["reconsider"]
    now = given.first().tolist()
    counts = []
    for _ in range(given.weeks):
        following = []
        for i in range(given.n):
            exposure = sum([now[j] for j in contacts[i]]) / len(contacts[i])
            choice = 1 / (1 + math.exp(-(social_weight * exposure - threshold[i]) / noise))
            following.append(rng.random() < (1 - reconsider) * now[i] + reconsider * choice)
        now = following
        counts.append(sum(now))
    return counts


def agree(work: str, name: str, results: list[Any], loop: Any, count: int = 1) -> None:
    """Let `works.check` compare a program with the loop."""
    findings = works.check(work, {LOOP: [loop], name: results}, ours=LOOP)
    assert len(findings) == count
    assert all(finding.agrees for finding in findings), findings


@pytest.mark.parametrize("name", PROGRAMS)
def test_rest_is_the_same_set_after_as_many_weeks(name: str) -> None:
    given = works.inputs("W1-fixpoint", RESIDENTS)
    module = program(name)
    result = prepared(module, "W1-fixpoint", given)().result()
    finals, weeks = [], []
    for k in range(len(result["weeks"])):
        states = threshold_weeks(given, k, True, 60)
        finals.append(np.array(states[-1]))
        weeks.append(
            next(week for week, state in enumerate([given.first(k).tolist(), *states]) if state == states[-1])
        )
    agree("W1-fixpoint", module.NAME, [result], works.fixpoint_result(finals, weeks), 2)


@pytest.mark.parametrize("work", ["W1-dense", "W1-dense-64"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_many_take_part_in_every_week(name: str, work: str) -> None:
    given = works.inputs(work, RESIDENTS)
    module = program(name)
    result = prepared(module, work, given)().result()
    sets = range(max(map(len, result.values())))
    curves = {
        form: [
            [sum(week) for week in threshold_weeks(given, k, form == "irreversible", given.weeks)]
            for k in sets
        ]
        for form in result
    }
    agree(work, module.NAME, [result], works.dense_result(**curves), len(curves))


@pytest.mark.parametrize("name", PROGRAMS)
def test_cascades_reach_as_many(name: str) -> None:
    given = works.inputs("W2", RESIDENTS)
    given = replace(given, seed_sets=np.arange(0, RESIDENTS, 20)[None])
    module = program(name)
    task = prepared(module, "W2", given)
    results = [task().result() for _ in range(CALLS)]
    assert len({tuple(result["sizes"]) for result in results}) > 1
    contacts, rng = rows(given), random.Random(1)
    loop = works.cascade_result([cascade(given, contacts, rng) for _ in range(1000)])
    agree("W2", module.NAME, results, loop)


@pytest.mark.parametrize("name", PROGRAMS)
def test_curves_agree_on_average(name: str) -> None:
    given = works.inputs("W3-10k", RESIDENTS)
    module = program(name)
    task = prepared(module, "W3-10k", given)
    results = [task().result() for _ in range(CALLS)]
    assert {len(result["counts"][0]) for result in results} == {given.weeks}
    contacts, rng = rows(given), random.Random(1)
    loop = works.curve_result([noisy_curve(given, contacts, 0.5, 0.1, rng) for _ in range(CALLS)])
    agree("W3-10k", module.NAME, results, loop, 3)


def test_first_week_follows_the_rule_resident_by_resident() -> None:
    given = replace(works.inputs("W3-10k", RESIDENTS), weeks=1)
    given = replace(given, seed_sets=np.arange(0, RESIDENTS, 2)[None])
    module = program("numpy_scipy")
    task = prepared(module, "W3-10k", given)
    first = [task().result()["counts"][0][0] for _ in range(2000)]
    contacts, rng = rows(given), random.Random(1)
    loop = [noisy_curve(given, contacts, 0.5, 0.1, rng)[0] for _ in range(500)]
    error = math.sqrt(np.var(first) / len(first) + np.var(loop) / len(loop))
    assert abs(np.mean(first) - np.mean(loop)) < 4 * error


@pytest.mark.parametrize("name", ["numpy_scipy", "mesa_agents"])
def test_points_of_the_sweep_agree(name: str) -> None:
    given = works.inputs("W4", RESIDENTS)
    module = program(name)
    given.parameters["replicates"] = 3
    result = prepared(module, "W4", given)().result()
    compared = result["points"][:: len(result["points"]) // 16]
    contacts, rng = rows(given), random.Random(1)
    loop = [
        [noisy_curve(given, contacts, **given.parameters["points"][point], rng=rng)[-1] for _ in range(3)]
        for point in compared
    ]
    agree("W4", module.NAME, [result], works.sweep_result(compared, np.array(loop)))


def test_inputs_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    given = works.inputs("W4", RESIDENTS)
    given.save(tmp_path / "inputs.npz")
    back = works.Inputs.load(tmp_path / "inputs.npz")
    assert back.parameters == given.parameters
    assert (back.work, back.n, back.weeks) == (given.work, given.n, given.weeks)
    for array in ("row_start", "neighbours", "edges", "threshold", "seed_sets"):
        assert np.array_equal(getattr(back, array), getattr(given, array))
    assert len(given.edges) * 2 == given.neighbours.size
    assert (given.edges[:, 0] < given.edges[:, 1]).all()


def test_a_wrong_result_is_found() -> None:
    right = {"sizes": list(range(90, 110)) * 10}
    wrong = {"sizes": list(range(95, 115)) * 10}
    assert [f.agrees for f in works.check("W2", {"mobsim": [right], "a": [right], "b": [wrong]})] == [
        True,
        False,
    ]
    rest = works.fixpoint_result([np.array([True, False])], [3])
    other = works.fixpoint_result([np.array([True, True])], [3])
    assert [f.agrees for f in works.check("W1-fixpoint", {"mobsim": [rest], "a": [other]})] == [False, True]
