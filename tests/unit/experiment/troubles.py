"""Models that fail, crash, hang and eat memory: an activity in a package that every process finds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mobsim.campaign import own
from mobsim.experiment import tasks as partition
from mobsim.experiment.plan import SweepPlan, plan_sweep

PACKAGE = """
import os, signal, time
from pathlib import Path

from mobsim import OwnActivity

FINE, RAISES, CRASHES, HANGS, EATS, EXITS, CRASHES_ONCE, SLOW = (k / 10 for k in range(8))


class Trouble(OwnActivity):
    spec = {
        "number": 50,
        "family": "outreach",
        "description": "whatever may go wrong in a model, by its dose of appeal",
        "steps": ("implement",),
        "cost": 1.0,
        "appeal": 0.0,
    }

    def deliver(self, view):
        what = round(view.doses.appeal, 3)
        if what == SLOW and view.week == 6:
            time.sleep(0.05)
        unlucky = view.week == 6 and view.uniform()[0] < 0.5
        if what == RAISES and unlucky:
            raise ValueError("the well is dry")
        if what == CRASHES and unlucky:
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == HANGS and unlucky:
            time.sleep(3600)
        if what == EATS and unlucky:
            eaten = []
            while True:
                eaten.append(bytearray(2**24))
        if what == EXITS and unlucky:
            raise SystemExit(4)
        if what == CRASHES_ONCE:
            mark = Path(os.environ["MOBSIM_TEST_MARK"])
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        view.reach(view.uniform() < 0.2)
"""

SCENARIO = """
schema_version: 2
title: A village in trouble
description: Two strategies under one budget.
community: {residents: 60}      # [A]
campaign: {burn_in_weeks: 4, funding_starts_week: 2, funding_ends_week: 8, horizon_weeks: 12}  # [A]
activities:
  trouble: {cost: 1}  # [A]
arms:
  outreach: {activities: [{kind: visit, share: 1.0}]}  # [A]
  trouble: {activities: [{kind: trouble, share: 1.0}]} # [A]
replicates: {communities: 3, luck: 2} # [A]
"""

FINE, RAISES, CRASHES, HANGS, EATS, EXITS, CRASHES_ONCE, SLOW = (k / 10 for k in range(8))


def install(folder: Path) -> Path:
    """Put the package and the scenario into a folder; return the folder to be searched for packages."""
    packages = folder / "packages"
    about = packages / "troubles-1.0.dist-info"
    about.mkdir(parents=True)
    (packages / "troubles.py").write_text(PACKAGE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: troubles\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mobsim.activities]\ntrouble = troubles:Trouble\n")
    (folder / "trouble.yaml").write_text(SCENARIO)
    return packages


@pytest.fixture
def troubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the scenario; the package is found here and in new processes."""
    packages = install(tmp_path)
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(packages), *sys.path]))
    monkeypatch.setattr(own, "_loaded", {})
    yield tmp_path  # type: ignore[misc]
    sys.modules.pop("troubles", None)


def trouble_plan(folder: Path, *kinds: float, work: int = 5_000, **changes: Any) -> SweepPlan:
    """Plan a sweep whose points bring these troubles; work: resident-weeks of a task."""
    design: dict[str, Any] = {
        "name": "trouble",
        "scenario": str(folder / "trouble.yaml"),
        "factors": {"activities.trouble.appeal": {"values": list(kinds)}},
        "design": {"kind": "grid"},
        **changes,
    }
    usual, partition.WORK = partition.WORK, work
    try:
        return plan_sweep(design)
    finally:
        partition.WORK = usual
