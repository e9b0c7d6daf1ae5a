"""A community: one draw of people and ties, built once and never changed; every lane starts from it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mobsim.community.behaviour import Share
from mobsim.community.network import Households, NetworkSpec
from mobsim.community.organizations import OrganizationSpec
from mobsim.community.population import GroupSpec, InitialSpec, LeadersSpec
from mobsim.spec import Spec, declared


class CommunitySpec(Spec):
    """The world: people, ties, groups, leaders, organizations."""

    residents: int = declared(
        1000, "number of residents (persons or households)", source="[A]", symbol="N", ge=1, le=10_000_000
    )
    groups: dict[str, GroupSpec] = Field(..., min_length=1, description="groups; the first is the majority")
    network: NetworkSpec = Field(default_factory=Households, description="who influences whom")
    leaders: LeadersSpec = Field(default_factory=LeadersSpec, description="leaders")
    membership: Share = declared(
        0.20, "share of residents who are members of an organization", source="[V] 21 %", usual=(0, 0.5)
    )
    organizations: tuple[OrganizationSpec, ...] = Field(..., description="organizations")
    initial: InitialSpec = Field(default_factory=InitialSpec, description="state at the start of burn-in")


@dataclass(frozen=True, eq=False)
class Community:
    """People, ties and organizations as arrays; all read-only.

    number : which community of the scenario (part of every random key).
    group_names : names, the first is the majority; marginalized : (n_groups,) bool.
    group : (n_residents,) uint8, index into group_names.
    neighbourhood : (n_residents,) int32.
    row_start : (n_residents + 1,) uint32; neighbours : (n_ties,) uint32. Row i lists those who influence i,
        ascending.
    tie_weight : (n_ties,) int64 in 2**-20, or empty when every weight is 1.
    transmission : (n_ties,) float64 weekly chance that the tie tells, or empty when ties carry none.
    influence : (n_residents,) uint8, eighths.
    is_leader : (n_residents,) bool; leaning : (n_residents,) int8 (0 for those who are not leaders).
    member_of : (n_residents,) int16 index of the organization, or -1.
    threshold, capability, trust : (n_residents,) float32 at the start.
    least_count : (n_residents,) int64 for thresholds of kind count, or empty.
    aware, participating : (n_residents,) bool at the start.
    well_mixed : everybody influences everybody; there are no ties then.
    credibility : (n_organizations, n_groups) float64.
    capacity, org_influence, interest : (n_organizations,) float64.
    lead, largest_cbo : index of the lead and of the cbo with most members; the lead if there is no cbo, -1
        without organizations.
    resident_ids : ids from a people file, or empty.
    listed_threshold : (n_residents,) float64 thresholds as a people file writes them, or empty.
    """

    number: int
    seed: int
    group_names: tuple[str, ...]
    marginalized: npt.NDArray[np.bool_]
    group: npt.NDArray[np.uint8]
    neighbourhood: npt.NDArray[np.int32]
    row_start: npt.NDArray[np.uint32]
    neighbours: npt.NDArray[np.uint32]
    tie_weight: npt.NDArray[np.int64]
    transmission: npt.NDArray[np.float64]
    influence: npt.NDArray[np.uint8]
    is_leader: npt.NDArray[np.bool_]
    leaning: npt.NDArray[np.int8]
    member_of: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    capability: npt.NDArray[np.float32]
    trust: npt.NDArray[np.float32]
    least_count: npt.NDArray[np.int64]
    aware: npt.NDArray[np.bool_]
    participating: npt.NDArray[np.bool_]
    well_mixed: bool
    organization_names: tuple[str, ...]
    credibility: npt.NDArray[np.float64]
    capacity: npt.NDArray[np.float64]
    org_influence: npt.NDArray[np.float64]
    interest: npt.NDArray[np.float64]
    lead: int
    largest_cbo: int
    resident_ids: tuple[str, ...] = ()
    listed_threshold: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))

    @property
    def n_residents(self) -> int:
        """Number of residents."""
        return int(self.group.shape[0])

    @property
    def n_ties(self) -> int:
        """Number of tie ends (an undirected tie has two)."""
        return int(self.neighbours.shape[0])

    @property
    def degree(self) -> npt.NDArray[np.int64]:
        """(n_residents,) number of ties in each row."""
        return np.diff(self.row_start).astype(np.int64)
