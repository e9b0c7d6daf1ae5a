"""Extensions: what ships passes the conformance tests, what breaks a promise fails, the tutorial runs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mobsim.campaign import own
from mobsim.campaign.activity import POLICIES, shipped_activities
from mobsim.campaign.own import OwnActivity
from mobsim.campaign.targeting import RULES
from mobsim.mesa_model.agents import Leader, Resident
from mobsim.mesa_model.organization import Organization
from mobsim.testing import (
    check_activity,
    check_leader_class,
    check_organization_class,
    check_policy,
    check_resident_class,
    check_targeting,
)

TOP = Path(__file__).resolve().parents[2]
TUTORIAL = TOP / "docs" / "tutorials" / "extending.md"
EXTENSION = TOP / "tests" / "extension"


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in ("_activities", "_rules", "_policies", "_loaded"):
        monkeypatch.setattr(own, registry, {})


# What ships keeps the promises


@pytest.mark.quick
@pytest.mark.parametrize("name", shipped_activities())
def test_shipped_activities_keep_the_promises(name: str) -> None:
    check_activity(name)


@pytest.mark.quick
@pytest.mark.parametrize("name", RULES)
def test_shipped_targeting_rules_keep_the_promises(name: str) -> None:
    check_targeting(name)


@pytest.mark.quick
@pytest.mark.parametrize("name", POLICIES)
def test_shipped_policies_keep_the_promises(name: str) -> None:
    check_policy(name)


def test_shipped_agents_keep_the_promises() -> None:
    check_resident_class(Resident)
    check_leader_class(Leader)
    check_organization_class(Organization)


# What breaks a promise is found


class Evening(OwnActivity):
    """Reaches everybody with the declared doses."""

    spec: ClassVar[dict[str, Any]] = {
        "number": 41,
        "family": "outreach",
        "description": "an evening for everybody",
        "steps": ["mobilize", "implement", "sustain"],
        "cost": 20.0,
        "appeal": 0.5,
        "trust": 0.2,
    }

    def deliver(self, view: Any) -> None:
        view.reach(np.ones(view.n_residents, bool))


class Forgetful(Evening):
    """Reaches others each time it is asked."""

    asked = 0

    def deliver(self, view: Any) -> None:
        type(self).asked += 1
        view.reach([self.asked % view.n_residents])


class Undeclared(Evening):
    """Gives more than it says."""

    def deliver(self, view: Any) -> None:
        view.reach(range(view.n_residents), appeal=1.0)


class Failing(Evening):
    """Fails."""

    def deliver(self, view: Any) -> None:
        view.reach([view.n_residents])


class Cause(Evening):
    """Raises trust, and doubles the appeal of who takes part already."""

    def deliver(self, view: Any) -> None:
        view.reach(view.participating, appeal=2 * view.doses.appeal)
        view.reach(view.uniform() < 0.2)


@pytest.mark.quick
@pytest.mark.parametrize("activity", [Evening, Cause])
def test_good_activities_pass(activity: type[OwnActivity]) -> None:
    check_activity(activity)
    assert own.own_activity("on_trial") is None  # nothing is left behind


@pytest.mark.quick
@pytest.mark.parametrize(
    ("activity", "said"),
    [
        (Forgetful, "differ when it is run again .* keep nothing between calls"),
        (Undeclared, "changed although all its doses were set to 0"),
        (Failing, "allowed are whole numbers from 0 to 119"),
        ("visitt", "did you mean 'visit'"),
        ({"like": "visit", "cost": -1}, "cost"),
        ({"like": "visit", "per_unit": 1000}, "nothing was ever bought"),
    ],
)
def test_activities_that_break_a_promise_fail(activity: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said) as error:
        check_activity(activity)
    assert "\n" not in str(error.value)


_rng = np.random.default_rng()


def drawn(community: Any) -> Any:
    return _rng.random(community.n_residents)


def by_number(community: Any) -> Any:
    return np.arange(community.n_residents)


def greedy(community: Any) -> Any:
    scores = community.degree
    community.trust.flags.writeable = True
    community.trust[:] = 1.0
    return scores


def not_a_number(community: Any) -> Any:
    return community.degree / community.degree.min() - np.inf


def too_few(community: Any) -> Any:
    return community.degree[1:]


def leaders_first(community: Any) -> Any:
    return community.is_leader * 100 + community.trust


@pytest.mark.quick
def test_good_targeting_rules_pass() -> None:
    check_targeting(leaders_first)
    check_targeting(by_number, ignores_numbers=False)
    assert own.own_targeting_rule("on_trial") is None


@pytest.mark.quick
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (drawn, "got other scores the second time"),
        (by_number, "got other scores under other numbers"),
        (greedy, "it changed trust of the community"),
        (not_a_number, "allowed are finite numbers"),
        (too_few, "allowed is one number a resident"),
        ("nominate", "did you mean 'nominated'"),
    ],
)
def test_targeting_rules_that_break_a_promise_fail(rule: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_targeting(rule)


@pytest.mark.quick
def test_policies_that_break_a_promise_fail() -> None:
    asked = []

    def fickle(evidence: Any) -> Any:
        asked.append(evidence)
        return [len(asked), 1, 1]

    for policy, said in (
        (fickle, "keep nothing between calls"),
        (lambda evidence: [-1, 1, 1], "allowed: a finite number, 0 or more"),
        (lambda evidence: [1], "allowed: 3, one for each line of the arm"),
        (lambda evidence: [0, 0, 0], "all 0"),
        (lambda evidence: [evidence.truth] * 3, "its function failed: AttributeError"),
        ("reason", "reason"),
    ):
        with pytest.raises(AssertionError, match=said):
            check_policy(policy)
    check_policy(lambda evidence: evidence.shares)


class Fashionable(Leader):
    """Looks at what others have just decided."""

    taken: ClassVar[list[int]] = []

    def decide(self) -> bool:
        if self.number not in self.taken:
            self.taken.append(self.number)
        return len(self.taken) % 3 == 0


class Weathercock(Leader):
    """Stands where the leader who was asked before him does not stand."""

    last: ClassVar[list[int]] = [0]

    def decide_stance(self) -> int:
        self.last[0] = -self.last[0] or 1
        return self.last[0]


class Loyal(Organization):
    """Stays once it has joined."""

    def decide(self) -> bool:
        return self.in_coalition or super().decide()


class Moody(Resident):
    """Takes chance from Mesa."""

    def decide(self) -> bool:
        return self.random.random() < 0.5


class Patient(Resident):
    """Decides by the rule, and by chance of its own."""

    def decide(self) -> bool:
        return super().decide() and self.uniform() < 0.9


class Anxious(Resident):
    """Says neither yes nor no."""

    def decide(self) -> Any:
        return None


def test_classes_of_agents() -> None:
    check_resident_class(Patient)
    check_organization_class(Loyal)
    with pytest.raises(AssertionError, match="differ when its agents are asked"):
        check_leader_class(Weathercock)
    with pytest.raises(AssertionError, match="differ when its agents are asked"):
        check_leader_class(Fashionable)
    with pytest.raises(AssertionError, match="differ when its agents are asked in another order"):
        check_resident_class(Moody)
    with pytest.raises(AssertionError, match="allowed are True and False"):
        check_resident_class(Anxious)
    with pytest.raises(AssertionError, match="allowed is a subclass of Leader"):
        check_leader_class(Patient)  # type: ignore[arg-type]


# The tutorial


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)


def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (village,) = blocks("yaml")
    (tmp_path / "village.yaml").write_text(village, "utf-8")
    python = blocks("python")
    assert len(python) == 6
    names: dict[str, Any] = {"__name__": "tutorial"}
    for block in python:
        exec(compile(block, str(TUTORIAL), "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 6, printed
    for arm in ("none", "visits", "stories"):
        assert f"'{arm}': 0." in printed[0]
    assert printed[1] == "the story evening keeps all promises"
    evenings, people = (int(word) for word in re.findall(r"\d+", printed[2]))
    assert 0 < evenings < people
    assert set(eval(printed[3])) == {"visits", "to_the_lonely"}
    assert eval(printed[4]) == [0, 13, 26]
    taking_part, leaders, against = (int(word) for word in re.findall(r"\d+", printed[5]))
    assert 0 <= taking_part <= leaders == 15
    assert against == 0
    names["test_the_promises"]()


def test_the_tutorial_shows_the_package_as_it_is() -> None:
    (shown,) = blocks("toml")
    assert tomllib.loads(shown) == tomllib.loads((EXTENSION / "pyproject.toml").read_text("utf-8"))
    package = (EXTENSION / "kitchen_tables.py").read_text("utf-8")
    for block in blocks("python"):
        for definition in re.findall(
            r"^((?:class KitchenTable|def lonely|def by_thanks)\b.*?)\n\n\n", block, re.M | re.S
        ):
            assert definition in package


# A package of its own


def install(target: Path) -> None:
    """Install the package with pip, offline; by hand where its build tool, hatchling, is not installed."""
    if importlib.util.find_spec("hatchling") is not None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
        command += ["--no-index", "--disable-pip-version-check", "--target", str(target), str(EXTENSION)]
        subprocess.run(command, check=True)
        return
    project = tomllib.loads((EXTENSION / "pyproject.toml").read_text("utf-8"))["project"]
    folder = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    (target / "kitchen_tables.py").write_bytes((EXTENSION / "kitchen_tables.py").read_bytes())
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", "utf-8"
    )
    points = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (folder / "entry_points.txt").write_text("\n".join(points), "utf-8")


def python(target: Path | None, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run another Python, with the package or without."""
    environment = {**os.environ}
    environment.pop("PYTHONPATH", None)
    if target is not None:
        environment["PYTHONPATH"] = str(target)
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


ARMS = """
  tables:                                            # [A]
    policy: by_thanks
    survey: 80
    activities:
      - {kind: kitchen_table, share: 1}
      - {kind: visit, share: 1, target: {rule: lonely, fraction: 0.25}}
goals:"""

PRINT = """
import hashlib, sys
from mobsim import load_scenario, simulate
records = simulate(load_scenario("village.yaml"), arms=["tables"])
print(hashlib.sha256(records.counts.tobytes() + records.cents.tobytes()).hexdigest())
print(records.units[:, :, 0].sum() > 0, [name for name in sys.modules if name == "kitchen_tables"])
"""


def test_an_installed_package_is_used_without_an_import(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install(target)
    (village,) = blocks("yaml")
    text = village.replace("\ngoals:", ARMS, 1)
    (tmp_path / "village.yaml").write_text(text, "utf-8")
    done = python(target, "-c", PRINT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    digest, loaded = done.stdout.splitlines()
    assert loaded == "True ['kitchen_tables']"

    (test,) = [block for block in blocks("python") if block.startswith("# test_kitchen_tables.py")]
    (tmp_path / "test_kitchen_tables.py").write_text(test, "utf-8")
    ini = "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider"
    done = python(target, "-m", "pytest", "-q", *ini, "test_kitchen_tables.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout

    spec = importlib.util.spec_from_file_location("kitchen_tables", EXTENSION / "kitchen_tables.py")
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    registering = (
        "from mobsim import register_activity, register_policy, register_targeting\n"
        "from kitchen_tables import *\n"
        "from kitchen_tables import KitchenTable\n"
        "register_activity('kitchen_table', KitchenTable)\n"
        "register_targeting('lonely', lonely)\n"
        "register_policy('by_thanks', by_thanks)\n"
    )
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "kitchen_tables.py").write_bytes((EXTENSION / "kitchen_tables.py").read_bytes())
    done = python(bare, "-c", registering + PRINT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == digest  # registered or installed, the same bits

    done = python(None, "-m", "mobsim", "check", "village.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "kitchen_table" in done.stdout + done.stderr


def test_a_broken_package_is_one_sentence_of_the_command_line(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install(target)
    (target / "kitchen_tables.py").write_text("import no_such_thing\n", "utf-8")
    (village,) = blocks("yaml")
    (tmp_path / "village.yaml").write_text(village.replace("\ngoals:", ARMS, 1), "utf-8")
    done = python(target, "-m", "mobsim", "check", "village.yaml", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert "package kitchen-tables: activity 'kitchen_table'" in said
    assert "No module named 'no_such_thing'" in said
    assert "Traceback" not in said
