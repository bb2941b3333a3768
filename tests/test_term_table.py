"""Tables of terms against lists of them: the same terms, sums and reasons, made where looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.explain.reasons import VISIBLE, Arguments
from matinee.explain.rests import CHOSEN, FIXED, OTHER, shown_of
from matinee.explain.rests import NAMES as REST_NAMES
from matinee.explain.term import CHOSE, Label, Term
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
    opposite=st.none(),
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
    for kind in ("rating", "taste", "base"):
        own = [term.value for term in terms if term.kind == kind]
        assert found.total(kind) == pytest.approx(sum(own))


MANY_KINDS = st.builds(
    Term,
    st.sampled_from(NAMES),
    st.sampled_from([-1.5, -0.25, -0.004, 0.0, 0.004, 0.5, 0.5, 2.0]),
    st.sampled_from(["base", "item", "rating", "taste", "choice", "remainder"]),
    detail=st.sampled_from(["you gave 4", CHOSE]),
    opposite=st.none(),
)


def shown_one_by_one(terms, most):
    """The terms that always are shown, the largest others, and the rest of each kind as its sum."""
    others = sorted(
        (one for one in terms if one.kind not in FIXED), key=lambda one: -abs(one.value)
    )
    rests = {}
    for term in others[most:]:
        chose = term.kind == "rating" and term.detail == CHOSE
        name = CHOSEN if chose else REST_NAMES.get(term.kind, OTHER)
        rests.setdefault(name, []).append(term)
    sums = [
        own[0] if len(own) == 1 else Term(f"{len(own)} {name}", sum(t.value for t in own), "rest")
        for name, own in rests.items()
    ]
    return (*(one for one in terms if one.kind in FIXED), *others[:most], *sums)


@given(st.lists(st.lists(MANY_KINDS, max_size=9), min_size=1, max_size=4), st.integers(0, 4))
def test_what_is_shown_of_several_items_is_what_each_shows_alone(rows, most):
    table = TermTable.of_rows(rows)
    for terms, shown in zip(table.rows(), shown_of(table, most), strict=True):
        assert shown.terms(terms) == shown_one_by_one(list(terms), most)


@given(st.lists(st.lists(MANY_KINDS, max_size=9), min_size=1, max_size=4), st.data())
def test_arguments_are_the_sums_of_the_terms_that_say_so(rows, data):
    table = TermTable.of_rows(rows)
    signs = data.draw(st.lists(st.sampled_from([1, -1]), min_size=len(rows), max_size=len(rows)))
    unsaid = np.array([[data.draw(st.booleans()) for _ in table.labels] for _ in rows], bool)
    unsaid = unsaid.reshape(table.values.shape)
    arguments = Arguments(table, np.array(signs), unsaid)
    for place, (terms, sign) in enumerate(zip(table.rows(), signs, strict=True)):
        for at, kind in enumerate(arguments.kinds):
            own = [
                (sign * terms.cells[column], column)
                for column in table.columns_of[kind]
                if not unsaid[place, column]
            ]
            for_it = [(value, column) for value, column in own if value >= VISIBLE]
            assert arguments.nets[place][at] == pytest.approx(sum(value for value, _ in own))
            assert arguments.sums[place][at] == pytest.approx(sum(value for value, _ in for_it))
            in_order = [column for _, column in sorted(for_it, key=lambda one: (-one[0], one[1]))]
            assert arguments.columns(kind, place) == in_order
