"""The model as a Mesa model: one arm on one community with one luck, week by week.

It runs the engine's own kernels on a block of one lane; agents are views on its arrays. Only agents of a
class that overrides `decide`, or `decide_stance`, are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from operator import index
from pathlib import Path
from typing import Any, ClassVar

import mesa
import numpy as np

from mobsim.community.community import Community
from mobsim.engine.block import NOBODY_FORCED, Block
from mobsim.engine.block_records import BlockRecords
from mobsim.engine.records import AWARE, CONTACTED, ORGANIZING, PARTICIPATING, Records
from mobsim.engine.run import (
    Recorder,
    build,
    chosen_arms,
    join_records,
    replicate_numbers,
)
from mobsim.errors import UsageError, nearest
from mobsim.kernels import arrays as a
from mobsim.kernels.deliberation import UNDECIDED, decides
from mobsim.kernels.preview import Preview, empty_preview, preview_week
from mobsim.mesa_model.agents import OPPOSED, SUPPORTIVE, Leader, Resident
from mobsim.mesa_model.asking import (
    MembershipPreview,
    StancePreview,
    preview_memberships,
    preview_stances,
    stance_of,
    yes_or_no,
)
from mobsim.mesa_model.organization import Organization
from mobsim.scenario.file import load_scenario
from mobsim.scenario.scenario import NONE, Scenario

MOST_AGENTS = 10_000
"""Up to so many residents all agents are made at once; above, leaders, and residents when asked for."""

COUNTED = {
    "aware": AWARE,
    "participation": PARTICIPATING,
    "contacted": CONTACTED,
    "organizers": ORGANIZING,
}
"""Shares of residents by the name of their column in the tables, and their column in the counts."""


OTHER_COLUMNS = (
    "results",
    "wins",
    "coalition",
    "supportive",
    "opposed",
    "contacts_by_organizers",
    "spent",
    "spent_local",
    "local_income",
)
"""Attributes of the model that are columns of the weekly table."""


class MobilizationModel(mesa.Model):  # type: ignore[misc]
    """One arm of a scenario on one community with one luck; `step()` is one campaign week.

    Construction builds the community and runs the burn-in. Every number equals the batch engine's, bit for
    bit, unless a class overrides `decide` or `decide_stance`, or attributes are written by hand.

    Parameters
    ----------
    scenario : a `Scenario`, a path, or the name of a scenario that comes with mobsim.
    arm : name of the strategy, or none.
    community : number of the community, from 0, or one that was built already.
    luck : number of the luck, from 0.
    seed : instead of the scenario's seed.
    resident_class, leader_class, organization_class : classes of the agents; none: the attributes of the
        model's class with these names, which a subclass may set.

    Attributes
    ----------
    resolved : the scenario with every default (Mesa keeps something of its own under `scenario`).
    community, arm, luck : what runs.
    organizations : the organizations as agents, in the order of the scenario.
    datacollector : collects once a week; its columns are those of `Records.weeks()`. May be replaced.
    running : False once the horizon is reached.

    Examples
    --------
    >>> from mobsim.scenario.resolve import resolve
    >>> scenario = resolve({"schema_version": 2, "title": "A village", "description": "Only an example."})
    >>> model = MobilizationModel(scenario)
    >>> model.step()
    >>> model.week, len(model.agents_by_type[Leader])
    (0, 50)
    """

    resident_class: ClassVar[type[Resident]] = Resident
    leader_class: ClassVar[type[Leader]] = Leader
    organization_class: ClassVar[type[Organization]] = Organization

    def __init__(
        self,
        scenario: Scenario | str | Path,
        arm: str = NONE,
        community: int | Community = 0,
        luck: int = 0,
        seed: int | None = None,
        resident_class: type[Resident] | None = None,
        leader_class: type[Leader] | None = None,
        organization_class: type[Organization] | None = None,
    ) -> None:
        resolved = _scenario(scenario, seed)
        super().__init__(rng=resolved.seed)
        if not isinstance(arm, str):
            raise UsageError(f"arm: found {arm!r}; allowed is the name of an arm")
        (self.arm,) = chosen_arms(resolved, [arm])
        self.luck = _number("luck", luck)
        self.resolved = resolved
        self.community = _community(resolved, community)
        self.block = Block(resolved, self.community, [self.arm], [self.luck])
        self.known: Preview | StancePreview | MembershipPreview | None = None
        self.flags_changed = False
        self._recorder = Recorder(self.block)
        self._scratch = empty_preview(0)
        self._classes = (
            _agent_class("resident_class", resident_class or self.resident_class, Resident),
            _agent_class("leader_class", leader_class or self.leader_class, Leader),
        )
        self._views: dict[int, Resident] = {}
        self.organizations: list[Organization] = []
        self._asked: list[Resident] = []
        self._asked_for_stance: list[Leader] = []
        self._asked_for_membership: list[Organization] = []
        self._make_agents(
            _agent_class("organization_class", organization_class or self.organization_class, Organization)
        )
        self.datacollector = mesa.DataCollector(model_reporters=self._reporters())
        self._burn_in()

    # --- Running

    def step(self) -> None:
        """Run one campaign week and collect its data.

        Raises
        ------
        UsageError : after the last week of the scenario.
        """
        if self.block.week >= self.block.horizon:
            raise UsageError(
                f"the scenario ends with week {self.block.horizon - 1}: there is no week "
                f"{self.block.week} to run; step while model.running"
            )
        self._run_week()
        self._recorder.observe()
        self.running = self.block.week < self.block.horizon
        self.datacollector.collect(self)

    def _burn_in(self) -> None:
        """Run the weeks before week 0: at once, or week by week where agents are asked."""
        while self.block.week < 0:
            if self._asks:
                self._run_week()
            else:
                self.block.advance(0)

    def _run_week(self) -> None:
        """Run one week, and ask the agents that decide for themselves."""
        self._settle()
        if not self._asks:
            self.block.advance(self.block.week + 1)
            return
        self.block.open_week()
        self.block.live_week(self._ask_residents())
        self.block.close_week(self._ask_leaders(), self._ask_organizations())

    @property
    def _asks(self) -> bool:
        """Whether some agents decide for themselves."""
        return bool(self._asked or self._asked_for_stance or self._asked_for_membership)

    def _settle(self) -> None:
        """Bring the counts and what neighbours see in line with what was written by hand."""
        if self.flags_changed:
            self.block.rewrite_words()
            self.flags_changed = False

    def _ask_residents(self) -> a.Int8:
        """Ask residents whether to participate; return (N, 1) their proposals, -1 for everybody else."""
        if not self._asked:
            return NOBODY_FORCED
        block, known = self.block, self._scratch
        preview_week(
            block.week,
            block.ties,
            block.residents,
            block.leaders,
            block.rules,
            block.keys,
            block.state,
            known,
        )
        proposals = np.full((self.community.n_residents, 1), -1, np.int8)
        with self._asking(known):
            for agent in self._asked:
                proposals[agent.number, 0] = yes_or_no(agent, agent.decide())
        return proposals

    def _ask_leaders(self) -> a.Int8:
        """Ask leaders for their stances in a deciding week; return (S, 1) their proposals."""
        block = self.block
        if not self._asked_for_stance or not decides(block.week, block.rules):
            return NOBODY_FORCED
        proposals = np.full(block.leaders.stance.shape, UNDECIDED, np.int8)
        with self._asking(preview_stances(block)):
            for leader in self._asked_for_stance:
                place = block.residents.leader_place[leader.number]
                proposals[place, 0] = stance_of(leader, leader.decide_stance())
        return proposals

    def _ask_organizations(self) -> a.Int8:
        """Ask organizations whether to be in the coalition in a deciding week; return (K, 1) proposals."""
        block = self.block
        if not self._asked_for_membership or not decides(block.week, block.rules):
            return NOBODY_FORCED
        proposals = np.full(block.organizations.member.shape, UNDECIDED, np.int8)
        with self._asking(preview_memberships(block)):
            for organization in self._asked_for_membership:
                proposals[organization.index, 0] = yes_or_no(organization, organization.decide())
        return proposals

    @contextmanager
    def _asking(self, known: Preview | StancePreview | MembershipPreview) -> Iterator[None]:
        """Let agents see what is known, and write nothing, while they are asked."""
        self.known = known
        try:
            yield
        finally:
            self.known = None

    # --- Looking

    @property
    def week(self) -> int:
        """The week that was run last, -1 after burn-in; while agents are asked, the week they decide on."""
        return self.block.week if self.known is not None else self.block.week - 1

    @property
    def current_week(self) -> int:
        """The week whose random numbers agents draw: the one they decide on, or the next to be run."""
        return self.block.week

    @property
    def participation(self) -> float:
        """Share of residents who participate (F)."""
        return self.share("participation")

    @property
    def awareness(self) -> float:
        """Share of residents who are aware."""
        return self.share("aware")

    @property
    def results(self) -> float:
        """Visible results of participation, z."""
        return float(self.block.state.results[0])

    @property
    def wins(self) -> int:
        """Policy wins that stand, v."""
        return int(self.block.state.wins[0])

    @property
    def organizers(self) -> float:
        """Share of residents who organize."""
        return self.share("organizers")

    @property
    def coalition(self) -> float:
        """Influence-weighted share of organizations in the coalition (C)."""
        return float(self.block.organizations.coalition[0])

    @property
    def coalition_start(self) -> float:
        """C at the start of the campaign; during burn-in, at the start of burn-in."""
        return float(self.block.organizations.coalition_start[0])

    @property
    def supportive(self) -> float:
        """Share of leaders who are supportive; NaN without leaders."""
        return self._share_of_leaders(SUPPORTIVE)

    @property
    def opposed(self) -> float:
        """Share of leaders who are opposed; NaN without leaders."""
        return self._share_of_leaders(OPPOSED)

    @property
    def contacts_by_organizers(self) -> int:
        """Contacts that organizers made in the week that was run last; 0 before week 0."""
        return int(self._last_week(self.block.tally.contacts))

    @property
    def spent(self) -> float:
        """Money spent in the week that was run last, external and local, in the scenario's currency."""
        cents = int(self._last_week(self.block.tally.cents) + self._last_week(self.block.tally.local))
        if self.block.week - 1 == self.resolved.campaign.funding_starts_week:
            cents += int(self.block.plans.maps[0])
        return cents / 100.0

    @property
    def spent_local(self) -> float:
        """Local money spent in the week that was run last, in the scenario's currency."""
        return self._last_week(self.block.tally.local) / 100.0

    @property
    def local_income(self) -> float:
        """Local money that came in in the week that was run last, in the scenario's currency."""
        return self._last_week(self.block.tally.income) / 100.0

    def _last_week(self, tallied: a.Int64) -> int:
        """Return the sum of what was tallied (weeks, 1, ...) in the week that was run last."""
        week = self.block.week - 1
        return int(tallied[week, 0].sum()) if week >= 0 else 0

    def _share_of_leaders(self, stance: int) -> float:
        """Return the share of leaders who have a stance."""
        stances = self.block.leaders.stance
        return float((stances == stance).sum() / stances.size) if stances.size else float("nan")

    def share(self, what: str, group: str = "all") -> float:
        """Return a share of the residents, or of one group; NaN for an empty group.

        Parameters
        ----------
        what : aware, participation, contacted, or organizers.
        group : a group's name, or all.
        """
        if what not in COUNTED:
            raise UsageError(f"share: found {what}; allowed are {', '.join(COUNTED)}{nearest(what, COUNTED)}")
        names = self.community.group_names
        if group != "all" and group not in names:
            raise UsageError(f"share: group {group!r} does not exist{nearest(group, names)}")
        self._settle()
        counts = self.block.counts[0, :, COUNTED[what]]
        sizes = np.bincount(self.community.group, minlength=len(names))
        if group == "all":
            return float(counts.sum() / sizes.sum())
        place = names.index(group)
        return float(counts[place] / sizes[place]) if sizes[place] else float("nan")

    def residents(self, numbers: Iterable[int] | None = None) -> list[Resident]:
        """Return residents as agents, leaders among them; those that had no agent get one and keep it.

        Parameters
        ----------
        numbers : which residents, from 0; none: all.
        """
        n = self.community.n_residents
        wanted = range(n) if numbers is None else [_number("residents", number) for number in numbers]
        if wanted and max(wanted) >= n:
            raise UsageError(f"residents: found {max(wanted)}; allowed are whole numbers from 0 to {n - 1}")
        return [self._view(number) for number in wanted]

    # --- Results

    def records(self) -> Records:
        """Return the records of this run, as `simulate` gives them.

        Raises
        ------
        UsageError : before the last week has been run.
        """
        return join_records(self.resolved, [self._finished()], [self.arm])

    @classmethod
    def simulate(
        cls,
        scenario: Scenario,
        *,
        arms: Sequence[str] | None = None,
        communities: int | Sequence[int] | None = None,
        luck: int | Sequence[int] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Records:
        """Run arms of a scenario over communities and luck with this class, one run after the other.

        Parameters
        ----------
        scenario : the resolved scenario.
        arms : names of arms; none: all arms and the no-campaign arm.
        communities, luck : numbers of replicates to run, or how many; none: as the scenario says.
        progress : called with (runs done, all runs) after every run.

        Returns
        -------
        Records
            ordered by arm, community, luck.
        """
        chosen = chosen_arms(scenario, arms)
        community_numbers = replicate_numbers("communities", communities, scenario.replicates.communities)
        luck_numbers = replicate_numbers("luck", luck, scenario.replicates.luck)
        all_runs = len(chosen) * len(community_numbers) * len(luck_numbers)
        done = []
        for number in community_numbers:
            community = build(scenario, number)
            for k in luck_numbers:
                for arm in chosen:
                    model = cls(scenario, arm=arm, community=community, luck=k)
                    model.run_model()
                    done.append(model._finished())
                    if progress is not None:
                        progress(len(done), all_runs)
        return join_records(scenario, done, chosen)

    def _finished(self) -> BlockRecords:
        """Return what this run recorded."""
        if self.block.week < self.block.horizon:
            raise UsageError(
                f"{type(self).__name__}: the run stands at week {self.week}; records need all weeks up to "
                f"{self.block.horizon - 1}"
            )
        return self._recorder.records()

    # --- Agents

    def _make_agents(self, organization_class: type[Organization]) -> None:
        """Make the agents, and note those that are asked for their decisions."""
        community = self.community
        asks_residents, asks_leaders = (made.decide is not Resident.decide for made in self._classes)
        if community.n_residents <= MOST_AGENTS or asks_residents:
            made = [self._view(number) for number in range(community.n_residents)]
        else:
            made = [self._view(int(number)) for number in np.flatnonzero(community.is_leader)]
        self.organizations += [organization_class(self, k) for k in range(len(community.organization_names))]
        self._asked += [agent for agent in made if (asks_leaders if agent.is_leader else asks_residents)]
        if self._asked:
            self._scratch = empty_preview(community.n_residents)
        self._asked_for_stance += [
            agent
            for agent in made
            if isinstance(agent, Leader) and type(agent).decide_stance is not Leader.decide_stance
        ]
        if organization_class.decide is not Organization.decide:
            self._asked_for_membership += [one for one in self.organizations if not one.is_lead]

    def _view(self, number: int) -> Resident:
        """Return the agent of a resident, made when it is first needed."""
        if number not in self._views:
            kind = self._classes[int(self.community.is_leader[number])]
            self._views[number] = kind(self, number)
        return self._views[number]

    def _reporters(self) -> dict[str, Any]:
        """Return what the data collector reads every week: the columns of `Records.weeks()`."""
        reporters: dict[str, Any] = {"week": "week"}
        for what in COUNTED:
            reporters[what] = partial(_share, what=what, group="all")
            for group in self.community.group_names:
                reporters[f"{what}__{group}"] = partial(_share, what=what, group=group)
        return reporters | {name: name for name in OTHER_COLUMNS}


def _share(model: MobilizationModel, what: str, group: str) -> float:
    """Return a share, for the data collector."""
    return model.share(what, group)


def _scenario(given: Scenario | str | Path, seed: int | None) -> Scenario:
    """Return the resolved scenario, with another seed if one is given."""
    if isinstance(given, str | Path):
        given = load_scenario(given)
    if not isinstance(given, Scenario):
        raise UsageError(
            f"scenario: found {given!r}; allowed are a Scenario, a path, and the name of a shipped scenario"
        )
    return given if seed is None else given.model_copy(update={"seed": _number("seed", seed, most=2**32 - 1)})


def _community(scenario: Scenario, given: int | Community) -> Community:
    """Return the built community, or refuse one that belongs to another scenario."""
    if not isinstance(given, Community):
        return build(scenario, _number("community", given))
    theirs = (given.n_residents, given.group_names, given.seed)
    ours = (scenario.community.residents, tuple(scenario.community.groups), scenario.seed)
    if theirs != ours:
        raise UsageError(
            f"community: found one with residents, groups and seed {theirs}; the scenario has {ours}"
        )
    return given


def _number(name: str, given: Any, most: int = 2**32 - 2) -> int:
    """Return a whole number from 0 on, or refuse what is none."""
    try:
        number = index(given)
    except TypeError:
        number = -1
    if isinstance(given, bool) or not 0 <= number <= most:
        raise UsageError(f"{name}: found {given!r}; allowed are whole numbers from 0 to {most}")
    return number


def _agent_class(name: str, given: Any, base: type) -> Any:
    """Return a class of agents, or refuse what is none."""
    if not (isinstance(given, type) and issubclass(given, base)):
        raise UsageError(f"{name}: found {given!r}; allowed are subclasses of {base.__name__}")
    return given
