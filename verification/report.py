"""The report of the verification: a page and the same as Markdown, made of what the cases found."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

HERE = Path(__file__).resolve().parent
COLUMNS = ("setting", "reference", "mobsim", "standard error", "tolerance", "met")


def missed(found: dict[str, Any]) -> int:
    """Return how many comparisons of a case were missed; a case that failed is one.

    Parameters
    ----------
    found : what `verification.run.run_case` returned.
    """
    return int("failed" in found) or sum(line[-1] is False for line in found["lines"])


def verdict(found: dict[str, Any]) -> str:
    """Say in words how a case went."""
    if "failed" in found:
        return f"failed: {found['failed']}"
    n = len(found["lines"])
    return f"{n} comparison{'s' * (n != 1)}, {missed(found) or 'none'} missed"


def kind_of(found: dict[str, Any]) -> str:
    """Say how the reference of a case was obtained, from its words."""
    words = found.get("status", "").lower()
    kinds = [kind for kind in ("verified", "secondary", "recalled", "computed") if kind in words]
    return ", ".join(kinds) or "stated there"


def in_all(results: Sequence[dict[str, Any]]) -> str:
    """Say how all cases went together.

    Parameters
    ----------
    results : what the cases found.
    """
    lines = [line for found in results for line in found.get("lines", [])]
    judged = sum(line[-1] is not None for line in lines)
    failed = sum("failed" in found for found in results)
    outside = sum(line[-1] is False for line in lines)
    return (
        f"{len(results)} cases, {judged:,} comparisons judged, {outside or 'none'} missed; "
        f"{len(lines) - judged:,} shown without a declared tolerance; "
        f"{failed or 'no'} case{'s' * (failed != 1)} could not be run"
    )


def took(found: dict[str, Any]) -> str:
    """Say how long a case took, and when."""
    return f"{found['seconds']:.0f} s, {found['processor']:.0f} s of a processor, {found['date']}"


def command_of(found: dict[str, Any]) -> str:
    """Return the command that repeats a case."""
    return f"python -m verification.run {found['name']}"


def _met(value: bool | None) -> str:
    return {True: "yes", False: "NO", None: "not judged"}[value]


def write(results: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write report.html, report.md and figures/ of all cases.

    Parameters
    ----------
    results : what the cases found. folder : where to write.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((HERE / "report.html.jinja").read_text("utf-8"))
    page = template.render(
        results=results,
        columns=COLUMNS,
        met=_met,
        missed=missed,
        verdict=verdict,
        kind_of=kind_of,
        command_of=command_of,
        in_all=in_all(results),
        took=took,
        made_with=made_with(),
        total=sum(found["seconds"] for found in results),
    )
    (folder / "report.html").write_text(page, "utf-8", newline="\n")
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for found in results:
        for name, svg in found.get("figures", {}).items():
            (figures / f"{found['name']}_{name}.svg").write_text(svg, "utf-8", newline="\n")
    (folder / "report.md").write_text("\n".join(_markdown(results)) + "\n", "utf-8", newline="\n")


def made_with() -> str:
    """Say which versions computed the report, and on what."""
    packages = ("mobsim", "numpy", "numba", "scipy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{versions}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    )


def _markdown(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "# Verification: published cases and exact laws at full size",
        "",
        "Written by `python -m verification.run`. References and tolerances "
        "are those of the cases' files; laws are "
        "computed. The same with figures inside: report.html.",
        "",
        f"{in_all(results)}. {sum(found['seconds'] for found in results):.0f} s of cases, one thread each; "
        f"report written with {made_with()}.",
        "",
        "| case | | reference | result | seconds |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {found['name']} | {found['title']} | {kind_of(found)} | "
        f"{verdict(found)} | {found['seconds']:.0f} |"
        for found in results
    ]
    for found in results:
        lines += ["", f"## {found['name']}: {found['title']}", ""]
        if "failed" in found:
            lines += [found["failed"]]
            continue
        lines += [
            found["setup"],
            "",
            f"Source: {found['source'] or 'none'}. Status of the reference: {found['status']}.",
        ]
        if found["scenarios"]:
            lines += [
                "",
                "Scenarios: " + ", ".join(f"`{name}`" for name in found["scenarios"][:12]) + _more(found),
            ]
        lines += ["", f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
        for *texts, met in found["lines"]:
            cells = [str(text).replace("|", "\\|") for text in texts]
            lines.append(f"| {' | '.join([*cells, _met(met).replace('NO', '**NO**')])} |")
        for name in found["figures"]:
            lines += ["", f"![{found['title']}](figures/{found['name']}_{name}.svg)"]
        lines += [part for note in found["notes"] for part in ("", note)]
        lines += ["", f"Again: `{command_of(found)}` ({took(found)})"]
    return lines


def _more(found: dict[str, Any]) -> str:
    more = len(found["scenarios"]) - 12
    return f" and {more} more" if more > 0 else ""
