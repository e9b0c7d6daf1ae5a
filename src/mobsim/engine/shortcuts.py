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
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from mobsim.campaign.activity import buys_surveys
from mobsim.community.behaviour import BehaviourSpec
from mobsim.community.community import Community, CommunitySpec
from mobsim.engine.least_counts import least_counts
from mobsim.engine.rules import build_rules, decides_in_whole_numbers
from mobsim.engine.state import build_ties
from mobsim.kernels import arrays as a
from mobsim.kernels.elementary import LOG2_E
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
from mobsim.kernels.strip import STRIP
from mobsim.kernels.tile import SLOTS
from mobsim.scenario.scenario import NONE, Scenario

MANY = 16
"""From so many lanes on, 64 lanes are carried together; fewer one by one."""
MOST_TIES_ADDED = 65_535
"""Most ties of a resident whose participants a single lane can count in 16 bits."""
MARK_16, MARK_32 = -(2**14), -(2**30)
"""What marks those who have been told, in counts of tellers of 16 and of 32 bits."""
MOST_LISTED = 2**24
"""How many ids a list of those who were told is made for, unless a community is larger."""
NOBODY = np.empty(0, np.uint32)
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

    @cached_property
    def division(self) -> tuple[a.Float64, a.UInt8]:
        """What the numerator is multiplied with or divided by, and where it is divided."""
        ties = self.ties
        divide = ties.general if not ties.divide else np.ones_like(ties.general)
        by_kind = ties.denominator[ties.kind], ties.reciprocal[ties.kind]
        return np.where(divide > 0, *by_kind), divide

    @cached_property
    def small_least(self) -> a.Int32:
        """Least numerators in 32 bits; those that nobody reaches or everybody exceeds are cut."""
        return np.clip(self.least, -LARGEST_NUMERATOR, LARGEST_NUMERATOR).astype(np.int32)


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

    def of(self, which: int) -> a.UInt32:
        """Return the ids of a set.

        Parameters
        ----------
        which : its number.
        """
        return self.ids[self.start[which] : self.start[which + 1]]


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
class Lanes:
    """Lanes of a shortcut: the parameters, the luck and the set of first participants of each.

    behaviours : the different parameters of the rules. which : (lanes,) place of those of each lane.
    luck : (lanes,) number of the stream of luck. seeds : (lanes,) number of the set of first participants.
    """

    behaviours: tuple[BehaviourSpec, ...]
    which: a.Int64
    luck: a.UInt32
    seeds: a.Int64

    def __len__(self) -> int:
        return self.luck.size

    def part(self, places: slice | a.Int64) -> Lanes:
        """Return some of the lanes.

        Parameters
        ----------
        places : which.
        """
        return Lanes(self.behaviours, self.which[places], self.luck[places], self.seeds[places])


def run_lanes(
    kind: Shortcut,
    scenario: Scenario,
    community: Community,
    network: Network,
    seeds: Seeds,
    lanes: Lanes,
    *,
    listed: bool = True,
) -> Course:
    """Carry all weeks of some lanes on one community.

    Parameters
    ----------
    kind : which shortcut.
    scenario : the resolved scenario; the parameters of the rules are those of the lanes.
    community, network : the built community and its network.
    seeds : sets of first participants.
    lanes : what to run; lanes differ in luck, first participants and what FREE names.
    listed : whether somebody will ask who takes part at the end; if not, the lists may be empty.
    """
    if kind is Shortcut.FRONTIER:
        return _frontier(scenario, community, network, seeds, lanes)
    if kind is Shortcut.CASCADE:
        return _cascade(scenario, community, network, seeds, lanes)
    return _dense(scenario, community, network, seeds, lanes, listed)


def _weeks(scenario: Scenario) -> tuple[int, int, int]:
    """First week, number of recorded weeks, last funded week."""
    campaign = scenario.campaign
    end = campaign.horizon_weeks - 1
    return -campaign.burn_in_weeks, campaign.horizon_weeks, min(campaign.funding_ends_week - 1, end)


def _for_good(participating: a.Int64, funding_end: int) -> a.Int64:
    """Participants at funding end, none of whom ever leaves."""
    return np.repeat(participating[:, funding_end].sum(axis=1)[:, None], 3, axis=1)


def _frontier(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Lanes
) -> Course:
    """Run every set of first participants once: luck decides nothing."""
    first, n_weeks, funding_end = _weeks(scenario)
    ties = network.ties
    needed = network.small_least
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
    of_lane = lanes.seeds
    if np.array_equal(of_lane, np.arange(n_sets)):
        participating = counts[:, -n_weeks:]
        ids = ids[: start[-1]].copy()
    else:
        participating = counts[of_lane, -n_weeks:]
        ids = np.concatenate([ids[start[s] : start[s + 1]] for s in of_lane])
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(start)[of_lane])])
    return Course(participating, ids, start, _for_good(participating, funding_end))


def _cascade(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Lanes
) -> Course:
    """Run cascades, enlarging the list of those who were told as needed."""
    first, n_weeks, funding_end = _weeks(scenario)
    n = community.n_residents
    log_tell, log_media, window = _telling(scenario, lanes)
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
                lanes.luck[done:],
                lanes.seeds[done:],
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
                lanes.luck[done:],
                lanes.seeds[done:],
                *key_and_weeks,
                *told,
            )
        start[done : done + more + 1] = start[done] + part_start[: more + 1]
        parts.append(ids[: part_start[more]])
        done += more
    participating = counts[:, -n_weeks:]
    everybody = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return Course(participating, everybody, start, _for_good(participating, funding_end))


def _telling(scenario: Scenario, lanes: Lanes) -> tuple[a.Float32, np.float32, int]:
    """(lanes,) log2(1 - c_P), the log of no background media, and the exposure window."""
    interval = scenario.campaign.decision_interval_weeks
    rules = [build_rules(b, scenario.community, 1, decision_interval=interval) for b in lanes.behaviours]
    log_tell = np.array([r.singles[a.LOG_TELL_PARTICIPANT, 0] for r in rules], np.float32)
    log_media = np.float32(rules[0].by_group[a.LOG_BACKGROUND, 0, 0])
    return log_tell[lanes.which], log_media, rules[0].exposure_window


@dataclass(frozen=True, eq=False)
class _Decisions:
    """Parameters of dense lanes: singles (5, lanes), visibility (lanes,), readiness (G, lanes), the modes."""

    singles: a.Float32
    visibility: a.Float64
    readiness: a.Float32
    decision: int
    irreversible: int

    def part(self, places: slice | a.Int64) -> _Decisions:
        """Those of some lanes, rows without gaps."""
        return _Decisions(
            np.ascontiguousarray(self.singles[:, places]),
            self.visibility[places],
            np.ascontiguousarray(self.readiness[:, places]),
            self.decision,
            self.irreversible,
        )


def _decisions(scenario: Scenario, lanes: Lanes) -> _Decisions:
    """Collect what lanes decide by; what FREE does not name is the same in all (`rules.build_rules`)."""
    several = lanes.behaviours
    interval = scenario.campaign.decision_interval_weeks
    rules = build_rules(several[0], scenario.community, 1, decision_interval=interval)
    visibility = np.array([b.visibility for b in several])
    reconsider = np.array([b.reconsider for b in several])
    singles = np.empty((N_PARAMETERS, len(several)), np.float32)
    singles[NOT_VISIBLE] = 1.0 - visibility
    singles[SOCIAL] = [b.social_weight for b in several]
    singles[STEEP] = [LOG2_E / b.noise if b.noise > 0 else 0.0 for b in several]
    singles[KEEPS] = 1.0 - reconsider
    singles[RECONSIDERS] = reconsider
    readiness = (0.0 - 1.0 * rules.by_group[a.BARRIER]).astype(np.float32)
    return _Decisions(
        singles[:, lanes.which],
        visibility[lanes.which],
        np.repeat(readiness, len(lanes), axis=1),
        rules.decision,
        rules.irreversible,
    )


def _dense(
    scenario: Scenario, community: Community, network: Network, seeds: Seeds, lanes: Lanes, listed: bool
) -> Course:
    """Decide every week, lane by lane or 64 lanes at a time."""
    decides = _decisions(scenario, lanes)
    run, width = (_one, 1) if len(lanes) < MANY else (_many, SLOTS)
    parts = [slice(k, k + width) for k in range(0, len(lanes), width)]
    return join_courses(
        [
            run(scenario, community, network, seeds, lanes.part(part), decides.part(part), listed)
            for part in parts
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


def _one(
    scenario: Scenario,
    community: Community,
    network: Network,
    seeds: Seeds,
    lane: Lanes,
    decides: _Decisions,
    listed: bool,
) -> Course:
    """Run one dense lane."""
    first, n_weeks, funding_end = _weeks(scenario)
    n = community.n_residents
    factor, divide = network.division
    taking_part = np.zeros(n + SLOTS - 1, np.uint8)
    taking_part[seeds.of(lane.seeds[0])] = 1
    marked = np.zeros((2, n), np.uint8)
    counts = np.zeros((n_weeks, len(community.group_names)), np.int64)
    decide_one(
        network.reach_start,
        network.reached,
        factor,
        divide,
        network.ties.scale,
        network.small_least,
        community.threshold,
        decides.readiness[community.group, 0],
        community.group,
        decides.singles[:, 0].copy(),
        float(decides.visibility[0]),
        decides.decision,
        decides.irreversible,
        int(lane.luck[0]),
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
    stayed = [
        np.count_nonzero(marked[0]),
        np.count_nonzero(marked[0] & end),
        np.count_nonzero(marked[1] & end),
    ]
    ids = np.flatnonzero(end).astype(np.uint32) if listed else NOBODY
    return Course(counts[None], ids, np.array([0, ids.size]), np.array([stayed]))


def _many(
    scenario: Scenario,
    community: Community,
    network: Network,
    seeds: Seeds,
    lanes: Lanes,
    decides: _Decisions,
    listed: bool,
) -> Course:
    """Run up to 64 dense lanes together; what is missing is filled with the last one."""
    first, n_weeks, funding_end = _weeks(scenario)
    n, n_lanes = community.n_residents, len(lanes)
    if n_lanes < SLOTS:
        filled = np.minimum(np.arange(SLOTS), n_lanes - 1)
        lanes, decides = lanes.part(filled), decides.part(filled)
    factor, divide = network.division
    lucks, luck_of = np.unique(lanes.luck, return_inverse=True)
    while SLOTS % lucks.size:
        lucks = np.append(lucks, lucks[-1])
    taking_part = np.zeros((2, n, STRIP), np.uint32)
    place, one = _place_of_lanes()
    for which in np.unique(lanes.seeds):
        among = lanes.seeds == which
        start = np.zeros(STRIP, np.uint32)
        np.bitwise_or.at(start, place[among], one[among])
        taking_part[0, seeds.of(which)] |= start
    stayed = np.zeros((SLOTS, 3), np.int64)
    counts = np.zeros((n_weeks, SLOTS, len(community.group_names)), np.int64)
    decide_many(
        network.ties.row_start,
        network.ties.neighbours,
        factor,
        divide,
        network.ties.scale,
        network.small_least,
        community.threshold,
        decides.readiness,
        community.group,
        decides.singles,
        decides.visibility,
        decides.decision,
        decides.irreversible,
        lucks,
        luck_of.astype(np.int64),
        scenario.seed,
        community.number,
        first,
        n_weeks - first,
        funding_end,
        taking_part.reshape(2, n * STRIP),
        stayed,
        counts,
    )
    ids, start_of = NOBODY, np.zeros(n_lanes + 1, np.int64)
    if listed:
        words = np.ascontiguousarray(taking_part[(n_weeks - first) % 2].T)
        found = [
            np.flatnonzero(words[place[lane]] & one[lane] != 0).astype(np.uint32) for lane in range(n_lanes)
        ]
        ids, start_of = np.concatenate(found), np.cumsum([0, *(some.size for some in found)])
    return Course(np.moveaxis(counts, 1, 0)[:n_lanes], ids, start_of, stayed[:n_lanes])


def _place_of_lanes() -> tuple[a.Int64, a.UInt32]:
    """(64,) the word of each lane in `decide_many`, and the bit that says whether somebody takes part."""
    slots = np.arange(SLOTS)
    return slots % STRIP, np.uint32(1) << (slots // STRIP * 8).astype(np.uint32)
