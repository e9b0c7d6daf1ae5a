"""Any run of a sweep gives the same bits alone; what differs is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.engine import each
from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.again import rerun, verify
from mobsim.experiment.failure import Failure
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.plan import SweepPlan
from mobsim.experiment.provenance import record_of
from mobsim.experiment.table import MARK, Table
from mobsim.experiment.work import TaskResult

Swept = tuple[SweepPlan, list[TaskResult]]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    plan = village_plan(tmp_path_factory.mktemp("village"))
    return plan, results_of(plan)


@pytest.fixture(scope="module")
def ledger(swept: Swept, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keep(swept[0], tmp_path_factory.mktemp("whole") / "ledger.sqlite", swept[1])


def with_another(result: TaskResult, table: str, column: str, row: int, value: float) -> TaskResult:
    frame = result.tables[table].to_frame()
    frame.loc[row, column] = value
    return replace(result, tables={**result.tables, table: Table.from_frame(frame)})


def test_every_run_is_the_same_alone(ledger: Path, swept: Swept) -> None:
    found = verify(ledger, sample=10_000)
    assert found.same
    assert found.of == len(found.reruns) == swept[0].n_runs
    assert found.sentences[0].startswith("72 of 72 runs, were run once more: all ")
    assert all(rerun.compared > 100 for rerun in found.reruns)


def test_a_sample_is_drawn_by_its_seed(ledger: Path) -> None:
    def drawn(seed: int) -> list[str]:
        return [str(rerun.key) for rerun in verify(ledger, sample=3, seed=seed).reruns]

    assert drawn(1) == drawn(1) != drawn(2)
    told: list[tuple[int, int]] = []
    verify(ledger, sample=2, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


def test_a_rerun_gives_the_rows_of_the_run(ledger: Path) -> None:
    found = rerun(ledger, "p4-c1-l0-outreach")
    assert found.same
    assert found.kept
    assert found.runs[["point", "arm", "community", "luck"]].values.tolist() == [[4, "outreach", 1, 0]]
    assert found.weeks["week"].tolist() == [0, 4, 7, 8, 11]
    assert found.sentence == f"p4-c1-l0-outreach: all {found.compared:,} values are the same, bit for bit"


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("p99-c0-l0-none", "point is 99; allowed: 0 to 5"),
        ("p0-c2-l0-none", "community is 2; allowed: 0 to 1"),
        ("p0-c0-l7-none", "luck is 7; allowed: 0 to 1"),
        ("p0-c0-l0-outreech", "arm is outreech; allowed: none, outreach, training"),
        ("the first one", "is not the name of a run; allowed: point, community, luck and arm"),
    ],
)
def test_a_wrong_id_is_refused_with_what_exists(ledger: Path, run: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        rerun(ledger, run)


def test_the_last_bit_of_a_value_is_seen(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    table = tasks[0].tables["runs"].to_frame()
    value = float(table.loc[0, "participation_fe"])
    changed = with_another(tasks[0], "runs", "participation_fe", 0, float(np.nextafter(value, 2)))
    path = keep(plan, tmp_path / "ledger.sqlite", [changed])
    found = rerun(path, next(plan.tasks[0].runs(plan.arms)))
    assert not found.same
    (difference,) = found.differences
    assert (difference.table, difference.column, difference.again) == ("runs", "participation_fe", value)
    assert f"1 of {found.compared:,} values differ: participation_fe was" in found.sentence
    verification = verify(path, sample=100)
    assert not verification.same
    assert [str(bad.key) for bad in verification.differing] == [str(found.key)]
    assert verification.sentences[0].endswith("were run once more: 1 differs")


def test_weeks_are_compared_too(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    changed = with_another(tasks[0], "weeks", "aware", 2, 0.123)
    found = rerun(keep(plan, tmp_path / "ledger.sqlite", [changed]), next(plan.tasks[0].runs(plan.arms)))
    (difference,) = found.differences
    assert (difference.week, difference.kept) == (7, 0.123)
    assert "aware in week 7 was 0.123 and is" in found.sentence


def test_a_missing_week_is_a_difference(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    weeks = tasks[0].tables["weeks"].to_frame().drop(index=1)
    changed = replace(tasks[0], tables={**tasks[0].tables, "weeks": Table.from_frame(weeks)})
    found = rerun(keep(plan, tmp_path / "ledger.sqlite", [changed]), next(plan.tasks[0].runs(plan.arms)))
    assert [str(difference) for difference in found.differences] == ["number of rows was 4 and is 5"]


def test_points_of_other_goals_are_the_same_alone(tmp_path: Path) -> None:
    """A task holds columns that a run of one of its points alone does not have."""
    goals = [[{"name": "one", "at_least": 0.1, "by_week": 7}], []]
    plan = village_plan(tmp_path, work=10**9, factors={"goals": {"values": goals, "labels": ["one", "none"]}})
    assert len(plan.tasks) == 1
    assert verify(keep(plan, tmp_path / "ledger.sqlite", results_of(plan)), sample=100).same


def test_a_run_that_the_ledger_does_not_hold_yet_can_be_run(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    path = keep(plan, tmp_path / "ledger.sqlite", tasks[1:])
    found = rerun(path, next(plan.tasks[0].runs(plan.arms)))
    assert found.same
    assert not found.kept
    assert "the ledger does not hold it yet" in found.sentence


def test_a_failed_run_fails_again_or_runs(
    swept: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, tasks = swept
    key = next(plan.tasks[0].runs(plan.arms))
    failure = Failure(str(key), "simulation", "ValueError: no luck today", "Traceback ...")
    failed = TaskResult(number=0, tables={}, failures=(failure,), n_runs=tasks[0].n_runs)
    path = keep(plan, tmp_path / "ledger.sqlite", [failed])

    runs_now = rerun(path, key)
    assert not runs_now.same
    assert "runs now, and failed in the sweep (ValueError: no luck today)" in runs_now.sentence

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no luck today")

    monkeypatch.setattr(each, "simulate_each", fail)
    again = rerun(path, key)
    assert again.same
    assert again.failure is not None
    assert "simulate_each" in again.failure.traceback
    assert again.sentence.endswith(
        "fails at the stage simulation: ValueError: no luck today; as in the sweep"
    )
    other = rerun(keep(plan, tmp_path / "other.sqlite", tasks), key)
    assert not other.same
    assert other.sentence.endswith("; the sweep has its rows")
    assert rerun(keep(plan, tmp_path / "begun.sqlite", []), key).sentence.endswith(
        "ValueError: no luck today"
    )


def test_another_version_of_mobsim_is_named(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    manifest = record_of(plan)["manifest"] | {"mobsim": "0.0.1"}
    path = keep(plan, tmp_path / "ledger.sqlite", tasks[:1], changes={"manifest": manifest})
    found = verify(path, sample=1)
    assert any("made by mobsim 0.0.1" in sentence for sentence in found.sentences)
    assert "made by mobsim 0.0.1" in found.reruns[0].version


def test_there_must_be_something_to_verify(swept: Swept, ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="holds no finished run"):
        verify(keep(swept[0], tmp_path / "ledger.sqlite", []))
    with pytest.raises(UsageError, match="sample: found 0"):
        verify(ledger, sample=0)


def test_damage_is_found_before_anything_is_run(swept: Swept, tmp_path: Path) -> None:
    path = keep(swept[0], tmp_path / "ledger.sqlite", swept[1])
    content = bytearray(path.read_bytes())
    content[content.rfind(MARK) + 60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ResultsError):
        verify(path, sample=1)
    with pytest.raises(ResultsError), Ledger.open(path) as damaged:
        damaged.check()
