"""Sharp thresholds as whole numbers: how large a resident's numerator must be to join (docs/odd.md, 7.6)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil

import numpy as np

from mobsim.community.behaviour import (
    BehaviourSpec,
    ConstantThresholds,
    CountThresholds,
    ListedThresholds,
)
from mobsim.community.community import Community, CommunitySpec
from mobsim.community.exact import as_written
from mobsim.engine.rules import decides_in_whole_numbers
from mobsim.kernels import arrays as a

LARGEST = 2**62
EXACT_SIZE = 2**29
"""A float32 times a whole number below this is exact in float64 (24 + 29 bits)."""


def least_counts(
    behaviour: BehaviourSpec, spec: CommunitySpec, community: Community, ties: a.Ties
) -> a.Int64:
    """Return the least numerators for joining, or an empty array where participation is not decided so.

    Parameters
    ----------
    behaviour, spec : the scenario's parameters.
    community : the built community.
    ties : its network as kernels see it; its scale gives the unit of numerators.
    """
    if not decides_in_whole_numbers(behaviour, spec):
        return np.empty(0, np.int64)
    n = community.n_residents
    from_share = community.well_mixed or behaviour.visibility == 1
    one_contact = 1 / Fraction(ties.scale)
    if isinstance(behaviour.thresholds, CountThresholds):
        per_count = Fraction(1) if from_share else one_contact
        return _for_each(
            community.least_count.astype(np.float64), lambda count: ceil(Fraction(count) * per_count)
        )
    values, read = _thresholds(behaviour, community)
    weight = as_written(behaviour.social_weight)
    if not from_share and behaviour.share_exponent == 1:
        return _of_shares(values, read, weight, ties.denominator[ties.kind])
    size = Fraction(n) if from_share else one_contact
    if weight == 1 and read is Fraction and size.denominator == 1 and size < EXACT_SIZE:
        return np.ceil(values * float(size)).astype(np.int64)
    return _for_each(values, lambda value: _limited(ceil(read(value) / weight * size)))


def _thresholds(
    behaviour: BehaviourSpec, community: Community
) -> tuple[a.Float64, Callable[[float], Fraction]]:
    """(N,) thresholds and how they are read: exactly as written, or as the float32 that was drawn."""
    if community.listed_threshold.size > 0:
        return community.listed_threshold, as_written
    match behaviour.thresholds:
        case ConstantThresholds(value=value):
            return np.full(community.n_residents, value), as_written
        case ListedThresholds(values=values):
            return np.array(values, np.float64), as_written
        case _:
            return community.threshold.astype(np.float64), Fraction


def _of_shares(
    values: a.Float64, read: Callable[[float], Fraction], weight: Fraction, denominators: a.Float64
) -> a.Int64:
    """Least numerators where exposure is a share of contacts; one without contacts joins if θ <= 0."""
    if weight == 1 and read is Fraction and denominators.max(initial=0.0) < EXACT_SIZE:
        least = np.ceil(values * denominators).astype(np.int64)
    elif values.size and values.min() == values.max():
        share = read(float(values[0])) / weight
        least = _for_each(denominators, lambda d: _limited(ceil(share * Fraction(d))))
    else:
        pairs, place = np.unique(np.stack([values, denominators]), axis=1, return_inverse=True)
        exact = [_limited(ceil(read(v) / weight * Fraction(d))) for v, d in pairs.T.tolist()]
        least = np.array(exact, np.int64)[place.ravel()]
    return np.where(denominators > 0, least, (values > 0).astype(np.int64))


def _for_each(values: a.Float64, function: Callable[[float], int]) -> a.Int64:
    """Apply an exact function once to each distinct value."""
    distinct, place = np.unique(values, return_inverse=True)
    return np.array([function(value) for value in distinct.tolist()], np.int64)[place]


def _limited(number: int) -> int:
    """Keep a whole number within 64 bits; beyond, nobody or everybody joins anyway."""
    return max(min(number, LARGEST), -LARGEST)
