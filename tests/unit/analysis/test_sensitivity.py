"""Sobol indices and elementary effects: known answers, noise taken off, intervals that hold."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from tests.unit.analysis.sweeps import FakeSweep, a_range, sweep_of, without, words

from mobsim.analysis.sensitivity import morris_steps, saltelli_plan, sensitivity, variance_shares
from mobsim.errors import UsageError

SALib = pytest.importorskip("SALib")


def problem(k: int) -> dict[str, Any]:
    return {"num_vars": k, "names": [f"x{i}" for i in range(k)], "bounds": [[0.0, 1.0]] * k}


def saltelli_points(n: int, k: int, *, second_order: bool = False, seed: int = 1) -> Any:
    from SALib.sample import sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sobol.sample(problem(k), n, calc_second_order=second_order, seed=seed)


def morris_points(n: int, k: int, *, seed: int = 1) -> Any:
    from SALib.sample import morris

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return morris.sample(problem(k), n, num_levels=4, seed=seed)


def ishigami(t: Any) -> Any:
    x1, x2, x3 = (np.pi * (2 * t[f"x{i}"] - 1) for i in range(3))
    return np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)


def three(t: Any) -> Any:
    return 3 * t.x0 + 2 * t.x1


ISHIGAMI_FIRST = [0.3139, 0.4424, 0.0]
ISHIGAMI_TOTAL = [0.5576, 0.4424, 0.2437]


def sweep_at(x: Any, mean: Any, **noise: Any) -> FakeSweep:
    names = [f"x{i}" for i in range(x.shape[1])]
    return sweep_of(
        dict(zip(names, x.T, strict=True)),
        [a_range(name) for name in names],
        {"none": lambda t: 0 * t.x0, "visits": mean},
        **noise,
    )


LEVEL = [("visits", None)]


def test_ishigami_through_the_same_function() -> None:
    table = sensitivity(sweep_at(saltelli_points(1024, 3), ishigami), contrasts=LEVEL, resamples=100).table
    assert table["first"].tolist() == pytest.approx(ISHIGAMI_FIRST, abs=0.05)
    assert table["total"].tolist() == pytest.approx(ISHIGAMI_TOTAL, abs=0.05)
    assert table["total_without_noise"].tolist() == pytest.approx(table["total"].tolist(), abs=1e-9)


@pytest.mark.quick
@pytest.mark.parametrize("second_order", [False, True])
def test_indices_of_means_are_those_of_salib(second_order: bool) -> None:
    from SALib.analyze import sobol

    sweep = sweep_at(saltelli_points(64, 3, second_order=second_order), ishigami, own=2.0)
    found = sensitivity(sweep, contrasts=LEVEL, resamples=100)
    means = sweep.table.query("arm == 'visits'").groupby("point")["participation_fe"].mean().to_numpy()
    wanted = sobol.analyze(problem(3), means, calc_second_order=second_order, seed=1)
    assert found.table["first"].tolist() == pytest.approx(wanted["S1"].tolist())
    assert found.table["total"].tolist() == pytest.approx(wanted["ST"].tolist())
    assert len(found.pairs) == (3 if second_order else 0)
    if second_order:
        assert found.pairs["second"].tolist() == pytest.approx(wanted["S2"][np.triu_indices(3, 1)].tolist())


def test_noise_is_taken_off_without_bias() -> None:
    x = saltelli_points(64, 3)
    exact = sensitivity(sweep_at(x, three), contrasts=LEVEL, resamples=100).table["total"].to_numpy()
    tables = [
        sensitivity(sweep_at(x, three, own=1.5, communities=6, seed=s), contrasts=LEVEL, resamples=100).table
        for s in range(40)
    ]
    raw = np.mean([table["total"] for table in tables], axis=0)
    clean = np.array([table["total_without_noise"] for table in tables])
    assert raw[2] > 0.2  # a factor without effect seems to have one
    error = clean.std(axis=0, ddof=1) / np.sqrt(len(clean))
    assert (np.abs(clean.mean(axis=0) - exact) < 4 * error + 0.01).all()


def test_intervals_hold_the_true_indices() -> None:
    true = np.array([9 / 13, 4 / 13, 0.0])
    held = []
    for seed in range(60):
        sweep = sweep_at(
            saltelli_points(64, 3, seed=seed), three, own=1.0, between=1.0, communities=10, seed=seed
        )
        table = sensitivity(sweep, contrasts=LEVEL, resamples=300).table
        held.append((table["total_low"] <= true + 1e-9) & (true - 1e-9 <= table["total_high"]))
    coverage = np.mean(held, axis=0)
    assert (coverage >= 0.85).all(), coverage


@pytest.mark.quick
def test_what_communities_shift_everywhere_is_no_noise() -> None:
    x = saltelli_points(64, 3)
    shifted = sensitivity(sweep_at(x, three, between=5.0), contrasts=LEVEL, resamples=100)
    assert shifted.variance["noise_share"].item() == pytest.approx(0, abs=1e-12)
    assert shifted.variance["common_share"].item() > 0.5
    noisy = sensitivity(sweep_at(x, three, own=6.0), contrasts=LEVEL, resamples=100)
    assert noisy.variance["noise_share"].item() == pytest.approx(36 / 8 / (13 / 12 + 36 / 8), abs=0.2)
    assert any("it dominates" in sentence for sentence in noisy.sentences)


@pytest.mark.quick
def test_noise_alone_has_no_indices() -> None:
    sweep = sweep_at(saltelli_points(32, 3), lambda t: 0 * t.x0, own=1.0, communities=4)
    found = sensitivity(sweep, contrasts=LEVEL, resamples=200)
    assert found.table["total_low"].isna().all()
    assert any("it dominates" in sentence for sentence in found.sentences)


@pytest.mark.quick
def test_shares_of_variance_by_hand() -> None:
    assert variance_shares(np.array([[1.0, 2.0], [3.0, 4.0]])) == (1.0, 0.0, 0.25)
    total, noise, _ = variance_shares(np.array([[0.0, 2.0], [2.0, 0.0]]))
    assert total == 0
    assert np.isnan(noise)


@pytest.mark.quick
def test_differences_share_the_noise_of_their_community() -> None:
    x = saltelli_points(64, 2)
    sweep = sweep_at(x, three, noise=5.0)  # noise that both arms of a community share
    found = sensitivity(sweep, contrasts=[("visits", None), ("visits", "none")], resamples=100)
    level, difference = found.variance["noise_share"]
    assert level > 0.3
    assert difference == pytest.approx(0, abs=1e-9)
    every = sensitivity(sweep, resamples=100).variance
    assert list(zip(every["arm"], every["against"], strict=True)) == [
        ("none", ""), ("visits", ""), ("visits", "none"),
    ]  # fmt: skip


@pytest.mark.quick
def test_failed_runs_take_base_points_out_and_are_told() -> None:
    sweep = sweep_at(saltelli_points(32, 2), three, own=0.1)
    found = sensitivity(without(sweep, point=5), contrasts=LEVEL, resamples=100)
    assert found.variance["base_points"].item() == 31
    assert any("1 base points are left out" in sentence for sentence in found.sentences)


@pytest.mark.quick
def test_one_community_one_factor_and_no_variation_are_no_crash() -> None:
    alone = sensitivity(sweep_at(saltelli_points(16, 1), three_of_one, communities=1), resamples=100)
    assert alone.table["first_low"].isna().all()
    assert any("no interval is" in sentence for sentence in alone.sentences)
    assert any("is the same at all points" in sentence for sentence in alone.sentences)  # arm none


def three_of_one(t: Any) -> Any:
    return 3 * t.x0


@pytest.mark.quick
def test_words_are_factors_like_others() -> None:
    x = saltelli_points(64, 2)
    points = {"x0": x[:, 0], "policy": np.where(x[:, 1] < 0.5, "fixed", "assessed")}
    sweep = sweep_of(
        points,
        [a_range("x0"), words("policy", "fixed", "assessed")],
        {"none": lambda t: t.policy == "assessed"},
    )
    table = sensitivity(sweep, resamples=100).table
    assert table["total"].tolist() == pytest.approx([0, 1], abs=0.05)


@pytest.mark.quick
def test_other_designs_are_refused() -> None:
    x = np.random.Generator(np.random.Philox(key=1)).random((20, 3))
    with pytest.raises(UsageError, match="neither those of a saltelli nor of a morris design"):
        sensitivity(sweep_at(x, three))
    assert saltelli_plan(x) is None
    assert morris_steps(x) is None


# Morris


@pytest.mark.quick
def test_elementary_effects_of_a_plane() -> None:
    sweep = sweep_at(morris_points(10, 3), lambda t: 2 * t.x0 - t.x1, between=3.0)
    found = sensitivity(sweep, contrasts=LEVEL, resamples=100)
    assert found.method == "morris"
    assert found.table["mu"].tolist() == pytest.approx([2, -1, 0])
    assert found.table["mu_star"].tolist() == pytest.approx([2, 1, 0])
    assert found.table["sigma"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert found.table["mu_star_of_noise"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)


@pytest.mark.quick
def test_elementary_effects_are_those_of_salib() -> None:
    from SALib.analyze import morris

    x = morris_points(12, 3)
    sweep = sweep_at(x, ishigami, own=1.0)
    table = sensitivity(sweep, contrasts=LEVEL, resamples=100).table
    means = sweep.table.query("arm == 'visits'").groupby("point")["participation_fe"].mean().to_numpy()
    wanted = morris.analyze(problem(3), x, means, num_levels=4, seed=1)
    for name in ("mu", "mu_star", "sigma"):
        assert table[name].tolist() == pytest.approx(np.asarray(wanted[name]).tolist())
    assert (table["mu_star_low"] <= table["mu_star_high"]).all()


@pytest.mark.quick
def test_a_list_shorter_than_the_levels_keeps_its_steps() -> None:
    x = morris_points(20, 2)
    policy = np.array(["a", "b", "c"])[np.minimum((x[:, 1] * 3).astype(int), 2)]
    sweep = sweep_of(
        {"x0": x[:, 0], "policy": policy},
        [a_range("x0"), words("policy", "a", "b", "c")],
        {"none": lambda t: 2 * t.x0},
    )
    table = sensitivity(sweep, resamples=100).table
    assert table["mu_star"].tolist() == pytest.approx([2, 0])


@pytest.mark.quick
def test_effects_of_the_size_of_noise_are_told() -> None:
    sweep = sweep_at(morris_points(10, 3), lambda t: 2 * t.x0, own=0.2)
    found = sensitivity(sweep, contrasts=LEVEL, resamples=100)
    assert any("for x1 and x2; they cannot be told" in s or "for x2 and x1; they cannot be told" in s
               for s in found.sentences)  # fmt: skip


@pytest.mark.quick
def test_the_same_results_give_the_same_bytes() -> None:
    sweep = sweep_at(saltelli_points(32, 2), three, own=0.5)
    first, second = (sensitivity(sweep, resamples=100) for _ in range(2))
    assert first.table.equals(second.table)
    assert first.sentences == second.sentences
