"""Moran's I against its formula, its tests against exact permutation of few people and against their size."""

from __future__ import annotations

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from scipy import sparse
from tests.unit.analysis.diffusion.observed import chain, drawn

from mobsim.analysis.diffusion.moran import closeness, moran, moran_by_period
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick


def test_closeness_is_the_inverse_of_the_shortest_path() -> None:
    data = drawn(1, n=40, ties=0.05)
    graph = nx.DiGraph(list(zip(data.ego.tolist(), data.alter.tolist(), strict=True)))
    graph.add_nodes_from(range(data.n_people))
    for steps, direction in ((1, "out"), (3, "out"), (6, "in"), (4, "both")):
        of = {"out": graph, "in": graph.reverse(), "both": graph.to_undirected()}[direction]
        expected = np.zeros((40, 40))
        for a, reached in nx.all_pairs_shortest_path_length(of, cutoff=steps):
            for b, d in reached.items():
                if d:
                    expected[a, b] = 1 / d
        found = closeness(data, steps=steps, direction=direction)  # type: ignore[arg-type]
        assert np.allclose(found.toarray(), expected)


def plain_moran(x: np.ndarray, w: np.ndarray) -> float:
    rows = w / np.where(w.sum(axis=1) > 0, w.sum(axis=1), 1)[:, None]
    z = x - x.mean()
    return float(len(x) * (z @ rows @ z) / (rows.sum() * (z @ z)))


def test_moments_are_those_of_all_permutations() -> None:
    weights = closeness(drawn(4, n=6, ties=0.4, communities=2)).toarray()
    x = np.array([1.0, 1, 0, 0, 1, 0.5])
    all_values = [plain_moran(np.array(order), weights) for order in permutations(x)]
    found = moran(x, sparse.csr_array(weights))
    assert found.observed == pytest.approx(plain_moran(x, weights))
    assert found.expected == pytest.approx(np.mean(all_values))
    assert found.sd == pytest.approx(np.std(all_values))


def test_what_is_undefined_is_nan() -> None:
    data = drawn(2, n=8)
    flat = moran(np.ones(8), closeness(data))
    assert np.isnan([flat.observed, flat.sd, flat.z, flat.p]).all()
    nobody_close = moran(np.arange(8.0), sparse.csr_array((8, 8)))
    assert np.isnan(nobody_close.observed)
    assert np.isnan(moran([1.0], sparse.csr_array((1, 1))).expected)
    few = moran([1.0, 0.0, 0.0], closeness(chain([1, 2, 0], 2)))
    assert np.isfinite(few.observed)
    assert np.isnan(few.sd)
    table = moran_by_period(chain([1, 1, 1], 2), permutations=9)
    assert table["moran"].isna().all()
    assert table["permuted_p"].isna().all()


def test_permutation_within_communities_centres_where_it_should() -> None:
    data = drawn(6, n=6, communities=2, ties=0.4, periods=2)
    place = data.place_of_community
    weights = closeness(data).toarray()
    x = (data.time == 1).astype(float)
    values = []
    for first in permutations(x[place == 0]):
        for second in permutations(x[place == 1]):
            dealt = np.empty(6)
            dealt[place == 0], dealt[place == 1] = first, second
            values.append(plain_moran(dealt, weights))
    table = moran_by_period(data, permutations=4_000, within="community")
    row = table.iloc[0]
    assert row["permuted_mean"] == pytest.approx(np.mean(values))
    assert row["permuted_sd"] == pytest.approx(np.std(values), rel=0.05)
    far = np.abs(np.array(values) - np.mean(values)) >= abs(row["moran"] - np.mean(values)) - 1e-12
    assert row["permuted_p"] == pytest.approx(far.mean(), abs=0.03)


def test_permutations_are_keyed_and_agree_with_the_normal_approximation() -> None:
    data = drawn(7, n=120, ties=0.04)
    one, two = moran_by_period(data, permutations=499), moran_by_period(data, permutations=499)
    assert one.equals(two)
    assert not one.equals(moran_by_period(data, permutations=499, seed=2))
    known = one[one["moran"].notna()]
    assert np.allclose(known["permuted_mean"], known["expected"])
    assert np.allclose(known["permuted_sd"], known["sd"], rtol=0.15)
    assert np.allclose(known["permuted_p"], known["p"], atol=0.12)
    assert (known["permuted_p"] >= 1 / 500).all()
    assert one["permuted_p"].isna().equals(one["moran"].isna())


def test_the_test_is_sized() -> None:
    p = [
        moran_by_period(drawn(seed, n=24, periods=2), permutations=39)["permuted_p"].iloc[0]
        for seed in range(200)
    ]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.085
    assert np.mean(p) == pytest.approx(0.51, abs=0.06)


def test_differences_between_communities_are_no_evidence_within() -> None:
    data = drawn(9, n=150, communities=3, ties=0.0, periods=2)
    place = data.place_of_community
    random = np.random.default_rng(1)
    inside = (place[:, None] == place) & (random.random((150, 150)) < 0.1) & ~np.eye(150, dtype=bool)
    ego, alter = np.nonzero(inside)
    time = (random.random(150) < np.array([0.1, 0.5, 0.9])[place]).astype(np.int64)
    apart = type(data)(
        ids=data.ids, time=time, last_seen=data.last_seen, community=data.community,
        covariates=data.covariates, ego=ego, alter=alter, value=np.ones(len(ego)), n_periods=2,
    )  # fmt: skip
    assert moran_by_period(apart, permutations=199)["permuted_p"].iloc[0] == 1 / 200
    assert moran_by_period(apart, permutations=199, within="community")["permuted_p"].iloc[0] > 0.05


def test_people_lost_from_sight_are_left_out() -> None:
    data = drawn(8, n=40, lost=True)
    table = moran_by_period(data, permutations=19)
    known = [int((data.adopted | (data.last_seen >= t)).sum()) for t in range(1, data.n_periods + 1)]
    assert table["people"].tolist() == known
    kept = np.flatnonzero(data.adopted | (data.last_seen >= 4))
    x = ((data.time > 0) & (data.time <= 4))[kept].astype(float)
    part = closeness(data).toarray()[np.ix_(kept, kept)]
    assert table["moran"].iloc[3] == pytest.approx(plain_moran(x, part))


def test_what_is_not_allowed() -> None:
    data = drawn(1)
    for how, sentence in (
        ({"steps": 0}, "steps: found 0"),
        ({"permutations": -1}, "permutations: found -1"),
        ({"within": "village"}, "within: found 'village'"),
    ):
        with pytest.raises(UsageError, match=sentence):
            moran_by_period(data, **how)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="valued: found True with 6 steps"):
        closeness(data, valued=True)
    assert closeness(data, steps=1, valued=True).max() > 1


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    data = drawn(1, n=40)
    whole = closeness(data).toarray()
    monkeypatch.setattr("mobsim.analysis.diffusion.moran._BLOCK", 7)
    assert np.array_equal(closeness(data).toarray(), whole)


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobsim.analysis.diffusion.moran.MOST_PAIRS", 100)
    with pytest.raises(UsageError, match=r"steps: 6 steps bring .* take fewer steps"):
        closeness(drawn(1))
