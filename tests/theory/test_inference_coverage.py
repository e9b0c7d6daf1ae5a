"""Do the intervals and rules of the comparison keep what they promise? Simulated truth, stated tolerances.

Every tolerance is three standard errors of a simulated share, sqrt(p (1 - p) / runs). For normal outcomes
the promise is the nominal level. For skewed and tipping outcomes no procedure built on a mean of 32
communities keeps it; there the tests hold the coverage to what a separate study of 200,000 draws (20,000
for the two stages) found, and the shortfall is the documented reason why the verdict asks for at least
100 communities when outcomes tip or one community dominates.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from mobsim.analysis.best import communities_until, pairwise_differences
from mobsim.analysis.ratios import bootstrap_ratio, fieller_interval
from mobsim.analysis.statistics import (
    cheapest_luck_count,
    paired_interval,
    stein_communities,
    stein_interval,
    t_quantile,
    tipping,
    variance_components,
)
from mobsim.analysis.verdict import judge

pytestmark = pytest.mark.quick

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def generator(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def three_errors(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def nested(random: np.random.Generator, shape: tuple[int, ...], community: float, luck: float) -> np.ndarray:
    """Values (…, communities, lucks) with these standard deviations between communities and between lucks."""
    return random.normal(0, community, (*shape[:-1], 1)) + random.normal(0, luck, shape)


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.normal(0.04, 0.03, shape)


def skewed(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Lognormal differences with sigma 1 (skewness 6.2)."""
    return random.lognormal(0, 1, shape)


def tips_in(share: float) -> Draw:
    """Differences near 80 points in a share of the communities that tip, near 2 points in the others."""

    def draw(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        tipped = random.random(shape) < share
        return np.where(tipped, random.normal(0.80, 0.05, shape), random.normal(0.02, 0.01, shape))

    return draw


OUTCOMES = {
    "normal": (normal, 0.04),
    "skewed": (skewed, math.exp(0.5)),
    "one in ten tips": (tips_in(0.1), 0.098),
    "one in five tips": (tips_in(0.2), 0.176),
    "half tip": (tips_in(0.5), 0.41),
}


# The paired t interval


def test_paired_interval_covers_with_nested_luck_and_independent_runs_do_not() -> None:
    """32 communities x 5 lucks, luck's variance .115 of communities': independent runs cover 64 %."""
    runs = 20_000
    differences = nested(generator(1), (runs, 32, 5), 0.03, 0.03 * math.sqrt(0.115))
    covered = [paired_interval(d.mean(axis=1)) for d in differences]
    share = np.mean([interval.low <= 0 <= interval.high for interval in covered])
    assert abs(share - 0.95) <= three_errors(0.95, runs)

    as_runs = differences.reshape(runs, 160)
    half_width = t_quantile(0.975, 159) * as_runs.std(axis=1, ddof=1) / math.sqrt(160)
    naive = np.mean(np.abs(as_runs.mean(axis=1)) <= half_width)
    assert abs(naive - 0.64) <= three_errors(0.64, runs)


@pytest.mark.parametrize(
    ("outcome", "n_communities", "documented"),
    [
        ("normal", 8, 0.950),
        ("normal", 32, 0.950),
        ("skewed", 32, 0.884),
        ("skewed", 100, 0.918),
        ("one in ten tips", 32, 0.868),
        ("one in ten tips", 100, 0.933),
        ("one in five tips", 32, 0.932),
        ("one in five tips", 100, 0.944),
        ("half tip", 32, 0.950),
    ],
)
def test_paired_interval_on_outcomes_of_other_shapes(
    outcome: str, n_communities: int, documented: float
) -> None:
    draw, truth = OUTCOMES[outcome]
    runs = 4000
    intervals = [paired_interval(d) for d in draw(generator(2), (runs, n_communities))]
    share = np.mean([interval.low <= truth <= interval.high for interval in intervals])
    assert abs(share - documented) <= three_errors(documented, runs)


def test_outcomes_that_tip_are_announced_and_normal_ones_are_not() -> None:
    """Of 128 runs: an arm that tips is announced in at least 99 %, a normal one in at most 1 %."""
    runs = 500
    for share in (0.1, 0.2, 0.5):
        found = [tipping(d) is not None for d in tips_in(share)(generator(3), (runs, 128))]
        assert np.mean(found) >= 0.99
    assert np.mean([tipping(d) is not None for d in generator(4).normal(0.4, 0.2, (runs, 128))]) <= 0.01


def test_variance_components_are_unbiased_and_name_the_cheapest_luck_count() -> None:
    runs = 2000
    parts = [variance_components(d) for d in nested(generator(5), (runs, 32, 4), 1.0, 2.0)]
    community, luck = (np.array([getattr(p, name) for p in parts]) for name in ("community", "luck"))
    for values, truth in ((community, 1.0), (luck, 4.0)):
        assert abs(values.mean() - truth) <= 3 * values.std() / math.sqrt(runs)
    counts = [cheapest_luck_count(p) for p in parts]  # sqrt(4) = 2
    assert np.median([count for count in counts if count is not None]) == 2


# Comparisons with the best


MEANS = {
    "all equal": [0.0, 0.0, 0.0, 0.0, 0.0],
    "one ahead": [0.0, 0.0, 0.0, 0.0, 0.02],
    "two tie ahead": [0.0, 0.0, 0.01, 0.03, 0.03],
    "in steps": [0.0, 0.01, 0.02, 0.03, 0.04],
}
ARMS = ["none", "advocacy", "mixed", "outreach", "training"]


def arms_under_common_luck(key: int, means: list[float], runs: int, n_communities: int) -> np.ndarray:
    """Outcomes (runs, 5, C, 2): people and luck shared by all arms, effects that vary more in some."""
    random = generator(key)
    shape = (runs, 1, n_communities, 2)
    shared = nested(random, shape, 0.05, 0.02)
    own = np.array([0.005, 0.02, 0.03, 0.04, 0.06])[None, :, None, None]
    effects = nested(random, (runs, 5, n_communities, 2), 1.0, 0.5) * own
    return shared + effects + np.array(means)[None, :, None, None]


@pytest.mark.parametrize("name", MEANS)
def test_constrained_intervals_and_printed_limits_cover_jointly(name: str) -> None:
    """All of Hsu's intervals at once, and all printed limits at once: at least 95 % each."""
    runs = 1000
    means = np.array(MEANS[name])
    others = np.array([np.delete(means, i).max() for i in range(5)])
    with_best, printed, wrong = 0, 0, 0
    for values in arms_under_common_luck(6, MEANS[name], runs, 32):
        verdict = judge(values, ARMS)
        assert verdict.constrained is not None
        inside = (verdict.constrained.low <= means - others) & (means - others <= verdict.constrained.high)
        with_best += bool(inside.all())
        truth = [means[ARMS.index(p.arm)] - means[ARMS.index(p.rival)] for p in verdict.pairs]
        printed += all(p.low <= t <= p.high for p, t in zip(verdict.pairs, truth, strict=True))
        wrong += any(p.kind == "better" and t < 0 for p, t in zip(verdict.pairs, truth, strict=True))
    least = 0.95 - three_errors(0.95, runs)
    assert with_best / runs >= least
    assert printed / runs >= least
    assert wrong / runs <= 1 - least


def test_practically_equal_is_said_wrongly_in_at_most_five_percent() -> None:
    """Two arms exactly as far apart as matters are called practically equal in at most 5 %."""
    runs = 4000
    differences = generator(7).normal(0.01, 0.01, (runs, 32))
    values = np.stack([differences, np.zeros_like(differences)], axis=1)[:, :, :, None]
    equal = np.mean([judge(v, ["visits", "none"]).pairs[0].kind == "practically equal" for v in values])
    assert equal <= 0.05 + three_errors(0.05, runs)


# Stein's two stages


@pytest.mark.parametrize(
    ("outcome", "half_width", "documented"),
    [
        ("normal", 0.006, 0.950),
        ("skewed", 0.4, 0.856),
        ("one in ten tips", 0.05, 0.842),
        ("one in five tips", 0.05, 0.930),
        ("half tip", 0.05, 0.957),
    ],
)
def test_two_stages_meet_the_half_width(outcome: str, half_width: float, documented: float) -> None:
    """The half-width is always met; coverage is nominal for normal outcomes, documented for the others."""
    draw, truth = OUTCOMES[outcome]
    runs = 3000
    random = generator(8)
    covered = 0
    for first in draw(random, (runs, 32)):
        total = stein_communities(first, half_width)
        second = draw(random, (total - 32,))
        interval = stein_interval(np.concatenate([first, second]), 32)
        assert interval.high - interval.estimate <= half_width * (1 + 1e-12)
        covered += interval.low <= truth <= interval.high
    # The documented shares of the other shapes carry an error of their own (20,000 draws).
    allowed = three_errors(documented, runs) * (1 if outcome == "normal" else math.sqrt(1 + runs / 20_000))
    assert abs(covered / runs - documented) <= allowed


def test_two_stages_keep_all_differences_with_the_best_at_once() -> None:
    """All printed differences with the leading arm are short enough, and all cover, in at least 95 %."""
    runs, half_width, means = 1000, 0.03, MEANS["two tie ahead"]
    random = generator(9)
    covered, short = 0, 0
    for first in arms_under_common_luck(10, means, runs, 32):
        total = communities_until(pairwise_differences(first), half_width)
        key = int(random.integers(2**62))
        second = arms_under_common_luck(key, means, 1, total - 32)[0]
        verdict = judge(np.concatenate([first, second], axis=1), ARMS, first_stage=32)
        pairs = [p for p in verdict.pairs if verdict.leading in (p.arm, p.rival)]
        truth = [means[ARMS.index(p.arm)] - means[ARMS.index(p.rival)] for p in pairs]
        short += all(p.high - p.estimate <= half_width * (1 + 1e-12) for p in pairs)
        covered += all(p.low <= t <= p.high for p, t in zip(pairs, truth, strict=True))
    least = 0.95 - three_errors(0.95, runs)
    assert covered / runs >= least
    assert short / runs >= least


def test_adding_communities_until_the_interval_is_short_does_not_cover() -> None:
    """Why there is one second stage: looking after each community from the third on does not cover 95 %."""
    runs, most, half_width = 4000, 60, 0.4
    values = generator(11).normal(0, 1, (runs, most))
    n = np.arange(1, most + 1)
    means = np.cumsum(values, axis=1) / n
    squares = np.cumsum(values**2, axis=1) - n * means**2
    quantiles = np.array([t_quantile(0.975, max(1, k - 1)) for k in n.tolist()])
    half_widths = quantiles * np.sqrt(np.maximum(squares, 0) / np.maximum(n - 1, 1) / n)
    short = (half_widths <= half_width) & (n >= 3)
    short[:, -1] = True
    stop = short.argmax(axis=1)
    rows = np.arange(runs)
    covered = np.mean(np.abs(means[rows, stop]) <= half_widths[rows, stop])
    assert covered < 0.95 - three_errors(0.95, runs)


# Ratios


def test_fieller_covers_even_when_the_denominator_may_be_zero() -> None:
    """A ratio of 2, its denominator 5 and 1 standard errors from 0; unbounded sets count as they are."""
    runs = 4000
    for key, distance in ((12, 5.0), (13, 1.0)):
        random = generator(key)
        mean = distance / math.sqrt(32)
        bottom = mean + random.normal(0, 1, (runs, 32))
        top = 2 * mean + 0.6 * (bottom - mean) + random.normal(0, 1, (runs, 32))
        covered = 0
        for t, b in zip(top, bottom, strict=True):
            interval = fieller_interval(t, b)
            if interval.shape == "two rays":
                covered += interval.low >= 2 or interval.high <= 2
            else:
                covered += interval.low <= 2 <= interval.high
        assert abs(covered / runs - 0.95) <= three_errors(0.95, runs)


def test_bootstrap_of_a_ratio_covers_a_little_less_than_it_says() -> None:
    """Percentile intervals from 32 communities: documented lower bound 91 %."""
    runs = 600
    random = generator(14)
    bottom = random.normal(3, 1, (runs, 32))
    top = 2 * bottom + random.normal(0, 1, (runs, 32))
    intervals = [bootstrap_ratio(t, b, resamples=400) for t, b in zip(top, bottom, strict=True)]
    share = np.mean([interval.low <= 2 <= interval.high for interval in intervals])
    assert 0.91 - three_errors(0.91, runs) <= share <= 0.95 + three_errors(0.95, runs)
