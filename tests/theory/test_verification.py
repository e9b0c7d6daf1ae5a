"""The parts of the verification: cases that can be run, a report of what was missed, S11 at a small size."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.theory import published
from verification import report, run
from verification.case import Line, Outcome, near
from verification.cases import s11


@pytest.mark.parametrize("name", run.all_cases())
def test_every_case_can_be_run_and_says_what_it_is(name: str, validation_cases: Path) -> None:
    module = importlib.import_module(f"verification.cases.{name}")
    assert callable(module.run)
    if run.is_published(name):
        case = published.read_case(validation_cases, name.upper())
        assert case["title"]
        assert case["tolerance"]
        assert case["status"]
    else:
        assert module.WHAT


def test_every_published_case_is_run(validation_cases: Path) -> None:
    there = {path.name.split("_")[0].lower() for path in validation_cases.glob("S*.json")}
    assert there <= set(run.all_cases())


def test_numbers_are_near_or_not() -> None:
    assert near("a", 1.0, 1.05, 0.1).met
    assert not near("a", 1.0, 1.2, 0.1).met
    assert near("a", 3, 3, 0).tolerance == "exact"
    assert not near("a", 3, 4, 0).met
    assert near("a", 1.0, 1.0, 0.1, error=0.012).error == "0.012"


def test_the_report_says_what_was_missed_and_escapes(tmp_path: Path) -> None:
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 1])
    lines = [
        Line("met <b>", "1", "1"),
        Line("missed", "1", "2", met=False),
        Line("shown", "", "3", met=None),
    ]
    outcome = Outcome("a | set-up", lines, {"line": figure}, notes=["a note"], scenarios=["limits/si"])
    found: dict[str, Any] = {"name": "s99", "title": "T & U", "source": "S", "status": "recalled; computed"}
    found |= run.as_data(outcome) | {"seconds": 1.0, "processor": 0.8, "date": "2026-11-23"}
    failed = {
        "name": "s98",
        "title": "t",
        "failed": "ValueError: no",
        "seconds": 0.1,
        "processor": 0.1,
        "date": "2026-11-23",
    }
    results = json.loads(json.dumps([found, failed]))
    report.write(results, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "met &lt;b&gt;" in page
    assert "T &amp; U" in page
    assert "3 comparisons, 1 missed" in page
    assert "failed: ValueError: no" in page
    assert page.count("<svg") == 1
    assert "recalled, computed" in page
    assert (
        "2 cases, 2 comparisons judged, 1 missed; 1 shown without a declared tolerance; 1 case could not"
        in page
    )
    assert "http-equiv" not in page
    assert "<script" not in page
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "| missed | 1 | 2 |  | exact | **NO** |" in text
    assert "| shown |  | 3 |  | exact | not judged |" in text
    assert (tmp_path / "figures" / "s99_line.svg").is_file()
    assert [report.missed(one) for one in results] == [1, 1]


def test_a_case_that_cannot_be_run_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    found = run.run_case("s01", None)
    assert found["failed"] == "FileNotFoundError: the published cases are not here"
    assert "Traceback" in capfd.readouterr().err


def test_a_failure_says_nothing_of_where_files_lie(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    found = run.run_case("s01", str(tmp_path))
    assert str(tmp_path) not in found["failed"]


def test_a_process_that_dies_takes_only_its_own_case_along() -> None:
    (found,) = run.in_processes(["7"], _die, workers=1)
    assert "its process ended before it did" in found["failed"]


def _die(name: str) -> dict[str, Any]:
    os._exit(int(name))


def test_without_data_there_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("MOBSIM_VALIDATION_DATA", raising=False)
    assert run.main(["S01"]) == 2
    assert run.main([str(tmp_path), "S01"]) == 2, "a folder without cases"
    assert "tools/fetch_validation.py FOLDER" in capsys.readouterr().err


def test_an_unknown_case_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["S77"]) == 2
    assert "no case and no folder s77; cases are s01, " in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["Moore r=1 (deg 8)", "Moore r=2 (deg 24)", "von Neumann r=1 (deg 4)", "ring k=4", "ring k=6"]
)
def test_s11_lattices(validation_cases: Path, name: str) -> None:
    case = published.read_case(validation_cases, "S11")
    assert s11.most_that_spreads(name) == case["reference"]["lattice"][name]["max_count_that_spreads"]


def test_s11_exchanged_ties_keep_contacts_and_differ() -> None:
    ties = s11.ring_ties(4)
    changed = s11.exchange(ties, 0.5, 0)
    assert np.array_equal(np.bincount(ties.ravel()), np.bincount(changed.ravel()))
    assert len({tuple(tie) for tie in changed.tolist()}) == len(ties)
    kept = {tuple(sorted(tie)) for tie in ties.tolist()} & {tuple(tie) for tie in changed.tolist()}
    assert 0.5 * len(ties) < len(kept) < 0.7 * len(ties), "p·m/2 exchanges touch at most p·m ties"


def test_s11_rewiring_blocks_what_needs_two_contacts(validation_cases: Path) -> None:
    case = published.read_case(validation_cases, "S11")
    within = published.stated(case, "rewiring fractions within 0.15 (100 graphs)", 0.15)
    cells = [(4, 1, 0.1), (4, 2, 0.0), (4, 2, 0.01), (8, 2, 0.1), (8, 2, 1.0), (8, 3, 0.2)]
    found = s11.rewired(cells, graphs=20)
    for name, entry in case["reference"]["rewiring"].items():
        if s11.cell_of(name) in cells:
            off = found[s11.cell_of(name)].often - entry["frac_global(>90%)"]
            assert abs(off) <= within, (name, "with 20 graphs instead of 100")


def test_s11_an_order_that_does_not_hold_is_missed(validation_cases: Path) -> None:
    assert s11.ORDERINGS in published.read_case(validation_cases, "S11")["tolerance"]
    cells = [*((k, 1, p) for k in (4, 8) for p in (0.0, 0.5, 1.0)), (4, 2, 0.01), (8, 3, 0.2)]
    cells += [(8, 2, p) for p in (0.0, 0.1, 0.2, 0.3, 1.0)]
    found = {cell: _all_joined_in(weeks=10 if cell[2] else 20) for cell in cells}
    assert [line.met for line in s11.orders(found)] == [True, True, False, True, False, False]
    found[8, 1, 1.0] = _all_joined_in(weeks=11)
    missed, shown = [line for line in s11.orders(found) if line.setting.startswith("k=8, a=1")]
    assert (missed.met, shown.met) == (False, None)
    assert missed.found == "no; 10.00 at p=0.5, 11.00 at p=1"


def _all_joined_in(weeks: int) -> s11.Shares:
    joined = np.full((3, 40), s11.RING)
    joined[:, : weeks - 1] = 5
    return s11.Shares(joined)
