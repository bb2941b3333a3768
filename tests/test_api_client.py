"""A client that openapi-python-client generates from the OpenAPI document, against the server."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import matinee
from matinee.feedback.store import Store
from matinee.server.app import api
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from serving import TOKEN, answering

PACKAGE = "generated_matinee_client"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, which can be imported."""
    place = tmp_path_factory.mktemp("client")
    document, config = place / "openapi.json", place / "config.json"
    document.write_text(json.dumps(api(AccessPolicy(TOKEN)).openapi()))
    config.write_text(json.dumps({"post_hooks": []}))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    options = ["--path", document, "--config", config, "--output-path", place / PACKAGE]
    run = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    sys.path.insert(0, str(place))
    yield PACKAGE
    sys.path.remove(str(place))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / "model"
    return matinee.NMF(n_factors=4, n_epochs=5).fit(matinee.sample()).save(place)


@pytest.fixture
def client(package: str, folder: Path, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The generated client, its operations and its models."""
    store = Store.at(tmp_path / "feedback.sqlite")
    with answering(ServerState(folder, store)) as plain:
        kind = importlib.import_module(package).AuthenticatedClient
        with kind(base_url=str(plain.base_url), token=TOKEN) as one:
            yield SimpleNamespace(
                client=one,
                models=importlib.import_module(f"{package}.models"),
                call=lambda name: importlib.import_module(f"{package}.api.{name}").sync,
            )
    store.close()


def test_lists_and_reasons_are_typed(client, folder):
    recommendations = client.call("recommendations.recommendations")
    answer = recommendations("42", client=client.client, n=5, why="true")
    assert isinstance(answer, client.models.RecommendationsResponse)
    expected = matinee.load(folder).recommend("42", 5)
    assert [one.item_id for one in answer.items] == list(expected.item_id)
    first = answer.items[0]
    total = sum(term.value for term in first.why.terms)
    assert total == pytest.approx(first.score, abs=0.005 * (1 + len(first.why.terms)))


def test_a_row_of_feedback_is_typed_and_counts(client):
    row = client.models.EventRow(user_id="42", item_id="alien-1979", rating=4.5)
    body = client.models.FeedbackRequest(events=[row])
    answer = client.call("feedback.feedback")(client=client.client, body=body)
    assert (answer.accepted, answer.rejected) == (1, 0)
    stored = client.call("users.export")("42", client=client.client)
    assert [(one.item_id, one.rating) for one in stored.events] == [("alien-1979", 4.5)]


def test_an_error_is_a_problem_document(client):
    answer = client.call("items.item")("nothing", client=client.client)
    assert isinstance(answer, client.models.ProblemDocument)
    assert (answer.status, answer.title) == (404, "Not Found")
    assert "nothing" in answer.detail


def test_the_token_is_sent_where_the_document_wants_it(client):
    answer = client.call("users.erase")("42", client=client.client)
    assert answer.events_deleted == 0
