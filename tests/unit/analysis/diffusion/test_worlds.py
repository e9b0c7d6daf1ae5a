"""Communities made from an observed diffusion: files, weeks, and what scenarios make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mobsim.analysis.calibration.plan import plan_calibration
from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.worlds import Villages, week_of_period, write_villages
from mobsim.engine.run import simulate
from mobsim.errors import ResultsError, UsageError
from mobsim.scenario.dump import yaml_of
from mobsim.scenario.file import load_scenario

pytestmark = pytest.mark.quick

SCENARIO = """\
schema_version: 2
title: Two villages
description: Participating is having adopted.
preset: bare
community:
  network: {kind: files, people: village_02.people.csv, ties: village_02.ties.csv, directed: true}
behaviour:
  irreversible: true
  thresholds: 0.5    # [A]
  noise: 0           # [A]
  social_weight: 1   # [A]
  reconsider: 1      # [A]
campaign: {horizon_weeks: 3}   # [A]
"""


def chains(**other: Any) -> ObservedDiffusion:
    """Village 10: b names a, c names b; adopted in periods 1, 2, never. Village 2: two strangers."""
    parts: dict[str, Any] = {
        "ids": ("a", "b", "c", "d", "e"),
        "time": np.array([1, 2, 0, 3, 0]),
        "last_seen": np.full(5, 4),
        "community": ("10", "10", "10", "2", "2"),
        "covariates": pd.DataFrame({"school": ["yes", "no", "no", "yes", "no"], "gap": [1, 2, np.nan, 1, 2]}),
        "ego": np.array([1, 2, 2]),
        "alter": np.array([0, 1, 3]),
        "value": np.array([2.0, 1.0, 1.0]),
        "n_periods": 4,
    }
    return ObservedDiffusion(**(parts | other))


def test_every_community_gets_its_people_ties_and_curve(tmp_path: Path) -> None:
    found = write_villages(chains(), tmp_path / "worlds")
    read = {path.name: path.read_text("utf-8") for path in found.folder.iterdir()}
    assert read == {
        "village_02.people.csv": "id,participating\nd,0\ne,0\n",
        "village_02.ties.csv": "from,to\n",
        "village_10.people.csv": "id,participating\na,1\nb,0\nc,0\n",
        "village_10.ties.csv": "from,to\nb,a\nc,b\n",
        "adoption.csv": "week,value,community,of\n"
        "0,0,village_02,2\n1,1,village_02,2\n2,1,village_02,2\n"
        "0,2,village_10,3\n1,2,village_10,3\n2,2,village_10,3\n",
    }
    assert found == Villages(
        folder=tmp_path / "worlds",
        communities={
            "village_02": {
                "community.residents": 2,
                "community.network": {
                    "kind": "files",
                    "people": "village_02.people.csv",
                    "ties": "village_02.ties.csv",
                    "directed": True,
                },
            },
            "village_10": {
                "community.residents": 3,
                "community.network": {
                    "kind": "files",
                    "people": "village_10.people.csv",
                    "ties": "village_10.ties.csv",
                    "directed": True,
                },
            },
        },
        labels={"village_02": "2", "village_10": "10"},
        curves="adoption.csv",
        horizon_weeks=3,
        ties_between=1,
        shortened={},
    )


def test_a_scenario_runs_on_them_and_influence_runs_from_who_is_named(tmp_path: Path) -> None:
    found = write_villages(chains(), tmp_path)
    (tmp_path / "scenario.yaml").write_text(SCENARIO, "utf-8")
    places = dict(found.communities["village_10"])
    world = load_scenario(tmp_path / "scenario.yaml", overrides=places)
    weeks = simulate(world, arms=["none"], communities=1, luck=1).weeks()
    assert (weeks["participation"] * 3).round().tolist() == [2, 3, 3]  # b by a in the first week, then c by b


def test_a_calibration_takes_them_with_their_curves(tmp_path: Path) -> None:
    found = write_villages(chains(), tmp_path)
    (tmp_path / "scenario.yaml").write_text(SCENARIO, "utf-8")
    asked = {
        "schema_version": 1,
        "name": "two",
        "scenario": "scenario.yaml",
        "factors": {"behaviour.social_weight": {"low": 0, "high": 1}},
        "observed": {"curves": [{"file": found.curves, "outcome": "adopted"}]},
        "communities": {name: dict(places) for name, places in found.communities.items()},
        "holdout": {"communities": ["village_10"]},
    }
    (tmp_path / "calibration.yaml").write_text(yaml_of(asked), "utf-8")
    plan = plan_calibration(tmp_path / "calibration.yaml")
    predicted = plan.fresh.predict([{}])[0]
    table = plan.evidence.table
    assert predicted.shape == (16, 6)
    assert predicted[0][(table["community"] == "village_10").to_numpy()].tolist() == pytest.approx(
        [2 / 3, 1, 1]
    )
    assert predicted[0][(table["community"] == "village_02").to_numpy()].tolist() == [0, 0, 0]
    assert table["held_out"].sum() == 3


def test_a_period_can_last_many_weeks_and_the_start_can_be_later(tmp_path: Path) -> None:
    assert [week_of_period(p, start=2, weeks_per_period=52) for p in (3, 4)] == [51, 103]
    found = write_villages(chains(), tmp_path, start=2, weeks_per_period=52)
    assert found.horizon_weeks == 104
    curve = pd.read_csv(tmp_path / "adoption.csv")
    assert curve["week"].tolist() == [51, 103, 51, 103]
    assert "b,1" in (tmp_path / "village_10.people.csv").read_text("utf-8")


def test_ties_can_keep_their_values_and_people_their_groups(tmp_path: Path) -> None:
    write_villages(chains(), tmp_path, valued=True, group="school", prefix="")
    assert (tmp_path / "10.ties.csv").read_text("utf-8") == "from,to,weight\nb,a,2\nc,b,1\n"
    assert (tmp_path / "10.people.csv").read_text("utf-8").splitlines()[:2] == [
        "id,participating,group",
        "a,1,yes",
    ]


def test_a_curve_ends_where_somebody_is_lost_from_sight(tmp_path: Path) -> None:
    found = write_villages(chains(last_seen=np.array([4, 4, 3, 4, 4])), tmp_path)
    curve = pd.read_csv(tmp_path / "adoption.csv")
    assert curve[curve["community"] == "village_10"]["week"].tolist() == [0, 1]
    assert found.shortened == {"village_10": 1}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"start": 4}, "start: found 4; allowed are whole numbers from 1 to 3"),
        ({"weeks_per_period": 0}, "weeks_per_period: found 0"),
        ({"group": "scool"}, "did you mean 'school'?"),
        ({"group": "gap"}, "group: 'gap' is missing for 1 people"),
    ],
)
def test_what_does_not_fit_is_refused(asked: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        write_villages(chains(), tmp_path, **asked)
    assert says in str(refused.value)


def test_labels_that_would_share_a_file_and_folders_that_cannot_be_made_are_refused(tmp_path: Path) -> None:
    twins = chains(community=("new town", "new town", "new town", "new-town", "new_town"))
    with pytest.raises(UsageError, match="would both be named village_new_town"):
        write_villages(twins, tmp_path)
    (tmp_path / "taken").write_text("", "utf-8")
    with pytest.raises(ResultsError, match="could not be written"):
        write_villages(chains(), tmp_path / "taken")
