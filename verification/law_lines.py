"""P-values of a case of exact laws as lines of the report: one family, Holm's limits."""

from __future__ import annotations

from collections.abc import Mapping

from tests.theory.laws_fit import FAMILY, holm
from verification.case import Line


def judged_together(p_values: Mapping[str, float], runs: str) -> list[Line]:
    """Judge the p-values of a case together.

    Parameters
    ----------
    p_values : by setting. runs : how many runs each used.
    """
    names = list(p_values)
    met = [not rejected for rejected in holm([p_values[name] for name in names])]
    words = f"Holm, {FAMILY:g} for all {len(names)}"
    return [
        Line(name, "the law", f"p = {p_values[name]:.3g}, {runs}", tolerance=words, met=good)
        for name, good in zip(names, met, strict=True)
    ]


def must_be_rejected(setting: str, p_values: Mapping[str, float]) -> Line:
    """Say whether a wrong law is noticed: the smallest of its p-values is below the level of a family.

    Parameters
    ----------
    setting : what is wrong. p_values : of the engine's runs under it.
    """
    least = min(p_values.values())
    return Line(
        f"wrong on purpose: {setting}",
        "rejected",
        f"p = {least:.2g}",
        tolerance=f"p < {FAMILY:g}",
        met=least < FAMILY,
    )
