"""The API on a small model: what it answers is what the model says, in the documented shape."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

import matinee
from matinee.feedback.database import StoreError
from matinee.feedback.store import Store
from matinee.feedback.tables import metadata
from matinee.server.app import make_app
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from matinee.server.routes import ROUTERS
from serving import OWNER, TOKEN, answering

USER, ITEM = "7", "heat-1995"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the sample."""
    place = tmp_path_factory.mktemp("served") / "model"
    return matinee.NMF(n_factors=4, n_epochs=5).fit(matinee.sample()).save(place)


@pytest.fixture(scope="module")
def shared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerState]:
    """For tests that change nothing."""
    store = Store.at(tmp_path_factory.mktemp("store") / "feedback.sqlite")
    yield ServerState(folder, store, beside_path=folder)
    store.close()


@pytest.fixture(scope="module")
def reader(shared: ServerState) -> Iterator[httpx.Client]:
    with answering(shared) as one:
        yield one


@pytest.fixture
def state(folder: Path, tmp_path: Path) -> Iterator[ServerState]:
    store = Store.at(tmp_path / "feedback.sqlite")
    yield ServerState(folder, store)
    store.close()


@pytest.fixture
def client(state: ServerState) -> Iterator[httpx.Client]:
    with answering(state) as one:
        yield one


@pytest.fixture
def model(shared: ServerState) -> matinee.Model:
    return shared.main.model


def listed(client: httpx.Client, user: str = USER, **asked: object) -> list[dict]:
    answer = client.get(f"/v1/users/{user}/recommendations", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def ids(entries: list[dict]) -> list[str]:
    return [one["item_id"] for one in entries]


# The shape of answers.

GETS = {
    "/v1/users/{user}/recommendations": f"/v1/users/{USER}/recommendations?why=true&n=3",
    "/v1/users/{user}/explanations/{item}": (
        f"/v1/users/{USER}/explanations/{ITEM}?versus=alien-1979&width=500"
    ),
    "/v1/users": "/v1/users?q=1",
    "/v1/users/{user}": f"/v1/users/{USER}",
    "/v1/users/{user}/similar": f"/v1/users/{USER}/similar?n=3",
    "/v1/items": "/v1/items?q=heat",
    "/v1/items/{item}": f"/v1/items/{ITEM}",
    "/v1/items/{item}/similar": f"/v1/items/{ITEM}/similar?n=3",
    "/v1/lists/{order}": "/v1/lists/popular?n=3",
    "/v1/items/{item}/raters": f"/v1/items/{ITEM}/raters?n=3",
    "/v1/tastes": "/v1/tastes",
    "/v1/model": "/v1/model",
    "/v1/data": "/v1/data?width=500",
    "/v1/quality": "/v1/quality",
    "/v1/online": "/v1/online",
    "/v1/map": "/v1/map?width=500",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
}
POSTS = {
    "/v1/recommendations": {"ratings": [{"item_id": ITEM, "rating": 5}], "why": "history"},
    "/v1/explanations": {"ratings": [{"item_id": ITEM, "rating": 5}], "item": "alien-1979"},
    "/v1/recommendations:batch": {"users": [USER, "nobody"], "n": 2, "why": "true"},
    "/v1/what-if": {"user": USER, "turn": {"0": 0.0}, "n": 3},
    "/v1/interview": {"ratings": [{"item_id": ITEM, "rating": 5}], "not_seen": ["alien-1979"]},
    "/v1/standings": {"user": USER, "item": ITEM, "n": 3, "width": 500},
    "/v1/feedback": {"events": [{"user_id": "x", "item_id": ITEM, "rating": 4}, "nonsense"]},
}
SHAPES = {
    (route.path, method): route.response_model
    for router in ROUTERS
    for route in router.routes
    for method in route.methods
    if route.response_model is not None
}


@pytest.mark.parametrize("route", GETS)
def test_every_answer_has_its_shape(reader, shared, route):
    answer = reader.get(GETS[route])
    assert answer.status_code == 200, answer.text
    check_shape(answer, SHAPES[route, "GET"], shared)


@pytest.mark.parametrize("route", POSTS)
def test_every_answer_to_a_post_has_its_shape(client, state, route):
    answer = client.post(route, json=POSTS[route])
    assert answer.status_code == 200, answer.text
    check_shape(answer, SHAPES[route, "POST"], state)


def check_shape(answer: httpx.Response, shape, state: ServerState) -> None:
    """All fields are there and documented, and the answer says who gave it."""
    found = answer.json()
    undocumented = set(found) - set(shape.model_fields)
    assert not undocumented
    shape.model_validate_json(answer.content, strict=True)
    if "took_ms" in shape.model_fields:
        assert found["model_version"] == state.main.version
        assert found["took_ms"] > 0


def test_every_route_is_tried_here():
    asked = {(route, "GET") for route in GETS} | {(route, "POST") for route in POSTS}
    others = {("/v1/admin/reload", "POST"), ("/v1/users/{user}", "DELETE")}
    others |= {("/v1/items", "POST"), ("/v1/items/{item}", "DELETE")}  # test_server_catalog
    others |= {("/v1/items/{item}", "PUT"), ("/v1/users/{user}", "PUT")}
    assert set(SHAPES) == asked | others | {("/v1/tastes/{taste}", "PATCH")}


# Lists.


@pytest.mark.parametrize("n", [1, 10, 100])
def test_a_list_is_what_the_model_recommends(reader, model, n):
    expected = model.recommend(USER, n)
    found = listed(reader, n=n)
    assert ids(found) == list(expected.item_id)
    assert [one["score"] for one in found] == pytest.approx(expected.score, abs=1e-4)
    assert [one["rank"] for one in found] == list(range(1, n + 1))


@pytest.mark.parametrize("by", ["factor", "history", "people", "true"])
def test_reasons_add_up_as_they_are_shown(reader, by):
    for one in listed(reader, n=5, why=by):
        total = sum(round(term["value"] * 100) for term in one["why"]["terms"])
        assert total == round(one["score"] * 100), one
        assert one["title"] in one["why"]["sentence"]


def test_pages_by_cursor_are_the_list(reader):
    whole = listed(reader, n=30)
    cursor, pages = None, []
    for _ in range(3):
        asked = {"n": 10} | ({"cursor": cursor} if cursor else {})
        answer = reader.get(f"/v1/users/{USER}/recommendations", params=asked).json()
        pages += answer["items"]
        cursor = answer["next_cursor"]
    assert pages == whole
    assert listed(reader, n=10, offset=20) == whole[20:]


def test_a_cursor_of_another_list_is_gone(client):
    first = client.get(f"/v1/users/{USER}/recommendations").json()
    event = {"user_id": USER, "item_id": ITEM, "rating": 1}
    client.post("/v1/feedback", json={"events": [event]})
    path = f"/v1/users/{USER}/recommendations"
    assert client.get(path, params={"cursor": first["next_cursor"]}).status_code == 410
    assert client.get(path, params={"cursor": "nonsense"}).status_code == 422


def test_filters(reader, model):
    films = listed(reader, n=50, genre=["Horror", "Western"], year_from=1970, year_to=1979)
    assert films
    for one in films:
        assert {"Horror", "Western"} & set(one["genres"])
        assert 1970 <= one["year"] <= 1979
    rated = model.items.ids[model.rated(USER)].tolist()
    only = [rated[0], "heat-1995", "alien-1979"]
    assert set(ids(listed(reader, items=only))) <= set(only) - {rated[0]}
    assert set(ids(listed(reader, items=only, exclude_seen=False))) == set(only)
    assert listed(reader, year_from=3000) == []


def test_several_lists_at_once(reader):
    body = {"users": [USER, "8", USER], "n": 4, "genre": ["Comedy"]}
    lists = reader.post("/v1/recommendations:batch", json=body).json()["lists"]
    assert [one["user"] for one in lists] == [USER, "8", USER]
    assert lists[0]["items"] == lists[2]["items"] == listed(reader, n=4, genre="Comedy")


def test_somebody_new_by_ratings_tastes_and_nothing(reader, model):
    history = {"heat-1995": 5.0, "alien-1979": 1.0}
    ratings = [{"item_id": item, "rating": stars} for item, stars in history.items()]
    answer = reader.post("/v1/recommendations", json={"ratings": ratings}).json()
    assert answer["strategy"] == "folded_in"
    assert ids(answer["items"]) == list(model.recommend(model.fold_in(history)).item_id)
    name = model.tastes()[1].name
    answers = [
        reader.post("/v1/recommendations", json={"tastes": {key: 10}}).json() for key in (name, "1")
    ]
    assert answers[0]["strategy"] == "tastes"
    assert answers[0]["items"] == answers[1]["items"]
    assert reader.post("/v1/recommendations", json={}).json()["strategy"] == "popular"


def test_strangers_are_shown_what_is_popular_or_not_found(reader, model):
    answer = reader.get("/v1/users/nobody/recommendations").json()
    assert answer["strategy"] == "popular"
    assert ids(answer["items"]) == list(model.recommend(model.fold_in({})).item_id)
    path = "/v1/users/nobody/recommendations?fallback=false"
    assert reader.get(path).status_code == 404


def test_the_model_beside(reader, client):
    assert listed(reader, beside="true") == listed(reader)
    answer = client.get(f"/v1/users/{USER}/recommendations?beside=true")
    assert answer.status_code == 404
    assert "--beside" in answer.json()["detail"]


# Reasons.


def test_an_explanation_is_the_model_s(reader, model):
    answer = reader.get(f"/v1/users/{USER}/explanations/{ITEM}?by=history").json()
    expected = model.explain(USER, ITEM, "history")
    assert answer["terms"] == expected.to_dict()["terms"]
    assert sum(term["value"] for term in answer["terms"]) == pytest.approx(
        answer["score"], abs=1e-4
    )
    assert round(sum(row["value"] for row in answer["shown"]), 2) == round(answer["score"], 2)
    assert answer["views"] == list(model.views)


def items_in(content):
    """Every object of an answer that has the id and the title of an item."""
    if isinstance(content, dict):
        own = [content] if {"item_id", "title"} <= content.keys() else []
        return own + [one for value in content.values() for one in items_in(value)]
    return (
        [one for value in content for one in items_in(value)] if isinstance(content, list) else []
    )


def test_titles_are_alike_in_every_answer(reader, model):
    person = f"/v1/users/{USER}"
    question = {"user": USER, "item": ITEM}
    answers = [
        reader.get(f"{person}/recommendations"),
        reader.get(person),
        reader.get(f"{person}/explanations/{ITEM}?versus=fight-club-1999"),
        reader.get("/v1/tastes"),
        reader.get(f"/v1/items/{ITEM}/similar"),
        reader.post("/v1/standings", json=question),
        reader.post(
            "/v1/what-if", json={**question, "without": [model.items.ids[model.rated(USER)][0]]}
        ),
    ]
    for answer in answers:
        found = items_in(answer.json())
        assert found, answer.url
        for one in found:
            item = model.catalog[one["item_id"]]
            assert (one["title"], one["year"]) == (item.title, item.year), answer.url
    body = {"users": [USER], "n": 3}
    exported = reader.post("/v1/recommendations:export", json=body).text.splitlines()
    for row in map(json.loads, exported):
        item = model.catalog[row["item_id"]]
        assert (row["title"], row["year"]) == (item.title, item.year)


def test_what_if_moves_the_list_as_the_model_says(reader, model):
    rated = model.items.ids[model.rated(USER)].tolist()
    body = {"user": USER, "without": rated[:2], "item": ITEM, "n": 5}
    answer = reader.post("/v1/what-if", json=body).json()
    expected = model.what_if(USER, ITEM, without=rated[:2])
    item = model.catalog[ITEM]
    assert answer["item"] == expected.to_dict() | {"title": item.title, "year": item.year}
    assert ids(answer["before"]) == list(model.recommend(USER, 5).item_id)
    assert ids(answer["after"]) == list(model.recommend(expected.person, 5).item_id)
    before = list(model.recommend(USER, len(model.items)).item_id)
    for one in answer["after"]:
        rank = before.index(one["item_id"]) + 1 if one["item_id"] in before else None
        assert one["rank_before"] == rank


def test_turning_a_taste_off(reader, model):
    answer = reader.post("/v1/what-if", json={"user": USER, "turn": {"0": 0}}).json()
    person = model.what_if(USER, ITEM, tastes={0: 0}).person
    assert ids(answer["after"]) == list(model.recommend(person).item_id)
    assert reader.post("/v1/what-if", json={"user": USER}).status_code == 422


# Items, users, tastes.


def test_items_are_found_by_words(reader):
    def find(**asked: object) -> list[str]:
        return ids(reader.get("/v1/items", params=asked).json()["items"])

    assert find(q="HEAT 1995") == [ITEM]
    assert ITEM in find(q="heat")
    assert find(q="no such film") == []
    counts = [one["n_ratings"] for one in reader.get("/v1/items").json()["items"]]
    assert counts == sorted(counts, reverse=True)
    westerns = reader.get("/v1/items", params={"genre": "Western", "n": 100}).json()
    assert all("Western" in one["genres"] for one in westerns["items"])


def test_similar_items_are_the_model_s(reader, model):
    found = reader.get(f"/v1/items/{ITEM}/similar?n=5").json()["items"]
    assert ids(found) == list(model.similar_items(ITEM, 5).item_id)


def test_users_are_found_and_exported(reader, model):
    found = reader.get("/v1/users", params={"q": "19", "n": 100}).json()
    assert found["total"] == sum("19" in one for one in model.users)
    counts = [one["n_ratings"] for one in reader.get("/v1/users?n=5").json()["users"]]
    assert len(counts) == 5
    assert counts == sorted(counts)
    export = reader.get(f"/v1/users/{USER}").json()
    assert {one["item_id"]: one["rating"] for one in export["ratings"]} == (
        matinee.sample().history(USER)
    )
    assert reader.get("/v1/users/nobody").status_code == 404


def test_a_taste_gets_a_name_for_good(tmp_path):
    place = matinee.NMF(n_factors=2, n_epochs=2).fit(matinee.sample()).save(tmp_path / "m")
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(place, store)) as client:
        before = client.get("/v1/tastes").json()["model_version"]
        answer = client.patch("/v1/tastes/1", json={"name": "Rainy Sundays"}, headers=OWNER)
        assert answer.status_code == 200, answer.text
        assert answer.json()["taste"]["name"] == "Rainy Sundays"
        tastes = client.get("/v1/tastes").json()
        assert "Rainy Sundays" in [one["name"] for one in tastes["tastes"]]
        assert tastes["model_version"] != before
        again = client.patch("/v1/tastes/9", json={"name": "None"}, headers=OWNER)
        assert again.status_code == 404
        matinee.load(place).rename_taste(0, "Elsewhere").save(place)
        refused = client.patch("/v1/tastes/1", json={"name": "Late"}, headers=OWNER)
        assert refused.status_code == 409, "or a newer model would be lost"
    assert matinee.load(place).tastes()[1].name == "Rainy Sundays"
    store.close()


# Feedback.


def test_a_rating_counts_in_the_next_list(client, state):
    model = state.main.model
    first = listed(client, why="true")
    event = {"user_id": USER, "item_id": first[0]["item_id"], "rating": 0.5}
    answer = client.post("/v1/feedback", json={"events": [event]}).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 0)
    after = client.get(f"/v1/users/{USER}/recommendations?why=true").json()
    assert after["strategy"] == "folded_in"
    history = matinee.sample().history(USER) | {event["item_id"]: 0.5}
    expected = model.recommend(model.fold_in(history))
    assert ids(after["items"]) == list(expected.item_id)
    exported = client.get(f"/v1/users/{USER}").json()
    assert {one["item_id"]: one["rating"] for one in exported["ratings"]} == history
    assert [one["source"] for one in exported["ratings"]].count("feedback") == 1


def test_feedback_in_postgresql_counts_and_is_erased(folder, postgresql_url):
    store = Store.at(postgresql_url)
    try:
        with answering(ServerState(folder, store)) as client:
            event = {"user_id": "ann", "item_id": ITEM, "rating": 5}
            key = {"Idempotency-Key": "k1"}
            for _ in range(2):
                client.post("/v1/feedback", json={"events": [event]}, headers=key)
            found = client.get("/v1/users/ann").json()
            assert (found["strategy"], len(found["events"])) == ("folded_in", 1)
            assert client.get("/readyz").status_code == 200
            erased = client.delete("/v1/users/ann", headers=OWNER).json()
            assert (erased["events_deleted"], erased["needs_refit"]) == (1, False)
            assert client.get("/v1/users/ann").status_code == 404
    finally:
        metadata.drop_all(store.engine)
        store.close()


def test_somebody_unheard_of_is_known_by_their_first_rating(client):
    event = {"user_id": "new 人/☕", "item_id": ITEM, "rating": 5}
    client.post("/v1/feedback", json={"events": [event]})
    path = "/v1/users/new%20%E4%BA%BA%2F%E2%98%95/recommendations"
    answer = client.get(path).json()
    assert answer["strategy"] == "folded_in"
    assert answer["user"] == "new 人/☕"
    found = client.get("/v1/users", params={"q": "☕"}).json()["users"]
    assert [one["user"] for one in found] == ["new 人/☕"]


def test_a_post_with_a_key_counts_once(client, state):
    body = {"events": [{"user_id": "ann", "item_id": ITEM, "rating": 5}, {"user_id": "ann"}]}
    key = {"Idempotency-Key": "k1"}
    first, again = (client.post("/v1/feedback", json=body, headers=key).json() for _ in range(2))
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["verdicts"] == again["verdicts"]
    assert state.store.count() == 1
    other = {"events": body["events"][:1]}
    assert client.post("/v1/feedback", json=other, headers=key).status_code == 422


def test_an_erased_user_stays_erased(client, state, folder):
    event = {"user_id": USER, "item_id": ITEM, "rating": 5}
    client.post("/v1/feedback", json={"events": [event]})
    answer = client.delete(f"/v1/users/{USER}", headers=OWNER).json()
    assert (answer["events_deleted"], answer["needs_refit"]) == (1, True)
    for _ in range(2):
        assert client.get(f"/v1/users/{USER}").status_code == 404
        stranger = client.get(f"/v1/users/{USER}/recommendations").json()
        assert stranger["strategy"] == "popular"
        assert USER not in [
            one["user"] for one in client.get("/v1/users?q=7&n=100").json()["users"]
        ]
        assert client.post("/v1/admin/reload", headers=OWNER).status_code == 200
    later = ServerState(folder, Store.at(str(state.store.engine.url.database)))
    assert later.changes.erased_at(USER) > 0
    later.store.close()


# Kept answers.


def test_kept_answers_are_given_again_and_leave_when_there_is_no_room(folder, tmp_path):
    store = Store.at(tmp_path / "feedback.sqlite")
    app = make_app(ServerState(folder, store), AccessPolicy(TOKEN))
    app.user_middleware[-1].kwargs["max_bytes"] = 20_000
    with answering(app.state.matinee, app=app) as client:
        first = [listed(client, str(user), why="true") for user in range(1, 21)]
        assert [listed(client, str(user), why="true") for user in range(1, 21)] == first
        text = client.get("/metrics").text
        assert 'matinee_recommendations_total{strategy="personal"} 40.0' in text
        layer = app.middleware_stack
        while not hasattr(layer, "entries"):
            layer = layer.app
        assert 0 < layer.size <= 20_000
        assert layer.size == sum(len(key) + len(one.body) for key, one in layer.entries.items())
    store.close()


def test_the_same_answer_to_everybody_at_once(client):
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda user: listed(client, str(user % 5 + 1)), range(80)))
    for user in range(5):
        assert all(one == found[user] for one in found[user::5])


def test_years_and_genres_of_a_model_without_catalogue(tmp_path):
    ratings = matinee.uniform(20, 30, 15)
    place = matinee.MF(n_factors=2, n_epochs=2).fit(ratings).save(tmp_path / "m")
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(place, store)) as client:
        user = matinee.load(place).users.ids[0]
        assert len(listed(client, user, exclude_seen=False)) == 10
        refused = client.get(f"/v1/users/{user}/recommendations?genre=none")
        assert refused.status_code == 404
        assert refused.json()["detail"] == (
            "there is no genre 'none', as no item has any; give items genres by "
            "PUT /v1/items/ITEM, or fit the model with a catalogue"
        )
        assert np.isfinite([one["score"] for one in listed(client, user)]).all()
    store.close()


def test_a_store_that_fails_is_told_and_not_named(client, state, monkeypatch):
    def broken(posts: object) -> None:
        raise StoreError("the feedback store /srv/secret.sqlite: disk I/O error")

    event = {"user_id": "ann", "item_id": ITEM, "rating": 5}
    with monkeypatch.context() as patch:
        patch.setattr(state.store, "write", broken)
        answer = client.post("/v1/feedback", json={"events": [event]})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "secret" not in answer.text
    assert client.post("/v1/feedback", json={"events": [event]}).status_code == 200


@pytest.mark.parametrize("by", ["factor", "history", "people"])
def test_reasons_of_a_list_are_those_of_each(model, by):
    items = list(model.recommend(USER, 5).item_id)
    for one, item in zip(model.explain_each(USER, items, by), items, strict=True):
        alone = model.explain(USER, item, by)
        assert one.rows() == alone.rows()
        assert one.sentence() == alone.sentence()
        assert one.score == pytest.approx(alone.score, abs=1e-5)


RULES = {"min_ratings": 2, "diversity": 0.5, "novelty": 0.1, "calibrated": 0.5}


def test_rules_of_a_request_are_those_of_recommend(reader, model):
    boost, hidden = model.recommend(USER, 2).item_id
    rules = {**RULES, "boost": {boost: -1.0}, "hide": [hidden]}
    where = {"genre": ["drama", "Comedy"], "year": (1950, None)}
    expected = model.recommend(USER, 6, where=where, **rules).to_dicts()
    body = {**rules, "users": [USER], "n": 6}
    body["where"] = {"genre": ["drama", "Comedy"], "year": {"low": 1950}}
    answer = reader.post("/v1/recommendations:batch", json=body)
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["lists"]
    assert [row["item_id"] for row in one["items"]] == [row["item_id"] for row in expected]
    for row, own in zip(one["items"], expected, strict=True):
        assert row["moved"] == own["moved"]
        assert row["rules"] == {name: round(own[name], 4) for name in row["rules"]}
        assert row["total"] == pytest.approx(row["score"] + sum(row["rules"].values()), abs=1e-3)
    assert set(one["items"][0]["rules"]) == {"boost", "novelty", "diversity", "calibration"}


def test_pages_of_a_list_with_rules_follow_one_another(reader):
    whole = listed(reader, n=12, **RULES)
    assert listed(reader, n=5, offset=5, **RULES) == whole[5:10]
    assert all("moved" not in row for row in listed(reader, min_ratings=2))


@pytest.mark.parametrize(
    ("rules", "status", "words"),
    [
        ({"where": {"genre": "Dramma"}}, 422, "did you mean 'Drama'"),
        ({"where": {"studio": "x"}}, 422, "no column 'studio'"),
        ({"diversity": -1}, 422, "at least 0"),
        ({"boost": {"nothing": 1}}, 404, "nothing"),
        ({"where": {"year": {"from": 1990}}}, 422, "where.year"),
    ],
)
def test_rules_that_cannot_be_are_refused(reader, rules, status, words):
    answer = reader.post("/v1/recommendations", json=rules)
    assert answer.status_code == status
    assert words in answer.text


@pytest.mark.parametrize("weights", [{"stars_weight": 0}, {"caution": -3}, {"stars_weight": 2.5}])
def test_weights_of_lists_by_both_methods(reader, model, weights):
    own = model.recommend(USER, 5, **weights)
    by_get = listed(reader, n=5, **weights)
    assert ids(by_get) == list(own.item_id)
    assert [one["score"] for one in by_get] == pytest.approx(own.score, abs=1e-3)
    answer = reader.post("/v1/recommendations", json={"user": USER, "n": 5, **weights})
    assert ids(answer.json()["items"]) == list(own.item_id)


def test_a_stars_weight_below_nothing_is_refused(reader):
    answer = reader.get(f"/v1/users/{USER}/recommendations", params={"stars_weight": -1})
    assert answer.status_code == 422


# Examples that a model of the sample refuses: it was fitted without features of people.
REFUSED_EXAMPLES = {"set_features": 422}


def test_every_body_has_an_example_that_is_answered(client):
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "requestBody" not in operation or operation["operationId"] == "rename":
                continue
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            (example,) = schemas[reference.rsplit("/", 1)[1]]["examples"]
            url = path.format(user="42", item="heat-1995")
            answer = client.request(method, url, json=example, headers=OWNER)
            expected = REFUSED_EXAMPLES.get(operation["operationId"], 200)
            assert answer.status_code == expected, (url, answer.text)
