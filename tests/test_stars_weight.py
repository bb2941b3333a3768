"""The weight of the stars in lists, against slow twins, and what is held out to learn it."""

import numpy as np
import pytest

import naive
from matinee.algorithms import MF, ImplicitALS
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.sources.synthetic import planted
from matinee.training.stars_weight import (
    LEAST_USERS,
    SPREAD_USERS,
    USUAL_WEIGHT,
    WEIGHTS,
    ListTrial,
    deviation_of_scores,
    held_out_likes,
    usual_or_nearest,
)

DOUBT = 0.7


@pytest.fixture(scope="module")
def ratings():
    world = planted(150, 80, 4, density=0.4, noise=0.3, seed=2)
    stars = np.clip(np.round(world.rating), 1, 5)
    return Ratings.of(
        world.users, world.items, world.user, world.item, stars, scale=Scale(1.0, 5.0)
    )


@pytest.fixture(scope="module")
def parts(ratings):
    return held_out_likes(ratings, np.random.default_rng(3))


@pytest.fixture(scope="module")
def models(parts):
    rest = parts[0]
    stars = MF(n_factors=3, n_epochs=4, choice=None).fit(rest)
    return stars, ImplicitALS(n_factors=4, reg=1.0, unobserved=0.2).fit(rest)


def pairs(ratings):
    return set(zip(ratings.user.tolist(), ratings.item.tolist(), strict=True))


def test_a_fifth_of_each_user_s_likes_is_held_out_and_the_rest_stays(ratings, parts):
    rest, held_out = parts
    assert pairs(rest) | pairs(held_out) == pairs(ratings)
    assert not pairs(rest) & pairs(held_out)
    assert held_out.rating.min() >= ratings.scale.liked_from
    liked = ratings.rating >= ratings.scale.liked_from
    n_likes = np.bincount(ratings.user[liked], minlength=ratings.n_users)
    assert np.array_equal(held_out.by_user.counts, n_likes // 5)


def test_nothing_is_held_out_where_too_few_like_anything(ratings):
    some = ratings.subset(ratings.user < LEAST_USERS - 1)
    assert held_out_likes(some, np.random.default_rng(0)) is None
    likes = ratings.subset(ratings.rating >= ratings.scale.liked_from)
    assert held_out_likes(likes, np.random.default_rng(0)) is None, "likes alone say no choice"


def slow_ndcg(scores, rated, held_out):
    """NDCG@10 of lists by rows of scores, a number each."""
    return np.array(
        [
            naive.ndcg(naive.ranked(row.tolist(), seen), relevant, 10)
            for row, seen, relevant in zip(scores, rated, held_out, strict=True)
        ]
    )


def test_the_weight_is_the_usual_or_the_nearest_that_half_of_the_users_bear(models, parts):
    rest, held = parts
    trial = ListTrial.of(models, held, DOUBT, np.random.default_rng(5))
    weight = usual_or_nearest(trial.by_weight())
    facts = trial.figures(weight)
    users = [user for user in range(rest.n_users) if len(held.by_user.row(user)[0])]
    learning = np.random.default_rng(5).permutation(len(users)) < len(users) // 2
    rated = [rest.by_user.row(user)[0].tolist() for user in users]
    relevant = [set(held.by_user.row(user)[0].tolist()) for user in users]
    by_stars, by_choice = (one.score_block(np.array(users)).astype(float) for one in models)
    n_i = rest.by_item.counts
    unseen = [np.delete(row, seen) for row, seen in zip(by_choice, rated, strict=True)]
    unit = np.concatenate(unseen[:SPREAD_USERS]).std() / rest.rating.astype(float).std()

    def ndcg(half, scores):
        where = np.flatnonzero(half)
        return slow_ndcg(scores[where], [rated[i] for i in where], [relevant[i] for i in where])

    def summed(one):
        return by_choice + one * unit * (by_stars - DOUBT / np.sqrt(n_i + 1))

    by_weight = {one: ndcg(learning, summed(one)) for one in WEIGHTS}
    best = max(by_weight.values(), key=np.mean)
    behind = {one: best - each for one, each in by_weight.items()}
    near = [one for one, each in behind.items() if each.mean() <= each.std() / len(each) ** 0.5]
    assert weight == min(near, key=lambda one: max(one / USUAL_WEIGHT, USUAL_WEIGHT / one))
    figures = facts["lists"]["ndcg@10"]
    assert facts["lists"]["n_users"] == (~learning).sum()
    assert figures["list"] == pytest.approx(ndcg(~learning, summed(weight)).mean(), abs=1e-6)
    assert figures["stars"] == pytest.approx(ndcg(~learning, by_stars).mean(), abs=1e-6)
    assert figures["choice"] == pytest.approx(ndcg(~learning, by_choice).mean(), abs=1e-6)
    popular = np.tile(n_i, (len(users), 1))
    assert figures["popularity"] == pytest.approx(ndcg(~learning, popular).mean(), abs=1e-6)
    low, high = facts["lists"]["beyond_popularity"]
    behind = ndcg(~learning, summed(weight)) - ndcg(~learning, popular)
    wide = 1.96 * behind.std() / len(behind) ** 0.5
    assert (low, high) == pytest.approx((behind.mean() - wide, behind.mean() + wide), abs=wide / 4)


def test_the_deviation_is_that_of_the_scores_of_what_is_not_rated(models, parts):
    choice, users = models[1], np.array([0, 7, 11], np.int32)
    unseen = [
        np.delete(choice.score_block(np.array([user]))[0], parts[0].by_user.row(user)[0])
        for user in users.tolist()
    ]
    expected = np.concatenate(unseen).astype(float).std()
    assert deviation_of_scores(choice, users) == pytest.approx(expected, rel=1e-6)


def test_the_usual_weight_is_taken_unless_it_is_a_standard_error_behind_the_best():
    rng = np.random.default_rng(2)
    best = rng.random(400)
    noise = rng.normal(size=400)
    noise = (noise - noise.mean()) / noise.std()  # its standard error is 1/20
    near, far = best - 0.049 + noise, best - 0.051 + noise
    usual = WEIGHTS.index(USUAL_WEIGHT)

    def taken(rows):
        return usual_or_nearest(np.array([rows.get(at, far) for at in range(len(WEIGHTS))]))

    assert taken({1: best}) == WEIGHTS[1], "all others are more than a standard error behind"
    assert taken({0: best, usual: near}) == USUAL_WEIGHT
    assert taken({usual: best, 0: near, 10: near}) == USUAL_WEIGHT
    assert taken({0: best, 1: near, 7: near}) == WEIGHTS[1], "0.1 is nearer to 0.35 than 1.5 is"
    assert taken({1: best, 6: near, 10: near}) == WEIGHTS[6]
    assert taken({1: best, usual: best - 1e-6}) == WEIGHTS[1], "all users lose, so it is no noise"
