"""What every targeting rule keeps: one number a resident, the same every time, whoever has which number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mobsim.campaign.own import TARGETING, OwnRule, own_targeting_names, own_targeting_rule, registered
from mobsim.campaign.targeting import RULES
from mobsim.community.community import Community
from mobsim.community.scores import RANKED, network_scores
from mobsim.engine.run import build
from mobsim.errors import MobsimError, nearest
from mobsim.testing.worlds import check_money, check_repeatable, small_world

ON_TRIAL = "on_trial"
WORLDS: tuple[dict[str, Any], ...] = (
    {},
    {"network": {"kind": "well_mixed"}},
    {"network": {"kind": "erdos_renyi", "degree": 3}, "leaders": {"share": 0.0}},
    {"residents": 1, "leaders": {"share": 0.0}, "network": {"kind": "complete"}},
)
"""Ordinary people, people without ties, people of whom some are alone and none leads, and one person."""


def check_targeting(
    rule: str | Callable[[Community], npt.ArrayLike], *, ignores_numbers: bool = True
) -> None:
    """Check that a targeting rule keeps what mobsim promises its readers.

    1. It gives one finite number a resident, in every kind of community, and changes nothing in it.
    2. The same community gets the same scores again, also in another Python if that can import the rule.
    3. Residents with other numbers get the same scores: nobody is chosen for his number.
    4. An arm that uses it runs, loses no cent, and changes no bit with other lanes or threads.

    Parameters
    ----------
    rule : the name of one that is installed or registered, or ships with mobsim; or its function.
    ignores_numbers : False for a rule that uses the numbers of residents and says so; 3 is left out.

    Raises
    ------
    AssertionError : with a sentence that says what does not hold.

    Examples
    --------
    >>> check_targeting(lambda community: community.is_leader)
    """
    if isinstance(rule, str):
        _check(rule, ignores_numbers)
    else:
        with registered(TARGETING, ON_TRIAL, rule):
            _check(ON_TRIAL, ignores_numbers)


def _check(name: str, ignores_numbers: bool) -> None:
    what = f"targeting rule {name}"
    arms = {"with": {"activities": [{"kind": "visit", "share": 1, "target": name}]}}
    if name not in RULES or name in RANKED:
        rule = _rule(name)
        for world in WORLDS:
            community = build(small_world({}, community=world), 0)
            _check_scores(what, rule, community, ignores_numbers)
        _check_in_another_python(what, rule)
    check_money(check_repeatable(small_world(arms), what), what)


def _rule(name: str) -> OwnRule:
    if name in RULES:
        return OwnRule(name, lambda community: network_scores(community, name), True)
    found = own_targeting_rule(name)
    known = (*RULES, *own_targeting_names())
    assert found is not None, (
        f"targeting rule {name!r} does not exist; allowed are {', '.join(known)}{nearest(name, known)}"
    )
    return found


def _scores(rule: OwnRule, community: Community) -> npt.NDArray[np.int64]:
    try:
        return rule.scores(community)
    except MobsimError as error:
        raise AssertionError(str(error)) from error


def _check_scores(what: str, rule: OwnRule, community: Community, ignores_numbers: bool) -> None:
    before = _copied(community)
    scores = _scores(rule, community)
    changed = [
        name for name, values in _copied(community).items() if not np.array_equal(values, before[name])
    ]
    assert not changed, f"{what}: it changed {changed[0]} of the community; a rule only looks"
    assert np.array_equal(_scores(rule, community), scores), (
        f"{what}: the same community got other scores the second time; take chance from nowhere, mobsim "
        "draws between equals"
    )
    if ignores_numbers:
        place = np.random.default_rng(1).permutation(community.n_residents)
        moved = _scores(rule, renumbered(community, place))
        assert np.array_equal(moved[place], scores), (
            f"{what}: residents got other scores under other numbers; rank people by what they are, or say "
            "ignores_numbers=False"
        )


def _copied(community: Community) -> dict[str, npt.NDArray[Any]]:
    arrays = {field.name: getattr(community, field.name) for field in fields(Community)}
    return {name: values.copy() for name, values in arrays.items() if isinstance(values, np.ndarray)}


def renumbered(community: Community, place: npt.NDArray[np.int64]) -> Community:
    """Return the same people and ties under other numbers.

    Parameters
    ----------
    community : the built community.
    place : (n_residents,) the new number of each resident.
    """
    n = community.n_residents
    back = np.argsort(place)
    by_resident = {
        field.name: getattr(community, field.name)[back]
        for field in fields(Community)
        if field.name not in ("row_start", "neighbours", "tie_weight", "transmission")
        and isinstance(getattr(community, field.name), np.ndarray)
        and getattr(community, field.name).shape == (n,)
        and field.name not in ("marginalized", "capacity", "org_influence", "interest")
    }
    influenced = place[np.repeat(np.arange(n), community.degree)]
    influencer = place[community.neighbours.astype(np.int64)]
    order = np.lexsort((influencer, influenced))
    by_tie = {
        name: getattr(community, name)[order] if getattr(community, name).size else getattr(community, name)
        for name in ("tie_weight", "transmission")
    }
    degree = np.bincount(influenced, minlength=n)
    return replace(
        community,
        **by_resident,
        **by_tie,
        row_start=np.concatenate([[0], np.cumsum(degree)]).astype(np.int64),
        neighbours=influencer[order].astype(np.uint32),
    )


def _check_in_another_python(what: str, rule: OwnRule) -> None:
    """Compare with a fresh Python whose sets and dictionaries have another order."""
    module, name = rule.function.__module__, rule.function.__qualname__
    if module == "__main__" or "<" in name:
        return  # made in a notebook or inside a function: no other Python can import it
    code = (
        "import functools, importlib\n"
        "from mobsim.campaign.own import OwnRule\n"
        "from mobsim.testing.targeting import scores_to_compare\n"
        f"function = functools.reduce(getattr, {name!r}.split('.'), importlib.import_module({module!r}))\n"
        f"print(scores_to_compare(OwnRule({rule.name!r}, function, True)))\n"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    if f"No module named {module.split('.')[0]!r}" in done.stderr:
        return  # the file of the test itself
    assert done.returncode == 0, f"{what}: it fails in another Python: {done.stderr.strip().splitlines()[-1]}"
    assert done.stdout.split() == scores_to_compare(rule).split(), (
        f"{what}: another Python gives other scores; do not rely on the order of sets"
    )


def scores_to_compare(rule: OwnRule) -> str:
    """Return the scores of the first world's residents in words, for a comparison between processes.

    Parameters
    ----------
    rule : the rule.
    """
    return " ".join(str(score) for score in rule.scores(build(small_world({}), 0)))
