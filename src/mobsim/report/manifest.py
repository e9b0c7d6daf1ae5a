"""The manifest: everything that is needed to run a study again, and nothing that changes when one does.

Times, paths and the name of the machine are left out; they go to a log beside the results.
"""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mobsim.analysis.study import Study
from mobsim.scenario.dump import plain

SCHEMA_VERSION = 1

PACKAGES = (
    "numpy", "numba", "llvmlite", "scipy", "pandas", "matplotlib", "networkx", "mesa", "pydantic", "jinja2",
)  # fmt: skip
"""Packages whose versions are recorded."""

DIGITS = 12
"""Length of a digest in the name of a folder."""


def manifest_of(study: Study) -> dict[str, Any]:
    """Return the manifest of a study as dicts, lists and scalars."""
    decides = _what_decides(study)
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": _digest(decides),
        **decides,
        "seed": study.scenario.seed,
        "runs": len(study.runs),
        "environment": {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "system": platform.system(),
            "machine": platform.machine(),
            "packages": {name: _version(name) for name in PACKAGES},
        },
    }


def digest_of(study: Study) -> str:
    """Return the digest of all that decides the numbers: 12 hexadecimal digits, the name of the folder."""
    return _digest(_what_decides(study))[:DIGITS]


def _what_decides(study: Study) -> dict[str, Any]:
    return {
        "mobsim": _version("mobsim"),
        "model_class": study.model_class,
        "replicates": {
            "communities": study.comparison.communities,
            "luck": study.comparison.luck,
            "until": study.until,
            "first_stage": study.first_stage,
        },
        "scenario": plain(study.scenario),
    }


def _digest(data: dict[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, sort_keys=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
