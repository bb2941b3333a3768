"""Implicit feedback: the models against their dense definitions, and their laws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import nnls

from matinee.algorithms import BPR, ImplicitALS, Popularity
from matinee.algorithms.bpr import EPOCHS, USUAL_EPOCHS
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.errors import BadRatings, Diverged
from matinee.kernels.blas import gram
from matinee.kernels.bpr import draw_negative, pair_step
from matinee.kernels.rows import has
from matinee.row_solvers import ImplicitLeastSquares, from_plain, to_plain
from matinee.row_solvers.embeddings import Embeddings
from matinee.sources.synthetic import checkerboard, planted
from matinee.training import held_out
from matinee.training.alternating import TableSummary
from matinee.training.balance import BALANCES, USUAL, Balance
from matinee.training.held_out import HeldOut


def choices(n_users=50, n_items=30, seed=0, stars=False):
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < np.linspace(0.6, 0.1, n_items))
    value = rng.integers(1, 6, len(user)) if stars else np.ones(len(user))
    users, items = IdMap.of(range(n_users), "user"), IdMap.of(range(n_items), "item")
    return Ratings.of(users, items, user, item, value, scale=Scale(0, 5))


def dense_row(fold, x, values, Q):
    """The minimum over p, cell by cell: weights and targets of all items, written out."""
    chosen = x > 0
    penalty = fold.reg * (chosen.sum() + fold.unobserved * len(Q)) ** fold.reg_power
    weight = chosen * (1 + fold.by_rating * values)
    A = Q.T @ np.diag(weight) @ Q + fold.unobserved * Q.T @ Q + penalty * np.eye(Q.shape[1])
    return np.linalg.solve(A, Q.T @ (weight * (fold.target + fold.slope * values)))


def dense_objective(model, algorithm, train):
    """The objective of ImplicitALS as its docstring states it, over the dense matrix."""
    P, Q = model.user_factors.astype(float), model.item_factors.astype(float)
    X, R = np.zeros((len(P), len(Q))), np.zeros((len(P), len(Q)))
    X[train.user, train.item], R[train.user, train.item] = 1, train.rating
    S = P @ Q.T
    reg, unobserved = model.fold.reg, model.fold.unobserved
    low, high = train.scale
    targets = algorithm.lowest + (1 - algorithm.lowest) * (R - low) / (high - low)
    total = (X * (1 + algorithm.by_rating * R) * (targets - S) ** 2).sum()
    total += unobserved * (S**2).sum()
    for F, counts, n_others in ((P, X.sum(1), len(Q)), (Q, X.sum(0), len(P))):
        scale = (counts + unobserved * n_others) ** algorithm.reg_power
        total += reg * (scale * (F**2).sum(1)).sum()
    return total


FOLDS = [
    ImplicitLeastSquares(0.1, 0.3),
    ImplicitLeastSquares(0.35, 0.5, reg_power=0.5, target=2.0),
    ImplicitLeastSquares(0.05, 0.1, reg_power=0.0, by_rating=0.7),
    ImplicitLeastSquares(0.2, 0.4, by_rating=0.2, target=0.1, slope=0.18),
]


@pytest.mark.parametrize("n_factors", [1, 7, 16, 40])
@pytest.mark.parametrize("fold", FOLDS, ids=str)
def test_rows_equal_the_dense_definition(fold, n_factors):
    train = choices(stars=True)
    rng = np.random.default_rng(1)
    Q = rng.normal(0, 0.5, (train.n_items, n_factors)).astype(np.float32)
    items, users = (Embeddings.zeros(n, n_factors) for n in (train.n_items, train.n_users))
    items.factors[:] = Q
    fold.solve(train.by_user, 0.0, items, users)
    R = train.csr().toarray()
    for row in range(train.n_users):
        expected = dense_row(fold, R[row], R[row], Q.astype(float))
        np.testing.assert_allclose(users.factors[row], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("fold", FOLDS, ids=str)
def test_parts_give_the_score_back(fold):
    train = choices(stars=True)
    items, users = Embeddings.zeros(train.n_items, 5), Embeddings.zeros(train.n_users, 5)
    items.factors[:] = np.random.default_rng(1).normal(0, 0.5, items.factors.shape)
    fold.solve(train.by_user, 0.0, items, users)
    for row in (0, 17):
        here, values = train.by_user.row(row)
        parts = fold.parts(Rows.single(here, values), items, np.array([3]), users.row(row))
        scored = users.factors[row].astype(float) @ items.factors[3]
        assert parts.sum() == pytest.approx(scored, abs=1e-5)
    assert from_plain(to_plain(fold)) == fold


def test_the_gram_matrix_has_the_same_bits_at_any_number_of_threads(monkeypatch):
    Y = np.random.default_rng(0).normal(size=(20_000, 6)).astype(np.float32)
    found = gram(Y)
    np.testing.assert_allclose(found, Y.astype(float).T @ Y.astype(float), rtol=1e-12)
    monkeypatch.setenv("MATINEE_THREADS", "3")
    assert np.array_equal(gram(Y), found)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_steps": 0},
        {"n_steps": 1},
        {"reg_power": 1.0, "reg": 0.05},
        {"by_rating": 0.4, "unobserved": 0.05},
        {"lowest": 0.2},
        {"lowest": 0.0, "nonnegative": True},
    ],
)
def test_the_objective_never_rises(settings):
    train = choices(stars=True)
    values = []
    for n_epochs in range(1, 9):
        algorithm = ImplicitALS(n_factors=5, n_epochs=n_epochs, **settings)
        values.append(dense_objective(algorithm.fit(train), algorithm, train))
    assert (np.diff(values) <= 1e-5 * values[0]).all()


@pytest.mark.parametrize(
    "algorithm",
    [
        ImplicitALS(n_factors=4),
        BPR(n_factors=4, n_epochs=200, n_negatives=1, user_reg=0.05, item_reg=0.2),
    ],
    ids=str,
)
def test_held_out_fields_of_a_checkerboard_beat_those_of_the_other_colour(algorithm):
    board = checkerboard(30)
    liked = board.positives_from(board.rating.max())
    held_out = np.zeros(len(liked), dtype=bool)
    held_out[::7] = True
    train, test = liked.subset(~held_out), liked.subset(held_out)
    scores = algorithm.fit(train).score_block(np.arange(train.n_users))
    same = np.add.outer(np.arange(train.n_users), np.arange(train.n_items)) % 2 == 0
    for user, item in zip(test.user, test.item, strict=True):
        assert scores[user, item] > scores[user][~same[user]].max()


def test_steps_of_conjugate_gradients_reach_the_solution_of_exact_rows():
    train = choices(stars=True)
    settings = {"n_factors": 6, "n_epochs": 40, "by_rating": 0.3}
    exact = ImplicitALS(n_steps=0, **settings).fit(train)
    stepped = ImplicitALS(**settings).fit(train)
    everyone = np.arange(train.n_users)
    np.testing.assert_allclose(
        stepped.score_block(everyone), exact.score_block(everyone), atol=2e-3
    )


def test_a_user_folds_in_to_the_trained_row_although_training_takes_steps():
    train = choices(stars=True)
    model = ImplicitALS(n_factors=6, n_epochs=2, by_rating=0.3).fit(train)
    for user in ("0", "17"):
        here, values = train.by_user.row(int(user))
        history = dict(zip((train.items.ids[i] for i in here), values.tolist(), strict=True))
        folded = model.fold_in(history).embeddings.factors[0]
        np.testing.assert_allclose(folded, model.user_factors[int(user)], atol=1e-5)


def test_a_row_with_bounds_is_the_dense_non_negative_solution():
    train, fold = choices(stars=True), replace(FOLDS[-1], nonnegative=True)
    Q = np.random.default_rng(1).normal(0.2, 0.5, (train.n_items, 6)).astype(np.float32)
    items, users = Embeddings.zeros(len(Q), 6), Embeddings.zeros(train.n_users, 6)
    items.factors[:] = Q
    fold.solve(train.by_user, 0.0, items, users)
    R = train.csr().toarray()
    n_at_zero = 0
    for row, p in enumerate(users.factors):
        n = (R[row] > 0).sum()
        weights = (R[row] > 0) * (1 + fold.by_rating * R[row])
        targets = (R[row] > 0) * (fold.target + fold.slope * R[row])
        penalty = fold.reg * (n + fold.unobserved * len(Q)) ** fold.reg_power
        cells = np.sqrt(fold.unobserved) * Q
        wide = np.vstack([np.sqrt(weights)[:, None] * Q, cells, np.sqrt(penalty) * np.eye(6)])
        right = np.r_[np.sqrt(weights) * targets, np.zeros(len(Q) + 6)]
        np.testing.assert_allclose(p, nnls(wide, right)[0], rtol=1e-3, atol=1e-5)
        n_at_zero += np.count_nonzero(p == 0)
    assert n_at_zero > 0, "the bounds hold somewhere"


@pytest.mark.parametrize("settings", [{"lowest": 0.2}, {"lowest": 0.0, "nonnegative": True}])
def test_units_of_graded_ratings_do_not_matter(settings):
    train = choices(stars=True)
    high = Scale(7.0, 107.0)
    other = replace(train, rating=7 + 20 * train.rating, scale=high)
    algorithm, everyone = ImplicitALS(n_factors=4, n_epochs=4, **settings), np.arange(50)
    one, same = (algorithm.fit(part).score_block(everyone) for part in (train, other))
    np.testing.assert_allclose(one, same, atol=1e-4)


def test_equal_positives_have_no_use_for_the_stars():
    train = choices(stars=True)
    ones = replace(train, rating=np.ones_like(train.rating))
    one, same = (ImplicitALS(n_factors=4).fit(part).item_factors for part in (train, ones))
    assert np.array_equal(one, same)


def test_graded_targets_put_what_is_liked_above_what_is_not():
    """Of items that are chosen alike, those rated 5 by all come above those rated 1."""
    train = choices(stars=True)
    good = train.item % 2 == 0
    graded = replace(train, rating=np.where(good, 5.0, 0.0).astype(np.float32))
    scores = ImplicitALS(n_factors=8, lowest=0.0).fit(graded).score_block(np.arange(50))
    assert np.abs(scores[:, 1::2]).max() < 1e-6, "their targets are zero"
    assert scores[graded.user[good], graded.item[good]].min() > 1e-3


def test_tastes_without_signs_only_add():
    model = ImplicitALS(n_factors=5, nonnegative=True).fit(choices())
    assert (model.user_factors >= 0).all()
    assert (model.item_factors >= 0).all()
    terms = model.explain("3", "5", by="factor").terms
    assert all(term.value >= 0 for term in terms)


# What is learned: the balance of the unobserved and the penalty.


def test_the_unobserved_weigh_a_multiple_of_the_positives():
    table = TableSummary(600, 50, 30, Scale(0, 5))
    for balance in BALANCES:
        assert balance.unobserved(table) * 50 * 30 == pytest.approx(balance.ratio * 600)


def test_the_penalty_of_an_average_row_follows_the_noise():
    """strength is in units of the largest singular value of so many ones put at random."""
    rng, n_users, n_items = np.random.default_rng(0), 400, 300
    X = rng.random((n_users, n_items)) < 0.05
    table = TableSummary(int(X.sum()), n_users, n_items, Scale(0, 1))
    largest = np.linalg.norm(X - X.mean(), 2)
    for power in (0.5, 1.0):
        reg = Balance(12.0, 0.5).reg(table, 0.6, power)
        weight = (X.sum() + 0.6 * X.size) / X.size**0.5
        assert reg * weight**power == pytest.approx(0.5 * largest, rel=0.1)
        graded = Balance(12.0, 0.5).reg(table, 0.6, power, target=0.7)
        assert graded * weight**power == pytest.approx(0.35 * largest, rel=0.1)


def test_what_is_given_holds_and_the_rest_is_learned():
    train = choices()
    given = ImplicitALS(n_factors=4, reg=0.7).fit(train)
    assert given.fold.reg == 0.7
    assert given.fold.unobserved == pytest.approx(USUAL.unobserved(TableSummary.of(train)))
    assert given.facts["unobserved"] == given.fold.unobserved
    both = ImplicitALS(n_factors=4, reg=0.7, unobserved=0.2).fit(train)
    assert (both.fold.reg, both.fold.unobserved) == (0.7, 0.2)
    assert "balance" not in both.facts


def test_the_balance_is_that_whose_lists_are_best(monkeypatch):
    monkeypatch.setattr(held_out, "LEAST_USERS", 100)
    train = planted(500, 80, 4, density=0.2, noise=0.3, seed=1).positives_from(4)
    model = ImplicitALS(n_factors=8).fit(train)
    ndcg = model.facts["held_out_ndcg@10"]
    assert list(ndcg) == [str(balance) for balance in BALANCES]
    assert str(Balance(**model.facts["balance"])) == max(ndcg, key=ndcg.__getitem__)
    again = ImplicitALS(n_factors=8).fit(train)
    assert again.facts == model.facts
    further = ImplicitALS(n_factors=8, n_epochs=2).fit(train, start=model)
    assert further.fold == model.fold


def test_held_out_lists_equal_their_definition():
    train = planted(400, 40, 3, density=0.4, noise=0.3, seed=2)
    parts = HeldOut.of(train, seed=5)
    assert len(parts.train) + len(parts.test) == len(train)
    assert np.array_equal(parts.test.user_counts, train.user_counts // 5)
    model = Popularity().fit(parts.train)
    gains = np.random.default_rng(0).random(len(parts.test))
    worth = np.zeros((400, 40))
    worth[parts.test.user, parts.test.item] = gains
    total = []
    for user in np.flatnonzero(parts.test.user_counts):
        scores = model.score_block(np.array([user]))[0].astype(float)
        scores[parts.train.by_user.row(user)[0]] = -np.inf
        listed = np.argsort(-scores, kind="stable")[:10]
        listed = listed[scores[listed] > -np.inf]
        dcg = sum(worth[user, item] / np.log2(place + 2) for place, item in enumerate(listed))
        ideal = sorted(worth[user], reverse=True)[:10]
        total.append(dcg / sum(gain / np.log2(place + 2) for place, gain in enumerate(ideal)))
    assert parts.ndcg(model, gains) == pytest.approx(np.mean(total))


def test_few_users_are_no_judges_and_many_are_sampled(monkeypatch):
    train = planted(400, 40, 3, density=0.4, noise=0.3, seed=2)
    monkeypatch.setattr(held_out, "LEAST_USERS", 401)
    assert HeldOut.of(train, seed=5) is None
    monkeypatch.setattr(held_out, "LEAST_USERS", 50)
    monkeypatch.setattr(held_out, "MOST_USERS", 60)
    parts = HeldOut.of(train, seed=5)
    assert parts.train.n_users == 60
    for part in (parts.train, parts.test):
        names = part.users.ids[part.user], part.items.ids[part.item]
        for user, item, rating in zip(*names, part.rating, strict=True):
            assert train.history(user)[item] == pytest.approx(rating)


def test_what_nobody_chose_scores_zero():
    train = choices()
    wider = train.renumbered(train.users, IdMap.of([*train.items, "new"], "item"))
    model = ImplicitALS(n_factors=3).fit(wider)
    assert not model.score_block(np.arange(5))[:, -1].any()


def test_positives_are_ones_over_the_same_ids():
    train = choices(stars=True)
    good = train.positives_from(4)
    assert len(good) == (train.rating >= 4).sum()
    assert set(good.rating.tolist()) == {1.0}
    assert good.scale == Scale(0, 1)
    assert (good.users, good.items) == (train.users, train.items)
    with pytest.raises(BadRatings, match="lower the threshold"):
        train.positives_from(6)


def test_a_choice_is_not_told_as_a_rating():
    model = ImplicitALS(n_factors=4).fit(choices())
    told = {term.detail for term in model.explain("3", "5", by="history").terms}
    assert told <= {"you chose it", ""}


# BPR.


def pair_loss(x, k, reg_p, reg_q, reg_r, bias_reg):
    p, q, r, (c_i, c_j) = x[:k], x[k : 2 * k], x[2 * k : 3 * k], x[3 * k :]
    margin = c_i - c_j + p @ (q - r)
    penalty = reg_p * p @ p + reg_q * q @ q + reg_r * r @ r + bias_reg * (c_i**2 + c_j**2)
    return np.log1p(np.exp(-margin)) + penalty / 2


def test_a_pair_step_follows_the_gradient():
    k, regs, rate, tiny = 5, (0.3, 0.1, 0.5, 0.2), 1e-2, 1e-5
    x = np.random.default_rng(0).normal(0, 0.7, 3 * k + 2)
    ahead = tiny * np.eye(len(x))
    gradient = [
        (pair_loss(x + e, k, *regs) - pair_loss(x - e, k, *regs)) / (2 * tiny) for e in ahead
    ]
    p, q, r, c = (part.astype(np.float32) for part in np.split(x, [k, 2 * k, 3 * k]))
    pair_step(p, q, r, c, 0, 1, *map(np.float32, (rate, *regs)))
    step = (np.r_[p, q, r, c] - x) / -rate
    np.testing.assert_allclose(step, gradient, atol=2e-4)


def draw(j, n_negatives, group, positives, Q):
    return draw_negative(
        group,
        positives,
        np.ones(1, np.float32),
        Q,
        np.zeros(len(Q), np.float32),
        n_negatives,
        np.uint64(7),
        np.uint64(1),
        np.uint64(j),
    )


def test_negatives_are_even_over_the_group_and_never_positives():
    group, positives = np.arange(2, 12, dtype=np.int32), np.array([3, 4, 20], np.int32)
    Q = np.zeros((30, 1), np.float32)
    drawn = np.array([draw(j, 1, group, positives, Q) for j in range(8000)])
    counts = np.bincount(drawn[drawn >= 0], minlength=30)
    allowed = [item for item in group if item not in positives]
    assert set(np.flatnonzero(counts)) == set(allowed)
    assert np.abs(counts[allowed] - 800).max() < 5 * np.sqrt(800)
    Q[11] = 1.0
    hardest = np.array([draw(j, 30, group, positives, Q) for j in range(200)])
    assert (hardest == 11).mean() > 0.9


def test_membership_in_an_ascending_array():
    items = np.array([2, 5, 9], np.int32)
    assert [one for one in range(11) if has(items, one)] == [2, 5, 9]
    assert not has(items[:0], 3)


def test_the_epochs_of_bpr_are_those_whose_lists_are_best(monkeypatch):
    train = planted(300, 60, 3, density=0.2, noise=0.3, seed=1).positives_from(4)
    few = BPR(n_factors=4).fit(train)
    assert few.facts["n_epochs_run"] == USUAL_EPOCHS
    monkeypatch.setattr(held_out, "LEAST_USERS", 50)
    model = BPR(n_factors=4).fit(train)
    parts, best = HeldOut.of(train, seed=42), {}
    for n_epochs in EPOCHS:
        trial = BPR(n_factors=4, n_epochs=n_epochs).fit(parts.train)
        best[n_epochs] = parts.ndcg(trial, np.ones(len(parts.test)))
        if best[n_epochs] < max(best.values()):
            break
    assert model.facts["held_out_ndcg@10"] == {str(n): ndcg for n, ndcg in best.items()}
    by_hand = BPR(n_factors=4, n_epochs=max(best, key=best.get)).fit(train)
    assert model.facts["n_epochs_run"] == by_hand.facts["n_epochs_run"]
    assert np.array_equal(model.item_factors, by_hand.item_factors)


def test_bpr_has_the_same_bits_at_any_number_of_threads(monkeypatch):
    """On data large enough for several blocks, which the contract's are not."""
    train = choices(400, 300)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("MATINEE_THREADS", threads)
        found.append(BPR(n_factors=4, n_epochs=3).fit(train).user_factors)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")  # with compilation off
def test_a_fit_that_leaves_the_numbers_is_refused():
    with pytest.raises(Diverged, match="lower learning_rate"):
        BPR(n_factors=4, n_epochs=5, learning_rate=1e20).fit(choices())


@pytest.mark.parametrize("kind", [ImplicitALS, BPR])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (6, 6)])
@pytest.mark.filterwarnings("ignore:n_factors is")
def test_odd_data_finish(kind, shape):
    """One user, one item, and all chosen by all."""
    user, item = np.nonzero(np.ones(shape))
    users, items = (
        IdMap.of(range(n), what) for n, what in zip(shape, ("user", "item"), strict=True)
    )
    train = Ratings.of(users, items, user, item, np.ones(len(user)))
    model = kind(n_factors=3).fit(train)
    assert np.isfinite(model.score_block(np.arange(shape[0]))).all()
