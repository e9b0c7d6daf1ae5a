"""Effects of exposure: the person-period table, a logit by hand, data with a known effect, refusals."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.hazard import exposure_effects, person_periods
from mobsim.errors import UsageError

pytest.importorskip("statsmodels")


def observed(
    time: list[int],
    ties: list[tuple[int, int]],
    *,
    n_periods: int,
    last_seen: list[int] | None = None,
    community: list[str] | None = None,
    **covariates: Any,
) -> ObservedDiffusion:
    """Make data by hand."""
    n = len(time)
    pairs = np.array(ties, np.int64).reshape(-1, 2)
    return ObservedDiffusion(
        ids=tuple(f"p{k}" for k in range(n)),
        time=np.array(time, np.int64),
        last_seen=np.array(last_seen or [n_periods] * n, np.int64),
        community=tuple(community or ["a"] * n),
        covariates=pd.DataFrame(covariates, index=range(n)),
        ego=pairs[:, 0],
        alter=pairs[:, 1],
        value=np.ones(len(pairs)),
        n_periods=n_periods,
    )


def simulated(
    number: int, effect: float, *, villages: int = 20, size: int = 30, level_sd: float = 0.0
) -> ObservedDiffusion:
    """Simulate adoption in villages where exposure in the period before raises the log odds by the effect."""
    random = np.random.default_rng([20261123, number])
    n, periods = villages * size, 6
    village = np.repeat(np.arange(villages), size)
    ego = np.repeat(np.arange(n), 4)
    others = random.integers(1, size, (n, 4))
    alter = (village * size)[ego] + (ego % size + others.ravel()) % size
    pairs = np.unique(np.column_stack([ego, alter]), axis=0)
    named = np.bincount(pairs[:, 0], minlength=n)
    level = -2.2 + level_sd * random.standard_normal(villages)[village]
    older = random.standard_normal(n)
    time = np.where(random.random(n) < 1 / (1 + np.exp(-level)), 1, 0)
    for period in range(2, periods + 1):
        exposure = np.bincount(pairs[:, 0], time[pairs[:, 1]] > 0, n) / named
        chance = 1 / (1 + np.exp(-(level + 0.1 * period + effect * exposure + 0.3 * older)))
        time = np.where((time == 0) & (random.random(n) < chance), period, time)
    return observed(
        time.tolist(),
        [(int(a), int(b)) for a, b in pairs],
        n_periods=periods,
        community=[str(k) for k in village],
        older=older,
    )


def test_the_table_has_a_row_for_each_period_at_risk() -> None:
    data = observed([1, 2, 3, 0], [(1, 0), (2, 0), (2, 1)], n_periods=3, last_seen=[3, 3, 3, 2])
    found = person_periods(data)
    columns = ["person", "period", "adopted", "exposure"]
    assert found.table[columns].to_numpy().tolist() == [
        [1, 2, 1, 1.0],
        [2, 2, 0, 0.5],
        [2, 3, 1, 1.0],
        [3, 2, 0, 0.0],
    ]
    assert (found.left_censored, found.without_row, found.dropped, found.isolates) == (1, 0, 0, 1)


def test_a_longer_lag_starts_later() -> None:
    data = observed([1, 2, 3, 0], [(1, 0), (2, 0), (2, 1)], n_periods=3)
    found = person_periods(data, lag=2)
    assert found.table[["person", "period", "exposure"]].to_numpy().tolist() == [[2, 3, 0.5], [3, 3, 0.0]]
    assert (found.first, found.left_censored) == (3, 2)


def fourfold() -> ObservedDiffusion:
    """Two periods: of 10 exposed 6 adopt, of 20 who are not 5."""
    time = [1, 0, *[2] * 6, *[0] * 4, *[2] * 5, *[0] * 15]
    ties = [(person, 0) for person in range(2, 12)] + [(person, 1) for person in range(12, 32)]
    return observed(time, ties, n_periods=2, community=[str(k % 5) for k in range(32)])


def test_one_period_is_a_fourfold_table() -> None:
    found = exposure_effects(fourfold(), clusters=None)
    row = found.exposure
    ratio = (6 / 4) / (5 / 16)  # with the person who is named by those who are not exposed
    assert row["odds_ratio"] == pytest.approx(ratio)
    error = np.sqrt(1 / 6 + 1 / 4 + 1 / 5 + 1 / 16)
    assert row["standard_error"] == pytest.approx(error)
    assert row["odds_high"] == pytest.approx(np.exp(np.log(ratio) + 1.959964 * error), rel=1e-5)
    steep = (10 * 0.6 * 0.4 + 21 * (5 / 21) * (16 / 21)) / 31
    assert row["marginal"] == pytest.approx(np.log(ratio) * steep)
    assert (found.n_rows, found.n_events, found.left_censored) == (31, 11, 1)

    def log_likelihood(*cells: tuple[int, int]) -> float:
        return sum(k * np.log(k / n) + (n - k) * np.log(1 - k / n) for k, n in cells)

    expected = 2 * (log_likelihood((6, 10), (5, 21)) - log_likelihood((11, 31)))
    assert found.likelihood_ratio == pytest.approx(expected)
    assert found.wald == pytest.approx((np.log(ratio) / error) ** 2)


def test_the_error_of_the_marginal_effect_is_that_of_the_delta_method() -> None:
    found = exposure_effects(fourfold(), clusters=None).exposure
    first, second = np.log(5 / 16), np.log(6 / 4)
    covariances = np.diag([1 / 5 + 1 / 16, 1 / 6 + 1 / 4])

    def effect(a: float, b: float) -> float:
        p, q = 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b))
        return float((b - a) * (21 * p * (1 - p) + 10 * q * (1 - q)) / 31)

    step = 1e-6
    slope = np.array(
        [
            (effect(first + step, second) - effect(first - step, second)) / (2 * step),
            (effect(first, second + step) - effect(first, second - step)) / (2 * step),
        ]
    )
    assert found["marginal_error"] == pytest.approx(float(np.sqrt(slope @ covariances @ slope)), rel=1e-5)


def test_standard_errors_are_robust_to_clusters() -> None:
    data = simulated(0, 1.0)
    found = exposure_effects(data, covariates=["older"])
    table = person_periods(data, covariates=["older"]).table
    columns = np.column_stack(
        [*(table["period"] == period for period in range(2, 7)), table["exposure"], table["older"]]
    ).astype(float)
    adopted = table["adopted"].to_numpy()
    beta = np.zeros(columns.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-columns @ beta))
        bread = np.linalg.inv((columns * (chance * (1 - chance))[:, None]).T @ columns)
        beta = beta + bread @ columns.T @ (adopted - chance)
    scores = columns * (adopted - chance)[:, None]
    by_village = scores.reshape(len(table), -1)
    sums = np.array([by_village[table["community"] == name].sum(axis=0) for name in set(table["community"])])
    n, k = columns.shape
    groups = len(sums)
    robust = groups / (groups - 1) * (n - 1) / (n - k) * bread @ sums.T @ sums @ bread
    assert found.exposure["coefficient"] == pytest.approx(beta[5], rel=1e-6)
    assert found.exposure["standard_error"] == pytest.approx(np.sqrt(robust[5, 5]), rel=1e-6)
    from scipy.stats import t

    width = (found.exposure["high"] - found.exposure["low"]) / 2
    assert width == pytest.approx(t(groups - 1).ppf(0.975) * np.sqrt(robust[5, 5]), rel=1e-6)


def test_intervals_hold_a_known_effect() -> None:
    rows = [exposure_effects(simulated(k, 1.0), covariates=["older"]).exposure for k in range(12)]
    inside = sum(row["low"] <= 1.0 <= row["high"] for row in rows)
    assert inside >= 10  # of 12 at 95 %: fewer with a chance of 1 in 50
    estimates = np.array([row["coefficient"] for row in rows])
    assert abs(estimates.mean() - 1.0) < 3 * estimates.std(ddof=1) / np.sqrt(len(rows))


def test_communities_that_differ_look_like_influence_unless_each_has_its_own_level() -> None:
    data = simulated(1, 0.0, level_sd=1.0)
    without = exposure_effects(data).exposure
    within = exposure_effects(data, community_effects=True).exposure
    assert without["low"] > 0
    assert within["low"] < 0 < within["high"]


def test_what_foretells_adoption_is_found() -> None:
    data = simulated(2, 0.0)
    will = (data.time == 0).astype(float)
    told = observed(
        data.time.tolist(),
        list(zip(data.ego.tolist(), data.alter.tolist(), strict=True)),
        n_periods=6,
        community=list(data.community),
        never_will=will,
    )
    found = exposure_effects(told, covariates=["never_will"])
    assert "never_will" in found.separated
    assert any(note.startswith("separation") for note in found.notes)
    assert exposure_effects(data).separated == ()


def test_what_is_missing_is_dropped_or_marked() -> None:
    data = simulated(3, 0.5)
    gaps = np.where(np.arange(data.n_people) % 7 == 0, np.nan, data.covariates["older"])
    holes = observed(
        data.time.tolist(),
        list(zip(data.ego.tolist(), data.alter.tolist(), strict=True)),
        n_periods=6,
        community=list(data.community),
        older=gaps,
        kind=["red", "green", "blue"] * (data.n_people // 3),
    )
    dropped = exposure_effects(holes, covariates=["older", "kind"])
    marked = exposure_effects(holes, covariates=["older"], missing="indicator")
    whole = exposure_effects(data)
    assert dropped.dropped > 0
    assert dropped.n_rows + dropped.dropped == marked.n_rows == whole.n_rows
    assert dropped.table["name"].tolist() == ["exposure", "older", "kind: green", "kind: red"]
    assert marked.table["name"].tolist() == ["exposure", "older", "older missing"]


def test_columns_that_add_nothing_and_communities_without_adoption_are_left_out_and_named() -> None:
    data = simulated(4, 0.5, villages=6)
    time = np.where(np.array(data.community) == "3", 0, data.time)
    same = observed(
        time.tolist(),
        list(zip(data.ego.tolist(), data.alter.tolist(), strict=True)),
        n_periods=6,
        community=list(data.community),
        one=1.0,
    )
    found = exposure_effects(same, covariates=["one"], community_effects=True)
    assert found.table["name"].tolist() == ["exposure"]
    said = "\n".join(found.notes)
    assert "community 3 are left out" in said
    assert "the other columns say all of it: one" in said
    assert "6 communities" not in said  # 5 are left
    assert "5 communities are few" in str(found)


def test_numbers_that_change_with_time_can_be_given() -> None:
    data = simulated(5, 0.5)
    periods = np.tile(np.arange(6.0), (data.n_people, 1)) * (np.arange(data.n_people) % 2)[:, None]
    found = exposure_effects(data, over_time={"seasons": periods})
    assert found.table["name"].tolist() == ["exposure", "seasons"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"lag": 9}, "lag: found 9; allowed are whole numbers from 0 to 5"),
        ({"covariates": ["oldr"]}, "did you mean 'older'?"),
        ({"covariates": "older"}, "allowed is a list of names"),
        ({"clusters": "village"}, "clusters: found 'village'; allowed are 'community', 'person', None"),
        ({"missing": "guess"}, "missing: found 'guess'"),
        ({"level": 95}, "level: found 95"),
        ({"over_time": {"x": np.zeros(3)}}, "allowed is (600, 6): people, periods"),
        ({"over_time": {"period": np.zeros((600, 6))}}, "'period' is a column of the table itself"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        exposure_effects(simulated(6, 0.5), **asked)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_data_without_adoptions_without_variation_or_of_one_community_are_refused() -> None:
    with pytest.raises(UsageError, match="0 adoptions in 2 person-periods"):
        exposure_effects(observed([1, 0, 0], [(1, 0)], n_periods=2))
    with pytest.raises(UsageError, match="exposure does not vary"):
        exposure_effects(observed([1, 2, 0, 2, 0], [], n_periods=2), clusters=None)
    with pytest.raises(UsageError, match="all rows are of one community"):
        exposure_effects(observed([1, 2, 0, 2, 0], [(1, 0), (2, 0)], n_periods=2))


def test_without_statsmodels_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.discrete.discrete_model", None)
    with pytest.raises(UsageError, match=r'exposure_effects needs: pip install "mobsim\[diffusion\]"'):
        exposure_effects(fourfold())
