"""Simple forecasts of a curve, which know nothing of people: what a calibrated model has to do better than.

* mean: the mean of what was seen, with its spread;
* last value: the last value seen, less sure the farther it looks ahead (a random walk);
* Bass curve: the share that has adopted when p adopt by themselves and q by those who have
  (Bass 1969, eq. 4), times a ceiling, begun some weeks before; fitted by least squares, with the spread of
  its residuals.

Each predicts a normal distribution and is fitted to the same observations as the model. A community that is
seen for some weeks is forecast from its own weeks; one that is not seen at all from the others, week by week:
then mean and last value are those of the others in that week, or the last week before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.analysis.calibration.observed import Evidence, Floats

if TYPE_CHECKING:
    import pandas as pd

MEAN, LAST, BASS = "mean", "last value", "Bass curve"
BASELINES = (MEAN, LAST, BASS)

LEAST_WEEKS = 5
"""Weeks that must be seen before a Bass curve, with its four numbers, is fitted."""

STARTS = ((0.3, 0.01, 0.1, 0.0), (0.9, 0.001, 0.2, 4.0), (0.6, 0.03, 0.02, 0.0), (0.9, 0.0005, 0.05, 20.0))
"""Where the fit of a Bass curve starts: ceiling, p, q, weeks before the first."""


@dataclass(frozen=True)
class Forecast:
    """What a baseline predicts: (rows,) mean and standard deviation, NaN where it predicts nothing."""

    mean: Floats
    sd: Floats


def forecasts(evidence: Evidence) -> dict[str, Forecast]:
    """Return what each baseline predicts, for what was seen and what was held out.

    Parameters
    ----------
    evidence : what was observed; baselines forecast its curves.
    """
    n = len(evidence.table)
    found = {name: Forecast(np.full(n, np.nan), np.full(n, np.nan)) for name in BASELINES}
    for rows, seen, own in _series(evidence):
        told = _of_series(rows, seen, own)
        for name, (mean, sd) in told.items():
            found[name].mean[rows.index] = mean
            found[name].sd[rows.index] = sd
    return found


def bass(weeks: Floats, ceiling: float, p: float, q: float, before: float) -> Floats:
    """Return a Bass curve.

    Parameters
    ----------
    weeks : when.
    ceiling : the share that it goes to.
    p, q : chances a week to adopt alone, and because of those who have.
    before : weeks before week 0 in which it began.

    Examples
    --------
    >>> bass(np.array([0.0, 1e6]), 0.5, 0.01, 0.2, 0.0).tolist()
    [0.0, 0.5]
    """
    gone = np.exp(-(p + q) * (weeks + before))
    found: Floats = ceiling * (1 - gone) / (1 + q / p * gone)
    return found


def fit_bass(weeks: Floats, values: Floats) -> tuple[float, float, float, float] | None:
    """Return ceiling, p, q and weeks before of the Bass curve nearest to some values; None for too few.

    Parameters
    ----------
    weeks, values : what was seen.
    """
    from scipy.optimize import least_squares

    if len(np.unique(weeks)) < LEAST_WEEKS:
        return None
    best: Any = None
    for start in STARTS:
        fit = least_squares(
            lambda x: bass(weeks, *x) - values,
            start,
            bounds=([1e-6, 1e-7, 0.0, 0.0], [1.0, 1.0, 2.0, 1000.0]),
            x_scale=(0.1, 0.01, 0.1, 5.0),
            max_nfev=400,
        )
        if best is None or fit.cost < best.cost:
            best = fit
    ceiling, p, q, before = map(float, best.x)
    return ceiling, p, q, before


def _series(evidence: Evidence) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, bool]]:
    """Yield a community's rows, those that its forecast is made from, and whether they are its own."""
    curves = evidence.table[evidence.of_curve]
    for _, whole in curves.groupby(["target", "group"], sort=False):
        seen = whole[~whole["held_out"]]
        for _, rows in whole.groupby("community", sort=False):
            own = rows[~rows["held_out"]]
            yield (rows, own, True) if len(own) else (rows, seen, False)


def _of_series(rows: pd.DataFrame, seen: pd.DataFrame, own: bool) -> Mapping[str, tuple[Floats, Floats]]:
    if not len(seen):
        return {}
    when = np.asarray(rows["week"], np.float64)
    weeks, values = np.asarray(seen["week"], np.float64), np.asarray(seen["value"], np.float64)
    told: dict[str, tuple[Floats, Floats]] = {}
    if own:
        told[MEAN] = (np.full(len(when), values.mean()), np.full(len(when), _sd(values)))
        told[LAST] = _last_value(when, weeks, values)
    else:
        at_week = [values[weeks == week] if (weeks == week).any() else values for week in when]
        told[MEAN] = (
            np.array([found.mean() for found in at_week]),
            np.array([_sd(found) for found in at_week]),
        )
        before = [values[weeks == _last_before(weeks, week)] for week in when]
        told[LAST] = (np.array([v.mean() for v in before]), np.array([_sd(v) for v in before]))
    parameters = fit_bass(weeks, values)
    if parameters is not None:
        residual = _sd(values - bass(weeks, *parameters), lost=len(parameters), about=0.0)
        told[BASS] = (bass(when, *parameters), np.full(len(when), residual))
    return told


def _last_value(when: Floats, weeks: Floats, values: Floats) -> tuple[Floats, Floats]:
    """In weeks that were seen, the value before; later, the last one, with the spread of a random walk."""
    order = np.argsort(weeks)
    weeks, values = weeks[order], values[order]
    steps = np.diff(values) / np.sqrt(np.diff(weeks)) if len(weeks) > 1 else np.zeros(1)
    a_week = float(np.sqrt(np.mean(steps**2)))
    place = np.clip(np.searchsorted(weeks, when, side="left") - 1, 0, None)
    return values[place], a_week * np.sqrt(np.maximum(1.0, when - weeks[place]))


def _last_before(weeks: Floats, week: float) -> float:
    """Return the last week that was seen before a week, or the first one."""
    earlier = weeks[weeks < week]
    return float(earlier.max() if len(earlier) else weeks.min())


def _sd(values: Floats, *, lost: int = 1, about: float | None = None) -> float:
    centre = values.mean() if about is None else about
    return float(np.sqrt(np.sum((values - centre) ** 2) / max(1, len(values) - lost)))
