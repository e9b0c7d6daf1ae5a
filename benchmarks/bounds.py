"""How fast a work could be at most: the draws and the reads that its rules ask for, counted and timed alone.

Every decision takes a random number that belongs to who decides when (docs/odd.md, "Random words"), and the
state of a contact is one read for each tie that is looked at. Both are counted in mobsim's own kernels and
then done with nothing else around them (`programs/draws_and_reads.py`), in the same rounds as the programs. A
processor can draw and read at the same time: the longer of the two is the limit.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

TOP = Path(__file__).resolve().parents[1]
MODULE = "draws_and_reads"
CALLS = 3
"""Measurements in a turn, of which the fastest counts."""


@dataclass(frozen=True)
class Limited:
    """How a work draws and reads: on how many threads, and for how many runs a contact's state is read."""

    threads: int = 1
    runs_a_read: int = 1


LIMITED = {"W2": Limited(), "W3-10k": Limited(), "W3-100k": Limited(), "W4": Limited(2, 64)}
"""Works of which the limit is measured."""


class Uncounted(Exception):
    """The draws and reads could not be counted."""


class Asked(Protocol):
    """A worker process, as `run.Peer`."""

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer."""


def count(names: Sequence[str], quick: bool) -> dict[str, dict[str, int]]:
    """Count the draws and ties of works, in a process of its own, whose kernels count.

    Parameters
    ----------
    names : of `LIMITED`. quick : tiny sizes.

    Raises
    ------
    Uncounted : if that fails.
    """
    command = [sys.executable, "-m", "benchmarks.count_work", ",".join(names)]
    command += ["--quick"] if quick else []
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Uncounted(f"counting draws and reads failed: {done.stderr.strip().splitlines()[-1:]}")
    counted: dict[str, dict[str, int]] = json.loads(done.stdout.splitlines()[-1])
    return counted


class Bound:
    """The limit of one work, measured round by round.

    Parameters
    ----------
    peer : a worker that has prepared `programs/draws_and_reads.py`.
    counted : draws and ties of one call of mobsim.
    """

    def __init__(self, peer: Asked, counted: Mapping[str, int]) -> None:
        self._peer = peer
        self._record: dict[str, Any] = {**counted, "draws_ms": [], "reads_ms": []}

    def measure(self) -> None:
        """Take one turn."""
        told = self._peer.ask(do="run", calls=CALLS)["results"]
        for what in ("draws", "reads"):
            self._record[f"{what}_ms"].append(1e3 * min(one[f"{what}_s"] for one in told))
        self._record |= {key: told[0][key] for key in ("drawn", "read")}

    def record(self) -> dict[str, Any]:
        """What was counted and measured, for results.json."""
        return self._record


def shares(limit: Mapping[str, Any], ms_a_call: Sequence[float]) -> list[float]:
    """Which share of the limit was reached, round by round: 1 is as fast as the limit allows.

    Parameters
    ----------
    limit : as `Bound.record`. ms_a_call : milliseconds of one call of mobsim in each round.
    """
    least = map(max, limit["draws_ms"], limit["reads_ms"])
    return [alone / ours for alone, ours in zip(least, ms_a_call, strict=True)]


def at_most(ratios: Sequence[float], reached: Sequence[float]) -> float:
    """The ratio to another program that the limit would allow: the median of rounds.

    Parameters
    ----------
    ratios : how many times as fast as the other program mobsim was. reached : its shares of the limit.
    """
    return statistics.median(ratio / share for ratio, share in zip(ratios, reached, strict=True))
