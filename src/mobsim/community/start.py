"""The state in which everybody starts: thresholds, capability, trust, who is aware, who takes part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mobsim.community.behaviour import (
    BehaviourSpec,
    ConstantThresholds,
    CountThresholds,
    ListedThresholds,
    NormalThresholds,
    ThresholdSpec,
    TruncatedNormalThresholds,
)
from mobsim.community.community import Community
from mobsim.community.exact import draw_words, first_in_order, in_parts, share_of
from mobsim.community.households import centred_array
from mobsim.community.people_file import People
from mobsim.community.population import (
    ChosenByRule,
    ExactCount,
    ExactShare,
    GroupSpec,
    InitialSpec,
    ListedResidents,
)
from mobsim.errors import ScenarioError
from mobsim.kernels import streams
from mobsim.kernels.elementary import normal_quantile_array, truncated_normal_array

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Start:
    """Arrays of the start, as in `Community`."""

    threshold: Floats
    least_count: npt.NDArray[np.int64]
    capability: Floats
    trust: Floats
    aware: Flags
    participating: Flags


def draw_start(
    initial: InitialSpec,
    behaviour: BehaviourSpec,
    groups: tuple[GroupSpec, ...],
    group: npt.NDArray[np.uint8],
    is_leader: Flags,
    leaning: npt.NDArray[np.int8],
    people: People | None = None,
    *,
    seed: int,
    number: int,
) -> Start:
    """Draw the state at the start of the burn-in.

    First participants whom a rule chooses are not in it: the rule looks at ties (`choose_participants`).

    Parameters
    ----------
    initial : who is aware and who participates.
    behaviour : thresholds and spreads.
    groups : the declared groups, in order.
    group : (n_residents,) index of each resident's group.
    is_leader, leaning : (n_residents,) leaders and which way they lean.
    people : what a people file says; its thresholds and participants replace what would be drawn.
    seed, number : key of the community.
    """
    n = group.size
    words = draw_words(streams.INITIAL, n, seed=seed, number=number)
    if people is None or people.threshold is None:
        threshold, least_count = draw_thresholds(behaviour.thresholds, words[0])
    else:
        threshold, least_count = written_thresholds(behaviour.thresholds, people.threshold)
    capability = _spread([g.capability for g in groups], behaviour.capability_sd, group, words[1])
    trust = _spread([g.trust for g in groups], behaviour.trust_sd, group, words[2])
    aware = _first_aware(initial, groups, group, is_leader, words[3])
    del words
    may = (leaning >= 0) & (aware if initial.aware == "by_group" else True)
    if people is not None and people.participating is not None:
        participants = people.participating & (leaning >= 0)
    else:
        order = draw_words(streams.PARTICIPATING, n, seed=seed, number=number)[0]
        participants = _first_participants(initial, may, leaning >= 0, order)
    return Start(threshold, least_count, capability, trust, aware | participants, participants)


def draw_thresholds(
    spec: ThresholdSpec, words: npt.NDArray[np.uint32]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Draw thresholds in float64 and round them to float32 once.

    Parameters
    ----------
    spec : the declared distribution.
    words : (n_residents,) word 0 of the stream.

    Returns
    -------
    threshold : (n_residents,) float32
    least_count : (n_residents,) int64 for thresholds of kind count, else empty

    Raises
    ------
    ScenarioError
        If a list does not have one threshold for each resident.
    """
    n = words.size
    none = np.empty(0, np.int64)
    if isinstance(spec, CountThresholds):
        counts = np.full(n, spec.value, np.int64) if spec.values is None else np.array(spec.values, np.int64)
        _one_each(counts.size, n)
        return np.zeros(n, np.float32), counts
    if isinstance(spec, ListedThresholds):
        _one_each(len(spec.values), n)
        return np.array(spec.values, np.float64).astype(np.float32), none
    if isinstance(spec, ConstantThresholds):
        return np.full(n, spec.value, np.float64).astype(np.float32), none
    drawn = np.empty(n, np.float32)
    for part in in_parts(n):
        if isinstance(spec, NormalThresholds):
            drawn[part] = spec.mean + spec.sd * normal_quantile_array(centred_array(words[part]))
        elif isinstance(spec, TruncatedNormalThresholds):
            drawn[part] = truncated_normal_array(
                centred_array(words[part]), spec.mean, spec.sd, spec.low, spec.high
            )
        else:
            drawn[part] = spec.low + (spec.high - spec.low) * uniform_array(words[part]).astype(np.float64)
    return drawn, none


def written_thresholds(
    spec: ThresholdSpec, written: npt.NDArray[np.float64]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Take thresholds from a people file: counts of contacts if the declared kind is count, else thresholds.

    Parameters
    ----------
    spec : the declared distribution.
    written : (n_residents,) thresholds as written.

    Raises
    ------
    ScenarioError
        If a count is not a whole number from 0, or a threshold is above 10.
    """
    counted = isinstance(spec, CountThresholds)
    wrong = (written != np.floor(written)) | (written < 0) if counted else written > 10
    if wrong.any():
        resident = int(np.flatnonzero(wrong)[0])
        allowed = "whole numbers from 0, because thresholds count contacts" if counted else "-10 to 10"
        raise ScenarioError(
            f"the people file's threshold of resident {resident} is {written[resident]:g}; "
            f"allowed are {allowed}"
        )
    if counted:
        return np.zeros(written.size, np.float32), written.astype(np.int64)
    return written.astype(np.float32), np.empty(0, np.int64)


def _one_each(found: int, n: int) -> None:
    if found != n:
        raise ScenarioError(
            f"behaviour.thresholds.values: {found} values for {n} residents; give one for each resident"
        )


def uniform_array(words: npt.NDArray[np.uint32]) -> Floats:
    """`mobsim.kernels.keyed.uniform` of every word: float32 in [0, 1)."""
    return (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def _spread(
    means: list[float], sd: float, group: npt.NDArray[np.uint8], words: npt.NDArray[np.uint32]
) -> Floats:
    """Draw around each group's mean, clipped to [0, 1]."""
    level = np.empty(group.size, np.float32)
    mean = np.array(means)
    for part in in_parts(group.size):
        drawn = mean[group[part]] + sd * normal_quantile_array(centred_array(words[part]))
        level[part] = np.clip(drawn, 0.0, 1.0)
    return level


def _first_aware(
    initial: InitialSpec,
    groups: tuple[GroupSpec, ...],
    group: npt.NDArray[np.uint8],
    is_leader: Flags,
    words: npt.NDArray[np.uint32],
) -> Flags:
    """Say who is aware before participants are added."""
    if initial.aware == "participants":
        return np.zeros(group.size, np.bool_)
    if initial.aware == "everyone":
        return np.ones(group.size, np.bool_)
    chance = np.array([g.aware for g in groups]).astype(np.float32)[group]
    return is_leader | (uniform_array(words) < chance)


def _first_participants(
    initial: InitialSpec, may: Flags, not_opposed: Flags, words: npt.NDArray[np.uint32]
) -> Flags:
    """Say who participates: by chance, an exact number, or those listed; opposed leaders never.

    Nobody yet where a rule chooses.
    """
    who = initial.participating
    n = may.size
    if isinstance(who, ListedResidents):
        chosen = np.zeros(n, np.bool_)
        for k, resident in enumerate(who.residents):
            if resident >= n:
                raise ScenarioError(
                    f"community.initial.participating.residents[{k}]: resident {resident} is not there; "
                    f"allowed are 0 to {n - 1}"
                )
            chosen[resident] = not_opposed[resident]
        return chosen
    if isinstance(who, ChosenByRule):
        return np.zeros(n, np.bool_)
    if isinstance(who, ExactCount | ExactShare):
        wanted = who.count if isinstance(who, ExactCount) else share_of(who.share, n)
        ids = np.flatnonzero(may)
        chosen = np.zeros(n, np.bool_)
        chosen[ids[first_in_order(words[ids], min(wanted, ids.size))]] = True
        return chosen
    return may & (uniform_array(words) < np.float32(who))


def choose_participants(community: Community, initial: InitialSpec) -> Community:
    """Return a community with the first participants whom a rule chooses; as it is if none does.

    Parameters
    ----------
    community : people and ties, with nobody participating yet.
    initial : who participates.

    Raises
    ------
    ScenarioError
        If the rule does not fit the community.
    """
    who = initial.participating
    if not isinstance(who, ChosenByRule):
        return community
    from mobsim.community.seeding import order_of_choice  # few scenarios need it, and its kernels

    may = (community.leaning >= 0) & (community.aware if initial.aware == "by_group" else True)
    takes_part = np.zeros(community.n_residents, np.bool_)
    takes_part[order_of_choice(community, who.rule, who, may, who.number, who.centrality)] = True
    return replace(community, participating=takes_part, aware=community.aware | takes_part)
