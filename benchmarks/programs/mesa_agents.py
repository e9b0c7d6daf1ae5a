"""W1 to W4 as Mesa agents, the way Mesa's tutorial builds models.

A resident is an `Agent` that reads its contacts and decides, then all commit: `agents.do("decide")` and
`agents.do("advance")`, which is how Mesa writes simultaneous activation (`do` is faster than `shuffle_do`,
and the order means nothing here). The curve is kept by a `DataCollector`. Contacts are a list on the agent
itself, so that nobody asks a grid for the neighbours every week. In W3 and W4 an agent first draws whether it
reconsiders, and looks at its contacts only then (twice as fast). W4 uses `batch_run` with two processes, on
16 of the 256 points.

A Mesa model is one run, so it is built anew in every timed call; only W2, where building would be nearly all
of the time, starts the same agents again, which a careful user would do as well. There, only those who have
just become active do something: a list of agents, not all agents.
"""

from __future__ import annotations

import atexit
import inspect
import math
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import mesa
import numpy as np
from benchmarks.works import (
    NOISES,
    SOCIAL_WEIGHTS,
    Inputs,
    Outcome,
    Prepare,
    Task,
    cascade_result,
    curve_result,
    dense_result,
    fixpoint_result,
    points,
    sweep_result,
)
from mesa.batchrunner import batch_run

NAME = "Mesa"
PACKAGE = "mesa"

FIXPOINT_SETS = 2
"""Seed sets of W1-fixpoint that are run, of 64."""
CASCADES = 200
SWEEP_WEIGHTS, SWEEP_NOISES = SOCIAL_WEIGHTS[::5], NOISES[::5]
"""The points of W4 that are run: four weights by four noises."""
PROCESSES = 2


class Resident(mesa.Agent):
    """Somebody with contacts who takes part or not."""

    def __init__(self, model: mesa.Model, threshold: float, takes_part: bool) -> None:
        super().__init__(model)
        self.threshold = threshold
        self.takes_part = takes_part
        self.next = takes_part
        self.contacts: list[Resident] = []

    def advance(self) -> None:
        """Commit what was decided."""
        self.takes_part = self.next


class ThresholdResident(Resident):
    """Takes part when a share of the contacts does."""

    def decide(self) -> None:
        """Count the contacts who take part."""
        count = 0
        for contact in self.contacts:
            if contact.takes_part:
                count += 1
        self.next = count / len(self.contacts) >= self.threshold


class LastingResident(ThresholdResident):
    """The same, for good."""

    def decide(self) -> None:
        """Count the contacts, unless one takes part already."""
        if not self.takes_part:
            super().decide()


class NoisyResident(Resident):
    """Takes part by chance, the more likely the more contacts do."""

    def decide(self) -> None:
        """Perhaps reconsider; then look at the contacts and draw."""
        model = self.model
        draw = model.random.random
        if draw() >= model.reconsider:
            return
        count = 0
        for contact in self.contacts:
            if contact.takes_part:
                count += 1
        value = model.social_weight * count / len(self.contacts) - self.threshold
        self.next = draw() < 1.0 / (1.0 + math.exp(-value / model.noise))


class TellingResident(Resident):
    """Tells each contact once, in the step after it became active."""

    def tell(self, chance: float, newly_active: list[TellingResident]) -> None:
        """Try every contact that is not active yet."""
        draw = self.random.random
        for contact in self.contacts:
            if not contact.takes_part and draw() < chance:
                contact.takes_part = True
                newly_active.append(contact)


class Community(mesa.Model):
    """Residents of one kind on the ties of the work, with the number of participants collected."""

    def __init__(
        self, given: Inputs, kind: type[Resident], seed_set: int = 0, rng: int | None = None
    ) -> None:
        super().__init__(rng=rng)
        first = given.first(seed_set).tolist()
        agents = kind.create_agents(self, given.n, given.threshold.tolist(), first)
        people = list(agents)
        start, neighbours = given.row_start.tolist(), given.neighbours.tolist()
        for i, person in enumerate(people):
            person.contacts = [people[j] for j in neighbours[start[i] : start[i + 1]]]
        self.people, self.weeks = people, given.weeks
        self.datacollector = mesa.DataCollector(
            {"participants": lambda model: sum([person.takes_part for person in model.people])}
        )

    def step(self) -> None:
        """One week."""
        self.agents.do("decide")
        self.agents.do("advance")
        self.datacollector.collect(self)
        self.running = len(self.curve) < self.weeks

    @property
    def curve(self) -> list[int]:
        """Participants at the end of every week so far."""
        return self.datacollector.model_vars["participants"]


class NoisyCommunity(Community):
    """W3 and W4; takes parameters one by one, as `batch_run` gives them."""

    def __init__(
        self,
        given: Inputs | str,
        social_weight: float,
        noise: float,
        reconsider: float,
        rng: int | None = None,
    ) -> None:
        super().__init__(_loaded(given) if isinstance(given, str) else given, NoisyResident, rng=rng)
        self.social_weight, self.noise, self.reconsider = social_weight, noise, reconsider


@cache
def _loaded(path: str) -> Inputs:
    """Inputs of a batch run, read once in each process."""
    return Inputs.load(Path(path))


def fixpoint(given: Inputs) -> Task:
    """W1 to rest: two seed sets."""

    def task() -> Outcome:
        finals, weeks = [], []
        for k in range(min(FIXPOINT_SETS, len(given.seed_sets))):
            model = Community(given, LastingResident, k)
            before = len(given.seed_sets[k])
            while model.running:
                model.step()
                model.running, before = model.curve[-1] > before, model.curve[-1]
            weeks.append(model.steps - 1)
            finals.append(model.agents.get("takes_part"))
        return Outcome(len(finals), lambda: fixpoint_result([np.array(final) for final in finals], weeks))

    return task


def dense(given: Inputs) -> Task:
    """W1, reversible, 50 weeks, one seed set."""

    def task() -> Outcome:
        model = Community(given, ThresholdResident)
        for _ in range(given.weeks):
            model.step()
        return Outcome(given.n * given.weeks, lambda: dense_result(reversible=[model.curve]))

    return task


def cascades(given: Inputs) -> Task:
    """W2: 200 cascades with the same agents."""
    model = Community(given, TellingResident, rng=1)
    people, chance = model.people, given.parameters["chance"]
    seeds = [people[i] for i in given.seed_sets[0].tolist()]
    for person in people:
        person.takes_part = False

    def cascade() -> int:
        active = list(seeds)
        for person in active:
            person.takes_part = True
        telling = active
        while telling:
            newly_active: list[TellingResident] = []
            for person in telling:
                person.tell(chance, newly_active)
            active += newly_active
            telling = newly_active
        for person in active:
            person.takes_part = False
        return len(active)

    def task() -> Outcome:
        sizes = [cascade() for _ in range(CASCADES)]
        return Outcome(CASCADES, lambda: cascade_result(sizes))

    return task


def participation(given: Inputs) -> Task:
    """W3: one run."""
    calls = iter(range(2**31))

    def task() -> Outcome:
        model = NoisyCommunity(given, **given.parameters, rng=next(calls))
        for _ in range(given.weeks):
            model.step()
        return Outcome(given.n * given.weeks, lambda: curve_result([model.curve]))

    return task


def sweep(given: Inputs) -> Task:
    """W4: 16 of the 256 points through Mesa's batch runner in two processes."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "inputs.npz"
    given.save(path)
    chosen = {"social_weight": SWEEP_WEIGHTS, "noise": SWEEP_NOISES}
    replicates = given.parameters["replicates"]
    newer = "rng" in inspect.signature(batch_run).parameters
    repeated: dict[str, Any] = {"rng": [None] * replicates} if newer else {"iterations": replicates}
    number = {(point["social_weight"], point["noise"]): k for k, point in enumerate(points())}

    def task() -> Outcome:
        rows = batch_run(
            NoisyCommunity,
            {"given": str(path), "reconsider": given.parameters["reconsider"], **chosen},
            number_processes=PROCESSES,
            max_steps=given.weeks + 1,  # the model stops by itself; Mesa's versions count differently
            data_collection_period=1,
            display_progress=False,
            **repeated,
        )
        return Outcome(given.n * len(rows), lambda: told(rows))

    def told(rows: list[dict[str, Any]]) -> dict[str, Any]:
        final: dict[int, list[int]] = {}
        last = max(row["Step"] for row in rows)
        for row in rows:
            if row["Step"] == last:
                point = number[row["social_weight"], row["noise"]]
                final.setdefault(point, []).append(row["participants"])
        return sweep_result(sorted(final), np.array([final[point] for point in sorted(final)]))

    return task


WORKS: dict[str, Prepare] = {
    "W1-fixpoint": fixpoint,
    "W1-dense": dense,
    "W2": cascades,
    "W3-10k": participation,
    "W3-100k": participation,
    "W4": sweep,
}
