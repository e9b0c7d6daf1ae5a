"""What the bench runs: the works W1 to W4 as plain numbers, and how results of programs are compared.

Every program gets the same `Inputs`: ties, thresholds and seed sets as NumPy arrays, made once by the harness
with mobsim's own community builder. All networks are Watts-Strogatz, degree 10, a tenth of the ties rewired,
1 % of the residents take part at the start.

Run `python -m benchmarks.works` to see how W1 spreads: neither dead at once nor over in three weeks.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

Result = dict[str, Any]
Check = Callable[[Mapping[str, Sequence[Result]], str], "list[Finding]"]

OURS = "mobsim"
SEED = 20261122
SEED_SETS = 64
MOST_WEEKS = 400
"""No W1 cascade lasts longer: a program may stop there, and a result at this week is not at rest."""
CASCADES = 1000
COMPARED_WEEKS = (26, 52, 104)
SOCIAL_WEIGHTS = tuple(round(k / 15, 6) for k in range(16))
NOISES = tuple(round(0.05 + k / 60, 6) for k in range(16))
REPLICATES = 10


@dataclass(frozen=True)
class Work:
    """One work of the bench.

    residents : size; weeks : how long; unit : what `Outcome.units` counts; what : a sentence for the report.
    """

    residents: int
    weeks: int
    unit: str
    what: str


WORKS = {
    "W1-fixpoint": Work(10_000, MOST_WEEKS, "runs", "fractional threshold, for good, to rest; 64 seed sets"),
    "W1-dense": Work(10_000, 50, "agent-steps", "fractional threshold, reversible, 50 weeks, one run a call"),
    "W1-dense-64": Work(10_000, 50, "agent-steps", "the same, 64 runs a call, together if a program can"),
    "W2": Work(10_000, MOST_WEEKS, "cascades", "independent cascade, chance .1 a tie, to extinction"),
    "W3-10k": Work(10_000, 104, "agent-steps", "stochastic participation with its curve"),
    "W3-100k": Work(100_000, 104, "agent-steps", "stochastic participation with its curve"),
    "W4": Work(2_000, 52, "agent-steps", "sweep of 256 points x 10 replicates with every curve"),
}


@dataclass(frozen=True, eq=False)
class Inputs:
    """One work as plain arrays and numbers.

    work : name, as in `WORKS`.
    n : residents.
    row_start : (n + 1,) int64; neighbours : (ties,) uint32. Row i lists who influences i, ascending; both
        rows of every tie.
    edges : (ties / 2, 2) int64, every tie once, i < j.
    threshold : (n,) float64, float32 numbers.
    seed_sets : (sets, k) int64, ascending: who takes part at the start. W1 has 64, the others one.
    weeks : how many weeks a run lasts; for W1-fixpoint and W2 no run lasts as long.
    parameters : numbers of the rule, by name.
    """

    work: str
    n: int
    row_start: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.uint32]
    edges: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    seed_sets: npt.NDArray[np.int64]
    weeks: int
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def degree(self) -> npt.NDArray[np.int64]:
        """(n,) number of ties of each resident."""
        return np.diff(self.row_start)

    @property
    def least_count(self) -> npt.NDArray[np.int64]:
        """(n,) W1: take part from this number of participating contacts on, exact."""
        return np.maximum(1, np.ceil(self.threshold * self.degree)).astype(np.int64)

    def first(self, k: int = 0) -> npt.NDArray[np.bool_]:
        """(n,) who takes part at the start with seed set k."""
        chosen = np.zeros(self.n, np.bool_)
        chosen[self.seed_sets[k]] = True
        return chosen

    def save(self, path: Path) -> None:
        """Write everything into one .npz file."""
        about = json.dumps(
            {"work": self.work, "n": self.n, "weeks": self.weeks, "parameters": self.parameters}
        )
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez(path, about=np.array(about), **arrays)

    @classmethod
    def load(cls, path: Path) -> Inputs:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            return cls(**about, **{name: stored[name] for name in _ARRAYS})


_ARRAYS = ("row_start", "neighbours", "edges", "threshold", "seed_sets")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one timed call did.

    units : how much work, in the work's unit.
    result : tells what came out, JSON-able, as `check` reads it. It is called after the clock has stopped
        and before the next call: hashing, and reading sets that a program gives out slowly, is not charged.
    """

    units: float
    result: Callable[[], Result]


Task = Callable[[], Outcome]
Prepare = Callable[[Inputs], Task]


@dataclass(frozen=True)
class Finding:
    """One comparison: who, with whom, of what, whether they agree, and what was found."""

    program: str
    against: str
    what: str
    agrees: bool
    found: str


def scenario_data(work: str, residents: int | None = None) -> dict[str, Any]:
    """Return the work as a mobsim scenario (the person's form).

    Parameters
    ----------
    work : one of `WORKS`.
    residents : another number of residents, for tests.
    """
    size = residents or WORKS[work].residents
    community: dict[str, Any] = {
        "residents": size,
        "network": {"kind": "small_world", "degree": 10, "rewired": 0.1},
    }
    data: dict[str, Any] = {
        "schema_version": 2,
        "title": work,
        "description": WORKS[work].what,
        "preset": "bare",
        "seed": SEED,
        "community": community,
        "campaign": {"horizon_weeks": WORKS[work].weeks},
    }
    if work.startswith("W1"):
        data["behaviour"] = {
            "thresholds": {"kind": "uniform", "low": 0.04, "high": 0.65},
            "irreversible": work == "W1-fixpoint",
        }
    elif work == "W2":
        community["initial"] = {"aware": "participants"}
        data["behaviour"] = {"thresholds": -1, "tell_participant": 0.1, "exposure_window": 1}
    else:
        community["initial"] = {"aware": "everyone", "participating": {"count": max(1, size // 100)}}
        data["behaviour"] = {
            "thresholds": {"kind": "truncated_normal", "mean": 0.42, "sd": 0.32, "low": -1, "high": 2},
            "social_weight": 0.5,
            "reconsider": 0.25,
            "noise": 0.1,
            "irreversible": False,
        }
    return data


def inputs(work: str, residents: int | None = None) -> Inputs:
    """Build the inputs of a work with mobsim's community builder (community 0 of `scenario_data`).

    Parameters
    ----------
    work : one of `WORKS`.
    residents : another number of residents, for tests.
    """
    from mobsim.engine.run import build
    from mobsim.scenario.resolve import resolve

    community = build(resolve(scenario_data(work, residents)), 0)
    n = community.n_residents
    row = np.repeat(np.arange(n), community.degree)
    column = community.neighbours.astype(np.int64)
    once = row < column
    if work[:2] in ("W3", "W4"):
        seed_sets = np.flatnonzero(community.participating)[None]
    else:
        rng = np.random.default_rng(SEED)
        sets = SEED_SETS if work.startswith("W1") else 1
        size = max(1, n // 100)
        seed_sets = np.sort([rng.choice(n, size, replace=False) for _ in range(sets)], axis=1)
    return Inputs(
        work=work,
        n=n,
        row_start=community.row_start.astype(np.int64),
        neighbours=community.neighbours.copy(),
        edges=np.stack([row[once], column[once]], axis=1),
        threshold=community.threshold.astype(np.float64),
        seed_sets=seed_sets.astype(np.int64),
        weeks=WORKS[work].weeks,
        parameters=_parameters(work),
    )


def _parameters(work: str) -> dict[str, Any]:
    if work.startswith("W1"):
        return {}
    if work == "W2":
        return {"chance": 0.1, "cascades": CASCADES}
    shared = {"social_weight": 0.5, "reconsider": 0.25, "noise": 0.1}
    if work == "W4":
        return shared | {"points": points(), "replicates": REPLICATES}
    return shared


def points() -> list[dict[str, float]]:
    """The 256 points of W4: `social_weight` slow, `noise` fast."""
    return [{"social_weight": j, "noise": tau} for j in SOCIAL_WEIGHTS for tau in NOISES]


def digest(final: npt.NDArray[np.bool_]) -> str:
    """The sha256 of a set of residents given as (n,) bool."""
    return hashlib.sha256(np.packbits(final).tobytes()).hexdigest()


def fixpoint_result(finals: Sequence[npt.NDArray[np.bool_]], weeks: Sequence[int]) -> Result:
    """What a program tells of W1-fixpoint: for every seed set run, in order, who takes part at rest and when.

    Parameters
    ----------
    finals : (n,) bool for each seed set.
    weeks : the last week in which somebody joined (0: nobody ever did).
    """
    return {"sha256": [digest(final) for final in finals], "weeks": [int(week) for week in weeks]}


def dense_result(**curves: Sequence[Sequence[int]]) -> Result:
    """What a program tells of W1-dense: participants in weeks 1 to 50 of each seed set run, in order.

    Parameters
    ----------
    curves : `reversible` (the work), `irreversible` (programs that know nothing else), or both.
    """
    return {form: [[int(k) for k in curve] for curve in sets] for form, sets in curves.items()}


def cascade_result(sizes: Sequence[int] | npt.NDArray[Any]) -> Result:
    """What a program tells of W2: how many were ever active in each cascade."""
    return {"sizes": [int(size) for size in sizes]}


def curve_result(counts: Sequence[Sequence[int]]) -> Result:
    """What a program tells of W3: participants at the end of weeks 1 to 104 of each run."""
    return {"counts": [[int(k) for k in curve] for curve in counts]}


def sweep_result(chosen: Sequence[int], final: npt.NDArray[Any]) -> Result:
    """What a program tells of W4: numbers of the points run, and (points, runs) participants at the end."""
    return {"points": [int(k) for k in chosen], "final": np.asarray(final).astype(int).tolist()}


def check(work: str, results: Mapping[str, Sequence[Result]], ours: str = OURS) -> list[Finding]:
    """Compare the results of all programs with ours.

    Parameters
    ----------
    work : one of `WORKS`.
    results : what `Outcome.result()` told, one for each call, by program.
    ours : whom the others are compared with; if it has no results, the first program that has some.

    Returns
    -------
    list of Finding
        W1 must be identical. In W2 to W4 a mean may differ from ours by as much as chance does in one of
        16,000 cases (4 standard errors, W2 and W3) or of 147,000 (4.5 standard errors, each point of W4);
        with few runs, by Student's t for the same chances.
    """
    told = {name: list(several) for name, several in results.items() if several}
    checks: dict[str, Check] = {"W1-f": _check_fixpoint, "W1-d": _check_dense, "W2": _check_cascades}
    checks |= {"W3-1": _check_curves, "W4": _check_sweep}
    return checks[work[:4]](told, ours) if told else []


def _pairs(told: Mapping[str, Any], ours: str) -> list[tuple[str, str]]:
    """Each other program with the one it is compared with."""
    reference = ours if ours in told else next(iter(told), "")
    return [(name, reference) for name in told if name != reference]


def _check_fixpoint(told: Mapping[str, Sequence[Result]], ours: str) -> list[Finding]:
    found = []
    for name, reference in _pairs(told, ours):
        for key, what in (("sha256", "final sets"), ("weeks", "weeks to rest")):
            mine = told[reference][0][key]
            each = [result[key] for result in told[name]]
            agrees = all(these == mine[: len(these)] for these in each)
            found.append(Finding(name, reference, what, agrees, f"{len(each[0])} seed sets"))
    return found


def _check_dense(told: Mapping[str, Sequence[Result]], ours: str) -> list[Finding]:
    found = []
    for form in ("reversible", "irreversible"):
        those = {name: several for name, several in told.items() if form in several[0]}
        for name, reference in _pairs(those, ours):
            common = zip(those[name][0][form], those[reference][0][form], strict=False)
            pairs = list(common)
            agrees = all(a == b for a, b in pairs)
            found.append(
                Finding(name, reference, f"participants by week, {form}", agrees, f"{len(pairs)} curves")
            )
    return found


def _check_cascades(told: Mapping[str, Sequence[Result]], ours: str) -> list[Finding]:
    sizes = {name: np.concatenate([result["sizes"] for result in several]) for name, several in told.items()}
    return [
        _compared(
            name, reference, "mean final size", sizes[name], sizes[reference], list(sizes.values()), 4.0
        )
        for name, reference in _pairs(sizes, ours)
    ]


def _check_curves(told: Mapping[str, Sequence[Result]], ours: str) -> list[Finding]:
    counts = {
        name: np.concatenate([np.array(result["counts"]) for result in several])
        for name, several in told.items()
    }
    found = []
    for name, reference in _pairs(counts, ours):
        for week in COMPARED_WEEKS:
            column = {who: curves[:, week - 1] for who, curves in counts.items()}
            what = f"mean participants in week {week}"
            samples = list(column.values())
            found.append(_compared(name, reference, what, column[name], column[reference], samples, 4.0))
    return found


def _check_sweep(told: Mapping[str, Sequence[Result]], ours: str) -> list[Finding]:
    final = {
        name: {
            point: np.concatenate([np.array(result["final"][k]) for result in several])
            for k, point in enumerate(several[0]["points"])
        }
        for name, several in told.items()
    }
    found = []
    for name, reference in _pairs(final, ours):
        shared = [point for point in final[name] if point in final[reference]]
        each = []
        for point in shared:
            samples = [by_point[point] for by_point in final.values() if point in by_point]
            each.append(
                _compared(name, reference, "", final[name][point], final[reference][point], samples, 4.5)
            )
        wrong = [
            f"point {point}: {one.found}" for point, one in zip(shared, each, strict=True) if not one.agrees
        ]
        text = "; ".join(wrong[:3]) or f"{len(shared)} points agree"
        found.append(Finding(name, reference, "mean final participants by point", not wrong, text))
    return found


def _compared(
    name: str,
    reference: str,
    what: str,
    theirs: npt.NDArray[Any],
    mine: npt.NDArray[Any],
    samples: Sequence[npt.NDArray[Any]],
    limit: float,
) -> Finding:
    """Compare two means; the spread is taken from all samples, which share one distribution."""
    free = sum(len(sample) - 1 for sample in samples)
    squares = sum(float(((sample - sample.mean()) ** 2).sum()) for sample in samples)
    error = math.sqrt(squares / max(free, 1) * (1 / len(theirs) + 1 / len(mine)))
    difference = float(theirs.mean() - mine.mean())
    allowed = float(t.isf(norm.sf(limit), free)) * error if free else math.inf
    text = f"{theirs.mean():.2f} against {mine.mean():.2f}, standard error {error:.2f}"
    if not free:
        return Finding(name, reference, what, True, f"{text}: one run each, nothing to compare with")
    return Finding(name, reference, what, abs(difference) <= allowed, text)


def main() -> None:
    """Print the curves of W1 by a plain loop over weeks."""
    import scipy.sparse as sp

    for work in ("W1-fixpoint", "W1-dense"):
        given = inputs(work)
        entries = (
            np.ones(given.neighbours.size, np.int32),
            given.neighbours.astype(np.int32),
            given.row_start,
        )
        matrix = sp.csr_array(entries, shape=(given.n, given.n))
        for k in range(3):
            takes_part, counts = given.first(k), []
            for _ in range(104):
                joins = matrix @ takes_part.astype(np.int32) >= given.least_count
                takes_part = joins | takes_part if work == "W1-fixpoint" else joins
                counts.append(int(takes_part.sum()))
            print(f"{work}, seed set {k}, weeks 1, 5, 9, ...:", *counts[::4])


if __name__ == "__main__":
    main()
