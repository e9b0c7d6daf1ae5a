"""Infection and susceptibility: who was followed by those who name them, and who followed whom at once.

Corresponds to netdiffuseR's `infection()` and `susceptibility()`.

Sources
-------
Myers, D. J. (2000). The diffusion of collective violence: infectiousness, susceptibility, and mass media
    networks. American Journal of Sociology 106, 173-208.
Valente, T. W., Dyal, S. R., Chu, K.-H., Wipfli, H. & Fujimoto, K. (2015). Diffusion of innovations theory
    applied to global tobacco control treaty ratification. Social Science & Medicine 145, 89-97.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.errors import UsageError

Floats = npt.NDArray[np.float64]
Discount = Literal["linear", "exponential"]


def infection(
    data: ObservedDiffusion,
    *,
    periods: int = 1,
    normalized: bool = True,
    valued: bool = False,
    discount: Discount = "linear",
    rate: float = 0.5,
) -> Floats:
    """Return how many of those who name a person adopted right after that person.

    Parameters
    ----------
    data : the people and ties.
    periods : how many periods after the person's adoption count.
    normalized : whether to divide by how many people adopted in those periods at all.
    valued : whether ties count by their value.
    discount : later periods count less: period k counts 1/k (linear) or (1 + rate)^(1 − k) (exponential).
    rate : of the exponential discount, from 0.

    Returns
    -------
    (n,) from 0; NaN for those who did not adopt. 0 also where nobody who names the person adopted later.

    Notes
    -----
    I_i = Σ_k Σ_j x_ji [t_j = t_i + k] / w_k  ÷  Σ_k Σ_j x_ji [t_j ≥ t_i + k] / w_k, the second sum over
    adopters; k = 1 … periods. netdiffuseR: `infection(normalize, K, r, expdiscount, valued)`. There, people
    who did not adopt count as adopters of the last period if the data code them so.
    """
    later = data.time[data.ego] - data.time[data.alter]
    return _followed(data, data.alter, later, 1, periods, normalized, valued, discount, rate)


def susceptibility(
    data: ObservedDiffusion,
    *,
    periods: int = 1,
    normalized: bool = True,
    valued: bool = False,
    discount: Discount = "linear",
    rate: float = 0.5,
) -> Floats:
    """Return how many of the adopters whom a person names had adopted right before that person.

    Parameters
    ----------
    data : the people and ties.
    periods : how many periods before the person's adoption count.
    normalized : whether to divide by how many people adopted in those periods at all.
    valued : whether ties count by their value.
    discount : earlier periods count less: period k counts 1/k (linear) or (1 + rate)^(1 − k) (exponential).
    rate : of the exponential discount, from 0.

    Returns
    -------
    (n,) from 0; NaN for those who did not adopt. 0 also where nobody whom the person names adopted before.

    Notes
    -----
    S_i = Σ_k Σ_j x_ij [t_j = t_i − k] / w_k  ÷  Σ_k Σ_j x_ij [t_j ≤ t_i − k] / w_k, over adopters j;
    k = 1 … periods. netdiffuseR: `susceptibility(normalize, K, r, expdiscount, valued)`.
    """
    earlier = data.time[data.ego] - data.time[data.alter]
    return _followed(data, data.ego, earlier, -1, periods, normalized, valued, discount, rate)


def _followed(
    data: ObservedDiffusion,
    person: npt.NDArray[np.int64],
    apart: npt.NDArray[np.int64],
    step: int,
    periods: int,
    normalized: bool,
    valued: bool,
    discount: str,
    rate: float,
) -> Floats:
    """Return the measure for `person` of each tie; `apart`: periods from alter's adoption to ego's."""
    counts = _discounts(periods, discount, rate)
    both = data.adopted[data.ego] & data.adopted[data.alter]
    value = np.where(both, data.value if valued else 1.0, 0.0)
    adopters = np.bincount(data.time, minlength=data.n_periods + 1)
    adopters[0] = 0
    n = data.n_people
    at_once, at_all, among = np.zeros(n), np.zeros(n), np.zeros(n)
    for k, count in enumerate(counts, start=1):
        at_once += count * np.bincount(person, value * (apart == k), n)
        at_all += count * np.bincount(person, value * (apart >= k), n)
        other = data.time + step * k
        inside = (other >= 1) & (other <= data.n_periods)
        among += count * np.where(inside, adopters[np.clip(other, 0, data.n_periods)], 0)
    found = np.divide(at_once, at_all, out=np.zeros(n), where=at_all > 0)
    if normalized:
        found = np.divide(found, among, out=np.zeros(n), where=among > 0)
    return np.where(data.adopted, found, np.nan)


def _discounts(periods: int, discount: str, rate: float) -> list[float]:
    if periods < 1:
        raise UsageError(f"periods: found {periods}; allowed are whole numbers from 1")
    if discount not in ("linear", "exponential"):
        raise UsageError(f"discount: found {discount!r}; allowed are 'linear' and 'exponential'")
    if rate < 0:
        raise UsageError(f"rate: found {rate}; allowed are numbers from 0")
    if discount == "linear":
        return [1 / k for k in range(1, periods + 1)]
    return [(1 + rate) ** (1 - k) for k in range(1, periods + 1)]
