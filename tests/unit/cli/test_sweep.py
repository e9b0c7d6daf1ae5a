"""`mobsim sweep` as a researcher types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.swept import SCENARIO
from tests.unit.experiment.troubles import troubled

from mobsim.cli import sweep as command
from mobsim.cli.main import main
from mobsim.cli.progress import told
from mobsim.experiment import tasks as partition
from mobsim.experiment.results import load_results
from mobsim.experiment.table import MARK

__all__ = ["troubled"]

DESIGN = """
schema_version: 1
name: village_sweep
title: Who follows whom
scenario: village.yaml
replicates: {communities: 2, luck: 1}
factors:
  behaviour.social_weight: {values: [0.2, 0.8]}
design: {kind: grid}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "village.yaml").write_text(SCENARIO)
    (tmp_path / "design.yaml").write_text(DESIGN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sweep_ends_with_tables_and_what_to_do_next(folder: Path, capsys: Any) -> None:
    assert main(["sweep", "design.yaml", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Who follows whom: 12 of 12 runs done\nTables: ")
    assert "mobsim verify results/village_sweep/" in out
    assert "running village_sweep ..." in err
    assert "12 of 12 runs" in err
    tables = Path(out.split("Tables: ")[1].splitlines()[0])
    assert (tables / "runs.csv").is_file()
    assert len(load_results(tables.parent).runs()) == 12

    before = {file.name: file.read_bytes() for file in tables.iterdir()}
    assert main(["sweep", "design.yaml", "--json", "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    data = json.loads(out)
    assert (data["runs"], data["of"], data["failed"], data["failures"]) == (12, 12, 0, [])
    assert data["tables"] == str(tables)
    assert {file.name: file.read_bytes() for file in tables.iterdir()} == before


def test_a_damaged_ledger_is_set_aside_and_the_sweep_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(partition, "WORK", 4_000)  # resident-weeks: so few that there are several tasks
    assert main(["sweep", "design.yaml", "--workers", "1", "--repair", "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    tables = Path(out.split("Tables: ")[1].splitlines()[0])
    before = {file.name: file.read_bytes() for file in tables.iterdir()}
    ledger = tables.parent / "ledger.sqlite"
    content = bytearray(ledger.read_bytes())
    content[content.rfind(MARK) + 60] ^= 0xFF  # inside the last table that was written
    ledger.write_bytes(content)

    assert main(["sweep", "design.yaml", "--workers", "1", "-q"]) == 1
    assert "--repair` goes on with them" in capsys.readouterr().err
    assert main(["sweep", "design.yaml", "--workers", "1", "-q", "--repair"]) == 0
    old = ledger.with_name("damaged-1-ledger.sqlite")
    err = capsys.readouterr().err
    assert f"3 of 4 tasks of the damaged ledger were whole and were kept; it is now {old}" in err
    assert old.read_bytes() == content
    assert {file.name: file.read_bytes() for file in tables.iterdir()} == before


def test_a_shard_tells_how_it_becomes_whole(folder: Path, capsys: Any) -> None:
    assert main(["sweep", "design.yaml", "--workers", "1", "--shard", "1/1", "-q"]) == 0
    out = capsys.readouterr().out
    assert "Who follows whom, shard 1 of 1: 12 of 12 runs done" in out
    assert "ledger-1-of-1.sqlite" in out
    words = next(line for line in out.splitlines() if "mobsim merge" in line).split()
    assert main([*words[1:], "-q"]) == 0
    assert "12 runs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--workers", "0"], 2, "workers: found 0"),
        (["--timeout", "0"], 2, "timeout: found 0"),
        (["--shard", "5/2"], 2, "shard: found '5/2'"),
        (["--results", "village.yaml"], 1, "village.yaml"),
    ],
)
def test_mistakes_are_one_sentence(
    folder: Path, capsys: Any, options: list[str], code: int, words: str
) -> None:
    assert main(["sweep", "design.yaml", "-q", *options]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_a_wrong_design_is_code_2(folder: Path, capsys: Any) -> None:
    (folder / "design.yaml").write_text(DESIGN.replace("social_weight", "social_wait"))
    assert main(["sweep", "design.yaml"]) == 2
    err = capsys.readouterr().err
    assert "social_wait" in err
    assert len(err.splitlines()) == 1


def test_failed_runs_are_code_3(troubled: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(troubled)
    (troubled / "design.yaml").write_text(
        "schema_version: 1\nname: trouble\nscenario: trouble.yaml\n"
        "factors: {activities.trouble.appeal: {values: [0.0, 0.1]}}\ndesign: {kind: grid}\n"
    )
    assert main(["sweep", "design.yaml", "--workers", "1"]) == 3
    out, err = capsys.readouterr()
    assert "-trouble (simulation): " in out
    assert "the well is dry" in out
    assert "mobsim sweep design.yaml --retry-failed" in out
    assert " failed" in err
    again = next(line for line in out.splitlines() if "mobsim rerun" in line).split()
    assert main(again[1:-1]) == 1
    assert "the well is dry" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run", interrupt)
    assert main(["sweep", "design.yaml"]) == 130
    assert "the same command goes on where this one stopped" in capsys.readouterr().err


def test_the_help_has_examples(capsys: Any) -> None:
    assert main(["sweep", "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("mobsim sweep design.yaml --dry-run") for line in lines)
    assert any(line.startswith("mobsim sweep design.yaml --shard 2/5") for line in lines)


@pytest.mark.quick
def test_progress_tells_failures_and_leaves_out_what_was_done_before() -> None:
    assert told(500, 1000, 10.0, before=400) == "500 of 1,000 runs, 10 a second, about 50 s left"
    assert told(400, 1000, 10.0, before=400) == "400 of 1,000 runs"
    assert told(5, 5, 1.0, failed=2) == "5 of 5 runs, 5 a second, 2 failed"
