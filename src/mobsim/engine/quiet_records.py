"""Records of runs that took a shortcut: the same arrays as those of a block of the week kernel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mobsim.community.behaviour import BehaviourSpec
from mobsim.community.community import Community
from mobsim.engine.block_records import BlockRecords, mean_weeks, nothing
from mobsim.engine.records import AWARE, CAPABILITY, PARTICIPATING, TRUST, UNCONTACTED, UNIT, Run
from mobsim.engine.shortcuts import Lanes, Network, Shortcut, run_lanes, seeds_of
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
    first_participants = seeds_of([np.flatnonzero(community.participating)])
    n_lanes = len(luck) * len(behaviours)
    lanes = Lanes(
        behaviours=tuple(behaviours.values()),
        which=np.tile(np.arange(len(behaviours)), len(luck)),
        luck=np.repeat(np.array(luck, np.uint32), len(behaviours)),
        seeds=np.zeros(n_lanes, np.int64),
    )
    course = run_lanes(kind, scenario, community, network, first_participants, lanes, listed=False)
    sizes = np.bincount(community.group, minlength=len(community.group_names)).astype(np.int64)
    participating = np.tile(course.participating, (len(arms), 1, 1))
    n_runs, n_weeks, n_groups = participating.shape
    counts = np.zeros((n_runs, n_weeks, n_groups, a.N_COUNTS), np.int64)
    counts[..., AWARE] = participating if kind is Shortcut.CASCADE else sizes
    counts[..., PARTICIPATING] = participating
    counts[..., UNCONTACTED] = participating
    n_means = len(mean_weeks(scenario))
    no_organization = nothing((n_runs, n_means, 0), np.float64)
    return BlockRecords(
        lanes=tuple(
            Run(arm, community.number, k, point) for arm in arms for k in luck for point in behaviours
        ),
        group_sizes=np.tile(sizes, (n_runs, 1)),
        leaders=nothing((n_runs,)),
        counts=counts,
        results=nothing((n_runs, n_weeks), np.float64),
        wins=nothing((n_runs, n_weeks)),
        coalition=nothing((n_runs, n_weeks), np.float64),
        stances=nothing((n_runs, n_weeks, 2)),
        contacts=nothing((n_runs, n_weeks)),
        income=nothing((n_runs, n_weeks)),
        units=nothing((n_runs, n_weeks, 1)),
        cents=nothing((n_runs, n_weeks, 1)),
        local=nothing((n_runs, n_weeks, 1)),
        reached=nothing((n_runs, n_weeks, 1, n_groups)),
        sums=np.broadcast_to(_means_at_rest(community), (n_runs, n_means, n_groups, N_MEASURES)),
        interest=no_organization,
        capacity=no_organization,
        member=no_organization,
        resources=no_organization,
        at_funding_end=np.tile(course.stayed, (len(arms), 1)),
        organizers_at_funding_end=nothing((n_runs, 2)),
        unspent_cents=nothing((n_runs,)),
        local_left_cents=nothing((n_runs,)),
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
