"""Write work.json anew: `python -m tests.baseline.rewrite_work`, then look at the difference."""

from __future__ import annotations

import json

from tests.baseline.test_work import BASELINE, count_work


def main() -> None:
    """Count the work and write it down."""
    BASELINE.write_text(json.dumps(count_work(), indent=2) + "\n")


if __name__ == "__main__":
    main()
