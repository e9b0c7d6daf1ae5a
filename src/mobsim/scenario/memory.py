"""How much memory a scenario will take, said before any is taken."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath

from mobsim.campaign.activity import ArmSpec
from mobsim.community.network import Complete, EdgeList, FromFiles, Lattice, ScaleFree, WellMixed
from mobsim.scenario.cross_community import Complaint
from mobsim.scenario.scenario import Scenario

LANES_AT_ONCE = 64
BYTES_A_RESIDENT = 150
BYTES_A_RESIDENT_AND_LANE = 41
"""State of a resident: words 8, reals 24, the week of being told 4, flags 1, roles 1, some scratch."""

BYTES_OF_LAST = 1
"""A resident's last activity, remembered in a lane only if some arm asks."""

BYTES_OF_AN_ORDER = 4
"""A resident in the order that a line keeps, lane by lane, if it ranks residents or goes round."""

BYTES_A_LEADER_AND_LANE = 5
"""Stance, and the week of the last engagement."""

BYTES_AN_ORGANIZATION_AND_LANE = 29
"""Membership, interest, capacity, resources, and the week of the last engagement."""

WITHOUT_ORDER = ("random", "leaders", "nominated", "affected", "non_participants")
"""Rules that keep no order from week to week."""

BYTES_A_TIE_END = 12
"""While a network is built its ties stand in memory about three times, four bytes each."""
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


def estimated_bytes(scenario: Scenario) -> int:
    """Return about how many bytes one block of runs needs at its peak."""
    lanes = min(LANES_AT_ONCE, len(scenario.arms) * scenario.replicates.luck)
    residents = scenario.community.residents
    a_resident = (
        BYTES_A_RESIDENT + _a_resident_and_lane(scenario) * lanes + BYTES_A_TIE_END * tie_ends(scenario)
    )
    organizations = len(scenario.community.organizations)
    return int(residents * a_resident) + BYTES_AN_ORGANIZATION_AND_LANE * organizations * lanes


def _a_resident_and_lane(scenario: Scenario) -> float:
    arms = scenario.arms.values()
    asks = any(arm.survey is not None for arm in arms)
    leaders = scenario.community.leaders.share
    orders = BYTES_OF_AN_ORDER * max(_kept_orders(scenario, arm) for arm in arms)
    return BYTES_A_RESIDENT_AND_LANE + BYTES_OF_LAST * asks + BYTES_A_LEADER_AND_LANE * leaders + orders


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
