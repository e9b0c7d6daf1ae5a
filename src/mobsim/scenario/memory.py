"""How much memory a scenario will take, said before any is taken."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath

from mobsim.campaign.activity import EQUITY, ArmSpec
from mobsim.community.cascade import ONE_AFTER_ANOTHER
from mobsim.community.network import Complete, EdgeList, FromFiles, Lattice, ScaleFree, WellMixed
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.scenario import Scenario

LANES_AT_ONCE = 64
BYTES_A_RESIDENT = 64
"""Who a resident is and how he starts, and where his ties stand: 40 that all lanes share; and room for what
is worked out on the way, as measured.
"""

BYTES_A_TIE_END = 4
"""The number of the resident at the other end."""

BYTES_A_RESIDENT_AND_LANE = 38
"""State of a resident: words 8, reals 24, the week of being told 4, flags 1, roles 1."""

BYTES_OF_LAST = 1
"""A resident's last activity, remembered in a lane only if some arm asks."""

BYTES_OF_A_CANDIDATE = 4
"""A candidate in the list of those among whom a line chooses."""

BYTES_OF_A_RANK = 8
"""A resident's score, by which a rule ranks."""

BYTES_OF_AN_ORDER = 8
"""A candidate in the order in which a line takes residents this week: number and word."""

BYTES_OF_COMING = 4
"""The word that decides whether a resident comes this week."""

BYTES_OF_A_NAME = 4
"""The word by which a resident names another, kept in every order of a week if some arm aims at nominees."""

BYTES_OF_A_CHOICE = 4
"""A resident in the list of those chosen this week."""

BYTES_OF_A_KEPT_ORDER = 4
"""A resident in the order that a line keeps, lane by lane, if it ranks residents or goes round."""

BYTES_A_LEADER_AND_LANE = 5
"""Stance, and the week of the last engagement."""

BYTES_AN_ORGANIZATION_AND_LANE = 29
"""Membership, interest, capacity, resources, and the week of the last engagement."""

BYTES_OF_A_COUNT = 8
COUNTS_A_WEEK_AND_LANE = 7
COUNTS_A_LINE = 3
COUNTS_A_GROUP = 5
"""Records of a week in a lane: of the whole, of every line (and group), of every group."""

BYTES_A_RESIDENT_BUILT = 45
BYTES_A_TIE_END_BUILT = 20
BYTES_A_HOUSEHOLD_TIE_END_BUILT = 9
"""While a community is built its ties stand in memory more than once; those of households hardly ever."""

IN_ORDER = ("attempts", "seats", "all_come", "broadcast")
"""Deliveries that draw the residents among whom they choose anew every week."""

WITHOUT_ORDER = ("random", "leaders", "nominated", "affected", "non_participants")
"""Rules that keep no order from week to week."""

USABLE_SHARE = 0.75


def memory_complaints(scenario: Scenario) -> Iterator[Complaint]:
    """Return a complaint if a scenario cannot run in this machine's memory.

    Parameters
    ----------
    scenario : the resolved form.
    """
    need, free = estimated_bytes(scenario), available_bytes()
    if free is not None and need > USABLE_SHARE * free:
        residents, allowed = scenario.community.residents, USABLE_SHARE * free
        yield (
            ("community", "residents"),
            f" is {residents:,}, which needs about {_gibibytes(need)} of memory; allowed: at most "
            f"{_gibibytes(allowed)} "
            f"(three quarters of what is free here), so about {int(residents * allowed / need):,} residents",
        )


def estimated_bytes(scenario: Scenario, n_arms: int | None = None, n_luck: int | None = None) -> int:
    """Return about how many bytes one block of runs takes at its peak, beside the program itself.

    Parameters
    ----------
    scenario : the resolved scenario.
    n_arms, n_luck : how many arms and streams of luck are run; none: those of the scenario.
    """
    of_arms = max(1, len(scenario.arms) if n_arms is None else n_arms)
    of_luck = scenario.replicates.luck if n_luck is None else n_luck
    arms = min(LANES_AT_ONCE, of_arms)
    lucks = min(max(1, LANES_AT_ONCE // of_arms), of_luck)
    return max(_bytes_to_build(scenario), bytes_to_run(scenario, arms, lucks))


def blocks_that_fit(scenario: Scenario, n_arms: int | None = None, n_luck: int | None = None) -> int:
    """Return how many blocks of runs, each on a community of its own, fit in what is free; at least one.

    Where the system does not say what is free, as many as anybody asks for.

    Parameters
    ----------
    scenario : the resolved scenario.
    n_arms, n_luck : how many arms and streams of luck are run; none: those of the scenario.
    """
    free = available_bytes()
    if free is None:
        return sys.maxsize
    return max(1, int(USABLE_SHARE * free // max(1, estimated_bytes(scenario, n_arms, n_luck))))


def _bytes_to_build(scenario: Scenario) -> int:
    at_once = scenario.community.network.kind == "households"
    a_tie_end = BYTES_A_HOUSEHOLD_TIE_END_BUILT if at_once else BYTES_A_TIE_END_BUILT
    return int(scenario.community.residents * (BYTES_A_RESIDENT_BUILT + a_tie_end * tie_ends(scenario)))


def bytes_to_run(scenario: Scenario, n_arms: int, n_lucks: int) -> int:
    """Return about how many bytes a block takes when it leaves burn-in, community included.

    Parameters
    ----------
    scenario : the resolved scenario.
    n_arms, n_lucks : the lanes of the block; of fewer arms than all, the costliest count.
    """
    world, lanes = scenario.community, n_arms * n_lucks
    arms = sorted(scenario.arms.values(), key=lambda arm: len(arm.activities))[-n_arms:]
    asks = any(arm.survey is not None for arm in arms)
    a_lane = BYTES_A_RESIDENT_AND_LANE + BYTES_OF_LAST * asks
    of_arms = (BYTES_A_LEADER_AND_LANE * world.leaders.share) + BYTES_OF_A_KEPT_ORDER * max(
        (_kept_orders(scenario, arm) for arm in arms), default=0.0
    )
    before = n_lucks if n_arms > 1 else 0  # the state after burn-in, until every arm has its copy
    a_resident = (
        BYTES_A_RESIDENT
        + BYTES_A_TIE_END * tie_ends(scenario)
        + a_lane * (lanes + before)
        + of_arms * lanes
        + _of_targets(scenario, arms)
    )
    lines = max((len(arm.activities) for arm in arms), default=0)
    groups = len(world.groups)
    a_week = COUNTS_A_WEEK_AND_LANE + COUNTS_A_GROUP * groups + (COUNTS_A_LINE + groups) * lines
    records = BYTES_OF_A_COUNT * a_week * scenario.campaign.horizon_weeks * lanes
    organizations = BYTES_AN_ORGANIZATION_AND_LANE * len(world.organizations) * lanes
    return int(world.residents * a_resident) + records + organizations


def _of_targets(scenario: Scenario, arms: Sequence[ArmSpec]) -> float:
    """Return the bytes a resident of candidates, their ranks and the orders of a week: lanes share them."""
    world = scenario.community
    candidates: dict[object, float] = {}
    ranks: set[object] = set()
    orders: dict[object, float] = {}
    named = False
    for arm in arms:
        kinds: Counter[str] = Counter()
        for use in arm.activities:
            activity = scenario.activities[use.kind]
            target = use.target or activity.target
            named |= target.rule == "nominated"
            only_leaders = activity.leaders_only or target.rule == "leaders"
            share = world.leaders.share if only_leaders and target.rule != "nominated" else 1.0
            pools = [(only_leaders, target.group, target.rule in ("affected", "nominated"))]
            candidates[pools[0]] = share
            if arm.policy == EQUITY and target.group is None:
                pools += [(only_leaders, group, False) for group in world.groups]
                candidates |= {pool: share / len(world.groups) for pool in pools[1:]}
            if target.rule not in (*WITHOUT_ORDER, "cycle", "clustered"):
                among = (pools[0], target.fraction) if target.rule in ONE_AFTER_ANOTHER else ()
                ranks.add((*among, *target.ranking()))
            if activity.delivery in IN_ORDER and target.rule != "cycle":
                of_its_own = target.rule not in WITHOUT_ORDER
                for pool in pools:
                    key = (use.kind, kinds[use.kind], pool, of_its_own) if len(arms) > 1 else None
                    orders[key] = share
            kinds[use.kind] += 1
    a_place = BYTES_OF_AN_ORDER + BYTES_OF_A_NAME * named
    of_orders = a_place * max(orders.values(), default=0.0) + BYTES_OF_COMING
    return (
        BYTES_OF_A_CANDIDATE * sum(candidates.values())
        + BYTES_OF_A_RANK * len(ranks)
        + of_orders * len(orders)
        + (BYTES_OF_A_CHOICE if candidates else 0)
    )


def _kept_orders(scenario: Scenario, arm: ArmSpec) -> float:
    """Return of how many residents, as a share of all, an arm keeps the order."""
    leaders = scenario.community.leaders.share
    shares = 0.0
    for use in arm.activities:
        activity = scenario.activities[use.kind]
        if (use.target or activity.target).rule not in WITHOUT_ORDER:
            shares += leaders if activity.leaders_only else 1.0
    return shares


def tie_ends(scenario: Scenario) -> float:
    """Return about how many ties a resident has, in the mean."""
    network, residents = scenario.community.network, scenario.community.residents
    if isinstance(network, WellMixed):
        return 0.0
    if isinstance(network, Complete):
        return float(residents - 1)
    if isinstance(network, ScaleFree):
        return 2.0 * network.ties_each
    if isinstance(network, Lattice):
        return float((2 * network.radius + 1) ** 2)
    if isinstance(network, EdgeList):
        return 2.0 * len(network.ties) / residents
    if isinstance(network, FromFiles):
        return 20.0
    return float(network.degree)


def available_bytes() -> int | None:
    """Return how much memory is free on this machine, or None if the system does not say."""
    meminfo = FilePath("/proc/meminfo")
    try:
        if meminfo.exists():
            for line in meminfo.read_text().splitlines():
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        if sys.platform == "win32":
            return _windows_bytes()
        pages: int = os.sysconf("SC_PHYS_PAGES")
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError, IndexError):
        return None


def _windows_bytes() -> int | None:  # pragma: no cover
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *(
                (name, ctypes.c_ulonglong)
                for name in ("total", "free", "page", "page_free", "virtual", "virtual_free", "extended")
            ),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    windows = getattr(ctypes, "windll", None)
    if windows is None or not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)


def _gibibytes(size: float) -> str:
    return f"{size / 2**30:,.1f} GiB"
