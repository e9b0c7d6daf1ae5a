"""The verdict's words on cases where the right answer is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from mobsim.analysis.statistics import bonferroni_t, t_quantile
from mobsim.analysis.verdict import COMMUNITIES, PairVerdict, in_points, judge, listed
from mobsim.errors import MobsimError, ResultsError, UsageError

pytestmark = pytest.mark.quick


def spread(mean: float, deviation: float, n: int = 32, frequency: int = 1) -> np.ndarray:
    """Values with exactly this mean and standard deviation; other frequencies are uncorrelated."""
    wave = np.cos(2 * np.pi * frequency * (np.arange(n) + 0.5) / n)
    return mean + deviation * wave / wave.std(ddof=1)


def arms_of(*differences: np.ndarray) -> np.ndarray:
    """No campaign at .08, and arms that differ from it by these; one luck."""
    none = spread(0.08, 0.02, len(differences[0]), frequency=5)
    return np.stack([none + d for d in differences] + [none])[:, :, None]


def only(pairs: Sequence[PairVerdict], arm: str, rival: str) -> PairVerdict:
    return next(pair for pair in pairs if (pair.arm, pair.rival) == (arm, rival))


def test_better_in_words() -> None:
    verdict = judge(arms_of(spread(0.06, 0.01), spread(0.02, 0.01)), ["outreach", "training", "none"])
    width = bonferroni_t(0.95, 3, 31) * 0.01 / math.sqrt(32)  # of each arm against none
    assert verdict.best == "outreach"
    assert (
        verdict.headline == "outreach is the best of no campaign, outreach and training (simultaneous 95 %)"
    )
    assert only(verdict.pairs, "outreach", "none").low == pytest.approx(0.06 - width)
    assert only(verdict.pairs, "outreach", "training").sentence == (
        "outreach beats training: 4.0 points (4.0 to 4.0; simultaneous 95 %); "
        "ahead in 32 of 32 paired futures"
    )
    assert only(verdict.pairs, "training", "none").sentence == (
        "training beats no campaign: 2.0 points (1.6 to 2.4; simultaneous 95 %); "
        "ahead in 32 of 32 paired futures"
    )


def test_better_by_less_than_what_matters_says_so() -> None:
    verdict = judge(arms_of(spread(0.004, 0.001)), ["visits", "none"])
    assert verdict.pairs[0].kind == "better"
    assert verdict.pairs[0].sentence.endswith("; less than the 1 point that matters")


def test_limits_do_not_reach_below_a_sign_that_is_shown() -> None:
    # One arm: lo = 0 by the one-sided t(.95) = 1.696; printed limits by the two-sided t(.975) = 2.040.
    deviation = 0.02 * math.sqrt(32) / 1.85
    verdict = judge(arms_of(spread(0.02, deviation)), ["visits", "none"])
    assert verdict.best == "visits"
    assert verdict.pairs[0].low == 0
    assert "2.0 points (0.0 to 4.2; simultaneous 95 %)" in verdict.pairs[0].sentence


def test_practically_equal_in_words() -> None:
    verdict = judge(arms_of(spread(0.001, 0.01)), ["visits", "none"])
    pair = verdict.pairs[0]
    narrow = t_quantile(0.95, 31) * 0.01 / math.sqrt(32)
    assert pair.kind == "practically equal"
    assert (pair.equality_low, pair.equality_high) == pytest.approx((0.001 - narrow, 0.001 + narrow))
    assert pair.sentence.startswith(
        "no difference that matters between visits and no campaign (within 1 point): "
        "0.1 points (-0.2 to 0.4; paired 90 %); visits ahead in "
    )
    assert verdict.headline == "no difference that matters (within 1 point) between no campaign and visits"
    assert verdict.best is None


def test_cannot_tell_yet_in_words() -> None:
    verdict = judge(arms_of(spread(0.005, 0.05)), ["visits", "none"])
    pair = verdict.pairs[0]
    needed = math.ceil((t_quantile(0.95, 31) * 0.05 / 0.01) ** 2) - 32
    assert pair.kind == "cannot tell yet"
    assert pair.further == needed == 40
    assert pair.sentence.startswith(
        "cannot tell yet between visits and no campaign: about 40 more communities; so far 0.5 points ("
    )
    assert (
        verdict.headline
        == "cannot tell yet which is best of no campaign and visits: about 40 more communities"
    )


def test_not_with_this_many() -> None:
    verdict = judge(arms_of(spread(0.005, 0.3)), ["visits", "none"])
    assert "not with this many (more than 2,000 more communities)" in verdict.pairs[0].sentence
    assert "not with this many" in verdict.headline


def test_at_the_edge_of_what_matters() -> None:
    # h is .0093, so the formula asks for no more; yet 90 % of the interval reach over the point that matters.
    deviation = 0.0093 * math.sqrt(32) / t_quantile(0.95, 31)
    pair = judge(arms_of(spread(0.009, deviation)), ["visits", "none"]).pairs[0]
    assert pair.kind == "cannot tell yet"
    assert pair.further == 0
    assert "the edge of the 1 point that matters, and 32 communities already measure it" in pair.sentence


def test_numbers_agree_with_their_nouns() -> None:
    assert COMMUNITIES.more(1) == "1 more community"
    assert COMMUNITIES.more(1200) == "1,200 more communities"
    assert in_points(-0.0001) == "0.0"
    assert in_points(0.041) == "4.1"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_arms_that_noise_could_have_ranked_are_not_ranked() -> None:
    values = arms_of(spread(0.060, 0.05, frequency=1), spread(0.055, 0.05, frequency=2), spread(-0.2, 0.01))
    verdict = judge(values, ["mixed", "advocacy", "harmful", "none"])
    assert verdict.best is None
    assert verdict.possible == ("advocacy", "mixed")
    assert "which is best of advocacy and mixed" in verdict.headline
    assert verdict.headline.endswith("; not the best: harmful and no campaign (simultaneous 95 %)")
    assert only(verdict.pairs, "mixed", "advocacy").kind == "cannot tell yet"
    assert only(verdict.pairs, "none", "harmful").sentence.startswith(
        "no campaign beats harmful: 20.0 points"
    )


def test_identical_arms() -> None:
    values = arms_of(np.zeros(32), np.zeros(32))
    verdict = judge(values, ["a", "b", "none"])
    assert verdict.best is None
    assert verdict.headline == "no difference that matters (within 1 point) between a, b and no campaign"
    assert [pair.kind for pair in verdict.pairs] == ["practically equal"] * 2
    assert verdict.pairs[0].sentence.endswith("equal in all 32 paired futures")


def test_an_arm_that_does_nothing_cannot_make_a_worse_arm_the_best() -> None:
    values = arms_of(np.zeros(32), spread(-0.001, 0.05))
    verdict = judge(values, ["nothing", "noisy", "none"])
    assert verdict.best is None
    assert set(verdict.possible) == {"nothing", "noisy", "none"}


def test_a_constant_difference_is_certain() -> None:
    verdict = judge(arms_of(np.full(32, 0.125)), ["visits", "none"])
    assert verdict.best == "visits"
    assert verdict.pairs[0].sentence.startswith("visits beats no campaign: 12.5 points (12.5 to 12.5;")


def test_no_campaign_can_be_the_best() -> None:
    verdict = judge(arms_of(spread(-0.05, 0.01)), ["harmful", "none"])
    assert verdict.best == "none"
    assert verdict.headline == "no campaign does better than every arm (simultaneous 95 %)"
    assert verdict.pairs[0].sentence.startswith("no campaign beats harmful: 5.0 points")


def test_only_no_campaign() -> None:
    for n in (1, 32):
        verdict = judge(spread(0.08, 0.01, 32)[None, :n, None], ["none"])
        assert verdict.headline == "only no campaign was run: there is nothing to compare"
        assert verdict.pairs == ()


def test_one_community_gives_no_interval() -> None:
    verdict = judge([[[0.3, 0.4]], [[0.1, 0.1]]], ["visits", "none"])
    assert verdict.best is None
    assert verdict.constrained is None
    assert verdict.headline == (
        "cannot tell yet which arm is best: there is only 1 community, which gives no interval; "
        "at least 2 are needed and 32 are advised"
    )
    assert verdict.pairs[0].kind == "cannot tell yet"
    assert math.isnan(verdict.pairs[0].low)
    assert "25.0 points in 1 community" in verdict.pairs[0].sentence
    assert "visits ahead in 2 of 2 paired futures" in verdict.pairs[0].sentence


def test_an_imported_community_speaks_for_itself_only() -> None:
    values = arms_of(spread(0.06, 0.05), spread(0.055, 0.5, frequency=2)).transpose(0, 2, 1)
    verdict = judge(values, ["visits", "tipping", "none"], single_community=True)
    assert len(verdict.sentences) > 4
    assert all(sentence.endswith(", for this community") for sentence in verdict.sentences)
    assert "runs with new luck" in verdict.text
    assert "communities" not in verdict.text
    alone = judge(values[:, :, :1], ["visits", "tipping", "none"], single_community=True)
    assert all(sentence.endswith(", for this community") for sentence in alone.sentences)
    assert "there is only 1 run with new luck" in alone.headline


def test_luck_is_nested_in_communities() -> None:
    one = arms_of(spread(0.005, 0.05))
    many = np.repeat(one, 50, axis=2)
    first, second = judge(one, ["visits", "none"]).pairs[0], judge(many, ["visits", "none"]).pairs[0]
    assert (second.low, second.high) == pytest.approx((first.low, first.high))
    assert second.futures == 1600


def test_one_community_that_dominates_is_named() -> None:
    difference = spread(0.02, 0.001)
    difference[7] = 0.6
    verdict = judge(arms_of(difference), ["visits", "none"], communities=[f"village {c}" for c in range(32)])
    assert verdict.warnings[-1].startswith(
        "one community (village 7) carries 97 % of the variance of visits against no campaign; read the "
    )
    assert verdict.warnings[-1].endswith("ask for at least 100 communities")


def test_outcomes_that_tip_are_announced() -> None:
    difference = spread(0.02, 0.005)
    difference[:12] += 0.8
    verdict = judge(arms_of(difference), ["visits", "none"])
    assert verdict.warnings[0].startswith("outcomes tip under visits: 38 % of the runs end near 9")
    assert "ask for at least 100 communities" in verdict.warnings[0]
    long = np.tile(arms_of(difference), (1, 4, 1))
    assert "ask for" not in judge(long, ["visits", "none"]).warnings[0]


def test_order_of_arms_does_not_change_a_word() -> None:
    values = arms_of(spread(0.06, 0.05), spread(0.055, 0.05, frequency=2), spread(0.01, 0.02, frequency=3))
    names = ["mixed", "outreach", "training", "none"]
    text = judge(values, names).text
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        assert judge(values[order], [names[i] for i in order]).text == text


def test_other_levels_are_said() -> None:
    verdict = judge(arms_of(spread(0.001, 0.02)), ["visits", "none"], confidence=0.9, matters=0.02)
    assert verdict.pairs[0].sentence.startswith(
        "no difference that matters between visits and no campaign (within 2 points)"
    )
    assert "paired 80 %" in verdict.pairs[0].sentence


def test_two_stages_keep_the_first_stage_deviation() -> None:
    values = arms_of(np.concatenate([spread(0.03, 0.05), np.full(68, 0.03)]))
    pair = judge(values, ["visits", "none"], first_stage=32).pairs[0]
    assert pair.high - pair.estimate == pytest.approx(t_quantile(0.975, 31) * 0.05 / 10)


@pytest.mark.parametrize(
    ("settings", "names", "message"),
    [
        ({"matters": 0.0}, ["a", "none"], "matters: found 0.0"),
        ({"matters": math.nan}, ["a", "none"], "matters: found nan"),
        ({"confidence": 95}, ["a", "none"], "confidence: found 95"),
        ({}, ["a", "b"], "one 'none'"),
        ({}, ["none", "none"], "as many different names"),
        ({}, ["none"], "for 2 rows"),
        ({"single_community": True}, ["a", "none"], "found 32 communities; allowed is one"),
    ],
)
def test_what_is_refused(settings: dict[str, float], names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        judge(arms_of(spread(0.01, 0.01)), names, **settings)


def test_nan_is_refused() -> None:
    values = arms_of(spread(0.01, 0.01))
    values[0, 3, 0] = math.nan
    with pytest.raises(ResultsError, match="1 values that are NaN"):
        judge(values, ["a", "none"])
    assert issubclass(ResultsError, MobsimError)
