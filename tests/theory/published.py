"""The published cases: their numbers, and the tolerances that their sentences state.

A tolerance is written in the JSON in words. `stated` takes the number from here only if the sentence still
holds the words it was read from, so that a changed case fails instead of being tested by an old rule.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import binom, norm, poisson

Floats = npt.NDArray[np.float64]


def read_case(folder: Path, name: str) -> dict[str, Any]:
    """Return a case by the beginning of its file's name, such as S01."""
    (file,) = folder.glob(f"{name}_*.json")
    case: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return case


def stated(case: dict[str, Any], words: str, number: float) -> float:
    """Return a tolerance that the case states in these words."""
    assert words in case["tolerance"], f"{case['id']}: the tolerance no longer says {words!r}"
    numbers = [float(text) for text in re.findall(r"\d*\.?\d+(?:e-?\d+)?", words)]
    assert number in numbers, f"{number:g} does not stand in {words!r}"
    return number


def cascade_tolerance(s04: dict[str, Any], z: float, started: float) -> float:
    """Return the tolerance of one setting of S04."""
    if z == 2:
        return stated(s04, "except z=2 (0.005)", 0.005)
    if (z, started) == (6.5, 0.001):
        return stated(s04, "z=6.5 rho0=0.001: < 0.004", 0.004)
    return stated(s04, "|mean - ref| < 0.003", 0.003)


def text_number(text: str) -> Fraction:
    """Return the exact number of an entry such as `377/720 = 0.5236111111`."""
    return Fraction(text.split("=")[0].strip())


# ---------------------------------------------------------------------------------------------------------
# Solvers, written here from the published equations


def normal_fixed_point(sd: float, mean: float = 0.25) -> float:
    """Return the lowest r = F(r) for normal thresholds, by going up from 0 (Granovetter 1978)."""
    share = 0.0
    for _ in range(2_000_000):
        following = float(norm.cdf((share - mean) / sd))
        if abs(following - share) < 1e-14:
            break
        share = following
    return share


def critical_spread() -> tuple[float, float]:
    """Return the spread (of 100 people) at which F touches the diagonal, and where, for a mean of 25."""
    tangent = brentq(lambda u: 25 + 100 * norm.pdf(u) * u - 100 * norm.cdf(u), -3, -1)
    return 100 * float(norm.pdf(tangent)), 100 * float(norm.cdf(tangent))


def most_contacts(threshold: str) -> int:
    """Return the most contacts of which one is enough: floor(1 / threshold), exactly."""
    return math.floor(1 / Fraction(threshold))


def cascade_window(threshold: str) -> list[float]:
    """Return the mean degrees between which a random network has global cascades (Watts 2002)."""
    k = np.arange(2, most_contacts(threshold) + 1)

    def excess(z: float) -> float:
        return float(np.sum(k * (k - 1) * poisson.pmf(k, z)) - z)

    grid = np.linspace(0.5, 20, 4000)
    signs = np.sign([excess(z) for z in grid])
    return [float(brentq(excess, grid[i], grid[i + 1], xtol=1e-13)) for i in np.flatnonzero(np.diff(signs))]


def cascade_size(z: float, started: float, threshold: str = "0.18", most: int = 60) -> float:
    """Return the final size for a share of starters on a Poisson network (Gleeson and Cahalane 2007)."""
    enough = [math.ceil(Fraction(threshold) * k) for k in range(most + 1)]
    degrees = poisson.pmf(np.arange(most + 1), z)
    k = np.arange(1, most + 1)
    needed = np.array(enough[1:])
    reached = started
    for _ in range(100_000):
        tail = binom.sf(needed - 1, k - 1, reached)
        following = started + (1 - started) * float(np.sum(k * degrees[1:] / z * tail))
        if abs(following - reached) < 1e-14:
            break
        reached = following
    return started + (1 - started) * float(np.sum(degrees[1:] * binom.sf(needed - 1, k, reached)))


def giant_share(strength: float) -> float:
    """Return S = 1 - exp(-strength S) above 0 (Newman 2002)."""
    return float(brentq(lambda s: 1 - math.exp(-strength * s) - s, 1e-9, 1))


def bass_curve(t: npt.ArrayLike, p: float, q: float) -> Floats:
    """Return the share of adopters at time t (Bass 1969)."""
    decay = np.exp(-(p + q) * np.asarray(t, np.float64))
    return np.asarray((1 - decay) / (1 + q / p * decay))


# ---------------------------------------------------------------------------------------------------------
# Live edges on a few nodes: every outcome with its chance (Kempe, Kleinberg and Tardos 2003)

Edge = tuple[int, int]
Outcomes = dict[frozenset[int], Fraction]


def edges_of(numbers: dict[str, str]) -> dict[Edge, Fraction]:
    """Return {(from, to): number} of entries such as "(0, 1)": "1/2"."""
    pairs = {}
    for key, value in numbers.items():
        origin, target = key.strip("()").split(",")
        pairs[int(origin), int(target)] = Fraction(value)
    return pairs


def cascade_outcomes(chances: dict[Edge, Fraction], starters: Sequence[int]) -> Outcomes:
    """Return who is reached in the end, with its chance: every tie is live by its own chance."""
    edges = list(chances)
    outcomes: Outcomes = {}
    for live in product((False, True), repeat=len(edges)):
        chance = math.prod((chances[e] if on else 1 - chances[e] for e, on in zip(edges, live, strict=True)))
        _add(outcomes, starters, [e for e, on in zip(edges, live, strict=True) if on], Fraction(chance))
    return outcomes


def threshold_outcomes(weights: dict[Edge, Fraction], starters: Sequence[int]) -> Outcomes:
    """Return the same where everybody has at most one live tie, by its weight (linear thresholds)."""
    nodes = sorted({node for edge in weights for node in edge})
    choices: list[list[Edge | None]] = [[None, *(e for e in weights if e[1] == v)] for v in nodes]
    outcomes: Outcomes = {}
    for chosen in product(*choices):
        chance = Fraction(1)
        for v, edge in zip(nodes, chosen, strict=True):
            total = sum((w for e, w in weights.items() if e[1] == v), Fraction(0))
            chance *= 1 - total if edge is None else weights[edge]
        _add(outcomes, starters, [e for e in chosen if e is not None], chance)
    return outcomes


def _add(outcomes: Outcomes, starters: Sequence[int], live: Sequence[Edge], chance: Fraction) -> None:
    reached, waiting = set(starters), list(starters)
    while waiting:
        origin = waiting.pop()
        for a, b in live:
            if a == origin and b not in reached:
                reached.add(b)
                waiting.append(b)
    key = frozenset(reached)
    outcomes[key] = outcomes.get(key, Fraction(0)) + chance


def node_chances(outcomes: Outcomes, n: int) -> list[Fraction]:
    """Return the chance of each node."""
    return [sum((c for o, c in outcomes.items() if v in o), Fraction(0)) for v in range(n)]


def covariance(outcomes: Outcomes, n: int) -> Floats:
    """Return the (n, n) covariance of who is reached."""
    p = node_chances(outcomes, n)
    both = [
        [
            sum((c for o, c in outcomes.items() if a in o and b in o), Fraction(0)) - p[a] * p[b]
            for b in range(n)
        ]
        for a in range(n)
    ]
    return np.array(both, np.float64)


@cache
def chi_square_limit(degrees_of_freedom: int, chance: float = 1e-4) -> float:
    """Return the value that a chi-square exceeds with this chance."""
    from scipy.stats import chi2

    return float(chi2.isf(chance, degrees_of_freedom))
