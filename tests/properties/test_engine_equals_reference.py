"""The engine equals the plain reference bit for bit: every record and every state, for any width of block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.reference import ReferenceRun, run_reference
from tests.strategies import World, worlds

from mobsim.engine.block import Block
from mobsim.kernels import arrays as a
from mobsim.scenario.scenario import NONE


def run_block(
    world: World, arms: list[str], luck: list[int]
) -> tuple[Block, dict[int, np.ndarray], np.ndarray]:
    """Run a block of lanes week by week as far as needed for the means at every recorded week."""
    block = Block(world.scenario, world.community, arms, luck)
    interval = world.scenario.campaign.decision_interval_weeks
    fe, end = block.funding_end, block.horizon - 1
    means = {}
    at_fe = np.zeros(0)
    for week in range(block.horizon):
        if week % interval == 0 or week in (fe, end):
            block.advance(week + 1)
            means[week] = block.measure_means()
            if week == fe:
                block.mark_funding_end()
                at_fe = block.count_marked(a.AT_FUNDING_END)
    return block, means, at_fe


def assert_same(reference: ReferenceRun, block: Block, lane: int, means: dict, at_fe: np.ndarray) -> None:
    """Compare one lane with its reference run: records, means, state, money."""
    for index, name in enumerate(["aware", "participating", "contacted", "participating_uncontacted"]):
        np.testing.assert_array_equal(
            block.tally.counts[:, lane, :, index], getattr(reference, name), err_msg=name
        )
    arm = lane % len(block.arms)
    n = int(block.plans.kernel.n_activities[arm])
    np.testing.assert_array_equal(block.tally.units[:, lane, :n], reference.units)
    cents = block.tally.cents[:, lane, :n].copy()
    if block.plans.maps[arm]:
        cents[block.scenario.campaign.funding_starts_week, block.plans.map_line[arm]] += block.plans.maps[arm]
    np.testing.assert_array_equal(cents, reference.spent_cents)
    np.testing.assert_array_equal(block.tally.reached[:, lane, :n], reference.reached)
    np.testing.assert_array_equal(block.tally.wins[:, lane], reference.wins)
    np.testing.assert_array_equal(
        block.tally.results[:, lane].view(np.int64), reference.results.view(np.int64)
    )
    assert sorted(means) == sorted(reference.means)
    for week, sums in means.items():
        np.testing.assert_array_equal(sums[lane].T, reference.means[week], err_msg=f"means of week {week}")
    flags = block.state.flags[:, lane]
    np.testing.assert_array_equal((flags & a.AWARE) > 0, reference.final_aware)
    np.testing.assert_array_equal((flags & a.PARTICIPATING) > 0, reference.final_participating)
    np.testing.assert_array_equal((flags & a.CONTACTED) > 0, reference.final_contacted)
    for row, name in [
        (a.THRESHOLD, "threshold"),
        (a.START_CAPABILITY, "start_capability"),
        (a.CAPABILITY, "capability"),
        (a.OWNERSHIP, "ownership"),
        (a.TRUST, "trust"),
        (a.APPEAL, "appeal"),
    ]:
        mine = np.ascontiguousarray(block.state.reals[row, :, lane]).view(np.uint32)
        theirs = np.ascontiguousarray(getattr(reference, f"final_{name}")).view(np.uint32)
        np.testing.assert_array_equal(mine, theirs, err_msg=name)
    aware = reference.final_aware
    np.testing.assert_array_equal(block.state.told_week[aware, lane], reference.final_told_week[aware])
    unspent = int(block.purse.left[lane] + block.purse.purse[lane].sum())
    assert unspent == reference.unspent_cents
    assert at_fe[lane] == reference.participants_fe
    assert block.count_marked(a.AT_FUNDING_END)[lane] == reference.participants_fe_at_end
    assert block.count_marked(a.NEVER_LEFT)[lane] == reference.participants_fe_never_left


@pytest.mark.quick
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_one_lane_equals_the_reference(world: World) -> None:
    """One arm, one luck: everything the reference records."""
    block, means, at_fe = run_block(world, [world.arm], [world.luck])
    assert_same(run_reference(world.scenario, world.community, world.arm, world.luck), block, 0, means, at_fe)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(60), n_luck=st.integers(1, 12), data=st.data())
def test_any_width_equals_the_reference(world: World, n_luck: int, data: st.DataObject) -> None:
    """All arms x several lucks in one block: a sampled lane is the same run."""
    arms = [NONE, *world.scenario.arms]
    luck = [world.luck + k for k in range(min(n_luck, 64 // len(arms)))]
    block, means, at_fe = run_block(world, arms, luck)
    lane = data.draw(st.integers(0, len(luck) * len(arms) - 1))
    arm, k = arms[lane % len(arms)], luck[lane // len(arms)]
    assert_same(run_reference(world.scenario, world.community, arm, k), block, lane, means, at_fe)
