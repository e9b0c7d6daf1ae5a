"""Names that others register: activities in Python, targeting rules, policies."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from mobsim.campaign import own
from mobsim.errors import ScenarioError
from mobsim.scenario.dump import plain
from mobsim.scenario.resolve import resolve

pytestmark = pytest.mark.quick

SMALLEST: dict[str, Any] = {"schema_version": 2, "title": "t", "description": "d"}


class Theatre(own.OwnActivity):
    """A play in one neighbourhood."""

    spec = {  # noqa: RUF012
        "number": 40,
        "family": "outreach",
        "description": "an open-air play",
        "steps": ("implement",),
        "cost": 80.0,
        "appeal": 0.5,
        "target": {"rule": "clustered"},
    }

    def deliver(self, view: Any) -> None:
        """Play."""


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is registered here is forgotten afterwards."""
    for name in ("_activities", "_rules", "_policies"):
        monkeypatch.setattr(own, name, {})
    own.register_activity("theatre", Theatre)
    own.register_targeting("eldest", lambda community: community.capability, needs_map=False)
    own.register_targeting("most_friends", lambda community: community.degree)
    own.register_policy("even_out", lambda evidence: None)


def one_arm(**arm: Any) -> dict[str, Any]:
    lines = [{"kind": "visit", "share": 1.0}]
    return {**SMALLEST, "arms": {"one": {"activities": lines, **arm}}}


def refused(data: dict[str, Any]) -> str:
    with pytest.raises(ScenarioError) as caught:
        resolve(data)
    return str(caught.value)


def test_a_registered_activity_is_complete_by_its_name() -> None:
    scenario = resolve(one_arm(activities=[{"kind": "theatre", "share": 1.0}]))
    theatre = scenario.activities["theatre"]
    assert (theatre.delivery, theatre.number, theatre.cost) == ("python", 40, 80)
    assert theatre.target.rule == "clustered"
    assert plain(resolve(plain(scenario))) == plain(scenario)


def test_a_scenario_changes_the_numbers_of_a_registered_activity() -> None:
    data = one_arm(activities=[{"kind": "theatre", "share": 1.0}])
    scenario = resolve({**data, "activities": {"theatre": {"cost": 50.0, "target": "random"}}})
    theatre = scenario.activities["theatre"]
    assert (theatre.cost, theatre.appeal, theatre.number, theatre.target.rule) == (50, 0.5, 40, "random")


def test_registered_names_stand_among_what_is_allowed() -> None:
    theater = refused(one_arm(activities=[{"kind": "theater", "share": 1.0}]))
    assert theater.endswith("demonstration, stipend, theatre; did you mean 'theatre'?")
    rule = refused(one_arm(activities=[{"kind": "visit", "share": 1.0, "target": "eldst"}]))
    assert rule.endswith("cycle, eldest, most_friends; did you mean 'eldest'?")
    policy = refused(one_arm(policy="evenout"))
    assert policy.endswith("equity, even_out; did you mean 'even_out'?")


def test_a_registered_policy_has_the_default_survey() -> None:
    arm = resolve(one_arm(policy="even_out")).arms["one"]
    assert arm.survey is not None
    assert arm.survey.respondents == 100


def test_only_rules_that_look_at_ties_pay_for_the_map() -> None:
    poor = {"campaign": {"budget_per_resident": 1.0}}
    assert resolve({**one_arm(activities=[{"kind": "visit", "share": 1.0, "target": "eldest"}]), **poor})
    told = refused(
        {**one_arm(activities=[{"kind": "visit", "share": 1.0, "target": "most_friends"}]), **poor}
    )
    assert "the network map for the rule most_friends costs 2 a resident" in told


def test_no_package_is_looked_through_for_names_that_ship() -> None:
    code = (
        "import sys\nfrom mobsim.cli.main import main\nmain(['check', 'vaccination_district'])\n"
        "print('mobsim.campaign.own' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.splitlines()[-1] == "False"
