"""One program in a process of its own: told over stdin what to do, it answers over stdout, in lines of JSON.

The harness (run.py) starts one such process for every program and work and lets them take turns. Whatever the
program itself prints goes to stderr.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import machine, whole_week, works

SLOW_CALL = 2.0
"""Seconds from which a first call is not repeated to warm up."""
KEEP = 3
"""Results kept of one turn: enough to compare, and the clock does not wait for the others' hashes."""


def inputs_of(work: str) -> type[works.Inputs] | type[whole_week.Inputs]:
    """The class whose `load` reads the inputs of a work."""
    return works.Inputs if work in works.WORKS else whole_week.Inputs


class Worker:
    """What the process has prepared, and how it answers."""

    def __init__(self) -> None:
        self.module: ModuleType | None = None
        self.task: works.Task | None = None
        self.resident_before = 0

    def describe(self, module: str) -> dict[str, Any]:
        """Import a program and say what it can do, or why it cannot be imported."""
        try:
            self.module = importlib.import_module(f"benchmarks.programs.{module}")
            version = importlib.metadata.version(self.module.PACKAGE)
        except importlib.metadata.PackageNotFoundError:
            version = str(getattr(importlib.import_module(self.module.PACKAGE), "__version__", "unknown"))
        except Exception as problem:
            return {"missing": f"{type(problem).__name__}: {problem}".splitlines()[0]}
        return {"version": version, "works": list(self.module.WORKS)}

    def prepare(self, work: str, path: str, tiny: str) -> dict[str, Any]:
        """Load inputs, prepare the task and run it to warm up; from then on the peak of memory counts.

        Before, the same work is done once with tiny inputs: what a program loads or compiles at first use is
        in memory then, and memory since the inputs is that of the work.
        """
        assert self.module is not None
        self.module.WORKS[work](inputs_of(work).load(Path(tiny)))().result()
        gc.collect()
        self.resident_before = machine.memory()["resident"]
        given = inputs_of(work).load(Path(path))
        began = time.perf_counter()
        self.task = self.module.WORKS[work](given)
        prepared = time.perf_counter() - began
        result = self.task().result()
        first = time.perf_counter() - began - prepared
        machine.forget_peak()
        call = first
        if first < SLOW_CALL:
            began = time.perf_counter()
            self.task()
            call = time.perf_counter() - began
        return {"prepare_s": prepared, "first_s": first, "call_s": call, "result": result}

    def run(self, calls: int) -> dict[str, Any]:
        """Call the task several times; the clocks stand still between the calls."""
        assert self.task is not None
        gc.collect()
        wall = processor = units = 0.0
        results = []
        for call in range(calls):
            began, began_processor = time.perf_counter(), time.process_time()
            outcome = self.task()
            processor += time.process_time() - began_processor
            wall += time.perf_counter() - began
            units += outcome.units
            if call < KEEP:
                results.append(outcome.result())
        return {"wall_s": wall, "processor_s": processor, "units": units, "results": results}

    def memory(self) -> dict[str, Any]:
        """Peak of resident memory since `prepare`, with the processes that this one started, in bytes."""
        peak = machine.peak_with_children()
        return {"peak": peak, "since_inputs": max(0, peak - self.resident_before)}


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        action: Callable[..., dict[str, Any]] = getattr(worker, request.pop("do"))
        try:
            answer = action(**request)
        except Exception as problem:
            import traceback

            traceback.print_exc()
            answer = {"failed": f"{type(problem).__name__}: {problem}".splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
