"""What every test shares: compiled kernels that are never stale, and Hypothesis without deadlines."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import settings

KERNELS = Path(__file__).parent / "src" / "mobsim" / "kernels"


def _digest_of_kernels() -> str:
    """Digest the sources of all kernels: Numba looks only at a kernel's own file, not at those it calls."""
    digest = hashlib.sha256()
    for file in sorted(KERNELS.glob("*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


# Set before anything imports Numba; commands that tests start inherit it, and so do pytest-xdist's workers.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(__file__).parent / ".pytest_cache" / "numba" / _digest_of_kernels())
)

# Compiling the first time may take seconds. In CI the examples are the same every time.
settings.register_profile("mobsim", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("mobsim")


@pytest.fixture(scope="session")
def validation_cases() -> Path:
    """Return the folder with the published cases (S01 … S13), or skip where there is none."""
    folder = os.environ.get("MOBSIM_VALIDATION_DATA")
    cases = Path(folder) / "cases" if folder else None
    if cases is None or not cases.is_dir():
        pytest.skip("the published cases are not here; set MOBSIM_VALIDATION_DATA to their folder")
    return cases
