"""docs/scenarios.md: every scenario that comes with mobsim, run and held against its published facts.

`python -m mobsim.report.scenario_page [FOLDER]` writes FOLDER/scenarios.md and a figure a scenario beside it
(FOLDER: docs). The same scenarios give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mobsim.analysis.study import Study
from mobsim.analysis.verdict import in_words
from mobsim.report import words
from mobsim.report.cells import PlainTable, with_interval
from mobsim.report.process_tables import checks_table
from mobsim.scenario.scenario import NONE, Scenario

COMMAND = "python -m mobsim.report.scenario_page"

LIMITS = "limits/"
"""Scenarios whose names begin so are published models as special cases; they are listed, not run."""

ORIGINS = {"C": "calibrated", "P": "from a prototype", "V": "read in a source", "A": "assumed"}
"""Tags of numbers in the order of the page, and what they mean."""

SHOWN_AS_NUMBERS = 4
"""So many numbers of one line are shown one by one; more are named by the place that holds them."""

EVERY = 4
"""The figures draw every fourth week, which keeps their files small."""

_TAG = re.compile(r"\[([VPAC])(?::\s*([^\]]*))?\]\s*(.*)", re.DOTALL)

_OPENING = f"""\
# The scenarios that come with mobsim

Written by `{COMMAND}`; edit the scenarios. It runs each of them as `mobsim compare NAME` does,
with the communities and streams of luck that its file asks for (last column of the table). `mobsim scenarios`
lists the names, which stand for the files in every command; how a file is written:
[scenario_files.md](scenario_files.md).

Everything here is comparative: the numbers rank strategies under the assumptions of a scenario and forecast
no place. Participation is not impact: no health, welfare or violence outcomes are simulated.

**A published fact that a scenario does not show stays in its file and is shown as NOT MET.** Bands were
written from the sources before the strategies were run.

Intervals are 95 % over communities. Those of what a strategy adds at funding end among all residents hold for
all strategies at once, as the verdict does; the others are pointwise. Points are percentage points.
"""


def scenario_page(studies: Iterable[Study]) -> str:
    """Return docs/scenarios.md.

    Parameters
    ----------
    studies : the scenarios that were run, in the order of the page; each is used once and let go.
    """
    lines, sections = [], []
    for study in studies:
        lines.append(_overview(study))
        sections.append(_section(study))
    header = ("scenario", "title", "best, or can still be best", "facts met", "at rest", "communities × luck")
    overview = _markdown(PlainTable("", "", header, tuple(lines)))
    return "\n".join([_OPENING, overview, *sections, _limits()])


def scenario_figure(study: Study) -> bytes:
    """Draw participation over time by strategy as a small SVG.

    Parameters
    ----------
    study : the study.
    """
    from mobsim import plots

    campaign = study.scenario.campaign
    last = campaign.horizon_weeks - 1
    shown = study.weeks[(study.weeks["week"] % EVERY == 0) | (study.weeks["week"] == last)]
    funded = (campaign.funding_starts_week, min(campaign.funding_ends_week, campaign.horizon_weeks))
    return plots.as_svg(plots.adoption_curves(shown, study.arms, funded=funded))


def origins_table(scenario: Scenario) -> PlainTable:
    """Say where the numbers that a scenario sets come from, collected from the tags of its file.

    Parameters
    ----------
    scenario : the resolved scenario.
    """
    lines: dict[tuple[str, str, str], list[str]] = {}
    for path, tag in scenario.tags.items():
        match = _TAG.match(tag)
        letter, reason = (match[1], _reason(match[2], match[3])) if match else ("A", tag)
        lines.setdefault((letter, reason, _block(path)), []).append(path)
    rows = tuple(
        (ORIGINS[origin], _numbers(paths, scenario), reason)
        for origin in ORIGINS
        for (letter, reason, _), paths in lines.items()
        if letter == origin
    )
    return PlainTable("Where its numbers come from", "", ("", "what", "in the words of the file"), rows)


def results_table(study: Study) -> PlainTable:
    """Participation of every strategy and what it adds to no campaign, at funding end and in the last week.

    Parameters
    ----------
    study : the study.
    """
    last = study.scenario.campaign.horizon_weeks - 1
    header = (
        "strategy", "what it is", "take part at funding end, %", "added, points",
        *(f"added among {in_words(group)}" for group in study.groups),
        "added to the gap", f"take part in week {last}, %", f"added in week {last}",
    )  # fmt: skip
    rows = []
    for arm in study.arms:
        changes = [
            study.row(arm, "participation_fe"),
            *(study.row(arm, "participation_fe", group) for group in study.groups),
            study.row(arm, "gap_fe"),
        ]
        end = study.row(arm, "participation_end")
        rows.append(
            (
                in_words(arm),
                "" if arm == NONE else study.scenario.arms[arm].description,
                with_interval(study.row(arm, "participation_fe")),
                *(_added(arm, change) for change in changes),
                with_interval(end),
                _added(arm, end),
            )
        )
    return PlainTable("What the strategies do", "", header, tuple(rows))


def write_page(folder: Path, *, tell: Callable[[str], object] | None = None) -> Path:
    """Run every shipped scenario but the limits, and write the page with its figures.

    Parameters
    ----------
    folder : where scenarios.md and figures/scenario_NAME.svg go.
    tell : called with a line of progress.

    Returns
    -------
    Path : the page.
    """
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)

    def drawn() -> Iterator[Study]:
        for study in _studies(tell):
            (figures / f"scenario_{study.scenario.name}.svg").write_bytes(scenario_figure(study))
            yield study

    page = folder / "scenarios.md"
    page.write_text(scenario_page(drawn()), encoding="utf-8", newline="\n")
    return page


def _studies(tell: Callable[[str], object] | None) -> Iterator[Study]:
    """Run every shipped scenario but the limits, one after the other."""
    from mobsim.analysis.study import compare
    from mobsim.scenario.catalogue import shipped_scenarios
    from mobsim.scenario.file import load_scenario

    for name in shipped_scenarios():
        if not name.startswith(LIMITS):
            if tell is not None:
                tell(f"running {name}")
            yield compare(load_scenario(name))


def _overview(study: Study) -> tuple[str, ...]:
    """One line of the table at the top."""
    name = study.scenario.name
    return (
        f"[`{name}`](#{name})",
        study.scenario.title,
        ", ".join(in_words(arm) for arm in study.verdict.possible),
        f"{sum(check.met for check in study.checks)} of {len(study.checks)}",
        "" if study.drift is None else "yes" if study.drift.at_rest else "NO",
        f"{study.comparison.communities} × {study.comparison.luck}",
    )


def _section(study: Study) -> str:
    """Write one scenario: question, results, verdict, facts, cautions, sources, numbers."""
    scenario = study.scenario
    name = scenario.name
    checks = checks_table(study)
    parts = [
        f"## {name}\n\n**{scenario.title}.** {scenario.description.strip()}\n",
        f"Issue: {scenario.issue}.\n" if scenario.issue else "",
        f"{words.size_of(study)}; a resident is a {scenario.unit}; "
        f"{scenario.campaign.budget_per_resident:g} {scenario.campaign.currency} a resident; "
        f"funded until week {study.funding_end}.\n",
        f"![Participation over time by strategy](figures/scenario_{name}.svg)\n",
        _markdown(results_table(study)),
        f"**Verdict**: {study.verdict.headline}.\n",
        _bullets(study.verdict.warnings),
        f"**{checks.title}**: {_met(study)}\n\n{_markdown(checks)}" if checks else "",
        f"**Without a campaign**: {study.drift.sentence}.\n" if study.drift else "",
        "**Before you use this**\n\n" + _bullets(words.cautions_of(study)),
        _markdown_titled(origins_table(scenario)),
        "**Sources**\n\n" + _bullets(scenario.sources) if scenario.sources else "",
    ]
    return "\n".join(part for part in parts if part)


def _met(study: Study) -> str:
    missed = sum(not check.met for check in study.checks)
    met = f"{len(study.checks) - missed} of {len(study.checks)} met"
    return f"{met}, {missed} NOT MET." if missed else f"{met}."


def _limits() -> str:
    from mobsim.scenario.catalogue import shipped_scenarios, title_of

    rows = tuple(
        (f"`{name}`", title_of(path)) for name, path in shipped_scenarios().items() if name.startswith(LIMITS)
    )
    table = PlainTable("", "", ("name", "model"), rows)
    words_of_limits = "Each has its known answer as a check, which the tests run."
    return f"## Published models as special cases\n\n{words_of_limits}\n\n{_markdown(table)}"


def _added(arm: str, row: dict[str, Any] | None) -> str:
    return "" if arm == NONE else with_interval(row, "against_none")


def _reason(source: str | None, words_after: str) -> str:
    """Join the source inside a tag, as in [V: register], with the words after it."""
    return f"({source}) {words_after}".strip() if source else words_after


def _block(path: str) -> str:
    """Return the part of a scenario that a number belongs to: numbers of different parts share no row."""
    parts = _names(path)
    return parts[0] if parts[0] in ("arms", "goals") else ".".join(parts[:2])


def _numbers(paths: list[str], scenario: Scenario) -> str:
    """Name numbers of one tag: one by one with their values where they are few, else by what holds them."""
    place = _place(paths)
    if len(paths) > SHOWN_AS_NUMBERS or place.startswith(("arms", "goals", "community.organizations")):
        return f"`{place}`"
    values = (f"{path.removeprefix(place).lstrip('.')} {_value(scenario, path)}".strip() for path in paths)
    return f"`{place}`: {', '.join(values)}"


def _place(paths: list[str]) -> str:
    """Return what all paths begin with, in whole names without places in lists."""
    shared = _names(paths[0])
    for path in paths[1:]:
        names = _names(path)
        while names[: len(shared)] != shared:
            shared = shared[:-1]
    return ".".join(shared)


def _names(path: str) -> list[str]:
    """Split a path into names, up to the first place in a list: `goals[0].by_week` gives goals."""
    before, bracket, _ = path.partition("[")
    names = before.split(".")
    return names[:-1] if bracket and names[-1] == "activities" else names


def _value(scenario: Scenario, path: str) -> str:
    found: Any = scenario
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, (list, tuple)):
            found = found[int(part)]
        else:
            found = getattr(found, part, None)
    return f"{found:g}" if isinstance(found, (int, float)) else str(found)


def _markdown_titled(table: PlainTable) -> str:
    return f"**{table.title}**\n\n{_markdown(table)}"


def _markdown(table: PlainTable) -> str:
    lines = [_line(table.header), _line(["---"] * len(table.header)), *(_line(row) for row in table.rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _bullets(sentences: Iterable[str]) -> str:
    return "".join(f"* {' '.join(sentence.split())}\n" for sentence in sentences)


if __name__ == "__main__":
    import sys

    place = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    page = write_page(place, tell=lambda line: sys.stderr.write(line + "\n"))
    sys.stdout.write(f"{page}\n")
