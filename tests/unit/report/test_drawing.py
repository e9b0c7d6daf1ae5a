"""Figures are the same whoever draws them, and no helper is left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mobsim.analysis.study import Study
from mobsim.report import drawing
from mobsim.report.drawing import Drawing, Helper
from mobsim.report.figures import Picture, Sketch, sketches_of


@pytest.fixture(scope="module")
def sketches(study: Study) -> tuple[Sketch, ...]:
    return sketches_of(study)[:4]


@pytest.fixture(scope="module")
def drawn_here(sketches: tuple[Sketch, ...]) -> tuple[Picture, ...]:
    return Drawing(sketches).pictures()


def bytes_of(pictures: tuple[Picture, ...]) -> list[tuple[str, bytes, bytes]]:
    return [(picture.name, picture.svg, picture.png) for picture in pictures]


@pytest.mark.parametrize("processors", [1, 2, 3])
def test_a_helper_draws_the_same_bytes(
    sketches: tuple[Sketch, ...],
    drawn_here: tuple[Picture, ...],
    processors: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here: list[str] = []
    monkeypatch.setattr(drawing, "_processors", lambda: processors)
    monkeypatch.setattr(drawing, "draw", lambda function, *_: here.append(function) or (b"", b""))
    with Helper() as helper:
        pictures = helper.begin(sketches).pictures()
        process = helper._process
    if processors == 1:
        assert process is None
        assert len(here) == len(sketches)
        return
    assert bytes_of(pictures) == bytes_of(drawn_here)
    assert here == []
    assert process is not None
    assert process.poll() is not None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # a helper has no threads, a test may have
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_helper_divides_its_work(
    sketches: tuple[Sketch, ...],
    drawn_here: tuple[Picture, ...],
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drawing, "_processors", lambda: count)
    tasks = [(k, s.function, s.data, s.options) for k, s in enumerate(sketches)]
    parts = list(drawing._draw_all(tasks))
    whole = {number: drawn for part in parts for number, drawn in part.items()}
    assert [whole[k] for k in range(len(tasks))] == [(p.svg, p.png) for p in drawn_here]
    if sys.platform == "linux" and count > 1:
        assert len(parts) == count


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_a_dead_helper_did_not_draw_is_drawn_here(
    sketches: tuple[Sketch, ...], drawn_here: tuple[Picture, ...], when: str
) -> None:
    with Helper(wanted=True) as helper:
        process = helper._process
        if process is None:
            pytest.skip("one processor: there is no helper")
        if when == "before":
            process.kill()
            process.wait()
        begun = helper.begin(sketches)
        process.kill()
        assert bytes_of(begun.pictures()) == bytes_of(drawn_here)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a helper divides")
def test_nobody_is_left_when_a_divided_helper_is_killed(study: Study) -> None:
    sketches = sketches_of(study)
    with Helper() as helper:
        process = helper._process
        if process is None:
            pytest.skip("one processor: there is no helper")
        begun = helper.begin([*sketches, *sketches])
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        started = time.monotonic()
        while not (born := children.read_text().split()):
            assert time.monotonic() - started < 60
            time.sleep(0.01)
    left = [Path("/proc", child) for child in born]
    started = time.monotonic()
    while any(child.exists() for child in left):
        assert time.monotonic() - started < 60
        time.sleep(0.05)
    assert begun._waiting is not None
    begun._waiting.join(60)
    assert not begun._waiting.is_alive()


def test_a_mistake_in_a_figure_is_told_here(sketches: tuple[Sketch, ...]) -> None:
    from dataclasses import replace

    wrong = replace(sketches[0], data=())
    with Helper() as helper, pytest.raises(TypeError):
        helper.begin([wrong]).pictures()


def test_no_helper_without_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(drawing, "_processors", lambda: 2)
    for name, value in (("executable", ""), ("frozen", True)):
        with monkeypatch.context() as patch:
            patch.setattr(sys, name, value, raising=False)
            assert Helper()._process is None
    monkeypatch.setattr(subprocess, "Popen", fail)
    assert Helper()._process is None
    assert Helper(wanted=False)._process is None


def test_a_helper_leaves_when_its_pipe_closes() -> None:
    command = [sys.executable, "-P", "-m", "mobsim.report.drawing"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, b"")


def test_starting_a_helper_loads_nothing_heavy() -> None:
    code = "import sys, mobsim.report.drawing; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert loaded.isdisjoint({"numpy", "pandas", "matplotlib", "pydantic", "numba", "scipy"})
