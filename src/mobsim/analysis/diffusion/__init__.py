"""Observed diffusion: who adopted when, who named whom, and what such data show.

`data` reads the files; the other modules compute statistics of them, each in a convention that is written
down and held against netdiffuseR (Vega Yon, Dyal, Hayes & Valente); `describe` puts them together.
"""

from __future__ import annotations
