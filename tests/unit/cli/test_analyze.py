"""`mobsim analyze` on a small sweep, and the tutorial on sweeps as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mobsim.cli.main import main
from mobsim.experiment.results import load_results
from mobsim.experiment.sweep import sweep

TUTORIAL = Path(__file__).resolve().parents[3] / "docs" / "tutorials" / "sweeps.md"

SCENARIO = """
schema_version: 2
title: A small village
description: Two strategies under one budget.
community: {residents: 80}       # [A]
campaign: {burn_in_weeks: 4, funding_starts_week: 2, funding_ends_week: 8, horizon_weeks: 10}  # [A]
arms:
  outreach: {activities: [{kind: visit, share: 1.0}]}  # [A]
  training: {activities: [{kind: skills, share: 1.0}]} # [A]
goals: [{name: tenth, at_least: 0.1, by_week: 7}]  # [A]
replicates: {communities: 2, luck: 2} # [A]
"""

DESIGN = {
    "schema_version": 1,
    "name": "small",
    "scenario": "village.yaml",
    "factors": {
        "behaviour.social_weight": {"low": 0.0, "high": 0.6},
        "campaign.budget_per_resident": {"low": 2.0, "high": 30.0, "name": "budget"},
    },
    "design": {"kind": "morris", "trajectories": 4, "seed": 1},
    "record": {"weeks": "none"},
}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "village.yaml").write_text(SCENARIO)
    design = {**DESIGN, "scenario": str(folder / "village.yaml")}
    return sweep(design, results=folder / "results", workers=1).ledger


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> str:
    assert main(["analyze", *map(str, words)]) == code
    told = capsys.readouterr()
    return told.out if code == 0 else told.err


COMMANDS = {
    "surface": (["--arm", "outreach", "--against", "none"], "table", ["estimate", "low", "high", "misfit"]),
    "best": ([], "by_arm", ["chance_best", "can_be_best", "highest_mean"]),
    "tornado": ([], "swings", ["swing", "changes_ranking", "unclear"]),
    "convergence": (["--until", "0.05"], "curve", ["half_width", "expected"]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_analysis_is_printed_and_written(
    command: str, ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options, table, columns = COMMANDS[command]
    out = printed(capsys, command, ledger, *options, "--to", tmp_path)
    folder = Path(out.splitlines()[-1].removeprefix("Files: "))
    assert folder.parent == tmp_path
    assert out.startswith("small: 144 runs (12 points x 3 arms x 2 communities x 2 luck)")
    assert "- " in out
    assert {"figure.svg", "figure.png", "sentences.txt", f"{table}.csv"} <= {f.name for f in folder.iterdir()}
    assert set(columns) <= set(pd.read_csv(folder / f"{table}.csv").columns)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    data = json.loads(printed(capsys, command, ledger, *options, "--to", tmp_path, "--json"))
    assert files == {file.name: file.read_bytes() for file in folder.iterdir()}
    assert data["complete"] is True
    assert data["sentences"] == (folder / "sentences.txt").read_text("utf-8").splitlines()
    assert len(data["tables"][table]) == len(pd.read_csv(folder / f"{table}.csv"))


def test_sensitivity(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("SALib")
    data = json.loads(printed(capsys, "sensitivity", ledger, "--arm", "outreach", "--json"))
    assert data["method"] == "morris"
    assert [row["factor"] for row in data["tables"]["table"]] == ["social_weight", "budget"]
    assert Path(data["folder"]) == ledger.parent / "analysis" / "sensitivity-participation_fe-outreach"


def test_discovery(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ema_workbench")
    out = printed(capsys, "discover", ledger, "--arm", "outreach", "--fails", "goal", "--goal", "tenth")
    assert "meet the goal tenth in fewer than 50 % of runs" in out


def test_an_analysis_says_that_a_sweep_is_not_finished(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(load_results(ledger)), "complete", property(lambda self: False))
    assert main(["analyze", "best", str(ledger)]) == 0
    told = capsys.readouterr()
    assert "tasks are done" in told.err
    assert "the sweep is not finished" in told.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["best", "--outcome", "participation_f"], "did you mean 'participation_fe'"),
        (["best", "--outcome", "cost"], "a ranking needs a share"),
        (["surface", "--arm", "outreech"], "did you mean 'outreach'"),
        (["surface", "--factor", "budgit"], "did you mean 'budget'"),
        (["surface", "--fit", "straight"], "allowed are best, polynomial or spline"),
        (["sensitivity", "--against", "none"], "without --arm"),
        (["discover", "--fails", "never"], "allowed are not best, effect, goal"),
        (["convergence", "--outcome", "cost"], "say how well it is to be known"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], told: str, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = printed(capsys, words[0], ledger, *words[1:], code=2)
    assert told in error
    assert error.count("\n") == 1


# The tutorial


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)


def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("SALib")
    pytest.importorskip("ema_workbench")
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("village", "design", "indices"), blocks("yaml"), strict=True):
        Path(f"{name}.yaml").write_text(text, "utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks("python"):
        exec(compile(block, str(TUTORIAL), "exec"), names)
    out = capsys.readouterr().out
    assert "1152 runs, 32 points, arms: none, visits, meetings" in out
    assert "intervals hold for all arms at once" in out
    assert "visits against meetings is highest at" in out
    assert "visits is shown to add less than 10.0 points to no campaign" in out
    assert "visits against no campaign: noise is" in out
    assert Path("best.svg").stat().st_size > 1000
    assert main(["analyze", "best", "results/assembly"]) == 0
