"""S07: what netdiffuseR prints of the Korean survey, to all digits that it prints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.theory import korean_diffusion as korean
from tests.theory.published import read_case, stated

from mobsim import describe_diffusion
from mobsim.analysis.diffusion.adopters import adoption_by_period, categories_table
from mobsim.analysis.diffusion.data import ObservedDiffusion
from mobsim.analysis.diffusion.exposure import exposure, thresholds
from mobsim.analysis.diffusion.moran import moran_by_period
from mobsim.analysis.diffusion.position import infection, susceptibility

FOLDER = Path(os.environ.get("MOBSIM_VALIDATION_DATA", ""))
pytestmark = pytest.mark.skipif(
    not (FOLDER / "cases").is_dir(), reason="MOBSIM_VALIDATION_DATA does not name the folder of the data"
)

FIFTEEN = 1e-14
"""netdiffuseR printed 15 significant digits."""


@pytest.fixture(scope="module")
def case() -> dict[str, Any]:
    return read_case(FOLDER / "cases", "S07")


@pytest.fixture(scope="module")
def data() -> ObservedDiffusion:
    return korean.as_published(FOLDER)


@pytest.fixture(scope="module")
def printed() -> korean.Printed:
    return korean.printed(FOLDER)


def test_the_table_of_its_readme(case: dict[str, Any], data: ObservedDiffusion) -> None:
    within = stated(case, "0.005 percentage points", 0.005)
    table = categories_table(data, thresholds(data))
    reference = dict(case["reference"]["README ftable (percent of 1,047)"])
    assert [word.lower() for word in reference.pop("columns")] == list(table.columns)
    assert [name.lower() for name in reference] == list(table.index)
    assert np.abs(table.to_numpy() - np.array(list(reference.values()))).max() <= within


def test_adopters_per_period(case: dict[str, Any], data: ObservedDiffusion) -> None:
    assert adoption_by_period(data)["adopters"].tolist() == case["reference"]["adopters per period 1..11"]


def test_every_woman(data: ObservedDiffusion, printed: korean.Printed) -> None:
    women = printed.women
    assert list(map(str, women["id"])) == list(data.ids)
    assert np.array_equal(np.bincount(data.ego, minlength=1047), women["outdeg"])
    assert np.array_equal(np.bincount(data.alter, minlength=1047), women["indeg"])
    for column, found in {
        "threshold": thresholds(data),
        "threshold_incl_censored": thresholds(data),
        "infection": infection(data),
        "susceptibility": susceptibility(data),
        "infection_raw": infection(data, normalized=False),
        "susceptibility_raw": susceptibility(data, normalized=False),
    }.items():
        assert np.abs(found - women[column]).max() < FIFTEEN, column


def test_exposure_of_every_woman_in_every_period(data: ObservedDiffusion, printed: korean.Printed) -> None:
    assert np.abs(exposure(data) - printed.exposure.iloc[:, 1:].to_numpy()).max() < FIFTEEN


def test_periods(data: ObservedDiffusion, printed: korean.Printed) -> None:
    reference, found = printed.periods, adoption_by_period(data)
    assert found["adopters"].tolist() == reference["adopt"].tolist()
    assert np.abs(found["share"] - reference["cum_adopt_pcent"]).max() < FIFTEEN
    assert np.abs(found["hazard"] - reference["hazard"])[1:].max() < FIFTEEN
    assert reference["hazard"][0] == 0  # whatever happened in the first period
    assert data.n_ties / (1047 * 1046) == pytest.approx(reference["density"][0], abs=FIFTEEN)


def test_morans_i(data: ObservedDiffusion, printed: korean.Printed) -> None:
    reference, found = printed.periods, moran_by_period(data, permutations=0)
    for column, name in {
        "moran_obs": "moran", "moran_exp": "expected", "moran_sd": "sd", "moran_pval": "p",
    }.items():  # fmt: skip
        assert np.abs(found[name] - reference[column])[:10].max() < 1e-12, column
    # In the last period all have adopted: netdiffuseR prints 0, here it is not defined.
    assert reference["moran_obs"][10] == 0
    assert np.isnan(found["moran"].iloc[10])


def test_times_of_adoption_belong_to_other_women_there(data: ObservedDiffusion) -> None:
    """The nominations give the published ties with a row's own id, and not with the column `id`."""
    published = korean.ties(FOLDER)
    assert korean.nominations(FOLDER, "woman") == published
    assert len(korean.nominations(FOLDER, "id") & published) < 20
    right = korean.as_surveyed(FOLDER)
    assert set(right.ids) == set(data.ids)
    assert sum(a == b for a, b in zip(right.ids, data.ids, strict=True)) < 20
    place = right.place_of_community
    assert np.array_equal(place[right.ego], place[right.alter])
    same_convention = korean.as_surveyed(FOLDER, never=False)
    table = categories_table(same_convention, thresholds(same_convention))
    assert np.abs(table - categories_table(data, thresholds(data))).to_numpy().max() > 1
    wrong = data.place_of_community
    assert (wrong[data.ego] != wrong[data.alter]).sum() > 1_000


def test_only_with_their_own_ids_do_women_resemble_those_they_name() -> None:
    right = describe_diffusion(korean.as_surveyed(FOLDER), permutations=199).periods
    published = describe_diffusion(korean.as_published(FOLDER, never=True), permutations=199).periods
    assert (right["within_p"].iloc[2:] <= 0.01).all()
    assert (right["within_z"].iloc[2:] > 3).all()
    assert published["within_p"].min() > 0.05
