"""Bass's curve, fitted to cumulative shares of adopters.

Corresponds to netdiffuseR's `fitbass()`, which has no market share: there m = 1.

Sources
-------
Bass, F. M. (1969). A new product growth for model consumer durables. Management Science 15, 215-227.
Srinivasan, V. & Mason, C. H. (1986). Nonlinear least squares estimation of new product diffusion models.
    Marketing Science 5, 169-178.
Van den Bulte, C. & Lilien, G. L. (1997). Bias and systematic change in the parameter estimates of
    macro-level diffusion models. Marketing Science 16, 338-353.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.special import expit

from mobsim.errors import UsageError

Floats = npt.NDArray[np.float64]

MOST_P, MOST_Q, LEAST = 1.0, 5.0, 1e-7
"""Bounds of the search, a period."""

_STARTS = ((0.03, 0.4, 0.9), (0.001, 0.2, 0.9), (0.05, 0.01, 0.7), (0.01, 1.0, 0.5), (1e-4, 0.6, 1.0))
"""Where searches begin: p, q, m."""

UNSURE = 0.5
"""A standard error above this part of its estimate means that the data do not tell the number."""


@dataclass(frozen=True)
class BassFit:
    """Bass's curve and how well it is known.

    Attributes
    ----------
    p : chance a period to adopt by oneself (innovation).
    q : pull of those who have adopted (imitation), a period.
    m : share of people who adopt in the end, 0 to 1.
    p_error, q_error, m_error : standard errors; NaN where a number is given or at a bound.
    residual : standard deviation of the residuals, in shares.
    peak : when most adopt, in periods from the start: ln(q/p)/(p + q); 0 if q ≤ p.
    warnings : what the data do not tell.
    """

    p: float
    q: float
    m: float
    p_error: float
    q_error: float
    m_error: float
    residual: float
    peak: float
    warnings: tuple[str, ...]


def bass_curve(time: npt.ArrayLike, p: float, q: float, m: float = 1.0) -> Floats:
    """Return the share that has adopted by a time: m (1 − e) / (1 + q/p e), e = exp(−(p + q) t).

    Parameters
    ----------
    time : periods since the start, from 0.
    p, q : chances a period, p above 0.
    m : share that adopts in the end.

    Examples
    --------
    >>> [round(float(share), 4) for share in bass_curve([0, 5, 1000], 0.03, 0.38)]
    [0.0, 0.3312, 1.0]
    """
    t = np.asarray(time, np.float64)
    # The same as the formula above, without numbers that grow: 1/(1 + (q/p) e) is a logistic curve.
    logistic = expit((p + q) * t - math.log(q / p)) if q > 0 else np.ones_like(t)
    return np.asarray(m * -np.expm1(-(p + q) * t) * logistic)


def fit_bass(shares: npt.ArrayLike, *, market: float | None = None) -> BassFit:
    """Fit Bass's curve to cumulative shares by nonlinear least squares.

    Parameters
    ----------
    shares : (periods,) cumulative shares of adopters at the ends of periods 1, 2, ..., not falling.
    market : share that adopts in the end, if it is known; 1 is what netdiffuseR assumes. Default: fitted.

    Returns
    -------
    BassFit

    Raises
    ------
    UsageError : with fewer than five periods, or if nobody adopts.

    Notes
    -----
    The curve starts at 0 at the beginning of period 1. Where the innovation was there before, p is too large.
    Standard errors take residuals as independent; those of a cumulative curve are not, so that true errors
    are larger. m and q are biased while the curve has not bent (Van den Bulte & Lilien 1997).
    """
    observed = np.asarray(shares, np.float64)
    if observed.ndim != 1 or len(observed) < 5:
        raise UsageError(f"shares: found {observed.size} periods; allowed are five or more")
    if not (np.all(np.isfinite(observed)) and np.all(np.diff(observed) >= -1e-12)) or observed.min() < 0:
        raise UsageError("shares: found a missing, negative or falling share; allowed are cumulative shares")
    if not 0 < observed[-1] <= 1:
        raise UsageError(f"shares: found {observed[-1]:g} at the end; allowed are numbers above 0, up to 1")
    if market is not None and not 0 < market <= 1:
        raise UsageError(f"market: found {market}; allowed are numbers above 0, up to 1")
    return _fitted(observed, market)


def _fitted(observed: Floats, market: float | None) -> BassFit:
    time = np.arange(1.0, len(observed) + 1)
    least = np.array([LEAST, 0.0, LEAST][: 2 + (market is None)])
    most = np.array([MOST_P, MOST_Q, 1.0][: len(least)])

    def residuals(x: Floats) -> Floats:
        return bass_curve(time, x[0], x[1], x[2] if market is None else market) - observed

    tried = [
        least_squares(residuals, np.array(start[: len(least)]), bounds=(least, most), x_scale="jac",
                      xtol=1e-13, ftol=1e-13, gtol=1e-13, max_nfev=2_000)
        for start in _STARTS
    ]  # fmt: skip
    best = min(tried, key=lambda found: found.cost)
    at_bound = (best.x - least < 1e-6 * (most - least)) | (most - best.x < 1e-6 * (most - least))
    at_bound[0] = best.x[0] < 10 * LEAST or best.x[0] > MOST_P * (1 - 1e-6)
    errors, residual = _errors(best.jac, 2 * best.cost, at_bound)
    p, q = float(best.x[0]), float(best.x[1])
    m = float(best.x[2]) if market is None else market
    peak = math.log(q / p) / (p + q) if q > p else 0.0
    warnings = _warnings(best.x, errors, at_bound, peak, len(time))
    return BassFit(p, q, m, float(errors[0]), float(errors[1]), float(errors[2]), residual, peak, warnings)


def _errors(jacobian: Floats, squares: float, at_bound: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return standard errors of p, q, m and the residual's standard deviation; NaN at bounds."""
    free = ~at_bound
    degrees = len(jacobian) - int(free.sum())
    variance = squares / degrees if degrees > 0 else math.nan
    errors = np.full(3, math.nan)
    part = jacobian[:, free]
    size = np.linalg.norm(part, axis=0)
    if free.any() and np.all(size > 0) and np.linalg.matrix_rank(part / size) == part.shape[1]:
        inverse = np.linalg.inv((part / size).T @ (part / size)) / np.outer(size, size)
        errors[np.flatnonzero(free)] = np.sqrt(variance * np.diag(inverse))
    return errors, math.sqrt(variance) if variance >= 0 else math.nan


def _warnings(
    found: Floats, errors: Floats, at_bound: npt.NDArray[np.bool_], peak: float, periods: int
) -> tuple[str, ...]:
    said = []
    for k, name in enumerate(("p", "q", "m")[: len(found)]):
        if at_bound[k]:
            said.append(f"{name} is at the bound of the search ({found[k]:.3g}): the data do not tell it")
        elif not errors[k] <= UNSURE * found[k]:
            said.append(f"{name} is not identified: its standard error is {errors[k]:.2g} for {found[k]:.2g}")
    if len(found) == 3 and peak > periods:
        said.append(
            f"the curve has not bent within {periods} periods (its peak would be at {peak:.1f}): how many "
            "adopt in the end (m) is a guess"
        )
    return tuple(said)
