"""Where the time of a whole simulation goes: every rule on, all default arms, 1,000 residents.

Each block holds all arms and as many lucks as fit into 64 lanes. For every community the command runs such a
block as `simulate` does, and beside it a block of as many lanes whose arms do nothing: that is the week
kernel (residents, organizers, leaders, organizations, results, counts, burn-in included). What the campaign
does (surveys, money, targets, doses) is the difference. Processor time of one thread.

Run: python benchmarks/whole_model.py [--communities 8] [--surveys]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from typing import Any

from mobsim.engine.block import MOST_LANES, Block
from mobsim.engine.run import Recorder, build, chosen_arms, join_records
from mobsim.scenario.complete import DEFAULT_ARMS
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import NONE

PARTS = ("build", "plan", "week kernel", "campaign", "means", "tables")


def scenario_data(surveys: bool) -> dict[str, Any]:
    """The default scenario; with surveys every arm asks a hundred residents six times."""
    data: dict[str, Any] = {"schema_version": 2, "title": "W5", "description": "every rule on"}
    if surveys:
        data["arms"] = {
            name: {
                "survey": 100,
                "activities": [{"kind": kind, "share": share} for kind, share in shares.items()],
            }
            for name, (_, shares) in DEFAULT_ARMS.items()
        }
    return data


def main() -> None:
    """Run the blocks and print the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--communities", type=int, default=8)
    parser.add_argument("--surveys", action="store_true", help="let every arm survey")
    chosen = parser.parse_args()
    scenario = resolve(scenario_data(chosen.surveys))
    arms = chosen_arms(scenario, None)
    luck = list(range(MOST_LANES // len(arms)))
    seconds: dict[str, float] = defaultdict(float)

    def spend(part: str, begin: float) -> float:
        now = time.process_time()
        seconds[part] += now - begin
        return now

    finished = []
    for number in range(-1, chosen.communities):  # the first loads what is compiled and is not counted
        if number == 0:
            seconds.clear()
        at = time.process_time()
        community = build(scenario, max(number, 0))
        at = spend("build", at)
        block = Block(scenario, community, arms, luck)
        recorder = Recorder(block)
        at = spend("plan", at)
        for week in recorder.mean_weeks:
            block.advance(week + 1)
            at = spend("campaign", at)
            recorder.observe()
            at = spend("means", at)
        done = recorder.records()
        if number < 0:
            join_records(scenario, [done], arms).runs()
        else:
            finished.append(done)
        at = spend("tables", at)
        idle = Block(scenario, community, [NONE] * len(arms), luck)
        at = time.process_time()
        for week in recorder.mean_weeks:
            idle.advance(week + 1)
        spend("week kernel", at)
    at = time.process_time()
    records = join_records(scenario, finished, arms)
    records.runs()
    spend("tables", at)
    seconds["campaign"] -= seconds["week kernel"]
    total = sum(seconds.values())
    lanes = f"{len(arms)} arms x {len(luck)} lucks = {len(arms) * len(luck)} lanes"
    print(f"{lanes}, {chosen.communities} communities")
    for part in PARTS:
        each = 1e3 * seconds[part] / chosen.communities
        print(f"{part:24s} {each:8.1f} ms a block {seconds[part] / total:6.1%}")
    kernel = seconds["week kernel"]
    print(f"outside the week kernel  {1 - kernel / total:6.1%} (asked: below 40 %)")


if __name__ == "__main__":
    main()
