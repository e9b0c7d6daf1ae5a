"""Any sweep at all: few points, one factor or arm, words, failures, no variation; nothing crashes."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.unit.analysis.sweeps import FakeSweep, a_range, sweep_of, words

from mobsim.analysis.best_map import best_map
from mobsim.analysis.convergence import convergence
from mobsim.analysis.discovery import discover
from mobsim.analysis.sensitivity import sensitivity
from mobsim.analysis.surface import surface
from mobsim.analysis.tornado import tornado
from mobsim.errors import MobsimError
from mobsim.plots_of_sweeps import (
    best_figure,
    convergence_figure,
    discovery_figure,
    surface_figure,
    tornado_figure,
)

ANALYSES: dict[str, tuple[Callable[[FakeSweep], Any], Callable[[Any], Any]]] = {
    "best": (lambda sweep: best_map(sweep, resamples=100), best_figure),
    "tornado": (tornado, tornado_figure),
    "surface": (lambda sweep: surface(sweep, against="none", arm=sweep.arms[-1], places=5), surface_figure),
    "level": (lambda sweep: surface(sweep, places=5), surface_figure),
    "convergence": (convergence, convergence_figure),
    "effect": (lambda sweep: discover(sweep, fails="effect", below=0.05, resamples=100), discovery_figure),
}


def any_sweep(seed: int) -> FakeSweep:
    generator = np.random.Generator(np.random.Philox(key=seed))
    n = int(generator.choice([1, 2, 3, 5, 9, 24]))
    points: dict[str, Any] = {}
    factors = []
    for i in range(int(generator.integers(1, 4))):
        kind = generator.choice(["range", "grid", "words", "constant"])
        name = f"f{i}"
        if kind == "words":
            points[name] = generator.choice(["a", "b", "c"], n).tolist()
            factors.append(words(name, "a", "b", "c"))
        else:
            levels = {"range": generator.random(n), "grid": generator.integers(0, 3, n) / 2}
            points[name] = levels.get(kind, np.full(n, 0.5))
            factors.append(a_range(name, base=0.5))
    names = ["none", "visits", "training"][: int(generator.integers(1, 4))]
    height = generator.normal(0, 0.1, len(names))
    sweep = sweep_of(
        points,
        factors,
        {name: (lambda t, h=h: 0.2 + h + 0 * t.point) for name, h in zip(names, height, strict=True)},
        communities=int(generator.integers(1, 5)),
        luck=int(generator.integers(1, 3)),
        own=float(generator.choice([0.0, 0.05])),
        noise=float(generator.choice([0.0, 0.05])),
        seed=seed,
        imported=bool(generator.random() < 0.2),
    )
    kept = generator.random(len(sweep.table)) < generator.choice([1.0, 0.9, 0.4])
    sweep.table = sweep.table[kept]
    return sweep


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_is_made_or_refused(name: str) -> None:
    analyse, draw = ANALYSES[name]
    made = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(SWEEPS):
            try:
                found = analyse(any_sweep(seed))
            except MobsimError:
                continue
            assert found.sentences
            assert not re.search(r"\bnan\b", " ".join(found.sentences)), found.sentences
            if seed % 10 == 0:
                draw(found)
            made += 1
    assert made > SWEEPS / 4


SWEEPS = 40


@pytest.mark.quick
@pytest.mark.parametrize(
    ("package", "extra", "analyse"),
    [
        ("SALib.analyze", "sensitivity", sensitivity),
        ("ema_workbench.analysis.prim", "discovery", lambda sweep: discover(sweep, fails="effect")),
    ],
)
def test_a_missing_extra_is_named(
    package: str, extra: str, analyse: Callable[[FakeSweep], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = np.random.Generator(np.random.Philox(key=1)).random((16, 2))
    blocks = np.stack([base[:, 0], base[:, 1], base[:, 1]], axis=1)  # of a saltelli design with one factor
    sweep = sweep_of(
        {"f0": blocks.ravel()}, [a_range("f0")], {"none": lambda t: 0.0, "visits": lambda t: t.f0 - 0.5}
    )
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MobsimError, match=rf'needs: pip install "mobsim\[{extra}\]"'):
        analyse(sweep)
