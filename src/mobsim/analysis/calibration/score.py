"""How far simulations are from what was observed: the continuous ranked probability score (CRPS).

What a set of values predicts is a distribution, not a number: communities and luck differ. The CRPS is the
area between that distribution and what was observed; it is proper, which means that nothing is gained by
predicting a wider or a narrower distribution than one believes in, and for a single predicted number it is
the absolute error. It is in the unit of what was observed.

* A value of a curve comes from one place. It is held against the replicates, each with the value's standard
  error about it: a mixture of normal distributions (Grimit et al. 2006). Pairs of replicates are taken from
  different communities only, so that the expected score does not depend on how many there are (Ferro 2014).
* A single number is held against the mean over communities, with its own standard error and the error of the
  simulated mean together: a normal distribution (Gneiting & Raftery 2007, 4.2).

The noise of the score that is left is estimated by leaving out one community at a time (jackknife). In an
imported community, which is one, luck stands where communities stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobsim.analysis.calibration.observed import Evidence, Floats

LEAST_UNITS = 4
"""Communities, or luck of an imported one, that a trial needs for its noise to be seen."""


def distance(difference: Floats, sd: Floats | float) -> Floats:
    """Return the mean distance from 0 of a normal number.

    Parameters
    ----------
    difference : its mean.
    sd : its standard deviation, from 0.

    Examples
    --------
    >>> distance(np.array([-2.0, 0.0]), 0.0).tolist(), round(float(distance(np.array(0.0), 1.0)), 4)
    ([2.0, 0.0], 0.7979)
    """
    from scipy.special import ndtr

    size: Floats = np.abs(difference)
    wide = np.broadcast_to(np.asarray(sd, np.float64), size.shape)
    if not wide.any():
        return size
    safe = np.where(wide > 0, wide, 1.0)
    z = difference / safe
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    found = difference * (2 * ndtr(z) - 1) + 2 * safe * density
    return np.where(wide > 0, found, size)


def crps_normal(observed: Floats, mean: Floats, sd: Floats) -> Floats:
    """Return the CRPS of a normal distribution; of a single number if sd is 0.

    Parameters
    ----------
    observed : what was observed.
    mean, sd : of the prediction.

    Examples
    --------
    >>> round(float(crps_normal(np.array(0.0), np.array(0.0), np.array(1.0))), 4)
    0.2337
    """
    found: Floats = distance(observed - mean, sd) - sd / np.sqrt(np.pi)
    return found


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What a trial predicts, ready to be scored.

    simulated : (replicates, rows). units : (replicates,) which community each replicate is on, from 0.
    pairs : (units, units, rows) mean distance of replicates of two communities; 0 on the diagonal.
    means : (units, rows) means over the luck of a community.
    """

    simulated: Floats
    units: npt.NDArray[np.int64]
    pairs: Floats
    means: Floats

    @property
    def n_units(self) -> int:
        """How many communities there are."""
        return len(self.means)

    def over_luck(self, of_replicates: Floats) -> Floats:
        """Return (units, ...) means over the luck of each community.

        Parameters
        ----------
        of_replicates : (replicates, ...) values.
        """
        return _over_luck(of_replicates, self.units)


class Scorer:
    """Scores trials against what was observed.

    Parameters
    ----------
    evidence : what was observed.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.values, self.errors, self.of_curve = evidence.values, evidence.errors, evidence.of_curve

    def ensemble(self, simulated: Floats, units: Sequence[int]) -> Ensemble:
        """Return what a trial predicts.

        Parameters
        ----------
        simulated : (replicates, rows), replicates of a community together.
        units : (replicates,) which community each replicate is on, from 0 without gaps.
        """
        of_unit = np.asarray(units, np.int64)
        means = _over_luck(simulated, of_unit)
        pairs = np.zeros((len(means), len(means), simulated.shape[1]))
        curve = self.of_curve
        rows = simulated[:, curve]
        sd = np.sqrt(2.0) * self.errors[curve]
        for unit in range(len(means)):
            apart = distance(rows[of_unit == unit][:, None] - rows[None], sd).mean(axis=0)
            pairs[unit][:, curve] = _over_luck(apart, of_unit)
            pairs[unit, unit] = 0.0
        return Ensemble(simulated, of_unit, pairs, means)

    def terms(self, ensemble: Ensemble, *, without: int | None = None) -> Floats:
        """Return (rows,) the CRPS of every observed value.

        Parameters
        ----------
        ensemble : what a trial predicts.
        without : a community to leave out, or none.
        """
        kept = np.arange(ensemble.n_units) != (-1 if without is None else without)
        curve = self.of_curve
        found = np.empty(len(self.values))
        near = distance(self.values[curve] - ensemble.simulated[:, curve], self.errors[curve])
        near = ensemble.over_luck(near)[kept].mean(axis=0)
        found[curve] = near - 0.5 * _mean_of_pairs(ensemble.pairs[kept][:, kept][:, :, curve])
        mean, sd = self._of_means(ensemble.means[kept][:, ~curve])
        found[~curve] = crps_normal(self.values[~curve], mean, np.hypot(sd, self.errors[~curve]))
        return found

    def jackknife(self, ensemble: Ensemble) -> Floats:
        """Return (units, rows) the CRPS without each community in turn.

        Parameters
        ----------
        ensemble : what a trial predicts.
        """
        return np.stack([self.terms(ensemble, without=unit) for unit in range(ensemble.n_units)])

    def as_observed(self, truth: Ensemble, forecast: Ensemble, noise: Floats) -> Floats:
        """Return (replicates, rows) the CRPS of a forecast if each replicate of a trial had been observed.

        Parameters
        ----------
        truth : the trial whose replicates stand for what was observed.
        forecast : the trial that forecasts them. If it is the same one, it forecasts each replicate without
            the community that this is on.
        noise : (replicates, rows) standard normal numbers: errors of observation.
        """
        curve = self.of_curve
        seen = truth.simulated[:, curve] + noise[:, curve] * self.errors[curve]
        found = np.empty(truth.simulated.shape)
        for unit in range(truth.n_units):
            rows = np.flatnonzero(truth.units == unit)
            others = np.ones(forecast.n_units, np.bool_)
            others[unit if truth is forecast else slice(0)] = False
            kept = others[forecast.units]
            weights = 1.0 / np.bincount(forecast.units)[forecast.units[kept]] / others.sum()
            near = distance(
                seen[rows][:, None] - forecast.simulated[kept][:, curve][None], self.errors[curve]
            )
            spread = _mean_of_pairs(forecast.pairs[others][:, others][:, :, curve])
            found[np.ix_(rows, curve)] = np.einsum("rsi,s->ri", near, weights) - 0.5 * spread
        mean, sd = self._of_means(truth.means[:, ~curve])
        drawn = mean + np.hypot(sd, self.errors[~curve]) * noise[:, ~curve]
        told, told_sd = self._of_means(forecast.means[:, ~curve])
        found[:, ~curve] = crps_normal(drawn, told[None], np.hypot(told_sd, self.errors[~curve])[None])
        return found

    def predicted(self, ensemble: Ensemble) -> tuple[Floats, Floats]:
        """Return (rows,) the mean that is predicted, and its standard deviation between places.

        Parameters
        ----------
        ensemble : what a trial predicts.
        """
        mean, sd = self._of_means(ensemble.means)
        between = ensemble.simulated.std(axis=0, ddof=1)
        return mean, np.where(self.of_curve, np.hypot(between, self.errors), np.hypot(sd, self.errors))

    @staticmethod
    def _of_means(means: Floats) -> tuple[Floats, Floats]:
        """Return the mean over communities and its standard error."""
        return means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(len(means))


def _over_luck(of_replicates: Floats, units: npt.NDArray[np.int64]) -> Floats:
    """(replicates, ...) -> (units, ...) means."""
    starts = np.flatnonzero(np.r_[True, units[1:] != units[:-1]])
    sums = np.add.reduceat(of_replicates, starts, axis=0)
    found: Floats = sums / np.bincount(units).reshape(-1, *[1] * (sums.ndim - 1))
    return found


def _mean_of_pairs(pairs: Floats) -> Floats:
    """(units, units, rows) with zeros on the diagonal -> (rows,) mean over pairs of different communities."""
    n = len(pairs)
    found: Floats = pairs.sum(axis=(0, 1)) / (n * (n - 1))
    return found


def jackknife_error(of_units: Floats) -> float:
    """Return the standard error of a score from its values without each community.

    Parameters
    ----------
    of_units : (units,) scores.

    Examples
    --------
    >>> round(jackknife_error(np.array([1.0, 1.0, 1.0, 1.0])), 3)
    0.0
    """
    n = len(of_units)
    return float(np.sqrt((n - 1) / n * np.sum((of_units - of_units.mean()) ** 2)))
