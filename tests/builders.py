"""Small worlds for tests: resolved scenarios and hand-made communities, without files or building."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mobsim.campaign.activity import shipped_activities
from mobsim.community.behaviour import (
    BARE_BEHAVIOUR,
    ConstantThresholds,
    CountThresholds,
    ListedThresholds,
)
from mobsim.community.community import Community
from mobsim.community.organizations import default_organizations
from mobsim.community.population import BARE_GROUP, MARGINALIZED_DEFAULTS
from mobsim.scenario.scenario import Scenario

Tie = tuple[int, int]

TINY_ARMS: dict[str, Any] = {
    "outreach": {"activities": [{"kind": "visit", "share": 0.6}, {"kind": "meeting", "share": 0.4}]},
    "training": {"activities": [{"kind": "skills", "share": 0.7}, {"kind": "leader", "share": 0.3}]},
    "advocacy": {"activities": [{"kind": "lobby", "share": 0.5}, {"kind": "media", "share": 0.5}]},
    "mixed": {
        "activities": [
            {"kind": kind, "share": 1.0}
            for kind in ("visit", "meeting", "media", "skills", "leader", "lobby")
        ]
    },
    "media": {"activities": [{"kind": "media", "share": 1.0}]},
}
"""The arms of the tiny scenario: the three families, a mixture, and media alone."""

TINY_CALENDAR: dict[str, Any] = {
    "mobilize": {"first": 2},
    "train": {"first": 3},
    "advocate": {"first": 4},
    "implement": {"first": 2, "until": 20},
    "sustain": {"first": 20},
}
"""A calendar that fits 30 weeks."""


def tiny_scenario(**overrides: Any) -> Scenario:
    """Build a valid resolved scenario: 40 residents, two groups, 30 weeks, funded in weeks 2 to 19.

    Keywords are fields of the scenario; the mappings `community`, `behaviour`, `campaign` and `activities`
    are merged into the defaults, everything else replaces them. A field of an activity can be given alone:
    `activities={"visit": {"cost": 2.0}}`.
    """
    data: dict[str, Any] = {
        "name": "tiny",
        "title": "A tiny scenario",
        "description": "Forty residents for tests.",
        "seed": 7,
        "community": {
            "residents": 40,
            "groups": {"majority": {"share": 0.8}, "minority": {"share": 0.2, **MARGINALIZED_DEFAULTS}},
            "organizations": default_organizations(),
            "network": {"kind": "erdos_renyi", "degree": 5.0},
        },
        "behaviour": {},
        "campaign": {
            "burn_in_weeks": 6,
            "horizon_weeks": 30,
            "funding_starts_week": 2,
            "funding_ends_week": 20,
            "calendar": TINY_CALENDAR,
        },
        "activities": {name: spec.model_dump() for name, spec in shipped_activities().items()},
        "arms": TINY_ARMS,
        "replicates": {"communities": 2, "luck": 2},
    }
    return Scenario.model_validate(_merged(data, overrides))


def bare_scenario(residents: int, **overrides: Any) -> Scenario:
    """Build a scenario of `preset: bare`: one group, nothing but exposure against a threshold, no campaign.

    Keywords as for `tiny_scenario`.
    """
    data: dict[str, Any] = {
        "name": "bare",
        "title": "A bare scenario",
        "description": "Thresholds and nothing else.",
        "preset": "bare",
        "seed": 7,
        "community": {
            "residents": residents,
            "groups": {"everyone": {"share": 1.0, **BARE_GROUP}},
            "organizations": (),
            "network": {"kind": "well_mixed"},
            "leaders": {"share": 0.0},
            "membership": 0.0,
            "initial": {"aware": "everyone", "participating": 0.0},
        },
        "behaviour": dict(BARE_BEHAVIOUR),
        "campaign": {"burn_in_weeks": 0, "horizon_weeks": 30, "budget_per_resident": 0.0},
        "activities": {},
        "arms": {},
    }
    return Scenario.model_validate(_merged(data, overrides))


def _merged(data: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in overrides.items():
        if name == "activities":
            known = data["activities"]
            data["activities"] = known | {
                kind: known.get(kind, {}) | dict(new) for kind, new in value.items()
            }
        elif name in ("community", "behaviour", "campaign"):
            data[name] = data[name] | dict(value)
        else:
            data[name] = value
    return data


# ---------------------------------------------------------------------------------------------------------
# Communities by hand


def hand_community(
    scenario: Scenario,
    ties: Sequence[Tie] = (),
    *,
    directed: bool = False,
    weights: Sequence[float] | None = None,
    transmission: Sequence[float] | None = None,
    well_mixed: bool = False,
    number: int = 0,
    group: npt.ArrayLike | None = None,
    neighbourhood: npt.ArrayLike | None = None,
    is_leader: npt.ArrayLike | None = None,
    leaning: npt.ArrayLike | None = None,
    influence: npt.ArrayLike | None = None,
    threshold: npt.ArrayLike | None = None,
    capability: npt.ArrayLike | None = None,
    trust: npt.ArrayLike | None = None,
    aware: npt.ArrayLike | None = None,
    participating: npt.ArrayLike | None = None,
    member_of: npt.ArrayLike | None = None,
) -> Community:
    """Make a community of `scenario.community.residents` people from explicit ties and arrays.

    Parameters
    ----------
    scenario : gives the number of residents, groups, organizations, the kind of thresholds and the seed.
    ties : pairs (influenced, influencer), each once; undirected ties stand in both rows unless `directed`.
    weights, transmission : one number a tie.
    group, neighbourhood, is_leader, leaning, influence (eighths), threshold, ..., member_of : one entry a
        resident. By default everybody is in the first group and in the same neighbourhood, nobody leads,
        everybody is aware, nobody participates, nobody is a member, capability and trust are the group's
        means and thresholds are those of the scenario, or one half where they are drawn.
    """
    N = scenario.community.residents
    row_start, neighbours, source = _rows(N, ties, directed)
    group = _array(group, 0, N, np.uint8)
    is_leader = _array(is_leader, False, N, np.bool_)
    leader_eighths = round(scenario.community.leaders.influence * 8)
    specs = list(scenario.community.groups.values())
    participating = _array(participating, False, N, np.bool_)
    thresholds = scenario.behaviour.thresholds
    organizations = scenario.community.organizations
    lead = next((k for k, spec in enumerate(organizations) if spec.lead), -1)
    member_of = _array(member_of, -1, N, np.int16)
    community = Community(
        number=number,
        seed=scenario.seed,
        group_names=tuple(scenario.community.groups),
        marginalized=np.array([spec.marginalized for spec in specs], np.bool_),
        group=group,
        neighbourhood=_array(neighbourhood, 0, N, np.int32),
        row_start=row_start,
        neighbours=neighbours,
        tie_weight=_of_ties(weights, source, lambda w: int(w * 2**20 + 0.5), np.int64),
        transmission=_of_ties(transmission, source, float, np.float64),
        influence=_array(influence, np.where(is_leader, leader_eighths, 8), N, np.int64),
        is_leader=is_leader,
        leaning=_array(leaning, 0, N, np.int8),
        member_of=member_of,
        threshold=_array(threshold, _thresholds(thresholds, N), N, np.float32),
        capability=_array(capability, np.array([spec.capability for spec in specs])[group], N, np.float32),
        trust=_array(trust, np.array([spec.trust for spec in specs])[group], N, np.float32),
        least_count=_least_counts(thresholds, N),
        aware=_array(aware, True, N, np.bool_) | participating,
        participating=participating,
        well_mixed=well_mixed,
        organization_names=tuple(spec.name for spec in organizations),
        credibility=np.array(
            [
                [spec.credibility[min(g, len(spec.credibility) - 1)] for g in range(len(specs))]
                for spec in organizations
            ],
            np.float64,
        ).reshape(len(organizations), len(specs)),
        capacity=np.array([spec.capacity for spec in organizations], np.float64),
        org_influence=np.array([spec.influence for spec in organizations], np.float64),
        interest=np.array([spec.interest for spec in organizations], np.float64),
        lead=lead,
        largest_cbo=_largest_cbo(organizations, member_of, lead),
    )
    # As built communities are: to Numba arrays that can be written are another type, so another compilation.
    for part in vars(community).values():
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    return community


def _array(given: npt.ArrayLike | None, default: npt.ArrayLike, N: int, kind: Any) -> npt.NDArray[Any]:
    return np.broadcast_to(np.asarray(default if given is None else given, kind), (N,)).copy()


def _rows(N: int, ties: Sequence[Tie], directed: bool) -> tuple[Any, Any, Any]:
    """Rows of those who influence, ascending, and which of the given ties each entry is."""
    pairs = np.array(ties, np.int64).reshape(-1, 2)
    source = np.arange(len(pairs))
    if not directed:
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
        source = np.concatenate([source, source])
    assert len(np.unique(pairs, axis=0)) == len(pairs), "a tie is given once"
    assert not np.any(pairs[:, 0] == pairs[:, 1]), "nobody is tied to themselves"
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    row_start = np.zeros(N + 1, np.int64)
    row_start[1:] = np.cumsum(np.bincount(pairs[:, 0], minlength=N))
    return row_start, pairs[order, 1].astype(np.uint32), source[order]


def _of_ties(values: Sequence[float] | None, source: Any, convert: Any, kind: Any) -> npt.NDArray[Any]:
    if values is None:
        return np.empty(0, kind)
    return np.array([convert(values[tie]) for tie in source], kind)


def _thresholds(thresholds: object, N: int) -> npt.ArrayLike:
    if isinstance(thresholds, ConstantThresholds):
        return thresholds.value
    if isinstance(thresholds, ListedThresholds):
        return np.array(thresholds.values)
    return 0.0 if isinstance(thresholds, CountThresholds) else 0.5


def _least_counts(thresholds: object, N: int) -> npt.NDArray[np.int64]:
    if not isinstance(thresholds, CountThresholds):
        return np.empty(0, np.int64)
    return _array(thresholds.value if thresholds.values is None else thresholds.values, 0, N, np.int64)


def _largest_cbo(organizations: Any, member_of: npt.NDArray[np.int16], lead: int) -> int:
    """The cbo with most members, the first among equals; the lead where there is none."""
    cbos = [k for k, spec in enumerate(organizations) if spec.type == "cbo"]
    return max(cbos, key=lambda k: int((member_of == k).sum()), default=lead)


# ---------------------------------------------------------------------------------------------------------
# Ties: pairs (influenced, influencer), each undirected tie once


def ring_ties(N: int, reach: int = 1) -> list[Tie]:
    """Tie everybody to the nearest `reach` residents on both sides of a ring."""
    pairs = {(min(i, (i + d) % N), max(i, (i + d) % N)) for i in range(N) for d in range(1, reach + 1)}
    return sorted((i, j) for i, j in pairs if i != j)


def star_ties(N: int, centre: int = 0) -> list[Tie]:
    """Tie everybody to one hub: with N > 1024 its degree exceeds 1023."""
    return [(min(i, centre), max(i, centre)) for i in range(N) if i != centre]


def complete_ties(N: int) -> list[Tie]:
    """Tie everybody to everybody."""
    return [(i, j) for i in range(N) for j in range(i + 1, N)]


def random_ties(N: int, mean_degree: float, seed: int, *, directed: bool = False) -> list[Tie]:
    """Tie each pair (each direction apart if `directed`) with the same chance; isolates are likely."""
    chance = min(1.0, mean_degree / max(1, N - 1))
    chosen = np.random.default_rng(seed).random((N, N)) < chance
    np.fill_diagonal(chosen, False)
    chosen = chosen if directed else np.triu(chosen)
    return [(int(i), int(j)) for i, j in np.argwhere(chosen)]


def mixed_community(
    scenario: Scenario, ties: Sequence[Tie], *, seed: int = 0, places: int = 1, **given: Any
) -> Community:
    """Make a community of different people: groups, leaders, leanings, thresholds and states drawn by `seed`.

    Groups with a share of 0 stay empty, and the scenario's leaders and starting states are respected.
    Everybody lives in one of `places` neighbourhoods; members are of a cbo or the lead.
    Keywords as for `hand_community`, over what is drawn.
    """
    spec, rng = scenario.community, np.random.default_rng(seed)
    N, groups = spec.residents, list(spec.groups.values())
    shares = np.array([group.share for group in groups])
    group = rng.choice(len(groups), N, p=shares / shares.sum())
    is_leader = rng.random(N) < spec.leaders.share
    roles = [-1, 1, 0]
    chances = [spec.leaders.opposed, spec.leaders.supportive]
    leaning = np.where(is_leader, rng.choice(roles, N, p=[*chances, 1.0 - sum(chances)]), 0)
    started = (rng.random(N) < 0.2) & (leaning != -1)
    aware = (rng.random(N) < np.array([g.aware for g in groups])[group]) | is_leader | started
    aware = {"by_group": aware, "everyone": np.ones(N, bool), "participants": started}[spec.initial.aware]
    fixed = isinstance(scenario.behaviour.thresholds, ConstantThresholds | ListedThresholds | CountThresholds)
    drawn: dict[str, Any] = {
        "group": group,
        "is_leader": is_leader,
        "leaning": leaning,
        "participating": started & aware,
        "aware": aware,
        "threshold": None if fixed else rng.uniform(-0.3, 1.0, N),
        "capability": rng.random(N),
        "trust": rng.random(N),
    }
    joinable = [k for k, other in enumerate(spec.organizations) if other.type == "cbo" or other.lead]
    if joinable:
        is_member = rng.random(N) < spec.membership
        drawn["member_of"] = np.where(is_member, np.array(joinable)[rng.integers(0, len(joinable), N)], -1)
    drawn["neighbourhood"] = rng.integers(0, places, N)
    return hand_community(scenario, ties, **(drawn | given))
