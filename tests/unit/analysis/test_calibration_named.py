"""A calibration from known parameters to a scenario that names it: found again, applied, believed or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.analysis.calibrations import MEDIA, TELL, WORD_OF_MOUTH, write_calibration, write_curves

from mobsim.analysis.calibration.calibrate import Calibration, calibrate
from mobsim.analysis.calibration.outcome import calibration_file, content_of, tables_of, verdict_of
from mobsim.errors import ScenarioError
from mobsim.report.words import COMPARATIVE, comparative
from mobsim.scenario.calibrated import doubts, sealed
from mobsim.scenario.catalogue import shipped_scenarios
from mobsim.scenario.dump import digest, dump, json_schema, plain, yaml_of
from mobsim.scenario.file import load_scenario, read_scenario
from mobsim.scenario.warn import warnings_of

pytest.importorskip("optuna")

TRUTH = {TELL: 0.03, MEDIA: 0.01}
NAMES_IT = WORD_OF_MOUTH.replace(", background_media: 0.02", "") + "calibration: village.calibrated.yaml\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    write_curves(folder, WORD_OF_MOUTH, TRUTH, communities=range(920, 926), every=2)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Calibration:
    """Six villages, seen for 14 of 40 weeks."""
    file = write_calibration(
        folder,
        holdout={"last_weeks": 26},
        replicates={"communities": 16, "luck": 1},
        search={"trials": 48},
    )
    return calibrate(file, results=folder / "results")


@pytest.fixture
def village(folder: Path, found: Calibration, tmp_path: Path) -> Path:
    """A scenario that names the calibration."""
    (tmp_path / "village.calibrated.yaml").write_text(calibration_file(found), "utf-8")
    (tmp_path / "village.yaml").write_text(NAMES_IT, "utf-8")
    return tmp_path / "village.yaml"


def changed(village: Path, before: str, after: str) -> Path:
    text = village.read_text("utf-8")
    assert before in text
    village.write_text(text.replace(before, after), "utf-8")
    return village


def with_content(village: Path, **changes: Any) -> Path:
    """Write another calibration file, sealed as mobsim would."""
    file = village.with_name("village.calibrated.yaml")
    from mobsim.scenario.document import read_document

    file.write_text(yaml_of(sealed(read_document(file).data | changes)), "utf-8")
    return village


# What is found


def test_known_parameters_are_found_again(found: Calibration) -> None:
    tell, media = found.identification.factors
    assert tell.low is not None
    assert tell.high is not None
    assert media.low is not None
    assert media.high is not None
    assert tell.low <= TRUTH[TELL] <= tell.high
    assert media.low <= TRUTH[MEDIA] <= media.high
    assert tell.value == pytest.approx(TRUTH[TELL], rel=0.5)
    assert media.value == pytest.approx(TRUTH[MEDIA], rel=0.5)


def test_it_forecasts_what_was_held_out_better_than_simple_forecasts(found: Calibration) -> None:
    assert found.better_than_simple_forecasts
    assert found.rivals == (("all curves", "Bass curve"),)
    held_out = found.scores[
        (found.scores["part"] == "held out") & (found.scores["target"] == "all curves")
    ].set_index("forecaster")
    assert set(held_out.index) == {"calibrated", "scenario as it was", "mean", "last value", "Bass curve"}
    assert held_out["crps"].idxmin() == "calibrated"
    assert held_out["rmse"].idxmin() == "calibrated"
    assert held_out.loc["calibrated", "values"] == 78
    assert "better than simple forecasts: held out the last 26 weeks of curves; 78 values" in verdict_of(
        found
    )


def test_the_file_says_it_to_people_and_to_programs(found: Calibration) -> None:
    content = content_of(found)
    assert [row["name"] for row in content["fitted"]] == ["tell_participant", "media"]
    assert content["fitted_to"].startswith(
        "the share who ever took part (all of whom still do), week by week"
    )
    assert content["fitted_to"].endswith("6 communities, weeks 0 to 12")
    assert content["observed"]["files"]["adoption.csv"] == found.evidence.files["adoption.csv"]
    assert content["made_with"]["optuna"]
    assert calibration_file(found).startswith("# What mobsim calibrate found.")
    json.dumps(content, allow_nan=False)


def test_tables_hold_what_the_figures_show(found: Calibration) -> None:
    tables = tables_of(found)
    assert set(tables) == {"scores", "fit", "trials", "profiles"}
    assert tables["trials"]["chosen"].sum() == 1
    assert len(tables["fit"]) == 120
    assert (tables["fit"]["low"] <= tables["fit"]["high"]).all()


def test_nothing_held_out_is_said(folder: Path) -> None:
    file = write_calibration(folder, holdout="none", search={"trials": 16})
    found = calibrate(file, results=folder / "results")
    assert not found.better_than_simple_forecasts
    assert set(found.scores["part"]) == {"fitted"}
    assert verdict_of(found).startswith("Nothing was held out")
    assert content_of(found)["out_of_sample"] == {"in_words": "", "better_than_simple_forecasts": False}
    (folder / "village.calibrated.yaml").write_text(calibration_file(found), "utf-8")
    (folder / "named.yaml").write_text(NAMES_IT, "utf-8")
    told = comparative(load_scenario(folder / "named.yaml"))
    assert told.startswith(COMPARATIVE)
    assert "held nothing out, so that nothing is known of how well it forecasts" in told


def test_single_numbers_are_fitted_and_held_out(folder: Path) -> None:
    numbers = {"arm": "none", "standard_error": 0.03}
    file = write_calibration(
        folder,
        observed={
            "statistics": [
                {"outcome": "participation_end", "value": 0.92, "name": "at the end", **numbers},
                {"outcome": "participation_week0", "value": 0.01, **numbers},
                {"outcome": "aware_end", "value": 0.92, "name": "who know", **numbers},
            ]
        },
        holdout={"statistics": ["who know"]},
        search={"trials": 32},
    )
    found = calibrate(file, results=folder / "results")
    assert found.rivals == (("all numbers", "scenario as it was"),)
    assert found.better_than_simple_forecasts
    assert "1 value of numbers: error" in verdict_of(found)
    assert found.identification.warnings


# What a scenario does with it


def test_its_values_are_applied_and_tagged(village: Path, found: Calibration) -> None:
    scenario = load_scenario(village)
    assert scenario.behaviour.tell_participant == found.values["tell_participant"]
    assert scenario.community.groups["everybody"].background_media == found.values["media"]
    assert scenario.tags[TELL] == "[C] village, village.calibrated.yaml"
    assert scenario.tags[MEDIA] == "[C] village, village.calibrated.yaml"
    assert scenario.tags["community.residents"] == "[A]"
    assert scenario.calibration is not None
    assert scenario.calibration.name == "village"


def test_the_report_drops_its_caution(village: Path) -> None:
    scenario = load_scenario(village)
    assert doubts(scenario) == ()
    told = comparative(scenario)
    assert "uncalibrated" not in told
    assert told.startswith("Calibrated to the share who ever took part")
    assert "held out the last 26 weeks of curves; 78 values of curves: CRPS" in told
    assert "the best simple forecast (Bass curve)" in told


def test_without_a_calibration_the_caution_stays() -> None:
    assert comparative(load_scenario("vaccination_district")) == COMPARATIVE


@pytest.mark.parametrize(
    ("before", "after"), [("residents: 100 ", "residents: 120 "), ("thresholds: -1", "thresholds: -0.5")]
)
def test_made_for_another_world_the_caution_stays(village: Path, before: str, after: str) -> None:
    scenario, document = read_scenario(changed(village, before, after))
    told = comparative(scenario)
    assert told.startswith(COMPARATIVE)
    assert "was made for another world: community or behaviour differ here" in told
    line = len(NAMES_IT.splitlines())
    assert f"village.yaml, line {line}: calibration: was made for another world" in "".join(
        warnings_of(scenario, document)
    )


def test_other_arms_money_and_weeks_are_no_other_world(village: Path) -> None:
    scenario = load_scenario(changed(village, "horizon_weeks: 40", "horizon_weeks: 50"))
    assert doubts(scenario) == ()


def test_a_value_that_is_changed_in_a_sweep_brings_the_caution_back(village: Path) -> None:
    scenario = load_scenario(village, overrides={TELL: 0.05})
    assert scenario.behaviour.tell_participant == 0.05
    assert "behaviour.tell_participant has another value here" in comparative(scenario)


def test_worse_than_simple_forecasts_the_caution_stays(village: Path) -> None:
    worse = {"in_words": "CRPS 9 points, mean 3", "better_than_simple_forecasts": False}
    told = comparative(load_scenario(with_content(village, out_of_sample=worse)))
    assert told.startswith(COMPARATIVE)
    assert "which is not better than simple forecasts: CRPS 9 points, mean 3." in told


def test_what_is_not_identified_stands_among_the_cautions_and_warnings(village: Path) -> None:
    known = {"trials_that_fit_as_well": 9, "warnings": ["media is not identified: any value fits as well"]}
    scenario, document = read_scenario(with_content(village, identification=known))
    assert "media is not identified" in "".join(warnings_of(scenario, document))


def test_points_of_a_sweep_need_no_calibration_file(village: Path) -> None:
    from mobsim.experiment.plan import plan_from, plan_record, plan_sweep

    design = {
        "name": "around",
        "scenario": str(village),
        "factors": {TELL: {"low": 0.01, "high": 0.05, "levels": 2}, "behaviour.habit": {"values": [0, 0.1]}},
        "design": {"kind": "grid"},
    }
    plan = plan_sweep(design)
    village.with_name("village.calibrated.yaml").unlink()
    again = plan_from(json.loads(json.dumps(plan_record(plan))))
    assert plan.base.calibration is not None
    assert [again.world(k).behaviour.tell_participant for k in range(4)] == [0.01, 0.01, 0.05, 0.05]


def test_the_resolved_form_loads_back_without_the_file(village: Path) -> None:
    scenario = load_scenario(village)
    resolved = village.parent / "elsewhere" / "resolved.yaml"
    resolved.parent.mkdir()
    resolved.write_text(dump(scenario), "utf-8")
    again = load_scenario(resolved)
    assert plain(again) == plain(scenario)
    assert digest(again) == digest(scenario)
    assert comparative(again) == comparative(scenario)


def test_a_scenario_that_names_none_is_written_as_before() -> None:
    for path in shipped_scenarios().values():
        assert "calibration" not in plain(load_scenario(path))


def test_editors_offer_the_name_of_a_file() -> None:
    part = json_schema()["properties"]["calibration"]
    assert part["anyOf"][0]["type"] == "string"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "  tell_participant: 0.5 # [A]",
            "behaviour.tell_participant is 0.5, but the calibration 'village.calibrated.yaml' says 0.0",
        ),
        ("  lapse: 0.1 # [A]", ""),
    ],
)
def test_a_scenario_that_says_otherwise_itself_is_refused(village: Path, line: str, sentence: str) -> None:
    changed(village, "behaviour:\n", f"behaviour:\n{line}\n")
    if not sentence:
        assert doubts(load_scenario(village)) == (
            "was made for another world: community or behaviour differ here",
        )
        return
    with pytest.raises(ScenarioError) as told:
        load_scenario(village)
    assert sentence in str(told.value)
    assert "village.yaml, line 12: " in str(told.value)
    assert str(told.value).endswith("; allowed: to leave it out here, or the same")


def test_the_same_value_is_no_conflict(village: Path, found: Calibration) -> None:
    value = found.values["tell_participant"]
    changed(village, "behaviour:\n", f"behaviour:\n  tell_participant: {value!r}  # [C] village\n")
    assert doubts(load_scenario(village)) == ()


def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(village: Path) -> None:
    file = village.with_name("village.calibrated.yaml")
    text = file.read_text("utf-8")
    edits = {
        text.replace("value: 0.0", "value: 0.1", 1): "which was changed after mobsim calibrate wrote it",
        WORD_OF_MOUTH: "which is not a calibration file; allowed: one that mobsim calibrate wrote",
        "a: [": "this is not YAML",
    }
    for content, sentence in edits.items():
        file.write_text(content, "utf-8")
        with pytest.raises(ScenarioError) as told:
            load_scenario(village)
        assert sentence in str(told.value)
        assert f"village.yaml, line {len(NAMES_IT.splitlines())}: calibration is" in str(told.value)
    file.unlink()
    with pytest.raises(ScenarioError, match=r"calibration is 'village.calibrated.yaml': .* is not there"):
        load_scenario(village)


def test_places_that_a_scenario_leaves_out_are_completed(tmp_path: Path) -> None:
    """Thresholds are a block with a kind, and groups have defaults of their own."""
    content = {
        "schema_version": 1,
        "kind": "calibration of a mobsim scenario",
        "name": "made_up",
        "fitted": [
            {"name": "mean", "places": ["behaviour.thresholds.mean"], "value": 0.5},
            {"name": "barrier", "places": ["community.groups.marginalized.barrier"], "value": 0.25},
            {"name": "end", "places": ["campaign.funding_ends_week"], "value": 70},
            {"name": "share", "places": ["arms.outreach.activities[1].share"], "value": 0.4},
        ],
        "fitted_to": "nothing",
        "out_of_sample": {"in_words": "", "better_than_simple_forecasts": False},
        "identification": {"trials_that_fit_as_well": 1, "warnings": []},
        "made_for": {"world_sha256": "0" * 64},
    }
    (tmp_path / "made_up.yaml").write_text(yaml_of(sealed(content)), "utf-8")
    text = "schema_version: 2\ntitle: t\ndescription: d\ncalibration: made_up.yaml\n"
    (tmp_path / "short.yaml").write_text(text, "utf-8")
    (tmp_path / "plain.yaml").write_text(text.replace("calibration: made_up.yaml\n", ""), "utf-8")
    with_it, without = load_scenario(tmp_path / "short.yaml"), load_scenario(tmp_path / "plain.yaml")
    assert with_it.behaviour.thresholds.mean == 0.5  # type: ignore[union-attr]
    assert with_it.community.groups["marginalized"].barrier == 0.25
    assert with_it.campaign.funding_ends_week == 70
    expected = plain(without)
    expected["behaviour"]["thresholds"]["mean"] = 0.5
    expected["community"]["groups"]["marginalized"]["barrier"] = 0.25
    expected["campaign"]["funding_ends_week"] = 70
    got = plain(with_it)
    for section in ("community", "behaviour", "campaign", "arms", "activities"):
        assert got[section] == expected[section], section
    assert set(with_it.tags) == set(with_it.calibration.values)  # type: ignore[union-attr]


def test_figures_are_drawn(found: Calibration, tmp_path: Path) -> None:
    from dataclasses import replace

    from mobsim.report.calibration_results import write_calibration as write

    file = write(replace(found, folder=tmp_path))
    assert file == tmp_path / "fit" / "village.calibrated.yaml"
    figures = sorted(path.name for path in (tmp_path / "fit" / "figures").iterdir())
    assert figures == [f"{name}.{kind}" for name in ("fit", "pairs", "profiles") for kind in ("png", "svg")]
    assert all(path.stat().st_size > 2000 for path in (tmp_path / "fit" / "figures").iterdir())
    text = (tmp_path / "fit" / "figures" / "fit.svg").read_text("utf-8")
    for word in ("calibrated", "Bass curve", "observed", "middle 80 %"):
        assert word in text
    first = {path.name: path.read_bytes() for path in (tmp_path / "fit").rglob("*.*")}
    shutil.rmtree(tmp_path / "fit")
    write(replace(found, folder=tmp_path))
    assert {path.name: path.read_bytes() for path in (tmp_path / "fit").rglob("*.*")} == first
