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
from mobsim.mesa_model.agents import Leader, Resident
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
        assert agent.organizer is bool(state.roles[i, 0] & a.ORGANIZER)
        assert agent.weeks_idle == (state.roles[i, 0] & a.IDLE) >> 2
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
        assert leader.leaning == leaning
        assert leader.stance == model.block.leaders.stance[number, 0]
        assert leader.trained is bool(state.flags[number, 0] & a.TRAINED)


def test_writing_writes_the_arrays() -> None:
    model = model_of()
    (agent,) = model.residents([7])
    agent.trust, agent.appeal, agent.threshold, agent.contacted = 0.25, 2.0, -0.5, True
    assert model.block.state.reals[a.TRUST, 7, 0] == np.float32(0.25)
    assert model.block.state.reals[a.APPEAL, 7, 0] == np.float32(2)
    assert model.block.state.reals[a.THRESHOLD, 7, 0] == np.float32(-0.5)
    assert model.share("contacted") == 1 / 40


def test_the_last_activity_is_a_line_of_the_arm() -> None:
    """It is kept only where somebody asks for it."""
    scenario = tiny_scenario(
        arms={
            "asks": {
                "activities": [{"kind": kind, "share": 1.0} for kind in ("media", "visit", "visit")],
                "survey": {},
            },
            "asks_not": {"activities": [{"kind": "visit", "share": 1.0}]},
        }
    )
    names = {}
    for arm in ("asks", "asks_not", "none"):
        model = MobilizationModel(scenario, arm=arm, community=community_of(scenario))
        assert {agent.last_activity for agent in model.residents()} == {None}
        for _ in range(6):
            model.step()
        names[arm] = {agent.last_activity for agent in model.residents()}
    assert {"visit", "visit_2"} <= names["asks"] <= {None, "media", "visit", "visit_2"}
    assert names["asks_not"] == names["none"] == {None}


def test_organizers_are_made_and_ended_by_hand() -> None:
    """They make contacts in the next week; idle weeks begin anew."""
    model = model_of(behaviour={"organizer_start": 1e-6, "organizer_contacts": 3, "turnover": 0.0})
    first, second = model.residents([7, 8])
    first.organizer = second.organizer = True
    assert model.organizers == 2 / 40
    first.participating = second.participating = False
    second.threshold = first.threshold = 1e6
    model.step()
    assert model.contacts_by_organizers == 3 * sum(bool(one.neighbours) for one in (first, second)) > 0
    assert (first.organizer, first.weeks_idle, first.stipend) == (True, 1, False)
    first.organizer = True
    assert first.weeks_idle == 1
    first.organizer = False
    assert (first.organizer, first.weeks_idle) == (False, 0)
    assert model.organizers == 1 / 40
    for _ in range(3):
        assert second.organizer
        model.step()
    assert not second.organizer
    assert model.contacts_by_organizers == 3 * bool(second.neighbours)
    model.step()
    assert model.contacts_by_organizers == 0


def test_a_scenario_without_organizers_gets_none() -> None:
    (agent,) = model_of(behaviour={"organizer_start": 0.0}).residents([7])
    agent.organizer = False
    with pytest.raises(UsageError, match="resident 7: organizer: this scenario has no organizers"):
        agent.organizer = True


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


def test_a_written_stance_keeps_all_counts() -> None:
    model = model_of(behaviour={"leader_reconsider": 0.0})
    (leader,) = model.residents([0])
    assert isinstance(leader, Leader)
    leader.participating = True
    before = model.participation
    leader.stance = -1
    assert (model.supportive, model.opposed) == (0, 2 / 3)
    assert model.participation == before - 1 / 40
    assert int(model.block.state.participating[0]) == round(model.participation * 40)
    model.step()
    assert (model.supportive, model.opposed) == (0, 2 / 3)
    assert model.block.tally.stances[0, 0].tolist() == [0, 2]


def test_engagement_of_leaders_ends() -> None:
    model = model_of(behaviour={"engagement_weeks": 2, "turnover": 0.0})
    (leader,) = model.residents([2])
    assert isinstance(leader, Leader)
    assert (leader.engaged, leader.last_engaged) == (False, None)
    leader.last_engaged = model.week
    seen = [leader.engaged]
    for _ in range(2):
        model.step()
        seen.append(leader.engaged)
    assert seen == [True, True, False]
    assert leader.last_engaged == -1
    for wrong in (2, 0.5, "now", -(2**30)):
        with pytest.raises(UsageError, match=r"resident 2: last_engaged: found .* whole numbers up to 1"):
            leader.last_engaged = wrong  # type: ignore[assignment]
    leader.last_engaged = None
    assert leader.last_engaged is None


def test_training_engages_leaders() -> None:
    scenario = tiny_scenario(behaviour={"turnover": 0.0}, activities={"leader": {"cost": 5.0}})
    model = MobilizationModel(scenario, arm="training", community=community_of(scenario))
    leaders = model.residents(list(LEADERS))
    for _ in range(8):
        model.step()
    trained = [leader for leader in leaders if leader.trained]  # type: ignore[attr-defined]
    assert trained
    for leader in leaders:
        assert isinstance(leader, Leader)
        assert leader.engaged is leader.trained is (leader.last_engaged is not None)


def test_a_written_stance_is_what_counts() -> None:
    """A neutral leader who turns opposed never takes part again; the others can."""

    class Willing(Leader):
        def decide(self) -> bool:
            return True

    model = model_of(
        leader_class=Willing, behaviour={"lapse": 0.0, "turnover": 0.0, "leader_reconsider": 0.0}
    )
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


def test_what_leaders_know_is_known_only_then() -> None:
    (leader,) = model_of().residents([2])
    for name in ("chance_up", "chance_down"):
        with pytest.raises(UsageError, match=f"{name} exists only inside decide_stance"):
            getattr(leader, name)
    with pytest.raises(UsageError, match="decide_stance exists only inside decide_stance"):
        leader.decide_stance()  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="exposure exists only inside decide, while residents are asked"):
        leader.exposure  # noqa: B018

    class Curious(Leader):
        def decide_stance(self) -> int:
            assert -1 <= self.exposure <= 1
            assert 0 <= self.chance_up <= 1
            assert 0 <= self.chance_down <= 1
            assert 0 <= self.model.coalition_start <= self.model.coalition <= 1
            with pytest.raises(UsageError, match="readiness exists only inside decide, while residents"):
                self.readiness  # noqa: B018
            with pytest.raises(UsageError, match="decide exists only inside decide, while residents"):
                self.decide()
            with pytest.raises(UsageError, match="organizations are asked"):
                self.model.organizations[0].decide()
            with pytest.raises(UsageError, match="reads, it does not write"):
                self.last_engaged = None
            return super().decide_stance()

    model_of(leader_class=Curious).step()


def test_leaders_are_asked_in_deciding_weeks() -> None:
    asked: list[tuple[int, int]] = []

    class Asked(Leader):
        def decide_stance(self) -> int:
            asked.append((self.model.week, self.number))
            return super().decide_stance()

    scenario = tiny_scenario(campaign={"decision_interval_weeks": 4})
    model = MobilizationModel(scenario, community=community_of(scenario), leader_class=Asked)
    for _ in range(9):
        model.step()
    assert asked == [(week, number) for week in (-4, 0, 4, 8) for number in LEADERS]


def test_stances_proposed_are_taken() -> None:
    class Turns(Leader):
        def decide_stance(self) -> int:
            assert [other.stance for other in self.model.agents_by_type[Turns]] == before
            return -self.stance or 1

    scenario = tiny_scenario(
        behaviour={"turnover": 0.0}, campaign={"decision_interval_weeks": 1, "burn_in_weeks": 0}
    )
    before = [1, -1, 0]
    model = MobilizationModel(scenario, community=community_of(scenario), leader_class=Turns)
    first = model.residents([0])[0]
    first.participating = True
    for expected in ([-1, 1, 1], [1, -1, -1], [-1, 1, 1]):
        model.step()
        assert [leader.stance for leader in model.agents_by_type[Turns]] == expected
        assert not any(leader.stance < 0 and leader.participating for leader in model.agents_by_type[Turns])
        before = expected
    assert model.datacollector.get_model_vars_dataframe()["supportive"].tolist() == [2 / 3, 1 / 3, 2 / 3]


@pytest.mark.parametrize("proposal", [2, None, 0.5, True, "opposed"])
def test_a_stance_proposed_is_a_stance(proposal: Any) -> None:
    class Wrong(Leader):
        def decide_stance(self) -> int:
            return proposal  # type: ignore[no-any-return]

    with pytest.raises(UsageError, match=r"Wrong\.decide_stance: found .*; allowed are -1, 0 and 1"):
        model_of(leader_class=Wrong)


def test_decide_does_not_write() -> None:
    class Writes(Resident):
        def decide(self) -> bool:
            self.trust = 1.0
            return True

    with pytest.raises(UsageError, match="reads, it does not write"):
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
