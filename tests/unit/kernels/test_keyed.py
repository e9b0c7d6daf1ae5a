"""The keyed generator: published answers, one result whichever way it is called, and its conversions."""

from __future__ import annotations

import numpy as np
import pytest

from mobsim.kernels.compile import kernel
from mobsim.kernels.keyed import SETUP_LUCK, TILE, below, centred, philox, philox_slots, philox_words, uniform

# The three known-answer vectors for philox4x32-10 published with Random123: counter, key, answer.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def draw_slots(first, week, luck, stream, seed, community, out):
    """`philox_slots` for 64 entities in a row, counted on past the last one, all with one luck."""
    entities = (np.arange(TILE, dtype=np.uint64) + np.uint64(first)).astype(np.uint32)
    philox_slots(entities, week, np.full(TILE, luck, np.uint32), stream, seed, community, out)


def reference(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Philox4x32-10 in plain Python integers, written from the paper."""
    x = [word % 2**32 for word in counter]
    k = [word % 2**32 for word in key]
    for _ in range(10):
        high_0, low_0 = divmod(0xD2511F53 * x[0], 2**32)
        high_1, low_1 = divmod(0xCD9E8D57 * x[2], 2**32)
        x = [high_1 ^ x[1] ^ k[0], low_1, high_0 ^ x[3] ^ k[1], low_0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return tuple(x)


@kernel
def _scalar_draws_in_a_kernel(entities, week, luck, stream, seed, community, out):
    for i in range(entities.size):
        w0, w1, w2, w3 = philox(entities[i], week, luck, stream, seed, community)
        out[0, i] = w0
        out[1, i] = w1
        out[2, i] = w2
        out[3, i] = w3


@kernel
def _conversions_in_a_kernel(words, n, u, c, b):
    for i in range(words.size):
        u[i] = uniform(words[i])
        c[i] = centred(words[i])
        b[i] = below(words[i], n)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_published_vectors(counter, key, answer):
    assert reference(counter, key) == answer
    assert philox(*counter, *key) == answer
    out = np.zeros((4, 1), np.uint32)
    philox_words(np.array([counter[0]], np.uint32), *counter[1:], *key, out)
    assert tuple(out[:, 0].tolist()) == answer
    tile = np.zeros((4, TILE), np.uint32)
    draw_slots(counter[0], *counter[1:], *key, tile)
    assert tuple(tile[:, 0].tolist()) == answer


@pytest.mark.parametrize("week", [-2147483648, -104, -1, 0, 1, 130, 2147483647])
@pytest.mark.parametrize("first", [0, 1, 640, 2**31 - 32, 2**32 - 64])
@pytest.mark.parametrize("luck", [0, 7, SETUP_LUCK])
def test_scalar_array_tile_and_reference_agree(week, first, luck):
    stream, seed, community = 3, 20261122, 2**32 - 5
    entities = np.arange(first, first + TILE, dtype=np.uint32)
    expected = np.array(
        [reference((int(e), week, luck, stream), (seed, community)) for e in entities], np.uint32
    ).T
    by_array, by_tile, by_kernel = (np.zeros((4, TILE), np.uint32) for _ in range(3))
    philox_words(entities, week, luck, stream, seed, community, by_array)
    draw_slots(first, week, luck, stream, seed, community, by_tile)
    _scalar_draws_in_a_kernel(entities, week, luck, stream, seed, community, by_kernel)
    by_call = np.array([philox(int(e), week, luck, stream, seed, community) for e in entities], np.uint32).T
    for found in (by_array, by_tile, by_kernel, by_call):
        np.testing.assert_array_equal(found, expected)


def test_tile_wraps_at_the_last_entity():
    tile = np.zeros((4, TILE), np.uint32)
    draw_slots(2**32 - 1, 0, 0, 0, 1, 1, tile)
    assert tuple(tile[:, 1].tolist()) == reference((0, 0, 0, 0), (1, 1))


def test_slots_of_different_lucks_are_drawn_together():
    entities = np.arange(TILE, dtype=np.uint32) // 3
    lucks = np.arange(TILE, dtype=np.uint32) % 3
    tile = np.zeros((4, TILE), np.uint32)
    philox_slots(entities, -7, lucks, 1, 5, 6, tile)
    for slot in range(TILE):
        expected = reference((int(entities[slot]), -7, int(lucks[slot]), 1), (5, 6))
        assert tuple(tile[:, slot].tolist()) == expected


def test_any_order_and_length_gives_the_same_words():
    entities = np.arange(1000, dtype=np.uint32)
    order = np.random.default_rng(1).permutation(1000)
    straight, shuffled = np.zeros((4, 1000), np.uint32), np.zeros((4, 1000), np.uint32)
    philox_words(entities, -4, 2, 1, 5, 6, straight)
    philox_words(entities[order], -4, 2, 1, 5, 6, shuffled)
    np.testing.assert_array_equal(shuffled, straight[:, order])
    for length in (0, 1, 3, 17, 63, 65):
        part = np.zeros((4, length), np.uint32)
        philox_words(entities[:length], -4, 2, 1, 5, 6, part)
        np.testing.assert_array_equal(part, straight[:, :length])


def test_argument_types_do_not_matter():
    plain = philox(9, -2, 3, 4, 5, 6)
    for kind in (np.int32, np.int64):
        assert philox(*(kind(value) for value in (9, -2, 3, 4, 5, 6))) == plain
    tile = np.zeros((4, TILE), np.uint32)
    draw_slots(np.uint32(9), np.int32(-2), np.uint32(3), np.uint32(4), np.uint32(5), np.uint32(6), tile)
    assert tuple(tile[:, 0].tolist()) == plain


def test_every_word_of_counter_and_key_matters():
    base = [10, 20, 30, 40, 50, 60]
    seen = {philox(*base)}
    for position in range(6):
        for bit in range(32):
            changed = list(base)
            changed[position] ^= 1 << bit
            seen.add(philox(*changed))
    assert len(seen) == 1 + 6 * 32
    assert len({word for words in seen for word in words}) == 4 * len(seen)


def test_words_are_evenly_spread():
    n = 1 << 18
    out = np.zeros((4, n), np.uint32)
    philox_words(np.arange(n, dtype=np.uint32), 1, 1, 1, 1, 1, out)
    u = out / 2.0**32
    assert np.all(np.abs(u.mean(axis=1) - 0.5) < 5 * np.sqrt(1 / 12 / n))
    assert np.all(np.abs(np.corrcoef(u) - np.eye(4)) < 5 / np.sqrt(n))
    counts = np.stack([np.bincount(row >> 24, minlength=256) for row in out])
    chi_squared = ((counts - n / 256) ** 2 / (n / 256)).sum(axis=1)
    assert np.all(np.abs(chi_squared - 255) < 5 * np.sqrt(2 * 255))


def test_conversions_are_exact():
    words = np.array([0, 1, 255, 256, 2**31 - 1, 2**31, 2**32 - 257, 2**32 - 256, 2**32 - 1], np.uint32)
    words = np.concatenate([words, np.random.default_rng(2).integers(0, 2**32, 5000, dtype=np.uint32)])
    u, c = np.zeros(words.size, np.float32), np.zeros(words.size)
    b = np.zeros(words.size, np.int64)
    for n in (1, 2, 7, 1000, 2**31, 2**32 - 1):
        _conversions_in_a_kernel(words, n, u, c, b)
        assert b.tolist() == [(int(word) * n) >> 32 for word in words]
        assert b.min() >= 0
        assert b.max() < n
        assert below(2**32 - 1, n) == n - 1
    whole = (words >> 8).astype(np.float64)
    np.testing.assert_array_equal(u.astype(np.float64), whole / 2**24)
    np.testing.assert_array_equal(c, (whole + 0.5) / 2**24)
    assert u.min() == 0
    assert u.max() == np.float32(1 - 2.0**-24) < 1
    assert c.min() > 0
    assert c.max() == 1 - c.min() < 1
    for word in words[:20]:
        assert uniform(word) == (int(word) >> 8) / 2**24
        assert centred(word) == ((int(word) >> 8) + 0.5) / 2**24
