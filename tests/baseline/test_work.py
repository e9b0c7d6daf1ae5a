"""The engine does no more work than before: calls, draws, ties, allocations and bytes, not seconds.

After a wanted change: `python -m tests.baseline.rewrite_work`, and look at the difference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
BASELINE = Path(__file__).with_name("work.json")
MORE_BYTES = 1.05
"""How far the highest memory may grow: NumPy and Python differ a little between versions."""
REWRITE = "rewrite the baseline: python -m tests.baseline.rewrite_work"


def count_work() -> dict[str, Any]:
    """Count the work in a process of its own, whose kernels count."""
    paths = [str(TOP / "src"), str(TOP), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.count_work"],
        cwd=TOP,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts: dict[str, Any] = json.loads(done.stdout)
    return counts


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the engine does now."""
    return count_work()


@pytest.mark.parametrize("case", ["default", "frontier", "cascade", "dense"])
def test_work_is_that_of_the_baseline(found: dict[str, Any], case: str) -> None:
    """More work is a regression; less is news that the baseline should hold."""
    before, now = dict(json.loads(BASELINE.read_text())[case]), dict(found[case])
    bytes_before, bytes_now = before.pop("peak_bytes"), now.pop("peak_bytes")
    assert now == before, REWRITE
    assert bytes_now <= MORE_BYTES * bytes_before, REWRITE


def test_work_is_counted(found: dict[str, Any]) -> None:
    """The counters count: every path draws or reads ties, and none does the work of the whole week."""
    assert found["default"]["draws"] > 1000 * 26 * 10
    assert found["default"]["kernel_calls"]["run_weeks"] > 0
    assert 100 * found["frontier"]["draws"] < found["dense"]["draws"]
    assert found["frontier"]["draws"] < found["cascade"]["draws"] < found["dense"]["draws"]
    assert all(counts["ties"] > 0 for counts in found.values())
