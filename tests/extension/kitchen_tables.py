"""Kitchen tables: people who take part invite those whom they know."""
# ruff: noqa: RUF012

from __future__ import annotations

from mobsim import OwnActivity


class KitchenTable(OwnActivity):
    """One unit is one evening: a participant invites the people she knows, and half of them come."""

    spec = {
        "number": 48,
        "family": "outreach",
        "description": "one evening at a participant's kitchen table",
        "steps": ["mobilize", "implement", "sustain"],
        "cost": 12.0,
        "max_units": 10,
        "appeal": 0.8,
        "ownership": 0.05,
        "trust": 0.1,
        "answers": {"trust": 0.5},
    }

    def deliver(self, view):
        in_random_order = view.uniform(0).argsort()
        hosts = in_random_order[view.participating[in_random_order]]
        comes = view.uniform(1) < 0.5
        for host in hosts[: view.units]:
            invited = view.neighbours(host)
            view.reach(invited[comes[invited]])


def lonely(community):
    """People with the fewest ties first."""
    return -community.degree


def by_thanks(evidence):
    """Each line gets what participants say: one part for each who names it as what reached them last."""
    return [1 + thanks for thanks in evidence.named]
