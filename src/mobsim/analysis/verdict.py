"""The verdict in words: which arm is better, which are practically equal, and where nobody can tell yet.

Arms are compared with the best and with no campaign. Three things can be said of a pair:

* better: Hsu's constrained intervals show the best arm (lo = 0), so it is better than every other; for other
  pairs, the interval that holds for all pairs at once leaves out 0;
* practically equal: the paired 90 % interval lies inside plus or minus the smallest difference that matters
  (two one-sided tests at 5 %);
* cannot tell yet: neither; with the number of further communities that would measure the difference to
  within what matters.

The interval printed beside a difference holds for all k (k - 1) / 2 pairs at once (Bonferroni), because the
data chose which arm is called the best. Its lower limit is raised to 0 where the constrained intervals
already show the sign.

Sources: as in `best` (Hsu 1984; Edwards & Hsu 1983; Yang & Nelson 1991). Practical equality: Schuirmann, D.
J. (1987). A comparison of the two one-sided tests procedure and the power approach. Journal of
Pharmacokinetics and Biopharmaceutics 15, 657-680.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from mobsim.analysis.best import PairwiseDifferences, WithBest, constrained_intervals, pairwise_differences
from mobsim.analysis.statistics import (
    Floats,
    ahead_and_equal,
    check_confidence,
    dominant_community,
    finite_array,
    t_quantile,
    tipping,
)
from mobsim.errors import UsageError

NO_CAMPAIGN = "none"
"""Name of the arm without a campaign; sentences call it "no campaign"."""

MOST_FURTHER_COMMUNITIES = 2000
"""Above this many further communities the verdict says "not with this many"."""

ONLY_NO_CAMPAIGN = "only no campaign was run: there is nothing to compare"

FEWEST_FOR_DOMINANCE = 10
"""With fewer communities one of them nearly always carries a quarter of the variance, even of normal
values."""

ENOUGH_FOR_TIPPING = 100
"""Communities asked for when outcomes tip or one community carries more than a quarter of the variance."""

Kind = Literal["better", "practically equal", "cannot tell yet"]


@dataclass(frozen=True)
class Units:
    """What is counted as independent: communities, or runs with new luck in the one community there is."""

    one: str
    many: str
    scope: str

    def count(self, n: int) -> str:
        """Return `1 community`, `60 communities`."""
        return f"{n:,} {self.one if n == 1 else self.many}"

    def more(self, n: int) -> str:
        """Return `1 more community`, `60 more communities`."""
        return f"{n:,} more {self.one if n == 1 else self.many}"


COMMUNITIES = Units("community", "communities", "")
LUCKS = Units("run with new luck", "runs with new luck", ", for this community")


@dataclass(frozen=True)
class PairVerdict:
    """What can be said of one arm against one rival.

    Attributes
    ----------
    arm, rival : names; the arm of a "better" pair is the better one.
    kind : "better", "practically equal" or "cannot tell yet".
    estimate : mean paired difference, arm minus rival, as a share.
    low, high : its simultaneous limits; NaN with one community.
    equality_low, equality_high : the paired interval at confidence 1 - 2 alpha (90 %), pointwise.
    ahead, equal, futures : paired futures in which the arm is ahead, exactly equal, and all of them.
    further : communities (or lucks) still needed to measure the difference to within what matters; None if
        not asked.
    sentence : all of it in words.
    """

    arm: str
    rival: str
    kind: Kind
    estimate: float
    low: float
    high: float
    equality_low: float
    equality_high: float
    ahead: int
    equal: int
    futures: int
    further: int | None
    sentence: str


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a comparison of arms shows, and what it does not.

    Attributes
    ----------
    arms : names in the order of the values.
    best : the arm shown to be best, or None.
    leading : the arm with the highest estimate, which pairs are formed with; not a finding.
    possible : arms that can still be the best, in alphabetical order.
    constrained : Hsu's intervals in the order of `arms`; None when no interval is possible.
    pairs : all pairs with the leading arm, then all other pairs with no campaign.
    headline : the first sentence.
    warnings : sentences about outcomes that tip or hang on one community.
    """

    arms: tuple[str, ...]
    best: str | None
    leading: str
    possible: tuple[str, ...]
    constrained: WithBest | None
    pairs: tuple[PairVerdict, ...]
    headline: str
    warnings: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Headline, one sentence a pair, warnings."""
        return (self.headline, *(pair.sentence for pair in self.pairs), *self.warnings)

    @property
    def text(self) -> str:
        """All sentences, one a line."""
        return "\n".join(self.sentences)


def in_points(share: float) -> str:
    """Write a share in points with one decimal: 0.041 is 4.1, and never -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def in_words(arm: str) -> str:
    """Return the name that planners read: the arm `none` is "no campaign"."""
    return "no campaign" if arm == NO_CAMPAIGN else arm


def listed(names: Sequence[str]) -> str:
    """Join names: `a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def judge(
    values: Any,
    arms: Sequence[str],
    *,
    matters: float = 0.01,
    confidence: float = 0.95,
    single_community: bool = False,
    first_stage: int | None = None,
    communities: Sequence[object] | None = None,
) -> Verdict:
    """Compare all arms with the best and with no campaign, and say it in words.

    Parameters
    ----------
    values : (n_arms, n_communities, n_lucks) outcome of each run as a share; more is better. The same cell
        is the same community and luck in every arm.
    arms : (n_arms,) names, one of which is "none".
    matters : smallest difference that matters, as a share in (0, 1).
    confidence : joint confidence in (0.5, 1).
    single_community : the community was imported: luck is the unit, and every sentence says "for this
        community".
    first_stage : number of leading communities of the first of Stein's two stages, if there were two.
    communities : (n_communities,) their labels for the warnings; row numbers by default.

    Raises
    ------
    UsageError : for names that do not fit, or settings out of range.
    ResultsError : if a value is NaN or infinite.

    Examples
    --------
    >>> verdict = judge([[[0.30], [0.32], [0.31]], [[0.10], [0.13], [0.10]]], ["outreach", "none"])
    >>> verdict.best
    'outreach'
    >>> print(verdict.pairs[0].sentence)
    outreach beats no campaign: 20.0 points (17.5 to 22.5; simultaneous 95 %); ahead in 3 of 3 paired futures
    """
    array = finite_array(values, 3, "outcomes")
    check_confidence(confidence)
    if not 0 < matters < 1:
        raise UsageError(
            f"matters: found {matters!r}; allowed is a share between 0 and 1, such as 0.01 for one point"
        )
    names = tuple(arms)
    if len(names) != len(array) or len(set(names)) != len(names) or NO_CAMPAIGN not in names:
        raise UsageError(
            f"arms: found {list(names)} for {len(array)} rows; expected as many different names, one 'none'"
        )
    if single_community and array.shape[1] != 1:
        raise UsageError(f"single_community: found {array.shape[1]} communities; allowed is one")
    units = LUCKS if single_community else COMMUNITIES
    labels = list(range(array.shape[1])) if communities is None else list(communities)
    if single_community:
        array = array.transpose(0, 2, 1)
        labels = list(range(array.shape[1]))
    if array.shape[1] < 2:
        return _without_intervals(array, names, units)
    judge_of = _Judge(array, names, matters, confidence, units, first_stage, labels)
    return judge_of.verdict()


def _leading(means: Floats, names: tuple[str, ...]) -> int:
    """Row of the highest mean; of equal ones no campaign, then the first in the alphabet."""
    return min(range(len(names)), key=lambda i: (-means[i], names[i] != NO_CAMPAIGN, names[i]))


def _pairs_to_judge(names: tuple[str, ...], leading: int) -> list[tuple[int, int]]:
    """Return rows of all pairs with the leading arm, then of the others with no campaign, by name."""
    order = sorted(range(len(names)), key=lambda i: (names[i] == NO_CAMPAIGN, names[i]))
    none = names.index(NO_CAMPAIGN)
    with_best = [(leading, i) for i in order if i != leading]
    return with_best + [(i, none) for i in order if i not in (none, leading) and leading != none]


def _futures_in_words(pair: PairVerdict) -> str:
    """Return `ahead in 96 of 100 paired futures`, and how many were exactly equal."""
    same = f", equal in {pair.equal:,}" if pair.equal else ""
    return f"ahead in {pair.ahead:,} of {pair.futures:,} paired futures{same}"


def _without_intervals(array: Floats, names: tuple[str, ...], units: Units) -> Verdict:
    """Say what was seen when there is one unit only, so that nothing tells how units differ."""
    means = array.mean(axis=(1, 2))
    leading = _leading(means, names)
    pairs = []
    for i, j in _pairs_to_judge(names, leading):
        ahead, equal = ahead_and_equal(array[i], array[j])
        pair = PairVerdict(
            arm=names[i],
            rival=names[j],
            kind="cannot tell yet",
            estimate=float(means[i] - means[j]),
            low=math.nan,
            high=math.nan,
            equality_low=math.nan,
            equality_high=math.nan,
            ahead=ahead,
            equal=equal,
            futures=array[i].size,
            further=None,
            sentence="",
        )
        arm, rival = in_words(pair.arm), in_words(pair.rival)
        words = (
            f"cannot tell yet between {arm} and {rival}: {in_points(pair.estimate)} points in "
            f"{units.count(1)}, which gives no interval; {arm} {_futures_in_words(pair)}{units.scope}"
        )
        pairs.append(replace(pair, sentence=words))
    headline = (
        f"cannot tell yet which arm is best: there is only {units.count(1)}, which gives no interval; "
        f"at least 2 are needed and 32 are advised"
    )
    if len(names) == 1:
        headline = ONLY_NO_CAMPAIGN
    everyone = tuple(sorted(names))
    return Verdict(names, None, names[leading], everyone, None, tuple(pairs), headline + units.scope, ())


class _Judge:
    """One comparison being judged: the differences, their intervals and the words for its units."""

    def __init__(
        self,
        array: Floats,
        names: tuple[str, ...],
        matters: float,
        confidence: float,
        units: Units,
        first_stage: int | None,
        labels: Sequence[object],
    ) -> None:
        self.array, self.names, self.matters, self.units, self.labels = array, names, matters, units, labels
        self.level = f"{100 * confidence:g} %"
        self.equality_level = f"{100 * (2 * confidence - 1):g} %"
        self.point = f"{100 * matters:g} {'point' if matters == 0.01 else 'points'}"
        self.differences: PairwiseDifferences = pairwise_differences(array, first_stage=first_stage)
        self.several = len(names) > 1
        self.leading = _leading(array.mean(axis=(1, 2)), names)
        if self.several:
            self.constrained = constrained_intervals(self.differences, confidence=confidence)
            self.all_pairs_quantile = self.differences.all_pairs_quantile(confidence)
            self.all_pairs_width = self.differences.half_widths(self.all_pairs_quantile)
            self.equality_width = self.differences.half_widths(
                t_quantile(confidence, self.differences.degrees)
            )

    def verdict(self) -> Verdict:
        """Judge all pairs, then sum up."""
        names = self.names
        if not self.several:
            headline = ONLY_NO_CAMPAIGN + self.units.scope
            return Verdict(names, None, names[0], names, None, (), headline, tuple(self.tipping_arms()))
        rows = _pairs_to_judge(names, self.leading)
        pairs = tuple(self.pair(i, j) for i, j in rows)
        possible = tuple(sorted(names[i] for i in np.flatnonzero(self.constrained.possible)))
        best = possible[0] if len(possible) == 1 else None
        headline = self.headline(best, possible, pairs) + self.units.scope
        warnings = (*self.tipping_arms(), *self.dominated_pairs(rows))
        return Verdict(
            names, best, names[self.leading], possible, self.constrained, pairs, headline, warnings
        )

    def pair(self, i: int, j: int) -> PairVerdict:
        """Judge arm i against arm j; if j turns out better, the pair is turned round."""
        difference = float(self.differences.estimate[i, j])
        width, narrow = float(self.all_pairs_width[i, j]), float(self.equality_width[i, j])
        if difference + width < 0:
            return self.pair(j, i)
        low = difference - width
        within = abs(difference) + narrow < self.matters
        shown_best = i == self.leading and self.constrained.low[i] >= 0 and difference > 0
        kind: Kind = "practically equal" if within else "cannot tell yet"
        if shown_best or low > 0:
            kind, low = "better", max(0.0, low)
        ahead, equal = ahead_and_equal(self.array[i], self.array[j])
        judged = PairVerdict(
            arm=self.names[i],
            rival=self.names[j],
            kind=kind,
            estimate=difference,
            low=low,
            high=difference + width,
            equality_low=difference - narrow,
            equality_high=difference + narrow,
            ahead=ahead,
            equal=equal,
            futures=self.array[i].size,
            further=self.further(i, j) if kind == "cannot tell yet" else None,
            sentence="",
        )
        return replace(judged, sentence=self.sentence(judged, within) + self.units.scope)

    def sentence(self, pair: PairVerdict, within: bool) -> str:
        """Say a judged pair in words; `within`: its 90 % interval lies inside what matters."""
        arm, rival = in_words(pair.arm), in_words(pair.rival)
        limits = f"({in_points(pair.low)} to {in_points(pair.high)}; simultaneous {self.level})"
        if pair.kind == "better":
            small = f"; less than the {self.point} that matters" if within else ""
            shown = f"{in_points(pair.estimate)} points {limits}"
            return f"{arm} beats {rival}: {shown}; {_futures_in_words(pair)}{small}"
        if pair.kind == "cannot tell yet":
            return (
                f"cannot tell yet between {arm} and {rival}: {self.further_in_words(pair.further)}; "
                f"so far {in_points(pair.estimate)} points {limits}, {arm} {_futures_in_words(pair)}"
            )
        if pair.equal == pair.futures:
            same = f"equal in all {pair.futures:,} paired futures"
            return f"no difference that matters between {arm} and {rival}: {same}"
        equality = f"{in_points(pair.equality_low)} to {in_points(pair.equality_high)}"
        return (
            f"no difference that matters between {arm} and {rival} (within {self.point}): "
            f"{in_points(pair.estimate)} points ({equality}; paired {self.equality_level}); "
            f"{arm} {_futures_in_words(pair)}"
        )

    def further(self, i: int, j: int) -> int:
        """Return n = ceil((t s_ij / matters)^2) - C, not below 0, with this pair's quantile."""
        with_best = self.leading in (i, j)
        quantile = self.constrained.quantile if with_best else self.all_pairs_quantile
        total = math.ceil((quantile * float(self.differences.deviation[i, j]) / self.matters) ** 2)
        return max(0, total - self.differences.n_communities)

    def further_in_words(self, further: int | None) -> str:
        """Say how many more communities would decide, or that this is not the way."""
        if not further:
            return (
                f"the difference lies at the edge of the {self.point} that matters, and "
                f"{self.units.count(self.differences.n_communities)} already measure it to within that"
            )
        if further > MOST_FURTHER_COMMUNITIES:
            return f"not with this many (more than {self.units.more(MOST_FURTHER_COMMUNITIES)})"
        return f"about {self.units.more(further)}"

    def headline(self, best: str | None, possible: tuple[str, ...], pairs: tuple[PairVerdict, ...]) -> str:
        """Name the best arm if it is shown, else those that can still be it and what would decide."""
        if best == NO_CAMPAIGN:
            return f"no campaign does better than every arm (simultaneous {self.level})"
        if best is not None:
            everyone = listed([in_words(name) for name in sorted(self.names)])
            return f"{best} is the best of {everyone} (simultaneous {self.level})"
        candidates = listed([in_words(name) for name in possible])
        others = [in_words(name) for name in sorted(self.names) if name not in possible]
        ruled_out = f"; not the best: {listed(others)} (simultaneous {self.level})" if others else ""
        open_rivals = self.open_rivals(pairs, possible)
        if not open_rivals:
            return f"no difference that matters (within {self.point}) between {candidates}{ruled_out}"
        needed = self.further_in_words(self.further(self.leading, self.closest(open_rivals)))
        return f"cannot tell yet which is best of {candidates}: {needed}{ruled_out}"

    def open_rivals(self, pairs: tuple[PairVerdict, ...], possible: tuple[str, ...]) -> list[int]:
        """Rows of the arms that can still be best and cannot be told from the leading arm yet."""
        leading = self.names[self.leading]
        undecided = [pair for pair in pairs if pair.kind == "cannot tell yet"]
        rivals = {pair.rival for pair in undecided if pair.arm == leading} & set(possible)
        return sorted(self.names.index(name) for name in rivals)

    def closest(self, rivals: Sequence[int]) -> int:
        """Row of the rival with the least D_ij - h_ij, the one that sets lo of the leading arm."""
        reach = self.differences.estimate[self.leading] - self.constrained.half_width[self.leading]
        return min(rivals, key=lambda j: (float(reach[j]), self.names[j]))

    def asked_for(self) -> str:
        """Return the request for more communities, if there are fewer than 100."""
        if self.array.shape[1] >= ENOUGH_FOR_TIPPING:
            return ""
        return f", and ask for at least {self.units.count(ENOUGH_FOR_TIPPING)}"

    def tipping_arms(self) -> list[str]:
        """One sentence for each arm whose runs end in two separate clusters."""
        sentences = []
        for name, runs in sorted(zip(self.names, self.array, strict=True), key=lambda pair: pair[0]):
            clusters = tipping(runs)
            if clusters is not None:
                sentences.append(
                    f"outcomes tip under {in_words(name)}: {100 * clusters.upper_share:.0f} % of the runs "
                    f"end near {in_points(clusters.upper_mean)} points and the others near "
                    f"{in_points(clusters.lower_mean)}; "
                    f"read the distribution and the share that reach the goal, not the mean"
                    f"{self.asked_for()}{self.units.scope}"
                )
        return sentences

    def dominated_pairs(self, rows: Sequence[tuple[int, int]]) -> list[str]:
        """One sentence for each judged pair of which one unit carries more than a quarter of the variance."""
        sentences: list[str] = []
        means = self.array.mean(axis=2)
        if len(means[0]) < FEWEST_FOR_DOMINANCE:
            return sentences
        for i, j in rows:
            row, share = dominant_community(means[i] - means[j])
            if share > 0.25:
                sentences.append(
                    f"one {self.units.one} ({self.labels[row]}) carries {100 * share:.0f} % of the variance "
                    f"of {in_words(self.names[i])} against {in_words(self.names[j])}; read the distribution "
                    f"and the share that reach the goal{self.asked_for()}{self.units.scope}"
                )
        return sentences
