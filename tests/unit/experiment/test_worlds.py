"""Worlds at points that change behaviour alone take a shorter way to the same scenario."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mobsim.errors import ScenarioError
from mobsim.experiment.plan import plan_sweep
from mobsim.scenario.catalogue import shipped_scenarios
from mobsim.scenario.cross_campaign import campaign_complaints
from mobsim.scenario.file import load_scenario
from mobsim.scenario.memory import memory_complaints
from mobsim.scenario.scenario import Scenario


def without_behaviour(scenario: Scenario) -> SimpleNamespace:
    names = set(Scenario.model_fields) - {"behaviour"}
    return SimpleNamespace(folder=scenario.folder, **{name: getattr(scenario, name) for name in names})


@pytest.mark.parametrize("name", [*shipped_scenarios()])
def test_only_the_checks_of_the_world_read_behaviour(name: str) -> None:
    scenario = load_scenario(name)
    blind = without_behaviour(scenario)
    for complaints in (campaign_complaints, memory_complaints):
        assert list(complaints(blind)) == list(complaints(scenario)) == []  # type: ignore[arg-type]


def test_behaviour_that_does_not_fit_is_refused_on_the_shorter_way_too() -> None:
    plan = plan_sweep(
        {
            "name": "other",
            "scenario": "harm_demo",
            "replicates": {"communities": 1, "luck": 1},
            "factors": {"behaviour.noise": {"values": [0.05, 0.1]}},
            "design": {"kind": "grid"},
        }
    )
    world = plan.worlds.at({"behaviour.noise": 0.3, "behaviour.social_weight": 0.4})
    assert (world.behaviour.noise, world.behaviour.social_weight) == (0.3, 0.4)
    assert world.model_copy(update={"behaviour": plan.base.behaviour}) == plan.base
    counted = {"kind": "count", "values": [1] * plan.base.community.residents}
    with pytest.raises(ScenarioError, match="kind count are compared with whole numbers"):
        plan.worlds.at({"behaviour.thresholds": counted})
