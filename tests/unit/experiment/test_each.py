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
    worlds = some_worlds()
    parts = simulate_each(worlds, arms=ARMS, communities=build_each(worlds, [0, 2]), luck=[1, 3])
    assert [members for members, _ in parts] == [(0, 2, 3, 5), (1,), (4,), (6,)]
    for members, records in parts:
        runs, weeks = records.runs(), records.weeks()
        for place, k in enumerate(members):
            alone = simulate(worlds[k], arms=ARMS, communities=[0, 2], luck=[1, 3], threads=1)
            pd.testing.assert_frame_equal(of_point(runs, place), alone.runs())
            pd.testing.assert_frame_equal(of_point(weeks, place), alone.weeks())


def of_point(table: pd.DataFrame, point: int) -> pd.DataFrame:
    if "point" not in table:
        return table
    return table[table["point"] == point].drop(columns="point").reset_index(drop=True)


@pytest.mark.parametrize(("changed", "words"), [({"arms": ["outreech"]}, "did you mean 'outreach'")])
def test_a_wrong_arm_is_refused(changed: dict[str, Any], words: str) -> None:
    worlds = [tiny_scenario()]
    wanted: dict[str, Any] = {"arms": ARMS, "luck": [0], "communities": build_each(worlds, [0])} | changed
    with pytest.raises(UsageError, match=words):
        simulate_each(worlds, **wanted)
