"""An organization as a Mesa agent: a view on its row of the engine's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
import numpy.typing as npt

from mobsim.errors import UsageError
from mobsim.kernels.deliberation import measure_coalition
from mobsim.kernels.delivery import set_doses
from mobsim.kernels.streams import ORGANIZATION_DECIDES
from mobsim.mesa_model.asking import MembershipPreview
from mobsim.mesa_model.attributes import (
    Known,
    NoCounter,
    is_engaged,
    keyed_uniform,
    past_week,
    week_or_none,
    writable,
)

if TYPE_CHECKING:
    from mobsim.engine.block import Block
    from mobsim.mesa_model.agents import Resident
    from mobsim.mesa_model.model import MobilizationModel


class Organization(mesa.Agent):  # type: ignore[misc]
    """An organization of the community: one row of the engine's arrays of organizations.

    Override `decide` to give organizations a way of joining the coalition.

    Parameters
    ----------
    model : the model.
    index : which organization of the scenario, from 0.

    Attributes
    ----------
    chance : the rule's own chance to be in the coalition; known while organizations are asked.
    """

    _ids = NoCounter()
    model: MobilizationModel
    unique_id: int

    chance = Known()

    def __init__(self, model: MobilizationModel, index: int) -> None:
        super().__init__(model)
        self.index = index
        self.unique_id = model.community.n_residents + index + 1

    def decide(self) -> bool:
        """Propose whether to be in the coalition; here: what the rule of docs/odd.md, 7.13 proposes.

        Asked every `decision_interval_weeks`, in burn-in too, at the same moment as leaders: all are asked
        before anything is written. The lead always stays in the coalition and is not asked.
        """
        return bool(self._known("proposed_member", "decide"))

    def uniform(self, stream: int = ORGANIZATION_DECIDES, word: int = 1) -> float:
        """Return this organization's random number of the week, in [0, 1), however often it is asked.

        Parameters
        ----------
        stream : what the number is for (docs/odd.md, 6).
        word : which of the stream's four numbers. Of `ORGANIZATION_DECIDES`, 0 is the number that the rule
            uses, by which a class shares its luck with the rule it replaces; 1 to 3 are free.
        """
        return keyed_uniform(self.model, self.index, stream, word)

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
        return float(self.model.block.organizations.interest[self.index, 0])

    @interest.setter
    def interest(self, value: float) -> None:
        block = self._writable()
        block.organizations.interest[self.index, 0] = self._within("interest", value, -1.0)

    @property
    def capacity(self) -> float:
        """Delivery capacity, 0 to 1; what it delivers from now on has the doses of a capacity written."""
        return float(self.model.block.organizations.capacity[self.index, 0])

    @capacity.setter
    def capacity(self, value: float) -> None:
        block = self._writable()
        block.organizations.capacity[self.index, 0] = self._within("capacity", value, 0.0)
        if block.week >= 0:  # at the end of burn-in the doses are worked out anyway
            set_doses(0, 0, block.rules, block.plans.kernel, block.purse, block.organizations)

    @property
    def credibility(self) -> dict[str, float]:
        """Credibility in each group, 0 to 1."""
        community = self.model.community
        values = community.credibility[self.index]
        return {group: float(value) for group, value in zip(community.group_names, values, strict=True)}

    @property
    def resources(self) -> float:
        """Its own resources at present, in the scenario's currency."""
        return int(self.model.block.organizations.resources[self.index, 0]) / 100.0

    @property
    def is_lead(self) -> bool:
        """Whether it leads the campaign."""
        return self.index == self.model.community.lead

    @property
    def in_coalition(self) -> bool:
        """Whether it is in the campaign's coalition: the lead always is."""
        return bool(self.model.block.organizations.member[self.index, 0])

    @in_coalition.setter
    def in_coalition(self, value: bool) -> None:
        block = self._writable()
        if self.is_lead and not value:
            raise UsageError(f"organization {self.name}: in_coalition: the lead stays in the coalition")
        block.organizations.member[self.index, 0] = bool(value)
        measure_coalition(block.organizations)

    @property
    def engaged(self) -> bool:
        """Whether engaged by the coalition within the last `engagement_weeks`."""
        return is_engaged(self.model, self.model.block.organizations.engaged[self.index, 0])

    @property
    def last_engaged(self) -> int | None:
        """The week of the last engagement; None if there was none."""
        return week_or_none(self.model.block.organizations.engaged[self.index, 0])

    @last_engaged.setter
    def last_engaged(self, value: int | None) -> None:
        block = self._writable()
        past = past_week(f"organization {self.name}", block, value)
        block.organizations.engaged[self.index, 0] = past

    @property
    def member_numbers(self) -> npt.NDArray[np.int64]:
        """Numbers of the residents who are members, ascending."""
        return np.flatnonzero(self.model.community.member_of == self.index)

    @property
    def members(self) -> list[Resident]:
        """The residents who are members."""
        return self.model.residents(self.member_numbers)

    def _within(self, name: str, value: float, low: float) -> float:
        """Return a number that may be written, or refuse it."""
        if not low <= value <= 1.0:
            raise UsageError(
                f"organization {self.name}: {name}: found {value}; allowed are numbers from {low:g} to 1"
            )
        return value

    def _writable(self) -> Block:
        """Return the arrays, unless agents are being asked."""
        return writable(self.model, f"organization {self.name}")

    def _known(self, field: str, name: str) -> Any:
        """Return what is known of the organization while organizations are asked."""
        known = self.model.known
        if not isinstance(known, MembershipPreview):
            raise UsageError(
                f"organization {self.name}: {name} exists only inside decide, while organizations are asked"
            )
        return getattr(known, field)[self.index].item()
