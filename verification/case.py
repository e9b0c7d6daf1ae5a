"""What a case of the verification says: comparisons with references, pictures, and what was run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Line:
    """One comparison.

    Attributes
    ----------
    setting : what was run. reference : what is to come out. found : what came out.
    error : standard error of what came out; nothing if it is exact.
    tolerance : how far apart they may be.
    met : whether they are not farther apart; None if no tolerance was declared, so that nothing is judged.
    """

    setting: str
    reference: str
    found: str
    error: str = ""
    tolerance: str = "exact"
    met: bool | None = True


def near(
    setting: str,
    reference: float,
    found: float,
    within: float,
    *,
    error: float | None = None,
    digits: int = 4,
) -> Line:
    """Compare a number that must lie within a distance of its reference.

    Parameters
    ----------
    setting : what was run. reference, found : the numbers.
    within : the distance; 0: they have to be equal.
    error : standard error of what was found; none: it is exact.
    digits : decimals that are shown.
    """
    return Line(
        setting,
        f"{reference:.{digits}f}",
        f"{found:.{digits}f}",
        "" if error is None else f"{error:.2g}",
        f"± {within:.2g}" if within else "exact",
        abs(found - reference) <= within,
    )


@dataclass(frozen=True)
class Outcome:
    """What a case found.

    Attributes
    ----------
    setup : one or two sentences: what was run, and how much of it.
    lines : the comparisons.
    figures : pictures by name, each with the published or analytic curve beside ours.
    notes : what the reader has to know, such as discrepancies and traps.
    scenarios : scenario files that were run.
    """

    setup: str
    lines: list[Line]
    figures: dict[str, Figure] = field(default_factory=dict)
    notes: Sequence[str] = ()
    scenarios: Sequence[str] = ()
