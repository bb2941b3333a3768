"""The page in a real browser, on a real server, for each of its views."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import matinee
from browser import Page, asked_for, chromium, complaints, size, strangers
from matinee.evaluation.model_quality import measure_quality
from matinee.feedback.store import Store
from matinee.server.evaluation_record import EvaluationRecord
from matinee.server.lifecycle import ServerState
from serving import answering


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, and a record of a comparison."""
    place = tmp_path_factory.mktemp("page")
    sample = matinee.sample()
    nmf = matinee.NMF(n_factors=6, n_epochs=10).fit(sample)
    measure_quality(nmf, sample).saved_with(nmf).save(place / "nmf")
    matinee.MF(n_factors=4, n_epochs=3).fit(sample).save(place / "mf")
    record = place / "runs.jsonl"
    matinee.compare([], sample, metrics=["rmse", "ndcg", "coverage"], record=record)
    return place


@pytest.fixture(scope="session")
def served(folder: Path) -> Iterator[str]:
    store = Store.at(folder / "feedback.sqlite")
    state = ServerState(
        folder / "nmf", store, folder / "mf", EvaluationRecord.read(folder / "runs.jsonl", None)
    )
    with answering(state) as client:
        yield str(client.base_url)
    store.close()


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(driver: Any, served: str) -> Iterator[Page]:
    """The page; afterwards nothing was complained of, and nothing asked of anybody else."""
    size(driver, 1200)
    asked_for(driver)  # what another server was asked before is no concern of this test
    yield Page(driver, served)
    assert complaints(driver) == []
    assert strangers(driver, served) == []
