"""Odd data and extreme settings: every registered algorithm finishes or refuses in words."""

import warnings
from dataclasses import fields, replace

import numpy as np
import pytest

from matinee.algorithms import ALGORITHMS
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadRatings, BadSetting, Diverged
from test_contract import CASES, catalog_of, make, ratings_of

ODD = {
    "one rating": [[4]],
    "one user": [[4, 2, 5, 1]],
    "one item": [[4], [2], [5]],
    "constant": [[3, 3, 3], [3, 0, 3], [3, 3, 0]],
    "all rated by all": [[1, 2, 3], [3, 2, 1], [5, 5, 5]],
    "an item rated by all": [[5, 0, 3, 0], [4, 2, 0, 0], [1, 0, 0, 5]],
    "a user who rated all": [[5, 4, 3, 1], [4, 0, 0, 0], [0, 2, 0, 0]],
    "a user and an item without ratings": [[5, 4, 0], [0, 0, 0], [2, 5, 0]],
    "huge values": [[1e6, 2e6], [3e6, 1e6], [2e6, 0]],
}
REFUSALS = {
    "truncated-svd": "at least 2",
    "blend": "leaves one part empty",
    "hybrid": "give genres",
    "content": "give genres",
}
# What is 0 where nothing is held back.
RESTRAINTS = ("reg", "damping", "shrinkage", "spread", "unobserved", "share")


def table(data):
    """Ratings from a small table, with a catalogue; 0 means not rated."""
    matrix = np.array(ODD[data], dtype=np.float32)
    user, item = np.nonzero(matrix)
    users, items = (
        IdMap.of(range(n), kind) for n, kind in zip(matrix.shape, ("user", "item"), strict=True)
    )
    stars = matrix[user, item]
    scale = Scale(1, 5) if stars.max() <= 5 else None
    return Ratings.of(users, items, user, item, stars, scale=scale, catalog=catalog_of(items))


def fitted(algorithm, ratings):
    """The model, whatever is said of too many factors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return algorithm.fit(ratings)


def check_answers(model, ratings):
    """Scores, lists and reasons are finite, for who is known and for who is new."""
    assert np.isfinite(model.score_block(np.arange(ratings.n_users))).all()
    listed = model.recommend("0", n=3, exclude_seen=False)
    assert np.isfinite(listed.score).all()
    person = model.fold_in({"0": float(ratings.rating[0])})
    for who in ("0", person):
        reasons = model.explain(who, "0")
        total = sum(term.value for term in reasons.terms)
        assert total == pytest.approx(reasons.score, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("data", ODD)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_odd_data_finish_or_refuse_in_words(name, data):
    """With the usual settings, whose factors are more than such data support."""
    ratings = table(data)
    try:
        model = fitted(ALGORITHMS[name](), ratings)
    except BadSetting as refusal:
        assert REFUSALS[name] in str(refusal)  # noqa: PT017
        return
    except Diverged:
        assert data == "huge values"
        return
    check_answers(model, ratings)


def without_restraint(case):
    """The case with each setting that holds something back at 0, where it may be 0."""
    algorithm = make(case)
    for field in fields(algorithm):
        if field.name.endswith(RESTRAINTS) and getattr(algorithm, field.name) is not None:
            try:
                algorithm = replace(algorithm, **{field.name: 0.0})
            except BadSetting as refusal:
                assert f"{field.name} is 0.0; it must be " in str(refusal)  # noqa: PT017
    return algorithm


@pytest.mark.parametrize("case", CASES)
def test_nothing_held_back_finishes_or_refuses_in_words(case):
    ratings = ratings_of()
    try:
        model = fitted(without_restraint(case), ratings)
    except Diverged as refusal:
        assert "raise reg" in str(refusal)  # noqa: PT017
        return
    assert np.isfinite(model.score_block(np.arange(ratings.n_users))).all()


@pytest.mark.parametrize("name", [n for n in CASES if "n_factors" in CASES[n]])
def test_more_factors_than_the_data_have(name):
    """150 factors of 59 users and 39 items; who cannot have them says how many there can be."""
    algorithm, ratings = replace(make(name), n_factors=150), ratings_of()
    try:
        model = fitted(algorithm, ratings)
    except BadSetting as refusal:
        assert "n_factors is 150" in str(refusal)  # noqa: PT017
        return
    assert np.isfinite(model.score_block(np.arange(ratings.n_users))).all()


def test_a_rating_given_twice_is_refused():
    users, items = IdMap.of(range(2), "user"), IdMap.of(range(2), "item")
    with pytest.raises(BadRatings, match="user '1' rated item '0' twice"):
        Ratings.of(users, items, np.array([0, 1, 1]), np.array([0, 0, 0]), np.array([3, 4, 5]))
