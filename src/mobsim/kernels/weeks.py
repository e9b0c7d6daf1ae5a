"""Weeks in a row for all lanes of a block: the order of phases of docs/odd.md, 3, in compiled code."""

from __future__ import annotations

from mobsim.kernels.arrays import Int8, Int64, Keys, Plan, Purse, Residents, Rules, State, Tally, Ties
from mobsim.kernels.compile import kernel
from mobsim.kernels.delivery import Orders, deliver_week
from mobsim.kernels.diffusion import diffuse_week
from mobsim.kernels.dynamics import conclude_week


@kernel
def run_weeks(
    first: int,
    until: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    orders: Orders,
    state: State,
    tally: Tally,
    forced: Int8,
    efforts: Int64,
    counts: Int64,
) -> None:
    """Run the weeks first ... until - 1; weeks from 0 on are recorded.

    Parameters
    ----------
    first, until : the first week, and the week before which to stop.
    ties, residents, rules, keys, plan, purse, state, tally : the bundles of `arrays.py`.
    orders : scratch for the orders of targets.
    forced : (N, L) int8 or (0, 0): decisions of agents that decide for themselves.
    efforts : (L,) scratch.
    counts : (L, G, 4) scratch, holds the last week's counts afterwards.
    """
    for week in range(first, until):
        # 1, 2: calendar, money, delivery (3, organizers: later)
        efforts[:] = 0
        if week >= 0:
            deliver_week(
                week,
                ties,
                residents,
                rules,
                keys,
                plan,
                purse,
                state,
                orders,
                tally.units[week],
                tally.cents[week],
                tally.reached[week],
                efforts,
            )
        # 4, 5, 6: diffusion, leaving, learning
        diffuse_week(week, ties, residents, rules, keys, state, forced, counts)
        # 7: leaders and organizations decide (later). 8: results and policy
        conclude_week(week, residents, rules, keys, plan.coalition, state, efforts)
        # 9: record
        if week >= 0:
            tally.counts[week] = counts
            tally.results[week] = state.results
            tally.wins[week] = state.wins
