"""Tasks: every run once, whatever the design; never more work than a task may hold where that can be had."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobsim.errors import UsageError
from mobsim.experiment.tasks import MOST, WORK, RunKey, Task, divide

pytestmark = pytest.mark.quick


@st.composite
def plans(draw):
    """Return weights and worlds of points, and the replicates."""
    n_points = draw(st.integers(1, 40))
    weight = st.integers(0, 3 * MOST * WORK) | st.integers(0, WORK // 20)
    weights = draw(st.lists(weight, min_size=n_points, max_size=n_points))
    homes = draw(st.lists(st.integers(0, n_points - 1), min_size=n_points, max_size=n_points))
    first = {}
    worlds = [first.setdefault(home, point) for point, home in enumerate(homes)]
    return weights, worlds, range(draw(st.integers(1, 9))), range(draw(st.integers(1, 9)))


@given(plans())
def test_every_run_stands_in_exactly_one_task(plan):
    weights, _, communities, luck = plan
    tasks = divide(*plan, most=WORK)
    runs = Counter(key for task in tasks for key in task.runs(("none", "mixed")))
    assert len(runs) == len(weights) * len(communities) * len(luck) * 2
    assert set(runs.values()) == {1}
    assert [task.number for task in tasks] == list(range(len(tasks)))
    assert sum(task.replicates for task in tasks) * 2 == len(runs)


@given(plans())
def test_a_task_holds_no_more_than_it_may(plan):
    weights, _, _, luck = plan
    for task in divide(*plan, most=WORK):
        work = sum(weights[point] for point in task.points) * len(task.communities) * len(task.luck)
        several = len(task.points) > 1 or len(task.communities) > 1
        if several or 1 < len(task.luck) < len(luck):
            assert work <= WORK
        else:
            assert len(task.luck) == 1 or work <= MOST * WORK


@given(plans())
def test_points_that_share_communities_stand_together(plan):
    """Points are put into one task with others only where all that share their communities are."""
    _, worlds, communities, luck = plan
    for task in divide(*plan, most=WORK):
        homes = {worlds[point] for point in task.points}
        if len(homes) > 1:
            assert len(task.communities) == len(communities)
            assert len(task.luck) == len(luck)
            assert all(point in task.points for point, home in enumerate(worlds) if home in homes)


def test_small_sweeps_are_few_tasks():
    assert divide([WORK // 100] * 10, [0] * 10, range(10), range(1), most=WORK) == (
        Task(0, tuple(range(10)), tuple(range(10)), (0,)),
    )
    own = divide([WORK // 100] * 10, list(range(10)), range(20), range(1), most=WORK)
    assert [task.points for task in own] == [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]


def test_shared_communities_are_cut_by_community_first():
    tasks = divide([WORK // 8] * 4, [0] * 4, range(5), range(1), most=WORK)
    assert [task.communities for task in tasks] == [(0,), (1, 2), (3, 4)]
    assert all(task.points == (0, 1, 2, 3) for task in tasks)


def test_luck_is_cut_only_where_a_point_is_far_too_much():
    assert len(divide([WORK], [0], range(1), range(MOST), most=WORK)) == 1
    assert [task.luck for task in divide([WORK], [0], range(1), range(MOST + 1), most=WORK)] == [
        (k,) for k in range(MOST + 1)
    ]
    assert [task.luck for task in divide([WORK // 2], [0], range(1), range(9), most=WORK)] == [
        (0,),
        *((k, k + 1) for k in range(1, 9, 2)),
    ]


@given(
    st.integers(0, 10**7),
    st.integers(0, 10**5),
    st.integers(0, 10**5),
    st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,39}\Z"),
)
def test_a_run_is_named_by_its_text(point, community, luck, arm):
    key = RunKey(point, arm, community, luck)
    assert RunKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "text", ["", "p1", "p1-c2-l3", "p1-c2-l3-", "p-c2-l3-none", "p1-c2-l3-9", "c1-p2-l3-a"]
)
def test_a_text_that_names_no_run(text):
    with pytest.raises(UsageError, match="is not the name of a run; allowed: point, community, luck and arm"):
        RunKey.parse(text)
