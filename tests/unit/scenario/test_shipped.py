"""The scenarios that come with mobsim: right, tagged, and under the names that the documents use."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobsim.errors import ScenarioError
from mobsim.scenario.catalogue import find_scenario, shipped_folder, shipped_scenarios, title_of
from mobsim.scenario.document import read_document
from mobsim.scenario.dump import plain
from mobsim.scenario.file import load_scenario, read_scenario
from mobsim.scenario.resolve import resolve
from mobsim.scenario.warn import people_reached, warnings_of

pytestmark = pytest.mark.quick

LIMITS = {
    "granovetter_domino",
    "granovetter_normal",
    "watts_window",
    "gleeson_cahalane",
    "centola_macy",
    "noisy_threshold_ring",
    "noisy_threshold_random",
    "independent_cascade",
    "percolation",
    "si",
    "linear_threshold",
    "bass",
    "logit_equilibrium",
    "banerjee_information",
    "banerjee_endorsement",
    "olson_free_riding",
    "marwell_oliver_assurance",
}


def test_everything_promised_is_there() -> None:
    names = set(shipped_scenarios())
    worlds = {"a_information", "b_capability", "c_barrier", "d_trust"}
    assert {"vaccination_district", *(f"four_villages_{world}" for world in worlds)} <= names
    assert {f"limits/{limit}" for limit in LIMITS} <= names


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_is_right(name: str) -> None:
    scenario, document = read_scenario(name)
    assert scenario.name == name.rsplit("/", 1)[-1]
    assert scenario.title == title_of(find_scenario(name))
    assert scenario.sources
    assert scenario.check
    assert "tags" not in document.data, "shipped scenarios write their tags as comments"
    assert all(check.source.startswith("[") for check in scenario.check)


def test_the_vaccination_scenario_asks_what_it_promises() -> None:
    scenario = load_scenario("vaccination_district")
    assert scenario.community.residents == 4000
    assert plain(scenario)["community"]["network"]["villages"] == 8
    assert {"outreach", "training", "advocacy", "mixed", "nominated", "leaders", "ambassadors"} < set(
        scenario.arms
    )
    assert {goal.indicator for goal in scenario.goals} == {"participation", "gap"}
    assert scenario.tags["community.residents"].startswith("[V")


def test_a_name_finds_the_file_and_a_wrong_one_its_neighbour() -> None:
    assert find_scenario("bass") == find_scenario("limits/bass") == shipped_folder() / "limits" / "bass.yaml"
    assert find_scenario("elsewhere/mine.yaml") == Path("elsewhere/mine.yaml")
    with pytest.raises(ScenarioError, match="did you mean 'vaccination_district'"):
        find_scenario("vacination_district")


def test_warnings_name_what_is_unusual(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        "schema_version: 2\ntitle: t\ndescription: d\n"
        "behaviour: {social_weight: 1.5}   # [A]\n"
        "campaign: {budget_per_resident: 0.5}   # [A]\n"
        "arms:\n  idle: {activities: []}\n  visits:\n    activities: [{kind: visit, share: 1}]   # [A]\n"
        "goals:\n  - {at_least: 0.9, by_week: 77}   # [A]\n",
        encoding="utf-8",
    )
    scenario, document = read_scenario(path)
    told = [sentence.split(": ", 1)[1] for sentence in warnings_of(scenario, document)]
    assert told == [
        "behaviour.social_weight is 1.5, outside the usual 0 to 1",
        "campaign.budget_per_resident is 0.5, outside the usual 1 to 50",
        "arms.idle buys nothing, so it equals none",
        "goals[0] asks for 892 more residents than take part at the start, but the money of no arm reaches "
        "more than 500 (visits): the rest would have to come by themselves",
    ]
    assert people_reached(scenario, "visits") == 500


def told_about(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "warned.yaml"
    path.write_text(f"schema_version: 2\ntitle: t\ndescription: d\n{text}", encoding="utf-8")
    scenario, document = read_scenario(path)
    return [sentence.split(": ", 1)[1] for sentence in warnings_of(scenario, document)]


def test_a_goal_within_reach_of_the_cheapest_line_is_not_warned_about(tmp_path: Path) -> None:
    """A visit costs 1, a seat in a workshop 6: 700 people are missing (0.73 less 0.03 of 1,000)."""
    text = (
        "community:   # [A]\n"
        "  groups: {all_of_us: {share: 1}}\n  initial: {aware: everyone, participating: {share: 0.03}}\n"
        "campaign: {budget_per_resident: BUDGET}   # [A]\n"
        "arms:   # [A]\n  one:\n    activities:\n"
        "      - {kind: visit, share: 0.1}\n      - {kind: skills, share: 0.9}\n"
        "goals:\n  - {at_least: 0.73, by_week: 77}   # [A]\n"
    )
    assert not [told for told in told_about(tmp_path, text.replace("BUDGET", "0.7")) if "goals" in told]
    found = [told for told in told_about(tmp_path, text.replace("BUDGET", "0.69")) if "goals" in told]
    assert found == [
        "goals[0] asks for 700 more residents than take part at the start, but the money of no arm reaches "
        "more than 690 (one): the rest would have to come by themselves"
    ]


def test_media_reach_for_the_price_of_a_listener(tmp_path: Path) -> None:
    """A week of media costs 100 for 1,000 residents and reaches .04 of them: 2.5 a listener."""
    scenario = resolve(
        {
            "schema_version": 2,
            "title": "t",
            "description": "d",
            "arms": {
                "media": {"activities": [{"kind": "media", "share": 1.0}]},
                "lobby": {"activities": [{"kind": "lobby", "share": 1.0}]},
            },
        }
    )
    price = scenario.activities["media"].cost / (scenario.activities["media"].reach * 1000)
    assert people_reached(scenario, "media") == pytest.approx(10_000 / price)
    assert people_reached(scenario, "lobby") == 0


def test_groups_as_capable_as_organizers_are_warned_about(tmp_path: Path) -> None:
    groups = "community: {groups: {us: {share: 0.5, capability: 0.45}, them: {share: 0.5}}}   # [A]\n"
    assert told_about(tmp_path, groups) == [
        "community.groups.us.capability is 0.45, not below behaviour.organizer_capability, which is 0.45: "
        "everybody who stays becomes an organizer"
    ]
    assert told_about(tmp_path, groups + "behaviour: {organizer_start: 0}   # [A]\n") == []


def test_surveys_and_policies_that_do_nothing_are_warned_about(tmp_path: Path) -> None:
    told = told_about(
        tmp_path,
        "campaign: {budget_per_resident: 1}   # [A]\n"
        "behaviour: {organizer_start: 0}   # [A]\n"
        "arms:\n"
        "  dear:   # [A]\n    survey: 600\n    activities:\n      - {kind: visit, share: 1}\n"
        "  aimed:   # [A]\n    policy: equity\n    activities:\n"
        "      - {kind: visit, share: 1, target: leaders}\n      - {kind: stipend, share: 1}\n"
        "goals:\n  - {at_least: 0.1, by_week: 77}   # [A]\n",
    )
    assert told == [
        "arms.dear.survey costs 1,200, more than the arm's budget of 1,000: nobody is asked",
        "arms.aimed.activities[1]: stipend is for organizers, and nobody becomes one (organizer_start is 0)",
    ]


def test_lines_are_those_of_the_file() -> None:
    document = read_document(find_scenario("vaccination_district"))
    lines = find_scenario("vaccination_district").read_text("utf-8").splitlines()
    for path, line in document.lines.items():
        if path and isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]


def test_the_page_on_scenarios_names_all() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "scenarios.md").read_text("utf-8")
    assert [name for name in shipped_scenarios() if f"`{name}`" not in page] == []


def test_the_example_on_the_page_about_files_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "scenario_files.md").read_text("utf-8")
    example = tmp_path / "example.yaml"
    example.write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    scenario, document = read_scenario(example)
    assert list(scenario.arms) == ["none", "at_random", "named_by_others"]
    assert warnings_of(scenario, document) == ()
