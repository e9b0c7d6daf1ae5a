"""What the residents of one lane are about to decide: phases 4a to 4c of docs/odd.md, not yet written.

Agents that decide for themselves read it before the week is carried out. It is the plain form of what
`diffusion.py` does in tiles: the same operations in the same order, so the same bits. It reads flags and
told_week, not the packed state words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mobsim.kernels.arrays import (
    APPEAL,
    APPEAL_WEIGHT,
    AWARE,
    CAPABILITY,
    CAPABILITY_WEIGHT,
    DOSED,
    HABIT,
    KEEP,
    LOG_BACKGROUND,
    LOG_TELL_OTHER,
    LOG_TELL_PARTICIPANT,
    LOGIT,
    OWNERSHIP,
    PARTICIPATING,
    RECONSIDER,
    SOCIAL_WEIGHT,
    STEEPNESS,
    TELL_OTHER,
    TELL_PARTICIPANT,
    THRESHOLD,
    TRUST,
    WHOLE,
    Float32,
    Int8,
    Int64,
    Keys,
    Leaders,
    Residents,
    Rules,
    State,
    Ties,
    UInt8,
)
from mobsim.kernels.bundles import Bundle
from mobsim.kernels.compile import internal, kernel
from mobsim.kernels.diffusion import week_terms
from mobsim.kernels.elementary import exp2_32, logistic_32
from mobsim.kernels.keyed import Whole, philox, uniform
from mobsim.kernels.streams import TELLING, WEEK

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)

# What a resident tells and shows: bits of the scratch array of `preview_week`.
_TELLS = 1
_TELLS_AS_PARTICIPANT = 2


@dataclass(frozen=True, eq=False)
class Preview(Bundle):
    """What is known of every resident (N,) before the decisions of a week are written.

    aware : 1 if aware after 4b.
    tellers, participating_tellers : those who tell the resident, and how many of them as participants.
    exposure, readiness : E and V.
    chance : that the rule's own proposal is to participate, in [0, 1].
    proposal : the rule's own proposal, 1 or 0, with the week's draw.
    """

    aware: UInt8
    tellers: Int64
    participating_tellers: Int64
    exposure: Float32
    readiness: Float32
    chance: Float32
    proposal: Int8


def empty_preview(n_residents: int) -> Preview:
    """Return arrays for `preview_week` to fill."""
    n = n_residents
    return Preview(
        aware=np.zeros(n, np.uint8),
        tellers=np.zeros(n, np.int64),
        participating_tellers=np.zeros(n, np.int64),
        exposure=np.zeros(n, np.float32),
        readiness=np.zeros(n, np.float32),
        chance=np.zeros(n, np.float32),
        proposal=np.zeros(n, np.int8),
    )


@kernel
def preview_week(
    week: int,
    ties: Ties,
    residents: Residents,
    leaders: Leaders,
    rules: Rules,
    keys: Keys,
    state: State,
    preview: Preview,
) -> None:
    """Fill `preview` for one week of a block of one lane; the state stays as it is.

    Parameters
    ----------
    week : the week, negative in burn-in; what phases 2 and 3 give in this week has been given.
    ties, residents, leaders, rules, keys, state : of a block with one lane.
    preview : receives what is known before the decisions are written.
    """
    n_residents = state.flags.shape[0]
    n_groups = rules.by_group.shape[1]
    luck = keys.luck[0]
    terms = np.empty((n_groups, 1), np.float32)
    lambda_f = np.empty((3, 1), np.float32)
    week_terms(rules, state, n_residents, terms, lambda_f)
    stance = np.zeros(n_residents, np.int8)
    for s in range(leaders.ids.size):
        stance[leaders.ids[s]] = leaders.stance[s, 0]
    tells = np.zeros(n_residents, np.uint8)
    told_by_all = 0
    told_by_participants = 0
    for j in range(n_residents):
        aware = (state.flags[j, 0] & AWARE) != 0
        if aware and week - state.told_week[j, 0] <= rules.exposure_window:
            takes_part = stance[j] == 0 and (state.flags[j, 0] & PARTICIPATING) != 0
            as_participant = takes_part or stance[j] > 0
            tells[j] = _TELLS | _TELLS_AS_PARTICIPANT if as_participant else _TELLS
            told_by_all += 1
            told_by_participants += 1 if as_participant else 0

    for i in range(n_residents):
        flags = state.flags[i, 0]
        group = residents.group[i]

        # 4a: counts and exposure.
        numerator = np.int64(0)
        if ties.well_mixed != 0:
            n_all = told_by_all - np.int64(tells[i] & _TELLS)
            n_participants = told_by_participants - np.int64(tells[i] >> 1)
            exposure = lambda_f[1, 0]
        else:
            n_all, n_participants, numerator = _row(i, ties, state, stance, tells)
            exposure = lambda_f[2, 0] * _quotient(i, numerator, ties) + lambda_f[0, 0]

        # 4b: awareness.
        n_p = np.float32(n_participants)
        n_n = np.float32(n_all - n_participants)
        told = False
        if ties.transmission.size > 0:
            n_p = _ZERO
            n_n = _ZERO
            if not flags & AWARE:
                told = _told(i, week, ties, keys, rules, tells)
        w0, w1, _, _ = philox(i, week, luck, WEEK, keys.seed, keys.community)
        exponent = np.float32(rules.by_group[LOG_BACKGROUND, group, 0])
        exponent = (exponent + n_p * rules.singles[LOG_TELL_PARTICIPANT, 0]) + n_n * rules.singles[
            LOG_TELL_OTHER, 0
        ]
        hears = _ONE - exp2_32(exponent)
        aware = (flags & (AWARE | DOSED)) != 0 or told or uniform(w0) < hears

        # 4c: participation.
        takes_part = (flags & PARTICIPATING) != 0
        v = rules.singles[SOCIAL_WEIGHT, 0] * exposure
        v = v + (rules.singles[APPEAL_WEIGHT, 0] * state.reals[TRUST, i, 0]) * state.reals[APPEAL, i, 0]
        v = v + rules.singles[CAPABILITY_WEIGHT, 0] * state.reals[CAPABILITY, i, 0]
        v = v + terms[group, 0]
        v = v - state.reals[THRESHOLD, i, 0]
        x = _ONE if takes_part else _ZERO
        v = v + (rules.singles[HABIT, 0] * state.reals[OWNERSHIP, i, 0]) * x
        if rules.decision == WHOLE:
            reached = state.participating[0] if rules.whole_from_share else numerator
            share = _ONE if reached >= residents.least[i] else _ZERO
        elif rules.decision == LOGIT:
            share = logistic_32(v * rules.singles[STEEPNESS, 0])
        else:
            share = _ONE if v >= _ZERO else _ZERO
        stays = rules.singles[KEEP, 0] if takes_part else _ZERO
        chance = stays + rules.singles[RECONSIDER, 0] * share
        if not aware or stance[i] < 0:
            chance = _ZERO
        if rules.irreversible and takes_part:
            chance = _ONE

        preview.aware[i] = aware
        preview.tellers[i] = n_all
        preview.participating_tellers[i] = n_participants
        preview.exposure[i] = exposure
        preview.readiness[i] = v
        preview.chance[i] = chance
        preview.proposal[i] = uniform(w1) < chance


@internal
def _row(i: int, ties: Ties, state: State, stance: Int8, tells: UInt8) -> tuple[np.int64, np.int64, np.int64]:
    """Tellers, tellers as participants and the numerator of rule (2), over those who influence resident i."""
    n_all = np.int64(0)
    n_participants = np.int64(0)
    numerator = np.int64(0)
    for tie in range(ties.row_start[i], ties.row_start[i + 1]):
        j = np.int64(ties.neighbours[tie])
        n_all += np.int64(tells[j] & _TELLS)
        n_participants += np.int64(tells[j] >> 1)
        shows = np.int64(stance[j])
        if stance[j] == 0 and state.flags[j, 0] & PARTICIPATING:
            shows = np.int64(1)
        pull = shows * np.int64(ties.units[j])
        numerator += ties.weight[tie] * pull if ties.weight.size > 0 else pull
    return n_all, n_participants, numerator


@internal
def _quotient(i: int, numerator: np.int64, ties: Ties) -> np.float32:
    """The share of those who influence resident i that participates, weighted: q of docs/odd.md, 7.4."""
    denominator = ties.denominator[ties.kind[i]]
    if denominator <= 0.0:
        return _ZERO
    if ties.general[i] or ties.divide:
        return np.float32((np.float64(numerator) * ties.scale) / denominator)
    return np.float32(np.float64(numerator) * ties.reciprocal[ties.kind[i]])


@internal
def _told(i: int, week: int, ties: Ties, keys: Keys, rules: Rules, tells: UInt8) -> bool:
    """Whether one of the ties that carry `transmission` tells resident i this week."""
    for tie in range(ties.row_start[i], ties.row_start[i + 1]):
        teller = tells[np.int64(ties.neighbours[tie])]
        if teller & _TELLS:
            chance = ties.transmission[tie]
            if not teller & _TELLS_AS_PARTICIPANT:
                told_by = rules.doubles[TELL_PARTICIPANT, 0]
                chance = chance * rules.doubles[TELL_OTHER, 0] / told_by if told_by > 0.0 else 0.0
            w0, _, _, _ = philox(tie, week, keys.luck[0], TELLING, keys.seed, keys.community)
            if uniform(w0) < np.float32(chance):
                return True
    return False


@kernel
def draw_uniform(entity: Whole, week: Whole, stream: Whole, word: int, keys: Keys) -> float:
    """Return one keyed uniform number of an entity of a block of one lane.

    Parameters
    ----------
    entity : number of the resident, or whatever else the stream numbers.
    week : the week, negative in burn-in.
    stream : what the draw is for (docs/odd.md, 6).
    word : which of the four words, 0 to 3.
    keys : of a block with one lane.
    """
    words = philox(entity, week, keys.luck[0], stream, keys.seed, keys.community)
    return float(uniform(words[word]))
