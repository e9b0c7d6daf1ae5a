"""The manifest: everything that is needed to run a study again, and nothing that changes when one does.

Times, paths and the name of the machine are left out; they go to a log beside the results.
"""

from __future__ import annotations

from typing import Any

from mobsim.analysis.study import Study
from mobsim.experiment.provenance import digest_of as data_digest
from mobsim.experiment.provenance import environment, version_of
from mobsim.scenario.dump import plain

SCHEMA_VERSION = 1

DIGITS = 12
"""Length of a digest in the name of a folder."""


def manifest_of(study: Study) -> dict[str, Any]:
    """Return the manifest of a study as dicts, lists and scalars."""
    decides = _what_decides(study)
    return {
        "schema_version": SCHEMA_VERSION,
        "digest": data_digest(decides),
        **decides,
        "seed": study.scenario.seed,
        "runs": len(study.runs),
        "environment": environment(),
    }


def digest_of(study: Study) -> str:
    """Return the digest of all that decides the numbers: 12 hexadecimal digits, the name of the folder."""
    return data_digest(_what_decides(study))[:DIGITS]


def _what_decides(study: Study) -> dict[str, Any]:
    return {
        "mobsim": version_of("mobsim"),
        "model_class": study.model_class,
        "replicates": {
            "communities": study.comparison.communities,
            "luck": study.comparison.luck,
            "until": study.until,
            "first_stage": study.first_stage,
        },
        "scenario": plain(study.scenario),
    }
