from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from mobsim import plots
from mobsim.analysis.study import Study
from mobsim.scenario.scenario import Scenario

pytestmark = pytest.mark.quick


START = {"visit": 0.6, "meeting": 0.4}


def every_figure(study: Study) -> dict[str, Figure]:
    arms = study.arms
    return {
        "adoption": plots.adoption_curves(study.weeks, arms),
        "groups": plots.adoption_by_group(study.weeks, arms, study.groups),
        "funnel": plots.funnel(study.runs, arms),
        "spending": plots.spending(study.activities, arms[1:], currency="USD"),
        "effects": plots.effects(study.comparison.table, arms, study.groups),
        "verdict": plots.verdict_forest(study.comparison.contrasts, matters=0.01),
        "distribution": plots.distribution(study.runs, arms),
        "stakeholders": plots.power_interest(study.organizations, arms, funding_end=77),
        "policies": plots.policy_shares(
            study.surveys, {"outreach": START}, kinds=list(START), runs=16, weeks=78
        ),
    }


def words_of(svg: bytes) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


def test_every_figure_is_drawn_and_drawn_again_with_the_same_bytes(study: Study) -> None:
    first, second = every_figure(study), every_figure(study)
    for name, figure in first.items():
        assert plots.as_svg(figure) == plots.as_svg(second[name]), name
        assert plots.as_png(figure) == plots.as_png(second[name]), name


def test_strategies_and_groups_are_named_in_the_pictures(study: Study) -> None:
    figures = {name: words_of(plots.as_svg(figure)) for name, figure in every_figure(study).items()}
    for name in ("adoption", "groups", "funnel", "distribution"):
        for arm in ("no campaign", "outreach", "training", "advocacy"):
            assert arm in figures[name], name
    assert "hill people" in figures["groups"]
    assert "hill people" in figures["effects"]
    assert "outreach − no campaign" in figures["verdict"]
    assert "meeting" in figures["spending"]
    assert "meeting" in figures["policies"]
    assert "district office (0.5)" in figures["stakeholders"]


def test_only_strategies_that_move_an_organization_have_a_panel(study: Study) -> None:
    moved = words_of(plots.as_svg(plots.power_interest(study.organizations, study.arms, funding_end=77)))
    assert "advocacy" in moved
    assert "training" not in moved
    still = study.organizations[study.organizations["arm"] != "advocacy"]
    alone = words_of(
        plots.as_svg(plots.power_interest(still, ("none", "outreach", "training"), funding_end=77))
    )
    assert "no campaign" in alone
    assert "outreach" not in alone


def test_shares_over_time_are_means_over_all_runs_also_those_that_never_ask(study: Study) -> None:
    one = study.surveys.query("community == 0 and luck == 0 and week in (13, 26)")
    means = plots._mean_shares(one, START, 4, 30)
    np.testing.assert_allclose(means[:, :13], [[0.6] * 13, [0.4] * 13])
    np.testing.assert_allclose(means[0, 13:26], (3 * 0.6 + 0.6 - 13 / 650) / 4)
    np.testing.assert_allclose(means[0, 26:], (3 * 0.6 + 0.6 - 26 / 650) / 4)
    np.testing.assert_allclose(means.sum(axis=0), 1)


def test_the_table_is_left_as_it_was(study: Study) -> None:
    before = study.weeks.copy()
    plots.adoption_curves(study.weeks, study.arms)
    assert study.weeks.equals(before)


def test_no_interval_is_no_fault(study: Study) -> None:
    unknown = study.comparison.contrasts.assign(low=np.nan, high=np.nan, verdict="cannot tell yet")
    assert plots.as_svg(plots.verdict_forest(unknown, matters=0.01))
    assert plots.as_svg(plots.verdict_forest(unknown.iloc[:0], matters=0.01))
    assert plots.as_svg(plots.spending(study.activities.iloc[:0], ["outreach"], currency="USD"))
    single = study.weeks.query("community == 0 and luck == 0")
    assert plots.as_svg(plots.adoption_curves(single, study.arms))


def test_names_are_words_even_with_dollar_signs(study: Study) -> None:
    weeks = study.weeks.rename(columns={"participation__hill_people": "participation__$x^2$ & <b>"})
    svg = plots.as_svg(plots.adoption_by_group(weeks, study.arms, ("majority", "$x^2$ & <b>")))
    assert "$x^2$ & <b>" in words_of(svg)


def test_labels_stand_apart_and_in_order() -> None:
    places = plots._apart([1.0, 1.0, 1.1, 5.0, 9.9, 9.9], 0.5, 0.0, 10.0)
    gaps = np.diff(places)
    assert (gaps > 0.5 - 1e-9).all()
    assert abs(places[3] - 5.0) < 0.2
    assert places[-1] <= 10.0 + 1e-9
    assert abs(places[1] - 1.0) < 0.2


@pytest.mark.parametrize("kind", ["households", "complete"])
def test_the_network_is_drawn_the_same_every_time(scenario: Scenario, kind: str) -> None:
    from mobsim.analysis.excerpt import excerpt_of
    from mobsim.community.build import build_community
    from mobsim.scenario.resolve import resolve

    data = {"schema_version": 2, "title": "t", "description": "d"}
    world = {"residents": 90, "network": {"kind": kind}}
    resolved = resolve({**data, "community": world})
    community = build_community(resolved.community, resolved.behaviour, seed=1, number=0)
    first = plots.as_svg(plots.network_picture(excerpt_of(community, at_most=40)))
    assert first == plots.as_svg(plots.network_picture(excerpt_of(community, at_most=40)))
    assert "40 of 90 residents; filled: takes part at the start" in words_of(first)
    everybody = np.ones(90, dtype=bool)
    whole = excerpt_of(community, participating=everybody)
    assert "90 of 90" in words_of(plots.as_svg(plots.network_picture(whole)))


def test_pyplot_stays_out() -> None:
    code = "import sys, mobsim.plots; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
