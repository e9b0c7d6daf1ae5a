"""`mobsim scenarios`: which scenarios come with mobsim."""

from __future__ import annotations

from typing import Annotated

import typer


def scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the scenarios that come with mobsim; their names stand for their files in every command.

    \b
    mobsim scenarios
    mobsim compare four_villages_a_information
    mobsim check limits/bass
    """  # noqa: D301
    from mobsim.scenario.catalogue import shipped_scenarios, title_of

    rows = [(name, title_of(path)) for name, path in shipped_scenarios().items()]
    if as_json:
        import json

        typer.echo(
            json.dumps([{"name": name, "title": title} for name, title in rows], indent=2, ensure_ascii=False)
        )
        return
    width = max((len(name) for name, _ in rows), default=0)
    for name, title in rows:
        typer.echo(f"{name:<{width}}  {title}")
