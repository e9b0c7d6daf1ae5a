"""Run the demo's comparison and write what the README reads: python experiments/first_comparison/run.py

The same as `mobsim compare scenarios/vaccination_district.yaml`, whose tables, figures and page it leaves to
that command. Writes result.csv, verdict.txt and the table in README.md; only this script writes them.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mobsim.analysis.study import Study, compare
from mobsim.engine.first_use import warm_up
from mobsim.scenario.dump import digest
from mobsim.scenario.file import load_scenario

HERE = Path(__file__).resolve().parent
SCENARIO = HERE.parents[1] / "scenarios" / "vaccination_district.yaml"
SHARES = ("participation_fe", "participation_end", "gap_fe", "reach")
COLUMNS = {
    "at funding end": ("participation_fe", "all"),
    "against no campaign": ("participation_fe_against_none", "all"),
    "marginalized, against no campaign": ("participation_fe_against_none", "marginalized"),
    "change of the gap": ("gap_fe_against_none", "all"),
    "USD for an additional participant": ("cost_per_additional_participant", "all"),
    "effect kept a year later, %": ("effect_kept", "all"),
}
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
RATIOS = ("cost_per_additional_participant", "effect_kept")


def result_of(study: Study) -> pd.DataFrame:
    """One row a strategy and quantity: points for shares, the currency for money; 95 % intervals."""
    rows = []
    for arm in study.arms:
        for outcome in (*SHARES, *RATIOS):
            groups = ("all", *study.groups) if outcome == "participation_fe" else ("all",)
            for group in groups:
                row = study.row(arm, outcome, group)
                if row is None:
                    continue
                scale = 1 if outcome == "cost_per_additional_participant" else 100
                rows += [
                    {
                        "arm": arm,
                        "outcome": outcome if key == "estimate" else f"{outcome}_against_none",
                        "group": group,
                        "estimate": round(scale * row[key], 2),
                        "low": round(scale * row[f"{prefix}low"], 2),
                        "high": round(scale * row[f"{prefix}high"], 2),
                    }
                    for key, prefix in (("estimate", ""), ("against_none", "against_none_"))
                    if row[key] == row[key] and not (arm == "none" and key == "against_none")
                ]
    return pd.DataFrame(rows)


def words_of(study: Study) -> str:
    """The verdict, the checks and the drift as the command says them."""
    checks = [
        f"check: {check.fact}: {'met' if check.met else 'NOT MET'}, found {100 * check.estimate:.2f} points "
        f"({100 * check.low:.2f} to {100 * check.high:.2f})"
        for check in study.checks
    ]
    drift = [study.drift.sentence] if study.drift else []
    size = f"{study.comparison.communities} communities x {study.comparison.luck} luck"
    return (
        "\n".join(
            [f"scenario digest {digest(study.scenario)}; {size}", *study.verdict.sentences, *checks, *drift]
        )
        + "\n"
    )


def table_of(result: pd.DataFrame) -> str:
    """The table of README.md: strategies by participation at funding end."""
    cells = result.set_index(["arm", "outcome", "group"])
    order = result[(result["outcome"] == "participation_fe") & (result["group"] == "all")]
    lines = [["strategy", *COLUMNS], ["---"] * (1 + len(COLUMNS))]
    for arm in order.sort_values("estimate", ascending=False)["arm"]:
        line = [arm]
        for key in COLUMNS.values():
            found = cells.loc[(arm, *key)] if (arm, *key) in cells.index else None
            line.append("" if found is None else "{estimate:.1f} ({low:.1f} to {high:.1f})".format(**found))
        lines.append(line)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_table(readme: str, table: str) -> str:
    """README.md with its table replaced."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table + END + rest.split(END)[1]


def main() -> None:
    warm_up()
    study = compare(load_scenario(SCENARIO))
    table, words = result_of(study), words_of(study)
    table.to_csv(HERE / "result.csv", index=False, lineterminator="\n")
    (HERE / "verdict.txt").write_text(words, encoding="utf-8", newline="\n")
    readme = HERE / "README.md"
    text = with_table(readme.read_text("utf-8"), table_of(pd.read_csv(HERE / "result.csv")))
    readme.write_text(text, encoding="utf-8", newline="\n")
    print(table_of(table))
    print(words)


if __name__ == "__main__":
    main()
