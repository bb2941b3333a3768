"""Searches fit the choosers of lists once for the same ratings, and find what single fits do."""

import numpy as np
import pytest

import matinee
from matinee.algorithms.choosers import choices_of, shared_choices

SAMPLE = matinee.sample()
RATINGS = SAMPLE.subset(SAMPLE.user < 400)
SPLIT = matinee.splitting.random(RATINGS, seed=1)


def test_shared_choices_change_no_bit():
    alone = [matinee.MF(n_factors=size).fit(RATINGS) for size in (2, 4)]
    with shared_choices():
        shared = [matinee.MF(n_factors=size).fit(RATINGS) for size in (2, 4)]
    for one, other in zip(alone, shared, strict=True):
        assert one.facts == other.facts
        assert one.choice.stars_weight == other.choice.stars_weight
        rows = np.arange(50, dtype=np.int32)
        assert np.array_equal(one.ranker.score_block(rows), other.ranker.score_block(rows))


def test_only_the_same_choosers_of_the_same_ratings_are_shared():
    als, slim = (matinee.ImplicitALS(n_factors=4),), (matinee.SLIM(),)
    with shared_choices():
        first = choices_of(als, RATINGS)
        assert choices_of(als, RATINGS) is first
        assert choices_of(slim, RATINGS) is not first
        assert choices_of(als, SPLIT.train) is not first
    assert choices_of(als, RATINGS) is not first, "nothing is kept after a search"


def test_a_search_fits_choosers_once(monkeypatch: pytest.MonkeyPatch):
    fits = []
    fit = matinee.ImplicitALS.fit

    def counted(self, train, *more, **options):
        fits.append(len(train))
        return fit(self, train, *more, **options)

    monkeypatch.setattr(matinee.ImplicitALS, "fit", counted)
    matinee.MF(n_factors=2).fit(RATINGS)
    single, _ = len(fits), fits.clear()
    curve = matinee.k_curve("mf", RATINGS, factors=(2, 3, 4), folds=2, metrics=["ndcg@10"])
    assert len(fits) == 2 * single, "for each of the folds"
    assert len(curve.points) == 3


def test_a_curve_of_errors_fits_no_choosers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matinee.ImplicitALS, "fit", lambda *_, **__: pytest.fail("not needed"))
    matinee.k_curve("mf", RATINGS, factors=(2, 3), folds=2, metrics=["rmse"])
