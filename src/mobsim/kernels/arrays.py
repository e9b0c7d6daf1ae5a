"""The bundles of arrays that kernels pass around.

L lanes, N residents, G groups, K draw groups, A arms, B activities. A **draw group** is one luck (and, in a
sweep, one parameter point). Its A lanes, one for each arm, stand side by side and share every random number:
lane = draw group x A + arm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
UInt8 = npt.NDArray[np.uint8]
Int8 = npt.NDArray[np.int8]

# Bits of State.flags
AWARE = 1
PARTICIPATING = 2
CONTACTED = 4
DOSED = 8
TRAINED = 16
AT_FUNDING_END = 32
NEVER_LEFT = 64

# Rows of State.reals
THRESHOLD = 0
START_CAPABILITY = 1
CAPABILITY = 2
OWNERSHIP = 3
TRUST = 4
APPEAL = 5

# Rows of Rules.singles, float32 (docs/odd.md, 7.4-7.7)
LOG_TELL_PARTICIPANT = 0
LOG_TELL_OTHER = 1
NOT_VISIBILITY = 2
SOCIAL_WEIGHT = 3
APPEAL_WEIGHT = 4
CAPABILITY_WEIGHT = 5
HABIT = 6
STEEPNESS = 7
KEEP = 8
RECONSIDER = 9
LAPSE = 10
TURNOVER = 11
FORGET = 12
APPEAL_FACTOR = 13
CAPABILITY_FACTOR = 14
OWNERSHIP_FACTOR = 15
LEARNING = 16
OWNERSHIP_GROWTH = 17
N_SINGLES = 18

# Rows of Rules.doubles, float64 (docs/odd.md, 5 and 7.8)
VISIBILITY = 0
RESULTS_WEIGHT = 1
WIN_RELIEF = 2
RESULTS_RATE = 3
RESULTS_EXPONENT = 4
RESULTS_HALF = 5
LOBBY_SUCCESS = 6
WIN_REVERSAL = 7
MAX_WINS = 8
THRESHOLD_MEAN = 9
THRESHOLD_SD = 10
THRESHOLD_LOW = 11
THRESHOLD_HIGH = 12
CAPABILITY_SD = 13
TRUST_SD = 14
TELL_PARTICIPANT = 15
TELL_OTHER = 16
N_DOUBLES = 17

# Rows of Rules.by_group, float64 [row, group, lane]
BARRIER = 0
START_CAPABILITY_MEAN = 1
TRUST_MEAN = 2
AWARE_SHARE = 3
LOG_BACKGROUND = 4
REACHED = 5
N_BY_GROUP = 6

# Kinds of threshold of a newcomer
KEEPS_THRESHOLD = 0
NORMAL = 1
TRUNCATED = 2
UNIFORM = 3

# How a newcomer becomes aware
BY_GROUP = 0
EVERYONE = 1
NOBODY = 2

# How participation is decided
LOGIT = 0
SHARP = 1
WHOLE = 2

# Columns of Tally.counts
N_COUNTS = 4  # aware, participating, contacted, participating and never contacted


class Ties(NamedTuple):
    """Who influences whom, with what the fast gather needs.

    row_start (N+1,); neighbours (ties,); weight (ties,) in 2**-20 or empty; transmission (ties,) or empty;
    general (N,): 1 where the packed gather could overflow or ties carry weights; units (N,): influence in
    units of the community's greatest common divisor; offset (N,): sum of units over the row; denominator
    (N,) float64; reciprocal (N,) float64, for rows where multiplying gives the same float32 as dividing.
    scale: value of one unit of the numerator; divide: 1 where the division must be carried out.
    """

    row_start: Int64
    neighbours: UInt32
    weight: Int64
    transmission: Float64
    general: UInt8
    units: Int32
    offset: Int32
    denominator: Float64
    reciprocal: Float64
    scale: float
    divide: int
    well_mixed: int


class Residents(NamedTuple):
    """What stays with a place: group (N,), is_leader (N,), and the leaders who take a stance.

    special (S,) ascending ids of supportive and opposed leaders; stance (S, L). least (N,) least counts, or
    empty.
    """

    group: UInt8
    is_leader: UInt8
    special: Int32
    stance: Int8
    least: Int64


class Rules(NamedTuple):
    """Parameters by lane: singles (18, L), doubles (17, L), by_group (6, G, L), and the modes of the
    block.
    """

    singles: Float32
    doubles: Float64
    by_group: Float64
    decision: int
    whole_from_share: int
    irreversible: int
    exposure_window: int
    threshold_kind: int
    newcomer_aware: int


class State(NamedTuple):
    """What changes: words (2, N*L), flags, told_week (N, L), reals (6, N, L), results, wins (L,), now (1,).

    `now[0]` says which of the two buffers of state words holds the start of the week.
    """

    words: UInt32
    flags: UInt8
    reals: Float32
    told_week: Int32
    results: Float64
    wins: Int64
    participating: Int64
    aware_tellers: Int64
    now: Int64


class Keys(NamedTuple):
    """Of which random numbers: seed, community and the luck of every draw group (K,)."""

    seed: int
    community: int
    luck: Int64


class Plan(NamedTuple):
    """What every arm does: integers (A, B, columns), doses (A, B, G, 5), and the pools of candidates.

    See `kernels/delivery.py` for the columns. running (weeks, A, B): 1 where a step permits the activity.
    """

    n_activities: Int64
    whole: Int64
    shares: Int64
    reach: Float64
    dose: Float32
    running: UInt8
    pool_start: Int64
    pool_ids: Int32
    own_slot: Int64
    fraction_size: Int64
    funding_starts: int
    funding_ends: int
    coalition: float


class Purse(NamedTuple):
    """Money and places in cycles by lane: left (L,), purse, cycle, place (L, B), own (L, slots, pool)."""

    left: Int64
    purse: Int64
    cycle: Int64
    place: Int64
    own: Int32


class Tally(NamedTuple):
    """Records: counts (W, L, G, 4), results, wins (W, L), units, cents (W, L, B), reached (W, L, B, G)."""

    counts: Int64
    results: Float64
    wins: Int64
    units: Int64
    cents: Int64
    reached: Int64
