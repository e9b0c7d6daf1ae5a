"""Maps of the best: the verdict of `compare` at every point, chances beside it, and what is left open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.analysis.sweeps import a_range, sweep_of, without, words

from mobsim.analysis.best_map import best_map
from mobsim.analysis.compare import compare_outcomes
from mobsim.analysis.verdict import judge
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick

POINTS = {"budget": [1.0, 3.0, 5.0, 7.0, 9.0, 5.0], "trust": [0.1, 0.3, 0.5, 0.7, 0.9, 0.5]}
FACTORS = [a_range("budget", 1, 10), a_range("trust")]
ARMS = {
    "none": lambda t: 0.1,
    "visits": lambda t: 0.1 + 0.02 * t.budget,
    "training": lambda t: 0.1 + 0 * t.budget + 0.1,
}


def crossing(**noise: Any) -> Any:
    return sweep_of(POINTS, FACTORS, ARMS, **{"communities": 10, "luck": 2, "own": 0.02, **noise})


def test_every_point_says_what_the_verdict_says() -> None:
    for seed in range(5):
        sweep = crossing(seed=seed, own=0.03)
        found = best_map(sweep)
        for row in found.table.to_dict("records"):
            runs = sweep.table[sweep.table["point"] == row["point"]]
            values = np.stack(
                [runs[runs["arm"] == arm]["participation_fe"].to_numpy().reshape(10, 2) for arm in sweep.arms]
            )
            verdict = judge(values, sweep.arms)
            assert row["best"] == (verdict.best or "")
            assert row["leading"] == verdict.leading
            assert sorted(row["possible"].split(", ")) == list(verdict.possible)
            told = {"best": "is the best of", "cannot tell yet": "cannot tell yet"}
            wanted = told.get(row["kind"], "no difference that matters")
            assert wanted in verdict.headline


def test_best_by_less_than_what_matters_is_said_as_in_the_verdict() -> None:
    little = {"none": lambda t: 0.1, "visits": lambda t: 0.104 + 0 * t.budget, "training": lambda t: 0.05}
    sweep = sweep_of(POINTS, FACTORS, little, communities=30, own=0.002)
    found = best_map(sweep)
    assert set(found.table["best"]) == {"visits"}
    assert set(found.table["alike"]) == {"none"}
    assert found.shares.set_index("arm").loc["visits", "best_by_little"] == 6
    assert (
        "visits is shown best at 6 of 6 points, at 6 by less than the 1 point that matters" in found.sentences
    )
    runs = sweep.table[sweep.table["point"] == 0]
    values = np.stack(
        [runs[runs["arm"] == arm]["participation_fe"].to_numpy()[:, None] for arm in sweep.arms]
    )
    pair = next(pair for pair in judge(values, sweep.arms).pairs if pair.rival == "none")
    assert pair.kind == "better"
    assert "less than the 1 point that matters" in pair.sentence


def test_limits_and_chances_are_those_of_compare() -> None:
    sweep = crossing()
    found = best_map(sweep).by_arm
    runs = sweep.table[sweep.table["point"] == 2].drop(columns="point")
    wanted = compare_outcomes(runs, residents=1000, horizon=130)
    for arm in sweep.arms:
        row = found[(found["point"] == 2) & (found["arm"] == arm)].iloc[0]
        limits = wanted.with_best.set_index("arm").loc[arm]
        chances = wanted.chances.set_index("arm").loc[arm]
        assert (row["low"], row["high"]) == pytest.approx((limits["low"], limits["high"]))
        assert row["can_be_best"] == limits["can_be_best"]
        for name in ("chance_best", "chance_best_low", "chance_best_high"):
            assert row[name] == pytest.approx(chances[name])


def test_who_wins_where() -> None:
    found = best_map(crossing())
    assert found.table["best"].tolist()[:2] == ["training", "training"]
    assert found.table["best"].tolist()[3:5] == ["visits", "visits"]
    assert found.table["kind"][2] != "best"  # equal there by construction
    shares = found.shares.set_index("arm")
    assert shares.loc["none", "share_can_be_best"] == 0
    assert shares.loc["visits", "shown_best"] == 2
    assert "visits is shown best at 2 of 6 points" in found.sentences
    assert any(sentence.startswith("along budget, shown best: ") for sentence in found.sentences)
    assert any("pointwise at each point" in sentence for sentence in found.sentences)


def test_ties_are_shared() -> None:
    sweep = sweep_of({"trust": [0.0, 1.0]}, [a_range("trust")], {"none": lambda t: 0.1, "a": lambda t: 0.1})
    found = best_map(sweep)
    assert set(found.by_arm["chance_best"]) == {0.5}
    assert set(found.by_arm["highest_mean"]) == {0.5}
    assert set(found.table["kind"]) == {"no difference that matters"}


def test_all_points_at_once_shows_less() -> None:
    sweep = crossing(own=0.05)
    pointwise, joint = best_map(sweep), best_map(sweep, over_points=True)
    n_best = [(found.table["kind"] == "best").sum() for found in (pointwise, joint)]
    assert n_best[1] <= n_best[0]
    width = [(found.table["margin_high"] - found.table["margin_low"]).iloc[5] for found in (pointwise, joint)]
    assert width[1] > width[0]
    assert any("at all points at once (Bonferroni)" in sentence for sentence in joint.sentences)


def test_a_wrong_arm_is_seldom_shown_best() -> None:
    equal = {name: (lambda t: 0.2) for name in ("none", "a", "b", "c")}
    points = {"trust": np.linspace(0, 1, 100)}
    wrong = 0
    for seed in range(5):
        sweep = sweep_of(points, [a_range("trust")], equal, communities=6, own=0.1, noise=0.1, seed=seed)
        wrong += int((best_map(sweep, resamples=100).table["kind"] == "best").sum())
    assert wrong <= 0.07 * 500  # a best one is shown in at most 5 %


def test_failures_and_too_few_communities_are_no_crash() -> None:
    sweep = without(without(crossing(), point=1, arm="visits"), point=2, community=3)
    found = best_map(sweep)
    assert found.table["kind"][1] == "no interval"
    assert found.table["communities"].tolist()[:3] == [10, 0, 9]
    assert any("left out" in sentence for sentence in found.sentences)
    alone = best_map(crossing(communities=1))
    assert set(alone.table["kind"]) == {"no interval"}


def test_words_and_one_factor_make_maps_too() -> None:
    sweep = sweep_of(
        {"policy": ["fixed", "assessed"]},
        [words("policy", "fixed", "assessed")],
        {"none": lambda t: 0.0, "visits": lambda t: 0.2 * (t.policy == "fixed")},
        own=0.01,
    )
    found = best_map(sweep)
    assert found.factors == ("policy",)
    assert found.table["best"][0] == "visits"


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(UsageError, match="a ranking needs a share of which more is better"):
        best_map(sweep_of(POINTS, FACTORS, ARMS, outcome="cost"), "cost")
    with pytest.raises(UsageError, match="at least 2 are needed"):
        best_map(sweep_of(POINTS, FACTORS, {"none": lambda t: 0.1}))


def test_the_same_results_give_the_same_bytes() -> None:
    first, second = best_map(crossing()), best_map(crossing())
    assert first.table.equals(second.table)
    assert first.by_arm.equals(second.by_arm)
    assert first.sentences == second.sentences
