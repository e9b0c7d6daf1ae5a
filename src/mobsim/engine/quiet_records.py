"""Records of runs that took a shortcut: the same arrays as those of a block of the week kernel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mobsim.community.behaviour import BehaviourSpec
from mobsim.community.community import Community
from mobsim.engine.block_records import BlockRecords, mean_weeks
from mobsim.engine.records import AWARE, CAPABILITY, PARTICIPATING, TRUST, UNCONTACTED, UNIT, Run
from mobsim.engine.shortcuts import Lane, Network, Shortcut, run_lanes, seeds_of
from mobsim.kernels import arrays as a
from mobsim.kernels.dynamics import N_MEASURES
from mobsim.scenario.scenario import Scenario


def quiet_records(
    kind: Shortcut,
    scenario: Scenario,
    community: Community,
    network: Network,
    behaviours: Mapping[int, BehaviourSpec],
    arms: tuple[str, ...],
    luck: tuple[int, ...],
) -> BlockRecords:
    """Run all arms at all points with all lucks by a shortcut.

    Parameters
    ----------
    kind : which shortcut.
    scenario : the resolved scenario at one of the points.
    community, network : the built community and its network.
    behaviours : the parameters of the rules at each point, by its number.
    arms : names of arms, all without a campaign: what happens in one happens in all.
    luck : numbers of the streams of luck.
    """
    seeds = seeds_of([np.flatnonzero(community.participating)])
    keys = [(point, k) for k in luck for point in behaviours]
    course = run_lanes(
        kind, scenario, community, network, seeds, [Lane(behaviours[point], k, 0) for point, k in keys]
    )
    runs = tuple(Run(arm, community.number, k, point) for arm in arms for point, k in keys)
    sizes = np.bincount(community.group, minlength=len(community.group_names)).astype(np.int64)
    participating = np.tile(course.participating, (len(arms), 1, 1))
    n_runs, n_weeks, n_groups = participating.shape
    counts = np.zeros((n_runs, n_weeks, n_groups, a.N_COUNTS), np.int64)
    counts[..., AWARE] = participating if kind is Shortcut.CASCADE else sizes
    counts[..., PARTICIPATING] = participating
    counts[..., UNCONTACTED] = participating
    measured = mean_weeks(scenario)
    none = np.zeros((n_runs, n_weeks))
    nothing = np.zeros((n_runs, n_weeks, 1), np.int64)
    no_organization = np.zeros((n_runs, len(measured), 0))
    return BlockRecords(
        lanes=runs,
        group_sizes=np.tile(sizes, (n_runs, 1)),
        leaders=np.zeros(n_runs, np.int64),
        counts=counts,
        results=none,
        wins=none.astype(np.int64),
        coalition=none,
        stances=np.zeros((n_runs, n_weeks, 2), np.int64),
        contacts=none.astype(np.int64),
        income=none.astype(np.int64),
        units=nothing,
        cents=nothing,
        local=nothing,
        reached=np.zeros((n_runs, n_weeks, 1, n_groups), np.int64),
        sums=np.tile(_means_at_rest(community), (n_runs, len(measured), 1, 1)),
        interest=no_organization,
        capacity=no_organization,
        member=no_organization,
        resources=no_organization,
        at_funding_end=np.tile(course.stayed, (len(arms), 1)),
        organizers_at_funding_end=np.zeros((n_runs, 2), np.int64),
        unspent_cents=np.zeros(n_runs, np.int64),
        local_left_cents=np.zeros(n_runs, np.int64),
        surveys_asked=(),
    )


def _means_at_rest(community: Community) -> a.Int64:
    """(G, 6) sums of capability and trust, which never change; all others stay 0 (see `dynamics.measure`)."""
    sums = np.zeros((len(community.group_names), N_MEASURES), np.int64)
    for row, level in ((CAPABILITY, community.capability), (TRUST, community.trust)):
        whole = np.rint(level.astype(np.float64) * UNIT).astype(np.int64)
        for group in range(sums.shape[0]):
            sums[group, row] = whole[community.group == group].sum()
    return sums
