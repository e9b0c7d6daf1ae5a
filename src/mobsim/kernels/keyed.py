"""Random words that belong to a key, not to a sequence: Philox4x32-10.

The four words drawn for an entity depend only on (seed, community, luck, stream, week, entity). Which other
draws were made, in which order, on how many threads, never matters.

Source: Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11
(the generator and its published known-answer vectors).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mobsim.kernels.compile import inlined, internal, kernel
from mobsim.kernels.counting import DRAWS, count
from mobsim.kernels.strip import lower_half, widened

Whole: TypeAlias = int | np.integer[Any]
"""A whole number of any width; kernels pass NumPy integers where Python code passes `int`."""

SETUP_LUCK = 2**32 - 1
"""The value of `luck` for every draw made while a community is built, before any luck exists."""

TILE = 64
"""How many slots `philox_slots` draws for at once."""

# Words are carried in uint64 with the upper half zero: numba widens uint32 arithmetic to uint64 anyway, and a
# 32 x 32 -> 64 bit product is one instruction on every machine.
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_KEY_STEP_0 = np.uint64(0x9E3779B9)
_KEY_STEP_1 = np.uint64(0xBB67AE85)

_UNIT = 2.0**-24
_UNIT_32 = np.float32(2.0**-24)
_DROPPED = np.uint32(8)


@inlined
def _round(
    w0: np.uint64, w1: np.uint64, w2: np.uint64, w3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One of the ten rounds: two products, whose halves change places with the other words."""
    product_0 = _MULTIPLIER_0 * w0
    product_1 = _MULTIPLIER_1 * w2
    return (
        (product_1 >> _HALF) ^ w1 ^ k0,
        product_1 & _LOW,
        (product_0 >> _HALF) ^ w3 ^ k1,
        product_0 & _LOW,
    )


@inlined
def _ten_rounds(
    w0: np.uint64, w1: np.uint64, w2: np.uint64, w3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """All ten rounds; the key moves by a constant step between them."""
    # Written out, because a loop here would keep LLVM from vectorizing the loop over entities around it.
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _round(w0, w1, w2, w3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    return _round(w0, w1, w2, w3, k0, k1)


@kernel
def _philox_integers(
    entity: np.int64, week: np.int64, luck: np.int64, stream: np.int64, seed: np.int64, community: np.int64
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """`philox` for arguments that are already 64-bit integers: the one compiled body behind scalar calls."""
    count(DRAWS, 1)
    w0, w1, w2, w3 = _ten_rounds(
        np.uint64(entity) & _LOW,
        np.uint64(week) & _LOW,
        np.uint64(luck) & _LOW,
        np.uint64(stream) & _LOW,
        np.uint64(seed) & _LOW,
        np.uint64(community) & _LOW,
    )
    return np.uint32(w0), np.uint32(w1), np.uint32(w2), np.uint32(w3)


@inlined
def philox(
    entity: Whole, week: Whole, luck: Whole, stream: Whole, seed: Whole, community: Whole
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Draw the four random words of one entity in one week.

    Parameters
    ----------
    entity : int
        Number of the resident, household, tie or other thing that draws, 0 to 2**32 - 1.
    week : int
        Week of the run; negative in the burn-in. Counted as two's complement in 32 bits.
    luck : int
        Number of the luck, 0 to 2**32 - 1; `SETUP_LUCK` while the community is built.
    stream : int
        What the draw is for.
    seed, community : int
        The key: the seed of the study and the number of the community, 0 to 2**32 - 1.

    Returns
    -------
    tuple of four uint32
        Independent words, each uniform on 0 to 2**32 - 1.
    """
    return _philox_integers(
        np.int64(entity),
        np.int64(week),
        np.int64(luck),
        np.int64(stream),
        np.int64(seed),
        np.int64(community),
    )


@kernel
def philox_words(
    entities: npt.NDArray[np.uint32],
    week: Whole,
    luck: Whole,
    stream: Whole,
    seed: Whole,
    community: Whole,
    out: npt.NDArray[np.uint32],
) -> None:
    """Draw the four random words of every listed entity.

    Parameters
    ----------
    entities : uint32 array, shape (n,)
        Numbers of the entities, in any order.
    week, luck, stream, seed, community : int
        As for `philox`.
    out : uint32 array, shape (4, n)
        Receives word j of entity i at [j, i].
    """
    row_0, row_1, row_2, row_3 = out[0], out[1], out[2], out[3]
    w1 = np.uint64(week) & _LOW
    w2 = np.uint64(luck) & _LOW
    w3 = np.uint64(stream) & _LOW
    k0 = np.uint64(seed) & _LOW
    k1 = np.uint64(community) & _LOW
    count(DRAWS, entities.size)
    for i in range(entities.size):
        v0, v1, v2, v3 = _ten_rounds(np.uint64(entities[i]), w1, w2, w3, k0, k1)
        row_0[i] = np.uint32(v0)
        row_1[i] = np.uint32(v1)
        row_2[i] = np.uint32(v2)
        row_3[i] = np.uint32(v3)


@internal
def _slots(
    entities: npt.NDArray[np.uint32],
    week: np.int64,
    lucks: npt.NDArray[np.uint32],
    stream: np.int64,
    seed: np.int64,
    community: np.int64,
    out: npt.NDArray[np.uint32],
) -> None:
    """`philox_slots` for arguments that are already 64-bit integers: compiled once."""
    row_0, row_1, row_2, row_3 = out[0], out[1], out[2], out[3]
    w1 = np.uint64(week) & _LOW
    w3 = np.uint64(stream) & _LOW
    k0 = np.uint64(seed) & _LOW
    k1 = np.uint64(community) & _LOW
    count(DRAWS, 64)
    # The constant trip count lets LLVM turn the loop into vector code without a remainder.
    for slot in range(64):
        v0, v1, v2, v3 = _ten_rounds(np.uint64(entities[slot]), w1, np.uint64(lucks[slot]), w3, k0, k1)
        row_0[slot] = np.uint32(v0)
        row_1[slot] = np.uint32(v1)
        row_2[slot] = np.uint32(v2)
        row_3[slot] = np.uint32(v3)


@inlined
def philox_slots(
    entities: npt.NDArray[np.uint32],
    week: Whole,
    lucks: npt.NDArray[np.uint32],
    stream: Whole,
    seed: Whole,
    community: Whole,
    out: npt.NDArray[np.uint32],
) -> None:
    """Draw the four random words of 64 pairs of an entity and a luck.

    Parameters
    ----------
    entities, lucks : uint32 arrays, shape (64,)
        The entity and the luck of every slot.
    week, stream, seed, community : int
        As for `philox`.
    out : uint32 array, C-contiguous, shape (4, 64)
        Receives word j of slot i at [j, i].
    """
    _slots(entities, np.int64(week), lucks, np.int64(stream), np.int64(seed), np.int64(community), out)


@inlined
def philox_first(
    entities: npt.NDArray[np.uint32],
    start: Whole,
    week: Whole,
    luck: Whole,
    stream: Whole,
    seed: Whole,
    community: Whole,
    out: npt.NDArray[np.uint32],
) -> None:
    """Draw the first random word of 64 entities that stand side by side, all with one luck.

    Parameters
    ----------
    entities : uint32 array, shape (n,)
    start : int
        Where the 64 entities begin.
    week, luck, stream, seed, community : int
        As for `philox`.
    out : uint32 array, shape (64,)
        Receives the words.
    """
    w1 = np.uint64(week) & _LOW
    w2 = np.uint64(luck) & _LOW
    w3 = np.uint64(stream) & _LOW
    k0 = np.uint64(seed) & _LOW
    k1 = np.uint64(community) & _LOW
    count(DRAWS, 64)
    for slot in range(64):
        v0, _, _, _ = _ten_rounds(np.uint64(entities[np.uint64(start) + np.uint64(slot)]), w1, w2, w3, k0, k1)
        out[slot] = np.uint32(v0)


@inlined
def philox_second(
    first: Whole,
    week: Whole,
    luck: Whole,
    stream: Whole,
    seed: Whole,
    community: Whole,
    out: npt.NDArray[np.uint32],
) -> None:
    """Draw the second random word of 64 entities in a row, all with one luck.

    Parameters
    ----------
    first : int
        The first of the 64 entities.
    week, luck, stream, seed, community : int
        As for `philox`.
    out : uint32 array, shape (64,)
        Receives the words.
    """
    w1 = np.uint64(week) & _LOW
    w2 = np.uint64(luck) & _LOW
    w3 = np.uint64(stream) & _LOW
    k0 = np.uint64(seed) & _LOW
    k1 = np.uint64(community) & _LOW
    count(DRAWS, 64)
    for slot in range(64):
        _, v1, _, _ = _ten_rounds((np.uint64(first) + np.uint64(slot)) & _LOW, w1, w2, w3, k0, k1)
        out[slot] = np.uint32(v1)


@inlined
def _strip_round(w0: Any, w1: Any, w2: Any, w3: Any, k0: Any, k1: Any) -> Any:
    """`_round` for strips of longs, of which only the lower halves count."""
    product_0 = (w0 & _LOW) * _MULTIPLIER_0
    product_1 = (w2 & _LOW) * _MULTIPLIER_1
    return (product_1 >> _HALF) ^ w1 ^ k0, product_1, (product_0 >> _HALF) ^ w3 ^ k1, product_0


@inlined
def luck_rounds(lucks: Any, week: Any, seed: Any, community: Any) -> Any:
    """Return what the first two rounds make of lucks and week, whatever the entity: three strips of words.

    Parameters
    ----------
    lucks : strip of words.
    week, seed, community : uint64 below 2**32.
    """
    product = widened(lucks) * _MULTIPLIER_1
    first = (product >> _HALF) ^ (week ^ seed)
    second = (first & _LOW) * _MULTIPLIER_0
    return (
        lower_half(product ^ (seed + _KEY_STEP_0)),
        lower_half((second >> _HALF) ^ (community + _KEY_STEP_1)),
        lower_half(second),
    )


@inlined
def entity_rounds(entities: Any, stream: Any, community: Any) -> Any:
    """Return what the first two rounds make of entities and stream, whatever the luck: three strips of longs.

    Parameters
    ----------
    entities : strip of words.
    stream, community : uint64 below 2**32.
    """
    product = widened(entities) * _MULTIPLIER_0
    third = (product >> _HALF) ^ (stream ^ community)
    second = (third & _LOW) * _MULTIPLIER_1
    return second >> _HALF, second, product


@inlined
def philox_strips(of_luck: Any, of_entity: Any, luck_2: Any, entity_2: Any, seed: Any, community: Any) -> Any:
    """Draw the four random words of two strips of pairs of an entity and a luck: what the week kernel calls.

    Words are carried in 64 bits; what stands above the lower 32 is dropped before it is multiplied. Two
    strips go side by side, because each step of a round has to wait for the one before.

    Parameters
    ----------
    of_luck, of_entity, luck_2, entity_2 : of both strips, from `luck_rounds` and `entity_rounds`.
    seed, community : uint64 below 2**32, as there.

    Returns
    -------
    two tuples of four strips of words
        As `philox`.
    """
    count(DRAWS, 32)
    w0, w1 = of_entity[0] ^ widened(of_luck[0]), of_entity[1]
    w2, w3 = widened(of_luck[1]) ^ of_entity[2], widened(of_luck[2])
    v0, v1 = entity_2[0] ^ widened(luck_2[0]), entity_2[1]
    v2, v3 = widened(luck_2[1]) ^ entity_2[2], widened(luck_2[2])
    k0, k1 = seed + _KEY_STEP_0, community + _KEY_STEP_1
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    k0, k1 = (k0 + _KEY_STEP_0) & _LOW, (k1 + _KEY_STEP_1) & _LOW
    w0, w1, w2, w3 = _strip_round(w0, w1, w2, w3, k0, k1)
    v0, v1, v2, v3 = _strip_round(v0, v1, v2, v3, k0, k1)
    return (
        (lower_half(w0), lower_half(w1), lower_half(w2), lower_half(w3)),
        (lower_half(v0), lower_half(v1), lower_half(v2), lower_half(v3)),
    )


@inlined
def uniform(word: Whole) -> np.float32:
    """Turn a random word into a float32 on [0, 1): its upper 24 bits, such that `u < p` has chance p.

    Returns
    -------
    float32
        (word >> 8) / 2**24, exact.
    """
    return np.float32(np.uint32(word) >> _DROPPED) * _UNIT_32


@inlined
def centred(word: Whole) -> float:
    """Turn a random word into a float64 strictly inside (0, 1), symmetric about one half, for quantiles.

    Returns
    -------
    float
        ((word >> 8) + 1/2) / 2**24, exact.
    """
    return (np.float64(np.uint32(word) >> _DROPPED) + 0.5) * _UNIT


@inlined
def below(word: Whole, n: Whole) -> int:
    """Turn a random word into an integer from 0 to n - 1 by multiply-shift.

    Parameters
    ----------
    word : uint32
        A random word.
    n : int
        How many integers there are to choose from, 1 to 2**32 - 1.

    Returns
    -------
    int
        floor(word * n / 2**32). No integer's chance differs from 1/n by more than 2**-32.
    """
    # Signed, because numba would turn the sum of a uint64 and an int64 into a float.
    return np.int64((np.uint64(word) * np.uint64(n)) >> _HALF)  # type: ignore[return-value]
