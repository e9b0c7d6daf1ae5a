"""What a study leaves behind: tables, figures, manifest and page in results/<scenario>/<digest>/."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobsim.analysis.facts import CheckResult
from mobsim.analysis.study import Study, single_community
from mobsim.engine.outcomes import data_dictionary
from mobsim.report.build import build_page
from mobsim.report.drawing import Drawing, Helper
from mobsim.report.figures import Picture, sketches_of
from mobsim.report.folder import append_line, prepare_folder, write_folder
from mobsim.report.manifest import digest_of, manifest_of
from mobsim.report.tables import csv_of, csv_of_rows
from mobsim.scenario.dump import dump

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.community.community import Community
    from mobsim.scenario.scenario import Scenario

PAGE = "report.html"


def prepare_results(results: Path, scenario: Scenario) -> None:
    """Try the place for results before a long simulation, and clean up after runs that died.

    Parameters
    ----------
    results : folder of all results.
    scenario : the scenario that will be run.
    """
    prepare_folder(results / scenario.name)


def write_results(study: Study, results: Path, *, log: str = "", drawing: Drawing | None = None) -> Path:
    """Write the results folder of a study; it appears complete or not at all.

    Parameters
    ----------
    study : the study.
    results : folder of all results.
    log : what to note in the log beside the folder, such as how long the runs took.
    drawing : the figures of the study, if they are being drawn; none: they are drawn here.

    Returns
    -------
    Path : the folder; its page is `report.html`.

    Raises
    ------
    ResultsError : if it cannot be written; earlier results are then as they were.
    """
    folder = folder_of(study, results)
    write_folder(folder, files_of(study, drawing))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    append_line(folder.parent / "log.txt", f"{now} {folder.name} {log}".rstrip())
    return folder


def folder_of(study: Study, results: Path) -> Path:
    """Return the folder in which a study is kept.

    Parameters
    ----------
    study : the study.
    results : folder of all results.
    """
    return results / study.scenario.name / digest_of(study)


def drawing_of(study: Study, helper: Helper | None = None) -> Drawing:
    """Begin to draw the figures of a study.

    Parameters
    ----------
    study : the study.
    helper : who draws; none: this process, when the figures are asked for.
    """
    sketches = sketches_of(study, example_community(study.scenario))
    return Drawing(sketches) if helper is None else helper.begin(sketches)


def files_of(study: Study, drawing: Drawing | None = None) -> dict[str, bytes]:
    """Return every file of the results folder: path -> content. The same study gives the same bytes.

    Parameters
    ----------
    study : the study.
    drawing : its figures, if they are being drawn.
    """
    drawing = drawing or drawing_of(study)
    tables = tables_of_study(study)
    manifest = manifest_of(study)
    files = {f"{name}.csv": csv_of(table) for name, table in tables.items()}
    files["data_dictionary.csv"] = dictionary_of(tables)
    files["manifest.json"] = _json(manifest)
    files["scenario.yaml"] = dump(study.scenario).encode()
    pictures = drawing.pictures()
    files |= _figure_files(pictures)
    files[PAGE] = build_page(study, pictures, manifest).encode()
    return files


def tables_of_study(study: Study) -> dict[str, pd.DataFrame]:
    """Return the tables of a study by name."""
    import pandas as pd

    comparison = study.comparison
    chances = comparison.chances.merge(
        comparison.with_best.rename(columns={"low": "best_low", "high": "best_high"}), on="arm"
    )
    names = [field.name for field in fields(CheckResult)]
    checks = pd.DataFrame([[getattr(check, name) for name in names] for check in study.checks], columns=names)
    return {
        "runs": study.runs,
        "weeks": study.weeks,
        "activities": study.activities,
        "organizations": study.organizations,
        "domains": study.domains,
        **({"surveys": study.surveys} if len(study.surveys) else {}),
        "comparison": comparison.table,
        "verdicts": comparison.contrasts,
        "chances": chances,
        "checks": checks.astype(object),
    }


def dictionary_of(tables: dict[str, pd.DataFrame]) -> bytes:
    """Return the data dictionary of tables as CSV."""
    columns = data_dictionary({name: [str(c) for c in table.columns] for name, table in tables.items()})
    rows = [(f"{c.table}.csv", c.name, c.unit, c.meaning, c.source) for c in columns]
    return csv_of_rows(("table", "column", "unit", "meaning", "source"), rows)


def example_community(scenario: Scenario) -> Community | None:
    """Build community 0 for the picture of the network; none where a picture would show nothing.

    Imported people and ties are not drawn: a picture of real people does not belong on a page that travels.
    """
    if scenario.community.network.kind in ("well_mixed", "complete") or single_community(scenario):
        return None
    from mobsim.engine.run import build

    return build(scenario, 0)


def _figure_files(pictures: Sequence[Picture]) -> dict[str, bytes]:
    files = {}
    for picture in pictures:
        files[f"figures/{picture.name}.svg"] = picture.svg
        files[f"figures/{picture.name}.png"] = picture.png
    return files


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
