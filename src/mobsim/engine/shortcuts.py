"""Which scenarios need less than the whole week, and how their weeks are carried: same bits, less work.

A scenario without a campaign, leaders and organizations, in which nobody forgets, learns, lapses or moves,
is one of three simpler things (docs/odd.md, 7.15):

* **frontier**: sharp thresholds without return; only those who have just joined matter.
* **cascade**: everybody who is told takes part, for good; only those who tell matter.
* **dense**: everybody is aware and decides every week, and nothing else happens.

`kernels/spread.py` carries them. Everything else takes the whole week kernel (**lanes**).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from weakref import WeakKeyDictionary

import numpy as np

from mobsim.campaign.activity import buys_surveys
from mobsim.community.behaviour import BehaviourSpec
from mobsim.community.community import Community, CommunitySpec
from mobsim.engine.least_counts import least_counts
from mobsim.engine.rules import build_rules, decides_in_whole_numbers
from mobsim.engine.state import build_ties
from mobsim.kernels import arrays as a
from mobsim.kernels.spread import (
    KEEPS,
    N_PARAMETERS,
    NOT_VISIBLE,
    RECONSIDERS,
    SOCIAL,
    STEEP,
    decide_many,
    decide_one,
    hear_by_ties,
    hear_in_turn,
    join_by_counts,
    turn_round,
)
from mobsim.kernels.tile import SLOTS
from mobsim.scenario.scenario import NONE, Scenario

MANY = 16
"""From so many lanes on, 64 lanes are carried together; fewer one by one."""
MOST_TIES_ADDED = 65_535
"""Most ties of a resident whose participants 64 lanes can count in 16 bits."""
MARK_16, MARK_32 = -(2**14), -(2**30)
"""What marks those who have been told, in counts of tellers of 16 and of 32 bits."""
MOST_LISTED = 2**24
"""How many ids a list of those who were told is made for, unless a community is larger."""
LARGEST_NUMERATOR = 2**29
"""Beyond it numerators might not fit 32 bits."""
MOST_SHORT_LANES = 256
"""Most lanes of one call; more would gain nothing and hold more memory."""
FREE = {
    "dense": ("social_weight", "noise", "reconsider", "visibility"),
    "cascade": ("tell_participant",),
    "frontier": (),
}
"""Values of behaviour in which lanes that are carried together may differ."""


class Shortcut(Enum):
    """What carries the weeks."""

    LANES = "lanes"
    FRONTIER = "frontier"
    CASCADE = "cascade"
    DENSE = "dense"


def shortcut_of(scenario: Scenario, arms: Sequence[str]) -> Shortcut:
    """Return what can carry the weeks of a scenario, as far as the scenario itself can tell.

    Parameters
    ----------
    scenario : the resolved scenario.
    arms : names of the arms to run.

    See Also
    --------
    fits : what the built community must fulfil.
    """
    b, spec = scenario.behaviour, scenario.community
    idle = all(
        name == NONE or not (scenario.arms[name].activities or buys_surveys(scenario.arms[name]))
        for name in arms
    )
    still = (
        spec.leaders.share == 0
        and not spec.organizations
        and b.awareness_half_life is None
        and b.lapse == b.turnover == b.learning == b.ownership_growth == b.results_rate == 0
        and b.organizer_start == b.capability_weight == 0
        and spec.network.kind != "well_mixed"
    )
    if not (idle and still):
        return Shortcut.LANES
    whole = decides_in_whole_numbers(b, spec)
    if whole and b.visibility > 0:
        return Shortcut.LANES
    if spec.initial.aware == "everyone":
        at_once = whole and b.irreversible and b.reconsider == 1
        return Shortcut.FRONTIER if at_once else Shortcut.DENSE
    no_media = all(group.background_media == 0 for group in spec.groups.values())
    if spec.initial.aware == "participants" and whole and b.reconsider == 1 and no_media:
        return Shortcut.CASCADE
    return Shortcut.LANES


def key_of(kind: Shortcut, behaviour: BehaviourSpec) -> object:
    """Return what points must share for their lanes to be carried together.

    Parameters
    ----------
    kind : which shortcut.
    behaviour : parameters of the rules at a point.
    """
    free = FREE[kind.value]
    if kind is Shortcut.DENSE and behaviour.noise == 0:
        free = tuple(name for name in free if name != "social_weight")  # it decides who needs how many
    kept = [getattr(behaviour, name) for name in BehaviourSpec.model_fields if name not in free]
    return tuple(kept), behaviour.noise > 0


@dataclass(frozen=True, eq=False)
class Network:
    """A community's network as the shortcuts read it.

    ties : as the week kernel reads it. least : (N,) least numerators, or empty.
    reach_start, reached : whom everybody influences; tie (ties,) the number of the tie in the network.
    """

    ties: a.Ties
    least: a.Int64
    reach_start: a.Int64
    reached: a.UInt32
    tie: a.UInt32


_last_network: WeakKeyDictionary[Community, tuple[object, Network]] = WeakKeyDictionary()
"""For each community that somebody still holds, the behaviour it was asked with last, and the answer."""


def network_of(behaviour: BehaviourSpec, spec: CommunitySpec, community: Community) -> Network:
    """Turn a community's network round; the last answer is kept as long as the community is.

    Parameters
    ----------
    behaviour, spec : the scenario's parameters.
    community : the built community.
    """
    asked = tuple(getattr(behaviour, name) for name in BehaviourSpec.model_fields)
    known = _last_network.get(community)
    if known is not None and known[0] == asked:
        return known[1]
    ties = build_ties(community, behaviour.share_exponent)
    reach_start = np.zeros(community.n_residents + 1, np.int64)
    reached = np.empty(community.n_ties, np.uint32)
    needs_tie = ties.transmission.size > 0 or ties.weight.size > 0
    tie = np.empty(community.n_ties if needs_tie else 0, np.uint32)
    turn_round(ties.row_start, ties.neighbours, reach_start, reached, tie)
    network = Network(ties, least_counts(behaviour, spec, community, ties), reach_start, reached, tie)
    _last_network[community] = asked, network
    return network


def fits(kind: Shortcut, community: Community, network: Network) -> bool:
    """Say whether a built community can take a shortcut.

    Parameters
    ----------
    kind : what the scenario allows (`shortcut_of`).
    community, network : the built community and its network.
    """
    ties = network.ties
    if community.is_leader.any() or np.any(ties.units != 1):
        return False
    if kind is Shortcut.FRONTIER:
        largest = max(
            ties.denominator.max(initial=0.0), float(community.degree.max(initial=0)) * _heaviest(ties)
        )
        return bool(community.aware.all() and largest < LARGEST_NUMERATOR)
    if kind is Shortcut.CASCADE:
        everybody_joins = network.least.max(initial=0) <= 0
        return bool(everybody_joins and np.array_equal(community.aware, community.participating))
    if kind is Shortcut.DENSE:
        fit = community.degree.max(initial=0) <= MOST_TIES_ADDED
        return bool(community.aware.all() and fit and ties.weight.size == 0)
    return False


def _heaviest(ties: a.Ties) -> float:
    return float(ties.weight.max(initial=1))


@dataclass(frozen=True, eq=False)
class Course:
    """What happened in some lanes: participating (lanes, W, G) at the end of each week.

    ids, start : everybody who takes part at the end, lane after lane: ids[start[lane] : start[lane + 1]].
    stayed : (lanes, 3) participants at funding end, of these at the end, of these never left.
    """

    participating: a.Int64
    ids: a.UInt32
    start: a.Int64
    stayed: a.Int64

    def members(self, lane: int) -> a.UInt32:
        """Return who takes part at the end, in ascending order.

        Parameters
        ----------
        lane : number of the lane.
        """
        return np.sort(self.ids[self.start[lane] : self.start[lane + 1]])


@dataclass(frozen=True, eq=False)
class Seeds:
    """Sets of first participants: set s is ids[start[s] : start[s + 1]]."""

    ids: a.UInt32
    start: a.Int64


def seeds_of(sets: Sequence[a.Int64]) -> Seeds:
    """Put sets of first participants behind each other.

    Parameters
    ----------
    sets : ids, set by set.
    """
    start = np.cumsum([0, *(len(ids) for ids in sets)]).astype(np.int64)
    ids = np.concatenate([np.asarray(ids, np.uint32) for ids in sets]) if sets else np.empty(0, np.uint32)
    return Seeds(ids.astype(np.uint32), start)


@dataclass(frozen=True, eq=False)
class Lane:
    """One lane of a shortcut: the parameters, the luck and the set of first participants."""

    behaviour: BehaviourSpec
    luck: int
    seeds: int


def run_lanes(
    kind: Shortcut,
    scenario: Scenario,
    community: Community,
    network: Network,
    seeds: Seeds,
    lanes: Sequence[Lane],
) -> Course:
    """Carry all weeks of some lanes on one community.

    Parameters
    ----------
    kind : which shortcut.
    scenario : the resolved scenario; the parameters of the rules are those of the lanes.
    community, network : the built community and its network.
    seeds : sets of first participants.
    lanes : what to run; lanes differ in luck, first participants and what FREE names.
    """
    if kind is Shortcut.FRONTIER:
        return _frontier(scenario, community, network, seeds, lanes)
    if kind is Shortcut.CASCADE:
        return _cascade(scenario, community, network, seeds, lanes)
    return _dense(scenario, community, network, seeds, lanes)


def _weeks(scenario: Scenario) -> tuple[int, int, int]:
    """First week, number of recorded weeks, last funded week."""
    campaign = scenario.campaign
    end = campaign.horizon_weeks - 1
    return -campaign.burn_in_weeks, campaign.horizon_weeks, min(campaign.funding_ends_week - 1, end)


def _for_good(participating: a.Int64, funding_end: int) -> a.Int64:
    """Participants at funding end, none of whom ever leaves."""
    return np.repeat(participating[:, funding_end].sum(axis=1)[:, None], 3, axis=1)


def _frontier(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Sequence[Lane]
) -> Course:
    """Run every set of first participants once: luck decides nothing."""
    first, n_weeks, funding_end = _weeks(scenario)
    ties = network.ties
    needed = np.clip(network.least, -LARGEST_NUMERATOR, LARGEST_NUMERATOR).astype(np.int32)
    pull = ties.weight[network.tie].astype(np.int32) if ties.weight.size else np.ones(1, np.int32)
    n_sets = seeds.start.size - 1
    counts = np.zeros((n_sets, n_weeks - first, len(community.group_names)), np.int64)
    ids = np.empty(n_sets * community.n_residents, np.uint32)
    start = np.zeros(n_sets + 1, np.int64)
    join_by_counts(
        network.reach_start,
        network.reached,
        pull,
        needed,
        np.flatnonzero(needed <= 0).astype(np.uint32),
        community.group,
        seeds.ids,
        seeds.start,
        n_weeks - first,
        counts,
        ids,
        start,
    )
    of_lane = np.array([lane.seeds for lane in lanes], np.int64)
    if np.array_equal(of_lane, np.arange(n_sets)):
        participating = counts[:, -n_weeks:]
        ids = ids[: start[-1]].copy()
    else:
        participating = counts[of_lane, -n_weeks:]
        ids = np.concatenate([ids[start[s] : start[s + 1]] for s in of_lane])
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(start)[of_lane])])
    return Course(participating, ids, start, _for_good(participating, funding_end))


def _cascade(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Sequence[Lane]
) -> Course:
    """Run cascades, enlarging the list of those who were told as needed."""
    first, n_weeks, funding_end = _weeks(scenario)
    n = community.n_residents
    log_tell, log_media, window = _telling(scenario, [lane.behaviour for lane in lanes])
    lucks = np.array([lane.luck for lane in lanes], np.uint32)
    sets = np.array([lane.seeds for lane in lanes], np.int64)
    counts = np.zeros((len(lanes), n_weeks - first, len(community.group_names)), np.int64)
    start = np.zeros(len(lanes) + 1, np.int64)
    by_tie = network.ties.transmission.size > 0
    most = int(community.degree.max(initial=0))
    narrow = most < -MARK_16 - 1
    mark = MARK_16 if narrow else MARK_32
    parts = []
    done = 0
    while done < len(lanes):
        ids = np.empty(max(8 * n, min((len(lanes) - done) * n // 8, MOST_LISTED)), np.uint32)
        part_start = np.zeros(len(lanes) - done + 1, np.int64)
        key_and_weeks = (scenario.seed, community.number, first, n_weeks - first)
        told = (counts[done:], ids, part_start)
        if by_tie:
            more = hear_by_ties(
                network.reach_start,
                network.reached,
                network.tie,
                network.ties.transmission,
                window,
                community.group,
                seeds.ids,
                seeds.start,
                lucks[done:],
                sets[done:],
                *key_and_weeks,
                *told,
            )
        else:
            more = hear_in_turn(
                network.reach_start,
                network.reached,
                log_tell[done:],
                log_media,
                window,
                most,
                mark,
                np.zeros(n, np.int16 if narrow else np.int32),
                community.group,
                seeds.ids,
                seeds.start,
                lucks[done:],
                sets[done:],
                *key_and_weeks,
                *told,
            )
        start[done : done + more + 1] = start[done] + part_start[: more + 1]
        parts.append(ids[: part_start[more]])
        done += more
    participating = counts[:, -n_weeks:]
    everybody = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return Course(participating, everybody, start, _for_good(participating, funding_end))


def _telling(scenario: Scenario, behaviours: Sequence[BehaviourSpec]) -> tuple[a.Float32, np.float32, int]:
    """(lanes,) log2(1 - c_P), the log of no background media, and the exposure window."""
    rules = _rules_of(scenario, behaviours)
    log_tell = np.array([r.singles[a.LOG_TELL_PARTICIPANT, 0] for r in rules], np.float32)
    return log_tell, np.float32(rules[0].by_group[a.LOG_BACKGROUND, 0, 0]), rules[0].exposure_window


def _rules_of(scenario: Scenario, behaviours: Sequence[BehaviourSpec]) -> list[a.Rules]:
    """Parameters of each lane; lanes that share an object share the work."""
    interval = scenario.campaign.decision_interval_weeks
    found: dict[int, a.Rules] = {}
    for behaviour in behaviours:
        if id(behaviour) not in found:
            found[id(behaviour)] = build_rules(behaviour, scenario.community, 1, decision_interval=interval)
    return [found[id(behaviour)] for behaviour in behaviours]


@dataclass(frozen=True, eq=False)
class _Decisions:
    """Parameters of dense lanes: single (5, lanes), visibility (lanes,), readiness (G, lanes), the modes."""

    singles: a.Float32
    visibility: a.Float64
    readiness: a.Float32
    decision: int
    irreversible: int


def _decisions(scenario: Scenario, lanes: Sequence[Lane]) -> _Decisions:
    """Collect what lanes decide by."""
    rules = _rules_of(scenario, [lane.behaviour for lane in lanes])
    singles = np.empty((N_PARAMETERS, len(lanes)), np.float32)
    rows = {
        NOT_VISIBLE: a.NOT_VISIBILITY,
        SOCIAL: a.SOCIAL_WEIGHT,
        STEEP: a.STEEPNESS,
        KEEPS: a.KEEP,
        RECONSIDERS: a.RECONSIDER,
    }
    for mine, theirs in rows.items():
        singles[mine] = [r.singles[theirs, 0] for r in rules]
    visibility = np.array([r.doubles[a.VISIBILITY, 0] for r in rules])
    singles[NOT_VISIBLE] = (1.0 - visibility).astype(np.float32)
    barriers = np.array([r.by_group[a.BARRIER, :, 0] for r in rules]).T
    readiness = (0.0 - 1.0 * barriers).astype(np.float32)
    return _Decisions(singles, visibility, readiness, rules[0].decision, rules[0].irreversible)


def _dense(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Sequence[Lane]
) -> Course:
    """Decide every week, lane by lane or 64 lanes at a time."""
    if len(lanes) < MANY:
        return join_courses([_one(scenario, community, network, seeds, lane) for lane in lanes])
    return join_courses(
        [
            _many(scenario, community, network, seeds, lanes[k : k + SLOTS])
            for k in range(0, len(lanes), SLOTS)
        ]
    )


def join_courses(courses: Sequence[Course]) -> Course:
    """Put the courses of some lanes behind each other.

    Parameters
    ----------
    courses : in order; at least one.
    """
    if len(courses) == 1:
        return courses[0]
    sizes = np.concatenate([np.diff(course.start) for course in courses])
    return Course(
        np.concatenate([course.participating for course in courses]),
        np.concatenate([course.ids for course in courses]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        np.concatenate([course.stayed for course in courses]),
    )


def _division(ties: a.Ties) -> tuple[a.Float64, a.UInt8]:
    """What the numerator is multiplied with or divided by, and where it is divided."""
    divide = ties.general if not ties.divide else np.ones_like(ties.general)
    by_kind = ties.denominator[ties.kind], ties.reciprocal[ties.kind]
    return np.where(divide > 0, *by_kind), divide


def _small_least(network: Network) -> a.Int32:
    return np.clip(network.least, -LARGEST_NUMERATOR, LARGEST_NUMERATOR).astype(np.int32)


def _one(scenario: Scenario, community: Community, network: Network, seeds: Seeds, lane: Lane) -> Course:
    """Run one dense lane."""
    first, n_weeks, funding_end = _weeks(scenario)
    n = community.n_residents
    decides = _decisions(scenario, [lane])
    factor, divide = _division(network.ties)
    taking_part = np.zeros(n + SLOTS - 1, np.uint8)
    taking_part[seeds.ids[seeds.start[lane.seeds] : seeds.start[lane.seeds + 1]]] = 1
    marked = np.zeros((2, n), np.uint8)
    counts = np.zeros((n_weeks, len(community.group_names)), np.int64)
    decide_one(
        network.reach_start,
        network.reached,
        factor,
        divide,
        network.ties.scale,
        _small_least(network),
        community.threshold,
        decides.readiness[community.group, 0],
        community.group,
        np.ascontiguousarray(decides.singles[:, 0]),
        float(decides.visibility[0]),
        decides.decision,
        decides.irreversible,
        lane.luck,
        scenario.seed,
        community.number,
        first,
        n_weeks - first,
        funding_end,
        taking_part,
        marked,
        counts,
    )
    end = taking_part[:n]
    stayed = [int(marked[0].sum()), int((marked[0] & end).sum()), int((marked[1] & end).sum())]
    ids = np.flatnonzero(end).astype(np.uint32)
    return Course(counts[None], ids, np.array([0, ids.size]), np.array([stayed]))


def _many(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Sequence[Lane]
) -> Course:
    """Run up to 64 dense lanes together; what is missing is filled with the last one."""
    first, n_weeks, funding_end = _weeks(scenario)
    n, n_lanes = community.n_residents, len(lanes)
    full = [*lanes, *[lanes[-1]] * (SLOTS - n_lanes)]
    decides = _decisions(scenario, full)
    factor, divide = _division(network.ties)
    lucks = list(dict.fromkeys(lane.luck for lane in full))
    luck_of = np.array([lucks.index(lane.luck) for lane in full], np.int64)
    while SLOTS % len(lucks):
        lucks.append(lucks[-1])
    taking_part = np.zeros((2, n, SLOTS), np.uint8)
    for place, lane in enumerate(full):
        taking_part[0, seeds.ids[seeds.start[lane.seeds] : seeds.start[lane.seeds + 1]], place] = 1
    marked = np.zeros((2, n * SLOTS), np.uint8)
    counts = np.zeros((n_weeks, SLOTS, len(community.group_names)), np.int64)
    decide_many(
        network.ties.row_start,
        network.ties.neighbours,
        factor,
        divide,
        network.ties.scale,
        _small_least(network),
        community.threshold,
        decides.readiness,
        community.group,
        decides.singles,
        decides.visibility,
        decides.decision,
        decides.irreversible,
        np.array(lucks, np.uint32),
        luck_of,
        scenario.seed,
        community.number,
        first,
        n_weeks - first,
        funding_end,
        taking_part.reshape(2, n * SLOTS),
        marked,
        counts,
    )
    end = taking_part[(n_weeks - first) % 2]
    at_end, never_left = marked.reshape(2, n, SLOTS)
    stayed = np.stack(
        [x.sum(axis=0, dtype=np.int64) for x in (at_end, at_end & end, never_left & end)], axis=1
    )
    found = [np.flatnonzero(end[:, place]).astype(np.uint32) for place in range(n_lanes)]
    start = np.cumsum([0, *(ids.size for ids in found)]).astype(np.int64)
    participating = np.moveaxis(counts, 1, 0)[:n_lanes]
    return Course(participating, np.concatenate(found), start, stayed[:n_lanes])
