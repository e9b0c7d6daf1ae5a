"""Measurements on the limiting scenarios, through the public API, at any size.

The tests take them at sizes that fit a minute, `verification/` at those of the published cases. Sizes,
networks and starters are set with `load_scenario(overrides=...)`; the rest stands in `scenarios/limits/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.theory.published import Edge

from mobsim import load_scenario, simulate
from mobsim.analysis.facts import CheckResult, check_fact
from mobsim.engine.records import PARTICIPATING

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def participants(name: str, overrides: dict[str, Any] | None = None, **how: Any) -> Integers:
    """Return (runs, weeks) participants of a limiting scenario, ordered by community and luck."""
    scenario = load_scenario(f"limits/{name}", overrides=overrides)
    return simulate(scenario, arms=["none"], **how).counts[..., PARTICIPATING].sum(axis=2)


def at_rest(curves: Integers) -> bool:
    """Say whether nothing changed in the last week of any run."""
    return bool(np.all(curves[:, -1] == curves[:, -2]))


def bands(name: str) -> list[CheckResult]:
    """Run a limiting scenario as it ships and hold its facts against their bands."""
    scenario = load_scenario(f"limits/{name}")
    runs = simulate(scenario).runs()
    return [check_fact(check, runs, scenario, single=False) for check in scenario.check]


@dataclass(frozen=True)
class Mean:
    """A mean of independent values and its standard error."""

    value: float
    error: float
    n: int


def mean_of(values: npt.ArrayLike) -> Mean:
    """Return the mean of independent values."""
    array = np.asarray(values, np.float64)
    return Mean(float(array.mean()), float(array.std(ddof=1) / np.sqrt(array.size)), array.size)


def normal_crowd(sd: float, residents: int, weeks: int = 130, communities: int = 1) -> Floats:
    """Return the final share in each crowd with thresholds normal(.25, sd)."""
    overrides = {
        "community.residents": residents,
        "behaviour.thresholds.sd": sd,
        "campaign.horizon_weeks": weeks,
    }
    curves = participants("granovetter_normal", overrides, communities=communities, luck=1)
    assert at_rest(curves)
    return np.asarray(curves[:, -1] / residents)


def window_frequency(z: float, runs: int, threshold: float = 0.18, weeks: int = 150) -> Mean:
    """Return how often one random starter among 10,000 reaches more than a tenth; a network a run."""
    overrides = {
        "community.network.degree": z,
        "behaviour.thresholds.value": threshold,
        "campaign.horizon_weeks": weeks,
    }
    curves = participants("watts_window", overrides, communities=runs, luck=1)
    return mean_of(curves[:, -1] > 0.1 * 10_000)


def sizes_of_cascades(z: float, started: float, residents: int, graphs: int, weeks: int = 100) -> Floats:
    """Return the final share on each network with a share of starters and the threshold .18."""
    overrides = {
        "community.residents": residents,
        "community.network.degree": z,
        "community.initial.participating.share": started,
        "campaign.horizon_weeks": weeks,
    }
    curves = participants("gleeson_cahalane", overrides, communities=graphs, luck=1)
    assert at_rest(curves)
    return np.asarray(curves[:, -1] / residents)


def outbreaks(strength: float, residents: int, communities: int, luck: int, weeks: int) -> Integers:
    """Return (communities, luck) final sizes of cascades with 5 contacts and the chance strength / 5."""
    overrides = {
        "community.residents": residents,
        "behaviour.tell_participant": strength / 5,
        "campaign.horizon_weeks": weeks,
    }
    curves = participants("percolation", overrides, communities=communities, luck=luck)
    assert at_rest(curves)
    return curves[:, -1].reshape(communities, luck)


def bass_shares(p: float, q: float, dt: float, years: float, residents: int, luck: int = 1) -> Floats:
    """Return (luck, weeks + 1) adopters' shares at times 0, dt, 2 dt, ..."""
    overrides = {
        "community.residents": residents,
        "community.groups.everybody.background_media": p * dt,
        "behaviour.tell_participant": q * dt / residents,
        "campaign.horizon_weeks": round(years / dt),
    }
    curves = participants("bass", overrides, communities=1, luck=luck) / residents
    return np.concatenate([np.zeros((luck, 1)), curves], axis=1)


def time_of_peak(shares: Floats, dt: float, around: float, width: float = 2.0) -> float:
    """Return when most people adopt: the top of a parabola through new adopters around a guess."""
    rate = np.diff(shares) / dt
    middle = (np.arange(rate.size) + 0.5) * dt
    near = np.abs(middle - around) <= width
    a, b, _ = np.polyfit(middle[near] - around, rate[near], 2)
    return around - float(b / (2 * a))


# ---------------------------------------------------------------------------------------------------------
# Small directed networks with exactly known chances


def small_network(
    folder: Path, edges: Sequence[Edge], starters: Sequence[int], copies: int, **numbers: dict[Edge, Fraction]
) -> dict[str, Any]:
    """Write `copies` copies of a directed network side by side, and return the overrides that read them.

    Nothing ties the copies together, so each is a run of its own; node v of every copy is in group `node_v`,
    which makes the chance of a node a column of the records. An edge (a, b) means that a influences b.
    `numbers` are columns of the ties file: weight, transmission.
    """
    nodes = sorted({node for edge in edges for node in edge})
    n = len(nodes)
    people = [f"{c * n + v},node_{v},{int(v in starters)}" for c in range(copies) for v in nodes]
    columns = ["from", "to", *numbers]
    ties = [
        ",".join([str(c * n + b), str(c * n + a), *(repr(float(of[a, b])) for of in numbers.values())])
        for c in range(copies)
        for a, b in edges
    ]
    (folder / "people.csv").write_text("\n".join(["id,group,participating", *people]) + "\n", "utf-8")
    (folder / "ties.csv").write_text("\n".join([",".join(columns), *ties]) + "\n", "utf-8")
    files = {"people": str((folder / "people.csv").resolve()), "ties": str((folder / "ties.csv").resolve())}
    return {
        "community.residents": copies * n,
        "community.network": {"kind": "files", "directed": True, **files},
        "community.groups": {f"node_{v}": {"share": 1 / n} for v in nodes},
        "replicates.communities": 1,
        "campaign.horizon_weeks": n + 1,
    }


def reached_nodes(name: str, overrides: dict[str, Any], **how: Any) -> Integers:
    """Return (nodes,) how many of all copies and runs reached each node."""
    scenario = load_scenario(f"limits/{name}", overrides=overrides)
    return simulate(scenario, arms=["none"], **how).counts[:, -1, :, PARTICIPATING].sum(axis=0)
