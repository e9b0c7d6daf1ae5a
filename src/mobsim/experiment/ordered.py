"""The rows of a ledger's tasks in one order, by point, arm, community and luck, a window at a time.

Tasks finish in any order and hold runs of many points; tables are read in an order that depends on neither.
A first pass notes where the rows of each run stand, which is little; then the rows of one window after the
other are collected from the tasks that hold them. In memory stand one window and one task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobsim.errors import ResultsError
from mobsim.experiment.ledger import Ledger
from mobsim.experiment.table import Column, Table, Words

KEYS = ("point", "arm", "community", "luck")
"""The columns that say which run a row is."""

WINDOW = 96 * 2**20
"""Bytes of a window, about; fewer windows unpack tasks less often where points lie far apart."""

Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Order:
    """Where the rows of all runs stand in the tasks of a ledger, in the order in which they are read.

    Attributes
    ----------
    table : runs or weeks.
    keys : (runs, 4) point, number of the arm, community, luck.
    task, first, rows : (runs,) number of the task, first row in its table, number of rows.
    lengths : task -> rows of its table.
    kinds : name of each column -> `i`, `f` or `words`; the union over tasks.
    """

    table: str
    keys: Int64
    task: Int64
    first: Int64
    rows: Int64
    lengths: Mapping[int, int]
    kinds: Mapping[str, str]

    @property
    def n_rows(self) -> int:
        """All rows."""
        return int(self.rows.sum())


def order_of_rows(ledger: Ledger, table: str, arms: Sequence[str]) -> Order:
    """Find out where the rows of all runs stand.

    Parameters
    ----------
    ledger : open for reading.
    table : runs or weeks.
    arms : the arms of the plan, in their order.
    """
    keys: list[Int64] = [np.zeros((0, 4), np.int64)]
    places: list[Int64] = [np.zeros((0, 3), np.int64)]
    lengths: dict[int, int] = {}
    kinds: list[dict[str, str]] = []
    for number in ledger.kept_tasks():
        found = ledger.task_tables(number, [table]).get(table)
        if found is None or not found.names:
            continue
        kinds.append({name: _kind(column) for name, column in found.columns.items()})
        lengths[number] = len(found)
        if len(found):
            of_rows = np.column_stack([_key(found, name, arms) for name in KEYS])
            starts = np.flatnonzero(np.r_[True, (of_rows[1:] != of_rows[:-1]).any(axis=1)])
            counts = np.diff(np.r_[starts, len(found)])
            keys.append(of_rows[starts])
            places.append(np.column_stack([np.full(len(starts), number), starts, counts]))
    all_keys, all_places = np.concatenate(keys), np.concatenate(places)
    order = np.lexsort(all_keys.T[::-1])
    ordered = all_keys[order]
    if len(ordered) and not (ordered[1:] != ordered[:-1]).any(axis=1).all():
        raise ResultsError(f"{ledger.path}: a run stands in two tasks; this ledger was not made by a sweep")
    task, first, rows = all_places[order].T
    return Order(table, ordered, task, first, rows, lengths, _union(kinds))


def windows(
    ledger: Ledger, order: Order, columns: Sequence[str], arms: Sequence[str], most: int | None = None
) -> Iterator[dict[str, Column]]:
    """Yield the rows in order, a window at a time: at least one, so that the columns are known.

    Parameters
    ----------
    ledger : open for reading.
    order : where the rows stand.
    columns : names of the columns wanted.
    arms : the arms of the plan; the words of the column `arm` are these, in this order.
    most : most rows of a window that holds more than one run; none: all rows at once.
    """
    ends = np.cumsum(order.rows)
    start, before = 0, 0
    while True:
        stop = len(ends) if most is None else int(np.searchsorted(ends, before + most, side="right"))
        stop = min(max(stop, start + 1), len(ends))
        yield _collected(ledger, order, slice(start, stop), columns, arms)
        if stop >= len(ends):
            return
        start, before = stop, int(ends[stop - 1])


def window_rows(order: Order, columns: Sequence[str]) -> int:
    """Return how many rows a window of `WINDOW` bytes holds.

    Parameters
    ----------
    order : where the rows stand.
    columns : names of the columns wanted.
    """
    return max(1, WINDOW // (8 * max(1, len(columns))))


def _collected(
    ledger: Ledger, order: Order, runs: slice, columns: Sequence[str], arms: Sequence[str]
) -> dict[str, Column]:
    """Collect the rows of some runs from all tasks that hold them."""
    task, first, rows = order.task[runs], order.first[runs], order.rows[runs]
    target = np.cumsum(rows) - rows
    filled = {name: _empty(order.kinds[name], name, int(rows.sum())) for name in columns}
    for number in np.unique(task).tolist():
        table = ledger.task_tables(number, [order.table])[order.table]
        if len(table) != order.lengths[number]:
            raise ResultsError(f"{ledger.path}: task {number} was run again while it was read; read it again")
        mine = task == number
        source_rows, target_rows = _ranges(first[mine], rows[mine]), _ranges(target[mine], rows[mine])
        for name in columns:
            if name in table.columns:
                filled[name][target_rows] = _values(table[name], name, arms)[source_rows]
    arm = {"arm": Words(filled["arm"], tuple(arms))} if "arm" in filled else {}
    return {**filled, **arm}


def _ranges(starts: Int64, lengths: Int64) -> Int64:
    """Return start, start + 1, ..., start + length - 1 of each, one after the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def _key(table: Table, name: str, arms: Sequence[str]) -> Int64:
    if name not in table.columns:
        raise ResultsError(f"a table without the column {name!r} is no table of a sweep")
    return np.asarray(_values(table[name], name, arms), np.int64)


def _values(column: Column, name: str, arms: Sequence[str]) -> NDArray[Any]:
    """Return a column as an array: the arm as its place among all arms, other words as objects."""
    if not isinstance(column, Words):
        return column
    if name != "arm":
        return column.as_objects()
    return np.array([*map(list(arms).index, column.words), -1], np.int32)[column.codes]


def _empty(kind: str, name: str, rows: int) -> NDArray[Any]:
    if name == "arm":
        return np.zeros(rows, np.int32)
    if kind == "words":
        return np.full(rows, None, object)
    return np.zeros(rows, np.int64) if kind == "i" else np.full(rows, np.nan)


def _kind(column: Column) -> str:
    return "words" if isinstance(column, Words) else column.dtype.kind


def _union(kinds: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return all columns, each where it stands in its own table; what is not whole everywhere is a number."""
    names: list[str] = []
    different = {tuple(found): found for found in kinds}
    for found in different.values():
        place = len(names)
        for name in reversed(
            list(found)
        ):  # a new one goes before what follows it, behind those of earlier tasks
            if name not in names:
                names.insert(place, name)
            place = names.index(name)
    union = {}
    for name in names:
        of_tasks = {found.get(name, "f") for found in kinds}
        union[name] = "words" if "words" in of_tasks else "i" if of_tasks == {"i"} else "f"
    return union
