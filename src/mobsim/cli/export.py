"""`mobsim export`: the tables of a sweep as CSV, and as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mobsim.experiment.results import SweepResults


def export(
    ledger: Annotated[Path, typer.Argument(help="A ledger, or the folder of a sweep's results.")],
    to: Annotated[
        Path | None, typer.Option(help="Folder of the tables. Default: tables, beside the ledger.")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet beside CSV.")] = False,
    salvage: Annotated[
        bool,
        typer.Option(
            "--salvage", help="Save the whole tasks of a damaged ledger into a new one; the old one stays."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Write the tables of a sweep: runs, weeks, points, failures, and what their columns mean.

    \b
    mobsim export results/my_sweep/3bea8834d8d7
    mobsim export ledger.sqlite --to tables --parquet
    mobsim export ledger.sqlite --salvage           what is whole of a damaged one
    """  # noqa: D301
    from mobsim.experiment.results import load_results

    if salvage:
        ledger = _salvaged(ledger)
    write_and_tell(load_results(ledger), to, parquet=parquet, quiet=quiet)


def write_and_tell(results: SweepResults, to: Path | None, *, parquet: bool, quiet: bool) -> None:
    """Write the tables, then print how much there is and where.

    Parameters
    ----------
    results : the results of a sweep.
    to : folder of the tables; none: beside the ledger.
    parquet : whether to write Parquet beside CSV.
    quiet : no progress.
    """
    from mobsim.cli.progress import reporter
    from mobsim.report.sweep_results import write_sweep_results

    with reporter(quiet=quiet) as tell:
        tell.step("writing tables")
        n = results.n_runs

        def progress(done: int, of: int) -> None:
            tell.runs(n * done // of if of else n, n)

        folder = write_sweep_results(results, to, parquet=parquet, progress=progress)
    if not results.complete:
        typer.echo(unfinished(results), err=True)
    typer.echo(size_of(results))
    typer.echo(f"Tables: {folder}")


def size_of(results: SweepResults) -> str:
    """Say how many runs there are, and of what.

    Parameters
    ----------
    results : the results of a sweep.
    """
    failed = f"; {results.n_failures:,} failed" if results.n_failures else ""
    return (
        f"{results.name}: {results.n_runs:,} runs ({_counted(len(results.plan.points), 'point')} x "
        f"{_counted(len(results.arms), 'arm')} x {_counted(len(results.communities), 'community')} x "
        f"{len(results.luck):,} luck){failed}"
    )


def unfinished(results: SweepResults) -> str:
    """Say how much of a sweep is missing.

    Parameters
    ----------
    results : the results of a sweep.
    """
    done, of = results.tasks_done
    whole = f"mobsim: {done:,} of {of:,} tasks are done"
    if results.shard is not None:
        return (
            f"{whole} here: this is shard {results.shard[0]} of {results.shard[1]}; mobsim merge joins shards"
        )
    return f"{whole}; the command that began the sweep goes on with the rest"


def _counted(number: int, what: str) -> str:
    plural = "communities" if what == "community" else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def _salvaged(path: Path) -> Path:
    """Save what is whole into a new ledger beside the damaged one, which is numbered if there are more."""
    from itertools import chain, count

    from mobsim.experiment.results import find_ledger
    from mobsim.experiment.salvage import salvage

    damaged = find_ledger(path)
    endings = chain(("salvaged",), (f"salvaged-{number}" for number in count(2)))
    names = (damaged.with_name(f"{damaged.stem}-{ending}{damaged.suffix}") for ending in endings)
    out = next(name for name in names if not name.exists())
    found = salvage(damaged, out)
    typer.echo(
        f"mobsim: {found.saved:,} of {found.of:,} tasks are whole and now in {out}; {damaged} is as it was",
        err=True,
    )
    return out
