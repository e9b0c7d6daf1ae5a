"""What leaders and organizations know while they are asked, and the check of what agents answer."""

from __future__ import annotations

from operator import index
from typing import Any, NamedTuple

import numpy as np

from mobsim.engine.block import Block
from mobsim.errors import UsageError
from mobsim.kernels import arrays as a
from mobsim.kernels.deliberation import preview_leaders, preview_organizations
from mobsim.kernels.diffusion import visibility_terms


class StancePreview(NamedTuple):
    """What is known of every leader (S,) before the stances of a week are written.

    exposure : E after phase 6.
    chance_up, chance_down : that the rule moves the stance one step up, one step down.
    proposed_stance : the rule's own proposal, with the week's draw.
    """

    exposure: a.Float64
    chance_up: a.Float64
    chance_down: a.Float64
    proposed_stance: a.Int8


class MembershipPreview(NamedTuple):
    """What is known of every organization (K,) before the memberships of a week are written.

    chance : that the rule's own proposal is to be in the coalition.
    proposed_member : the rule's own proposal, 1 or 0, with the week's draw.
    """

    chance: a.Float64
    proposed_member: a.Int8


def preview_stances(block: Block) -> StancePreview:
    """Return what leaders are about to decide; the state stays as it is.

    Parameters
    ----------
    block : of one lane, after phase 6 of the week.
    """
    n_leaders = block.leaders.ids.size
    visible = np.empty((3, 1), np.float32)
    visibility_terms(block.rules, block.state, block.community.n_residents, visible)
    proposals = np.empty((n_leaders, 1), np.int8)
    known = np.empty((n_leaders, 1, 3), np.float64)
    preview_leaders(
        block.week,
        block.ties,
        block.rules,
        block.keys,
        block.leaders,
        block.organizations,
        block.state,
        visible,
        proposals,
        known,
    )
    return StancePreview(known[:, 0, 0], known[:, 0, 1], known[:, 0, 2], proposals[:, 0])


def preview_memberships(block: Block) -> MembershipPreview:
    """Return what organizations are about to decide; the state stays as it is.

    Parameters
    ----------
    block : of one lane, after phase 6 of the week.
    """
    n_organizations = block.organizations.influence.size
    proposals = np.empty((n_organizations, 1), np.int8)
    chances = np.empty((n_organizations, 1), np.float64)
    preview_organizations(block.week, block.rules, block.keys, block.organizations, proposals, chances)
    return MembershipPreview(chances[:, 0], proposals[:, 0])


def yes_or_no(agent: object, proposal: Any) -> bool:
    """Return what `decide` answered, or refuse what is neither True nor False.

    Parameters
    ----------
    agent : who answered.
    proposal : the answer.
    """
    if not isinstance(proposal, bool | np.bool_):
        raise UsageError(f"{type(agent).__name__}.decide: found {proposal!r}; allowed are True and False")
    return bool(proposal)


def stance_of(agent: object, proposal: Any) -> int:
    """Return what `decide_stance` answered, or refuse what is no stance.

    Parameters
    ----------
    agent : who answered.
    proposal : the answer.
    """
    try:
        stance = 9 if isinstance(proposal, bool) else index(proposal)
    except TypeError:
        stance = 9
    if stance not in (-1, 0, 1):
        raise UsageError(f"{type(agent).__name__}.decide_stance: found {proposal!r}; allowed are -1, 0 and 1")
    return stance
