"""Tables on their way from a worker to the ledger: named columns that become the same bytes everywhere.

A column holds whole numbers, numbers, or words. As bytes a table is a mark, the digest of its content, and
the content compressed. The content lists the columns and then holds one after the other, little-endian. Two
tables are the same if their digests are, however they were compressed.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mobsim.errors import ResultsError

if TYPE_CHECKING:
    import pandas as pd

MARK = b"mobsimT1"
HEAD = struct.Struct("<8s32sQ")
"""The mark, the digest of the content, and the length of the content."""

LEVEL = 1
"""How hard zlib tries; more costs much time and saves little."""

NOTHING = -1
"""The code of a word that is not there."""


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words, each different word kept once.

    Parameters
    ----------
    codes : (rows,) place of each row's word in `words`; -1 where there is none.
    words : the different words.
    """

    codes: NDArray[np.int32]
    words: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str | None]) -> Words:
        """Return the column of some words; None where there is none.

        Examples
        --------
        >>> Words.of(["none", "outreach", "none", None])
        Words(codes=array([ 0,  1,  0, -1], dtype=int32), words=('none', 'outreach'))
        """
        place: dict[str, int] = {}
        codes = [NOTHING if word is None else place.setdefault(str(word), len(place)) for word in words]
        return cls(np.array(codes, dtype=np.int32), tuple(place))

    def __len__(self) -> int:
        return len(self.codes)

    def tolist(self) -> list[str | None]:
        """Return the word of every row."""
        return self.as_objects().tolist()  # type: ignore[no-any-return]

    def as_objects(self) -> NDArray[np.object_]:
        """Return the word of every row as an array of objects."""
        return np.array([*self.words, None], dtype=object)[self.codes]  # -1 is the last: None

    def ordered(self) -> Words:
        """Return the same column with the words in the order of their first use, unused ones left out."""
        codes, first = np.unique(self.codes, return_index=True)
        in_order = codes[np.argsort(first)]
        in_order = in_order[in_order != NOTHING]
        if in_order.tolist() == list(range(len(self.words))):
            return self
        new = np.full(len(self.words) + 1, NOTHING, dtype=np.int32)
        new[in_order] = np.arange(len(in_order), dtype=np.int32)
        return Words(new[self.codes], tuple(self.words[code] for code in in_order))


Column = NDArray[Any] | Words


class Table:
    """Named columns of equal length.

    Parameters
    ----------
    columns : name -> whole numbers (or booleans), numbers, words (`Words`, or a list of str and None).

    Raises
    ------
    ValueError : if columns differ in length or hold something else.

    Examples
    --------
    >>> table = Table({"point": [0, 0], "arm": ["none", "outreach"], "participation_fe": [0.25, 0.5]})
    >>> table.names, len(table), table["point"].dtype
    (('point', 'arm', 'participation_fe'), 2, dtype('int64'))
    >>> Table.from_bytes(table.to_bytes()) == table
    True
    """

    def __init__(self, columns: Mapping[str, Column | ArrayLike | Sequence[str | None]]) -> None:
        made = {str(name): _column(name, values) for name, values in columns.items()}
        if len({len(column) for column in made.values()}) > 1:
            raise ValueError(f"columns of different lengths: { {name: len(c) for name, c in made.items()} }")
        self._columns: dict[str, Column] | None = made
        self._packed: bytes | None = None

    @classmethod
    def from_bytes(cls, packed: bytes) -> Table:
        """Return the table that some bytes hold; they are unpacked when a column is first asked for.

        Parameters
        ----------
        packed : what `to_bytes` gave.

        Raises
        ------
        ResultsError : if they are no table; also later, if the content does not have its digest.
        """
        if len(packed) < HEAD.size or packed[: len(MARK)] != MARK:
            raise ResultsError("a table is damaged: it does not begin as tables do")
        table = cls({})
        table._columns, table._packed = None, packed
        return table

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Table:
        """Return the table with the columns of a data frame; its index is left out.

        Parameters
        ----------
        frame : columns of whole numbers, booleans, numbers, or words.
        """
        return cls({str(name): _of_series(frame[name]) for name in frame.columns})

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """Return the rows of several tables one below the other.

        Parameters
        ----------
        tables : at least one; all with the same columns in the same order.
        """
        first = tables[0]
        if any(table.names != first.names for table in tables):
            raise ValueError("tables of different columns cannot be joined")
        return cls({name: _below_each_other([table[name] for table in tables]) for name in first.names})

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns by name, in order."""
        if self._columns is None:
            assert self._packed is not None
            self._columns = _unpacked(self._packed)
        return self._columns

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def rows(self, which: slice | NDArray[Any]) -> Table:
        """Return some rows.

        Parameters
        ----------
        which : a slice, places of rows, or (rows,) booleans.
        """
        return Table(
            {
                name: Words(column.codes[which], column.words) if isinstance(column, Words) else column[which]
                for name, column in self.columns.items()
            }
        )

    def to_bytes(self) -> bytes:
        """Return the table as bytes; the content is the same on every machine."""
        if self._packed is None:
            content = _content(self.columns)
            head = HEAD.pack(MARK, hashlib.sha256(content).digest(), len(content))
            self._packed = head + zlib.compress(content, LEVEL)
        return self._packed

    @property
    def digest(self) -> str:
        """The digest (SHA-256) of names, kinds and values."""
        return content_digest(self.to_bytes())

    def to_frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the table as a data frame, words as objects.

        Parameters
        ----------
        columns : names of the columns to take; none: all.
        """
        import pandas as pd

        chosen = self.names if columns is None else columns
        taken = {name: self[name] for name in chosen}
        return pd.DataFrame(
            {name: c.as_objects() if isinstance(c, Words) else c for name, c in taken.items()},
            columns=list(chosen),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Table({len(self)} rows: {', '.join(self.names)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as bytes: whoever made the table packs it, not who collects it."""
        return Table.from_bytes, (self.to_bytes(),)


def content_digest(packed: bytes) -> str:
    """Return the digest of the content that a packed table names, without unpacking it.

    Parameters
    ----------
    packed : what `Table.to_bytes` gave, or its first 48 bytes.
    """
    digest: bytes = HEAD.unpack_from(packed)[1]
    return digest.hex()


def _column(name: str, values: Any) -> Column:
    if isinstance(values, Words):
        return values.ordered()
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"column {name!r}: found {array.ndim} dimensions; allowed is one")
    if array.dtype.kind in "bi" or (array.dtype.kind == "u" and array.dtype.itemsize < 8):
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    if array.dtype.kind in "UO" and all(value is None or isinstance(value, str) for value in array.tolist()):
        return Words.of(array.tolist())
    raise ValueError(f"column {name!r}: found {array.dtype}; allowed are whole numbers, numbers and words")


def _of_series(series: pd.Series[Any]) -> Any:
    if series.dtype.kind in "biuf" and isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    missing = series.isna().tolist()
    return [None if nothing else value for value, nothing in zip(series.tolist(), missing, strict=True)]


def _below_each_other(columns: Sequence[Column]) -> Column:
    if not isinstance(columns[0], Words):
        return np.concatenate([column for column in columns if not isinstance(column, Words)])
    return words_below_each_other([column for column in columns if isinstance(column, Words)])


def words_below_each_other(parts: Sequence[Words]) -> Words:
    """Return the rows of several columns of words one below the other.

    Parameters
    ----------
    parts : at least one.

    Examples
    --------
    >>> words_below_each_other([Words.of(["none"]), Words.of(["outreach", "none"])]).tolist()
    ['none', 'outreach', 'none']
    """
    place: dict[str, int] = {}
    codes = []
    for part in parts:
        new = [place.setdefault(word, len(place)) for word in part.words]
        codes.append(np.array([*new, NOTHING], dtype=np.int32)[part.codes])
    return Words(np.concatenate(codes), tuple(place))


def _content(columns: Mapping[str, Column]) -> bytes:
    """List the columns as JSON in one line, then write them one after the other."""
    kinds = [
        [name, "words", list(column.words)] if isinstance(column, Words) else [name, column.dtype.kind]
        for name, column in columns.items()
    ]
    rows = len(next(iter(columns.values()), ()))
    listed = json.dumps({"rows": rows, "columns": kinds}, ensure_ascii=True, separators=(",", ":"))
    return b"".join([listed.encode("ascii"), b"\n", *map(_little_endian, columns.values())])


def _little_endian(column: Column) -> bytes:
    values = column.codes if isinstance(column, Words) else column
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _unpacked(packed: bytes) -> dict[str, Column]:
    _, digest, length = HEAD.unpack_from(packed)
    try:
        content = zlib.decompress(memoryview(packed)[HEAD.size :], bufsize=max(length, 1))
    except (zlib.error, MemoryError, OverflowError) as error:
        raise ResultsError(f"a table is damaged: {error}") from error
    if len(content) != length or hashlib.sha256(content).digest() != digest:
        raise ResultsError("a table is damaged: its content does not have its digest")
    end = content.index(b"\n") + 1
    listed = json.loads(content[:end])
    columns: dict[str, Column] = {}
    for name, kind, *words in listed["columns"]:
        dtype = np.dtype({"i": "<i8", "f": "<f8", "words": "<i4"}[kind])
        values = np.frombuffer(content, dtype, listed["rows"], end)
        native = values.astype(dtype.newbyteorder("="), copy=False)
        columns[name] = Words(native, tuple(words[0])) if words else native
        end += values.nbytes
    return columns
