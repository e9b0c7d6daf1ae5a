"""State words: what neighbours need to know of a resident, in one number.

One uint32 a resident and lane: bit 0 tells as an aware person, bit 10 tells as a participant, bits 20-31
influence x (y + 1). Adding up the words of the neighbours gives three counts at once, as whole numbers:
exact, in any order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobsim.kernels.arrays import ORGANIZER, Int64, Leaders, Residents, Rules, State, Ties
from mobsim.kernels.compile import inlined, kernel

NO_WINDOW = 2**30
"""The exposure window that never closes."""

_YES = np.uint32(1)


@inlined
def teller_word(tells: Any, participating: Any, units: Any) -> Any:
    """Return the word of an ordinary resident.

    Parameters
    ----------
    tells : 1 for an aware resident within the exposure window.
    participating : 0 or 1.
    units : influence.
    """
    return (
        np.uint32(tells)
        | ((np.uint32(tells) & np.uint32(participating)) << np.uint32(10))
        | (np.uint32(units) * (_YES + np.uint32(participating)) << np.uint32(20))
    )


@inlined
def stance_word(stance: Any, tells: Any, units: Any) -> Any:
    """Return the word of a supportive (+1) or opposed (-1) leader.

    Parameters
    ----------
    stance : +1 or -1.
    tells : 1 for an aware leader within the exposure window.
    units : influence.
    """
    if stance > 0:
        return (
            np.uint32(tells) | (np.uint32(tells) << np.uint32(10)) | (np.uint32(2 * units) << np.uint32(20))
        )
    return np.uint32(tells)


@inlined
def add_teller(tellers: Any, lane: Any, word: Any) -> None:
    """Count those who tell, all and as participants, for a well-mixed community.

    Parameters
    ----------
    tellers : (L, 2) counts.
    lane : which lane.
    word : the word of one resident.
    """
    tellers[lane, 0] += np.int64(word & _YES)
    tellers[lane, 1] += np.int64((word >> np.uint32(10)) & _YES)


@kernel
def write_words(
    week: int, ties: Ties, residents: Residents, leaders: Leaders, rules: Rules, state: State, counts: Int64
) -> None:
    """Write the state words for a week, and the counts, from flags: at the start and after state was set
    by hand.

    Parameters
    ----------
    week : the week that will read the words.
    ties, residents, leaders, rules, state : the bundles of `arrays.py`.
    counts : (L, G, 5) receives aware, participating, contacted, participating and never contacted,
        organizers.
    """
    n_residents, n_lanes = state.flags.shape
    words = state.words[state.now[0]]
    counts[:] = 0
    state.organizing[:] = 0
    state.participating[:] = 0
    state.aware_tellers[:] = 0
    for i in range(n_residents):
        place = residents.leader_place[i]
        group = residents.group[i]
        for lane in range(n_lanes):
            flags = state.flags[i, lane]
            aware = flags & 1
            participating = (flags >> 1) & 1
            contacted = (flags >> 2) & 1
            tells = aware if week - state.told_week[i, lane] <= rules.exposure_window else 0
            stance = leaders.stance[place, lane] if place >= 0 else 0
            if stance != 0:
                word = stance_word(stance, tells, ties.units[i])
            else:
                word = teller_word(tells, participating, ties.units[i])
            words[i * n_lanes + lane] = word
            counts[lane, group, 0] += aware
            counts[lane, group, 1] += participating
            counts[lane, group, 2] += contacted
            counts[lane, group, 3] += participating & (1 - contacted)
            counts[lane, group, 4] += state.roles[i, lane] & ORGANIZER
            state.organizing[i] |= state.roles[i, lane] & ORGANIZER
            state.participating[lane] += participating
            add_teller(state.aware_tellers, lane, word)
