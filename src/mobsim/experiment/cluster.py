"""Tasks on a Dask cluster, or on one that is made on this machine to try it.

Short tasks are sent several at a time, and only so many that every thread of the cluster has its next work
waiting: neither the scheduler nor this process ever holds the whole sweep. Workers may come and go.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count, islice
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from mobsim.errors import ResultsError, UsageError, needs_extra
from mobsim.experiment.executors import Outcome, Patience, TaskDied
from mobsim.experiment.local import interrupts_held
from mobsim.experiment.work import TaskOrder, TaskResult, run_task

LOCAL = "local"
"""The word that stands for a cluster of this machine's processes, made for the sweep."""

LEAST_SECONDS = 600.0
"""A batch is overdue after so many seconds at least: a worker that joins may have to compile first."""

BATCH_SECONDS = 0.5
"""Work that is sent at once, at least: the scheduler takes time for each batch."""

MOST_IN_BATCH = 64
WAITING_EACH = 2
"""Batches for each thread of the cluster: one that it runs, one that waits."""

SECONDS_TO_CONNECT = 30.0
SECONDS_BETWEEN_LOOKS = 1.0
UNWATCHED = {"distributed.worker.profile.enabled": False}
"""A worker of a local cluster is not looked at every hundredth of a second: that would cost a twentieth."""


@dataclass(eq=False)
class _Batch:
    """Orders that were sent together."""

    orders: tuple[TaskOrder, ...]
    future: Any
    worker: str = ""
    since: float = field(default_factory=time.monotonic)
    """When it was first seen at this worker."""


class DaskCluster:
    """Workers of a Dask cluster.

    Parameters
    ----------
    address : of its scheduler, such as tcp://host:8786, or `local`.
    workers : processes of a local cluster; none: one a processor.
    timeout : seconds after which a task is overdue; none: 10 minutes, or 30 times what tasks usually take if
        that is longer.

    Raises
    ------
    UsageError
        if Dask is not installed, no scheduler answers, or a worker has another version of mobsim.
    """

    def __init__(self, address: str, *, workers: int | None = None, timeout: float | None = None) -> None:
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise needs_extra("dask", "a sweep on a Dask cluster") from None
        self._patience = Patience(LEAST_SECONDS, timeout)
        self._client: Any = None
        self._cluster: Any = None
        self._name, self._numbers = f"mobsim-{uuid4().hex[:8]}", count()
        self._done: SimpleQueue[_Batch] = SimpleQueue()
        self._sent: set[_Batch] = set()
        self._looked = self._counted = 0.0
        self.workers = 0
        if address == LOCAL:
            with interrupts_held(), import_module("dask").config.set(UNWATCHED):
                self._cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
        try:
            self._client = distributed.Client(
                self._cluster or address, timeout=SECONDS_TO_CONNECT, set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise UsageError(
                f"dask: no scheduler answers at {address!r} ({_said(error)}); allowed is the address of one "
                f"that runs, such as tcp://host:8786, or {LOCAL!r}"
            ) from None
        try:
            self._check_workers()
        except BaseException:
            self.close()
            raise

    def run(self, orders: Iterable[TaskOrder], *, alone: bool = False) -> Iterator[Outcome]:
        """Run all orders; see `Executor`.

        Parameters
        ----------
        orders : taken when there is room for more.
        alone : one at a time.
        """
        source = iter(orders)
        more = True
        while more or self._sent:
            while more and len(self._sent) < (1 if alone else self._room()):
                batch = tuple(islice(source, 1 if alone else self._in_batch()))
                more = bool(batch)
                if batch:
                    self._send(batch)
            if self._sent:
                yield from self._next_outcomes()

    def close(self) -> None:
        """Let go of the cluster: what still runs there is cancelled; a local cluster ends."""
        with suppress(Exception):
            if self._client.status == "running":
                self._client.cancel([batch.future for batch in self._sent], force=True)
            self._client.close(timeout=5)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=10)

    def _check_workers(self) -> None:
        """Let the workers that are there load what they need, and see which mobsim they have."""
        ours = _version()
        try:
            found = self._client.run(begin_worker)
        except Exception as error:
            raise UsageError(
                f"dask: the workers cannot run mobsim ({_said(error)}); allowed are workers on which "
                f"mobsim {ours} is installed"
            ) from None
        for worker, theirs in found.items():
            _refuse_other(worker, theirs, ours)

    def _room(self) -> int:
        """Return how many batches may be under way."""
        if time.monotonic() - self._counted > SECONDS_BETWEEN_LOOKS:
            self._counted = time.monotonic()
            with suppress(Exception):
                self.workers = sum(self._client.nthreads().values())
        return WAITING_EACH * max(1, self.workers)

    def _in_batch(self) -> int:
        """Return how many orders are sent together."""
        usual = self._patience.usual
        return 1 if usual is None else min(MOST_IN_BATCH, math.ceil(BATCH_SECONDS / max(1e-3, usual)))

    def _send(self, orders: tuple[TaskOrder, ...]) -> None:
        future = self._client.submit(
            run_batch, pickle.dumps(orders), _version(), key=f"{self._name}-{next(self._numbers)}", pure=False
        )
        batch = _Batch(orders, future)
        self._sent.add(batch)
        future.add_done_callback(lambda _: self._done.put(batch))

    def _next_outcomes(self) -> Iterator[Outcome]:
        """Wait for the next batch that is done, and give what came of it."""
        batch, said = self._next_done()
        self._sent.discard(batch)
        batch.future.release()
        for place, order in enumerate(batch.orders):
            yield order, (said if isinstance(said, TaskDied) else said[place])

    def _next_done(self) -> tuple[_Batch, Sequence[TaskResult] | TaskDied]:
        """Wait for the next batch that is done, or that takes too long."""
        while True:
            batch = self._overdue()
            if batch is not None:
                self._end_worker(batch)
                return batch, TaskDied("it took too long and its worker was ended")
            with suppress(Empty):
                batch = self._done.get(timeout=SECONDS_BETWEEN_LOOKS)
                if batch in self._sent:  # else it was overdue, and is done with
                    return batch, self._result(batch)
            self._refuse_to_go_on_without_scheduler()

    def _refuse_to_go_on_without_scheduler(self) -> None:
        if self._client.status != "running":
            raise ResultsError(
                "the Dask scheduler has gone; what was finished is kept, and the same command goes on"
            )

    def _result(self, batch: _Batch) -> Sequence[TaskResult] | TaskDied:
        """Fetch the results of a batch that is done."""
        try:
            results: list[TaskResult] = batch.future.result(timeout=self._patience.limit())
        except UsageError:
            raise
        except Exception as error:
            self._refuse_to_go_on_without_scheduler()
            return TaskDied(_said(error))
        for result in results:
            self._patience.learn(result.seconds)
        return results

    def _overdue(self) -> _Batch | None:
        """Return a batch that takes too long: the first that its worker has to do."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS:
            return None
        self._looked = time.monotonic()
        at: dict[str, str] = {}
        with suppress(Exception):
            at = {key: worker for worker, keys in self._client.processing().items() for key in keys}
        for batch in self._sent:
            worker = at.get(batch.future.key, "")
            if worker != batch.worker:
                batch.worker, batch.since = worker, time.monotonic()
        first = {batch.worker: batch for batch in sorted(self._sent, key=lambda b: b.since, reverse=True)}
        limit, now = self._patience.limit(), time.monotonic()
        late = (b for b in first.values() if b.worker and now - b.since > limit * len(b.orders))
        return next(late, None)

    def _end_worker(self, batch: _Batch) -> None:
        """End the process that runs a batch; what else it had to do goes elsewhere."""
        with suppress(Exception):
            self._client.cancel([batch.future], force=True)
        with suppress(Exception):
            self._client.run(end_worker, workers=[batch.worker], wait=False)


# --- On the worker


def begin_worker() -> str:
    """Load and compile what tasks need; return the version of mobsim here."""
    from mobsim.engine.first_use import warm_up

    warm_up()
    return _version()


async def end_worker() -> None:
    """End this process at once, whatever its threads do; a nanny starts another."""
    os._exit(1)


def run_batch(pickled: bytes, version: str) -> list[TaskResult]:
    """Run some orders one after the other.

    Parameters
    ----------
    pickled : the orders, which Dask need not look into.
    version : of mobsim where the sweep is kept; it must be the same here.

    Raises
    ------
    UsageError : if it is another one.
    """
    _refuse_other("a worker that has joined", _version(), version)
    return [run_task(order) for order in pickle.loads(pickled)]


def _version() -> str:
    from mobsim import __version__

    return str(__version__)


def _refuse_other(worker: str, theirs: object, ours: str) -> None:
    if theirs != ours:
        raise UsageError(
            f"dask: {worker} has mobsim {theirs}; allowed is the version that runs the sweep, {ours}: other "
            "versions may give other numbers"
        )


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__
