"""The tutorial for users of Mesa runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorials" / "mesa.md"


def test_the_tutorial_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 9
    names: dict[str, Any] = {"__name__": "tutorial"}
    for block in blocks:
        exec(compile(block, str(TUTORIAL), "exec"), names)
    printed = capsys.readouterr().out
    assert printed.startswith("19 0.")
    assert names["study"].model_class == "CautiousModel"
    assert names["cautious"].participation < 1
    assert names["steadfast"].coalition < 0.3 < names["by_the_rule"].coalition
    leaders = names["steadfast"].agents_by_type[names["Steadfast"]]
    assert all(leader.stance == leader.leaning for leader in leaders)
