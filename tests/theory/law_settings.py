"""What the tests hold against exact laws: groups of settings, each giving the p-values of its comparisons.

All p-values of all groups are one family (`laws_fit.FAMILY`). A group says beforehand how many it gives, so
that each test can hold its own against the family's limit. `verification/cases/law_*.py` call the same
functions at full size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import law_engine, laws_counts, laws_sets, laws_trees
from tests.theory.laws_fit import p_of_counts, p_of_mean, p_of_outcomes
from tests.theory.published import cascade_size, most_contacts

PValues = dict[str, float]
Floats = law_engine.Floats
Integers = law_engine.Integers

LARGE = 0.05
"""A cascade on a large random network is large if it reaches more than this share of all."""


# ---------------------------------------------------------------------------------------------------------
# Small networks: who is reached in which week; complete graphs: whole courses


def _sets_too(name: str, found: Counter[Hashable], law: laws_sets.Law) -> PValues:
    """Hold weeks of arrival and the sets that they make against the law."""
    sets: Counter[Hashable] = Counter()
    for weeks, often in found.items():
        sets[frozenset(v for v, week in enumerate(weeks) if week >= 0)] += often  # type: ignore[call-overload]
    return {
        f"{name}: weeks of arrival": p_of_outcomes(found, dict(law)),
        f"{name}: sets": p_of_outcomes(sets, dict(laws_sets.sets_of(law))),
    }


def cascade_sets(
    folder: Path, key: int, n: int, edges: int, copies: int, luck: int, factor: Fraction = Fraction(1)
) -> PValues:
    """Hold cascades on a random network against the law; `factor` makes the engine's chances others."""
    chances, starters = laws_sets.random_digraph(key, n, edges, sums=False)
    used = {edge: chance * factor for edge, chance in chances.items()}
    overrides = law_engine.side_by_side(folder, n, list(chances), copies, transmission=used)
    there = law_engine.taking_part("law_cascade", overrides, n, starters, range(1, n + 1), luck=luck)
    law = laws_sets.cascade_arrivals(n, chances, starters)
    name = f"cascade on network {key}, {n} people, {edges} ties, starters {starters}"
    return _sets_too(name, law_engine.arrivals_of(there, starters), law)


def threshold_sets(
    folder: Path, key: int, n: int, edges: int, copies: int, factor: Fraction = Fraction(1)
) -> PValues:
    """Hold linear thresholds on a random network against the law."""
    weights, starters = laws_sets.random_digraph(key, n, edges, sums=True)
    used = {edge: weight * factor for edge, weight in weights.items()}
    overrides = law_engine.side_by_side(folder, n, list(weights), copies, weight=used)
    there = law_engine.taking_part("law_thresholds", overrides, n, starters, range(1, n + 1))
    law = laws_sets.threshold_arrivals(n, weights, starters)
    name = f"linear thresholds on network {key}, {n} people, {edges} ties, starters {starters}"
    return _sets_too(name, law_engine.arrivals_of(there, starters), law)


def chain_courses(
    n: int, starters: int, chance: float, luck: int, factor: float = 1.0
) -> tuple[PValues, Integers]:
    """Hold cascades on a complete graph against the chain binomial; return p-values and final sizes."""
    found = law_engine.chain(n, starters, chance * factor, luck)
    law = laws_sets.chain_paths(n, starters, chance)
    final = laws_sets.chain_final(n, starters, chance)
    name = f"cascade on a complete graph of {n}, {starters} start, chance {chance:g}"
    return {
        f"{name}: courses": p_of_outcomes(law_engine.paths_of(found, starters), dict(law)),
        f"{name}: final size": p_of_counts(np.bincount(found[:, -1], minlength=n + 1), final),
    }, found[:, -1]


def complete_thresholds(
    folder: Path, n: int, starters: int, total: Fraction, copies: int, factor: float = 1.0
) -> tuple[PValues, Integers]:
    """Hold uniform thresholds on complete graphs against the law; weights of each add up to `total`.

    Ties are unweighted: the share of contacts is compared with thresholds between 0 and 1 / total.
    """
    edges = list(permutations(range(n), 2))
    overrides = law_engine.side_by_side(folder, n, edges, copies) | {
        "behaviour.share_exponent": 1,
        "behaviour.thresholds.high": factor / float(total),
    }
    there = law_engine.taking_part("law_thresholds", overrides, n, range(starters), range(1, n + 1))
    w = total / (n - 1)
    final = there[:, -1].sum(axis=1)
    name = (
        f"linear thresholds on complete graphs of {n}, {starters} start, weights add up to {float(total):g}"
    )
    return {
        f"{name}: courses": p_of_outcomes(
            law_engine.paths_of(there.sum(axis=2), starters), dict(laws_sets.complete_paths(n, starters, w))
        ),
        f"{name}: final size": p_of_counts(
            np.bincount(final, minlength=n + 1), laws_sets.complete_final(n, starters, float(w))
        ),
    }, np.asarray(final, np.int64)


# ---------------------------------------------------------------------------------------------------------
# Everybody meets everybody: numbers of participants by week


def held_by_week(name: str, found: Integers, law: Floats, weeks: Sequence[int]) -> PValues:
    """Hold numbers of participants in some weeks (1: the first) against (weeks, n + 1) chances."""
    return {
        f"{name}: week {week}": p_of_counts(
            np.bincount(found[:, week - 1], minlength=law.shape[1]), law[week - 1]
        )
        for week in weeks
    }


def telling_counts(
    n: int, start: int, media: float, chance: float, weeks: Sequence[int], luck: int, **how: Any
) -> PValues:
    """Hold telling for ever (with media: Bass) against its chain."""
    factor = how.pop("factor", 1.0)
    found = law_engine.telling(n, start, media * factor, chance * factor, max(weeks), luck, **how)
    law = laws_counts.by_week(laws_counts.telling_step(n, media, chance), start, max(weeks))
    kind = "on a complete graph" if how.get("kind") == "complete" else "well mixed"
    return held_by_week(
        f"telling, {n} people {kind}, {start} start, media {media:g}, telling {chance:g}", found, law, weeks
    )


def logit_counts(
    n: int,
    start: int,
    weeks: Sequence[int],
    luck: int,
    *,
    stay: bool = False,
    factor: float = 1.0,
    **behaviour: float,
) -> PValues:
    """Hold logit choice in a small community against its chain; `factor` changes the engine's noise."""
    used = behaviour | {"noise": behaviour["noise"] * factor}
    found = law_engine.logit(n, start, max(weeks), luck, stay=stay, **used)
    law = laws_counts.by_week(laws_counts.logit_step(n, stay=stay, **behaviour), start, max(weeks))
    words = ", ".join(f"{name} {number:g}" for name, number in behaviour.items())
    return held_by_week(
        f"logit, {n} people, {start} start, {words}{', for good' if stay else ''}", found, law, weeks
    )


def logit_steps(n: int, weeks: int, luck: int, after: int, **behaviour: float) -> PValues:
    """Hold a logit community at rest against its stationary law, and its next step against the chain."""
    step = laws_counts.logit_step(n, stay=False, **behaviour)
    found = law_engine.logit(n, n // 2, weeks, luck, **behaviour)
    rest = laws_counts.at_rest(step)
    now, following = found[:, -1 - after], found[:, -after]
    both = np.zeros((n + 1, n + 1))
    np.add.at(both, (now, following), 1)
    words = ", ".join(f"{name} {number:g}" for name, number in behaviour.items())
    return {
        f"logit, {n} people, {words}: at rest in week {weeks}": p_of_counts(
            np.bincount(found[:, -1], minlength=n + 1), rest
        ),
        f"logit, {n} people, {words}: two weeks at rest together": p_of_counts(both, rest[:, None] * step),
    }


def logit_on_network(folder: Path, key: int, n: int, edges: int, luck: int) -> PValues:
    """Hold the whole set of participants of noisy choice on a random network against its chain of 2^n sets.

    One copy with many lucks: copies side by side would see each other's participants.
    """
    numbers, starters = laws_sets.random_digraph(key, n, edges, sums=False)
    overrides = law_engine.side_by_side(folder, n, list(numbers), 1, weight=numbers)
    weeks = (1, 2, 4, 9)
    there = law_engine.taking_part("law_logit_network", overrides, n, starters, weeks, luck=luck)
    law = laws_counts.logit_sets(
        n,
        {edge: float(number) for edge, number in numbers.items()},
        starters,
        max(weeks),
        weight=1.5,
        threshold=0.5,
        noise=0.4,
        again=0.75,
        visibility=0.25,
    )
    codes = there @ (1 << np.arange(n))
    return {
        f"logit on network {key}, {n} people, {edges} ties: sets in week {week}": p_of_counts(
            np.bincount(codes[:, i], minlength=2**n), law[week - 1]
        )
        for i, week in enumerate(weeks)
    }


def logit_large(n: int, start: float, weeks: Sequence[int], luck: int, **behaviour: float) -> PValues:
    """Hold the mean share of large communities against the map, with its deviations to first order."""
    first = round(n * start)
    found = law_engine.logit(n, first, max(weeks), luck, **behaviour) / n
    shares, spreads = laws_counts.logit_course(n, first / n, max(weeks), **behaviour)
    words = ", ".join(f"{name} {number:g}" for name, number in behaviour.items())
    return {
        f"logit, {n:,} people, {start:g} start, {words}: mean share in week {week}": p_of_mean(
            found[:, week - 1], shares[week - 1], spreads[week - 1]
        )
        for week in weeks
    }


# ---------------------------------------------------------------------------------------------------------
# Large random networks


def degrees_law(
    name: str, overrides: dict[str, Any], chance: float, runs: int, *, factor: float = 1.0, number: int = 0
) -> tuple[PValues, Integers, Floats]:
    """Hold cascades from one starter against generating functions; return p-values, courses, shares."""
    used = overrides | {"behaviour.tell_participant": chance * factor}
    found, community = law_engine.starters_and_luck("law_degrees", used, runs, 10, number, key=runs + number)
    n = community.n_residents
    degrees = laws_trees.shares_of(law_engine.degrees_of(community))
    final = found[:, -1]
    large = final > LARGE * n
    most = 12
    sizes = np.append(laws_trees.small_sizes(degrees, chance, most), laws_trees.large_share(degrees, chance))
    counts = np.append(np.bincount(final[final <= most], minlength=most + 1), large.sum())
    p_values = {
        f"{name}: small cascades by size, and large ones": p_of_counts(
            np.append(counts, runs - counts.sum()), np.append(sizes, 1 - sizes.sum())
        )
    }
    new = np.diff(found, axis=1, prepend=1)
    for week in (1, 2, 3):
        law = laws_trees.new_by_week(degrees, chance, week, 80)
        seen = np.bincount(np.minimum(new[:, week - 1], 81), minlength=82)
        p_values[f"{name}: new participants in week {week}"] = p_of_counts(
            seen, np.append(law, 1 - law.sum())
        )
    return p_values, found, degrees


def heavy_tailed(folder: Path, n: int, key: int = 1) -> dict[str, Any]:
    """Write a network with 2 to 40 contacts, in proportion to k^-2.5; return the overrides that read it."""
    return law_engine.network_files(folder, n, laws_trees.heavy_tailed(key, n, 2.5, 2, 40))


def watts(z: float, residents: int, graphs: int, starters: int) -> tuple[Floats, Floats]:
    """Return (graphs,) how often one of some starters causes a global cascade, and how large these are."""
    overrides = {
        "community.residents": residents,
        "community.network.degree": z,
        "campaign.horizon_weeks": 150,
    }
    return law_engine.global_cascades("watts_window", overrides, graphs, starters, 0.1, key=round(10 * z))


def watts_law(z: float, residents: int, graphs: int, starters: int) -> PValues:
    """Hold the frequency of global cascades and their size against the law, with errors between graphs."""
    often, size = watts(z, residents, graphs, starters)
    return {
        f"Watts, z = {z:g}: how often one starter is enough": p_of_mean(
            often, laws_trees.trigger_share(z, most_contacts("0.18"))
        ),
        f"Watts, z = {z:g}: size": p_of_mean(size, cascade_size(z, 1e-9)),
    }


# ---------------------------------------------------------------------------------------------------------
# The family of the tests

LOW = {"weight": 1.0, "threshold": 0.5, "noise": 0.15, "again": 0.5}
ODD = {"weight": 1.5, "threshold": 0.4, "noise": 0.3, "again": 1.0}


def _some(*parts: PValues) -> PValues:
    together: PValues = {}
    for part in parts:
        assert not set(part) & set(together)
        together |= part
    return together


GROUPS: dict[str, tuple[int, Callable[[Path], PValues]]] = {
    "cascades on complete graphs": (
        6,
        lambda _: _some(
            chain_courses(5, 1, 0.25, 20_000)[0],
            chain_courses(8, 3, 0.125, 20_000)[0],
            chain_courses(11, 2, 0.1, 20_000)[0],
        ),
    ),
    "cascades on small networks": (
        6,
        lambda folder: _some(*(cascade_sets(folder, key, 5, 9, 200, 50) for key in (1, 2, 3))),
    ),
    "linear thresholds on small networks": (
        4,
        lambda folder: _some(*(threshold_sets(folder, key, 5, 8, 3_000) for key in (1, 4))),
    ),
    "linear thresholds on complete graphs": (
        4,
        lambda folder: _some(
            complete_thresholds(folder, 4, 1, Fraction(1), 4_000)[0],
            complete_thresholds(folder, 5, 2, Fraction(4, 5), 2_500)[0],
        ),
    ),
    "telling for ever": (
        9,
        lambda _: _some(
            telling_counts(12, 0, 0.03, 0.03, (1, 5, 20), 20_000),
            telling_counts(12, 1, 0.0, 0.05, (1, 5, 20), 20_000),
            telling_counts(9, 3, 0.01, 0.04, (1, 5, 20), 20_000, kind="complete"),
        ),
    ),
    "logit choice in small communities": (
        8,
        lambda _: _some(
            logit_counts(12, 2, (1, 4, 20), 20_000, **LOW),
            logit_counts(15, 5, (1, 3, 8), 20_000, stay=True, **ODD),
            logit_steps(10, 40, 20_000, 1, **ODD),
        ),
    ),
    "logit choice on small networks": (4, lambda folder: logit_on_network(folder, 5, 4, 7, 20_000)),
    "logit choice in large communities": (
        6,
        lambda _: _some(
            *(logit_large(100_000, start, (1, 10, 40), 4, **LOW) for start in (0.1, 0.9)),
        ),
    ),
    "random networks with equal numbers of contacts": (
        4,
        lambda _: degrees_law("4 contacts each, chance .45", {}, 0.45, 1_000)[0],
    ),
    "random networks with a heavy tail": (
        4,
        lambda folder: degrees_law("heavy tail, chance .2", heavy_tailed(folder, 20_000), 0.2, 1_500)[0],
    ),
    "Watts: one starter": (2, lambda _: watts_law(3.0, 20_000, 8, 50)),
}
FAMILY_SIZE = sum(number for number, _ in GROUPS.values())
