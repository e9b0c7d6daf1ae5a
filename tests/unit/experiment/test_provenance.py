"""A ledger's record makes its plan again; the manifest holds nothing that changes from run to run."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pytest
from tests.unit.experiment.swept import village_plan

from mobsim.errors import ResultsError
from mobsim.experiment import provenance
from mobsim.experiment.plan import plan_sweep
from mobsim.experiment.provenance import manifest_of, other_version, plan_of, record_of, resolved_design
from mobsim.scenario.dump import plain

RANGE = {"behaviour.noise": {"low": 0.01, "high": 0.1, "scale": "log"}}
SOBOL = {"kind": "sobol", "points": 4, "seed": 3}


def test_a_record_makes_the_plan_again(tmp_path: Path) -> None:
    plan = village_plan(tmp_path, factors=RANGE, design=SOBOL)
    record = json.loads(json.dumps(record_of(plan)))
    (tmp_path / "village.yaml").unlink()
    again = plan_of(record)
    assert again.digest == plan.digest
    assert again.points == plan.points
    assert again.tasks == plan.tasks
    assert plain(again.base) == plain(plan.base)
    assert plain(again.world(2)) == plain(plan.world(2))
    assert json.loads(json.dumps(record_of(again))) == record


def test_the_manifest_says_what_was_run_and_with_what(tmp_path: Path) -> None:
    plan = village_plan(tmp_path)
    manifest = manifest_of(plan)
    assert manifest["digest"] == plan.digest
    assert manifest["scenario"] == plain(plan.base)
    assert (manifest["seed"], manifest["runs"]) == (plan.base.seed, plan.n_runs)
    assert manifest["points"]["number"] == len(plan.points)
    assert manifest["environment"]["python"] == platform.python_version()
    assert manifest["environment"]["packages"]["numpy"]
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest


def test_the_environment_is_no_part_of_what_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = manifest_of(village_plan(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "another")
    after = manifest_of(village_plan(tmp_path))
    assert before.pop("environment") != after.pop("environment")
    assert before == after


def test_another_point_is_another_digest(tmp_path: Path) -> None:
    one = village_plan(tmp_path, factors=RANGE, design=SOBOL)
    other = village_plan(tmp_path, factors=RANGE, design=SOBOL | {"seed": 4})
    assert manifest_of(one)["points"]["sha256"] != manifest_of(other)["points"]["sha256"]
    assert one.digest != other.digest


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"factors": RANGE, "design": SOBOL},
        {"arms": ["training"], "seed": 5, "replicates": {"luck": 1}, "set": {"community.residents": 70},
         "factors": {"barrier": {"places": ["behaviour.noise", "behaviour.social_weight"], "low": 0.1,
                                 "high": 0.2, "levels": 3},
                     "campaign.horizon_weeks": {"low": 12, "high": 14, "whole": True, "levels": 2}}},
    ],
)  # fmt: skip
def test_the_resolved_design_plans_the_same_sweep(tmp_path: Path, changes: dict[str, Any]) -> None:
    plan = village_plan(tmp_path, **changes)
    design = resolved_design(plan)
    again = plan_sweep(design)
    assert again.points == plan.points
    assert again.base == plan.base
    assert (again.arms, again.communities, again.luck) == (plan.arms, plan.communities, plan.luck)
    assert resolved_design(again) == design


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    record = record_of(village_plan(tmp_path))
    with pytest.raises(ResultsError, match="made by another mobsim"):
        plan_of(record | {"schema_version": 99})


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "version_of", lambda package: "2.0")
    assert other_version({"mobsim": "2.0"}) == ""
    assert "made by mobsim 1.0, and this is mobsim 2.0" in other_version({"mobsim": "1.0"})
