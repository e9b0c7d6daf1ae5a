"""Results of a sweep made up from a formula, with communities, luck and noise of known size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from mobsim.experiment.factors import Factor

Mean = Callable[[pd.DataFrame], Any]
"""Takes the table of points and returns (P,) the expected outcome of an arm."""


@dataclass
class FakeSweep:
    """What the analyses read."""

    points: pd.DataFrame
    factors: tuple[Factor, ...]
    arms: tuple[str, ...]
    table: pd.DataFrame
    scenario: Any
    design: Any = None

    def runs(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        keys = ["point", "arm", "community", "luck"]
        return self.table if columns is None else self.table[[*keys, *columns]]


def scenario_of(*, matters: float = 0.01, imported: bool = False) -> Any:
    return SimpleNamespace(
        matters=matters,
        campaign=SimpleNamespace(horizon_weeks=130),
        community=SimpleNamespace(network=SimpleNamespace(kind="files" if imported else "households")),
    )


def a_range(name: str, low: float = 0.0, high: float = 1.0, **more: Any) -> Factor:
    return Factor(name, (f"behaviour.{name}",), low=low, high=high, **more)


def words(name: str, *values: str) -> Factor:
    return Factor(name, (f"arms.{name}",), values=values, base=values[0])


def sweep_of(
    points: pd.DataFrame | Mapping[str, Any],
    factors: Sequence[Factor],
    means: Mapping[str, Mean],
    *,
    communities: int = 8,
    luck: int = 1,
    between: float = 0.0,
    noise: float = 0.0,
    own: float = 0.0,
    seed: int = 1,
    outcome: str = "participation_fe",
    matters: float = 0.01,
    imported: bool = False,
) -> FakeSweep:
    """Make a sweep.

    between : deviation of what a community adds at all points and arms alike.
    noise : deviation of what it adds at a point to all arms alike.
    own : deviation of what a run adds by itself.
    """
    table = pd.DataFrame(points)
    if "point" not in table:
        table.insert(0, "point", np.arange(len(table)))
    generator = np.random.Generator(np.random.Philox(key=seed))
    n = len(table)
    common = generator.normal(0, 1, communities) * between
    at_point = generator.normal(0, 1, (n, communities)) * noise
    rows = []
    for arm, mean in means.items():
        level = np.broadcast_to(np.asarray(mean(table), dtype=float), (n,))
        values = (
            level[:, None, None]
            + common[None, :, None]
            + at_point[:, :, None]
            + own * generator.normal(0, 1, (n, communities, luck))
        )
        grid = np.indices(values.shape).reshape(3, -1)
        rows.append(
            pd.DataFrame(
                {
                    "point": table["point"].to_numpy()[grid[0]],
                    "arm": arm,
                    "community": grid[1],
                    "luck": grid[2],
                    outcome: values.ravel(),
                }
            )
        )
    runs = pd.concat(rows, ignore_index=True)
    if imported:
        runs = runs.rename(columns={"community": "luck", "luck": "community"})
    return FakeSweep(
        table, tuple(factors), tuple(means), runs, scenario_of(matters=matters, imported=imported)
    )


def without(sweep: FakeSweep, **keys: Any) -> FakeSweep:
    """The sweep without the runs that have these keys, as if they had failed."""
    failed = np.ones(len(sweep.table), dtype=bool)
    for key, value in keys.items():
        failed &= (sweep.table[key] == value).to_numpy()
    return FakeSweep(
        sweep.points, sweep.factors, sweep.arms, sweep.table[~failed], sweep.scenario, sweep.design
    )
