"""Where the time of a whole simulation goes: every rule on, all arms of a scenario.

Each block holds all arms and as many lucks as fit into 64 lanes. For every community the command runs such a
block as `simulate` does, and beside it a block of as many lanes whose arms do nothing: that is the week
kernel (residents, organizers, leaders, organizations, results, counts, burn-in included). What the campaign
does (surveys, money, targets, doses) is the difference. Processor time of one thread.

Run: python -m benchmarks.whole_model [scenarios/vaccination_district.yaml] [--residents N] [--communities 8]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from mobsim.engine.block import MOST_LANES, Block
from mobsim.engine.run import Recorder, build, chosen_arms, join_records, simulate
from mobsim.scenario.file import load_scenario
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import NONE, Scenario

PARTS = ("build", "plan", "week kernel", "campaign", "means", "tables")
DISTRICT = Path(__file__).parents[1] / "scenarios" / "vaccination_district.yaml"
DEFAULT = {"schema_version": 2, "title": "W5", "description": "the default scenario, every rule on"}
CASES = {
    "default scenario, N=1,000": (None, None, 8),
    "district, N=1,000": (DISTRICT, 1_000, 6),
    "district as shipped, N=4,000": (DISTRICT, None, 3),
    "district, N=10,000": (DISTRICT, 10_000, 2),
    "district, N=100,000": (DISTRICT, 100_000, 1),
}
"""What is measured: a scenario file (none: the default scenario), another size, and how many communities."""


def scenario_of(path: Path | None, residents: int | None) -> Scenario:
    """Load a scenario, at another size if wanted."""
    scenario = resolve(DEFAULT) if path is None else load_scenario(path)
    if residents is None:
        return scenario
    world = scenario.community.model_copy(update={"residents": residents})
    return scenario.model_copy(update={"community": world})


def measure_parts(scenario: Scenario, communities: int) -> dict[str, Any]:
    """Time the parts of a simulation of all arms, and the whole through `simulate`.

    Parameters
    ----------
    scenario : the resolved scenario.
    communities : how many communities, each with one block of lanes.

    Returns
    -------
    dict
        residents, arms, lanes; seconds by part; seconds_simulate, and its resident_weeks (burn-in included).
    """
    arms = chosen_arms(scenario, None)
    luck = list(range(MOST_LANES // len(arms)))
    seconds: dict[str, float] = defaultdict(float)

    def spend(part: str, begin: float) -> float:
        now = time.process_time()
        seconds[part] += now - begin
        return now

    finished = []
    whole = 0.0
    for number in range(-1, communities):  # the first loads what is compiled and is not counted
        if number == 0:
            seconds.clear()
            whole = 0.0
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
        at = spend("tables", at)
        if number < 0:
            join_records(scenario, [done], arms).runs()
        else:
            finished.append(done)
        idle = Block(scenario, community, [NONE] * len(arms), luck)
        at = time.process_time()
        for week in recorder.mean_weeks:
            idle.advance(week + 1)
        at = spend("week kernel", at)
        simulate(scenario, communities=[max(number, 0)], luck=luck, threads=1)
        whole += time.process_time() - at
        if number < 0 and communities == 1 and scenario.community.residents > 50_000:
            break
    at = time.process_time()
    join_records(scenario, finished or [done], arms).runs()
    spend("tables", at)
    seconds["campaign"] -= seconds["week kernel"]
    campaign = scenario.campaign
    weeks = campaign.horizon_weeks * len(arms) + campaign.burn_in_weeks
    return {
        "residents": scenario.community.residents,
        "arms": len(arms),
        "lanes": len(arms) * len(luck),
        "communities": communities,
        "seconds": {part: seconds[part] for part in PARTS},
        "seconds_simulate": whole,
        "resident_weeks": scenario.community.residents * weeks * len(luck) * communities,
    }


def measure(quick: bool = False) -> dict[str, Any]:
    """Measure all cases; a quick measurement takes the first."""
    found = {}
    for name, (path, residents, communities) in list(CASES.items())[: 1 if quick else None]:
        found[name] = measure_parts(scenario_of(path, residents), 1 if quick else communities)
    return found


def main() -> None:
    """Measure one scenario and print the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", type=Path, nargs="?", help="a scenario file; none: the default scenario")
    parser.add_argument("--residents", type=int, help="another number of residents")
    parser.add_argument("--communities", type=int, default=8)
    chosen = parser.parse_args()
    found = measure_parts(scenario_of(chosen.scenario, chosen.residents), chosen.communities)
    total = sum(found["seconds"].values())
    print(f"{found['residents']:,} residents, {found['arms']} arms, {found['lanes']} lanes a block")
    for part, seconds in found["seconds"].items():
        each = 1e3 * seconds / chosen.communities
        print(f"{part:24s} {each:8.1f} ms a block {seconds / total:6.1%}")
    print(f"outside the week kernel  {1 - found['seconds']['week kernel'] / total:6.1%}")
    each_week = 1e9 * found["seconds_simulate"] / found["resident_weeks"]
    print(f"simulate, whole          {each_week:8.2f} ns a resident, week and run")


if __name__ == "__main__":
    main()
