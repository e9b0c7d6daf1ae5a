"""`mobsim diffusion`: what a file of people with times of adoption, and a file of ties, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.analysis.diffusion.describe import DiffusionSummary

MOST_ROWS = 30
"""Rows of a table that are printed; the file has all of them."""

PERIODS = (
    "period", "adopters", "cumulative", "adopted_by", "at_risk", "hazard", "low", "high", "exposure", "moran",
    "permuted_p", "within_p",
)  # fmt: skip
COMMUNITIES = (
    "community", "people", "adopters", "saturation", "time_to_share", "ties", "density", "named", "threshold"
)  # fmt: skip


def diffusion(
    people: Annotated[Path, typer.Argument(help="CSV: a person a row, with the time of adoption.")],
    ties: Annotated[Path, typer.Argument(help="CSV: a row says that ego names alter.")],
    id: Annotated[str, typer.Option(help="Column of ids of people.")] = "id",  # noqa: A002
    time: Annotated[str, typer.Option(help="Column of times of adoption; blank: not adopted.")] = "time",
    community: Annotated[str | None, typer.Option(help="Column of communities.")] = None,
    ego: Annotated[str, typer.Option(help="Column of ties: who names.")] = "ego",
    alter: Annotated[str, typer.Option(help="Column of ties: who is named.")] = "alter",
    value: Annotated[str | None, typer.Option(help="Column of ties: how strongly.")] = None,
    never: Annotated[int | None, typer.Option(help="The number that means: not adopted.")] = None,
    first: Annotated[int | None, typer.Option(help="First period, if nobody adopted in it.")] = None,
    last: Annotated[int | None, typer.Option(help="Last period, if nobody adopted in it.")] = None,
    last_seen: Annotated[
        str | None, typer.Option(help="Column: last period in which a person was observed.")
    ] = None,
    outside: Annotated[
        str, typer.Option(help="Ties to people who are not in the file: refuse, or drop.")
    ] = "refuse",
    lag: Annotated[int, typer.Option(help="Exposure so many periods before.")] = 0,
    valued: Annotated[bool, typer.Option("--valued", help="Exposure counts ties by their value.")] = False,
    direction: Annotated[
        str, typer.Option(help="Whose adoption counts: out (those named), in (those naming), both.")
    ] = "out",
    steps: Annotated[int, typer.Option(help="How many steps apart people are close, for Moran's I.")] = 6,
    permutations: Annotated[int, typer.Option(help="Permutations of Moran's I.")] = 999,
    seed: Annotated[int, typer.Option(help="Of the permutations.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables, figures and a page. Default: none is written.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Describe an observed diffusion: curves, hazard, thresholds, Moran's I, categories, Bass's curve.

    \b
    mobsim diffusion people.csv ties.csv --out described
    mobsim diffusion people.csv ties.csv --time toa --never 11 --community village --value times --out told

    docs/diffusion_data.md says what the files hold and how every number is computed.
    """  # noqa: D301  the sign must be in it
    from mobsim.analysis.diffusion.data import read_diffusion
    from mobsim.analysis.diffusion.describe import describe_diffusion

    if out is not None:
        from mobsim.report.diffusion_results import check_folder

        check_folder(out)
    data = read_diffusion(
        people, ties, id=id, time=time, community=community, ego=ego, alter=alter, value=value, never=never,
        first=first, last=last, last_seen=last_seen,
        outside=outside,  # type: ignore[arg-type]  # the function refuses other words
    )  # fmt: skip
    summary = describe_diffusion(
        data, lag=lag, valued=valued, steps=steps, permutations=permutations, seed=seed,
        direction=direction,  # type: ignore[arg-type]  # the function refuses other words
    )  # fmt: skip
    page = None
    if out is not None:
        from mobsim.report.diffusion_results import write_description

        page = write_description(summary, out)
    typer.echo(as_json(summary, page) if json else as_text(summary, page))


def as_text(summary: DiffusionSummary, page: Path | None) -> str:
    """Return what the command prints: tables, sentences, and where the files are.

    Parameters
    ----------
    summary : the description.
    page : the page that was written, or None.
    """
    from mobsim.cli.text import bullets, columns

    parts = [summary.title]
    periods = summary.periods[[name for name in PERIODS if name in summary.periods]]
    parts.append(_told(periods))
    if len(summary.communities) > 1:
        parts.append(_told(summary.communities[list(COMMUNITIES)]))
    table = summary.categories
    rows = [
        [str(name), *(f"{value:.2f}" for value in row)]
        for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    parts.append("% of all people, by threshold\n" + columns(["", *map(str, table.columns)], rows))
    parts.append(bullets(summary.notes))
    if page is not None:
        parts.append(f"Files: {page.parent}\nPage: {page}")
    return "\n\n".join(parts)


def _told(table: pd.DataFrame) -> str:
    from mobsim.cli.text import columns
    from mobsim.report.diffusion_results import cell_of

    rows = [[cell_of(value) for value in row] for row in table.head(MOST_ROWS).itertuples(index=False)]
    more = len(table) - len(rows)
    told = columns([str(name).replace("_", " ") for name in table.columns], rows)
    return told + (f"\n... and {more:,} more rows in the file" if more else "")


def as_json(summary: DiffusionSummary, page: Path | None) -> str:
    """Return the description as JSON without the rows of people; what does not exist is null.

    Parameters
    ----------
    summary : the description.
    page : the page that was written, or None.
    """
    import json

    from mobsim.cli.compare import without_nan
    from mobsim.report.diffusion_results import tables_of

    data: dict[str, Any] = {
        "people": summary.n_people,
        "adopters": summary.n_adopters,
        "ties": summary.n_ties,
        "notes": list(summary.notes),
        "page": None if page is None else str(page),
    }
    data["tables"] = {
        name: table.astype(object).where(table.notna(), None).to_dict("records")
        for name, table in tables_of(summary).items()
        if name != "people"
    }
    return json.dumps(
        without_nan(data), indent=2, ensure_ascii=False, allow_nan=False, default=lambda value: value.item()
    )
