"""State as a structure of arrays [entity, lane]: what kernels read and write, made from a community."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from mobsim.community.community import Community, CommunitySpec
from mobsim.community.exact import as_written, round_half_up
from mobsim.kernels import arrays as a
from mobsim.kernels.deliberation import measure_coalition
from mobsim.kernels.elementary import pow_64
from mobsim.kernels.graph import sums_of_rows

MOST_NEIGHBOURS = 1023
MOST_PULL = 4095
MOST_TABLED = 2**16
"""Distinct values below this are found through a table, without sorting."""


def build_ties(community: Community, share_exponent: float) -> a.Ties:
    """Return the network as the week kernel reads it.

    Rows that could overflow a field of the packed sum, and all rows of a weighted network, are marked
    general.

    Parameters
    ----------
    community : the built community.
    share_exponent : η of rule (2).
    """
    common = int(np.gcd.reduce(np.flatnonzero(np.bincount(community.influence, minlength=9)), initial=0)) or 8
    units = (community.influence // common).astype(np.uint8)
    weighted = community.tie_weight.size > 0
    totals = sums_of_rows(community.row_start, community.neighbours, units, community.tie_weight)
    if weighted:
        general = np.ones(units.size, np.bool_)
        scale = common * 2.0**-23
    else:
        general = (np.diff(community.row_start) > MOST_NEIGHBOURS) | (totals > MOST_PULL // 2)
        scale = common / 8.0
    totals <<= 1
    totals |= general
    kinds, kind = _kinds(totals)
    of_kind, general_kind = kinds >> 1, (kinds & 1) > 0
    if share_exponent == 1:
        denominator = of_kind.astype(np.float64)
        scale = 1.0
    else:
        powers = [pow_64(float(v) * scale, share_exponent) if v > 0 else 0.0 for v in of_kind]
        denominator = np.array(powers, np.float64)
    reciprocal = np.zeros(kinds.size)
    np.divide(1.0, denominator, out=reciprocal, where=denominator > 0)
    return a.Ties(
        row_start=community.row_start.astype(np.uint32, copy=False),
        neighbours=community.neighbours,
        weight=community.tie_weight,
        transmission=community.transmission,
        general=general.astype(np.uint8),
        units=units,
        kind=kind,
        offset=np.where(general_kind, 0, of_kind).astype(np.int32),
        denominator=denominator,
        reciprocal=reciprocal,
        scale=float(scale),
        divide=int(share_exponent != 1),
        well_mixed=int(community.well_mixed),
    )


def _kinds(values: a.Int64) -> tuple[a.Int64, a.UInt32]:
    """Return the distinct values, ascending, and which of them everybody has."""
    if values.max(initial=0) >= MOST_TABLED:
        distinct, place = np.unique(values, return_inverse=True)
        return distinct, place.astype(np.uint32)
    there = np.zeros(int(values.max(initial=0)) + 1, np.bool_)
    there[values] = True
    number = np.cumsum(there, dtype=np.uint32) - np.uint32(1)
    return np.flatnonzero(there), number[values]


def build_residents(community: Community, least: a.Int64) -> a.Residents:
    """Return what stays with each place.

    Parameters
    ----------
    community : the built community.
    least : (N,) least counts, or empty.
    """
    place = np.full(community.n_residents, -1, np.int32)
    place[community.is_leader] = np.arange(int(community.is_leader.sum()), dtype=np.int32)
    return a.Residents(group=community.group, leader_place=place, least=least)


def start_leaders(community: Community, n_lanes: int) -> a.Leaders:
    """Return the leaders at the start of burn-in: each stands where he leans, nobody is engaged.

    Parameters
    ----------
    community : the built community.
    n_lanes : number of lanes.
    """
    ids = np.flatnonzero(community.is_leader).astype(np.int32)
    leaning = community.leaning[ids].astype(np.int8)
    return a.Leaders(
        ids=ids,
        leaning=leaning,
        stance=np.ascontiguousarray(np.repeat(leaning[:, None], n_lanes, axis=1)),
        engaged=np.full((ids.size, n_lanes), a.NEVER_ENGAGED, np.int32),
    )


def start_organizations(community: Community, spec: CommunitySpec, n_lanes: int) -> a.Organizations:
    """Return the organizations at the start of burn-in: only the lead is in the coalition.

    Parameters
    ----------
    community : the built community.
    spec : the world.
    n_lanes : number of lanes.
    """
    k = len(community.organization_names)
    members = np.flatnonzero(community.member_of >= 0).astype(np.int32)
    organization = community.member_of[members]
    numbers = np.bincount(organization, minlength=k)
    resources = np.array(
        [
            round_half_up(as_written(o.resources_per_1000) * community.n_residents / 10)
            for o in spec.organizations
        ],
        np.int64,
    )
    member = np.zeros((k, n_lanes), np.int8)
    if community.lead >= 0:
        member[community.lead] = 1
    organizations = a.Organizations(
        influence=community.org_influence.astype(np.float64),
        credibility=np.ascontiguousarray(community.credibility, np.float64),
        is_cbo=np.array([o.type == "cbo" for o in spec.organizations], np.uint8),
        member_start=np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers[:k])]).astype(np.int64),
        member_ids=members[np.argsort(organization, kind="stable")],
        start_resources=resources,
        member=member,
        interest=np.repeat(community.interest.astype(np.float64)[:, None], n_lanes, axis=1),
        capacity=np.repeat(community.capacity.astype(np.float64)[:, None], n_lanes, axis=1),
        engaged=np.full((k, n_lanes), a.NEVER_ENGAGED, np.int32),
        resources=np.repeat(resources[:, None], n_lanes, axis=1),
        coalition=np.zeros(n_lanes),
        coalition_start=np.zeros(n_lanes),
        lead=community.lead,
    )
    measure_coalition(organizations)
    organizations.coalition_start[:] = organizations.coalition
    return organizations


def at_line(shape: tuple[int, ...], kind: Any) -> Any:
    """Return zeros that begin at a line of the cache (64 bytes).

    The week kernel reads and writes 64 bytes at once; across two lines that takes a tenth longer.

    Parameters
    ----------
    shape : shape of the array.
    kind : data type.
    """
    n_bytes = math.prod(shape) * np.dtype(kind).itemsize
    room = np.zeros(n_bytes + 64, np.uint8)
    first = -room.ctypes.data % 64
    return room[first : first + n_bytes].view(kind).reshape(shape)


def _for_all_arms(of_lucks: Any, copies: int) -> Any:
    """Return an array with every element of its last axis, a lane, `copies` times in a row."""
    n_lanes = of_lucks.shape[-1]
    wide = at_line((*of_lucks.shape[:-1], n_lanes * copies), of_lucks.dtype)
    wide.reshape((*of_lucks.shape, copies))[...] = of_lucks[..., None]
    return wide


def start_state(community: Community, first_week: int, n_lanes: int, *, remembers: bool) -> a.State:
    """Return the state at the start of burn-in, the same in every lane.

    Parameters
    ----------
    community : the built community.
    first_week : the first simulated week (minus the length of the burn-in).
    n_lanes : number of lanes.
    remembers : whether the activity whose dose came last is kept, because somebody will ask.
    """
    n = community.n_residents
    flags = community.aware * np.uint8(a.AWARE) + community.participating * np.uint8(a.PARTICIPATING)
    reals = at_line((6, n, n_lanes), np.float32)
    reals[a.THRESHOLD] = community.threshold[:, None]
    reals[a.START_CAPABILITY] = community.capability[:, None]
    reals[a.CAPABILITY] = community.capability[:, None]
    reals[a.TRUST] = community.trust[:, None]
    told_week = at_line((n, n_lanes), np.int32)
    told_week[:] = first_week - 1
    return a.State(
        words=at_line((2, n * n_lanes), np.uint32),
        flags=_for_all_arms(flags.astype(np.uint8)[:, None], n_lanes),
        roles=at_line((n, n_lanes), np.uint8),
        last=np.zeros((n, n_lanes) if remembers else (0, 0), np.uint8),
        organizing=np.zeros(n, np.uint8),
        reals=reals,
        told_week=told_week,
        results=np.zeros(n_lanes),
        wins=np.zeros(n_lanes, np.int64),
        participating=np.zeros(n_lanes, np.int64),
        aware_tellers=np.zeros((n_lanes, 2), np.int64),
        demonstrated=np.zeros(n_lanes, np.int64),
        now=np.zeros(1, np.int64),
    )


def fan_out(state: a.State, copies: int) -> a.State:
    """Return the state with every lane repeated for the arms of its luck (lane = luck x copies + arm).

    One copy is the state itself: in a large community a second one would take as much memory as all else.

    Parameters
    ----------
    state : the state after burn-in, one lane a luck.
    copies : number of arms.
    """
    if copies == 1:
        return state
    n, n_lanes = state.flags.shape
    return a.State(
        words=_for_all_arms(state.words.reshape(2, n, n_lanes), copies).reshape(2, n * n_lanes * copies),
        flags=_for_all_arms(state.flags, copies),
        roles=_for_all_arms(state.roles, copies),
        last=np.ascontiguousarray(np.repeat(state.last, copies, axis=1)),
        organizing=state.organizing.copy(),
        reals=_for_all_arms(state.reals, copies),
        told_week=_for_all_arms(state.told_week, copies),
        results=np.repeat(state.results, copies),
        wins=np.repeat(state.wins, copies),
        participating=np.repeat(state.participating, copies),
        aware_tellers=np.ascontiguousarray(np.repeat(state.aware_tellers, copies, axis=0)),
        demonstrated=np.repeat(state.demonstrated, copies),
        now=state.now.copy(),
    )


def fan_out_leaders(leaders: a.Leaders, copies: int) -> a.Leaders:
    """Return the leaders with every lane repeated for the arms of its luck.

    Parameters
    ----------
    leaders : the leaders after burn-in.
    copies : number of arms.
    """
    return replace(
        leaders,
        stance=np.repeat(leaders.stance, copies, axis=1),
        engaged=np.repeat(leaders.engaged, copies, axis=1),
    )


def fan_out_organizations(organizations: a.Organizations, copies: int) -> a.Organizations:
    """Return the organizations with every lane repeated for the arms of its luck.

    Parameters
    ----------
    organizations : the organizations after burn-in.
    copies : number of arms.
    """
    by_lane = ("member", "interest", "capacity", "engaged", "resources")
    wide: dict[str, Any] = {name: np.repeat(getattr(organizations, name), copies, axis=1) for name in by_lane}
    wide |= {
        name: np.repeat(getattr(organizations, name), copies) for name in ("coalition", "coalition_start")
    }
    return replace(organizations, **wide)
