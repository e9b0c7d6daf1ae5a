"""`mobsim check`: is a scenario file right, and how much will it run?"""

from __future__ import annotations

from typing import Annotated, Any

import typer


def check(
    files: Annotated[
        list[str], typer.Argument(help="Scenario files, or names of scenarios that come with mobsim.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> int:
    r"""Check scenario files before anything runs; every fault is told with its line.

    \b
    mobsim check my_village.yaml
    mobsim check scenarios/*.yaml
    mobsim check vaccination_district --json
    """
    results = [_checked(file) for file in files]
    if as_json:
        import json

        typer.echo(json.dumps(results, indent=2, ensure_ascii=False))
    else:
        for result in results:
            _print(result)
    return 0 if all(result["ok"] for result in results) else 2


def _checked(file: str) -> dict[str, Any]:
    from mobsim.errors import ScenarioError
    from mobsim.scenario.file import read_scenario
    from mobsim.scenario.warn import warnings_of

    try:
        scenario, document = read_scenario(file)
    except ScenarioError as error:
        return {
            "file": file,
            "ok": False,
            "faults": list(getattr(error, "sentences", (str(error),))),
            "warnings": [],
        }
    arms, replicates = len(scenario.arms), scenario.replicates
    runs = arms * replicates.communities * replicates.luck
    facts: dict[str, Any] = {
        "residents": scenario.community.residents,
        "network": scenario.community.network.kind,
        "arms": list(scenario.arms),
        "communities": replicates.communities,
        "luck": replicates.luck,
        "lanes": arms * replicates.luck,
        "runs": runs,
        "weeks": scenario.campaign.burn_in_weeks + scenario.campaign.horizon_weeks,
    }
    return {
        "file": file,
        "ok": True,
        "faults": [],
        "warnings": list(warnings_of(scenario, document)),
        **facts,
    }


def _print(result: dict[str, Any]) -> None:
    for sentence in result["faults"]:
        typer.echo(sentence, err=True)
    for sentence in result["warnings"]:
        typer.echo(f"{sentence} (a warning)", err=True)
    if result["ok"]:
        typer.echo(
            f"{result['file']}: ok; {result['residents']:,} residents ({result['network']}), "
            f"{len(result['arms'])} arms "
            f"({', '.join(result['arms'])}), {result['communities']} communities x {result['luck']} "
            f"luck = {result['lanes']} "
            f"lanes a community, {result['runs']:,} runs of {result['weeks']} weeks"
        )
