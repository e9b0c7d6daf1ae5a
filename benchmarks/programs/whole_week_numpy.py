"""W5 in careful NumPy: one vector a state, one product with a sparse matrix a week."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.sparse as sp
from benchmarks.whole_week import WIDTHS, Inputs, week_result
from benchmarks.works import Outcome, Task

NAME = "NumPy + SciPy"
PACKAGE = "scipy"


def prepare(given: Inputs) -> Task:
    """Build the matrix and what depends on groups once; each call runs 130 weeks with a seed of its own."""
    b = given.parameters["behaviour"]
    groups = given.parameters["groups"]
    n, f4 = given.n, np.float32
    entries = (
        np.ones(given.neighbours.size, f4),
        given.neighbours.astype(np.int32),
        given.row_start.astype(np.int32),
    )
    matrix = sp.csr_array(entries, shape=(n, n))
    omega = given.influence.astype(f4)
    weight = matrix @ omega
    weight[weight == 0] = 1
    sign = given.leaning.astype(f4)
    ordinary, supportive, opposed = sign == 0, sign > 0, sign < 0
    per_group = {name: np.array([group[name] for group in groups], f4)[given.group] for name in groups[0]}
    log_background = np.log2(1 - per_group["background_media"])
    log_p, log_n = f4(np.log2(1 - b["tell_participant"])), f4(np.log2(1 - b["tell_other"]))
    half_lives = (b["appeal_half_life"], b["capability_half_life"], b["ownership_half_life"])
    keep = [f4(2 ** (-1 / half_life)) for half_life in half_lives]
    forget = f4(1 - 2 ** (-1 / b["awareness_half_life"]))
    seeds = itertools.count()

    def run() -> Outcome:
        rng = np.random.default_rng(next(seeds))
        a, x = given.aware.copy(), given.participating.copy()
        theta, s0, t = given.threshold.copy(), given.capability.copy(), given.trust.copy()
        s, o, m = s0.copy(), np.zeros(n, f4), np.zeros(n, f4)
        z = 0.0
        counted = np.zeros((2, given.weeks), np.int64)
        for week in range(given.weeks):
            draws = rng.random((5, n), dtype=f4)
            share = x.mean()
            tells = a & (x | supportive)
            states = [tells, a & ~tells, np.where(ordinary, x, sign) * omega]
            counts = matrix @ np.stack(states, axis=1).astype(f4)
            exposure = f4(1 - b["visibility"]) * counts[:, 2] / weight + f4(b["visibility"] * share)
            a = a | (draws[0] < 1 - np.exp2(log_background + counts[:, 0] * log_p + counts[:, 1] * log_n))
            v = (
                f4(b["social_weight"]) * exposure
                + f4(b["appeal_weight"]) * t * m
                + f4(b["capability_weight"]) * s
                + f4(b["results_weight"] * z)
                - per_group["barrier"]
                - theta
                + f4(b["habit"]) * o * x
            )
            chance = 1 / (1 + np.exp(-v / f4(b["noise"])))
            stays = f4(1 - b["reconsider"]) * x + f4(b["reconsider"]) * chance
            x = a & ~opposed & (draws[1] < stays)
            lapse = x & (draws[2] < f4(b["lapse"]))
            x &= ~lapse
            o[lapse] *= f4(0.5)
            a &= ~(~x & (draws[4] < forget))
            new = np.flatnonzero(draws[3] < f4(b["turnover"]))
            if new.size:
                theta[new] = rng.normal(b["threshold_mean"], b["threshold_sd"], new.size)
                s0[new] = s[new] = np.clip(rng.normal(per_group["capability"][new], b["capability_sd"]), 0, 1)
                t[new] = np.clip(rng.normal(per_group["trust"][new], b["trust_sd"]), 0, 1)
                a[new] = given.is_leader[new] | (rng.random(new.size) < per_group["aware"][new])
                x[new] = False
                o[new] = m[new] = 0
            m *= keep[0]
            s = np.where(x, s + f4(b["learning"]) * (1 - s), s0 + (s - s0) * keep[1])
            o = np.where(x, o + f4(b["ownership_growth"]) * (1 - o), o * keep[2])
            f = x.mean()
            z += b["results_rate"] * (f**2 / (f**2 + b["results_half"] ** 2) - z)
            counted[:, week] = a.sum(), x.sum()
        return Outcome(float(n * given.weeks), lambda: week_result(counted[:1], counted[1:]))

    return run


WORKS = dict.fromkeys(WIDTHS, prepare)
