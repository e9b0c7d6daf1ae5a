"""The page: tables and figures in, one offline HTML file out. It loads nothing and runs no script."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mobsim.analysis.study import Study
from mobsim.report import outcome_tables, process_tables, words
from mobsim.report.figures import Picture

if TYPE_CHECKING:
    from jinja2 import Template

TAGS = {"V": "read in a source", "P": "seen in a prototype", "A": "assumed", "C": "set by a calibration"}
"""What the tags of numbers mean."""


def build_page(study: Study, pictures: Sequence[Picture], manifest: dict[str, Any]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    study : what is shown.
    pictures : its figures, embedded as SVG.
    manifest : from `manifest_of`.
    """
    return _template().render(
        study=study,
        scenario=study.scenario,
        verdict=study.verdict,
        cautions=words.cautions_of(study),
        drift=study.drift,
        size=words.size_of(study),
        summary=words.summary_of(study),
        glance=outcome_tables.glance_table(study),
        tables=outcome_tables.tables_of(study),
        checks=process_tables.checks_table(study),
        chances=outcome_tables.chances_table(study),
        strategies=process_tables.strategies_table(study),
        stakeholders=process_tables.stakeholders_table(study),
        surveys=process_tables.surveys_table(study),
        comparative=words.comparative(study.scenario),
        not_shown=words.NOT_SHOWN,
        tags=_tags_in_words(study),
        pictures=[(picture, base64.b64encode(picture.svg).decode("ascii")) for picture in pictures],
        manifest=manifest,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    text = (files("mobsim.report") / "template.html.jinja").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _tags_in_words(study: Study) -> str:
    """Say where the numbers that the scenario sets come from."""
    letters = [tag.lstrip("[")[:1] for tag in study.scenario.tags.values()]
    counts = [f"{letters.count(letter)} {meaning}" for letter, meaning in TAGS.items() if letter in letters]
    return ", ".join(counts)
