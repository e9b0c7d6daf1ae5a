"""Scenario discovery: a box that was put there is found; chance is not described."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc
from tests.unit.analysis.sweeps import a_range, sweep_of, without, words

from mobsim.analysis.best_map import best_map
from mobsim.analysis.discovery import discover
from mobsim.errors import UsageError

pytest.importorskip("ema_workbench")

FACTORS = [a_range("budget", 0, 10), a_range("trust"), a_range("noise"), words("policy", "fixed", "assessed")]


def places(n: int = 128) -> dict[str, Any]:
    u = qmc.Sobol(4, seed=3).random(n)
    return {
        "budget": 10 * u[:, 0],
        "trust": u[:, 1],
        "noise": u[:, 2],
        "policy": np.where(u[:, 3] < 0.5, "fixed", "assessed"),
    }


def fails(t: Any) -> Any:
    return (t.budget < 5) & (t.trust < 0.6)


ARMS = {
    "none": lambda t: 0.1,
    "visits": lambda t: np.where(fails(t), 0.12, 0.3),
    "training": lambda t: 0.2,
}


def sweep(n: int = 128, **more: Any) -> Any:
    return sweep_of(places(n), FACTORS, ARMS, **{"own": 0.01, **more})


def test_a_box_that_was_put_there_is_found() -> None:
    found = discover(sweep(), "visits")
    assert found.boxes["box"].tolist() == [1]
    box, numbers = found.box.set_index("factor"), found.boxes.iloc[0]
    assert set(box.index) == {"budget", "trust"}
    assert box.loc["budget", "high"] == pytest.approx(5, abs=0.5)
    assert box.loc["trust", "high"] == pytest.approx(0.6, abs=0.07)
    assert np.isnan(box.loc["budget", "low"])
    assert numbers["density"] >= 0.9
    assert numbers["coverage"] >= 0.9
    assert (box[["quasi_p_high"]] < 0.05).all(axis=None)
    assert (box["halves"] >= 0.8).all()
    assert (found.cases["fails"] == fails(found.cases)).all()
    assert "visits is shown not to be the best when" in found.sentences[1]
    assert found.trajectory["chosen"].sum() == 1
    assert numbers["density_low"] <= numbers["density"] <= numbers["density_high"]


def test_cases_are_what_the_constrained_intervals_rule_out() -> None:
    results = sweep(32, own=0.15)
    cases = discover(results, "visits").cases
    possible = best_map(results).by_arm.query("arm == 'visits'")["can_be_best"]
    assert cases["fails"].tolist() == (~possible).tolist()
    assert cases["cannot_tell"].any()


@pytest.mark.quick
def test_no_failure_few_failures_and_all_failures() -> None:
    none = discover(sweep(32), "visits", fails="effect", below=-0.5)
    assert none.box.empty
    assert "there is no failure to describe" in none.sentences
    every = discover(sweep(32), "none")
    assert any("it fails at every point" in sentence for sentence in every.sentences)
    few = discover(sweep(8), "visits")
    assert any("too few cases" in sentence for sentence in few.sentences)


def fails_for_two_reasons(t: Any) -> Any:
    return ((t.trust > 0.5) & (t.budget < 7)) | (t.noise < 0.25)


def test_failures_of_two_kinds_are_two_boxes() -> None:
    arms = {**ARMS, "visits": lambda t: np.where(fails_for_two_reasons(t), 0.12, 0.3)}
    results = sweep_of(places(), FACTORS, arms, own=0.01)
    found = discover(results, "visits")
    assert found.boxes["box"].tolist() == [1, 2]
    assert (found.boxes["density"] >= 0.8).all()
    assert found.boxes["coverage"].sum() > 0.9
    inside = found.cases[found.cases["fails"]]["box"].value_counts()
    assert found.boxes["cases"].tolist() == [inside[1], inside[2]]
    limits = found.box.set_index(["box", "factor"])
    assert limits.loc[(2, "noise"), "high"] == pytest.approx(0.25, abs=0.05)
    told = [sentence for sentence in found.sentences if sentence.startswith("box 2: ")]
    assert "of 17 points there that lie in no earlier box (density 100 %)" in told[0]
    assert found.trajectory.groupby("box")["chosen"].sum().tolist() == [1, 1]
    assert found.trajectory.groupby("box")["coverage"].max().tolist() == pytest.approx([1, 17 / 66])
    alone = discover(results, "visits", boxes=1)
    assert alone.boxes.equals(found.boxes.head(1))
    assert any("failures lie elsewhere: this box does not" in sentence for sentence in alone.sentences)


def test_a_box_below_the_threshold_is_named_and_not_shown() -> None:
    """A third of the points of a corner fail, and none elsewhere: no box can be dense."""
    thinned = np.random.Generator(np.random.Philox(key=2)).random(256) < 0.33
    arms = {"none": lambda t: 0.1, "visits": lambda t: np.where((t.budget < 4) & thinned, 0.0, 0.3)}
    results = sweep_of(places(256), FACTORS, arms, own=0.01)
    found = discover(results, "visits", threshold=0.7)
    assert found.boxes.empty
    assert found.trajectory.empty
    told = next(sentence for sentence in found.sentences if sentence.startswith("no box passes: "))
    assert "below the threshold of 70 %: a lower threshold shows it" in told
    lower = discover(results, "visits", threshold=0.1)
    assert 0.1 <= lower.boxes["density"][0] < 0.7
    assert not lower.boxes["dense_enough"][0]
    assert any("no box has the density of 80 %" in sentence for sentence in lower.sentences)


def test_words_are_limited_too() -> None:
    arms = {"none": lambda t: 0.1, "visits": lambda t: 0.1 + 0.2 * (t.policy == "fixed")}
    found = discover(sweep_of(places(64), FACTORS, arms, own=0.01), fails="effect", below=0.1)
    assert found.box["factor"].tolist() == ["policy"]
    assert found.box["words"].tolist() == ["assessed"]
    assert "when policy is assessed" in found.sentences[1]
    assert found.boxes[["density", "coverage"]].to_numpy().tolist() == [[1.0, 1.0]]


def test_goals_can_be_missed() -> None:
    results = sweep_of(
        places(64),
        FACTORS,
        {"none": lambda t: 0.0, "visits": lambda t: np.where(t.budget < 4, 0.0, 1.0)},
        outcome="goal_met__many",
    )
    found = discover(results, "visits", fails="goal", goal="many")
    assert found.box["factor"].tolist() == ["budget"]
    with pytest.raises(UsageError, match="did you mean 'many'"):
        discover(results, "visits", fails="goal", goal="mani")


def test_two_communities_alike_prove_no_goal_missed() -> None:
    arms = {"none": lambda t: 0.0, "visits": lambda t: 0 * t.budget}
    few, many = (
        discover(
            sweep_of(places(8), FACTORS, arms, outcome="goal_met__many", communities=n),
            "visits", fails="goal", goal="many",
        ).cases
        for n in (2, 8)
    )  # fmt: skip
    assert not few["fails"].any()
    assert many["fails"].all()


def test_chance_is_not_described() -> None:
    generator = np.random.Generator(np.random.Philox(key=5))
    by_chance = generator.random(64) < 0.4
    arms = {"none": lambda t: 0.1, "visits": lambda t: np.where(by_chance, 0.0, 0.3)}
    found = discover(sweep_of(places(64), FACTORS, arms, own=0.01))
    told = " ".join(found.sentences)
    assert found.box.empty or "most halves do without it" in told or "chance may explain" in told or (
        "no box has the density" in told
    )  # fmt: skip


def test_failed_runs_are_left_out() -> None:
    found = discover(without(without(sweep(64), point=3), point=7, community=0, arm="visits"), "visits")
    assert any("point 3 cannot be judged and is left out" in sentence for sentence in found.sentences)
    assert not found.cases["fails"][3]


@pytest.mark.quick
def test_wrong_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="against itself"):
        discover(sweep(8), "none", fails="effect")
    with pytest.raises(UsageError, match="a share between 0 and 1"):
        discover(sweep(8), density=1.0)
    with pytest.raises(UsageError, match="did you mean 'visits'"):
        discover(sweep(8), "visit")
    with pytest.raises(UsageError, match=r"found 0\.9; allowed is a share between 0 and the density"):
        discover(sweep(8), threshold=0.9)
    with pytest.raises(UsageError, match="allowed is 1 or more"):
        discover(sweep(8), boxes=0)


def test_the_library_is_quiet_and_the_same_results_give_the_same_bytes(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        first, second = (discover(sweep(64), "visits") for _ in range(2))
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
    assert first.box.equals(second.box)
    assert first.sentences == second.sentences
