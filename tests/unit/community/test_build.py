"""A community as a whole: proper rows, the same bits, exact numbers, the state in which everybody starts."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256

import numpy as np
import pytest
from tests.unit.community.worlds import KINDS, NOBODY_LEADS, assert_proper, build

from mobsim.community.behaviour import (
    BehaviourSpec,
    ConstantThresholds,
    CountThresholds,
    ListedThresholds,
    NormalThresholds,
    UniformThresholds,
)
from mobsim.community.community import Community
from mobsim.community.network import Households, WellMixed
from mobsim.community.organizations import OrganizationSpec, default_organizations
from mobsim.community.population import (
    ExactCount,
    ExactShare,
    GroupSpec,
    InitialSpec,
    LeadersSpec,
    ListedResidents,
)
from mobsim.errors import ScenarioError
from mobsim.kernels.elementary import normal_quantile_64, truncated_normal_64
from mobsim.kernels.keyed import SETUP_LUCK, centred, philox, uniform
from mobsim.kernels.streams import INITIAL, PARTICIPATING

pytestmark = pytest.mark.quick

MIXED = WellMixed(kind="well_mixed")


NARROWED = ("row_start", "influence")
"""Arrays that were int64 when the digests below were taken, and hold the same numbers in less room now."""


def digest(community: Community) -> str:
    """Digest every array, with its type and shape."""
    hashed = sha256()
    for field in fields(community):
        value = getattr(community, field.name)
        if isinstance(value, np.ndarray):
            value = value.astype(np.int64) if field.name in NARROWED else value
            hashed.update(f"{field.name} {value.dtype.str} {value.shape}".encode() + value.tobytes())
    return hashed.hexdigest()[:16]


# First digits of the sha256 of all arrays; they may change only with a line "Regression" in the changelog.
GOLDEN = {
    "households": "de8a58d156657677",
    "villages": "c2fc4618c7022806",
    "ring": "37291d05e07f60fa",
    "moore": "738eaddbaf45a217",
    "von_neumann": "8a2c9846933eeb8d",
    "small_world": "9d3f04d3f461d474",
    "random_regular": "005774083629372d",
    "erdos_renyi": "3ec969c6531c635f",
    "scale_free": "40883864c6187d5e",
    "stochastic_block": "00057ee0823ebdd3",
    "complete": "ce362e9f3fe5a756",
    "well_mixed": "f94ce7db655fe7c1",
    "ties": "1788532154919819",
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_proper(kind: str) -> None:
    for number in range(3):
        assert_proper(build(KINDS[kind], number=number))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_every_time(kind: str) -> None:
    assert digest(build(KINDS[kind], residents=400)) == GOLDEN[kind]


@pytest.mark.parametrize("kind", ["households", "erdos_renyi", "scale_free", "small_world", "random_regular"])
def test_another_number_or_seed_is_another_community(kind: str) -> None:
    communities = [build(KINDS[kind]), build(KINDS[kind], number=1), build(KINDS[kind], seed=2)]
    assert len({c.neighbours.tobytes() for c in communities}) == 3


def test_arrays_are_read_only() -> None:
    community = build(Households())
    for field in fields(community):
        value = getattr(community, field.name)
        assert not (isinstance(value, np.ndarray) and value.flags.writeable), field.name


@pytest.mark.parametrize("residents", [1, 2, 7])
def test_tiny_communities(residents: int) -> None:
    assert_proper(build(MIXED, residents))
    assert_proper(build(KINDS["complete"], residents))
    assert_proper(build(KINDS["erdos_renyi"].model_copy(update={"degree": 0.0}), residents))


def test_types_are_those_of_the_dataclass() -> None:
    community = build(Households())
    types = {
        "group": "uint8",
        "neighbourhood": "int32",
        "row_start": "uint32",
        "neighbours": "uint32",
        "tie_weight": "int64",
        "transmission": "float64",
        "influence": "uint8",
        "leaning": "int8",
        "member_of": "int16",
        "threshold": "float32",
        "capability": "float32",
        "trust": "float32",
        "least_count": "int64",
    }
    for name, dtype in types.items():
        assert getattr(community, name).dtype == dtype, name
    for name in ("marginalized", "is_leader", "aware", "participating"):
        assert getattr(community, name).dtype == np.bool_, name


# Exact numbers


@pytest.mark.parametrize("kind", ["households", "villages", "ring"])
def test_groups_leaders_leanings_and_members_are_exact(kind: str) -> None:
    for number in range(4):
        community = build(KINDS[kind], number=number)
        assert np.bincount(community.group).tolist() == [320, 80]
        assert community.is_leader.sum() == 20
        assert (community.leaning == -1).sum() == 2
        assert (community.leaning == 1).sum() == 4
        assert not community.leaning[~community.is_leader].any()
        assert (community.member_of >= 0).sum() == 80
        assert set(np.unique(community.member_of)) <= {-1, 0, 1, 2, 3}
        assert set(community.influence[community.is_leader]) == {16}
        assert set(community.influence[~community.is_leader]) == {8}


def test_largest_remainder_for_three_groups() -> None:
    groups = {name: GroupSpec(share=share) for name, share in (("a", 0.5), ("b", 0.25), ("c", 0.25))}
    assert np.bincount(build(MIXED, 7, groups=groups).group).tolist() == [3, 2, 2]


def test_shares_must_add_up() -> None:
    groups = {"a": GroupSpec(share=0.5), "b": GroupSpec(share=0.3)}
    with pytest.raises(ScenarioError, match=r"the shares add up to 0\.8; they must add up to 1"):
        build(MIXED, groups=groups)


def test_leader_influence_is_rounded_half_up_to_eighths() -> None:
    community = build(MIXED, leaders=LeadersSpec(influence=1.3125))
    assert set(community.influence[community.is_leader]) == {11}


def test_organizations_are_arrays_in_their_order() -> None:
    community = build(MIXED)
    assert community.organization_names[3] == "lead_ngo"
    assert community.lead == 3
    members = np.bincount(community.member_of[community.member_of >= 0], minlength=7)
    assert community.largest_cbo == int(np.argmax(members[:3]))
    assert community.credibility.shape == (7, 2)
    assert community.capacity.tolist() == [0.5, 0.5, 0.5, 0.7, 0.5, 0.6, 0.7]
    assert community.interest[5] == -0.1


def test_the_last_credibility_stands_for_further_groups() -> None:
    groups = {name: GroupSpec(share=0.25) for name in "abcd"}
    assert build(MIXED, groups=groups).credibility[0].tolist() == [0.9, 0.8, 0.8, 0.8]


def test_without_organizations_or_without_a_cbo() -> None:
    alone = build(MIXED, organizations=())
    assert (alone.lead, alone.largest_cbo) == (-1, -1)
    assert (alone.member_of == -1).all()
    assert alone.credibility.shape == (0, 2)
    lead = OrganizationSpec(name="ministry", type="government", lead=True)
    only = build(MIXED, organizations=(lead,))
    assert (only.lead, only.largest_cbo) == (0, 0)
    assert set(np.unique(only.member_of)) == {-1, 0}


def test_exactly_one_organization_leads() -> None:
    with pytest.raises(ScenarioError, match="0 organizations have `lead: true`; exactly one is allowed"):
        build(MIXED, organizations=default_organizations()[:3])


# The start


def words(stream: int, resident: int) -> tuple[int, ...]:
    return tuple(philox(resident, 0, SETUP_LUCK, stream, 1, 0))


def test_start_is_what_the_odd_says() -> None:
    community = build(MIXED)
    for i in range(400):
        w0, w1, w2, w3 = words(INITIAL, i)
        g = community.group[i]
        theta = truncated_normal_64(centred(w0), 0.42, 0.32, -1.0, 2.0)
        assert community.threshold[i] == np.float32(theta)
        s = (0.25, 0.15)[g] + 0.10 * normal_quantile_64(centred(w1))
        assert community.capability[i] == np.float32(min(max(s, 0.0), 1.0))
        t = (0.50, 0.35)[g] + 0.15 * normal_quantile_64(centred(w2))
        assert community.trust[i] == np.float32(min(max(t, 0.0), 1.0))
        aware = bool(community.is_leader[i] or uniform(w3) < np.float32((0.30, 0.15)[g]))
        assert community.aware[i] == aware
        takes_part = uniform(words(PARTICIPATING, i)[0]) < np.float32(0.03)
        assert community.participating[i] == (aware and takes_part and community.leaning[i] >= 0)


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        (
            NormalThresholds(kind="normal", mean=0.5, sd=0.2),
            lambda w: 0.5 + 0.2 * normal_quantile_64(centred(w)),
        ),
        (NormalThresholds(kind="normal", mean=0.3, sd=0.0), lambda w: 0.3),
        (
            UniformThresholds(kind="uniform", low=0.1, high=0.7),
            lambda w: 0.1 + (0.7 - 0.1) * float(uniform(w)),
        ),
        (ConstantThresholds(kind="constant", value=0.18), lambda w: 0.18),
    ],
)
def test_thresholds(thresholds, expected) -> None:
    community = build(MIXED, 50, behaviour=BehaviourSpec(thresholds=thresholds))
    for i in range(50):
        assert community.threshold[i] == np.float32(expected(words(INITIAL, i)[0]))


def test_listed_and_counted_thresholds() -> None:
    listed = ListedThresholds(kind="values", values=(0.1, 0.2, 0.3))
    assert build(MIXED, 3, behaviour=BehaviourSpec(thresholds=listed)).threshold.tolist() == [
        np.float32(v) for v in (0.1, 0.2, 0.3)
    ]
    counted = build(
        MIXED, 3, behaviour=BehaviourSpec(thresholds=CountThresholds(kind="count", values=(2, 0, 1)))
    )
    assert counted.least_count.tolist() == [2, 0, 1]
    assert not counted.threshold.any()
    same = build(MIXED, 3, behaviour=BehaviourSpec(thresholds=CountThresholds(kind="count", value=2)))
    assert same.least_count.tolist() == [2, 2, 2]
    with pytest.raises(ScenarioError, match="3 values for 4 residents; give one for each resident"):
        build(MIXED, 4, behaviour=BehaviourSpec(thresholds=listed))


def test_initial_shares_over_communities() -> None:
    aware, chance = [], []
    for number in range(40):
        community = build(MIXED, number=number, leaders=NOBODY_LEADS)
        aware.append([community.aware[community.group == g].mean() for g in (0, 1)])
        chance.append(community.participating.sum() / community.aware.sum())
    # Standard errors: .0041, .0063 and .0024.
    assert np.mean(aware, axis=0) == pytest.approx([0.30, 0.15], abs=0.02)
    assert np.mean(chance) == pytest.approx(0.03, abs=0.008)


@pytest.mark.parametrize("who", [ExactCount(count=30), ExactShare(share=0.075)])
@pytest.mark.parametrize("aware", ["by_group", "everyone", "participants"])
def test_exact_numbers_of_participants(who, aware) -> None:
    initial = InitialSpec(aware=aware, participating=who)
    community = build(MIXED, initial=initial, leaders=LeadersSpec(share=0.5, opposed=0.5))
    x = community.participating
    assert x.sum() == 30
    assert community.aware[x].all()
    assert (community.leaning[x] >= 0).all()
    if aware == "participants":
        assert np.array_equal(community.aware, x)
    if aware == "everyone":
        assert community.aware.all()
    before = build(MIXED, initial=InitialSpec(aware="by_group", participating=0.0)).aware
    may = community.leaning >= 0
    if aware == "by_group":
        may = may & (before | community.is_leader)
    ids = np.flatnonzero(may)
    first = sorted(ids, key=lambda i: (words(PARTICIPATING, i)[0], i))[:30]
    assert sorted(first) == np.flatnonzero(x).tolist()


def test_all_take_part_if_fewer_are_there_than_wanted() -> None:
    community = build(MIXED, initial=InitialSpec(participating=ExactCount(count=1000)), leaders=NOBODY_LEADS)
    assert np.array_equal(community.participating, community.aware)


def test_listed_participants() -> None:
    who = ListedResidents(residents=(3, 5))
    community = build(
        MIXED, initial=InitialSpec(aware="participants", participating=who), leaders=NOBODY_LEADS
    )
    assert np.flatnonzero(community.participating).tolist() == [3, 5]
    with pytest.raises(ScenarioError, match=r"residents\[1\]: resident 5 is not there; allowed are 0 to 3"):
        build(MIXED, 4, initial=InitialSpec(participating=who), leaders=NOBODY_LEADS)


@pytest.mark.parametrize("kind", ["households", "erdos_renyi", "well_mixed"])
def test_it_does_not_matter_which_number_a_resident_has(kind: str) -> None:
    """The first and the second half of the numbers are alike in the mean over communities."""
    rows = []
    for number in range(60):
        c = build(KINDS[kind], number=number)
        for values in (c.degree, c.group, c.is_leader, c.member_of >= 0, c.aware, c.threshold, c.trust):
            rows.append(values[:200].mean(dtype=np.float64) - values[200:].mean(dtype=np.float64))
    differences = np.array(rows).reshape(60, -1)
    error = differences.std(axis=0, ddof=1) / np.sqrt(60)
    assert (np.abs(differences.mean(axis=0)) <= 4 * error + 1e-12).all()
