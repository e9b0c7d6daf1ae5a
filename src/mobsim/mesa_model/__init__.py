"""The same model as a Mesa model with agents that are views on the engine's arrays.

The names below are loaded from their modules when they are first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobsim.kernels.streams import DECIDE as DECIDE
    from mobsim.kernels.streams import LEADER_DECIDES as LEADER_DECIDES
    from mobsim.kernels.streams import ORGANIZATION_DECIDES as ORGANIZATION_DECIDES
    from mobsim.kernels.streams import WEEK as WEEK
    from mobsim.mesa_model.agents import Leader as Leader
    from mobsim.mesa_model.agents import Resident as Resident
    from mobsim.mesa_model.model import MobilizationModel as MobilizationModel
    from mobsim.mesa_model.organization import Organization as Organization

_HOMES = {
    "DECIDE": "mobsim.kernels.streams",
    "Leader": "mobsim.mesa_model.agents",
    "LEADER_DECIDES": "mobsim.kernels.streams",
    "MobilizationModel": "mobsim.mesa_model.model",
    "ORGANIZATION_DECIDES": "mobsim.kernels.streams",
    "Organization": "mobsim.mesa_model.organization",
    "Resident": "mobsim.mesa_model.agents",
    "WEEK": "mobsim.kernels.streams",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
