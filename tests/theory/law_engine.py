"""Runs that the exact laws are held against, at any size: scenario files and mobsim's public functions only.

Nothing here knows a law. The tests take these at sizes that fit seconds, `verification/cases/law_*.py` at
full size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.theory.published import Edge

from mobsim import build, load_scenario, spread

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SCENARIOS = Path(__file__).resolve().parents[2] / "verification" / "scenarios"


def scenario_of(name: str, overrides: dict[str, Any] | None = None) -> Any:
    """Load a scenario file of the laws."""
    return load_scenario(SCENARIOS / f"{name}.yaml", overrides=overrides)


def side_by_side(
    folder: Path, n: int, edges: Sequence[Edge], copies: int, **numbers: dict[Edge, Fraction]
) -> dict[str, Any]:
    """Write copies of a directed network without ties between them; return the overrides that read them.

    Parameters
    ----------
    folder : for the files. n : nodes of a copy; node v of copy c is resident c n + v.
    edges : (a, b): a influences b. copies : how many. numbers : columns of ties: weight, transmission.
    """
    people = "\n".join(str(i) for i in range(copies * n))
    ends = [(f"{b}", f"{a}", ",".join(repr(float(of[a, b])) for of in numbers.values())) for a, b in edges]
    lines = [
        ",".join([str(c * n + int(b)), str(c * n + int(a)), *([rest] if rest else [])])
        for c in range(copies)
        for b, a, rest in ends
    ]
    (folder / "people.csv").write_text(f"id\n{people}\n", "utf-8")
    (folder / "ties.csv").write_text("\n".join([",".join(["from", "to", *numbers]), *lines]) + "\n", "utf-8")
    files = {"people": str((folder / "people.csv").resolve()), "ties": str((folder / "ties.csv").resolve())}
    return {
        "community.residents": copies * n,
        "community.network": {"kind": "files", "directed": True, **files},
        "community.initial.participating": 0.0,
    }


def taking_part(
    name: str,
    overrides: dict[str, Any],
    n: int,
    starters: Sequence[int],
    weeks: Sequence[int],
    *,
    luck: int = 1,
    communities: int = 1,
) -> npt.NDArray[np.bool_]:
    """Return (runs, weeks, n) who takes part at the end of each of these weeks (1: the first).

    A run is one copy with one luck in one community. Each week is a run of its own that ends there; as draws
    belong to the week in which they are made, it is the same course.
    """
    copies = overrides["community.residents"] // n
    first = [c * n + v for c in range(copies) for v in starters]
    scenario = scenario_of(name, overrides)
    until = [_ending(scenario, week) for week in weeks]  # files are not read again
    parts = []
    for number in range(communities):
        community = build(scenario, number)
        ends = [spread(short, [first], luck=luck, community=community).final[0] for short in until]
        parts.append(np.stack([end.reshape(-1, n) for end in ends], axis=1))
    return np.concatenate(parts)


def _ending(scenario: Any, week: int) -> Any:
    """The same scenario with another horizon."""
    campaign = scenario.campaign.model_copy(update={"horizon_weeks": week})
    return scenario.model_copy(update={"campaign": campaign})


def arrivals_of(there: npt.NDArray[np.bool_], starters: Sequence[int]) -> Counter[Hashable]:
    """Return how often each tuple of weeks of arrival came; weeks were 1, 2, ..., without a gap."""
    week = np.where(there.any(axis=1), there.argmax(axis=1) + 1, -1)
    week[:, list(starters)] = 0
    rows, times = np.unique(week, axis=0, return_counts=True)
    return Counter({tuple(row): int(t) for row, t in zip(rows.tolist(), times, strict=True)})


def paths_of(participants: npt.NDArray[np.integer], starters: int) -> Counter[Hashable]:
    """Return how often (runs, weeks) participants took each course of new ones, up to a week without any."""
    rows, times = np.unique(np.diff(participants, axis=1, prepend=starters), axis=0, return_counts=True)
    courses: Counter[Hashable] = Counter()
    for row, often in zip(rows.tolist(), times, strict=True):
        last = max((i + 1 for i, new in enumerate(row) if new), default=0)
        courses[tuple(row[:last])] += int(often)  # a course with a gap is not in any law
    return courses


def counts_of(name: str, overrides: dict[str, Any], first: Sequence[int], luck: int) -> Integers:
    """Return (luck, weeks) participants of one community from these first participants."""
    return np.asarray(spread(scenario_of(name, overrides), [list(first)], luck=luck).participating[0])


def chain(n: int, starters: int, chance: float, luck: int) -> Integers:
    """Return (luck, weeks) participants of cascades on a complete graph."""
    overrides = {
        "community.residents": n,
        "behaviour.tell_participant": chance,
        "campaign.horizon_weeks": n + 1 - starters,
    }
    return counts_of("law_chain", overrides, range(starters), luck)


def telling(
    n: int, start: int, media: float, chance: float, weeks: int, luck: int, kind: str = "well_mixed"
) -> Integers:
    """Return (luck, weeks) participants where all meet all."""
    overrides = {
        "community.residents": n,
        "community.network": {"kind": kind},
        "community.groups.everybody.background_media": media,
        "behaviour.tell_participant": chance,
        "campaign.horizon_weeks": weeks,
    }
    return counts_of("law_telling", overrides, range(start), luck)


def logit(n: int, start: int, weeks: int, luck: int, *, stay: bool = False, **behaviour: float) -> Integers:
    """Return (luck, weeks) participants of a well-mixed community with logit choice."""
    overrides = {
        "community.residents": n,
        "behaviour.social_weight": behaviour["weight"],
        "behaviour.thresholds": behaviour["threshold"],
        "behaviour.noise": behaviour["noise"],
        "behaviour.reconsider": behaviour["again"],
        "behaviour.irreversible": stay,
        "campaign.horizon_weeks": weeks,
    }
    return counts_of("law_logit", overrides, range(start), luck)


def starters_and_luck(
    name: str, overrides: dict[str, Any], runs: int, together: int, number: int = 0, key: int = 0
) -> tuple[Integers, Any]:
    """Return (runs, weeks) participants from one random starter each, and the community.

    `together` starters share a luck: far apart on a large network, they share no draws.
    """
    scenario = scenario_of(name, overrides)
    community = build(scenario, number)
    draw = np.random.Generator(np.random.Philox(key=key))
    starters = draw.permutation(community.n_residents)[:runs].reshape(-1, together)
    found = [
        spread(scenario, [[int(s)] for s in some], luck=[k], community=community).participating[:, 0]
        for k, some in enumerate(starters)
    ]
    return np.concatenate(found), community


def degrees_of(community: Any) -> Integers:
    """Return (n,) numbers of contacts."""
    return np.diff(np.asarray(community.row_start, np.int64))


def network_files(folder: Path, n: int, pairs: npt.ArrayLike) -> dict[str, Any]:
    """Write a network of pairs, and return the overrides that read it."""
    people = "\n".join(str(i) for i in range(n))
    ties = "\n".join(f"{a},{b}" for a, b in np.asarray(pairs).tolist())
    (folder / "people.csv").write_text(f"id\n{people}\n", "utf-8")
    (folder / "ties.csv").write_text(f"from,to\n{ties}\n", "utf-8")
    files = {"people": str((folder / "people.csv").resolve()), "ties": str((folder / "ties.csv").resolve())}
    return {"community.residents": n, "community.network": {"kind": "files", **files}}


def global_cascades(
    name: str, overrides: dict[str, Any], graphs: int, starters: int, above: float, key: int = 0
) -> tuple[Floats, Floats]:
    """Return (graphs,) the share of starters whose cascade exceeds a share, and the mean size of these.

    On rules without luck: thresholds alone. `name` is a limiting scenario.
    """
    scenario = load_scenario(f"limits/{name}", overrides=overrides)
    draw = np.random.Generator(np.random.Philox(key=key))
    often, sizes = np.zeros(graphs), np.zeros(graphs)
    for graph in range(graphs):
        community = build(scenario, graph)
        first = draw.permutation(community.n_residents)[:starters]
        shares = spread(scenario, [[int(s)] for s in first], community=community).participating[:, 0, -1]
        shares = shares / community.n_residents
        large = shares[shares > above]
        often[graph], sizes[graph] = large.size / starters, large.mean() if large.size else np.nan
    return often, sizes
