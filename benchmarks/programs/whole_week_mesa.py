"""W5 as an idiomatic Mesa model: agents that read their neighbours, decide, then commit; a data collector."""

from __future__ import annotations

import itertools
import math

import mesa
import numpy as np
from benchmarks.whole_week import WIDTHS, Inputs, week_result
from benchmarks.works import Outcome, Task

NAME = "Mesa"
PACKAGE = "mesa"


class Person(mesa.Agent):
    """A resident."""

    def __init__(self, model: Community, i: int) -> None:
        super().__init__(model)
        given = model.given
        self.group = int(given.group[i])
        self.omega = float(given.influence[i])
        self.leads = bool(given.is_leader[i])
        self.stance = int(given.leaning[i])
        self.aware, self.participating = bool(given.aware[i]), bool(given.participating[i])
        self.threshold, self.start = float(given.threshold[i]), float(given.capability[i])
        self.capability, self.trust = self.start, float(given.trust[i])
        self.ownership = self.appeal = 0.0
        self.neighbours: list[Person] = []
        self.weight = 0.0

    def decide(self) -> None:
        """Read the neighbours and choose the next state."""
        model, rng = self.model, self.random
        b = model.behaviour
        told = 1 - model.media[self.group]
        not_by_participant, not_by_other = model.not_told
        pull = 0.0
        for other in self.neighbours:
            if other.aware:
                told *= not_by_participant if other.participating or other.stance > 0 else not_by_other
            if other.stance:
                pull += other.omega * other.stance
            elif other.participating:
                pull += other.omega
        share = pull / self.weight if self.weight else 0.0
        exposure = (1 - b["visibility"]) * share + b["visibility"] * model.share
        self.next_aware = self.aware or rng.random() < 1 - told
        v = (
            b["social_weight"] * exposure
            + b["appeal_weight"] * self.trust * self.appeal
            + b["capability_weight"] * self.capability
            + b["results_weight"] * model.results
            - model.barrier[self.group]
            - self.threshold
            + b["habit"] * self.ownership * self.participating
        )
        chance = 1 / (1 + math.exp(-v / b["noise"]))
        p = (1 - b["reconsider"]) * self.participating + b["reconsider"] * chance
        self.next_participating = self.next_aware and self.stance >= 0 and rng.random() < p

    def advance(self) -> None:
        """Commit, then lapse, turnover, forgetting and learning."""
        model, rng = self.model, self.random
        b = model.behaviour
        self.aware, self.participating = self.next_aware, self.next_participating
        if self.participating and rng.random() < b["lapse"]:
            self.participating = False
            self.ownership *= 0.5
        if rng.random() < b["turnover"]:
            self.threshold = rng.gauss(b["threshold_mean"], b["threshold_sd"])
            start = rng.gauss(model.capability[self.group], b["capability_sd"])
            self.start = self.capability = min(max(start, 0), 1)
            self.trust = min(max(rng.gauss(model.trust[self.group], b["trust_sd"]), 0), 1)
            self.aware = self.leads or rng.random() < model.first_aware[self.group]
            self.participating = False
            self.ownership = self.appeal = 0.0
        elif self.aware and not self.participating and rng.random() < model.forget:
            self.aware = False
        self.appeal *= model.keep[0]
        if self.participating:
            self.capability += b["learning"] * (1 - self.capability)
            self.ownership += b["ownership_growth"] * (1 - self.ownership)
        else:
            self.capability = self.start + (self.capability - self.start) * model.keep[1]
            self.ownership *= model.keep[2]


class Community(mesa.Model):
    """The community, and what is the same for everybody."""

    def __init__(self, given: Inputs, seed: int) -> None:
        super().__init__(rng=seed)
        self.given = given
        self.behaviour = b = given.parameters["behaviour"]
        groups = given.parameters["groups"]
        self.media = [group["background_media"] for group in groups]
        self.barrier = [group["barrier"] for group in groups]
        self.capability = [group["capability"] for group in groups]
        self.trust = [group["trust"] for group in groups]
        self.first_aware = [group["aware"] for group in groups]
        self.forget = 1 - 2 ** (-1 / b["awareness_half_life"])
        half_lives = (b["appeal_half_life"], b["capability_half_life"], b["ownership_half_life"])
        self.keep = [2 ** (-1 / half_life) for half_life in half_lives]
        self.not_told = 1 - b["tell_participant"], 1 - b["tell_other"]
        self.results = 0.0
        people = [Person(self, i) for i in range(given.n)]
        for i, person in enumerate(people):
            row = given.neighbours[given.row_start[i] : given.row_start[i + 1]]
            person.neighbours = [people[j] for j in row.tolist()]
            person.weight = sum(other.omega for other in person.neighbours)
        self.aware = sum(person.aware for person in people)
        self.participating = sum(person.participating for person in people)
        self.share = self.participating / given.n
        self.collector = mesa.DataCollector(
            {"aware": lambda model: model.aware, "participating": lambda model: model.participating}
        )

    def step(self) -> None:
        """One week."""
        self.agents.do("decide")
        self.agents.do("advance")
        self.aware = sum(person.aware for person in self.agents)
        self.participating = sum(person.participating for person in self.agents)
        self.share = f = self.participating / self.given.n
        b = self.behaviour
        self.results += b["results_rate"] * (f**2 / (f**2 + b["results_half"] ** 2) - self.results)
        self.collector.collect(self)


def prepare(given: Inputs) -> Task:
    """Each call makes the agents and runs 130 weeks with a seed of its own."""
    seeds = itertools.count()

    def run() -> Outcome:
        model = Community(given, next(seeds))
        for _ in range(given.weeks):
            model.step()

        def tell() -> dict[str, object]:
            table = model.collector.get_model_vars_dataframe()
            return week_result(*(np.array(table[name])[None] for name in ("aware", "participating")))

        return Outcome(float(given.n * given.weeks), tell)

    return run


WORKS = dict.fromkeys(WIDTHS, prepare)
