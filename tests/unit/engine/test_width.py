"""How wide blocks are: full strips, busy threads, and state that the caches hold."""

from __future__ import annotations

import pytest
from pandas.testing import assert_frame_equal

from mobsim.engine.block import MOST_LANES
from mobsim.engine.run import simulate
from mobsim.engine.width import TIME_OF_A_STRIP, lanes_of_a_block
from mobsim.scenario.resolve import resolve

pytestmark = pytest.mark.quick


def test_every_width_is_one_that_blocks_can_have() -> None:
    for _, times in TIME_OF_A_STRIP:
        assert max(times) == MOST_LANES
        assert all(MOST_LANES % width == 0 for width in times)


@pytest.mark.parametrize(
    ("residents", "communities", "arms", "luck", "workers", "lanes"),
    [
        (1_000, 8, 8, 8, 2, 64),
        (1_000, 1, 1, 512, 2, 64),  # eight blocks, four for each thread
        (1_000, 1, 1, 64, 2, 32),  # else one thread would do all
        (1_000, 1, 1, 64, 1, 64),
        (1_000, 3, 8, 8, 2, 32),  # else one thread would do two thirds
        (1_000, 1, 1, 1, 16, 64),
        (10_000, 1, 1, 64, 1, 16),  # the state of 16 lanes stays in the caches
        (10_000, 8, 6, 10, 1, 32),  # 30 lanes; 18 would be two strips for few
        (100_000, 1, 1, 64, 1, 64),
        (1_000, 1, 33, 8, 2, 64),  # narrower blocks would divide the arms of a luck
        (1_000, 1, 100, 8, 2, 64),
    ],
)
def test_the_width_with_which_all_is_done_soonest(
    residents: int, communities: int, arms: int, luck: int, workers: int, lanes: int
) -> None:
    assert lanes_of_a_block(residents, communities, arms, luck, workers) == lanes


def test_the_chosen_width_changes_nothing() -> None:
    scenario = resolve(
        {
            "schema_version": 2,
            "title": "A village",
            "description": "Only for this test.",
            "community": {"residents": 60},
            "campaign": {"burn_in_weeks": 1, "funding_ends_week": 8, "horizon_weeks": 9},
        }
    )
    given = {"arms": ["none", "outreach"], "communities": 1, "luck": 20}
    wide = simulate(scenario, **given, lanes=MOST_LANES, threads=1).runs()
    for threads in (1, 3):
        assert_frame_equal(simulate(scenario, **given, threads=threads).runs(), wide, check_exact=True)
