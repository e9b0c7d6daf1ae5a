"""Comparisons with the best arm, on paired differences and with chance that arms share.

The question "which arm is best, and how far behind are the others?" is answered for all arms at once by Hsu's
constrained intervals for mu_i - max over j != i of mu_j. They need one-sided limits for the k - 1 differences
of the true best arm only, whichever it is, and stay valid when arms share their luck because each limit uses
the variance of its own paired difference and Bonferroni's inequality does not ask how the differences depend
on each other.

Sources
-------
[1] Hsu, J. C. (1984). Constrained simultaneous confidence intervals for multiple comparisons with the best.
    Annals of Statistics 12, 1136-1144.
[2] Edwards, D. G. & Hsu, J. C. (1983). Multiple comparisons with the best treatment. Journal of the American
    Statistical Association 78, 965-971.
[3] Yang, W.-N. & Nelson, B. L. (1991). Using common random numbers and control variates in
    multiple-comparison procedures. Operations Research 39, 583-591.
[4] Stein, C. (1945), as in `statistics`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobsim.analysis.statistics import (
    Floats,
    bonferroni_t,
    check_confidence,
    check_first_stage,
    deviation,
    finite_array,
    stein_total,
    t_quantile,
)
from mobsim.errors import UsageError


@dataclass(frozen=True, eq=False)
class PairwiseDifferences:
    """All paired differences of k arms.

    Attributes
    ----------
    estimate : (k, k) D_ij, mean over communities of arm i minus arm j.
    deviation : (k, k) s_ij, standard deviation over communities (of the first stage, if there were two).
    n_communities : C, the number of communities behind each mean.
    degrees : degrees of freedom of s_ij.
    """

    estimate: Floats
    deviation: Floats
    n_communities: int
    degrees: int

    def half_widths(self, quantile: float) -> Floats:
        """Return (k, k) quantile * s_ij / sqrt(C)."""
        widths: Floats = quantile * self.deviation / math.sqrt(self.n_communities)
        return widths

    def all_pairs_quantile(self, confidence: float) -> float:
        """Two-sided t quantile for all k (k - 1) / 2 pairs at once, so also for pairs the data chose."""
        k = len(self.estimate)
        return bonferroni_t(confidence, k * (k - 1) // 2, self.degrees)


@dataclass(frozen=True, eq=False)
class WithBest:
    """Constrained intervals of each arm's difference from the best of the others.

    Attributes
    ----------
    low, high : (k,) lo_i <= 0 and up_i >= 0. lo_i = 0: no other arm is better; up_i = 0: not best alone.
    possible : (k,) whether the arm can still be the best (the set G).
    quantile : the Bonferroni t quantile in h_ij.
    half_width : (k, k) h_ij.
    """

    low: Floats
    high: Floats
    possible: NDArray[np.bool_]
    quantile: float
    half_width: Floats


def pairwise_differences(values: Any, *, first_stage: int | None = None) -> PairwiseDifferences:
    """Return means and standard deviations of all paired differences.

    Parameters
    ----------
    values : (k, n_communities, n_lucks) outcome of each run; the same cell is the same community and luck.
    first_stage : number of leading communities that made up the first of Stein's two stages; the standard
        deviations and degrees of freedom then come from these alone [4].

    Raises
    ------
    UsageError : if there are fewer than two communities, or a first stage of fewer than 32 or more than
        there are.
    """
    means = finite_array(values, 3, "outcomes").mean(axis=2)
    k, n_communities = means.shape
    if n_communities < 2:
        raise UsageError("comparison: found one community; at least 2 are needed for any interval")
    n_first = n_communities if first_stage is None else first_stage
    if first_stage is not None:
        check_first_stage(first_stage)
        if first_stage > n_communities:
            raise UsageError(f"first_stage: found {first_stage}; there are only {n_communities} communities")
    differences = means[:, None, :] - means[None, :, :]
    deviations = np.array([[deviation(differences[i, j, :n_first]) for j in range(k)] for i in range(k)])
    return PairwiseDifferences(differences.mean(axis=2), deviations, n_communities, n_first - 1)


def constrained_intervals(pairs: PairwiseDifferences, *, confidence: float = 0.95) -> WithBest:
    """Hsu's constrained intervals with the best, from paired differences and Bonferroni t [1, 2, 3].

    With alpha = 1 - confidence:

    * h_ij = t(1 - alpha/(k-1), degrees) s_ij / sqrt(C)
    * up_i = max(0, min over j != i of (D_ij + h_ij))
    * G = {i : up_i > 0}
    * lo_i = 0 if G = {i}, else min(0, min over j in G without i of (D_ij - h_ij))

    An arm with min (D_ij + h_ij) = 0 is kept in G as well. That happens to arms that were equal in every
    community; without it two copies of the best arm would rule each other out and leave a worse one as best.

    Parameters
    ----------
    pairs : from `pairwise_differences`, of at least two arms; more is better.
    confidence : joint confidence in (0.5, 1).

    Examples
    --------
    >>> pairs = pairwise_differences([[[0.30], [0.32], [0.31]], [[0.10], [0.13], [0.10]]])
    >>> best = constrained_intervals(pairs)
    >>> best.low.round(4).tolist(), best.possible.tolist()
    ([0.0, -0.2169], [True, False])
    """
    check_confidence(confidence)
    k = len(pairs.estimate)
    if k < 2:
        raise UsageError("comparison with the best: found one arm; at least 2 are needed")
    quantile = t_quantile(1 - (1 - confidence) / (k - 1), pairs.degrees)
    half_width = pairs.half_widths(quantile)
    others = ~np.eye(k, dtype=np.bool_)
    least_high = np.where(others, pairs.estimate + half_width, np.inf).min(axis=1)
    possible = least_high >= 0
    rivals = others & possible[None, :]
    least_low = np.where(rivals, pairs.estimate - half_width, np.inf).min(axis=1)
    return WithBest(np.minimum(0.0, least_low), np.maximum(0.0, least_high), possible, quantile, half_width)


def communities_until(pairs: PairwiseDifferences, half_width: float, *, confidence: float = 0.95) -> int:
    """Total communities for which every difference with the best is known to within `half_width` [4].

    Stein's second stage for each pair with an arm that can still be the best after the first stage, at the
    two-sided quantile for all pairs; the largest is the answer. Run the second stage once, then compare with
    `first_stage`.

    Parameters
    ----------
    pairs : the first stage's differences, from at least 32 communities.
    half_width : w, in the unit of the outcome, > 0.
    confidence : joint confidence in (0.5, 1).
    """
    check_first_stage(pairs.n_communities)
    quantile = pairs.all_pairs_quantile(confidence)
    possible = constrained_intervals(pairs, confidence=confidence).possible
    largest = float(pairs.deviation[possible].max())
    return stein_total(largest, pairs.n_communities, half_width, quantile)
