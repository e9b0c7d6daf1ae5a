"""`mobsim new`: a scenario file to start from."""

from __future__ import annotations

from typing import Annotated

import typer


def new(
    name: Annotated[str, typer.Argument(help="Name of the new scenario, or of its file.")],
    template: Annotated[
        str,
        typer.Option(
            "--from", help="Scenario to start from: starter, or a name that `mobsim scenarios` lists."
        ),
    ] = "starter",
) -> None:
    """Write a commented scenario file that is right as it stands; a file that is there is never touched.

    \b
    mobsim new my_village
    mobsim new my_village --from vaccination_district
    mobsim check my_village.yaml
    """  # noqa: D301
    from mobsim.scenario.template import write_new

    path = write_new(name, template)
    typer.echo(f"{path} written; next: mobsim check {path}, then mobsim compare {path}")
