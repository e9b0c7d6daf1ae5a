"""Residents and leaders as Mesa agents: views on rows of the model's arrays.

An agent keeps no state of its own. Reading an attribute reads the array, writing one writes it, so the
arrays, the agents and the records always agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import numpy.typing as npt

from mobsim.campaign.activity import activity_names
from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.preview import Preview
from mobsim.kernels.streams import DECIDE
from mobsim.mesa_model.asking import StancePreview
from mobsim.mesa_model.attributes import (
    Flag,
    Known,
    NoCounter,
    Real,
    Threshold,
    is_engaged,
    keyed_uniform,
    past_week,
    week_or_none,
    writable,
)
from mobsim.mesa_model.organization import Organization as Organization
from mobsim.scenario.scenario import NONE

if TYPE_CHECKING:
    from mobsim.engine.block import Block
    from mobsim.mesa_model.model import MobilizationModel

OPPOSED, NEUTRAL, SUPPORTIVE = -1, 0, 1
"""Stances and leanings of leaders."""

MOST_APPEAL = 1e6
"""Appeal beyond this is refused: doses are around 1."""


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
    exposure, readiness, chance : E, V and the rule's own chance to participate; known while residents are
        asked.
    tellers, participating_tellers : how many tell the resident this week, and how many of them do so as
        participants; known while residents are asked.
    """

    _ids = NoCounter()
    model: MobilizationModel
    unique_id: int

    capability = Real(a.CAPABILITY, 0.0, 1.0)
    start_capability = Real(a.START_CAPABILITY, 0.0, 1.0)
    ownership = Real(a.OWNERSHIP, 0.0, 1.0)
    trust = Real(a.TRUST, 0.0, 1.0)
    appeal = Real(a.APPEAL, 0.0, MOST_APPEAL)
    threshold = Threshold(a.THRESHOLD, -np.inf, np.inf)
    contacted = Flag(a.CONTACTED)
    exposure = Known()
    readiness = Known()
    chance = Known()
    tellers = Known()
    participating_tellers = Known()

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
        return bool(self._known("proposal", "decide"))

    def uniform(self, stream: int = DECIDE, word: int = 0) -> float:
        """Return this resident's random number of the week, in [0, 1), the same however often it is asked.

        Parameters
        ----------
        stream : what the number is for (docs/odd.md, 6). The four numbers of `DECIDE` are free for classes
            of one's own. Other streams give the numbers that the rules use, so that a class shares its luck
            with the rule it replaces: word 1 of `WEEK` decides on participation, word 0 of `LEADER_DECIDES`
            on a leader's stance (its words 1 to 3 are free).
        word : which of the stream's four numbers, 0 to 3.
        """
        return keyed_uniform(self.model, self.number, stream, word)

    @property
    def aware(self) -> bool:
        """Whether the resident knows of the campaign's cause; while residents are asked, after phase 4b.

        Writing False ends participation too: participants are always aware.
        """
        known = self.model.known
        if isinstance(known, Preview):
            return bool(known.aware[self.number])
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
    def organizer(self) -> bool:
        """Whether the resident organizes: makes contacts every week, until idle for four.

        Writing False ends it; an organizer made by hand starts without idle weeks.
        """
        return bool(self._roles() & a.ORGANIZER)

    @organizer.setter
    def organizer(self, value: bool) -> None:
        block = self._writable()
        if value == self.organizer:
            return
        if value and not block.rules.organizers:
            raise UsageError(
                f"resident {self.number}: organizer: this scenario has no organizers; give it an "
                "organizer_start above 0"
            )
        kept = self._roles() & a.ORGANIZER_AT_END
        block.state.roles[self.number, 0] = kept | (a.ORGANIZER if value else 0)
        self.model.flags_changed = True

    @property
    def weeks_idle(self) -> int:
        """Weeks in a row that an organizer has not participated, 0 to 3; 0 for others."""
        return (self._roles() & a.IDLE) >> a.IDLE_SHIFT

    @property
    def stipend(self) -> bool:
        """Whether the organizer gets a stipend this week; True only while residents are asked."""
        return bool(self._roles() & a.STIPEND)

    @property
    def last_activity(self) -> str | None:
        """The line of the arm whose dose came last.

        None if none came yet, and in arms without a survey, where nobody asks and it is not kept.
        """
        last = self.model.block.state.last
        line = int(last[self.number, 0]) if last.size else 0
        if line == 0 or self.model.arm == NONE:
            return None
        return activity_names(self.model.resolved.arms[self.model.arm].activities)[line - 1]

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

    def _roles(self) -> int:
        return int(self.model.block.state.roles[self.number, 0])

    def _writable(self) -> Block:
        """Return the arrays, unless agents are being asked."""
        return writable(self.model, f"resident {self.number}")

    def _known(self, field: str, name: str) -> Any:
        """Return what is known of the resident while residents are asked; `name` is for the error."""
        known = self.model.known
        if not isinstance(known, Preview):
            raise UsageError(
                f"resident {self.number}: {name} exists only inside decide, while residents are asked"
            )
        return getattr(known, field)[self.number].item()

    def _refuse_opposed(self) -> None:
        """Refuse what the resident's role does not allow; ordinary residents may participate."""


class Leader(Resident):
    """A resident with the role of a leader: the same person, the same row.

    Override `decide_stance` to give leaders a way of choosing their stance.

    Attributes
    ----------
    trained : whether the leader has been trained since week 0.
    exposure : E of the leader; known while residents are asked, and anew while leaders are asked.
    chance_up, chance_down : the rule's own chances of moving the stance one step up, one step down; known
        while leaders are asked.
    """

    trained = Flag(a.TRAINED)
    chance_up = Known()
    chance_down = Known()

    def __init__(self, model: MobilizationModel, number: int) -> None:
        super().__init__(model, number)
        self._place = int(model.block.residents.leader_place[number])

    def decide_stance(self) -> int:
        """Propose the stance from now on, -1, 0 or 1; here: what the rule of docs/odd.md, 7.13 proposes.

        Asked every `decision_interval_weeks`, in burn-in too, after residents have decided. All leaders are
        asked before any stance is written. The rule moves one step at a time; a proposal may move two. Who
        becomes opposed stops participating at once.
        """
        return int(self._known("proposed_stance", "decide_stance"))

    @property
    def leaning(self) -> int:
        """What the leader is inclined to: -1 opposed, 0 neutral, 1 supportive."""
        return int(self.model.community.leaning[self.number])

    @property
    def stance(self) -> int:
        """What the leader stands for in public: -1 opposed, 0 neutral, 1 supportive; first the leaning.

        Writing -1 ends participation: an opposed leader does not take part.
        """
        return int(self.model.block.leaders.stance[self._place, 0])

    @stance.setter
    def stance(self, value: int) -> None:
        if value not in (OPPOSED, NEUTRAL, SUPPORTIVE):
            raise UsageError(f"resident {self.number}: stance: found {value}; allowed are -1, 0 and 1")
        self._writable().leaders.stance[self._place, 0] = value
        self.model.flags_changed = True
        if value == OPPOSED:
            self.participating = False

    @property
    def engaged(self) -> bool:
        """Whether trained or engaged by the coalition within the last `engagement_weeks`."""
        return is_engaged(self.model, self.model.block.leaders.engaged[self._place, 0])

    @property
    def last_engaged(self) -> int | None:
        """The week of the last training or engagement; None if there was none."""
        return week_or_none(self.model.block.leaders.engaged[self._place, 0])

    @last_engaged.setter
    def last_engaged(self, value: int | None) -> None:
        block = self._writable()
        block.leaders.engaged[self._place, 0] = past_week(f"resident {self.number}", block, value)

    def _known(self, field: str, name: str) -> Any:
        """Return what is known of the leader, while residents or leaders are asked."""
        known = self.model.known
        if isinstance(known, StancePreview) and field in StancePreview._fields:
            return getattr(known, field)[self._place].item()
        if field in StancePreview._fields and field not in Preview.__dataclass_fields__:
            raise UsageError(
                f"resident {self.number}: {name} exists only inside decide_stance, while leaders are asked"
            )
        return super()._known(field, name)

    def _refuse_opposed(self) -> None:
        if self.stance == OPPOSED:
            raise UsageError(
                f"resident {self.number}: an opposed leader does not participate; set stance to 0 or 1 first"
            )
