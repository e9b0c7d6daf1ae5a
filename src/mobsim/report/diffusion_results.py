"""What a description of an observed diffusion leaves on the disk: tables, figures, and a page with them."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobsim.analysis.diffusion.describe import DiffusionSummary
from mobsim.errors import UsageError
from mobsim.report.folder import write_folder
from mobsim.report.tables import csv_of

if TYPE_CHECKING:
    import pandas as pd

PAGE = "diffusion.html"
SENTENCES = "sentences.txt"

_STYLE = """body { margin: 0 auto; max-width: 56rem; padding: 1rem 1.25rem 3rem; color: #1a1a1a;
  background: #fff; font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; border-bottom: 1px solid #bbb; margin-top: 2rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ccc; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; }
figure { margin: 1.2rem 0; } img { width: 100%; max-width: 46rem; height: auto; }
figcaption { color: #444; font-size: .9rem; } li { max-width: 46rem; }"""


def tables_of(summary: DiffusionSummary) -> dict[str, pd.DataFrame]:
    """Return the tables of a summary by name; the one of Bass's curve has one row."""
    import pandas as pd

    tables = {
        "people": summary.people,
        "periods": summary.periods,
        "communities": summary.communities,
        "curves": summary.curves,
        "categories": summary.categories.reset_index(),
    }
    if summary.bass is not None:
        numbers = {name: [value] for name, value in vars(summary.bass).items() if name != "warnings"}
        tables["bass"] = pd.DataFrame(numbers)
    return tables


def write_description(summary: DiffusionSummary, folder: Path) -> Path:
    """Write tables (CSV), figures (SVG and PNG), sentences and a page, and return the page.

    Parameters
    ----------
    summary : what `describe_diffusion` returned.
    folder : where; a folder that an earlier description filled is replaced as a whole.

    Raises
    ------
    UsageError : if the folder holds other things.
    ResultsError : if it cannot be written; what was there before is then as it was.
    """
    from mobsim.plots import as_png, as_svg
    from mobsim.plots_of_diffusion import figures_of

    check_folder(folder)
    files = {f"{name}.csv": csv_of(table) for name, table in tables_of(summary).items()}
    files[SENTENCES] = (str(summary) + "\n").encode()
    figures = figures_of(summary)
    drawn = {name: as_svg(figure) for name, figure in figures.items()}
    files |= {f"figures/{name}.svg": picture for name, picture in drawn.items()}
    files |= {f"figures/{name}.png": as_png(figure) for name, figure in figures.items()}
    files[PAGE] = page(summary, drawn).encode()
    write_folder(folder, files)
    return folder / PAGE


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds something else than an earlier description, since it will be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: found a file; allowed is the name of a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / PAGE).is_file():
        raise UsageError(
            f"{folder}: found a folder that holds other things; allowed is a new one, or that of an earlier "
            "description, which is replaced"
        )


def page(summary: DiffusionSummary, pictures: dict[str, bytes]) -> str:
    """Return a page of HTML that holds all it shows.

    Parameters
    ----------
    summary : what `describe_diffusion` returned.
    pictures : name -> SVG.
    """
    from mobsim.plots_of_diffusion import CAPTIONS

    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">",
        f"<title>Observed diffusion</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>",
        f"<h1>Observed diffusion</h1>\n<p>{escape(summary.title)}</p>",
        "<h2>What to know</h2>\n<ul>",
        *(f"<li>{escape(note)}</li>" for note in summary.notes),
        "</ul>",
    ]
    for name, picture in pictures.items():
        data = base64.b64encode(picture).decode()
        caption = escape(CAPTIONS[name])
        parts.append(
            f'<figure><img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    for title, table in (
        ("Periods", summary.periods),
        ("Communities", summary.communities),
        ("Categories, % of all people", summary.categories.reset_index()),
    ):
        parts.append(f'<h2>{escape(title)}</h2>\n<div class="scroll">{_html(table)}</div>')
    return "\n".join([*parts, "</body>\n</html>\n"])


def _html(table: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(name).replace('_', ' '))}</th>" for name in table.columns)
    rows = [
        "<tr>" + "".join(f"<td>{escape(cell_of(value))}</td>" for value in row) + "</tr>"
        for row in table.itertuples(index=False)
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"


def cell_of(value: Any) -> str:
    """Write a value in a table: nothing for NaN, whole numbers as they are, others with three decimals.

    Examples
    --------
    >>> cell_of(1964.0), cell_of(0.12345), cell_of(float("nan")), cell_of("village")
    ('1964', '0.123', '', 'village')
    """
    import numbers

    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return str(value)
    number = float(value)
    if number != number:
        return ""
    return f"{number:.0f}" if number.is_integer() else f"{number:.3f}"
