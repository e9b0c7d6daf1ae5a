"""The harness of the bench: what it runs, how programs answer, what it writes, and that it fails loudly."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

run = pytest.importorskip("benchmarks.run")

from benchmarks import alone, bounds, large, limits, machine, report, scale, whole_week, works  # noqa: E402

TOP = Path(__file__).resolve().parents[3]
ABOUT = {
    "date": "2026-01-01 00:00 UTC",
    "command": "python -m benchmarks.run",
    "took_s": 1.0,
    "others": 0.0,
    "machine": machine.describe(),
    "missing": {"NDlib": "could not be installed: no wheel"},
}


def a_record(**speed: list[float]) -> dict[str, Any]:
    """A record of a work: the speed of each program, round by round."""
    programs = {
        name: {
            "version": "1.0",
            "calls": 1,
            "units_a_call": 10.0,
            "speed": values,
            "ms_a_call": [1e4 / value for value in values],
            "first_s": 0.1,
            "peak": 2**20,
            "since_inputs": 2**19,
        }
        for name, values in speed.items()
    }
    return ABOUT | {
        "what": "a work",
        "unit": "runs",
        "residents": 10,
        "clock": "processor",
        "rounds": 2,
        "programs": programs,
        "failed": {},
        "findings": [],
    }


# What is asked for


def test_works_are_chosen_by_the_beginnings_of_their_names() -> None:
    assert run.chosen_works("W3,memory", large=False) == ["W3-10k", "W3-100k", "memory"]
    assert "W1-dense-64" not in run.chosen_works("W1-dense", large=False)
    with pytest.raises(ValueError, match="no work is called 'W9'"):
        run.chosen_works("W9", large=False)


def test_ten_million_residents_are_run_only_if_asked_for() -> None:
    assert "W6-1e7" not in run.chosen_works(None, large=False)
    assert run.chosen_works("W6", large=False) == ["W6-1e6"]
    assert "W6-1e7" in run.chosen_works(None, large=True)
    assert run.chosen_works("W6-1e7", large=False) == ["W6-1e7"]


def test_time_left_is_told_by_what_was_measured_before() -> None:
    expected = run.expected_seconds(["W4", "memory"], {"W4": {"took_s": 7.0}}, quick=False)
    assert expected["W4"] == 7.0
    assert expected["memory"] > 0


def test_every_target_names_a_work_and_a_program_that_is_there() -> None:
    names = {run.constant(path, "NAME") for path in run.PROGRAMS.glob("*.py")}
    for work, peer, _ in report.RATIOS:
        assert work in run.COMPARED
        assert peer in names
    assert set(report.LINES) <= set(alone.SECTIONS)
    assert report.OURS == works.OURS


# How results are told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1,230,000"),
        (12.345, "12.3"),
        (0.00012345, "0.000123"),
        (4.0, "4"),
        (99.96, "100"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert report.number(value) == text


def test_ratios_are_taken_within_rounds() -> None:
    record = a_record(mobsim=[10.0, 20.0, 30.0], Mesa=[1.0, 4.0, 3.0])
    assert report.ratios(record, "Mesa") == [10.0, 5.0, 10.0]
    assert report.ratios(record, "Starsim") == []
    assert report.spread([10.0, 5.0, 10.0]) == "10 (5 to 10)"


def test_the_page_says_what_was_reached_and_what_was_not() -> None:
    record = a_record(mobsim=[100.0, 120.0], cynetdiff=[10.0, 10.0])
    slower = a_record(mobsim=[100.0, 120.0], Mesa=[10.0, 10.0])
    page = report.render({"W1-fixpoint": record, "W2": slower})
    assert "| W1-fixpoint, against cynetdiff | 11 (10 to 12) x | 5 x | reached |" in page
    assert "| W2, against Mesa | 11 (10 to 12) x | 35 x | **NOT reached** |" in page
    assert "W2, against cynetdiff" not in page
    assert "| NDlib | missing: could not be installed: no wheel |" in page
    assert ABOUT["command"] in page


def a_limit(draws_ms: list[float], reads_ms: list[float]) -> dict[str, Any]:
    """What was counted and measured of the limit of a work."""
    return {
        "draws": 7,
        "ties": 9,
        "draws_ms": draws_ms,
        "reads_ms": reads_ms,
        "drawn": "listed",
        "read": "a word",
    }


def test_the_limit_is_the_longer_of_draws_and_reads() -> None:
    assert bounds.shares(a_limit([1.0, 1.0], [2.0, 0.5]), [4.0, 4.0]) == [0.5, 0.25]
    assert bounds.at_most([10.0, 20.0], [0.5, 0.5]) == 30


@pytest.mark.parametrize(
    ("draws_ms", "sentence"),
    [
        (25.0, "**NOT reached**; the limit allows at most 40 x"),
        (50.0, "**NOT reached**; the limit forbids it: at most 20 x"),
    ],
)
def test_the_page_says_whether_the_limit_allows_what_was_asked(draws_ms: float, sentence: str) -> None:
    record = a_record(mobsim=[100.0, 100.0], Mesa=[10.0, 10.0])
    record["limit"] = a_limit([draws_ms] * 2, [1.0, 1.0])
    page = report.render({"W2": record})
    assert f"| W2, against Mesa | 10 (10 to 10) x | 35 x | {sentence} |" in page
    assert "| W2 | 7 | 9 (a word) |" in page
    assert "How near the limit" not in report.render({"W1-fixpoint": record | {"limit": None}})


def test_limits_are_measured_of_works_that_mobsim_does() -> None:
    from benchmarks.programs import draws_and_reads, ours

    assert set(bounds.LIMITED) <= set(ours.WORKS)
    assert set(draws_and_reads.WORKS) == set(bounds.LIMITED)
    assert {name for name in bounds.LIMITED if bounds.LIMITED[name].threads > 1} <= set(run.BY_WALL)


@pytest.mark.parametrize("work", list(bounds.LIMITED))
def test_draws_and_reads_are_timed_alone(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.programs import draws_and_reads

    monkeypatch.setattr(draws_and_reads, "SECONDS", 1e-3)
    told = draws_and_reads.alone(works.inputs(work, 200))().result()
    assert told["draws_s"] > 0
    assert told["reads_s"] > 0
    assert told["drawn"] in limits.DRAWS


def test_distance_from_a_straight_line() -> None:
    assert report.farthest_from_line([(1, 3), (2, 5), (3, 7)]) == pytest.approx(0)
    assert report.farthest_from_line([(0, 1), (1, 3), (2, 1)]) > 0.3


# The machine


def test_the_machine_is_described_without_names() -> None:
    about = machine.describe()
    assert about["cores"] >= 1
    assert "/" not in json.dumps(about).replace("R/", "")


def test_memory_and_processor_time_are_read() -> None:
    assert 0 < machine.memory()["resident"] <= machine.memory()["peak"] * 1.5
    before = machine.clock()
    after = machine.Clock(before.busy + 3, before.stolen, before.wall + 2)
    assert machine.others_share(before, after, 1) == pytest.approx(1)
    assert machine.others_share(before, before, 0) == 0


def test_memory_of_arrays_is_counted_once() -> None:
    array = np.zeros(100)
    assert large.array_bytes([array, array[10:], {"a": [array.reshape(10, 10)]}]) == 800
    counted = large.count_memory(2000)
    assert counted["bytes_a_tie_end"] >= 4
    assert counted["bytes"] > counted["tie_ends"] * 4


def test_random_reads_are_counted() -> None:
    assert limits.gathers(1024, np.uint8, 1, 0.001) > 1e6


def test_draws_alone_are_those_of_the_kernels() -> None:
    from mobsim.kernels.keyed import philox

    entities, out = np.arange(limits.DRAWN, dtype=np.uint32), np.zeros(limits.DRAWN, np.uint32)
    limits.draw_listed(entities, 5, out)
    assert out[[0, 40, 511]].tolist() == [philox(i, 3, 4, 0, 1, 2)[0] for i in (0, 40, 511)]
    limits.draw_in_order(entities, 5, out)
    assert out[[0, 40, 511]].tolist() == [philox(i, 3, 4, 0, 1, 2)[1] for i in (0, 40, 511)]
    assert limits.draws(1, 0.001) > 1e6


def test_lines_are_summed_up() -> None:
    table = np.arange(4 * 16, dtype=np.uint32)
    where = np.array([3, 0, 1, 1], np.uint32)
    expected = sum(int(table[16 * k : 16 * k + 16].sum()) for k in where)
    assert limits.gather_lines(table, where, 2) == 2 * expected


def test_a_process_of_the_scaling_measurement_simulates_for_every_line() -> None:
    rows = scale.by_weeks(quick=True)
    assert [row["weeks"] for row in rows] == list(scale.WEEKS[:2])
    assert all(row["ms"] > 0 for row in rows)


# Programs in processes of their own


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "programs.log"


def test_a_program_that_cannot_be_imported_is_named_with_the_reason(tmp_path: Path, log: Path) -> None:
    (tmp_path / "nowhere_at_all.py").write_text('NAME = "Nowhere"\nPACKAGE = "nowhere"\n', "utf-8")
    program = run.find_programs(tmp_path, log)["Nowhere"]
    assert "No module named" in program.missing
    assert not program.files


def test_a_worker_says_what_failed_and_stays(log: Path) -> None:
    peer = run.Peer("whole_week_numpy", log)
    try:
        assert "W5-L1" in peer.about["works"]
        with pytest.raises(run.Failed, match="KeyError"):
            peer.ask(do="prepare", work="W0", path="nowhere", tiny="nowhere")
        assert peer.ask(do="memory")["peak"] > 0
    finally:
        peer.end()


def test_a_worker_that_has_ended_fails(log: Path) -> None:
    peer = run.Peer("whole_week_numpy", log)
    peer.end()
    with pytest.raises((run.Failed, ValueError)):
        peer.ask(do="memory")


@pytest.mark.slow
def test_a_quick_run_writes_what_it_measured_and_keeps_the_rest(tmp_path: Path) -> None:
    quick = ["--quick", "--programs", "mobsim,NumPy + SciPy", "--out", str(tmp_path)]
    assert run.main([*quick, "--works", "W5-L1"]) == 0
    assert run.main([*quick, "--works", "memory"]) == 0
    stored = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert list(stored) == ["W5-L1", "memory"]
    assert {finding["agrees"] for finding in stored["W5-L1"]["findings"]} == {True}
    assert len(stored["W5-L1"]["programs"]["mobsim"]["speed"]) == 2
    page = (tmp_path / "results.md").read_text("utf-8")
    assert "W5-L1, against NumPy + SciPy" in page
    assert "memory of one run" in page
    (tmp_path / "results.md").unlink()
    assert run.main(["--render", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "results.md").read_text("utf-8") == page


@pytest.mark.slow
def test_programs_that_disagree_fail_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = works.Finding("NumPy + SciPy", "mobsim", "mean aware in week 26", False, "2 against 1")
    monkeypatch.setattr(whole_week, "check", lambda work, results: [wrong])
    arguments = ["--quick", "--works", "W5-L1", "--programs", "mobsim,NumPy + SciPy", "--out", str(tmp_path)]
    assert run.main(arguments) == 1
    assert not (tmp_path / "results.md").exists()
    assert "W5-L1: NumPy + SciPy and mobsim: mean aware in week 26: 2 against 1" in capsys.readouterr().err


# Setting up


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_of_rooms", TOP / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_measured_beside_mobsim_is_locked(setup: ModuleType) -> None:
    for line in ("py311", "py312"):
        pinned = {pin.split("==")[0] for pin in setup.pins_of(f"requirements/bench-{line}.txt")}
        assert set(setup.peers()) <= pinned


def test_a_program_that_cannot_be_installed_is_left_out(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_ndlib(command: list[str], **_: object) -> SimpleNamespace:
        failed = "--require-hashes" in command or any("ndlib" in part for part in command)
        return SimpleNamespace(returncode=int(failed), stderr="ERROR: no wheel for ndlib\n")

    monkeypatch.setattr(setup.subprocess, "run", fails_for_ndlib)
    assert setup.install_peers(str(tmp_path), "requirements/bench-py311.txt") == {
        "ndlib": "no wheel for ndlib"
    }
