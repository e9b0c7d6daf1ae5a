"""The scenario fitted to some villages and held against the others, with and without ties."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from scipy.stats import t

from mobsim.analysis.calibration.baselines import BASELINES
from mobsim.analysis.calibration.calibrate import Calibration, calibrate
from mobsim.analysis.calibration.score import crps_normal
from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.worlds import Villages, write_villages
from mobsim.scenario.dump import yaml_of

HERE = Path(__file__).resolve().parent

TELLING, WEIGHT, VISIBILITY = "behaviour.tell_participant", "behaviour.social_weight", "behaviour.visibility"

MODELS: dict[str, dict[str, float]] = {
    "ties": {},
    "mixing": {TELLING: 0.0, VISIBILITY: 1.0},
    "nobody": {TELLING: 0.0, WEIGHT: 0.0},
}
"""What is set in each: told and moved by women one names; moved by all of the village; by nobody."""

OWN_START = "own start"
"""A forecast that knows how a village began: its share in 1964 plus the mean growth of fitted villages."""

FOLDS = (0, 2, 1)
"""Villages whose number leaves this remainder by 3 are held out: the first as declared, then in turn."""

FEWER_TRIALS = 96
"""Trials where villages are turned round."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """One model fitted with some villages held out."""

    model: str
    fold: int
    found: Calibration


def asked(model: str, fold: int, villages: Villages) -> dict[str, Any]:
    """Return the calibration file of a model and fold, as plain data."""
    plain: dict[str, Any] = YAML(typ="safe").load(HERE / "calibration.yaml")
    held = [name for name, label in villages.labels.items() if int(label) % 3 == fold]
    factors = {place: spec for place, spec in plain["factors"].items() if place not in MODELS[model]}
    more = {"name": f"korean_{model}_{fold}", "set": MODELS[model], "factors": factors}
    if fold != FOLDS[0]:
        more |= {"search": {**plain["search"], "trials": FEWER_TRIALS}}
    return {**plain, **more, "holdout": {"communities": held}}


def write_worlds(data: ObservedDiffusion, folder: Path) -> Villages:
    """Write the villages beside the scenario and the calibration file."""
    villages = write_villages(data, folder)
    for name in ("scenario.yaml", "calibration.yaml"):
        shutil.copyfile(HERE / name, folder / name)
    return villages


def fit(model: str, fold: int, villages: Villages, results: Path, workers: int | None) -> Fitted:
    """Fit a model."""
    file = villages.folder / f"{model}_{fold}.yaml"
    file.write_text(yaml_of(asked(model, fold, villages)), encoding="utf-8", newline="\n")
    return Fitted(model, fold, calibrate(file, results=results, workers=workers))


def scores_of(fitted: Fitted, starts: Mapping[str, float]) -> pd.DataFrame:
    """Return the mean CRPS, in points, of each forecaster in each village, and the share inside its band."""
    found = fitted.found
    evidence = found.evidence
    table = evidence.table
    bands = {fitted.model: (found.scorer.terms(found.calibrated), *_inside(found))}
    if fitted.model == "ties":
        forecasts = {name: (found.forecasts[name].mean, found.forecasts[name].sd) for name in BASELINES}
        forecasts[OWN_START] = own_start(table, starts)
        for name, (mean, sd) in forecasts.items():
            bands[name] = (crps_normal(evidence.values, mean, sd), mean - 1.2816 * sd, mean + 1.2816 * sd)
    rows = []
    for name, (terms, low, high) in bands.items():
        inside = (low <= evidence.values) & (evidence.values <= high)
        by_village = pd.DataFrame(
            {
                "village": table["community"],
                "part": np.where(evidence.held_out, "held out", "fitted"),
                "crps": 100 * terms,
                "inside": 100.0 * inside,
            }
        )
        means = by_village.groupby(["part", "village"], as_index=False).mean()
        rows.append(means.assign(forecaster=name, fold=fitted.fold))
    return pd.concat(rows, ignore_index=True)


def _inside(found: Calibration) -> tuple[Any, Any]:
    fit_table = found.fit
    return fit_table["low"].to_numpy(np.float64), fit_table["high"].to_numpy(np.float64)


def own_start(table: pd.DataFrame, starts: Mapping[str, float]) -> tuple[Any, Any]:
    """Return what is forecast from where each village began, and its spread."""
    began = table["community"].map(starts)
    grown = table["value"] - began
    seen = ~table["held_out"]
    mean, sd = (grown[seen].groupby(table["week"][seen]).agg(how) for how in ("mean", "std"))
    return (
        (began + table["week"].map(mean)).to_numpy(np.float64),
        table["week"].map(sd).to_numpy(np.float64),
    )


def against(scores: pd.DataFrame, one: str, other: str) -> dict[str, float]:
    """Return the mean difference of two forecasters over villages, one minus other, with 95 % limits."""
    wide = scores.pivot(index="village", columns="forecaster", values="crps")
    difference = (wide[one] - wide[other]).to_numpy(np.float64)
    n = len(difference)
    width = float(t(n - 1).ppf(0.975) * difference.std(ddof=1) / np.sqrt(n))
    mean = float(difference.mean())
    return {"estimate": mean, "low": mean - width, "high": mean + width}


def factors_of(fitted: Fitted) -> pd.DataFrame:
    """Return what is known of each factor."""
    known = fitted.found.identification
    return pd.DataFrame(
        [
            {
                "model": fitted.model,
                "fold": fitted.fold,
                "factor": factor.name,
                "estimate": factor.value,
                "low": factor.low,
                "high": factor.high,
                "identified": factor.identified,
                "trials_that_fit_as_well": known.accepted,
            }
            for factor in known.factors
        ]
    )
