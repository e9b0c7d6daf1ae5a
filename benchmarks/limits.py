"""What the machine can do at most: random reads from tables of several sizes, and reading in order.

A neighbour's state is one random read. How many a second the machine makes, on one thread and on two, is the
bound that no layout of the same table beats; results.md says which share of it the engine reaches.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

SIZES = {"16 KB": 16 << 10, "100 KB": 100 << 10, "1 MB": 1 << 20, "4 MB": 4 << 20, "100 MB": 100 << 20}
KINDS = {"byte": np.uint8, "word": np.uint32}
READ_BYTES = 256 << 20
MOST_READS = 1 << 22
SECONDS = 0.2
TIMES = 3

njit: Any = numba.njit(nogil=True, cache=False, error_model="numpy")


@njit
def gather(table: np.ndarray, where: np.ndarray, times: int) -> int:
    """Sum the entries of a table at random places, again and again; eight sums, so that none waits."""
    total = np.zeros(8, np.uint32)
    for _ in range(times):
        for k in range(0, where.size, 8):
            for lane in range(8):
                total[lane] += table[where[np.uint64(k + lane)]]
    return total.sum()


@njit
def read(words: np.ndarray) -> int:
    """Sum words in order, at four places at once."""
    first, second, third, fourth = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
    n = np.uint64(words.size // 4)
    for k in range(n):
        first += words[k]
        second += words[k + n]
        third += words[k + 2 * n]
        fourth += words[k + 3 * n]
    return first + second + third + fourth


def rate(work: Callable[[int], object], done: float, threads: int) -> float:
    """How much is done a second of processor time when threads do the same at once: the best of a few tries.

    Parameters
    ----------
    work : what one thread does, given its number.
    done : how much that is.
    threads : how many do it.
    """

    def alone(thread: int) -> float:
        began = time.thread_time()
        work(thread)
        return done / (time.thread_time() - began)

    with ThreadPoolExecutor(threads) as pool:
        return max(sum(pool.map(alone, range(threads))) for _ in range(TIMES))


def gathers(size: int, kind: type, threads: int, seconds: float) -> float:
    """Random reads a second from a table of so many bytes."""
    rng = np.random.default_rng(1)
    entries = size // np.dtype(kind).itemsize
    table = np.resize(np.array([0, 1, 1, 0, 1], kind), entries)
    reads = min(MOST_READS, max(8192, entries)) // 8 * 8
    where = rng.integers(0, entries, reads, dtype=np.uint32)
    gather(table, where, 1)
    began = time.perf_counter()
    gather(table, where, 1)
    once = time.perf_counter() - began
    times = max(1, int(seconds / max(once, 1e-6)))
    return rate(lambda _: gather(table, where, times), float(reads * times), threads)


def bandwidth(threads: int) -> float:
    """Bytes a second that so many threads read in order, each from memory of its own."""
    parts = [np.ones(READ_BYTES // 8, np.uint64) for _ in range(threads)]
    read(parts[0])
    return rate(lambda thread: read(parts[thread]), float(READ_BYTES), threads)


def measure(quick: bool = False) -> dict[str, Any]:
    """Measure all limits on one thread and on two."""
    seconds = 0.01 if quick else SECONDS
    found: dict[str, Any] = {
        kind: {
            label: [gathers(size, dtype, threads, seconds) for threads in (1, 2)]
            for label, size in SIZES.items()
        }
        for kind, dtype in KINDS.items()
    }
    found["read"] = [bandwidth(threads) for threads in (1, 2)]
    return found
