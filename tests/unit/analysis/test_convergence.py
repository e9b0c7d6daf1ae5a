"""Convergence: half-widths, variances and replicates by construction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.analysis.sweeps import a_range, sweep_of, without

from mobsim.analysis.convergence import convergence
from mobsim.analysis.statistics import paired_interval, stein_communities
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick

FACTORS = [a_range("trust")]
ARMS = {"none": lambda t: 0.1, "visits": lambda t: 0.1 + 0.2 * t.trust}


def sweep(**noise: Any) -> Any:
    return sweep_of({"trust": [0.0, 0.5, 1.0]}, FACTORS, ARMS, **{"communities": 40, "luck": 2, **noise})


def test_each_point_by_the_functions_of_compare() -> None:
    results = sweep(own=0.03)
    found = convergence(results)
    for point in range(3):
        runs = results.table[results.table["point"] == point]
        visits, none = (
            runs[runs["arm"] == arm]["participation_fe"].to_numpy().reshape(40, 2)
            for arm in ("visits", "none")
        )
        differences = (visits - none).mean(axis=1)
        row = found.table.iloc[point]
        interval = paired_interval(differences)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
        assert max(40, row["needed"]) == stein_communities(differences, 0.01)
        assert row["further"] == max(0, row["needed"] - 40)
    assert found.promised
    assert "a rough guess" not in " ".join(found.sentences)


def test_variances_and_cheapest_luck_by_construction() -> None:
    rows = convergence(sweep(own=0.05, communities=400), community_cost=4).table
    assert rows["variance_between_lucks"].tolist() == pytest.approx([0.005] * 3, rel=0.15)
    assert (rows["variance_between_communities"] < 0.001).all()
    assert (rows["cheapest_luck"] > 4).all()
    assert (rows["needed_with_cheapest_luck"] < rows["needed"]).all()


def test_a_small_difference_that_is_shown_is_one_as_in_the_verdict() -> None:
    arms = {"none": lambda t: 0.1, "visits": lambda t: 0.104}
    results = sweep_of({"trust": [0.0, 1.0]}, [a_range("trust")], arms, communities=30, own=0.002)
    assert set(convergence(results).table["decision"]) == {"differs"}


def test_what_is_decided() -> None:
    found = convergence(sweep(own=0.01))
    assert found.table["decision"].tolist() == ["practically equal", "differs", "differs"]
    assert any("at 2 of 3 points it is shown to differ from 0" in sentence for sentence in found.sentences)
    unclear = convergence(sweep(own=0.2, communities=6))
    assert "cannot tell yet" in unclear.table["decision"].tolist()
    assert any("a rough guess, since fewer than 32" in sentence for sentence in unclear.sentences)


def test_the_worst_point_needs_most() -> None:
    found = convergence(sweep(own=0.05))
    table = found.table.set_index("point")
    assert table.loc[found.worst, "needed"] == table["needed"].max()


def test_half_widths_narrow_as_expected() -> None:
    curve = convergence(sweep(own=0.05)).curve
    one = curve[curve["point"] == 1]
    assert one["communities"].tolist() == list(range(2, 41))
    assert (np.diff(one["expected"]) < 0).all()
    last = one.iloc[-1]
    assert last["half_width"] == pytest.approx(last["expected"])


def test_all_points_at_once_needs_more() -> None:
    pointwise, joint = (convergence(sweep(own=0.05), over_points=wide) for wide in (False, True))
    assert (joint.table["needed"] > pointwise.table["needed"]).all()


def test_levels_failures_and_one_community_are_no_crash() -> None:
    level = convergence(without(sweep(own=0.02), point=2, community=5, luck=1), against=None, arm="visits")
    assert level.table["communities"].tolist() == [40, 40, 40]
    assert level.against is None
    alone = convergence(sweep(communities=1))
    assert alone.worst is None
    assert "no point has an interval" in alone.sentences[0]
    gone = convergence(without(sweep(own=0.02), point=1))
    assert gone.table["decision"][1] == "no interval"
    one_luck = convergence(sweep(own=0.02, luck=1))
    assert one_luck.table["cheapest_luck"].isna().all()
    assert any("run 2 or more" in sentence for sentence in one_luck.sentences)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="against itself"):
        convergence(sweep(), arm="none")
    with pytest.raises(UsageError, match="finite number above 0"):
        convergence(sweep(), until=0)
