"""Plain text for a terminal or a file: tables in columns, nothing that needs colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def columns(header: Sequence[str], rows: Iterable[Sequence[str]], *, width: int = 24) -> str:
    """Return a table as text: the first column to the left, the others to the right; long headers are folded.

    Parameters
    ----------
    header : a title for each column.
    rows : cells.
    width : headers are folded at about this many letters.

    Examples
    --------
    >>> print(columns(("strategy", "%"), [("outreach", "41.0")]))
    strategy     %
    --------  ----
    outreach  41.0
    """
    table = [list(row) for row in rows]
    body = [max((len(row[i]) for row in table), default=0) for i in range(len(header))]
    folded = [_folded(title, max(10, min(width, body[i]))) for i, title in enumerate(header)]
    widths = [max(body[i], *(len(line) for line in folded[i])) for i in range(len(header))]
    height = max(len(lines) for lines in folded)
    heads = [[lines[k] if k < len(lines) else "" for lines in folded] for k in range(height)]
    ruled = [*heads, ["-" * w for w in widths], *table]
    return "\n".join(_line(cells, widths) for cells in ruled)


def bullets(sentences: Iterable[str], *, width: int = 100) -> str:
    """Return sentences as a list, folded.

    Parameters
    ----------
    sentences : one item each.
    width : letters in a line.
    """
    import textwrap

    return "\n".join(
        textwrap.fill(
            sentence, width, initial_indent="- ", subsequent_indent="  ", break_long_words=False,
            break_on_hyphens=False,
        )
        for sentence in sentences
    )  # fmt: skip


def folded(text: str, *, width: int = 100) -> str:
    """Return a paragraph broken between words.

    Parameters
    ----------
    text : the paragraph.
    width : letters in a line.
    """
    return "\n".join(_folded(text, width))


def _folded(text: str, width: int) -> list[str]:
    """Break a title between words into lines."""
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([first, *rest]).rstrip()
