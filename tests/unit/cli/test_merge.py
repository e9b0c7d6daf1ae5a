"""`mobsim merge` as a researcher types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole sweep, and its two shards."""
    place = tmp_path_factory.mktemp("village")
    plan = village_plan(place)
    tasks = results_of(plan)
    keep(plan, place / "whole" / "ledger.sqlite", tasks)
    for i in (1, 2):
        keep(plan, place / "shards" / f"ledger-{i}-of-2.sqlite", tasks[i - 1 :: 2], shard=(i, 2))
    other = village_plan(place, seed=9)
    keep(other, place / "other" / "ledger.sqlite", [])
    assert main(["export", str(place / "whole"), "-q"]) == 0
    return place


@pytest.mark.parametrize("named", ["ledgers", "folder"])
def test_shards_give_the_tables_of_the_whole(folder: Path, tmp_path: Path, capsys: Any, named: str) -> None:
    shards = [folder / "shards"]
    if named == "ledgers":
        shards = sorted((folder / "shards").glob("*.sqlite"), reverse=True)
    assert main(["merge", str(tmp_path / "all"), *map(str, shards), "-q"]) == 0
    assert "72 runs" in capsys.readouterr().out
    for file in (folder / "whole" / "tables").iterdir():
        assert (tmp_path / "all" / "tables" / file.name).read_bytes() == file.read_bytes()


def test_a_missing_shard_is_said(folder: Path, tmp_path: Path, capsys: Any) -> None:
    shard = folder / "shards" / "ledger-2-of-2.sqlite"
    assert main(["merge", str(tmp_path / "some.sqlite"), str(shard), "-q"]) == 0
    assert "tasks are done; the command that began the sweep" in capsys.readouterr().err
    assert (tmp_path / "some.sqlite").is_file()


def test_what_does_not_belong_together_is_refused(folder: Path, tmp_path: Path, capsys: Any) -> None:
    out = str(tmp_path / "all")
    assert main(["merge", out, str(folder / "shards"), str(folder / "other"), "-q"]) == 1
    assert "is of another plan" in capsys.readouterr().err
    assert main(["merge", str(folder / "whole"), str(folder / "shards"), "-q"]) == 1
    assert "is there already" in capsys.readouterr().err
