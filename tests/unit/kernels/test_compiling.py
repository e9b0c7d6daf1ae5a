"""Compiling kernels: kept where possible, said once, safe for several processes, quicker but the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numba.core import analysis
from numba.core.compiler import run_frontend

from mobsim.engine import first_use
from mobsim.kernels import delivery, diffusion, graph, kept, quicker, sorting
from mobsim.kernels.arrays import Float64, Int64, UInt64
from mobsim.kernels.bundles import Bundle
from mobsim.kernels.compile import kernel

COMPILES = """
from numba.core import event
compiled = []
class Listener(event.Listener):
    def on_start(self, started): compiled.append(started)
    def on_end(self, ended): pass
event.register("numba:compile", Listener())
import numpy as np
from mobsim.kernels.graph import rows_of_pairs
start, ends = rows_of_pairs(np.array([0, 1], np.uint32), np.array([2, 2], np.uint32), 3)
print(start.tolist(), ends.tolist(), "compiled" if compiled else "loaded")
"""
ROWS = "[0, 1, 2, 4] [2, 2, 0, 1]"


def environment(**settings: str) -> dict[str, str]:
    """The environment of a new process in which nothing is compiled yet."""
    kept_out = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    return {name: value for name, value in os.environ.items() if name not in kept_out} | settings


def started(program: str, **settings: str) -> subprocess.Popen[str]:
    """A new process that runs a program."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program: str, **settings: str) -> tuple[str, str]:
    """What a program prints, and what it tells."""
    process = started(program, **settings)
    printed, told = process.communicate()
    assert process.returncode == 0, told
    return printed.strip(), told.strip()


def test_kernels_are_compiled_once_and_the_user_is_told_once(tmp_path):
    printed, told = run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path))
    assert printed == f"{ROWS} compiled"
    assert told == "mobsim: compiling the model for this machine: takes about 15 s, once ..."
    assert run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path)) == (f"{ROWS} loaded", "")


@pytest.mark.skipif(sys.platform == "win32", reason="the user's folder is named otherwise there")
def test_kernels_are_kept_in_the_users_folder(tmp_path):
    run(COMPILES, XDG_CACHE_HOME=str(tmp_path))
    assert list((tmp_path / "mobsim").rglob("*.nbc"))


def test_where_nothing_can_be_written_kernels_are_compiled_in_memory(tmp_path):
    """A file stands where the folder should be: as good as a folder that is read-only, for every user."""
    occupied = tmp_path / "occupied"
    occupied.write_text("")
    printed, told = run(COMPILES, NUMBA_CACHE_DIR=str(occupied))
    assert printed == f"{ROWS} compiled"
    assert told.count("\n") == 0
    assert f"{occupied} cannot be written to" in told


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not hold back administrators"
)
def test_a_read_only_folder_is_left_alone(tmp_path):
    tmp_path.chmod(0o500)
    try:
        printed, told = run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path))
    finally:
        tmp_path.chmod(0o700)
    assert printed == f"{ROWS} compiled"
    assert "cannot be written to" in told


def test_what_cannot_be_read_is_compiled_anew_and_repaired(tmp_path):
    run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path))
    for pattern in ("*.nbc", "*.nbi"):
        for file in tmp_path.rglob(pattern):
            file.write_bytes(b"not what numba wrote")
        assert run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path))[0] == f"{ROWS} compiled"
        assert run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path))[0] == f"{ROWS} loaded"


def test_processes_that_compile_at_once_do_not_disturb_each_other(tmp_path):
    processes = [started(COMPILES, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(3)]
    for process in processes:
        printed, told = process.communicate()
        assert process.returncode == 0, told
        assert printed.startswith(ROWS)
    assert run(COMPILES, NUMBA_CACHE_DIR=str(tmp_path))[0] == f"{ROWS} loaded"
    assert not list(tmp_path.rglob("*.tmp.*"))


def test_one_process_waits_while_another_compiles_the_same_kernel(tmp_path):
    program = (
        "from mobsim.kernels.kept import alone\nwith alone('some_kernel'):\n    print('in', flush=True)\n"
    )
    holder = started(program + "    import time; time.sleep(60)", **at(tmp_path))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "in\n"
    waiting = started(program, **at(tmp_path))
    time.sleep(1.0)
    assert waiting.poll() is None
    holder.kill()  # whoever dies lets the others go on
    printed, told = waiting.communicate(timeout=30)
    assert printed == "in\n", told
    holder.communicate()


def at(folder: Path) -> dict[str, str]:
    """Settings that keep kernels in a folder."""
    return {"NUMBA_CACHE_DIR": str(folder)}


def test_numba_of_another_version_compiles_the_same(tmp_path):
    program = "import mobsim.kernels.quicker as quicker\nquicker.TRIED = ()\n" + COMPILES
    assert run(program, NUMBA_CACHE_DIR=str(tmp_path))[0] == f"{ROWS} compiled"


@pytest.mark.parametrize(
    "function", [delivery.deliver_week, diffusion.diffuse_week, graph.neighbourly_pairs, graph.betweenness]
)
def test_variables_are_found_alive_where_numba_finds_them(function):
    blocks = run_frontend(function.py_func).blocks
    cfg = analysis.compute_cfg_from_blocks(blocks)
    found = analysis.compute_use_defs(blocks)
    given = (cfg, blocks, found.usemap, found.defmap)
    assert quicker.live_variables(*given) == analysis.compute_live_map(*given)


# First use


def test_first_use_tells_what_happens_and_compiles_once(monkeypatch):
    simulated: list[object] = []
    told: list[str] = []
    monkeypatch.setattr(kept, "_told", [])
    monkeypatch.setattr(first_use, "_prepared", [])
    monkeypatch.setattr(kept, "is_complete", lambda: False)
    monkeypatch.setattr(first_use, "is_complete", lambda: False)
    monkeypatch.setattr(first_use, "mark_complete", lambda: None)
    monkeypatch.setattr(first_use, "_start_helper", lambda: None)
    monkeypatch.setattr(first_use, "simulate", lambda *_, **__: simulated.append(1))
    first_use.prepare(told.append)
    first_use.prepare(told.append)
    assert len(simulated) == 1
    assert all("takes about 15 s" in words for words in told)


def test_what_lies_ready_is_not_compiled(monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(kept, "_told", [])
    monkeypatch.setattr(first_use, "_prepared", [])
    monkeypatch.setattr(kept, "is_complete", lambda: True)
    monkeypatch.setattr(first_use, "is_complete", lambda: True)
    monkeypatch.setattr(first_use, "simulate", lambda *_, **__: pytest.fail("nothing is to be done"))
    first_use.prepare(told.append)
    assert told == ["loading the compiled model"]


def test_without_a_second_process_the_first_does_all(monkeypatch):
    monkeypatch.setattr(first_use.sys, "executable", "")
    assert first_use._start_helper() is None
    monkeypatch.setattr(first_use.sys, "executable", str(Path("no", "such", "program")))
    assert first_use._start_helper() is None


# Bundles


@dataclass(frozen=True, eq=False)
class Basket(Bundle):
    """Something to pass to a kernel."""

    prices: Float64
    counts: Int64
    factor: float
    extra: int


@kernel
def worth(basket: Basket) -> float:
    """Sum of everything; counts become 1."""
    total = 0.0
    for row in range(basket.counts.shape[0]):
        for column in range(basket.counts.shape[1]):
            total += basket.prices[column] * basket.counts[row, column]
            basket.counts[row, column] = 1
    return total * basket.factor + basket.extra


def test_a_kernel_reads_and_writes_what_a_bundle_lists():
    basket = Basket(np.array([1.5, 2.0]), np.array([[1, 2], [3, 4]]), factor=2.0, extra=7)
    assert worth(basket) == 2.0 * (1.5 * 4 + 2.0 * 6) + 7
    assert basket.counts.tolist() == [[1, 1], [1, 1]]
    assert worth(Basket(np.zeros(0), np.zeros((0, 0), np.int64), factor=2.0, extra=-7)) == -7


@pytest.mark.parametrize(
    ("prices", "said"),
    [(np.ones(4)[::2], "Basket.prices is not a C-contiguous array"), ([1.0], "neither an array nor")],
)
def test_a_bundle_takes_only_arrays_that_lie_in_one_piece(prices, said):
    with pytest.raises(TypeError, match=said):
        Basket(prices, np.zeros((1, 1), np.int64), factor=1.0, extra=0)


# Sorting


@kernel
def put_in_order(words: UInt64, count: int) -> None:
    """Call what only kernels can call."""
    sorting.sort_words(words, np.int64(count))


@pytest.mark.parametrize("n", [0, 1, 2, 23, 24, 25, 100, 5_000])
@pytest.mark.parametrize("kind", ["random", "ascending", "descending", "equal", "few", "organ pipe"])
def test_numbers_are_sorted_as_numpy_sorts_them(n, kind):
    draws = np.random.default_rng(n)
    words = {
        "random": draws.integers(0, 2**64, n, np.uint64),
        "ascending": np.arange(n, dtype=np.uint64),
        "descending": np.arange(n, dtype=np.uint64)[::-1].copy(),
        "equal": np.full(n, 2**63, np.uint64),
        "few": draws.integers(0, 3, n).astype(np.uint64),
        "organ pipe": np.minimum(np.arange(n), n - np.arange(n)).astype(np.uint64),
    }[kind]
    count = n - n // 4
    wanted = np.concatenate([np.sort(words[:count]), words[count:]])
    put_in_order(words, count)
    np.testing.assert_array_equal(words, wanted)
