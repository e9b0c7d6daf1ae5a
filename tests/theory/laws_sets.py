"""Exact laws of who is reached when: independent cascades and linear thresholds on a few people, by listing.

Source of the equivalences: Kempe, Kleinberg and Tardos 2003 (live ties), whose proof goes week by week, so
that the week of arrival is the distance over live ties. Complete graphs with uniform thresholds: the
quasi-binomial distribution (Consul 1974; in this use Daniels 1945, Ball 1986). Status: computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
from tests.theory.published import Edge

NEVER = -1
Arrivals = tuple[int, ...]
"""For each node the week of arrival: 0 for starters, 1 for the first week, NEVER."""
Law = dict[Arrivals, Fraction]


def distances(n: int, live: Sequence[Edge], starters: Sequence[int]) -> Arrivals:
    """Return for each node the number of live ties (a to b) that lead to it from a starter, or NEVER."""
    week = [0 if v in starters else NEVER for v in range(n)]
    for now in range(n):
        for a, b in live:
            if week[a] == now and week[b] == NEVER:
                week[b] = now + 1
    return tuple(week)


def cascade_arrivals(n: int, chances: dict[Edge, Fraction], starters: Sequence[int]) -> Law:
    """Return the law of all weeks of arrival of an independent cascade: every tie is live by its chance."""
    law: Law = {}
    edges = list(chances)
    for on in product((False, True), repeat=len(edges)):
        chance = math.prod((chances[e] if o else 1 - chances[e] for e, o in zip(edges, on, strict=True)))
        key = distances(n, [e for e, o in zip(edges, on, strict=True) if o], starters)
        law[key] = law.get(key, Fraction(0)) + chance
    return law


def threshold_arrivals(n: int, weights: dict[Edge, Fraction], starters: Sequence[int]) -> Law:
    """Return the same for linear thresholds between 0 and 1: at most one live tie leads to each node."""
    into: list[list[Edge | None]] = [[None, *(e for e in weights if e[1] == v)] for v in range(n)]
    law: Law = {}
    for chosen in product(*into):
        chance = Fraction(1)
        for edges, edge in zip(into, chosen, strict=True):
            chance *= 1 - sum(weights[e] for e in edges if e) if edge is None else weights[edge]
        key = distances(n, [e for e in chosen if e], starters)
        law[key] = law.get(key, Fraction(0)) + chance
    return {key: chance for key, chance in law.items() if chance}


def threshold_arrivals_directly(n: int, weights: dict[Edge, Fraction], starters: Sequence[int]) -> Law:
    """Return the law of linear thresholds without live ties: where each threshold lies among sums of weights.

    Which sums of its weights a node's threshold exceeds decides all it does; every such place is listed.
    """
    places: list[list[tuple[Fraction, Fraction]]] = []
    for v in range(n):
        own = [w for e, w in weights.items() if e[1] == v]
        sums = {sum(part, Fraction(0)) for part in product(*((Fraction(0), w) for w in own))}
        ends = sorted(sums | {Fraction(1)})
        places.append([(end, end - begin) for begin, end in pairwise(ends)])
    law: Law = {}
    for thresholds in product(*places):
        week = [0 if v in starters else NEVER for v in range(n)]
        for now in range(n):
            heard = [
                sum(w for (a, b), w in weights.items() if b == v and 0 <= week[a] <= now) for v in range(n)
            ]
            for v in range(n):
                if week[v] == NEVER and heard[v] >= thresholds[v][0]:
                    week[v] = now + 1
        chance = math.prod((size for _, size in thresholds))
        key = tuple(week)
        law[key] = law.get(key, Fraction(0)) + Fraction(chance)
    return law


def sets_of(law: Law) -> dict[frozenset[int], Fraction]:
    """Return the law of who is reached in the end."""
    sets: dict[frozenset[int], Fraction] = {}
    for weeks, chance in law.items():
        key = frozenset(v for v, week in enumerate(weeks) if week != NEVER)
        sets[key] = sets.get(key, Fraction(0)) + chance
    return sets


def random_digraph(key: int, n: int, n_edges: int, *, sums: bool) -> tuple[dict[Edge, Fraction], list[int]]:
    """Return ties with numbers in 64ths (exact in single precision) and one or two starters, drawn by a key.

    Parameters
    ----------
    key : of the drawing. n : nodes. n_edges : ties. sums : whether what leads to a node adds up to at most 1,
        as weights of linear thresholds have to; else each is a chance.
    """
    draw = np.random.Generator(np.random.Philox(key=key))
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    edges = [pairs[i] for i in sorted(draw.permutation(len(pairs))[:n_edges])]
    starters = sorted(int(v) for v in draw.permutation(n)[: 1 + int(draw.integers(2))])
    parts = {edge: int(draw.integers(6, 50)) for edge in edges}
    if sums:
        for v in range(n):
            mine = [e for e in edges if e[1] == v]
            total = sum(parts[e] for e in mine)
            most = int(draw.integers(40, 65))  # sometimes all 64 of 64, mostly fewer
            for e in mine:
                parts[e] = max(1, parts[e] * most // max(total, 1)) if total > most else parts[e]
    return {edge: Fraction(part, 64) for edge, part in parts.items()}, starters


# ---------------------------------------------------------------------------------------------------------
# Independent cascades on complete graphs: the chain binomial (Reed and Frost; Abbey 1952; Bailey 1975)


def chain_paths(n: int, starters: int, chance: float) -> dict[tuple[int, ...], float]:
    """Return every course of new participants by week, until a week without any, with its chance.

    Each of those left is reached by at least one of those who joined the week before.
    """
    law: dict[tuple[int, ...], float] = {}

    def go_on(path: tuple[int, ...], tellers: int, left: int, so_far: float) -> None:
        p = 1 - (1 - chance) ** tellers
        for new in range(left + 1):
            step = so_far * math.comb(left, new) * p**new * (1 - p) ** (left - new)
            if new == 0:
                law[path] = law.get(path, 0.0) + step
            else:
                go_on((*path, new), new, left - new, step)

    go_on((), starters, n - starters, 1.0)
    return law


def chain_final(n: int, starters: int, chance: float) -> np.ndarray:
    """Return the chances of 0, 1, ..., n participants in the end, by triangular equations (Ball 1986).

    With m left at first and q = 1 - chance, for every j: the sum over k up to j of
    C(m - k, j - k) P(k more) / q^((starters + k)(m - j)) is C(m, j).
    """
    m, q = n - starters, 1 - chance
    law = np.zeros(n + 1)
    for j in range(m + 1):
        known = sum(
            math.comb(m - k, j - k) * law[starters + k] / q ** ((starters + k) * (m - j)) for k in range(j)
        )
        law[starters + j] = (math.comb(m, j) - known) * q ** ((starters + j) * (m - j))
    return law


# ---------------------------------------------------------------------------------------------------------
# Linear thresholds on complete graphs: n people, everybody weighs every other w, thresholds uniform in [0, 1]


def complete_final(n: int, starters: int, w: float) -> np.ndarray:
    """Return the chances of 0, 1, ..., n participants in the end; w is at most 1 / (n - 1).

    C(m, j) a (a + j w)^(j - 1) (1 - a - j w)^(m - j) for j more of m = n - starters, with a = starters w.
    """
    m, a = n - starters, starters * w
    law = np.zeros(n + 1)
    for j in range(m + 1):
        left = max(0.0, 1 - a - j * w) ** (m - j) if j < m else 1.0
        law[starters + j] = math.comb(m, j) * a * (a + j * w) ** (j - 1) * left
    law[n] = 1 - law[:n].sum()  # the last term holds only while n w is at most 1
    return law


def complete_paths(n: int, starters: int, w: Fraction) -> dict[tuple[int, ...], Fraction]:
    """Return every course of new participants by week, until a week without any, with its chance.

    Who has not joined at a weight of `before` joins at `now` with the chance (now - before) / (1 - before).
    """
    law: dict[tuple[int, ...], Fraction] = {}

    def go_on(path: tuple[int, ...], before: Fraction, taking_part: int, chance: Fraction) -> None:
        now = min(Fraction(1), w * taking_part)
        left = n - taking_part
        p = (now - before) / (1 - before) if before < 1 else Fraction(0)
        for new in range(left + 1):
            step = math.comb(left, new) * p**new * (1 - p) ** (left - new)
            if not step:
                continue
            if new == 0:
                law[path] = law.get(path, Fraction(0)) + chance * step
            else:
                go_on((*path, new), now, taking_part + new, chance * step)

    go_on((), Fraction(0), starters, Fraction(1))
    return law


def complete_paths_directly(n: int, starters: int, w: Fraction) -> dict[tuple[int, ...], Fraction]:
    """Return the same by listing where every threshold lies between 0, w, 2 w, ..., and 1."""
    ends = [min(Fraction(1), k * w) for k in range(n + 1)] + [Fraction(1)]
    sizes = [b - a for a, b in pairwise(ends)]  # place k: joins when k + 1 take part
    law: dict[tuple[int, ...], Fraction] = {}
    for places in product(range(n + 1), repeat=n - starters):
        taking_part, path = starters, []
        while True:
            now = starters + sum(place < taking_part for place in places)
            if now == taking_part:
                break
            path.append(now - taking_part)
            taking_part = now
        key = tuple(path)
        law[key] = law.get(key, Fraction(0)) + math.prod(sizes[place] for place in places)
    return {path: chance for path, chance in law.items() if chance}
