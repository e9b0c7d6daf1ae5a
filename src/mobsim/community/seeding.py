"""Who is chosen first by a rule: the order of choice, and scores that put those chosen first."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from mobsim.community.cascade import ONE_AFTER_ANOTHER, USUAL_PROBABILITY, CascadeOptions
from mobsim.community.community import Community
from mobsim.community.influence import maximize_influence, rows_outward, tie_weights
from mobsim.community.scores import network_scores
from mobsim.errors import ScenarioError
from mobsim.kernels.influence import discounted

Integers = npt.NDArray[np.int64]

_orders: WeakKeyDictionary[Community, dict[Any, Integers]] = WeakKeyDictionary()
"""Orders of choice that were worked out: a community has many arms and streams of luck."""


def order_of_choice(
    community: Community,
    rule: str,
    options: CascadeOptions,
    may: npt.NDArray[np.bool_],
    wanted: int,
    centrality: str = "neighbourhoods",
) -> Integers:
    """Return whom a rule chooses, in the order of choice; among equals the first by number.

    Parameters
    ----------
    community : people and ties.
    rule : `degree`, `bridging`, `distance`, `single_discount`, `degree_discount` or `influence`.
    options : of the rules that imagine a cascade.
    may : (n_residents,) who may be chosen.
    wanted : how many; fewer if fewer may be.
    centrality : of the rule bridging.

    Returns
    -------
    (K,) int64

    Raises
    ------
    ScenarioError
        If the community is well mixed, where everybody has the same place, or takes too much memory.
    """
    if community.well_mixed:
        raise ScenarioError(
            f"rule {rule}: in a well-mixed community everybody has the same place; allowed: a network "
            "with ties"
        )
    wanted = min(wanted, int(np.count_nonzero(may)))
    if wanted == 0:
        return np.empty(0, np.int64)
    if rule not in ONE_AFTER_ANOTHER:
        scores = network_scores(community, rule, centrality)
        ids = np.flatnonzero(may)
        return ids[np.lexsort((ids, -scores[ids]))][:wanted]
    key = (rule, wanted, may.tobytes(), *(getattr(options, name) for name in CascadeOptions.model_fields))
    known = _orders.setdefault(community, {})
    if key not in known:
        known[key] = _one_after_another(community, rule, options, may, wanted)
    return known[key].copy()


def choice_scores(
    community: Community, rule: str, options: CascadeOptions, may: npt.NDArray[np.bool_], wanted: int
) -> Integers:
    """Return scores that put those whom a rule chooses one after another first, in this order.

    Parameters
    ----------
    community, rule, options, may, wanted : as for `order_of_choice`.

    Returns
    -------
    (n_residents,) int64
        How many are chosen, for the first; one less for each one after; 0 for everybody else, and for
        everybody in a well-mixed community.
    """
    scores = np.zeros(community.n_residents, np.int64)
    if not community.well_mixed:
        people = order_of_choice(community, rule, options, may, wanted)
        scores[people] = people.size - np.arange(people.size)
    return scores


def _one_after_another(
    community: Community, rule: str, options: CascadeOptions, may: npt.NDArray[np.bool_], wanted: int
) -> Integers:
    if rule == "influence":
        return maximize_influence(community, options, may, wanted).people
    chance = -1.0
    if rule == "degree_discount":
        chance = USUAL_PROBABILITY if options.probability is None else options.probability
    row_start = np.array(community.row_start, np.int64)
    neighbours = np.array(community.neighbours, np.uint32)
    outward = rows_outward(row_start, neighbours)
    people = np.empty(wanted, np.int64)
    discounted(
        row_start,
        neighbours,
        tie_weights(community),
        *outward,
        chance,
        may.astype(np.uint8),
        wanted,
        people,
    )
    return people
