"""Surveys: who is asked, what they answer, and why people do not take part (docs/odd.md, 7.12)."""

from __future__ import annotations

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL_CAUSE,
    AWARE,
    BARRIER,
    CAPABILITY,
    CAPABILITY_CAUSE,
    PARTICIPATING,
    TRUST,
    WIN_RELIEF,
    Int64,
    Keys,
    Residents,
    Rules,
    State,
    UInt64,
)
from mobsim.kernels.compile import kernel
from mobsim.kernels.keyed import TILE, Whole, philox, philox_slots, uniform
from mobsim.kernels.sorting import sort_draws
from mobsim.kernels.streams import SURVEY

# Root causes of not taking part, in the order of campaign/activity.py
INFORMATION_CAUSE = 0
CAPABILITY_REASON = 1
BARRIER_REASON = 2
TRUST_REASON = 3
N_CAUSES = 4


@kernel
def cause_of(
    aware: Whole,
    capability: np.float32,
    trust: np.float32,
    barrier_left: float,
    capability_weight: float,
    appeal_weight: float,
) -> int:
    """Say why a resident does not take part.

    Information if unaware; else the largest, the first of equals, of capability κ_s·(1 − s), barrier r·c_g
    and trust κ_m·(1 − T).

    Parameters
    ----------
    aware : 0 or 1.
    capability, trust : s and T.
    barrier_left : r·c_g, what policy wins have left of the group's barrier.
    capability_weight, appeal_weight : κ_s and κ_m.

    Returns
    -------
    Number of the cause: 0 information, 1 capability, 2 barrier, 3 trust.
    """
    if not aware:
        return INFORMATION_CAUSE
    cause = CAPABILITY_REASON
    largest: float = capability_weight * (1.0 - np.float64(capability))
    if barrier_left > largest:
        cause = BARRIER_REASON
        largest = barrier_left
    if appeal_weight * (1.0 - np.float64(trust)) > largest:
        cause = TRUST_REASON
    return cause


@kernel
def relief_of(wins: int, win_relief: float) -> float:
    """Return r = (1 − Δq)^v, the share of barriers that v policy wins have left standing.

    Parameters
    ----------
    wins : v, standing wins.
    win_relief : Δq.
    """
    relief = 1.0
    for _ in range(wins):
        relief = relief * (1.0 - win_relief)
    return relief


@kernel
def survey_order(week: int, luck: int, keys: Keys, sorting: UInt64, chosen: Int64) -> None:
    """Choose whom to ask: the residents with the smallest (order word, id), in that order.

    Parameters
    ----------
    week : week of the survey.
    luck : number of the stream of luck.
    keys : seed and community.
    sorting : (N,) scratch.
    chosen : (n,) receives their ids, n at most N.
    """
    n, wanted = sorting.size, np.float64(chosen.size)
    entities = np.zeros(TILE, np.uint32)
    lucks = np.full(TILE, np.uint32(luck), np.uint32)
    drawn = np.zeros((4, TILE), np.uint32)
    found, bound = np.uint64(0), np.uint64(2**32)
    while np.int64(found) < chosen.size:
        wanted += 4.0 * np.sqrt(wanted) + 8.0
        bound = np.uint64(min(wanted / n, 1.0) * 4294967296.0)
        found = np.uint64(0)
        for first in range(0, n, TILE):
            for position in range(TILE):
                entities[position] = np.uint32(first + position)
            philox_slots(entities, week, lucks, SURVEY, keys.seed, keys.community, drawn)
            for position in range(min(TILE, n - first)):
                word = np.uint64(drawn[0, position])
                if found < np.uint64(n):
                    sorting[found] = (word << np.uint64(32)) | np.uint64(entities[position])
                found += np.uint64(word < bound)
    ordered = sort_draws(sorting, np.int64(found), 0, bound)
    for place in range(chosen.size):
        chosen[place] = np.int64(ordered[place] & np.uint64(0xFFFFFFFF))


@kernel
def ask(
    week: int,
    lane: int,
    respondents: Int64,
    misreport: float,
    residents: Residents,
    rules: Rules,
    keys: Keys,
    state: State,
    by_group: Int64,
    causes: Int64,
    named: Int64,
) -> None:
    """Ask residents whether they are aware, whether they take part, and what keeps them away or brought them.

    Every yes or no is false, and every cause replaced by a random one, with chance ε.

    Parameters
    ----------
    week : week of the survey.
    lane : the lane.
    respondents : (n,) ids of those asked.
    misreport : ε.
    residents, rules, keys, state : the bundles of `arrays.py`.
    by_group : (3, G) receives how many were asked, said that they are aware, said that they take part.
    causes : (4,) receives how many name each cause, of those who say that they do not take part.
    named : (B,) receives how many name each line as the last that reached them, of those who say that they
        do.
    """
    by_group[:] = 0
    causes[:] = 0
    named[:] = 0
    chance = np.float32(misreport)
    luck = keys.luck[lane // (state.flags.shape[1] // keys.luck.size)]
    relief = relief_of(state.wins[lane], rules.doubles[WIN_RELIEF, lane])
    for place in range(respondents.size):
        i = respondents[place]
        group = residents.group[i]
        _, w1, w2, w3 = philox(i, week, luck, SURVEY, keys.seed, keys.community)
        aware = np.int64(state.flags[i, lane] & AWARE != 0)
        participating = np.int64(state.flags[i, lane] & PARTICIPATING != 0)
        says_aware = 1 - aware if uniform(w1) < chance else aware
        says_participating = 1 - participating if uniform(w2) < chance else participating
        by_group[0, group] += 1
        by_group[1, group] += says_aware
        by_group[2, group] += says_participating
        if says_participating:
            if state.last.size > 0 and state.last[i, lane] > 0:
                named[np.int64(state.last[i, lane]) - 1] += 1
        elif uniform(w3) < chance:
            causes[np.int64(w3) % N_CAUSES] += 1
        else:
            cause = cause_of(
                aware,
                state.reals[CAPABILITY, i, lane],
                state.reals[TRUST, i, lane],
                relief * rules.by_group[BARRIER, group, lane],
                rules.doubles[CAPABILITY_CAUSE, lane],
                rules.doubles[APPEAL_CAUSE, lane],
            )
            causes[cause] += 1
