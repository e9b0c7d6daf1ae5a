"""Run the command line as `python -m mobsim`."""

from __future__ import annotations

from mobsim.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
