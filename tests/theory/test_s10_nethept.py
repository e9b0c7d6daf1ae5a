"""S10 and S12 in seconds: the published list exactly, influence maximization and cascades within tolerance.

`verification/` runs them at full size and measures the time.
"""

from __future__ import annotations

from dataclasses import replace
from math import hypot
from pathlib import Path

import numpy as np
import pytest
from tests.theory import nethept
from tests.theory.published import read_case, stated

from mobsim import Community, Scenario, build, choose_seeds

SURE = 4
"""Standard errors that a right program passes in all but one of 15,000 tests."""


@pytest.fixture(scope="module")
def data(validation_cases: Path) -> Path:
    """The folder with the graphs."""
    return validation_cases.parent / "data" / "nethept"


@pytest.fixture(scope="module")
def by_papers(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scenario, Community]:
    """A tie has a chance of .01 for every paper."""
    graph = nethept.one_chance_a_paper(nethept.coauthors(data), 0.01)
    scenario = nethept.scenario_of("nethept_cascade", graph, tmp_path_factory.mktemp("papers"))
    return scenario, build(scenario, 0)


@pytest.fixture(scope="module")
def of_shares(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scenario, Community]:
    """People join by the share of their coauthors, each counted once."""
    graph = nethept.coauthors(data)
    plain = replace(graph, papers=np.ones_like(graph.papers))
    scenario = nethept.scenario_of("nethept_threshold", plain, tmp_path_factory.mktemp("shares"))
    return scenario, build(scenario, 0)


def test_degree_discount_gives_the_published_list(
    validation_cases: Path, data: Path, by_papers: tuple[Scenario, Community]
) -> None:
    assert "(b) exact set" in read_case(validation_cases, "S10")["tolerance"]
    published = {int(word) for word in (data / "degree_discount_seeds_nd7141.txt").read_text("utf-8").split()}
    scenario, built = by_papers
    found = choose_seeds(scenario, 50, rule="degree_discount", probability=0.01, community=built)
    assert set(found.tolist()) == published


def test_imm_reaches_as_many_as_published(validation_cases: Path, data: Path, tmp_path: Path) -> None:
    s10 = read_case(validation_cases, "S10")
    low, high = (stated(s10, "(a) 1285-1305", number) for number in (1285, 1305))
    scenario = nethept.scenario_of("nethept_cascade", nethept.directed_coauthors(data), tmp_path)
    built = build(scenario, 0)
    chosen = choose_seeds(scenario, 50, rule="influence", epsilon=0.1, community=built)
    (reached,) = nethept.cascades(scenario, [chosen], 1000, built)
    assert low <= reached.value <= high
    weighted = choose_seeds(scenario, 50, rule="influence", cascade="weighted", community=built)
    assert len({*chosen.tolist()} & {*weighted.tolist()}) > 40, "the files' chances are 1 / indegree"


def test_thresholds_reach_as_many_as_in_other_programs(
    validation_cases: Path, data: Path, of_shares: tuple[Scenario, Community]
) -> None:
    s10 = read_case(validation_cases, "S10")
    scenario, built = of_shares
    listed = s10["reference"]["seeds (c)"]
    assert choose_seeds(scenario, 50, rule="degree", community=built).tolist() == listed
    (found,) = nethept.thresholds(scenario, [listed], 300, built)
    mean, error = s10["reference"]["(c) LT 1/deg"]["cynetdiff 20k"]
    assert abs(found.value - mean) <= SURE * hypot(found.error, error)


def test_communities_with_other_thresholds_are_those_that_are_built(
    of_shares: tuple[Scenario, Community],
) -> None:
    scenario, built = of_shares
    *_, second = nethept.with_other_thresholds(scenario, built, 2)
    assert second.threshold.tobytes() == build(scenario, 1).threshold.tobytes()


def test_s12_strategies_rank_as_published(validation_cases: Path, data: Path, tmp_path: Path) -> None:
    s12 = read_case(validation_cases, "S12")
    graph = replace(nethept.coauthors(data), weight_of_a_paper=2.0**-10)
    scenario = nethept.scenario_of("nethept_threshold", graph, tmp_path)
    built = build(scenario, 0)
    sets = [
        choose_seeds(scenario, 30, rule="influence", cascade="linear_threshold", community=built),
        nethept.first_by(graph.degree(by_papers=True), 30),
        choose_seeds(scenario, 30, rule="distance", community=built),
        choose_seeds(scenario, 30, rule="random", community=built),
    ]
    greedy, degree, central, random = nethept.thresholds(scenario, sets, 300, built)
    assert greedy.value > degree.value > central.value > random.value
    reference = s12["reference"]["ours on Chen's 15,233-node graph"]
    for name, found in [("greedy", greedy), ("degree", degree), ("central", central)]:
        mean, error = reference[name]
        assert abs(found.value - mean) <= SURE * hypot(found.error, error)
