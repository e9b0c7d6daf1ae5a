"""How an outcome, or a difference between two arms, changes over one or two factors: a response surface.

At the points of the design stand means with t intervals over communities. Between them a smooth surface is
fitted: a polynomial of second degree, or a thin-plate spline whose smoothing is chosen by leaving out one
point at a time; of the two the one with the smaller leave-one-out error. Both are linear in the outcomes:
fitting the surface to each community gives one number a community at any place, and their t interval is
the interval there, with the same community at all points kept together. It holds the noise of communities
and luck, not the error of a surface of the wrong shape; that is shown beside it, by the points that the
surface misses and by the leave-one-out error.

Sources
-------
[1] Myers, R. H., Montgomery, D. C. & Anderson-Cook, C. M. (2016). Response Surface Methodology. Wiley.
[2] Wahba, G. (1990). Spline Models for Observational Data. SIAM. (thin plates; leave-one-out by r / (1 - h))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from scipy.interpolate import RBFInterpolator
from scipy.spatial import ConvexHull, QhullError

from mobsim.analysis.best_map import factors_of_map
from mobsim.analysis.statistics import Floats, bonferroni_t, check_confidence
from mobsim.analysis.swept import (
    Bools,
    Rows,
    Swept,
    SweptResults,
    contrast_name,
    interval_of,
    points_in_words,
    read_outcome,
    whole_block,
    word_of,
)
from mobsim.analysis.verdict import NO_CAMPAIGN, listed
from mobsim.errors import ResultsError, UsageError

FitName = Literal["polynomial", "spline", "means"]

SMOOTHINGS = tuple(10.0**power for power in range(-6, 3))
"""Smoothings of the spline that are tried, on the unit scale of the factors."""

MOST_SPLINE_POINTS = 600
"""Above this many points a spline takes too long, and a polynomial is fitted."""


@dataclass(frozen=True, eq=False)
class ResponseSurface:
    """An outcome over one or two factors.

    Attributes
    ----------
    outcome, arm, against : what is shown; against is None for the level of an arm.
    factors : the one or two factors.
    table : one row a point: factors, estimate, low, high, communities, fitted, misfit (whether the interval
        of what the surface leaves over excludes 0, simultaneous over points).
    grid : one row a place: the factors, estimate, low, high (pointwise), inside (between the points of the
        design, not beyond them).
    fits : one row a fit and combination of words: its name, number of terms, leave-one-out error (root mean
        square, in the unit of the outcome), whether it was chosen.
    lack_of_fit : root mean square of what the surface leaves over, without noise.
    leave_one_out : root mean square error of the chosen fits at points that they have not seen; NaN if there
        are too few points.
    sentences : what it says, in words.
    """

    outcome: str
    arm: str
    against: str | None
    factors: tuple[str, ...]
    table: pd.DataFrame
    grid: pd.DataFrame
    fits: pd.DataFrame
    lack_of_fit: float
    leave_one_out: float
    sentences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Fit:
    """A surface that is linear in the outcomes: `at(places) @ outcomes`."""

    name: FitName
    terms: float
    errors: Floats
    at: Callable[[Floats], Floats]

    @property
    def error(self) -> float:
        """Leave-one-out error, root mean square; NaN if a point cannot be left out."""
        return math.sqrt(float(np.square(self.errors).mean())) if np.isfinite(self.errors).all() else math.nan


def surface(
    results: SweptResults,
    outcome: str | None = None,
    *,
    arm: str | None = None,
    against: str | None = None,
    factors: tuple[str, ...] | None = None,
    fit: Literal["best", "polynomial", "spline"] = "best",
    confidence: float = 0.95,
    places: int = 25,
) -> ResponseSurface:
    """Fit an outcome, or a paired difference between two arms, over one or two factors.

    Parameters
    ----------
    results : of a sweep.
    outcome : a column of the table of runs; none: that of the design.
    arm : none: the first strategy.
    against : the arm it is compared with; none: its level is shown.
    factors : one or two names; none: the first two that vary. What other factors do is averaged.
    fit : which surface; best: the one with the smaller leave-one-out error.
    confidence : of the pointwise intervals, in (0.5, 1).
    places : places of the grid along each factor with numbers, 2 to 200.

    Raises
    ------
    UsageError : for names or settings that do not fit.
    ResultsError : if too little was run.
    """
    check_confidence(confidence)
    if not 2 <= places <= 200 or fit not in ("best", "polynomial", "spline"):
        raise UsageError(
            f"surface: found fit {fit!r} and {places} places; allowed are best, polynomial or spline, and 2 "
            "to 200 places"
        )
    chosen = arm if arm is not None else _first_strategy(results)
    arms = [chosen] if against is None else [chosen, against]
    swept = read_outcome(results, outcome, arms=arms)
    names = factors_of_map(swept, factors)
    values = swept.contrast(chosen, against)
    rows, units = whole_block(np.isnan(values))
    if not len(rows) or not len(units):
        raise ResultsError(f"surface of {swept.outcome}: found no community that was run at several points")
    cells = _cells(swept, names, rows)
    parts = [
        _fit_cell(swept, names, cell, values[np.ix_(members, units)], members, fit, places, confidence)
        for cell, members in cells
    ]
    table = _table(swept, values, rows, parts, confidence)
    grid = pd.concat([part.grid for part in parts], ignore_index=True)
    fits = pd.concat([part.fits for part in parts], ignore_index=True)
    errors = np.concatenate([part.errors for part in parts])
    left_over = np.concatenate([part.left_over for part in parts])
    lack = _root_of_excess(left_over)
    error = math.sqrt(float(np.square(errors).mean())) if np.isfinite(errors).all() else math.nan
    shown = ResponseSurface(
        swept.outcome, chosen, against, names, table, grid, fits, lack, error, ()
    )  # fmt: skip
    return _with_sentences(swept, shown, values, len(rows), len(units), confidence)


def _first_strategy(results: SweptResults) -> str:
    strategies = [arm for arm in results.arms if arm != NO_CAMPAIGN]
    return strategies[0] if strategies else results.arms[0]


def _cells(swept: Swept, names: tuple[str, ...], rows: Rows) -> list[tuple[dict[str, str], Rows]]:
    """Split points by the chosen factors that have words: (words, rows of the points)."""
    axes = [swept.axis(name) for name in names if not swept.axis(name).numeric]
    cells = []
    for combination in product(*(axis.levels for axis in axes)):
        inside = [
            row
            for row in rows.tolist()
            if all(axis.words[row] == word for axis, word in zip(axes, combination, strict=True))
        ]
        if inside:
            words = dict(zip([axis.name for axis in axes], combination, strict=True))
            cells.append((words, np.array(inside, dtype=np.int64)))
    return cells


@dataclass(frozen=True, eq=False)
class _Part:
    """What was fitted for one combination of words."""

    members: Rows
    fitted: Floats
    left_over: Floats
    errors: Floats
    grid: pd.DataFrame
    fits: pd.DataFrame


def _fit_cell(
    swept: Swept,
    names: tuple[str, ...],
    words: dict[str, str],
    y: Floats,
    members: Rows,
    wanted: str,
    places: int,
    confidence: float,
) -> _Part:
    """Fit one surface to the points of one combination of words, and draw it on a grid."""
    axes = [swept.axis(name) for name in names if swept.axis(name).numeric]
    x = np.stack([axis.unit[members] for axis in axes], axis=1) if axes else np.zeros((len(members), 0))
    candidates = _candidates(x, y.mean(axis=1), wanted)
    best = min(candidates, key=lambda fit: math.inf if math.isnan(fit.error) else fit.error)
    fitted = best.at(x) @ y
    steps = list(product(np.linspace(0, 1, places), repeat=len(axes)))
    where = np.array(steps).reshape(len(steps), len(axes))
    drawn = best.at(where) @ y
    estimate, half_width = drawn.mean(axis=1), _half_widths(drawn, confidence)
    columns: dict[str, object] = {name: words[name] for name in names if name in words}
    for j, axis in enumerate(axes):
        columns[axis.name] = axis.at(where[:, j])
    grid = pd.DataFrame(columns, index=range(len(where)))[list(names)].assign(
        estimate=estimate,
        low=estimate - half_width,
        high=estimate + half_width,
        inside=_between_points(x, where),
    )
    fits = pd.DataFrame(
        [
            {
                **words,
                "fit": fit.name,
                "terms": fit.terms,
                "leave_one_out": fit.error,
                "chosen": fit is best,
            }
            for fit in candidates
        ]
    )
    return _Part(members, fitted.mean(axis=1), y - fitted, best.errors, grid, fits)


def _half_widths(values: Floats, confidence: float) -> Floats:
    """(n,) half-widths of the pointwise t intervals of rows (n, units); NaN with one unit."""
    n_units = values.shape[1]
    if n_units < 2:
        return np.full(len(values), np.nan)
    widths: Floats = (
        bonferroni_t(confidence, 1, n_units - 1) * values.std(axis=1, ddof=1) / math.sqrt(n_units)
    )
    return widths


def _candidates(x: Floats, means: Floats, wanted: str) -> list[_Fit]:
    """Return the surfaces that these points allow; at least the mean, or the plane."""
    if not x.shape[1]:
        n = len(means)
        left = (means - means.mean()) * n / (n - 1) if n > 1 else np.full(n, np.nan)
        return [_Fit("means", 1, left, lambda places: np.full((len(places), n), 1 / n))]
    fits = []
    if wanted in ("best", "polynomial"):
        fits.append(_polynomial(x, means))
    if wanted in ("best", "spline") and _spline_is_possible(x):
        fits.append(_spline(x, means))
    return fits or [_polynomial(x, means)]


def _polynomial(x: Floats, means: Floats) -> _Fit:
    """Polynomial of second degree, with as many terms as the points can tell apart [1]."""
    k = x.shape[1]
    linear = [tuple(int(i == j) for i in range(k)) for j in range(k)]
    squares = [tuple(2 * int(i == j) for i in range(k)) for j in range(k)]
    mixed = [(1, 1)] if k == 2 else []
    powers: list[tuple[int, ...]] = [(0,) * k]
    for term in (*linear, *mixed, *squares):
        matrix = _terms(x, [*powers, term])
        if matrix.shape[1] < len(x) and np.linalg.matrix_rank(matrix, tol=1e-8) == matrix.shape[1]:
            powers.append(term)
    inverse = np.linalg.pinv(_terms(x, powers))
    hat = _terms(x, powers) @ inverse
    return _Fit(
        "polynomial", len(powers), _left_out(hat, means), lambda places: _terms(places, powers) @ inverse
    )


def _terms(x: Floats, powers: list[tuple[int, ...]]) -> Floats:
    """(n, terms) products of powers."""
    return np.stack([np.prod(x ** np.array(power), axis=1) for power in powers], axis=1)


def _spline_is_possible(x: Floats) -> bool:
    """Say whether the points span a plane and are neither too few nor too many."""
    n, k = x.shape
    plane = np.linalg.matrix_rank(np.column_stack([np.ones(n), x]), tol=1e-8) == k + 1
    return bool(plane and len(np.unique(x, axis=0)) >= k + 3 and n <= MOST_SPLINE_POINTS)


def _spline(x: Floats, means: Floats) -> _Fit:
    """Thin-plate spline; the smoothing with the least leave-one-out error [2]."""
    best: _Fit | None = None
    for smoothing in SMOOTHINGS:
        at = RBFInterpolator(x, np.eye(len(x)), smoothing=smoothing, kernel="thin_plate_spline", degree=1)
        hat = np.asarray(at(x), dtype=np.float64)
        found = _Fit("spline", float(np.trace(hat)), _left_out(hat, means), at)
        if best is None or not found.error >= best.error:
            best = found
    assert best is not None
    return best


def _left_out(hat: Floats, means: Floats) -> Floats:
    """Errors at points that the fit has not seen: residual / (1 - h) [2]; NaN where h is 1."""
    free = 1 - np.diag(hat)
    left = means - hat @ means
    errors: Floats = np.divide(left, free, out=np.full(len(left), np.nan), where=free > 1e-9)
    return errors


def _between_points(x: Floats, where: Floats) -> Bools:
    """Say of each place whether it lies between points of the design."""
    if not x.shape[1]:
        return np.ones(len(where), dtype=np.bool_)
    inside = ((where >= x.min(axis=0) - 1e-9) & (where <= x.max(axis=0) + 1e-9)).all(axis=1)
    if x.shape[1] == 2 and inside.any():
        try:
            sides = ConvexHull(x).equations
        except QhullError:  # all points on one line
            return np.zeros(len(where), dtype=np.bool_)
        inside &= (where @ sides[:, :2].T + sides[:, 2] <= 1e-9).all(axis=1)
    return np.asarray(inside, dtype=np.bool_)


def _root_of_excess(left_over: Floats) -> float:
    """Root mean square of what is left over at the points, less what noise leaves there."""
    squares = np.square(left_over.mean(axis=1))
    if left_over.shape[1] > 1:
        squares = squares - left_over.var(axis=1, ddof=1) / left_over.shape[1]
    return math.sqrt(max(0.0, float(squares.mean())))


def _table(swept: Swept, values: Floats, rows: Rows, parts: list[_Part], confidence: float) -> pd.DataFrame:
    """One row a point."""
    intervals = [interval_of(row, confidence=confidence) for row in values]
    table = swept.points.assign(
        estimate=[interval.estimate for interval in intervals],
        low=[interval.low for interval in intervals],
        high=[interval.high for interval in intervals],
        communities=np.isfinite(values).sum(axis=1),
    )
    fitted = np.full(len(table), np.nan)
    misfit = np.zeros(len(table), dtype=np.bool_)
    rounding = 1e-9 * float(np.nanmax(np.abs(values)))
    for part in parts:
        fitted[part.members] = part.fitted
        for row, left in zip(part.members, part.left_over, strict=True):
            interval = interval_of(left, confidence=confidence, comparisons=len(rows))
            misfit[row] = interval.low > rounding or interval.high < -rounding
    return table.assign(fitted=fitted, misfit=misfit)


# In words


def _with_sentences(
    swept: Swept, shown: ResponseSurface, values: Floats, n_points: int, n_units: int, confidence: float
) -> ResponseSurface:
    name = contrast_name(shown.arm, shown.against)
    over = listed(list(shown.factors))
    sentences = [*_highest(swept, shown, name), *_sign(swept, shown, name)]
    if (shown.fits["fit"] != "means").any():
        sentences += _quality(swept, shown, over, n_points)
    lost = len(swept.points) - n_points, values.shape[1] - n_units
    if any(lost):
        sentences.append(
            f"the surface leaves out {points_or_units(swept, *lost)} that have missing runs, so that the "
            f"same {swept.unit_words.many} stand at all points"
        )
    others = [axis.name for axis in swept.axes if axis.name not in shown.factors and len(axis.distinct) > 1]
    if others:
        sentences.append(
            f"{listed(others)} {'varies' if len(others) == 1 else 'vary'} too: the surface is the mean over "
            "them as in the design, and what they do stands in the misfit"
        )
    sentences.append(
        f"intervals are pointwise {100 * confidence:g} %: they hold the noise of {swept.unit_words.many}, "
        f"not the error of a surface of the wrong shape{swept.unit_words.scope}"
    )
    return ResponseSurface(
        shown.outcome, shown.arm, shown.against, shown.factors, shown.table, shown.grid, shown.fits,
        shown.lack_of_fit, shown.leave_one_out, (*sentences, *swept.notes),
    )  # fmt: skip


def points_or_units(swept: Swept, points: int, units: int) -> str:
    """Count what is left out: `2 points and 1 community`.

    Parameters
    ----------
    swept : for the name of the units.
    points, units : how many.
    """
    parts = [f"{points:,} {'point' if points == 1 else 'points'}"] if points else []
    return listed([*parts, *([swept.unit_words.count(units)] if units else [])])


def _highest(swept: Swept, shown: ResponseSurface, name: str) -> list[str]:
    inside = shown.grid[shown.grid["inside"]]
    if inside.empty:
        return []
    levels = inside["estimate"].to_numpy(dtype=np.float64)
    sentences = []
    for word, row in (
        ("highest", inside.iloc[int(levels.argmax())]),
        ("lowest", inside.iloc[int(levels.argmin())]),
    ):
        place = ", ".join(f"{factor} {word_of(row[factor])}" for factor in shown.factors)
        sentences.append(f"{name} is {word} at {place}: {_limits(swept, row)}")
    return sentences


def _limits(swept: Swept, row: pd.Series[float]) -> str:
    if math.isnan(row["low"]):
        return f"{swept.measured(row['estimate'])}, without an interval"
    return f"{swept.measured(row['estimate'])} ({swept.amount(row['low'])} to {swept.amount(row['high'])})"


def _sign(swept: Swept, shown: ResponseSurface, name: str) -> list[str]:
    """Say at which share of the places a difference is above or below 0, and where nobody can tell."""
    inside = shown.grid[shown.grid["inside"]]
    if shown.against is None or inside.empty or inside["low"].isna().all():
        return []
    above, below = (inside["low"] > 0).mean(), (inside["high"] < 0).mean()
    return [
        f"{name}: above 0 at {100 * above:.0f} % of the places between the points, below 0 at "
        f"{100 * below:.0f} %, cannot tell at {100 * (1 - above - below):.0f} %"
    ]


def _quality(swept: Swept, shown: ResponseSurface, over: str, n_points: int) -> list[str]:
    chosen = listed(sorted(set(shown.fits.loc[shown.fits["chosen"], "fit"])))
    if math.isnan(shown.leave_one_out):
        words = f"the surface ({chosen}) over {over} has as many terms as points allow: how wrong it is "
        words += "between them is not known"
    else:
        words = (
            f"the surface ({chosen}) over {over} is wrong by {swept.measured(shown.leave_one_out)} at points "
            f"that it has not seen (root mean square); at those it has, {swept.measured(shown.lack_of_fit)} "
            "are left that noise does not explain"
        )
    missed = shown.table.loc[shown.table["misfit"], "point"].astype(int).tolist()
    sentences = [words]
    if missed:
        sentences.append(
            f"it misses {len(missed):,} of {n_points:,} points by more than noise "
            f"({points_in_words(missed)}): read these points, not the surface"
        )
    return sentences
