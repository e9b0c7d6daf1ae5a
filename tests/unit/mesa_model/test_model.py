"""The model does what a Mesa user expects, and runs like any other arm."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mesa import DataCollector
from tests.builders import tiny_scenario

from mobsim.analysis.study import compare
from mobsim.engine.run import build, simulate
from mobsim.errors import UsageError
from mobsim.mesa_model.agents import Leader, Resident
from mobsim.mesa_model.model import MobilizationModel
from mobsim.mesa_model.organization import Organization

pytestmark = pytest.mark.quick

TINY = tiny_scenario(community={"residents": 60})


class Says(Resident):
    """Says what the rule says."""

    def decide(self) -> bool:
        return super().decide()


class LeaderSays(Leader):
    """Says what the rules say."""

    def decide_stance(self) -> int:
        return super().decide_stance()


class OrganizationSays(Organization):
    """Says what the rule says."""

    def decide(self) -> bool:
        return super().decide()


class Echo(MobilizationModel):
    """The model of those who say what the rules say."""

    resident_class = Says
    leader_class = LeaderSays
    organization_class = OrganizationSays


class Never(Resident):
    """Never takes part."""

    def decide(self) -> bool:
        return False


class NeverModel(MobilizationModel):
    """The model of those who never take part."""

    resident_class = Never


class BatchModel(MobilizationModel):
    """Made from words and numbers alone, as batch runners like it."""

    def __init__(self, arm: str = "none", luck: int = 0, seed: int | None = None) -> None:
        super().__init__(TINY, arm=arm, luck=luck, seed=seed)


def test_a_model_runs_to_its_horizon() -> None:
    model = MobilizationModel(TINY, arm="mixed")
    assert (model.week, model.running, model.spent) == (-1, True, 0.0)
    model.run_model()
    assert (model.week, model.running, model.steps) == (29, False, 30)
    with pytest.raises(UsageError, match="the scenario ends with week 29: there is no week 30"):
        model.step()


def test_records_come_after_the_last_week() -> None:
    model = MobilizationModel(TINY)
    model.step()
    with pytest.raises(UsageError, match="the run stands at week 0; records need all weeks up to 29"):
        model.records()


def test_agents_by_type_and_queries() -> None:
    model = MobilizationModel(TINY, arm="outreach")
    for _ in range(10):
        model.step()
    assert set(model.agents_by_type) == {Resident, Leader, Organization}
    assert len(model.agents) == 60 + 7
    assert len(model.agents_by_type[Leader]) == model.community.is_leader.sum() > 0
    residents = model.agents.select(lambda agent: isinstance(agent, Resident))
    assert residents.agg("participating", sum) == round(model.participation * 60)
    active = residents.select(lambda agent: agent.participating)
    assert len(active) == round(model.participation * 60)
    by_group = residents.groupby("group")
    for group, members in by_group:
        assert members.agg("aware", np.mean) == pytest.approx(model.share("aware", group))
    residents.do(lambda agent: setattr(agent, "participating", False))
    assert model.participation == 0.0
    before = model.block.state.flags.copy()
    residents.shuffle_do("uniform")
    assert np.array_equal(before, model.block.state.flags)


def test_the_data_collector_has_the_columns_of_the_weeks() -> None:
    model = MobilizationModel(TINY, arm="mixed", luck=1)
    model.run_model()
    weeks = simulate(TINY, arms=["mixed"], communities=1, luck=[1], threads=1).weeks()
    collected = model.datacollector.get_model_vars_dataframe()
    assert list(collected.columns) == [
        name for name in weeks.columns if name not in ("arm", "community", "luck")
    ]
    for name in collected.columns:
        np.testing.assert_array_equal(collected[name].to_numpy(), weeks[name].to_numpy(), err_msg=name)


def test_another_data_collector() -> None:
    model = MobilizationModel(TINY)
    model.datacollector = DataCollector(
        model_reporters={"taking part": "participation"},
        agent_reporters={"influence": "influence", "aware": lambda agent: getattr(agent, "aware", None)},
        agenttype_reporters={Leader: {"stance": "stance"}},
    )
    model.step()
    model.step()
    assert len(model.datacollector.get_model_vars_dataframe()) == 2
    agents = model.datacollector.get_agent_vars_dataframe()
    assert agents.loc[2].loc[1:60, "aware"].sum() == round(model.awareness * 60)
    leaders = model.datacollector.get_agenttype_vars_dataframe(Leader)
    assert len(leaders.loc[2]) == model.community.is_leader.sum()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mesa_batch_runner_equals_simulate() -> None:
    from mesa.batchrunner import batch_run

    rows = batch_run(
        BatchModel, {"arm": ["none", "mixed"], "luck": range(3)}, number_processes=1, display_progress=False
    )
    weeks = simulate(TINY, arms=["none", "mixed"], communities=1, luck=3, threads=1).weeks()
    assert len(rows) == 6
    for row in rows:
        (week,) = weeks[
            (weeks["arm"] == row["arm"]) & (weeks["luck"] == row["luck"]) & (weeks["week"] == 29)
        ].to_dict("records")
        for name in (
            "week",
            "participation",
            "aware__minority",
            "organizers",
            "coalition",
            "opposed",
            "spent",
        ):
            assert row[name] == week[name], name


def test_batch_runner_takes_the_name_of_a_scenario(tmp_path: Path) -> None:
    model = MobilizationModel("limits/si", luck=np.int64(1))
    model.step()
    assert model.resolved.preset == "bare"


def test_a_class_that_says_what_the_rule_says_equals_simulate() -> None:
    mine = Echo.simulate(TINY, arms=["none", "mixed"], communities=2, luck=2)
    theirs = simulate(TINY, arms=["none", "mixed"], communities=2, luck=2, threads=1)
    assert mine.runs().to_csv() == theirs.runs().to_csv()
    assert mine.weeks().to_csv() == theirs.weeks().to_csv()
    assert mine.activities().to_csv() == theirs.activities().to_csv()
    assert mine.organizations().to_csv() == theirs.organizations().to_csv()
    assert mine.domains().to_csv() == theirs.domains().to_csv()


def test_compare_runs_a_class() -> None:
    done: list[tuple[int, int]] = []
    study = compare(TINY, model_class=NeverModel, progress=lambda runs, of: done.append((runs, of)))
    arms = 1 + len(TINY.arms)
    assert done[-1] == (arms * 4, arms * 4)
    assert study.model_class == "NeverModel"
    only_leaders = study.runs.groupby("arm")["participation_fe"].mean()
    assert set(only_leaders.index) == {"none", *TINY.arms}
    assert only_leaders.max() <= 3 / 60
    plain, echoed = compare(TINY, threads=1), compare(TINY, model_class=Echo)
    assert echoed.runs.to_csv() == plain.runs.to_csv()
    assert echoed.verdict.text == plain.verdict.text


def test_a_class_that_stops_early_cannot_be_compared() -> None:
    class Stops(MobilizationModel):
        def step(self) -> None:
            super().step()
            self.running = self.week < 3

    with pytest.raises(UsageError, match="Stops: the run stands at week 3"):
        Stops.simulate(TINY, communities=1, luck=1)


def test_seed_and_luck_change_the_run() -> None:
    def words(**options: Any) -> bytes:
        model = MobilizationModel(TINY, arm="mixed", **options)
        model.run_model()
        return model.block.state.reals.tobytes()

    assert words() == words() == words(seed=TINY.seed)
    assert len({words(), words(luck=1), words(community=1), words(seed=8)}) == 4


def test_mesas_random_numbers_are_never_used() -> None:
    model = MobilizationModel(TINY, arm="mixed", resident_class=Says)
    before, rng = model.random.getstate(), str(model.rng.bit_generator.state)
    model.run_model()
    assert model.random.getstate() == before
    assert str(model.rng.bit_generator.state) == rng


def test_a_finished_model_is_freed() -> None:
    model = Echo(TINY, arm="mixed")
    model.run_model()
    model.records().runs()
    gone = weakref.ref(model), weakref.ref(model.block), weakref.ref(model.residents([3])[0])
    del model
    gc.collect()
    assert [ref() for ref in gone] == [None, None, None]


def test_above_ten_thousand_residents_are_made_when_asked_for() -> None:
    scenario = tiny_scenario(
        community={"residents": 10_001, "leaders": {"share": 0.01}}, campaign={"burn_in_weeks": 0}
    )
    model = MobilizationModel(scenario)
    assert len(model.agents_by_type[Leader]) == 100
    assert Resident not in model.agents_by_type
    ordinary = int(np.flatnonzero(~model.community.is_leader)[0])
    (agent,) = model.residents([ordinary])
    assert model.residents([ordinary])[0] is agent
    assert len(model.agents_by_type[Resident]) == 1
    leader = int(np.flatnonzero(model.community.is_leader)[0])
    assert isinstance(model.residents([leader])[0], Leader)
    asked = MobilizationModel(scenario, resident_class=Says)
    assert len(asked.agents_by_type[Says]) == 9901
    model.step()
    asked.step()
    assert model.block.state.flags.tobytes() == asked.block.state.flags.tobytes()


def test_ten_thousand_residents_are_all_made() -> None:
    scenario = tiny_scenario(community={"residents": 10_000}, campaign={"burn_in_weeks": 0})
    assert len(MobilizationModel(scenario).agents) == 10_007


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arm": "outreech"}, "arm 'outreech' does not exist; .*did you mean 'outreach'"),
        ({"arm": None}, "arm: found None"),
        ({"luck": -1}, "luck: found -1"),
        ({"luck": 1.5}, "luck: found 1.5"),
        ({"luck": True}, "luck: found True"),
        ({"community": "first"}, "community: found 'first'"),
        ({"seed": 2**32}, "seed: found 4294967296; allowed are whole numbers from 0 to 4294967295"),
        ({"resident_class": int}, "resident_class: found .*subclasses of Resident"),
        ({"leader_class": Resident}, "leader_class: found .*subclasses of Leader"),
        ({"scenario": 3}, "scenario: found 3"),
        ({"scenario": "vaccination_distrikt"}, "did you mean 'vaccination_district'"),
    ],
)
def test_nonsense_is_refused(options: dict[str, Any], words: str) -> None:
    from mobsim.errors import MobsimError

    with pytest.raises(MobsimError, match=words):
        MobilizationModel(**({"scenario": TINY} | options))


def test_a_community_of_another_scenario_is_refused() -> None:
    other = tiny_scenario(community={"residents": 50})
    with pytest.raises(UsageError, match="community: found one with residents, groups and seed"):
        MobilizationModel(TINY, community=build(other, 0))


def test_shares_know_their_words() -> None:
    model = MobilizationModel(TINY)
    with pytest.raises(UsageError, match=r"found participating; .*did you mean 'participation'"):
        model.share("participating")
    with pytest.raises(UsageError, match="group 'minorty' does not exist; did you mean 'minority'"):
        model.share("aware", "minorty")
    with pytest.raises(UsageError, match="residents: found 60; allowed are whole numbers from 0 to 59"):
        model.residents([60])


def test_names_are_loaded_late() -> None:
    import mobsim.mesa_model as room

    assert room.MobilizationModel is MobilizationModel
    assert room.Leader is Leader
    assert room.Organization is Organization
    assert (room.WEEK, room.DECIDE, room.LEADER_DECIDES, room.ORGANIZATION_DECIDES) == (1, 8, 10, 11)
    with pytest.raises(AttributeError, match="no attribute 'Modell'"):
        room.Modell  # noqa: B018
