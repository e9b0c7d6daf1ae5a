"""Time 130 weeks: the engine against careful NumPy and against plain Mesa agents, side by side.

The work (W5): 1,000 residents in households, 130 weeks of awareness, exposure, participation, lapse,
turnover, forgetting, learning and counts, without a campaign. The programs take turns; each figure is a
median over rounds of processor time in one thread, and a ratio is the median of the ratios within a round.

Run: python benchmarks/week_kernel.py [--rounds 7] [--skip-mesa]
"""

from __future__ import annotations

import argparse
import math
import platform
import statistics
import time
from collections.abc import Callable

import mesa
import numpy as np
import scipy.sparse as sp

from mobsim.community.community import Community
from mobsim.engine.block import Block
from mobsim.engine.run import build
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

WEEKS = 130
TARGETS = {
    "L=1": (2.4, 29),
    "L=16": (11, 140),
    "L=64": (14, 200),
    "L=64, 8 arms x 8 luck": (17, 230),
}
"""Ratios to reach against NumPy and against Mesa (the project's performance notes)."""


def numpy_run(scenario: Scenario, c: Community, seed: int) -> float:
    """One run of W5 in vectorized NumPy with a sparse matrix; returns the final participation."""
    b = scenario.behaviour
    groups = list(scenario.community.groups.values())
    rng = np.random.default_rng(seed)
    n = c.n_residents
    f4 = np.float32
    matrix = sp.csr_array(
        (np.ones(c.n_ties, f4), c.neighbours.astype(np.int32), c.row_start.astype(np.int32)), shape=(n, n)
    )
    omega = (c.influence / 8).astype(f4)
    weight = matrix @ omega
    weight[weight == 0] = 1
    sign = c.leaning.astype(f4)
    ordinary = sign == 0
    supportive, opposed = sign > 0, sign < 0
    per_group = {
        key: np.array([getattr(group, key) for group in groups], f4)[c.group]
        for key in ("barrier", "background_media", "capability", "trust", "aware")
    }
    log_background = np.log2(1 - per_group["background_media"])
    log_p, log_n = f4(np.log2(1 - b.tell_participant)), f4(np.log2(1 - b.tell_other))
    a, x = c.aware.copy(), c.participating.copy()
    theta, s0, t = c.threshold.copy(), c.capability.copy(), c.trust.copy()
    s, o, m = s0.copy(), np.zeros(n, f4), np.zeros(n, f4)
    z = 0.0
    keep = [f4(2 ** (-1 / h)) for h in (b.appeal_half_life, b.capability_half_life, b.ownership_half_life)]
    forget = f4(1 - 2 ** (-1 / b.awareness_half_life))
    aware_by_week = np.zeros((WEEKS, 2))
    for week in range(WEEKS):
        draws = rng.random((5, n), dtype=f4)
        share = x.mean()
        tells = a & (x | supportive)
        counts = matrix @ np.stack([tells, a & ~tells, np.where(ordinary, x, sign) * omega], axis=1).astype(
            f4
        )
        exposure = f4(1 - b.visibility) * counts[:, 2] / weight + f4(b.visibility * share)
        a = a | (draws[0] < 1 - np.exp2(log_background + counts[:, 0] * log_p + counts[:, 1] * log_n))
        v = (
            f4(b.social_weight) * exposure
            + f4(b.appeal_weight) * t * m
            + f4(b.capability_weight) * s
            + f4(b.results_weight * z)
            - per_group["barrier"]
            - theta
            + f4(b.habit) * o * x
        )
        chance = 1 / (1 + np.exp(-v / f4(b.noise)))
        x = a & ~opposed & (draws[1] < f4(1 - b.reconsider) * x + f4(b.reconsider) * chance)
        lapse = x & (draws[2] < f4(b.lapse))
        x &= ~lapse
        o[lapse] *= f4(0.5)
        a &= ~(~x & (draws[4] < forget))
        new = np.flatnonzero(draws[3] < f4(b.turnover))
        if new.size:
            theta[new] = rng.normal(b.thresholds.mean, b.thresholds.sd, new.size)
            s0[new] = s[new] = np.clip(rng.normal(per_group["capability"][new], b.capability_sd), 0, 1)
            t[new] = np.clip(rng.normal(per_group["trust"][new], b.trust_sd), 0, 1)
            a[new] = rng.random(new.size) < per_group["aware"][new]
            x[new] = False
            o[new] = m[new] = 0
        m *= keep[0]
        s = np.where(x, s + f4(b.learning) * (1 - s), s0 + (s - s0) * keep[1])
        o = np.where(x, o + f4(b.ownership_growth) * (1 - o), o * keep[2])
        f = x.mean()
        z += b.results_rate * (f**2 / (f**2 + b.results_half**2) - z)
        aware_by_week[week] = a.mean(), f
    return float(aware_by_week[-1, 1])


class Person(mesa.Agent):
    """A resident as an idiomatic Mesa agent: reads its neighbours, decides, then commits."""

    def __init__(self, model: MesaModel, i: int) -> None:
        super().__init__(model)
        c = model.community
        self.i = i
        self.group = int(c.group[i])
        self.omega = float(c.influence[i]) / 8
        self.stance = int(c.leaning[i])
        self.aware, self.participating = bool(c.aware[i]), bool(c.participating[i])
        self.threshold, self.start = float(c.threshold[i]), float(c.capability[i])
        self.capability, self.trust = self.start, float(c.trust[i])
        self.ownership = self.appeal = 0.0
        self.neighbours: list[Person] = []
        self.weight = 0.0

    def decide(self) -> None:
        """Read the neighbours and choose the next state."""
        model, b, rng = self.model, self.model.behaviour, self.random
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
        exposure = (1 - b.visibility) * share + b.visibility * model.share
        self.next_aware = self.aware or rng.random() < 1 - told
        v = (
            b.social_weight * exposure
            + b.appeal_weight * self.trust * self.appeal
            + b.capability_weight * self.capability
            + b.results_weight * model.results
            - model.barrier[self.group]
            - self.threshold
            + b.habit * self.ownership * self.participating
        )
        chance = 1 / (1 + math.exp(-v / b.noise))
        p = (1 - b.reconsider) * self.participating + b.reconsider * chance
        self.next_participating = self.next_aware and self.stance >= 0 and rng.random() < p

    def advance(self) -> None:
        """Commit, then lapse, turnover, forgetting and learning."""
        model, b, rng = self.model, self.model.behaviour, self.random
        self.aware, self.participating = self.next_aware, self.next_participating
        if self.participating and rng.random() < b.lapse:
            self.participating = False
            self.ownership *= 0.5
        if rng.random() < b.turnover:
            self.threshold = rng.gauss(b.thresholds.mean, b.thresholds.sd)
            self.start = self.capability = min(
                max(rng.gauss(model.capability[self.group], b.capability_sd), 0), 1
            )
            self.trust = min(max(rng.gauss(model.trust[self.group], b.trust_sd), 0), 1)
            self.aware, self.participating = rng.random() < model.first_aware[self.group], False
            self.ownership = self.appeal = 0.0
        elif self.aware and not self.participating and rng.random() < model.forget:
            self.aware = False
        self.appeal *= model.keep[0]
        if self.participating:
            self.capability += b.learning * (1 - self.capability)
            self.ownership += b.ownership_growth * (1 - self.ownership)
        else:
            self.capability = self.start + (self.capability - self.start) * model.keep[1]
            self.ownership *= model.keep[2]


class MesaModel(mesa.Model):
    """W5 as an idiomatic Mesa model with a data collector."""

    def __init__(self, scenario: Scenario, community: Community, seed: int) -> None:
        super().__init__(rng=seed)
        self.community, self.behaviour = community, scenario.behaviour
        b = scenario.behaviour
        groups = list(scenario.community.groups.values())
        self.media = [group.background_media for group in groups]
        self.barrier = [group.barrier for group in groups]
        self.capability = [group.capability for group in groups]
        self.trust = [group.trust for group in groups]
        self.first_aware = [group.aware for group in groups]
        self.forget = 1 - 2 ** (-1 / b.awareness_half_life)
        self.keep = [
            2 ** (-1 / h) for h in (b.appeal_half_life, b.capability_half_life, b.ownership_half_life)
        ]
        self.not_told = 1 - b.tell_participant, 1 - b.tell_other
        self.results = 0.0
        people = [Person(self, i) for i in range(community.n_residents)]
        for person in people:
            row = slice(community.row_start[person.i], community.row_start[person.i + 1])
            person.neighbours = [people[j] for j in community.neighbours[row]]
            person.weight = sum(other.omega for other in person.neighbours)
        self.share = float(np.mean([person.participating for person in people]))
        self.collector = mesa.DataCollector({"participation": lambda model: model.share})

    def step(self) -> None:
        """One week."""
        self.agents.do("decide")
        self.agents.do("advance")
        self.share = sum(person.participating for person in self.agents) / len(self.agents)
        f, b = self.share, self.behaviour
        self.results += b.results_rate * (f**2 / (f**2 + b.results_half**2) - self.results)
        self.collector.collect(self)


def mesa_run(scenario: Scenario, community: Community, seed: int) -> float:
    """One run of W5 with Mesa agents; returns the final participation."""
    model = MesaModel(scenario, community, seed)
    for _ in range(WEEKS):
        model.step()
    return model.share


def engine_seconds(scenario: Scenario, community: Community, arms: int, luck: int) -> tuple[float, float]:
    """Processor seconds a run, and the mean final participation, of one block of the engine."""
    block = Block(scenario, community, ["none"] * arms, list(range(luck)))
    block.advance(0)
    begin = time.process_time()
    block.advance(WEEKS)
    seconds = (time.process_time() - begin) / (arms * luck)
    return seconds, float(block.tally.counts[-1, :, :, 1].sum() / (block.n_lanes * community.n_residents))


def timed(function: Callable[..., float], *arguments: object) -> tuple[float, float]:
    """Processor seconds of one call, and what it returned."""
    begin = time.process_time()
    value = function(*arguments)
    return time.process_time() - begin, value


def main() -> None:
    """Run all programs in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--skip-mesa", action="store_true")
    chosen = parser.parse_args()
    base = {"schema_version": 2, "title": "W5", "description": "the week kernel", "replicates": {"luck": 64}}
    scenario = resolve(base | {"campaign": {"burn_in_weeks": 0}})
    community = build(scenario, 0)
    widths = {"L=1": (1, 1), "L=16": (1, 16), "L=64": (1, 64), "L=64, 8 arms x 8 luck": (8, 8)}
    for arms, luck in widths.values():
        engine_seconds(scenario, community, arms, luck)
    numpy_run(scenario, community, 0)
    seconds: dict[str, list[float]] = {name: [] for name in ("NumPy", "Mesa", *widths)}
    shares: dict[str, list[float]] = {name: [] for name in seconds}
    for turn in range(chosen.rounds):
        for name in seconds:
            if name == "NumPy":
                t, f = timed(numpy_run, scenario, community, turn)
            elif name == "Mesa":
                if chosen.skip_mesa:
                    continue
                t, f = timed(mesa_run, scenario, community, turn)
            else:
                repeat = 20 if name == "L=1" else 2
                runs = [engine_seconds(scenario, community, *widths[name]) for _ in range(repeat)]
                t, f = statistics.median(run[0] for run in runs), runs[0][1]
            seconds[name].append(t)
            shares[name].append(f)
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Mesa {mesa.__version__}"
    print(f"{versions}; {chosen.rounds} rounds")
    header = ("program", "ms a run", "ns a week", "final share", "x NumPy", "x Mesa")
    print("{:24s} {:>9s} {:>10s} {:>12s} {:>20s} {:>20s}".format(*header))
    for name, times in seconds.items():
        if not times:
            continue
        middle = statistics.median(times)
        ratios = []
        for peer, target in zip(("NumPy", "Mesa"), TARGETS.get(name, (None, None)), strict=True):
            if target is None or not seconds[peer]:
                ratios.append("")
                continue
            each = [theirs / mine for theirs, mine in zip(seconds[peer], times, strict=True)]
            ratios.append(f"{statistics.median(each):.1f} (asked {target})")
        each_week = middle / (WEEKS * community.n_residents) * 1e9
        print(
            f"{name:24s} {middle * 1e3:9.3f} {each_week:10.2f} {statistics.mean(shares[name]):12.4f} "
            f"{ratios[0]:>20s} {ratios[1]:>20s}"
        )


if __name__ == "__main__":
    main()
