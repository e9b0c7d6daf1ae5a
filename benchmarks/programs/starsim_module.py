"""W3 as a Starsim module on a network of given edges.

The residents are Starsim's agents, the ties a `ss.Network`, and the rule a custom `ss.Module` whose state
`takes_part` is a `ss.BoolState`: Starsim counts it every step by itself, which is the curve. Contacts who
take part are counted over the edge list in both directions, as Starsim's own transmission does, from those
edges whose other end takes part (`add.at`, weights and masks were tried and are slower or no faster). Taken
for speed, as its documentation says: `crn=False` (plain draws), `people_results=False` (no counts of deaths),
no aging, modules that are not copied. A `ss.Sim` is one run, so it is built anew in every timed call.
"""

from __future__ import annotations

import os

import numpy as np

os.environ.setdefault("STARSIM_INSTALL_FONTS", "0")  # or the first import makes a cache of fonts anew

import starsim as ss
from benchmarks.works import Inputs, Outcome, Prepare, Task, curve_result

NAME = "Starsim"
PACKAGE = "starsim"


class Ties(ss.Network):
    """Ties that stay as they are."""

    def step(self) -> None:
        """Nothing changes."""


class Participation(ss.Module):
    """Who takes part, by chance, the more likely the more contacts do."""

    def __init__(self, given: Inputs) -> None:
        super().__init__()
        self.define_pars(**given.parameters)
        self.define_states(ss.BoolState("takes_part"), ss.FloatArr("threshold"), ss.FloatArr("contacts"))
        self.draw = ss.random()
        self.given = given

    def init_post(self) -> None:
        """Set the state at the start."""
        super().init_post()
        self.takes_part[:] = self.given.first()
        self.threshold[:] = self.given.threshold
        self.contacts[:] = self.given.degree

    def step(self) -> None:
        """One week."""
        pars, edges = self.pars, self.sim.networks[0].edges
        now = self.takes_part.values
        from_first, from_second = np.flatnonzero(now[edges.p1]), np.flatnonzero(now[edges.p2])
        ends = np.concatenate([np.take(edges.p2, from_first), np.take(edges.p1, from_second)])
        value = np.bincount(ends, minlength=now.size).astype(np.float32)
        value *= pars.social_weight / pars.noise
        value /= self.contacts.values
        value -= self.threshold.values / np.float32(pars.noise)
        chance = pars.reconsider / (1 + np.exp(-value))
        chance += np.float32(1 - pars.reconsider) * now
        self.takes_part[:] = self.draw.rvs(now.size) < chance


def participation(given: Inputs) -> Task:
    """W3: one run."""
    ss.options(verbose=0, crn=False)
    calls = iter(range(2**31))
    p1, p2 = np.ascontiguousarray(given.edges.T)
    beta = np.ones(p1.size, ss.dtypes.float)

    def task() -> Outcome:
        sim = ss.Sim(
            n_agents=given.n,
            networks=Ties(p1=p1, p2=p2, beta=beta),
            custom=Participation(given),
            start=0,
            stop=given.weeks - 1,
            dt=1,
            rand_seed=next(calls) + 1,
            people_results=False,
            copy_inputs=False,
        )
        sim.run()
        curve = np.asarray(sim.results.participation.n_takes_part)
        return Outcome(given.n * given.weeks, lambda: curve_result([curve]))

    return task


WORKS: dict[str, Prepare] = {"W3-10k": participation, "W3-100k": participation}
