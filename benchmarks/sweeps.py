"""Sweeps: what one costs beside the simulation itself, and W7, a sweep that other programs can do as well.

**Overhead.** The tasks of a sweep are run twice: through everything that `mobsim.sweep` does (workers,
tables, ledger), and their blocks alone, on as many processes, each task as it is ordered and nothing kept.
What is asked is how much longer the first takes. Starting processes is told apart: it is paid once a sweep.

**W7.** A grid of `social_weight` by `noise` over the whole week without a campaign, leaders, organizations
and organizers at rest, so that all programs run the same. Each runs it on two processes and writes its
results to disk: mobsim into its ledger, the others into a file; slow programs take a part of the points.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine, whole_week
from benchmarks import works as first_works
from benchmarks.works import OURS, Finding, Result, Work

PROCESSES = 2
RESIDENTS, WEEKS = whole_week.RESIDENTS, whole_week.WEEKS
SOCIAL_WEIGHTS = [round(0.2 + 0.8 * k / 15, 4) for k in range(16)]
NOISES = [round(0.05 + 0.15 * k / 15, 4) for k in range(16)]
REPLICATES = 64
QUICK_EVERY, QUICK_REPLICATES = 5, 8
"""In tests every fifth value of both, and fewer replicates."""
RECORDED_EVERY = 4
"""All programs write the curves of every fourth week and of the last, mobsim a few other numbers as well."""

WORKS = {
    "W7": Work(
        RESIDENTS,
        WEEKS,
        "runs",
        f"sweep of {len(SOCIAL_WEIGHTS) * len(NOISES)} points x {REPLICATES} replicates on two processes, "
        "results on disk",
    )
}


def scenario_data(residents: int) -> dict[str, Any]:
    """Return the scenario of W7 (the person's form)."""
    data = whole_week.scenario_data("W5-L1", residents, at_rest=True)
    return data | {"title": "W7", "description": WORKS["W7"].what}


def inputs(work: str, residents: int | None = None) -> whole_week.Inputs:
    """Build the inputs with mobsim's community builder (community 0).

    Parameters
    ----------
    work : W7.
    residents : another number of residents, for tests: fewer points and replicates then.
    """
    given = whole_week.inputs("W5-L1", residents)
    every = QUICK_EVERY if residents else 1
    points = [
        {"social_weight": weight, "noise": noise}
        for weight in SOCIAL_WEIGHTS[::every]
        for noise in NOISES[::every]
    ]
    behaviour = given.parameters["behaviour"] | whole_week.AT_REST
    more = {"points": points, "replicates": QUICK_REPLICATES if residents else REPLICATES}
    return whole_week.Inputs(
        work=work,
        n=given.n,
        weeks=given.weeks,
        parameters={"groups": given.parameters["groups"], "behaviour": behaviour, **more},
        **{name: getattr(given, name) for name in whole_week._ARRAYS},
    )


def check(work: str, results: Mapping[str, Sequence[Result]], ours: str = OURS) -> list[Finding]:
    """Compare the means of each point with ours, as those of W4.

    Parameters
    ----------
    work : W7.
    results : what `works.sweep_result` told, one for each call, by program.
    ours : whom the others are compared with.
    """
    del work
    return first_works.check("W4", results, ours)


def some_points(given: whole_week.Inputs, most: int) -> list[int]:
    """Numbers of points that lie evenly among all, at most so many: those of a slow program."""
    n = len(given.parameters["points"])
    return sorted({round(k * (n - 1) / (most - 1)) for k in range(most)}) if n > most else list(range(n))


def recorded_weeks(weeks: int) -> list[int]:
    """Weeks whose curves are written, from 1."""
    return sorted({*range(1, weeks + 1, RECORDED_EVERY), weeks})


def scenario_file(folder: Path, data: Mapping[str, Any]) -> Path:
    """Write a scenario into a file that a design can name: every section one line with a tag."""
    path = folder / f"{data['title'].lower()}.yaml"
    lines = [f"{key}: {json.dumps(value)}  # [A] for the bench" for key, value in data.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def design_of(given: whole_week.Inputs, folder: Path) -> dict[str, Any]:
    """Return W7 as the design of a sweep.

    Parameters
    ----------
    given : the inputs. folder : for the file of the scenario.
    """
    points: list[dict[str, float]] = given.parameters["points"]
    return {
        "name": "w7",
        "scenario": str(scenario_file(folder, scenario_data(given.n))),
        "arms": ["none"],
        "replicates": {"communities": 1, "luck": given.parameters["replicates"]},
        "factors": {
            f"behaviour.{name}": {"values": list(dict.fromkeys(point[name] for point in points))}
            for name in points[0]
        },
        "design": {"kind": "grid"},
    }


# --- Overhead


def designs(folder: Path, quick: bool) -> dict[str, dict[str, Any]]:
    """Designs of three kinds of scenario: with arms, with surveys and policies, and a bare threshold model.

    Parameters
    ----------
    folder : for files. quick : few points.
    """
    points = 4 if quick else 256
    behaviour = {
        "behaviour.social_weight": {"low": 0.2, "high": 1.0},
        "behaviour.noise": {"low": 0.03, "high": 0.2},
    }
    sobol = {"kind": "sobol", "points": points, "seed": 1}
    bare = first_works.scenario_data("W4", 400 if quick else None) | {"title": "bare"}
    return {
        "harm_demo, 4 arms": {
            "name": "harm",
            "scenario": "harm_demo",
            "replicates": {"communities": 4, "luck": 2},
            "factors": behaviour,
            "design": sobol,
        },
        "vaccination_district, 1,000 residents, 13 arms": {
            "name": "vaccination",
            "scenario": "vaccination_district",
            "set": {"community.residents": 200 if quick else 1000},
            "replicates": {"communities": 1, "luck": 2},
            "factors": {
                "behaviour.social_weight": {"low": 0.2, "high": 1.0},
                "campaign.budget_per_resident": {"low": 3, "high": 12, "name": "budget"},
            },
            "design": sobol,
        },
        "bare thresholds, no arms": {
            "name": "bare",
            "scenario": str(scenario_file(folder, bare)),
            "arms": ["none"],
            "replicates": {"communities": 2, "luck": 4 if quick else 64},
            "factors": behaviour,
            "design": sobol,
        },
    }


LOCAL, DASK = "local", "Dask"
WAYS = ((LOCAL, 1, "decisions"), (LOCAL, 1, "none"), (LOCAL, 2, "decisions"), (DASK, 2, "decisions"))
"""Where the tasks run, on how many processes, and which weeks are kept."""
ROUNDS = 3


def measure(quick: bool = False) -> dict[str, Any]:
    """Measure the overhead of all designs in all ways.

    Returns
    -------
    dict
        `missing`: why Dask was not measured, or empty. `rows`: one a design and way: tasks, runs, and by
        round `task_s` (seconds of a task's blocks), `start_s`, `overhead` (of the wall) and `processor` (of
        processor time, that of the parent included).
    """
    missing = _why_no_dask()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, design in designs(folder, quick).items():
            for where, processes, record in WAYS:
                if where == DASK and missing:
                    continue
                asked = design | {"record": {"weeks": record}}
                found = overhead(asked, folder, processes, where, 1 if quick else ROUNDS)
                about = {"scenario": name, "where": where, "processes": processes, "record": record}
                rows.append(about | found)
    return {"missing": missing, "rows": rows}


def overhead(
    design: Mapping[str, Any], folder: Path, processes: int, where: str, rounds: int
) -> dict[str, Any]:
    """Run a sweep and its blocks alone, in turns.

    Parameters
    ----------
    design : of the sweep. folder : for ledgers. processes : how many. where : LOCAL or DASK.
    rounds : how often.
    """
    from mobsim.experiment.plan import plan_sweep
    from mobsim.experiment.sweep import open_ledger, run_orders
    from mobsim.experiment.work import order_of

    began = time.perf_counter()
    plan = plan_sweep(dict(design))
    plan_s = time.perf_counter() - began
    numbers = range(len(plan.tasks))
    found: dict[str, list[float]] = {"start_s": [], "overhead": [], "processor": [], "task_s": []}
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, _ready) as alone, tempfile.TemporaryDirectory(dir=folder) as results:
        alone.map(_blocks_alone, [order_of(plan, number) for number in [*numbers][:processes]], 1)
        for turn in range(rounds):
            orders = (order_of(plan, number) for number in numbers)
            kernel = list(alone.imap_unordered(_blocks_alone, orders))
            kernel_wall, kernel_processor = (sum(column) for column in zip(*kernel, strict=True))
            began = time.perf_counter()
            with _executor(processes, where) as executor:
                first = [order_of(plan, number) for number in [*numbers][: 2 * processes]]
                outcomes = executor.run(iter(first))
                _, outcome = next(outcomes)
                start_s = time.perf_counter() - began - outcome.seconds
                for _ in outcomes:  # until all have started
                    pass
                before = _processor_seconds()
                began = time.perf_counter()
                with open_ledger(plan, Path(results) / str(turn)) as ledger:
                    for result in run_orders(executor, (order_of(plan, number) for number in numbers)):
                        ledger.keep(result)
                wall = time.perf_counter() - began
                processor = _processor_seconds() - before
            found["start_s"].append(start_s)
            found["overhead"].append(wall * processes / kernel_wall - 1)
            found["processor"].append(processor / kernel_processor - 1)
            found["task_s"].append(kernel_wall / len(plan.tasks))
    return {"tasks": len(plan.tasks), "runs": plan.n_runs, "plan_s": plan_s, **found}


@contextmanager
def _executor(processes: int, where: str) -> Iterator[Any]:
    if where == LOCAL:
        from mobsim.experiment.local import LocalProcesses

        with closing(LocalProcesses(processes)) as executor:
            yield executor
    else:
        from mobsim.experiment.cluster import DaskCluster

        with closing(DaskCluster("local", workers=processes)) as executor:
            yield executor


def _processor_seconds() -> float:
    """Processor seconds of this process and all that it started."""
    return machine.processor_seconds(os.getpid())


def _ready() -> None:
    """Have everything loaded in a process that runs blocks alone."""
    from mobsim.engine.first_use import warm_up

    warm_up()


def _blocks_alone(order: Any) -> tuple[float, float]:
    """Run the blocks of a task, communities included; return seconds, of the wall and of the processor."""
    from mobsim.engine.run import run_blocks

    worlds = [order.worlds.at(overrides) for overrides in order.points.values()]
    wall, processor = time.perf_counter(), time.thread_time()
    run_blocks(worlds, order.arms, order.communities, order.luck)
    return time.perf_counter() - wall, time.thread_time() - processor


def _why_no_dask() -> str:
    try:
        import distributed  # noqa: F401
    except ImportError:
        return "distributed is not installed"
    return ""
