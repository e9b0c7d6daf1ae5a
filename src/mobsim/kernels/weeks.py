"""The week as a numbered list of phases (docs/odd.md, 3), and weeks in a row, for all lanes of a block."""

from __future__ import annotations

from mobsim.kernels.arrays import Int8, Int64, Keys, Plan, Purse, Residents, Rules, State, Tally, Ties
from mobsim.kernels.compile import kernel
from mobsim.kernels.delivery import Orders, deliver_week
from mobsim.kernels.diffusion import diffuse_week
from mobsim.kernels.dynamics import conclude_week


@kernel
def open_week(
    week: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    orders: Orders,
    state: State,
    tally: Tally,
    efforts: Int64,
) -> None:
    """Carry phases 1 to 3 of a week, before residents decide.

    Parameters
    ----------
    week : the week; nothing happens before week 0.
    ties, residents, rules, keys, plan, purse, state, tally : the bundles of `arrays.py`.
    orders : scratch for the orders of targets.
    efforts : (L,) receives the lobby efforts of the week.
    """
    # 1 calendar and 2 money, buying, delivery. 3, organizers: later.
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


@kernel
def close_week(
    week: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    state: State,
    tally: Tally,
    forced: Int8,
    efforts: Int64,
    counts: Int64,
) -> None:
    """Carry phases 4 to 9 of a week.

    Parameters
    ----------
    week : the week; it is recorded from week 0 on.
    ties, residents, rules, keys, plan, state, tally : the bundles of `arrays.py`.
    forced : (N, L) or (0, 0): decisions of agents that decide for themselves, -1 leaves it to the rules.
    efforts : (L,) lobby efforts of the week.
    counts : (L, G, 4) scratch, holds the week's counts afterwards.
    """
    # 4 diffusion, 5 leaving, 6 learning
    diffuse_week(week, ties, residents, rules, keys, state, forced, counts)
    # 7, leaders and organizations decide: later. 8 results and policy
    conclude_week(week, residents, rules, keys, plan.coalition, state, efforts)
    # 9 record
    if week >= 0:
        tally.counts[week] = counts
        tally.results[week] = state.results
        tally.wins[week] = state.wins


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
    """Run the weeks first ... until - 1.

    Parameters
    ----------
    first, until : the first week, and the week before which to stop.
    ties, residents, rules, keys, plan, purse, state, tally : the bundles of `arrays.py`.
    orders : scratch for the orders of targets.
    forced : (N, L) or (0, 0): decisions of agents that decide for themselves, -1 leaves it to the rules.
    efforts : (L,) scratch.
    counts : (L, G, 4) scratch, holds the last week's counts afterwards.
    """
    for week in range(first, until):
        open_week(week, ties, residents, rules, keys, plan, purse, orders, state, tally, efforts)
        close_week(week, ties, residents, rules, keys, plan, state, tally, forced, efforts, counts)
