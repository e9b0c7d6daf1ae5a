"""Exact laws of the number of participants where everybody meets everybody, and of small noisy communities.

All are Markov chains whose steps are sums of binomial numbers, as all residents act at the same time in the
week. Sources: Bailey 1975 (simple epidemic, chain form), Bass 1969, Blume 1993 (logit choice), here with
all deciding at once; computed from the rules of docs/odd.md, 7.4 to 7.6. Status: computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.stats import binom

Floats = npt.NDArray[np.float64]


# ---------------------------------------------------------------------------------------------------------
# Telling for ever, with or without media: SI and Bass


def telling_step(n: int, media: float, telling: float) -> Floats:
    """Return (n + 1, n + 1) chances from x to y participants in a week.

    Each of the others hears with the chance 1 - (1 - media) (1 - telling)^x, on its own.
    """
    step = np.zeros((n + 1, n + 1))
    for x in range(n + 1):
        hears = 1 - (1 - media) * (1 - telling) ** x
        step[x, x:] = binom.pmf(np.arange(n - x + 1), n - x, hears)
    return step


def by_week(step: Floats, start: int, weeks: int) -> Floats:
    """Return (weeks, states) chances at the end of each week of a chain that begins in `start`."""
    law = np.zeros((weeks, step.shape[0]))
    now = np.eye(step.shape[0])[start]
    for week in range(weeks):
        now = now @ step
        law[week] = now
    return law


def bass_births(n: int, p: float, q: float, t: float, start: int = 0) -> Floats:
    """Return (n + 1,) chances of the number of adopters at time t when time does not come in weeks.

    A pure birth process with the rate (n - x)(p + q x / n), solved by the matrix exponential.
    """
    rate = np.array([(n - x) * (p + q * x / n) for x in range(n + 1)])
    return np.asarray(expm(t * (np.diag(-rate) + np.diag(rate[:-1], 1)))[start])


# ---------------------------------------------------------------------------------------------------------
# Logit choice


def logistic(v: npt.ArrayLike) -> Floats:
    """Return 1 / (1 + exp(-v))."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(v, np.float64))))


def logit_step(n: int, weight: float, threshold: float, noise: float, again: float, stay: bool) -> Floats:
    """Return (n + 1, n + 1) chances from x to y participants in a well-mixed community.

    All at once, everybody decides anew with the chance `again`: for participating with the chance
    logistic((weight x / n - threshold) / noise). With `stay` nobody leaves.
    """
    step = np.zeros((n + 1, n + 1))
    for x in range(n + 1):
        joins = float(logistic((weight * x / n - threshold) / noise))
        remain = binom.pmf(np.arange(x + 1), x, 1 if stay else 1 - again + again * joins)
        join = binom.pmf(np.arange(n - x + 1), n - x, again * joins)
        step[x] = np.convolve(remain, join)
    return step


def at_rest(step: Floats) -> Floats:
    """Return the stationary distribution of a chain that can come from anywhere to anywhere."""
    n = step.shape[0]
    equations = np.vstack([step.T - np.eye(n), np.ones(n)])
    return np.asarray(np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0), rcond=None)[0])


def logit_map(weight: float, threshold: float, noise: float, again: float) -> Callable[[float], float]:
    """Return the share of participants in the next week, of very many residents."""
    return lambda f: (1 - again) * f + again * float(logistic((weight * f - threshold) / noise))


def fixed_points(weight: float, threshold: float, noise: float) -> list[tuple[float, bool]]:
    """Return all shares f = logistic((weight f - threshold) / noise), each with whether it is stable.

    Stable: the derivative is below 1, so that small deviations die out whatever the chance of deciding anew.
    Weights are not negative.
    """

    def excess(f: float) -> float:
        return float(logistic((weight * f - threshold) / noise)) - f

    grid = np.unique(np.concatenate([np.linspace(0, 1, 20_000), np.logspace(-15, -4, 500)]))
    grid = grid[[excess(f) != 0 for f in grid]]
    values = np.array([excess(f) for f in grid])
    found = []
    for i in np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:])):
        f = float(brentq(excess, grid[i], grid[i + 1], xtol=1e-15))
        found.append((f, weight / noise * f * (1 - f) < 1))
    return found


def logit_course(
    n: int, start: float, weeks: int, weight: float, threshold: float, noise: float, again: float
) -> tuple[Floats, Floats]:
    """Return (weeks,) shares of the map and (weeks,) standard deviations of n residents around it.

    Deviations to first order: each week's is last week's times the map's derivative, and a fresh binomial
    one. Good for large n, away from where the derivative is 1.
    """
    share, variance = start, 0.0
    shares, spreads = np.zeros(weeks), np.zeros(weeks)
    for week in range(weeks):
        joins = float(logistic((weight * share - threshold) / noise))
        slope = 1 - again + again * weight / noise * joins * (1 - joins)
        remain, join = 1 - again + again * joins, again * joins
        fresh = (share * remain * (1 - remain) + (1 - share) * join * (1 - join)) / n
        variance = slope**2 * variance + fresh
        share = (1 - again) * share + again * joins
        shares[week], spreads[week] = share, np.sqrt(variance)
    return shares, spreads


def logit_sets(
    n: int,
    weights: Mapping[tuple[int, int], float],
    start: Sequence[int],
    weeks: int,
    *,
    weight: float,
    threshold: float,
    noise: float,
    again: float,
    visibility: float = 0.0,
) -> Floats:
    """Return (weeks, 2^n) chances of every set of participants (bit v: node v) on any network.

    weights {(a, b): w}: a influences b. Exposure is (1 - visibility) times the weighted share of those who
    influence, plus visibility times everybody's share.
    """
    states = [[(s >> v) & 1 for v in range(n)] for s in range(2**n)]
    step = np.zeros((2**n, 2**n))
    for s, x in enumerate(states):
        chances = []
        for v in range(n):
            total = sum(w for (_, b), w in weights.items() if b == v)
            heard = sum(w * x[a] for (a, b), w in weights.items() if b == v)
            seen = (1 - visibility) * (heard / total if total else 0) + visibility * sum(x) / n
            joins = float(logistic((weight * seen - threshold) / noise))
            chances.append((1 - again) * x[v] + again * joins)
        for t, y in enumerate(states):
            step[s, t] = np.prod([c if on else 1 - c for c, on in zip(chances, y, strict=True)])
    return by_week(step, sum(1 << v for v in start), weeks)
