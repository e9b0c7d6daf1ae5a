"""Which other values fit as well: a parameter is identified only if far-away values fit worse.

A trial fits as well as the best one if the observations do not speak against it. Were the trial the truth,
its own replicates could have been observed. How much worse would it then look than the best trial? The
observed difference of scores is held against that distribution (a test of the trial against the best one,
one-sided, 5 %), with the noise of the simulated scores added. The best of many noisy scores is too good to be
true: it is replaced by the score of the same values on fresh replicates. The trials that pass are a
confidence set by inversion of a test, in the spirit of approximate Bayesian computation (Beaumont 2010) with
a distance that is a proper score. In 80 made-up data sets of 8 villages the true values passed in 75 with 6
communities and 2 lucks a trial, in 76 with 16 communities and 1 luck (wanted: 76).

Places are independent, all that was observed in one place is not: curves of several groups, arms and weeks of
a community stand or fall together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from mobsim.analysis.calibration.observed import Floats
from mobsim.analysis.calibration.score import Ensemble, Scorer, jackknife_error
from mobsim.analysis.verdict import listed
from mobsim.experiment.factors import Factor

ONE_SIDED = 1.645
"""Normal quantile of 95 %."""

MOST_OF_ITS_RANGE = 0.5
"""A factor is not identified if the values that fit as well span more of its range than this."""

TOGETHER = 0.7
"""Two factors are known only together if, among the trials that fit as well, they correlate like this."""

WIDE_ENOUGH = 0.25
"""Factors that move together over less of their range than this are known well enough each."""

LEAST_ACCEPTED = 5
"""Fewer trials than this say nothing about correlations."""

BINS = 10
"""Parts of its range for which the profile of a factor is given."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """How trials compare with the best one.

    score : (trials,) training score. error : (trials,) its noise, by the jackknife.
    excess : (trials,) how much worse than the best one. allowed : (trials,) how much worse it may look.
    accepted : (trials,) whether it fits as well.
    """

    score: Floats
    error: Floats
    excess: Floats
    allowed: Floats
    accepted: npt.NDArray[np.bool_]


class Judge:
    """Compares trials with the best one; what does not depend on which one that is, is worked out once.

    Parameters
    ----------
    scorer : scores trials.
    units : (replicates,) which community each replicate of a trial is on.
    seed : of the errors of observation in what might have been observed.
    """

    def __init__(self, scorer: Scorer, units: Sequence[int], seed: int) -> None:
        self.scorer = scorer
        self.units = tuple(units)
        evidence = scorer.evidence
        self.weights = evidence.weights(~evidence.held_out)
        self._places = _places(scorer)
        shape = (len(self.units), len(evidence.table))
        self._noise = np.random.default_rng([seed, 5]).standard_normal(shape)
        self._ensembles: list[Ensemble] = []
        self._scores: list[float] = []
        self._without: list[Floats] = []
        self._own: list[Floats] = []

    def add(self, simulated: Floats) -> float:
        """Add a trial and return its training score.

        Parameters
        ----------
        simulated : (replicates, rows) what it predicts; NaN for a trial that was refused.
        """
        if np.isnan(simulated).any():
            simulated = np.full(simulated.shape, np.nan)
        ensemble = self.scorer.ensemble(np.nan_to_num(simulated), self.units)
        out = bool(np.isnan(simulated).any())
        score = np.nan if out else float(self.scorer.terms(ensemble) @ self.weights)
        self._ensembles.append(ensemble)
        self._scores.append(score)
        self._without.append(self.scorer.jackknife(ensemble) @ self.weights)
        self._own.append(self._of_places(self.scorer.as_observed(ensemble, ensemble, self._noise)))
        return score

    @property
    def scores(self) -> Floats:
        """(trials,) training scores, NaN for trials that were refused."""
        return np.array(self._scores)

    def best(self) -> int:
        """Return the number of the trial with the best score."""
        return int(np.nanargmin(self.scores))

    def judge(self, reference: int | None = None, again: Ensemble | None = None) -> Judgement:
        """Compare all trials with one.

        Parameters
        ----------
        reference : its number; none: the one with the best score.
        again : what it predicts on fresh replicates; none: its score counts as it is, too good to be true.
        """
        best = self.best() if reference is None else reference
        forecast = self._ensembles[best] if again is None else again
        target = float(self.scorer.terms(forecast) @ self.weights)
        target_noise = jackknife_error(self.scorer.jackknife(forecast) @ self.weights)
        scores = self.scores
        n = len(scores)
        error, excess, allowed = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        for trial in np.flatnonzero(~np.isnan(scores)):
            error[trial] = jackknife_error(self._without[trial])
            excess[trial] = scores[trial] - target
            noise = float(np.hypot(error[trial], target_noise))
            allowed[trial] = self._allowed(int(trial), forecast, noise) if trial != best else 0.0
        accepted = np.nan_to_num(excess, nan=np.inf) <= np.nan_to_num(allowed, nan=-np.inf)
        accepted[best] = True
        return Judgement(scores, error, excess, allowed, accepted)

    def _allowed(self, trial: int, forecast: Ensemble, noise: float) -> float:
        """Return how much worse than the best trial the truth might look, were it this trial."""
        other = self._of_places(self.scorer.as_observed(self._ensembles[trial], forecast, self._noise))
        differences = self._own[trial] - other
        mean = differences.mean(axis=0).sum()
        variance = differences.var(axis=0, ddof=1).sum() * (1 + 1 / len(differences))
        return float(mean + ONE_SIDED * np.sqrt(variance + noise**2))

    def _of_places(self, terms: Floats) -> Floats:
        """(replicates, rows) -> (replicates, places) weighted sums."""
        found: Floats = (terms * self.weights) @ self._places
        return found


def _places(scorer: Scorer) -> Floats:
    """(rows, places) 1 where a value was observed in a place; every single number is a place of its own."""
    table = scorer.evidence.table
    curve = scorer.of_curve
    names = [
        f"community {community}" if is_curve else f"number {row}"
        for row, (community, is_curve) in enumerate(zip(table["community"], curve, strict=True))
    ]
    places = list(dict.fromkeys(names))
    return np.array([[float(name == place) for place in places] for name in names])


@dataclass(frozen=True)
class FactorKnown:
    """What is known of a factor.

    name : its name. value : the fitted value.
    low, high : ends of the values that fit as well; None for listed values.
    fit_as_well : listed values that fit as well; None for a range.
    identified : whether far-away values fit worse.
    sentence : the warning, empty if it is identified.
    """

    name: str
    value: Any
    low: float | None
    high: float | None
    fit_as_well: tuple[Any, ...] | None
    identified: bool
    sentence: str


@dataclass(frozen=True, eq=False)
class Identification:
    """What is known of all factors.

    factors : one by one. together : sentences about factors that are known only together.
    accepted : how many trials fit as well as the best one.
    """

    factors: tuple[FactorKnown, ...]
    together: tuple[str, ...]
    accepted: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every sentence about what is not identified."""
        return (*(known.sentence for known in self.factors if known.sentence), *self.together)


def identify(
    factors: Sequence[Factor], trials: Sequence[Mapping[str, Any]], judgement: Judgement, best: int
) -> Identification:
    """Say what is known of each factor, and which are known only together.

    Parameters
    ----------
    factors : what was fitted.
    trials : the values of every trial, by the factor's name.
    judgement : how they compare.
    best : the number of the trial that was chosen.
    """
    kept = [trial for trial, accepted in zip(trials, judgement.accepted, strict=True) if accepted]
    pairs = _ridges(factors, kept)
    partners: dict[str, list[str]] = {}
    for one, other, _ in pairs:
        partners.setdefault(one.name, []).append(other.name)
        partners.setdefault(other.name, []).append(one.name)
    known = tuple(_known(f, kept, trials[best][f.name], partners.get(f.name, [])) for f in factors)
    together = tuple(_together(one, other, sign, kept) for one, other, sign in pairs)
    return Identification(known, together, len(kept))


def unit_of(factor: Factor, value: Any) -> float:
    """Return where in its range a value stands, 0 to 1; for listed values their number.

    Parameters
    ----------
    factor : the factor.
    value : one of its values.

    Examples
    --------
    >>> unit_of(Factor("cost", ("activities.visit.cost",), low=1.0, high=100.0, scale="log"), 10.0)
    0.5
    """
    if factor.low is None or factor.high is None:
        return float(_number_of(factor, value))
    if factor.scale == "log":
        return float(np.log(value / factor.low) / np.log(factor.high / factor.low))
    return float((value - factor.low) / (factor.high - factor.low))


def _number_of(factor: Factor, value: Any) -> int:
    from mobsim.experiment.factors import same

    return next(number for number, listed in enumerate(factor.values or ()) if same(listed, value))


def _known(
    factor: Factor, kept: Sequence[Mapping[str, Any]], value: Any, partners: Sequence[str]
) -> FactorKnown:
    values = [trial[factor.name] for trial in kept]
    only = f", but only together with {listed(partners)}" if partners else ""
    if factor.low is None:
        numbers = sorted({_number_of(factor, found) for found in values})
        fit = tuple((factor.values or ())[number] for number in numbers)
        words = ", ".join(str(factor.label(found)) for found in fit)
        sentence = f"{factor.name} is not identified: {words} fit as well as each other{only}"
        identified = len(fit) == 1
        return FactorKnown(factor.name, value, None, None, fit, identified, "" if identified else sentence)
    low, high = min(values), max(values)
    identified = unit_of(factor, high) - unit_of(factor, low) <= MOST_OF_ITS_RANGE
    sentence = f"{factor.name} is not identified: any value from {low:.3g} to {high:.3g} fits as well{only}"
    return FactorKnown(factor.name, value, low, high, None, identified, "" if identified else sentence)


_Ridge = tuple[Factor, Factor, float]


def _ridges(factors: Sequence[Factor], kept: Sequence[Mapping[str, Any]]) -> list[_Ridge]:
    """Return pairs of factors with ranges that move together, with the sign."""
    found: list[_Ridge] = []
    if len(kept) < LEAST_ACCEPTED:
        return found
    with_range = [factor for factor in factors if factor.low is not None]
    for one, other in combinations(with_range, 2):
        x = np.array([unit_of(one, trial[one.name]) for trial in kept])
        y = np.array([unit_of(other, trial[other.name]) for trial in kept])
        if min(np.ptp(x), np.ptp(y)) < WIDE_ENOUGH:
            continue
        alike = float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])
        if abs(alike) >= TOGETHER:
            found.append((one, other, np.sign(alike)))
    return found


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), np.float64)


def _together(one: Factor, other: Factor, sign: float, kept: Sequence[Mapping[str, Any]]) -> str:
    low = min(kept, key=lambda trial: trial[one.name])
    high = max(kept, key=lambda trial: trial[one.name])
    more = "more" if sign > 0 else "less"
    return (
        f"{one.name} and {other.name} are known only together: more of one goes with {more} of the other, "
        f"from "
        f"{low[one.name]:.3g} with {low[other.name]:.3g} to {high[one.name]:.3g} with {high[other.name]:.3g}"
    )


def profile(
    factor: Factor, trials: Sequence[Mapping[str, Any]], judgement: Judgement
) -> list[dict[str, Any]]:
    """Return the best score in every part of a factor's range, whatever the other factors are.

    Parameters
    ----------
    factor : the factor.
    trials : the values of every trial, by the factor's name.
    judgement : how they compare.

    Returns
    -------
    list of dict
        factor, part (from 0), from, to (or value), trials, accepted, score (NaN without a trial), error.
    """
    where = np.array([unit_of(factor, trial[factor.name]) for trial in trials])
    n_parts = BINS if factor.values is None else len(factor.values)
    part = np.clip(np.floor(where * BINS), 0, BINS - 1) if factor.values is None else where
    rows = []
    for number in range(n_parts):
        inside = np.flatnonzero((part == number) & ~np.isnan(judgement.score))
        if factor.values is None:
            ends = {"from": factor.at(number / BINS), "to": factor.at((number + 1) / BINS)}
        else:
            label = factor.label(factor.values[number])
            ends = {"from": label, "to": label}
        best = inside[np.argmin(judgement.score[inside])] if len(inside) else None
        rows.append(
            {"factor": factor.name, "part": number, **ends, "trials": len(inside)}
            | {"accepted": int(judgement.accepted[inside].sum())}
            | {"score": np.nan if best is None else float(judgement.score[best])}
            | {"error": np.nan if best is None else float(judgement.error[best])}
        )
    return rows
