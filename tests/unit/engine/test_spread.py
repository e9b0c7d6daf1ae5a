"""`spread`: what happens before its runs. That they equal those of `simulate`: tests/properties."""

from __future__ import annotations

import pytest

from mobsim.engine import first_use
from mobsim.engine import spread as spreading
from mobsim.scenario import memory
from mobsim.scenario.resolve import resolve
from mobsim.scenario.scenario import Scenario


def village() -> Scenario:
    return resolve(
        {
            "schema_version": 2,
            "title": "A village",
            "description": "Only for this test.",
            "community": {"residents": 60},
            "campaign": {"burn_in_weeks": 0, "funding_ends_week": 8, "horizon_weeks": 9},
        }
    )


def test_kernels_are_compiled_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    build = spreading.build
    monkeypatch.setattr(first_use, "prepare", lambda: order.append("prepare"))
    monkeypatch.setattr(spreading, "build", lambda *given: order.append("build") or build(*given))
    spreading.spread(village(), [[0]])
    assert order == ["prepare", "build"]


def test_fewer_threads_where_memory_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = village()
    seen: list[int] = []

    class Pool(spreading.ThreadPoolExecutor):
        def __init__(self, max_workers: int) -> None:
            seen.append(max_workers)
            super().__init__(max_workers)

    monkeypatch.setattr(spreading, "ThreadPoolExecutor", Pool)
    need = memory.estimated_bytes(scenario, 1, 2)
    wanted = None
    for free, threads in ((None, 3), (0, 1), (3 * need, 2)):
        monkeypatch.setattr(memory, "available_bytes", lambda free=free: free)
        found = spreading.spread(scenario, [[0], [5], [9]], luck=2, threads=3).final
        wanted = found if wanted is None else wanted
        assert (found == wanted).all()
        assert seen.pop() == threads
