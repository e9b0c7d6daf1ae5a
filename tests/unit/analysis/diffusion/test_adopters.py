"""Counting adopters: curves, hazard, communities, categories."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.unit.analysis.diffusion.observed import chain, drawn

from mobsim.analysis.diffusion.adopters import (
    NOT_ADOPTED,
    adopter_categories,
    adoption_by_period,
    by_deviations,
    categories_table,
    curves_by_community,
    saturation_by_community,
    threshold_categories,
    wilson,
)
from mobsim.analysis.diffusion.exposure import thresholds
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick


def test_periods_are_counted_with_those_at_risk() -> None:
    data = drawn(3, n=50, lost=True)
    table = adoption_by_period(data)
    still = 1.0
    for t, row in enumerate(table.itertuples(), start=1):
        risk = sum(
            1
            for time, seen in zip(data.time, data.last_seen, strict=True)
            if seen >= t and (time == 0 or time >= t)
        )
        adopted = int((data.time == t).sum())
        assert (row.adopters, row.at_risk) == (adopted, risk)
        assert row.hazard == pytest.approx(adopted / risk)
        still *= 1 - adopted / risk
        assert row.adopted_by == pytest.approx(1 - still)
        assert row.low < row.hazard < row.high or adopted == 0
        lost = int(((data.time == 0) & (data.last_seen == t)).sum())
        assert row.lost == (lost if t < data.n_periods else 0)
    assert table["cumulative"].iloc[-1] == data.adopted.sum()


def test_without_losses_kaplan_and_meier_is_the_share() -> None:
    table = adoption_by_period(drawn(4))
    assert np.allclose(table["adopted_by"], table["share"])
    all_gone = adoption_by_period(chain([1, 1], 3))
    assert all_gone["hazard"].tolist()[0] == 1
    assert all_gone["hazard"].isna().tolist() == [False, True, True]
    assert np.isnan(all_gone["low"].iloc[1])


def test_wilson_covers() -> None:
    random = np.random.default_rng(1)
    low, high = wilson(random.binomial(40, 0.1, 4_000), 40)
    assert np.mean((low <= 0.1) & (high >= 0.1)) == pytest.approx(0.95, abs=0.025)
    with pytest.raises(UsageError, match="confidence: found 95"):
        adoption_by_period(drawn(1), confidence=95)


def test_communities() -> None:
    data = drawn(5, n=31, communities=3)
    curves = curves_by_community(data)
    table = saturation_by_community(data)
    place = data.place_of_community
    level = thresholds(data)
    pairs = set(zip(data.ego.tolist(), data.alter.tolist(), strict=True))
    for c, row in enumerate(table.itertuples()):
        inside = place == c
        curve = [((data.time > 0) & (data.time <= t) & inside).sum() / inside.sum() for t in range(1, 7)]
        assert curves[curves["community"] == row.community]["share"].tolist() == pytest.approx(curve)
        assert row.saturation == pytest.approx(curve[-1])
        half = next((t for t, share in enumerate(curve, start=1) if share >= 0.5), math.nan)
        assert row.periods_to_share == pytest.approx(half, nan_ok=True)
        own = [(a, b) for a, b in pairs if place[a] == c == place[b]]
        assert row.ties == len(own)
        assert row.mutual == pytest.approx(sum((b, a) in pairs for a, b in own) / len(own))
        assert row.named == pytest.approx(sum(place[a] == c for a, _ in pairs) / inside.sum())
        assert row.threshold == pytest.approx(np.nanmean(level[inside]))
    with pytest.raises(UsageError, match="share: found 0"):
        saturation_by_community(data, share=0)


def test_a_community_without_ties_or_half() -> None:
    row = saturation_by_community(chain([0, 0], 2)).iloc[0]
    assert math.isnan(row["time_to_share"])
    assert row["mutual"] == 0
    lonely = saturation_by_community(drawn(1, n=3, ties=0.0, communities=3))
    assert lonely["density"].isna().all()
    assert lonely["mutual"].isna().all()
    assert lonely["isolates"].tolist() == [1, 1, 1]


def test_a_value_at_a_bound_belongs_above_it() -> None:
    # Mean 3, standard deviation 2: bounds are 1, 3 and 5.
    values = np.array([1.0, 1.0, 3.0, 5.0, 5.0])
    assert values.std(ddof=1) == 2
    assert by_deviations(values).tolist() == [1, 1, 2, 3, 3]
    assert by_deviations([math.nan, 2.0]).tolist() == [-1, 3]
    assert by_deviations([math.nan]).tolist() == [-1]


def test_rogers_categories_are_close_to_his_shares() -> None:
    times = np.arange(1, 201)
    data = chain([*times.tolist(), 0, 0], 200)
    words = adopter_categories(data, rule="rogers")
    counts = {word: int((words == word).sum()) for word in dict.fromkeys(words)}
    assert counts == {
        "innovators": 5, "early adopters": 27, "early majority": 68, "late majority": 68, "laggards": 32,
        NOT_ADOPTED: 2,
    }  # fmt: skip
    with pytest.raises(UsageError, match="rule: found 'thirds'"):
        adopter_categories(data, rule="thirds")  # type: ignore[arg-type]


def test_the_table_adds_up_and_keeps_those_who_did_not_adopt_apart() -> None:
    data = drawn(6)
    level = thresholds(data)
    table = categories_table(data, level)
    assert table.to_numpy().sum() == pytest.approx(100)
    assert table.loc[NOT_ADOPTED, NOT_ADOPTED] == pytest.approx(100 * (data.time == 0).mean())
    assert threshold_categories(level)[data.time == 0].tolist() == [NOT_ADOPTED] * int((data.time == 0).sum())
    everybody = categories_table(chain([1, 2, 3], 3), [0.0, 0.5, 1.0])
    assert NOT_ADOPTED not in everybody.index
    assert NOT_ADOPTED not in everybody.columns
