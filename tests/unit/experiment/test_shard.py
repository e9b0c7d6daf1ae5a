"""Shares of a sweep, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobsim.errors import UsageError
from mobsim.experiment.shard import ledger_file, parse_shard

pytestmark = pytest.mark.quick


def test_a_shard_is_a_number_of_how_many() -> None:
    assert parse_shard(None) is None
    assert parse_shard(" 3/3 ") == (3, 3)
    assert ledger_file(Path("x"), None) == Path("x/ledger.sqlite")
    assert ledger_file(Path("x"), (3, 3)) == Path("x/ledger-3-of-3.sqlite")


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3", "1.5/3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"shard: found .* allowed is a number of how many, from 1/3 to 3/3"):
        parse_shard(text)
