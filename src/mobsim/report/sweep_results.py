"""What a sweep leaves behind: tidy tables of runs, weeks, points and failures, with what they mean.

Tables come from the ledger piece by piece and go to the disk piece by piece; the folder appears complete or
not at all. The same results give the same bytes, in whatever order they were computed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobsim.engine.outcomes import Column, data_dictionary
from mobsim.errors import needs_extra
from mobsim.experiment.factors import Factor, parts_of
from mobsim.experiment.results import SweepResults
from mobsim.experiment.shard import LEDGER
from mobsim.report.folder import Content, write_folder
from mobsim.report.tables import csv_of, csv_of_rows, csv_pieces
from mobsim.scenario.allowed import schema_at
from mobsim.scenario.dump import dump, plain, yaml_of

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "tables"

Progress = Callable[[int, int], None]


def write_sweep_results(
    results: SweepResults,
    folder: Path | None = None,
    *,
    parquet: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write the tables of a sweep into a folder that appears complete or not at all.

    Parameters
    ----------
    results : the results of the sweep, finished or not.
    folder : where to; none: `tables` beside the ledger. An existing folder of that name is replaced.
    parquet : also write every table as Parquet; needs the extra `parquet`.
    progress : called with (rows written, all rows) after every piece.

    Returns
    -------
    Path : the folder.

    Raises
    ------
    ResultsError : if it cannot be written; an earlier folder is then as it was.
    UsageError : if the extra is not installed.
    """
    place = folder or folder_of(results)
    write_folder(place, files_of(results, parquet=parquet, progress=progress))
    return place


def folder_of(results: SweepResults) -> Path:
    """Return the folder of the tables if no other is named: `tables`, for a shard `tables-1-of-3`.

    Parameters
    ----------
    results : the results of the sweep.
    """
    name = results.path.name
    ending = "" if name == LEDGER else "-" + results.path.stem.removeprefix("ledger-")
    return results.path.parent / f"{FOLDER}{ending}"


def files_of(
    results: SweepResults, *, parquet: bool = False, progress: Progress | None = None
) -> dict[str, Content]:
    """Return every file of the folder: name -> content, whole or piece by piece.

    Parameters
    ----------
    results : the results of the sweep.
    parquet : whether tables are also written as Parquet.
    progress : called with (rows written, all rows) after every piece.
    """
    if parquet:
        _need_pyarrow()
    streamed: dict[str, Callable[[], Iterator[pd.DataFrame]]] = {"runs": results.iter_runs}
    rows = results.n_runs
    if results.design.record.weeks != "none":
        streamed["weeks"] = results.iter_weeks
        rows += results.n_weeks
    small = {"points": results.points, "failures": results.failures()}
    tell = _Counter(rows * (2 if parquet else 1), progress)
    files: dict[str, Content] = {}
    for name, pieces in streamed.items():
        files[f"{name}.csv"] = csv_pieces(tell.counted(pieces()))
    for name, table in small.items():
        files[f"{name}.csv"] = csv_of(table)
    if parquet:
        for name, pieces in streamed.items():
            files[f"{name}.parquet"] = parquet_pieces(tell.counted(pieces()))
        for name, table in small.items():
            files[f"{name}.parquet"] = parquet_pieces([table])
    files["data_dictionary.csv"] = dictionary_of(results)
    files["manifest.json"] = _json(manifest_of(results))
    files["scenario.yaml"] = dump(results.scenario).encode()
    files["design.yaml"] = design_of(results).encode()
    return files


def manifest_of(results: SweepResults) -> dict[str, Any]:
    """Return the manifest of a sweep, with how much of it is there.

    Parameters
    ----------
    results : the results of the sweep.
    """
    done, of = results.tasks_done
    there = {"tasks": done, "of": of, "runs": results.n_runs, "failed": results.n_failures}
    return {**results.manifest, "complete": results.complete, "there": there}


def design_of(results: SweepResults) -> str:
    """Return the design as YAML with every default written in.

    Parameters
    ----------
    results : the results of the sweep.
    """
    heading = (
        "# The resolved form of a design: every default is written in. The scenario is named as the design\n"
        "# named it; scenario.yaml holds its resolved form.\n"
    )
    return heading + yaml_of(results.manifest["design"])


def dictionary_of(results: SweepResults) -> bytes:
    """Return the data dictionary of the tables as CSV; a factor has the unit of its parameter.

    Parameters
    ----------
    results : the results of the sweep.
    """
    tables: dict[str, Iterable[str]] = {"runs": results.columns("runs")}
    if results.design.record.weeks != "none":
        tables["weeks"] = results.columns("weeks")
    tables["points"] = ["point"]
    columns = data_dictionary(tables)
    scenario = plain(results.scenario)
    columns += [_column_of(factor, scenario) for factor in results.factors]
    columns += data_dictionary({"failures": list(results.failures().columns)})
    rows = [(f"{c.table}.csv", c.name, c.unit, c.meaning, c.source) for c in columns]
    return csv_of_rows(("table", "column", "unit", "meaning", "source"), rows)


def _column_of(factor: Factor, scenario: dict[str, Any]) -> Column:
    """Declare the column of a factor from what its place means in a scenario."""
    found = [schema_at(parts_of(place), scenario) or {} for place in factor.places]
    description = next((schema["description"] for schema in found if schema.get("description")), "")
    unit = next((schema["unit"] for schema in found if schema.get("unit")), "")
    places = " and ".join(factor.places)
    meaning = f"{description} ({places})" if description else places
    return Column(
        "points", factor.name, unit or ("number" if factor.numeric else "words"), meaning, "design.yaml"
    )


def parquet_pieces(tables: Iterable[pd.DataFrame]) -> Iterator[bytes]:
    """Yield a table that comes piece by piece as one Parquet file, a row group a piece; empty cells are null.

    Numbers are kept whole; CSV shows ten digits of them.

    Parameters
    ----------
    tables : pieces with the same columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Drain()
    writer = None
    for table in tables:
        if writer is None:
            schema = pa.schema([(str(name), _arrow_type(table[name])) for name in table.columns])
            writer = pq.ParquetWriter(sink, schema, compression="zstd")
        arrays = [
            pa.array(_cells(table[name]), type=field.type, from_pandas=True)
            for name, field in zip(table.columns, schema, strict=True)
        ]
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        yield sink.taken()
    if writer is not None:
        writer.close()
        yield sink.taken()


def _arrow_type(column: pd.Series[Any]) -> Any:
    import pyarrow as pa

    kinds = {"i": pa.int64(), "b": pa.int64(), "f": pa.float64()}
    return kinds.get(getattr(column.dtype, "kind", "O"), pa.string())


def _cells(column: pd.Series[Any]) -> Any:
    if getattr(column.dtype, "kind", "O") in "iuf":
        return column.to_numpy()
    if getattr(column.dtype, "kind", "O") == "b":
        return column.to_numpy().astype("int64")
    return [None if value is None or value != value else str(value) for value in column.tolist()]


class _Drain(io.RawIOBase):
    """A file that holds what was written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Counter:
    """Counts the rows of all pieces that pass."""

    def __init__(self, of: int, progress: Progress | None) -> None:
        self._done, self._of, self._progress = 0, of, progress

    def counted(self, pieces: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for piece in pieces:
            yield piece
            self._done += len(piece)
            if self._progress is not None:
                self._progress(self._done, self._of)


def _need_pyarrow() -> None:
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise needs_extra("parquet", "writing Parquet")


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
