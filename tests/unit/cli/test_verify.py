"""`mobsim verify` as a researcher types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.cli.main import main
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.provenance import record_of
from mobsim.experiment.table import Table
from mobsim.experiment.work import TaskResult

Swept = tuple[SweepPlan, list[TaskResult]]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    plan = village_plan(tmp_path_factory.mktemp("village"))
    return plan, results_of(plan)


def test_a_sample_that_is_the_same_is_one_sentence(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    assert main(["verify", str(tmp_path), "--sample", "3"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("3 of 72 runs, drawn at random (seed 1), were run once more: all ")
    assert len(out.splitlines()) == 1
    assert "3 of 3 runs" in err
    assert main(["verify", str(tmp_path), "--sample", "2", "--seed", "5", "--json", "-q"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["same"], data["of"], data["seed"], len(data["sample"])) == (True, 72, 5, 2)


def test_a_difference_is_named_with_exit_code_1(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    plan, tasks = swept
    frame = tasks[1].tables["weeks"].to_frame()
    frame.loc[0, "aware"] = 0.5
    changed = replace(tasks[1], tables={**tasks[1].tables, "weeks": Table.from_frame(frame)})
    manifest = record_of(plan)["manifest"] | {"mobsim": "0.0.1"}
    keep(plan, tmp_path / "ledger.sqlite", [changed], changes={"manifest": manifest})
    assert main(["verify", str(tmp_path), "--sample", "1000", "-q"]) == 1
    summary, version, named = capsys.readouterr().out.splitlines()
    assert summary.endswith("were run once more: 1 differs")
    assert "made by mobsim 0.0.1, and this is mobsim" in version
    assert named.startswith(str(next(plan.tasks[1].runs(plan.arms))))
    assert "aware in week 0 was 0.5 and is" in named


def test_a_sample_must_hold_a_run(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    assert main(["verify", str(tmp_path), "--sample", "0", "-q"]) == 2
    assert "sample: found 0" in capsys.readouterr().err
