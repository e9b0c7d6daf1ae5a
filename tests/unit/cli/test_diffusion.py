"""`mobsim diffusion`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mobsim.cli.main import main
from mobsim.report.diffusion_results import check_folder

PEOPLE = "id,time,place\n" + "\n".join(f"p{k},{(k * 5) % 7 or ''},v{k % 2}" for k in range(40)) + "\n"
TIES = "ego,alter\n" + "\n".join(f"p{k},p{(k * 3 + 2) % 40}" for k in range(40) if k not in (19, 39)) + "\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "people.csv").write_text(PEOPLE, "utf-8")
    (tmp_path / "ties.csv").write_text(TIES, "utf-8")
    return ["diffusion", str(tmp_path / "people.csv"), str(tmp_path / "ties.csv"), "--permutations", "19"]


def test_tables_are_printed_and_files_written(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "told"
    assert main([*files, "--community", "place", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "40 people in 2 communities" in printed
    assert "early adopters" in printed
    assert f"Page: {out / 'diffusion.html'}" in printed
    names = {"people", "periods", "communities", "curves", "categories", "bass"}
    assert {path.stem for path in out.glob("*.csv")} == names
    periods = pd.read_csv(out / "periods.csv")
    assert periods["adopters"].sum() == 34
    pictures = {path.stem for path in (out / "figures").glob("*.svg")}
    assert pictures == {"curves", "hazard", "thresholds", "categories", "moran", "bass"}
    page = (out / "diffusion.html").read_text("utf-8")
    assert page.count("data:image/svg+xml;base64,") == 6
    check_folder(out)  # another description may replace it
    assert "http" not in page.replace("http-equiv", "")


def test_json(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["people"] == 40
    assert told["page"] is None
    assert len(told["tables"]["periods"]) == 6
    assert "people" not in told["tables"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--time", "tiem"],
            "line 1: there is no column 'tiem'; found are 'id', 'time', 'place'; did you mean",
        ),
        (["--never", "99"], "never: found 99; no time in"),
        (["--direction", "up"], "direction: found 'up'; allowed are 'out', 'in', 'both'"),
        (["--lag", "9"], "lag: found 9; allowed are whole numbers from 0 to 5"),
        (["--outside", "keep"], "outside: found 'keep'"),
    ],
)
def test_mistakes_are_one_sentence(
    files: list[str], options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, *options]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_folder_with_other_things_is_left_alone(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, "--out", str(tmp_path)]) == 2
    assert "holds other things; allowed is a new one" in capsys.readouterr().err
    assert main([*files, "--out", str(tmp_path / "ties.csv")]) == 2
    assert "found a file; allowed is the name of a folder" in capsys.readouterr().err
    assert (tmp_path / "people.csv").read_text("utf-8") == PEOPLE
