"""W1 and W2 with cynetdiff's own models, compiled and driven by events.

cynetdiff knows who joins for good only, so `W1-dense` is run in that form: 50 steps, participants counted
after each. The model is built once from two arrays (its documented way without networkx) and started again
for every run, as its documentation does. Only `_assign_thresholds` says which thresholds a linear threshold
model has, and starting again forgets them: giving them again is part of every run. They are put halfway
between two counts of contacts, so that sums in single precision never decide.

The final sets come out of cynetdiff one number at a time, which takes long. The timed call reads the sizes
and the weeks; the sets that are compared are read from runs after the clock has stopped.
"""

from __future__ import annotations

import array

import numpy as np
import numpy.typing as npt
from benchmarks.works import (
    SEED,
    Inputs,
    Outcome,
    Prepare,
    Result,
    Task,
    cascade_result,
    dense_result,
    fixpoint_result,
)
from cynetdiff.models import IndependentCascadeModel, LinearThresholdModel

NAME = "cynetdiff"
PACKAGE = "cynetdiff"


def _ties(given: Inputs) -> tuple[array.array, array.array]:
    """Where each resident's ties start, and the ties."""
    starts = array.array("I", given.row_start[:-1].tolist())
    return starts, array.array("I", given.neighbours.tolist())


class _Threshold:
    """A linear threshold model with the work's thresholds."""

    def __init__(self, given: Inputs) -> None:
        self.n = given.n
        self.model = LinearThresholdModel(*_ties(given))
        self.seed_sets = given.seed_sets.tolist()
        self.thresholds = array.array("f", ((given.least_count - 0.5) / given.degree).tolist())

    def start(self, k: int) -> None:
        """Start again with a seed set."""
        self.model.set_seeds(self.seed_sets[k])
        self.model._assign_thresholds(self.thresholds)

    def to_rest(self, k: int) -> int:
        """Run a seed set to rest; return the last week in which somebody joined."""
        self.start(k)
        model, week, count = self.model, 0, len(self.seed_sets[k])
        while True:
            model.advance_model()
            before, count = count, model.get_num_activated_nodes()
            if count == before:
                return week
            week += 1

    def final(self, k: int) -> npt.NDArray[np.bool_]:
        """(n,) who takes part at rest."""
        self.to_rest(k)
        chosen = np.zeros(self.n, np.bool_)
        chosen[list(self.model.get_activated_nodes())] = True
        return chosen


def fixpoint(given: Inputs) -> Task:
    """W1 to rest: all seed sets."""
    threshold = _Threshold(given)
    sets = range(len(given.seed_sets))

    def task() -> Outcome:
        weeks, sizes = [], []
        for k in sets:
            weeks.append(threshold.to_rest(k))
            sizes.append(threshold.model.get_num_activated_nodes())
        return Outcome(len(sets), lambda: told(weeks, sizes))

    def told(weeks: list[int], sizes: list[int]) -> Result:
        finals = [threshold.final(k) for k in sets]
        assert [int(final.sum()) for final in finals] == sizes
        return fixpoint_result(finals, weeks)

    return task


def dense(given: Inputs) -> Task:
    """W1 for good, 50 weeks, one seed set."""
    threshold = _Threshold(given)

    def task() -> Outcome:
        threshold.start(0)
        model, curve = threshold.model, []
        for _ in range(given.weeks):
            model.advance_model()
            curve.append(model.get_num_activated_nodes())
        return Outcome(given.n * given.weeks, lambda: dense_result(irreversible=[curve]))

    return task


def cascades(given: Inputs) -> Task:
    """W2: all cascades from one model that is started again."""
    model = IndependentCascadeModel(*_ties(given), activation_prob=given.parameters["chance"])
    model.set_rng(SEED)
    model.set_seeds(given.seed_sets[0].tolist())

    def task() -> Outcome:
        sizes = []
        for _ in range(given.parameters["cascades"]):
            model.reset_model()
            model.advance_until_completion()
            sizes.append(model.get_num_activated_nodes())
        return Outcome(len(sizes), lambda: cascade_result(sizes))

    return task


WORKS: dict[str, Prepare] = {"W1-fixpoint": fixpoint, "W1-dense": dense, "W2": cascades}
