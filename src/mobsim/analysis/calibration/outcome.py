"""The calibration file that is written: fitted values, what they were fitted to, and how far to believe them.

People read it, and a scenario names it (`calibration: FILE`; scenario/calibrated.py reads it). Its last line
is the sha256 of all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobsim.analysis.calibration.calibrate import (
    ALL,
    AS_IT_WAS,
    CALIBRATED,
    CURVES,
    FITTED,
    HELD_OUT,
    NUMBERS,
    Calibration,
)
from mobsim.analysis.calibration.identify import profile
from mobsim.analysis.verdict import listed
from mobsim.experiment.provenance import environment, version_of
from mobsim.scenario.calibrated import FILE_KIND, FILE_VERSION, sealed, world_digest
from mobsim.scenario.dump import yaml_of

if TYPE_CHECKING:
    import pandas as pd

HEADING = """\
# What mobsim calibrate found. A scenario uses it with the line `calibration: {file}`.
# It ends with the sha256 of all the rest: do not edit it. Other values belong into the scenario itself.
"""

MADE_WITH = ("mobsim", "numpy", "scipy", "optuna")

DIGITS = 6


def calibration_file(found: Calibration) -> str:
    """Return the calibration file as text.

    Parameters
    ----------
    found : what came of a calibration.
    """
    return HEADING.format(file=file_name(found)) + yaml_of(sealed(content_of(found)))


def file_name(found: Calibration) -> str:
    """Return the name of the calibration file.

    Parameters
    ----------
    found : what came of a calibration.
    """
    return f"{found.plan.spec.name}.calibrated.yaml"


def content_of(found: Calibration) -> dict[str, Any]:
    """Return what the calibration file says, as plain data.

    Parameters
    ----------
    found : what came of a calibration.
    """
    plan, known = found.plan, found.identification
    places = {place: None for factor in plan.factors for place in factor.places}
    return {
        "schema_version": FILE_VERSION,
        "kind": FILE_KIND,
        "name": plan.spec.name,
        "title": plan.spec.title,
        "fitted": [_factor(found, number) for number in range(len(plan.factors))],
        "fitted_to": fitted_to(found),
        "out_of_sample": {
            "in_words": out_of_sample(found),
            "better_than_simple_forecasts": found.better_than_simple_forecasts,
        },
        "identification": {"trials_that_fit_as_well": known.accepted, "warnings": list(known.warnings)},
        "scores": _scores(found.scores),
        "observed": {
            "files": dict(plan.evidence.files),
            "compared": [_compared(found, number) for number in range(len(plan.evidence.targets))],
            "held_out": held_out_in_words(found) or "nothing",
        },
        "made_for": {
            "scenario": plan.base.name,
            "title": plan.base.title,
            "world_sha256": world_digest(plan.base, places),
        },
        "search": {
            "digest": plan.digest,
            "trials": len(found.trials),
            "seed": plan.spec.search.seed,
            "communities": len(plan.simulator.communities),
            "luck": len(plan.simulator.luck),
            "fresh_communities": len(plan.fresh.communities),
            "fresh_luck": len(plan.fresh.luck),
            "seed_of_scenario": plan.base.seed,
        },
        "made_with": {
            "python": environment(())["python"],
            **{name: version_of(name) for name in MADE_WITH},
        },
    }


def fitted_to(found: Calibration) -> str:
    """Say what the values were fitted to.

    Parameters
    ----------
    found : what came of a calibration.
    """
    evidence = found.evidence
    seen = evidence.table[~evidence.held_out]
    parts = []
    for number, target in enumerate(evidence.targets):
        rows = seen[seen["target"] == number]
        if rows.empty:
            continue
        if not target.is_curve:
            parts.append(target.says)
            continue
        places = rows["community"].nunique()
        where = f"{places} communities, " if places > 1 else ""
        parts.append(f"{target.says}, {where}weeks {rows['week'].min()} to {rows['week'].max()}")
    return "; ".join(parts)


def held_out_in_words(found: Calibration) -> str:
    """Say what was held out; empty if nothing was.

    Parameters
    ----------
    found : what came of a calibration.
    """
    holdout = found.plan.spec.holdout
    if isinstance(holdout, str):
        return ""
    parts = []
    if holdout.communities is not None:
        n = len(holdout.communities)
        names = listed(holdout.communities) if n <= 4 else f"{n} of {len(found.evidence.communities)}"
        parts.append(
            f"{'community' if n == 1 else 'communities'} {names}" if n <= 4 else f"{names} communities"
        )
    if holdout.last_weeks is not None:
        parts.append(f"the last {holdout.last_weeks} weeks of curves")
    if holdout.statistics is not None:
        parts.append(listed(holdout.statistics))
    return "; ".join(parts)


def out_of_sample(found: Calibration) -> str:
    """Say how well the calibrated scenario forecast what was held out, and the best simple forecast.

    Parameters
    ----------
    found : what came of a calibration.

    Returns
    -------
    str
        empty if nothing was held out.
    """
    parts = []
    for target, rival in found.rivals:
        unit = "crps" if target == CURVES else "score"
        own, other = (found.score(name, HELD_OUT, target, unit) for name in (CALIBRATED, rival))
        assert own is not None
        assert other is not None
        n = int(found.score(CALIBRATED, HELD_OUT, target, "values") or 0)
        if target == CURVES:
            words = f"CRPS {100 * own:.2f} points, the best simple forecast ({rival}) {100 * other:.2f}"
        else:
            words = f"error {own:.2f} standard errors, the {rival} {other:.2f}"
        parts.append(
            f"{n} {'values' if n > 1 else 'value'} of {'curves' if target == CURVES else 'numbers'}: {words}"
        )
    if not parts:
        return ""
    return f"held out {held_out_in_words(found)}; {'; '.join(parts)}"


def verdict_of(found: Calibration) -> str:
    """Say in one sentence what the calibration is worth.

    Parameters
    ----------
    found : what came of a calibration.
    """
    if not found.out_of_sample:
        return (
            "Nothing was held out, so that nothing is known of how well it forecasts: results stay "
            "uncalibrated."
        )
    words = out_of_sample(found)
    if found.better_than_simple_forecasts:
        return f"Out of sample it is better than simple forecasts: {words}."
    return f"Out of sample it is not better than simple forecasts, and results stay uncalibrated: {words}."


def tables_of(found: Calibration) -> dict[str, pd.DataFrame]:
    """Return the tables that are written beside the file: scores, fit, trials, profiles.

    Parameters
    ----------
    found : what came of a calibration.
    """
    import pandas as pd

    factors, judgement = found.plan.factors, found.judgement
    trials = {"trial": range(len(found.trials))}
    columns: dict[str, Any] = dict(trials)
    for factor in factors:
        columns[factor.name] = [factor.label(trial[factor.name]) for trial in found.trials]
    columns |= {
        "score": judgement.score,
        "score_error": judgement.error,
        "score_excess": judgement.excess,
        "score_excess_allowed": judgement.allowed,
        "fits_as_well": judgement.accepted.astype(np.int64),
        "chosen": [int(number == found.best) for number in range(len(found.trials))],
    }
    profiles = [row for factor in factors for row in profile(factor, found.trials, judgement)]
    fit = found.fit.assign(held_out=found.fit["held_out"].astype(np.int64))
    return {
        "scores": found.scores,
        "fit": fit,
        "trials": pd.DataFrame(columns),
        "profiles": pd.DataFrame(profiles),
    }


def _factor(found: Calibration, number: int) -> dict[str, Any]:
    factor, known = found.plan.factors[number], found.identification.factors[number]
    row: dict[str, Any] = {"name": factor.name, "places": list(factor.places), "value": known.value}
    if known.fit_as_well is None:
        row |= {"low": known.low, "high": known.high}
    else:
        row |= {"fit_as_well": list(known.fit_as_well)}
    return row | {"identified": known.identified}


def _compared(found: Calibration, number: int) -> dict[str, Any]:
    evidence = found.evidence
    target, rows = evidence.targets[number], evidence.table[evidence.target == number]
    row = {"name": target.name, "what": target.says, "values": len(rows)}
    row |= {"held_out": int(rows["held_out"].sum()), "weight": target.weight, "scale": _short(target.scale)}
    return row if target.is_curve else row | {"value": rows["value"].iloc[0], "standard_error": target.scale}


def _scores(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the scores of all curves, and of all numbers."""
    several = scores[scores["target"].isin((CURVES, NUMBERS))]
    return [{str(key): _plain(value) for key, value in row.items()} for row in several.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else _short(float(value))
    return int(value) if isinstance(value, np.integer) else value


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def as_it_was_in_words(found: Calibration) -> str:
    """Say how much nearer the fitted values are to what was fitted than the scenario's own.

    Parameters
    ----------
    found : what came of a calibration.
    """
    own, before = (found.score(name, FITTED, ALL) for name in (CALIBRATED, AS_IT_WAS))
    if own is None or before is None:
        return ""
    return f"score {own:.3f}, with the scenario's own values {before:.3f}"


def summary(found: Calibration, file: Path) -> Mapping[str, Any]:
    """Return what `mobsim calibrate --json` prints.

    Parameters
    ----------
    found : what came of a calibration.
    file : the calibration file that was written.
    """
    content = content_of(found)
    keys: Sequence[str] = ("name", "fitted", "fitted_to", "out_of_sample", "identification", "scores")
    return {
        **{key: content[key] for key in keys},
        "digest": found.plan.digest,
        "trials": len(found.trials),
        "trials_before": found.resumed,
        "file": str(file),
    }
