"""What must fit together in the world of a scenario: groups, network, organizations, who starts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import isqrt

from mobsim.community.behaviour import CountThresholds, ListedThresholds
from mobsim.community.cascade import OPTIONS, CascadeOptions
from mobsim.community.network import (
    Complete,
    EdgeList,
    Households,
    Lattice,
    RandomRegular,
    ScaleFree,
    WellMixed,
)
from mobsim.community.population import ChosenByRule, ExactCount, ListedResidents
from mobsim.scenario.faults import Path, shown
from mobsim.scenario.scenario import Scenario

Complaint = tuple[Path, str]
"""A place, and what to say after its name."""

SHARES_ADD_UP = 1e-9
MOST_GROUPS = 100
HOUSEHOLD_SPREAD = 6
MOST_COMPLETE = 16_384
MOST_WEIGHT = 1_000_000
MOST_BETWEENNESS = 5000
"""Exact betweenness takes residents times ties: seconds for this many."""

MOST_DISTANCES = 50_000
"""Distances take residents times residents: seconds for this many."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def community_complaints(scenario: Scenario) -> Iterator[Complaint]:
    """Return what does not fit together in the world.

    Parameters
    ----------
    scenario : the resolved form.
    """
    yield from _groups(scenario)
    yield from _organizations(scenario)
    yield from _network(scenario)
    yield from _listed_ties(scenario)
    yield from _start(scenario)
    yield from _thresholds(scenario)


def _groups(scenario: Scenario) -> Iterator[Complaint]:
    groups = scenario.community.groups
    where: Path = ("community", "groups")
    for place, (name, group) in enumerate(groups.items()):
        if not _NAME.fullmatch(name) or len(name) > 40 or name == "all":
            yield (
                (*where, name),
                " is not a name for a group; allowed: up to 40 letters, digits and _, first a letter, "
                "but not all",
            )
        if place == 0 and group.marginalized:
            yield (
                (*where, name, "marginalized"),
                " is true; allowed: false, because the first group is the majority",
            )
    if len(groups) > MOST_GROUPS:
        yield where, f" has {len(groups)} groups; allowed: at most {MOST_GROUPS}"
    total = sum(group.share for group in groups.values())
    if abs(total - 1) > SHARES_ADD_UP:
        yield where, f": the shares add up to {total:.6g}; allowed: 1"


def _organizations(scenario: Scenario) -> Iterator[Complaint]:
    organizations = scenario.community.organizations
    where: Path = ("community", "organizations")
    leads = [organization.name for organization in organizations if organization.lead]
    if organizations and len(leads) != 1:
        found = f"{len(leads)} ({', '.join(leads)})" if leads else "none"
        yield where, f": organizations with lead: true are {found}; allowed: exactly one"
    if len(organizations) > 1000:
        yield where, f" has {len(organizations)} organizations; allowed: at most 1,000"
    for name, times in Counter(organization.name for organization in organizations).items():
        if times > 1:
            yield where, f": the name {shown(name)} stands {times} times; allowed: once"
    for place, organization in enumerate(organizations):
        if organization.name in ("lead", "largest_cbo"):
            yield (
                (*where, place, "name"),
                f" is {shown(organization.name)}; allowed: another name, this word has a meaning of its own",
            )


def _network(scenario: Scenario) -> Iterator[Complaint]:
    network, residents = scenario.community.network, scenario.community.residents
    where: Path = ("community", "network")
    others = residents - 1
    degree = getattr(network, "degree", 0)
    if degree > others:
        sentence = f" is {degree:g}; allowed: at most {others}, because there are {residents} residents"
        yield (*where, "degree"), sentence
    if isinstance(network, Households) and network.degree < (at_home := ties_at_home(network.household_size)):
        sentence = (
            f" is {network.degree:g}; allowed: at least {at_home:.2f}, the ties within the households alone"
        )
        yield (*where, "degree"), sentence
    if isinstance(network, Households) and network.villages > residents:
        yield (*where, "villages"), f" is {network.villages}; allowed: at most the {residents} residents"
    if isinstance(network, RandomRegular) and network.degree * residents % 2:
        yield (
            (*where, "degree"),
            f" is {network.degree} for {residents} residents; allowed: an even number of tie ends, so "
            "one of the two must be even",
        )
    if isinstance(network, ScaleFree) and network.ties_each > others:
        yield (
            (*where, "ties_each"),
            f" is {network.ties_each}; allowed: at most {others}, because there are {residents} residents",
        )
    if isinstance(network, Complete) and residents > MOST_COMPLETE:
        yield (
            (*where, "kind"),
            f" is complete for {residents:,} residents; allowed: at most {MOST_COMPLETE:,}, and "
            "well_mixed for more",
        )
    if isinstance(network, Lattice):
        yield from _lattice(network, residents)


def ties_at_home(household_size: float) -> float:
    """Return the mean number of ties within households, whose sizes are 1 + a negative binomial.

    Parameters
    ----------
    household_size : mean size.
    """
    others = household_size - 1.0
    return (others + others * others / HOUSEHOLD_SPREAD + others * household_size) / household_size


def _lattice(network: Lattice, residents: int) -> Iterator[Complaint]:
    where: Path = ("community", "network", "width")
    width = network.width or max(d for d in range(1, isqrt(residents) + 1) if residents % d == 0)
    if residents % width:
        near = f"{residents // width * width} or {(residents // width + 1) * width}"
        yield (
            where,
            f" is {width} for {residents} residents; allowed: a width that divides them, or {near} residents",
        )
    elif min(width, residents // width) < 2 * network.radius + 1:
        least = 2 * network.radius + 1
        yield (
            where,
            f": {residents} residents make a lattice of {width} by {residents // width}; allowed: at "
            f"least {least} in both directions",
        )


def _listed_ties(scenario: Scenario) -> Iterator[Complaint]:
    network, residents = scenario.community.network, scenario.community.residents
    if not isinstance(network, EdgeList):
        return
    where: Path = ("community", "network")
    seen: dict[tuple[int, int], int] = {}
    for place, (one, two) in enumerate(network.ties):
        here: Path = (*where, "ties", place)
        if not (0 <= one < residents and 0 <= two < residents):
            yield here, f" is [{one}, {two}]; allowed: residents from 0 to {residents - 1}"
        elif one == two:
            yield here, f" ties resident {one} to itself; allowed: two different residents"
        else:
            pair = (one, two) if network.directed else (min(one, two), max(one, two))
            if pair in seen:
                yield here, f" is the same tie as ties[{seen[pair]}]; allowed: each tie once"
            seen.setdefault(pair, place)
    for key, values, most in (
        ("weights", network.weights, MOST_WEIGHT),
        ("transmission", network.transmission, 1),
    ):
        if values is None:
            continue
        if len(values) != len(network.ties):
            yield (
                (*where, key),
                f" has {len(values)} values for {len(network.ties)} ties; allowed: one for each tie",
            )
        for place, value in enumerate(values):
            if not 0 <= value <= most:
                yield (*where, key, place), f" is {value:g}; allowed: a number from 0 to {most:,}"


def _start(scenario: Scenario) -> Iterator[Complaint]:
    start, residents = scenario.community.initial.participating, scenario.community.residents
    where: Path = ("community", "initial", "participating")
    if isinstance(start, ExactCount) and start.count > residents:
        yield (*where, "count"), f" is {start.count:,}; allowed: at most the {residents:,} residents"
    if isinstance(start, ChosenByRule):
        yield from _chosen_by_rule(scenario, start, where)
    if isinstance(start, ListedResidents):
        seen = set()
        for place, resident in enumerate(start.residents):
            if resident >= residents:
                yield (
                    (*where, "residents", place),
                    f" is {resident}; allowed: residents from 0 to {residents - 1}",
                )
            if resident in seen:
                yield (*where, "residents", place), f" is {resident} again; allowed: each resident once"
            seen.add(resident)


def _chosen_by_rule(scenario: Scenario, start: ChosenByRule, path: Path) -> Iterator[Complaint]:
    residents = scenario.community.residents
    if start.number > residents:
        yield (*path, "number"), f" is {start.number:,}; allowed: at most the {residents:,} residents"
    if isinstance(scenario.community.network, WellMixed):
        yield (
            (*path, "rule"),
            f" is {shown(start.rule)}, but in a well-mixed community everybody has the same place; allowed: "
            "a count, or another network",
        )
    yield from size_complaints(scenario, start.rule, start.centrality, path)
    yield from option_complaints(start, start.rule, path)


def size_complaints(scenario: Scenario, rule: str, centrality: str, path: Path) -> Iterator[Complaint]:
    """Return what speaks against ranking so many residents.

    Parameters
    ----------
    scenario : the resolved form.
    rule : which ranks them.
    centrality : of the rule bridging.
    path : where the rule stands.
    """
    residents = scenario.community.residents
    if centrality == "betweenness" and rule != "bridging":
        yield (
            (*path, "centrality"),
            f" is 'betweenness' with rule {shown(rule)}; allowed: only with rule bridging",
        )
    elif centrality == "betweenness" and residents > MOST_BETWEENNESS:
        yield (
            (*path, "centrality"),
            f" is 'betweenness' for {residents:,} residents; allowed: at most {MOST_BETWEENNESS:,} "
            "residents, or neighbourhoods",
        )
    elif rule == "distance" and residents > MOST_DISTANCES:
        yield (
            (*path, "rule"),
            f" is 'distance' for {residents:,} residents; allowed: at most {MOST_DISTANCES:,} residents, or "
            "another rule",
        )


def option_complaints(options: CascadeOptions, rule: str, path: Path) -> Iterator[Complaint]:
    """Return options that are set although the rule does not use them.

    Parameters
    ----------
    options : what is set.
    rule : the rule that they stand beside.
    path : where they stand.
    """
    for name, field in CascadeOptions.model_fields.items():
        value = getattr(options, name)
        if value != field.default and name not in OPTIONS.get(rule, ()):
            rules = " or ".join(other for other, names in OPTIONS.items() if name in names)
            yield (
                (*path, name),
                f" is {shown(value)} with rule {shown(rule)}; allowed: only with rule {rules}",
            )


def _thresholds(scenario: Scenario) -> Iterator[Complaint]:
    thresholds, residents = scenario.behaviour.thresholds, scenario.community.residents
    where: Path = ("behaviour", "thresholds")
    values = thresholds.values if isinstance(thresholds, ListedThresholds | CountThresholds) else None
    if values is not None and len(values) != residents:
        yield (
            (*where, "values"),
            f" has {len(values):,} values for {residents:,} residents; allowed: one for each resident",
        )
    if isinstance(thresholds, CountThresholds):
        yield from _counts(scenario)


def _counts(scenario: Scenario) -> Iterator[Complaint]:
    """Thresholds counted in contacts are decided in whole numbers (docs/odd.md, 7.6)."""
    behaviour = scenario.behaviour
    needed = "because thresholds of kind count are compared with whole numbers of contacts"
    for name in ("noise", "appeal_weight", "capability_weight", "results_weight", "habit", "turnover"):
        value = getattr(behaviour, name)
        if value != 0:
            yield ("behaviour", name), f" is {value:g}; allowed: 0, {needed}"
    for name, group in scenario.community.groups.items():
        if group.barrier != 0:
            yield ("community", "groups", name, "barrier"), f" is {group.barrier:g}; allowed: 0, {needed}"
    if isinstance(scenario.community.network, WellMixed) or behaviour.visibility == 1:
        return
    if behaviour.visibility != 0:
        yield ("behaviour", "visibility"), f" is {behaviour.visibility:g}; allowed: 0 or 1, {needed}"
    elif behaviour.share_exponent != 0:
        yield ("behaviour", "share_exponent"), f" is {behaviour.share_exponent:g}; allowed: 0, {needed}"
