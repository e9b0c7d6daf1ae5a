"""What a network looks like in a few numbers, and how much memory a community takes."""

from __future__ import annotations

from math import ceil

import numpy as np

from mobsim.community.community import Community, CommunitySpec
from mobsim.community.network import Complete, EdgeList, FromFiles, Lattice, ScaleFree, WellMixed
from mobsim.kernels.graph import triads

BYTES_PER_RESIDENT = 55
"""One entry of every array of `Community` that has one entry a resident, and the row of least counts."""

BYTES_PER_TIE_END = 4
BYTES_PER_WRITTEN_TIE_END = 20
"""Neighbour, weight and transmission."""

MOST_ENDS_READ = 200_000_000
"""Transitivity of larger networks is measured on every n-th resident, which takes about a second at most."""


def network_facts(community: Community) -> dict[str, float]:
    """Measure a network, for reports.

    Parameters
    ----------
    community : a built community.

    Returns
    -------
    dict
        mean_degree and sd_degree: ties a resident; transitivity: share of pairs of a resident's ties that
        are tied to each other (every n-th resident of large networks); friend_degree_ratio: mean over
        residents with ties of the mean degree of their ties, divided by the mean degree of these residents;
        same_group_share: share of ties within a group; isolate_share: share of residents without ties. What
        is undefined is nan.
    """
    degree = community.degree
    tied = degree > 0
    if not tied.any():
        return {
            "mean_degree": 0.0,
            "sd_degree": 0.0,
            "transitivity": float("nan"),
            "friend_degree_ratio": float("nan"),
            "same_group_share": float("nan"),
            "isolate_share": 1.0,
        }
    closed, pairs = triads(community.row_start, community.neighbours, MOST_ENDS_READ)
    friends = np.add.reduceat(degree[community.neighbours], community.row_start[:-1][tied])
    same = community.group[community.neighbours] == np.repeat(community.group, degree)
    return {
        "mean_degree": float(degree.mean()),
        "sd_degree": float(degree.std()),
        "transitivity": closed / pairs if pairs else float("nan"),
        "friend_degree_ratio": float((friends / degree[tied]).mean() / degree[tied].mean()),
        "same_group_share": float(same.mean()),
        "isolate_share": float(1.0 - tied.mean()),
    }


def expected_tie_ends(spec: CommunitySpec) -> float:
    """Return about how many tie ends a community has; for files, which are not read, ten a resident."""
    network, n = spec.network, spec.residents
    if isinstance(network, WellMixed):
        return 0.0
    if isinstance(network, EdgeList):
        return len(network.ties) * (1.0 if network.directed else 2.0)
    if isinstance(network, FromFiles):
        return 10.0 * n
    if isinstance(network, Complete):
        return float(n) * (n - 1)
    if isinstance(network, ScaleFree):
        return 2.0 * network.ties_each * n
    if isinstance(network, Lattice):
        side = 2 * network.radius + 1
        cells = side * side if network.neighbourhood == "moore" else (side * side + 1) // 2
        return float(cells - 1) * n
    return float(network.degree) * n


def estimate_memory(spec: CommunitySpec) -> int:
    """Return about how many bytes the arrays of a community take.

    While a community is built, its ties take about four times as much for a moment.

    Parameters
    ----------
    spec : the declared world.

    Examples
    --------
    >>> from mobsim.community.network import WellMixed
    >>> from mobsim.community.population import GroupSpec
    >>> everybody = {"all": GroupSpec(share=1.0)}
    >>> world = CommunitySpec(groups=everybody, network=WellMixed(kind="well_mixed"), organizations=())
    >>> estimate_memory(world)
    55000
    """
    written = isinstance(spec.network, EdgeList | FromFiles)
    per_end = BYTES_PER_WRITTEN_TIE_END if written else BYTES_PER_TIE_END
    # Leaders' ties come on top of the degree of most kinds.
    more = 1.0 + 2.0 * spec.leaders.share * (spec.leaders.tie_factor - 1.0)
    return spec.residents * BYTES_PER_RESIDENT + ceil(expected_tie_ends(spec) * more) * per_end
