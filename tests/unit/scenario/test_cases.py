"""Every scenario case: invalid ones give exactly their sentence, valid ones exactly their resolved form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mobsim.cli.main import main
from mobsim.scenario.document import read_document
from mobsim.scenario.dump import digest, dump, plain
from mobsim.scenario.file import load_scenario
from mobsim.scenario.resolve import resolve_document

pytestmark = pytest.mark.quick

CASES = Path(__file__).resolve().parents[2] / "cases"
INVALID = sorted((CASES / "invalid").glob("*.yaml"))
VALID = sorted((CASES / "valid").glob("*.yaml"))


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_one_fault_gives_its_one_sentence(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    assert main(["check", path.name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == path.with_suffix(".txt").read_text("utf-8")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["billion_laughs", "binary", "misspelled_residents", "csv_duplicate_tie"])
def test_a_process_says_it_without_a_traceback(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mobsim", "check", f"{name}.yaml"],
        cwd=CASES / "invalid",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == (CASES / "invalid" / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_has_its_resolved_form(path: Path) -> None:
    expected = json.loads(path.with_suffix(".resolved.json").read_text("utf-8"))
    assert plain(load_scenario(path)) == expected, "meant? then run tests/baseline/rewrite_resolved.py"


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_the_resolved_form_loads_back_to_itself(path: Path, tmp_path: Path) -> None:
    scenario = load_scenario(path)
    copy = tmp_path / "resolved.yaml"
    copy.write_text(dump(scenario), encoding="utf-8")
    document = read_document(copy)
    document.folder = path.parent  # imported files are looked for beside the scenario
    again = resolve_document(document, "another name", tagged=True)
    assert plain(again) == plain(scenario)
    assert dump(again) == dump(scenario)
    assert digest(again) == digest(scenario)


def test_there_are_enough_cases() -> None:
    assert len(INVALID) >= 180
    assert len(VALID) >= 40
