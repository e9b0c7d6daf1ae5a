"""`mobsim schema`: the JSON Schema of scenario files, for editors."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of scenario files, with which an editor completes and checks while one types.

    \b
    mobsim schema > scenario.schema.json
    # and as the first line of a scenario:
    # yaml-language-server: $schema=scenario.schema.json
    """  # noqa: D301
    import json

    from mobsim.scenario.dump import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
