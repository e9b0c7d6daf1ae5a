"""`mobsim check`, `new`, `schema`, `scenarios`, and the entry point itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mobsim.cli.main import COMMANDS, main
from mobsim.scenario.catalogue import shipped_scenarios
from mobsim.scenario.dump import json_schema

pytestmark = pytest.mark.quick

Capture = pytest.CaptureFixture[str]


def test_check_says_what_will_run(capsys: Capture) -> None:
    assert main(["check", "vaccination_district"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("vaccination_district: ok; 4,000 residents (households), 13 arms (none, outreach, ")
    assert "832 runs" in out
    assert err == ""


def test_check_as_json(capsys: Capture, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema_version: 2\ntitle: t\ndescription: d\nunit: family\npreset: bear\n")
    assert main(["check", "limits/si", str(bad), "--json"]) == 2
    good, faulty = json.loads(capsys.readouterr().out)
    assert good["ok"]
    assert good["runs"] == 32
    assert not faulty["ok"]
    assert len(faulty["faults"]) == 2


def test_check_tells_every_fault_in_the_order_of_the_lines(capsys: Capture, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "schema_version: 2\ntitle: t\ndescription: d\n"
        "community: {residents: 10}\nunit: family\nmatters: 2 # [A]\n"
    )
    assert main(["check", str(bad)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == [f"{bad}, line {n}" for n in (4, 5, 6)]


def test_every_shipped_scenario_passes(capsys: Capture) -> None:
    assert main(["check", *shipped_scenarios()]) == 0
    assert capsys.readouterr().out.count(": ok; ") == len(shipped_scenarios())


def test_new_writes_a_right_file_and_never_overwrites(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my_village"]) == 0
    assert main(["new", "copy.yaml", "--from", "limits/bass"]) == 0
    capsys.readouterr()
    assert main(["check", "my_village.yaml", "copy.yaml"]) == 0
    assert capsys.readouterr().err == ""
    Path("my_village.yaml").write_text("precious")
    assert main(["new", "my_village"]) == 2
    assert (
        capsys.readouterr().err
        == "my_village.yaml is there already and was left as it is; allowed: a new name\n"
    )
    assert Path("my_village.yaml").read_text() == "precious"
    assert main(["new", "other", "--from", "vacination_district"]) == 2
    assert "did you mean 'vaccination_district'?" in capsys.readouterr().err
    assert main(["new", "nowhere/other"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.yaml", "my_village.yaml"]


def test_schema_and_scenarios_print_data(capsys: Capture) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert main(["scenarios"]) == 0
    assert "limits/bass" in capsys.readouterr().out
    assert main(["scenarios", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == set(shipped_scenarios())


def test_wrong_use_is_one_sentence(capsys: Capture) -> None:
    for words in (["chek"], ["check"], ["check", "--jsn", "x"], ["--nonsense"]):
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("mobsim: ")
        assert err.count("\n") == 1


def test_debug_shows_where(capsys: Capture) -> None:
    assert main(["new", "x", "--from", "nothing", "--debug"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("--from is 'nothing'; allowed: ")


def test_help_and_version(capsys: Capture) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mobsim ")
    for command in ("check", "new", "schema", "scenarios"):
        assert main([command, "--help"]) == 0
        assert f"mobsim {command}" in capsys.readouterr().out.replace("Usage: mobsim", ""), "an example"


def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupt(file: str) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr("mobsim.cli.check._checked", interrupt)
    assert main(["check", "x.yaml"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_unexpected_error_is_one_sentence_too(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def fail(file: str) -> dict[str, object]:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("mobsim.cli.check._checked", fail)
    assert main(["check", "x.yaml"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("mobsim: unexpected RuntimeError: out of luck")
    assert err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a shell pipe")
def test_a_reader_who_leaves_is_no_error() -> None:
    ran = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m mobsim schema | head -n 1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "{\n"
    assert ran.stderr == ""
