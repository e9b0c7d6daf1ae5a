from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobsim.errors import ResultsError
from mobsim.experiment.table import HEAD, Table, Words, content_digest

COLUMNS: dict[str, Any] = {
    "point": [3, 3, 4],
    "arm": ["none", "ausbildung é", None],
    "reach": [0.1, float("nan"), -0.0],
    "met": [True, False, True],
}


def test_a_table_becomes_bytes_and_back() -> None:
    table = Table(COLUMNS)
    back = Table.from_bytes(table.to_bytes())
    assert back == table
    assert back.names == ("point", "arm", "reach", "met")
    assert len(back) == 3
    assert [back[name].tolist() for name in ("point", "arm", "met")] == [
        [3, 3, 4],
        ["none", "ausbildung é", None],
        [1, 0, 1],
    ]
    reach = back["reach"]
    assert isinstance(reach, np.ndarray)
    assert reach.tobytes() == np.array([0.1, np.nan, -0.0]).tobytes()  # also the sign of zero


def test_the_bytes_are_the_same_everywhere() -> None:
    """Written down: if this changes, ledgers of before cannot be compared with new ones."""
    assert Table(COLUMNS).digest == "9aa8135b719520fdc0817ace4fc51e8168da774859690da814642b0a2fc1d37b"


def test_the_digest_is_of_the_content() -> None:
    table = Table(COLUMNS)
    assert content_digest(table.to_bytes()[: HEAD.size]) == table.digest
    for name, other in (
        ("point", [3, 3, 5]),
        ("arm", ["none", "ausbildung é", "none"]),
        ("reach", [0.1] * 3),
    ):
        assert Table({**COLUMNS, name: other}) != table
    assert Table(dict(reversed(COLUMNS.items()))) != table


def test_words_are_coded_by_first_use() -> None:
    coded = Words(np.array([2, -1, 0, 2], dtype=np.int32), ("b", "unused", "a"))
    assert Table({"arm": coded}) == Table({"arm": ["a", None, "b", "a"]})


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=20))
def test_any_words(words: list[str | None]) -> None:
    column = Table.from_bytes(Table({"word": Words.of(words)}).to_bytes())["word"]
    assert column.tolist() == words


@pytest.mark.parametrize("rows", [0, 1])
def test_small_tables(rows: int) -> None:
    table = Table({"point": np.zeros(rows, dtype=np.int32), "arm": Words.of(["none"] * rows)})
    assert len(Table.from_bytes(table.to_bytes())) == rows
    assert len(Table.from_bytes(Table({}).to_bytes())) == 0


def test_tables_travel_packed() -> None:
    table = Table({"x": np.zeros(100_000)})
    assert len(pickle.dumps(table)) < 10_000
    assert pickle.loads(pickle.dumps(table)) == table
    assert hash(table) == hash(pickle.loads(pickle.dumps(table)))


def test_rows_and_joined() -> None:
    table = Table(COLUMNS)
    parts = [table.rows(slice(2, 3)), table.rows(np.array([True, False, False])), table.rows(np.array([1]))]
    assert Table.joined(parts)["arm"].tolist() == [None, "none", "ausbildung é"]
    assert Table.joined([table.rows(slice(0, 2)), table.rows(slice(2, 3))]) == table
    with pytest.raises(ValueError, match="different columns"):
        Table.joined([table, Table({"point": [1]})])


def test_data_frames() -> None:
    frame = pd.DataFrame({"point": [1, 2], "arm": ["a", None], "x": [0.5, np.nan]})
    table = Table.from_frame(frame)
    assert table == Table({"point": [1, 2], "arm": ["a", None], "x": [0.5, np.nan]})
    assert table.to_frame(["x", "arm"]).columns.tolist() == ["x", "arm"]
    assert table.to_frame()["arm"].isna().tolist() == [False, True]
    assert Table.from_frame(table.to_frame()) == table
    categories = frame.assign(arm=pd.Categorical(["a", None]), point=pd.array([1, 2], dtype="int32"))
    assert Table.from_frame(categories).digest == table.digest


def test_what_is_no_table() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Table({"a": [1], "b": [1, 2]})
    with pytest.raises(ValueError, match=r"column 'a': found complex128; allowed are whole numbers, numbers"):
        Table({"a": np.array([1j])})
    with pytest.raises(ValueError, match="found 2 dimensions"):
        Table({"a": np.zeros((2, 2))})
    with pytest.raises(ResultsError, match="does not begin"):
        Table.from_bytes(b"mobsim")


def test_every_flipped_byte_is_detected_or_changes_nothing() -> None:
    packed = Table(COLUMNS).to_bytes()
    for place in range(len(packed)):
        for bit in (1, 128):
            flipped = bytearray(packed)
            flipped[place] ^= bit
            try:
                back = Table.from_bytes(bytes(flipped))
                same = back.names == tuple(COLUMNS) and Table(back.columns) == Table(COLUMNS)
            except ResultsError:
                continue
            assert same
    for length in range(len(packed)):
        with pytest.raises(ResultsError):
            _ = Table.from_bytes(packed[:length]).columns
