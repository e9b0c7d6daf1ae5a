"""The Mesa model equals the batch engine bit for bit, whether the kernel decides or agents are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders import mixed_community, star_ties, tiny_scenario
from tests.strategies import World, worlds

from mobsim.engine.block import Block
from mobsim.engine.run import Recorder, join_records
from mobsim.kernels import arrays as a
from mobsim.kernels.preview import empty_preview, preview_week
from mobsim.mesa_model.agents import Leader, Resident
from mobsim.mesa_model.model import MobilizationModel

ARRAYS = ["counts", "results", "wins", "units", "cents", "reached", "sums", "at_funding_end", "unspent_cents"]


class AskedResident(Resident):
    """Asked one by one, and says what the rule says."""

    def decide(self) -> bool:
        return super().decide()


class AskedLeader(Leader):
    """Asked one by one, and says what the rule says."""

    def decide(self) -> bool:
        return super().decide()


class DrawsItself(Resident):
    """Decides by the rule's chance and the rule's own draw."""

    def decide(self) -> bool:
        from mobsim.kernels.streams import WEEK

        return self.uniform(WEEK, 1) < self.chance


def engine(world: World) -> tuple[Block, Any]:
    """Run a world with the batch engine."""
    block = Block(world.scenario, world.community, [world.arm], [world.luck])
    recorder = Recorder(block)
    for week in recorder.mean_weeks:
        block.advance(week + 1)
        recorder.observe()
    return block, join_records(world.scenario, [recorder.records()], [world.arm])


def finished(world: World, **classes: Any) -> MobilizationModel:
    """Run a world with the Mesa model, week by week."""
    model = MobilizationModel(
        world.scenario, arm=world.arm, community=world.community, luck=world.luck, **classes
    )
    while model.running:
        model.step()
    return model


def assert_equal(world: World, model: MobilizationModel) -> None:
    """Compare records, state and money of a finished model with the engine."""
    block, records = engine(world)
    mine = model.records()
    assert mine.runs_index[0].__dict__ == records.runs_index[0].__dict__
    assert mine.mean_weeks == records.mean_weeks
    for name in ARRAYS:
        ours, theirs = getattr(mine, name), getattr(records, name)
        assert ours.tobytes() == theirs.tobytes(), name
    for name in ("flags", "reals", "told_week", "results", "wins", "participating", "aware_tellers"):
        assert getattr(model.block.state, name).tobytes() == getattr(block.state, name).tobytes(), name
    assert model.block.purse.left.tobytes() == block.purse.left.tobytes()
    assert model.block.purse.purse.tobytes() == block.purse.purse.tobytes()
    collected = model.datacollector.get_model_vars_dataframe()
    weeks = records.weeks()
    for name in collected.columns:
        np.testing.assert_array_equal(collected[name].to_numpy(), weeks[name].to_numpy(), err_msg=name)


@pytest.mark.quick
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(world=worlds(80))
def test_stepping_equals_the_engine(world: World) -> None:
    assert_equal(world, finished(world))


@pytest.mark.quick
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(world=worlds(60), residents=st.sampled_from([Resident, AskedResident, DrawsItself]))
def test_asking_agents_for_the_rule_equals_the_engine(world: World, residents: type[Resident]) -> None:
    assert_equal(world, finished(world, resident_class=residents, leader_class=AskedLeader))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(world=worlds(80), data=st.data())
def test_the_preview_tells_what_the_engine_then_does(world: World, data: st.DataObject) -> None:
    """Without lapse, turnover and forgetting the state after the week is what the preview said."""
    calm = {"lapse": 0.0, "turnover": 0.0, "awareness_half_life": None}
    scenario = world.scenario.model_copy(
        update={"behaviour": world.scenario.behaviour.model_copy(update=calm)}
    )
    block = Block(scenario, world.community, ["none"], [world.luck])
    for week in range(block.week, block.horizon):
        block.advance(week)
        preview = empty_preview(world.community.n_residents)
        before = block.state.flags.tobytes() + block.state.reals.tobytes() + block.state.words.tobytes()
        preview_week(week, block.ties, block.residents, block.rules, block.keys, block.state, preview)
        after = block.state.flags.tobytes() + block.state.reals.tobytes() + block.state.words.tobytes()
        assert before == after
        block.advance(week + 1)
        flags = block.state.flags[:, 0]
        np.testing.assert_array_equal((flags & a.AWARE) > 0, preview.aware == 1)
        np.testing.assert_array_equal((flags & a.PARTICIPATING) > 0, preview.proposal == 1)
        assert np.all((preview.chance >= 0) & (preview.chance <= 1))
        assert np.all(preview.participating_tellers <= preview.tellers)


def test_hubs_beyond_the_packed_counts_equal_the_engine() -> None:
    scenario = tiny_scenario(community={"residents": 1200})
    community = mixed_community(scenario, star_ties(1200), seed=3)
    for arm in ("none", "mixed"):
        world = World(scenario, community, arm, 1)
        assert_equal(world, finished(world, resident_class=AskedResident, leader_class=AskedLeader))


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(world=worlds(60))
def test_writing_back_what_was_read_changes_nothing(world: World) -> None:
    """Attributes written with the values they have leave every later week as it was."""
    model = MobilizationModel(world.scenario, arm=world.arm, community=world.community, luck=world.luck)
    names = ["capability", "start_capability", "ownership", "trust", "appeal", "contacted", "told_week"]
    while model.running:
        for agent in model.residents():
            for name in names:
                setattr(agent, name, getattr(agent, name))
            agent.aware = agent.aware
            agent.participating = agent.participating
            if isinstance(agent, Leader):
                agent.trained = agent.trained
                agent.stance = agent.stance
        model.step()
    assert_equal(world, model)
