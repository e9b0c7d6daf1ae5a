"""A design held against its scenario: every place must exist, and every single value must be taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mobsim.engine.outcomes import COLUMNS, column_of
from mobsim.errors import ScenarioError, nearest
from mobsim.experiment.design import RESERVED, Design, FactorSpec, InvalidDesign, PointsFile
from mobsim.experiment.factors import Factor, as_in_a_file, parts_of, same
from mobsim.experiment.points import points_file, read_points
from mobsim.experiment.worlds import Worlds
from mobsim.scenario.allowed import schema_at
from mobsim.scenario.dump import plain
from mobsim.scenario.faults import MISSING, Fault, InvalidScenario, Path, inside, shown, text_of
from mobsim.scenario.scenario import Scenario

NOT_FACTORS = {
    "schema_version": "it is the version of the file format",
    "name": "it names the scenario",
    "title": "it is a text for people",
    "description": "it is a text for people",
    "issue": "it is a text for people",
    "sources": "it is a text for people",
    "cautions": "it is a text for people",
    "tags": "it is a text for people",
    "check": "it holds published facts",
    "replicates": "the design's own replicates say how many communities and luck",
}
"""Sections of a scenario that no factor can change, and why."""

MOST_ROWS_TRIED = 1000
"""Rows of a file of points that are tried before a sweep, spread over the file."""


@dataclass(frozen=True)
class Fitted:
    """Factors that the scenario takes.

    factors : what varies.
    imported : for each file of people or ties that some value names, what was read: it decides numbers too.
    """

    factors: tuple[Factor, ...]
    imported: tuple[Any, ...]


def fit_factors(design: Design, worlds: Worlds) -> Fitted:
    """Return the factors of a design, each of whose values the scenario takes at its base.

    Parameters
    ----------
    design : the design.
    worlds : the scenario with what all points share.

    Raises
    ------
    InvalidDesign
        with one sentence: file, line, what was found, what is allowed, the nearest match.
    """
    names = names_of(design)
    from_file = isinstance(design.design, PointsFile)
    base = plain(worlds.base)
    factors: list[Factor] = []
    faults: list[Fault] = []
    tried: list[Scenario] = []
    for key, spec in design.factors.items():
        factor = _factor(names[key], key, spec, base)
        found = list(_place_faults(design, key, factor, base))
        if not found and not from_file:
            try:
                seen = _try_values(design, key, factor, worlds)
            except InvalidDesign as error:
                faults += error.faults
                continue
            tried += list(seen)
            factor = _with_listed_base(factor, seen)
        faults += found
        factors.append(factor)
    if faults:
        raise InvalidDesign(design.document.file, faults)
    if from_file:
        tried += _try_rows(design, factors, worlds)
    return Fitted(tuple(factors), _imported(tried))


def check_outcome(design: Design, base: Scenario) -> None:
    """Refuse an outcome that the table of runs will not have.

    Parameters
    ----------
    design : the design.
    base : the scenario that the points change.

    Raises
    ------
    InvalidDesign : with the nearest name.
    """
    standing_for = {"GROUP": list(base.community.groups), "GOAL": [str(goal.name) for goal in base.goals]}
    names = [
        "__".join((*stem, word))
        for column in COLUMNS
        if column.table == "runs" and column.name not in RESERVED
        for *stem, end in (column.name.split("__"),)
        for word in standing_for.get(end, [end])
    ]
    if design.outcome not in names:
        sentence = (
            f"outcome is {shown(design.outcome)}; allowed: a column of the table of runs, such as "
            f"participation_fe{nearest(design.outcome, names)}"
        )
        raise InvalidDesign(design.document.file, [design.document.fault(("outcome",), sentence)])


def names_of(design: Design) -> dict[str, str]:
    """Return the name of each factor by its key: what was said, or as much of the place's end as is unique.

    Parameters
    ----------
    design : the design.
    """
    said = {
        key: key if spec.places is not None else spec.name
        for key, spec in design.factors.items()
        if spec.places is not None or spec.name is not None
    }
    names: dict[str, str] = {key: name for key, name in said.items() if name is not None}
    lengths = {key: 1 for key in design.factors if key not in names}
    while True:
        ends = {key: parts_of(key)[-length:] for key, length in lengths.items()}
        texts = {key: text_of(end) for key, end in ends.items()}
        taken = [*names.values(), *texts.values()]
        longer = [
            key
            for key, text in texts.items()
            if (taken.count(text) > 1 or isinstance(ends[key][0], int) or is_taken(text))
            and lengths[key] < len(parts_of(key))
        ]
        if not longer:
            return {key: names.get(key, texts.get(key, key)) for key in design.factors}
        for key in longer:
            lengths[key] += 1


def is_taken(name: str) -> bool:
    """Say whether a name is one of a column that every table of runs has.

    Parameters
    ----------
    name : of a factor.
    """
    return name in RESERVED or column_of("runs", name) is not None


def _factor(name: str, key: str, spec: FactorSpec, base: Mapping[str, Any]) -> Factor:
    places = tuple(text_of(parts_of(place)) for place in spec.places or (key,))
    found = [_at(base, parts_of(place)) for place in places]
    agree = all(value is not MISSING and same(value, found[0]) for value in found)
    whole_ends = spec.whole and spec.low is not None and spec.high is not None
    return Factor(
        name=name,
        places=places,
        low=int(spec.low or 0) if whole_ends else spec.low,
        high=int(spec.high or 0) if whole_ends else spec.high,
        values=None if spec.values is None else tuple(map(as_in_a_file, spec.values)),
        labels=spec.labels,
        scale=spec.scale,
        whole=spec.whole,
        levels=spec.levels,
        base=found[0] if agree else None,
        has_base=agree,
    )


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = inside(value, part)
    return value


def _place_faults(design: Design, key: str, factor: Factor, base: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the places of a factor, and with its name."""
    for number, place in enumerate(factor.places):
        where: Path = ("factors", key)
        if design.factors[key].places is not None:
            where = (*where, "places", number)
        sentence = _place_sentence(parts_of(place), base)
        if sentence:
            yield design.document.fault(where, f"factors: {sentence}")
    if is_taken(factor.name):
        where = ("factors", key) if design.factors[key].places is not None else ("factors", key, "name")
        sentence = f"{text_of(where)}: {shown(factor.name)} is a column of the table of runs"
        yield design.document.fault(where, f"{sentence}; allowed: another name")


def _place_sentence(path: Path, base: Mapping[str, Any]) -> str:
    """Say why a path is no place that can vary; nothing if it is one, or if only a trial can tell."""
    first = str(path[0])
    if first in NOT_FACTORS:
        return f"{text_of(path)} cannot vary: {NOT_FACTORS[first]}; allowed: any other place of the scenario"
    if path == ("arms",):
        return "arms cannot vary as a whole; allowed: parts of arms, such as arms.NAME.policy"
    value: Any = base
    for length, part in enumerate(path):
        within = inside(value, part)
        if within is MISSING:
            outer = path[:length]
            return _missing_sentence(path, outer, part, value, base)
        value = within
    return ""


def _missing_sentence(path: Path, outer: Path, part: str | int, value: Any, base: Mapping[str, Any]) -> str:
    text, where = text_of(path), text_of(outer) or "the scenario"
    if value is None and _has_keys(outer, base):
        return ""
    if isinstance(value, list):
        positions = f"positions from 0 to {len(value) - 1}" if value else "nothing, since it is empty"
        return f"{text} is not a place: {where} is a list; allowed: {positions}"
    if not isinstance(value, dict):
        return (
            f"{text} is not a place: {where} is {shown(value)}, which has no parts; allowed: {where} itself"
        )
    keys = [key for key in value if outer or key not in NOT_FACTORS]
    allowed = f"; allowed: {', '.join(keys)}" if keys else ""
    return f"{text} is not a place: {where} has no {shown(part)}{allowed}{nearest(str(part), keys)}"


def _has_keys(outer: Path, base: Mapping[str, Any]) -> bool:
    """Say whether a mapping may stand where nothing stands now."""
    options = (schema_at(outer, base) or {}).get("options", ())
    return any(option.get("type") == "object" for option in options)


def _try_values(design: Design, key: str, factor: Factor, worlds: Worlds) -> list[Scenario]:
    """Resolve the scenario with each listed value, or with both ends of the range; return what came."""
    where: Path = ("factors", key)
    if factor.values is not None:
        values = [((*where, "values", number), value) for number, value in enumerate(factor.values)]
    else:
        values = [((*where, "low"), factor.low), ((*where, "high"), factor.high)]
    seen = []
    for path, value in values:
        try:
            world = worlds.at(dict.fromkeys(factor.places, value))
        except ScenarioError as error:
            advice = _advice(factor, value, worlds)
            sentence = (
                f"{text_of(path)} is {shown(value)}, which the scenario refuses: {reason_of(error)}{advice}"
            )
            raise InvalidDesign(design.document.file, [design.document.fault(path, sentence)]) from None
        for place in factor.places:
            if _at(plain(world), parts_of(place)) is MISSING:
                sentence = (
                    f"factors: {place} is not a place of the scenario; allowed: a place of its resolved form"
                )
                raise InvalidDesign(design.document.file, [design.document.fault(where, sentence)])
        seen.append(world)
    return seen


def reason_of(error: ScenarioError) -> str:
    """Return the first thing that is wrong with a scenario, in its own words."""
    return error.sentences[0] if isinstance(error, InvalidScenario) else str(error)


def _advice(factor: Factor, value: Any, worlds: Worlds) -> str:
    """Ask for whole numbers where they are all that is missing."""
    if factor.values is not None or factor.whole or value != int(value):
        return ""
    try:
        worlds.at({place: int(value) for place in factor.places})
    except ScenarioError:
        return ""
    return "; write whole: true"


def _with_listed_base(factor: Factor, seen: Sequence[Scenario]) -> Factor:
    """Say the scenario's own value as the list does, where it is one of the list."""
    if factor.values is None or not factor.has_base:
        return factor
    for value, world in zip(factor.values, seen, strict=True):
        if same(_at(plain(world), parts_of(factor.places[0])), factor.base):
            return replace(factor, base=value)
    return factor


def _try_rows(design: Design, factors: Sequence[Factor], worlds: Worlds) -> list[Scenario]:
    """Resolve the scenario at whole rows of a file of points, since columns may need each other."""
    points = read_points(design, factors)
    step = -(-len(points) // MOST_ROWS_TRIED)
    seen = []
    for line, values in points[::step]:
        overrides = {place: values[factor.name] for factor in factors for place in factor.places}
        try:
            seen.append(worlds.at(overrides))
        except ScenarioError as error:
            sentence = f"the scenario refuses this point: {reason_of(error)}"
            raise InvalidDesign(str(points_file(design)), [Fault(line, sentence)]) from None
    return seen


def _imported(worlds: Sequence[Scenario]) -> tuple[Any, ...]:
    found = [
        plain(world)["community"]["network"] for world in worlds if world.community.network.kind == "files"
    ]
    return tuple({str(network): network for network in found}.values())
