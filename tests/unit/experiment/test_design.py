"""Design files: what they hold, and one sentence for every mistake."""

from __future__ import annotations

import pytest

from mobsim.errors import MobsimError
from mobsim.experiment.design import InvalidDesign, load_design
from mobsim.experiment.factors import Factor, parts_of, same
from mobsim.scenario.faults import InvalidScenario

pytestmark = pytest.mark.quick

DESIGN = """\
schema_version: 1
name: targeting
scenario: vaccination_district
arms: [outreach, training]
factors:
  behaviour.social_weight: {low: 0, high: 1}
  campaign.budget_per_resident: {values: [5, 10], name: budget}
  community.network: {values: [{kind: households}, {kind: ring}], labels: [near, ring], name: network}
design: {kind: sobol, points: 64, seed: 1}
"""


def refused(tmp_path, old, new, design=DESIGN):
    """Return the sentence about a design in which something was replaced, without the folder."""
    assert old in design
    path = tmp_path / "design.yaml"
    path.write_text(design.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidScenario) as caught:
        load_design(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_design_is_read_with_its_defaults(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text(DESIGN, encoding="utf-8")
    design = load_design(path)
    assert design.arms == ("outreach", "training")
    assert design.outcome == "participation_fe"
    assert design.record.weeks == "decisions"
    assert design.replicates.communities is None
    assert design.factors["behaviour.social_weight"].high == 1.0
    assert design.folder == tmp_path
    assert design == design.load(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("schema_version: 1\n", "", "design.yaml: schema_version is missing; allowed: 1"),
        ("schema_version: 1", "schema_version: 2", "design.yaml, line 1: schema_version is 2; allowed: 1"),
        ("name: targeting", "name: 5x", "line 2: name is '5x'; allowed: a word of up to 40 letters"),
        ("\nscenario:", "\nscenarios:", "scenario is missing; allowed: a text"),
        ("arms: [out", "arms: [5, out", "line 4: arms[0] is 5; allowed: a text"),
        (
            "design: {kind: sobol, points: 64, seed: 1}",
            "",
            "design.yaml: design is missing; allowed: a mapping",
        ),
        ("kind: sobol", "kind: sobel", "line 9: design.kind is 'sobel'; allowed: grid, halton"),
        ("kind: sobol", "kind: sobel", "sobol; did you mean 'sobol'?"),
        ("kind: sobol, ", "", "line 9: design.kind is missing; allowed: grid, halton"),
        (
            "points: 64",
            "points: 60",
            "line 9: design.points is 60; allowed: a power of two, such as 32 or 64",
        ),
        ("sobol, points: 64", "saltelli, points: 5", "design.points is 5; allowed: a power of two"),
        ("seed: 1}", "sede: 1}", "unknown key 'sede'; allowed: kind, points, seed; did you mean 'seed'?"),
        (
            "sobol, points: 64",
            "halton, points: 2000000",
            "design.points is 2000000; allowed: a whole number from",
        ),
        (
            "sobol, points: 64",
            "morris, levels: 3, trajectories: 4",
            "design.levels is 3; allowed: an even whole",
        ),
        ("{low: 0, high: 1}", "", "line 6: factors.behaviour.social_weight says neither a range nor values"),
        ("{low: 0, high: 1}", "5", "factors.behaviour.social_weight is 5; allowed: a mapping with low, high"),
        ("high: 1", "hihg: 1", "unknown key 'hihg'; allowed: low, high, scale"),
        ("high: 1", "high: a", "line 6: factors.behaviour.social_weight.high is 'a'; allowed: a number"),
        ("high: 1", "high: 0", "social_weight.high is 0; allowed: a number above low, 0"),
        (", high: 1", "", "line 6: factors.behaviour.social_weight.high is missing; allowed: a number"),
        (
            "high: 1",
            "high: 1, scale: log",
            "social_weight.low is 0; allowed: a number above 0, since scale is log",
        ),
        (
            "high: 1",
            "high: 1.5, whole: true",
            "social_weight.high is 1.5; allowed: a whole number, since whole",
        ),
        (
            "high: 1",
            "high: 1, whole: true, levels: 3",
            "levels is 3; allowed: at most 2, the whole numbers from",
        ),
        ("high: 1", "high: 1, levels: 1", "levels is 1; allowed: a whole number from 2 to 10,000"),
        ("high: 1", "high: 1, values: [1]", "social_weight has a range and values; allowed: one of them"),
        (
            "values: [5, 10]",
            "values: [5, 5]",
            "line 7: factors.campaign.budget_per_resident.values: 5 stands twice",
        ),
        (
            "values: [5, 10]",
            "values: []",
            "budget_per_resident.values is a list; allowed: a list of at least 1",
        ),
        (
            "values: [5, 10]",
            "values: [5], levels: 2",
            "levels belongs to a range; allowed: together with low",
        ),
        ("[near, ring]", "[near]", "labels is a list of 1; allowed: one label for each of the 2 values"),
        ("[near, ring]", "[near, near]", "line 8: factors.community.network.labels: 'near' stands twice"),
        ("name: budget", "name: week", "'week' is a column of every table; allowed: another name"),
        ("name: budget", "name: network", "'network' names factors.campaign.budget_per_resident too"),
        (
            "name: budget",
            "places: [a.b], name: c",
            "name is set, but a factor with places is named by its key",
        ),
        ("name: budget", "places: [community.network]", "community.network is set by"),
        ("behaviour.social", "behaviour..social", "'behaviour..social_weight' is not a place; allowed: keys"),
        (
            "kind: sobol, points: 64, seed: 1",
            "kind: grid",
            "levels is missing; allowed: a whole number of at least",
        ),
        (
            "arms:",
            "replicates: {communities: 0}\narms:",
            "line 4: replicates.communities is 0; allowed: a whole",
        ),
        ("arms:", "record: {weeks: never}\narms:", "record.weeks is 'never'; allowed: all, decisions, none"),
        ("seed: 1}", "seed: 1", "this is not YAML"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, old, new, sentence):
    found = refused(tmp_path, old, new)
    assert found.startswith("design.yaml")
    assert sentence in found
    assert "\n" not in found


@pytest.mark.parametrize(
    "line",
    ["set: {arms.outreach.activities[0].share: 0.5}", "set: {seed: 3, arms.outreach.activities[0].share: 1}"],
)
def test_a_place_with_brackets_between_braces_needs_quotes(tmp_path, line):
    path = tmp_path / "design.yaml"
    path.write_text(f"schema_version: 1\nname: example\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidScenario) as error:
        load_design(path)
    place = "arms.outreach.activities[0].share"
    assert str(error.value) == (
        f"{path}, line 3: {place} stands bare between braces or brackets, where [ begins a list; allowed: "
        f'quotes around it, "{place}", or a line of its own for every key'
    )


def test_no_more_points_than_a_million(tmp_path):
    levels = (
        "behaviour.noise: {low: 0, high: 1, levels: 2000}\n  behaviour.lapse: {low: 0, high: 1, levels: 2000}"
    )
    design = DESIGN.replace("behaviour.social_weight: {low: 0, high: 1}", levels)
    found = refused(tmp_path, "kind: sobol, points: 64, seed: 1", "kind: grid", design)
    assert "design makes 16,000,000 points; allowed: at most 1,000,000" in found


def test_all_faults_are_kept(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text(DESIGN.replace("high: 1", "high: 0").replace("points: 64", "points: 3"), encoding="utf-8")
    with pytest.raises(InvalidDesign) as caught:
        load_design(path)
    assert len(caught.value.sentences) == len(caught.value.faults) == 2


def test_a_file_that_is_not_there(tmp_path):
    for path, found in ((tmp_path, "a folder"), (tmp_path / "x.yaml", "not there")):
        with pytest.raises(MobsimError, match=f"is {found}; allowed: a design file"):
            load_design(path)


@pytest.mark.parametrize(
    ("factor", "values"),
    [
        (Factor("x", ("x",), low=0.0, high=1.0), [0.0, 0.25, 0.5, 1.0]),
        (Factor("x", ("x",), low=1.0, high=16.0, scale="log"), [1.0, 2.0, 4.0, 16.0]),
        (Factor("x", ("x",), low=1, high=4, whole=True), [1, 2, 3, 4]),
        (Factor("x", ("x",), values=("a", "b", None)), ["a", "a", "b", None]),
        (Factor("x", ("x",), low=0.1, high=0.3), [0.1, 0.15, 0.2, 0.3]),
    ],
)
def test_a_place_in_the_unit_interval_becomes_a_value(factor, values):
    assert [factor.at(unit) for unit in (0.0, 0.25, 0.5, 1.0)] == values


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_whole_numbers_stay_in_their_range_and_are_all_hit(scale):
    factor = Factor("x", ("x",), low=1, high=7, whole=True, scale=scale)
    found = [factor.at(step / 1000) for step in range(1001)]
    assert found == sorted(found)
    assert set(found) == set(range(1, 8))
    if scale == "linear":
        counts = [found.count(number) for number in range(1, 8)]
        assert max(counts) - min(counts) <= 1


def test_levels_include_both_ends():
    assert Factor("x", ("x",), low=1.0, high=100.0, scale="log", levels=3).level_values() == (
        1.0,
        10.0,
        100.0,
    )
    assert Factor("x", ("x",), low=1, high=4, whole=True, levels=3).level_values() == (1, 3, 4)
    assert Factor("x", ("x",), low=0.0, high=0.5).level_values() == (0.0, 0.5)


def test_labels_of_values():
    kinds = ({"kind": "ring"}, {"kind": "ring", "degree": 8})
    assert Factor("x", ("x",), values=kinds).label({"kind": "ring", "degree": 8}) == "ring, degree 8"
    assert Factor("x", ("x",), values=kinds, labels=("few", "many")).label({"kind": "ring"}) == "few"
    assert Factor("x", ("x",), values=(None, 13)).label(None) == "null"
    assert Factor("x", ("x",), values=(1, 2)).numeric
    assert not Factor("x", ("x",), values=(True, False)).numeric
    assert not Factor("x", ("x",), values=(None, 13)).numeric


def test_what_is_the_same():
    assert same({"a": [1, 2.0]}, {"a": (1.0, 2)})
    assert not same({"a": 1}, {"a": True})
    assert not same([1], [1, 2])
    assert not same("1", 1)
    assert parts_of("arms.a.activities[12].target.rule") == ("arms", "a", "activities", 12, "target", "rule")
