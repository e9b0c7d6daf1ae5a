"""Exposure, thresholds, infection and susceptibility against their formulas, written out person by person."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.unit.analysis.diffusion.observed import chain, drawn

from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import exposure, thresholds, withstood
from mobsim.analysis.diffusion.position import infection, susceptibility
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick


def contacts(data: ObservedDiffusion, person: int, direction: str, valued: bool) -> dict[int, float]:
    found: dict[int, float] = {}
    for a, b, value in zip(data.ego.tolist(), data.alter.tolist(), data.value.tolist(), strict=True):
        for who, other, way in ((a, b, "out"), (b, a, "in")):
            if who == person and direction in (way, "both"):
                found[other] = found.get(other, 0.0) + value if valued else 1.0
    return found


def plain_exposure(
    data: ObservedDiffusion, person: int, period: int, lag: int, direction: str, valued: bool
) -> float:
    if period - lag < 1:
        return math.nan
    of = contacts(data, person, direction, valued)
    if any(data.time[j] == 0 and data.last_seen[j] < period - lag for j in of):
        return math.nan
    had = sum(w for j, w in of.items() if 0 < data.time[j] <= period - lag)
    return had / sum(of.values()) if of else 0.0


@pytest.mark.parametrize("direction", ["out", "in", "both"])
@pytest.mark.parametrize(("lag", "valued", "lost"), [(0, False, False), (1, True, False), (2, False, True)])
def test_exposure_is_the_share_of_contacts_who_had_adopted(
    direction: str, lag: int, valued: bool, lost: bool
) -> None:
    data = drawn(3, lost=lost, ties=0.05)
    found = exposure(data, lag=lag, valued=valued, direction=direction)  # type: ignore[arg-type]
    for person in range(data.n_people):
        for period in range(1, data.n_periods + 1):
            expected = plain_exposure(data, person, period, lag, direction, valued)
            assert found[person, period - 1] == pytest.approx(expected, nan_ok=True)
    level = thresholds(data, lag=lag, valued=valued, direction=direction)  # type: ignore[arg-type]
    open_at = withstood(data, lag=lag, valued=valued, direction=direction)  # type: ignore[arg-type]
    for person, time in enumerate(data.time):
        if time:
            assert level[person] == pytest.approx(found[person, time - 1], nan_ok=True)
            assert math.isnan(open_at[person])
        else:
            assert math.isnan(level[person])
            assert open_at[person] == pytest.approx(found[person, data.last_seen[person] - 1], nan_ok=True)


def test_isolates_and_those_of_the_first_period() -> None:
    data = chain([1, 2, 0], 3)
    assert exposure(data)[0].tolist() == [0, 0, 0]
    assert np.isnan(exposure(data, isolates=math.nan)[0]).all()
    assert thresholds(data).tolist()[:2] == [0, 1]
    assert np.isnan(thresholds(data, first_period=False)[0])


def test_what_is_not_allowed() -> None:
    data = chain([1, 2, 0], 3)
    with pytest.raises(UsageError, match="lag: found 3; allowed are whole numbers from 0 to 2"):
        exposure(data, lag=3)
    with pytest.raises(UsageError, match=r"direction: found 'outt'; .*; did you mean 'out'\?"):
        exposure(data, direction="outt")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="periods: found 0"):
        infection(data, periods=0)
    with pytest.raises(UsageError, match="discount: found 'none'"):
        susceptibility(data, discount="none")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="rate: found -1"):
        susceptibility(data, rate=-1, discount="exponential")


def plain_position(
    data: ObservedDiffusion, person: int, periods: int, weight: list[float], way: int, normalized: bool
) -> float:
    """Infection (way 1: those who name the person, after) or susceptibility (−1: those named, before)."""
    if data.time[person] == 0:
        return math.nan
    above = below = among = 0.0
    for k in range(1, periods + 1):
        when = data.time[person] + way * k
        for a, b in zip(data.ego, data.alter, strict=True):
            me, other = (b, a) if way == 1 else (a, b)
            if me == person and data.time[other]:
                above += weight[k - 1] * (data.time[other] == when)
                below += weight[k - 1] * (way * (data.time[other] - when) >= 0)
        among += weight[k - 1] * sum(1 for t in data.time if t == when and t > 0)
    share = above / below if below else 0.0
    return (share / among if among else 0.0) if normalized else share


@pytest.mark.parametrize(("periods", "discount"), [(1, "linear"), (3, "linear"), (3, "exponential")])
@pytest.mark.parametrize("normalized", [True, False])
def test_infection_and_susceptibility(periods: int, discount: str, normalized: bool) -> None:
    data = drawn(5)
    weight = [1 / k if discount == "linear" else 1.5 ** (1 - k) for k in range(1, periods + 1)]
    for function, way in ((infection, 1), (susceptibility, -1)):
        found = function(data, periods=periods, discount=discount, normalized=normalized)  # type: ignore[operator]
        expected = [plain_position(data, i, periods, weight, way, normalized) for i in range(data.n_people)]
        assert found == pytest.approx(expected, nan_ok=True)
