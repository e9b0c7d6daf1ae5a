"""What an activity written in Python sees and does in one lane and week, on arrays made by hand."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.builders import mixed_community, random_ties, tiny_scenario

from mobsim.campaign.own import ACTIVITIES, OwnActivity, registered
from mobsim.community.population import MARGINALIZED_DEFAULTS
from mobsim.engine.own_delivery import Delivery, deliver_own
from mobsim.engine.records import Records
from mobsim.engine.run import simulate
from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels import delivery as d
from mobsim.kernels.keyed import philox, uniform
from mobsim.kernels.streams import OWN, TARGET

pytestmark = pytest.mark.quick

N, WEEKS, LINES = 40, 5, 3
ARMS = ("none", "walk", "talk")
LUCK = (3, 8)
WEEK, LINE = 2, 1
DOSES = (0.7, 0.3, 0.2, 0.1)


def block_of(well_mixed: bool = False, **doses: float) -> Any:
    """A stand-in for a block: six lanes, in which line 1 of arms 1 and 2 is written in Python."""
    scenario = tiny_scenario()
    ties = () if well_mixed else random_ties(N, 5.0, 1)
    community = mixed_community(scenario, ties, seed=1, well_mixed=well_mixed)
    lanes, groups = len(ARMS) * len(LUCK), len(community.group_names)
    rng = np.random.default_rng(5)
    whole = np.zeros((len(ARMS), LINES, d.N_WHOLE), np.int64)
    whole[:, :, d.CODE] = 40 + np.arange(LINES)
    whole[:, :, d.CONTACT] = 1
    whole[:, :, d.PER_UNIT] = 20
    effect = np.zeros((len(ARMS), LINES, a.N_EFFECTS))
    effect[:, :, :4] = DOSES
    reals = rng.random((6, N, lanes)).astype(np.float32)
    leaders = np.flatnonzero(community.is_leader)
    place = np.full(N, -1, np.int32)
    place[leaders] = np.arange(leaders.size)
    return SimpleNamespace(
        scenario=scenario,
        community=community,
        arms=ARMS,
        luck=LUCK,
        n_lanes=lanes,
        keys=a.Keys(scenario.seed, community.number, np.array(LUCK, np.int64)),
        state=SimpleNamespace(
            flags=rng.integers(0, 4, (N, lanes)).astype(np.uint8),
            roles=rng.integers(0, 2, (N, lanes)).astype(np.uint8),
            last=np.zeros((N, lanes), np.uint8),
            reals=reals,
        ),
        residents=SimpleNamespace(group=community.group, leader_place=place),
        leaders=SimpleNamespace(engaged=np.full((leaders.size, lanes), a.NEVER_ENGAGED, np.int32)),
        organizations=SimpleNamespace(
            capacity=rng.random((3, lanes)), credibility=rng.random((3, groups)), lead=0
        ),
        rules=SimpleNamespace(doubles=np.full((a.N_DOUBLES, lanes), 0.05)),
        plans=SimpleNamespace(
            kernel=SimpleNamespace(whole=whole, effect=effect, deliverer=np.full((len(ARMS), LINES), 2)),
            own={},
            names=(("visit", "walk", "media"),) * len(ARMS),
        ),
        tally=SimpleNamespace(
            units=np.full((WEEKS, lanes, LINES), 4, np.int64),
            reached=np.zeros((WEEKS, lanes, LINES, groups), np.int64),
        ),
    )


def copied(block: Any) -> list[Any]:
    """All arrays that a delivery may change."""
    s = block.state
    arrays = (s.flags, s.roles, s.last, s.reals, block.leaders.engaged, block.tally.reached)
    return [array.copy() for array in arrays]


@pytest.mark.parametrize("lane", [1, 5])
def test_doses_are_those_of_the_contract(lane: int) -> None:
    """docs/odd.md, 7.3, resident by resident in scalars."""
    block = block_of()
    before = copied(block)[3]
    view = Delivery(block, WEEK, lane, LINE)
    ids = [3, 11, 12, 30]
    assert view.reach(ids) == 4
    one, f = np.float32(1.0), np.float32
    e = float(block.organizations.capacity[2, lane])
    for i in ids:
        gamma = float(block.organizations.credibility[2, block.community.group[i]])
        dose, skill, voice, warmth = f(0.7 * e * gamma), f(0.3 * e), f(0.2), f(0.1 * e * gamma)
        loss = f(0.05 * (1.0 - e))
        m, s, o, t = (before[row, i, lane] for row in (a.APPEAL, a.CAPABILITY, a.OWNERSHIP, a.TRUST))
        after = block.state.reals[:, i, lane]
        assert after[a.APPEAL] == m + dose
        assert after[a.CAPABILITY] == s + skill * (one - s)
        assert after[a.OWNERSHIP] == o + voice * (one - o)
        assert after[a.TRUST] == (t + warmth * (one - t)) - loss * t
    others = np.ones(before.shape, bool)
    others[:, ids, lane] = False
    assert np.array_equal(block.state.reals[others], before[others])


def test_what_is_written_down() -> None:
    block = block_of()
    flags = block.state.flags.copy()
    view = Delivery(block, WEEK, 4, LINE)
    view.reach([0, 1], contact=False)
    view.reach([2])
    assert np.array_equal(block.state.flags[:2, 4], flags[:2, 4] | a.DOSED)
    assert block.state.flags[2, 4] == flags[2, 4] | a.DOSED | a.CONTACTED
    assert block.state.last[:3, 4].tolist() == [LINE + 1] * 3
    counts = np.bincount(block.community.group[:3], minlength=2)
    assert block.tally.reached[WEEK, 4, LINE].tolist() == counts.tolist()
    assert block.tally.reached.sum() == 3
    assert (block.leaders.engaged == a.NEVER_ENGAGED).all()


def test_one_dose_a_resident_activity_and_week() -> None:
    once, twice = block_of(), block_of()
    Delivery(once, WEEK, 1, LINE).reach([4, 7, 9])
    view = Delivery(twice, WEEK, 1, LINE)
    assert view.reach([9, 4, 9]) == 2
    assert view.reach([7, 9, 4], appeal=5.0) == 1
    twice.state.reals[a.APPEAL, 7, 1] = once.state.reals[a.APPEAL, 7, 1]
    assert all(np.array_equal(x, y) for x, y in zip(copied(once), copied(twice), strict=True))


def test_truth_values_name_residents_too() -> None:
    by_number, by_truth = block_of(), block_of()
    wanted = np.arange(N) % 3 == 0
    Delivery(by_number, WEEK, 1, LINE).reach(np.flatnonzero(wanted))
    Delivery(by_truth, WEEK, 1, LINE).reach(wanted)
    assert all(np.array_equal(x, y) for x, y in zip(copied(by_number), copied(by_truth), strict=True))
    assert Delivery(by_truth, WEEK, 1, LINE).reach([]) == 0


def test_trainers_train_and_engage_leaders() -> None:
    block = block_of()
    block.plans.kernel.whole[:, LINE, d.TRAINS] = 1
    Delivery(block, WEEK, 1, LINE).reach(range(N))
    leads = block.community.is_leader
    assert ((block.state.flags[:, 1] & a.TRAINED > 0) == leads).all()
    assert (block.leaders.engaged[:, 1] == WEEK).all()
    assert (block.leaders.engaged[:, 2] == a.NEVER_ENGAGED).all()


def test_nobody_asks_who_came_last() -> None:
    block = block_of()
    block.state.last = np.zeros((0, 0), np.uint8)
    assert Delivery(block, WEEK, 1, LINE).reach([1]) == 1


def test_trust_is_lost_only_where_trust_is_given() -> None:
    block = block_of()
    before = block.state.reals[a.TRUST].copy()
    Delivery(block, WEEK, 1, LINE).reach(range(N), trust=0)
    assert np.array_equal(block.state.reals[a.TRUST], before)


def test_what_is_seen_is_the_state_and_cannot_be_written() -> None:
    block = block_of()
    view = Delivery(block, WEEK, 4, LINE)
    assert (view.week, view.arm, view.units, view.per_unit, view.n_residents) == (WEEK, "walk", 4, 20, N)
    assert view.group_names == block.community.group_names
    assert view.doses == DOSES
    flags, reals = block.state.flags[:, 4], block.state.reals[:, :, 4]
    assert view.aware.tolist() == (flags & a.AWARE > 0).tolist()
    assert view.participating.tolist() == (flags & a.PARTICIPATING > 0).tolist()
    assert view.contacted.tolist() == (flags & a.CONTACTED > 0).tolist()
    assert view.organizer.tolist() == (block.state.roles[:, 4] & a.ORGANIZER > 0).tolist()
    for name, row in (("capability", 2), ("ownership", 3), ("trust", 4), ("appeal", 5)):
        assert getattr(view, name).tolist() == reals[row].tolist()
    for name in ("group", "neighbourhood", "is_leader", "aware", "organizer", "trust"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(view, name)[0] = 1
    assert block.community.group.flags.writeable == block_of().community.group.flags.writeable
    trust = view.trust
    view.reach(range(N))
    assert (view.trust != trust).any()
    assert view.contacted.all()


def test_neighbours_are_those_who_influence() -> None:
    community = block_of().community
    view = Delivery(block_of(), WEEK, 1, LINE)
    for i in range(N):
        row = community.neighbours[community.row_start[i] : community.row_start[i + 1]]
        assert view.neighbours(i).tolist() == row.tolist()
    mixed = Delivery(block_of(well_mixed=True), WEEK, 1, LINE)
    assert mixed.neighbours(5).tolist() == [j for j in range(N) if j != 5]


def test_chance_belongs_to_luck_week_resident_and_line() -> None:
    block = block_of()
    for lane, luck in ((1, 3), (4, 8)):
        view = Delivery(block, WEEK, lane, LINE)
        for word in range(4):
            for shared, stream in ((False, TARGET + 41), (True, OWN)):
                words = [philox(i, WEEK, luck, stream, block.keys.seed, 0)[word] for i in range(N)]
                expected = [float(uniform(w)) for w in words]
                assert view.uniform(word, shared=shared).tolist() == expected
    same = [Delivery(block, WEEK, lane, LINE).uniform().tolist() for lane in (1, 2)]
    assert same[0] == same[1]  # two arms of one luck
    view = Delivery(block, WEEK, 1, LINE)
    view.uniform()[:] = 0.0
    assert view.uniform().tolist() == same[0]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda view: view.reach([N]), "allowed are whole numbers from 0 to 39"),
        (lambda view: view.reach([-1]), "allowed are whole numbers from 0 to 39"),
        (lambda view: view.reach([0.5]), "allowed are whole numbers"),
        (lambda view: view.reach([[1]]), "allowed are whole numbers"),
        (lambda view: view.reach([True, False]), r"allowed is one a resident, \(40,\)"),
        (lambda view: view.reach([1], trust=1.5), "trust: found 1.5; allowed are numbers from 0 to 1"),
        (lambda view: view.reach([1], appeal=-1), "appeal: found -1; allowed are numbers from 0 to 100"),
        (lambda view: view.reach([1], appeal=float("nan")), "appeal: found nan"),
        (lambda view: view.reach([1], appeal=[1.0]), "appeal: found"),
        (lambda view: view.uniform(4), "word: found 4; allowed are 0, 1, 2 and 3"),
        (lambda view: view.neighbours(N), "allowed are whole numbers from 0 to 39"),
        (lambda view: view.friends, "deliver failed: AttributeError"),
    ],
)
def test_what_is_not_allowed_is_one_sentence_and_changes_nothing(ask: Any, said: str) -> None:
    block = block_of()
    before = copied(block)
    block.plans.own = {(1, LINE): SimpleNamespace(deliver=ask)}
    with pytest.raises(UsageError, match=said) as error:
        deliver_own(block, WEEK)
    assert str(error.value).startswith(f"activity walk, arm walk, week {WEEK}: ")
    assert all(np.array_equal(x, y) for x, y in zip(before, copied(block), strict=True))


def test_every_lane_of_the_arm_with_units_delivers_in_the_order_of_lines() -> None:
    block = block_of()
    seen: list[tuple[str, int, int]] = []
    block.tally.units[WEEK, 4, :] = 0
    block.tally.units[WEEK, 5, 2] = 0

    def keep(name: str) -> Any:
        return SimpleNamespace(deliver=lambda view: seen.append((name, view._lane, view.units)))

    block.plans.own = {(2, 2): keep("c"), (2, 0): keep("b"), (1, LINE): keep("a")}
    deliver_own(block, WEEK)
    assert seen == [("a", 1, 4), ("b", 2, 4), ("c", 2, 4), ("b", 5, 4)]


# In the engine

VISIT: dict[str, Any] = {
    "number": 48,
    "family": "outreach",
    "description": "a visit",
    "steps": ["mobilize", "implement", "sustain"],
    "cost": 2.0,
    "appeal": 0.9,
    "capability": 0.1,
    "ownership": 0.05,
    "trust": 0.1,
    "by": "largest_cbo",
}


class PythonVisit(OwnActivity):
    """Does in Python what the delivery `attempts` does."""

    spec: ClassVar[dict[str, Any]] = {**VISIT, "max_units": N}

    def deliver(self, view: Any) -> None:
        chance = np.array([REACHED[group] for group in view.group_names], np.float32)[view.group]
        visited = np.argsort(view.uniform(0), kind="stable")[: view.units]
        at_home = view.uniform(1) < chance
        view.reach(visited[at_home[visited]])


REACHED = {"majority": 0.9, "minority": 0.6}


@pytest.mark.parametrize("survey", [False, True])
def test_a_visit_written_in_python_is_the_compiled_visit_bit_for_bit(survey: bool) -> None:
    arm: dict[str, Any] = {"activities": [{"kind": "home_visit", "share": 1.0}]}
    if survey:
        arm |= {"survey": {"respondents": 10}, "policy": "marginal"}
    groups = {
        "majority": {"share": 0.8, "reached": REACHED["majority"]},
        "minority": {"share": 0.2, **MARGINALIZED_DEFAULTS, "reached": REACHED["minority"]},
    }
    records = []
    for delivery in ("attempts", "python"):
        activities = {"home_visit": {**VISIT, "delivery": delivery, "max_units": N}}
        scenario = tiny_scenario(
            activities=activities, arms={"visits": arm}, community={"groups": groups, "residents": N}
        )
        with registered(ACTIVITIES, "home_visit", PythonVisit):
            records.append(simulate(scenario, threads=1))
    assert records[0].units.any()
    for field in fields(Records):
        left, right = (getattr(one, field.name) for one in records)
        if isinstance(left, np.ndarray):
            assert np.array_equal(left, right, equal_nan=left.dtype.kind == "f"), field.name
