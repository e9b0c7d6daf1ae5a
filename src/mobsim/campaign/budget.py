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
    return cumulative_fractions([as_written(share) for share in shares])


def cumulative_fractions(shares: Sequence[Fraction]) -> list[int]:
    """Return the cumulative shares in millionths, from 0 to 1,000,000; all 0 if all shares are.

    Parameters
    ----------
    shares : exact shares of an arm's activities, of any sum.

    Examples
    --------
    >>> cumulative_fractions([Fraction(1, 3), Fraction(2, 3)])
    [0, 333333, 1000000]
    """
    total = sum(shares, Fraction(0))
    if total == 0:
        return [0] * (len(shares) + 1)
    running = Fraction(0)
    result = [0]
    for share in shares:
        running += share
        result.append(floor(MILLION * running / total))
    return result


def local_fractions(shares: Sequence[Fraction], is_lobby: Sequence[bool]) -> tuple[Fraction, ...]:
    """Return the shares of local money (docs/odd.md, 7.14): the arm's without its lobby lines, normalized.

    Parameters
    ----------
    shares : exact shares of the arm's lines.
    is_lobby : which lines lobby.

    Returns
    -------
    Shares that add up to 1, or all 0 if only lobby lines have a share.

    Examples
    --------
    >>> local_fractions([Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)], [True, False, False])
    (Fraction(0, 1), Fraction(1, 2), Fraction(1, 2))
    """
    kept = [Fraction(0) if lobby else share for share, lobby in zip(shares, is_lobby, strict=True)]
    total = sum(kept, Fraction(0))
    return tuple(share / total for share in kept) if total > 0 else tuple(kept)
