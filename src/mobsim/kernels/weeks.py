"""The week as a numbered list of phases (docs/odd.md, 3), and weeks in a row, for all lanes of a block.

The phases are compiled one by one and called by their addresses. If `run_weeks` called them by name, numba
would compile all of them a second time, as parts of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from mobsim.kernels.bundles import Bundle
from mobsim.kernels.compile import kernel, phase
from mobsim.kernels.deliberation import count_stances, decides, deliberate
from mobsim.kernels.delivery import Orders, deliver_week, meet_week
from mobsim.kernels.diffusion import diffuse_week, visibility_terms
from mobsim.kernels.dynamics import conclude_week
from mobsim.kernels.phases import address_of, call_phase

# Phases of a week that `run_weeks` can be asked for one by one; phase 1, surveys, is carried by Python.
SPEND = 1
TALK = 2
LIVE = 4
CLOSE = 8
WHOLE_WEEK = SPEND | TALK | LIVE | CLOSE
LONGEST = 2
"""Place of the phase that takes longest to compile, `diffuse_week`, among the phases."""

_addresses: dict[tuple[Any, ...], Int64] = {}


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
    bundles = (
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
    )
    addresses = _addresses_of_phases(bundles)
    _run_weeks(
        first,
        until,
        phases,
        addresses,
        *bundles,
        np.ascontiguousarray(forced, np.int8),
        np.ascontiguousarray(forced_stance, np.int8),
        np.ascontiguousarray(forced_member, np.int8),
        efforts,
        counts,
    )


def compile_week(bundles: Sequence[Bundle]) -> None:
    """Compile the phase that takes longest, for another process to find on disk.

    Parameters
    ----------
    bundles : as `run_weeks` takes them, in its order.
    """
    functions = _phases([bundle.layout for bundle in bundles])
    function, kinds = functions[LONGEST]
    address_of(function, *kinds)


def _addresses_of_phases(bundles: Sequence[Any]) -> Int64:
    """Return where the compiled phases for bundles of these types lie; compile them first if need be."""
    kinds = tuple(bundle.layout for bundle in bundles)
    known = _addresses.get(kinds)
    if known is None:
        functions = _phases(kinds)
        known = np.zeros(len(functions), np.int64)
        # A helping process may be busy with the phase that takes longest: it comes last here.
        for place in sorted(range(len(functions)), key=lambda place: place == LONGEST):
            function, given = functions[place]
            known[place] = address_of(function, *given)
        _addresses[kinds] = known
    return known


def _phases(kinds: Sequence[Any]) -> list[tuple[Any, tuple[Any, ...]]]:
    """List the phases in the order of their addresses, each with the types of its arguments."""
    ties, residents, rules, keys, plan, purse, leaders, organizations, state, orders, tally = kinds
    week, efforts, counts, forced = "int64", "int64[::1]", "int64[:, :, ::1]", "int8[:, ::1]"
    campaign = (week, ties, residents, rules, keys, plan, purse, leaders, organizations, state)
    return [
        (deliver_week, (*campaign, orders, tally, efforts)),
        (meet_week, (week, ties, rules, keys, state, tally)),
        (diffuse_week, (week, ties, residents, leaders, rules, keys, state, forced, counts)),
        (close_week, (*campaign, tally, forced, forced, efforts, counts)),
    ]


@kernel
def _run_weeks(
    first: int,
    until: int,
    phases: int,
    addresses: Int64,
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
    """Call the phases of the weeks first ... until - 1 in their order."""
    for week in range(first, until):
        if phases & SPEND:  # 2 money, buying, delivery
            efforts[:] = 0
            state.demonstrated[:] = 0
            if week >= 0:
                call_phase(
                    addresses[0],
                    (
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
                    ),
                )
        if phases & TALK:  # 3 organizers' contacts
            call_phase(addresses[1], (week, ties, rules, keys, state, tally))
        if phases & LIVE:  # 4 diffusion, 5 leaving, 6 learning
            call_phase(addresses[2], (week, ties, residents, leaders, rules, keys, state, forced, counts))
        if phases & CLOSE:  # 7 leaders and organizations, 8 results and policy, 9 record
            call_phase(
                addresses[3],
                (
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
                    forced_stance,
                    forced_member,
                    efforts,
                    counts,
                ),
            )


@phase
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
    """Carry phases 7 to 9: leaders and organizations decide, policy is won or lost, the week is recorded.

    Parameters
    ----------
    week, ties, residents, rules, keys, plan, purse, leaders, organizations, state, tally, forced_stance,
        forced_member, efforts, counts : as for `run_weeks`.
    """
    lambda_f = np.empty((3, state.flags.shape[1]), np.float32)
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
        tally,
    )
    conclude_week(week, rules, keys, leaders, organizations, state, efforts)
    if week < 0:
        return
    # Number by number: assigning one array to another compiles the message for those of unlike shape.
    for lane in range(efforts.size):
        for group in range(counts.shape[1]):
            for column in range(counts.shape[2]):
                tally.counts[week, lane, group, column] = counts[lane, group, column]
        tally.results[week, lane] = state.results[lane]
        tally.wins[week, lane] = state.wins[lane]
        tally.coalition[week, lane] = organizations.coalition[lane]
    count_stances(leaders, tally.stances[week])
