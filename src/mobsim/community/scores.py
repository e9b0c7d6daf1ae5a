"""Scores by which targeting rules rank residents: their place in the network, as whole numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mobsim.community.community import Community
from mobsim.errors import UsageError, nearest
from mobsim.kernels.graph import betweenness, distinct_neighbourhoods

RANKED = ("degree", "bridging", "distance")
"""Rules that rank residents by their place in the network."""

CENTRALITIES = ("neighbourhoods", "betweenness")
"""How the rule bridging measures bridges."""

STEPS = 1024
"""Betweenness is rounded to whole numbers of 1/STEPS, so that a sum's last bits cannot decide a rank."""


def network_scores(
    community: Community, rule: str, centrality: str = "neighbourhoods"
) -> npt.NDArray[np.int64]:
    """Return the scores of all residents under a rule; the largest are targeted first.

    Parameters
    ----------
    community : the built community.
    rule : `degree`, the number of ties; `bridging`, by the centrality; or `distance`, how near somebody is to
        everybody along influence, where who is not reached counts as n_residents away.
    centrality : `neighbourhoods`, the number of distinct neighbourhoods among one's ties; or `betweenness`,
        the number of pairs of others between whom one lies on a shortest path (Freeman 1977; Brandes 2001).

    Returns
    -------
    (n_residents,) int64
        All 0 in a well-mixed community, where everybody has the same place. Betweenness is counted over
        ordered pairs and halved, so that in an undirected network each pair counts once; it is the usual
        count without normalization, times 1024, rounded half up. In a directed network a path runs along the
        direction of influence, and a pair counts one half for each of its two directions. Of distances it is
        the sum with a minus.

    Raises
    ------
    UsageError : if the rule or the centrality does not exist.

    Examples
    --------
    >>> from mobsim.community.build import build_community
    >>> from mobsim.scenario.resolve import resolve
    >>> scenario = resolve({"schema_version": 2, "title": "A village", "description": "Only an example."})
    >>> village = build_community(scenario.community, scenario.behaviour, seed=1, number=0)
    >>> int(network_scores(village, "degree").sum()) == village.n_ties
    True
    """
    if rule not in RANKED:
        raise UsageError(f"rule: found {rule!r}; allowed are {', '.join(RANKED)}{nearest(rule, RANKED)}")
    if centrality not in CENTRALITIES:
        raise UsageError(
            f"centrality: found {centrality!r}; allowed are {' and '.join(CENTRALITIES)}"
            f"{nearest(centrality, CENTRALITIES)}"
        )
    scores: npt.NDArray[np.int64]
    if community.well_mixed:
        scores = np.zeros(community.n_residents, np.int64)
    elif rule == "degree":
        scores = community.degree.astype(np.int64)
    elif rule == "distance":
        from mobsim.kernels.influence import sums_of_distances  # few scenarios need it

        scores = -sums_of_distances(
            np.array(community.row_start, np.int64), np.array(community.neighbours, np.uint32)
        )
    elif centrality == "neighbourhoods":
        scores = distinct_neighbourhoods(community.row_start, community.neighbours, community.neighbourhood)
    else:
        between = betweenness(community.row_start, community.neighbours)
        scores = np.floor(between * STEPS + 0.5).astype(np.int64)
    return scores
