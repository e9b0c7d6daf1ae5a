"""Each kind of network has the structure that its literature gives it, and the village has a village's."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy import stats
from tests.unit.community.worlds import KINDS, NOBODY_LEADS, assert_proper, build, rows_of

from mobsim.community.community import Community
from mobsim.community.facts import network_facts
from mobsim.community.households import household_degree
from mobsim.community.network import (
    Complete,
    EdgeList,
    ErdosRenyi,
    Households,
    Lattice,
    RandomRegular,
    Ring,
    ScaleFree,
    SmallWorld,
    StochasticBlock,
    WellMixed,
)
from mobsim.community.population import GroupSpec, LeadersSpec
from mobsim.errors import ScenarioError

pytestmark = pytest.mark.quick


def as_networkx(community: Community) -> nx.Graph:
    network = nx.empty_graph(community.n_residents)
    network.add_edges_from(zip(rows_of(community).tolist(), community.neighbours.tolist(), strict=True))
    return network


# The village


@pytest.fixture(scope="module")
def villages() -> dict[str, np.ndarray]:
    """Facts of 16 default communities of 1,000 residents."""
    facts = [network_facts(build(Households(), 1000, number=number)) for number in range(16)]
    return {name: np.array([f[name] for f in facts]) for name in facts[0]}


@pytest.mark.parametrize(
    ("fact", "mean", "within", "lowest", "highest"),
    [
        # mean and tolerance: the prototype's figure; lowest and highest: usual range or villages measured
        ("mean_degree", 10.0, 1e-9, 10.0, 10.0),
        ("sd_degree", 4.9, 0.25, 4.2, 5.6),
        ("transitivity", 0.30, 0.02, 0.24, 0.38),
        ("friend_degree_ratio", 1.21, 0.03, 1.13, 1.31),
        ("same_group_share", 0.80, 0.01, 0.79, 0.83),
        ("isolate_share", 0.0, 0.002, 0.0, 0.005),
    ],
)
def test_village_bands(villages, fact, mean, within, lowest, highest) -> None:
    assert villages[fact].mean() == pytest.approx(mean, abs=within)
    assert lowest - 1e-9 <= villages[fact].min()
    assert villages[fact].max() <= highest + 1e-9


@pytest.mark.parametrize("homophily", [0.70, 0.80, 0.90, 0.95])
@pytest.mark.parametrize("minority", [0.05, 0.2, 0.4])
def test_homophily_is_reached_from_chance_upwards(homophily, minority) -> None:
    groups = {"a": GroupSpec(share=1 - minority), "b": GroupSpec(share=minority)}
    reached = [
        network_facts(build(Households(homophily=homophily), 1000, number=n, groups=groups))[
            "same_group_share"
        ]
        for n in range(3)
    ]
    by_chance = 1 - 2 * minority * (1 - minority)
    assert np.mean(reached) == pytest.approx(max(homophily, by_chance), abs=0.02)


def test_households_are_cliques_of_the_expected_size() -> None:
    assert household_degree(4.7) == pytest.approx((3.7 + 3.7**2 / 6 + 3.7 * 4.7) / 4.7)
    community = build(Households(degree=household_degree(4.7), homophily=1.0), 20_000, leaders=NOBODY_LEADS)
    pieces = list(nx.connected_components(as_networkx(community)))
    assert np.mean([len(p) for p in pieces]) > 4.5  # a few ties may be left over to join households


def test_villages_are_equal_and_near_ties_stay_inside() -> None:
    community = build(Households(villages=4, near_share=1.0), leaders=NOBODY_LEADS)
    assert np.bincount(community.neighbourhood).tolist() == [100] * 4
    assert (
        community.neighbourhood[rows_of(community)] == community.neighbourhood[community.neighbours]
    ).all()
    mixed = build(Households(villages=4, near_share=0.9))
    crossing = mixed.neighbourhood[rows_of(mixed)] != mixed.neighbourhood[mixed.neighbours]
    assert 0.02 < crossing.mean() < 0.2


@pytest.mark.parametrize("kind", ["households", "erdos_renyi", "ring", "scale_free"])
def test_leaders_have_more_ties(kind: str) -> None:
    leaders = LeadersSpec(tie_factor=3.0)
    led = build(KINDS[kind], 2000, leaders=leaders)
    assert_proper(led)
    without = build(KINDS[kind], 2000, leaders=NOBODY_LEADS)
    ratio = led.degree[led.is_leader].mean() / without.degree.mean()
    assert ratio == pytest.approx(3.0, abs=0.3)


# The other kinds, without leaders


def test_ring_and_lattices() -> None:
    ring = build(Ring(kind="ring", degree=4), 9, leaders=NOBODY_LEADS)
    assert ring.neighbours[:4].tolist() == [1, 2, 7, 8]
    assert set(ring.degree) == {4}
    moore = build(Lattice(kind="lattice"), 12, leaders=NOBODY_LEADS)  # 4 columns, 3 rows
    assert moore.neighbours[:8].tolist() == [1, 3, 4, 5, 7, 8, 9, 11]
    cross = build(Lattice(kind="lattice", neighbourhood="von_neumann", width=4), 12, leaders=NOBODY_LEADS)
    assert cross.neighbours[:4].tolist() == [1, 3, 4, 8]
    wide = build(Lattice(kind="lattice", radius=3, neighbourhood="von_neumann"), 400, leaders=NOBODY_LEADS)
    assert set(wide.degree) == {24}


@pytest.mark.parametrize(
    ("network", "residents", "said"),
    [
        (
            Lattice(kind="lattice", width=7),
            100,
            "needs a multiple of 7 residents, found 100; the nearest are 98 and 105",
        ),
        (
            Lattice(kind="lattice"),
            101,
            "101 residents make a lattice of 101 by 1, but radius 1 needs at least 3 both",
        ),
        (Ring(kind="ring", degree=8), 8, "each of the 8 residents has 7 others; at most 7 is allowed"),
        (SmallWorld(kind="small_world", degree=8), 8, "at most 7 is allowed"),
        (RandomRegular(kind="random_regular", degree=3), 5, "residents or degree must be even"),
        (RandomRegular(kind="random_regular", degree=6), 5, "at most 4 is allowed"),
        (ErdosRenyi(kind="erdos_renyi", degree=10), 5, "at most 4 is allowed"),
        (
            ScaleFree(kind="scale_free", ties_each=5),
            5,
            "a newcomer makes 5 ties, but there are only 5 residents",
        ),
        (
            StochasticBlock(kind="stochastic_block", degree=50, homophily=0.1),
            100,
            "between groups are wanted, but",
        ),
        (
            Complete(kind="complete"),
            20_000,
            "at most 16384 residents are allowed, and `kind: well_mixed` has no limit",
        ),
        (
            Households(degree=4.0),
            100,
            r"households of 4\.7 alone give 5\.0; raise degree or lower household_size",
        ),
        (Households(degree=60.0), 50, "at most 49 is allowed"),
        (Households(villages=30), 20, "30 villages for 20 residents"),
        (Households(near_share=1.0, near_places=1), 200, "ties found two residents who may be tied"),
        (
            EdgeList(kind="ties", ties=((0, 1), (2, 9))),
            5,
            r"ties\[1\]: resident 9 is not there; allowed are 0 to 4",
        ),
        (EdgeList(kind="ties", ties=((1, 1),)), 5, r"ties\[0\]: resident 1 is tied to itself"),
        (EdgeList(kind="ties", ties=((0, 1), (1, 0))), 5, r"ties\[1\]: the tie \[1, 0\] stands twice"),
        (EdgeList(kind="ties", ties=((0, 1),), weights=(1.0, 2.0)), 5, "2 values for 1 ties"),
        (
            EdgeList(kind="ties", ties=((0, 1),), weights=(-1.0,)),
            5,
            r"weights\[0\]: -1 is outside what is allowed",
        ),
        (EdgeList(kind="ties", ties=((0, 1),), transmission=(1.5,)), 5, r"transmission\[0\]: 1.5 is outside"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(network, residents, said) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        build(network, residents)
    assert "\n" not in str(caught.value)


def test_small_world_is_a_ring_at_0_and_forgets_it_at_1() -> None:
    ring = build(Ring(kind="ring", degree=6), 600, leaders=NOBODY_LEADS)
    same = build(SmallWorld(kind="small_world", degree=6, rewired=0.0), 600, leaders=NOBODY_LEADS)
    assert np.array_equal(ring.neighbours, same.neighbours)
    for rewired in (0.1, 1.0):
        c = build(SmallWorld(kind="small_world", degree=6, rewired=rewired), 3000, leaders=NOBODY_LEADS)
        assert_proper(c)
        assert c.n_ties == 18_000
        assert c.degree.min() >= 3
        apart = np.abs(rows_of(c) - c.neighbours.astype(np.int64))
        kept = (np.minimum(apart, 3000 - apart) <= 3).mean()
        assert kept == pytest.approx(1 - rewired, abs=0.015)


@pytest.mark.parametrize(
    ("n", "degree"), [(10, 3), (50, 7), (1000, 4), (400, 30), (9, 4), (20, 18), (12, 11), (9, 6)]
)
def test_random_regular_is_regular(n, degree) -> None:
    for number in range(5):
        c = build(RandomRegular(kind="random_regular", degree=degree), n, leaders=NOBODY_LEADS, number=number)
        assert_proper(c)
        assert set(c.degree) == {degree}


def test_random_regular_pairs_are_equally_likely() -> None:
    """Of 15 pairs among 6 residents with 2 ties each, all are equally likely."""
    times = np.zeros((6, 6))
    for number in range(2000):
        c = build(RandomRegular(kind="random_regular", degree=2), 6, leaders=NOBODY_LEADS, number=number)
        times[rows_of(c), c.neighbours] += 1
    counts = times[np.triu_indices(6, 1)]
    assert counts.sum() == 12_000
    assert np.abs(counts - 800).max() < 4.5 * np.sqrt(2000 * 0.4 * 0.6)


def test_erdos_renyi_degrees_are_poisson() -> None:
    degree = build(ErdosRenyi(kind="erdos_renyi", degree=8.0), 50_000, leaders=NOBODY_LEADS).degree
    observed = np.bincount(np.clip(degree, 1, 18) - 1, minlength=18)
    expected = 50_000 * np.diff(stats.poisson.cdf(np.r_[-1, 1:18, 1000], 8.0))
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_erdos_renyi_pairs_are_equally_likely() -> None:
    times = np.zeros((5, 5))
    for number in range(3000):
        c = build(ErdosRenyi(kind="erdos_renyi", degree=1.6), 5, leaders=NOBODY_LEADS, number=number)
        times[rows_of(c), c.neighbours] += 1
    counts = times[np.triu_indices(5, 1)]
    assert np.abs(counts - 1200).max() < 4.5 * np.sqrt(3000 * 0.4 * 0.6)


def test_dense_erdos_renyi() -> None:
    everybody = build(ErdosRenyi(kind="erdos_renyi", degree=29.0), 30, leaders=NOBODY_LEADS)
    assert set(everybody.degree) == {29}
    assert not build(ErdosRenyi(kind="erdos_renyi", degree=0.0), 30).degree.any()


def test_scale_free_has_a_power_law_tail() -> None:
    """P(degree >= k) = m(m+1) / (k(k+1)) in the limit (Bollobas et al. 2001)."""
    degree = build(ScaleFree(kind="scale_free", ties_each=4), 50_000, leaders=NOBODY_LEADS).degree
    assert degree.sum() == 2 * (10 + 49_995 * 4)
    assert degree.min() >= 4
    for k in (5, 8, 16, 40, 80):
        expected = 4 * 5 / (k * (k + 1))
        assert (degree >= k).mean() == pytest.approx(expected, rel=0.05 + 4 / np.sqrt(50_000 * expected))


def test_stochastic_block_has_the_expected_shares() -> None:
    groups = {"a": GroupSpec(share=0.5), "b": GroupSpec(share=0.3), "c": GroupSpec(share=0.2)}
    c = build(
        StochasticBlock(kind="stochastic_block", degree=9.0), 20_000, groups=groups, leaders=NOBODY_LEADS
    )
    assert_proper(c)
    facts = network_facts(c)
    assert facts["mean_degree"] == pytest.approx(9.0, abs=0.1)
    assert facts["same_group_share"] == pytest.approx(0.80, abs=0.01)
    one = build(
        StochasticBlock(kind="stochastic_block", degree=9.0),
        5000,
        groups={"a": GroupSpec(share=1.0)},
        leaders=NOBODY_LEADS,
    )
    assert one.degree.mean() == pytest.approx(9.0, abs=0.2)


def test_complete_and_well_mixed() -> None:
    c = build(Complete(kind="complete"), 5)
    assert c.neighbours.tolist() == [1, 2, 3, 4, 0, 2, 3, 4, 0, 1, 3, 4, 0, 1, 2, 4, 0, 1, 2, 3]
    assert not c.well_mixed
    mixed = build(WellMixed(kind="well_mixed"), 5)
    assert mixed.well_mixed
    assert mixed.n_ties == 0
    assert mixed.row_start.tolist() == [0] * 6


def test_listed_ties() -> None:
    ties = EdgeList(kind="ties", ties=((0, 2), (0, 1)), weights=(0.25, 1.0), transmission=(0.1, 0.2))
    both = build(ties, 3)
    assert both.row_start.tolist() == [0, 2, 3, 4]
    assert both.neighbours.tolist() == [1, 2, 0, 0]
    assert both.tie_weight.tolist() == [2**20, 2**18, 2**20, 2**18]
    assert both.transmission.tolist() == [0.2, 0.1, 0.2, 0.1]
    one_way = build(ties.model_copy(update={"directed": True}), 3)
    assert one_way.row_start.tolist() == [0, 2, 2, 2]
    assert one_way.neighbours.tolist() == [1, 2]
    plain = build(EdgeList(kind="ties", ties=((0, 1),), weights=(1.0,)), 3)
    assert plain.tie_weight.size == 0
    two_ways = EdgeList(kind="ties", ties=((0, 1), (1, 0)), directed=True)
    assert build(two_ways, 2).neighbours.tolist() == [1, 0]


# Measuring


@pytest.mark.parametrize("kind", ["households", "scale_free", "small_world", "erdos_renyi"])
def test_facts_agree_with_networkx(kind: str) -> None:
    community = build(KINDS[kind])
    network, degree = as_networkx(community), community.degree
    facts = network_facts(community)
    friends = [np.mean([degree[j] for j in network[i]]) for i in network if degree[i]]
    assert facts["mean_degree"] == pytest.approx(degree.mean())
    assert facts["transitivity"] == pytest.approx(nx.transitivity(network))
    assert facts["friend_degree_ratio"] == pytest.approx(np.mean(friends) / degree[degree > 0].mean())
    same = [community.group[a] == community.group[b] for a, b in network.edges]
    assert facts["same_group_share"] == pytest.approx(np.mean(same))
    assert facts["isolate_share"] == (degree == 0).mean()


def test_facts_without_ties() -> None:
    facts = network_facts(build(WellMixed(kind="well_mixed")))
    assert facts["isolate_share"] == 1.0
    assert np.isnan(facts["transitivity"])
