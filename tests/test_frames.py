"""Frames in and out: ratings, predictions beside the truth, lists for everybody, vectors."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee import splitting
from matinee.algorithms import EASE, MF, NMF, Bias, ImplicitALS, ItemKNN, Popularity
from matinee.cli import run
from matinee.data.ratings import Ratings
from matinee.errors import BadRatings, BadSetting, MatineeError, UnknownId
from matinee.models.model import Model
from matinee.splitting import Split
from matinee.storage.model_files import model_fingerprint

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def ratings(ratings_100k: Ratings) -> Ratings:
    return ratings_100k


@pytest.fixture(scope="module")
def split(ratings: Ratings) -> Split:
    return splitting.random(ratings)


@pytest.fixture(scope="module")
def model(split: Split) -> Model:
    return MF(n_factors=8, n_epochs=3).fit(split.train)


# Ratings.


def test_frames_of_ratings_are_the_same_in_every_library(ratings: Ratings) -> None:
    frame = ratings.to_pandas()
    assert polars.from_pandas(frame).equals(ratings.to_polars())
    assert ratings.to_arrow().to_pandas().equals(frame)
    again = matinee.read_ratings(ratings.to_arrow(), scale=tuple(ratings.scale))
    assert again.fingerprint == ratings.fingerprint


def test_rows_of_ratings_are_those_of_the_frame(ratings: Ratings) -> None:
    frame = ratings.to_pandas().astype({"user_id": str, "item_id": str})
    rows = list(ratings)
    assert len(rows) == len(ratings)
    assert rows == [tuple(row) for row in frame.itertuples(index=False)]
    assert ratings[7] == rows[7]
    assert ratings[-1] == rows[-1]
    assert list(ratings[10:13]) == rows[10:13]
    assert next(iter(ratings[ratings.rating == 5])) == next(one for one in rows if one.rating == 5)
    assert list(ratings.head(3)) == rows[:3]
    with pytest.raises(IndexError):
        ratings[len(ratings)]


def test_ids_go_by_row(ratings: Ratings) -> None:
    assert ratings.items[0] == "1"
    assert ratings.items[:2] == ["1", "2"]
    assert [ratings.users.row(one) for one in ratings.users[5:8]] == [5, 6, 7]
    with pytest.raises(IndexError):
        ratings.items[len(ratings.items)]


def test_a_frame_names_the_library_that_it_needs(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MatineeError, match=r'to_polars needs polars, .* pip install "polars"'):
        ratings.to_polars()


# Predictions.


def test_predictions_stand_beside_the_truth(model: Model, split: Split) -> None:
    predictions = model.predict(split.test)
    assert list(predictions.columns) == ["user_id", "item_id", "rating", "actual", "known"]
    assert predictions.actual == tuple(split.test.rating.tolist())
    by_hand = np.sqrt(np.mean((np.asarray(predictions) - split.test.rating) ** 2))
    assert matinee.evaluate(model, split.test, ()).metrics["rmse"] == pytest.approx(by_hand)
    frame = predictions.to_pandas()
    assert frame["user_id"].dtype == split.test.to_pandas()["user_id"].dtype


@pytest.mark.parametrize("form", ["pandas", "polars", "arrow", "columns", "csv", "parquet"])
def test_pairs_keep_their_order_and_repeats(
    form: str, model: Model, split: Split, tmp_path: Path
) -> None:
    frame = split.test.to_pandas().iloc[[5, 3, 5, 900]][["user_id", "item_id"]]
    frame["note"] = "x"
    sources = {
        "pandas": lambda: frame,
        "polars": lambda: polars.from_pandas(frame),
        "arrow": lambda: pyarrow.Table.from_pandas(frame),
        "columns": lambda: (frame["user_id"].to_numpy(), frame["item_id"].to_numpy()),
        "csv": lambda: frame.to_csv(tmp_path / "p.csv", index=False) or tmp_path / "p.csv",
        "parquet": lambda: frame.to_parquet(tmp_path / "p.parquet") or tmp_path / "p.parquet",
    }
    predictions = model.predict(sources[form]())
    assert predictions == model.predict(list(frame["user_id"]), list(frame["item_id"]))
    assert "actual" not in predictions.columns
    assert predictions.rating[0] == predictions.rating[2]


def test_a_bad_row_of_pairs_is_named(model: Model, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("user_id,item_id\n1,1\n2,\n")
    with pytest.raises(BadRatings, match="line 3: '2,' is a row with a missing"):
        model.predict(tmp_path / "p.csv")


def test_sequences_of_different_lengths_make_no_pairs(model: Model) -> None:
    with pytest.raises(BadSetting, match="2 users and 1 item make no pairs"):
        model.predict([1, 2], [1])
    assert len(model.predict([1, 2], 1)) == len(model.predict(1, [1, 2])) == 2


def test_a_model_of_preferences_predicts_scores_and_no_ratings(split: Split) -> None:
    predictions = Popularity().fit(split.train).predict(split.test)
    assert list(predictions.columns) == ["user_id", "item_id", "score", "actual", "known"]
    assert np.array_equal(np.asarray(predictions), predictions.score)


# Lists.


def test_lists_for_all_users_are_those_of_each(model: Model, tmp_path: Path) -> None:
    lists = model.recommend_all(5, where={"genre": "Comedy"})
    rated = np.flatnonzero(model.seen.counts)
    assert len(lists) == len(rated)
    frame = lists.to_polars()
    assert frame.height == 5 * len(rated)
    saved = polars.read_parquet(lists.save(tmp_path / "lists.parquet"))
    assert saved.equals(frame.cast(saved.schema))
    for user in (model.users[0], model.users[-1]):
        own = model.recommend(user, 5, where={"genre": "Comedy"}).to_polars()
        found = frame.filter(polars.col("user_id") == user).drop("user_id")
        assert found["item_id"].to_list() == own["item_id"].to_list()
        assert found["score"].to_numpy() == pytest.approx(own["score"].to_numpy(), abs=1e-5)


def test_lists_of_integer_ids_have_integers(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"user": [7, 7, 3], "item": [20, 9, 20], "rating": [4.0, 2.0, 5.0]})
    lists = Bias(choice=None).fit(matinee.read_ratings(frame)).recommend_all(1, exclude_seen=False)
    saved = polars.read_parquet(lists.save(tmp_path / "lists.parquet"))
    assert saved["user_id"].to_list() == [3, 7]
    assert saved.schema["item_id"] == lists.to_polars().schema["item_id"] == polars.Int64


def test_lists_do_not_depend_on_blocks(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """To rounding: products of other numbers of people may add in another order."""
    whole = model.recommend_all(3).to_pandas()
    monkeypatch.setattr("matinee.lists.user_lists.ROWS_AT_ONCE", 300)
    assert len(list(model.recommend_all(3))) > 5
    pandas.testing.assert_frame_equal(model.recommend_all(3).to_pandas(), whole, rtol=1e-5)


def test_lists_of_some_users_as_csv(model: Model, tmp_path: Path) -> None:
    path = model.recommend_all(2, users=["7", "3"], items=iter(["1", "2", "3"])).save(
        tmp_path / "lists.csv"
    )
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["user_id"] for row in rows if row["rank"] == "1"] == ["7", "3"]
    assert {row["item_id"] for row in rows} <= {"1", "2", "3"}


def test_lists_are_refused_before_any_is_made(model: Model, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="no column 'colour'"):
        model.recommend_all(where={"colour": "red"})
    with pytest.raises(UnknownId):
        model.recommend_all(users=["nobody"])
    with pytest.raises(BadSetting, match=r"end it in .parquet or .csv"):
        model.recommend_all().save(tmp_path / "lists.txt")
    with pytest.raises(BadSetting, match="there is no folder"):
        model.recommend_all().save(tmp_path / "no" / "lists.csv")
    assert list(tmp_path.iterdir()) == []


def test_lists_that_break_off_leave_the_old_file(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "lists.csv"
    path.write_text("old")
    lists = model.recommend_all(3)
    with pytest.raises(ZeroDivisionError):
        lists.save(path, lambda *_: 1 / 0)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_catalogue_there_are_no_titles(model: Model) -> None:
    bare = MF(n_factors=2, choice=None).fit(matinee.uniform(30, 20, 10))
    assert "title" not in bare.recommend(bare.users[0], exclude_seen=False).columns
    assert "title" not in bare.similar_items(bare.items[0]).columns
    assert "title" in model.recommend("1").columns


def test_similar_items_of_many_are_those_of_each(model: Model) -> None:
    many = model.similar_items(["50", 181], n=4)
    assert list(many.columns) == ["query_id", "rank", "item_id", "title", "similarity"]
    for query in ("50", "181"):
        own = [row[1:] for row in many if row.query_id == query]
        assert own == [tuple(row) for row in model.similar_items(query, n=4)]
    assert len(model.similar_users(["1", "2"], n=3)) == 6


# Vectors.


def test_factors_with_their_ids(model: Model) -> None:
    frame = model.factors("item").to_pandas().set_index("item_id")
    row = model.items.row("50")
    assert frame.loc["50", "bias"] == model.item_bias[row]
    assert np.array_equal(frame.loc["50"].to_numpy()[1:], model.item_factors[row])
    assert len(model.factors("user")) == len(model.users)
    with pytest.raises(BadSetting, match="no side 'movie'"):
        model.factors("movie")


def test_no_pairs_have_no_predictions(model: Model) -> None:
    predictions = model.predict([], [])
    assert len(predictions) == 0
    assert model.score([], []).shape == (0,)
    assert list(predictions.to_pandas().columns) == ["user_id", "item_id", "rating", "known"]


@pytest.mark.parametrize(
    "algorithm",
    [
        Bias(n_epochs=2),
        MF(n_factors=4, n_epochs=2),
        MF(n_factors=4, n_epochs=2, choice=None),
        NMF(n_factors=4, n_epochs=2),
        ImplicitALS(n_factors=4, n_epochs=2),
        matinee.BPR(n_factors=4, n_epochs=2),
        matinee.SVDpp(n_factors=4, n_epochs=2),
        matinee.BayesianMF(n_factors=2, n_samples=2, burn_in=2, n_epochs=4),
        matinee.Blend(of=("mf", "bias")),
    ],
    ids=lambda one: repr(one)[:40],
)
def test_products_of_search_vectors_are_the_scores(algorithm, split: Split) -> None:
    model = algorithm.fit(split.train)
    newcomer = model.fold_in({"50": 5, "172": 4})
    people = ["1", newcomer, "9"]
    for of in ("list", *(["stars"] if model.kind == "rating" else [])):
        items = np.asarray(model.search_vectors("item", of=of), np.float64)
        users = np.asarray(model.search_vectors(people, of=of), np.float64)
        scores = model.score_people if of == "stars" else model.list_scores
        every = np.arange(len(model.items))
        assert users @ items.T == pytest.approx(scores(people, every), abs=2e-4, rel=1e-4)
    whole = np.asarray(model.search_vectors("user"))
    assert np.array_equal(whole[model.users.row("9")], np.asarray(model.search_vectors(["9"]))[0])


def test_search_vectors_give_the_lists(model: Model) -> None:
    (user,) = np.asarray(model.search_vectors(["1"]), np.float64)
    items = model.search_vectors("item")
    scores = np.asarray(items, np.float64) @ user
    scores[model.rated("1")] = -np.inf
    best = items.ids[np.argsort(-scores)[:10]]
    assert tuple(best) == model.recommend("1").item_id


@pytest.mark.parametrize("algorithm", [EASE(), ItemKNN(choice=None)])
def test_models_without_vectors_say_so(algorithm, split: Split) -> None:
    with pytest.raises(BadSetting, match="no inner product of vectors; fit mf, nmf"):
        algorithm.fit(split.train).search_vectors("item")


# The command line.


@pytest.fixture(scope="module")
def folder(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save(tmp_path_factory.mktemp("frames") / "model")


def test_recommend_all_writes_a_file(model: Model, folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "lists.parquet"
    assert run(["recommend", str(folder), "--all", "-n", "4", "--out", str(out)]) == 0
    frame = model.recommend_all(4).to_polars()
    saved = polars.read_parquet(out)
    assert saved["model_fingerprint"].unique().to_list() == [model_fingerprint(folder)]
    lists = saved.drop("model_fingerprint")
    assert lists.equals(frame.cast(lists.schema))
    assert (
        f"lists of 4 for {len(model.recommend_all(4)):,} users in {out}" in capsys.readouterr().err
    )


def test_predict_writes_a_file(model: Model, folder: Path, split: Split, tmp_path: Path) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "predictions.csv"
    split.test[:50].to_pandas().to_csv(pairs, index=False)
    assert run(["predict", str(folder), str(pairs), "--out", str(out)]) == 0
    frame = pandas.read_csv(out)
    expected = model.predict(split.test[:50])
    assert list(frame.columns) == [*expected.columns, "score"]
    assert frame["rating"].to_numpy() == pytest.approx(np.asarray(expected))
    assert frame["actual"].tolist() == list(expected.actual)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["recommend", "--all"], "--all and --out FILE go together"),
        (["recommend", "--out", "x.csv"], "--all and --out FILE go together"),
        (["recommend", "--all", "--out", "x.csv", "--user", "1"], "leave out --user"),
        (["recommend", "--all", "--out", "x.csv", "--why"], "leave out --why"),
        (["recommend", "--all", "--out", "x.doc"], "end it in .parquet or .csv"),
        (["predict", "pairs.csv"], "PAIRS go into --out FILE"),
        (["predict", "--user", "1"], "give --user and --item, or PAIRS"),
    ],
)
def test_impossible_options_are_refused(arguments, words, folder: Path, capsys) -> None:
    command, *rest = arguments
    assert run([command, str(folder), *rest]) == 2
    assert words in capsys.readouterr().err
