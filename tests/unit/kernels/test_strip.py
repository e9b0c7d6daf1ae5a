"""Strips: 16 slots at once give what 16 single numbers give, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from numba import TypingError

from mobsim.kernels.compile import kernel
from mobsim.kernels.elementary import exp2_32, exp2_strip, logistic_32, logistic_strip
from mobsim.kernels.keyed import entity_rounds, luck_rounds, philox, philox_strips
from mobsim.kernels.strip import (
    STRIP,
    as_double,
    bits_of,
    from_slot,
    load,
    lower_half,
    lowest_bit,
    of_bits,
    pick,
    rounded,
    slots_of,
    spread,
    store,
    widened,
)


@kernel
def _singles(a, b, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x + y)
    store(out, 16, x - y)
    store(out, 32, x * y)
    store(out, 48, x / y)
    store(out, 64, pick(x < y, x, np.float32(7.0)))
    store(out, 80, np.float32(2.0) * x - np.float32(1.0))
    store(out, 96, rounded(as_double(load(np.arange(16).astype(np.uint32), 0)) * spread(1.0 / 3.0)))
    store(out, 112, of_bits(bits_of(x)))


@kernel
def _words(a, b, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x + y)
    store(out, 16, x - y)
    store(out, 32, x * y)
    store(out, 48, (x & y) | (x ^ np.uint32(5)))
    store(out, 64, (x << np.uint32(3)) >> np.uint32(5))
    store(out, 80, lower_half((widened(x) * widened(y)) >> np.uint64(32)))
    store(out, 96, pick(from_slot(np.uint32(5)), x, y))


@kernel
def _masks(a, b, out):
    x, y = load(a, 0), load(b, 0)
    out[0] = slots_of(x < y)
    out[1] = slots_of(x <= y)
    out[2] = slots_of((x > y) & ~(x >= np.float32(3.0)))
    out[3] = slots_of((x == y) | (x >= np.float32(3.0)))
    out[4] = slots_of(spread(True) ^ (x < y))


@kernel
def _chances(x, out):
    for k in range(0, x.size, STRIP):
        strip = load(x, k)
        store(out, k, exp2_strip(strip))
        store(out, x.size + k, logistic_strip(strip))


@kernel
def _single_chances(x, out):
    for k in range(x.size):
        out[k] = exp2_32(x[k])
        out[x.size + k] = logistic_32(x[k])


@kernel
def _draws(entities, lucks, week, stream, seed, community, out):
    luck1 = luck_rounds(load(lucks, 0), week, seed, community)
    luck2 = luck_rounds(load(lucks, 16), week, seed, community)
    entity1 = entity_rounds(load(entities, 0), stream, community)
    entity2 = entity_rounds(load(entities, 16), stream, community)
    first, second = philox_strips(luck1, entity1, luck2, entity2, seed, community)
    store(out, 0, first[0])
    store(out, 16, second[0])
    store(out, 32, first[1])
    store(out, 48, second[1])
    store(out, 64, first[2])
    store(out, 80, second[2])
    store(out, 96, first[3])
    store(out, 112, second[3])


@kernel
def _bytes(a, out):
    store(out, 1, load(a, 1) + np.uint32(250))


@kernel
def _lowest(bits):
    return lowest_bit(bits)


@kernel
def _mixed(a, b):
    return slots_of(load(a, 0) < load(b, 0))


def test_singles_are_computed_slot_by_slot():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 16)).astype(np.float32)
    out = np.zeros(128, np.float32)
    _singles(a, b, out)
    thirds = (np.arange(16.0) * (1.0 / 3.0)).astype(np.float32)
    expected = [a + b, a - b, a * b, a / b, np.where(a < b, a, 7), 2 * a - 1, thirds, a]
    assert out.tobytes() == np.concatenate(expected).astype(np.float32).tobytes()


def test_words_wrap_and_shift_as_32_bit_numbers():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2**32, (2, 16), dtype=np.uint32)
    out = np.zeros(112, np.uint32)
    _words(a, b, out)
    high = (a.astype(np.uint64) * b.astype(np.uint64) >> np.uint64(32)).astype(np.uint32)
    logic = (a & b) | (a ^ np.uint32(5))
    late = np.where(np.arange(16) >= 5, a, b)
    shifted = (a << np.uint32(3)) >> np.uint32(5)
    np.testing.assert_array_equal(out.reshape(7, 16), [a + b, a - b, a * b, logic, shifted, high, late])


def test_masks_are_bits_and_nan_is_never_less():
    a = np.array([1, 2, 3, 4, np.nan, 3, 0, -1, 1, 1, 1, 1, 1, 1, 1, 9], np.float32)
    b = np.array([2, 2, 2, 2, 2, np.nan, 0, 0, 1, 1, 1, 1, 1, 1, 1, 8], np.float32)
    out = np.zeros(5, np.uint64)
    _masks(a, b, out)
    masks = [a < b, a <= b, (a > b) & ~(a >= 3), (a == b) | (a >= 3), ~(a < b)]
    assert out.tolist() == [sum(1 << k for k in range(16) if mask[k]) for mask in masks]


def test_chances_have_the_bits_of_single_numbers():
    special = [0.0, -0.0, 126.0, 127.0, -126.0, -127.5, 1e30, -1e30, np.inf, -np.inf, 0.5, -0.5]
    x = np.concatenate([special, np.linspace(-130, 130, 100_004)]).astype(np.float32)[:100_000]
    strips, single = np.zeros(2 * x.size, np.float32), np.zeros(2 * x.size, np.float32)
    _chances(x, strips)
    _single_chances(x, single)
    assert strips.tobytes() == single.tobytes()


@pytest.mark.parametrize("week", [-2147483648, -104, -1, 0, 130, 2147483647])
@pytest.mark.parametrize("key", [(0, 0), (20261122, 2**32 - 5), (2**32 - 1, 2**32 - 1)])
def test_draws_are_those_of_the_keyed_generator(week, key):
    rng = np.random.default_rng(3)
    entities, lucks = rng.integers(0, 2**32, (2, 32), dtype=np.uint32)
    entities[:2], lucks[1:3] = (0, 2**32 - 1), (0, 2**32 - 1)
    out = np.zeros(128, np.uint32)
    unsigned = np.uint64(week % 2**32)
    _draws(entities, lucks, unsigned, np.uint64(1), np.uint64(key[0]), np.uint64(key[1]), out)
    for slot in range(32):
        expected = philox(int(entities[slot]), week, int(lucks[slot]), 1, *key)
        assert tuple(out.reshape(4, 32)[:, slot].tolist()) == tuple(int(word) for word in expected)


def test_bytes_keep_their_lower_eight_bits_and_neighbours_stay():
    a, out = np.arange(18, dtype=np.uint8), np.full(18, 77, np.uint8)
    _bytes(a, out)
    assert out[0] == out[17] == 77
    np.testing.assert_array_equal(out[1:17], (a[1:17].astype(int) + 250) % 256)


def test_lowest_bit():
    assert [_lowest(np.uint64(n)) for n in (1, 2, 12, 2**63)] == [0, 1, 2, 63]


def test_kinds_cannot_be_mixed():
    with pytest.raises(TypingError):
        _mixed(np.zeros(16, np.float32), np.zeros(16, np.uint32))
