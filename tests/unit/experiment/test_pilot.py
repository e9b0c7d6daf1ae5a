"""Dry runs: what a sweep will cost is said from runs that were measured, and about right."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from tests.unit.experiment.swept import village_plan

from mobsim.errors import UsageError
from mobsim.experiment.pilot import _part_of, _spread, dry_run
from mobsim.experiment.plan import work_of
from mobsim.experiment.tasks import WORK
from mobsim.experiment.work import order_of, run_task


def test_a_dry_run_says_what_a_sweep_costs(tmp_path):
    plan = village_plan(tmp_path)
    forecast = dry_run(plan, workers=2)
    assert (forecast.points, forecast.runs, forecast.tasks) == (6, plan.n_runs, len(plan.tasks))
    assert forecast.pilot_runs > 0
    for likely, low, high in (forecast.cpu_seconds, forecast.wall_seconds):
        assert 0 < low <= likely <= high
    assert forecast.wall_seconds[0] <= forecast.cpu_seconds[0]
    assert forecast.n_tried == 6
    assert forecast.n_failing == 0
    words = forecast.text.splitlines()
    assert words[0].startswith(
        "village_sweep: 6 points, 3 arms, 2 communities, 2 streams of luck: 72 runs in "
    )
    assert [line.split(":")[0] for line in words[1:]] == ["time", "memory", "disk", "measured"]
    assert "on 2 processes" in words[1]
    json.dumps(asdict(forecast), allow_nan=False)


def test_bytes_are_those_of_the_tables(tmp_path):
    plan = village_plan(tmp_path, work=WORK)
    forecast = dry_run(plan, workers=1)
    tables = [table for task in plan.tasks for table in run_task(order_of(plan, task.number)).tables.values()]
    assert 0.5 < forecast.ledger_bytes / sum(len(table.to_bytes()) for table in tables) < 2.5
    written = sum(len(table.to_frame().to_csv(index=False, float_format="%.10g")) for table in tables)
    assert 0.7 < forecast.table_bytes / written < 1.4


def test_points_that_do_not_resolve_are_said(tmp_path):
    factors = {
        "campaign.horizon_weeks": {"values": [8, 12]},
        "campaign.funding_ends_week": {"values": [8, 10]},
    }
    plan = village_plan(tmp_path, factors=factors)
    forecast = dry_run(plan, workers=1)
    assert (forecast.n_tried, forecast.n_failing) == (4, 1)
    assert forecast.failing[0][0] == 1
    assert "will fail: 1 of 4 points tried do not fit the scenario; their runs become rows" in forecast.text
    assert "  point 1: " in forecast.text


def test_measured_parts_hold_their_point_and_no_more_than_allowed(tmp_path):
    plan = village_plan(tmp_path, work=WORK)
    weights, _ = work_of(plan)
    for point in range(6):
        least = _part_of(plan, point, 0, weights)
        assert tuple(least.points) == (point,)
        assert least.n_runs == len(plan.arms)
        assert _part_of(plan, point, 1e12, weights).n_runs == plan.n_runs
        part = _part_of(plan, point, 2.5 * weights[point], weights)
        assert point in part.points
        assert len(plan.arms) < part.n_runs < plan.n_runs


def test_numbers_are_spread_evenly():
    assert _spread(range(10), 3) == [1, 5, 8]
    assert _spread([4, 7], 5) == [4, 7]
    assert _spread([], 5) == []


def test_a_number_of_workers_that_cannot_be(tmp_path):
    with pytest.raises(UsageError, match="workers: found 0"):
        dry_run(village_plan(tmp_path), workers=0)
