"""Where the time of a week goes, in nanoseconds a resident and week, by phase and by rule.

Phases are timed apart, less what a call from Python takes. What single rules cost inside phase 4 to 6 is
found by leaving them out: the same community with hardly a tie (no gather), without noise (no logistic),
without newcomers, without organizers, without leaders and organizations. Draws are timed alone, as many as a
week makes. Parts that are left out change what people do, a little; the sum is not exact. Processor time of
one thread, the median of rounds in which all variants take turns.

Run: python -m benchmarks.week_profile [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mobsim.engine.block import Block
from mobsim.engine.first_use import prepare
from mobsim.engine.run import build
from mobsim.kernels.keyed import philox_words
from mobsim.scenario.resolve import resolve

RESIDENTS, WEEKS = 1000, 130
WIDTHS = {"L=1": (1, 1), "L=16": (1, 16), "L=64": (1, 64), "8 arms x 8 lucks": (8, 8)}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "gather": {"community": {"network": {"kind": "erdos_renyi", "degree": 0.01}}},
    "logistic": {"behaviour": {"noise": 0.0}},
    "newcomers": {"behaviour": {"turnover": 0.0}},
    "organizers": {"behaviour": {"organizer_start": 0.0}},
    "leaders and organizations": {"community": {"leaders": {"share": 0.0}, "organizations": []}},
}


def block_of(width: tuple[int, int], changes: Mapping[str, Mapping[str, Any]] | None = None) -> Block:
    """Return a block of idle arms at the start of the campaign."""
    arms, lucks = width
    data: dict[str, Any] = {"schema_version": 2, "title": "week", "description": "every rule on"}
    data |= {"community": {"residents": RESIDENTS}, "campaign": {"burn_in_weeks": 8}, "behaviour": {}}
    data["arms"] = {f"idle_{k}": {"activities": []} for k in range(1, arms)}
    for section, values in (changes or {}).items():
        data[section] = data[section] | values
    scenario = resolve(data)
    block = Block(scenario, build(scenario, 0), list(scenario.arms), list(range(lucks)))
    block.advance(0)
    return block


def by_phase(width: tuple[int, int], changes: Mapping[str, Mapping[str, Any]] | None = None) -> list[float]:
    """Return the seconds of delivery and talk, of diffusion, and of closing the weeks."""
    block = block_of(width, changes)
    spent = [0.0, 0.0, 0.0]
    for _ in range(WEEKS):
        for place, carry in enumerate((block.open_week, block.live_week, block.close_week)):
            begin = time.process_time()
            carry()
            spent[place] += time.process_time() - begin
    return spent


def draws(width: tuple[int, int]) -> float:
    """Return the seconds that the random words of all weeks take alone."""
    entities = np.arange(RESIDENTS, dtype=np.uint32)
    words = np.empty((4, RESIDENTS), np.uint32)
    begin = time.process_time()
    for week in range(WEEKS):
        for luck in range(width[1]):
            philox_words(entities, week, luck, 1, 1, 0, words)
    return time.process_time() - begin


def calls(width: tuple[int, int]) -> float:
    """Return the seconds that calling the compiled week takes, once a week, for no phase at all."""
    block = block_of(width)
    spent = 0.0
    for _ in range(WEEKS):
        begin = time.process_time()
        block._run(block.week + 1, 0)
        spent += time.process_time() - begin
    return spent


def main() -> None:
    """Measure all widths and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    prepare()
    header = f"{'ns a resident, week and lane':32s}" + "".join(f"{name:>18s}" for name in WIDTHS)
    rows: dict[str, list[float]] = {}
    for width in WIDTHS.values():
        found: dict[str, list[float]] = {}

        def take(name: str, measure: Callable[[], float], found: dict[str, list[float]] = found) -> None:
            found.setdefault(name, []).append(measure())

        for number in range(rounds + 1):
            call = calls(width)
            whole = [seconds - n * call for n, seconds in zip((2, 1, 1), by_phase(width), strict=True)]
            take("delivery and talk (2, 3)", lambda whole=whole: whole[0])
            take("diffusion, leaving, learning (4-6)", lambda whole=whole: whole[1])
            take("decisions, results, records (7-9)", lambda whole=whole: whole[2])
            take("  of it draws", lambda width=width: draws(width))
            for name, changes in LEFT_OUT.items():
                without = [s - n * call for n, s in zip((2, 1, 1), by_phase(width, changes), strict=True)]
                place = slice(1, 3) if name == "leaders and organizations" else slice(1, 2)
                take(f"  of it {name}", lambda w=without, p=place, a=whole: sum(a[p]) - sum(w[p]))
            take("a call from Python (left out above)", lambda call=call: call)
            if number == 0:
                found.clear()  # the first loads
        scale = 1e9 / (RESIDENTS * WEEKS * width[0] * width[1])
        for name, seconds in found.items():
            rows.setdefault(name, []).append(scale * statistics.median(seconds))
    print(header)
    for name, numbers in rows.items():
        print(f"{name:36s}" + "".join(f"{number:14.2f}    " for number in numbers))


if __name__ == "__main__":
    main()
