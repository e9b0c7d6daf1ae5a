"""A small scenario and made-up tables of its runs, for tests that need results but no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mobsim.analysis.study import Study, study_of
from mobsim.campaign.activity import ArmSpec, shipped_activities
from mobsim.scenario.scenario import Scenario

GROUPS = {"majority": 0.8, "hill_people": 0.2}
ARMS = {"none": 0.06, "outreach": 0.16, "training": 0.13, "advocacy": 0.09}
WEEKS = 130


@dataclass(frozen=True)
class FakeTables:
    """Stands where the engine's records would stand."""

    run_table: pd.DataFrame
    week_table: pd.DataFrame
    activity_table: pd.DataFrame
    organization_table: pd.DataFrame
    domain_table: pd.DataFrame
    survey_table: pd.DataFrame

    def runs(self) -> pd.DataFrame:
        return self.run_table

    def weeks(self) -> pd.DataFrame:
        return self.week_table

    def activities(self) -> pd.DataFrame:
        return self.activity_table

    def organizations(self) -> pd.DataFrame:
        return self.organization_table

    def domains(self) -> pd.DataFrame:
        return self.domain_table

    def surveys(self) -> pd.DataFrame:
        return self.survey_table


def fake_scenario(**changes: Any) -> Scenario:
    uses = {
        "outreach": [("visit", 0.6), ("meeting", 0.4)],
        "training": [("skills", 0.7), ("leader", 0.3)],
        "advocacy": [("lobby", 0.7), ("media", 0.3)],
    }
    asks: dict[str, Any] = {"policy": "reasons", "survey": {"respondents": 100}}
    data: dict[str, Any] = {
        "name": "village_drive",
        "title": "A drive <b>& more</b>",
        "description": "Which strategy reaches more people? {{ 7 * 7 }}",
        "sources": ("https://doi.org/10.0000/example",),
        "cautions": ("Numbers are made up <script>alert(1)</script>.",),
        "community": {
            "residents": 1000,
            "groups": {
                "majority": {"share": 0.8},
                "hill_people": {"share": 0.2, "marginalized": True, "barrier": 0.2},
            },
            "organizations": (
                {"name": "lead", "type": "ngo", "lead": True, "influence": 0.2, "interest": 0.8},
                {"name": "district_office", "type": "government", "influence": 0.5, "interest": -0.1},
            ),
        },
        "activities": {name: spec.model_dump() for name, spec in shipped_activities().items()},
        "arms": {"none": ArmSpec(activities=())}
        | {
            arm: ArmSpec.model_validate(
                {"activities": tuple({"kind": kind, "share": share} for kind, share in lines)}
                | (asks if arm == "outreach" else {})
            )
            for arm, lines in uses.items()
        },
        "goals": ({"name": "fifteen", "at_least": 0.15, "by_week": 77},),
        "replicates": {"communities": 8, "luck": 2},
        "check": (
            {
                "fact": "outreach beats training",
                "arm": "outreach",
                "against": "training",
                "at_least": 0.0,
                "source": "[V] example",
            },
            {"fact": "nobody moves", "arm": "outreach", "at_most": 0.01, "source": "[A]"},
        ),
    }
    return Scenario.model_validate(data | changes)


def fake_tables(communities: int = 8, luck: int = 2) -> FakeTables:
    random = np.random.default_rng(7)
    pairs = [(c, k) for c in range(communities) for k in range(luck)]
    shift = {pair: float(random.normal(0, 0.01)) for pair in pairs}
    runs = [(arm, *pair, fake_weeks(arm, *pair, shift[pair])) for arm in ARMS for pair in pairs]
    return FakeTables(
        pd.DataFrame([fake_outcomes(*run) for run in runs]),
        pd.concat([weeks for *_, weeks in runs], ignore_index=True),
        fake_activities(),
        fake_organizations(),
        fake_domains(),
        pd.DataFrame([fake_survey(*pair, week) for pair in pairs for week in (0, 13, 26, 39, 52, 65)]),
    )


def fake_weeks(arm: str, community: int, luck: int, shift: float) -> pd.DataFrame:
    week = np.arange(WEEKS)
    after = np.where(week < 78, 1, 0.99 ** (week - 78))
    rise = (ARMS[arm] - 0.06) * np.clip((week - 6) / 72, 0, 1) * after
    participation = np.round(1000 * (0.06 + shift / 2 + rise * (1 + 5 * shift))) / 1000
    aware = np.round(1000 * (0.3 + 2 * rise)) / 1000
    funded = (week >= 6) & (week < 78) & (arm != "none")
    contacted = np.clip(week / 200, 0, 0.4) * (arm != "none")
    table = {"arm": arm, "community": community, "luck": luck, "week": week}
    table |= {"aware": aware, "aware__majority": aware, "aware__hill_people": aware * 0.6}
    table |= {"participation": participation, "participation__majority": participation * 1.05}
    table |= {"participation__hill_people": participation * 0.8, "contacted": contacted}
    table |= {"organizers": 0.01, "organizers__majority": 0.01, "organizers__hill_people": 0.005}
    table |= {"results": 0.02, "wins": 0, "coalition": 0.3, "supportive": 0.2, "opposed": 0.1}
    table |= {"contacts_by_organizers": 10, "spent": np.where(funded, 10_000 / 72, 0.0)}
    table |= {"spent_local": 0.0, "local_income": 0.0}
    return pd.DataFrame(table)


def fake_outcomes(arm: str, community: int, luck: int, weeks: pd.DataFrame) -> dict[str, Any]:
    participation, aware = weeks["participation"].to_numpy(), weeks["aware"].to_numpy()
    row: dict[str, Any] = {"arm": arm, "community": community, "luck": luck}
    for moment, w in (("week0", 0), ("fe", 77), ("end", 129)):
        row[f"participation_{moment}"] = participation[w]
        row[f"aware_{moment}"] = aware[w]
        for group, factor in (("majority", 1.05), ("hill_people", 0.8)):
            row[f"participation_{moment}__{group}"] = participation[w] * factor
            row[f"aware_{moment}__{group}"] = aware[w] * factor
        row[f"gap_{moment}"] = participation[w] * 0.25
    row |= {"parity_fe": 0.76, "parity_end": 0.76, "reach": weeks["contacted"].iloc[-1]}
    row |= {f"reach__{group}": row["reach"] for group in GROUPS}
    row |= {"spillover_share": 0.3, "cost": weeks["spent"].sum(), "unspent": 0.0}
    row |= {"cost_external": row["cost"], "cost_local": 40.0, "local_income": 50.0}
    row |= {"self_reliance_funded": 0.1, "self_reliance_sustained": 1.0, "contacts_by_organizers": 1300}
    row |= {"persistence_ratio": participation[129] / participation[77]}
    row |= {"kept_participants": 0.5, "never_left": 0.3}
    row |= {"organizers_kept": 0.6 if community else np.nan, "leadership_fe": 0.01 if community else 0.0}
    row["goal_estimate_met__fifteen"] = float(community % 2) if arm == "outreach" else np.nan
    for moment in ("fe", "end"):
        row |= {f"concern_{moment}": 0.1, f"cohesion_{moment}": 0.47, f"coalition_{moment}": 0.3}
        row |= {f"supportive_{moment}": 0.2, f"opposed_{moment}": 0.1}
    row |= {"time_to_goal__fifteen": 70.0 if arm == "outreach" else np.nan}
    row |= {"goal_met__fifteen": float(arm == "outreach"), "volunteer_hours": participation.sum() * 1000}
    row |= {"empowerment_fe": 0.1, "empowerment_end": 0.1, "results_end": 0.02, "wins_fe": 0}
    seats = {f"voice_share__{group}": share for group, share in GROUPS.items()}
    return row | {name: share if arm == "outreach" else np.nan for name, share in seats.items()}


def fake_activities() -> pd.DataFrame:
    lines = [
        ("outreach", "visit", "outreach", 0.6),
        ("outreach", "meeting", "outreach", 0.4),
        ("training", "skills", "training", 0.7),
        ("training", "leader", "training", 0.3),
        ("advocacy", "lobby", "advocacy", 0.7),
        ("advocacy", "media", "outreach", 0.3),
    ]
    rows = [
        {"arm": arm, "activity": activity, "family": family, "week": week, "units": 10.0}
        | {
            "spent": 10_000 / 72 * share,
            "reached": 8.0,
            "reached__majority": 7.0,
            "reached__hill_people": 1.0,
        }
        for arm, activity, family, share in lines
        for week in range(6, 78)
    ]
    return pd.DataFrame(rows)


def fake_organizations() -> pd.DataFrame:
    rows = []
    for arm in ARMS:
        for week in [*range(0, WEEKS, 4), 77, 129]:
            courted = 0.4 * min(week, 77) / 77 if arm == "advocacy" else 0.0
            rows.append((arm, "lead", "ngo", week, 0.2, 0.8, 1.0, "keep informed"))
            quadrant = "manage closely" if courted > 0.1 else "keep satisfied"
            rows.append(
                (arm, "district_office", "government", week, 0.5, courted - 0.1, courted / 2, quadrant)
            )
    names = ["arm", "organization", "type", "week", "influence", "interest", "in_coalition", "quadrant"]
    table = pd.DataFrame(rows, columns=names).assign(capacity=0.5, resources=1000.0)
    return table.sort_values(["arm", "organization", "week"], ignore_index=True)


def fake_domains() -> pd.DataFrame:
    rows = [
        {"arm": arm, "week": week, "shared_concern": 0.1, "consciousness": 0.4, "organizations": 0.3}
        | {"leadership": 0.01, "collective_action": level, "cohesion": 0.47}
        for arm, level in ARMS.items()
        for week in [*range(0, WEEKS, 4), 77, 129]
    ]
    return pd.DataFrame(rows).sort_values(["arm", "week"], ignore_index=True)


def fake_survey(community: int, luck: int, week: int) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": "outreach", "community": community, "luck": luck, "week": week}
    row |= {"respondents": 100, "misreport": 0.2, "price": 200.0}
    for name, level in (("participation", 0.06 + week / 1000), ("aware", 0.3)):
        for ending in ("", "__majority", "__hill_people"):
            row[f"{name}_estimate{ending}"] = level + 0.01
            row[f"{name}_error{ending}"] = 0.05
            row[f"{name}_truth{ending}"] = level if week else np.nan
    causes = {"information": 40, "capability": 10, "barrier": 20, "trust": 10}
    row |= {f"cause__{cause}": number for cause, number in causes.items()}
    return row | {"share__visit": 0.6 - week / 650, "share__meeting": 0.4 + week / 650, "group_chosen": None}


@pytest.fixture(scope="session")
def tables() -> FakeTables:
    return fake_tables()


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return fake_scenario()


@pytest.fixture(scope="session")
def study(scenario: Scenario, tables: FakeTables) -> Study:
    return study_of(scenario, tables)
