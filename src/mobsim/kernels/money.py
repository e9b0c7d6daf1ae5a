"""Parts of whole cents."""

from __future__ import annotations

from typing import Any

from mobsim.kernels.compile import inlined

MILLION = 1_000_000


@inlined
def part_of(cents: Any, millionths: Any) -> Any:
    """Return cents x millionths div 1,000,000, without a product that could overflow.

    Parameters
    ----------
    cents : 0 or more.
    millionths : 0 to 1,000,000.
    """
    return cents // MILLION * millionths + cents % MILLION * millionths // MILLION
