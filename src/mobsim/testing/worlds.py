"""A small world in which extensions are tried, and what is compared in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from mobsim.campaign.calendar import STEPS
from mobsim.engine.records import Records
from mobsim.engine.run import simulate
from mobsim.errors import MobsimError
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario

RESIDENTS = 120
WEEKS = 30
FUNDING_ENDS = 24

# What people are like at a place and time: everything but money and who was contacted.
STATE = ("results", "wins", "coalition", "stances", "sums")
NOT_CONTACTS = (0, 1, 4)


def small_world(
    arms: Mapping[str, Any],
    *,
    activities: Mapping[str, Any] | None = None,
    funding_starts: int = 2,
    steps_start: int = 0,
    budget_per_resident: float = 20.0,
    community: Mapping[str, Any] | None = None,
    behaviour: Mapping[str, Any] | None = None,
    weeks: int = WEEKS,
) -> Scenario:
    """Return a scenario of 120 people over 30 weeks in which much happens: leaders, organizers, surveys.

    Parameters
    ----------
    arms, activities, community, behaviour : as in a scenario file.
    funding_starts : first funded week.
    steps_start : the week from which all nine steps run.
    budget_per_resident : external money.
    weeks : length of the campaign.

    Raises
    ------
    AssertionError : if it is not a scenario.
    """
    every = {"monitor": {"first": steps_start, "every": 4}}
    try:
        return resolve(
            {
                "schema_version": 2,
                "title": "A small world",
                "description": "For conformance tests.",
                "seed": 20,
                "community": {"residents": RESIDENTS, "leaders": {"share": 0.1}, **(community or {})},
                "behaviour": {
                    "organizer_start": 0.5,
                    "organizer_capability": 0.0,
                    "organizer_ownership": 0.0,
                    **(behaviour or {}),
                },
                "campaign": {
                    "budget_per_resident": budget_per_resident,
                    "burn_in_weeks": 8,
                    "horizon_weeks": weeks,
                    "funding_starts_week": funding_starts,
                    "funding_ends_week": min(FUNDING_ENDS, weeks),
                    "calendar": {step: {"first": steps_start, "until": weeks} for step in STEPS} | every,
                },
                "activities": dict(activities or {}),
                "arms": dict(arms),
                "goals": [{"indicator": "participation", "at_least": 0.9, "by_week": weeks - 1}],
                "replicates": {"communities": 2, "luck": 2},
            }
        )
    except MobsimError as error:
        raise AssertionError(str(error)) from error


def run(scenario: Scenario, *, lanes: int = 64, threads: int = 1) -> Records:
    """Run all arms; what a scenario or an extension does wrong is an AssertionError with its sentence.

    Parameters
    ----------
    scenario : the resolved scenario.
    lanes, threads : as for `simulate`; they may change nothing.
    """
    try:
        return simulate(scenario, lanes=lanes, threads=threads)
    except MobsimError as error:
        raise AssertionError(str(error)) from error


def check_repeatable(scenario: Scenario, what: str) -> Records:
    """Check that other lanes, threads, or a second run change no bit; return the records.

    Parameters
    ----------
    scenario : the resolved scenario.
    what : what is checked, for the sentence.
    """
    first = run(scenario)
    for lanes, threads in ((64, 1), (1, 1), (3, 2)):
        again = run(scenario, lanes=lanes, threads=threads)
        difference = differing(first, again)
        assert difference is None, (
            f"{what}: {difference} differ when it is run again with {lanes} lanes at a time on {threads} "
            "threads; keep nothing between calls, and take chance from the keyed draws only"
        )
    return first


def differing(one: Records, other: Records) -> str | None:
    """Return the name of the first array in which two records differ, or nothing.

    Parameters
    ----------
    one, other : records of the same runs.
    """
    for field in fields(Records):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray) and not np.array_equal(left, right, equal_nan=left.dtype.kind == "f"):
            return field.name
    return None


def differing_state(
    one: Records, arm: str, other: Records, against: str, until: int | None = None
) -> str | None:
    """Return in what the people of two arms differ, or nothing; who was contacted does not count.

    Parameters
    ----------
    one, arm : records, and an arm of them.
    other, against : records, and the arm to compare with.
    until : only the weeks before it; none: all, and the means of states too.
    """
    rows, others = one.rows_by_arm()[arm], other.rows_by_arm()[against]
    counts = one.counts[rows][:, :until][..., NOT_CONTACTS]
    if not np.array_equal(counts, other.counts[others][:, :until][..., NOT_CONTACTS]):
        return "who is aware, participates or organizes"
    for name in STATE:
        left, right = getattr(one, name)[rows], getattr(other, name)[others]
        if until is not None and name == "sums":
            n_weeks = sum(week < until for week in one.mean_weeks)
            left, right = left[:, :n_weeks], right[:, :n_weeks]
        elif until is not None:
            left, right = left[:, :until], right[:, :until]
        if not np.array_equal(left, right):
            return {"sums": "means of capability, ownership, trust or appeal"}.get(name, name)
    return None


def check_money(records: Records, what: str) -> None:
    """Check that every arm spends what it has, to the cent.

    Parameters
    ----------
    records : what was run.
    what : what is checked, for the sentence.
    """
    budget = round(records.scenario.campaign.budget_per_resident * 100 * int(records.group_sizes[0].sum()))
    for row, run_of in enumerate(records.runs_index):
        where = f"{what}, arm {run_of.arm}, community {run_of.community}, luck {run_of.luck}"
        has_lines = bool(records.uses(run_of.arm))
        spent, left = int(records.cents[row].sum()), int(records.unspent_cents[row])
        has = budget if has_lines else 0
        assert spent + left == has, f"{where}: {spent} cents spent and {left} left, of a budget of {has}"
        local, remainder = int(records.local[row].sum()), int(records.local_left_cents[row])
        income = int(records.income[row].sum())
        assert local + remainder == income, (
            f"{where}: {local} local cents spent and {remainder} left, of {income} that came in"
        )
        for name in ("units", "cents", "local", "reached", "unspent_cents", "local_left_cents"):
            assert (getattr(records, name)[row] >= 0).all(), f"{where}: {name} below 0"
