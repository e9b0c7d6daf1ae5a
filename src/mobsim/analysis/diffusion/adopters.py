"""Counting adopters: curves, hazard, saturation by community, and categories of adopters and thresholds.

Corresponds to netdiffuseR's `cumulative_adopt_count()`, `hazard_rate()` and `classify_adopters()`.

Sources
-------
Rogers, E. M. (2003). Diffusion of Innovations, 5th ed. Free Press. (categories of 2.5, 13.5, 34, 34, 16 %)
Valente, T. W. (1995). Network Models of the Diffusion of Innovations. Hampton Press.
Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the
    American Statistical Association 53, 457-481.
Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association 22, 209-212.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import Direction, thresholds
from mobsim.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

ADOPTERS = ("early adopters", "early majority", "late majority", "laggards")
"""Categories by mean and standard deviation of the time of adoption."""

ROGERS = ("innovators", "early adopters", "early majority", "late majority", "laggards")
"""Rogers' categories, and the shares of adopters at which they end."""

ROGERS_ENDS = (0.025, 0.16, 0.5, 0.84)

THRESHOLDS = ("very low", "low", "high", "very high")
"""Categories by mean and standard deviation of thresholds."""

NOT_ADOPTED = "not adopted"


def adoption_by_period(data: ObservedDiffusion, *, confidence: float = 0.95) -> pd.DataFrame:
    """Return how many adopted in each period, and which share of those who still could.

    Parameters
    ----------
    data : the people.
    confidence : of the intervals of the hazard.

    Returns
    -------
    One row a period: period (label), adopters, cumulative, share (of all people), at_risk (had not adopted
    before, and observed in the period), lost (seen for the last time in the period without adopting), hazard
    (adopters / at_risk; NaN where nobody is at risk), low and high (Wilson), adopted_by (one minus Kaplan and
    Meier's estimate of not having adopted; equals share if nobody is lost).

    Notes
    -----
    netdiffuseR: `cumulative_adopt_count()` and `hazard_rate()`, which prints 0 for the first period, whatever
    happened in it.
    """
    import pandas as pd

    if not 0 < confidence < 1:
        raise UsageError(f"confidence: found {confidence}; allowed are numbers between 0 and 1")
    period = np.arange(1, data.n_periods + 1)
    adopters = np.bincount(data.time, minlength=data.n_periods + 1)[1:]
    at_risk = (
        (data.last_seen[:, None] >= period) & ((data.time[:, None] == 0) | (data.time[:, None] >= period))
    ).sum(axis=0)
    lost = np.bincount(data.last_seen[~data.adopted], minlength=data.n_periods + 1)[1:]
    lost[-1] = 0  # to be seen until the end is not to be lost
    hazard = np.divide(adopters, at_risk, out=np.full(len(period), np.nan), where=at_risk > 0)
    low, high = wilson(adopters, at_risk, confidence)
    cumulative = np.cumsum(adopters)
    return pd.DataFrame(
        {
            "period": data.periods,
            "adopters": adopters,
            "cumulative": cumulative,
            "share": cumulative / data.n_people,
            "at_risk": at_risk,
            "lost": lost,
            "hazard": hazard,
            "low": low,
            "high": high,
            "adopted_by": 1 - np.cumprod(1 - np.nan_to_num(hazard)),
        }
    )


def wilson(
    successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Wilson's interval of shares, NaN where there are no trials.

    Parameters
    ----------
    successes, trials : counts.
    confidence : between 0 and 1.

    Examples
    --------
    >>> low, high = wilson([0], [10])
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.0, 0.278)
    """
    n = np.asarray(trials, np.float64)
    n = np.where(n > 0, n, np.nan)
    share = np.asarray(successes, np.float64) / n
    z = float(ndtri((1 + confidence) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def curves_by_community(data: ObservedDiffusion) -> pd.DataFrame:
    """Return cumulative adopters of each community.

    Parameters
    ----------
    data : the people.

    Returns
    -------
    One row a community and period: community, period (label), adopters, cumulative, people, share.
    """
    import pandas as pd

    communities = data.communities
    counts = np.zeros((len(communities), data.n_periods + 1), np.int64)
    np.add.at(counts, (data.place_of_community, data.time), 1)
    people = counts.sum(axis=1)
    adopters = counts[:, 1:]
    cumulative = adopters.cumsum(axis=1)
    return pd.DataFrame(
        {
            "community": np.repeat(np.array(communities, object), data.n_periods),
            "period": np.tile(data.periods, len(communities)),
            "adopters": adopters.ravel(),
            "cumulative": cumulative.ravel(),
            "people": np.repeat(people, data.n_periods),
            "share": (cumulative / people[:, None]).ravel(),
        }
    )


def saturation_by_community(
    data: ObservedDiffusion, *, share: float = 0.5, valued: bool = False, direction: Direction = "out"
) -> pd.DataFrame:
    """Return how far each community came, how fast, and how it is tied.

    Parameters
    ----------
    data : the people and ties.
    share : the share of people whose time is told.
    valued, direction : for thresholds, see `exposure`.

    Returns
    -------
    One row a community: community, people, adopters, saturation (share that adopted), time_to_share (label of
    the first period by whose end at least `share` had adopted; NaN if never), periods_to_share (the same,
    counted from 1), lost (people lost from sight before the end), ties (within), density, named (mean number
    of people whom one names), mutual (share of ties that are returned), isolates (people who name nobody and
    whom nobody names), threshold (mean of adopters).
    """
    import pandas as pd

    if not 0 < share <= 1:
        raise UsageError(f"share: found {share}; allowed are numbers above 0, up to 1")
    communities = data.communities
    place = data.place_of_community
    n = len(communities)
    people = np.bincount(place, minlength=n)
    curves = curves_by_community(data)["share"].to_numpy().reshape(n, data.n_periods)
    reached = curves >= share - 1e-12
    periods = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.nan)
    inside = place[data.ego] == place[data.alter]
    ties = np.bincount(place[data.ego[inside]], minlength=n)
    returned = np.isin(data.alter * data.n_people + data.ego, data.ego * data.n_people + data.alter)
    tied = np.zeros(data.n_people, np.bool_)
    tied[data.ego] = tied[data.alter] = True
    level = thresholds(data, valued=valued, direction=direction)
    known = ~np.isnan(level)
    return pd.DataFrame(
        {
            "community": list(communities),
            "people": people,
            "adopters": np.bincount(place, data.adopted, n).astype(np.int64),
            "saturation": curves[:, -1],
            "time_to_share": periods + data.first_period - 1,
            "periods_to_share": periods,
            "lost": np.bincount(place, ~data.adopted & (data.last_seen < data.n_periods), n).astype(np.int64),
            "ties": ties,
            "density": _ratio(ties, people * (people - 1)),
            "named": np.bincount(place[data.ego], minlength=n) / people,
            "mutual": _ratio(np.bincount(place[data.ego[inside]], returned[inside], n), ties),
            "isolates": np.bincount(place, ~tied, n).astype(np.int64),
            "threshold": _ratio(
                np.bincount(place[known], level[known], n), np.bincount(place[known], minlength=n)
            ),
        }
    )


def _ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    over = np.asarray(below, np.float64)
    found: Floats = np.full(len(over), np.nan)
    np.divide(np.asarray(above, np.float64), over, out=found, where=over > 0)
    return found


# Categories


def by_deviations(values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return 0 to 3: below mean − sd, below the mean, below mean + sd, the rest; −1 where a value is NaN.

    Parameters
    ----------
    values : (n,) numbers. Mean and standard deviation (n − 1) are those of all that are not NaN.

    Notes
    -----
    A value that equals a bound belongs above it. netdiffuseR's `classify_adopters()` does the same, though
    its documentation says "at most". Without spread everybody is in the highest category.
    """
    x = np.asarray(values, np.float64)
    known = ~np.isnan(x)
    found = np.full(len(x), -1, np.int64)
    if known.any():
        some = x[known]
        sd = some.std(ddof=1) if len(some) > 1 else 0.0
        bounds = some.mean() + sd * np.array([-1.0, 0.0, 1.0])
        found[known] = np.searchsorted(bounds, some, side="right")
    return found


def adopter_categories(
    data: ObservedDiffusion, *, rule: Literal["deviations", "rogers"] = "deviations"
) -> npt.NDArray[np.object_]:
    """Return everybody's category by time of adoption.

    Parameters
    ----------
    data : the people.
    rule : `deviations`: by mean and standard deviation of adopters' times (`ADOPTERS`); `rogers`: the first
        2.5 % of adopters, the next 13.5, 34, 34 and 16 % (`ROGERS`). Those who adopt in one period stand
        together, at the middle of their places, so that shares are only close to these.

    Returns
    -------
    (n,) words; `not adopted` for those who did not.
    """
    found = np.full(data.n_people, NOT_ADOPTED, object)
    if rule == "deviations":
        place = by_deviations(np.where(data.adopted, data.time, np.nan))
        names: tuple[str, ...] = ADOPTERS
    elif rule == "rogers":
        counts = np.bincount(data.time, minlength=data.n_periods + 1)[1:]
        middle = (np.cumsum(counts) - counts / 2) / max(1, counts.sum())
        of_period = np.searchsorted(ROGERS_ENDS, middle, side="right")
        place = np.where(data.adopted, of_period[np.maximum(data.time, 1) - 1], -1)
        names = ROGERS
    else:
        raise UsageError(f"rule: found {rule!r}; allowed are 'deviations' and 'rogers'")
    for k, name in enumerate(names):
        found[place == k] = name
    return found


def threshold_categories(values: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Return everybody's category by threshold, `not adopted` where it is NaN.

    Parameters
    ----------
    values : (n,) thresholds. Categories (`THRESHOLDS`) are by mean and standard deviation.
    """
    place = by_deviations(values)
    words = np.array([*THRESHOLDS, NOT_ADOPTED], object)
    return np.asarray(words[place], object)


def categories_table(data: ObservedDiffusion, levels: npt.ArrayLike) -> pd.DataFrame:
    """Return which percentage of all people is in each category of time (rows) and threshold (columns).

    Parameters
    ----------
    data : the people.
    levels : (n,) thresholds.

    Returns
    -------
    Percentages of all people; rows and columns of those who did not adopt are there if somebody did not.
    netdiffuseR: `ftable(classify_adopters())`.
    """
    import pandas as pd

    names = pd.Series(adopter_categories(data), name="adopters")
    words = pd.Series(threshold_categories(levels), name="threshold")
    table = pd.crosstab(names, words) * 100 / data.n_people
    open_rows = [NOT_ADOPTED] if NOT_ADOPTED in table.index else []
    open_columns = [NOT_ADOPTED] if NOT_ADOPTED in table.columns else []
    return table.reindex(
        index=[*ADOPTERS, *open_rows], columns=[*THRESHOLDS, *open_columns], fill_value=0.0
    ).astype(np.float64)
