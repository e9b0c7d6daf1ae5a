"""What a sweep's results come from: the record that a ledger keeps, and the manifest in it.

The record is plain data that JSON can hold. `record_of` makes it of a plan, `plan_of` makes the plan again,
so that a ledger can be read, and any of its runs run again, without the files it came from. The manifest
holds nothing that changes when the same plan is made again on the same machine: no time, no path, no name.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from mobsim.errors import ResultsError

if TYPE_CHECKING:
    from mobsim.experiment.plan import SweepPlan

SCHEMA_VERSION = 1
"""Of the record and the manifest."""

PACKAGES = (
    "numpy", "numba", "llvmlite", "scipy", "pandas", "matplotlib", "networkx", "mesa", "pydantic", "jinja2",
)  # fmt: skip
"""Packages whose versions are recorded."""

MADE_WITH = (*PACKAGES, "SALib", "distributed")
"""The same for a sweep; those of extras are null where they are not installed."""


def record_of(plan: SweepPlan) -> dict[str, Any]:
    """Return what a ledger keeps about its plan: the digest, the manifest, and the plan itself.

    Parameters
    ----------
    plan : the plan of a sweep.
    """
    from mobsim.experiment.plan import plan_record

    return {
        "schema_version": SCHEMA_VERSION,
        "digest": plan.digest,
        "manifest": manifest_of(plan),
        "plan": plan_record(plan),
    }


def plan_of(record: Mapping[str, Any]) -> SweepPlan:
    """Return the plan that a record was made of.

    Parameters
    ----------
    record : what a ledger keeps.

    Raises
    ------
    ResultsError : if a newer mobsim made the record.
    """
    from mobsim.experiment.plan import plan_from

    found = record.get("schema_version")
    if found != SCHEMA_VERSION:
        raise ResultsError(
            f"this ledger was made by another mobsim (format {found!r}); this one reads {SCHEMA_VERSION}"
        )
    return plan_from(record["plan"])


def manifest_of(plan: SweepPlan) -> dict[str, Any]:
    """Return the manifest of a sweep: what decides its numbers, and the environment apart from that.

    Parameters
    ----------
    plan : the plan of a sweep.
    """
    from mobsim.scenario.dump import plain

    return {
        "schema_version": SCHEMA_VERSION,
        "digest": plan.digest,
        "mobsim": version_of("mobsim"),
        "design": resolved_design(plan),
        "points": {"number": len(plan.points), "sha256": digest_of([dict(point) for point in plan.points])},
        "arms": list(plan.arms),
        "replicates": {"communities": list(plan.communities), "luck": list(plan.luck)},
        "scenario": plain(plan.base),
        "seed": plan.base.seed,
        "runs": plan.n_runs,
        "environment": environment(MADE_WITH),
    }


def resolved_design(plan: SweepPlan) -> dict[str, Any]:
    """Return the design as plain data with every default and name written in; it plans the same sweep.

    Parameters
    ----------
    plan : the plan of a sweep.
    """
    data: dict[str, Any] = plan.design.model_dump(mode="json")
    factors: dict[str, Any] = {}
    for (place, spec), factor in zip(data["factors"].items(), plan.factors, strict=True):
        listed = spec["values"] is not None
        left_out = ("scale", "whole") if listed else ()  # they say how a range is divided
        said = {key: value for key, value in spec.items() if value is not None and key not in left_out}
        factors[place] = said if "places" in said else said | {"name": factor.name}
    return data | {
        "arms": list(plan.arms),
        "replicates": {"communities": len(plan.communities), "luck": len(plan.luck)},
        "seed": plan.base.seed,
        "factors": factors,
    }


def environment(packages: tuple[str, ...] = PACKAGES) -> dict[str, Any]:
    """Return where results are computed: Python, system, kind of machine, versions of packages.

    Parameters
    ----------
    packages : names of packages; one that is not installed has no version.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "packages": {name: version_of(name) for name in packages},
    }


def version_of(package: str) -> str | None:
    """Return the version of an installed package, or None.

    Parameters
    ----------
    package : its name.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def digest_of(data: Any) -> str:
    """Return the sha256 of plain data as JSON, in 64 hexadecimal digits; the order of keys counts.

    Parameters
    ----------
    data : dicts, lists and scalars.
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, sort_keys=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def other_version(manifest: Mapping[str, Any]) -> str:
    """Return a sentence that names both versions if another mobsim made results, else an empty text.

    Parameters
    ----------
    manifest : of the results.
    """
    made, here = manifest.get("mobsim"), version_of("mobsim")
    if made == here:
        return ""
    return f"these results were made by mobsim {made}, and this is mobsim {here}: runs may differ"
