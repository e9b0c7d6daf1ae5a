"""Rules without luck against ten lines of Python, week by week, on any network: thresholds and SI."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import find, given, settings
from hypothesis import strategies as st

from mobsim import spread
from mobsim.scenario.resolve import resolve

DECIMALS = ["0", "0.1", "0.2", "0.25", "0.3", "0.34", "0.5", "0.6", "0.7", "0.75", "0.9", "1", "1.1"]
"""Fractions that people write; some of them are no binary fractions, so a tie with k of n is at stake."""
WEIGHTS = ["0.5", "1", "1.5", "2", "3.25"]

World = dict[str, Any]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw people, ties, weights, thresholds (counts or fractions), starters, and what they see."""
    n = draw(st.integers(2, 9))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    ties = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=24, unique=True))
    counts = draw(st.booleans())
    sees = draw(st.sampled_from(["ties", "all", "mixed"]))
    values = st.integers(0, 4).map(str) if counts else st.sampled_from(DECIMALS)
    return {
        "n": n,
        "ties": sorted(ties),
        "weights": {tie: "1" if counts else draw(st.sampled_from(WEIGHTS)) for tie in sorted(ties)},
        "thresholds": draw(st.lists(values, min_size=n, max_size=n)),
        "counts": counts,
        "added": counts or draw(st.booleans()),
        "sees": sees,
        "stay": draw(st.booleans()),
        "starters": sorted(draw(st.sets(st.integers(0, n - 1), max_size=3))),
        "weeks": draw(st.integers(1, 6)),
    }


def by_hand(world: World, *, strict: bool = False) -> list[set[int]]:
    """Return who takes part after each week; `strict` is the wrong rule: the threshold must be exceeded."""
    now, courses = set(world["starters"]), []
    for _ in range(world["weeks"]):
        following = set(now) if world["stay"] else set()
        for i in range(world["n"]):
            mine = {j: Fraction(world["weights"][a, j]) for a, j in world["ties"] if a == i}
            if world["sees"] != "ties":
                heard = Fraction(len(now), 1 if world["counts"] else world["n"])
            else:
                heard = sum((w for j, w in mine.items() if j in now), Fraction(0))
                heard = heard if world["added"] else heard / sum(mine.values()) if mine else Fraction(0)
            needed = Fraction(world["thresholds"][i])
            if heard > needed or (heard == needed and not strict):
                following.add(i)
        now = following
        courses.append(now)
    return courses


def by_mobsim(world: World) -> list[set[int]]:
    """Return the same from scenarios that end after each week."""
    kind = "count" if world["counts"] else "values"
    values: list[float] = [int(t) if world["counts"] else float(t) for t in world["thresholds"]]
    network: dict[str, Any] = {"kind": "ties", "directed": True, "ties": [list(t) for t in world["ties"]]}
    if not world["counts"]:
        network["weights"] = [float(w) for w in world["weights"].values()]
    if world["sees"] == "mixed":
        network = {"kind": "well_mixed"}
    scenario = {
        "schema_version": 2,
        "title": "t",
        "description": "d",
        "preset": "bare",
        "community": {"residents": world["n"], "network": network, "initial": {"participating": 0.0}},
        "behaviour": {
            "thresholds": {"kind": kind, "values": values},
            "share_exponent": 0 if world["added"] else 1,
            "visibility": 0 if world["sees"] == "ties" else 1,
            "irreversible": world["stay"],
        },
    }
    sets = []
    for week in range(1, world["weeks"] + 1):
        found = spread(resolve(scenario | {"campaign": {"horizon_weeks": week}}), [world["starters"]])
        sets.append({int(i) for i in found.members(0)})
        assert len(sets[-1]) == found.participating[0, 0, -1]
    return sets


@settings(max_examples=60, deadline=None, derandomize=True)
@given(worlds())
def test_thresholds_go_as_by_hand_week_by_week(world: World) -> None:
    assert by_mobsim(world) == by_hand(world)


def test_a_threshold_that_has_to_be_exceeded_would_be_noticed() -> None:
    """The wrong rule differs on a world with as little as one tie."""
    world = find(worlds(), lambda world: by_hand(world) != by_hand(world, strict=True))
    assert by_mobsim(world) != by_hand(world, strict=True)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(worlds(), st.data())
def test_telling_that_is_certain_or_impossible_goes_as_far_as_the_ties(
    world: World, data: st.DataObject
) -> None:
    """SI with chances 0 and 1: after t weeks those within t certain ties of a starter take part."""
    sure = {tie: data.draw(st.booleans(), label=str(tie)) for tie in world["ties"]}
    scenario = {
        "schema_version": 2,
        "title": "t",
        "description": "d",
        "preset": "bare",
        "community": {
            "residents": world["n"],
            "network": {
                "kind": "ties",
                "directed": True,
                "ties": [list(tie) for tie in world["ties"]],
                "transmission": [float(on) for on in sure.values()],
            },
            "initial": {"aware": "participants", "participating": 0.0},
        },
        "behaviour": {"thresholds": -1, "tell_participant": 1},
    }
    now = set(world["starters"])
    for week in range(1, world["weeks"] + 1):
        now = now | {i for (i, j), on in sure.items() if on and j in now}
        found = spread(resolve(scenario | {"campaign": {"horizon_weeks": week}}), [world["starters"]])
        assert {int(i) for i in found.members(0)} == now
