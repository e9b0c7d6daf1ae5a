"""`mobsim compare` and `mobsim run` as a planner types them."""

from __future__ import annotations

import gc
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mobsim.cli import progress
from mobsim.cli.compare import as_json, as_text
from mobsim.cli.main import MANY_OBJECTS, main
from mobsim.engine import first_use
from mobsim.kernels import kept
from mobsim.report import drawing
from mobsim.scenario import file as scenario_file

SCENARIO = """
schema_version: 2
title: A small village
description: Two strategies under one budget.
community: {residents: 300}      # [A]
campaign: {burn_in_weeks: 10, funding_starts_week: 2, funding_ends_week: 12, horizon_weeks: 20}  # [A]
arms:
  outreach: {activities: [{kind: visit, share: 1.0}]}  # [A]
  training: {activities: [{kind: skills, share: 1.0}]} # [A]
goals: [{name: tenth, at_least: 0.1, by_week: 11}]  # [A]
replicates: {communities: 3, luck: 2} # [A]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "village.yaml"
    path.write_text(SCENARIO)
    return path


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {
        f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()
    }


def test_the_comparison_is_printed_and_kept(file: Path, tmp_path: Path, capsys: Any) -> None:
    code = main(["compare", str(file), "--results", str(tmp_path / "results")])
    out, err = capsys.readouterr()
    assert code == 0, err
    told = [
        "at funding end",
        "marginalized",
        "gap, points",
        "unpaid",
        "per additional",
        "Verdict",
        "tenth: met",
    ]
    told += ["Comparative, uncalibrated", "3 communities, 2 streams of luck", "no campaign"]
    for words in told:
        assert words in out
    page = Path(out.rsplit("Page: ", 1)[1].strip())
    assert page.is_file()
    assert "compiled model" in err or "compiling the model" in err
    assert "18 of 18 runs" in err
    assert "writing" in err

    before = folder_bytes(page.parent)
    assert main(["compare", str(file), "--results", str(tmp_path / "results"), "--threads", "1", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert folder_bytes(page.parent) == before
    assert {p.name for p in page.parent.parent.iterdir()} == {".lock", "log.txt", page.parent.name}

    again = ["compare", str(page.parent / "scenario.yaml"), "--results", str(tmp_path / "again"), "-q"]
    assert main(again) == 0
    second = Path(capsys.readouterr().out.rsplit("Page: ", 1)[1].strip())
    assert folder_bytes(second.parent) == before


def test_the_command_loads_no_more_than_it_needs(file: Path, tmp_path: Path) -> None:
    """A first result waits for every package that is loaded; what draws is loaded by the helper meanwhile."""
    code = (
        "import sys\n"
        "from mobsim.cli.main import main\n"
        f"assert main(['compare', {str(file)!r}, '--results', {str(tmp_path)!r}, '-q']) == 0\n"
        "print('loaded:', *sys.modules)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    loaded = set(out.rsplit("loaded:", 1)[1].split())
    assert loaded.isdisjoint({"mesa", "networkx", "rich", "scipy.stats", "scipy.optimize"})
    if drawing._processors() > 1:
        assert "matplotlib" not in loaded


@pytest.mark.quick
def test_only_a_whole_process_is_tuned(monkeypatch: Any, capsys: Any) -> None:
    before = gc.get_threshold()
    monkeypatch.setattr(gc, "freeze", lambda: pytest.fail("a caller's objects are frozen"))
    assert main(["--version"]) == 0
    assert gc.get_threshold() == before
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(sys, "argv", ["mobsim", "--version"])
    try:
        assert main() == 0
        assert gc.get_threshold()[0] == MANY_OBJECTS
    finally:
        gc.set_threshold(*before)
    assert frozen == [True]
    assert capsys.readouterr().out.count("mobsim") == 2


def test_json_is_data_alone(file: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["compare", str(file), "--results", str(tmp_path), "--json", "--communities", "2"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["replicates"] == {"communities": 2, "luck": 2}
    assert {row["arm"] for row in data["comparison"]} == {"none", "outreach", "training"}
    assert Path(data["page"]).is_file()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--communities", "0"], 2, "communities: found 0"),
        (["--until", "7"], 2, "until: found 7"),
        (["--threads", "0"], 2, "threads: found 0"),
        (["--results", "village.yaml"], 1, "could not be written"),
    ],
)
def test_mistakes_are_one_sentence(
    file: Path, monkeypatch: Any, capsys: Any, options: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(file.parent)
    assert main(["compare", "village.yaml", "-q", *options]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.quick
def test_mistakes_are_told_before_anything_is_compiled(file: Path, monkeypatch: Any, capsys: Any) -> None:
    """Where kernels are missing, the file is read once, a bad folder is refused, and no helper is started."""
    monkeypatch.setattr(kept, "is_likely_complete", lambda: False)
    monkeypatch.setattr(first_use, "prepare", lambda *_: pytest.fail("nothing is to be compiled"))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("no helper is to be started"))
    loads: list[str] = []
    load = scenario_file.load_scenario
    monkeypatch.setattr(scenario_file, "load_scenario", lambda name: loads.append(name) or load(name))
    assert main(["compare", str(file), "-q", "--results", str(file)]) == 1
    assert "could not be written" in capsys.readouterr().err
    assert loads == [str(file)]
    assert main(["compare", str(file.parent / "nothing.yaml"), "-q"]) == 2


def test_the_helper_waits_until_kernels_are_compiled(file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    order: list[str] = []
    start = drawing.Helper.start
    monkeypatch.setattr(kept, "is_likely_complete", lambda: False)
    monkeypatch.setattr(first_use, "prepare", lambda *_: order.append("prepare"))
    monkeypatch.setattr(drawing.Helper, "start", lambda helper: order.append("start") or start(helper))
    assert main(["compare", str(file), "-q", "--communities", "2", "--results", str(tmp_path)]) == 0
    assert order[:2] == ["prepare", "start"]


def test_a_missing_file_is_code_2(tmp_path: Path, capsys: Any) -> None:
    assert main(["compare", str(tmp_path / "nothing.yaml")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_one_run_week_by_week(file: Path, capsys: Any) -> None:
    assert main(["run", str(file), "--arm", "outreach", "--community", "2", "--luck", "1"]) == 0
    text = capsys.readouterr().out
    assert "11 funding ends" in text
    assert "marginalized" in text

    assert main(["run", str(file), "--arm", "outreach", "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert lines[0].startswith("arm,community,luck,week")

    assert main(["run", str(file), "--arm", "outreach", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["weeks"]) == 20
    assert data["outcomes"]["arm"] == "outreach"


def test_a_run_is_the_one_of_the_comparison(file: Path, tmp_path: Path, capsys: Any) -> None:
    main(["compare", str(file), "--results", str(tmp_path / "r"), "-q"])
    page = Path(capsys.readouterr().out.rsplit("Page: ", 1)[1].strip())
    weeks = (page.parent / "weeks.csv").read_text().splitlines()
    main(["run", str(file), "--arm", "training", "--community", "1", "--luck", "1", "--csv"])
    alone = capsys.readouterr().out.splitlines()
    assert alone[1:] == [line for line in weeks if line.startswith("training,1,1,")]


def test_a_wrong_arm_is_told(file: Path, capsys: Any) -> None:
    assert main(["run", str(file), "--arm", "outreech"]) == 2
    assert "did you mean 'outreach'?" in capsys.readouterr().err
    assert main(["run", str(file), "--arm", "outreach", "--csv", "--json"]) == 2


@pytest.mark.quick
def test_text_and_json_of_a_study(study: Any, tmp_path: Path) -> None:
    text = as_text(study, tmp_path)
    assert "NOT MET: nobody moves" in text
    assert "WIDENS THE GAP" in text
    assert text.index("Participation") < text.index("Verdict") < text.index("Limits")
    data = json.loads(as_json(study, tmp_path))
    assert data["widens_the_gap"] == ["outreach", "training", "advocacy"]
    assert [check["met"] for check in data["checks"]] == [True, False]


@pytest.mark.quick
def test_progress_in_a_log_is_rare_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    lines = progress.Lines(stream)
    lines.step("simulating")
    for done in range(1, 101):
        lines.runs(done, 100)
    written = stream.getvalue().splitlines()
    assert written[0] == "simulating ..."
    assert written[-1] == "  100 of 100 runs, 1 a second"
    assert 8 <= len(written) <= 12
    assert "left" in written[1]


@pytest.mark.quick
def test_quiet_tells_nothing(capsys: Any) -> None:
    with progress.reporter(quiet=True) as tell:
        tell.step("x")
        tell.runs(1, 2)
    with progress.reporter(quiet=False) as tell:
        tell.step("y")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "y ...\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
@pytest.mark.slow
def test_interrupts_at_twenty_times_leave_old_results_or_whole_new_ones(file: Path, tmp_path: Path) -> None:
    import random

    command = [
        sys.executable,
        "-m",
        "mobsim",
        "compare",
        str(file),
        "--results",
        str(tmp_path / "results"),
        "-q",
    ]
    started = time.monotonic()
    whole = subprocess.run(command, capture_output=True, text=True, check=True)
    lasted = time.monotonic() - started
    folder = Path(whole.stdout.rsplit("Page: ", 1)[1].strip()).parent
    before = folder_bytes(folder)
    chance = random.Random(2)
    codes = set()
    for _ in range(20):
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.2 + chance.random() * lasted)
        run.send_signal(signal.SIGINT)
        codes.add(run.wait())
        assert run.stderr is not None
        run.stderr.close()
        assert folder_bytes(folder) == before
    assert codes <= {0, 130, -signal.SIGINT}
    subprocess.run(command, capture_output=True, check=True)
    assert {p.name for p in folder.parent.iterdir()} == {".lock", "log.txt", folder.name}
