"""Streams: which random numbers serve which decision. This table only grows (docs/odd.md, 6).

A stream is the fourth counter word of the generator; each call gives four words, used as the comments say.
"""

from __future__ import annotations

WEEK = 1  # entity resident: awareness, participation, lapse, turnover-or-forgetting
NEWCOMER = 2  # entity resident: threshold, capability, trust, aware
TELLING = 3  # entity tie: tells, -, -, -
LOBBY = 4  # entity effort of the week: wins, -, -, -
REVERSAL = 5  # entity standing win: reversed, -, -, -
INITIAL = 6  # set-up, entity resident: threshold, capability, trust, aware
PARTICIPATING = 7  # set-up, entity resident: participates or order key, -, -, -
DECIDE = 8  # entity resident: free for agents that override decide
# 64-127: building communities (community/*.py)
TARGET = 256  # + activity code, entity resident: order, reached or comes, nominee, -
POOL = 65536  # + activity code, entity resident, week = number of the cycle or refresh: order, -, -, -
