"""The first use on a machine: all kernels are compiled, by two processes at once, and kept."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobsim.engine.block import Block
from mobsim.engine.run import build, simulate
from mobsim.kernels.compile import without_collecting
from mobsim.kernels.kept import alone, cache_folder, is_complete, mark_complete, tell
from mobsim.kernels.weeks import compile_week
from mobsim.scenario.resolve import resolve

_TINY: dict[str, Any] = {
    "schema_version": 2,
    "title": "First use",
    "description": "A few residents, to compile every kernel.",
    "community": {"residents": 200},
    "campaign": {"burn_in_weeks": 1, "funding_ends_week": 16, "horizon_weeks": 17},
}
_prepared: list[bool] = []


def prepare(say: Callable[[str], None] | None = None) -> None:
    """Compile all kernels that simulations need, unless they lie ready on disk.

    Parameters
    ----------
    say : is told what the user waits for; none: a line on stderr, if something is compiled.
    """
    if say is not None:
        tell(say)
    if _prepared:
        return
    _prepared.append(True)
    if is_complete():
        return
    with alone("first_use"):
        if not is_complete():  # or another process has done it meanwhile
            _compile_all()


def warm_up() -> None:
    """Have every kernel that simulations need ready in this process, by running a tiny community."""
    prepare()
    simulate(resolve(_TINY), communities=1, luck=1, threads=1)


def _compile_all() -> None:
    """Compile all kernels with the help of a second process."""
    helper = _start_helper()
    try:
        with without_collecting():
            simulate(resolve(_TINY), communities=1, luck=1, threads=1)
    finally:
        if helper is not None:
            helper.wait()
    mark_complete()


def _start_helper() -> subprocess.Popen[bytes] | None:
    """Start a process that compiles the phases which take longest; without one, all is compiled here."""
    if cache_folder() is None or (os.cpu_count() or 1) < 2 or not sys.executable:
        return None
    source = str(Path(__file__).parents[2])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-c", "from mobsim.engine.first_use import help_to_prepare as p; p()"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return None


def help_to_prepare() -> None:
    """Compile the phases which take longest and keep them on disk: what the helping process does."""
    _prepared.append(True)
    with without_collecting():
        scenario = resolve(_TINY | {"community": {"residents": 20, "network": {"kind": "well_mixed"}}})
        block = Block(scenario, build(scenario, 0), list(scenario.arms)[:1], [0])
        compile_week(block.bundles())
        block.measure_means()
