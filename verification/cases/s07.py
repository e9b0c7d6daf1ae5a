"""S07: what netdiffuseR prints of the Korean survey, and what stands behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from tests.theory import korean_diffusion as korean
from tests.theory.published import stated
from verification.case import Line, Outcome, near

from mobsim import describe_diffusion
from mobsim.analysis.diffusion.adopters import adoption_by_period, categories_table
from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import exposure, thresholds
from mobsim.analysis.diffusion.moran import moran_by_period
from mobsim.analysis.diffusion.position import infection, susceptibility

WHAT = "Korean family planning: thresholds, categories and Moran's I as netdiffuseR prints them"

FIFTEEN = 1e-14
"""netdiffuseR printed 15 significant digits."""


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """Compute every number that netdiffuseR prints of the survey, and compare all of them."""
    data, printed = korean.as_published(folder), korean.printed(folder)
    lines = [*_table(case, data), *_periods(case, data, printed), *_women(data, printed)]
    right = describe_diffusion(korean.as_surveyed(folder))
    published = describe_diffusion(korean.as_published(folder, never=True))
    lines += _own_ids(folder)
    never = float(np.mean((data.time == korean.NEVER) & (thresholds(data) == 1)))
    return Outcome(
        setup=(
            f"{data.n_people:,} women of {len(data.communities)} villages, {data.n_ties:,} ties, as "
            "netdiffuseR has them; women who had not adopted by period 10 count as adopters of period 11."
        ),
        lines=lines,
        figures={"moran": _figure(right.periods, published.periods, printed)},
        notes=[
            "The published table is reproduced, and so is a mistake in it: in netdiffuseR's kfamilyDiffNet "
            "women stand in the order of ids sorted as text, their times of adoption (and all else) in the "
            "order of the survey. Each woman has the time of another. With every row's own id, "
            "village·1000 + id1, the nominations in the survey are the published ties, pair by pair; with "
            "the column id hardly one is.",
            f"It matters: within villages Moran's I is beyond chance in {_beyond(right.periods)} of 10 "
            f"periods with the rows' own ids, and in {_beyond(published.periods)} with the published ones "
            "(p < .05 by permutation within villages).",
            "netdiffuseR's documentation puts a value that equals a bound below it; its numbers put it "
            "above. Its hazard of the first period is always 0, and its Moran's I 0 where all have adopted; "
            "here the first is adopters / people at risk, and the second is not defined.",
            f"{100 * never:.0f} % of the women are in the table's last cell though they never adopted: "
            "laggards with very high thresholds, by convention.",
        ],
    )


def _beyond(periods: Any) -> int:
    return int((periods["within_p"] < 0.05).sum())


def _table(case: dict[str, Any], data: ObservedDiffusion) -> list[Line]:
    within = stated(case, "0.005 percentage points", 0.005)
    table = categories_table(data, thresholds(data))
    reference = dict(case["reference"]["README ftable (percent of 1,047)"])
    columns = reference.pop("columns")
    return [
        near(f"{row.lower()}, {column.lower()} threshold, %", value,
             float(table.loc[row.lower(), column.lower()]),
             within, digits=3)
        for row, values in reference.items()
        for column, value in zip(columns, values, strict=True)
    ]  # fmt: skip


def _periods(case: dict[str, Any], data: ObservedDiffusion, printed: korean.Printed) -> list[Line]:
    counts = case["reference"]["adopters per period 1..11"]
    found, moran = adoption_by_period(data), moran_by_period(data, permutations=0)
    adopters = found["adopters"].tolist()
    reference = printed.periods
    lines = [Line("adopters per period", _list(counts), _list(adopters), met=counts == adopters)]
    lines.append(_all("hazard, periods 2 to 11", found["hazard"][1:], reference["hazard"][1:]))
    lines.append(_all("cumulative share", found["share"], reference["cum_adopt_pcent"]))
    for column, name, words in (
        ("moran_obs", "moran", "Moran's I"),
        ("moran_exp", "expected", "its expected value"),
        ("moran_sd", "sd", "its standard deviation"),
        ("moran_pval", "p", "its p"),
    ):
        lines.append(_all(f"{words}, periods 1 to 10", moran[name][:10], reference[column][:10], 1e-12))
    return lines


def _women(data: ObservedDiffusion, printed: korean.Printed) -> list[Line]:
    women = printed.women
    return [
        _all("exposure, every woman and period", exposure(data), printed.exposure.iloc[:, 1:].to_numpy()),
        _all("threshold, every woman", thresholds(data), women["threshold"]),
        _all("infection, every woman", infection(data), women["infection"]),
        _all("susceptibility, every woman", susceptibility(data), women["susceptibility"]),
        _all("infection, not normalized", infection(data, normalized=False), women["infection_raw"]),
        _all(
            "susceptibility, not normalized",
            susceptibility(data, normalized=False),
            women["susceptibility_raw"],
        ),
    ]


def _own_ids(folder: Path) -> list[Line]:
    published = korean.ties(folder)
    return [
        Line(
            f"ties that follow from the nominations, ids: {words}",
            f"{len(published):,}",
            f"{len(korean.nominations(folder, column) & published):,}",
            tolerance="none declared",
            met=None,
        )
        for column, words in (("woman", "village·1000 + id1"), ("id", "the column id"))
    ]


def _all(words: str, found: npt.ArrayLike, reference: npt.ArrayLike, within: float = FIFTEEN) -> Line:
    ours, theirs = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    farthest = float(np.abs(ours - theirs).max())
    return Line(
        words,
        f"{theirs.size:,} numbers",
        f"farthest {farthest:.1e}",
        "",
        f"± {within:.0e}",
        farthest <= within,
    )


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _figure(right: Any, published: Any, printed: korean.Printed) -> Figure:
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    period = np.arange(1, 11)
    axes.plot(period, printed.periods["moran_obs"][:10], "k", linewidth=2.5, alpha=0.35, label="netdiffuseR")
    axes.plot(period, published["moran"], "o--", markersize=4, label="mobsim, ids as netdiffuseR has them")
    axes.plot(period, right["moran"], "s-", markersize=4, label="mobsim, the rows' own ids")
    axes.plot(period, right["within_mean"], ":", color="gray", label="chance within villages, own ids")
    axes.set(xlabel="period", ylabel="Moran's I")
    axes.legend(frameon=False, fontsize=8)
    return figure
