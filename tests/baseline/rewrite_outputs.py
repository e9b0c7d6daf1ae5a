"""Write tests/baseline/outputs.json anew: `python -m tests.baseline.rewrite_outputs` from the repository's
root.

Say in CHANGELOG.md, under "Regression", which outputs changed and why.
"""

from __future__ import annotations

import json

from tests.baseline.outputs import FILE, measure, name_of, scenario_files

if __name__ == "__main__":
    outputs = {name_of(path): measure(path) for path in scenario_files()}
    FILE.write_text(json.dumps(outputs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
