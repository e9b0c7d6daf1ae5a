"""Laws of cascades on large random networks with given degrees, which look like trees from near.

Generating functions as polynomials cut off after a degree. Sources: Newman 2002 (ties used with a chance),
Watts 2002 (vulnerable residents, one starter), Gleeson and Cahalane 2007 (sizes; `published.cascade_size`).
Exact as the network grows; on N residents a cascade of s meets itself with a chance of order s^2 / N.
Status: computed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import poisson

Floats = npt.NDArray[np.float64]


def shares_of(degrees: npt.ArrayLike) -> Floats:
    """Return the share of residents with 0, 1, ... contacts."""
    counts = np.bincount(np.asarray(degrees, np.int64))
    return np.asarray(counts / counts.sum())


def excess(degrees: Floats) -> Floats:
    """Return the chances of 0, 1, ... further contacts of someone met over a tie."""
    weighed = degrees * np.arange(degrees.size)
    return np.asarray(weighed[1:] / weighed.sum())


def value(polynomial: Floats, x: float) -> float:
    """Return a polynomial at x; coefficients begin with the constant."""
    return float(np.polynomial.polynomial.polyval(x, polynomial))


def compose(outer: Floats, inner: Floats, size: int) -> Floats:
    """Return outer(inner(x)), cut off after `size` coefficients."""
    result = np.zeros(size)
    for coefficient in outer[::-1]:
        result = np.convolve(result, inner)[:size]
        result[0] += coefficient
    return result


def _used(polynomial: Floats, chance: float, size: int) -> Floats:
    """What comes over a tie: nothing, or with the chance what the polynomial says."""
    result = np.zeros(size)
    result[: polynomial.size] = chance * polynomial[:size]
    result[0] += 1 - chance
    return result


def unreached(degrees: Floats, chance: float) -> float:
    """Return the chance that a tie leads to no large cascade: the least u = 1 - T + T G1(u)."""
    further = excess(degrees)
    if chance * float(further @ np.arange(further.size)) <= 1:
        return 1.0
    return float(brentq(lambda u: 1 - chance + chance * value(further, u) - u, 0, 1 - 1e-9))


def large_share(degrees: Floats, chance: float) -> float:
    """Return the chance that one random starter causes a large cascade, and the share that it reaches."""
    return 1 - value(degrees, unreached(degrees, chance))


def small_sizes(degrees: Floats, chance: float, most: int) -> Floats:
    """Return (most + 1,) chances that a cascade ends with 0, 1, ..., `most` participants.

    H0 = x G0(1 - T + T H1), H1 = x G1(1 - T + T H1); each turn makes one more coefficient exact.
    """
    further, size = excess(degrees), most + 1
    branch = np.zeros(size)
    for _ in range(size):
        branch = np.concatenate([[0.0], compose(further, _used(branch, chance, size), size)[:-1]])
    return np.concatenate([[0.0], compose(degrees, _used(branch, chance, size), size)[:-1]])


def new_by_week(degrees: Floats, chance: float, week: int, most: int) -> Floats:
    """Return (most + 1,) chances of 0, 1, ..., `most` new participants in a week (1: the first)."""
    further, size = excess(degrees), most + 1
    new = np.zeros(size)
    new[1] = 1.0
    for _ in range(week - 1):
        new = compose(further, _used(new, chance, size), size)
    return compose(degrees, _used(new, chance, size), size)


def mean_new(degrees: Floats, chance: float, weeks: int) -> Floats:
    """Return (weeks,) mean new participants: T z, and T (z2 / z) times last week's."""
    further = excess(degrees)
    first = chance * float(degrees @ np.arange(degrees.size))
    return np.asarray(first * (chance * float(further @ np.arange(further.size))) ** np.arange(weeks))


def heavy_tailed(key: int, n: int, exponent: float, least: int, most: int) -> npt.NDArray[np.int64]:
    """Return (ties, 2) pairs of a random network whose degrees are drawn in proportion to k^-exponent.

    Ends are paired at random; pairs of one resident and pairs that stand twice are left out, so degrees have
    to be counted again.
    """
    draw = np.random.Generator(np.random.Philox(key=key))
    k = np.arange(least, most + 1)
    degrees = draw.choice(k, size=n, p=k**-exponent / np.sum(k**-exponent))
    if degrees.sum() % 2:
        degrees[0] += 1
    ends = draw.permutation(np.repeat(np.arange(n), degrees)).reshape(-1, 2)
    pairs = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    return np.asarray(pairs, np.int64)


# ---------------------------------------------------------------------------------------------------------
# Watts: one starter on a Poisson network; vulnerable are those whom one participating contact moves


def trigger_share(z: float, most_contacts: int) -> float:
    """Return how often one random starter touches the giant vulnerable cluster: a global cascade.

    A tie does not lead there with the chance u = 1 - V(1) + V(u), V the sum over 1 <= k <= most_contacts of
    k p_k u^(k - 1) / z; the starter itself needs not be vulnerable: 1 - G0(u).
    """
    k = np.arange(1, most_contacts + 1)
    vulnerable = k * poisson.pmf(k, z) / z
    if float(vulnerable @ (k - 1)) <= 1:
        return 0.0
    u = float(brentq(lambda u: 1 - vulnerable.sum() + value(vulnerable, u) - u, 0, 1 - 1e-7))
    return float(1 - np.exp(z * (u - 1)))
