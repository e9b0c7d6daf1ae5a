"""`mobsim check`: is a scenario file right, and how much will it run?"""

from __future__ import annotations

from typing import Annotated, Any

import typer


def check(
    files: Annotated[
        list[str], typer.Argument(help="Scenario files, or names of scenarios that come with mobsim.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    baseline: Annotated[
        bool,
        typer.Option(
            "--baseline", help="Also simulate a few communities without a campaign: are they at rest?"
        ),
    ] = False,
) -> int:
    """Check scenario files before anything runs; every fault is told with its line.

    \b
    mobsim check my_village.yaml
    mobsim check scenarios/*.yaml
    mobsim check vaccination_district --json
    mobsim check my_village.yaml --baseline
    """  # noqa: D301
    results = [_checked(file) for file in files]
    if baseline:
        results = [_with_baseline(result) if result["ok"] else result for result in results]
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


def _with_baseline(result: dict[str, Any]) -> dict[str, Any]:
    """Add what the community does without a campaign; drift is a warning, not a fault."""
    from mobsim.scenario.file import load_scenario

    scenario = load_scenario(result["file"])
    if scenario.preset == "bare":
        told = "preset bare has no state of rest: the baseline was not measured"
        return {**result, "warnings": [*result["warnings"], f"{result['file']}: {told}"]}

    from dataclasses import asdict

    from mobsim.analysis.baseline import COMMUNITIES, LUCK, measure_baseline
    from mobsim.cli.progress import reporter
    from mobsim.engine.first_use import prepare

    with reporter(quiet=False) as tell:
        prepare(tell.step)
        tell.step(f"{result['file']}: {COMMUNITIES * LUCK} runs without a campaign")
        found = measure_baseline(scenario, progress=tell.runs)
    warnings = [f"{result['file']}: {sentence}" for sentence in found.warnings]
    numbers = asdict(found) | {"at_rest": found.drift.at_rest}
    return {**result, "warnings": [*result["warnings"], *warnings], "baseline": numbers}


def _print_baseline(found: dict[str, Any]) -> None:
    """Print levels by group and the drift with its interval."""
    from mobsim.cli.text import columns

    last = found["last_week"]
    header = (
        "% without a campaign",
        "taking part, week 0",
        f"in week {last}",
        "aware, week 0",
        f"in week {last}",
    )
    moments = ("participation_week0", "participation_end", "aware_week0", "aware_end")
    rows = [(level["group"], *(f"{100 * level[name]:.1f}" for name in moments)) for level in found["levels"]]
    typer.echo("\n" + columns(header, rows))
    typer.echo(f"{found['communities']} communities x {found['luck']} luck; drift to week {last} in points:")
    for words in ("participation", "awareness"):
        drift = found[words]
        typer.echo(
            f"  {words} {100 * drift['estimate']:+.1f} "
            f"(95 % interval {100 * drift['low']:+.1f} to {100 * drift['high']:+.1f})"
        )
    typer.echo("at rest" if found["at_rest"] else "not at rest")


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
    if "baseline" in result:
        _print_baseline(result["baseline"])
