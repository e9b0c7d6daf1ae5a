"""S08: one threshold cascade on the Korean villages, as four other programs ran it, run by mobsim.

Week 0 of mobsim is the second step of the others, because they count the start as the first.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mobsim import load_scenario, spread

SCENARIO = Path(__file__).resolve().parents[2] / "verification" / "scenarios" / "korean_thresholds.yaml"

Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Villages:
    """Who starts, thresholds and ties, as they are given, and the steps that each program found.

    peers : id, seed, threshold (as written) and a column of steps for each program; missing: never.
    ties : ego, alter, value; alter influences ego.
    """

    peers: pd.DataFrame
    ties: pd.DataFrame

    def steps_of(self, program: str) -> Steps:
        """Return (women,) the step in which each adopted by this column; 0: never."""
        return self.peers[program].fillna(0).to_numpy(np.int64)


def read(folder: Path) -> Villages:
    """Read the data and what the other programs printed."""
    peers = pd.read_csv(folder / "peers" / "S08_all_peers_toa.csv", dtype={"threshold": str})
    given = pd.read_csv(folder / "cases" / "S08_kfamily_thresholds.csv", dtype={"threshold": str})
    assert peers[["id", "seed", "threshold"]].equals(given[["id", "seed", "threshold"]])
    return Villages(peers, pd.read_csv(folder / "data" / "netdiffuseR" / "kfamily_edges.csv"))


def steps(villages: Villages, folder: Path, *, valued: bool = False, turned: bool = False) -> Steps:
    """Return (women,) the step in which each adopts in mobsim, the start being step 1; 0: never.

    Parameters
    ----------
    folder : an empty folder for the files of people and ties.
    valued : ties count as often as they were named, instead of once.
    turned : ties the wrong way round, as if who is named followed who names.
    """
    ends = ["alter", "ego"] if turned else ["ego", "alter"]
    ties = villages.ties[[*ends, "value"] if valued else ends].copy()
    ties.columns = pd.Index(["from", "to", "weight"][: ties.shape[1]])
    ties.to_csv(folder / "ties.csv", index=False)
    people = villages.peers[["id", "threshold", "seed"]].rename(columns={"seed": "participating"})
    people.to_csv(folder / "people.csv", index=False)
    starters = np.flatnonzero(villages.peers["seed"])
    found = np.zeros(len(people), np.int64)
    found[starters] = 1
    file = Path(shutil.copy(SCENARIO, folder))  # it names the files that lie beside it
    scenario = load_scenario(file)
    for weeks in range(1, scenario.campaign.horizon_weeks + 1):
        until = load_scenario(file, overrides={"campaign.horizon_weeks": weeks})
        joined = spread(until, [starters], threads=1).final[0, 0]
        found[joined & (found == 0)] = weeks + 1
    assert found.max() < scenario.campaign.horizon_weeks, "the cascade has not ended"
    return found


def by_step(found: Steps) -> list[int]:
    """Return how many adopt in step 1, 2, ... up to the last one."""
    return np.bincount(found)[1:].tolist()
