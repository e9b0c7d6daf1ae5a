"""Write the resolved form of every valid and old case again: python tests/baseline/rewrite_resolved.py

Only this script writes tests/cases/valid/*.resolved.json and those of tests/cases/old. Run it when the
resolved form is meant to change, read the difference, and say so in CHANGELOG.md.
"""

from __future__ import annotations

import json
from pathlib import Path

from mobsim.scenario.dump import plain
from mobsim.scenario.file import load_scenario

CASES = Path(__file__).resolve().parents[1] / "cases"


def main() -> None:
    for path in sorted([*CASES.glob("valid/*.yaml"), *CASES.glob("old/*.yaml")]):
        text = json.dumps(plain(load_scenario(path)), indent=1, ensure_ascii=False)
        path.with_suffix(".resolved.json").write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
