"""Cascades equal those of NDlib and cynetdiff wherever their rules are the same as mobsim's.

Where they are not the same, read in their sources (NDlib 6.0.1, cynetdiff 0.1.18):

* whom nobody influences: NDlib never lets them join and cynetdiff never looks at them; in mobsim they join
  where the threshold is 0 or less. Thresholds here are above 0.
* a share that is exactly the threshold: all three join. NDlib divides in double precision, which is right for
  every threshold of four decimals; cynetdiff adds up shares in single precision, so three thirds need not be
  1. For cynetdiff alone thresholds are moved off all shares by more than its rounding.
* NDlib's threshold model knows no weights: weights are held against cynetdiff, and against exact fractions.
* a chance of exactly 0 can succeed in both with a draw of exactly 0, once in 2**53 draws.
"""

from __future__ import annotations

import array
import importlib
import warnings
from collections import Counter
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from mobsim import build, load_scenario, simulate, spread
from mobsim.engine.records import PARTICIPATING

pytestmark = pytest.mark.quick

MOST = 12
"""Most people of a random network."""
MARGIN = Fraction(2, 10**6)
"""How far thresholds stay off shares for cynetdiff: its sums of at most eleven terms are exact to 1e-6."""

Tie = tuple[int, int]
Courses = npt.NDArray[np.bool_]
many = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def program(name: str) -> ModuleType:
    """Import another program's module, whatever it warns of, or skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(
            name.split(".")[0], reason=f"{name} is not installed; the group dev of pyproject.toml has it"
        )
        return importlib.import_module(name)


class Case:
    """A random network: ties (a, b), a influences b, and who starts."""

    def __init__(
        self, n: int, ties: list[Tie], weights: list[int], ten_thousandths: list[int], start: set[int]
    ):
        self.n, self.ties, self.start = n, ties, sorted(start)
        self.weight = dict(zip(ties, weights, strict=True))
        self.thresholds = [Fraction(t, 10_000) for t in ten_thousandths[:n]]

    def __repr__(self) -> str:
        return f"Case({self.n}, {self.weight}, {[str(t) for t in self.thresholds]}, start {self.start})"

    def total(self, who: int) -> int:
        return sum(weight for (_, b), weight in self.weight.items() if b == who)

    def off_all_shares(self) -> list[Fraction]:
        """Thresholds that differ from every share of the weights by more than `MARGIN`."""
        moved = []
        for who, threshold in enumerate(self.thresholds):
            total = max(1, self.total(who))
            while abs(threshold - Fraction(round(threshold * total), total)) <= MARGIN:
                threshold += Fraction(1, 10**5)
            moved.append(threshold)
        return moved


@st.composite
def cases(draw: st.DrawFn, *, weighted: bool = False) -> Case:
    n = draw(st.integers(2, MOST))
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    ties = sorted(draw(st.sets(st.sampled_from(pairs), min_size=1, max_size=min(len(pairs), 4 * n))))
    weights = draw(
        st.lists(st.integers(1, 8) if weighted else st.just(1), min_size=len(ties), max_size=len(ties))
    )
    # Shares with small denominators are drawn often, so that thresholds are met exactly.
    share = st.one_of(
        st.integers(1, 9_998), st.sampled_from([1250, 2000, 2500, 4000, 5000, 6000, 7500, 9998])
    )
    thresholds = draw(st.lists(share, min_size=n, max_size=n))
    start = draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=3))
    return Case(n, ties, weights, thresholds, start)


def mobsims(name: str, case: Case, network: dict[str, Any], behaviour: dict[str, Any]) -> Courses:
    """Return (steps, n) who takes part at the start and after each step. A group each, for the records."""
    overrides = {
        "community.residents": case.n,
        "community.groups": {f"node_{v}": {"share": 1 / case.n} for v in range(case.n)},
        "community.network": {
            "kind": "ties",
            "directed": True,
            "ties": [[b, a] for a, b in case.ties],
            **network,
        },
        "community.initial.participating": {"residents": case.start},
        "campaign.horizon_weeks": case.n + 1,
        "replicates.communities": 1,
        **behaviour,
    }
    scenario = load_scenario(f"limits/{name}", overrides=overrides)
    counts = simulate(scenario, arms=["none"], communities=1, luck=1, threads=1).counts[
        0, :, :, PARTICIPATING
    ]
    first = np.zeros((1, case.n), np.bool_)
    first[0, case.start] = True
    return np.concatenate([first, counts[:, build(scenario, 0).group] == 1])


def threshold_course(case: Case, thresholds: list[Fraction]) -> Courses:
    """mobsim's threshold cascade."""
    weights = [case.weight[tie] for tie in case.ties]
    behaviour = {
        "behaviour.share_exponent": 1,
        "behaviour.thresholds": {"kind": "values", "values": [float(t) for t in thresholds]},
    }
    return mobsims("linear_threshold", case, {"weights": weights}, behaviour)


def fractions_course(case: Case, thresholds: list[Fraction]) -> Courses:
    """The same from the definition, in exact fractions."""
    takes_part = set(case.start)
    course = []
    for _ in range(case.n + 2):
        course.append([who in takes_part for who in range(case.n)])
        takes_part |= {
            who
            for who in range(case.n)
            if (total := case.total(who))
            and sum(w for (a, b), w in case.weight.items() if b == who and a in takes_part)
            >= thresholds[who] * total
        }
    return np.array(course)


def ndlib_model(module: ModuleType, name: str, case: Case, seed: int = 1) -> tuple[Any, Any]:
    """A model of NDlib on the network, and what it is to be told."""
    graph = program("networkx").DiGraph()
    graph.add_nodes_from(range(case.n))
    graph.add_edges_from(case.ties)
    configuration = program("ndlib.models.ModelConfig").Configuration()
    configuration.add_model_initial_configuration("Infected", case.start)
    return getattr(module, name)(graph, seed=seed), configuration


def ndlib_course(model: Any, case: Case) -> Courses:
    """NDlib's cascade: everybody who is not susceptible."""
    course = []
    for _ in range(case.n + 2):
        model.iteration(node_status=False)
        course.append([model.status[who] != 0 for who in range(case.n)])
    return np.array(course)


def cynetdiff_ties(case: Case) -> tuple[array.array[int], array.array[int], list[Tie]]:
    """Where each one's ties start, whom they influence, and the ties in this order."""
    ties = sorted(case.ties)
    starts = [sum(a < who for a, _ in ties) for who in range(case.n)]
    return array.array("I", starts), array.array("I", [b for _, b in ties]), ties


def cynetdiff_course(model: Any, case: Case) -> Courses:
    """cynetdiff's cascade, from a model whose first participants are set."""
    course = np.zeros((case.n + 2, case.n), np.bool_)
    for step in range(case.n + 2):
        course[step, list(model.get_activated_nodes())] = True
        model.advance_model()
    return course


MET_EXACTLY = Case(
    7,
    [(0, 3), (1, 3), (2, 3), (4, 3), (5, 3), (3, 4), (0, 4), (3, 5), (4, 5), (0, 5)],
    [1] * 10,
    [5_000, 5_000, 5_000, 6_000, 10_000, 6_667, 1],
    {0, 1, 2},
)
"""Three of five at .6, then two of two at 1; two of three are not .6667; the last one has no ties."""


@many
@given(cases())
@example(MET_EXACTLY)
def test_threshold_cascades_are_ndlibs_step_by_step(case: Case) -> None:
    """Shares that are exactly the threshold are among them."""
    model, configuration = ndlib_model(program("ndlib.models.epidemics"), "ThresholdModel", case)
    for who, threshold in enumerate(case.thresholds):
        configuration.add_node_configuration("threshold", who, float(threshold))
    model.set_initial_status(configuration)
    np.testing.assert_array_equal(threshold_course(case, case.thresholds), ndlib_course(model, case))


@many
@given(cases(weighted=True))
def test_threshold_cascades_with_weights_are_cynetdiffs_step_by_step(case: Case) -> None:
    thresholds = case.off_all_shares()
    starts, edges, ties = cynetdiff_ties(case)
    influence = array.array("f", [case.weight[tie] / case.total(tie[1]) for tie in ties])
    model = program("cynetdiff.models").LinearThresholdModel(starts, edges, influence=influence)
    model.set_seeds(case.start)
    model._assign_thresholds(array.array("f", map(float, thresholds)))  # there is no public way
    np.testing.assert_array_equal(threshold_course(case, thresholds), cynetdiff_course(model, case))


@many
@given(cases(weighted=True))
@example(MET_EXACTLY)
def test_threshold_cascades_with_weights_are_those_of_exact_fractions(case: Case) -> None:
    """Shares that are exactly the threshold are among them, which cynetdiff could not be asked."""
    np.testing.assert_array_equal(
        threshold_course(case, case.thresholds), fractions_course(case, case.thresholds)
    )


def test_shares_that_are_met_exactly_are_enough() -> None:
    course = threshold_course(MET_EXACTLY, MET_EXACTLY.thresholds)
    assert course.argmax(axis=0)[[0, 1, 2, 3, 4, 5]].tolist() == [0, 0, 0, 1, 2, 3]
    assert not course[:, 6].any()


def cascade_course(case: Case, chances: dict[Tie, float]) -> Courses:
    """mobsim's independent cascade."""
    return mobsims("independent_cascade", case, {"transmission": [chances[tie] for tie in case.ties]}, {})


def ndlib_cascade(case: Case, chances: dict[Tie, float], seed: int = 1) -> Any:
    model, configuration = ndlib_model(
        program("ndlib.models.epidemics"), "IndependentCascadesModel", case, seed
    )
    for tie, chance in chances.items():
        configuration.add_edge_configuration("threshold", tie, chance)
    model.set_initial_status(configuration)
    return model


def cynetdiff_cascade(case: Case, chances: dict[Tie, float], seed: int = 1) -> Any:
    starts, edges, ties = cynetdiff_ties(case)
    probabilities = array.array("f", [chances[tie] for tie in ties])
    model = program("cynetdiff.models").IndependentCascadeModel(starts, edges, activation_probs=probabilities)
    model.set_rng(seed)
    model.set_seeds(case.start)
    return model


@many
@given(cases(), st.data())
def test_cascades_with_chances_of_0_and_1_are_theirs_step_by_step(case: Case, data: st.DataObject) -> None:
    chances = {tie: float(data.draw(st.booleans())) for tie in case.ties}
    course = cascade_course(case, chances)
    np.testing.assert_array_equal(course, ndlib_course(ndlib_cascade(case, chances), case))
    np.testing.assert_array_equal(course, cynetdiff_course(cynetdiff_cascade(case, chances), case))


# Chances in between: equal in distribution

EIGHT = Case(
    8,
    [(0, 1), (0, 2), (1, 2), (2, 1), (1, 3), (2, 4), (3, 4),
     (4, 3), (3, 5), (4, 6), (5, 6), (6, 7), (7, 5), (5, 0)],
    [1] * 14,
    [5_000] * 8,
    {0},
)  # fmt: skip
CHANCES = dict(
    zip(EIGHT.ties, [0.5, 0.3, 0.7, 0.2, 0.6, 0.4, 0.5, 0.25, 0.8, 0.3, 0.45, 0.9, 0.35, 0.5], strict=True)
)
RUNS = {"mobsim": 20_000, "cynetdiff": 20_000, "NDlib": 2_000}
SURE = 1e-4
"""The chance that a comparison of equal distributions would fail; seeds are fixed, so it does not change."""
RARE = 10
"""Courses with fewer expected runs than this in either sample are counted together."""


def ours(overrides: dict[str, Any] | None = None) -> list[tuple[int, ...]]:
    """How many take part after each step, and who at the end, in every run of mobsim."""
    found = spread(
        load_scenario(
            "limits/independent_cascade",
            overrides={
                "community.residents": EIGHT.n,
                "community.network": {
                    "kind": "ties", "directed": True, "ties": [[b, a] for a, b in EIGHT.ties],
                    "transmission": [CHANCES[tie] for tie in EIGHT.ties],
                },
                "campaign.horizon_weeks": EIGHT.n + 1,
                **(overrides or {}),
            },
        ),
        [EIGHT.start],
        luck=RUNS["mobsim"],
        threads=1,
    )  # fmt: skip
    return [
        (*counts.tolist(), *np.flatnonzero(final).tolist())
        for counts, final in zip(found.participating[0], found.final[0], strict=True)
    ]


def theirs(course: Courses) -> tuple[int, ...]:
    return (*course[1:].sum(axis=1).tolist(), *np.flatnonzero(course[-1]).tolist())


def chance_of_such_a_difference(one: list[tuple[int, ...]], other: list[tuple[int, ...]]) -> float:
    """The p-value of a chi-square test of two samples of courses; rare ones are one cell."""
    counts, others = Counter(one), Counter(other)
    share = min(len(one), len(other)) / (len(one) + len(other))
    cells: Counter[object] = Counter()
    cells_of_other: Counter[object] = Counter()
    for course in counts | others:
        often = (counts[course] + others[course]) * share >= RARE
        cell: object = course if often else "rare"
        cells[cell] += counts[course]
        cells_of_other[cell] += others[course]
    assert len(cells) > 10, "a comparison of so few cells would say little"
    table = np.array([[cells[c], cells_of_other[c]] for c in cells])
    return float(chi2_contingency(table).pvalue)


def test_cascades_with_other_chances_are_cynetdiffs_in_distribution() -> None:
    """20,000 runs each: how many take part after each step and who in the end, together."""
    model = cynetdiff_cascade(EIGHT, CHANCES, seed=5)
    sample = []
    for _ in range(RUNS["cynetdiff"]):
        model.reset_model()
        sample.append(theirs(cynetdiff_course(model, EIGHT)))
    assert chance_of_such_a_difference(ours(), sample) > SURE


def test_cascades_with_other_chances_are_ndlibs_in_distribution() -> None:
    """20,000 runs against 2,000 of NDlib."""
    model = ndlib_cascade(EIGHT, CHANCES, seed=6)
    sample = []
    for _ in range(RUNS["NDlib"]):
        model.reset(EIGHT.start)
        sample.append(theirs(ndlib_course(model, EIGHT)))
    assert chance_of_such_a_difference(ours(), sample) > SURE


def test_the_comparison_of_distributions_sees_a_second_try() -> None:
    """Two tries a tie instead of one would not pass."""
    assert chance_of_such_a_difference(ours(), ours({"behaviour.exposure_window": 2})) < SURE
