"""Shards: shares of a sweep that machines without a network between them run, each into its own ledger."""

from __future__ import annotations

import re
from pathlib import Path

from mobsim.errors import UsageError

LEDGER = "ledger.sqlite"
MOST_SHARDS = 100_000

_SHARD_FILE = re.compile(r"ledger-\d+-of-\d+\.sqlite")


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """Return which shard a text names: (2, 5) for the second of five; none for no text.

    Parameters
    ----------
    text : such as 2/5.

    Raises
    ------
    UsageError : if the text names no shard.

    Examples
    --------
    >>> parse_shard("2/5")
    (2, 5)
    """
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of <= MOST_SHARDS:
        raise UsageError(
            f"shard: found {text!r}; allowed is a number of how many, from 1/{max(of, 3)} to "
            f"{max(of, 3)}/{max(of, 3)} for {max(of, 3)} shards"
        )
    return number, of


def shards_in(folder: Path) -> list[Path]:
    """Return the ledgers of shards in a folder, by name; not those that were saved or set aside.

    Parameters
    ----------
    folder : of a sweep's results.
    """
    return sorted(path for path in folder.glob("ledger-*.sqlite") if _SHARD_FILE.fullmatch(path.name))


def ledger_file(folder: Path, shard: tuple[int, int] | None) -> Path:
    """Return the file of a sweep's ledger, or of a shard's.

    Parameters
    ----------
    folder : of the sweep's results.
    shard : such as (2, 5), or none.

    Examples
    --------
    >>> ledger_file(Path("results"), (2, 5)).name
    'ledger-2-of-5.sqlite'
    """
    return folder / (LEDGER if shard is None else f"ledger-{shard[0]}-of-{shard[1]}.sqlite")
