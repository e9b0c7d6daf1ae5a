"""`mobsim rerun` as a researcher types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.cli.main import main
from mobsim.engine import each
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.table import Table
from mobsim.experiment.work import TaskResult, order_of, run_task

Swept = tuple[SweepPlan, list[TaskResult]]
RUN = "p0-c0-l0-none"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    plan = village_plan(tmp_path_factory.mktemp("village"))
    return plan, results_of(plan)


def fail(*_: object, **__: object) -> None:
    raise ValueError("no luck today")


def test_a_run_is_shown_and_held_against_the_ledger(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    assert main(["rerun", str(tmp_path), "p4-c1-l0-outreach"]) == 0
    out, err = capsys.readouterr()
    assert "participation_fe" in out
    assert out.splitlines()[-1].endswith("values are the same, bit for bit")
    assert err == ""


def test_json_holds_its_rows(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    assert main(["rerun", str(tmp_path), "p4-c1-l0-outreach", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["run"], data["same"], data["in_ledger"]) == ("p4-c1-l0-outreach", True, True)
    assert data["differences"] == []
    assert data["failure"] is data["version"] is None
    assert data["runs"][0]["arm"] == "outreach"
    assert [row["week"] for row in data["weeks"]] == [0, 4, 7, 8, 11]


def test_a_difference_is_shown_with_exit_code_1(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    plan, tasks = swept
    frame = tasks[0].tables["runs"].to_frame()
    frame.loc[0, "reach"] = 0.125
    changed = replace(tasks[0], tables={**tasks[0].tables, "runs": Table.from_frame(frame)})
    keep(plan, tmp_path / "ledger.sqlite", [changed])
    assert main(["rerun", str(tmp_path), RUN]) == 1
    assert "values differ: reach was 0.125 and is 0.0" in capsys.readouterr().out


@pytest.mark.parametrize("json_wanted", [True, False])
def test_a_failed_run_is_a_sentence_and_with_debug_a_traceback(
    swept: Swept, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, json_wanted: bool
) -> None:
    plan = swept[0]
    monkeypatch.setattr(each, "simulate_each", fail)
    keep(plan, tmp_path / "ledger.sqlite", [run_task(order_of(plan, 0))])
    options = ["--json"] if json_wanted else []
    assert main(["rerun", str(tmp_path), RUN, *options]) == 1
    out, err = capsys.readouterr()
    assert err == f"{RUN}: fails at the stage simulation: ValueError: no luck today; as in the sweep\n"
    assert main(["rerun", str(tmp_path), RUN, "--debug", *options]) == 1
    assert 'raise ValueError("no luck today")' in capsys.readouterr().err
    if json_wanted:
        assert json.loads(out)["failure"]["error"] == "ValueError: no luck today"
    else:
        assert out == ""


def test_a_wrong_id_is_wrong_use(swept: Swept, tmp_path: Path, capsys: Any) -> None:
    keep(swept[0], tmp_path / "ledger.sqlite", [])
    assert main(["rerun", str(tmp_path), "p0-c0-l0-outreech"]) == 2
    assert "allowed: none, outreach, training" in capsys.readouterr().err
    assert main(["rerun", str(tmp_path), "the first"]) == 2
    assert "such as p12-c3-l0-outreach" in capsys.readouterr().err
