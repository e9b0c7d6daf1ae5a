"""What a worker does with an order: tables that do not depend on how it was run, and failures as rows."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.unit.experiment.swept import village_plan
from tests.unit.experiment.troubles import EXITS, FINE, RAISES, trouble_plan, troubled

from mobsim.engine import each, run
from mobsim.engine.run import simulate
from mobsim.experiment.failure import traceback_of
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.tasks import RunKey
from mobsim.experiment.work import (
    TaskOrder,
    TaskResult,
    dead_run,
    joined_result,
    order_of,
    run_task,
)

__all__ = ["troubled"]

WHOLE = 10**9


def contents(result: TaskResult) -> dict[str, str]:
    return {name: table.digest for name, table in result.tables.items()}


def whole_order(plan: SweepPlan) -> TaskOrder:
    assert len(plan.tasks) == 1
    return order_of(plan, 0)


def test_a_task_gives_every_run_once_in_order(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, work=WHOLE)
    result = run_task(whole_order(plan))
    runs = result.tables["runs"].to_frame()
    assert list(runs.columns[:4]) == ["point", "arm", "community", "luck"]
    keys = [str(RunKey(*row)) for row in runs.iloc[:, :4].itertuples(index=False)]
    assert keys == [str(run) for run in plan.tasks[0].runs(plan.arms)]
    assert result.n_runs == plan.n_runs == len(runs)
    assert result.failures == ()
    assert result.seconds > 0
    weeks = result.tables["weeks"].to_frame()
    assert list(weeks.columns[:5]) == ["point", "arm", "community", "luck", "week"]
    assert set(weeks["week"]) == {0, 4, 7, 8, 11}
    assert len(weeks) == 5 * plan.n_runs


def test_a_run_of_a_task_is_the_run_alone(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, work=WHOLE, record={"weeks": "all"})
    result = run_task(whole_order(plan))
    for point in range(len(plan.points)):
        records = simulate(plan.world(point), arms=["training"], communities=[1], luck=[0])
        for name, alone in (("runs", records.runs()), ("weeks", records.weeks())):
            table = result.tables[name].to_frame()
            mine = table.query(f"point == {point} and arm == 'training' and community == 1 and luck == 0")
            mine = mine.drop(columns="point")[list(alone)].reset_index(drop=True)
            pd.testing.assert_frame_equal(mine, alone, check_dtype=False)


def test_no_weeks_are_kept_if_none_are_asked_for(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, work=WHOLE, record={"weeks": "none"})
    assert set(run_task(whole_order(plan)).tables) == {"runs"}


def test_tables_do_not_depend_on_the_way_an_order_is_run(tmp_path: Path) -> None:
    order = whole_order(village_plan(tmp_path, work=WHOLE))
    whole = run_task(order)
    again = run_task(pickle.loads(pickle.dumps(order)))
    assert contents(again) == contents(whole)
    for n_parts in (2, 5, 16):
        parts = order.parts(n_parts)
        assert len(parts) == n_parts
        joined = joined_result(order, [run_task(part) for part in reversed(parts)])
        assert contents(joined) == contents(whole)
        assert joined.n_runs == whole.n_runs


def test_columns_that_some_points_lack_are_empty_there(tmp_path: Path) -> None:
    goals: list[Any] = [[], [{"name": "half", "at_least": 0.5, "by_week": 7}]]
    factors = {"goals": {"values": goals, "labels": ["no", "yes"]}}
    order = whole_order(village_plan(tmp_path, work=WHOLE, factors=factors))
    result = run_task(order)
    runs = result.tables["runs"].to_frame()
    assert runs.loc[runs["point"] == 0, "goal_met__half"].isna().all()
    assert runs.loc[runs["point"] == 1, "goal_met__half"].notna().all()
    assert contents(joined_result(order, [run_task(part) for part in order.parts(3)])) == contents(result)


def test_an_order_is_halved_down_to_single_runs(tmp_path: Path) -> None:
    order = whole_order(village_plan(tmp_path, work=WHOLE))
    parts = order.parts(10_000)
    assert len(parts) == order.n_runs
    assert sorted(str(run) for part in parts for run in part.runs()) == sorted(map(str, order.runs()))
    with pytest.raises(ValueError, match="no halves"):
        parts[0].halves()


def test_the_traceback_of_a_failure_has_no_place_of_a_machine() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            json.loads("{")
    except ValueError as error:
        told = traceback_of(error)
    assert re.findall(r'File "([^"]+)"', told)[-2:] == ["json/decoder.py", "json/decoder.py"]
    assert str(Path.cwd()) not in told
    assert 'raise KeyError("inner")' in told
    assert "During handling of the above exception" in told


def test_runs_that_fail_are_rows_and_the_others_are_as_ever(troubled: Path) -> None:
    plan = trouble_plan(troubled, FINE, RAISES, EXITS, work=WHOLE)
    result = run_task(whole_order(plan))
    failed = {failure.run: failure for failure in result.failures}
    assert failed
    assert len(failed) == len(result.failures)
    assert {key.split("-")[-1] for key in failed} == {"trouble"}
    assert {key.split("-")[0] for key in failed} == {"p1", "p2"}
    for run_name, failure in failed.items():
        assert failure.stage == "simulation"
        sentence = "ValueError: the well is dry" if run_name.startswith("p1") else "SystemExit: 4"
        assert sentence in failure.error
        assert "deliver" in failure.traceback
        files = re.findall(r'File "([^"]+)"', failure.traceback)
        assert "mobsim/experiment/work.py" in files
        assert not any(Path(file).is_absolute() for file in files)
        assert failure.attempt == 1
    order_of_runs = [str(run) for run in plan.tasks[0].runs(plan.arms)]
    assert [f.run for f in result.failures] == [name for name in order_of_runs if name in failed]

    fine = run_task(whole_order(trouble_plan(troubled, FINE, work=WHOLE)))
    kept, all_fine = result.tables["runs"].to_frame(), fine.tables["runs"].to_frame()
    names = [f"p{row.point}-c{row.community}-l{row.luck}-{row.arm}" for row in kept.itertuples()]
    assert names == [name for name in order_of_runs if name not in failed]
    pd.testing.assert_frame_equal(kept[kept["point"] == 0].reset_index(drop=True), all_fine)


def test_each_stage_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("no room")

    order = replace(whole_order(village_plan(tmp_path, work=WHOLE)), arms=("none",), luck=(0,))
    for where, name, stage in (
        (each, "build", "community"),
        (each, "run_blocks", "simulation"),
        (run.Records, "run_columns", "tables"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, fail)
            result = run_task(order)
        assert {failure.stage for failure in result.failures} == {stage}
        assert len(result.failures) == order.n_runs
        assert result.tables == {}
    wrong = replace(order, points={0: order.points[0], 7: {"community.residents": -3}})
    result = run_task(wrong)
    assert {(failure.run, failure.stage) for failure in result.failures} == {
        ("p7-c0-l0-none", "scenario"),
        ("p7-c1-l0-none", "scenario"),
    }
    assert "residents" in result.failures[0].error
    assert len(result.tables["runs"]) == 2


def test_a_run_that_ends_its_workers_is_a_failure(tmp_path: Path) -> None:
    order = whole_order(village_plan(tmp_path, work=WHOLE)).parts(10_000)[0]
    result = dead_run(order, "it was ended by SIGSEGV", 4)
    [failure] = result.failures
    assert (failure.run, failure.stage, failure.attempt) == ("p0-c0-l0-none", "worker", 4)
    assert result.tables == {}
    assert result.n_runs == 1
