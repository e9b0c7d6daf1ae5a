"""Count the work of the default scenario: what cannot depend on how busy the machine is.

Counted are calls of compiled code from Python, random draws and ties read inside it, arrays that it
allocates, and the bytes of memory that a block of all default arms takes at its highest.

Run: python -m benchmarks.count_work
     python -m benchmarks.count_work W2,W4 [--quick]     works of the bench: what a call draws and reads
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

os.environ["MOBSIM_COUNT_WORK"] = "1"

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import _nrt_python, rtsys

from mobsim.engine.run import build, simulate
from mobsim.engine.spread import spread
from mobsim.kernels.counting import DRAWS, NEEDED, TIES, work
from mobsim.scenario.resolve import resolve

LUCK = 10
QUICK_RESIDENTS = 400
CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "frontier": {"thresholds": {"kind": "uniform", "low": 0.04, "high": 0.5}},
    "cascade": {"thresholds": -1, "tell_participant": 0.1, "exposure_window": 1},
    "dense": {"noise": 0.1, "reconsider": 0.25, "social_weight": 0.5, "irreversible": False},
}
"""Behaviour of each case; all but the first start from `preset: bare`."""


def scenario_of(case: str) -> Any:
    """Return the scenario of a case: 1,000 residents, a year of burn-in, 52 weeks."""
    data: dict[str, Any] = {"schema_version": 2, "title": case, "description": "counted"}
    data["campaign"] = {"horizon_weeks": 52, "funding_ends_week": 40, "burn_in_weeks": 26}
    if case != "default":
        first = {"aware": "participants" if case == "cascade" else "everyone", "participating": {"count": 10}}
        network = {"kind": "small_world", "degree": 10, "rewired": 0.1}
        data |= {"preset": "bare", "behaviour": CASES[case]}
        data["community"] = {"residents": 1000, "network": network, "initial": first}
        data["campaign"] |= {"burn_in_weeks": 0, "funding_ends_week": 52}
    return resolve(data)


def counting(calls: Counter[str]) -> None:
    """Let every call of compiled code from the engine and from building communities be counted."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mobsim.") and not name.startswith("mobsim.kernels"):
            for attribute, value in list(vars(module).items()):
                if isinstance(value, Dispatcher) or attribute == "run_weeks":
                    setattr(module, attribute, counted(value, calls))


def counted(kernel: Any, calls: Counter[str]) -> Callable[..., Any]:
    """Return a function that counts its calls and is the kernel otherwise."""

    def call(*arguments: Any) -> Any:
        calls[kernel.__name__] += 1
        return kernel(*arguments)

    return call


def measure(case: str, calls: Counter[str]) -> dict[str, Any]:
    """Return what one case takes, after a first run that loads and compiles."""
    scenario = scenario_of(case)

    def run() -> None:
        if case == "default":
            simulate(scenario, communities=1, luck=LUCK, threads=1)
        else:
            community = build(scenario, 0)
            spread(scenario, [np.flatnonzero(community.participating)], luck=LUCK, threads=1)
            simulate(scenario, communities=[community], luck=2 * LUCK, threads=1)

    run()
    calls.clear()
    before = work.copy()
    allocated = rtsys.get_allocation_stats().mi_alloc
    run()
    found = {
        "kernel_calls": dict(sorted(calls.items())),
        "draws": int(work[DRAWS] - before[DRAWS]),
        "ties": int(work[TIES] - before[TIES]),
        "arrays_allocated_in_kernels": int(rtsys.get_allocation_stats().mi_alloc - allocated),
    }
    tracemalloc.start()
    run()
    found["peak_bytes"] = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def count_call(name: str, residents: int | None) -> dict[str, int]:
    """Return the draws and ties that mobsim's second call of a work of the bench needs.

    Parameters
    ----------
    name : one of `works.WORKS`.
    residents : another number of residents; none: the work's.
    """
    from benchmarks import works
    from benchmarks.programs import ours

    task = ours.WORKS[name](works.inputs(name, residents))
    task()
    before = work.copy()
    task()
    made = work - before
    return {"draws": int(made[NEEDED]), "draws_made": int(made[DRAWS]), "ties": int(made[TIES])}


def main() -> None:
    """Print the counts of all cases, or of some works of the bench, as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("works", nargs="?", help="names of works of the bench, separated by commas")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    chosen = parser.parse_args()
    if chosen.works:
        residents = QUICK_RESIDENTS if chosen.quick else None
        print(json.dumps({name: count_call(name, residents) for name in chosen.works.split(",")}))
        return
    _nrt_python.memsys_enable_stats()
    calls: Counter[str] = Counter()
    import mobsim.engine.first_use  # everything that holds kernels is loaded before they are wrapped

    assert mobsim.engine.first_use
    counting(calls)
    print(json.dumps({case: measure(case, calls) for case in CASES}, indent=2))


if __name__ == "__main__":
    main()
