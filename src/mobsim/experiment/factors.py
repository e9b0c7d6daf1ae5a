"""What varies in a sweep: a factor is one or more places of a scenario and the values they may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from math import floor
from typing import Any, Literal

from mobsim.scenario.faults import Path

DIGITS = 10
"""Significant digits of a sampled value, as many as tables show: a table of points says exactly what ran."""

_POWERS = Context(prec=30)
"""Powers in decimal arithmetic, which rounds alike on every machine; those of a C library do not."""


@dataclass(frozen=True)
class Factor:
    """What varies.

    Attributes
    ----------
    name : its label, and the column of the table of points.
    places : places of the scenario that are set alike, such as `behaviour.social_weight`.
    low, high : ends of its range; None if values are listed.
    values : listed values; None if it has a range.
    labels : words for the listed values; None: the values speak for themselves.
    scale : how a range is divided, evenly or evenly in the logarithm.
    whole : whether the range holds whole numbers only.
    levels : into how many values a range is divided in a grid or one at a time; None: not said.
    base : the scenario's own value; one of the listed values where the scenario has one of them.
    has_base : whether there is such a value: several places need not agree.
    """

    name: str
    places: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] | None = None
    labels: tuple[str, ...] | None = None
    scale: Literal["linear", "log"] = "linear"
    whole: bool = False
    levels: int | None = None
    base: Any = None
    has_base: bool = True

    @property
    def numeric(self) -> bool:
        """Whether every value is a number: it has a range, or only numbers are listed."""
        return self.values is None or all(_is_number(value) for value in self.values)

    def at(self, unit: float) -> Any:
        """Return the value at a place of the unit interval.

        Parameters
        ----------
        unit : 0 to 1; 0 is the low end or the first value, 1 the high end or the last value.

        Examples
        --------
        >>> Factor("noise", ("behaviour.noise",), low=0.0, high=0.2).at(0.25)
        0.05
        >>> Factor("weeks", ("campaign.horizon_weeks",), low=60, high=62, whole=True).at(0.5)
        61
        >>> Factor("cost", ("activities.visit.cost",), low=1.0, high=100.0, scale="log").at(0.5)
        10.0
        >>> Factor("policy", ("arms.mixed.policy",), values=("fixed", "reasons")).at(0.6)
        'reasons'
        """
        if self.values is not None:
            return self.values[min(floor(unit * len(self.values)), len(self.values) - 1)]
        low, high = self._ends()
        if not self.whole:
            return min(max(_rounded(self._between(low, high, unit)), low), high)
        wide = self._between(low - 0.5, high + 0.5, unit)
        return int(min(max(floor(wide + 0.5), low), high))

    def level_values(self) -> tuple[Any, ...]:
        """Return the listed values, or the levels of the range from its low end to its high end.

        Examples
        --------
        >>> Factor("noise", ("behaviour.noise",), low=0.0, high=0.2, levels=3).level_values()
        (0.0, 0.1, 0.2)
        """
        if self.values is not None:
            return self.values
        low, high = self._ends()
        steps = (self.levels or 2) - 1
        found = [self._between(low, high, step / steps) for step in range(steps + 1)]
        if self.whole:
            return tuple(dict.fromkeys(int(min(max(floor(value + 0.5), low), high)) for value in found))
        return tuple(min(max(_rounded(value), low), high) for value in found)

    def label(self, value: Any) -> Any:
        """Return what stands for a value in tables: its label, a number, a word.

        Parameters
        ----------
        value : a value of this factor, or the scenario's own.

        Examples
        --------
        >>> kinds = ({"kind": "ring"}, {"kind": "lattice"})
        >>> network = Factor("network", ("community.network",), values=kinds)
        >>> network.label({"kind": "ring"}), network.label({"kind": "households", "degree": 10.0})
        ('ring', 'households, degree 10.0')
        """
        for place, listed in enumerate(self.values or ()):
            if same(listed, value):
                return self.labels[place] if self.labels else short(value)
        return short(value)

    def _ends(self) -> tuple[float, float]:
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    def _between(self, low: float, high: float, unit: float) -> float:
        if self.scale == "linear":
            return low + unit * (high - low)
        start = Decimal(low)
        ratio = _POWERS.divide(Decimal(high), start)
        return float(_POWERS.multiply(start, _POWERS.power(ratio, Decimal(unit))))


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same; true is not 1, and a list is not a mapping.

    Parameters
    ----------
    one, other : anything that a scenario file can hold.

    Examples
    --------
    >>> same(1, 1.0), same(True, 1), same([1, 2], (1, 2))
    (True, False, True)
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def short(value: Any) -> Any:
    """Return a value as a table shows it: numbers and words as they are, all else in a few words.

    Parameters
    ----------
    value : anything that a scenario file can hold.

    Examples
    --------
    >>> short(0.5), short(None), short(True), short([1, 2]), short({"kind": "ring", "degree": 4})
    (0.5, 'null', 'true', '1 2', 'ring, degree 4')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(
            str(short(inner)) if key == "kind" else f"{key} {short(inner)}" for key, inner in value.items()
        )
    if isinstance(value, list | tuple):
        return " ".join(str(short(inner)) for inner in value)
    return value


def as_in_a_file(value: Any) -> Any:
    """Return a value as a file holds it: with lists, not tuples.

    Parameters
    ----------
    value : anything that a scenario file can hold.

    Examples
    --------
    >>> as_in_a_file({"values": (1, 2)})
    {'values': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {key: as_in_a_file(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_in_a_file(inner) for inner in value]
    return value


def parts_of(place: str) -> Path:
    """Return the keys and positions of a place.

    Parameters
    ----------
    place : as a person writes it.

    Examples
    --------
    >>> parts_of("arms.outreach.activities[0].share")
    ('arms', 'outreach', 'activities', 0, 'share')
    """
    words = place.replace("[", ".").replace("]", "").split(".")
    return tuple(int(word) if word.isdigit() else word for word in words)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
