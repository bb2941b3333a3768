"""Lists for several people, and interviews: by hand, and against dense algebra."""

from collections import Counter
from statistics import NormalDist

import numpy as np
import pytest

from matinee.algorithms import EASE, MF, NMF, Bias
from matinee.errors import BadRatings, BadSetting, UnknownId
from matinee.models.explanations import ENOUGH
from matinee.models.group import (
    HOW,
    fair_share,
    normal_scores,
    recommend_together,
)
from matinee.models.interview import Interview
from test_contract import ratings_of


@pytest.fixture(scope="module")
def train():
    return ratings_of()


@pytest.fixture(scope="module")
def model(train):
    return MF(n_factors=4, n_epochs=6).fit(train)


# Together.


def test_average_and_least_misery_by_hand(model):
    users = ["u003", "u031"]
    everything = np.arange(40)
    seen = set(model.rated("u003")) | set(model.rated("u031"))
    scores = np.asarray(model.list_scores(users, everything), dtype=float)
    left = [item for item in everything if item not in seen]
    persons = [model.person(one) for one in users]
    low = np.all([model.predicted(p, everything) < p.ratings.mean() for p in persons], axis=0)
    own = np.full(scores.shape, -np.inf)
    for row, of_person in zip(own, scores, strict=True):
        for item in left:
            below = sum(of_person[left] < of_person[item])
            same = sum(of_person[left] == of_person[item])
            row[item] = NormalDist().inv_cdf((below + same / 2) / len(left))
    for how, joint in (("average", own.mean(axis=0)), ("least-misery", own.min(axis=0))):
        listed = recommend_together(model, users, 5, how)
        best = np.argsort(np.where(low, 1e6, 0) - joint, kind="stable")[:5]
        assert listed.item_id == tuple(model.items.ids[best])
        assert listed.score == pytest.approx(joint[best].tolist())
        assert listed.columns["u031"] == pytest.approx(scores[1, best].tolist())
        assert not set(model.items.rows(listed.item_id)) & seen


def test_only_the_order_of_their_scores_gives_anybody_a_say():
    """Larger scores, another zero, and a few films that stand out change no list."""
    scores = np.array([[9.0, 8, 7, 1, 0], [0.0, 1, 5, 8, 9]])
    for larger in (scores * [[10.0], [1.0]] + [[3.0], [0.0]], np.exp(scores)):
        np.testing.assert_array_equal(normal_scores(larger), normal_scores(scores))
    np.testing.assert_allclose(normal_scores(scores)[0], -normal_scores(scores)[0, ::-1])
    np.testing.assert_array_equal(normal_scores(np.full((1, 3), 4.0)), 0)


def test_everybody_has_as_many_turns():
    """Also where one person's films please the other more than the other way round."""
    rng = np.random.default_rng(0)
    scores = np.stack([rng.random(500) ** 9, np.arange(500.0)])
    _, turns = fair_share(scores, 20)
    assert Counter(turns) == {0: 10, 1: 10}
    assert all(set(turns[at : at + 2]) == {0, 1} for at in range(0, 20, 2))


def test_shares_are_fair_by_hand():
    scores = np.array([[9.0, 8, 7, 1, 0], [0.0, 1, 2, 8, 9]])
    order, turns = fair_share(scores, 4)
    assert order.tolist() == [0, 4, 1, 3]  # each in turn takes their best that is left
    assert turns == [0, 1, 0, 1]


def test_who_agrees_with_all_waits_longest_for_a_turn():
    """The first choice pleases the second person as well, so the third comes next."""
    scores = np.array([[9.0, 5, 4], [8.0, 1, 7], [1.0, 6, 0]])
    assert fair_share(scores, 2)[1] == [0, 2]


@pytest.mark.parametrize("how", HOW)
def test_what_all_would_rate_below_their_average_comes_last(model, how):
    users = [user for user in model.users.ids.tolist() if len(model.rated(user)) >= ENOUGH][:3]
    listed = recommend_together(model, users, len(model.items), how)
    rows = model.items.rows(listed.item_id)
    persons = [model.person(user) for user in users]
    low = np.all([model.predicted(one, rows) < one.ratings.mean() for one in persons], axis=0)
    assert 0 < low.sum() < len(low)
    assert np.array_equal(low, np.sort(low))


def test_alone_together_is_alone(model):
    listed = recommend_together(model, ["u003"], 6)
    assert listed.item_id == model.recommend("u003", 6).item_id
    assert recommend_together(model, ["u003"], 6, "fair-share").item_id == listed.item_id


def test_each_has_reasons_that_add_up(model):
    ann = model.fold_in({"1": 5, "2": 1}, name="Ann")
    listed = recommend_together(model, ["u003", ann], 3, "fair-share")
    assert set(listed.turn) <= {"u003", "Ann"}
    for row in listed.to_dicts():
        for name, reasons in listed.why(row["item_id"]).items():
            assert reasons.score == pytest.approx(row[name], abs=1e-5)
            assert sum(term.value for term in reasons.terms) == pytest.approx(row[name], abs=1e-3)


def test_a_list_for_several_repeats_no_reason_to_anyone(model):
    users = ["u003", "u031"]
    listed = recommend_together(model, users, 9)
    places = listed.explanations()
    assert [set(place) for place in places] == [set(users)] * 9
    for user in users:
        own = [place[user] for place in places]
        assert [why.item_id for why in own] == list(listed.item_id)
        alone = model.explain_list(user, listed.item_id, own=False)
        assert [why.sentence() for why in own] == [why.sentence() for why in alone]
        assert max(Counter(why.reason_keys[0] for why in own).values()) <= 3


def test_impossible_groups_are_refused_in_words(model):
    one, other = model.fold_in({"1": 5}), model.fold_in({"2": 1})
    for users, how, n, error, words in (
        ([one, other], "average", 3, BadSetting, "'newcomer' is there twice; give everybody once"),
        ([], "average", 3, BadSetting, "nobody"),
        (["u003"], "averag", 3, BadSetting, "did you mean 'average'"),
        (["u003"], "average", 0, BadSetting, "n is 0"),
        (["u003", "u0031"], "average", 3, UnknownId, "u0031"),
    ):
        with pytest.raises(error, match=words):
            recommend_together(model, users, n, how)


# Interviews.


def test_covariance_after_answers_is_that_of_dense_algebra(model):
    interview = Interview(model).answered("3", 4).answered("8", 2)
    known = interview.knowledge
    Y = known.Y[model.items.rows(["3", "8"])]
    dense = np.linalg.inv(np.linalg.inv(known.S) + Y.T @ Y / known.noise)
    np.testing.assert_allclose(interview.covariance, dense, rtol=1e-6, atol=1e-12)


def test_the_question_is_the_best_of_all(model):
    """By brute force: ask each, see what is left, weigh by how likely it is known."""
    interview = Interview(model).answered("3", 4)
    known = interview.knowledge
    before = np.trace(known.M @ interview.covariance)
    gains = {}
    for item in model.items:
        if item != "3":
            after = np.trace(known.M @ interview.answered(item, 3).covariance)
            gains[item] = (before - after) * known.known[model.items.row(item)]
    asked = interview.question
    assert asked.item_id == max(gains, key=gains.get)
    assert asked.gain * asked.known == pytest.approx(gains[asked.item_id] / before)


def test_every_answer_leaves_less_unknown(model):
    interview = Interview(model)
    left = [interview.uncertainty]
    for stars in (5, 1, 3):
        interview = interview.answered(interview.question.item_id, stars)
        left.append(interview.uncertainty)
    assert left == sorted(left, reverse=True)
    person = interview.person("Ann")
    assert (person.name, person.strategy, len(person.items)) == ("Ann", "folded_in", 3)


def test_nothing_is_asked_twice_and_it_ends(model):
    interview, asked = Interview(model), []
    while interview.question:
        asked.append(interview.question.item_id)
        interview = interview.unseen(asked[-1])
    assert len(asked) == len(set(asked)) == 39  # nobody has rated the last film
    assert interview.person().strategy == "popular"


@pytest.mark.parametrize("algorithm", [Bias(), EASE(), NMF(n_factors=2, missing="zero")])
def test_only_models_of_stars_with_factors_can_ask(train, algorithm):
    model = algorithm.fit(train)
    if algorithm.name == "nmf":
        assert Interview(model).question is not None
        return
    with pytest.raises(BadSetting, match="such as mf or nmf"):
        Interview(model)


def test_answers_must_fit_the_scale(model):
    with pytest.raises(BadRatings, match=r"outside 0.5\.\.5"):
        Interview(model).answered("3", 7)
    with pytest.raises(UnknownId):
        Interview(model).answered("no such film", 3)
