"""Shortcuts change nothing but speed: frontier, cascade and dense give the bits of the whole week and of the
plain reference, for any network, width, point, set of first participants and number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.reference import run_reference

from mobsim.engine.block_records import JOINED
from mobsim.engine.records import Records
from mobsim.engine.run import build, simulate
from mobsim.engine.shortcuts import FREE, Shortcut, fits, network_of, shortcut_of
from mobsim.engine.spread import Spread, spread
from mobsim.errors import UsageError
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import NONE, Scenario

many = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
SHARES = st.integers(0, 20).map(lambda n: n / 20)


def bare(kind: Shortcut | None = None, **changes: Any) -> Scenario:
    """A bare scenario of 70 residents, with a little burn-in and money that ends before the horizon."""
    community: dict[str, Any] = {
        "residents": 70,
        "network": {"kind": "small_world", "degree": 6, "rewired": 0.2},
        "initial": {"participating": {"count": 5}},
    }
    behaviour: dict[str, Any] = {"thresholds": {"kind": "uniform", "low": 0.0, "high": 0.6}}
    if kind is Shortcut.CASCADE:
        community["initial"] = {"aware": "participants", "participating": {"count": 5}}
        behaviour = {"thresholds": -1, "tell_participant": 0.15, "exposure_window": 1}
    if kind is Shortcut.DENSE:
        behaviour |= {"noise": 0.1, "reconsider": 0.25, "social_weight": 0.5, "irreversible": False}
    return resolve(
        {
            "schema_version": 2,
            "title": "bare",
            "description": "for tests",
            "preset": "bare",
            "seed": changes.get("seed", 3),
            "community": community | changes.get("community", {}),
            "behaviour": behaviour | changes.get("behaviour", {}),
            "campaign": {"horizon_weeks": 20, "funding_ends_week": 9} | changes.get("campaign", {}),
        }
    )


networks = st.one_of(
    st.sampled_from([{"kind": "erdos_renyi", "degree": d} for d in (0.5, 3.0, 12.0)]),
    st.sampled_from([{"kind": "small_world", "degree": d, "rewired": 0.3} for d in (2, 10)]),
    st.just({"kind": "complete"}),
    st.lists(st.tuples(st.integers(0, 69), st.integers(0, 69)), max_size=150).map(
        lambda pairs: {
            "kind": "ties",
            "directed": True,
            "ties": sorted({pair for pair in map(tuple, pairs) if pair[0] != pair[1]}),
        }
    ),
)


@st.composite
def worlds(draw: st.DrawFn) -> Scenario:
    """Bare worlds that can take each of the shortcuts."""
    kind = draw(st.sampled_from([Shortcut.FRONTIER, Shortcut.CASCADE, Shortcut.DENSE]))
    network = draw(networks)
    ties = network.get("ties", ())
    groups = draw(
        st.sampled_from([{"everybody": {"share": 1.0}}, {"most": {"share": 0.7}, "few": {"share": 0.3}}])
    )
    behaviour: dict[str, Any] = {}
    if kind is Shortcut.CASCADE:
        behaviour["exposure_window"] = draw(st.sampled_from([1, 2, 3, None]))
        behaviour["tell_participant"] = draw(st.sampled_from([0.0, 0.05, 0.3, 1.0]))
        behaviour["irreversible"] = draw(st.booleans())
        if ties and draw(st.booleans()):
            network = network | {"transmission": [draw(SHARES) for _ in ties]}
    else:
        behaviour["thresholds"] = draw(
            st.sampled_from(
                [
                    {"kind": "uniform", "low": -0.1, "high": 0.6},
                    {"kind": "normal", "mean": 0.3, "sd": 0.2},
                    {"kind": "constant", "value": 0.25},
                ]
            )
        )
        behaviour["share_exponent"] = draw(st.sampled_from([0.0, 0.5, 1.0]))
        if ties and kind is Shortcut.FRONTIER and draw(st.booleans()):
            network = network | {"weights": [max(0.05, draw(SHARES)) for _ in ties]}
        if behaviour["share_exponent"] == 0.0 and draw(st.booleans()):
            behaviour["thresholds"] = {"kind": "count", "value": draw(st.integers(0, 3))}
    if kind is Shortcut.DENSE:
        counts = behaviour["thresholds"]["kind"] == "count"
        behaviour["noise"] = 0.0 if counts else draw(st.sampled_from([0.0, 0.05, 0.4]))
        behaviour["reconsider"] = draw(st.sampled_from([0.0, 0.25, 1.0]))
        behaviour["visibility"] = 0.0 if counts else draw(st.sampled_from([0.0, 0.3, 1.0]))
        behaviour["social_weight"] = 1.0 if counts else draw(st.sampled_from([0.0, 0.5, 1.3]))
        behaviour["irreversible"] = draw(st.booleans())
        groups = {name: group | {"barrier": 0.0 if counts else 0.05} for name, group in groups.items()}
    return bare(
        kind,
        seed=draw(st.integers(0, 99)),
        community={"network": network, "groups": groups},
        behaviour=behaviour,
        campaign={
            "burn_in_weeks": draw(st.sampled_from([0, 3])),
            "funding_ends_week": draw(st.sampled_from([1, 9, 20])),
        },
    )


def assert_same(one: Records, other: Records) -> None:
    """Compare every recorded array bit for bit, and which run each row is."""
    for name in JOINED:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape), name
        np.testing.assert_array_equal(mine, theirs, err_msg=name)
    keys = [[(run.arm, run.point, run.community, run.luck) for run in r.runs_index] for r in (one, other)]
    assert keys[0] == keys[1]


@many
@given(worlds(), st.sampled_from([1, 3, 17, 70]))
def test_records_are_those_of_the_whole_week(scenario: Scenario, n_luck: int) -> None:
    """Any number of lucks: one by one, 64 together with and without a rest."""
    whole = simulate(scenario, communities=2, luck=n_luck, shortcuts=False)
    assert_same(simulate(scenario, communities=2, luck=n_luck), whole)


@many
@given(worlds(), st.integers(0, 5))
def test_curves_are_those_of_the_reference(scenario: Scenario, luck: int) -> None:
    """The plain reference, written from the rules, gives the same curve."""
    community = build(scenario, 0)
    reference = run_reference(scenario, community, NONE, luck)
    records = simulate(scenario, communities=1, luck=[luck])
    np.testing.assert_array_equal(records.counts[0, :, :, 0], reference.aware)
    np.testing.assert_array_equal(records.counts[0, :, :, 1], reference.participating)
    found = spread(scenario, [np.flatnonzero(community.participating)], luck=[luck])
    np.testing.assert_array_equal(found.final[0, 0], reference.final_participating)


@many
@given(
    worlds(), st.lists(st.sets(st.integers(0, 69), max_size=9), min_size=1, max_size=5), st.integers(1, 20)
)
def test_spread_is_that_of_the_whole_week(scenario: Scenario, sets: list[set[int]], n_luck: int) -> None:
    """Any sets of first participants, any number of lucks, any number of threads."""
    seeds = [sorted(ids) for ids in sets]
    whole = spread(scenario, seeds, luck=n_luck, shortcuts=False)
    for threads in (1, 3):
        quick = spread(scenario, seeds, luck=n_luck, threads=threads)
        np.testing.assert_array_equal(quick.participating, whole.participating)
        np.testing.assert_array_equal(quick.aware, whole.aware)
        np.testing.assert_array_equal(quick.final, whole.final)
        last = (len(seeds) - 1, n_luck - 1)
        assert quick.members(*last).tolist() == whole.members(*last).tolist()


@pytest.mark.parametrize("kind", [Shortcut.FRONTIER, Shortcut.CASCADE, Shortcut.DENSE])
def test_each_shortcut_is_taken(kind: Shortcut) -> None:
    """The worlds of these tests do test what they are meant to test."""
    scenario = bare(kind)
    assert shortcut_of(scenario, [NONE]) is kind
    community = build(scenario, 0)
    assert fits(kind, community, network_of(scenario.behaviour, scenario.community, community))


SETTINGS: list[Mapping[str, Any]] = [
    {"behaviour": {"awareness_half_life": 13.0}},
    {"behaviour": {"lapse": 0.01}},
    {"behaviour": {"turnover": 0.01}},
    {"behaviour": {"learning": 0.01}},
    {"behaviour": {"ownership_growth": 0.1, "habit": 0.1}},
    {"behaviour": {"results_rate": 0.1}},
    {"behaviour": {"organizer_start": 0.1}},
    {"behaviour": {"capability_weight": 0.1}},
    {"community": {"leaders": {"share": 0.1}}},
    {"community": {"network": {"kind": "well_mixed"}}},
]


@pytest.mark.parametrize("changes", SETTINGS, ids=lambda c: next(iter(next(iter(c.values())))))
@pytest.mark.parametrize("kind", [Shortcut.FRONTIER, Shortcut.CASCADE, Shortcut.DENSE])
def test_more_rules_take_the_whole_week(kind: Shortcut, changes: Mapping[str, Any]) -> None:
    """Each rule that a shortcut leaves out keeps a scenario from taking it."""
    assert shortcut_of(bare(kind, **changes), [NONE]) is Shortcut.LANES


def test_the_default_scenario_takes_the_whole_week() -> None:
    """Every rule is on in it."""
    scenario = resolve({"schema_version": 2, "title": "t", "description": "d"})
    assert shortcut_of(scenario, [NONE]) is Shortcut.LANES


@pytest.mark.parametrize("kind", [Shortcut.FRONTIER, Shortcut.DENSE])
def test_hubs_and_isolates(kind: Shortcut) -> None:
    """A resident with 1,500 ties, and one with none."""
    ties = [[0, k] for k in range(1, 1501)] + [[k, k + 1] for k in range(1, 1500)]
    scenario = bare(
        kind,
        community={"residents": 1502, "network": {"kind": "ties", "ties": ties}},
        behaviour={"thresholds": {"kind": "uniform", "low": -0.01, "high": 0.4}},
    )
    for n_luck in (1, 16):
        whole = simulate(scenario, communities=1, luck=n_luck, shortcuts=False)
        assert_same(simulate(scenario, communities=1, luck=n_luck), whole)


def test_a_hub_of_a_cascade_is_told_by_many() -> None:
    """More tellers than 16 bits can hold beside the mark."""
    n = 17_000
    ties = [[0, k] for k in range(1, n)]
    scenario = bare(
        Shortcut.CASCADE,
        community={
            "residents": n,
            "network": {"kind": "ties", "ties": ties, "directed": True},
            "initial": {"aware": "participants", "participating": {"share": 0.99}},
        },
        behaviour={"tell_participant": 0.0001},
    )
    whole = simulate(scenario, communities=2, luck=4, shortcuts=False)
    assert_same(simulate(scenario, communities=2, luck=4), whole)


def test_a_hub_of_single_runs_counts_beyond_half_of_16_bits() -> None:
    """More than 32,768 participating contacts."""
    n = 40_001
    scenario = bare(
        Shortcut.DENSE,
        community={
            "residents": n,
            "network": {"kind": "ties", "ties": [[0, k] for k in range(1, n)], "directed": True},
            "initial": {"participating": {"share": 0.95}},
        },
        behaviour={"share_exponent": 0.5, "social_weight": 0.02, "thresholds": -1},
        campaign={"horizon_weeks": 10, "funding_ends_week": 2},
    )
    whole = simulate(scenario, communities=1, luck=2, shortcuts=False)
    assert_same(simulate(scenario, communities=1, luck=2), whole)


@pytest.mark.parametrize("noise", [0, 0.1])
def test_a_hub_of_many_lanes_counts_beyond_bytes(noise: float) -> None:
    """More participating contacts than four bytes in a word can count at once; all with one luck, and not."""
    n = 801
    scenario = bare(
        Shortcut.DENSE,
        community={
            "residents": n,
            "network": {"kind": "ties", "ties": [[0, k] for k in range(1, n)] + [[1, 2], [2, 3]]},
            "initial": {"participating": {"share": 0.95}},
        },
        behaviour={"noise": noise, "thresholds": {"kind": "uniform", "low": -0.1, "high": 0.9}},
    )
    whole = simulate(scenario, communities=1, luck=16, shortcuts=False)
    assert whole.counts[:, 0, 0, 1].min() > 512
    assert_same(simulate(scenario, communities=1, luck=16), whole)
    points = [{"behaviour.social_weight": 0.5 + k / 100} for k in range(16 if noise else 1)]
    some = simulate(scenario, communities=1, luck=1, points=points)
    assert_same(some, simulate(scenario, communities=1, luck=1, points=points, shortcuts=False))


@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("kind", [Shortcut.FRONTIER, Shortcut.CASCADE, Shortcut.DENSE])
def test_weeks_with_more_ties_and_draws_than_are_worked_on_at_once(kind: Shortcut, window: int) -> None:
    """Lists of ties fill up more than once a week, and so do drawn words; rows are longer than a strip."""
    community: dict[str, Any] = {
        "residents": 2000,
        "network": {"kind": "small_world", "degree": 20, "rewired": 0.3},
    }
    first = {"aware": "participants" if kind is Shortcut.CASCADE else "everyone"}
    community["initial"] = first | {"participating": {"share": 0.3}}
    behaviour = {"exposure_window": window} if kind is Shortcut.CASCADE else {}
    scenario = bare(kind, community=community, behaviour=behaviour)
    assert shortcut_of(scenario, (NONE,)) is kind
    for n_luck in (2, 16):
        whole = simulate(scenario, communities=1, luck=n_luck, shortcuts=False)
        assert_same(simulate(scenario, communities=1, luck=n_luck), whole)


POINTS = [
    {"behaviour.social_weight": weight, "behaviour.noise": noise}
    for weight in (0.2, 0.8)
    for noise in (0, 0.1)
] + [{"behaviour.thresholds": {"kind": "constant", "value": 0.3}}, {"behaviour.lapse": 0.1}, {}]


@pytest.mark.parametrize("kind", [Shortcut.FRONTIER, Shortcut.CASCADE, Shortcut.DENSE])
@pytest.mark.parametrize("n_luck", [2, 20])
def test_points_are_the_scenarios_they_stand_for(kind: Shortcut, n_luck: int) -> None:
    """Lanes of different points stay apart; points that build other communities get them."""
    scenario = bare(kind)
    points = (
        POINTS if kind is not Shortcut.CASCADE else [{"behaviour.tell_participant": c} for c in (0.1, 0.4)]
    )
    together = simulate(scenario, communities=2, luck=n_luck, points=points)
    assert_same(simulate(scenario, communities=2, luck=n_luck, points=points, shortcuts=False), together)
    assert together.points == tuple(points)
    assert list(together.runs()["point"].unique()) == list(range(len(points)))
    each = 2 * n_luck
    for number, point in enumerate(points):
        changed = {name.removeprefix("behaviour."): value for name, value in point.items()}
        alone = simulate(
            scenario.model_copy(
                update={
                    "behaviour": type(scenario.behaviour).model_validate(
                        scenario.behaviour.model_dump() | changed
                    )
                }
            ),
            communities=2,
            luck=n_luck,
            shortcuts=False,
        )
        rows = slice(number * each, (number + 1) * each)
        np.testing.assert_array_equal(together.counts[rows], alone.counts)
        np.testing.assert_array_equal(together.at_funding_end[rows], alone.at_funding_end)


def test_many_points_stand_in_one_block() -> None:
    """More points than 64, two threads, lucks that do not divide 64."""
    points = [{"behaviour.social_weight": k / 70} for k in range(70)]
    scenario = bare(Shortcut.DENSE)
    quick = simulate(scenario, communities=1, luck=3, points=points, threads=2)
    assert_same(quick, simulate(scenario, communities=1, luck=3, points=points, shortcuts=False))


def test_lanes_differ_in_all_that_is_free() -> None:
    """Every value that `FREE` names, by lane, in blocks of single lanes and of 64."""
    points = [
        {
            "behaviour.social_weight": 0.2 + k / 30,
            "behaviour.noise": 0.05 + k / 100,
            "behaviour.reconsider": 1.0 - k / 40,
            "behaviour.visibility": k / 25,
        }
        for k in range(20)
    ]
    assert {name for point in points for name in point} == {f"behaviour.{name}" for name in FREE["dense"]}
    scenario = bare(Shortcut.DENSE, campaign={"burn_in_weeks": 3})
    for some in (points, points[7:10]):
        quick = simulate(scenario, communities=1, luck=2, points=some)
        assert_same(quick, simulate(scenario, communities=1, luck=2, points=some, shortcuts=False))


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([], "at least one point"),
        ([{"behaviour.nois": 0.1}], "did you mean 'behaviour.noise'"),
        ([{}, {"behaviour.noise": -1}], "point 1, behaviour.noise: found -1"),
        ([{"community.residents": 5}], "allowed are the values of behaviour"),
    ],
)
def test_wrong_points_are_one_sentence(points: list[dict[str, Any]], said: str) -> None:
    """What is wrong, where, and what is allowed."""
    with pytest.raises(UsageError, match=said):
        simulate(bare(), points=points)


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ([], "at least one list"),
        ([[0], [70]], "set 1 names resident 70; allowed are ids from 0 to 69"),
        ([[-1]], "resident -1"),
        ([[0.5]], "not a list of whole numbers"),
    ],
)
def test_wrong_sets_are_one_sentence(sets: list[list[Any]], said: str) -> None:
    """What is wrong, where, and what is allowed."""
    with pytest.raises(UsageError, match=said):
        spread(bare(), sets)


def test_spread_on_a_whole_scenario() -> None:
    """Scenarios with every rule spread as well: the same as `simulate` with these first participants."""
    data: dict[str, Any] = {
        "schema_version": 2,
        "title": "t",
        "description": "d",
        "community": {"residents": 200},
        "campaign": {"burn_in_weeks": 2, "horizon_weeks": 8, "funding_ends_week": 8},
    }
    chosen = [3, 50, 120, 199]
    found: Spread = spread(resolve(data), [chosen, [7]], luck=2)
    listed = resolve(
        data | {"community": {"residents": 200, "initial": {"participating": {"residents": chosen}}}}
    )
    records = simulate(listed, arms=[NONE], communities=1, luck=2)
    np.testing.assert_array_equal(found.participating[0], records.counts[:, :, :, 1].sum(axis=2))
    np.testing.assert_array_equal(found.aware[0], records.counts[:, :, :, 0].sum(axis=2))
    with pytest.raises(UsageError, match="allowed are sets 0 to 1"):
        found.members(2)


@pytest.mark.parametrize("kind", [Shortcut.DENSE, Shortcut.LANES])
def test_built_communities_stand_for_their_numbers(kind: Shortcut) -> None:
    """The same records, whoever built the community."""
    scenario = bare(Shortcut.DENSE)
    communities = [build(scenario, number) for number in (1, 4)]
    shortcuts = kind is Shortcut.DENSE
    given = simulate(scenario, communities=communities, luck=2, shortcuts=shortcuts)
    assert_same(given, simulate(scenario, communities=[1, 4], luck=2))
    other = bare(Shortcut.DENSE, seed=4)
    with pytest.raises(UsageError, match="allowed are communities of this scenario, 70 residents and seed 4"):
        simulate(other, communities=communities)
    points = [{}, {"behaviour.trust_sd": 0.3}]
    with pytest.raises(UsageError, match="points that build other communities"):
        simulate(scenario, communities=communities, points=points)
