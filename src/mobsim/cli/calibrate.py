"""`mobsim calibrate`: fit values of a scenario to what was observed, and score them on what was held out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mobsim.analysis.calibration.calibrate import Calibration
    from mobsim.analysis.calibration.plan import CalibrationPlan


def calibrate(
    file: Annotated[
        str, typer.Argument(metavar="CALIBRATION", help="A calibration file (docs/calibration_files.md).")
    ],
    trials: Annotated[
        int | None, typer.Option(help="Sets of values tried in all. Default: as the file says.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads on this machine. Default: one a processor.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of all results.")] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Find values that fit what was observed, and say how far they can be believed.

    \b
    mobsim calibrate calibration.yaml                 as the file says
    mobsim calibrate calibration.yaml --trials 500    go on until 500 sets of values were tried

    Interrupted or killed, the same command goes on where it stopped and finds the same. Needs the extra
    calibration.
    """  # noqa: D301  the sign must be in it
    from mobsim.analysis.calibration.plan import plan_calibration
    from mobsim.report.calibration_results import write_calibration

    plan = plan_calibration(file)
    try:
        found = _run(plan, results, trials, workers, quiet)
        written = write_calibration(found)
    except KeyboardInterrupt:
        typer.echo(
            "mobsim: what was finished is kept; the same command goes on where this one stopped", err=True
        )
        raise
    typer.echo(as_json(found, written) if json else as_text(found, written))


def _run(
    plan: CalibrationPlan, results: Path, trials: int | None, workers: int | None, quiet: bool
) -> Calibration:
    """Calibrate, telling how far it is."""
    from mobsim.analysis.calibration.calibrate import calibrate as run
    from mobsim.cli.progress import reporter
    from mobsim.engine.first_use import prepare

    with reporter(quiet=quiet) as tell:
        prepare(tell.step)
        tell.step(f"calibrating {plan.spec.name}")
        runs = plan.simulator.n_replicates * len(plan.simulator.arms)
        first: list[int] = []

        def progress(done: int, of: int) -> None:
            first.append(done)
            tell.runs(done * runs, of * runs, before=first[0] * runs)

        return run(plan, results=results, trials=trials, workers=workers, progress=progress)


def as_text(found: Calibration, written: Path) -> str:
    """Return what the command prints: values, how well they fit, what they are worth, what is not known.

    Parameters
    ----------
    found : what came of a calibration.
    written : the calibration file.
    """
    from mobsim.analysis.calibration.outcome import as_it_was_in_words, fitted_to, verdict_of
    from mobsim.cli.text import bullets, columns, folded

    plan, known = found.plan, found.identification
    lines = [
        f"{plan.spec.title or plan.spec.name}: {len(found.trials):,} trials, {known.accepted:,} fit as well"
    ]
    rows = []
    for factor, one in zip(plan.factors, known.factors, strict=True):
        if one.fit_as_well is None:
            interval = f"{one.low:.4g} to {one.high:.4g}"
        else:
            interval = ", ".join(str(factor.label(value)) for value in one.fit_as_well)
        value = f"{one.value:.4g}" if isinstance(one.value, float) else str(factor.label(one.value))
        rows.append((one.name, value, interval, "yes" if one.identified else "NO"))
    lines.append(columns(("factor", "fits best", "fits as well", "identified"), rows))
    lines.append("\n" + folded(f"Fitted to {fitted_to(found)}: {as_it_was_in_words(found)}."))
    lines.append(folded(verdict_of(found)))
    if known.warnings:
        lines.append(bullets(known.warnings))
    lines.append(f"\n{_scores(found)}")
    lines.append(f"\nFile: {written}")
    lines.append(f"Next\n  calibration: {written.name}\n      in a scenario beside it: uses these values")
    return "\n".join(lines)


def as_json(found: Calibration, written: Path) -> str:
    """Return what came of a calibration as JSON.

    Parameters
    ----------
    found : what came of a calibration.
    written : the calibration file.
    """
    import json

    from mobsim.analysis.calibration.outcome import summary

    return json.dumps(summary(found, written), indent=2, ensure_ascii=False, allow_nan=False)


def _scores(found: Calibration) -> str:
    """Return the scores of all forecasters as a table."""
    from mobsim.analysis.calibration.calibrate import ALL, CURVES, FITTED, HELD_OUT
    from mobsim.cli.text import columns

    target = CURVES if found.evidence.of_curve.any() else ALL
    rows = []
    for name in dict.fromkeys(found.scores["forecaster"]):
        cells = []
        for part in (FITTED, HELD_OUT):
            for column in ("crps", "rmse"):
                value = found.score(name, part, target, column)
                cells.append("" if value is None or value != value else f"{100 * value:.2f}")
        rows.append((name, *cells))
    header = (
        f"{target}, points", "CRPS fitted", "RMSE fitted", "CRPS held out", "RMSE held out",
    )  # fmt: skip
    return columns(header, rows)
