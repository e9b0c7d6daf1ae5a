"""The array of one outcome: what is paired, what is left out, and what is said about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.analysis.sweeps import a_range, sweep_of, without, words

from mobsim.analysis.swept import read_outcome, resampled_means, resampled_units, whole_block
from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.factors import Factor

pytestmark = pytest.mark.quick

POINTS = {"trust": [0.0, 0.5, 1.0]}
ARMS = {"none": lambda t: 0 * t.trust, "visits": lambda t: t.trust}


def test_values_stand_where_they_belong() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS, communities=3, luck=2, own=0.1)
    swept = read_outcome(sweep)
    assert swept.values.shape == (3, 2, 3, 2)
    row = sweep.table.query("point == 2 and arm == 'visits' and community == 1 and luck == 1")
    assert swept.values[2, 1, 1, 1] == row["participation_fe"].item()
    assert swept.contrast("visits", "none")[2].tolist() == pytest.approx(
        (swept.values[2, 1] - swept.values[2, 0]).mean(axis=1).tolist()
    )
    assert swept.notes == ()


def test_order_of_rows_does_not_matter() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS, communities=3, luck=2, own=0.1)
    values = read_outcome(sweep).values
    sweep.table = sweep.table.sample(frac=1, random_state=1)
    assert (read_outcome(sweep).values == values).all()


def test_a_failed_run_takes_its_replicate_out_of_all_arms_and_is_told() -> None:
    whole = sweep_of(POINTS, [a_range("trust")], ARMS, communities=3, luck=2, own=0.1)
    swept = read_outcome(without(whole, point=1, arm="visits", community=2, luck=0))
    assert np.isnan(swept.values[1, :, 2, 0]).all()
    assert np.isfinite(swept.values).sum() == 3 * 2 * 3 * 2 - 2
    assert swept.means[1, 0, 2] == read_outcome(whole).values[1, 0, 2, 1]
    assert swept.notes == (
        "1 of 18 replicates are left out because a run of some arm failed or has not been run: point 1",
    )


def test_points_without_an_interval_are_named() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS, communities=2)
    sweep = without(without(sweep, point=0), point=1, community=0)
    notes = read_outcome(sweep).notes
    assert notes[1:] == (
        "nothing can be said of point 0: no replicate is complete",
        "no interval is possible at point 1: there is 1 community only",
    )


def test_undefined_outcomes_are_told_apart_from_failed_runs() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS, outcome="kept_participants")
    sweep.table.loc[3, "kept_participants"] = np.nan
    assert (
        "is undefined in some arm, with nobody to count: point 0"
        in (read_outcome(sweep, "kept_participants").notes[0])
    )


def test_luck_is_the_unit_of_an_imported_community() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS, communities=5, imported=True, own=0.1)
    swept = read_outcome(sweep)
    assert swept.values.shape == (3, 2, 5, 1)
    assert swept.unit_words.many == "runs with new luck"


def test_a_goal_that_is_not_reached_counts_as_the_horizon_of_its_point() -> None:
    sweep = sweep_of(
        {"weeks": [60, 100]},
        [Factor("weeks", ("campaign.horizon_weeks",), values=(60, 100))],
        {"none": lambda t: 10},
        communities=2,
        outcome="time_to_goal__many",
    )
    sweep.table.loc[[1, 2], "time_to_goal__many"] = np.nan
    assert read_outcome(sweep, "time_to_goal__many").means[:, 0].tolist() == [[10, 60], [100, 10]]


def test_factors_get_a_scale_and_their_own_order() -> None:
    points = {"cost": [1.0, 10.0, 100.0], "kind": ["ring", "lattice", "ring"], "own": [True, False, True]}
    factors = [
        a_range("cost", 1, 100, scale="log"),
        words("kind", "lattice", "ring"),
        Factor("own", ("x",), values=(False, True)),
    ]
    sweep = sweep_of(points, factors, {"none": lambda t: 0})
    cost, kind, own = read_outcome(sweep).axes
    assert cost.unit.tolist() == pytest.approx([0, 0.5, 1])
    assert cost.at([0.5]).tolist() == pytest.approx([10])
    assert kind.levels == ("lattice", "ring")
    assert own.words == ("true", "false", "true")
    assert not own.numeric


def test_wrong_names_are_answered_with_the_right_ones() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS)
    with pytest.raises(UsageError, match="did you mean 'participation_fe'"):
        read_outcome(sweep, "participation_f")
    with pytest.raises(UsageError, match="did you mean 'visits'"):
        read_outcome(sweep, arms=["visit"])
    with pytest.raises(UsageError, match="did you mean 'trust'"):
        read_outcome(sweep).axis("trist")


def test_doubled_runs_are_refused() -> None:
    sweep = sweep_of(POINTS, [a_range("trust")], ARMS)
    sweep.table = pd.concat([sweep.table, sweep.table.iloc[:1]])
    with pytest.raises(ResultsError, match="more than once"):
        read_outcome(sweep)


def test_a_whole_block_loses_the_line_that_misses_most() -> None:
    missing = np.zeros((6, 4), dtype=bool)
    missing[:, 2] = True  # a community that failed everywhere
    missing[4] = True  # a point that failed everywhere
    missing[0, 0] = True
    rows, columns = whole_block(missing)
    assert rows.tolist() == [1, 2, 3, 5]
    assert columns.tolist() == [0, 1, 3]


def test_resamples_are_the_same_every_time_and_leave_out_what_is_missing() -> None:
    counts = resampled_units(4, 100)
    assert (counts == resampled_units(4, 100)).all()
    assert (counts.sum(axis=1) == 4).all()
    means = resampled_means(np.array([[1.0, 1.0, 1.0, np.nan]]), counts)
    assert set(means[np.isfinite(means)].tolist()) == {1.0}
