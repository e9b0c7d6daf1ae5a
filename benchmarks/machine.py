"""The machine: what it is, how busy it is with other things, and how much memory a process takes."""

from __future__ import annotations

import os
import platform
import re
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PROC = Path("/proc")
UNIT = 1 if platform.system() == "Darwin" else 1024
"""Bytes in a unit of ru_maxrss."""


def describe() -> dict[str, Any]:
    """Processor, cores, caches, memory, system and Python; nothing that names the machine or its user."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "vector": _vector_width(),
        "caches": _caches(),
        "memory_gib": round(_total_memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _read(PROC / "cpuinfo"), re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or "unknown"


def _vector_width() -> str:
    flags = set(_read(PROC / "cpuinfo").split())
    names = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
    return next((name for flag, name in names.items() if flag in flags), "unknown")


def _caches() -> list[str]:
    """Each cache of the first processor, such as "L2 1024K"."""
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = _read(folder / "type").strip()
        if kind != "Instruction":
            found.append(f"L{_read(folder / 'level').strip()} {_read(folder / 'size').strip()}")
    return found


def _total_memory() -> int:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _read(PROC / "meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""


def memory(process: int | str = "self") -> dict[str, int]:
    """Bytes of memory that a process holds now (`resident`) and held at most (`peak`)."""
    status = _read(PROC / str(process) / "status")
    now, most = (re.search(rf"^{name}:\s*(\d+) kB", status, re.MULTILINE) for name in ("VmRSS", "VmHWM"))
    if now and most:
        return {"resident": int(now.group(1)) * 1024, "peak": int(most.group(1)) * 1024}
    if process != "self":
        return {"resident": 0, "peak": 0}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    return {"resident": peak, "peak": peak}


def forget_peak() -> None:
    """Let the peak of this process begin anew, where the system can do that."""
    try:
        (PROC / "self" / "clear_refs").write_text("5", "ascii")
    except OSError:
        return


def peak_with_children() -> int:
    """Peak of this process, plus those of its living children, or the largest of those that have ended."""
    living = _children(os.getpid())
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * UNIT
    of_children = sum(memory(child)["peak"] for child in living) if living else ended
    return memory()["peak"] + of_children


@dataclass(frozen=True)
class Clock:
    """Seconds since some time ago: of all processors in use, stolen by the host, and of the wall."""

    busy: float
    stolen: float
    wall: float


def clock() -> Clock:
    """Read the clocks of the whole machine."""
    fields = _read(PROC / "stat").splitlines()[:1]
    ticks = [int(field) for field in fields[0].split()[1:]] if fields else [0] * 8
    user, nice, system, _idle, _wait, irq, soft, stolen = ticks[:8]
    return Clock((user + nice + system + irq + soft) / TICKS, stolen / TICKS, time.perf_counter())


def processor_seconds(process: int) -> float:
    """Seconds of processor time that a process and its ended children have used; living ones are added."""
    fields = _read(PROC / str(process) / "stat").rpartition(")")[2].split()
    if not fields:
        return 0.0
    own = sum(int(field) for field in fields[11:15]) / TICKS
    return own + sum(processor_seconds(child) for child in _children(process))


def _children(process: int) -> list[int]:
    """Living processes that any thread of a process started."""
    threads = (PROC / str(process) / "task").glob("*/children")
    return [int(child) for thread in threads for child in _read(thread).split()]


def others_share(before: Clock, after: Clock, ours: float) -> float:
    """Share of one processor that other processes, or the host, used meanwhile.

    Parameters
    ----------
    before, after : clocks.
    ours : processor seconds that the bench itself used.
    """
    seconds = after.wall - before.wall
    others = after.busy - before.busy + after.stolen - before.stolen - ours
    return max(0.0, others / seconds) if seconds else 0.0
