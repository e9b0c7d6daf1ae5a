"""W1 to W4 in careful NumPy with a scipy.sparse matrix: the fastest form found of each.

Forms that were tried on 10,000 residents, and what was taken:

* Counting contacts: a CSR matrix times a vector, in float32, float64 and 8 to 32 bit whole numbers; padded
  rows with `take`; `add.reduceat`. Taken: CSR with one byte a number (about 1.3 times as fast as float32).
* W1 to rest: one run at a time along its frontier (`subtract.at`, then the new ones without repetition), all
  64 runs along one frontier, and all 64 runs as the matrix times [residents, runs]. Taken: the last.
* W1, 50 weeks: one run (`W1-dense`) as the work says; `W1-dense-64` is the same for 64 runs at once, as the
  matrix times [residents, runs], about five times as fast a resident and week.
* W2: cascades one by one and up to 250 at once along one frontier; a draw for each tie, or draws of the gaps
  between the ties that tell (geometric, from exponential draws). Taken: gaps, 100 at once, repetitions
  removed by writing and reading back.
* W3: everybody each week; only those who reconsider; a table of chances by number of contacts. They differ by
  less than a fifth. Taken: everybody, in place, float32, numbers from SFC64 (NumPy's fastest generator).
* W4: a pool of two processes, each with 64 runs at once as [residents, runs]; one run at a time takes about
  three times as long, and fewer or more runs at once are not faster.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from benchmarks.works import (
    SEED,
    Inputs,
    Outcome,
    Prepare,
    Task,
    cascade_result,
    curve_result,
    dense_result,
    fixpoint_result,
    sweep_result,
)

NAME = "NumPy + SciPy"
PACKAGE = "scipy"

AT_ONCE = 64
"""Runs that share one matrix product."""
CASCADES_AT_ONCE = 100
PROCESSES = 2

Flags = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int64]


def contacts(given: Inputs) -> sp.csr_array:
    """The matrix whose product with who takes part counts participating contacts."""
    number = np.int8 if given.degree.max() < 128 else np.int32
    entries = (
        np.ones(given.neighbours.size, number),
        given.neighbours.astype(np.int32),
        given.row_start.astype(np.int32),
    )
    return sp.csr_array(entries, shape=(given.n, given.n))


def seeded(*key: int) -> np.random.Generator:
    """The fastest of NumPy's generators, with a stream of its own for each key."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([SEED, *key])))


def fixpoint(given: Inputs) -> Task:
    """W1 to rest, all seed sets at once."""
    matrix = contacts(given)
    least = given.least_count.astype(matrix.dtype)[:, None]

    def task() -> Outcome:
        sets = len(given.seed_sets)
        now = np.stack([given.first(k) for k in range(sets)], axis=1).view(np.int8)
        weeks = np.zeros(sets, np.int64)
        for week in range(1, given.weeks + 1):
            joined = (matrix @ now >= least).view(np.int8)
            joined |= now
            changed = np.bitwise_or.reduce(joined ^ now, axis=0) > 0
            if not changed.any():
                break
            weeks[changed] = week
            now = joined
        finals = now.view(np.bool_)
        return Outcome(sets, lambda: fixpoint_result(list(finals.T), weeks.tolist()))

    return task


def _weeks(matrix: sp.csr_array, least: Any, now: Flags, weeks: int, irreversible: bool) -> Iterator[Flags]:
    """Who takes part at the end of each week, one run or many."""
    for _ in range(weeks):
        before, now = now, (matrix @ now >= least).view(np.int8)
        if irreversible:
            now |= before
        yield now


def dense(given: Inputs) -> Task:
    """W1, reversible, one run."""
    matrix = contacts(given)
    least = given.least_count.astype(matrix.dtype)

    def curve(irreversible: bool) -> list[int]:
        states = _weeks(matrix, least, given.first().view(np.int8), given.weeks, irreversible)
        return [int(np.count_nonzero(now)) for now in states]

    def task() -> Outcome:
        reversible = curve(False)
        result = partial(told, reversible)
        return Outcome(given.n * given.weeks, result)

    def told(reversible: list[int]) -> dict[str, Any]:
        return dense_result(reversible=[reversible], irreversible=[curve(True)])

    return task


def dense_together(given: Inputs) -> Task:
    """W1, reversible, all seed sets at once."""
    matrix = contacts(given)
    least = given.least_count.astype(matrix.dtype)[:, None]

    def task() -> Outcome:
        sets = len(given.seed_sets)
        first = np.stack([given.first(k) for k in range(sets)], axis=1).view(np.int8)
        counts = np.array(
            [now.sum(axis=0, dtype=np.int32) for now in _weeks(matrix, least, first, given.weeks, False)]
        )
        return Outcome(given.n * given.weeks * sets, lambda: dense_result(reversible=counts.T.tolist()))

    return task


def cascades(given: Inputs) -> Task:
    """W2: cascades along one frontier, 100 at a time."""
    n, chance = given.n, given.parameters["chance"]
    neighbours = given.neighbours.astype(np.int64)
    row_start, degree = given.row_start, given.degree
    mean_gap = np.float32(-1.0 / np.log1p(-chance))
    calls = iter(range(2**31))

    def together(runs: int, rng: np.random.Generator) -> Counts:
        active = np.zeros(runs * n, np.bool_)
        place = np.empty(runs * n, np.int32)
        node = np.tile(given.seed_sets[0], runs)
        run = np.repeat(np.arange(runs) * n, given.seed_sets.shape[1])
        active[node + run] = True
        while node.size:
            end = np.cumsum(degree[node])
            first = row_start[node] - (end - degree[node])
            tell = _chosen(int(end[-1]), chance, mean_gap, rng)
            source = np.searchsorted(end, tell, side="right")
            target = neighbours[first[source] + tell]
            run_of = run[source]
            reached = target + run_of
            kept = np.flatnonzero(~active[reached])
            reached = reached[kept]
            order = np.arange(reached.size, dtype=np.int32)
            place[reached] = order
            once = np.flatnonzero(place[reached] == order)
            active[reached[once]] = True
            kept = kept[once]
            node, run = target[kept], run_of[kept]
        return active.reshape(runs, n).sum(axis=1)

    def task() -> Outcome:
        rng = seeded(2, next(calls))
        wanted = given.parameters["cascades"]
        batches = [CASCADES_AT_ONCE] * (wanted // CASCADES_AT_ONCE)
        sizes = np.concatenate([together(runs, rng) for runs in batches])
        return Outcome(sizes.size, lambda: cascade_result(sizes))

    return task


def _chosen(
    ties: int, chance: float, mean_gap: np.float32, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Numbers of the ties that tell, each with the same chance: gaps between them are geometric."""
    parts = []
    last = -1
    while last < ties:
        more = (ties - last) * chance
        gaps = rng.standard_exponential(int(more + 5 * np.sqrt(more)) + 8, dtype=np.float32)
        gaps *= mean_gap
        place = np.cumsum(gaps.astype(np.int64) + 1)
        place += last
        parts.append(place)
        last = int(place[-1])
    tell = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return tell[: np.searchsorted(tell, ties)]


def participation(given: Inputs) -> Task:
    """W3: one run."""
    matrix = contacts(given)
    numbers = given.parameters
    n, noise, reconsider = given.n, numbers["noise"], np.float32(numbers["reconsider"])
    pull = (-numbers["social_weight"] / noise / given.degree).astype(np.float32)
    threshold = (given.threshold / noise).astype(np.float32)
    stays = np.float32(1 - reconsider)
    chance, stay, draw = (np.empty(n, np.float32) for _ in range(3))
    calls = iter(range(2**31))

    def task() -> Outcome:
        rng = seeded(3, next(calls))
        now = given.first().view(np.int8)
        counts = []
        for _ in range(given.weeks):
            np.multiply(matrix @ now, pull, out=chance)
            np.add(chance, threshold, out=chance)
            np.exp(chance, out=chance)
            np.add(chance, np.float32(1), out=chance)
            np.divide(reconsider, chance, out=chance)
            np.multiply(now, stays, out=stay)
            np.add(chance, stay, out=chance)
            rng.random(out=draw, dtype=np.float32)
            now = np.less(draw, chance).view(np.int8)
            counts.append(int(np.count_nonzero(now)))
        return Outcome(n * given.weeks, lambda: curve_result([counts]))

    return task


def sweep(given: Inputs) -> Task:
    """W4: a pool of two processes that lives as long as the task; every process has the inputs already."""
    pool = ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"), _receive, (given,))
    runs = len(given.parameters["points"]) * given.parameters["replicates"]
    chunks = [(begin, min(begin + AT_ONCE, runs)) for begin in range(0, runs, AT_ONCE)]
    calls = iter(range(2**31))

    def task() -> Outcome:
        call = next(calls)
        curves = np.concatenate(list(pool.map(_run_chunk, [(call, *chunk) for chunk in chunks])), axis=1)
        final = curves[-1].reshape(-1, given.parameters["replicates"])
        return Outcome(given.n * given.weeks * runs, lambda: sweep_result(range(len(final)), final))

    return task


_received: list[Inputs] = []


def _receive(given: Inputs) -> None:
    _received.append(given)


def _run_chunk(job: tuple[int, int, int]) -> npt.NDArray[np.int32]:
    """Curves (weeks, runs) of the runs from `begin` to `end` of one call."""
    call, begin, end = job
    return sweep_together(_received[0], begin, end, seeded(4, call, begin))


def sweep_together(given: Inputs, begin: int, end: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Curves (weeks, runs) of runs of W4; run k is replicate k mod 10 of point k div 10."""
    numbers = given.parameters
    matrix = contacts(given)
    points = [numbers["points"][run // numbers["replicates"]] for run in range(begin, end)]
    noise = np.array([point["noise"] for point in points])
    social_weight = np.array([point["social_weight"] for point in points])
    pull = (-(social_weight / noise) / given.degree[:, None]).astype(np.float32)
    threshold = (given.threshold[:, None] / noise).astype(np.float32)
    reconsider = np.float32(numbers["reconsider"])
    stays = np.float32(1 - reconsider)
    chance, stay, draw = (np.empty(pull.shape, np.float32) for _ in range(3))
    now = np.repeat(given.first()[:, None], len(points), axis=1).view(np.int8)
    curves = np.empty((given.weeks, len(points)), np.int32)
    for week in range(given.weeks):
        np.multiply(matrix @ now, pull, out=chance)
        np.add(chance, threshold, out=chance)
        np.exp(chance, out=chance)
        np.add(chance, np.float32(1), out=chance)
        np.divide(reconsider, chance, out=chance)
        np.multiply(now, stays, out=stay)
        np.add(chance, stay, out=chance)
        rng.random(out=draw, dtype=np.float32)
        now = np.less(draw, chance).view(np.int8)
        now.sum(axis=0, dtype=np.int32, out=curves[week])
    return curves


WORKS: dict[str, Prepare] = {
    "W1-fixpoint": fixpoint,
    "W1-dense": dense,
    "W1-dense-64": dense_together,
    "W2": cascades,
    "W3-10k": participation,
    "W3-100k": participation,
    "W4": sweep,
}
