"""`mobsim calibrate`: what it prints and writes, how it stops; and the tutorial as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.analysis.calibrations import MEDIA, TELL, WORD_OF_MOUTH, write_calibration, write_curves

from mobsim.analysis.calibration.simulated import Simulator
from mobsim.cli.main import main

pytest.importorskip("optuna")

TUTORIAL = Path(__file__).resolve().parents[3] / "docs" / "tutorials" / "calibration.md"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate")
    write_curves(folder, WORD_OF_MOUTH, {TELL: 0.03, MEDIA: 0.01})
    return write_calibration(folder, search={"trials": 24, "batch": 8})


def run(
    capsys: pytest.CaptureFixture[str], file: Path, *words: str, code: int = 0, results: str = "results"
) -> tuple[str, str]:
    assert main(["calibrate", str(file), "--results", str(file.parent / results), *words]) == code
    told = capsys.readouterr()
    return told.out, told.err


def test_it_prints_values_verdict_and_scores(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    out, err = run(capsys, file)
    assert out.startswith("village: 24 trials, ")
    for words in ("tell_participant", "media", "fits as well", "identified", "Out of sample it is"):
        assert words in out
    for name in ("calibrated", "scenario as it was", "mean", "last value", "Bass curve"):
        assert re.search(rf"^{name}( +[\d.]+){{4}}$", out, re.MULTILINE), name
    written = Path(re.search(r"^File: (.*)$", out, re.MULTILINE)[1])  # type: ignore[index]
    assert written.name == "village.calibrated.yaml"
    assert {path.name for path in written.parent.iterdir()} == {
        "village.calibrated.yaml", "scores.csv", "fit.csv", "trials.csv", "profiles.csv", "figures",
    }  # fmt: skip
    assert "calibrating village ..." in err
    assert "192 of 192 runs" in err


def test_again_it_simulates_no_trial_and_says_the_same(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    first, _ = run(capsys, file, "--quiet")
    again, err = run(capsys, file, "--quiet", "--workers", "1")
    assert again == first
    assert err == ""


def test_as_json(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    out, _ = run(capsys, file, "--json", "--quiet")
    told = json.loads(out)
    assert told["trials"] == 24
    assert [factor["name"] for factor in told["fitted"]] == ["tell_participant", "media"]
    assert set(told["out_of_sample"]) == {"in_words", "better_than_simple_forecasts"}


def test_interrupted_it_keeps_what_was_finished(
    capsys: pytest.CaptureFixture[str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, calls = Simulator.predict, iter(range(100))

    def predict(self: Simulator, trials: Any, progress: Any = None) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return own(self, trials, progress)

    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "predict", predict)
        _, err = run(capsys, file, "--quiet", code=130, results="interrupted")
    assert "the same command goes on where this one stopped" in err
    out, _ = run(capsys, file, "--quiet", "--json", results="interrupted")
    assert json.loads(out)["trials_before"] == 16
    whole, _ = run(capsys, file, "--quiet", "--json")
    same = ("fitted", "scores", "identification", "digest")
    assert [json.loads(out)[key] for key in same] == [json.loads(whole)[key] for key in same]


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path) -> None:
    _, err = run(capsys, tmp_path / "calibration.yaml", code=2)
    assert err.count("\n") == 1
    _, err = run(capsys, file, "--trials", "0", "--quiet", code=2)
    assert err == "trials: found 0; allowed are whole numbers from 1 to 100,000\n"
    _, err = run(capsys, file, "--workers", "0", "--quiet", code=2)
    assert err.startswith("threads: found 0; allowed")


def test_a_place_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    (file.parent / "occupied").write_text("")
    _, err = run(capsys, file, "--quiet", code=1, results="occupied")
    assert "results could not be written" in err
    assert err.count("\n") == 1


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)


def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("world", "calibration"), blocks("yaml"), strict=True):
        Path(f"{name}.yaml").write_text(text, "utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks("python"):
        exec(compile(block, str(TUTORIAL), "exec"), names)
    out = capsys.readouterr().out
    tell, radio = names["found"].identification.factors
    assert tell.low <= 0.03 <= tell.high
    assert radio.low <= 0.01 <= radio.high
    assert "Out of sample it is better than simple forecasts: held out the last 26 weeks" in out
    assert "Calibrated to the share who ever took part" in out
    assert "was made for another world" in out
    assert main(["check", "water.yaml"]) == 0
    assert "[C]" in names["load_scenario"]("water.yaml").tags[TELL]
