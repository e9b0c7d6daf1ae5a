"""Which share of those whom a person names had adopted: exposure, and thresholds read from it.

Corresponds to netdiffuseR's `exposure()` and `threshold()` (cohesion, a fixed network).

Sources
-------
Valente, T. W. (1995). Network Models of the Diffusion of Innovations. Hampton Press.
Valente, T. W. (1996). Social network thresholds in the diffusion of innovations. Social Networks 18, 69-89.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.errors import UsageError, nearest

Floats = npt.NDArray[np.float64]
Direction = Literal["out", "in", "both"]

DIRECTIONS = ("out", "in", "both")


def tie_weights(
    data: ObservedDiffusion, *, valued: bool = False, direction: Direction = "out"
) -> sparse.csr_array:
    """Return (n, n) what each person (row) takes from each other (column).

    Parameters
    ----------
    data : the people and ties.
    valued : whether ties count by their value; else each counts 1.
    direction : whom a person looks to: `out` those whom the person names (influence runs from alter to ego),
        `in` those who name the person, `both` either, a pair that names each other counting once, or with
        both values.
    """
    if direction not in DIRECTIONS:
        words = ", ".join(f"'{word}'" for word in DIRECTIONS)
        raise UsageError(
            f"direction: found {direction!r}; allowed are {words}{nearest(str(direction), DIRECTIONS)}"
        )
    n = data.n_people
    value = data.value if valued else np.ones(data.n_ties)
    named = sparse.csr_array((value, (data.ego, data.alter)), shape=(n, n))
    if direction == "out":
        return named
    if direction == "in":
        return named.T.tocsr()
    both = (named + named.T).tocsr()
    if not valued:
        both.data[:] = 1.0
    return both


def adoption(data: ObservedDiffusion) -> Floats:
    """Return (n, n_periods) 1 from the period of adoption on, 0 before; NaN where nobody knows.

    That is after a person who had not adopted was lost from sight. netdiffuseR: `toa_mat()$cumadopt`.
    """
    period = np.arange(1, data.n_periods + 1)
    known = (data.adopted[:, None]) | (period <= data.last_seen[:, None])
    has = data.adopted[:, None] & (data.time[:, None] <= period)
    return np.where(known, has.astype(np.float64), np.nan)


def exposure(
    data: ObservedDiffusion,
    *,
    lag: int = 0,
    valued: bool = False,
    direction: Direction = "out",
    isolates: float = 0.0,
) -> Floats:
    """Return which share of a person's contacts had adopted in each period.

    Parameters
    ----------
    data : the people and ties.
    lag : periods by which contacts must have adopted earlier; 0: the same period counts.
    valued : whether contacts count by the value of the tie.
    direction : whose adoption counts, see `tie_weights`.
    isolates : the exposure of people without contacts; netdiffuseR has 0, `math.nan` leaves it open.

    Returns
    -------
    (n, n_periods) shares from 0 to 1. NaN in the first `lag` periods, and where a contact had been lost from
    sight before adopting.

    Notes
    -----
    E_i(t) = Σ_j w_ij a_j(t − lag) / Σ_j w_ij, where a_j is 1 from j's period of adoption on.
    netdiffuseR: `exposure(lags = lag, valued = valued)`; `outgoing = FALSE` is direction `in`.
    """
    if not 0 <= lag < data.n_periods:
        raise UsageError(f"lag: found {lag}; allowed are whole numbers from 0 to {data.n_periods - 1}")
    weights = tie_weights(data, valued=valued, direction=direction)
    status = adoption(data)
    unknown = np.isnan(status)
    total = weights.sum(axis=1)[:, None]
    share = np.full(status.shape, float(isolates))
    np.divide(weights @ np.where(unknown, 0.0, status), total, out=share, where=total > 0)
    if unknown.any():
        share[weights @ unknown.astype(np.float64) > 0] = np.nan
    found = np.full_like(share, np.nan)
    found[:, lag:] = share[:, : data.n_periods - lag]
    return found


def thresholds(
    data: ObservedDiffusion,
    *,
    lag: int = 0,
    valued: bool = False,
    direction: Direction = "out",
    isolates: float = 0.0,
    first_period: bool = True,
) -> Floats:
    """Return everybody's exposure in the period in which they adopted.

    Parameters
    ----------
    data, lag, valued, direction, isolates : as for `exposure`.
    first_period : whether those who adopted in period 1 have one; they may have adopted before anybody
        looked (left-censoring), and it is then too high.

    Returns
    -------
    (n,) shares from 0 to 1; NaN for those who did not adopt.

    Notes
    -----
    An upper bound of what was needed: between two periods exposure may have passed the true threshold long
    before. netdiffuseR: `threshold(lags = lag, include_censored = first_period)`.
    """
    seen = exposure(data, lag=lag, valued=valued, direction=direction, isolates=isolates)
    found = np.where(data.adopted, seen[np.arange(data.n_people), np.maximum(data.time, 1) - 1], np.nan)
    return found if first_period else np.where(data.time == 1, np.nan, found)


def withstood(
    data: ObservedDiffusion,
    *,
    lag: int = 0,
    valued: bool = False,
    direction: Direction = "out",
    isolates: float = 0.0,
) -> Floats:
    """Return the exposure at which people had still not adopted when last seen: their threshold is higher.

    Parameters
    ----------
    data, lag, valued, direction, isolates : as for `exposure`.

    Returns
    -------
    (n,) shares from 0 to 1; NaN for adopters, whose threshold is in `thresholds`.
    """
    seen = exposure(data, lag=lag, valued=valued, direction=direction, isolates=isolates)
    return np.where(data.adopted, np.nan, seen[np.arange(data.n_people), data.last_seen - 1])
