"""Tables by week: runs, activities, and Lippman's six domains. Columns are declared in `outcomes.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mobsim.campaign.activity import SURVEY
from mobsim.engine.records import (
    AWARE,
    CONCERN,
    CONTACTED,
    OPPOSED,
    ORGANIZING,
    PARTICIPATING,
    SUPPORTIVE,
    TRUST,
    UNIT,
    Records,
    ratio,
)

if TYPE_CHECKING:
    import pandas as pd


def table_of_weeks(records: Records) -> pd.DataFrame:
    """Return one row a run and week.

    Parameters
    ----------
    records : what was measured.
    """
    import pandas as pd

    n_runs, n_weeks = records.counts.shape[:2]
    table: dict[str, object] = {
        name: np.repeat(np.asarray(value), n_weeks) for name, value in records.keys().items()
    }
    table["week"] = np.tile(np.arange(n_weeks), n_runs)
    sizes = np.broadcast_to(records.group_sizes[:, None, :], records.counts.shape[:3])
    counted = (
        ("aware", AWARE),
        ("participation", PARTICIPATING),
        ("contacted", CONTACTED),
        ("organizers", ORGANIZING),
    )
    for name, which in counted:
        count = records.counts[..., which]
        table[name] = (count.sum(axis=2) / sizes.sum(axis=2)).ravel()
        for g, group in enumerate(records.groups):
            table[f"{name}__{group}"] = ratio(count[..., g], sizes[..., g]).ravel()
    table["results"] = records.results.ravel()
    table["wins"] = records.wins.ravel()
    table["coalition"] = records.coalition.ravel()
    leaders = np.broadcast_to(records.leaders[:, None], (n_runs, n_weeks))
    table["supportive"] = ratio(records.stances[..., SUPPORTIVE], leaders).ravel()
    table["opposed"] = ratio(records.stances[..., OPPOSED], leaders).ravel()
    table["contacts_by_organizers"] = records.contacts.ravel()
    table["spent"] = ((records.cents + records.local).sum(axis=2) / 100.0).ravel()
    table["spent_local"] = (records.local.sum(axis=2) / 100.0).ravel()
    table["local_income"] = (records.income / 100.0).ravel()
    return pd.DataFrame(table)


def table_of_activities(records: Records) -> pd.DataFrame:
    """Return one row an arm, activity (or its surveys) and week, the mean over runs.

    Parameters
    ----------
    records : what was measured.
    """
    import pandas as pd

    rows = []
    for arm, of_arm in records.rows_by_arm().items():
        for b, label in enumerate(records.lines(arm)):
            reached = records.reached[of_arm, :, b].mean(axis=0)
            external, local = records.cents[of_arm, :, b], records.local[of_arm, :, b]
            block = {
                "arm": arm,
                "activity": label,
                "family": _family(records, arm, b),
                "week": np.arange(records.end + 1),
                "units": records.units[of_arm, :, b].mean(axis=0),
                "spent": (external + local).mean(axis=0) / 100.0,
                "spent_local": local.mean(axis=0) / 100.0,
                "reached": reached.sum(axis=1),
            }
            block |= {f"reached__{group}": reached[:, g] for g, group in enumerate(records.groups)}
            rows.append(pd.DataFrame(block))
    columns = ["arm", "activity", "family", "week", "units", "spent", "spent_local", "reached"]
    columns += [f"reached__{group}" for group in records.groups]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def _family(records: Records, arm: str, line: int) -> str:
    uses = records.uses(arm)
    kind = uses[line].kind if line < len(uses) else SURVEY
    spec = records.scenario.activities.get(kind)
    return spec.family if spec is not None else "support"


def table_of_domains(records: Records) -> pd.DataFrame:
    """Return one row an arm and decision week: Lippman's six domains of mobilization, the mean over runs.

    Parameters
    ----------
    records : what was measured.

    Notes
    -----
    Shared concern is the mean of appeal, 0 for the unaware, critical consciousness the share aware,
    organizational structures and networks the coalition, leadership the share organizing, collective action
    the share taking part, and social cohesion the mean of trust.

    Source: Lippman, S. A. et al. (2013). Conceptualizing community mobilization for HIV prevention.
    PLoS ONE 8, e78208.
    """
    import pandas as pd

    weeks = list(records.mean_weeks)
    n = records.group_sizes.sum(axis=1)[:, None]
    counts = records.counts[:, weeks].sum(axis=2) / n[..., None]
    sums = records.sums.sum(axis=2) / UNIT / n[..., None]
    domains = {
        "shared_concern": sums[..., CONCERN],
        "consciousness": counts[..., AWARE],
        "organizations": records.coalition[:, weeks],
        "leadership": counts[..., ORGANIZING],
        "collective_action": counts[..., PARTICIPATING],
        "cohesion": sums[..., TRUST],
    }
    rows = [
        pd.DataFrame(
            {"arm": arm, "week": weeks}
            | {name: values[of_arm].mean(axis=0) for name, values in domains.items()}
        )
        for arm, of_arm in records.rows_by_arm().items()
    ]
    return pd.concat(rows, ignore_index=True)
