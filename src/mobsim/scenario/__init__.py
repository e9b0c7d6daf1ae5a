"""Scenario files: load, check, resolve, dump."""

from __future__ import annotations

from mobsim.scenario.file import load_scenario
from mobsim.scenario.scenario import Scenario

__all__ = ["Scenario", "load_scenario"]
