"""Hsu's constrained intervals by hand, and Stein's second stage for every difference with the best."""

from __future__ import annotations

import numpy as np
import pytest

from mobsim.analysis.best import communities_until, constrained_intervals, pairwise_differences
from mobsim.analysis.statistics import bonferroni_t
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick

FIRST = [0.10, 0.12, 0.14, 0.16, 0.18]
SECOND = [0.11, 0.11, 0.15, 0.13, 0.15]
NONE = [0.0] * 5


def one_luck(*arms: list[float]) -> np.ndarray:
    return np.array(arms)[:, :, None]


def test_differences_and_deviations_by_hand() -> None:
    pairs = pairwise_differences(one_luck(FIRST, SECOND, NONE))
    assert pairs.estimate[0].tolist() == pytest.approx([0, 0.01, 0.14])
    assert pairs.deviation[0].tolist() == pytest.approx([0, 0.02, np.sqrt(0.001)])
    assert (pairs.n_communities, pairs.degrees) == (5, 4)
    assert (pairs.estimate == -pairs.estimate.T).all()


def test_constrained_intervals_by_hand() -> None:
    # t(1 - .05/2, 4) = 2.7764; h is 2.7764 * .02 / sqrt(5) = .024833 for first and second, .039265 for none.
    best = constrained_intervals(pairwise_differences(one_luck(FIRST, SECOND, NONE)))
    assert best.quantile == pytest.approx(2.7764, abs=5e-5)
    assert best.half_width[0, 1] == pytest.approx(0.024833, abs=1e-6)
    assert best.half_width[0, 2] == pytest.approx(0.039265, abs=1e-6)
    assert best.high.tolist() == pytest.approx([0.034833, 0.014833, 0.0], abs=2e-6)
    assert best.possible.tolist() == [True, True, False]
    assert best.low.tolist() == pytest.approx([-0.014833, -0.034833, -0.179265], abs=2e-6)


def test_a_single_best_has_low_zero() -> None:
    best = constrained_intervals(pairwise_differences(one_luck(FIRST, NONE)))
    half_width = 2.1318 * np.sqrt(0.001) / np.sqrt(5)  # k = 2: t(.95, 4)
    assert best.possible.tolist() == [True, False]
    assert best.low.tolist() == pytest.approx([0, -0.14 - half_width], abs=1e-5)
    assert best.high.tolist() == pytest.approx([0.14 + half_width, 0], abs=1e-5)


def test_order_of_arms_does_not_matter() -> None:
    arms = one_luck(FIRST, SECOND, NONE)
    forward = constrained_intervals(pairwise_differences(arms))
    backward = constrained_intervals(pairwise_differences(arms[::-1]))
    assert forward.low.tolist() == backward.low[::-1].tolist()
    assert forward.high.tolist() == backward.high[::-1].tolist()


def test_two_copies_of_the_best_do_not_rule_each_other_out() -> None:
    best = constrained_intervals(pairwise_differences(one_luck(SECOND, SECOND, NONE)))
    assert best.possible.tolist() == [True, True, False]
    close = constrained_intervals(pairwise_differences(one_luck(FIRST, FIRST, SECOND)))
    assert close.possible.tolist() == [True, True, True]
    assert close.low[2] < 0
    assert close.low[0] < 0


def test_two_stages_take_their_deviation_from_the_first() -> None:
    generator = np.random.Generator(np.random.Philox(key=1))
    values = generator.normal(0, 1, (3, 40, 2))
    pairs = pairwise_differences(values, first_stage=32)
    assert pairs.degrees == 31
    assert pairs.n_communities == 40
    assert pairs.deviation.tolist() == pairwise_differences(values[:, :32]).deviation.tolist()
    assert pairs.estimate.tolist() == pairwise_differences(values).estimate.tolist()


def test_second_stage_makes_every_printed_interval_short_enough() -> None:
    generator = np.random.Generator(np.random.Philox(key=1))
    values = generator.normal(0, 0.1, (3, 32, 2))
    values += np.array([0.0, 0.01, -0.5])[:, None, None] - values.mean(axis=(1, 2), keepdims=True)
    pairs = pairwise_differences(values)
    total = communities_until(pairs, 0.02)
    quantile = bonferroni_t(0.95, 3, 31)
    assert pairs.all_pairs_quantile(0.95) == quantile
    possible = constrained_intervals(pairs).possible
    assert possible.tolist() == [True, True, False]
    assert total == int(np.ceil((quantile * pairs.deviation[:2].max() / 0.02) ** 2))


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="found one community"):
        pairwise_differences(np.zeros((2, 1, 4)))
    with pytest.raises(UsageError, match="found one arm"):
        constrained_intervals(pairwise_differences(np.zeros((1, 4, 4))))
    with pytest.raises(UsageError, match="found 5 communities in the first; at least 32"):
        communities_until(pairwise_differences(one_luck(FIRST, NONE)), 0.01)
    with pytest.raises(UsageError, match="there are only 40"):
        pairwise_differences(np.zeros((2, 40, 1)), first_stage=41)
