"""Somebody new who liked nothing: what they dislike is not what they look for."""

import numpy as np
import pytest

from matinee.algorithms import MF, NMF, SLIM, ImplicitALS
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.models.list_model import has_likes
from matinee.sources.sample import sample

SMALL = {"n_factors": 8, "n_epochs": 3, "lowest": 0.15}
ALGORITHMS = {
    "mf": MF(n_factors=8, n_epochs=5, choice=(SLIM(lowest=0.15), ImplicitALS(**SMALL))),
    "nmf": NMF(n_factors=8, n_epochs=5, choice=ImplicitALS(**SMALL, nonnegative=True)),
}
GENRE = "Horror"
HATED = 6


@pytest.fixture(scope="module", params=ALGORITHMS)
def model(request):
    return ALGORITHMS[request.param].fit(sample())


@pytest.fixture(scope="module")
def hated(model):
    """The best known films of a genre, rated as low as can be."""
    genres, has = model.catalog.genre_matrix(model.items)
    rows = np.flatnonzero(has[:, genres.index(GENRE)])
    known = rows[np.argsort(-model.item_counts[rows], kind="stable")[:HATED]]
    return dict.fromkeys(model.items.ids[known].tolist(), model.scale.low)


def n_of_genre(model, person):
    listed = model.recommend(person, 10).item_id
    return sum(GENRE in model.catalog[item].genres for item in listed)


def test_who_hates_a_genre_is_listed_no_more_of_it_than_a_stranger(model, hated):
    assert n_of_genre(model, model.fold_in(hated)) <= n_of_genre(model, model.average_person)
    loved = dict.fromkeys(hated, model.scale.high)
    assert n_of_genre(model, model.fold_in(loved)) > n_of_genre(model, model.fold_in(hated))


def test_choice_is_that_of_the_average_person(model, hated):
    """Lists by choice alone rank what was not rated as a stranger's do."""
    by_choice = model.weighed(0)
    person, items = by_choice.fold_in(hated), np.arange(len(model.items))
    own, average = (
        by_choice.list_scores([one], items)[0] for one in (person, by_choice.average_person)
    )
    assert np.allclose(own, average, atol=1e-5)
    liked = by_choice.fold_in(hated | {model.items.ids[0]: model.scale.high})
    assert not np.allclose(by_choice.list_scores([liked], items)[0], average, atol=1e-3)


def test_reasons_add_up_to_the_score_of_the_list(model, hated):
    person = model.fold_in(hated)
    for row in model.recommend(person, 5):
        for by in model.views:
            why = model.explain(person, row.item_id, by)
            assert sum(term.value for term in why) == pytest.approx(row.score, abs=1e-4)


def test_one_rating_changes_a_list_as_folding_in_with_it_does(model, hated):
    """What if one were liked; and without the only like, one at a time."""
    first, *_ = hated
    item = model.recommend(model.fold_in(hated), 3).item_id[2]
    high = model.scale.high
    after = model.what_if(model.fold_in(hated), item, change={first: high})
    assert after.score_after == pytest.approx(
        score_of(model, hated | {first: high}, item), abs=1e-3
    )
    liked = hated | {first: high}
    before = model.what_if(model.fold_in(liked), item, without=[first])
    rest = {one: rating for one, rating in hated.items() if one != first}
    assert before.score_after == pytest.approx(score_of(model, rest, item), abs=1e-3)


def score_of(model, history, item):
    person = model.fold_in(history)
    return float(model.list_scores([person], np.array([model.items.row(item)]))[0, 0])


def test_likes_known_by_eye():
    rated = Rows(np.array([0, 2, 2, 3, 5]), np.zeros(5, np.int32), np.array([1, 2, 3, 5, 1.0]))
    assert has_likes(rated, Scale(1, 5)).tolist() == [False, True, True, True]
