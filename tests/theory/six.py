"""S09: six people whose every outcome is known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published


def numbers(s09: dict[str, Any], rule: str) -> dict[published.Edge, Fraction]:
    return published.edges_of(s09["reference"]["ic_prob" if rule == "IC" else "lt_weight"])


def outcomes(s09: dict[str, Any], rule: str, starters: tuple[int, ...]) -> published.Outcomes:
    table = numbers(s09, rule)
    return (published.cascade_outcomes if rule == "IC" else published.threshold_outcomes)(table, starters)


def reached(
    s09: dict[str, Any], rule: str, starters: tuple[int, ...], copies: int, folder: Path, **how: Any
) -> Any:
    """Return (nodes,) how many runs reached each node; a run is one copy of the six people and one luck."""
    table = numbers(s09, rule)
    column = {"transmission": table} if rule == "IC" else {"weight": table}
    overrides = measure.small_network(folder, list(table), starters, copies, **column)
    overrides["community.initial.participating"] = 0.0  # the file says who starts
    name = "independent_cascade" if rule == "IC" else "linear_threshold"
    return measure.reached_nodes(name, overrides, **how)


def assert_reached(
    s09: dict[str, Any], rule: str, starters: tuple[int, ...], reached: Any, runs: int
) -> None:
    """Every node within 4 standard errors, and all together by a chi-square with their exact covariance."""
    errors = published.stated(s09, "every node probability within 4 s.e.", 4)
    assert "chi-square over nodes" in s09["tolerance"]
    key = f"{rule} seed {{{','.join(map(str, starters))}}}"
    expected = np.array([float(published.text_number(p)) for p in s09["reference"][key]["per_node"]])
    error = np.sqrt(expected * (1 - expected) / runs)
    off = reached / runs - expected
    assert np.all(np.abs(off) <= errors * error), (off / np.where(error > 0, error, 1)).round(2)
    free = expected < 1
    spread = published.covariance(outcomes(s09, rule, starters), 6)[np.ix_(free, free)] / runs
    statistic = float(off[free] @ np.linalg.solve(spread, off[free]))
    assert statistic <= published.chi_square_limit(int(free.sum()))
