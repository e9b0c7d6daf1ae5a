"""The points of every kind of design: known values, their order, and files of points."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mobsim.errors import UsageError
from mobsim.experiment.design import InvalidDesign, design_of
from mobsim.experiment.factors import Factor
from mobsim.experiment.points import points_of, unit_points
from mobsim.scenario.document import Document

pytestmark = pytest.mark.quick

RANGE = Factor("weight", ("behaviour.social_weight",), low=0.0, high=1.0, base=0.5)
WHOLE = Factor("wins", ("behaviour.max_wins",), low=0, high=4, whole=True, base=4)
LOG = Factor("cost", ("activities.visit.cost",), low=1.0, high=100.0, scale="log", base=1.0)
WORDS = Factor("policy", ("arms.mixed.policy",), values=("fixed", "reasons", "marginal"), base="fixed")
FACTORS = (RANGE, WHOLE, LOG)

SPECS = {
    "behaviour.social_weight": {"low": 0, "high": 1, "levels": 3},
    "behaviour.max_wins": {"low": 0, "high": 4, "whole": True, "levels": 2},
    "activities.visit.cost": {"low": 1, "high": 100, "scale": "log", "levels": 3},
}


def design(folder=None, **kind):
    data = {"name": "x", "scenario": "harm_demo", "factors": SPECS, "design": kind}
    return design_of(Document(data, folder=folder))


def rows(points):
    return [tuple(point.values()) for point in points]


# Written down once; another machine, and another version of scipy or SALib, must give the same.
KNOWN = {
    "latin_hypercube": [(0.5505352033, 4, 16.00753431), (0.7827937142, 1, 8.230371828)],
    "sobol": [(0.6504268516, 4, 1.588228354), (0.147106126, 1, 17.73883521)],
    "halton": [(0.9739290315, 4, 2.782807027), (0.4739290315, 3, 17.55832532)],
    "saltelli": [(0.5792599907, 3, 91.99328221), (0.6956309993, 3, 91.99328221)],
    "morris": [(0.3333333333, 0, 1.0), (1.0, 0, 1.0), (1.0, 0, 21.5443469), (1.0, 3, 21.5443469)],
}


@pytest.mark.parametrize("kind", KNOWN)
def test_the_same_seed_gives_the_same_points(kind):
    size = {"trajectories": 2} if kind == "morris" else {"points": 4}
    found = points_of(design(kind=kind, seed=7, **size), FACTORS)
    assert rows(found)[: len(KNOWN[kind])] == KNOWN[kind]
    assert len(found) == {"saltelli": 4 * 5, "morris": 2 * 4}.get(kind, 4)
    assert rows(points_of(design(kind=kind, seed=8, **size), FACTORS)) != rows(found)


def test_pairs_take_more_points():
    pairs = design(kind="saltelli", points=4, second_order=True)
    assert unit_points(pairs, 3).shape == (4 * 8, 3)


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol", "halton"])
def test_points_fill_every_quarter_of_every_range(kind):
    found = unit_points(design(kind=kind, points=16, seed=3), 3)
    assert found.shape == (16, 3)
    assert found.min() >= 0
    assert found.max() < 1
    counts = [np.bincount((column * 4).astype(int), minlength=4) for column in found.T]
    assert min(count.min() for count in counts) >= 3


def test_trajectories_of_morris_change_one_factor_at_a_time():
    found = unit_points(design(kind="morris", trajectories=3, levels=4), 3).reshape(3, 4, 3)
    assert set(np.round(found.ravel() * 3).astype(int)) <= {0, 1, 2, 3}
    assert ((np.diff(found, axis=1) != 0).sum(axis=2) == 1).all()


def test_a_grid_holds_every_combination_in_order():
    found = rows(points_of(design(kind="grid"), (WORDS, Factor("x", ("x",), low=0.0, high=1.0, levels=2))))
    assert found == [(word, x) for word in WORDS.values for x in (0.0, 1.0)]


def test_one_at_a_time_starts_from_the_base():
    found = rows(points_of(design(kind="one_at_a_time"), (RANGE, WORDS)))
    assert found == [(0.5, "fixed"), (0.0, "fixed"), (1.0, "fixed"), (0.5, "reasons"), (0.5, "marginal")]


def test_one_at_a_time_needs_a_base():
    apart = Factor("weight", ("a.b", "a.c"), low=0.0, high=1.0, has_base=False)
    with pytest.raises(InvalidDesign, match="no base to start from; allowed in one_at_a_time"):
        points_of(design(kind="one_at_a_time"), (apart,))


def test_a_missing_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "SALib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    with pytest.raises(UsageError, match=r'kind saltelli needs: pip install "mobsim\[sensitivity\]"'):
        points_of(design(kind="saltelli", points=4), FACTORS)


def of_file(folder, text, factors=(RANGE, WORDS)):
    (folder / "points.csv").write_text(text, encoding="utf-8")
    return points_of(design(folder, kind="points", file="points.csv"), factors)


def test_points_of_a_file_keep_their_order(tmp_path):
    found = of_file(tmp_path, "policy,weight\nreasons,0.25\n\nfixed,1\nfixed,1\n")
    assert rows(found) == [(0.25, "reasons"), (1, "fixed"), (1, "fixed")]
    free = Factor("free", ("x",))
    assert rows(of_file(tmp_path, "free\ntrue\nnull\n2\n2.5\nword\n1e3\n", (free,))) == [
        (value,) for value in (True, None, 2, 2.5, "word", 1000.0)
    ]


def test_labels_stand_for_values_in_a_file(tmp_path):
    kinds = ({"kind": "ring"}, {"kind": "complete"})
    network = Factor("network", ("community.network",), values=kinds, labels=("round", "all"))
    assert rows(of_file(tmp_path, "network\nall\nround\n", (network,))) == [(kinds[1],), (kinds[0],)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "points.csv, line 1: the file is empty; allowed: a header"),
        ("weight,policy\n", "points.csv, line 1: the file has no row; allowed: a header"),
        ("wieght,policy\n1,fixed\n", "line 1: column 'weight' is missing"),
        (
            "wieght,policy\n1,fixed\n",
            "column 'wieght' is no factor; allowed: weight, policy; did you mean 'weight'?",
        ),
        ("weight,policy,weight\n1,fixed,1\n", "line 1: column 'weight' stands twice; allowed: once"),
        ("weight,policy\n1,fixed\n2,fixed\n", "line 3: weight is '2'; allowed: a number from 0 to 1"),
        ("weight,policy\n\n,fixed\n", "line 3: weight is ''; allowed: a value"),
        (
            "weight,policy\n1,fixt\n",
            "policy is 'fixt'; allowed: fixed, reasons, marginal; did you mean 'fixed'?",
        ),
        ("weight,policy\n1\n", "line 2: the line has 1 cells; allowed: 2, as in the header"),
    ],
)
def test_a_mistake_in_a_file_names_the_line(tmp_path, text, sentence):
    with pytest.raises(InvalidDesign) as caught:
        of_file(tmp_path, text)
    assert any(sentence in found for found in caught.value.sentences)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "points.csv").write_bytes(b"weight,policy\n1,fixed\n\xff\n")
    with pytest.raises(InvalidDesign, match="line 3: a byte is not UTF-8"):
        points_of(design(tmp_path, kind="points", file="points.csv"), (RANGE, WORDS))
    with pytest.raises(InvalidDesign, match=r"design.file is 'none.csv', which cannot be read"):
        points_of(design(tmp_path, kind="points", file="none.csv"), (RANGE, WORDS))
