"""Weights of ratings: what carries them, who takes them, and the laws of weighted least squares."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

import matinee
from matinee import splitting
from matinee.algorithms import ALGORITHMS, MF, NMF, BayesianMF, Bias, Hybrid, ImplicitALS
from matinee.algorithms.from_model import ratings_of
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.errors import BadModel, BadRatings, BadSetting
from matinee.evaluation.held_out_users import FoldedIn
from matinee.feedback.change_index import ChangeIndex
from matinee.feedback.events import Event, Verdict
from matinee.feedback.history import person_of
from matinee.feedback.model_refit import with_events
from matinee.feedback.store import EventBatch, Store
from matinee.kernels.factors import score_pairs, squared_errors
from matinee.models.capabilities import WEIGHTS
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.embeddings import Embeddings
from matinee.sources import read_ratings
from matinee.sources.packing.pack import pack
from matinee.sources.synthetic import planted
from matinee.spark.fitting import fit as fit_on_spark
from matinee.tuning.auto import SuccessiveHalving

FITS = {
    "bias": Bias(choice=None),
    "mf": MF(n_factors=3, n_epochs=4, reg=1.0, choice=None),
    "mf learned": MF(n_factors=3, n_epochs=6, choice=None),
    "mf sgd": MF(n_factors=3, n_epochs=5, solver="sgd", choice=None),
    "nmf": NMF(n_factors=3, n_epochs=4, choice=None),
    "bayesian-mf": BayesianMF(
        n_factors=2, n_epochs=12, burn_in=2, n_samples=3, n_features=2, choice=None
    ),
}
EXACT = [name for name in FITS if name != "mf sgd"]  # that end on the row solve of users
LISTS = MF(n_factors=3, n_epochs=4, reg=1.0, choice=(ImplicitALS(n_factors=4, n_epochs=3),))


@pytest.fixture(scope="module")
def ratings():
    return planted(n_users=70, n_items=60, n_factors=2, density=0.6, seed=1)


@pytest.fixture(scope="module")
def weighted(ratings):
    return ratings.with_sample_weight(np.random.default_rng(0).uniform(0.2, 4, len(ratings)))


@pytest.fixture(scope="module")
def models(weighted):
    return {name: fit.fit(weighted) for name, fit in FITS.items()}


def by_pair(ratings):
    """``{(user id, item id): weight}``."""
    users, items = ratings.users.ids[ratings.user], ratings.items.ids[ratings.item]
    return dict(zip(zip(users, items, strict=True), ratings.sample_weight.tolist(), strict=True))


# What carries them.


def test_weights_follow_their_ratings_wherever_they_go(weighted):
    weight_of, n = by_pair(weighted), len(weighted)
    shuffled = np.random.default_rng(1).permutation(n)
    again = Ratings.of(
        weighted.users,
        weighted.items,
        weighted.user[shuffled],
        weighted.item[shuffled],
        weighted.rating[shuffled],
        sample_weight=weighted.sample_weight[shuffled],
    )
    assert by_pair(again) == weight_of
    parts = [weighted[3:9], weighted[weighted.rating > 3], weighted.subset(shuffled[:50])]
    parts += [part for fold in splitting.k_fold(weighted, 3) for part in (fold.train, fold.test)]
    split = splitting.strong(weighted)
    parts += [split.train, split.test, split.history, weighted.positives_from(3.0)]
    parts += [weighted.standardized(weighted.mean)]
    for part in parts:
        assert by_pair(part).items() <= weight_of.items()
        assert len(part) == len(by_pair(part))


def test_rows_by_user_and_by_item_carry_them(weighted):
    for rows, row, column in (
        (weighted.by_user, weighted.user, weighted.item),
        (weighted.by_item, weighted.item, weighted.user),
    ):
        dense = np.zeros((len(rows.counts), column.max() + 1), np.float32)
        dense[row, column] = weighted.sample_weight
        for r in (0, 5, 17):
            one = rows.only(r)
            assert np.array_equal(one.weights, dense[r, one.indices])
        some = rows.take(np.array([4, -1, 2]))
        assert np.array_equal(
            some.weights, np.concatenate([rows.only(4).weights, rows.only(2).weights])
        )


def test_rows_are_joined_cut_and_changed_with_their_weights():
    plain = Rows.single(np.array([1, 4], np.int32), np.array([3, 5], np.float32))
    heavy = Rows.single(np.array([0, 2, 7], np.int32), np.arange(3, dtype="f4"), np.full(3, 2.0))
    joined = Rows.joined([plain, heavy])
    assert joined.indptr.tolist() == [0, 2, 5]
    assert joined.weights.tolist() == [1, 1, 2, 2, 2]
    assert Rows.joined([plain, plain]).weights is None
    cut = joined.subset(np.array([False, True, True, False, True]))
    assert (cut.indptr.tolist(), cut.indices.tolist()) == ([0, 1, 3], [4, 0, 7])
    assert cut.weights.tolist() == [1, 2, 2]
    changed = heavy.updated({2: 4.5, 5: 1.0, 0: None})
    assert changed.indices.tolist() == [2, 5, 7]
    assert changed.values.tolist() == [4.5, 1, 2]
    assert changed.weights.tolist() == [1, 1, 2]
    assert plain.updated({4: None}).weights is None


def test_a_fingerprint_a_description_and_a_frame_have_them(ratings, weighted):
    assert weighted.with_sample_weight(None).fingerprint == ratings.fingerprint
    assert weighted.fingerprint != ratings.fingerprint
    assert repr(weighted).endswith(", weighted>")
    low, high = weighted.describe().weights
    assert (low, high) == (weighted.sample_weight.min(), weighted.sample_weight.max())
    assert ratings.describe().weights is None
    assert list(weighted.head(2).sample_weight) == weighted.sample_weight[:2].tolist()
    assert weighted.mean == pytest.approx(
        np.average(weighted.rating, weights=weighted.sample_weight), rel=1e-6
    )


@pytest.mark.parametrize("frame", ["to_pandas", "to_polars", "to_arrow"])
def test_frames_there_and_back_keep_them(weighted, frame):
    again = read_ratings(getattr(weighted, frame)())
    assert again.report.columns["sample_weight"] == "sample_weight"
    assert by_pair(again) == by_pair(weighted)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_files_have_a_column_of_them_under_any_name(tmp_path, weighted, kind):
    frame = weighted.to_pandas().rename(columns={"sample_weight": "recency"})
    path = tmp_path / f"ratings.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True, double_precision=15)
    else:
        frame.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    again = read_ratings(path, columns={"sample_weight": "recency"})
    assert by_pair(again) == by_pair(weighted)
    assert read_ratings(path).sample_weight is None


def test_the_last_of_several_ratings_brings_its_weight(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("user_id,item_id,rating,sample_weight\n1,1,3,2\n1,2,4,5\n1,1,5,7\n")
    assert read_ratings(path).sample_weight.tolist() == [7, 5]
    with pytest.raises(BadSetting, match='duplicates="mean" says nothing of sample_weight'):
        read_ratings(path, duplicates="mean")


@pytest.mark.parametrize("bad", ["0", "-1", "nan", "inf", "x", ""])
def test_a_weight_that_cannot_be_is_named_by_line(tmp_path, bad):
    path = tmp_path / "r.csv"
    path.write_text(f"user_id,item_id,rating,sample_weight\n1,1,3,2\n1,2,4,{bad}\n")
    with pytest.raises(
        BadRatings, match=r"r.csv, line 3: sample_weight is .*a weight is a number from 1e-38"
    ):
        read_ratings(path)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, 1e-60])
def test_a_weight_that_cannot_be_is_named_by_rating(ratings, bad):
    weights = np.ones(len(ratings))
    weights[4] = bad
    one = ratings[4]
    with pytest.raises(BadRatings, match=rf"\[4\] is .*{one.item_id!r} by user {one.user_id!r}"):
        ratings.with_sample_weight(weights)


def test_weights_are_numbers_one_for_each_rating(ratings):
    with pytest.raises(BadRatings, match=r"has the shape \(3,\); .* ratings take"):
        ratings.with_sample_weight([1, 2, 3])
    with pytest.raises(BadRatings, match=r"has the shape \(3,\)"):
        Ratings.of(
            ratings.users,
            ratings.items,
            ratings.user[::-1],
            ratings.item[::-1],
            ratings.rating,
            sample_weight=np.ones(3),
        )
    with pytest.raises(BadRatings, match=r"of item .0. by user .0.; a weight is a number"):
        ratings.with_sample_weight(["heavy"] * len(ratings))
    columns = {"user_id": [1, 2], "item_id": [1, 1], "rating": [3, 4], "sample_weight": [1, None]}
    with pytest.raises(BadRatings, match=r"the DataFrame, row 2: sample_weight is no number"):
        read_ratings(pandas.DataFrame(columns))


def test_packed_ratings_have_none(tmp_path, weighted):
    path = tmp_path / "r.csv"
    weighted.to_pandas().to_csv(path, index=False)
    for source in (path, weighted.to_pandas()):
        with pytest.raises(BadRatings, match="packed ratings have no weights"):
            pack(source, tmp_path / "packed")


def test_a_fit_on_spark_refuses_them():
    columns = ["user_id", "item_id", "rating", "sample_weight"]
    with pytest.raises(BadRatings, match=r'frame.drop\("sample_weight"\)'):
        fit_on_spark(MF(), SimpleNamespace(sparkSession=None, columns=columns))


# Who takes them.


def test_every_other_algorithm_refuses_them_and_names_those_that_take_them(weighted):
    takes = {name for name, kind in ALGORITHMS.items() if kind().takes_weights}
    assert takes == {"bias", "mf", "nmf", "bayesian-mf", "hybrid"}
    for name, kind in ALGORITHMS.items():
        if name not in takes and not (kind.extra and kind.extra.missing):
            with pytest.raises(BadSetting, match=rf"{name} takes no sample_weight; bias, .*mf"):
                kind().fit(weighted)
    for other in (NMF(missing="zero"), Hybrid(of="implicit-als")):
        with pytest.raises(BadSetting, match="with_sample_weight"):
            other.fit(weighted)


def test_the_models_named_in_messages_take_weights_of_new_users(models):
    assert all(any(fit.startswith(name) for fit in FITS) for name in WEIGHTS.algorithms)
    assert all(model.takes_weights for model in models.values())


@pytest.mark.parametrize("name", FITS)
def test_weights_of_one_give_the_same_bits_as_none(name, ratings):
    plain = FITS[name].fit(ratings)
    ones = FITS[name].fit(ratings.with_sample_weight(np.ones(len(ratings))))
    users = np.arange(len(ratings.users))
    assert np.array_equal(plain.score_block(users), ones.score_block(users))
    assert plain.facts == ones.facts


def test_learned_penalties_follow_the_unit_of_the_weights(ratings):
    fit = FITS["mf learned"]
    users = np.arange(len(ratings.users))
    assert "noise" in fit.fit(ratings).facts
    scores = [
        fit.fit(ratings.with_sample_weight(np.full(len(ratings), w))).score_block(users)
        for w in (0.25, 1, 16)
    ]
    for one, other in pairwise(scores):
        np.testing.assert_allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("name", FITS)
def test_heavier_ratings_are_fitted_better(name, ratings):
    heavy = np.arange(len(ratings)) % 2 == 0
    model = FITS[name].fit(ratings.with_sample_weight(np.where(heavy, 5.0, 0.5)))
    error = (model.score_rows(ratings.user, ratings.item) - ratings.rating) ** 2
    assert error[heavy].mean() < 0.9 * error[~heavy].mean()


@pytest.mark.parametrize("fit", [FITS["bias"], FITS["mf"], FITS["nmf"]], ids=lambda fit: fit.name)
def test_a_rating_of_huge_weight_is_fitted_nearly_exactly(fit, ratings):
    weights = np.ones(len(ratings))
    weights[100] = 1e5
    pair = slice(100, 101)
    model = fit.fit(ratings.with_sample_weight(weights))
    score = model.score_rows(ratings.user[pair], ratings.item[pair])
    assert score == pytest.approx(ratings.rating[pair], abs=0.01)


def test_who_chose_what_does_not_depend_on_them(ratings, weighted):
    plain, heavy = LISTS.fit(ratings), LISTS.fit(weighted)
    users = np.arange(len(ratings.users))
    assert np.array_equal(
        plain.choice.model.score_block(users), heavy.choice.model.score_block(users)
    )
    assert not np.array_equal(plain.score_block(users), heavy.score_block(users))


# Weighted least squares.


def simulated_row(seed=0, n=7, k=3):
    """Item embeddings, and a row of ratings with integer weights."""
    rng = np.random.default_rng(seed)
    factors, bias = rng.normal(size=(12, k)).astype("f4"), rng.normal(size=12).astype("f4")
    indices = np.sort(rng.choice(12, n, replace=False)).astype(np.int32)
    weights = rng.integers(1, 5, n).astype("f4")
    return Embeddings(factors, bias), Rows.single(indices, rng.normal(size=n).astype("f4"), weights)


@pytest.mark.parametrize(("n", "k"), [(7, 3), (2, 6), (9, 9)])  # d unknowns, the dual, either
def test_integer_weights_are_repeated_rows_of_a_ridge_regression(n, k):
    items, rated = simulated_row(n=n, k=k)
    fold = LeastSquares(reg=0.7, reg_power=0.5, bias_reg=2.0)
    solved = Embeddings.zeros(1, k)
    fold.solve(rated, 0.3, items, solved)
    copies = np.repeat(np.arange(n), rated.weights.astype(int))
    columns = rated.indices[copies]
    Y = np.column_stack([items.factors[columns], np.ones(len(columns))])
    t = rated.values[copies] - 0.3 - items.bias[columns]
    roots = np.sqrt(np.append(np.full(k, 0.7 * n**0.5), 2.0))  # n: the ratings, not their copies
    expected = np.linalg.lstsq(
        np.vstack([Y, np.diag(roots)]), np.append(t, np.zeros(k + 1)), rcond=None
    )[0]
    np.testing.assert_allclose(np.append(solved.factors, solved.bias), expected, atol=1e-5)


def test_the_spread_of_a_weighted_row_is_that_of_dense_algebra():
    items, rated = simulated_row()
    fold = LeastSquares(reg=0.5, bias_reg=2.0)
    targets = np.arange(12)
    person, n = Embeddings.zeros(1, 3), len(rated.indices)
    Y = np.column_stack([items.factors, np.ones(12)]).astype(float)
    rows = Y[rated.indices]
    A = rows.T @ (rated.weights[:, None] * rows) + np.diag([0.5 * n] * 3 + [2.0])
    expected = np.einsum("if,fg,ig->i", Y, np.linalg.inv(A), Y)
    found = fold.spread(rated, items, targets, person, fold.row_penalty(items))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_squared_errors_are_weighted():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(2, 9, 4)).astype("f4")
    users, items = (Embeddings(one, np.zeros(9, "f4")) for one in factors)
    user, item = (rng.integers(0, 9, 40).astype(np.int32) for _ in "ui")
    rating, weights = rng.normal(size=40).astype("f4"), rng.uniform(0.1, 3, 40).astype("f4")
    sums = squared_errors(0.5, users, items, (user, item, rating), weights=weights)
    error = rating - score_pairs(0.5, users, items, user, item)
    assert sums.sum() == pytest.approx((weights.astype(float) * error.astype(float) ** 2).sum())


# Models.


@pytest.mark.parametrize("name", EXACT)
def test_folding_a_user_in_with_their_weights_gives_the_trained_row(name, models, weighted):
    model = models[name]
    for user in ("3", "41"):
        row = weighted.users.row(user)
        history, weights = weighted.history(user), weighted.by_user.only(row).weights
        items = list(history)
        person = model.fold_in(history, sample_weight=dict(zip(items, weights, strict=True)))
        trained = model.person(user)
        np.testing.assert_allclose(person.embeddings.factors, trained.embeddings.factors, atol=1e-5)
        assert np.array_equal(person.weights, trained.weights)
        light = model.fold_in(history)
        assert light.weights is None
        both = (np.append(one.embeddings.factors, one.embeddings.bias) for one in (light, trained))
        assert not np.allclose(*both, atol=1e-3)


@pytest.mark.parametrize("name", FITS)
def test_reasons_by_history_add_up_to_the_score(name, models):
    model = models[name]
    for item in ("2", "30"):
        why = model.explain("5", item, by="history")
        assert sum(term.value for term in why.terms) == pytest.approx(why.score, abs=1e-4)
        rest = [term for term in why.terms if term.kind == "remainder"]
        assert bool(rest) == (name == "mf sgd")


@pytest.mark.parametrize("fit", [*(FITS[name] for name in EXACT[1:]), LISTS])
def test_a_saved_model_answers_to_the_same_bits(fit, weighted, tmp_path):
    model = fit.fit(weighted)
    loaded = matinee.load(model.save(tmp_path / "model"))
    assert np.array_equal(loaded.seen.weights, weighted.sample_weight)
    for one in ("1", "44"):
        assert loaded.recommend(one, 5).to_dicts() == model.recommend(one, 5).to_dicts()
        item = model.recommend(one, 5).item_id[1]
        assert loaded.explain(one, item, by="history") == model.explain(one, item, by="history")
        rated = next(iter(weighted.history(one)))
        moved, again = (m.what_if(one, item, without=[rated]) for m in (model, loaded))
        assert moved.score_after == again.score_after
    assert by_pair(ratings_of(loaded)) == by_pair(weighted)


def test_a_model_without_weights_is_stored_as_before(ratings, tmp_path):
    model = FITS["mf"].fit(ratings)
    assert "seen_weights" not in model.seen.parts()
    assert matinee.load(model.save(tmp_path / "model")).seen.weights is None


def test_weights_in_a_file_are_checked(weighted, tmp_path):
    model = FITS["mf"].fit(weighted)
    weights = np.where(np.arange(len(weighted)) == 3, np.float32(0), weighted.sample_weight)
    path = replace(model, seen=model.seen._replace(weights=weights)).save(tmp_path / "model")
    with pytest.raises(BadModel, match="not above 0"):
        matinee.load(path)


@pytest.mark.parametrize("name", ["bias", "mf", "mf learned"])
def test_leaving_each_rating_out_is_solving_without_it(name, models, weighted):
    model, history = models[name], weighted.by_user.only(4)
    rest = model.solve_without_each(history)
    for place in (0, 3, len(history.indices) - 1):
        others = np.arange(len(history.indices)) != place
        alone = model.solve_many(history.subset(others))
        np.testing.assert_allclose(rest.factors[place], alone.factors[0], atol=1e-5)
        np.testing.assert_allclose(rest.bias[place], alone.bias[0], atol=1e-5)


def test_what_is_changed_weighs_one_and_the_rest_what_it_did(models, weighted):
    model = models["mf"]
    history = weighted.by_user.only(weighted.users.row("7"))
    rated = [str(weighted.items.ids[row]) for row in history.indices[:3]]
    new = next(one for one in weighted.items if one not in weighted.history("7"))
    old = history.values[1]
    changed = model.what_if("7", new, without=rated[:1], change={rated[1]: 5 if old < 5 else 1})
    assert changed.person.weights.tolist() == [1.0, *history.weights[2:].tolist()]
    np.testing.assert_allclose(
        changed.person.embeddings.factors,
        model.solve_many(changed.person.history).factors,
        atol=1e-5,
    )


def test_later_events_weigh_one(weighted, tmp_path):
    store, first = Store.at(tmp_path / "events.db"), weighted[0]
    event = Event(first.user_id, first.item_id, 2.0, 1)
    store.write([EventBatch((event,), (Verdict("accepted"),))])
    updated = by_pair(with_events(weighted, store, 0, store.seq()))
    expected = by_pair(weighted) | {(first.user_id, first.item_id): 1.0}
    assert updated == expected


def test_a_person_with_feedback_keeps_the_weights_of_the_rest(models, weighted, tmp_path):
    model, store = models["mf"], Store.at(tmp_path / "events.db")
    history = weighted.by_user.only(weighted.users.row("7"))
    rated = model.items.ids[history.indices[0]]
    store.write([EventBatch((Event("7", rated, 2.0, 1),), (Verdict("accepted"),))])
    changes = ChangeIndex(store)
    changes.follow()
    person = person_of(model, changes, "7")
    assert person.ratings.tolist() == [2.0, *history.values[1:].tolist()]
    assert person.weights.tolist() == [1.0, *history.weights[1:].tolist()]


def test_held_out_users_are_folded_in_with_their_weights(weighted):
    split = splitting.strong(weighted)
    folded = FoldedIn.of(FITS["mf"].fit(split.train), split.history)
    user = int(split.history.user[0])
    history = split.history.by_user.only(user)
    solved = folded.model.solve_many(history)
    scores = folded.model.item_factors @ solved.factors[0] + folded.model.item_bias
    expected = scores + solved.bias + folded.model.global_mean
    np.testing.assert_allclose(folded.score_block(np.array([user]))[0], expected, atol=1e-4)


def test_new_users_have_weights_of_their_own(models, ratings):
    model = models["mf"]
    with pytest.raises(BadRatings, match="the weight of item '2' is 0"):
        model.fold_in({"2": 3}, sample_weight={"2": 0})
    with pytest.raises(BadRatings, match="'9', which is not in the history"):
        model.fold_in({"2": 3}, sample_weight={"9": 2})
    others = ALGORITHMS["item-knn"]().fit(ratings)
    with pytest.raises(BadSetting, match="take no weights of ratings; fit bias, mf"):
        others.fold_in({"2": 3}, sample_weight={"2": 2})


def test_intervals_are_narrower_for_heavier_histories(weighted):
    model = FITS["mf"].fit(weighted)
    history = weighted.history("9")
    item = next(one for one in weighted.items if one not in history)
    light = model.fold_in(history)
    heavy = model.fold_in(history, sample_weight=dict.fromkeys(history, 20.0))
    wide, narrow = (model.interval(person, item) for person in (light, heavy))
    assert narrow.high[0] - narrow.low[0] < wide.high[0] - wide.low[0]


def test_evaluation_and_search_read_them_from_the_ratings(weighted):
    fits = [FITS["bias"], FITS["mf"]]
    table = matinee.compare(fits, weighted, metrics=["rmse"])
    assert {entry.name.split()[0] for entry in table.entries} == {"bias", "mf"}  # no popularity
    assert not any(entry.failed for entry in table.entries)
    search = SuccessiveHalving.of(weighted, "rmse", 0, 4.0)
    assert all(one.takes_weights for one in search.candidates(0) + search.candidates(1))
    folds = matinee.cross_validate(FITS["bias"], weighted, folds=2, metrics=["rmse"])
    split = next(iter(splitting.k_fold(weighted, 2)))
    model = FITS["bias"].fit(split.train)
    error = model.predict_rows(split.test.user, split.test.item) - split.test.rating
    assert folds.folds[0].metrics["rmse"] == pytest.approx(float(np.sqrt((error**2).mean())))
