"""Organizations are views on their rows, and join or stay as their class says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.builders import tiny_scenario

from mobsim.community.organizations import default_organizations
from mobsim.errors import UsageError
from mobsim.kernels.keyed import philox, uniform
from mobsim.kernels.streams import DECIDE, ORGANIZATION_DECIDES
from mobsim.mesa_model.model import MobilizationModel
from mobsim.mesa_model.organization import Organization

pytestmark = pytest.mark.quick

WEEKLY: dict[str, Any] = {"decision_interval_weeks": 1}


def test_organizations_are_what_the_scenario_says() -> None:
    scenario = tiny_scenario(community={"residents": 200, "membership": 0.4})
    model = MobilizationModel(scenario)
    assert list(model.agents_by_type[Organization]) == model.organizations
    for organization, spec in zip(model.organizations, scenario.community.organizations, strict=True):
        assert (organization.name, organization.type) == (spec.name, spec.type)
        assert (organization.influence, organization.interest) == (spec.influence, spec.interest)
        assert organization.capacity == spec.capacity
        assert organization.credibility == dict(
            zip(model.community.group_names, spec.credibility, strict=True)
        )
        assert organization.resources == spec.resources_per_1000 * 0.2
        assert organization.is_lead is spec.lead
        assert (organization.engaged, organization.last_engaged) == (False, None)
        assert all(member.organization is organization for member in organization.members)
    members = sum(len(organization.members) for organization in model.organizations)
    assert members == sum(agent.organization is not None for agent in model.residents()) > 0
    assert len({agent.unique_id for agent in model.agents}) == 200 + len(model.organizations)


def test_attributes_are_the_arrays() -> None:
    scenario = tiny_scenario(
        arms={"builds": {"activities": [{"kind": kind, "share": 0.5} for kind in ("org", "coalition")]}},
        activities={"org": {"cost": 5.0}, "coalition": {"cost": 5.0}},
        campaign=WEEKLY,
    )
    model = MobilizationModel(scenario, arm="builds")
    for _ in range(12):
        model.step()
    rows = model.block.organizations
    specs = default_organizations()
    for k, organization in enumerate(model.organizations):
        assert organization.interest == rows.interest[k, 0]
        assert organization.capacity == rows.capacity[k, 0]
        assert organization.in_coalition is bool(rows.member[k, 0])
        assert organization.resources == rows.resources[k, 0] / 100
        assert organization.last_engaged in (None, int(rows.engaged[k, 0]))
    assert any(one.capacity > spec.capacity for one, spec in zip(model.organizations, specs, strict=True))
    engaged = [one for one in model.organizations if one.engaged]
    assert engaged
    assert all(one.last_engaged is not None and 0 <= one.last_engaged <= 11 for one in engaged)
    inside = sum(one.influence for one in model.organizations if one.in_coalition)
    assert model.coalition == pytest.approx(inside / sum(one.influence for one in model.organizations))


def test_a_written_capacity_is_delivered() -> None:
    """Bit for bit as if the scenario had said so."""
    able = tuple(one.model_copy(update={"capacity": 0.9}) for one in default_organizations())
    theirs = MobilizationModel(tiny_scenario(community={"organizations": able}), arm="mixed")
    mine = MobilizationModel(tiny_scenario(), arm="mixed")
    assert mine.block.purse.dose.tobytes() != theirs.block.purse.dose.tobytes()
    for organization in mine.organizations:
        organization.capacity = 0.9
    assert mine.block.purse.dose.tobytes() == theirs.block.purse.dose.tobytes()
    mine.run_model()
    theirs.run_model()
    assert mine.records().runs().to_csv() == theirs.records().runs().to_csv()


def test_capacity_may_be_written_when_organizations_are_made() -> None:
    class Able(Organization):
        def __init__(self, model: MobilizationModel, index: int) -> None:
            super().__init__(model, index)
            self.capacity = 0.9

    able = tuple(one.model_copy(update={"capacity": 0.9}) for one in default_organizations())
    theirs = MobilizationModel(tiny_scenario(community={"organizations": able}), arm="mixed")
    mine = MobilizationModel(tiny_scenario(), arm="mixed", organization_class=Able)
    assert mine.block.purse.dose.tobytes() == theirs.block.purse.dose.tobytes()


def test_memberships_written_count() -> None:
    model = MobilizationModel(tiny_scenario(behaviour={"organization_reconsider": 0.0}))
    donor, lead = model.organizations[6], model.organizations[3]
    total = sum(one.influence for one in model.organizations)
    assert model.coalition == model.coalition_start == pytest.approx(lead.influence / total)
    donor.in_coalition = True
    assert model.coalition == pytest.approx((lead.influence + donor.influence) / total)
    with pytest.raises(UsageError, match="organization lead_ngo: in_coalition: the lead stays"):
        lead.in_coalition = False
    model.step()
    assert donor.in_coalition
    donor.in_coalition = False
    assert model.coalition == model.coalition_start


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("capacity", 1.4, "organization cbo_1: capacity: found 1.4; allowed are numbers from 0 to 1"),
        ("interest", -1.1, "interest: found -1.1; allowed are numbers from -1 to 1"),
        ("interest", float("nan"), "interest: found nan"),
        ("last_engaged", 0, "last_engaged: found 0; allowed are None and whole numbers up to -1"),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: float, words: str) -> None:
    organization = MobilizationModel(tiny_scenario()).organizations[0]
    before = getattr(organization, name)
    with pytest.raises(UsageError, match=words):
        setattr(organization, name, value)
    assert getattr(organization, name) == before
    for fixed in ("name", "type", "influence", "credibility", "resources", "is_lead", "engaged"):
        with pytest.raises(AttributeError):
            setattr(organization, fixed, getattr(organization, fixed))


def test_proposals_are_taken_at_once() -> None:
    """Who is asked sees the coalition as it was, and the lead is not asked."""
    asked: set[str] = set()

    class Alternates(Organization):
        def decide(self) -> bool:
            asked.add(self.name)
            assert self.model.coalition == before
            return not self.in_coalition

    scenario = tiny_scenario(campaign={**WEEKLY, "burn_in_weeks": 0})
    before = 0.2 / 1.75
    model = MobilizationModel(scenario, organization_class=Alternates)
    before = model.coalition
    for week in range(3):
        model.step()
        assert model.coalition == pytest.approx(0.2 / 1.75 if week % 2 else 1.0)
        before = model.coalition
    assert asked == {one.name for one in model.organizations} - {"lead_ngo"}
    assert model.organizations[3].in_coalition
    collected = model.datacollector.get_model_vars_dataframe()["coalition"]
    assert collected.tolist() == pytest.approx([1.0, 0.2 / 1.75, 1.0])


def test_a_coalition_that_stays_away_has_no_local_money() -> None:
    class Stays(Organization):
        def decide(self) -> bool:
            return False

    class Joins(Organization):
        def decide(self) -> bool:
            return True

    scenario = tiny_scenario(campaign={**WEEKLY, "contribution": 0.1})
    income = {}
    for kind in (Stays, Joins):
        model = MobilizationModel(scenario, arm="outreach", organization_class=kind)
        model.run_model()
        income[kind] = model.datacollector.get_model_vars_dataframe()["local_income"].sum()
    assert income[Stays] == 0 < income[Joins]


def test_what_is_known_while_organizations_are_asked_is_known_only_then() -> None:
    organization = MobilizationModel(tiny_scenario()).organizations[0]
    with pytest.raises(UsageError, match="cbo_1: chance exists only inside decide, while organizations are"):
        organization.chance  # noqa: B018
    with pytest.raises(UsageError, match="decide exists only inside decide"):
        organization.decide()


def test_decide_reads_and_says_true_or_false() -> None:
    class Writes(Organization):
        def decide(self) -> bool:
            self.capacity = 1.0
            return True

    class Doubts(Organization):
        def decide(self) -> bool:
            return 0.3  # type: ignore[return-value]

    with pytest.raises(UsageError, match="organization cbo_1: an agent that is asked to decide reads"):
        MobilizationModel(tiny_scenario(), organization_class=Writes)
    with pytest.raises(UsageError, match=r"Doubts\.decide: found 0.3; allowed are True and False"):
        MobilizationModel(tiny_scenario(), organization_class=Doubts)


def test_organizations_draw_keyed_numbers() -> None:
    model = MobilizationModel(tiny_scenario(), luck=3)
    model.step()
    one = model.organizations[4]
    words = philox(4, 1, 3, ORGANIZATION_DECIDES, model.resolved.seed, model.community.number)
    assert one.uniform() == float(uniform(words[1]))
    assert [one.uniform(word=word) for word in range(4)] == [float(uniform(word)) for word in words]
    assert one.uniform(DECIDE, 0) == model.residents([4])[0].uniform()
    with pytest.raises(UsageError, match="word: found 4"):
        one.uniform(word=4)


def test_the_order_of_asking_does_not_matter() -> None:
    class Follows(Organization):
        def decide(self) -> bool:
            return self.uniform() < 0.2 + self.model.coalition * self.chance

    def run(backwards: bool) -> bytes:
        model = MobilizationModel(tiny_scenario(campaign=WEEKLY), arm="outreach", organization_class=Follows)
        if backwards:
            model._asked_for_membership.reverse()
        model.run_model()
        return model.block.tally.coalition.tobytes()

    assert run(False) == run(True)
    assert np.unique(np.frombuffer(run(False))).size > 1
