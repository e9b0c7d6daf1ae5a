"""Files that a scenario names: people and ties from CSV enter its resolved form through their sha256."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

from mobsim.errors import ScenarioError
from mobsim.scenario.document import Document
from mobsim.scenario.faults import Fault, Path, shown

WHERE: Path = ("community", "network")
MOST_BYTES = 2_000_000_000


def with_files(whole: dict[str, Any], document: Document) -> tuple[dict[str, Any], list[Fault]]:
    """Return the resolved form with the digests of its files and its residents counted, and what is wrong.

    Parameters
    ----------
    whole : the completed form; without network of kind files it is returned as it is.
    document : the scenario file; its folder is where relative names start.
    """
    community = whole.get("community")
    network = community.get("network") if isinstance(community, dict) else None
    if not isinstance(network, dict) or network.get("kind") != "files":
        return whole, []
    if not all(isinstance(network.get(key), str) for key in ("people", "ties")):
        return whole, []
    faults, digests = [], {}
    for key in ("people", "ties"):
        content, fault = _content(network[key], key, document)
        faults += [fault] if fault else []
        digests[f"{key}_sha256"] = network.get(f"{key}_sha256", sha256(content).hexdigest())
    if faults or not isinstance(community, dict):
        return whole, faults
    whole = {**whole, "community": {**community, "network": {**network, **digests}}}
    return _with_people(whole, document)


def _content(name: str, key: str, document: Document) -> tuple[bytes, Fault | None]:
    path = (document.folder or FilePath()) / name
    text = f"community.network.{key} is {shown(name)}"
    try:
        if path.is_dir():
            return b"", document.fault((*WHERE, key), f"{text}, a folder; allowed: a CSV file")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            return b"", document.fault(
                (*WHERE, key), f"{text}, larger than 2 GB; allowed: a smaller CSV file"
            )
        return path.read_bytes(), None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        return b"", document.fault(
            (*WHERE, key), f"{text}, which cannot be read ({reason}); allowed: a CSV file"
        )


def _with_people(whole: dict[str, Any], document: Document) -> tuple[dict[str, Any], list[Fault]]:
    """Read both files through, and fill in how many residents there are."""
    from mobsim.community.network import FromFiles
    from mobsim.community.people_file import read_people, read_ties

    community = whole["community"]
    groups = community["groups"]
    try:
        network = FromFiles.model_validate(community["network"], strict=True)
        people = read_people(network, tuple(groups) if isinstance(groups, dict) else (), document.folder)
        read_ties(network, people.ids, document.folder)
    except ScenarioError as error:
        return whole, [document.fault(WHERE, str(error))]
    except ValueError:  # the check of the whole form says it better
        return whole, []
    count = len(people.ids)
    given = community.get("residents", count)
    if given != count:
        sentence = f"community.residents is {shown(given)}; allowed: {count:,}, as in {shown(network.people)}"
        return whole, [document.fault(("community", "residents"), sentence)]
    return {**whole, "community": {**community, "residents": count}}, []
