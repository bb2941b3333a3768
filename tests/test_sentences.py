"""Laws of the sentences that lists come with: reasons that say something, over many algorithms."""

import pytest

from matinee.algorithms import EASE, MF, NMF, ImplicitALS, ItemKNN
from matinee.explain.explanation import LEAST_OF_LEAD, Explanation
from matinee.explain.term import TELLING, Term
from matinee.sources.sample import sample

ALGORITHMS = {
    "nmf": NMF(n_factors=8, n_epochs=10),
    "mf": MF(n_factors=8, n_epochs=5),
    "implicit-als": ImplicitALS(n_factors=8, n_epochs=3),
    "ease": EASE(),
    "item-knn": ItemKNN(),
}


@pytest.fixture(scope="module", params=ALGORITHMS)
def explanations(request):
    """Of what is listed for some people, what they have rated included, in every view."""
    model = ALGORITHMS[request.param].fit(sample())
    return [
        why
        for user in model.users.ids[:15].tolist()
        for by in model.views
        for why in model.explain_each(
            user, model.recommend(user, 10, exclude_seen=False).item_id, by
        )
    ]


def test_no_film_is_the_reason_for_itself(explanations):
    for why in explanations:
        own = [term.name for term in why.reasons() if term.kind == "rating"]
        assert why.title not in own


def test_no_reason_is_worth_less_than_a_tenth_of_the_lead_where_one_is(explanations):
    for why in explanations:
        lead = abs(why.score - why.usual)
        values = [abs(term.value) for term in why.reasons()]
        if max(values, default=0) >= LEAST_OF_LEAD * lead:
            assert min(values, default=lead) >= LEAST_OF_LEAD * lead


def test_no_row_but_the_base_is_zero_and_rows_add_up(explanations):
    for why in explanations:
        values = [value for _, value, _, _ in why.rows()]
        assert all(values[1:])
        assert round(sum(values), 2) == round(why.score, 2)


def test_names_are_not_wrapped_in_asterisks(explanations):
    for why in explanations:
        assert "*" not in why.sentence()


def test_a_small_taste_does_not_speak_for_a_film_that_all_rate_high():
    terms = (
        Term("average of all ratings", 3.5, "base"),
        Term("how this is rated", 0.9, "item"),
        Term("Children", 0.03, "taste"),
        Term("Crime", 0.02, "taste"),
    )
    why = Explanation(
        "7", "g", "Goodfellas", "factor", 4.45, 4.45, "personal", terms, usual=3.5, n_raters=100
    )
    assert {term.kind for term in why.reasons()} == {"item"}
    assert why.sentence() == "Goodfellas, because those who rated it rate it high."
    assert "item" in TELLING


def test_many_small_ratings_are_still_named():
    terms = (
        Term("average of all ratings", 3.5, "base"),
        *(Term(f"Film {n}", 0.05, "rating", "you gave 5") for n in range(20)),
        Term("Heat", 0.3, "rating", "you gave 4"),
    )
    why = Explanation("7", "h", "Heat", "history", 4.8, 4.8, "personal", terms, usual=3.5)
    assert why.sentence() == "Heat, because you gave 5 to Film 0 and 5 to Film 1."
