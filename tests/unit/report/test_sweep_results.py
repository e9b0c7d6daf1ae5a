"""The tables of a sweep: the same bytes for the same results, complete or not at all, in little memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.experiment.swept import keep, results_of, village_plan

from mobsim.errors import ResultsError, UsageError
from mobsim.experiment.design import load_design
from mobsim.experiment.failure import Failure
from mobsim.experiment.merge import merge
from mobsim.experiment.plan import SweepPlan, plan_sweep
from mobsim.experiment.results import load_results
from mobsim.experiment.work import TaskResult
from mobsim.report import sweep_results
from mobsim.report.sweep_results import files_of, folder_of, write_sweep_results
from mobsim.report.tables import csv_of
from mobsim.scenario.dump import dump

Swept = tuple[SweepPlan, list[TaskResult]]

CSV = ["data_dictionary.csv", "failures.csv", "points.csv", "runs.csv", "weeks.csv"]
FILES = sorted([*CSV, "design.yaml", "manifest.json", "scenario.yaml"])


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    plan = village_plan(tmp_path_factory.mktemp("village"))
    return plan, results_of(plan)


@pytest.fixture
def ledger(swept: Swept, tmp_path: Path) -> Path:
    return keep(swept[0], tmp_path / "ledger.sqlite", swept[1])


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_the_folder_holds_tables_and_what_they_come_from(ledger: Path, swept: Swept) -> None:
    results = load_results(ledger)
    told: list[tuple[int, int]] = []
    folder = write_sweep_results(results, progress=lambda done, of: told.append((done, of)))
    assert folder == ledger.parent / "tables"
    files = bytes_of(folder)
    assert sorted(files) == FILES
    assert files["runs.csv"] == csv_of(results.runs())
    assert files["weeks.csv"] == csv_of(results.weeks())
    assert files["points.csv"] == csv_of(results.points)
    assert files["scenario.yaml"].decode() == dump(swept[0].base)
    assert told[-1] == (results.n_runs + results.n_weeks,) * 2
    manifest = json.loads(files["manifest.json"])
    assert manifest["digest"] == swept[0].digest
    assert manifest["complete"] is True
    assert manifest["there"] == {"tasks": len(swept[1]), "of": len(swept[1]), "runs": 72, "failed": 0}
    assert str(ledger.parent) not in files["manifest.json"].decode().replace(swept[0].design.scenario, "")


def test_the_resolved_design_loads_and_plans_the_same(ledger: Path, swept: Swept) -> None:
    folder = write_sweep_results(load_results(ledger))
    again = plan_sweep(load_design(folder / "design.yaml"))
    assert again.points == swept[0].points
    assert again.base == swept[0].base


def test_every_column_is_in_the_dictionary_with_a_unit(ledger: Path) -> None:
    folder = write_sweep_results(load_results(ledger))
    words = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False)
    for name in ("runs", "weeks", "points", "failures"):
        columns = pd.read_csv(folder / f"{name}.csv").columns.tolist()
        declared = words[words["table"] == f"{name}.csv"]
        assert declared["column"].tolist() == columns
        assert (declared[["unit", "meaning", "source"]] != "").all(axis=None)
    residents = words[(words["table"] == "points.csv") & (words["column"] == "residents")].iloc[0]
    assert "community.residents" in residents["meaning"]


def test_bytes_depend_on_neither_the_order_nor_the_shards(ledger: Path, swept: Swept, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    plan, tasks = swept
    expected = bytes_of(write_sweep_results(load_results(ledger), parquet=True))
    turned = keep(plan, tmp_path / "turned" / "ledger.sqlite", reversed(tasks))
    assert bytes_of(write_sweep_results(load_results(turned), parquet=True)) == expected
    shards = [
        keep(plan, tmp_path / f"ledger-{i}-of-3.sqlite", tasks[i - 1 :: 3], shard=(i, 3)) for i in (3, 1, 2)
    ]
    merged = merge(shards, tmp_path / "merged" / "ledger.sqlite").path
    assert bytes_of(write_sweep_results(load_results(merged), parquet=True)) == expected


def test_pieces_give_the_same_bytes(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = load_results(ledger)
    expected = bytes_of(write_sweep_results(results))
    for table in ("runs", "weeks"):
        usual = getattr(results, f"iter_{table}")
        monkeypatch.setattr(results, f"iter_{table}", lambda usual=usual: usual(7))
    assert bytes_of(write_sweep_results(results)) == expected


def test_parquet_holds_the_same_values(ledger: Path) -> None:
    pytest.importorskip("pyarrow")
    results = load_results(ledger)
    folder = write_sweep_results(results, parquet=True)
    assert sorted(bytes_of(folder)) == sorted(
        [*FILES, "failures.parquet", "points.parquet", "runs.parquet", "weeks.parquet"]
    )
    for name, table in (("runs", results.runs()), ("weeks", results.weeks()), ("points", results.points)):
        stored = pd.read_parquet(folder / f"{name}.parquet")
        assert csv_of(stored) == (folder / f"{name}.csv").read_bytes()
        for column in table.columns:
            if table[column].dtype.kind in "if":
                assert stored[column].dtype == table[column].dtype
                np.testing.assert_array_equal(stored[column], table[column])


def test_parquet_without_its_extra_is_one_line(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'needs: pip install "mobsim\[parquet\]"'):
        files_of(load_results(ledger), parquet=True)


def test_an_unfinished_sweep_says_so(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    results = load_results(keep(plan, tmp_path / "ledger.sqlite", tasks[:2]))
    manifest = json.loads((write_sweep_results(results) / "manifest.json").read_text())
    assert manifest["complete"] is False
    assert (manifest["there"]["tasks"], manifest["there"]["of"]) == (2, len(tasks))


def test_a_sweep_that_has_only_begun_has_headers(swept: Swept, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    folder = write_sweep_results(load_results(keep(swept[0], tmp_path / "ledger.sqlite", [])), parquet=True)
    assert (folder / "runs.csv").read_text() == "point,arm,community,luck\n"
    assert pd.read_parquet(folder / "weeks.parquet").columns.tolist()[-1] == "week"


def test_failures_are_a_table_that_reads_back(swept: Swept, tmp_path: Path) -> None:
    plan, tasks = swept
    text = 'Traceback:\n  File "x.py", line 1\nValueError: a, b'
    failure = Failure(str(next(plan.tasks[0].runs(plan.arms))), "simulation", "ValueError: a, b", text)
    failed = TaskResult(number=0, tables={}, failures=(failure,), n_runs=tasks[0].n_runs)
    folder = write_sweep_results(load_results(keep(plan, tmp_path / "ledger.sqlite", [failed, *tasks[1:]])))
    table = pd.read_csv(folder / "failures.csv", keep_default_na=False)
    assert table.iloc[0][["arm", "stage", "error", "traceback"]].tolist() == [
        "none", "simulation", "ValueError: a, b", text
    ]  # fmt: skip


def test_no_weeks_are_written_where_none_are_recorded(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, record={"weeks": "none"}, replicates={"communities": 1, "luck": 1})
    folder = write_sweep_results(load_results(keep(plan, tmp_path / "ledger.sqlite", results_of(plan))))
    assert sorted(bytes_of(folder)) == [name for name in FILES if name != "weeks.csv"]
    assert "weeks.csv" not in (folder / "data_dictionary.csv").read_text()


def test_the_tables_of_shards_have_folders_of_their_own(swept: Swept, tmp_path: Path) -> None:
    shard = load_results(keep(swept[0], tmp_path / "ledger-2-of-3.sqlite", [], shard=(2, 3)))
    assert folder_of(shard).name == "tables-2-of-3"
    other = write_sweep_results(shard, tmp_path / "elsewhere" / "mine")
    assert (other / "runs.csv").is_file()


@pytest.mark.parametrize("after", [0, 1, 20, 300])
def test_an_interrupt_leaves_the_earlier_tables(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    results = load_results(ledger)
    before = bytes_of(write_sweep_results(results))
    usual = results.iter_weeks

    def interrupted() -> Any:
        for number, piece in enumerate(usual(1)):
            if number == after:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(results, "iter_weeks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_sweep_results(results)
    assert bytes_of(ledger.parent / "tables") == before
    assert [path.name for path in ledger.parent.glob(".new-*")] == []


LIMITED = """
import resource, sys
from pathlib import Path
from mobsim.experiment.results import load_results
from mobsim.report.sweep_results import write_sweep_results
results = load_results(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
write_sweep_results(results)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits on files are of POSIX")
def test_a_full_disk_in_the_middle_leaves_the_earlier_tables(ledger: Path) -> None:
    results = load_results(ledger)
    folder = folder_of(results)
    folder.mkdir()
    (folder / "runs.csv").write_text("the earlier tables\n")
    size = max(
        len(content) for content in bytes_of(write_sweep_results(results, folder.parent / "size")).values()
    )
    for limit in (0, 100, size // 2, size - 1):
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(ledger), str(limit)], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert "results could not be written" in done.stderr
        assert bytes_of(folder) == {"runs.csv": b"the earlier tables\n"}
    subprocess.run([sys.executable, "-c", LIMITED, str(ledger), str(size)], check=True)
    assert sorted(bytes_of(folder)) == FILES


def test_a_full_disk_is_one_sentence(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mobsim.report.folder.os.write", full)
    with pytest.raises(ResultsError, match=r"could not be written \(no space left on device\); earlier"):
        write_sweep_results(load_results(ledger))


MEASURED = """
import resource, sys
from pathlib import Path
from mobsim.experiment.results import load_results
from mobsim.report.sweep_results import write_sweep_results
results = load_results(Path(sys.argv[1]))
write_sweep_results(results, parquet=True)
means = results.means()
status = Path("/proc/self/status")  # elsewhere the peak may be that of the process that started this one
lines = status.read_text().splitlines() if status.exists() else []
peaks = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(len(means), int(peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with POSIX")
def test_a_large_sweep_takes_little_memory(tmp_path: Path) -> None:
    """Made-up numbers in as many rows as 20,000 runs have; memory hardly grows with their number."""
    pytest.importorskip("pyarrow")
    from tests.unit.report.large_sweep import make_large_ledger

    path = make_large_ledger(tmp_path, points=200)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 200 * 5
    assert megabytes < 700, f"{megabytes} MiB"


def test_sinks_count_what_is_written() -> None:
    sink = sweep_results._Drain()
    writer = io.BufferedWriter(sink, 2)
    writer.write(b"abcdef")
    writer.flush()
    assert (sink.tell(), sink.taken(), sink.taken()) == (6, b"abcdef", b"")
