"""What a calibration leaves on the disk: the calibration file, its tables and its figures."""

from __future__ import annotations

from pathlib import Path

from mobsim.analysis.calibration.calibrate import Calibration
from mobsim.analysis.calibration.outcome import calibration_file, file_name, tables_of
from mobsim.report.folder import write_folder
from mobsim.report.tables import csv_of

FOLDER = "fit"


def write_calibration(found: Calibration) -> Path:
    """Write the calibration file, tables and figures beside the search, and return the calibration file.

    Parameters
    ----------
    found : what came of a calibration.

    Raises
    ------
    ResultsError : if they cannot be written; what was there before is then as it was.
    """
    files: dict[str, bytes] = {file_name(found): calibration_file(found).encode()}
    tables = tables_of(found)
    files |= {f"{name}.csv": csv_of(table) for name, table in tables.items()}
    files |= _figures(found)
    folder = found.folder / FOLDER
    write_folder(folder, files)
    return folder / file_name(found)


def _figures(found: Calibration) -> dict[str, bytes]:
    from mobsim import plots_of_calibration as drawn
    from mobsim.plots import as_png, as_svg

    tables = tables_of(found)
    with_range = [factor for factor in found.plan.factors if factor.low is not None]
    names = [factor.name for factor in with_range]
    logarithmic = [factor.scale == "log" for factor in with_range]
    figures = {}
    if found.evidence.of_curve.any():
        figures["fit"] = drawn.fit_of_curves(found.fit)
    if names:
        figures["profiles"] = drawn.profiles(tables["trials"], names, logarithmic)
    if len(names) > 1:
        figures["pairs"] = drawn.pairs(tables["trials"], names[:6], logarithmic[:6])
    return {
        f"figures/{name}.{ending}": write(figure)
        for name, figure in figures.items()
        for ending, write in (("svg", as_svg), ("png", as_png))
    }
