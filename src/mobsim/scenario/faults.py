"""Faults of a scenario: one sentence each with its line; the first is the error, `mobsim check` shows all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobsim.errors import ScenarioError

Path = tuple[str | int, ...]
"""Where a value stands: keys and positions from the top, such as ("arms", "outreach", "activities", 0)."""


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake: the line it stands on (0: nowhere in particular) and what to say about it."""

    line: int
    sentence: str


class InvalidScenario(ScenarioError):
    """A scenario with faults; its text is the first one's sentence.

    Parameters
    ----------
    file : name of the file as the user gave it, empty for data that come from no file.
    faults : at least one.
    """

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        self.sentences = tuple(dict.fromkeys(sentence_of(file, fault) for fault in sorted(faults)))
        super().__init__(self.sentences[0])


def sentence_of(file: str, fault: Fault) -> str:
    """Put file and line before a fault's sentence.

    Parameters
    ----------
    file : name of the file, may be empty.
    fault : the fault.

    Examples
    --------
    >>> sentence_of("x.yaml", Fault(3, "title is missing"))
    'x.yaml, line 3: title is missing'
    """
    if not file:
        return fault.sentence
    return f"{file}, line {fault.line}: {fault.sentence}" if fault.line else f"{file}: {fault.sentence}"


def text_of(path: Iterable[str | int]) -> str:
    """Write a path as a person would.

    Parameters
    ----------
    path : keys and positions.

    Examples
    --------
    >>> text_of(("arms", "outreach", "activities", 0, "share"))
    'arms.outreach.activities[0].share'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: object) -> str:
    """Show a value that was found, shortly.

    Parameters
    ----------
    value : anything a scenario file can hold.

    Examples
    --------
    >>> shown(True), shown(None), shown("ring"), shown([1, 2])
    ('true', 'empty', "'ring'", 'a list')
    """
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return str(value)


MISSING: Final = object()
"""What `inside` returns where nothing stands."""


def inside(value: Any, part: str | int) -> Any:
    """Return what stands in a mapping under a key, or in a list at a position; MISSING if nothing does.

    Parameters
    ----------
    value : plain data.
    part : a key or a position.

    Examples
    --------
    >>> inside({"a": 1}, "a"), inside([5], 0), inside([5], "a") is MISSING
    (1, 5, True)
    """
    if isinstance(value, dict):
        return value.get(part, MISSING)
    if isinstance(value, list | tuple) and isinstance(part, int) and 0 <= part < len(value):
        return value[part]
    return MISSING
