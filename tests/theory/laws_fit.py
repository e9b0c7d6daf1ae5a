"""How well runs fit a law: chi-square with rare outcomes together, means, and Holm's family.

The laws are exact, the runs are many and independent, and the seeds are fixed: a p-value here is the same
every time. All p-values of one collection are judged together (Holm 1979, a simple sequentially rejective
multiple test procedure), so that a right program would fail anywhere only once in 10,000 collections.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm
from scipy.stats import t as student

FAMILY = 1e-4
"""How often a right program would be rejected anywhere in a family, were the seeds drawn anew."""
ENOUGH = 10.0
"""Outcomes expected less often are counted together."""

Chance = float | Fraction


def p_of_counts(counts: npt.ArrayLike, chances: npt.ArrayLike) -> float:
    """Return how often a chi-square is as large as that of these counts under the law.

    Parameters
    ----------
    counts : how often each outcome came. chances : the law in the same order; what is missing to 1 is the
        chance of outcomes that are not listed, which never came.
    """
    seen = np.asarray(counts, np.float64).ravel()
    law = np.asarray(chances, np.float64).ravel()
    assert seen.shape == law.shape
    assert law.min() >= -1e-12
    assert law.sum() < 1 + 1e-9
    seen, law = np.append(seen, 0.0), np.append(law, max(0.0, 1 - law.sum()))
    if np.any((law <= 1e-15) & (seen > 0)):
        return 0.0  # what cannot happen happened
    expected = law * seen.sum()
    order = np.argsort(expected, kind="stable")
    seen, expected = seen[order], expected[order]
    rare = int(np.searchsorted(expected, ENOUGH))
    while 0 < rare < expected.size and expected[:rare].sum() < ENOUGH:
        rare += 1
    if rare:
        seen = np.append(seen[rare:], seen[:rare].sum())
        expected = np.append(expected[rare:], expected[:rare].sum())
    if expected.size < 2:
        return 1.0
    return float(chi2.sf(float(np.sum((seen - expected) ** 2 / expected)), expected.size - 1))


def p_of_outcomes(found: Mapping[Hashable, int], law: Mapping[Hashable, Chance]) -> float:
    """Return the same for outcomes by name; one that the law does not know is impossible.

    Parameters
    ----------
    found : how often each outcome came. law : the chance of each, adding up to 1.
    """
    total = float(sum(law.values()))
    assert abs(total - 1) < 1e-9, total
    if any(outcome not in law for outcome in found):
        return 0.0
    names = list(law)
    return p_of_counts([found.get(name, 0) for name in names], [float(law[name]) for name in names])


def p_of_mean(values: npt.ArrayLike, expected: float, sd: float | None = None) -> float:
    """Return how often a mean of independent values is as far from what is expected, on either side.

    Parameters
    ----------
    values : independent, at least two if no `sd` is known. expected : the law's mean.
    sd : of one value, if the law gives it; else it is estimated (Student).
    """
    array = np.asarray(values, np.float64)
    if sd is not None:
        return float(2 * norm.sf(abs(array.mean() - expected) / (sd / np.sqrt(array.size))))
    error = array.std(ddof=1) / np.sqrt(array.size)
    return float(2 * student.sf(abs(array.mean() - expected) / error, array.size - 1))


def holm(p_values: Sequence[float], level: float = FAMILY) -> list[bool]:
    """Return which p-values are rejected, at a level for all together.

    Parameters
    ----------
    p_values : of any number of tests, however they depend on each other. level : of the family.
    """
    rejected = [False] * len(p_values)
    for place, which in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[which] > level / (len(p_values) - place):
            break
        rejected[which] = True
    return rejected
