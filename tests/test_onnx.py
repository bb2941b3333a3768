"""Models as ONNX graphs: another runtime computes the same scores."""

import json

import numpy as np
import pytest

import matinee
from matinee.errors import BadSetting, MatineeError

runtime = pytest.importorskip("onnxruntime")
ALGORITHMS = {
    "mf": matinee.MF(n_factors=4, n_epochs=4),
    "mf without choice": matinee.MF(n_factors=4, n_epochs=4, choice=None),
    "nmf": matinee.NMF(n_factors=3, n_epochs=4),
    "bias": matinee.Bias(),
    "implicit-als": matinee.ImplicitALS(n_factors=4, n_epochs=3),
    "bpr": matinee.BPR(n_factors=4, n_epochs=3),
}


@pytest.fixture(scope="module")
def ratings():
    return matinee.planted(60, 40, n_factors=2)


def run(path, **inputs):
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, inputs)
    return scores, session.get_modelmeta().custom_metadata_map


@pytest.mark.parametrize("name", ALGORITHMS)
def test_scores_of_vectors_are_those_of_the_model(name, ratings, tmp_path):
    model = ALGORITHMS[name].fit(ratings)
    scores, metadata = run(model.save_onnx(tmp_path / "m.onnx"), user=np.array([5, 0, 7]))
    assert json.loads(metadata["item_ids"]) == list(ratings.items)
    assert json.loads(metadata["user_ids"]) == list(ratings.users)
    for user, row in zip(("5", "0", "7"), scores, strict=True):
        listed = model.recommend(user, n=40, exclude_seen=False)
        assert [ratings.items.row(one) for one in listed.item_id] == np.argsort(-row).tolist()
        np.testing.assert_allclose(np.sort(row)[::-1], listed.score, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["mf", "mf without choice", "nmf", "bias"])
def test_stars_are_those_that_the_model_predicts(name, ratings, tmp_path):
    model = ALGORITHMS[name].fit(ratings)
    rows = np.arange(ratings.n_users)
    stars, _ = run(model.save_onnx(tmp_path / "m.onnx", of="stars"), user=rows)
    users, items = np.divmod(np.arange(stars.size), ratings.n_items)
    predicted = model.predict(ratings.users.ids[users], ratings.items.ids[items])
    np.testing.assert_allclose(stars.ravel(), predicted.rating, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("algorithm", [matinee.EASE(), matinee.SLIM(), matinee.RP3beta()])
def test_scores_of_what_somebody_chose_are_those_of_a_newcomer(algorithm, ratings, tmp_path):
    model = algorithm.fit(ratings)
    chosen = np.zeros((1, ratings.n_items), np.float32)
    chosen[0, [3, 8, 20]] = 1
    (scores,), _ = run(model.save_onnx(tmp_path / "m.onnx"), chosen=chosen)
    newcomer = model.fold_in({ratings.items[row]: 5 for row in (3, 8, 20)})
    listed = model.recommend(newcomer, n=40, exclude_seen=False)
    rows = [ratings.items.row(one) for one in listed.item_id]
    np.testing.assert_allclose(scores[rows], listed.score, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("algorithm", [matinee.ItemKNN(n_neighbors=2), matinee.UserKNN()])
def test_other_models_say_that_they_are_no_products(algorithm, ratings, tmp_path):
    with pytest.raises(BadSetting, match="score by no inner product of vectors"):
        algorithm.fit(ratings).save_onnx(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_an_error_in_words(ratings, tmp_path, monkeypatch):
    model = ALGORITHMS["bias"].fit(ratings)
    with pytest.raises(MatineeError, match="cannot be written"):
        model.save_onnx(tmp_path / "nowhere" / "m.onnx")
    monkeypatch.setattr("matinee.models.onnx.MOST_BYTES", 100)
    with pytest.raises(BadSetting, match="an ONNX file holds 2 GB at most"):
        model.save_onnx(tmp_path / "m.onnx")
