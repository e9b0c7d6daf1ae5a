"""exp2, log2, powers, the logistic and the normal distribution: one polynomial each, the same everywhere.

The exp, log, power and normal functions of the C library and of NumPy round differently from machine to
machine. A result that must not depend on the machine calls the functions below instead. They use + - * /,
the square root (which IEEE 754 rounds correctly), comparisons and integers made of the bits of a number.

Accuracy, measured against 60-digit arithmetic, is stated function by function; an ulp is the distance between
neighbouring floats at the exact result.

Sources: the exponential and the logarithm are minimax polynomials fitted for this file after the usual range
reductions (Muller, "Elementary Functions", 3rd ed., 2016), with exact sums and products after Dekker (1971,
Numerische Mathematik 18, 224-242); the normal quantile is algorithm AS 241 (Wichura 1988, Applied Statistics
37, 477-484); the normal tail follows Shepherd and Laframboise (1981, Mathematics of Computation 36, 249-253)
with coefficients fitted for this file.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mobsim.kernels.compile import inlined, internal, kernel
from mobsim.kernels.strip import bits_of, of_bits, pick

LOG2_E = 1.4426950408889634
"""log2(e), rounded to float64: multiply a natural exponent by it before `exp2_32`."""

LOG2_OF_NOTHING = -150.0
"""What log2(1 - c) is taken to be at c = 1: small enough that every float32 power of it is nil."""

_LOG2_E_REST = 2.0355273740931033e-17
_LN_2 = 0.6931471805599453
_LN_2_REST = 2.3190468138462996e-17
_TWO_OVER_LN_2 = 2.8853900817779268
_TWO_OVER_LN_2_REST = 4.0710547481862066e-17

# Adding and subtracting 1.5 * 2**52 rounds a small float64 to the nearest integer, which the low bits of the
# sum then hold.
_ROUNDER = 6755399441055744.0
_ROUNDER_BITS = 0x4338000000000000
_SPLITTER = 134217729.0
_ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
_SMALLEST_NORMAL = 2.2250738585072014e-308

_ROUNDER_32 = np.float32(12582912.0)
_LOWEST_32 = np.float32(-126.0)
_HIGHEST_32 = np.float32(126.0)
_ONE_32 = np.float32(1.0)
_BIAS_32 = np.uint32(127)
_EXPONENT_SHIFT_32 = np.uint32(23)
_E1 = np.float32(0.6931471824645996)
_E2 = np.float32(0.24022650718688965)
_E3 = np.float32(0.05550358071923256)
_E4 = np.float32(0.009618077427148819)
_E5 = np.float32(0.0013391643296927214)
_E6 = np.float32(0.0001545635750517249)


@inlined
def _power_of_two(n: np.int64) -> float:
    """2**n for n from -1022 to 1023, put together from its exponent."""
    return np.int64((n + 1023) << 52).view(np.float64)


@inlined
def _product_rest(a: float, b: float, product: float) -> float:
    """What rounding took from a * b: a * b = product + rest exactly (Dekker). No factor may exceed 2**990."""
    t = _SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@internal
def _exp2_of_sum(high: float, low: float) -> float:
    """2**(high + low) for |low| far below |high| or 1, over- and underflowing as float64 does."""
    high = 1030.0 if high > 1030.0 else high
    high = -1080.0 if high < -1080.0 else high
    shifted = high + _ROUNDER
    n = np.float64(shifted).view(np.int64) - _ROUNDER_BITS
    r = high - (shifted - _ROUNDER)
    q = 4.4549605981865186e-10
    q = q * r + 7.072585949269223e-09
    q = q * r + 1.0178062445845774e-07
    q = q * r + 1.321544258792169e-06
    q = q * r + 1.525273382983612e-05
    q = q * r + 0.0001540353044173605
    q = q * r + 0.0013333558146416936
    q = q * r + 0.009618129107606888
    q = q * r + 0.0555041086648216
    q = q * r + 0.24022650695910097
    q = q * r + 0.6931471805599453
    t = q * r
    t = t + (low * _LN_2) * (1.0 + t)
    # Two factors, so that results beyond the normal range round once, in the last product.
    half = np.int64(n >> 1)
    return ((1.0 + t) * _power_of_two(half)) * _power_of_two(n - half)


@internal
def _log2_parts(x: float) -> tuple[float, float]:
    """log2(x) as the sum of a float64 and a much smaller one, for finite x > 0."""
    tiny = x < _SMALLEST_NORMAL
    x = x * 18014398509481984.0 if tiny else x
    bits = np.float64(x).view(np.int64)
    k = (bits - _ROOT_HALF_BITS) >> 52
    m = np.int64(bits - (k << 52)).view(np.float64)
    k = k - 54 if tiny else k
    # log2(m) = 2/ln 2 * atanh(s) with s = (m - 1)/(m + 1), |s| < .172; only the first term needs s to twice
    # the usual precision.
    f = m - 1.0
    d = m + 1.0
    d_rest = m - (d - 1.0)
    s = f / d
    back = s * d
    s_rest = (((f - back) - _product_rest(s, d, back)) - s * d_rest) / d
    z = s * s
    p = 0.18880213866521517
    p = p * z + 0.19142773772579882
    p = p * z + 0.22197652442853488
    p = p * z + 0.26230786391134053
    p = p * z + 0.32059890042182215
    p = p * z + 0.4121985831021106
    p = p * z + 0.5770780163555981
    p = p * z + 0.9617966939259756
    first = s * _TWO_OVER_LN_2
    low = _product_rest(s, _TWO_OVER_LN_2, first) + (s_rest * _TWO_OVER_LN_2 + s * _TWO_OVER_LN_2_REST)
    low = low + s * (z * p)
    whole = np.float64(k)
    high = whole + first
    low = ((whole - high) + first) + low
    total = high + low
    return total, (high - total) + low


@kernel
def exp2_64(x: float) -> float:
    """Two to the power x.

    Parameters
    ----------
    x : float
        Any float64.

    Returns
    -------
    float
        2**x, within 1.1 ulp; exact for integers; 0 below -1075, inf from 1024 on.
    """
    return _exp2_of_sum(np.float64(x), 0.0)


@kernel
def log2_64(x: float) -> float:
    """Logarithm to base 2.

    Parameters
    ----------
    x : float
        Zero or more.

    Returns
    -------
    float
        log2(x), within 1 ulp; exact for powers of two; -inf at 0, nan below.
    """
    x = np.float64(x)
    if x > 0.0:
        if x == math.inf:
            return math.inf
        return _log2_parts(x)[0]
    return -math.inf if x == 0.0 else math.nan


@kernel
def log2_1m_64(c: float) -> float:
    """log2(1 - c), the logarithm of the chance that something of chance c does not happen.

    Parameters
    ----------
    c : float
        A chance; at 1 or more the result is `LOG2_OF_NOTHING`.

    Returns
    -------
    float
        log2(1 - c), within 1 ulp, also for tiny c.
    """
    c = np.float64(c)
    if c >= 1.0:
        return LOG2_OF_NOTHING
    m = 1.0 - c
    # Rounding 1 - c loses part of c; the lost part is known and small: one linear term restores it.
    rest = (1.0 - m) - c if c > -1.0 else -c - (m - 1.0)
    high, low = _log2_parts(m)
    return high + (low + rest / m * LOG2_E)


@kernel
def pow_64(x: float, y: float) -> float:
    """Power x**y for x of zero or more.

    Parameters
    ----------
    x : float
        Zero or more; nan below.
    y : float
        Any number.

    Returns
    -------
    float
        x**y, within 2 ulp while the result lies between 1e-20 and 1e20, within 16 ulp anywhere. Exact for
        y = 0 and 1 and for x = 0 and 1; rounded once for y = 2.
    """
    x = np.float64(x)
    y = np.float64(y)
    if y == 0.0:
        return 1.0
    if y == 1.0:
        return x
    if y == 2.0:
        return x * x
    if x == 0.0:
        return 0.0 if y > 0.0 else math.inf
    if x == math.inf:
        return math.inf if y > 0.0 else 0.0
    if not x > 0.0:
        return math.nan
    # Beyond this every base but 1 over- or underflows, and the exact product below would overflow.
    y = 4e19 if y > 4e19 else y
    y = -4e19 if y < -4e19 else y
    high, low = _log2_parts(x)
    product = y * high
    return _exp2_of_sum(product, _product_rest(y, high, product) + y * low)


@internal
def _exp_of_sum(high: float, low: float) -> float:
    """Exponential of high + low for |low| far below |high| or 1."""
    high = 800.0 if high > 800.0 else high
    high = -800.0 if high < -800.0 else high
    product = high * LOG2_E
    rest = _product_rest(high, LOG2_E, product) + (high * _LOG2_E_REST + low * LOG2_E)
    return _exp2_of_sum(product, rest)


@kernel
def exp_64(x: float) -> float:
    """Exponential e**x, within 1.5 ulp; 1 exactly at 0."""
    return _exp_of_sum(np.float64(x), 0.0)


@kernel
def log_64(x: float) -> float:
    """Natural logarithm, within 1 ulp; -inf at 0, nan below."""
    x = np.float64(x)
    if x > 0.0:
        if x == math.inf:
            return math.inf
        high, low = _log2_parts(x)
        product = high * _LN_2
        return product + (_product_rest(high, _LN_2, product) + (high * _LN_2_REST + low * _LN_2))
    return -math.inf if x == 0.0 else math.nan


@kernel
def logistic_64(v: float) -> float:
    """1 / (1 + e**-v), within 2.5 ulp; exactly 1/2 at 0."""
    return 1.0 / (1.0 + exp_64(-np.float64(v)))


@kernel
def normal_quantile_64(p: float) -> float:
    """Quantile of the standard normal distribution (AS 241).

    Parameters
    ----------
    p : float
        A probability.

    Returns
    -------
    float
        z with P(Z <= z) = p, relative error below 2e-15; the quantiles of p and 1 - p differ only in sign
        where 1 - p is exact; -inf at 0, inf at 1, nan outside.
    """
    p = np.float64(p)
    q = p - 0.5
    if abs(q) <= 0.425:
        r: float = 0.180625 - q * q
        a = 2.5090809287301226727e3
        a = a * r + 3.3430575583588128105e4
        a = a * r + 6.7265770927008700853e4
        a = a * r + 4.5921953931549871457e4
        a = a * r + 1.3731693765509461125e4
        a = a * r + 1.9715909503065514427e3
        a = a * r + 1.3314166789178437745e2
        a = a * r + 3.3871328727963666080e0
        b = 5.2264952788528545610e3
        b = b * r + 2.8729085735721942674e4
        b = b * r + 3.9307895800092710610e4
        b = b * r + 2.1213794301586595867e4
        b = b * r + 5.3941960214247511077e3
        b = b * r + 6.8718700749205790830e2
        b = b * r + 4.2313330701600911252e1
        b = b * r + 1.0
        return q * (a / b)
    tail = p if q < 0.0 else 1.0 - p
    if not tail > 0.0:
        if tail == 0.0:
            return -math.inf if q < 0.0 else math.inf
        return math.nan
    r = math.sqrt(-log_64(tail))
    if r <= 5.0:
        r = r - 1.6
        a = 7.74545014278341407640e-4
        a = a * r + 2.27238449892691845833e-2
        a = a * r + 2.41780725177450611770e-1
        a = a * r + 1.27045825245236838258e0
        a = a * r + 3.64784832476320460504e0
        a = a * r + 5.76949722146069140550e0
        a = a * r + 4.63033784615654529590e0
        a = a * r + 1.42343711074968357734e0
        b = 1.05075007164441684324e-9
        b = b * r + 5.47593808499534494600e-4
        b = b * r + 1.51986665636164571966e-2
        b = b * r + 1.48103976427480074590e-1
        b = b * r + 6.89767334985100004550e-1
        b = b * r + 1.67638483018380384940e0
        b = b * r + 2.05319162663775882187e0
        b = b * r + 1.0
    else:
        r = r - 5.0
        a = 2.01033439929228813265e-7
        a = a * r + 2.71155556874348757815e-5
        a = a * r + 1.24266094738807843860e-3
        a = a * r + 2.65321895265761230930e-2
        a = a * r + 2.96560571828504891230e-1
        a = a * r + 1.78482653991729133580e0
        a = a * r + 5.46378491116411436990e0
        a = a * r + 6.65790464350110377720e0
        b = 2.04426310338993978564e-15
        b = b * r + 1.42151175831644588870e-7
        b = b * r + 1.84631831751005468180e-5
        b = b * r + 7.86869131145613259100e-4
        b = b * r + 1.48753612908506148525e-2
        b = b * r + 1.36929880922735805310e-1
        b = b * r + 5.99832206555887937690e-1
        b = b * r + 1.0
    return -(a / b) if q < 0.0 else a / b


@internal
def _normal_tail(x: float) -> float:
    """P(Z > x) for x from 0 to 40."""
    # P(Z > x) = exp(-x*x/2) * w / (1 + x), where w is smooth in t = (x - 5)/(x + 5) all the way to infinity.
    t = (x - 5.0) / (x + 5.0)
    w = 2.196032905924892e-09
    w = w * t + 1.6129107766244392e-09
    w = w * t - 2.6332491672878587e-08
    w = w * t - 2.1567877175579913e-08
    w = w * t + 1.9124697360088803e-07
    w = w * t + 1.222807738066692e-07
    w = w * t - 1.3041981291689899e-06
    w = w * t - 6.645126985386993e-08
    w = w * t + 9.058505485209712e-06
    w = w * t - 9.897782095693084e-06
    w = w * t - 5.360723737658505e-05
    w = w * t + 0.00018233460332349368
    w = w * t + 7.791539896184297e-06
    w = w * t - 0.0016760724212402098
    w = w * t + 0.0065220006738440734
    w = w * t - 0.015170415395094575
    w = w * t + 0.024536963243297946
    w = w * t - 0.026401042966674067
    w = w * t + 0.010002352385241659
    w = w * t + 0.0310303684259707
    w = w * t - 0.09155228183400917
    w = w * t + 0.46151582985003775
    square = x * x
    rest = _product_rest(x, x, square)
    return _exp_of_sum(-0.5 * square, -0.5 * rest) * w / (1.0 + x)


@kernel
def normal_cdf_64(x: float) -> float:
    """Standard normal distribution function.

    Parameters
    ----------
    x : float
        Any number.

    Returns
    -------
    float
        P(Z <= x), relative error below 2e-15 in both tails while it is a normal float; exactly 1/2 at 0.
    """
    x = np.float64(x)
    size: float = abs(x)
    size = 40.0 if size > 40.0 else size
    if size == 0.0:
        return 0.5
    tail = _normal_tail(size)
    return tail if x < 0.0 else 1.0 - tail


@kernel
def truncated_normal_64(u: float, mean: float, sd: float, low: float, high: float) -> float:
    """Quantile of a normal distribution cut off below `low` and above `high`.

    Parameters
    ----------
    u : float
        A probability inside (0, 1), as `centred` gives.
    mean, sd : float
        Mean and standard deviation before cutting off; with sd = 0 the result is the mean, moved into
        [low, high].
    low, high : float
        Bounds, low <= high; either may be infinite.

    Returns
    -------
    float
        A value in [low, high], rising with u. Where the bounds lie so far out that float64 knows of no chance
        between them (some 38 standard deviations), the bound nearest the mean.
    """
    u = np.float64(u)
    mean = np.float64(mean)
    sd = np.float64(sd)
    low = np.float64(low)
    high = np.float64(high)
    value = mean
    if sd > 0.0:
        a = (low - mean) / sd
        b = (high - mean) / sd
        # Work in the lower tail where possible: probabilities near 1 would lose their digits.
        if a > -b:
            below_b = normal_cdf_64(-b)
            p = below_b + (1.0 - u) * (normal_cdf_64(-a) - below_b)
            value = mean - sd * normal_quantile_64(p)
        else:
            below_a = normal_cdf_64(a)
            p = below_a + u * (normal_cdf_64(b) - below_a)
            value = mean + sd * normal_quantile_64(p)
        if a > 0.0 and p == 0.0:
            value = low
        if b < 0.0 and p == 0.0:
            value = high
    value = low if value < low else value
    return high if value > high else value


@inlined
def exp2_32(x: np.float32) -> np.float32:
    """Two to the power x in float32, for the week kernel.

    Parameters
    ----------
    x : float32
        The exponent; beyond -126 and 126 it is taken as -126 and 126.

    Returns
    -------
    float32
        2**x, relative error below 1e-7; exact for integers.
    """
    x = np.float32(x)
    x = _LOWEST_32 if x < _LOWEST_32 else x
    x = _HIGHEST_32 if x > _HIGHEST_32 else x
    shifted = x + _ROUNDER_32
    r = x - (shifted - _ROUNDER_32)
    q = _E6
    q = q * r + _E5
    q = q * r + _E4
    q = q * r + _E3
    q = q * r + _E2
    q = q * r + _E1
    # The rounded exponent stands in the low bits of `shifted`; the shift drops all others.
    power = np.uint32((np.float32(shifted).view(np.uint32) + _BIAS_32) << _EXPONENT_SHIFT_32).view(np.float32)
    return (_ONE_32 + q * r) * power


@inlined
def logistic_32(v_scaled: np.float32) -> np.float32:
    """1 / (1 + 2**-v_scaled) in float32, for the week kernel.

    Parameters
    ----------
    v_scaled : float32
        V * log2(e) / tau, computed by the caller.

    Returns
    -------
    float32
        The logistic function of V / tau, relative error below 2e-7; exactly 1/2 at 0.
    """
    return _ONE_32 / (_ONE_32 + exp2_32(-np.float32(v_scaled)))


@inlined
def exp2_strip(x: Any) -> Any:
    """`exp2_32` of all slots of a strip.

    Parameters
    ----------
    x : strip of float32.
    """
    x = pick(x < _LOWEST_32, _LOWEST_32, x)
    x = pick(x > _HIGHEST_32, _HIGHEST_32, x)
    shifted = x + _ROUNDER_32
    r = x - (shifted - _ROUNDER_32)
    q = r * _E6 + _E5
    q = q * r + _E4
    q = q * r + _E3
    q = q * r + _E2
    q = q * r + _E1
    power = of_bits((bits_of(shifted) + _BIAS_32) << _EXPONENT_SHIFT_32)
    return (q * r + _ONE_32) * power


@inlined
def logistic_strip(v_scaled: Any) -> Any:
    """`logistic_32` of all slots of a strip.

    Parameters
    ----------
    v_scaled : strip of float32, V * log2(e) / tau.
    """
    # 0 - v is -v but for the sign of zero, which exp2 does not see.
    return _ONE_32 / (_ONE_32 + exp2_strip(np.float32(0.0) - v_scaled))


@kernel
def exp2_array(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`exp2_64` of every element of a float64 array, shape (n,)."""
    out = np.empty(x.size, np.float64)
    for i in range(x.size):
        out[i] = exp2_64(x[i])
    return out


@kernel
def log2_array(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`log2_64` of every element of a float64 array, shape (n,)."""
    out = np.empty(x.size, np.float64)
    for i in range(x.size):
        out[i] = log2_64(x[i])
    return out


@kernel
def normal_quantile_array(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`normal_quantile_64` of every element of a float64 array, shape (n,)."""
    out = np.empty(p.size, np.float64)
    for i in range(p.size):
        out[i] = normal_quantile_64(p[i])
    return out


@kernel
def truncated_normal_array(
    u: npt.NDArray[np.float64], mean: float, sd: float, low: float, high: float
) -> npt.NDArray[np.float64]:
    """`truncated_normal_64` of every element of an array, with common parameters.

    Parameters
    ----------
    u : float64 array, shape (n,), in (0, 1).
    mean, sd, low, high : as for `truncated_normal_64`.
    """
    out = np.empty(u.size, np.float64)
    for i in range(u.size):
        out[i] = truncated_normal_64(u[i], mean, sd, low, high)
    return out
