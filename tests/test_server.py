"""The API on a small model: every answer has its documented shape, and errors say what to do."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import matinee
from matinee.feedback.store import Store
from matinee.server.state import State
from serving import answering


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the sample."""
    place = tmp_path_factory.mktemp("served") / "model"
    return matinee.NMF(n_factors=4, n_epochs=5).fit(matinee.sample()).save(place)


@pytest.fixture
def state(folder: Path, tmp_path: Path) -> Iterator[State]:
    store = Store.at(tmp_path / "feedback.sqlite")
    yield State(folder, store)
    store.close()


@pytest.fixture
def client(state: State) -> Iterator[httpx.Client]:
    with answering(state) as one:
        yield one


def test_an_answer_says_who_answered_and_how(client, state):
    answer = client.get("/v1/users/1/recommendations", params={"n": 3, "why": "true"}).json()
    assert answer["model_version"] == state.main.version
    assert answer["strategy"] == "personal"
    assert answer["took_ms"] > 0
    assert [one["rank"] for one in answer["items"]] == [1, 2, 3]
