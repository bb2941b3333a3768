"""Fits on Spark are the fits in memory, whatever the partitions; run in an environment with Spark.

pip install -e ".[spark,test]" && python -m pytest tests/spark
"""

import numpy as np
import pandas
import pytest

pytest.importorskip("pyspark", reason="needs the extra matinee[spark]")

import matinee.evaluation
import matinee.spark
from matinee.algorithms import MF, NMF, ImplicitALS
from matinee.errors import BadModel, BadRatings, BadSetting, MatineeError, UnknownId
from matinee.sources import read_ratings
from matinee.spark import blocks, recommending, sessions

pytestmark = pytest.mark.filterwarnings("default")
CASES = {
    "mf": MF(n_factors=5, n_epochs=2),
    "mf:plain": MF(n_factors=5, n_epochs=2, implicit_weight=0.0),
    "mf:unbiased": MF(n_factors=5, n_epochs=2, biased=False),
    "nmf": NMF(n_factors=4, n_epochs=2),
    "nmf:random": NMF(n_factors=4, n_epochs=3, init="random"),
    "implicit-als": ImplicitALS(n_factors=5, n_epochs=2, n_steps=0),
}


@pytest.fixture(scope="module")
def spark():
    with matinee.spark.session("local[2]", spark_sql_shuffle_partitions="4") as session:
        yield session


@pytest.fixture(scope="module")
def table():
    """Ratings of 200 people for 40 films, one of which every fifth rating is of."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, 200, 4000), rng.integers(0, 40, 4000)
    item[rng.random(4000) < 0.2] = 7
    user[:300] = 3  # somebody who has seen everything
    item[:40] = np.arange(40)
    frame = pandas.DataFrame({"user_id": [f"u{one}" for one in user], "item_id": item})
    frame = frame.drop_duplicates()
    return frame.assign(rating=rng.integers(1, 11, len(frame)) / 2)


@pytest.fixture(params=CASES)
def algorithm(request):
    return CASES[request.param]


def check_near(found, wanted):
    """The two models are one, to 1e-4."""
    assert found.users == wanted.users
    assert found.items == wanted.items
    for name in ("user_factors", "user_bias", "item_factors", "item_bias"):
        one, other = getattr(found, name), getattr(wanted, name)
        np.testing.assert_allclose(
            one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max(initial=1e-9)
        )
    explanation = found.explain("u3", "7")
    assert sum(term.value for term in explanation) == pytest.approx(explanation.score, abs=1e-4)


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_fit_on_spark_is_the_fit_in_memory(algorithm, partitions, spark, table, monkeypatch):
    monkeypatch.setattr(blocks, "RATINGS_PER_BLOCK", 300)
    frame = spark.createDataFrame(table).repartition(partitions)
    numbers = []
    found = matinee.spark.fit(algorithm, frame, on_epoch=lambda epoch: numbers.append(epoch.number))
    assert numbers == list(range(1, algorithm.n_epochs + 1))
    check_near(found, algorithm.fit(read_ratings(table)))


def test_bad_rows_are_set_aside_and_counted(spark, table):
    odd = [("", "1", 3.0), (None, "1", 3.0), ("a", "1", float("nan")), ("a", "2", None)]
    columns = "user_id string, item_id string, rating double"
    good = spark.createDataFrame(table.astype({"item_id": str}), columns)
    frame = good.unionByName(spark.createDataFrame(odd, columns))
    told = (
        r"4 of .* rows set aside: 3 with a missing field \(.*\); 1 whose rating is NaN or infinite"
    )
    with pytest.warns(UserWarning, match=told):
        found = matinee.spark.fit(CASES["mf"], frame)
    check_near(found, CASES["mf"].fit(read_ratings(table)))
    with pytest.raises(BadRatings, match="no usable ratings"):
        matinee.spark.fit(CASES["mf"], spark.createDataFrame(odd, columns))
    with pytest.raises(BadRatings, match="no rating"):
        matinee.spark.fit(CASES["mf"], good.drop("rating"))


class Stop(Exception):
    """An interruption."""


def test_an_interrupted_fit_goes_on_from_its_last_epoch(spark, table, tmp_path):
    algorithm = MF(n_factors=5, n_epochs=3)
    frame = spark.createDataFrame(table)

    def stop(epoch):
        if epoch.number == 2:
            raise Stop

    with pytest.raises(Stop):
        matinee.spark.fit(algorithm, frame, folder=tmp_path, on_epoch=stop)
    numbers = []
    found = matinee.spark.fit(
        algorithm, frame, folder=tmp_path, resume=True,
        on_epoch=lambda epoch: numbers.append(epoch.number),
    )  # fmt: skip
    assert numbers == [2, 3]
    check_near(found, algorithm.fit(read_ratings(table)))
    with pytest.raises(MatineeError, match="other settings"):
        matinee.spark.fit(MF(n_factors=4), frame, folder=tmp_path, resume=True)


def test_what_cannot_run_on_spark_says_so(spark, table):
    with pytest.raises(BadSetting, match='take missing="ignore"'):
        matinee.spark.fit(NMF(n_factors=4, missing="zero"), spark.createDataFrame(table))


def test_a_missing_java_is_said(monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(MatineeError, match=r"there is no Java here.*openjdk-17-jre-headless"):
        sessions.check_java()


@pytest.fixture(scope="module")
def parts(table):
    """A model of four fifths of the ratings, and the rest, with somebody who is unknown."""
    kept = np.random.default_rng(1).random(len(table)) < 0.8
    model = MF(n_factors=5, n_epochs=2).fit(read_ratings(table[kept]))
    stranger = table[~kept].head(3).assign(user_id="nobody")
    return model, pandas.concat([table[~kept], stranger])


@pytest.mark.parametrize("saved", [False, True])
def test_lists_are_those_of_the_model(spark, parts, tmp_path, monkeypatch, saved):
    monkeypatch.setattr(recommending, "USERS_PER_BLOCK", 64)
    model, _ = parts
    given = model.save(tmp_path / "model") if saved else model
    found = matinee.spark.recommend(given, n=4).toPandas()
    wanted = model.recommend(list(model.users), 4)
    key = ["user_id", "rank"]
    found = found.sort_values(key).reset_index(drop=True)
    pandas.testing.assert_frame_equal(
        found, wanted.to_pandas().sort_values(key).reset_index(drop=True), check_dtype=False
    )
    few = matinee.spark.recommend(given, ["u7", "u3"], n=2, why=True).collect()
    assert {row["user_id"] for row in few} == {"u3", "u7"}
    for row in few:
        assert row["why"] == model.explain(row["user_id"], row["item_id"]).sentence()


def test_lists_for_whom_is_checked_before_the_work(spark, parts):
    with pytest.raises(UnknownId, match="no user 'u999'"):
        matinee.spark.recommend(parts[0], ["u3", "u999"])
    with pytest.raises(BadSetting, match="n is 0"):
        matinee.spark.recommend(parts[0], n=0)
    with pytest.raises(BadModel, match="there is no model at"):
        matinee.spark.recommend("/nowhere")


def test_figures_are_those_of_evaluate(spark, parts):
    model, test = parts
    found = matinee.spark.evaluate(model, spark.createDataFrame(test), ns=(5, 10))
    wanted = matinee.evaluation.evaluate(model, read_ratings(test), ns=(5, 10))
    assert list(found.metrics) == list(wanted.metrics)
    assert found.metrics == pytest.approx(wanted.metrics, abs=1e-6)
    for name in ("users_measured", "users_skipped", "test_ratings", "cold_ratings",
                 "unknown_ratings", "nan_scores", "protocol", "relevant_from"):  # fmt: skip
        assert getattr(found, name) == getattr(wanted, name), name
    assert found.unknown_ratings == 3


def test_what_cannot_be_measured_is_refused_as_locally(spark, table, parts):
    model, test = parts
    frame = spark.createDataFrame(test)
    for given, how, told in [
        (spark.createDataFrame(table), {}, "the model was trained on the rating of item"),
        (frame.where("user_id = 'nobody'"), {}, "the model knows no user and item"),
        (frame, {"relevant_from": 9}, "no test rating is 9 or more"),
        (frame, {"metrics": ["ndgc@10"]}, "there is no metric 'ndgc'"),
        (frame, {"metrics": ["coverage80"]}, "intervals are not measured on Spark"),
    ]:
        with pytest.raises(MatineeError, match=told):
            matinee.spark.evaluate(model, given, **how)
