"""What the machine can do at most: random draws, random reads from tables of several sizes, reading in order.

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

from mobsim.kernels.keyed import entity_rounds, luck_rounds, philox_second, philox_strips
from mobsim.kernels.strip import STRIP, load, spread, store

SIZES = {"16 KB": 16 << 10, "100 KB": 100 << 10, "1 MB": 1 << 20, "4 MB": 4 << 20, "100 MB": 100 << 20}
KINDS = {"byte": np.uint8, "word": np.uint32}
LINE = 64
"""Bytes of a line of the cache; the states of 64 runs."""
DRAWN = 512
"""So many words are drawn, then written over by the next."""
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
def gather_lines(table: np.ndarray, where: np.ndarray, times: int) -> int:
    """Sum up 64 bytes that lie side by side (16 words of a table), from random places; at two at once."""
    first = second = spread(np.uint32(0))
    for _ in range(times):
        for k in range(0, where.size, 2):
            first = first + load(table, np.uint64(where[np.uint64(k)]) * np.uint64(STRIP))
            second = second + load(table, np.uint64(where[np.uint64(k + 1)]) * np.uint64(STRIP))
    out = np.zeros(STRIP, np.uint32)
    store(out, 0, first + second)
    return out.sum()


@njit
def draw_listed(entities: np.ndarray, times: int, out: np.ndarray) -> int:
    """Draw one word for each of some listed entities, again and again, as cascades do."""
    week, stream, seed, community = np.uint64(3), np.uint64(0), np.uint64(1), np.uint64(2)
    for luck in range(times):
        of_luck = luck_rounds(spread(np.uint32(luck)), week, seed, community)
        for place in range(0, entities.size, 2 * STRIP):
            first = entity_rounds(load(entities, place), stream, community)
            second = entity_rounds(load(entities, place + STRIP), stream, community)
            words, more = philox_strips(of_luck, first, of_luck, second, seed, community)
            store(out, place, words[0])
            store(out, place + STRIP, more[0])
    return out[0]


@njit
def draw_in_order(entities: np.ndarray, times: int, out: np.ndarray) -> int:
    """Draw one word for each of some entities in a row, again and again, as those who decide do."""
    for luck in range(times):
        for first in range(0, entities.size, 64):
            philox_second(first, 3, luck, 0, 1, 2, out[first : first + 64])
    return out[0]


DRAWS: dict[str, Callable[[np.ndarray, int, np.ndarray], int]] = {
    "listed": draw_listed,
    "in order": draw_in_order,
}
"""Forms in which the kernels draw."""


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


def draws(threads: int, seconds: float) -> float:
    """Random draws a second, in the fastest form."""
    entities = np.arange(DRAWN, dtype=np.uint32)
    outs = [np.zeros(DRAWN, np.uint32) for _ in range(threads)]
    found = []
    for draw in DRAWS.values():
        draw(entities, 1, outs[0])
        began = time.perf_counter()
        draw(entities, 100, outs[0])
        times = max(100, int(100 * seconds / max(time.perf_counter() - began, 1e-6)))
        found.append(
            rate(
                lambda thread, draw=draw, times=times: draw(entities, times, outs[thread]),
                float(times * DRAWN),
                threads,
            )
        )
    return max(found)


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
    found["draws"] = [draws(threads, seconds) for threads in (1, 2)]
    found["read"] = [bandwidth(threads) for threads in (1, 2)]
    return found
