"""Lists over HTTP: rules in the query, sessions, lists for everybody, files, and revalidation."""

import gzip
import json
from collections.abc import Iterator

import duckdb
import httpx
import pytest

import matinee
from matinee.feedback.store import Store
from matinee.server.lifecycle import ServerState
from serving import answering

USER, ITEM = "7", "heat-1995"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerState]:
    place = tmp_path_factory.mktemp("lists")
    folder = matinee.NMF(n_factors=4, n_epochs=5).fit(matinee.sample()).save(place / "model")
    store = Store.at(place / "feedback.sqlite")
    yield ServerState(folder, store)
    store.close()


@pytest.fixture(scope="module")
def client(state: ServerState) -> Iterator[httpx.Client]:
    with answering(state) as one:
        yield one


@pytest.fixture
def model(state: ServerState) -> matinee.Model:
    return state.main.model


def get(client: httpx.Client, path: str, **query: object) -> dict:
    response = client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def ids(body: dict) -> list[str]:
    return [one["item_id"] for one in body["items"]]


def test_conditions_in_a_query_are_those_of_recommend(client, model):
    path, where = f"/v1/users/{USER}/recommendations", {"genre": ["drama", "Comedy"]}
    expected = model.recommend(USER, 8, where={**where, "year": (1970, None)}, min_ratings=2)
    query = {"where": ["genre=drama", "genre=Comedy", "year=1970.."], "min_ratings": 2, "n": 8}
    assert ids(get(client, path, **query)) == list(expected.item_id)
    refused = client.get(path, params={"where": "genre"})
    assert refused.status_code == 422
    assert "COLUMN=VALUE" in refused.json()["detail"]


def test_excluding_what_was_shown_continues_a_list_after_a_rating(client):
    path = f"/v1/users/{USER}/recommendations"
    shown = ids(get(client, path, n=10))
    rating = {"user_id": USER, "item_id": shown[3], "rating": 5}
    client.post("/v1/feedback", json={"events": [rating]}).raise_for_status()
    more = ids(get(client, path, n=10, exclude=shown))
    assert len(more) == 10
    assert not set(more) & set(shown)
    assert more == [one for one in ids(get(client, path, n=40)) if one not in shown][:10]


def test_a_session_is_a_person_who_likes_its_items(client, model):
    session = [ITEM, "alien-1979"]
    body = client.post("/v1/recommendations", json={"session": session, "n": 5}).json()
    person = model.fold_in(dict.fromkeys(session, model.scale.high))
    assert body["strategy"] == "folded_in"
    assert ids(body) == list(model.recommend(person, 5).item_id)
    both = {"session": session, "user": USER}
    assert client.post("/v1/recommendations", json=both).status_code == 422


def test_similar_users_are_the_model_s(client, model):
    expected = model.similar_users("3", 4)
    body = get(client, "/v1/users/3/similar", n=4)
    assert [one["user"] for one in body["users"]] == list(expected.user_id)
    assert [one["similarity"] for one in body["users"]] == pytest.approx(
        expected.similarity, abs=1e-4
    )
    assert client.get("/v1/users/nobody/similar").status_code == 404


def test_popular_and_latest_items_fall_in_their_number(client, model):
    popular = get(client, "/v1/lists/popular", n=100)["items"]
    assert popular[0]["value"] == model.item_counts.max()
    latest = get(client, "/v1/lists/latest", n=100)["items"]
    assert latest[0]["value"] == max(entry.year for entry in model.catalog.entries.values())
    for one in (popular, latest):
        values = [entry["value"] for entry in one]
        assert values == sorted(values, reverse=True)
    drama = get(client, "/v1/lists/latest", n=5, offset=2, where="genre=drama")["items"]
    assert [one["rank"] for one in drama] == [3, 4, 5, 6, 7]
    assert all("Drama" in one["genres"] for one in drama)


def test_trending_counts_users_of_the_last_days_once(client):
    rows = [
        (user, item) for item, n in (("alien-1979", 9), ("vertigo-1958", 8)) for user in range(n)
    ]
    events = [
        {"user_id": f"trend-{user}", "item_id": item, "rating": rating}
        for user, item in rows
        for rating in (3, 4)
    ]
    old = {"user_id": "trend-old", "item_id": "vertigo-1958", "rating": 4, "timestamp": 1_000_000}
    client.post("/v1/feedback", json={"events": [*events, old]}).raise_for_status()
    items = get(client, "/v1/lists/trending", days=1)["items"]
    assert [(one["item_id"], one["value"]) for one in items[:2]] == [
        ("alien-1979", 9),
        ("vertigo-1958", 8),
    ]


def test_exports_are_the_lists_of_everybody(client, model, tmp_path):
    users = ["3", "5", "nobody"]
    body = {"users": users, "n": 4, "where": {"genre": "Drama"}}
    response = client.post("/v1/recommendations:export", json=body)
    assert response.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in response.text.splitlines()]
    expected = model.recommend(["3", "5"], 4, where={"genre": "Drama"})
    assert [row["item_id"] for row in rows[:8]] == list(expected.item_id)
    assert [row["score"] for row in rows[:8]] == pytest.approx(expected.score, abs=1e-5)
    assert [row["user_id"] for row in rows[8:]] == ["nobody"] * 4

    response = client.post("/v1/recommendations:export", json={"n": 2, "format": "parquet"})
    path = tmp_path / "lists.parquet"
    path.write_bytes(response.content)
    n_users = int((model.seen.counts > 0).sum())
    found = duckdb.sql(f"SELECT count(*), count(DISTINCT user_id), max(rank) FROM '{path}'")
    assert found.fetchall() == [(2 * n_users, n_users, 2)]


def test_an_unknown_condition_stops_an_export_before_it_starts(client):
    body = {"where": {"studio": "x"}, "format": "ndjson"}
    response = client.post("/v1/recommendations:export", json=body)
    assert response.status_code == 422
    assert "no column 'studio'" in response.json()["detail"]


PERSONAL = [f"/v1/users/{USER}/recommendations", "/v1/map?of=users"]


@pytest.mark.parametrize("path", [*PERSONAL, "/v1/map", "/v1/tastes"])
def test_an_unchanged_response_is_not_sent_twice(client, path):
    first = client.get(path)
    etag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert client.get(path, headers={"If-None-Match": 'W/"other"'}).json()
    expected = "no-store" if path in PERSONAL else "private, no-cache"
    assert first.headers["cache-control"] == expected


def test_a_rating_changes_the_validator_of_a_list(client):
    path = "/v1/users/11/recommendations"
    first = client.get(path)
    rating = {"user_id": "11", "item_id": first.json()["items"][0]["item_id"], "rating": 1}
    client.post("/v1/feedback", json={"events": [rating]}).raise_for_status()
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]


def test_large_responses_are_compressed(client):
    path = "/v1/map?width=500"
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
        packed = b"".join(response.iter_raw())
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(packed) < len(plain.content) / 3
    assert json.loads(gzip.decompress(packed))["points"] == plain.json()["points"]
    small = client.get(f"/v1/users/{USER}/recommendations")
    assert "content-encoding" not in small.headers
