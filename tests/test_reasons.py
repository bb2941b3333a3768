"""What sets two items apart, what would change a recommendation: laws over all models, and by hand.

The slow twin of a counterfactual tries every set; that of a what-if folds a newcomer in.
"""

import html
import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from matinee.algorithms import ALGORITHMS, EASE, MF, NMF, BayesianMF, Bias, ItemKNN
from matinee.data.catalog import Catalog, Item
from matinee.data.rows import Rows
from matinee.errors import BadRatings, BadSetting, UnknownId
from matinee.explain.contrast import contrast
from matinee.explain.explanation import Explanation
from matinee.explain.ranks import ordinal, ranks
from matinee.explain.term import Term
from matinee.explain.term_table import Terms
from matinee.models.list_tastes import choosing_parts
from matinee.models.nearby_users import groups_of_people
from matinee.sources.synthetic import planted

MODELS = {
    "mf": MF(n_factors=3, n_epochs=5, reg=0.3),
    "sgd": MF(n_factors=3, n_epochs=20, reg=0.3, solver="sgd"),
    "nmf": NMF(n_factors=3, n_epochs=5),
    "bayesian": BayesianMF(n_factors=2, n_epochs=20, n_samples=3),
    "item-knn": ItemKNN(n_neighbors=5),
    "user-knn": ALGORITHMS["user-knn"](n_neighbors=10),
    "ease": EASE(reg=5.0),
    "blend": ALGORITHMS["blend"](of=(MF(n_factors=3, n_epochs=3), Bias())),
}


@pytest.fixture(scope="module")
def train():
    return planted(60, 40, 3, density=0.25, noise=1.5, seed=2)


@pytest.fixture(scope="module")
def models(train):
    return {name: algorithm.fit(train) for name, algorithm in MODELS.items()}


@pytest.fixture(params=MODELS)
def model(request, models):
    return models[request.param]


def list_score(model, user, item):
    """The score that ranks an item in a list, of one user."""
    return float(model.list_scores([user], model.items.rows([item]))[0, 0])


# Contrast.


def explanation(title, *terms, unit="stars"):
    score = sum(term.value for term in terms)
    return Explanation(
        "42", title, title, "factor", score, score, "personal", Terms.of(terms), unit
    )


def test_a_contrast_is_the_difference_of_two_explanations(model):
    first, second = model.recommend("3", 2).item_id
    for by in model.views:
        found = model.explain("3", first, by, versus=second)
        a, b = model.explain("3", first, by), model.explain("3", second, by)
        assert found.difference == pytest.approx(a.score - b.score)
        total = sum(term.value for term in found.terms)
        assert total == pytest.approx(found.difference, rel=1e-4, abs=1e-6)
        shown = round(100 * sum(value for _, value, _ in found.rows()))
        assert shown == round(100 * a.score) - round(100 * b.score), "as shown, too"
        sizes = [abs(term.value) for term in found.terms]
        assert sizes == sorted(sizes, reverse=True)
        assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
        assert found.sentence() in str(found)


def test_terms_are_joined_by_name_and_what_both_share_goes():
    a = explanation("Heat", Term("average", 3, "base"), Term("Crime", 0.5, "taste"))
    b = explanation(
        "Up",
        Term("average", 3, "base"),
        Term("Crime", 0.1, "taste"),
        Term("Children", 0.2, "taste"),
    )
    found = contrast(a, b)
    assert [(term.name, round(term.value, 9)) for term in found.terms] == [
        ("Crime", 0.4),
        ("Children", -0.2),
    ]
    assert found.sentence() == (
        "Heat stands 0.20 stars above Up, mostly because it has more of what you like (Crime)."
    )
    assert contrast(b, a).sentence() == (
        "Up stands 0.20 stars below Heat, mostly because it has less of what you like (Crime)."
    )
    assert contrast(a, a).sentence() == "Heat and Heat score the same for you."


def test_the_sentence_names_the_largest_term_that_points_that_way():
    rng, kinds = np.random.default_rng(4), ["taste", "item", "remainder"]
    for _ in range(200):
        a, b = (
            explanation(title, *(Term(f"T{n}", rng.normal(), kinds[n % 3]) for n in range(7)))
            for title in ("Heat", "Up")
        )
        found = contrast(a, b)
        sign = 1 if found.difference > 0 else -1
        largest, *rest = sorted(found.terms, key=lambda term: -sign * term.value)
        said = found.sentence()
        assert ("partly because" in said) == (largest.kind == "remainder")
        told = next(t for t in (largest, *rest) if t.kind != "remainder")
        if sign * told.value <= 0:
            assert "no one thing we know of says why" in said
            continue
        preference = f"of what you like ({told.called}"
        assert ("because those who rated it" if told.kind == "item" else preference) in said


@pytest.mark.parametrize(
    ("names", "above", "below"),
    [
        (
            ["Crime", "1980s Action & Sci-Fi"],
            "it has more of what you tend to choose (Crime; 1980s Action & Sci-Fi)",
            "it has less of what you tend to choose (Crime; 1980s Action & Sci-Fi)",
        ),
        (
            ["Crime", "anything but IMAX, Action"],
            "it has more of what you tend to choose (Crime) "
            "and less of what you seldom choose (IMAX, Action)",
            "it has less of what you tend to choose (Crime) "
            "and more of what you seldom choose (IMAX, Action)",
        ),
        (
            ["anything but Horror"],
            "it has less of what you seldom choose (Horror)",
            "it has more of what you seldom choose (Horror)",
        ),
    ],
)
def test_what_somebody_avoids_is_named_apart_from_what_draws_them(names, above, below):
    terms = [Term(f"you choose {one}", 1.0, "choice", said=one) for one in names]
    a, b = explanation("Heat", *terms), explanation("Up")
    assert contrast(a, b).sentence().endswith(f" above Up, mostly because {above}.")
    assert contrast(b, a).sentence().endswith(f" below Heat, mostly because {below}.")


@pytest.mark.parametrize(
    ("rated", "words"),
    [
        (["Alien"], "your rating of Alien speaks more for it"),
        (["Alien", "Jaws"], "your ratings of Alien and Jaws speak more for it"),
    ],
)
def test_ratings_that_set_items_apart_agree_with_their_verb(rated, words):
    a, b = explanation("Heat", *(Term(one, 1.0, "rating") for one in rated)), explanation("Up")
    assert contrast(a, b).sentence().endswith(f", mostly because {words}.")


def test_people_asked_about_two_items_are_not_the_same_people():
    a = explanation("Heat", Term("9 people like you gave 5", 0.5, "person"))
    b = explanation("Up", Term("7 people like you gave 4", 0.2, "person"))
    (term,) = contrast(a, b).terms
    assert (term.name, term.value) == ("people like you", pytest.approx(0.3))


def test_html_of_reasons_is_escaped(models):
    bad = "<img onerror=alert(1)>"
    a, b = explanation(bad, Term(bad, 0.5, "rating", bad)), explanation(bad)
    for page in (a._repr_html_(), contrast(a, b)._repr_html_()):
        assert "<img" not in page
        assert html.escape(bad) in page
        assert "<script" not in page
    answer = models["mf"].what_if("3", "1", change={"1": 2})
    assert "<td>rank</td>" in answer._repr_html_()


# People like you.


def test_people_are_told_of_five_at_a_time():
    ratings = np.array([5, 3, 5, 5, 4, 5, 5, 4.5, 1, 4, 2, 4])
    terms = groups_of_people(ratings, np.arange(12.0))
    assert [(term.name, term.value) for term in terms] == [
        ("5 people like you gave 5", 0 + 2 + 3 + 5 + 6),
        ("7 people like you gave 1 to 4.5", 7 + 4 + 9 + 11 + 1 + 10 + 8),
    ]
    (all_of_them,) = groups_of_people(None, np.ones(12))
    assert (all_of_them.name, all_of_them.value) == ("12 people like you chose it", 12)
    (few,) = groups_of_people(ratings[:4], np.ones(4))
    assert (few.kind, few.value) == ("remainder", 4)
    assert groups_of_people(ratings[:0], np.ones(0)) == []


def test_people_near_in_factor_space_are_those_of_a_slow_search(models):
    model = models["mf"]
    user, item = "3", model.recommend("3", 1).item_id[0]
    row, column = model.users.row(user), model.items.row(item)
    mine = model.user_factors[row]
    alike = {}
    for other in range(len(model.users)):
        items, stars = model.seen.row(other)
        if other != row and column in items:
            theirs = model.user_factors[other]
            cosine = mine @ theirs / np.sqrt((mine @ mine) * (theirs @ theirs))
            base = model.global_mean + model.user_bias[other] + model.item_bias[column]
            alike[other] = cosine, stars[list(items).index(column)] - base
    near = [pair for pair in alike.values() if pair[0] > 0]
    expected = sum(w * d for w, d in near) / sum(w for w, _ in near)
    terms = model.explain(user, item, by="people", of="stars").terms
    assert sum(t.value for t in terms if t.kind == "person") == pytest.approx(expected, rel=1e-4)
    assert terms[-1].name == "learned beyond people like you"


def test_a_factor_model_tells_of_no_fewer_than_five_people_either():
    train = planted(20, 40, 3, density=0.1, seed=2)
    rare = str(train.items.ids[np.argmin(train.by_item.counts)])
    terms = MODELS["mf"].fit(train).explain("3", rare, by="people").terms
    assert [term.name for term in terms if term.kind == "remainder"] == [
        "fewer than 5 people like you rated it"
    ]


# What if.


def history_of(model, user):
    items, ratings = model.seen.row(model.users.row(user))
    return dict(zip(model.items.ids[items].tolist(), ratings.tolist(), strict=True))


def test_what_if_is_a_newcomer_with_those_ratings_where_users_are_solved_last(models):
    for name in ("mf", "nmf", "bayesian", "item-knn", "ease", "blend"):
        model = models[name]
        history = history_of(model, "3")
        gone, other = list(history)[:2]
        item = model.recommend("3", 3).item_id[2]
        answer = model.what_if("3", item, without=[gone], change={other: 2})
        rest = {one: stars for one, stars in history.items() if one != gone} | {other: 2.0}
        twin = model.fold_in(rest)
        assert answer.score_after == pytest.approx(list_score(model, twin, item), abs=1e-4)
        assert answer.rank_before == 3
        unrated = [one for one in model.items if one not in history]
        listed = model.recommend(twin, 1000, items=unrated)
        assert answer.rank_after == listed.item_id.index(item) + 1
        assert answer.n_unseen == len(unrated)


def test_what_gradient_steps_learned_beyond_the_ratings_stays(models):
    model = models["sgd"]
    history = history_of(model, "3")
    gone = next(iter(history))
    item = model.recommend("3", 1).item_id[0]
    answer = model.what_if("3", item, without=[gone])
    rest = {one: stars for one, stars in history.items() if one != gone}
    folded = [list_score(model, model.fold_in(h), item) for h in (rest, history)]
    moved = answer.score_after - answer.score_before
    assert moved == pytest.approx(folded[0] - folded[1], abs=1e-4)
    same = model.what_if("3", item, change={gone: history[gone]})
    assert same.score_after == pytest.approx(same.score_before, abs=1e-5)


def test_every_model_answers_and_the_changed_person_can_be_asked(model):
    item = model.recommend("3", 1).item_id[0]
    gone = list(history_of(model, "3"))
    answer = model.what_if("3", item, without=gone[:1])
    assert list_score(model, answer.person, item) == pytest.approx(answer.score_after, abs=1e-5)
    assert gone[0] not in model.items.ids[answer.person.items]
    assert answer.sentence().startswith("Without ")
    assert json.loads(json.dumps(answer.to_dict())) == answer.to_dict()
    nobody = model.what_if("3", item, without=gone)
    assert nobody.person.strategy == "popular"
    newcomer = model.fold_in({"1": 5, "2": 3})
    assert model.what_if(newcomer, item, without=["1"]).user == "newcomer"


@pytest.mark.parametrize("name", ["mf", "nmf", "bayesian"])
def test_a_taste_can_be_turned_down(name, models):
    model = models[name]
    user, item, reasons = next(
        (user, item, terms)
        for user in model.users
        for item in model.items
        if (terms := [term for term in model.explain(user, item) if term.kind == "taste"])
    )
    taste = max(reasons, key=lambda term: abs(term.value))
    worth = of_taste(model.explain(user, item, by="factor").terms, taste.name)
    for asked in (taste.name, taste.name.upper()):
        answer = model.what_if(user, item, tastes={asked: 0})
        moved = answer.score_after - answer.score_before
        assert moved == pytest.approx(-worth, abs=1e-5)
    assert taste.called in answer.sentence()
    double = model.what_if(user, item, tastes={taste.name: 2})
    assert double.score_after - double.score_before == pytest.approx(worth, abs=1e-5)


def test_words_of_a_what_if(models):
    history = history_of(models["mf"], "3")
    a, b = list(history)[:2]
    new = next(one for one in models["mf"].items if one not in history)
    item = models["mf"].recommend("3", 2).item_id[1]
    said = models["mf"].what_if("3", item, without=[a], change={b: 1, new: 4}).sentence()
    title = models["mf"].catalog.called
    assert said.startswith(
        f"Without your {history[a]:g} for {title(a)}, with 1 instead of {history[b]:g} for "
        f"{title(b)} and with 4 for {title(new)}, {title(item)} "
    )
    assert (
        models["ease"]
        .what_if("3", item, without=[a])
        .sentence()
        .startswith(f"Without {title(a)}, ")
    )


def test_what_is_left_out_twice_is_left_out_once(models):
    a, b, *_ = history_of(models["mf"], "3")
    item = models["mf"].recommend("3", 1).item_id[0]
    once = models["mf"].what_if("3", item, without=[a, b])
    again = models["mf"].what_if("3", item, without=[a, b, a])
    assert again.to_dict() == once.to_dict()


def test_only_titles_that_are_nearly_the_same_are_offered(models):
    model = models["mf"]
    rated = next(iter(history_of(model, "3")))
    far, near = [one for one in model.items if one not in history_of(model, "3")][:2]
    titles = {rated: "Swingers (1996)", far: "Schindler's List (1993)", near: "Swinger (1995)"}
    named = replace(model, catalog=Catalog({one: Item(title) for one, title in titles.items()}))
    with pytest.raises(BadSetting, match="did you mean 'Swingers"):
        named.what_if("3", far, without=[near])
    with pytest.raises(BadSetting) as refused:
        named.what_if("3", near, without=[far])
    assert "did you mean" not in str(refused.value)


def test_places_are_said_as_people_say_them():
    said = [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 111, 1022)]
    assert said == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th", "1,022nd"]


def test_ties_keep_the_order_of_items():
    scores = np.array([[3.0, 2.0, 3.0, 3.0]])
    assert [ranks(scores, place)[0] for place in range(4)] == [1, 4, 2, 3]


def test_impossible_changes_are_refused_in_words(models):
    model = models["mf"]
    history = history_of(model, "3")
    rated = next(iter(history))
    new = next(one for one in model.items if one not in history)
    with pytest.raises(BadSetting, match=f"3 has not rated .*{new}"):
        model.what_if("3", rated, without=[new])
    with pytest.raises(UnknownId, match="no item 'x'"):
        model.what_if("3", rated, without=["x"])
    with pytest.raises(UnknownId, match="no item 'x'"):
        model.what_if("3", rated, change={"x": 3})
    with pytest.raises(BadRatings, match="is 99, outside"):
        model.what_if("3", rated, change={rated: 99})
    with pytest.raises(BadSetting, match="both in without and in change"):
        model.what_if("3", rated, without=[rated], change={rated: 3})
    with pytest.raises(BadSetting, match="nothing would change"):
        model.what_if("3", rated)
    with pytest.raises(BadSetting, match=r"no taste .taste 33.; by number or name"):
        model.what_if("3", rated, tastes={"taste 33": 0})
    with pytest.raises(BadSetting, match="not a finite number"):
        model.what_if("3", rated, tastes={0: float("inf")})
    with pytest.raises(BadSetting, match="taste 0 is -1; it must be at least 0"):
        model.what_if("3", rated, tastes={0: -1})
    with pytest.raises(BadSetting, match="models of ease have no tastes"):
        models["ease"].what_if("3", rated, tastes={0: 0})


# Counterfactual.


def falls_without(model, user, item, gone, n):
    return model.what_if(user, item, without=gone).rank_after > n


@pytest.mark.parametrize("name", ["mf", "nmf", "item-knn", "ease"])
def test_a_counterfactual_is_the_smallest_of_all_sets(name, models):
    model = models[name]
    sizes = []
    for user in ("3", "5", "8", "13", "21", "34"):
        ids = list(history_of(model, user))
        for item in model.recommend(user, 3).item_id:
            found = model.counterfactual(user, item, n=3, most=2)
            gone = [one.item_id for one in found.removed]
            sizes.append(len(gone))
            assert found.complete
            if gone:
                assert falls_without(model, user, item, gone, 3)
                answer = model.what_if(user, item, without=gone)
                assert (found.rank_before, found.rank_after) == (
                    answer.rank_before,
                    answer.rank_after,
                )
            smaller = [s for k in range(1, len(gone) or 3) for s in combinations(ids, k)]
            assert not any(falls_without(model, user, item, s, 3) for s in smaller)
    assert {0, 1, 2} & set(sizes) != {0}, "not all were cases without an answer"


@pytest.mark.parametrize(
    "algorithm",
    [
        MF(n_factors=3, n_epochs=3),
        MF(n_factors=3, n_epochs=3, implicit_weight=0.0),
        MF(n_factors=3, n_epochs=3, biased=False),
        Bias(),
        NMF(n_factors=3, n_epochs=3),
        ItemKNN(),
    ],
    ids=repr,
)
def test_downdates_are_solves_without_each_rating(algorithm, train):
    model = algorithm.fit(train)
    items, ratings = model.seen.row(4)
    found = model.solve_without_each(Rows.single(items, ratings))
    for place in range(len(items)):
        alone = model.solve(np.delete(items, place), np.delete(ratings, place))
        np.testing.assert_allclose(found.factors[place], alone.factors[0], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(found.bias[place], alone.bias[0], rtol=1e-3, atol=1e-5)
    nobody = model.solve_without_each(Rows.single(items[:1], ratings[:1]))
    np.testing.assert_allclose(nobody.factors, model.solve(items[:0], ratings[:0]).factors)


def test_promising_sets_find_what_all_sets_do(models, monkeypatch):
    model = models["mf"]
    pairs = [(user, item) for user in ("3", "5") for item in model.recommend(user, 3).item_id]
    complete = [model.counterfactual(*pair, n=3, most=3) for pair in pairs]
    monkeypatch.setattr("matinee.explain.counterfactual.SETS", 0)
    promising = [model.counterfactual(*pair, n=3, most=3) for pair in pairs]
    assert [len(one.removed) for one in promising] == [len(one.removed) for one in complete]
    assert not promising[0].complete or len(promising[0].removed) == 1


def test_every_model_has_counterfactuals(model):
    item = model.recommend("3", 3).item_id[2]
    found = model.counterfactual("3", item, n=3)
    assert found.sentence().endswith(".")
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_where_nothing_drops_it_that_is_said(models):
    model = models["mf"]
    item = model.recommend("3", 1).item_id[0]
    found = model.counterfactual("3", item, n=1000)
    assert not found.removed
    assert "hichever of your ratings were missing, up to 5 of them, " in str(found)
    assert f"{found.title} would stay in your first 1000." in str(found)
    assert found._repr_html_() == f"<p>{html.escape(str(found))}</p>"


def test_only_recommended_items_have_counterfactuals(models):
    model = models["mf"]
    with pytest.raises(BadSetting, match="has rated"):
        model.counterfactual("3", next(iter(history_of(model, "3"))))
    last = model.recommend("3", 1000).item_id[-1]
    with pytest.raises(BadSetting, match="not among the first 3; raise n"):
        model.counterfactual("3", last, n=3)
    with pytest.raises(BadSetting, match="most is 0"):
        model.counterfactual("3", last, most=0)


@pytest.mark.parametrize("algorithm", ["default", "nmf"])
def test_a_taste_of_the_reasons_can_be_taken_out_of_a_list_score(list_models, algorithm):
    model = list_models("sample", algorithm)
    item = model.recommend("42").item_id[0]
    terms = model.explain("42", item, by="factor").terms
    tastes = sorted(
        {bare(one.name) for one in terms if one.kind == "choice"},
        key=lambda name: -abs(of_taste(terms, name)),
    )
    assert tastes
    for name in tastes[:5]:
        answer = model.what_if("42", item, tastes={name: 0})
        assert "without your taste in " in answer.changes[0]
        fall = answer.score_before - answer.score_after
        assert fall == pytest.approx(of_taste(terms, name), abs=1e-4)
        assert model.what_if("42", item, tastes={name: 1}).score_after == answer.score_before


def of_taste(terms, name):
    """What a taste adds to a score, in stars and choice, or else what its other end takes off."""
    own = [one.value for one in terms if one.name in (name, f"you choose {name}")]
    return sum(own or [one.value for one in terms if bare(one.name) == name])


def bare(name):
    """What a term is called, whether the person chooses more of it or less."""
    return name.removeprefix("you choose ").removeprefix("less than others: ")


def test_a_taste_in_choosing_is_one_term_of_a_contrast_wherever_two_films_stand(list_models):
    model = list_models("sample", "mf")
    first, *_, last = model.recommend("42", 200).item_id
    found = model.explain("42", first, "factor", versus=last)
    (part,) = choosing_parts(model.ranker.models[1])
    names = [term.name for term in found.terms if term.kind == "choice"]
    assert len(names) == len(set(names)) == part.n_factors
    assert not any("less than others" in name for name in names)
