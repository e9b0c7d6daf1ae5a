"""No program, but what no program of these rules is spared: the draws and the reads of a work, nothing else.

How many there are was counted in mobsim (`count_work.py`) and stands in the inputs. The draws are made in the
fastest of the forms that mobsim's kernels use, and nobody looks at them. The states are read in the order in
which the ties are listed, from the fastest of the tables that could hold them; where 64 runs are carried
together, 64 states lie side by side and are read at once. Each is timed for itself, with the clock and on as
many threads as the work.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from benchmarks import limits
from benchmarks.bounds import LIMITED
from benchmarks.works import Inputs, Outcome, Task

PACKAGE = "numba"
SECONDS = 0.02
"""Each measurement repeats itself until it takes about this long."""

Share = Callable[[], object]
"""What one thread does."""


def draw_shares(number: int) -> dict[str, Share]:
    """Ways to make so many draws, by name."""
    entities, out = np.arange(limits.DRAWN, dtype=np.uint32), np.zeros(limits.DRAWN, np.uint32)
    times = math.ceil(number / limits.DRAWN)
    return {
        name: lambda draw=draw: draw(entities, times, out.copy())  # type: ignore[misc]
        for name, draw in limits.DRAWS.items()
    }


def read_shares(given: Inputs, number: int, runs: int) -> dict[str, Share]:
    """Ways to read so many states of contacts, by name."""
    where = np.resize(given.neighbours, max(8, number // 8 * 8))
    if runs > 1:
        lines = np.ones(given.n * limits.LINE // 4, np.uint32)
        return {f"{limits.LINE} bytes": lambda: limits.gather_lines(lines, where, 1)}
    tables = {name: np.ones(given.n, kind) for name, kind in limits.KINDS.items()}
    return {
        f"a {name}": lambda table=table: limits.gather(table, where, 1)  # type: ignore[misc]
        for name, table in tables.items()
    }


class Timed:
    """The fastest of some ways to do something, timed on some threads.

    Parameters
    ----------
    shares : what each thread does, by the name of the way.
    threads : how many threads do that at once.
    """

    def __init__(self, shares: dict[str, Share], threads: int) -> None:
        self.threads = threads
        once = {}
        for name, share in shares.items():
            self.share, self.times = share, 1
            self.seconds()
            once[name] = min(self.seconds() for _ in range(3))
        self.name = min(once, key=lambda name: once[name])
        self.share, self.times = shares[self.name], max(1, math.ceil(SECONDS / max(once[self.name], 1e-7)))

    def seconds(self) -> float:
        """Do it, as often as needed to be timed; return how long once takes."""

        def work(_: int) -> None:
            for _ in range(self.times):
                self.share()

        if self.threads == 1:
            began = time.process_time()
            work(0)
            return (time.process_time() - began) / self.times
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(lambda _: None, range(self.threads)))  # start the threads
            began_wall = time.perf_counter()
            list(pool.map(work, range(self.threads)))
            return (time.perf_counter() - began_wall) / self.times


def alone(given: Inputs) -> Task:
    """The draws and the reads of one call of a work, each for itself."""
    about = LIMITED[given.work]
    counted = given.parameters.get("counted", {"draws": given.n, "ties": given.n})
    draws = Timed(draw_shares(math.ceil(counted["draws"] / about.threads)), about.threads)
    reads = Timed(
        read_shares(given, math.ceil(counted["ties"] / about.threads), about.runs_a_read), about.threads
    )

    def run() -> Outcome:
        told = {
            "draws_s": draws.seconds(),
            "reads_s": reads.seconds(),
            "drawn": draws.name,
            "read": reads.name,
        }
        return Outcome(1.0, lambda: told)

    return run


WORKS = dict.fromkeys(LIMITED, alone)
