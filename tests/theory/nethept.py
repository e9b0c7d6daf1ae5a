"""The coauthor network of the published cases S10 and S12: read, and written as people and ties for mobsim.

The data are not part of mobsim; both functions that read take the folder that holds them (`data/nethept` of
the folder MOBSIM_VALIDATION_DATA).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.theory.measure import Mean, mean_of

from mobsim import Community, Scenario, load_scenario, spread
from mobsim.community.exact import draw_words
from mobsim.community.start import draw_thresholds
from mobsim.kernels import streams

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SCENARIOS = Path(__file__).resolve().parents[2] / "verification" / "scenarios"


@dataclass(frozen=True)
class Graph:
    """Ties of n people; `pairs` are (influencer, influenced), or undirected and each once.

    papers : how often a pair stands in the data; chance : of each tie, or none.
    weight_of_a_paper : written into ties files. Shares of contacts do not depend on it; with a small
        one their sums stay small whole numbers, for which mobsim knows a shorter way.
    """

    n: int
    pairs: Integers
    papers: Integers
    directed: bool = False
    chance: Floats | None = None
    weight_of_a_paper: float = 1.0

    def degree(self, *, by_papers: bool) -> Integers:
        """Ties of everybody, each once or once a paper; of directed ties those that lead away."""
        weights = self.papers if by_papers else np.ones(len(self.pairs), np.int64)
        ends = self.pairs[:, :1] if self.directed else self.pairs
        each = np.repeat(weights, ends.shape[1])
        return np.bincount(ends.ravel(), weights=each, minlength=self.n).astype(np.int64)


def coauthors(folder: Path) -> Graph:
    """The undirected graph of Chen, Wang and Yang with its parallel ties; ties to oneself are left out."""
    n, rows = _read(folder / "nethept_hep.txt.gz")
    pairs = np.sort(np.array([row[:2] for row in rows], np.int64), axis=1)
    pairs, papers = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0, return_counts=True)
    return Graph(n, pairs, papers)


def directed_coauthors(folder: Path) -> Graph:
    """The directed graph with the chances 1 / indegree that is handed around with implementations of IMM."""
    n, rows = _read(folder / "nethept_directed_wc_snowgy.txt.gz")
    rows = [row for row in rows if row[0] != row[1]]
    pairs = np.array([row[:2] for row in rows], np.int64)
    chance = np.array([float(row[2]) for row in rows])
    return Graph(n, pairs, np.ones(len(rows), np.int64), directed=True, chance=chance)


def _read(file: Path) -> tuple[int, list[list[str]]]:
    with gzip.open(file, "rt", encoding="ascii") as lines:
        n, _ = next(lines).split()
        return int(n), [line.split() for line in lines if line.strip()]


def weighted_cascade(graph: Graph) -> Graph:
    """The simple graph with both directions of every tie and the chance 1 / ties of whom it leads to."""
    pairs = np.concatenate([graph.pairs, graph.pairs[:, ::-1]])
    chance = 1.0 / graph.degree(by_papers=False)[pairs[:, 1]]
    return Graph(graph.n, pairs, np.ones(len(pairs), np.int64), directed=True, chance=chance)


def one_chance_a_paper(graph: Graph, p: float) -> Graph:
    """The graph on which every paper gives a tie another chance p."""
    return replace(graph, chance=1.0 - (1.0 - p) ** graph.papers)


def scenario_of(name: str, graph: Graph, folder: Path, **overrides: Any) -> Scenario:
    """Load a scenario of `verification/scenarios` on a graph, whose files are written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    people, ties = folder / "people.csv", folder / "ties.csv"
    people.write_text("\n".join(["id", *map(str, range(graph.n))]) + "\n", "utf-8")
    ties.write_text("\n".join(_lines(graph)) + "\n", "utf-8")
    network = {"kind": "files", "directed": graph.directed}
    network |= {"people": str(people.resolve()), "ties": str(ties.resolve())}
    given = {"community.residents": graph.n, "community.network": network, **overrides}
    return load_scenario(SCENARIOS / f"{name}.yaml", overrides=given)


def _lines(graph: Graph) -> Iterator[str]:
    """Rows of a ties file: to influences from."""
    weighted = bool(np.any(graph.papers != 1))
    columns = ["from", "to", *(["weight"] * weighted), *(["transmission"] * (graph.chance is not None))]
    yield ",".join(columns)
    for at, (influencer, influenced) in enumerate(graph.pairs.tolist()):
        numbers = [repr(float(graph.papers[at] * graph.weight_of_a_paper))] * weighted
        numbers += [] if graph.chance is None else [repr(float(graph.chance[at]))]
        yield ",".join([str(influenced), str(influencer), *numbers])


def first_by(values: npt.ArrayLike, number: int) -> list[int]:
    """The people with the largest values, among equals the first by number."""
    ranked = np.lexsort((np.arange(np.size(values)), -np.asarray(values)))
    return [int(i) for i in ranked[:number]]


def cascades(scenario: Scenario, sets: Sequence[Sequence[int]], runs: int, built: Community) -> list[Mean]:
    """How many people independent cascades reach from each set, in the mean."""
    found = spread(scenario, sets, luck=runs, community=built).participating[:, :, -1]
    return [mean_of(of_set) for of_set in found]


def thresholds(scenario: Scenario, sets: Sequence[Sequence[int]], runs: int, built: Community) -> list[Mean]:
    """How many people linear thresholds reach from each set, in the mean; every run has other thresholds."""
    found = [
        spread(scenario, sets, luck=1, community=community).participating[:, 0, -1]
        for community in with_other_thresholds(scenario, built, runs)
    ]
    return [mean_of(of_set) for of_set in np.array(found).T]


def with_other_thresholds(scenario: Scenario, built: Community, number: int) -> Iterator[Community]:
    """The communities 0, 1, ... of a scenario whose people and ties are read from files.

    They differ in their thresholds only: reading the files again for each would take most of the time.
    """
    for k in range(number):
        words = draw_words(streams.INITIAL, built.n_residents, seed=scenario.seed, number=k)[0]
        drawn, _ = draw_thresholds(scenario.behaviour.thresholds, words)
        yield replace(built, number=k, threshold=drawn)
