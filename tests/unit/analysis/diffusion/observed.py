"""Small observed diffusions for the tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mobsim.analysis.diffusion.data import ObservedDiffusion


def drawn(
    seed: int, n: int = 30, periods: int = 6, ties: float = 0.12, communities: int = 3, lost: bool = False
) -> ObservedDiffusion:
    """Draw people who adopt at random, with some who never do, and ties at random."""
    random = np.random.default_rng(seed)
    time = random.integers(0, periods + 1, n)
    last_seen = np.full(n, periods)
    if lost:
        last_seen = np.maximum(random.integers(1, periods + 1, n), time)
    ego, alter = np.nonzero((random.random((n, n)) < ties) & ~np.eye(n, dtype=bool))
    return ObservedDiffusion(
        ids=tuple(f"p{k}" for k in range(n)),
        time=time.astype(np.int64),
        last_seen=last_seen.astype(np.int64),
        community=tuple(f"c{k % communities}" for k in range(n)),
        covariates=pd.DataFrame(index=range(n)),
        ego=ego.astype(np.int64),
        alter=alter.astype(np.int64),
        value=random.integers(1, 5, len(ego)).astype(np.float64),
        n_periods=periods,
    )


def chain(times: list[int], periods: int) -> ObservedDiffusion:
    """People in a row, each naming the one before."""
    n = len(times)
    return ObservedDiffusion(
        ids=tuple(f"p{k}" for k in range(n)),
        time=np.array(times, np.int64),
        last_seen=np.full(n, periods, np.int64),
        community=("all",) * n,
        covariates=pd.DataFrame(index=range(n)),
        ego=np.arange(1, n, dtype=np.int64),
        alter=np.arange(n - 1, dtype=np.int64),
        value=np.ones(n - 1),
        n_periods=periods,
    )
