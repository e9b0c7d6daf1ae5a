"""Activities, targeting rules and policies of one's own: registering, looking up, and what is refused."""

from __future__ import annotations

import math
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.builders import bare_scenario, hand_community

from mobsim.campaign import own
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick

SPEC: dict[str, Any] = {
    "number": 40,
    "family": "outreach",
    "description": "a walk from door to door",
    "steps": ["implement"],
    "cost": 10.0,
}


class Walk(own.OwnActivity):
    """Reaches everybody."""

    spec = SPEC

    def deliver(self, view: Any) -> None:
        view.reach(range(view.n_residents))


def by_ties(community: Any) -> Any:
    return community.degree


def halves(evidence: Any) -> Any:
    return [1] * len(evidence.shares)


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in ("_activities", "_rules", "_policies", "_loaded"):
        monkeypatch.setattr(own, registry, {})


class Installed(Distribution):
    """A package that offers things, as if it were installed."""

    def __init__(self, name: str) -> None:
        self.given = name

    @property
    def name(self) -> str:
        return self.given

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: Any) -> Path:
        return Path(str(path))


def install(monkeypatch: pytest.MonkeyPatch, *offers: tuple[str, str, str, str]) -> list[int]:
    """Pretend that packages offer (package, group, name, value); return a list that grows with every look."""
    points = []
    for package, group, name, value in offers:
        point = EntryPoint(name, value, group)
        vars(point)["dist"] = Installed(package)
        points.append(point)
    looks: list[int] = []

    def entry_points(group: str) -> list[EntryPoint]:
        looks.append(1)
        return [point for point in points if point.group == group]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    return looks


# Registering


def test_what_is_registered_is_found() -> None:
    own.register_activity("walk", Walk)
    own.register_targeting("well_known", by_ties, needs_map=False)
    own.register_policy("halves", halves)
    assert own.own_activity("walk") is Walk
    assert own.own_targeting_rule("well_known") == own.OwnRule("well_known", by_ties, False)
    assert own.own_policy("halves") is halves
    assert "walk" in own.own_activity_names()
    assert "well_known" in own.own_targeting_names()
    assert "halves" in own.own_policy_names()


def test_what_nobody_offers_is_not_found() -> None:
    assert own.own_activity("walk") is None
    assert own.own_targeting_rule("walk") is None
    own.register_policy("halves", halves)
    with pytest.raises(UsageError, match=r"policy 'halve' does not exist; .*did you mean 'halves'"):
        own.own_policy("halve")


def test_the_same_object_may_come_again_another_may_not() -> None:
    own.register_activity("walk", Walk)
    own.register_activity("walk", Walk)
    with pytest.raises(UsageError, match="activity 'walk' is registered already"):
        own.register_activity("walk", type("Walk", (Walk,), {}))
    own.register_targeting("well_known", by_ties)
    with pytest.raises(UsageError, match="targeting rule 'well_known' is registered already"):
        own.register_targeting("well_known", lambda community: community.degree)
    own.register_policy("halves", halves)
    with pytest.raises(UsageError, match="policy 'halves' is registered already"):
        own.register_policy("halves", lambda evidence: None)


def test_shipped_names_are_refused() -> None:
    with pytest.raises(UsageError, match="activity 'visit' comes with mobsim"):
        own.register_activity("visit", Walk)
    with pytest.raises(UsageError, match="targeting rule 'cycle' comes with mobsim"):
        own.register_targeting("cycle", by_ties)
    with pytest.raises(UsageError, match="policy 'equity' comes with mobsim"):
        own.register_policy("equity", halves)


@pytest.mark.parametrize("name", ["", "two words", "2nd", "x" * 41, None, "bad\n"])
def test_names_are_words(name: Any) -> None:
    with pytest.raises(UsageError, match="allowed is a word of up to 40 letters"):
        own.register_policy(name, halves)


@pytest.mark.parametrize("thing", [None, 3, int])
def test_rules_and_policies_are_functions(thing: Any) -> None:
    with pytest.raises(UsageError, match="allowed is a function"):
        own.register_policy("halves", thing)
    with pytest.raises(UsageError, match="allowed is a function"):
        own.register_targeting("well_known", thing)


# What an activity says about itself


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": 5}, "spec.number of Walk is 5; allowed: a number from 32 to 63"),
        ({"cost": None}, "spec.cost of Walk: "),
        ({"costs": 3}, "spec.costs of Walk: Extra inputs"),
        ({"trust": 2.0}, "spec.trust of Walk: "),
        ({"delivery": "seats"}, "Walk has a method deliver, and its delivery is seats"),
    ],
)
def test_an_activity_is_checked_when_it_is_registered(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        own.register_activity("walk", type("Walk", (Walk,), {"spec": {**SPEC, **changes}}))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert own.own_activity("walk") is None


def test_data_alone_is_an_activity_too() -> None:
    data = type("Evening", (own.OwnActivity,), {"spec": {**SPEC, "delivery": "seats"}})
    own.register_activity("evening", data)
    assert own.spec_of("evening", data).delivery == "seats"
    with pytest.raises(UsageError, match="has no method deliver, and its delivery is python"):
        own.register_activity("nothing", type("Nothing", (own.OwnActivity,), {"spec": SPEC}))


@pytest.mark.parametrize("thing", [Walk(), int, None])
def test_an_activity_is_a_class(thing: Any) -> None:
    with pytest.raises(UsageError, match="allowed is a subclass of OwnActivity"):
        own.register_activity("walk", thing)


# Scores


def scores_of(values: Any, n: int = 3) -> Any:
    community = hand_community(bare_scenario(n))
    return own.OwnRule("mine", lambda _: values, True).scores(community)


def test_scores_become_whole_numbers() -> None:
    assert scores_of([3, 1, 2]).tolist() == [3, 1, 2]
    assert scores_of([True, False, True]).tolist() == [1, 0, 1]
    assert scores_of([0.5, -1.0, 2.0**-21]).tolist() == [2**19, -(2**20), 1]
    assert scores_of(np.array([1, 2, 3], np.uint64)).dtype == np.int64


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, float("nan"), 2.0], "found the score nan for resident 1"),
        ([1.0, 2.0, float("inf")], "found the score inf for resident 2"),
        ([1e300, 2.0, 0.0], "for resident 0"),
        ([1, 2], r"shape \(2,\); allowed is one number a resident, shape \(3,\)"),
        (["a", "b", "c"], "allowed is one number a resident"),
        (None, "allowed is one number a resident"),
        (np.array([2**63, 0, 0], np.uint64), "allowed are numbers below"),
    ],
)
def test_scores_that_rank_nobody_are_refused(values: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        scores_of(values)


def test_a_rule_that_fails_is_one_sentence() -> None:
    rule = own.OwnRule("mine", lambda community: community.friends, True)
    with pytest.raises(UsageError, match="targeting rule mine: its function failed: AttributeError"):
        rule.scores(hand_community(bare_scenario(2)))


# Installed packages

HERE = "mobsim.campaign.own"


def test_an_installed_package_is_found_and_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = install(
        monkeypatch,
        ("folk", own.TARGETING, "well_known", "math:ceil"),
        ("folk", own.POLICY, "halves", "math:floor"),
    )
    assert own.own_targeting_names() == ("well_known",)
    assert own.own_policy_names() == ("halves",)
    assert own.own_targeting_rule("well_known") == own.OwnRule("well_known", math.ceil, True)
    assert own.own_policy("halves") is math.floor
    seen = len(looks)
    own.own_policy("halves")
    assert len(looks) == seen


def test_a_registered_thing_comes_before_an_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("folk", own.POLICY, "halves", "math:floor"))
    own.register_policy("halves", halves)
    assert own.own_policy("halves") is halves


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_module:thing", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("math:no_such_thing", "AttributeError"),
        ("math:pi", "allowed is a subclass of OwnActivity"),
        (f"{HERE}:OwnActivity", "spec.number of OwnActivity: "),
    ],
)
def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch, value: str, said: str) -> None:
    install(monkeypatch, ("folk-tales", own.ACTIVITIES, "walk", value))
    with pytest.raises(
        UsageError, match=r"package folk-tales: activity 'walk' \(.*\) cannot be used"
    ) as error:
        own.own_activity("walk")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_packages_cannot_take_a_name_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("folk", own.ACTIVITIES, "visit", f"{HERE}:OwnActivity"))
    with pytest.raises(UsageError, match="package folk offers activity 'visit', a name that comes with"):
        own.own_activity_names()
    install(
        monkeypatch,
        ("folk", own.ACTIVITIES, "walk", f"{HERE}:OwnActivity"),
        ("tales", own.ACTIVITIES, "walk", f"{HERE}:OwnRule"),
    )
    with pytest.raises(UsageError, match="packages folk and tales both offer activity 'walk'"):
        own.own_activity("walk")
