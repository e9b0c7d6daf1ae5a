"""The tutorial on observed diffusion runs as it stands, and shows what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mobsim.cli.main import main

TUTORIAL = Path(__file__).parents[4] / "docs" / "tutorials" / "diffusion.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("statsmodels")
    monkeypatch.chdir(tmp_path)
    (world,) = blocks("yaml")
    Path("stoves.yaml").write_text(world, "utf-8")
    names: dict[str, Any] = {"__name__": "tutorial"}
    for block in blocks("python"):
        exec(compile(block, str(TUTORIAL), "exec"), names)
    printed = capsys.readouterr().out
    seen = {name: summary.periods.iloc[-1] for name, summary in names["seen"].items()}
    assert seen["talk"]["within_p"] < 0.01 < 0.1 < seen["radio"]["within_p"]
    assert all(summary.people["threshold"].mean() > 0.2 for summary in names["seen"].values())
    talk, radio = (names["exposure_effects"](names[name]).exposure for name in ("talk", "radio"))
    assert talk["odds_low"] > 5
    assert radio["odds_low"] < 1 < radio["odds_high"]
    assert "360 people in 6 communities" in printed
    (command,) = blocks("sh")
    assert main(command.split()[1:]) == 0
    assert Path("described/diffusion.html").is_file()
