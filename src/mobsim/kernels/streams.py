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
SURVEY = 9  # entity resident: order, awareness, participation, cause answered falsely
LEADER_DECIDES = 10  # entity resident (the leader): stance, -, -, -
ORGANIZATION_DECIDES = 11  # entity organization: joins or stays, -, -, -
OWN = 12  # entity resident: free for activities written in Python
REVERSE_ROOT = 13  # set-up, entity set, week = purpose: root, -, -, -
REVERSE_TIE = 14  # luck = set, week = purpose, entity four ties: live; resident: kept tie, -, -, -
CASCADE_TIE = 15  # luck = cascade, entity four ties: live; resident: kept tie, -, -, -
# 64-127: building communities (docs/communities.md), all set-up
GROUP = 64  # entity resident: order, -, -, -
HOUSEHOLD = 65  # entity household: size, order, -, -
MIXING = 66  # entity resident: order of leaving, order of arriving, -, -
SOCIABILITY = 67  # entity resident: sociability, -, -, -
TIE = 68  # entity attempt: first end, its alias, near or anywhere, -
TIE_END = 69  # entity attempt: second end, its alias or agreement, -, -
LEADER = 70  # entity resident: order of leaders, order of leanings, -, -
LEADER_TIE = 71  # entity attempt: other end, -, -, -
MEMBER = 72  # entity resident: order, organization, -, -
SKIP = 73  # entity pair of ties: skip (two words), next skip (two words)
REWIRE = 74  # entity tie of the ring: rewired, -, -, -
REWIRED_END = 75  # entity attempt: new end, -, -, -
PAIRING = 76  # entity stub, week = restart: place, -, -, -
SWAP = 77  # entity attempt, week = restart: other pair, which end, -, -
ATTACH = 78  # entity attempt: pair, which end, -, -
PEER = 128  # + contact // 4, entity resident (the organizer): which tie, four contacts a call
TARGET = 256  # + activity code, entity resident: order, reached or comes, nominee, -
POOL = 65536  # + activity code, entity resident, week = number of the cycle or refresh: order, -, -, -
