"""Tables as CSV with the same bytes every time: ten significant digits, and empty cells for nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def csv_of(table: pd.DataFrame) -> bytes:
    r"""Return a table as CSV: UTF-8, one header line, line ends as on Unix.

    Parameters
    ----------
    table : columns of numbers, booleans (written 0 and 1) or words.

    Examples
    --------
    >>> import pandas as pd
    >>> csv_of(pd.DataFrame({"arm": ["a,b"], "reach": [1 / 3], "goal": [float("nan")], "met": [True]}))
    b'arm,reach,goal,met\n"a,b",0.3333333333,,1\n'
    """
    return b"".join(csv_pieces([table]))


def csv_pieces(tables: Iterable[pd.DataFrame]) -> Iterator[bytes]:
    r"""Yield a table that comes piece by piece as CSV; the pieces together are the bytes of `csv_of`.

    Parameters
    ----------
    tables : pieces with the same columns.

    Examples
    --------
    >>> import pandas as pd
    >>> list(csv_pieces([pd.DataFrame({"luck": [0]}), pd.DataFrame({"luck": [1]})]))
    [b'luck\n0\n', b'1\n']
    """
    header = True
    for table in tables:
        columns = [_cells(table[name]) for name in table.columns]
        lines = [",".join(_word(str(name)) for name in table.columns)] if header else []
        lines += map(",".join, zip(*columns, strict=True))
        header = False
        if lines:
            yield ("\n".join(lines) + "\n").encode()


def csv_of_rows(names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV.

    Parameters
    ----------
    names : the header.
    rows : as many values in each.
    """
    lines = [",".join(names), *(",".join(_cell(value) for value in row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def number(value: float) -> str:
    """Write a number with ten significant digits; what is no number is an empty cell.

    Examples
    --------
    >>> number(0.1), number(41.0), number(float("nan")), number(-0.0)
    ('0.1', '41', '', '0')
    """
    if math.isnan(value):
        return ""
    return format(value + 0.0, ".10g")


def _cells(column: pd.Series[Any]) -> list[str]:
    """Write a column; each different number is written once, since shares of a community repeat a lot."""
    import pandas as pd

    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "O"
    if kind not in "biuf":
        cells = column.tolist()
        written = {value: _cell(value) for value in dict.fromkeys(cells)}
        return [written[value] for value in cells]
    numbers = column.to_numpy(dtype=np.float64 if kind == "f" else np.int64)
    places, values = pd.factorize(numbers, use_na_sentinel=False)
    words = [number(value) if kind == "f" else str(value) for value in values.tolist()]
    return np.array(words, dtype=object)[places].tolist() if words else []


def _cell(value: object) -> str:
    if value is None or type(value).__name__ == "NAType":
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return number(float(value))
    return _word(str(value))


def _word(text: str) -> str:
    """Quote a word that holds a comma, a quote or a line end."""
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
