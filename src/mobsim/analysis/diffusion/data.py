"""Who adopted when and who named whom, from two CSV files: every fault is one sentence with file and line.

One row of the people file is a person, one row of the ties file says that ego names alter. Influence runs
from alter, who is named, to ego. Blank times mean: not adopted while observed.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from mobsim.errors import UsageError, nearest

if TYPE_CHECKING:
    import pandas as pd

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MISSING = frozenset({"", "na", "nan", "n/a", ".", "null", "none"})
"""Cells that say that nothing is known; in the column of times, that a person did not adopt."""

NEVER = MISSING | {"never", "inf", "infinity"}
"""Cells of the column of times that say that a person did not adopt while observed."""

EVERYBODY = "all"
"""The community of everybody where no column names communities."""

MOST_PERIODS = 10_000
"""More periods than this are taken for a mistake, such as dates written as numbers of days."""


@dataclass(frozen=True, eq=False)
class ObservedDiffusion:
    """Who adopted when, and who named whom.

    Attributes
    ----------
    ids : (n,) ids of people, in the order of the file; other arrays speak of people by their place in it.
    time : (n,) period of adoption from 1 to n_periods; 0: not adopted while observed.
    last_seen : (n,) last period in which the person was observed (right-censoring), 1 to n_periods.
    community : (n,) label of each person's community.
    covariates : n rows of further columns; NaN where nothing is known.
    ego, alter : (m,) places of who names and who is named; each pair stands once. Influence runs from alter
        to ego.
    value : (m,) value of each tie, above 0; how many rows name the pair where the file has no values.
    n_periods : periods that were observed.
    first_period : the label of period 1, such as 1964; period t has the label first_period + t − 1.
    left_out : ties of the file that name somebody who is not in the people file, or themselves.
    """

    ids: tuple[str, ...]
    time: Integers
    last_seen: Integers
    community: tuple[str, ...]
    covariates: pd.DataFrame
    ego: Integers
    alter: Integers
    value: Floats
    n_periods: int
    first_period: int = 1
    left_out: int = 0

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together."""
        n = len(self.ids)
        for name in ("time", "last_seen", "community", "covariates"):
            if len(getattr(self, name)) != n:
                raise UsageError(
                    f"{name}: found {len(getattr(self, name))} rows; allowed are {n}, one a person"
                )
        for name in ("alter", "value"):
            if len(getattr(self, name)) != len(self.ego):
                raise UsageError(f"{name}: found {len(getattr(self, name))} ties; ego has {len(self.ego)}")
        if n and not (self.time.min() >= 0 and self.time.max() <= self.n_periods):
            raise UsageError(f"time: found a period outside 0 to {self.n_periods}")
        if n and not (self.last_seen.min() >= 1 and self.last_seen.max() <= self.n_periods):
            raise UsageError(f"last_seen: found a period outside 1 to {self.n_periods}")
        if np.any(self.time > self.last_seen):
            raise UsageError("last_seen: somebody adopts after the last period in which they were observed")
        for name in ("ego", "alter"):
            places = getattr(self, name)
            if len(places) and not (places.min() >= 0 and places.max() < n):
                raise UsageError(f"{name}: found a place outside 0 to {n - 1}")

    @property
    def adopted(self) -> npt.NDArray[np.bool_]:
        """(n,) whether a person adopted while observed."""
        return np.asarray(self.time > 0)

    @property
    def n_people(self) -> int:
        """How many people there are."""
        return len(self.ids)

    @property
    def n_ties(self) -> int:
        """How many pairs of people there are of whom one names the other."""
        return len(self.ego)

    @property
    def communities(self) -> tuple[str, ...]:
        """Labels of communities in the order of the file; of whole numbers, in their order."""
        labels = list(dict.fromkeys(self.community))
        return tuple(sorted(labels, key=int) if all(_is_whole(label) for label in labels) else labels)

    @property
    def place_of_community(self) -> Integers:
        """(n,) place of each person's community in `communities`."""
        place = {label: k for k, label in enumerate(self.communities)}
        return np.array([place[label] for label in self.community], np.int64)

    @property
    def periods(self) -> Integers:
        """(n_periods,) labels of periods."""
        return np.arange(self.first_period, self.first_period + self.n_periods, dtype=np.int64)


def read_diffusion(
    people: str | Path | pd.DataFrame,
    ties: str | Path | pd.DataFrame,
    *,
    id: str = "id",  # noqa: A002  # the name of a column, as all the others
    time: str = "time",
    community: str | None = None,
    ego: str = "ego",
    alter: str = "alter",
    value: str | None = None,
    never: int | None = None,
    first: int | None = None,
    last: int | None = None,
    last_seen: str | None = None,
    outside: Literal["refuse", "drop"] = "refuse",
) -> ObservedDiffusion:
    """Read who adopted when, and who named whom.

    Parameters
    ----------
    people, ties : CSV files with a header (UTF-8), or tables.
    id, time, community, last_seen : columns of the people file. Further columns become covariates.
    ego, alter, value : columns of the ties file: who names, who is named, how strongly (a number above 0).
        Without `value` a pair counts as often as it stands in the file; rows of one pair are added up.
    never : the number in `time` that means: not adopted (11 in the Korean data). Blank cells, NA and `never`
        always do.
    first, last : labels of the first and the last period. Default: the smallest and the largest in the file.
        Give them if nobody adopted in the first or last periods: the hazard depends on it.
    outside : what to do with ties that name somebody who is not in the people file, or ego itself: `refuse`,
        or `drop` them and count them.

    Returns
    -------
    ObservedDiffusion

    Raises
    ------
    UsageError
        With one sentence that names file, line, what was found and what is allowed.

    Examples
    --------
    >>> import pandas
    >>> people = pandas.DataFrame({"id": ["a", "b", "c"], "time": [1964, 1966, None]})
    >>> ties = pandas.DataFrame({"ego": ["b", "c"], "alter": ["a", "b"]})
    >>> data = read_diffusion(people, ties)
    >>> data.time.tolist(), data.n_periods, data.first_period
    ([1, 3, 0], 3, 1964)
    """
    if outside not in ("refuse", "drop"):
        raise UsageError(f"outside: found {outside!r}; allowed are 'refuse' and 'drop'")
    table = _table("people", people, "id", [id, time, *filter(None, (community, last_seen))])
    ids = _ids(table, id)
    when = table.numbers(time, NEVER, "a whole number, or blank for never")
    adopted = [None if found == never else found for found in when]
    start, end = _periods(table, time, adopted, when, first, last, never)
    times = np.array([0 if found is None else found - start + 1 for found in adopted], np.int64)
    n_periods = end - start + 1
    seen = np.full(len(ids), n_periods, np.int64)
    if last_seen is not None:
        seen = _last_seen(table, last_seen, times, start, end)
    labels = (EVERYBODY,) * len(ids) if community is None else _labels(table, community)
    used = {id, time, community, last_seen}
    links = _table("ties", ties, "ego", [ego, alter, *filter(None, (value,))])
    pairs, left_out = _ties(links, ids, table.name, ego, alter, value, outside)
    return ObservedDiffusion(
        ids=tuple(ids),
        time=times,
        last_seen=seen,
        community=labels,
        covariates=_covariates(table, [name for name in table.columns if name not in used]),
        ego=np.array([a for a, _ in pairs], np.int64),
        alter=np.array([b for _, b in pairs], np.int64),
        value=np.array(list(pairs.values()), np.float64),
        n_periods=n_periods,
        first_period=start,
        left_out=left_out,
    )


# Tables


class _Rows:
    """The cells of a table as text, by column, with the line on which each row stands."""

    def __init__(self, name: str, columns: dict[str, list[str]], lines: list[int], unit: str) -> None:
        self.name = name
        self.columns = columns
        self.lines = lines
        self.unit = unit

    def __len__(self) -> int:
        return len(self.lines)

    def fault(self, row: int, what: str) -> NoReturn:
        """Raise an error about a row, counted from 0 without the header."""
        raise UsageError(f"{self.name}, {self.unit} {self.lines[row]}: {what}")

    def numbers(self, column: str, missing: frozenset[str], allowed: str) -> list[int | None]:
        """Return whole numbers, None where a cell is among the missing words."""
        found: list[int | None] = []
        for row, cell in enumerate(self.columns[column]):
            if cell.lower() in missing:
                found.append(None)
                continue
            number = _number(cell)
            if number is None or not number.is_integer():
                self.fault(row, f"{column} is '{cell}'; allowed is {allowed}")
            found.append(int(number))
        return found


def _table(what: str, source: str | Path | pd.DataFrame, first: str, required: Sequence[str]) -> _Rows:
    rows = _from_file(Path(source)) if isinstance(source, str | Path) else _from_frame(what, source)
    known = list(rows.columns)
    for column in required:
        if column not in rows.columns:
            hint = nearest(column, known)
            listed = ", ".join(f"'{name}'" for name in known)
            line = f"{rows.name}, line 1" if rows.unit == "line" else rows.name
            raise UsageError(f"{line}: there is no column '{column}'; found are {listed}{hint}")
    if first == "id" and not len(rows):
        raise UsageError(f"{rows.name}: there are no people below the header")
    return rows


def _from_frame(what: str, frame: pd.DataFrame) -> _Rows:
    """Take the cells of a table; a whole number stays one though a gap made its column one of decimals."""
    if not hasattr(frame, "columns"):
        raise UsageError(f"{what}: found {type(frame).__name__}; allowed are the name of a file and a table")
    columns: dict[str, list[str]] = {}
    for name in frame.columns:
        gone = frame[name].isna().to_numpy()
        cells = frame[name].tolist()
        columns[str(name)] = ["" if no else _text(cell) for cell, no in zip(cells, gone, strict=True)]
    return _Rows(f"the table of {what}", columns, list(range(1, len(frame) + 1)), "row")


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _from_file(path: Path) -> _Rows:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path}: the file cannot be read ({reason})") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}: this is not UTF-8 text; save the file as UTF-8") from None
    rows = _rows_of(path, text)
    header = [word.strip() for word in next(rows, (0, []))[1]]
    if not header:
        raise UsageError(f"{path}: the file is empty; its first line must name the columns")
    for k, column in enumerate(header):
        if column in header[:k]:
            raise UsageError(f"{path}, line 1: the column '{column}' stands twice")
    cells: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    for line, row in rows:
        if len(row) != len(header):
            raise UsageError(
                f"{path}, line {line}: {len(row)} values were found; the header names {len(header)} columns"
            )
        lines.append(line)
        for column_of, cell in zip(cells, row, strict=True):
            column_of.append(cell.strip())
    return _Rows(str(path), dict(zip(header, cells, strict=True)), lines, "line")


def _rows_of(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and cells, without empty lines."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: this is not CSV ({error})") from None


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_whole(label: str) -> bool:
    return label.isascii() and label.isdigit()


# People


def _ids(table: _Rows, column: str) -> list[str]:
    ids = table.columns[column]
    seen: dict[str, int] = {}
    for row, name in enumerate(ids):
        if not name:
            table.fault(row, "the id is empty")
        if name in seen:
            table.fault(
                row, f"the id '{name}' stands twice (first on {table.unit} {table.lines[seen[name]]})"
            )
        seen[name] = row
    return ids


def _periods(
    table: _Rows,
    column: str,
    adopted: Sequence[int | None],
    when: Sequence[int | None],
    first: int | None,
    last: int | None,
    never: int | None,
) -> tuple[int, int]:
    """Return the labels of the first and the last period, and refuse times outside."""
    found = [label for label in adopted if label is not None]
    if not found and (first is None or last is None):
        raise UsageError(f"{table.name}: nobody adopts; give first and last, the labels of the periods")
    start, end = (min(found) if first is None else first), (max(found) if last is None else last)
    if end < start:
        raise UsageError(f"last: found {end}; allowed are labels of periods from {start}, the first")
    for row, label in enumerate(adopted):
        if label is not None and not start <= label <= end:
            allowed = f"{start} to {end}, or blank for never"
            table.fault(row, f"{column} is '{label}'; allowed are {allowed}")
    if end - start >= MOST_PERIODS:
        raise UsageError(
            f"{table.name}: the times of '{column}' span {end - start + 1:,} periods; allowed are at most "
            f"{MOST_PERIODS:,}; write them as years, months or weeks"
        )
    if never is not None and never not in when:
        raise UsageError(f"never: found {never}; no {column} in {table.name} has this value")
    return start, end


def _last_seen(table: _Rows, column: str, time: Integers, start: int, end: int) -> Integers:
    allowed = f"a whole number from {start} to {end}, or blank for {end}"
    seen = []
    for row, label in enumerate(table.numbers(column, MISSING, allowed)):
        label = end if label is None else label
        if not start <= label <= end:
            table.fault(row, f"{column} is '{label}'; allowed is {allowed}")
        if label - start + 1 < time[row]:
            table.fault(row, f"{column} is {label}, before the person adopts in {time[row] + start - 1}")
        seen.append(label - start + 1)
    return np.array(seen, np.int64)


def _labels(table: _Rows, column: str) -> tuple[str, ...]:
    for row, label in enumerate(table.columns[column]):
        if label.lower() in MISSING:
            table.fault(row, f"{column} is '{label}'; allowed is the name of a community for everybody")
    return tuple(table.columns[column])


def _covariates(table: _Rows, names: Sequence[str]) -> pd.DataFrame:
    """Return further columns: numbers where every cell that is not missing is one, else words."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in names:
        cells = [None if cell.lower() in MISSING else cell for cell in table.columns[name]]
        numbers = [math.nan if cell is None else _number(cell) for cell in cells]
        if any(number is None for number in numbers):
            columns[name] = pd.Series([math.nan if cell is None else cell for cell in cells], dtype=object)
        else:
            columns[name] = np.array(numbers, np.float64)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(table)))


# Ties


def _ties(
    table: _Rows,
    ids: Sequence[str],
    people: str,
    ego: str,
    alter: str,
    value: str | None,
    outside: str,
) -> tuple[dict[tuple[int, int], float], int]:
    """Return the value of each pair, and how many rows were left out."""
    place = {name: k for k, name in enumerate(ids)}
    values = [1.0] * len(table) if value is None else _values(table, value)
    pairs: dict[tuple[int, int], float] = {}
    left_out = 0
    for row, (a, b) in enumerate(zip(table.columns[ego], table.columns[alter], strict=True)):
        if a in place and b in place and a != b:
            pair = place[a], place[b]
            pairs[pair] = pairs.get(pair, 0.0) + values[row]
            continue
        if outside == "refuse":
            _refuse(table, row, place, people, (ego, a), (alter, b))
        left_out += 1
    return pairs, left_out


def _refuse(table: _Rows, row: int, place: dict[str, int], people: str, *cells: tuple[str, str]) -> NoReturn:
    for column, name in cells:
        if name not in place:
            hint = nearest(name, place) or "; outside: drop leaves such ties out"
            table.fault(row, f"'{name}' in column '{column}' is not an id of {people}{hint}")
    table.fault(row, f"'{cells[0][1]}' names itself; outside: drop leaves such ties out")


def _values(table: _Rows, column: str) -> list[float]:
    values = []
    for row, cell in enumerate(table.columns[column]):
        number = _number(cell)
        if number is None or number <= 0:
            table.fault(row, f"{column} is '{cell}'; allowed is a number above 0")
        values.append(number)
    return values
