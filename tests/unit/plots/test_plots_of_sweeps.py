"""Figures of sweeps: each draws whatever its analysis may hold, and the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc
from tests.unit.analysis.sweeps import FakeSweep, a_range, sweep_of, without, words

from mobsim.analysis.best_map import best_map
from mobsim.analysis.convergence import convergence
from mobsim.analysis.discovery import Discovery
from mobsim.analysis.sensitivity import Sensitivity
from mobsim.analysis.surface import surface
from mobsim.analysis.tornado import tornado
from mobsim.plots import as_png, as_svg
from mobsim.plots_of_sweeps import (
    best_figure,
    convergence_figure,
    discovery_figure,
    sensitivity_figure,
    surface_figure,
    tornado_figure,
)


def sweep(**more: Any) -> FakeSweep:
    u = qmc.Sobol(3, seed=1).random(16)
    points = {
        "money_$": 10 * u[:, 0], "trust": u[:, 1], "policy": np.where(u[:, 2] < 0.5, "fixed", "assessed"),
    }  # fmt: skip
    factors = [a_range("money_$", 0, 10), a_range("trust"), words("policy", "fixed", "assessed")]
    arms = {
        "none": lambda t: 0.1,
        "visits": lambda t: 0.1 + 0.03 * t["money_$"],
        "training": lambda t: 0.2 + 0.05 * (t.policy == "fixed"),
    }
    return sweep_of(points, factors, arms, **{"own": 0.03, "luck": 2, **more})


def sobol_or_morris(method: str, low: float = 0.1) -> Sensitivity:
    """Made up, since the library that measures them is an extra."""
    rows = [
        {"arm": arm, "against": against, "factor": name, "first": 0.3, "first_without_noise": 0.3,
         "first_low": low, "first_high": 0.5, "total": 0.4, "total_without_noise": 0.35, "total_low": low,
         "total_high": 0.6, "mu": 0.1, "mu_star": 0.2, "sigma": 0.1, "mu_star_low": low,
         "mu_star_high": 0.3, "mu_star_of_noise": 0.05}
        for arm, against in (("visits", ""), ("visits", "none"))
        for name in ("money_$", "trust")
    ]  # fmt: skip
    variance = pd.DataFrame(
        {"arm": ["visits", "visits"], "against": ["", "none"], "noise_share": [0.1, low / low * 0.2]}
    )
    return Sensitivity("participation_fe", method, pd.DataFrame(rows), pd.DataFrame(), variance, ())


def discovered(*, box: bool) -> Discovery:
    cases = sweep().points.assign(fails=lambda t: t.trust < 0.4, cannot_tell=False, box=0)
    limits = pd.DataFrame({"box": [1], "factor": ["trust"], "low": [np.nan], "high": [0.4]}).head(int(box))
    steps = pd.DataFrame({"box": 1, "coverage": [1.0, 0.9], "density": [0.4, 0.9], "chosen": [False, True]})
    return Discovery(
        "participation_fe", "visits", "", cases, pd.DataFrame(), limits, steps.head(2 * int(box)), (),
    )  # fmt: skip


FIGURES: dict[str, Callable[[], Any]] = {
    "map": lambda: surface_figure(surface(sweep())),
    "map of a difference": lambda: surface_figure(surface(sweep(), arm="visits", against="none")),
    "curves": lambda: surface_figure(surface(sweep(), factors=("policy", "trust"))),
    "one curve": lambda: surface_figure(surface(sweep(), factors=("trust",), against="none")),
    "means": lambda: surface_figure(surface(sweep(), factors=("policy",), arm="visits", against="training")),
    "surface of one community": lambda: surface_figure(surface(sweep(communities=1))),
    "best over two": lambda: best_figure(best_map(sweep())),
    "best over words": lambda: best_figure(best_map(sweep(), factors=("policy", "trust"))),
    "best over one": lambda: best_figure(best_map(without(sweep(), point=3), factors=("trust",))),
    "best of one community": lambda: best_figure(best_map(sweep(communities=1))),
    "tornado": lambda: tornado_figure(tornado(sweep())),
    "tornado of one community": lambda: tornado_figure(tornado(sweep(communities=1))),
    "convergence": lambda: convergence_figure(convergence(sweep())),
    "convergence of one community": lambda: convergence_figure(convergence(sweep(communities=1))),
    "convergence without noise": lambda: convergence_figure(convergence(sweep(own=0.0))),
    "sobol": lambda: sensitivity_figure(sobol_or_morris("sobol")),
    "morris": lambda: sensitivity_figure(sobol_or_morris("morris")),
    "no limits": lambda: sensitivity_figure(sobol_or_morris("sobol", float("nan"))),
    "box": lambda: discovery_figure(discovered(box=True)),
    "no box": lambda: discovery_figure(discovered(box=False)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_and_the_same_every_time(name: str) -> None:
    first, second = FIGURES[name](), FIGURES[name]()
    assert as_svg(first) == as_svg(second)
    assert as_png(first)[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.quick
def test_names_stay_words() -> None:
    svg = as_svg(best_figure(best_map(sweep()))).decode()
    assert "money $" in svg
    assert "visits is best" in svg


@pytest.mark.quick
def test_what_nobody_can_tell_is_in_the_legend() -> None:
    assert "cannot tell yet" in as_svg(best_figure(best_map(sweep(own=0.3)))).decode()
