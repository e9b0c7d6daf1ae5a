"""Monitoring: in which weeks an arm asks, and what it may conclude from the answers (docs/odd.md, 7.12).

A survey sees a sample of residents, some of whom answer falsely. Estimates correct for the false answers and
come with a standard error; nobody is shown the true state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mobsim.campaign.calendar import CalendarSpec


class Estimate(NamedTuple):
    """An estimated share in [0, 1] with its standard error; both NaN if nobody was asked."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class Estimates:
    """What a survey lets the campaign believe.

    week : the week of the survey.
    respondents : number of residents asked.
    misreport : chance that an answer was false.
    aware, participating : share of all residents.
    aware_by_group, participating_by_group : share of each group's residents.
    causes : number who name information, capability, barrier, trust as their reason not to take part.
    """

    week: int
    respondents: int
    misreport: float
    aware: Estimate
    participating: Estimate
    aware_by_group: tuple[Estimate, ...]
    participating_by_group: tuple[Estimate, ...]
    causes: tuple[int, int, int, int]


def estimate(yes: int, asked: int, size: int, misreport: float) -> Estimate:
    """Estimate a share from yes/no answers of which some are false.

    If a share p of the residents would truly say yes, p·(1 − ε) + (1 − p)·ε of them do on average; solved for
    p this gives (p̂ − ε)/(1 − 2ε) with p̂ = yes/asked, clipped to [0, 1]. The standard error joins that of a
    sample without replacement with that of the false answers.

    Parameters
    ----------
    yes : how many said yes.
    asked : number of respondents, drawn without replacement.
    size : number of residents from whom they were drawn.
    misreport : ε, chance that an answer is false, in [0, 0.5).

    Examples
    --------
    >>> estimate(38, 100, 1000, 0.2).value
    0.3
    >>> estimate(300, 1000, 1000, 0.0)
    Estimate(value=0.3, standard_error=0.0)
    """
    if asked == 0:
        return Estimate(math.nan, math.nan)
    found = yes / asked
    honest = 1.0 - 2.0 * misreport
    value = min(1.0, max(0.0, (found - misreport) / honest))
    sampling = (1.0 - asked / size) * found * (1.0 - found) / asked
    answering = misreport * (1.0 - misreport) / size
    return Estimate(value, math.sqrt(sampling + answering) / honest)


def estimates_of(
    week: int,
    misreport: float,
    sizes: Sequence[int],
    asked: Sequence[int],
    aware_yes: Sequence[int],
    participating_yes: Sequence[int],
    causes: tuple[int, int, int, int],
) -> Estimates:
    """Estimate awareness and participation for all and by group.

    Parameters
    ----------
    week : the week of the survey.
    misreport : chance that an answer was false.
    sizes : residents of each group.
    asked : respondents of each group.
    aware_yes, participating_yes : how many of them said that they are aware, that they take part.
    causes : number who name each of the four causes.
    """

    def overall(yes: Sequence[int]) -> Estimate:
        return estimate(sum(yes), sum(asked), sum(sizes), misreport)

    def by_group(yes: Sequence[int]) -> tuple[Estimate, ...]:
        return tuple(
            estimate(said, n, size, misreport) for said, n, size in zip(yes, asked, sizes, strict=True)
        )

    return Estimates(
        week=week,
        respondents=sum(asked),
        misreport=misreport,
        aware=overall(aware_yes),
        participating=overall(participating_yes),
        aware_by_group=by_group(aware_yes),
        participating_by_group=by_group(participating_yes),
        causes=causes,
    )


def survey_weeks(calendar: CalendarSpec, funding_ends_week: int, horizon_weeks: int) -> tuple[int, ...]:
    """Return the weeks in which arms with a survey ask, ascending.

    The first week of the step assess, and every week in which the step monitor runs, as long as there is
    funding.

    Parameters
    ----------
    calendar : when the nine steps run.
    funding_ends_week : week before which funding ends.
    horizon_weeks : number of campaign weeks.

    Examples
    --------
    >>> survey_weeks(CalendarSpec(), 78, 130)
    (0, 13, 26, 39, 52, 65)
    """
    end = min(funding_ends_week, horizon_weeks)
    assess, monitor = calendar.assess, calendar.monitor
    until = end if monitor.until is None else min(monitor.until, end)
    first = [assess.first] if assess.first < end else []
    return tuple(sorted({*first, *range(monitor.first, until, monitor.every or 1)}))
