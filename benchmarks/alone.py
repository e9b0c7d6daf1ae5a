"""What mobsim does alone: each measurement in a process of its own, told as JSON on the last line.

Run: python -m benchmarks.alone SECTION [--quick]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any


def limits_of_machine(quick: bool) -> dict[str, Any]:
    """Random reads and bandwidth."""
    from benchmarks import limits

    return limits.measure(quick)


def whole_scenarios(quick: bool) -> dict[str, Any]:
    """All arms of a scenario, by parts."""
    from benchmarks import whole_model

    return whole_model.measure(quick)


def a_million(quick: bool) -> dict[str, Any]:
    """One community of a million residents."""
    from benchmarks import large

    return large.measure(2000 if quick else 10**6)


def ten_million(quick: bool) -> dict[str, Any]:
    """One community of ten million residents."""
    from benchmarks import large

    return large.measure(3000 if quick else 10**7)


def memory_counted(quick: bool) -> dict[str, Any]:
    """Bytes a resident and a tie end."""
    from benchmarks import large

    return large.count_memory(2000 if quick else large.COUNTED_RESIDENTS)


def how_cost_grows(quick: bool) -> dict[str, Any]:
    """Residents, ties, weeks, threads, processes."""
    from benchmarks import scale

    return scale.measure(quick)


def first_result(quick: bool) -> dict[str, Any]:
    """`mobsim compare` of a small scenario, warm and cold."""
    from benchmarks import first

    return first.measure(quick)


def cost_of_sweeps(quick: bool) -> dict[str, Any]:
    """What a sweep costs beside the simulation."""
    from benchmarks import sweeps

    return sweeps.measure(quick)


SECTIONS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "W5-scenario": whole_scenarios,
    "W6-1e6": a_million,
    "W6-1e7": ten_million,
    "memory": memory_counted,
    "scaling": how_cost_grows,
    "limits": limits_of_machine,
    "first-result": first_result,
    "sweep-overhead": cost_of_sweeps,
}
LARGE = ("W6-1e7",)
"""Run only if asked for."""
USUAL = {
    "W5-scenario": 120,
    "W6-1e6": 40,
    "W6-1e7": 500,
    "scaling": 150,
    "limits": 30,
    "first-result": 150,
    "sweep-overhead": 480,
}
"""Seconds, for the time left."""


def main() -> None:
    """Measure one section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("section", choices=list(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    chosen = parser.parse_args()
    print(json.dumps(SECTIONS[chosen.section](chosen.quick)), flush=True)


if __name__ == "__main__":
    main()
