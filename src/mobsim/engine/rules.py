"""Parameters of the rules as arrays by lane, rounded once (docs/odd.md, 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mobsim.community.behaviour import (
    BehaviourSpec,
    CountThresholds,
    NormalThresholds,
    TruncatedNormalThresholds,
    UniformThresholds,
)
from mobsim.community.community import CommunitySpec
from mobsim.errors import ScenarioError
from mobsim.kernels import arrays as a
from mobsim.kernels.elementary import LOG2_E, exp2_64, log2_1m_64
from mobsim.kernels.words import NO_WINDOW


def factor(half_life: float | None) -> float:
    """Return what remains after a week, 1 when nothing decays."""
    return 1.0 if half_life is None else float(exp2_64(-1.0 / half_life))


def decides_in_whole_numbers(behaviour: BehaviourSpec, community: CommunitySpec) -> bool:
    """Say whether participation is decided by least counts (docs/odd.md, 7.6).

    Parameters
    ----------
    behaviour : parameters of the rules.
    community : the world.
    """
    quiet = (
        behaviour.noise == 0
        and behaviour.appeal_weight == 0
        and behaviour.capability_weight == 0
        and behaviour.results_weight == 0
        and behaviour.habit == 0
        and behaviour.turnover == 0
        and all(group.barrier == 0 for group in community.groups.values())
    )
    well_mixed = community.network.kind == "well_mixed"
    from_share = well_mixed or behaviour.visibility == 1
    from_row = behaviour.visibility == 0 and behaviour.share_exponent in (0, 1)
    if isinstance(behaviour.thresholds, CountThresholds):
        if quiet and (from_share or (behaviour.visibility == 0 and behaviour.share_exponent == 0)):
            return True
        raise ScenarioError(
            "behaviour.thresholds of kind count need noise 0, no weights but social_weight, no turnover, no "
            "barriers, and either visibility 1, network well_mixed, or visibility 0 with share_exponent 0"
        )
    return quiet and behaviour.social_weight > 0 and (from_share or from_row)


def build_rules(
    behaviour: BehaviourSpec,
    spec: CommunitySpec,
    n_lanes: int,
    *,
    decision_interval: int,
    listed_thresholds: bool = False,
) -> a.Rules:
    """Return the parameters for a block of lanes that all follow one behaviour.

    Parameters
    ----------
    behaviour : parameters of the rules.
    spec : the world, for the parameters by group.
    n_lanes : number of lanes in the block.
    decision_interval : weeks between decisions of leaders and organizations.
    listed_thresholds : thresholds were listed resident by resident and stay with the place.
    """
    b = behaviour
    forget = b.turnover + (1.0 - b.turnover) * (1.0 - factor(b.awareness_half_life))
    singles = [0.0] * a.N_SINGLES
    singles[a.LOG_TELL_PARTICIPANT] = float(log2_1m_64(b.tell_participant))
    singles[a.LOG_TELL_OTHER] = float(log2_1m_64(b.tell_other))
    singles[a.NOT_VISIBILITY] = 1.0 - b.visibility
    singles[a.SOCIAL_WEIGHT] = b.social_weight
    singles[a.APPEAL_WEIGHT] = b.appeal_weight
    singles[a.CAPABILITY_WEIGHT] = b.capability_weight
    singles[a.HABIT] = b.habit
    singles[a.STEEPNESS] = LOG2_E / b.noise if b.noise > 0 else 0.0
    singles[a.KEEP] = 1.0 - b.reconsider
    singles[a.RECONSIDER] = b.reconsider
    singles[a.LAPSE] = b.lapse
    singles[a.TURNOVER] = b.turnover
    singles[a.FORGET] = forget
    singles[a.APPEAL_FACTOR] = factor(b.appeal_half_life)
    singles[a.CAPABILITY_FACTOR] = factor(b.capability_half_life)
    singles[a.OWNERSHIP_FACTOR] = factor(b.ownership_half_life)
    singles[a.LEARNING] = b.learning
    singles[a.OWNERSHIP_GROWTH] = b.ownership_growth
    singles[a.ORGANIZER_CAPABILITY] = b.organizer_capability
    singles[a.ORGANIZER_OWNERSHIP] = b.organizer_ownership
    singles[a.ORGANIZER_START] = b.organizer_start

    doubles = [0.0] * a.N_DOUBLES
    doubles[a.VISIBILITY] = b.visibility
    doubles[a.RESULTS_WEIGHT] = b.results_weight
    doubles[a.WIN_RELIEF] = b.win_relief
    doubles[a.RESULTS_RATE] = b.results_rate
    doubles[a.RESULTS_EXPONENT] = b.results_exponent
    doubles[a.RESULTS_HALF] = b.results_half
    doubles[a.LOBBY_SUCCESS] = b.lobby_success
    doubles[a.WIN_REVERSAL] = b.win_reversal
    doubles[a.MAX_WINS] = float(b.max_wins)
    kind, mean, sd, low, high = _threshold_parameters(b)
    doubles[a.THRESHOLD_MEAN], doubles[a.THRESHOLD_SD] = mean, sd
    doubles[a.THRESHOLD_LOW], doubles[a.THRESHOLD_HIGH] = low, high
    doubles[a.CAPABILITY_SD] = b.capability_sd
    doubles[a.TRUST_SD] = b.trust_sd
    doubles[a.TELL_PARTICIPANT], doubles[a.TELL_OTHER] = b.tell_participant, b.tell_other
    doubles[a.LEADER_START] = min(1.0, 5.0 * b.organizer_start)
    doubles[a.PEER_DOSE] = b.peer_appeal
    doubles[a.TRUST_LOSS] = b.trust_loss
    doubles[a.LEADER_RECONSIDER] = b.leader_reconsider
    doubles[a.LEADER_LEANING] = b.leader_leaning_weight
    doubles[a.LEADER_ENGAGEMENT] = b.leader_engagement_weight
    doubles[a.LEADER_COALITION] = b.leader_coalition_weight
    doubles[a.LEADER_THRESHOLD] = b.leader_threshold
    doubles[a.LEADER_NOISE] = b.leader_noise
    doubles[a.ORGANIZATION_RECONSIDER] = b.organization_reconsider
    doubles[a.ORGANIZATION_ENGAGEMENT] = b.organization_engagement_weight
    doubles[a.COALITION_WEIGHT] = b.coalition_weight
    doubles[a.ORGANIZATION_THRESHOLD] = b.organization_threshold
    doubles[a.ORGANIZATION_NOISE] = b.organization_noise
    doubles[a.LEADER_SOCIAL] = b.social_weight
    doubles[a.APPEAL_CAUSE] = b.appeal_weight
    doubles[a.CAPABILITY_CAUSE] = b.capability_weight

    groups = list(spec.groups.values())
    by_group = np.empty((a.N_BY_GROUP, len(groups), n_lanes))
    for index, group in enumerate(groups):
        by_group[a.BARRIER, index] = group.barrier
        by_group[a.START_CAPABILITY_MEAN, index] = group.capability
        by_group[a.TRUST_MEAN, index] = group.trust
        by_group[a.AWARE_SHARE, index] = group.aware
        by_group[a.LOG_BACKGROUND, index] = log2_1m_64(group.background_media)
        by_group[a.REACHED, index] = group.reached

    whole = decides_in_whole_numbers(behaviour, spec)
    decision = a.WHOLE if whole else (a.LOGIT if b.noise > 0 else a.SHARP)
    from_share = spec.network.kind == "well_mixed" or behaviour.visibility == 1
    newcomer = {"by_group": a.BY_GROUP, "everyone": a.EVERYONE, "participants": a.NOBODY}[spec.initial.aware]
    return a.Rules(
        singles=np.repeat(np.array(singles, np.float64).astype(np.float32)[:, None], n_lanes, axis=1),
        doubles=np.repeat(np.array(doubles)[:, None], n_lanes, axis=1),
        by_group=by_group,
        decision=decision,
        whole_from_share=int(from_share),
        irreversible=int(b.irreversible),
        exposure_window=NO_WINDOW if b.exposure_window is None else b.exposure_window,
        threshold_kind=a.KEEPS_THRESHOLD if listed_thresholds else kind,
        newcomer_aware=newcomer,
        organizers=int(b.organizer_start > 0),
        organizer_contacts=b.organizer_contacts,
        engagement_weeks=b.engagement_weeks,
        decision_interval=decision_interval,
    )


def rules_of_points(of_points: Sequence[a.Rules], n_draws: int, copies: int) -> a.Rules:
    """Return the rules of a block whose lanes are draw groups x points x copies, in this order.

    Parameters
    ----------
    of_points : the rules of one lane at every point; what a block has once is the same in all.
    n_draws : number of draw groups.
    copies : lanes of each point in a draw group, such as its arms.
    """

    def in_lanes(name: str) -> np.ndarray:
        points = np.concatenate([getattr(rules, name) for rules in of_points], axis=-1)
        wide = np.repeat(points, copies, axis=-1)
        return np.ascontiguousarray(np.concatenate([wide] * n_draws, axis=-1))

    return replace(
        of_points[0], singles=in_lanes("singles"), doubles=in_lanes("doubles"), by_group=in_lanes("by_group")
    )


def _threshold_parameters(b: BehaviourSpec) -> tuple[int, float, float, float, float]:
    """Kind, mean, sd, low and high of the thresholds of newcomers."""
    match b.thresholds:
        case NormalThresholds(mean=mean, sd=sd):
            return a.NORMAL, mean, sd, 0.0, 0.0
        case TruncatedNormalThresholds(mean=mean, sd=sd, low=low, high=high):
            return a.TRUNCATED, mean, sd, low, high
        case UniformThresholds(low=low, high=high):
            return a.UNIFORM, 0.0, 0.0, low, high
        case _:
            return a.KEEPS_THRESHOLD, 0.0, 0.0, 0.0, 0.0
