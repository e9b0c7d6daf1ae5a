"""The first result: how long `mobsim compare` of a small scenario takes, with kernels compiled and without.

Every run is a command of its own: Python, imports, simulation, tables, figures and page are included.
"""

from __future__ import annotations

import os
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


def command_seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """Wall seconds of a command of mobsim.

    Raises
    ------
    RuntimeError : if the command fails, with what it said.
    """
    command = [sys.executable, "-m", "mobsim", *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"mobsim {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-400:]}")
    return seconds


def measure(quick: bool = False) -> dict[str, Any]:
    """Time the command in an empty cache of compiled kernels, then in the filled one.

    Returns
    -------
    dict
        cold_s, warm_s (each run), compile_s: cold less the median of warm.
    """
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "small.yaml"
        scenario.write_text(SMALL, "utf-8")
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "kernels")}
        compare = ["compare", str(scenario), "--quiet", "--results", str(Path(folder) / "results")]
        if quick:
            environment.pop("NUMBA_CACHE_DIR")
        cold = command_seconds(compare, environment)
        warm = [command_seconds(compare, environment) for _ in range(1 if quick else WARM_RUNS)]
    middle = sorted(warm)[len(warm) // 2]
    return {"cold_s": cold, "warm_s": warm, "compile_s": max(0.0, cold - middle)}
