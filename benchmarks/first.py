"""The first result: how long `mobsim compare` of a small scenario takes, with kernels compiled and without.

Every run is a command of its own: Python, imports, simulation, tables, figures and page are included.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SMALL = """schema_version: 2
title: A small scenario
description: The default community of 1,000 residents and its six arms, for the bench.
replicates: {communities: 4, luck: 1}
"""
WARM_RUNS = 5


def command_seconds(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor seconds of a command of mobsim.

    Raises
    ------
    RuntimeError : if the command fails, with what it said.
    """
    command = [sys.executable, "-m", "mobsim", *arguments]
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode != 0:
        raise RuntimeError(f"mobsim {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-400:]}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, processor


def measure(quick: bool = False) -> dict[str, Any]:
    """Time the command in an empty cache of compiled kernels, then in the filled one.

    Returns
    -------
    dict
        cold_s, warm_s (each run) by the wall, compile_s: cold less the median of warm; and of processors.
    """
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "small.yaml"
        scenario.write_text(SMALL, "utf-8")
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "kernels")}
        compare = ["compare", str(scenario), "--quiet", "--results", str(Path(folder) / "results")]
        if quick:
            environment.pop("NUMBA_CACHE_DIR")
        cold, cold_processor = command_seconds(compare, environment)
        warm = [command_seconds(compare, environment) for _ in range(1 if quick else WARM_RUNS)]
    walls, processors = ([run[k] for run in warm] for k in range(2))
    compiling = max(0.0, cold - statistics.median(walls))
    return {
        "cold_s": cold,
        "cold_processor_s": cold_processor,
        "warm_s": walls,
        "warm_processor_s": processors,
        "compile_s": compiling,
    }
