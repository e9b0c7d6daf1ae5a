"""Which points a design runs: places in the unit cube, and the values that stand there.

Sequences and Latin hypercubes come from `scipy.stats.qmc`, the points for Sobol indices and Morris effects
from SALib (extra `sensitivity`). They give places u in the unit cube; each factor turns its coordinate into a
value (`Factor.at`):

* a range: low + u (high - low); with `scale: log` low (high / low)^u, in decimal arithmetic;
* a range of whole numbers: the same over low - 1/2 to high + 1/2, rounded, so that (without log) every whole
  number from low to high is equally likely;
* listed values: the value number floor(u n), so that each of the n values is equally likely.

Values are rounded to ten significant digits, which is what a table of points shows.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobsim.errors import nearest, needs_extra
from mobsim.experiment.design import (
    MOST_POINTS,
    Design,
    Grid,
    Halton,
    InvalidDesign,
    LatinHypercube,
    Morris,
    OneAtATime,
    PointsFile,
    Saltelli,
    Sobol,
)
from mobsim.experiment.factors import Factor, same
from mobsim.scenario.faults import Fault, shown

if TYPE_CHECKING:
    from scipy.stats import qmc

Point = Mapping[str, Any]
"""A value for every factor, by the factor's name."""


def points_of(design: Design, factors: Sequence[Factor]) -> tuple[Point, ...]:
    """Return the points of a design, in their order.

    Parameters
    ----------
    design : the design.
    factors : what varies.

    Raises
    ------
    MobsimError
        if a factor has no base to start from, a file of points is wrong, or an extra is missing.
    """
    spec = design.design
    names = [factor.name for factor in factors]
    if isinstance(spec, PointsFile):
        return tuple(point for _, point in read_points(design, factors))
    if isinstance(spec, Grid):
        rows = itertools.product(*(factor.level_values() for factor in factors))
        return tuple(dict(zip(names, row, strict=True)) for row in rows)
    if isinstance(spec, OneAtATime):
        return _one_at_a_time(design, factors)
    return tuple(
        {factor.name: factor.at(u) for factor, u in zip(factors, row, strict=True)}
        for row in unit_points(design, len(factors)).tolist()
    )


def unit_points(design: Design, n_factors: int) -> npt.NDArray[np.float64]:
    """Return the places of the points in the unit cube, shape (points, factors), in the order of the points.

    Parameters
    ----------
    design : a design of kind latin_hypercube, sobol, halton, saltelli or morris.
    n_factors : how many factors there are.

    Raises
    ------
    UsageError : if SALib is not installed and the kind needs it.
    ValueError : for another kind, whose points are not made in the unit cube.
    """
    from scipy.stats import qmc

    spec = design.design
    if isinstance(spec, LatinHypercube):
        return _drawn(qmc.LatinHypercube, n_factors, spec.seed, spec.points)
    if isinstance(spec, Sobol):
        return _drawn(qmc.Sobol, n_factors, spec.seed, spec.points)
    if isinstance(spec, Halton):
        return _drawn(qmc.Halton, n_factors, spec.seed, spec.points)
    if isinstance(spec, Saltelli):
        return _salib("sobol", n_factors, spec.points, spec.seed, calc_second_order=spec.second_order)
    if isinstance(spec, Morris):
        return _salib("morris", n_factors, spec.trajectories, spec.seed, num_levels=spec.levels)
    raise ValueError(f"points of a {spec.kind} are not made in the unit cube")


def _drawn(kind: type[qmc.QMCEngine], n_factors: int, seed: int, n_points: int) -> npt.NDArray[np.float64]:
    import inspect

    generator = np.random.default_rng(seed)
    keyword = "rng" if "rng" in inspect.signature(kind).parameters else "seed"  # renamed in scipy 1.15
    found: npt.NDArray[np.float64] = kind(n_factors, scramble=True, **{keyword: generator}).random(n_points)
    return found


def _salib(kind: str, n_factors: int, n: int, seed: int, **options: Any) -> npt.NDArray[np.float64]:
    from importlib import import_module

    problem = {
        "num_vars": n_factors,
        "names": [f"x{number}" for number in range(n_factors)],
        "bounds": [[0.0, 1.0]] * n_factors,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            sampler = import_module(f"SALib.sample.{kind}")
        except ImportError:
            design = "saltelli" if kind == "sobol" else kind
            raise needs_extra("sensitivity", f"a design of kind {design}") from None
        found: npt.NDArray[np.float64] = np.asarray(sampler.sample(problem, n, seed=seed, **options))
    return found


def _one_at_a_time(design: Design, factors: Sequence[Factor]) -> tuple[Point, ...]:
    """The base first; then each factor over its values, without the base, which is run once."""
    faults = [
        design.document.fault(
            ("factors", factor.name),
            f"factors.{factor.name}: its places differ in the scenario, so that there is no base to start "
            "from; allowed in one_at_a_time: places that are alike there, or set alike under set",
        )
        for factor in factors
        if not factor.has_base
    ]
    if faults:
        raise InvalidDesign(design.document.file, faults)
    base = {factor.name: factor.base for factor in factors}
    changed = (
        {**base, factor.name: value}
        for factor in factors
        for value in factor.level_values()
        if not same(value, factor.base)
    )
    return (base, *changed)


def points_file(design: Design) -> Path:
    """Return the file of points.

    Parameters
    ----------
    design : a design of kind points.
    """
    assert isinstance(design.design, PointsFile)
    return (design.folder or Path()) / design.design.file


def columns_of(design: Design) -> tuple[str, ...]:
    """Return the header of a file of points.

    Parameters
    ----------
    design : a design of kind points.
    """
    _, header, _ = _read(design)
    return tuple(header)


def read_points(design: Design, factors: Sequence[Factor]) -> list[tuple[int, Point]]:
    """Return the points of a CSV file, each with its line.

    Parameters
    ----------
    design : a design of kind points.
    factors : what varies; the file has a column for each, by name.

    Raises
    ------
    InvalidDesign
        with one sentence: file, line, what was found, what is allowed.
    """
    file, header, rows = _read(design)
    by_name = {factor.name: factor for factor in factors}
    faults = [
        Fault(1, f"column {shown(name)} is no factor; allowed: {', '.join(by_name)}{nearest(name, by_name)}")
        for name in header
        if name not in by_name
    ]
    faults += [
        Fault(1, f"column {shown(name)} is missing; allowed: a column for each factor of the design")
        for name in by_name
        if name not in header
    ]
    faults += [
        Fault(1, f"column {shown(name)} stands twice; allowed: once")
        for place, name in enumerate(header)
        if name in header[:place]
    ]
    if faults:
        raise InvalidDesign(file, faults)
    points: list[tuple[int, Point]] = []
    for line, row in rows:
        if len(row) != len(header):
            raise InvalidDesign(
                file,
                [Fault(line, f"the line has {len(row)} cells; allowed: {len(header)}, as in the header")],
            )
        values = {}
        for name, cell in zip(header, row, strict=True):
            value, allowed = _value_of(cell, by_name[name])
            if allowed:
                raise InvalidDesign(file, [Fault(line, f"{name} is {shown(cell)}; allowed: {allowed}")])
            values[name] = value
        points.append((line, {factor.name: values[factor.name] for factor in factors}))
    return points


def _read(design: Design) -> tuple[str, list[str], list[tuple[int, list[str]]]]:
    """Return a CSV file's name, its header, and its rows with their lines."""
    path = points_file(design)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sentence = f"design.file is {shown(path.name)}, which cannot be read ({reason}); allowed: a CSV file"
        raise InvalidDesign(
            design.document.file, [design.document.fault(("design", "file"), sentence)]
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidDesign(str(path), [Fault(line, "a byte is not UTF-8; allowed: text in UTF-8")]) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise InvalidDesign(str(path), [Fault(reader.line_num, f"this is not CSV: {error}")]) from None
    if len(rows) < 2:
        found = "has no row" if rows else "is empty"
        sentence = (
            f"the file {found}; allowed: a header with the names of the factors, and a row for each point"
        )
        raise InvalidDesign(str(path), [Fault(1, sentence)])
    if len(rows) - 1 > MOST_POINTS:
        raise InvalidDesign(
            str(path), [Fault(0, f"holds more than {MOST_POINTS:,} points; allowed: at most that")]
        )
    return str(path), rows[0][1], rows[1:]


def _value_of(cell: str, factor: Factor) -> tuple[Any, str]:
    """Return the value of a cell, and what would be allowed if it is not."""
    if factor.values is not None:
        words = [str(factor.label(value)) for value in factor.values]
        if cell in words:
            return factor.values[words.index(cell)], ""
        value = _scalar(cell)
        for listed in factor.values:
            if same(listed, value):
                return listed, ""
        return None, f"{', '.join(words)}{nearest(cell, words)}"
    if not cell:
        return None, "a value"
    value = _scalar(cell)
    if factor.low is not None and factor.high is not None:
        kind = "a whole number" if factor.whole else "a number"
        is_number = isinstance(value, int if factor.whole else int | float) and not isinstance(value, bool)
        if not is_number or not factor.low <= value <= factor.high:
            return None, f"{kind} from {factor.low:g} to {factor.high:g}"
    return value, ""


def _scalar(cell: str) -> Any:
    """Read a cell as a scenario file would: a number, true or false, null, or a word."""
    words = {"true": True, "false": False, "null": None}
    if cell.lower() in words:
        return words[cell.lower()]
    for kind in (int, float):
        try:
            value = kind(cell)
        except ValueError:
            continue
        return value if math.isfinite(value) else cell
    return cell
