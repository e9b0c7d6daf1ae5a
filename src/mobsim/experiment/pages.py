"""Read the rows of a damaged SQLite file: page by page, without what holds the pages together.

Rows of tables stand in leaf pages. Every page that may be one is read for itself, so that damage elsewhere
hides nothing; what does not fit on a page goes on in a chain of overflow pages. Whatever is found must be
held against a digest: deleted rows are found too, and damaged ones.

Source: The SQLite database file format, sections 1.5, 1.6 and 2, https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LEAF = 0x0D
NUMBERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial type -> bytes of a whole number."""

MOST_TYPES = 100
"""Bytes in which the types of a row of ours surely stand."""

Value = int | float | bytes | str | None


@dataclass(frozen=True)
class Cell:
    """Where a row stands.

    Parameters
    ----------
    rowid : its number.
    length : bytes of its content.
    at : where the content begins in the file.
    here : bytes of it that stand there; the rest is in the overflow pages.
    overflow : number of the first overflow page, from 1; 0 if there is none.
    """

    rowid: int
    length: int
    at: int
    here: int
    overflow: int


class Pages:
    """The pages of a file.

    Parameters
    ----------
    file : open for reading; what the disk cannot read is taken as missing.
    size : bytes of a page.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._length = file.seek(0, os.SEEK_END)
        self._size = size
        self._most_here = size - 35
        self._least_here = (size - 12) * 32 // 255 - 23

    def cells(self) -> Iterator[Cell]:
        """Yield every row that can be found, whole or not."""
        for begin in range(0, self._length, self._size):
            page = self._read(begin, self._size)
            offset = 100 if begin == 0 else 0
            for place in self._cell_places(page, offset):
                cell = self._cell(page, place, begin)
                if cell is not None:
                    yield cell

    def content(self, cell: Cell) -> bytes | None:
        """Return the bytes of a row, or None if its chain of overflow pages is broken.

        Parameters
        ----------
        cell : where it stands.
        """
        parts = [self._read(cell.at, cell.here)]
        missing = cell.length - cell.here
        page = cell.overflow
        while missing > 0:
            begin = (page - 1) * self._size
            take = min(missing, self._size - 4)
            whole = self._read(begin, 4 + take) if page > 1 else b""
            if len(whole) != 4 + take:
                return None
            parts.append(whole[4:])
            page = int.from_bytes(whole[:4], "big")
            missing -= take
        return b"".join(parts)

    def values(self, cell: Cell) -> tuple[Value, ...] | None:
        """Return the values of a row, or None if it cannot be read.

        Parameters
        ----------
        cell : where it stands.
        """
        content = self.content(cell)
        return None if content is None else decode(content)

    def width(self, cell: Cell) -> int:
        """Return how many columns a row has, or 0 if it cannot be read.

        Parameters
        ----------
        cell : where it stands.
        """
        try:
            return len(_types(self._read(cell.at, min(cell.here, MOST_TYPES)))[0])
        except IndexError:
            return 0

    def _read(self, begin: int, length: int) -> bytes:
        try:
            self._file.seek(begin)
            return self._file.read(length)
        except OSError:
            return b""

    def _cell_places(self, page: bytes, offset: int) -> list[int]:
        """Return where cells begin on a page, if it looks like a leaf or says that it is one."""
        if len(page) < offset + 8:
            return []
        number = int.from_bytes(page[offset + 3 : offset + 5], "big")
        begin = int.from_bytes(page[offset + 5 : offset + 7], "big")
        room = (len(page) - offset - 8) // 2
        fits = 0 < number <= room and offset + 8 + 2 * number <= begin <= self._size
        if page[offset] != LEAF and not fits:
            return []
        places = struct.unpack_from(f">{min(number, room)}H", page, offset + 8)
        return [place for place in places if offset + 8 <= place < self._size]

    def _cell(self, page: bytes, place: int, begin: int) -> Cell | None:
        try:
            length, at = _varint(page, place)
            rowid, at = _varint(page, at)
        except IndexError:
            return None
        here = length
        if length > self._most_here:
            here = self._least_here + (length - self._least_here) % (self._size - 4)
            here = here if here <= self._most_here else self._least_here
        end = at + here
        if length > self._length or end + (4 if here < length else 0) > len(page):
            return None
        overflow = int.from_bytes(page[end : end + 4], "big") if here < length else 0
        return Cell(rowid, length, begin + at, here, overflow)


def decode(content: bytes) -> tuple[Value, ...] | None:
    """Return the values of a record, or None if it cannot be read.

    Parameters
    ----------
    content : the bytes of a row: the length of the list of types, the types, the values.

    Examples
    --------
    >>> decode(bytes([4, 1, 15, 9, 7, 104]))
    (7, 'h', 1)
    """
    try:
        types, at = _types(content)
        values = []
        for kind in types:
            value, at = _value(content, at, kind)
            values.append(value)
    except (IndexError, ValueError, struct.error):
        return None
    return tuple(values)


def _types(content: bytes) -> tuple[list[int], int]:
    """Return the types at the beginning of a record, and where the values begin."""
    end, at = _varint(content, 0)
    types = []
    while at < end:
        kind, at = _varint(content, at)
        types.append(kind)
    return types, at


def _value(content: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in NUMBERS:
        end = at + NUMBERS[kind]
        value: Value = int.from_bytes(content[at:end], "big", signed=True)
    elif kind == 7:
        end = at + 8
        value = struct.unpack(">d", content[at:end])[0]
    elif kind in (0, 8, 9):
        end, value = at, {0: None, 8: 0, 9: 1}[kind]
    elif kind >= 12:
        end = at + (kind - 12) // 2
        value = content[at:end] if kind % 2 == 0 else content[at:end].decode()
    else:
        raise ValueError("a type that does not exist")
    if end > len(content):
        raise IndexError("the record ends early")
    return value, end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and where it ends."""
    number = 0
    for i in range(8):
        byte = data[at + i]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + i + 1
    return number << 8 | data[at + 8], at + 9
