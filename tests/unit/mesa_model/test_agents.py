"""Agents are views: what is read and written is the model's arrays, and invariants hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.builders import mixed_community, random_ties, tiny_scenario

from mobsim.community.community import Community
from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.keyed import philox, uniform
from mobsim.kernels.streams import DECIDE
from mobsim.mesa_model.agents import Leader, Organization, Resident
from mobsim.mesa_model.model import MobilizationModel

pytestmark = pytest.mark.quick

LEADERS = {0: 1, 1: -1, 2: 0}
"""Three leaders by their leaning."""


def community_of(scenario: Any, **given: Any) -> Community:
    """Forty people, three of whom lead."""
    people: dict[str, Any] = {
        "is_leader": [i in LEADERS for i in range(40)],
        "leaning": [LEADERS.get(i, 0) for i in range(40)],
    }
    return mixed_community(scenario, random_ties(40, 5.0, 1), seed=1, **(people | given))


def model_of(
    kind: type[MobilizationModel] = MobilizationModel, *, behaviour: Any = None, **options: Any
) -> MobilizationModel:
    """A model of forty people."""
    scenario = tiny_scenario(behaviour=behaviour or {})
    return kind(scenario, community=community_of(scenario), **options)


def test_attributes_are_the_arrays() -> None:
    model = model_of(arm="mixed")
    for _ in range(8):
        model.step()
    state, community = model.block.state, model.community
    for agent in model.residents():
        i = agent.number
        flags = int(state.flags[i, 0])
        assert agent.unique_id == i + 1
        assert agent.aware is bool(flags & a.AWARE)
        assert agent.participating is bool(flags & a.PARTICIPATING)
        assert agent.contacted is bool(flags & a.CONTACTED)
        for name, row in [
            ("threshold", a.THRESHOLD),
            ("start_capability", a.START_CAPABILITY),
            ("capability", a.CAPABILITY),
            ("ownership", a.OWNERSHIP),
            ("trust", a.TRUST),
            ("appeal", a.APPEAL),
        ]:
            assert getattr(agent, name) == state.reals[row, i, 0]
        assert agent.told_week == state.told_week[i, 0]
        assert agent.group == community.group_names[community.group[i]]
        assert agent.neighbourhood == community.neighbourhood[i]
        assert agent.influence == community.influence[i] / 8
        assert agent.is_leader == isinstance(agent, Leader) == (i in LEADERS)
        row = community.neighbours[community.row_start[i] : community.row_start[i + 1]]
        assert [other.number for other in agent.neighbours] == row.tolist()
        assert all(agent in other.neighbours for other in agent.neighbours)
    for number, leaning in LEADERS.items():
        (leader,) = model.residents([number])
        assert isinstance(leader, Leader)
        assert leader.leaning == leader.stance == leaning
        assert leader.trained is bool(state.flags[number, 0] & a.TRAINED)


def test_writing_writes_the_arrays() -> None:
    model = model_of()
    (agent,) = model.residents([7])
    agent.trust, agent.appeal, agent.threshold, agent.contacted = 0.25, 2.0, -0.5, True
    assert model.block.state.reals[a.TRUST, 7, 0] == np.float32(0.25)
    assert model.block.state.reals[a.APPEAL, 7, 0] == np.float32(2)
    assert model.block.state.reals[a.THRESHOLD, 7, 0] == np.float32(-0.5)
    assert model.share("contacted") == 1 / 40


def test_participants_are_aware() -> None:
    model = model_of()
    (agent,) = model.residents([7])
    agent.aware = False
    assert not agent.aware
    agent.participating = True
    assert agent.aware
    assert agent.told_week == model.week
    agent.aware = False
    assert not agent.participating


def test_counts_follow_what_was_written() -> None:
    model = model_of(behaviour={"turnover": 0.0, "awareness_half_life": None})
    for agent in model.residents():
        if not agent.is_leader:
            agent.participating = True
    assert model.participation == 37 / 40
    assert model.awareness >= 37 / 40
    model.step()
    assert int(model.block.tally.counts[0, 0, :, a.AWARE - 1].sum()) >= 37


def test_neighbours_see_what_was_written() -> None:
    """Those who start to take part by hand are seen in the next week: exposure rises where they are tied."""
    seen: dict[bool, dict[int, float]] = {False: {}, True: {}}

    class Looks(Resident):
        def decide(self) -> bool:
            if self.model.week == 0:
                seen[written][self.number] = self.exposure
            return super().decide()

    for written in (False, True):
        model = model_of(resident_class=Looks)
        (joiner,) = model.residents([5])
        joiner.participating = written
        model.step()
    tied = set(joiner.neighbour_numbers) - set(LEADERS)
    assert tied
    assert all(seen[True][i] > seen[False][i] for i in tied)


def test_an_opposed_leader_does_not_participate() -> None:
    model = model_of()
    (opposed, supportive) = model.residents([1, 0])
    with pytest.raises(UsageError, match=r"resident 1: an opposed leader does not participate; set stance"):
        opposed.participating = True
    opposed.participating = False
    assert isinstance(opposed, Leader)
    assert isinstance(supportive, Leader)
    opposed.stance = 0
    opposed.participating = True
    supportive.participating = True
    supportive.stance = -1
    assert opposed.participating
    assert not supportive.participating
    assert [leader.stance for leader in model.residents([0, 1, 2])] == [-1, 0, 0]  # type: ignore[attr-defined]


def test_a_written_stance_is_what_counts() -> None:
    """A neutral leader who turns opposed never takes part again; the others can."""

    class Willing(Leader):
        def decide(self) -> bool:
            return True

    model = model_of(leader_class=Willing, behaviour={"lapse": 0.0, "turnover": 0.0})
    neutral, other = model.residents([2, 0])
    neutral.aware = other.aware = True
    model.step()
    assert neutral.participating
    assert other.participating
    neutral.stance = -1  # type: ignore[attr-defined]
    for _ in range(5):
        model.step()
        assert not neutral.participating
        assert other.participating


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("trust", 1.4, "resident 7: trust: found 1.4; allowed are numbers from 0 to 1"),
        ("capability", float("nan"), "capability: found nan"),
        ("appeal", -1.0, "appeal: found -1.0"),
        ("threshold", float("inf"), "threshold: found inf"),
        ("told_week", 3, "told_week: found 3; allowed are whole numbers up to -1"),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: float, words: str) -> None:
    (agent,) = model_of().residents([7])
    before = getattr(agent, name)
    with pytest.raises(UsageError, match=words):
        setattr(agent, name, value)
    assert getattr(agent, name) == before


def test_a_wrong_stance_is_refused() -> None:
    (leader,) = model_of().residents([2])
    with pytest.raises(UsageError, match="stance: found 2; allowed are -1, 0 and 1"):
        leader.stance = 2  # type: ignore[attr-defined]


def test_what_stays_with_a_place_cannot_be_written() -> None:
    (agent,) = model_of().residents([7])
    for name in ("group", "neighbourhood", "influence", "is_leader", "neighbours"):
        with pytest.raises(AttributeError):
            setattr(agent, name, getattr(agent, name))


def test_thresholds_in_whole_numbers_cannot_be_written() -> None:
    quiet: dict[str, Any] = dict.fromkeys(
        ("noise", "habit", "appeal_weight", "capability_weight", "results_weight", "turnover"), 0.0
    )
    groups = {"everyone": {"share": 1.0, "barrier": 0.0}}
    scenario = tiny_scenario(
        behaviour={**quiet, "visibility": 0.0, "thresholds": {"kind": "constant", "value": 0.5}},
        community={"groups": groups},
    )
    model = MobilizationModel(scenario, community=community_of(scenario, group=[0] * 40))
    (agent,) = model.residents([7])
    with pytest.raises(UsageError, match="compares thresholds as whole numbers"):
        agent.threshold = 0.1


def test_everybody_else_is_a_neighbour_in_a_well_mixed_community() -> None:
    scenario = tiny_scenario(community={"network": {"kind": "well_mixed"}})
    model = MobilizationModel(scenario, community=mixed_community(scenario, [], well_mixed=True))
    (agent,) = model.residents([7])
    assert agent.neighbour_numbers.tolist() == [i for i in range(40) if i != 7]


def test_organizations_are_what_the_scenario_says() -> None:
    model = MobilizationModel(tiny_scenario(community={"residents": 200, "membership": 0.4}))
    assert list(model.agents_by_type[Organization]) == model.organizations
    for organization, spec in zip(model.organizations, model.resolved.community.organizations, strict=True):
        assert (organization.name, organization.type) == (spec.name, spec.type)
        assert (organization.influence, organization.interest) == (spec.influence, spec.interest)
        assert organization.capacity == spec.capacity
        assert organization.credibility == dict(
            zip(model.community.group_names, spec.credibility, strict=True)
        )
        assert organization.resources == spec.resources_per_1000 * 0.2
        assert organization.in_coalition == spec.lead
        assert all(member.organization is organization for member in organization.members)
    members = sum(len(organization.members) for organization in model.organizations)
    assert members == sum(agent.organization is not None for agent in model.residents()) > 0
    assert len({agent.unique_id for agent in model.agents}) == 200 + len(model.organizations)


def test_agents_draw_keyed_numbers() -> None:
    drawn: dict[tuple[int, int], float] = {}

    class Draws(Resident):
        def decide(self) -> bool:
            drawn[self.model.week, self.number] = self.uniform()
            assert self.uniform() == drawn[self.model.week, self.number]
            assert self.uniform(word=1) != self.uniform()
            return super().decide()

    model = model_of(resident_class=Draws, luck=3)
    model.step()
    assert min(drawn) == (-6, 3)
    assert max(drawn) == (0, 39)
    for (week, number), value in drawn.items():
        w0, _, _, _ = philox(number, week, 3, DECIDE, model.resolved.seed, model.community.number)
        assert value == float(uniform(w0))
    with pytest.raises(UsageError, match="word: found 4"):
        model.residents([7])[0].uniform(word=4)
    with pytest.raises(UsageError, match="stream: found -1"):
        model.residents([7])[0].uniform(-1)


def test_what_is_known_while_agents_are_asked_is_known_only_then() -> None:
    (agent,) = model_of().residents([7])
    for name in ("exposure", "readiness", "chance", "tellers", "participating_tellers"):
        with pytest.raises(UsageError, match=f"{name} exists only inside decide"):
            getattr(agent, name)
    with pytest.raises(UsageError, match="decide exists only inside decide"):
        agent.decide()


def test_decide_does_not_write() -> None:
    class Writes(Resident):
        def decide(self) -> bool:
            self.trust = 1.0
            return True

    with pytest.raises(UsageError, match="decide reads, it does not write"):
        model_of(resident_class=Writes)


def test_decide_says_true_or_false() -> None:
    class Forgets(Resident):
        def decide(self) -> bool:  # type: ignore[empty-body]
            pass

    with pytest.raises(UsageError, match=r"Forgets\.decide: found None; allowed are True and False"):
        model_of(resident_class=Forgets)


def test_only_classes_of_their_own_are_asked() -> None:
    asked: set[int] = set()

    class Asked(Leader):
        def decide(self) -> bool:
            asked.add(self.number)
            return super().decide()

    model_of(leader_class=Asked).step()
    assert asked == set(LEADERS)


def test_the_order_of_asking_does_not_matter() -> None:
    """Agents read the start of the phase only: asked backwards, they come to the same."""

    class Follows(Resident):
        def decide(self) -> bool:
            others = self.neighbours
            return self.uniform() < 0.1 + sum(other.participating for other in others) / (1 + len(others))

    def run(backwards: bool) -> bytes:
        model = model_of(resident_class=Follows, arm="outreach")
        if backwards:
            model._asked.reverse()
        while model.running:
            model.step()
        return model.block.tally.counts.tobytes()

    assert run(False) == run(True)


def test_the_unaware_and_the_opposed_stay_away_whatever_they_say() -> None:
    class Always(Resident):
        def decide(self) -> bool:
            return True

    class AlwaysLeads(Leader):
        def decide(self) -> bool:
            return True

    model = model_of(
        resident_class=Always, leader_class=AlwaysLeads, behaviour={"lapse": 0.0, "turnover": 0.0}
    )
    for _ in range(3):
        model.step()
        for agent in model.residents():
            opposed = isinstance(agent, Leader) and agent.stance < 0
            assert agent.participating == (agent.aware and not opposed)
