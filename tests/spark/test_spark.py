"""Fits on Spark are the fits in memory, whatever the partitions; run in an environment with Spark.

pip install -e ".[spark,test]" && python -m pytest tests/spark
"""

import json
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas
import pytest

pytest.importorskip("pyspark", reason="needs the extra matinee[spark]")

import matinee.evaluation.evaluate
import matinee.spark
from matinee.algorithms import MF, NMF, ImplicitALS
from matinee.cli import run
from matinee.cli.spark_jobs import frame_of
from matinee.data.ids import IdMap
from matinee.errors import BadModel, BadRatings, BadSetting, MatineeError, UnknownId
from matinee.feedback.store import Store
from matinee.kernels.normal_sums import bytes_per_row
from matinee.list_store.places import open_lists
from matinee.models import load
from matinee.server.arms import MAIN
from matinee.server.lifecycle import ServerState
from matinee.sources import read_ratings
from matinee.spark import chunks, cleaning, fitting, layout, recommending, sessions
from matinee.storage.model_files import model_fingerprint
from serving import answering

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


def check_near(found, wanted, pair=("u3", "7")):
    """The two models are one, to 1e-4."""
    assert found.users == wanted.users
    assert found.items == wanted.items
    for name in ("user_factors", "user_bias", "item_factors", "item_bias"):
        one, other = getattr(found, name), getattr(wanted, name)
        np.testing.assert_allclose(
            one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max(initial=1e-9)
        )
    explanation = found.explain(*pair)
    assert sum(term.value for term in explanation) == pytest.approx(explanation.score, abs=1e-4)


@pytest.mark.parametrize(
    "name, tasks",
    [
        ("mf", 1),
        ("mf", 3),
        ("mf:plain", 3),
        ("mf:unbiased", 2),
        ("nmf", 1),
        ("nmf", 3),
        ("nmf:random", 2),
        ("implicit-als", 3),
    ],
)
def test_a_fit_on_spark_is_the_fit_in_memory(name, tasks, spark, table, monkeypatch):
    monkeypatch.setattr(layout, "RATINGS_PER_BLOCK", 300)
    monkeypatch.setattr(fitting, "room_in", lambda spark: sessions.Room(tasks, 1))
    algorithm, frame = CASES[name], spark.createDataFrame(table).repartition(tasks)
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


def test_a_frame_is_read_once(spark, table, tmp_path):
    """So it may give other rows each time, and is fitted to those that it gave."""

    def marked(frames):
        (tmp_path / uuid4().hex).touch()
        yield from frames

    frame = spark.createDataFrame(table).repartition(3)
    frame = frame.mapInPandas(marked, frame.schema)
    found = matinee.spark.fit(CASES["mf"], frame)
    assert len(list(tmp_path.iterdir())) == 3
    check_near(found, CASES["mf"].fit(read_ratings(table)))


@pytest.mark.parametrize("kind", ["string", "date", "timestamp", "timestamp_ntz", "double"])
def test_times_of_any_kind_say_which_rating_is_the_last(spark, kind):
    later = [("a", "1", 5.0, "2021-01-02"), ("b", "2", 3.0, "2021-01-02")]
    rows = [*later, ("a", "1", 1.0, "2020-01-02"), ("b", "2", 2.0, None)]
    columns = "user_id string, item_id string, rating double, timestamp string"
    frame = spark.createDataFrame(rows, columns).coalesce(1)
    text = "timestamp" if kind != "double" else "CAST(timestamp AS timestamp)"
    frame = frame.selectExpr("user_id", "item_id", "rating", f"CAST({text} AS {kind}) timestamp")
    with pytest.warns(UserWarning, match="2 rows merged into another of the same user and item"):
        found = matinee.spark.fit(MF(n_factors=1, n_epochs=1), frame)
    assert np.asarray(found.seen.values).tolist() == [5.0, 3.0]


def test_ids_that_are_numbers_are_those_of_the_fit_in_memory(spark):
    frame = pandas.DataFrame(
        {"user_id": [1.0, 2.0, 2.5], "item_id": [7, 7, 8], "rating": [1, 2, 3]}
    )
    found = matinee.spark.fit(MF(n_factors=1, n_epochs=1), spark.createDataFrame(frame))
    assert list(found.users) == ["1", "2", "2.5"]
    assert list(found.items) == ["7", "8"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_pairs_without_ratings_count_as_one_each(kind, spark, tmp_path, capsys):
    pairs = pandas.DataFrame({"user": ["a", "a", "b"], "item": ["x", "y", "x"]})
    path = tmp_path / f"pairs.{kind}"
    pairs.to_csv(path, index=False) if kind == "csv" else pairs.to_parquet(path)
    frame = frame_of(spark, str(path))
    assert "every row counts as 1" in capsys.readouterr().err
    algorithm = ImplicitALS(n_factors=1, n_epochs=2, n_steps=0)
    found = matinee.spark.fit(algorithm, frame)
    assert np.asarray(found.seen.values).tolist() == [1.0, 1.0, 1.0]
    check_near(found, algorithm.fit(read_ratings(path)), ("a", "x"))


def test_a_folder_is_one_of_a_fit_or_empty(spark, table, tmp_path):
    frame, algorithm = spark.createDataFrame(table), MF(n_factors=2, n_epochs=1)
    mine = tmp_path / "mine" / "blocks" / "precious.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for folder, told in [
        (tmp_path / "mine", "holds blocks, which is no part of a fit"),
        (mine, "precious.csv is a file; a fit needs a folder"),
        ("hdfs://there/fit", "it must be a path under which"),
    ]:
        with pytest.raises(MatineeError, match=told):
            matinee.spark.fit(algorithm, frame, folder=folder)
    assert mine.read_text() == "mine"
    matinee.spark.fit(algorithm, frame, folder=tmp_path / "fit")
    matinee.spark.fit(algorithm, frame, folder=tmp_path / "fit")
    with pytest.raises(MatineeError, match="and this one has 10; begin without resume"):
        matinee.spark.fit(algorithm, frame.limit(10), folder=tmp_path / "fit", resume=True)
    with pytest.raises(BadSetting, match="resume is given without folder"):
        matinee.spark.fit(algorithm, frame, resume=True)


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
        algorithm,
        frame,
        folder=tmp_path,
        resume=True,
        on_epoch=lambda epoch: numbers.append(epoch.number),
    )
    assert numbers == [2, 3]
    check_near(found, algorithm.fit(read_ratings(table)))
    with pytest.raises(MatineeError, match="other settings"):
        matinee.spark.fit(MF(n_factors=4), frame, folder=tmp_path, resume=True)


def test_what_cannot_run_on_spark_says_so(spark, table):
    with pytest.raises(BadSetting, match='take missing="ignore"'):
        matinee.spark.fit(NMF(n_factors=4, missing="zero"), spark.createDataFrame(table))


def test_a_path_is_no_frame(parts):
    with pytest.raises(BadRatings, match="fit takes a Spark DataFrame, not str; read it first"):
        matinee.spark.fit(CASES["mf"], "ratings.csv")
    with pytest.raises(BadRatings, match="evaluate takes a Spark DataFrame, not str"):
        matinee.spark.evaluate(parts[0], "ratings.csv")


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
    expected = wanted.to_pandas().astype({"item_id": str}).sort_values(key).reset_index(drop=True)
    pandas.testing.assert_frame_equal(found, expected, check_dtype=False)
    few = matinee.spark.recommend(given, ["u7", "u3"], n=2, why=True).collect()
    assert {row["user_id"] for row in few} == {"u3", "u7"}
    for user in ("u3", "u7"):
        rows = sorted((row for row in few if row["user_id"] == user), key=lambda row: row["rank"])
        whys = model.explain_list(user, [row["item_id"] for row in rows])
        assert [row["why"] for row in rows] == [why.sentence() for why in whys]
    of_one = matinee.spark.recommend(given, "u7", n=2).collect()
    assert [row["user_id"] for row in of_one] == ["u7"] * 2


@pytest.mark.parametrize("saved", [False, True])
def test_lists_that_spark_wrote_are_served_as_they_are_computed(
    spark, parts, tmp_path, monkeypatch, saved
):
    monkeypatch.setattr(recommending, "USERS_PER_BLOCK", 64)
    model, _ = parts
    folder, place = model.save(tmp_path / "model"), tmp_path / "lists.parquet"
    matinee.spark.write_lists(folder if saved else model, place, n=6)
    assert len(list(place.glob("*.parquet"))) == 4
    assert not list(tmp_path.glob(".*"))
    with closing(Store.at(tmp_path / "feedback.sqlite")) as store:
        prepared = ServerState(folder, store, lists_places={MAIN: str(place)})
        computing = ServerState(folder, store)
        with answering(prepared) as client, answering(computing) as other:
            users = sorted(model.users, key=lambda user: -len(model.rated(user)))
            for user in (*users[20:40], users[-1]):
                path = f"/v1/users/{user}/recommendations?n=5&why=true"
                found, wanted = client.get(path).json(), other.get(path).json()
                assert (found["source"], wanted["source"]) == ("prepared", "computed")
                scores = [[row.pop("score") for row in body["items"]] for body in (found, wanted)]
                assert scores[0] == pytest.approx(scores[1], abs=2e-6)
                assert found["items"] == wanted["items"]
            assert client.get(f"/v1/users/{users[-1]}/recommendations?n=7").json()["source"] == (
                "computed"  # more than there are in a list
            )


def test_lists_that_spark_copied_to_postgresql_are_those_of_the_model(
    spark, parts, tmp_path, monkeypatch, postgresql_url
):
    monkeypatch.setattr(recommending, "USERS_PER_BLOCK", 64)
    folder = parts[0].save(tmp_path / "model")
    matinee.spark.write_lists(folder, postgresql_url, n=4)
    with closing(open_lists(postgresql_url, model_fingerprint(folder))) as lists:
        for user in ("u3", "u64", "u199"):
            wanted = parts[0].recommend(user, 4)
            found = lists.find(user)
            assert found.items == list(wanted.item_id)
            assert found.scores == pytest.approx(wanted.score, abs=1e-5)
    with pytest.raises(BadSetting, match="holds lists without reasons"):
        matinee.spark.write_lists(folder, postgresql_url, why=True)


def test_lists_are_replaced_in_one_step_and_nothing_else_is(spark, parts, tmp_path):
    model, _ = parts
    place = tmp_path / "lists.parquet"
    for n in (2, 3):
        matinee.spark.write_lists(model, place, n=n)
        ranks = spark.read.parquet(str(place)).toPandas()["rank"]
        assert ranks.max() == n
    assert [one.name for one in tmp_path.iterdir()] == ["lists.parquet"]
    (place / "notes.txt").write_text("mine")
    with pytest.raises(MatineeError, match="holds something else; choose another place"):
        matinee.spark.write_lists(model, place)
    with pytest.raises(BadSetting, match="lists go to a folder that all executors reach"):
        matinee.spark.write_lists(model, "s3://bucket/lists")
    with pytest.raises(BadSetting, match="n is 0"):
        matinee.spark.write_lists(model, tmp_path / "none", n=0)


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
    wanted = matinee.evaluation.evaluate.evaluate(model, read_ratings(test), ns=(5, 10))
    assert list(found.metrics) == list(wanted.metrics)
    assert found.metrics == pytest.approx(wanted.metrics, abs=1e-6)
    for name in (
        "users_measured",
        "users_skipped",
        "test_ratings",
        "cold_ratings",
        "unknown_ratings",
        "nan_scores",
        "protocol",
        "relevant_from",
    ):
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
        (frame, {"metrics": ["interval_gap"]}, "intervals are not measured on Spark"),
    ]:
        with pytest.raises(MatineeError, match=told):
            matinee.spark.evaluate(model, given, **how)


def test_somebody_with_a_hundred_thousand_ratings_and_partitions_without_any(spark, monkeypatch):
    """Items take turns, too: their sums are given room for a third of them."""
    monkeypatch.setattr(layout, "RATINGS_PER_BLOCK", 30_000)
    rng = np.random.default_rng(2)
    others = np.concatenate([rng.choice(80, 30, replace=False) for _ in range(40)])
    user = np.concatenate([np.zeros(100_000, int), np.repeat(np.arange(1, 41), 30)])
    item = np.concatenate([np.arange(100_000), others])
    columns = {"user_id": user, "item_id": item, "rating": rng.integers(1, 6, len(user))}
    given = pandas.DataFrame(columns)
    frame = spark.createDataFrame(given)
    frame = frame.repartition(6, frame.rating > 9)  # all in one of six
    algorithm = MF(n_factors=2, n_epochs=2)
    memory = bytes_per_row(3) * 100_000 // 3
    found = matinee.spark.fit(algorithm, frame, memory=memory)
    check_near(found, algorithm.fit(read_ratings(given)), ("5", "7"))


@pytest.mark.parametrize(
    "users",
    [
        ["10", "9", "007", "7", "-3", "-20", "0", "-0", "00", "123456789012345678901234567890"],
        ["10", "9", "007", "-3", "x", "-x", "é", "z", ""],
    ],
)
def test_users_are_numbered_in_natural_order(spark, users, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "RATINGS_PER_BLOCK", 2)
    rows = [(user, str(at % 3), float(at)) for at, user in enumerate(users) if user]
    frame = spark.createDataFrame(rows, "user_id string, item_id string, rating float")
    found = matinee.spark.fit(MF(n_factors=1, n_epochs=1), frame.repartition(3), folder=tmp_path)
    assert list(found.users) == list(IdMap.of((row[0] for row in rows), "user"))
    assert len(list((tmp_path / "blocks").iterdir())) > 3


def test_numbers_are_in_order_of_text_where_a_name_lies_in_another_partition(spark):
    """There the order by value, in which they were staged, is not that of all users."""
    numbers = pandas.DataFrame({"user_id": ["9", "10", "10", "100"], "item_id": [1, 2, 1, 3]})
    names = pandas.DataFrame({"user_id": ["ann", "10", "-2"], "item_id": [2, 3, 1]})
    numbers, names = numbers.assign(rating=[1, 2, 3, 4]), names.assign(rating=[5, 1, 2])
    frames = [spark.createDataFrame(one).coalesce(1) for one in (numbers, names)]
    found = matinee.spark.fit(MF(n_factors=1, n_epochs=1), frames[0].union(frames[1]))
    wanted = read_ratings(pandas.concat([numbers, names]))
    assert list(found.users) == ["-2", "10", "100", "9", "ann"] == list(wanted.users)
    for one, other in zip(found.seen.block(0, 5)[:3], wanted.by_user[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_error_of_a_fit_is_that_in_memory_whether_watched_or_not(spark, table):
    wanted = CASES["mf"].fit(read_ratings(table)).facts["train_rmse"]
    errors = []
    frame = spark.createDataFrame(table)
    watched = matinee.spark.fit(
        CASES["mf"], frame, on_epoch=lambda epoch: errors.append(epoch.train_rmse)
    )
    alone = matinee.spark.fit(CASES["mf"], frame)
    assert len(errors) == 2
    assert errors[0] > errors[1]
    assert [errors[-1], watched.facts["train_rmse"], alone.facts["train_rmse"]] == pytest.approx(
        [wanted] * 3, rel=1e-5
    )


@pytest.mark.parametrize("given", [None, "1048576b"])
def test_a_fit_leaves_the_settings_of_the_session(spark, table, given):
    if given is not None:
        spark.conf.set(sessions.WEIGHED, given)
    before = spark.conf.get(sessions.WEIGHED)
    matinee.spark.fit(CASES["mf"], spark.createDataFrame(table))
    assert spark.conf.get(sessions.WEIGHED) == before
    spark.conf.unset(sessions.WEIGHED)


def test_blocks_do_not_depend_on_how_rows_are_spread(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "RATINGS_PER_BLOCK", 500)
    monkeypatch.setattr(layout, "LEAST_PER_BLOCK", 100)
    monkeypatch.setattr(layout, "SAMPLED", 40)
    monkeypatch.setattr(layout, "SAMPLED_PER_BLOCK", 1)
    monkeypatch.setattr(layout, "LOWEST", 30)
    rng = np.random.default_rng(0)
    user = rng.integers(0, 900, 9000) ** 2 // 900 - 100  # few have many, and some are below 0
    columns = {"user_id": user, "item_id": rng.integers(0, 9, 9000), "rating": np.ones(9000)}
    table = pandas.DataFrame(columns)
    found = []
    for number, frame in enumerate(
        [
            spark.createDataFrame(table).repartition(5, "rating"),
            spark.createDataFrame(table.sample(frac=1.0, random_state=0)).repartition(3),
            spark.createDataFrame(table.astype({"user_id": str})),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        laid = layout.Layout.of(chunks.stage(cleaning.judged(frame), folder))
        found.append(laid.bounds.to_pylist())
    numbers, again, texts = found
    assert numbers == again
    assert 10 < len(numbers) <= 18
    assert numbers == sorted(numbers)
    assert len(texts) > 10
    assert list(map(int, texts)) == sorted(map(int, texts))


def test_of_several_rows_of_a_pair_the_last_counts(spark, table):
    first = table.assign(rating=0.5, timestamp=5)
    unknown = table.assign(rating=1.5, timestamp=0)
    both = pandas.concat([table.assign(timestamp=9), first, unknown])
    found = matinee.spark.fit(CASES["mf"], spark.createDataFrame(both))
    check_near(found, CASES["mf"].fit(read_ratings(table)))


def test_users_lie_in_files_that_tasks_wrote(spark, table, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "RATINGS_PER_BLOCK", 300)
    monkeypatch.setattr(fitting, "MAP_FROM", 0)
    algorithm, frame = CASES["nmf"], spark.createDataFrame(table)
    found = matinee.spark.fit(algorithm, frame, folder=tmp_path / "fit")
    parts = {file.name for file in (tmp_path / "fit" / "parts").iterdir()}
    assert len(parts) > 3
    folder = found.save(tmp_path / "model")
    assert {file.name for file in folder.glob("users-*")} == parts
    check_near(load(folder), algorithm.fit(read_ratings(table)))


def test_the_command_line_works_on_spark(spark, table, parts, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(matinee.spark, "session", lambda master: nullcontext(spark))
    monkeypatch.chdir(tmp_path)
    kept = np.random.default_rng(1).random(len(table)) < 0.8
    names = {"user_id": "userId", "item_id": "movieId", "rating": "stars"}
    table[kept].rename(columns=names).to_csv("train.csv", index=False)
    table[~kept].to_parquet("test.parquet", index=False)
    how = ["--engine", "spark", "--algorithm", "mf", "--set", "n_factors=5", "--set", "n_epochs=2"]
    assert run(["fit", "train.csv", *how, "--out", "model"]) == 0
    model, _ = parts
    check_near(load("model"), model)
    assert run(["recommend", "model", "--engine", "spark", "--out", "lists", "-n", "3"]) == 0
    lists = spark.read.parquet(str(tmp_path / "lists"))
    assert lists.count() == 3 * len(model.users)
    rows = lists.select("model_fingerprint").distinct().collect()
    assert [row[0] for row in rows] == [model_fingerprint(tmp_path / "model")]
    capsys.readouterr()
    assert run(["evaluate", "--train", "train.csv", "--test", "test.parquet", *how, "--json"]) == 0
    by_stars = replace(model, choice=None)  # which is what Spark learns
    wanted = matinee.evaluation.evaluate.evaluate(by_stars, read_ratings(table[~kept])).metrics
    assert json.loads(capsys.readouterr().out)["metrics"] == pytest.approx(wanted, abs=1e-3)
    Path("all.zip").touch()
    Path("no.parquet").write_text("no Parquet")
    for words, told in [
        (["recommend", "model", "--engine", "spark"], "--out FOLDER go together"),
        (["recommend", "model", "--out", "x", *how[:2], "--user", "u3"], "leave out --user"),
        (["evaluate", "train.csv", *how], "two parts that were split before"),
        (["fit", "nowhere.csv", *how, "--out", "other"], "no file or folder nowhere.csv"),
        (["fit", "all.zip", *how, "--out", "other"], "all.zip ends in .zip: unpack it"),
        (["fit", "no.parquet", *how, "--out", "other"], "Spark cannot read no.parquet"),
        (["fit", "train.csv", *how, "--out", "other", "--columns", "user=who"], "no column 'who'"),
    ]:
        assert run(words) != 0
        assert told in capsys.readouterr().err
