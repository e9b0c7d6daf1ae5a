"""`mobsim run`: one strategy in one community with one stream of luck, week by week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from mobsim.scenario.scenario import Scenario


def run(
    scenario: Annotated[
        str, typer.Argument(metavar="FILE", help="A scenario file, or the name of a shipped scenario.")
    ],
    arm: Annotated[str, typer.Option(help="The strategy, or none.")],
    community: Annotated[int, typer.Option(min=0, help="Number of the community.")] = 0,
    luck: Annotated[int, typer.Option(min=0, help="Number of the stream of luck.")] = 0,
    every: Annotated[int, typer.Option(min=1, help="Weeks between the lines of the table.")] = 4,
    csv: Annotated[bool, typer.Option("--csv", help="Print every week as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every week as JSON.")] = False,
) -> None:
    """Show the weeks of one strategy in one community.

    \b
    mobsim run vaccination_district --arm mixed
    mobsim run my_village.yaml --arm none --luck 3 --csv > weeks.csv
    """  # noqa: D301
    from mobsim.errors import UsageError, nearest
    from mobsim.report.tables import csv_of
    from mobsim.scenario.file import load_scenario

    if csv and json:
        raise UsageError("run: found --csv and --json; only one of them is allowed")
    resolved = load_scenario(scenario)
    if arm not in resolved.arms:
        allowed = ", ".join(resolved.arms)
        raise UsageError(f"arm: found {arm!r}; allowed are {allowed}{nearest(arm, resolved.arms)}")
    weeks, outcomes = one_run(resolved, arm, community, luck)
    if csv:
        typer.echo(csv_of(weeks).decode(), nl=False)
    elif json:
        typer.echo(as_json(weeks, outcomes))
    else:
        typer.echo(as_text(resolved, weeks, arm, every))


def one_run(scenario: Scenario, arm: str, community: int, luck: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate one run and return its weeks and its outcomes (one row).

    Parameters
    ----------
    scenario, arm, community, luck : which run.
    """
    from mobsim.engine.run import simulate

    records = simulate(scenario, arms=(arm,), communities=[community], luck=[luck])
    return records.weeks(), records.runs()


def as_text(scenario: Scenario, weeks: pd.DataFrame, arm: str, every: int) -> str:
    """Return a table of some weeks: each `every` weeks, funding end, and the last.

    Parameters
    ----------
    scenario : the scenario.
    weeks : one row a week.
    arm : the strategy.
    every : weeks between lines.
    """
    from mobsim.analysis.verdict import in_words
    from mobsim.cli.text import columns
    from mobsim.report.cells import percent

    last = scenario.campaign.horizon_weeks - 1
    end = min(scenario.campaign.funding_ends_week - 1, last)
    shown = weeks[(weeks["week"] % every == 0) | weeks["week"].isin((end, last))]
    groups = list(scenario.community.groups)
    header = ("week", "aware", "takes part", *(f"of {group}" for group in groups), "organizers", "contacted",
              "coalition", "results", "policy wins", f"spent, {scenario.campaign.currency}")  # fmt: skip
    spent = weeks["spent"].cumsum()
    rows = [
        (
            f"{week['week']}{' funding ends' if week['week'] == end else ''}",
            percent(week["aware"]),
            percent(week["participation"]),
            *(percent(week[f"participation__{group}"]) for group in groups),
            percent(week["organizers"]),
            percent(week["contacted"]),
            percent(week["coalition"]),
            f"{week['results']:.3f}",
            f"{week['wins']:.0f}",
            f"{spent[index]:,.0f}",
        )
        for index, week in zip(shown.index, shown.to_dict("records"), strict=True)
    ]
    title = f"{scenario.title}: {in_words(arm)}, one run of many; shares in %, money since week 0"
    return f"{title}\n\n{columns(header, rows)}"


def as_json(weeks: pd.DataFrame, outcomes: pd.DataFrame) -> str:
    """Return the weeks and the outcomes of a run as JSON; what does not exist is null.

    Parameters
    ----------
    weeks : one row a week.
    outcomes : one row.
    """
    import json

    from mobsim.cli.compare import without_nan

    data = {"outcomes": outcomes.to_dict("records")[0], "weeks": weeks.to_dict("records")}
    return json.dumps(without_nan(data), indent=1, ensure_ascii=False, allow_nan=False)
