"""S09: six people whose every outcome is known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tests.theory import measure, published

STARTS = [("IC", (0,)), ("IC", (0, 3)), ("LT", (0,)), ("LT", (0, 4))]
SCENARIOS = {"IC": "independent_cascade", "LT": "linear_threshold"}


def numbers(s09: dict[str, Any], rule: str) -> dict[published.Edge, Fraction]:
    return published.edges_of(s09["reference"]["ic_prob" if rule == "IC" else "lt_weight"])


def outcomes(s09: dict[str, Any], rule: str, starters: tuple[int, ...]) -> published.Outcomes:
    table = numbers(s09, rule)
    return (published.cascade_outcomes if rule == "IC" else published.threshold_outcomes)(table, starters)


def key_of(rule: str, starters: tuple[int, ...]) -> str:
    """Return the name of a rule and start in the case's file."""
    return f"{rule} seed {{{','.join(map(str, starters))}}}"


def overrides_of(
    s09: dict[str, Any], rule: str, starters: tuple[int, ...], copies: int, folder: Path
) -> dict[str, Any]:
    """Write copies of the six people and return the overrides that read them."""
    table = numbers(s09, rule)
    column = {"transmission": table} if rule == "IC" else {"weight": table}
    overrides = measure.small_network(folder, list(table), starters, copies, **column)
    overrides["community.initial.participating"] = 0.0  # the file says who starts
    return overrides


def chi_square(
    s09: dict[str, Any], rule: str, starters: tuple[int, ...], reached: Any, runs: int
) -> tuple[float, float]:
    """Return the chi-square over nodes with their exact covariance, and what 1 in 10,000 exceeds."""
    off = reached / runs - expected_of(s09, rule, starters)
    free = expected_of(s09, rule, starters) < 1
    spread = published.covariance(outcomes(s09, rule, starters), 6)[np.ix_(free, free)] / runs
    statistic = float(off[free] @ np.linalg.solve(spread, off[free]))
    return statistic, published.chi_square_limit(int(free.sum()))


def expected_of(s09: dict[str, Any], rule: str, starters: tuple[int, ...]) -> Any:
    """Return (nodes,) chances of the case."""
    entries = s09["reference"][key_of(rule, starters)]["per_node"]
    return np.array([float(published.text_number(entry)) for entry in entries])


def assert_reached(
    s09: dict[str, Any], rule: str, starters: tuple[int, ...], reached: Any, runs: int
) -> None:
    """Every node within 4 standard errors, and all together by the chi-square."""
    errors = published.stated(s09, "every node probability within 4 s.e.", 4)
    assert "chi-square over nodes" in s09["tolerance"]
    expected = expected_of(s09, rule, starters)
    error = np.sqrt(expected * (1 - expected) / runs)
    off = reached / runs - expected
    assert np.all(np.abs(off) <= errors * error), (off / np.where(error > 0, error, 1)).round(2)
    statistic, limit = chi_square(s09, rule, starters, reached, runs)
    assert statistic <= limit
