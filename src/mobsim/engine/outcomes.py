"""What the columns of the tables mean: one declared table.

docs/outcomes.md and every data dictionary are written from it.

A column that exists for each group, goal, line of an arm, cause or factor is declared once, with `GROUP`,
`GOAL`, `ACTIVITY`, `CAUSE` or `FACTOR` in its name: `participation__GROUP` stands for
`participation__majority` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SHARE = "share of residents, 0 to 1"
SHARE_OF_GROUP = "share of the group, 0 to 1"
SHARE_OF_LEADERS = "share of leaders, 0 to 1"
MONEY = "currency of the scenario"


@dataclass(frozen=True)
class Column:
    """One column: its table, name, unit, meaning, and where its formula stands."""

    table: str
    name: str
    unit: str
    meaning: str
    source: str


_OUTPUTS = "docs/odd.md, 7.9"
_KEY = "docs/odd.md, 6"
_MONEY = "docs/odd.md, 7.1 and 7.14"
_SURVEYS = "docs/odd.md, 7.12"
_DECISIONS = "docs/odd.md, 7.13"
_PAGE = "docs/outcomes.md"

_POINT = ("point", "number from 0", "values of the factors, a row of points.csv; in sweeps only", _KEY)

_RUN_KEYS = (
    _POINT,
    ("arm", "name", "strategy; none is the arm without a campaign", _KEY),
    ("community", "number from 0", "one draw of people and ties", _KEY),
    ("luck", "number from 0", "one stream of chance on that community; arms of the same luck share it", _KEY),
)

_MOMENTS = (
    ("week0", "at the end of week 0"),
    ("fe", "at the end of the last funded week"),
    ("end", "at the end of the last simulated week"),
)


def _at_three_moments() -> Iterable[tuple[str, str, str, str]]:
    for moment, words in _MOMENTS:
        yield f"participation_{moment}", SHARE, f"residents who take part {words} (F)", _OUTPUTS
        yield f"participation_{moment}__GROUP", SHARE_OF_GROUP, f"members who take part {words}", _OUTPUTS
        yield f"aware_{moment}", SHARE, f"residents who are aware {words}", _OUTPUTS
        yield f"aware_{moment}__GROUP", SHARE_OF_GROUP, f"members who are aware {words}", _OUTPUTS
        yield (
            f"gap_{moment}",
            "difference of shares",
            f"participation of the majority minus that of all marginalized residents together, {words}",
            _OUTPUTS,
        )


def _at_two_moments() -> Iterable[tuple[str, str, str, str]]:
    """Yield what is measured at funding end and in the last week: states, stakeholders, organizers."""
    for moment, words in _MOMENTS[1:]:
        yield f"empowerment_{moment}", "0 to 1", f"mean of capability times ownership {words}", _OUTPUTS
        yield f"empowerment_{moment}__GROUP", "0 to 1", "the same among members of the group", _OUTPUTS
        yield (
            f"concern_{moment}",
            "mean appeal, from 0",
            f"mean of appeal, 0 for the unaware (m a) {words}",
            _OUTPUTS,
        )
        yield f"cohesion_{moment}", "0 to 1", f"mean of trust in the campaign {words}", _OUTPUTS
        yield f"trust_{moment}__GROUP", "0 to 1", f"mean of trust among members {words}", _OUTPUTS
        yield f"leadership_{moment}", SHARE, f"residents who organize {words} (mean of r)", _OUTPUTS
        yield f"leadership_{moment}__GROUP", SHARE_OF_GROUP, f"members who organize {words}", _OUTPUTS
        yield (
            f"coalition_{moment}",
            "share of influence, 0 to 1",
            f"influence of the organizations in the coalition among that of all, {words} (C)",
            _DECISIONS,
        )
        yield (
            f"supportive_{moment}",
            SHARE_OF_LEADERS,
            f"leaders who support the campaign {words}; empty without leaders",
            _DECISIONS,
        )
        yield f"opposed_{moment}", SHARE_OF_LEADERS, f"leaders who oppose it {words}", _DECISIONS


_RUNS = (
    *_RUN_KEYS,
    *_at_three_moments(),
    (
        "parity_fe",
        "ratio",
        "participation of marginalized residents / of the majority at funding end",
        _OUTPUTS,
    ),
    ("parity_end", "ratio", "the same in the last week", _OUTPUTS),
    (
        "reach",
        SHARE,
        "residents contacted by a visit, meeting, skills, leader or coalition unit since week 0 (media and "
        "organizers do not count)",
        _OUTPUTS,
    ),
    ("reach__GROUP", SHARE_OF_GROUP, "members contacted since week 0", _OUTPUTS),
    (
        "spillover_share",
        "share of participants, 0 to 1",
        "participants at funding end who were never contacted; empty without participants",
        _OUTPUTS,
    ),
    (
        "cost",
        MONEY,
        "money spent up to funding end, external and local; what an additional participant costs is counted "
        "from it",
        _MONEY,
    ),
    ("cost_external", MONEY, "external money spent in the whole run, surveys and maps included", _MONEY),
    ("cost_local", MONEY, "local money spent in the whole run, also after funding end", _MONEY),
    (
        "local_income",
        MONEY,
        "local money that came in: contributions of coalition members and public money",
        _MONEY,
    ),
    ("unspent", MONEY, "external money left when funding ended; budget = cost_external + unspent", _MONEY),
    (
        "self_reliance_funded",
        "share of effort, 0 to 1",
        "local / (local + external) effort in money up to funding end: contacts made by organizers at the "
        "price of a visit, and local money spent, beside external money spent; empty without any effort",
        _OUTPUTS,
    ),
    ("self_reliance_sustained", "share of effort, 0 to 1", "the same after funding end", _OUTPUTS),
    (
        "persistence_ratio",
        "ratio",
        "participation in the last week / at funding end; empty if nobody took part at funding end",
        _OUTPUTS,
    ),
    (
        "kept_participants",
        "share of participants, 0 to 1",
        "participants at funding end who also take part in the last week; empty without participants",
        _OUTPUTS,
    ),
    (
        "never_left",
        "share of participants, 0 to 1",
        "participants at funding end who take part in every week from then to the last",
        _OUTPUTS,
    ),
    (
        "organizers_kept",
        "share of organizers, 0 to 1",
        "who organizes at funding end and in every week from then to the last; replaced persons count as "
        "lost; empty without organizers. The comparison pools it over communities: a ratio of means",
        _OUTPUTS,
    ),
    (
        "time_to_goal__GOAL",
        "weeks",
        "first week in which the goal has been met for 4 weeks running; empty if that never happens",
        _OUTPUTS,
    ),
    ("goal_met__GOAL", "0 or 1", "whether the goal was met in its week", _OUTPUTS),
    (
        "goal_estimate_met__GOAL",
        "0 or 1",
        "whether the estimates of the last survey up to its week say that it is met; empty if nobody was "
        "asked",
        _SURVEYS,
    ),
    (
        "volunteer_hours",
        "hours",
        "unpaid time since week 0: one hour a week for each participant and four for each organizer [A]",
        _OUTPUTS,
    ),
    ("contacts_by_organizers", "count", "contacts made by organizers since week 0", "docs/odd.md, 7.11"),
    *_at_two_moments(),
    ("results_end", "0 to 1", "results of collective action z in the last week", "docs/odd.md, 7.8"),
    ("wins_fe", "count", "standing policy wins v at funding end", "docs/odd.md, 7.8"),
    (
        "voice_share__GROUP",
        "share of seats, 0 to 1",
        "the group's seats among all seats taken at meetings; empty without meetings",
        _OUTPUTS,
    ),
)

_WEEKS = (
    *_RUN_KEYS,
    ("week", "weeks", "0 is the first campaign week; states are those at the end of the week", _OUTPUTS),
    ("aware", SHARE, "residents who are aware", _OUTPUTS),
    ("aware__GROUP", SHARE_OF_GROUP, "members who are aware", _OUTPUTS),
    ("participation", SHARE, "residents who take part", _OUTPUTS),
    ("participation__GROUP", SHARE_OF_GROUP, "members who take part", _OUTPUTS),
    ("contacted", SHARE, "residents contacted since week 0", _OUTPUTS),
    ("contacted__GROUP", SHARE_OF_GROUP, "members contacted since week 0", _OUTPUTS),
    ("organizers", SHARE, "residents who organize", "docs/odd.md, 7.11"),
    ("organizers__GROUP", SHARE_OF_GROUP, "members who organize", "docs/odd.md, 7.11"),
    ("results", "0 to 1", "results of collective action z", "docs/odd.md, 7.8"),
    ("wins", "count", "standing policy wins v", "docs/odd.md, 7.8"),
    (
        "coalition",
        "share of influence, 0 to 1",
        "influence in the coalition among that of all (C)",
        _DECISIONS,
    ),
    ("supportive", SHARE_OF_LEADERS, "leaders who support the campaign; empty without leaders", _DECISIONS),
    ("opposed", SHARE_OF_LEADERS, "leaders who oppose it", _DECISIONS),
    ("contacts_by_organizers", "count", "contacts made by organizers in this week", "docs/odd.md, 7.11"),
    ("spent", MONEY, "money spent in this week, external and local", _MONEY),
    ("spent_local", MONEY, "local money among it", _MONEY),
    ("local_income", MONEY, "local money that came in in this week", _MONEY),
)

_LINE = "activity; a second line of the same kind in one arm has a number; survey is what an arm asks"
_ACTIVITIES = (
    ("arm", "name", "strategy", _KEY),
    ("activity", "name", _LINE, _KEY),
    ("family", "name", "outreach, training, advocacy or support", "campaign/activities.yaml"),
    ("week", "weeks", "campaign week", _OUTPUTS),
    ("units", "units, mean over runs", "units bought in this week", "docs/odd.md, 7.1"),
    ("spent", "currency, mean over runs", "money spent on it in this week, external and local", _MONEY),
    ("spent_local", "currency, mean over runs", "local money among it", _MONEY),
    (
        "reached",
        "residents, mean over runs",
        "residents who were reached, came or heard in this week",
        _OUTPUTS,
    ),
    ("reached__GROUP", "residents, mean over runs", "members of the group among them", _OUTPUTS),
)

_DECISION_WEEK = (
    "week",
    "weeks",
    "week 0, every decision week, the week of funding end and the last; states at its end",
    _OUTPUTS,
)

_ORGANIZATIONS = (
    ("arm", "name", "strategy; none is no campaign", _KEY),
    ("organization", "name", "organization", "the scenario file"),
    ("type", "name", "cbo, ngo, government, private or donor", "the scenario file"),
    _DECISION_WEEK,
    ("influence", "0 to 1", "influence f, which does not change", "the scenario file"),
    ("interest", "-1 to 1, mean over runs", "interest in the campaign i", _DECISIONS),
    ("in_coalition", "share of runs, 0 to 1", "runs in which it is a member of the coalition", _DECISIONS),
    ("capacity", "0 to 1, mean over runs", "capacity to deliver e", "docs/odd.md, 7.3"),
    ("resources", "currency, mean over runs", "own resources R", "docs/odd.md, 7.13 and 7.14"),
    (
        "quadrant",
        "words",
        "power (influence at least the mean of all [A]) and interest (mean above 0 [A]): manage closely "
        "both, keep satisfied power, keep informed interest, monitor neither",
        _PAGE,
    ),
)

_DOMAINS = (
    ("arm", "name", "strategy; none is no campaign", _KEY),
    _DECISION_WEEK,
    (
        "shared_concern",
        "mean appeal, from 0, mean over runs",
        "mean of appeal, 0 for the unaware (m a)",
        _OUTPUTS,
    ),
    ("consciousness", f"{SHARE}, mean over runs", "residents who are aware (a)", _OUTPUTS),
    (
        "organizations",
        "share of influence, 0 to 1, mean over runs",
        "influence in the coalition (C)",
        _DECISIONS,
    ),
    ("leadership", f"{SHARE}, mean over runs", "residents who organize (r)", _OUTPUTS),
    ("collective_action", f"{SHARE}, mean over runs", "residents who take part (F)", _OUTPUTS),
    ("cohesion", "0 to 1, mean over runs", "mean of trust in the campaign (T)", _OUTPUTS),
)


def _asked_about() -> Iterable[tuple[str, str, str, str]]:
    for name, words in (("participation", "take part"), ("aware", "are aware")):
        for ending, unit, of in (("", SHARE, "residents"), ("__GROUP", SHARE_OF_GROUP, "members")):
            yield f"{name}_estimate{ending}", unit, f"{of} who {words}, corrected for false answers", _SURVEYS
            yield f"{name}_error{ending}", unit, "standard error of that estimate", _SURVEYS
            yield (
                f"{name}_truth{ending}",
                unit,
                f"{of} who truly {words} at the end of the week before; empty for a survey in week 0",
                _SURVEYS,
            )


_SURVEY_COLUMNS = (
    *_RUN_KEYS,
    ("week", "weeks", "week of the survey, or of a look at the causes named at meetings", _SURVEYS),
    ("respondents", "residents", "who was asked; 0 where the causes were named at meetings", _SURVEYS),
    ("misreport", "chance, 0 to 1", "chance that an answer was false", _SURVEYS),
    ("price", MONEY, "what it cost", _SURVEYS),
    *_asked_about(),
    ("cause__CAUSE", "count", "who named it as the reason not to take part", _SURVEYS),
    (
        "share__ACTIVITY",
        "share of the arm's money, 0 to 1",
        "from then on; empty for lines of other arms",
        _SURVEYS,
    ),
    ("group_chosen", "name", "group that the policy equity turned to; empty if none", _SURVEYS),
)

_COMPARISON = (
    ("arm", "name", "strategy; none is no campaign", _KEY),
    ("outcome", "name", "a column of runs.csv, or a quantity made of several", _PAGE),
    ("group", "name", "group that the outcome is about, or all", _OUTPUTS),
    ("estimate", "unit of the outcome", "mean over luck, then over communities", _PAGE),
    ("low", "unit of the outcome", "lower limit; empty where no interval is possible", _PAGE),
    ("high", "unit of the outcome", "upper limit", _PAGE),
    ("against_none", "unit of the outcome", "paired difference from no campaign", _PAGE),
    ("against_none_low", "unit of the outcome", "its lower limit", _PAGE),
    ("against_none_high", "unit of the outcome", "its upper limit", _PAGE),
    ("communities", "count", "communities behind the estimate", _PAGE),
    ("luck", "count", "streams of luck in each", _PAGE),
    ("interval", "words", "what the intervals hold for", _PAGE),
    ("note", "words", "what is special about this row", _PAGE),
)

_POINTS = "difference of shares"
_VERDICTS = (
    ("arm", "name", "strategy; of a pair that is decided, the better one", _KEY),
    ("rival", "name", "strategy it is compared with", _KEY),
    ("verdict", "words", "better, practically equal or cannot tell yet", _PAGE),
    ("estimate", _POINTS, "mean paired difference in participation at funding end", _PAGE),
    ("low", _POINTS, "lower limit; it holds for all pairs at once (95 %)", _PAGE),
    ("high", _POINTS, "upper limit; it holds for all pairs at once (95 %)", _PAGE),
    ("equality_low", _POINTS, "lower limit of the paired 90 % interval", _PAGE),
    ("equality_high", _POINTS, "upper limit of the paired 90 % interval", _PAGE),
    ("ahead", "count", "paired futures in which the strategy is ahead", _PAGE),
    ("equal", "count", "paired futures in which both are exactly equal", _PAGE),
    ("futures", "count", "all paired futures", _PAGE),
    ("further", "communities", "more communities that would decide; empty if not asked", _PAGE),
    ("variance_between_communities", "squared share", "variance component of the difference", _PAGE),
    ("variance_between_lucks", "squared share", "variance component of the difference", _PAGE),
    ("cheapest_luck", "count", "luck a community with the shortest interval for the work", _PAGE),
    ("sentence", "words", "all of it in one sentence", _PAGE),
)

_CHANCES = (
    ("arm", "name", "strategy; none is no campaign", _KEY),
    ("chance_best", "0 to 1", "share of paired futures in which it is best, ties shared", _PAGE),
    ("chance_best_low", "0 to 1", "lower limit (95 %, bootstrap over communities)", _PAGE),
    ("chance_best_high", "0 to 1", "upper limit", _PAGE),
    ("regret", _POINTS, "mean distance to the best strategy of the same future", _PAGE),
    ("regret_low", _POINTS, "lower limit (95 %, bootstrap over communities)", _PAGE),
    ("regret_high", _POINTS, "upper limit", _PAGE),
    ("best_low", _POINTS, "lower limit of the difference from the best of the others (Hsu)", _PAGE),
    ("best_high", _POINTS, "upper limit; 0: it cannot be best alone", _PAGE),
    ("can_be_best", "0 or 1", "whether the runs leave open that it is the best", _PAGE),
)

_CHECKS = (
    ("fact", "words", "published fact that the scenario should show", "the scenario file"),
    ("outcome", "name", "column of runs.csv that is measured", "the scenario file"),
    ("arm", "name", "strategy that is measured", "the scenario file"),
    ("against", "name", "strategy it is compared with; empty for the value itself", "the scenario file"),
    ("at_least", "unit of the outcome", "lower end of the band; empty if open", "the scenario file"),
    ("at_most", "unit of the outcome", "upper end of the band; empty if open", "the scenario file"),
    ("source", "words", "where the fact was read, with its tag", "the scenario file"),
    ("estimate", "unit of the outcome", "what the runs give", _PAGE),
    ("low", "unit of the outcome", "lower limit of its 95 % interval", _PAGE),
    ("high", "unit of the outcome", "upper limit of its 95 % interval", _PAGE),
    ("met", "0 or 1", "whether the estimate lies inside the band", _PAGE),
)

_OF_POINTS = (
    _POINT,
    (
        "FACTOR",
        "unit of the parameter",
        "value of a factor at the point; its label where the design gives one",
        "design.yaml",
    ),
)

_FAILURES = (
    *_RUN_KEYS,
    ("stage", "words", "where the run failed: scenario, community, simulation, tables or worker", _PAGE),
    ("error", "words", "class and sentence of the error", _PAGE),
    ("traceback", "text", "where in the program it arose", _PAGE),
    ("attempt", "number from 1", "how often the run was tried", _PAGE),
)

COLUMNS: tuple[Column, ...] = tuple(
    Column(table, *row)
    for table, rows in (
        ("runs", _RUNS),
        ("weeks", _WEEKS),
        ("activities", _ACTIVITIES),
        ("organizations", _ORGANIZATIONS),
        ("domains", _DOMAINS),
        ("surveys", _SURVEY_COLUMNS),
        ("comparison", _COMPARISON),
        ("verdicts", _VERDICTS),
        ("chances", _CHANCES),
        ("checks", _CHECKS),
        ("points", _OF_POINTS),
        ("failures", _FAILURES),
    )
    for row in rows
)
"""Every column of every table, in the order in which it is written."""


def column_of(table: str, name: str) -> Column | None:
    """Return the declaration of a column, or None.

    Parameters
    ----------
    table : such as runs.
    name : as it stands in the table, with the name of a group or goal after two underscores.

    Examples
    --------
    >>> column_of("runs", "reach__majority").unit
    'share of the group, 0 to 1'
    >>> column_of("runs", "happiness") is None
    True
    """
    for column in COLUMNS:
        if column.table == table and re.fullmatch(_pattern(column.name), name):
            return column
    return None


_STANDS_FOR = "GROUP|GOAL|ACTIVITY|CAUSE|FACTOR"


def _pattern(name: str) -> str:
    return re.sub(_STANDS_FOR, ".+", re.escape(name))


def data_dictionary(tables: dict[str, Iterable[str]]) -> list[Column]:
    """Return one declaration for each column of each table, under the names that the tables have.

    Parameters
    ----------
    tables : table -> its column names.

    Raises
    ------
    AssertionError : for a column that nobody declared; declare it above.
    """
    rows = []
    for table, names in tables.items():
        for name in names:
            column = column_of(table, name)
            assert column is not None, f"engine/outcomes.py declares no column {name!r} of table {table!r}"
            rows.append(Column(table, name, column.unit, _with_name(column, name), column.source))
    return rows


def _with_name(column: Column, name: str) -> str:
    """Return the meaning with the name of the group, goal, activity, cause or factor behind it."""
    kind = re.search(_STANDS_FOR, column.name)
    if kind is None:
        return column.meaning
    return f"{column.meaning} ({kind.group().lower()} {name.partition('__')[2] or name})"


_OPENING = """# Tables and outcomes

Written by `python -m mobsim.engine.outcomes > docs/outcomes.md` from the table in
`src/mobsim/engine/outcomes.py`; edit that table. A column with `GROUP`, `GOAL`, `ACTIVITY`, `CAUSE` or
`FACTOR` in its name exists once for each of them. An empty cell means that the quantity does not exist in
that run. Numbers carry ten significant digits. `surveys.csv` is there if some strategy asks. A sweep leaves
`runs.csv`, `weeks.csv`, `points.csv` and `failures.csv`; `point` stands before the other keys there.

* **Estimates** are averaged over luck first, then over communities: communities are what is independent.
  An imported community is one community; luck is then what is independent, and statements hold for that
  community only.
* **Intervals** are t intervals over communities (95 %), pointwise and not adjusted for the number of
  outcomes. The intervals of participation at funding end against other strategies hold for all pairs at
  once.
* **Differences** are paired: strategies meet the same communities and the same luck.
* **Relative participation** = participation at funding end / that of no campaign (bootstrap over
  communities).
* **Cost per additional participant** = (money - money of no campaign) / additional participants at
  funding end, as a ratio of means with Fieller's interval; not given when the interval of the denominator
  holds 0.
* **Money**: external is the scenario's budget, local what coalition members give and public money. Both are
  spent on the same activities; `cost` holds both up to funding end.
* **Organizers kept** is pooled over communities: organizers who stay / organizers at funding end, a ratio of
  means (bootstrap over communities).
* **Goals on estimates** are scored on the last survey up to the goal's week, as the campaign itself would
  score them; `goal_met__GOAL` beside it is the truth.
* **Effect kept** = effect in the last week / effect at funding end, both against no campaign, as a ratio
  of means.
* **Time to goal**: runs that never reach the goal count with the horizon (restricted mean);
  `goal_reached__GOAL` is the share of runs that reach it.
* **Checks**: a published fact is met when the estimate lies inside its band; the interval stands beside it.
"""


def outcomes_page() -> str:
    """Return docs/outcomes.md: the tables above in words."""
    lines = [_OPENING]
    tables = list(dict.fromkeys(column.table for column in COLUMNS))
    for table in tables:
        lines += [f"## {table}.csv", "", "| column | unit | meaning | formula |", "|---|---|---|---|"]
        lines += [
            f"| `{column.name}` | {column.unit} | {column.meaning} | {column.source} |"
            for column in COLUMNS
            if column.table == table
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    sys.stdout.write(outcomes_page())
