"""The Korean survey as netdiffuseR has it, as its rows say, and what netdiffuseR prints of it.

In `kfamilyDiffNet` the women stand in the order of their ids sorted as text, while times of adoption (and all
other columns) stand in the order of the survey, which is that of numbers: each woman has the time of another.
The tables repeat this: their column `id` does not belong to the rest of the row. A row's own id is
village·1000 + id1: with it, the nominations in the survey's rows are the published ties, pair by pair.
What netdiffuseR prints can only be reproduced with the ids as it has them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mobsim import read_diffusion
from mobsim.analysis.diffusion.data import ObservedDiffusion

NEVER = 11


@dataclass(frozen=True)
class Printed:
    """What netdiffuseR prints: a row a woman, a row a woman with a column a period, and a row a period."""

    women: pd.DataFrame
    exposure: pd.DataFrame
    periods: pd.DataFrame
    categories: pd.DataFrame


def printed(folder: Path) -> Printed:
    """Read what netdiffuseR printed."""
    peers = folder / "peers" / "netdiffuseR"
    return Printed(
        pd.read_csv(peers / "kfamily_node_stats.csv"),
        pd.read_csv(peers / "kfamily_exposure.csv.gz"),
        pd.read_csv(peers / "kfamily_summary.csv"),
        pd.read_csv(peers / "kfamily_classify.csv"),
    )


def as_published(folder: Path, *, never: bool = False) -> ObservedDiffusion:
    """Read the survey as netdiffuseR has it; women who never adopted adopt in period 11 there.

    Parameters
    ----------
    folder : of the validation data.
    never : whether 11 is taken for what it means, not adopted.
    """
    data = folder / "data" / "netdiffuseR"
    return read_diffusion(
        data / "kfamily_nodes.csv",
        data / "kfamily_edges.csv",
        time="toa",
        community="village",
        value="value",
        never=NEVER if never else None,
    )


def women(folder: Path) -> pd.DataFrame:
    """Return the survey's rows with their own id, `woman`."""
    full = pd.read_csv(folder / "data" / "netdiffuseR" / "kfamily_nodes_full.csv.gz")
    return pd.concat([full, (full["village"] * 1000 + full["id1"]).rename("woman")], axis=1)


def as_surveyed(folder: Path, *, never: bool = True) -> ObservedDiffusion:
    """Read the survey with every row's own id.

    Parameters
    ----------
    folder : of the validation data.
    never : whether 11 is taken for what it means, not adopted.
    """
    rows = women(folder)[["woman", "village", "toa"]]
    ties = pd.read_csv(folder / "data" / "netdiffuseR" / "kfamily_edges.csv")
    return read_diffusion(
        rows,
        ties,
        id="woman",
        time="toa",
        community="village",
        value="value",
        never=NEVER if never else None,
    )


def nominations(folder: Path, column: str) -> Counter[tuple[int, int]]:
    """Count who names whom in the survey's 40 columns net11 ... net85, if `column` holds the rows' ids."""
    rows = women(folder)
    asked = [name for name in rows.columns if name.startswith("net") and name[3:].isdigit()]
    known = set(rows["woman"])
    found: Counter[tuple[int, int]] = Counter()
    for ego, named in zip(rows[column].tolist(), rows[asked].to_numpy(np.float64), strict=True):
        found.update((ego, int(a)) for a in named[~np.isnan(named)] if int(a) in known and int(a) != ego)
    return found


def ties(folder: Path) -> Counter[tuple[int, int]]:
    """Return the published ties with their values."""
    table = pd.read_csv(folder / "data" / "netdiffuseR" / "kfamily_edges.csv")
    return Counter({(int(a), int(b)): int(v) for a, b, v in table.itertuples(index=False)})
