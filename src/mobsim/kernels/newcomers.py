"""Newcomers: who takes the place of a resident who leaves (docs/odd.md, 5 and 7.7)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from mobsim.kernels.arrays import NORMAL, TRUNCATED
from mobsim.kernels.compile import internal
from mobsim.kernels.elementary import normal_quantile_64, truncated_normal_64
from mobsim.kernels.keyed import Whole, centred, philox, uniform
from mobsim.kernels.streams import NEWCOMER

Level: TypeAlias = tuple[float, float]


@internal
def draw_threshold(word: Whole, kind: int, mean: float, sd: float, low: float, high: float) -> np.float32:
    """Return the threshold that one random word gives.

    Parameters
    ----------
    word : the random word.
    kind : NORMAL, TRUNCATED or UNIFORM.
    mean, sd : of the normal distribution.
    low, high : bounds.
    """
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
def draw_person(
    i: int, week: int, luck: int, seed: int, community: int, of_capability: Level, of_trust: Level
) -> tuple[Whole, np.float32, np.float32, np.float32]:
    """Return of a newcomer the word for the threshold, capability, trust and the draw for being aware.

    Parameters
    ----------
    i, week, luck, seed, community : whose random numbers, as in `keyed.py`.
    of_capability, of_trust : mean and standard deviation.
    """
    w0, w1, w2, w3 = philox(i, week, luck, NEWCOMER, seed, community)
    capability = draw_level(w1, of_capability[0], of_capability[1])
    trust = draw_level(w2, of_trust[0], of_trust[1])
    return w0, capability, trust, uniform(w3)
