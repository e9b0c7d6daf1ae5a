"""Tasks on processes of this machine.

Each worker has a pipe of its own. The parent hears of a worker that ends, ends one that takes too long, and
starts another in its place. Workers leave interrupts to the parent, and end when the parent ends, however it
ends.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, Any

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.executors import Outcome, Patience, TaskDied
from mobsim.experiment.work import TaskOrder, TaskResult
from mobsim.scenario.memory import USABLE_SHARE, available_bytes, estimated_bytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from mobsim.scenario.scenario import Scenario

LEAST_SECONDS = 120.0
"""A task is overdue after so many seconds at least."""

BYTES_OF_A_WORKER = 300 * 2**20
"""Memory of a worker beside its communities: Python and what it has loaded."""

LEAST_BYTES = 2**30
"""No worker is held to less memory."""

MOST_FAILED_STARTS, MOST_KILLED_STARTS = 3, 30
"""How many workers may end by themselves, or be killed, one after the other, before one comes to start."""

MANY_OBJECTS = 200_000
"""New objects after which a worker looks for garbage."""


def workers_to_use(asked: int | None, scenario: Scenario) -> int:
    """Return how many worker processes to use: as asked, or one a processor, but no more than memory allows.

    Parameters
    ----------
    asked : how many, or none.
    scenario : the largest that is run, as far as known.

    Raises
    ------
    UsageError : if the number is out of range.
    """
    if asked is not None and not 1 <= asked <= 1024:
        raise UsageError(f"workers: found {asked}; allowed are whole numbers from 1 to 1,024")
    free = available_bytes()
    fit = 1024
    if free is not None:
        fit = int(USABLE_SHARE * free // (estimated_bytes(scenario) + BYTES_OF_A_WORKER))
    return max(1, min(asked or processors(), fit))


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalProcesses:
    """Worker processes of this machine.

    Parameters
    ----------
    workers : how many, 1 or more.
    timeout : seconds after which a task is overdue; none: 120 s, or 30 times what tasks usually take if
        that is longer.
    """

    def __init__(self, workers: int, *, timeout: float | None = None) -> None:
        self.workers = workers
        self._patience = Patience(LEAST_SECONDS, timeout)
        self._team: list[_Worker] = []
        self._failed_starts = self._killed_starts = 0

    def run(self, orders: Iterable[TaskOrder], *, alone: bool = False) -> Iterator[Outcome]:
        """Run all orders; see `Executor`.

        Parameters
        ----------
        orders : taken one by one, when a worker is free.
        alone : one at a time.
        """
        source = iter(orders)
        waiting = next(source, None)
        most = 1 if alone else self.workers
        came: list[Outcome] = []
        while True:
            for worker in self._team:
                if waiting is not None and worker.idle and self._n_busy() < most:
                    worker.take(waiting)
                    waiting = next(source, None)
            while waiting is not None and len(self._team) < most:
                self._team.append(_Worker())
            yield from came  # whoever is free has gone on before anybody looks at what came
            if waiting is None and not self._n_busy():
                return
            came = self._wait()

    def close(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._team:
            worker.end()
        self._team = []

    def _n_busy(self) -> int:
        return sum(worker.order is not None for worker in self._team)

    def _wait(self) -> list[Outcome]:
        """Wait until something happens, and return what came of the orders that are done with."""
        now, limit = time.monotonic(), self._patience.limit()
        left = [worker.since + limit - now for worker in self._team if worker.order is not None]
        things: list[Any] = [thing for worker in self._team for thing in worker.signs()]
        happened = set(connection.wait(things, max(0.0, min(left)) if left else None))
        came: list[Outcome] = []
        for worker in list(self._team):
            order, since = worker.order, worker.since
            if happened.intersection(worker.signs()):
                outcome = worker.hear()
            elif order is not None and time.monotonic() - since >= limit:
                outcome = worker.end(f"it took longer than {limit:,.0f} s and was ended")
            else:
                continue
            if order is not None and outcome is not None:
                came.append((order, outcome))
                if isinstance(outcome, TaskResult):
                    self._patience.learn(time.monotonic() - since)
            self._count_starts(worker)
        return came

    def _count_starts(self, worker: _Worker) -> None:
        """Take leave of a worker that has ended; give up if none comes to start."""
        if worker.ready:
            self._failed_starts = self._killed_starts = 0
        if not worker.ended:
            return
        self._team.remove(worker)
        if worker.ready:
            return
        self._failed_starts += not worker.killed
        self._killed_starts += worker.killed
        if self._failed_starts >= MOST_FAILED_STARTS:
            raise ResultsError(
                f"worker processes do not start: {worker.ended}; a script that runs a sweep must do so under "
                '`if __name__ == "__main__":`'
            )
        if self._killed_starts >= MOST_KILLED_STARTS:
            raise ResultsError(
                f"worker processes do not come to start: {worker.ended}; fewer --workers may help"
            )


class _Worker:
    """A process, its pipe, and the order that it runs."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe: Connection
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, _bytes_allowed()), daemon=True)
        with interrupts_held():
            self.process.start()
        theirs.close()
        self.ready = self.killed = False
        self.ended = ""
        self.order: TaskOrder | None = None
        self.since = 0.0

    @property
    def idle(self) -> bool:
        """Whether it waits for an order."""
        return self.ready and self.order is None and not self.ended and self.process.is_alive()

    def signs(self) -> list[Any]:
        """Return what becomes ready when the worker speaks or ends."""
        return [self.pipe, self.process.sentinel]

    def take(self, order: TaskOrder) -> None:
        """Send an order."""
        self.order, self.since = order, time.monotonic()
        with suppress(OSError):  # it has just ended; that is heard next
            self.pipe.send(order)

    def hear(self) -> TaskResult | TaskDied | None:
        """Read what the worker says: that it is ready, a result, or nothing any more."""
        try:
            said: TaskResult | None = self.pipe.recv()
        except (EOFError, OSError):
            return self.end()
        self.ready = True
        if said is not None:
            self.order = None
        return said

    def end(self, why: str = "") -> TaskDied | None:
        """End the process if it has not ended yet; its order, if any, has died."""
        if not why:  # it has closed its pipe, so it is about to end
            self.process.join(1.0)
        lives = self.process.is_alive()
        self.process.kill()
        self.process.join()
        self.killed = (self.process.exitcode or 0) < 0
        self.ended = why or ("it closed its pipe" if lives else how_it_ended(self.process.exitcode))
        self.pipe.close()
        self.process.close()
        return None if self.order is None else TaskDied(self.ended)


def how_it_ended(code: int | None) -> str:
    """Return in words how a process ended.

    Parameters
    ----------
    code : its exit code; minus a signal's number if that ended it.

    Examples
    --------
    >>> how_it_ended(-9), how_it_ended(3)
    ('it was ended by SIGKILL, as it is when memory runs out', 'it ended by itself with exit code 3')
    """
    if code is None or code >= 0:
        return f"it ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}" + (", as it is when memory runs out" if name == "SIGKILL" else "")


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let a process that starts now be born deaf to Ctrl-C, which is for the parent alone."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else its start, which comes first, would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _bytes_allowed() -> int | None:
    """Return how much memory a worker may take: as much as may be used of what is free now."""
    free = available_bytes()
    return None if free is None else max(LEAST_BYTES, int(USABLE_SHARE * free))


# --- In the worker


def serve(pipe: Connection, most_bytes: int | None) -> None:
    """Run the orders that come through a pipe until it is closed: what a worker process does.

    Parameters
    ----------
    pipe : orders come in, and results go out.
    most_bytes : memory that this process may take, or none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):
        os.dup2(2, 1)  # stdout is for data; what a model prints is none
    _be_the_first_to_go()
    from mobsim.engine import each, run_table, week_tables  # noqa: F401  what every task needs
    from mobsim.engine.first_use import warm_up
    from mobsim.experiment.work import run_task

    warm_up()

    _limit_memory(most_bytes)
    gc.freeze()
    gc.set_threshold(MANY_OBJECTS)
    try:
        pipe.send(None)
        while True:
            pipe.send(run_task(pipe.recv()))
    except (EOFError, OSError):  # nobody is there any more
        return


def _end_with_parent() -> None:
    """End this process at once when its parent has ended, also in the middle of a task."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _limit_memory(most_bytes: int | None) -> None:
    """Let a run that takes too much memory fail by itself, before the whole machine has none."""
    if most_bytes is None or sys.platform in ("win32", "darwin"):
        return
    import resource

    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            most_bytes = min(most_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, hard))


def _be_the_first_to_go() -> None:
    """Ask the system to end a worker and not the parent, which keeps the results, when memory runs out."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("500")
