"""What a network looks like in a few numbers."""

from __future__ import annotations

import numpy as np

from mobsim.community.community import Community
from mobsim.kernels.graph import count_alike, sums_of_rows, triads

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
    unweighted = np.empty(0, np.int64)
    friends = sums_of_rows(community.row_start, community.neighbours, degree, unweighted)[tied]
    same = count_alike(community.row_start, community.neighbours, community.group)
    return {
        "mean_degree": float(degree.mean()),
        "sd_degree": float(degree.std()),
        "transitivity": closed / pairs if pairs else float("nan"),
        "friend_degree_ratio": float((friends / degree[tied]).mean() / degree[tied].mean()),
        "same_group_share": int(same) / community.n_ties,
        "isolate_share": float(1.0 - tied.mean()),
    }
