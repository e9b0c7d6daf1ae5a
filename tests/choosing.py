"""Rules that choose people one after another, in plain Python, written from docs/odd.md, 7.16 and 7.2.

It shares with mobsim only the generator and the elementary functions. It is meant to be obviously right, not
fast. `order_of_choice` has the name and the arguments of its counterpart.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from mobsim.community.cascade import CascadeOptions
from mobsim.community.community import Community
from mobsim.kernels import streams
from mobsim.kernels.elementary import exp2_64, log2_1m_64, log2_64, log_64
from mobsim.kernels.keyed import SETUP_LUCK, below, philox

E_SHARE = 0.6321205588285577
Arc = tuple[int, int, int]  # from, to, place in the list of ties


class Arcs:
    """The ties of a community as arcs in the direction of influence."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.n = community.n_residents
        starts = [int(at) for at in community.row_start]
        self.row: list[list[Arc]] = [
            [(int(community.neighbours[e]), v, e) for e in range(starts[v], starts[v + 1])]
            for v in range(self.n)
        ]
        self.all = [arc for row in self.row for arc in row]
        self.out: list[list[Arc]] = [[arc for arc in self.all if arc[0] == u] for u in range(self.n)]

    def weight(self, e: int) -> int:
        weights = self.community.tie_weight
        return int(weights[e]) if weights.size else 2**20

    def ties(self, e: int) -> float:
        return float(self.weight(e)) * 2.0**-20


def order_of_choice(
    community: Community, rule: str, options: CascadeOptions, may: Iterable[bool], wanted: int
) -> list[int]:
    """Whom a rule chooses one after another."""
    people = [i for i, allowed in enumerate(may) if allowed]
    wanted = min(wanted, len(people))
    if wanted == 0:
        return []
    arcs = Arcs(community)
    if rule == "influence":
        if options.method == "imm":
            return by_reverse_sets(arcs, options, people, wanted)
        return by_cascades(arcs, options, people, wanted)
    p = 0.1 if options.probability is None else options.probability

    def value(i: int, chosen: list[int]) -> float:
        d = sum(arcs.weight(e) for _, v, e in arcs.out[i] if v not in chosen) * 2.0**-20
        t = sum(arcs.weight(e) for u, _, e in arcs.row[i] if u in chosen) * 2.0**-20
        return d if rule == "single_discount" else (d - t) - (d * t) * p

    return greedy(people, wanted, value)


def greedy(people: list[int], wanted: int, value: Callable[[int, list[int]], float]) -> list[int]:
    """At every step the largest value, among equals the smallest id."""
    chosen: list[int] = []
    for _ in range(wanted):
        chosen.append(max((i for i in people if i not in chosen), key=lambda i: (value(i, chosen), -i)))
    return chosen


# Live arcs


def chance(arcs: Arcs, options: CascadeOptions, arc: Arc) -> float:
    """The chance of an arc, of cascades in which each has its own."""
    _, v, e = arc
    if options.cascade == "weighted":
        in_row = sum(arcs.weight(other) for _, _, other in arcs.row[v])
        return float(arcs.weight(e)) / float(in_row) if in_row else 0.0
    if options.probability is None and arcs.community.transmission.size:
        return float(arcs.community.transmission[e])
    p = 0.1 if options.probability is None else options.probability
    if arcs.weight(e) == 2**20:
        return p
    return 1.0 - float(exp2_64(arcs.ties(e) * float(log2_1m_64(p))))


def is_live(arcs: Arcs, options: CascadeOptions, arc: Arc, week: int, luck: int, stream: int) -> bool:
    key = (arcs.community.seed, arcs.community.number)
    _, v, e = arc
    if options.cascade != "linear_threshold":
        word = int(philox(e // 4, week, luck, stream, *key)[e % 4])
        return word < math.ceil(chance(arcs, options, arc) * 2.0**32)
    omega = arcs.community.influence
    sums, so_far = {}, 0
    for u, _, other in arcs.row[v]:
        so_far += arcs.weight(other) * int(omega[u])
        sums[other] = so_far
    if so_far == 0:
        return False
    drawn = (float(philox(v, week, luck, stream, *key)[0]) * 2.0**-32) * float(so_far)
    return e == next(other for other, s in sums.items() if float(s) > drawn)


def reached(starts: Iterable[int], steps: dict[int, list[int]]) -> set[int]:
    """Everybody to whom steps lead."""
    found, waiting = set(starts), deque(starts)
    while waiting:
        for j in steps.get(waiting.popleft(), []):
            if j not in found:
                found.add(j)
                waiting.append(j)
    return found


def steps_of(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    steps: dict[int, list[int]] = {}
    for a, b in pairs:
        steps.setdefault(a, []).append(b)
    return steps


# Method imm


def reverse_set(arcs: Arcs, options: CascadeOptions, purpose: int, s: int) -> set[int]:
    community = arcs.community
    word = philox(s, purpose, SETUP_LUCK, streams.REVERSE_ROOT, community.seed, community.number)[0]
    live = [
        (v, u) for u, v, e in arcs.all if is_live(arcs, options, (u, v, e), purpose, s, streams.REVERSE_TIE)
    ]
    return reached([int(below(word, arcs.n))], steps_of(live))


def by_reverse_sets(
    arcs: Arcs, options: CascadeOptions, people: list[int], wanted: int, ell: float = 1.0
) -> list[int]:
    n, m, epsilon = float(arcs.n), len(people), options.epsilon
    ln = lambda x: float(log_64(float(x)))  # noqa: E731
    c = 0.0
    for i in range(1, wanted + 1):
        c += ln(m - wanted + i) - ln(i)
    sure = ell * (ln(n) + ln(2))
    slack = math.sqrt(2.0) * epsilon
    of_rounds = ln(max(float(log2_64(n)), 1.0))
    for_a_test = (((2.0 + (slack * 2.0) / 3.0) * ((c + sure) + of_rounds)) * n) / (slack * slack)
    alpha = math.sqrt(sure + ln(2))
    beta = math.sqrt(E_SHARE * ((c + sure) + ln(2)))
    b = E_SHARE * alpha + beta
    for_the_choice = ((2.0 * n) * (b * b)) / (epsilon * epsilon)

    drawn: dict[int, list[set[int]]] = {0: [], 1: []}

    def cover(purpose: int, number: int) -> tuple[list[int], int]:
        sets = drawn[purpose]
        while len(sets) < number:
            sets.append(reverse_set(arcs, options, purpose, len(sets)))
        chosen: list[int] = []
        left = sets[:number]
        for _ in range(wanted):
            count = {i: sum(i in one for one in left) for i in people if i not in chosen}
            chosen.append(min(count, key=lambda i: (-count[i], i)))
            left = [one for one in left if chosen[-1] not in one]
        return chosen, number - len(left)

    bound = float(wanted)
    x = n / 2.0
    while x >= 2.0 and x >= wanted:
        number = math.ceil(for_a_test / x)
        y = n * float(cover(0, number)[1]) / float(number)
        if y >= (1.0 + slack) * x:
            bound = max(y / (1.0 + slack), float(wanted))
            break
        x /= 2.0
    return cover(1, max(1, math.ceil(for_the_choice / bound)))[0]


# Method celf


def by_cascades(arcs: Arcs, options: CascadeOptions, people: list[int], wanted: int) -> list[int]:
    cascades = [
        steps_of(
            (u, v) for u, v, e in arcs.all if is_live(arcs, options, (u, v, e), 0, r, streams.CASCADE_TIE)
        )
        for r in range(options.simulations)
    ]

    def value(i: int, chosen: list[int]) -> int:
        return sum(len(reached([i], steps) - reached(chosen, steps)) for steps in cascades)

    return greedy(people, wanted, value)


# The rule distance


def distance_scores(community: Community) -> list[int]:
    """Minus the sum of the lengths of shortest ways along influence; N where there is none."""
    arcs = Arcs(community)
    scores = []
    for source in range(arcs.n):
        far = {source: 0}
        waiting = deque([source])
        while waiting:
            i = waiting.popleft()
            for _, j, _ in arcs.out[i]:
                if j not in far:
                    far[j] = far[i] + 1
                    waiting.append(j)
        scores.append(-sum(far.get(j, arcs.n) for j in range(arcs.n)))
    return scores


def choice_scores(
    community: Community, rule: str, options: CascadeOptions, may: Iterable[bool], wanted: int
) -> np.ndarray:
    """Scores of those chosen one after another: the number chosen for the first, one less for each after."""
    scores = np.zeros(community.n_residents, np.int64)
    people = order_of_choice(community, rule, options, may, wanted)
    for place, i in enumerate(people):
        scores[i] = len(people) - place
    return scores
