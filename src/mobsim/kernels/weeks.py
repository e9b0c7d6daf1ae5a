"""The week as a numbered list of phases (docs/odd.md, 3), and weeks in a row, for all lanes of a block."""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import (
    Int8,
    Int64,
    Keys,
    Leaders,
    Organizations,
    Plan,
    Purse,
    Residents,
    Rules,
    State,
    Tally,
    Ties,
)
from mobsim.kernels.compile import kernel
from mobsim.kernels.deliberation import count_stances, decides, deliberate
from mobsim.kernels.delivery import Orders, deliver_week, meet_week
from mobsim.kernels.diffusion import diffuse_week, visibility_terms
from mobsim.kernels.dynamics import conclude_week

# Phases of a week that `run_weeks` can be asked for one by one; phase 1, surveys, is carried by Python.
SPEND = 1
TALK = 2
LIVE = 4
CLOSE = 8
WHOLE_WEEK = SPEND | TALK | LIVE | CLOSE


@kernel
def run_weeks(
    first: int,
    until: int,
    phases: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    orders: Orders,
    tally: Tally,
    forced: Int8,
    forced_stance: Int8,
    forced_member: Int8,
    efforts: Int64,
    counts: Int64,
) -> None:
    """Run the weeks first ... until - 1, or some phases of one week.

    It is the only way from Python into the week: what it calls is compiled once, with it.

    Parameters
    ----------
    first, until : the first week, and the week before which to stop; nothing is spent or recorded before
        week 0.
    phases : WHOLE_WEEK, or for one week SPEND (2), TALK (3), LIVE (4 to 6) and CLOSE (7 to 9), in this order.
    ties, residents, rules, keys, plan, purse, leaders, organizations, state, tally : the bundles of
        `arrays.py`.
    orders : scratch for the orders of targets.
    forced : (N, L) or (0, 0): decisions of residents that decide for themselves, -1 leaves it to the rules.
    forced_stance, forced_member : (S, L), (K, L) or (0, 0): proposals of leaders and organizations that
        decide for themselves.
    efforts : (L,) lobby efforts of the week, kept from SPEND to CLOSE.
    counts : (L, G, 5) the week's counts, kept from LIVE to CLOSE.
    """
    lambda_f = np.empty((3, state.flags.shape[1]), np.float32)
    nowhere = np.zeros(0, np.int64)
    for week in range(first, until):
        if phases & SPEND:  # 2 money, buying, delivery
            efforts[:] = 0
            state.demonstrated[:] = 0
            if week >= 0:
                deliver_week(
                    week,
                    ties,
                    residents,
                    rules,
                    keys,
                    plan,
                    purse,
                    leaders,
                    organizations,
                    state,
                    orders,
                    tally,
                    efforts,
                )
        if phases & TALK:  # 3 organizers' contacts
            meet_week(week, ties, rules, keys, state, tally.contacts[week] if week >= 0 else nowhere)
        if phases & LIVE:  # 4 diffusion, 5 leaving, 6 learning
            diffuse_week(week, ties, residents, leaders, rules, keys, state, forced, counts)
        if phases & CLOSE:
            # 7 leaders and organizations decide
            if decides(week, rules):
                visibility_terms(rules, state, state.flags.shape[0], lambda_f)
            deliberate(
                week,
                ties,
                residents,
                rules,
                keys,
                plan,
                purse,
                leaders,
                organizations,
                state,
                lambda_f,
                forced_stance,
                forced_member,
                counts,
                tally.income[week] if week >= 0 else nowhere,
            )
            # 8 results and policy
            conclude_week(week, rules, keys, leaders, organizations, state, efforts)
            # 9 record
            if week >= 0:
                tally.counts[week] = counts
                tally.results[week] = state.results
                tally.wins[week] = state.wins
                tally.coalition[week] = organizations.coalition
                count_stances(leaders, tally.stances[week])
