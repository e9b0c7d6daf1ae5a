"""`measure_baseline` and `mobsim check --baseline`: levels, drift and warnings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mobsim.analysis.baseline import Baseline, measure_baseline
from mobsim.analysis.statistics import Interval
from mobsim.cli.main import main
from mobsim.engine.run import simulate
from mobsim.scenario.resolve import resolve

pytestmark = pytest.mark.quick

VILLAGE = {
    "schema_version": 2,
    "title": "A village",
    "description": "Small, for a look at its baseline.",
    "community": {"residents": 300},
    "campaign": {"burn_in_weeks": 104, "horizon_weeks": 80},
}


def village(**campaign: Any) -> Any:
    return resolve(VILLAGE | {"campaign": VILLAGE["campaign"] | campaign})  # type: ignore[operator]


def test_levels_and_drift_are_those_of_the_runs() -> None:
    found = measure_baseline(village(), communities=3, luck=2, threads=1)
    runs = simulate(village(), arms=["none"], communities=3, luck=2, threads=1).runs()
    assert [level.group for level in found.levels] == ["all", "majority", "marginalized"]
    assert found.last_week == 79
    assert found.levels[0].participation_end == pytest.approx(runs["participation_end"].mean())
    assert found.levels[2].aware_week0 == pytest.approx(runs["aware_week0__marginalized"].mean())
    change = runs["participation_end"] - runs["participation_week0"]
    assert found.participation.estimate == pytest.approx(change.mean())
    assert found.participation.low < found.participation.estimate < found.participation.high


def test_without_burn_in_it_warns() -> None:
    found = measure_baseline(village(burn_in_weeks=0), communities=4, luck=2, threads=1)
    assert not found.drift.at_rest
    assert any(sentence.startswith("participation moves by +") for sentence in found.warnings)


def test_an_interval_that_reaches_the_limit_is_said() -> None:
    rest, unsure = Interval(0.0, -0.01, 0.01), Interval(0.01, -0.02, 0.06)
    found = Baseline(2, 1, 129, (), participation=rest, awareness=unsure)
    assert found.drift.at_rest
    assert found.warnings == (
        "awareness: the interval of its drift reaches 5 points; more communities would tell",
    )


def test_an_imported_community_is_one(tmp_path: Path) -> None:
    people = "".join(f"{i}\n" for i in range(40))
    (tmp_path / "people.csv").write_text("id\n" + people)
    (tmp_path / "ties.csv").write_text("from,to\n" + "".join(f"{i},{(i + 1) % 40}\n" for i in range(40)))
    file = tmp_path / "own.yaml"
    file.write_text(
        "schema_version: 2\ntitle: t\ndescription: d\ncommunity:\n  residents: 40  # [A]\n"
        "  groups: {everybody: {}}\n  network: {kind: files, people: people.csv, ties: ties.csv}\n"
    )
    from mobsim.scenario.file import load_scenario

    found = measure_baseline(load_scenario(file), communities=3, luck=2, threads=1)
    assert (found.communities, found.luck) == (1, 6)
    assert found.participation.low <= found.participation.high


def test_the_command_prints_it_and_ends_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "village.yaml"
    file.write_text(
        "schema_version: 2\ntitle: t\ndescription: d\ncommunity: {residents: 200} # [A]\n"
        "campaign: {burn_in_weeks: 0} # [A]\n"
    )
    assert main(["check", str(file), "--baseline"]) == 0
    out, err = capsys.readouterr()
    assert ": ok; 200 residents" in out
    assert "\nmarginalized " in out
    assert "8 communities x 2 luck; drift to week 129 in points:" in out
    assert out.endswith("not at rest\n")
    assert f"{file}: participation moves by +" in err
    assert "16 of 16 runs" in err

    assert main(["check", str(file), "limits/si", "--baseline", "--json"]) == 0
    out, err = capsys.readouterr()
    village, bare = json.loads(out)
    assert village["baseline"]["at_rest"] is False
    assert village["warnings"]
    assert "baseline" not in bare
    assert "no state of rest" in bare["warnings"][0]


def test_a_faulty_file_is_not_simulated(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("schema_version: 2\ntitle: t\ndescription: d\nunit: family\n")
    assert main(["check", str(file), "--baseline"]) == 2
    assert capsys.readouterr().out == ""
