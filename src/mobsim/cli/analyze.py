"""`mobsim analyze`: what a sweep shows, in words, tables and a figure; one command an analysis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.experiment.results import SweepResults
    from mobsim.plots import Figure

FOLDER = "analysis"

MOST_ROWS = 24
"""Rows of a table that are printed; the file has all of them."""

MOST_NEEDED = 10
"""Points that are printed with the replicates they need, those that need most first."""

analyze = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="""Analyse a sweep: surfaces, sensitivity, who is best where, what would change it, where it fails.

Every analysis takes a ledger, or the folder of a sweep, and writes tables and a figure beside it.

\b
mobsim analyze best results/my_sweep/3bea8834d8d7
mobsim analyze surface --help
""",
)

Ledger = Annotated[Path, typer.Argument(help="A ledger, or the folder of a sweep's results.")]
Outcome = Annotated[
    str | None, typer.Option(help="A column of the table of runs. Default: that of the design.")
]
Arm = Annotated[str | None, typer.Option(help="A strategy. Default: the first one.")]
Factors = Annotated[
    list[str] | None, typer.Option("--factor", help="A factor of the picture; once or twice.")
]
OverPoints = Annotated[
    bool, typer.Option("--over-points", help="Intervals hold at all points at once (Bonferroni).")
]
Confidence = Annotated[float, typer.Option(help="Confidence of intervals.")]
To = Annotated[
    Path | None, typer.Option(help="Folder in which a folder of results is made. Default: beside the ledger.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


@analyze.command("surface")
def surface_command(
    ledger: Ledger,
    outcome: Outcome = None,
    arm: Arm = None,
    against: Annotated[
        str | None, typer.Option(help="Show the difference from this arm, such as none.")
    ] = None,
    factor: Factors = None,
    fit: Annotated[str, typer.Option(help="best, polynomial or spline.")] = "best",
    confidence: Confidence = 0.95,
    to: To = None,
    json: Json = False,
) -> None:
    """Show how an outcome, or a difference between two arms, changes over one or two factors.

    \b
    mobsim analyze surface results/my_sweep/3bea8834d8d7
    mobsim analyze surface ledger.sqlite --arm outreach --outcome gap_fe
    """  # noqa: D301
    from mobsim.analysis.surface import surface
    from mobsim.experiment.results import load_results
    from mobsim.plots_of_sweeps import surface_figure

    results = load_results(ledger)
    found = surface(
        results, outcome, arm=arm, against=against, factors=_named(factor), confidence=confidence,
        fit=fit,  # type: ignore[arg-type]  # the function refuses other words
    )  # fmt: skip
    parts = ["surface", found.outcome, found.arm, found.against or "", *found.factors]
    _show(results, found, parts, "fits", surface_figure(found), to, json)


@analyze.command("sensitivity")
def sensitivity_command(
    ledger: Ledger,
    outcome: Outcome = None,
    arm: Annotated[
        str | None, typer.Option(help="Only this arm. Default: every arm, and each against none.")
    ] = None,
    against: Annotated[str | None, typer.Option(help="With --arm: its difference from this arm.")] = None,
    confidence: Confidence = 0.95,
    to: To = None,
    json: Json = False,
) -> None:
    """Show how much each factor matters, and how much is noise (saltelli and morris designs).

    \b
    mobsim analyze sensitivity results/my_sweep/3bea8834d8d7
    """  # noqa: D301
    from mobsim.analysis.sensitivity import sensitivity
    from mobsim.errors import UsageError
    from mobsim.experiment.results import load_results
    from mobsim.plots_of_sweeps import sensitivity_figure

    if arm is None and against is not None:
        raise UsageError("--against: found without --arm; name the arm whose difference is wanted")
    results = load_results(ledger)
    contrasts = None if arm is None else [(arm, against)]
    found = sensitivity(results, outcome, contrasts=contrasts, confidence=confidence)
    parts = ["sensitivity", found.outcome, arm or "", against or ""]
    _show(results, found, parts, "table", sensitivity_figure(found), to, json)


@analyze.command("best")
def best_command(
    ledger: Ledger,
    outcome: Outcome = None,
    factor: Factors = None,
    over_points: OverPoints = False,
    confidence: Confidence = 0.95,
    to: To = None,
    json: Json = False,
) -> None:
    """Show which arm is best where, and where nobody can tell.

    \b
    mobsim analyze best results/my_sweep/3bea8834d8d7
    """  # noqa: D301
    from mobsim.analysis.best_map import best_map
    from mobsim.experiment.results import load_results
    from mobsim.plots_of_sweeps import best_figure

    results = load_results(ledger)
    found = best_map(results, outcome, factors=_named(factor), over_points=over_points, confidence=confidence)
    parts = ["best", found.outcome, *(factor or []), "over_points" if over_points else ""]
    _show(results, found, parts, "shares", best_figure(found), to, json)


@analyze.command("tornado")
def tornado_command(
    ledger: Ledger,
    outcome: Outcome = None,
    confidence: Confidence = 0.95,
    to: To = None,
    json: Json = False,
) -> None:
    """Show how far each factor moves the best arm's lead, and which would change the ranking.

    \b
    mobsim analyze tornado results/my_sweep/3bea8834d8d7
    """  # noqa: D301
    from mobsim.analysis.tornado import tornado
    from mobsim.experiment.results import load_results
    from mobsim.plots_of_sweeps import tornado_figure

    results = load_results(ledger)
    found = tornado(results, outcome, confidence=confidence)
    _show(results, found, ["tornado", found.outcome], "swings", tornado_figure(found), to, json)


@analyze.command("discover")
def discover_command(
    ledger: Ledger,
    arm: Arm = None,
    fails: Annotated[
        str, typer.Option(help='What a failure is: "not best", "effect" (below --below) or "goal" (--goal).')
    ] = "not best",
    below: Annotated[
        float | None,
        typer.Option(
            help="Effects below this, as a share (default 0), or goals met more rarely (default 0.5)."
        ),
    ] = None,
    against: Annotated[str, typer.Option(help="The arm an effect is measured against.")] = "none",
    goal: Annotated[str | None, typer.Option(help="Name of a goal of the scenario.")] = None,
    density: Annotated[float, typer.Option(help="Share of failures that a box should have.")] = 0.8,
    threshold: Annotated[
        float | None,
        typer.Option(help="Boxes with a smaller share are not shown. Default: 0.5, or --density if less."),
    ] = None,
    boxes: Annotated[int, typer.Option(help="At most so many boxes, one after the other.")] = 3,
    outcome: Outcome = None,
    confidence: Confidence = 0.95,
    to: To = None,
    json: Json = False,
) -> None:
    """Describe where an arm fails: "outreach fails when budget <= 3 and trust <= 0.4".

    \b
    mobsim analyze discover results/my_sweep/3bea8834d8d7 --arm outreach
    """  # noqa: D301
    from mobsim.analysis.discovery import discover
    from mobsim.experiment.results import load_results
    from mobsim.plots_of_sweeps import discovery_figure

    results = load_results(ledger)
    found = discover(
        results, arm, below=below, against=against, goal=goal, outcome=outcome, density=density,
        threshold=threshold, boxes=boxes, confidence=confidence,
        fails=fails,  # type: ignore[arg-type]  # the function refuses other words
    )  # fmt: skip
    parts = ["discover", found.outcome, found.arm, fails, "" if below is None else f"{below:g}"]
    _show(results, found, parts, "box", discovery_figure(found), to, json)


@analyze.command("convergence")
def convergence_command(
    ledger: Ledger,
    outcome: Outcome = None,
    arm: Arm = None,
    against: Annotated[str, typer.Option(help="The other arm; level: the arm by itself.")] = "none",
    until: Annotated[
        float | None, typer.Option(help="Half-width that is wanted. Default: the smallest that matters.")
    ] = None,
    over_points: OverPoints = False,
    confidence: Confidence = 0.95,
    to: To = None,
    json: Json = False,
) -> None:
    """Show how intervals narrow with replicates, and how many are needed.

    \b
    mobsim analyze convergence results/my_sweep/3bea8834d8d7
    """  # noqa: D301
    from mobsim.analysis.convergence import convergence
    from mobsim.experiment.results import load_results
    from mobsim.plots_of_sweeps import convergence_figure

    results = load_results(ledger)
    found = convergence(
        results, outcome, arm=arm, against=None if against == "level" else against, until=until,
        over_points=over_points, confidence=confidence,
    )  # fmt: skip
    parts = ["convergence", found.outcome, found.arm, found.against or "level"]
    _show(results, found, parts, "needed", convergence_figure(found), to, json)


# What all of them do


def _named(factor: list[str] | None) -> tuple[str, ...] | None:
    return tuple(factor) if factor else None


def _show(
    results: SweepResults,
    found: Any,
    parts: list[str],
    printed: str,
    figure: Figure,
    to: Path | None,
    json: bool,
) -> None:
    """Write tables, sentences and the figure into a folder of their own, then print."""
    from mobsim.cli.export import size_of, unfinished
    from mobsim.plots import as_png, as_svg
    from mobsim.report.folder import write_folder
    from mobsim.report.tables import csv_of

    tables = tables_of(found)
    place = (results.path.parent / FOLDER if to is None else to) / folder_name(parts)
    files = {f"{name}.csv": csv_of(table) for name, table in tables.items()}
    files["sentences.txt"] = ("\n".join(found.sentences) + "\n").encode()
    files["figure.svg"], files["figure.png"] = as_svg(figure), as_png(figure)
    write_folder(place, files)
    if not results.complete:
        typer.echo(unfinished(results), err=True)
    if json:
        typer.echo(as_json(results, found, place))
    else:
        shown = _needed_most(tables["table"]) if printed == "needed" else tables[printed]
        typer.echo(as_text(size_of(results), found, shown, place))


def _needed_most(table: pd.DataFrame) -> pd.DataFrame:
    """Return the points that need most, with what they need."""
    kept = [
        name
        for name in table.columns
        if not name.startswith(("variance", "cheapest", "needed_with", "low", "high", "luck"))
    ]
    order = (-table["needed"].fillna(-1)).argsort(kind="stable")
    return table.iloc[order][kept].head(MOST_NEEDED)


def folder_name(parts: list[str]) -> str:
    """Return a folder's name for an analysis and what it was asked for.

    Examples
    --------
    >>> folder_name(["discover", "participation_fe", "visits", "not best", ""])
    'discover-participation_fe-visits-not_best'
    """
    import re

    return "-".join(re.sub(r"[^\w.+]+", "_", part) for part in parts if part)


def tables_of(found: Any) -> dict[str, pd.DataFrame]:
    """Return the tables of an analysis by their names."""
    import pandas as pd

    return {name: value for name, value in vars(found).items() if isinstance(value, pd.DataFrame)}


def as_text(title: str, found: Any, table: pd.DataFrame, place: Path) -> str:
    """Return what a command prints: the size of the sweep, the main table, the sentences, the folder.

    Parameters
    ----------
    title : the size of the sweep.
    found : the analysis.
    table : its main table.
    place : where its files are.
    """
    from mobsim.cli.text import bullets, columns

    parts = [title]
    if len(table):
        rows = [[_cell(value) for value in row] for row in table.head(MOST_ROWS).itertuples(index=False)]
        told = columns([str(name).replace("_", " ") for name in table.columns], rows)
        more = len(table) - len(rows)
        parts.append(told + (f"\n... and {more:,} more rows in the file" if more else ""))
    parts += [bullets(found.sentences), f"Files: {place}"]
    return "\n\n".join(parts)


def _cell(value: object) -> str:
    import numbers

    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "yes" if value else "no"
    if value is None or type(value).__name__ == "NAType" or value != value:
        return ""
    return f"{float(value):.4g}" if isinstance(value, numbers.Real) else str(value)


def as_json(results: SweepResults, found: Any, place: Path) -> str:
    """Return an analysis as JSON: its sentences, numbers and tables; what does not exist is null.

    Parameters
    ----------
    results : the sweep, for its name and digest.
    found : the analysis.
    place : where its files are.
    """
    import json

    from mobsim.cli.compare import without_nan

    tables = tables_of(found)
    data: dict[str, Any] = {
        "sweep": results.name,
        "digest": results.digest,
        "complete": results.complete,
        "folder": str(place),
    }
    data |= {name: value for name, value in vars(found).items() if name not in tables}
    data["tables"] = {
        name: table.astype(object).where(table.notna(), None).to_dict("records")
        for name, table in tables.items()
    }
    return json.dumps(
        without_nan(data), indent=2, ensure_ascii=False, allow_nan=False, default=lambda value: value.item()
    )
