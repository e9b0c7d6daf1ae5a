"""Plans: places held against the scenario, worlds at points, what points share, and the digest."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobsim.engine import points
from mobsim.errors import MobsimError, ScenarioError, UsageError
from mobsim.experiment.design import InvalidDesign
from mobsim.experiment.plan import DRAWN_WITH, NOT_BUILT, plan_from, plan_record, plan_sweep, work_of
from mobsim.experiment.tasks import RunKey
from mobsim.experiment.worlds import worlds_of
from mobsim.scenario.dump import plain
from mobsim.scenario.file import load_scenario, read_scenario

pytestmark = pytest.mark.quick

VILLAGE = """\
schema_version: 2
title: A small village
description: Two strategies under one budget.
community: {residents: 80}           # [A]
behaviour: {noise: 0.1}              # [A]
campaign: {burn_in_weeks: 4, funding_starts_week: 2, funding_ends_week: 8, horizon_weeks: 12}  # [A]
arms:
  outreach: {activities: [{kind: visit, share: 0.5, target: nominated}, {kind: meeting, share: 0.5}]}  # [A]
  asking:                            # [A]
    policy: reasons
    survey: 10
    activities: [{kind: visit, share: 0.5}, {kind: skills, share: 0.5}]
goals: [{name: tenth, at_least: 0.1, by_week: 7}]  # [A]
check:
  - {fact: asking does more, arm: asking, against: outreach, at_least: 0.0, source: "[A]"}
replicates: {communities: 3, luck: 2}
"""

BARE = "schema_version: 2\ntitle: Nothing said\ndescription: Only defaults.\n"

DESIGN = """\
schema_version: 1
name: small
scenario: village.yaml
factors:
  PLACE: VALUES
design: {kind: grid}
"""


def plan_of(folder, factors, scenario=VILLAGE, **more):
    (folder / "village.yaml").write_text(scenario, encoding="utf-8")
    data = {"name": "small", "scenario": str(folder / "village.yaml"), "factors": factors, **more}
    return plan_sweep({"design": {"kind": "grid"}, **data})


def refused(folder, place, values, scenario=VILLAGE, more=""):
    (folder / "village.yaml").write_text(scenario, encoding="utf-8")
    design = folder / "design.yaml"
    design.write_text(DESIGN.replace("PLACE", place).replace("VALUES", values) + more, encoding="utf-8")
    with pytest.raises(InvalidDesign) as caught:
        plan_sweep(design)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("place", "values"),
    [
        ("behaviour.social_weight", [0.1, 0.9]),
        ("behaviour.thresholds.mean", [0.3]),
        ("behaviour.thresholds", [{"kind": "constant", "value": 0.2}]),
        ("behaviour.awareness_half_life", [None, 20.0]),
        ("campaign.budget_per_resident", [5, 10.0]),
        ("campaign.horizon_weeks", [10, 14]),
        ("campaign.currency", ["EUR"]),
        ("community.residents", [60, 100]),
        ("community.leaders.share", [0.1]),
        ("community.network", [{"kind": "ring"}, {"kind": "households", "villages": 2}]),
        ("community.network.degree", [8]),
        ("community.groups.marginalized.barrier", [0.3]),
        ("community.organizations[0].capacity", [0.9]),
        ("arms.outreach.policy", ["fixed", "assessed"]),
        ("arms.outreach.activities[0].share", [0.2, 0.9]),
        ("arms.outreach.activities[0].target.rule", ["random", "degree", "nominated"]),
        ("arms.outreach.activities[1].target.rule", ["random", "leaders"]),
        ("arms.outreach.activities", [[{"kind": "media", "share": 1.0}]]),
        ("arms.asking.survey.respondents", [20]),
        ("arms.outreach.survey", [None, 15]),
        ("activities.visit.cost", [2.0]),
        ("goals[0].at_least", [0.2]),
        ("seed", [1, 2]),
    ],
)
def test_every_kind_of_place_can_vary(tmp_path, place, values):
    plan = plan_of(tmp_path, {place: {"values": values}})
    before = plain(plan.base)
    for point, value in enumerate(values):
        after = plain(plan.world(point))
        assert plan.overrides(point) == {place: value}
        changed = {key for key in after if after[key] != before[key]}
        assert changed <= {place.split(".")[0].split("[")[0], "activities"}


def test_places_of_default_sections_can_vary_too(tmp_path):
    """A file that names no arms and groups has default ones; changing a part leaves the rest as it is."""
    for place, value in (
        ("arms.outreach.activities[0].share", 0.9),
        ("community.groups.majority.trust", 0.7),
        ("community.organizations[1].capacity", 0.9),
        ("behaviour.thresholds.sd", 0.2),
        ("activities.visit.cost", 3.0),
        ("community.initial.aware", "everyone"),
    ):
        plan = plan_of(tmp_path, {place: {"values": [value]}}, BARE)
        world = plan.world(0)
        assert list(world.arms) == list(plan.base.arms)
        assert list(world.community.groups) == list(plan.base.community.groups)
        assert len(world.community.organizations) == len(plan.base.community.organizations)
        assert world != plan.base


@pytest.mark.parametrize(
    ("place", "values", "sentence"),
    [
        (
            "behaviour.social_wieght",
            "{values: [1]}",
            "line 5: factors: behaviour.social_wieght is not a place: "
            "behaviour has no 'social_wieght'; allowed: social_weight, noise",
        ),
        ("behaviour.social_wieght", "{values: [1]}", "did you mean 'social_weight'?"),
        (
            "arms.outraech.policy",
            "{values: [fixed]}",
            "arms has no 'outraech'; allowed: none, outreach, asking; did",
        ),
        ("behavior.noise", "{values: [1]}", "the scenario has no 'behavior'; allowed: unit, preset"),
        ("arms.outreach.activities[2].share", "{values: [1]}", "is a list; allowed: positions from 0 to 1"),
        (
            "behaviour.noise.mean",
            "{values: [1]}",
            "behaviour.noise is 0.1, which has no parts; allowed: behaviour.noise",
        ),
        ("arms", "{values: [1]}", "arms cannot vary as a whole"),
        ("replicates.luck", "{values: [1]}", "replicates.luck cannot vary: the design's own replicates say"),
        ("tags", "{values: [1]}", "tags cannot vary"),
        (
            "behaviour.noise",
            "{values: [0.1, -2]}",
            "line 5: factors.behaviour.noise.values[1] is -2, which the scenario "
            "refuses: behaviour.noise is -2; allowed: a number from 0 to 10",
        ),
        (
            "behaviour.noise",
            "{low: 0, high: 11, levels: 2}",
            "factors.behaviour.noise.high is 11.0, which the scenario refuses",
        ),
        ("campaign.horizon_weeks", "{low: 10, high: 20, levels: 2}", "write whole: true"),
        (
            "campaign.horizon_weeks",
            "{low: 3, high: 20, whole: true, levels: 2}",
            "horizon_weeks.low is 3, which the scenario",
        ),
        ("arms.outreach.policy", "{values: [fixed, reason]}", "did you mean 'reasons'?"),
        (
            "behaviour.noise",
            "{values: [1], name: participation_fe}",
            "is a column of the table of runs; allowed: another",
        ),
        ("arms.asking.survey.respondent", "{values: [5]}", "has no 'respondent'; allowed: respondents"),
        ("arms.outreach.activities[1].target.rul", "{values: [random]}", "unknown key 'rul'"),
    ],
)
def test_a_place_or_value_that_cannot_be(tmp_path, place, values, sentence):
    found = refused(tmp_path, place, values)
    assert found.startswith("design.yaml, line 5: ")
    assert sentence in found


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("arms: [outraech]\n", "line 7: arms[0] is 'outraech'; allowed: none, outreach, asking; did"),
        (
            "outcome: participation\n",
            "line 7: outcome is 'participation'; allowed: a column of the table of runs",
        ),
        ("outcome: reach__minority\n", "outcome is 'reach__minority'"),
        (
            "set: {behaviour.nois: 1}\n",
            "line 7: set.behaviour.nois is 1, which the scenario refuses: behaviour: unknown",
        ),
        ("set: {campaign.horizon_weeks: 3}\n", "set.campaign.horizon_weeks is 3, which the scenario refuses"),
        ("set: {a..b: 3}\n", "set: 'a..b' is not a place"),
    ],
)
def test_what_else_is_held_against_the_scenario(tmp_path, more, sentence):
    assert sentence in refused(tmp_path, "behaviour.noise", "{values: [0.1]}", more=more)


def test_a_scenario_that_is_not_there(tmp_path):
    for name, sentence in (
        ("vilage.yaml", "line 3: scenario is 'vilage.yaml': "),
        ("vaccination_distric", "did you mean 'vaccination_district'?"),
    ):
        design = tmp_path / "design.yaml"
        design.write_text(
            DESIGN.replace("village.yaml", name).replace("PLACE", "seed").replace("VALUES", "{values: [1]}")
        )
        with pytest.raises(InvalidDesign) as caught:
            plan_sweep(design)
        assert sentence in str(caught.value)


def test_names_are_as_short_as_they_can_be(tmp_path):
    places = {
        "behaviour.noise": "noise",
        "behaviour.leader_noise": "leader_noise",
        "arms.outreach.activities[0].share": "outreach.activities[0].share",
        "arms.asking.activities[0].share": "asking.activities[0].share",
        "community.leaders.share": "leaders.share",
        "activities.visit.cost": "visit.cost",
    }
    plan = plan_of(tmp_path, {place: {"values": [0.4, 0.5]} for place in places})
    assert {factor.places[0]: factor.name for factor in plan.factors} == places
    table = plan.points_table()
    assert list(table.columns) == ["point", *places.values()]
    assert len(table) == 64


def test_a_factor_of_several_places_sets_them_alike(tmp_path):
    places = ["community.groups.majority.barrier", "community.groups.marginalized.barrier"]
    barrier = {"barrier": {"places": places, "values": [0.0, 0.4]}}
    plan = plan_of(tmp_path, barrier)
    assert [group.barrier for group in plan.world(1).community.groups.values()] == [0.4, 0.4]
    assert not plan.factors[0].has_base
    with pytest.raises(InvalidDesign, match="no base to start from"):
        plan_of(tmp_path, barrier, design={"kind": "one_at_a_time"})
    alike = plan_of(tmp_path, barrier, set=dict.fromkeys(places, 0.2), design={"kind": "one_at_a_time"})
    assert [point["barrier"] for point in alike.points] == [0.2, 0.0, 0.4]


def test_the_base_is_named_as_the_list_names_it(tmp_path):
    networks = [{"kind": "ring"}, {"kind": "households"}]
    plan = plan_of(
        tmp_path,
        {"community.network": {"values": networks, "labels": ["ring", "near"]}, "seed": {"values": [1, 2]}},
        design={"kind": "one_at_a_time"},
    )
    assert plan.factors[0].base == {"kind": "households"}
    assert [tuple(row) for row in plan.points_table().itertuples(index=False)] == [
        (0, "near", 1),
        (1, "ring", 1),
        (2, "near", 2),
    ]


def test_only_the_arms_that_run_are_held_against_values(tmp_path):
    scenario = VILLAGE.replace("target: nominated", "target: degree")  # the map costs 2 a resident
    with pytest.raises(InvalidDesign, match="network map"):
        plan_of(tmp_path, {"campaign.budget_per_resident": {"values": [1]}}, scenario)
    plan = plan_of(tmp_path, {"campaign.budget_per_resident": {"values": [1]}}, scenario, arms=["asking"])
    assert plan.arms == tuple(plan.base.arms) == ("none", "asking")
    assert plan.base.check == ()


def test_the_design_says_replicates_seed_and_what_is_set(tmp_path):
    plan = plan_of(tmp_path, {"behaviour.noise": {"values": [0.1, 0.2]}})
    assert (plan.communities, plan.luck, plan.base.seed) == ((0, 1, 2), (0, 1), 1)
    other = plan_sweep(
        plan.design, replicates={"communities": 2, "luck": 1}, seed=9, set={"community.residents": 60}
    )
    assert (other.communities, other.luck, other.base.seed) == ((0, 1), (0,), 9)
    assert other.base.community.residents == 60
    assert other.n_runs == 2 * 3 * 2
    assert sum(task.replicates for task in other.tasks) * 3 == other.n_runs
    assert other.digest != plan.digest


def test_runs_find_their_task(tmp_path):
    plan = plan_of(tmp_path, {"behaviour.noise": {"values": [0.1, 0.2]}})
    for task in plan.tasks:
        assert {plan.task_of(key) for key in task.runs(plan.arms)} == {task.number}
    for text, what in (("p2-c0-l0-none", "point"), ("p0-c3-l0-none", "community"), ("p0-c0-l0-media", "arm")):
        with pytest.raises(UsageError, match=f"not in the sweep: {what} is"):
            plan.task_of(RunKey.parse(text))


def test_points_that_build_the_same_communities_share_them(tmp_path):
    factors = {
        "behaviour.noise": {"values": [0.1, 0.2]},
        "behaviour.thresholds.mean": {"values": [0.3, 0.4]},
        "community.residents": {"values": [60, 80]},
    }
    weights, worlds = work_of(plan_of(tmp_path, factors))
    assert worlds == [0, 1, 2, 3, 0, 1, 2, 3]
    assert weights == [residents * (4 + 3 * 12) for residents in (60, 80)] * 4
    assert DRAWN_WITH == points.DRAWN_WITH
    assert NOT_BUILT == points.OF_LANES


def test_a_world_is_the_scenario_with_other_values(tmp_path):
    """The same as overriding the file; behaviour alone takes a shorter way to the same."""
    file = tmp_path / "village.yaml"
    plan = plan_of(tmp_path, {"seed": {"values": [1]}})
    for overrides in (
        {"behaviour.noise": 0.3},
        {"behaviour.noise": 0, "behaviour.max_wins": 2, "behaviour.awareness_half_life": None},
        {"behaviour.thresholds": {"kind": "uniform", "low": 0.1, "high": 0.5}},
        {"campaign.horizon_weeks": 20, "behaviour.lapse": 0.01},
        {"community.residents": 70},
    ):
        assert plan.worlds.at(overrides) == load_scenario(file, overrides=overrides)
    assert plan.worlds.at({}) == load_scenario(file)
    assert plan.worlds.at({"behaviour.noise": 0.3}).folder == tmp_path


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(
            ["noise", "lapse", "max_wins", "results_weight", "thresholds", "irreversible", "habit"]
        ),
        st.one_of(
            st.floats(-1, 3),
            st.integers(-1, 70),
            st.booleans(),
            st.none(),
            st.just({"kind": "constant", "value": 0.3}),
            st.just({"kind": "values", "values": [0.5]}),
        ),
        min_size=1,
    )
)
def test_behaviour_alone_gives_what_the_long_way_gives(values):
    document = read_scenario("limits/granovetter_normal")[1]
    worlds = worlds_of(document, read_scenario("limits/granovetter_normal")[0])
    overrides = {f"behaviour.{name}": value for name, value in values.items()}
    try:
        expected = load_scenario("limits/granovetter_normal", overrides=overrides)
    except ScenarioError:
        with pytest.raises(ScenarioError):
            worlds.at(overrides)
    else:
        assert worlds.at(overrides) == expected
        assert plain(worlds.at(overrides)) == plain(expected)


def test_values_that_do_not_fit_together_fail_at_their_point(tmp_path):
    plan = plan_of(
        tmp_path,
        {"campaign.horizon_weeks": {"values": [8, 12]}, "campaign.funding_ends_week": {"values": [8, 10]}},
    )
    for point in (0, 2, 3):
        plan.world(point)
    with pytest.raises(ScenarioError) as caught:
        plan.world(1)
    assert str(tmp_path) not in str(caught.value)


def test_places_inside_each_other_are_set_from_the_outside(tmp_path):
    plan = plan_of(
        tmp_path,
        {
            "community.network.degree": {"values": [6, 8]},
            "community.network": {"values": [{"kind": "ring"}, {"kind": "households"}]},
        },
    )
    assert [(w.community.network.kind, w.community.network.degree) for w in map(plan.world, range(4))] == [
        ("ring", 6),
        ("households", 6),
        ("ring", 8),
        ("households", 8),
    ]


def test_an_imported_community_is_one_and_is_found_beside_its_scenario(tmp_path):
    (tmp_path / "people.csv").write_text("id\n" + "\n".join(map(str, range(12))) + "\n")
    (tmp_path / "ties.csv").write_text(
        "from,to\n" + "\n".join(f"{k},{(k + 1) % 12}" for k in range(12)) + "\n"
    )
    scenario = VILLAGE.replace(
        "{residents: 80}", "{network: {kind: files, people: people.csv, ties: ties.csv}}"
    ).replace("{communities: 3, luck: 2}", "{luck: 2}")
    plan = plan_of(tmp_path, {"community.leaders.share": {"values": [0.1, 0.2]}}, scenario)
    assert plan.communities == (0,)
    assert plan.world(1).community.residents == 12
    assert pickle.loads(pickle.dumps(plan.worlds)).at({"community.membership": 0.1}).folder == tmp_path
    assert plan_from(plan_record(plan)).world(1) == plan.world(1)
    with pytest.raises(InvalidDesign, match=r"replicates: .* because an imported network is one community"):
        plan_of(tmp_path, {"seed": {"values": [1]}}, scenario, replicates={"communities": 2})
    (tmp_path / "ties.csv").write_text("from,to\n0,1\n")
    assert (
        plan_of(tmp_path, {"community.leaders.share": {"values": [0.1, 0.2]}}, scenario).digest != plan.digest
    )


def test_a_file_of_points_is_tried_row_by_row(tmp_path):
    csv = tmp_path / "points.csv"
    shares = {f"community.groups.{name}.share": {"name": name} for name in ("majority", "marginalized")}
    csv.write_text("majority,marginalized\n0.6,0.4\n0.9,0.1\n")
    file = {"kind": "points", "file": str(csv)}
    plan = plan_of(tmp_path, shares, design=file)
    assert [tuple(point.values()) for point in plan.points] == [(0.6, 0.4), (0.9, 0.1)]
    csv.write_text("majority,marginalized\n0.6,0.4\n0.9,0.2\n")
    with pytest.raises(
        InvalidDesign, match=r"points.csv, line 3: the scenario refuses this point: community.groups"
    ):
        plan_of(tmp_path, shares, design=file)
    csv.write_text("behaviour.noise,community.residents\n0.2,70\n")
    plan = plan_of(tmp_path, {}, design=file)
    assert plan.overrides(0) == {"behaviour.noise": 0.2, "community.residents": 70}
    assert list(plan.points_table().columns) == ["point", "behaviour.noise", "community.residents"]


def test_the_digest_covers_what_decides_the_numbers(tmp_path):
    factors = {"behaviour.noise": {"values": [0.1, 0.2]}}
    plan = plan_of(tmp_path, factors)
    assert plan.digest == plan_of(tmp_path, factors, title="Other words", question="Why?").digest
    others = (
        {"seed": 5},
        {"arms": ["asking"]},
        {"record": {"weeks": "all"}},
        {"replicates": {"luck": 1}},
        {"set": {"behaviour.lapse": 0.01}},
        {"factors": {"behaviour.noise": {"values": [0.1, 0.3]}}},
    )
    digests = {plan_sweep(plan.design, **change).digest for change in others}
    assert len(digests | {plan.digest}) == 7


def test_a_record_makes_the_same_plan_again(tmp_path):
    factors = {
        "community.network": {"values": [{"kind": "ring"}, {"kind": "households"}], "labels": ["a", "b"]},
        "behaviour.noise": {"low": 0.0, "high": 0.2, "levels": 3},
        "arms.outreach.activities": {"values": [[{"kind": "media", "share": 1.0}]]},
    }
    plan = plan_of(tmp_path, factors)
    again = plan_from(json.loads(json.dumps(plan_record(plan))))
    for name in ("points", "arms", "communities", "luck", "tasks", "digest", "base"):
        assert getattr(again, name) == getattr(plan, name), name
    assert again.points_table().equals(plan.points_table())
    assert [factor.label(factor.base) for factor in again.factors] == [f.label(f.base) for f in plan.factors]
    assert all(plain(again.world(point)) == plain(plan.world(point)) for point in range(6))
    assert str(tmp_path) not in json.dumps(plan_record(plan)["worlds"]["data"])
    with pytest.raises(MobsimError, match="written in format 0; allowed: 1"):
        plan_from({"format": 0})


def test_worlds_can_be_pickled_and_are_small(tmp_path):
    plan = plan_of(tmp_path, {"behaviour.noise": {"values": [0.1, 0.2]}})
    data = pickle.dumps(plan.worlds)
    assert len(data) < 5000
    assert pickle.loads(data).at(plan.overrides(1)) == plan.world(1)


def test_a_file_of_the_first_version_varies_too(tmp_path):
    old = VILLAGE.replace("schema_version: 2", "schema_version: 1").replace(
        "    policy: reasons\n    survey: 10\n", ""
    )
    plan = plan_of(
        tmp_path, {"behaviour.noise": {"values": [0.3]}, "community.residents": {"values": [70]}}, old
    )
    assert plan.world(0) == load_scenario(
        tmp_path / "village.yaml", overrides={"behaviour.noise": 0.3, "community.residents": 70}
    )


def test_a_point_resolves_in_a_few_milliseconds():
    plan = plan_sweep(
        {
            "name": "x",
            "scenario": "vaccination_district",
            "factors": {"campaign.budget_per_resident": {"low": 5, "high": 20}},
            "design": {"kind": "halton", "points": 100},
        }
    )
    started = time.process_time()
    for point in range(100):
        plan.world(point)
    assert (time.process_time() - started) / 100 < 0.01  # measured: 0.0014


def test_planning_imports_no_engine():
    code = (
        "import sys; from mobsim.experiment.plan import plan_sweep;"
        "plan_sweep({'name': 'x', 'scenario': 'harm_demo', 'factors': {'seed': {'values': [1]}},"
        "'design': {'kind': 'grid'}});"
        "assert not {'pandas', 'matplotlib', 'scipy', 'numba', 'SALib', 'mesa'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_examples_of_the_documentation_can_be_planned(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "designs.md").read_text(encoding="utf-8")
    (tmp_path / "points.csv").write_text(re.findall(r"```csv\n(.*?)```", page, re.S)[0])
    plans = []
    for text in re.findall(r"```yaml\n(.*?)```", page, re.S):
        (tmp_path / "design.yaml").write_text(text, encoding="utf-8")
        plans.append(plan_sweep(tmp_path / "design.yaml"))
    assert [plan.n_runs for plan in plans] == [512, 8 * 3 * 2, 3 * 2 * 2]
    for plan in plans:
        for point in range(len(plan.points)):
            plan.world(point)
