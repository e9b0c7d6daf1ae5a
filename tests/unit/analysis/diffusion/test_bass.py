"""Bass's curve: what was put in is found, and what cannot be found is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.theory.published import bass_curve as published_curve

from mobsim.analysis.diffusion.bass import bass_curve, fit_bass
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick


def test_the_curve_solves_its_equation() -> None:
    time = np.linspace(0, 30, 61)
    assert np.allclose(bass_curve(time, 0.02, 0.4), published_curve(time, 0.02, 0.4), atol=1e-14)
    solved = solve_ivp(
        lambda _t, f: (0.02 + 0.4 * f / 0.7) * (0.7 - f), (0, 30), [0.0], t_eval=time, rtol=1e-10, atol=1e-12
    )
    assert np.allclose(bass_curve(time, 0.02, 0.4, 0.7), solved.y[0], atol=1e-8)
    assert bass_curve([0, 1, 1e9], 0.1, 0.0).tolist() == pytest.approx([0, 1 - math.exp(-0.1), 1])


@pytest.mark.parametrize(("p", "q", "m"), [(0.03, 0.38, 0.7), (0.001, 0.6, 0.95), (0.1, 0.2, 0.4)])
def test_what_was_put_in_is_found(p: float, q: float, m: float) -> None:
    fit = fit_bass(bass_curve(np.arange(1, 31), p, q, m))
    assert (fit.p, fit.q, fit.m) == pytest.approx((p, q, m), rel=1e-6)
    assert fit.residual < 1e-9
    assert fit.peak == pytest.approx(math.log(q / p) / (p + q))
    assert fit.warnings == ()


def test_standard_errors_are_those_of_repeated_independent_noise() -> None:
    time = np.arange(1, 26)
    random = np.random.default_rng(1)
    fits = []
    for _ in range(60):
        noisy = bass_curve(time, 0.02, 0.4, 0.7) + random.normal(0, 0.003, 25)
        fits.append(fit_bass(np.maximum.accumulate(np.clip(noisy, 0, 1))))
    for name in ("p", "q", "m"):
        spread = np.std([getattr(fit, name) for fit in fits])
        assert np.mean([getattr(fit, f"{name}_error") for fit in fits]) == pytest.approx(spread, rel=0.35)


def test_a_known_market_is_kept() -> None:
    fit = fit_bass(bass_curve(np.arange(1, 21), 0.03, 0.3), market=1)
    assert (fit.p, fit.q, fit.m) == pytest.approx((0.03, 0.3, 1), rel=1e-6)
    assert math.isnan(fit.m_error)


def test_what_the_data_do_not_tell_is_said() -> None:
    early = fit_bass(bass_curve(np.arange(1, 7), 0.005, 0.5, 0.8))
    assert any("has not bent within 6 periods" in warning for warning in early.warnings)
    no_imitation = fit_bass(bass_curve(np.arange(1, 21), 0.1, 0.0, 0.6))
    assert any(warning.startswith("q is") for warning in no_imitation.warnings)
    assert no_imitation.peak == 0


@pytest.mark.parametrize(
    ("shares", "market", "sentence"),
    [
        ([0.1, 0.2], None, "shares: found 2 periods"),
        ([0.1, 0.2, 0.1, 0.3, 0.4], None, "falling share"),
        ([0.1, 0.2, math.nan, 0.3, 0.4], None, "missing"),
        ([0.0] * 5, None, "shares: found 0 at the end"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 2.0, "market: found 2.0"),
    ],
)
def test_what_is_not_allowed(shares: list[float], market: float | None, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        fit_bass(shares, market=market)
