"""Shards of one sweep become one ledger (in the making)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Merged(NamedTuple):
    """What a merge gave: the ledger, tasks kept of how many, which are missing, how many runs failed."""

    path: Path
    kept: int
    of: int
    missing: tuple[int, ...]
    failed: int


def merge(paths: Sequence[Path], out: Path) -> Merged:
    """Write one ledger with the tasks of all; refuses different plans and a task with two results."""
    raise NotImplementedError
