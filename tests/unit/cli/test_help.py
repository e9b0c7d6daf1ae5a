"""What `--help` says of every command."""

from __future__ import annotations

import pytest

from mobsim.cli.main import COMMANDS, main

ANALYSES = ("surface", "sensitivity", "best", "tornado", "discover", "convergence")


WORDS = [*((name,) for name in COMMANDS), *(("analyze", name) for name in ANALYSES)]


@pytest.mark.parametrize("words", WORDS, ids=map(" ".join, WORDS))
def test_every_command_shows_examples_line_by_line(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*words, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"  mobsim {' '.join(words)}") for line in lines)
    assert not any("\\b" in line for line in lines)
