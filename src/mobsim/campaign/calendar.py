"""The nine steps of social mobilization as dated, overlapping periods."""

from __future__ import annotations

from pydantic import Field, model_validator

from mobsim.spec import Spec

STEPS = (
    "assess",
    "goals",
    "stakeholders",
    "mobilize",
    "train",
    "advocate",
    "implement",
    "monitor",
    "sustain",
)
"""The nine steps in the order of the source text."""


class Period(Spec):
    """Weeks in which a step runs: from the first, up to but not including the last."""

    first: int = Field(..., ge=0, le=100_000, description="first week of the step")
    until: int | None = Field(
        None, ge=0, le=100_000, description="week before which the step ends; none: the horizon"
    )
    every: int | None = Field(None, ge=1, le=100_000, description="weeks between occasions; none: every week")

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.until is not None and self.until <= self.first:
            raise ValueError("until must be after first")
        return self


def _period(first: int, until: int | None = None, every: int | None = None) -> Period:
    return Period(first=first, until=until, every=every)


class CalendarSpec(Spec):
    """When each of the nine steps runs ([A], docs/odd.md, 5)."""

    assess: Period = _period(0, 4)
    goals: Period = _period(4, 6)
    stakeholders: Period = _period(4, 16)
    mobilize: Period = _period(6)
    train: Period = _period(8)
    advocate: Period = _period(12)
    implement: Period = _period(6, 78)
    monitor: Period = _period(13, None, 13)
    sustain: Period = _period(78)

    def running(self, week: int) -> tuple[str, ...]:
        """Return the steps that run in a week.

        Parameters
        ----------
        week : the week, 0 is the first campaign week.
        """
        return tuple(step for step in STEPS if _runs(getattr(self, step), week))


def _runs(period: Period, week: int) -> bool:
    if week < period.first or (period.until is not None and week >= period.until):
        return False
    return period.every is None or (week - period.first) % period.every == 0
