"""The outputs of every shipped scenario are those of the baseline file, to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.baseline.outputs import measure, name_of, scenario_files, written


def test_the_baseline_holds_every_shipped_scenario() -> None:
    """No scenario is missing, none is left over."""
    assert sorted(written()) == sorted(name_of(path) for path in scenario_files())


@pytest.mark.parametrize("path", scenario_files(), ids=name_of)
def test_outputs_are_those_of_the_baseline(path: Path) -> None:
    """Numbers first, so that a difference can be read; then all bits."""
    held, found = written()[name_of(path)], measure(path)
    assert found["arms"] == held["arms"]
    assert found["sha256"] == held["sha256"]
