"""Run the command line as `python -m mobsim`."""

from __future__ import annotations

import sys

from mobsim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
