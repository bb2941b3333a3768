"""Laws of the sentences that lists come with: reasons that say something, over many algorithms."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import matinee
from matinee.algorithms import EASE, MF, NMF, Blend, ImplicitALS, ItemKNN
from matinee.explain.explanation import Explanation
from matinee.explain.reasons import LEAST_OF_LEAD, Reason
from matinee.explain.term import TELLING, Label, Opposite, Term
from matinee.explain.term_table import Terms
from matinee.explain.variety import varied
from matinee.models.explanations import ENOUGH
from matinee.models.list_tastes import choosing_parts
from matinee.sources.sample import sample
from matinee.tastes.names import is_much_like

ALGORITHMS = {
    "nmf": NMF(n_factors=8, n_epochs=10),
    "mf": MF(n_factors=8, n_epochs=5),
    "implicit-als": ImplicitALS(n_factors=8, n_epochs=3),
    "ease": EASE(),
    "item-knn": ItemKNN(),
}


@pytest.fixture(scope="module", params=ALGORITHMS)
def model(request):
    """A model of the sample."""
    return ALGORITHMS[request.param].fit(sample())


@pytest.fixture(scope="module")
def explanations(model):
    """Of what is listed for some people, what they have rated included, in every view."""
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


def test_what_is_rated_already_is_said_to_be(model, explanations):
    for why in explanations:
        person = model.person(why.user)
        own = person.ratings[person.items == model.items.row(why.item_id)]
        did = f"rated it {own[0]:g}" if len(own) and why.unit == "stars" else "chose it"
        only_says_so = why.sentence() == f"{why.title}: you {did} already."
        assert only_says_so == ("already" in why.sentence()) == bool(len(own))


def test_no_reason_is_worth_less_than_a_tenth_of_the_lead(explanations):
    for why in explanations:
        lead = abs(why.score - why.usual)
        assert all(abs(term.value) >= LEAST_OF_LEAD * lead for term in why.reasons())


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
        "7",
        "g",
        "Goodfellas",
        "factor",
        4.45,
        4.45,
        "personal",
        Terms.of(terms),
        usual=3.5,
        n_raters=100,
    )
    assert {term.kind for term in why.reasons()} == {"item"}
    assert why.sentence() == "Goodfellas, because those who rated it rate it high."
    assert "item" in TELLING


def test_many_small_ratings_speak_together():
    terms = (
        Term("average of all ratings", 3.5, "base"),
        *(Term(f"Film {n}", 0.05, "rating", "you gave 5") for n in range(20)),
        Term("Heat", 0.3, "rating", "you gave 4"),
    )
    why = Explanation("7", "h", "Heat", "history", 4.8, 4.8, "personal", Terms.of(terms), usual=3.5)
    assert why.sentence() == "Heat, because of how you rated Film 0, Film 1 and others."
    assert sum(term.value for term in why.reasons()) == pytest.approx(1.0)


def chosen_films(n):
    return (
        Term(f"Film {place}", 0.05, "rating", "you chose it", chosen=True) for place in range(n)
    )


def test_many_chosen_films_speak_together_in_the_words_of_one():
    why = film("Heat", *chosen_films(20))
    assert why.sentence() == "Heat, because you chose Film 0, Film 1 and others."


def test_two_films_that_speak_together_have_no_others():
    both = Reason(Terms.of(chosen_films(2)), [0, 1], 0.1, n_together=2)
    assert both.words(0) == "you chose Film 0 and Film 1"


def film(title, *terms):
    terms = (Term("average of all ratings", 3.5, "base"), *terms)
    score = sum(term.value for term in terms)
    return Explanation(
        "7", title, title, "factor", score, score, "personal", Terms.of(terms), usual=3.5
    )


def test_after_a_reason_that_is_everybodys_comes_one_of_ones_own():
    why = film("Heat", Term("chosen by many", 2.0, "popularity"), Term("Crime", 0.5, "taste"))
    assert why.sentence() == "Heat, because many choose it, and it suits your taste in Crime."
    why = film("Heat", Term("Crime", 2.0, "taste"), Term("chosen by many", 0.5, "popularity"))
    assert why.sentence() == "Heat, because it suits your taste in Crime."


def test_the_largest_reason_leads_however_much_others_of_a_kind_say_together():
    """The ratings are worth more in all, but each of those named less."""
    ratings = [Term("Alien", 8.9, "rating", "you gave 4"), *chosen_films(400)]
    taste = Term("you choose Sci-Fi", 21.6, "choice", said="Sci-Fi")
    many = Term("chosen by many", 14.1, "popularity")
    assert film("Aliens", *ratings, taste, many).sentence() == (
        "Aliens, because you tend to choose Sci-Fi."
    )
    assert film("Aliens", *ratings, taste._replace(fits=False), many).sentence() == (
        "Aliens, because many choose it, and you gave 4 to Alien."
    )


def test_how_few_rated_a_film_is_a_phrase_of_its_own():
    doubt = Term("few have rated it", -0.9, "certainty")
    why = replace(film("Heat", doubt, Term("Crime", -0.5, "taste")), n_raters=3)
    assert why.sentence() == "Heat scores below your average, because only 3 people rated it."


def test_a_taste_that_means_nothing_for_a_film_does_not_speak_for_it():
    """However much it adds: Goodfellas is no film for children."""
    children = Term("Children", 0.6, "taste", fits=False)
    why = film("Goodfellas", children, Term("Crime", 0.4, "taste"))
    assert why.sentence() == "Goodfellas, because it suits your taste in Crime."
    assert [name for name, *_ in why.rows()][1:] == ["Children", "Crime"]


def test_a_worn_out_reason_gives_way_to_the_next():
    whys = [
        film(str(n), Term("Crime", 2.0, "taste"), Term("Drama", 1.0, "taste")) for n in range(6)
    ]
    tastes = [one.sentence().split("taste in ")[1] for one in varied(whys, lambda why: ())]
    assert tastes == ["Crime and Drama."] * 2 + ["Drama."] * 2 + ["Crime.", "Drama."]


def test_a_name_is_given_by_at_most_a_third_of_a_list_also_beside_others():
    """Each film has a reason of its own, and all have Drama too."""
    whys = [
        film(str(n), Term(f"Taste {n}", 2.0, "taste"), Term("Drama", 1.0, "taste"))
        for n in range(6)
    ]
    tastes = [one.sentence().split("taste in ")[1] for one in varied(whys, lambda why: ())]
    assert tastes == [f"Taste {n} and Drama." for n in (0, 1)] + [
        f"Taste {n}." for n in (2, 3, 4, 5)
    ]


def test_of_small_terms_that_speak_together_others_are_named_where_some_are_worn_out():
    whys = [film(f"Heat {n}", *chosen_films(20)) for n in range(6)]
    films = [one.sentence().split("you chose ")[1] for one in varied(whys, lambda why: ())]
    named = Counter(
        name for words in films for name in words.removesuffix(" and others.").split(", ")
    )
    assert max(named.values()) <= 2
    assert len(named) == 6


def test_the_largest_term_is_named_where_small_ones_together_say_more():
    popular = Term("you choose popular films", 0.8, "choice", said="popular films")
    why = film("Heat", *chosen_films(20), popular)
    assert why.sentence() == (
        "Heat, because you chose Film 0, Film 1 and others, and you tend to choose popular films."
    )
    many = Term("chosen by many", 0.9, "popularity")
    assert film("Heat", *chosen_films(20), popular, many).sentence().endswith("and many choose it.")


@pytest.mark.parametrize("unit", ["stars", "points"])
def test_that_many_choose_it_is_said_once(unit):
    """Popular films of a decade say more than that."""
    many = Term("chosen by many", 2.0, "popularity")
    known = Term("how many know this", 2.0, "item")
    popular = Term("you choose popular films", 1.0, "choice", said="popular films")
    recent = Term("you choose popular 1990s films", 0.9, "choice", said="popular 1990s films")
    crime = Term("you choose Crime", 0.8, "choice", said="Crime")

    def reasons(*terms):
        return replace(film("Heat", *terms), unit=unit).sentence().removeprefix("Heat, because ")

    assert reasons(many, popular) == "many choose it."
    assert reasons(many, popular, crime) == "many choose it, and you tend to choose Crime."
    assert reasons(many, popular, recent).endswith("and you tend to choose popular 1990s films.")
    assert reasons(popular, crime) == "you tend to choose popular films and Crime."
    if unit == "points":
        assert reasons(known, popular) == "many people know it."


def test_many_small_choices_name_no_popular_films_where_many_choose_it():
    small = [
        Term(f"you choose {name}", 0.09, "choice", said=name)
        for name in ("popular films", "Crime", "Drama", "War", *map(str, range(16)))
    ]
    many = Term("chosen by many", 0.9, "popularity")
    assert film("Heat", *small, many).sentence() == (
        "Heat, because it has much of what you tend to choose, such as Crime and Drama, and many "
        "choose it."
    )


def test_stars_have_one_verb_and_choices_another():
    rated = [Term(f"Film {n}", 0.05, "rating", "you gave 5", chosen=True) for n in range(20)]
    assert film("Heat", *rated).sentence() == "Heat, because you rated Film 0, Film 1 and others."
    gave = Term("Alien", 0.9, "rating", "you gave 4")
    both = film("Heat", gave, Term("Jaws", 0.8, "rating", "you gave 5", chosen=True))
    assert both.sentence() == "Heat, because you gave 4 to Alien and you rated Jaws."


def test_where_all_reasons_are_worn_out_another_view_may_have_one():
    whys = [film(str(n), Term("Crime", 2.0, "taste")) for n in range(3)]

    def by_history(why):
        terms = (Term("Heat", 2.0, "rating", "you gave 5"),)
        return [replace(film(why.title, *terms), by="history")]

    assert [(one.by, one.sentence()) for one in varied(whys, by_history)] == [
        ("factor", "0, because it suits your taste in Crime."),
        ("history", "1, because you gave 5 to Heat."),
        ("factor", "2, because it suits your taste in Crime."),
    ]


@pytest.mark.parametrize("algorithm", [matinee.MF(n_factors=4, n_epochs=3), matinee.EASE()])
def test_a_list_has_the_verb_of_its_data_and_calls_what_has_no_title_an_item(algorithm):
    ratings = matinee.planted(60, 40, 3, density=0.5, seed=1)
    stars = np.clip(np.round(ratings.rating), 1, 5).astype(float)
    users, items = ratings.users.ids[ratings.user], ratings.items.ids[ratings.item]
    model = algorithm.fit(matinee.read_ratings((users, items, stars)))
    user = model.users.ids[0]
    whys = model.explain_list(user, model.recommend(user, 10).item_id)
    details = {term.detail for why in whys for term in why if term.kind == "rating"}
    for why in whys:
        assert why.sentence().startswith(f"item {why.item_id}")
    if model.kind == "rating":
        assert all(detail.startswith("you gave ") for detail in details)
        assert not any("you chose" in why.sentence() for why in whys)
    else:
        assert details == {"you chose it"}
        assert not any("you rated" in why.sentence() for why in whys)
    names = {term.name for why in whys for term in why if term.kind == "rating"}
    assert all(name.startswith("item ") for name in names)


def test_rows_that_would_contradict_each_other_in_words_are_told_apart_by_films():
    opposite = Opposite("Animation & Children", "films like Shrek & Up")
    label = Label("you choose Crime", "choice", said="Crime", opposite=opposite)
    brief = "you choose less than others: Animation & Children"
    chosen = Term("you choose Animation", 2.0, "choice", said="Animation")
    other = Term("you choose Western", 2.0, "choice", said="Western")
    unlike = Term("you choose anything but Animation", 2.0, "choice", said="anything but Animation")
    assert film("Heat", label.term(1.0)).rows()[1][0] == "you choose Crime"
    for one in (other, unlike, chosen._replace(value=-1.0)):
        assert brief in [name for name, *_ in film("Heat", label.term(-3.0), one).rows()]
    names = [name for name, *_ in film("Heat", label.term(-3.0), chosen).rows()[1:]]
    assert names == ["you choose less than others: films like Shrek & Up", "you choose Animation"]


def test_a_blend_gives_the_reasons_of_its_models():
    """And names the model that says most where reasons by model are asked for."""
    model = Blend(of=(EASE(), ImplicitALS(n_factors=3, n_epochs=3))).fit(sample())
    user = model.users.ids[0]
    listed = model.recommend(user, 10).item_id
    assert {why.by for why in model.explain_list(user, listed)} == {"history"}
    for why in model.explain_each(user, listed, "model"):
        largest = max((term for term in why if term.kind == "model"), key=lambda one: one.value)
        assert why.reason() == f"because {largest.said} scores it high."


# Lists of real people.

PLACES = 10
PEOPLE = 12


@pytest.fixture(scope="module", params=["sample", "ml-100k", "ml-latest-small"])
def data_set(request):
    return request.param


@pytest.fixture(scope="module", params=["nmf", "mf", "default"])
def list_model(request, list_models, data_set):
    """A model of stars, with lists by choice too."""
    return list_models(data_set, request.param)


@pytest.fixture(scope="module")
def lists(list_model):
    """The lists of a dozen people, with their reasons."""
    model = list_model
    users = model.users.ids[model.seen.counts > 0]
    some = users[:: len(users) // PEOPLE][:PEOPLE].tolist()
    listed = {user: model.recommend(user, PLACES).item_id for user in some}
    return [model.explain_list(user, items) for user, items in listed.items()]


def test_places_below_what_one_usually_gives_say_so(list_model, lists):
    """In words or in figures, from a twentieth of the scale on, and no other place does."""
    low, high = list_model.scale
    for why in (why for whys in lists for why in whys):
        own_mean = float(list_model.person(why.user).ratings.mean())
        is_low = why.predicted < min((low + high) / 2, own_mean)
        clearly = (high - low) / 20
        is_below = is_low or why.predicted < own_mean - clearly <= high - 2 * clearly
        assert ("you would probably rate it" in why.sentence()) == is_below
        assert "scores below" not in why.sentence()


def test_a_list_is_explained_once_by_each_view_however_many_places_need_it(list_model, monkeypatch):
    views = []

    def counted(self, user, items, by=None, of=None):
        views.append(by)
        return explain_each(self, user, items, by, of)

    explain_each = type(list_model).explain_each
    monkeypatch.setattr(type(list_model), "explain_each", counted)
    person = list_model.fold_in({list_model.items.ids[0]: list_model.scale.high})
    list_model.explain_list(person, list_model.recommend(person, PLACES).item_id)
    assert len(set(views)) == len(views)
    assert len(views) <= len(list_model.views)


@pytest.mark.parametrize("n_ratings", [1, ENOUGH - 1, ENOUGH])
def test_the_mean_of_a_few_ratings_is_no_average_to_speak_of(list_model, n_ratings):
    low, high = list_model.scale
    clearly = (high - low) / 20
    own_mean = high - 2 * clearly
    rated = list_model.items.ids[:n_ratings].tolist()
    person = list_model.fold_in(dict.fromkeys(rated, own_mean))
    listed = list_model.recommend(person, PLACES).item_id
    for why in list_model.explain_list(person, listed):
        is_below = why.predicted < own_mean - clearly
        assert (why.own_mean is not None) == (is_below and n_ratings >= ENOUGH)


def test_an_average_at_the_top_of_the_scale_is_not_held_against_a_film(list_model):
    """Below five stars lies nearly every film."""
    rated = dict.fromkeys(list_model.items.ids[:ENOUGH].tolist(), list_model.scale.high)
    person = list_model.fold_in(rated)
    listed = list_model.recommend(person, PLACES).item_id
    assert all(why.own_mean is None for why in list_model.explain_list(person, listed))


def test_who_gives_low_ratings_alone_is_not_told_that_every_film_is_low(list_model):
    hated = dict.fromkeys(list_model.items.ids[:3].tolist(), list_model.scale.low)
    person = list_model.fold_in(hated)
    items = list_model.recommend(person, PLACES).item_id
    for why in list_model.explain_list(person, items):
        assert why.predicted > list_model.scale.low
        assert "you would probably rate it" not in why.sentence()


def test_no_term_that_may_be_named_is_worth_more_than_the_sentence_says(list_model, lists):
    """But for one that is worth less than a tenth of the lead, which is no reason."""
    for user in {whys[0].user for whys in lists}:
        listed = list_model.recommend(user, PLACES).item_id
        for why in (one for one in list_model.explain_each(user, listed) if one.score > one.usual):
            said = sum(term.value for term in why.reasons())
            terms = [one for one in why if one.kind in TELLING and one.fits and not one.rated_low]
            largest = max(term.value for term in terms if term.name != why.title)
            assert largest <= max(said, LEAST_OF_LEAD * (why.score - why.usual)) + 1e-9


def test_at_most_a_third_of_a_list_has_the_same_sentence(lists):
    for whys in lists:
        sentences = Counter(why.sentence().removeprefix(why.title) for why in whys)
        assert max(sentences.values()) <= PLACES // 3


def test_every_place_has_a_reason_that_is_worth_a_tenth_of_its_lead(lists):
    for why in (why for whys in lists for why in whys):
        assert why.reasons()
        lead = abs(why.score - why.usual)
        assert all(abs(term.value) >= LEAST_OF_LEAD * lead for term in why.reasons())


def test_no_row_of_a_list_is_zero_and_rows_add_up(lists):
    for why in (why for whys in lists for why in whys):
        values = [value for _, value, _, _ in why.rows()]
        assert all(values[1:])
        assert round(sum(values), 2) == round(why.score, 2)


def test_no_listed_film_is_the_reason_for_itself(lists):
    for why in (why for whys in lists for why in whys):
        bare = why.title.rpartition(" (")[0]
        words = why.sentence().removeprefix(why.title)
        assert why.title not in words
        assert not any(f"{start}{bare} &" in words for start in ("like ", "such as "))


def test_choices_are_named_for_the_end_of_a_taste_where_the_film_stands(list_model, lists):
    """And whoever is at the other end is said to choose less of it than others."""
    (part,) = choosing_parts(list_model.ranker.models[1])
    n_less = 0
    for why in (one for listed in lists for one in listed):
        weights = part.item_factors[list_model.items.row(why.item_id)]
        ends = {card.named_for(weights[card.number]) for card in part.tastes()}
        for term in (one for one in why.terms if one.kind == "choice"):
            start = "you choose less than others: " if term.value < 0 else "you choose "
            assert term.name.removeprefix(start) in ends
            n_less += term.value < 0
    assert bool(n_less) != part.taste_space.only_adds


def test_no_row_of_a_list_contradicts_another(lists):
    for why in (one for listed in lists for one in listed):
        rows = [term for term in why.shown() if term.kind == "choice"]
        more = [term.called for term in rows if term.value > 0]
        less = [term.name.partition(": ")[2] for term in rows if term.value < 0]
        assert not any(is_much_like(one, other) for one in less for other in more)
