"""The engine equals the plain reference bit for bit: every record and every state, for any width of block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.reference import ReferenceRun, run_reference
from tests.strategies import World, worlds

from mobsim.engine.block import Block
from mobsim.kernels import arrays as a
from mobsim.scenario.scenario import NONE


class Measured(NamedTuple):
    """What a block shows only while it runs: means, organizations, who was there at funding end."""

    means: dict[int, np.ndarray]
    organizations: dict[int, np.ndarray]
    participants_fe: np.ndarray
    organizers_fe: np.ndarray


def run_block(world: World, arms: list[str], luck: list[int]) -> tuple[Block, Measured]:
    """Run a block of lanes week by week as far as needed for the means at every recorded week."""
    block = Block(world.scenario, world.community, arms, luck)
    interval = world.scenario.campaign.decision_interval_weeks
    fe, end = block.funding_end, block.horizon - 1
    means, organizations = {}, {}
    at_fe = organizers_fe = np.zeros(0)
    for week in range(block.horizon):
        if week % interval == 0 or week in (fe, end):
            block.advance(week + 1)
            means[week] = block.measure_means()
            o = block.organizations
            organizations[week] = np.stack(
                [o.interest, o.capacity, o.member.astype(float), o.resources.astype(float)]
            )
            if week == fe:
                block.mark_funding_end()
                at_fe = block.count_marked(a.AT_FUNDING_END)
                organizers_fe = block.count_roles(a.ORGANIZER_AT_END)
    return block, Measured(means, organizations, at_fe, organizers_fe)


def assert_same(reference: ReferenceRun, block: Block, lane: int, measured: Measured) -> None:
    """Compare one lane with its reference run: records, means, state, money."""
    for index, name in enumerate(
        ["aware", "participating", "contacted", "participating_uncontacted", "organizers"]
    ):
        np.testing.assert_array_equal(
            block.tally.counts[:, lane, :, index], getattr(reference, name), err_msg=name
        )
    arm = lane % len(block.arms)
    n = len(block.plans.names[arm])
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
    np.testing.assert_array_equal(block.tally.local[:, lane, :n], reference.local_cents)
    np.testing.assert_array_equal(block.tally.income[:, lane], reference.income)
    np.testing.assert_array_equal(block.tally.contacts[:, lane], reference.contacts)
    np.testing.assert_array_equal(block.tally.stances[:, lane], reference.stances)
    np.testing.assert_array_equal(
        block.tally.coalition[:, lane].view(np.int64), reference.coalition.view(np.int64)
    )
    assert sorted(measured.means) == sorted(reference.means)
    for week, theirs in reference.organizations.items():
        np.testing.assert_array_equal(
            measured.organizations[week][:, :, lane], theirs, err_msg=f"week {week}"
        )
    assert_same_surveys(reference, block, lane)
    for week, sums in measured.means.items():
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
    remainder = int(block.purse.pot[lane] + block.purse.local[lane].sum() + block.purse.remainder[lane])
    assert remainder == reference.local_remainder_cents
    np.testing.assert_array_equal(block.leaders.stance[:, lane], reference.final_stance[block.leaders.ids])
    np.testing.assert_array_equal(block.leaders.engaged[:, lane], reference.final_engaged[block.leaders.ids])
    roles = block.state.roles[:, lane]
    np.testing.assert_array_equal((roles & a.ORGANIZER) > 0, reference.final_organizer)
    np.testing.assert_array_equal((roles & a.IDLE) >> a.IDLE_SHIFT, reference.final_idle)
    if block.plans.remembers:
        np.testing.assert_array_equal(block.state.last[:, lane].astype(int) - 1, reference.final_last)
    assert measured.organizers_fe[lane] == reference.organizers_fe
    assert block.count_roles(a.NEVER_STOPPED)[lane] == reference.organizers_fe_always
    assert measured.participants_fe[lane] == reference.participants_fe
    assert block.count_marked(a.AT_FUNDING_END)[lane] == reference.participants_fe_at_end
    assert block.count_marked(a.NEVER_LEFT)[lane] == reference.participants_fe_never_left


def assert_same_surveys(reference: ReferenceRun, block: Block, lane: int) -> None:
    """Compare what was asked, answered and decided."""
    mine = [result for result in block.surveys.results() if result.lane == lane and result.asked.sum() > 0]
    assert [result.week for result in mine] == [survey.week for survey in reference.surveys]
    for result, survey in zip(mine, reference.surveys, strict=True):
        np.testing.assert_array_equal(result.asked, survey.asked)
        np.testing.assert_array_equal(result.aware_yes, survey.aware_yes)
        np.testing.assert_array_equal(result.participating_yes, survey.participating_yes)
        assert list(result.causes) == list(survey.causes)
        assert list(result.named) == list(survey.named)
        assert list(result.shares) == [float(share) for share in survey.shares]
        assert (-1 if result.group_chosen is None else result.group_chosen) == survey.group


@pytest.mark.quick
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_one_lane_equals_the_reference(world: World) -> None:
    """One arm, one luck: everything the reference records."""
    block, measured = run_block(world, [world.arm], [world.luck])
    assert_same(run_reference(world.scenario, world.community, world.arm, world.luck), block, 0, measured)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(60), n_luck=st.integers(1, 12), data=st.data())
def test_any_width_equals_the_reference(world: World, n_luck: int, data: st.DataObject) -> None:
    """All arms x several lucks in one block: a sampled lane is the same run."""
    arms = [NONE, *world.scenario.arms]
    luck = [world.luck + k for k in range(min(n_luck, 64 // len(arms)))]
    block, measured = run_block(world, arms, luck)
    lane = data.draw(st.integers(0, len(luck) * len(arms) - 1))
    arm, k = arms[lane % len(arms)], luck[lane // len(arms)]
    assert_same(run_reference(world.scenario, world.community, arm, k), block, lane, measured)
