"""Deliveries written in Python (docs/odd.md, 7.3, `python`): after the compiled lines, lane by lane.

An activity of one's own (`mobsim.campaign.own.OwnActivity`) gets a `Delivery`: what can be seen in one lane
and week, and one verb, `reach`, which gives doses by the same formulas, in the same precision, as the
compiled lines do.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from mobsim.errors import MobsimError, UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.delivery import CODE, CONTACT, PER_UNIT, TRAINS
from mobsim.kernels.keyed import philox_words
from mobsim.kernels.streams import OWN, TARGET

if TYPE_CHECKING:
    from mobsim.engine.block import Block

Values = TypeVar("Values", bound=npt.NDArray[Any])

_ONE = np.float32(1.0)
_UNIT = np.float32(2.0**-24)


class Doses(NamedTuple):
    """Doses that an activity declares, before capacity and credibility."""

    appeal: float
    capability: float
    ownership: float
    trust: float


class Delivery:
    """What an activity of one's own sees in one lane and week, after all compiled lines were delivered.

    Arrays have one entry a resident, are read-only, and show the state of this moment: ask again after
    `reach` to see what it did.

    Parameters
    ----------
    block : the lanes that are computed together.
    week : the week.
    lane : the lane.
    line : the activity's line in the arm.

    Attributes
    ----------
    week : the week, from 0.
    arm : name of the arm.
    units : units bought this week, 1 or more. per_unit : targets or seats a unit, as declared.
    n_residents : number of residents. group_names : names of the groups; the first is the majority.
    doses : the declared doses.
    """

    def __init__(self, block: Block, week: int, lane: int, line: int) -> None:
        arm = lane % len(block.arms)
        self._block, self._lane, self._line, self._arm = block, lane, line, arm
        self._whole = block.plans.kernel.whole[arm, line]
        effect = block.plans.kernel.effect[arm, line]
        self.week = week
        self.arm = block.arms[arm]
        self.units = int(block.tally.units[week, lane, line])
        self.per_unit = int(self._whole[PER_UNIT])
        self.n_residents = block.community.n_residents
        self.group_names = block.community.group_names
        self.doses = Doses(
            appeal=float(effect[a.EFFECT_APPEAL]),
            capability=float(effect[a.EFFECT_CAPABILITY]),
            ownership=float(effect[a.EFFECT_OWNERSHIP]),
            trust=float(effect[a.EFFECT_TRUST]),
        )
        self._words: dict[int, a.UInt32] = {}
        self._reached = np.zeros(self.n_residents, np.bool_)

    # --- What stays with a resident

    @property
    def group(self) -> a.UInt8:
        """Number of each resident's group, an index into `group_names`."""
        return _shown(self._block.community.group)

    @property
    def neighbourhood(self) -> a.Int32:
        """Number of each resident's neighbourhood."""
        return _shown(self._block.community.neighbourhood)

    @property
    def is_leader(self) -> npt.NDArray[np.bool_]:
        """Who has the role of a leader."""
        return _shown(self._block.community.is_leader)

    def neighbours(self, i: int) -> a.Int64:
        """Return the numbers of those who influence resident i, ascending; everybody else if well mixed.

        Parameters
        ----------
        i : number of the resident, from 0.
        """
        (i,) = self._numbers([i])
        community = self._block.community
        if community.well_mixed:
            return np.delete(np.arange(self.n_residents), i)
        row = community.neighbours[community.row_start[i] : community.row_start[i + 1]]
        return row.astype(np.int64)

    # --- What changes

    @property
    def aware(self) -> npt.NDArray[np.bool_]:
        """Who is aware at the start of the week; doses make aware in phase 4b."""
        return self._flag(a.AWARE)

    @property
    def participating(self) -> npt.NDArray[np.bool_]:
        """Who takes part."""
        return self._flag(a.PARTICIPATING)

    @property
    def contacted(self) -> npt.NDArray[np.bool_]:
        """Who was ever contacted by the campaign."""
        return self._flag(a.CONTACTED)

    @property
    def organizer(self) -> npt.NDArray[np.bool_]:
        """Who is an organizer."""
        found: npt.NDArray[np.bool_] = (self._block.state.roles[:, self._lane] & a.ORGANIZER) > 0
        return _shown(found)

    @property
    def capability(self) -> a.Float32:
        """Capability, in [0, 1]."""
        return self._real(a.CAPABILITY)

    @property
    def ownership(self) -> a.Float32:
        """Ownership, in [0, 1]."""
        return self._real(a.OWNERSHIP)

    @property
    def trust(self) -> a.Float32:
        """Trust, in [0, 1]."""
        return self._real(a.TRUST)

    @property
    def appeal(self) -> a.Float32:
        """Appeal that has not faded, 0 or more."""
        return self._real(a.APPEAL)

    # --- Chance

    def uniform(self, word: int = 0, *, shared: bool = False) -> a.Float32:
        """Return a random number in [0, 1) for each resident, the same however often it is asked.

        It belongs to the luck, the week, the resident and this line: strategies that hold the same activity
        share it, so that their difference is their own. An event of chance p happens where it is below p.

        Parameters
        ----------
        word : which of four independent numbers, 0 to 3.
        shared : the numbers of the week that all activities written in Python share (stream OWN), instead of
            this line's own (stream TARGET + code).
        """
        if word not in (0, 1, 2, 3):
            raise UsageError(f"uniform: word: found {word!r}; allowed are 0, 1, 2 and 3")
        stream = OWN if shared else TARGET + int(self._whole[CODE])
        if stream not in self._words:
            keys, words = self._block.keys, np.empty((4, self.n_residents), np.uint32)
            luck = int(keys.luck[self._lane // len(self._block.arms)])
            everybody = np.arange(self.n_residents, dtype=np.uint32)
            philox_words(everybody, self.week, luck, stream, keys.seed, keys.community, words)
            self._words[stream] = words
        found: a.Float32 = (self._words[stream][word] >> np.uint32(8)).astype(np.float32) * _UNIT
        return found

    # --- Doses

    def reach(
        self,
        residents: npt.ArrayLike,
        appeal: float | None = None,
        capability: float | None = None,
        ownership: float | None = None,
        trust: float | None = None,
        contact: bool | None = None,
    ) -> int:
        """Give doses to residents (rule 5); who was reached by this line this week already is passed over.

        Doses are multiplied by the capacity of the organization that delivers and, for appeal and trust, by
        its credibility with the resident's group. Whoever is reached hears of the cause.

        Parameters
        ----------
        residents : numbers of residents, or one truth value a resident.
        appeal, capability, ownership, trust : doses of a full-capacity organization: appeal from 0 to 100,
            the others from 0 to 1; none: what the activity declares.
        contact : whether it counts as a contact in the outcomes; none: what the activity declares.

        Returns
        -------
        int
            how many were newly reached.

        Raises
        ------
        UsageError : if there is no such resident, or a dose is out of range.
        """
        doses = self._doses(appeal, capability, ownership, trust)
        ids = np.unique(self._numbers(residents))
        ids = ids[~self._reached[ids]]
        self._reached[ids] = True
        self._give(ids, doses)
        self._mark(ids, bool(self._whole[CONTACT]) if contact is None else bool(contact))
        return int(ids.size)

    def _give(self, ids: a.Int64, doses: Doses) -> None:
        """Change appeal, capability, ownership and trust: 7.3, one rounding an operation."""
        block, lane = self._block, self._lane
        k = self._deliverer
        capacity = np.float64(block.organizations.capacity[k, lane]) if k >= 0 else np.float64(1.0)
        groups = block.community.group[ids]
        credibility = block.organizations.credibility[k][groups] if k >= 0 else np.ones(ids.size)
        reals = block.state.reals
        m, s, o, t = (reals[row, ids, lane] for row in (a.APPEAL, a.CAPABILITY, a.OWNERSHIP, a.TRUST))
        of_appeal = (doses.appeal * capacity * credibility).astype(np.float32)
        of_capability = np.float32(doses.capability * capacity)
        of_ownership = np.float32(doses.ownership)
        of_trust = (doses.trust * capacity * credibility).astype(np.float32)
        trust_lost = block.rules.doubles[a.TRUST_LOSS, lane] * (1.0 - capacity) if doses.trust > 0 else 0.0
        reals[a.APPEAL, ids, lane] = m + of_appeal
        reals[a.CAPABILITY, ids, lane] = s + of_capability * (_ONE - s)
        reals[a.OWNERSHIP, ids, lane] = o + of_ownership * (_ONE - o)
        reals[a.TRUST, ids, lane] = (t + of_trust * (_ONE - t)) - np.float32(trust_lost) * t

    def _mark(self, ids: a.Int64, contact: bool) -> None:
        """Write down who was reached, and by which line."""
        block, lane = self._block, self._lane
        block.state.flags[ids, lane] |= np.uint8(a.DOSED | (a.CONTACTED if contact else 0))
        if block.state.last.size:
            block.state.last[ids, lane] = self._line + 1
        if self._whole[TRAINS]:
            leaders = ids[block.community.is_leader[ids]]
            block.state.flags[leaders, lane] |= np.uint8(a.TRAINED)
            block.leaders.engaged[block.residents.leader_place[leaders], lane] = self.week
        counts = np.bincount(block.community.group[ids], minlength=len(self.group_names))
        block.tally.reached[self.week, lane, self._line] += counts

    # --- Reading and checking

    @cached_property
    def _deliverer(self) -> int:
        return int(self._block.plans.kernel.deliverer[self._arm, self._line])

    def _doses(self, *given: float | None) -> Doses:
        """Return the doses of one call, checked."""
        values = []
        for name, value, declared in zip(Doses._fields, given, self.doses, strict=True):
            value = declared if value is None else value
            most = 100.0 if name == "appeal" else 1.0
            if not (isinstance(value, int | float | np.number) and 0 <= value <= most):
                raise UsageError(
                    f"reach: {name}: found {value!r}; allowed are numbers from 0 to {most:g}, one for all "
                    "residents of a call"
                )
            values.append(float(value))
        return Doses(*values)

    def _numbers(self, residents: npt.ArrayLike) -> a.Int64:
        """Return numbers of residents, checked, from numbers or truth values."""
        given = np.asarray(residents)
        n = self.n_residents
        if given.dtype == np.bool_:
            if given.shape != (n,):
                raise UsageError(
                    f"reach: found {given.shape} truth values; allowed is one a resident, ({n},)"
                )
            return np.flatnonzero(given)
        if given.size == 0:
            return np.empty(0, np.int64)
        wrong = given.dtype.kind not in "iu" or given.ndim != 1
        if wrong or given.min() < 0 or given.max() >= n:
            raise UsageError(
                f"reach: found residents {residents!r}; allowed are whole numbers from 0 to {n - 1}, or one "
                "truth value a resident"
            )
        return given.astype(np.int64)

    def _flag(self, bit: int) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (self._block.state.flags[:, self._lane] & np.uint8(bit)) > 0
        return _shown(found)

    def _real(self, row: int) -> a.Float32:
        found: a.Float32 = self._block.state.reals[row, :, self._lane].copy()
        return _shown(found)


def _shown(values: Values) -> Values:
    """Return an array that can be read and not written."""
    seen = values.view()
    seen.flags.writeable = False
    return seen


def deliver_own(block: Block, week: int) -> None:
    """Let the activities written in Python give the doses of this week, in all lanes.

    Parameters
    ----------
    block : the lanes, after phases 1 and 2 of the week.
    week : the week.

    Raises
    ------
    MobsimError : if an activity asks for something that is not allowed, or fails.
    """
    n_arms = len(block.arms)
    for lane in range(block.n_lanes):
        for (arm, line), activity in sorted(block.plans.own.items(), key=lambda item: item[0]):
            if arm == lane % n_arms and block.tally.units[week, lane, line] > 0:
                _deliver(activity, Delivery(block, week, lane, line), block.plans.names[arm][line])


def _deliver(activity: Any, view: Delivery, name: str) -> None:
    """Let one activity deliver; what goes wrong in it is one sentence that names it."""
    where = f"activity {name}, arm {view.arm}, week {view.week}"
    try:
        activity.deliver(view)
    except MobsimError as error:
        raise UsageError(f"{where}: {error}") from error
    except Exception as error:
        text = " ".join(str(error).split())
        raise UsageError(f"{where}: deliver failed: {type(error).__name__}: {text}") from error
