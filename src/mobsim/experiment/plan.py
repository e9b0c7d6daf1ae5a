"""The plan of a sweep: the design, held against its scenario, with every point, run and task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobsim.errors import ScenarioError, UsageError, nearest
from mobsim.experiment import tasks as partition
from mobsim.experiment.design import Design, FactorSpec, InvalidDesign, PointsFile, design_of, load_design
from mobsim.experiment.factors import Factor, parts_of
from mobsim.experiment.places import check_outcome, fit_factors, reason_of
from mobsim.experiment.points import Point, columns_of, points_of
from mobsim.experiment.tasks import RunKey, Task
from mobsim.experiment.worlds import Worlds, worlds_of
from mobsim.scenario.catalogue import find_scenario
from mobsim.scenario.document import Document
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import inside, shown
from mobsim.scenario.file import read_scenario
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Version of what a digest covers and of a plan's record."""

DRAWN_WITH = ("thresholds", "capability_sd", "trust_sd")
BUILT_FROM = (("seed",), ("community",), *(("behaviour", name) for name in DRAWN_WITH))
"""Places that decide how communities are built; points that agree in them share communities."""

NOT_BUILT = ("barrier", "background_media", "reached")
"""Values of a group that are used week by week and leave a community as it is."""

SIZES = (("community", "residents"), ("campaign", "horizon_weeks"), ("campaign", "burn_in_weeks"))
"""Places that decide how much work a run is."""


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """The plan of a sweep.

    Attributes
    ----------
    design : what is asked.
    factors : what varies.
    points : for each point the value of every factor, by the factor's name.
    base : the scenario with what the design sets for all points.
    worlds : makes the scenario at a point; it can be pickled.
    arms : the arms, `none` first.
    communities, luck : numbers of the replicates.
    tasks : blocks of runs; together they hold every run once.
    digest : sha256 of all that decides the numbers, 64 hexadecimal digits.
    """

    design: Design
    factors: tuple[Factor, ...]
    points: tuple[Point, ...]
    base: Scenario
    worlds: Worlds
    arms: tuple[str, ...]
    communities: tuple[int, ...]
    luck: tuple[int, ...]
    tasks: tuple[Task, ...]
    digest: str

    @property
    def n_runs(self) -> int:
        """How many runs the sweep holds."""
        return len(self.points) * len(self.arms) * len(self.communities) * len(self.luck)

    @property
    def document(self) -> Document:
        """The scenario file, with what all points share."""
        return self.worlds.document

    def overrides(self, point: int) -> dict[str, Any]:
        """Return what a point sets, by place of the scenario.

        Parameters
        ----------
        point : its number.
        """
        values = self.points[point]
        return {place: values[factor.name] for factor in self.factors for place in factor.places}

    def world(self, point: int) -> Scenario:
        """Return the resolved scenario at a point.

        Parameters
        ----------
        point : its number.

        Raises
        ------
        ScenarioError : if the point's values do not fit together.
        """
        return self.worlds.at(self.overrides(point))

    def task_of(self, key: RunKey) -> int:
        """Return the number of the task that holds a run.

        Parameters
        ----------
        key : the run.

        Raises
        ------
        UsageError : if the sweep holds no such run.
        """
        known = (
            ("point", key.point, range(len(self.points))),
            ("arm", key.arm, self.arms),
            ("community", key.community, self.communities),
            ("luck", key.luck, self.luck),
        )
        for what, found, allowed in known:
            if found not in allowed:
                words = ", ".join(self.arms) if what == "arm" else f"{allowed[0]} to {allowed[-1]}"
                raise UsageError(f"run {key} is not in the sweep: {what} is {found}; allowed: {words}")
        for task in self.tasks:
            if key.point in task.points and key.community in task.communities and key.luck in task.luck:
                return task.number
        raise AssertionError(f"no task holds {key}")

    def points_table(self) -> pd.DataFrame:
        """Return one row a point: its number, and a column for each factor, with labels where it has them."""
        import pandas as pd

        columns: dict[str, Any] = {"point": range(len(self.points))}
        for factor in self.factors:
            values = [point[factor.name] for point in self.points]
            columns[factor.name] = [factor.label(value) for value in values] if factor.labels else values
            if not factor.numeric and not factor.labels:
                columns[factor.name] = [factor.label(value) for value in values]
        return pd.DataFrame(columns)


def plan_sweep(design: Design | str | Path | Mapping[str, Any], /, **changes: Any) -> SweepPlan:
    """Plan a sweep: hold a design against its scenario, and work out points, runs and tasks.

    Parameters
    ----------
    design : a design, its file, or what such a file says as plain data.
    **changes : other values for sections of the design, such as ``seed=3``.

    Raises
    ------
    MobsimError
        with one sentence: file, line, what was found, what is allowed.

    Examples
    --------
    >>> plan = plan_sweep({
    ...     "name": "example",
    ...     "scenario": "harm_demo",
    ...     "arms": ["outreach"],
    ...     "replicates": {"communities": 2, "luck": 1},
    ...     "factors": {"behaviour.noise": {"values": [0.05, 0.1]}},
    ...     "design": {"kind": "grid"},
    ... })
    >>> plan.arms, plan.n_runs, str(next(plan.tasks[0].runs(plan.arms)))
    (('none', 'outreach'), 8, 'p0-c0-l0-none')
    """
    asked = _with_columns(_design(design, changes))
    worlds = _worlds(asked)
    base = worlds.base
    check_outcome(asked, base)
    fitted = fit_factors(asked, worlds)
    points = points_of(asked, fitted.factors)
    communities = tuple(range(base.replicates.communities))
    luck = tuple(range(base.replicates.luck))
    plan = SweepPlan(
        design=asked,
        factors=fitted.factors,
        points=points,
        base=base,
        worlds=worlds,
        arms=tuple(base.arms),
        communities=communities,
        luck=luck,
        tasks=(),
        digest="",
    )
    tasks = partition.divide(*work_of(plan), communities, luck, n_arms=len(plan.arms))
    return _with(plan, tasks=tasks, digest=_digest(plan, tasks, fitted.imported))


def plan_record(plan: SweepPlan) -> dict[str, Any]:
    """Return a plan as plain data that JSON can hold; `plan_from` makes the plan of it again.

    Parameters
    ----------
    plan : the plan.

    Returns
    -------
    dict
        Without the folder of the scenario, unless files of people and ties are looked for there.
    """
    imports = any(factor.places[0].startswith("community") for factor in plan.factors)
    imports = imports or plan.base.community.network.kind == "files"
    folder = plan.document.folder
    return {
        "format": FORMAT,
        "digest": plan.digest,
        "design": plan.design.model_dump(mode="json"),
        "scenario": plain(plan.base),
        "worlds": {
            "data": plan.document.data,
            "folder": str(folder) if imports and folder else None,
            "name": plan.worlds.name,
            "tags": dict(plan.worlds.tags),
        },
        "factors": [asdict(factor) for factor in plan.factors],
        "points": [[point[factor.name] for factor in plan.factors] for point in plan.points],
        "arms": list(plan.arms),
        "communities": list(plan.communities),
        "luck": list(plan.luck),
        "tasks": [[task.points, task.communities, task.luck] for task in plan.tasks],
    }


def plan_from(record: Mapping[str, Any], *, folder: str | Path | None = None) -> SweepPlan:
    """Return the plan that `plan_record` described; nothing is read.

    Parameters
    ----------
    record : plain data.
    folder : where files that the scenario names are looked for; None: where they were.

    Raises
    ------
    UsageError : if the record has another format.
    """
    if record.get("format") != FORMAT:
        raise UsageError(
            f"the plan is written in format {shown(record.get('format'))}; allowed: {FORMAT}; another "
            "version of mobsim wrote it"
        )
    worlds = record["worlds"]
    place = folder or worlds["folder"]
    where = Path(place) if place else None
    factors = tuple(_factor_from(fields) for fields in record["factors"])
    names = [factor.name for factor in factors]
    base = Scenario.model_validate_json(json.dumps(record["scenario"]), strict=True)
    base._folder = where
    return SweepPlan(
        design=Design.model_validate_json(json.dumps(record["design"]), strict=True),
        factors=factors,
        points=tuple(dict(zip(names, row, strict=True)) for row in record["points"]),
        base=base,
        worlds=Worlds(Document(worlds["data"], folder=where), worlds["name"], worlds["tags"]),
        arms=tuple(record["arms"]),
        communities=tuple(record["communities"]),
        luck=tuple(record["luck"]),
        tasks=tuple(
            Task(number, *(tuple(part) for part in parts)) for number, parts in enumerate(record["tasks"])
        ),
        digest=record["digest"],
    )


def _factor_from(fields: Mapping[str, Any]) -> Factor:
    listed = {
        name: None if fields[name] is None else tuple(fields[name]) for name in ("places", "values", "labels")
    }
    return Factor(**{**fields, **listed})


def _with(plan: SweepPlan, **changes: Any) -> SweepPlan:
    return SweepPlan(**{**plan.__dict__, **changes})


def _design(design: Design | str | Path | Mapping[str, Any], changes: Mapping[str, Any]) -> Design:
    if isinstance(design, Mapping):
        design = design_of(Document(dict(design)))
    elif not isinstance(design, Design):
        design = load_design(design)
    if not changes:
        return design
    before = design.document
    data = before.data or design.model_dump(mode="json", exclude_unset=True)
    lines = {path: line for path, line in before.lines.items() if not path or path[0] not in changes}
    return design_of(Document({**data, **changes}, before.file, before.folder, lines))


def _with_columns(design: Design) -> Design:
    """A file of points may name the places itself, if the design names no factors."""
    if design.factors or not isinstance(design.design, PointsFile):
        return design
    found = design.model_copy(
        update={"factors": {name: FactorSpec(name=name) for name in columns_of(design)}}
    )
    found._document = design.document
    return found


def _worlds(design: Design) -> Worlds:
    """Read the scenario and set what all points share."""
    document = design.document
    read, scenario = _read(design)
    own = worlds_of(read, scenario).with_arms(_arms(design, scenario))
    shared = dict(design.set)
    for place, value in shared.items():
        if "" in parts_of(place):
            sentence = f"set: {shown(place)} is not a place; allowed: keys with dots between them"
            raise InvalidDesign(document.file, [document.fault(("set", place), sentence)])
        try:
            _ = own.shared({place: value}).base
        except ScenarioError as error:
            refused = error
            try:
                _ = own.shared(shared).base  # together they may fit
            except ScenarioError:
                sentence = f"set.{place} is {shown(value)}, which the scenario refuses: {reason_of(refused)}"
                raise InvalidDesign(document.file, [document.fault(("set", place), sentence)]) from None
    if design.seed is not None:
        shared["seed"] = design.seed
    for what in ("communities", "luck"):
        count = getattr(design.replicates, what)
        if count is not None:
            shared[f"replicates.{what}"] = count
    worlds = own.shared(shared)
    try:
        _ = worlds.base
    except ScenarioError as error:
        where = "replicates" if design.model_fields_set & {"replicates"} else "set"
        sentence = f"{where}: the scenario refuses this: {reason_of(error)}"
        raise InvalidDesign(document.file, [document.fault((where,), sentence)]) from None
    return worlds


def _read(design: Design) -> tuple[Document, Scenario]:
    text = design.scenario
    document = design.document
    try:
        if text.endswith((".yaml", ".yml")):
            path = (design.folder or Path()) / text
            if not path.is_file():
                raise ScenarioError(f"{path} is not there; allowed: a path that starts beside the design")
        else:
            path = find_scenario(text)
    except ScenarioError as error:
        sentence = f"scenario is {shown(text)}: {error}"
        raise InvalidDesign(document.file, [document.fault(("scenario",), sentence)]) from None
    scenario, read = read_scenario(path)
    return read, scenario


def _arms(design: Design, scenario: Scenario) -> tuple[str, ...]:
    """Return the arms to run, `none` first."""
    known = tuple(scenario.arms)
    faults = [
        design.document.fault(
            ("arms", number),
            f"arms[{number}] is {shown(name)}; allowed: {', '.join(known)}{nearest(name, known)}",
        )
        for number, name in enumerate(design.arms or ())
        if name not in known
    ]
    if faults:
        raise InvalidDesign(design.document.file, faults)
    return known if design.arms is None else tuple(dict.fromkeys((NONE, *design.arms)))


def work_of(plan: SweepPlan) -> tuple[list[int], list[int]]:
    """Return for each point the resident-weeks of a replicate, and the first point with its communities.

    Burn-in counts once for all arms of a luck, as it runs. Points are not resolved for this: values that
    stand elsewhere than in their own place, such as residents counted in a file, count as at the base.

    Parameters
    ----------
    plan : the plan; its tasks are not looked at.
    """
    base = plain(plan.base)
    own_sizes = [_at(base, path) for path in SIZES]
    built_from = [factor for factor in plan.factors if any(_decides_community(p) for p in factor.places)]
    sizing = [
        (factor, number, rest)
        for factor in plan.factors
        for place in factor.places
        for number, path in enumerate(SIZES)
        if (rest := _rest(path, parts_of(place))) is not None
    ]
    weights, worlds = [], []
    first: dict[str, int] = {}
    for number, point in enumerate(plan.points):
        residents, horizon, burn_in = _sizes_at(point, own_sizes, sizing)
        weights.append(residents * (burn_in + horizon * len(plan.arms)))
        key = json.dumps([point[factor.name] for factor in built_from])
        worlds.append(first.setdefault(key, number))
    return weights, worlds


def _sizes_at(
    point: Point, own: Sequence[int], sizing: Sequence[tuple[Factor, int, tuple[str, ...]]]
) -> list[int]:
    sizes = list(own)
    for factor, number, rest in sizing:
        value = _at(point[factor.name], rest)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            sizes[number] = value
    return sizes


def _decides_community(place: str) -> bool:
    path = parts_of(place)
    if path[:2] == ("community", "groups") and len(path) == 4 and path[3] in NOT_BUILT:
        return False
    return any(path[: len(built)] == built or built[: len(path)] == path for built in BUILT_FROM)


def _rest(path: tuple[str, ...], place: Sequence[str | int]) -> tuple[str, ...] | None:
    """Return what of a path follows a place; nothing if the place does not hold it."""
    return path[len(place) :] if tuple(place) == path[: len(place)] else None


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        value = inside(value, part)
    return value


def _digest(plan: SweepPlan, tasks: Sequence[Task], imported: Sequence[Any]) -> str:
    """Return the sha256 of all that decides the numbers, and how they are kept together."""
    decides = {
        "format": FORMAT,
        "mobsim": version("mobsim"),
        "scenario": plain(plan.base),
        "imported": list(imported),
        "factors": [[factor.name, factor.places, factor.labels] for factor in plan.factors],
        "points": [[point[factor.name] for factor in plan.factors] for point in plan.points],
        "arms": plan.arms,
        "communities": plan.communities,
        "luck": plan.luck,
        "record": plan.design.record.model_dump(),
        "tasks": [[task.points, task.communities, task.luck] for task in tasks],
    }
    text = json.dumps(decides, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
