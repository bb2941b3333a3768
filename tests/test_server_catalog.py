"""The catalogue and the people of a running server change, and nobody else notices."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

import matinee
from matinee.data.catalog import Item
from matinee.feedback.catalog_changes import CatalogChanges, ItemChange
from matinee.feedback.model_refit import refit
from matinee.feedback.store import Store
from matinee.server.catalog_overlay import overlaid
from matinee.server.lifecycle import ServerState
from matinee.server.snapshot import ModelSnapshot
from serving import OWNER, answering

USER, ITEM = "7", "heat-1995"
ENTRY = {"title": "Alien Heat", "year": 2031, "genres": ["Horror"], "properties": {"studio": "A"}}
ALIEN_HEAT = Item("Alien Heat", 2031, ("Horror",), {"studio": ("A",)})


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that scores items by their features."""
    place = tmp_path_factory.mktemp("hybrid") / "model"
    stars = matinee.MF(n_factors=4, n_epochs=4, choice=None)
    choice = matinee.ImplicitALS(n_factors=4, n_epochs=4)
    algorithm = matinee.Hybrid(of=stars, choice=choice)
    return matinee.fit(matinee.sample(), algorithm).save(place)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows items by their ratings alone."""
    place = tmp_path_factory.mktemp("plain") / "model"
    return matinee.NMF(n_factors=4, n_epochs=5).fit(matinee.sample()).save(place)


@pytest.fixture
def client(hybrid: Path, store: Store) -> Iterator[httpx.Client]:
    with answering(ServerState(hybrid, store)) as one:
        one.headers.update(OWNER)
        yield one


def items_of(client: httpx.Client, path: str, **query: object) -> list[str]:
    response = client.get(path, params=query)
    assert response.status_code == 200, response.text
    return [one["item_id"] for one in response.json()["items"]]


def test_a_new_item_answers_at_once_and_by_its_properties(client):
    path = f"/v1/users/{USER}/recommendations"
    assert client.put("/v1/items/alien-heat", json=ENTRY).json()["items"] == ["alien-heat"]
    assert items_of(client, path, where="studio=A") == ["alien-heat"]
    assert items_of(client, "/v1/items", q="alien heat") == ["alien-heat"]
    assert items_of(client, "/v1/lists/latest", n=1) == ["alien-heat"]
    explained = client.get(f"/v1/users/{USER}/explanations/alien-heat").json()
    total = sum(term["value"] for term in explained["terms"])
    assert total == pytest.approx(explained["score"], abs=1e-4)
    changed = {**ENTRY, "properties": {"studio": ["B", "C"]}}
    client.put("/v1/items/alien-heat", json=changed).raise_for_status()
    assert items_of(client, path, where="studio=c") == ["alien-heat"]


def test_scores_of_all_other_items_are_the_same_to_the_bit(hybrid):
    base = ModelSnapshot.load(hybrid)
    heat = Item("Heat, once more", 1995, ("Western",))
    changes = CatalogChanges(
        2, {"alien-heat": ItemChange(ALIEN_HEAT), ITEM: ItemChange(heat, hidden=True)}
    )
    changed = overlaid(base, changes)
    old, new = base.model, changed.model
    assert set(new.items) == {*old.items, "alien-heat"}
    shared = list(old.items)
    users, rows = list(old.users), np.arange(len(old.items), dtype=np.int32)
    moved = new.items.rows(shared)
    for score in ("score_people", "list_scores"):
        before, after = getattr(old, score)(users, rows), getattr(new, score)(users, moved)
        assert before.tobytes() == after.tobytes()
    for user in ("3", USER, "11"):
        assert list(old.recommend(user, 20).item_id) == list(
            new.recommend(user, 20, items=shared).item_id
        )
    assert overlaid(base, CatalogChanges()) is base


@pytest.mark.parametrize("deleted", [False, True])
def test_what_is_hidden_or_deleted_leaves_lists_and_searches(client, deleted):
    path = f"/v1/users/{USER}/recommendations"
    before = items_of(client, path, n=12)
    gone = before[1]
    if deleted:
        client.delete(f"/v1/items/{gone}").raise_for_status()
    else:
        entry = {"title": "Hidden", "hidden": True}
        client.put(f"/v1/items/{gone}", json=entry).raise_for_status()
    assert items_of(client, path, n=11) == before[:1] + before[2:]
    assert gone not in items_of(client, "/v1/items", n=100)
    assert gone not in items_of(client, "/v1/lists/popular", n=100)
    body = {"users": [USER], "n": 11}
    (batch,) = client.post("/v1/recommendations:batch", json=body).json()["lists"]
    assert [one["item_id"] for one in batch["items"]] == before[:1] + before[2:]
    client.put(f"/v1/items/{gone}", json={"title": "Back"}).raise_for_status()
    assert items_of(client, path, n=12) == before


def test_a_model_of_ratings_alone_refuses_new_items_and_takes_new_entries(plain, store):
    with answering(ServerState(plain, store)) as client:
        client.headers.update(OWNER)
        refused = client.put("/v1/items/alien-heat", json=ENTRY)
        assert refused.status_code == 409
        assert "fit hybrid or content" in refused.json()["detail"]
        assert store.catalog().changes == {}
        client.put(f"/v1/items/{ITEM}", json=ENTRY).raise_for_status()
        assert items_of(client, "/v1/lists/latest", n=1, where="studio=A") == [ITEM]
        features = client.put(f"/v1/users/{USER}", json={"features": {"age": "25"}})
        assert features.status_code == 422
        assert "profiles" in features.json()["detail"]


def test_changes_are_there_after_a_restart_and_in_other_servers(client, hybrid, store):
    other = ServerState(hybrid, store)
    with answering(other) as second:
        client.put("/v1/items/alien-heat", json=ENTRY).raise_for_status()
        other.follow()
        assert items_of(second, "/v1/items", q="alien heat") == ["alien-heat"]
    assert "alien-heat" in ServerState(hybrid, store).main.model.items


def test_several_items_change_together_or_not_at_all(client, store):
    rows = [{"item_id": f"new-{number}", **ENTRY} for number in range(3)]
    assert client.post("/v1/items", json={"items": rows}).status_code == 200
    assert items_of(client, "/v1/items", q="alien heat") == ["new-0", "new-1", "new-2"]
    twice = client.post("/v1/items", json={"items": [rows[0], rows[0]]})
    assert twice.status_code == 422
    assert client.delete("/v1/items/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", f"/v1/items/{ITEM}"), ("POST", "/v1/items"), ("PUT", f"/v1/users/{USER}")],
)
def test_changes_need_the_token(client, method, path):
    assert client.request(method, path, headers={"Authorization": ""}, json={}).status_code == 401


def test_a_refit_takes_new_entries_and_leaves_deleted_items_out(hybrid, store):
    model = matinee.load(hybrid)
    gone = model.items[int(model.item_counts.argmax())]
    store.write_items({gone: ItemChange(deleted=True), ITEM: ItemChange(ALIEN_HEAT)})
    fitted = refit(model, store)
    assert fitted.catalog[ITEM] == ALIEN_HEAT
    assert gone not in fitted.items or not fitted.item_counts[fitted.items.row(gone)]
    assert len(fitted.seen.values) == len(model.seen.values) - model.item_counts.max()


def test_features_count_while_a_user_has_no_ratings(ml_100k, store, tmp_path):
    ratings = matinee.read_ratings(ml_100k)
    model = matinee.fit(ratings, matinee.MF(n_factors=4, n_epochs=3, choice=None))
    with answering(ServerState(model.save(tmp_path / "model"), store)) as client:
        client.headers.update(OWNER)
        features = {"age": "25"}
        client.put("/v1/users/new", json={"features": features}).raise_for_status()
        body = client.get("/v1/users/new/recommendations?n=5").json()
        expected = model.recommend(model.fold_in_features(features), 5)
        assert body["strategy"] == "features"
        assert [one["item_id"] for one in body["items"]] == list(expected.item_id)
        assert client.get("/v1/users/new").json()["features"] == features
        event = {"user_id": "new", "item_id": "50", "rating": 5}
        client.post("/v1/feedback", json={"events": [event]}).raise_for_status()
        assert client.get("/v1/users/new/recommendations").json()["strategy"] == "folded_in"
        client.delete("/v1/users/new").raise_for_status()
        assert store.profile("new") == {}
