from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mobsim.analysis import study as module
from mobsim.analysis.facts import check_fact
from mobsim.analysis.study import Drift, Study, comparable, compare, study_of
from mobsim.errors import UsageError
from mobsim.scenario.scenario import CheckSpec, Scenario

pytestmark = pytest.mark.quick


class Made:
    """Tables of some communities, out of made-up ones."""

    def __init__(self, tables: Any, communities: range) -> None:
        self.tables, self.communities = tables, communities

    def runs(self) -> pd.DataFrame:
        return self.few(self.tables.runs())

    def weeks(self) -> pd.DataFrame:
        return self.few(self.tables.weeks())

    def activities(self) -> pd.DataFrame:
        return self.tables.activities()

    def organizations(self) -> pd.DataFrame:
        return self.tables.organizations()

    def domains(self) -> pd.DataFrame:
        return self.tables.domains()

    def surveys(self) -> pd.DataFrame:
        return self.few(self.tables.surveys())

    def few(self, table: pd.DataFrame) -> pd.DataFrame:
        parts = [table[table["community"] == c % 8].assign(community=c) for c in self.communities]
        order = {arm: k for k, arm in enumerate(dict.fromkeys(table["arm"]))}
        whole = pd.concat(parts)
        return whole.iloc[whole["arm"].map(order).argsort(kind="stable")].reset_index(drop=True)


@pytest.fixture
def simulated(tables: Any, monkeypatch: pytest.MonkeyPatch) -> list[range]:
    asked: list[range] = []

    def simulate(_scenario: Any, communities: range, *_: Any) -> Made:
        asked.append(communities)
        return Made(tables, communities)

    monkeypatch.setattr(module, "_simulate", simulate)
    return asked


def test_the_scenario_says_how_many(scenario: Scenario, simulated: list[range]) -> None:
    study = compare(scenario)
    assert simulated == [range(8)]
    assert study.arms == ("none", "outreach", "training", "advocacy")
    assert study.verdict.best == "outreach"
    assert study.comparison.communities == 8


def test_two_stages_run_only_what_is_missing_and_only_once(
    scenario: Scenario, simulated: list[range]
) -> None:
    study = compare(scenario, until=0.0009)
    assert simulated[0] == range(32)
    assert len(simulated) == 2
    assert simulated[1].start == 32
    assert study.comparison.communities == simulated[1].stop
    assert study.first_stage == 32
    assert sorted(study.runs["community"].unique()) == list(range(simulated[1].stop))
    assert study.runs["arm"].drop_duplicates().tolist() == ["none", "outreach", "training", "advocacy"]


def test_a_first_stage_that_suffices_is_the_last(scenario: Scenario, simulated: list[range]) -> None:
    assert compare(scenario, until=0.05, communities=40).comparison.communities == 40
    assert simulated == [range(40)]


def test_two_stages_weigh_activities_by_runs(scenario: Scenario, tables: Any) -> None:
    first, second = Made(tables, range(2)), Made(tables, range(2, 8))
    second.activities = lambda: tables.activities().assign(units=50.0)  # type: ignore[method-assign]
    joined = module.TwoStages(first, second).activities()
    assert joined["units"].tolist() == pytest.approx([0.25 * 10 + 0.75 * 50] * len(joined))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"communities": 0}, "communities: found 0"),
        ({"luck": -1}, "luck: found -1"),
        ({"until": 2.0}, "until: found 2"),
        ({"until": float("nan")}, "until: found nan"),
        ({"model_class": int}, "model_class: found int"),
    ],
)
def test_nonsense_is_refused(scenario: Scenario, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compare(scenario, **options)


def test_too_short_an_interval_is_refused(scenario: Scenario, simulated: list[range]) -> None:
    with pytest.raises(UsageError, match="would need"):
        compare(scenario, until=0.00001)


def test_a_model_class_simulates_itself(scenario: Scenario, tables: Any) -> None:
    class Mine:
        @classmethod
        def simulate(cls, scenario: Scenario, *, communities: range, luck: int, progress: Any) -> Made:
            assert luck == 2
            return Made(tables, communities)

    study = compare(scenario, model_class=Mine)
    assert study.model_class == "Mine"


def test_drift_is_measured_without_a_campaign(study: Study) -> None:
    assert study.drift is not None
    assert study.drift.at_rest
    moved = Drift(participation=-0.021, awareness=0.01)
    assert not moved.at_rest
    assert "participation moves by -2.1 points" in moved.sentence
    assert Drift(0.0199, 0.0499).at_rest
    assert not Drift(0.0, 0.05).at_rest


def test_a_bare_model_has_no_state_of_rest(scenario: Scenario, tables: Any) -> None:
    assert study_of(scenario.model_copy(update={"preset": "bare"}), tables).drift is None


def fact(**changes: Any) -> CheckSpec:
    return CheckSpec(**({"fact": "f", "arm": "outreach", "source": "s"} | changes))


def test_facts_are_paired_differences(scenario: Scenario, study: Study) -> None:
    runs = study.runs
    found = check_fact(fact(against="none", at_least=0.05, at_most=0.12), runs, scenario, single=False)
    level = runs.groupby("arm")["participation_fe"].mean()
    assert found.estimate == pytest.approx(level["outreach"] - level["none"])
    assert found.low < found.estimate < found.high
    assert found.met
    assert not check_fact(fact(at_least=0.5), runs, scenario, single=False).met


def test_cost_per_additional_participant_can_be_a_fact(scenario: Scenario, study: Study) -> None:
    found = check_fact(
        fact(outcome="cost_per_additional", against="training", at_most=0.0), study.runs, scenario, False
    )
    level = study.runs.groupby("arm")[["participation_fe", "cost"]].mean()
    costs = {
        arm: level.loc[arm, "cost"]
        / (1000 * (level.loc[arm, "participation_fe"] - level.loc["none", "participation_fe"]))
        for arm in ("outreach", "training")
    }
    assert found.estimate == pytest.approx(costs["outreach"] - costs["training"])
    assert found.met


def test_a_ratio_without_an_effect_is_not_met(scenario: Scenario, study: Study) -> None:
    runs = study.runs.copy()
    same = runs["arm"] == "outreach"
    runs.loc[same, "participation_fe"] = runs.loc[runs["arm"] == "none", "participation_fe"].to_numpy()
    found = check_fact(fact(outcome="cost_per_additional", at_most=1e9), runs, scenario, single=False)
    assert np.isnan(found.estimate)
    assert not found.met


def test_a_fact_about_nothing_is_refused(scenario: Scenario, study: Study) -> None:
    with pytest.raises(UsageError, match="did you mean 'outreach'"):
        check_fact(fact(arm="outreech"), study.runs, scenario, single=False)
    with pytest.raises(UsageError, match="did you mean 'gap_fe'"):
        check_fact(fact(outcome="gap_fee"), study.runs, scenario, single=False)


def test_two_stages_average_organizations_and_name_their_quadrants_again(tables: Any) -> None:
    first, second = Made(tables, range(2)), Made(tables, range(2, 8))
    table = tables.organizations()
    second.organizations = lambda: table.assign(interest=table["interest"] + 0.4)  # type: ignore[method-assign]
    joined = module.TwoStages(first, second).organizations()
    assert joined["interest"].tolist() == pytest.approx((table["interest"] + 0.3).tolist())
    assert joined["week"].tolist() == table["week"].tolist()
    office = joined[(joined["organization"] == "district_office") & (joined["arm"] == "none")]
    assert set(office["quadrant"]) == {"manage closely"}


def test_two_stages_join_surveys_and_average_domains(tables: Any) -> None:
    first, second = Made(tables, range(2)), Made(tables, range(2, 8))
    joined = module.TwoStages(first, second)
    assert len(joined.surveys()) == len(tables.surveys())
    pd.testing.assert_frame_equal(joined.domains(), tables.domains())
    second.surveys = first.surveys = lambda: tables.surveys().iloc[:0]  # type: ignore[method-assign]
    assert len(joined.surveys()) == 0


def test_what_no_arm_ever_has_is_not_compared(tables: Any) -> None:
    runs = tables.runs().assign(opposed_end=np.nan)
    assert set(runs.columns) - set(comparable(runs).columns) == {"opposed_end"}


def test_a_share_of_few_people_is_pooled(scenario: Scenario, study: Study) -> None:
    runs = study.runs.copy()
    one = (runs["arm"] == "outreach") & (runs["community"] == 1)
    runs.loc[one, ["organizers_kept", "leadership_fe"]] = [1.0, 0.07]
    found = check_fact(fact(outcome="organizers_kept", at_least=0.6), runs, scenario, single=False)
    assert found.estimate == pytest.approx((6 * 0.6 * 0.01 + 1.0 * 0.07) / (6 * 0.01 + 0.07))
    assert found.low < found.estimate < found.high
    difference = check_fact(fact(outcome="organizers_kept", against="none"), runs, scenario, single=False)
    assert difference.estimate == pytest.approx(found.estimate - 0.6)
    nobody = runs.assign(leadership_fe=0.0, organizers_kept=np.nan)
    assert not check_fact(fact(outcome="organizers_kept", at_least=0), nobody, scenario, single=False).met
