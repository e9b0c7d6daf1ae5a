"""`mobsim verify`: is a ledger whole, and does a random sample of its runs give the same numbers again?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mobsim.experiment.again import Verification


def verify(
    ledger: Annotated[Path, typer.Argument(help="A ledger, or the folder of a sweep's results.")],
    sample: Annotated[int, typer.Option(help="How many runs to run once more.")] = 20,
    seed: Annotated[int, typer.Option(help="Another number draws other runs.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Check a ledger and run a random sample of its runs once more; exit code 1 if any number differs.

    \b
    mobsim verify results/my_sweep/3bea8834d8d7
    mobsim verify ledger.sqlite --sample 100
    """  # noqa: D301
    from mobsim.cli.progress import reporter
    from mobsim.experiment.again import verify as run_again
    from mobsim.experiment.results import load_results

    results = load_results(ledger)
    with reporter(quiet=quiet) as tell:
        tell.step("running a sample once more")
        found = run_again(results, sample, seed=seed, progress=tell.runs)
    typer.echo(as_json(found) if json else "\n".join(found.sentences))
    if not found.same:
        raise typer.Exit(1)


def as_json(found: Verification) -> str:
    """Return what came of it as JSON.

    Parameters
    ----------
    found : the verification.
    """
    import json

    data = {
        "same": found.same,
        "sample": [str(rerun.key) for rerun in found.reruns],
        "of": found.of,
        "seed": found.seed,
        "differing": {str(rerun.key): rerun.sentence for rerun in found.differing},
        "version": found.version or None,
        "sentences": list(found.sentences),
    }
    return json.dumps(data, indent=2, ensure_ascii=False)
