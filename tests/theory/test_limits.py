"""The other special cases of the model: the published direction or closed form, through `scenarios/limits/`.

Every tolerance stands here before the runs; four standard errors unless another reason is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.theory import measure

from mobsim import load_scenario, simulate
from mobsim.engine.records import AWARE, PARTICIPATING, Records

pytestmark = pytest.mark.quick


def run(name: str, overrides: dict[str, Any] | None = None, **how: Any) -> Records:
    return simulate(load_scenario(f"limits/{name}", overrides=overrides), **how)


def shares(records: Records, arm: str, which: int = PARTICIPATING) -> np.ndarray:
    """Return (runs, weeks) shares of one arm."""
    rows = [k for k, run in enumerate(records.runs_index) if run.arm == arm]
    return np.asarray(
        records.counts[rows, :, :, which].sum(axis=2) / records.group_sizes[rows].sum(axis=1)[:, None]
    )


# The files as they ship


@pytest.mark.parametrize(
    "name",
    ["granovetter_domino", "granovetter_domino_changed", "centola_macy", "centola_macy_random", "si",
     "noisy_threshold_ring", "noisy_threshold_random", "independent_cascade", "logit_equilibrium",
     "banerjee_information", "banerjee_endorsement", "olson_free_riding", "marwell_oliver_assurance"],
)  # fmt: skip
def test_a_shipped_limit_shows_its_facts(name: str) -> None:
    """Those that take seconds are held against their bands in `verification/`."""
    results = measure.bands(name)
    assert results
    for result in results:
        assert result.met, f"{result.fact}: {result.estimate:.4f} ({result.low:.4f} to {result.high:.4f})"


# Complex contagions


def test_a_complex_contagion_fills_the_ring_and_dies_among_random_contacts() -> None:
    ring = measure.participants("centola_macy")
    assert np.all(ring[:, -1] == 200)
    assert ring[0, :3].tolist() == [4, 6, 8], "two more on each side in the first round, then one, then one"
    assert np.all(measure.participants("centola_macy_random")[:, -1] <= 10)


def test_a_simple_contagion_is_faster_among_random_contacts() -> None:
    """With a threshold of one contact the long ties win: they are weak for complex contagions only."""
    simple = {"behaviour.thresholds.value": 1}
    ring = measure.participants("centola_macy", simple)
    random = measure.participants("centola_macy_random", simple)
    half = 100
    assert np.all((random >= half).argmax(axis=1) < (ring >= half).argmax(axis=1))


def test_a_little_noise_reverses_the_order() -> None:
    """Without noise the ring is filled and random contacts are not; with .12 random contacts are faster."""
    sharp = {"behaviour.noise": 0, "campaign.horizon_weeks": 1400}
    small = {"communities": 4, "luck": 1}
    assert np.all(measure.participants("noisy_threshold_ring", sharp, **small)[:, -1] == 1000)
    assert np.all(measure.participants("noisy_threshold_random", sharp, **small)[:, -1] < 50)
    ring = measure.participants("noisy_threshold_ring", communities=8, luck=1)
    random = measure.participants("noisy_threshold_random", communities=8, luck=1)
    assert np.all(random[:, -1] >= 900)
    assert np.all(ring[:, -1] <= 800)


# Simple contagions


def test_si_in_a_well_mixed_community_is_logistic() -> None:
    """dI/dt = b I (1 - I) from 2 %: four runs of 20,000, b dt = .02; tolerance .015, 4 s.e. and the step."""
    residents, start, speed, weeks = 20_000, 0.02, 0.02, 400
    overrides = {
        "community.residents": residents,
        "community.network": {"kind": "well_mixed"},
        "community.initial.participating": {"share": start},
        "behaviour.tell_participant": speed / residents,
        "campaign.horizon_weeks": weeks,
    }
    mean = measure.participants("si", overrides, communities=1, luck=4).mean(axis=0) / residents
    t = np.arange(1, weeks + 1)
    expected = 1 / (1 + (1 / start - 1) * np.exp(-speed * t))
    assert np.abs(mean - expected).max() <= 0.015


def test_si_reaches_everybody_who_is_connected() -> None:
    overrides = {"community.residents": 500}
    curves = measure.participants("si", overrides, communities=2, luck=2)
    assert np.all(curves[:, -1] == 500)


# Choice with noise


@pytest.mark.parametrize(
    ("noise", "start", "rests_at"), [(0.15, 0.1, 0.046), (0.15, 0.9, 0.954), (0.3, 0.1, 0.5), (0.3, 0.9, 0.5)]
)
def test_logit_choice_rests_at_the_fixed_points(noise: float, start: float, rests_at: float) -> None:
    """Mean of the last 30 weeks of 4 runs of 10,000 within .005, as in the shipped file."""
    overrides = {"behaviour.noise": noise, "community.initial.participating.share": start}
    curves = measure.participants("logit_equilibrium", overrides, communities=1, luck=4) / 10_000
    assert abs(curves[:, -30:].mean() - rests_at) <= 0.005


# Information and endorsement


def test_endorsement_adds_to_information() -> None:
    """The campaign gains more with J > 0 than with J = 0: mean over 16 communities, by more than 2 s.e."""
    how = {"communities": 16, "luck": 1, "arms": ["none", "outreach"]}
    gains = {}
    for name in ("information", "endorsement"):
        records = run(f"banerjee_{name}", **how)
        weeks = slice(records.funding_end - 3, records.funding_end + 1)
        gain = shares(records, "outreach") - shares(records, "none")
        gains[name] = gain[:, weeks].mean(axis=1)
        assert gains[name].mean() > 0
    more = measure.mean_of(gains["endorsement"] - gains["information"])
    assert more.value > 2 * more.error


def test_participants_spread_information_further_than_others() -> None:
    """With J = 0 and the same ties, telling by participants makes more people aware under the same luck."""
    how = {"communities": 8, "luck": 1, "arms": ["outreach"]}
    quiet = run("banerjee_information", {"behaviour.tell_participant": 0.0005}, **how)
    loud = run("banerjee_information", **how)
    assert np.all(shares(loud, "outreach", AWARE) >= shares(quiet, "outreach", AWARE))
    assert shares(loud, "outreach", AWARE)[:, -1].mean() > shares(quiet, "outreach", AWARE)[:, -1].mean()


# Free riding and assurance


def test_free_riding_brakes_and_assurance_helps() -> None:
    """The larger the weight of results, the more participate, in every week of every run of the same luck."""
    how = {"communities": 8, "luck": 1, "arms": ["outreach"]}
    curves = [
        shares(run("olson_free_riding", {"behaviour.results_weight": weight}, **how), "outreach")
        for weight in (-0.2, 0.0, 0.3)
    ]
    assert np.all(curves[0] <= curves[1])
    assert np.all(curves[1] <= curves[2])
    assert curves[0][:, -1].mean() < curves[1][:, -1].mean() < curves[2][:, -1].mean()


def test_an_accelerating_production_function_needs_a_critical_mass() -> None:
    """Below half of the results (F < F*) a steeper function gives less, above it more."""
    how = {"communities": 4, "luck": 1, "arms": ["outreach"]}

    def final_results(exponent: float, start: float) -> float:
        overrides = {
            "behaviour.results_exponent": exponent,
            "community.initial.participating": {"share": start},
            "behaviour.irreversible": True,
            "behaviour.lapse": 0,
            "behaviour.turnover": 0,
            "behaviour.thresholds": {"kind": "constant", "value": 10},
            "campaign.burn_in_weeks": 0,
            "community.initial.aware": "everyone",
        }
        return float(run("marwell_oliver_assurance", overrides, **how).results[:, -1].mean())

    assert final_results(4, 0.1) < final_results(1, 0.1)
    assert final_results(4, 0.6) > final_results(1, 0.6)
