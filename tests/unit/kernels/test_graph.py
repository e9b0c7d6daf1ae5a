"""Inner loops of the networks: rows, sets of pairs, alias tables, households, triads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobsim.kernels import graph
from mobsim.kernels.keyed import SETUP_LUCK, centred, philox
from mobsim.kernels.streams import HOUSEHOLD

pytestmark = pytest.mark.quick


@st.composite
def networks(draw) -> tuple[int, list[tuple[int, int]]]:
    """Draw a number of residents and some of their pairs, in any order and direction."""
    n = draw(st.integers(2, 30))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    return n, draw(st.lists(pairs, max_size=60, unique_by=lambda p: tuple(sorted(p))))


def ids(values) -> np.ndarray:
    return np.array(list(values), np.uint32)


@given(networks())
def test_rows_of_pairs_and_back(network) -> None:
    n, pairs = network
    row_start, neighbours = graph.rows_of_pairs(ids(a for a, _ in pairs), ids(b for _, b in pairs), n)
    expected = [sorted([b for a, b in pairs if a == i] + [a for a, b in pairs if b == i]) for i in range(n)]
    assert [neighbours[row_start[i] : row_start[i + 1]].tolist() for i in range(n)] == expected
    first, second = graph.pairs_of_rows(row_start, neighbours)
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == sorted(
        tuple(sorted(p)) for p in pairs
    )


@given(networks(), st.lists(st.integers(1, 29), max_size=6), st.integers(0, 60))
def test_rows_of_homes_are_those_of_all_pairs(network, borders, cut) -> None:
    n, pairs = network
    start = np.array(sorted({0, n, *(b for b in borders if b < n)}))
    home = np.searchsorted(start, np.arange(n), side="right")
    beyond = [(a, b) for a, b in pairs if home[a] != home[b]]
    lists = [ids(end) for part in (beyond[:cut], beyond[cut:]) for end in zip(*part, strict=True)]
    lists = [*([] if beyond[:cut] else [ids([])] * 2), *lists, *([] if beyond[cut:] else [ids([])] * 2)]
    at_home = graph.household_pairs(start)
    every = [np.concatenate([end, lists[k], lists[k + 2]]) for k, end in enumerate(at_home)]
    found, expected = graph.rows_of_homes(start, *lists), graph.rows_of_pairs(*every, n)
    assert found[0].tolist() == expected[0].tolist()
    assert found[1].tolist() == expected[1].tolist()


def test_a_row_of_many_is_ordered_too() -> None:
    """A hub of 200 ties beyond the household, given in descending order."""
    others = np.arange(202, 2, -1)
    nobody = ids([])
    row_start, neighbours = graph.rows_of_homes(
        np.array([0, 3, *range(4, 204)]), ids(others), ids([1] * 200), nobody, nobody
    )
    assert neighbours[row_start[1] : row_start[2]].tolist() == [0, 2, *range(3, 203)]


@given(networks())
def test_sums_of_rows(network) -> None:
    n, pairs = network
    row_start, neighbours = graph.rows_of_pairs(ids(a for a, _ in pairs), ids(b for _, b in pairs), n)
    values, weight = np.arange(n) ** 2, np.arange(neighbours.size)
    rows = [range(row_start[i], row_start[i + 1]) for i in range(n)]
    plain = graph.sums_of_rows(row_start, neighbours, values, np.empty(0, np.int64))
    assert plain.tolist() == [sum(values[neighbours[e]] for e in row) for row in rows]
    weighted = graph.sums_of_rows(row_start, neighbours, values, weight)
    assert weighted.tolist() == [sum(weight[e] * values[neighbours[e]] for e in row) for row in rows]
    group = (np.arange(n) % 3).astype(np.uint8)
    assert graph.count_alike(row_start, neighbours, group) == 2 * sum(a % 3 == b % 3 for a, b in pairs)


@given(networks())
def test_triads(network) -> None:
    n, pairs = network
    row_start, neighbours = graph.rows_of_pairs(ids(a for a, _ in pairs), ids(b for _, b in pairs), n)
    tied = np.zeros((n, n), np.int64)
    for a, b in pairs:
        tied[a, b] = tied[b, a] = 1
    closed, pairs_of_ties = graph.triads(row_start, neighbours, 10**9)
    degree = tied.sum(axis=0)
    assert closed == np.trace(tied @ tied @ tied)
    assert pairs_of_ties == (degree * (degree - 1)).sum()


def test_triads_of_a_sample_are_those_of_every_nth_resident() -> None:
    n = 3000
    pairs = graph.rewired_ring_pairs(n, 5, 0.0, 0, 0)
    rows = graph.rows_of_pairs(*pairs, n)
    all_closed, everything = graph.triads(*rows, 10**9)
    closed, some = graph.triads(*rows, 30_000)
    assert some == everything // 10
    assert closed / some == all_closed / everything  # on a ring all residents are alike


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=40))
def test_alias_table_keeps_the_weights(weights) -> None:
    weight = np.array(weights)
    keep, other = graph.alias_table(weight)
    chance = keep.copy()
    np.add.at(chance, other, 1.0 - keep)
    assert (keep >= 0).all()
    assert (keep <= 1).all()
    assert chance / weight.size == pytest.approx(weight / weight.sum(), rel=1e-9, abs=1e-12)


def test_households_have_the_declared_sizes() -> None:
    size, group, order = graph.draw_households(np.array([400_000, 100_000]), 4.7, 3, 1)
    assert size[group == 0].sum() == 400_000
    assert size[group == 1].sum() == 100_000
    assert (np.diff(group.astype(int)) >= 0).all()
    assert size.mean() == pytest.approx(4.7, abs=0.03)
    assert size.var() == pytest.approx(3.7 + 3.7**2 / 6, abs=0.15)
    assert np.unique(order).size > 0.99 * order.size


def test_a_household_is_drawn_by_inversion() -> None:
    size, _, order = graph.draw_households(np.array([10_000]), 4.7, 3, 1)
    from scipy.stats import nbinom

    for h in range(50):
        w0, w1, _, _ = philox(h, 0, SETUP_LUCK, HOUSEHOLD, 3, 1)
        assert size[h] == 1 + nbinom.ppf(centred(w0), 6, 6 / 9.7)
        assert order[h] == w1


def test_household_pairs() -> None:
    first, second = graph.household_pairs(np.array([0, 1, 4, 6]))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(1, 2), (1, 3), (2, 3), (4, 5)]


def test_leaders_take_everybody_if_too_few_are_left() -> None:
    row_start, neighbours = graph.rows_of_pairs(ids([0]), ids([1]), 4)
    first, second = graph.leader_pairs(row_start, neighbours, ids([0, 3]), 9, 1, 0)
    pairs = sorted(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == [(0, 2), (0, 3), (1, 3), (2, 3)]


def test_block_pairs_grow_beyond_their_first_room() -> None:
    """More ties than expected find room; a chance of 1 ties everybody."""
    chance = np.array([[1.0, 0.0], [0.0, 1.0]])
    first, second = graph.block_pairs(np.arange(60, dtype=np.uint32), np.array([0, 20, 60]), chance, 1, 0)
    assert first.size == 190 + 780
    assert ((first < 20) == (second < 20)).all()
    sizes = [
        graph.block_pairs(np.arange(3, dtype=np.uint32), np.array([0, 3]), np.array([[0.5]]), 1, number)[
            0
        ].size
        for number in range(4000)
    ]
    assert np.bincount(sizes) / 4000 == pytest.approx([1 / 8, 3 / 8, 3 / 8, 1 / 8], abs=0.03)


def test_a_failed_pairing_is_empty_and_another_restart_is_another_draw() -> None:
    draws = {graph.regular_pairs(40, 3, restart, 1, 0)[1].tobytes() for restart in range(3)}
    assert len(draws) == 3
