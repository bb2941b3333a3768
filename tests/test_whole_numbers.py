"""Files of whole numbers alone are read as DuckDB reads them, and all others are left to it."""

import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

import matinee
from matinee.sources import delimited, whole_numbers
from matinee.sources.whole_numbers import MOST, columns_of_numbers

PIECES = ["0", "1", "27", "007", str(MOST), str(MOST + 1), "9" * 25, "-1", ".5", "٣", "\r", ":"]


def naive(text, delimiter, n_columns):
    """The numbers of a file, field by field, or None where one is not written as a number is."""
    lines = (text if text.endswith("\n") else text + "\n").split("\n")[:-1]
    rows = [line.split(delimiter) for line in lines]
    if any(len(row) != n_columns for row in rows):
        return None
    fields = [field for row in rows for field in row]
    if not all(re.fullmatch("0|[1-9][0-9]*", field) for field in fields):
        return None
    numbers = np.array([int(field) for field in fields], dtype=object).reshape(-1, n_columns)
    return None if numbers.max() > MOST else numbers.T.tolist()


@given(
    st.lists(st.sampled_from([*PIECES, "\n", "\t", "::", "::", "5", "6"]), min_size=1),
    st.sampled_from(["\t", "::", " "]),
)
@example(["1", "::", "27", "\n", "0", "::", str(MOST), "\n"], "::")
@example(["1", "::", "27", "\n", "0", "::", "007"], "::")
@example(["1", "\t", "27", "\n", "5", "::", "6"], "::")
def test_numbers_are_those_of_the_slow_twin(tmp_path_factory, pieces, delimiter):
    text = "".join(pieces)
    path = tmp_path_factory.mktemp("numbers") / "r.dat"
    path.write_bytes(text.encode())
    columns = columns_of_numbers(path, delimiter.encode(), 2)
    expected = naive(text, delimiter, 2)
    assert (columns is None) == (expected is None)
    assert columns is None or [column.tolist() for column in columns] == expected


def test_blocks_end_with_lines(tmp_path, monkeypatch):
    rows = [(n, 7 * n % 101, n % 5 + 1) for n in range(1, 400)]
    path = tmp_path / "r.dat"
    path.write_text("\n".join("::".join(map(str, row)) for row in rows))
    for block in (1, 8, 100, 1 << 20):
        monkeypatch.setattr(whole_numbers, "BLOCK", block)
        columns = columns_of_numbers(path, b"::", 3)
        assert columns is not None
        assert np.transpose(columns).tolist() == [list(row) for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "1::10::5::978300760\n1::7::3::0\n2::10::1::978300761\n",
        "3\t1000000\t4\n3\t1\t2\n900000000\t1\t5",  # ids larger than the table of codes
        "1|2\n1|3\n2|2\n",
        "10 3 2\n9 3 1\n10 4 2\n",
    ],
)
def test_a_small_file_is_the_same_by_rows(tmp_path, monkeypatch, text):
    path = tmp_path / "r.txt"
    path.write_text(text)
    options = {"duplicates": "count"} if "|" in text else {}
    assert_same_by_rows(monkeypatch, path, **options)


@pytest.mark.parametrize("data_set", ["ml_100k", "ml_1m"])
def test_real_data_are_the_same_by_rows(request, monkeypatch, data_set):
    assert_same_by_rows(monkeypatch, request.getfixturevalue(data_set))


def assert_same_by_rows(monkeypatch, path, **options):
    """Read a file in both ways; the first must not need DuckDB."""
    with monkeypatch.context() as patch:
        patch.setattr("matinee.sources.duck.connection", None)
        ratings = matinee.read_ratings(path, **options)
    with monkeypatch.context() as patch:
        patch.setattr(delimited, "table_of_numbers", lambda *_: None)
        by_rows = matinee.read_ratings(path, **options)
    assert ratings.fingerprint == by_rows.fingerprint
    assert ratings.scale == by_rows.scale
    assert str(ratings.report) == str(by_rows.report)
    for field in ("user", "item", "rating", "timestamp"):
        assert np.array_equal(getattr(ratings, field), getattr(by_rows, field))
