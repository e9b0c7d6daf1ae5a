"""Reading observed diffusion: what the files say, and how faults are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mobsim.analysis.diffusion.data import ObservedDiffusion, read_diffusion
from mobsim.errors import UsageError

pytestmark = pytest.mark.quick

PEOPLE = """id,toa,village,until,age,job
anna,1964,2,,31,farmer
bo,never,2,1965,,
cho,1966,10,,44,clerk

dan,,10,,52.5,farmer
"""
TIES = "from_whom,named,times\nbo,anna,2\nbo,anna,1\ncho,dan,4\n"
HOW = {"time": "toa", "community": "village", "last_seen": "until", "ego": "from_whom", "alter": "named"}

Read = Callable[..., ObservedDiffusion]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(people: str = PEOPLE, ties: str = TIES, **how: object) -> ObservedDiffusion:
        (tmp_path / "people.csv").write_text(people, "utf-8")
        (tmp_path / "ties.csv").write_text(ties, "utf-8")
        return read_diffusion(
            tmp_path / "people.csv", tmp_path / "ties.csv", **{**HOW, "value": "times", **how}
        )

    return of


def test_files_are_read(read: Read) -> None:
    data = read()
    assert data.ids == ("anna", "bo", "cho", "dan")
    assert (data.n_people, data.n_ties, data.n_periods, data.first_period) == (4, 2, 3, 1964)
    assert data.time.tolist() == [1, 0, 3, 0]
    assert data.adopted.tolist() == [True, False, True, False]
    assert data.last_seen.tolist() == [3, 2, 3, 3]
    assert data.community == ("2", "2", "10", "10")
    assert data.communities == ("2", "10")
    assert data.place_of_community.tolist() == [0, 0, 1, 1]
    assert data.periods.tolist() == [1964, 1965, 1966]
    assert list(data.covariates) == ["age", "job"]
    assert np.array_equal(data.covariates["age"], [31, np.nan, 44, 52.5], equal_nan=True)
    assert data.covariates["job"].tolist()[0] == "farmer"
    assert data.covariates["job"].isna().tolist() == [False, True, False, False]


def test_rows_of_one_pair_are_added_up(read: Read) -> None:
    assert read().value.tolist() == [3, 4]
    assert read(value=None).value.tolist() == [2, 1]


def test_a_number_can_mean_never_and_periods_can_be_named(read: Read) -> None:
    people = "id,toa\na,1\nb,11\nc,3\n"
    data = read(people, "from_whom,named\n", never=11, value=None, community=None, last_seen=None)
    assert data.time.tolist() == [1, 0, 3]
    assert data.n_periods == 3
    assert data.community == ("all",) * 3
    longer = read(
        people, "from_whom,named\n", never=11, first=0, last=10, value=None, community=None, last_seen=None
    )
    assert longer.n_periods == 11
    assert longer.time.tolist() == [2, 0, 4]


def test_tables_are_read_like_files(read: Read, tmp_path: Path) -> None:
    data = read()
    people, ties = pd.read_csv(tmp_path / "people.csv"), pd.read_csv(tmp_path / "ties.csv")
    again = read_diffusion(people, ties, value="times", **HOW)
    assert again.ids == data.ids
    assert np.array_equal(again.time, data.time)
    assert np.array_equal(again.last_seen, data.last_seen)
    assert np.array_equal(again.value, data.value)
    with pytest.raises(UsageError, match=r"^the table of people, row 2: toa is 'soon'; allowed is a whole"):
        read_diffusion(pd.DataFrame({"id": [1, 2], "toa": [3, "soon"]}), ties, time="toa")


def test_ties_outside_are_refused_or_dropped(read: Read) -> None:
    ties = TIES + "bo,ana,1\ndan,dan,1\n"
    with pytest.raises(UsageError, match=r"line 5: 'ana' in column 'named' is not .*; did you mean 'anna'\?"):
        read(ties=ties)
    data = read(ties=ties, outside="drop")
    assert (data.n_ties, data.left_out) == (2, 2)
    with pytest.raises(UsageError, match=r"line 5: 'dan' names itself"):
        read(ties=TIES + "dan,dan,1\n")


@pytest.mark.parametrize(
    ("people", "how", "sentence"),
    [
        ("", {}, "people.csv: the file is empty"),
        ("id,toa,village,until\n", {}, "people.csv: there are no people below the header"),
        (PEOPLE, {"time": "tao"}, "line 1: there is no column 'tao'; found are .*; did you mean 'toa'"),
        (
            PEOPLE.replace("1964", "x"),
            {},
            "line 2: toa is 'x'; allowed is a whole number, or blank for never",
        ),
        (PEOPLE.replace("1964", "19.5"), {}, "line 2: toa is '19.5'"),
        (PEOPLE, {"first": 1965}, "line 2: toa is '1964'; allowed are 1965 to 1966"),
        (PEOPLE, {"first": 1970}, "last: found 1966; allowed are labels of periods from 1970"),
        (PEOPLE, {"never": 11}, "never: found 11; no toa in "),
        (PEOPLE.replace("bo,", "anna,"), {}, r"line 3: the id 'anna' stands twice \(first on line 2\)"),
        (PEOPLE.replace("bo,", ","), {}, "line 3: the id is empty"),
        (PEOPLE.replace("never,2,", "never,,"), {}, "line 3: village is ''; allowed is the name"),
        (PEOPLE.replace("1965", "1999"), {}, "line 3: until is '1999'; allowed is a whole number from 1964"),
        (PEOPLE.replace("never", "1966"), {}, "line 3: until is 1965, before the person adopts in 1966"),
        (PEOPLE.replace("31,farmer", "31"), {}, "line 2: 5 values were found; the header names 6 columns"),
        ("id,id\n1,1\n", {}, "line 1: the column 'id' stands twice"),
        (PEOPLE.replace("1964", "19640101"), {}, "span .* periods; allowed are at most 10,000"),
        ("id,toa,village,until\na,,1,\n", {}, "nobody adopts; give first and last"),
    ],
)
def test_faults_are_told_in_one_sentence(
    read: Read, people: str, how: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        read(people, **how)


def test_faults_of_ties_and_files(read: Read, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ties.csv, line 2: times is '0'; allowed is a number above 0"):
        read(ties="from_whom,named,times\nbo,anna,0\n")
    with pytest.raises(UsageError, match=r"outside: found 'keep'; allowed are 'refuse' and 'drop'"):
        read(outside="keep")
    with pytest.raises(UsageError, match=r"nowhere.csv: the file cannot be read \(no such file"):
        read_diffusion(tmp_path / "nowhere.csv", tmp_path / "ties.csv")
    with pytest.raises(UsageError, match=r"people: found int; allowed are the name of a file and a table"):
        read_diffusion(3, 4)  # type: ignore[arg-type]
    (tmp_path / "people.csv").write_bytes(b"id,time\n\xff,1\n")
    with pytest.raises(UsageError, match=r"people.csv, line 2: this is not UTF-8"):
        read_diffusion(tmp_path / "people.csv", tmp_path / "ties.csv")


def test_arrays_that_do_not_fit_are_refused() -> None:
    frame = pd.DataFrame(index=range(2))
    one, none = np.ones(2, np.int64), np.zeros(0, np.int64)
    good = {"ids": ("a", "b"), "time": one, "last_seen": one, "community": ("x", "x"), "covariates": frame,
            "ego": none, "alter": none, "value": np.zeros(0), "n_periods": 1}  # fmt: skip
    assert ObservedDiffusion(**good).n_people == 2
    bad = [
        {"time": one[:1]}, {"time": 2 * one}, {"last_seen": 0 * one}, {"ego": one}, {"community": ("x",)},
        {"ego": np.array([2]), "alter": np.array([0]), "value": np.ones(1)},
        {"time": 2 * one, "last_seen": np.array([2, 1]), "n_periods": 2},
    ]  # fmt: skip
    for change in bad:
        with pytest.raises(UsageError):
            ObservedDiffusion(**{**good, **change})
