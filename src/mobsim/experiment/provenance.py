"""What a sweep's results come from: the record that a ledger keeps, and the manifest made of it.

The record is plain data that JSON can hold. `record_of` makes it of a plan, `plan_of` makes the plan again,
so that a ledger can be read, and any of its runs run again, without the files it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobsim.experiment.plan import SweepPlan

SCHEMA_VERSION = 1


def record_of(plan: SweepPlan) -> dict[str, Any]:
    """Return what a ledger keeps about its plan: the manifest, the document, points and tasks.

    Parameters
    ----------
    plan : the plan of a sweep.
    """
    raise NotImplementedError


def plan_of(record: Mapping[str, Any]) -> SweepPlan:
    """Return the plan that a record was made of.

    Parameters
    ----------
    record : what a ledger keeps.
    """
    raise NotImplementedError


def manifest_of(plan: SweepPlan) -> dict[str, Any]:
    """Return the manifest of a sweep: what decides its numbers, and the environment apart from that.

    Parameters
    ----------
    plan : the plan of a sweep.
    """
    raise NotImplementedError
