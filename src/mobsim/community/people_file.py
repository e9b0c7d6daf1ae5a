"""People and ties from CSV files: every fault is one sentence that names the file and the line.

Files are UTF-8 with a header. Columns that are not known are refused: a misspelled column would otherwise
be ignored in silence, and names or addresses of real people do not belong in the model.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from mobsim.community.network import FromFiles
from mobsim.community.ties import MOST_WEIGHT, Ties, whole_weight, written_ties
from mobsim.errors import ScenarioError, nearest

PEOPLE_COLUMNS = ("id", "group", "leader", "leaning", "threshold", "neighbourhood", "participating")
TIES_COLUMNS = ("from", "to", "weight", "transmission")
YES = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
LEANINGS = {"-1": -1, "opposed": -1, "0": 0, "neutral": 0, "1": 1, "+1": 1, "supportive": 1}

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class People:
    """What a people file says; None where it has no such column.

    ids : ids in the order of the file, which is the order of the residents.
    group : (n_residents,) uint8; leader : bool; leaning : int8; threshold : float64, as written.
    neighbourhood : int32, numbered as they first appear; participating : bool.
    """

    ids: tuple[str, ...]
    group: npt.NDArray[np.uint8] | None
    leader: npt.NDArray[np.bool_] | None
    leaning: npt.NDArray[np.int8] | None
    threshold: npt.NDArray[np.float64] | None
    neighbourhood: npt.NDArray[np.int32] | None
    participating: npt.NDArray[np.bool_] | None


class _Table:
    """The rows of a CSV file as text, by column, with the line on which each stands."""

    def __init__(self, name: str, text: str, required: Sequence[str], allowed: Sequence[str]) -> None:
        self.name = name
        self.columns: dict[str, list[str]] = {}
        self.lines: list[int] = []
        rows = self._rows(text)
        header = next(rows, None)
        if header is None:
            raise ScenarioError(
                f"{name}: the file is empty; its first line must name the columns, {_list(allowed)}"
            )
        self._check_header([word.strip() for word in header[1]], required, allowed)
        cells: list[list[str]] = [[] for _ in self.columns]
        for line, row in rows:
            if len(row) != len(cells):
                self._fault(line, f"{len(row)} values were found; the header names {len(cells)} columns")
            self.lines.append(line)
            for column, cell in zip(cells, row, strict=True):
                column.append(cell.strip())
        self.columns = dict(zip(self.columns, cells, strict=True))

    def _rows(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Yield line numbers and cells, without empty lines."""
        reader = csv.reader(text.splitlines(keepends=True), strict=True)
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row
        except csv.Error as error:
            self._fault(reader.line_num, f"this is not CSV ({error})")

    def _check_header(self, header: list[str], required: Sequence[str], allowed: Sequence[str]) -> None:
        for column in header:
            if column not in allowed:
                hint = nearest(column, allowed)
                self._fault(1, f"unknown column '{column}'; allowed are {_list(allowed)}{hint}")
            if column in self.columns:
                self._fault(1, f"the column '{column}' stands twice")
            self.columns[column] = []
        for column in required:
            if column not in self.columns:
                self._fault(1, f"there is no column '{column}'; found are {_list(header)}")

    def _fault(self, line: int, what: str) -> NoReturn:
        raise ScenarioError(f"{self.name}, line {line}: {what}")

    def fault(self, row: int, what: str) -> NoReturn:
        """Raise an error about a row, counted from 0 without the header."""
        self._fault(self.lines[row], what)

    def read(self, column: str, convert: Callable[[str], Value | None], allowed: str) -> list[Value] | None:
        """Convert a column, None if there is none; a cell that `convert` answers with None is a fault."""
        if column not in self.columns:
            return None
        values = []
        for row, cell in enumerate(self.columns[column]):
            value = convert(cell)
            if value is None:
                self.fault(row, f"{column} is '{cell}'; allowed is {allowed}")
            values.append(value)
        return values


def _list(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _number(low: float, high: float) -> Callable[[str], float | None]:
    """Make a converter of numbers between two bounds; anything else is None."""

    def convert(cell: str) -> float | None:
        try:
            value = float(cell)
        except ValueError:
            return None
        return value if math.isfinite(value) and low <= value <= high else None

    return convert


def _read_text(name: str, folder: Path | None, expected_sha256: str | None) -> str:
    """Read a file relative to the scenario's folder, and check that it is the one that was resolved."""
    path = (folder or Path()) / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{name}: the file cannot be read ({error.strerror})") from None
    if expected_sha256 is not None and sha256(content).hexdigest() != expected_sha256:
        raise ScenarioError(
            f"{name}: the file is not the one the scenario was resolved with (its sha256 differs); "
            "restore it, or resolve the scenario again"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScenarioError(f"{name}, line {line}: this is not UTF-8 text; save the file as UTF-8") from None


def read_people(spec: FromFiles, group_names: Sequence[str], folder: Path | None = None) -> People:
    """Read the people file.

    Parameters
    ----------
    spec : which files.
    group_names : names of the groups that the scenario declares.
    folder : where the file is; None: the current folder.

    Raises
    ------
    ScenarioError
        If the file cannot be read, or says something that is not allowed.
    """
    table = _Table(spec.people, _read_text(spec.people, folder, spec.people_sha256), ("id",), PEOPLE_COLUMNS)
    ids = table.columns["id"]
    if not ids:
        raise ScenarioError(f"{spec.people}: there are no people below the header")
    seen: dict[str, int] = {}
    for row, name in enumerate(ids):
        if not name:
            table.fault(row, "the id is empty")
        if name in seen:
            table.fault(row, f"the id '{name}' stands twice (first on line {table.lines[seen[name]]})")
        seen[name] = row
    group = _read_groups(table, group_names)
    leader = table.read("leader", lambda cell: YES.get(cell.lower()), "0 or 1")
    leaning = table.read("leaning", lambda cell: LEANINGS.get(cell.lower() or "0"), "-1, 0 or 1")
    threshold = table.read("threshold", _number(-10, 1e9), "a number from -10")
    participating = table.read("participating", lambda cell: YES.get(cell.lower()), "0 or 1")
    _check_roles(table, leader, leaning, participating)
    return People(
        ids=tuple(ids),
        group=None if group is None else np.array(group, np.uint8),
        leader=None if leader is None else np.array(leader, np.bool_),
        leaning=None if leaning is None else np.array(leaning, np.int8),
        threshold=None if threshold is None else np.array(threshold, np.float64),
        neighbourhood=_read_neighbourhoods(table),
        participating=None if participating is None else np.array(participating, np.bool_),
    )


def _read_groups(table: _Table, names: Sequence[str]) -> list[int] | None:
    index = {name: g for g, name in enumerate(names)}
    for row, cell in enumerate(table.columns.get("group", [])):
        if cell not in index:
            hint = nearest(cell, names)
            table.fault(row, f"unknown group '{cell}'; the scenario has {_list(list(names))}{hint}")
    return table.read("group", index.get, "a group of the scenario")


def _read_neighbourhoods(table: _Table) -> npt.NDArray[np.int32] | None:
    if "neighbourhood" not in table.columns:
        return None
    index: dict[str, int] = {}
    return np.array([index.setdefault(cell, len(index)) for cell in table.columns["neighbourhood"]], np.int32)


def _check_roles(
    table: _Table, leader: list[bool] | None, leaning: list[int] | None, participating: list[bool] | None
) -> None:
    """Refuse leanings of those who do not lead, and opposed leaders who participate."""
    for row, lean in enumerate(leaning or []):
        if lean and not (leader and leader[row]):
            table.fault(row, "a leaning is given for somebody who is not a leader; only leaders lean")
        if lean < 0 and participating and participating[row]:
            table.fault(row, "an opposed leader participates; opposed leaders cannot take part")


def read_ties(spec: FromFiles, ids: Sequence[str], folder: Path | None = None) -> Ties:
    """Read the ties file.

    Parameters
    ----------
    spec : which files, and whether a row is one direction only.
    ids : ids of the people file, in the order of the residents.
    folder : where the file is; None: the current folder.

    Raises
    ------
    ScenarioError
        If the file cannot be read, or says something that is not allowed.
    """
    table = _Table(spec.ties, _read_text(spec.ties, folder, spec.ties_sha256), ("from", "to"), TIES_COLUMNS)
    position = {name: k for k, name in enumerate(ids)}
    ends: dict[str, list[int]] = {"from": [], "to": []}
    for column, found in ends.items():
        for row, cell in enumerate(table.columns[column]):
            if cell not in position:
                table.fault(
                    row, f"'{cell}' in column '{column}' is not an id of {spec.people}{nearest(cell, ids)}"
                )
            found.append(position[cell])
    _check_pairs(table, ends["from"], ends["to"], directed=spec.directed)
    weight = table.read("weight", _number(0, MOST_WEIGHT), f"a number from 0 to {MOST_WEIGHT}")
    transmission = table.read("transmission", _number(0, 1), "a number from 0 to 1")
    return written_ties(
        np.array(ends["from"], np.int64),
        np.array(ends["to"], np.int64),
        None if weight is None else np.array([whole_weight(w) for w in weight], np.int64),
        None if transmission is None else np.array(transmission, np.float64),
        directed=spec.directed,
        n_residents=len(ids),
    )


def _check_pairs(table: _Table, origins: list[int], targets: list[int], *, directed: bool) -> None:
    """Refuse ties to oneself and ties that stand twice."""
    seen: dict[tuple[int, int], int] = {}
    for row, (a, b) in enumerate(zip(origins, targets, strict=True)):
        names = f"'{table.columns['from'][row]}' and '{table.columns['to'][row]}'"
        if a == b:
            table.fault(row, f"'{table.columns['from'][row]}' is tied to itself")
        pair = (a, b) if directed else (min(a, b), max(a, b))
        if pair in seen:
            table.fault(row, f"the tie of {names} stands twice (first on line {table.lines[seen[pair]]})")
        seen[pair] = row
