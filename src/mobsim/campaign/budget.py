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


def normalized_shares(shares: Sequence[float]) -> tuple[Fraction, ...]:
    """Return shares as written, as exact fractions that add up to 1; all 0 if all are.

    Parameters
    ----------
    shares : shares of an arm's activities, of any sum.

    Examples
    --------
    >>> normalized_shares([0.6, 0.6])
    (Fraction(1, 2), Fraction(1, 2))
    """
    parts = [as_written(share) for share in shares]
    total = sum(parts, Fraction(0))
    return tuple(part / total for part in parts) if total > 0 else tuple(parts)


def millionths(share: float) -> int:
    """Return a share in whole millionths, rounded half up.

    Parameters
    ----------
    share : 0 to 1.

    Examples
    --------
    >>> millionths(0.005)
    5000
    """
    return round_half_up(as_written(share) * MILLION)


def public_cents(
    public_money: float, max_wins: int, budget: int, funding_starts: int, funding_ends: int
) -> list[int]:
    """Return the weekly public money of an arm in cents for 0, 1, ... standing wins (docs/odd.md, 7.14).

    Parameters
    ----------
    public_money : share of the budget that comes over the funded weeks when all wins stand.
    max_wins : most standing wins.
    budget : external budget of the arm in cents.
    funding_starts, funding_ends : first funded week, and the week before which funding ends.

    Examples
    --------
    >>> public_cents(0.05, 4, 1_000_000, 6, 78)
    [0, 173, 347, 520, 694]
    """
    if budget == 0 or funding_ends <= funding_starts:
        return [0] * (max_wins + 1)
    weekly = as_written(public_money) * budget / (funding_ends - funding_starts)
    return [floor(weekly * wins / max_wins) if wins else 0 for wins in range(max_wins + 1)]
