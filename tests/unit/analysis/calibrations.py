"""Small scenarios with known parameters, and what would be observed in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobsim.engine.run import simulate
from mobsim.scenario.file import load_scenario

WORD_OF_MOUTH = """
schema_version: 2
title: Word of mouth and a radio
description: Who hears of it takes part.
preset: bare
community:
  residents: 100                 # [A]
  groups: {everybody: {share: 1, background_media: 0.02}}   # [A]
  network: {kind: households, degree: 8}   # [A]
  initial: {aware: participants}
behaviour:
  thresholds: -1                 # [A]
campaign: {horizon_weeks: 40}    # [A]
"""

FOLLOWING = """
schema_version: 2
title: Following others
description: People join when enough of those they know take part.
preset: bare
community:
  residents: 100                 # [A]
  network: {kind: households, degree: 8}   # [A]
  initial: {participating: 0.15} # [A]
behaviour:
  thresholds: {kind: uniform}
  reconsider: 0.3                # [A]
campaign: {horizon_weeks: 16}    # [A]
"""
"""Only the ratio of social weight to the highest threshold matters here."""

TELL = "behaviour.tell_participant"
MEDIA = "community.groups.everybody.background_media"


def write_curves(
    folder: Path,
    scenario: str,
    truth: Mapping[str, Any],
    *,
    communities: Sequence[int] = range(900, 906),
    every: int = 4,
    name: str = "adoption.csv",
) -> None:
    """Write a scenario as world.yaml, and what would be observed in it with some values."""
    (folder / "world.yaml").write_text(scenario, "utf-8")
    world = load_scenario(folder / "world.yaml", overrides=truth)
    weeks = simulate(world, arms=["none"], communities=list(communities), luck=[5]).weeks()
    weeks = weeks[weeks["week"] % every == 0]
    lines = [
        f"v{row.community - communities[0]},{row.week},{row.participation:.4f}" for row in weeks.itertuples()
    ]
    (folder / name).write_text("\n".join(["community,week,value", *lines]) + "\n", "utf-8")


def asks(**changes: Any) -> dict[str, Any]:
    """Return a calibration of word of mouth as plain data."""
    return {
        "schema_version": 1,
        "name": "village",
        "scenario": "world.yaml",
        "replicates": {"communities": 8, "luck": 1},
        "factors": {
            TELL: {"low": 0.001, "high": 0.1, "scale": "log"},
            MEDIA: {"low": 0.001, "high": 0.1, "scale": "log", "name": "media"},
        },
        "observed": {"curves": [{"file": "adoption.csv", "outcome": "adopted"}]},
        "holdout": {"communities": ["v4", "v5"]},
        "search": {"trials": 64},
        **changes,
    }


def write_calibration(folder: Path, **changes: Any) -> Path:
    """Write a calibration file."""
    from mobsim.scenario.dump import yaml_of

    file = folder / "calibration.yaml"
    file.write_text(yaml_of(asks(**changes)), "utf-8")
    return file
