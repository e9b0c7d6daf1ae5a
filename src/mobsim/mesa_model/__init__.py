"""The same model as a Mesa model with agents that are views on the engine's arrays.

The names below are loaded from their modules when they are first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobsim.mesa_model.agents import Leader as Leader
    from mobsim.mesa_model.agents import Organization as Organization
    from mobsim.mesa_model.agents import Resident as Resident
    from mobsim.mesa_model.model import MobilizationModel as MobilizationModel

_HOMES = {
    "Leader": "mobsim.mesa_model.agents",
    "MobilizationModel": "mobsim.mesa_model.model",
    "Organization": "mobsim.mesa_model.agents",
    "Resident": "mobsim.mesa_model.agents",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
