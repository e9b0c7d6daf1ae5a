"""Known answers for paired differences, variance components, Stein's rule, and the flags."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mobsim.analysis.statistics import (
    VarianceComponents,
    ahead_and_equal,
    best_shares,
    bonferroni_t,
    cheapest_luck_count,
    dominant_community,
    paired_differences,
    paired_interval,
    regrets,
    restricted_weeks,
    stein_communities,
    stein_interval,
    t_quantile,
    tipping,
    variance_components,
)
from mobsim.errors import ResultsError, UsageError

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("comparisons", "degrees", "published"),
    [(1, 10, 2.228), (2, 20, 2.423), (3, 20, 2.613), (10, 20, 3.153), (1, 31, 2.040), (4, 5, 3.810)],
)
def test_bonferroni_quantiles_are_those_of_printed_tables(
    comparisons: int, degrees: int, published: float
) -> None:
    assert bonferroni_t(0.95, comparisons, degrees) == pytest.approx(published, abs=5e-4)


def test_one_sided_quantile() -> None:
    assert t_quantile(0.95, 4) == pytest.approx(2.132, abs=5e-4)


def test_luck_is_averaged_before_communities() -> None:
    assert paired_differences([[1.0, 3.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 4.0]]).tolist() == [2.0, 0.0]


def test_paired_interval_by_hand() -> None:
    interval = paired_interval([0.02, 0.04, 0.06, 0.08, 0.10])  # mean .06, s = sqrt(.001), t(.975, 4) = 2.776
    half_width = 2.7764 * math.sqrt(0.001) / math.sqrt(5)
    assert interval.estimate == pytest.approx(0.06)
    assert (interval.low, interval.high) == pytest.approx((0.06 - half_width, 0.06 + half_width), abs=1e-6)


def test_one_community_has_no_interval() -> None:
    interval = paired_interval([0.3])
    assert interval.estimate == 0.3
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_equal_differences_have_an_interval_of_width_zero() -> None:
    interval = paired_interval([0.1] * 7)
    assert interval.high - interval.low == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(ResultsError, match="1 values that are NaN or infinite"):
        paired_interval([0.1, bad, 0.3])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ResultsError, match="they must be equal"):
        paired_differences([[1.0, 2.0]], [[1.0], [2.0]])
    with pytest.raises(ResultsError, match="none of them empty"):
        paired_interval([])


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0, 95.0, math.nan])
def test_confidence_out_of_range_is_refused(confidence: float) -> None:
    with pytest.raises(UsageError, match="a number between"):
        paired_interval([0.1, 0.2], confidence=confidence)


def test_variance_components_by_hand() -> None:
    # Community means 2, 6, 10 (MSB = 2 * 16 = 32); within each, deviations of 1 (MSW = 6 / 3 = 2).
    parts = variance_components([[1.0, 3.0], [5.0, 7.0], [9.0, 11.0]])
    assert parts.luck == pytest.approx(2)
    assert parts.community == pytest.approx((32 - 2) / 2)


def test_variance_component_is_never_negative() -> None:
    assert variance_components([[0.0, 2.0], [2.0, 0.0], [0.0, 2.0]]).community == 0


def test_one_luck_cannot_separate_the_components() -> None:
    parts = variance_components([[1.0], [3.0]])
    assert parts.community == pytest.approx(2)
    assert math.isnan(parts.luck)
    assert cheapest_luck_count(parts) is None


@pytest.mark.parametrize(
    ("community", "luck", "cost", "best"),
    [(1.0, 4.0, 1.0, 2), (1.0, 4.0, 4.0, 4), (4.0, 1.0, 1.0, 1), (0.0, 1.0, 1.0, 32), (1.0, 0.0, 1.0, 1)],
)
def test_cheapest_luck_count(community: float, luck: float, cost: float, best: int) -> None:
    assert cheapest_luck_count(VarianceComponents(community, luck, 32, 4), community_cost=cost) == best


def test_cheapest_luck_count_is_the_cheapest_of_all() -> None:
    for luck in (0.3, 1.7, 5.0, 20.0):
        for cost in (0.5, 1.0, 7.0):
            found = cheapest_luck_count(VarianceComponents(1.0, luck, 32, 4), community_cost=cost)
            prices = {n: (cost + n) * (1 + luck / n) for n in range(1, 33)}
            assert found is not None
            assert prices[found] == pytest.approx(min(prices.values()))


def with_deviation(deviation: float, n: int) -> np.ndarray:
    values = np.linspace(-1, 1, n)
    return values * deviation / values.std(ddof=1)


def test_stein_total_by_hand() -> None:
    # (2.0395 * 0.1 / 0.02)^2 = 103.99
    assert stein_communities(with_deviation(0.1, 32), 0.02) == 104
    assert stein_communities(with_deviation(0.1, 32), 0.5) == 32
    assert stein_communities(np.zeros(32), 0.001) == 32


def test_stein_interval_uses_the_first_stage_deviation() -> None:
    differences = np.concatenate([with_deviation(0.1, 32), np.full(72, 5.0)])
    interval = stein_interval(differences, 32)
    assert interval.high - interval.estimate == pytest.approx(2.0395 * 0.1 / math.sqrt(104), rel=1e-4)
    assert interval.high - interval.estimate <= 0.02


def test_stein_needs_a_first_stage_of_32() -> None:
    with pytest.raises(UsageError, match="found 31 communities"):
        stein_communities(with_deviation(0.1, 31), 0.02)
    with pytest.raises(UsageError, match="half-width"):
        stein_communities(with_deviation(0.1, 32), 0.0)


def test_restricted_weeks() -> None:
    assert restricted_weeks([[10.0, math.nan]], 130).tolist() == [[10.0, 130.0]]
    with pytest.raises(ResultsError, match="week 131"):
        restricted_weeks([131.0], 130)


def test_ahead_and_equal() -> None:
    assert ahead_and_equal([[1.0, 2.0], [0.0, 3.0]], [[0.0, 2.0], [1.0, 1.0]]) == (2, 1)


def test_best_shares_split_ties_and_sum_to_one() -> None:
    values = np.array([[[1.0, 1.0]], [[1.0, 0.0]], [[0.0, 0.0]]])
    shares = best_shares(values)
    assert shares.tolist() == [[0.75], [0.25], [0.0]]


def test_regret_is_the_distance_to_the_best_of_the_same_future() -> None:
    assert regrets([[[1.0, 4.0]], [[3.0, 0.0]]]).tolist() == [[1.0], [2.0]]


def test_dominant_community() -> None:
    row, share = dominant_community([0.0] * 9 + [1.0])
    assert row == 9
    assert share == pytest.approx(0.9)
    assert dominant_community([0.5] * 4) == (0, 0.0)


def test_tipping_is_seen_in_two_clusters_only() -> None:
    generator = np.random.Generator(np.random.Philox(key=5))
    low, high = generator.normal(0.1, 0.03, 90), generator.normal(0.92, 0.03, 30)
    found = tipping(np.concatenate([low, high]))
    assert found is not None
    assert found.upper_share == 0.25
    assert found.lower_mean == pytest.approx(0.1, abs=0.02)
    assert tipping(low) is None
    assert tipping(generator.random(128)) is None
    assert tipping(generator.normal(0.4, 0.2, 128)) is None
    assert tipping([0.001] * 20 + [0.002] * 20) is None  # two values, but a tenth of a point apart
    assert tipping([0.3] * 40) is None
    assert tipping([0.1, 0.9]) is None
