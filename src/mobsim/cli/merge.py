"""`mobsim merge`: the shards of a sweep become one ledger and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    out: Annotated[Path, typer.Argument(help="Folder of the whole sweep, or its new ledger (.sqlite).")],
    ledgers: Annotated[list[Path], typer.Argument(help="Ledgers of shards, or folders that hold them.")],
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet beside CSV.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Put the shards of one sweep together and write its tables.

    \b
    mobsim merge results/my_sweep/3bea8834d8d7 results/my_sweep/3bea8834d8d7
    mobsim merge whole.sqlite ledger-1-of-2.sqlite ledger-2-of-2.sqlite
    """  # noqa: D301
    from mobsim.cli.export import write_and_tell
    from mobsim.experiment.merge import merge as merge_ledgers
    from mobsim.experiment.results import load_results
    from mobsim.experiment.shard import LEDGER

    whole = out if out.suffix == ".sqlite" else out / LEDGER
    whole.parent.mkdir(parents=True, exist_ok=True)
    merge_ledgers(_shards(ledgers), whole)
    write_and_tell(load_results(whole), None, parquet=parquet, quiet=quiet)


def _shards(given: list[Path]) -> list[Path]:
    """Return the ledgers that were named, and those in folders that were named."""
    from mobsim.experiment.results import find_ledger
    from mobsim.experiment.shard import shards_in

    shards: list[Path] = []
    for path in given:
        inside = shards_in(path) if path.is_dir() else []
        shards += inside or [find_ledger(path)]
    return list(dict.fromkeys(shards))
