"""A dry run: how much a sweep will cost, from a few of its runs that are measured.

>>> from mobsim.experiment.plan import plan_sweep
>>> print(dry_run(plan_sweep("design.yaml")).text)  # doctest: +SKIP
targeting: 64 points, 3 arms, 8 communities, 2 streams of luck: 3,072 runs in 64 tasks
...
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from mobsim.errors import ScenarioError
from mobsim.experiment.plan import SweepPlan, work_of
from mobsim.scenario.memory import BYTES_A_RESIDENT, BYTES_A_TIE_END, LANES_AT_ONCE, bytes_to_run, tie_ends
from mobsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from mobsim.experiment.work import TaskOrder, TaskResult

PILOTS = 4
"""Points at which runs are measured, spread over the design."""

TOO_LONG_TO_REPEAT = 30.0
"""Processor seconds of one replicate that is not run again to be measured without the time of loading."""

PILOT_SECONDS = 3.0
"""Processor time of all measured runs together, unless a single replicate takes longer."""

MOST_TRIED = 1000
"""Points that are resolved, spread over the design."""

MARGIN = 0.25
"""By how much a whole task may be quicker or slower than the quickest and the slowest measured part."""


@dataclass(frozen=True)
class Forecast:
    """What a sweep will cost.

    Attributes
    ----------
    points, runs, tasks : how many.
    workers : processes that the wall time is for.
    cpu_seconds : processor time of the whole sweep: what is likely, its low and its high end.
    wall_seconds : time on the clock, the same three; without the seconds in which processes start.
    memory_bytes : memory of one process at its peak, about.
    ledger_bytes, table_bytes : size of the ledger, and of the exported tables as CSV.
    n_tried, n_failing : how many points were resolved, and how many of them the scenario refuses.
    failing : the first few of these: the number of the point, and why.
    pilot_runs, pilot_seconds : how many runs were measured, and their processor time.
    pilot_failures : what the measured runs that failed said, each sentence once.
    text : all this in words.
    """

    points: int
    runs: int
    tasks: int
    workers: int
    cpu_seconds: tuple[float, float, float]
    wall_seconds: tuple[float, float, float]
    memory_bytes: int
    ledger_bytes: int
    table_bytes: int
    n_tried: int
    n_failing: int
    failing: tuple[tuple[int, str], ...]
    pilot_runs: int
    pilot_seconds: float
    pilot_failures: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _Measured:
    """What some runs cost: resident-weeks, runs, processor time, bytes in the ledger and as CSV."""

    work: int
    runs: int
    seconds: float
    ledger_bytes: int
    table_bytes: int
    failures: tuple[str, ...]


def dry_run(plan: SweepPlan, workers: int | None = None) -> Forecast:
    """Say what a sweep will cost, from a few of its runs that are measured.

    Parts of a few tasks, spread over the design, are run as the sweep would run them; a second or three in
    all. Time grows with resident-weeks, disk with runs. Nothing is kept.

    Parameters
    ----------
    plan : the plan.
    workers : processes to forecast for; None: as many as `sweep` would use.

    Raises
    ------
    UsageError : if the number of workers is out of range.
    """
    from mobsim.experiment.local import workers_to_use

    workers = workers_to_use(workers, plan.base)
    tried = _spread(range(len(plan.points)), MOST_TRIED)
    worlds, failing = _resolve(plan, tried)
    weights, _ = work_of(plan)
    measured = list(_measure(plan, _spread(sorted(worlds), PILOTS), weights))
    replicates = len(plan.communities) * len(plan.luck)
    work = sum(weights) * replicates
    heaviest = max(
        sum(weights[point] for point in task.points) * len(task.communities) * len(task.luck)
        for task in plan.tasks
    )
    cpu = _times(work, measured)
    longest = _times(heaviest, measured)
    at_once = min(workers, len(plan.tasks))
    wall = tuple(max(whole / at_once, one) for whole, one in zip(cpu, longest, strict=True))
    runs = max(1, sum(part.runs for part in measured))
    forecast = Forecast(
        points=len(plan.points),
        runs=plan.n_runs,
        tasks=len(plan.tasks),
        workers=workers,
        cpu_seconds=cpu,
        wall_seconds=(wall[0], wall[1], wall[2]),
        memory_bytes=_memory(plan, worlds.values()),
        ledger_bytes=ceil(sum(part.ledger_bytes for part in measured) / runs * plan.n_runs),
        table_bytes=ceil(sum(part.table_bytes for part in measured) / runs * plan.n_runs),
        n_tried=len(tried),
        n_failing=len(failing),
        failing=tuple(failing[:5]),
        pilot_runs=sum(part.runs for part in measured),
        pilot_seconds=sum(part.seconds for part in measured),
        pilot_failures=tuple(dict.fromkeys(text for part in measured for text in part.failures)),
        text="",
    )
    return replace(forecast, text=_text_of(forecast, plan))


def _spread(numbers: Sequence[int], most: int) -> list[int]:
    """Return at most so many of some numbers, evenly spread over them."""
    n = min(most, len(numbers))
    return [numbers[(2 * k + 1) * len(numbers) // (2 * n)] for k in range(n)]


def _resolve(plan: SweepPlan, points: Sequence[int]) -> tuple[dict[int, Scenario], list[tuple[int, str]]]:
    """Return the scenario at each point that has one, and why the others have none."""
    worlds: dict[int, Scenario] = {}
    failing: list[tuple[int, str]] = []
    for point in points:
        try:
            worlds[point] = plan.world(point)
        except ScenarioError as error:
            failing.append((point, str(error)))
    return worlds, failing


def _measure(plan: SweepPlan, points: Sequence[int], weights: Sequence[int]) -> Iterator[_Measured]:
    """Run a part of the task of each point, the larger the more time is left, and yield what each cost.

    Parts grow from a single replicate until it is known how much fits, since wide blocks of runs cost less a
    run than narrow ones. The last of these counts only if nothing else is measured.
    """
    from mobsim.engine.first_use import warm_up

    if not points:
        return
    warm_up()
    first, _ = _run_part(plan, points[0], 0.0, weights)  # it may load kernels that only its kind needs
    if first.seconds > TOO_LONG_TO_REPEAT:
        yield first
        return
    started = time.thread_time()
    allowed, size = 0.0, 0
    while True:
        trial, whole = _run_part(plan, points[0], allowed, weights)
        left = PILOT_SECONDS - (time.thread_time() - started)
        if whole or trial.work == size or trial.seconds > PILOT_SECONDS / 10:
            break
        allowed, size = 4.0 * trial.work, trial.work
    if left < trial.seconds:
        yield trial
        return
    rate = trial.seconds / max(1, trial.work)
    for number, point in enumerate(points):
        left = PILOT_SECONDS - (time.thread_time() - started)
        if number and left <= 0:
            return
        found, _ = _run_part(plan, point, left / (len(points) - number) / max(rate, 1e-12), weights)
        rate = found.seconds / max(1, found.work)
        yield found


def _run_part(plan: SweepPlan, point: int, most: float, weights: Sequence[int]) -> tuple[_Measured, bool]:
    """Run as much of a point's task as some resident-weeks allow, and say whether it was the whole."""
    from mobsim.experiment.work import run_task

    order = _part_of(plan, point, most, weights)
    whole = order.n_runs == plan.tasks[order.number].replicates * len(order.arms)
    return _measured(run_task(order), _work(order, weights)), whole


def _part_of(plan: SweepPlan, point: int, most: float, weights: Sequence[int]) -> TaskOrder:
    """Return as much of the task of a point as a number of resident-weeks allows; a replicate at least."""
    from mobsim.experiment.work import order_of

    number = next(task.number for task in plan.tasks if point in task.points)
    order = order_of(plan, number)
    others = {other: values for other, values in order.points.items() if other != point}
    order = replace(order, points={point: order.points[point], **others})
    while order.n_runs > len(order.arms) and _work(order, weights) > most:
        order, _ = order.halves()
    return order


def _work(order: TaskOrder, weights: Sequence[int]) -> int:
    return sum(weights[point] for point in order.points) * len(order.communities) * len(order.luck)


def _measured(result: TaskResult, work: int) -> _Measured:
    tables = result.tables.values()
    return _Measured(
        work=work,
        runs=result.n_runs,
        seconds=result.seconds,
        ledger_bytes=sum(len(table.to_bytes()) for table in tables),
        table_bytes=sum(
            len(table.to_frame().to_csv(index=False, float_format="%.10g").encode()) for table in tables
        ),
        failures=tuple(dict.fromkeys(failure.error for failure in result.failures)),
    )


def _times(work: int, measured: Sequence[_Measured]) -> tuple[float, float, float]:
    """Return the processor time of some resident-weeks: what is likely, its low and its high end."""
    parts = [part for part in measured if part.work]
    if not parts:
        return 0.0, 0.0, 0.0
    rates = [part.seconds / part.work for part in parts]
    likely = sum(part.seconds for part in parts) / sum(part.work for part in parts)
    return work * likely, work * min(rates) * (1 - MARGIN), work * max(rates) * (1 + MARGIN)


def _memory(plan: SweepPlan, worlds: Iterable[Scenario]) -> int:
    """Return about how much memory a process takes: itself, a block of lanes, the communities of a task."""
    from mobsim.experiment.local import BYTES_OF_A_WORKER

    others = max(len(task.communities) for task in plan.tasks) - 1
    lucks = max(1, LANES_AT_ONCE // len(plan.arms))
    need = 0
    for world in worlds:
        community = world.community.residents * (BYTES_A_RESIDENT + BYTES_A_TIE_END * tie_ends(world))
        need = max(need, bytes_to_run(world, len(plan.arms), lucks) + int(community * others))
    return BYTES_OF_A_WORKER + need


def _text_of(forecast: Forecast, plan: SweepPlan) -> str:
    f = forecast
    sizes = [
        _count(f.points, "point"),
        _count(len(plan.arms), "arm"),
        _count(len(plan.communities), "community", "communities"),
        _count(len(plan.luck), "stream of luck", "streams of luck"),
    ]
    lines = [
        f"{plan.design.name}: {', '.join(sizes)}: {_count(f.runs, 'run')} in {_count(f.tasks, 'task')}",
        f"time: about {_time(f.wall_seconds[0])} on {_count(f.workers, 'process', 'processes')} "
        f"({_time(f.wall_seconds[1])} to {_time(f.wall_seconds[2])}); "
        f"processor time {_time(f.cpu_seconds[0])}",
        f"memory: about {_bytes(f.memory_bytes)} a process",
        f"disk: about {_bytes(f.ledger_bytes)} for the ledger, {_bytes(f.table_bytes)} for the tables as CSV",
        f"measured: {_count(f.pilot_runs, 'run')} in {f.pilot_seconds:.1f} s of processor time",
    ]
    if f.n_failing:
        lines.append(
            f"will fail: {f.n_failing:,} of {_count(f.n_tried, 'point')} tried do not fit the scenario; "
            "their runs become rows of failures"
        )
        lines += [f"  point {point}: {reason}" for point, reason in f.failing]
    lines += [f"a measured run failed: {text}" for text in f.pilot_failures]
    return "\n".join(lines)


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def _time(seconds: float) -> str:
    """Write a time roughly.

    Examples
    --------
    >>> _time(0.2), _time(47), _time(200), _time(9000), _time(300_000)
    ('1 s', '47 s', '3.3 min', '2.5 h', '3.5 days')
    """
    for length, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.2g} {name}"
    return f"{max(1, round(seconds))} s"


def _bytes(size: int) -> str:
    """Write a size roughly.

    Examples
    --------
    >>> _bytes(900), _bytes(2_340_000), _bytes(1_200_000_000)
    ('1 kB', '2.3 MB', '1.2 GB')
    """
    for length, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= length:
            return f"{size / length:.0f} {name}" if size >= 10 * length else f"{size / length:.1f} {name}"
    return f"{ceil(size / 1000)} kB"
