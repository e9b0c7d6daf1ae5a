"""State as a structure of arrays [entity, lane]: what kernels read and write, made from a community."""

from __future__ import annotations

import numpy as np

from mobsim.community.community import Community
from mobsim.kernels import arrays as a
from mobsim.kernels.elementary import pow_64

MOST_NEIGHBOURS = 1023
MOST_PULL = 4095


def build_ties(community: Community, share_exponent: float) -> a.Ties:
    """Return the network as the week kernel reads it.

    Rows that could overflow a field of the packed sum, and all rows of a weighted network, are marked
    general.

    Parameters
    ----------
    community : the built community.
    share_exponent : η of rule (2).
    """
    n = community.n_residents
    common = int(np.gcd.reduce(community.influence)) if n else 8
    units = (community.influence // common).astype(np.int64)
    weighted = community.tie_weight.size > 0
    of_tie = units[community.neighbours]
    offset = _row_sums(of_tie, community.row_start)
    general = (community.degree > MOST_NEIGHBOURS) | (2 * offset > MOST_PULL)
    if weighted:
        general[:] = True
        totals = _row_sums(of_tie * community.tie_weight, community.row_start)
        scale = common * 2.0**-23
    else:
        totals = offset
        scale = common / 8.0
    if share_exponent == 1:
        denominator = totals.astype(np.float64)
        scale_used = 1.0
    else:
        scale_used = scale
        values, place = np.unique(totals, return_inverse=True)
        powers = np.array([pow_64(float(v) * scale, share_exponent) if v > 0 else 0.0 for v in values])
        denominator = powers[place] if n else np.empty(0)
    reciprocal = np.zeros(n)
    np.divide(1.0, denominator, out=reciprocal, where=denominator > 0)
    return a.Ties(
        row_start=community.row_start,
        neighbours=community.neighbours,
        weight=community.tie_weight,
        transmission=community.transmission,
        general=general.astype(np.uint8),
        units=units.astype(np.int32),
        offset=np.where(general, 0, offset).astype(np.int32),
        denominator=np.ascontiguousarray(denominator),
        reciprocal=reciprocal,
        scale=float(scale_used),
        divide=int(share_exponent != 1),
        well_mixed=int(community.well_mixed),
    )


def _row_sums(values: a.Int64, row_start: a.Int64) -> a.Int64:
    """Sum the values of each row of a compressed sparse row layout."""
    total: a.Int64 = np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])
    sums: a.Int64 = total[row_start[1:]] - total[row_start[:-1]]
    return sums


def build_residents(community: Community, least: a.Int64, n_lanes: int) -> a.Residents:
    """Return what stays with each place.

    Parameters
    ----------
    community : the built community.
    least : (N,) least counts, or empty.
    n_lanes : number of lanes.
    """
    special = np.flatnonzero(community.is_leader & (community.leaning != 0)).astype(np.int32)
    stance = np.repeat(community.leaning[special][:, None], n_lanes, axis=1).astype(np.int8)
    return a.Residents(
        group=community.group,
        is_leader=community.is_leader.astype(np.uint8),
        special=special,
        stance=np.ascontiguousarray(stance),
        least=least,
    )


def start_state(community: Community, first_week: int, n_lanes: int) -> a.State:
    """Return the state at the start of burn-in, the same in every lane.

    Parameters
    ----------
    community : the built community.
    first_week : the first simulated week (minus the length of the burn-in).
    n_lanes : number of lanes.
    """
    n = community.n_residents
    flags = community.aware * np.uint8(a.AWARE) + community.participating * np.uint8(a.PARTICIPATING)
    reals = np.zeros((6, n, n_lanes), np.float32)
    reals[a.THRESHOLD] = community.threshold[:, None]
    reals[a.START_CAPABILITY] = community.capability[:, None]
    reals[a.CAPABILITY] = community.capability[:, None]
    reals[a.TRUST] = community.trust[:, None]
    return a.State(
        words=np.zeros((2, n * n_lanes), np.uint32),
        flags=np.ascontiguousarray(np.repeat(flags.astype(np.uint8)[:, None], n_lanes, axis=1)),
        reals=reals,
        told_week=np.full((n, n_lanes), first_week - 1, np.int32),
        results=np.zeros(n_lanes),
        wins=np.zeros(n_lanes, np.int64),
        participating=np.zeros(n_lanes, np.int64),
        aware_tellers=np.zeros((n_lanes, 2), np.int64),
        now=np.zeros(1, np.int64),
    )


def fan_out(state: a.State, copies: int) -> a.State:
    """Return the state with every lane repeated for the arms of its luck (lane = luck x copies + arm).

    Parameters
    ----------
    state : the state after burn-in, one lane a luck.
    copies : number of arms.
    """
    n, n_lanes = state.flags.shape
    words = np.repeat(state.words.reshape(2, n, n_lanes), copies, axis=2)
    return a.State(
        words=np.ascontiguousarray(words).reshape(2, n * n_lanes * copies),
        flags=np.ascontiguousarray(np.repeat(state.flags, copies, axis=1)),
        reals=np.ascontiguousarray(np.repeat(state.reals, copies, axis=2)),
        told_week=np.ascontiguousarray(np.repeat(state.told_week, copies, axis=1)),
        results=np.repeat(state.results, copies),
        wins=np.repeat(state.wins, copies),
        participating=np.repeat(state.participating, copies),
        aware_tellers=np.ascontiguousarray(np.repeat(state.aware_tellers, copies, axis=0)),
        now=state.now.copy(),
    )
