"""One outcome of a sweep as an array (point, arm, community, luck), and the factors that its points vary.

Every analysis of a sweep starts here, so that noise is treated alike in all of them and as in `compare`:
arms of one replicate (community, luck) share people, ties and luck; a replicate that some arm lacks is left
out for that point; luck is averaged first; the community is what counts as independent. The same community
stands at every point, so whatever is resampled is the community, at all points together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mobsim.analysis.compare import NOT_MORE_IS_BETTER
from mobsim.analysis.facts import POOLED
from mobsim.analysis.statistics import Floats, Interval, finite_array, paired_interval, restricted_weeks
from mobsim.analysis.study import PRIMARY, single_community
from mobsim.analysis.verdict import COMMUNITIES, LUCKS, NO_CAMPAIGN, Units, in_points, in_words, listed
from mobsim.errors import ResultsError, UsageError, nearest

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

KEYS = ("point", "arm", "community", "luck")
"""Columns that say which run a row is."""

NO_SHARES = (
    "concern", "contacts", "cost", "local_income", "parity", "persistence_ratio", "time_to_goal", "unspent",
    "volunteer_hours", "wins",
)  # fmt: skip
"""Beginnings of outcomes that are no share, so that their differences are not said in points."""

FEW_LEVELS = 4
"""A numeric factor with no more different values than this is shown value by value."""

MOST_NAMED = 8
"""So many points are named in a sentence; the others are counted."""

HORIZON = "campaign.horizon_weeks"


class FactorLike(Protocol):
    """What is asked of a factor; `mobsim.experiment.factors.Factor` has it."""

    @property
    def name(self) -> str:
        """Name of its column in `points`."""

    @property
    def places(self) -> tuple[str, ...]:
        """Places of the scenario that it sets."""

    @property
    def low(self) -> float | None:
        """Least value of a range."""

    @property
    def high(self) -> float | None:
        """Greatest value of a range."""

    @property
    def values(self) -> tuple[Any, ...] | None:
        """Listed values."""

    @property
    def scale(self) -> str:
        """`linear` or `log`."""

    @property
    def base(self) -> Any:
        """The scenario's own value."""

    def label(self, value: Any) -> Any:
        """What the table of points shows for a value."""


class SweptResults(Protocol):
    """What is analysed; `mobsim.load_results` returns it."""

    @property
    def points(self) -> pd.DataFrame:
        """One row a point: `point` and one column a factor."""

    @property
    def factors(self) -> Sequence[FactorLike]:
        """What varies, in the order of the columns."""

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, `none` first."""

    @property
    def scenario(self) -> Any:
        """The scenario whose places the points set."""

    def runs(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One row a run: point, arm, community, luck and the outcomes named in `columns`."""


@dataclass(frozen=True, eq=False)
class Axis:
    """The values of one factor at all points.

    Attributes
    ----------
    name : of the factor.
    values : (P,) object, as in the table of points.
    unit : (P,) in [0, 1]: where a value stands between the least and the greatest, on the factor's scale;
        for words their number among the levels, scaled.
    levels : the words a factor without numbers takes, in its own order; empty for numbers.
    low, high : the range of a numeric factor; NaN for words.
    log : whether it is scaled by its logarithm.
    base : the scenario's own value as a word, or None.
    """

    name: str
    values: NDArray[np.object_]
    unit: Floats
    levels: tuple[str, ...]
    low: float
    high: float
    log: bool
    base: str | None

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return not self.levels

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The value at each point as a word."""
        return tuple(word_of(value) for value in self.values)

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """The different values as words, in order."""
        if self.levels:
            return self.levels
        ordered = sorted(set(zip(self.unit.tolist(), self.words, strict=True)))
        return tuple(dict.fromkeys(word for _, word in ordered))

    def at(self, unit: Any) -> Floats:
        """Return the values of a numeric factor at places in [0, 1]."""
        share = np.asarray(unit, dtype=np.float64)
        if self.log:
            found: Floats = np.exp(np.log(self.low) + share * (np.log(self.high) - np.log(self.low)))
            return found
        between: Floats = self.low + share * (self.high - self.low)
        return between


@dataclass(frozen=True, eq=False)
class Swept:
    """One outcome of a sweep.

    Attributes
    ----------
    outcome : its name.
    points : one row a point, as the sweep has them.
    axes : the factors.
    arms : names; `none` first.
    units : labels of what is independent: communities, or lucks of an imported community.
    repeats : labels of what is averaged first.
    values : (P, arms, units, repeats) the outcome; NaN in all arms where a replicate is left out.
    unit_words : how sentences call the units.
    matters : smallest difference that matters, as a share.
    notes : sentences on what is missing or left out.
    """

    outcome: str
    points: pd.DataFrame
    axes: tuple[Axis, ...]
    arms: tuple[str, ...]
    units: tuple[object, ...]
    repeats: tuple[object, ...]
    values: Floats
    unit_words: Units
    matters: float
    notes: tuple[str, ...]

    @cached_property
    def means(self) -> Floats:
        """(P, arms, units) mean over luck; NaN where a unit has no replicate left."""
        kept = np.isfinite(self.values)
        count = kept.sum(axis=3)
        sums = np.where(kept, self.values, 0.0).sum(axis=3)
        means: Floats = np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)
        return means

    @property
    def numbers(self) -> list[int]:
        """The numbers of the points."""
        return [int(number) for number in self.points["point"]]

    def contrast(self, arm: str, against: str | None = None) -> Floats:
        """Return (P, units) an arm's outcome, or its paired difference from another arm.

        Parameters
        ----------
        arm : the arm.
        against : the other arm, or None for the level.
        """
        chosen = self.means[:, self.row(arm)]
        return chosen if against is None else chosen - self.means[:, self.row(against)]

    def row(self, arm: str) -> int:
        """Return the row of an arm, or raise UsageError with the arms there are."""
        if arm not in self.arms:
            raise UsageError(
                f"arm: found {arm!r}; allowed are {', '.join(self.arms)}{nearest(arm, self.arms)}"
            )
        return self.arms.index(arm)

    def axis(self, name: str) -> Axis:
        """Return a factor, or raise UsageError with the factors there are."""
        names = [axis.name for axis in self.axes]
        if name not in names:
            raise UsageError(f"factor: found {name!r}; allowed are {', '.join(names)}{nearest(name, names)}")
        return self.axes[names.index(name)]

    def amount(self, value: float) -> str:
        """Write a value: shares in points with one decimal, other outcomes with four digits."""
        return in_points(value) if is_share(self.outcome) else f"{value + 0.0:.4g}"

    @property
    def matters_in_words(self) -> str:
        """The smallest difference that matters: `1 point`, `2.5 points`."""
        return f"{100 * self.matters:g} {'point' if self.matters == 0.01 else 'points'}"

    def measured(self, value: float) -> str:
        """Write a value with its unit: `4.1 points`."""
        return f"{self.amount(value)} points" if is_share(self.outcome) else self.amount(value)


def read_outcome(
    results: SweptResults, outcome: str | None = None, *, arms: Sequence[str] | None = None
) -> Swept:
    """Return one outcome of a sweep as an array, with a sentence for everything that is left out.

    Parameters
    ----------
    results : of a sweep.
    outcome : a column of the table of runs; none: the one that the design names, else participation_fe.
    arms : those to read; none: all. A replicate is complete when each of these was run.

    Raises
    ------
    UsageError : for an outcome or arm that the sweep does not have.
    ResultsError : if a run is there twice, or no replicate is complete.
    """
    name = outcome or _outcome_of_design(results) or PRIMARY
    wanted = tuple(results.arms if arms is None else dict.fromkeys(arms))
    for arm in wanted:
        if arm not in results.arms:
            raise UsageError(f"arm: found {arm!r}; allowed are {', '.join(results.arms)}"
                             f"{nearest(arm, results.arms)}")  # fmt: skip
    runs = _runs_with(results, name)
    points = results.points.reset_index(drop=True)
    axes = tuple(_axis(factor, points) for factor in results.factors)
    single = single_community(results.scenario)
    values, ran, communities, luck = _as_array(runs, points, wanted, name)
    if name.startswith("time_to_goal"):
        values = _restricted(values, ran, results, points)
    values, notes = _whole_replicates(values, ran, points, name)
    if getattr(results, "complete", True) is False:
        notes.insert(0, "the sweep is not finished: this is what there is so far")
    if POOLED.get(name):
        notes.append(f"{name} is the mean over runs here, not pooled over {COMMUNITIES.many} as in compare")
    if single:
        values = values.transpose(0, 1, 3, 2)
        communities, luck = luck, communities
    units = LUCKS if single else COMMUNITIES
    notes += _notes_on_units(values, points, units)
    matters = float(results.scenario.matters)
    return Swept(
        name, points, axes, wanted, communities, luck, np.ascontiguousarray(values), units, matters,
        tuple(notes),
    )  # fmt: skip


def is_share(outcome: str) -> bool:
    """Say whether an outcome is a share or a difference of shares, which is said in points."""
    return not outcome.startswith(NO_SHARES)


def check_more_is_better(outcome: str) -> None:
    """Refuse an outcome on which no ranking can be built."""
    if outcome.startswith(NOT_MORE_IS_BETTER):
        raise UsageError(
            f"outcome: found {outcome!r}; a ranking needs a share of which more is better, such as {PRIMARY}"
        )


def interval_of(values: Floats, *, confidence: float = 0.95, comparisons: int = 1) -> Interval:
    """Return the t interval over the units that have a value; NaN where there are none or only one.

    Parameters
    ----------
    values : (units,) one value a unit; NaN where it has none.
    confidence, comparisons : as in `paired_interval`.
    """
    there = values[np.isfinite(values)]
    if not len(there):
        return Interval(float("nan"), float("nan"), float("nan"))
    return paired_interval(there, confidence=confidence, comparisons=comparisons)


def whole_block(missing: Bools) -> tuple[Rows, Rows]:
    """Return rows and columns that hold nothing missing, leaving out line by line the one that misses most.

    Parameters
    ----------
    missing : (n, m).

    Examples
    --------
    >>> rows, columns = whole_block(np.array([[False, False], [True, True], [False, False]]))
    >>> rows.tolist(), columns.tolist()
    ([0, 2], [0, 1])
    """
    rows, columns = (np.arange(size, dtype=np.int64) for size in missing.shape)
    while len(rows) and len(columns):
        part = missing[np.ix_(rows, columns)]
        if not part.any():
            break
        by_row, by_column = part.mean(axis=1), part.mean(axis=0)
        if by_row.max() >= by_column.max():
            rows = np.delete(rows, int(by_row.argmax()))
        else:
            columns = np.delete(columns, int(by_column.argmax()))
    return rows, columns


def resampled_units(n_units: int, resamples: int, *, seed: int = 1) -> Floats:
    """Return (resamples, n_units) how often each unit is drawn, the same for the same numbers.

    Parameters
    ----------
    n_units : how many there are; as many are drawn, with replacement.
    resamples : how many sets are drawn, >= 100.
    seed : key of the generator, >= 0.
    """
    if resamples < 100 or seed < 0:
        raise UsageError(
            f"bootstrap: found {resamples} resamples, seed {seed}; allowed are at least 100, and seed >= 0"
        )
    generator = np.random.Generator(np.random.Philox(key=seed))
    drawn = generator.integers(0, n_units, size=(resamples, n_units))
    counts = np.zeros((resamples, n_units))
    np.add.at(counts, (np.arange(resamples)[:, None], drawn), 1.0)
    return counts


def resampled_means(values: Floats, counts: Floats) -> Floats:
    """Return (resamples, ...) means over resampled units; units without a value weigh nothing.

    Parameters
    ----------
    values : (..., units), NaN where there is none.
    counts : (resamples, units) from `resampled_units`.
    """
    there = np.isfinite(values)
    flat = np.where(there, values, 0.0).reshape(-1, values.shape[-1])
    sums = counts @ flat.T
    if there.all():
        means: Floats = sums / counts.sum(axis=1)[:, None]
    else:
        weights = counts @ there.reshape(flat.shape).T.astype(np.float64)
        means = np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0)
    return means.reshape(len(counts), *values.shape[:-1])


def percentiles(drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the percentile limits along the first axis; NaN where a resample is not finite.

    Parameters
    ----------
    drawn : (resamples, ...).
    confidence : in (0.5, 1).
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return low, high


def word_of(value: object) -> str:
    """Write the value of a factor: numbers short, everything else as it is.

    Examples
    --------
    >>> word_of(0.1), word_of(5), word_of("assessed"), word_of(True)
    ('0.1', '5', 'assessed', 'true')
    """
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return f"{float(value):.4g}"
    return str(value)


def contrast_name(arm: str, against: str | None) -> str:
    """Name a level or a difference in words: `outreach against no campaign`.

    Parameters
    ----------
    arm : the arm.
    against : the other, or None.
    """
    return in_words(arm) if against is None else f"{in_words(arm)} against {in_words(against)}"


def first_lower(sentence: str) -> str:
    """Return a sentence that can follow a colon."""
    return sentence[:1].lower() + sentence[1:]


def points_in_words(numbers: Sequence[int]) -> str:
    """Name points: `point 3`, `points 3 and 7`, `points 0, 1, ... and 40 others`."""
    if len(numbers) == 1:
        return f"point {numbers[0]}"
    if len(numbers) <= MOST_NAMED:
        return f"points {listed([str(number) for number in numbers])}"
    shown = ", ".join(str(number) for number in numbers[:MOST_NAMED])
    return f"points {shown} and {len(numbers) - MOST_NAMED:,} others"


def default_contrasts(swept: Swept) -> list[tuple[str, str | None]]:
    """Return every arm's level, and every strategy against no campaign where that was run."""
    levels: list[tuple[str, str | None]] = [(arm, None) for arm in swept.arms]
    if NO_CAMPAIGN in swept.arms:
        levels += [(arm, NO_CAMPAIGN) for arm in swept.arms if arm != NO_CAMPAIGN]
    return levels


# Reading


def _outcome_of_design(results: SweptResults) -> str | None:
    return getattr(getattr(results, "design", None), "outcome", None)


def _runs_with(results: SweptResults, outcome: str) -> pd.DataFrame:
    """Read the keys and one outcome; a wrong name is answered with those there are."""
    known = getattr(results, "outcomes", None)
    if known is None:
        known = [name for name in results.runs().columns if name not in KEYS]
    if outcome not in known:
        close = nearest(outcome, known)
        raise UsageError(
            f"outcome: found {outcome!r}; allowed are the columns of the table of runs, such as {PRIMARY}"
            f"{close}"
        )
    return results.runs([outcome])


def _as_array(
    runs: pd.DataFrame, points: pd.DataFrame, arms: tuple[str, ...], outcome: str
) -> tuple[Floats, Bools, tuple[object, ...], tuple[object, ...]]:
    """Return (P, arms, communities, luck) values, which of them were run, and the labels."""
    if runs.empty:
        raise ResultsError("table of runs: found no rows; a sweep can be analysed when some of it was run")
    runs = runs[runs["arm"].astype(str).isin(arms)]
    doubled = runs.duplicated(list(KEYS))
    if doubled.any():
        first = runs.loc[doubled, list(KEYS)].iloc[0]
        raise ResultsError(
            "table of runs: found point {}, arm {}, community {}, luck {} more than once".format(*first)
        )
    communities, luck = (tuple(sorted(runs[key].unique().tolist())) for key in ("community", "luck"))
    places = [
        pd.Index(list(labels)).get_indexer(runs[key].astype(str) if key == "arm" else runs[key])
        for key, labels in zip(KEYS, (points["point"].tolist(), arms, communities, luck), strict=True)
    ]
    if (places[0] < 0).any():
        raise ResultsError("table of runs: found points that are not in the table of points")
    shape = (len(points), len(arms), len(communities), len(luck))
    values = np.full(shape, np.nan)
    column = runs[outcome]
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise UsageError(f"outcome: found {outcome!r} with words; only numbers can be analysed")
    values[tuple(places)] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise ResultsError(f"table of runs, column {outcome!r}: found infinite values")
    ran = np.zeros(shape, dtype=np.bool_)
    ran[tuple(places)] = True
    return values, ran, communities, luck


def _restricted(values: Floats, ran: Bools, results: SweptResults, points: pd.DataFrame) -> Floats:
    """Count a goal that is not reached as reached at the horizon, which a factor may set."""
    horizons = np.full(len(values), int(results.scenario.campaign.horizon_weeks))
    for factor in results.factors:
        if HORIZON in factor.places:
            horizons = points[factor.name].to_numpy(dtype=np.int64)
    filled = values.copy()
    for point, horizon in enumerate(horizons):
        there = ran[point]
        if there.any():
            filled[point][there] = restricted_weeks(values[point][there], int(horizon))
    return filled


def _whole_replicates(
    values: Floats, ran: Bools, points: pd.DataFrame, outcome: str
) -> tuple[Floats, list[str]]:
    """Leave out, at each point, replicates that some arm lacks, and say which and why."""
    numbers = points["point"].to_numpy()
    whole: Bools = np.asarray(ran.all(axis=1))
    defined: Bools = np.asarray(np.isfinite(values).all(axis=1))
    notes = []
    gone: Any
    for gone, why in (
        (~whole, "because a run of some arm failed or has not been run"),
        (whole & ~defined, f"because {outcome} is undefined in some arm, with nobody to count"),
    ):
        if gone.any():
            at = np.flatnonzero(gone.any(axis=(1, 2)))
            notes.append(
                f"{int(gone.sum()):,} of {gone.size:,} replicates are left out {why}: "
                f"{points_in_words(numbers[at].tolist())}"
            )
    if not defined.any():
        raise ResultsError(f"{outcome}: found no replicate (community, luck) in which every arm has it")
    return np.where(defined[:, None], values, np.nan), notes


def _notes_on_units(values: Floats, points: pd.DataFrame, units: Units) -> list[str]:
    """Say at which points there is nothing, or too little for an interval."""
    finite: Any = np.isfinite(values)
    there = finite.all(axis=1).any(axis=2).sum(axis=1)
    numbers = points["point"].to_numpy()
    notes = []
    empty, alone = (numbers[there == n].tolist() for n in (0, 1))
    if empty:
        notes.append(f"nothing can be said of {points_in_words(empty)}: no replicate is complete")
    if alone and len(alone) == len(numbers):
        notes.append(f"there is only {units.count(1)}, which gives no interval; at least 2 are needed")
    elif alone:
        notes.append(f"no interval is possible at {points_in_words(alone)}: there is {units.count(1)} only")
    return notes


def _axis(factor: FactorLike, points: pd.DataFrame) -> Axis:
    """Return the values of a factor on a scale from 0 to 1."""
    if factor.name not in points.columns:
        raise ResultsError(f"table of points: found no column for the factor {factor.name!r}")
    column = points[factor.name]
    values = column.to_numpy(dtype=object)
    base = None if factor.base is None else word_of(factor.label(factor.base))
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _numeric_axis(factor, column.to_numpy(dtype=np.float64), values, base)
    words = [word_of(value) for value in values]
    order = [*(word_of(factor.label(value)) for value in factor.values or ()), *words]
    levels = tuple(word for word in dict.fromkeys(order) if word in set(words))
    codes = np.array([levels.index(word) for word in words], dtype=np.float64)
    return Axis(
        factor.name, values, codes / max(1, len(levels) - 1), levels, float("nan"), float("nan"), False, base
    )


def _numeric_axis(factor: FactorLike, numbers: Floats, values: NDArray[np.object_], base: str | None) -> Axis:
    finite_array(numbers, 1, f"table of points, {factor.name}")
    low, high = float(numbers.min()), float(numbers.max())
    if factor.low is not None and factor.high is not None:
        low, high = min(low, float(factor.low)), max(high, float(factor.high))
    log = factor.scale == "log" and low > 0
    scaled, ends = (np.log(numbers), np.log([low, high])) if log else (numbers, np.array([low, high]))
    width = float(ends[1] - ends[0])
    unit = (scaled - ends[0]) / width if width > 0 else np.zeros(len(numbers))
    return Axis(factor.name, values, unit, (), low, high, log, base)
