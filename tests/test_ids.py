"""Ids and rows: packed or not, the same map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.ids import IdMap
from matinee.data.texts import Texts
from matinee.errors import UnknownId

NUMBERS = st.integers(-10_000, 10_000).map(str) | st.sampled_from(["007", "07", "-0", "0"])
ODD = ["", "-", "1-2", "é", "\ud800", "\U0001f600", "\uffff"]


def packed(ids):
    """The same ids, kept packed however few they are."""
    return IdMap(ids.texts, ids.kind)


@given(st.lists(st.text(), max_size=20))
def test_any_texts_come_back_from_their_bytes(texts):
    found = Texts.of(texts)
    assert found.tolist() == list(found) == found.unpacked().tolist() == texts
    assert [found[row] for row in range(len(found))] == texts
    assert found[1:3].tolist() == texts[1:3]
    assert found[np.arange(len(texts))[::-1]].tolist() == texts[::-1]


@given(st.lists(NUMBERS | st.sampled_from(ODD), max_size=20), st.text() | NUMBERS)
def test_a_packed_map_answers_like_a_plain_one(texts, other):
    plain = IdMap.of(texts, "user")
    same = packed(plain)
    assert same == plain == same
    wanted = [*texts, other, "5", "-", "x"]
    assert same.rows(wanted).tolist() == plain.rows(wanted).tolist()
    assert [one in same for one in wanted] == [one in plain for one in wanted]
    assert same.ids.whole_numbers() == all(
        text.lstrip("-").isdecimal()
        and text[-1:].isascii()
        and text.count("-") <= 1
        and "-" not in text[1:]
        for text in texts
    )


def test_an_unknown_packed_id_is_refused_with_the_nearest():
    with pytest.raises(UnknownId, match="did you mean 'anna'"):
        packed(IdMap.of(["anna", "ben"], "user")).row("ana")


def test_maps_of_other_ids_differ():
    one, other = IdMap.of(["a", "b"], "user"), IdMap.of(["a", "c"], "user")
    assert packed(one) != packed(other)
    assert packed(one) != other
    assert one != IdMap.of(["a"], "user")


@pytest.mark.parametrize("n", [0, 1, 9, 10, 11, 100, 12_345, 123_456])
def test_rows_without_ids_are_counted(n):
    assert Texts.counting(n).tolist() == [str(row) for row in range(n)]
