"""The money of an arm in whole cents: what there is, what a unit costs, how it is split (docs/odd.md,
7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from mobsim.community.exact import as_written, round_half_up

MILLION = 1_000_000


def budget_cents(budget_per_resident: float, budget_share: float, n_residents: int) -> int:
    """Return the external budget of an arm in cents.

    Parameters
    ----------
    budget_per_resident : currency a resident.
    budget_share : share of it that the arm spends.
    n_residents : number of residents.

    Examples
    --------
    >>> budget_cents(10.0, 1.0, 1000)
    1000000
    """
    return round_half_up(as_written(budget_per_resident) * as_written(budget_share) * 100 * n_residents)


def unit_cents(cost: float, scales: bool, n_residents: int) -> int:
    """Return the price of a unit in cents, at least 1.

    Parameters
    ----------
    cost : price of a unit, in currency.
    scales : the price is for 1,000 residents.
    n_residents : number of residents.

    Examples
    --------
    >>> unit_cents(150.0, True, 4000)
    60000
    """
    scale = Fraction(n_residents, 1000) if scales else Fraction(1)
    return max(1, round_half_up(as_written(cost) * 100 * scale))


def map_cents(cost_per_person: float, n_residents: int) -> int:
    """Return the price of the network map in cents.

    Parameters
    ----------
    cost_per_person : currency a resident.
    n_residents : number of residents.
    """
    return round_half_up(as_written(cost_per_person) * 100 * n_residents)


def cumulative_shares(shares: Sequence[float]) -> list[int]:
    """Return the cumulative shares in millionths, from 0 to 1,000,000.

    Parameters
    ----------
    shares : shares of an arm's activities, of any sum above 0.

    Examples
    --------
    >>> cumulative_shares([0.6, 0.4])
    [0, 600000, 1000000]
    """
    parts = [as_written(share) for share in shares]
    total = sum(parts, Fraction(0))
    if total == 0:
        return [0] * (len(parts) + 1)
    running = Fraction(0)
    result = [0]
    for part in parts:
        running += part
        result.append(floor(MILLION * running / total))
    return result
