"""Sweeps that are interrupted, killed and troubled, and go on as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.unit.experiment.processes import children_of, is_running, kill, needs_proc, wait_until
from tests.unit.experiment.swept import village_plan
from tests.unit.experiment.troubles import (
    CRASHES,
    CRASHES_ONCE,
    EXITS,
    FINE,
    HANGS,
    RAISES,
    trouble_plan,
    troubled,
)

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.merge import merge
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.results import load_results
from mobsim.experiment.sweep import SweepOutcome, folder_of, open_ledger, sweep
from mobsim.experiment.work import order_of, run_task
from mobsim.report.sweep_results import write_sweep_results

__all__ = ["troubled"]

KILLS = 50


def tables_of(where: Path) -> dict[str, bytes]:
    """Return the exported files of a sweep; `where` is its ledger or folder."""
    results = load_results(where)
    folder = write_sweep_results(results)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def sweep_here(plan: SweepPlan, results: Path) -> Path:
    """Run a plan in this process, without workers, and return its folder."""
    folder = folder_of(plan, results)
    with open_ledger(plan, folder) as ledger:
        for number in ledger.missing_tasks():
            ledger.keep(run_task(order_of(plan, number)))
    return folder


def test_a_sweep_keeps_every_run_and_does_nothing_twice(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, work=10_000)
    told: list[tuple[int, int, int]] = []
    outcome = sweep(plan, results=tmp_path / "r", workers=2, progress=lambda *now: told.append(now))
    assert isinstance(outcome, SweepOutcome)
    assert outcome.complete
    assert (outcome.runs, outcome.of, outcome.failed) == (plan.n_runs, plan.n_runs, 0)
    assert outcome.tasks == len(plan.tasks) > 1
    assert outcome.folder == tmp_path / "r" / "village_sweep" / plan.digest[:12]
    assert told[0] == (0, plan.n_runs, 0)
    assert told[-1] == (plan.n_runs, plan.n_runs, 0)
    assert len(told) == 1 + len(plan.tasks)
    assert tables_of(outcome.folder) == tables_of(sweep_here(plan, tmp_path / "here"))
    assert len(outcome.results().runs()) == plan.n_runs

    again = sweep(plan, results=tmp_path / "r", workers=2, progress=lambda *now: told.append(now))
    assert again.tasks == 0
    assert again.runs == plan.n_runs
    assert told[-1] == (plan.n_runs, plan.n_runs, 0)


def test_shards_together_are_the_sweep(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, work=10_000)
    parts = [sweep(plan, results=tmp_path / "r", workers=1, shard=f"{i}/2") for i in (1, 2)]
    assert [part.ledger.name for part in parts] == ["ledger-1-of-2.sqlite", "ledger-2-of-2.sqlite"]
    assert sum(part.runs for part in parts) == plan.n_runs
    assert all(part.complete for part in parts)
    whole = tmp_path / "whole" / "ledger.sqlite"
    whole.parent.mkdir()
    merge([part.ledger for part in parts], whole)
    assert tables_of(whole) == tables_of(sweep_here(plan, tmp_path / "here"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers: found 0"),
        ({"timeout": -1.0}, "timeout: found -1.0"),
        ({"timeout": float("nan")}, "timeout: found nan"),
        ({"shard": "3/2"}, "shard: found '3/2'"),
        ({"dask": "tcp://127.0.0.1:1", "workers": 2}, "workers: found 2 with the cluster"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        sweep(village_plan(tmp_path), results=tmp_path / "r", **options)


def test_a_second_sweep_at_once_is_refused(tmp_path: Path) -> None:
    plan = village_plan(tmp_path)
    with (
        open_ledger(plan, folder_of(plan, tmp_path / "r")),
        pytest.raises(ResultsError, match=rf"process {os.getpid()} on .* is writing it"),
    ):
        sweep(plan, results=tmp_path / "r", workers=1)


@needs_proc
def test_interrupted_it_leaves_no_workers_and_goes_on(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, work=5_000)

    def interrupt(done: int, of: int, failed: int) -> None:
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(plan, results=tmp_path / "r", workers=2, progress=interrupt)
    assert children_of(os.getpid()) == []
    outcome = sweep(plan, results=tmp_path / "r", workers=1)
    assert 0 < outcome.tasks < len(plan.tasks)
    assert tables_of(outcome.folder) == tables_of(sweep_here(plan, tmp_path / "here"))


def test_failed_runs_are_kept_and_tried_again_when_asked(
    troubled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = trouble_plan(troubled, FINE, RAISES, work=3_000)
    outcome = sweep(plan, results=troubled / "r", workers=1)
    assert outcome.complete
    assert outcome.failed > 0
    assert {failure.stage for failure in outcome.first_failures(100)} == {"simulation"}
    assert len(outcome.first_failures(1)) == 1
    before = tables_of(outcome.folder)
    assert sweep(plan, results=troubled / "r", workers=1).tasks == 0
    told: list[tuple[int, int, int]] = []
    again = sweep(
        plan, results=troubled / "r", workers=1, retry_failed=True, progress=lambda *now: told.append(now)
    )
    assert 0 < again.tasks < len(plan.tasks)
    assert again.failed == outcome.failed
    assert told[0] == (plan.n_runs - told[-1][0] + told[0][0], plan.n_runs, 0)
    assert told[-1] == (plan.n_runs, plan.n_runs, outcome.failed)
    assert {failure.attempt for failure in again.first_failures(100)} == {2}
    after = tables_of(outcome.folder)
    assert after["runs.csv"] == before["runs.csv"]
    assert after["weeks.csv"] == before["weeks.csv"]


@pytest.mark.slow
def test_runs_that_end_their_workers_are_failures_and_the_others_are_kept(troubled: Path) -> None:
    replicates = {"communities": 2, "luck": 2}
    plan = trouble_plan(troubled, FINE, CRASHES, HANGS, work=3_000, replicates=replicates)
    outcome = sweep(plan, results=troubled / "r", workers=2, timeout=4.0)
    assert outcome.complete
    failures = outcome.results().failures()
    assert set(failures["stage"]) == {"worker"}
    assert set(failures["arm"]) == {"trouble"}
    said = failures.groupby("point")["error"].agg(lambda errors: " ".join(sorted(set(errors))))
    assert "SIGSEGV" in said[1]
    assert said[2] == "it took longer than 4 s and was ended"

    exceptions = trouble_plan(troubled, FINE, RAISES, EXITS, work=10**9, replicates=replicates)
    would_be = load_results(sweep_here(exceptions, troubled / "here"))
    keys = ["point", "arm", "community", "luck"]
    assert failures[keys].values.tolist() == would_be.failures()[keys].values.tolist()
    kept, wanted = (
        table.query("arm != 'trouble' or point == 0").reset_index(drop=True)  # elsewhere doses differ a bit
        for table in (outcome.results().runs(), would_be.runs())
    )
    pd.testing.assert_frame_equal(kept, wanted)
    assert len(outcome.results().runs()) == len(would_be.runs())


def test_a_worker_that_dies_once_costs_nothing(troubled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = troubled / "mark"
    monkeypatch.setenv("MOBSIM_TEST_MARK", str(mark))
    plan = trouble_plan(troubled, FINE, CRASHES_ONCE, work=3_000)
    outcome = sweep(plan, results=troubled / "r", workers=2)
    assert mark.exists()
    assert outcome.complete
    assert outcome.failed == 0
    assert tables_of(outcome.folder) == tables_of(sweep_here(plan, troubled / "here"))


DESIGN = """
schema_version: 1
name: trouble
scenario: trouble.yaml
set: {activities.trouble.appeal: 0.7}  # slow
replicates: {communities: 3, luck: 2}
factors:
  behaviour.social_weight: {low: 0, high: 1}
  community.residents: {low: 60, high: 120, whole: true}
design: {kind: halton, points: 14}
"""

PARENT = """
import sys
sys.path.insert(0, {top!r})
from mobsim.experiment import tasks
tasks.WORK = 2_500
from mobsim.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


class Sweeping:
    """A sweep that is started, as a user does it, again and again."""

    def __init__(self, folder: Path) -> None:
        (folder / "design.yaml").write_text(DESIGN)
        self.script = folder / "sweeping.py"
        self.script.write_text(PARENT.format(top=str(Path(__file__).parents[3])))
        self.folder = folder

    def start(self, results: str) -> subprocess.Popen[str]:
        words = ["sweep", "design.yaml", "--workers", "2", "--results", results, "-q"]
        return subprocess.Popen(
            [sys.executable, str(self.script), *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, results: str) -> dict[str, bytes]:
        with self.start(results) as parent:
            out, err = parent.communicate(timeout=300)
        assert parent.returncode == 0, err
        assert "runs done" in out
        return self.tables(results)

    def tables(self, results: str) -> dict[str, bytes]:
        [folder] = (self.folder / results / "trouble").iterdir()
        return {file.name: file.read_bytes() for file in sorted((folder / "tables").iterdir())}

    def n_kept(self, results: str) -> int:
        ledgers = list((self.folder / results).rglob("ledger.sqlite"))
        if not ledgers:
            return 0
        with Ledger.open(ledgers[0]) as ledger:
            return len(ledger.kept_tasks())


@needs_proc
@pytest.mark.slow
def test_killed_at_random_times_it_ends_with_the_same_bytes(troubled: Path) -> None:
    """SIGKILL of the parent and of workers, and SIGINT, at random times: 50 in all."""
    sweeping = Sweeping(troubled)
    uninterrupted = sweeping.finish("whole")
    chance = random.Random(20)
    kills = finished = 0
    kept: list[int] = []
    while kills < KILLS:
        name = f"killed-{finished}"
        parent = sweeping.start(name)
        if chance.random() < 0.5:
            time.sleep(chance.uniform(0.0, 1.2))  # while it starts
        else:
            enough = sweeping.n_kept(name) + chance.randint(1, 4)
            while parent.poll() is None and sweeping.n_kept(name) < enough:
                time.sleep(0.1)
            for _ in range(chance.randint(2, 7)):  # those that have just replaced others too
                workers = children_of(parent.pid)
                kills += bool(workers) and kill(chance.choice(workers))
                time.sleep(chance.uniform(0.0, 0.3))
        workers = children_of(parent.pid)
        if parent.poll() is None:
            kills += 1
            parent.send_signal(chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGINT)))
        _, err = parent.communicate(timeout=60)
        assert parent.returncode in (0, -signal.SIGKILL, 130, -signal.SIGINT), err
        wait_until(lambda: not any(map(is_running, workers)), seconds=20)  # noqa: B023
        kept.append(sweeping.n_kept(name))
        if parent.returncode == 0:
            assert sweeping.tables(name) == uninterrupted
            finished += 1
    assert sweeping.finish(f"killed-{finished}") == uninterrupted
    assert len({n for n in kept if 0 < n < sweeping.n_kept("whole")}) > 3, "some were killed in the middle"


@needs_proc
@pytest.mark.slow
@pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="pytest was started deaf to Ctrl-C"
)
def test_ctrl_c_is_130_and_a_sentence(troubled: Path) -> None:
    sweeping = Sweeping(troubled)
    with sweeping.start("r") as parent:
        wait_until(lambda: sweeping.n_kept("r") > 1)
        workers = children_of(parent.pid)
        for process in (parent.pid, *workers):  # as a terminal does: to all of them
            os.kill(process, signal.SIGINT)
        _, err = parent.communicate(timeout=60)
    assert parent.returncode == 130, err
    assert "the same command goes on where this one stopped" in err
    assert "Traceback" not in err
    assert sweeping.n_kept("r") > 1
    wait_until(lambda: not any(map(is_running, workers)), seconds=10)


def test_a_sweep_from_a_thread_works(tmp_path: Path) -> None:
    """Signals are held back by the thread that starts workers; any thread can do it."""
    plan = village_plan(tmp_path, work=10_000)
    found: list[SweepOutcome] = []
    thread = threading.Thread(target=lambda: found.append(sweep(plan, results=tmp_path / "r", workers=1)))
    thread.start()
    thread.join()
    assert found[0].complete
