"""The exact laws against each other: formulas against listing, chains against limits, series against sums."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.special import factorial
from scipy.stats import poisson
from tests.theory import laws_counts, laws_fit, laws_sets, laws_trees, published

pytestmark = pytest.mark.quick

SIXTHS = {(0, 1): Fraction(1, 2), (0, 2): Fraction(1, 3), (1, 2): Fraction(1, 3), (2, 1): Fraction(1, 6)}


# Fits


def test_a_fit_is_uniform_for_the_law_and_small_for_another() -> None:
    draw = np.random.Generator(np.random.Philox(key=1))
    law = np.array([0.5, 0.3, 0.15, 0.04, 0.009, 0.001])
    p = np.array([laws_fit.p_of_counts(draw.multinomial(5_000, law), law) for _ in range(2_000)])
    assert abs(np.mean(p < 0.05) - 0.05) < 0.02
    assert abs(p.mean() - 0.5) < 0.03
    assert laws_fit.p_of_counts(draw.multinomial(5_000, law[::-1]), law) < 1e-9
    assert laws_fit.p_of_counts([5, 1], [1.0, 0.0]) == 0, "the impossible happened"
    assert laws_fit.p_of_outcomes({"a": 1, "c": 1}, {"a": 0.5, "b": 0.5}) == 0


def test_holm_rejects_one_after_another() -> None:
    assert laws_fit.holm([0.04, 0.001, 0.02], level=0.05) == [True, True, True]
    assert laws_fit.holm([0.06, 0.001, 0.03], level=0.05) == [False, True, False]


# Small networks


def test_weeks_of_arrival_give_the_sets_of_the_published_case() -> None:
    law = laws_sets.sets_of(laws_sets.cascade_arrivals(3, SIXTHS, [0]))
    assert {k: v for k, v in law.items() if v} == {
        k: v for k, v in published.cascade_outcomes(SIXTHS, [0]).items() if v
    }
    law = laws_sets.sets_of(laws_sets.threshold_arrivals(3, SIXTHS, [0]))
    assert law == {k: v for k, v in published.threshold_outcomes(SIXTHS, [0]).items() if v}


@pytest.mark.parametrize("key", range(6))
def test_live_ties_give_the_law_of_thresholds_week_by_week(key: int) -> None:
    """Kempe, Kleinberg and Tardos's equivalence, against listing where every threshold may lie."""
    weights, starters = laws_sets.random_digraph(key, 4, 7, sums=True)
    directly = laws_sets.threshold_arrivals_directly(4, weights, starters)
    assert laws_sets.threshold_arrivals(4, weights, starters) == {k: p for k, p in directly.items() if p}


@pytest.mark.parametrize(
    ("n", "starters", "total"),
    [
        (3, 1, Fraction(1)),
        (4, 2, Fraction(1)),
        (5, 1, Fraction(1)),
        (5, 2, Fraction(4, 5)),
        (4, 1, Fraction(1, 3)),
    ],
)
def test_thresholds_on_complete_graphs_agree_three_ways(n: int, starters: int, total: Fraction) -> None:
    """Courses from binomial steps, courses from listing, live ties, and the quasi-binomial final size."""
    w = total / (n - 1)
    paths = laws_sets.complete_paths(n, starters, w)
    assert paths == laws_sets.complete_paths_directly(n, starters, w)
    final = [Fraction(0)] * (n + 1)
    for path, chance in paths.items():
        final[starters + sum(path)] += chance
    np.testing.assert_allclose(
        laws_sets.complete_final(n, starters, float(w)), [float(p) for p in final], atol=1e-12
    )
    if n < 5:
        weights = {(a, b): w for a in range(n) for b in range(n) if a != b}
        sizes = [Fraction(0)] * (n + 1)
        for reached, chance in laws_sets.sets_of(
            laws_sets.threshold_arrivals(n, weights, range(starters))
        ).items():
            sizes[len(reached)] += chance
        assert sizes == final


@pytest.mark.parametrize(("n", "starters", "chance"), [(4, 1, 0.25), (4, 2, 0.6), (7, 2, 0.15), (10, 1, 0.1)])
def test_the_chain_binomial_agrees_with_triangular_equations_and_live_ties(
    n: int, starters: int, chance: float
) -> None:
    paths = laws_sets.chain_paths(n, starters, chance)
    assert sum(paths.values()) == pytest.approx(1)
    final = np.zeros(n + 1)
    for path, p in paths.items():
        final[starters + sum(path)] += p
    np.testing.assert_allclose(laws_sets.chain_final(n, starters, chance), final, atol=1e-9)
    if n == 4:
        ties = {(a, b): Fraction(chance) for a in range(n) for b in range(starters, n) if a != b}
        courses: dict[tuple[int, ...], float] = {}
        for weeks, p in laws_sets.cascade_arrivals(n, ties, range(starters)).items():
            key = tuple(weeks.count(week) for week in range(1, max(weeks) + 1))
            courses[key] = courses.get(key, 0.0) + float(p)
        assert courses == pytest.approx({path: p for path, p in paths.items() if p})


# Everybody meets everybody


def test_a_chain_of_short_weeks_is_the_birth_process_and_that_of_many_people_bass() -> None:
    """Differences from the process in continuous time fall with the length of the week, to first order."""
    births, off = laws_counts.bass_births(15, 0.03, 0.38, 5.0), []
    for dt in (0.2, 0.1, 0.05):
        step = laws_counts.telling_step(15, 0.03 * dt, 0.38 * dt / 15)
        off.append(np.abs(laws_counts.by_week(step, 0, round(5 / dt))[-1] - births).sum())
    assert 1.8 < off[0] / off[1] < 2.2
    assert 1.8 < off[1] / off[2] < 2.2
    shares = []
    for n in (25, 100, 400):
        law = laws_counts.bass_births(n, 0.03, 0.38, 5.0)
        shares.append(abs(float(law @ np.arange(n + 1)) / n - float(published.bass_curve(5.0, 0.03, 0.38))))
    assert shares[2] < shares[1] < shares[0]
    assert shares[1] / shares[2] == pytest.approx(4, rel=0.2), "of order 1 / n"


def test_a_logit_chain_rests_where_its_map_does() -> None:
    """With .15 noise there are two stable points, at which the chain of 40 most often rests."""
    points = laws_counts.fixed_points(1.0, 0.5, 0.15)
    assert [stable for _, stable in points] == [True, False, True]
    assert points[1][0] == pytest.approx(0.5)
    assert points[0][0] == pytest.approx(1 - points[2][0])
    for share, _ in points:
        assert laws_counts.logit_map(1.0, 0.5, 0.15, 0.3)(share) == pytest.approx(share)
    rest = laws_counts.at_rest(laws_counts.logit_step(40, 1.0, 0.5, 0.15, 0.5, False))
    assert rest.sum() == pytest.approx(1)
    np.testing.assert_allclose(rest, rest[::-1], atol=1e-8)
    assert abs(int(rest[:20].argmax()) / 40 - points[0][0]) < 0.03
    assert [stable for _, stable in laws_counts.fixed_points(1.0, 0.5, 0.3)] == [True]


def test_the_map_and_its_deviations_are_those_of_the_chain() -> None:
    step = laws_counts.logit_step(400, 1.0, 0.5, 0.25, 0.5, False)
    law = laws_counts.by_week(step, 40, 6)
    shares, spreads = laws_counts.logit_course(400, 0.1, 6, 1.0, 0.5, 0.25, 0.5)
    counts = np.arange(401) / 400
    means = law @ counts
    np.testing.assert_allclose(means, shares, atol=0.002)
    np.testing.assert_allclose(np.sqrt(law @ counts**2 - means**2), spreads, rtol=0.03)


def test_sets_of_noisy_choice_on_a_complete_graph_give_its_counts() -> None:
    """Everything seen, nothing from ties: the chain of sets and that of counts agree."""
    sets = laws_counts.logit_sets(
        3, {(0, 1): 1.0}, [0], 4, weight=1.5, threshold=0.4, noise=0.3, again=0.6, visibility=1.0
    )
    counts = np.zeros((4, 4))
    for s in range(8):
        counts[:, s.bit_count()] += sets[:, s]
    step = laws_counts.logit_step(3, 1.5, 0.4, 0.3, 0.6, False)
    np.testing.assert_allclose(counts, laws_counts.by_week(step, 1, 4), atol=1e-12)


# Large random networks


def test_small_cascades_and_large_ones_are_all() -> None:
    """On Poisson degrees sizes are Borel-Tanner's, and large cascades those of Newman's equation."""
    degrees = poisson.pmf(np.arange(60), 3.0)
    sizes = laws_trees.small_sizes(degrees, 0.5, 60)
    mean = 1.5
    s = np.arange(1, 8)
    borel = np.exp(-mean * s) * (mean * s) ** (s - 1) / factorial(s)
    np.testing.assert_allclose(sizes[1:8], borel, rtol=1e-6)
    assert sizes.sum() + laws_trees.large_share(degrees, 0.5) == pytest.approx(1, abs=1e-3)
    assert laws_trees.large_share(degrees, 0.5) == pytest.approx(published.giant_share(1.5), abs=1e-9)


def test_new_participants_by_week_have_the_mean_of_the_tree() -> None:
    degrees = laws_trees.shares_of([2, 2, 3, 4, 1, 5, 2])
    means = laws_trees.mean_new(degrees, 0.4, 3)
    for week in (1, 2, 3):
        law = laws_trees.new_by_week(degrees, 0.4, week, 150)
        assert law.sum() == pytest.approx(1)
        assert law @ np.arange(151) == pytest.approx(means[week - 1])


def test_one_starter_is_enough_inside_watts_window_only() -> None:
    most = published.most_contacts("0.18")
    low, high = published.cascade_window("0.18")
    for z in (low - 0.01, high + 0.01):
        assert laws_trees.trigger_share(z, most) == 0
    assert 0 < laws_trees.trigger_share(low + 0.01, most) < 0.1
    assert laws_trees.trigger_share(3.0, 50) == pytest.approx(published.giant_share(3.0)), "all vulnerable"
