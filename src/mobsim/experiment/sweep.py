"""A sweep: what is missing of a plan is run, and every finished task is kept in one ledger.

Killed at any moment and started again, it runs only what is missing. A task whose worker dies is tried again
elsewhere; if it dies again it is taken apart and its parts are run one at a time, until the runs that end
their workers are known. These become failures, and all others are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobsim.errors import ScenarioError, UsageError
from mobsim.experiment import salvage
from mobsim.experiment.executors import Executor, TaskDied
from mobsim.experiment.ledger import DamagedLedger, Ledger
from mobsim.experiment.plan import SweepPlan, plan_sweep
from mobsim.experiment.provenance import record_of
from mobsim.experiment.salvage import Salvaged
from mobsim.experiment.shard import ledger_file, parse_shard
from mobsim.experiment.work import TaskOrder, TaskResult, dead_run, joined_result, order_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mobsim.experiment.design import Design
    from mobsim.experiment.failure import Failure
    from mobsim.experiment.results import SweepResults
    from mobsim.scenario.scenario import Scenario

Progress = Callable[[int, int, int], None]
"""Is told runs done, all runs, and runs that failed."""

RESIDENTS = "community.residents"

PARTS = 16
"""Into how many parts an order that ends its workers is taken."""


@dataclass(frozen=True)
class SweepOutcome:
    """What came of a sweep.

    folder : of its results. ledger : the file that keeps them.
    runs, of : runs done, failed ones included, and all runs (of the shard, if it is one).
    failed : runs that failed.
    tasks : tasks that were run now; earlier ones were kept before.
    shard : which shard it was, or none.
    repaired : what was saved of a damaged ledger, if there was one.
    """

    folder: Path
    ledger: Path
    runs: int
    of: int
    failed: int
    tasks: int
    shard: tuple[int, int] | None = None
    repaired: Salvaged | None = None

    @property
    def complete(self) -> bool:
        """Whether every run was tried."""
        return self.runs == self.of

    def first_failures(self, most: int) -> list[Failure]:
        """Return the first runs that failed, at most so many."""
        found: list[Failure] = []
        if self.failed:
            with Ledger.open(self.ledger) as ledger:
                for number in ledger.kept_tasks():
                    found += ledger.task_failures(number)
                    if len(found) >= most:
                        break
        return found[:most]

    def results(self) -> SweepResults:
        """Return the results, to be read as tables."""
        from mobsim.experiment.results import load_results

        return load_results(self.ledger)


def sweep(
    design: Design | SweepPlan | str | Path | Mapping[str, Any],
    *,
    results: str | Path = "results",
    workers: int | None = None,
    dask: str | None = None,
    shard: str | None = None,
    retry_failed: bool = False,
    repair: bool = False,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> SweepOutcome:
    """Run a sweep, or what is missing of it.

    Parameters
    ----------
    design : a design, its file, what such a file says as plain data, or a plan made of it.
    results : folder of all results; those of a sweep lie in <name>/<digest> in it.
    workers : processes on this machine; none: one a processor, as far as memory allows.
    dask : address of the scheduler of a Dask cluster, such as tcp://host:8786, that runs it instead; `local`
        makes one on this machine. Needs the extra `dask`.
    shard : such as 2/5: run only the second of five shares, into a ledger of its own.
    retry_failed : run the tasks again in which runs failed.
    repair : if the ledger is damaged, keep it under another name and go on with a new one of its whole tasks.
    timeout : seconds after which a task is given up; none: 120 (on a cluster 600), or 30 times what tasks
        usually take if that is longer.
    progress : called with (runs done, all runs, failed runs) at the start and after every task.

    Returns
    -------
    SweepOutcome

    Raises
    ------
    UsageError
        if an option is out of range, or Dask cannot be used.
    ResultsError
        if the ledger is damaged, another process writes it, or it cannot be written.

    Notes
    -----
    Workers are new processes: a script must call this under ``if __name__ == "__main__":``. What is
    interrupted or killed goes on with the same call. The tables do not depend on workers, shards, or how
    often it was interrupted.
    """
    which = parse_shard(shard)
    if timeout is not None and not timeout > 0:
        raise UsageError(f"timeout: found {timeout}; allowed are seconds above 0")
    plan = design if isinstance(design, SweepPlan) else plan_sweep(design)
    folder = folder_of(plan, results)
    repaired = _repaired(plan, folder, which) if repair else None
    with open_ledger(plan, folder, which) as ledger:
        if retry_failed:
            ledger.retry_failed()
        missing = ledger.missing_tasks()
        tried = _tries(ledger)
        count = _Count(plan, ledger, len(tried), progress)
        if missing:
            with _executor(plan, workers, dask, timeout, len(missing)) as executor:
                for result in run_orders(executor, (order_of(plan, number) for number in missing)):
                    ledger.keep(_with_tries(result, tried))
                    count.add(result)
        return SweepOutcome(
            folder, ledger.path, count.runs, count.of, count.failed, len(missing), which, repaired
        )


def folder_of(plan: SweepPlan, results: str | Path) -> Path:
    """Return the folder of a sweep's results.

    Parameters
    ----------
    plan : the plan.
    results : folder of all results.
    """
    return Path(results) / plan.design.name / plan.digest[:12]


def open_ledger(plan: SweepPlan, folder: Path, shard: tuple[int, int] | None = None) -> Ledger:
    """Open the ledger of a sweep for writing; make it if it is not there.

    Parameters
    ----------
    plan : the plan.
    folder : of the sweep's results.
    shard : which share of the tasks, or none for all.

    Raises
    ------
    ResultsError : if it is damaged, belongs to another plan, is being written, or cannot be written.
    """
    path = ledger_file(folder, shard)
    if path.exists():
        return Ledger.open(path, writing=True, digest=plan.digest)
    return Ledger.create(path, record_of(plan), len(plan.tasks), shard)


def _repaired(plan: SweepPlan, folder: Path, shard: tuple[int, int] | None) -> Salvaged | None:
    """Put a ledger of the whole tasks in the place of one that is damaged; none if it is not."""
    if not ledger_file(folder, shard).exists():
        return None
    try:
        open_ledger(plan, folder, shard).close()
    except DamagedLedger:
        return salvage.repair(ledger_file(folder, shard))
    return None


def run_orders(executor: Executor, orders: Iterator[TaskOrder]) -> Iterator[TaskResult]:
    """Run orders until each has a result, whatever happens to those who run them.

    Parameters
    ----------
    executor : who runs them.
    orders : for whole tasks.

    Yields
    ------
    TaskResult
        of each task, in the order in which they are finished.
    """
    died: list[TaskOrder] = []
    for order, outcome in executor.run(orders):
        if isinstance(outcome, TaskDied):
            died.append(order)
        else:
            yield outcome
    died_twice: list[TaskOrder] = []
    for order, outcome in executor.run(died):
        if isinstance(outcome, TaskDied):
            died_twice.append(order)
        else:
            yield outcome
    for order in died_twice:
        yield joined_result(order, _run_in_parts(executor, order, tried=2))


def _run_in_parts(executor: Executor, order: TaskOrder, tried: int) -> list[TaskResult]:
    """Run the parts of an order one at a time; those that die are taken apart again, down to single runs."""
    results: list[TaskResult] = []
    for part, outcome in executor.run(order.parts(PARTS), alone=True):
        if not isinstance(outcome, TaskDied):
            results.append(outcome)
        elif part.n_runs > 1:
            results += _run_in_parts(executor, part, tried + 1)
        else:
            results.append(_run_once_more(executor, part, tried + 1))
    return results


def _run_once_more(executor: Executor, order: TaskOrder, tried: int) -> TaskResult:
    """Give a single run that has just died its last chance."""
    [(_, outcome)] = executor.run([order], alone=True)
    return dead_run(order, outcome.reason, tried + 1) if isinstance(outcome, TaskDied) else outcome


def _tries(ledger: Ledger) -> dict[str, int]:
    """Return how often the failed runs were tried that are to be tried again."""
    again = sorted(set(ledger.missing_tasks()) & set(ledger.kept_tasks()))
    return {failure.run: failure.attempt for number in again for failure in ledger.task_failures(number)}


def _with_tries(result: TaskResult, tried: Mapping[str, int]) -> TaskResult:
    """Count the tries of earlier sweeps of the runs that have failed again."""
    if not result.failures or not tried:
        return result
    counted = [replace(f, attempt=f.attempt + tried.get(f.run, 0)) for f in result.failures]
    return replace(result, failures=tuple(counted))


class _Count:
    """How many runs are done and failed, told after every task."""

    def __init__(self, plan: SweepPlan, ledger: Ledger, to_retry: int, progress: Progress | None) -> None:
        self._progress = progress
        self.of = sum(plan.tasks[number].replicates for number in ledger.tasks) * len(plan.arms)
        before = ledger.progress()
        self.runs = before.runs
        self.failed = before.failed - to_retry
        self._tell()

    def add(self, result: TaskResult) -> None:
        """Count a task that was kept."""
        self.runs += result.n_runs
        self.failed += len(result.failures)
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self.runs, self.of, self.failed)


@contextmanager
def _executor(
    plan: SweepPlan, workers: int | None, dask: str | None, timeout: float | None, n_tasks: int
) -> Iterator[Executor]:
    """Give the executor that is asked for, and end its workers afterwards."""
    from mobsim.experiment.local import LocalProcesses, workers_to_use

    executor: Executor
    if dask is not None:
        from mobsim.experiment.cluster import LOCAL, DaskCluster

        if dask == LOCAL:
            workers = workers_to_use(workers, _largest_world(plan))
        elif workers is not None:
            raise UsageError(
                f"workers: found {workers} with the cluster {dask}, which has workers of its own; allowed is "
                "one of the two"
            )
        executor = DaskCluster(dask, workers=workers, timeout=timeout)
    else:
        wanted = min(workers_to_use(workers, _largest_world(plan)), n_tasks)
        _compile_first()
        executor = LocalProcesses(wanted, timeout=timeout)
    try:
        yield executor
    finally:
        executor.close()


def _largest_world(plan: SweepPlan) -> Scenario:
    """Return the scenario at the point with most residents, which takes most memory."""
    names = [factor.name for factor in plan.factors if RESIDENTS in factor.places]
    if not names:
        return plan.base
    largest = max(range(len(plan.points)), key=lambda number: plan.points[number][names[0]])
    try:
        return plan.world(largest)
    except ScenarioError:  # its runs will fail, and say why
        return plan.base


def _compile_first() -> None:
    """Compile what is not compiled yet, before several workers wait for it; say so on stderr."""
    from mobsim.kernels.kept import is_likely_complete

    if not is_likely_complete():
        from mobsim.engine.first_use import prepare

        prepare()
