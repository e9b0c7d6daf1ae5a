"""The results folder and its page: complete, the same every time, and silent on when and where."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mobsim.analysis.study import Study
from mobsim.engine import outcomes
from mobsim.report import results
from mobsim.report.manifest import digest_of, manifest_of
from mobsim.report.outcome_tables import (
    domains_table,
    glance_table,
    goals_table,
    lasting_table,
    money_table,
    tables_of,
    voice_table,
)
from mobsim.report.process_tables import checks_table, stakeholders_table, strategies_table, surveys_table
from mobsim.report.words import cautions_of, summary_of

TOP = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def files(study: Study) -> dict[str, bytes]:
    return results.files_of(study)


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(files: dict[str, bytes]) -> Page:
    return Page(files["report.html"].decode())


def test_the_folder_holds_what_the_readme_says(files: dict[str, bytes]) -> None:
    tables = {"runs", "weeks", "activities", "comparison", "verdicts", "chances", "checks", "data_dictionary"}
    tables |= {"organizations", "domains", "surveys"}
    assert {f"{name}.csv" for name in tables} <= set(files)
    assert {"manifest.json", "scenario.yaml", "report.html"} <= set(files)
    figures = {name for name in files if name.startswith("figures/")}
    names = {
        "adoption",
        "by_group",
        "differences",
        "effects",
        "distribution",
        "funnel",
        "spending",
        "policies",
        "stakeholders",
        "network",
    }
    assert figures == {f"figures/{name}.{kind}" for name in names for kind in ("svg", "png")}


def test_the_same_study_gives_the_same_bytes(study: Study, files: dict[str, bytes]) -> None:
    again = results.files_of(study)
    assert [name for name in files if files[name] != again[name]] == []


def test_nothing_tells_when_or_where(files: dict[str, bytes]) -> None:
    home, host = str(Path.home()), socket.gethostname()
    for name, content in files.items():
        if not name.endswith(".png"):
            text = content.decode()
            assert str(TOP) not in text, name
            assert not (len(home) > 5 and home in text), name
            assert not (len(host) > 5 and host in text), name
            assert not re.search(r"\b20\d\d-\d\d-\d\d", text), name


def test_every_column_has_a_declaration(files: dict[str, bytes]) -> None:
    told = {
        (row["table"], row["column"])
        for row in csv.DictReader(io.StringIO(files["data_dictionary.csv"].decode()))
    }
    for name, content in files.items():
        if name.endswith(".csv") and name != "data_dictionary.csv":
            header = next(csv.reader(io.StringIO(content.decode())))
            assert {(name, column) for column in header} <= told, name


def test_the_documented_table_of_outcomes_is_up_to_date() -> None:
    page = (TOP / "docs" / "outcomes.md").read_text("utf-8")
    assert page == outcomes.outcomes_page(), "run: python -m mobsim.engine.outcomes > docs/outcomes.md"


def test_the_manifest_names_versions_and_the_resolved_scenario(study: Study) -> None:
    manifest = manifest_of(study)
    assert manifest["scenario"]["campaign"]["burn_in_weeks"] == 104
    assert manifest["replicates"] == {"communities": 8, "luck": 2, "until": None, "first_stage": None}
    assert manifest["environment"]["packages"]["numpy"]
    assert manifest["digest"].startswith(digest_of(study))
    assert json.loads(json.dumps(manifest)) == manifest


def test_whatever_decides_the_numbers_changes_the_digest(study: Study) -> None:
    from dataclasses import replace

    other_seed = replace(study, scenario=study.scenario.model_copy(update={"seed": 2}))
    other_size = replace(study, comparison=replace(study.comparison, communities=9))
    assert len({digest_of(study), digest_of(other_seed), digest_of(other_size)}) == 3


def test_the_page_loads_nothing(page: Page, files: dict[str, bytes]) -> None:
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), tag
        for name in ("src", "href", "srcset", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/svg+xml;base64,", "#")), value
    policy = [meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy[0]["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert b"url(" not in files["report.html"]


def test_the_page_is_accessible(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert len(page.all("img")) == 10
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in pairwise(headings))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_what_a_file_says_is_text_never_markup(page: Page) -> None:
    assert "A drive <b>& more</b>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert not page.all("b")


def test_the_verdict_stands_first_and_the_limits_are_there(page: Page, study: Study) -> None:
    text = page.text
    headline = text.index(study.verdict.headline)
    assert (
        headline
        < text.index("points added")
        < text.index("The numbers")
        < text.index("Pictures")
        < text.index("Limits")
    )
    for pair in study.verdict.pairs:
        assert pair.sentence in text
    for words in (
        "Comparative, uncalibrated",
        "no health",
        "Unpaid hours",
        "consent",
        "8 communities",
        "seed 1",
    ):
        assert words in text
    assert digest_of(study) in text


def test_the_average_is_never_shown_without_the_groups(study: Study) -> None:
    participation = tables_of(study)[0]
    assert participation.header[1:4] == ("at funding end", "of majority", "of hill_people")
    assert all(cell != "" for row in participation.rows for cell in row[1:4])


def test_a_strategy_that_widens_the_gap_is_marked(study: Study) -> None:
    assert study.widening == ("outreach", "training", "advocacy")
    fairness = tables_of(study)[1]
    assert [row[-1] for row in fairness.rows] == ["", *["WIDENS THE GAP"] * 3]
    assert "outreach widens the gap between groups by" in cautions_of(study)[0]


def test_the_planner_reads_the_sum_first(study: Study, page: Page) -> None:
    summary = summary_of(study)
    assert summary[0].startswith("With outreach 15.8 % take part at funding end, without a campaign 6.0 %")
    assert "costs least with outreach: 102" in summary[1]
    assert summary[2] == "Fairness: outreach, training and advocacy widen the gap between groups."
    assert "outreach still has 61" in summary[3]
    assert "60 (60 to 60) % of its organizers" in summary[3]
    assert summary[4].endswith("in 100 % of runs with outreach; by the surveys it would be in 50 %.")
    assert page.text.index(summary[0]) < page.text.index("The numbers")
    assert [row[0] for row in glance_table(study).rows] == ["outreach", "training", "advocacy"]


def test_external_and_local_money_stand_apart(study: Study) -> None:
    row = money_table(study).rows[1]
    assert row[1:5] == ("10,000", "10,000", "40", "0")
    assert row[-2:] == ("10.0", "100.0")


def test_goals_stand_side_by_side_on_truth_and_on_estimates(study: Study) -> None:
    table = goals_table(study)
    assert table is not None
    assert table.header[1:3] == ("fifteen: met in week 77, %", "by the surveys, %")
    assert [row[1:3] for row in table.rows[:3]] == [("0", "–"), ("100", "50"), ("0", "–")]


def test_voice_stands_beside_the_share_of_the_population(study: Study) -> None:
    table = voice_table(study)
    assert table is not None
    assert table.header[2] == "seats of hill_people, who are 20 % of residents"
    assert table.rows == (("outreach", "80.0", "20.0"),)


def test_organizers_domains_and_stakeholders_have_their_tables(study: Study) -> None:
    assert lasting_table(study).rows[1][-1] == "60 (60 to 60)"
    assert domains_table(study).rows[1] == ("outreach", "0.100", "40.0", "30.0", "1.0", "16.0", "47.0")
    table = stakeholders_table(study)
    assert table is not None
    office = table.rows[1]
    assert office[:4] == ("district_office", "government", "0.5", "-0.10")
    assert office[4] == "keep satisfied; -0.10; 0 %"
    assert office[-1] == "manage closely; +0.30; 20 %"


def test_surveys_are_shown_with_what_they_led_to(study: Study, page: Page) -> None:
    table = surveys_table(study)
    assert table is not None
    told = ("policy reasons; surveys of 100", "6.0", "200", "13.5 (12.5)", "1.0", "information, 50 %")
    assert table.rows == (("outreach", *told, "visit 50 %, meeting 50 %"),)
    assert strategies_table(study).rows[0][-1] == "policy reasons; surveys of 100"
    assert strategies_table(study).rows[1][-1] == "fixed"
    assert "What the surveys found" in page.text


def test_a_missed_fact_is_shown_as_missed(study: Study, page: Page) -> None:
    checks = checks_table(study)
    assert checks is not None
    assert [row[1] for row in checks.rows] == ["met", "NOT MET"]
    assert "1 of 2 published facts are not met" in page.text


def test_writing_again_replaces_the_folder(
    study: Study, tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "files_of", lambda *_: files)
    results.prepare_results(tmp_path, study.scenario)
    folder = results.write_results(study, tmp_path, log="first")
    (folder / "runs.csv").write_text("damaged")
    assert results.write_results(study, tmp_path, log="second") == folder
    assert {
        f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    } == files
    assert folder == tmp_path / "village_drive" / digest_of(study)
    log = (folder.parent / "log.txt").read_text().splitlines()
    assert [line.split()[-1] for line in log] == ["first", "second"]


def test_one_community_and_no_checks_make_a_page_too(tables: Any, scenario: Any) -> None:
    from mobsim.analysis.study import study_of

    class One:
        def runs(self) -> Any:
            return tables.runs().query("community == 0 and luck == 0")

        def weeks(self) -> Any:
            return tables.weeks().query("community == 0 and luck == 0")

        def activities(self) -> Any:
            return tables.activities().iloc[:0]

        def organizations(self) -> Any:
            return tables.organizations().iloc[:0]

        def domains(self) -> Any:
            return tables.domains()

        def surveys(self) -> Any:
            return tables.surveys().iloc[:0]

    study = study_of(scenario.model_copy(update={"check": ()}), One())
    files = results.files_of(study)
    page = Page(files["report.html"].decode())
    assert "no interval is possible" in page.text
    assert "names no published fact" in page.text
    assert len(page.all("img")) == 7
    assert "What the surveys found" not in page.text
    assert "surveys.csv" not in files
