"""Tables of terms against lists of them: the same terms, sums and reasons, made where looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.explain.term import Label, Term
from matinee.explain.term_table import NEGLIGIBLE, Terms, TermTable

NAMES = ["Alien", "Heat", "Up"]
VALUES = st.sampled_from([-1.5, -0.25, 0.0, 0.0, 0.5, 2.0])
TERMS = st.builds(
    Term,
    st.sampled_from(NAMES),
    VALUES,
    st.sampled_from(["rating", "taste"]),
    st.sampled_from(["", "you gave 4", "you chose it"]),
    chosen=st.booleans(),
    fits=st.booleans(),
)


def joined_one_by_one(terms):
    """Terms of one name and kind added to the first of them that is worth something."""
    found = {}
    for term in terms:
        if term.value:
            before = found.get((term.name, term.kind))
            value = term.value + (before.value if before else 0.0)
            found[term.name, term.kind] = (before or term)._replace(value=value)
    return [term for term in found.values() if term.value]


@given(st.lists(st.lists(TERMS, max_size=6), max_size=4))
def test_a_table_of_rows_gives_each_item_its_own_terms(rows):
    table = TermTable.of_rows(rows)
    own = [[term for term in terms if abs(term.value) > NEGLIGIBLE] for terms in rows]
    assert [list(terms) for terms in table.rows()] == own
    assert [len(terms) for terms in table.rows()] == list(map(len, own))


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["rating", "taste"])), max_size=8),
    st.data(),
)
def test_joined_terms_are_those_that_were_added_one_by_one(columns, data):
    labels = [Label(name, kind, f"detail {n}") for n, (name, kind) in enumerate(columns)]
    rows = [[data.draw(VALUES) for _ in labels] for _ in range(3)]
    table = TermTable(labels, np.array(rows).reshape(3, len(labels)))
    for terms, joined in zip(table.rows(), table.joined().rows(), strict=True):
        slow = joined_one_by_one(terms)
        assert sorted(joined) == sorted(slow)
        assert sum(term.value for term in joined) == sum(term.value for term in terms)
        assert len({(term.name, term.kind) for term in joined}) == len(joined)


def test_tables_side_by_side_are_the_terms_of_all_in_turn():
    base = TermTable.of_columns(2, (Label("average", "base"), 3.5), (Label("item", "item"), [1, 0]))
    own = TermTable.of_rows([[Term("Horror", 0.5, "taste", fits=False)], []])
    first, second = TermTable.side_by_side(base, own.times(2)).rows()
    assert list(first) == [
        Term("average", 3.5, "base"),
        Term("item", 1.0, "item"),
        Term("Horror", 1.0, "taste", fits=False),
    ]
    assert list(second) == [Term("average", 3.5, "base")], "what is worth nothing is no term"


@given(st.lists(TERMS, max_size=8))
def test_terms_are_a_sequence_with_sums(terms):
    found = Terms.of(terms)
    assert found == tuple(found)
    assert [found[at] for at in range(len(found))] == list(found)
    assert found[1:] == tuple(found)[1:]
    sizes = [abs(found.cells[column]) for column in found.by_size]
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(found.by_size) == found.columns
    for kind in ("rating", "taste", "base"):
        own = [term.value for term in terms if term.kind == kind]
        assert found.total(kind) == pytest.approx(sum(own))
