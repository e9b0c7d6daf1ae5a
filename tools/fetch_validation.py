"""Bring the published data that tests and studies compare with: `python3 tools/fetch_validation.py FOLDER`.

Data of others is not kept in this repository. Each file is taken from the folder that MOBSIM_VALIDATION_DATA
names, if it is there, else from its public address, and written only if its content has the hash below. Set
MOBSIM_VALIDATION_DATA=FOLDER afterwards. What cannot be had is named with the reason, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

NETDIFFUSER = "https://github.com/USCCANA/netdiffuseR/raw/f16350e503126db0f8f3384ce8afcbefde28f83d/data/"
INFLUENCE = "https://github.com/nd7141/influence-maximization/raw/b57dc02f/"
WEIGHTED = "https://github.com/snowgy/Influence_Maximization/raw/a7df248c/test_data/NetHEPT.txt"


@dataclass(frozen=True)
class Item:
    """One file: its path below the folder, the hash of its content (unpacked if .gz), its address if any."""

    path: str
    sha256: str
    address: str | None = None


ITEMS = [
    # Korean Family Planning (Rogers & Kincaid 1981), as netdiffuseR (MIT) has it; cite also Valente (1995).
    Item(
        "data/netdiffuseR/kfamily.rdata",
        "b1b07eec22b5f2dd58cc8230553ba0669a615bdf7db5619281954b55de52a24b",
        NETDIFFUSER + "kfamily.rdata",
    ),
    Item(
        "data/netdiffuseR/kfamilyDiffNet.rdata",
        "88c93e412fb7888dcb7f55c603de435feb6c735ff0499a9f3f7a462d988e5f0e",
        NETDIFFUSER + "kfamilyDiffNet.rdata",
    ),
    # The same survey as tables, made from the two files above.
    Item(
        "data/netdiffuseR/kfamily_nodes.csv",
        "a739cad1022438653f863a213e9e1ed69566f6adee3a5bd7b98a05879d20682e",
    ),
    Item(
        "data/netdiffuseR/kfamily_edges.csv",
        "ed0d35aeba5f6977f35d4cb913b2bea72c8f0f5687b6925c64e67bec71857a8d",
    ),
    Item(
        "data/netdiffuseR/kfamily_nodes_full.csv.gz",
        "f652f9b019e734a2758bf9fe87fcce28d12f3919f4dbd38adeff217ad755584a",
    ),
    # NetHEPT (Chen, Wang & Yang 2009): public research data without a stated licence.
    Item(
        "data/nethept/nethept_hep.txt.gz",
        "3d354accc3ba555e37f29e4f4f773c0bae7cda388cf7756fdf4d1b5f6b73230e",
        INFLUENCE + "graphdata/hep.txt",
    ),
    Item(
        "data/nethept/nethept_directed_wc_snowgy.txt.gz",
        "4c23365d4bd6b00756cee0291a66b4c0a28613e381ae0f89f1890fc52212fe86",
        WEIGHTED,
    ),
    Item(
        "data/nethept/degree_discount_seeds_nd7141.txt",
        "de340fc64b898e17205a5ec31de7d4421e0f5cdbc320c58a8c8dfdcdf49ac8d4",
        INFLUENCE + "IC/degreeDiscountIC.txt",
    ),
]


class UnavailableError(Exception):
    """One file could not be brought; its text says why."""


def content_of(path: Path) -> bytes:
    """Return what a file holds, unpacked if its name ends in .gz."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def download(address: str) -> bytes:
    """Return what stands at an address."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError) as error:
        raise UnavailableError(f"{address} could not be read ({error})") from None


def bring(item: Item, folder: Path, nearby: Path | None) -> str:
    """Bring one file into the folder and return where it came from; write nothing if its hash is wrong."""
    target = folder / item.path
    if target.is_file() and hashlib.sha256(content_of(target)).hexdigest() == item.sha256:
        return "already there"
    if nearby is not None and (nearby / item.path).is_file():
        origin, content = str(nearby / item.path), content_of(nearby / item.path)
    elif item.address is not None:
        origin, content = item.address, download(item.address)
    else:
        raise UnavailableError(
            "made from other files and kept by the project's authors; it has no public address"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != item.sha256:
        raise UnavailableError(f"{origin} has the hash {found}, not {item.sha256}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(gzip.compress(content, mtime=0) if target.suffix == ".gz" else content)
    part.replace(target)
    return origin


def bring_cases(folder: Path, nearby: Path | None) -> int:
    """Copy the published cases and what other programs printed (no public address); return how many cases."""
    if nearby is None or not (nearby / "cases").is_dir():
        return 0
    for place in ("cases", "peers"):
        for path in sorted((nearby / place).rglob("*")):
            target = folder / path.relative_to(nearby)
            if path.is_file() and path.resolve() != target.resolve():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    return len(list((folder / "cases").glob("*.json")))


def main() -> int:
    """Bring everything that can be had; return 1 if something could not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", type=Path, help="where to put the data; outside the repository, or git-ignored"
    )
    folder = parser.parse_args().folder
    named = os.environ.get("MOBSIM_VALIDATION_DATA")
    nearby = Path(named) if named else None
    missing = 0
    for item in ITEMS:
        try:
            print(f"{item.path}: {bring(item, folder, nearby)}")
        except UnavailableError as reason:
            missing += 1
            print(f"{item.path}: not brought: {reason}", file=sys.stderr)
    print(f"cases: {bring_cases(folder, nearby)} files")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
