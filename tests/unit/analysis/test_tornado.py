"""The tornado: leads by construction, the order of factors, and changes of the ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc
from tests.unit.analysis.sweeps import a_range, sweep_of, without, words

from mobsim.analysis.tornado import tornado
from mobsim.errors import UsageError
from mobsim.experiment.factors import Factor

pytestmark = pytest.mark.quick

FACTORS = [
    a_range("budget", 1, 9, base=5.0),
    a_range("trust", base=0.5),
    words("policy", "fixed", "assessed"),
]
ONE_AT_A_TIME = pd.DataFrame(
    {
        "budget": [5.0, 1.0, 9.0, 5.0, 5.0, 5.0],
        "trust": [0.5, 0.5, 0.5, 0.0, 1.0, 0.5],
        "policy": ["fixed", "fixed", "fixed", "fixed", "fixed", "assessed"],
    }
)
ARMS = {
    "none": lambda t: 0.0,
    "visits": lambda t: 0.02 * t.budget + 0.05 * t.trust,
    "training": lambda t: 0.06 + 0.05 * (t.policy == "assessed"),
}


def one_at_a_time(**noise: Any) -> Any:
    return sweep_of(ONE_AT_A_TIME, FACTORS, ARMS, **{"communities": 12, "own": 0.005, **noise})


def test_leads_and_swings_by_construction() -> None:
    found = tornado(one_at_a_time(own=0.0, between=0.1))
    assert found.leading == "visits"  # 12.5 points at the base, training 6
    assert found.base == "base"
    swings = found.swings.set_index(["factor", "rival"])["swing"]
    assert swings["budget", "training"] == pytest.approx(0.16)
    assert swings["trust", "training"] == pytest.approx(0.05)
    assert swings["policy", "training"] == pytest.approx(0.05)
    assert swings["policy", "none"] == pytest.approx(0)
    assert found.factors[0] == "budget"
    leads = found.table.set_index(["factor", "value", "rival"])
    assert leads.loc[("budget", "1", "training"), "lead"] == pytest.approx(-0.015)
    assert leads.loc[("budget", "1", "training"), "change"] == pytest.approx(-0.08)


def test_changes_of_the_ranking_are_named() -> None:
    found = tornado(one_at_a_time())
    budget = found.swings.query("factor == 'budget'")
    assert set(budget["changes_ranking"]) == {"1"}
    told = next(sentence for sentence in found.sentences if sentence.startswith("budget moves the lead"))
    assert "visits is no longer the best at 1; shown best there: training" in told
    assert any(s.startswith("trust moves") and s.endswith("the ranking stays") for s in found.sentences)


def test_where_nobody_can_tell_is_said() -> None:
    found = tornado(one_at_a_time(own=0.1, communities=4))
    assert (found.table["ranking"] == "cannot tell").any()
    assert any("cannot tell whether" in sentence for sentence in found.sentences)


def test_sentences_speak_of_the_closest_rival() -> None:
    """No campaign has the largest swing of all, and is no competitor."""
    arms = {**ARMS, "none": lambda t: 0.0 - 0.02 * t.budget}
    found = tornado(sweep_of(ONE_AT_A_TIME, FACTORS, arms, communities=12, own=0.005))
    assert found.rival == "training"
    assert "its closest rival there is training, 6." in found.sentences[0]
    assert found.swings.set_index(["factor", "rival"]).loc[("budget", "none"), "swing"] > 0.3
    told = [sentence for sentence in found.sentences if "moves the lead" in sentence]
    assert len(told) == 3
    assert all("moves the lead over training by" in sentence for sentence in told)


def test_at_most_what_matters_behind_is_no_doubt() -> None:
    """At budget 1 training and visits are alike to within half a point, measured well."""
    arms = {**ARMS, "training": lambda t: np.where(t.budget == 1, 0.045, 0.06)}
    sweep = sweep_of(ONE_AT_A_TIME, FACTORS, arms, communities=40, own=0.004)
    found = tornado(sweep)
    table = found.table.set_index(["factor", "value", "rival"])
    assert table.loc[("budget", "1", "training"), "ranking"] == "within what matters"
    assert table.loc[("budget", "1", "training"), "behind_at_most"] < 0.01
    budget = found.swings.query("factor == 'budget' and rival == 'training'").iloc[0]
    assert (budget["within_what_matters"], budget["unclear"], budget["changes_ranking"]) == ("1", "", "")
    told = next(sentence for sentence in found.sentences if sentence.startswith("budget moves"))
    assert (
        "visits is not shown best at 1, but shown to be at most the 1 point that matters behind the best"
    ) in told
    assert "cannot tell" not in told


def test_a_ranking_that_changes_by_little_is_called_that() -> None:
    arms = {**ARMS, "training": lambda t: np.where(t.budget == 1, 0.049, 0.06)}
    found = tornado(sweep_of(ONE_AT_A_TIME, FACTORS, arms, communities=40, own=0.002))
    told = next(sentence for sentence in found.sentences if sentence.startswith("budget moves"))
    assert "visits is no longer the best at 1; at most the 1 point that matters behind at 1; " in told


def test_limits_hold_for_all_rivals_at_once() -> None:
    held = []
    for seed in range(120):
        table = tornado(one_at_a_time(own=0.03, noise=0.05, communities=8, seed=seed)).table
        rows = table[(table["factor"] == "budget") & (table["value"] == "9")]
        if len(rows) and set(rows["rival"]) == {"none", "training"}:
            true = np.where(rows["rival"] == "none", 0.205, 0.145)
            held.append(((rows["low"] <= true) & (true <= rows["high"])).all())
    assert len(held) > 100
    assert 0.9 < np.mean(held) <= 1


def test_any_design_gives_means_over_its_points() -> None:
    u = qmc.Sobol(3, seed=1).random(64)
    points = {
        "budget": 1 + 8 * u[:, 0], "trust": u[:, 1], "policy": np.where(u[:, 2] < 0.5, "fixed", "assessed"),
    }  # fmt: skip
    found = tornado(sweep_of(points, FACTORS, ARMS, own=0.01))
    assert found.base == "mean of the design"
    assert set(found.table.query("factor == 'budget'")["value"]) == {
        "1 to 3.667", "3.667 to 6.333", "6.333 to 9",
    }  # fmt: skip
    assert found.factors[0] == "budget"
    swing = found.swings.query("factor == 'policy' and rival == 'training'")
    assert swing["swing"].item() == pytest.approx(0.05, abs=0.01)


def test_failures_one_community_and_one_factor_are_no_crash() -> None:
    found = tornado(without(without(one_at_a_time(), point=4), point=1, community=2))
    assert any("missing runs are left out" in sentence for sentence in found.sentences)
    alone = tornado(one_at_a_time(communities=1))
    assert set(alone.table["ranking"]) == {"no interval"}
    one = sweep_of(
        {"policy": ["fixed", "assessed"]},
        [Factor("policy", ("x",), values=("fixed", "assessed"))],
        ARMS_OF_ONE,
    )
    assert tornado(one).factors == ("policy",)


ARMS_OF_ONE = {"none": lambda t: 0.0, "training": lambda t: 0.06 + 0.05 * (t.policy == "assessed")}


def test_one_arm_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 2 are needed"):
        tornado(sweep_of(ONE_AT_A_TIME, FACTORS, {"none": lambda t: 0.0}))


def test_the_same_results_give_the_same_bytes() -> None:
    first, second = tornado(one_at_a_time()), tornado(one_at_a_time())
    assert first.table.equals(second.table)
    assert first.sentences == second.sentences
