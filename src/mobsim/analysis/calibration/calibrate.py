"""Calibrate a scenario: search, run the best again with fresh replicates, score what was held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobsim.analysis.calibration.baselines import BASELINES, Forecast, forecasts
from mobsim.analysis.calibration.identify import Identification, Judgement, identify
from mobsim.analysis.calibration.observed import Evidence, Floats
from mobsim.analysis.calibration.plan import CalibrationPlan, plan_calibration
from mobsim.analysis.calibration.score import Ensemble, Scorer, crps_normal, jackknife_error
from mobsim.analysis.calibration.search import search
from mobsim.analysis.calibration.spec import CalibrationSpec
from mobsim.errors import ResultsError, UsageError

if TYPE_CHECKING:
    import pandas as pd

CALIBRATED, AS_IT_WAS = "calibrated", "scenario as it was"
FITTED, HELD_OUT = "fitted", "held out"

CURVES, NUMBERS, ALL = "all curves", "all numbers", "all"

BAND = (0.1, 0.9)
"""The middle 80 % of what is predicted."""

SURE = 1.645
"""The calibrated scenario has to be better by this many standard errors of its own noise."""

MOST_TRIALS = 100_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Calibration:
    """What came of a calibration.

    Attributes
    ----------
    plan : what was asked.
    folder : where the search is kept.
    trials : the values of every trial, by the factor's name.
    judgement : how the trials compare with the one that was chosen.
    best : the number of the trial that was chosen.
    identification : what is known of each factor.
    calibrated, as_it_was : what the scenario predicts with and without the fitted values, on fresh
        replicates; the latter is None if the scenario refuses to run as it was.
    resumed : how many trials were there before.
    """

    plan: CalibrationPlan
    folder: Path
    trials: tuple[Mapping[str, Any], ...]
    judgement: Judgement
    best: int
    identification: Identification
    calibrated: Ensemble
    as_it_was: Ensemble | None
    resumed: int

    @property
    def values(self) -> dict[str, Any]:
        """The fitted values, by the factor's name."""
        return dict(self.trials[self.best])

    @property
    def evidence(self) -> Evidence:
        """What was observed."""
        return self.plan.evidence

    @cached_property
    def scorer(self) -> Scorer:
        """Scores what is predicted."""
        return Scorer(self.plan.evidence)

    @cached_property
    def forecasts(self) -> dict[str, Forecast]:
        """What simple forecasts say about the curves."""
        return forecasts(self.evidence)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a forecaster, part and target.

        forecaster : calibrated, scenario as it was, mean, last value, Bass curve. part : fitted or held out.
        target : name, or all curves, all numbers, all. values : how many. score : mean CRPS in units of the
        target's scale, what is minimized. error : its noise. crps, rmse : in the unit of what was observed,
        None where targets differ in unit. inside : share of values inside the predicted 80 %.
        """
        import pandas as pd

        rows = [
            {"forecaster": name, "part": part, "target": target, **self._scored(name, rows)}
            for name in (CALIBRATED, AS_IT_WAS, *BASELINES)
            for part in (FITTED, HELD_OUT)
            for target, rows in self._targets(part).items()
            if self._forecasts(name, rows)
        ]
        return pd.DataFrame(rows)

    @cached_property
    def fit(self) -> pd.DataFrame:
        """One row an observed value: what was observed, and what is predicted, with the middle 80 %."""
        evidence = self.evidence
        table = evidence.table.copy()
        table["target"] = [evidence.targets[number].name for number in evidence.target]
        mean, _ = self.scorer.predicted(self.calibrated)
        table["predicted"] = mean
        table["low"], table["high"] = self._band(self.calibrated)
        if self.as_it_was is not None:
            table["as_it_was"] = self.scorer.predicted(self.as_it_was)[0]
        for name, forecast in self.forecasts.items():
            table[name.replace(" ", "_").lower()] = forecast.mean
        return table

    @property
    def out_of_sample(self) -> bool:
        """Whether anything was held out."""
        return bool(self.evidence.held_out.any())

    @cached_property
    def better_than_simple_forecasts(self) -> bool:
        """Whether the calibrated scenario forecast all that was held out better than every simple forecast.

        Curves are held against mean, last value and Bass curve, single numbers against the scenario as it
        was.
        Better means: by more than 1.645 standard errors of the simulation's own noise.
        """
        compared = [self._beats(rival, target) for target, rival in self.rivals]
        return bool(compared) and all(compared)

    @cached_property
    def rivals(self) -> tuple[tuple[str, str], ...]:
        """What was held out, and the best simple forecast of it: (all curves or all numbers, forecaster)."""
        found = []
        for target, names in ((CURVES, BASELINES), (NUMBERS, (AS_IT_WAS,))):
            held = {name: self.score(name, HELD_OUT, target) for name in names}
            known = {name: value for name, value in held.items() if value is not None}
            if known:
                found.append((target, min(known, key=lambda name: known[name])))
        return tuple(found)

    def score(self, forecaster: str, part: str, target: str, column: str = "score") -> float | None:
        """Return one cell of the scores, or None if there is no such row.

        Parameters
        ----------
        forecaster, part, target : which row.
        column : which column.
        """
        scores = self.scores
        rows = scores[
            (scores["forecaster"] == forecaster) & (scores["part"] == part) & (scores["target"] == target)
        ]
        return None if rows.empty else float(rows[column].iloc[0])

    def _beats(self, rival: str, target: str) -> bool:
        own, error = (self.score(CALIBRATED, HELD_OUT, target, column) for column in ("score", "error"))
        other = self.score(rival, HELD_OUT, target)
        assert own is not None
        assert error is not None
        assert other is not None
        return own + SURE * error < other

    def _targets(self, part: str) -> dict[str, npt.NDArray[np.bool_]]:
        """Return the rows of every target, and of several together, in one part of what was observed."""
        evidence = self.evidence
        inside = evidence.held_out == (part == HELD_OUT)
        found = {target.name: inside & (evidence.target == k) for k, target in enumerate(evidence.targets)}
        found |= {
            CURVES: inside & evidence.of_curve,
            NUMBERS: inside & ~evidence.of_curve,
            ALL: inside,
        }
        return {name: rows for name, rows in found.items() if rows.any()}

    def _forecasts(self, name: str, rows: npt.NDArray[np.bool_]) -> bool:
        """Say whether a forecaster forecasts all these rows."""
        if name == AS_IT_WAS:
            return self.as_it_was is not None
        return name == CALIBRATED or not np.isnan(self.forecasts[name].mean[rows]).any()

    def _scored(self, name: str, rows: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """Score one forecaster on some rows."""
        weights = self.evidence.weights(rows)
        error = 0.0
        if name in BASELINES:
            forecast = self.forecasts[name]
            mean, sd = forecast.mean, forecast.sd
            terms = np.zeros(len(rows))
            terms[rows] = crps_normal(self.evidence.values[rows], mean[rows], sd[rows])
            low, high = mean - 1.2816 * sd, mean + 1.2816 * sd
        else:
            ensemble = self.calibrated if name == CALIBRATED else self.as_it_was
            assert ensemble is not None
            terms = self.scorer.terms(ensemble)
            error = jackknife_error(self.scorer.jackknife(ensemble) @ weights)
            mean, _ = self.scorer.predicted(ensemble)
            low, high = self._band(ensemble)
        observed = self.evidence.values
        one_unit = len(np.unique(self.evidence.target[rows])) == 1 or self.evidence.of_curve[rows].all()
        return {
            "values": int(rows.sum()),
            "score": float(terms[rows] @ weights[rows]),
            "error": error,
            "crps": float(terms[rows].mean()) if one_unit else None,
            "rmse": float(np.sqrt(np.mean((mean - observed)[rows] ** 2))) if one_unit else None,
            "inside": float(np.mean((low <= observed)[rows] & (observed <= high)[rows])),
        }

    def _band(self, ensemble: Ensemble) -> tuple[Floats, Floats]:
        """Return (rows,) the ends of the middle 80 % of what is predicted, errors of observation included."""
        from scipy.special import ndtri

        z = ndtri((np.arange(10) + 0.5) / 10)
        errors = self.evidence.errors
        seen = (ensemble.simulated[:, None] + z[None, :, None] * errors).reshape(-1, len(errors))
        low, high = np.quantile(seen, BAND, axis=0)
        mean, sd = self.scorer.predicted(ensemble)
        curve = self.evidence.of_curve
        width = ndtri(BAND[1]) * sd
        return np.where(curve, low, mean - width), np.where(curve, high, mean + width)


def calibrate(
    spec: CalibrationSpec | CalibrationPlan | str | Path | Mapping[str, Any],
    *,
    results: str | Path = "results",
    trials: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Fit values of a scenario to what was observed, and score them on what was held out.

    Parameters
    ----------
    spec : a calibration, its file, what such a file says as plain data, or a plan made of it.
    results : folder of all results; the search is kept in <name>/<digest> in it.
    trials : sets of values that are tried in all, those of earlier calls included; none: as the file says.
    workers : threads to use; none: one for each processor.
    progress : called with (trials done, all trials).

    Returns
    -------
    Calibration

    Raises
    ------
    MobsimError
        with one sentence, if something does not fit, Optuna is missing, or the folder cannot be used.

    Notes
    -----
    What is interrupted or killed goes on with the same call, and finds the same as if it had not been.
    """
    from dataclasses import replace

    from mobsim.engine.run import threads_to_use

    plan = spec if isinstance(spec, CalibrationPlan) else plan_calibration(spec)
    n_trials = plan.spec.search.trials if trials is None else trials
    if not 1 <= n_trials <= MOST_TRIALS:
        raise UsageError(f"trials: found {n_trials}; allowed are whole numbers from 1 to {MOST_TRIALS:,}")
    threads = threads_to_use(workers)
    plan = replace(
        plan, simulator=replace(plan.simulator, threads=threads), fresh=replace(plan.fresh, threads=threads)
    )
    folder = folder_of(plan, results)
    found = search(plan, folder, n_trials=n_trials, progress=progress)
    scores = found.judge.scores
    if np.isnan(scores).all():
        raise ResultsError(
            f"{plan.spec.name}: the scenario refuses every one of {len(scores)} trials, or has none of "
            f"the observed "
            "outcomes; look at the ranges of the factors"
        )
    finalists = _finalists(scores, found.trials, plan.spec.search.finalists)
    predicted = plan.fresh.predict([*(plan.overrides(found.trials[k]) for k in finalists), {}])
    scorer = Scorer(plan.evidence)
    weights = plan.evidence.weights(~plan.evidence.held_out)
    ensembles = [None if np.isnan(one).any() else scorer.ensemble(one, plan.fresh.units) for one in predicted]
    fresh = [np.inf if one is None else float(scorer.terms(one) @ weights) for one in ensembles[:-1]]
    place = int(np.argmin(fresh))
    best, calibrated = finalists[place], ensembles[place]
    if calibrated is None:
        raise ResultsError(
            f"{plan.spec.name}: none of the best trials has the observed outcomes on fresh replicates"
        )
    judgement = found.judge.judge(best, calibrated)
    return Calibration(
        plan=plan,
        folder=folder,
        trials=found.trials,
        judgement=judgement,
        best=best,
        identification=identify(plan.factors, found.trials, judgement, best),
        calibrated=calibrated,
        as_it_was=ensembles[-1],
        resumed=found.resumed,
    )


def folder_of(plan: CalibrationPlan, results: str | Path) -> Path:
    """Return the folder of a calibration.

    Parameters
    ----------
    plan : the plan.
    results : folder of all results.
    """
    return Path(results) / plan.spec.name / plan.digest[:12]


def _finalists(scores: Floats, trials: tuple[Mapping[str, Any], ...], most: int) -> list[int]:
    """Return the numbers of the trials with the best scores, different ones."""
    chosen: list[int] = []
    for number in np.argsort(scores, kind="stable"):
        if len(chosen) == most or np.isnan(scores[number]):
            break
        if all(trials[number] != trials[other] for other in chosen):
            chosen.append(int(number))
    return chosen
