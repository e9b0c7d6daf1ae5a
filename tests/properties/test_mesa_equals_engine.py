"""The Mesa model equals the batch engine bit for bit, whether the kernel decides or agents are asked."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders import mixed_community, star_ties, tiny_scenario
from tests.strategies import World, worlds

from mobsim.engine.block import Block
from mobsim.engine.block_records import JOINED
from mobsim.engine.run import Recorder, join_records
from mobsim.kernels import arrays as a
from mobsim.kernels.deliberation import decides
from mobsim.kernels.preview import empty_preview, preview_week
from mobsim.kernels.streams import LEADER_DECIDES, ORGANIZATION_DECIDES, WEEK
from mobsim.mesa_model.agents import Leader, Resident
from mobsim.mesa_model.asking import preview_memberships, preview_stances
from mobsim.mesa_model.model import MobilizationModel
from mobsim.mesa_model.organization import Organization


class AskedResident(Resident):
    """Asked one by one, and says what the rule says."""

    def decide(self) -> bool:
        return super().decide()


class AskedLeader(Leader):
    """Asked one by one, and says what the rules say."""

    def decide(self) -> bool:
        return super().decide()

    def decide_stance(self) -> int:
        return super().decide_stance()


class AskedOrganization(Organization):
    """Asked one by one, and says what the rule says."""

    def decide(self) -> bool:
        return super().decide()


class DrawsItself(Resident):
    """Decides by the rule's chance and the rule's own draw."""

    def decide(self) -> bool:
        return self.uniform(WEEK, 1) < self.chance


class MovesItself(Leader):
    """Moves by the rule's chances and the rule's own draw; participates by the rule unasked."""

    def decide_stance(self) -> int:
        draw = self.uniform(LEADER_DECIDES)
        if draw < self.chance_up:
            return min(self.stance + 1, 1)
        return max(self.stance - 1, -1) if draw >= 1.0 - self.chance_down else self.stance


class JoinsItself(Organization):
    """Joins and stays by the rule's chance and the rule's own draw."""

    def decide(self) -> bool:
        return self.uniform(ORGANIZATION_DECIDES, 0) < self.chance


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
    for name in JOINED:
        ours, theirs = getattr(mine, name), getattr(records, name)
        assert ours.tobytes() == theirs.tobytes(), name
    assert mine.surveys().to_csv() == records.surveys().to_csv()
    for bundle in ("state", "leaders", "organizations", "purse"):
        ours, theirs = getattr(model.block, bundle), getattr(block, bundle)
        for name in (field.name for field in fields(ours)):
            here, there = np.asarray(getattr(ours, name)), np.asarray(getattr(theirs, name))
            assert here.tobytes() == there.tobytes(), f"{bundle}.{name}"
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
@given(
    world=worlds(60),
    residents=st.sampled_from([Resident, AskedResident, DrawsItself]),
    leaders=st.sampled_from([AskedLeader, Leader, MovesItself]),
    organizations=st.sampled_from([AskedOrganization, Organization, JoinsItself]),
)
def test_asking_agents_for_the_rule_equals_the_engine(
    world: World,
    residents: type[Resident],
    leaders: type[Leader],
    organizations: type[Organization],
) -> None:
    model = finished(world, resident_class=residents, leader_class=leaders, organization_class=organizations)
    assert_equal(world, model)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(world=worlds(80))
def test_the_preview_tells_what_the_engine_then_does(world: World) -> None:
    """Without lapse, turnover and forgetting the state after the week is what the previews said."""
    calm = {"lapse": 0.0, "turnover": 0.0, "awareness_half_life": None}
    scenario = world.scenario.model_copy(
        update={"behaviour": world.scenario.behaviour.model_copy(update=calm)}
    )
    block = Block(scenario, world.community, [world.arm], [world.luck])
    while block.week < block.horizon:
        block.open_week()
        preview = empty_preview(world.community.n_residents)
        before = everything(block)
        preview_week(
            block.week,
            block.ties,
            block.residents,
            block.leaders,
            block.rules,
            block.keys,
            block.state,
            preview,
        )
        assert before == everything(block)
        block.live_week()
        flags = block.state.flags[:, 0]
        np.testing.assert_array_equal((flags & a.AWARE) > 0, preview.aware == 1)
        np.testing.assert_array_equal((flags & a.PARTICIPATING) > 0, preview.proposal == 1)
        assert np.all((preview.chance >= 0) & (preview.chance <= 1))
        assert np.all(preview.participating_tellers <= preview.tellers)
        before = everything(block)
        stances, memberships = preview_stances(block), preview_memberships(block)
        assert before == everything(block)
        deciding = decides(block.week, block.rules)
        old_stance, old_member = block.leaders.stance[:, 0].copy(), block.organizations.member[:, 0].copy()
        block.close_week()
        np.testing.assert_array_equal(
            block.leaders.stance[:, 0], stances.proposed_stance if deciding else old_stance
        )
        np.testing.assert_array_equal(
            block.organizations.member[:, 0], memberships.proposed_member if deciding else old_member
        )
        for chance in (stances.chance_up, stances.chance_down, memberships.chance):
            assert np.all((chance >= 0) & (chance <= 1))


def everything(block: Block) -> bytes:
    """All that changes in a block, in one word."""
    bundles = (block.state, block.leaders, block.organizations, block.purse)
    arrays = (getattr(bundle, field.name) for bundle in bundles for field in fields(bundle))
    return b"".join(np.asarray(array).tobytes() for array in arrays)


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
    names.append("organizer")
    while model.running:
        for agent in model.residents():
            for name in names:
                setattr(agent, name, getattr(agent, name))
            agent.aware = agent.aware
            agent.participating = agent.participating
            if isinstance(agent, Leader):
                agent.trained = agent.trained
                agent.stance = agent.stance
                agent.last_engaged = agent.last_engaged
        for organization in model.organizations:
            for name in ("interest", "capacity", "in_coalition", "last_engaged"):
                setattr(organization, name, getattr(organization, name))
        model.step()
    assert_equal(world, model)
