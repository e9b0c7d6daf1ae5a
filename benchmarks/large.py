"""W6: one community of a million residents, or ten: build and 130 weeks; and what memory a resident takes.

Each is run in a process of its own, so that the peak of memory is its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from benchmarks import machine

WEEKS = 130
DEGREES = (10, 20)
COUNTED_RESIDENTS = 100_000


def scenario_data(residents: int, degree: int = 10) -> dict[str, Any]:
    """The default scenario without burn-in, at another size."""
    return {
        "schema_version": 2,
        "title": "W6",
        "description": "one large community",
        "community": {"residents": residents, "network": {"kind": "households", "degree": degree}},
        "campaign": {"burn_in_weeks": 0, "horizon_weeks": WEEKS},
    }


def measure(residents: int) -> dict[str, Any]:
    """Build a community and simulate 130 weeks of one run without a campaign.

    Parameters
    ----------
    residents : number of residents.

    Returns
    -------
    dict
        wall_s, processor_s, peak (bytes of the whole process), loaded (bytes before: Python, packages,
        compiled kernels), and the share that takes part at the end.
    """
    from mobsim.engine.first_use import warm_up
    from mobsim.engine.run import simulate
    from mobsim.scenario.resolve import resolve

    warm_up()
    simulate(resolve(scenario_data(1000)), arms=["none"], communities=1, luck=1, threads=1)
    scenario = resolve(scenario_data(residents))
    loaded = machine.memory()["resident"]
    machine.forget_peak()
    began, began_processor = time.perf_counter(), time.process_time()
    records = simulate(scenario, arms=["none"], communities=1, luck=1, threads=1)
    return {
        "residents": residents,
        "wall_s": time.perf_counter() - began,
        "processor_s": time.process_time() - began_processor,
        "peak": machine.memory()["peak"],
        "loaded": loaded,
        "final_share": float(records.counts[0, -1, :, 1].sum() / residents),
    }


def count_memory(residents: int = COUNTED_RESIDENTS) -> dict[str, Any]:
    """Count the bytes of all arrays of a community and its block of one run, by residents and by tie ends.

    Two networks with the same residents and other numbers of ties tell the two apart exactly.

    Parameters
    ----------
    residents : number of residents; what does not grow with them is below one byte for each.
    """
    from mobsim.engine.block import Block
    from mobsim.engine.run import build
    from mobsim.scenario.resolve import resolve

    counted, ties = [], []
    for degree in DEGREES:
        scenario = resolve(scenario_data(residents, degree))
        community = build(scenario, 0)
        block = Block(scenario, community, ["none"], [0])
        counted.append(array_bytes([community, block]))
        ties.append(community.n_ties)
    a_tie = (counted[1] - counted[0]) / (ties[1] - ties[0])
    return {
        "residents": residents,
        "tie_ends": ties[0],
        "bytes": counted[0],
        "bytes_a_tie_end": a_tie,
        "bytes_a_resident": (counted[0] - a_tie * ties[0]) / residents,
    }


def array_bytes(things: Iterable[Any]) -> int:
    """Bytes of all arrays that can be reached from some objects, each memory counted once."""
    seen: set[int] = set()
    total = 0
    waiting = list(things)
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, np.ndarray):
            while isinstance(thing.base, np.ndarray):
                thing = thing.base
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            total += thing.nbytes
        elif isinstance(thing, dict):
            waiting.extend(thing.values())
        elif isinstance(thing, list | tuple | set):
            waiting.extend(thing)
        elif is_dataclass(thing) and not isinstance(thing, type):
            waiting.extend(getattr(thing, field.name) for field in fields(thing))
        elif type(thing).__module__.startswith("mobsim"):
            waiting.extend(getattr(thing, "__dict__", {}).values())
    return total
