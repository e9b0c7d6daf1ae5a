"""Every concept of the mission's source text is in the code, in a shipped scenario and in an output, and it
matters.

The rows are those of docs/traceability.yaml, from which docs/traceability.md is written. A concept is
switched off in the resolved scenario; the same people with the same luck must then give another value of the
output, bit for bit. A switch that changes nothing fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from tests.theory.switching import places, resolved, settings, small_run
from tools import traceability
from tools.traceability import Row, Showing

from mobsim.campaign.activity import POLICIES, shipped_activities
from mobsim.campaign.targeting import RULES
from mobsim.engine.outcomes import column_of
from mobsim.scenario.catalogue import shipped_scenarios
from mobsim.scenario.file import load_scenario

FOUND = traceability.read()
AWAITED_WORDS = {word for arm in FOUND.awaited for word in arm.uses}

ROWS_OF_STEPS = {1: 6, 2: 4, 3: 5, 4: 5, 5: 5, 6: 6, 7: 4, 8: 5, 9: 5}
COMMUNITY_DECIDES = "community_decides"
USEFUL = {"15", "16", "17", "1.4", "1.6", "2.3", "4.5", "8.5", "9.5"}


def cases() -> list[Any]:
    """Every showing of every row; of arms that are awaited an expected failure."""
    found = []
    for row in FOUND.rows:
        for case in row.shown:
            awaited = FOUND.awaits(case.scenario, case.arm)
            reason = f"awaited: {case.scenario}, arm {case.arm}; once it is there, delete it from awaited"
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if awaited else []
            name = f"{row.number}-{case.scenario}-{case.arm}-{case.output}"
            found.append(pytest.param(case, id=name, marks=marks))
    return found


def words(names: Iterable[str]) -> list[Any]:
    """Words that some shipped scenario must use; what only an awaited arm uses is an expected failure."""
    expected = pytest.mark.xfail(reason="awaited", strict=True)
    return [pytest.param(name, marks=[expected] if name in AWAITED_WORDS else []) for name in names]


# What every row must keep


def symbol_exists(name: str) -> bool:
    """Whether a dotted name can be imported."""
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(import_module(module), attribute)
    except ModuleNotFoundError:
        return False


def check_code(row: Row) -> None:
    """Names can be imported; parameters stand in the resolved form of a scenario that shows the row."""
    assert row.code, f"row {row.number} names nothing in the code"
    for name in row.code:
        if name.startswith("mobsim."):
            assert symbol_exists(name), f"row {row.number}: {name} does not exist"
        else:
            assert any(declares(case.scenario, name) for case in row.shown), (
                f"row {row.number}: no scenario that shows it has {name}"
            )


def declares(scenario: str, path: str) -> bool:
    """Whether a place stands in the resolved form of a scenario, or among the activities that ship."""
    shipped = {name: activity.model_dump() for name, activity in shipped_activities().items()}
    data = settings(scenario, {})
    return exists({**data, "activities": {**shipped, **data["activities"]}}, path)


def exists(data: dict[str, Any], path: str) -> bool:
    try:
        return bool(places(data, path))
    except LookupError:
        return False


def check_scenario(case: Showing) -> None:
    """The scenario is shipped, has the arm, and has what the switch changes; the arm uses the activity."""
    assert case.scenario in shipped_scenarios(), f"no scenario {case.scenario} is shipped"
    data = settings(case.scenario, {})
    assert case.arm in data["arms"], f"{case.scenario} has no arm {case.arm}"
    assert case.off, "nothing is switched off"
    for path in case.off:
        assert exists(data, path), f"{case.scenario} has no {path}"
        section, _, rest = path.partition(".")
        if section == "activities":
            assert rest.partition(".")[0] in bought(data, case.arm), f"{case.arm} does not use {path}"
        elif section == "arms":
            assert rest.partition(".")[0] == case.arm, f"{path} is not about {case.arm}"
    settings(case.scenario, case.off)  # every place holds another value before


def bought(data: dict[str, Any], arm: str) -> set[str]:
    """Activities that an arm buys, surveys among them."""
    spec = data["arms"][arm]
    return {line["kind"] for line in spec["activities"]} | ({"survey"} if spec["survey"] else set())


def check_output(case: Showing) -> None:
    """The column is declared, is in the table of a small run, and is not empty there."""
    assert column_of(case.table, case.column), f"{case.output} is not declared in engine/outcomes.py"
    values = measured(case, {})
    assert values is not None, f"{case.scenario} puts out no {case.output}"
    assert set(values) - {"missing"}, f"{case.output} is empty in {case.scenario}, arm {case.arm}"


def check_switch(case: Showing) -> None:
    """Without the concept the output is another, with the same people and the same luck."""
    assert measured(case, {}) != measured(case, dict(case.off)), (
        f"{case.scenario}, arm {case.arm}: {case.output} is the same to the last bit without {dict(case.off)}"
    )


def measured(case: Showing, off: dict[str, Any]) -> list[str] | None:
    """Return the values of the output in a small run, exactly; none if there is no such column."""
    records = small_run(case.scenario, case.arm, off)
    table = getattr(records, case.table)()
    if case.column not in table:
        return None
    return [exactly(value) for value in table[case.column].tolist()]


def exactly(value: object) -> str:
    """Write a value so that the same text means the same bits; all that is empty is equal."""
    if value is None or value != value:
        return "missing"
    return value.hex() if isinstance(value, float) else str(value)


# The rows


def test_all_rows_are_there_in_order() -> None:
    steps = [f"{step}.{row}" for step, rows in ROWS_OF_STEPS.items() for row in range(1, rows + 1)]
    assert [row.number for row in FOUND.rows] == [*map(str, range(1, 21)), *steps]
    assert {row.number for row in FOUND.rows if not row.essential} == USEFUL
    assert FOUND.out_of_scope


def test_the_page_is_written_from_the_rows() -> None:
    assert traceability.PAGE.read_text("utf-8") == traceability.page(FOUND), (
        "run: python tools/traceability.py"
    )


@pytest.mark.parametrize("row", FOUND.rows, ids=lambda row: row.number)
def test_a_concept_is_in_the_code_and_shown(row: Row) -> None:
    check_code(row)
    assert row.shown or (row.instead and not row.essential), f"row {row.number} is shown by no scenario"


@pytest.mark.parametrize("case", cases())
def test_a_scenario_shows_the_concept(case: Showing) -> None:
    check_scenario(case)


@pytest.mark.parametrize("case", cases())
def test_an_output_measures_the_concept_and_depends_on_it(case: Showing) -> None:
    check_output(case)
    check_switch(case)


@pytest.mark.parametrize("arm", FOUND.awaited, ids=lambda arm: f"{arm.scenario}-{arm.arm}")
def test_an_awaited_arm_is_not_there_yet(arm: traceability.Awaited) -> None:
    assert arm.arm not in load_scenario(arm.scenario).arms, (
        f"{arm.scenario} has {arm.arm} now: delete it from awaited in docs/traceability.yaml"
    )


# The shipped scenarios use everything that ships


@cache
def used() -> tuple[set[str], set[str], set[str]]:
    """Activities, targeting rules, and policies with the other ways to learn that some shipped arm uses."""
    activities: set[str] = set()
    rules: set[str] = set()
    policies: set[str] = set()
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        for arm in scenario.arms.values():
            activities |= {use.kind for use in arm.activities} | ({"survey"} if arm.survey else set())
            rules |= {(use.target or scenario.activities[use.kind].target).rule for use in arm.activities}
            policies |= {arm.policy} | ({COMMUNITY_DECIDES} if arm.community_decides else set())
    return activities, rules, policies


@pytest.mark.parametrize("activity", words(shipped_activities()))
def test_some_scenario_uses_the_activity(activity: str) -> None:
    assert activity in used()[0], f"no scenario uses {activity}"


BENCHMARKS = {"distance": "s12", "single_discount": "s10", "degree_discount": "s10", "influence": "s10"}
"""Rules that are there to be compared with: a published case uses them, no campaign has to."""


@pytest.mark.parametrize("rule", words(RULES))
def test_some_scenario_uses_the_targeting_rule(rule: str) -> None:
    if rule in BENCHMARKS:
        case = traceability.PAGE.parents[1] / "verification" / "cases" / f"{BENCHMARKS[rule]}.py"
        assert f'"{rule}"' in case.read_text("utf-8"), f"{case.name} does not use {rule}"
    else:
        assert rule in used()[1], f"no scenario uses {rule}"


@pytest.mark.parametrize("policy", words((*POLICIES, COMMUNITY_DECIDES)))
def test_some_scenario_uses_the_policy(policy: str) -> None:
    assert policy in used()[2], f"no scenario uses {policy}"


# Wrong rows fail: the checks above are not empty

RIGHT = Row(
    "0",
    "organizers",
    "E",
    ("mobsim.kernels.delivery.meet_week", "behaviour.organizer_start"),
    (
        Showing(
            "vaccination_district", "mixed", "runs.contacts_by_organizers", {"behaviour.organizer_start": 0.0}
        ),
    ),
)


def check(row: Row) -> None:
    for case in row.shown:
        check_scenario(case)
        check_output(case)
        check_switch(case)
    check_code(row)


def test_a_right_row_passes() -> None:
    check(RIGHT)


@pytest.mark.parametrize(
    ("off", "why"),
    [
        ({"behaviour.exposure_window": 10_000}, "the same to the last bit"),  # nobody has known for so long
        ({"title": "another title"}, "the same to the last bit"),
        ({"behaviour.organizer_start": 0.02}, "is 0.02 already"),
        ({"behaviour.organiser_start": 0.0}, "has no behaviour.organiser_start"),
        ({"activities.reminder.appeal": 0.0}, "mixed does not use activities.reminder"),
        ({"arms.outreach.budget_share": 0.0}, "is not about mixed"),
        ({}, "nothing is switched off"),
    ],
)
def test_a_switch_that_switches_nothing_fails(off: dict[str, Any], why: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(why)):
        check(replace(RIGHT, shown=(replace(RIGHT.shown[0], off=off),)))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"scenario": "happy_village"}, "no scenario happy_village is shipped"),
        ({"arm": "prayer"}, "has no arm prayer"),
        ({"output": "runs.happiness"}, "runs.happiness is not declared"),
        ({"output": "runs.voice_share__hermits"}, "puts out no runs.voice_share__hermits"),
        ({"output": "runs.goal_estimate_met__coverage"}, "is empty"),  # nobody is asked in this arm
    ],
)
def test_a_showing_that_shows_nothing_fails(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(why)):
        check(replace(RIGHT, shown=(replace(RIGHT.shown[0], **wrong),)))


@pytest.mark.parametrize(
    "name", ["mobsim.kernels.delivery.meet_year", "mobsim.kernel.meet", "behaviour.organizer"]
)
def test_a_name_that_does_not_exist_fails(name: str) -> None:
    with pytest.raises(AssertionError, match=name):
        check(replace(RIGHT, code=(name,)))


def test_the_scenario_text_of_a_run_is_not_changed_by_another() -> None:
    before = resolved("vaccination_district")
    settings("vaccination_district", {"behaviour.habit": 0.0})
    assert resolved("vaccination_district") == before
