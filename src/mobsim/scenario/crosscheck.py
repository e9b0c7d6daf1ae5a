"""What must fit together in a scenario, beyond single values. Each check yields places and sentences."""

from __future__ import annotations

from mobsim.scenario.cross_campaign import campaign_complaints
from mobsim.scenario.cross_community import community_complaints
from mobsim.scenario.document import Document
from mobsim.scenario.faults import Fault, text_of
from mobsim.scenario.memory import memory_complaints
from mobsim.scenario.scenario import Scenario


def cross_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Return everything that does not fit together.

    Parameters
    ----------
    scenario : the resolved form.
    document : the file it comes from, for the lines.
    """
    complaints = [*community_complaints(scenario), *campaign_complaints(scenario)]
    if not complaints:
        complaints = list(memory_complaints(scenario))
    return [document.fault(path, f"{text_of(path)}{sentence}") for path, sentence in complaints]


def behaviour_fits(scenario: Scenario) -> bool:
    """Say whether a scenario fits together that did so with other values of `behaviour`.

    Parameters
    ----------
    scenario : the resolved form.

    Notes
    -----
    Of all checks only those of the world read `behaviour`; a test holds this.
    """
    return not any(True for _ in community_complaints(scenario))
