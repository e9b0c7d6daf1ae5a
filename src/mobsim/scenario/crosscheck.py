"""What must fit together in a scenario, beyond single values."""

from __future__ import annotations

from mobsim.scenario.document import Document
from mobsim.scenario.faults import Fault
from mobsim.scenario.scenario import Scenario


def cross_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Return everything that does not fit together.

    Parameters
    ----------
    scenario : the resolved form.
    document : the file it comes from, for the lines.
    """
    return []
