"""Newcomers: who takes the place of a resident who leaves (docs/odd.md, 5 and 7.7)."""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import (
    AWARE_SHARE,
    BY_GROUP,
    CAPABILITY_SD,
    EVERYONE,
    KEEPS_THRESHOLD,
    NORMAL,
    START_CAPABILITY_MEAN,
    THRESHOLD_HIGH,
    THRESHOLD_LOW,
    THRESHOLD_MEAN,
    THRESHOLD_SD,
    TRUNCATED,
    TRUST_MEAN,
    TRUST_SD,
    Float32,
    Float64,
    Keys,
    Residents,
    Rules,
    UInt32,
)
from mobsim.kernels.compile import internal
from mobsim.kernels.elementary import normal_quantile_64, truncated_normal_64
from mobsim.kernels.keyed import Whole, centred, philox, uniform
from mobsim.kernels.streams import NEWCOMER
from mobsim.kernels.tile import FLAGS, M_NOW, NO, O_NOW, REPLACED, S_NOW, S_START, T_NOW, THETA, ZERO


@internal
def draw_threshold(word: Whole, kind: int, doubles: Float64, lane: int) -> np.float32:
    """Return the threshold that one random word gives.

    Parameters
    ----------
    word : the random word.
    kind : NORMAL, TRUNCATED or UNIFORM.
    doubles : (rows, L) parameters of the rules.
    lane : which lane.
    """
    mean = doubles[THRESHOLD_MEAN, lane]
    sd = doubles[THRESHOLD_SD, lane]
    low = doubles[THRESHOLD_LOW, lane]
    high = doubles[THRESHOLD_HIGH, lane]
    if kind == NORMAL:
        return np.float32(mean + sd * normal_quantile_64(centred(word)))
    if kind == TRUNCATED:
        return np.float32(truncated_normal_64(centred(word), mean, sd, low, high))
    return np.float32(low + (high - low) * np.float64(uniform(word)))


@internal
def draw_level(word: Whole, mean: float, sd: float) -> np.float32:
    """Return a capability or trust: normal, clipped to [0, 1].

    Parameters
    ----------
    word : the random word.
    mean, sd : of the normal distribution.
    """
    value = mean + sd * normal_quantile_64(centred(word))
    return np.float32(min(max(value, 0.0), 1.0))


@internal
def seat_newcomers(
    week: int,
    first: int,
    n_pairs: int,
    n_lanes: int,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    f: Float32,
    u: UInt32,
) -> None:
    """Give the places marked as replaced in a tile to newcomers, the same one in all arms of a draw group.

    Parameters
    ----------
    week : the week.
    first : the first resident of the tile.
    n_pairs : residents x draw groups in the tile.
    n_lanes : number of lanes.
    residents, rules, keys : the bundles of `arrays.py`.
    f, u : the tile's scratch.
    """
    n_draws = keys.luck.size
    n_arms = n_lanes // n_draws
    for pair in range(n_pairs):
        if not u[REPLACED + pair * n_arms]:
            continue
        i = first + pair // n_draws
        draw = pair % n_draws
        lane = draw * n_arms
        group = np.int64(residents.group[i])
        w0, w1, w2, w3 = philox(i, week, keys.luck[draw], NEWCOMER, keys.seed, keys.community)
        capability = draw_level(
            w1, rules.by_group[START_CAPABILITY_MEAN, group, lane], rules.doubles[CAPABILITY_SD, lane]
        )
        trust = draw_level(w2, rules.by_group[TRUST_MEAN, group, lane], rules.doubles[TRUST_SD, lane])
        if rules.newcomer_aware == BY_GROUP:
            share = np.float32(rules.by_group[AWARE_SHARE, group, lane])
            aware = np.uint32(residents.leader_place[i] >= 0 or uniform(w3) < share)
        else:
            aware = np.uint32(rules.newcomer_aware == EVERYONE)
        for slot in range(pair * n_arms, (pair + 1) * n_arms):
            if rules.threshold_kind != KEEPS_THRESHOLD:
                f[THETA + slot] = draw_threshold(w0, rules.threshold_kind, rules.doubles, lane)
            f[S_START + slot] = capability
            f[S_NOW + slot] = capability
            f[T_NOW + slot] = trust
            f[O_NOW + slot] = ZERO
            f[M_NOW + slot] = ZERO
            u[FLAGS + slot] = NO | aware
