"""The table of surveys: what the campaign believes, the truth beside it, and what it did next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobsim.campaign.activity import CAUSES, activity_names
from mobsim.engine.records import AWARE, PARTICIPATING, Records
from mobsim.engine.scoring import estimated_share
from mobsim.engine.survey import SurveyResult

if TYPE_CHECKING:
    import pandas as pd

ASKED_ABOUT = (("participation", PARTICIPATING), ("aware", AWARE))


def table_of_surveys(records: Records) -> pd.DataFrame:
    """Return one row a run and survey.

    Parameters
    ----------
    records : what was measured.
    """
    import pandas as pd

    rows = [_row(records, row, survey) for row, survey in records.surveys_asked]
    if not rows:
        return pd.DataFrame(columns=["arm", "community", "luck", "week"])
    table = pd.DataFrame(rows)
    shares = [name for name in table.columns if name.startswith("share__")]
    return table[[*(name for name in table.columns if name not in shares), *shares]]


def _row(records: Records, row: int, survey: SurveyResult) -> dict[str, object]:
    run = records.runs_index[row]
    table: dict[str, object] = {
        "arm": run.arm,
        "community": run.community,
        "luck": run.luck,
        "week": survey.week,
        "respondents": int(survey.respondents),
        "misreport": float(survey.misreport),
        "price": survey.price_cents / 100.0,
    }
    for name, which in ASKED_ABOUT:
        yes = survey.participating_yes if name == "participation" else survey.aware_yes
        everybody = list(range(len(records.groups)))
        for ending, members in (("", everybody), *((f"__{g}", [k]) for k, g in enumerate(records.groups))):
            found, error = estimated_share(yes, survey, records.group_sizes[row], members)
            table[f"{name}_estimate{ending}"] = found
            table[f"{name}_error{ending}"] = error
            table[f"{name}_truth{ending}"] = _truth(records, row, survey.week, which, members)
    table |= {f"cause__{cause}": int(number) for cause, number in zip(CAUSES, survey.causes, strict=True)}
    labels = activity_names(records.uses(run.arm))
    table |= {f"share__{label}": float(share) for label, share in zip(labels, survey.shares, strict=True)}
    chosen = survey.group_chosen
    return table | {"group_chosen": None if chosen is None else records.groups[chosen]}


def _truth(records: Records, row: int, week: int, which: int, members: list[int]) -> float:
    """Share at the end of the week before the survey; not recorded before week 0."""
    size = int(records.group_sizes[row, members].sum())
    if week == 0 or size == 0:
        return float("nan")
    return float(records.counts[row, week - 1, members, which].sum() / size)
