"""Attributes of agents that are entries of the engine's arrays, and what all agents share."""

from __future__ import annotations

from itertools import repeat
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.preview import draw_uniform

if TYPE_CHECKING:
    from mobsim.engine.block import Block
    from mobsim.mesa_model.agents import Resident
    from mobsim.mesa_model.model import MobilizationModel
    from mobsim.mesa_model.organization import Organization


class NoCounter:
    """Stands where Mesa 3.3 counts agents by model, which would keep every model in memory for good.

    Our agents number themselves.
    """

    def __getitem__(self, model: object) -> repeat[int]:
        return repeat(0)


class Real:
    """An attribute that is a row of the real-valued state.

    Parameters
    ----------
    row : row of `State.reals`.
    low, high : least and greatest value that may be written.
    """

    def __init__(self, row: int, low: float, high: float) -> None:
        self.row, self.low, self.high = row, low, high

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, resident: Resident | None, owner: type) -> float:
        if resident is None:
            return self  # type: ignore[return-value]
        return float(resident.model.block.state.reals[self.row, resident.number, 0])

    def __set__(self, resident: Resident, value: float) -> None:
        if not self.low <= value <= self.high:
            raise UsageError(
                f"resident {resident.number}: {self.name}: found {value}; allowed are numbers from "
                f"{self.low:g} to {self.high:g}"
            )
        resident._writable().state.reals[self.row, resident.number, 0] = value


class Threshold(Real):
    """The threshold: it cannot be written where thresholds are compared as whole numbers."""

    def __set__(self, resident: Resident, value: float) -> None:
        if resident.model.block.rules.decision == a.WHOLE:
            raise UsageError(
                f"resident {resident.number}: threshold: this scenario compares thresholds as whole numbers "
                "(docs/odd.md, 7.6), fixed when the community is built; give them in the scenario"
            )
        if not np.isfinite(value):
            raise UsageError(
                f"resident {resident.number}: threshold: found {value}; allowed are finite numbers"
            )
        resident._writable().state.reals[self.row, resident.number, 0] = value


class Flag:
    """An attribute that is one bit of the flags.

    Parameters
    ----------
    bit : the bit of `State.flags`.
    """

    def __init__(self, bit: int) -> None:
        self.bit = bit

    def __get__(self, resident: Resident | None, owner: type) -> bool:
        if resident is None:
            return self  # type: ignore[return-value]
        return resident._has(self.bit)

    def __set__(self, resident: Resident, value: bool) -> None:
        resident._mark(self.bit, value)


class Known:
    """An attribute that exists only while agents are asked: an array of the week's preview."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, agent: Resident | Organization | None, owner: type) -> Any:
        if agent is None:
            return self
        return agent._known(self.name, self.name)


def writable(model: MobilizationModel, who: str) -> Block:
    """Return the arrays, unless agents are being asked.

    Parameters
    ----------
    model : the model.
    who : the agent that is written, for the error.
    """
    if model.known is not None:
        raise UsageError(
            f"{who}: an agent that is asked to decide reads, it does not write; return the decision, and "
            "change agents between two steps"
        )
    return model.block


def keyed_uniform(model: MobilizationModel, entity: int, stream: int, word: int) -> float:
    """Return one of the four random numbers of an entity, in this week, for a stream.

    Parameters
    ----------
    model : the model.
    entity : number of the resident or organization.
    stream : what the number is for (docs/odd.md, 6).
    word : which number, 0 to 3.
    """
    if word not in (0, 1, 2, 3):
        raise UsageError(f"uniform: word: found {word}; allowed are 0, 1, 2 and 3")
    if not 0 <= stream < 2**32:
        raise UsageError(f"uniform: stream: found {stream}; allowed are whole numbers from 0 on")
    return float(draw_uniform(entity, model.current_week, stream, word, model.block.keys))


def is_engaged(model: MobilizationModel, last: np.int32) -> bool:
    """Say whether an engagement still counts in the model's week.

    Parameters
    ----------
    model : the model.
    last : week of the last engagement, as the arrays have it.
    """
    return model.week - int(last) < model.block.rules.engagement_weeks


def week_or_none(last: np.int32) -> int | None:
    """Return the week of an engagement, None for never.

    Parameters
    ----------
    last : week of the last engagement, as the arrays have it.
    """
    return None if last == a.NEVER_ENGAGED else int(last)


def past_week(who: str, block: Block, value: int | None) -> int:
    """Return the week of an engagement as the arrays have it, or refuse one that has not been.

    Parameters
    ----------
    who : the agent, for the error.
    block : the arrays.
    value : a week that has been run, or None for never.
    """
    if value is None:
        return a.NEVER_ENGAGED
    now = block.week - 1
    try:
        week = index(value)
    except TypeError:
        week = now + 1
    if not a.NEVER_ENGAGED < week <= now:
        raise UsageError(
            f"{who}: last_engaged: found {value!r}; allowed are None and whole numbers up to {now}, the week "
            "that was run last"
        )
    return week
