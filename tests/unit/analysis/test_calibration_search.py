"""A search that goes on where it stopped, and says which values fit as well; simulations are made up here."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.analysis.calibrations import FOLLOWING, WORD_OF_MOUTH, asks

from mobsim.analysis.calibration import search as searching
from mobsim.analysis.calibration.calibrate import Calibration, calibrate, folder_of
from mobsim.analysis.calibration.plan import CalibrationPlan, plan_calibration
from mobsim.analysis.calibration.simulated import Simulator
from mobsim.errors import MobsimError, ResultsError, UsageError

optuna = pytest.importorskip("optuna")

WEIGHT, HIGH, NOISE = "behaviour.social_weight", "behaviour.thresholds.high", "behaviour.noise"
LEVEL = Callable[[Mapping[str, Any]], float]
"""Takes what a trial sets and returns the speed with which everybody joins."""

TWO = {WEIGHT: {"low": 0.2, "high": 2.0}, HIGH: {"low": 0.2, "high": 2.0}}


def made_up(speed: LEVEL) -> Callable[..., Any]:
    """Return what stands for a simulation: curves with a speed of their own in every community."""

    def predict(self: Simulator, trials: Sequence[Mapping[str, Any]], progress: Any = None) -> Any:
        weeks = self.evidence.table["week"].to_numpy()
        found = np.empty((len(trials), self.n_replicates, len(weeks)))
        for place, trial in enumerate(trials):
            for k, community in enumerate(self.communities):
                own = np.random.default_rng(community).normal(0, 0.02)
                found[place, k] = 1 - np.exp(-max(0.0, speed(trial) + own) * weeks)
            if progress is not None:
                progress(place + 1, len(trials))
        return found

    return predict


def ratio(trial: Mapping[str, Any]) -> float:
    return 0.1 * trial.get(WEIGHT, 1.0) / trial.get(HIGH, 1.0)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CalibrationPlan:
    return plan_with(tmp_path, monkeypatch, ratio)


def plan_with(folder: Path, monkeypatch: pytest.MonkeyPatch, speed: LEVEL, **changes: Any) -> CalibrationPlan:
    monkeypatch.setattr(Simulator, "predict", made_up(speed))
    (folder / "world.yaml").write_text(FOLLOWING, "utf-8")
    lines = ["community,week,value"]
    for community in range(6):
        own = np.random.default_rng(100 + community).normal(0, 0.02)
        lines += [f"v{community},{week},{1 - np.exp(-(0.1 + own) * week):.5f}" for week in range(0, 16, 3)]
    (folder / "adoption.csv").write_text("\n".join(lines), "utf-8")
    asked = asks(**{"factors": TWO, "search": {"trials": 64, "batch": 8}} | changes)
    monkeypatch.chdir(folder)
    return plan_calibration(asked)


def trials_of(plan: CalibrationPlan, results: Path, n: int, **more: Any) -> list[Mapping[str, Any]]:
    return list(searching.search(plan, folder_of(plan, results), n_trials=n, **more).trials)


class Stop(BaseException):
    """Ends a search as a kill would: nothing after it is done."""


# Going on


@pytest.mark.slow
def test_interrupted_anywhere_a_search_ends_with_the_same_trials(
    plan: CalibrationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trials_of(plan, tmp_path / "whole", 64)
    for method, times in (("ask", (0, 5, 12)), ("add_trial", (3, 40, 91))):
        for after in times:
            results = tmp_path / f"{method}{after}"
            own, calls = getattr(optuna.Study, method), iter(range(10_000))

            def stopping(
                study: Any, *args: Any, own: Any = own, calls: Any = calls, n: int = after, **kwargs: Any
            ) -> Any:
                if next(calls) == n:
                    raise Stop
                return own(study, *args, **kwargs)

            with monkeypatch.context() as patch:
                patch.setattr(optuna.Study, method, stopping)
                with pytest.raises(Stop):
                    trials_of(plan, results, 64)
            assert trials_of(plan, results, 64) == whole, (method, after)


def test_what_is_kept_is_not_simulated_again(
    plan: CalibrationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trials_of(plan, tmp_path, 32)
    monkeypatch.setattr(Simulator, "predict", None)
    found = searching.search(plan, folder_of(plan, tmp_path), n_trials=32)
    assert list(found.trials) == first
    assert found.resumed == 32


def test_more_trials_go_on_from_those_before(plan: CalibrationPlan, tmp_path: Path) -> None:
    first = trials_of(plan, tmp_path, 40)
    more = trials_of(plan, tmp_path, 64)
    assert more[:40] == first
    assert len(more) == 64
    assert more == trials_of(plan, tmp_path / "whole", 64)


def test_a_batch_whose_predictions_are_damaged_is_simulated_again(
    plan: CalibrationPlan, tmp_path: Path
) -> None:
    whole = trials_of(plan, tmp_path, 48)
    for name, content in (("0001", b""), ("0004", b"\x93NUMPY rubbish")):
        (folder_of(plan, tmp_path) / "batches" / f"{name}.npy").write_bytes(content)
    found = searching.search(plan, folder_of(plan, tmp_path), n_trials=48)
    assert list(found.trials) == whole
    assert found.resumed == 32


@pytest.mark.slow
def test_killed_a_search_ends_with_the_same_file(tmp_path: Path) -> None:
    from tests.unit.analysis.calibrations import MEDIA, TELL, write_calibration, write_curves

    from mobsim.analysis.calibration.outcome import calibration_file

    write_curves(tmp_path, WORD_OF_MOUTH, {TELL: 0.03, MEDIA: 0.01})
    file = write_calibration(tmp_path, search={"trials": 48, "batch": 8})
    words = [sys.executable, "-m", "mobsim", "calibrate", str(file), "--results", str(tmp_path / "killed")]
    for batches in (1, 4):
        process = subprocess.Popen([*words, "--quiet"], env=dict(os.environ), stdout=subprocess.DEVNULL)
        while len(list(tmp_path.glob("killed/**/*.npy"))) < batches:
            assert process.poll() is None
        process.kill()
        process.wait()
    whole = calibration_file(calibrate(file, results=tmp_path / "whole"))
    again = calibrate(file, results=tmp_path / "killed")
    assert again.resumed >= 24
    assert calibration_file(again) == whole


def test_threads_change_nothing(plan: CalibrationPlan, tmp_path: Path) -> None:
    one = calibrate(plan, results=tmp_path / "one", trials=40, workers=1)
    two = calibrate(plan, results=tmp_path / "two", trials=40, workers=2)
    assert one.trials == two.trials
    assert one.scores.equals(two.scores)


def test_progress_counts_up_to_all_trials(plan: CalibrationPlan, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    trials_of(plan, tmp_path, 24, progress=lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[-1] == (24, 24)
    assert told.count((24, 24)) == 1


# What can go wrong


def test_two_searches_in_one_folder_are_refused(plan: CalibrationPlan, tmp_path: Path) -> None:
    from mobsim.experiment.lock import WriterLock

    folder = folder_of(plan, tmp_path)
    folder.mkdir(parents=True)
    lock = WriterLock(folder / "study.sqlite")
    with pytest.raises(ResultsError, match="is writing it; wait until it is done"):
        trials_of(plan, tmp_path, 8)
    lock.release()
    assert len(trials_of(plan, tmp_path, 8)) == 8


def test_a_damaged_study_is_told_in_one_sentence(plan: CalibrationPlan, tmp_path: Path) -> None:
    folder = folder_of(plan, tmp_path)
    folder.mkdir(parents=True)
    (folder / "study.sqlite").write_bytes(b"no database at all" * 400)
    with pytest.raises(ResultsError, match=r"cannot be read or written .*; if it is damaged, delete"):
        trials_of(plan, tmp_path, 8)


def test_without_optuna_one_sentence_says_what_to_install(
    plan: CalibrationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "optuna":
            raise ImportError(name)
        return own(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r'mobsim calibrate needs: pip install "mobsim\[calibration\]"'):
        calibrate(plan, results=tmp_path, trials=8)


def test_numbers_of_trials_are_checked(plan: CalibrationPlan, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="trials: found 0; allowed are whole numbers from 1 to 100,000"):
        calibrate(plan, results=tmp_path, trials=0)


def test_optuna_says_nothing_and_is_left_as_it_was(
    plan: CalibrationPlan, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = optuna.logging.get_verbosity()
    trials_of(plan, tmp_path, 48)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


def test_if_the_scenario_refuses_every_trial_one_sentence_says_so(
    plan: CalibrationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Simulator.predict
    monkeypatch.setattr(Simulator, "predict", lambda *args: own(*args) * np.nan)
    with pytest.raises(MobsimError, match="the scenario refuses every one of 16 trials"):
        calibrate(plan, results=tmp_path, trials=16)


def test_trials_that_are_refused_count_and_are_not_chosen(
    plan: CalibrationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Simulator.predict

    def half(self: Simulator, trials: Sequence[Mapping[str, Any]], progress: Any = None) -> Any:
        found = own(self, trials, progress)
        found[[trial.get(WEIGHT, 0) > 1 for trial in trials]] = np.nan
        return found

    monkeypatch.setattr(Simulator, "predict", half)
    found = calibrate(plan, results=tmp_path, trials=48)
    refused = [trial["social_weight"] > 1 for trial in found.trials]
    assert 0 < sum(refused) < 48
    assert np.isnan(found.judgement.score).tolist() == refused
    assert not found.judgement.accepted[refused].any()
    assert trials_of(plan, tmp_path, 48) == list(found.trials)


# What is known


def calibrated(plan: CalibrationPlan, folder: Path, n: int = 64) -> Calibration:
    return calibrate(plan, results=folder / "results", trials=n)


def test_a_pair_that_is_known_only_together_is_told(plan: CalibrationPlan, tmp_path: Path) -> None:
    known = calibrated(plan, tmp_path).identification
    warnings = " / ".join(known.warnings)
    assert [one.identified for one in known.factors] == [False, False]
    assert "social_weight is not identified: any value from 0." in warnings
    assert "fits as well, but only together with high" in warnings
    assert (
        "social_weight and high are known only together: more of one goes with more of the other" in warnings
    )


def test_a_factor_without_effect_is_not_identified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factors = {WEIGHT: {"low": 0.2, "high": 2.0}, NOISE: {"low": 0.0, "high": 0.3}}
    plan = plan_with(tmp_path, monkeypatch, ratio, factors=factors)
    found = calibrated(plan, tmp_path)
    weight, noise = found.identification.factors
    assert weight.identified
    assert weight.low is not None
    assert weight.high is not None
    assert weight.low <= 1.0 <= weight.high
    assert found.values["social_weight"] == pytest.approx(1.0, abs=0.25)
    assert not noise.identified
    assert noise.sentence.startswith("noise is not identified: any value from 0.0")
    assert found.identification.together == ()


def test_listed_and_whole_values_can_be_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def speed(trial: Mapping[str, Any]) -> float:
        return (
            0.02 * trial.get("campaign.horizon_weeks", 20) * (1 + trial.get("behaviour.irreversible", 1)) / 8
        )

    factors = {
        "behaviour.irreversible": {"values": [True, False], "labels": ["stays", "can leave"]},
        "campaign.horizon_weeks": {"low": 16, "high": 60, "whole": True},
    }
    found = calibrated(plan_with(tmp_path, monkeypatch, speed, factors=factors), tmp_path)
    stays, weeks = found.identification.factors
    assert {type(trial["horizon_weeks"]) for trial in found.trials} == {int}
    assert stays.fit_as_well == (True, False)
    assert stays.sentence == "irreversible is not identified: stays, can leave fit as well as each other"
    assert weeks.low is not None
    assert weeks.low <= 20


def test_the_true_values_pass_as_often_as_they_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 95 % wanted, fewer than 25 of 30 has a chance of one in a thousand."""
    from mobsim.analysis.calibration.identify import Judge
    from mobsim.analysis.calibration.score import Scorer

    plan = plan_with(tmp_path, monkeypatch, ratio, factors={WEIGHT: {"low": 0.2, "high": 2.0}})
    grid = [{WEIGHT: weight} for weight in np.linspace(0.5, 1.5, 21)]
    table = plan.evidence.table
    passed = 0
    for data in range(30):
        values = np.concatenate(
            [
                1 - np.exp(-(0.1 + np.random.default_rng([data, c]).normal(0, 0.02)) * rows["week"])
                for c, (_, rows) in enumerate(table.groupby("community", sort=False))
            ]
        )
        evidence = replace(plan.evidence, table=table.assign(value=values))
        numbers = tuple(range(1000 * data, 1000 * data + 16))
        simulator = replace(plan.simulator, evidence=evidence, communities=numbers)
        fresh = replace(simulator, communities=tuple(number + 500 for number in numbers))
        scorer = Scorer(evidence)
        judge = Judge(scorer, simulator.units, 1)
        for simulated in simulator.predict(grid):
            judge.add(simulated)
        best = judge.best()
        again = scorer.ensemble(fresh.predict([grid[best]])[0], fresh.units)
        passed += int(judge.judge(best, again).accepted[10])
    assert passed >= 25


def test_profiles_are_lowest_where_it_fits(plan: CalibrationPlan, tmp_path: Path) -> None:
    from mobsim.analysis.calibration.identify import profile

    found = calibrated(plan, tmp_path)
    rows = profile(plan.factors[0], found.trials, found.judgement)
    assert sum(row["trials"] for row in rows) == 64
    assert rows[0]["from"] == 0.2
    assert rows[-1]["to"] == 2.0
    assert sum(row["accepted"] for row in rows) == found.identification.accepted
    assert min(row["score"] for row in rows) == np.nanmin(found.judgement.score)
