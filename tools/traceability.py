"""Write docs/traceability.md from docs/traceability.yaml: `python tools/traceability.py`.

The file says for each concept of the mission's source text where it stands in the code, which shipped
scenario shows it, which output measures it and how it is switched off. tests/theory/test_traceability.py
walks it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
SOURCE, PAGE = DOCS / "traceability.yaml", DOCS / "traceability.md"

OPENING = """# Traceability: the mission's concepts and where they are

Written by `python tools/traceability.py` from `docs/traceability.yaml`; edit that file. The mission's source
text describes social mobilization by a definition and nine steps. One row for each of its concepts: **E**
rows are essential and must work, **U** rows are useful. Concepts that are out of scope stand at the end.

* *In the code*: names of modules and functions, or parameters as they stand in a scenario's resolved form
  (`*`: every entry; `[name]`: the entry of that name or kind).
* *Shown by*: a shipped scenario and one of its strategies. *Measured by*: a table and its column
  ([outcomes.md](outcomes.md)).
* *Switched off by*: what to set in that scenario to be without the concept.
  `tests/theory/test_traceability.py` does so for every row and asks that the output changes, with the same
  people and the same luck. That an output depends on a concept says nothing about how much.
"""


@dataclass(frozen=True)
class Showing:
    """Where a concept can be seen: a scenario and arm, an output, and what switches the concept off.

    scenario, arm : of a shipped file. output : table.column. off : path in the resolved form -> value.
    """

    scenario: str
    arm: str
    output: str
    off: Mapping[str, Any]

    @property
    def table(self) -> str:
        """The table of the output."""
        return self.output.partition(".")[0]

    @property
    def column(self) -> str:
        """The column of the output."""
        return self.output.partition(".")[2]


@dataclass(frozen=True)
class Row:
    """One concept."""

    number: str
    concept: str
    kind: str
    code: tuple[str, ...]
    shown: tuple[Showing, ...] = ()
    note: str = ""
    instead: str = ""

    @property
    def essential(self) -> bool:
        """Whether the concept, or a part of it, must work."""
        return "E" in self.kind


@dataclass(frozen=True)
class Awaited:
    """An arm that its scenario does not have yet: what only it would use, and what it would buy."""

    scenario: str
    arm: str
    uses: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Part:
    """The definition, or one of the nine steps."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Traceability:
    """All of docs/traceability.yaml."""

    parts: tuple[Part, ...]
    awaited: tuple[Awaited, ...]
    out_of_scope: tuple[str, ...]
    reason: str
    rows: tuple[Row, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(row for part in self.parts for row in part.rows))

    def awaits(self, scenario: str, arm: str) -> bool:
        """Whether a scenario is still to get an arm."""
        return any((arm_to_come.scenario, arm_to_come.arm) == (scenario, arm) for arm_to_come in self.awaited)


def read(source: Path = SOURCE) -> Traceability:
    """Return what the source file says."""
    from ruamel.yaml import YAML

    data = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    parts = tuple(Part(part["title"], tuple(_row(row) for row in part["rows"])) for part in data["parts"])
    beyond = data["out_of_scope"]
    awaited = tuple(Awaited(**{**arm, "uses": tuple(arm["uses"])}) for arm in data["awaited"] or ())
    return Traceability(parts, awaited, tuple(beyond["concepts"]), beyond["reason"])


def _row(data: dict[str, Any]) -> Row:
    shown = tuple(Showing(**entry) for entry in data.get("shown", ()))
    return Row(**{**data, "code": tuple(data["code"]), "shown": shown})


def page(found: Traceability) -> str:
    """Return docs/traceability.md."""
    lines = [OPENING]
    for part in found.parts:
        lines += [f"## {part.title}", ""]
        lines += ["| row | concept | kind | in the code | shown by | measured by | switched off by |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_line(row, found) for row in part.rows]
        lines += [""]
    if found.awaited:
        lines += ["## Awaited", "", "Strategies that no scenario has yet:", ""]
        lines += [f"* `{arm.scenario}`, {arm.arm}: {arm.what}" for arm in found.awaited]
        lines += [""]
    lines += ["## Out of scope (O)", "", f"Left out deliberately; {found.reason}:", ""]
    lines += [f"* {concept}" for concept in found.out_of_scope]
    return "\n".join(lines) + "\n"


def _line(row: Row, found: Traceability) -> str:
    concept = row.concept + (f" ({row.note})" if row.note else "")
    code = ", ".join(f"`{name}`" for name in row.code)
    if not row.shown:
        return f"| {row.number} | {concept} | {row.kind} | {code} | **not built**: {row.instead} | | |"
    shown = _each(_shown(case, found) for case in row.shown)
    outputs = _each(f"`{case.output}`" for case in row.shown)
    off = _each(", ".join(f"`{path}` = {_value(v)}" for path, v in case.off.items()) for case in row.shown)
    return f"| {row.number} | {concept} | {row.kind} | {code} | {shown} | {outputs} | {off} |"


def _shown(case: Showing, found: Traceability) -> str:
    awaited = " (awaited)" if found.awaits(case.scenario, case.arm) else ""
    return f"`{case.scenario}`, {case.arm}{awaited}"


def _each(cells: Iterable[str]) -> str:
    """Put the cells of several showings below each other, numbered so that they can be told apart."""
    several = list(cells)
    if len(several) == 1:
        return several[0]
    return "<br>".join(f"({number}) {cell}" for number, cell in enumerate(several, 1))


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict | list):
        return f"`{json.dumps(value)}`"
    if isinstance(value, bool):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(read()), encoding="utf-8")
