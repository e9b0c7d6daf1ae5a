"""`mobsim sweep`: run a design, or what is missing of it, and write its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mobsim.experiment.failure import Failure
    from mobsim.experiment.plan import SweepPlan
    from mobsim.experiment.sweep import SweepOutcome

FINISHED_WITH_FAILURES = 3
MOST_SHOWN = 3
"""Failed runs that are told one by one."""


def sweep(
    design: Annotated[str, typer.Argument(metavar="DESIGN", help="A design file (docs/designs.md).")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Run nothing: say how many runs, how long, how much memory.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes on this machine. Default: one a processor, as far as memory allows."),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Run on the Dask cluster with this scheduler, such as tcp://host:8786; or local.",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Run only share I of N, into a ledger of its own; see mobsim merge."
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run the tasks again in which runs failed.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="If the ledger is damaged, set it aside and go on with what is whole of it."
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="A task that takes longer is ended. Default: 120 (on a cluster 600), or 30 times what tasks "
            "usually take if that is longer.",
        ),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of all results.")] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Run every point of a design, keep every finished task, and write the tables.

    \b
    mobsim sweep design.yaml --dry-run                  how long will it take?
    mobsim sweep design.yaml                            on this machine
    mobsim sweep design.yaml --dask tcp://host:8786     on a cluster
    mobsim sweep design.yaml --shard 2/5                the second of five shares

    Interrupted or killed, the same command goes on where it stopped: the tables are the same to the byte.
    """  # noqa: D301  the sign must be in it
    from mobsim.experiment.plan import plan_sweep

    plan = plan_sweep(design)
    if dry_run:
        _say_costs(plan, workers, json=json)
        return
    try:
        outcome = _run(
            plan, results, quiet,
            workers=workers, dask=dask, shard=shard, retry_failed=retry_failed, repair=repair,
            timeout=timeout,
        )  # fmt: skip
        tables = None if outcome.shard else _write(outcome, quiet)
    except KeyboardInterrupt:
        typer.echo(
            "mobsim: what was finished is kept; the same command goes on where this one stopped", err=True
        )
        raise
    if (repaired := outcome.repaired) is not None:
        typer.echo(
            f"mobsim: {repaired.saved:,} of {repaired.of:,} tasks of the damaged ledger were whole and were "
            f"kept; it is now {repaired.old}",
            err=True,
        )
    failures = outcome.first_failures(MOST_SHOWN)
    typer.echo(
        as_json(plan, outcome, failures, tables) if json else as_text(plan, outcome, failures, tables, design)
    )
    if outcome.failed:
        raise typer.Exit(FINISHED_WITH_FAILURES)


def _run(plan: SweepPlan, results: Path, quiet: bool, **options: Any) -> SweepOutcome:
    """Run what is missing, telling how far it is."""
    from mobsim.cli.progress import reporter
    from mobsim.experiment.sweep import sweep as run_sweep
    from mobsim.kernels.kept import is_likely_complete

    with reporter(quiet=quiet) as tell:
        if not is_likely_complete() and options["dask"] in (None, "local"):
            from mobsim.engine.first_use import prepare

            prepare(tell.step)
        tell.step(f"running {plan.design.name}")
        first: list[int] = []

        def progress(done: int, of: int, failed: int) -> None:
            first.append(done)
            tell.runs(done, of, failed=failed, before=first[0])

        return run_sweep(plan, results=results, progress=progress, **options)


def _write(outcome: SweepOutcome, quiet: bool) -> Path:
    """Write the tables of a sweep and return their folder."""
    from mobsim.cli.progress import reporter
    from mobsim.report.sweep_results import write_sweep_results

    with reporter(quiet=quiet) as tell:
        tell.step("writing tables")
        return write_sweep_results(outcome.results())


def _say_costs(plan: SweepPlan, workers: int | None, *, json: bool) -> None:
    """Print what a sweep will cost."""
    from mobsim.experiment.pilot import dry_run

    forecast = dry_run(plan, workers)
    if json:
        import json as writer
        from dataclasses import asdict

        typer.echo(writer.dumps(asdict(forecast), indent=2, ensure_ascii=False))
    else:
        typer.echo(forecast.text)


def as_text(
    plan: SweepPlan, outcome: SweepOutcome, failures: list[Failure], tables: Path | None, design: str
) -> str:
    """Return what the command prints: how much was done, what failed, where the tables are, what comes next.

    Parameters
    ----------
    plan : the plan.
    outcome : what came of it.
    failures : the first runs that failed.
    tables : folder of the tables; none for a shard.
    design : the design as the user named it.
    """
    from mobsim.cli.text import bullets

    share = f", shard {outcome.shard[0]} of {outcome.shard[1]}" if outcome.shard else ""
    failed = f", {outcome.failed:,} failed" if outcome.failed else ""
    name = f"{plan.design.title or plan.design.name}{share}"
    lines = [f"{name}: {outcome.runs:,} of {outcome.of:,} runs done{failed}"]
    if failures:
        told = [f"{failure.run} ({failure.stage}): {_short(failure.error)}" for failure in failures]
        more = outcome.failed - len(failures)
        lines.append(bullets([*told, *([f"and {more:,} more in failures.csv"] if more else [])]))
    lines.append(f"Ledger: {outcome.ledger}" if tables is None else f"Tables: {tables}")
    lines.append("Next\n" + _next_commands(outcome, failures, design))
    return "\n".join(lines)


def as_json(plan: SweepPlan, outcome: SweepOutcome, failures: list[Failure], tables: Path | None) -> str:
    """Return what came of a sweep as JSON.

    Parameters
    ----------
    plan : the plan.
    outcome : what came of it.
    failures : the first runs that failed.
    tables : folder of the tables; none for a shard.
    """
    import json

    data = {
        "design": plan.design.name,
        "digest": plan.digest,
        "points": len(plan.points),
        "runs": outcome.runs,
        "of": outcome.of,
        "failed": outcome.failed,
        "failures": [
            {"run": failure.run, "stage": failure.stage, "error": failure.error} for failure in failures
        ],
        "shard": list(outcome.shard) if outcome.shard else None,
        "ledger": str(outcome.ledger),
        "tables": str(tables) if tables else None,
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _next_commands(outcome: SweepOutcome, failures: list[Failure], design: str) -> str:
    """Return the commands that can be useful now, each with what it does."""
    from shlex import quote

    found: list[tuple[str, str]] = []
    folder = quote(str(outcome.folder))
    if failures:
        found.append((f"mobsim rerun {folder} {failures[0].run} --debug", "shows where that run fails"))
        found.append((f"mobsim sweep {quote(design)} --retry-failed", "tries them again"))
    if outcome.shard:
        found.append((f"mobsim merge {folder} {folder}", "joins the shards, when all are in that folder"))
    else:
        found.append((f"mobsim verify {folder}", "runs some of it again and compares"))
        found.append((f"mobsim.load_results({str(outcome.folder)!r})", "in Python: the tables"))
    return "\n".join(f"  {command}\n      {words}" for command, words in found)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
