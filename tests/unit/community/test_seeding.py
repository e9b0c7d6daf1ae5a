"""Rules that choose people one after another: equal to the plain reference, and as good as promised."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import choosing
from tests.builders import bare_scenario, hand_community, random_ties, tiny_scenario
from tests.properties.test_acceptance import arm, assert_block_is_reference

from mobsim import choose_seeds, simulate, spread
from mobsim.community import influence, seeding
from mobsim.community.cascade import ONE_AFTER_ANOTHER, CascadeOptions
from mobsim.community.community import Community
from mobsim.community.influence import maximize_influence, number_of_sets
from mobsim.community.scores import network_scores
from mobsim.community.seeding import choice_scores, order_of_choice
from mobsim.engine.run import build
from mobsim.errors import ScenarioError, UsageError
from mobsim.scenario.scenario import NONE

CASCADES = ("independent", "weighted", "linear_threshold")
E_SHARE = 1 - 1 / np.e


def community_of(n: int, ties: Any, **given: Any) -> Community:
    return hand_community(bare_scenario(n), ties, **given)


@st.composite
def communities(draw: Any, most: int = 9) -> Community:
    """Small networks: directed or not, with or without weights, transmission and people of influence."""
    n = draw(st.integers(1, most))
    directed = draw(st.booleans())
    ties = random_ties(
        n, draw(st.sampled_from([0.5, 2.0, 5.0])), draw(st.integers(0, 2**16)), directed=directed
    )
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    weights = random.choice([0.0, 0.5, 1.0, 2.0, 3.0], len(ties)).tolist() if draw(st.booleans()) else None
    transmission = random.random(len(ties)).tolist() if draw(st.booleans()) else None
    return community_of(
        n,
        ties,
        directed=directed,
        weights=weights,
        transmission=transmission,
        influence=random.choice([8, 16], n),
        number=draw(st.integers(0, 3)),
    )


@st.composite
def choices(draw: Any, n: int) -> tuple[np.ndarray, int]:
    """Who may be chosen, and how many are asked for."""
    may = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    return may, draw(st.integers(0, n))


# Equal to the reference


@given(st.data(), communities(), st.sampled_from(CASCADES), st.sampled_from([None, 0.05, 0.5, 1.0]))
@settings(deadline=None, max_examples=120)
def test_influence_chooses_as_the_reference_does(
    data: Any, community: Community, cascade: str, probability: float | None
) -> None:
    may, wanted = data.draw(choices(community.n_residents))
    for given_ in ({"epsilon": 0.6}, {"method": "celf", "simulations": 7}):
        options = CascadeOptions(cascade=cascade, probability=probability, **given_)  # type: ignore[arg-type]
        found = order_of_choice(community, "influence", options, may, wanted)
        assert found.tolist() == choosing.order_of_choice(community, "influence", options, may, wanted)


@given(st.data(), communities(25), st.sampled_from([None, 0.01, 1.0]))
@settings(deadline=None, max_examples=60)
def test_discounts_choose_as_the_reference_does(
    data: Any, community: Community, probability: float | None
) -> None:
    may, wanted = data.draw(choices(community.n_residents))
    options = CascadeOptions(probability=probability)
    for rule in ("single_discount", "degree_discount"):
        found = order_of_choice(community, rule, options, may, wanted)
        assert found.tolist() == choosing.order_of_choice(community, rule, options, may, wanted)
        scores = choice_scores(community, rule, options, may, wanted)
        assert scores.tolist() == choosing.choice_scores(community, rule, options, may, wanted).tolist()


@given(st.data(), st.integers(2, 30), st.integers(0, 2**16))
@settings(deadline=None, max_examples=30)
def test_degree_discount_is_algorithm_4_of_chen_wang_and_yang(data: Any, n: int, seed: int) -> None:
    """As the paper writes it, for undirected ties: dd = d - 2t - (d - t) t p, updated for neighbours."""
    ties = random_ties(n, 4.0, seed)
    k, p = data.draw(st.integers(1, n)), data.draw(st.sampled_from([0.01, 0.25]))
    graph = nx.Graph(ties)
    graph.add_nodes_from(range(n))
    degree, t = dict(graph.degree), dict.fromkeys(range(n), 0)
    dd, seeds = dict(degree), []
    for _ in range(k):
        u = min((v for v in range(n) if v not in seeds), key=lambda v: (-dd[v], v))
        seeds.append(u)
        for v in graph[u]:
            t[v] += 1
            dd[v] = degree[v] - 2 * t[v] - (degree[v] - t[v]) * t[v] * p
    community = community_of(n, ties)
    everybody = np.ones(n, bool)
    found = order_of_choice(community, "degree_discount", CascadeOptions(probability=p), everybody, k)
    assert found.tolist() == seeds


@given(communities(80))
@settings(deadline=None, max_examples=40)
def test_distances_are_those_of_networkx(community: Community) -> None:
    """Up to 80 residents: more than the 64 that are followed at once."""
    n = community.n_residents
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    influenced = np.repeat(np.arange(n), community.degree)
    graph.add_edges_from(zip(community.neighbours.tolist(), influenced.tolist(), strict=True))
    expected = [
        -sum(nx.single_source_shortest_path_length(graph, i).get(j, n) for j in range(n)) for i in range(n)
    ]
    assert network_scores(community, "distance").tolist() == expected
    assert choosing.distance_scores(community) == expected


# As good as promised


def exact_spreads(community: Community, cascade: str, p: float, k: int) -> dict[tuple[int, ...], float]:
    """The expected number reached by every set of k, over all draws of live arcs."""
    arcs = choosing.Arcs(community)
    options = CascadeOptions(cascade=cascade, probability=p)  # type: ignore[arg-type]
    sets = list(combinations(range(arcs.n), k))
    total = dict.fromkeys(sets, 0.0)
    if cascade == "linear_threshold":
        kept = [[(1 / len(row), arc) for arc in row] or [(1.0, None)] for row in arcs.row]
        draws = [(np.prod([c for c, _ in one]), [arc for _, arc in one if arc]) for one in product(*kept)]
    else:
        chances = [choosing.chance(arcs, options, arc) for arc in arcs.all]
        draws = [
            (
                np.prod([c if live else 1 - c for c, live in zip(chances, which, strict=True)]),
                [arc for arc, live in zip(arcs.all, which, strict=True) if live],
            )
            for which in product((False, True), repeat=len(arcs.all))
        ]
    for chance, live in draws:
        steps = choosing.steps_of((u, v) for u, v, _ in live)
        alone = [choosing.reached([i], steps) for i in range(arcs.n)]
        for people in sets:
            total[people] += chance * len(set().union(*(alone[i] for i in people)))
    return total


SMALL = [(0, 1), (0, 2), (1, 3), (3, 4), (5, 4), (5, 6), (6, 1), (4, 7), (7, 0), (2, 6)]


@pytest.mark.parametrize("cascade", CASCADES)
@pytest.mark.parametrize("method", [{"epsilon": 0.1}, {"method": "celf", "simulations": 4000}])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_those_chosen_reach_what_is_guaranteed(cascade: str, method: dict[str, Any], k: int) -> None:
    """Against the best of all sets, by enumeration; in practice they come within a few hundredths of it."""
    community = community_of(8, SMALL, directed=True)
    spreads = exact_spreads(community, cascade, 0.4, k)
    options = CascadeOptions(cascade=cascade, probability=0.4, **method)  # type: ignore[arg-type]
    choice = maximize_influence(community, options, np.ones(8, bool), k)
    reached = spreads[tuple(sorted(choice.people.tolist()))]
    assert reached >= (E_SHARE - 0.1) * max(spreads.values())
    assert reached >= 0.95 * max(spreads.values())
    assert choice.reached == pytest.approx(reached, rel=0.05)


def test_a_smaller_epsilon_asks_for_more_sets() -> None:
    few, many = number_of_sets(1000, 1000, 10, 0.3, 1.0), number_of_sets(1000, 1000, 10, 0.1, 1.0)
    assert many.for_a_test > few.for_a_test
    assert many.for_the_choice == pytest.approx(9 * few.for_the_choice)


@pytest.mark.quick
def test_nobody_else_than_allowed_is_chosen_and_nobody_twice() -> None:
    community = community_of(60, random_ties(60, 4.0, 3))
    may = np.arange(60) % 3 == 0
    for rule in (*ONE_AFTER_ANOTHER, "degree", "bridging", "distance"):
        chosen = order_of_choice(community, rule, CascadeOptions(epsilon=0.5), may, 99)
        assert sorted(chosen.tolist()) == np.flatnonzero(may).tolist(), rule
        assert order_of_choice(community, rule, CascadeOptions(epsilon=0.5), may, 0).size == 0


@pytest.mark.quick
def test_too_many_sets_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    community = community_of(60, random_ties(60, 4.0, 3))
    everybody = np.ones(60, bool)
    monkeypatch.setattr(influence, "MOST_MEMBERS", 10_000)
    with pytest.raises(
        ScenarioError, match=r"with epsilon 0.1, 5 of 60 residents would need more than 10,000"
    ):
        maximize_influence(community, CascadeOptions(), everybody, 5)
    monkeypatch.setattr(influence, "MOST_MARKS", 10_000)
    with pytest.raises(
        ScenarioError, match=r"1,000 simulated cascades .* allowed: at most 10,000, or method imm"
    ):
        maximize_influence(community, CascadeOptions(method="celf"), everybody, 5)


@pytest.mark.quick
def test_the_same_people_again_and_others_in_another_community() -> None:
    community = community_of(60, random_ties(60, 4.0, 3))
    other = community_of(60, random_ties(60, 4.0, 3), number=1)
    options = CascadeOptions(cascade="weighted", epsilon=0.5)
    everybody = np.ones(60, bool)
    first = maximize_influence(community, options, everybody, 20)
    again = maximize_influence(community, options, everybody, 20)
    assert np.array_equal(first.people, again.people)
    assert first.reached == again.reached
    assert not np.array_equal(first.people, maximize_influence(other, options, everybody, 20).people)


# In scenarios


def started_by(rule: str, **options: Any) -> Any:
    chosen = {"number": 6, "rule": rule, **options}
    return tiny_scenario(community={"initial": {"participating": chosen}})


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("degree", {}),
        ("bridging", {"centrality": "betweenness"}),
        ("distance", {}),
        ("single_discount", {}),
        ("degree_discount", {"probability": 0.2}),
        ("influence", {"cascade": "weighted", "epsilon": 0.6}),
        ("influence", {"method": "celf", "simulations": 20}),
    ],
)
def test_a_rule_chooses_first_participants(rule: str, options: dict[str, Any]) -> None:
    """Those who are aware and not opposed, whom the rule puts first; the runs are those of a list of them."""
    scenario = started_by(rule, **options)
    community = build(scenario, 1)
    nobody = tiny_scenario(community={"initial": {"participating": 0.0}})
    before = build(nobody, 1)
    may = (before.leaning >= 0) & before.aware
    start = scenario.community.initial.participating
    if rule in ONE_AFTER_ANOTHER:
        expected = choosing.order_of_choice(before, rule, start, may, 6)
    else:
        score = network_scores(before, rule, start.centrality)
        expected = sorted(np.flatnonzero(may).tolist(), key=lambda i: (-score[i], i))[:6]
    assert np.flatnonzero(community.participating).tolist() == sorted(expected)
    listed = tiny_scenario(community={"initial": {"participating": {"residents": sorted(expected)}}})
    found = simulate(scenario, communities=[1], luck=2)
    assert found.counts.tobytes() == simulate(listed, communities=[1], luck=2).counts.tobytes()


@pytest.mark.quick
def test_chosen_seeds_start_a_spread() -> None:
    scenario = tiny_scenario()
    for rule in ("random", "degree", "bridging", "distance", "single_discount", "degree_discount"):
        seeds = choose_seeds(scenario, 5, rule=rule)
        assert len(set(seeds.tolist())) == 5
        assert not np.any(build(scenario, 0).leaning[seeds] < 0)
    seeds = choose_seeds(scenario, 5, rule="influence", cascade="weighted", epsilon=0.5, community=1)
    assert spread(scenario, [seeds], community=1).participating.shape[0] == 1


@pytest.mark.quick
@pytest.mark.parametrize(
    ("number", "given_", "sentence"),
    [
        (5, {"rule": "degre"}, "rule: found 'degre'; allowed are random, degree"),
        (-1, {}, "number: found -1; allowed is a whole number from 0"),
        (5, {"rule": "random", "epsilon": 0.1}, "epsilon: the rule random takes no options"),
        (5, {"epsilom": 0.1}, "epsilom: no rule has such an option.*did you mean 'epsilon'"),
        (5, {"epsilon": 0.7}, "epsilon: found 0.7; input should be less than 0.63"),
        (
            5,
            {"rule": "degree", "probability": 0.1},
            "probability is 0.1 with rule 'degree'; allowed: only with",
        ),
        (
            5,
            {"rule": "degree", "centrality": "betweenness"},
            "centrality is 'betweenness' with rule 'degree'",
        ),
    ],
)
def test_wrong_seeds_are_refused_in_a_sentence(number: int, given_: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        choose_seeds(tiny_scenario(), number, **given_)


@pytest.mark.quick
def test_a_well_mixed_community_has_no_first() -> None:
    community = community_of(9, (), well_mixed=True)
    everybody = np.ones(9, bool)
    with pytest.raises(ScenarioError, match="well-mixed community everybody has the same place"):
        order_of_choice(community, "degree", CascadeOptions(), everybody, 2)
    assert not choice_scores(community, "influence", CascadeOptions(), everybody, 2).any()
    assert not network_scores(community, "distance").any()


@pytest.mark.quick
def test_an_order_is_worked_out_once_for_a_community(monkeypatch: pytest.MonkeyPatch) -> None:
    community = community_of(30, random_ties(30, 4.0, 3))
    everybody = np.ones(30, bool)
    first = order_of_choice(community, "single_discount", CascadeOptions(), everybody, 9)
    monkeypatch.setattr(seeding, "discounted", None)
    assert np.array_equal(
        first, order_of_choice(community, "single_discount", CascadeOptions(), everybody, 9)
    )


CHOOSING_ARMS = {
    "influence": arm({"kind": "visit", "target": {"rule": "influence", "epsilon": 0.6, "group": "majority"}}),
    "thresholds": arm(
        {"kind": "meeting", "target": {"rule": "influence", "cascade": "linear_threshold", "epsilon": 0.6}}
    ),
    "simulated": arm(
        {
            "kind": "visit",
            "target": {"rule": "influence", "method": "celf", "simulations": 9, "fraction": 0.2},
        },
        {"kind": "leader", "target": {"rule": "influence", "method": "celf", "simulations": 9}},
    ),
    "discounts": arm(
        {"kind": "visit", "target": {"rule": "degree_discount", "probability": 0.2, "refresh_weeks": 3}},
        {"kind": "visit", "target": {"rule": "single_discount", "fraction": 0.3}},
    ),
    "near": arm({"kind": "visit", "target": {"rule": "distance", "refresh_weeks": 4}}),
}


@pytest.mark.parametrize("well_mixed", [False, True])
def test_campaigns_by_these_rules_are_those_of_the_reference(well_mixed: bool) -> None:
    """Every number of every week, the state at the end and the price of the map."""
    start = {"aware": "everyone", "participating": {"number": 5, "rule": "influence", "epsilon": 0.6}}
    initial = {} if well_mixed else {"initial": start}
    network = {"kind": "well_mixed"} if well_mixed else {"kind": "erdos_renyi", "degree": 4.0}
    scenario = tiny_scenario(arms=CHOOSING_ARMS, community={"network": network, **initial})
    assert_block_is_reference(scenario, build(scenario, 1), [NONE, *scenario.arms], [0, 1])


@pytest.mark.quick
def test_threads_lanes_and_repetition_change_no_bit() -> None:
    scenario = tiny_scenario(arms=CHOOSING_ARMS)
    whole = simulate(scenario, threads=2)
    again = simulate(scenario, threads=1)
    assert whole.counts.tobytes() == again.counts.tobytes()
    alone = simulate(scenario, arms=["simulated"], threads=1)
    rows = [row for row, run in enumerate(whole.runs_index) if run.arm == "simulated"]
    of_arm = [row for row, run in enumerate(alone.runs_index) if run.arm == "simulated"]
    assert whole.counts[rows].tobytes() == alone.counts[of_arm].tobytes()


@pytest.mark.quick
def test_sets_are_the_same_however_many_are_drawn_at_once() -> None:
    community = community_of(200, random_ties(200, 6.0, 3))
    ties = influence.live_ties(community, CascadeOptions(probability=0.3))
    at_once, in_parts = influence._ReverseSets(ties, 0), influence._ReverseSets(ties, 0)
    at_once.draw(700)
    for wanted in (1, 2, 50, 700):
        in_parts.draw(wanted)
    filled = at_once.start[700]
    assert filled > 4 * 200 + 2**12, "room had to be made"
    assert np.array_equal(at_once.start, in_parts.start)
    assert np.array_equal(at_once.members[:filled], in_parts.members[:filled])
