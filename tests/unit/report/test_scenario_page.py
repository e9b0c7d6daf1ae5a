"""docs/scenarios.md: the page that shows every shipped scenario, met or not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mobsim.analysis.study import Study, compare
from mobsim.report.scenario_page import origins_table, results_table, scenario_figure, scenario_page
from mobsim.scenario.file import load_scenario

TOP = Path(__file__).parents[3]
SHIPPED = sorted(path.stem for path in (TOP / "scenarios").glob("*.yaml"))


def section(name: str) -> str:
    """The part of the page about one scenario."""
    page = (TOP / "docs" / "scenarios.md").read_text("utf-8")
    assert f"\n## {name}\n" in page, f"docs/scenarios.md lacks {name}: python -m mobsim.report.scenario_page"
    return page.split(f"\n## {name}\n")[1].split("\n## ")[0]


@cache
def small_study() -> Study:
    """A scenario with facts, run small."""
    smaller = {"community.residents": 300, "campaign.burn_in_weeks": 20}
    return compare(load_scenario("harm_demo", overrides=smaller), communities=2, luck=1, threads=1)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_page_shows_every_scenario_as_it_is(name: str) -> None:
    scenario, text = load_scenario(name), section(name)
    for arm, spec in scenario.arms.items():
        if arm != "none":
            assert f"| {arm} | {spec.description} |" in text
    met, missed = text.count("| met |"), text.count("| NOT MET |")
    assert met + missed == len(scenario.check)
    assert f"{met} of {len(scenario.check)} met" in text
    assert all(caution in text for caution in scenario.cautions)
    assert (
        f"{scenario.replicates.communities} communities, {scenario.replicates.luck} streams of luck" in text
    )
    assert (TOP / "docs" / "figures" / f"scenario_{name}.svg").is_file()


def test_the_page_is_written_from_what_was_found() -> None:
    study = small_study()
    page = scenario_page([study])
    assert "## harm_demo" in page
    facts = page.count("| met |") + page.count("| NOT MET |")
    assert facts == len(study.scenario.check)
    for arm in study.scenario.arms:
        assert arm == "none" or f"| {arm} |" in page
    assert page == scenario_page([study])


def test_tables_and_figure_hold_every_arm() -> None:
    study = small_study()
    assert len(results_table(study).rows) == len(study.scenario.arms)
    assert origins_table(study.scenario).rows
    picture = scenario_figure(study)
    assert picture.startswith(b"<?xml") or b"<svg" in picture[:400]
    assert picture == scenario_figure(study)
