"""The README's example is real: its scenario passes the check and its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def block(language: str, place: int = 0) -> str:
    """Return a code block of a language, the first if no place is given."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[place]


@pytest.mark.quick
def test_the_scenario_of_the_readme_passes_the_check(tmp_path: Path) -> None:
    """Every number in it carries a tag."""
    from mobsim import load_scenario

    file = tmp_path / "my_scenario.yaml"
    file.write_text(block("yaml"), encoding="utf-8")
    scenario = load_scenario(file)
    assert list(scenario.arms) == ["none", "outreach", "training"]


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints a verdict that names both strategies."""
    (tmp_path / "my_scenario.yaml").write_text(block("yaml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), str(README), "exec"), {})
    said = capsys.readouterr().out
    assert "outreach" in said
    assert "training" in said


def test_many_runs_in_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Points and sets of first participants: more noise joins sooner, and each line of output says so."""
    found: dict[str, object] = {}
    exec(compile(block("python", 1), str(README), "exec"), found)
    said = capsys.readouterr().out
    assert "point" in said
    assert said.count("\n") > 4
