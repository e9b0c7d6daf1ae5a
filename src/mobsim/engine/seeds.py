"""Choosing first participants by a rule, for runs that are started from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from mobsim.community.community import Community
from mobsim.community.exact import draw_words, in_order
from mobsim.community.population import ChosenByRule
from mobsim.community.seeding import order_of_choice
from mobsim.engine.run import build
from mobsim.errors import UsageError, nearest
from mobsim.kernels import streams
from mobsim.scenario.cross_community import option_complaints, size_complaints
from mobsim.scenario.scenario import Scenario

RULES = ("random", "degree", "bridging", "distance", "single_discount", "degree_discount", "influence")
"""Rules that choose first participants."""


def choose_seeds(
    scenario: Scenario,
    number: int,
    *,
    rule: str = "influence",
    community: int | Community = 0,
    **options: Any,
) -> npt.NDArray[np.int64]:
    """Choose residents to start a spread from, such as `spread` takes them.

    Opposed leaders are not chosen: they never take part.

    Parameters
    ----------
    scenario : the resolved scenario.
    number : how many to choose.
    rule : `random`; `degree`, `bridging`, `distance`, `single_discount`, `degree_discount` or `influence`, as
        in targeting (docs/scenario_files.md).
    community : number of the community, from 0, or a community that was built of this scenario.
    **options : of the rule: `centrality` (bridging), `probability` (degree_discount, influence), `cascade`,
        `method`, `epsilon`, `simulations` (influence).

    Returns
    -------
    (number,) int64
        Ids in the order of choice, fewer if there are fewer residents to choose from. A rule that ranks takes
        the first by number among equals.

    Raises
    ------
    UsageError
        If the rule, an option or the number is not allowed.
    ScenarioError
        If the rule does not fit the community.

    Examples
    --------
    >>> from mobsim.scenario.resolve import resolve
    >>> star = {"kind": "ties", "ties": [[0, 3], [1, 3], [2, 3], [3, 4], [5, 6]]}
    >>> scenario = resolve(
    ...     {
    ...         "schema_version": 2,
    ...         "title": "A star and a pair",
    ...         "description": "Only an example.",
    ...         "preset": "bare",
    ...         "community": {"residents": 7, "network": star},
    ...     }
    ... )
    >>> choose_seeds(scenario, 2, rule="degree_discount", probability=0.5)
    array([3, 5])
    """
    if rule not in RULES:
        raise UsageError(f"rule: found {rule!r}; allowed are {', '.join(RULES)}{nearest(rule, RULES)}")
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
        raise UsageError(f"number: found {number!r}; allowed is a whole number from 0")
    if rule == "random" and options:
        raise UsageError(f"{next(iter(options))}: the rule random takes no options")
    who = None if rule == "random" else _checked(scenario, {"rule": rule, "number": int(number), **options})
    built = community if isinstance(community, Community) else build(scenario, community)
    may = built.leaning >= 0
    if who is None:
        ids = np.flatnonzero(may)
        words = draw_words(streams.PARTICIPATING, may.size, seed=built.seed, number=built.number)[0]
        return ids[in_order(words[ids])][:number]
    return order_of_choice(built, rule, who, may, who.number, who.centrality)


def _checked(scenario: Scenario, given: dict[str, Any]) -> ChosenByRule:
    """Return the rule with its options, or refuse them in one sentence."""
    names = tuple(name for name in ChosenByRule.model_fields if name not in ("rule", "number"))
    for name in given:
        if name not in ChosenByRule.model_fields:
            raise UsageError(
                f"{name}: no rule has such an option; allowed are {', '.join(names)}{nearest(name, names)}"
            )
    try:
        who = ChosenByRule.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{place}: found {first['input']!r}; {first['msg'][0].lower()}{first['msg'][1:]}"
        ) from error
    complaints = [
        *size_complaints(scenario, who.rule, who.centrality, ()),
        *option_complaints(who, who.rule, ()),
    ]
    for path, sentence in complaints:
        raise UsageError(f"{'.'.join(str(part) for part in path)}{sentence}")
    return who
