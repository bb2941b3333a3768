"""Lists made ahead: their layout, how they are looked up, and what a server answers from them."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import httpx
import numpy as np
import pytest
from sqlalchemy import text

import matinee
from matinee.cli import run
from matinee.disk.locks import InUse
from matinee.feedback.store import Store
from matinee.list_store.database_lists import TABLE, VERSIONS, opened
from matinee.list_store.database_writing import new_lists
from matinee.list_store.parquet_lists import ParquetLists
from matinee.list_store.places import open_lists
from matinee.list_store.stored_list import FINGERPRINT, BadLists, StoredList
from matinee.server import list_lookup, prepared_lists
from matinee.server.arms import MAIN
from matinee.server.lifecycle import ServerState
from matinee.server.list_lookup import ListLookup
from matinee.server.presenters.recommendations import ListRequest
from matinee.storage.model_files import model_fingerprint
from serving import OWNER, answering

N = 30  # items of a list that is made ahead
SHOWN = ("rank", "item_id", "title", "year", "genres", "predicted")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("prepared")
    return matinee.NMF(n_factors=4, n_epochs=3).fit(matinee.sample()).save(place / "model")


@pytest.fixture(scope="module")
def lists_file(folder: Path) -> Path:
    out = folder.parent / "lists.parquet"
    assert run(["recommend", str(folder), "--all", "-n", str(N), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def model(folder: Path) -> matinee.Model:
    return matinee.load(folder)


@pytest.fixture
def state(folder: Path, lists_file: Path, store: Store) -> ServerState:
    return ServerState(folder, store, lists_places={MAIN: str(lists_file)})


@pytest.fixture
def client(state: ServerState) -> Iterator[httpx.Client]:
    with answering(state) as one:
        yield one


@pytest.fixture
def computing(folder: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a server without lists, and with a store of its own."""
    store = Store.at(tmp_path / "other.sqlite")
    with answering(ServerState(folder, store)) as one:
        yield one
    store.close()


def lists_of(client: httpx.Client, user: str, **query: object) -> dict:
    response = client.get(f"/v1/users/{user}/recommendations", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def ids(body: dict) -> list[str]:
    return [one["item_id"] for one in body["items"]]


def write_parquet(path: Path, select: str) -> Path:
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


# The files.


def test_lists_are_looked_up_as_they_were_made(folder, lists_file, model):
    lists = open_lists(str(lists_file), model_fingerprint(folder))
    for user in ("1", "7", "2000"):
        table = model.recommend(user, N)
        assert lists.find(user) == StoredList(
            list(table.item_id), pytest.approx(table.score, abs=1e-5)
        )
    assert lists.find("nobody") is None


def test_a_fingerprint_is_that_of_the_scores(folder, model, tmp_path):
    before = model_fingerprint(folder)
    renamed = model.rename_taste(0, "Quiet films").save(tmp_path / "renamed")
    assert model_fingerprint(renamed) == before
    measured = replace(model, facts={**model.facts, "quality": 1}).save(tmp_path / "measured")
    assert model_fingerprint(measured) == before
    other = replace(model, choice=model.choice.weighed(0.5, None))
    assert model_fingerprint(other.save(tmp_path / "other")) != before


@pytest.mark.parametrize("type_", ["BIGINT", "VARCHAR"])
def test_users_are_found_across_files_whatever_the_type_of_ids(tmp_path, type_):
    row = (
        f"u::{type_} AS user_id, place AS rank, 'i' || (u * 10 + place) AS item_id, -place AS score"
    )
    for number, users in enumerate(("range(-3, 4)", "range(4, 12)")):
        write_parquet(
            tmp_path / f"part-{number}.parquet",
            f"SELECT {row}, 'm-1' AS {FINGERPRINT} FROM {users} a(u), range(2, 0, -1) b(place)",
        )
    lists = ParquetLists.open(tmp_path, "m-1")
    for user in ("-3", "0", "3", "4", "11"):
        first = int(user) * 10 + 1
        assert lists.find(user) == ([f"i{first}", f"i{first + 1}"], [-1, -2])
    for stranger in ("12", "-4", "03", "+3", "x", "9" * 60, ""):
        assert lists.find(stranger) is None


def test_a_folder_with_signs_of_patterns_in_its_name_is_read(tmp_path):
    place = tmp_path / "[a]*?"
    place.mkdir()
    select = f"SELECT 'é' AS user_id, 1 AS rank, 'i' AS item_id, 0.5 AS score, 'm' AS {FINGERPRINT}"
    write_parquet(place / "x.parquet", select)
    assert ParquetLists.open(place, "m").find("é") == (["i"], [0.5])


@pytest.mark.parametrize(
    "select, words",
    [
        (f"SELECT 'u' AS user_id, 1 AS rank, 'i' AS item_id, 1 AS score, 'm-2' AS {FINGERPRINT}",
         "holds lists of m-2, and the model is m-1; make them again"),
        ("SELECT 'u' AS user_id, 1 AS rank, 'i' AS item_id, 1 AS score",
         f"has no column {FINGERPRINT}.* without rules"),
        (f"SELECT 'u' AS user_id, 1 AS rank, 'i' AS item_id, 1 AS score, 'm-1' AS {FINGERPRINT} "
         "LIMIT 0", "holds no list of anybody"),
    ],
)  # fmt: skip
def test_files_that_hold_no_lists_of_the_model_are_refused(tmp_path, select, words):
    path = write_parquet(tmp_path / "lists.parquet", select)
    with pytest.raises(BadLists, match=words):
        ParquetLists.open(path, "m-1")


def test_missing_and_damaged_files_are_refused(tmp_path, lists_file, folder):
    with pytest.raises(BadLists, match="there are no lists at"):
        open_lists(str(tmp_path / "none.parquet"), "m")
    with pytest.raises(BadLists, match="there are no lists at"):
        open_lists(str(tmp_path), "m")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(lists_file.read_bytes()[:-100])
    with pytest.raises(BadLists, match=r"cut\.parquet cannot be read"):
        open_lists(str(cut), model_fingerprint(folder))


def test_lists_that_rules_made_are_not_served(folder, tmp_path, capsys):
    out = tmp_path / "ruled.parquet"
    assert run(["recommend", str(folder), "--all", "--min-ratings", "9", "--out", str(out)]) == 0
    assert FINGERPRINT not in duckdb.read_parquet(str(out)).columns
    with pytest.raises(BadLists, match="without rules"):
        open_lists(str(out), model_fingerprint(folder))


# The server.


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"n": N},
        {"n": 5, "offset": 20},
        {"n": 5, "why": "true"},
        {"n": 5, "why": "history"},
        {"n": 3, "genre": "Drama"},
        {"n": 3, "year_from": 1990, "min_ratings": 20},
    ],
)
def test_prepared_lists_are_the_computed_ones(client, computing, query):
    for user in ("1", "42"):
        prepared, computed = lists_of(client, user, **query), lists_of(computing, user, **query)
        assert (prepared["source"], computed["source"]) == ("prepared", "computed")
        for name in ("model_version", "strategy", "user"):
            assert prepared[name] == computed[name]
        for one, other in zip(prepared["items"], computed["items"], strict=True):
            assert [one[name] for name in SHOWN] == [other[name] for name in SHOWN]
            assert one["score"] == pytest.approx(other["score"], abs=2e-6)
            assert ("why" in one) == ("why" in query)
            if "why" in one:
                assert one["why"]["sentence"] == other["why"]["sentence"]
                terms = [term["value"] for term in one["why"]["terms"]]
                assert round(sum(terms), 2) == round(one["score"], 2)


@pytest.mark.parametrize(
    "query",
    [
        {"n": N + 1},
        {"n": 10, "offset": N - 9},
        {"exclude_seen": "false"},
        {"diversity": 0.5},
        {"caution": 0},
        {"stars_weight": 1},
        {"genre": "Horror", "n": N},
    ],
)
def test_what_a_prepared_list_cannot_answer_is_computed(client, computing, query):
    body = lists_of(client, "42", **query)
    assert body["source"] == "computed"
    assert body["items"] == lists_of(computing, "42", **query)["items"]


def test_users_without_a_list_are_computed(client):
    body = lists_of(client, "nobody")
    assert (body["source"], body["strategy"]) == ("computed", "popular")
    posted = client.post("/v1/recommendations", json={"session": ["heat-1995"]}).json()
    assert (posted["source"], posted["strategy"]) == ("computed", "folded_in")


def test_a_batch_and_a_post_say_of_each_list_how_it_was_made(client, computing):
    body = {"users": ["1", "nobody", "42"], "n": 4}
    prepared = client.post("/v1/recommendations:batch", json=body).json()["lists"]
    assert [one["source"] for one in prepared] == ["prepared", "computed", "prepared"]
    computed = computing.post("/v1/recommendations:batch", json=body).json()["lists"]
    assert [ids(one) for one in prepared] == [ids(one) for one in computed]
    hidden = {"user": "42", "n": 4, "hide": [ids(prepared[2])[0]]}
    posted = client.post("/v1/recommendations", json=hidden).json()
    assert posted["source"] == "prepared"
    assert ids(posted)[:3] == ids(prepared[2])[1:]
    turned = {**hidden, "turn": {"0": 0}}
    assert client.post("/v1/recommendations", json=turned).json()["source"] == "computed"
    both = {**hidden, "session": ["heat-1995"]}
    assert client.post("/v1/recommendations", json=both).status_code == 422


def feedback(client: httpx.Client, **event: object) -> None:
    client.post("/v1/feedback", json={"events": [event]}).raise_for_status()


def test_what_was_rated_or_hidden_since_is_taken_out(client):
    whole = ids(lists_of(client, "42", n=N))
    feedback(client, user_id="42", item_id=whole[0], rating=4.5)
    feedback(client, user_id="42", item_id=whole[2], kind="hide")
    after = lists_of(client, "42", n=N - 2, why="true")
    assert (after["source"], after["strategy"]) == ("prepared", "personal")
    assert ids(after) == [whole[1], *whole[3:]]
    assert [one["rank"] for one in after["items"]] == list(range(1, N - 1))
    for one in after["items"]:  # reasons are those of the person by whom the list was ranked
        terms = [term["value"] for term in one["why"]["terms"]]
        assert round(sum(terms), 2) == round(one["score"], 2)
    feedback(client, user_id="42", item_id=whole[2], kind="restore")
    assert ids(lists_of(client, "42", n=5)) == whole[1:6]
    fewer = lists_of(client, "42", n=N)
    assert (fewer["source"], fewer["strategy"]) == ("computed", "folded_in")
    assert whole[0] not in ids(fewer)
    feedback(client, user_id="42", item_id=whole[0], rating=None)
    assert ids(lists_of(client, "42", n=N)) == whole


def test_pages_of_a_prepared_list_continue_it_and_no_other(client):
    def pages(n: int) -> list[dict]:
        bodies = [lists_of(client, "7", n=n)]
        while (cursor := bodies[-1]["next_cursor"]) and len(bodies) < 5:
            bodies.append(lists_of(client, "7", n=n, cursor=cursor))
        return bodies

    whole = ids(lists_of(client, "7", n=50))
    bodies = pages(10)
    assert [one["source"] for one in bodies] == ["prepared"] * 3 + ["computed"] * 2
    assert [item for one in bodies for item in ids(one)] == whole
    feedback(client, user_id="7", item_id=whole[0], rating=1)
    bodies = pages(10)
    assert [one["source"] for one in bodies] == ["prepared"] * 2
    assert [item for one in bodies for item in ids(one)] == whole[1:21]


def test_an_erased_user_has_no_prepared_list(client):
    assert lists_of(client, "99")["source"] == "prepared"
    client.delete("/v1/users/99", headers=OWNER).raise_for_status()
    body = lists_of(client, "99")
    assert (body["source"], body["strategy"]) == ("computed", "popular")


def test_items_that_the_catalogue_hides_leave_prepared_lists(client):
    first, *others = ids(lists_of(client, "42", n=5))
    change = {"title": "Gone", "hidden": True}
    client.put(f"/v1/items/{first}", json=change, headers=OWNER).raise_for_status()
    body = lists_of(client, "42", n=4)
    assert body["source"] == "prepared"
    assert ids(body) == others


def test_lists_stay_with_a_renamed_taste_and_not_with_another_model(
    folder, lists_file, store, tmp_path
):
    own = matinee.load(folder).save(tmp_path / "model")
    state = ServerState(own, store, lists_places={MAIN: str(lists_file)})
    state.rename_taste(0, "Quiet films")
    assert state.main.lists is not None
    before = state.main
    matinee.NMF(n_factors=3, n_epochs=2, choice=None).fit(matinee.sample()).save(own)
    with pytest.raises(BadLists, match="holds lists of nmf-"):
        state.reload()
    assert state.main is before
    with pytest.raises(BadLists, match="make them again"):
        ServerState(own, store, lists_places={MAIN: str(lists_file)})
    assert run(["recommend", str(own), "--all", "--out", str(tmp_path / "new.parquet")]) == 0
    state.lists_places = {MAIN: str(tmp_path / "new.parquet")}
    assert state.reload().fingerprint == model_fingerprint(own)


def test_the_lists_of_an_arm_answer_those_assigned_to_it(folder, lists_file, store, tmp_path):
    """Each arm has lists of its own, and one without any computes them."""
    other = matinee.NMF(n_factors=3, n_epochs=2, choice=None).fit(matinee.sample())
    paths = {name: other.save(tmp_path / name) for name in ("few", "none")}
    out = tmp_path / "few.parquet"
    assert run(["recommend", str(paths["few"]), "--all", "-n", "20", "--out", str(out)]) == 0
    places = {MAIN: str(lists_file), "few": str(out)}
    state = ServerState(folder, store, arm_paths=paths, lists_places=places)
    with closing(state), answering(state) as client:
        sources = {}
        for user in map(str, range(1, 40)):
            body = lists_of(client, user, n=5)
            sources[body["arm"]] = body["source"]
            expected = state.model_of(user).model.recommend(user, 5).item_id
            assert ids(body) == list(expected)
    assert sources == {MAIN: "prepared", "few": "prepared", "none": "computed"}
    with pytest.raises(BadLists, match="holds lists of nmf-"):
        ServerState(folder, store, arm_paths=paths, lists_places={"few": str(lists_file)})


def test_lists_for_an_arm_that_there_is_not_are_refused(folder, lists_file, capsys):
    words = ["serve", str(folder), "--arm", f"few={folder}", "--arm-lists", f"fwe={lists_file}"]
    assert run(words) == 2
    assert "there is no --arm 'fwe'; did you mean 'few'?" in capsys.readouterr().err


def test_a_lookup_goes_to_a_thread_only_where_it_waits(client, state, monkeypatch):
    """For another process, or for the store with the ratings since; also under a filter."""
    visits = []
    to_thread = asyncio.to_thread

    async def counted(task, *arguments):
        visits.append(task)
        return await to_thread(task, *arguments)

    def n_visits() -> int:
        visits.clear()
        asked = prepared_lists.prepared_list(state, state.main, "42", drama, ListRequest(3))
        answer = asyncio.run(asked)
        assert answer is not None
        assert answer.source == "prepared"
        return len(visits)

    monkeypatch.setattr(prepared_lists.asyncio, "to_thread", counted)
    drama = np.flatnonzero(state.main.genres["Drama"]).astype(np.int32)
    assert n_visits() == 0
    monkeypatch.setattr(ParquetLists, "is_local", False)
    assert n_visits() == 1
    monkeypatch.setattr(ParquetLists, "is_local", True)
    feedback(client, user_id="42", item_id="heat-1995", rating=4)
    assert n_visits() == 1


class Broken:
    """A list store that fails."""

    n_lookups = 0

    def close(self) -> None:
        pass

    def find(self, user: str) -> StoredList | None:
        self.n_lookups += 1
        raise BadLists("the lists are gone")


def test_lists_are_computed_while_their_place_fails(monkeypatch, caplog):
    broken, clock = Broken(), [100.0]
    monkeypatch.setattr(list_lookup.time, "monotonic", lambda: clock[0])
    lookup = ListLookup(broken)
    assert [lookup.find("1"), lookup.find("2")] == [None, None]
    assert broken.n_lookups == 1
    clock[0] += list_lookup.PAUSE_SECONDS + 1
    assert lookup.find("1") is None
    assert broken.n_lookups == 2
    assert "the lists are gone; lists are computed meanwhile" in caplog.text


def test_lists_stay_as_they_were_opened_while_their_file_is_replaced(lists_file, folder, tmp_path):
    place = tmp_path / "lists.parquet"
    place.write_bytes(lists_file.read_bytes())
    lists = open_lists(str(place), model_fingerprint(folder))
    opened_as = [lists.find(user) for user in ("1", "42", "2000")]
    assert None not in opened_as
    select = f"SELECT user_id, rank, item_id, -score AS score, 'nmf-other' AS {FINGERPRINT}"
    write_parquet(place, f"{select} FROM '{lists_file}'")
    assert [lists.find(user) for user in ("1", "42", "2000")] == opened_as
    place.unlink()
    lists.close()
    assert [lists.find(user) for user in ("1", "42", "2000")] == opened_as


@pytest.mark.parametrize("order", ["random()", "user_id, rank", "rank, user_id"])
@pytest.mark.parametrize("type_", ["INTEGER", "VARCHAR"])
def test_rows_of_a_list_are_found_wherever_they_stand(tmp_path, order, type_):
    """Lists begin in one row group and end in another, or lie in all of them."""
    rows = (
        f"SELECT u::{type_} AS user_id, place AS rank, (u * place) % 97 AS item_id, "
        f"(u - place)::DOUBLE AS score, 'm' AS {FINGERPRINT} "
        "FROM range(500) a(u), range(1, 15) b(place)"
    )
    path = tmp_path / "lists.parquet"
    ordered = f"SELECT * FROM ({rows}) ORDER BY {order}"
    duckdb.sql(f"COPY ({ordered}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    assert len(duckdb.sql(f"FROM parquet_metadata('{path}') WHERE column_id = 0")) > 2
    lists = ParquetLists.open(path, "m")
    for user in range(500):
        items = [str(user * place % 97) for place in range(1, 15)]
        assert lists.find(str(user)) == (items, [user - place for place in range(1, 15)])
    assert lists.find("500") is None


# PostgreSQL.


@pytest.fixture
def database(postgresql_url: str) -> Iterator[str]:
    """The URL of a database, without lists afterwards."""
    yield postgresql_url
    with opened(postgresql_url) as engine, engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {TABLE}, {VERSIONS}"))


def rows_for(users: str, word: str = "i") -> list[tuple[str, str, float]]:
    return [(user, f"{word}{place}", 2.5 - place) for user in users for place in range(3)]


def partitions(database: str) -> int:
    tables = text(f"SELECT count(*) FROM pg_tables WHERE tablename LIKE '{TABLE}\\_%'")
    with opened(database) as engine, engine.connect() as connection:
        return connection.execute(tables).scalar_one()


def test_lists_in_postgresql_are_served_as_they_are_computed(
    database, folder, store, computing, capsys
):
    capsys.readouterr()
    url = database.replace("matinee@", "matinee:secret@")
    assert run(["recommend", str(folder), "--all", "-n", "12", "--out", url]) == 0
    shown = capsys.readouterr().err
    assert "lists of 12 for 2,000 users in postgresql://127.0.0.1" in shown
    assert "secret" not in shown
    state = ServerState(folder, store, lists_places={MAIN: database})
    with closing(state), answering(state) as client:
        for query in ({"n": 12}, {"n": 5, "offset": 7, "why": "true"}, {"n": 2, "genre": "Drama"}):
            prepared, computed = (lists_of(one, "42", **query) for one in (client, computing))
            assert prepared["source"] == "prepared"
            assert ids(prepared) == ids(computed)
            scores = [[one["score"] for one in body["items"]] for body in (prepared, computed)]
            assert scores[0] == pytest.approx(scores[1], abs=2e-6)
        assert lists_of(client, "42", n=13)["source"] == "computed"
        assert lists_of(client, "nobody")["strategy"] == "popular"


def found(database: str, fingerprint: str, user: str) -> StoredList | None:
    """The list of a user in a database."""
    with closing(open_lists(database, fingerprint)) as lists:
        return lists.find(user)


def test_lists_are_seen_when_all_are_there_and_those_before_stay(database):
    with pytest.raises(BadLists, match="there are no lists at postgresql://"):
        open_lists(database, "m-1")
    with new_lists(database, "m-1") as new:
        assert new.add(rows_for("ab")) == 2
        with pytest.raises(BadLists, match="there are no lists"):
            open_lists(database, "m-1")
        assert new.add(rows_for("bc", "again")) == 2  # a task that runs again changes nothing
    with closing(open_lists(database, "m-1")) as first:
        assert first.find("b") == (["i0", "i1", "i2"], [2.5, 1.5, 0.5])
        assert first.find("c") == (["again0", "again1", "again2"], [2.5, 1.5, 0.5])
        assert first.find("d") is None
        with pytest.raises(BadLists, match="holds lists of m-1, and the model is m-2"):
            open_lists(database, "m-2")
        with new_lists(database, "m'2") as new:
            new.add(rows_for("a", "new"))
        assert first.find("a") == (["i0", "i1", "i2"], [2.5, 1.5, 0.5])
        assert found(database, "m'2", "a") == (["new0", "new1", "new2"], [2.5, 1.5, 0.5])
        with new_lists(database, "m-3") as new:
            new.add(rows_for("a"))
        assert first.find("a") is None
    assert partitions(database) == 2
    with new_lists(database, "m-3") as new:
        new.add(rows_for("z"))
    assert found(database, "m-3", "a") is None
    assert found(database, "m'2", "a") is not None


def test_lists_that_fail_are_gone_and_one_process_writes_at_a_time(database):
    def write_twice() -> None:
        with new_lists(database, "m-1") as new:
            new.add(rows_for("a"))
            with new_lists(database, "m-2"):
                raise AssertionError

    with pytest.raises(InUse, match="another process writes lists"):
        write_twice()
    assert partitions(database) == 0
    with pytest.raises(BadLists, match="there are no lists"):
        open_lists(database, "m-1")
    with pytest.raises(BadLists, match="NUL"), new_lists(database, "m-1") as new:
        new.add([("a\0", "i", 1.0)])
    assert partitions(database) == 0


def test_a_database_that_is_away_or_takes_no_such_lists_is_refused(folder, capsys):
    with pytest.raises(BadLists, match=r"the lists at postgresql.*@127.0.0.1:1/none: .*refused"):
        open_lists("postgresql://ann:secret@127.0.0.1:1/none", "m")
    arguments = ["recommend", str(folder), "--all", "--diversity", "1"]
    assert run([*arguments, "--out", "postgresql://127.0.0.1:1/none"]) == 2
    assert "leave out rules and weights" in capsys.readouterr().err
