"""Compare training, advocacy and outreach strategies that mobilize a community under a budget.

The names below are the public ones. Each is loaded from its module when it is first asked for, so that
`import mobsim` costs next to nothing and a command loads only what it uses.

Examples
--------
>>> import mobsim
>>> "compare" in dir(mobsim)
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobsim.errors import MobsimError as MobsimError

# Public name -> the module that defines it.
_HOMES = {
    "Comparison": "mobsim.analysis.compare",
    "Community": "mobsim.community.community",
    "Design": "mobsim.experiment.design",
    "Leader": "mobsim.mesa_model.agents",
    "MobilizationModel": "mobsim.mesa_model.model",
    "MobsimError": "mobsim.errors",
    "Organization": "mobsim.mesa_model.agents",
    "OwnActivity": "mobsim.campaign.own",
    "Records": "mobsim.engine.records",
    "Resident": "mobsim.mesa_model.agents",
    "Scenario": "mobsim.scenario",
    "Spread": "mobsim.engine.spread",
    "SweepOutcome": "mobsim.experiment.sweep",
    "SweepPlan": "mobsim.experiment.plan",
    "SweepResults": "mobsim.experiment.results",
    "best_map": "mobsim.analysis.best_map",
    "build": "mobsim.engine.run",
    "build_community": "mobsim.community.build",
    "calibrate": "mobsim.analysis.calibration.calibrate",
    "choose_seeds": "mobsim.engine.seeds",
    "compare": "mobsim.analysis.study",
    "convergence": "mobsim.analysis.convergence",
    "describe_diffusion": "mobsim.analysis.diffusion.describe",
    "discover": "mobsim.analysis.discovery",
    "exposure_effects": "mobsim.analysis.diffusion.hazard",
    "load_design": "mobsim.experiment.design",
    "load_results": "mobsim.experiment.results",
    "load_scenario": "mobsim.scenario",
    "merge": "mobsim.experiment.merge",
    "plan_sweep": "mobsim.experiment.plan",
    "read_diffusion": "mobsim.analysis.diffusion.data",
    "register_activity": "mobsim.campaign.own",
    "register_policy": "mobsim.campaign.own",
    "register_targeting": "mobsim.campaign.own",
    "rerun": "mobsim.experiment.again",
    "sensitivity": "mobsim.analysis.sensitivity",
    "simulate": "mobsim.engine.run",
    "spread": "mobsim.engine.spread",
    "surface": "mobsim.analysis.surface",
    "sweep": "mobsim.experiment.sweep",
    "tornado": "mobsim.analysis.tornado",
    "verify": "mobsim.experiment.again",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name from its module, once."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("mobsim")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'mobsim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
