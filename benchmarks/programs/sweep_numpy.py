"""W7 in careful NumPy: a pool of two processes, each with 32 runs at once as [residents, runs].

One run at a time takes about four times as long, and more at once are not faster. The curves go to a file of
arrays.
"""

from __future__ import annotations

import atexit
import itertools
import multiprocessing
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from benchmarks.sweeps import PROCESSES, recorded_weeks, some_points
from benchmarks.whole_week import Inputs
from benchmarks.works import Outcome, Task, sweep_result

NAME = "NumPy + SciPy"
PACKAGE = "scipy"

POINTS, REPLICATES = 64, 32
"""So many points and replicates at each are run."""
AT_ONCE = 32
f4 = np.float32


class Weeks:
    """The whole week without a campaign, for several runs at once."""

    def __init__(self, given: Inputs) -> None:
        self.n, self.weeks, self.given = given.n, given.weeks, given
        self.b: dict[str, float] = given.parameters["behaviour"]
        groups = given.parameters["groups"]
        entries = np.ones(given.neighbours.size, f4), given.neighbours.astype(np.int32)
        self.matrix = sp.csr_array((*entries, given.row_start.astype(np.int32)), shape=(given.n, given.n))
        self.omega = given.influence.astype(f4)[:, None]
        self.weight = self.matrix @ self.omega
        self.weight[self.weight == 0] = 1
        sign = given.leaning.astype(f4)[:, None]
        self.ordinary, self.supportive, self.opposed = sign == 0, sign > 0, sign < 0
        self.pull = np.where(self.ordinary, 0, sign * self.omega).astype(f4)
        self.by_group = {
            name: np.array([group[name] for group in groups], f4)[given.group][:, None] for name in groups[0]
        }
        self.background = np.log2(1 - self.by_group["background_media"])
        self.log_p, self.log_n = (
            f4(np.log2(1 - self.b[name])) for name in ("tell_participant", "tell_other")
        )
        halves = ("appeal_half_life", "capability_half_life", "ownership_half_life")
        self.keep = [f4(2 ** (-1 / self.b[name])) for name in halves]
        self.forget = f4(1 - 2 ** (-1 / self.b["awareness_half_life"]))

    def run(self, points: Sequence[Mapping[str, float]], seed: Sequence[int]) -> npt.NDArray[np.int64]:
        """Run one run at each of some points.

        Returns
        -------
        (2, weeks, runs) who is aware and who takes part at the end of each week.
        """
        rng = np.random.default_rng(seed)
        b, n, runs, given = self.b, self.n, len(points), self.given
        social, noise = (np.array([point[name] for point in points], f4) for name in points[0])
        a, x = (np.repeat(s[:, None], runs, axis=1) for s in (given.aware, given.participating))
        start = (given.threshold, given.capability, given.trust)
        theta, s0, t = (np.repeat(v.astype(f4)[:, None], runs, axis=1) for v in start)
        s, o, m = s0.copy(), np.zeros((n, runs), f4), np.zeros((n, runs), f4)
        z = np.zeros(runs, f4)
        counted = np.zeros((2, self.weeks, runs), np.int64)
        states = np.zeros((n, 3 * runs), f4)
        for week in range(self.weeks):
            draws = rng.random((5, n, runs), dtype=f4)
            share = x.mean(axis=0, dtype=f4)
            tells = a & (x | self.supportive)
            states[:, :runs] = tells
            states[:, runs : 2 * runs] = a & ~tells
            states[:, 2 * runs :] = np.where(self.ordinary, x * self.omega, self.pull)
            told, others, pulled = np.split(self.matrix @ states, 3, axis=1)
            exposure = f4(1 - b["visibility"]) * pulled / self.weight + f4(b["visibility"]) * share
            a |= draws[0] < 1 - np.exp2(self.background + told * self.log_p + others * self.log_n)
            v = social * exposure
            v += f4(b["appeal_weight"]) * t * m
            v += f4(b["capability_weight"]) * s
            v += f4(b["results_weight"]) * z - self.by_group["barrier"] - theta
            v += f4(b["habit"]) * o * x
            stays = f4(1 - b["reconsider"]) * x + f4(b["reconsider"]) / (1 + np.exp(-v / noise))
            x = a & ~self.opposed & (draws[1] < stays)
            lapse = x & (draws[2] < f4(b["lapse"]))
            x &= ~lapse
            o[lapse] *= f4(0.5)
            a &= x | (draws[4] >= self.forget)
            new, of_run = np.nonzero(draws[3] < f4(b["turnover"]))
            if new.size:
                place = new, of_run
                theta[place] = rng.normal(b["threshold_mean"], b["threshold_sd"], new.size)
                for level, name in ((s0, "capability"), (t, "trust")):
                    middle = self.by_group[name][new, 0]
                    level[place] = np.clip(rng.normal(middle, b[f"{name}_sd"]), 0, 1)
                s[place] = s0[place]
                a[place] = given.is_leader[new] | (rng.random(new.size) < self.by_group["aware"][new, 0])
                x[place] = False
                o[place] = m[place] = 0
            m *= self.keep[0]
            s = np.where(x, s + f4(b["learning"]) * (1 - s), s0 + (s - s0) * self.keep[1])
            o = np.where(x, o + f4(b["ownership_growth"]) * (1 - o), o * self.keep[2])
            f = x.mean(axis=0, dtype=f4)
            z += f4(b["results_rate"]) * (f**2 / (f**2 + f4(b["results_half"] ** 2)) - z)
            counted[:, week] = a.sum(axis=0), x.sum(axis=0)
        return counted


def sweep(given: Inputs) -> Task:
    """Each call runs some of the points with draws of its own, pool and file included."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    chosen = some_points(given, POINTS)
    runs = [point for point in chosen for _ in range(REPLICATES)]
    chunks = [runs[begin : begin + AT_ONCE] for begin in range(0, len(runs), AT_ONCE)]
    weeks = np.array(recorded_weeks(given.weeks)) - 1
    calls = itertools.count()

    def run() -> Outcome:
        call = next(calls)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, context, _receive, (given,)) as pool:
            numbered = [((call, k), chunk) for k, chunk in enumerate(chunks)]
            counted = np.concatenate(list(pool.map(_run_chunk, numbered)), axis=2)[:, weeks]
        np.savez(folder / f"{call}.npz", point=runs, week=weeks + 1, counted=counted)
        final = counted[1, -1].reshape(len(chosen), REPLICATES)
        return Outcome(float(len(runs)), lambda: sweep_result(chosen, final))

    return run


_received: list[Weeks] = []


def _receive(given: Inputs) -> None:
    _received.append(Weeks(given))


def _run_chunk(numbered: tuple[tuple[int, int], list[int]]) -> Any:
    seed, chunk = numbered
    points = _received[0].given.parameters["points"]
    return _received[0].run([points[k] for k in chunk], seed)


WORKS = {"W7": sweep}
