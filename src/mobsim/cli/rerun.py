"""`mobsim rerun`: one run of a sweep once more, alone, held against the ledger bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mobsim.experiment.again import Rerun


def rerun(
    ledger: Annotated[Path, typer.Argument(help="A ledger, or the folder of a sweep's results.")],
    run_id: Annotated[str, typer.Argument(help="Which run, such as p12-c3-l0-outreach.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON with the rows of the run.")] = False,
) -> None:
    """Run one run of a sweep once more, alone; --debug shows where a failed run fails.

    \b
    mobsim rerun results/my_sweep/3bea8834d8d7 p12-c3-l0-outreach
    """  # noqa: D301
    from mobsim.experiment.again import rerun as run_again

    found = run_again(ledger, run_id)
    if found.version:
        typer.echo(f"mobsim: {found.version}", err=True)
    if json:
        typer.echo(as_json(found))
    elif found.failure is None:
        typer.echo(as_text(found))
    if found.failure is not None:
        raise _error_of(found)
    if not found.same and found.failure_before is None:
        raise typer.Exit(1)


def as_text(found: Rerun) -> str:
    """Return the outcomes of the run, without those of groups, and what the comparison gave.

    Parameters
    ----------
    found : the run.
    """
    from mobsim.cli.text import columns
    from mobsim.experiment.ordered import KEYS
    from mobsim.report.tables import number

    row = found.runs.iloc[0]
    names = [name for name in found.runs.columns if name not in KEYS and "__" not in name]
    rows = [(name, number(float(row[name]))) for name in names]
    return f"{columns(('outcome', 'value'), rows)}\n\n{found.sentence}"


def as_json(found: Rerun) -> str:
    """Return the run as JSON; what does not exist is null.

    Parameters
    ----------
    found : the run.
    """
    import json
    from dataclasses import asdict

    from mobsim.cli.compare import without_nan

    failure = found.failure
    data: dict[str, Any] = {
        "run": str(found.key),
        "same": found.same,
        "in_ledger": found.kept,
        "compared": found.compared,
        "differences": [asdict(difference) for difference in found.differences],
        "failure": None if failure is None else asdict(failure),
        "version": found.version or None,
        "sentence": found.sentence,
        "runs": found.runs.to_dict("records"),
        "weeks": found.weeks.to_dict("records"),
    }
    return json.dumps(without_nan(data), indent=2, ensure_ascii=False, allow_nan=False)


def _error_of(found: Rerun) -> Exception:
    """Return the failure as an error that carries the traceback of the run, which --debug shows."""
    from mobsim.errors import ResultsError

    error = ResultsError(found.sentence)
    if found.failure is not None and found.failure.traceback:
        error.add_note(found.failure.traceback)
    return error
