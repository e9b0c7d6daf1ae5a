"""Several worlds on the communities that they share."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tests.builders import tiny_scenario

from mobsim.engine.each import build_each, simulate_each
from mobsim.engine.points import Alike
from mobsim.engine.run import simulate
from mobsim.errors import UsageError
from mobsim.scenario.scenario import Scenario

ARMS = ("none", "outreach")


def some_worlds() -> list[Scenario]:
    return [
        tiny_scenario(),
        tiny_scenario(campaign={"budget_per_resident": 3.0}),
        tiny_scenario(behaviour={"social_weight": 0.3}),
        tiny_scenario(behaviour={"trust_sd": 0.3}),
        tiny_scenario(seed=8),
        tiny_scenario(behaviour={"noise": 0.2}),
        tiny_scenario(community={"residents": 50}),
    ]


def test_worlds_share_what_is_built_alike() -> None:
    worlds = some_worlds()
    assert Alike(worlds).homes == (0, 0, 0, 3, 4, 0, 6)
    built = build_each(worlds, [0, 2])
    assert list(built) == [(home, number) for home in (0, 3, 4, 6) for number in (0, 2)]
    assert [community.number for community in built.values()] == 4 * [0, 2]
    assert built[6, 2].n_residents == 50


def test_each_world_gives_what_it_gives_alone() -> None:
    worlds = [*some_worlds(), *worlds_of_other_tables()]
    parts = simulate_each(worlds, arms=ARMS, communities=build_each(worlds, [0, 2]), luck=[1, 3])
    together = [{run.point for run in records.runs_index} for records in parts]
    assert not any(7 in some and 8 in some for some in together), "they have other goals"
    assert sum(len(records.runs_index) for records in parts) == len(worlds) * 8
    assert {0, 1, 2, 5} <= together[0]
    for k, world in enumerate(worlds):
        alone = simulate(world, arms=ARMS, communities=[0, 2], luck=[1, 3], threads=1)
        runs, weeks = (
            pd.concat([of_point(table(parts[p]), k) for p, some in enumerate(together) if k in some])
            for table in (lambda records: records.runs(), lambda records: records.weeks())
        )
        assert_same_rows(runs, alone.runs(), KEYS)
        assert_same_rows(weeks, alone.weeks(), [*KEYS, "week"])


KEYS = ["arm", "community", "luck"]


def worlds_of_other_tables() -> list[Scenario]:
    """Worlds whose tables read something else of the scenario: goals, lines, weeks."""
    goal = {"at_least": 0.3, "by_week": 4}
    meetings = {"activities": [{"kind": "meeting", "share": 1.0}]}
    return [
        tiny_scenario(goals=[goal]),
        tiny_scenario(goals=[goal | {"at_least": 0.6}]),
        tiny_scenario(arms={"outreach": meetings}),
        tiny_scenario(community={"network": {"kind": "lattice"}}),
        tiny_scenario(campaign={"decision_interval_weeks": 3}),
    ]


def of_point(table: pd.DataFrame, point: int) -> pd.DataFrame:
    return table[table["point"] == point].drop(columns="point")


def assert_same_rows(found: pd.DataFrame, wanted: pd.DataFrame, keys: list[str]) -> None:
    ordered = [table.sort_values(keys).reset_index(drop=True) for table in (found, wanted)]
    pd.testing.assert_frame_equal(ordered[0][list(wanted)], ordered[1])


@pytest.mark.parametrize(("changed", "words"), [({"arms": ["outreech"]}, "did you mean 'outreach'")])
def test_a_wrong_arm_is_refused(changed: dict[str, Any], words: str) -> None:
    worlds = [tiny_scenario()]
    wanted: dict[str, Any] = {"arms": ARMS, "luck": [0], "communities": build_each(worlds, [0])} | changed
    with pytest.raises(UsageError, match=words):
        simulate_each(worlds, **wanted)
