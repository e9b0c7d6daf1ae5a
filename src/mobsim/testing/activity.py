"""What every activity keeps: none without money, none before its start, no lost cent, the same every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from mobsim.campaign.activity import ActivitySpec
from mobsim.campaign.budget import unit_cents
from mobsim.campaign.own import ACTIVITIES, OwnActivity, registered
from mobsim.engine.records import Records
from mobsim.testing.worlds import (
    RESIDENTS,
    check_money,
    check_repeatable,
    differing_state,
    run,
    small_world,
)

ON_TRIAL = "on_trial"
GIVES_DOSES = ("attempts", "seats", "all_come", "broadcast", "python")
DOSES = ("appeal", "capability", "ownership", "trust")
NOBODY_FORGETS = {"turnover": 0.0, "awareness_half_life": None}
LINE = {"share": 1, "target": "random"}
STARTS = ((2, 9), (9, 0))


def check_activity(activity: str | type[OwnActivity] | Mapping[str, Any]) -> None:
    """Check that an activity keeps what mobsim promises its readers.

    1. A line without money is the arm without it, bit for bit.
    2. With all its doses at 0 it changes nobody, where everybody is aware and nobody forgets.
    3. Nothing happens before funding and its steps of the calendar start (a survey waits for its step only).
    4. Spending is units times the price, and no cent is lost.
    5. Running it again, with other lanes or threads, changes no bit.

    Parameters
    ----------
    activity : the name of one that ships, is installed or registered; a subclass of `OwnActivity`; or the
        entry of a scenario file.

    Raises
    ------
    AssertionError : with a sentence that says what does not hold.

    Examples
    --------
    >>> check_activity({"like": "visit", "cost": 2.5})
    """
    with _on_trial(activity) as (name, entries):
        trial = _Trial(name, entries)
        trial.check_repeatable_and_paid()
        trial.check_start()
        if trial.spec.delivery != "survey":
            trial.check_without_money()
        if trial.spec.delivery in GIVES_DOSES:
            trial.check_without_doses()


@contextmanager
def _on_trial(activity: str | type[OwnActivity] | Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give an activity a name, and an entry in the scenario if it needs one."""
    if isinstance(activity, str):
        yield activity, {}
    elif isinstance(activity, Mapping):
        yield ON_TRIAL, {ON_TRIAL: dict(activity)}
    else:
        with registered(ACTIVITIES, ON_TRIAL, activity):
            yield ON_TRIAL, {}


class _Trial:
    """One activity in the small world."""

    def __init__(self, name: str, entries: dict[str, Any]) -> None:
        self.name, self.entries = name, entries
        self.what = f"activity {name}"
        self.is_survey = name == "survey"
        self.arm = self._arm()
        self.spec: ActivitySpec = small_world({"with": self.arm}, activities=entries).activities[name]
        self.price = unit_cents(self.spec.cost, self.spec.cost_scales, RESIDENTS)
        # Enough for thirty units, so that something is bought in most weeks.
        self.money = max(20.0, 30 * self.price / (100 * RESIDENTS))

    def _arm(self) -> dict[str, Any]:
        visits = {"kind": "visit", "share": 1}
        if self.is_survey:
            return {"activities": [visits], "survey": {"respondents": 10}}
        return {"activities": [visits, {"kind": self.name, "share": 1}]}

    def world(self, arms: dict[str, Any], **changes: Any) -> Records:
        return run(
            small_world(arms, **{"activities": self.entries, "budget_per_resident": self.money, **changes})
        )

    def line(self, records: Records) -> int:
        """Number of the activity's line in the arm `with`."""
        lines: tuple[str, ...] = records.lines("with")
        return lines.index(self.name)

    def check_repeatable_and_paid(self) -> None:
        scenario = small_world({"with": self.arm}, activities=self.entries, budget_per_resident=self.money)
        records = check_repeatable(scenario, self.what)
        check_money(records, self.what)
        rows, line = records.rows_by_arm()["with"], self.line(records)
        units = records.units[rows, :, line]
        assert units.any(), (
            f"{self.what}: nothing was ever bought in {units.shape[1]} weeks with "
            f"{self.money * RESIDENTS / 2:,.0f} to spend on it; look at its cost, steps and max_units"
        )
        paid = records.cents[rows, :, line] + records.local[rows, :, line]
        dear = paid - units * self.price
        dear[:, scenario.campaign.funding_starts_week] = 0  # the network map may be paid then
        assert not dear.any(), f"{self.what}: a week's spending is not its units times {self.price} cents"

    def check_start(self) -> None:
        for funding, steps in STARTS:
            start = steps if self.is_survey else max(funding, steps)  # surveys may come before the funding
            records = self.world({"with": self.arm}, funding_starts=funding, steps_start=steps)
            rows, line = records.rows_by_arm()["with"], self.line(records)
            early = records.units[rows, :start, line].any() or records.reached[rows, :start, line].any()
            assert not early, f"{self.what}: something was bought or somebody reached before week {start}"
            difference = differing_state(records, "with", records, "none", start)
            assert difference is None, f"{self.what}: {difference} changed before week {start}"

    def check_without_money(self) -> None:
        base = [{"kind": "visit", "share": 3}, {"kind": "skills", "share": 1}]
        idle = {"kind": self.name, "share": 0}
        if self.spec.target.rule != "random":
            idle["target"] = "random"  # another rule may need the network map, which the arm would pay for
        records = self.world({"without": {"activities": base}, "with": {"activities": [*base, idle]}})
        difference = differing_state(records, "with", records, "without")
        rows, others = (records.rows_by_arm()[arm] for arm in ("with", "without"))
        if difference is None and not np.array_equal(records.counts[rows], records.counts[others]):
            difference = "who was contacted"
        assert difference is None, f"{self.what}: {difference} changed although it had no money"

    def check_without_doses(self) -> None:
        entry = {**self.entries.get(self.name, {}), **dict.fromkeys(DOSES, 0), "trains_leaders": False}
        records = self.world(
            {"with": {"activities": [{"kind": self.name, "share": 1}]}},
            activities={**self.entries, self.name: entry},
            community={"initial": {"aware": "everyone"}},
            behaviour=NOBODY_FORGETS,
        )
        difference = differing_state(records, "with", records, "none")
        assert difference is None, (
            f"{self.what}: {difference} changed although all its doses were set to 0; give the declared "
            "doses, or multiples of view.doses"
        )
