"""Tables by week: runs, activities, and Lippman's six domains. Columns are declared in `outcomes.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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

Column = npt.NDArray[Any]


def table_of_weeks(records: Records) -> pd.DataFrame:
    """Return one row a run and week.

    Parameters
    ----------
    records : what was measured.
    """
    import pandas as pd

    n_weeks = records.end + 1
    keys = {name: np.repeat(np.asarray(value), n_weeks) for name, value in records.keys().items()}
    return pd.DataFrame(keys | columns_of_weeks(records))


def columns_of_weeks(records: Records, weeks: Sequence[int] | None = None) -> dict[str, Column]:
    """Return (runs x weeks,) the week and what was measured at its end, run after run.

    Parameters
    ----------
    records : what was measured.
    weeks : which weeks, in rising order; none: all.
    """
    chosen = slice(None) if weeks is None else np.array(weeks)
    counts = records.counts[:, chosen]
    n_runs, n_weeks = counts.shape[:2]
    table: dict[str, Column] = {"week": np.tile(np.arange(records.end + 1)[chosen], n_runs)}
    sizes = np.broadcast_to(records.group_sizes[:, None, :], counts.shape[:3])
    residents = sizes.sum(axis=2)
    counted = (
        ("aware", AWARE),
        ("participation", PARTICIPATING),
        ("contacted", CONTACTED),
        ("organizers", ORGANIZING),
    )
    for name, which in counted:
        count = counts[..., which]
        table[name] = (count.sum(axis=2) / residents).ravel()
        for g, group in enumerate(records.groups):
            table[f"{name}__{group}"] = ratio(count[..., g], sizes[..., g]).ravel()
    table["results"] = records.results[:, chosen].ravel()
    table["wins"] = records.wins[:, chosen].ravel()
    table["coalition"] = records.coalition[:, chosen].ravel()
    stances = records.stances[:, chosen]
    leaders = np.broadcast_to(records.leaders[:, None], (n_runs, n_weeks))
    table["supportive"] = ratio(stances[..., SUPPORTIVE], leaders).ravel()
    table["opposed"] = ratio(stances[..., OPPOSED], leaders).ravel()
    table["contacts_by_organizers"] = records.contacts[:, chosen].ravel()
    local = records.local[:, chosen].sum(axis=2)
    table["spent"] = ((records.cents[:, chosen].sum(axis=2) + local) / 100.0).ravel()
    table["spent_local"] = (local / 100.0).ravel()
    table["local_income"] = (records.income[:, chosen] / 100.0).ravel()
    return table


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
