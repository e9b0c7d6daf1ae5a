"""Where numbers come from: every number a scenario file sets carries a tag in a comment.

`[V ...]` read in a source, `[P ...]` seen in a prototype, `[A ...]` an assumption, `[C ...]` set by a
calibration. The tag stands on the number's line, or on the line of a key around it; then it covers the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mobsim.scenario.document import Document
from mobsim.scenario.faults import Fault, Path, inside, text_of

TAG = re.compile(r"\[[VPAC](?![A-Za-z0-9])[^\]]*\]")
EXEMPT = ("schema_version", "seed", "replicates", "calibration")


def collect_tags(document: Document) -> tuple[dict[str, str], list[Fault]]:
    """Return the tag of each number that a file sets, by path, and a fault for each number without one."""
    tags: dict[str, str] = {}
    faults = []
    for path, number in _numbers(document.data, ()):
        if path[0] in EXEMPT or _has_source(document.data, path):
            continue
        tag = _tag_of(document, path)
        if tag:
            tags[text_of(_without_position(document.data, path))] = tag
        else:
            faults.append(document.fault(path, _untagged(path, number)))
    return tags, faults


def _without_position(data: Any, path: Path) -> Path:
    """A list of nothing but values has one tag, its last value's."""
    for place, part in enumerate(path):
        if isinstance(data, list) and not isinstance(data[0], dict):
            return path[:place]
        data = inside(data, part)
    return path


def _numbers(value: Any, path: Path) -> Iterator[tuple[Path, int | float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _numbers(inner, (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def _has_source(data: dict[str, Any], path: Path) -> bool:
    """Bands of a check name their source in words."""
    if path[0] != "check" or len(path) < 3:
        return False
    checks, place = data["check"], path[1]
    entry = checks[place] if isinstance(checks, list) and isinstance(place, int) else None
    return isinstance(entry, dict) and bool(entry.get("source"))


def _tag_of(document: Document, path: Path) -> str:
    """Return the comment with a tag on the value's line, or on the line of the nearest key around it."""
    for length in range(len(path), 0, -1):
        is_value_or_key = length == len(path) or isinstance(path[length - 1], str)
        comment = document.comments.get(document.lines.get(path[:length], 0), "")
        if is_value_or_key and TAG.search(comment):
            return comment
    return ""


def _untagged(path: Path, number: float) -> str:
    advice = "put a tag such as '# [A] why' on this line or on the line of the block it stands in"
    return f"{text_of(path)} is {number} without a provenance tag; {advice}"
