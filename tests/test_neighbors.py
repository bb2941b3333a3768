"""Neighbour models against plain loops and dense algebra, and on data with answers seen by eye."""

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_array

from matinee.algorithms import EASE, SLIM, Bias, ItemKNN, RP3beta, SlopeOne, UserKNN, rp3beta
from matinee.algorithms.item_knn import nearest_items
from matinee.algorithms.rp3beta import BETAS, USUAL_BETA
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.scale import Scale
from matinee.errors import BadSetting
from matinee.kernels.heap import keep_best
from matinee.kernels.inverse import BLOCK, invert
from matinee.kernels.similarities import Lists
from matinee.kernels.sparse import Sparse, pair_costs
from matinee.models.similarity import Similarity
from matinee.sources.synthetic import planted
from matinee.training import held_out
from matinee.training.held_out import HeldOut
from test_contract import ratings_of

TRAIN = ratings_of()
STARS = {"choice": None}  # what these tests are about


def dense(ratings):
    """Ratings, deviations from the biases, and what is rated, as tables (n_users, n_items)."""
    R, known = np.zeros((ratings.n_users, ratings.n_items)), ratings.csr().toarray() != 0
    R[ratings.user, ratings.item] = ratings.rating
    biases = Bias(choice=None).fit(ratings)
    base = biases.global_mean + biases.user_bias[:, None].astype(float) + biases.item_bias
    return R, np.where(known, R - base, 0.0), known, base


def slow_similarity(x, y, both, kind, shrinkage):
    """Similarity of two whole vectors, of which ``both`` marks what they share."""
    n = both.sum()
    if n == 0:
        return 0.0
    if kind == "pearson":
        x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
    size = np.linalg.norm(x) * np.linalg.norm(y)
    return max(x @ y / size if size > 1e-6 else 0.0, 0.0) * n / (n + shrinkage)


def slow_similarities(values, known, kind, shrinkage):
    """All pairs of columns; nobody is their own neighbour."""
    n = values.shape[1]
    return np.array(
        [
            [
                0.0
                if i == j
                else slow_similarity(
                    values[:, i], values[:, j], known[:, i] & known[:, j], kind, shrinkage
                )
                for j in range(n)
            ]
            for i in range(n)
        ]
    )


def slow_mean(base, weights, deviations, n, damping):
    """The baseline moved by the weighted mean of the n nearest deviations."""
    order = [j for j in np.argsort(-weights, kind="stable")[:n] if weights[j] > 0]
    if not order:
        return base
    return base + weights[order] @ deviations[order] / (weights[order].sum() + damping)


KINDS = ["adjusted", "cosine", "pearson"]


@pytest.mark.parametrize("kind", KINDS)
def test_item_neighbours_equal_the_slow_twin(kind):
    R, D, known, base = dense(TRAIN)
    S = slow_similarities(D if kind == "adjusted" else R, known, kind, 3.0)
    S **= 1.5
    settings = STARS | {"similarity": kind, "shrinkage": 3, "n_neighbors": 4, "damping": 0.2}
    scores = ItemKNN(**settings).fit(TRAIN).score_block(np.arange(59))
    for u in range(0, 59, 7):
        rated = np.flatnonzero(known[u])
        expected = [slow_mean(base[u, i], S[i, rated], D[u, rated], 4, 0.2) for i in range(40)]
        np.testing.assert_allclose(scores[u], expected, atol=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_user_neighbours_equal_the_slow_twin(kind):
    R, D, known, base = dense(TRAIN)
    S = slow_similarities((D if kind == "adjusted" else R).T, known.T, kind, 3.0)
    settings = STARS | {"similarity": kind, "shrinkage": 3, "n_neighbors": 4, "damping": 0.2}
    scores = UserKNN(**settings).fit(TRAIN).score_block(np.arange(59))
    for i in range(0, 39, 6):
        raters = np.flatnonzero(known[:, i])
        expected = [slow_mean(base[u, i], S[u, raters], D[raters, i], 4, 0.2) for u in range(59)]
        np.testing.assert_allclose(scores[:, i], expected, atol=2e-4)


def keep_top(S, n):
    """Each row's n largest entries; the others become 0. Ties keep the order of columns."""
    kept = np.zeros_like(S)
    for row, order in enumerate(np.argsort(-S, axis=1, kind="stable")[:, :n]):
        kept[row, order] = S[row, order]
    return kept


def slow_weights(X, weighting):
    """What each entry of a 0/1 table counts when its rows are compared."""
    n_rows, n_columns = X.sum(axis=1), X.sum(axis=0)
    W = X * np.log((1 + len(X)) / np.maximum(n_columns, 1))
    if weighting == "bm25":
        length = 0.25 + 0.75 * n_rows / n_rows[n_rows > 0].mean()
        W = W * (2.2 / (1.2 * length + 1))[:, None]
    return W


@pytest.mark.parametrize("weighting", ["tf-idf", "bm25"])
def test_preferences_are_weighted_as_words_are(weighting):
    X = (TRAIN.csr().toarray() > 0).astype(float)
    settings = {"feedback": "preference", "n_neighbors": 6, "shrinkage": 0, "amplification": 1}
    for kind, table in ((ItemKNN, X.T), (UserKNN, X)):
        W = slow_weights(table, weighting)
        S = W @ W.T
        if weighting == "tf-idf":
            norms = np.maximum((W**2).sum(axis=1), 1e-12)
            S = S / (norms[:, None] ** 0.3 * norms[None, :] ** 0.7)
        np.fill_diagonal(S, 0)
        near = keep_top(S, 6)
        expected = X @ near.T if kind is ItemKNN else near @ X
        model = kind(**settings, asymmetry=0.7, weighting=weighting).fit(TRAIN)
        np.testing.assert_allclose(model.score_block(np.arange(60)), expected, rtol=1e-4, atol=1e-4)


def test_preferences_are_sums_over_the_nearest():
    X = (TRAIN.csr().toarray() > 0).astype(float)
    together, n = X.T @ X, np.maximum(X.sum(axis=0), 1)
    S = together / (n[:, None] ** 0.3 * n[None, :] ** 0.7) * together / (together + 2)
    np.fill_diagonal(S, 0)
    settings = {"feedback": "preference", "n_neighbors": 6, "shrinkage": 2, "amplification": 1}
    settings["weighting"] = "none"
    model = ItemKNN(**settings, asymmetry=0.7).fit(TRAIN)
    scores = model.score_block(np.arange(60))
    np.testing.assert_allclose(scores, X @ keep_top(S, 6).T, rtol=1e-4, atol=1e-5)

    together, n = X @ X.T, np.maximum(X.sum(axis=1), 1)
    S = together / np.sqrt(np.outer(n, n)) * together / np.maximum(together + 2, 1)
    np.fill_diagonal(S, 0)
    scores = UserKNN(**settings).fit(TRAIN).score_block(np.arange(60))
    np.testing.assert_allclose(scores, keep_top(S, 6) @ X, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("damping", [0, 1.5])
@pytest.mark.parametrize(
    "kind",
    [
        SlopeOne,
        ItemKNN,
        UserKNN,
        partial(ItemKNN, feedback="preference"),
        partial(UserKNN, feedback="preference"),
    ],
)
def test_an_item_scores_the_same_alone_and_among_all(kind, damping):
    settings = STARS if kind is SlopeOne else STARS | {"n_neighbors": 5}
    model = kind(damping=damping, **settings).fit(TRAIN)
    everything = model.score_block(np.arange(60, dtype=np.int32))
    user, item = np.divmod(np.arange(60 * 40, dtype=np.int32), 40)
    pairs = model.score_rows(user, item).reshape(60, 40)
    np.testing.assert_allclose(pairs, everything, rtol=1e-5, atol=1e-5)
    known = TRAIN.users.ids[:20].tolist()
    for item in range(0, 40, 9):
        alone = model.score_people(known, np.array([item], np.int32))[:, 0]
        np.testing.assert_allclose(alone, everything[:20, item], rtol=1e-5, atol=1e-5)


def test_neighbours_are_sorted_and_never_the_item_itself():
    neighbors = nearest_items(
        TRAIN, dense(TRAIN)[1][TRAIN.user, TRAIN.item], Similarity("adjusted", 5.0), 40
    )
    rows = np.split(neighbors.indices, neighbors.indptr[1:-1])
    weights = np.split(neighbors.values, neighbors.indptr[1:-1])
    assert all((np.diff(one) <= 0).all() for one in weights)
    assert not any(item in row for item, row in enumerate(rows))
    assert len(rows) == 40
    assert not len(rows[-1]), "an item without ratings has no neighbours"
    assert (neighbors.values > 0).all()


@pytest.mark.parametrize("most", [1, 2, 7, 40])
def test_a_heap_keeps_the_heaviest_in_any_order(most):
    rng = np.random.default_rng(5)
    weights = rng.integers(-2, 6, 40).astype(np.float32)  # many tie
    ranking = [row for row in np.argsort(-weights, kind="stable") if weights[row] > 0]
    for _ in range(5):
        best, best_weights = np.full(most, -1, np.int32), np.zeros(most, np.float32)
        rows = rng.permutation(40).astype(np.int32)
        size = keep_best(weights, rows, 40, best, best_weights, most)
        assert best[:size].tolist() == ranking[:most]
        assert (best_weights[:size] == weights[best[:size]]).all()


def test_slope_one_equals_the_paper():
    """Weighted Slope One, by the formula of Lemire & Maclachlan 2005, section 2.2."""
    R, _, known, _ = dense(TRAIN)
    scores = SlopeOne(choice=None).fit(TRAIN).score_block(np.arange(59))
    for u in range(0, 59, 11):
        for i in range(0, 39, 5):
            top = bottom = 0.0
            for j in np.flatnonzero(known[u]):
                both = known[:, i] & known[:, j]
                if j != i and both.any():
                    difference = (R[both, i] - R[both, j]).mean()
                    top += both.sum() * (R[u, j] + difference)
                    bottom += both.sum()
            assert scores[u, i] == pytest.approx(top / bottom, abs=1e-4)


def test_slope_one_solves_the_example_of_its_paper():
    """A rates two films 1 and 1.5, B rates the first 2: the second is half a star better for B."""
    users, items = IdMap.of(["A", "B"], "user"), IdMap.of(["I", "J"], "item")
    ratings = Ratings.of(
        users, items, np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([1, 1.5, 2])
    )
    model = SlopeOne(choice=None).fit(ratings)
    assert float(model.score("B", "J")[0]) == pytest.approx(2.5, abs=1e-5)


# RP3beta.


def test_rp3beta_walks_from_person_to_person():
    """Three steps of the transition matrices, each chance to the power alpha: the paper's form."""
    X = (TRAIN.csr().toarray() > 0).astype(float)
    n_u, n_i = np.maximum(X.sum(axis=1), 1), np.maximum(X.sum(axis=0), 1)
    to_items, to_people = (X / n_u[:, None]) ** 0.7, (X / n_i).T ** 0.7
    W = to_people @ to_items / n_i**0.3
    np.fill_diagonal(W, 0)
    model = RP3beta(alpha=0.7, beta=0.3, n_neighbors=40).fit(TRAIN)
    np.testing.assert_allclose(model.score_block(np.arange(60)), X @ W, rtol=1e-5, atol=1e-6)
    few = RP3beta(alpha=0.7, beta=0.3, n_neighbors=6).fit(TRAIN)
    kept = keep_top(W.T, 6).T
    np.testing.assert_allclose(few.score_block(np.arange(60)), X @ kept, rtol=1e-5, atol=1e-6)


def test_beta_is_that_whose_lists_are_best_on_held_out_ratings(monkeypatch):
    world = planted(60, 40, 3, density=0.4, noise=0.3, seed=1)
    train = world.subset(world.rating >= np.median(world.rating))
    few = RP3beta().fit(train)
    assert few.facts == {"beta": USUAL_BETA}
    monkeypatch.setattr(held_out, "LEAST_USERS", 30)
    model = RP3beta(n_neighbors=6).fit(train)
    parts = HeldOut.of(train, rp3beta.SEED)
    ndcg = {
        beta: parts.ndcg(
            RP3beta(n_neighbors=6, beta=beta).fit(parts.train), np.ones(len(parts.test))
        )
        for beta in BETAS
    }
    best = max(ndcg, key=ndcg.get)
    by_beta = {float(beta): value for beta, value in model.facts["held_out_ndcg@10"].items()}
    assert by_beta == pytest.approx(ndcg), "the fit compares them without fitting each"
    assert model.facts["beta"] == best
    by_hand = RP3beta(n_neighbors=6, beta=best).fit(train)
    users = np.arange(60)
    assert np.array_equal(by_hand.score_block(users), model.score_block(users))


def test_ndcg_of_lists_by_hand():
    """Two users: one finds the second best of three gains, in the second place; one finds none."""
    worth = csr_array(np.array([[0.0, 3.0, 2.0, 1.0], [1.0, 0.0, 0.0, 0.0]]))
    lists = np.full((2, held_out.LENGTH), -1)
    lists[0, :2] = 0, 2
    lists[1, 0] = 3
    ideal = 3 + 2 / np.log2(3) + 1 / 2
    expected = [2 / np.log2(3) / ideal, 0]
    np.testing.assert_allclose(held_out.ndcg_of_lists(lists, worth), expected)
    nothing = csr_array((2, 4))
    np.testing.assert_array_equal(held_out.ndcg_of_lists(lists, nothing), 0)


def test_a_walk_without_powers_ends_somewhere():
    """With alpha = 1 and beta = 0 weights are chances: together with the way back they are 1."""
    X = (TRAIN.csr().toarray() > 0).astype(float)
    model = RP3beta(alpha=1, beta=0, n_neighbors=40).fit(TRAIN)
    leading = np.zeros((40, 40))
    lists = model.weights
    to = np.repeat(np.arange(40), np.diff(lists.indptr))
    leading[lists.neighbors, to] = lists.weights
    back = (X / np.maximum(X.sum(axis=1, keepdims=True), 1)).sum(axis=0) / np.maximum(X.sum(0), 1)
    np.testing.assert_allclose((leading.sum(axis=1) + back)[:-1], 1, rtol=1e-5)


# EASE.


def graded(ratings, lowest):
    """What each rating counts: from ``lowest`` at half a star to 1 at five, and 0 without one."""
    R = ratings.csr().toarray().astype(float)
    return np.where(R > 0, lowest + (1 - lowest) * (R - 0.5) / 4.5, 0.0)


@pytest.mark.parametrize("n_users", [60, 20], ids=["more users", "more items"])
@pytest.mark.parametrize("lowest", [1.0, 0.15, 0.0])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_ease_equals_dense_algebra(dropout, lowest, n_users):
    train = ratings_of(n_users)
    X = graded(train, lowest)
    G = X.T @ X
    reg = 7.0 * np.trace(G) / len(train)
    P = np.linalg.inv(G + np.diag(reg + dropout / (1 - dropout) * np.diag(G)))
    B = P / -np.diag(P)
    np.fill_diagonal(B, 0)
    model = EASE(reg=7, dropout=dropout, lowest=lowest).fit(train)
    np.testing.assert_allclose(model.weights, B, atol=1e-6)
    np.testing.assert_allclose(model.score_block(np.arange(n_users)), X @ B, atol=1e-5)
    newcomer = model.fold_in({"3": 5, "5": 0.5})
    scores = model.score_people([newcomer], np.arange(40, dtype=np.int32))[0]
    np.testing.assert_allclose(scores, B[3] + lowest * B[5], atol=1e-6)


def test_the_penalty_of_ease_is_learned_unless_it_is_given():
    """80 and 1.5 for each of the users that an item has on average; the last item has none."""
    model = EASE().fit(TRAIN)
    reg = 80 + 1.5 * len(TRAIN) / 39
    assert model.facts == {"reg": pytest.approx(reg)}
    by_hand = EASE(reg=reg).fit(TRAIN)
    assert np.array_equal(by_hand.weights, model.weights)
    assert by_hand.facts == {}


@pytest.mark.parametrize("algorithm", [EASE, SLIM])
def test_graded_choices_put_what_is_liked_above_what_is_only_chosen(algorithm):
    """Everyone chooses one of two kinds of films with film 0, and likes one kind only."""
    user = np.repeat(np.arange(40), 3)
    item = np.concatenate([[0, 1 + 2 * (u % 2), 2 + 2 * (u % 2)] for u in range(40)])
    stars = np.where(item % 2 == 0, 5.0, 1.0)
    users, items = IdMap.of(range(40), "user"), IdMap.of(range(5), "item")
    train = Ratings.of(users, items, user, item, stars, scale=Scale(1, 5))
    for lowest, alike in ((1.0, True), (0.15, False)):
        model = algorithm(lowest=lowest).fit(train)
        scores = model.score_people([model.fold_in({"0": 5})], np.arange(5, dtype=np.int32))[0]
        chosen, liked = scores[[1, 3]], scores[[2, 4]]
        assert (np.isclose(liked, chosen, rtol=1e-3) if alike else liked > 2 * chosen).all()


def test_constant_ratings_are_graded_alike():
    ones = TRAIN.positives_from(0.5)
    for algorithm in (EASE, SLIM):
        plain, learned = algorithm().fit(ones), algorithm(lowest=0.15).fit(ones)
        rows = np.arange(60)
        assert np.array_equal(plain.score_block(rows), learned.score_block(rows))


def test_ease_weights_are_the_constrained_minimum():
    """The gradient of the objective vanishes off the diagonal, where weights are free."""
    X = (TRAIN.csr().toarray() > 0).astype(float)
    B = EASE(reg=7, dropout=0).fit(TRAIN).weights.astype(float)
    gradient = -X.T @ (X - X @ B) + 7 * B
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-4
    assert not np.diag(B).any()


@pytest.mark.parametrize("n", [1, 5, BLOCK, BLOCK + 1, 2 * BLOCK + 30])
def test_a_matrix_is_inverted_in_place(n):
    rng = np.random.default_rng(n)
    M = rng.normal(size=(n, n))
    A = M @ M.T + np.eye(n)
    expected = np.linalg.inv(A)
    invert(A)
    np.testing.assert_allclose(A, expected, atol=1e-9 * np.abs(expected).max())
    assert np.array_equal(A, A.T)


def test_the_inverse_has_the_same_bits_at_any_number_of_threads(monkeypatch):
    M = np.random.default_rng(0).normal(size=(700, 700))
    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("MATINEE_THREADS", threads)
        found.append(M @ M.T + np.eye(700))
        invert(found[-1])
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


# Answers known by eye.


@pytest.fixture(scope="module")
def checkerboard():
    """Even people like even films and odd people odd ones; one pair in ten is not rated."""
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((24, 16)) < 0.9)
    stars = np.where((user + item) % 2 == 0, 5.0, 1.0)
    users, items = IdMap.of(range(24), "user"), IdMap.of(range(16), "item")
    return Ratings.of(users, items, user, item, stars, scale=Scale(1, 5))


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_a_checkerboard_is_continued(kind, checkerboard):
    model = kind(choice=None, shrinkage=0, damping=0).fit(checkerboard)
    user, item = np.divmod(np.arange(24 * 16), 16)
    liked = (user + item) % 2 == 0
    assert np.array_equal(model.predict_rows(user, item) > 3, liked)
    newcomer = model.fold_in({"1": 5, "3": 5, "2": 1})
    assert {int(one) % 2 for one in model.recommend(newcomer, n=5).item_id} == {1}


@pytest.mark.parametrize(
    "algorithm",
    [
        EASE(reg=1),
        RP3beta(),
        ItemKNN(feedback="preference"),
        UserKNN(feedback="preference", n_neighbors=8),
    ],
)
def test_a_checkerboard_of_positives_is_continued(algorithm, checkerboard):
    model = algorithm.fit(checkerboard.subset(checkerboard.rating >= 4))
    scores = model.score_block(np.arange(24))
    liked = np.add.outer(np.arange(24), np.arange(16)) % 2 == 0
    assert liked[np.arange(24), scores.argmax(axis=1)].all()
    assert not scores[~liked].any()
    newcomer = model.fold_in({"1": 1, "3": 1})
    assert {int(one) % 2 for one in model.recommend(newcomer, n=3).item_id} == {1}


def test_similar_rows_are_those_of_the_same_colour(checkerboard):
    for model in (
        ItemKNN(choice=None).fit(checkerboard),
        EASE(reg=1).fit(checkerboard.subset(checkerboard.rating >= 4)),
    ):
        assert {int(one) % 2 for one in model.similar_items("3", n=3).item_id} == {1}
    users = UserKNN(choice=None).fit(checkerboard).similar_users("4", n=5)
    assert {int(one) % 2 for one in users.user_id} == {0}
    assert "4" not in users.user_id


def test_reasons_are_the_films_of_the_same_colour(checkerboard):
    """Between items only the same colour speaks; like-minded people are found through both."""
    for kind, speaks in ((ItemKNN, {"item 1"}), (UserKNN, {"item 1", "item 2"})):
        model = kind(choice=None).fit(checkerboard)
        reasons = model.explain(model.fold_in({"1": 5, "2": 1}), "7")
        said = {term.name: term.value for term in reasons.terms if term.kind == "rating"}
        assert set(said) == speaks
        assert min(said.values()) > 0


def test_people_are_reasons_without_names(checkerboard):
    model = UserKNN(choice=None, n_neighbors=6).fit(checkerboard)
    rated = checkerboard.csr().toarray() > 0
    user, item = next((u, i) for u, i in np.argwhere(~rated).tolist() if (u + i) % 2 == 0)
    reasons = model.explain(str(user), str(item), by="people")
    (people,) = [term for term in reasons.terms if term.kind == "person"]
    assert people.name == "6 people like you gave 5"
    assert "because people like you rate it high" in reasons.sentence()


def test_fewer_than_five_people_are_not_told_of(checkerboard):
    reasons = UserKNN(choice=None, n_neighbors=3).fit(checkerboard).explain("0", "2", by="people")
    (few,) = [term for term in reasons.terms if term.kind == "remainder"]
    assert few.name == "fewer than 5 people like you"
    assert not [term for term in reasons.terms if term.kind == "person"]


# Settings.


@pytest.mark.parametrize(
    "kind, settings, words",
    [
        (ItemKNN, {"feedback": "clicks"}, "feedback is 'clicks'; it must be one of 'rating'"),
        (ItemKNN, {"similarity": "euclid"}, "similarity is 'euclid'"),
        (ItemKNN, {"feedback": "preference", "similarity": "pearson"}, "one of 'cosine'"),
        (ItemKNN, {"weighting": "tf-idf"}, "weighting is 'tf-idf'; it must be one of 'none'"),
        (ItemKNN, {"n_candidates": 0}, "n_candidates is 0"),
        (UserKNN, {"n_neighbors": 0}, "n_neighbors is 0; it must be at least 1"),
        (UserKNN, {"shrinkage": -1}, "shrinkage is -1"),
        (SlopeOne, {"damping": -1}, "damping is -1"),
        (ItemKNN, {"asymmetry": 2}, "asymmetry is 2; it must be from 0 to 1"),
        (RP3beta, {"alpha": -1}, "alpha is -1; it must be at least 0"),
        (RP3beta, {"beta": -0.1}, "beta is -0.1"),
        (EASE, {"reg": 0}, "reg is 0; it must be above 0"),
        (EASE, {"dropout": 1}, "dropout is 1; it must be below 1"),
        (EASE, {"lowest": -0.1}, "lowest is -0.1; it must be from 0 to 1"),
    ],
)
def test_impossible_settings_are_refused(kind, settings, words):
    with pytest.raises(BadSetting, match=words):
        kind(**settings)


def test_ease_refuses_more_items_than_fit():
    with pytest.raises(
        BadSetting, match=r"ease needs 0\.0 GB for 40 x 40 .* max_memory_gb=1e-06.* use slim"
    ):
        EASE(max_memory_gb=1e-6).fit(TRAIN)


def test_a_model_of_one_side_says_so():
    with pytest.raises(BadSetting, match="no similar users"):
        ItemKNN(choice=None).fit(TRAIN).similar_users("u000")
    with pytest.raises(BadSetting, match="no similar items"):
        UserKNN(choice=None).fit(TRAIN).similar_items("3")


def test_work_and_room_of_neighbours_grow_with_products_not_with_pairs():
    """A catalogue of twice the items, with the same ratings, costs the same."""
    rng = np.random.default_rng(0)
    user, item = np.divmod(np.unique(rng.integers(0, 50 * 4000, 600)), 4000)
    for n_items in (4000, 8000):
        dense = np.zeros((n_items, 50))
        dense[item, user] = 1.0
        by_item, by_user = (
            Sparse(one.indptr.astype(np.int64), one.indices.astype(np.int32), one.data)
            for one in (csr_array(dense), csr_array(dense.T))
        )
        products = (dense.sum(axis=0) ** 2).sum()
        assert pair_costs(by_item, by_user.counts).sum() == products
        lists = Lists.of(by_item, by_user, 500)
        assert len(lists.rows) <= products
        assert len(lists.rows) < n_items * 500 / 100
