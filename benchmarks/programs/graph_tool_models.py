"""W1 and W2 with graph-tool's own dynamics, compiled; one thread.

graph-tool is not on the package index (conda-forge and Linux distributions have it), so it is measured only
where Python finds it. W1 is `BinaryThresholdState` with `iterate_sync`: its threshold is one number for all,
so the weights of a resident's ties carry the resident's own, put halfway between two counts of contacts, as
it asks for more than the threshold. For good: a heavy tie of everybody to oneself. The state object is made
once and its states are set anew for each run. W2 is `SIRState` whose infectious recover after one step; it
keeps counts of its own beside the states, so it is made anew for each cascade. W3 has no model here:
synchronous choices with noise exist, but nobody may skip a week.
"""

from __future__ import annotations

import graph_tool
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
from graph_tool.dynamics import BinaryThresholdState, SIRState

NAME = "graph-tool"
PACKAGE = "graph_tool"

HEAVY = 1e6
"""Weight of one's own tie: more than all contacts together."""
CASCADES = 100


def _one_thread() -> None:
    if graph_tool.openmp_enabled():
        graph_tool.openmp_set_num_threads(1)
    graph_tool.seed_rng(SEED)


def _threshold_state(given: Inputs, lasting: bool) -> BinaryThresholdState:
    """The threshold dynamics; lasting: with a heavy tie of everybody to oneself."""
    graph = graph_tool.Graph(directed=True)
    graph.add_vertex(given.n)
    everybody = np.arange(given.n)
    influenced = np.repeat(everybody, given.degree)
    ties = np.stack([given.neighbours.astype(np.int64), influenced], axis=1)
    degree = given.degree + lasting
    weight = (0.5 * degree / (given.least_count - 0.5))[influenced]
    if lasting:
        ties = np.concatenate([ties, np.stack([everybody, everybody], axis=1)])
        weight = np.concatenate([weight, np.full(given.n, HEAVY)])
    graph.add_edge_list(ties)
    return BinaryThresholdState(
        graph,
        w=graph.new_edge_property("double", vals=weight),
        h=0.5,
        r=0.0,
        s=graph.new_vertex_property("int32_t", val=0),
    )


def fixpoint(given: Inputs) -> Task:
    """W1 to rest: all seed sets."""
    _one_thread()
    state = _threshold_state(given, lasting=True)

    def task() -> Outcome:
        finals, weeks = [], []
        for k in range(len(given.seed_sets)):
            state.s.a = given.first(k)
            week = 0
            while state.iterate_sync():
                week += 1
            weeks.append(week)
            finals.append(state.s.a > 0)
        return Outcome(len(finals), lambda: fixpoint_result(finals, weeks))

    return task


def dense(given: Inputs) -> Task:
    """W1, reversible, 50 weeks, one seed set."""
    _one_thread()
    state = _threshold_state(given, lasting=False)

    def task() -> Outcome:
        state.s.a = given.first()
        curve = []
        for _ in range(given.weeks):
            state.iterate_sync()
            curve.append(int(np.count_nonzero(state.s.a)))
        return Outcome(given.n * given.weeks, lambda: dense_result(reversible=[curve]))

    return task


def cascades(given: Inputs) -> Task:
    """W2: a hundred cascades."""
    _one_thread()
    graph = graph_tool.Graph(directed=False)
    graph.add_vertex(given.n)
    graph.add_edge_list(given.edges)
    first = graph.new_vertex_property("int32_t", vals=given.first())

    def cascade() -> int:
        state = SIRState(graph, beta=given.parameters["chance"], gamma=1.0, r=0.0, s=first)
        while state.iterate_sync():
            pass
        return int(np.count_nonzero(state.s.a))

    def task() -> Outcome:
        sizes = [cascade() for _ in range(CASCADES)]
        return Outcome(CASCADES, lambda: cascade_result(sizes))

    return task


WORKS: dict[str, Prepare] = {"W1-fixpoint": fixpoint, "W1-dense": dense, "W2": cascades}
