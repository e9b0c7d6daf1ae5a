"""Shards of one sweep become one ledger, with the same results as if one had run it all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.ledger_file import Header, WholeTask, write_ledger
from mobsim.experiment.lock import WriterLock


class Merged(NamedTuple):
    """What a merge gave.

    Attributes
    ----------
    path : the new ledger.
    kept : how many tasks it holds.
    of : how many tasks the plan has.
    missing : the numbers of those that are in no shard.
    failed : how many runs failed.
    """

    path: Path
    kept: int
    of: int
    missing: tuple[int, ...]
    failed: int


def merge(paths: Sequence[Path | str], out: Path | str) -> Merged:
    """Write one ledger with the tasks of several; these stay as they are, and may still be growing.

    Parameters
    ----------
    paths : ledgers of one plan. A task that stands in several is taken from the one where fewest runs failed.
    out : the new ledger; nothing is there yet. It appears complete or not at all.

    Raises
    ------
    ResultsError
        if the ledgers are of different plans, a task has different results in two of them, one is damaged,
        or the new one cannot be written.
    """
    if not paths:
        raise UsageError("merge: found no ledger; name at least one")
    out = Path(os.path.abspath(out))
    with ExitStack() as stack:
        shards = [stack.enter_context(Ledger.open(path)) for path in paths]
        shards.sort(key=lambda shard: (shard.shard or (0, 0), str(shard.path)))
        first = shards[0]
        _check_plans(shards)
        source = _sources(shards)
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(out)
        try:
            if out.exists():
                raise ResultsError(f"{out}: a file is there already; name a new one to merge into")
            write_ledger(out, Header(first.plan_record, first.n_tasks, None), _tasks(source))
        finally:
            lock.release()
    with Ledger.open(out) as merged:
        kept = merged.kept_tasks()
        missing = tuple(sorted(set(range(merged.n_tasks)).difference(kept)))
        return Merged(out, len(kept), merged.n_tasks, missing, merged.progress().failed)


def _check_plans(shards: Sequence[Ledger]) -> None:
    first = shards[0]
    for shard in shards[1:]:
        if (shard.digest, shard.n_tasks) != (first.digest, first.n_tasks):
            raise ResultsError(
                f"{shard.path}: it is of another plan (digest {shard.digest[:12]}) than {first.path} "
                f"(digest {first.digest[:12]}); only shards of one sweep can be merged"
            )


def _sources(shards: Sequence[Ledger]) -> dict[int, Ledger]:
    """Return for each task the shard to take it from."""
    source: dict[int, Ledger] = {}
    for shard in shards:
        for number in shard.kept_tasks():
            other = source.setdefault(number, shard)
            if other is shard:
                continue
            fewer = shard.n_failed(number) - other.n_failed(number)
            if fewer < 0:
                source[number] = shard
            elif fewer == 0 and shard.contents(number) != other.contents(number):
                raise ResultsError(
                    f"{shard.path}: task {number} has other results here than in {other.path}; run "
                    "`mobsim verify` on both"
                )
    return source


def _tasks(source: dict[int, Ledger]) -> Iterator[WholeTask]:
    for number in sorted(source):
        yield source[number].whole(number)
