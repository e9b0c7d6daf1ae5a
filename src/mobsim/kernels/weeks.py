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


@kernel
def spend_week(
    week: int,
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
    efforts: Int64,
) -> None:
    """Carry phase 2 of a week; phase 1, surveys, is carried before it.

    Parameters
    ----------
    week : the week; nothing is spent before week 0.
    ties, residents, rules, keys, plan, purse, leaders, organizations, state, tally : the bundles of
        `arrays.py`.
    orders : scratch for the orders of targets.
    efforts : (L,) receives the lobby efforts of the week.
    """
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


@kernel
def talk_week(week: int, ties: Ties, rules: Rules, keys: Keys, state: State, tally: Tally) -> None:
    """Carry phase 3 of a week: organizers' contacts.

    Parameters
    ----------
    week : the week; contacts are recorded from week 0 on.
    ties, rules, keys, state, tally : the bundles of `arrays.py`.
    """
    contacts = tally.contacts[week] if week >= 0 else np.zeros(0, np.int64)
    meet_week(week, ties, rules, keys, state, contacts)


@kernel
def close_week(
    week: int,
    ties: Ties,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    plan: Plan,
    purse: Purse,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    tally: Tally,
    forced_stance: Int8,
    forced_member: Int8,
    efforts: Int64,
    counts: Int64,
) -> None:
    """Carry phases 7 to 9 of a week.

    Parameters
    ----------
    week : the week; it is recorded from week 0 on.
    ties, residents, rules, keys, plan, purse, leaders, organizations, state, tally : the bundles of
        `arrays.py`.
    forced_stance, forced_member : (S, L), (K, L) or (0, 0): proposals of leaders and organizations that
        decide for themselves.
    efforts : (L,) lobby efforts of the week.
    counts : (L, G, 5) the week's counts after phase 6, brought in line with phase 7.
    """
    # 7 leaders and organizations decide
    lambda_f = np.empty((3, state.flags.shape[1]), np.float32)
    if decides(week, rules):
        visibility_terms(rules, state, state.flags.shape[0], lambda_f)
    income = tally.income[week] if week >= 0 else np.zeros(0, np.int64)
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
        income,
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
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    orders: Orders,
    tally: Tally,
    forced: Int8,
    efforts: Int64,
    counts: Int64,
) -> None:
    """Run the weeks first ... until - 1, none of them with a survey or an activity written in Python.

    Parameters
    ----------
    first, until : the first week, and the week before which to stop.
    ties, residents, rules, keys, plan, purse, leaders, organizations, state, tally : the bundles of
        `arrays.py`.
    orders : scratch for the orders of targets.
    forced : (0, 0): nobody decides but by the rules.
    efforts : (L,) scratch.
    counts : (L, G, 5) scratch, holds the last week's counts afterwards.
    """
    for week in range(first, until):
        spend_week(
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
        talk_week(week, ties, rules, keys, state, tally)
        # 4 diffusion, 5 leaving, 6 learning
        diffuse_week(week, ties, residents, leaders, rules, keys, state, forced, counts)
        close_week(
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
            tally,
            forced,
            forced,
            efforts,
            counts,
        )
