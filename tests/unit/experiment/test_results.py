"""Results are the same in whatever order tasks finished, finished or not, whole or piece by piece."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment import ordered
from mobsim.experiment.failure import Failure
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.results import KEYS, find_ledger, load_results
from mobsim.experiment.table import Table
from mobsim.experiment.work import TaskResult

Swept = tuple[SweepPlan, list[TaskResult]]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    plan = village_plan(tmp_path_factory.mktemp("village"))
    return plan, results_of(plan)


@pytest.fixture
def ledger(swept: Swept, tmp_path: Path) -> Path:
    return keep(*swept[:1], tmp_path / "ledger.sqlite", swept[1])


def sorted_by_hand(plan: SweepPlan, results: list[TaskResult], table: str) -> pd.DataFrame:
    whole = pd.concat([result.tables[table].to_frame() for result in results], ignore_index=True)
    keys = [whole["point"], whole["arm"].map(plan.arms.index), whole["community"], whole["luck"]]
    keys += [whole["week"]] if table == "weeks" else []
    return whole.iloc[np.lexsort(keys[::-1])].reset_index(drop=True)


def test_every_run_stands_once_in_the_order_of_point_arm_community_luck(ledger: Path, swept: Swept) -> None:
    plan, tasks = swept
    assert len(tasks) > 3, "the test wants runs of a point in several tasks"
    results = load_results(ledger)
    runs = results.runs()
    pd.testing.assert_frame_equal(runs, sorted_by_hand(plan, tasks, "runs"))
    assert len(runs) == plan.n_runs == results.n_runs
    assert [str(key) for key in results.run_keys()[:2]] == ["p0-c0-l0-none", "p0-c0-l1-none"]
    assert results.complete
    assert results.tasks_done == (len(tasks), len(tasks))
    assert results.outcomes == tuple(runs.columns[4:])
    assert (results.name, results.arms) == ("village_sweep", ("none", "outreach", "training"))
    assert results.scenario == plan.base
    assert results.points["residents"].tolist()[:3] == ["few", "some", "many"]


def test_weeks_hold_every_recorded_week_and_the_arm_as_a_category(ledger: Path, swept: Swept) -> None:
    weeks = load_results(ledger).weeks()
    expected = sorted_by_hand(*swept, "weeks")
    assert weeks["arm"].dtype == pd.CategoricalDtype(["none", "outreach", "training"])
    pd.testing.assert_frame_equal(weeks.astype({"arm": object}), expected.astype({"arm": object}))
    assert weeks["week"].unique().tolist() == [0, 4, 7, 8, 11]


def test_the_order_in_which_tasks_finished_changes_nothing(
    swept: Swept, ledger: Path, tmp_path: Path
) -> None:
    other = load_results(keep(swept[0], tmp_path / "other.sqlite", reversed(swept[1])))
    pd.testing.assert_frame_equal(load_results(ledger).runs(), other.runs())
    pd.testing.assert_frame_equal(load_results(ledger).weeks(), other.weeks())


@pytest.mark.parametrize("chunk", [7, 40, 10_000])
@pytest.mark.parametrize("window", [5_000, 10**8])
def test_pieces_are_the_whole(ledger: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, window: int) -> None:
    monkeypatch.setattr(ordered, "WINDOW", window)
    results = load_results(ledger)
    columns = ["participation", "spent"]
    pieces = list(results.iter_weeks(chunk, columns))
    assert all(0 < len(piece) <= chunk for piece in pieces)
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), results.weeks(columns))
    runs = pd.concat(list(results.iter_runs(chunk)), ignore_index=True)
    pd.testing.assert_frame_equal(runs, results.runs())


def test_only_the_columns_asked_for_are_given(ledger: Path) -> None:
    results = load_results(ledger)
    assert tuple(results.runs(["cost", "reach"]).columns) == (*KEYS, "cost", "reach")
    assert tuple(results.weeks(["aware"]).columns) == (*KEYS, "week", "aware")
    with pytest.raises(UsageError, match=r"'participation_fee' is no measured column.*'participation_fe'"):
        results.runs(["participation_fee"])


def test_an_unfinished_sweep_can_be_read(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    results = load_results(keep(plan, tmp_path / "ledger.sqlite", tasks[2:4]))
    assert not results.complete
    assert results.tasks_done == (2, len(tasks))
    pd.testing.assert_frame_equal(results.runs(), sorted_by_hand(plan, tasks[2:4], "runs"))


def test_a_sweep_that_has_only_begun_gives_empty_tables(swept: Swept, tmp_path: Path) -> None:
    results = load_results(keep(swept[0], tmp_path / "ledger.sqlite", []))
    assert results.runs().columns.tolist() == list(KEYS)
    assert results.weeks().columns.tolist() == [*KEYS, "week"]
    assert [len(piece) for piece in results.iter_runs()] == [0]
    assert len(results.means()) == len(results.failures()) == results.n_runs == 0


def test_points_that_differ_in_their_goals_give_all_columns(tmp_path: Path) -> None:
    goals = [
        [{"name": "one", "at_least": 0.1, "by_week": 7}],
        [{"name": "two", "at_least": 0.2, "by_week": 7}],
    ]
    factors = {"goals": {"values": goals, "labels": ["one", "two"]}}
    plan = village_plan(tmp_path, work=1, factors=factors)
    runs = load_results(keep(plan, tmp_path / "ledger.sqlite", results_of(plan))).runs()
    columns = [name for name in runs.columns if name.startswith("goal_met")]
    assert columns == ["goal_met__one", "goal_met__two"]
    own = runs["point"] == 0
    assert runs.loc[own, "goal_met__one"].isin([0, 1]).all()
    assert runs.loc[own, "goal_met__two"].isna().all()
    assert runs.loc[~own, "goal_met__one"].isna().all()


def test_failures_are_rows_in_the_order_of_runs(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    late = tuple(
        Failure(f"p1-c{c}-l0-{arm}", "simulation", "ValueError: no", "Traceback ...", 2)
        for arm in ("outreach", "none")
        for c in (1, 0)
    )
    failed = TaskResult(number=0, tables={}, failures=late, n_runs=tasks[0].n_runs)
    results = load_results(keep(plan, tmp_path / "ledger.sqlite", [failed, *tasks[1:]]))
    table = results.failures()
    assert table["arm"].tolist() == ["none", "none", "outreach", "outreach"]
    assert table["community"].tolist() == [0, 1, 0, 1]
    assert table.iloc[0][["stage", "error", "traceback", "attempt"]].tolist() == [
        "simulation", "ValueError: no", "Traceback ...", 2
    ]  # fmt: skip
    assert results.n_failures == 4
    assert results.complete, "a task whose runs failed is done"


def test_means_are_over_luck_and_then_over_communities(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = load_results(ledger)
    runs = results.runs(["participation_fe", "spillover_share"])
    by_hand = (
        runs.groupby(["point", "arm", "community"], sort=False).mean().groupby(["point", "arm"], sort=False)
    )
    expected = by_hand.mean().reset_index()[["point", "arm", "participation_fe", "spillover_share"]]
    usual = results.iter_runs
    monkeypatch.setattr(results, "iter_runs", lambda columns: usual(7, columns))
    pd.testing.assert_frame_equal(results.means(["participation_fe", "spillover_share"]), expected)


def test_named_dimensions(ledger: Path) -> None:
    pytest.importorskip("xarray")
    results = load_results(ledger)
    data = results.to_xarray(["participation_fe", "cost"])
    assert dict(data.sizes) == {"point": 6, "arm": 3, "community": 2, "luck": 2}
    runs = results.runs()
    row = runs.query("point == 4 and arm == 'outreach' and community == 1 and luck == 0").iloc[0]
    cell = data.sel(point=4, arm="outreach", community=1, luck=0)
    assert float(cell["participation_fe"]) == row["participation_fe"]
    grid = results.to_xarray(["cost"], unstack=True)
    assert dict(grid.sizes) == {"arm": 3, "community": 2, "luck": 2, "social_weight": 2, "residents": 3}
    point = results.points.iloc[4]
    same = grid.sel(social_weight=point["social_weight"], residents=point["residents"], arm="outreach")
    assert float(same["cost"].sel(community=1, luck=0)) == row["cost"]


def test_only_a_grid_can_be_unstacked(swept: Swept, tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    design = {"kind": "one_at_a_time"}
    plan = village_plan(tmp_path, design=design)
    results = load_results(keep(plan, tmp_path / "ledger.sqlite", []))
    with pytest.raises(UsageError, match="found the design one_at_a_time; allowed is grid"):
        results.to_xarray(unstack=True)


def test_a_missing_extra_is_one_line(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name == "xarray":
            raise ImportError(name)
        return usual(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r'needs: pip install "mobsim\[xarray\]"'):
        load_results(ledger).to_xarray()


def test_what_is_no_result_is_refused_with_what_is_there(ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="is not there; allowed: a ledger"):
        find_ledger(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match="holds no ledger"):
        find_ledger(tmp_path / "empty")
    assert find_ledger(tmp_path) == ledger
    assert find_ledger(ledger) == ledger


def test_a_folder_of_one_sweep_or_one_shard_is_enough(swept: Swept, tmp_path: Path) -> None:
    first = keep(swept[0], tmp_path / "village_sweep" / "aaa" / "ledger.sqlite", [])
    assert find_ledger(tmp_path / "village_sweep") == first
    keep(swept[0], tmp_path / "village_sweep" / "bbb" / "ledger.sqlite", [])
    with pytest.raises(ResultsError, match="holds 2 sweeps; allowed is one of its folders: aaa, bbb"):
        find_ledger(tmp_path / "village_sweep")
    shards = tmp_path / "shards"
    one = keep(swept[0], shards / "ledger-1-of-2.sqlite", [], shard=(1, 2))
    assert find_ledger(shards) == one
    assert load_results(one).shard == (1, 2)
    for name in ("ledger-1-of-2-salvaged.sqlite", "damaged-1-ledger-1-of-2.sqlite"):
        (shards / name).touch()
    assert find_ledger(shards) == one
    keep(swept[0], shards / "ledger-2-of-2.sqlite", [], shard=(2, 2))
    with pytest.raises(ResultsError, match=r"holds 2 shards of a sweep .*mobsim merge"):
        find_ledger(shards)


def test_a_shard_is_no_complete_sweep(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    results = load_results(keep(plan, tmp_path / "ledger-1-of-2.sqlite", tasks[::2], shard=(1, 2)))
    assert not results.complete
    assert results.tasks_done == (len(tasks[::2]), len(tasks))


def test_a_run_in_two_tasks_is_no_sweep(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    twice = TaskResult(number=1, tables=tasks[0].tables, failures=(), n_runs=tasks[0].n_runs)
    results = load_results(keep(plan, tmp_path / "ledger.sqlite", [tasks[0], twice]))
    with pytest.raises(ResultsError, match="a run stands in two tasks"):
        results.runs()


def test_a_table_that_changed_while_it_was_read_is_not_mixed(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    first = tasks[0].tables
    fewer = {name: Table.from_frame(table.to_frame().query("luck == 0")) for name, table in first.items()}
    lost = tuple(
        Failure(str(key), "worker", "killed") for key in plan.tasks[0].runs(plan.arms) if key.luck == 1
    )
    part = TaskResult(number=0, tables=fewer, failures=lost, n_runs=tasks[0].n_runs)
    path = keep(plan, tmp_path / "ledger.sqlite", [part])
    results = load_results(path)
    assert results.n_runs == tasks[0].n_runs // 2
    with ordered.Ledger.open(path, writing=True) as ledger:
        ledger.retry_failed()
        ledger.keep(tasks[0])
    with pytest.raises(ResultsError, match="was run again while it was read"):
        results.runs()
