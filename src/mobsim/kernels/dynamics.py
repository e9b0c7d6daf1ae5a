"""What the community as a whole does: results, policy wins and reversals, means of states (phases 8, 9)."""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    AWARE,
    CAPABILITY,
    LOBBY_SUCCESS,
    MAX_WINS,
    OWNERSHIP,
    RESULTS_EXPONENT,
    RESULTS_HALF,
    RESULTS_RATE,
    TRAINED,
    TRUST,
    WIN_REVERSAL,
    Int64,
    Keys,
    Leaders,
    Organizations,
    Residents,
    Rules,
    State,
)
from mobsim.kernels.compile import internal, kernel
from mobsim.kernels.elementary import LOG2_E, exp2_64, pow_64
from mobsim.kernels.keyed import philox, uniform
from mobsim.kernels.streams import LOBBY, REVERSAL

N_MEASURES = 6  # appeal, capability, ownership, trust, capability x ownership, appeal x aware


@internal
def conclude_week(
    week: int,
    rules: Rules,
    keys: Keys,
    leaders: Leaders,
    organizations: Organizations,
    state: State,
    efforts: Int64,
) -> None:
    """Carry phase 8: results follow participation (rule 8); lobby efforts win, wins are reversed (rule 10).

    Parameters
    ----------
    week : the week.
    rules, keys, leaders, organizations, state : the bundles of `arrays.py`.
    efforts : (L,) lobby efforts bought this week.
    """
    n_residents, n_lanes = state.flags.shape
    n_arms = n_lanes // keys.luck.size
    for lane in range(n_lanes):
        share = np.float64(state.participating[lane]) / np.float64(n_residents)
        rises = pow_64(share, rules.doubles[RESULTS_EXPONENT, lane])
        half = pow_64(rules.doubles[RESULTS_HALF, lane], rules.doubles[RESULTS_EXPONENT, lane])
        state.results[lane] = state.results[lane] + rules.doubles[RESULTS_RATE, lane] * (
            rises / (rises + half) - state.results[lane]
        )
        luck = keys.luck[lane // n_arms]
        if efforts[lane] > 0:
            trained_share = _trained_share(lane, leaders, state)
            seen = min(1.0, 2.0 * share) if state.demonstrated[lane] else share
            support = organizations.coalition[lane] + seen
            hazard = (rules.doubles[LOBBY_SUCCESS, lane] * support) * (1.0 + 0.5 * trained_share)
            chance = 1.0 - exp2_64(-hazard * LOG2_E)
            for effort in range(efforts[lane]):
                if state.wins[lane] < np.int64(rules.doubles[MAX_WINS, lane]):
                    w0, _, _, _ = philox(effort, week, luck, LOBBY, keys.seed, keys.community)
                    if np.float64(uniform(w0)) < chance:
                        state.wins[lane] += 1
        standing = state.wins[lane]
        for win in range(standing):
            w0, _, _, _ = philox(win, week, luck, REVERSAL, keys.seed, keys.community)
            if np.float64(uniform(w0)) < rules.doubles[WIN_REVERSAL, lane]:
                state.wins[lane] -= 1


@internal
def _trained_share(lane: int, leaders: Leaders, state: State) -> float:
    """Share of leaders who have been trained and are still in office."""
    trained = 0
    for s in range(leaders.ids.size):
        if state.flags[leaders.ids[s], lane] & TRAINED:
            trained += 1
    return trained / leaders.ids.size if leaders.ids.size > 0 else 0.0


@kernel
def measure(residents: Residents, state: State, sums: Int64) -> None:
    """Add up the means' numerators: round(value x 2**32) by lane, group and measure, exact in any order.

    Parameters
    ----------
    residents, state : the bundles of `arrays.py`.
    sums : (L, G, 6) receives appeal, capability, ownership, trust, capability x ownership, appeal of the
        aware.
    """
    n_residents, n_lanes = state.flags.shape
    n_groups = sums.shape[1]
    flags, group_of = state.flags, residents.group
    appeal, capability = state.reals[APPEAL], state.reals[CAPABILITY]
    ownership, trust = state.reals[OWNERSHIP], state.reals[TRUST]
    totals = np.zeros((N_MEASURES, n_groups, n_lanes), np.int64)
    scale = 4294967296.0
    for i in range(n_residents):
        group = group_of[i]
        for lane in range(n_lanes):
            m = np.int64(np.rint(np.float64(appeal[i, lane]) * scale))
            totals[0, group, lane] += m
            totals[5, group, lane] += m * np.int64(flags[i, lane] & AWARE)
        for lane in range(n_lanes):
            totals[1, group, lane] += np.int64(np.rint(np.float64(capability[i, lane]) * scale))
        for lane in range(n_lanes):
            totals[2, group, lane] += np.int64(np.rint(np.float64(ownership[i, lane]) * scale))
        for lane in range(n_lanes):
            totals[3, group, lane] += np.int64(np.rint(np.float64(trust[i, lane]) * scale))
        for lane in range(n_lanes):
            both = np.float32(capability[i, lane] * ownership[i, lane])
            totals[4, group, lane] += np.int64(np.rint(np.float64(both) * scale))
    for measured in range(N_MEASURES):
        for group in range(n_groups):
            for lane in range(n_lanes):
                sums[lane, group, measured] = totals[measured, group, lane]
