"""Organizations as arrays, and who is a member of which."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mobsim.community.exact import draw_words, first_in_order, share_of
from mobsim.community.organizations import OrganizationSpec
from mobsim.errors import ScenarioError
from mobsim.kernels import streams

Organizations = tuple[OrganizationSpec, ...]


def find_lead(organizations: Organizations) -> int:
    """Return the index of the organization that leads, −1 without organizations.

    Raises
    ------
    ScenarioError
        If not exactly one leads.
    """
    leads = [k for k, organization in enumerate(organizations) if organization.lead]
    if organizations and len(leads) != 1:
        raise ScenarioError(
            f"community.organizations: {len(leads)} organizations have `lead: true`; exactly one is allowed"
        )
    return leads[0] if leads else -1


def draw_members(
    organizations: Organizations, membership: float, n_residents: int, *, seed: int, number: int
) -> npt.NDArray[np.int16]:
    """Choose exactly floor(membership·N + 1/2) members, each of one cbo or the lead, uniformly.

    Parameters
    ----------
    organizations : the declared organizations.
    membership : share of residents who are members.
    n_residents : number of residents.
    seed, number : key of the community.

    Returns
    -------
    (n_residents,) int16: index of the organization, or −1.
    """
    member_of = np.full(n_residents, -1, np.int16)
    open_to_all = [k for k, o in enumerate(organizations) if o.type == "cbo" or o.lead]
    wanted = share_of(membership, n_residents)
    if open_to_all and wanted:
        words = draw_words(streams.MEMBER, n_residents, seed=seed, number=number)
        members = first_in_order(words[0], wanted)
        which = (words[1][members].astype(np.uint64) * np.uint64(len(open_to_all))) >> np.uint64(32)
        member_of[members] = np.array(open_to_all, np.int16)[which.astype(np.int64)]
    return member_of


def largest_cbo(organizations: Organizations, member_of: npt.NDArray[np.int16]) -> int:
    """Return the cbo with most members, the first of equals; without a cbo the lead; −1 if there is neither.

    Parameters
    ----------
    organizations : the declared organizations.
    member_of : (n_residents,) index of the organization, or −1.
    """
    members = np.bincount(member_of[member_of >= 0], minlength=len(organizations))
    cbos = [k for k, organization in enumerate(organizations) if organization.type == "cbo"]
    return max(cbos, key=lambda k: (members[k], -k)) if cbos else find_lead(organizations)


def credibility_by_group(organizations: Organizations, n_groups: int) -> npt.NDArray[np.float64]:
    """Return (n_organizations, n_groups) credibility; an organization's last entry stands for further groups.

    Parameters
    ----------
    organizations : the declared organizations.
    n_groups : number of groups.
    """
    rows = [[o.credibility[min(g, len(o.credibility) - 1)] for g in range(n_groups)] for o in organizations]
    return np.array(rows, np.float64).reshape(len(organizations), n_groups)
