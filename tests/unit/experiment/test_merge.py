from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.experiment.ledgers import N_TASKS, RECORD, all_of, make, result_of

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.ledger import DamagedLedger, Ledger
from mobsim.experiment.merge import merge

pytestmark = pytest.mark.quick


def shards_of(folder: Path, n: int = 3) -> list[Path]:
    paths = []
    for i in range(1, n + 1):
        path = folder / f"ledger-{i}-of-{n}.sqlite"
        with Ledger.create(path, RECORD, N_TASKS, (i, n)) as ledger:
            for number in reversed(ledger.missing_tasks()):
                ledger.keep(result_of(number, n_failed=number == 3))
        paths.append(path)
    return paths


def test_shards_merge_to_the_same_as_one_ledger(tmp_path: Path) -> None:
    shards = shards_of(tmp_path)
    merged = merge(shards[::-1], tmp_path / "new" / "ledger.sqlite")
    assert merged[1:] == (N_TASKS, N_TASKS, (), 1)
    one = tmp_path / "one.sqlite"
    with Ledger.create(one, RECORD, N_TASKS) as ledger:
        for number in ledger.missing_tasks():
            ledger.keep(result_of(number, n_failed=number == 3))
    assert all_of(merged.path, writing=True) == all_of(one)
    again = merge(shards, tmp_path / "again.sqlite")
    assert again.path.read_bytes() == merged.path.read_bytes()


def test_missing_tasks_are_said_and_can_be_computed(tmp_path: Path) -> None:
    shards = shards_of(tmp_path)
    merged = merge(shards[1:], tmp_path / "ledger.sqlite")
    assert merged.kept == 5
    assert merged.missing == (0, 3, 6)
    with Ledger.open(merged.path, writing=True) as ledger:
        assert ledger.shard is None
        for number in ledger.missing_tasks():
            ledger.keep(result_of(number))


def test_the_task_where_fewest_runs_failed_is_taken(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first.sqlite", []), make(tmp_path / "second.sqlite", [0])
    with Ledger.open(first, writing=True) as ledger:
        ledger.keep(result_of(0, n_failed=2))
    for paths in ([first, second], [second, first]):
        merged = merge(paths, tmp_path / f"{paths[0].stem}-first.sqlite")
        assert merged.failed == 0
        assert merged.kept == 1


def test_a_task_with_two_results_is_refused(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first.sqlite", [0]), make(tmp_path / "second.sqlite", [1])
    with Ledger.open(second, writing=True) as ledger:
        ledger.keep(replace(result_of(1), number=0))
    with pytest.raises(ResultsError, match="task 0 has other results here than in"):
        merge([first, second], tmp_path / "ledger.sqlite")
    assert not (tmp_path / "ledger.sqlite").exists()


def test_seconds_do_not_make_another_result(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first.sqlite", [0]), make(tmp_path / "second.sqlite", [])
    with Ledger.open(second, writing=True) as ledger:
        ledger.keep(replace(result_of(0), seconds=99.0))
    assert merge([first, second], tmp_path / "ledger.sqlite").kept == 1


def test_another_plan_is_refused(tmp_path: Path) -> None:
    first = make(tmp_path / "first.sqlite", [0])
    with Ledger.create(tmp_path / "other.sqlite", {"digest": "cd" * 32}, N_TASKS) as other:
        pass
    with pytest.raises(ResultsError, match=r"it is of another plan \(digest cdcdcdcdcdcd\) than .*first"):
        merge([first, other.path], tmp_path / "ledger.sqlite")


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    first = make(tmp_path / "first.sqlite", [0])
    before = first.read_bytes()
    with pytest.raises(ResultsError, match="a file is there already"):
        merge([first], first)
    assert first.read_bytes() == before
    with pytest.raises(UsageError, match="found no ledger"):
        merge([], tmp_path / "ledger.sqlite")


def test_a_damaged_shard_is_refused(tmp_path: Path) -> None:
    first = make(tmp_path / "first.sqlite")
    content = bytearray(first.read_bytes())
    with Ledger.open(first) as ledger:
        packed = ledger.whole(5).packed[0]
    content[content.index(packed[:200]) + 100] ^= 1
    first.write_bytes(content)
    with pytest.raises(DamagedLedger, match="task 5: its table runs does not have its digest"):
        merge([first], tmp_path / "ledger.sqlite")
    assert [file.name for file in tmp_path.glob("ledger*")] == ["ledger.sqlite.lock"]
