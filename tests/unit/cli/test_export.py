"""`mobsim export` as a researcher types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.cli.main import main
from mobsim.experiment.failure import Failure
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.table import MARK
from mobsim.experiment.work import TaskResult

Swept = tuple[SweepPlan, list[TaskResult]]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    plan = village_plan(tmp_path_factory.mktemp("village"))
    return plan, results_of(plan)


def test_tables_lie_beside_the_ledger_or_where_one_wants_them(
    swept: Swept, tmp_path: Path, capsys: Any
) -> None:
    keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    assert main(["export", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "village_sweep: 72 runs (6 points x 3 arms x 2 communities x 2 luck)",
        f"Tables: {tmp_path / 'tables'}",
    ]
    assert "72 of 72 runs" in err
    assert main(["export", str(tmp_path / "ledger.sqlite"), "--to", str(tmp_path / "mine"), "-q"]) == 0
    assert capsys.readouterr().err == ""
    for file in (tmp_path / "tables").iterdir():
        assert (tmp_path / "mine" / file.name).read_bytes() == file.read_bytes()


def test_parquet_is_an_option(swept: Swept, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    assert main(["export", str(tmp_path), "--parquet"]) == 0
    assert (tmp_path / "tables" / "runs.parquet").is_file()


def test_what_is_missing_or_failed_is_said(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    plan, tasks = swept
    failure = Failure(str(next(plan.tasks[0].runs(plan.arms))), "simulation", "ValueError: no")
    failed = TaskResult(number=0, tables={}, failures=(failure,), n_runs=tasks[0].n_runs)
    keep(plan, tmp_path / "ledger.sqlite", [failed, tasks[1]])
    assert main(["export", str(tmp_path), "-q"]) == 0
    out, err = capsys.readouterr()
    assert "; 1 failed" in out
    assert f"2 of {len(tasks)} tasks are done; the command that began the sweep goes on" in err
    keep(plan, tmp_path / "ledger-1-of-2.sqlite", tasks[::2], shard=(1, 2))
    assert main(["export", str(tmp_path / "ledger-1-of-2.sqlite"), "-q"]) == 0
    out, err = capsys.readouterr()
    assert "this is shard 1 of 2; mobsim merge joins shards" in err
    assert f"Tables: {tmp_path / 'tables-1-of-2'}" in out


def test_a_damaged_ledger_is_refused_and_what_is_whole_is_saved(
    swept: Swept, tmp_path: Path, capsys: Any
) -> None:
    plan, tasks = swept
    path = keep(plan, tmp_path / "ledger.sqlite", tasks)
    content = bytearray(path.read_bytes())
    content[content.rfind(MARK) + 60] ^= 0xFF  # inside the last table that was written
    path.write_bytes(content)
    assert main(["export", str(path), "-q"]) == 1
    assert "--salvage" in capsys.readouterr().err
    assert main(["export", str(path), "--salvage", "-q"]) == 0
    out, err = capsys.readouterr()
    assert f"{len(tasks) - 1} of {len(tasks)} tasks are whole and now in" in err
    assert path.read_bytes() == content
    manifest = json.loads((tmp_path / "tables-salvaged" / "manifest.json").read_text())
    assert manifest["complete"] is False
    assert "72 runs" not in out
    assert main(["export", str(path), "--salvage", "-q"]) == 0
    assert (tmp_path / "ledger-salvaged-2.sqlite").is_file()


def test_no_ledger_is_one_sentence(tmp_path: Path, capsys: Any) -> None:
    assert main(["export", str(tmp_path / "nowhere")]) == 1
    err = capsys.readouterr().err
    assert "is not there; allowed: a ledger, or the folder of a sweep's results" in err
    assert len(err.splitlines()) == 1
