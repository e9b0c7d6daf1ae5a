"""From the outcomes of runs to a comparison: estimates with intervals for every arm, and the verdict.

The table that comes in has one row a run. It is turned into arrays (arm, community, luck) in sorted order,
so that the order of its rows cannot change a bit of what comes out. Only the primary outcome gets
simultaneous intervals and a verdict; all others are pointwise and say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mobsim.analysis.facts import POOLED
from mobsim.analysis.ratios import RatioInterval, bootstrap_interval, bootstrap_ratio, fieller_interval
from mobsim.analysis.statistics import (
    Floats,
    Interval,
    best_shares,
    cheapest_luck_count,
    finite_array,
    paired_interval,
    regrets,
    restricted_weeks,
    variance_components,
)
from mobsim.analysis.verdict import NO_CAMPAIGN, Verdict, judge
from mobsim.errors import ResultsError, UsageError, nearest

KEYS = ("arm", "community", "luck")
"""Columns that say which run a row is."""

UNDEFINED_WITHOUT_ANYBODY = (
    "gap_end", "gap_fe", "gap_week0", "kept_participants", "never_left", "opposed_end", "opposed_fe",
    "organizers_kept", "parity_end", "parity_fe", "persistence_ratio", "self_reliance_funded",
    "self_reliance_sustained", "spillover_share", "supportive_end", "supportive_fe",
)  # fmt: skip
"""Outcomes that are NaN in a run with nobody to count, as those of a group can be; the others never are."""

NOT_MORE_IS_BETTER = (
    "contacts", "cost", "gap", "local_income", "opposed", "time_to_goal", "unspent", "volunteer_hours",
    "wins",
)  # fmt: skip
"""Beginnings of outcomes that no verdict can be built on: less is better, or they are no share."""

POINTWISE = "pointwise, not adjusted for the number of outcomes"
PRIMARY = "difference simultaneous over all pairs, level pointwise"

COLUMNS = [
    "arm", "outcome", "group", "estimate", "low", "high",
    "against_none", "against_none_low", "against_none_high", "communities", "luck", "interval", "note",
]  # fmt: skip
"""Columns of the comparison table."""

NOTHING = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that a set of paired runs says about its arms.

    Attributes
    ----------
    outcome : the primary outcome, on which the verdict stands.
    verdict : the sentences and the intervals with the best.
    table : one row an arm, outcome and group; see `COLUMNS`. Shares are in [0, 1], money in the scenario's
        currency.
    contrasts : one row a judged pair of the primary outcome: its verdict, limits, futures, the variances
        between communities and between lucks, and the luck count that would be cheapest.
    with_best : one row an arm: Hsu's limits for its difference from the best of the others, and whether it
        can be best.
    chances : one row an arm: P(best), ties shared, and mean regret, with bootstrap limits over communities.
    communities, luck : the size of the design (for an imported community 1 and its number of lucks).
    """

    outcome: str
    verdict: Verdict
    table: pd.DataFrame
    contrasts: pd.DataFrame
    with_best: pd.DataFrame
    chances: pd.DataFrame
    communities: int
    luck: int


@dataclass(frozen=True, eq=False)
class _Runs:
    """The outcomes table as arrays: every column is (n_arms, n_units, n_repeats), sorted by arm and key."""

    arms: tuple[str, ...]
    communities: tuple[object, ...]
    luck: tuple[object, ...]
    columns: dict[str, Floats]
    single_community: bool

    @property
    def none(self) -> int:
        """Row of the no-campaign arm."""
        return self.arms.index(NO_CAMPAIGN)


def compare_outcomes(
    outcomes: pd.DataFrame,
    *,
    residents: int,
    matters: float = 0.01,
    outcome: str = "participation_fe",
    single_community: bool = False,
    horizon: int,
    confidence: float = 0.95,
    first_stage: int | None = None,
) -> Comparison:
    """Compare all arms of a table of outcomes with each other and with no campaign.

    Parameters
    ----------
    outcomes : one row a run, columns `arm`, `community`, `luck` and numeric outcomes. Every arm has the same
        communities and lucks; one arm is "none". `NAME__GROUP` is outcome NAME of a group;
        `time_to_goal__GOAL` is a week, NaN if the goal was not reached; `goal_met__GOAL` is 0 or 1.
    residents : N, residents of a community, >= 1.
    matters : smallest difference of the primary outcome that matters, as a share.
    outcome : the primary outcome, a share of which more is better.
    single_community : the community was imported: luck is the unit and statements hold for this community
        only.
    horizon : number of simulated weeks, the censoring week of times to goal.
    confidence : in (0.5, 1).
    first_stage : number of communities (first in sorted order) of the first of Stein's two stages, if there
        were two.

    Raises
    ------
    ResultsError : if the table is not balanced, or holds NaN or infinities where only numbers make sense.
    UsageError : for settings out of range, or an outcome that is not there or that no verdict can be built
        on.

    Examples
    --------
    >>> runs = [(arm, c, 0, f + c / 100) for arm, f in (("none", 0.05), ("visits", 0.10)) for c in range(3)]
    >>> table = pd.DataFrame(runs, columns=["arm", "community", "luck", "participation_fe"])
    >>> compare_outcomes(table, residents=1000, horizon=130).verdict.headline
    'visits is the best of no campaign and visits (simultaneous 95 %)'
    """
    if residents < 1 or horizon < 1:
        raise UsageError(
            f"comparison: found {residents} residents and {horizon} weeks; both must be at least 1"
        )
    runs = _read_runs(outcomes, single_community)
    _check_primary(outcome, runs)
    verdict = judge(
        runs.columns[outcome].transpose(0, 2, 1) if single_community else runs.columns[outcome],
        runs.arms,
        matters=matters,
        confidence=confidence,
        single_community=single_community,
        first_stage=first_stage,
        communities=runs.luck if single_community else runs.communities,
    )
    return Comparison(
        outcome=outcome,
        verdict=verdict,
        table=_table(runs, verdict, outcome, residents, horizon, confidence),
        contrasts=_contrasts(runs, verdict, outcome),
        with_best=_with_best(verdict),
        chances=_chances(runs, outcome, confidence),
        communities=len(runs.communities),
        luck=len(runs.luck),
    )


# Reading


def _read_runs(outcomes: pd.DataFrame, single_community: bool) -> _Runs:
    """Check a table of outcomes and turn it into arrays whose second axis holds the independent units."""
    missing = [key for key in KEYS if key not in outcomes.columns]
    if missing or not outcomes.columns.is_unique:
        raise ResultsError(
            f"outcomes table: found columns {list(outcomes.columns)}; needed once are {', '.join(KEYS)}"
        )
    if outcomes.empty or outcomes[list(KEYS)].isna().any(axis=None):
        raise ResultsError(
            "outcomes table: found no rows, or rows without arm, community or luck; each run needs all three"
        )
    table = outcomes.copy()
    table["arm"] = table["arm"].astype(str)
    levels = {key: _sorted_levels(table[key]) for key in ("community", "luck")}
    names = sorted(set(table["arm"]), key=lambda arm: (arm != NO_CAMPAIGN, arm))
    if NO_CAMPAIGN not in names:
        raise ResultsError(f"outcomes table: found arms {', '.join(names)}; the arm 'none' is needed")
    shape = (len(names), len(levels["community"]), len(levels["luck"]))
    _check_balance(table, shape)
    if single_community and shape[1] != 1:
        raise UsageError(
            f"single_community: found {shape[1]} communities in the outcomes table; allowed is one"
        )
    table["arm"] = pd.Categorical(table["arm"], categories=names, ordered=True)
    table = table.sort_values(list(KEYS))
    columns = {}
    for name in sorted(set(table.columns) - set(KEYS)):
        values = _numbers(table[name], name).reshape(shape)
        columns[name] = values.transpose(0, 2, 1) if single_community else values
    return _Runs(tuple(names), levels["community"], levels["luck"], columns, single_community)


def _sorted_levels(column: pd.Series[Any]) -> tuple[object, ...]:
    """Return the different labels of a key column in order."""
    labels = column.unique().tolist()
    try:
        return tuple(sorted(labels))
    except TypeError:
        raise ResultsError(
            f"outcomes table, {column.name}: found numbers and words; allowed is one kind of label"
        ) from None


def _check_balance(table: pd.DataFrame, shape: tuple[int, int, int]) -> None:
    """Refuse a table in which some arm, community and luck has no run or more than one."""
    doubled = table[table.duplicated(list(KEYS))]
    if len(doubled):
        arm, community, luck = doubled[list(KEYS)].sort_values(list(KEYS)).iloc[0]
        raise ResultsError(
            f"outcomes table: found arm {arm}, community {community}, luck {luck} more than once"
        )
    expected = shape[0] * shape[1] * shape[2]
    if len(table) != expected:
        raise ResultsError(
            f"outcomes table: found {len(table)} runs; {shape[0]} arms x {shape[1]} communities x {shape[2]} "
            f"lucks are {expected}, and arms can be compared only where each has the same ones"
        )


def _numbers(column: pd.Series[Any], name: str) -> Floats:
    """Return a column as float64, refusing words, infinities, and NaN where the outcome is always defined."""
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise ResultsError(f"outcomes table, column {name!r}: found {column.dtype}; only numbers are allowed")
    values: Floats = column.to_numpy(dtype=np.float64, na_value=np.nan)
    always_defined = "__" not in name or name.startswith("goal_met")  # goal_estimate_met needs a survey
    may_be_undefined = name in UNDEFINED_WITHOUT_ANYBODY or not always_defined
    checked = np.where(np.isnan(values), 0.0, values) if may_be_undefined else values
    finite_array(checked, 1, f"outcomes table, column {name!r}")
    return values


def _check_primary(outcome: str, runs: _Runs) -> None:
    """Refuse a primary outcome that is not there, or that is no share of which more is better."""
    if outcome not in runs.columns:
        allowed = ", ".join(runs.columns)
        raise UsageError(f"outcome: found {outcome!r}; allowed are {allowed}{nearest(outcome, runs.columns)}")
    if outcome.startswith(NOT_MORE_IS_BETTER):
        raise UsageError(f"outcome: found {outcome!r}; a verdict needs a share of which more is better, "
                         "such as participation_fe")  # fmt: skip


# The table of outcomes


def _table(
    runs: _Runs, verdict: Verdict, primary: str, residents: int, horizon: int, confidence: float
) -> pd.DataFrame:
    """One row an arm, outcome and group."""
    rows: list[dict[str, object]] = []
    for column in sorted(runs.columns):
        values = runs.columns[column]
        if column.startswith("time_to_goal__"):
            goal = column.removeprefix("time_to_goal__")
            reached = (~np.isnan(values)).astype(np.float64)
            rows += _mean_rows(
                runs, f"goal_reached__{goal}", reached, confidence, "share of runs that reach it"
            )
            note = f"restricted mean: weeks below the goal within {horizon}"
            rows += _mean_rows(runs, column, restricted_weeks(values, horizon), confidence, note)
        elif POOLED.get(column) in runs.columns:
            rows += _pooled_rows(runs, column, confidence)
        else:
            rows += _mean_rows(runs, column, values, confidence, "")
    rows += _ratio_rows(runs, residents, confidence)
    for row in rows:
        whole_name = row["outcome"] if row["group"] == "all" else f"{row['outcome']}__{row['group']}"
        if whole_name == primary:
            _make_primary(row, verdict)
    table = pd.DataFrame(rows, columns=COLUMNS)
    order = {arm: i for i, arm in enumerate(runs.arms)}
    ranked = table.assign(rank=table["arm"].map(order), everyone=table["group"] != "all")
    return (
        ranked.sort_values(["outcome", "everyone", "group", "rank"])
        .drop(columns=["rank", "everyone"])
        .reset_index(drop=True)
    )


def _row(
    runs: _Runs, arm: int, outcome: str, level: Interval, against: Interval, n_units: int, note: str
) -> dict[str, object]:
    """Build one row of the table; goals keep their name in the outcome, groups have a column."""
    name, _, group = outcome.partition("__")
    if name in ("goal_met", "goal_estimate_met", "goal_reached", "time_to_goal"):
        name, group = outcome, ""
    communities, luck = (1, n_units) if runs.single_community else (n_units, len(runs.luck))
    return {
        "arm": runs.arms[arm],
        "outcome": name,
        "group": group or "all",
        "estimate": level.estimate,
        "low": level.low,
        "high": level.high,
        "against_none": against.estimate,
        "against_none_low": against.low,
        "against_none_high": against.high,
        "communities": communities,
        "luck": luck,
        "interval": POINTWISE,
        "note": note,
    }


def _mean_rows(
    runs: _Runs, outcome: str, values: Floats, confidence: float, note: str
) -> list[dict[str, object]]:
    """Rows of an outcome averaged over luck, then over units; where it is undefined it is left out."""
    rows = []
    for i in range(len(runs.arms)):
        defined = _defined(values[i])
        both = defined & _defined(values[runs.none])
        means = values[i].mean(axis=1)
        level = paired_interval(means[defined], confidence=confidence) if defined.any() else NOTHING
        against = NOTHING
        if both.any() and i != runs.none:
            differences = (values[i] - values[runs.none]).mean(axis=1)[both]
            against = paired_interval(differences, confidence=confidence)
        n_units = int(np.count_nonzero(defined))
        left_out = f"undefined in {defined.size - n_units} of {defined.size}, with nobody to count; left out"
        rows.append(
            _row(runs, i, outcome, level, against, n_units, note if n_units == defined.size else left_out)
        )
    return rows


def _pooled_rows(runs: _Runs, outcome: str, confidence: float) -> list[dict[str, object]]:
    """Rows of a share of few people, pooled: mean of those who count / mean of all of them."""
    whole = runs.columns[POOLED[outcome]]
    part = np.where(whole > 0, runs.columns[outcome], 0.0) * whole
    parts, wholes = part.mean(axis=2), whole.mean(axis=2)
    rows = []
    for i in range(len(runs.arms)):
        level, against, note = NOTHING, NOTHING, "nobody to count"
        if wholes[i].any():
            level = bootstrap_ratio(parts[i], wholes[i], confidence=confidence)
            note = "pooled: a ratio of means; bootstrap over communities"
        if i != runs.none and wholes[i].any() and wholes[runs.none].any():
            against = bootstrap_interval(
                np.stack([parts[i], wholes[i], parts[runs.none], wholes[runs.none]]),
                lambda means: means[0] / means[1] - means[2] / means[3],
                confidence=confidence,
            )
        rows.append(_row(runs, i, outcome, level, against, whole.shape[1], note))
    return rows


def _defined(values: Floats) -> NDArray[np.bool_]:
    """Return (n_units,) whether an outcome (n_units, n_repeats) is defined in every repeat."""
    return np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)


def _make_primary(row: dict[str, object], verdict: Verdict) -> None:
    """Give a row of the primary outcome the simultaneous limits that the verdict speaks of."""
    row["interval"] = PRIMARY
    for pair in verdict.pairs:
        if (pair.arm, pair.rival) == (row["arm"], NO_CAMPAIGN):
            row["against_none_low"], row["against_none_high"] = pair.low, pair.high
        elif (pair.arm, pair.rival) == (NO_CAMPAIGN, row["arm"]):
            row["against_none_low"], row["against_none_high"] = -pair.high, -pair.low


def _ratio_rows(runs: _Runs, residents: int, confidence: float) -> list[dict[str, object]]:
    """Rows of ratios of means: relative participation, cost per additional participant, effect kept."""
    if "participation_fe" not in runs.columns:
        return []
    none = runs.none
    effects = _against_none(runs, "participation_fe")
    level = runs.columns["participation_fe"].mean(axis=2)
    rows = []
    for i in range(len(runs.arms)):
        if i == none:
            continue
        ratio = (
            bootstrap_ratio(level[i], level[none], confidence=confidence) if level[none].any() else NOTHING
        )
        note = "participation at funding end / that of no campaign; bootstrap over communities"
        rows.append(_row(runs, i, "relative_participation", ratio, NOTHING, effects.shape[1], note))
        for outcome, column, scale, absent in (
            ("cost_per_additional_participant", "cost", residents, "no additional participants shown"),
            ("effect_kept", "participation_end", 1, "no effect at funding end shown"),
        ):
            if column in runs.columns:
                ratio_set = fieller_interval(
                    _against_none(runs, column)[i], scale * effects[i], confidence=confidence
                )
                interval, note = _shown_ratio(ratio_set, float(effects[i].mean()), absent)
                rows.append(_row(runs, i, outcome, interval, NOTHING, effects.shape[1], note))
    return rows


def _against_none(runs: _Runs, column: str) -> Floats:
    """Return (n_arms, n_units) mean over luck of an outcome minus that of no campaign."""
    values = runs.columns[column]
    differences: Floats = (values - values[runs.none]).mean(axis=2)
    return differences


def _shown_ratio(ratio: RatioInterval, effect: float, absent: str) -> tuple[Interval, str]:
    """Return what may be shown of a ratio of means, and the note beside it."""
    if ratio.shape == "undefined":
        return NOTHING, "no interval is possible"
    if ratio.shape == "bounded" and effect > 0:
        return Interval(ratio.estimate, ratio.low, ratio.high), "ratio of means; Fieller"
    if ratio.shape == "bounded":
        return NOTHING, f"{absent}: fewer participants than with no campaign"
    return NOTHING, absent


# Tables around the verdict


def _contrasts(runs: _Runs, verdict: Verdict, outcome: str) -> pd.DataFrame:
    """One row a judged pair, with where the variance of its difference comes from."""
    values = runs.columns[outcome]
    rows = []
    for pair in verdict.pairs:
        differences = values[runs.arms.index(pair.arm)] - values[runs.arms.index(pair.rival)]
        parts = variance_components(differences)
        cheapest = None if runs.single_community else cheapest_luck_count(parts)
        rows.append(
            {
                "arm": pair.arm,
                "rival": pair.rival,
                "verdict": pair.kind,
                "estimate": pair.estimate,
                "low": pair.low,
                "high": pair.high,
                "equality_low": pair.equality_low,
                "equality_high": pair.equality_high,
                "ahead": pair.ahead,
                "equal": pair.equal,
                "futures": pair.futures,
                "further": pair.further,
                "variance_between_communities": float("nan") if runs.single_community else parts.community,
                "variance_between_lucks": parts.community if runs.single_community else parts.luck,
                "cheapest_luck": cheapest,
                "sentence": pair.sentence,
            }
        )
    columns = [
        "arm", "rival", "verdict", "estimate", "low", "high", "equality_low", "equality_high", "ahead",
        "equal", "futures", "further", "variance_between_communities", "variance_between_lucks",
    "cheapest_luck", "sentence", ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"further": "Int64", "cheapest_luck": "Int64"})


def _with_best(verdict: Verdict) -> pd.DataFrame:
    """One row an arm: its difference from the best of the others; no limits where none are possible."""
    found = verdict.constrained
    unknown = [float("nan")] * len(verdict.arms)
    return pd.DataFrame(
        {
            "arm": list(verdict.arms),
            "low": unknown if found is None else found.low,
            "high": unknown if found is None else found.high,
            "can_be_best": [arm in verdict.possible for arm in verdict.arms],
        }
    )


def _chances(runs: _Runs, outcome: str, confidence: float) -> pd.DataFrame:
    """One row an arm: the share of futures in which it is best, and how far behind it stays on average."""
    values = runs.columns[outcome]
    rows = []
    for i, (share, behind) in enumerate(zip(best_shares(values), regrets(values), strict=True)):
        best, regret = (
            bootstrap_interval(per_unit[None, :], lambda means: means[0], confidence=confidence)
            for per_unit in (share, behind)
        )
        rows.append(
            {
                "arm": runs.arms[i],
                "chance_best": best.estimate,
                "chance_best_low": best.low,
                "chance_best_high": best.high,
                "regret": regret.estimate,
                "regret_low": regret.low,
                "regret_high": regret.high,
            }
        )
    return pd.DataFrame(rows)
