from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from mobsim.report.tables import csv_of, csv_of_rows, number

pytestmark = pytest.mark.quick


def test_every_kind_of_column_reads_back() -> None:
    table = pd.DataFrame(
        {
            "word": ["plain", 'say "yes", please', "two\nlines"],
            "share": [1 / 3, np.nan, -0.0],
            "count": [1, -2, 3],
            "met": [True, False, True],
            "further": pd.array([1, None, 3], dtype="Int64"),
            "mixed": [None, 0.5, "x"],
        }
    )
    rows = list(csv.reader(io.StringIO(csv_of(table).decode())))
    assert rows == [
        ["word", "share", "count", "met", "further", "mixed"],
        ["plain", "0.3333333333", "1", "1", "1", ""],
        ['say "yes", please', "", "-2", "0", "", "0.5"],
        ["two\nlines", "0", "3", "1", "3", "x"],
    ]


def test_ten_digits_are_kept_over_all_magnitudes() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=400) * 10.0 ** random.integers(-12, 12, 400)
    written = csv_of(pd.DataFrame({"x": values})).decode().splitlines()[1:]
    np.testing.assert_allclose([float(word) for word in written], values, rtol=1e-9)
    assert written == [number(value) for value in values]


def test_an_empty_table_keeps_its_header() -> None:
    assert csv_of(pd.DataFrame(columns=["a", "b"])) == b"a,b\n"
    assert csv_of(pd.DataFrame({"a": pd.array([], dtype="float64")})) == b"a\n"
    assert csv_of_rows(("a",), []) == b"a\n"
