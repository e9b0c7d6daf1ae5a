"""What a calibration asks: what is read, and every mistake in one sentence with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.analysis.calibrations import MEDIA, TELL, WORD_OF_MOUTH, asks, write_calibration

from mobsim.analysis.calibration.plan import CalibrationPlan, plan_calibration
from mobsim.analysis.calibration.spec import load_calibration
from mobsim.errors import MobsimError

ADOPTION = "community,week,value\n" + "\n".join(
    f"v{c},{week},{week / 50}" for c in range(6) for week in range(0, 40, 4)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "world.yaml").write_text(WORD_OF_MOUTH, "utf-8")
    (tmp_path / "adoption.csv").write_text(ADOPTION, "utf-8")
    return tmp_path


def plan_of(folder: Path, **changes: Any) -> CalibrationPlan:
    return plan_calibration(write_calibration(folder, **changes))


def test_a_calibration_is_held_against_scenario_and_data(folder: Path) -> None:
    plan = plan_of(folder)
    assert [factor.name for factor in plan.factors] == ["tell_participant", "media"]
    evidence = plan.evidence
    assert evidence.communities == ("v0", "v1", "v2", "v3", "v4", "v5")
    assert evidence.held_out.sum() == 20
    assert evidence.targets[0].outcome == "participation"
    assert "ever took part" in evidence.targets[0].says
    assert set(evidence.files) == {"adoption.csv"}
    assert plan.simulator.communities == tuple(range(8))
    assert set(plan.simulator.communities).isdisjoint(plan.fresh.communities)


def test_the_digest_covers_data_and_scenario_and_not_the_number_of_trials(folder: Path) -> None:
    digest = plan_of(folder).digest
    assert plan_of(folder, search={"trials": 500}).digest == digest
    assert plan_of(folder, title="Another title").digest == digest
    assert plan_of(folder, search={"seed": 2}).digest != digest
    assert plan_of(folder, set={"community.residents": 110}).digest != digest
    (folder / "adoption.csv").write_text(ADOPTION.replace("v0,4,0.08", "v0,4,0.09"), "utf-8")
    assert plan_of(folder).digest != digest


def test_counts_are_shares_of_those_observed(folder: Path) -> None:
    (folder / "counts.csv").write_text("week,value,of,standard_error\n0,10,50,1\n4,20,80,2\n8,30,60,3\n")
    plan = plan_of(folder, observed={"curves": [{"file": "counts.csv"}]}, holdout={"last_weeks": 4})
    assert plan.evidence.values.tolist() == [0.2, 0.25, 0.5]
    assert plan.evidence.errors.tolist() == [0.02, 0.025, 0.05]
    assert plan.evidence.held_out.tolist() == [False, False, True]


def test_weights_of_targets_add_up_whatever_their_length(folder: Path) -> None:
    (folder / "short.csv").write_text("week,value\n0,0.1\n4,0.5\n")
    observed = {
        "curves": [{"file": "adoption.csv"}, {"file": "short.csv", "weight": 3}],
        "statistics": [{"arm": "none", "value": 0.4, "standard_error": 0.05}],
    }
    evidence = plan_of(folder, observed=observed).evidence
    weights = evidence.weights(~evidence.held_out)
    scales = [target.scale for target in evidence.targets]
    sums = [float(weights[evidence.target == k].sum()) * scales[k] for k in range(3)]
    assert sums == pytest.approx([0.2, 0.6, 0.2])
    assert not weights[evidence.held_out].any()


def test_replicates_are_communities_unless_the_file_says_otherwise(folder: Path) -> None:
    plan = plan_of(folder, replicates={})
    assert (len(plan.simulator.communities), len(plan.simulator.luck)) == (16, 1)


def test_observed_communities_can_differ_in_the_scenario(folder: Path) -> None:
    plan = plan_of(folder, communities={"v1": {"community.residents": 60}, "v4": {"community.residents": 70}})
    sizes = [worlds.base.community.residents for worlds in plan.simulator.worlds]
    assert sizes == [100, 60, 70]
    by_community = dict(zip(plan.evidence.table["community"], plan.simulator.world_of, strict=True))
    assert by_community == {"v0": 0, "v1": 1, "v2": 0, "v3": 0, "v4": 2, "v5": 0}
    predicted = plan.simulator.predict([{}])
    assert predicted.shape == (1, 8, 60)
    assert {round(share * 60) / 60 == share for share in predicted[0][:, 10]} == {True}


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"fators": {}}, "unknown key 'fators'; allowed: schema_version, name"),
    "no holdout": ({"holdout": None}, "holdout is empty; allowed: none, or last_weeks, communities"),
    "empty holdout": ({"holdout": {}}, "holdout holds nothing; allowed: none, or last_weeks"),
    "holdout word": ({"holdout": "nothing"}, "holdout is 'nothing'; allowed: none, or last_weeks"),
    "all held out": ({"holdout": {"last_weeks": 40}}, "keeps all that was observed; allowed: less"),
    "no such community": (
        {"holdout": {"communities": ["v9"]}},
        "holdout.communities[0] is 'v9'; allowed: v0, v1",
    ),
    "no such statistic": ({"holdout": {"statistics": ["x"]}}, "holdout.statistics[0] is 'x'; allowed: none"),
    "nothing observed": ({"observed": {}}, "observed holds nothing; allowed: curves, statistics"),
    "no such file": (
        {"observed": {"curves": [{"file": "adoptoin.csv"}]}},
        "observed.curves[0].file is 'adoptoin.csv', which cannot be read",
    ),
    "no such arm": (
        {"observed": {"curves": [{"file": "adoption.csv", "arm": "outreach"}]}},
        "observed.curves[0].arm is 'outreach'; allowed: none",
    ),
    "no such outcome": (
        {
            "observed": {
                "statistics": [
                    {"outcome": "participatoin_fe", "arm": "none", "value": 1, "standard_error": 1}
                ]
            },
            "holdout": "none",
        },
        "allowed: a column of the table of runs, such as participation_fe; did you mean 'participation_fe'?",
    ),
    "adopted where people leave": (
        {"set": {"behaviour.irreversible": False}},
        "the share who ever took part, which is not recorded where people can leave",
    ),
    "no such place": (
        {"factors": {"behaviour.tell_participnt": {"low": 0, "high": 1}}},
        "did you mean 'tell_participant'?",
    ),
    "range": ({"factors": {TELL: {"low": 1, "high": 0}}}, "allowed: a number above low, 1"),
    "too few communities": (
        {"replicates": {"communities": 3, "luck": 9}},
        "replicates.communities is 3; allowed: at least 4",
    ),
    "set refused": (
        {"set": {"community.residents": -1}},
        "set.community.residents is -1, which the scenario",
    ),
    "unknown community": ({"communities": {"w": {}}}, "communities: 'w' was not observed; allowed: v0, v1"),
    "community refused": (
        {"communities": {"v1": {"community.residents": -1}}},
        "communities.v1: the scenario refuses this: community.residents is -1",
    ),
    "named twice": (
        {"observed": {"curves": [{"file": "adoption.csv", "outcome": "adopted"}] * 2}},
        "names observed.curves[0] too; allowed: another name",
    ),
    "trials": ({"search": {"trials": 0}}, "search.trials is 0; allowed: "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_with_its_line(folder: Path, mistake: str) -> None:
    changes, sentence = MISTAKES[mistake]
    with pytest.raises(MobsimError) as told:
        plan_of(folder, **changes)
    assert sentence in str(told.value)
    assert "calibration.yaml, line " in str(told.value)
    assert "\n" not in str(told.value)


WRONG_DATA = {
    "week,value\n0,0.1\n40,0.2\n": "line 3: week is '40'; allowed: whole numbers from 0 to 39, the last week",
    "week,value\n0,0.1\n4,x\n": "line 3: value is 'x'; allowed: a share from 0 to 1; for counts say of",
    "week,value\n0,7\n": "line 2: value is '7'; allowed: a share from 0 to 1; for counts say of",
    "week,value,of\n0,7,5\n": "line 2: value is '7'; allowed: a count from 0 to 5",
    "week,value,of\n0,7,\n": "line 2: of is ''; allowed: a number above 0",
    "week,valu\n0,7\n": "line 1: column 'valu' is unknown; allowed: week, value, of",
    "week\n0\n": "line 1: column 'value' is missing",
    "week,week,value\n0,0,1\n": "line 1: column 'week' stands twice",
    "week,value\n0,0.1,3\n": "line 2: the line has 3 cells; allowed: 2",
    "week,value\n0,0.1\n0,0.2\n": "line 3: week 0 stands on line 2 too; allowed: once",
    "week,value,group\n0,0.1,everybod\n": "did you mean 'everybody'?",
    "week,value,standard_error\n0,0.1,-1\n": "line 2: standard_error is '-1'",
    "week,value\n": "line 1: the file has no row",
    "": "line 1: the file is empty",
}


@pytest.mark.parametrize("text", WRONG_DATA)
def test_wrong_data_are_told_with_their_line(folder: Path, text: str) -> None:
    (folder / "adoption.csv").write_text(text, "utf-8")
    with pytest.raises(MobsimError) as told:
        plan_of(folder)
    assert WRONG_DATA[text] in str(told.value)
    assert "adoption.csv, line" in str(told.value)


def test_a_file_without_a_version_is_refused(folder: Path) -> None:
    data = asks()
    del data["schema_version"]
    file = write_calibration(folder)
    file.write_text(file.read_text("utf-8").replace("schema_version: 1\n", ""), "utf-8")
    with pytest.raises(MobsimError, match="schema_version is missing; allowed: 1"):
        load_calibration(file)


def test_a_trial_that_the_scenario_refuses_predicts_nothing(folder: Path) -> None:
    plan = plan_of(folder)
    predicted = plan.simulator.predict([{TELL: 0.01}, {TELL: -1.0}, {MEDIA: 0.05}])
    assert [bool(row) for row in (predicted != predicted).all(axis=(1, 2))] == [False, True, False]


def test_trials_are_lanes_of_one_simulation_and_do_not_depend_on_each_other(folder: Path) -> None:
    plan = plan_of(folder)
    together = plan.simulator.predict([{TELL: 0.01}, {TELL: 0.05, MEDIA: 0.004}])
    alone = plan.simulator.predict([{TELL: 0.05, MEDIA: 0.004}])
    assert (together[1] == alone[0]).all()
    assert len(plan.simulator._families([{TELL: 0.01}, {TELL: 0.05, MEDIA: 0.004}])) == 1


def test_curves_and_numbers_are_those_of_the_tables(folder: Path) -> None:
    from mobsim.engine.run import simulate

    statistic = {"outcome": "aware_end", "arm": "none", "value": 0.4, "standard_error": 0.05}
    plan = plan_of(
        folder, observed={"curves": [{"file": "adoption.csv"}], "statistics": [statistic]}, holdout="none"
    )
    predicted = plan.simulator.predict([{}])[0]
    records = simulate(plan.base, arms=["none"], communities=8, luck=1)
    weeks = records.weeks().pivot(index="community", columns="week", values="participation")
    rows = plan.evidence.table["week"].to_numpy()
    assert (predicted[:, :-1] == weeks[rows[:-1]].to_numpy()).all()
    assert (predicted[:, -1] == records.runs()["aware_end"].to_numpy()).all()


def test_villages_with_people_and_ties_of_their_own_are_one_community_each(tmp_path: Path) -> None:
    for name, n in (("a", 20), ("b", 30)):
        (tmp_path / f"{name}.csv").write_text("id\n" + "".join(f"p{i}\n" for i in range(n)))
        (tmp_path / f"{name}_ties.csv").write_text(
            "from,to\n" + "".join(f"p{i},p{i - 1}\n" for i in range(1, n))
        )
    world = re.sub(" *residents: .*\n", "", WORD_OF_MOUTH).replace(
        "{kind: households, degree: 8}   # [A]", "{kind: files, people: a.csv, ties: a_ties.csv}"
    )
    (tmp_path / "world.yaml").write_text(world, "utf-8")
    (tmp_path / "adoption.csv").write_text("community,week,value\na,0,0.1\na,9,0.2\nb,0,0.1\nb,9,0.5\n")
    own = {"community.network.people": "b.csv", "community.network.ties": "b_ties.csv"}
    plan = plan_of(tmp_path, replicates={}, communities={"b": own}, holdout={"communities": ["b"]})
    assert plan.simulator.communities == plan.fresh.communities == (0,)
    assert set(plan.simulator.luck).isdisjoint(plan.fresh.luck)
    assert plan.simulator.units == tuple(range(16))
    predicted = plan.simulator.predict([{TELL: 0.05}])[0]
    assert (predicted[:, :2] * 20 % 1 == 0).all()
    assert (abs(predicted[:, 2:] * 30 - (predicted[:, 2:] * 30).round()) < 1e-9).all()
    with pytest.raises(MobsimError, match=r"replicates.communities is 2; allowed: 1, because an imported"):
        plan_of(
            tmp_path, replicates={"communities": 2}, communities={"b": own}, holdout={"communities": ["b"]}
        )
