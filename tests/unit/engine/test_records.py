"""Tables and outcomes from arrays made by hand, with every number worked out beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.builders import tiny_scenario

from mobsim.engine.block_records import JOINED, BlockRecords, is_nothing, mean_weeks, nothing
from mobsim.engine.outcomes import data_dictionary
from mobsim.engine.records import Records, Run
from mobsim.engine.run import join_records
from mobsim.engine.survey import SurveyResult
from mobsim.scenario.scenario import Scenario

pytestmark = pytest.mark.quick

SIZES = np.array([30, 10])
FE, END = 4, 7
WEEKS = END + 1
ARMS: dict[str, Any] = {
    "asking": {
        "policy": "reasons",
        "survey": {"respondents": 20},
        "activities": [{"kind": "visit", "share": 3.0}, {"kind": "meeting", "share": 1.0}],
    }
}
GOALS = (
    {"name": "third", "at_least": 0.3, "by_week": 4},
    {"name": "few", "group": "minority", "at_least": 0.4, "by_week": 7},
    {"name": "fair", "indicator": "gap", "at_most": 0.0, "by_week": 4},
    {"name": "known", "indicator": "awareness", "at_least": 0.5, "by_week": 0},
)


def scenario(**changes: Any) -> Scenario:
    campaign = {"funding_starts_week": 1, "funding_ends_week": FE + 1, "horizon_weeks": WEEKS}
    return tiny_scenario(**({"arms": ARMS, "goals": GOALS, "campaign": campaign} | changes))


def survey(lane: int, week: int, **changes: Any) -> SurveyResult:
    """Twenty respondents, all of the truth: 10 of 15 and 1 of 5 take part, 15 and 0 are aware."""
    given: dict[str, Any] = {
        "lane": lane,
        "week": week,
        "respondents": 20,
        "misreport": 0.0,
        "price_cents": 4000,
        "asked": np.array([15, 5]),
        "aware_yes": np.array([15, 0]),
        "participating_yes": np.array([10, 1]),
        "causes": (4, 3, 2, 0),
        "named": (2, 1),
        "shares": (0.5, 0.5),
        "group_chosen": None,
    }
    return SurveyResult(**(given | changes))


def block(world: Scenario, lanes: tuple[Run, ...], **changes: Any) -> BlockRecords:
    """Empty records with the right shapes, and what differs."""
    n, means, k = len(lanes), len(mean_weeks(world)), len(world.community.organizations)
    zeros: dict[str, Any] = {
        "group_sizes": np.tile(SIZES, (n, 1)),
        "leaders": np.full(n, 4),
        "counts": np.zeros((n, WEEKS, 2, 5), np.int64),
        "results": np.zeros((n, WEEKS)),
        "wins": np.zeros((n, WEEKS), np.int64),
        "coalition": np.zeros((n, WEEKS)),
        "stances": np.zeros((n, WEEKS, 2), np.int64),
        "contacts": np.zeros((n, WEEKS), np.int64),
        "income": np.zeros((n, WEEKS), np.int64),
        "units": np.zeros((n, WEEKS, 3), np.int64),
        "cents": np.zeros((n, WEEKS, 3), np.int64),
        "local": np.zeros((n, WEEKS, 3), np.int64),
        "reached": np.zeros((n, WEEKS, 3, 2), np.int64),
        "sums": np.zeros((n, means, 2, 6), np.int64),
        "at_funding_end": np.zeros((n, 3), np.int64),
        "organizers_at_funding_end": np.zeros((n, 2), np.int64),
        "unspent_cents": np.zeros(n, np.int64),
        "local_left_cents": np.zeros(n, np.int64),
    }
    zeros |= {name: np.zeros((n, means, k)) for name in ("interest", "capacity", "member", "resources")}
    return BlockRecords(**({"lanes": lanes, "surveys_asked": ()} | zeros | changes))


def one_run(world: Scenario | None = None, **changes: Any) -> Records:
    world = world or scenario()
    return join_records(world, [block(world, (Run("asking", 0, 0),), **changes)], ["asking"])


def outcome(records: Records, name: str) -> float:
    return float(records.runs()[name].iloc[0])


def with_entries(shape: tuple[int, ...], **entries: Any) -> np.ndarray:
    array = np.zeros(shape, np.int64)
    for place, value in entries["entries"].items():
        array[place] = value
    return array


def test_organizers_kept_are_those_who_never_stopped() -> None:
    assert outcome(one_run(organizers_at_funding_end=np.array([[8, 6]])), "organizers_kept") == 0.75
    assert np.isnan(outcome(one_run(), "organizers_kept"))


def test_leadership_is_the_share_that_organizes() -> None:
    counts = with_entries((1, WEEKS, 2, 5), entries={(0, FE, 0, 4): 6, (0, FE, 1, 4): 1, (0, END, 1, 4): 2})
    records = one_run(counts=counts)
    assert outcome(records, "leadership_fe") == 7 / 40
    assert outcome(records, "leadership_fe__majority") == 6 / 30
    assert outcome(records, "leadership_end__minority") == 2 / 10
    assert records.weeks()["organizers"].tolist() == [0, 0, 0, 0, 7 / 40, 0, 0, 2 / 40]


def test_unpaid_hours_are_one_for_taking_part_and_four_more_for_organizing() -> None:
    counts = with_entries((1, WEEKS, 2, 5), entries={(0, 2, 0, 1): 10, (0, 3, 1, 1): 5, (0, 3, 1, 4): 2})
    records = one_run(counts=counts, contacts=np.arange(WEEKS)[None])
    assert outcome(records, "volunteer_hours") == 10 + 5 + 4 * 2
    assert outcome(records, "contacts_by_organizers") == 28


def test_money_up_to_funding_end_and_in_the_whole_run() -> None:
    cents = with_entries((1, WEEKS, 3), entries={(0, 0, 2): 4000, (0, 2, 0): 1000, (0, FE, 1): 500})
    local = with_entries((1, WEEKS, 3), entries={(0, FE, 0): 250, (0, END, 0): 750})
    income = with_entries((1, WEEKS), entries={(0, 3): 1100})
    records = one_run(cents=cents, local=local, income=income, unspent_cents=np.array([70]))
    row = records.runs().iloc[0]
    assert (row["cost"], row["cost_external"], row["cost_local"]) == (57.5, 55.0, 10.0)
    assert (row["local_income"], row["unspent"]) == (11.0, 0.7)
    weeks = records.weeks()
    assert weeks["spent"].tolist() == [40, 0, 10, 0, 7.5, 0, 0, 7.5]
    assert weeks["spent_local"].tolist() == [0, 0, 0, 0, 2.5, 0, 0, 7.5]
    assert weeks["local_income"].sum() == 11.0
    spent = records.activities().groupby("activity")[["spent", "spent_local"]].sum()
    assert spent.loc["visit"].tolist() == [20.0, 10.0]
    assert spent.loc["survey"].tolist() == [40.0, 0.0]
    assert set(records.activities()["family"]) == {"outreach", "support"}


def test_self_reliance_counts_contacts_as_visits_and_parts_the_two_windows() -> None:
    world = scenario(activities={"visit": {"cost": 2.0}})
    cents = with_entries((1, WEEKS, 3), entries={(0, 2, 0): 600})
    local = with_entries((1, WEEKS, 3), entries={(0, 3, 0): 100, (0, END, 0): 100})
    contacts = with_entries((1, WEEKS), entries={(0, FE): 1, (0, FE + 1): 3})
    records = one_run(world, cents=cents, local=local, contacts=contacts)
    assert outcome(records, "self_reliance_funded") == (200 + 100) / (200 + 100 + 600)
    assert outcome(records, "self_reliance_sustained") == 1.0
    assert np.isnan(outcome(one_run(), "self_reliance_funded"))


def test_the_shipped_visit_prices_contacts_where_a_scenario_has_none() -> None:
    arms = {"asking": {"activities": [{"kind": "meeting", "share": 1.0}]}}
    world = scenario(arms=arms)
    world = world.model_copy(update={"activities": {"meeting": world.activities["meeting"]}})
    cents = with_entries((1, WEEKS, 3), entries={(0, 2, 0): 300})
    records = one_run(world, cents=cents, contacts=with_entries((1, WEEKS), entries={(0, 1): 1}))
    assert outcome(records, "self_reliance_funded") == 0.25


def test_coalition_stances_concern_and_trust() -> None:
    coalition = np.linspace(0, 0.7, WEEKS)[None]
    stances = with_entries((1, WEEKS, 2), entries={(0, FE, 0): 3, (0, FE, 1): 1, (0, END, 0): 2})
    world = scenario()
    at_fe = mean_weeks(world).index(FE)
    sums = np.zeros((1, len(mean_weeks(world)), 2, 6), np.int64)
    sums[0, at_fe, :, 3] = [15 * 2**32, 2 * 2**32]
    sums[0, at_fe, :, 5] = [4 * 2**32, 0]
    records = one_run(coalition=coalition, stances=stances, sums=sums)
    row = records.runs().iloc[0]
    assert row["coalition_fe"] == pytest.approx(0.4)
    assert (row["supportive_fe"], row["opposed_fe"], row["supportive_end"]) == (0.75, 0.25, 0.5)
    assert (row["cohesion_fe"], row["concern_fe"]) == (17 / 40, 4 / 40)
    assert (row["trust_fe__majority"], row["trust_fe__minority"]) == (0.5, 0.2)
    nobody = one_run(leaders=np.array([0])).runs().iloc[0]
    assert np.isnan(nobody["supportive_fe"])
    assert np.isnan(nobody["opposed_end"])


def test_goals_are_scored_on_the_last_survey_up_to_their_week() -> None:
    weak = survey(0, 0, participating_yes=np.array([2, 0]))
    strong = survey(0, 4)  # 11 of 20; minority 1 of 5; gap 10/15 - 1/5
    late = survey(0, 6, participating_yes=np.array([0, 5]))
    row = one_run(surveys_asked=(weak, strong, late)).runs().iloc[0]
    assert row["goal_estimate_met__third"] == 1
    assert row["goal_estimate_met__few"] == 1  # the late one
    assert row["goal_estimate_met__fair"] == 0
    assert row["goal_estimate_met__known"] == 1
    assert row["goal_met__third"] == 0
    unasked = one_run().runs().iloc[0]
    assert np.isnan(unasked["goal_estimate_met__third"])


def test_estimates_correct_for_false_answers_before_a_goal_is_scored() -> None:
    # 8 of 20 say that they take part; with a fifth of false answers that is (0.4 - 0.2) / 0.6 = a third
    asked = survey(0, 4, misreport=0.2, participating_yes=np.array([6, 2]))
    records = one_run(surveys_asked=(asked,))
    assert outcome(records, "goal_estimate_met__third") == 1
    assert records.surveys()["participation_estimate"].iloc[0] == pytest.approx(1 / 3)


def test_causes_named_at_meetings_score_no_goal() -> None:
    nobody = np.zeros(2, np.int64)
    heard = survey(
        0, 4, respondents=0, price_cents=0, asked=nobody, aware_yes=nobody, participating_yes=nobody
    )
    records = one_run(surveys_asked=(heard,))
    assert np.isnan(outcome(records, "goal_estimate_met__third"))
    assert np.isnan(records.surveys()["aware_estimate"].iloc[0])
    assert records.surveys()["cause__information"].iloc[0] == 4


def test_the_table_of_surveys_shows_the_truth_of_the_week_before() -> None:
    counts = with_entries(
        (1, WEEKS, 2, 5), entries={(0, 3, 0, 1): 12, (0, 3, 1, 1): 4, (0, 3, 0, 0): 30, (0, 4, 0, 1): 1}
    )
    asked = (survey(0, 0), survey(0, 4, group_chosen=1))
    table = one_run(counts=counts, surveys_asked=asked).surveys()
    assert np.isnan(table["participation_truth"].iloc[0])
    assert table["participation_truth"].iloc[1] == 16 / 40
    assert table["participation_truth__minority"].iloc[1] == 0.4
    assert table["aware_truth__majority"].iloc[1] == 1.0
    assert table["participation_estimate__minority"].iloc[1] == 0.2
    assert table["price"].tolist() == [40.0, 40.0]
    assert table["group_chosen"].isna().tolist() == [True, False]
    assert table["group_chosen"].iloc[1] == "minority"
    assert table[["share__visit", "share__meeting"]].iloc[0].tolist() == [0.5, 0.5]


def test_nobody_asks() -> None:
    table = one_run().surveys()
    assert len(table) == 0
    assert table.columns[0] == "arm"


def test_organizations_have_their_quadrants() -> None:
    world = scenario()
    means = len(mean_weeks(world))
    interest = np.tile([spec.interest for spec in world.community.organizations], (1, means, 1))
    interest[0, -1, 4] = 0.3  # government
    member = np.zeros_like(interest)
    member[..., 3] = 1.0
    resources = np.full_like(interest, 2550.0)
    table = one_run(interest=interest, member=member, resources=resources).organizations()
    assert len(table) == 7 * means
    first = table[table["week"] == 0].set_index("organization")
    assert first["quadrant"].to_dict() == {
        "cbo_1": "keep informed",
        "cbo_2": "keep informed",
        "cbo_3": "keep informed",
        "lead_ngo": "keep informed",
        "government": "keep satisfied",
        "private": "keep satisfied",
        "donor": "manage closely",
    }
    last = table[table["week"] == END].set_index("organization")
    assert last.loc["government", "quadrant"] == "manage closely"
    assert first.loc["lead_ngo", "in_coalition"] == 1
    assert set(table["resources"]) == {25.5}


def test_organizations_of_equal_influence_all_have_power() -> None:
    from mobsim.engine.organization_table import with_quadrants

    equal = pd.DataFrame({"arm": "none", "week": 0, "influence": [0.1] * 7, "interest": [-1.0] * 7})
    assert set(with_quadrants(equal)["quadrant"]) == {"keep satisfied"}


def test_the_six_domains() -> None:
    counts = with_entries((1, WEEKS, 2, 5), entries={(0, FE, 0, 0): 20, (0, FE, 0, 1): 10, (0, FE, 1, 4): 2})
    world = scenario()
    sums = np.zeros((1, len(mean_weeks(world)), 2, 6), np.int64)
    sums[0, mean_weeks(world).index(FE), 0, [3, 5]] = [20 * 2**32, 2 * 2**32]
    table = one_run(counts=counts, sums=sums, coalition=np.full((1, WEEKS), 0.2)).domains()
    assert table["week"].tolist() == list(mean_weeks(world))
    assert table[table["week"] == FE].iloc[0].tolist() == ["asking", FE, 0.05, 0.5, 0.2, 0.05, 0.25, 0.5]


def test_blocks_are_joined_in_order_and_padded() -> None:
    world = scenario()
    late = block(world, (Run("none", 1, 0), Run("asking", 1, 0)), surveys_asked=(survey(1, 4), survey(1, 0)))
    early = block(world, (Run("none", 0, 0), Run("asking", 0, 0)), surveys_asked=(survey(1, 0),))
    narrow = {name: getattr(early, name)[:, :, :1] for name in ("units", "cents", "local", "reached")}
    early = block(world, early.lanes, **narrow, surveys_asked=early.surveys_asked)
    records = join_records(world, [late, early], ["none", "asking"])
    assert [(run.arm, run.community) for run in records.runs_index] == [
        ("none", 0), ("none", 1), ("asking", 0), ("asking", 1),
    ]  # fmt: skip
    assert records.local.shape == (4, WEEKS, 3)
    assert records.reached.shape == (4, WEEKS, 3, 2)
    assert [(row, asked.week) for row, asked in records.surveys_asked] == [(2, 0), (3, 0), (3, 4)]
    assert records.surveys()[["community", "week"]].to_numpy().tolist() == [[0, 0], [1, 0], [1, 4]]
    assert {name for name in JOINED if not hasattr(records, name)} == set()


def test_nothing_is_joined_as_zeros_of_their_own() -> None:
    world = scenario()
    empty = block(
        world, (Run("asking", 0, 0),), wins=nothing((1, WEEKS)), results=nothing((1, WEEKS), np.float64)
    )
    full = block(world, (Run("asking", 1, 0),), wins=np.ones((1, WEEKS), np.int64))
    records = join_records(world, [full, empty], ["asking"])
    assert records.wins.tolist() == [[0] * WEEKS, [1] * WEEKS]
    assert (records.results.dtype, records.results.any()) == (np.float64, False)
    records.wins[0, 0] = 5  # its own memory
    assert records.wins.sum() == WEEKS + 5


def test_only_one_zero_in_all_places_is_nothing() -> None:
    assert is_nothing(nothing((3, 4)))
    assert is_nothing(np.zeros((3, 0)))
    assert not is_nothing(np.zeros((3, 4)))
    assert not is_nothing(np.broadcast_to(np.ones(()), (3, 4)))
    with pytest.raises(ValueError, match="read-only"):
        nothing((3,))[0] = 1


def test_every_column_is_declared() -> None:
    records = one_run(surveys_asked=(survey(0, 0),))
    tables = {
        name: list(getattr(records, name)().columns)
        for name in ("runs", "weeks", "activities", "organizations", "domains", "surveys")
    }
    declared = data_dictionary(tables)
    assert len(declared) == sum(map(len, tables.values()))
    assert all(column.unit and column.meaning and column.source for column in declared)
