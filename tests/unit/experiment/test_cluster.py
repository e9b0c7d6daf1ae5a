"""Sweeps on a Dask cluster: a real scheduler and worker processes, which are killed, hang, join and leave."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.processes import children_of, kill, needs_proc
from tests.unit.experiment.swept import village_plan
from tests.unit.experiment.test_sweep import sweep_here, tables_of
from tests.unit.experiment.troubles import CRASHES, FINE, HANGS, SLOW, trouble_plan, troubled

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment import cluster
from mobsim.experiment.cluster import DaskCluster
from mobsim.experiment.executors import TaskDied
from mobsim.experiment.sweep import sweep
from mobsim.experiment.work import TaskResult, order_of

distributed = pytest.importorskip("distributed")

__all__ = ["troubled"]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def quick_to_give_up() -> Iterator[None]:
    """Let a task be given up when it has ended one worker: each start of a worker takes seconds."""
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        yield


@pytest.fixture
def two_workers() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as running:
        yield running


@needs_proc
def test_a_worker_killed_in_the_middle_changes_nothing(troubled: Path) -> None:
    plan = trouble_plan(troubled, FINE, SLOW, work=1)
    assert len(plan.tasks) > 10
    killed: list[int] = []

    def progress(done: int, of: int, failed: int) -> None:
        if 0 < done < of / 2 and not killed:
            victim = children_of(os.getpid())[0]
            assert kill(victim)
            killed.append(victim)

    outcome = sweep(plan, results=troubled / "r", dask="local", workers=2, progress=progress)
    assert killed
    assert outcome.complete
    assert outcome.failed == 0
    assert tables_of(outcome.folder) == tables_of(sweep_here(plan, troubled / "here"))
    assert children_of(os.getpid()) == []


def test_workers_join_and_leave(troubled: Path, two_workers: Any) -> None:
    plan = trouble_plan(troubled, FINE, SLOW, work=1)
    sizes = {2: 3, 6: 1}

    def progress(done: int, of: int, failed: int) -> None:
        two_workers.scale(sizes.get(done // 3, len(two_workers.workers)))

    address = two_workers.scheduler_address
    outcome = sweep(plan, results=troubled / "r", dask=address, progress=progress)
    assert outcome.complete
    assert tables_of(outcome.folder) == tables_of(sweep_here(plan, troubled / "here"))


@needs_proc
def test_what_crashes_and_hangs_costs_its_runs_only(troubled: Path, quick_to_give_up: None) -> None:
    replicates = {"communities": 1, "luck": 2}
    plan = trouble_plan(troubled, FINE, CRASHES, HANGS, work=1, replicates=replicates)
    outcome = sweep(plan, results=troubled / "r", dask="local", workers=2, timeout=3.0)
    assert outcome.complete
    failures = outcome.results().failures()
    assert set(failures["stage"]) == {"worker"}
    assert set(failures["arm"]) == {"trouble"}
    assert set(failures["point"]) == {1, 2}
    assert set(failures[failures["point"] == 2]["error"]) == {"it took too long and its worker was ended"}
    assert len(outcome.results().runs()) == plan.n_runs - outcome.failed


def test_short_tasks_are_sent_together_and_only_as_many_as_are_needed(
    tmp_path: Path, two_workers: Any
) -> None:
    plan = village_plan(tmp_path, work=1)
    orders = [order_of(plan, task.number) for task in plan.tasks] * 3
    running = DaskCluster(two_workers.scheduler_address)
    try:
        most = 0
        numbers = []
        for order, outcome in running.run(iter(orders)):
            assert isinstance(outcome, TaskResult)
            numbers.append(order.number)
            most = max(most, len(running._sent))
        assert sorted(numbers) == sorted(order.number for order in orders)
        assert running.workers == 2
        assert most <= 2 * cluster.WAITING_EACH
        assert running._in_batch() > 1
        sent = next(running._numbers)
        assert sent < len(orders) / 2
        [(_, alone)] = running.run(orders[:1], alone=True)
        assert not isinstance(alone, TaskDied)
    finally:
        running.close()


def test_a_scheduler_that_goes_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 3.0)  # and to connect again
    plan = village_plan(tmp_path, work=1)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as running:

        def progress(done: int, of: int, failed: int) -> None:
            if done:
                running.close()

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        with pytest.raises(ResultsError, match="the Dask scheduler has gone; what was finished is kept"):
            sweep(plan, results=tmp_path / "r", dask=running.scheduler_address, progress=progress)
    outcome = sweep(plan, results=tmp_path / "r", workers=1)
    assert outcome.complete
    assert 0 < outcome.tasks < len(plan.tasks)


def test_another_version_is_refused(two_workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_version", lambda: "0.0.1")
    with pytest.raises(
        UsageError, match=r"has mobsim .*; allowed is the version that runs the sweep, 0\.0\.1"
    ):
        DaskCluster(two_workers.scheduler_address)
    with pytest.raises(UsageError, match="a worker that has joined has mobsim"):
        cluster.run_batch(b"", "0.0.2")


def test_nobody_at_an_address_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        with pytest.raises(UsageError, match=f"dask: no scheduler answers at '{address}'"):
            DaskCluster(address)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r'a sweep on a Dask cluster needs: pip install "mobsim\[dask\]"'):
        DaskCluster("local")
