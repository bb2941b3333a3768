"""A query that came before is parsed once, and answers as if it were parsed each time."""

from collections.abc import Iterator

import httpx
import pytest

import matinee
from matinee.feedback.store import Store
from matinee.server import query_memo
from matinee.server.lifecycle import ServerState
from matinee.server.query_memo import memo_of
from matinee.server.routes.recommendations import recommendations_for_user
from serving import answering

QUERIES = ("", "n=3", "n=3&why=true&genre=Drama&genre=Comedy&min_ratings=2&year_from=1950")


@pytest.fixture
def client(tmp_path) -> Iterator[httpx.Client]:
    folder = matinee.NMF(n_factors=3, n_epochs=3).fit(matinee.sample()).save(tmp_path / "model")
    memo = memo_of(recommendations_for_user)
    assert memo is not None
    memo.parsed.clear()
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(folder, store)) as one:
        yield one
    store.close()


def items(client: httpx.Client, user: str, query: str) -> list[dict]:
    response = client.get(f"/v1/users/{user}/recommendations?{query}")
    assert response.status_code == 200, response.text
    assert response.json()["user"] == user
    return response.json()["items"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_parsed_query_answers_each_user_as_a_new_one(client, query):
    memo = memo_of(recommendations_for_user)
    users = ("7", "8", "9")
    expected = {}
    for user in users:
        expected[user] = items(client, user, query)
        memo.parsed.clear()
    assert expected["7"] != expected["8"]
    items(client, "10", query)
    assert set(memo.parsed) == {query.encode()}
    again = f"{query}&" if query else "&"  # another address, so that no response is stored for it
    items(client, "10", again)
    assert {user: items(client, user, again) for user in users} == expected


def test_what_is_refused_stays_refused_after_the_same_query(client):
    path = "/v1/users/{}/recommendations?{}"
    bad = [("7", "n=0"), ("7", "m=3"), ("7", "n=3&n=4"), ("x" * 300, "n=3"), ("%FF", "n=3")]
    before = [client.get(path.format(*one)) for one in bad]
    items(client, "7", "n=3")
    after = [client.get(path.format(*one)) for one in bad]
    assert [one.status_code for one in after] == [422] * len(bad)
    assert [one.json() for one in after] == [one.json() for one in before]


def test_few_queries_are_kept_and_no_long_one(client, monkeypatch):
    monkeypatch.setattr(query_memo, "MAX_QUERIES", 3)
    memo = memo_of(recommendations_for_user)
    for n in range(1, 9):
        items(client, "7", f"n={n}")
        assert len(memo.parsed) <= 3
    items(client, "7", "&".join(["n=2", *["exclude=heat-1995"] * 20]))
    assert all(len(query) <= query_memo.MAX_QUERY_BYTES for query in memo.parsed)
