"""docs/diffusion_data.md: its options are those of function and command, its numbers those of the data."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest
from tests.theory import korean_diffusion as korean

from mobsim.analysis.diffusion.adopters import saturation_by_community
from mobsim.analysis.diffusion.data import read_diffusion
from mobsim.cli.diffusion import diffusion

PAGE = (Path(__file__).parents[4] / "docs" / "diffusion_data.md").read_text("utf-8")
FOLDER = Path(os.environ.get("MOBSIM_VALIDATION_DATA", ""))


def test_options_and_defaults_are_those_of_the_function_and_the_command() -> None:
    told = dict(re.findall(r"\| `(\w+)`, (`\w+`|none) \|", PAGE))
    for function in (read_diffusion, diffusion):
        parameters = inspect.signature(function).parameters
        for name, default in told.items():
            assert str(parameters[name].default).lower() == default.strip("`"), name
    assert set(told) == {"id", "time", "community", "last_seen", "ego", "alter", "value"}


@pytest.mark.skipif(not (FOLDER / "cases").is_dir(), reason="MOBSIM_VALIDATION_DATA names no folder of data")
def test_numbers_of_the_survey() -> None:
    published = korean.ties(FOLDER)
    assert f"the {len(published):,} published ties" in PAGE
    with_column_id = korean.nominations(FOLDER, "id")
    assert f"\n{len(with_column_id.keys() & published.keys())} of them are." in PAGE
    data = korean.as_surveyed(FOLDER)
    table = saturation_by_community(data).set_index("community")
    share = table["saturation"].sort_values()
    assert f"the lowest is .{1000 * share.iloc[0]:.0f} (village {share.index[0]})" in PAGE
    assert f".{1000 * share.iloc[1]:.0f} is the second lowest (village {share.index[1]})" in PAGE
    assert f"that of the {int(table['periods_to_share'].notna().sum())} villages" in PAGE
    assert f"{data.n_people:,} women, {len(data.communities)} villages" in PAGE
