"""`mobsim compare`: every strategy and no campaign, over communities and luck, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mobsim.analysis.study import Study
    from mobsim.cli.progress import Reporter
    from mobsim.report.drawing import Helper
    from mobsim.scenario.scenario import Scenario


def compare(
    scenario: Annotated[
        str, typer.Argument(metavar="FILE", help="A scenario file, or the name of a shipped scenario.")
    ],
    communities: Annotated[
        int | None, typer.Option(help="How many communities; default: as the scenario says.")
    ] = None,
    luck: Annotated[
        int | None, typer.Option(help="How many streams of luck on each; default: as the scenario says.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads; results do not depend on them. Default: all.")
    ] = None,
    until: Annotated[
        float | None,
        typer.Option(
            help="Half-width wanted for the differences with the best, such as 0.01 for one point: at least "
            "32 communities tell how many are needed, then these are run once."
        ),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of all results.")] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Compare all strategies of a scenario, and none, under the same communities and luck.

    \b
    mobsim compare my_village.yaml
    mobsim compare vaccination_district --communities 64
    mobsim compare my_village.yaml --until 0.01     as many as one point takes
    mobsim compare my_village.yaml --json > comparison.json
    """  # noqa: D301
    import time

    from mobsim.cli.progress import duration, reporter
    from mobsim.kernels.kept import is_likely_complete
    from mobsim.report.drawing import Helper
    from mobsim.scenario.file import load_scenario

    # Where kernels must be compiled first, that needs the processor which the helper would take.
    with Helper(wanted=threads != 1, at_once=is_likely_complete()) as helper:
        resolved = load_scenario(scenario)
        started = time.monotonic()
        with reporter(quiet=quiet) as tell:
            told = _compare_and_write(
                resolved, results, tell, helper, as_json if json else as_text,
                threads=threads, communities=communities, luck=luck, until=until,
            )  # fmt: skip
    typer.echo(told)
    if not quiet:
        typer.echo(f"done in {duration(time.monotonic() - started)}", err=True)


def _compare_and_write(
    scenario: Scenario,
    results: Path,
    tell: Reporter,
    helper: Helper,
    words_of: Callable[[Study, Path], str],
    *,
    threads: int | None,
    **design: Any,
) -> str:
    """Simulate, compare and write, telling each step; return what the command prints.

    A folder that cannot be written to is refused before kernels are compiled.
    """
    import time

    from mobsim.analysis.study import compare as run_study
    from mobsim.engine.first_use import prepare
    from mobsim.report.results import drawing_of, folder_of, prepare_results, write_results

    prepare_results(results, scenario)
    started = time.monotonic()
    prepare(tell.step)
    helper.start()
    tell.step("simulating")
    study = run_study(scenario, threads=threads, progress=tell.runs, **design)
    seconds = time.monotonic() - started
    tell.step("writing tables, figures and page")
    drawing = drawing_of(study, helper)
    told = words_of(study, folder_of(study, results))  # while the helper draws
    write_results(study, results, log=f"compare {len(study.runs)} runs in {seconds:.1f} s", drawing=drawing)
    return told


def as_text(study: Study, folder: Path) -> str:
    """Return what the command prints: tables, verdict, checks, limits, place.

    Parameters
    ----------
    study : the study.
    folder : its results.
    """
    from mobsim.cli.text import bullets, columns, folded
    from mobsim.report import outcome_tables, process_tables, words
    from mobsim.report.results import PAGE

    parts = [f"{study.scenario.title}\n{words.size_of(study)}"]
    for table in (*outcome_tables.tables_of(study), outcome_tables.chances_table(study)):
        parts.append(f"{table.title}\n{folded(table.note)}\n\n{columns(table.header, table.rows)}")
    surveys = process_tables.surveys_table(study)
    if surveys is not None:
        numbers = columns(surveys.header[:-1], [row[:-1] for row in surveys.rows])
        led_to = bullets(f"{row[0]}, {surveys.header[-1]}: {row[-1]}" for row in surveys.rows)
        parts.append(f"{surveys.title}\n{folded(surveys.note)}\n\n{numbers}\n\n{led_to}")
    parts.append("Verdict\n" + bullets(study.verdict.sentences))
    parts.append("In short\n" + bullets(words.summary_of(study)))
    cautions = words.cautions_of(study)
    if cautions:
        parts.append("Before you use this\n" + bullets(cautions))
    checks = process_tables.checks_table(study)
    if checks is not None:
        lines = (f"{row[1]}: {row[0]}; found {row[2]}, band {row[3]}" for row in checks.rows)
        parts.append(f"{checks.title}\n" + bullets(lines))
    limits = [
        words.comparative(study.scenario),
        *([study.drift.sentence] if study.drift else []),
        *words.NOT_SHOWN,
    ]
    parts.append("Limits\n" + bullets(limits))
    parts.append(f"Page: {folder / PAGE}")
    return "\n\n".join(parts)


def as_json(study: Study, folder: Path) -> str:
    """Return the comparison as JSON; what does not exist is null.

    Parameters
    ----------
    study : the study.
    folder : its results.
    """
    import json
    from dataclasses import asdict

    from mobsim.report import words
    from mobsim.report.manifest import digest_of
    from mobsim.report.results import PAGE

    verdict = study.verdict
    data = {
        "scenario": study.scenario.name,
        "digest": digest_of(study),
        "replicates": {"communities": study.comparison.communities, "luck": study.comparison.luck},
        "verdict": {
            "headline": verdict.headline,
            "best": verdict.best,
            "can_be_best": list(verdict.possible),
            "pairs": [asdict(pair) for pair in verdict.pairs],
            "warnings": list(verdict.warnings),
        },
        "summary": words.summary_of(study),
        "comparison": study.comparison.table.to_dict("records"),
        "widens_the_gap": list(study.widening),
        "drift": asdict(study.drift) if study.drift else None,
        "checks": [asdict(check) for check in study.checks],
        "cautions": words.cautions_of(study),
        "limits": [words.comparative(study.scenario), *words.NOT_SHOWN],
        "page": str(folder / PAGE),
    }
    return json.dumps(without_nan(data), indent=2, ensure_ascii=False, allow_nan=False)


def without_nan(value: Any) -> Any:
    """Replace NaN and infinities by null, which JSON can say."""
    import math

    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
