"""Hypothesis strategies: random scenarios, and random communities that fit them.

What matters for the rules is drawn by Hypothesis, so that it shrinks; people and random ties come from a
drawn seed. Numbers are short decimals, because exact rules read their text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from tests.builders import complete_ties, mixed_community, random_ties, ring_ties, star_ties, tiny_scenario

from mobsim.campaign.activity import shipped_activities
from mobsim.community.community import Community
from mobsim.scenario.scenario import NONE, Scenario


@dataclass(frozen=True)
class World:
    """A scenario, a community that fits it, and one of its arms (or `none`) with a luck."""

    scenario: Scenario
    community: Community
    arm: str
    luck: int


def decimals(low: float, high: float, digits: int = 3) -> st.SearchStrategy[float]:
    """Short decimals from low to high, both included."""
    scale = 10**digits
    return st.integers(round(low * scale), round(high * scale)).map(lambda whole: whole / scale)


half_lives = st.none() | st.sampled_from([0.5, 1.0, 2.5, 13.0])


@st.composite
def thresholds(draw: Any, residents: int, *, may_count: bool) -> dict[str, Any]:
    """Thresholds of any kind; counts only where the rules allow them."""
    kinds = ["truncated_normal", "normal", "uniform", "constant", "values"]
    kind = draw(st.sampled_from([*kinds, "count", "count"] if may_count else kinds))
    if kind == "truncated_normal":
        return {"kind": kind, "mean": draw(decimals(-0.5, 1.0)), "sd": draw(decimals(0, 0.5))}
    if kind == "normal":
        return {"kind": kind, "mean": draw(decimals(-0.5, 1.0)), "sd": draw(decimals(0, 0.5))}
    if kind == "uniform":
        low = draw(decimals(-0.5, 0.5))
        return {"kind": kind, "low": low, "high": low + draw(st.sampled_from([0.0, 0.25, 1.0]))}
    if kind == "constant":
        return {"kind": kind, "value": draw(st.sampled_from([-1.0, 0.0, 0.18, 0.25, 1 / 3, 0.5, 1.0]))}
    few = draw(
        st.lists(decimals(-0.5, 1.0) if kind == "values" else st.integers(0, 4), min_size=1, max_size=6)
    )
    return {"kind": kind, "values": [few[i % len(few)] for i in range(residents)]}


# Low demands and high chances, so that organizers appear, contact and stop within a few weeks.
organizing = st.fixed_dictionaries(
    {
        "organizer_capability": st.sampled_from([0.0, 0.0, 0.2, 0.45]),
        "organizer_ownership": st.sampled_from([0.0, 0.0, 0.05, 0.8]),
        "organizer_start": st.sampled_from([1.0, 0.5, 0.15, 0.02, 0.0]),
        "organizer_contacts": st.sampled_from([1, 0, 3, 5]),
        "peer_appeal": st.sampled_from([0.5, 0.0, 2.0]),
    }
)

# Weak and strong pulls, sharp choices included, so that stances and memberships change in a few decisions.
deciding = st.fixed_dictionaries(
    {
        "leader_reconsider": st.sampled_from([1.0, 0.25, 0.6, 0.0]),
        "leader_leaning_weight": st.sampled_from([0.0, 0.4, 1.0]),
        "leader_engagement_weight": st.sampled_from([0.3, 0.0, 2.0, -1.0]),
        "leader_coalition_weight": st.sampled_from([0.2, 0.0, 5.0, -5.0]),
        "leader_threshold": st.sampled_from([0.0, 0.05, 0.35]),
        "leader_noise": st.sampled_from([0.05, 0.0, 0.0, 1.0]),
        "organization_reconsider": st.sampled_from([1.0, 0.25, 0.6, 0.0]),
        "organization_engagement_weight": st.sampled_from([0.5, 0.0, 2.0, -1.0]),
        "coalition_weight": st.sampled_from([0.5, 0.0, 2.0, -2.0]),
        "organization_threshold": st.sampled_from([0.8, 0.5, 0.0]),
        "organization_noise": st.sampled_from([0.15, 0.0, 0.0, 1.0]),
    }
)


@st.composite
def behaviours(draw: Any, residents: int, *, well_mixed: bool, whole: bool) -> dict[str, Any]:
    """Parameters of the rules over wide ranges; `whole` asks for thresholds compared in whole numbers."""
    behaviour: dict[str, Any] = {
        "social_weight": draw(st.sampled_from([0.0, 0.3, 0.5, 1.0, 3.0])),
        "noise": draw(st.sampled_from([0.0, 0.05, 0.1, 0.3])),
        "reconsider": draw(st.sampled_from([0.05, 0.25, 0.5, 1.0])),
        "visibility": draw(st.sampled_from([0.0, 0.1, 1.0])),
        "share_exponent": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "habit": draw(decimals(0, 0.4)),
        "appeal_weight": draw(decimals(0, 0.5)),
        "capability_weight": draw(decimals(0, 0.5)),
        "results_weight": draw(decimals(-0.3, 0.3)),
        "capability_sd": draw(st.sampled_from([0.0, 0.1, 0.5])),
        "trust_sd": draw(st.sampled_from([0.0, 0.15, 0.5])),
        "tell_participant": draw(st.sampled_from([0.0, 0.005, 0.1, 0.5, 1.0])),
        "tell_other": draw(st.sampled_from([0.0, 0.0005, 0.05, 1.0])),
        "exposure_window": draw(st.none() | st.integers(1, 4)),
        "awareness_half_life": draw(half_lives),
        "appeal_half_life": draw(half_lives),
        "capability_half_life": draw(half_lives),
        "ownership_half_life": draw(half_lives),
        "learning": draw(st.sampled_from([0.0, 0.0005, 0.1])),
        "ownership_growth": draw(st.sampled_from([0.0, 0.04, 1.0])),
        "lapse": draw(st.sampled_from([0.0, 0.003, 0.1])),
        "turnover": draw(st.sampled_from([0.0, 0.002, 0.05, 0.2])),
        "trust_loss": draw(st.sampled_from([0.0, 0.02, 0.5])),
        "results_rate": draw(st.sampled_from([0.0, 0.02, 0.5, 1.0])),
        "results_exponent": draw(st.sampled_from([0.5, 1.0, 2.0, 3.0])),
        "results_half": draw(st.sampled_from([0.1, 0.3, 1.0])),
        "lobby_success": draw(st.sampled_from([2.0, 0.25, 0.0])),
        "win_relief": draw(st.sampled_from([0.0, 0.25, 1.0])),
        "max_wins": draw(st.sampled_from([4, 1, 2, 3, 0])),
        "win_reversal": draw(st.sampled_from([0.0, 0.002, 0.3])),
        "irreversible": draw(st.integers(0, 3)) == 3,
        "engagement_weeks": draw(st.sampled_from([1, 2, 3, 13])),
    }
    behaviour |= draw(organizing) | draw(deciding)
    if whole:
        behaviour |= {
            "noise": 0.0, "habit": 0.0, "appeal_weight": 0.0, "capability_weight": 0.0, "results_weight": 0.0,
            "turnover": 0.0, "visibility": draw(st.sampled_from([0.0, 1.0])),
        }  # fmt: skip
    counts_contacts = behaviour["share_exponent"] == 0.0 and behaviour["visibility"] == 0.0
    may_count = whole and (well_mixed or behaviour["visibility"] == 1.0 or counts_contacts)
    behaviour["thresholds"] = draw(thresholds(residents, may_count=may_count))
    return behaviour


@st.composite
def groups(draw: Any, *, whole: bool) -> dict[str, dict[str, Any]]:
    """One to three groups; a later one may be empty."""
    shares = draw(
        st.sampled_from([[1.0], [0.8, 0.2], [0.5, 0.5], [0.6, 0.3, 0.1], [0.7, 0.0, 0.3], [1.0, 0.0]])
    )
    drawn = {}
    for g, share in enumerate(shares):
        drawn[f"group_{g}"] = {
            "share": share,
            "marginalized": g > 0,
            "barrier": 0.0 if whole else draw(st.sampled_from([0.0, 0.1, 0.3])),
            "capability": draw(decimals(0, 1, 2)),
            "trust": draw(decimals(0, 1, 2)),
            "aware": draw(st.sampled_from([0.0, 0.3, 1.0])),
            "background_media": draw(st.sampled_from([0.0, 0.0125, 0.3, 1.0])),
            "reached": draw(st.sampled_from([0.0, 0.4, 0.6, 1.0])),
        }
    return drawn


@st.composite
def organizations(draw: Any) -> list[dict[str, Any]]:
    """None to eight organizations, one of which leads; influences may be equal or 0."""
    count = draw(st.sampled_from([3, 7, 1, 8, 2, 5, 4, 6, 0]))
    lead = draw(st.integers(0, max(0, count - 1)))
    return [
        {
            "name": f"organization_{k}",
            "type": draw(st.sampled_from(["cbo", "ngo", "government", "private", "donor"])),
            "lead": k == lead,
            "influence": draw(st.sampled_from([0.15, 0.5, 0.3, 1.0, 0.0])),
            "interest": draw(st.sampled_from([0.5, 0.0, 0.8, -0.1, -1.0, 1.0])),
            "capacity": draw(st.sampled_from([0.5, 0.7, 1.0, 0.0])),
            "resources_per_1000": draw(st.sampled_from([500.0, 5000.0, 33.33, 0.0])),
            "credibility": draw(st.lists(decimals(0, 1, 1), min_size=1, max_size=3)),
        }
        for k in range(count)
    ]


@st.composite
def targets(draw: Any, group_names: list[str], delivery: str) -> dict[str, Any]:
    """Any targeting rule that the delivery allows."""
    if delivery == "coalition":
        return {"rule": draw(st.sampled_from(["random", "leaders"]))}
    rules = ["random", "affected"]
    if delivery != "broadcast":
        ranked = [
            "degree",
            "bridging",
            "clustered",
            "distance",
            "single_discount",
            "degree_discount",
            "influence",
        ]
        rules = [*ranked, "nominated", "non_participants", "cycle", "leaders", *rules]
    rule = draw(st.sampled_from(rules))
    target: dict[str, Any] = {"rule": rule}
    # Without a marginalized group, `affected` needs a group of its own.
    if rule != "nominated" and (
        draw(st.integers(0, 2)) == 2 or (rule == "affected" and len(group_names) == 1)
    ):
        target["group"] = draw(st.sampled_from(group_names))
    if delivery not in ("broadcast", "coalition") and rule in ranked:
        target["fraction"] = draw(st.sampled_from([0.01, 0.1, 0.5, 1.0]))
        target["refresh_weeks"] = draw(st.none() | st.integers(1, 5))
        target["mapping_cost_per_person"] = draw(st.sampled_from([0.0, 0.005, 0.2]))
    if rule == "influence":  # small numbers: the reference is slow
        target["cascade"] = draw(st.sampled_from(["independent", "weighted", "linear_threshold"]))
        target["method"] = draw(st.sampled_from(["imm", "celf"]))
        target["epsilon"], target["simulations"] = 0.6, 3
    if rule == "bridging":
        target["centrality"] = draw(st.sampled_from(["neighbourhoods", "betweenness"]))
    return target


UNAIMED = ("lobby", "organization", "demonstration", "stipend")
"""Deliveries that choose no resident by a rule."""

KINDS = (
    "visit", "meeting", "media", "skills", "leader", "lobby", "org", "coalition", "demonstration", "stipend",
    "meeting", "lobby", "coalition", "leader",
)  # fmt: skip


@st.composite
def activity_uses(
    draw: Any, group_names: list[str], organization_names: list[str], *, first: list[str]
) -> list[dict[str, Any]]:
    """The lines of one arm; a kind may stand in it twice, and some lines start without money."""
    shipped = shipped_activities()
    uses = []
    for kind in [*first, *draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))]:
        use: dict[str, Any] = {"kind": kind, "share": draw(st.sampled_from([1.0, 0.3, 0.1, 7.0, 0.0]))}
        if shipped[kind].delivery not in UNAIMED and draw(st.integers(0, 3)) > 0:
            use["target"] = draw(targets(group_names, shipped[kind].delivery))
        if draw(st.booleans()):
            use["by"] = draw(st.sampled_from(["lead", "largest_cbo", *organization_names]))
        # Cheap enough that something is bought in a community of a few residents.
        if draw(st.integers(0, 3)) > 0:
            use["cost"] = draw(st.sampled_from([0.3, 0.05, 1.0, 4.0, 0.001]))
            use["absolute"] = draw(st.booleans())
        uses.append(use)
    if not any(use["share"] for use in uses):
        uses[-1]["share"] = 1.0
    return uses


@st.composite
def arms(draw: Any, group_names: list[str], organization_names: list[str]) -> dict[str, Any]:
    """An arm with its lines, its policy and its surveys; without organizations nobody can deliver a line."""
    policies = ["fixed", "assessed", "reasons", "marginal", "marginal", "equity"]
    policy = draw(st.sampled_from(policies)) if organization_names else "fixed"
    community_decides = policy in ("assessed", "reasons") and draw(st.booleans())
    may_survey = bool(organization_names) and not community_decides
    surveyed = may_survey and (policy != "fixed" or draw(st.booleans()))
    # What a policy needs to act upon: a line that answers a cause, with people who speak; two to compare.
    needed = {"assessed": ["meeting"], "reasons": ["meeting"], "marginal": ["visit", "meeting"]}
    first = needed.get(policy, [])
    uses = draw(activity_uses(group_names, organization_names, first=first)) if organization_names else []
    return {
        # A full share at the least pays the dearest map above.
        "budget_share": draw(st.sampled_from([1.0, 0.5])),
        "policy": policy,
        "community_decides": community_decides,
        "survey": {
            "respondents": draw(st.sampled_from([10, 1, 40, 1000])),
            "perfect": draw(st.integers(0, 3)) == 3,
        }
        if surveyed
        else None,
        "activities": uses,
    }


@st.composite
def goals(draw: Any, group_names: list[str], horizon: int) -> list[dict[str, Any]]:
    """One to three goals; those on participation steer the policy equity, which needs one."""
    drawn = []
    for goal in range(draw(st.integers(1, 3))):
        drawn.append(
            {
                "name": f"goal_{goal}",
                "indicator": draw(st.sampled_from(["participation", "awareness"]))
                if goal
                else "participation",
                "group": draw(st.sampled_from(["all", *group_names])),
                "at_least": draw(st.sampled_from([0.5, 0.1, 1.0, 0.0])),
                "by_week": horizon - 1,
            }
        )
    return drawn


@st.composite
def own_numbers(draw: Any, group_names: list[str]) -> dict[str, dict[str, Any]]:
    """What the scenario changes in the shipped activities."""
    shipped = shipped_activities()
    return {
        "meeting": {"per_unit": draw(st.sampled_from([1, 3, 30]))},
        "media": {
            "reach": draw(st.sampled_from([0.0, 0.04, 0.4])),
            "max_units": draw(st.integers(1, 4)),
            "contact": draw(st.booleans()),
        },
        "visit": {"trust": draw(st.sampled_from([0.0, 0.02, 1.0])), "per_unit": draw(st.integers(1, 2))},
        "leader": {"target": draw(targets(group_names, shipped["leader"].delivery))},
        "org": {"capacity": draw(st.sampled_from([0.2, 1.0])), "answers": {"trust": 0.25}},
        "coalition": {
            "interest": draw(st.sampled_from([0.2, 1.0, 0.0])),
            "trust": draw(st.sampled_from([0.02, 0.5, 0.0])),
            "appeal": draw(st.sampled_from([0.0, 0.4])),
            "contact": draw(st.booleans()),
        },
        "stipend": {"answers": draw(st.sampled_from([{}, {"capability": 0.5, "information": 0.1}]))},
        "survey": {
            "cost": draw(st.sampled_from([0.01, 0.2, 2.0])),
            "cost_scales": draw(st.booleans()),
            "misreport": draw(st.sampled_from([0.2, 0.0, 0.45])),
            "insight": draw(st.sampled_from([0.75, 0.0, 1.0])),
        },
    }


@st.composite
def scenarios(draw: Any, residents: int, *, well_mixed: bool = False) -> Scenario:
    """A valid scenario of 12 to 24 weeks for a hand-made community of so many residents.

    `scenario.community.network` says well_mixed or, for any other hand-made network, erdos_renyi.
    """
    whole = draw(st.integers(0, 3)) == 0
    drawn_groups = draw(groups(whole=whole))
    names = list(drawn_groups)
    horizon = draw(st.integers(12, 24))
    first = draw(st.integers(0, 4))
    budget = draw(st.sampled_from([33.33, 10.0, 100.0, 1.0, 0.0]))
    drawn_organizations = draw(organizations())
    deliverers = [organization["name"] for organization in drawn_organizations]
    drawn_arms = {f"arm_{a}": draw(arms(names, deliverers)) for a in range(draw(st.integers(1, 2)))}
    return tiny_scenario(
        seed=draw(st.integers(0, 2**32 - 1)),
        community={
            "residents": residents,
            "groups": drawn_groups,
            "organizations": drawn_organizations,
            "membership": draw(st.sampled_from([0.2, 1.0])),
            "network": {"kind": "well_mixed"} if well_mixed else {"kind": "erdos_renyi"},
            "leaders": {
                "share": draw(st.sampled_from([0.3, 0.05, 0.0])),
                "influence": draw(st.sampled_from([0.125, 2.0, 5.0])),
                "opposed": draw(st.sampled_from([0.4, 0.1, 0.0])),
                "supportive": draw(st.sampled_from([0.2, 0.0, 0.5])),
            },
            "initial": {"aware": draw(st.sampled_from(["by_group", "by_group", "everyone", "participants"]))},
        },
        behaviour=draw(behaviours(residents, well_mixed=well_mixed, whole=whole)),
        campaign={
            "budget_per_resident": budget,
            "burn_in_weeks": draw(st.integers(0, 5)),
            "horizon_weeks": horizon,
            "funding_starts_week": first,
            "funding_ends_week": draw(st.integers(first + 1, horizon)),
            "decision_interval_weeks": draw(st.sampled_from([1, 2, 3, 4, 7])),
            "public_money": draw(st.sampled_from([0.05, 0.0, 1.0])),
            "contribution": draw(st.sampled_from([0.005, 0.0, 0.5, 1.0])),
            "refill": draw(st.sampled_from([0.01, 0.0, 0.5])),
            "calendar": {
                "assess": {"first": draw(st.integers(0, 3))},
                "monitor": {"first": draw(st.integers(0, 6)), "every": draw(st.sampled_from([2, 1, 3, 4]))},
                "stakeholders": {"first": first, "until": first + draw(st.integers(1, 8))},
                "mobilize": {"first": first + draw(st.integers(0, 3))},
                "train": {"first": first + draw(st.integers(0, 3))},
                "advocate": {"first": first, "every": draw(st.none() | st.integers(1, 3))},
                "implement": {"first": first, "until": min(horizon, first + draw(st.integers(1, 10)))},
                "sustain": {"first": draw(st.integers(first, horizon - 1))},
            },
        },
        activities=draw(own_numbers(names)),
        goals=draw(goals(names, horizon)),
        arms=drawn_arms,
    )


@st.composite
def networks(draw: Any, residents: int) -> dict[str, Any]:
    """Ties of a hand-made community: random, ring, star, complete or none; some directed or with numbers."""
    N = residents
    kind = draw(st.sampled_from(["random", "random", "ring", "star", "complete", "empty"]))
    directed = kind == "random" and draw(st.booleans())
    if kind == "random":
        degree = draw(st.sampled_from([0.5, 2.0, 6.0]))
        ties = random_ties(N, degree, draw(st.integers(0, 2**16)), directed=directed)
    elif kind == "complete":
        ties = complete_ties(min(N, 20))  # the rest are isolates
    else:
        ties = {"ring": ring_ties(N, draw(st.integers(1, 3))), "star": star_ties(N), "empty": []}[kind]
    network: dict[str, Any] = {"ties": ties, "directed": directed}
    cycle = draw(st.lists(decimals(0, 2), min_size=1, max_size=5))
    chances = draw(st.lists(decimals(0, 1), min_size=1, max_size=5))
    numbers = draw(st.sampled_from(["none", "none", "weights", "transmission", "both"]))
    if numbers in ("weights", "both"):
        network["weights"] = [cycle[k % len(cycle)] for k in range(len(ties))]
    if numbers in ("transmission", "both"):
        network["transmission"] = [chances[k % len(chances)] for k in range(len(ties))]
    return network


@st.composite
def worlds(draw: Any, max_residents: int = 120) -> World:
    """A scenario with a hand-made community that fits it, an arm and a luck."""
    N = draw(st.integers(1, max_residents))
    well_mixed = draw(st.integers(0, 4)) == 0
    scenario = draw(scenarios(N, well_mixed=well_mixed))
    network = {"ties": [], "well_mixed": True} if well_mixed else draw(networks(N))
    people = {
        "seed": draw(st.integers(0, 2**16)),
        "number": draw(st.integers(0, 3)),
        "places": draw(st.integers(1, 6)),
    }
    return World(
        scenario=scenario,
        community=mixed_community(scenario, **network, **people),
        arm=draw(st.sampled_from([*scenario.arms, *scenario.arms, NONE])),
        luck=draw(st.integers(0, 5)),
    )
