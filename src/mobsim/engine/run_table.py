"""The table of runs: one row a run with every outcome. What a column means is declared in `outcomes.py`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobsim.campaign.activity import shipped_activities
from mobsim.campaign.budget import unit_cents
from mobsim.engine.records import (
    AWARE,
    CONCERN,
    CONTACTED,
    EMPOWERMENT,
    OPPOSED,
    ORGANIZING,
    PARTICIPATING,
    SUPPORTIVE,
    TRUST,
    UNCONTACTED,
    UNIT,
    Records,
    ratio,
)
from mobsim.engine.scoring import gap_and_parity, goal_met, goal_met_on_estimates, goal_names
from mobsim.kernels.arrays import Float64, Int64
from mobsim.scenario.scenario import NONE, Scenario

if TYPE_CHECKING:
    import pandas as pd

WEEKS_RUNNING = 4
"""A goal is reached in the first week in which it has been met for this many weeks running."""
HOURS_OF_A_PARTICIPANT, HOURS_OF_AN_ORGANIZER = 1.0, 4.0
"""Unpaid hours in a week [A]; an organizer who participates gives both."""

Column = npt.NDArray[Any]
Columns = Iterator[tuple[str, Column]]


def table_of_runs(records: Records) -> pd.DataFrame:
    """Return one row a run: arm, community, luck and all outcomes.

    Parameters
    ----------
    records : what was measured.
    """
    import pandas as pd

    return pd.DataFrame(records.keys() | columns_of_runs(records))


def columns_of_runs(records: Records) -> dict[str, Column]:
    """Return (runs,) every outcome.

    Parameters
    ----------
    records : what was measured.
    """
    table: dict[str, Column] = {}
    for columns in (_participation, _reach, _money, _lasting, _goals, _unpaid, _means, _stakeholders, _voice):
        table |= dict(columns(records))
    return table


def read_by_tables(scenario: Scenario) -> Hashable:
    """Return all that the tables of runs and weeks read of a scenario.

    Scenarios that agree in it may stand in one `Records`, whatever else differs between them.

    Parameters
    ----------
    scenario : the resolved scenario.
    """
    community, campaign = scenario.community, scenario.campaign
    return (
        tuple((name, group.marginalized) for name, group in community.groups.items()),
        len(community.organizations),
        (campaign.horizon_weeks, campaign.funding_ends_week, campaign.decision_interval_weeks),
        scenario.goals,
        visit_cents(scenario),
        tuple((arm, tuple(_gives_voice(scenario, arm))) for arm in scenario.arms),
    )


def visit_cents(scenario: Scenario) -> int:
    """Return the price in cents at which an organizer's contact counts: that of a visit (docs/odd.md, 7.9).

    Parameters
    ----------
    scenario : its own visit, or the shipped one if it has none.
    """
    visit = scenario.activities.get("visit") or shipped_activities()["visit"]
    return unit_cents(visit.cost, visit.cost_scales, scenario.community.residents)


def _participation(records: Records) -> Columns:
    """Who takes part and who is aware at three moments, and how unequally."""
    for moment, week in (("week0", 0), ("fe", records.funding_end), ("end", records.end)):
        for name, which in (("participation", PARTICIPATING), ("aware", AWARE)):
            yield from _shares(records, f"{name}_{moment}", records.counts[:, week, :, which])
        gap, parity = gap_and_parity(records, week)
        yield f"gap_{moment}", gap
        if moment != "week0":
            yield f"parity_{moment}", parity


def _reach(records: Records) -> Columns:
    yield from _shares(records, "reach", records.counts[:, records.end, :, CONTACTED])
    at_fe = records.counts[:, records.funding_end].sum(axis=1)
    yield "spillover_share", ratio(at_fe[:, UNCONTACTED], at_fe[:, PARTICIPATING])


def _money(records: Records) -> Columns:
    external, local = records.cents.sum(axis=2), records.local.sum(axis=2)
    contacts = records.contacts * visit_cents(records.scenario)
    funded, later = slice(records.funding_end + 1), slice(records.funding_end + 1, None)
    yield "cost", (external[:, funded].sum(axis=1) + local[:, funded].sum(axis=1)) / 100.0
    yield "cost_external", external.sum(axis=1) / 100.0
    yield "cost_local", local.sum(axis=1) / 100.0
    yield "local_income", records.income.sum(axis=1) / 100.0
    yield "unspent", records.unspent_cents / 100.0
    for name, weeks in (("funded", funded), ("sustained", later)):
        own = local[:, weeks].sum(axis=1) + contacts[:, weeks].sum(axis=1)
        yield f"self_reliance_{name}", _self_reliance(own, external[:, weeks].sum(axis=1))


def _self_reliance(local: Int64, external: Int64) -> Float64:
    """Return local effort / all effort in money; an organizer's contact counts as much as a visit."""
    return ratio(local, local + external)


def _lasting(records: Records) -> Columns:
    """What there is in the last week of what there was at funding end."""
    takes_part = records.counts[..., PARTICIPATING].sum(axis=2)
    yield "persistence_ratio", ratio(takes_part[:, records.end], takes_part[:, records.funding_end])
    at_fe, at_end, never_left = records.at_funding_end.T
    yield "kept_participants", ratio(at_end, at_fe)
    yield "never_left", ratio(never_left, at_fe)
    organized, never_stopped = records.organizers_at_funding_end.T
    yield "organizers_kept", ratio(never_stopped, organized)


def _goals(records: Records) -> Columns:
    for name, goal in goal_names(records.scenario).items():
        met = goal_met(records, goal)
        yield f"time_to_goal__{name}", _first_run_of(met, WEEKS_RUNNING)
        yield f"goal_met__{name}", met[:, min(goal.by_week, records.end)].astype(np.int64)
        yield f"goal_estimate_met__{name}", goal_met_on_estimates(records, goal)


def _unpaid(records: Records) -> Columns:
    takes_part, organizes = (
        records.counts[..., which].sum(axis=(1, 2)) for which in (PARTICIPATING, ORGANIZING)
    )
    yield "volunteer_hours", HOURS_OF_A_PARTICIPANT * takes_part + HOURS_OF_AN_ORGANIZER * organizes
    yield "contacts_by_organizers", records.contacts.sum(axis=1)


def _means(records: Records) -> Columns:
    """Means of what residents can do and feel, and who organizes."""
    moments = (("fe", records.funding_end), ("end", records.end))
    for moment, week in moments:
        sums = records.sums[:, records.mean_weeks.index(week)]
        yield from _shares(records, f"empowerment_{moment}", sums[..., EMPOWERMENT] / UNIT)
        yield f"concern_{moment}", sums[..., CONCERN].sum(axis=1) / UNIT / records.group_sizes.sum(axis=1)
        trust = dict(_shares(records, f"trust_{moment}", sums[..., TRUST] / UNIT))
        yield f"cohesion_{moment}", trust.pop(f"trust_{moment}")
        yield from trust.items()
        yield from _shares(records, f"leadership_{moment}", records.counts[:, week, :, ORGANIZING])


def _stakeholders(records: Records) -> Columns:
    """Results, policy, coalition, and where leaders stand."""
    yield "results_end", records.results[:, records.end]
    yield "wins_fe", records.wins[:, records.funding_end]
    for moment, week in (("fe", records.funding_end), ("end", records.end)):
        yield f"coalition_{moment}", records.coalition[:, week]
        yield f"supportive_{moment}", ratio(records.stances[:, week, SUPPORTIVE], records.leaders)
        yield f"opposed_{moment}", ratio(records.stances[:, week, OPPOSED], records.leaders)


def _voice(records: Records) -> Columns:
    """Share of the seats at meetings: activities that give ownership to those who come."""
    seats = np.zeros(records.group_sizes.shape, np.int64)
    for arm, rows in records.rows_by_arm().items():
        for b, gives_voice in enumerate(_gives_voice(records.scenario, arm)):
            if gives_voice:
                seats[rows] += records.reached[rows, :, b].sum(axis=1)
    for g, group in enumerate(records.groups):
        yield f"voice_share__{group}", ratio(seats[:, g], seats.sum(axis=1))


def _gives_voice(scenario: Scenario, arm: str) -> Iterator[bool]:
    """For each line of an arm whether it seats residents who come to own the cause."""
    for use in () if arm == NONE else scenario.arms[arm].activities:
        activity = scenario.activities[use.kind]
        yield activity.delivery == "seats" and activity.ownership > 0


def _shares(records: Records, name: str, amounts: Int64 | Float64) -> Columns:
    """Amounts by group as shares (or means) of all residents and of each group."""
    in_order = np.ascontiguousarray(amounts)  # how numbers are added up depends on how they lie in memory
    yield name, in_order.sum(axis=1) / records.group_sizes.sum(axis=1)
    for g, group in enumerate(records.groups):
        yield f"{name}__{group}", ratio(amounts[:, g], records.group_sizes[:, g])


def _first_run_of(met: npt.NDArray[np.bool_], length: int) -> Float64:
    """(runs,) first week that ends `length` weeks running with True, NaN if there is none."""
    running = met.copy()
    for back in range(1, length):
        shifted = np.zeros_like(met)
        shifted[:, back:] = met[:, :-back]
        running &= shifted
    first: Float64 = np.argmax(running, axis=1).astype(np.float64)
    first[~running.any(axis=1)] = np.nan
    return first
