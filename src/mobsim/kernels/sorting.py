"""Sorting whole numbers in place: one small kernel, compiled once, for everything that is put in order.

NumPy's sort inside compiled code is a new function, compiled anew, for every type of array.
"""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import UInt64
from mobsim.kernels.compile import internal
from mobsim.kernels.keyed import Whole

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
