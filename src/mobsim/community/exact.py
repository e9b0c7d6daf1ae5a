"""Exact counts and random orders: rounding in whole numbers, and who comes first by keyed draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt

from mobsim.kernels.keyed import SETUP_LUCK, philox_words

PART = 2**16
"""How many residents are worked out at once where intermediate results would fill the memory."""


def as_written(number: float) -> Fraction:
    """Return the exact value of the shortest decimal text of a number: what a person wrote.

    Examples
    --------
    >>> as_written(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(number)))


def round_half_up(number: Fraction) -> int:
    """Round to the nearest integer, halves up: floor(number + 1/2).

    Examples
    --------
    >>> round_half_up(Fraction(5, 2)), round_half_up(Fraction(-5, 2))
    (3, -2)
    """
    return floor(number + Fraction(1, 2))


def share_of(share: float, n: int) -> int:
    """Return a share of n things as a whole number, halves up, in exact decimal arithmetic.

    Parameters
    ----------
    share : the share as written.
    n : how many things there are.

    Examples
    --------
    >>> share_of(0.05, 1000), share_of(0.35, 10)
    (50, 4)
    """
    return round_half_up(as_written(share) * n)


def largest_remainder(shares: Sequence[float], n: int) -> npt.NDArray[np.int64]:
    """Divide n things by shares: whole numbers that add up to n.

    Parameters
    ----------
    shares : not negative, not all 0; they are divided by their sum.
    n : how many things there are.

    Returns
    -------
    (len(shares),) int64. What rounding down leaves over goes to the largest remainders, the first of equals.

    Examples
    --------
    >>> largest_remainder([0.8, 0.2], 7)
    array([6, 1])
    """
    exact = [as_written(share) for share in shares]
    parts = [share * n / sum(exact) for share in exact]
    sizes = [floor(part) for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda k: (sizes[k] - parts[k], k))
    for k in by_remainder[: n - sum(sizes)]:
        sizes[k] += 1
    return np.array(sizes, np.int64)


def draw_words(stream: int, n: int, *, seed: int, number: int) -> npt.NDArray[np.uint32]:
    """Draw the four set-up words of each of n entities.

    Parameters
    ----------
    stream : what the draw is for.
    n : number of entities, 0 … n − 1.
    seed, number : key of the community.

    Returns
    -------
    (4, n) uint32
    """
    words = np.empty((4, n), np.uint32)
    philox_words(np.arange(n, dtype=np.uint32), 0, SETUP_LUCK, stream, seed, number, words)
    return words


def first_in_order(words: npt.NDArray[np.uint32], wanted: int) -> npt.NDArray[np.int64]:
    """Return the positions of the first `wanted` words in ascending (word, position), by position.

    Parameters
    ----------
    words : one word for each position.
    wanted : how many, 0 to all.

    Examples
    --------
    >>> first_in_order(np.array([7, 3, 5, 3, 5], np.uint32), 3)
    array([1, 2, 3])
    """
    if wanted == 0:
        return np.empty(0, np.int64)
    last = np.partition(words, wanted - 1)[wanted - 1]
    chosen = words < last
    equal = np.flatnonzero(words == last)
    chosen[equal[: wanted - np.count_nonzero(chosen)]] = True
    return np.flatnonzero(chosen)


def in_parts(n: int) -> Iterator[slice]:
    """Return slices that cover n things part by part, so that what is worked out for each takes little room.

    Parameters
    ----------
    n : how many things there are.

    Examples
    --------
    >>> [part.stop - part.start for part in in_parts(100_000)]
    [65536, 34464]
    """
    return (slice(first, min(first + PART, n)) for first in range(0, n, PART))


def in_order(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Return positions in ascending (word, position)."""
    return np.argsort(words, kind="stable")
