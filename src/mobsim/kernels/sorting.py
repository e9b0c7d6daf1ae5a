"""Sorting whole numbers in place: one small kernel, compiled once, for everything that is put in order.

NumPy's sort inside compiled code is a new function, compiled anew, for every type of array.
"""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import UInt32, UInt64
from mobsim.kernels.compile import internal
from mobsim.kernels.keyed import Whole
from mobsim.kernels.strip import STRIP, load, lowest_bit, slots_of

_FEW = 24
"""So few numbers are sorted by insertion."""


@internal
def sort_words(words: UInt64, count: Whole) -> None:
    """Sort the first `count` numbers, ascending.

    Parameters
    ----------
    words : numbers, sorted in place up to `count`.
    count : how many, 0 to the length of `words`.
    """
    # Quicksort; the larger part waits, so that 64 parts are room enough for any array.
    waiting = np.empty((64, 2), np.int64)
    waiting[0, 0] = 0
    waiting[0, 1] = count - 1
    parts = 1
    while parts > 0:
        parts -= 1
        low = waiting[parts, 0]
        high = waiting[parts, 1]
        while high - low >= _FEW:
            a, b, c = words[low], words[(low + high) // 2], words[high]
            pivot = max(min(a, b), min(max(a, b), c))
            left, right = low, high
            while left <= right:
                while words[left] < pivot:
                    left += 1
                while words[right] > pivot:
                    right -= 1
                if left <= right:
                    words[left], words[right] = words[right], words[left]
                    left += 1
                    right -= 1
            if right - low > high - left:
                waiting[parts, 0] = low
                waiting[parts, 1] = right
                low = left
            else:
                waiting[parts, 0] = left
                waiting[parts, 1] = high
                high = right
            parts += 1
        for place in range(low + 1, high + 1):
            word = words[place]
            free = place
            while free > low and words[free - 1] > word:
                words[free] = words[free - 1]
                free -= 1
            words[free] = word


@internal
def sort_draws(draws: UInt64, count: Whole, lower: Whole, upper: Whole) -> UInt64:
    """Return the first `count` of many draws, ascending: a random word in the upper half, a number below it.

    Random words lie evenly, so that each goes at once to about the place where it belongs.

    Parameters
    ----------
    draws : numbers whose upper halves are random words from `lower` to `upper` - 1.
    count : how many, 0 to the length of `draws`.
    lower, upper : bounds of the words, 0 to 2**32, `lower` the smaller.
    """
    half, n, low = np.uint64(32), np.uint64(count), np.uint64(lower)
    scale = (n << half) // (np.uint64(upper) - low)
    begins = np.zeros(count + 1, np.uint32)
    for place in range(n):
        begins[(((draws[place] >> half) - low) * scale >> half) + np.uint64(1)] += np.uint32(1)
    for part in range(n):
        begins[part + np.uint64(1)] += begins[part]
    ordered = np.empty(count, np.uint64)
    for place in range(n):
        part = ((draws[place] >> half) - low) * scale >> half
        ordered[np.uint64(begins[part])] = draws[place]
        begins[part] += np.uint32(1)
    for place in range(1, count):
        draw = ordered[place]
        free = place
        while free > 0 and ordered[free - 1] > draw:
            ordered[free] = ordered[free - 1]
            free -= 1
        ordered[free] = draw
    return ordered


@internal
def draws_between(words: UInt32, size: Whole, lower: Whole, upper: Whole) -> UInt64:
    """Return the random words from `lower` to `upper` - 1, ascending, each with its place in the lower half.

    Parameters
    ----------
    words : random words, in an array whose length is a multiple of 64.
    size : how many of them to look at.
    lower, upper : bounds, 0 to 2**32, `lower` the smaller.
    """
    low, span = np.uint32(lower), np.uint32(upper - lower - 1)
    found = np.empty(size, np.uint64)
    count = np.uint64(0)
    for first in range(0, size, 64):
        chosen = np.uint64(0)
        for k in range(0, 64, STRIP):
            inside = slots_of(load(words, first + k) - low <= span)
            chosen |= inside << np.uint64(k)
        if first + 64 > size:
            chosen &= (np.uint64(1) << np.uint64(size - first)) - np.uint64(1)
        while chosen:
            place = np.uint64(first + lowest_bit(chosen))
            found[count] = (np.uint64(words[place]) << np.uint64(32)) | place
            count += np.uint64(1)
            chosen &= chosen - np.uint64(1)
    return sort_draws(found, np.int64(count), lower, upper)
