"""Loading: files that cannot be read, overrides, defaults, memory, versions, and what is never imported."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobsim.community.households import household_degree
from mobsim.engine.outcomes import COLUMNS
from mobsim.errors import ScenarioError
from mobsim.scenario import memory
from mobsim.scenario.complete import FIRST_OWN_NUMBER
from mobsim.scenario.cross_campaign import OUTCOMES
from mobsim.scenario.cross_community import ties_at_home
from mobsim.scenario.document import MOST_BYTES, read_document
from mobsim.scenario.dump import digest, json_schema, plain
from mobsim.scenario.file import load_scenario
from mobsim.scenario.resolve import MIGRATIONS, resolve

pytestmark = pytest.mark.quick

SMALLEST: dict[str, Any] = {"schema_version": 2, "title": "t", "description": "d"}


def refused(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "no.yaml"
    assert refused(path) == (
        f"{path} is not there; allowed: a scenario file, or a name that `mobsim scenarios` lists"
    )


def test_a_folder(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} is a folder; allowed: a scenario file"


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text("schema_version: 2\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "cannot be read: Permission denied" in refused(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    assert refused(path) == f"{path} is not a regular file; allowed: a scenario file"


def test_a_name_with_a_null_byte() -> None:
    assert "allowed: " in refused(Path("a\0b.yaml"))


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("# " + "x" * MOST_BYTES)
    assert refused(path).startswith(f"{path} is larger than 1,000,000 bytes")


def test_a_mark_at_the_start_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    text = "schema_version: 2\ntitle: t\ndescription: d\ncommunity:\n  residents: 50 # [A]\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_scenario(path).community.residents == 50


@given(st.binary(max_size=200))
def test_random_bytes_give_one_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.yaml"
    path.write_bytes(content)
    sentence = refused(path)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence


yaml_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(set(plain(resolve(SMALLEST))) - {"tags"})), yaml_like)
def test_any_value_anywhere_is_right_or_refused(key: str, value: Any) -> None:
    with contextlib.suppress(ScenarioError):
        resolve({**SMALLEST, key: value})


def test_overrides_change_the_file_s_values_and_keep_its_tags() -> None:
    base = load_scenario("vaccination_district")
    changed = load_scenario(
        "vaccination_district",
        overrides={
            "community.residents": 400,
            "arms.outreach.activities[0].share": 0.5,
            "campaign.burn_in_weeks": 90,
        },
    )
    assert changed.community.residents == 400
    assert changed.arms["outreach"].activities[0].share == 0.5
    assert changed.campaign.burn_in_weeks == 90
    assert changed.tags == base.tags
    assert changed.folder == base.folder
    assert digest(changed) != digest(base)
    with pytest.raises(ScenarioError, match=r"community\.residents is -1"):
        load_scenario("vaccination_district", overrides={"community.residents": -1})
    with pytest.raises(ScenarioError, match="not a place"):
        load_scenario("vaccination_district", overrides={"title.residents": 1})


def test_every_arm_and_group_keeps_its_order() -> None:
    groups = {"first": {"share": 0.5}, "another": {"share": 0.5}}
    one = resolve({**SMALLEST, "community": {"groups": groups}})
    two = resolve({**SMALLEST, "community": {"groups": dict(reversed(groups.items()))}})
    assert list(one.community.groups) == ["first", "another"]
    assert [group.marginalized for group in two.community.groups.values()] == [False, True]
    assert digest(one) != digest(two)
    assert next(iter(resolve({**SMALLEST, "arms": {"z": {"activities": []}}}).arms)) == "none"


def test_own_activities_are_numbered_in_the_order_of_the_file() -> None:
    own = {name: {"like": "visit", "cost": 2.0} for name in ("zeta", "alpha")}
    activities = resolve({**SMALLEST, "activities": own}).activities
    assert (activities["zeta"].number, activities["alpha"].number) == (FIRST_OWN_NUMBER, FIRST_OWN_NUMBER + 1)


def test_memory_is_estimated_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**30)
    with pytest.raises(ScenarioError) as caught:
        resolve({**SMALLEST, "community": {"residents": 10_000_000}})
    assert re.fullmatch(
        r"community\.residents is 10,000,000, which needs about [\d.]+ GiB of memory; "
        r"allowed: at most 0\.8 GiB \(three quarters of what is free here\), so about [\d,]+ residents",
        str(caught.value),
    )


def test_an_old_version_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MIGRATIONS, 0, lambda data: {**data, "schema_version": 2, "title": "migrated"})
    assert resolve({**SMALLEST, "schema_version": 0}).title == "migrated"


def test_memory_grows_by_what_a_scenario_remembers() -> None:
    def need(arm: dict[str, Any], **community: Any) -> int:
        return memory.estimated_bytes(resolve({**SMALLEST, "community": community, "arms": {"one": arm}}))

    visits = [{"kind": "visit", "share": 1.0}]
    least, lanes, before = need({"activities": visits}), 8, 4
    assert need({"activities": visits, "survey": 10}) == least + 1000 * (lanes + before)
    cycle = 4 * 1000 * lanes - 12 * 1000  # an order kept by every lane instead of one of the week
    assert need({"activities": [{**visits[0], "target": "cycle"}]}) == least + cycle
    assert need({"activities": visits}, leaders={"share": 0.25}) == pytest.approx(
        least + 0.2 * 5 * 1000 * lanes
    )
    lead = {"name": "alone", "type": "ngo", "lead": True}
    assert (
        need({"activities": visits}, organizations=[lead])
        == least - 6 * memory.BYTES_AN_ORGANIZATION_AND_LANE * lanes
    )


def test_households_are_counted_as_the_builder_counts_them() -> None:
    for size in (1.5, 4.7, 12.0):
        assert ties_at_home(size) == household_degree(size)


def test_checks_may_measure_exactly_the_columns_of_runs() -> None:
    columns = {column.name for column in COLUMNS if column.table == "runs"}
    assert set(OUTCOMES) == columns - {"point", "arm", "community", "luck"}


def test_the_editors_schema_accepts_what_loads() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(json_schema())
    checker.check_schema(json_schema())
    cases = Path(__file__).resolve().parents[2] / "cases"
    for path in sorted((cases / "valid").glob("*.yaml")):
        faults = [fault.message for fault in checker.iter_errors(read_document(path).data)]
        assert not faults, (path.name, faults)
    for name in (
        "misspelled_residents",
        "centrality_unknown",
        "survey_is_a_word",
        "wrong_unit",
        "negative_noise",
    ):
        assert not checker.is_valid(read_document(cases / "invalid" / f"{name}.yaml").data), name


def test_checking_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom mobsim.cli.main import main\nmain(['check', 'vaccination_district'])\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    heavy = {"numba", "pandas", "matplotlib", "mesa", "scipy", "networkx", "rich", "dask"}
    assert heavy.isdisjoint(printed.splitlines()[-1].split())
