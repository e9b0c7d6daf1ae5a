"""W1 and W2 with NDlib's own `ThresholdModel` and `IndependentCascadesModel`.

NDlib knows who joins for good only, so `W1-dense` is run in that form: 50 iterations. The graph is a networkx
graph (an igraph graph, which NDlib also takes, is several times slower), configured once; every run starts
again by `reset`, as its documentation does. `iteration(node_status=False)` spares the lists of who changed;
it tells the number of participants of the week. Iteration 0 of NDlib is the start. W3 has no model here: the
compartments of a composite model cannot read a resident's own threshold together with the share of the
contacts.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
from benchmarks.works import (
    SEED,
    Inputs,
    Outcome,
    Prepare,
    Task,
    cascade_result,
    dense_result,
    fixpoint_result,
)
from ndlib.models.epidemics import IndependentCascadesModel, ThresholdModel
from ndlib.models.ModelConfig import Configuration

NAME = "NDlib"
PACKAGE = "ndlib"

FIXPOINT_SETS = 2
"""Seed sets of W1-fixpoint that are run, of 64."""
CASCADES = 20
ACTIVE = 1
"""NDlib's number of the state of being infected."""


def _graph(given: Inputs) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(given.n))
    graph.add_edges_from(given.edges.tolist())
    return graph


def _threshold_model(given: Inputs) -> ThresholdModel:
    """The model with the work's thresholds and the first seed set."""
    model = ThresholdModel(_graph(given))
    configuration = Configuration()
    for node, threshold in enumerate(given.threshold.tolist()):
        configuration.add_node_configuration("threshold", node, threshold)
    configuration.add_model_initial_configuration("Infected", given.seed_sets[0].tolist())
    model.set_initial_status(configuration)
    return model


def fixpoint(given: Inputs) -> Task:
    """W1 to rest: two seed sets."""
    model = _threshold_model(given)

    def task() -> Outcome:
        finals, weeks = [], []
        for seeds in given.seed_sets[:FIXPOINT_SETS].tolist():
            model.reset(seeds)
            model.iteration(node_status=False)
            week = 0
            while model.iteration(node_status=False)["status_delta"][ACTIVE]:
                week += 1
            weeks.append(week)
            finals.append(dict(model.status))
        return Outcome(len(finals), lambda: fixpoint_result([_flags(given, f) for f in finals], weeks))

    return task


def _flags(given: Inputs, status: dict[int, int]) -> np.ndarray:
    """(n,) who takes part."""
    return np.array([status[node] == ACTIVE for node in range(given.n)])


def dense(given: Inputs) -> Task:
    """W1 for good, 50 weeks, one seed set."""
    model = _threshold_model(given)

    def task() -> Outcome:
        model.reset(given.seed_sets[0].tolist())
        told = model.iteration_bunch(given.weeks + 1, node_status=False)
        curve = [week["node_count"][ACTIVE] for week in told[1:]]
        return Outcome(given.n * given.weeks, lambda: dense_result(irreversible=[curve]))

    return task


def cascades(given: Inputs) -> Task:
    """W2: twenty cascades."""
    model = IndependentCascadesModel(_graph(given), seed=SEED)
    configuration = Configuration()
    for edge in map(tuple, given.edges.tolist()):
        configuration.add_edge_configuration("threshold", edge, given.parameters["chance"])
    configuration.add_model_initial_configuration("Infected", given.seed_sets[0].tolist())
    model.set_initial_status(configuration)

    def cascade() -> int:
        model.reset(given.seed_sets[0].tolist())
        while True:
            counts = model.iteration(node_status=False)["node_count"]
            if not counts[ACTIVE]:
                return given.n - counts[0]

    def task() -> Outcome:
        sizes = [cascade() for _ in range(CASCADES)]
        return Outcome(CASCADES, lambda: cascade_result(sizes))

    return task


WORKS: dict[str, Prepare] = {"W1-fixpoint": fixpoint, "W1-dense": dense, "W2": cascades}
