"""The elementary functions: accuracy against 60 digits, exact special values, the same bits everywhere."""

from __future__ import annotations

import hashlib
import math
import os
import re
import subprocess
import sys

import mpmath
import numba
import numpy as np
import pytest

from mobsim.kernels.compile import kernel
from mobsim.kernels.elementary import (
    LOG2_E,
    LOG2_OF_NOTHING,
    exp2_32,
    exp2_64,
    exp2_array,
    exp_64,
    log2_1m_64,
    log2_64,
    log2_array,
    log_64,
    logistic_32,
    logistic_64,
    normal_cdf_64,
    normal_quantile_64,
    normal_quantile_array,
    pow_64,
    truncated_normal_64,
    truncated_normal_array,
)

POINTS = 1500
DIGEST = "8845907005dbe2d3fbcdbdc5fc161461eab5049db45929133befcb9b2ad14645"


@pytest.fixture(autouse=True)
def sixty_digits():
    with mpmath.workdps(60):
        yield


def spread(*parts):
    """Join arrays of test points."""
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def worst_ulps(function, exact, *columns):
    """Return the largest error over the points, in units of the last place of the exact result."""
    worst = 0.0
    for point in zip(*(column.tolist() for column in columns), strict=True):
        true = exact(*(mpmath.mpf(value) for value in point))
        if true == 0:
            assert function(*point) == 0
            continue
        ulp = max(2.0 ** (int(mpmath.frexp(abs(true))[1]) - 53), 5e-324)
        worst = max(worst, float(abs(mpmath.mpf(function(*point)) - true) / ulp))
    return worst


def worst_relative(function, exact, column):
    """Return the largest relative error over the points."""
    worst = 0.0
    for value in column.tolist():
        true = exact(mpmath.mpf(value))
        worst = max(worst, float(abs(mpmath.mpf(function(value)) / true - 1)))
    return worst


def exact_cdf(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def exact_quantile(p):
    """Refine the tested quantile to full precision by Halley steps on the exact distribution function."""
    z = mpmath.mpf(normal_quantile_64(float(p)))
    for _ in range(3):
        density = mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)
        error = exact_cdf(z) - p if z < 0 else (1 - p) - exact_cdf(-z)
        step = error / density
        z -= step / (1 + z * step / 2)
    return z


@kernel
def _exp2_32_of(x, out):
    for i in range(x.size):
        out[i] = exp2_32(x[i])


@kernel
def _logistic_32_of(x, out):
    for i in range(x.size):
        out[i] = logistic_32(x[i])


@kernel
def _tiles_of_64(x, out):
    for first in range(0, x.size, 64):
        for slot in range(64):
            out[0, first + slot] = exp2_32(x[first + slot])
        for slot in range(64):
            out[1, first + slot] = logistic_32(x[first + slot])


@kernel
def _everything_in_one_kernel(x, p, out):
    """All float64 functions together, so that LLVM may inline, merge and vectorize them."""
    for i in range(x.size):
        out[0, i] = exp2_64(x[i])
        out[1, i] = log2_64(abs(x[i]))
        out[2, i] = log2_1m_64(p[i])
        out[3, i] = pow_64(abs(x[i]), p[i])
        out[4, i] = exp_64(x[i])
        out[5, i] = log_64(abs(x[i]))
        out[6, i] = logistic_64(x[i])
        out[7, i] = normal_quantile_64(p[i])
        out[8, i] = normal_cdf_64(x[i])
        out[9, i] = truncated_normal_64(p[i], 0.5, 0.25, 0.0, 1.0)


def in_float32(inner, x):
    out = np.empty(x.size, np.float32)
    inner(x, out)
    return out


# --- accuracy ------------------------------------------------------------


def test_exp2_is_accurate():
    rng = np.random.default_rng(1)
    wide = spread(rng.uniform(-1021, 1023.9, POINTS), rng.uniform(-1, 1, POINTS), rng.normal(0, 1e-6, POINTS))
    assert worst_ulps(exp2_64, lambda x: mpmath.mpf(2) ** x, wide) <= 1.1
    for x in rng.uniform(-1074, -1022, 300).tolist():
        assert abs(mpmath.mpf(exp2_64(x)) - mpmath.mpf(2) ** mpmath.mpf(x)) <= 5e-324


def test_log2_is_accurate():
    rng = np.random.default_rng(2)
    points = spread(
        2.0 ** rng.uniform(-1022, 1023.9, POINTS),
        rng.uniform(0.5, 2, POINTS),
        1 + rng.normal(0, 1e-3, POINTS),
        1 + rng.normal(0, 1e-12, POINTS),
        2.0 ** rng.uniform(-1070, -1022, 300),
        [math.sqrt(0.5), math.sqrt(2), np.nextafter(1, 0), np.nextafter(1, 2)],
    )
    assert worst_ulps(log2_64, lambda x: mpmath.log(x, 2), points) <= 0.6
    assert worst_ulps(log_64, mpmath.log, points) <= 0.6


def test_exp_is_accurate():
    rng = np.random.default_rng(3)
    points = spread(rng.uniform(-708, 709, POINTS), rng.uniform(-1, 1, POINTS), rng.normal(0, 1e-9, 300))
    assert worst_ulps(exp_64, mpmath.exp, points) <= 1.5


def test_log2_of_one_minus_is_accurate():
    rng = np.random.default_rng(4)
    points = spread(
        rng.uniform(0, 1, POINTS),
        10.0 ** rng.uniform(-30, 0, POINTS),
        1 - 10.0 ** rng.uniform(-15, 0, POINTS),
        -rng.uniform(0, 3, 300),
    )
    assert worst_ulps(log2_1m_64, lambda c: mpmath.log(1 - c, 2), points) <= 1.0


def test_power_is_accurate():
    rng = np.random.default_rng(5)
    exact = mpmath.power
    assert worst_ulps(pow_64, exact, 2.0 ** rng.uniform(-6, 6, POINTS), rng.uniform(-10, 10, POINTS)) <= 2
    assert worst_ulps(pow_64, exact, rng.uniform(0, 1, POINTS), rng.uniform(0, 3, POINTS)) <= 2
    assert worst_ulps(pow_64, exact, 2.0 ** rng.uniform(-1, 1, POINTS), rng.uniform(-999, 999, POINTS)) <= 16


def test_logistic_is_accurate():
    rng = np.random.default_rng(6)
    points = spread(rng.uniform(-700, 40, POINTS), rng.uniform(-5, 5, POINTS))
    assert worst_ulps(logistic_64, lambda v: 1 / (1 + mpmath.exp(-v)), points) <= 2.5


def test_normal_distribution_is_accurate_in_both_tails():
    rng = np.random.default_rng(7)
    points = spread(rng.uniform(-37.4, 8, POINTS), rng.uniform(-3, 3, POINTS), rng.normal(0, 1e-4, 300))
    assert worst_relative(normal_cdf_64, exact_cdf, points) <= 2e-15


def test_normal_quantile_is_accurate_in_both_tails():
    rng = np.random.default_rng(8)
    points = spread(
        rng.uniform(0, 1, 600),
        10.0 ** rng.uniform(-300, 0, 500),
        1 - 10.0 ** rng.uniform(-9, 0, 300),
        0.5 + rng.normal(0, 1e-6, 200),
        [0.5 * 2.0**-24, 1 - 0.5 * 2.0**-24, 0.075, 0.925],
    )
    assert worst_relative(normal_quantile_64, exact_quantile, points) <= 2e-15


def test_float32_functions_are_accurate():
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.uniform(-126, 126, 200_000), rng.uniform(-1, 1, 800_000)]).astype(np.float32)
    # NumPy's float64 functions serve as the measure here: their error is a billionth of what is tested.
    exact = np.exp2(x.astype(np.float64))
    assert np.abs(in_float32(_exp2_32_of, x) / exact - 1).max() <= 1e-7
    assert np.abs(in_float32(_logistic_32_of, x) * (1 + 1 / exact) - 1).max() <= 2e-7


# --- special values ------------------------------------------------------------


def test_powers_of_two_are_exact():
    for n in range(-1074, 1024):
        assert exp2_64(n + 0.0) == math.ldexp(1.0, n)
        assert log2_64(math.ldexp(1.0, n)) == n
    whole = np.arange(-126, 127).astype(np.float32)
    assert in_float32(_exp2_32_of, whole).tolist() == [math.ldexp(1.0, n) for n in range(-126, 127)]


def test_values_at_the_ends():
    assert exp2_64(-1076.0) == 0.0 == exp2_64(-math.inf) == exp_64(-math.inf) == exp_64(-1e300)
    assert exp2_64(1024.0) == math.inf == exp2_64(math.inf) == exp_64(math.inf) == exp_64(1e300)
    assert exp_64(0.0) == 1.0 == exp2_64(-0.0)
    assert log2_64(0.0) == -math.inf == log_64(0.0)
    assert log2_64(math.inf) == math.inf == log_64(math.inf)
    assert log_64(1.0) == 0.0
    for function in (exp2_64, exp_64, log2_64, log_64, normal_quantile_64, normal_cdf_64, logistic_64):
        assert math.isnan(function(math.nan))
    assert math.isnan(log2_64(-1.0))
    assert math.isnan(log_64(-1.0))


def test_float32_ends():
    x = np.array([-1e30, -127, -126, 0, -0.0, 126, 127, 1e30, -np.inf, np.inf], np.float32)
    low, high = 2.0**-126, 2.0**126
    assert in_float32(_exp2_32_of, x).tolist() == [low, low, low, 1, 1, high, high, high, low, high]
    logistic = in_float32(_logistic_32_of, x)
    assert logistic[3] == logistic[4] == 0.5
    assert logistic[[5, 6, 7, 9]].tolist() == [1, 1, 1, 1]
    assert 0 <= logistic[0] < 1e-37
    assert math.isnan(in_float32(_exp2_32_of, np.array([np.nan], np.float32))[0])


def test_log2_of_one_minus_at_the_ends():
    assert log2_1m_64(1.0) == LOG2_OF_NOTHING == -150.0 == log2_1m_64(1.5)
    assert log2_1m_64(0.0) == 0.0
    assert log2_1m_64(0.5) == -1.0
    assert log2_1m_64(0.75) == -2.0
    assert log2_1m_64(np.nextafter(1, 0)) == -53.0


def test_power_special_values():
    for y in (0.3, 1.0, 2.0, 7.5):
        assert pow_64(0.0, y) == 0.0
    for x in (0.0, 0.1, 1.0, 3.7, 1e300):
        assert pow_64(x, 0.0) == 1.0
        assert pow_64(x, 1.0) == x
        assert pow_64(x, 2.0) == x * x
    for y in (-1e300, -3.3, 0.7, 1e300):
        assert pow_64(1.0, y) == 1.0
    assert pow_64(0.0, -1.0) == math.inf
    assert pow_64(4.0, 0.5) == 2.0
    assert pow_64(2.0, -1e300) == 0.0
    assert pow_64(0.5, -1e300) == math.inf
    assert pow_64(math.inf, 0.5) == math.inf
    assert pow_64(math.inf, -0.5) == 0.0
    assert math.isnan(pow_64(-1.0, 0.5))


def test_normal_special_values():
    assert normal_cdf_64(0.0) == 0.5
    assert normal_cdf_64(-math.inf) == 0.0 == normal_cdf_64(-50.0)
    assert normal_cdf_64(math.inf) == 1.0
    assert normal_quantile_64(0.5) == 0.0
    assert normal_quantile_64(0.0) == -math.inf
    assert normal_quantile_64(1.0) == math.inf
    assert math.isnan(normal_quantile_64(-0.1))
    assert math.isnan(normal_quantile_64(1.1))
    for p in (np.arange(1, 2000) / 4096).tolist():
        assert normal_quantile_64(p) == -normal_quantile_64(1 - p)


def test_logistic_special_values():
    assert logistic_64(0.0) == 0.5
    assert logistic_64(math.inf) == 1.0
    assert logistic_64(-math.inf) == 0.0


# --- shape ------------------------------------------------------------


def test_rising_functions_rise_on_dense_grids():
    x = np.arange(-(2**16), 2**16 + 1) / 2**12
    assert np.all(np.diff(exp2_array(x)) > 0)
    assert np.all(np.diff([logistic_64(v) for v in x.tolist()]) >= 0)
    assert np.all(np.diff([normal_cdf_64(v) for v in x.tolist()]) >= 0)
    p = (np.arange(2**17) + 0.5) / 2**17
    assert np.all(np.diff(log2_array(p)) > 0)
    assert np.all(np.diff(normal_quantile_array(p)) > 0)
    # Every float32 of one octave, and across the seams of the range reduction.
    for inner in (_exp2_32_of, _logistic_32_of):
        fine = np.arange(-(2**21), 2**21 + 1).astype(np.float32) / np.float32(2**20)
        assert np.all(np.diff(in_float32(inner, fine)) >= 0)


@pytest.mark.parametrize(
    ("mean", "sd", "low", "high"),
    [
        (0.5, 0.25, 0, 1),
        (0, 1, 3, 4),
        (0, 1, -4, -3),
        (0.9, 0.1, 0, 1),
        (2, 1, 0, math.inf),
        (0, 1, 8, math.inf),
    ],
)
def test_truncated_normal_matches_its_definition(mean, sd, low, high):
    u = (np.arange(400) + 0.5) / 400
    found = truncated_normal_array(u, mean, sd, low, high)
    assert np.all((found >= low) & (found <= high))
    assert np.all(np.diff(found) > 0)
    bottom, top = exact_cdf(mpmath.mpf((low - mean) / sd)), exact_cdf(mpmath.mpf((high - mean) / sd))
    for chance, value in zip(u.tolist(), found.tolist(), strict=True):
        back = (exact_cdf((mpmath.mpf(value) - mean) / sd) - bottom) / (top - bottom)
        assert abs(back - chance) < 2e-14


def test_truncated_normal_at_the_ends():
    assert truncated_normal_64(0.3, 0.7, 0.0, 0.0, 1.0) == 0.7
    assert truncated_normal_64(0.3, 1.7, 0.0, 0.0, 1.0) == 1.0
    assert truncated_normal_64(0.3, 0.5, 0.1, 0.5, 0.5) == 0.5
    assert truncated_normal_64(0.3, 0.0, 1.0, 60.0, 61.0) == 60.0
    assert truncated_normal_64(0.3, 0.0, 1.0, -61.0, -60.0) == -60.0
    free = truncated_normal_64(0.3, 0.0, 1.0, -math.inf, math.inf)
    assert abs(free - normal_quantile_64(0.3)) < 1e-15


# --- the same bits everywhere ------------------------------------------------------------


def grid():
    """Return inputs that need no rounding: multiples of powers of two."""
    x = (np.arange(4096) - 2048.5) / 2.0**6
    p = (np.arange(4096) + 0.5) / 2.0**12
    return x, p


def all_results():
    x, p = grid()
    out = np.empty((10, x.size))
    _everything_in_one_kernel(x, p, out)
    out_32 = np.empty((2, x.size), np.float32)
    _tiles_of_64(x.astype(np.float32), out_32)
    return out, out_32


def test_calls_arrays_and_kernels_give_the_same_bits():
    x, p = grid()
    out, out_32 = all_results()
    calls = [
        [exp2_64(v) for v in x.tolist()],
        [log2_64(abs(v)) for v in x.tolist()],
        [log2_1m_64(v) for v in p.tolist()],
        [pow_64(abs(v), w) for v, w in zip(x.tolist(), p.tolist(), strict=True)],
        [exp_64(v) for v in x],
        [log_64(abs(v)) for v in x],
        [logistic_64(v) for v in x],
        [normal_quantile_64(v) for v in p],
        [normal_cdf_64(v) for v in x],
        [truncated_normal_64(v, 0.5, 0.25, 0.0, 1.0) for v in p.tolist()],
    ]
    assert np.array(calls).tobytes() == out.tobytes()
    assert exp2_array(x).tobytes() == out[0].tobytes()
    assert log2_array(abs(x)).tobytes() == out[1].tobytes()
    assert normal_quantile_array(p).tobytes() == out[7].tobytes()
    assert truncated_normal_array(p, 0.5, 0.25, 0.0, 1.0).tobytes() == out[9].tobytes()
    assert np.array([exp2_32(v) for v in x.tolist()], np.float32).tobytes() == out_32[0].tobytes()
    assert (
        np.array([logistic_32(v) for v in x.astype(np.float32)], np.float32).tobytes() == out_32[1].tobytes()
    )
    assert in_float32(_exp2_32_of, x.astype(np.float32)).tobytes() == out_32[0].tobytes()
    assert in_float32(_logistic_32_of, x.astype(np.float32)[1:]).tobytes() == out_32[1, 1:].tobytes()


def test_argument_types_do_not_matter():
    assert exp2_64(3) == 8.0
    assert pow_64(3, 2) == 9.0
    assert exp2_64(np.float32(0.3)) == exp2_64(float(np.float32(0.3)))
    assert exp2_32(0) == 1.0
    assert logistic_32(0.0) == 0.5
    assert isinstance(exp2_64(0.5), float)


def test_float32_stays_float32():
    @numba.njit(error_model="numpy")
    def kept(x):
        return exp2_32(x), logistic_32(x)

    kept(np.float32(0.5))
    assert str(kept.nopython_signatures[0].return_type) == str(numba.types.UniTuple(numba.float32, 2))


def test_no_product_and_sum_are_contracted():
    everything = numba.njit(error_model="numpy")(_everything_in_one_kernel.py_func)
    tiles = numba.njit(error_model="numpy")(_tiles_of_64.py_func)
    x, p = grid()
    everything(x, p, np.empty((10, x.size)))
    tiles(x.astype(np.float32), np.empty((2, x.size), np.float32))
    for compiled in (everything, tiles):
        (code,) = compiled.inspect_asm().values()
        assert len(re.findall(r"mul", code)) > 5
        assert not re.search(r"\bv?f(n?m(add|sub)|ml[as])", code)


def digest_of_all_results():
    out, out_32 = all_results()
    return hashlib.sha256(out.astype("<f8").tobytes() + out_32.astype("<f4").tobytes()).hexdigest()


def test_bits_are_frozen():
    """Any machine must reproduce these bits; a change of them changes every published result."""
    assert digest_of_all_results() == DIGEST


@pytest.mark.parametrize("setting", [{"NUMBA_DISABLE_JIT": "1"}, {"NUMBA_CPU_NAME": "generic"}])
def test_frozen_bits_come_from_plain_python_and_from_a_plain_processor(setting, tmp_path):
    """Uncompiled, CPython and NumPy work one operation at a time; `generic` has no wide vector."""
    program = (
        "import runpy, sys; names = runpy.run_path(sys.argv[1]); print(names['digest_of_all_results']())"
    )
    environment = os.environ | setting | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program, __file__], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == DIGEST


def test_log2_of_e_is_rounded_correctly():
    assert float(1 / mpmath.log(2)) == LOG2_E
