"""The table of organizations: where each stands at every decision, and how a campaign should treat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mobsim.engine.records import Records

if TYPE_CHECKING:
    import pandas as pd

QUADRANTS = {
    (True, True): "manage closely",
    (True, False): "keep satisfied",
    (False, True): "keep informed",
    (False, False): "monitor",
}
"""By whether an organization has power, and whether it has interest (Mendelow 1981)."""

TINY = 1e-12
"""So that equal influences are not told apart by the rounding of their mean."""


def table_of_organizations(records: Records) -> pd.DataFrame:
    """Return one row an arm, organization and decision week, the mean over runs.

    Parameters
    ----------
    records : what was measured.
    """
    import pandas as pd

    organizations = records.scenario.community.organizations
    weeks = np.array(records.mean_weeks)
    rows = []
    for arm, of_arm in records.rows_by_arm().items():
        for k, spec in enumerate(organizations):
            table = {
                "arm": arm,
                "organization": spec.name,
                "type": spec.type,
                "week": weeks,
                "influence": spec.influence,
                "interest": records.interest[of_arm, :, k].mean(axis=0),
                "in_coalition": records.member[of_arm, :, k].mean(axis=0),
                "capacity": records.capacity[of_arm, :, k].mean(axis=0),
                "resources": records.resources[of_arm, :, k].mean(axis=0) / 100.0,
            }
            rows.append(pd.DataFrame(table))
    columns = ["arm", "organization", "type", "week", "influence", "interest", "in_coalition", "capacity",
               "resources"]  # fmt: skip
    whole = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    return with_quadrants(whole)


def with_quadrants(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of organizations with the power-interest quadrant of each row.

    Power: influence at least the mean of all organizations [A]. Interest: mean interest above 0 [A].

    Parameters
    ----------
    table : with arm, week, influence and interest.
    """
    mean = table.groupby(["arm", "week"])["influence"].transform("mean")
    power = (table["influence"] >= mean - TINY).tolist()
    interest = (table["interest"] > 0).tolist()
    return table.assign(quadrant=[QUADRANTS[pair] for pair in zip(power, interest, strict=True)])
