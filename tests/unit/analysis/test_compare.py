"""From a tidy table of outcomes to the comparison."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mobsim.analysis.compare import COLUMNS, NO_CAMPAIGN, POINTWISE, PRIMARY, Comparison, compare_outcomes
from mobsim.analysis.ratios import fieller_interval
from mobsim.analysis.statistics import paired_interval
from mobsim.errors import MobsimError, ResultsError, UsageError

pytestmark = pytest.mark.quick

EFFECTS = {"none": 0.0, "outreach": 0.06, "training": 0.02, "nothing": 0.0}


def runs(n_communities: int = 32, n_lucks: int = 4) -> pd.DataFrame:
    """Outcomes of four arms, one of which does nothing, with communities that matter more than luck."""
    generator = np.random.Generator(np.random.Philox(key=11))
    shape = (n_communities, n_lucks)
    base = 0.08 + generator.normal(0, 0.01, (n_communities, 1)) + generator.normal(0, 0.003, shape)
    rows = []
    for arm, effect in EFFECTS.items():
        noise = generator.normal(0, 0.01, (n_communities, 1)) + generator.normal(0, 0.004, shape)
        fe = base + (effect + noise if effect else 0)
        end = base + ((effect + noise) / 2 if effect else 0)
        for community in range(n_communities):
            for luck in range(n_lucks):
                f = float(fe[community, luck])
                rows.append(
                    {
                        "arm": arm,
                        "community": community,
                        "luck": luck,
                        "participation_fe": f,
                        "participation_fe__majority": f + 0.01,
                        "participation_fe__marginalized": f - 0.04,
                        "participation_end": float(end[community, luck]),
                        "gap_fe": 0.05,
                        "persistence_ratio": float(end[community, luck]) / f,
                        "cost": 0 if arm in ("none", "nothing") else 10_000,
                        "time_to_goal__fifth": 20.0 + luck if effect == 0.06 and community % 2 else math.nan,
                        "goal_met__fifth": effect == 0.06 and community % 2 == 1,
                    }
                )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return runs()


@pytest.fixture(scope="module")
def comparison(table: pd.DataFrame) -> Comparison:
    return compare_outcomes(table, residents=1000, horizon=130)


def row_of(comparison: Comparison, arm: str, outcome: str, group: str = "all") -> pd.Series:
    found = comparison.table.query("arm == @arm and outcome == @outcome and group == @group")
    assert len(found) == 1
    return found.iloc[0]


def means(table: pd.DataFrame, arm: str, column: str) -> np.ndarray:
    return table[table["arm"] == arm].groupby("community")[column].mean().to_numpy()


def test_one_row_an_arm_outcome_and_group(comparison: Comparison) -> None:
    assert list(comparison.table.columns) == COLUMNS
    assert not comparison.table.duplicated(["arm", "outcome", "group"]).any()
    assert list(comparison.table["arm"].unique()) == [NO_CAMPAIGN, "nothing", "outreach", "training"]
    assert set(comparison.table.query("outcome == 'participation_fe'")["group"]) == {
        "all", "majority", "marginalized",
    }  # fmt: skip
    assert (comparison.communities, comparison.luck) == (32, 4)
    assert set(comparison.table["communities"]) == {32}


def test_levels_and_differences_are_paired_intervals(table: pd.DataFrame, comparison: Comparison) -> None:
    outreach, none = (means(table, arm, "participation_end") for arm in ("outreach", "none"))
    row = row_of(comparison, "outreach", "participation_end")
    level, against = paired_interval(outreach), paired_interval(outreach - none)
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx([level.estimate, level.low, level.high])
    assert row[["against_none", "against_none_low", "against_none_high"]].tolist() == pytest.approx(
        [against.estimate, against.low, against.high]
    )
    assert math.isnan(row_of(comparison, "none", "participation_end")["against_none"])


def test_only_the_primary_outcome_is_adjusted(comparison: Comparison) -> None:
    primary = comparison.table[comparison.table["interval"] == PRIMARY]
    assert set(zip(primary["outcome"], primary["group"], strict=True)) == {("participation_fe", "all")}
    assert set(comparison.table["interval"]) == {PRIMARY, POINTWISE}
    row = row_of(comparison, "training", "participation_fe")
    pair = next(p for p in comparison.verdict.pairs if (p.arm, p.rival) == ("training", "none"))
    assert (row["against_none_low"], row["against_none_high"]) == (pair.low, pair.high)


def test_the_verdict_is_the_verdict_of_the_primary_outcome(comparison: Comparison) -> None:
    assert comparison.verdict.best == "outreach"
    sentence = comparison.contrasts.query("arm == 'outreach' and rival == 'training'")["sentence"].item()
    assert sentence.startswith("outreach beats training: 3.9 points (3.")
    assert sentence in comparison.verdict.sentences
    assert (
        comparison.contrasts.query("rival == 'none' and arm == 'nothing'")["verdict"].item()
        == "practically equal"
    )
    best = comparison.with_best.set_index("arm")
    assert best["can_be_best"].tolist() == [False, False, True, False]
    assert best.loc["outreach", "low"] == 0
    assert best.loc["none", "high"] == 0


def test_a_group_can_be_the_primary_outcome(table: pd.DataFrame) -> None:
    comparison = compare_outcomes(
        table, residents=1000, horizon=130, outcome="participation_fe__marginalized"
    )
    primary = comparison.table[comparison.table["interval"] == PRIMARY]
    assert set(primary["group"]) == {"marginalized"}


def test_variances_and_cheapest_luck(comparison: Comparison) -> None:
    row = comparison.contrasts.query("arm == 'outreach' and rival == 'none'").iloc[0]
    # True variances 1e-4 and 1.6e-5; 31 degrees of freedom give a relative standard error of 25 %.
    assert row["variance_between_communities"] == pytest.approx(1e-4, rel=0.75)
    assert row["variance_between_lucks"] == pytest.approx(1.6e-5, rel=0.5)
    assert row["cheapest_luck"] == 1


def test_cost_per_additional_participant(table: pd.DataFrame, comparison: Comparison) -> None:
    effect = means(table, "outreach", "participation_fe") - means(table, "none", "participation_fe")
    expected = fieller_interval(np.full(32, 10_000.0), 1000 * effect)
    row = row_of(comparison, "outreach", "cost_per_additional_participant")
    assert row["estimate"] == pytest.approx(10 / effect.mean())
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    idle = row_of(comparison, "nothing", "cost_per_additional_participant")
    assert idle["note"] == "no additional participants shown"
    assert math.isnan(idle["estimate"])


def test_cost_of_fewer_participants_is_not_a_price(table: pd.DataFrame) -> None:
    harmful = table.copy()
    harmful.loc[harmful["arm"] == "training", "participation_fe"] -= 0.05
    row = row_of(
        compare_outcomes(harmful, residents=1000, horizon=130), "training", "cost_per_additional_participant"
    )
    assert row["note"] == "no additional participants shown: fewer participants than with no campaign"
    assert math.isnan(row["estimate"])


def test_effect_kept(comparison: Comparison) -> None:
    row = row_of(comparison, "outreach", "effect_kept")
    assert row["estimate"] == pytest.approx(0.5)
    assert row["low"] <= 0.5 <= row["high"]
    assert row_of(comparison, "nothing", "effect_kept")["note"] == "no effect at funding end shown"


def test_time_to_goal(comparison: Comparison) -> None:
    reached = row_of(comparison, "outreach", "goal_reached__fifth")
    weeks = row_of(comparison, "outreach", "time_to_goal__fifth")
    assert reached["estimate"] == 0.5
    assert weeks["estimate"] == pytest.approx((130 + 21.5) / 2)
    assert weeks["note"] == "restricted mean: weeks below the goal within 130"
    assert row_of(comparison, "none", "time_to_goal__fifth")["estimate"] == 130
    assert row_of(comparison, "outreach", "goal_met__fifth")["estimate"] == 0.5


def test_chances_and_regret(comparison: Comparison) -> None:
    chances = comparison.chances.set_index("arm")
    assert chances["chance_best"].sum() == pytest.approx(1)
    assert chances["chance_best"].idxmax() == "outreach"
    assert chances.loc["none", "chance_best"] == chances.loc["nothing", "chance_best"]
    assert chances.loc["none", "regret"] == pytest.approx(0.06, abs=0.01)
    assert (chances["regret_low"] <= chances["regret"]).all()


def test_undefined_ratios_leave_their_community_out_and_say_so(table: pd.DataFrame) -> None:
    empty = table.copy()
    empty.loc[(empty["community"] == 3) & (empty["arm"] == "none"), "persistence_ratio"] = math.nan
    comparison = compare_outcomes(empty, residents=1000, horizon=130)
    row = row_of(comparison, "none", "persistence_ratio")
    assert row["communities"] == 31
    assert row["note"] == "undefined in 1 of 32, with nobody to count; left out"
    outreach, none = (means(empty, arm, "persistence_ratio") for arm in ("outreach", "none"))
    row = row_of(comparison, "outreach", "persistence_ratio")
    assert (row["communities"], row["note"]) == (32, "")
    assert row["against_none"] == pytest.approx(np.nanmean(outreach - none))
    empty["persistence_ratio"] = math.nan
    nowhere = row_of(compare_outcomes(empty, residents=1000, horizon=130), "outreach", "persistence_ratio")
    assert nowhere["communities"] == 0
    assert math.isnan(nowhere["estimate"])


def test_a_share_of_few_people_is_pooled_over_communities(table: pd.DataFrame) -> None:
    few = table.assign(leadership_fe=0.01, organizers_kept=0.5)
    few.loc[few["community"] < 8, ["leadership_fe", "organizers_kept"]] = [0.04, 0.8]
    few.loc[few["community"] == 9, ["leadership_fe", "organizers_kept"]] = [0.0, math.nan]
    few.loc[few["arm"] == "nothing", ["leadership_fe", "organizers_kept"]] = [0.0, math.nan]
    comparison = compare_outcomes(few, residents=1000, horizon=130)
    row = row_of(comparison, "outreach", "organizers_kept")
    assert row["estimate"] == pytest.approx((8 * 0.04 * 0.8 + 23 * 0.01 * 0.5) / (8 * 0.04 + 23 * 0.01))
    assert row["low"] < row["estimate"] < row["high"]
    assert row["against_none"] == pytest.approx(0)
    assert row["note"].startswith("pooled")
    nobody = row_of(comparison, "nothing", "organizers_kept")
    assert math.isnan(nobody["estimate"])
    assert nobody["note"] == "nobody to count"


def test_goals_on_estimates_are_compared_where_somebody_asked(table: pd.DataFrame) -> None:
    asked = table.assign(goal_estimate_met__fifth=math.nan)
    asked.loc[asked["arm"] == "outreach", "goal_estimate_met__fifth"] = 1.0
    comparison = compare_outcomes(asked, residents=1000, horizon=130)
    assert row_of(comparison, "outreach", "goal_estimate_met__fifth")["estimate"] == 1
    assert math.isnan(row_of(comparison, "training", "goal_estimate_met__fifth")["estimate"])


def test_an_empty_group_and_an_outcome_of_some_arms_only(table: pd.DataFrame) -> None:
    sparse = table.assign(voice_share__marginalized=0.25)
    sparse.loc[sparse["arm"] != "outreach", "voice_share__marginalized"] = math.nan
    sparse.loc[sparse["community"] == 9, "participation_fe__marginalized"] = math.nan
    comparison = compare_outcomes(sparse, residents=1000, horizon=130)
    assert row_of(comparison, "outreach", "voice_share", "marginalized")["estimate"] == 0.25
    assert math.isnan(row_of(comparison, "outreach", "voice_share", "marginalized")["against_none"])
    assert row_of(comparison, "training", "voice_share", "marginalized")["communities"] == 0
    assert row_of(comparison, "training", "participation_fe", "marginalized")["communities"] == 31


def same(first: Comparison, second: Comparison) -> bool:
    return (
        first.verdict.text == second.verdict.text
        and first.table.to_csv() == second.table.to_csv()
        and first.contrasts.to_csv() == second.contrasts.to_csv()
        and first.with_best.to_csv() == second.with_best.to_csv()
        and first.chances.to_csv() == second.chances.to_csv()
    )


def test_order_of_rows_and_columns_changes_no_byte(table: pd.DataFrame, comparison: Comparison) -> None:
    shuffled = table.sample(frac=1, random_state=4)[list(reversed(table.columns))]
    assert same(comparison, compare_outcomes(shuffled, residents=1000, horizon=130))


def test_the_table_given_is_left_alone(table: pd.DataFrame) -> None:
    before = table.copy()
    compare_outcomes(table, residents=1000, horizon=130)
    pd.testing.assert_frame_equal(table, before)


def test_an_imported_community(table: pd.DataFrame) -> None:
    one = runs(1, 40)
    comparison = compare_outcomes(one, residents=1000, horizon=130, single_community=True)
    assert (comparison.communities, comparison.luck) == (1, 40)
    assert all(sentence.endswith("for this community") for sentence in comparison.verdict.sentences)
    row = row_of(comparison, "outreach", "participation_end")
    level = paired_interval(one[one["arm"] == "outreach"]["participation_end"])
    assert (row["low"], row["high"]) == pytest.approx((level.low, level.high))
    assert (row["communities"], row["luck"]) == (1, 40)
    assert comparison.contrasts["variance_between_lucks"].notna().all()
    with pytest.raises(UsageError, match="found 32 communities"):
        compare_outcomes(table, residents=1000, horizon=130, single_community=True)


def test_one_community_that_stands_for_many() -> None:
    comparison = compare_outcomes(runs(1, 4), residents=1000, horizon=130)
    assert "gives no interval" in comparison.verdict.headline
    assert (
        row_of(comparison, "outreach", "cost_per_additional_participant")["note"] == "no interval is possible"
    )
    assert comparison.table["low"].isna().all()


def test_only_no_campaign(table: pd.DataFrame) -> None:
    comparison = compare_outcomes(table[table["arm"] == "none"], residents=1000, horizon=130)
    assert "nothing to compare" in comparison.verdict.headline
    assert len(comparison.contrasts) == 0
    assert row_of(comparison, "none", "participation_fe")["low"] > 0


def test_a_table_with_the_primary_outcome_alone_is_enough(table: pd.DataFrame) -> None:
    comparison = compare_outcomes(
        table[["arm", "community", "luck", "participation_fe"]], residents=1000, horizon=130
    )
    assert set(comparison.table["outcome"]) == {"participation_fe", "relative_participation"}


def without(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table.drop(columns=column)


def with_value(table: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    changed = table.astype({column: object})
    changed.loc[5, column] = value
    return changed.infer_objects()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: without(t, "luck"), "needed once are arm, community, luck"),
        (lambda t: t.iloc[:0], "found no rows"),
        (lambda t: t[t["arm"] != "none"], "the arm 'none' is needed"),
        (lambda t: t.iloc[1:], "found 511 runs; 4 arms x 32 communities x 4 lucks are 512"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "arm none, community 0, luck 0 more than once"),
        (
            lambda t: with_value(t, "participation_fe", math.nan),
            "'participation_fe': found 1 values that are NaN",
        ),
        (
            lambda t: with_value(t, "participation_fe__majority", -math.inf),
            "found 1 values that are NaN or inf",
        ),
        (lambda t: with_value(t, "cost", math.inf), "'cost': found 1 values that are NaN or infinite"),
        (lambda t: with_value(t, "persistence_ratio", math.inf), "'persistence_ratio': found 1 values"),
        (lambda t: with_value(t, "time_to_goal__fifth", 131.0), "found week 131; allowed are 0 to 130"),
        (lambda t: with_value(t, "community", math.nan), "without arm, community or luck"),
        (lambda t: with_value(t, "community", "north"), "community: found numbers and words"),
        (lambda t: t.assign(color="red"), "'color': found .*; only numbers"),
    ],
)
def test_tables_that_are_refused(table: pd.DataFrame, change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(ResultsError, match=message):
        compare_outcomes(change(table), residents=1000, horizon=130)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"outcome": "participation_ef"}, "did you mean 'participation_fe'"),
        ({"outcome": "cost"}, "a share of which more is better"),
        ({"outcome": "gap_fe"}, "a share of which more is better"),
        ({"outcome": "time_to_goal__fifth"}, "a share of which more is better"),
        ({"residents": 0}, "found 0 residents"),
        ({"horizon": 0}, "0 weeks"),
        ({"matters": -1.0}, "matters: found -1.0"),
        ({"confidence": 1.0}, "confidence: found 1.0"),
        ({"first_stage": 31}, "found 31 communities in the first"),
        ({"first_stage": 33}, "there are only 32"),
    ],
)
def test_settings_that_are_refused(table: pd.DataFrame, settings: dict[str, object], message: str) -> None:
    with pytest.raises(MobsimError, match=message):
        compare_outcomes(table, **{"residents": 1000, "horizon": 130, **settings})
