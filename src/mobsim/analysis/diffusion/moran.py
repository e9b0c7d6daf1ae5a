"""Moran's I: do people who are close in the network resemble each other in having adopted?

Two tests stand side by side: the normal approximation that netdiffuseR prints, and a permutation test, which
needs no approximation and can be kept within communities. The second matters: where villages differ in how
many adopt, closeness and alikeness go together without anybody following a neighbour.

Sources
-------
Moran, P. A. P. (1950). Notes on continuous stochastic phenomena. Biometrika 37, 17-23.
Cliff, A. D. & Ord, J. K. (1981). Spatial Processes. Pion. (moments under randomization)
Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology 9, 39.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import ndtr

from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import Direction, adoption, tie_weights
from mobsim.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

STEPS = 6
"""Contacts of contacts of ... up to six steps are close; netdiffuseR's default."""

MOST_PAIRS = 3_000_000
"""Pairs of close people; a thousand permutations of ten periods take half a minute then."""

_BLOCK = 1_000
"""People whose contacts of contacts are looked for at once."""

_BATCH = 64
"""Permutations that are multiplied at once."""


@dataclass(frozen=True)
class Moran:
    """Moran's I of one variable.

    Attributes
    ----------
    observed : the index; NaN where nobody, or everybody, has adopted, or nobody is close to anybody.
    expected, sd : under the hypothesis that values are exchanged at random among all people.
    z : (observed − expected) / sd.
    p : two-sided, by the normal distribution.
    """

    observed: float
    expected: float
    sd: float
    z: float
    p: float


def closeness(
    data: ObservedDiffusion, *, steps: int = STEPS, direction: Direction = "out", valued: bool = False
) -> sparse.csr_array:
    """Return (n, n) 1/d for people d steps apart in the network, 0 beyond `steps`, and to oneself.

    Parameters
    ----------
    data : the people and ties.
    steps : the longest path that counts, from 1. With 1, `valued` ties count by their value.
    direction : `out` follows ties from ego to alter, `in` the other way, `both` either.
    valued : whether ties count by their value; only with one step, since steps have no value.

    Notes
    -----
    Shortest paths, found exactly up to `steps`. netdiffuseR: the inverse of `approx_geodesic(n = steps)`.
    """
    if steps < 1:
        raise UsageError(f"steps: found {steps}; allowed are whole numbers from 1")
    if valued and steps > 1:
        raise UsageError(f"valued: found True with {steps} steps; allowed is valued with steps=1 only")
    ties = tie_weights(data, valued=valued, direction=direction)
    if steps == 1:
        return ties
    ties.data[:] = 1.0
    blocks: list[sparse.csr_array] = []
    pairs = 0
    for start in range(0, data.n_people, _BLOCK):
        blocks.append(_closeness_of(ties, start, min(start + _BLOCK, data.n_people), steps))
        pairs += blocks[-1].nnz
        if pairs > MOST_PAIRS:
            raise UsageError(
                f"steps: {steps} steps bring more than {MOST_PAIRS:,} pairs of people together, which is the "
                "most that is allowed; take fewer steps, such as 1 or 2"
            )
    return sparse.vstack(blocks, format="csr")


def _closeness_of(ties: sparse.csr_array, start: int, end: int, steps: int) -> sparse.csr_array:
    """Return the rows of some people: a search in all directions at once, step by step."""
    n = ties.shape[0]
    people = np.arange(end - start)
    near = sparse.csr_array((np.ones(end - start), (people, people + start)), shape=(end - start, n))
    reached, found = near, sparse.csr_array(near.shape)
    for step in range(1, steps + 1):
        near = (near @ ties).tocsr()
        near.data[:] = 1.0
        near = (near - near.multiply(reached)).tocsr()
        near.eliminate_zeros()
        if near.nnz == 0:
            break
        reached = (reached + near).tocsr()
        found = (found + near / step).tocsr()
    return found


def moran(values: npt.ArrayLike, weights: sparse.csr_array) -> Moran:
    """Return Moran's I with its moments under randomization.

    Parameters
    ----------
    values : (n,) numbers, such as having adopted.
    weights : (n, n) closeness, from 0; each row is divided by its sum. People who are close to nobody have no
        row, but their values count in the mean.

    Notes
    -----
    I = n Σ_ij w_ij z_i z_j / (Σ_ij w_ij Σ_i z_i²), z_i = x_i − mean(x), and E(I) = −1/(n − 1).
    netdiffuseR: `moran(x, w, normalize.w = TRUE)`. With fewer than four people there is no variance.
    """
    x = np.asarray(values, np.float64)
    rows = _row_normalized(weights)
    n, total = len(x), float(rows.sum())
    z = x - x.mean() if n else x
    square = float(z @ z)
    if n < 2 or square <= 1e-12 * max(1.0, float(x @ x)) or total == 0:
        return Moran(math.nan, -1 / (n - 1) if n > 1 else math.nan, math.nan, math.nan, math.nan)
    observed = n * float(z @ (rows @ z)) / (total * square)
    expected = -1 / (n - 1)
    if n < 4:
        return Moran(observed, expected, math.nan, math.nan, math.nan)
    pairs = (rows + rows.T).tocsr()
    s1 = 0.5 * float((pairs.data**2).sum())
    s2 = float(((rows.sum(axis=1) + rows.sum(axis=0)) ** 2).sum())
    peaked = float((z**4).mean()) / (square / n) ** 2
    first = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * total**2)
    second = peaked * (n * (n - 1) * s1 - 2 * n * s2 + 6 * total**2)
    variance = (first - second) / ((n - 1) * (n - 2) * (n - 3) * total**2) - expected**2
    sd = math.sqrt(variance) if variance > 0 else math.nan
    standard = (observed - expected) / sd
    return Moran(observed, expected, sd, standard, 2 * float(ndtr(-abs(standard))))


def moran_by_period(
    data: ObservedDiffusion,
    *,
    steps: int = STEPS,
    direction: Direction = "out",
    permutations: int = 999,
    within: Literal["everybody", "community"] = "everybody",
    seed: int = 1,
) -> pd.DataFrame:
    """Return Moran's I of having adopted by each period, with both tests.

    Parameters
    ----------
    data : the people and ties.
    steps, direction : which pairs are close, see `closeness`.
    permutations : how often times of adoption are dealt out anew; 0: no permutation test.
    within : deal them out among `everybody`, or within each `community`, so that differences between
        communities are no evidence.
    seed : of the permutations; the same one gives the same numbers.

    Returns
    -------
    One row a period: period (label), people (whose status is known), adopters, moran, expected, sd, z, p
    (normal approximation, netdiffuseR's), and by permutation: permuted_mean (exact), permuted_sd, permuted_z,
    permuted_p. NaN where nobody or everybody has adopted.

    Notes
    -----
    permuted_p = (1 + how many permutations are at least as far from the mean) / (1 + permutations), which is
    two-sided. One permutation deals out people's whole histories, so that periods are comparable; tests of
    several periods are not independent. People lost from sight are left out of later periods.
    """
    import pandas as pd

    if permutations < 0:
        raise UsageError(f"permutations: found {permutations}; allowed are whole numbers from 0")
    if within not in ("everybody", "community"):
        raise UsageError(f"within: found {within!r}; allowed are 'everybody' and 'community'")
    status = adoption(data)
    weights = closeness(data, steps=steps, direction=direction)
    place = data.place_of_community if within == "community" else np.zeros(data.n_people, np.int64)
    rows: list[dict[str, float]] = []
    known = ~np.isnan(status)
    start = 0
    while start < data.n_periods:
        end = start + 1
        while end < data.n_periods and np.array_equal(known[:, end], known[:, start]):
            end += 1
        kept = np.flatnonzero(known[:, start])
        part = weights if len(kept) == data.n_people else weights[kept][:, kept].tocsr()
        rows += _periods(status[kept, start:end], part, place[kept], permutations, seed)
        start = end
    return pd.DataFrame(
        {
            "period": data.periods,
            "people": known.sum(axis=0),
            "adopters": np.nansum(status, axis=0).astype(np.int64),
            **{name: [row[name] for row in rows] for name in _COLUMNS},
        }
    )


_COLUMNS = (
    "moran", "expected", "sd", "z", "p", "permuted_mean", "permuted_sd", "permuted_z", "permuted_p"
)  # fmt: skip


def _periods(
    values: Floats,
    weights: sparse.csr_array,
    place: npt.NDArray[np.int64],
    permutations: int,
    seed: int,
) -> list[dict[str, float]]:
    """Return the numbers of some periods in which the same people are known."""
    found = [moran(values[:, t], weights) for t in range(values.shape[1])]
    rows = [
        dict(zip(_COLUMNS[:5], (f.observed, f.expected, f.sd, f.z, f.p), strict=True))
        | dict.fromkeys(_COLUMNS[5:], math.nan)
        for f in found
    ]
    defined = np.array([not math.isnan(f.observed) for f in found])
    if not permutations or not defined.any():
        return rows
    some = values[:, defined]
    z = some - some.mean(axis=0)
    normal = _row_normalized(weights)
    scale = len(z) / (float(normal.sum()) * (z**2).sum(axis=0))
    mean = scale * _expected_products(z, normal, place)
    drawn = scale * _dealt_out(z, normal, place, permutations, seed)
    observed = np.array([f.observed for f in found])[defined]
    spread = drawn.std(axis=0, ddof=1) if permutations > 1 else np.full(len(mean), math.nan)
    spread = np.where(spread > 1e-12, spread, math.nan)
    far = np.abs(observed - mean) - 1e-12
    beyond = (np.abs(drawn - mean) >= far).sum(axis=0)
    for k, t in enumerate(np.flatnonzero(defined)):
        rows[t]["permuted_mean"] = float(mean[k])
        rows[t]["permuted_sd"] = float(spread[k])
        rows[t]["permuted_z"] = float((observed[k] - mean[k]) / spread[k])
        rows[t]["permuted_p"] = float(1 + beyond[k]) / (1 + permutations)
    return rows


def _row_normalized(weights: sparse.csr_array) -> sparse.csr_array:
    total = weights.sum(axis=1)
    scale = np.divide(1.0, total, out=np.zeros(len(total)), where=total > 0)
    return (sparse.diags_array(scale) @ weights).tocsr()


def _expected_products(z: Floats, weights: sparse.csr_array, place: npt.NDArray[np.int64]) -> Floats:
    """Return (periods,) the mean of Σ w_ij z_i z_j over all ways to deal z out within each place."""
    n_places = int(place.max()) + 1
    members = sparse.csr_array((np.ones(len(place)), (place, np.arange(len(place)))))
    between = (members @ weights @ members.T).tocsr()
    size = np.bincount(place, minlength=n_places).astype(np.float64)[:, None]
    total, squares = members @ z, members @ z**2
    mean = total / np.maximum(size, 1.0)
    inside = np.divide(total**2 - squares, size * (size - 1), out=np.zeros_like(total), where=size > 1)
    own = between.diagonal()
    return np.asarray((mean * (between @ mean)).sum(axis=0) - own @ mean**2 + own @ inside, np.float64)


def _dealt_out(
    z: Floats, weights: sparse.csr_array, place: npt.NDArray[np.int64], permutations: int, seed: int
) -> Floats:
    """Return (permutations, periods) Σ w_ij z_i z_j after dealing rows of z out within each place."""
    random = np.random.Generator(np.random.Philox(key=seed))
    order = np.argsort(place, kind="stable")
    found = np.empty((permutations, z.shape[1]))
    for start in range(0, permutations, _BATCH):
        n = min(_BATCH, permutations - start)
        keys = random.random((n, len(place)))
        # Sorted by place and then by a random number, people of one place stand at its places in a new order.
        dealt = np.empty((len(place), n, z.shape[1]))
        for k in range(n):
            dealt[order, k] = z[np.lexsort((keys[k], place))]
        flat = dealt.reshape(len(place), -1)
        found[start : start + n] = (flat * (weights @ flat)).sum(axis=0).reshape(n, -1)
    return found
