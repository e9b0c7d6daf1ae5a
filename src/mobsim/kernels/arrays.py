"""The bundles of arrays that kernels pass around.

L lanes, N residents, G groups, K draw groups, A arms, B activities. A **draw group** is one luck (and, in a
sweep, one parameter point). Its A lanes, one for each arm, stand side by side and share every random number:
lane = draw group x A + arm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobsim.kernels.bundles import Bundle

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

# Bits of State.roles; the weeks without participating of an organizer stand in bits 2 and 3
ORGANIZER = 1
STIPEND = 2
IDLE_SHIFT = 2
IDLE = 12
ORGANIZER_AT_END = 16
NEVER_STOPPED = 32

NEVER_ENGAGED = -(2**30)
"""Week of the last engagement of those never engaged."""

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
ORGANIZER_CAPABILITY = 18
ORGANIZER_OWNERSHIP = 19
ORGANIZER_START = 20
N_SINGLES = 21

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
LEADER_START = 17
PEER_DOSE = 18
TRUST_LOSS = 19
LEADER_RECONSIDER = 20
LEADER_LEANING = 21
LEADER_ENGAGEMENT = 22
LEADER_COALITION = 23
LEADER_THRESHOLD = 24
LEADER_NOISE = 25
ORGANIZATION_RECONSIDER = 26
ORGANIZATION_ENGAGEMENT = 27
COALITION_WEIGHT = 28
ORGANIZATION_THRESHOLD = 29
ORGANIZATION_NOISE = 30
APPEAL_CAUSE = 31
CAPABILITY_CAUSE = 32
LEADER_SOCIAL = 33
N_DOUBLES = 34

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
N_COUNTS = 5  # aware, participating, contacted, participating and never contacted, organizers

# Columns of Plan.effect (A, B, columns): doses and raises before capacity and credibility
EFFECT_APPEAL = 0
EFFECT_CAPABILITY = 1
EFFECT_OWNERSHIP = 2
EFFECT_TRUST = 3
EFFECT_INTEREST = 4
EFFECT_CAPACITY = 5
N_EFFECTS = 6


@dataclass(frozen=True, eq=False)
class Ties(Bundle):
    """Who influences whom, with what the fast gather needs.

    row_start (N+1,); neighbours (ties,); weight (ties,) in 2**-20 or empty; transmission (ties,) or empty;
    general (N,): 1 where the packed gather could overflow or ties carry weights; units (N,): influence in
    units of the community's greatest common divisor; kind (N,): rows of one kind have the same sum of
    influence. Of every kind: offset, the sum of units over the row (0 in general rows); denominator; and
    reciprocal, for rows where multiplying gives the same float32 as dividing.
    scale: value of one unit of the numerator; divide: 1 where the division must be carried out.
    """

    row_start: UInt32
    neighbours: UInt32
    weight: Int64
    transmission: Float64
    general: UInt8
    units: UInt8
    kind: UInt32
    offset: Int32
    denominator: Float64
    reciprocal: Float64
    scale: float
    divide: int
    well_mixed: int


@dataclass(frozen=True, eq=False)
class Residents(Bundle):
    """What stays with a place: group (N,), leader_place (N,) its number among the leaders, or -1; least (N,)
    least counts, or empty.
    """

    group: UInt8
    leader_place: Int32
    least: Int64


@dataclass(frozen=True, eq=False)
class Leaders(Bundle):
    """Leaders: ids (S,) ascending, leaning (S,), stance (S, L), engaged (S, L) week last engaged."""

    ids: Int32
    leaning: Int8
    stance: Int8
    engaged: Int32


@dataclass(frozen=True, eq=False)
class Organizations(Bundle):
    """Organizations: influence (K,), credibility (K, G), is_cbo (K,), members of k in member_ids
    [member_start[k] : member_start[k + 1]], start_resources (K,) cents, lead (its number, -1: none).

    By lane: member (K, L) 1 in the coalition, interest, capacity (K, L), engaged (K, L) week of the last
    engagement, resources (K, L) cents, coalition (L,) C, coalition_start (L,) C_0.
    """

    influence: Float64
    credibility: Float64
    is_cbo: UInt8
    member_start: Int64
    member_ids: Int32
    start_resources: Int64
    member: Int8
    interest: Float64
    capacity: Float64
    engaged: Int32
    resources: Int64
    coalition: Float64
    coalition_start: Float64
    lead: int


@dataclass(frozen=True, eq=False)
class Rules(Bundle):
    """Parameters by lane: singles (rows, L), doubles (rows, L), by_group (rows, G, L), and the modes of the
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
    organizers: int
    organizer_contacts: int
    engagement_weeks: int
    decision_interval: int


@dataclass(frozen=True, eq=False)
class State(Bundle):
    """What changes: words (2, N*L), flags, roles (N, L), last (N, L) 1 + the line whose dose came last (or
    (0, 0) if nobody asks), organizing (N,) 1 where somebody organizes in some lane, told_week (N, L), reals
    (6, N, L), results, wins, demonstrated (L,), now (1,).

    `now[0]` says which of the two buffers of state words holds the start of the week.
    """

    words: UInt32
    flags: UInt8
    roles: UInt8
    last: UInt8
    organizing: UInt8
    reals: Float32
    told_week: Int32
    results: Float64
    wins: Int64
    participating: Int64
    aware_tellers: Int64
    demonstrated: Int64
    now: Int64


@dataclass(frozen=True, eq=False)
class Keys(Bundle):
    """Of which random numbers: seed, community and the luck of every draw group (K,)."""

    seed: int
    community: int
    luck: Int64


@dataclass(frozen=True, eq=False)
class Plan(Bundle):
    """What every arm does: integers (A, B, columns), effects (A, B, 6) and the pools of candidates.

    See `kernels/delivery.py` for the columns. deliverer (A, B): organization that delivers. running (weeks,
    A, B): 1 where a step permits the activity. scores (scores, N): by which rules rank residents.
    deliverers of arm a: deliverer_ids[deliverer_start[a] : deliverer_start[a + 1]]. public_cents (A, wins
    + 1) weekly public money. contribution, refill: in millionths.
    """

    n_activities: Int64
    whole: Int64
    reach: Float64
    effect: Float64
    deliverer: Int64
    running: UInt8
    pool_start: Int64
    pool_ids: Int32
    own_slot: Int64
    fraction_size: Int64
    scores: Int64
    neighbourhood: Int32
    deliverer_start: Int64
    deliverer_ids: Int64
    public_cents: Int64
    has_budget: Int64
    contribution: int
    refill: int
    funding_starts: int
    funding_ends: int


@dataclass(frozen=True, eq=False)
class Purse(Bundle):
    """Money and places by lane: left (L,), purse, local (L, B), pot, remainder (L,), cycle, place (L, B), own
    (L, slots, pool).

    shares, local_shares (L, B + 1): cumulated, in millionths. pool, slot (L, B): candidates and order of each
    line. dose (L, B, G, 5) float32. voice (L, 4): causes named at meetings since the last survey week.
    """

    left: Int64
    purse: Int64
    local: Int64
    pot: Int64
    remainder: Int64
    cycle: Int64
    place: Int64
    own: Int32
    shares: Int64
    local_shares: Int64
    pool: Int64
    slot: Int64
    dose: Float32
    voice: Int64


@dataclass(frozen=True, eq=False)
class Tally(Bundle):
    """Records: counts (W, L, G, 5), results, wins, coalition (W, L), stances (W, L, 2) supportive, opposed.

    contacts (W, L) made by organizers; income (W, L) local cents that came in; units, cents, local (W, L, B)
    units bought, external and local cents spent; reached (W, L, B, G).
    """

    counts: Int64
    results: Float64
    wins: Int64
    coalition: Float64
    stances: Int64
    contacts: Int64
    income: Int64
    units: Int64
    cents: Int64
    local: Int64
    reached: Int64
