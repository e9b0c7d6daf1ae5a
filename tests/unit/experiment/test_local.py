"""Worker processes of this machine: what comes of orders when workers crash, hang, are killed, eat memory."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.builders import tiny_scenario
from tests.unit.experiment.processes import children_of, is_running, kill, needs_proc, wait_until
from tests.unit.experiment.swept import village_plan
from tests.unit.experiment.troubles import CRASHES, EATS, FINE, HANGS, trouble_plan, troubled

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment import local
from mobsim.experiment.executors import Outcome, Patience, TaskDied
from mobsim.experiment.local import LocalProcesses, workers_to_use
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.work import TaskOrder, TaskResult, order_of, run_task

__all__ = ["troubled"]


def orders_of(plan: SweepPlan) -> list[TaskOrder]:
    return [order_of(plan, task.number) for task in plan.tasks]


def digests(result: TaskResult) -> dict[str, str]:
    return {name: table.digest for name, table in result.tables.items()}


def run_all(pool: LocalProcesses, orders: list[TaskOrder]) -> dict[int, TaskResult | TaskDied]:
    return {order.number: outcome for order, outcome in pool.run(orders)}


def test_workers_give_what_this_process_gives(tmp_path: Path) -> None:
    orders = orders_of(village_plan(tmp_path, work=2_000))
    assert len(orders) > 6
    taken: list[int] = []

    def source() -> Iterator[TaskOrder]:
        for order in orders:
            taken.append(order.number)
            yield order

    pool = LocalProcesses(2)
    try:
        found: list[Outcome] = []
        for outcome in pool.run(source()):
            found.append(outcome)
            assert len(taken) <= len(found) + 2 + 2, "orders are taken when there is somebody for them"
        workers = children_of(os.getpid())
        assert list(pool.run([])) == []
        again = run_all(pool, orders[:3])
        assert children_of(os.getpid()) == workers, "workers are started once"
    finally:
        pool.close()
    assert sorted(order.number for order, _ in found) == [order.number for order in orders]
    for order, result in found:
        assert isinstance(result, TaskResult)
        assert digests(result) == digests(run_task(order))
    assert sorted(again) == [0, 1, 2]
    assert children_of(os.getpid()) == []


def test_alone_is_one_at_a_time(tmp_path: Path) -> None:
    orders = orders_of(village_plan(tmp_path, work=2_000))[:3]
    pool = LocalProcesses(2)
    try:
        numbers = [order.number for order, _ in pool.run(orders, alone=True)]
    finally:
        pool.close()
    assert numbers == [0, 1, 2]


@pytest.mark.slow
def test_what_goes_wrong_costs_one_order(troubled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LEAST_BYTES", 2**29 + 2**28)
    monkeypatch.setattr(local, "available_bytes", lambda: 2**29)
    [whole] = orders_of(trouble_plan(troubled, FINE, CRASHES, HANGS, EATS, work=10**9))
    of_points = [replace(whole, number=p, points={p: whole.points[p]}) for p in (1, 2, 3, 0)]
    pool = LocalProcesses(2, timeout=8.0)
    try:
        found = run_all(pool, of_points)
    finally:
        pool.close()
    fine, crashed, hung, ate = (found[point] for point in range(4))
    assert isinstance(fine, TaskResult)
    assert fine.failures == ()
    assert isinstance(crashed, TaskDied)
    assert "SIGSEGV" in crashed.reason
    assert isinstance(hung, TaskDied)
    assert hung.reason == "it took longer than 8 s and was ended"
    assert isinstance(ate, TaskResult), ate
    assert {failure.stage for failure in ate.failures} == {"simulation"}
    assert "MemoryError" in ate.failures[0].error


@needs_proc
def test_a_killed_worker_is_replaced(troubled: Path) -> None:
    [hangs] = orders_of(trouble_plan(troubled, HANGS, work=10**9))
    [fine] = orders_of(trouble_plan(troubled, FINE, work=10**9))
    pool = LocalProcesses(1)
    killer = threading.Timer(0, lambda: None)
    try:
        assert isinstance(run_all(pool, [fine])[0], TaskResult)
        [worker] = children_of(os.getpid())
        assert kill(worker)
        wait_until(lambda: not multiprocessing.active_children())
        assert isinstance(run_all(pool, [fine])[0], TaskResult), "it was killed while it had nothing to do"
        [worker] = children_of(os.getpid())
        killer = threading.Timer(1.0, kill, [worker])
        killer.start()
        died = run_all(pool, [hangs])[0]
    finally:
        killer.cancel()
        pool.close()
    assert isinstance(died, TaskDied)
    assert "SIGKILL" in died.reason


SCRIPT = """
import sys
sys.path.insert(0, {top!r})
from pathlib import Path
from mobsim.experiment.local import LocalProcesses
from mobsim.experiment.work import order_of
from tests.unit.experiment.troubles import trouble_plan, FINE, HANGS

if __name__ == "__main__":
    folder = Path({folder!r})
    pool = LocalProcesses(2)
    fine = trouble_plan(folder, FINE, work=1)
    assert len(list(pool.run([order_of(fine, 0)] * 2))) == 2
    print("begun", flush=True)
    hangs = trouble_plan(folder, HANGS, work=10**9)
    list(pool.run([order_of(hangs, 0)] * 2))
"""


@needs_proc
@pytest.mark.slow
def test_workers_end_with_their_parent_in_the_middle_of_a_task(troubled: Path) -> None:
    script = troubled / "script.py"
    script.write_text(SCRIPT.format(top=str(Path(__file__).parents[3]), folder=str(troubled)))
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        workers = children_of(parent.pid)
        assert len(workers) == 2
        threading.Event().wait(1.0)  # both hang now
        assert kill(parent.pid)
    wait_until(lambda: not any(map(is_running, workers)), seconds=10)


def test_a_script_that_starts_itself_again_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from mobsim.experiment.local import LocalProcesses\nlist(LocalProcesses(1).run(['an order']))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'must do so under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]


def test_how_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tiny_scenario()
    assert workers_to_use(3, scenario) == 3
    assert workers_to_use(None, scenario) == local.processors() >= 1
    monkeypatch.setattr(local, "available_bytes", lambda: 2**30)
    assert workers_to_use(8, scenario) == 2
    monkeypatch.setattr(local, "available_bytes", lambda: 2**20)
    assert workers_to_use(8, scenario) == 1
    monkeypatch.setattr(local, "available_bytes", lambda: None)
    assert workers_to_use(8, scenario) == 8
    with pytest.raises(UsageError, match="workers: found 0"):
        workers_to_use(0, scenario)


@pytest.mark.quick
def test_patience_follows_what_tasks_take() -> None:
    patience = Patience(120.0)
    assert patience.limit() == 120.0
    for seconds in (10.0, 1.0, 20.0):
        patience.learn(seconds)
    assert patience.usual == 10.0
    assert patience.limit() == 300.0
    assert Patience(120.0, 5.0).limit() == 5.0


def test_workers_that_do_not_start_are_no_endless_loop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(local, "serve", local.how_it_ended)  # takes one argument: each worker fails at once
    pool = LocalProcesses(1)
    orders = orders_of(village_plan(tmp_path))
    try:
        with pytest.raises(ResultsError, match="worker processes do not start: it ended by itself"):
            run_all(pool, orders)
    finally:
        pool.close()
