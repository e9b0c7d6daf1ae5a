"""Scores of places in the network: degree, bridges between neighbourhoods, betweenness."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import bare_scenario, hand_community, random_ties

from mobsim.community.community import Community
from mobsim.community.scores import network_scores
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick


def community_of(n: int, ties: Any, **given: Any) -> Community:
    return hand_community(bare_scenario(n), ties, **given)


@st.composite
def networks(draw) -> tuple[int, list[tuple[int, int]]]:
    """Draw a number of residents and some of their pairs."""
    n = draw(st.integers(1, 25))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    if n < 2:
        return n, []
    return n, draw(st.lists(pairs, max_size=60, unique_by=lambda p: tuple(sorted(p))))


def rounded(values: dict[int, float], factor: float) -> list[float]:
    return [values[i] * factor for i in sorted(values)]


@given(networks(), st.booleans())
@settings(deadline=None)
def test_betweenness_is_that_of_networkx(network, directed: bool) -> None:
    n, ties = network
    community = community_of(n, ties, directed=directed)
    # A tie (i, j) says that j influences i: influence runs from j to i.
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((j, i) for i, j in ties)
    expected = rounded(nx.betweenness_centrality(graph, normalized=False), 0.5 if directed else 1.0)
    found = network_scores(community, "bridging", "betweenness")
    assert found.dtype == np.int64
    # A whole number of 1/1024: half a step from rounding, and a hair for the order of the additions.
    assert np.abs(found / 1024 - expected).max(initial=0.0) <= 0.5 / 1024 + 1e-9


@given(networks(), st.integers(1, 6), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_bridges_are_distinct_neighbourhoods(network, places: int, random) -> None:
    n, ties = network
    where = np.array([random.randrange(places) for _ in range(n)], np.int32)
    community = replace(community_of(n, ties), neighbourhood=where)
    expected = [
        len({int(where[b]) for a, b in ties if a == i} | {int(where[a]) for a, b in ties if b == i})
        for i in range(n)
    ]
    assert network_scores(community, "bridging").tolist() == expected
    assert network_scores(community, "degree").tolist() == [sum(i in pair for pair in ties) for i in range(n)]


def test_a_bridge_ranks_first() -> None:
    """Two triangles and the one who ties them."""
    ties = [(0, 1), (1, 2), (0, 2), (4, 5), (5, 6), (4, 6), (2, 3), (3, 4)]
    scores = network_scores(community_of(7, ties), "bridging", "betweenness")
    assert scores[3] == 9 * 1024  # all 3 x 3 pairs of the two triangles
    assert int(np.argmax(scores)) == 3


def test_renaming_residents_renames_scores() -> None:
    n = 60
    ties = random_ties(n, 4.0, 5)
    place = np.random.default_rng(1).permutation(n)
    renamed = community_of(n, [(int(place[i]), int(place[j])) for i, j in ties])
    for centrality in ("neighbourhoods", "betweenness"):
        before = network_scores(community_of(n, ties), "bridging", centrality)
        assert np.array_equal(network_scores(renamed, "bridging", centrality)[place], before)


@pytest.mark.parametrize("rule", ["degree", "bridging"])
@pytest.mark.parametrize("centrality", ["neighbourhoods", "betweenness"])
def test_everybody_is_equal_in_a_well_mixed_community(rule: str, centrality: str) -> None:
    scores = network_scores(community_of(9, (), well_mixed=True), rule, centrality)
    assert scores.tolist() == [0] * 9


def test_what_does_not_exist_is_refused_in_one_sentence() -> None:
    community = community_of(3, [(0, 1)])
    with pytest.raises(UsageError, match=r"rule: found 'degre'.*did you mean 'degree'"):
        network_scores(community, "degre")
    with pytest.raises(UsageError, match="centrality: found 'between'"):
        network_scores(community, "bridging", "between")


def test_five_thousand_residents_take_seconds() -> None:
    community = community_of(5000, random_ties(5000, 10.0, 1))
    began = perf_counter()
    scores = network_scores(community, "bridging", "betweenness")
    assert perf_counter() - began < 30
    assert scores.min() >= 0
