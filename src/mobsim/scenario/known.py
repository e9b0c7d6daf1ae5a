"""Names of activities, targeting rules and policies: those that ship, and those that others registered.

What others registered (campaign/own.py) is looked for only where a name is not shipped: it looks through the
installed packages, and most scenarios need none of it.
"""

from __future__ import annotations

from mobsim.campaign.activity import POLICIES, shipped_activities
from mobsim.campaign.targeting import MAPPED, RULES
from mobsim.scenario.scenario import Scenario


def line_words(scenario: Scenario) -> tuple[str, ...]:
    """Return the activities that a line of an arm may name; surveys are bought by an arm, not by a line.

    Parameters
    ----------
    scenario : the resolved form.
    """
    from mobsim.campaign.own import own_activity_names

    shipped = (name for name, spec in shipped_activities().items() if spec.delivery != "survey")
    own = (name for name, spec in scenario.activities.items() if spec.delivery != "survey")
    return tuple(dict.fromkeys((*shipped, *own, *own_activity_names())))


def has_class(activity: str) -> bool:
    """Say whether a Python class is registered for an activity.

    Parameters
    ----------
    activity : name of the activity.
    """
    from mobsim.campaign.own import own_activity

    return own_activity(activity) is not None


def rule_words(rule: str) -> tuple[str, ...]:
    """Return the targeting rules that exist; without those of others if the rule ships.

    Parameters
    ----------
    rule : the rule that was named.
    """
    if rule in RULES:
        return RULES
    from mobsim.campaign.own import own_targeting_names

    return (*RULES, *own_targeting_names())


def needs_map(rule: str) -> bool:
    """Say whether a targeting rule needs the network map, which the arm has to pay for.

    Parameters
    ----------
    rule : name of a rule that exists.
    """
    if rule in RULES:
        return rule in MAPPED
    from mobsim.campaign.own import own_targeting_rule

    found = own_targeting_rule(rule)
    return found is not None and found.needs_map


def policy_words(policy: str) -> tuple[str, ...]:
    """Return the policies that exist; without those of others if the policy ships.

    Parameters
    ----------
    policy : the policy that was named.
    """
    if policy in POLICIES:
        return POLICIES
    from mobsim.campaign.own import own_policy_names

    return (*POLICIES, *own_policy_names())
