"""Files of schema 1 run as they did: their resolved form, what mobsim says about them, and their records."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobsim.cli.main import main
from mobsim.errors import ScenarioError
from mobsim.scenario.document import read_document
from mobsim.scenario.dump import dump, plain
from mobsim.scenario.file import load_scenario
from mobsim.scenario.migrate import ARMS_OF_1, FROM_1, from_1
from mobsim.scenario.resolve import resolve, resolve_document

OLD = Path(__file__).resolve().parents[2] / "cases" / "old"
FILES = sorted(OLD.glob("*.yaml"))
SMALLEST: dict[str, Any] = {"schema_version": 1, "title": "t", "description": "d"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@pytest.mark.quick
def test_there_are_old_files_of_both_forms() -> None:
    assert len(FILES) >= 4
    assert all(read_document(path).data["schema_version"] == 1 for path in FILES)
    assert [path.stem for path in FILES if "tags" in read_document(path).data] == ["capability_resolved"]


@pytest.mark.quick
@each_file
def test_an_old_file_has_its_resolved_form(path: Path) -> None:
    expected = json.loads(path.with_suffix(".resolved.json").read_text("utf-8"))
    assert plain(load_scenario(path)) == expected, "meant? then run tests/baseline/rewrite_resolved.py"


@pytest.mark.quick
@each_file
def test_what_came_later_is_off_and_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = load_scenario(path)
    behaviour, campaign = scenario.behaviour, scenario.campaign
    off = (behaviour.organizer_start, behaviour.leader_reconsider, behaviour.organization_reconsider)
    assert off == (0, 0, 0)
    assert (campaign.public_money, campaign.contribution) == (0, 0)
    assert all(arm.policy == "fixed" and arm.survey is None for arm in scenario.arms.values())
    assert scenario.cautions[-1] == FROM_1
    assert main(["check", str(path)]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "schema_version" in line]
    assert len(told) == 1
    assert told[0].endswith("write schema_version: 2 to use them (a warning)")


@pytest.mark.quick
@each_file
def test_the_resolved_form_of_an_old_file_is_of_today(path: Path, tmp_path: Path) -> None:
    scenario = load_scenario(path)
    copy = tmp_path / "resolved.yaml"
    copy.write_text(dump(scenario), encoding="utf-8")
    again = resolve_document(read_document(copy), "another name", tagged=True)
    assert plain(again) == plain(scenario)
    assert again.schema_version == 2


@pytest.mark.quick
def test_an_old_file_that_names_no_arms_has_the_old_ones() -> None:
    assert [use.kind for use in resolve(SMALLEST).arms["advocacy"].activities] == ["lobby", "media"]
    assert list(resolve(SMALLEST).arms) == ["none", *ARMS_OF_1]
    today = resolve({**SMALLEST, "schema_version": 2})
    assert [use.kind for use in today.arms["advocacy"].activities] == ["lobby", "coalition", "media"]
    assert list(resolve({**SMALLEST, "preset": "bare"}).arms) == ["none"]


@pytest.mark.quick
def test_names_that_ship_today_were_free() -> None:
    scenario = load_scenario(OLD / "own_coalition.yaml")
    own = {name: activity.number for name, activity in scenario.activities.items() if activity.number >= 32}
    assert own == {"own_coalition": 32, "own_survey": 33}
    assert [use.kind for use in scenario.arms["one"].activities] == ["own_coalition", "visit", "own_survey"]


@pytest.mark.quick
def test_an_old_resolved_form_with_a_gap_is_refused(tmp_path: Path) -> None:
    text = (OLD / "capability_resolved.yaml").read_text("utf-8")
    path = tmp_path / "gap.yaml"
    path.write_text("".join(line for line in text.splitlines(True) if "  lapse:" not in line), "utf-8")
    with pytest.raises(ScenarioError, match="tags is a section of complete resolved files only"):
        load_scenario(path)


@pytest.mark.quick
@pytest.mark.parametrize("wrong", [None, 3, "x", [], [3], {"a": 3}, {"a": {"activities": [3, {"kind": []}]}}])
@pytest.mark.parametrize("key", ["behaviour", "campaign", "activities", "arms", "cautions", "community"])
def test_a_wrong_old_file_is_refused_in_a_sentence(key: str, wrong: Any) -> None:
    data = {**SMALLEST, "activities": {"survey": {"like": "visit"}}, key: wrong}
    assert from_1(data)["schema_version"] == 2
    if not (wrong == [] and key == "cautions"):
        with pytest.raises(ScenarioError):
            resolve(data)


@each_file
def test_an_old_file_gives_the_same_records(path: Path) -> None:
    """Columns that records have gained since are left out; all others agree to the last bit."""
    from mobsim.engine.run import simulate

    records = simulate(load_scenario(path), communities=1, luck=1, threads=1)
    held = json.loads(path.with_suffix(".records.json").read_text("utf-8"))
    together = hashlib.sha256()
    for name in ("counts", "units", "cents", "reached", "wins", "sums", "results"):
        kind = np.float64 if name == "results" else np.int64
        whole = np.asarray(getattr(records, name), kind)
        part = np.ascontiguousarray(whole[tuple(slice(size) for size in held[name]["shape"])])
        assert list(part.shape) == held[name]["shape"], name
        assert hashlib.sha256(part.tobytes()).hexdigest() == held[name]["sha256"], name
        together.update(part.tobytes())
    assert together.hexdigest() == held["all"]
