"""Activities, targeting rules and allocation policies of one's own, written in Python.

There are two doors. `register_activity`, `register_targeting` and `register_policy` add one to the Python
that is running: for notebooks and scripts. An installed package offers one by an entry point of the groups
`mobsim.activities`, `mobsim.targeting` and `mobsim.policies`: it is then there for every command, found by
its name, and loaded when a scenario first uses it. See docs/tutorials/extending.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from mobsim.campaign.activity import POLICIES, ActivitySpec, shipped_activities
from mobsim.campaign.targeting import RULES
from mobsim.community.community import Community
from mobsim.errors import UsageError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from mobsim.campaign.policies import Evidence

ACTIVITIES = "mobsim.activities"
TARGETING = "mobsim.targeting"
POLICY = "mobsim.policies"
"""Groups of entry points."""

FIRST_NUMBER, LAST_NUMBER = 32, 63
"""Numbers that key the random draws of activities that do not ship with mobsim."""

SCORE_STEPS = 2**20
"""Scores that are not whole are rounded to whole numbers of 1/SCORE_STEPS."""

MOST_SCORE = 2**42
"""Largest score that is not whole, either way; whole scores may be larger."""

TargetingFunction: TypeAlias = Callable[[Community], npt.ArrayLike]
PolicyFunction: TypeAlias = "Callable[[Evidence], Sequence[Any] | None]"


class OwnActivity:
    """An activity written in Python: subclass it, say what it is in `spec`, and give its doses in `deliver`.

    One object serves all lanes: keep nothing in `self`. What happened before stands in the state of the
    residents, and chance comes from `view.uniform()`.

    Attributes
    ----------
    spec : what a scenario file would say under `activities` (docs/scenario_files.md), with a `number` from
        32 to 63 that keys the random draws, and `max_units`, the most units a week. `delivery` is `python`
        unless it says otherwise; with any other delivery the class is only data, and `deliver` stays as it
        is.

    Examples
    --------
    >>> class StoryEvening(OwnActivity):
    ...     spec = {
    ...         "number": 48,
    ...         "family": "outreach",
    ...         "description": "an evening of stories in one neighbourhood",
    ...         "steps": ("implement",),
    ...         "cost": 30.0,
    ...         "appeal": 0.5,
    ...     }
    ...
    ...     def deliver(self, view):
    ...         view.reach(view.uniform() < 0.1)
    >>> spec_of("story_evening", StoryEvening).delivery
    'python'
    """

    spec: ClassVar[dict[str, Any]] = {}

    def deliver(self, view: Any) -> None:
        """Give the doses of the units that were bought this week in one lane.

        Parameters
        ----------
        view : `mobsim.engine.own_delivery.Delivery`: what can be seen, and `reach` to give doses.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class OwnRule:
    """A targeting rule of one's own.

    name : how scenarios call it. function : community -> one score a resident, the largest first.
    needs_map : whether it looks at ties, so that the arm pays for the network map.
    """

    name: str
    function: TargetingFunction
    needs_map: bool

    def scores(self, community: Community) -> npt.NDArray[np.int64]:
        """Return the scores of all residents as whole numbers.

        Whole numbers and truth values stay as they are; other numbers are rounded to whole numbers of 2**-20,
        half up, so that the last bits of a sum cannot decide a rank.

        Parameters
        ----------
        community : the built community.

        Raises
        ------
        UsageError : if the function fails or does not return one finite number a resident.
        """
        where = f"targeting rule {self.name}"
        try:
            found = np.asarray(self.function(community))
        except Exception as error:
            raise UsageError(f"{where}: its function failed: {_said(error)}") from error
        n = community.n_residents
        if found.shape != (n,) or found.dtype.kind not in "biuf":
            raise UsageError(
                f"{where}: found {found.dtype} scores of shape {found.shape}; allowed is one number a "
                f"resident, shape ({n},)"
            )
        if found.dtype.kind == "f":
            wrong = ~(np.abs(found) <= MOST_SCORE)  # NaN included
            if wrong.any():
                raise UsageError(
                    f"{where}: found the score {found[wrong][0]} for resident {int(np.argmax(wrong))}; "
                    f"allowed are finite numbers up to {MOST_SCORE:,} either way"
                )
            return np.floor(found.astype(np.float64) * SCORE_STEPS + 0.5).astype(np.int64)
        if found.dtype == np.uint64 and n and found.max() > np.iinfo(np.int64).max:
            raise UsageError(f"{where}: found the score {found.max()}; allowed are numbers below 2**63")
        return found.astype(np.int64)


_activities: dict[str, type[OwnActivity]] = {}
_rules: dict[str, OwnRule] = {}
_policies: dict[str, PolicyFunction] = {}
_loaded: dict[tuple[str, str], Any] = {}


# --- Registering


def register_activity(name: str, cls: type[OwnActivity]) -> None:
    """Add an activity written in Python to the Python that is running.

    Parameters
    ----------
    name : how scenarios call it.
    cls : a subclass of `OwnActivity`.

    Raises
    ------
    UsageError : if the name is used, or the class does not say what an activity must say.
    """
    _refuse_used(ACTIVITIES, name, cls, _activities.get(name))
    spec_of(name, cls)
    _activities[name] = cls


def register_targeting(name: str, function: TargetingFunction, *, needs_map: bool = True) -> None:
    """Add a targeting rule to the Python that is running.

    Parameters
    ----------
    name : how scenarios call it.
    function : takes the community and returns one score a resident; the rule's pool are the `fraction` of
        residents with the largest scores, equal ones by keyed draw.
    needs_map : whether it looks at ties; the arm then pays for the network map.

    Raises
    ------
    UsageError : if the name is used, or the function cannot be called.
    """
    used = _rules.get(name)
    _refuse_used(TARGETING, name, function, used.function if used else None)
    _refuse_uncallable(TARGETING, name, function)
    _rules[name] = OwnRule(name, function, bool(needs_map))


def register_policy(name: str, function: PolicyFunction) -> None:
    """Add an allocation policy to the Python that is running.

    Parameters
    ----------
    name : how scenarios call it.
    function : takes the `Evidence` of a survey and returns the new shares, one a line of the arm, or None to
        leave them.

    Raises
    ------
    UsageError : if the name is used, or the function cannot be called.
    """
    _refuse_used(POLICY, name, function, _policies.get(name))
    _refuse_uncallable(POLICY, name, function)
    _policies[name] = function


# --- Looking up


def own_activity(name: str) -> type[OwnActivity] | None:
    """Return the class of an activity, or nothing if nobody offers one of this name.

    Parameters
    ----------
    name : how scenarios call it.

    Raises
    ------
    UsageError : if the package that offers it is broken.
    """
    if name in _activities:
        return _activities[name]
    found: type[OwnActivity] | None = _load(ACTIVITIES, name, spec_of)
    return found


def own_activity_names() -> tuple[str, ...]:
    """Return the names of all activities of one's own, without loading any."""
    return _names(ACTIVITIES, _activities)


def own_targeting_rule(name: str) -> OwnRule | None:
    """Return a targeting rule, or nothing if nobody offers one of this name.

    A function from an installed package needs the network map unless it has an attribute `needs_map = False`.

    Parameters
    ----------
    name : how scenarios call it.

    Raises
    ------
    UsageError : if the package that offers it is broken.
    """
    if name in _rules:
        return _rules[name]
    function = _load(TARGETING, name, _callable_of(TARGETING))
    return OwnRule(name, function, bool(getattr(function, "needs_map", True))) if function else None


def own_targeting_names() -> tuple[str, ...]:
    """Return the names of all targeting rules of one's own, without loading any."""
    return _names(TARGETING, _rules)


def own_policy(name: str) -> PolicyFunction:
    """Return the function of an allocation policy of one's own.

    Parameters
    ----------
    name : how scenarios call it; one of `own_policy_names()`.

    Raises
    ------
    UsageError : if nobody offers a policy of this name, or the package that offers it is broken.
    """
    if name in _policies:
        return _policies[name]
    function: PolicyFunction | None = _load(POLICY, name, _callable_of(POLICY))
    if function is None:
        known = (*POLICIES, *own_policy_names())
        raise UsageError(
            f"policy {name!r} does not exist; allowed are {', '.join(known)}{nearest(name, known)}"
        )
    return function


def own_policy_names() -> tuple[str, ...]:
    """Return the names of all allocation policies of one's own, without loading any."""
    return _names(POLICY, _policies)


def spec_of(name: str, cls: Any) -> ActivitySpec:
    """Return what an activity's class says about it, checked.

    Parameters
    ----------
    name : how scenarios call it, for the error.
    cls : a subclass of `OwnActivity`.

    Raises
    ------
    UsageError : if it is not such a class, or a field is missing or wrong.
    """
    where = f"activity {name}"
    if not (isinstance(cls, type) and issubclass(cls, OwnActivity)):
        raise UsageError(f"{where}: found {cls!r}; allowed is a subclass of OwnActivity")
    data = {"delivery": "python", **cls.spec}
    try:
        spec = ActivitySpec.model_validate(
            {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("spec", *first["loc"]))
        raise UsageError(f"{where}: {place} of {cls.__name__}: {first['msg']}") from None
    if not FIRST_NUMBER <= spec.number <= LAST_NUMBER:
        raise UsageError(
            f"{where}: spec.number of {cls.__name__} is {spec.number}; allowed: a number from "
            f"{FIRST_NUMBER} to {LAST_NUMBER}"
        )
    delivers = cls.deliver is not OwnActivity.deliver
    if delivers != (spec.delivery == "python"):
        raise UsageError(
            f"{where}: {cls.__name__} has {'a' if delivers else 'no'} method deliver, and its delivery is "
            f"{spec.delivery}; a class with deliver has delivery python, and only such a class"
        )
    return spec


@contextmanager
def registered(group: str, name: str, thing: Any) -> Iterator[None]:
    """Register something for as long as a `with` block runs; for tests.

    Parameters
    ----------
    group : `ACTIVITIES`, `TARGETING` or `POLICY`.
    name : how scenarios call it.
    thing : the class or function.
    """
    registries: dict[str, dict[str, Any]] = {
        ACTIVITIES: _activities,
        TARGETING: _rules,
        POLICY: _policies,
    }
    doors: dict[str, Callable[[str, Any], None]] = {
        ACTIVITIES: register_activity,
        TARGETING: register_targeting,
        POLICY: register_policy,
    }
    registry = registries[group]
    was_there = name in registry
    doors[group](name, thing)
    try:
        yield
    finally:
        if not was_there:
            del registry[name]


# --- Both doors


def _shipped(group: str) -> tuple[str, ...]:
    """Return the names that ship with mobsim."""
    if group == ACTIVITIES:
        return tuple(shipped_activities())
    return RULES if group == TARGETING else POLICIES


def _what(group: str) -> str:
    return {ACTIVITIES: "activity", TARGETING: "targeting rule", POLICY: "policy"}[group]


def _refuse_used(group: str, name: str, thing: Any, used: Any) -> None:
    """Refuse a name that is not a word, ships with mobsim, or stands for something else."""
    what = _what(group)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name):
        raise UsageError(
            f"{what} {name!r}: allowed is a word of up to 40 letters, digits and _ that starts with a letter"
        )
    if name in _shipped(group):
        raise UsageError(f"{what} {name!r} comes with mobsim; allowed is another name")
    if used is not None and used is not thing:
        raise UsageError(
            f"{what} {name!r} is registered already, as another object; choose another name, or start Python "
            "again to replace it"
        )


def _refuse_uncallable(group: str, name: str, function: Any) -> None:
    if not callable(function) or isinstance(function, type):
        raise UsageError(f"{_what(group)} {name!r}: found {function!r}; allowed is a function")


def _callable_of(group: str) -> Callable[[str, Any], None]:
    return lambda name, function: _refuse_uncallable(group, name, function)


def _offered(group: str) -> dict[str, EntryPoint]:
    """Return what installed packages offer in a group, by name."""
    from importlib.metadata import entry_points

    offered: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        if point.name in _shipped(group):
            raise UsageError(
                f"package {_package(point)} offers {_what(group)} {point.name!r}, a name that comes with "
                "mobsim; it must use another one"
            )
        other = offered.setdefault(point.name, point)
        if _package(other) != _package(point) or other.value != point.value:
            raise UsageError(
                f"packages {_package(other)} and {_package(point)} both offer {_what(group)} {point.name!r}; "
                "uninstall one of them"
            )
    return offered


def _load(group: str, name: str, check: Callable[[str, Any], object]) -> Any:
    """Load what an installed package offers under a name, once, and check it; nothing if nobody does."""
    if (group, name) not in _loaded:
        point = _offered(group).get(name)
        if point is None:
            return None
        try:
            thing = point.load()
            check(name, thing)
        except Exception as error:
            raise UsageError(
                f"package {_package(point)}: {_what(group)} {name!r} ({point.value}) cannot be used: "
                f"{_said(error)}"
            ) from error
        _loaded[group, name] = thing
    return _loaded[group, name]


def _names(group: str, registered: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted({*registered, *_offered(group)}))


def _package(point: EntryPoint) -> str:
    """Return the name of the distribution that an entry point belongs to."""
    return point.dist.name if point.dist is not None else point.value.split(":")[0]


def _said(error: Exception) -> str:
    """Return an error in words on one line; our own errors speak for themselves."""
    text = " ".join(str(error).split())
    return text if isinstance(error, UsageError) else f"{type(error).__name__}: {text}"
