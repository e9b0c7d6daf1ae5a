"""How cost grows: with residents, ties and weeks, and what a second thread or process brings.

Processor seconds of `mobsim.simulate` on one thread, without a campaign; threads and processes by the wall.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from mobsim.engine.run import build, simulate
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

RESIDENTS = {1: (1_000, 10_000, 100_000, 1_000_000), 64: (1_000, 10_000, 100_000)}
"""Sizes by number of runs, which are divided into blocks as wide as is fastest."""
DEGREES = (5, 10, 20, 40)
WEEKS = (65, 130, 260, 520)
ROUNDS = 3
LEAST_SECONDS = 0.1
THREAD_RUNS = 512
THREAD_ROUNDS = 5


def scenario_of(residents: int = 1000, degree: int = 10, weeks: int = 130) -> Scenario:
    """The default scenario without burn-in."""
    return resolve(
        {
            "schema_version": 2,
            "title": "scaling",
            "description": "how cost grows",
            "community": {"residents": residents, "network": {"kind": "households", "degree": degree}},
            "campaign": {"burn_in_weeks": 0, "funding_ends_week": 40, "horizon_weeks": weeks},
        }
    )


def run_once(scenario: Scenario, runs: int, threads: int = 1) -> None:
    """Simulate so many runs without a campaign on one community."""
    simulate(scenario, arms=["none"], communities=1, luck=runs, threads=threads)


def seconds_of(scenario: Scenario, runs: int) -> float:
    """Processor seconds of one simulation, repeated if it is short."""
    began, times = time.process_time(), 0
    while times == 0 or time.process_time() - began < LEAST_SECONDS:
        run_once(scenario, runs)
        times += 1
    return (time.process_time() - began) / times


def in_turns(cases: Mapping[Any, tuple[Scenario, int]], rounds: int) -> dict[Any, float]:
    """Median processor seconds of each case; all take turns, so that a slow spell meets all of them."""
    for scenario, runs in cases.values():
        if scenario.community.residents <= 10_000:
            run_once(scenario, runs)
    measured: dict[Any, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (scenario, runs) in cases.items():
            measured[name].append(seconds_of(scenario, runs))
    return {name: statistics.median(times) for name, times in measured.items()}


def by_residents(quick: bool) -> list[dict[str, Any]]:
    """Nanoseconds a resident-week by size, and how many of them build the community."""
    cases = {
        (runs, n): (scenario_of(n), runs)
        for runs, sizes in RESIDENTS.items()
        for n in sizes[: 1 if quick else None]
    }
    seconds = in_turns(cases, 1 if quick else ROUNDS)
    rows = []
    for (runs, n), taken in seconds.items():
        began = time.process_time()
        build(cases[runs, n][0], 0)
        built = time.process_time() - began
        weeks = n * runs * 130
        rows.append(
            {"runs": runs, "residents": n, "ns": 1e9 * taken / weeks, "build_ns": 1e9 * built / weeks}
        )
    return rows


def by_ties(quick: bool) -> list[dict[str, Any]]:
    """Nanoseconds a resident-week by mean degree: 10,000 residents, 16 runs."""
    cases = {degree: (scenario_of(10_000, degree), 16) for degree in DEGREES[: 2 if quick else None]}
    seconds = in_turns(cases, 1 if quick else ROUNDS)
    return [{"degree": degree, "ns": 1e9 * taken / (10_000 * 16 * 130)} for degree, taken in seconds.items()]


def by_weeks(quick: bool) -> list[dict[str, Any]]:
    """Milliseconds by number of weeks: 1,000 residents, 16 runs."""
    cases = {weeks: (scenario_of(weeks=weeks), 16) for weeks in WEEKS[: 2 if quick else None]}
    seconds = in_turns(cases, 1 if quick else ROUNDS)
    return [{"weeks": weeks, "ms": 1e3 * taken} for weeks, taken in seconds.items()]


def by_threads(quick: bool) -> dict[str, Any]:
    """How much faster two threads, and how much more two processes, do than one: each round's ratio."""
    runs = 64 if quick else THREAD_RUNS
    scenario = scenario_of()
    run_once(scenario, 64)
    command = [sys.executable, "-m", "benchmarks.scale", "--runs", str(runs)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(2)
    ]
    try:
        for worker in workers:
            answer(worker)
        threads, processes = [], []
        for _ in range(1 if quick else THREAD_ROUNDS):
            one, two = (wall_of(scenario, runs, n) for n in (1, 2))
            threads.append(one / two)
            alone = turn(workers[:1])
            processes.append(2 * alone / turn(workers))
    finally:
        for worker in workers:
            worker.communicate("")
    return {"threads": threads, "processes": processes, "runs": runs}


def wall_of(scenario: Scenario, runs: int, threads: int) -> float:
    """Wall seconds of a simulation."""
    began = time.perf_counter()
    run_once(scenario, runs, threads)
    return time.perf_counter() - began


def answer(worker: subprocess.Popen[str]) -> None:
    """Wait until a worker says that it is done."""
    assert worker.stdout is not None
    if not worker.stdout.readline():
        raise RuntimeError("a process of the scaling measurement has ended")


def turn(workers: list[subprocess.Popen[str]]) -> float:
    """Wall seconds until all of some workers have simulated once, started together."""
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        answer(worker)
    return time.perf_counter() - began


def measure(quick: bool = False) -> dict[str, Any]:
    """Measure how cost grows in all ways."""
    return {
        "residents": by_residents(quick),
        "ties": by_ties(quick),
        "weeks": by_weeks(quick),
        "threads": by_threads(quick),
    }


def main() -> None:
    """Be one of two processes: simulate once for every line that comes in."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, required=True)
    runs = parser.parse_args().runs
    scenario = scenario_of()
    run_once(scenario, 64)
    print("ready", flush=True)
    for _ in sys.stdin:
        run_once(scenario, runs)
        print("done", flush=True)


if __name__ == "__main__":
    main()
