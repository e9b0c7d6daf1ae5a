"""How many bytes a resident takes: counted array by array, and as estimated before anything is built."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobsim.engine.block import Block
from mobsim.engine.run import build
from mobsim.scenario import memory
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

MOST_BYTES_A_RESIDENT = 100
MOST_BYTES_A_TIE_END = 4
SMALL, LARGE = 10_000, 20_000


def village(residents: int, **changes: Any) -> Scenario:
    given = {"schema_version": 2, "title": "A village", "description": "To be measured."}
    return resolve({**given, "community": {"residents": residents}, **changes})


def arrays_of(part: Any) -> list[np.ndarray]:
    """All arrays of a bundle, a community or a plan."""
    names = part._fields if hasattr(part, "_fields") else [field.name for field in fields(part)]
    values = [getattr(part, name) for name in names]
    return [value for value in values if isinstance(value, np.ndarray)]


def bytes_of(block: Block) -> int:
    """The bytes of everything a block keeps; what two bundles share counts once."""
    parts = [block.community, block.ties, block.residents, block.rules, block.keys, block.plans, block.purse]
    parts += [block.plans.kernel, block.leaders, block.organizations, block.state, block.orders, block.tally]
    whole: dict[int, np.ndarray] = {}
    for part in parts:
        for array in arrays_of(part):
            while isinstance(array.base, np.ndarray):
                array = array.base
            whole[id(array)] = array
    return sum(array.nbytes for array in whole.values())


def block_in_campaign(scenario: Scenario, arms: tuple[str, ...], luck: int) -> Block:
    block = Block(scenario, build(scenario, 0), arms, range(luck))
    block.advance(1)
    return block


SHORT = {"campaign": {"burn_in_weeks": 1}}
SHIPPED = ("none", *(name for name in village(100).arms if name != "none"))


@pytest.mark.parametrize("arm", SHIPPED)
def test_a_resident_takes_a_hundred_bytes_and_a_tie_end_four(arm: str) -> None:
    """From two sizes to any size: what a further resident takes, in one lane."""
    small = block_in_campaign(village(SMALL, **SHORT), (arm,), 1)
    large = block_in_campaign(village(LARGE, **SHORT), (arm,), 1)
    ends = large.community.n_ties - small.community.n_ties
    further = bytes_of(large) - bytes_of(small) - MOST_BYTES_A_TIE_END * ends
    assert further / (LARGE - SMALL) <= MOST_BYTES_A_RESIDENT


@pytest.mark.parametrize(
    ("arms", "luck"), [(("none",), 1), (("mixed",), 1), (("none",), 16), (SHIPPED, 1), (SHIPPED, 8)]
)
def test_what_a_block_takes_is_estimated(arms: tuple[str, ...], luck: int) -> None:
    everything = village(LARGE, **SHORT)
    chosen = {name: everything.arms[name] for name in arms}
    scenario = everything.model_copy(update={"arms": chosen})
    taken = bytes_of(block_in_campaign(scenario, arms, luck))
    before = luck * memory.BYTES_A_RESIDENT_AND_LANE * LARGE if len(arms) > 1 else 0
    estimated = memory.bytes_to_run(scenario, len(arms), luck) - before
    assert taken <= estimated <= 1.25 * taken


@pytest.mark.parametrize("kinds", [("visit",), ("visit", "meeting")])
def test_words_by_which_people_name_others_are_counted(kinds: tuple[str, ...]) -> None:
    """Aiming at nominees takes a word more for every candidate and order of a week."""

    def taken_and_estimated(rule: str) -> tuple[int, int]:
        arms = {kind: {"activities": [{"kind": kind, "share": 1.0, "target": rule}]} for kind in kinds}
        scenario = village(LARGE, **SHORT, arms=arms)
        return bytes_of(block_in_campaign(scenario, kinds, 1)), memory.bytes_to_run(scenario, len(kinds), 1)

    (taken, estimated), (without, estimated_without) = map(taken_and_estimated, ("nominated", "random"))
    assert taken - without == len(kinds) * memory.BYTES_OF_A_NAME * LARGE
    assert estimated - estimated_without >= taken - without
    assert estimated >= taken


PEAK = """
from mobsim.engine.first_use import warm_up
from mobsim.engine.run import simulate
from mobsim.scenario.resolve import resolve
from mobsim.scenario.memory import estimated_bytes
from pathlib import Path

def read(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

given = {"schema_version": 2, "title": "A village", "description": "To be measured.", "preset": "default"}
given["campaign"] = {"burn_in_weeks": 2, "funding_ends_week": 8, "horizon_weeks": 8}
scenario = resolve({**given, "community": {"residents": 1_000_000}})
scenario = scenario.model_copy(update={"arms": {"mixed": scenario.arms["mixed"]}})
scenario = scenario.model_copy(
    update={"replicates": scenario.replicates.model_copy(update={"communities": 1, "luck": 1})}
)
warm_up()
Path("/proc/self/clear_refs").write_text("5")
before = read("VmRSS")
simulate(scenario, arms=["mixed"], threads=1)
print(read("VmHWM") - before, estimated_bytes(scenario))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux' own account of memory")
def test_the_estimate_holds_for_a_whole_program() -> None:
    """The peak of building and running a million residents is about what is said before."""
    printed = subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True).stdout
    taken, estimated = map(int, printed.split())
    assert 0.6 * estimated <= taken <= 1.1 * estimated


def test_blocks_are_counted_by_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = village(1000)
    need = memory.estimated_bytes(scenario)
    for free, blocks in ((None, sys.maxsize), (0, 1), (2 * need, 1), (3 * need, 2), (40 * need, 30)):
        monkeypatch.setattr(memory, "available_bytes", lambda free=free: free)
        assert memory.blocks_that_fit(scenario) == blocks
