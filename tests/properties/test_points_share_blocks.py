"""Points are lanes of one block: every run is the same, bit for bit, as if its point had been run alone."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobsim.engine.block import Block
from mobsim.engine.block_records import JOINED, BlockRecords
from mobsim.engine.points import Alike
from mobsim.engine.run import build, run_blocks
from mobsim.errors import UsageError
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

ARMS = ("none", "told", "trained", "steered", "fair")


def world(**places: Any) -> Scenario:
    """A small scenario with surveys, policies, leaders and organizations, changed at some places."""
    data: dict[str, Any] = {
        "schema_version": 2,
        "title": "A village",
        "description": "Only a test.",
        "community": {
            "residents": 90,
            "groups": {
                "majority": {"share": 0.7, "barrier": places.pop("barrier", 0.1)},
                "others": {"share": 0.3, "reached": places.pop("reached", 0.4)},
            },
        },
        "campaign": {
            "budget_per_resident": places.pop("budget", 10.0),
            "funding_ends_week": 20,
            "horizon_weeks": 30,
            "burn_in_weeks": 9,
            "public_money": places.pop("public_money", 0.05),
        },
        "goals": [{"indicator": "participation", "group": "others", "at_least": 0.3, "by_week": 25}],
        "arms": {
            "told": {
                "activities": [{"kind": "visit", "share": 0.5}, {"kind": "media", "share": 0.5}],
                "budget_share": places.pop("budget_share", 1.0),
            },
            "trained": {
                "activities": [
                    {"kind": "skills", "share": 0.4, "target": {"rule": places.pop("rule", "random")}},
                    {"kind": "leader", "share": 0.3},
                    {"kind": "lobby", "share": 0.3, "cost": places.pop("lobby_cost", 100.0)},
                ]
            },
            "steered": {
                "activities": [
                    {"kind": "visit", "share": 0.4},
                    {"kind": "skills", "share": 0.3},
                    {"kind": "coalition", "share": 0.3},
                ],
                "policy": places.pop("policy", "reasons"),
                "survey": {"respondents": places.pop("respondents", 30)},
            },
            "fair": {
                "activities": [{"kind": "visit", "share": 0.5}, {"kind": "meeting", "share": 0.5}],
                "policy": "equity",
                "survey": {"respondents": 20},
            },
        },
        "behaviour": places,
    }
    return resolve(data)


def same_run(joint: list[BlockRecords], alone: list[BlockRecords], point: int) -> None:
    """Compare every array of every run of a point."""
    found = {
        (run.arm, run.community, run.luck, run.point): (block, lane)
        for block in joint
        for lane, run in enumerate(block.lanes)
    }
    for block in alone:
        for lane, run in enumerate(block.lanes):
            other, place = found[run.arm, run.community, run.luck, point]
            for name in JOINED:
                here, there = getattr(block, name)[lane], getattr(other, name)[place]
                if there.shape != here.shape:  # other arms of a block may have more lines
                    both = min(here.shape[1], there.shape[1])
                    assert not here[:, both:].any(), name
                    assert not there[:, both:].any(), name
                    here, there = here[:, :both], there[:, :both]
                np.testing.assert_array_equal(here, there, err_msg=f"{run} {name}")
            asked = [s for s in block.surveys_asked if s.lane == lane]
            other_asked = [s for s in other.surveys_asked if s.lane == place]
            assert len(asked) == len(other_asked)
            for one, another in zip(asked, other_asked, strict=True):
                for field in fields(one):
                    if field.name != "lane":
                        np.testing.assert_array_equal(
                            getattr(one, field.name), getattr(another, field.name), err_msg=field.name
                        )


def check(worlds: list[Scenario], luck: tuple[int, ...] = (0, 3), lanes: int = 64) -> list[BlockRecords]:
    joint = run_blocks(worlds, ARMS, (2,), luck, lanes=lanes)
    for point, scenario in enumerate(worlds):
        same_run(joint, run_blocks([scenario], ARMS, (2,), luck), point)
    return joint


def test_points_of_behaviour_groups_money_arms_and_policies_share_a_block() -> None:
    worlds = [
        world(),
        world(social_weight=0.9, noise=0.05, habit=0.3),
        world(barrier=0.4, reached=0.9, budget=3.0),
        world(policy="assessed", respondents=60, rule="degree", lobby_cost=20.0),
        world(budget_share=0.0, public_money=0.3, awareness_half_life=4.0),
        world(leader_threshold=0.1, coalition_weight=1.5, turnover=0.03, lapse=0.02),
    ]
    blocks = check(worlds, luck=(0, 3))
    assert [len(block.lanes) for block in blocks] == [60]


def test_points_that_cannot_share_a_block_still_run() -> None:
    worlds = [
        world(),
        world(noise=0.0),
        world(irreversible=True),
        world(capability_sd=0.2),
        world(max_wins=2),
    ]
    assert len(check(worlds, luck=(1,))) == 5


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_points_drawn_at_random_share_blocks_of_any_width(data: st.DataObject) -> None:
    share = st.floats(0, 1, allow_subnormal=False)
    places = {
        "social_weight": share,
        "tell_participant": st.floats(0, 0.1, allow_subnormal=False),
        "turnover": st.floats(0, 0.05, allow_subnormal=False),
        "habit": share,
        "visibility": st.sampled_from([0.0, 0.1, 1.0]),
        "barrier": share,
        "reached": share,
        "budget": st.floats(0, 30, allow_subnormal=False),
        "policy": st.sampled_from(["reasons", "marginal", "assessed"]),
        "learning": st.floats(0, 0.1, allow_subnormal=False),
    }
    worlds = [
        world(**{name: data.draw(values) for name, values in places.items() if data.draw(st.booleans())})
        for _ in range(data.draw(st.integers(2, 5)))
    ]
    check(worlds, luck=(0, 1), lanes=data.draw(st.sampled_from([1, 3, 5, 12, 30, 64])))


def test_a_block_refuses_more_lanes_than_it_has() -> None:
    base = world()
    with pytest.raises(UsageError, match="5 arms, 2 lucks and 7 points"):
        Block(base, build(base, 0), ARMS, (0, 1), [base] * 7)


def test_what_builds_a_community_is_told_from_what_lanes_carry() -> None:
    worlds = [world(), world(barrier=0.7), world(trust_sd=0.3), world(budget=2.0)]
    alike = Alike(worlds)
    assert alike.builds(worlds[0]) == alike.builds(worlds[1]) == alike.builds(worlds[3])
    assert alike.builds(worlds[0]) != alike.builds(worlds[2])
    assert alike.shares(worlds[0]) == alike.shares(worlds[1]) == alike.shares(worlds[3])
