"""What the studies that are sweeps share: run designs, keep manifests and samples, write numbers in words."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mobsim.analysis.swept import Swept, interval_of
from mobsim.engine.first_use import warm_up
from mobsim.engine.run import simulate
from mobsim.experiment.plan import plan_sweep
from mobsim.experiment.provenance import manifest_of
from mobsim.experiment.results import SweepResults
from mobsim.experiment.sweep import sweep

TOP = Path(__file__).resolve().parents[1]
SAMPLE_COMMUNITIES = 2
ENVIRONMENT = ("mobsim", "environment", "digest")
"""What a manifest says about the machine and the version; the rest is what was asked."""


def parse(description: str | None) -> argparse.Namespace:
    """Read the options that all studies have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, help="processes; default: one a processor")
    parser.add_argument("--results", default=TOP / "results", type=Path, help="folder of the ledgers")
    return parser.parse_args()


def run_designs(
    designs: Sequence[Path], folder: Path, options: argparse.Namespace
) -> dict[str, SweepResults]:
    """Run what is missing of each design; keep its manifest and a sample of its runs in the folder."""
    warm_up()
    found = {}
    for path in designs:
        print(f"{path.stem} ...", flush=True)
        done = sweep(path, results=options.results, workers=options.workers)
        if done.failed:
            raise SystemExit(f"{path.name}: {done.failed} runs failed; see mobsim sweep {path}")
        found[path.stem] = done.results()
    (folder / "manifests").mkdir(exist_ok=True)
    for name, results in found.items():
        text = json.dumps(dict(results.manifest), indent=1, sort_keys=True, ensure_ascii=False)
        (folder / "manifests" / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    write(pd.concat([sample_of(name, results) for name, results in found.items()]), folder / "sample.csv")
    return found


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as every table of the studies is written."""
    table.to_csv(path, index=False, lineterminator="\n")


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written; words that are missing are empty."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    words = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.fillna(dict.fromkeys(words, ""))


# Samples, with which a test sees that the numbers still come out


def sampled_points(n_points: int) -> list[int]:
    """Return the points of which runs are kept: the first and the last."""
    return sorted({0, n_points - 1})


def sample_of(name: str, results: SweepResults) -> pd.DataFrame:
    """Return participation at funding end and at the end in a few runs, with all digits."""
    runs = results.runs(["participation_fe", "participation_end"])
    chosen = runs["point"].isin(sampled_points(len(results.points)))
    few = (runs["community"] < SAMPLE_COMMUNITIES) & (runs["luck"] == 0)
    table = runs[chosen & few].reset_index(drop=True)
    table.insert(0, "design", name)
    return table


def sample_again(design: Path) -> pd.DataFrame:
    """Run those few runs of a design again."""
    plan = plan_sweep(design)
    parts = []
    for point in sampled_points(len(plan.points)):
        runs = simulate(
            plan.world(point), arms=plan.arms, communities=SAMPLE_COMMUNITIES, luck=1, threads=1
        ).runs()
        runs.insert(0, "point", point)
        parts.append(runs)
    table = pd.concat(parts, ignore_index=True)
    keys = ["point", "arm", "community", "luck"]
    return table[[*keys, "participation_fe", "participation_end"]].assign(design=design.stem)


def asked(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what a manifest says that was run, without the machine and the version."""
    return {key: value for key, value in manifest.items() if key not in ENVIRONMENT}


def asked_now(design: Path) -> dict[str, Any]:
    """Return what a design asks for now, as its manifest would say it."""
    found: dict[str, Any] = json.loads(json.dumps(asked(manifest_of(plan_sweep(design)))))
    return found


# Words


def markdown(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table in Markdown."""
    head = list(header)
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences as a list."""
    return "\n".join(f"* {sentence}" for sentence in sentences)


def number(value: float, decimals: int = 2) -> str:
    """Write a number; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value + 0.0:.{decimals}f}".replace("-0.00", "0.00")


def with_limits(row: Any, start: str = "", decimals: int = 2) -> str:
    """Write an estimate with its limits: 1.23 (0.45 to 2.01)."""
    low, high = (number(float(row[f"{start}{end}"]), decimals) for end in ("low", "high"))
    return f"{number(float(row[f'{start}estimate']), decimals)} ({low} to {high})"


def limits_of(values: NDArray[np.float64], *, scale: float = 1.0, comparisons: int = 1) -> dict[str, float]:
    """Return the mean over communities with its 95 % limits, rounded to two decimals."""
    found = interval_of(values, comparisons=comparisons)
    parts = {"estimate": found.estimate, "low": found.low, "high": found.high}
    return {name: round(scale * part, 2) + 0.0 for name, part in parts.items()}


def differences(swept: Swept, arm: str, against: str) -> pd.DataFrame:
    """Return one arm minus another at every point, in points, with pointwise 95 % limits."""
    paired = swept.contrast(arm, against)
    return pd.DataFrame([limits_of(paired[p], scale=100) for p in range(len(paired))])
