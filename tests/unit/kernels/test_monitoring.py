"""The survey kernels against a plain loop written from docs/odd.md, 7.12."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest

from mobsim.kernels import arrays as a
from mobsim.kernels.keyed import philox
from mobsim.kernels.monitoring import ask, cause_of, relief_of, survey_order

SURVEY = 9
SEED, COMMUNITY = 11, 3


def number_type(hint):
    """The kind of number in a hint such as NDArray[float32], however NumPy spells it."""
    if isinstance(hint, type) and issubclass(hint, np.generic):
        return hint
    found = (number_type(inner) for inner in get_args(hint))
    return next((kind for kind in found if kind is not None), None)


def bundle(kind, **given):
    """A bundle in which only the given arrays are filled."""
    empty = {
        name: 0 if hint is int else np.zeros(0, number_type(hint))
        for name, hint in get_type_hints(kind).items()
    }
    return kind(**(empty | given))


def small_world(rng, n=60, lucks=(4, 9), n_arms=2, groups=3, lines=4):
    """Residents in random states, one lane for each luck and arm."""
    lanes = len(lucks) * n_arms
    aware = rng.random((n, lanes)) < 0.6
    participating = aware & (rng.random((n, lanes)) < 0.5)
    reals = np.zeros((6, n, lanes), np.float32)
    reals[a.CAPABILITY] = rng.random((n, lanes))
    reals[a.TRUST] = rng.random((n, lanes))
    doubles = np.zeros((a.N_DOUBLES, lanes))
    doubles[a.CAPABILITY_CAUSE] = 1.3
    doubles[a.APPEAL_CAUSE] = 1.1
    doubles[a.WIN_RELIEF] = 0.2
    by_group = np.zeros((a.N_BY_GROUP, groups, lanes))
    by_group[a.BARRIER] = np.array([0.0, 0.6, 1.1])[:groups, None]
    state = bundle(
        a.State,
        flags=(aware * a.AWARE + participating * a.PARTICIPATING + a.CONTACTED).astype(np.uint8),
        last=rng.integers(0, lines + 1, (n, lanes)).astype(np.uint8),
        reals=reals,
        wins=rng.integers(0, 4, lanes),
    )
    residents = bundle(a.Residents, group=rng.integers(0, groups, n).astype(np.uint8))
    rules = bundle(a.Rules, doubles=doubles, by_group=by_group)
    keys = a.Keys(SEED, COMMUNITY, np.array(lucks, np.int64))
    return residents, rules, keys, state


def plain_survey(
    week, lane, luck, respondents, misreport, residents, rules, state, groups, lines, key=(SEED, COMMUNITY)
):
    """Section 7.12 word by word, one respondent after the other."""
    chance = np.float32(misreport)
    asked, aware_yes, participating_yes = [0] * groups, [0] * groups, [0] * groups
    causes, named = [0] * 4, [0] * lines
    for i in respondents:
        g = int(residents.group[i])
        words = [int(word) for word in philox(i, week, luck, SURVEY, *key)]
        u = [np.float32(word >> 8) * np.float32(2.0**-24) for word in words]
        aware = bool(state.flags[i, lane] & 1)
        takes_part = bool(state.flags[i, lane] & 2)
        asked[g] += 1
        aware_yes[g] += aware != (u[1] < chance)
        says_takes_part = takes_part != (u[2] < chance)
        participating_yes[g] += says_takes_part
        if says_takes_part:
            if state.last[i, lane] > 0:
                named[state.last[i, lane] - 1] += 1
            continue
        relief = 1.0
        for _ in range(state.wins[lane]):
            relief *= 1.0 - rules.doubles[a.WIN_RELIEF, lane]
        sizes = [
            rules.doubles[a.CAPABILITY_CAUSE, lane] * (1.0 - float(state.reals[a.CAPABILITY, i, lane])),
            relief * rules.by_group[a.BARRIER, g, lane],
            rules.doubles[a.APPEAL_CAUSE, lane] * (1.0 - float(state.reals[a.TRUST, i, lane])),
        ]
        cause = 1 + sizes.index(max(sizes)) if aware else 0
        if u[3] < chance:
            cause = words[3] % 4
        causes[cause] += 1
    return asked, aware_yes, participating_yes, causes, named


def kernel_survey(week, lane, respondents, misreport, world, groups=3, lines=4):
    by_group, causes, named = (np.full(shape, 7, np.int64) for shape in ((3, groups), 4, lines))
    residents, rules, keys, state = world
    chosen = np.array(respondents, np.int64)
    ask(week, lane, chosen, misreport, residents, rules, keys, state, by_group, causes, named)
    return *(list(row) for row in by_group), list(causes), list(named)


@pytest.mark.parametrize("misreport", [0.0, 0.15, 0.2, 0.49])
@pytest.mark.parametrize("n", [0, 1, 25, 60])
def test_survey_equals_the_plain_loop(n, misreport):
    rng = np.random.default_rng(n + round(100 * misreport))
    world = small_world(rng)
    residents, rules, keys, state = world
    for week in (0, 13):
        respondents = [int(i) for i in rng.permutation(60)[:n]]
        for lane in range(4):
            luck = int(keys.luck[lane // 2])
            plain = plain_survey(week, lane, luck, respondents, misreport, residents, rules, state, 3, 4)
            assert kernel_survey(week, lane, respondents, misreport, world) == plain


@pytest.mark.quick
def test_truthful_survey_counts_the_truth():
    world = small_world(np.random.default_rng(1))
    residents, _, _, state = world
    asked, aware_yes, participating_yes, causes, named = kernel_survey(5, 1, range(60), 0.0, world)
    for g in range(3):
        here = residents.group == g
        assert asked[g] == here.sum()
        assert aware_yes[g] == (state.flags[here, 1] & a.AWARE > 0).sum()
        assert participating_yes[g] == (state.flags[here, 1] & a.PARTICIPATING > 0).sum()
    assert sum(causes) + sum(participating_yes) == 60
    assert causes[0] == (state.flags[:, 1] & a.AWARE == 0).sum()
    participates = state.flags[:, 1] & a.PARTICIPATING > 0
    assert named == [((state.last[:, 1] == line + 1) & participates).sum() for line in range(4)]


def test_where_nobody_keeps_what_came_last_nobody_names_it():
    residents, rules, keys, state = small_world(np.random.default_rng(2))
    silent = replace(state, last=np.zeros((0, 0), np.uint8))
    with_last = kernel_survey(5, 0, range(60), 0.2, (residents, rules, keys, state))
    without = kernel_survey(5, 0, range(60), 0.2, (residents, rules, keys, silent))
    assert without[:4] == with_last[:4]
    assert without[4] == [0, 0, 0, 0]


def test_false_answers_are_as_frequent_as_stated():
    n = 20_000
    residents, rules, keys, state = small_world(np.random.default_rng(3), n=n)
    unaware = replace(state, flags=np.zeros((n, 4), np.uint8))
    _, aware_yes, participating_yes, causes, _ = kernel_survey(
        5, 0, range(n), 0.2, (residents, rules, keys, unaware)
    )
    # Binomial(20,000, .2) has sd 57; of those who say no, a false cause is one of the other three with .15.
    assert abs(sum(aware_yes) - 4000) < 5 * 57
    assert abs(sum(participating_yes) - 4000) < 5 * 57
    for cause in (1, 2, 3):
        assert abs(causes[cause] - 0.05 * 16_000) < 5 * 30


def plain_order(week, luck, n, key=(SEED, COMMUNITY)) -> Sequence[int]:
    return sorted(range(n), key=lambda i: (int(philox(i, week, luck, SURVEY, *key)[0]), i))


@pytest.mark.parametrize("count", [0, 1, 30, 200])
def test_respondents_are_those_with_the_smallest_words(count):
    keys = a.Keys(SEED, COMMUNITY, np.array([6], np.int64))
    chosen = np.empty(count, np.int64)
    survey_order(13, 6, keys, np.empty(200, np.uint64), chosen)
    assert list(chosen) == plain_order(13, 6, 200)[:count]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("aware", "capability", "trust", "barrier", "cause"),
    [
        (0, 0.0, 0.0, 9.0, 0),
        (1, 0.2, 0.5, 0.3, 1),
        (1, 0.5, 0.5, 0.9, 2),
        (1, 0.5, 0.1, 0.3, 3),
        (1, 0.5, 0.5, 0.5, 1),  # all equal: the first
        (1, 0.75, 0.5, 0.5, 2),
        (1, 1.0, 1.0, 0.0, 1),  # nothing stands in the way
    ],
)
def test_cause_by_hand(aware, capability, trust, barrier, cause):
    assert cause_of(aware, np.float32(capability), np.float32(trust), barrier, 1.0, 1.0) == cause


@pytest.mark.quick
def test_cause_follows_the_weights():
    half = np.float32(0.5)
    assert cause_of(1, half, half, 0.0, 1.0, 2.0) == 3
    assert cause_of(1, half, half, 0.0, 0.0, 0.0) == 1
    assert cause_of(1, half, half, 0.1, 0.0, 0.0) == 2


@pytest.mark.quick
def test_relief_is_multiplied_win_by_win():
    assert relief_of(0, 0.3) == 1.0
    assert relief_of(3, 0.3) == ((1.0 * (1.0 - 0.3)) * (1.0 - 0.3)) * (1.0 - 0.3)
