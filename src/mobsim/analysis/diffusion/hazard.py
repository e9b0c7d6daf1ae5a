"""Did people adopt more often after those they name had adopted: a logit of adoption in each period.

Every person contributes one row for every period in which they could still adopt; the outcome is whether
they did (Allison 1982). Each period has its own dummy, so that what changes for everybody alike, such as a
campaign on the radio, is not taken for an effect of exposure. Rows of one community are not independent:
standard errors are robust to clusters (Liang & Zeger 1986), with a t distribution of clusters − 1 degrees.

An association of adoption with earlier exposure is not yet influence: people name those who are like them
(homophily), and what reaches a person's contacts may reach the person as well (Shalizi & Thomas 2011).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from mobsim.errors import UsageError, nearest, needs_extra

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.analysis.diffusion.data import ObservedDiffusion

Floats = npt.NDArray[np.float64]

EXPOSURE = "exposure"

SURELY = 1e-3
"""How near to its outcome the chance of a row comes where the fit runs away."""

FEW_CLUSTERS = 50
"""Below so many clusters, robust standard errors are often too small (Cameron & Miller 2015, VI)."""

SEPARATED = 1e-6
"""How much of the outcome a direction has to foretell before it is called separation; a linear program."""


@dataclass(frozen=True, eq=False)
class PersonPeriods:
    """One row for each person and period in which the person could still adopt.

    Attributes
    ----------
    table : person (row of the data), period, community, adopted (0 or 1), exposure, then the covariates.
    covariates : names of the columns that stand for covariates, in order.
    left_censored : people left out, since they had adopted before the first period that can be explained.
    without_row : further people without a row: no longer observed then, or lacking something.
    dropped : rows left out because exposure or a covariate is missing.
    filled : covariate -> rows in which it was missing and marked by an indicator.
    isolates : people with rows who name nobody; their exposure is 0.
    first : the first period that can be explained.
    """

    table: pd.DataFrame
    covariates: tuple[str, ...]
    left_censored: int
    without_row: int
    dropped: int
    filled: Mapping[str, int]
    isolates: int
    first: int


@dataclass(frozen=True, eq=False)
class ExposureEffects:
    """What a discrete-time logit says about exposure.

    Attributes
    ----------
    table : one row for exposure and each covariate: name, coefficient (log odds), standard_error, low, high,
        p, odds_ratio, odds_low, odds_high, marginal (how much the chance to adopt in a period rises per unit,
        on average over rows), marginal_error.
    lag : adoption is held against exposure so many periods before.
    n_rows, n_events, n_people, n_clusters : person-periods, adoptions in them, people, clusters.
    left_censored, without_row, dropped : see PersonPeriods.
    log_likelihood : of the model.
    wald, wald_p : test that exposure has no effect, robust to clusters (F with 1 and clusters − 1 degrees;
        chi-square without clusters).
    likelihood_ratio, likelihood_ratio_p : the same test as if rows were independent.
    separated : names of what foretells adoption without error; their numbers mean nothing.
    notes : what a reader has to know, in sentences.
    level : of the intervals.
    """

    table: pd.DataFrame
    lag: int
    n_rows: int
    n_events: int
    n_people: int
    n_clusters: int
    left_censored: int
    without_row: int
    dropped: int
    log_likelihood: float
    wald: float
    wald_p: float
    likelihood_ratio: float
    likelihood_ratio_p: float
    separated: tuple[str, ...]
    notes: tuple[str, ...]
    level: float = 0.95

    @property
    def exposure(self) -> dict[str, float]:
        """The row of exposure."""
        row = self.table[self.table["name"] == EXPOSURE].drop(columns="name").iloc[0]
        return {str(name): float(value) for name, value in zip(row.index, row, strict=True)}

    def __str__(self) -> str:
        """Say in a few lines what was found."""
        row = self.exposure
        first = (
            f"exposure {self.lag} period{'s' * (self.lag != 1)} before: odds ratio {row['odds_ratio']:.2f} "
            f"({row['odds_low']:.2f} to {row['odds_high']:.2f}), average marginal effect "
            f"{row['marginal']:.3f} (standard error {row['marginal_error']:.3f}), p {row['p']:.3f}; "
            f"{self.n_events:,} adoptions in {self.n_rows:,} person-periods"
        )
        return "\n".join([first, *(f"* {note}" for note in self.notes)])


def person_periods(
    data: ObservedDiffusion,
    *,
    lag: int = 1,
    valued: bool = False,
    covariates: Sequence[str] = (),
    over_time: Mapping[str, Any] | None = None,
    missing: Literal["drop", "indicator"] = "drop",
) -> PersonPeriods:
    """Make the person-period table.

    Parameters
    ----------
    data : people with times of adoption, and ties.
    lag : exposure so many periods before, from 0. With 0 people may adopt because of each other in the same
        period, so that cause and effect cannot be told apart.
    valued : whether exposure is weighted by the values of the ties.
    covariates : columns of the data's covariates; words become one column for each but the first of them.
    over_time : name -> (people, periods) numbers that change with time, such as contacts with an office.
    missing : drop rows with something missing, or indicator: take the mean there and add a column that says
        so (which is easy to do, and biased unless values are missing at random; Jones 1996).

    Returns
    -------
    PersonPeriods

    Raises
    ------
    UsageError : with one sentence.

    Notes
    -----
    The first row of a person is period max(2, 1 + lag): who had adopted before is left-censored, since
    nothing is known of the time before. The last one is that of adoption, or the last in which the person
    was observed.
    """
    import pandas as pd

    from mobsim.analysis.diffusion.exposure import exposure

    _check(data, lag, covariates, over_time or {}, missing)
    first = max(2, 1 + lag)
    end = np.where(data.time > 0, data.time, data.last_seen)
    people = np.flatnonzero(end >= first)
    rows = np.repeat(people, end[people] - first + 1)
    period = np.concatenate(
        [np.arange(first, end[person] + 1) for person in people] or [np.zeros(0, np.int64)]
    )
    seen = np.asarray(exposure(data, lag=lag, valued=valued), np.float64)[rows, period - 1]
    table = pd.DataFrame(
        {
            "person": rows,
            "period": period,
            "community": np.asarray(data.community, object)[rows],
            "adopted": (data.time[rows] == period).astype(np.int64),
            EXPOSURE: seen,
        }
    )
    columns: dict[str, Floats] = {}
    for name in covariates:
        columns |= {key: value[rows] for key, value in _numbers_of(data, name).items()}
    for name, values in (over_time or {}).items():
        columns[name] = np.asarray(values, np.float64)[rows, period - 1]
    filled: dict[str, int] = {}
    names: list[str] = []
    for name, column in columns.items():
        gone = np.isnan(column)
        names.append(name)
        if missing == "indicator" and gone.any() and not gone.all():
            table[name] = np.where(gone, column[~gone].mean(), column)
            table[f"{name} missing"] = gone.astype(np.float64)
            names.append(f"{name} missing")
            filled[name] = int(gone.sum())
        else:
            table[name] = column
    lacking = table[[EXPOSURE, *names]].isna().any(axis=1).to_numpy()
    kept = table[~lacking].reset_index(drop=True)
    left_censored = int(((data.time > 0) & (data.time < first)).sum())
    with_row = kept["person"].nunique()
    names_somebody = np.zeros(len(data.time), np.bool_)
    names_somebody[data.ego] = True
    return PersonPeriods(
        table=kept,
        covariates=tuple(names),
        left_censored=left_censored,
        without_row=len(data.time) - left_censored - with_row,
        dropped=int(lacking.sum()),
        filled=filled,
        isolates=int((~names_somebody[kept["person"].unique()]).sum()),
        first=first,
    )


def exposure_effects(
    data: ObservedDiffusion,
    *,
    lag: int = 1,
    valued: bool = False,
    covariates: Sequence[str] = (),
    over_time: Mapping[str, Any] | None = None,
    clusters: Literal["community", "person"] | None = "community",
    community_effects: bool = False,
    missing: Literal["drop", "indicator"] = "drop",
    level: float = 0.95,
) -> ExposureEffects:
    """Estimate how adoption goes with earlier exposure, period by period.

    Parameters
    ----------
    data, lag, valued, covariates, over_time, missing : see `person_periods`.
    clusters : whose rows are not independent: those of a community, of a person, or none.
    community_effects : whether each community has a level of its own, so that only differences within
        communities count. Communities in which nobody, or everybody, adopted tell nothing then.
    level : of the intervals, between 0 and 1.

    Returns
    -------
    ExposureEffects

    Raises
    ------
    UsageError
        with one sentence, if the data do not fit, nothing varies, or statsmodels is not installed.

    Notes
    -----
    The dummies of periods and communities are fixed effects; with many short communities their estimates
    bias the others (incidental parameters). Separation is found by a linear program (Konis 2007).
    """
    table_of = person_periods(
        data, lag=lag, valued=valued, covariates=covariates, over_time=over_time, missing=missing
    )
    _check_choice("clusters", clusters, ("community", "person", None))
    if not 0 < level < 1:
        raise UsageError(f"level: found {level}; allowed are numbers between 0 and 1")
    n_events, n_rows = int(table_of.table["adopted"].sum()), len(table_of.table)
    table, notes = _that_vary(table_of.table, community_effects)
    if table.empty:
        raise UsageError(
            f"exposure_effects: {n_events:,} adoptions in {n_rows:,} person-periods that can be explained; "
            f"allowed are data in which some adopt and some do not after period {table_of.first - 1}"
        )
    adopted = table["adopted"].to_numpy()
    design, shown = _design(table, table_of.covariates, community_effects, notes)
    groups = _clusters(table, clusters)
    fit = _fit(design.to_numpy(np.float64), adopted, groups)
    without = _fit(design.drop(columns=EXPOSURE).to_numpy(np.float64), adopted, None)
    separated = _separated(design, adopted, fit.chances)
    rows, wald, wald_p = _table(fit, design, shown, groups, level)
    ratio = max(0.0, 2 * (fit.log_likelihood - without.log_likelihood))
    n_clusters = len(np.unique(groups)) if groups is not None else len(adopted)
    return ExposureEffects(
        table=rows,
        lag=lag,
        n_rows=len(table),
        n_events=int(adopted.sum()),
        n_people=int(table["person"].nunique()),
        n_clusters=n_clusters,
        left_censored=table_of.left_censored,
        without_row=table_of.without_row,
        dropped=table_of.dropped,
        log_likelihood=fit.log_likelihood,
        wald=wald,
        wald_p=wald_p,
        likelihood_ratio=ratio,
        likelihood_ratio_p=_chi_square_above(ratio),
        separated=separated,
        notes=tuple(_notes(table_of, notes, separated, clusters, n_clusters, fit.converged, lag)),
        level=level,
    )


# The table


def _check(
    data: ObservedDiffusion,
    lag: int,
    covariates: Sequence[str],
    over_time: Mapping[str, Any],
    missing: str,
) -> None:
    if data.n_periods < 2:
        raise UsageError(
            "exposure_effects: the data have one period; allowed are two or more, since adoption is held "
            "against what was before"
        )
    if not 0 <= lag < data.n_periods:
        raise UsageError(f"lag: found {lag}; allowed are whole numbers from 0 to {data.n_periods - 1}")
    _check_choice("missing", missing, ("drop", "indicator"))
    if isinstance(covariates, str):
        raise UsageError(f"covariates: found the word {covariates!r}; allowed is a list of names")
    known = tuple(str(name) for name in data.covariates.columns)
    for name in covariates:
        if name not in known:
            raise UsageError(
                f"covariates: found {name!r}; allowed are {', '.join(known) or 'none, the data have none'}"
                f"{nearest(name, known)}"
            )
    shape = (len(data.time), data.n_periods)
    for name, values in over_time.items():
        if np.shape(values) != shape:
            raise UsageError(
                f"over_time: {name!r} has the shape {np.shape(values)}; allowed is {shape}: people, periods"
            )
    for name in (*covariates, *over_time):
        if name in ("person", "period", "community", "adopted", EXPOSURE):
            raise UsageError(f"covariates: {name!r} is a column of the table itself; allowed is another name")


def _check_choice(what: str, found: object, allowed: tuple[object, ...]) -> None:
    if found not in allowed:
        raise UsageError(f"{what}: found {found!r}; allowed are {', '.join(map(repr, allowed))}")


def _numbers_of(data: ObservedDiffusion, name: str) -> dict[str, Floats]:
    """Return (people,) columns of numbers for a covariate: itself, or one for each word but the first."""
    import pandas as pd

    column = data.covariates[name]
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return {name: np.asarray(column, np.float64)}
    gone = np.asarray(column.isna())
    words = sorted({str(word) for word in column[~gone]})
    if len(words) > 20:
        raise UsageError(
            f"covariates: {name!r} holds {len(words)} different words; allowed are numbers, or at most 20"
        )
    is_word = {word: np.asarray(column.astype(str) == word) for word in words}
    return {f"{name}: {word}": np.where(gone, np.nan, is_word[word].astype(np.float64)) for word in words[1:]}


def _that_vary(table: pd.DataFrame, community_effects: bool) -> tuple[pd.DataFrame, list[str]]:
    """Leave out periods, and communities with a level of their own, in which all rows have one outcome."""
    notes = []
    for column in ("period", *(("community",) if community_effects else ())):
        share = table.groupby(column, sort=False)["adopted"].transform("mean")
        alike = np.asarray((share == 0) | (share == 1))
        if alike.any():
            where = ", ".join(str(found) for found in sorted(table[column][alike].unique()))
            notes.append(
                f"{int(alike.sum()):,} rows of {column} {where} are left out: nobody, or everybody, adopted"
            )
            table = table[~alike].reset_index(drop=True)
    return table, notes


def _design(
    table: pd.DataFrame, covariates: Sequence[str], community_effects: bool, notes: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return all columns that add something, and the names of those that are not dummies."""
    import pandas as pd

    parts = [pd.get_dummies(table["period"], prefix="period", prefix_sep=" ", dtype=float)]
    if community_effects:
        villages = pd.get_dummies(table["community"], prefix="community", prefix_sep=" ", dtype=float)
        parts.append(villages.iloc[:, 1:])
    fixed = pd.concat(parts, axis=1)
    dummies, shown = _independent(fixed, [str(name) for name in fixed.columns], []), [EXPOSURE, *covariates]
    whole = pd.concat([fixed[dummies], table[shown]], axis=1)
    kept = _independent(whole, shown, dummies)
    if EXPOSURE not in kept:
        raise UsageError(
            "exposure_effects: exposure does not vary beyond periods"
            f"{' and communities' * community_effects}; allowed are data in which people of one period have "
            "different exposure"
        )
    gone = [name for name in shown if name not in kept]
    if gone:
        notes.append(f"left out, since the other columns say all of it: {', '.join(gone)}")
    return whole[[*dummies, *kept]], kept


def _independent(whole: pd.DataFrame, names: Sequence[str], before: Sequence[str]) -> list[str]:
    """Return those columns that add something to the columns before, in order."""
    basis: list[Floats] = []
    kept = []
    for name in (*before, *names):
        column = whole[name].to_numpy(np.float64)
        size = float(np.linalg.norm(column))
        rest = column / size if size else column
        for _ in range(2):
            for direction in basis:
                rest = rest - direction * float(direction @ rest)
        left = float(np.linalg.norm(rest))
        if left > 1e-8:
            basis.append(rest / left)
            kept.append(name)
    return [name for name in kept if name in set(names)]


def _clusters(table: pd.DataFrame, clusters: str | None) -> npt.NDArray[np.int64] | None:
    if clusters is None:
        return None
    import pandas as pd

    groups = np.asarray(pd.factorize(table[clusters])[0], np.int64)
    if groups.max() == 0:
        raise UsageError(
            f'clusters: all rows are of one {clusters}; allowed are two or more, or clusters="person" or None'
        )
    return groups


# The model


@dataclass(frozen=True, eq=False)
class _Fit:
    """Coefficients, their covariances, chances of each row, log likelihood, and whether it converged."""

    coefficients: Floats
    covariances: Floats
    chances: Floats
    log_likelihood: float
    converged: bool


def _fit(columns: Floats, adopted: npt.NDArray[np.int64], groups: npt.NDArray[np.int64] | None) -> _Fit:
    """Fit a logit by maximum likelihood."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separation is looked for, and convergence told, by ourselves
        try:
            from statsmodels.discrete.discrete_model import Logit
            from statsmodels.tools.sm_exceptions import PerfectSeparationError
        except ImportError:
            raise needs_extra("diffusion", "mobsim.exposure_effects") from None
        options: dict[str, Any] = (
            {"cov_type": "nonrobust"}
            if groups is None
            else {"cov_type": "cluster", "cov_kwds": {"groups": groups}, "use_t": True}
        )
        try:
            fit = Logit(adopted, columns, hasconst=True, check_rank=False).fit(disp=0, maxiter=100, **options)
        except (PerfectSeparationError, np.linalg.LinAlgError):
            raise UsageError(
                "exposure_effects: exposure and covariates foretell adoption without error, so that nothing "
                "can be estimated; allowed are fewer covariates"
            ) from None
    return _Fit(
        np.asarray(fit.params, np.float64),
        np.asarray(fit.cov_params(), np.float64),
        np.asarray(fit.predict(), np.float64),
        float(fit.llf),
        bool(fit.mle_retvals["converged"]),
    )


def _table(
    fit: _Fit, design: pd.DataFrame, shown: Sequence[str], groups: npt.NDArray[np.int64] | None, level: float
) -> tuple[pd.DataFrame, float, float]:
    """Return the table of effects, and the test that exposure has none."""
    import pandas as pd
    from scipy.stats import norm, t

    spread = norm if groups is None else t(len(np.unique(groups)) - 1)
    wide = float(spread.ppf(0.5 + level / 2))
    columns = design.to_numpy(np.float64)
    steep = fit.chances * (1 - fit.chances)
    bent = steep * (1 - 2 * fit.chances)
    rows: list[dict[str, Any]] = []
    for name in shown:
        place = list(design).index(name)
        value = float(fit.coefficients[place])
        error = float(np.sqrt(fit.covariances[place, place]))
        slope = value * (bent @ columns) / len(columns)
        slope[place] += steep.mean()
        rows.append(
            {
                "name": name,
                "coefficient": value,
                "standard_error": error,
                "low": value - wide * error,
                "high": value + wide * error,
                "p": float(2 * spread.sf(abs(value) / error)),
                "odds_ratio": _exp(value),
                "odds_low": _exp(value - wide * error),
                "odds_high": _exp(value + wide * error),
                "marginal": value * float(steep.mean()),
                "marginal_error": float(np.sqrt(slope @ fit.covariances @ slope)),
            }
        )
    first = rows[0]
    wald = float((first["coefficient"] / first["standard_error"]) ** 2)
    return pd.DataFrame(rows), wald, float(first["p"])


def _exp(value: float) -> float:
    return float(np.exp(np.clip(value, -700, 700)))


def _chi_square_above(value: float) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(value, 1))


def _separated(design: pd.DataFrame, adopted: npt.NDArray[np.int64], chances: Floats) -> tuple[str, ...]:
    """Return the columns of a direction along which nobody is where the outcome speaks against it.

    Along such a direction the fit goes on until some rows are foretold all but surely. Where none is, there
    is no such direction, and the linear program, which takes longer than the fit, is left out.
    """
    from scipy.optimize import linprog

    if np.abs(adopted - chances).min() > SURELY:
        return ()
    columns = design.to_numpy(np.float64)
    size = np.abs(columns).max(axis=0)
    signed = columns / np.where(size > 0, size, 1.0) * (2 * adopted - 1)[:, None]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    if found.status != 0 or -found.fun <= SEPARATED * len(signed):
        return ()
    return tuple(str(name) for name, way in zip(design.columns, found.x, strict=True) if abs(way) > SEPARATED)


def _notes(
    of: PersonPeriods,
    notes: Sequence[str],
    separated: Sequence[str],
    clusters: str | None,
    n_clusters: int,
    converged: bool,
    lag: int,
) -> list[str]:
    """Say what a reader has to know."""
    said = []
    if of.left_censored:
        before = "in period 1" if of.first == 2 else f"before period {of.first}"
        said.append(f"{of.left_censored:,} people who adopted {before} are left-censored and left out")
    if of.without_row:
        said.append(
            f"{of.without_row:,} further people have no row: not observed so long, or something missing"
        )
    if of.dropped:
        said.append(f"{of.dropped:,} rows are left out because something is missing")
    for name, count in of.filled.items():
        said.append(f"{name} is missing in {count:,} rows: its mean stands there, with an indicator")
    if of.isolates:
        said.append(f"{of.isolates:,} people name nobody: their exposure is 0")
    said += notes
    if lag == 0:
        said.append("with lag 0 people may adopt because of each other in the same period")
    if clusters is None:
        said.append("standard errors take rows as independent, which rows of one community seldom are")
    elif n_clusters < FEW_CLUSTERS:
        what = {"community": "communities"}.get(clusters, "people")
        said.append(
            f"{n_clusters} {what} are few for robust standard errors: intervals use a t distribution of "
            f"{n_clusters - 1} degrees and may still be too narrow"
        )
    if separated:
        said.append(
            f"separation: {', '.join(separated)} foretell the outcome of some rows without error; their "
            "estimates grow without end and mean nothing"
        )
    if not converged:
        said.append("the fit did not converge; its numbers mean nothing")
    return said
