"""Residents, leaders and organizations as Mesa agents: views on rows of the model's arrays.

An agent keeps no state of its own. Reading an attribute reads the array, writing one writes it, so the
arrays, the agents and the records always agree.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import numpy.typing as npt

from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.preview import Preview, draw_uniform
from mobsim.kernels.streams import DECIDE

if TYPE_CHECKING:
    from mobsim.engine.block import Block
    from mobsim.mesa_model.model import MobilizationModel

OPPOSED, NEUTRAL, SUPPORTIVE = -1, 0, 1
"""Stances and leanings of leaders."""

MOST_APPEAL = 1e6
"""Appeal beyond this is refused: doses are around 1."""


class _NoCounter:
    """Stands where Mesa 3.3 counts agents by model, which would keep every model in memory for good.

    Our agents number themselves.
    """

    def __getitem__(self, model: object) -> repeat[int]:
        return repeat(0)


class _Real:
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


class _Threshold(_Real):
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


class _Flag:
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


class _Known:
    """An attribute that exists only while agents are asked: an array of the week's preview."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, resident: Resident | None, owner: type) -> Any:
        if resident is None:
            return self
        return getattr(resident._preview(self.name), self.name)[resident.number].item()


class Resident(mesa.Agent):  # type: ignore[misc]
    """A resident: one row of the state.

    Override `decide` to give residents a way of deciding of their own.

    Parameters
    ----------
    model : the model.
    number : which resident, from 0; `unique_id` is one more.

    Attributes
    ----------
    capability, ownership, trust : in [0, 1].
    start_capability : where capability returns to, in [0, 1].
    appeal : 0 or more.
    threshold : what readiness must overcome.
    contacted : whether ever reached by a visit, meeting, skills or leader unit since week 0.
    exposure, readiness, chance : E, V and the rule's own chance to participate; known while agents are asked.
    tellers, participating_tellers : how many tell the resident this week, and how many of them do so as
        participants; known while agents are asked.
    """

    _ids = _NoCounter()
    model: MobilizationModel
    unique_id: int

    capability = _Real(a.CAPABILITY, 0.0, 1.0)
    start_capability = _Real(a.START_CAPABILITY, 0.0, 1.0)
    ownership = _Real(a.OWNERSHIP, 0.0, 1.0)
    trust = _Real(a.TRUST, 0.0, 1.0)
    appeal = _Real(a.APPEAL, 0.0, MOST_APPEAL)
    threshold = _Threshold(a.THRESHOLD, -np.inf, np.inf)
    contacted = _Flag(a.CONTACTED)
    exposure = _Known()
    readiness = _Known()
    chance = _Known()
    tellers = _Known()
    participating_tellers = _Known()

    def __init__(self, model: MobilizationModel, number: int) -> None:
        super().__init__(model)
        self.number = number
        self.unique_id = number + 1
        self._neighbours: tuple[Resident, ...] | None = None

    def decide(self) -> bool:
        """Propose whether to participate this week; here: what the rules of docs/odd.md, 7.6 propose.

        All agents are asked before any decision is carried out, so their order does not matter. A resident
        who is not aware, or a leader who is opposed, does not participate whatever the proposal; where the
        scenario is irreversible, a participant stays.
        """
        return bool(self._preview("decide").proposal[self.number])

    def uniform(self, stream: int = DECIDE, word: int = 0) -> float:
        """Return this resident's random number of the week, in [0, 1), the same however often it is asked.

        Parameters
        ----------
        stream : what the number is for (docs/odd.md, 6). `WEEK` gives the numbers that the rules use: with
            word 1 a class of one's own shares its luck with the rule it replaces.
        word : which of the stream's four numbers, 0 to 3.
        """
        if word not in (0, 1, 2, 3):
            raise UsageError(f"uniform: word: found {word}; allowed are 0, 1, 2 and 3")
        if not 0 <= stream < 2**32:
            raise UsageError(f"uniform: stream: found {stream}; allowed are whole numbers from 0 on")
        block = self.model.block
        return float(draw_uniform(self.number, self.model.current_week, stream, word, block.keys))

    @property
    def aware(self) -> bool:
        """Whether the resident knows of the campaign's cause; while agents are asked, whether after phase 4b.

        Writing False ends participation too: participants are always aware.
        """
        preview = self.model.preview
        if preview is not None:
            return bool(preview.aware[self.number])
        return self._has(a.AWARE)

    @aware.setter
    def aware(self, value: bool) -> None:
        was_aware = self._has(a.AWARE)
        block = self._mark(a.AWARE, value)
        if value and not was_aware:
            block.state.told_week[self.number, 0] = block.week - 1
        if not value:
            self._mark(a.PARTICIPATING | a.NEVER_LEFT, False)

    @property
    def participating(self) -> bool:
        """Whether the resident takes part; writing True makes aware too."""
        return self._has(a.PARTICIPATING)

    @participating.setter
    def participating(self, value: bool) -> None:
        if value:
            self._refuse_opposed()
            self.aware = True
            self._mark(a.PARTICIPATING, True)
        else:
            self._mark(a.PARTICIPATING | a.NEVER_LEFT, False)

    @property
    def told_week(self) -> int:
        """The week in which the resident last became aware."""
        return int(self.model.block.state.told_week[self.number, 0])

    @told_week.setter
    def told_week(self, value: int) -> None:
        now = self.model.block.week - 1
        if not -(2**30) < value <= now or value != int(value):
            raise UsageError(
                f"resident {self.number}: told_week: found {value}; allowed are whole numbers up to {now}, "
                "the week that was run last"
            )
        self._writable().state.told_week[self.number, 0] = value
        self.model.flags_changed = True

    @property
    def group(self) -> str:
        """Name of the resident's group."""
        community = self.model.community
        return community.group_names[int(community.group[self.number])]

    @property
    def neighbourhood(self) -> int:
        """Number of the neighbourhood."""
        return int(self.model.community.neighbourhood[self.number])

    @property
    def influence(self) -> float:
        """Weight in the exposure of others; 1 for ordinary residents."""
        return int(self.model.community.influence[self.number]) / 8.0

    @property
    def is_leader(self) -> bool:
        """Whether the resident has the role of a leader."""
        return bool(self.model.community.is_leader[self.number])

    @property
    def neighbours(self) -> tuple[Resident, ...]:
        """Those who influence the resident; in a well-mixed community everybody else."""
        if self.model.community.well_mixed:
            return tuple(self.model.residents(self.neighbour_numbers))
        if self._neighbours is None:  # ties never change: looked up once, read every week
            self._neighbours = tuple(self.model.residents(self.neighbour_numbers))
        return self._neighbours

    @property
    def neighbour_numbers(self) -> npt.NDArray[np.int64]:
        """Numbers of those who influence the resident, ascending."""
        community = self.model.community
        if community.well_mixed:
            return np.delete(np.arange(community.n_residents), self.number)
        first, end = community.row_start[self.number], community.row_start[self.number + 1]
        return community.neighbours[first:end].astype(np.int64)

    @property
    def organization(self) -> Organization | None:
        """The organization that the resident is a member of, or None."""
        index = int(self.model.community.member_of[self.number])
        return self.model.organizations[index] if index >= 0 else None

    def _has(self, bit: int) -> bool:
        return bool(self.model.block.state.flags[self.number, 0] & bit)

    def _mark(self, bits: int, value: bool) -> Block:
        """Set or clear bits of the flags."""
        block = self._writable()
        flags = int(block.state.flags[self.number, 0])
        block.state.flags[self.number, 0] = flags | bits if value else flags & ~bits
        self.model.flags_changed = True
        return block

    def _writable(self) -> Block:
        """Return the arrays, unless agents are being asked."""
        if self.model.preview is not None:
            raise UsageError(
                f"resident {self.number}: decide reads, it does not write; return True or False, and change "
                "agents between two steps"
            )
        return self.model.block

    def _preview(self, name: str) -> Preview:
        """Return what is known while agents are asked."""
        preview = self.model.preview
        if preview is None:
            raise UsageError(
                f"resident {self.number}: {name} exists only inside decide, while agents are asked"
            )
        return preview

    def _refuse_opposed(self) -> None:
        """Refuse what the resident's role does not allow; ordinary residents may participate."""


class Leader(Resident):
    """A resident with the role of a leader: the same person, the same row.

    Attributes
    ----------
    trained : whether the leader has been trained since week 0.
    """

    trained = _Flag(a.TRAINED)

    @property
    def leaning(self) -> int:
        """What the leader is inclined to: -1 opposed, 0 neutral, 1 supportive."""
        return int(self.model.community.leaning[self.number])

    @property
    def stance(self) -> int:
        """What the leader stands for in public: -1 opposed, 0 neutral, 1 supportive; first the leaning.

        Writing -1 ends participation: an opposed leader does not take part.
        """
        residents = self.model.block.residents
        place = int(np.searchsorted(residents.special, self.number))
        listed = place < residents.special.size and residents.special[place] == self.number
        return int(residents.stance[place, 0]) if listed else NEUTRAL

    @stance.setter
    def stance(self, value: int) -> None:
        if value not in (OPPOSED, NEUTRAL, SUPPORTIVE):
            raise UsageError(f"resident {self.number}: stance: found {value}; allowed are -1, 0 and 1")
        block = self._writable()
        self.model.list_all_stances()
        place = int(np.searchsorted(block.residents.special, self.number))
        block.residents.stance[place, 0] = value
        self.model.flags_changed = True
        if value == OPPOSED:
            self.participating = False

    def _refuse_opposed(self) -> None:
        if self.stance == OPPOSED:
            raise UsageError(
                f"resident {self.number}: an opposed leader does not participate; set stance to 0 or 1 first"
            )


class Organization(mesa.Agent):  # type: ignore[misc]
    """An organization of the community, as the scenario describes it.

    Parameters
    ----------
    model : the model.
    index : which organization of the scenario, from 0.
    """

    _ids = _NoCounter()
    model: MobilizationModel
    unique_id: int

    def __init__(self, model: MobilizationModel, index: int) -> None:
        super().__init__(model)
        self.index = index
        self.unique_id = model.community.n_residents + index + 1

    @property
    def name(self) -> str:
        """Its name in the scenario."""
        return self.model.community.organization_names[self.index]

    @property
    def type(self) -> str:
        """Kind of organization: cbo, ngo, government, private or donor."""
        return self.model.resolved.community.organizations[self.index].type

    @property
    def influence(self) -> float:
        """Weight in the coalition."""
        return float(self.model.community.org_influence[self.index])

    @property
    def interest(self) -> float:
        """Interest in the campaign, -1 to 1."""
        return float(self.model.community.interest[self.index])

    @property
    def capacity(self) -> float:
        """Delivery capacity, 0 to 1."""
        return float(self.model.community.capacity[self.index])

    @property
    def credibility(self) -> dict[str, float]:
        """Credibility in each group, 0 to 1."""
        community = self.model.community
        values = community.credibility[self.index]
        return {group: float(value) for group, value in zip(community.group_names, values, strict=True)}

    @property
    def resources(self) -> float:
        """Its own resources, in the scenario's currency."""
        spec = self.model.resolved.community.organizations[self.index]
        return spec.resources_per_1000 * self.model.community.n_residents / 1000.0

    @property
    def in_coalition(self) -> bool:
        """Whether it is in the campaign's coalition: the lead is."""
        return self.index == self.model.community.lead

    @property
    def member_numbers(self) -> npt.NDArray[np.int64]:
        """Numbers of the residents who are members, ascending."""
        return np.flatnonzero(self.model.community.member_of == self.index)

    @property
    def members(self) -> list[Resident]:
        """The residents who are members."""
        return self.model.residents(self.member_numbers)
